//! Facets: parts of a resource that are resources of their own, with fields that the parent gives.

use std::sync::Arc;

use super::Lifecycle;
use super::findings::{Findings, Reported};
use super::references::waiting;
use super::scope::{Resolver, poison};
use crate::diagnostic::{Diagnostic, Span, suggest};
use crate::kinds::{Facet, From, Kind, Schema};
use crate::model::{Map, Path, Step, Value};
use crate::yaml::{Data, Entry, Node};

/// The source tree of a facet's body: a list is its entries, a map its long form. Where the facet itself is a map (tags), there
/// is no long form.
pub fn tree(facet: &'static Facet, span: &Span, node: &Node, findings: &mut Findings) -> Option<Arc<Node>> {
    let is_map = facet.is_map();
    match &node.data {
        Data::Map(entries) if !is_map => match by_name(facet, entries) {
            Some(item) => {
                let list = format!("[{item}]");
                let found =
                    Diagnostic::error("E0126", format!("`{}` is a list, or a map with `{}`, not a map by name", facet.name, facet.body))
                        .at(&node.span, "")
                        .help(format!("write `{}: {list}`", facet.name));
                let is_whole =
                    entries.len() == 1 && node.span.source.text.get(node.span.start as usize..).is_some_and(|t| t.starts_with('{'));
                findings.add(if is_whole { found.patch(&node.span, list) } else { found });
                None
            }
            None => Some(Arc::new(node.clone())),
        },
        Data::Map(_) | Data::List(_) => {
            let entry = Entry { key: facet.body.to_owned(), key_span: span.clone(), value: node.clone() };
            Some(Arc::new(Node { span: node.span.clone(), data: Data::Map(vec![entry]) }))
        }
        Data::Scalar(_) if is_map => {
            findings.add(
                Diagnostic::error("E0126", format!("`{}` is a map, or a list of words, not {}", facet.name, node.sort()))
                    .at(&node.span, "")
                    .help(format!("`{}: {{}}` takes away what was set here; leaving it out leaves what is there", facet.name)),
            );
            None
        }
        Data::Scalar(_) => {
            findings.add(
                Diagnostic::error("E0126", format!("`{}` is a list, or a map with `{}`, not {}", facet.name, facet.body, node.sort()))
                    .at(&node.span, "")
                    .help(format!("`{}: []` takes everything away; leaving it out leaves what is there", facet.name)),
            );
            None
        }
    }
}

/// The item that the first entry of a map stands for, if none of its keys is a field: `users: CAN_RUN`.
fn by_name(facet: &'static Facet, entries: &[Entry]) -> Option<String> {
    let fields = Schema::of(facet.kind).root();
    let names: Vec<&str> = fields.members().iter().map(|(name, _)| *name).collect();
    let first = entries.first()?;
    if entries.iter().any(|entry| entry.key.starts_with(['$', '<']) || suggest::nearest(&entry.key, names.iter().copied()).is_some()) {
        return None;
    }
    let item = fields.field(facet.body)?.item()?;
    let has = |name: &str| item.field(name).is_some();
    let words: Vec<&str> = match &first.value.data {
        Data::List(words) => words.iter().filter_map(Node::text).collect(),
        Data::Scalar(word) => vec![word.text.as_str()],
        Data::Map(_) => return None,
    };
    let name = if crate::yaml::spell::must_quote(&first.key, true) { crate::yaml::spell::double(&first.key) } else { first.key.clone() };
    let is_id = first.key.len() == 36 && first.key.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let who = match (is_id, first.key.contains('@')) {
        _ if has("principal") => "principal",
        (true, _) if has("service_principal_name") => "service_principal_name",
        (_, true) if has("user_name") => "user_name",
        _ => "group_name",
    };
    if has(who) && has("permission_level") {
        return Some(format!("{{ {who}: {name}, permission_level: {} }}", words.first()?));
    }
    (has(who) && has("privileges")).then(|| format!("{{ {who}: {name}, privileges: [{}] }}", words.join(", ")))
}

/// Paths of `ignore_changes` that do nothing: into facets (resources of their own, some of them sent whole), and to
/// fields that the kind does not have.
pub fn ignored_in_vain(kind: &'static Kind, lifecycle: &Lifecycle, node: &Node, findings: &mut Findings) {
    let list = node.get("ignore_changes").unwrap_or(node);
    for (i, path) in lifecycle.ignore_changes.iter().enumerate() {
        let span = &list.items().get(i).unwrap_or(list).span;
        match kind.facets.iter().find(|f| path.first_field() == Some(f.name)) {
            Some(facet) => findings.add(in_facet(facet, path, span)),
            None => no_such_field(kind, path, span).into_iter().for_each(|found| findings.add(found)),
        }
    }
}

fn in_facet(facet: &Facet, path: &Path, span: &Span) -> Diagnostic {
    let name = facet.name;
    let why = format!("`{path}` cannot be ignored: `{name}` is a part of its own, with a step of its own");
    let mut found = Diagnostic::error("E0118", why).at(span, "");
    if Schema::of(facet.kind).root().field("mode").is_some() {
        found = found.help(format!("to leave alone what others add, write `{name}: {{ mode: additive, entries: [...] }}`"));
    }
    found.help(format!("to leave all of it alone, write no `{name}` here"))
}

/// A misspelt field is an error; one that nothing known is near to may be newer than the catalogue.
fn no_such_field(kind: &'static Kind, path: &Path, span: &Span) -> Option<Diagnostic> {
    let mut field = Schema::of(kind).root();
    for step in path.steps() {
        field = match step {
            Step::Index(_) | Step::Key(..) => field.item()?,
            Step::Inside => field.inside(),
            Step::Field(name) => match field.field(name) {
                Some(member) => member,
                None if !field.is_struct() => return None,
                None => {
                    let why = format!("`{path}`: {} has no field `{name}` there", kind.one());
                    return Some(match suggest::nearest(name, field.members().iter().map(|(n, _)| *n)) {
                        Some(near) => Diagnostic::error("E0118", why).at(span, "").help(format!("did you mean `{near}`?")),
                        None => Diagnostic::warning("W0108", why).at(span, "").help("nothing is ignored by it"),
                    });
                }
            },
        };
    }
    None
}

impl Resolver<'_> {
    /// The fields that the parent gives.
    pub fn bound(&self, facet: &'static Facet, parent: usize, span: &Span) -> Map {
        let mut bound = Map::new();
        for (field, from) in facet.bind {
            let value: Result<Value, Reported> = match from {
                From::Text(text) => Ok(Value::from(*text)),
                From::Id => self.id(parent, span),
                // A field `id` beside a name is another thing than what `.id` means, and only the workspace knows it.
                From::Field("id") => Ok(waiting(&self.items[parent].address, Path::field("id"))),
                From::Field(name) => self.field(parent, &Path::field(*name), span),
            };
            bound.insert((*field).to_owned(), value.unwrap_or_else(|Reported| poison()));
        }
        bound
    }
}
