//! A plan and a result as documented, versioned JSON.

use crate::plan::Plan;

/// The plan: canonical bytes, no time, nothing about the caller, no secret.
#[must_use]
pub fn plan(plan: &Plan) -> String {
    let _ = plan;
    todo!()
}
