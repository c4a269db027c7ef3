//! Facets: parts of a resource that are resources of their own, with fields that the parent gives.

use std::sync::Arc;

use super::Lifecycle;
use super::findings::{Findings, Reported};
use super::references::waiting;
use super::scope::{Resolver, poison};
use crate::diagnostic::{Diagnostic, Span};
use crate::kinds::{Facet, From, Kind, Schema};
use crate::model::{Map, Path, Value};
use crate::yaml::{Data, Entry, Node};

/// The source tree of a facet's body: a list is its entries, a map its long form.
pub fn tree(facet: &'static Facet, span: &Span, node: &Node, findings: &mut Findings) -> Option<Arc<Node>> {
    match &node.data {
        Data::Map(_) => Some(Arc::new(node.clone())),
        Data::List(_) => {
            let entry = Entry { key: facet.body.to_owned(), key_span: span.clone(), value: node.clone() };
            Some(Arc::new(Node { span: node.span.clone(), data: Data::Map(vec![entry]) }))
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

/// `ignore_changes` does not reach into facets: they are resources of their own, and some are sent whole.
pub fn not_ignored(kind: &'static Kind, lifecycle: &Lifecycle, node: &Node, findings: &mut Findings) {
    let span = &node.get("ignore_changes").unwrap_or(node).span;
    for path in &lifecycle.ignore_changes {
        let Some(facet) = kind.facets.iter().find(|f| path.first_field() == Some(f.name)) else { continue };
        let name = facet.name;
        let why = format!("`{path}` cannot be ignored: `{name}` is a part of its own, with a step of its own");
        let mut found = Diagnostic::error("E0118", why).at(span, "");
        if Schema::of(facet.kind).root().field("mode").is_some() {
            found = found.help(format!("to leave alone what others add, write `{name}: {{ mode: additive, entries: [...] }}`"));
        }
        findings.add(found.help(format!("to leave all of it alone, write no `{name}` here")));
    }
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
