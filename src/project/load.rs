//! Loading: everything up to the questions that a workspace has to answer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::collect::{Collected, collect};
use super::discovery::{Discovered, discover};
use super::environment::{self, EnvironmentFile, RawWorkspace};
use super::findings::{Findings, list_of, meant};
use super::meta::{Prepared, prepare};
use super::resolve::Questions;
use super::scope::{Files, In, Resolver, whole_tree};
use super::secrets::read_secret;
use super::unused::Seen;
use super::variables::{self, Defined};
use super::{
    Answers, Ask, Environment, Failed, FromPreset, Project, definitions, names, overlay, policies, presets, resolve, templating, unread,
    unrendered,
};
use crate::diagnostic::{Diagnostic, Span};
use crate::kinds::Registry;
use crate::model::{Address, Outside, SecretFrom, Value};
use crate::yaml::Node;

/// What `resolve` needs: everything merged, nothing evaluated.
pub struct Inner {
    /// The kinds.
    pub registry: Registry,
    /// Kinds by name and alias.
    pub kind_names: HashMap<&'static str, &'static str>,
    /// The project's folder.
    pub folder: PathBuf,
    /// The project's name.
    pub name: String,
    /// The environment's name.
    pub environment: String,
    /// `workspace.host`.
    pub host: Option<Node>,
    /// `workspace.deployer`.
    pub deployer: Option<Node>,
    /// `workspace: local`.
    pub local: bool,
    /// Variables of the environment.
    pub variables: IndexMap<String, Defined>,
    /// Declared sources of secrets.
    pub secrets: BTreeMap<String, SecretFrom>,
    /// Resources, overlays merged.
    pub prepared: Vec<Prepared>,
    /// Places in `prepared` by kind and key.
    pub index: HashMap<&'static str, HashMap<String, usize>>,
    /// Deleted by overlays.
    pub deleted: Vec<(Address, Span)>,
    /// Items of `import:`.
    pub imports: Vec<Node>,
    /// Items of `moved:`.
    pub moves: Vec<Node>,
    /// Items of `forget:`.
    pub forgets: Vec<Node>,
    /// `outputs`.
    pub outputs: Option<Node>,
    /// `--strict`.
    pub strict: bool,
    /// Bytes that stand in for those of files.
    pub contents: BTreeMap<PathBuf, Vec<u8>>,
    /// A file could not be read.
    pub incomplete: bool,
    /// Where the environment's own file gives variables, or would.
    pub environment_place: Option<Span>,
    /// Variables below a misspelt `variables:` of the environment's files.
    pub unread_variables: BTreeSet<String>,
    /// Names of the files of environments.
    pub environment_files: BTreeSet<String>,
    /// Names of files in Genie-Forge's form, where `${NAME}` reads the process environment too.
    pub forge: BTreeSet<String>,
    /// The process environment, for those files.
    pub process: Arc<BTreeMap<String, String>>,
    /// Where secrets are read.
    pub outside: Outside,
    /// Files of definitions that were read.
    pub opened: Files,
    /// Those in which nothing is evaluated.
    pub literal: BTreeSet<String>,
}

impl Inner {
    /// Reads the secrets of a value as far as that runs nothing, so that they are known wherever else they stand.
    pub fn learn(&self, value: &Value) {
        value.each_deferred(&mut crate::model::Path::root(), &mut |_, deferred| {
            for source in deferred.secrets() {
                let at_hand = match &source.from {
                    SecretFrom::Environment(_) | SecretFrom::Given(_) => true,
                    SecretFrom::File(path) => path.is_file(),
                    SecretFrom::Command { .. } => false,
                };
                if at_hand {
                    // What is missing is told where it is needed.
                    drop(read_secret(&self.outside, source));
                }
            }
        });
    }

    /// The place of a resource in `prepared`.
    pub fn find(&self, kind: &str, key: &str) -> Option<usize> {
        self.index.get(kind)?.get(key).copied()
    }
}

/// See [`super::load`].
pub fn load(outside: &Outside, ask: &Ask, registry: &Registry) -> Result<Project, Failed> {
    let mut findings = Findings::default();
    let loaded = load_into(outside, ask, registry, &mut findings);
    let usage = findings.usage;
    match loaded {
        Some(mut project) if !(findings.any_error() || ask.strict && findings.any()) => {
            project.warnings = findings.sorted(false);
            Ok(project)
        }
        Some(project) => {
            // The rest of the mistakes too, in one run.
            if let Err(more) = resolve::resolve(&project.inner, &Answers::new(), &[]) {
                findings.extend(more);
            }
            Err(Failed { diagnostics: findings.sorted(ask.strict), usage })
        }
        None => Err(Failed { diagnostics: findings.sorted(ask.strict), usage }),
    }
}

/// See [`super::environments`].
pub fn environments(outside: &Outside, ask: &Ask) -> Result<Vec<String>, Failed> {
    let mut findings = Findings::default();
    match discover(outside, ask, &mut findings) {
        Some(found) if !found.incomplete => Ok(selectable(&found.environments).map(|f| f.name.clone()).collect()),
        _ => Err(Failed { usage: findings.usage, diagnostics: findings.sorted(ask.strict) }),
    }
}

/// See [`super::name`].
pub fn name(outside: &Outside, ask: &Ask) -> Option<String> {
    let found = discover(outside, ask, &mut Findings::default())?;
    Some(found.settings.name.clone().unwrap_or_else(|| folder_name(&found, outside, ask)))
}

/// See [`super::chosen`].
pub fn chosen(outside: &Outside, ask: &Ask) -> Result<String, Failed> {
    let mut findings = Findings::default();
    let found = discover(outside, ask, &mut findings);
    let chosen = found.and_then(|found| choose(ask, &found, &mut findings));
    chosen.ok_or_else(|| Failed { usage: findings.usage, diagnostics: findings.sorted(ask.strict) })
}

fn load_into(outside: &Outside, ask: &Ask, registry: &Registry, findings: &mut Findings) -> Option<Project> {
    let registry = &registry.apart();
    let mut discovered = discover(outside, ask, findings)?;
    discovered.environments.iter().for_each(|file| environment::check(file, findings));
    let name = discovered.settings.name.clone().unwrap_or_else(|| folder_name(&discovered, outside, ask));
    let chosen = choose(ask, &discovered, findings)?;
    let chain = environment::chain(&chosen, &discovered.environments, findings);
    let declared = discovered.settings.variables.as_ref();
    let beside: Vec<Option<Node>> = chain.iter().map(|file| environment::beside(file, declared, findings)).collect();
    let said = chain.iter().zip(&beside).flat_map(|(file, beside)| [file.node.get("variables"), beside.as_ref()]);
    let layers: Vec<&Node> = said.flatten().filter(|n| !n.is_null()).collect();
    let variables = variables::gather(declared, &layers, outside, ask, registry, findings);
    findings.each(|found| unrendered::offer(found, &|name| variables.contains_key(name)));
    let workspace = environment::workspace(&chain, registry, findings);
    let unread = environment::unread_variables(&chain);
    let mut bare = inner(
        &discovered,
        name.clone(),
        &chosen,
        variables.clone(),
        Collected::default(),
        Vec::new(),
        &workspace,
        (outside, ask),
        registry,
        findings,
    );
    bare.unread_variables.clone_from(&unread);
    let mut documents = std::mem::take(&mut discovered.documents);
    let sources: Vec<Arc<crate::diagnostic::Source>> = documents.iter().map(|d| Arc::clone(&d.span.source)).collect();
    let templates = discovered.templates.clone();
    settings_scope(&bare, findings, |scope, findings| {
        for source in templates {
            match templating::source(scope, source) {
                Ok(rendered) => documents.extend(rendered),
                Err(wrong) => {
                    discovered.incomplete = true;
                    findings.extend(wrong);
                }
            }
        }
    });
    if ask.config.is_none() {
        let read: Vec<_> = sources.iter().chain(&discovered.templates).cloned().collect();
        unread::check(&discovered.folder, &read, registry, findings);
    }
    let mut collected = collect(documents, registry, findings);
    let mut opened = Files::new();
    settings_scope(&bare, findings, |scope, findings| {
        let mut opener = definitions::Opener::new(scope, &ask.contents);
        overlay::apply(&chain, registry, &mut collected, &mut opener, findings);
        opened = definitions::open(&mut collected, opener, findings);
    });
    let mut presets = presets::read(&chain, findings);
    settings_scope(&bare, findings, |scope, findings| presets.settle(&|node| whole_tree(node, scope), findings));
    let touched = collected.raws.iter_mut().map(|raw| presets.apply(raw)).collect();
    let policies = discovered.settings.policies.as_ref().map(|n| policies::read(n, registry, findings)).unwrap_or_default();
    let added = std::mem::take(&mut collected.added).into_iter().collect();
    let mut inner =
        inner(&discovered, name.clone(), &chosen, variables, collected, touched, &workspace, (outside, ask), registry, findings);
    inner.unread_variables = unread;
    inner.opened = opened;

    let answers = Answers::new();
    let resolver = Resolver::new(&inner, &answers);
    let scope = In { resolver: &resolver, each: None, with_resources: false };
    let settings = environment::Chosen {
        name: &chosen,
        chain: &chain,
        workspace: &workspace,
        state: discovered.settings.state.as_ref(),
        ownership_tag: discovered.settings.ownership_tag,
    };
    let environment: Environment = environment::read(&settings, outside, registry, &|node| whole_tree(node, &scope), findings);
    let environment = Environment { added, ..environment };
    let seen = seen(&inner, &discovered, &scope);
    warn_unused(&inner, &seen, &sources, findings);
    findings.extend(std::mem::take(&mut *resolver.findings.borrow_mut()).sorted(false));
    drop(resolver);
    inner.deployer = workspace.deployer().cloned();
    let asks = seen.lookups || names::may_ask(&inner);
    let (questions, unanswered) = asks.then(|| resolve::questions(&inner)).unzip();
    let Questions { lookups, checks } = questions.unwrap_or_default();
    Some(Project {
        folder: discovered.folder.clone(),
        name,
        environments: selectable(&discovered.environments).map(|f| f.name.clone()).collect(),
        environment,
        policies,
        lookups,
        checks,
        warnings: Vec::new(),
        inner,
        unanswered,
    })
}

/// What evaluates settings and texts: variables are in scope, resources are not.
fn settings_scope(bare: &Inner, findings: &mut Findings, work: impl FnOnce(&In<'_, '_>, &mut Findings)) {
    let answers = Answers::new();
    let resolver = Resolver::new(bare, &answers);
    let scope = In { resolver: &resolver, each: None, with_resources: false };
    work(&scope, findings);
    findings.extend(resolver.findings.take().sorted(false));
}

/// What a project without a name is called: its folder. `--config ROOT/conf/spaces` names the root, from wherever it is typed.
fn folder_name(discovered: &Discovered, outside: &Outside, ask: &Ask) -> String {
    let config = ask.config.as_ref().map(|given| outside.path(&given.to_string_lossy()));
    let conf = config.as_deref().map(|config| if config.ends_with("spaces") { config.parent().unwrap_or(config) } else { config });
    let root = conf.filter(|conf| conf.ends_with("conf")).and_then(Path::parent);
    root.unwrap_or(&discovered.folder).file_name().map_or_else(|| "project".to_owned(), |n| n.to_string_lossy().into_owned())
}

fn selectable(files: &[EnvironmentFile]) -> impl Iterator<Item = &EnvironmentFile> {
    files.iter().filter(|f| !f.name.starts_with('_'))
}

/// The name of the environment to use. Without any environment file there is one, `default`, that says nothing.
fn choose(ask: &Ask, discovered: &Discovered, findings: &mut Findings) -> Option<String> {
    let files = &discovered.environments;
    let names: Vec<&str> = selectable(files).map(|f| f.name.as_str()).collect();
    let default = discovered.settings.default_environment.as_ref();
    let (name, place) = match (&ask.environment, default) {
        (Some(name), _) => (name.clone(), None),
        (None, Some((name, span))) => (name.clone(), Some(span)),
        (None, None) => match names.as_slice() {
            [only] => ((*only).to_owned(), None),
            [] if files.is_empty() => return Some("default".to_owned()),
            _ => {
                findings.usage = true;
                let found = Diagnostic::error("E0305", "no environment is chosen");
                findings.add(if names.is_empty() {
                    found.help("every environment's name begins with `_`: those are only for `extends:`")
                } else {
                    found.help(format!(
                        "choose with `--env`: there is {}; or set `default_environment` in conf/project.yaml",
                        list_of(&names)
                    ))
                });
                return None;
            }
        },
    };
    let cite = |found: Diagnostic| match place {
        Some(span) => found.at(span, "named here"),
        None => found,
    };
    if name.starts_with('_') {
        findings.usage |= place.is_none();
        findings.add(
            cite(Diagnostic::error("E0306", format!("environment `{name}` cannot be chosen: its name begins with `_`")))
                .help("such environments are only for `extends:`"),
        );
        return None;
    }
    if names.contains(&name.as_str()) {
        return Some(name);
    }
    findings.usage |= place.is_none();
    let found = cite(Diagnostic::error("E0304", format!("there is no environment `{name}`")));
    findings.add(if names.is_empty() {
        found.help(format!("write `environments/{name}.yaml`"))
    } else {
        match place {
            Some(span) => meant(found, &name, names.iter().copied(), span),
            None => match crate::diagnostic::suggest::nearest(&name, names.iter().copied()) {
                Some(near) => found.help(format!("did you mean `{near}`?")),
                None => found.help(format!("there is {}", list_of(&names))),
            },
        }
    });
    None
}

#[expect(clippy::too_many_arguments, reason = "one place where everything that was read comes together")]
fn inner(
    discovered: &Discovered,
    name: String,
    environment: &str,
    variables: IndexMap<String, Defined>,
    collected: Collected,
    touched: Vec<Vec<FromPreset>>,
    workspace: &RawWorkspace<'_>,
    (outside, ask): (&Outside, &Ask),
    registry: &Registry,
    findings: &mut Findings,
) -> Inner {
    let deleted: std::collections::HashSet<Address> = collected.deleted.iter().map(|(address, _)| address.clone()).collect();
    let gone = |raw: &super::collect::Raw| deleted.contains(&Address::new(raw.kind.name, &raw.key));
    let prepared: Vec<Prepared> = collected
        .raws
        .into_iter()
        .zip(touched)
        .filter(|(raw, _)| deleted.is_empty() || !gone(raw))
        .map(|(raw, touched)| Prepared { presets: touched, ..prepare(raw, registry, findings) })
        .collect();
    let mut index: HashMap<&'static str, HashMap<String, usize>> = HashMap::new();
    for (at, one) in prepared.iter().enumerate() {
        index.entry(one.kind.name).or_default().insert(one.key.clone(), at);
    }
    Inner {
        registry: registry.clone(),
        kind_names: registry.iter().flat_map(|k| k.aliases.iter().copied().chain([k.name]).map(|n| (n, k.name))).collect(),
        folder: discovered.folder.clone(),
        name,
        environment: environment.to_owned(),
        host: workspace.host().cloned(),
        deployer: None,
        local: workspace.is_local(),
        variables,
        secrets: discovered.settings.secrets.clone(),
        prepared,
        index,
        deleted: collected.deleted,
        imports: collected.imports,
        moves: collected.moves,
        forgets: collected.forgets,
        outputs: discovered.settings.outputs.clone(),
        strict: ask.strict,
        contents: ask.contents.clone(),
        incomplete: discovered.incomplete,
        environment_place: discovered.environments.iter().find(|f| f.name == environment).map(environment::place_of_variables),
        unread_variables: BTreeSet::new(),
        environment_files: discovered.environments.iter().map(|f| f.node.span.source.name.clone()).collect(),
        forge: collected.forge.into_iter().chain(forged_environments(discovered)).collect(),
        process: Arc::clone(&outside.variables),
        outside: outside.clone(),
        opened: Files::new(),
        literal: collected.literal,
    }
}

/// The names of the environments' files that are in Genie-Forge's form.
fn forged_environments(discovered: &Discovered) -> impl Iterator<Item = String> {
    discovered.environments.iter().filter(|file| environment::is_forged(file)).map(|file| file.node.span.source.name.clone())
}

/// Looks at every expression of the project, those of other environments too.
fn seen(inner: &Inner, discovered: &Discovered, scope: &In<'_, '_>) -> Seen {
    let mut seen = Seen::default();
    for prepared in &inner.prepared {
        seen.look(&prepared.body, scope);
        let meta = [&prepared.lifecycle, &prepared.when, &prepared.for_each];
        meta.into_iter().flatten().for_each(|node| seen.look(node, scope));
        prepared.facets.iter().for_each(|(_, _, node)| seen.look(node, scope));
    }
    discovered.environments.iter().for_each(|file| seen.look(&file.node, scope));
    discovered.settings.state.iter().chain(&inner.outputs).chain(&inner.imports).for_each(|node| seen.look(node, scope));
    discovered.templates.iter().for_each(|source| seen.text(&source.text));
    for path in std::mem::take(&mut seen.templates) {
        seen.text(&super::files::text_of(&inner.folder, &path).unwrap_or_default());
    }
    for defined in inner.variables.values() {
        if let Some(variables::Given::Node(node)) = &defined.given {
            seen.look(node, scope);
        }
    }
    seen
}

/// `sources`: what resources are read from. What an overlay of this environment takes away is used in others.
fn warn_unused(inner: &Inner, seen: &Seen, sources: &[Arc<crate::diagnostic::Source>], findings: &mut Findings) {
    let written = |name: &str| {
        let words =
            |part: &str| part.split('}').next().unwrap_or_default().split(|c: char| c != '_' && !c.is_alphanumeric()).any(|w| w == name);
        sources.iter().any(|source| source.text.split("${").skip(1).any(words))
    };
    // What a broken file uses is not known.
    if findings.any_unreadable() {
        return;
    }
    for (name, defined) in &inner.variables {
        if let Some(declaration) = &defined.declaration
            && !seen.variables.contains(name)
            && !written(name)
            && !findings.any_error_in_file_of(&declaration.span)
        {
            let mut unused = Diagnostic::warning("W0226", format!("variable `{name}` is declared and nothing uses it"))
                .at(&declaration.span, "")
                .help(format!("use it as `${{{name}}}`, or take it away"));
            if let (true, Some(default)) = (declaration.sensitive, &declaration.default) {
                unused = unused.conceal(&default.span);
            }
            findings.add(unused);
        }
    }
}
