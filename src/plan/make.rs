//! The making of a plan.
use super::{Counts, Inputs, Plan};

pub fn make(inputs: &Inputs<'_>) -> Plan {
    let _ = inputs;
    todo!()
}

pub fn counts(plan: &Plan) -> Counts {
    let _ = plan;
    todo!()
}
