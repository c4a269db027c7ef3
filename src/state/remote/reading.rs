//! Reading a shared state: what does not need each other's answer is asked for at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::cell::Mark;
use super::keeper::{Keeper, Position};
use super::log::{self, Log};
use super::objects::{ObjectError, Objects};
use super::probe::probe;
use super::versions::Owed;
use super::{DOCUMENT, PARALLEL};
use crate::model::{Fingerprint, bounded};
use crate::state::format::{self, Trust};
use crate::state::{Document, StateError, check_journal, check_newest, check_owner, fold, new_lineage};

/// How often a reader looks again who finds the parts of two documents: somebody saves just now.
const LOOKS: usize = 5;

/// What a reader found.
pub(super) struct Look {
    /// The document with its journal folded in; none where there is none.
    document: Option<Document>,
    position: Position,
}

type Found = Option<(Vec<u8>, Mark)>;

impl Keeper {
    /// Begins to read what the next [`Keeper::load`] gives.
    pub(super) fn look_ahead(self: Arc<Self>, thread: &tokio::runtime::Handle) {
        let keeper = Arc::clone(&self);
        let before = self.ahead().replace(thread.spawn(async move { keeper.look().await }));
        before.iter().for_each(tokio::task::JoinHandle::abort);
    }

    /// Reads it; what was read ahead is taken where that went well.
    pub(super) async fn load(&self) -> Result<Option<Document>, StateError> {
        let ahead = self.ahead().take();
        let look = match ahead {
            Some(reading) => reading.await.ok().and_then(Result::ok),
            None => None,
        };
        let Look { document, position } = match look {
            Some(look) => look,
            None => self.look().await?,
        };
        *self.position.lock().await = Some(position);
        Ok(document)
    }

    /// Whether there is a document, as far as is known to whoever read it.
    pub(super) async fn is_there(&self) -> Result<bool, StateError> {
        let known = self.position.lock().await.as_ref().map(|position| position.mark.is_some());
        match known {
            Some(known) => Ok(known),
            None => Ok(self.load().await?.is_some()),
        }
    }

    /// Whoever only looks may come while somebody saves, and find parts of two documents: then it looks again.
    async fn look(&self) -> Result<Look, StateError> {
        let mut looks = 1;
        loop {
            let (moved, found, kept) = tokio::join!(self.moved(), DOCUMENT.read(&*self.objects), self.serials());
            if let Some(moved) = moved? {
                return Err(moved.error(self.objects.place()));
            }
            let found = found.map_err(|e| self.io("read", e))?;
            let mark = found.as_ref().map(|(_, mark)| mark.clone());
            match self.look_at(found, kept?).await {
                Err(StateError::Damaged { .. }) if looks < LOOKS && self.has_moved(mark.as_ref()).await? => looks += 1,
                other => return other,
            }
        }
    }

    async fn has_moved(&self, mark: Option<&Mark>) -> Result<bool, StateError> {
        let now = DOCUMENT.read(&*self.objects).await.map_err(|e| self.io("read", e))?;
        Ok(now.as_ref().map(|(_, mark)| mark) != mark)
    }

    async fn look_at(&self, found: Found, kept: Vec<u64>) -> Result<Look, StateError> {
        let Some((bytes, mark)) = found else {
            let log = self.nothing_left_behind(&kept).await?;
            self.begin_trial();
            return Ok(Look { document: None, position: Position { log, kept, ..Position::default() } });
        };
        let guessed = format::serial_of(&bytes);
        let guess = async {
            match guessed {
                Some(serial) => Some(self.log(serial).await),
                None => None,
            }
        };
        let (before, reading, written) = tokio::join!(self.document(&bytes), guess, self.time_of(kept.last()));
        let before = before?;
        let reading = match reading.filter(|_| guessed == Some(before.serial)) {
            Some(reading) => reading?,
            None => self.log(before.serial).await?,
        };
        check_journal(&self.objects.place(), &before, &reading.records)?;
        let document = fold(before.clone(), &reading.records);
        check_newest(&self.objects.place(), &document, kept.last().copied())?;
        let blobs = format::blobs_of(&bytes).into_iter().collect();
        let owed = Owed::of(&before, &bytes, &reading.records, &kept, &self.outside);
        let position = Position { mark: Some(mark), log: reading.log, kept, owed, blobs, written };
        Ok(Look { document: Some(document), position })
    }

    /// Whoever holds the lease of an empty place is about to trust the store: it is tried while they plan.
    fn begin_trial(&self) {
        if !self.lease.is_held() || self.trial().is_some() {
            return;
        }
        let (objects, id) = (Arc::clone(&self.objects), new_lineage(&self.outside)[..8].to_owned());
        *self.trial() = Some(tokio::spawn(async move { probe(&*objects, &id).await }));
    }

    pub(super) async fn log(&self, serial: u64) -> Result<log::Reading, StateError> {
        Log::read(&self.objects, serial).await.map_err(|fault| match fault {
            log::Fault::Store(error) => self.io("read", error),
            log::Fault::Damaged(why) => self.damaged(why),
        })
    }

    /// A document that is gone while its versions or its journal are there was deleted: never an empty state. A first save
    /// that was cut off leaves segments without records. Gives where the journal goes on.
    async fn nothing_left_behind(&self, kept: &[u64]) -> Result<Log, StateError> {
        let gone = |what: &str, name: &str| self.damaged(format!("the document itself is missing, but {what} is there ({name})"));
        if let Some(serial) = kept.last() {
            return Err(gone("a kept version", &format!("serial {serial}")));
        }
        let segments = self.objects.list("journal/").await.map_err(|e| self.io("read", e))?;
        if let Some(name) = segments.iter().find(|name| !name.starts_with(&log::folder(0))) {
            return Err(gone("its journal", name));
        }
        if segments.is_empty() {
            return Ok(Log::begun(0));
        }
        let reading = self.log(0).await?;
        if reading.records.is_empty() { Ok(reading.log) } else { Err(gone("its journal", &log::folder(0))) }
    }

    /// The document in these bytes, with the blobs it names.
    pub(super) async fn document(&self, bytes: &[u8]) -> Result<Document, StateError> {
        self.read_as(bytes, &self.objects.place(), Trust::AsWritten).await
    }

    /// The same; `place`: where the bytes come from.
    pub(super) async fn read_as(&self, bytes: &[u8], place: &str, trust: Trust) -> Result<Document, StateError> {
        let digests = format::blobs_of(bytes);
        let names = digests.iter().map(|digest| blob(digest)).collect();
        let texts = fetch(&self.objects, names, bounded::RECORD).await.map_err(|e| self.io("read", e))?;
        let texts: BTreeMap<String, Option<Vec<u8>>> = texts.into_iter().collect();
        let text = |digest: &str| {
            let bytes = texts.get(&blob(digest)).cloned().flatten().ok_or_else(|| format!("its text {digest} is missing"))?;
            let text = String::from_utf8(bytes).map_err(|_| format!("its text {digest} is damaged"))?;
            if Fingerprint::of(text.as_bytes()).0 == digest { Ok(text) } else { Err(format!("its text {digest} is damaged")) }
        };
        let document = format::read(bytes, &text, trust).map_err(|fault| fault.of(place))?;
        check_owner(place, &document, &self.settings.project, &self.settings.environment)?;
        Ok(document)
    }
}

/// The name of a blob.
pub(super) fn blob(digest: &str) -> String {
    format!("blobs/{digest}")
}

/// Objects by name, in the order given; none where one is not there. Together they take no more than `most` bytes.
pub(super) async fn fetch(
    objects: &Arc<dyn Objects>,
    names: Vec<String>,
    most: u64,
) -> Result<Vec<(String, Option<Vec<u8>>)>, ObjectError> {
    let mut size = 0;
    let mut found: Vec<(String, Option<Vec<u8>>)> = names.into_iter().map(|name| (name, None)).collect();
    let mut tasks = JoinSet::new();
    let mut next = 0;
    loop {
        while tasks.len() < PARALLEL && next < found.len() {
            let (objects, name, index) = (Arc::clone(objects), found[next].0.clone(), next);
            tasks.spawn(async move { (index, objects.get(&name).await) });
            next += 1;
        }
        let Some(ended) = tasks.join_next().await else { return Ok(found) };
        let (index, object) = ended.map_err(|e| ObjectError::new(e.to_string()))?;
        let bytes = object?.map(|object| object.bytes);
        size += bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        if size > most {
            let folder = found[index].0.rsplit_once('/').map_or("", |(folder, _)| folder);
            return Err(ObjectError::new(format!("what lies in {folder}/ is too large together: {}", bounded::sizes(size, most))));
        }
        found[index].1 = bytes;
    }
}
