//! Bodies for updates that replace more than what changed: live overlaid with desired, so that what nobody here manages
//! survives.

use super::{Fact, Field};
use crate::model::{Map, Path, Step, Value};

/// Live, without computed and input-only fields, overlaid with desired: structs field by field, keyed lists item by item,
/// everything else as desired has it (free maps keep the keys that the server adds). A null in desired leaves the field
/// out, unless the API takes null.
pub(super) fn overlay(field: Option<Field<'_>>, live: Option<&Value>, desired: &Value) -> Value {
    match (desired, live) {
        (Value::Map(desired), Some(Value::Map(live))) if field.is_some_and(|f| f.is_struct()) => members(field, live, desired),
        (Value::Map(desired), Some(Value::Map(live))) if field.is_some_and(|f| f.carried()) => Value::Map(carried(live, desired)),
        (Value::Map(desired), Some(Value::Map(live))) if field.is_some_and(|f| f.is_free_map()) => {
            let servers = |key: &str| field.is_some_and(|f| f.is_servers_key(key)) && !desired.contains_key(key);
            let mut all = stripped(field, desired);
            all.extend(live.iter().filter(|(key, _)| servers(key)).map(|(k, v)| (k.clone(), v.clone())));
            Value::Map(all)
        }
        (Value::List(items), Some(Value::List(live))) => match field.and_then(|f| f.keyed()) {
            Some(keys) => Value::List(items.iter().map(|item| overlay_item(field, keys, live, items, item)).collect()),
            None => strip(field, desired),
        },
        _ => strip(field, desired),
    }
}

fn members(field: Option<Field<'_>>, live: &Map, desired: &Map) -> Value {
    let below = |name: &str| field.and_then(|f| f.field(name));
    let mut all = Map::new();
    for (name, value) in desired {
        let field = below(name);
        if field.is_some_and(|f| f.computed()) || (*value == Value::Null && !field.is_some_and(|f| f.nullable())) {
            continue;
        }
        all.insert(name.clone(), overlay(field, live.get(name), value));
    }
    for (name, value) in live {
        // What the catalogue does not know may be a field that only replies have.
        let Some(field) = below(name) else { continue };
        if !desired.contains_key(name) && *value != Value::Null && !field.computed() && !field.input_only() {
            all.insert(name.clone(), strip(Some(field), value));
        }
    }
    Value::Map(all)
}

/// What nobody here knows: desired's members over live's, at any depth.
fn carried(live: &Map, desired: &Map) -> Map {
    let mut all = desired.clone();
    for (name, theirs) in live {
        match (all.get_mut(name), theirs) {
            (Some(Value::Map(ours)), Value::Map(theirs)) => *ours = carried(theirs, ours),
            (Some(_), _) => {}
            (None, theirs) => drop(all.insert(name.clone(), theirs.clone())),
        }
    }
    all
}

/// An item over the live one that it is: by what else tells it, or by its key; of several with one key, the one at the same turn.
fn overlay_item(field: Option<Field<'_>>, keys: &[&str], live: &[Value], items: &[Value], item: &Value) -> Value {
    let blind = |key: &str| {
        let field = field.and_then(|f| f.item()).and_then(|f| f.field(key));
        field.is_some_and(|f| f.facts().any(|fact| matches!(fact, Fact::CaseBlind)))
    };
    let same = |a: &Value, b: &Value| {
        keys.iter().all(|key| match (a.get(key), b.get(key)) {
            (Some(a), Some(b)) if blind(key) => a.key_text().eq_ignore_ascii_case(&b.key_text()),
            (Some(a), Some(b)) => a.key_text() == b.key_text(),
            (None, None) => true,
            _ => false,
        })
    };
    let also = field.and_then(|f| f.also());
    let id = |item: &Value| also.and_then(|also| item.get(also)).filter(|id| !id.is_zero()).cloned();
    let known = |id: &Option<Value>, of: &[Value]| id.is_some() && of.iter().any(|other| self::is(also, other, id.as_ref()));
    let own = id(item);
    let theirs = if known(&own, live) {
        live.iter().find(|l| self::is(also, l, own.as_ref()))
    } else if own.is_some() && [live, items].iter().any(|list| list.iter().filter(|l| same(l, item)).count() > 1) {
        None
    } else {
        let turn = items.iter().take_while(|i| !std::ptr::eq(*i, item)).filter(|i| same(i, item) && !known(&id(i), live)).count();
        live.iter().filter(|l| same(l, item) && !known(&id(l), items)).nth(turn)
    };
    overlay(field.and_then(|f| f.item()), theirs, item)
}

fn is(also: Option<&str>, item: &Value, id: Option<&Value>) -> bool {
    also.and_then(|also| item.get(also)) == id
}

/// The value without computed fields, at any depth.
pub(super) fn strip(field: Option<Field<'_>>, value: &Value) -> Value {
    match value {
        // A null is a word there as any other.
        Value::Map(map) if field.is_some_and(|f| f.carried()) => Value::Map(map.clone()),
        Value::Map(map) => Value::Map(stripped(field, map)),
        Value::List(list) => {
            let item = field.and_then(|f| f.item());
            Value::List(list.iter().map(|v| strip(item, v)).collect())
        }
        other => other.clone(),
    }
}

fn stripped(field: Option<Field<'_>>, map: &Map) -> Map {
    let below = |name: &str| field.and_then(|f| f.field(name));
    let sent = |name: &str, value: &Value| {
        let field = below(name);
        !field.is_some_and(|f| f.computed()) && (*value != Value::Null || field.is_none_or(|f| f.nullable()))
    };
    map.iter().filter(|(name, value)| sent(name, value)).map(|(name, value)| (name.clone(), strip(below(name), value))).collect()
}

/// Live without the changed paths that desired no longer has.
pub(super) fn without_removed(live: &Value, desired: &Value, paths: &[Path]) -> Value {
    let mut live = live.clone();
    for path in paths.iter().filter(|p| !p.is_root() && desired.at(p).is_none()) {
        remove(&mut live, path.steps());
    }
    live
}

fn remove(value: &mut Value, steps: &[Step]) {
    match (steps, value) {
        ([Step::Field(name)], Value::Map(map)) => {
            map.shift_remove(name);
        }
        ([Step::Field(name), rest @ ..], Value::Map(map)) => {
            if let Some(below) = map.get_mut(name) {
                remove(below, rest);
            }
        }
        ([step @ (Step::Index(_) | Step::Key(..)), rest @ ..], Value::List(list)) => {
            let at = match step {
                Step::Index(at) => Some(*at),
                Step::Key(pairs, nth) => {
                    let is = |v: &Value| pairs.iter().all(|(k, text)| v.get(k).is_some_and(|x| x.key_text() == *text));
                    list.iter().enumerate().filter(|(_, v)| is(v)).map(|(i, _)| i).nth(*nth as usize)
                }
                Step::Field(_) | Step::Inside => None,
            };
            match at.filter(|at| *at < list.len()) {
                Some(at) if rest.is_empty() => {
                    list.remove(at);
                }
                Some(at) => remove(&mut list[at], rest),
                None => {}
            }
        }
        _ => {}
    }
}
