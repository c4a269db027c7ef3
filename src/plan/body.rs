//! Bodies: the one that is sent, the one that the state records.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::kinds::{self, Field, Identity, Kind};
use crate::model::{Address, Deferred, Path, Reference, Step, Value};

/// A body as the state records it: secrets by source and fingerprint. Unknown values stay; apply fills them.
pub(super) fn recorded(value: &Value, secrets: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::Secret(d) => secrets.get(&d.source).cloned().unwrap_or_else(|| Value::map([("$secret", Value::text(d.source.as_str()))])),
        Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), recorded(v, secrets))).collect()),
        Value::List(list) => Value::List(list.iter().map(|v| recorded(v, secrets)).collect()),
        other => other.clone(),
    }
}

/// Whether the state's record is that of this body, without making one.
pub(super) fn is_record_of(record: &Value, body: &Value, secrets: &BTreeMap<String, Value>) -> bool {
    match (record, body) {
        (_, Value::Secret(_)) => *record == recorded(body, secrets),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && b.iter().all(|(k, v)| a.get(k).is_some_and(|r| is_record_of(r, v, secrets)))
        }
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(r, v)| is_record_of(r, v, secrets)),
        _ => record == body,
    }
}

/// The body with ignored fields as they are live: `ignore_changes` keeps what is there also where everything is sent.
pub(super) fn with_ignored(mut body: Value, ignore: &[Path], live: &Value) -> Value {
    for path in ignore {
        as_there(&mut body, path.steps(), Some(live));
    }
    body
}

/// Gives a place what the workspace has there, if YAML says something of it. An item that the workspace has under another name is
/// the one with its id; what an item is known by is never taken from it.
fn as_there(body: &mut Value, steps: &[Step], live: Option<&Value>) {
    match (steps, body) {
        ([], body) => {
            if let Some(live) = live {
                *body = live.clone();
            }
        }
        ([Step::Field(name)], Value::Map(map)) if map.contains_key(name) => match live.and_then(|live| live.get(name)) {
            Some(value) => _ = map.insert(name.clone(), value.clone()),
            None => _ = map.shift_remove(name),
        },
        ([Step::Field(name), rest @ ..], Value::Map(map)) => {
            if let Some(inner) = map.get_mut(name) {
                as_there(inner, rest, live.and_then(|live| live.get(name)));
            }
        }
        ([Step::Index(i), rest @ ..], Value::List(list)) => {
            if let Some(inner) = list.get_mut(*i) {
                as_there(inner, rest, live.and_then(|live| live.step(&Step::Index(*i))));
            }
        }
        ([key @ Step::Key(pairs, nth), rest @ ..], Value::List(list)) => {
            let is_it = |item: &&mut Value| pairs.iter().all(|(k, v)| item.get(k).is_some_and(|x| x.key_text() == *v));
            let Some(inner) = list.iter_mut().filter(is_it).nth(*nth as usize) else { return };
            let id = inner.get("id").filter(|id| !id.is_zero());
            let by_id = || live.and_then(Value::as_list)?.iter().find(|other| id.is_some() && other.get("id") == id);
            let there = by_id().or_else(|| live.and_then(|live| live.step(key)));
            let names_it = matches!(rest, [Step::Field(name)] if pairs.iter().any(|(k, _)| k == name));
            if there.is_some() || !names_it {
                as_there(inner, rest, there);
            }
        }
        _ => {}
    }
}

/// Puts a value at a path, or takes it away. Where the way there is missing, nothing happens, except for the last map entry.
pub(super) fn put(body: &mut Value, steps: &[Step], value: Option<Value>) {
    let Some((step, rest)) = steps.split_first() else {
        if let Some(value) = value {
            *body = value;
        }
        return;
    };
    match (step, body) {
        (Step::Field(name), Value::Map(map)) if rest.is_empty() => match value {
            Some(value) => _ = map.insert(name.clone(), value),
            None => _ = map.shift_remove(name),
        },
        (Step::Field(name), Value::Map(map)) => {
            if let Some(inner) = map.get_mut(name) {
                put(inner, rest, value);
            }
        }
        (Step::Index(i), Value::List(list)) => {
            if let Some(inner) = list.get_mut(*i) {
                put(inner, rest, value);
            }
        }
        (Step::Key(pairs, nth), Value::List(list)) => {
            let mut matching = list.iter_mut().filter(|item| pairs.iter().all(|(k, v)| item.get(k).is_some_and(|x| x.key_text() == *v)));
            if let Some(inner) = matching.nth(*nth as usize) {
                put(inner, rest, value);
            }
        }
        _ => {}
    }
}

/// The id of an object that is made by the step itself.
pub(super) fn unknown_id(address: &Address) -> Value {
    Value::Unknown(Arc::new(Deferred::of(Reference { address: address.clone(), path: Path::field("id") })))
}

/// The id of an object that is known by fields of its body; none where the server picks one or a part is not known yet.
pub(super) fn named_id(kind: &Kind, body: &Value) -> Option<String> {
    match kind.identity {
        Identity::Assigned(_) => None,
        Identity::Single(_) | Identity::Named { .. } => kinds::id_of(kind, body).map(|id| id.key_text()),
    }
}

/// What a person calls an object, from any body of it.
pub(super) fn name_of(kind: &Kind, bodies: &[&Value]) -> Option<String> {
    let part = |field: &str| bodies.iter().find_map(|b| b.get(field).and_then(Value::as_str).map(str::to_owned));
    let parts: Vec<String> = kind.natural.fields.iter().map(|f| part(f)).collect::<Option<_>>()?;
    (!parts.is_empty()).then(|| parts.join("."))
}

/// The object's page: the host, then the kind's template with fields filled in. None while one is unknown.
#[must_use]
pub fn link(kind: &Kind, host: &str, id: &str, bodies: &[&Value]) -> Option<String> {
    let mut link = host.trim_end_matches('/').to_owned();
    let mut rest = kind.link?;
    while let Some((before, after)) = rest.split_once('{') {
        let (field, after) = after.split_once('}')?;
        link.push_str(before);
        if field == "id" {
            link.push_str(id);
        } else {
            let value = bodies.iter().find_map(|b| b.get(field)).filter(|v| !matches!(v, Value::Unknown(_) | Value::Secret(_)))?;
            link.push_str(&value.key_text());
        }
        rest = after;
    }
    link.push_str(rest);
    Some(link)
}

/// The facts of every field on the way to a path.
pub(super) fn fields_on<'a>(root: Field<'a>, path: &Path) -> Vec<Field<'a>> {
    let mut on_the_way = vec![];
    let mut here = Some(root);
    for step in path.steps() {
        here = here.and_then(|f| match step {
            Step::Field(name) => f.field(name),
            Step::Index(_) | Step::Key(..) => f.item(),
            Step::Inside => Some(f.inside()),
        });
        on_the_way.extend(here);
    }
    on_the_way
}
