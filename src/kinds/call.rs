//! From a change to a list of requests: pure.

use super::{Change, Kind, Op, Refusal};
use crate::model::{Map, Value};

/// One request of a step: in the plan, in the journal, in `--json`. Only apply's driver and refresh send it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The operation.
    pub op: Op,
    /// Path parameters by name.
    pub path: Map,
    /// Query parameters.
    pub query: Map,
    /// The body.
    pub body: Option<Value>,
    /// What it is for, in a few words: `create`, `set permissions`.
    pub why: &'static str,
    /// Whether it may be sent twice.
    pub repeat: Repeat,
}

/// Whether a request may be sent twice when nobody knows if it took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Reads, full replacements, deletes: yes.
    Safe,
    /// A create: only after looking whether the first one took effect.
    AfterLookup,
}

/// The calls that create the object: the create, and an update for fields that only the update takes.
///
/// # Errors
/// The kind cannot express it.
pub fn create_calls(kind: &'static Kind, change: &Change<'_>) -> Result<Vec<Call>, Refusal> {
    let _ = (kind, change);
    todo!()
}

/// The calls that change the object at `change.paths`. `change.live` is there.
///
/// # Errors
/// The kind cannot express it: the path and the reason, for a blocked step.
pub fn update_calls(kind: &'static Kind, change: &Change<'_>) -> Result<Vec<Call>, Refusal> {
    let _ = (kind, change);
    todo!()
}

/// The calls that delete the object with this id. `Lifetime::Attached` and `Setting` have none: what they held is put
/// back by [`update_calls`].
#[must_use]
pub fn delete_calls(kind: &'static Kind, id: &Value) -> Vec<Call> {
    let _ = (kind, id);
    todo!()
}

/// The call that reads the object with this id. `names`: the managed top-level fields, for kinds that ask by name.
#[must_use]
pub fn read_call(kind: &'static Kind, id: &Value, body: &Value, names: &[&str]) -> Option<Call> {
    let _ = (kind, id, body, names);
    todo!()
}

/// The call that lists objects; `parent` is the value of the parameter that a parent gives (a catalog's name).
#[must_use]
pub fn list_call(kind: &'static Kind, parent: Option<&str>) -> Option<Call> {
    let _ = (kind, parent);
    todo!()
}
