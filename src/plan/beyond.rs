//! What the last apply sent by the other of two APIs of the same objects, and the one that the workspace is asked by now has no
//! place for: it shows nothing of that, and no request of it takes it away.
//!
//! Owns that it is told, and that the state does not forget it. What YAML still names is an error at its line, not told here.

use super::body::put;
use super::step::block;
use super::{Block, Inputs, Scope};
use crate::kinds::{Kind, Schema};
use crate::model::{Address, Path, Step, Value};
use crate::state::Entry;

/// A warning for each place.
pub(super) fn told(inputs: &Inputs<'_>, scope: &Scope) -> Vec<Block> {
    if inputs.options.destroy {
        return vec![];
    }
    let of = |(address, entry): (&Address, &Entry)| {
        let resource = inputs.desired.resources.get(address).filter(|_| scope.holds(address))?;
        let kind = inputs.registry.current(resource.kind);
        let places = places(kind, &entry.applied, &resource.body);
        Some(places.into_iter().map(|(path, _)| warning(inputs, kind, address, entry, &path)).collect::<Vec<_>>())
    };
    inputs.state.resources.iter().filter_map(of).flatten().collect()
}

fn warning(inputs: &Inputs<'_>, kind: &Kind, address: &Address, entry: &Entry, path: &Path) -> Block {
    let (setting, [this, other]) = kind.otherwise.map_or(("", ["", ""]), |otherwise| (otherwise.setting, otherwise.words));
    let reason = format!(
        "{address}: `{path}` was applied by the {other} API and is not in YAML any more; the {this} API, by which the workspace is asked now, \
         neither shows it nor takes it away, and it may be there still. Where the workspace has the {other} API, `workspace: {{ {setting}: {other} }}` \
         takes it away; otherwise take it away there, and let the state forget it: `brickform state rm --env {environment} {address}`, then \
         `brickform adopt --env {environment} {address} --id {id}`",
        environment = inputs.environment.name,
        id = entry.id,
    );
    block("state", reason, vec![])
}

/// What was applied, without what this API could not show.
pub(super) fn without(kind: &'static Kind, applied: &Value, desired: &Value) -> Option<Value> {
    let places = places(kind, applied, desired);
    let mut rest = (!places.is_empty()).then(|| applied.clone())?;
    for (path, _) in &places {
        put(&mut rest, path.steps(), None);
    }
    Some(rest)
}

/// The record of what is sent now, with what is there of an earlier one and stays.
pub(super) fn kept(kind: &'static Kind, before: Option<&Value>, mut record: Value) -> Value {
    for (path, value) in before.map(|before| places(kind, before, &record)).unwrap_or_default() {
        put(&mut record, path.steps(), Some(value));
    }
    record
}

/// Where something stands that this API has no place for, by the keys of the items on the way; nothing that is wanted.
fn places(kind: &'static Kind, applied: &Value, desired: &Value) -> Vec<(Path, Value)> {
    // The second of two APIs says in the notes of an update what that takes away.
    let Some(carries) = kind.hooks.carries.filter(|_| kind.otherwise.is_some()) else { return vec![] };
    let found = carries(applied).into_iter().map(|refusal| by_keys(kind, applied, &refusal.path));
    let gone = found.filter(|path| desired.at(path).is_none_or(Value::is_zero));
    gone.filter_map(|path| applied.at(&path).cloned().map(|value| (path, value))).collect()
}

/// The same path, with the keys of items in the place of their numbers.
fn by_keys(kind: &'static Kind, body: &Value, path: &Path) -> Path {
    let mut field = Some(Schema::of(kind).root());
    let mut here = Some(body);
    let mut named = Path::root();
    for step in path.steps() {
        let list = here.and_then(Value::as_list).unwrap_or_default();
        let keys = field.and_then(|field| field.keyed());
        let name = match step {
            Step::Index(i) => list.get(*i).zip(keys).and_then(|(item, keys)| key_of(item, keys, &list[..*i])),
            _ => None,
        };
        field = field.and_then(|field| match step {
            Step::Field(name) => field.field(name),
            Step::Index(_) | Step::Key(..) => field.item(),
            Step::Inside => Some(field.inside()),
        });
        here = here.and_then(|value| value.step(step));
        named.push(name.unwrap_or_else(|| step.clone()));
    }
    named
}

fn key_of(item: &Value, keys: &[&str], before: &[Value]) -> Option<Step> {
    let pairs = |item: &Value| keys.iter().map(|key| Some(((*key).to_owned(), item.get(key)?.key_text()))).collect::<Option<Vec<_>>>();
    let own = pairs(item)?;
    let nth = before.iter().filter(|other| pairs(other).as_ref() == Some(&own)).count();
    Some(Step::Key(own, u32::try_from(nth).ok()?))
}
