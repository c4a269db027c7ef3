//! What comes before what.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Action, Step};
use crate::model::Address;
use crate::project::Desired;
use crate::state::Document;

/// The desired addresses, what each needs before it; otherwise in address order.
pub(super) fn topological(desired: &Desired) -> Vec<&Address> {
    let mut order = Vec::with_capacity(desired.resources.len());
    let mut seen: HashSet<&Address> = HashSet::with_capacity(desired.resources.len());
    // Depth first with a stack of our own: chains may be long. The project refuses cycles.
    let mut stack: Vec<(&Address, usize)> = Vec::new();
    for start in desired.resources.keys() {
        if seen.insert(start) {
            stack.push((start, 0));
        }
        while let Some((address, next)) = stack.pop() {
            let needs = desired.resources.get(address).map_or(&[][..], |r| r.depends_on.as_slice());
            let Some(needed) = needs.get(next) else {
                order.push(address);
                continue;
            };
            stack.push((address, next + 1));
            if let Some((needed, _)) = desired.resources.get_key_value(needed)
                && seen.insert(needed)
            {
                stack.push((needed, 0));
            }
        }
    }
    order
}

/// Whether a step does anything in the workspace.
pub(super) fn sends(step: &Step) -> bool {
    match step.action {
        Action::Create | Action::Update | Action::Replace | Action::ReplaceNewFirst | Action::Delete => true,
        Action::None | Action::Adopt | Action::Move | Action::Forget => false,
    }
}

/// Whether the first of two waits for the second, at any distance.
fn waits(after: &HashMap<Address, Vec<Address>>, first: &Address, second: &Address) -> bool {
    let (mut open, mut seen) = (vec![first], HashSet::new());
    while let Some(address) = open.pop() {
        if address == second {
            return true;
        }
        if seen.insert(address) {
            open.extend(after.get(address).into_iter().flatten());
        }
    }
    false
}

/// Fills `after`: needs before users, and for deletes users before needs. `first`: what is deleted under a name that the
/// other one of the pair, which is around it, loses in this plan. `handed`: whose step deletes the old object of a replacement.
pub(super) fn link(
    steps: &mut BTreeMap<Address, Box<Step>>,
    desired: &Desired,
    state: &Document,
    old: &dyn Fn(&Address) -> Address,
    first: &[(Address, Address)],
    handed: &BTreeMap<Address, Address>,
) {
    let active: HashMap<Address, Action> =
        steps.iter().filter(|(_, s)| s.action != Action::None).map(|(a, s)| (a.clone(), s.action)).collect();
    let deletes = |a: &Address| matches!(active.get(a), Some(Action::Delete | Action::Replace | Action::ReplaceNewFirst));
    let mut before_delete: HashMap<&Address, Vec<&Address>> = HashMap::new();
    for (address, step) in steps.iter().filter(|(_, s)| sends(s)) {
        let Some(entry) = state.resources.get(&old(address)) else { continue };
        for dependency in entry.dependencies.iter().filter(|d| deletes(d)) {
            // What stays and still needs a replaced object comes after it; what goes, or needs a deleted one no more, before.
            if step.action == Action::Delete || active.get(dependency) == Some(&Action::Delete) {
                let by = std::iter::successors(Some(address), |a| handed.get(*a)).last().unwrap_or(address);
                // What goes before its surroundings do cannot wait for them.
                let is_in = state.resources.get(dependency).is_some_and(|entry| by != address && entry.dependencies.contains(by));
                if !is_in {
                    before_delete.entry(dependency).or_default().push(by);
                }
            }
        }
    }
    let mut after: HashMap<Address, Vec<Address>> = HashMap::new();
    for (address, step) in steps.iter().filter(|(_, s)| s.action != Action::None) {
        let mut list: Vec<Address> = before_delete.get(address).into_iter().flatten().map(|a| (*a).clone()).collect();
        if let (Some(resource), Some(_)) = (desired.resources.get(address), &step.entry) {
            list.extend(resource.depends_on.iter().filter(|d| active.contains_key(*d)).cloned());
        }
        if step.action == Action::Forget && address.is_facet() {
            // Its part goes when the object has gone: should its delete fail, what is known of the part is still needed.
            list.extend(Some(address.parent()).filter(|parent| deletes(parent)));
        }
        list.sort();
        list.dedup();
        list.retain(|a| a != address);
        if !list.is_empty() {
            after.insert(address.clone(), list);
        }
    }
    for (inner, outer) in first {
        // An order of the two that the rest of the plan has already stays.
        if !waits(&after, inner, outer) {
            after.entry(outer.clone()).or_default().push(inner.clone());
        }
    }
    for (address, step) in steps.iter_mut() {
        step.after = after.remove(address).unwrap_or_default();
    }
}

/// Steps that wait for each other, if there are such: none of them could begin.
pub(super) fn circle(steps: &BTreeMap<Address, Box<Step>>) -> Option<Vec<Address>> {
    let mut open: BTreeMap<&Address, Vec<&Address>> =
        steps.iter().map(|(a, s)| (a, s.after.iter().filter(|b| steps.contains_key(*b)).collect())).collect();
    let mut waiting: HashMap<&Address, Vec<&Address>> = HashMap::new();
    for (address, after) in &open {
        for one in after {
            waiting.entry(one).or_default().push(address);
        }
    }
    let mut free: Vec<&Address> = open.iter().filter(|(_, after)| after.is_empty()).map(|(a, _)| *a).collect();
    let mut left: HashMap<&Address, usize> = open.iter().map(|(a, after)| (*a, after.len())).collect();
    while let Some(done) = free.pop() {
        open.remove(done);
        for next in waiting.get(done).into_iter().flatten() {
            if let Some(count) = left.get_mut(next) {
                *count -= 1;
                if *count == 0 {
                    free.push(next);
                }
            }
        }
    }
    // From any that is left along what it waits for, until one comes again.
    let mut way: Vec<&Address> = vec![open.keys().next()?];
    loop {
        let next = open.get(way.last()?)?.iter().find(|a| open.contains_key(*a)).copied()?;
        if let Some(at) = way.iter().position(|a| *a == next) {
            return Some(way[at..].iter().map(|a| (*a).clone()).collect());
        }
        way.push(next);
    }
}
