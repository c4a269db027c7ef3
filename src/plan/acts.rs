//! What is carried out of a plan, and in which order: a step is one act, but for a replacement whose old object goes at another
//! time than its new one is made. What is in another object goes before that does, and comes again after it has.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Halves, Step};
use crate::model::Address;

/// What of a step an act is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All of it.
    Whole,
    /// The old object of a replacement is deleted.
    Delete,
    /// The new object of a replacement is made.
    Make,
}

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The step, by its place among all.
    pub step: usize,
    /// What of it.
    pub part: Part,
    /// The acts that come first, by their places.
    pub after: BTreeSet<usize>,
}

/// The parts of a step, in the order in which they come.
#[must_use]
pub fn parts(step: &Step) -> &'static [Part] {
    match (step.action, step.halves) {
        (Action::Replace, Halves::Apart) => &[Part::Delete, Part::Make],
        // An update or a create may find the old object of an earlier replacement, which was to be deleted.
        (Action::ReplaceNewFirst | Action::Update | Action::Create, Halves::Apart) => &[Part::Make, Part::Delete],
        _ => &[Part::Whole],
    }
}

/// The acts of these steps, in the steps' order. Addresses that are no step are nothing to wait for.
#[must_use]
pub fn acts(steps: &[&Step]) -> Vec<Act> {
    let mut acts: Vec<Act> = Vec::with_capacity(steps.len());
    // Of each address the act that makes what others need, and the one that takes away what is in the way.
    let mut of: BTreeMap<&Address, (usize, usize)> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let first = acts.len();
        acts.extend(parts(step).iter().map(|part| Act { step: index, part: *part, after: BTreeSet::new() }));
        let place = |part: Part| (first..acts.len()).find(|at| acts[*at].part == part).unwrap_or(first);
        of.insert(&step.address, (place(Part::Make), place(Part::Delete)));
    }
    for place in 0..acts.len() {
        let Act { step: index, part, .. } = acts[place];
        let step = steps[index];
        let find = |list: &[Address], takes_away: bool| -> Vec<usize> {
            let one = |address: &Address| of.get(address).map(|(makes, deletes)| if takes_away { *deletes } else { *makes });
            list.iter().filter_map(one).collect()
        };
        let mut after: BTreeSet<usize> = BTreeSet::new();
        if part != Part::Delete {
            // What goes for good waits until others have let go of it, not until they are there again.
            after.extend(find(&step.after, matches!(step.action, Action::Delete | Action::Forget)));
        }
        if part != Part::Make {
            after.extend(find(&step.delete_after, true));
        }
        let is_second = place > 0 && acts[place - 1].step == index;
        after.extend(is_second.then(|| place - 1));
        after.remove(&place);
        acts[place].after = after;
    }
    acts
}

/// Whether the first of two acts waits for the second, at any distance.
pub(super) fn waits(acts: &[Act], first: usize, second: usize) -> bool {
    let (mut open, mut seen) = (vec![first], BTreeSet::new());
    while let Some(at) = open.pop() {
        if at == second {
            return true;
        }
        if seen.insert(at) {
            open.extend(&acts[at].after);
        }
    }
    false
}
