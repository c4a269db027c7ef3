//! A Genie space as a person would write it: from the form that reads have, without ids, with texts where a part is nothing
//! but its name.

use super::{object, twins};
use crate::kinds::{Field, Kind, Registry, Schema, SpaceList, space_lists};
use crate::model::{Map, Value, json};
use crate::yaml;

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}

/// The key of a space in YAML, as `adopt` gives it, too.
#[must_use]
pub fn key_of(title: &str) -> String {
    object::key_of(title, "space")
}

/// The document of one space: `spaces: [{space_id: KEY, title: ..., ...}]`.
#[must_use]
pub fn document(key: &str, body: &Value) -> Value {
    let mut space = Map::new();
    space.insert("space_id".to_owned(), Value::from(key));
    space.extend(fields(body));
    Value::map([("spaces", Value::List(vec![Value::Map(space)]))])
}

/// Whether objects of this kind are spaces.
pub(super) fn is_one(kind: &Kind) -> bool {
    kind.name == "spaces"
}

/// The fields of one space, whoever writes them into a file.
pub(super) fn fields(body: &Value) -> Map {
    let mut space = Map::new();
    // A space needs a title, and one that is empty is one.
    space.insert("title".to_owned(), body.get("title").filter(|title| !title.is_zero()).cloned().unwrap_or_else(|| Value::from("")));
    for name in ["description", "warehouse_id"] {
        space.extend(present(body, name));
    }
    if let Some(path) = body.get("parent_path").and_then(Value::as_str).filter(|path| !is_home(path)) {
        let bare = path.strip_prefix("/Workspace").unwrap_or(path);
        // What is no whole path stays what it is, and is refused as that.
        let path = if bare.starts_with('/') { format!("/Workspace{bare}") } else { path.to_owned() };
        space.insert("parent_path".to_owned(), Value::Text(path));
    }
    let root = Registry::standard().get("spaces").map(|kind| Schema::of(kind).root());
    let mut is_said = false;
    for SpaceList { at, short, .. } in space_lists() {
        // The general instruction stands before what else is instructed.
        if at[0] == "instructions" && !std::mem::replace(&mut is_said, true) {
            let text = body.get("instructions").and_then(|instructions| present(instructions, "text"));
            if let Some((_, text)) = text {
                put(&mut space, &["instructions", "text"], text);
            }
        }
        let Some((last, above)) = at.split_last() else { continue };
        let level = above.iter().try_fold(body, |level, name| level.get(name));
        let field = root.and_then(|root| at.iter().try_fold(root, |field, name| field.field(name)));
        if let Some(items) = level.and_then(|level| list(level.get(last)?, short, field)) {
            put(&mut space, at, items);
        }
    }
    space.extend(present(body, "more"));
    space
}

/// Puts a value into nested maps.
fn put(into: &mut Map, at: &[&str], value: Value) {
    match at {
        [] => {}
        [name] => drop(into.insert((*name).to_owned(), value)),
        [first, rest @ ..] => {
            if let Value::Map(below) = into.entry((*first).to_owned()).or_insert_with(|| Value::Map(Map::new())) {
                put(below, rest, value);
            }
        }
    }
}

/// The document as text, `${` kept from being read as an expression.
#[must_use]
pub fn text(document: &Value, form: Form) -> String {
    match form {
        Form::Yaml => yaml::emit(document, 0),
        Form::Json => format!("{}\n", json::write_pretty(&literal(document)).unwrap_or_default()),
    }
}

/// Where a space is put if nothing is said: the home of whoever makes it.
fn is_home(path: &str) -> bool {
    let path = path.strip_prefix("/Workspace").unwrap_or(path);
    path.strip_prefix("/Users/").is_some_and(|rest| !rest.trim_end_matches('/').contains('/'))
}

fn present(body: &Value, name: &str) -> Option<(String, Value)> {
    let value = body.get(name).filter(|value| !value.is_zero())?;
    Some((name.to_owned(), value.clone()))
}

/// A list of parts without their ids, in a stable order, told apart as in every file that is written of an object; a part that is
/// nothing but its name is that name alone.
fn list(parts: &Value, short: &str, field: Option<Field<'_>>) -> Option<Value> {
    let parts = parts.as_list().filter(|parts| !parts.is_empty())?;
    let told = twins::told_apart_at(field, Value::List(parts.iter().map(part).collect()));
    let mut shown: Vec<Value> = told.as_list()?.iter().map(|part| alone(part, short)).collect();
    let own = |part: &Value| field.and_then(twins::own_name).and_then(|own| part.get(own)).map(Value::key_text);
    let said = |part: &Value| field.map(|list| twins::said(list, part));
    shown.sort_by_cached_key(|part| (said(part), own(part), json::display(part)));
    Some(Value::List(shown))
}

/// A part without its id and without what is empty in it.
fn part(part: &Value) -> Value {
    let Value::Map(map) = part else { return part.clone() };
    let mut out = Map::new();
    for (name, value) in map {
        match (name.as_str(), value) {
            ("id", _) => {}
            ("columns", Value::List(columns)) => {
                out.insert(name.clone(), Value::List(columns.iter().map(self::part).collect()));
            }
            ("parameters", Value::List(parameters)) => {
                out.insert(name.clone(), Value::List(parameters.iter().map(parameter).collect()));
            }
            // What is said to be false is no silence.
            (_, value) if value.is_zero() && *value != Value::Bool(false) => {}
            (_, value) => {
                out.insert(name.clone(), value.clone());
            }
        }
    }
    Value::Map(out)
}

/// The name of a part that has nothing besides.
fn alone(part: &Value, short: &str) -> Value {
    part.get(short).filter(|_| part.as_map().is_some_and(|map| map.len() == 1)).unwrap_or(part).clone()
}

/// `default: x` where the default is one value.
fn parameter(parameter: &Value) -> Value {
    let Value::Map(map) = part(parameter) else { return parameter.clone() };
    let shown = map.iter().map(|(name, value)| match (name.as_str(), value.as_map().map(|m| m.len()), value.get("values")) {
        ("default_value", Some(1), Some(Value::List(values))) => {
            let plain = if let [only] = values.as_slice() { only.clone() } else { Value::List(values.clone()) };
            ("default".to_owned(), plain)
        }
        _ => (name.clone(), value.clone()),
    });
    Value::Map(shown.collect())
}

/// With `$${` for `${` in every text.
fn literal(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.replace("${", "$${")),
        Value::List(items) => Value::List(items.iter().map(literal).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), literal(v))).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_titles() {
        for (title, key) in [
            ("Sales Analytics", "sales_analytics"),
            ("  Sales -- (EU) ", "sales_eu"),
            ("2024 numbers", "space_2024_numbers"),
            ("日本", "space"),
            ("Sales (1)", "sales_1"),
        ] {
            assert_eq!(key_of(title), key, "{title}");
        }
    }

    #[test]
    fn what_a_person_would_write() {
        let live = r#"{"space_id":"01","title":"Sales","warehouse_id":"w","parent_path":"/Users/a@b","etag":"1",
            "tables":[{"identifier":"c.s.b"},{"identifier":"c.s.a","columns":[{"name":"x","synonyms":["y"]}]}],
            "instructions":{"text":"Cost: ${x}","text_id":"9","functions":[{"id":"1","identifier":"c.s.f"}],
              "example_sql":[{"id":"2","question":"q","sql":"select 1\nfrom t","parameters":[{"name":"p","default_value":{"values":["1"]}}]}]},
            "sample_questions":[{"id":"3","question":"b?"},{"id":"4","question":"a?"}]}"#;
        let body = json::parse(live.as_bytes()).unwrap();
        let want = "spaces:\n  - space_id: sales\n    title: Sales\n    warehouse_id: w\n    tables:\n      - identifier: c.s.a\n        columns:\n          - name: x\n            synonyms:\n              - \"y\"\n      - c.s.b\n    instructions:\n      text: \"Cost: $${x}\"\n      example_sql:\n        - question: q\n          sql: |-\n            select 1\n            from t\n          parameters:\n            - name: p\n              default: \"1\"\n      functions:\n        - c.s.f\n    sample_questions:\n      - a?\n      - b?\n";
        assert_eq!(text(&document("sales", &body), Form::Yaml), want);
        assert!(text(&document("sales", &body), Form::Json).contains("Cost: $${x}"));
    }
}
