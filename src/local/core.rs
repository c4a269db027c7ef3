//! The workspace itself: its store, its writer, its id. Shared by every clone, however each behaves.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::LocalError;
use super::database::{self, Writer};
use super::exchange::digest;
use super::services;
use super::store::{Batch, Store, Transaction};
use crate::model::{Map, Value};

/// The name under which a batch carries the workspace id.
pub const WORKSPACE_ID: &str = "$workspace_id";
/// How many requests stale reads can look back.
pub const LONGEST_LAG: usize = 256;

/// One workspace.
pub struct Core {
    store: Mutex<Store>,
    writer: Option<Writer>,
    workspace_id: u64,
    place: String,
    broken: AtomicBool,
}

/// The result of a request and the write it waits for.
pub struct Done<T> {
    /// The result.
    pub result: T,
    written: Option<tokio::sync::oneshot::Receiver<Result<(), String>>>,
}

impl<T> Done<T> {
    /// The result once its write is on disk.
    ///
    /// # Errors
    /// Why it could not be written.
    pub async fn settled(self, core: &Core) -> Result<T, String> {
        if let Some(written) = self.written {
            let outcome = written.await.unwrap_or_else(|_| Err("the writer has ended".to_owned()));
            if outcome.is_err() {
                core.broken.store(true, Ordering::Relaxed);
            }
            outcome?;
        }
        Ok(self.result)
    }
}

impl Core {
    /// Opens the file, or makes a workspace in memory; a new one is seeded with what every workspace has.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn open(file: Option<&Path>, wanted_id: Option<u64>, now: i64) -> Result<Self, LocalError> {
        let (store, stored_id, writer) = match file {
            None => (Store::default(), None, None),
            Some(file) => {
                let opened = database::open(file)?;
                (opened.store, opened.workspace_id, Some(opened.writer))
            }
        };
        let place = file.map_or_else(|| "memory".to_owned(), |f| f.display().to_string());
        let workspace_id = stored_id.or(wanted_id).unwrap_or_else(random_id);
        let core = Self { store: Mutex::new(store), writer, workspace_id, place, broken: AtomicBool::new(false) };
        if stored_id.is_none() {
            core.seed(now)?;
        }
        Ok(core)
    }

    /// Another one in memory that holds what this one holds now: the two share nothing from here on.
    ///
    /// # Errors
    /// [`LocalError::Open`] after a request that failed while it held the store.
    pub fn copy(&self) -> Result<Self, LocalError> {
        let store = self.store.lock().map_err(|e| LocalError::Open { path: self.place.clone(), why: e.to_string() })?.clone();
        let (workspace_id, place) = (self.workspace_id, "memory".to_owned());
        Ok(Self { store: Mutex::new(store), writer: None, workspace_id, place, broken: AtomicBool::new(false) })
    }

    /// Its id.
    pub fn workspace_id(&self) -> u64 {
        self.workspace_id
    }

    /// Its metastore's id.
    pub fn metastore_id(workspace_id: u64) -> String {
        super::exchange::uuid_of(&digest("metastore", workspace_id))
    }

    /// Runs one request. What it wrote is kept if it succeeded, else undone.
    pub fn transact<T, E>(
        &self,
        lag: usize,
        request: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<Done<Result<T, E>>, String> {
        if self.broken.load(Ordering::Relaxed) {
            return Err("an earlier write failed; restart the workspace".to_owned());
        }
        let mut store = self.store.lock().map_err(|_| "a request failed while it held the store".to_owned())?;
        let (result, batch) = if lag == 0 {
            run(&mut store, request)
        } else {
            store.lagging(lag.min(LONGEST_LAG), |store| {
                let mut transaction = store.begin();
                let result = request(&mut transaction);
                (result, transaction.roll_back(0))
            })
        };
        if lag > 0 {
            // A read counts as a request, too: what is stale now is seen after enough of them.
            store.begin().commit(LONGEST_LAG);
        }
        let written = self.queue(batch);
        Ok(Done { result, written })
    }

    fn queue(&self, batch: Batch) -> Option<tokio::sync::oneshot::Receiver<Result<(), String>>> {
        if batch.is_empty() { None } else { self.writer.as_ref().map(|writer| writer.write(batch)) }
    }

    /// Empties it and seeds it anew; the id and the counters stay.
    ///
    /// # Errors
    /// [`LocalError::Open`] where the database cannot be written.
    pub fn reset(&self, now: i64) -> Result<(), LocalError> {
        let fail = |why: String| LocalError::Open { path: self.place.clone(), why };
        let gone = {
            let mut store = self.store.lock().map_err(|e| fail(e.to_string()))?;
            let objects = store.all().map(|(c, id, _)| ((c.to_owned(), id.to_owned()), None)).collect();
            store.clear();
            Batch { objects, counters: BTreeMap::new() }
        };
        self.queue(gone);
        self.seed(now)
    }

    fn seed(&self, now: i64) -> Result<(), LocalError> {
        let fail = |why: String| LocalError::Open { path: self.place.clone(), why };
        let mut batch = {
            let mut store = self.store.lock().map_err(|e| fail(e.to_string()))?;
            let mut transaction = store.begin();
            services::seed(&mut transaction, self.workspace_id, now);
            transaction.commit(LONGEST_LAG)
        };
        batch.counters.insert(WORKSPACE_ID.to_owned(), self.workspace_id);
        match self.queue(batch) {
            None => Ok(()),
            Some(written) => wait(written).map_err(fail),
        }
    }

    /// Every object, without what only the server sees.
    pub fn dump(&self) -> BTreeMap<String, Value> {
        let Ok(store) = self.store.lock() else { return BTreeMap::new() };
        store.all().map(|(collection, id, value)| (format!("{collection}/{id}"), visible(value))).collect()
    }
}

fn run<T, E>(store: &mut Store, request: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>) -> (Result<T, E>, Batch) {
    let mut transaction = store.begin();
    let result = request(&mut transaction);
    let batch = if result.is_ok() { transaction.commit(LONGEST_LAG) } else { transaction.roll_back(LONGEST_LAG) };
    (result, batch)
}

/// Waits for a write without blocking on a runtime: the writer is a thread of its own.
fn wait(mut written: tokio::sync::oneshot::Receiver<Result<(), String>>) -> Result<(), String> {
    loop {
        match written.try_recv() {
            Ok(outcome) => return outcome,
            Err(tokio::sync::oneshot::error::TryRecvError::Empty) => std::thread::sleep(std::time::Duration::from_micros(200)),
            Err(tokio::sync::oneshot::error::TryRecvError::Closed) => return Err("the writer has ended".to_owned()),
        }
    }
}

/// An object as replies may show it: members whose name begins with `$` are the server's own.
pub fn visible(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            Value::Map(map.iter().filter(|(k, _)| !k.starts_with('$')).map(|(k, v)| (k.clone(), v.clone())).collect::<Map>())
        }
        other => other.clone(),
    }
}

/// Fifteen or sixteen digits, as workspace ids have.
fn random_id() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    1_000_000_000_000_000 + random % 8_000_000_000_000_000
}
