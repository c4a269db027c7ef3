//! What a narrowed plan takes away although something that it leaves out was applied with a reference to it: that would go on
//! naming an object that is not there any more.

use std::collections::BTreeSet;

use super::inside::is_in;
use super::step::block;
use super::{Action, Block, Inputs, Plan, Step};
use crate::kinds::{Identity, Kind, Lifetime};
use crate::model::{Address, Value};
use crate::state::Entry;

/// How many addresses a message tells.
const TOLD: usize = 5;

/// The word of the warnings.
pub(super) const GUARD: &str = "left_out";

/// Blocks what takes an object away whose id is in what something left out was applied with; warns of what only depends on it.
pub(super) fn check(plan: &mut Plan, inputs: &Inputs<'_>) {
    // A plan in a file was asked when it was made.
    if plan.left_out == 0 || inputs.options.only.is_some() {
        return;
    }
    let mut found = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let Some(kind) = inputs.registry.get(&step.kind).filter(|_| goes(step)) else { continue };
        let users = users(plan, inputs, step);
        let (broken, other): (Vec<_>, Vec<_>) = users.into_iter().partition(|(_, entry)| loses_id(step, kind) && names(step, kind, entry));
        if !broken.is_empty() {
            found.push((
                index,
                true,
                reason(step, &broken, "was applied with it, and is left out of this plan"),
                remedy(inputs, &step.address, &broken),
            ));
        }
        if !other.is_empty() {
            found.push((index, false, reason(step, &other, "depends on it, and is left out of this plan"), vec![]));
        }
    }
    for (index, blocks, reason, remedy) in found {
        if blocks {
            plan.steps[index].blocks.push(block("refused", reason, remedy));
        } else {
            plan.warnings.push(Block { guard: GUARD, reason, remedy, place: None });
        }
    }
}

fn goes(step: &Step) -> bool {
    !step.address.is_facet() && matches!(step.action, Action::Delete | Action::Replace | Action::ReplaceNewFirst)
}

/// Whether the id is of nothing afterwards: the new object of a replacement has a name again, but never a given id.
fn loses_id(step: &Step, kind: &Kind) -> bool {
    step.action == Action::Delete || matches!(kind.identity, Identity::Assigned(_))
}

/// What the state knows to depend on it and the plan does not touch. What is in it is told elsewhere.
fn users<'s>(plan: &Plan, inputs: &Inputs<'s>, step: &Step) -> Vec<(&'s Address, &'s Entry)> {
    let old = step.moved_from.as_ref().unwrap_or(&step.address);
    let applied = inputs.state.resources.get(old).map(|e| &e.applied);
    let planned = |a: &Address| plan.steps.iter().any(|s| s.address == *a || s.moved_from.as_ref() == Some(a));
    let inside = |entry: &Entry| {
        let kind = inputs.registry.get(&entry.kind);
        kind.is_some_and(|k| k.lifetime == Lifetime::Own && is_in(k, &entry.applied, step, applied, inputs.registry))
    };
    let depends = |entry: &Entry| entry.dependencies.iter().any(|d| d == old || d.parent() == *old);
    let all = inputs.state.resources.iter().filter(|(a, e)| a.parent() != *old && depends(e) && !inside(e) && !planned(a));
    all.collect()
}

/// Whether the id stands in what was applied.
fn names(step: &Step, kind: &Kind, entry: &Entry) -> bool {
    let Some(id) = step.id.as_deref().filter(|id| !id.is_empty()) else { return false };
    let last = match kind.identity {
        Identity::Named { .. } => step.live.as_ref().and_then(|live| live.get(kind.natural.fields.last()?)).map(Value::key_text),
        Identity::Assigned(_) | Identity::Single(_) => None,
    };
    mentions(&entry.applied, &|text| text == id || last.as_deref() == Some(text))
}

fn mentions(value: &Value, is_it: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::Map(map) => map.values().any(|v| mentions(v, is_it)),
        Value::List(list) => list.iter().any(|v| mentions(v, is_it)),
        Value::Null | Value::Bool(_) | Value::Unknown(_) | Value::Secret(_) => false,
        Value::Text(text) => is_it(text),
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => is_it(&value.key_text()),
    }
}

fn reason(step: &Step, users: &[(&Address, &Entry)], how: &str) -> String {
    let verb = if step.action == Action::Delete { "deleted" } else { "replaced" };
    let told = users.iter().take(TOLD).map(|(a, _)| a.to_string()).collect::<Vec<_>>().join(", ");
    match users.len() {
        1 => format!("{} would be {verb}, but {told} {how}", step.address),
        n if n > TOLD => format!("{} would be {verb}, but each of {told} and {} more {how}", step.address, n - TOLD),
        _ => format!("{} would be {verb}, but each of {told} {how}", step.address),
    }
}

fn remedy(inputs: &Inputs<'_>, address: &Address, users: &[(&Address, &Entry)]) -> Vec<String> {
    let whole: BTreeSet<Address> = users.iter().take(TOLD).map(|(a, _)| a.parent()).collect();
    vec![as_well(inputs, &whole), format!("or leave {address} alone: forget: ['{address}']")]
}

/// What takes these addresses along in a plan that was narrowed.
pub(super) fn as_well(inputs: &Inputs<'_>, addresses: &BTreeSet<Address>) -> String {
    if inputs.options.targets.is_empty() {
        let names = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return format!("plan without `--exclude` of {names}");
    }
    addresses.iter().map(|address| format!("--target '{address}'")).collect::<Vec<_>>().join(" ")
}
