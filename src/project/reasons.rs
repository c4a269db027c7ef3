//! Why a resource depends on another: the reference, the literal, the `depends_on`, with its place.

use super::expression::{Mention, Names, Part, find, is_template, scan};
use super::load::Inner;
use super::variables::Given;
use super::{Desired, Resource};
use crate::diagnostic::Span;
use crate::model::{Address, Value};
use crate::yaml::{Data, Node};

/// Why one resource needs another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What is needed.
    pub on: Address,
    /// Why.
    pub why: Why,
    /// Where that stands.
    pub span: Span,
}

/// The sort of a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// An expression names it; the expression as it is written.
    Reference(String),
    /// A field holds its natural key; the field.
    Literal(String),
    /// `depends_on` names it.
    Explicit,
    /// It is the object that this is a part of.
    Part,
    /// A variable or another value leads to it.
    Indirect,
}

/// How deep variables are followed.
const DEEPEST: usize = 16;

/// See [`super::Project::reasons`].
pub fn reasons(inner: &Inner, desired: &Desired, resource: &Resource) -> Vec<Reason> {
    let mut search = Search { inner, resource, found: Vec::new() };
    search.tree(&resource.node, 0);
    if resource.address.is_facet() {
        search.note(&resource.address.parent(), Why::Part, &resource.span);
    } else if let Some(at) = inner.find(resource.kind.name, &resource.address.key) {
        let prepared = &inner.prepared[at];
        for (on, span) in &prepared.depends_on {
            for needed in
                resource.depends_on.iter().filter(|n| *n == on || n.parent() == *on || Address { instance: None, ..n.parent() } == *on)
            {
                search.note(needed, Why::Explicit, span);
            }
        }
        for node in [&prepared.lifecycle, &prepared.when].into_iter().flatten() {
            search.tree(node, 0);
        }
    }
    search.literals(desired);
    let mut found = search.found;
    for on in &resource.depends_on {
        if found.iter().any(|r| r.on == *on) {
            continue;
        }
        let name = desired.resources.get(on).map(|other| other.natural.join("."));
        let (why, span) = match name.as_deref().and_then(|name| naming(&resource.node, "", name)) {
            Some((field, span)) => (Why::Literal(field), span.clone()),
            None => (Why::Indirect, resource.span.clone()),
        };
        found.push(Reason { on: on.clone(), why, span });
    }
    found.retain(|r| resource.depends_on.contains(&r.on));
    found.sort_by(|a, b| (&a.on, &a.span).cmp(&(&b.on, &b.span)));
    found
}

struct Search<'a> {
    inner: &'a Inner,
    resource: &'a Resource,
    found: Vec<Reason>,
}

impl Search<'_> {
    fn note(&mut self, on: &Address, why: Why, span: &Span) {
        let reason = Reason { on: on.clone(), why, span: span.clone() };
        if !self.found.contains(&reason) {
            self.found.push(reason);
        }
    }

    fn tree(&mut self, node: &Node, depth: usize) {
        match &node.data {
            Data::Scalar(scalar) if is_template(&scalar.text) => {
                for part in scan(&scalar.text).unwrap_or_default() {
                    if let Part::Expression { from, to } = part {
                        self.expression(node, &scalar.text[from..to], depth);
                    }
                }
            }
            Data::Scalar(_) => {}
            Data::List(items) => items.iter().for_each(|item| self.tree(item, depth)),
            Data::Map(entries) => entries.iter().for_each(|entry| self.tree(&entry.value, depth)),
        }
    }

    fn expression(&mut self, node: &Node, text: &str, depth: usize) {
        for found in find(text, &Declared { inner: self.inner }).0 {
            match found.mention {
                Mention::Resource { kind, key, instance, .. } => {
                    let on = Address { instance, ..Address::new(kind, key) };
                    let shown = text.get(found.from..found.to).unwrap_or(text);
                    self.note(&on, Why::Reference(format!("${{{}}}", shown.trim())), &node.span);
                }
                Mention::Variable(name) if depth < DEEPEST => {
                    if let Some(Given::Node(given)) = self.inner.variables.get(&name).and_then(|v| v.given.clone()) {
                        self.tree(&given, depth + 1);
                    }
                }
                Mention::Call(_, arguments) => {
                    for (from, to) in arguments {
                        self.expression(node, text.get(from..to).unwrap_or_default(), depth);
                    }
                }
                Mention::Variable(_) | Mention::Environment(_) | Mention::Project | Mention::Each => {}
            }
        }
    }

    fn literals(&mut self, desired: &Desired) {
        for parent in self.resource.kind.parents {
            let names: Vec<&str> = match self.resource.body.get(parent.field) {
                Some(Value::Text(text)) => vec![text],
                Some(Value::List(items)) => items.iter().filter_map(Value::as_str).collect(),
                _ => continue,
            };
            let span = self.resource.node.get(parent.field).map_or(&self.resource.span, |n| &n.span).clone();
            for on in &self.resource.depends_on {
                let Some(other) = desired.resources.get(on) else { continue };
                let referred = self.found.iter().any(|r| r.on == *on && matches!(r.why, Why::Reference(_)));
                if !referred && other.kind.name == parent.kind && names.contains(&other.natural.join(".").as_str()) {
                    self.found.push(Reason { on: on.clone(), why: Why::Literal(parent.field.to_owned()), span: span.clone() });
                }
            }
        }
    }
}

/// The field whose text is this name, and its place: how principals and parents are named by what they are called.
fn naming<'n>(node: &'n Node, field: &str, name: &str) -> Option<(String, &'n Span)> {
    match &node.data {
        Data::Scalar(scalar) => (scalar.text == name && !field.is_empty()).then(|| (field.to_owned(), &node.span)),
        Data::List(items) => items.iter().find_map(|item| naming(item, field, name)),
        Data::Map(entries) => entries.iter().find_map(|entry| naming(&entry.value, &entry.key, name)),
    }
}

/// What is declared, for the lexer of expressions.
pub struct Declared<'a> {
    /// The project.
    pub inner: &'a Inner,
}

impl Names for Declared<'_> {
    fn kind(&self, word: &str) -> Option<&'static str> {
        self.inner.kind_names.get(word).copied()
    }

    fn is_key(&self, kind: &str, key: &str) -> bool {
        self.inner.find(kind, key).is_some()
    }

    fn has_instances(&self, kind: &str, key: &str) -> bool {
        self.inner.find(kind, key).is_some_and(|at| self.inner.prepared[at].for_each.is_some())
    }
}
