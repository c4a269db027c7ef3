//! How acts and steps end: what is told of them, and what is not tried because of it.

use super::{Event, Failure, Outcome, Run, StepResult, millis_since};
use crate::apply::Half;
use crate::apply::scheduler::{End, Index, Skip};
use crate::client::ApiErrorKind;
use crate::plan::acts::{Part, parts};
use crate::plan::{Action, Step};
use crate::state::Record;

/// How an act ended.
pub(super) struct Ended {
    pub(super) id: Option<String>,
    pub(super) outcome: Outcome,
    pub(super) millis: u64,
    pub(super) requests: u32,
    pub(super) half: Option<Half>,
}

impl Ended {
    pub(super) fn of(outcome: Outcome) -> Self {
        Self { id: None, outcome, millis: 0, requests: 0, half: None }
    }
}

impl Run<'_> {
    /// An act ended: its step, too, unless another half of it is to come.
    pub(super) fn finish(&mut self, index: Index, mut ended: Ended) {
        let tokenless = is_tokenless(&ended.outcome);
        let end = if ended.outcome == Outcome::Done { End::Done } else { End::Failed };
        let skipped = self.scheduler.finish(index, end);
        let (at, step) = (self.acts[index].step, self.step(index));
        let began = self.began.remove(&index).unwrap_or_else(|| self.session.outside.now());
        ended.millis = millis_since(began, self.session.outside.now());
        if let Some(first) = self.halves.remove(&at) {
            (ended.millis, ended.requests) = (ended.millis + first.millis, ended.requests + first.requests);
            ended.half = (end == End::Failed).then(|| first_half(step));
            ended.id = ended.id.or(first.id);
        }
        let is_first = parts(step).len() > 1 && self.acts.get(index + 1).is_some_and(|next| next.step == at);
        match (is_first && end == End::Done, self.cut.remove(&at)) {
            (true, None) => drop(self.halves.insert(at, ended)),
            (true, Some(because)) => {
                let outcome = Outcome::Halfway { done: first_half(step), because };
                self.tell(at, Ended { outcome, half: None, ..ended });
            }
            // Steps that do nothing have no result unless it is a failure.
            (false, _) if step.action != Action::None || end == End::Failed => self.tell(at, ended),
            (false, _) => {}
        }
        self.skip(skipped);
        if tokenless && !self.without_token {
            self.without_token = true;
            let skipped = self.scheduler.stop();
            self.skip(skipped);
        }
    }

    /// The result of a step.
    fn tell(&mut self, at: usize, ended: Ended) {
        let step = &self.plan.steps[at];
        let Ended { id, outcome, millis, requests, half } = ended;
        let half = half.filter(|_| outcome != Outcome::Done);
        let result = StepResult { address: step.address.clone(), action: step.action, id, outcome, millis, requests, half };
        (self.session.events)(&Event::Ended(result.clone()));
        self.results.insert(at, result);
    }

    /// What is not tried.
    pub(super) fn skip(&mut self, skipped: Vec<Skip>) {
        let mut withdrawn = vec![];
        for Skip { index, needs } in skipped {
            let (at, step) = (self.acts[index].step, self.step(index));
            let because = match needs {
                Some(needs) => format!("needs {}", self.step(needs).address),
                None if self.journal.is_err() => self.unrecorded().to_owned(),
                None if self.without_token => "there is no token any more".to_owned(),
                None => "interrupted".to_owned(),
            };
            let is_second = index > 0 && self.acts[index - 1].step == at;
            if is_second && self.began.contains_key(&(index - 1)) {
                // What its first half has begun comes to its own end.
                self.cut.insert(at, because);
                continue;
            }
            if step.action == Action::None || self.results.contains_key(&at) {
                continue;
            }
            if self.open_intents.contains(&step.address) {
                withdrawn.push(Record::Withdrawn { address: step.address.clone() });
            }
            let ended = match self.halves.remove(&at) {
                Some(first) => Ended { outcome: Outcome::Halfway { done: first_half(step), because }, half: None, ..first },
                None => Ended { id: step.id.clone(), ..Ended::of(Outcome::Skipped { because }) },
            };
            self.tell(at, ended);
        }
        if !withdrawn.is_empty() {
            self.append(withdrawn);
        }
    }
}

/// What the first half of a replacement in halves does.
fn first_half(step: &Step) -> Half {
    match parts(step) {
        [Part::Delete, ..] => Half::Deleted,
        _ => Half::Made,
    }
}

/// Whether a step failed because there is no token. (A single 401 is no such thing: there are interfaces that say so of a
/// missing right.)
fn is_tokenless(outcome: &Outcome) -> bool {
    let Outcome::Failed(Failure { error: Some(error), .. }) = outcome else { return false };
    error.kind == ApiErrorKind::Unauthenticated && error.status.is_none()
}
