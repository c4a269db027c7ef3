//! What a notebook's text becomes on its way through the workspace.

use crate::local::answer::Refusal;
use crate::model::{Map, Value, json};

/// How a notebook was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Source text with marks between cells.
    Source,
    /// A Jupyter document.
    Jupyter,
}

impl Form {
    /// As it is kept.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Jupyter => "jupyter",
        }
    }
}

/// Language, ending, and what begins a comment.
const LANGUAGES: [(&str, &str, &str); 4] = [("PYTHON", "py", "#"), ("SQL", "sql", "--"), ("SCALA", "scala", "//"), ("R", "r", "#")];

fn by_language(language: &str) -> (&'static str, &'static str) {
    LANGUAGES.iter().find(|(l, ..)| *l == language).map_or(("txt", "#"), |(_, ending, mark)| (ending, mark))
}

/// The language of a path's ending.
pub fn language_of(path: &str) -> Option<&'static str> {
    let ending = path.rsplit_once('.')?.1;
    LANGUAGES.iter().find(|(_, e, _)| e.eq_ignore_ascii_case(ending)).map(|(l, ..)| *l)
}

/// What AUTO takes for a notebook, and the path that it gets.
pub fn looks_like(path: &str, bytes: &[u8]) -> Option<(Form, String)> {
    let (without, ending) = path.rsplit_once('.')?;
    if ending.eq_ignore_ascii_case("ipynb") {
        return Some((Form::Jupyter, without.to_owned()));
    }
    let mark = LANGUAGES.iter().find(|(_, e, _)| e.eq_ignore_ascii_case(ending))?.2;
    bytes.starts_with(format!("{mark} Databricks notebook source").as_bytes()).then(|| (Form::Source, without.to_owned()))
}

/// Language and text of a Jupyter document: without outputs and counts, with what the server notes in it.
pub fn jupyter(text: &str, language: Option<&str>) -> Result<(String, String), Refusal> {
    let bad = || Refusal::invalid("The notebook is not a valid Jupyter document.");
    let Ok(Value::Map(mut document)) = json::parse(text.as_bytes()) else { return Err(bad()) };
    let Some(Value::List(cells)) = document.get_mut("cells") else { return Err(bad()) };
    for cell in cells.iter_mut().filter_map(Value::as_map_mut) {
        if cell.get("cell_type").and_then(Value::as_str) == Some("code") {
            cell.insert("outputs".to_owned(), Value::List(vec![]));
            cell.insert("execution_count".to_owned(), Value::Int(0));
        }
        cell.insert("metadata".to_owned(), Value::map([("application/vnd.databricks.v1+cell", Value::Map(Map::new()))]));
    }
    let named = document.get("metadata").and_then(|m| m.get("language_info")).and_then(|l| l.get("name")).map(Value::key_text);
    let named = named.map(|n| n.to_uppercase()).filter(|n| LANGUAGES.iter().any(|(l, ..)| l == n));
    let language = named.or_else(|| language.map(str::to_owned)).unwrap_or_else(|| "PYTHON".to_owned());
    let text = json::write(&Value::Map(document)).map_err(|_| bad())?;
    Ok((language, text))
}

/// The text of an export, and its ending.
pub fn exported(language: &str, form: &str, text: &str, format: &str, as_sent: bool) -> Result<(String, &'static str), Refusal> {
    let (ending, mark) = by_language(language);
    let is_jupyter = form == Form::Jupyter.word();
    match format {
        "JUPYTER" if is_jupyter => Ok((text.to_owned(), "ipynb")),
        "SOURCE" | "AUTO" if !is_jupyter && as_sent => Ok((text.to_owned(), ending)),
        "SOURCE" | "AUTO" if is_jupyter => Ok((source_of_cells(text, mark), ending)),
        "SOURCE" | "AUTO" => Ok((with_header(text, mark), ending)),
        "JUPYTER" => Ok((cells_of_source(text, mark, language), "ipynb")),
        other => Err(Refusal::new(501, "NOT_IMPLEMENTED", format!("The local workspace does not export the format {other}."))),
    }
}

fn with_header(text: &str, mark: &str) -> String {
    let header = format!("{mark} Databricks notebook source");
    let text = text.replace("\r\n", "\n");
    let text = text.trim_end_matches('\n');
    if text.starts_with(&header) { text.to_owned() } else { format!("{header}\n{text}") }
}

fn source(cell: &Value) -> String {
    match cell.get("source") {
        Some(Value::List(lines)) => lines.iter().map(Value::key_text).collect(),
        Some(text) => text.key_text(),
        None => String::new(),
    }
}

fn source_of_cells(text: &str, mark: &str) -> String {
    let document = json::parse(text.as_bytes()).unwrap_or(Value::Null);
    let cells = document.get("cells").and_then(Value::as_list).unwrap_or_default();
    let texts: Vec<String> = cells
        .iter()
        .map(|cell| match cell.get("cell_type").and_then(Value::as_str) {
            Some("markdown") => {
                let lines: Vec<String> = source(cell).lines().map(|line| format!("{mark} MAGIC {line}")).collect();
                format!("{mark} MAGIC %md\n{}", lines.join("\n"))
            }
            _ => source(cell),
        })
        .collect();
    with_header(&texts.join(&format!("\n\n{mark} COMMAND ----------\n\n")), mark)
}

fn cells_of_source(text: &str, mark: &str, language: &str) -> String {
    let plain = with_header(text, mark);
    let body = plain.split_once('\n').map_or("", |(_, body)| body);
    let between = format!("{mark} COMMAND ----------");
    let cells = body.split(&between).map(|cell| {
        Value::map([
            ("cell_type", Value::text("code")),
            ("execution_count", Value::Int(0)),
            ("metadata", Value::Map(Map::new())),
            ("outputs", Value::List(vec![])),
            ("source", Value::text(cell.trim_matches('\n'))),
        ])
    });
    let cells: Vec<Value> = cells.collect();
    let language = Value::map([("language_info", Value::map([("name", Value::Text(language.to_lowercase()))]))]);
    let document =
        Value::map([("cells", Value::List(cells)), ("metadata", language), ("nbformat", Value::Int(4)), ("nbformat_minor", Value::Int(0))]);
    json::display(&document)
}
