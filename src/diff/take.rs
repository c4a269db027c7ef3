//! Values of the workspace put into a body, at the places that changed there and nowhere else.

use super::{FieldChange, is_left_out};
use crate::kinds::{Fact, Field, Kind, Schema};
use crate::model::{Map, Path, Step, Value, json};

/// How values are put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As the workspace answers them: to be sent back.
    AsIs,
    /// As a person would write them, without what only the server fills or would choose anyway.
    Tidy,
}

/// What is done at one place.
enum Deed {
    Set(Value),
    Remove,
    /// Items of a set that go and come.
    Items {
        gone: Vec<Value>,
        come: Vec<Value>,
    },
}

/// `base` with what live has at the paths of these changes ([`FieldChange::old`]). What holds something that the workspace
/// has no more goes too, once nothing is left in it but what the server would choose.
#[must_use]
pub fn taken(kind: &'static Kind, base: &Value, changes: &[&FieldChange], live: &Value, form: Form) -> Value {
    let mut body = base.clone();
    let schema = Schema::of(kind);
    let mut done: Vec<&Path> = Vec::new();
    // What an item is found by changes last, so that the paths of its other fields lead to it.
    let (names, others): (Vec<&FieldChange>, Vec<&FieldChange>) = changes.iter().copied().partition(|c| is_of_key(kind, &c.path));
    for change in others.into_iter().chain(names) {
        if done.contains(&&change.path) {
            continue;
        }
        done.push(&change.path);
        let together: Vec<&FieldChange> = changes.iter().copied().filter(|c| c.path == change.path).collect();
        let deed = deed(schema.at(&change.path), &together, live, form);
        put(&mut body, Some(schema.root()), change.path.steps(), Some(live), &deed);
    }
    body
}

/// Whether a path is of a member that items of its list are recognised by.
fn is_of_key(kind: &'static Kind, path: &Path) -> bool {
    let [list @ .., Step::Key(..), Step::Field(name)] = path.steps() else { return false };
    let keys = Schema::of(kind).at(&Path::from(list.to_vec())).and_then(|field| field.keyed());
    keys.is_some_and(|keys| keys.contains(&name.as_str()))
}

/// The same places in a body whose items have the names that the workspace gave them ([`FieldChange::old`]).
pub(super) fn as_named_there(kind: &'static Kind, changes: &[FieldChange]) -> Vec<FieldChange> {
    let named: Vec<(&[Step], &str, String)> = changes
        .iter()
        .filter(|change| is_of_key(kind, &change.path))
        .filter_map(|change| match change.path.steps() {
            [item @ .., Step::Field(name)] => Some((item, name.as_str(), change.old.as_ref()?.key_text())),
            _ => None,
        })
        .collect();
    let there = |steps: &[Step]| match steps.last() {
        Some(Step::Key(pairs, nth)) => {
            let name = |key: &str| named.iter().find(|(item, name, _)| *item == steps && *name == key).map(|(.., text)| text.clone());
            Step::Key(pairs.iter().map(|(key, text)| (key.clone(), name(key).unwrap_or_else(|| text.clone()))).collect(), *nth)
        }
        last => last.cloned().unwrap_or(Step::Inside),
    };
    let path = |path: &Path| Path::from((1..=path.steps().len()).map(|n| there(&path.steps()[..n])).collect::<Vec<_>>());
    changes.iter().map(|change| FieldChange { path: path(&change.path), ..change.clone() }).collect()
}

/// Whether the changes of one path are about items of a list that has no keys, not about one value.
pub(super) fn is_of_items(field: Option<Field<'_>>, together: &[&FieldChange], live: &Value) -> bool {
    let Some(first) = together.first() else { return false };
    let lists = |side: &Option<Value>| side.as_ref().is_none_or(|v| matches!(v, Value::List(_)));
    let whole = together.len() == 1 && lists(&first.old) && lists(&first.new);
    let is_list = live.at(&first.path).is_some_and(|v| matches!(v, Value::List(_))) || field.is_some_and(|f| f.set());
    !whole && is_list && field.is_none_or(|f| f.keyed().is_none())
}

fn deed(field: Option<Field<'_>>, together: &[&FieldChange], live: &Value, form: Form) -> Deed {
    let shaped = |field: Option<Field<'_>>, value: &Value| if form == Form::Tidy { tidy(field, value) } else { value.clone() };
    let first = together[0];
    if !is_of_items(field, together, live) {
        let there = || live.at(&first.path).filter(|v| !matches!(v, Value::Null));
        return first.old.as_ref().or_else(there).map_or(Deed::Remove, |old| Deed::Set(shaped(field, old)));
    }
    if !field.is_some_and(|f| f.set()) {
        return live.at(&first.path).map_or(Deed::Remove, |theirs| Deed::Set(shaped(field, theirs)));
    }
    let item = field.and_then(|f| f.item());
    let gone = together.iter().filter(|c| c.old.is_none()).filter_map(|c| c.new.clone()).collect();
    let come = together.iter().filter(|c| c.new.is_none()).filter_map(|c| c.old.as_ref()).map(|v| shaped(item, v)).collect();
    Deed::Items { gone, come }
}

/// Goes down both and does what is to be done at the last place.
fn put(body: &mut Value, field: Option<Field<'_>>, steps: &[Step], live: Option<&Value>, deed: &Deed) {
    let Some((step, rest)) = steps.split_first() else { return at_last(body, field, deed) };
    if matches!(step, Step::Inside) {
        return inside(body, field, rest, live, deed);
    }
    let below = field.and_then(|f| match step {
        Step::Field(name) => f.field(name),
        Step::Index(_) | Step::Key(..) => f.item(),
        Step::Inside => Some(f.inside()),
    });
    let removes = matches!(deed, Deed::Remove);
    let theirs = live.and_then(|l| l.step(step)).filter(|v| !matches!(v, Value::Null));
    if removes && rest.is_empty() {
        return remove(body, step);
    }
    if let Some(ours) = step_mut(body, step) {
        put(ours, below, rest, theirs, deed);
        if removes && theirs.is_none() && is_hollow(below, ours) {
            remove(body, step);
        }
        return;
    }
    if removes {
        return;
    }
    let mut new = Value::Null;
    put(&mut new, below, rest, theirs, deed);
    match (body, step) {
        (Value::Map(map), Step::Field(name)) => drop(map.insert(name.clone(), new)),
        (Value::List(items), _) => items.push(new),
        (other, Step::Field(name)) => *other = Value::map([(name.clone(), new)]),
        (other, _) => *other = Value::List(vec![new]),
    }
}

fn at_last(body: &mut Value, field: Option<Field<'_>>, deed: &Deed) {
    match deed {
        Deed::Set(Value::Text(theirs)) if field.is_some_and(|f| f.facts().any(|fact| matches!(fact, Fact::Chomped))) => {
            *body = Value::Text(body.as_str().map_or_else(|| theirs.clone(), |ours| as_it_ends(ours, theirs)));
        }
        Deed::Set(value) => body.clone_from(value),
        Deed::Remove => *body = Value::Null,
        Deed::Items { gone, come } => {
            let mut items = body.as_list().map(<[Value]>::to_vec).unwrap_or_default();
            for item in gone {
                if let Some(at) = items.iter().position(|i| i == item) {
                    items.remove(at);
                }
            }
            items.extend(come.iter().cloned());
            *body = Value::List(items);
        }
    }
}

/// How a text ends, and how its lines do, is nobody's edit: both stay as they are written here.
fn as_it_ends(ours: &str, theirs: &str) -> String {
    let is_end = ['\r', '\n'];
    let said = theirs.replace("\r\n", "\n");
    let said = said.trim_end_matches(is_end);
    let said = if ours.contains("\r\n") { said.replace('\n', "\r\n") } else { said.to_owned() };
    said + &ours[ours.trim_end_matches(is_end).len()..]
}

/// Whether nothing is left that somebody chose.
fn is_hollow(field: Option<Field<'_>>, value: &Value) -> bool {
    match value {
        Value::Map(map) => map.iter().all(|(name, v)| match field.and_then(|f| f.field(name)).filter(|_| is_struct(field)) {
            Some(known) => is_left_out(known, v, map) || is_hollow(Some(known), v),
            None => false,
        }),
        Value::List(items) => items.is_empty(),
        Value::Null => true,
        _ => false,
    }
}

fn is_struct(field: Option<Field<'_>>) -> bool {
    field.is_some_and(|f| f.is_struct())
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

/// JSON in a text: read, edited inside, written as it was laid out.
fn inside(body: &mut Value, field: Option<Field<'_>>, steps: &[Step], live: Option<&Value>, deed: &Deed) {
    let read = |v: &Value| match v {
        Value::Text(text) => json::parse(text.as_bytes()).ok(),
        other => Some(other.clone()),
    };
    let Some(mut ours) = read(body) else { return };
    let theirs = live.and_then(read);
    put(&mut ours, field.map(|f| f.inside()), steps, theirs.as_ref(), deed);
    *body = match &*body {
        Value::Text(text) if text.contains('\n') => serde_json::from_str::<serde_json::Value>(&json::write(&ours).unwrap_or_default())
            .ok()
            .and_then(|v| serde_json::to_string_pretty(&v).ok())
            .map_or(Value::Null, |t| Value::Text(if text.ends_with('\n') { t + "\n" } else { t })),
        Value::Text(_) => Value::Text(json::write(&ours).unwrap_or_default()),
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
