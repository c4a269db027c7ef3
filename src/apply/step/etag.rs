//! An etag that is not current: somebody edited the object since it was planned, or the server alone moved it, with nothing
//! in it changed.

use super::Running;
use crate::apply::known::Ready;
use crate::apply::{Failure, identity};
use crate::client::ApiError;
use crate::diff::{Compare, compare};
use crate::kinds::{Call, Etag, Kind};
use crate::model::{Path, Value};
use crate::plan::Action;
use crate::refresh;

/// How many fields are named at most.
const MOST: usize = 8;

impl Running {
    /// The declaration of the etag that a request carried, where the answer may be about it.
    pub(super) fn refused_etag(&self, ready: &Ready, error: &ApiError) -> Option<&'static Etag> {
        let etag = self.kind.etag.as_ref()?;
        let carried = ready.call.query.contains_key(etag.member) || ready.call.body.as_ref().is_some_and(|b| b.get(etag.member).is_some());
        (carried && !error.may_have_happened && (error.status == Some(409) || error.code == "ABORTED")).then_some(etag)
    }

    /// Reads again. What is as it was planned from is sent once more, with the etag that is current now; anything else stays
    /// as somebody made it.
    pub(super) async fn with_fresh_etag(&mut self, call: &Call, ready: &mut Ready, etag: &Etag, error: ApiError) -> Result<Value, Failure> {
        let (Some(id), Some(planned)) = (self.id.clone(), self.step.live.clone()) else { return Err(self.failed(call.why, error)) };
        let desired = self.step.desired.clone().unwrap_or(Value::Null);
        let fresh = match self.read_again(call.why, &id, &desired).await {
            Ok(Some(fresh)) => fresh,
            Ok(None) => return Err(self.failed(call.why, error)),
            Err(unread) => {
                let why = unread.error.map_or(unread.message, |error| error.to_string());
                let mut failure = self.failed(call.why, error);
                failure.message = format!("{}; what changed could not be read: {why}", failure.message);
                return Err(failure);
            }
        };
        let changed = differing(self.kind, &planned, &fresh);
        if !changed.is_empty() {
            // The answer to an earlier try of this very request may have been lost.
            if error.tries > 1 && differing(self.kind, &desired, &fresh).is_empty() {
                return Ok(fresh);
            }
            return Err(self.edited_meanwhile(Some(etag), &changed, &fresh, Some(error)));
        }
        let Some(current) = fresh.get(etag.member) else { return Err(self.failed(call.why, error)) };
        if let Some(sent) = ready.call.query.get_mut(etag.member) {
            sent.clone_from(current);
        }
        if let Some(sent) = ready.call.body.as_mut().and_then(Value::as_map_mut).and_then(|body| body.get_mut(etag.member)) {
            sent.clone_from(current);
        }
        self.may_send().await?;
        self.attempt(ready).await.map_err(|error| self.failed(call.why, error))
    }

    /// Before an object goes, of a kind that people edit: what they made of it since the plan would go too.
    ///
    /// # Errors
    /// Somebody changed it, or nobody can tell.
    pub(super) async fn still_as_read(&mut self, why: &str) -> Result<(), Failure> {
        let (Some(etag), Some(id), Some(planned)) = (self.kind.etag.as_ref(), self.id.clone(), self.step.live.clone()) else {
            return Ok(());
        };
        let Some(fresh) = self.read_again(why, &id, &planned).await? else { return Ok(()) };
        let changed = moved(self.kind, &planned, &fresh);
        if changed.is_empty() { Ok(()) } else { Err(self.edited_meanwhile(Some(etag), &changed, &fresh, None)) }
    }

    /// The object as it is right now, in the form that YAML has; none where it is gone. `like`: which of its kind is read.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) async fn read_again(&mut self, why: &str, id: &Value, like: &Value) -> Result<Option<Value>, Failure> {
        self.requests += 1;
        match refresh::object(&self.shared.client, self.kind, &identity::text(id), like).await {
            Err(error) if !refresh::is_gone(self.kind, &error) => {
                let error = self.shared.scrubbed(error);
                Err(self.failed(&format!("{why} (what it is now, right before)"), error))
            }
            read => Ok(read.unwrap_or_default()),
        }
    }

    /// The failure of a step that is not carried out, since somebody changed these fields.
    pub(super) fn edited_meanwhile(&self, etag: Option<&Etag>, changed: &[String], fresh: &Value, error: Option<ApiError>) -> Failure {
        let told = |member: &str| fresh.get(member).filter(|v| !v.is_zero()).map(Value::key_text);
        let when = etag.and_then(|etag| told(etag.time)).map(|time| format!(" at {time}")).unwrap_or_default();
        let who = etag.and_then(|etag| told(etag.by)).map(|who| format!(" by {who}")).unwrap_or_default();
        let more = changed.len().saturating_sub(MOST);
        let and = if more > 0 { format!(" and {more} more") } else { String::new() };
        let address = &self.step.address;
        let done = match self.step.action {
            Action::Delete => "deleted",
            Action::Replace | Action::ReplaceNewFirst => "replaced",
            Action::None | Action::Create | Action::Update | Action::Adopt | Action::Move | Action::Forget => "updated",
        };
        let lost = if done == "updated" { "overwritten" } else { "deleted" };
        let message = format!(
            "{address} was not {done}: it was changed in the workspace since the plan{when}{who} ({}{and}), and nothing was {lost}",
            changed[..changed.len() - more].join(", ")
        );
        let help =
            vec![format!("see what changed, and apply that plan: brickform plan --env {} --target '{address}'", self.shared.environment)];
        Failure { error, message: self.shared.scrub(message), help }
    }
}

/// The fields in which the workspace differs from a body, whoever manages them; of what holds a secret nobody can tell.
fn moved(kind: &'static Kind, body: &Value, live: &Value) -> Vec<String> {
    let found = compare(&Compare { applied: Some(body), live: Some(live), ..Compare::of(kind, body) });
    let changed = found.changes.iter().map(|c| &c.path).filter(|path| !body.at(path).is_some_and(Value::has_secret));
    let mut fields: Vec<String> = changed.chain(found.unmanaged.iter().map(|(path, _)| path)).map(ToString::to_string).collect();
    fields.dedup();
    fields
}

/// The same, and the fields that hold a secret: whether they differ cannot be told, and what cannot be told is not overwritten.
pub(super) fn differing(kind: &'static Kind, body: &Value, live: &Value) -> Vec<String> {
    let mut fields = moved(kind, body, live);
    body.each_deferred(&mut Path::root(), &mut |path, deferred| {
        if deferred.secrets().next().is_some() {
            fields.push(format!("{path}, which holds a secret and cannot be compared"));
        }
    });
    fields.dedup();
    fields
}
