//! What a plan may not take away: the place of the state that it is made from. The journal, the lease and every version go
//! with it, in the midst of the apply that writes them.

use super::change::{Naming, naming};
use super::step::block;
use super::{Action, Inputs, Step};
use crate::state::remote::Place;

/// Blocks each step that deletes, replaces or renames what is the place of the state, or has it inside.
pub(super) fn check(steps: &mut [Step], inputs: &Inputs<'_>) {
    let Ok(place) = inputs.state_place.parse::<Place>() else { return };
    for step in steps {
        let Some(verb) = verb(step, inputs) else { continue };
        let id = step.id.as_deref().or_else(|| inputs.state.resources.get(&step.address).map(|entry| entry.id.as_str()));
        if !id.is_some_and(|id| holds(&step.kind, id, &place)) {
            continue;
        }
        let reason = format!(
            "{} would be {verb}, and the state of {} is kept in it ({}): it would be lost on the way",
            step.address, inputs.environment.name, inputs.state_place
        );
        let remedy = vec![
            format!(
                "move the state first: brickform state migrate --env {} --to URL (a bucket, or a file), then name that in `state: {{ backend: URL }}`",
                inputs.environment.name
            ),
            format!("or leave it alone: forget: ['{}']", step.address),
        ];
        step.blocks.push(block("refused", reason, remedy));
    }
}

fn verb(step: &Step, inputs: &Inputs<'_>) -> Option<&'static str> {
    match step.action {
        Action::Delete => Some("deleted"),
        Action::Replace | Action::ReplaceNewFirst => Some("replaced"),
        // The place keeps the old name: nothing is found there afterwards.
        Action::Update => {
            let kind = inputs.registry.get(&step.kind)?;
            step.changes.iter().any(|change| !matches!(naming(kind, &change.path), Naming::None)).then_some("renamed")
        }
        Action::None | Action::Create | Action::Adopt | Action::Move | Action::Forget => None,
    }
}

/// Whether the object of this kind and id is where the state is, or has that inside.
fn holds(kind: &str, id: &str, place: &Place) -> bool {
    match (kind, place) {
        ("catalogs" | "schemas" | "volumes", Place::Volume(folder)) => {
            // Unity Catalog takes names in any case.
            let inside = |text: &str| text.trim_matches('/').to_lowercase();
            is_within(&inside(folder), &format!("volumes/{}", inside(&id.replace('.', "/"))))
        }
        ("directories", Place::Workspace(folder)) => is_within(unprefixed(folder), unprefixed(id)),
        _ => false,
    }
}

/// `/Workspace/Shared` and `/Shared` are the same folder.
fn unprefixed(path: &str) -> &str {
    path.strip_prefix("/Workspace").filter(|rest| rest.starts_with('/')).unwrap_or(path).trim_matches('/')
}

fn is_within(folder: &str, outer: &str) -> bool {
    folder.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
