//! Definitions that a kind also takes as one text of JSON (`serialized_space` of a Genie space): the text, or the file that is
//! named instead of it, becomes a tree. So expressions in its strings are evaluated like all others, never on text, and
//! messages point at the line of the file in which the JSON stands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path as FilePath, PathBuf};
use std::sync::Arc;

use super::collect::{Collected, Raw};
use super::files;
use super::findings::{Findings, boolean, known_keys};
use super::scope::{Files, In, whole_tree};
use super::templating::no_file;
use crate::diagnostic::{Diagnostic, Source, Span};
use crate::model::{Address, Fingerprint, Value, json};
use crate::yaml::{self, Data, Entry, Node};

/// The member that names a file, and where bundles write it: beside the title.
const FILE: &str = "file";
pub const BESIDE: &str = "file_path";
/// Whether `${...}` in the file means something; true unless it is said.
const EXPRESSIONS: &str = "expressions";

/// Puts trees in the place of texts and of names of files. Gives the files that were read, those too that `opener` read before.
pub fn open(collected: &mut Collected, mut opener: Opener<'_, '_, '_>, findings: &mut Findings) -> Files {
    for raw in &mut collected.raws {
        opener.open(raw, findings);
    }
    let Opener { files, literal, .. } = opener;
    collected.literal = literal;
    for (span, kind) in std::mem::take(&mut collected.definitions) {
        let name = &span.source.name;
        if !files.contains_key(name) {
            let field = kind.packed.map_or("", |(field, _)| field);
            let found =
                Diagnostic::error("E0104", format!("`{name}` is the definition of {}, and nothing names it", kind.one())).at(&span, "");
            findings.add(found.help(format!("name it where the object is declared: `{field}: {{ file: {name} }}`; or take the file away")));
        }
    }
    files
}

/// Reads definitions. An overlay that says something of one has it read before the others are.
pub struct Opener<'a, 'r, 'i> {
    scope: &'a In<'r, 'i>,
    contents: &'a BTreeMap<PathBuf, Vec<u8>>,
    files: Files,
    /// Names of files in which nothing is evaluated.
    literal: BTreeSet<String>,
}

impl<'a, 'r, 'i> Opener<'a, 'r, 'i> {
    /// `scope` evaluates names of files: variables are in it, resources are not. `contents` stand in for those of files.
    pub fn new(scope: &'a In<'r, 'i>, contents: &'a BTreeMap<PathBuf, Vec<u8>>) -> Self {
        Self { scope, contents, files: Files::new(), literal: BTreeSet::new() }
    }

    /// Puts a tree in the place of the text or of the name of a file in which the definition of a resource is.
    pub fn open(&mut self, raw: &mut Raw, findings: &mut Findings) {
        if let Some((field, _)) = raw.kind.packed {
            Opened { opener: self, findings }.one(raw, field);
        }
    }
}

struct Opened<'o, 'f, 'a, 'r, 'i> {
    opener: &'o mut Opener<'a, 'r, 'i>,
    findings: &'f mut Findings,
}

impl Opened<'_, '_, '_, '_, '_> {
    fn one(&mut self, raw: &mut Raw, field: &str) {
        let address = Address::new(raw.kind.name, &raw.key);
        let Data::Map(entries) = &mut raw.node.data else { return };
        let at = |entries: &[Entry], name: &str| entries.iter().position(|e| e.key == name);
        if let Some(beside) = at(entries, BESIDE) {
            let Entry { key_span, value, .. } = entries.remove(beside);
            if let Some(both) = at(entries, field) {
                let found = Diagnostic::error("E0122", format!("`{BESIDE}` and `{field}` of {address} are the same thing"));
                self.findings.add(found.at(&key_span, "written here").at(&entries[both].key_span, "and here").help("keep one of them"));
                return;
            }
            let root = self.opener.scope.resolver.inner.folder.clone();
            if let Some(path) = self.path(&value) {
                let path = beside_its_file(&root, &value.span.source.name, &path);
                let value = self.read(&address, field, &path, &value.span).unwrap_or_else(|| empty(&value.span));
                entries.push(Entry { key: field.to_owned(), key_span, value });
            }
            return;
        }
        let Some(entry) = entries.iter_mut().find(|e| e.key == field) else { return };
        if let Some(named) = entry.value.get(FILE) {
            known_keys(&entry.value, &[FILE, EXPRESSIONS], &format!("`{field}` of {address}"), "E0107", self.findings);
            let evaluated =
                entry.value.get(EXPRESSIONS).and_then(|n| boolean(n, &format!("`{EXPRESSIONS}`"), self.findings)).unwrap_or(true);
            let span = named.span.clone();
            let read = self.path(&named.clone()).and_then(|path| self.read(&address, field, &path, &span));
            entry.value = match read {
                Some(node) if evaluated => node,
                Some(node) => {
                    self.opener.literal.insert(node.span.source.name.clone());
                    literal(node)
                }
                None => empty(&span),
            };
        } else if let Some(tree) = structured(&entry.value) {
            entry.value = tree;
        }
    }

    /// The path that a node gives; what is wrong with it has been reported.
    fn path(&mut self, node: &Node) -> Option<String> {
        match whole_tree(node, self.opener.scope).ok()? {
            Value::Text(path) if !path.trim().is_empty() => Some(path),
            other => {
                let message = format!("`{FILE}` is the path of a file of the project, and this is {}", other.sort());
                self.findings
                    .add(Diagnostic::error("E0105", message).at(&node.span, "").help("for example `spaces/sales.geniespace.json`"));
                None
            }
        }
    }

    fn read(&mut self, address: &Address, field: &str, path: &str, span: &Span) -> Option<Node> {
        let root = &self.opener.scope.resolver.inner.folder;
        let read = match self.opener.contents.get(&root.join(path)) {
            Some(bytes) => Ok(bytes.clone()),
            None => files::bytes_of(root, path),
        };
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(why) => {
                self.findings.add(no_file(&format!("`{field}` of {address}"), root, path, &why, span));
                return None;
            }
        };
        let name = files::name_of(root, &root.join(path));
        self.opener.files.insert(name.clone(), Fingerprint::of(&bytes));
        let plain = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).to_vec();
        let found = files::source_of(name, plain).map_err(|wrong| vec![*wrong]).and_then(|source| definition(&source, field));
        match found {
            Ok(node) => Some(node),
            Err(wrong) => {
                self.findings.extend(wrong);
                None
            }
        }
    }
}

/// Nothing, where something was that has been complained of.
fn empty(span: &Span) -> Node {
    Node { span: span.clone(), data: Data::Map(Vec::new()) }
}

/// A path of a bundle begins at the file in which it stands; where there is no such file, at the project's folder.
fn beside_its_file(root: &FilePath, file: &str, path: &str) -> String {
    let folder = FilePath::new(file).parent().unwrap_or(FilePath::new(""));
    let mut parts: Vec<String> = Vec::new();
    for part in folder.join(path).components() {
        match part {
            Component::ParentDir if parts.pop().is_none() => return path.to_owned(),
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::RootDir | Component::Prefix(_) => return path.to_owned(),
            Component::ParentDir | Component::CurDir => {}
        }
    }
    let joined = parts.join("/");
    if root.join(&joined).is_file() || !root.join(path).is_file() { joined } else { path.to_owned() }
}

/// The definition in a file: itself, or what the API's reply holds of it.
fn definition(source: &Arc<Source>, field: &str) -> Result<Node, Vec<Diagnostic>> {
    let conflicts = yaml::conflicts(source);
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    if let Err(error) = json::parse(source.text.as_bytes()) {
        let at = offset(&source.text, error.line(), error.column());
        let end = source.text.len().min(at + 1);
        let told = error.to_string();
        let told = told.split(" at line ").next().unwrap_or_default();
        let found = Diagnostic::error("E0114", format!("`{}` is no JSON: {told}", source.name));
        return Err(vec![found.at(&Span::new(source, at.min(end), end), "")]);
    }
    let node = yaml::parse(&blanks(source))?.into_iter().next();
    let node = match node.as_ref().and_then(|node| node.get(field)) {
        Some(inner) => Some(structured(inner).unwrap_or_else(|| inner.clone())),
        None => node,
    };
    match node {
        Some(node) if matches!(node.data, Data::Map(_)) => Ok(node),
        other => {
            let span = other.map_or_else(|| Span::new(source, 0, 0), |node| node.span);
            let found = Diagnostic::error("E0114", format!("`{}` is no definition: a map of JSON is wanted", source.name)).at(&span, "");
            Err(vec![found])
        }
    }
}

/// Where line and column (from 1, in bytes) are.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (before + column.saturating_sub(1)).min(text.trim_end().len().saturating_sub(1));
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// With blanks for tabs: between the values of JSON both are nothing, and inside strings a tab cannot stand.
fn blanks(source: &Arc<Source>) -> Arc<Source> {
    if !source.text.contains('\t') {
        return Arc::clone(source);
    }
    Arc::new(Source { name: source.name.clone(), text: source.text.replace('\t', " ") })
}

/// The tree of a text of JSON, its places those of the file in which the text stands. None where it is no JSON map.
fn structured(node: &Node) -> Option<Node> {
    let text = node.text().filter(|text| text.trim_start().starts_with('{'))?;
    json::parse(text.as_bytes()).ok()?;
    let source = blanks(&Arc::new(Source { name: node.span.source.name.clone(), text: text.to_owned() }));
    let tree = yaml::parse(&source).ok()?.into_iter().next()?;
    let raw = node.span.source.text.get(node.span.start as usize..node.span.end as usize).unwrap_or_default();
    Some(placed(tree, &node.span, &places(raw, text)))
}

/// For each byte of a scalar's text, where it stands in the scalar as it is written: indentation, quotes and backslashes are
/// passed over. It ends where escapes make other characters of what is written.
fn places(raw: &str, text: &str) -> Vec<usize> {
    let mut written = raw.char_indices();
    let mut found = Vec::with_capacity(text.len());
    for letter in text.chars() {
        let Some((at, _)) = written.by_ref().find(|(_, c)| *c == letter) else { break };
        found.extend((0..letter.len_utf8()).map(|byte| at + byte));
    }
    found
}

fn placed(node: Node, whole: &Span, places: &[usize]) -> Node {
    let span = |span: &Span| match (places.get(span.start as usize), places.get((span.end as usize).saturating_sub(1))) {
        (Some(from), Some(last)) if from <= last => whole.within(*from, last + 1),
        _ => whole.clone(),
    };
    let data = match node.data {
        Data::Map(entries) => Data::Map(
            entries
                .into_iter()
                .map(|entry| Entry { key_span: span(&entry.key_span), value: placed(entry.value, whole, places), key: entry.key })
                .collect(),
        ),
        Data::List(items) => Data::List(items.into_iter().map(|item| placed(item, whole, places)).collect()),
        scalar @ Data::Scalar(_) => scalar,
    };
    Node { span: span(&node.span), data }
}

/// With every `${` as a literal one.
fn literal(mut node: Node) -> Node {
    match &mut node.data {
        Data::Scalar(scalar) => scalar.text = scalar.text.replace("${", "$${"),
        Data::List(items) => *items = std::mem::take(items).into_iter().map(literal).collect(),
        Data::Map(entries) => {
            for entry in entries {
                entry.key = entry.key.replace("${", "$${");
                let value = std::mem::replace(&mut entry.value, empty(&entry.key_span));
                entry.value = literal(value);
            }
        }
    }
    node
}
