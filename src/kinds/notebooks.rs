//! Notebooks of the workspace.

use super::permissions::PERMISSIONS;
use super::{
    BYTES, Encoding, Facet, Fact, From, Hooks, Identity, Kind, Natural, Parent, Path, Read, Refusal, Rename, Request, Unique, Update,
    Value, View, content,
};

/// Notebooks: imported over what is there, read by an export and, for the language and the number that access lists go by,
/// by the status. Another path or language is another notebook.
pub static NOTEBOOKS: Kind = Kind {
    name: "notebooks",
    singular: "notebook",
    create: Some(Request::bare("workspace.workspace.import_")),
    read: Read { asks: &["format"], beside: "workspace.workspace.get_status", ..Read::plain("workspace.workspace.export") },
    update: Update::Custom(content::update),
    delete: Some(Request::bare("workspace.workspace.delete")),
    identity: Identity::Named { parts: &["path"], join: "/", rename: Rename::Replaces },
    natural: Natural { fields: &["path"], unique: Unique::Yes },
    fields: &[
        ("path", "text!"),
        ("source", "text"),
        ("content", "any"),
        ("language", "workspace.Language"),
        ("format", "workspace.ImportFormat"),
        ("object_id", "int64"),
    ],
    facts: &[
        ("path", Fact::WorkspacePath),
        ("path", Fact::Slashless),
        ("source", Fact::InputOnly),
        ("content", Fact::Same(content::same)),
        ("language", Fact::Immutable),
        ("format", Fact::InputOnly),
        ("object_id", Fact::Computed),
    ],
    facets: &[Facet {
        name: "permissions",
        kind: &PERMISSIONS,
        bind: &[("object_type", From::Text("notebooks")), ("object_id", From::Field("object_id"))],
        body: "entries",
    }],
    parents: &[Parent { field: "path", kind: "directories", listed_by: false }],
    link: Some("/editor/notebooks/{object_id}"),
    content: Some(("source", "content")),
    encode: &[("content", Encoding::Base64)],
    hooks: Hooks { normal: Some(normal), reply: Some(content::reply), view: Some(view), check: Some(check), ..Hooks::NONE },
    ..Kind::PLAIN
};

/// Language and format as the file's name and first line say them, and the source as the workspace means it.
fn normal(body: Value) -> Value {
    let Value::Map(mut body) = body else { return body };
    let names: Vec<String> = ["source", "path"].iter().filter_map(|f| body.get(*f)?.as_str().map(str::to_owned)).collect();
    body.shift_remove("source");
    let text = body.get("content").and_then(Value::as_str).map(str::to_owned);
    if !body.contains_key("format") {
        let jupyter = names.iter().any(|name| content::is_jupyter_name(name));
        body.insert("format".to_owned(), if jupyter { "JUPYTER" } else { "SOURCE" }.into());
    }
    if body.get("format").and_then(Value::as_str) != Some("SOURCE") {
        return Value::Map(body);
    }
    if !body.contains_key("language") {
        let of_name = names.iter().find_map(|name| content::language_of_name(name));
        if let Some(language) = of_name.or_else(|| content::language_of_header(text.as_deref()?)) {
            body.insert("language".to_owned(), language.into());
        }
    }
    if let (Some(text), Some(language)) = (text, body.get("language").and_then(Value::as_str)) {
        let text = content::canonical(&text, language);
        body.insert("content".to_owned(), Value::Text(text));
    }
    Value::Map(body)
}

/// The reply with the format that it was asked in, which it does not say: an export gives the content in that very format.
fn view(view: &View<'_>) -> Value {
    let mut seen = view.live.clone();
    if let (Some(body), Some(format)) = (seen.as_map_mut(), view.desired.get("format"))
        && !body.contains_key("format")
        && body.contains_key("content")
    {
        body.insert("format".to_owned(), format.clone());
    }
    seen
}

fn check(body: &Value) -> Vec<Refusal> {
    let mut found = content::check(body, "notebook", "notebooks/load.py");
    let mut refuse = |field: &str, reason: &str| found.push(Refusal { path: Path::field(field), reason: reason.to_owned() });
    if body.get("content").is_some_and(|c| c.get(BYTES).is_some()) {
        refuse("source", "this is not UTF-8 text, and a notebook is text; declare it under `files` if it is a file");
    }
    match body.get("format").and_then(Value::as_str) {
        Some("SOURCE") if body.get("language").is_none() => {
            refuse("language", "nothing says which language it is in: write `language: PYTHON`, `SQL`, `SCALA` or `R`");
        }
        None | Some("SOURCE" | "JUPYTER") => {}
        Some(_) => refuse("format", "only SOURCE and JUPYTER can be read back and compared"),
    }
    found
}
