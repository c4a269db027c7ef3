//! What a run puts on record, and who waits for it.

use tokio::sync::oneshot;
use tokio::task::{Id, JoinError};

use super::{Failure, Run};
use crate::apply::scheduler::Index;
use crate::apply::step::{creates, renames};
use crate::plan::acts::Part;
use crate::plan::{Action, Step};
use crate::state::{Appending, Flush, Record, StateError};

/// Who waits for a flush of the journal.
#[derive(Default)]
pub(super) struct Waiters {
    /// Steps whose intents it writes.
    pub(super) steps: Vec<Index>,
    /// Steps that are under way.
    pub(super) answers: Vec<oneshot::Sender<bool>>,
}

impl Run<'_> {
    /// The intents of a whole ready set, in one flush, before any of its creates is sent. The rest of the set is cleared.
    pub(super) fn write_intents(&mut self, set: Vec<Index>) {
        let intent = |index: &Index| {
            let (step, part) = (self.step(*index), self.acts[*index].part);
            let kind = self.session.registry.get(&step.kind)?;
            // A replacement's intent goes on record once the old object is gone.
            let wanted = part != Part::Delete && ((creates(step) && step.action != Action::Replace) || renames(kind, step));
            wanted.then(|| Record::Intent { address: step.address.clone(), intent: self.shared.intent(kind, step) })
        };
        let (mut records, mut steps, mut others) = (vec![], vec![], vec![]);
        for index in set {
            match intent(&index) {
                Some(record) => {
                    records.push(record);
                    steps.push(index);
                }
                None => others.push(index),
            }
        }
        self.scheduler.clear(&others);
        if !records.is_empty() {
            self.flush(records, Waiters { steps, ..Waiters::default() });
        }
    }

    /// Puts records into the journal for those who wait until they are durable.
    pub(super) fn flush(&mut self, records: Vec<Record>, waiters: Waiters) {
        if self.journal.is_ok() {
            match self.session.store.begin_append(&records) {
                Appending::Done(done) => self.journal = done,
                Appending::UnderWay(writing) => {
                    let id = self.flushes.spawn(writing).id();
                    self.waiters.insert(id, waiters);
                    self.remember(records);
                    return;
                }
            }
        }
        self.remember(records);
        self.release(waiters);
    }

    pub(super) fn flushed(&mut self, flushed: Result<(Id, Result<(), StateError>), JoinError>) {
        let id = flushed.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(waiters) = self.waiters.remove(&id) else { return };
        let written = match flushed {
            Ok((_, written)) => written,
            Err(defect) => Err(StateError::Lost { place: self.session.store.place(), why: defect.to_string() }),
        };
        if self.journal.is_ok() {
            self.journal = written;
        }
        let failed = self.journal.is_err();
        self.release(waiters);
        if failed {
            // They are told so, each by name, before everything else is skipped.
            self.start_what_is_ready();
        }
    }

    pub(super) fn release(&mut self, waiters: Waiters) {
        self.scheduler.clear(&waiters.steps);
        for answer in waiters.answers {
            // A step that was aborted does not listen any more.
            let _ = answer.send(self.journal.is_ok());
        }
    }

    /// Puts records into the journal that need not be durable at once. They are kept for the fold in any case: the object is
    /// there even if the journal is full.
    pub(super) fn append(&mut self, records: Vec<Record>) {
        if self.journal.is_ok() {
            self.journal = self.session.store.append(&records, Flush::Later);
        }
        self.remember(records);
    }

    fn remember(&mut self, records: Vec<Record>) {
        for record in &records {
            match record {
                Record::Intent { address, .. } => self.open_intents.insert(address.clone()),
                Record::Put { address, .. } | Record::Withdrawn { address } | Record::Removed { address } => {
                    self.open_intents.remove(address)
                }
                Record::Begin { .. } | Record::Moved { .. } | Record::End => false,
            };
        }
        self.records.extend(records);
    }

    /// Why nothing more is carried out, where the journal says so.
    pub(super) fn unrecorded(&self) -> &'static str {
        if matches!(self.journal, Err(StateError::Lost { .. })) {
            "the lease of the state is lost"
        } else {
            "the journal cannot be written"
        }
    }

    pub(super) fn unwritten(&self, step: &Step) -> Failure {
        let help = match &self.journal {
            Err(error @ StateError::Lost { .. }) => error.help(),
            _ => vec!["mend the place of the state, then apply again".to_owned()],
        };
        Failure { error: None, message: format!("{} was not carried out: {}", step.address, self.unrecorded()), help }
    }
}
