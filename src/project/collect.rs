//! Documents to raw resources: kinds, keys, list forms, and the top-level `import:`, `moved:`, `forget:`.

use std::collections::{BTreeSet, HashMap};

use super::findings::{Findings, meant};
use crate::diagnostic::{Diagnostic, Span};
use crate::kinds::{Kind, Registry, Schema};
use crate::model::Address;
use crate::yaml::{Data, Entry, Node};

/// A resource as it is written, meta fields and all.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Its kind.
    pub kind: &'static Kind,
    /// Its key.
    pub key: String,
    /// Where the key stands.
    pub span: Span,
    /// Its body.
    pub node: Node,
}

/// Everything declared.
#[derive(Debug, Default)]
pub struct Collected {
    /// In order of files.
    pub raws: Vec<Raw>,
    /// Places in `raws` by kind and key.
    pub index: HashMap<&'static str, HashMap<String, usize>>,
    /// Resources that an overlay deletes, and where it does.
    pub deleted: Vec<(Address, Span)>,
    /// Resources that stand in an overlay only, and where; those that say `$replace` mean it.
    pub added: Vec<(Address, Span)>,
    /// Items of `import:`.
    pub imports: Vec<Node>,
    /// Items of `moved:`.
    pub moves: Vec<Node>,
    /// Items of `forget:`.
    pub forgets: Vec<Node>,
    /// Names of files in Genie-Forge's form: a list below `spaces:` whose items have a `space_id`, or one bare space.
    pub forge: BTreeSet<String>,
    /// Documents that are definitions which a resource may name, and of which kind.
    pub definitions: Vec<(Span, &'static Kind)>,
    /// What stands where kinds do and is none.
    strangers: Vec<(String, Span)>,
    /// Names of files of definitions in which nothing is evaluated.
    pub literal: BTreeSet<String>,
}

impl Collected {
    /// The place of a resource in `raws`.
    pub fn find(&self, kind: &str, key: &str) -> Option<usize> {
        self.index.get(kind)?.get(key).copied()
    }

    /// Adds a resource; the same address twice is an error that cites both places.
    pub fn add(&mut self, raw: Raw, findings: &mut Findings) {
        let keys = self.index.entry(raw.kind.name).or_default();
        if let Some(first) = keys.get(&raw.key) {
            let address = Address::new(raw.kind.name, &raw.key);
            findings.add(
                Diagnostic::error("E0103", format!("{address} is declared twice"))
                    .at(&raw.span, "declared again here")
                    .at(&self.raws[*first].span, "declared first here"),
            );
            return;
        }
        keys.insert(raw.key.clone(), self.raws.len());
        self.raws.push(raw);
    }
}

/// Reads all documents.
pub fn collect(documents: Vec<Node>, registry: &Registry, findings: &mut Findings) -> Collected {
    let mut collected = Collected::default();
    for document in documents {
        let span = document.span.clone();
        match document.data {
            Data::Map(entries) if defined(&entries, registry).is_some() => {
                collected.definitions.extend(defined(&entries, registry).map(|kind| (span, kind)));
            }
            Data::Map(entries) => match bare(&entries, registry) {
                Some(kind) => {
                    collected.forge.insert(span.source.name.clone());
                    let entries = entries.into_iter().filter(|e| e.key != "version").collect();
                    let item = Node { span: span.clone(), data: Data::Map(entries) };
                    members(kind, Node { span, data: Data::List(vec![item]) }, &mut collected, findings);
                }
                None => match nameless(&entries, registry) {
                    Some(kind) => findings.add(
                        Diagnostic::error("E0104", format!("this is the body of {} without a key", kind.one()))
                            .at(&entries.first().map_or(span, |first| first.key_span.clone()), "")
                            .help(format!(
                                "say how it is called here: `{}: NAME` beside its fields",
                                kind.list_keys.first().unwrap_or(&"$key")
                            )),
                    ),
                    None => section(entries, registry, &mut collected, findings),
                },
            },
            Data::Scalar(_) if is_slip(&document, findings) => {}
            Data::Scalar(_) | Data::List(_) => findings.add(
                Diagnostic::error("E0104", "a file of resources is a map of kinds")
                    .at(&span, format!("this is {}", document_sort(&document.data)))
                    .help("write `jobs:`, and below it `key: {..}`"),
            ),
        }
    }
    // Told when all resources are known: it may be the key of one.
    for (word, span) in std::mem::take(&mut collected.strangers) {
        findings.add(no_kind(&word, &span, &["import", "moved", "forget"], registry, &collected));
    }
    collected
}

/// What stands where kinds do and is none.
pub fn no_kind(word: &str, span: &Span, others: &[&str], registry: &Registry, collected: &Collected) -> Diagnostic {
    let found = Diagnostic::error("E0101", format!("`{word}` is not a kind of resource")).at(span, "");
    let declared = collected.raws.iter().filter(|raw| raw.key == word);
    let of: Vec<String> =
        declared.map(|raw| format!("`{word}` is {}: write `{}: {{ {word}: .. }}`", raw.kind.one(), raw.kind.name)).collect();
    let names: Vec<&str> = registry.iter().flat_map(|k| k.aliases.iter().copied().chain([k.name])).chain(others.iter().copied()).collect();
    if of.is_empty() {
        return meant(found, word, names, span);
    }
    of.into_iter().fold(found, Diagnostic::help)
}

/// What the definition of a Genie space holds beside its version, as its page and bundles write it into a file.
const DEFINITION: &[&str] = &["config", "data_sources", "instructions", "benchmarks"];

/// The kind of a document that is no resource, but what one names: it has a version, and beside that nothing but parts of a
/// definition.
fn defined(entries: &[Entry], registry: &Registry) -> Option<&'static Kind> {
    let versioned = entries.len() > 1 && entries.iter().any(|e| e.key == "version");
    let whole = entries.iter().all(|e| e.key == "version" || DEFINITION.contains(&e.key.as_str()));
    if versioned && whole { registry.iter().find(|kind| kind.packed.is_some()) } else { None }
}

/// The kind of a document that is one object by itself: it names itself by the kind's own key (`space_id`), and no member
/// of it is a kind.
fn bare(entries: &[Entry], registry: &Registry) -> Option<&'static Kind> {
    if entries.iter().any(|e| registry.get(&e.key).is_some() || matches!(e.key.as_str(), "resources" | "import" | "moved" | "forget")) {
        return None;
    }
    registry.iter().find(|kind| entries.iter().any(|e| kind.list_keys.contains(&e.key.as_str())))
}

/// The kind of a document that has all required fields of an object, and nothing that names it.
fn nameless(entries: &[Entry], registry: &Registry) -> Option<&'static Kind> {
    let has = |name: &str| entries.iter().any(|e| e.key == name);
    if entries.iter().any(|e| registry.get(&e.key).is_some()) {
        return None;
    }
    let whole = |kind: &&Kind| kind.fields.iter().all(|(name, sort)| !sort.ends_with('!') || has(name));
    registry.iter().filter(|kind| !kind.list_keys.is_empty()).find(whole)
}

/// Whether what stands below a kind is a list whose items name themselves by the kind's own key.
fn is_forge(kind: &Kind, node: &Node) -> bool {
    let names_itself = |item: &Node| kind.list_keys.iter().any(|key| item.get(key).is_some());
    matches!(node.data, Data::List(_)) && node.items().iter().any(names_itself)
}

fn document_sort(data: &Data) -> &'static str {
    if matches!(data, Data::List(_)) { "a list" } else { "a scalar" }
}

fn section(entries: Vec<Entry>, registry: &Registry, collected: &mut Collected, findings: &mut Findings) {
    let versioned = entries.iter().any(|e| registry.get(&e.key).is_some_and(|kind| !kind.list_keys.is_empty()));
    for entry in entries {
        // Genie-Forge's files say which version of their form they have, who wrote them and what about.
        let about = matches!(entry.key.as_str(), "version" | "author" | "description");
        if versioned && about && matches!(entry.value.data, Data::Scalar(_)) {
            continue;
        }
        if let Some(kind) = registry.get(&entry.key) {
            if is_forge(kind, &entry.value) {
                collected.forge.insert(entry.value.span.source.name.clone());
            }
            members(kind, entry.value, collected, findings);
            continue;
        }
        match (entry.key.as_str(), entry.value.data) {
            ("import", Data::List(items)) => collected.imports.extend(items),
            ("moved", Data::List(items)) => collected.moves.extend(items),
            ("forget", Data::List(items)) => collected.forgets.extend(items),
            ("import" | "moved" | "forget", _) => {
                findings.add(Diagnostic::error("E0125", format!("`{}` is a list", entry.key)).at(&entry.value.span, ""));
            }
            ("resources", Data::Map(inner)) => section(inner, registry, collected, findings),
            _ => {
                collected.strangers.push((entry.key, entry.key_span));
            }
        }
    }
}

/// What stands below a kind: `key: body`, or a list whose items have `$key:`.
pub fn members(kind: &'static Kind, node: Node, collected: &mut Collected, findings: &mut Findings) {
    if node.is_null() {
        return;
    }
    match node.data {
        Data::Map(entries) => {
            for entry in entries {
                if check_key(kind, &entry.key, &entry.key_span, findings) {
                    add(kind, entry.key, entry.key_span, entry.value, collected, findings);
                }
            }
        }
        Data::List(items) => {
            // Lists of a kind that has a key of its own are the form that another tool writes, unless they say `$key`.
            let is_ours = items.iter().any(|item| item.get("$key").is_some());
            let by = kind.list_keys.first().filter(|_| !is_ours).unwrap_or(&"$key");
            for mut item in items {
                let taken = if let Data::Map(entries) = &mut item.data {
                    let named = |name: &&str| entries.iter().position(|e| e.key == *name);
                    ["$key"].iter().chain(kind.list_keys).find_map(named).map(|at| entries.remove(at))
                } else {
                    None
                };
                let Some((key, span)) = taken.and_then(|e| Some((e.value.text()?.to_owned(), e.value.span.clone()))) else {
                    findings.add(
                        Diagnostic::error("E0104", format!("an item below `{}` has no `{by}:`", kind.name))
                            .at(&item.span, "")
                            .help(format!("in the list form each item names itself by `{by}: NAME`; or write a map `NAME: {{..}}`")),
                    );
                    continue;
                };
                if check_key(kind, &key, &span, findings) {
                    add(kind, key, span, item, collected, findings);
                }
            }
        }
        Data::Scalar(_) if is_slip(&node, findings) => {}
        Data::Scalar(_) => findings.add(
            Diagnostic::error("E0104", format!("`{}` holds resources by key", kind.name))
                .at(&node.span, "this is a scalar")
                .help(format!("write `{}:`, and below it `key: {{..}}`", kind.name)),
        ),
    }
}

/// Whether a text in the place of a map is one by a slip of the pen: a key without its colon. That is told.
fn is_slip(node: &Node, findings: &mut Findings) -> bool {
    let slips = crate::yaml::slips::colons(node);
    let is_slip = !slips.is_empty();
    for slip in slips {
        findings.add(slip);
    }
    is_slip
}

fn check_key(kind: &Kind, key: &str, span: &Span, findings: &mut Findings) -> bool {
    // The printer writes a key plainly exactly if it is a name.
    let plain = Address::new(kind.name, key).to_string() == format!("{}.{key}", kind.name);
    if !plain {
        findings.add(
            Diagnostic::error("E0102", format!("`{key}` cannot be the key of {}", kind.one()))
                .at(span, "")
                .help("keys are letters, digits, `_` and `-`, beginning with a letter or `_`; the object's name stands in its body"),
        );
    }
    plain
}

fn add(kind: &'static Kind, key: String, span: Span, mut node: Node, collected: &mut Collected, findings: &mut Findings) {
    if node.is_null() {
        node.data = Data::Map(Vec::new());
    }
    if !matches!(node.data, Data::Map(_)) {
        if is_slip(&node, findings) {
            node.data = Data::Map(Vec::new());
            return;
        }
        findings.add(
            Diagnostic::error("E0104", format!("{} is {}, not a map of fields", Address::new(kind.name, &key), node.sort()))
                .at(&node.span, ""),
        );
        node.data = Data::Map(Vec::new());
        return;
    }
    unwrap(kind, &mut node);
    respell(kind, &mut node, findings);
    collected.add(Raw { kind, key, span, node }, findings);
}

/// Other spellings of fields become the fields themselves; both at once are an error.
fn respell(kind: &'static Kind, node: &mut Node, findings: &mut Findings) {
    if kind.spellings.is_empty() {
        return;
    }
    let Data::Map(entries) = &mut node.data else { return };
    for (other, field) in kind.spellings {
        let Some(at) = entries.iter().position(|e| e.key == *other) else { continue };
        if let Some(both) = entries.iter().find(|e| e.key == *field) {
            findings.add(
                Diagnostic::error("E0122", format!("`{other}` and `{field}` are the same field"))
                    .at(&entries[at].key_span, "written here")
                    .at(&both.key_span, "and here")
                    .help("keep one of them"),
            );
            entries.remove(at);
        } else {
            (*field).clone_into(&mut entries[at].key);
        }
    }
}

/// A pasted reply of the kind's read: the member that holds the fields takes the place of the whole; what stands beside
/// it is computed. Our own meta fields stay.
fn unwrap(kind: &'static Kind, node: &mut Node) {
    let member = kind.read.reply;
    if member.is_empty() || !matches!(node.get(member), Some(Node { data: Data::Map(_), .. })) {
        return;
    }
    if Schema::of(kind).root().field(member).is_some() {
        return;
    }
    let Data::Map(entries) = std::mem::replace(&mut node.data, Data::Map(Vec::new())) else { return };
    let mut kept = Vec::new();
    for entry in entries {
        if entry.key == member {
            if let Data::Map(inner) = entry.value.data {
                kept.extend(inner);
            }
        } else if super::meta::is_meta(kind, &entry.key) {
            kept.push(entry);
        }
    }
    node.data = Data::Map(kept);
}
