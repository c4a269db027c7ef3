//! A state that a team shares: document, lease, journal, versions and blobs in a store of named bytes.
//!
//! ```text
//! state.json                      the document                    (or state/00000007.json, the highest counts)
//! lease.json                      who may write                   (or lease/…)
//! journal/00000003/00000001.log   what was done since the document of serial 3, in segments that are created only
//! versions/00000003.json          kept versions, each with a side document
//! blobs/DIGEST                    long text
//! ```
//!
//! [`Store`] blocks; what is asked of it is carried out by a thread of its own, which also renews the lease and writes
//! records that need not be durable at once within half a second.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Handle, Runtime, RuntimeFlavor};
use tokio::task::{JoinHandle, JoinSet};

use super::format::Trust;
use super::store::{Leave, Waiting};
use super::{Document, Flush, LockInfo, Note, Record, StateError, Store, Version, check_journal, check_newest, check_owner, fold, format};
use crate::model::{Fingerprint, Outside};

#[cfg(feature = "azure")]
mod azure;
mod cell;
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
mod cloud;
#[cfg(test)]
#[cfg(all(feature = "s3", feature = "azure", feature = "gcs"))]
mod credentials;
#[cfg(any(feature = "azure", feature = "gcs"))]
mod federation;
pub mod files;
#[cfg(feature = "gcs")]
mod gcs;
mod lease;
mod log;
pub mod memory;
mod mend;
pub mod objects;
mod open;
mod place;
mod probe;
#[cfg(feature = "s3")]
mod s3;
mod seal;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trouble;
mod versions;

use cell::{Cell, Mark};
use lease::{Lease, Patience, Refusal};
use log::{Log, Stamina, Trouble};
use objects::{Condition, ObjectError, Objects, Put};
pub use open::open;
pub use place::{Bucket, Place, PlaceError};
pub use probe::{Probe, probe};
pub use seal::{Open, Sealed};

const DOCUMENT: Cell = Cell("state");
/// How long records that need not be durable at once may lie in memory.
const LATER: Duration = Duration::from_millis(500);
/// Most requests to the store at a time.
const PARALLEL: usize = 16;
/// How often a reader looks again who finds the parts of two documents: somebody saves just now.
const LOOKS: usize = 5;
/// How long a save that the store does not take waits before it is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long giving back the lease may take: after that it runs out by itself.
const FAREWELL: Duration = Duration::from_secs(10);

/// Whose state, and how it is kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The project's name; empty for whoever only looks.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// Seconds that a lease stands without being renewed.
    pub lease_seconds: u64,
    /// How many versions are kept.
    pub versions: usize,
}

/// A state in a store that many reach.
pub struct Remote {
    keeper: Arc<Keeper>,
    runtime: Option<Runtime>,
    /// The tasks that renew the lease and write what need not be durable at once; none while no lease is held.
    beating: Mutex<Vec<JoinHandle<()>>>,
}

/// What the thread works with.
struct Keeper {
    objects: Arc<dyn Objects>,
    settings: Settings,
    outside: Outside,
    lease: Lease,
    /// Where the next write goes; none until the state was read.
    position: tokio::sync::Mutex<Option<Position>>,
    /// Records that are not written yet.
    pending: Mutex<Vec<Record>>,
    /// Whether a segment was written under this lease: whoever held it before gets no further with the journal.
    fenced: AtomicBool,
    note: Mutex<Option<Note>>,
}

/// The position while something is written.
type Held<'a> = tokio::sync::MutexGuard<'a, Option<Position>>;

#[derive(Clone)]
struct Position {
    /// The document that was read; none where there was none.
    mark: Option<Mark>,
    log: Log,
}

impl Remote {
    /// The state in this store. Nothing is read or made yet.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn new(objects: Arc<dyn Objects>, settings: Settings, outside: &Outside) -> Result<Self, StateError> {
        let place = objects.place();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("state").enable_all().build();
        let runtime = runtime.map_err(|error| StateError::Io { place, verb: "read", why: error.to_string() })?;
        let keeper = Keeper {
            lease: Lease::new(outside, settings.lease_seconds),
            objects,
            settings,
            outside: outside.clone(),
            position: tokio::sync::Mutex::default(),
            pending: Mutex::default(),
            fenced: AtomicBool::new(false),
            note: Mutex::default(),
        };
        Ok(Self { keeper: Arc::new(keeper), runtime: Some(runtime), beating: Mutex::default() })
    }

    /// Carries something out on the thread and waits for it.
    fn wait<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let (done, answer) = std::sync::mpsc::channel();
        let runtime = self.runtime.as_ref().expect("it is let go of in drop only");
        runtime.spawn(async move {
            // Whoever asked is still there: this call waits.
            let _ = done.send(work.await);
        });
        let wait = || answer.recv().expect("the thread answers each call");
        match Handle::try_current() {
            Ok(here) if here.runtime_flavor() == RuntimeFlavor::MultiThread => tokio::task::block_in_place(wait),
            _ => wait(),
        }
    }

    /// Two tasks, so that a journal which the store does not take keeps no lease from being renewed.
    fn begin_beating(&self) {
        let runtime = self.runtime.as_ref().expect("it is let go of in drop only");
        let renewing = runtime.spawn(Arc::clone(&self.keeper).go_on_renewing());
        let writing = runtime.spawn(Arc::clone(&self.keeper).go_on_writing());
        for before in std::mem::replace(&mut *self.beating(), vec![renewing, writing]) {
            before.abort();
        }
    }

    fn beating(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.beating.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries out whether the store keeps its word: [`probe`].
    #[must_use]
    pub fn try_out(&self, id: &str) -> Vec<Probe> {
        let (keeper, id) = (Arc::clone(&self.keeper), id.to_owned());
        self.wait(async move { probe(&*keeper.objects, &id).await })
    }

    /// Which credentials are used, and where they came from, never their value; none where there is nothing to say.
    #[must_use]
    pub fn credentials(&self) -> Option<String> {
        self.keeper.objects.credentials()
    }

    /// Whether the document that is there is sealed; none where there is none. For one that was made of a store as it is.
    ///
    /// # Errors
    /// The store.
    pub fn is_sealed(&self) -> Result<Option<bool>, StateError> {
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move {
            let found = DOCUMENT.read(&*keeper.objects).await.map_err(|e| keeper.io("read", e))?;
            Ok(found.map(|(bytes, _)| seal::is_sealed(&bytes)))
        })
    }

    /// Who holds the lease; unlike [`Store::holder`] it says why that cannot be known.
    ///
    /// # Errors
    /// The store.
    pub fn held(&self) -> Result<Option<LockInfo>, StateError> {
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move { keeper.lease.holder(&*keeper.objects).await.map_err(|e| keeper.io("read", e)) })
    }

    /// Takes the lease from whoever holds it under this id. Gives who that was; none where nobody does.
    ///
    /// # Errors
    /// The store.
    pub fn free(&self, id: &str, by: &str) -> Result<Option<LockInfo>, StateError> {
        let (keeper, id, by) = (Arc::clone(&self.keeper), id.to_owned(), by.to_owned());
        self.wait(async move { keeper.lease.free(&*keeper.objects, &id, &by).await.map_err(|e| keeper.io("unlocked", e)) })
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // Whoever left early, with an error or in a panic, leaves no lease behind.
        if !self.beating().is_empty() {
            self.unlock();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Store for Remote {
    fn place(&self) -> String {
        self.keeper.objects.place()
    }

    fn load(&self) -> Result<Option<Document>, StateError> {
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move { keeper.load().await })
    }

    fn lock(&self, info: &LockInfo, waiting: Waiting<'_>) -> Result<Option<LockInfo>, StateError> {
        // What is said while it waits comes from the thread: it is passed on here, where the caller's borrow lives.
        let (said, heard) = std::sync::mpsc::channel();
        let (keeper, info, wait) = (Arc::clone(&self.keeper), info.clone(), waiting.wait);
        let (done, answer) = std::sync::mpsc::channel();
        let runtime = self.runtime.as_ref().expect("it is let go of in drop only");
        runtime.spawn(async move {
            let say = move |text| drop(said.send(text));
            let _ = done.send(keeper.take(&info, Patience { wait, say: &say }).await);
        });
        for text in heard {
            (waiting.say)(text);
        }
        let taken = answer.recv().expect("the thread answers each call")?;
        self.begin_beating();
        Ok(taken)
    }

    fn unlock(&self) {
        for task in std::mem::take(&mut *self.beating()) {
            task.abort();
        }
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move {
            let farewell = async {
                // Records that came after the last save, if a save failed: the next runner folds them.
                let _ = keeper.flush_pending().await;
                keeper.lease.release(&*keeper.objects).await;
            };
            let _ = tokio::time::timeout(FAREWELL, farewell).await;
        });
        *self.keeper.noted() = None;
    }

    fn holder(&self) -> Option<LockInfo> {
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move { keeper.lease.holder(&*keeper.objects).await }).ok().flatten()
    }

    fn standing(&self) -> Result<(), StateError> {
        self.keeper.lease.standing().map_err(|why| self.keeper.lost(why))
    }

    fn leave(&self) -> Leave {
        let keeper = Arc::clone(&self.keeper);
        let thread = self.runtime.as_ref().expect("it is let go of in drop only").handle().clone();
        Leave::new(move || {
            if let Some(known) = keeper.lease.surely().filter(|_| keeper.fenced.load(Ordering::SeqCst)) {
                return Box::pin(std::future::ready(known));
            }
            let keeper = Arc::clone(&keeper);
            let asking = thread.spawn(async move { keeper.may_send().await });
            Box::pin(async move { asking.await.unwrap_or_else(|stopped| Err(stopped.to_string())) })
        })
    }

    fn append(&self, records: &[Record], flush: Flush) -> Result<(), StateError> {
        self.standing()?;
        self.keeper.waiting().extend_from_slice(records);
        if flush == Flush::Later {
            return Ok(());
        }
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move { keeper.flush_pending().await })
    }

    fn save(&self, document: &Document, by: &str) -> Result<(), StateError> {
        let (keeper, document, by) = (Arc::clone(&self.keeper), document.clone(), by.to_owned());
        self.wait(async move { keeper.save(&document, &by).await })
    }

    fn annotate(&self, note: Note) {
        *self.keeper.noted() = Some(note);
    }

    fn noted(&self) -> Option<Note> {
        self.keeper.noted().clone()
    }

    fn kept(&self, serial: u64) -> Result<Option<Document>, StateError> {
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move { keeper.version(serial).await })
    }

    fn history(&self) -> Result<Vec<Version>, StateError> {
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move { keeper.history().await })
    }
}

impl Keeper {
    fn io(&self, verb: &'static str, error: ObjectError) -> StateError {
        StateError::Store { place: self.objects.place(), verb, why: error.why, help: error.help, about: error.about }
    }

    fn damaged(&self, why: String) -> StateError {
        StateError::Damaged { place: self.objects.place(), why }
    }

    fn lost(&self, why: String) -> StateError {
        StateError::Lost { place: self.objects.place(), why }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Record>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn noted(&self) -> MutexGuard<'_, Option<Note>> {
        self.note.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Renews the lease for ever; what goes wrong is remembered by it, and told to the next who writes.
    async fn go_on_renewing(self: Arc<Self>) {
        loop {
            tokio::time::sleep(self.lease.period()).await;
            while !self.lease.renew(&*self.objects).await && self.lease.standing().is_ok() {
                tokio::time::sleep(self.lease.period() / 8).await;
            }
        }
    }

    /// Writes for ever what need not be durable at once.
    async fn go_on_writing(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LATER).await;
            let _ = self.flush_pending().await;
        }
    }

    async fn take(&self, info: &LockInfo, patience: Patience<'_>) -> Result<Option<LockInfo>, StateError> {
        self.fenced.store(false, Ordering::SeqCst);
        self.lease.take(&*self.objects, info, patience).await.map_err(|refusal| match refusal {
            Refusal::Held(info) => StateError::Locked { place: self.objects.place(), holder: info.to_string(), lease: info.id },
            Refusal::Store(error) => self.io("locked", error),
        })
    }

    /// Reads it. Whoever only looks may come while somebody saves, and find parts of two documents: then it looks again.
    async fn load(&self) -> Result<Option<Document>, StateError> {
        if let Some(moved) = self.moved().await? {
            return Err(moved.error(self.objects.place()));
        }
        let mut looks = 1;
        loop {
            let found = DOCUMENT.read(&*self.objects).await.map_err(|e| self.io("read", e))?;
            let mark = found.as_ref().map(|(_, mark)| mark.clone());
            match self.load_found(found).await {
                Err(StateError::Damaged { .. }) if looks < LOOKS && self.has_moved(mark.as_ref()).await? => looks += 1,
                other => return other,
            }
        }
    }

    async fn has_moved(&self, mark: Option<&Mark>) -> Result<bool, StateError> {
        let now = DOCUMENT.read(&*self.objects).await.map_err(|e| self.io("read", e))?;
        Ok(now.as_ref().map(|(_, mark)| mark) != mark)
    }

    async fn load_found(&self, found: Option<(Vec<u8>, Mark)>) -> Result<Option<Document>, StateError> {
        let Some((bytes, mark)) = found else {
            let log = self.nothing_left_behind().await?;
            *self.position.lock().await = Some(Position { mark: None, log });
            return Ok(None);
        };
        let document = self.document(&bytes).await?;
        let reading = self.log(document.serial).await?;
        check_journal(&self.objects.place(), &document, &reading.records)?;
        let document = fold(document, &reading.records);
        check_newest(&self.objects.place(), &document, self.serials().await?.pop())?;
        *self.position.lock().await = Some(Position { mark: Some(mark), log: reading.log });
        Ok(Some(document))
    }

    async fn log(&self, serial: u64) -> Result<log::Reading, StateError> {
        Log::read(&self.objects, serial).await.map_err(|fault| match fault {
            log::Fault::Store(error) => self.io("read", error),
            log::Fault::Damaged(why) => self.damaged(why),
        })
    }

    /// A document that is gone while its versions or its journal are there was deleted: never an empty state. A first save
    /// that was cut off leaves segments without records. Gives where the journal goes on.
    async fn nothing_left_behind(&self) -> Result<Log, StateError> {
        let gone = |what: &str, name: &str| self.damaged(format!("the document itself is missing, but {what} is there ({name})"));
        if let Some(serial) = self.serials().await?.last() {
            return Err(gone("a kept version", &format!("serial {serial}")));
        }
        let segments = self.objects.list("journal/").await.map_err(|e| self.io("read", e))?;
        let reading = self.log(0).await?;
        match segments.iter().find(|name| !name.starts_with(&log::folder(0))) {
            Some(name) => Err(gone("its journal", name)),
            None if !reading.records.is_empty() => Err(gone("its journal", &log::folder(0))),
            None => Ok(reading.log),
        }
    }

    /// The document in these bytes, with the blobs it names.
    async fn document(&self, bytes: &[u8]) -> Result<Document, StateError> {
        self.read_as(bytes, &self.objects.place(), Trust::AsWritten).await
    }

    /// The same; `place`: where the bytes come from.
    async fn read_as(&self, bytes: &[u8], place: &str, trust: Trust) -> Result<Document, StateError> {
        let digests = format::blobs_of(bytes);
        let names = digests.iter().map(|digest| blob(digest)).collect();
        let texts = fetch(&self.objects, names).await.map_err(|e| self.io("read", e))?;
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

    /// Makes everything durable that waits to be.
    async fn flush_pending(&self) -> Result<(), StateError> {
        let mut position = self.position.lock().await;
        if self.waiting().is_empty() {
            // Somebody else's flush may have taken ours along, and failed.
            return self.lease.standing().map_err(|why| self.lost(why));
        }
        self.write_segment(&mut position).await
    }

    /// Whether something may be sent on the strength of the lease: once it is surely ours, and the journal too.
    async fn may_send(&self) -> Result<(), String> {
        let mut position = self.position.lock().await;
        if !self.fenced.load(Ordering::SeqCst) {
            self.write_segment(&mut position).await.map_err(|error| error.to_string())?;
        }
        drop(position);
        self.lease.ensure(&*self.objects).await.map(drop)
    }

    /// Writes the next segment with whatever waits, also nothing.
    async fn write_segment(&self, position: &mut Option<Position>) -> Result<(), StateError> {
        let lease = self.lease.ensure(&*self.objects).await.map_err(|why| self.lost(why))?;
        let position = position.as_mut().ok_or_else(|| self.lost("it was not read before it was written".to_owned()))?;
        let records = std::mem::take(&mut *self.waiting());
        let goes_on = || self.lease.standing().is_ok();
        let stamina = Stamina { limit: Duration::from_secs(self.settings.lease_seconds), goes_on: &goes_on };
        match position.log.write(&*self.objects, &lease, &records, stamina).await {
            Ok(()) => {
                self.fenced.store(true, Ordering::SeqCst);
                Ok(())
            }
            Err(trouble) => {
                let why = match trouble {
                    Trouble::Fenced => "somebody else went on with the journal".to_owned(),
                    Trouble::Store(error) => {
                        let first = self.lease.standing().err().map(|why| format!("{why}; ")).unwrap_or_default();
                        format!("{first}the journal could not be written for {} seconds ({error})", self.settings.lease_seconds)
                    }
                    Trouble::Records(why) => return Err(StateError::Unwritable { place: self.objects.place(), why }),
                };
                // From here on nothing is certain: this writer is done, the next one reads what is there.
                self.lease.lose(why.clone());
                Err(self.lost(why))
            }
        }
    }

    /// Replaces the document. Tried again for as long as a lease stands: each part of it may be repeated.
    async fn save(&self, document: &Document, by: &str) -> Result<(), StateError> {
        let begun = tokio::time::Instant::now();
        let limit = Duration::from_secs(self.settings.lease_seconds);
        loop {
            match self.save_once(document, by).await {
                Err(StateError::Store { .. }) if begun.elapsed() + PAUSE < limit && self.lease.standing().is_ok() => {
                    tokio::time::sleep(PAUSE).await;
                }
                other => return other,
            }
        }
    }

    async fn save_once(&self, document: &Document, by: &str) -> Result<(), StateError> {
        let mut position = self.position.lock().await;
        if position.is_none() {
            drop(position);
            self.load().await?;
            position = self.position.lock().await;
        }
        // The segment is written even if it is empty: whoever lost the lease gets no further than here.
        self.write_segment(&mut position).await?;
        self.put_document(position, document, by).await
    }

    /// Replaces the document that was read, and keeps versions.
    async fn put_document(&self, mut position: Held<'_>, document: &Document, by: &str) -> Result<(), StateError> {
        let written = format::write(document).map_err(|why| StateError::Unwritable { place: self.objects.place(), why })?;
        let mark = position.as_ref().and_then(|p| p.mark.clone());
        if mark.is_some() {
            self.keep_before(document.serial).await?;
        } else {
            self.keeps_its_word().await?;
        }
        self.keep_blobs(&written).await?;
        let mark = DOCUMENT.write(&*self.objects, &written.bytes, mark.as_ref()).await.map_err(|e| self.io("written", e))?;
        let Some(mark) = mark else {
            let why = "somebody else replaced the document".to_owned();
            self.lease.lose(why.clone());
            return Err(self.lost(why));
        };
        *position = Some(Position { mark: Some(mark), log: self.log(document.serial).await?.log });
        drop(position);
        let note = self.noted().clone();
        self.keep_version(document, &written.bytes, by, note).await?;
        self.prune(&written).await;
        Ok(())
    }

    /// Before a store is trusted with its first document, whoever did not run `state init` learns whether it may be.
    async fn keeps_its_word(&self) -> Result<(), StateError> {
        let id = crate::state::new_lineage(&self.outside)[..8].to_owned();
        let tried = probe(&*self.objects, &id).await;
        let Some(broken) = tried.iter().find(|probe| probe.is_broken_word()) else { return Ok(()) };
        let why = format!("it cannot keep two runners apart: {} (tried: it {})", broken.trouble.clone().unwrap_or_default(), broken.what);
        self.lease.lose(why.clone());
        let help = vec![
            "take another place for the state: `state: { backend: ... }`".to_owned(),
            "`brickform state init` shows each thing that a place has to be able to do".to_owned(),
        ];
        Err(self.io("written", ObjectError { why, help, ..Default::default() }))
    }

    async fn keep_blobs(&self, written: &format::Written) -> Result<(), StateError> {
        let mut tasks = JoinSet::new();
        for (digest, text) in &written.blobs {
            let (objects, name, bytes) = (Arc::clone(&self.objects), blob(digest), text.clone().into_bytes());
            if tasks.len() >= PARALLEL {
                self.joined(tasks.join_next().await)?;
            }
            tasks.spawn(async move { objects.put(&name, bytes, Condition::Absent).await });
        }
        while let Some(ended) = tasks.join_next().await {
            self.joined(Some(ended))?;
        }
        Ok(())
    }

    fn joined(&self, ended: Option<Result<Result<Put, ObjectError>, tokio::task::JoinError>>) -> Result<(), StateError> {
        match ended {
            None | Some(Ok(Ok(Put::Done(_) | Put::Refused))) => Ok(()),
            Some(Ok(Err(error))) => Err(self.io("written", error)),
            Some(Err(error)) => Err(self.io("written", ObjectError::new(error.to_string()))),
        }
    }
}

fn blob(digest: &str) -> String {
    format!("blobs/{digest}")
}

/// Objects by name, in the order given; none where one is not there.
async fn fetch(objects: &Arc<dyn Objects>, names: Vec<String>) -> Result<Vec<(String, Option<Vec<u8>>)>, ObjectError> {
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
        found[index].1 = object?.map(|object| object.bytes);
    }
}
