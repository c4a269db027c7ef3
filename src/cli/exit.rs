//! How a run ends: exit codes, and the one match from failures to them.

use crate::apply::ApplyError;
use crate::client::auth::AuthError;
use crate::client::{ApiError, ApiErrorKind};
use crate::diagnostic::Diagnostic;
use crate::local::LocalError;
use crate::project;
use crate::state::StateError;
use crate::state::remote::objects::About;

/// How a run ended. `docs/reference/exit-codes.md` is made from [`Exit::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// Something went wrong; nothing was changed unless the text says so.
    Failed,
    /// There are changes (only with `--detailed-exitcode`).
    Changes,
    /// Applied in part.
    Partial,
    /// No or wrong credentials.
    Credentials,
    /// Somebody else holds the lock.
    Locked,
    /// A guard stands in the way.
    Guarded,
    /// A saved plan no longer fits the workspace.
    Stale,
    /// The command line is wrong.
    Usage,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// Every code with what it means.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Done, "Done: everything that was asked for happened, or there was nothing to do."),
        (Self::Failed, "A failure: the message says what, where and what to do next."),
        (Self::Changes, "There are changes or drift. Only with `--detailed-exitcode`."),
        (Self::Partial, "Applied in part: some steps failed or were skipped; the state is saved, running again does the rest."),
        (
            Self::Credentials,
            "Authentication: no credentials, or the workspace or the state's store refused them. In the middle of an apply: what was done is recorded, running again does the rest.",
        ),
        (
            Self::Locked,
            "Somebody else holds the lock of the environment, or this run lost it in its middle (taken over, or the store out of reach) and stopped at once.",
        ),
        (Self::Guarded, "A guard blocks the plan: it is printed, nothing was sent. Beats 2."),
        (Self::Stale, "The plan no longer fits the workspace or the state: somebody changed them after it was shown."),
        (Self::Usage, "The command line is wrong."),
        (Self::Interrupted, "Interrupted: what was in flight was finished and recorded. Beats 3."),
    ];

    /// The number that the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::Partial => 3,
            Self::Credentials => 4,
            Self::Locked => 5,
            Self::Guarded => 6,
            Self::Stale => 7,
            Self::Usage => 64,
            Self::Interrupted => 130,
        }
    }
}

/// Why a command could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line asks for something that cannot be.
    #[error("{message}")]
    Usage {
        /// What is wrong with it.
        message: String,
        /// What to type instead.
        help: Vec<String>,
    },
    /// The user's files are wrong.
    #[error("the project has mistakes")]
    Project(project::Failed),
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The workspace.
    #[error("{doing}: {error}")]
    Api {
        /// What was being done.
        doing: String,
        /// What the workspace answered.
        error: Box<ApiError>,
    },
    /// No credentials.
    #[error(transparent)]
    Credentials(#[from] AuthError),
    /// The same, told by the command that describes it.
    #[error("{message}")]
    Undescribed {
        /// What is wrong.
        message: String,
        /// What to do.
        help: Vec<String>,
    },
    /// The embedded workspace.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The apply could not run or keep its record.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A guard that is checked before anything is read.
    #[error("{message}")]
    Guard {
        /// What it guards against.
        message: String,
        /// What lifts it.
        help: Vec<String>,
    },
    /// The workspace changed between the plan and the consent to it.
    #[error("the workspace changed while the plan was on the screen ({}): nothing was sent", addresses.join(", "))]
    Moved {
        /// Whose steps would be others now.
        addresses: Vec<String>,
    },
    /// A plan in a file no longer fits what it was made from.
    #[error("{file} is {why}, nothing was sent:{}", lines(moved))]
    Stale {
        /// The file.
        file: String,
        /// `stale (it was made at ...)`, `expired`.
        why: String,
        /// What moved, each a sentence.
        moved: Vec<String>,
        /// How to go on.
        next: Vec<String>,
    },
    /// Anything else of this machine: files, secrets, the runtime.
    #[error("{message}")]
    Machine {
        /// What failed, and why.
        message: String,
        /// What to do.
        help: Vec<String>,
    },
}

/// Each on a line of its own.
fn lines(all: &[String]) -> String {
    all.iter().flat_map(|line| ["\n  - ", line.as_str()]).collect()
}

impl Failure {
    /// Mistakes in the user's files.
    #[must_use]
    pub fn mistakes(diagnostics: Vec<Diagnostic>) -> Self {
        Self::Project(project::Failed { diagnostics, usage: false })
    }

    /// A wrong command line.
    pub fn usage(message: impl Into<String>, help: &[&str]) -> Self {
        Self::Usage { message: message.into(), help: help.iter().map(ToString::to_string).collect() }
    }

    /// Something of this machine failed.
    pub fn machine(message: impl Into<String>) -> Self {
        Self::Machine { message: message.into(), help: vec![] }
    }

    /// A call failed while something was being done.
    pub fn api(doing: impl Into<String>, error: ApiError) -> Self {
        Self::Api { doing: doing.into(), error: Box::new(error) }
    }

    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } => Exit::Usage,
            Self::Project(failed) if failed.usage => Exit::Usage,
            Self::Credentials(_) | Self::Undescribed { .. } => Exit::Credentials,
            Self::Guard { .. } | Self::Apply(ApplyError::Blocked) => Exit::Guarded,
            Self::Moved { .. } | Self::Stale { .. } | Self::Apply(ApplyError::Stale { .. }) => Exit::Stale,
            Self::State(error) | Self::Apply(ApplyError::State(error))
                if matches!(error, StateError::Store { about: About::Credentials, .. }) =>
            {
                Exit::Credentials
            }
            // Who lost the lease in mid-apply is told the same as who never got it: somebody else has it, come back later.
            Self::State(error) | Self::Apply(ApplyError::State(error))
                if matches!(error, StateError::Locked { .. } | StateError::Lost { .. }) =>
            {
                Exit::Locked
            }
            Self::Api { error, .. } if matches!(error.kind, ApiErrorKind::Unauthenticated) => Exit::Credentials,
            Self::Project(_) | Self::State(_) | Self::Api { .. } | Self::Local(_) | Self::Apply(_) | Self::Machine { .. } => Exit::Failed,
        }
    }

    /// What to do next, each a line.
    #[must_use]
    pub fn help(&self) -> Vec<String> {
        match self {
            Self::Usage { help, .. } | Self::Guard { help, .. } | Self::Machine { help, .. } | Self::Undescribed { help, .. } => {
                help.clone()
            }
            Self::Credentials(error) => {
                let mut lines = error.help();
                // Without the profile there are no values to show: it would only say the same again.
                if matches!(error, AuthError::NoProfile { .. } | AuthError::NoProfileFile { .. }) {
                    return lines;
                }
                lines.push("`brickform auth describe` shows each value and where it came from".to_owned());
                lines
            }
            Self::State(error) | Self::Apply(ApplyError::State(error)) => error.help(),
            Self::Api { error, .. } => api_help(error),
            Self::Local(LocalError::InUse { .. }) => {
                vec!["another command uses it: wait for it to end, or stop it".to_owned()]
            }
            Self::Local(LocalError::Listen { .. }) => vec!["choose another port with `--port`; `--port 0` takes any free one".to_owned()],
            Self::Local(LocalError::Open { .. }) => {
                vec!["`brickform local reset` makes an empty one (what it held is lost)".to_owned()]
            }
            Self::Moved { .. } => vec!["run it again: the plan it shows then is what it applies".to_owned()],
            Self::Stale { next, .. } => next.clone(),
            Self::Apply(ApplyError::Stale { .. }) => vec!["plan again, then apply that plan".to_owned()],
            Self::Apply(ApplyError::Secrets { .. }) => {
                vec!["make each readable where it is named, then apply again: `brickform apply` reads them when it sends".to_owned()]
            }
            Self::Project(_) | Self::Apply(ApplyError::Blocked) => vec![],
        }
    }
}

fn api_help(error: &ApiError) -> Vec<String> {
    let mut lines = vec![format!("request: {}", error.request)];
    lines.extend(error.request_id.as_ref().map(|id| format!("request id: {id}")));
    if error.tries > 1 {
        lines.push(format!("tried {} times", error.tries));
    }
    match error.kind {
        ApiErrorKind::Unauthenticated => {
            lines.push("`brickform auth describe` shows each value and where it came from".to_owned());
        }
        ApiErrorKind::Forbidden => lines.push("the caller may not do this: ask for the permission, or use another profile".to_owned()),
        ApiErrorKind::Network => {
            lines.push("check the host and the network; nothing was changed by this call unless it says so".to_owned());
        }
        ApiErrorKind::Throttled => lines.push("try again later, or with a smaller `--parallelism`".to_owned()),
        ApiErrorKind::Server => lines.push("the workspace is in trouble: try again".to_owned()),
        ApiErrorKind::Invalid | ApiErrorKind::NotFound | ApiErrorKind::Conflict | ApiErrorKind::BadReply => {}
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn codes_are_distinct() {
        let mut codes: Vec<u8> = Exit::ALL.iter().map(|(e, _)| e.code()).collect();
        codes.dedup();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 64, 130]);
    }
}
