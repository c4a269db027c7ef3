//! Brickform keeps Databricks workspaces the way Git says.
//!
//! The floors of the house, from the bottom: each may use those below it and knows nothing of those above
//! (`tests/it/arrows.rs` fails on an arrow that runs up). The way of the data is one line:
//! files → [`project`] → desired → [`plan`] ← live ([`refresh`]), applied ([`state`]) → [`apply`] → state.

pub mod apply;
pub mod catalogue;
pub mod cli;
pub mod client;
pub mod diagnostic;
pub mod diff;
pub mod export;
pub mod kinds;
pub mod local;
pub mod model;
pub mod plan;
pub mod project;
pub mod refresh;
pub mod report;
pub mod state;
pub mod yaml;
