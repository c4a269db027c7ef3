//! What was applied: the document of an environment, its journal, where both are kept.
//!
//! Owns formats (document, journal lines, blobs, versions), the fold of a journal into a document, the lock. Refuses to
//! know plans or HTTP. An unreadable state is an error, never an empty one; a newer format is refused.

use std::collections::BTreeMap;

use crate::model::{Address, Value};

mod checks;
mod format;
mod journal;
mod lineage;
mod local;
mod mend;
pub mod remote;
mod store;
#[cfg(test)]
mod tests;

pub use format::write_whole;
pub use journal::{Intent, Record, fold};
pub use lineage::{new_document, new_lineage};
pub use local::Local;
pub use mend::{Mend, Moved, Remains};
pub use store::{Appending, Flush, Leave, LockInfo, Note, StateError, Store, Version, Waiting};

use checks::{check_journal, check_newest, check_owner, cut_off};

/// The format this build writes.
pub const FORMAT: u32 = 1;

/// The state of one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// A random id, given at the first apply and empty before it; a state of another lineage is refused.
    pub lineage: String,
    /// Grows by one with each write.
    pub serial: u64,
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// Which workspace this is the state of; written at the first apply and checked ever after.
    pub workspace: Option<WorkspaceIdentity>,
    /// The commit that was applied last; none where that apply came from no commit.
    pub commit: Option<String>,
    /// Where `commit` is none: the newest that was applied before. What is older than that stays older.
    pub known_commit: Option<String>,
    /// What it was rolled back to, and from; none: commits are applied as they come.
    pub pinned: Option<Pin>,
    /// What is managed.
    pub resources: BTreeMap<Address, Entry>,
    /// Creates of an unfinished apply whose outcome is unknown, by address (from the journal).
    pub open_intents: BTreeMap<Address, Intent>,
}

/// An environment that was rolled back. Until what was rolled back is taken back in Git too, commits that would bring it
/// back are refused (`docs/decisions/rollback.md`).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pin {
    /// The commit that it was rolled back to.
    pub to: String,
    /// The newest commit that was applied before; none where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// When, RFC 3339.
    pub since: String,
    /// Who, as the workspace knows them.
    pub by: String,
}

/// Which workspace.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WorkspaceIdentity {
    /// Its host, without scheme; `local` for the embedded one.
    pub host: String,
    /// Its id.
    pub id: String,
}

/// What is known of one managed object or facet.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The kind's name.
    pub kind: String,
    /// The object's id.
    pub id: String,
    /// How far it got.
    pub status: Status,
    /// The body that was last sent whole: owned fields only, secrets as `{"$secret": source, "fingerprint": hmac}`.
    pub applied: Value,
    /// What an attached part or setting held before first touch.
    pub former: Option<Value>,
    /// The server's etag after the last write.
    pub etag: Option<String>,
    /// `prevent_destroy` as last applied: survives the removal of the YAML.
    pub protected: bool,
    /// Taken over, not made here: destroy forgets it unless told otherwise.
    pub adopted: bool,
    /// What it depended on at the last apply, for deletes in reverse.
    pub dependencies: Vec<Address>,
    /// The ownership tag it carries.
    pub tag: Option<String>,
    /// Ids of replaced objects still to be deleted (create before destroy).
    pub deposed: Vec<String>,
    /// Who applied its create, or took it over where no reply says who made it; none where neither is known, or where it is
    /// part of something else.
    pub made_by: Option<String>,
    /// What the workspace called it when it was last written, where that is not what it was asked for: a title that is taken gets a
    /// number.
    pub called: Option<String>,
    /// While an update is under way whose answer nobody knows yet, of an object whose edits are merged (`lifecycle.merge`): the
    /// body that the workspace is known to have been sent before it. A merge goes on from what of the two has arrived.
    pub before: Option<Value>,
}

/// How far an object got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything was sent.
    Ok,
    /// Created, but a later call of its step failed: the next plan finishes it.
    Incomplete,
    /// To be replaced.
    Tainted,
    /// Its deletion was begun and did not come to its end: what came with it may be gone already.
    Unmade,
}
