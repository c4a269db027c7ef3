//! What a body becomes when live is taken as it is, at the places that changed in the workspace and nowhere else.

use crate::diff::{FieldChange, is_left_out};
use crate::kinds::{Field, Kind, Schema};
use crate::model::{Map, Path, Step, Value};

/// `base` with the values of `live` at the paths of these changes. What stands for a secret stays as it is, and what no read
/// gives back.
#[must_use]
pub fn accepted(kind: &'static Kind, base: &Value, changes: &[&FieldChange], live: &Value) -> Value {
    let mut body = base.clone();
    let mut done: Vec<&Path> = Vec::new();
    for change in changes.iter().filter(|c| !is_secret(c) && can_be_read(kind, c)) {
        if done.contains(&&change.path) {
            continue;
        }
        done.push(&change.path);
        let together: Vec<&FieldChange> = changes.iter().copied().filter(|c| c.path == change.path).collect();
        put(&mut body, Some(Schema::of(kind).root()), change.path.steps(), live, &together);
    }
    body
}

/// Whether live could say anything of the field.
#[must_use]
pub fn can_be_read(kind: &'static Kind, change: &FieldChange) -> bool {
    !Schema::of(kind).at(&change.path).is_some_and(|field| field.input_only())
}

/// Whether either side of a change is a secret.
#[must_use]
pub fn is_secret(change: &FieldChange) -> bool {
    [&change.old, &change.new].into_iter().flatten().any(|v| v.has_secret() || v.get("$secret").is_some())
}

/// Goes down both and sets the last place.
fn put(body: &mut Value, field: Option<Field<'_>>, steps: &[Step], live: &Value, changes: &[&FieldChange]) {
    let Some((step, rest)) = steps.split_first() else {
        *body = match (&*body, live) {
            (Value::List(ours), Value::List(theirs)) if field.is_some_and(|f| f.keyed().is_none()) => list(ours, theirs, field, changes),
            _ => tidy(field, live),
        };
        return;
    };
    if matches!(step, Step::Inside) {
        return inside(body, field, rest, live, changes);
    }
    let below = field.and_then(|f| match step {
        Step::Field(name) => f.field(name),
        Step::Index(_) | Step::Key(..) => f.item(),
        Step::Inside => Some(f.inside()),
    });
    let theirs = live.step(step).filter(|v| !matches!(v, Value::Null));
    let Some(theirs) = theirs else { return remove(body, step) };
    if let Some(ours) = step_mut(body, step) {
        return put(ours, below, rest, theirs, changes);
    }
    let value = tidy(below, theirs);
    match (body, step) {
        (Value::Map(map), Step::Field(name)) => drop(map.insert(name.clone(), value)),
        (Value::List(items), _) => items.push(value),
        (other, Step::Field(name)) => *other = Value::map([(name.clone(), value)]),
        (other, _) => *other = Value::List(vec![value]),
    }
}

fn remove(body: &mut Value, step: &Step) {
    let at = body.step(step).map(std::ptr::from_ref::<Value>);
    match (body, step) {
        (Value::Map(map), Step::Field(name)) => drop(map.shift_remove(name)),
        (Value::List(items), _) => {
            if let Some(n) = items.iter().position(|i| Some(std::ptr::from_ref(i)) == at) {
                items.remove(n);
            }
        }
        _ => {}
    }
}

fn step_mut<'v>(body: &'v mut Value, step: &Step) -> Option<&'v mut Value> {
    let at = body.step(step).map(std::ptr::from_ref::<Value>)?;
    match (body, step) {
        (Value::Map(map), Step::Field(name)) => map.get_mut(name),
        (Value::List(items), _) => items.iter_mut().find(|i| std::ptr::from_ref::<Value>(i) == at),
        _ => None,
    }
}

/// A list without keys: what live has, in our order where the order says nothing.
fn list(ours: &[Value], theirs: &[Value], field: Option<Field<'_>>, changes: &[&FieldChange]) -> Value {
    let item = field.and_then(|f| f.item());
    if !field.is_some_and(|f| f.set()) {
        return Value::List(theirs.iter().map(|v| tidy(item, v)).collect());
    }
    let mut items = ours.to_vec();
    for change in changes {
        if let (None, Some(gone)) = (&change.old, &change.new)
            && let Some(at) = items.iter().position(|i| i == gone)
        {
            items.remove(at);
        }
    }
    items.extend(changes.iter().filter(|c| c.new.is_none()).filter_map(|c| c.old.as_ref()).map(|v| tidy(item, v)));
    Value::List(items)
}

/// JSON in a text: read, edited inside, written as it was laid out.
fn inside(body: &mut Value, field: Option<Field<'_>>, steps: &[Step], live: &Value, changes: &[&FieldChange]) {
    let read = |v: &Value| match v {
        Value::Text(text) => crate::model::json::parse(text.as_bytes()).ok(),
        other => Some(other.clone()),
    };
    let (Some(mut ours), Some(theirs)) = (read(body), read(live)) else { return };
    put(&mut ours, field.map(|f| f.inside()), steps, &theirs, changes);
    *body = match &*body {
        Value::Text(text) if text.contains('\n') => {
            serde_json::from_str::<serde_json::Value>(&crate::model::json::write(&ours).unwrap_or_default())
                .ok()
                .and_then(|v| serde_json::to_string_pretty(&v).ok())
                .map_or(Value::Null, |t| Value::Text(if text.ends_with('\n') { t + "\n" } else { t }))
        }
        Value::Text(_) => Value::Text(crate::model::json::write(&ours).unwrap_or_default()),
        _ => ours,
    };
}

/// A value as a person would write it: without what only the server fills or would choose anyway.
#[must_use]
pub fn tidy(field: Option<Field<'_>>, value: &Value) -> Value {
    match (value, field) {
        (Value::Map(map), Some(field)) if field.is_struct() => {
            let mut kept = Map::new();
            for (name, below) in map {
                match field.field(name) {
                    Some(known) if is_left_out(known, below, map) && !known.required() => {}
                    known => drop(kept.insert(name.clone(), tidy(known, below))),
                }
            }
            Value::Map(kept)
        }
        (Value::Map(map), Some(field)) => {
            let ours = map.iter().filter(|(k, _)| !field.is_servers_key(k));
            Value::Map(ours.map(|(k, v)| (k.clone(), tidy(field.field(k), v))).collect())
        }
        (Value::List(items), field) => Value::List(items.iter().map(|v| tidy(field.and_then(|f| f.item()), v)).collect()),
        (other, _) => other.clone(),
    }
}
