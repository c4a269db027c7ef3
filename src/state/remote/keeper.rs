//! What the thread of a shared state works with: the lease, the journal that is its fence, and what is to be written.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::Settings;
use super::cell::Mark;
use super::lease::{Lease, Patience, Refusal};
use super::log::{Log, Stamina, Trouble};
use super::objects::{ObjectError, Objects};
use super::probe::Probe;
use super::reading::Look;
use super::versions::Owed;
use crate::model::Outside;
use crate::state::{LockInfo, Note, Record, StateError};

/// How long records that need not be durable at once may lie in memory.
const LATER: Duration = Duration::from_millis(500);

/// A shared state as one process knows it.
pub(super) struct Keeper {
    pub(super) objects: Arc<dyn Objects>,
    pub(super) settings: Settings,
    pub(super) outside: Outside,
    pub(super) lease: Arc<Lease>,
    /// Where the next write goes; none until the state was read.
    pub(super) position: tokio::sync::Mutex<Option<Position>>,
    /// Records that are not written yet.
    pending: Mutex<Vec<Record>>,
    /// Whether a segment was written under this lease: whoever held it before gets no further with the journal.
    fenced: AtomicBool,
    note: Mutex<Option<Note>>,
    /// What is read before it is asked for.
    ahead: Mutex<Option<JoinHandle<Result<Look, StateError>>>>,
    /// The store being tried, before it is trusted with its first document.
    trial: Mutex<Option<JoinHandle<Vec<Probe>>>>,
    /// Work that nobody waits for until the next save, or the end. Gives the serial of the version that it kept.
    chores: Mutex<Vec<JoinHandle<Option<u64>>>>,
}

/// Where the next write goes, and what is known of what is there. Nobody else changes it while the lease is held.
#[derive(Default)]
pub(super) struct Position {
    /// The document that was read; none where there was none.
    pub(super) mark: Option<Mark>,
    pub(super) log: Log,
    /// The serials of the versions that are kept, rising.
    pub(super) kept: Vec<u64>,
    /// Versions that were not kept when they were made; they are before the document is replaced.
    pub(super) owed: Vec<Owed>,
    /// Digests of the blobs that the document names: these are there.
    pub(super) blobs: BTreeSet<String>,
    /// When the newest version was written that was there when the state was read.
    pub(super) written: Option<jiff::Timestamp>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Keeper {
    pub(super) fn new(objects: Arc<dyn Objects>, settings: Settings, outside: &Outside) -> Self {
        Self {
            lease: Arc::new(Lease::new(outside, settings.lease_seconds)),
            objects,
            settings,
            outside: outside.clone(),
            position: tokio::sync::Mutex::default(),
            pending: Mutex::default(),
            fenced: AtomicBool::new(false),
            note: Mutex::default(),
            ahead: Mutex::default(),
            trial: Mutex::default(),
            chores: Mutex::default(),
        }
    }

    pub(super) fn io(&self, verb: &'static str, error: ObjectError) -> StateError {
        StateError::Store { place: self.objects.place(), verb, why: error.why, help: error.help, about: error.about }
    }

    pub(super) fn damaged(&self, why: String) -> StateError {
        StateError::Damaged { place: self.objects.place(), why }
    }

    pub(super) fn lost(&self, why: String) -> StateError {
        StateError::Lost { place: self.objects.place(), why }
    }

    pub(super) fn waiting(&self) -> MutexGuard<'_, Vec<Record>> {
        held(&self.pending)
    }

    pub(super) fn noted(&self) -> MutexGuard<'_, Option<Note>> {
        held(&self.note)
    }

    pub(super) fn ahead(&self) -> MutexGuard<'_, Option<JoinHandle<Result<Look, StateError>>>> {
        held(&self.ahead)
    }

    pub(super) fn trial(&self) -> MutexGuard<'_, Option<JoinHandle<Vec<Probe>>>> {
        held(&self.trial)
    }

    pub(super) fn chores(&self) -> MutexGuard<'_, Vec<JoinHandle<Option<u64>>>> {
        held(&self.chores)
    }

    /// What was read ahead is not what is there any more.
    pub(super) fn forget_ahead(&self) {
        if let Some(reading) = self.ahead().take() {
            reading.abort();
        }
    }

    /// Waits for what was begun in the background. Gives the serials of the versions that were kept by it.
    pub(super) async fn end_chores(&self) -> Vec<u64> {
        let mut kept = vec![];
        let chores = std::mem::take(&mut *self.chores());
        for chore in chores {
            kept.extend(chore.await.ok().flatten());
        }
        kept
    }

    /// Whether nobody who held the lease before gets any further.
    pub(super) fn is_fenced(&self) -> bool {
        self.fenced.load(Ordering::SeqCst)
    }

    /// Renews the lease for ever; what goes wrong is remembered by it, and told to the next who writes.
    pub(super) async fn go_on_renewing(self: Arc<Self>) {
        loop {
            tokio::time::sleep(self.lease.period()).await;
            while !self.lease.renew(&*self.objects).await && self.lease.standing().is_ok() {
                tokio::time::sleep(self.lease.period() / 8).await;
            }
        }
    }

    /// Writes for ever what need not be durable at once.
    pub(super) async fn go_on_writing(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LATER).await;
            let _ = self.flush_pending().await;
        }
    }

    pub(super) async fn take(&self, info: &LockInfo, patience: Patience<'_>) -> Result<Option<LockInfo>, StateError> {
        self.forget_ahead();
        self.fenced.store(false, Ordering::SeqCst);
        self.lease.take(&*self.objects, info, patience).await.map_err(|refusal| match refusal {
            Refusal::Held(info) => StateError::Locked { place: self.objects.place(), holder: info.to_string(), lease: info.id },
            Refusal::Store(error) => self.io("locked", error),
        })
    }

    /// Gives the lease back, once everything that is known is on record.
    pub(super) async fn give_back(&self) {
        self.forget_ahead();
        // Records that came after the last save, if a save failed: the next runner folds them.
        let _ = self.flush_pending().await;
        let trial = self.trial().take();
        if let Some(trial) = trial {
            // It takes its object away.
            let _ = trial.await;
        }
        tokio::join!(self.end_chores(), self.lease.release(&*self.objects));
    }

    /// Makes everything durable that waits to be.
    pub(super) async fn flush_pending(&self) -> Result<(), StateError> {
        let mut position = self.position.lock().await;
        let in_doubt = position.as_ref().is_some_and(|position| position.log.is_in_doubt());
        if self.waiting().is_empty() && !in_doubt {
            // Somebody else's flush may have taken ours along, and failed.
            return self.lease.standing().map_err(|why| self.lost(why));
        }
        self.write_segment(&mut position).await?;
        self.make_room(&mut position);
        Ok(())
    }

    /// Whether something may be sent on the strength of the lease: once it is surely ours, and the journal too.
    pub(super) async fn may_send(&self) -> Result<(), String> {
        let mut position = self.position.lock().await;
        if !self.is_fenced() {
            self.write_segment(&mut position).await.map_err(|error| error.to_string())?;
        }
        drop(position);
        self.lease.ensure(&*self.objects).await.map(drop)
    }

    /// Writes the next segment with whatever waits, also nothing.
    pub(super) async fn write_segment(&self, position: &mut Option<Position>) -> Result<(), StateError> {
        let lease = self.lease.ensure(&*self.objects).await.map_err(|why| self.lost(why))?;
        let position = position.as_mut().ok_or_else(|| self.lost("it was not read before it was written".to_owned()))?;
        let records = || std::mem::take(&mut *self.waiting());
        let goes_on = || self.lease.standing().is_ok();
        let stamina = Stamina { limit: Duration::from_secs(self.settings.lease_seconds), goes_on: &goes_on };
        match position.log.write(&*self.objects, &lease, records, stamina).await {
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
                    Trouble::Records(why) => {
                        // They are gone: also those of whoever did not wait for an answer, who is told with the next word.
                        self.lease.lose(format!("the journal could not be written: {why}"));
                        return Err(StateError::Unwritable { place: self.objects.place(), why });
                    }
                };
                // From here on nothing is certain: this writer is done, the next one reads what is there.
                self.lease.lose(why.clone());
                Err(self.lost(why))
            }
        }
    }
}
