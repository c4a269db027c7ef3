//! From YAML's form to what an API takes. The spaces API: the serialised space of version 2, lists of fragments, everything
//! sorted. The agents API: the typed definition, plain texts.
//!
//! Nothing is left out for having no place in the form that is asked for: it is sent by the name that it has in YAML, for the
//! server to refuse. [`super::check`] says so before.

use super::form::{Form, Order, SECTIONS, Section, Shape, Wire};
use super::read::PLAIN;
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
    let mut fields: Map = PLAIN.iter().filter_map(|name| Some((plain(name, wire).to_owned(), body.get(name)?.clone()))).collect();
    fields.insert(packed(wire).to_owned(), definition(body, wire));
    Value::Map(fields)
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
    let instructions = body.get("instructions");
    if let Some(text) = instructions.and_then(|i| i.get("text")).filter(|text| !text.is_zero()) {
        let mut said = Map::new();
        said.extend(instructions.and_then(|i| i.get("text_id")).map(|id| ("id".to_owned(), id.clone())));
        said.insert("content".to_owned(), prose(text.clone(), wire));
        put(&mut out, &["instructions", "text_instructions"], vec![Value::Map(said)]);
    }
    for section in SECTIONS {
        if let Some(Value::List(parts)) = at(body, section.at) {
            let place = Some(section.wire(wire)).filter(|place| !place.is_empty()).unwrap_or(section.at);
            put(&mut out, place, list(section, parts, wire));
        }
    }
    if let Some(Value::Map(more)) = body.get("more") {
        merge(&mut out, more);
    }
    let order = ["version", "config", "data_sources", "instructions", "benchmarks"];
    out.sort_by(|a, _, b, _| {
        let place = |name: &str| order.iter().position(|o| *o == name).unwrap_or(order.len());
        place(a).cmp(&place(b))
    });
    Value::Map(out)
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

/// A text as the form has it.
fn prose(text: Value, wire: Wire) -> Value {
    match wire {
        Wire::Serialised => Value::List(vec![text]),
        Wire::Typed => text,
    }
}

/// One part as the API has it.
fn part(form: &Form, value: &Value, wire: Wire) -> Value {
    let Value::Map(map) = value else { return value.clone() };
    let mut out = Map::new();
    for member in form.members {
        let Some(value) = map.get(member.name) else { continue };
        let value = match (&member.shape, value) {
            (Shape::Local, _) => continue,
            (Shape::Prose, value @ (Value::Text(_) | Value::Unknown(_) | Value::Secret(_))) => prose(value.clone(), wire),
            (Shape::Parts(form), Value::List(parts)) => {
                Value::List(sorted(form, parts, wire).into_iter().map(|p| part(form, p, wire)).collect())
            }
            (_, value) => value.clone(),
        };
        let name = Some(member.wire(wire)).filter(|name| !name.is_empty()).unwrap_or(member.name);
        out.insert(name.to_owned(), value);
    }
    // What the schema does not know is sent as it is.
    let known = |name: &str| name == "more" || form.members.iter().any(|m| m.name == name);
    out.extend(map.iter().filter(|(name, _)| !known(name)).map(|(n, v)| (n.clone(), v.clone())));
    if let Some(Value::Map(more)) = map.get("more") {
        out.extend(more.iter().map(|(n, v)| (n.clone(), v.clone())));
    }
    if let Some(lower) = form.lower {
        lower(&mut out, wire);
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
            (Some(_), _) => {}
            (None, value) => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}
