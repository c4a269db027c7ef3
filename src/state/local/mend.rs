//! Mending a state of this machine.

use super::{Local, beside, read_if_there, remove_if_there, write_whole};
use crate::state::format::{self, Trust};
use crate::state::journal::salvage_lines;
use crate::state::store::Side;
use crate::state::{Document, Mend, Moved, Remains, StateError, Store as _, Version};

impl Local {
    fn moved_file(&self) -> std::path::PathBuf {
        beside(&self.file, "moved")
    }

    /// Where the state is, if it was moved from here.
    pub(super) fn moved(&self) -> Result<Option<Moved>, StateError> {
        let Some(bytes) = read_if_there(&self.moved_file()).map_err(self.io("read"))? else { return Ok(None) };
        let damaged = |error: serde_json::Error| self.damaged(format!("{} is damaged: {error}", self.moved_file().display()));
        serde_json::from_slice(&bytes).map(Some).map_err(damaged)
    }
}

impl Mend for Local {
    fn remains(&self) -> Result<Remains, StateError> {
        let mut troubles = Vec::new();
        let document = match read_if_there(&self.file).map_err(self.io("read"))? {
            None => None,
            Some(bytes) => match self.read(&bytes, &self.place(), Trust::Edited) {
                Ok(document) => Some(document),
                Err(error @ StateError::Damaged { .. }) => {
                    troubles.push(error.to_string());
                    None
                }
                Err(error) => return Err(error),
            },
        };
        let bytes = read_if_there(&self.journal_file()).map_err(self.io("read"))?.unwrap_or_default();
        let (journal, damage) = salvage_lines(&bytes);
        troubles.extend(damage);
        let kept = self.serials().map_err(self.io("read"))?.pop();
        let current = document.as_ref().map(|document| super::fold(document.clone(), &journal.records).serial);
        let serial = current.max(kept).unwrap_or(0);
        Ok(Remains { document, records: journal.records, troubles, serial, moved: self.moved()? })
    }

    fn brought(&self, bytes: &[u8], from: &str) -> Result<Document, StateError> {
        self.read(bytes, from, Trust::Edited)
    }

    fn replace(&self, document: &Document, by: &str) -> Result<(), StateError> {
        self.save(document, by)
    }

    fn keep(&self, document: &Document, version: &Version) -> Result<(), StateError> {
        if self.serials().map_err(self.io("read"))?.contains(&version.serial) {
            return Ok(());
        }
        let written = format::write(document).map_err(|why| StateError::Unwritable { place: self.place(), why })?;
        let kept = self.keep_blobs(&written).and_then(|()| self.keep_with(&written.bytes, &Side::from(version)));
        kept.map_err(self.io("written"))
    }

    fn mark(&self, moved: Option<&Moved>) -> Result<(), StateError> {
        let done = match moved {
            None => remove_if_there(&self.moved_file()),
            Some(moved) => serde_json::to_vec_pretty(moved).map_err(Into::into).and_then(|bytes| write_whole(&self.moved_file(), &bytes)),
        };
        done.map_err(self.io("written"))
    }
}
