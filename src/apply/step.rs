//! One step: its calls in order, each filled just before it is sent, its waits, and what goes on record after each.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::either::either;
use super::known::{Known, Secrets, Still, Values, check_again, fill_body};
use super::wait::waiter;
use super::{Event, Failure, Half, identity};
use crate::client::{ApiError, Client};
use crate::kinds::{After, Call, Kind, Lifetime, Repeat, Schema};
use crate::model::{Address, Fingerprint, Outside, Scrubber, Value};
use crate::plan::acts::Part;
use crate::plan::{Action, Step};
use crate::state::{Entry, Flush, Intent, Leave, Record, Status};

mod etag;
mod failing;
mod sending;
mod unguarded;

/// What steps tell the driver while they run.
pub enum Message {
    /// Puts records into the journal; answers whether that succeeded.
    Record(Vec<Record>, Flush, oneshot::Sender<bool>),
    /// Something happened.
    Event(Box<Event>),
}

/// What all steps of a run share.
pub struct Shared {
    /// The workspace.
    pub client: Client,
    /// Clock and secrets.
    pub outside: Outside,
    /// What earlier steps left behind.
    pub known: Known,
    /// Who applies.
    pub caller: String,
    /// Where.
    pub environment: String,
    /// Whether anything may be sent: not after the lock of the state was lost.
    pub leave: Leave,
    /// To the driver.
    pub driver: mpsc::UnboundedSender<Message>,
    /// Lineage and serial of the state that this run goes on from, once the journal is open: ids that we choose follow from
    /// them, so that no other run chooses the same again (one that lies in the trash may still be taken).
    pub birth: std::sync::OnceLock<String>,
    /// What was secret in anything that this run sent: none of it may come back in the server's words, whichever request it
    /// answers.
    pub secrets: Mutex<Scrubber>,
}

impl Shared {
    /// Takes note of what is about to be sent.
    pub fn learn(&self, secrets: &Secrets) {
        let mut known = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.texts().for_each(|text| known.learn(text));
    }

    /// The server's words without anything secret.
    #[must_use]
    pub fn scrub(&self, text: String) -> String {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).scrub(text)
    }

    /// An error without anything secret.
    #[must_use]
    pub fn scrubbed(&self, error: ApiError) -> ApiError {
        let (message, code) = (self.scrub(error.message), self.scrub(error.code));
        ApiError { message, code, request_id: error.request_id.map(|id| self.scrub(id)), ..error }
    }

    /// Says that a step waits for its object.
    pub fn waits(&self, address: &Address, state: &str) {
        let state = self.scrub(state.to_owned());
        let _ = self.driver.send(Message::Event(Box::new(Event::Waiting { address: address.clone(), state })));
    }

    /// The id that this run chooses for an object of a kind whose maker picks ids, and the parameter that takes it: the first
    /// 32 hexadecimal digits of the SHA-256 of `LINEAGE/SERIAL/ADDRESS`.
    #[must_use]
    pub fn chosen_id(&self, kind: &Kind, address: &Address) -> Option<(&'static str, String)> {
        let mut id = Fingerprint::of(format!("{}/{address}", self.birth.get()?).as_bytes()).0;
        id.truncate(32);
        Some((kind.chosen_id?, id))
    }

    /// The record of a create that is about to be sent.
    #[must_use]
    pub fn intent(&self, kind: &Kind, step: &Step) -> Intent {
        let desired = step.desired.as_ref();
        Intent {
            kind: kind.name.to_owned(),
            natural: kind.natural.fields.iter().map(|f| desired.and_then(|d| d.get(f)).map(Value::key_text).unwrap_or_default()).collect(),
            tag: match self.chosen_id(kind, &step.address) {
                Some((_, id)) if step.calls.iter().any(|call| chooses(kind, call)) => Some(id),
                _ => step.entry.as_ref().and_then(|e| e.tag.clone()),
            },
            replaces: match step.action {
                Action::Replace | Action::ReplaceNewFirst => step.id.iter().cloned().collect(),
                _ => vec![],
            },
            server_seconds: self.client.server_seconds(),
            caller: self.caller.clone(),
            applied: step.entry.as_ref().map(|entry| as_far_as_known(&entry.applied)),
        }
    }
}

/// Whether a step has a create that must not be sent twice blindly.
#[must_use]
pub fn creates(step: &Step) -> bool {
    step.calls.iter().any(|call| call.repeat == Repeat::AfterLookup)
}

/// Whether a call makes an object of a kind whose maker picks ids.
#[must_use]
pub fn chooses(kind: &Kind, call: &Call) -> bool {
    kind.chosen_id.is_some() && call.repeat == Repeat::AfterLookup && kind.create.is_some_and(|create| create.op == call.op)
}

/// Whether a step changes the name that its object is known by: after a cut nobody knows under which name it is.
#[must_use]
pub fn renames(kind: &Kind, step: &Step) -> bool {
    step.action == Action::Update && step.entry.is_some() && !step.calls.is_empty() && identity::renamed(kind, step)
}

/// A step that is being carried out.
pub struct Running {
    /// What all share.
    pub shared: Arc<Shared>,
    /// The step.
    pub step: Step,
    /// Its kind.
    pub kind: &'static Kind,
    /// The state's entry of the address before this run.
    pub prior: Option<Entry>,
    /// The object's id, as soon as it has one.
    pub id: Option<Value>,
    /// Requests sent so far.
    pub requests: u32,
    /// How many deletes were answered.
    deleted: usize,
    /// What of a replacement is done.
    pub half: Option<Half>,
    /// What the state says while the old object of a replacement is gone and the new one not made.
    gone: Option<Entry>,
    etag: Option<String>,
    called: Called,
}

/// What the last reply called the object.
enum Called {
    /// No reply named it yet.
    Unsaid,
    /// As it was asked for.
    AsAsked,
    /// By another name.
    Otherwise(String),
}

impl Running {
    /// A step that has not sent anything yet.
    #[must_use]
    pub fn new(shared: &Arc<Shared>, step: &Step, kind: &'static Kind, prior: Option<Entry>) -> Self {
        let (prior, id) = if step.action == Action::Create {
            // Whatever was there before is gone.
            shared.known.remove(&step.address);
            (None, None)
        } else {
            (prior, shared.known.id(&step.address).or_else(|| step.id.as_deref().map(Value::from)))
        };
        Self {
            shared: Arc::clone(shared),
            step: step.clone(),
            kind,
            prior,
            id,
            requests: 0,
            deleted: 0,
            half: None,
            gone: None,
            etag: None,
            called: Called::Unsaid,
        }
    }

    /// Carries out this part of it. `made`: of a second half, the entry that the first one put on record.
    ///
    /// # Errors
    /// What failed, and what to do next. What did succeed is on record.
    pub async fn run(&mut self, part: Part, made: Option<Entry>) -> Result<(), Failure> {
        let mut step = self.step.clone();
        if part == Part::Delete {
            return match step.action {
                Action::Replace => self.take_away(&step).await,
                _ => self.let_go(&step, made).await,
            };
        }
        let (entry, still) = self.prepare(&step).await?;
        if still == Still::Nothing {
            // Only the record is brought up to date.
            step.calls.clear();
        }
        match (step.action, entry) {
            // Deleted, or put back as it was before: the state holds it no more.
            (_, None) => {
                if step.action == Action::Delete {
                    self.still_as_read("delete").await?;
                }
                self.unmake(&step.calls).await?;
                self.delete(&step.calls).await?;
                self.delete(&step.delete_calls).await?;
                self.shared.known.remove(&step.address);
                self.record(vec![Record::Removed { address: step.address.clone() }], Flush::Later).await
            }
            (Action::Replace, Some(entry)) => {
                if part == Part::Whole {
                    self.take_away(&step).await?;
                }
                self.gone = self.prior.clone().map(unmade);
                let mut records = vec![Record::Removed { address: step.address.clone() }];
                if creates(&step) {
                    records.push(Record::Intent { address: step.address.clone(), intent: self.shared.intent(self.kind, &step) });
                }
                self.record(records, Flush::Now).await?;
                self.prior = None;
                self.id = None;
                let sent = self.send_all(&step.calls, &entry, Status::Ok).await;
                sent.map_err(|failure| self.not_made_again(failure))
            }
            (_, Some(entry)) if step.delete_calls.is_empty() => self.send_all(&step.calls, &entry, Status::Ok).await,
            (_, Some(entry)) => {
                // The new object first; until the old one is deleted its id is kept on record.
                let mut between = entry.clone();
                let old = self.prior.as_ref().filter(|p| creates(&step) && !p.id.is_empty()).map(|p| p.id.clone());
                between.deposed.extend(old);
                if step.action == Action::ReplaceNewFirst {
                    self.still_as_read("create").await?;
                }
                self.send_all(&step.calls, &between, Status::Incomplete).await?;
                self.half = creates(&step).then_some(Half::Made);
                if part == Part::Make {
                    return Ok(());
                }
                self.delete(&step.delete_calls).await?;
                self.put(&entry, Status::Ok, Flush::Later).await
            }
        }
    }

    /// Deletes the old object of a replacement. From before it is sent until the new one is made the state says that this was
    /// our doing.
    async fn take_away(&mut self, step: &Step) -> Result<(), Failure> {
        self.still_as_read("delete").await?;
        if let Some(prior) = self.prior.clone() {
            let comes_along = !self.kind.born_with.is_empty();
            let entry = Box::new(unmade(prior));
            let flush = if comes_along { Flush::Now } else { Flush::Later };
            self.record(vec![Record::Put { address: step.address.clone(), entry }], flush).await?;
        }
        let before = self.deleted;
        if let Err(failure) = self.delete(&step.delete_calls).await {
            let refused = failure.error.as_ref().is_some_and(|error| !error.may_have_happened && error.tries <= 1);
            if let Some(prior) = self.prior.clone().filter(|_| refused && self.deleted == before) {
                // Nothing of it is gone.
                self.record(vec![Record::Put { address: step.address.clone(), entry: Box::new(prior) }], Flush::Later).await?;
            }
            return Err(failure);
        }
        self.half = Some(Half::Deleted);
        self.id = None;
        self.shared.known.remove(&step.address);
        Ok(())
    }

    /// Deletes the old object of a replacement whose new one was made by its first half, which left this on record.
    async fn let_go(&mut self, step: &Step, made: Option<Entry>) -> Result<(), Failure> {
        self.id = step.id.as_deref().map(Value::from);
        self.delete(&step.delete_calls).await?;
        let Some(made) = made else { return Ok(()) };
        self.id = Some(made.id.as_str().into());
        let entry = Entry { status: Status::Ok, before: None, deposed: vec![], ..made };
        self.record(vec![Record::Put { address: step.address.clone(), entry: Box::new(entry) }], Flush::Later).await
    }

    /// A failure after the old object was deleted.
    fn not_made_again(&mut self, mut failure: Failure) -> Failure {
        self.half = Some(Half::Deleted);
        let may_be_there = self.id.is_some() || failure.error.as_ref().is_some_and(|error| error.may_have_happened);
        if !may_be_there {
            failure.help.insert(0, "the old one is deleted, and the new one is not made: the next apply makes it".to_owned());
        }
        failure
    }

    /// The record that a create certainly did not happen: what the state said before stands again.
    fn withdrawn(&self) -> Record {
        let address = self.step.address.clone();
        match &self.gone {
            Some(entry) => Record::Put { address, entry: Box::new(entry.clone()) },
            None => Record::Withdrawn { address },
        }
    }

    /// Checks the step with what is known now, and fills what its entry will hold, before anything is sent.
    async fn prepare(&mut self, step: &Step) -> Result<(Option<Entry>, Still), Failure> {
        let mut inside: Vec<&Value> = step.desired.iter().chain(step.entry.iter().map(|e| &e.applied)).collect();
        inside.extend(step.changes.iter().filter_map(|c| c.new.as_ref()));
        let values = self.values(&inside).await?;
        let still = check_again(self.kind, step, &values).map_err(|why| self.refused(&why))?;
        let Some(mut entry) = step.entry.clone() else { return Ok((None, still)) };
        let applied = fill_body(self.kind, &entry.applied, &values);
        entry.applied = applied.map_err(|why| self.refused(&why))?;
        if let Some(desired) = &step.desired {
            let desired = fill_body(self.kind, desired, &values).map_err(|why| self.refused(&why))?;
            if entry.id.is_empty() || identity::renamed(self.kind, step) {
                entry.id = identity::named(self.kind, &desired).unwrap_or(entry.id);
            }
            self.step.desired = Some(desired);
        }
        Ok((Some(entry), still))
    }

    async fn values(&mut self, inside: &[&Value]) -> Result<Values, Failure> {
        let shared = Arc::clone(&self.shared);
        let found = shared.known.values(inside, &shared.client, &mut self.requests).await;
        found.map_err(|why| self.refused(&why))
    }

    /// Sends the calls that make or change the object, with a record after each, then waits.
    async fn send_all(&mut self, calls: &[Call], entry: &Entry, end: Status) -> Result<(), Failure> {
        let after = if creates(&self.step) { After::Create } else { After::Update };
        let waiter = waiter(self.kind, after, self.step.wait, calls).filter(|_| !calls.is_empty());
        let last = calls.len().saturating_sub(1);
        // Creates and renames have their intents, which say the same.
        let told = creates(&self.step) || renames(self.kind, &self.step);
        self.still_as_planned(calls).await?;
        let ahead = !calls.is_empty() && !told && (self.prior.is_some() || self.kind.lifetime != Lifetime::Own);
        if !calls.is_empty() && entry.former.is_some() && self.prior.as_ref().is_none_or(|p| p.former != entry.former) {
            // What it held before first touch must survive a crash in the middle of the first touch.
            self.put(entry, Status::Incomplete, Flush::Now).await?;
        } else if ahead {
            // Should nobody learn what became of it, the fields that it sets are ours all the same.
            self.put(entry, Status::Incomplete, Flush::Later).await?;
        }
        for (i, call) in calls.iter().enumerate() {
            let answer = match call.repeat {
                Repeat::AfterLookup => self.create(call).await,
                Repeat::Until(until) => self.until(call, until).await,
                Repeat::Safe if calls.len() == 1 && self.is_unguarded() => self.send_unguarded(call).await,
                Repeat::Safe => self.send(call).await,
            };
            let reply = match answer {
                Ok(reply) => reply,
                Err(failure) => {
                    // An earlier try of it may have taken effect all the same.
                    let refused = failure.error.as_ref().is_some_and(|error| !error.may_have_happened && error.tries <= 1);
                    if ahead && refused && calls[..i].iter().all(|call| matches!(call.repeat, Repeat::Until(_))) {
                        let address = self.step.address.clone();
                        let as_before = match self.prior.clone() {
                            Some(prior) => Record::Put { address, entry: Box::new(prior) },
                            None => Record::Removed { address },
                        };
                        self.record(vec![as_before], Flush::Later).await?;
                    }
                    return Err(failure);
                }
            };
            if !self.is_born(call) {
                self.learn(&reply);
            }
            let goes_on = i < last || waiter.is_some();
            let (status, flush) = if goes_on { (Status::Incomplete, Flush::Now) } else { (end, Flush::Later) };
            self.put(entry, status, flush).await?;
        }
        if let Some(waiter) = waiter {
            self.wait_for(waiter, entry).await?;
        }
        if calls.is_empty() || waiter.is_some() { self.put(entry, end, Flush::Later).await } else { Ok(()) }
    }

    fn learn(&mut self, reply: &Value) {
        if let Some(id) = identity::assigned(self.kind, reply) {
            self.id = Some(id);
        } else if self.id.is_none() || renames(self.kind, &self.step) {
            // A name is an id too: what refers to other fields of this object finds it by then.
            self.id = identity::named(self.kind, reply).map(Value::from).or(self.id.take());
        }
        self.etag = reply.get("etag").and_then(Value::as_str).map(str::to_owned).or(self.etag.take());
        if let Some((given, asked)) = identity::called(self.kind, reply, self.step.desired.as_ref()) {
            self.called = if given == asked { Called::AsAsked } else { Called::Otherwise(given.to_owned()) };
        }
        // A named object's id is known at plan, before any reply.
        let named = || self.step.entry.as_ref().map(|e| e.id.as_str()).filter(|id| !id.is_empty()).map(Value::from);
        if let Some(id) = self.id.clone().or_else(named) {
            let desired = self.step.desired.clone().unwrap_or(Value::Null);
            self.shared.known.put(&self.step.address, self.kind, id, desired, reply.clone());
        }
    }

    /// Whether this call makes again what the server once made along with the object.
    fn is_born(&self, call: &Call) -> bool {
        self.kind.born_with.iter().any(|born| born.create == call.op)
    }

    /// Puts on record that what came with the object goes, before it does: should the object stay after all, because this
    /// run ends here and YAML takes the deletion back, that is made again.
    async fn unmake(&mut self, calls: &[Call]) -> Result<(), Failure> {
        let own = self.kind.delete.map(|delete| delete.op);
        if self.kind.born_with.is_empty() || !calls.iter().any(|call| Some(call.op) != own) {
            return Ok(());
        }
        let Some(prior) = self.prior.clone() else { return Ok(()) };
        let entry = Box::new(unmade(prior));
        self.record(vec![Record::Put { address: self.step.address.clone(), entry }], Flush::Now).await
    }

    /// Whether this step makes an object of its own.
    fn makes(&self) -> bool {
        let makes = matches!(self.step.action, Action::Create | Action::Replace | Action::ReplaceNewFirst);
        makes && self.kind.lifetime == Lifetime::Own && !self.step.address.is_facet()
    }

    /// Whether this step completes an object that an earlier one of this run made.
    fn is_part_of_new(&self) -> bool {
        self.step.address.is_facet() && self.step.action == Action::Create
    }

    /// Puts the object on record as it is now.
    async fn put(&mut self, entry: &Entry, status: Status, flush: Flush) -> Result<(), Failure> {
        let mut entry = Entry { status, ..entry.clone() };
        if status == Status::Ok {
            // It has arrived.
            entry.before = None;
        }
        if entry.id.is_empty() {
            entry.id = self.id.as_ref().map(identity::text).unwrap_or_default();
        }
        entry.etag = self.etag.clone().or(entry.etag);
        match &self.called {
            Called::Unsaid => {}
            Called::AsAsked => entry.called = None,
            Called::Otherwise(name) => entry.called = Some(name.clone()),
        }
        if self.makes() {
            entry.made_by = Some(self.shared.caller.clone()).filter(|caller| !caller.is_empty());
        }
        if let (Status::Incomplete | Status::Tainted, Some(prior)) = (status, &self.prior) {
            if prior.status == Status::Unmade {
                entry.status = Status::Unmade;
            }
            // Not everything was sent: what was owned before still is, and old objects are still to be deleted.
            entry.applied = either(Some(Schema::of(self.kind).root()), &prior.applied, entry.applied);
            let left = prior.deposed.iter().filter(|id| !entry.deposed.contains(id)).cloned().collect::<Vec<_>>();
            entry.deposed.extend(left);
        }
        // A place that was left may have been gone back to.
        entry.deposed.retain(|id| *id != entry.id);
        if self.id.is_none() && !entry.id.is_empty() {
            self.id = Some(entry.id.as_str().into());
        }
        self.record(vec![Record::Put { address: self.step.address.clone(), entry: Box::new(entry) }], flush).await
    }

    async fn record(&self, records: Vec<Record>, flush: Flush) -> Result<(), Failure> {
        let (written, answer) = oneshot::channel();
        // The driver lives as long as its steps; if it is gone, so is the run.
        let _ = self.shared.driver.send(Message::Record(records, flush, written));
        match answer.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Failure {
                error: None,
                message: format!("{} could not be put on record: the journal cannot be written", self.step.address),
                help: vec!["mend the place of the state, then apply again: what was sent is looked up".to_owned()],
            }),
        }
    }
}

/// What the state says of an object whose deletion was begun.
fn unmade(prior: Entry) -> Entry {
    Entry { status: Status::Unmade, ..prior }
}

/// A body without what is not known yet.
fn as_far_as_known(body: &Value) -> Value {
    match body {
        Value::Map(map) => Value::Map(
            map.iter()
                .filter(|(_, v)| !matches!(v, Value::Unknown(_) | Value::Secret(_)))
                .map(|(k, v)| (k.clone(), as_far_as_known(v)))
                .collect(),
        ),
        Value::List(list) if list.iter().any(|v| v.has_unknown() || v.has_secret()) => {
            Value::List(list.iter().filter(|v| !matches!(v, Value::Unknown(_) | Value::Secret(_))).map(as_far_as_known).collect())
        }
        other => other.clone(),
    }
}
