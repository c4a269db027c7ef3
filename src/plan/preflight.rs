//! What a look ahead found: a name that is missing blocks the step that sends it, as a guard does; what cannot be told, and what
//! is missing below an object that stays as it is, is a warning.

use super::guards::overridden;
use super::step::block;
use super::{Action, Block, Inputs, Plan, Step};
use crate::refresh::{Finding, Weight};

/// The word of its blocks and warnings.
pub(super) const GUARD: &str = "preflight";

/// The flag that lets names that are missing pass.
const FLAG: &str = "--allow-missing";

/// Adds what was found to the plan.
pub(super) fn check(plan: &mut Plan, inputs: &Inputs<'_>) {
    let Some(ahead) = inputs.preflight.filter(|_| !inputs.options.destroy) else { return };
    for finding in &ahead.findings {
        let step = plan.steps.iter_mut().find(|step| step.address == finding.address);
        let Some(step) = step.filter(|step| finding.weight == Weight::Missing && sends(step)) else {
            plan.warnings.push(warning(finding));
            continue;
        };
        if overridden(GUARD, inputs) {
            plan.lifted.insert(FLAG.to_owned());
            plan.warnings.push(warning(finding));
        } else {
            step.blocks.push(Block { place: Some(finding.place.clone()), ..block(GUARD, told(finding), vec![FLAG.to_owned()]) });
        }
    }
}

/// Whether the step sends what the files say of its object.
fn sends(step: &Step) -> bool {
    match step.action {
        Action::Create | Action::Update | Action::Replace | Action::ReplaceNewFirst => true,
        Action::None | Action::Delete | Action::Adopt | Action::Move | Action::Forget => !step.calls.is_empty() && step.entry.is_some(),
    }
}

fn warning(finding: &Finding) -> Block {
    Block { place: Some(finding.place.clone()), ..block(GUARD, told(finding), vec![]) }
}

fn told(finding: &Finding) -> String {
    let at = if finding.path.is_root() { String::new() } else { format!("`{}` of ", finding.path) };
    let (line, column) = finding.place.line_column();
    format!("{at}{} ({}:{line}:{column}): {}", finding.address, finding.place.source.name, finding.reason)
}
