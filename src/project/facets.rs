//! Facets: parts of a resource that are resources of their own, with fields that the parent gives.

use std::sync::Arc;

use super::findings::{Findings, Reported};
use super::references::waiting;
use super::scope::{Resolver, poison};
use crate::diagnostic::{Diagnostic, Span};
use crate::kinds::{Facet, From};
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
