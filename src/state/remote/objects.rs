//! What a remote backend has to be able to do: keep named bytes, and refuse a write whose condition does not hold.
//!
//! Everything that makes a shared state safe (lease, journal, document) is built on the two conditions alone, once for all
//! stores.

use crate::client::BoxFuture;

/// Which version of an object: whatever the store answered (an etag, a generation), compared and handed back only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(pub String);

/// An object as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Its version.
    pub tag: Tag,
}

/// When a write may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Only where there is no object of that name.
    Absent,
    /// Only where the object still has this version. Stores with [`Locking::Generations`] are never asked for it.
    Same(Tag),
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It is there, with this version.
    Done(Tag),
    /// The condition did not hold; nothing was written. A store that tries again by itself after a lost answer may say so
    /// of its own first try: callers compare what is there with what they sent.
    Refused,
}

/// By which means a store can keep two writers apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locking {
    /// It creates only, and it replaces only a version that is named.
    Tags,
    /// It creates only; what changes is a row of numbered objects of which the highest counts.
    Generations,
}

/// A store did not do what it was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct ObjectError {
    /// What happened, without any credential.
    pub why: String,
    /// What to do, each a line; empty where nothing particular is known.
    pub help: Vec<String>,
    /// What it is about.
    pub about: About,
}

/// What an error of a store is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum About {
    /// Anything else.
    #[default]
    Anything,
    /// Who we are: no credentials, or the store does not take them.
    Credentials,
}

impl ObjectError {
    /// An error without advice.
    #[must_use]
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), ..Self::default() }
    }

    /// Whether somebody has to mend something before another try makes sense: then there is advice.
    #[must_use]
    pub fn is_for_a_person(&self) -> bool {
        !self.help.is_empty()
    }
}

/// A place for named bytes. Names are relative to the place: `state.json`, `journal/00000003/00000001.log`.
pub trait Objects: Send + Sync {
    /// The place as a user wrote it, without credentials: `s3://acme-state/brickform/prod`.
    fn place(&self) -> String;
    /// How writers are kept apart here.
    fn locking(&self) -> Locking;
    /// Which credentials are used, and where they came from, never their value; none where there is nothing to say.
    fn credentials(&self) -> Option<String> {
        None
    }
    /// An object; none where there is none of that name.
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Object>, ObjectError>>;
    /// Writes an object whole if the condition holds.
    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>, condition: Condition) -> BoxFuture<'a, Result<Put, ObjectError>>;
    /// The names that begin with `prefix` (which ends in `/` or is empty), sorted; nothing that exists is left out.
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, ObjectError>>;
    /// Deletes an object; one that is not there is deleted already.
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), ObjectError>>;
}
