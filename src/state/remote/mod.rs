//! A state that a team shares: document, lease, journal, versions and blobs in a store of named bytes.
//!
//! ```text
//! state.json                      the document                    (or state/00000007.json, the highest counts)
//! lease.json                      who may write                   (or lease/…)
//! journal/00000003/00000001.log   what was done since the document of serial 3, in segments that are created only
//! versions/00000003.json          kept versions, each with a side document
//! blobs/DIGEST                    long text
//! ```
//!
//! [`Store`] blocks; what is asked of it is carried out by a thread of its own, which also renews the lease and writes
//! records that need not be durable at once within half a second.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Handle, Runtime, RuntimeFlavor};
use tokio::task::JoinHandle;

use super::store::{Appending, Leave, Waiting};
use super::{Document, Flush, LockInfo, Note, Record, StateError, Store, Version};
use crate::model::Outside;

#[cfg(feature = "azure")]
mod azure;
mod cell;
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
mod cloud;
#[cfg(test)]
#[cfg(all(feature = "s3", feature = "azure", feature = "gcs"))]
mod credentials;
#[cfg(any(feature = "azure", feature = "gcs"))]
mod federation;
pub mod files;
#[cfg(feature = "gcs")]
mod gcs;
#[cfg(test)]
mod interrupted;
mod keeper;
mod lease;
mod log;
pub mod memory;
mod mend;
pub mod objects;
mod open;
#[cfg(test)]
mod pace;
mod place;
mod probe;
mod reading;
#[cfg(feature = "s3")]
mod s3;
mod saving;
mod seal;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trouble;
mod unlock;
mod versions;

use cell::Cell;
use keeper::Keeper;
use lease::Patience;
use objects::Objects;
pub use open::open;
pub use place::{Bucket, Place, PlaceError};
pub use probe::{Probe, probe};
pub use seal::{Open, Sealed};

const DOCUMENT: Cell = Cell("state");
/// Most requests to the store at a time.
const PARALLEL: usize = 16;
/// How long giving back the lease may take: after that it runs out by itself.
const FAREWELL: Duration = Duration::from_secs(10);

/// Whose state, and how it is kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The project's name; empty for whoever only looks.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// Seconds that a lease stands without being renewed.
    pub lease_seconds: u64,
    /// How many versions are kept.
    pub versions: usize,
}

/// A state in a store that many reach.
pub struct Remote {
    keeper: Arc<Keeper>,
    runtime: Option<Runtime>,
    /// The tasks that renew the lease and write what need not be durable at once; none while no lease is held.
    beating: Mutex<Vec<JoinHandle<()>>>,
}

impl Remote {
    /// The state in this store. Nothing is read or made yet.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn new(objects: Arc<dyn Objects>, settings: Settings, outside: &Outside) -> Result<Self, StateError> {
        let place = objects.place();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("state").enable_all().build();
        let runtime = runtime.map_err(|error| StateError::Io { place, verb: "read", why: error.to_string() })?;
        let keeper = Keeper::new(objects, settings, outside);
        Ok(Self { keeper: Arc::new(keeper), runtime: Some(runtime), beating: Mutex::default() })
    }

    fn thread(&self) -> &Handle {
        self.runtime.as_ref().expect("it is let go of in drop only").handle()
    }

    /// Carries something out on the thread and waits for it.
    fn wait<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let (done, answer) = std::sync::mpsc::channel();
        self.thread().spawn(async move {
            // Whoever asked is still there: this call waits.
            let _ = done.send(work.await);
        });
        let wait = || answer.recv().expect("the thread answers each call");
        match Handle::try_current() {
            Ok(here) if here.runtime_flavor() == RuntimeFlavor::MultiThread => tokio::task::block_in_place(wait),
            _ => wait(),
        }
    }

    /// Two tasks, so that a journal which the store does not take keeps no lease from being renewed.
    fn begin_beating(&self) {
        let renewing = self.thread().spawn(Arc::clone(&self.keeper).go_on_renewing());
        let writing = self.thread().spawn(Arc::clone(&self.keeper).go_on_writing());
        for before in std::mem::replace(&mut *self.beating(), vec![renewing, writing]) {
            before.abort();
        }
    }

    fn beating(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.beating.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries out whether the store keeps its word: [`probe`].
    #[must_use]
    pub fn try_out(&self, id: &str) -> Vec<Probe> {
        let (keeper, id) = (Arc::clone(&self.keeper), id.to_owned());
        self.wait(async move { probe(&*keeper.objects, &id).await })
    }

    /// Which credentials are used, and where they came from, never their value; none where there is nothing to say.
    #[must_use]
    pub fn credentials(&self) -> Option<String> {
        self.keeper.objects.credentials()
    }

    /// Whether the document that is there is sealed; none where there is none. For one that was made of a store as it is.
    ///
    /// # Errors
    /// The store.
    pub fn is_sealed(&self) -> Result<Option<bool>, StateError> {
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move {
            let found = DOCUMENT.read(&*keeper.objects).await.map_err(|e| keeper.io("read", e))?;
            Ok(found.map(|(bytes, _)| seal::is_sealed(&bytes)))
        })
    }

    /// Who holds the lease; unlike [`Store::holder`] it says why that cannot be known.
    ///
    /// # Errors
    /// The store.
    pub fn held(&self) -> Result<Option<LockInfo>, StateError> {
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move { keeper.lease.holder(&*keeper.objects).await.map_err(|e| keeper.io("read", e)) })
    }

    /// Takes the lease from whoever holds it under this id. Gives who that was; none where nobody does.
    ///
    /// # Errors
    /// The store.
    pub fn free(&self, id: &str, by: &str) -> Result<Option<LockInfo>, StateError> {
        let (keeper, id, by) = (Arc::clone(&self.keeper), id.to_owned(), by.to_owned());
        self.wait(async move { keeper.free(&id, &by).await })
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // Whoever left early, with an error or in a panic, leaves no lease behind.
        if !self.beating().is_empty() {
            self.unlock();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Store for Remote {
    fn place(&self) -> String {
        self.keeper.objects.place()
    }

    fn load(&self) -> Result<Option<Document>, StateError> {
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move { keeper.load().await })
    }

    fn lock(&self, info: &LockInfo, waiting: Waiting<'_>) -> Result<Option<LockInfo>, StateError> {
        // What is said while it waits comes from the thread: it is passed on here, where the caller's borrow lives.
        let (said, heard) = std::sync::mpsc::channel();
        let (keeper, info, wait) = (Arc::clone(&self.keeper), info.clone(), waiting.wait);
        let (done, answer) = std::sync::mpsc::channel();
        self.thread().spawn(async move {
            let say = move |text| drop(said.send(text));
            let _ = done.send(keeper.take(&info, Patience { wait, say: &say }).await);
        });
        for text in heard {
            (waiting.say)(text);
        }
        let taken = answer.recv().expect("the thread answers each call")?;
        self.begin_beating();
        Ok(taken)
    }

    fn unlock(&self) {
        for task in std::mem::take(&mut *self.beating()) {
            task.abort();
        }
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move {
            let _ = tokio::time::timeout(FAREWELL, keeper.give_back()).await;
        });
        *self.keeper.noted() = None;
    }

    fn holder(&self) -> Option<LockInfo> {
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move { keeper.lease.holder(&*keeper.objects).await }).ok().flatten()
    }

    fn standing(&self) -> Result<(), StateError> {
        self.keeper.lease.standing().map_err(|why| self.keeper.lost(why))
    }

    fn leave(&self) -> Leave {
        let keeper = Arc::clone(&self.keeper);
        let thread = self.thread().clone();
        Leave::new(move || {
            if let Some(known) = keeper.lease.surely().filter(|_| keeper.is_fenced()) {
                return Box::pin(std::future::ready(known));
            }
            let keeper = Arc::clone(&keeper);
            let asking = thread.spawn(async move { keeper.may_send().await });
            Box::pin(async move { asking.await.unwrap_or_else(|stopped| Err(stopped.to_string())) })
        })
    }

    fn append(&self, records: &[Record], flush: Flush) -> Result<(), StateError> {
        self.standing()?;
        self.keeper.waiting().extend_from_slice(records);
        if flush == Flush::Later {
            return Ok(());
        }
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move { keeper.flush_pending().await })
    }

    fn begin_append(&self, records: &[Record]) -> Appending {
        if let Err(lost) = self.standing() {
            return Appending::Done(Err(lost));
        }
        self.keeper.waiting().extend_from_slice(records);
        let (keeper, writer) = (Arc::clone(&self.keeper), Arc::clone(&self.keeper));
        let writing = self.thread().spawn(async move { writer.flush_pending().await });
        Appending::UnderWay(Box::pin(async move { writing.await.unwrap_or_else(|stopped| Err(keeper.lost(stopped.to_string()))) }))
    }

    fn ahead(&self) {
        Arc::clone(&self.keeper).look_ahead(self.thread());
    }

    fn is_there(&self) -> Result<bool, StateError> {
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move { keeper.is_there().await })
    }

    fn written(&self) -> Option<jiff::Timestamp> {
        let keeper = Arc::clone(&self.keeper);
        let known = self.wait(async move { keeper.position.lock().await.as_ref().and_then(|position| position.written) });
        known.or_else(|| Version::newest_time(&self.history().ok()?))
    }

    fn save(&self, document: &Document, by: &str) -> Result<(), StateError> {
        let (keeper, document, by) = (Arc::clone(&self.keeper), document.clone(), by.to_owned());
        self.wait(async move { keeper.save(&document, &by).await })
    }

    fn annotate(&self, note: Note) {
        *self.keeper.noted() = Some(note);
    }

    fn noted(&self) -> Option<Note> {
        self.keeper.noted().clone()
    }

    fn kept(&self, serial: u64) -> Result<Option<Document>, StateError> {
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move { keeper.version(serial).await })
    }

    fn history(&self) -> Result<Vec<Version>, StateError> {
        let keeper = Arc::clone(&self.keeper);
        self.wait(async move { keeper.history().await })
    }
}
