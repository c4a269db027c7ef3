//! From YAML's form to what an API takes. The spaces API: the serialised space of version 2, lists of fragments, everything
//! sorted. The agents API: the typed definition, plain texts.
//!
//! Nothing is left out for having no place in the form that is asked for: it is sent by the name that the other form has for it.
//! A server that gave it there gets it back, another one refuses it. [`super::carry`] says so before.

use super::form::{Form, Order, SECTIONS, Section, Shape, Wire};
use super::read::{PLAIN, at_mut, is_beside, is_blank, take};
use crate::model::{Map, Value};

/// The fields of a request to the spaces API.
pub(super) fn serialised(body: &Value) -> Value {
    fields(body, Wire::Serialised)
}

/// The fields of a request to the agents API.
pub(super) fn typed(body: &Value) -> Value {
    fields(body, Wire::Typed)
}

/// The fields of a request: those beside the space's knowledge, and it as structure.
fn fields(body: &Value, wire: Wire) -> Value {
    let mut fields: Map = beside(body).filter_map(|name| Some((plain(name, wire).to_owned(), body.get(name)?.clone()))).collect();
    fields.insert(packed(wire).to_owned(), definition(body, wire));
    Value::Map(fields)
}

/// The fields of a body that stand beside the space's knowledge: the known ones first.
pub(super) fn beside(body: &Value) -> impl Iterator<Item = &str> {
    let unknown = body.as_map().into_iter().flat_map(Map::keys).map(String::as_str);
    let unknown = unknown.filter(|name| !PLAIN.contains(name) && is_beside(name));
    PLAIN.into_iter().filter(|name| body.get(name).is_some()).chain(unknown)
}

/// What requests call a field that stands beside the space's knowledge.
pub(super) fn plain(name: &str, wire: Wire) -> &str {
    if wire == Wire::Typed && name == "title" { "display_name" } else { name }
}

/// The member that holds the space's knowledge.
pub(super) fn packed(wire: Wire) -> &'static str {
    match wire {
        Wire::Serialised => "serialized_space",
        Wire::Typed => "definition",
    }
}

/// The space's knowledge.
pub(super) fn definition(body: &Value, wire: Wire) -> Value {
    let mut out = Map::new();
    if wire == Wire::Serialised {
        out.insert("version".to_owned(), Value::Int(2));
    }
    let mut more = body.get("more").and_then(Value::as_map).cloned().unwrap_or_default();
    put_text(&mut out, body, &mut more, wire);
    for section in SECTIONS {
        if let Some(Value::List(parts)) = at(body, section.at) {
            put(&mut out, section.sent(wire), list(section, parts, wire));
        }
    }
    for section in SECTIONS {
        if let Some(Value::List(others)) = take(&mut more, section.given()) {
            among_parts(&mut out, section, others, wire);
        }
    }
    // What the schema does not know is sent as it is, at its level.
    for (ours, theirs) in LEVELS {
        if let Some(Value::Map(level)) = at(body, ours) {
            let others = level.iter().filter(|(name, _)| !is_known(ours, name)).map(|(name, value)| (name.clone(), value.clone()));
            let beside = level.get("more").and_then(Value::as_map).cloned().unwrap_or_default();
            for rest in [others.collect(), beside] {
                merge(&mut out, &nested(theirs, rest));
            }
        }
    }
    merge(&mut out, &more);
    let order = ["version", "config", "data_sources", "instructions", "benchmarks"];
    out.sort_by(|a, _, b, _| {
        let place = |name: &str| order.iter().position(|o| *o == name).unwrap_or(order.len());
        place(a).cmp(&place(b))
    });
    Value::Map(out)
}

/// Levels of YAML's form that are no parts, and where they stand in the API.
const LEVELS: [(&[&str], &[&str]); 4] = [
    (&["instructions"], &["instructions"]),
    (&["instructions", "snippets"], &["instructions", "sql_snippets"]),
    (&["config"], &["config"]),
    (&["data_sources"], &["data_sources"]),
];

/// Whether a name at a level is one of YAML's own.
fn is_known(level: &[&str], name: &str) -> bool {
    let own = ["more", "text", "text_id"].contains(&name);
    own || SECTIONS.iter().any(|section| section.at.strip_prefix(level).and_then(<[&str]>::first) == Some(&name))
}

/// A map at its place in nested maps; nothing where it is empty.
fn nested(at: &[&str], map: Map) -> Map {
    if map.is_empty() {
        return map;
    }
    at.iter().rev().fold(map, |below, name| [((*name).to_owned(), Value::Map(below))].into_iter().collect())
}

/// The general instruction, one item: what several held besides their texts comes together in it.
fn put_text(out: &mut Map, body: &Value, more: &mut Map, wire: Wire) {
    let place = ["instructions", "text_instructions"];
    let mut items = match take(more, &place) {
        Some(Value::List(items)) => items,
        _ => vec![],
    };
    if let Some(text) = at(body, &["instructions", "text"]).filter(|text| !is_blank(text)) {
        let mut said = Map::new();
        said.extend(at(body, &["instructions", "text_id"]).map(|id| ("id".to_owned(), id.clone())));
        said.insert("content".to_owned(), prose(text.clone(), wire));
        items.iter().filter_map(Value::as_map).for_each(|item| merge(&mut said, item));
        items = vec![Value::Map(said)];
    } else {
        // What belonged to a text goes with it.
        items.retain(|item| item.get("content").is_some());
    }
    if !items.is_empty() {
        put(out, &place, items);
    }
}

fn list(section: &Section, parts: &[Value], wire: Wire) -> Vec<Value> {
    sorted(section.form, parts, wire).into_iter().map(|p| part(section.form, p, wire)).collect()
}

/// In the order that the API demands: by the text of these members.
fn sorted<'v>(form: &Form, parts: &'v [Value], wire: Wire) -> Vec<&'v Value> {
    let mut parts: Vec<&Value> = parts.iter().collect();
    if wire == Wire::Serialised || form.order != Order::AsWrittenTyped {
        let key = |part: &&Value| form.sorted.iter().map(|m| part.get(m).map(Value::key_text)).collect::<Vec<_>>();
        parts.sort_by_cached_key(key);
    }
    if wire == Wire::Typed && form.order == Order::FallingTyped {
        parts.reverse();
    }
    parts
}

/// Items that are none of YAML's, in their places among those that are.
fn among_parts(out: &mut Map, section: &Section, others: Vec<Value>, wire: Wire) {
    put(out, section.sent(wire), others);
    let Some(Value::List(items)) = at_mut(out, section.sent(wire)) else { return };
    let members = section.form.members;
    let names: Vec<&str> =
        section.form.sorted.iter().filter_map(|name| Some(members.iter().find(|m| m.name == *name)?.sent(wire))).collect();
    if wire == Wire::Serialised || section.form.order != Order::AsWrittenTyped {
        items.sort_by_cached_key(|item| names.iter().map(|name| item.get(name).map(Value::key_text)).collect::<Vec<_>>());
    }
    if wire == Wire::Typed && section.form.order == Order::FallingTyped {
        items.reverse();
    }
}

/// A text as the form has it.
fn prose(text: Value, wire: Wire) -> Value {
    match wire {
        Wire::Serialised => Value::List(vec![text]),
        Wire::Typed => text,
    }
}

/// One part as the API has it.
pub(super) fn part(form: &Form, value: &Value, wire: Wire) -> Value {
    let Value::Map(map) = value else { return value.clone() };
    let mut out = Map::new();
    for member in form.members {
        let Some(value) = map.get(member.name) else { continue };
        let value = match (&member.shape, value) {
            (Shape::Local, _) => continue,
            (Shape::Prose | Shape::Line, value @ (Value::Text(_) | Value::Unknown(_) | Value::Secret(_))) => prose(value.clone(), wire),
            (Shape::Parts(form), Value::List(parts)) => {
                Value::List(sorted(form, parts, wire).into_iter().map(|p| part(form, p, wire)).collect())
            }
            (_, value) => value.clone(),
        };
        out.insert(member.sent(wire).to_owned(), value);
    }
    // What the schema does not know is sent as it is.
    let known = |name: &str| name == "more" || form.members.iter().any(|m| m.name == name);
    out.extend(map.iter().filter(|(name, _)| !known(name)).map(|(n, v)| (n.clone(), v.clone())));
    if let Some(lower) = form.lower {
        lower(&mut out, wire);
    }
    if let Some(Value::Map(more)) = map.get("more") {
        merge(&mut out, more);
    }
    Value::Map(out)
}

/// The value in nested maps.
pub(super) fn at<'a>(body: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(body, |value, name| value.get(name))
}

/// Puts a list into nested maps, after what another section put there.
fn put(body: &mut Map, at: &[&str], mut parts: Vec<Value>) {
    let Some((first, rest)) = at.split_first() else { return };
    let empty = || if rest.is_empty() { Value::List(vec![]) } else { Value::Map(Map::new()) };
    match body.entry((*first).to_owned()).or_insert_with(empty) {
        Value::List(there) => there.append(&mut parts),
        Value::Map(below) => put(below, rest, parts),
        _ => {}
    }
}

/// Adds what is not there yet, at any depth.
fn merge(into: &mut Map, from: &Map) {
    for (name, value) in from {
        match (into.get_mut(name), value) {
            (Some(Value::Map(into)), Value::Map(from)) => merge(into, from),
            (Some(Value::List(answers)), Value::List(others)) if name == "answer" => among(answers, others),
            (Some(_), _) => {}
            (None, value) => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

/// One answer among those that no member says: at the first place that is open, which says something else of it, else before all.
fn among(answers: &mut Vec<Value>, others: &[Value]) {
    let [Value::Map(own)] = answers.as_slice() else { return };
    let mut all = others.to_vec();
    let is_open = |other: &Value| other.as_map().is_some_and(|other| !other.keys().any(|name| own.contains_key(name)));
    match all.iter().position(is_open) {
        Some(at) => {
            let mut whole = own.clone();
            whole.extend(all[at].as_map().cloned().into_iter().flatten());
            all[at] = Value::Map(whole);
        }
        None => all.insert(0, Value::Map(own.clone())),
    }
    *answers = all;
}
