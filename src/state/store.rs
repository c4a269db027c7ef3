//! Where a state is kept: the border that every backend fills, and what can go wrong with it.

use std::time::Duration;

use super::remote::objects::About;
use super::{Document, Record};
use crate::client::BoxFuture;
use crate::model::Outside;

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
    /// It is not what Brickform wrote.
    #[error("the state at {place} was changed by hand or damaged: it no longer has the checksum that it carries")]
    Edited {
        /// Where it is.
        place: String,
    },
    /// It is somewhere else now.
    #[error("the state that was at {place} is at {to} now ({by} moved it at {at})")]
    Moved {
        /// Where it was.
        place: String,
        /// Where it is.
        to: String,
        /// Who moved it.
        by: String,
        /// When, RFC 3339.
        at: String,
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
    /// A store that many reach did not do what it was asked.
    #[error("the state at {place} cannot be {verb}: {why}")]
    Store {
        /// Where it is.
        place: String,
        /// `read`, `written`, `locked`.
        verb: &'static str,
        /// The cause, without credentials.
        why: String,
        /// What to do, where the store knows.
        help: Vec<String>,
        /// Whether it is about who we are.
        about: About,
    },
    /// Somebody else holds the lock.
    #[error("the state at {place} is locked by {holder}")]
    Locked {
        /// Where it is.
        place: String,
        /// Who, doing what, since when.
        holder: String,
        /// The id of their lease; none for the operating system's lock.
        lease: Option<String>,
    },
    /// This process held the lease and does no longer: it must not write.
    #[error("the lease of the state at {place} is lost: {why}; nothing more is written or sent")]
    Lost {
        /// Where it is.
        place: String,
        /// Who has it now, or why it ran out.
        why: String,
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
            Self::Damaged { .. } => vec![
                "nothing was sent to the workspace".to_owned(),
                "`brickform state history` lists the versions that were kept; `brickform state push --serial N` goes back to one, and shows first what changes".to_owned(),
                "where none was kept: `brickform state rebuild` finds in the workspace what is ours".to_owned(),
            ],
            Self::Edited { .. } => vec![
                "nothing was sent to the workspace".to_owned(),
                "if it was edited on purpose: `brickform state push FILE` looks the edited document over, shows what changes and takes it".to_owned(),
                "else: `brickform state history` lists the versions that were kept, `brickform state push --serial N` goes back to one".to_owned(),
            ],
            Self::Moved { to, .. } => vec![
                format!("set `state: {{ backend: \"{to}\" }}` in the environment's file, or update this checkout: others have it already"),
                "nothing was sent to the workspace".to_owned(),
            ],
            Self::Newer { .. } => vec!["use the Brickform that wrote it, or a later one".to_owned()],
            Self::Foreign { .. } => {
                vec!["check `--env`, `--state` and the project's `name:`; a state is never shared between environments".to_owned()]
            }
            Self::Store { place, help, .. } if help.is_empty() => {
                vec![format!(
                    "check that {place} is spelt right and can be reached; `brickform state init` tries each thing it has to be able to do"
                )]
            }
            Self::Store { help, .. } => help.clone(),
            Self::Lost { .. } => vec![
                "what was begun is in the journal: whoever applies next looks it up first and goes on from there".to_owned(),
                "when nobody applies any more, apply again: what is still missing is planned anew".to_owned(),
            ],
            Self::Locked { lease: Some(id), .. } => vec![
                "wait for it to end: `--lock-timeout 10m` waits as long as that".to_owned(),
                format!(
                    "a lease that is no longer renewed is taken over by itself; if its holder is surely gone: `brickform state unlock {id}`"
                ),
            ],
            Self::Locked { .. } => vec![
                "wait for it to end, then try again".to_owned(),
                "the operating system lets go of the lock when that process ends, also if it crashes".to_owned(),
            ],
            Self::Unwritable { .. } => vec!["this is a defect of Brickform: please report it with the message above".to_owned()],
        }
    }
}

/// Who holds a lock.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LockInfo {
    /// User and host, process id: `ada@ci-7 (process 4242)`.
    pub holder: String,
    /// `apply`.
    pub operation: String,
    /// When, RFC 3339.
    pub since: String,
    /// The page of the pipeline's run that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The commit that is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The id of the lease, which `state unlock` asks for; none for the operating system's lock.
    #[serde(skip)]
    pub id: Option<String>,
    /// When the lease was renewed last, RFC 3339, by its holder's clock.
    #[serde(skip)]
    pub renewed: Option<String>,
}

impl std::fmt::Display for LockInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {} since {}", self.holder, self.operation, self.since)?;
        if let Some(commit) = &self.commit {
            write!(f, ", commit {}", commit.get(..7).unwrap_or(commit))?;
        }
        self.link.iter().try_for_each(|link| write!(f, " ({link})"))
    }
}

impl<S: Store + ?Sized> Store for std::sync::Arc<S> {
    fn place(&self) -> String {
        (**self).place()
    }
    fn load(&self) -> Result<Option<Document>, StateError> {
        (**self).load()
    }
    fn lock(&self, info: &LockInfo, waiting: Waiting<'_>) -> Result<Option<LockInfo>, StateError> {
        (**self).lock(info, waiting)
    }
    fn standing(&self) -> Result<(), StateError> {
        (**self).standing()
    }
    fn leave(&self) -> Leave {
        (**self).leave()
    }
    fn unlock(&self) {
        (**self).unlock();
    }
    fn holder(&self) -> Option<LockInfo> {
        (**self).holder()
    }
    fn append(&self, records: &[Record], flush: Flush) -> Result<(), StateError> {
        (**self).append(records, flush)
    }
    fn begin_append(&self, records: &[Record]) -> Appending {
        (**self).begin_append(records)
    }
    fn ahead(&self) {
        (**self).ahead();
    }
    fn is_there(&self) -> Result<bool, StateError> {
        (**self).is_there()
    }
    fn save(&self, document: &Document, by: &str) -> Result<(), StateError> {
        (**self).save(document, by)
    }
    fn annotate(&self, note: Note) {
        (**self).annotate(note);
    }
    fn noted(&self) -> Option<Note> {
        (**self).noted()
    }
    fn kept(&self, serial: u64) -> Result<Option<Document>, StateError> {
        (**self).kept(serial)
    }
    fn history(&self) -> Result<Vec<Version>, StateError> {
        (**self).history()
    }
    fn written(&self) -> Option<jiff::Timestamp> {
        (**self).written()
    }
}

/// Whether a lock is surely ours at this moment. Most times it is known; a process that slept asks the store first.
#[derive(Clone)]
pub struct Leave(std::sync::Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>);

impl Leave {
    /// What asks.
    pub fn new(ask: impl Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync + 'static) -> Self {
        Self(std::sync::Arc::new(ask))
    }

    /// That of a lock which the operating system keeps for as long as the process lives.
    #[must_use]
    pub fn always() -> Self {
        Self::new(|| Box::pin(std::future::ready(Ok(()))))
    }

    /// Asks.
    ///
    /// # Errors
    /// The lock is lost: why.
    pub async fn ask(&self) -> Result<(), String> {
        (self.0)().await
    }
}

/// How to wait for a lock that somebody else holds.
#[derive(Clone, Copy)]
pub struct Waiting<'a> {
    /// How long; zero fails at once.
    pub wait: Duration,
    /// Told what is waited for, a sentence at a time.
    pub say: &'a dyn Fn(String),
}

impl Waiting<'_> {
    /// Not at all.
    pub const NOT: Waiting<'static> = Waiting { wait: Duration::ZERO, say: &|_| {} };
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

impl Version {
    /// When the newest of them was written. A version that is in the journal only has no time.
    pub(super) fn newest_time(versions: &[Self]) -> Option<jiff::Timestamp> {
        versions.iter().find_map(|version| version.at.parse().ok())
    }

    /// A version of which nothing but its serial is known.
    pub(super) fn unknown(serial: u64) -> Self {
        Self { serial, at: String::new(), by: String::new(), commit: None, resources: 0, note: None }
    }
}

/// The side document of a version: what the version itself must not hold, so that the same state is the same bytes.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Side {
    pub(super) serial: u64,
    pub(super) at: String,
    pub(super) by: String,
    pub(super) commit: Option<String>,
    pub(super) resources: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<Note>,
}

impl Side {
    /// Of a document that is written now.
    pub(super) fn now(document: &Document, by: &str, note: Option<Note>, outside: &Outside) -> Self {
        Self {
            serial: document.serial,
            at: outside.now().to_string(),
            by: by.to_owned(),
            commit: document.commit.clone(),
            resources: document.resources.len(),
            note,
        }
    }
}

impl From<&Version> for Side {
    fn from(version: &Version) -> Self {
        let Version { serial, at, by, commit, resources, note } = version.clone();
        Self { serial, at, by, commit, resources, note }
    }
}

impl From<Side> for Version {
    fn from(side: Side) -> Self {
        let Side { serial, at, by, commit, resources, note } = side;
        Self { serial, at, by, commit, resources, note }
    }
}

/// What is kept beside a version about the apply that wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Note {
    /// Who applied, as the workspace knows them.
    pub who: String,
    /// Guards that were lifted, as they were given: `--allow-delete schemas`.
    pub overrides: Vec<String>,
    /// What was planned: `add`, `change`, `replace`, `delete`, ... with how many; and how many steps were not done: [`Note::MISSED`].
    pub counts: std::collections::BTreeMap<String, u64>,
    /// The digest of the plan.
    pub plan: String,
    /// The page of the pipeline's run that applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The project had changes that were not committed: what was applied is not what the commit holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dirty: bool,
    /// Files of the project that were written along with the state (`adopt --write`): the commit does not hold them so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Addresses that were dropped from the state and not deleted by this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forgotten: Vec<String>,
}

impl Note {
    /// The words of [`Note::counts`] for steps that were not done.
    pub const MISSED: [&'static str; 3] = ["failed", "half_done", "skipped"];
}

/// When appended records have to be durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// Before the call returns.
    Now,
    /// With the next flush or save; a crash of this process alone loses nothing.
    Later,
}

/// Records on their way into the journal.
pub enum Appending {
    /// They are durable, or failed to become so.
    Done(Result<(), StateError>),
    /// They will be; what was appended later is never durable before them.
    UnderWay(BoxFuture<'static, Result<(), StateError>>),
}

/// Where a state is kept. Calls block; none may be made while one of this value is under way on the same thread.
pub trait Store: Send + Sync {
    /// The place, for messages.
    fn place(&self) -> String;
    /// The document with its journal folded in; none if there was never one.
    ///
    /// # Errors
    /// [`StateError`].
    fn load(&self) -> Result<Option<Document>, StateError>;
    /// Takes the lock, waiting as long as told. Gives from whom it was taken over, where its holder had gone without
    /// giving it back.
    ///
    /// # Errors
    /// [`StateError::Locked`].
    fn lock(&self, info: &LockInfo, waiting: Waiting<'_>) -> Result<Option<LockInfo>, StateError>;
    /// Whether the lock that was taken is still ours, as far as is known without asking.
    ///
    /// # Errors
    /// [`StateError::Lost`]: write and send nothing more.
    fn standing(&self) -> Result<(), StateError> {
        Ok(())
    }
    /// Leave to change something that no lock protects: asked before each request that is sent on the strength of it.
    fn leave(&self) -> Leave {
        Leave::always()
    }
    /// Lets go of it.
    fn unlock(&self);
    /// Who holds it, if anybody.
    fn holder(&self) -> Option<LockInfo>;
    /// Adds records to the journal, all in one write.
    ///
    /// # Errors
    /// [`StateError`].
    fn append(&self, records: &[Record], flush: Flush) -> Result<(), StateError>;
    /// As [`Store::append`] with [`Flush::Now`], without waiting for a store that is far away.
    fn begin_append(&self, records: &[Record]) -> Appending {
        Appending::Done(self.append(records, Flush::Now))
    }
    /// Begins to read what the next [`Store::load`] gives, where that takes a while. For those who hold the lock, or only look.
    fn ahead(&self) {}
    /// Whether there is a document.
    ///
    /// # Errors
    /// [`StateError`].
    fn is_there(&self) -> Result<bool, StateError> {
        Ok(self.load()?.is_some())
    }
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
    /// The document of a version that was kept; none where there is none of that serial.
    ///
    /// # Errors
    /// [`StateError`].
    fn kept(&self, serial: u64) -> Result<Option<Document>, StateError>;
    /// The versions that were kept, newest (the current one) first.
    ///
    /// # Errors
    /// [`StateError`].
    fn history(&self) -> Result<Vec<Version>, StateError>;
    /// When the current version was written; none where nobody knows.
    fn written(&self) -> Option<jiff::Timestamp> {
        Version::newest_time(&self.history().ok()?)
    }
}
