//! YAML 1.2 (core schema, anchors, `<<` merge keys) to a tree with a span for every node.
//!
//! Owns the tree and the parser. Refuses duplicate keys, alias bombs, tabs in indentation and depth beyond measure, each
//! with a diagnostic. Knows nothing of kinds or expressions.

mod node;
mod parse;

pub use node::{Data, Entry, Node, Scalar, Style};
pub use parse::parse;
