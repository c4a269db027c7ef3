//! Where a state is kept.

use super::{Document, Record};

/// Something is wrong with the state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read or written.
    #[error("the state at {place} cannot be {verb}: {why}")]
    Io { place: String, verb: &'static str, why: String },
    /// It is damaged.
    #[error("the state at {place} is damaged: {why}")]
    Damaged { place: String, why: String },
    /// A newer Brickform wrote it.
    #[error("the state at {place} has format {found}; this Brickform reads up to {known}")]
    Newer { place: String, found: u64, known: u32 },
    /// It belongs to another project, environment, lineage or workspace.
    #[error("the state at {place} {why}")]
    Foreign { place: String, why: String },
    /// Somebody else holds the lock.
    #[error("the state at {place} is locked by {holder}")]
    Locked { place: String, holder: String },
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LockInfo {
    /// User and host, process id.
    pub holder: String,
    /// `apply`.
    pub operation: String,
    /// When, RFC 3339.
    pub since: String,
}

/// An earlier version of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its serial.
    pub serial: u64,
    /// When it was written, RFC 3339.
    pub at: String,
    /// What wrote it: `apply`, `state mv`.
    pub by: String,
    /// The commit that was applied.
    pub commit: Option<String>,
    /// How many addresses it holds.
    pub resources: usize,
}

/// Where a state is kept: local now, remote backends later.
pub trait Store: Send + Sync {
    /// The place, for messages.
    fn place(&self) -> String;
    /// The document with its journal folded in; none if there was never one.
    ///
    /// # Errors
    /// [`StateError`].
    fn load(&self) -> Result<Option<Document>, StateError>;
    /// Takes the lock.
    ///
    /// # Errors
    /// [`StateError::Locked`].
    fn lock(&self, info: &LockInfo) -> Result<(), StateError>;
    /// Lets go of it.
    fn unlock(&self);
    /// Who holds it, if anybody.
    fn holder(&self) -> Option<LockInfo>;
    /// Makes records durable, in one flush.
    ///
    /// # Errors
    /// [`StateError`].
    fn append(&self, records: &[Record]) -> Result<(), StateError>;
    /// Replaces the document atomically, keeps the previous version, clears the journal. `by`: what does it.
    ///
    /// # Errors
    /// [`StateError`].
    fn save(&self, document: &Document, by: &str) -> Result<(), StateError>;
    /// Earlier versions, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    fn history(&self) -> Result<Vec<Version>, StateError>;
}

/// A state in a folder of this machine.
pub struct Local {}
