//! The embedded workspace: router, store, services (habits), faults. Behaves as the API does, from the catalogue and from
//! evidence of its own. Imports no kinds; used by the command line and by tests only.

mod answer;
mod core;
mod credentials;
mod database;
mod exchange;
mod faults;
mod federation;
mod limits;
mod peer;
mod record;
mod router;
mod routes;
mod serve;
#[expect(clippy::unnecessary_wraps, reason = "all handlers have one signature, also those that refuse nothing")]
mod services;
mod store;
mod validate;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use crate::client::{BoxFuture, Request, Response, Transport, TransportError};

pub use faults::{Fault, FaultError, FaultWhen, Faults};
pub use federation::{FederationPolicy, OidcPolicy};
pub use services::{Evidence, Habit};

/// An embedded workspace. Cheap to clone; all clones are one workspace.
#[derive(Clone)]
pub struct LocalWorkspace {
    inner: Arc<router::Inner>,
}

/// An embedded workspace that is not kept open by this handle.
#[derive(Clone)]
pub struct Faint(std::sync::Weak<router::Inner>);

impl Faint {
    /// The workspace, while somebody else keeps it open.
    #[must_use]
    pub fn workspace(&self) -> Option<LocalWorkspace> {
        self.0.upgrade().map(|inner| LocalWorkspace { inner })
    }
}

/// The workspace could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The database file cannot be opened.
    #[error("the local workspace at {path} cannot be opened: {why}")]
    Open {
        /// The file.
        path: String,
        /// The cause.
        why: String,
    },
    /// Another process holds it.
    #[error("the local workspace at {path} is in use by another process (waited {seconds} s)")]
    InUse {
        /// The file.
        path: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The port cannot be served.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// The address.
        address: String,
        /// The cause.
        why: String,
    },
}

/// How the workspace behaves beyond its habits.
#[derive(Debug, Clone, Default)]
pub struct LocalOptions {
    /// Delay of each answer in milliseconds.
    pub latency_ms: u64,
    /// Requests a second, per endpoint; above it 429 with Retry-After.
    pub rate_limit: Option<f64>,
    /// Failures on purpose.
    pub faults: Faults,
    /// Reads lag behind writes by this many requests.
    pub stale_reads: u32,
    /// Every request and answer as a line of JSON into this file.
    pub record: Option<std::path::PathBuf>,
    /// Names of rival habits to switch on (`job-gone-404`); see [`LocalWorkspace::rivals`].
    pub rivals: Vec<String>,
    /// The bearer tokens accepted over HTTP; empty: any non-empty one.
    pub tokens: Vec<String>,
    /// Bearer tokens answered with 403.
    pub denied_tokens: Vec<String>,
    /// How long an OAuth token holds, in seconds; none: an hour.
    pub token_seconds: Option<u64>,
    /// Whose ID tokens are exchanged for tokens; empty: anybody's.
    pub federation: Vec<FederationPolicy>,
    /// Who calls where no token says otherwise; none: `admin@brickform.local`.
    pub caller: Option<String>,
    /// The id that a new workspace gets; none: a random one. An existing database keeps its own.
    pub workspace_id: Option<u64>,
    /// How long asynchronous states take (a warehouse from STARTING to RUNNING), in milliseconds; none: 150.
    pub settle_ms: Option<u64>,
    /// The clock, and the program that ends a peer; none: the real ones.
    pub outside: Option<crate::model::Outside>,
}

impl LocalWorkspace {
    /// Opens or makes the database file; waits a bounded time for another process to let go of it.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn open(file: &Path, options: LocalOptions) -> Result<Self, LocalError> {
        router::open(Some(file), options).map(|inner| Self { inner: Arc::new(inner) })
    }

    /// A workspace in memory, for tests.
    ///
    /// # Errors
    /// [`LocalError`].
    pub fn in_memory(options: LocalOptions) -> Result<Self, LocalError> {
        router::open(None, options).map(|inner| Self { inner: Arc::new(inner) })
    }

    /// The same workspace (one database) behaving otherwise: other faults, other rivals, nothing killed yet, and a count of
    /// requests of its own.
    ///
    /// # Errors
    /// [`LocalError::Open`] where the file to record into cannot be opened.
    pub fn with(&self, options: LocalOptions) -> Result<Self, LocalError> {
        self.inner.with(options).map(|inner| Self { inner: Arc::new(inner) })
    }

    /// Another workspace in memory that holds what this one holds now and behaves alike, in this world: from here on the two
    /// have nothing to do with one another. Faults and the count of requests begin anew.
    ///
    /// # Errors
    /// [`LocalError::Open`] where a request failed in a way that leaves what it holds unknown.
    pub fn copy(&self, outside: crate::model::Outside) -> Result<Self, LocalError> {
        self.inner.copy(outside).map(|inner| Self { inner: Arc::new(inner) })
    }

    /// A handle that does not keep it open.
    #[must_use]
    pub fn faint(&self) -> Faint {
        Faint(Arc::downgrade(&self.inner))
    }

    /// Answers one request, after latency, limits and faults. `Err`: the connection is cut (a fault).
    ///
    /// # Errors
    /// A fault that cuts the connection, before or after the effect.
    pub async fn handle(&self, request: Request) -> Result<Response, TransportError> {
        router::handle(&self.inner, request).await
    }

    /// Serves it over HTTP on loopback until the future `stop` ends. `ready` gets the address actually bound.
    ///
    /// # Errors
    /// [`LocalError::Listen`].
    pub async fn serve(
        &self,
        address: &str,
        ready: Box<dyn FnOnce(std::net::SocketAddr) + Send>,
        stop: BoxFuture<'static, ()>,
    ) -> Result<(), LocalError> {
        serve::serve(self, address, ready, stop).await
    }

    /// Its workspace id; survives `reset`.
    #[must_use]
    pub fn workspace_id(&self) -> u64 {
        self.inner.workspace_id()
    }

    /// Empties it; the workspace id stays.
    ///
    /// # Errors
    /// [`LocalError::Open`].
    pub fn reset(&self) -> Result<(), LocalError> {
        self.inner.reset()
    }

    /// Every object in it, as sorted `type/id` → JSON, for comparing before and after (law 3). Ids the server picks and
    /// times are in it.
    #[must_use]
    pub fn dump(&self) -> std::collections::BTreeMap<String, crate::model::Value> {
        self.inner.dump()
    }

    /// The operations it serves: (`jobs.jobs.create`, method, path).
    #[must_use]
    pub fn coverage() -> Vec<(&'static str, String, String)> {
        router::coverage()
    }

    /// Names of the rival habits that were asked for so far, whether on or off: no other could have changed an answer.
    #[must_use]
    pub fn rivals_met(&self) -> Vec<&'static str> {
        let met = self.inner.rivals_met();
        Self::rivals().iter().enumerate().filter(|(at, _)| met & (1 << at) != 0).map(|(_, (name, _))| *name).collect()
    }

    /// Names of the rival habits: where evidence is weak, what else the server may do.
    #[must_use]
    pub fn rivals() -> &'static [(&'static str, &'static str)] {
        services::Rival::names()
    }

    /// What the server does beyond the form of its operations, each with its evidence.
    pub fn habits() -> impl Iterator<Item = &'static Habit> {
        services::habits()
    }

    /// How many requests it has seen.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.inner.requests()
    }
}

impl Transport for LocalWorkspace {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.handle(request))
    }

    #[expect(clippy::unnecessary_literal_bound, reason = "the trait says so")]
    fn host(&self) -> &str {
        "local"
    }
}
