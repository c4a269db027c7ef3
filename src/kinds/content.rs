//! What notebooks and files share: their content, as YAML has it and as the workspace gives it back.

use super::call::{Call, Repeat};
use super::encode::{BYTES, from_base64};
use super::{Calls, Change, Op, Path, Refusal, Value};
use crate::model::{Map, json};

const IMPORT: Op = "workspace.workspace.import_";
/// What an import takes at most, in bytes (the reference).
const MOST_BYTES: usize = 10_485_760;

/// Endings, languages, and what begins a comment in them.
const LANGUAGES: [(&str, &str, &str); 4] = [("py", "PYTHON", "#"), ("sql", "SQL", "--"), ("scala", "SCALA", "//"), ("r", "R", "#")];

fn ending(name: &str) -> Option<String> {
    name.rsplit('/').next()?.rsplit_once('.').map(|(_, ending)| ending.to_lowercase())
}

pub(super) fn language_of_name(name: &str) -> Option<&'static str> {
    let ending = ending(name)?;
    LANGUAGES.iter().find(|(e, ..)| *e == ending).map(|(_, language, _)| *language)
}

pub(super) fn is_jupyter_name(name: &str) -> bool {
    ending(name).as_deref() == Some("ipynb")
}

fn header(mark: &str) -> String {
    format!("{mark} Databricks notebook source")
}

/// The language that a notebook's header is written in; `#` begins those of Python and R alike, and means Python.
pub(super) fn language_of_header(text: &str) -> Option<&'static str> {
    LANGUAGES.iter().find(|(_, _, mark)| text.trim_start_matches('\u{feff}').starts_with(&header(mark))).map(|(_, language, _)| *language)
}

/// A notebook's source as the workspace means it: header first, plain line ends, one at the end.
pub(super) fn canonical(text: &str, language: &str) -> String {
    let mark = LANGUAGES.iter().find(|(_, l, _)| *l == language).map_or("#", |(.., mark)| mark);
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let text = text.trim_end();
    let header = header(mark);
    if text.starts_with(&header) { format!("{text}\n") } else { format!("{header}\n{text}\n") }
}

/// Whether two contents are the same: Jupyter documents by what is in their cells, everything else as it is.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    let cells = |value: &Value| {
        let text = value.as_str().filter(|t| t.trim_start().starts_with('{'))?;
        let document = json::parse(text.as_bytes()).ok()?;
        let cells = document.get("cells")?.as_list()?;
        Some(cells.iter().map(cell).collect::<Vec<_>>())
    };
    a == b || matches!((cells(a), cells(b)), (Some(a), Some(b)) if a == b)
}

/// The sort and the source of a cell: outputs, counts and ids are nobody's intent.
fn cell(cell: &Value) -> (String, String) {
    let source = match cell.get("source") {
        Some(Value::List(lines)) => lines.iter().map(Value::key_text).collect(),
        Some(text) => text.key_text(),
        None => String::new(),
    };
    (cell.get("cell_type").map(Value::key_text).unwrap_or_default(), source.replace("\r\n", "\n").trim_end().to_owned())
}

/// What both reads gave: the content decoded, a notebook's source in its canonical form.
pub(super) fn reply(body: Value) -> Value {
    let Value::Map(mut body) = body else { return body };
    body.shift_remove("file_type");
    let language = body.get("language").and_then(Value::as_str).map(str::to_owned);
    if let Some(content) = body.get_mut("content")
        && let Some(text) = content.as_str()
    {
        *content = match (from_base64(text), language) {
            (Value::Text(text), Some(language)) if !text.trim_start().starts_with('{') => Value::Text(canonical(&text, &language)),
            (other, _) => other,
        };
    }
    Value::Map(body)
}

/// How many bytes a content has.
fn size(content: &Value) -> usize {
    match content.get(BYTES).and_then(Value::as_str) {
        Some(encoded) => encoded.trim_end_matches('=').len() * 3 / 4,
        None => content.as_str().map_or(0, str::len),
    }
}

/// An import over what is there.
#[expect(clippy::unnecessary_wraps, reason = "the form of an update function")]
pub(super) fn update(change: &Change<'_>) -> Calls {
    let members = ["path", "content", "format", "language"].into_iter().filter_map(|f| Some((f, change.desired.get(f)?.clone())));
    let body = Some(Value::map(members.chain([("overwrite", Value::Bool(true))])));
    Ok(vec![Call { op: IMPORT, path: Map::new(), query: Map::new(), body, why: "import", repeat: Repeat::Safe }])
}

/// Rules that hold for both: a path, a content, not too much of it.
pub(super) fn check(body: &Value, word: &str, example: &str) -> Vec<Refusal> {
    let mut found = super::limits::workspace_path(body);
    let refuse = |field: &str, reason: String| Refusal { path: Path::field(field), reason };
    match body.get("content") {
        None | Some(Value::Null) => found.push(Refusal {
            path: Path::default(),
            reason: format!("a {word} needs `source: {example}`, a file of the project, or `content:` written here"),
        }),
        Some(content) if size(content) > MOST_BYTES => {
            let reason = format!("a {word} has at most {MOST_BYTES} bytes (10 MiB), and this one has {}", size(content));
            found.push(refuse("content", reason));
        }
        Some(Value::Map(map)) if map.get(BYTES).is_none() => {
            found.push(refuse("content", "content is text, or `source:` names a file".to_owned()));
        }
        Some(_) => {}
    }
    found
}
