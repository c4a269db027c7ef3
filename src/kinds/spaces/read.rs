//! From whatever a space is written in to the one form that the rest of the program sees: the serialised space of the spaces
//! API in both versions, the typed definition of the agents API, Genie-Forge's files, short forms.
//!
//! A name of any wire form is read as the member that it is, whoever gave it: a server that begins to give one form's member
//! in the other is understood.

use indexmap::IndexMap;

use super::form::{Form, KEY, SECTIONS, Shape};
use crate::model::{Map, Value, json};

/// What names of resources of the agents API begin with.
const RESOURCE: &str = "agents/";

/// Who wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A person: what is unknown stays in its place, to be reported there.
    Yaml,
    /// The API: what is unknown is kept aside in `more`, and what is empty left out.
    Api,
}

/// The members that may hold a whole space as the API has it: the spaces API's, the agents API's.
pub(super) const PACKED: [&str; 2] = ["serialized_space", "definition"];

/// The fields that stand beside the space's knowledge, in YAML and, but for the title, in requests.
pub(super) const PLAIN: [&str; 4] = ["title", "description", "warehouse_id", "parent_path"];

/// The normal form of a YAML body.
pub(super) fn normal(body: Value) -> Value {
    let Value::Map(mut body) = body else { return body };
    for packed in PACKED {
        unpack(&mut body, packed);
    }
    if let Some(benchmarks @ Value::List(_)) = body.get_mut("benchmarks") {
        let list = std::mem::replace(benchmarks, Value::Null);
        *benchmarks = Value::map([("questions", list)]);
    }
    // A text alone is the general instruction.
    if let Some(text @ (Value::Text(_) | Value::List(_))) = body.get_mut("instructions") {
        let said = std::mem::replace(text, Value::Null);
        *text = Value::map([("text", said)]);
    }
    // As the example that Genie-Forge writes for a new project calls them.
    if let Some(Value::Map(instructions)) = body.get_mut("instructions")
        && !instructions.contains_key("example_sql")
    {
        let examples = instructions.shift_remove("sql_examples");
        instructions.extend(examples.map(|examples| ("example_sql".to_owned(), examples)));
    }
    sections(&mut body, Origin::Yaml);
    for lost in ["version", "author"] {
        body.shift_remove(lost);
    }
    Value::Map(body)
}

/// The version of a serialised space that is neither of those that are known. One that says none is as good as the second.
pub(super) fn unknown_version(definition: &Map) -> Option<String> {
    let version = definition.get("version")?;
    (!matches!(version.as_i64(), Some(1 | 2))).then(|| json::display(version))
}

/// A pasted `serialized_space` or `definition`, unless it is no JSON or something in it is also written beside it: then it
/// stays, and [`super::check`] says so.
fn unpack(body: &mut Map, packed: &str) {
    let parsed = match body.get(packed) {
        Some(Value::Text(text)) => json::parse(text.as_bytes()).ok(),
        Some(map @ Value::Map(_)) => Some(map.clone()),
        _ => None,
    };
    let Some(Value::Map(mut definition)) = parsed else { return };
    if unknown_version(&definition).is_some() {
        return;
    }
    sections(&mut definition, Origin::Api);
    set_aside(&mut definition);
    if definition.keys().any(|name| body.contains_key(name)) {
        return;
    }
    body.shift_remove(packed);
    body.extend(std::mem::take(&mut *definition));
}

/// The normal form of the API's reply: of a get, an update, or a row of a list.
pub(super) fn reply(reply: Value) -> Value {
    let Value::Map(mut reply) = reply else { return reply };
    untyped(&mut reply);
    let text = reply.get("serialized_space").and_then(Value::as_str);
    let parsed = text.and_then(|text| json::parse(text.as_bytes()).ok()).or_else(|| reply.get("definition").cloned());
    let Some(Value::Map(mut definition)) = parsed else { return Value::Map(reply) };
    for packed in PACKED {
        reply.shift_remove(packed);
    }
    sections(&mut definition, Origin::Api);
    set_aside(&mut definition);
    reply.extend(std::mem::take(&mut *definition));
    Value::Map(reply)
}

/// What the agents API calls otherwise: `agents/01ef` is the space `01ef`, and where it is counts, not where it was asked for.
fn untyped(reply: &mut Map) {
    let id = reply.get("name").and_then(Value::as_str).and_then(|name| name.strip_prefix(RESOURCE)).map(str::to_owned);
    let Some(id) = id else { return };
    reply.shift_remove("name");
    reply.shift_insert(0, "space_id".to_owned(), Value::Text(id));
    for (theirs, ours) in [("display_name", "title"), ("effective_parent_path", "parent_path")] {
        if let Some(value) = reply.shift_remove(theirs) {
            reply.insert(ours.to_owned(), value);
        }
    }
}

/// What stands beside the questions of the benchmarks, until it is set aside.
const BESIDE: &str = "$benchmarks";

/// Brings every section to its place in YAML's form.
fn sections(body: &mut Map, origin: Origin) {
    for section in SECTIONS {
        let own = if section.at == ["benchmarks"] { None } else { take(body, section.at) };
        let Some(found) = own.or_else(|| take(body, section.given())) else { continue };
        let found = match found {
            Value::List(parts) => {
                let mut parts: Vec<Value> = parts.into_iter().map(|p| part(section.form, p, origin)).collect();
                if let Some(ids) = section.ids {
                    twins(&mut parts, ids.by);
                }
                Value::List(parts)
            }
            other => other,
        };
        // What stands beside the questions has their name in the API.
        let rest = if section.at == ["benchmarks"] && origin == Origin::Api { body.shift_remove("benchmarks") } else { None };
        if origin == Origin::Yaml || !found.is_zero() {
            put(body, section.at, found);
        }
        body.extend(rest.map(|rest| (BESIDE.to_owned(), rest)));
    }
    text(body);
    if origin == Origin::Api {
        body.shift_remove("version");
    }
}

/// Brings items that are recognised by the same into one order among themselves, that of what they say: servers sort by id,
/// people as they like, and the first of them is the first of the others.
fn twins(parts: &mut [Value], by: &[&str]) {
    let mut places: IndexMap<Vec<Option<String>>, Vec<usize>> = IndexMap::new();
    for (place, part) in parts.iter().enumerate() {
        places.entry(by.iter().map(|name| part.get(name).map(Value::key_text)).collect()).or_default().push(place);
    }
    for places in places.into_values().filter(|places| places.len() > 1) {
        let mut same: Vec<Value> = places.iter().map(|place| parts[*place].clone()).collect();
        same.sort_by_cached_key(|part| {
            let said = part.as_map().into_iter().flatten().filter(|(name, _)| !matches!(name.as_str(), "id" | KEY));
            json::display(&Value::map(said.map(|(name, value)| (name.clone(), value.clone()))))
        });
        for (place, part) in places.into_iter().zip(same) {
            parts[place] = part;
        }
    }
}

/// The general instruction: one text, whatever it was in.
fn text(body: &mut Map) {
    let Some(Value::Map(instructions)) = body.get_mut("instructions") else { return };
    if let Some(Value::List(items)) = instructions.shift_remove("text_instructions") {
        let id = items.iter().find_map(|item| item.get("id")).filter(|id| !id.as_str().is_some_and(is_name)).cloned();
        let said = items.into_iter().map(|item| match item {
            Value::Map(mut map) => ["content", "text"].iter().find_map(|n| map.shift_remove(*n)).map_or(Value::Map(map), joined),
            other => other,
        });
        let said = lines(said.collect());
        if !said.is_zero() {
            instructions.shift_insert(0, "text".to_owned(), said);
            if let Some(id) = id {
                instructions.insert("text_id".to_owned(), id);
            }
        }
    }
    if let Some(text) = instructions.get_mut("text") {
        *text = match std::mem::replace(text, Value::Null) {
            Value::List(items) => lines(items),
            other => joined(other),
        };
    }
    if instructions.is_empty() {
        body.shift_remove("instructions");
    }
}

/// Texts below one another, each beginning a line.
fn lines(items: Vec<Value>) -> Value {
    if let [only] = items.as_slice() {
        return joined(only.clone());
    }
    let texts: Option<Vec<&str>> = items.iter().map(|item| item.as_str().map(|text| text.trim_end_matches('\n'))).collect();
    match texts {
        Some(texts) => Value::Text(texts.join("\n").trim_end_matches('\n').to_owned()),
        None => Value::List(items),
    }
}

/// One part in YAML's form.
fn part(form: &'static Form, value: Value, origin: Origin) -> Value {
    let mut map = match value {
        Value::Map(map) => map,
        Value::Text(_) if !form.short.is_empty() => return Value::map([(form.short, value)]),
        other => return other,
    };
    if let Some(lift) = form.lift {
        lift(&mut map);
    }
    if origin == Origin::Yaml {
        named(form, &mut map);
    }
    let mut out = Map::new();
    for member in form.members {
        let Some(value) = member.names().find_map(|name| map.shift_remove(name)) else { continue };
        let value = shaped(&member.shape, value, origin);
        if origin == Origin::Yaml || !value.is_zero() {
            out.insert(member.name.to_owned(), value);
        }
    }
    match origin {
        Origin::Yaml => out.extend(std::mem::take(&mut *map)),
        Origin::Api => {
            map.retain(|_, value| !value.is_zero());
            if !map.is_empty() {
                out.insert("more".to_owned(), Value::Map(map));
            }
        }
    }
    Value::Map(out)
}

/// What only Genie-Forge's files say: an `id` that cannot be one of the API's (`sq_revenue`) names the item for its id as `$key`
/// does.
fn named(form: &Form, part: &mut Map) {
    // Its files describe functions for themselves; the API takes no word about them.
    if std::ptr::eq(form, &raw const super::form::FUNCTION) {
        part.shift_remove("description");
    }
    let keyed = form.members.iter().any(|member| member.name == KEY) && !part.contains_key(KEY);
    if keyed && part.get("id").and_then(Value::as_str).is_some_and(is_name) {
        let name = part.shift_remove("id");
        part.extend(name.map(|name| (KEY.to_owned(), name)));
    }
}

fn is_name(id: &str) -> bool {
    // What is nearly one of the API's is a mistake.
    (id.len() < 24 && id.starts_with(|c: char| c.is_ascii_alphabetic())) || id.chars().any(|c| !c.is_ascii_hexdigit() && c != '-')
}

fn shaped(shape: &Shape, value: Value, origin: Origin) -> Value {
    match (shape, value) {
        (Shape::Prose, value) => joined(value),
        (Shape::Words, value @ Value::Text(_)) => Value::List(vec![value]),
        (Shape::Parts(form), Value::List(parts)) => Value::List(parts.into_iter().map(|p| part(form, p, origin)).collect()),
        (Shape::Initial, value) => initial(value),
        (Shape::Same | Shape::Local | Shape::Words | Shape::Parts(_), value) => value,
    }
}

/// Fragments as one text; the newline at the very end is no part of it (YAML's blocks bring one along, servers may not keep
/// it).
pub(super) fn joined(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.trim_end_matches('\n').to_owned()),
        Value::List(mut fragments) if fragments.len() == 1 => match fragments.remove(0) {
            text @ Value::Text(_) => joined(text),
            other => other,
        },
        Value::List(fragments) => match fragments.iter().map(Value::as_str).collect::<Option<String>>() {
            Some(text) => joined(Value::Text(text)),
            None => Value::List(fragments),
        },
        other => other,
    }
}

/// What a parameter holds where nobody gives it, as `{values: [...]}` or `{value_range: {min, max}}`: from one value, a list,
/// `{type, value}`, or `{min, max}`.
fn initial(value: Value) -> Value {
    let words = |mut values: Vec<Value>| {
        values.iter_mut().for_each(as_word);
        Value::map([("values", Value::List(values))])
    };
    match value {
        Value::Map(mut map) if !map.is_empty() && map.keys().all(|name| matches!(name.as_str(), "min" | "max")) => {
            map.values_mut().for_each(as_word);
            Value::map([("value_range", Value::Map(map))])
        }
        Value::Map(mut map) => match (map.shift_remove("values"), map.get("value")) {
            (Some(Value::List(values)), _) => {
                let Value::Map(mut out) = words(values) else { return Value::Null };
                out.extend(std::mem::take(&mut *map));
                Value::Map(out)
            }
            (Some(Value::Null) | None, Some(value)) => words(vec![value.clone()]),
            (Some(one), _) => words(vec![one]),
            (None, None) => Value::Map(map),
        },
        Value::List(values) => words(values),
        Value::Null => Value::Null,
        one => words(vec![one]),
    }
}

/// The API takes texts only.
fn as_word(value: &mut Value) {
    if matches!(value, Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_)) {
        *value = Value::Text(value.key_text());
    }
}

/// What no section took goes below `more`, so that an update gives it back as it was.
fn set_aside(body: &mut Map) {
    let mut more = Map::new();
    for (name, value) in std::mem::take(&mut **body) {
        match (name.as_str(), value) {
            (_, value) if value.is_zero() => {}
            (BESIDE, value) => {
                more.insert("benchmarks".to_owned(), value);
            }
            ("tables" | "metric_views" | "volumes" | "mcp_connections" | "sample_questions" | "benchmarks", value @ Value::List(_)) => {
                body.insert(name, value);
            }
            ("instructions", Value::Map(instructions)) => {
                let known = |n: &str| matches!(n, "text" | "text_id" | "example_sql" | "functions" | "joins" | "snippets");
                let (own, others): (Vec<_>, Vec<_>) = std::mem::take(&mut *{ instructions }).into_iter().partition(|(n, _)| known(n));
                if !own.is_empty() {
                    body.insert(name.clone(), Value::Map(own.into_iter().collect()));
                }
                let others: Map = others.into_iter().filter(|(_, v)| !v.is_zero()).collect();
                if !others.is_empty() {
                    more.insert(name, Value::Map(others));
                }
            }
            (_, Value::Map(mut rest)) => {
                rest.retain(|_, v| !v.is_zero());
                if !rest.is_empty() {
                    more.insert(name, Value::Map(rest));
                }
            }
            (_, value) => {
                more.insert(name, value);
            }
        }
    }
    if !more.is_empty() {
        body.insert("more".to_owned(), Value::Map(more));
    }
}

/// Takes a value out of nested maps; maps that it leaves empty go too.
fn take(body: &mut Map, at: &[&str]) -> Option<Value> {
    let (first, rest) = at.split_first()?;
    if rest.is_empty() {
        return body.shift_remove(*first);
    }
    let below = body.get_mut(*first)?.as_map_mut()?;
    let found = take(below, rest);
    if found.is_some() && below.is_empty() {
        body.shift_remove(*first);
    }
    found
}

/// Puts a value into nested maps, in its place among what is there.
fn put(body: &mut Map, at: &[&str], value: Value) {
    let Some((first, rest)) = at.split_first() else { return };
    if rest.is_empty() {
        body.insert((*first).to_owned(), value);
        return;
    }
    let below = body.entry((*first).to_owned()).or_insert_with(|| Value::Map(Map::new()));
    if let Value::Map(below) = below {
        put(below, rest, value);
    }
}

/// The value in nested maps.
pub(super) fn at_mut<'a>(body: &'a mut Map, at: &[&str]) -> Option<&'a mut Value> {
    let (first, rest) = at.split_first()?;
    let value = body.get_mut(*first)?;
    if rest.is_empty() { Some(value) } else { at_mut(value.as_map_mut()?, rest) }
}
