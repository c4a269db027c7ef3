//! A live host over HTTPS (reqwest, rustls).

/// A live host.
pub struct Live {}
