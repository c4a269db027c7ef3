//! What the server does, a file a service, each habit with its evidence.

/// Rival habits: name, and what the server does instead.
pub static RIVALS: &[(&str, &str)] = &[];
