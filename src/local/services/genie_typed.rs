//! The definition of a typed agent: what the server refuses in it, and how the same space is written as an export of the
//! spaces API and back.

use std::collections::BTreeSet;

use crate::local::answer::Refusal;
use crate::local::services::genie_export;
use crate::model::{Map, Value};

/// What relationships begin with, here and in the marker of an export.
const RELATIONSHIP: &str = "GENIE_AGENT_JOIN_RELATIONSHIP_TYPE_";
const MARKER: (&str, &str) = ("--rt=FROM_RELATIONSHIP_TYPE_", "--");
const SQL: &str = "GENIE_AGENT_BENCHMARK_ANSWER_FORMAT_SQL";

/// Members that are one text here and a list of fragments in an export.
const TEXTS: &[&str] = &["question", "description", "sql", "content", "usage_guidance", "instruction", "comment", "evaluation_note"];

/// Lists whose items have ids, and within which group the ids are unique.
const WITH_IDS: &[(&[&str], &str)] = &[
    (&["config", "sample_questions"], "questions"),
    (&["benchmarks", "questions"], "questions"),
    (&["instructions", "text_instructions"], "instructions"),
    (&["instructions", "example_question_sqls"], "instructions"),
    (&["instructions", "sql_functions"], "instructions"),
    (&["instructions", "join_specs"], "instructions"),
    (&["instructions", "sql_snippets", "filters"], "instructions"),
    (&["instructions", "sql_snippets", "expressions"], "instructions"),
    (&["instructions", "sql_snippets", "measures"], "instructions"),
];

fn at<'a>(definition: &'a Map, path: &[&str]) -> &'a [Value] {
    let found = path.split_first().and_then(|(first, rest)| rest.iter().try_fold(definition.get(*first)?, |value, name| value.get(name)));
    found.and_then(Value::as_list).unwrap_or_default()
}

fn texts<'a>(items: &'a [Value], name: &str) -> Vec<&'a str> {
    items.iter().map(|item| item.get(name).and_then(Value::as_str).unwrap_or_default()).collect()
}

fn invalid(message: impl std::fmt::Display) -> Refusal {
    Refusal::invalid(format!("Invalid definition: {message}"))
}

/// That a definition is refused for this.
pub fn refused(message: impl std::fmt::Display) -> Refusal {
    invalid(message)
}

/// Whether the server takes it. Unknown members and wrong types were refused before.
///
/// # Errors
/// 400: ids, order, counts.
pub fn check(definition: &Map) -> Result<(), Refusal> {
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (path, group) in WITH_IDS {
        for id in texts(at(definition, path), "id") {
            if !genie_export::is_id(id) {
                return Err(invalid(format_args!("{}: '{id}' is no id. Expected lowercase 32-hex UUID without hyphens.", path.join("."))));
            }
            if !seen.insert((group, id)) {
                return Err(invalid(format_args!("ids of {group} must be unique, but '{id}' is there twice")));
            }
        }
    }
    if !texts(at(definition, &["config", "sample_questions"]), "id").is_sorted() {
        return Err(invalid("config.sample_questions must be sorted by id"));
    }
    if !texts(at(definition, &["benchmarks", "questions"]), "id").is_sorted_by(|a, b| a >= b) {
        return Err(invalid("benchmarks.questions must be sorted by id in descending order"));
    }
    for table in at(definition, &["data_sources", "tables"]) {
        let columns = texts(table.get("column_configs").and_then(Value::as_list).unwrap_or_default(), "column");
        if !columns.is_sorted() {
            let name = table.get("identifier").map(Value::key_text).unwrap_or_default();
            return Err(invalid(format_args!("data_sources.table({name}).column_configs must be sorted by column")));
        }
    }
    if at(definition, &["instructions", "text_instructions"]).len() > 1 {
        return Err(invalid("text_instructions must contain at most one item"));
    }
    Ok(())
}

/// The export of the same space: what only this form has is not in it.
pub fn export(definition: &Map) -> Map {
    let mut out = Map::new();
    out.insert("version".to_owned(), Value::Int(2));
    for (name, value) in definition {
        out.insert(name.clone(), exported(name, value));
    }
    let sources = out.entry("data_sources".to_owned()).or_insert_with(|| Value::Map(Map::new()));
    if let Some(sources) = sources.as_map_mut() {
        sources.shift_remove("volumes");
        sources.shift_remove("mcp_connections");
    }
    out
}

fn exported(name: &str, value: &Value) -> Value {
    match value {
        Value::Text(_) if TEXTS.contains(&name) => Value::List(vec![value.clone()]),
        Value::Text(text) if name == "format" && text == SQL => Value::from("SQL"),
        Value::List(items) if !matches!(name, "synonyms" | "values") => {
            let mut items: Vec<Value> = items.iter().map(|item| exported("", item)).collect();
            let key = |item: &Value| ["id", "identifier", "column_name"].map(|name| item.get(name).map(Value::key_text));
            if !matches!(name, "parameters" | "answer") {
                items.sort_by_cached_key(key);
            }
            Value::List(items)
        }
        Value::Map(map) => {
            let is_column = map.contains_key("column");
            let kept = map.iter().filter(|(name, _)| !is_column || *name != "display_name");
            let of_export = |name: &str| if is_column && name == "column" { "column_name" } else { name }.to_owned();
            let mut out: Map = kept.map(|(name, value)| (of_export(name), exported(name, value))).collect();
            out.shift_remove("value_range");
            if let Some(Value::Text(text)) = out.shift_remove("relationship_type")
                && let Some(Value::List(sql)) = out.get_mut("sql")
            {
                let relationship = text.strip_prefix(RELATIONSHIP).unwrap_or(&text);
                sql.push(Value::Text(format!("{}{relationship}{}", MARKER.0, MARKER.1)));
            }
            Value::Map(out)
        }
        other => other.clone(),
    }
}

/// The definition of a space that was written as an export.
pub fn definition(export: &Map) -> Map {
    let mut out: Map =
        export.iter().filter(|(name, _)| *name != "version").map(|(name, value)| (name.clone(), typed(name, value))).collect();
    if let Some(Value::Map(sources)) = out.get_mut("data_sources")
        && let Some(Value::List(mut views)) = sources.shift_remove("metric_views")
        && let Value::List(tables) = sources.entry("tables".to_owned()).or_insert_with(|| Value::List(vec![]))
    {
        tables.append(&mut views);
    }
    if let Some(Value::List(questions)) = out.get_mut("benchmarks").and_then(|b| b.as_map_mut()?.get_mut("questions")) {
        questions.sort_by_cached_key(|q| std::cmp::Reverse(q.get("id").map(Value::key_text)));
    }
    out
}

fn typed(name: &str, value: &Value) -> Value {
    match value {
        Value::List(fragments) if TEXTS.contains(&name) => Value::Text(fragments.iter().filter_map(Value::as_str).collect()),
        Value::Text(text) if name == "format" && text == "SQL" => Value::from(SQL),
        Value::List(items) => Value::List(items.iter().map(|item| typed("", item)).collect()),
        Value::Map(map) => {
            let is_join = map.contains_key("left") && map.contains_key("right");
            let mut out = Map::new();
            for (name, value) in map {
                match (name.as_str(), value.as_list()) {
                    ("column_name", _) => drop(out.insert("column".to_owned(), value.clone())),
                    ("sql", Some([sql, marker])) if is_join => {
                        let relationship = marker.as_str().and_then(|m| m.strip_prefix(MARKER.0)?.strip_suffix(MARKER.1));
                        let relationship = relationship.map(|r| Value::Text(format!("{RELATIONSHIP}{r}")));
                        out.insert("sql".to_owned(), sql.clone());
                        out.extend(relationship.map(|r| ("relationship_type".to_owned(), r)));
                    }
                    _ => drop(out.insert(name.clone(), typed(name, value))),
                }
            }
            Value::Map(out)
        }
        other => other.clone(),
    }
}
