//! The versions that are kept beside a remote document, what is told of each, and what is cleared away.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::keeper::{Keeper, Position};
use super::lease::Lease;
use super::objects::{Condition, ObjectError, Objects};
use super::reading::fetch;
use super::saving::PAUSE;
use super::{DOCUMENT, PARALLEL, log};
use crate::model::{Outside, bounded};
use crate::state::store::Side;
use crate::state::{Document, Record, StateError, Version, cut_off, format};

/// A version that was not kept when it was made: of a save that was cut off after the document, or of an apply that was,
/// which is in the journal only.
#[derive(Clone)]
pub(super) struct Owed {
    what: What,
    side: Side,
}

#[derive(Clone)]
enum What {
    /// A document as it is there, its blobs too.
    Bytes(Vec<u8>),
    /// One that nobody wrote yet.
    Document(Box<Document>),
}

impl Owed {
    /// What is owed for this document and its journal; `kept`: the serials that are there.
    pub(super) fn of(before: &Document, bytes: &[u8], records: &[Record], kept: &[u64], outside: &Outside) -> Vec<Self> {
        let mut owed = vec![];
        if !kept.contains(&before.serial) {
            owed.push(Self { what: What::Bytes(bytes.to_vec()), side: Side::now(before, "apply", None, outside) });
        }
        for (version, note, document) in cut_off(before, records) {
            if !kept.contains(&version.serial) {
                let side = Side::now(&document, &version.by, note, outside);
                owed.push(Self { what: What::Document(Box::new(document)), side });
            }
        }
        owed
    }

    /// A version that is about to be kept.
    pub(super) fn with(bytes: Vec<u8>, side: Side) -> Self {
        Self { what: What::Bytes(bytes), side }
    }

    pub(super) fn serial(&self) -> u64 {
        self.side.serial
    }
}

impl Keeper {
    /// The serials of the versions that were kept, rising.
    pub(super) async fn serials(&self) -> Result<Vec<u64>, StateError> {
        let names = self.objects.list("versions/").await.map_err(|e| self.io("read", e))?;
        let serial = |name: &String| name.strip_prefix("versions/")?.strip_suffix(".json")?.parse().ok();
        let mut serials: Vec<u64> = names.iter().filter_map(serial).collect();
        serials.sort_unstable();
        Ok(serials)
    }

    /// Keeps a version with this side document; one that is there stays.
    pub(super) async fn keep_with(&self, bytes: &[u8], side: &Side) -> Result<(), StateError> {
        put_version(&*self.objects, bytes, side).await.map_err(|e| self.io("written", e))
    }

    /// The same without waiting for it; tried again for as long as a lease stands. What does not come to be is owed.
    pub(super) fn keep_beside(&self, bytes: Vec<u8>, side: Side) {
        let (objects, limit) = (Arc::clone(&self.objects), Duration::from_secs(self.settings.lease_seconds));
        let begun = tokio::time::Instant::now();
        let keeping = async move {
            while put_version(&*objects, &bytes, &side).await.is_err() {
                if begun.elapsed() + PAUSE >= limit {
                    return None;
                }
                tokio::time::sleep(PAUSE).await;
            }
            Some(side.serial)
        };
        self.chores().push(tokio::spawn(keeping));
    }

    /// Makes up for versions that are owed, before the document of serial `saving` takes their place. Gives their serials.
    pub(super) async fn keep_owed(&self, owed: &[Owed], saving: u64) -> Result<Vec<u64>, StateError> {
        let mut kept = vec![];
        for Owed { what, side } in owed.iter().filter(|owed| owed.serial() < saving) {
            match what {
                What::Bytes(bytes) => self.keep_with(bytes, side).await?,
                What::Document(document) => {
                    let written = self.write(document)?;
                    self.keep_blobs(&written, &BTreeSet::new()).await?;
                    self.keep_with(&written.bytes, side).await?;
                }
            }
            kept.push(side.serial);
        }
        Ok(kept)
    }

    /// When a version was written; none where nobody knows.
    pub(super) async fn time_of(&self, serial: Option<&u64>) -> Option<jiff::Timestamp> {
        let side = self.objects.get(&side_of(*serial?)).await.ok()??;
        serde_json::from_slice::<Side>(&side.bytes).ok()?.at.parse().ok()
    }

    /// The versions, newest first.
    pub(super) async fn history(&self) -> Result<Vec<Version>, StateError> {
        self.end_chores().await;
        let mut serials = self.serials().await?;
        serials.reverse();
        let names = serials.iter().map(|serial| side_of(*serial)).collect();
        let sides = fetch(&self.objects, names, bounded::RECORD).await.map_err(|e| self.io("read", e))?;
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

    /// While an apply goes on, makes room for the version that it will keep, so that its end has nothing to clear away.
    pub(super) fn make_room(&self, position: &mut Option<Position>) {
        let most = self.settings.versions.max(2) - 1;
        let Some(position) = position.as_mut().filter(|position| position.kept.len() > most) else { return };
        let gone = position.kept.drain(..position.kept.len() - most).collect();
        let (objects, lease) = (Arc::clone(&self.objects), Arc::clone(&self.lease));
        let (kept, needed) = (position.kept.clone(), position.blobs.clone());
        self.chores().push(tokio::spawn(async move {
            clear_away(&objects, &lease, gone, kept, needed).await;
            None
        }));
    }

    /// Clears away versions beyond those that are kept, their journals, and blobs that nothing kept names.
    pub(super) async fn prune(&self, position: &mut Position) {
        let beyond = position.kept.len().saturating_sub(self.settings.versions);
        if beyond > 0 {
            let gone = position.kept.drain(..beyond).collect();
            clear_away(&self.objects, &self.lease, gone, position.kept.clone(), position.blobs.clone()).await;
        }
    }

    /// The document of a kept version.
    pub(super) async fn version(&self, serial: u64) -> Result<Option<Document>, StateError> {
        self.end_chores().await;
        let object = self.objects.get(&version(serial)).await.map_err(|e| self.io("read", e))?;
        match object {
            Some(object) => self.document(&object.bytes).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Writes a version and its side document, unless they are there.
async fn put_version(objects: &dyn Objects, bytes: &[u8], side: &Side) -> Result<(), ObjectError> {
    let mut text = serde_json::to_vec_pretty(side).map_err(|e| ObjectError::new(e.to_string()))?;
    text.push(b'\n');
    let (version, told) = (version(side.serial), side_of(side.serial));
    let (version, told) =
        tokio::join!(objects.put(&version, bytes.to_vec(), Condition::Absent), objects.put(&told, text, Condition::Absent));
    version.and(told).map(drop)
}

/// Deletes versions with what belongs to them, then the blobs that neither those that stay nor the document (`needed`: by
/// digest) name. What cannot be deleted now is a matter of a later time.
async fn clear_away(objects: &Arc<dyn Objects>, lease: &Lease, gone: Vec<u64>, kept: Vec<u64>, mut needed: BTreeSet<String>) {
    let mut names = vec![];
    for serial in gone {
        names.extend([version(serial), side_of(serial)]);
        names.extend(objects.list(&log::folder(serial)).await.unwrap_or_default());
    }
    delete(objects, names, || true).await;
    let Ok(there) = objects.list("blobs/").await else { return };
    let unneeded = |needed: &BTreeSet<String>| -> Vec<String> {
        there.iter().filter(|name| name.strip_prefix("blobs/").is_none_or(|digest| !needed.contains(digest))).cloned().collect()
    };
    if unneeded(&needed).is_empty() {
        return;
    }
    // One by one: together they may be more than memory holds.
    for name in kept.into_iter().map(version) {
        // A version that is not there or cannot be read may name anything: nothing is cleared away then.
        let Ok(Some(object)) = objects.get(&name).await else { return };
        needed.extend(format::blobs_of(&object.bytes));
    }
    // Somebody else may need by now what nobody needed when we looked: nothing is deleted once that may be.
    let _until_done = lease.deleting().await;
    delete(objects, unneeded(&needed), || matches!(lease.surely(), Some(Ok(())))).await;
}

/// Deletes as long as that may be; what was begun then is waited for.
async fn delete(objects: &Arc<dyn Objects>, names: Vec<String>, may: impl Fn() -> bool) {
    let mut tasks = JoinSet::new();
    for name in names {
        if tasks.len() >= PARALLEL {
            let _ = tasks.join_next().await;
        }
        if !may() {
            break;
        }
        let objects = Arc::clone(objects);
        tasks.spawn(async move { objects.delete(&name).await });
    }
    while tasks.join_next().await.is_some() {}
}

fn version(serial: u64) -> String {
    format!("versions/{serial:08}.json")
}

fn side_of(serial: u64) -> String {
    format!("versions/{serial:08}.side.json")
}
