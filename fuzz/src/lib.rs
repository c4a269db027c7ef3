//! The targets, which the seeded tests share.

#[path = "../../tests/it/fuzz/targets.rs"]
pub mod targets;
