//! Who may manage securables of Unity Catalog: whoever owns them or has MANAGE on them, or on what they are in.

use std::collections::HashMap;

use super::held::{self, Held, Sort};
use super::{Inputs, Object, Plan, Step, live};
use crate::model::Value;

/// Kinds whose objects have an owner, hold securables, or are held by them.
const OWNED: [&str; 3] = ["catalogs", "schemas", "volumes"];

/// What the plan knows of one securable.
#[derive(Default)]
struct Known {
    before: Vec<Held>,
    after: Vec<Held>,
    /// Whether its owner changes.
    given_away: bool,
    /// Whether its grants were read, so that their step speaks for it.
    listed: bool,
}

/// All securables of a plan, by full name in lower case.
pub(super) struct Securables {
    known: HashMap<String, Known>,
}

impl Securables {
    /// Reads owners and grants out of what the workspace answered; an owner that was not read out of the state.
    pub fn of(plan: &Plan, inputs: &Inputs<'_>) -> Self {
        let mut known: HashMap<String, Known> = HashMap::new();
        for step in &plan.steps {
            let Some(name) = full_name(step).filter(|_| !held::goes(step)) else { continue };
            let of = known.entry(name).or_default();
            if step.kind == "grants" {
                let Some(reply) = live(inputs, step) else { continue };
                let calls = step.calls.iter().chain(&step.delete_calls);
                of.before.extend(held::now(Sort::Grants, reply));
                of.after.extend(held::later(Sort::Grants, reply, calls));
                of.listed = true;
                continue;
            }
            let recorded = || inputs.state.resources.get(step.moved_from.as_ref().unwrap_or(&step.address)).map(|entry| &entry.applied);
            let Some(owner) = live(inputs, step).or_else(recorded).and_then(|body| body.get("owner")?.as_str()) else { continue };
            let next = step.changes.iter().find(|c| c.path.to_string() == "owner");
            of.before.push(Held::owner(owner));
            of.after.extend(next.map_or(Some(owner), |c| c.new.as_ref().and_then(Value::as_str)).map(Held::owner));
            of.given_away = next.is_some();
        }
        Self { known }
    }

    /// The securable that a step changes or lists; none where another step speaks for it.
    pub fn object(&self, step: &Step) -> Option<Object> {
        let name = full_name(step).filter(|_| !held::goes(step))?;
        let own = self.known.get(&name)?;
        let sends = step.calls.iter().chain(&step.delete_calls).next().is_some();
        let speaks = if step.kind == "grants" { own.listed } else { own.given_away && !own.listed };
        if !speaks {
            return None;
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        // Its own first: the first that lets the caller manage it is the one that is told.
        let mut ends: Vec<usize> = name.match_indices('.').map(|(at, _)| at).chain([name.len()]).collect();
        ends.reverse();
        for known in ends.into_iter().filter_map(|end| self.known.get(&name[..end])) {
            before.extend(known.before.iter().cloned());
            after.extend(known.after.iter().cloned());
        }
        Some(Object { sort: Sort::Grants, before, after, changes: sends || own.given_away })
    }
}

/// `main.sales` of a schema or of its grants.
fn full_name(step: &Step) -> Option<String> {
    let id = step.id.as_deref()?;
    match step.kind.as_str() {
        "grants" => id.split_once('/').map(|(_, name)| name.to_lowercase()),
        kind if OWNED.contains(&kind) => Some(id.to_lowercase()),
        _ => None,
    }
}
