//! How much a Genie space may hold, by either API: numbers of the public set-up page and of the rules that published
//! validators cite. Those that one source alone has are kept with a rival habit only.

use std::collections::BTreeSet;

use crate::local::exchange::Exchange;
use crate::local::services::Rival;
use crate::model::{Map, Value};

/// Characters of one text.
const CHARACTERS: usize = 25_000;
/// Items of one list.
const ITEMS: usize = 10_000;
/// Lists that are counted together: what they are, how many there may be, where they stand.
const COUNTS: &[(&str, usize, &[&[&str]])] = &[
    ("tables and views", 30, &[&["data_sources", "tables"], &["data_sources", "metric_views"]]),
    (
        "instructions",
        100,
        &[&["instructions", "text_instructions"], &["instructions", "example_question_sqls"], &["instructions", "sql_functions"]],
    ),
];
/// The same of weak evidence: a validator has it.
const WEAK_COUNTS: &[(&str, usize, &[&[&str]])] = &[(
    "snippets",
    200,
    &[
        &["instructions", "sql_snippets", "filters"],
        &["instructions", "sql_snippets", "expressions"],
        &["instructions", "sql_snippets", "measures"],
    ],
)];
/// Bytes of a serialized space, by one description.
const BYTES: usize = 3_500_000;

fn at<'a>(whole: &'a Map, path: &[&str]) -> &'a [Value] {
    let found = path.split_first().and_then(|(first, rest)| rest.iter().try_fold(whole.get(*first)?, |value, name| value.get(name)));
    found.and_then(Value::as_list).unwrap_or_default()
}

/// What is too much in a definition, in the words of a refusal; and what stands there twice, or empty, where it may not.
pub fn exceeded(exchange: &Exchange<'_, '_>, whole: &Map) -> Option<String> {
    let weak = if exchange.rival(Rival::GenieStrict) { WEAK_COUNTS } else { &[] };
    for (what, most, lists) in COUNTS.iter().chain(weak) {
        let count: usize = lists.iter().map(|list| at(whole, list).len()).sum();
        if count > *most {
            return Some(format!("Exceeded maximum number ({most}) of {what}: {count}"));
        }
    }
    for list in ["filters", "expressions", "measures"] {
        let is_blank = |sql: &Value| match sql {
            Value::List(texts) => texts.iter().all(|text| text.as_str().is_some_and(|text| text.trim().is_empty())),
            other => other.as_str().is_some_and(|text| text.trim().is_empty()),
        };
        let empty = at(whole, &["instructions", "sql_snippets", list]).iter().position(|snippet| snippet.get("sql").is_none_or(is_blank));
        if let Some(i) = empty {
            return Some(format!("sql_snippets.{list}[{i}].sql is required but missing"));
        }
    }
    twice(whole).or_else(|| whole.iter().find_map(|(name, value)| long(name, value)))
}

/// Whether the text of a serialized space is too long.
pub fn too_long(exchange: &Exchange<'_, '_>, text: &str) -> Option<String> {
    let is = exchange.rival(Rival::GenieStrict) && text.len() > BYTES;
    is.then(|| format!("serialized_space is longer than {BYTES} bytes: {}", text.len()))
}

/// A column that is configured twice.
fn twice(whole: &Map) -> Option<String> {
    let mut seen = BTreeSet::new();
    for table in ["tables", "metric_views"].iter().flat_map(|list| at(whole, &["data_sources", *list])) {
        let name = table.get("identifier").map(Value::key_text).unwrap_or_default();
        for column in table.get("column_configs").and_then(Value::as_list).unwrap_or_default() {
            let column = ["column_name", "column"].iter().find_map(|name| column.get(name)).map(Value::key_text).unwrap_or_default();
            if !seen.insert((name.clone(), column.clone())) {
                return Some(format!("data_sources.table({name}).column_configs has {column} twice"));
            }
        }
    }
    None
}

fn long(name: &str, value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => {
            let length = text.chars().count();
            (length > CHARACTERS).then(|| format!("{name} is longer than {CHARACTERS} characters: {length}"))
        }
        Value::List(items) if items.len() > ITEMS => Some(format!("{name} has more than {ITEMS} items: {}", items.len())),
        Value::List(items) => items.iter().find_map(|item| long(name, item)),
        Value::Map(map) => map.iter().find_map(|(name, value)| long(name, value)),
        _ => None,
    }
}
