//! From YAML's form to the serialised space that the spaces API takes: version 2, lists of fragments, everything sorted.

use super::form::{Form, SECTIONS, Section, Shape};
use super::read::PLAIN;
use crate::model::{Map, Value};

/// The fields of a request: those beside the serialised space by their own names, and it as structure.
pub(super) fn wire(body: &Value) -> Value {
    let mut fields: Map = PLAIN.iter().filter_map(|name| Some(((*name).to_owned(), body.get(name)?.clone()))).collect();
    fields.insert("serialized_space".to_owned(), definition(body));
    Value::Map(fields)
}

/// The serialised space.
pub(super) fn definition(body: &Value) -> Value {
    let mut out = Map::new();
    out.insert("version".to_owned(), Value::Int(2));
    let instructions = body.get("instructions");
    if let Some(text) = instructions.and_then(|i| i.get("text")).filter(|text| !text.is_zero()) {
        let mut said = Map::new();
        said.extend(instructions.and_then(|i| i.get("text_id")).map(|id| ("id".to_owned(), id.clone())));
        said.insert("content".to_owned(), Value::List(vec![text.clone()]));
        put(&mut out, &["instructions", "text_instructions"], Value::List(vec![Value::Map(said)]));
    }
    for section in SECTIONS {
        if let Some(Value::List(parts)) = at(body, section.at) {
            put(&mut out, section.wire, list(section, parts));
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

fn list(section: &Section, parts: &[Value]) -> Value {
    Value::List(sorted(section.form, parts.iter().map(|p| part(section.form, p)).collect()))
}

/// In the order that the API demands: by the text of these members.
fn sorted(form: &Form, mut parts: Vec<Value>) -> Vec<Value> {
    if !form.sorted.is_empty() {
        let key = |part: &Value| form.sorted.iter().map(|m| part.get(m).map(Value::key_text)).collect::<Vec<_>>();
        parts.sort_by_cached_key(key);
    }
    parts
}

/// One part as the API has it.
fn part(form: &Form, value: &Value) -> Value {
    let Value::Map(map) = value else { return value.clone() };
    let mut out = Map::new();
    for member in form.members {
        let Some(value) = map.get(member.name) else { continue };
        let value = match (&member.shape, value) {
            (Shape::Local, _) => continue,
            (Shape::Prose, value @ (Value::Text(_) | Value::Unknown(_) | Value::Secret(_))) => Value::List(vec![value.clone()]),
            (Shape::Parts(form), Value::List(parts)) => Value::List(sorted(form, parts.iter().map(|p| part(form, p)).collect())),
            (_, value) => value.clone(),
        };
        out.insert(member.wire.to_owned(), value);
    }
    // What the schema does not know is sent as it is.
    let known = |name: &str| name == "more" || form.members.iter().any(|m| m.name == name);
    out.extend(map.iter().filter(|(name, _)| !known(name)).map(|(n, v)| (n.clone(), v.clone())));
    if let Some(Value::Map(more)) = map.get("more") {
        out.extend(more.iter().map(|(n, v)| (n.clone(), v.clone())));
    }
    if let Some(lower) = form.lower {
        lower(&mut out);
    }
    Value::Map(out)
}

/// The value in nested maps.
pub(super) fn at<'a>(body: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(body, |value, name| value.get(name))
}

fn put(body: &mut Map, at: &[&str], value: Value) {
    let Some((first, rest)) = at.split_first() else { return };
    if rest.is_empty() {
        body.insert((*first).to_owned(), value);
        return;
    }
    if let Value::Map(below) = body.entry((*first).to_owned()).or_insert_with(|| Value::Map(Map::new())) {
        put(below, rest, value);
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
