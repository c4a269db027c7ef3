//! YAML 1.2 (core schema, anchors, `<<` merge keys) to a tree with a span for every node.
//!
//! Owns the tree and the parser. Refuses duplicate keys, alias bombs, tabs in indentation and depth beyond measure, each
//! with a diagnostic. Knows nothing of kinds; of expressions only that YAML breaks on `${...}` and `{{...}}` without
//! quotes, so that it can say so.

mod build;
mod conflict;
mod emit;
mod fold;
pub mod layout;
mod mend;
mod merge;
mod node;
mod parse;
pub mod place;
mod quoting;
pub mod slips;
pub mod spell;
pub mod splice;
#[cfg(test)]
mod splice_tests;
mod syntax;
#[cfg(test)]
mod tests;

pub use conflict::all as conflicts;
pub use emit::{emit, emit_entry, emit_inline, emit_literal, emit_text};
pub use node::{Data, Entry, Node, Scalar, Style, plain};
pub use parse::parse;
