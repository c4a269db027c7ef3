//! What the state says of applied objects, for the commands that hand it on: links, names, fields.

use crate::kinds::{Kind, Registry};
use crate::model::{Path, Value, Variable};
use crate::plan;
use crate::project::expression;
use crate::report::outputs::Object;
use crate::state::{Document, Entry};

/// `https://...` for links; empty where there are no pages (the embedded workspace) or nothing was applied.
pub fn link_host(document: &Document) -> String {
    match &document.workspace {
        Some(workspace) if workspace.host != "local" => format!("https://{}", workspace.host),
        _ => String::new(),
    }
}

/// The page of an object.
pub fn link(host: &str, kind: &Kind, entry: &Entry) -> Option<String> {
    if host.is_empty() { None } else { plan::link(kind, host, &entry.id, &[&entry.applied]) }
}

/// What a person calls it.
pub fn name(kind: &Kind, entry: &Entry) -> Option<String> {
    let parts: Vec<&str> = kind.natural.fields.iter().map(|f| entry.applied.get(f).and_then(Value::as_str)).collect::<Option<_>>()?;
    (!parts.is_empty()).then(|| parts.join("."))
}

/// An object as it is handed on.
pub fn object(host: &str, kind: &Kind, entry: &Entry) -> Object {
    Object { id: entry.id.clone(), link: link(host, kind, entry), name: name(kind, entry) }
}

/// A field as the state knows it: the id, or what was applied.
pub fn field(registry: &Registry, entry: &Entry, path: &Path) -> Option<Value> {
    let kind = registry.get(&entry.kind)?;
    plan::recorded(kind, &entry.id, &entry.applied, None, path)
}

/// A value with everything in it filled in that the state knows.
///
/// # Errors
/// An expression fails on what it got: a sentence.
pub fn filled(value: &Value, registry: &Registry, document: &Document) -> Result<Value, String> {
    expression::fill(value, &|variable| match variable {
        Variable::Reference(reference) => {
            let entry = document.resources.get(&reference.address)?;
            field(registry, entry, &reference.path)
        }
        Variable::Lookup(_) | Variable::Secret(_) => None,
    })
}
