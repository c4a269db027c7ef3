//! Saving a shared state: the journal's fence first, then the document by compare-and-swap, then its version.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::keeper::{Keeper, Position};
use super::log::Log;
use super::objects::{Condition, ObjectError, Put};
use super::probe::probe;
use super::reading::blob;
use super::versions::Owed;
use super::{DOCUMENT, PARALLEL};
use crate::state::store::Side;
use crate::state::{Document, StateError, format};

/// How long a save that the store does not take waits before it is tried again.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// The position while something is written.
type Held<'a> = tokio::sync::MutexGuard<'a, Option<Position>>;

impl Keeper {
    /// Replaces the document. Tried again for as long as a lease stands: each part of it may be repeated.
    pub(super) async fn save(&self, document: &Document, by: &str) -> Result<(), StateError> {
        self.forget_ahead();
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
        if self.position.lock().await.is_none() {
            self.load().await?;
        }
        let mut position = self.position.lock().await;
        let mark = position.as_ref().and_then(|position| position.mark.clone());
        if mark.is_none() {
            // The first document is created, never replaced: of two that try only one does, with nothing sent before it.
            self.lease.ensure(&*self.objects).await.map_err(|why| self.lost(why))?;
            return self.put_document(position, document, by).await;
        }
        let written = self.write(document)?;
        let (owed, known) = self.settled(&mut position).await;
        // The segment is written even if it is empty: whoever lost the lease gets no further than here. What else is
        // written beside it harms nobody.
        let (fence, owed, blobs) =
            tokio::join!(self.write_segment(&mut position), self.keep_owed(&owed, document.serial), self.keep_blobs(&written, &known));
        fence?;
        blobs?;
        if let Some(position) = position.as_mut() {
            let kept = owed?;
            position.owed.retain(|owed| !kept.contains(&owed.serial()));
            position.kept.extend(kept);
            position.kept.sort_unstable();
            position.kept.dedup();
        }
        self.put_written(position, document, &written, by).await
    }

    /// What the position owes, and which blobs are there, once nothing goes on in the background any more.
    async fn settled(&self, position: &mut Held<'_>) -> (Vec<Owed>, BTreeSet<String>) {
        let done = self.end_chores().await;
        let Some(position) = position.as_mut() else { return <_>::default() };
        position.owed.retain(|owed| !done.contains(&owed.serial()));
        position.kept.extend(done);
        (position.owed.clone(), position.blobs.clone())
    }

    pub(super) fn write(&self, document: &Document) -> Result<format::Written, StateError> {
        format::write(document).map_err(|why| StateError::Unwritable { place: self.objects.place(), why })
    }

    /// Replaces the document that was read, or what is there instead of one, and keeps versions.
    pub(super) async fn put_document(&self, mut position: Held<'_>, document: &Document, by: &str) -> Result<(), StateError> {
        let written = self.write(document)?;
        let (owed, known) = self.settled(&mut position).await;
        self.keep_owed(&owed, document.serial).await?;
        if position.as_ref().is_none_or(|position| position.mark.is_none()) {
            self.keeps_its_word().await?;
        }
        self.keep_blobs(&written, &known).await?;
        self.put_written(position, document, &written, by).await
    }

    async fn put_written(
        &self,
        mut position: Held<'_>,
        document: &Document,
        written: &format::Written,
        by: &str,
    ) -> Result<(), StateError> {
        let before = position.take().unwrap_or_default();
        let put = DOCUMENT.write(&*self.objects, &written.bytes, before.mark.as_ref()).await;
        let Some(mark) = (match put {
            Ok(mark) => mark,
            Err(error) => {
                *position = Some(before);
                return Err(self.io("written", error));
            }
        }) else {
            *position = Some(before);
            let why = "somebody else replaced the document".to_owned();
            self.lease.lose(why.clone());
            return Err(self.lost(why));
        };
        let side = Side::now(document, by, self.noted().clone(), &self.outside);
        let now = position.insert(Position {
            mark: Some(mark),
            log: Log::begun(document.serial),
            kept: before.kept,
            owed: vec![Owed::with(written.bytes.clone(), side.clone())],
            blobs: written.blobs.keys().cloned().collect(),
            written: None,
        });
        if now.kept.len() < self.settings.versions {
            // The document says everything: its version may come while the apply goes on, or the lease is given back.
            self.keep_beside(written.bytes.clone(), side);
            return Ok(());
        }
        self.keep_with(&written.bytes, &side).await?;
        now.owed.clear();
        now.kept.push(side.serial);
        now.kept.sort_unstable();
        now.kept.dedup();
        self.prune(now).await;
        Ok(())
    }

    /// Before a store is trusted with its first document, whoever did not run `state init` learns whether it may be.
    async fn keeps_its_word(&self) -> Result<(), StateError> {
        let trial = self.trial().take();
        let tried = match trial {
            Some(trial) => trial.await.ok(),
            None => None,
        };
        let tried = match tried {
            Some(tried) => tried,
            None => probe(&*self.objects, &crate::state::new_lineage(&self.outside)[..8]).await,
        };
        let Some(broken) = tried.iter().find(|probe| probe.is_broken_word()) else { return Ok(()) };
        let why = format!("it cannot keep two runners apart: {} (tried: it {})", broken.trouble.clone().unwrap_or_default(), broken.what);
        self.lease.lose(why.clone());
        let help = vec![
            "take another place for the state: `state: { backend: ... }`".to_owned(),
            "`brickform state init` shows each thing that a place has to be able to do".to_owned(),
        ];
        Err(self.io("written", ObjectError { why, help, ..Default::default() }))
    }

    /// Writes the blobs that are not among those `known` to be there.
    pub(super) async fn keep_blobs(&self, written: &format::Written, known: &BTreeSet<String>) -> Result<(), StateError> {
        let mut tasks = JoinSet::new();
        for (digest, text) in written.blobs.iter().filter(|(digest, _)| !known.contains(*digest)) {
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
