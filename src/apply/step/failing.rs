//! What a step says when it fails: what happened, and what to do next.

use super::{Running, creates};
use crate::apply::Failure;
use crate::apply::wait::WaitError;
use crate::client::{ApiError, ApiErrorKind};
use crate::diagnostic::suggest;
use crate::kinds::{Kind, Registry};
use crate::model::Value;
use crate::refresh;

impl Running {
    pub(super) fn refused(&self, why: &str) -> Failure {
        Failure {
            error: None,
            message: format!("{} was not carried out: {}", self.step.address, self.shared.scrub(why.to_owned())),
            help: vec!["nothing was sent for it; plan again: the next plan shows what is to be done now".to_owned()],
        }
    }

    pub(super) fn failed(&self, doing: &str, error: ApiError) -> Failure {
        let mut help: Vec<String> = error.request_id.iter().map(|id| format!("request id: {id}")).collect();
        if refresh::is_gone(self.kind, &error) {
            help.push(self.what_is_not_there(&error));
        }
        if error.status == Some(409) && self.kind.etag.is_some() && !creates(&self.step) {
            help.push("it moves in the workspace: nothing was overwritten; plan again to see what changed".to_owned());
            return Failure { message: format!("{}: {doing} failed: {error}", self.step.address), error: Some(error), help };
        }
        if self.kind.passing.iter().any(|part| error.message.contains(part)) {
            help.push("something that it names is not there (yet): `brickform plan --preflight` tells what, at its line".to_owned());
        }
        if error.kind == ApiErrorKind::Unauthenticated {
            help.push("`brickform auth describe` shows with which credentials, `brickform auth check` whether they are taken".to_owned());
        }
        help.push("apply again when it is mended: what was done is in the state, and only the rest is planned".to_owned());
        Failure { message: format!("{}: {doing} failed: {error}", self.step.address), error: Some(error), help }
    }

    /// What a 404 means: of a create, that what it is made in is missing; else that it went away itself.
    fn what_is_not_there(&self, error: &ApiError) -> String {
        let nobody = error.code.starts_with("PRINCIPAL") || ["Principal", "User or Group"].iter().any(|who| error.message.starts_with(who));
        if nobody && !self.kind.names.is_empty() {
            return "the workspace knows nobody of this name: mend it, declare them in this project, or assign them to the workspace"
                .to_owned();
        }
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

    pub(super) fn not_ready(&self, error: WaitError) -> Failure {
        let address = &self.step.address;
        match error {
            WaitError::Api(error) => self.failed("waiting for it", self.shared.scrubbed(error)),
            WaitError::Failed { state } => Failure {
                error: None,
                message: format!("{address} did not get ready: its state is {}", self.shared.scrub(state)),
                help: vec!["look at it in the workspace; the next plan shows what is to be done".to_owned()],
            },
            WaitError::Timeout { state, minutes } => Failure {
                error: None,
                message: format!("{address} was not ready after {minutes} minutes: its state is {}", self.shared.scrub(state)),
                help: vec!["it may still get ready: plan again later".to_owned()],
            },
        }
    }

    /// A create without an answer whose object is not to be seen.
    pub(super) fn unseen(&self, doing: &str, error: ApiError) -> Failure {
        let mut failure = self.failed(doing, error);
        // The server's words may be a sentence.
        failure.message.truncate(failure.message.trim_end_matches('.').len());
        failure.message.push_str("; whether it took effect is not known: the workspace does not show the object (yet)");
        failure.help.pop();
        failure.help.push("apply again: the next run looks it up first, and creates it only if it is not there".to_owned());
        failure
    }
}
