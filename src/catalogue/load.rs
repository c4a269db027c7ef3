//! Lazy parsing of the embedded data.

use super::{Operation, TypeDef};

/// A service's operations and types.
pub struct Service {
    /// `jobs`.
    pub name: &'static str,
    /// In the data's order.
    pub operations: Vec<Operation>,
    /// By plain name.
    pub types: std::collections::HashMap<String, TypeDef>,
}

/// All service names, sorted.
#[must_use]
pub fn services() -> &'static [&'static str] {
    todo!()
}

/// A service, parsed at first use.
#[must_use]
pub fn service(name: &str) -> Option<&'static Service> {
    let _ = name;
    todo!()
}

/// An operation by its full name, `jobs.jobs.reset`.
#[must_use]
pub fn operation(name: &str) -> Option<&'static Operation> {
    let _ = name;
    todo!()
}

/// Every operation of every service (parses all).
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    services().iter().filter_map(|s| service(s)).flat_map(|s| s.operations.iter())
}

/// A type by its full name, `jobs.Task`.
#[must_use]
pub fn type_named(name: &str) -> Option<&'static TypeDef> {
    let _ = name;
    todo!()
}
