//! One resource and its facets, made from their source trees: evaluated, in the kind's normal form, checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::body::{self, Computed, Subject};
use super::findings::Findings;
use super::references::sole_reference;
use super::scope::{In, Item, Resolver, is_poison, poison, tree, whole_tree};
use super::{FromPreset, Lifecycle, Resource, facets, files, meta, names};
use crate::diagnostic::{Diagnostic, Severity, Span, suggest};
use crate::kinds::{BYTES, Doubt, Identity, Kind, Lifetime, Refusal, natural_text};
use crate::model::{Address, Fingerprint, Map, Path, Value};
use crate::yaml::{Entry, Node};

/// One item and its facets.
pub fn resource(resolver: &Resolver<'_>, item: usize, resources: &mut BTreeMap<Address, Resource>, computed: &mut Computed) {
    let prepared = resolver.prepared(item);
    let Item { address, each, .. } = &resolver.items[item];
    let scope = In { resolver, each: each.as_ref(), with_resources: true };
    let lifecycle = prepared.lifecycle.as_ref().map(|node| {
        let mut findings = Findings::default();
        let mut read = meta::lifecycle(node, &|n| whole_tree(n, &scope), &mut findings);
        for path in &mut read.ignore_changes {
            *path = respelt(prepared.kind, path);
        }
        facets::ignored_in_vain(prepared.kind, &read, node, &mut findings);
        resolver.findings.borrow_mut().absorb(findings);
        read
    });
    let made = Making {
        kind: resolver.inner.registry.current(prepared.kind),
        address: address.clone(),
        node: Arc::clone(&prepared.body),
        span: &prepared.span,
        bound: Map::new(),
        lifecycle: lifecycle.unwrap_or_default(),
        presets: prepared.presets.clone(),
        parent: None,
    };
    let lifecycle = made.lifecycle.clone();
    made.make(resolver, &scope, resources, computed);
    for (facet, span, node) in &prepared.facets {
        let mut findings = Findings::default();
        let tree = facets::tree(facet.0, span, node, &mut findings);
        resolver.findings.borrow_mut().absorb(findings);
        let Some(node) = tree else { continue };
        let made = Making {
            kind: facet.0.kind,
            address: address.facet(facet.0.name),
            node,
            span,
            bound: resolver.bound(facet.0, item, span),
            lifecycle: Lifecycle { prevent_destroy: None, ignore_changes: Vec::new(), merge: false, ..lifecycle.clone() },
            presets: Vec::new(),
            parent: Some(item),
        };
        made.make(resolver, &scope, resources, computed);
    }
}

/// A path whose first field may be spelt in another way.
pub fn respelt(kind: &Kind, path: &Path) -> Path {
    let Some(first) = path.first_field().filter(|_| !kind.spellings.is_empty()) else { return path.clone() };
    path.steps().iter().skip(1).fold(Path::field(kind.field_named(first)), |path, step| path.join(step.clone()))
}

/// How a refusal is told: as what, under which code.
type Told = (Severity, &'static str);
const REFUSED: Told = (Severity::Error, "E0114");
const ADVISED: Told = (Severity::Warning, "W0132");
const DOUBTFUL: Told = (Severity::Warning, "W0133");

fn told_as(severity: Severity) -> Told {
    if severity == Severity::Error { REFUSED } else { ADVISED }
}

/// The entries at this place, in each item of the lists on the way.
fn entries_at<'n>(node: &'n Node, names: &[&str]) -> Vec<&'n Entry> {
    let Some((name, below)) = names.split_first() else { return vec![] };
    let here = node.items().iter().flat_map(|item| entries_at(item, names));
    let found = node.entry(name).into_iter().flat_map(|entry| match below {
        [] => vec![entry],
        below => entries_at(&entry.value, below),
    });
    here.chain(found).collect()
}

/// A resource or facet in the making.
struct Making<'a> {
    kind: &'static Kind,
    address: Address,
    node: Arc<Node>,
    span: &'a Span,
    bound: Map,
    lifecycle: Lifecycle,
    presets: Vec<FromPreset>,
    parent: Option<usize>,
}

impl Making<'_> {
    fn make(self, resolver: &Resolver<'_>, scope: &In<'_, '_>, resources: &mut BTreeMap<Address, Resource>, computed: &mut Computed) {
        resolver.refers.borrow_mut().push(BTreeSet::new());
        let mut value = tree(&self.node, scope);
        names::resolve(resolver, self.kind, &self.node, &mut value);
        let refers = resolver.refers.borrow_mut().pop().unwrap_or_default();
        if let Some(map) = value.as_map_mut() {
            self.bind(map, resolver);
            self.read_source(map, resolver);
        }
        if let Some(normal) = self.kind.hooks.normal {
            value = normal(value);
        }
        for unsent in self.kind.unsent {
            let found = entries_at(&self.node, &unsent.at.split('.').collect::<Vec<_>>());
            for Entry { key_span: span, .. } in found.into_iter().filter(|entry| (unsent.is)(entry.value.text().unwrap_or_default())) {
                let of_file = computed.entry((unsent.code, span.source.name.clone())).or_insert_with(|| (span.clone(), BTreeSet::new()));
                of_file.1.insert(unsent.at.to_owned());
            }
        }
        let mut findings = Findings::default();
        let names: Vec<&'static str> =
            ["lifecycle", "depends_on", "when", "for_each"].into_iter().chain(self.kind.facets.iter().map(|f| f.name)).collect();
        let subject = Subject { kind: self.kind, address: &self.address, node: &self.node, span: self.span, meta: &names };
        let body = body::check(&subject, value, &mut findings, computed);
        let natural = natural(&self, &body, &mut findings);
        // What an API has no place for is told once it is known which one it is.
        let carries = self.kind.hooks.carries.filter(|_| resolver.inner.registry.chosen(self.kind).is_some());
        let is_sound = !findings.any_error();
        let registry = &resolver.inner.registry;
        let instead = registry.instead(self.kind).map(|(setting, word)| by_the_other(resolver, setting, word));
        for (hook, severity, help) in [
            (self.kind.hooks.check, Severity::Error, None),
            (carries, Severity::Error, instead),
            (self.kind.hooks.advise, Severity::Warning, None),
        ] {
            let is_open = if severity == Severity::Error { is_sound } else { !findings.any_error() };
            let refusals = hook.filter(|_| is_open).map_or_else(Vec::new, |hook| hook(&body));
            // Of what could not be evaluated that has been told.
            for refusal in refusals.into_iter().filter(|refusal| !body.at(&refusal.path).is_some_and(is_poison)) {
                self.tell(refusal, told_as(severity), help.as_deref(), &mut findings);
            }
        }
        if is_sound {
            for refusal in crate::kinds::roundabout(self.kind, &body) {
                self.tell(refusal, REFUSED, None, &mut findings);
            }
            let (doubt, refusals) = registry.in_doubt(self.kind, &body);
            let setting = registry.first(self.kind).otherwise.map_or("", |otherwise| otherwise.setting);
            let (told, help) = match doubt {
                Doubt::Refused => {
                    (REFUSED, "neither of the two APIs has a place for all that is here: take one or the other away".to_owned())
                }
                Doubt::Open(word) => (DOUBTFUL, by_the_other(resolver, setting, word)),
            };
            for refusal in refusals.into_iter().filter(|refusal| !body.at(&refusal.path).is_some_and(is_poison)) {
                self.tell(refusal, told, Some(&help), &mut findings);
            }
        }
        resolver.left_in_tree(self.kind, &self.node, &mut findings);
        resolver.findings.borrow_mut().absorb(findings);
        let mut depends_on: BTreeSet<Address> = refers.iter().map(|i| resolver.items[*i].address.clone()).collect();
        depends_on.extend(self.parent.map(|p| resolver.items[p].address.clone()));
        depends_on.remove(&self.address);
        let resource = Resource {
            address: self.address.clone(),
            kind: self.kind,
            body,
            node: self.node,
            span: self.span.clone(),
            lifecycle: self.lifecycle,
            depends_on: depends_on.into_iter().collect(),
            presets: self.presets,
            natural,
        };
        resources.insert(self.address, resource);
    }

    /// Says at its place what is refused, or may be.
    fn tell(&self, mut refusal: Refusal, (severity, code): Told, help: Option<&str>, findings: &mut Findings) {
        // What is refused is not sent: no word of that beside it.
        if let (Some(field), Severity::Error) = (refusal.path.first_field(), severity) {
            let sent = format!("unknown field `{field}` in {}", self.address);
            findings.retain(|d| d.code != "W0108" || d.message != sent);
        }
        // What is in a file is told where the file is named.
        if let Some((from, to)) = self.kind.content
            && refusal.path.first_field() == Some(to)
            && self.node.get(to).is_none()
            && self.node.get(from).is_some()
        {
            refusal.path = Path::field(from);
        }
        let place = place_of(self.kind, &self.node, self.span, &refusal.path);
        let place = self.node.nearest(&refusal.path).scalar().map_or(place.clone(), |_| quoted_in(&place, &refusal.reason));
        // A sign that nobody sees is named beside what is refused for it.
        if severity == Severity::Error {
            findings.retain(|d| d.code != "W0135" || d.labels.first().is_none_or(|label| label.span != place));
        }
        let (owner, path) = written(&self.address, &self.node, &refusal.path);
        let what = if path.is_root() { String::new() } else { format!("{path}: ") };
        let message = format!("{owner}: {what}{}", refusal.reason);
        let found = match severity {
            Severity::Error => Diagnostic::error(code, message),
            Severity::Warning => Diagnostic::warning(code, message),
        };
        let found = help.into_iter().fold(found.at(&place, ""), Diagnostic::help);
        findings.add(if code == DOUBTFUL.1 {
            found.help("which of the two APIs the workspace has shows when it answers: a plan says it then")
        } else {
            found
        });
    }

    /// Reads the file of the project that a field names into the field for what is in it.
    fn read_source(&self, map: &mut Map, resolver: &Resolver<'_>) {
        let Some((from, to)) = self.kind.content else { return };
        let Some(given) = map.get(from).filter(|v| **v != Value::Null && !is_poison(v)) else { return };
        let place = self.node.get(from).map_or(self.span, |n| &n.span);
        let refuse = |message: String| Diagnostic::error("E0213", format!("`{from}` of {}: {message}", self.address)).at(place, "");
        let read = match given {
            _ if map.contains_key(to) => Err(refuse(format!("there is `{to}`, too, and only one of them can be what is in it"))),
            Value::Text(path) => {
                let root = &resolver.inner.folder;
                resolver.sources.borrow_mut().insert(self.address.clone(), path.clone());
                let edited = resolver.inner.contents.get(&root.join(path)).map(|bytes| Ok(bytes.clone()));
                edited.unwrap_or_else(|| files::bytes_of(root, path)).map(|bytes| (path.clone(), bytes)).map_err(|why| {
                    let unreadable = matches!(why, files::FileRefused::Unreadable(..));
                    match files::near(root, path).filter(|_| unreadable) {
                        Some(near) if near != *path => refuse(why.to_string()).help(format!("did you mean `{near}`?")),
                        None if unreadable => refuse(why.to_string()).help(files::there(root, path)),
                        _ => refuse(why.to_string()).help("name a file below the project's folder, such as `notebooks/load.py`"),
                    }
                })
            }
            other => Err(refuse(format!("it names a file of the project, and this is {}", other.sort()))),
        };
        match read {
            Ok((path, bytes)) => {
                resolver.files.borrow_mut().insert(path, Fingerprint::of(&bytes));
                map.insert(to.to_owned(), content_of(bytes));
            }
            Err(diagnostic) => {
                resolver.report(diagnostic);
                map.entry(to.to_owned()).or_insert_with(poison);
            }
        }
    }

    /// Adds the fields that the parent gives; writing them is an error.
    fn bind(&self, map: &mut Map, resolver: &Resolver<'_>) {
        for (field, value) in &self.bound {
            if let Some(entry) = self.node.entry(field) {
                resolver.report(
                    Diagnostic::error("E0126", format!("`{field}` of {} is given by what it belongs to", self.address))
                        .at(&entry.key_span, "take it away"),
                );
            }
            map.insert(field.clone(), value.clone());
        }
    }
}

/// How the other of two APIs is used, which has a place for something.
fn by_the_other(resolver: &Resolver<'_>, setting: &str, word: &str) -> String {
    let local = if resolver.inner.local { "local: true, " } else { "" };
    format!("change this, or have the other API used: `workspace: {{ {local}{setting}: {word} }}` in the environment")
}

/// Text, or bytes that are none.
fn content_of(bytes: Vec<u8>) -> Value {
    use base64::Engine as _;
    match String::from_utf8(bytes) {
        Ok(text) => Value::Text(text),
        Err(error) => Value::map([(BYTES, Value::Text(base64::engine::general_purpose::STANDARD.encode(error.as_bytes())))]),
    }
}

/// The values of the natural key. Those of a facet may wait for its parent.
fn natural(making: &Making<'_>, body: &Value, findings: &mut Findings) -> Vec<String> {
    let kind = making.kind;
    if matches!(kind.identity, Identity::Single(_)) {
        return Vec::new();
    }
    let mut parts = Vec::new();
    for field in kind.natural.fields {
        let value = body.get(field);
        match value {
            Some(value) if is_poison(value) => parts.push(String::new()),
            Some(Value::Unknown(_) | Value::Secret(_)) if kind.lifetime != Lifetime::Own => {
                let shown = value
                    .and_then(sole_reference)
                    .map_or_else(|| "(known after apply)".to_owned(), |r| format!("{}.{}", r.address, r.path));
                parts.push(shown);
            }
            Some(value @ (Value::Unknown(_) | Value::Secret(_))) => {
                let place = making.node.get(field).map_or(making.span, |n| &n.span);
                findings.add(
                    Diagnostic::error("E0124", format!("`{field}` of {} must be known when it is planned", making.address))
                        .at(place, format!("this is {}", value.sort()))
                        .help(format!("{} is recognised by it", kind.one())),
                );
            }
            Some(value) => parts.push(natural_text(kind, field, value)),
            None => {
                let required = crate::kinds::Schema::of(kind).root().field(field).is_some_and(|f| f.required());
                let told = making.node.entries().iter().any(|e| e.key == *field || suggest::nearest(&e.key, [*field]).is_some());
                if !required && !told {
                    findings.add(
                        Diagnostic::error("E0106", format!("{} has no `{field}`", making.address))
                            .at(making.span, format!("{} is recognised by it", kind.one())),
                    );
                }
            }
        }
    }
    parts
}

/// Where a path of a normal body stands in the files: in a pasted text, else the nearest node above it.
pub fn place_of(kind: &Kind, node: &Node, whole: &Span, path: &Path) -> Span {
    let packed = kind.packed.and_then(|(field, inside)| super::packed::place(node, field, path, &inside(path)));
    packed.unwrap_or_else(|| if path.is_root() { whole.clone() } else { node.nearest(path).span.clone() })
}

/// In a text of several lines the word that the message quotes first, where that stands there; else the text.
fn quoted_in(text: &Span, message: &str) -> Span {
    let (start, end) = (text.start as usize, text.end as usize);
    let lines = text.source.text.get(start..end).unwrap_or_default();
    let Some(word) = message.split('`').nth(1).filter(|word| !word.is_empty() && lines.contains('\n')) else { return text.clone() };
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    let is_whole = |at: &usize| !is_part(lines[..*at].chars().next_back()) && !is_part(lines[at + word.len()..].chars().next());
    let found = lines.match_indices(word).map(|(at, _)| at).find(is_whole);
    found.map_or(text.clone(), |at| Span::new(&text.source, start + at, start + at + word.len()))
}

/// Whose field it is, and its path, as they stand in the file: the entries of a part are the items of the list under its
/// name.
pub fn written(address: &Address, node: &Node, path: &Path) -> (Address, Path) {
    let Some(facet) = &address.facet else { return (address.clone(), path.clone()) };
    let short = matches!(node.entries(), [only] if only.value.span == node.span);
    let rest = path.steps().iter().skip(usize::from(short));
    (address.parent(), rest.fold(Path::field(facet.as_str()), |path, step| path.join(step.clone())))
}
