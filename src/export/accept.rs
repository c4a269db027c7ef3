//! What a body becomes when live is taken as it is, at the places that changed in the workspace and nowhere else.

use crate::diff::{FieldChange, Form, taken};
use crate::kinds::{Kind, Schema};
use crate::model::Value;

pub use crate::diff::tidy;

/// `base` with the values of `live` at the paths of these changes. What stands for a secret stays as it is, and what no read
/// gives back.
#[must_use]
pub fn accepted(kind: &'static Kind, base: &Value, changes: &[&FieldChange], live: &Value) -> Value {
    taken(kind, base, &told(kind, changes), live, Form::Tidy)
}

/// The same with all that the API answers at these places, also what it would choose anyway.
#[must_use]
pub fn whole(kind: &'static Kind, base: &Value, changes: &[&FieldChange], live: &Value) -> Value {
    taken(kind, base, &told(kind, changes), live, Form::AsIs)
}

fn told<'c>(kind: &'static Kind, changes: &[&'c FieldChange]) -> Vec<&'c FieldChange> {
    changes.iter().copied().filter(|c| !is_secret(c) && can_be_read(kind, c)).collect()
}

/// Whether live could say anything of the field.
#[must_use]
pub fn can_be_read(kind: &'static Kind, change: &FieldChange) -> bool {
    !Schema::of(kind).at(&change.path).is_some_and(|field| field.input_only())
}

/// Whether either side of a change is a secret.
#[must_use]
pub fn is_secret(change: &FieldChange) -> bool {
    [&change.old, &change.new].into_iter().flatten().any(|v| v.has_secret() || v.get("$secret").is_some())
}
