//! Counts of a plan: of objects, where a facet counts for the object that it is a part of.

use super::{Action, Counts, DELETED, Plan, Step};
use crate::diff::Reason;

pub(super) fn counts(plan: &Plan) -> Counts {
    let mut counts = Counts::default();
    let mut rest = plan.steps.as_slice();
    // Steps are in address order: facets follow their parent.
    while let Some(first) = rest.first() {
        let owner = first.address.parent();
        let size = rest.iter().take_while(|s| s.address.parent() == owner).count();
        let (group, after) = rest.split_at(size);
        count(group, &mut counts);
        rest = after;
    }
    counts.drifted = plan.steps.iter().filter(|s| drifted(s)).count();
    counts.kept = plan.steps.iter().map(|s| s.kept.len()).sum();
    counts.blocked = plan.steps.iter().filter(|s| !s.blocks.is_empty()).count();
    counts.unmanaged = plan.steps.iter().map(|s| s.unmanaged.len()).sum();
    counts
}

/// Whether the workspace changed something of an address, or deleted it; what is kept is counted by itself. Drift is counted by address, parts too: each is
/// answered by itself.
fn drifted(step: &Step) -> bool {
    step.because.as_deref() == Some(DELETED) || step.changes.iter().any(|c| matches!(c.reason, Reason::Drift | Reason::Conflict))
}

/// One object with its facets.
fn count(group: &[Step], counts: &mut Counts) {
    counts.total += 1;
    let (own, facets) = match group.split_first() {
        Some((own, facets)) if !own.address.is_facet() => (Some(own), facets),
        _ => (None, group),
    };
    if let Some(own) = own {
        tally(own.action, counts);
        if own.moved_from.is_some() && own.action != Action::Move {
            counts.moved += 1;
        }
    }
    let stays = match own.map_or(Action::None, |s| s.action) {
        Action::None | Action::Adopt | Action::Move | Action::Forget => true,
        Action::Create | Action::Update | Action::Replace | Action::ReplaceNewFirst | Action::Delete => false,
    };
    if !stays {
        return;
    }
    if facets.iter().any(super::order::sends) {
        counts.change += 1;
    } else if own.is_none_or(|s| s.action == Action::None)
        && let Some(facet) = facets.iter().find(|s| s.action != Action::None)
    {
        tally(facet.action, counts);
    }
}

fn tally(action: Action, counts: &mut Counts) {
    match action {
        Action::None => {}
        Action::Create => counts.add += 1,
        Action::Update => counts.change += 1,
        Action::Replace | Action::ReplaceNewFirst => counts.replace += 1,
        Action::Delete => counts.delete += 1,
        Action::Adopt => counts.adopt += 1,
        Action::Move => counts.moved += 1,
        Action::Forget => counts.forget += 1,
    }
}
