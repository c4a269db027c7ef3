//! Carrying out a plan: the scheduler, a pure state machine, and its driver. Appends to the journal.

use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use crate::client::{ApiError, Client};
use crate::kinds::Registry;
use crate::model::{Address, Outside};
use crate::plan::{Action, Plan};
use crate::state::{Document, StateError, Store};

mod driver;
mod either;
mod identity;
mod known;
mod readable;
pub mod scheduler;
mod step;
#[cfg(test)]
mod tests;
mod wait;

/// What happened to a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Failed: what, and what to do.
    Failed(Failure),
    /// Not tried: a step that it needs failed, or the run was interrupted.
    Skipped {
        /// Why: `needs jobs.a`, `interrupted`.
        because: String,
    },
    /// One half of a replacement was done, and the other was not tried.
    Halfway {
        /// What was done.
        done: Half,
        /// Why the rest was not.
        because: String,
    },
}

/// What was done of a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Half {
    /// The old object is deleted, and the new one is not made.
    Deleted,
    /// The new object is made, and the old one is still there.
    Made,
}

/// A failure of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The API's error, if it was one.
    pub error: Option<ApiError>,
    /// What happened, one or two sentences, with names.
    pub message: String,
    /// What to do next.
    pub help: Vec<String>,
}

/// One step's result.
#[derive(Debug, Clone, PartialEq)]
pub struct StepResult {
    /// Whose.
    pub address: Address,
    /// What it was to do.
    pub action: Action,
    /// The id it has now.
    pub id: Option<String>,
    /// What happened.
    pub outcome: Outcome,
    /// Milliseconds it took.
    pub millis: u64,
    /// Requests it sent.
    pub requests: u32,
    /// What of a replacement was done before it failed.
    pub half: Option<Half>,
}

/// What happens while it runs, in time order.
#[derive(Debug, Clone)]
pub enum Event {
    /// A step began.
    Started {
        /// Whose.
        address: Address,
        /// What it does.
        action: Action,
    },
    /// A step waits for the object to get ready.
    Waiting {
        /// Whose.
        address: Address,
        /// The object's state, as the workspace names it.
        state: String,
    },
    /// A step ended.
    Ended(StepResult),
}

/// The end of an apply.
#[derive(Debug, Clone)]
pub struct Report {
    /// In address order.
    pub results: Vec<StepResult>,
    /// The state after it.
    pub state: Document,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Requests sent.
    pub requests: u64,
    /// Milliseconds in all.
    pub millis: u64,
}

/// How an apply runs.
pub struct Session<'a> {
    /// The workspace.
    pub client: &'a Client,
    /// The state, locked by the caller.
    pub store: &'a dyn Store,
    /// The document the plan was made from.
    pub state: Document,
    /// Kinds.
    pub registry: &'a Registry,
    /// Clock and secrets.
    pub outside: &'a Outside,
    /// Most steps in flight.
    pub parallelism: usize,
    /// Who applies.
    pub caller: String,
    /// The commit that is applied.
    pub commit: Option<String>,
    /// What the state's history calls it: `apply`, `destroy`, `rollback`.
    pub operation: &'static str,
    /// 0 go on, 1 finish what is in flight, 2 stop now.
    pub stop: Arc<AtomicU8>,
    /// What happens, as it happens.
    pub events: &'a (dyn Fn(&Event) + Send + Sync),
}

/// The apply could not run or could not keep its record.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The plan is blocked.
    #[error("the plan is blocked: nothing was sent")]
    Blocked,
    /// Secrets that the plan's steps send cannot be read.
    #[error("{}: nothing was sent", problems.join("; "))]
    Secrets {
        /// Each a sentence: whose, which field, which source, why.
        problems: Vec<String>,
    },
    /// The state went on since the plan was made.
    #[error("the plan was made from serial {planned} of the state, which has serial {found} now: nothing was sent")]
    Stale {
        /// The serial that the plan was made from.
        planned: u64,
        /// The state's serial.
        found: u64,
    },
}

/// Carries out a plan.
///
/// # Errors
/// [`ApplyError`]; failures of steps are in the report.
pub async fn apply(plan: &Plan, session: Session<'_>) -> Result<Report, ApplyError> {
    driver::apply(plan, session).await
}
