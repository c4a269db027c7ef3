//! From desired, applied and live to steps: pure data that text, JSON, guards and apply each read for themselves.
//!
//! Owns actions, their order, blocks and guards. The same inputs give the same bytes. Sends nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::Me;
use crate::diagnostic::Span;
use crate::diff::{FieldChange, Uncompared, Untold};
use crate::kinds::{Call, Registry};
use crate::model::{Address, Known, Path, Pattern, Value};
use crate::project::{Desired, Environment, Policy};
use crate::refresh::{Preflight, Snapshot};
use crate::state::{Document, Pin, WorkspaceIdentity};

pub mod acts;
pub mod between;
mod beyond;
mod body;
mod change;
mod counts;
mod follow;
mod former;
mod goes;
mod guards;
mod inside;
mod known;
mod leftover;
mod lockout;
mod lost;
mod make;
mod moves;
mod narrow;
mod order;
mod orphans;
mod own_state;
mod policies;
mod preflight;
mod provenance;
mod remove;
pub mod saved;
mod scope;
mod step;
mod still_used;
mod tag;
#[cfg(test)]
mod tests;
mod typed;

pub use body::link;
pub use known::recorded;
pub use leftover::unopened;
pub use lost::{Unread, unread};
pub use provenance::{COMMIT_GUARDS, Hold, Provenance, Standing, Undecidable, is_commit, short};
pub use scope::Scope;
pub use step::{DELETED, NOT_MADE_AGAIN, NOT_THERE};
pub use tag::owner_of;
pub use typed::typed;

/// What happens to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing: counted.
    None,
    /// `+`
    Create,
    /// `~`
    Update,
    /// `-/+` delete, then create.
    Replace,
    /// `+/-` create, then delete.
    ReplaceNewFirst,
    /// `-`
    Delete,
    /// `<` take into the state, change nothing.
    Adopt,
    /// `>` another address, nothing is sent.
    Move,
    /// `x` drop from the state, leave alone.
    Forget,
}

/// How the two halves of a replacement stand to each other: that the old object is deleted, and that the new one is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Halves {
    /// One follows the other at once.
    #[default]
    Together,
    /// Each waits for its own: what is around the old object is deleted in between, or what is in it leaves it.
    Apart,
}

/// Why a step cannot be.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// A stable word: `exists`, `prevent_destroy`, `protected_kind`, `data_loss`, `cannot_unset`, `unreadable`,
    /// `max_deletes`, `max_change_percent`, `dirty_tree`, `workspace`, `conflict`, `refused`, `self_lockout`, `policy`, `older_commit`,
    /// `diverged_commit`, `unknown_ancestry`, `pinned`, `preflight`; of warnings also `state` and `left_out`; see [`GUARDS`].
    pub guard: &'static str,
    /// What is the matter, one sentence.
    pub reason: String,
    /// What lifts it: a flag or lines of YAML, ready to paste.
    pub remedy: Vec<String>,
    /// Where in the files it is; none: at the step's. A plan in a file does not hold it.
    pub place: Option<Span>,
}

/// Every word that [`Block::guard`] can be.
pub const GUARDS: &[&str] = &[
    "exists",
    "prevent_destroy",
    "protected_kind",
    "data_loss",
    "cannot_unset",
    "unreadable",
    "max_deletes",
    "max_change_percent",
    "dirty_tree",
    "workspace",
    "conflict",
    "refused",
    "self_lockout",
    "overlay",
    "policy",
    "older_commit",
    "diverged_commit",
    "unknown_ancestry",
    "pinned",
    preflight::GUARD,
    "state",
    still_used::GUARD,
];

/// One address of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Whose. After a move: the new address.
    pub address: Address,
    /// The kind's name.
    pub kind: String,
    /// What happens.
    pub action: Action,
    /// A few words why, where it is not plain from the changes: `deleted in the workspace`, `not in YAML`.
    pub because: Option<String>,
    /// The object's id, if it has one.
    pub id: Option<String>,
    /// What a person calls it.
    pub name: String,
    /// Its page.
    pub link: Option<String>,
    /// The old address of a move (which may come with changes).
    pub moved_from: Option<Address>,
    /// Fields that differ. For a create: every field that is set, `old` absent.
    pub changes: Vec<FieldChange>,
    /// What was changed in the workspace and stays (`lifecycle.merge`): `old` as the workspace will have it, `new` as YAML has
    /// it. Nobody's reason to send anything. Where only drift is asked for, these are among the changes too.
    pub kept: Vec<FieldChange>,
    /// The paths of changes that force a replacement.
    pub forces: Vec<Path>,
    /// What is lost (`its run history`, `every schema and table in it`).
    pub loses: Option<String>,
    /// Live fields that YAML never set.
    pub unmanaged: Vec<(Path, Value)>,
    /// Secrets of an object that stays, which are no change as far as that can be told.
    pub uncompared: Vec<Uncompared>,
    /// The requests that it sends, in order. Unknown values stand where something is known only after apply.
    pub calls: Vec<Call>,
    /// For a replace: the requests that delete the old object.
    pub delete_calls: Vec<Call>,
    /// Addresses whose steps must be done first: of a replacement, before the new object is made.
    pub after: Vec<Address>,
    /// Addresses whose old objects must be gone (those that stay: be done) before the old object of this replacement goes.
    pub delete_after: Vec<Address>,
    /// Whether a replacement is carried out at once, or its two halves each at their own time.
    pub halves: Halves,
    /// Why it cannot be; not empty: the whole apply is blocked.
    pub blocks: Vec<Block>,
    /// Fields that differ and that a template makes: nothing can be written back into YAML for those.
    pub templated: Vec<Path>,
    /// Things worth knowing: `carries the ownership tag brickform=...`.
    pub notes: Vec<String>,
    /// What goes with an object that is deleted or replaced, in words: what others made of it, what is in it.
    pub takes: Vec<String>,
    /// What goes with an object that is deleted or replaced, and no YAML says: each place with a fingerprint of what the
    /// workspace has there. A plan in a file is bound to it.
    pub goes: BTreeMap<String, String>,
    /// The state entry after success; its `id` is empty where the server picks one, secrets are recorded forms. None: removed.
    pub entry: Option<crate::state::Entry>,
    /// The desired body that the calls were made from (with unknowns), for checking again when they become known.
    pub desired: Option<Value>,
    /// The live body it was compared with.
    pub live: Option<Value>,
    /// Whether it waits after its calls (`lifecycle.wait`).
    pub wait: bool,
    /// What was compared, where [`Options::keep_seen`] asks for it.
    pub seen: Option<Box<Seen>>,
}

impl Step {
    /// All that people are told of it besides its changes.
    pub fn told(&self) -> impl Iterator<Item = &String> {
        self.notes.iter().chain(&self.takes)
    }
}

/// Both sides of a comparison; secrets are hidden in live.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Live, as far as the kind compares it.
    pub live: Value,
    /// Desired, references to existing objects filled in, with what tells that an item is one which live has under another name.
    pub desired: Value,
    /// What the last apply sent; none: nothing was applied.
    pub applied: Option<Value>,
    /// All that differs, whoever changed it; a plan of drift alone shows only what is drift.
    pub changes: Vec<FieldChange>,
}

/// A plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The environment.
    pub environment: String,
    /// The project.
    pub project: String,
    /// Which workspace.
    pub workspace: WorkspaceIdentity,
    /// The state it starts from.
    pub lineage: String,
    /// Its serial.
    pub serial: u64,
    /// Where the state is: Brickform's own path, the only thing written that no step lists.
    pub state_place: String,
    /// Whether this plan destroys everything.
    pub destroy: bool,
    /// Steps, in address order; `Action::None` ones too.
    pub steps: Vec<Step>,
    /// Blocks of the plan as a whole (`max_deletes`, `workspace`).
    pub blocks: Vec<Block>,
    /// What policies of the level `warn` say, what is the matter with objects as they are (`state`), what a narrowed plan leaves
    /// behind (`left_out`): nothing is held up by it.
    pub warnings: Vec<Block>,
    /// How many requests reading took.
    pub requests: u64,
    /// How many names a look ahead asked for; none where nobody asked for one.
    pub looked_ahead: Option<u64>,
    /// Whether live was read.
    pub refreshed: bool,
    /// Addresses left out by `--target` or `--exclude`.
    pub left_out: usize,
    /// What lifted a guard that would have blocked, as it was given: `--allow-delete schemas`. An override that nothing
    /// needed is not among them. A plan in a file does not hold them: guards are asked again.
    pub lifted: BTreeSet<String>,
    /// What becomes of the environment's pin. A plan in a file does not hold it either.
    pub pinning: Pinning,
}

/// What becomes of an environment's pin when a plan is carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Pinning {
    /// It stays as it is, also where there is none.
    #[default]
    Stays,
    /// The environment is pinned.
    Set(Pin),
    /// It is free again.
    Lifted,
}

impl Pinning {
    /// The pin after it.
    #[must_use]
    pub fn after(&self, before: Option<&Pin>) -> Option<Pin> {
        match self {
            Self::Stays => before.cloned(),
            Self::Set(pin) => Some(pin.clone()),
            Self::Lifted => None,
        }
    }
}

/// Counts of addresses: a facet counts as a change of its parent, a new parent's facets not at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// `+`
    pub add: usize,
    /// `~`
    pub change: usize,
    /// `-/+` and `+/-`
    pub replace: usize,
    /// `-`
    pub delete: usize,
    /// `<`
    pub adopt: usize,
    /// `>`
    pub moved: usize,
    /// `x`
    pub forget: usize,
    /// With a field that drifted.
    pub drifted: usize,
    /// Fields and items that are kept as the workspace has them.
    pub kept: usize,
    /// With a block.
    pub blocked: usize,
    /// Unmanaged fields.
    pub unmanaged: usize,
    /// All addresses.
    pub total: usize,
}

/// What narrows or loosens a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// `--destroy`.
    pub destroy: bool,
    /// `--include-adopted` (with destroy).
    pub include_adopted: bool,
    /// `--target`: only these and what they need.
    pub targets: Vec<Pattern>,
    /// `--exclude`: not these and nothing that needs them.
    pub excludes: Vec<Pattern>,
    /// `--replace`.
    pub replace: Vec<Address>,
    /// `--adopt`: takes objects that exist under the natural key.
    pub adopt: bool,
    /// `--refresh=false`.
    pub no_refresh: bool,
    /// `--drift`: report only.
    pub drift_only: bool,
    /// `--allow-delete KIND`.
    pub allow_delete: Vec<String>,
    /// `--accept-conflict ADDRESS`.
    pub accept_conflicts: Vec<Address>,
    /// What Git says of the tree that is planned.
    pub provenance: Provenance,
    /// `--preflight`: the workspace is asked whether what the files name is there.
    pub preflight: bool,
    /// Keep what was compared in each step ([`Step::seen`]).
    pub keep_seen: bool,
    /// `--allow-dirty-tree`, `--allow-older-commit`, `--unpin`, `--allow-max-deletes` and so on: overrides by guard name.
    pub overrides: Vec<String>,
    /// `--allow-policy NAME`.
    pub allow_policies: Vec<String>,
    /// Exactly these addresses are carried out: those of a plan in a file. What they need is read too and left as it is.
    pub only: Option<BTreeSet<Address>>,
    /// Who counts as the maker of what is taken over.
    pub takers: Takers,
}

/// Who counts as the maker of what is taken over, so that its permissions are compared as they were, or will be, once it is
/// recorded. Needed of kinds whose replies name nobody.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Takers {
    /// Who made what an earlier state knew, by kind and id ([`crate::kinds::plain_id`]).
    pub known: BTreeMap<(String, String), String>,
    /// Who takes it over: the maker of the rest, as far as its own list of permissions names them.
    pub caller: Option<String>,
}

impl Takers {
    /// Whoever takes over now, and the makers that an earlier state knew.
    #[must_use]
    pub fn of(caller: &str, earlier: Option<&Document>, registry: &Registry) -> Self {
        let known = |entry: &crate::state::Entry| {
            let id = crate::kinds::plain_id(registry.get(&entry.kind)?, &entry.id).to_owned();
            Some(((entry.kind.clone(), id), entry.made_by.clone()?))
        };
        let entries = earlier.into_iter().flat_map(|document| document.resources.values());
        Self { known: entries.filter_map(known).collect(), caller: Some(caller.to_owned()).filter(|c| !c.is_empty()) }
    }
}

/// What a plan is made from.
pub struct Inputs<'a> {
    /// Desired.
    pub desired: &'a Desired,
    /// Applied (an empty document where there is none).
    pub state: &'a Document,
    /// Where it is kept.
    pub state_place: String,
    /// Live; none with `--refresh=false`.
    pub live: Option<&'a Snapshot>,
    /// What a look ahead found; none where nobody asked for one.
    pub preflight: Option<&'a Preflight>,
    /// The environment.
    pub environment: &'a Environment,
    /// The project's name.
    pub project: &'a str,
    /// The workspace that answered.
    pub workspace: WorkspaceIdentity,
    /// The host as links want it: `https://...`.
    pub host: &'a str,
    /// Kinds.
    pub registry: &'a Registry,
    /// Options.
    pub options: &'a Options,
    /// The project's policies.
    pub policies: &'a [Policy],
    /// The recorded form of secrets, by source text: `{"$secret": source, "fingerprint": hmac}`.
    pub secrets: &'a BTreeMap<String, Value>,
    /// Who calls; none where nobody knows. Only verdicts that a plan in a file does not hold may depend on it.
    pub caller: Option<&'a Me>,
    /// The values of secrets that were read: with them it shows whether something in the workspace holds one.
    pub known: Option<&'a Known>,
}

/// Makes the plan.
#[must_use]
pub fn make(inputs: &Inputs<'_>) -> Plan {
    make::make(inputs)
}

impl Plan {
    /// Counts.
    #[must_use]
    pub fn counts(&self) -> Counts {
        counts::counts(self)
    }

    /// Whether applying it would do anything (state changes count: adopt, move, forget, a pin).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pinning == Pinning::Stays
            && self.steps.iter().all(|s| s.action == Action::None && s.blocks.is_empty())
            && self.blocks.is_empty()
    }

    /// Secrets that nothing is known of but where they come from: whether they are as they were applied cannot be told.
    pub fn unknown_secrets(&self) -> impl Iterator<Item = (&Address, &Uncompared)> {
        let all = self.steps.iter().flat_map(|step| step.uncompared.iter().map(move |secret| (&step.address, secret)));
        all.filter(|(_, secret)| secret.why != Untold::NotTold)
    }

    /// Whether anything blocks it.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        !self.blocks.is_empty() || self.steps.iter().any(|s| !s.blocks.is_empty())
    }
}
