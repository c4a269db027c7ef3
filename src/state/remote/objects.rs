//! What a remote backend has to be able to do: keep named bytes, and refuse a write whose condition does not hold.
//!
//! Everything that makes a shared state safe (lease, journal, document) is built on the two conditions alone, once for all
//! stores.

use crate::client::BoxFuture;
use crate::model::bounded;

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

/// The most bytes of an object of this name. What is larger is neither read nor written: nobody could read it back.
#[must_use]
pub(super) fn most(name: &str) -> u64 {
    let notes = ["lease", "moved.json", "probe/"];
    let is_note = notes.iter().any(|start| name.starts_with(start)) || name.ends_with(".side.json");
    if is_note { bounded::NOTE } else { bounded::RECORD }
}

/// Refuses an object by its size, before it is read or written.
///
/// # Errors
/// It is larger than an object of this name may be.
pub(super) fn fits(name: &str, size: u64) -> Result<(), ObjectError> {
    let most = most(name);
    if size <= most {
        return Ok(());
    }
    let next = match name.split(['.', '/']).next() {
        Some("lease") => "delete it with the store's own tools once nobody applies",
        Some("state") => "move it away with the store's own tools: the next command then says how a kept version comes back",
        _ => "move it away with the store's own tools",
    };
    Err(ObjectError {
        why: format!("{name} is too large: {}", bounded::sizes(size, most)),
        help: vec![format!("Brickform reads and writes none of that size: {next}")],
        about: About::Anything,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sort_of_object_has_its_size() {
        let (note, record) = (1 << 20, 1 << 30);
        for (name, most) in [
            ("lease.json", note),
            ("lease/00000007.json", note),
            ("moved.json", note),
            ("probe/a1.json", note),
            ("versions/00000003.side.json", note),
            ("versions/00000003.json", record),
            ("state.json", record),
            ("state/00000002.json", record),
            ("journal/00000003/00000001.log", record),
            ("blobs/0f", record),
        ] {
            assert_eq!(fits(name, most), Ok(()), "{name}");
            let error = fits(name, most + 1).unwrap_err();
            assert!(error.why.starts_with(&format!("{name} is too large: ")) && error.is_for_a_person(), "{error}");
        }
    }
}
