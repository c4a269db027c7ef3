//! Talking to a workspace: transports, auth, retry and throttle, paging, errors.
//!
//! Owns how a [`Call`] becomes HTTP and how a reply becomes a value or an error. Refuses to know what a plan is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::model::Value;

mod api;
pub mod auth;
mod error;
mod live;
pub mod retry;

pub use api::{Client, Options, Reply};
pub use error::{ApiError, ApiErrorKind};
pub use live::Live;

/// A request as it goes over the wire, without host and authorization.
#[derive(Debug, Clone, PartialEq)]
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

/// A request's body.
#[derive(Debug, Clone, PartialEq)]
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

/// A response as it came over the wire.
#[derive(Debug, Clone, PartialEq)]
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

#[allow(unused)]
type Unused = Value;
