//! A source tree in the form in which overlays are merged: with short forms and other spellings written out, so that whatever
//! may be written in a file of resources may be written in an overlay, and means the same there.
//!
//! The kind's own reading says what is meant. It works on values; what comes of it takes its scalars, with their places and
//! expressions, from the tree that was read.

use crate::diagnostic::Span;
use crate::kinds::{Facet, Kind};
use crate::model::Value;
use crate::yaml::{Data, Entry, Node, Scalar, Style};

/// The member of a packed field that names a file: it is read later.
const FILE: &str = "file";

/// What is done with a definition that stands in a field as the API has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packed {
    /// Its parts are merged as if they were written by themselves.
    Opened,
    /// It is one value.
    Kept,
}

/// The body of a resource in that form; as it is where its kind has none.
pub fn body(kind: &'static Kind, node: &Node, packed: Packed) -> Node {
    let Some(form) = kind.hooks.laid else { return node.clone() };
    let is_field = |entry: &Entry| kind.packed.is_some_and(|(field, _)| field == entry.key);
    let packed = |entry: &Entry| is_field(entry) && (packed == Packed::Kept || entry.value.get(FILE).is_some());
    let untouched = |entry: &&Entry| packed(entry) || kind.unsent.iter().any(|unsent| unsent.at == entry.key);
    let read = node.entries().iter().filter(|entry| !untouched(entry));
    let Value::Map(mut normal) = form(Value::map(read.map(|entry| (entry.key.clone(), entry.value.value())))) else { return node.clone() };
    let mut entries: Vec<Entry> = Vec::new();
    for entry in node.entries() {
        if untouched(&entry) {
            entries.push(entry.clone());
        } else if let Some(value) = normal.shift_remove(&entry.key) {
            entries.push(Entry { value: again(&value, &entry.value), ..entry.clone() });
        }
    }
    entries.extend(normal.iter().map(|(name, value)| member(name, value, node)));
    Node { span: node.span.clone(), data: Data::Map(entries) }
}

/// Whether a field of that form is written below this name, too: `tables` below `data_sources`.
pub fn stands_in(kind: &'static Kind, name: &str, field: &str) -> bool {
    let Some(form) = kind.hooks.laid else { return false };
    let mark = Value::map([("$delete", Value::Bool(true))]);
    form(Value::map([(name, Value::map([(field, mark.clone())]))])) == Value::map([(field, mark)])
}

/// What stands under a facet's name in that form.
pub fn facet(facet: &'static Facet, node: &Node) -> Node {
    let is_short = facet.is_map() || matches!(node.data, Data::List(_));
    if facet.kind.hooks.laid.is_none() || !is_short {
        return body(facet.kind, node, Packed::Kept);
    }
    let entry = Entry { key: facet.body.to_owned(), key_span: node.span.clone(), value: node.clone() };
    let whole = body(facet.kind, &Node { span: node.span.clone(), data: Data::Map(vec![entry]) }, Packed::Kept);
    whole.get(facet.body).cloned().unwrap_or_else(|| node.clone())
}

/// A value as a tree, made of what the source has of it.
fn again(value: &Value, source: &Node) -> Node {
    if says(source, value) {
        return source.clone();
    }
    match (value, &source.data) {
        (Value::Map(map), Data::Map(_)) => tree(source, Data::Map(map.iter().map(|(name, value)| member(name, value, source)).collect())),
        (Value::List(items), Data::List(nodes)) if items.len() == nodes.len() => {
            tree(source, Data::List(items.iter().zip(nodes).map(|(value, node)| item(value, node)).collect()))
        }
        (Value::List(items), Data::Map(entries)) if is_by_name(items, entries) => {
            tree(source, Data::List(items.iter().zip(entries).map(|(item, entry)| named(item, entry)).collect()))
        }
        (Value::List(_) | Value::Map(_), _) => match inside(value, source) {
            Some(below) => again(value, below),
            None => made(value, source),
        },
        _ => find(value, source).cloned().unwrap_or_else(|| made(value, source)),
    }
}

/// A member of a map, from the source's member of this name, or wherever in it the value stands under another one.
fn member(name: &str, value: &Value, source: &Node) -> Entry {
    let entry = |key_span: &Span, value: Node| Entry { key: name.to_owned(), key_span: key_span.clone(), value };
    if let Some(own) = source.entry(name) {
        return entry(&own.key_span, again(value, &own.value));
    }
    let below = match value {
        Value::List(_) | Value::Map(_) => inside(value, source),
        _ => find(value, source),
    };
    let Some(below) = below else { return entry(&source.span, made(value, source)) };
    let key = source.entries().iter().find(|entry| std::ptr::eq(&raw const entry.value, below)).map_or(&below.span, |e| &e.key_span);
    entry(key, again(value, below))
}

/// An item of a list. A text alone, which stands for an item of one member, stays one.
fn item(value: &Value, source: &Node) -> Node {
    let is_short = value.as_map().is_some_and(|map| map.len() == 1 && map.values().all(|only| says(source, only)));
    if is_short { source.clone() } else { again(value, source) }
}

/// Whether these items are the members of a map, each with the name as one of its members: `columns: {amount: ...}`.
fn is_by_name(items: &[Value], entries: &[Entry]) -> bool {
    let is = |item: &Value, entry: &Entry| item.as_map().is_some_and(|map| map.values().any(|v| v.as_str() == Some(entry.key.as_str())));
    items.len() == entries.len() && items.iter().zip(entries).all(|(item, entry)| is(item, entry))
}

/// An item that is a member of a map in the source.
fn named(item: &Value, of: &Entry) -> Node {
    let mut entries = Vec::new();
    let mut name_is_told = false;
    for (name, value) in item.as_map().into_iter().flatten() {
        if !name_is_told && value.as_str() == Some(of.key.as_str()) && of.value.get(name).is_none() {
            name_is_told = true;
            let node = Node { span: of.key_span.clone(), data: scalar(value) };
            entries.push(Entry { key: name.clone(), key_span: of.key_span.clone(), value: node });
        } else {
            entries.push(member(name, value, &of.value));
        }
    }
    Node { span: of.value.span.clone(), data: Data::Map(entries) }
}

/// A value that the source has in no such shape: its parts may still be there.
fn made(value: &Value, source: &Node) -> Node {
    let data = match value {
        Value::List(items) => Data::List(items.iter().map(|item| again(item, source)).collect()),
        Value::Map(map) => Data::Map(map.iter().map(|(name, value)| member(name, value, source)).collect()),
        other => scalar(other),
    };
    tree(source, data)
}

fn tree(source: &Node, data: Data) -> Node {
    Node { span: source.span.clone(), data }
}

fn scalar(value: &Value) -> Data {
    let (text, style) = match value {
        Value::Text(text) => (text.clone(), Style::Double),
        other => (other.key_text(), Style::Plain),
    };
    Data::Scalar(Scalar { text, style, forced_text: false })
}

/// Whether a node says this value. The newlines at the end of a text, and the type of a plain word, are the reading's affair.
fn says(node: &Node, value: &Value) -> bool {
    let own = node.value();
    match (&own, value) {
        (Value::Text(own), Value::Text(text)) => own.trim_end_matches('\n') == text.trim_end_matches('\n'),
        (Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_), Value::Text(text)) => own.key_text() == *text,
        _ => own == *value,
    }
}

/// The first scalar inside that says this value.
fn find<'n>(value: &Value, node: &'n Node) -> Option<&'n Node> {
    match &node.data {
        Data::Scalar(_) => says(node, value).then_some(node),
        Data::List(items) => items.iter().find_map(|item| find(value, item)),
        Data::Map(entries) => entries.iter().find_map(|entry| find(value, &entry.value)),
    }
}

/// The smallest list or map inside that holds as much of the value as all of it does, and is not as small as one of its items;
/// none where nothing of it is there.
fn inside<'n>(value: &Value, source: &'n Node) -> Option<&'n Node> {
    let mut words = Vec::new();
    leaves(value, &mut words);
    let held = |node: &Node| words.iter().filter(|word| find(word, node).is_some()).count();
    let all = held(source);
    if all == 0 {
        return None;
    }
    let mut found = None;
    let mut at = source;
    loop {
        let children: Vec<&Node> = match &at.data {
            Data::Scalar(_) => vec![],
            Data::List(items) => items.iter().collect(),
            Data::Map(entries) => entries.iter().map(|entry| &entry.value).collect(),
        };
        let Some(next) = children.into_iter().find(|node| !matches!(node.data, Data::Scalar(_)) && held(node) == all) else { break };
        (at, found) = (next, Some(next));
        let fits = match (value, &next.data) {
            (Value::List(items), Data::List(nodes)) => items.len() == nodes.len(),
            (Value::List(items), Data::Map(entries)) => is_by_name(items, entries),
            _ => false,
        };
        if fits {
            break;
        }
    }
    found
}

/// The texts and numbers of a value.
fn leaves<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| leaves(item, found)),
        Value::Map(map) => map.values().for_each(|value| leaves(value, found)),
        Value::Null | Value::Bool(_) => {}
        other => found.push(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Packed, body};
    use crate::diagnostic::Source;
    use crate::kinds::Registry;
    use crate::yaml::{self, Data, Node};

    fn read(text: &str) -> Node {
        let source = Arc::new(Source { name: "s.yaml".to_owned(), text: text.to_owned() });
        yaml::parse(&source).expect("YAML").remove(0)
    }

    fn scalars<'n>(node: &'n Node, found: &mut Vec<&'n Node>) {
        match &node.data {
            Data::Scalar(_) => found.push(node),
            Data::List(items) => items.iter().for_each(|item| scalars(item, found)),
            Data::Map(entries) => entries.iter().for_each(|entry| scalars(&entry.value, found)),
        }
    }

    /// Forms that are read, each with what it is read as.
    const FORMS: &[(&str, &str)] = &[
        ("tables: [a.b.c]", "tables: [a.b.c]"),
        ("data_sources: {tables: [{identifier: \"${catalog}.b.c\", column_configs: [{column_name: x, synonyms: y}]}]}", {
            "tables: [{identifier: \"${catalog}.b.c\", columns: [{name: x, synonyms: [y]}]}]"
        }),
        ("tables: [{table: a.b.c, columns: {x: what, y: {exclude: true}, z: }}]", {
            "tables: [{identifier: a.b.c, columns: [{name: x, description: what}, {name: y, exclude: true}, {name: z}]}]"
        }),
        ("instructions: {sql_functions: [{id: 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a, identifier: a.b.f}]}", {
            "instructions: {functions: [{id: 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a, identifier: a.b.f}]}"
        }),
        ("instructions: {sql_examples: [{question: [Q], sql: S, parameters: [{name: p, type: DATE, default: 5}]}]}", {
            "instructions: {example_sql: [{question: [Q], sql: S, parameters: [{name: p, type_hint: DATE, default_value: {values: [5]}}]}]}"
        }),
        ("config: {sample_questions: [{id: sq_one, question: [Q]}]}", "sample_questions: [{$key: sq_one, question: Q}]"),
        ("benchmarks: {questions: [{question: Q, expected_sql: S}]}", "benchmarks: [{question: Q, sql: S}]"),
        ("benchmarks: [{question: Q, answer: [{format: SQL, content: [A, B]}]}]", "benchmarks: [{question: Q, sql: AB}]"),
        ("instructions: {text_instructions: [{content: [One]}]}", "instructions: {text: One}"),
        ("instructions: '${file(\"a.md\")}'", "instructions: {text: '${file(\"a.md\")}'}"),
        (
            "instructions: {join_specs: [{left: {identifier: a.b.c, alias: c}, right: {identifier: a.b.d, alias: e}, sql: [\"`c`.`x` = `e`.`y`\", \"--rt=FROM_RELATIONSHIP_TYPE_MANY_TO_ONE--\"]}]}",
            "instructions: {joins: [{left: a.b.c, right: a.b.d, right_alias: e, relationship: MANY_TO_ONE, condition: c.x = e.y}]}",
        ),
        ("serialized_space: {file: a.json}", "serialized_space: {file: a.json}"),
        ("title: T\nauthor: me\nlifecycle: {merge: true}", "title: T\nauthor: me\nlifecycle: {merge: true}"),
        // Markers of overlays are no names.
        ("tables: [{name: a.b.c, $delete: true}]", "tables: [{identifier: a.b.c, $delete: true}]"),
        ("tables: [{name: a.b.c, columns: {x: {$delete: true}}}]", "tables: [{identifier: a.b.c, columns: [{name: x, $delete: true}]}]"),
        ("tables: [{name: a.b.c, columns: {$delete: true}}]", "tables: [{identifier: a.b.c, columns: {$delete: true}}]"),
        ("data_sources: {tables: {$delete: true}}", "tables: {$delete: true}"),
    ];

    #[test]
    fn every_form_is_written_out_and_keeps_its_places() {
        let kind = Registry::standard().get("spaces").expect("a kind");
        let form = kind.hooks.laid.expect("a form");
        for (text, wanted) in FORMS {
            let node = read(text);
            let laid = body(kind, &node, Packed::Opened);
            // Whatever is left of how it was written, it is read as the same.
            assert_eq!(form(laid.value()), form(read(wanted).value()), "{text}");
            assert_eq!(form(laid.value()), form(node.value()), "{text}");
            let names = |node: &Node| node.entries().iter().map(|e| e.key.clone()).collect::<Vec<_>>();
            assert_eq!(names(&laid), names(&read(wanted)), "{text}");
            // A scalar that the source has stands where the source has it.
            let (mut ours, mut theirs) = (vec![], vec![]);
            scalars(&laid, &mut ours);
            scalars(&node, &mut theirs);
            for one in ours {
                let there: Vec<&&Node> = theirs.iter().filter(|other| other.text() == one.text()).collect();
                assert!(there.is_empty() || there.iter().any(|other| other.span == one.span), "{text}: {:?}", one.text());
            }
            assert_eq!(body(kind, &laid, Packed::Opened), laid, "{text}: again");
        }
    }
}
