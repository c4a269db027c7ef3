//! The serialized space: what the server's converter refuses, how it brings the first version to the second, how it gives
//! one back. Messages are those seen in public logs and tests.

use crate::local::answer::Refusal;
use crate::local::exchange::Exchange;
use crate::local::services::Rival;
use crate::model::{Map, Value, json};

/// What a member is.
#[derive(Clone, Copy)]
enum Sort {
    /// Text, a number, a flag.
    One,
    /// A list of texts.
    Texts,
    /// An object.
    Object(&'static Message),
    /// A list of objects.
    Objects(&'static Message),
}

/// An object of the export.
struct Message {
    /// As the server's messages name it.
    name: &'static str,
    members: &'static [(&'static str, Sort)],
}

static COLUMN: Message = Message {
    name: "column_config",
    members: &[
        ("column_name", Sort::One),
        ("description", Sort::Texts),
        ("synonyms", Sort::Texts),
        ("exclude", Sort::One),
        ("enable_format_assistance", Sort::One),
        ("enable_entity_matching", Sort::One),
        ("get_example_values", Sort::One),
        ("build_value_dictionary", Sort::One),
    ],
};
static TABLE: Message = Message {
    name: "table",
    members: &[("identifier", Sort::One), ("description", Sort::Texts), ("column_configs", Sort::Objects(&COLUMN))],
};
static DATA_SOURCES: Message =
    Message { name: "data_sources", members: &[("tables", Sort::Objects(&TABLE)), ("metric_views", Sort::Objects(&TABLE))] };
static SAMPLE: Message = Message { name: "sample_question", members: &[("id", Sort::One), ("question", Sort::Texts)] };
static CONFIG: Message = Message { name: "config", members: &[("sample_questions", Sort::Objects(&SAMPLE))] };
static TEXT: Message = Message { name: "text_instruction", members: &[("id", Sort::One), ("content", Sort::Texts)] };
static VALUES: Message = Message { name: "default_value", members: &[("values", Sort::Texts)] };
static PARAMETER: Message = Message {
    name: "parameter",
    members: &[("name", Sort::One), ("type_hint", Sort::One), ("description", Sort::Texts), ("default_value", Sort::Object(&VALUES))],
};
static EXAMPLE: Message = Message {
    name: "example_question_sql",
    members: &[
        ("id", Sort::One),
        ("question", Sort::Texts),
        ("sql", Sort::Texts),
        ("usage_guidance", Sort::Texts),
        ("parameters", Sort::Objects(&PARAMETER)),
    ],
};
static FUNCTION: Message = Message { name: "sql_function", members: &[("id", Sort::One), ("identifier", Sort::One)] };
static SIDE: Message = Message { name: "join_source", members: &[("identifier", Sort::One), ("alias", Sort::One)] };
static JOIN: Message = Message {
    name: "join_spec",
    members: &[
        ("id", Sort::One),
        ("left", Sort::Object(&SIDE)),
        ("right", Sort::Object(&SIDE)),
        ("sql", Sort::Texts),
        ("comment", Sort::Texts),
        ("instruction", Sort::Texts),
    ],
};
static SNIPPET: Message = Message {
    name: "sql_snippet",
    members: &[
        ("id", Sort::One),
        ("sql", Sort::Texts),
        ("display_name", Sort::One),
        ("alias", Sort::One),
        ("synonyms", Sort::Texts),
        ("comment", Sort::Texts),
        ("instruction", Sort::Texts),
    ],
};
static SNIPPETS: Message = Message {
    name: "sql_snippets",
    members: &[("filters", Sort::Objects(&SNIPPET)), ("expressions", Sort::Objects(&SNIPPET)), ("measures", Sort::Objects(&SNIPPET))],
};
static INSTRUCTIONS: Message = Message {
    name: "instructions",
    members: &[
        ("text_instructions", Sort::Objects(&TEXT)),
        ("example_question_sqls", Sort::Objects(&EXAMPLE)),
        ("sql_functions", Sort::Objects(&FUNCTION)),
        ("join_specs", Sort::Objects(&JOIN)),
        ("sql_snippets", Sort::Object(&SNIPPETS)),
    ],
};
static ANSWER: Message = Message { name: "benchmark_answer", members: &[("format", Sort::One), ("content", Sort::Texts)] };
static BENCHMARK: Message = Message {
    name: "benchmark_question",
    members: &[("id", Sort::One), ("question", Sort::Texts), ("answer", Sort::Objects(&ANSWER)), ("evaluation_note", Sort::Texts)],
};
static BENCHMARKS: Message = Message { name: "benchmarks", members: &[("questions", Sort::Objects(&BENCHMARK))] };
static EXPORT: Message = Message {
    name: "space",
    members: &[
        ("version", Sort::One),
        ("config", Sort::Object(&CONFIG)),
        ("data_sources", Sort::Object(&DATA_SOURCES)),
        ("instructions", Sort::Object(&INSTRUCTIONS)),
        ("benchmarks", Sort::Object(&BENCHMARKS)),
    ],
};

/// The lists that must be sorted, and by what. Whether benchmarks must be is not known: exports hold them in both orders.
const SORTED: &[(&[&str], &[&str])] = &[
    (&["data_sources", "tables"], &["identifier"]),
    (&["data_sources", "metric_views"], &["identifier"]),
    (&["config", "sample_questions"], &["id"]),
    (&["instructions", "text_instructions"], &["id"]),
    (&["instructions", "example_question_sqls"], &["id"]),
    (&["instructions", "sql_functions"], &["id", "identifier"]),
    (&["instructions", "join_specs"], &["id"]),
    (&["instructions", "sql_snippets", "filters"], &["id"]),
    (&["instructions", "sql_snippets", "expressions"], &["id"]),
    (&["instructions", "sql_snippets", "measures"], &["id"]),
];

fn invalid(message: impl std::fmt::Display) -> Refusal {
    Refusal::invalid(format!("Invalid export proto: {message}"))
}

fn unreadable(message: impl std::fmt::Display) -> Refusal {
    Refusal::invalid(format!("Failed to parse export proto: {message}"))
}

fn at<'a>(export: &'a Map, path: &[&str]) -> &'a [Value] {
    let found = path.split_first().and_then(|(first, rest)| rest.iter().try_fold(export.get(*first)?, |value, name| value.get(name)));
    found.and_then(Value::as_list).unwrap_or_default()
}

/// That a definition is refused for this.
pub fn refused(message: impl std::fmt::Display) -> Refusal {
    invalid(message)
}

/// What becomes of members that no reference names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// They are refused.
    Refused,
    /// They are kept.
    Kept,
}

/// Whether the server takes it.
///
/// # Errors
/// 400 with what the converter says.
pub fn check(export: &Map, unknown: Unknown, form: Joins) -> Result<(), Refusal> {
    let version = export.get("version").and_then(Value::as_i64).unwrap_or_default();
    if !matches!(version, 1 | 2) {
        return Err(invalid(format_args!("ExportConverter supports versions 1 and 2, but got {version}")));
    }
    message(&EXPORT, export, unknown)?;
    for (path, by) in SORTED {
        let key = |item: &Value| by.iter().map(|name| item.get(name).map(Value::key_text)).collect::<Vec<_>>();
        if !at(export, path).iter().map(key).is_sorted() {
            let by = if let [only] = by { (*only).to_owned() } else { format!("({})", by.join(", ")) };
            return Err(invalid(format_args!("{} must be sorted by {by}", path.join("."))));
        }
    }
    for list in ["tables", "metric_views"] {
        for table in at(export, &["data_sources", list]) {
            columns(table)?;
        }
    }
    if at(export, &["instructions", "text_instructions"]).len() > 1 {
        return Err(invalid("text_instructions must contain at most one item"));
    }
    for list in ["filters", "expressions", "measures"] {
        for (i, snippet) in at(export, &["instructions", "sql_snippets", list]).iter().enumerate() {
            if snippet.get("display_name").is_none_or(Value::is_zero) {
                return Err(invalid(format_args!("sql_snippets.{list}[{i}].display_name is required but missing")));
            }
        }
    }
    joins(export, form)?;
    if at(export, &["benchmarks", "questions"]).iter().any(|q| q.get("answer").is_none_or(Value::is_zero)) {
        return Err(invalid("benchmark_question must have at least one answer"));
    }
    unique(export)
}

fn columns(table: &Value) -> Result<(), Refusal> {
    let name = table.get("identifier").map(Value::key_text).unwrap_or_default();
    let columns: Vec<String> = table
        .get("column_configs")
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .map(|c| c.get("column_name").map(Value::key_text).unwrap_or_default())
        .collect();
    if !columns.is_sorted() {
        return Err(invalid(format_args!("data_sources.table({name}).column_configs must be sorted by column_name")));
    }
    Ok(())
}

/// Which conditions of joins are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joins {
    /// All.
    Any,
    /// Equalities of two columns in backticks, each of a side, joined by AND.
    Equalities,
}

/// Whether a condition is such.
fn is_equality(text: &str) -> bool {
    text.split(" AND ").all(|equality| {
        let sides: Vec<&str> = equality.split(" = ").collect();
        sides.len() == 2 && sides.iter().all(|side| side.starts_with('`') && side.ends_with('`') && side.contains("`.`"))
    })
}

fn joins(export: &Map, form: Joins) -> Result<(), Refusal> {
    for join in at(export, &["instructions", "join_specs"]) {
        let sql = join.get("sql").and_then(Value::as_list).unwrap_or_default();
        let text = |at: usize| sql.get(at).and_then(Value::as_str).unwrap_or_default();
        let known = ["MANY_TO_ONE", "ONE_TO_MANY", "ONE_TO_ONE", "MANY_TO_MANY"];
        let marked = known.iter().any(|r| text(1) == format!("--rt=FROM_RELATIONSHIP_TYPE_{r}--"));
        if !marked || sql.len() != 2 || (form == Joins::Equalities && !is_equality(text(0))) {
            return Err(unreadable(format_args!("{} (of class java.lang.String)", text(0))));
        }
    }
    Ok(())
}

/// Ids are unique among the questions, and among the instructions.
fn unique(export: &Map) -> Result<(), Refusal> {
    let questions: &[&[&str]] = &[&["config", "sample_questions"], &["benchmarks", "questions"]];
    let instructions: Vec<&[&str]> = SORTED.iter().map(|(path, _)| *path).filter(|path| path[0] == "instructions").collect();
    for (group, paths) in [("questions", questions), ("instructions", &instructions)] {
        let mut seen = std::collections::BTreeSet::new();
        for id in paths.iter().flat_map(|path| at(export, path)).filter_map(|item| item.get("id")?.as_str()) {
            if !seen.insert(id) {
                return Err(invalid(format_args!("ids of {group} must be unique, but '{id}' is there twice")));
            }
        }
    }
    Ok(())
}

/// Members that the server does not know, and values of another sort.
fn message(of: &Message, given: &Map, unknown: Unknown) -> Result<(), Refusal> {
    if of.members.iter().any(|(name, _)| *name == "id") {
        id(of.name, given.get("id"))?;
    }
    for (name, value) in given {
        let Some((_, sort)) = of.members.iter().find(|(known, _)| known == name) else {
            if unknown == Unknown::Kept {
                continue;
            }
            return Err(unreadable(format_args!("Cannot find field: {name} in message {}", of.name)));
        };
        match (sort, value) {
            (_, Value::Null) | (Sort::One, _) => {}
            (Sort::Object(of), Value::Map(map)) => message(of, map, unknown)?,
            (Sort::Objects(of), Value::List(items)) => {
                for item in items {
                    let Value::Map(map) = item else { return Err(unreadable(format_args!("Expected an object for {name}"))) };
                    message(of, map, unknown)?;
                }
            }
            (Sort::Texts, Value::List(items)) if items.iter().all(|item| item.as_str().is_some()) => {}
            (Sort::Texts | Sort::Objects(_), other) => {
                return Err(Refusal::invalid(format!("Expected an array for {name} but found {}", json::display(other))));
            }
            (Sort::Object(_), _) => return Err(unreadable(format_args!("Expected an object for {name}"))),
        }
    }
    Ok(())
}

/// Whether a text is an id as spaces and everything in them have them.
pub fn is_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn id(of: &str, given: Option<&Value>) -> Result<(), Refusal> {
    match given.and_then(Value::as_str) {
        None | Some("") => {
            Err(unreadable(format_args!("{of}.id must be provided and non-empty. Expected lowercase 32-hex UUID without hyphens.")))
        }
        Some(id) if is_id(id) => Ok(()),
        Some(id) => Err(Refusal::invalid(format!("Invalid id for {of}.id: '{id}'"))),
    }
}

/// The second version of an export.
pub fn migrate(export: &mut Map) {
    export.insert("version".to_owned(), Value::Int(2));
    let sources = export.entry("data_sources".to_owned()).or_insert_with(|| Value::Map(Map::new()));
    for list in ["tables", "metric_views"] {
        let Some(Value::List(tables)) = sources.as_map_mut().and_then(|s| s.get_mut(list)) else { continue };
        for table in tables.iter_mut().filter_map(Value::as_map_mut) {
            let Some(Value::List(columns)) = table.get_mut("column_configs") else { continue };
            for column in columns.iter_mut().filter_map(Value::as_map_mut) {
                for (old, new) in [("get_example_values", "enable_format_assistance"), ("build_value_dictionary", "enable_entity_matching")]
                {
                    if let Some(value) = column.shift_remove(old) {
                        column.entry(new.to_owned()).or_insert(value);
                    }
                }
            }
        }
    }
}

/// The names of all tables and views.
pub fn tables(export: &Map) -> Vec<String> {
    let of = |list| at(export, &["data_sources", list]).iter().filter_map(|t| Some(t.get("identifier")?.as_str()?.to_owned()));
    of("tables").chain(of("metric_views")).collect()
}

/// The names of all functions.
pub fn functions(export: &Map) -> Vec<String> {
    let named = |function: &Value| Some(function.get("identifier")?.as_str()?.to_owned());
    at(export, &["instructions", "sql_functions"]).iter().filter_map(named).collect()
}

/// How many functions or benchmarks there are, whichever are more; none where there are neither.
pub fn answers(export: &Map) -> Option<usize> {
    let counts = [&["instructions", "sql_functions"], &["benchmarks", "questions"]].map(|path| at(export, path).len());
    counts.into_iter().max().filter(|most| *most > 0)
}

/// An export as it is given back.
pub fn read(exchange: &Exchange<'_, '_>, export: &mut Map) {
    if let Some(Value::List(questions)) = export.get_mut("benchmarks").and_then(|b| b.as_map_mut()?.get_mut("questions")) {
        questions.sort_by_cached_key(|q| std::cmp::Reverse(q.get("id").map(Value::key_text)));
    }
    if exchange.rival(Rival::GenieViewsAsTables)
        && let Some(Value::Map(sources)) = export.get_mut("data_sources")
        && let Some(Value::List(views)) = sources.shift_remove("metric_views")
        && let Value::List(tables) = sources.entry("tables".to_owned()).or_insert_with(|| Value::List(vec![]))
    {
        tables.extend(views);
    }
    if exchange.rival(Rival::GenieSplitsLines) {
        split(export, &|text| text.split_inclusive('\n').map(Value::from).collect());
    }
    if exchange.rival(Rival::GenieSplitsAnywhere) {
        split(export, &|text| pieces(text, 7));
    }
}

/// A text cut after so many characters, wherever that is.
fn pieces(text: &str, length: usize) -> Vec<Value> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(length).map(|piece| Value::Text(piece.iter().collect())).collect()
}

/// Texts in lists come back as one text that is cut anew.
fn split(map: &mut Map, cut: &dyn Fn(&str) -> Vec<Value>) {
    for (name, value) in map.iter_mut() {
        match value {
            // The second text of a join is a marker of its own.
            Value::List(items) if name == "sql" && items.len() == 2 && is_marker(&items[1]) => {}
            Value::Map(below) => split(below, cut),
            Value::List(items) if items.iter().all(|i| i.as_str().is_some()) && !matches!(name.as_str(), "synonyms" | "values") => {
                *items = cut(&items.iter().filter_map(Value::as_str).collect::<String>());
            }
            Value::List(items) => items.iter_mut().filter_map(Value::as_map_mut).for_each(|item| split(item, cut)),
            _ => {}
        }
    }
}

fn is_marker(text: &Value) -> bool {
    text.as_str().is_some_and(|text| text.starts_with("--rt="))
}
