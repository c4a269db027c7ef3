//! What others set on an object and a replacement loses: their permissions, grants, tags on the old object are not made again
//! on the new one, because no YAML says them.

use super::change::view;
use super::make::Maker;
use super::{Action, Plan, Step};
use crate::kinds::{Context, Facet, Fact, From, Kind, Lifetime, Registry, View};
use crate::model::{Address, Map, Value};
use crate::refresh::{Live, Snapshot};

/// How many names a note tells.
const TOLD: usize = 5;

/// A part of an object that nobody has read.
#[derive(Clone)]
pub struct Unread {
    /// The part's address, under which the state and the snapshot know it.
    pub address: Address,
    /// Its kind.
    pub kind: &'static Kind,
    /// The fields that tell whose it is.
    pub body: Value,
}

fn is_replaced(step: &Step) -> bool {
    matches!(step.action, Action::Replace | Action::ReplaceNewFirst) && !step.address.is_facet()
}

/// Each part that an object of this step may have, under its address before this plan.
fn parts<'s>(step: &'s Step, registry: &Registry) -> Vec<(&'static Facet, Address, &'s Step)> {
    let facets = registry.get(&step.kind).filter(|kind| kind.lifetime == Lifetime::Own).map_or(&[][..], |kind| kind.facets);
    let before = step.moved_from.as_ref().unwrap_or(&step.address);
    facets.iter().map(|facet| (facet, Address { facet: Some(facet.name.to_owned()), ..before.clone() }, step)).collect()
}

/// The fields that tell whose part it is; none where the object does not say.
fn bound(facet: &Facet, step: &Step) -> Option<Map> {
    let one = |(field, from): &(&str, From)| {
        let value = match from {
            From::Text(word) => Value::from(*word),
            From::Id => Value::from(step.id.as_deref()?),
            From::Field(name) => step.live.as_ref()?.get(name)?.clone(),
        };
        Some(((*field).to_owned(), value))
    };
    facet.bind.iter().map(one).collect()
}

/// The parts of what a plan replaces that nobody has read: YAML does not declare them, and others may have set them.
#[must_use]
pub fn unread(plan: &Plan, registry: &Registry, live: &Snapshot) -> Vec<Unread> {
    let all = plan.steps.iter().filter(|step| is_replaced(step)).flat_map(|step| parts(step, registry));
    let unknown = all.filter(|(_, address, _)| !live.objects.contains_key(address) && !live.parts.contains_key(address));
    let asked =
        unknown.filter_map(|(facet, address, step)| Some(Unread { address, kind: facet.kind, body: Value::Map(bound(facet, step)?) }));
    asked.collect()
}

impl Maker<'_> {
    /// Says at each replacement what others set on the old object.
    pub(super) fn tell_what_is_lost(&mut self) {
        let Some(live) = self.inputs.live else { return };
        let replaced = self.steps.values().filter(|step| is_replaced(step));
        let told: Vec<(Address, String)> = replaced.filter_map(|step| Some((step.address.clone(), self.lost(step, live)?))).collect();
        for (address, note) in told {
            if let Some(step) = self.steps.get_mut(&address) {
                step.takes.push(note);
            }
        }
    }

    fn lost(&self, step: &Step, live: &Snapshot) -> Option<String> {
        let (mut counts, mut names) = (Vec::new(), Vec::new());
        for (facet, before, _) in parts(step, self.inputs.registry) {
            let ((Some(Live::Found { body, .. }), _) | (_, Some(Ok(Some(body))))) = (live.objects.get(&before), live.parts.get(&before))
            else {
                continue;
            };
            let now = Address { facet: before.facet.clone(), ..step.address.clone() };
            let others = self.others(facet, step, (&before, &now), body);
            if !others.is_empty() {
                let one = facet.name.strip_suffix('s').unwrap_or(facet.name);
                counts.push(if others.len() == 1 { format!("1 {one}") } else { format!("{} {}", others.len(), facet.name) });
                names.extend(others);
            }
        }
        let is = if counts.len() == 1 && names.len() == 1 { "is" } else { "are" };
        let more = names.len().saturating_sub(TOLD);
        names.truncate(TOLD);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!counts.is_empty()).then(|| format!("{} that others set {is} lost: {}{more}", counts.join(" and "), names.join(", ")))
    }

    /// Who and what is in a part, and neither in YAML nor in what was applied: by names.
    fn others(&self, facet: &Facet, step: &Step, (before, now): (&Address, &Address), live: &Value) -> Vec<String> {
        let desired = self.inputs.desired.resources.get(now).map(|resource| &resource.body);
        let applied = self.inputs.state.resources.get(before).map(|entry| &entry.applied);
        // As if YAML were to have the whole of it: all that is compared then is somebody's.
        let mut whole = desired.and_then(Value::as_map).cloned().unwrap_or_default();
        whole.shift_remove("mode");
        whole.extend(bound(facet, step).unwrap_or_default());
        let whole = Value::Map(whole);
        let context = Context { exclusive: true, ..self.context(now, true) };
        let seen = view(facet.kind, &View { live, desired: &whole, applied: None, context: &context }, live);
        let named = |body: &Value| names(facet, body);
        let known: Vec<String> = [desired, applied].into_iter().flatten().flat_map(named).map(|name| name.to_lowercase()).collect();
        let mut others: Vec<String> = named(&seen).into_iter().filter(|name| !known.contains(&name.to_lowercase())).collect();
        others.dedup();
        others
    }
}

/// What the items of a part are called: keys of a map, or the field by which the items of a list are told from each other.
fn names(facet: &Facet, body: &Value) -> Vec<String> {
    let keys = facet.kind.facts.iter().find_map(|(at, fact)| match fact {
        Fact::Keyed(keys) if *at == facet.body => Some(*keys),
        _ => None,
    });
    match body.get(facet.body) {
        Some(Value::Map(map)) => map.keys().cloned().collect(),
        Some(Value::List(items)) => items
            .iter()
            .filter_map(|item| keys.unwrap_or_default().iter().find_map(|key| item.get(key).filter(|v| **v != Value::Null)))
            .map(Value::key_text)
            .collect(),
        _ => vec![],
    }
}
