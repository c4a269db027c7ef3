//! A plan in a file: an envelope (format, created, expires, digest, verdicts) around canonical bytes.
//!
//! The canonical bytes hold no time and nothing about the caller: two runs over the same inputs give the same ones. They
//! hold what is sent (bodies, requests; secrets by reference only) and what the plan is bound to. What a step of a plan
//! in a file does is never taken from the file: `apply` plans anew, over what the file's plan touches, and sends its own
//! plan only where [`moved`] finds no difference. So a file can withhold consent, and cannot make anything be sent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Action, Block, COMMIT_GUARDS, Options, Pinning, Plan, Provenance};
use crate::kinds::{Kind, Registry};
use crate::model::{Address, Fingerprint, Known, Value};
use crate::project::{Answer, Answers, Desired, Environment, Resource};

mod encode;
mod hide;
mod moved;
mod read;
mod write;

pub use moved::{moved, unsettled};
pub use read::{Fault, read};
pub use write::{canonical, write};

/// What the first member of a file says.
pub const FORMAT: &str = "brickform.saved-plan/1";

/// Guards whose answer depends on who plans and where: a verdict beside the canonical bytes.
fn is_verdict(block: &Block) -> bool {
    ["dirty_tree", "self_lockout"].contains(&block.guard) || COMMIT_GUARDS.contains(&block.guard)
}

/// A plan with what it is bound to: the canonical part of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// The plan, as it can be shown: steps without their state entries and live bodies.
    pub plan: Plan,
    /// Which Brickform made it.
    pub program: String,
    /// The options that it was made with.
    pub choices: Options,
    /// Variables that were given by hand (command line, process environment, `--var-file`), as text.
    pub given: BTreeMap<String, String>,
    /// What it is bound to.
    pub bound: Bound,
}

/// What a plan is bound to besides the state's lineage and serial and the live fields that its steps compare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bound {
    /// The resolved configuration, an address at a time.
    pub configuration: BTreeMap<Address, Fingerprint>,
    /// Facts of the environment, by name.
    pub environment: BTreeMap<String, String>,
    /// Files that the configuration reads with `file()`.
    pub files: BTreeMap<String, Fingerprint>,
    /// Lookups, as `lookup("warehouses", "Shared BI")`, with the id that the workspace answered.
    pub lookups: BTreeMap<String, String>,
    /// Secrets by the text that names them; with the keyed fingerprint where the environment has a state key.
    pub secrets: BTreeMap<String, Option<String>>,
    /// What this Brickform knows of the kinds that the plan touches.
    pub kinds: BTreeMap<String, Fingerprint>,
}

/// A file.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// When it was planned.
    pub created: Timestamp,
    /// From when on it is refused.
    pub expires: Timestamp,
    /// The commit that was planned, if the project is in a repository.
    pub commit: Option<String>,
    /// What stood in the way for this caller.
    pub verdicts: Vec<Block>,
    /// The canonical part.
    pub saved: Saved,
}

/// What a plan was made from.
pub struct Sources<'a> {
    /// The options.
    pub choices: &'a Options,
    /// Variables given by hand.
    pub given: BTreeMap<String, String>,
    /// The environment.
    pub environment: &'a Environment,
    /// Desired.
    pub desired: &'a Desired,
    /// What lookups gave.
    pub answers: &'a Answers,
    /// The recorded form of secrets, by source text.
    pub secrets: &'a BTreeMap<String, Value>,
    /// Kinds.
    pub registry: &'a Registry,
    /// Secrets that are hidden wherever else they stand.
    pub known: &'a Known,
}

/// Ties a plan to what it was made from.
#[must_use]
pub fn bind(plan: &Plan, sources: Sources<'_>) -> Saved {
    let Sources { choices, given, environment, desired, answers, secrets, registry, known } = sources;
    let touched: BTreeSet<&str> = touched(plan).into_iter().filter_map(|a| kind_of(plan, a)).collect();
    let kinds = touched.into_iter().filter_map(|name| Some((name.to_owned(), of_kind(registry.first(registry.get(name)?))))).collect();
    Saved {
        plan: hide::without(known, displayed(plan)),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        choices: Options { provenance: Provenance::default(), only: None, ..choices.clone() },
        given,
        bound: Bound {
            configuration: desired.resources.iter().map(|(address, resource)| (address.clone(), of_resource(resource))).collect(),
            environment: of_environment(environment, plan),
            files: desired.files.clone(),
            lookups: answers.iter().filter_map(|(asked, answer)| found(asked, answer)).collect(),
            secrets: secrets.iter().map(|(source, form)| (source.clone(), keyed(form))).collect(),
            kinds,
        },
    }
}

fn kind_of<'a>(plan: &'a Plan, address: &Address) -> Option<&'a str> {
    plan.steps.iter().find(|s| s.address == *address).map(|s| s.kind.as_str())
}

/// The addresses to which something happens.
#[must_use]
pub fn touched(plan: &Plan) -> BTreeSet<&Address> {
    plan.steps.iter().filter(|s| s.action != Action::None || !s.blocks.is_empty()).map(|s| &s.address).collect()
}

/// The plan without what only the moment knows.
fn displayed(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.requests = 0;
    plan.pinning = Pinning::Stays;
    plan.blocks.retain(|b| !is_verdict(b));
    plan.warnings.retain(|b| !is_verdict(b));
    for step in &mut plan.steps {
        (step.entry, step.live) = (None, None);
        step.blocks.retain(|b| !is_verdict(b));
        if step.action == Action::None {
            step.desired = None;
        }
        // Their values are nobody's business; how many there are is part of what a plan says.
        step.unmanaged.iter_mut().for_each(|(_, value)| *value = Value::Null);
    }
    plan
}

/// What stands in the way for this caller.
#[must_use]
pub fn verdicts(plan: &Plan) -> Vec<Block> {
    let all = plan.blocks.iter().chain(plan.steps.iter().flat_map(|s| &s.blocks)).chain(&plan.warnings);
    all.filter(|b| is_verdict(b)).cloned().collect()
}

fn of_resource(resource: &Resource) -> Fingerprint {
    let Resource { address: _, kind, body, node: _, span: _, lifecycle, depends_on, natural: _, presets: _ } = resource;
    let needs: Vec<String> = depends_on.iter().map(ToString::to_string).collect();
    Fingerprint::of(format!("{} {} {lifecycle:?} {needs:?}", kind.name, encode::text(body)).as_bytes())
}

fn of_environment(environment: &Environment, plan: &Plan) -> BTreeMap<String, String> {
    // Guards are not among them: they are asked again, as they are then.
    let Environment { name, workspace: _, deployer, state: _, guards: _, ownership_tag, span: _, .. } = environment;
    BTreeMap::from([
        ("name".to_owned(), name.clone()),
        ("project".to_owned(), plan.project.clone()),
        ("workspace".to_owned(), format!("{} ({})", plan.workspace.host, plan.workspace.id)),
        ("state".to_owned(), plan.state_place.clone()),
        ("deployer".to_owned(), deployer.clone().unwrap_or_default()),
        ("ownership_tag".to_owned(), ownership_tag.to_string()),
    ])
}

fn found(asked: &crate::model::Lookup, answer: &Answer) -> Option<(String, String)> {
    let Answer::Found(object) = answer else { return None };
    Some((format!("lookup(\"{}\", \"{}\")", asked.kind, asked.name), object.get("id")?.key_text()))
}

fn keyed(form: &Value) -> Option<String> {
    form.get("fingerprint").and_then(Value::as_str).map(str::to_owned)
}

/// What is declared of a kind: another declaration may send something else.
fn of_kind(kind: &Kind) -> Fingerprint {
    let Kind { name, create, read, update, delete, identity, natural, lifetime, fields, facts, loss, tag, encode, .. } = kind;
    // A function has no text that stays the same from run to run.
    let facts: Vec<String> = facts
        .iter()
        .map(|(at, fact)| if matches!(fact, crate::kinds::Fact::Same(_)) { format!("{at} Same") } else { format!("{at} {fact:?}") })
        .collect();
    let update = match update {
        crate::kinds::Update::Never => "never".to_owned(),
        crate::kinds::Update::Whole(request) => format!("whole {request:?}"),
        crate::kinds::Update::Patch(request) => format!("patch {request:?}"),
        crate::kinds::Update::Mask(request, mask) => format!("mask {request:?} {mask}"),
        crate::kinds::Update::Routed(routes) => {
            let routes: Vec<_> = routes.iter().map(|r| (r.fields, r.request)).collect();
            format!("routed {routes:?}")
        }
        crate::kinds::Update::Custom(_) => "custom".to_owned(),
    };
    let text = format!(
        "{name} {create:?} {read:?} {update} {delete:?} {identity:?} {natural:?} {lifetime:?} {fields:?} {facts:?} {loss:?} {tag:?} {encode:?}"
    );
    Fingerprint::of(text.as_bytes())
}
