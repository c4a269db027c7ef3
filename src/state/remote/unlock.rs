//! Taking the lease from a holder by hand. Whoever held it may still run, sure of the lease until it renews it: an empty
//! segment where it would write next stops it at its next record, within half a second.

use std::time::Duration;

use super::DOCUMENT;
use super::keeper::Keeper;
use super::log::{Stamina, Trouble};
use crate::state::{LockInfo, StateError};

/// How often the next number is looked for that the holder, which still writes, has not taken yet.
const TRIES: usize = 20;
/// How long the store is asked for one.
const LIMIT: Duration = Duration::from_secs(10);

impl Keeper {
    /// Frees the lease that is held under this id, and keeps its holder from the journal. Gives who that was; none where
    /// nobody holds it under the id.
    ///
    /// # Errors
    /// The store.
    pub(super) async fn free(&self, id: &str, by: &str) -> Result<Option<LockInfo>, StateError> {
        let before = self.lease.free(&*self.objects, id, by).await.map_err(|e| self.io("unlocked", e))?;
        if before.is_some() {
            self.fence_off().await?;
        }
        Ok(before)
    }

    async fn fence_off(&self) -> Result<(), StateError> {
        for _ in 0..TRIES {
            let found = DOCUMENT.read(&*self.objects).await.map_err(|e| self.io("read", e))?;
            let serial = match &found {
                Some((bytes, _)) => self.document(bytes).await?.serial,
                None => 0,
            };
            let mut log = self.log(serial).await?.log;
            let stamina = Stamina { limit: LIMIT, goes_on: &|| true };
            match log.write(&*self.objects, "unlocked", Vec::new, stamina).await {
                Ok(()) => return Ok(()),
                Err(Trouble::Fenced) => {}
                Err(Trouble::Store(error)) => return Err(self.io("unlocked", error)),
                Err(Trouble::Records(why)) => return Err(StateError::Unwritable { place: self.objects.place(), why }),
            }
        }
        // It writes faster than it is overtaken: what stops it is the lease, when it renews it.
        Ok(())
    }
}
