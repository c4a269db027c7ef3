//! The versions that are kept beside a remote document, what is told of each, and what is cleared away.

use std::collections::BTreeSet;

use super::{Condition, DOCUMENT, Keeper, ObjectError, blob, fetch, log};
use crate::state::store::Side;
use crate::state::{Document, Note, StateError, Version, cut_off, format};

impl Keeper {
    /// The serials of the versions that were kept, rising.
    pub(super) async fn serials(&self) -> Result<Vec<u64>, StateError> {
        let names = self.objects.list("versions/").await.map_err(|e| self.io("read", e))?;
        let serial = |name: &String| name.strip_prefix("versions/")?.strip_suffix(".json")?.parse().ok();
        let mut serials: Vec<u64> = names.iter().filter_map(serial).collect();
        serials.sort_unstable();
        Ok(serials)
    }

    /// Keeps a document as a version, with its side document.
    pub(super) async fn keep_version(&self, document: &Document, bytes: &[u8], by: &str, note: Option<Note>) -> Result<(), StateError> {
        self.keep_with(bytes, &Side::now(document, by, note, &self.outside)).await
    }

    /// Keeps a version with this side document; one that is there stays.
    pub(super) async fn keep_with(&self, bytes: &[u8], side: &Side) -> Result<(), StateError> {
        let mut text = serde_json::to_vec_pretty(side).map_err(|e| self.io("written", ObjectError::new(e.to_string())))?;
        text.push(b'\n');
        for (name, bytes) in [(version(side.serial), bytes.to_vec()), (side_of(side.serial), text)] {
            self.objects.put(&name, bytes, Condition::Absent).await.map_err(|e| self.io("written", e))?;
        }
        Ok(())
    }

    /// Versions that were not kept when they were made are made up for before the document is replaced: of a save that was
    /// cut off after the document, and of applies that were, which are in the journal only.
    pub(super) async fn keep_before(&self, saving: u64) -> Result<(), StateError> {
        let Some((bytes, _)) = DOCUMENT.read(&*self.objects).await.map_err(|e| self.io("read", e))? else { return Ok(()) };
        // One that cannot be read any more is being replaced.
        let Ok(before) = self.document(&bytes).await else { return Ok(()) };
        if before.serial < saving && !self.serials().await?.contains(&before.serial) {
            self.keep_version(&before, &bytes, "apply", None).await?;
        }
        let records = self.log(before.serial).await.map(|reading| reading.records).unwrap_or_default();
        for (version, note, document) in cut_off(&before, &records) {
            if version.serial < saving {
                let written = format::write(&document).map_err(|why| StateError::Unwritable { place: self.objects.place(), why })?;
                self.keep_blobs(&written).await?;
                self.keep_version(&document, &written.bytes, &version.by, note).await?;
            }
        }
        Ok(())
    }

    /// The versions, newest first.
    pub(super) async fn history(&self) -> Result<Vec<Version>, StateError> {
        let mut serials = self.serials().await?;
        serials.reverse();
        let names = serials.iter().map(|serial| side_of(*serial)).collect();
        let sides = fetch(&self.objects, names).await.map_err(|e| self.io("read", e))?;
        let told = |bytes: Option<Vec<u8>>| serde_json::from_slice::<Side>(&bytes?).ok();
        let kept =
            serials.iter().zip(sides).map(|(serial, (_, bytes))| told(bytes).map_or_else(|| Version::unknown(*serial), Version::from));
        let mut all: Vec<Version> = kept.collect();
        if let Some((bytes, _)) = DOCUMENT.read(&*self.objects).await.map_err(|e| self.io("read", e))? {
            // The versions are told of also where the document or its journal are damaged: that is when they are asked for.
            if let Ok(document) = self.document(&bytes).await
                && let Ok(reading) = self.log(document.serial).await
            {
                let open = cut_off(&document, &reading.records).into_iter().map(|(version, ..)| version);
                all.extend(open.filter(|version| !serials.contains(&version.serial)));
            }
        }
        all.sort_by_key(|version| std::cmp::Reverse(version.serial));
        Ok(all)
    }

    /// Clears away versions beyond those that are kept, their journals, and blobs that nothing kept names. What cannot be
    /// cleared away now is cleared away after the next save.
    pub(super) async fn prune(&self, written: &format::Written) {
        let Ok(mut serials) = self.serials().await else { return };
        serials.reverse();
        let gone: Vec<u64> = serials.iter().skip(self.settings.versions).copied().collect();
        if gone.is_empty() {
            return;
        }
        for serial in &gone {
            let _ = self.objects.delete(&version(*serial)).await;
            let _ = self.objects.delete(&side_of(*serial)).await;
            for segment in self.objects.list(&log::folder(*serial)).await.unwrap_or_default() {
                let _ = self.objects.delete(&segment).await;
            }
        }
        self.prune_blobs(&serials[..serials.len() - gone.len()], written).await;
    }

    async fn prune_blobs(&self, kept: &[u64], written: &format::Written) {
        let Ok(there) = self.objects.list("blobs/").await else { return };
        if there.iter().all(|name| name.strip_prefix("blobs/").is_some_and(|digest| written.blobs.contains_key(digest))) {
            return;
        }
        let names = kept.iter().map(|serial| version(*serial)).collect();
        let Ok(versions) = fetch(&self.objects, names).await else { return };
        let mut needed: BTreeSet<String> = written.blobs.keys().map(|digest| blob(digest)).collect();
        for (_, bytes) in versions {
            // A version that is not there or cannot be read may name anything: nothing is cleared away then.
            let Some(bytes) = bytes else { return };
            needed.extend(format::blobs_of(&bytes).iter().map(|digest| blob(digest)));
        }
        for name in there {
            if !needed.contains(&name) {
                let _ = self.objects.delete(&name).await;
            }
        }
    }

    /// The document of a kept version.
    pub(super) async fn version(&self, serial: u64) -> Result<Option<Document>, StateError> {
        let object = self.objects.get(&version(serial)).await.map_err(|e| self.io("read", e))?;
        match object {
            Some(object) => self.document(&object.bytes).await.map(Some),
            None => Ok(None),
        }
    }
}

fn version(serial: u64) -> String {
    format!("versions/{serial:08}.json")
}

fn side_of(serial: u64) -> String {
    format!("versions/{serial:08}.side.json")
}
