//! The driver: starts what the scheduler says, keeps the journal, and folds it into the state at the end.
//!
//! Steps run as tasks of their own; everything that is written goes through here, so that what several of them have to
//! put on record at the same moment is one write and at most one flush. Where a flush takes a while, nobody waits for it but
//! those whose records it writes: a create for its intent, a step for the id that its next call needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::{Id, JoinError, JoinSet};

use super::either::either;
use super::known::Known;
use super::readable;
use super::scheduler::{Index, Scheduler};
use super::step::{Message, Running, Shared};
use super::{ApplyError, Event, Failure, Outcome, Plan, Report, Session, StepResult};
use crate::kinds::{Kind, Schema};
use crate::model::{Address, Map, Value};
use crate::plan::acts::{Act, acts};
use crate::plan::{Action, Pinning, Step};
use crate::state::{Document, Entry, Flush, Note, Record, StateError, Status, fold, new_lineage};

mod ended;
mod record;

use ended::Ended;
use record::Waiters;

/// How often the wish to stop is looked at while nothing happens.
const TICK: Duration = Duration::from_millis(50);

/// Carries out a plan.
///
/// # Errors
/// [`ApplyError`]; failures of steps are in the report.
pub async fn apply(plan: &Plan, session: Session<'_>) -> Result<Report, ApplyError> {
    if plan.is_blocked() {
        return Err(ApplyError::Blocked);
    }
    let Document { lineage, serial, .. } = &session.state;
    if plan.lineage != *lineage || plan.serial != *serial {
        return Err(ApplyError::Stale { planned: plan.serial, found: *serial });
    }
    readable::check(plan, session.outside).map_err(|problems| ApplyError::Secrets { problems })?;
    let began = session.outside.now();
    let requests = session.client.requests();
    let mut run = Run::new(plan, &session);
    if run.has_work() {
        run.begin()?;
        run.carry_out().await;
        run.end()?;
    }
    let Run { results, state, interrupted, .. } = run;
    Ok(Report {
        results: results.into_values().collect(),
        state,
        interrupted,
        requests: session.client.requests() - requests,
        millis: millis_since(began, session.outside.now()),
    })
}

/// One run.
struct Run<'a> {
    plan: &'a Plan,
    session: &'a Session<'a>,
    shared: Arc<Shared>,
    messages: UnboundedReceiver<Message>,
    /// What is carried out, in the scheduler's order.
    acts: Vec<Act>,
    scheduler: Scheduler,
    tasks: JoinSet<Ended>,
    indexes: BTreeMap<Id, Index>,
    /// Flushes of the journal that are under way.
    flushes: JoinSet<Result<(), StateError>>,
    waiters: BTreeMap<Id, Waiters>,
    began: BTreeMap<Index, Timestamp>,
    /// First halves of replacements that are done, by the step: what they took.
    halves: BTreeMap<usize, Ended>,
    /// Second halves that are not tried although the first is under way, by the step: why.
    cut: BTreeMap<usize, String>,
    /// What an earlier apply began, as this one put it on record.
    found: BTreeMap<Address, Entry>,
    /// Everything put on record, for the fold at the end.
    records: Vec<Record>,
    /// Intents of this run whose create was not settled yet (older ones are not ours to withdraw).
    open_intents: BTreeSet<Address>,
    journal: Result<(), StateError>,
    /// By the step.
    results: BTreeMap<usize, StepResult>,
    state: Document,
    interrupted: bool,
    /// No token is to be had any more: what has not started is not tried.
    without_token: bool,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, session: &'a Session<'a>) -> Self {
        let (driver, messages) = unbounded_channel();
        let acts = acts(&plan.steps.iter().collect::<Vec<_>>());
        let shared = Shared {
            client: session.client.clone(),
            outside: session.outside.clone(),
            known: Known::of(plan, &session.state, session.registry),
            caller: session.caller.clone(),
            environment: plan.environment.clone(),
            leave: session.store.leave(),
            driver,
            birth: std::sync::OnceLock::new(),
            secrets: std::sync::Mutex::default(),
        };
        Self {
            plan,
            session,
            shared: Arc::new(shared),
            messages,
            scheduler: Scheduler::new(acts.iter().map(|act| &act.after), session.parallelism),
            acts,
            tasks: JoinSet::new(),
            indexes: BTreeMap::new(),
            flushes: JoinSet::new(),
            waiters: BTreeMap::new(),
            began: BTreeMap::new(),
            halves: BTreeMap::new(),
            cut: BTreeMap::new(),
            found: BTreeMap::new(),
            records: vec![],
            open_intents: BTreeSet::new(),
            journal: Ok(()),
            results: BTreeMap::new(),
            state: session.state.clone(),
            interrupted: false,
            without_token: false,
        }
    }

    /// Whether anything is to be sent or written.
    fn has_work(&self) -> bool {
        self.plan.pinning != Pinning::Stays
            || self.plan.steps.iter().any(|step| step.action != Action::None || self.bookkeeping(step).is_some())
    }

    /// The record of a step that sends nothing: what the state should say and does not.
    fn bookkeeping(&self, step: &Step) -> Option<Record> {
        let address = step.address.clone();
        match &step.entry {
            None if step.action != Action::None => Some(Record::Removed { address }),
            None => None,
            Some(entry) => {
                let before = self.prior(step);
                let mut entry = entry.clone();
                if entry.id.is_empty() {
                    entry.id = step.id.clone().or_else(|| before.map(|b| b.id.clone()))?;
                }
                let complete = !entry.applied.has_unknown() && !entry.applied.has_secret();
                let open = self.state.open_intents.contains_key(&address);
                (complete && (open || self.state.resources.get(&address) != Some(&entry)))
                    .then(|| Record::Put { address, entry: Box::new(entry) })
            }
        }
    }

    /// What the state says of a step's object: under its own address, or under the one it moves from.
    fn prior(&self, step: &Step) -> Option<&Entry> {
        let moved = step.moved_from.as_ref().and_then(|from| self.state.resources.get(from));
        self.found.get(&step.address).or(moved).or_else(|| self.state.resources.get(&step.address))
    }

    /// Opens the journal. The moves come first and all at once.
    fn begin(&mut self) -> Result<(), StateError> {
        if self.state.lineage.is_empty() {
            self.state.lineage = new_lineage(self.session.outside);
        }
        self.shared.birth.get_or_init(|| format!("{}/{}", self.state.lineage, self.state.serial));
        if self.state.serial == 0 && !self.session.store.is_there()? {
            // A journal belongs to a document: the first one is there before anything is recorded.
            self.session.store.save(&self.state, self.session.operation)?;
        }
        let mut records = vec![Record::Begin {
            lineage: self.state.lineage.clone(),
            serial: self.state.serial,
            workspace: self.plan.workspace.clone(),
            commit: self.session.commit.clone(),
            pinned: self.plan.pinning.after(self.state.pinned.as_ref()),
            note: self.session.store.noted(),
        }];
        let moves: Vec<(Address, Address)> =
            self.plan.steps.iter().filter_map(|s| Some((s.moved_from.clone()?, s.address.clone()))).collect();
        if !moves.is_empty() {
            records.push(Record::Moved { moves });
        }
        self.found = self.plan.steps.iter().filter_map(|step| Some((step.address.clone(), self.begun(step)?))).collect();
        let put = |(address, entry): (&Address, &Entry)| Record::Put { address: address.clone(), entry: Box::new(entry.clone()) };
        records.extend(self.found.iter().map(put));
        self.session.store.append(&records, Flush::Later)?;
        self.records = records;
        Ok(())
    }

    /// What an earlier apply began and the plan has found is on record before anything is sent: an intent knows it only by the
    /// name that it got, and that may change with this plan, by its own step or with what it is in.
    fn begun(&self, step: &Step) -> Option<Entry> {
        let keeps = matches!(step.action, Action::Update | Action::Adopt | Action::Replace | Action::ReplaceNewFirst);
        let id = step.id.clone().filter(|id| keeps && !id.is_empty())?;
        let entry = step.entry.as_ref().filter(|entry| !entry.adopted)?;
        let intent = self.state.open_intents.get(step.moved_from.as_ref().unwrap_or(&step.address))?;
        if step.address.is_facet() {
            return None;
        }
        if let Some(prior) = self.prior(step) {
            // Renamed, or made in its place: under the name that the state has there is nothing any more.
            let root = Schema::of(self.session.registry.get(&step.kind)?).root();
            let applied = intent.applied.clone().map_or(prior.applied.clone(), |sent| either(Some(root), &prior.applied, sent));
            return (prior.id != id).then(|| Entry { id, status: Status::Incomplete, applied, ..prior.clone() });
        }
        // An intent does not say what its object is in: everything of a parent's kind may be, and goes after it.
        let kind = self.session.registry.get(&step.kind)?;
        let around = self.state.resources.keys().filter(|held| kind.parents.iter().any(|parent| parent.kind == held.kind));
        let dependencies: BTreeSet<Address> = around.filter(|held| !held.is_facet()).chain(&entry.dependencies).cloned().collect();
        Some(Entry {
            id,
            dependencies: dependencies.into_iter().collect(),
            status: Status::Incomplete,
            applied: intent.applied.clone().unwrap_or_else(|| Value::Map(Map::new())),
            etag: None,
            former: None,
            protected: false,
            tag: intent.tag.clone(),
            deposed: vec![],
            made_by: Some(intent.caller.clone()).filter(|caller| !caller.is_empty()),
            called: None,
            ..entry.clone()
        })
    }

    async fn carry_out(&mut self) {
        let mut tick = tokio::time::interval(TICK);
        loop {
            self.start_what_is_ready();
            if self.scheduler.is_over() {
                break;
            }
            if self.scheduler.running() == 0 && self.flushes.is_empty() {
                let stuck = self.scheduler.stuck();
                self.skip(stuck);
                continue;
            }
            tokio::select! {
                biased;
                Some(message) = self.messages.recv() => self.hear(message),
                Some(flushed) = self.flushes.join_next_with_id() => self.flushed(flushed),
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                _ = tick.tick() => {}
            }
            while let Some(ended) = self.tasks.try_join_next_with_id() {
                self.ended(ended);
            }
            if !self.look_at_stop() {
                break;
            }
        }
        while let Ok(message) = self.messages.try_recv() {
            self.hear(message);
        }
    }

    /// Gives whether to go on.
    fn look_at_stop(&mut self) -> bool {
        let level = self.session.stop.load(Ordering::Relaxed);
        if self.journal.is_ok() {
            // Whoever lost the lock of the state sends nothing more, also if there is nothing to record just now.
            self.journal = self.session.store.standing();
        }
        if (level > 0 || self.journal.is_err()) && !self.interrupted {
            self.interrupted = level > 0;
            let skipped = self.scheduler.stop();
            self.skip(skipped);
        }
        if level < 2 {
            return true;
        }
        self.tasks.abort_all();
        for index in std::mem::take(&mut self.indexes).into_values() {
            let failure = Failure {
                error: None,
                message: format!("{} was stopped while it was carried out", self.step(index).address),
                help: vec!["apply again: what had been sent is looked up first, nothing is created twice".to_owned()],
            };
            self.finish(index, Ended::of(Outcome::Failed(failure)));
        }
        false
    }

    fn start_what_is_ready(&mut self) {
        loop {
            let set = self.scheduler.admit();
            self.write_intents(set);
            let mut instant = false;
            while let Some(index) = self.scheduler.start() {
                instant |= self.start(index);
            }
            if !instant {
                return;
            }
        }
    }

    /// Starts a step. Gives whether it is over at once, because it sends nothing.
    fn start(&mut self, index: Index) -> bool {
        let step = self.step(index);
        self.began.insert(index, self.session.outside.now());
        if step.action != Action::None && !self.halves.contains_key(&self.acts[index].step) {
            (self.session.events)(&Event::Started { address: step.address.clone(), action: step.action });
        }
        if self.journal.is_err() {
            self.finish(index, Ended::of(Outcome::Failed(self.unwritten(step))));
            return true;
        }
        let Some(kind) = self.session.registry.get(&step.kind) else {
            let message = format!("{}: this Brickform does not know the kind `{}`", step.address, step.kind);
            self.finish(index, Ended::of(Outcome::Failed(Failure { error: None, message, help: vec![] })));
            return true;
        };
        let filled = step.entry.as_ref().is_none_or(|e| !e.applied.has_unknown() && !e.applied.has_secret());
        if step.calls.is_empty() && step.delete_calls.is_empty() && filled {
            let records: Vec<Record> = self.bookkeeping(step).into_iter().collect();
            if !records.is_empty() {
                self.append(records);
            }
            let outcome = if self.journal.is_ok() { Outcome::Done } else { Outcome::Failed(self.unwritten(step)) };
            self.finish(index, Ended { id: step.id.clone(), ..Ended::of(outcome) });
            return true;
        }
        self.spawn(index, step, kind);
        false
    }

    fn spawn(&mut self, index: Index, step: &Step, kind: &'static Kind) {
        let part = self.acts[index].part;
        let mut running = Running::new(&self.shared, step, kind, self.prior(step).cloned());
        // The second half goes on from what the first put on record.
        let second = self.halves.contains_key(&self.acts[index].step);
        let made = self.records.iter().rev().filter(|_| second).find_map(|record| match record {
            Record::Put { address, entry } if *address == step.address => Some((**entry).clone()),
            _ => None,
        });
        let task = self.tasks.spawn(async move {
            let outcome = match running.run(part, made).await {
                Ok(()) => Outcome::Done,
                Err(failure) => Outcome::Failed(failure),
            };
            Ended { id: running.id.as_ref().map(super::identity::text), outcome, millis: 0, requests: running.requests, half: running.half }
        });
        self.indexes.insert(task.id(), index);
    }

    fn hear(&mut self, message: Message) {
        let (mut all, mut answers, mut flush) = (vec![], vec![], Flush::Later);
        let mut next = Some(message);
        while let Some(message) = next {
            match message {
                Message::Event(event) => (self.session.events)(&event),
                Message::Record(records, wanted, answer) => {
                    all.extend(records);
                    answers.push(answer);
                    if wanted == Flush::Now {
                        flush = Flush::Now;
                    }
                }
            }
            next = self.messages.try_recv().ok();
        }
        if all.is_empty() {
            return;
        }
        if flush == Flush::Now {
            self.flush(all, Waiters { answers, ..Waiters::default() });
        } else {
            self.append(all);
            self.release(Waiters { answers, ..Waiters::default() });
        }
    }

    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(index) = self.indexes.remove(&id) else { return };
        if let Ok((_, result)) = ended {
            self.finish(index, result);
            return;
        }
        let failure = Failure {
            error: None,
            message: format!("{} ended in a defect of Brickform", self.step(index).address),
            help: vec!["please report it; apply again: what had been sent is looked up first".to_owned()],
        };
        self.finish(index, Ended::of(Outcome::Failed(failure)));
    }

    /// The step of an act.
    fn step(&self, index: Index) -> &'a Step {
        &self.plan.steps[self.acts[index].step]
    }

    /// Folds what was recorded and saves it.
    fn end(&mut self) -> Result<(), StateError> {
        self.append(vec![Record::End]);
        self.state = fold(self.state.clone(), &self.records);
        if let Some(mut note) = self.session.store.noted() {
            let of = |result: &StepResult| match result.outcome {
                Outcome::Done => None,
                Outcome::Failed(_) => Some(Note::MISSED[0]),
                Outcome::Halfway { .. } => Some(Note::MISSED[1]),
                Outcome::Skipped { .. } => Some(Note::MISSED[2]),
            };
            for missed in self.results.values().filter_map(of) {
                *note.counts.entry(missed.to_owned()).or_default() += 1;
            }
            self.session.store.annotate(note);
        }
        self.session.store.save(&self.state, self.session.operation)
    }
}

fn millis_since(began: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.duration_since(began).as_millis()).unwrap_or(0)
}
