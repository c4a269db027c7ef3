//! Where an object's id is after a call.

use crate::kinds::{Identity, Kind};
use crate::model::{Path, Value};
use crate::plan::Step;

/// The id that a reply gives an object, as its type is there: `{"job_id": 12}` is the number 12. None where the id does
/// not come from the server.
#[must_use]
pub fn assigned(kind: &Kind, reply: &Value) -> Option<Value> {
    let Identity::Assigned(field) = kind.identity else { return None };
    let id = reply.get(field).or_else(|| reply.get(kind.read.reply)?.get(field))?;
    Some(id.clone()).filter(|id| !id.is_zero())
}

/// What a reply calls an object that was asked for by one name, and that name; none where it says none, or the name is the id.
#[must_use]
pub fn called<'v>(kind: &Kind, reply: &'v Value, desired: Option<&'v Value>) -> Option<(&'v str, &'v str)> {
    let (Identity::Assigned(_), [field]) = (&kind.identity, kind.natural.fields) else { return None };
    Some((reply.get(field)?.as_str()?, desired?.get(field)?.as_str()?))
}

/// An id as the state keeps it.
#[must_use]
pub fn text(id: &Value) -> String {
    id.key_text()
}

/// The id of an object that is known by fields of its body; none where the server picks one or a part is not known.
#[must_use]
pub fn named(kind: &Kind, body: &Value) -> Option<String> {
    match kind.identity {
        Identity::Assigned(_) => None,
        Identity::Single(word) => Some(word.to_owned()),
        Identity::Named { parts, join, .. } => {
            let parts: Option<Vec<String>> = parts.iter().map(|p| body.get(p).filter(|v| !v.has_unknown()).map(Value::key_text)).collect();
            parts.map(|parts| parts.join(join))
        }
    }
}

/// Whether a step changes a name that is the id.
#[must_use]
pub fn renamed(kind: &Kind, step: &Step) -> bool {
    let Identity::Named { parts, .. } = kind.identity else { return false };
    step.changes.iter().any(|change| parts.iter().any(|part| change.path == Path::field(*part)))
}
