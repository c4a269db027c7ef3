//! What comes before what.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::acts::{Act, Part, acts};
use super::{Action, Halves, Step};
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

/// What [`link`] goes by.
pub(super) struct Ties<'t> {
    pub desired: &'t Desired,
    pub state: &'t Document,
    /// The address that the state has an object under.
    pub old: &'t dyn Fn(&Address) -> Address,
    /// The address that one of the state has in this plan.
    pub now: &'t dyn Fn(&Address) -> Address,
    /// What is deleted under a name that the other one of the pair, which is around it, loses in this plan.
    pub first: &'t [(Address, Address)],
    /// Replacements in halves, each with what is around its old object and goes.
    pub inner: &'t [(Address, Address)],
}

/// Fills `after` and `delete_after`: needs before users, and for deletes users before needs.
pub(super) fn link(steps: &mut BTreeMap<Address, Box<Step>>, ties: &Ties<'_>) {
    let Ties { desired, state, old, now, first, inner } = *ties;
    let active: HashMap<Address, Action> =
        steps.iter().filter(|(_, s)| s.action != Action::None).map(|(a, s)| (a.clone(), s.action)).collect();
    let deletes = |a: &Address| matches!(active.get(a), Some(Action::Delete | Action::Replace | Action::ReplaceNewFirst));
    // The old object of a replacement that was cut is there still.
    let deposes: HashSet<Address> = steps
        .iter()
        .filter(|(_, s)| matches!(s.action, Action::Update | Action::Create) && !s.delete_calls.is_empty())
        .map(|(a, _)| a.clone())
        .collect();
    let is_apart: HashSet<Address> = inner.iter().map(|(address, _)| address.clone()).collect();
    let mut before_delete: HashMap<Address, BTreeSet<Address>> = HashMap::new();
    for (address, step) in steps.iter().filter(|(_, s)| sends(s)) {
        let Some(entry) = state.resources.get(&old(address)) else { continue };
        for dependency in entry.dependencies.iter().map(now).filter(|d| d != address && (deletes(d) || deposes.contains(d))) {
            // What stays and still needs a replaced object comes after it, and lets go of the old one where that is there until
            // then; what goes, or needs a deleted one no more, comes before.
            let goes = step.action == Action::Delete || is_apart.contains(address);
            let lasts = matches!(active.get(&dependency), Some(Action::Delete | Action::ReplaceNewFirst | Action::Update | Action::Create));
            if goes || lasts {
                before_delete.entry(dependency).or_default().insert(address.clone());
            }
        }
    }
    for (address, around) in inner {
        before_delete.entry(around.clone()).or_default().insert(address.clone());
    }
    let mut after: HashMap<Address, Vec<Address>> = HashMap::new();
    for (address, step) in steps.iter_mut().filter(|(_, s)| s.action != Action::None) {
        let mut list: Vec<Address> = Vec::new();
        let leaves = before_delete.remove(address).unwrap_or_default();
        let own_time = match step.action {
            Action::ReplaceNewFirst | Action::Update | Action::Create => !leaves.is_empty(),
            _ => step.halves == Halves::Apart,
        };
        if own_time {
            step.halves = Halves::Apart;
            step.delete_after = leaves.into_iter().collect();
        } else {
            let halved = |a: &Address| step.action == Action::Replace && is_apart.contains(a);
            let (halves, whole): (Vec<Address>, Vec<Address>) = leaves.into_iter().partition(halved);
            step.delete_after = halves;
            list.extend(whole);
        }
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
    not_too_early(steps, inner);
}

/// What is in something that is replaced is not deleted before everything is there that the replacement of that needs, and its
/// own: should that fail, nothing was taken away. Only what comes of itself after the delete cannot be waited for.
fn not_too_early(steps: &mut BTreeMap<Address, Box<Step>>, inner: &[(Address, Address)]) {
    if inner.is_empty() {
        return;
    }
    let all: Vec<&Step> = steps.values().map(|step| &**step).collect();
    let place: HashMap<&Address, usize> = all.iter().enumerate().map(|(index, step)| (&step.address, index)).collect();
    let mut acts = acts(&all);
    let act_of = |acts: &[Act], step: usize, part: Part| acts.iter().position(|act| act.step == step && act.part == part);
    let mut added: Vec<(Address, Address)> = Vec::new();
    for (address, around) in inner {
        let wanted = [address, around].into_iter().filter_map(|a| steps.get(a)).flat_map(|step| {
            let makes = !matches!(step.action, Action::Delete);
            step.after.iter().filter(move |_| makes)
        });
        let Some(delete) = place.get(address).and_then(|step| act_of(&acts, *step, Part::Delete)) else { continue };
        let wanted: BTreeSet<&Address> = wanted.collect();
        for needed in wanted {
            let Some(whole) = place.get(needed).and_then(|step| act_of(&acts, *step, Part::Whole)) else { continue };
            if !acts[delete].after.contains(&whole) && !super::acts::waits(&acts, whole, delete) {
                acts[delete].after.insert(whole);
                added.push((address.clone(), needed.clone()));
            }
        }
    }
    for (address, needed) in added {
        if let Some(step) = steps.get_mut(&address) {
            step.delete_after.push(needed);
            step.delete_after.sort();
        }
    }
}

/// Steps that wait for each other, if there are such: none of them could begin.
pub(super) fn circle(steps: &BTreeMap<Address, Box<Step>>) -> Option<Vec<Address>> {
    let all: Vec<&Step> = steps.values().map(|step| &**step).collect();
    let acts = acts(&all);
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); acts.len()];
    for (place, act) in acts.iter().enumerate() {
        act.after.iter().for_each(|first| waiting[*first].push(place));
    }
    let mut left: Vec<usize> = acts.iter().map(|act| act.after.len()).collect();
    let mut free: Vec<usize> = (0..acts.len()).filter(|place| left[*place] == 0).collect();
    let mut open: BTreeSet<usize> = (0..acts.len()).collect();
    while let Some(done) = free.pop() {
        open.remove(&done);
        for next in &waiting[done] {
            left[*next] -= 1;
            if left[*next] == 0 {
                free.push(*next);
            }
        }
    }
    // From any that is left along what it waits for, until one comes again.
    let mut way: Vec<usize> = vec![*open.first()?];
    loop {
        let next = acts[*way.last()?].after.iter().find(|place| open.contains(place)).copied()?;
        if let Some(at) = way.iter().position(|place| *place == next) {
            let mut named: Vec<Address> = way[at..].iter().map(|place| all[acts[*place].step].address.clone()).collect();
            named.dedup();
            return Some(named);
        }
        way.push(next);
    }
}
