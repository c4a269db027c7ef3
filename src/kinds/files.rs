//! Files of the workspace.

use super::permissions::PERMISSIONS;
use super::{
    Encoding, Facet, Fact, From, Hooks, Identity, Kind, Natural, Parent, Path, Read, Refusal, Rename, Request, Unique, Update, Value,
    content,
};

/// Workspace files: bytes, imported over what is there and read back by an export.
pub static FILES: Kind = Kind {
    name: "files",
    singular: "file",
    aliases: &["workspace_files"],
    create: Some(Request::bare("workspace.workspace.import_")),
    read: Read { asks: &["format"], beside: "workspace.workspace.get_status", ..Read::plain("workspace.workspace.export") },
    update: Update::Custom(content::update),
    delete: Some(Request::bare("workspace.workspace.delete")),
    identity: Identity::Named { parts: &["path"], join: "/", rename: Rename::Replaces },
    natural: Natural { fields: &["path"], unique: Unique::Yes },
    fields: &[("path", "text!"), ("source", "text"), ("content", "any"), ("format", "workspace.ImportFormat"), ("object_id", "int64")],
    facts: &[
        ("path", Fact::WorkspacePath),
        ("path", Fact::Slashless),
        ("source", Fact::InputOnly),
        ("format", Fact::InputOnly),
        ("object_id", Fact::Computed),
    ],
    facets: &[Facet {
        name: "permissions",
        kind: &PERMISSIONS,
        bind: &[("object_type", From::Text("files")), ("object_id", From::Field("object_id"))],
        body: "entries",
    }],
    parents: &[Parent { field: "path", kind: "directories", listed_by: false }],
    link: Some("/editor/files/{object_id}"),
    content: Some(("source", "content")),
    encode: &[("content", Encoding::Base64)],
    hooks: Hooks { normal: Some(normal), reply: Some(content::reply), check: Some(check), ..Hooks::NONE },
    ..Kind::PLAIN
};

fn normal(body: Value) -> Value {
    let Value::Map(mut body) = body else { return body };
    body.shift_remove("source");
    if !body.contains_key("format") {
        body.insert("format".to_owned(), "AUTO".into());
    }
    Value::Map(body)
}

/// With AUTO the workspace makes notebooks of some files.
fn check(body: &Value) -> Vec<Refusal> {
    let mut found = content::check(body, "file", "files/init.sh");
    let path = body.get("path").and_then(Value::as_str).unwrap_or_default();
    let text = body.get("content").and_then(Value::as_str).unwrap_or_default();
    let mut refuse = |field: &str, reason: String| found.push(Refusal { path: Path::field(field), reason });
    match body.get("format").and_then(Value::as_str) {
        Some("AUTO") => {
            let noted = content::language_of_name(path).is_some() && content::language_of_header(text).is_some();
            if noted || content::is_jupyter_name(path) {
                let why = if noted { "it begins with a notebook's header" } else { "its name ends in .ipynb" };
                refuse("path", format!("the workspace would make a notebook of it, because {why}: declare it under `notebooks`"));
            }
        }
        None | Some("RAW") => {}
        Some(other) => refuse("format", format!("a file is imported as AUTO or RAW, not as {other}")),
    }
    found
}
