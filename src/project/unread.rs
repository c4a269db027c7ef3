//! Folders that nobody reads, although their names and what is in them say that somebody thinks so.

use std::path::Path;
use std::sync::Arc;

use super::files;
use super::findings::Findings;
use crate::diagnostic::{Diagnostic, Source, Span, suggest};
use crate::kinds::Registry;
use crate::yaml::{self, Node};

/// The folders of a project that are read.
const READ: [&str; 3] = ["conf", "environments", "spaces"];
/// How many files of such a folder are looked into.
const MOST: usize = 50;

/// Warns of each folder beside those that are read whose name is nearly one of theirs, and in which resources or environments are.
/// `sources`: what is read.
pub fn check(folder: &Path, sources: &[Arc<Source>], registry: &Registry, findings: &mut Findings) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    for name in names.iter().filter(|name| !READ.contains(&name.as_str())) {
        let Some(near) = suggest::nearest(name, READ) else { continue };
        let begins = format!("{name}/");
        let is_read = sources.iter().any(|source| source.name.starts_with(&begins));
        if !is_read && let Some(declared) = declared(folder, name, near, registry) {
            findings.add(
                Diagnostic::warning("W0319", format!("the folder `{name}` is not read, and resources are declared in it"))
                    .at(&declared, "here")
                    .help(format!("did you mean `{near}`?"))
                    .help(format!("or name it in conf/project.yaml: `includes: [{name}]`")),
            );
        }
    }
}

/// Where something is declared in a folder first.
fn declared(root: &Path, name: &str, near: &str, registry: &Registry) -> Option<Span> {
    let folder = root.join(name);
    // On some systems `Spaces` is `spaces`, which is read.
    if !folder.is_dir() || folder.canonicalize().ok() == root.join(near).canonicalize().ok() {
        return None;
    }
    let mut paths = Vec::new();
    files::walk(&folder, &|_| false, &mut paths).ok()?;
    let says = |key: &str| match near {
        "environments" => matches!(key, "workspace" | "extends" | "resources"),
        _ => key == "resources" || registry.get(key).is_some(),
    };
    paths.iter().take(MOST).find_map(|path| {
        let documents = yaml::parse(&files::read_own(root, path).ok()?).ok()?;
        let entry = documents.iter().flat_map(Node::entries).find(|entry| says(&entry.key) && !entry.value.is_null())?;
        Some(entry.key_span.clone())
    })
}
