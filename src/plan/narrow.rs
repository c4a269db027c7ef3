//! What a plan leaves out although it stands there: what a target brings along without having been asked for, and what an
//! overlay says of a resource that nothing else declares any more.

use super::make::leave;
use super::step::block;
use super::{Inputs, Plan, Scope, Step};
use crate::diff::Reason;
use crate::model::{Address, Pattern};

/// A target brings along what it needs as far as YAML asks for something; what changed behind our back elsewhere is not put
/// back by the way.
pub(super) fn only_what_was_asked_for(plan: &mut Plan, targets: &[Pattern]) {
    if targets.is_empty() {
        return;
    }
    let only_drift = |step: &Step| !step.changes.is_empty() && step.changes.iter().all(|c| c.reason == Reason::Drift);
    for step in &mut plan.steps {
        if only_drift(step) && step.moved_from.is_none() && !targets.iter().any(|target| target.covers(&step.address)) {
            leave(step);
            plan.left_out += 1;
        }
    }
}

/// An overlay whose resource lost its base (a key was renamed in one place, a file was deleted) would take everything away
/// that the base had said.
pub(super) fn overlays_without_a_base(plan: &mut Plan, inputs: &Inputs<'_>, scope: &Scope) {
    for step in plan.steps.iter_mut().filter(|step| scope.holds(&step.address)) {
        let declared = Address { instance: None, facet: None, ..step.address.clone() };
        let Some(span) = inputs.environment.added.get(&declared) else { continue };
        let mut gone: Vec<String> = step
            .changes
            .iter()
            .filter(|c| c.reason == Reason::Removed)
            .filter_map(|c| Some(c.path.to_string().split(['.', '[']).next()?.to_owned()))
            .collect();
        gone.dedup();
        if gone.len() < 2 {
            continue;
        }
        let place = span.cite();
        let reason = format!("only the overlay at {place} declares {declared} now: {} of it would be taken away", gone.join(", "));
        let remedy = vec![
            "if its key was renamed, or its file moved, do the same in the overlay; if it is to go, delete the overlay too".to_owned(),
            format!("if the overlay is all that it is to be, say `$replace: true` in it ({place})"),
        ];
        step.blocks.push(block("overlay", reason, remedy));
    }
}
