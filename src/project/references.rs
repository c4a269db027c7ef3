//! References to fields of resources: what YAML sets resolves now, the rest waits for the workspace.

use std::sync::Arc;

use super::findings::{Reported, meant};
use super::scope::{Frame, In, Resolver, is_poison, whole_tree};
use crate::diagnostic::{Diagnostic, Span, suggest};
use crate::kinds::{Identity, Kind, Schema};
use crate::model::{Address, Deferred, Path, Piece, Reference, Step, Value};
use crate::yaml::{Data, Node};

/// How many fields are named where none is like the one that is not there.
const OFFERED: usize = 6;

/// What is referred to.
pub struct Target<'t> {
    /// The kind's name.
    pub kind: &'static str,
    /// The key.
    pub key: &'t str,
    /// The instance.
    pub instance: Option<&'t str>,
    /// The field.
    pub path: &'t Path,
}

impl Resolver<'_> {
    /// The value of a reference; `key_span` and `span` are the places of its key and of all of it.
    pub fn reference(&self, target: &Target<'_>, key_span: &Span, span: &Span) -> Result<Value, Reported> {
        let item = self.item_of(target, key_span, span)?;
        let address = &self.items[item].address;
        if let Some(off) = &self.items[item].off {
            return self.refuse(
                Diagnostic::error(
                    "E0123",
                    format!("{address} is referred to, but its `when` is false in environment {}", self.inner.environment),
                )
                .at(span, "referred to here")
                .at(off, "this is false")
                .help("give both the same `when`, or take the reference away"),
            );
        }
        if let Some(top) = self.refers.borrow_mut().last_mut() {
            top.insert(item);
        }
        if target.path.is_root() {
            return self.refuse(
                Diagnostic::error("E0206", format!("{address} is referred to without a field"))
                    .at(span, "")
                    .help(format!("write `${{{address}.id}}`, or another field"))
                    .patch(span, format!("{}.id", super::findings::span_text(span))),
            );
        }
        self.field(item, &super::making::respelt(self.prepared(item).kind, target.path), span)
    }

    /// The item that a reference names.
    fn item_of(&self, target: &Target<'_>, key_span: &Span, span: &Span) -> Result<usize, Reported> {
        let Some(at) = self.inner.find(target.kind, target.key) else {
            if self.inner.incomplete {
                return Err(Reported); // it may be in the file that could not be read
            }
            return self.refuse(self.unknown_resource(target, key_span));
        };
        let prepared = &self.inner.prepared[at];
        if prepared.for_each.is_some() && self.expanding.get() {
            return self.refuse(
                Diagnostic::error("E0127", "`for_each` and `when` of a `for_each` cannot refer to a resource that has `for_each` itself")
                    .at(span, ""),
            );
        }
        let key = (at, target.instance.map(str::to_owned));
        if let Some(item) = self.places.get(&key) {
            return Ok(*item);
        }
        let mut instances: Vec<&str> = self.items.iter().filter(|i| i.of == at).filter_map(|i| i.address.instance.as_deref()).collect();
        instances.sort_unstable();
        let address = Address::new(target.kind, target.key);
        let Some(instance) = target.instance else {
            let wrong = Diagnostic::error("E0205", format!("{address} has instances: say which one"))
                .at(span, "")
                .at(&prepared.span, "it has `for_each`");
            return self.refuse(match instances.first() {
                Some(first) => wrong.help(format!("write `{address}[\"{first}\"]`")),
                None => wrong,
            });
        };
        if instances.is_empty() && prepared.for_each.is_some() {
            return Err(Reported); // its `for_each` failed
        }
        let wrong =
            Diagnostic::error("E0205", format!("{address} has no instance `{instance}`")).at(span, "").at(&prepared.span, "declared here");
        self.refuse(meant(wrong, instance, instances.iter().copied(), span))
    }

    fn unknown_resource(&self, target: &Target<'_>, span: &Span) -> Diagnostic {
        let address = Address::new(target.kind, target.key);
        if let Some((_, place)) = self.inner.deleted.iter().find(|(deleted, _)| *deleted == address) {
            return Diagnostic::error("E0205", format!("{address} is deleted in environment {}", self.inner.environment))
                .at(span, "referred to here")
                .at(place, "`$delete: true`");
        }
        let found = Diagnostic::error("E0205", format!("there is no {address}")).at(span, "nothing of this name is declared");
        let same_kind = self.inner.prepared.iter().filter(|p| p.kind.name == target.kind).map(|p| p.key.as_str());
        let elsewhere = self.inner.prepared.iter().find(|p| p.key == target.key && p.kind.name != target.kind);
        match elsewhere {
            Some(other) => found.help(format!("there is {}", Address::new(other.kind.name, &other.key))),
            None if same_kind.clone().next().is_none() => found.help(format!(
                "this project declares no {}: declare it under `{}:`, or find one that is there: `${{lookup('{}', 'ITS NAME').id}}`",
                self.inner.registry.get(target.kind).map_or_else(|| target.kind.to_owned(), Kind::many),
                target.kind,
                target.kind
            )),
            None => meant(found, target.key, same_kind, span),
        }
    }

    /// A field of an item: set in YAML, or waiting for the workspace.
    pub fn field(&self, item: usize, path: &Path, span: &Span) -> Result<Value, Reported> {
        let address = &self.items[item].address;
        let frame = || Frame { what: format!("{address}.{path}"), span: span.clone() };
        self.once(&self.fields, &(item, path.clone()), frame, || {
            // What the field refers to is a dependency of its own resource, not of whoever refers to the field.
            self.refers.borrow_mut().push(std::collections::BTreeSet::new());
            let made = self.make_field(item, path, span);
            self.refers.borrow_mut().pop();
            made
        })
    }

    fn make_field(&self, item: usize, path: &Path, span: &Span) -> Result<Value, Reported> {
        let prepared = self.prepared(item);
        if path.steps() == [Step::Field("id".to_owned())] {
            return self.id(item, span);
        }
        let scope = In { resolver: self, each: self.items[item].each.as_ref(), with_resources: true };
        let mut node: &Node = &prepared.body;
        let steps = path.steps();
        for (depth, step) in steps.iter().enumerate() {
            let next = match (step, &node.data) {
                (Step::Field(name), Data::Map(_)) => node.get(name),
                (Step::Index(i), Data::List(items)) => items.get(*i),
                (_, Data::Scalar(_)) => {
                    let value = whole_tree(node, &scope)?;
                    return self.below(&value, &steps[depth..], item, path, span);
                }
                _ => None,
            };
            match next {
                Some(found) => node = found,
                None => return self.unset(item, path, depth, span),
            }
        }
        let value = whole_tree(node, &scope)?;
        Ok(super::body::as_text_field(value, node, prepared.kind, path))
    }

    /// What the kind's read takes: known for what is named, waiting for what the server numbers.
    pub fn id(&self, item: usize, span: &Span) -> Result<Value, Reported> {
        let address = &self.items[item].address;
        match self.prepared(item).kind.identity {
            Identity::Assigned(_) => Ok(waiting(address, Path::field("id"))),
            Identity::Single(word) => Ok(Value::from(word)),
            Identity::Named { parts, join, .. } => {
                let mut texts = Vec::new();
                for part in parts {
                    match self.field(item, &Path::field(*part), span)? {
                        Value::Unknown(_) | Value::Secret(_) => return Ok(waiting(address, Path::field("id"))),
                        known => texts.push(known.key_text()),
                    }
                }
                Ok(Value::Text(texts.join(join)))
            }
        }
    }

    /// A field below an evaluated value.
    fn below(&self, value: &Value, steps: &[Step], item: usize, path: &Path, span: &Span) -> Result<Value, Reported> {
        let mut value = value;
        for (done, step) in steps.iter().enumerate() {
            if let Value::Unknown(deferred) | Value::Secret(deferred) = value {
                if let [Piece::Expression(expression)] = deferred.pieces.as_slice() {
                    let pieces = vec![Piece::Expression(format!("({expression}){}", accessor(&steps[done..])))];
                    let deeper = Arc::new(Deferred { pieces, ..Deferred::clone(deferred) });
                    return Ok(if matches!(value, Value::Secret(_)) { Value::Secret(deeper) } else { Value::Unknown(deeper) });
                }
                return Err(Reported);
            }
            let Some(next) = value.step(step) else {
                let at = path.steps().len() - steps.len() + done;
                return self.unset(item, path, at, span);
            };
            value = next;
        }
        Ok(value.clone())
    }

    /// A field that YAML does not set: it waits for the workspace if the API has it, else nobody knows it.
    fn unset(&self, item: usize, path: &Path, depth: usize, span: &Span) -> Result<Value, Reported> {
        let prepared = self.prepared(item);
        let address = &self.items[item].address;
        let mut field = Some(Schema::of(prepared.kind).root());
        for (at, step) in path.steps().iter().enumerate() {
            let Some(here) = field else { break };
            let next = match step {
                Step::Field(name) => here.field(name),
                Step::Index(_) | Step::Key(..) => here.item(),
                Step::Inside => Some(here.inside()),
            };
            if next.is_none() && here.is_struct() && at >= depth {
                return self.refuse(self.no_such_field(item, path, at, &here, span));
            }
            field = next;
        }
        if let Identity::Named { parts, .. } = prepared.kind.identity
            && path.steps().len() == 1
            && path.first_field().is_some_and(|name| parts.contains(&name))
        {
            return Err(Reported); // missing and required: its own body says so
        }
        Ok(waiting(address, path.clone()))
    }

    fn no_such_field(&self, item: usize, path: &Path, at: usize, here: &crate::kinds::Field<'_>, span: &Span) -> Diagnostic {
        let prepared = self.prepared(item);
        let address = &self.items[item].address;
        let name = match &path.steps()[at] {
            Step::Field(name) => name.clone(),
            other => Path::from(vec![other.clone()]).to_string(),
        };
        let found = Diagnostic::error("E0206", format!("{address} has no field `{name}`"))
            .at(span, format!("{} has no such field", prepared.kind.one()))
            .at(&prepared.span, "declared here");
        let members = here.members();
        let names: Vec<&str> = members.iter().map(|(n, _)| *n).chain((at == 0).then_some("id")).collect();
        if let Some(near) = suggest::alike(&name, names.iter().copied()) {
            // The field is the last word of the reference.
            let end = (at + 1 == path.steps().len()).then_some(span.end.saturating_sub(u32::try_from(name.len()).unwrap_or_default()));
            let word = end
                .map(|start| Span::new(&span.source, start as usize, span.end as usize))
                .filter(|w| super::findings::span_text(w) == name);
            let found = found.help(format!("did you mean `{near}`?"));
            return match word {
                Some(word) => found.patch(&word, near),
                None => found,
            };
        }
        let settable = || members.iter().filter(|(_, f)| !f.computed());
        let required = settable().filter(|(_, f)| f.required()).chain(settable().filter(|(_, f)| !f.required()));
        let some: Vec<&str> = required.map(|(n, _)| *n).take(OFFERED).collect();
        let more = if members.len() > some.len() { " and more" } else { "" };
        found.help(format!(
            "it has `id`, {}{more}: `brickform explain {}` lists them",
            some.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "),
            prepared.kind.name
        ))
    }
}

/// A field that waits for the workspace.
pub(super) fn waiting(address: &Address, path: Path) -> Value {
    Value::Unknown(Arc::new(Deferred::of(Reference { address: address.clone(), path })))
}

/// Steps as an expression's member accesses.
fn accessor(steps: &[Step]) -> String {
    steps
        .iter()
        .map(|step| match step {
            Step::Field(name) => format!("[{}]", serde_json::to_string(name).unwrap_or_default()),
            Step::Index(i) => format!("[{i}]"),
            Step::Key(..) | Step::Inside => String::new(),
        })
        .collect()
}

/// The address and field that a value consists of, if it is exactly one reference.
pub fn sole_reference(value: &Value) -> Option<&Reference> {
    match value {
        Value::Unknown(deferred) if !is_poison(value) => match (deferred.pieces.as_slice(), deferred.waits.as_slice()) {
            ([Piece::Expression(expression)], [crate::model::Variable::Reference(reference)]) if expression == "__0" => Some(reference),
            _ => None,
        },
        _ => None,
    }
}
