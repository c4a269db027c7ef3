//! Requests of a step: filled, sent, looked up where nobody knows whether they took effect, and waited for.

use std::sync::Arc;
use std::time::Duration;

use super::{Running, chooses, creates, renames};
use crate::apply::known::Ready;
use crate::apply::wait::{self, WaitError, waiter};
use crate::apply::{Failure, identity};
use crate::catalogue::{self, Waiter};
use crate::client::{ApiError, ApiErrorKind};
use crate::kinds::{After, Call, Kind, Unique, Until};
use crate::model::Value;
use crate::refresh::{self, Settlement};
use crate::state::{Entry, Flush, Record, Status};

/// How long is waited before each further try of what is refused for a moment only.
const PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// Whether the workspace is known to take this a moment later. Where it names what does not exist, it is not.
fn passes(kind: &Kind, error: &ApiError) -> bool {
    !error.may_have_happened && kind.passing.iter().any(|part| error.message.contains(part)) && !error.message.contains("does not exist")
}

/// Whether a call of an update takes a part of the object away.
fn takes_away(call: &Call) -> bool {
    catalogue::operation(call.op).is_some_and(|operation| operation.method == "DELETE")
}

impl Running {
    pub(super) async fn ready(&mut self, call: &Call) -> Result<Ready, Failure> {
        let parts: Vec<&Value> = call.path.values().chain(call.query.values()).chain(&call.body).collect();
        let values = self.values(&parts).await?;
        let ready = Ready::of(self.kind, call, &values, &self.shared.outside).map_err(|why| self.refused(&why))?;
        self.shared.learn(&ready.secrets);
        Ok(ready)
    }

    /// A reply in the form that YAML has.
    fn as_yaml(&self, reply: Value) -> Value {
        match self.kind.hooks.reply {
            Some(hook) => hook(reply),
            None => reply,
        }
    }

    /// Asked before each request that changes something: whoever was asleep may have lost the state to somebody else.
    pub(super) async fn may_send(&self) -> Result<(), Failure> {
        self.shared.leave.ask().await.map_err(|why| Failure {
            error: None,
            message: format!("{} was not carried out: the lease of the state is lost ({why})", self.step.address),
            help: vec!["whoever has the lease goes on from what is in the journal; plan again when they are done".to_owned()],
        })
    }

    /// Sends it; what the workspace refuses for a moment only is sent again.
    pub(super) async fn attempt(&mut self, ready: &Ready) -> Result<Value, ApiError> {
        for pause in PAUSES {
            match self.once(ready).await {
                Err(error) if passes(self.kind, &error) => {
                    self.shared.waits(&self.step.address, &error.message);
                    tokio::time::sleep(pause).await;
                    if self.may_send().await.is_err() {
                        return Err(error);
                    }
                }
                answered => return answered,
            }
        }
        self.once(ready).await
    }

    async fn once(&mut self, ready: &Ready) -> Result<Value, ApiError> {
        self.requests += 1;
        match self.shared.client.call(&ready.call).await {
            Ok(reply) => Ok(self.as_yaml(reply.body)),
            Err(error) => Err(self.shared.scrubbed(error)),
        }
    }

    /// A call that may be repeated.
    pub(super) async fn send(&mut self, call: &Call) -> Result<Value, Failure> {
        let mut ready = self.ready(call).await?;
        if let (true, Some(hook)) = (self.is_part_of_new(), self.kind.hooks.of_maker) {
            let Some(mine) = hook(ready.call.clone(), &self.shared.caller) else { return Ok(Value::Null) };
            ready.call = mine;
        }
        self.may_send().await?;
        let mut answer = self.attempt(&ready).await;
        if let Err(error) = answer {
            if let Some(etag) = self.refused_etag(&ready, &error) {
                return self.with_fresh_etag(call, &mut ready, etag, error).await;
            }
            answer = Err(error);
        }
        match answer {
            // It was not deleted after all.
            Err(error) if error.kind == ApiErrorKind::Conflict && self.is_born(call) => Ok(Value::Null),
            // Where there was an earlier try, that one may have taken effect, and "not found" is about the old name.
            Err(error) if !error.may_have_happened && error.tries <= 1 && renames(self.kind, &self.step) => {
                self.record(vec![Record::Withdrawn { address: self.step.address.clone() }], Flush::Later).await?;
                Err(self.failed(call.why, error))
            }
            // Where there was an earlier try, "already exists" may be about what that one made.
            Err(error) if error.kind == ApiErrorKind::Conflict && error.tries > 1 && self.is_held(&ready.call).await => Ok(Value::Null),
            // What is to be taken away and is not there is taken away.
            Err(error) if takes_away(&ready.call) && refresh::is_gone(self.kind, &error) => Ok(Value::Null),
            // An old object that was to be deleted after this one.
            Err(error) if self.kind.delete.is_some_and(|d| d.op == call.op) && refresh::is_gone(self.kind, &error) => Ok(Value::Null),
            other => other.map_err(|error| self.failed(call.why, error)),
        }
    }

    /// Whether the object holds already what this request would give it.
    async fn is_held(&mut self, call: &Call) -> bool {
        let Some((holds, desired)) = self.kind.hooks.holds.zip(self.step.desired.clone()) else { return false };
        let Some(id) = identity::named(self.kind, &desired) else { return false };
        self.requests += 1;
        let read = refresh::object(&self.shared.client, self.kind, &id, &desired).await;
        matches!(read, Ok(Some(live)) if holds(call, &live))
    }

    /// A read that is repeated until the next call can be sent.
    pub(super) async fn until(&mut self, call: &Call, until: &Until) -> Result<Value, Failure> {
        let ready = self.ready(call).await?;
        let shared = Arc::clone(&self.shared);
        let address = self.step.address.clone();
        let seen = |state: &str| shared.waits(&address, state);
        let read = wait::until(&shared.client, &ready.call, until, &shared.outside, &mut self.requests, &seen).await;
        read.map(|body| self.as_yaml(body)).map_err(|error| self.not_ready(error))
    }

    /// A call that creates. If nobody knows whether it took effect, that is looked up. A create that is not found is sent
    /// again only where names are unique, so that the server refuses a second object: lists may lag behind, and what they
    /// do not show may be there all the same. Otherwise its intent stays open, and the next run looks again.
    pub(super) async fn create(&mut self, call: &Call) -> Result<Value, Failure> {
        let mut ready = self.ready(call).await?;
        let chosen = self.shared.chosen_id(self.kind, &self.step.address).filter(|_| chooses(self.kind, call));
        // A second object of one id is refused, as one of a name that is unique.
        let unique = self.kind.natural.unique == Unique::Yes || chosen.is_some();
        if let Some((parameter, id)) = chosen {
            ready.call.query.insert(parameter.to_owned(), Value::Text(id));
        }
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
                self.record(vec![self.withdrawn()], Flush::Later).await?;
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
    pub(super) async fn delete(&mut self, calls: &[Call]) -> Result<(), Failure> {
        for call in calls {
            let ready = self.ready(call).await?;
            self.may_send().await?;
            match self.attempt(&ready).await {
                Ok(_) => self.deleted += 1,
                Err(error) if refresh::is_gone(self.kind, &error) => self.deleted += 1,
                Err(error) => return Err(self.failed(call.why, error)),
            }
        }
        match (waiter(self.kind, After::Delete, self.step.wait, calls), self.id.clone()) {
            (Some(waiter), Some(id)) if !calls.is_empty() => self.poll(waiter, &id).await.map(|_| ()).map_err(|e| self.not_ready(e)),
            _ => Ok(()),
        }
    }

    pub(super) async fn wait_for(&mut self, waiter: &Waiter, entry: &Entry) -> Result<(), Failure> {
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

    async fn poll(&mut self, waiter: &Waiter, id: &Value) -> Result<Option<Value>, WaitError> {
        let shared = Arc::clone(&self.shared);
        let address = self.step.address.clone();
        let seen = |state: &str| shared.waits(&address, state);
        wait::wait(&shared.client, self.kind, waiter, id, &shared.outside, &mut self.requests, &seen).await
    }
}
