//! The layers that a value went through: what files declare, what overlays of the chain lay over it, who gives variables.
//!
//! Merging forgets what it overrides, so that planning carries no history. Whoever asks reads the files once more.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::collect::{Collected, Raw, collect, members};
use super::discovery::discover;
use super::findings::Findings;
use super::laid;
use super::overlay::key_of;
use super::variables::{self, Defined, Given};
use super::{Ask, Failed, environment, files};
use crate::diagnostic::Span;
use crate::kinds::{Field, Registry, Schema};
use crate::model::{Address, Outside, Path, Step, Value};
use crate::yaml::{Data, Node};

/// Everything that was laid over one another.
pub struct Layers {
    /// The chosen environment's chain, the furthest ancestor first: name and file.
    pub chain: Vec<(String, String)>,
    /// `presets:` as they are written, later files over earlier ones: name, value, place.
    pub presets: Vec<(String, Value, String)>,
    /// What each layer says of a resource, lowest first.
    raws: Vec<(Layer, Raw)>,
    /// Who gives each variable, lowest first.
    variables: BTreeMap<String, Vec<Giver>>,
}

/// Which layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// A file of resources.
    Base,
    /// `resources:` of this environment.
    Overlay(String),
}

/// What a layer does to a value.
#[derive(Debug, Clone)]
pub struct Laid {
    /// Which layer.
    pub layer: Layer,
    /// What it says there; none: it takes the value away (`$delete`).
    pub node: Option<Node>,
    /// Where.
    pub span: Span,
}

/// Who gives a variable.
#[derive(Debug, Clone)]
pub struct Giver {
    /// In words: `default`, `environment prod`, `BRICKFORM_VAR_catalog`, `--var`.
    pub what: String,
    /// The value as it is given.
    pub given: Given,
}

/// Reads all layers of the chosen environment.
pub fn layers(outside: &Outside, ask: &Ask, environment: &str, registry: &Registry) -> Result<Layers, Failed> {
    let mut findings = Findings::default();
    let Some(mut found) = discover(outside, ask, &mut findings) else {
        return Err(Failed { usage: findings.usage, diagnostics: findings.sorted(ask.strict) });
    };
    let chain = environment::chain(environment, &found.environments, &mut findings);
    let variables = givers(found.settings.variables.as_ref(), &chain, outside, ask, registry);
    let base = collect(std::mem::take(&mut found.documents), registry, &mut findings);
    let mut raws: Vec<(Layer, Raw)> = base.raws.into_iter().map(|raw| (Layer::Base, raw)).collect();
    for file in &chain {
        for entry in file.node.get("resources").map(Node::entries).unwrap_or_default() {
            let Some(kind) = registry.get(&entry.key) else { continue };
            let mut over = Collected::default();
            members(kind, entry.value.clone(), &mut over, &mut findings);
            raws.extend(over.raws.into_iter().map(|raw| (Layer::Overlay(file.name.clone()), raw)));
        }
    }
    let mut presets: IndexMap<String, (Value, String)> = IndexMap::new();
    for entry in chain.iter().flat_map(|f| f.node.get("presets").map(Node::entries).unwrap_or_default()) {
        presets.insert(entry.key.clone(), (entry.value.value(), entry.value.span.cite()));
    }
    let presets = presets.into_iter().map(|(name, (value, place))| (name, value, place)).collect();
    let chain = chain.iter().map(|f| (f.name.clone(), f.node.span.source.name.clone())).collect();
    // In the form in which they are merged.
    for (_, raw) in &mut raws {
        raw.node = laid::body(raw.kind, &raw.node, laid::Packed::Opened);
    }
    Ok(Layers { chain, presets, raws, variables })
}

fn givers(
    declared: Option<&IndexMap<String, variables::Declaration>>,
    chain: &[&environment::EnvironmentFile],
    outside: &Outside,
    ask: &Ask,
    registry: &Registry,
) -> BTreeMap<String, Vec<Giver>> {
    let mut all: BTreeMap<String, Vec<Giver>> = BTreeMap::new();
    let mut give = |name: &str, what: String, given: Given| all.entry(name.to_owned()).or_default().push(Giver { what, given });
    for (name, declaration) in declared.into_iter().flatten() {
        if let Some(default) = &declaration.default {
            give(name, "default".to_owned(), Given::Node(default.clone()));
        }
    }
    for file in chain {
        for entry in file.node.get("variables").map(Node::entries).unwrap_or_default() {
            give(&entry.key, format!("environment {}", file.name), Given::Node(entry.value.clone()));
        }
    }
    for path in &ask.variable_files {
        let Ok(source) = files::read(&outside.folder, &outside.path(&path.to_string_lossy())) else { continue };
        for document in crate::yaml::parse(&source).unwrap_or_default() {
            for entry in document.entries() {
                give(&entry.key, "--var-file".to_owned(), Given::Node(entry.value.clone()));
            }
        }
    }
    // The process environment and the command line: what `gather` takes from them alone.
    let names: Vec<&str> =
        chain.iter().flat_map(|f| f.node.get("variables").map(Node::entries).unwrap_or_default()).map(|e| e.key.as_str()).collect();
    let names: std::collections::BTreeSet<String> =
        declared.into_iter().flatten().map(|(n, _)| n.clone()).chain(names.into_iter().map(str::to_owned)).collect();
    let layers: Vec<&Node> = chain.iter().filter_map(|f| f.node.get("variables")).collect();
    let from = |ask: &Ask| variables::gather(declared, &layers, outside, ask, registry, &mut Findings::default());
    let process = from(&Ask { variables: vec![], variable_files: vec![], ..ask.clone() });
    let line = from(&Ask { variable_files: vec![], ..ask.clone() });
    for name in names {
        let text = |all: &IndexMap<String, Defined>| match all.get(&name).and_then(|d| d.given.clone()) {
            Some(given @ Given::Text { .. }) => Some(given),
            _ => None,
        };
        let givers = all.entry(name.clone()).or_default();
        if let Some(given) = text(&process) {
            // Below `--var-file`.
            let at = givers.iter().position(|g| g.what == "--var-file").unwrap_or(givers.len());
            givers.insert(at, Giver { what: given.origin(), given });
        }
        if ask.variables.iter().any(|(n, _)| *n == name)
            && let Some(given) = text(&line)
        {
            givers.push(Giver { what: "--var".to_owned(), given });
        }
    }
    all
}

impl Layers {
    /// Who gives a variable, lowest first; the last one wins.
    #[must_use]
    pub fn variable(&self, name: &str) -> &[Giver] {
        self.variables.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// What each layer says at a path of a resource as it is written; the last one wins. `merged` is its merged tree, by
    /// whose items those of keyed lists are found again.
    #[must_use]
    pub fn at(&self, address: &Address, path: &Path, merged: &Node) -> Vec<Laid> {
        let mut found = Vec::new();
        for (layer, raw) in self.raws.iter().filter(|(_, r)| r.kind.name == address.kind && r.key == address.key) {
            let facet = path.first_field().and_then(|name| raw.kind.facets.iter().find(|f| f.name == name));
            let laid = |node: Option<Node>, span: &Span| Laid { layer: layer.clone(), node, span: span.clone() };
            let mut here = Here { node: &raw.node, merged: Some(merged), field: Some(Schema::of(raw.kind).root()) };
            let mut gone = marked(here.node);
            for (depth, step) in path.steps().iter().enumerate() {
                if gone {
                    break;
                }
                let shape = match facet {
                    Some(facet) if depth == 0 => Schema::of(facet.kind).root().field(facet.body),
                    _ => None,
                };
                let Some(next) = here.step(step, shape) else { break };
                here = next;
                gone = marked(here.node);
                if depth + 1 == path.steps().len() && !gone {
                    found.push(laid(Some(here.node.clone()), &here.node.span));
                }
            }
            if gone {
                found.push(laid(None, &here.node.span));
            } else if path.is_root() {
                found.push(laid(Some(raw.node.clone()), &raw.span));
            }
        }
        found
    }
}

fn marked(node: &Node) -> bool {
    node.get("$delete").is_some_and(|n| n.value().as_bool() == Some(true))
}

/// A place in a layer beside the same place in the merged tree.
struct Here<'a> {
    node: &'a Node,
    merged: Option<&'a Node>,
    field: Option<Field<'static>>,
}

impl Here<'_> {
    fn step(&self, step: &Step, shape: Option<Field<'static>>) -> Option<Self> {
        let merged = self.merged.and_then(|m| down(m, step));
        let node = match step {
            Step::Index(_) => match (self.field.and_then(|f| f.keyed()), merged.map(|m| &m.data)) {
                (Some(fields), Some(Data::Map(_))) => {
                    let key = key_of(merged?, fields)?;
                    self.node.items().iter().find(|item| key_of(item, fields).as_ref() == Some(&key))
                }
                _ => down(self.node, step),
            },
            Step::Field(_) | Step::Key(..) | Step::Inside => down(self.node, step),
        }?;
        let field = shape.or_else(|| {
            let field = self.field?;
            match step {
                Step::Field(name) => field.field(name),
                Step::Index(_) | Step::Key(..) => field.item(),
                Step::Inside => Some(field.inside()),
            }
        });
        Some(Self { node, merged, field })
    }
}

/// The node one step below, if it is there.
pub fn down<'a>(node: &'a Node, step: &Step) -> Option<&'a Node> {
    match step {
        Step::Field(name) => node.get(name),
        Step::Index(i) => node.items().get(*i),
        Step::Key(pairs, nth) => {
            let same = |item: &&Node| pairs.iter().all(|(k, v)| item.get(k).and_then(Node::text) == Some(v));
            node.items().iter().filter(same).nth(*nth as usize)
        }
        Step::Inside => Some(node),
    }
}

/// The node at a path, if all of it is there.
pub fn exactly<'a>(node: &'a Node, path: &Path) -> Option<&'a Node> {
    path.steps().iter().try_fold(node, down)
}
