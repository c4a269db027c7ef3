//! Failures on purpose.

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultWhen {
    /// Before the effect.
    Before,
    /// After the effect: it happened, the caller does not know.
    After,
}

/// One failure on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Before or after the effect.
    pub when: FaultWhen,
    /// Method, or `*`.
    pub method: String,
    /// A path, with `*` for any run of characters.
    pub path: String,
    /// Skip so many matching requests first.
    pub skip: u64,
    /// Then strike so many times.
    pub times: u64,
    /// The status answered; none: the connection is cut.
    pub status: Option<u16>,
    /// End the caller's process instead (`--kill-client`): in process, [`crate::client::TransportError`] with the message
    /// `simulated crash`, for this and every later request.
    pub kill: bool,
}

/// All of them.
pub type Faults = Vec<Fault>;
