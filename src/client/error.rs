//! The error of an API call.

/// What sort of failure it is; compared by type, never by text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiErrorKind {
    /// The server refused the request as wrong (400 and its kin).
    Invalid,
    /// 401, or a token that cannot be had.
    Unauthenticated,
    /// 403.
    Forbidden,
    /// 404, or a legacy wording of it.
    NotFound,
    /// 409 and "already exists".
    Conflict,
    /// 429 after all tries.
    Throttled,
    /// 5xx.
    Server,
    /// No response; see `may_have_happened`.
    Network,
    /// The reply is not what the API says.
    BadReply,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{code}{}{message}", status.map_or(String::new(), |s| format!("{s} ")), if code.is_empty() { "" } else { ": " })]
pub struct ApiError {
    /// What sort.
    pub kind: ApiErrorKind,
    /// HTTP status, if there was a response.
    pub status: Option<u16>,
    /// `INVALID_PARAMETER_VALUE`; empty if none was given.
    pub code: String,
    /// The server's message, or what happened to the connection.
    pub message: String,
    /// `POST /api/2.2/jobs/create`.
    pub request: String,
    /// The server's request id.
    pub request_id: Option<String>,
    /// How often it was tried.
    pub tries: u32,
    /// Whether the effect may have taken place although no success was seen.
    pub may_have_happened: bool,
}
