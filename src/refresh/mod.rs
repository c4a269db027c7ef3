//! Live objects and lookups, by list or by get, whichever needs fewer calls. Sends only reads.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::{ApiError, Client, Me};
use crate::kinds::{Kind, Registry};
use crate::model::{Address, Lookup, Value};
use crate::project::{Answers, Check, Desired, Project};
use crate::state::{Document, Intent};

mod attached;
mod beside;
mod group;
mod lookup;
mod object;
mod preflight;
mod read;
mod settle;
#[cfg(test)]
mod tests;
mod wanted;

pub use object::in_part;
pub use preflight::{Finding, Preflight, Weight};

/// What the workspace holds of what we ask about.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// By address: everything desired or in the state.
    pub objects: BTreeMap<Address, Live>,
    /// What is in objects that may have to go, by their address: paths; or why nobody can tell.
    pub within: BTreeMap<Address, Result<Vec<String>, ApiError>>,
    /// Parts that YAML does not declare, of objects that a plan replaces, by their addresses; none: there is no such part.
    pub parts: BTreeMap<Address, Result<Option<Value>, ApiError>>,
    /// How many requests it took.
    pub requests: u64,
}

/// One address in the workspace.
#[derive(Debug, Clone, PartialEq)]
pub enum Live {
    /// There, known by the state's id, a declared `import:`, a name that is the id, or because it is always there.
    Found {
        /// Its id.
        id: String,
        /// The object as [`crate::kinds::Read`] gives it: fields on top, computed ones beside them.
        body: Value,
    },
    /// The state's id is not there any more (deleted, trashed).
    Gone,
    /// Not in the state, and nothing has its natural key.
    Absent,
    /// Not in the state, but these objects have its natural key.
    Exists(Vec<Candidate>),
    /// An open intent was settled: this object carries its tag or is certainly its result.
    Settled {
        /// Its id.
        id: String,
        /// The object.
        body: Value,
    },
    /// Its parent is not there yet, so it cannot be (a facet, a schema in a new catalog).
    Waits,
    /// It could not be read: 403 and the like are errors, never "gone".
    Failed(ApiError),
}

/// An object with the natural key of something that is to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// The object.
    pub body: Value,
}

/// What is read.
pub struct Ask<'a> {
    /// Desired.
    pub desired: &'a Desired,
    /// Applied.
    pub state: &'a Document,
    /// The kinds.
    pub registry: &'a Registry,
    /// `--target` and `--exclude`: only these addresses (facets and needed parents included); none: all.
    pub only: Option<&'a dyn Fn(&Address) -> bool>,
    /// The state was written moments ago, so that reads may lag behind what it says: what seems to be gone is looked at again.
    pub recent: bool,
    /// Everything that the state knows is to be deleted.
    pub destroy: bool,
}

/// For how many seconds after a write reads may lag behind it.
pub const LAG_SECONDS: i64 = 60;

/// Reads everything that a plan needs.
pub async fn read(client: &Client, ask: &Ask<'_>) -> Snapshot {
    read::read(client, ask).await
}

/// Looks into objects that a plan takes away ([`crate::plan::unopened`]): what is in each becomes part of the snapshot.
pub async fn look_inside(client: &Client, snapshot: &mut Snapshot, objects: &[(Address, &'static Kind, String)]) {
    let before = client.requests();
    snapshot.within.extend(beside::contents(client, objects).await);
    snapshot.requests += client.requests() - before;
}

/// Reads parts that YAML does not declare (a plan's [`crate::plan::unread`]): by address, with their kind and the fields that tell whose each is.
pub async fn look_at_parts(client: &Client, snapshot: &mut Snapshot, parts: Vec<(Address, &'static Kind, Value)>) {
    let before = client.requests();
    let mut tasks = tokio::task::JoinSet::new();
    for (address, kind, body) in parts {
        let Some(id) = object::id_of(kind, &body) else { continue };
        let client = client.clone();
        tasks.spawn(async move { (address, read::object(&client, kind, &id, &body).await) });
    }
    snapshot.parts.extend(tasks.join_all().await);
    snapshot.requests += client.requests() - before;
}

/// Asks the workspace whether what desired names is there. Reads only, each question once.
pub async fn look_ahead(client: &Client, ask: &Ask<'_>, live: Option<&Snapshot>, me: Option<&Me>) -> Preflight {
    preflight::look_ahead(client, ask, live, me).await
}

/// Answers lookups, one list a kind.
///
/// # Errors
/// A list failed.
pub async fn lookups(client: &Client, registry: &Registry, lookups: &[Lookup]) -> Result<Answers, ApiError> {
    lookup::lookups(client, registry, lookups, &BTreeSet::new()).await
}

/// Answers what a project asks: its lookups, and in the same lists its checks, but for principals that the state's lists name
/// already. A check whose list cannot be read has no answer.
///
/// # Errors
/// A list that a lookup needs failed.
pub async fn questions(client: &Client, registry: &Registry, project: &Project, state: &Document) -> Result<Answers, ApiError> {
    let taken = lookup::taken(state, registry);
    let is_new = |asked: &&Lookup| !taken.contains(&Lookup { kind: asked.kind.clone(), name: asked.name.to_lowercase() });
    let new = |good_for: Check| project.checks.iter().filter(move |(_, check)| **check == good_for).map(|(asked, _)| asked).filter(is_new);
    let needed: Vec<Lookup> = project.lookups.iter().chain(new(Check::Whose)).cloned().collect();
    let checks: BTreeSet<Lookup> = new(Check::Known).cloned().collect();
    lookup::lookups(client, registry, &needed, &checks).await
}

/// What became of a create whose outcome is unknown.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// It took effect: this object carries the intent's tag or is certainly its result.
    Found(Candidate),
    /// It did not.
    Absent,
    /// Several objects may be its result.
    Several(Vec<Candidate>),
}

/// Looks what became of a create: by ownership tag, by a name that is unique, else by name, creator and time. Reads only.
/// `known`: ids that the state holds already, never the result.
///
/// # Errors
/// It could not be looked up.
pub async fn settle(client: &Client, kind: &'static Kind, intent: &Intent, known: &BTreeSet<String>) -> Result<Settlement, ApiError> {
    settle::settle(client, kind, intent, known).await
}

/// Objects of a kind that carry an ownership tag, whoever's: id and tag. One list; empty for kinds without tags.
///
/// # Errors
/// They cannot be listed.
pub async fn tagged(client: &Client, kind: &'static Kind) -> Result<Vec<(String, String)>, ApiError> {
    settle::tagged(client, kind).await
}

/// The ownership tag that an object carries.
#[must_use]
pub fn tag_of<'a>(kind: &Kind, body: &'a Value) -> Option<&'a str> {
    settle::tag_of(kind, body)
}

/// Reads one object by id, as [`crate::kinds::Read`] gives it; none if it is gone. `body`: the desired body, for kinds
/// that ask by the names of fields.
///
/// # Errors
/// It could not be read.
pub async fn object(client: &Client, kind: &'static Kind, id: &str, body: &Value) -> Result<Option<Value>, ApiError> {
    read::object(client, kind, id, body).await
}

/// Whether this error means that the workspace has not the API which was asked: then another API of the same objects may be.
#[must_use]
pub fn has_no_api(error: &ApiError) -> bool {
    object::has_no_api(error)
}

/// Whether this reply means that the object is gone.
#[must_use]
pub fn is_gone(kind: &'static Kind, error: &ApiError) -> bool {
    object::is_gone(kind, error)
}
