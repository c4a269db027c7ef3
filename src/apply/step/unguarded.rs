//! Fields whose updates nothing guards (a space's title, description, warehouse and folder, tags): the API takes them whatever
//! somebody made of them since the plan. So they are read again right before they are sent, and before they are sent once more.

use super::Running;
use super::creates;
use super::etag::differing;
use crate::apply::Failure;
use crate::client::{ApiError, ApiErrorKind};
use crate::kinds::{Call, Repeat};
use crate::model::{Path, Value};
use crate::plan::Action;

/// How often an update is sent whose answers are lost.
const TRIES: u32 = 5;

/// What came of an update, as the workspace has it now.
enum Standing {
    /// It is as it was planned from.
    Planned,
    /// Everything that the update sets is as it sets it.
    Sent(Value),
}

impl Running {
    /// Whether this step sets a field of something that is there, and nothing guards it.
    pub(super) fn is_unguarded(&self) -> bool {
        let changes = matches!(self.step.action, Action::Update | Action::Adopt | Action::Move) && !creates(&self.step);
        let Some(unguarded) = self.kind.unguarded.filter(|_| changes && self.step.live.is_some()) else { return false };
        self.step.changes.iter().any(|change| change.path.first_field().is_none_or(unguarded))
    }

    /// Before anything of an update is sent.
    ///
    /// # Errors
    /// Somebody changed what it would set, or nobody can tell.
    pub(super) async fn still_as_planned(&mut self, calls: &[Call]) -> Result<(), Failure> {
        match calls.first() {
            Some(call) if self.is_unguarded() => self.standing(call.why).await.map(|_| ()),
            _ => Ok(()),
        }
    }

    /// Sends an update that was just looked at. An answer that is lost is no reason to send it again unseen.
    pub(super) async fn send_unguarded(&mut self, call: &Call) -> Result<Value, Failure> {
        let mut once = call.clone();
        // The client repeats what was not processed, and nothing else.
        once.repeat = Repeat::AfterLookup;
        for look in 1..TRIES {
            let failure = match self.send(&once).await {
                Err(failure) if failure.error.as_ref().is_some_and(is_open) => failure,
                answered => return answered,
            };
            self.shared.client.pause(look - 1).await;
            match self.standing(call.why).await {
                Ok(Standing::Sent(fresh)) => return Ok(fresh),
                Ok(Standing::Planned) => {}
                Err(Failure { error: Some(_), .. }) => return Err(failure),
                Err(edited) => return Err(edited),
            }
        }
        self.send(&once).await
    }

    /// Reads the object again.
    async fn standing(&mut self, why: &str) -> Result<Standing, Failure> {
        let (Some(id), Some(planned)) = (self.id.clone(), self.step.live.clone()) else { return Ok(Standing::Planned) };
        let desired = self.step.desired.clone().unwrap_or(Value::Null);
        // Of what is gone the update itself says so, in the words of the workspace.
        let Some(fresh) = self.read_again(why, &id, &desired).await? else { return Ok(Standing::Planned) };
        let (other, moved) = (differing(self.kind, &desired, &fresh), differing(self.kind, &planned, &fresh));
        // Of what holds a secret nobody can tell whether somebody changed it.
        let is_secret = |path: &Path| [&desired, &planned].iter().any(|side| side.at(path).is_some_and(Value::has_secret));
        let unguarded = |path: &Path| self.kind.unguarded.is_some_and(|is| path.first_field().is_none_or(is)) && !is_secret(path);
        // What is as the update would make it is no loss, whoever did it.
        let open = self.step.changes.iter().map(|change| (&change.path, change.path.to_string())).filter(|(_, told)| other.contains(told));
        let open: Vec<(&Path, String)> = open.collect();
        let edited: Vec<String> =
            open.iter().filter(|(path, told)| unguarded(path) && moved.contains(told)).map(|(_, told)| told.clone()).collect();
        if !edited.is_empty() {
            return Err(self.edited_meanwhile(self.kind.etag.as_ref(), &edited, &fresh, None));
        }
        Ok(if open.is_empty() { Standing::Sent(fresh) } else { Standing::Planned })
    }
}

/// Whether nobody can tell from this answer what became of the request, or it may be answered otherwise a moment later.
fn is_open(error: &ApiError) -> bool {
    error.may_have_happened || error.kind == ApiErrorKind::Network || error.status.is_some_and(|status| status >= 500)
}
