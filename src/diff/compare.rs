//! The walk over three values.

use super::{Compare, Differences};
use crate::kinds::Field;
use crate::model::Value;

/// Compares desired, applied and live field by field.
#[must_use]
pub fn compare(input: &Compare<'_>) -> Differences {
    let _ = input;
    todo!()
}

/// Whether two values are the same as the backend sees them.
#[must_use]
pub fn same(field: Option<Field<'_>>, a: &Value, b: &Value) -> bool {
    let _ = (field, a, b);
    todo!()
}
