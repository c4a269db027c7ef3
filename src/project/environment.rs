//! Environment files: `extends`, and the settings of the chosen one.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::findings::{Findings, Reported, boolean, count, known_keys, map, meant, no_choice, text, texts, wrong_sort};
use super::variables::Declaration;
use super::{Environment, Guards, StateSettings, Workspace};
use crate::diagnostic::{Diagnostic, Span, suggest};
use crate::kinds::{Api, Registry};
use crate::model::{Outside, StateKey, Value};
use crate::yaml::{Data, Entry, Node};

/// One environment file.
#[derive(Debug)]
pub struct EnvironmentFile {
    /// The environment's name: the file's name without its ending.
    pub name: String,
    /// Its document.
    pub node: Node,
}

const KEYS: &[&str] = &["extends", "description", "workspace", "variables", "state", "guards", "presets", "resources"];

/// Keys of Genie-Forge's environments: `workspace_url` is `workspace.host`, `auth.profile` is `workspace.profile`, and the
/// first two are variables too.
const FORGE: &[&str] = &["workspace_url", "warehouse_id", "auth", "naming", "settings"];
/// Those that its own program does not read either.
const UNREAD: &[&str] = &["naming", "settings"];

/// Attributes of the SDKs' unified authentication that an environment may set. Credentials themselves are not among
/// them: they come from a profile or the process environment.
const ATTRIBUTES: &[&str] = &[
    "profile",
    "host",
    "deployer",
    "account_id",
    "workspace_id",
    "auth_type",
    "config_file",
    "client_id",
    "token_audience",
    "oidc_token_env",
    "oidc_token_filepath",
    "azure_workspace_resource_id",
    "azure_client_id",
    "azure_tenant_id",
    "azure_environment",
    "azure_login_app_id",
    "azure_use_msi",
    "google_service_account",
    "cluster_id",
    "warehouse_id",
    "metadata_service_url",
    "discovery_url",
    "databricks_cli_path",
    "http_timeout_seconds",
    "retry_timeout_seconds",
    "rate_limit",
    "debug_headers",
    "debug_truncate_bytes",
    "skip_verify",
    "username",
];

/// Whether it is the embedded workspace, among its settings.
const LOCAL: &str = "local";

/// Attributes that are credentials.
const CREDENTIALS: &[&str] = &["token", "password", "client_secret", "azure_client_secret", "google_credentials", "bearer_token"];

/// Refuses what no environment file holds; every file is read, not only the chosen one.
pub fn check(file: &EnvironmentFile, findings: &mut Findings) {
    let what = format!("environment `{}`", file.name);
    if map(&file.node, &what, findings).is_some() {
        let known: Vec<&str> = KEYS.iter().chain(FORGE).copied().collect();
        known_keys(&file.node, &known, &what, "E0309", findings);
        if let Some(entry) = file.node.entries().iter().find(|e| UNREAD.contains(&e.key.as_str())) {
            findings.add(
                Diagnostic::warning("W0317", format!("`{}` of an environment is not used, as Genie-Forge does not use it", entry.key))
                    .at(&entry.key_span, "")
                    .help("`presets: { name_prefix: .. }` puts a prefix before names; `guards:` says what an apply may do"),
            );
        }
    }
}

/// What an environment of Genie-Forge gives as variables beside its `variables:`, stronger than those. Where
/// `conf/project.yaml` declares variables, only those.
pub fn beside(file: &EnvironmentFile, declared: Option<&IndexMap<String, Declaration>>, findings: &mut Findings) -> Option<Node> {
    let named = |e: &&Entry| matches!(e.key.as_str(), "workspace_url" | "warehouse_id") && e.value.text().is_some();
    let (taken, left): (Vec<Entry>, Vec<Entry>) =
        file.node.entries().iter().filter(named).cloned().partition(|e| declared.is_none_or(|declared| declared.contains_key(&e.key)));
    for entry in left.iter().filter(|e| e.key == "warehouse_id") {
        findings.add(
            Diagnostic::warning("W0317", "`warehouse_id` at the top of an environment is not used".to_owned())
                .at(&entry.key_span, "it would be a variable, and conf/project.yaml declares none of this name")
                .help("declare it there: `variables: { warehouse_id: {} }`"),
        );
    }
    (!taken.is_empty()).then(|| Node { span: file.node.span.clone(), data: Data::Map(taken) })
}

/// The environments of a file in Genie-Forge's `conf/variables`: one of the file's name, or, where each entry is a map of
/// variables, one of each entry's name.
pub fn several(name: &str, node: Node) -> Vec<(String, Node)> {
    let is_map = |entry: &Entry| matches!(entry.value.data, Data::Map(_));
    let known = |entry: &Entry| KEYS.iter().chain(FORGE).any(|key| *key == entry.key);
    match node.data {
        Data::Map(entries) if !entries.is_empty() && entries.iter().all(is_map) && !entries.iter().any(known) => entries
            .into_iter()
            .map(|entry| {
                let span = entry.value.span.clone();
                let variables = Entry { key: "variables".to_owned(), ..entry.clone() };
                (entry.key, Node { span, data: Data::Map(vec![variables]) })
            })
            .collect(),
        Data::Map(entries) if entries.iter().any(known) => vec![(name.to_owned(), Node { data: Data::Map(entries), ..node })],
        Data::Map(entries) if !entries.is_empty() && !entries.iter().any(is_map) => {
            let key_span = Span::new(&node.span.source, 0, 0);
            let variables =
                Entry { key: "variables".to_owned(), key_span, value: Node { span: node.span.clone(), data: Data::Map(entries) } };
            vec![(name.to_owned(), Node { span: node.span, data: Data::Map(vec![variables]) })]
        }
        _ => Vec::new(),
    }
}

/// Names below a section that is a slip for `variables` (`variable:`): that they have no value follows from the slip.
pub fn unread_variables(chain: &[&EnvironmentFile]) -> BTreeSet<String> {
    let known = || KEYS.iter().chain(FORGE).copied();
    let sections = chain.iter().flat_map(|file| file.node.entries());
    let slips = sections.filter(|e| known().all(|key| key != e.key) && suggest::nearest(&e.key, known()) == Some("variables"));
    slips.flat_map(|e| e.value.entries()).map(|e| e.key.clone()).collect()
}

/// Where the file of an environment gives its variables, or would: its `variables:`, else its first line.
pub fn place_of_variables(file: &EnvironmentFile) -> Span {
    let entries = file.node.entries();
    let section = file.node.entry("variables").or(entries.first());
    section.map_or_else(|| Span::new(&file.node.span.source, 0, 0), |e| e.key_span.clone())
}

/// The chain of an environment, the furthest ancestor first.
pub fn chain<'a>(name: &str, files: &'a [EnvironmentFile], findings: &mut Findings) -> Vec<&'a EnvironmentFile> {
    let mut done = Vec::new();
    if let Some(file) = files.iter().find(|f| f.name == name) {
        follow(file, files, &mut Vec::new(), &mut done, findings);
    }
    done
}

fn follow<'a>(
    file: &'a EnvironmentFile,
    files: &'a [EnvironmentFile],
    open: &mut Vec<(&'a str, Span)>,
    done: &mut Vec<&'a EnvironmentFile>,
    findings: &mut Findings,
) {
    if done.iter().any(|d| d.name == file.name) {
        return;
    }
    let parents = file.node.get("extends").filter(|n| !n.is_null()).map(|n| texts(n, "`extends`", findings)).unwrap_or_default();
    for (parent, span) in parents {
        open.push((&file.name, span.clone()));
        if let Some(begin) = open.iter().position(|(name, _)| *name == parent) {
            let names: Vec<&str> = open[begin..].iter().map(|(n, _)| *n).chain([parent.as_str()]).collect();
            let message = format!("environments extend one another in a circle: {}", names.join(" → "));
            let cycle = open[begin..]
                .iter()
                .rev()
                .fold(Diagnostic::error("E0307", message), |d, (name, place)| d.at(place, format!("`{name}` extends this")));
            findings.add(cycle);
        } else if let Some(next) = files.iter().find(|f| f.name == parent) {
            follow(next, files, open, done, findings);
        } else {
            let found =
                Diagnostic::error("E0308", format!("environment `{}` extends `{parent}`, which does not exist", file.name)).at(&span, "");
            findings.add(meant(found, &parent, files.iter().map(|f| f.name.as_str()).filter(|n| *n != file.name), &span));
        }
        open.pop();
    }
    done.push(file);
}

/// What evaluates a scalar of the settings: variables are in scope, resources are not.
pub type Evaluate<'a> = dyn Fn(&Node) -> Result<Value, Reported> + 'a;

/// The members of a section over the whole chain, later ones over earlier ones.
fn merged<'a>(
    chain: &[&'a EnvironmentFile],
    base: Option<&'a Node>,
    section: &str,
    findings: &mut Findings,
) -> BTreeMap<&'a str, &'a Node> {
    let mut members = BTreeMap::new();
    let nodes = base.into_iter().chain(chain.iter().filter_map(|f| f.node.get(section)));
    for node in nodes {
        if let Some(node) = map(node, &format!("`{section}`"), findings) {
            members.extend(node.entries().iter().map(|e| (e.key.as_str(), &e.value)));
        }
    }
    members
}

/// Which workspace, and the deployer, before expressions are evaluated.
#[derive(Debug, Default)]
pub struct RawWorkspace<'a> {
    local: bool,
    attributes: BTreeMap<&'a str, &'a Node>,
    /// By which API kinds are asked that have two.
    apis: BTreeMap<&'static str, &'a Node>,
}

impl RawWorkspace<'_> {
    /// The node of `host`, for `env.host`.
    pub fn host(&self) -> Option<&Node> {
        self.attributes.get("host").copied()
    }

    /// The node of `deployer`.
    pub fn deployer(&self) -> Option<&Node> {
        self.attributes.get("deployer").copied()
    }

    /// Whether it is the embedded one.
    pub fn is_local(&self) -> bool {
        self.local
    }
}

/// Reads `workspace:` of the chain: `local`, or attributes; those of a later file win one by one. `local: true` among them is
/// the embedded one with settings.
pub fn workspace<'a>(chain: &[&'a EnvironmentFile], registry: &Registry, findings: &mut Findings) -> RawWorkspace<'a> {
    let settings: Vec<&'static str> = registry.iter().filter_map(|kind| Some(registry.first(kind).otherwise?.setting)).collect();
    let mut raw = RawWorkspace::default();
    for file in chain {
        for (key, node) in forge(file) {
            raw.attributes.insert(key, node);
        }
        let Some(node) = file.node.get("workspace").filter(|n| !n.is_null()) else { continue };
        match &node.data {
            Data::Scalar(scalar) if scalar.text == "local" => raw = RawWorkspace { local: true, ..RawWorkspace::default() },
            Data::Map(entries) => {
                let only_apis = entries.iter().all(|entry| settings.contains(&entry.key.as_str()));
                raw.local &= only_apis;
                for entry in entries {
                    if let Some(setting) = settings.iter().find(|setting| **setting == entry.key) {
                        raw.apis.insert(setting, &entry.value);
                    } else if entry.key == LOCAL {
                        raw.local = boolean(&entry.value, "`workspace.local`", findings).unwrap_or_default();
                    } else if CREDENTIALS.contains(&entry.key.as_str()) {
                        findings.add(
                            Diagnostic::error(
                                "E0311",
                                format!("`workspace.{}` is a credential, which does not belong in a file of the project", entry.key),
                            )
                            .at(&entry.key_span, "")
                            .conceal(&entry.value.span)
                            .help("name a `profile:` of ~/.databrickscfg, or set the credential in the process environment"),
                        );
                    } else if !ATTRIBUTES.contains(&entry.key.as_str()) {
                        let found =
                            Diagnostic::error("E0309", format!("unknown key `{}` in `workspace`", entry.key)).at(&entry.key_span, "");
                        let known = ATTRIBUTES.iter().copied().chain(settings.iter().copied()).chain([LOCAL]);
                        findings.add(meant(found, &entry.key, known, &entry.key_span));
                    } else {
                        raw.attributes.insert(&entry.key, &entry.value);
                    }
                }
            }
            _ => findings.add(no_workspace(node)),
        }
    }
    raw
}

/// A workspace that is neither `local` nor a map.
fn no_workspace(node: &Node) -> Diagnostic {
    let Some(given) = node.text() else { return wrong_sort(node, "`workspace`", "`local` or a map (`host`, `profile`, ..)") };
    let found = Diagnostic::error("E0303", format!("`workspace` is `{given}`, and must be `local` or a map (`host`, `profile`, ..)"));
    let found = found.at(&node.span, "");
    if suggest::nearest(given, ["local"]).is_some() {
        return meant(found, given, ["local"], &node.span);
    }
    let inside = if given.starts_with("https://") { format!("host: \"{given}\"") } else { format!("profile: {given}") };
    found.help(format!("write `workspace: {{ {inside} }}`"))
}

/// Whether a file says something that only Genie-Forge's environments say.
pub fn is_forged(file: &EnvironmentFile) -> bool {
    FORGE.iter().any(|key| file.node.get(key).is_some())
}

/// What an environment of Genie-Forge says about its workspace.
fn forge(file: &EnvironmentFile) -> impl Iterator<Item = (&'static str, &Node)> {
    let host = file.node.get("workspace_url").map(|node| ("host", node));
    let profile = file.node.get("auth").and_then(|auth| auth.get("profile")).map(|node| ("profile", node));
    host.into_iter().chain(profile).filter(|(_, node)| !node.is_null())
}

/// The chosen environment, its expressions evaluated.
pub struct Chosen<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its chain.
    pub chain: &'a [&'a EnvironmentFile],
    /// Its workspace.
    pub workspace: &'a RawWorkspace<'a>,
    /// `state` of `conf/project.yaml`.
    pub state: Option<&'a Node>,
    /// `defaults.ownership_tag` of `conf/project.yaml`.
    pub ownership_tag: Option<bool>,
}

/// The typed settings of the chosen environment.
pub fn read(chosen: &Chosen<'_>, outside: &Outside, registry: &Registry, evaluate: &Evaluate<'_>, findings: &mut Findings) -> Environment {
    let mut attributes = BTreeMap::new();
    let mut deployer = None;
    for (name, node) in &chosen.workspace.attributes {
        // A principal of this project is evaluated with the resources.
        if *name == "deployer" && super::names::refers(node) {
            continue;
        }
        let Some(value) = evaluated(node, &format!("`workspace.{name}`"), evaluate, findings) else { continue };
        if *name == "deployer" {
            deployer = Some(value);
        } else {
            attributes.insert((*name).to_owned(), (value, Some(node.span.clone())));
        }
    }
    apis(&chosen.workspace.apis, registry, evaluate, findings);
    let workspace = if chosen.workspace.local { Workspace::Local } else { Workspace::Remote(attributes) };
    Environment {
        name: chosen.name.to_owned(),
        workspace,
        deployer,
        state: state(chosen, outside, evaluate, findings),
        guards: guards(chosen.chain, registry, findings),
        ownership_tag: chosen.ownership_tag.unwrap_or(true),
        span: chosen.chain.last().map(|f| Span::new(&f.node.span.source, 0, 0)),
        // Known once resources are collected.
        added: BTreeMap::new(),
    }
}

/// Chooses the APIs that are named.
fn apis(given: &BTreeMap<&'static str, &Node>, registry: &Registry, evaluate: &Evaluate<'_>, findings: &mut Findings) {
    for kind in registry.iter().map(|kind| registry.first(kind)) {
        let Some((otherwise, node)) = kind.otherwise.and_then(|otherwise| Some((otherwise, given.get(otherwise.setting)?))) else {
            continue;
        };
        let what = format!("`workspace.{}`", otherwise.setting);
        let [first, other] = otherwise.words;
        match evaluated(node, &what, evaluate, findings) {
            Some(word) if word == first => registry.choose(kind, Api::First),
            Some(word) if word == other => registry.choose(kind, Api::Other),
            Some(word) if word == "auto" => registry.leave_open(kind),
            Some(_) => findings.add(no_choice(node, &what, [first, other, "auto"], "E0303")),
            None => {}
        }
    }
}

/// A setting as text, its expressions evaluated.
fn evaluated(node: &Node, what: &str, evaluate: &Evaluate<'_>, findings: &mut Findings) -> Option<String> {
    match evaluate(node).ok()? {
        Value::Text(text) => Some(text),
        Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => node.text().map(str::to_owned),
        Value::Unknown(_) | Value::Secret(_) => {
            findings.add(
                Diagnostic::error("E0311", format!("{what} must be known before a workspace is asked"))
                    .at(&node.span, "this waits for the workspace or for a secret"),
            );
            None
        }
        Value::Null => None,
        Value::List(_) | Value::Map(_) => {
            findings.add(wrong_sort(node, what, "text"));
            None
        }
    }
}

fn state(chosen: &Chosen<'_>, outside: &Outside, evaluate: &Evaluate<'_>, findings: &mut Findings) -> StateSettings {
    let members = merged(chosen.chain, chosen.state, "state", findings);
    let mut settings = StateSettings::default();
    for (name, node) in members {
        match name {
            "backend" => settings.backend = evaluated(node, "`state.backend`", evaluate, findings),
            "key" => settings.key = state_key(node, outside, findings),
            "encrypt" => settings.encrypt = boolean(node, "`state.encrypt`", findings).unwrap_or_default(),
            "lease_seconds" => settings.lease_seconds = whole(node, "`state.lease_seconds`", 5..=3600, findings),
            "versions" => settings.versions = whole(node, "`state.versions`", 2..=1000, findings),
            _ => {
                let found = Diagnostic::error("E0309", format!("unknown key `{name}` in `state`")).at(&node.span, "");
                findings.add(meant(found, name, ["backend", "key", "encrypt", "lease_seconds", "versions"], &node.span));
            }
        }
    }
    settings
}

/// A count within bounds.
fn whole(node: &Node, what: &str, bounds: std::ops::RangeInclusive<u64>, findings: &mut Findings) -> Option<u64> {
    let count = count(node, what, findings)?;
    if !bounds.contains(&count) {
        let (least, most) = bounds.into_inner();
        findings.add(Diagnostic::error("E0303", format!("{what} is {count}: it has to be from {least} to {most}")).at(&node.span, ""));
        return None;
    }
    Some(count)
}

fn state_key(node: &Node, outside: &Outside, findings: &mut Findings) -> Option<StateKey> {
    let variable = match node.entries() {
        [one] if one.key == "env" => text(&one.value, "`state.key.env`", findings)?,
        _ => {
            findings.add(wrong_sort(node, "`state.key`", "`{env: NAME}`").help("the key itself never stands in a file of the project"));
            return None;
        }
    };
    if let Some(key) = outside.variable(&variable) {
        return Some(StateKey::new(key.as_bytes()));
    }
    findings.add(
        Diagnostic::warning("W0313", format!("the state key is not there: the environment variable {variable} is not set"))
            .at(&node.span, "named here")
            .help("without it a changed secret cannot be seen"),
    );
    None
}

fn guards(chain: &[&EnvironmentFile], registry: &Registry, findings: &mut Findings) -> Guards {
    let mut guards = Guards::default();
    for (name, node) in merged(chain, None, "guards", findings) {
        match name {
            "max_deletes" => guards.max_deletes = count(node, "`guards.max_deletes`", findings),
            "max_change_percent" => {
                guards.max_change_percent = count(node, "`guards.max_change_percent`", findings);
                if guards.max_change_percent.is_some_and(|n| n > 100) {
                    findings.add(Diagnostic::error("E0303", "`guards.max_change_percent` is above 100").at(&node.span, ""));
                }
            }
            "protect" => guards.protect = protected(node, registry, findings),
            "on_conflict" => match node.text() {
                Some("block") => guards.block_conflicts = true,
                Some("overwrite") => guards.block_conflicts = false,
                _ => findings.add(no_choice(node, "`guards.on_conflict`", ["block", "overwrite"], "E0303")),
            },
            "require_clean_git" => {
                guards.require_clean_git = boolean(node, "`guards.require_clean_git`", findings).unwrap_or_default();
            }
            "preflight" => guards.preflight = boolean(node, "`guards.preflight`", findings).unwrap_or_default(),
            "ancestry" => guards.ancestry = boolean(node, "`guards.ancestry`", findings),
            _ => {
                let known = ["max_deletes", "max_change_percent", "protect", "on_conflict", "require_clean_git", "ancestry", "preflight"];
                let found = Diagnostic::error("E0309", format!("unknown key `{name}` in `guards`")).at(&node.span, "");
                findings.add(meant(found, name, known, &node.span));
            }
        }
    }
    guards
}

/// Kinds by their own names; a kind that does not exist protects nothing and is an error.
fn protected(node: &Node, registry: &Registry, findings: &mut Findings) -> Vec<String> {
    let mut kinds = Vec::new();
    for (name, span) in texts(node, "`guards.protect`", findings) {
        if let Some(kind) = registry.get(&name) {
            kinds.push(kind.name.to_owned());
        } else {
            let found = Diagnostic::error("E0303", format!("`guards.protect` names `{name}`, which is no kind")).at(&span, "");
            findings.add(meant(found, &name, registry.iter().map(|k| k.name), &span));
        }
    }
    kinds
}
