//! A plan and a result as text.

use crate::plan::Plan;

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// With colour.
    pub colour: bool,
    /// Columns.
    pub width: usize,
    /// List unmanaged fields too.
    pub unmanaged: bool,
    /// List the requests of each step.
    pub requests: bool,
}

/// The plan for a person.
#[must_use]
pub fn plan(plan: &Plan, look: &Look) -> String {
    let _ = (plan, look);
    todo!()
}
