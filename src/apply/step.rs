//! One step: its calls in order, each filled just before it is sent, its waits, and what goes on record after each.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::either::either;
use super::known::{Known, Ready, Secrets, Still, Values, check_again, fill_body};
use super::wait::{self, WaitError, waiter};
use super::{Event, Failure, identity};
use crate::client::{ApiError, ApiErrorKind, Client};
use crate::diagnostic::suggest;
use crate::kinds::{After, Call, Kind, Lifetime, Registry, Repeat, Schema, Unique, Until};
use crate::model::{Outside, Value};
use crate::plan::{Action, Step};
use crate::refresh::{self, Settlement};
use crate::state::{Entry, Flush, Intent, Leave, Record, Status};

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
    /// Whether anything may be sent: not after the lock of the state was lost.
    pub leave: Leave,
    /// To the driver.
    pub driver: mpsc::UnboundedSender<Message>,
}

impl Shared {
    /// The record of a create that is about to be sent.
    #[must_use]
    pub fn intent(&self, kind: &Kind, step: &Step) -> Intent {
        let desired = step.desired.as_ref();
        Intent {
            kind: kind.name.to_owned(),
            natural: kind.natural.fields.iter().map(|f| desired.and_then(|d| d.get(f)).map(Value::key_text).unwrap_or_default()).collect(),
            tag: step.entry.as_ref().and_then(|e| e.tag.clone()),
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
    etag: Option<String>,
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
        Self { shared: Arc::clone(shared), step: step.clone(), kind, prior, id, requests: 0, etag: None }
    }

    /// Carries it out.
    ///
    /// # Errors
    /// What failed, and what to do next. What did succeed is on record.
    pub async fn run(&mut self) -> Result<(), Failure> {
        let mut step = self.step.clone();
        let (entry, still) = self.prepare(&step).await?;
        if still == Still::Nothing {
            // Only the record is brought up to date.
            step.calls.clear();
        }
        match (step.action, entry) {
            // Deleted, or put back as it was before: the state holds it no more.
            (_, None) => {
                self.unmake(&step.calls).await?;
                self.delete(&step.calls).await?;
                self.delete(&step.delete_calls).await?;
                self.shared.known.remove(&step.address);
                self.record(vec![Record::Removed { address: step.address.clone() }], Flush::Later).await
            }
            (Action::Replace, Some(entry)) => {
                self.unmake(&step.delete_calls).await?;
                self.delete(&step.delete_calls).await?;
                self.shared.known.remove(&step.address);
                let mut records = vec![Record::Removed { address: step.address.clone() }];
                if creates(&step) {
                    records.push(Record::Intent { address: step.address.clone(), intent: self.shared.intent(self.kind, &step) });
                }
                self.record(records, Flush::Now).await?;
                self.prior = None;
                self.id = None;
                self.send_all(&step.calls, &entry, Status::Ok).await
            }
            (_, Some(entry)) if step.delete_calls.is_empty() => self.send_all(&step.calls, &entry, Status::Ok).await,
            (_, Some(entry)) => {
                // The new object first; until the old one is deleted its id is kept on record.
                let mut between = entry.clone();
                let old = self.prior.as_ref().filter(|p| creates(&step) && !p.id.is_empty()).map(|p| p.id.clone());
                between.deposed.extend(old);
                self.send_all(&step.calls, &between, Status::Incomplete).await?;
                self.delete(&step.delete_calls).await?;
                self.put(&entry, Status::Ok, Flush::Later).await
            }
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
                Repeat::Safe => self.send(call).await,
            };
            let reply = match answer {
                Ok(reply) => reply,
                Err(failure) => {
                    let refused = failure.error.as_ref().is_some_and(|error| !error.may_have_happened);
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
        let entry = Box::new(Entry { status: Status::Unmade, ..prior });
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
        if entry.id.is_empty() {
            entry.id = self.id.as_ref().map(identity::text).unwrap_or_default();
        }
        entry.etag = self.etag.clone().or(entry.etag);
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

    async fn ready(&mut self, call: &Call) -> Result<Ready, Failure> {
        let parts: Vec<&Value> = call.path.values().chain(call.query.values()).chain(&call.body).collect();
        let values = self.values(&parts).await?;
        Ready::of(self.kind, call, &values, &self.shared.outside).map_err(|why| self.refused(&why))
    }

    /// A reply in the form that YAML has.
    fn as_yaml(&self, reply: Value) -> Value {
        match self.kind.hooks.reply {
            Some(hook) => hook(reply),
            None => reply,
        }
    }

    /// Asked before each request that changes something: whoever was asleep may have lost the state to somebody else.
    async fn may_send(&self) -> Result<(), Failure> {
        self.shared.leave.ask().await.map_err(|why| Failure {
            error: None,
            message: format!("{} was not carried out: the lease of the state is lost ({why})", self.step.address),
            help: vec!["whoever has the lease goes on from what is in the journal; plan again when they are done".to_owned()],
        })
    }

    async fn attempt(&mut self, ready: &Ready) -> Result<Value, ApiError> {
        self.requests += 1;
        match self.shared.client.call(&ready.call).await {
            Ok(reply) => Ok(self.as_yaml(reply.body)),
            Err(error) => Err(scrubbed(error, &ready.secrets)),
        }
    }

    /// A call that may be repeated.
    async fn send(&mut self, call: &Call) -> Result<Value, Failure> {
        let mut ready = self.ready(call).await?;
        if let (true, Some(hook)) = (self.is_part_of_new(), self.kind.hooks.of_maker) {
            let Some(mine) = hook(ready.call.clone(), &self.shared.caller) else { return Ok(Value::Null) };
            ready.call = mine;
        }
        self.may_send().await?;
        match self.attempt(&ready).await {
            // It was not deleted after all.
            Err(error) if error.kind == ApiErrorKind::Conflict && self.is_born(call) => Ok(Value::Null),
            // Where there was an earlier try, that one may have taken effect, and "not found" is about the old name.
            Err(error) if !error.may_have_happened && error.tries <= 1 && renames(self.kind, &self.step) => {
                self.record(vec![Record::Withdrawn { address: self.step.address.clone() }], Flush::Later).await?;
                Err(self.failed(call.why, error))
            }
            // An old object that was to be deleted after this one.
            Err(error) if self.kind.delete.is_some_and(|d| d.op == call.op) && refresh::is_gone(self.kind, &error) => Ok(Value::Null),
            other => other.map_err(|error| self.failed(call.why, error)),
        }
    }

    /// A read that is repeated until the next call can be sent.
    async fn until(&mut self, call: &Call, until: &Until) -> Result<Value, Failure> {
        let ready = self.ready(call).await?;
        let shared = Arc::clone(&self.shared);
        let address = self.step.address.clone();
        let seen = |state: &str| {
            let _ = shared.driver.send(Message::Event(Box::new(Event::Waiting { address: address.clone(), state: state.to_owned() })));
        };
        let read = wait::until(&shared.client, &ready.call, until, &shared.outside, &mut self.requests, &seen).await;
        read.map(|body| self.as_yaml(body)).map_err(|error| self.not_ready(error))
    }

    /// A call that creates. If nobody knows whether it took effect, that is looked up. A create that is not found is sent
    /// again only where names are unique, so that the server refuses a second object: lists may lag behind, and what they
    /// do not show may be there all the same. Otherwise its intent stays open, and the next run looks again.
    async fn create(&mut self, call: &Call) -> Result<Value, Failure> {
        let ready = self.ready(call).await?;
        let unique = self.kind.natural.unique == Unique::Yes;
        let mut tries = 0;
        loop {
            tries += 1;
            self.may_send().await?;
            let error = match self.attempt(&ready).await {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            // Where an earlier try may have taken effect, "already exists" is about our own object.
            let refused = !error.may_have_happened;
            let first = refused && tries == 1 && error.tries <= 1;
            if !first && let Some(body) = self.settle(call, &error).await? {
                return Ok(body);
            }
            if refused && tries == 1 {
                self.record(vec![Record::Withdrawn { address: self.step.address.clone() }], Flush::Later).await?;
                return Err(self.failed(call.why, error));
            }
            // A server that is overloaded (503) is given time; anything else is tried once more.
            let overloaded = error.status == Some(503);
            if refused || !unique || tries >= if overloaded { 5 } else { 2 } {
                // The intent stays open: should it have taken effect after all, the next run finds it.
                return Err(self.unseen(call.why, error));
            }
            if overloaded {
                tokio::time::sleep(Duration::from_millis(125 << tries)).await;
            }
        }
    }

    /// A create without an answer whose object is not to be seen.
    fn unseen(&self, doing: &str, error: ApiError) -> Failure {
        let mut failure = self.failed(doing, error);
        failure.message.push_str("; whether it took effect is not known: the workspace does not show the object (yet)");
        failure.help.pop();
        failure.help.push("apply again: the next run looks it up first, and creates it only if it is not there".to_owned());
        failure
    }

    /// What became of a create without an answer: its object, or none if it did not take effect.
    async fn settle(&mut self, call: &Call, error: &ApiError) -> Result<Option<Value>, Failure> {
        self.requests += 1;
        let intent = self.shared.intent(self.kind, &self.step);
        let taken = self.shared.known.ids(self.kind);
        match refresh::settle(&self.shared.client, self.kind, &intent, &taken).await {
            Ok(Settlement::Found(found)) => {
                self.id = Some(identity::assigned(self.kind, &found.body).unwrap_or_else(|| found.id.as_str().into()));
                Ok(Some(found.body))
            }
            Ok(Settlement::Absent) => Ok(None),
            Ok(Settlement::Several(found)) => {
                let mut failure = self.failed(call.why, error.clone());
                failure.message.push_str("; it may have taken effect, and several objects may be its result");
                failure.help = found.iter().map(|c| format!("import: [{{to: {}, id: \"{}\"}}]", self.step.address, c.id)).collect();
                Err(failure)
            }
            Err(_) => {
                let mut failure = self.failed(call.why, error.clone());
                failure.message.push_str("; it may have taken effect, which could not be looked up either");
                failure.help = vec!["apply again: the next run looks it up first and creates nothing twice".to_owned()];
                Err(failure)
            }
        }
    }

    /// Calls that delete: what is gone already is deleted.
    async fn delete(&mut self, calls: &[Call]) -> Result<(), Failure> {
        for call in calls {
            let ready = self.ready(call).await?;
            self.may_send().await?;
            match self.attempt(&ready).await {
                Ok(_) => {}
                Err(error) if refresh::is_gone(self.kind, &error) => {}
                Err(error) => return Err(self.failed(call.why, error)),
            }
        }
        match (waiter(self.kind, After::Delete, self.step.wait, calls), self.id.clone()) {
            (Some(waiter), Some(id)) if !calls.is_empty() => self.poll(waiter, &id).await.map(|_| ()).map_err(|e| self.not_ready(e)),
            _ => Ok(()),
        }
    }

    async fn wait_for(&mut self, waiter: &crate::catalogue::Waiter, entry: &Entry) -> Result<(), Failure> {
        let Some(id) = self.id.clone() else { return Ok(()) };
        match self.poll(waiter, &id).await {
            Ok(body) => {
                if let Some(body) = body {
                    let body = self.as_yaml(body);
                    self.learn(&body);
                }
                Ok(())
            }
            Err(error) => {
                if matches!(error, WaitError::Failed { .. }) && creates(&self.step) {
                    self.put(entry, Status::Tainted, Flush::Later).await?;
                }
                Err(self.not_ready(error))
            }
        }
    }

    async fn poll(&mut self, waiter: &crate::catalogue::Waiter, id: &Value) -> Result<Option<Value>, WaitError> {
        let shared = Arc::clone(&self.shared);
        let address = self.step.address.clone();
        let seen = |state: &str| {
            let _ = shared.driver.send(Message::Event(Box::new(Event::Waiting { address: address.clone(), state: state.to_owned() })));
        };
        wait::wait(&shared.client, self.kind, waiter, id, &shared.outside, &mut self.requests, &seen).await
    }

    fn refused(&self, why: &str) -> Failure {
        Failure {
            error: None,
            message: format!("{} was not carried out: {why}", self.step.address),
            help: vec!["nothing was sent for it; plan again: the next plan shows what is to be done now".to_owned()],
        }
    }

    fn failed(&self, doing: &str, error: ApiError) -> Failure {
        let mut help: Vec<String> = error.request_id.iter().map(|id| format!("request id: {id}")).collect();
        if refresh::is_gone(self.kind, &error) {
            help.push(self.what_is_not_there(&error));
        }
        // What was read goes along where the API takes it: nothing that others did since is overwritten unseen.
        let guarded = |call: &crate::kinds::Call| call.body.as_ref().is_some_and(|body| body.get("etag").is_some());
        if error.status == Some(409) && self.step.calls.iter().any(guarded) {
            help.push(
                "it was edited in the workspace since the plan, and nothing was overwritten: plan again to see what changed".to_owned(),
            );
            return Failure { message: format!("{}: {doing} failed: {error}", self.step.address), error: Some(error), help };
        }
        if error.kind == ApiErrorKind::Unauthenticated {
            help.push("`brickform auth describe` shows with which credentials, `brickform auth check` whether they are taken".to_owned());
        }
        help.push("apply again when it is mended: what was done is in the state, and only the rest is planned".to_owned());
        Failure { message: format!("{}: {doing} failed: {error}", self.step.address), error: Some(error), help }
    }

    /// What a 404 means: of a create, that what it is made in is missing; else that it went away itself.
    fn what_is_not_there(&self, error: &ApiError) -> String {
        if !creates(&self.step) {
            return "it may have been deleted since the plan: plan again".to_owned();
        }
        let registry = Registry::standard();
        let mut names = Vec::new();
        let mut around = Vec::new();
        for parent in self.kind.parents.iter().filter(|parent| parent.field != "path") {
            let named = self.step.desired.as_ref().and_then(|desired| desired.get(parent.field)).and_then(Value::as_str);
            let (Some(name), Some(kind)) = (named, registry.get(parent.kind)) else { continue };
            names.push(name);
            around.push((parent.field, kind, names.join(".")));
        }
        let blamed = |kind: &Kind| error.code.starts_with(&format!("{}_", kind.singular.to_uppercase()));
        let Some((field, kind, name)) = around.iter().find(|(_, kind, _)| blamed(kind)).or(around.last()) else {
            return "something that it names is not there: mend the name, or declare it in this project and refer to it".to_owned();
        };
        let known = self.shared.known.names(kind);
        let meant = match suggest::nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`? If not, declare it"),
            None => format!("mend `{field}`, or declare it"),
        };
        format!("the workspace has no {} `{name}`, and this plan makes none: {meant} under `{}:`", kind.singular, kind.name)
    }

    fn not_ready(&self, error: WaitError) -> Failure {
        let address = &self.step.address;
        match error {
            WaitError::Api(error) => self.failed("waiting for it", error),
            WaitError::Failed { state } => Failure {
                error: None,
                message: format!("{address} did not get ready: its state is {state}"),
                help: vec!["look at it in the workspace; the next plan shows what is to be done".to_owned()],
            },
            WaitError::Timeout { state, minutes } => Failure {
                error: None,
                message: format!("{address} was not ready after {minutes} minutes: its state is {state}"),
                help: vec!["it may still get ready: plan again later".to_owned()],
            },
        }
    }
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

fn scrubbed(mut error: ApiError, secrets: &Secrets) -> ApiError {
    error.message = secrets.scrub(std::mem::take(&mut error.message));
    error
}
