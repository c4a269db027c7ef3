//! From files to desired: discovery, environments, variables, expressions, overlays, validation, the dependency graph.
//!
//! Owns what YAML means. Reads files under the project's folder through std; everything else of the outside comes in as
//! [`Outside`]. Sends nothing. All mistakes of all files are reported in one run, as diagnostics.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::kinds::{Kind, Registry};
use crate::model::{Address, Fingerprint, Lookup, Outside, Path, StateKey, Value};
use crate::yaml::Node;

mod answers;
mod body;
mod collect;
mod definitions;
mod discovery;
mod environment;
pub mod expression;
mod facets;
mod files;
mod findings;
mod given;
mod graph;
mod implied;
mod items;
mod laid;
mod layers;
mod load;
mod making;
mod meta;
mod names;
mod origin;
mod outputs;
mod overlay;
mod packed;
mod policies;
mod presets;
mod reasons;
mod references;
mod resolve;
mod same;
mod scope;
mod secrets;
mod settings;
mod slips;
mod targets;
mod templates;
mod templating;
mod unread;
mod unrendered;
mod unused;
mod variables;

pub use layers::Layers;
pub use origin::Trace;
pub use outputs::Output;
pub use policies::{POLICY_NAMES, Policy, PolicyLevel};
pub use presets::FromPreset;
pub use reasons::{Reason, Why};
pub use secrets::read_secret;

/// What the user asked for on the command line.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// The project's folder; none: found upwards from the current one.
    pub folder: Option<PathBuf>,
    /// `--config DIR`: resources from here instead of `conf/` and `spaces/`; works without `conf/project.yaml`.
    pub config: Option<PathBuf>,
    /// `--env`.
    pub environment: Option<String>,
    /// `--var k=v`, in order.
    pub variables: Vec<(String, String)>,
    /// `--var-file`, in order.
    pub variable_files: Vec<PathBuf>,
    /// `--strict`: warnings are errors.
    pub strict: bool,
    /// Bytes that stand in for those of files, by path: how an edit is looked at before it is written.
    pub contents: BTreeMap<PathBuf, Vec<u8>>,
}

/// A loaded project with its environment chosen, before anything was asked of a workspace.
pub struct Project {
    /// Its folder.
    pub folder: PathBuf,
    /// Its name: `name:` in `conf/project.yaml`, else the folder's.
    pub name: String,
    /// All environments that can be selected, sorted.
    pub environments: Vec<String>,
    /// The chosen one.
    pub environment: Environment,
    /// What every step of a plan must satisfy, in the order they are written.
    pub policies: Vec<Policy>,
    /// Questions to the workspace that [`Project::resolve`] needs answered.
    pub lookups: Vec<Lookup>,
    /// Principals that are named as the API takes them: whoever nobody is called is told of, where somebody answers.
    pub checks: BTreeMap<Lookup, Check>,
    /// Warnings so far.
    pub warnings: Vec<Diagnostic>,
    /// Merged, unevaluated resources and everything `resolve` needs. Private to this floor.
    inner: load::Inner,
    /// What looking for questions has evaluated already.
    unanswered: Option<resolve::Unanswered>,
}

/// A named target.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub workspace: Workspace,
    /// The principal that ACLs neither add nor remove; a display name or an application id.
    pub deployer: Option<String>,
    /// Where the state is.
    pub state: StateSettings,
    /// Guards.
    pub guards: Guards,
    /// Whether the ownership tag is written (`defaults.ownership_tag`).
    pub ownership_tag: bool,
    /// The file it is declared in.
    pub span: Option<Span>,
    /// Resources that stand in its overlays only, and where.
    pub added: BTreeMap<Address, Span>,
}

/// Which workspace.
#[derive(Debug, Clone)]
pub enum Workspace {
    /// The embedded one: one database file under `.brickform/local/`.
    Local,
    /// A remote one: auth attributes by their SDK names (`host`, `profile`, `client_id`, ...), with their places.
    /// Empty: whatever `--profile` and the process environment say.
    Remote(BTreeMap<String, (String, Option<Span>)>),
}

/// Where the state is.
#[derive(Debug, Clone, Default)]
pub struct StateSettings {
    /// A URL or a path; none: `.brickform/state/ENV.json`.
    pub backend: Option<String>,
    /// The key for fingerprints of secrets.
    pub key: Option<StateKey>,
    /// Whether a shared state is sealed with that key.
    pub encrypt: bool,
    /// Seconds that a lease stands without being renewed; none: a minute.
    pub lease_seconds: Option<u64>,
    /// How many versions are kept; none: twenty.
    pub versions: Option<u64>,
}

/// Limits that a plan is held to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Guards {
    /// Most deletes and replaces in one apply.
    pub max_deletes: Option<u64>,
    /// Most managed objects changed, in percent.
    pub max_change_percent: Option<u64>,
    /// Kinds that are never deleted.
    pub protect: Vec<String>,
    /// A conflict waits for `--accept-conflict`.
    pub block_conflicts: bool,
    /// Nothing is applied from a working tree with uncommitted changes.
    pub require_clean_git: bool,
    /// Whether a commit older than or beside the applied one is refused; none: where the state is one that many share.
    pub ancestry: Option<bool>,
    /// Every plan asks the workspace whether what the files name is there.
    pub preflight: bool,
}

/// `lifecycle:` of a resource.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lifecycle {
    /// Never deleted or replaced; kept in the state.
    pub prevent_destroy: Option<bool>,
    /// Fields whose live value stays.
    pub ignore_changes: Vec<Path>,
    /// The new one first.
    pub create_before_destroy: bool,
    /// `adopt: by_name`: takes an existing object with this natural key.
    pub adopt_by_name: bool,
    /// `allow_duplicate_name: true`: creates although the natural key exists.
    pub allow_duplicate_name: bool,
    /// Owns the whole object.
    pub exclusive: bool,
    /// `wait: running`.
    pub wait: bool,
    /// What was changed in the workspace since the last apply, and not in YAML, stays.
    pub merge: bool,
}

/// Everything desired, resolved as far as a plan can.
#[derive(Debug, Clone)]
pub struct Desired {
    /// By address, facets included, in address order.
    pub resources: BTreeMap<Address, Resource>,
    /// `import:` by target address: the id and its place.
    pub imports: BTreeMap<Address, (String, Span)>,
    /// `moved:` from → to.
    pub moves: BTreeMap<Address, Address>,
    /// `forget:` addresses.
    pub forgets: Vec<Address>,
    /// What is declared and has a `when` that is false here.
    pub off: BTreeSet<Address>,
    /// Files that `file()` read, by their path in the project.
    pub files: BTreeMap<String, Fingerprint>,
    /// Resources whose content is a file of the project (`source:`), with the file as it is named there.
    pub sources: BTreeMap<Address, String>,
    /// The environment's deployer as access lists carry it: a display name has become an application id, or waits for one.
    /// None: none is named, or nothing here has an access list.
    pub deployer: Option<Value>,
    /// Warnings of this and earlier steps, sorted by place.
    pub warnings: Vec<Diagnostic>,
}

/// One desired resource or facet.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Whose.
    pub address: Address,
    /// Of which kind (for a facet: `permissions`, `grants`).
    pub kind: &'static Kind,
    /// The body in its normal form: no meta fields, types as the catalogue wants them, expressions evaluated;
    /// what waits is `Unknown` or `Secret`. Facets have their bound fields in it (`object_id`).
    pub body: Value,
    /// The merged source tree of the body, for places of messages (expressions unevaluated).
    pub node: Arc<Node>,
    /// Where the address is declared.
    pub span: Span,
    /// `lifecycle:`.
    pub lifecycle: Lifecycle,
    /// What must be there first: references, `depends_on`, literals equal to a natural key, a facet's parent.
    pub depends_on: Vec<Address>,
    /// Fields that presets of the environment set, by path.
    pub presets: Vec<FromPreset>,
    /// The values of the kind's natural key, known at plan; joined by dots in messages.
    pub natural: Vec<String>,
}

impl Resource {
    /// Where a path of its body stands in the files.
    #[must_use]
    pub fn place(&self, path: &Path) -> Span {
        making::place_of(self.kind, &self.node, &self.span, path)
    }

    /// Its source tree in the form in which overlays are merged, expressions unevaluated.
    #[must_use]
    pub fn laid(&self) -> Node {
        laid::body(self.kind, &self.node, laid::Packed::Kept)
    }

    /// Whether nobody declares it, and it is a folder that something declared is in.
    #[must_use]
    pub fn is_implied(&self) -> bool {
        self.natural.last().is_some_and(|path| implied::is_implied(&self.address, path))
    }
}

/// Whether this is the address of a folder that is declared along with what is in it: its key is its path.
#[must_use]
pub fn is_implied(address: &Address, path: &str) -> bool {
    implied::is_implied(address, path)
}

/// What the workspace answered to lookups: the object, or why not.
pub type Answers = BTreeMap<Lookup, Answer>;

/// The answer to one lookup.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The one object.
    Found(Value),
    /// None, with the nearest names there are.
    Missing(Vec<String>),
    /// Several, each with its `id`.
    Several(Vec<Value>),
}

/// What an answer about a principal that is named as the API takes it is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// A warning where nobody is called so.
    Known,
    /// The name may be one that stands for another word: a service principal's in grants.
    Whose,
}

/// Why a project could not be loaded or resolved.
#[derive(Debug, Clone)]
pub struct Failed {
    /// All diagnostics of all files, sorted by place; at least one is an error.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the command line is at fault (no environment chosen, an unknown one, an undeclared `--var`): exit 64.
    pub usage: bool,
}

/// Finds, reads and merges the project and chooses the environment.
///
/// # Errors
/// All diagnostics of all files.
pub fn load(outside: &Outside, ask: &Ask, registry: &Registry) -> Result<Project, Failed> {
    load::load(outside, ask, registry)
}

/// The names of all environments that can be selected, sorted; none needs to be chosen.
///
/// # Errors
/// There is no project, or a file cannot be read.
pub fn environments(outside: &Outside, ask: &Ask) -> Result<Vec<String>, Failed> {
    load::environments(outside, ask)
}

/// The name of the project, also where its files have mistakes; none where there is no project.
#[must_use]
pub fn name(outside: &Outside, ask: &Ask) -> Option<String> {
    load::name(outside, ask)
}

/// The name of the environment that a command takes: the one asked for, `default_environment`, or the only one. Resources are
/// not looked at.
///
/// # Errors
/// There is no project, none or several could be meant, or the one that is named is not there.
pub fn chosen(outside: &Outside, ask: &Ask) -> Result<String, Failed> {
    load::chosen(outside, ask)
}

/// Reads the files once more for the layers of values: what merging overrides. Planning never asks for them.
///
/// # Errors
/// There is no project.
pub fn layers(outside: &Outside, ask: &Ask, project: &Project, registry: &Registry) -> Result<Layers, Failed> {
    layers::layers(outside, ask, &project.environment.name, registry)
}

impl Project {
    /// The kinds as this project's environment has them: what it says of APIs is chosen, and what its workspace turns out to
    /// have is chosen here.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Every step that leads to the value of a resource's field.
    #[must_use]
    pub fn origin(&self, layers: &Layers, desired: &Desired, resource: &Resource, path: &Path) -> Vec<Trace> {
        origin::of_field(&self.inner, layers, desired, resource, path)
    }

    /// Every step that leads to the value of a variable.
    #[must_use]
    pub fn origin_of_variable(&self, layers: &Layers, desired: &Desired, name: &str) -> Vec<Trace> {
        origin::of_variable(&self.inner, layers, desired, name)
    }

    /// Evaluates everything. Without an answer a lookup stays unknown (offline: `(lookup)`).
    ///
    /// # Errors
    /// All diagnostics.
    pub fn resolve(&self, answers: &Answers) -> Result<Desired, Vec<Diagnostic>> {
        match self.unanswered.as_ref().filter(|_| answers.is_empty()).and_then(|unanswered| unanswered.take(&self.inner)) {
            Some(made) => resolve::resolve_made(&self.inner, answers, &self.warnings, made),
            None => resolve::resolve(&self.inner, answers, &self.warnings),
        }
    }

    /// Why a resource depends on what it depends on, sorted by what is needed and by place.
    #[must_use]
    pub fn reasons(&self, desired: &Desired, resource: &Resource) -> Vec<Reason> {
        reasons::reasons(&self.inner, desired, resource)
    }

    /// Dependencies that neither a literal nor an expression that still waits shows: what the resolved values alone do not say.
    #[must_use]
    pub fn unsaid(&self, desired: &Desired) -> BTreeMap<Address, Vec<Address>> {
        let mut shown: BTreeMap<Address, Resource> = desired.resources.clone();
        for resource in shown.values_mut() {
            resource.depends_on.clear();
        }
        graph::literals(&mut shown, &self.inner.registry);
        let unsaid = desired.resources.iter().map(|(address, resource)| {
            let mut said = shown[address].depends_on.clone();
            resource.body.each_deferred(&mut Path::root(), &mut |_, d| said.extend(d.references().map(|r| r.address.clone())));
            let is_unsaid = |on: &&Address| !(said.contains(on) || address.is_facet() && **on == address.parent());
            (address.clone(), resource.depends_on.iter().filter(is_unsaid).cloned().collect())
        });
        unsaid.filter(|(_, on): &(Address, Vec<Address>)| !on.is_empty()).collect()
    }

    /// The declared `outputs:` with their values, in the order of the file. What only the state or the workspace knows is
    /// unknown.
    ///
    /// # Errors
    /// All diagnostics of outputs.
    pub fn outputs(&self, answers: &Answers) -> Result<Vec<Output>, Vec<Diagnostic>> {
        outputs::read(&self.inner, answers)
    }

    /// Reads all secrets of it that can be read without running anything: what is shown without resolving the project holds
    /// none of them either.
    pub fn learn_secrets(&self) {
        drop(self.resolve(&Answers::new()));
    }

    /// How often expressions of the resources and of the environment's variables use a variable.
    #[must_use]
    pub fn mentions(&self, variable: &str) -> usize {
        let nodes = self.inner.prepared.iter().flat_map(|p| {
            let meta = [&p.lifecycle, &p.when, &p.for_each].into_iter().flatten();
            std::iter::once(&*p.body).chain(meta).chain(p.facets.iter().map(|(_, _, node)| node))
        });
        let given = self.inner.variables.values().filter_map(|d| match &d.given {
            Some(variables::Given::Node(node)) => Some(node),
            _ => None,
        });
        nodes.chain(given).map(|node| mentions_in(node, variable)).sum()
    }

    /// The node that gives a variable its value, where a file does.
    #[must_use]
    pub fn given_by(&self, variable: &str) -> Option<&Node> {
        match &self.inner.variables.get(variable)?.given {
            Some(variables::Given::Node(node)) => Some(node),
            _ => None,
        }
    }

    /// Whether a file is one of an environment, which takes overlays and no declarations. Environments stand in several folders, and
    /// beside the one that `--config` names.
    #[must_use]
    pub fn is_environment_file(&self, name: &str) -> bool {
        self.inner.environment_files.contains(name)
    }

    /// Where resources of a kind are declared: the files, in the order in which they were read.
    #[must_use]
    pub fn files_of(&self, kind: &str) -> Vec<String> {
        let mut files: Vec<String> = Vec::new();
        for prepared in self.inner.prepared.iter().filter(|p| p.kind.name == kind) {
            if !files.contains(&prepared.span.source.name) {
                files.push(prepared.span.source.name.clone());
            }
        }
        files
    }

    /// The values of all variables of the environment (secret ones as `Secret`), with the place each came from.
    #[must_use]
    pub fn variables(&self) -> IndexMap<String, (Value, String)> {
        resolve::variables(&self.inner)
    }
}

/// How many scalars of a tree use a variable in an expression.
fn mentions_in(node: &Node, variable: &str) -> usize {
    match &node.data {
        crate::yaml::Data::Scalar(scalar) => {
            let inside = scalar.text.split("${").skip(1).map(|rest| rest.split('}').next().unwrap_or_default());
            let word = |c: char| !(c.is_alphanumeric() || c == '_');
            usize::from(inside.into_iter().any(|expression| expression.split(word).any(|w| w == variable)))
        }
        crate::yaml::Data::List(items) => items.iter().map(|n| mentions_in(n, variable)).sum(),
        crate::yaml::Data::Map(entries) => entries.iter().map(|e| mentions_in(&e.value, variable)).sum(),
    }
}

#[cfg(test)]
mod tests;
