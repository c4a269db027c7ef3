//! Mending: what is left of a state that is damaged or was moved, and how another takes its place.

use super::{Document, Record, StateError, Store, Version, fold};

/// What is left of a state, however bad it is.
#[derive(Debug, Default)]
pub struct Remains {
    /// The document, if it can be read; what it says may have been changed by hand.
    pub document: Option<Document>,
    /// What its journal says, up to where it is damaged.
    pub records: Vec<Record>,
    /// What is wrong, each a sentence.
    pub troubles: Vec<String>,
    /// The highest serial that anything has that is left.
    pub serial: u64,
    /// Whether it is somewhere else now.
    pub moved: Option<Moved>,
}

impl Remains {
    /// The document with its journal, as far as both can be read.
    #[must_use]
    pub fn current(&self) -> Option<Document> {
        self.document.clone().map(|document| fold(document, &self.records))
    }

    /// A document that somebody brings, as the next one of this state: what an apply that was cut off left in the journal of
    /// that very document is folded in, and it counts on from whatever is left.
    #[must_use]
    pub fn next(&self, document: Document) -> Document {
        let mut document = fold(document, &self.records);
        document.serial = self.serial.max(document.serial) + 1;
        document
    }
}

/// What is left at a place that a state was moved from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Moved {
    /// Where it is now.
    pub to: String,
    /// Who moved it.
    pub by: String,
    /// When, RFC 3339.
    pub at: String,
}

impl Moved {
    /// As an error of the place that it was moved from.
    pub(super) fn error(self, place: String) -> StateError {
        let Self { to, by, at } = self;
        StateError::Moved { place, to, by, at }
    }
}

/// A store whose state can be mended. All under its lock.
pub trait Mend: Store {
    /// What is left of the state, whatever became of it: for those who mend it.
    ///
    /// # Errors
    /// The place cannot be read, or what is there is not for this build, project or environment to replace.
    fn remains(&self) -> Result<Remains, StateError>;
    /// Reads a document that somebody brings: edited, or written elsewhere. Its checksum is not asked for; long text that it
    /// names is taken from here. `from`: where it comes from, for messages.
    ///
    /// # Errors
    /// It is no document of this project and environment.
    fn brought(&self, bytes: &[u8], from: &str) -> Result<Document, StateError>;
    /// As [`Store::save`], over whatever is there.
    ///
    /// # Errors
    /// [`StateError`].
    fn replace(&self, document: &Document, by: &str) -> Result<(), StateError>;
    /// Takes in a version that was kept elsewhere; one of the same serial that is here stays.
    ///
    /// # Errors
    /// [`StateError`].
    fn keep(&self, document: &Document, version: &Version) -> Result<(), StateError>;
    /// Says that the state is somewhere else now, or (none) that it is here again.
    ///
    /// # Errors
    /// [`StateError`].
    fn mark(&self, moved: Option<&Moved>) -> Result<(), StateError>;
}

impl<S: Mend + ?Sized> Mend for std::sync::Arc<S> {
    fn remains(&self) -> Result<Remains, StateError> {
        (**self).remains()
    }
    fn brought(&self, bytes: &[u8], from: &str) -> Result<Document, StateError> {
        (**self).brought(bytes, from)
    }
    fn replace(&self, document: &Document, by: &str) -> Result<(), StateError> {
        (**self).replace(document, by)
    }
    fn keep(&self, document: &Document, version: &Version) -> Result<(), StateError> {
        (**self).keep(document, version)
    }
    fn mark(&self, moved: Option<&Moved>) -> Result<(), StateError> {
        (**self).mark(moved)
    }
}
