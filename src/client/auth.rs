//! The unified authentication of the Databricks SDKs: names, files, order.

/// Where tokens come from. Never printable.
pub struct Credentials {}
