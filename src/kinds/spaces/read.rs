//! From whatever a space is written in to the one form that the rest of the program sees: the serialised space of the spaces
//! API in both versions, the typed definition of the agents API, Genie-Forge's files, short forms.
//!
//! A name of any wire form is read as the member that it is, whoever gave it: a server that begins to give one form's member
//! in the other is understood.
//!
//! **Nothing that the API gives is lost.** What is read is taken out of what was given, and whatever is left there after
//! everything known was taken is kept below `more`, in the structure that the API has: of the space as a whole, or of the part
//! in which it was. Writing puts it back there. So what this release does not know survives by not being looked at.

use indexmap::IndexMap;

use super::form::{FUNCTION, Form, JOIN, KEY, SECTIONS, Section, Shape};
use super::join;
use crate::kinds::Unsent;
use crate::model::{Map, Value, json};

/// What names of resources of the agents API begin with.
const RESOURCE: &str = "agents/";

/// What is read and never sent: notes of Genie-Forge's files, and what only replies of the agents API have.
pub(super) const UNSENT: &[Unsent] = &[
    Unsent::absent("author"),
    Unsent::absent("instructions.functions.description"),
    Unsent::absent("instructions.sql_functions.description"),
    Unsent { is: is_sort_of_join, ..Unsent::absent("instructions.joins.join_type") },
    Unsent { is: is_sort_of_join, ..Unsent::absent("instructions.join_specs.join_type") },
    Unsent { is: is_resource, ..Unsent::computed("name") },
    Unsent::computed("effective_parent_path"),
];

/// Whether this is the name of a space as a resource of the agents API.
fn is_resource(name: &str) -> bool {
    name.starts_with(RESOURCE)
}

/// Whether a `join_type` is one of SQL (`INNER`, `LEFT`), which the API has no place for, and no relationship.
fn is_sort_of_join(text: &str) -> bool {
    !join::is_relationship(text)
}

/// Who wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A person: what is unknown stays in its place, to be reported there.
    Yaml,
    /// The API: what is unknown is kept aside in `more`, and known members that are empty are left out.
    Api,
}

/// The members that may hold a whole space as the API has it: the spaces API's, the agents API's.
pub(super) const PACKED: [&str; 2] = ["serialized_space", "definition"];

/// The fields that stand beside the space's knowledge, in YAML and, but for the title, in requests.
pub(super) const PLAIN: [&str; 4] = ["title", "description", "warehouse_id", "parent_path"];

/// The other members that YAML's form or a reply may have at the top.
const OTHER: [&str; 10] =
    ["instructions", "more", "config", "data_sources", "version", "space_id", "etag", "create_time", "update_time", "author"];

/// Whether a field at the top stands beside the space's knowledge: those that are known to, and those that nobody knows, which the
/// API may have gained.
pub(super) fn is_beside(name: &str) -> bool {
    let is_knowledge = || SECTIONS.iter().any(|section| section.at.first() == Some(&name));
    PLAIN.contains(&name) || !(OTHER.contains(&name) || PACKED.contains(&name) || is_knowledge())
}

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
    written(&mut body);
    if body.get("name").and_then(Value::as_str).is_some_and(is_resource) {
        body.shift_remove("name");
    }
    for lost in ["version", "author", "effective_parent_path"] {
        body.shift_remove(lost);
    }
    Value::Map(body)
}

/// The version of a serialised space that is neither of those that are known. One that says none is as good as the second.
pub(super) fn unknown_version(definition: &Map) -> Option<String> {
    let version = definition.get("version").filter(|version| **version != Value::Null)?;
    (!matches!(version.key_text().as_str(), "1" | "2")).then(|| json::display(version))
}

/// The version of a space that was read, where it is one that this release does not know.
pub(super) fn later_version(body: &Value) -> Option<String> {
    unknown_version(body.get("more")?.as_map()?)
}

/// A pasted `serialized_space` or `definition`, unless it is no JSON or something in it is also written beside it: then it
/// stays, and [`super::check`] says so.
fn unpack(body: &mut Map, packed: &str) {
    let parsed = match body.get(packed) {
        Some(Value::Text(text)) => json::parse(text.as_bytes()).ok(),
        Some(map @ Value::Map(_)) => Some(map.clone()),
        _ => None,
    };
    let Some(Value::Map(definition)) = parsed else { return };
    if unknown_version(&definition).is_some() {
        return;
    }
    let definition = given(definition);
    if definition.keys().any(|name| body.contains_key(name)) {
        return;
    }
    body.shift_remove(packed);
    body.extend(definition);
}

/// The normal form of the API's reply: of a get, an update, or a row of a list.
pub(super) fn reply(reply: Value) -> Value {
    let Value::Map(mut reply) = reply else { return reply };
    untyped(&mut reply);
    let text = reply.get("serialized_space").and_then(Value::as_str);
    let parsed = text.and_then(|text| json::parse(text.as_bytes()).ok()).or_else(|| reply.get("definition").cloned());
    let Some(Value::Map(definition)) = parsed else { return Value::Map(reply) };
    for packed in PACKED {
        reply.shift_remove(packed);
    }
    reply.extend(given(definition));
    Value::Map(reply)
}

/// What the agents API calls otherwise: `agents/01ef` is the space `01ef`, and where it is counts, not where it was asked for.
fn untyped(reply: &mut Map) {
    let id = reply.get("name").and_then(Value::as_str).and_then(|name| name.strip_prefix(RESOURCE)).map(str::to_owned);
    if let Some(id) = id {
        reply.shift_remove("name");
        reply.shift_insert(0, "space_id".to_owned(), Value::Text(id));
    }
    for (theirs, ours) in [("display_name", "title"), ("effective_parent_path", "parent_path")] {
        // A null says nothing: it hides no folder that was asked for.
        if let Some(value) = reply.shift_remove(theirs).filter(|value| *value != Value::Null) {
            reply.insert(ours.to_owned(), value);
        }
    }
}

/// The maps of a definition that hold nothing but others: empty, they say nothing.
const CONTAINERS: [&[&str]; 5] = [&["instructions", "sql_snippets"], &["instructions"], &["config"], &["data_sources"], &["benchmarks"]];

/// A definition as the API has it, in YAML's form: what is known is taken out of it, and the rest is `more`.
fn given(mut definition: Map) -> Map {
    let mut body = Map::new();
    for section in SECTIONS {
        match take(&mut definition, section.given()) {
            Some(Value::List(items)) => {
                let (mut ours, mut others) = (Vec::new(), Vec::new());
                for item in items {
                    let part = part(section.form, item.clone(), Origin::Api);
                    if is_named(section, &part) { ours.push(part) } else { others.push(item) }
                }
                if !ours.is_empty() {
                    put(&mut body, section.at, in_order(section, ours));
                }
                if !others.is_empty() {
                    put(&mut definition, section.given(), Value::List(others));
                }
            }
            None | Some(Value::Null) => {}
            // What is no list of parts is none of ours.
            Some(other) => put(&mut definition, section.given(), other),
        }
    }
    let place = ["instructions", "text_instructions"];
    match take(&mut definition, &place) {
        Some(Value::List(items)) => {
            let said = Said::of(&items);
            if said.text.as_str().is_some() && !is_blank(&said.text) {
                said.put(&mut body, &mut definition);
            } else if !said.rest.is_empty() {
                put(&mut definition, &place, Value::List(items));
            }
        }
        None | Some(Value::Null) => {}
        Some(other) => put(&mut definition, &place, other),
    }
    if unknown_version(&definition).is_none() {
        definition.shift_remove("version");
    }
    for container in CONTAINERS {
        if at_mut(&mut definition, container).is_some_and(|value| value.is_zero()) {
            take(&mut definition, container);
        }
    }
    if !definition.is_empty() {
        // In one order, whichever the server's is: what was sent comes back in another.
        definition.sort_keys();
        if let Some(Value::Map(instructions)) = definition.get_mut("instructions") {
            instructions.sort_keys();
        }
        body.insert("more".to_owned(), Value::Map(definition));
    }
    body
}

/// What an overlay says of the whole of a part: that it goes, or is replaced.
const MARKERS: [&str; 2] = ["$delete", "$replace"];

/// Whether the general instruction says nothing: it is neither read nor sent.
pub(super) fn is_blank(text: &Value) -> bool {
    text.is_zero() || text.as_str().is_some_and(|text| text.trim_matches(['\n', '\r']).is_empty())
}

/// Brings every section of what a person wrote to its place in YAML's form.
fn written(body: &mut Map) {
    let ours = ["instructions", "snippets"];
    let theirs = ["instructions", "sql_snippets"];
    // What is said of all of them is said of them by whichever name.
    if at_mut(body, &ours).is_none()
        && let Some(Value::Map(all)) = at_mut(body, &theirs)
    {
        let (markers, rest): (Map, Map) = std::mem::take(all).into_iter().partition(|(name, _)| MARKERS.contains(&name.as_str()));
        *all = rest;
        if !markers.is_empty() {
            if all.is_empty() {
                take(body, &theirs);
            }
            put(body, &ours, Value::Map(markers));
        }
    }
    for section in SECTIONS {
        // What stands beside the questions has their name in the API.
        let is_beside = section.at == ["benchmarks"];
        let own = if is_beside { None } else { take(body, section.at) };
        let Some(found) = own.or_else(|| take(body, section.given())) else { continue };
        let found = match found {
            Value::List(items) => in_order(section, items.into_iter().map(|item| part(section.form, item, Origin::Yaml)).collect()),
            other => other,
        };
        let rest = if is_beside { body.shift_remove("benchmarks") } else { None };
        put(body, section.at, found);
        if let Some(Value::Map(rest)) = rest {
            put(body, &["more", "benchmarks"], Value::Map(rest));
        }
    }
    together(body);
    let Some(Value::Map(instructions)) = body.get_mut("instructions") else { return };
    if let Some(text) = instructions.get_mut("text") {
        *text = match std::mem::replace(text, Value::Null) {
            Value::List(items) => lines(items),
            other => other,
        };
        if text.as_str().is_some() && is_blank(text) {
            *text = Value::from("");
        }
    }
    if let Some(Value::List(items)) = instructions.shift_remove("text_instructions") {
        let mut rest = Map::new();
        Said::of(&items).put(body, &mut rest);
        for (name, value) in rest {
            put(body, &["more", name.as_str()], value);
        }
        together(body);
    }
    if body.get("instructions").and_then(Value::as_map).is_some_and(Map::is_empty) {
        body.shift_remove("instructions");
    }
}

/// Whether an item says what it is recognised by, and a benchmark what its answer is: what does not is none that YAML could name.
fn is_named(section: &Section, part: &Value) -> bool {
    let by = section.ids.map_or(section.form.sorted, |ids| ids.by);
    let name = by.first().and_then(|name| part.get(name)?.as_str());
    name.is_some_and(|name| !name.trim().is_empty()) && (section.at != ["benchmarks"] || is_answered(part))
}

/// Whether a benchmark has anything to compare with.
pub(super) fn is_answered(benchmark: &Value) -> bool {
    let others = [benchmark.get("answer"), benchmark.get("more").and_then(|more| more.get("answer"))];
    benchmark.get("sql").is_some_and(|sql| !sql.is_zero()) || others.into_iter().flatten().any(|answer| !answer.is_zero())
}

/// The items of a section in YAML's form, those that are recognised by the same in one order.
fn in_order(section: &Section, mut parts: Vec<Value>) -> Value {
    if let Some(ids) = section.ids {
        twins(&mut parts, ids.by);
    }
    Value::List(parts)
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

/// The general instruction: one text, whatever it was in. The API takes one item, and old spaces may hold several.
struct Said {
    text: Value,
    id: Option<Value>,
    /// What the items hold besides, each at its place; nothing after the last that holds any.
    rest: Vec<Value>,
}

impl Said {
    fn of(items: &[Value]) -> Self {
        let id = items.iter().find_map(|item| item.get("id")).filter(|id| !id.as_str().is_some_and(is_name)).cloned();
        let (mut texts, mut rest) = (Vec::new(), Vec::new());
        for item in items {
            let Value::Map(map) = item else {
                texts.push(item.clone());
                rest.push(Value::Map(Map::new()));
                continue;
            };
            let mut map = map.clone();
            map.shift_remove("id");
            texts.extend(["content", "text"].iter().find_map(|name| map.shift_remove(*name)).map(prose));
            rest.push(Value::Map(map));
        }
        rest.truncate(rest.iter().rposition(|one| !one.is_zero()).map_or(0, |last| last + 1));
        Self { text: lines(texts), id, rest }
    }

    /// Puts it into a body, and what else its items hold to what is set aside, at its place in the API.
    fn put(self, body: &mut Map, aside: &mut Map) {
        if !self.text.is_zero() {
            put(body, &["instructions", "text"], self.text);
            if let Some(Value::Map(instructions)) = body.get_mut("instructions") {
                if let Some(text) = instructions.shift_remove("text") {
                    instructions.shift_insert(0, "text".to_owned(), text);
                }
                instructions.extend(self.id.map(|id| ("text_id".to_owned(), id)));
            }
        }
        if !self.rest.is_empty() {
            put(aside, &["instructions", "text_instructions"], Value::List(self.rest));
        }
    }
}

/// What several texts hold besides comes together, since the API takes one: the first to say something is the one that counts. Gives
/// the names of what others said otherwise.
pub(super) fn together(body: &mut Map) -> Vec<String> {
    let mut lost = Vec::new();
    let Some(Value::List(items)) = at_mut(body, &["more", "instructions", "text_instructions"]) else { return lost };
    if items.len() < 2 || items.iter().any(|item| item.get("content").is_some() || item.as_map().is_none()) {
        return lost;
    }
    let mut one = Map::new();
    for (name, value) in std::mem::take(items).into_iter().filter_map(|item| item.as_map().cloned()).flatten() {
        match one.get(&name) {
            None => drop(one.insert(name, value)),
            Some(first) if *first == value => {}
            Some(_) => lost.push(name),
        }
    }
    *items = vec![Value::Map(one)];
    lost
}

/// Texts below one another, each beginning a line.
fn lines(items: Vec<Value>) -> Value {
    if let [only] = items.as_slice() {
        return prose(only.clone());
    }
    let mut all = String::new();
    for item in &items {
        let Some(text) = item.as_str() else { return Value::List(items) };
        if !all.is_empty() && !all.ends_with('\n') {
            all.push('\n');
        }
        all.push_str(text);
    }
    Value::Text(all)
}

/// One part in YAML's form.
pub(super) fn part(form: &Form, value: Value, origin: Origin) -> Value {
    let mut map = match value {
        Value::Map(map) => map,
        Value::Text(_) if !form.short.is_empty() => Map::from_iter([(form.short.to_owned(), value)]),
        other => return other,
    };
    // What is set aside of the inside of members.
    let mut rest = Map::new();
    if origin == Origin::Yaml && std::ptr::eq(form, &raw const JOIN) {
        older_join(&mut map);
    }
    if let Some(lift) = form.lift {
        lift(&mut map, &mut rest);
    }
    if origin == Origin::Yaml {
        named(form, &mut map);
    }
    let mut out = Map::new();
    for member in form.members {
        let Some(mut value) = member.names(origin).find_map(|name| map.shift_remove(name)).map(|v| shaped(&member.shape, v, origin)) else {
            continue;
        };
        if origin == Origin::Api {
            // The server that gives both has brought the one over to the other.
            member.older.iter().for_each(|older| drop(map.shift_remove(*older)));
            if matches!(member.shape, Shape::Initial) {
                rest.extend(beside(&mut value).map(|beside| (member.name.to_owned(), beside)));
            }
        }
        if origin == Origin::Yaml || !says_nothing(&value) {
            out.insert(member.name.to_owned(), value);
        }
    }
    match origin {
        Origin::Yaml => out.extend(map),
        Origin::Api => rest.extend(map),
    }
    for (name, value) in rest {
        put(&mut out, &["more", name.as_str()], value);
    }
    Value::Map(out)
}

/// Whether a member is as good as not there. False and zero are said, where a server says them.
fn says_nothing(value: &Value) -> bool {
    !matches!(value, Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_)) && value.is_zero()
}

/// Takes out of what a parameter holds where nobody gives it what is neither values nor a range.
fn beside(initial: &mut Value) -> Option<Value> {
    let map = initial.as_map_mut()?;
    let unknown = |map: &mut Map, known: [&str; 2]| -> Map {
        let (own, others): (Map, Map) = std::mem::take(map).into_iter().partition(|(name, _)| known.contains(&name.as_str()));
        *map = own;
        others
    };
    let mut rest = unknown(map, ["values", "value_range"]);
    if let Some(Value::Map(range)) = map.get_mut("value_range") {
        let others = unknown(range, ["min", "max"]);
        if !others.is_empty() {
            rest.insert("value_range".to_owned(), Value::Map(others));
        }
    }
    if map.get("value_range").is_some_and(Value::is_zero) {
        map.shift_remove("value_range");
    }
    (!rest.is_empty()).then_some(Value::Map(rest))
}

/// What only Genie-Forge's files say: an `id` that cannot be one of the API's (`sq_revenue`) names the item for its id as `$key`
/// does.
fn named(form: &Form, part: &mut Map) {
    // Its files describe functions for themselves; the API takes no word about them.
    if std::ptr::eq(form, &raw const FUNCTION) {
        part.shift_remove("description");
    }
    let keyed = form.members.iter().any(|member| member.name == KEY) && !part.contains_key(KEY);
    if keyed && part.get("id").and_then(Value::as_str).is_some_and(is_name) {
        let name = part.shift_remove("id");
        part.extend(name.map(|name| (KEY.to_owned(), name)));
    }
}

/// A join of Genie-Forge's older files: what describes it is its instruction, and a `join_type` is a relationship or a sort of join
/// that Genie-Forge never sent either.
fn older_join(map: &mut Map) {
    let is_older = ["left_table", "right_table", "join_condition", "join_type"].iter().any(|name| map.contains_key(*name));
    if is_older
        && !map.contains_key("instruction")
        && let Some(said) = map.shift_remove("description")
    {
        map.insert("instruction".to_owned(), said);
    }
    if map.get("join_type").is_some_and(|sort| sort.as_str().is_none_or(is_sort_of_join)) {
        map.shift_remove("join_type");
    }
}

fn is_name(id: &str) -> bool {
    let others = id.chars().filter(|c| !c.is_ascii_hexdigit() && *c != '-').count();
    // What is nearly one of the API's is a mistake.
    if id.len() < 24 { others > 0 || id.starts_with(|c: char| c.is_ascii_alphabetic()) } else { others > 2 }
}

fn shaped(shape: &Shape, value: Value, origin: Origin) -> Value {
    match (shape, value) {
        (Shape::Prose, value) => prose(value),
        (Shape::Line, value) => match prose(value) {
            Value::Text(text) => Value::Text(text.trim_end_matches('\n').to_owned()),
            other => other,
        },
        (Shape::Words, value @ Value::Text(_)) => Value::List(vec![value]),
        (Shape::Parts(form), Value::List(parts)) => Value::List(parts.into_iter().map(|p| part(form, p, origin)).collect()),
        (Shape::Initial, value) => initial(value),
        (Shape::Same | Shape::Local | Shape::Words | Shape::Parts(_), value) => value,
    }
}

/// Fragments as one text, to the last newline.
pub(super) fn prose(value: Value) -> Value {
    match value {
        Value::List(mut fragments)
            if fragments.len() == 1 && matches!(fragments[0], Value::Text(_) | Value::Unknown(_) | Value::Secret(_)) =>
        {
            fragments.remove(0)
        }
        Value::List(fragments) => match fragments.iter().map(Value::as_str).collect::<Option<String>>() {
            Some(text) => Value::Text(text),
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
            (Some(Value::Null) | None, None) => {
                if let Some(Value::Map(range)) = map.get_mut("value_range") {
                    range.iter_mut().filter(|(end, _)| matches!(end.as_str(), "min" | "max")).for_each(|(_, end)| as_word(end));
                }
                Value::Map(map)
            }
            (Some(one), _) => words(vec![one]),
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

/// Takes a value out of nested maps; maps that it leaves empty go too.
pub(super) fn take(body: &mut Map, at: &[&str]) -> Option<Value> {
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
