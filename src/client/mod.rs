//! Talking to a workspace: transports, auth, retry and throttle, paging, errors.
//!
//! Owns how a [`Call`](crate::kinds::Call) becomes HTTP and how a reply becomes a value or an error. Refuses to know what a plan is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

mod agent;
pub(crate) mod allowed;
mod api;
pub mod auth;
pub(crate) mod elsewhere;
mod error;
mod live;
mod me;
pub mod page;
mod reply;
mod request;
pub mod retry;
mod send;
#[cfg(test)]
pub(crate) mod testing;
pub mod throttle;

pub use api::{Client, List, Options, Reply};
pub use error::{ApiError, ApiErrorKind};
pub use live::{Live, LiveError, http_client, is_loopback};
pub use me::{Me, Membership};

/// A request as it goes over the wire, without host and authorization. Its `Debug` and `Display` show method and path
/// only: query, headers and body may hold what must not be shown.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// `POST`.
    pub method: String,
    /// `/api/2.2/jobs/create`, percent-encoded.
    pub path: String,
    /// Decoded pairs, in order.
    pub query: Vec<(String, String)>,
    /// Further headers, lower-case names (`content-type` follows from the body).
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: RequestBody,
}

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({self}, {:?})", self.body)
    }
}

/// A request's body. Its `Debug` shows the sort and the size only.
#[derive(Clone, PartialEq)]
pub enum RequestBody {
    /// None.
    Empty,
    /// JSON text.
    Json(String),
    /// Form fields.
    Form(Vec<(String, String)>),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl std::fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Json(text) => write!(f, "Json({} bytes)", text.len()),
            Self::Form(fields) => write!(f, "Form({} fields)", fields.len()),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
        }
    }
}

/// A response as it came over the wire. Its `Debug` shows the status and the size only: a token is a response too.
#[derive(Clone, PartialEq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

/// The request got no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// What happened, with host and port.
    pub message: String,
    /// Whether the server may have seen the request (false: the connection was never made).
    pub may_have_been_sent: bool,
}

/// A future in a box.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Carries requests: a live host, the embedded workspace in process, or a recording.
pub trait Transport: Send + Sync {
    /// Sends one request. Adds no authorization and retries nothing.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>>;

    /// `https://adb-1234.azuredatabricks.net`, for messages and links.
    fn host(&self) -> &str;
}

/// A transport that may be shared.
pub type SharedTransport = Arc<dyn Transport>;
