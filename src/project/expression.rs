//! `${...}`: Jinja expressions on the parsed tree (minijinja), with our own lexer for references.

use crate::model::{Deferred, Value, Variable};

/// Finishes a deferred expression. `known` gives the value of what it waits for; none: still unknown.
///
/// Returns none while something is still unknown.
///
/// # Errors
/// The expression fails on the values it got: a sentence.
pub fn finish(deferred: &Deferred, known: &dyn Fn(&Variable) -> Option<Value>) -> Result<Option<Value>, String> {
    let _ = (deferred, known);
    todo!()
}

/// Finishes everything unknown inside a value as far as `known` allows; secrets stay unless `known` gives them.
///
/// # Errors
/// An expression fails: a sentence with its source.
pub fn fill(value: &Value, known: &dyn Fn(&Variable) -> Option<Value>) -> Result<Value, String> {
    let _ = (value, known);
    todo!()
}
