//! Mending a remote state.

use std::collections::BTreeSet;

use super::keeper::{Keeper, Position};
use super::objects::{Condition, ObjectError};
use super::versions::Owed;
use super::{DOCUMENT, Remote, log};
use crate::state::format::Trust;
use crate::state::store::Side;
use crate::state::{Document, Mend, Moved, Remains, StateError, Version, fold};

/// Where it says that the state was moved from here. Never sealed: it is read by those with an old configuration.
pub(super) const MOVED: &str = "moved.json";

impl Mend for Remote {
    fn remains(&self) -> Result<Remains, StateError> {
        let keeper = std::sync::Arc::clone(&self.keeper);
        self.wait(async move { keeper.remains().await })
    }

    fn brought(&self, bytes: &[u8], from: &str) -> Result<Document, StateError> {
        let (keeper, bytes, from) = (std::sync::Arc::clone(&self.keeper), bytes.to_vec(), from.to_owned());
        self.wait(async move { keeper.read_as(&bytes, &from, Trust::Edited).await })
    }

    fn replace(&self, document: &Document, by: &str) -> Result<(), StateError> {
        let (keeper, document, by) = (std::sync::Arc::clone(&self.keeper), document.clone(), by.to_owned());
        self.wait(async move { keeper.replace(&document, &by).await })
    }

    fn keep(&self, document: &Document, version: &Version) -> Result<(), StateError> {
        let (keeper, document, side) = (std::sync::Arc::clone(&self.keeper), document.clone(), Side::from(version));
        self.wait(async move {
            let written = keeper.write(&document)?;
            keeper.keep_blobs(&written, &BTreeSet::new()).await?;
            keeper.keep_with(&written.bytes, &side).await
        })
    }

    fn mark(&self, moved: Option<&Moved>) -> Result<(), StateError> {
        let (keeper, moved) = (std::sync::Arc::clone(&self.keeper), moved.cloned());
        self.wait(async move { keeper.mark(moved.as_ref()).await })
    }
}

impl Keeper {
    pub(super) async fn remains(&self) -> Result<Remains, StateError> {
        let mut troubles = Vec::new();
        let document = match DOCUMENT.read(&*self.objects).await.map_err(|e| self.io("read", e))? {
            None => None,
            Some((bytes, _)) => match self.read_as(&bytes, &self.objects.place(), Trust::Edited).await {
                Ok(document) => Some(document),
                Err(error @ StateError::Damaged { .. }) => {
                    troubles.push(error.to_string());
                    None
                }
                Err(error) => return Err(error),
            },
        };
        let (records, damage) = match &document {
            None => (vec![], None),
            Some(document) => log::salvage(&self.objects, document.serial).await.map_err(|e| self.io("read", e))?,
        };
        troubles.extend(damage);
        let current = document.as_ref().map(|document| fold(document.clone(), &records).serial);
        let serial = current.max(self.serials().await?.pop()).max(self.last_journal().await?).unwrap_or(0);
        Ok(Remains { document, records, troubles, serial, moved: self.moved().await? })
    }

    /// The serial of the last document that has a journal.
    async fn last_journal(&self) -> Result<Option<u64>, StateError> {
        let names = self.objects.list("journal/").await.map_err(|e| self.io("read", e))?;
        Ok(names.iter().filter_map(|name| name.strip_prefix("journal/")?.split('/').next()?.parse().ok()).max())
    }

    /// As `save`, over whatever is there. The document is compared and swapped all the same.
    pub(super) async fn replace(&self, document: &Document, by: &str) -> Result<(), StateError> {
        self.forget_ahead();
        let (found, kept) = tokio::join!(DOCUMENT.read(&*self.objects), self.serials());
        let (found, kept) = (found.map_err(|e| self.io("read", e))?, kept?);
        let (mut log, mut owed) = (None, vec![]);
        if let Some((bytes, _)) = &found
            && let Ok(before) = self.read_as(bytes, &self.objects.place(), Trust::Edited).await
        {
            // A journal that is damaged has no next number: nobody can go on with it.
            let reading = self.log(before.serial).await.ok();
            if let Ok(before) = self.document(bytes).await {
                let records = reading.as_ref().map_or(&[][..], |reading| &reading.records);
                owed = Owed::of(&before, bytes, records, &kept, &self.outside);
            }
            log = reading.map(|reading| reading.log);
        }
        let fenced = log.is_some();
        let mark = found.map(|(_, mark)| mark);
        let mut position = self.position.lock().await;
        *position = Some(Position { mark, log: log.unwrap_or_default(), kept, owed, ..Position::default() });
        if fenced {
            drop(position);
            return self.save(document, by).await;
        }
        self.lease.ensure(&*self.objects).await.map_err(|why| self.lost(why))?;
        self.put_document(position, document, by).await
    }

    /// Where the state is, if it was moved from here.
    pub(super) async fn moved(&self) -> Result<Option<Moved>, StateError> {
        let Some(object) = self.objects.get(MOVED).await.map_err(|e| self.io("read", e))? else { return Ok(None) };
        serde_json::from_slice(&object.bytes).map(Some).map_err(|error| self.damaged(format!("{MOVED} is damaged: {error}")))
    }

    async fn mark(&self, moved: Option<&Moved>) -> Result<(), StateError> {
        self.objects.delete(MOVED).await.map_err(|e| self.io("written", e))?;
        let Some(moved) = moved else { return Ok(()) };
        let bytes = serde_json::to_vec_pretty(moved).map_err(|e| self.io("written", ObjectError::new(e.to_string())))?;
        self.objects.put(MOVED, bytes, Condition::Absent).await.map_err(|e| self.io("written", e))?;
        match self.moved().await? {
            Some(there) if there == *moved => Ok(()),
            _ => Err(self.lost("somebody else moved it".to_owned())),
        }
    }
}
