//! Calls of the catalogue over a transport, with auth, retry, throttle and paging.

use std::sync::Arc;

use super::{ApiError, SharedTransport};
use crate::kinds::Call;
use crate::model::{Outside, Value};

/// How the client behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Most requests in flight.
    pub parallelism: usize,
    /// Seconds for one try.
    pub timeout_seconds: u64,
    /// Seconds for all tries of one call.
    pub retry_seconds: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { parallelism: 64, timeout_seconds: 60, retry_seconds: 300 }
    }
}

/// What a call answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The JSON body; an empty map where there was none.
    pub body: Value,
    /// The server's clock (`date` header), seconds since 1970.
    pub server_seconds: Option<i64>,
    /// The server's request id.
    pub request_id: Option<String>,
    /// `x-databricks-org-id`.
    pub org_id: Option<String>,
}

/// A client of one workspace. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {}

impl Client {
    /// A client over a transport. `auth`: where tokens come from; none for the embedded workspace.
    #[must_use]
    pub fn new(transport: SharedTransport, auth: Option<super::auth::Credentials>, outside: &Outside, options: Options) -> Self {
        let _ = (transport, auth, outside, options);
        todo!()
    }

    /// One call. Retries by its [`crate::kinds::Repeat`]: a create is never repeated blindly.
    ///
    /// # Errors
    /// [`ApiError`] after all tries; also where a value inside is unknown or secret without a value (never sent).
    pub async fn call(&self, call: &Call) -> Result<Reply, ApiError> {
        let _ = call;
        todo!()
    }

    /// All items of a list, over all its pages, in the server's order.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn list(&self, call: &Call) -> Result<Vec<Value>, ApiError> {
        let _ = call;
        todo!()
    }

    /// The workspace's id, and who calls (user name or application id).
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn whoami(&self) -> Result<(String, String), ApiError> {
        todo!()
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> String {
        let _ = &self.inner;
        todo!()
    }

    /// How many requests were sent so far, tries included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        todo!()
    }
}
