//! Where a value comes from: every step, from the layers of files to what expressions mention.

use super::expression::{Function, Mention, Part, find, is_template, scan};
use super::layers::{Giver, Layer, Layers, exactly};
use super::load::Inner;
use super::making::written;
use super::reasons::Declared;
use super::resolve::{ready, variables};
use super::variables::Given;
use super::{Answers, Desired, Resource};
use crate::diagnostic::Span;
use crate::model::{Address, Path, SecretFrom, Step, Value};
use crate::yaml::{Data, Node};

/// One step of an origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// How far it is nested: what an expression mentions stands below it.
    pub depth: usize,
    /// What sort of step: `file`, `overlay`, `variable`, `given`, `environment`, `reference`, `lookup`, `secret`, `each`.
    pub sort: &'static str,
    /// What stands there, in words or as it is written.
    pub text: String,
    /// `conf/jobs.yaml:4`; none where it stands in no file.
    pub place: Option<String>,
    /// Its value, where it is known; what is sensitive is a secret.
    pub value: Option<Value>,
    /// Whether a later layer won.
    pub overridden: bool,
}

/// How deep expressions are followed.
const DEEPEST: usize = 12;

/// Steps that lead to the value of a resource's field, in order.
pub fn of_field(inner: &Inner, layers: &Layers, desired: &Desired, resource: &Resource, path: &Path) -> Vec<Trace> {
    let mut tracer = Tracer::new(inner, layers, desired, &resource.address);
    let (owner, in_file) = written(&resource.address, &resource.node, path);
    let whole = inner.find(&owner.kind, &owner.key).map(|at| whole_node(inner, at));
    let laid = layers.at(&owner, &in_file, whole.as_ref().unwrap_or(&resource.node));
    let last = laid.len();
    for (i, one) in laid.iter().enumerate() {
        let sort = if one.layer == Layer::Base { "file" } else { "overlay" };
        let mut text = one.node.as_ref().map_or_else(|| "$delete".to_owned(), source_of);
        if let Layer::Overlay(environment) = &one.layer {
            text = format!("{text}   (overlay of environment {environment})");
        }
        let overridden = i + 1 < last && one.node.as_ref().is_none_or(|n| n.scalar().is_some());
        tracer.push(0, sort, text, Some(&one.span), None, overridden);
    }
    for preset in resource.presets.iter().filter(|p| p.path.contains(path) || path.contains(&p.path)) {
        tracer.push(0, "preset", format!("preset `{}`", preset.preset), Some(&preset.span), None, false);
    }
    match exactly(&resource.node, path) {
        Some(node) => tracer.node(node, 1),
        None => tracer.bound(resource, path),
    }
    tracer.steps
}

/// Steps that lead to the value of a variable.
pub fn of_variable(inner: &Inner, layers: &Layers, desired: &Desired, name: &str) -> Vec<Trace> {
    let nobody = Address::new("", "");
    let mut tracer = Tracer::new(inner, layers, desired, &nobody);
    tracer.givers(name, 0);
    tracer.steps
}

/// The merged tree of a resource with its facets, as layers have it.
fn whole_node(inner: &Inner, at: usize) -> Node {
    let prepared = &inner.prepared[at];
    let mut node = Node::clone(&prepared.body);
    if let Data::Map(entries) = &mut node.data {
        for (facet, span, value) in &prepared.facets {
            entries.push(crate::yaml::Entry { key: facet.0.name.to_owned(), key_span: span.clone(), value: value.clone() });
        }
    }
    node
}

/// A node as its file spells it, on one line and not too long.
fn source_of(node: &Node) -> String {
    let raw = node.span.source.text.get(node.span.start as usize..node.span.end as usize).unwrap_or_default();
    let line = raw.split_whitespace().collect::<Vec<_>>().join(" ");
    match &node.data {
        Data::Scalar(_) if line.chars().count() <= 100 => line,
        Data::Scalar(_) => format!("{}...", line.chars().take(97).collect::<String>()),
        Data::Map(entries) => format!("a map of {}", super::findings::list_of(&entries.iter().map(|e| e.key.as_str()).collect::<Vec<_>>())),
        Data::List(items) if items.len() == 1 => "a list of 1 item".to_owned(),
        Data::List(items) => format!("a list of {} items", items.len()),
    }
}

struct Tracer<'a> {
    inner: &'a Inner,
    layers: &'a Layers,
    desired: &'a Desired,
    address: &'a Address,
    steps: Vec<Trace>,
    values: indexmap::IndexMap<String, (Value, String)>,
}

impl<'a> Tracer<'a> {
    fn new(inner: &'a Inner, layers: &'a Layers, desired: &'a Desired, address: &'a Address) -> Self {
        Self { inner, layers, desired, address, steps: Vec::new(), values: variables(inner) }
    }

    fn push(&mut self, depth: usize, sort: &'static str, text: String, span: Option<&Span>, value: Option<Value>, overridden: bool) {
        self.steps.push(Trace { depth, sort, text, place: span.map(Span::cite), value, overridden });
    }

    /// Everything that expressions below a node mention.
    fn node(&mut self, node: &Node, depth: usize) {
        match &node.data {
            Data::Scalar(scalar) if is_template(&scalar.text) => {
                for part in scan(&scalar.text).unwrap_or_default() {
                    if let Part::Expression { from, to } = part {
                        self.expression(node, &scalar.text[from..to], depth);
                    }
                }
            }
            Data::Scalar(_) => {}
            Data::List(items) => items.iter().for_each(|item| self.node(item, depth)),
            Data::Map(entries) => entries.iter().for_each(|entry| self.node(&entry.value, depth)),
        }
    }

    fn expression(&mut self, node: &Node, text: &str, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        for found in find(text, &Declared { inner: self.inner }).0 {
            let shown = text.get(found.from..found.to).unwrap_or(text).trim().to_owned();
            match found.mention {
                // Only files in Genie-Forge's form come so far without a variable of this name.
                Mention::Variable(name) if !self.inner.variables.contains_key(&name) && self.inner.process.contains_key(&name) => {
                    let value = self.inner.process.get(&name).map(|v| Value::text(v.as_str()));
                    self.push(depth, "environment", format!("`{name}` of the process environment"), None, value, false);
                }
                Mention::Variable(name) => {
                    let value = self.values.get(&name).map(|(v, _)| v.clone());
                    let span = self.inner.variables.get(&name).and_then(|d| d.declaration.as_ref()).map(|d| d.span.clone());
                    self.push(depth, "variable", format!("variable `{name}`"), span.as_ref(), value, false);
                    self.givers(&name, depth + 1);
                }
                Mention::Environment(member) => {
                    let value = if member == "host" {
                        self.inner.host.as_ref().map(Node::value)
                    } else {
                        Some(Value::text(self.inner.environment.as_str()))
                    };
                    let place = self.layers.chain.last().map(|(_, file)| file.clone());
                    self.push(depth, "environment", format!("`{shown}`"), None, value, false);
                    if let Some(step) = self.steps.last_mut() {
                        step.place = place;
                    }
                }
                Mention::Project => {
                    let value = Some(Value::text(self.inner.name.as_str()));
                    self.push(depth, "project", "the project's name".to_owned(), None, value, false);
                }
                Mention::Each => self.each(&shown, depth),
                Mention::Resource { kind, key, instance, path, .. } => {
                    self.reference(&Address { instance, ..Address::new(kind, key) }, &path, depth);
                }
                Mention::Call(function, arguments) => {
                    self.call(function, &shown, node, depth);
                    for (from, to) in arguments {
                        self.expression(node, text.get(from..to).unwrap_or_default(), depth + 1);
                    }
                }
            }
        }
    }

    /// Who gives a variable, lowest first; the last one wins, and what it mentions stands below it.
    fn givers(&mut self, name: &str, depth: usize) {
        let sensitive = self.inner.variables.get(name).and_then(|d| d.declaration.as_ref()).is_some_and(|d| d.sensitive);
        let givers: Vec<Giver> = self.layers.variable(name).to_vec();
        for (i, giver) in givers.iter().enumerate() {
            let (text, span) = match &giver.given {
                Given::Node(node) => (source_of(node), Some(node.span.clone())),
                Given::Text { source, .. } => (source.text.clone(), None),
            };
            let text = if sensitive { "(sensitive)".to_owned() } else { text };
            self.push(depth, "given", format!("{}: {text}", giver.what), span.as_ref(), None, i + 1 < givers.len());
            if let (Given::Node(node), true) = (&giver.given, i + 1 == givers.len()) {
                self.node(node, depth + 1);
            }
        }
        if givers.is_empty() {
            self.push(depth, "given", "nobody gives a value".to_owned(), None, None, false);
        }
    }

    fn reference(&mut self, address: &Address, path: &Path, depth: usize) {
        let Some(resource) = self.desired.resources.get(address) else {
            return self.push(depth, "reference", format!("`{address}.{path}`"), None, None, false);
        };
        let set = resource.body.at(path);
        let node = exactly(&resource.node, path).cloned();
        let computed = "filled by the workspace: known once it was applied";
        let text = match set {
            Some(_) => format!("`{address}.{path}`"),
            None => format!("`{address}.{path}`: {computed}"),
        };
        let span = node.as_ref().map_or(&resource.span, |n| &n.span).clone();
        self.push(depth, "reference", text, Some(&span), set.cloned(), false);
        if let Some(node) = node
            && depth < DEEPEST
        {
            self.node(&node, depth + 1);
        }
    }

    fn each(&mut self, shown: &str, depth: usize) {
        let Some(at) = self.inner.find(&self.address.kind, &self.address.key) else { return };
        let Some(node) = self.inner.prepared[at].for_each.clone() else { return };
        let answers = Answers::new();
        let resolver = ready(self.inner, &answers);
        let item = resolver.items.iter().find(|i| i.of == at && i.address.instance == self.address.instance);
        let path = shown.strip_prefix("each").map(|rest| rest.trim_start_matches('.').parse::<Path>());
        let value = match (item.and_then(|i| i.each.clone()), path) {
            (Some(each), Some(Ok(path))) => each.at(&path).cloned(),
            (each, _) => each,
        };
        let instance = self.address.instance.clone().unwrap_or_default();
        self.push(depth, "each", format!("`{shown}` of the instance \"{instance}\" (`for_each`)"), Some(&node.span), value, false);
        self.node(&node, depth + 1);
    }

    fn call(&mut self, function: Function, shown: &str, node: &Node, depth: usize) {
        let sort = match function {
            Function::Lookup => "lookup",
            Function::Secret => "secret",
            _ => "file",
        };
        let text = match function {
            Function::Lookup => format!("`{shown}`: the workspace answers it"),
            Function::Secret => format!("`{shown}`: {}", self.secret(shown)),
            _ => format!("`{shown}`: the text of a file"),
        };
        self.push(depth, sort, text, Some(&node.span), None, false);
    }

    /// What a secret is read from, never what it is.
    fn secret(&self, shown: &str) -> String {
        let name = shown.split(['"', '\'']).nth(1).unwrap_or_default();
        match self.inner.secrets.get(name) {
            None => format!("read from the environment variable {name} at the moment of sending"),
            Some(SecretFrom::Environment(variable)) => format!("read from the environment variable {variable} at the moment of sending"),
            Some(SecretFrom::File(file)) => format!("read from the file {} at the moment of sending", file.display()),
            Some(SecretFrom::Command { command, .. }) => {
                format!("what the command `{}` prints at the moment of sending", command.first().map(String::as_str).unwrap_or_default())
            }
            Some(SecretFrom::Given(_)) => "given on the command line or in a file".to_owned(),
        }
    }

    /// A field that no file holds: given by the object that a part belongs to.
    fn bound(&mut self, resource: &Resource, path: &Path) {
        if let [Step::Field(_)] = path.steps()
            && resource.address.is_facet()
            && let Some(value) = resource.body.at(path)
        {
            let text = format!("given by {}, whose part this is", resource.address.parent());
            self.push(0, "part", text, Some(&resource.span), Some(value.clone()), false);
        }
    }
}
