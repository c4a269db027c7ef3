//! granit-parser's events into our own tree.

use std::sync::Arc;

use super::Node;
use crate::diagnostic::{Diagnostic, Source};

/// The documents of a source, in order; empty documents are left out.
///
/// # Errors
/// All diagnostics of the text (codes E00xx).
pub fn parse(source: &Arc<Source>) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let _ = source;
    todo!()
}
