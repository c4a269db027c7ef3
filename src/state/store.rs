//! Where a state is kept: the border that every backend fills, and what can go wrong with it.

use super::{Document, Record};

/// Something is wrong with the state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read or written.
    #[error("the state at {place} cannot be {verb}: {why}")]
    Io {
        /// Where it is.
        place: String,
        /// `read`, `written`, `locked`.
        verb: &'static str,
        /// The cause.
        why: String,
    },
    /// It is damaged.
    #[error("the state at {place} is damaged: {why}")]
    Damaged {
        /// Where it is.
        place: String,
        /// What is wrong with it, and where in it.
        why: String,
    },
    /// A newer Brickform wrote it.
    #[error("the state at {place} has format {found}; this Brickform reads up to {known}")]
    Newer {
        /// Where it is.
        place: String,
        /// Its format.
        found: u64,
        /// The highest format known.
        known: u32,
    },
    /// It belongs to another project, environment, lineage or workspace.
    #[error("the state at {place} {why}")]
    Foreign {
        /// Where it is.
        place: String,
        /// Whose it is: that of environment `dev`, not `prod`.
        why: String,
    },
    /// Somebody else holds the lock.
    #[error("the state at {place} is locked by {holder}")]
    Locked {
        /// Where it is.
        place: String,
        /// Who, doing what, since when.
        holder: String,
    },
    /// The document holds something that must not be written: a defect of Brickform, caught before anything is written.
    #[error("the state at {place} was not written: {why}")]
    Unwritable {
        /// Where it is.
        place: String,
        /// What, and where in the document.
        why: String,
    },
}

impl StateError {
    /// What to do next, each a line.
    #[must_use]
    pub fn help(&self) -> Vec<String> {
        match self {
            Self::Io { place, .. } => vec![format!("check that {place} and its folder can be read and written")],
            Self::Damaged { place, .. } => vec![
                "nothing was sent to the workspace".to_owned(),
                "`brickform state history` lists the versions that were kept".to_owned(),
                format!("put one back by copying it from {place}.versions/ over {place} (move {place}.journal away too, if there is one)"),
            ],
            Self::Newer { .. } => vec!["use the Brickform that wrote it, or a later one".to_owned()],
            Self::Foreign { .. } => {
                vec!["check `--env`, `--state` and the project's `name:`; a state is never shared between environments".to_owned()]
            }
            Self::Locked { .. } => vec![
                "wait for it to end, then try again".to_owned(),
                "the operating system lets go of the lock when that process ends, also if it crashes".to_owned(),
            ],
            Self::Unwritable { .. } => vec!["this is a defect of Brickform: please report it with the message above".to_owned()],
        }
    }
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LockInfo {
    /// User and host, process id: `ada@ci-7 (process 4242)`.
    pub holder: String,
    /// `apply`.
    pub operation: String,
    /// When, RFC 3339.
    pub since: String,
}

impl std::fmt::Display for LockInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {} since {}", self.holder, self.operation, self.since)
    }
}

/// A version of the state that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its serial.
    pub serial: u64,
    /// When it was written, RFC 3339; empty where the side document is lost.
    pub at: String,
    /// What wrote it: `apply`, `state mv`.
    pub by: String,
    /// The commit that was applied.
    pub commit: Option<String>,
    /// How many addresses it holds.
    pub resources: usize,
    /// Who applied it and what was allowed; none where nothing was applied.
    pub note: Option<Note>,
}

/// What is kept beside a version about the apply that wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Note {
    /// Who applied, as the workspace knows them.
    pub who: String,
    /// Guards that were lifted, as they were given: `--allow-delete schemas`.
    pub overrides: Vec<String>,
    /// What the plan did: `add`, `change`, `replace`, `delete`, ... with how many.
    pub counts: std::collections::BTreeMap<String, u64>,
    /// The digest of the plan.
    pub plan: String,
}

/// When appended records have to be durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// Before the call returns.
    Now,
    /// With the next flush or save; a crash of this process alone loses nothing.
    Later,
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
    /// Adds records to the journal, all in one write.
    ///
    /// # Errors
    /// [`StateError`].
    fn append(&self, records: &[Record], flush: Flush) -> Result<(), StateError>;
    /// Replaces the document atomically, keeps versions, clears the journal. `by`: what does it.
    ///
    /// # Errors
    /// [`StateError`].
    fn save(&self, document: &Document, by: &str) -> Result<(), StateError>;
    /// Keeps this beside the versions that are saved from now on, until the lock is let go of.
    /// A store that keeps no side documents lets it go.
    fn annotate(&self, note: Note) {
        drop(note);
    }
    /// What was given to [`Store::annotate`], so that the journal can carry it from the start.
    fn noted(&self) -> Option<Note> {
        None
    }
    /// The versions that were kept, newest (the current one) first.
    ///
    /// # Errors
    /// [`StateError`].
    fn history(&self) -> Result<Vec<Version>, StateError>;
    /// When the current version was written; none where nobody knows.
    fn written(&self) -> Option<jiff::Timestamp> {
        // A version that is in the journal only has no time.
        self.history().ok()?.iter().find_map(|version| version.at.parse().ok())
    }
}
