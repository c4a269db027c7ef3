//! The way from text to trees: granit-parser's events, one pass; its errors become diagnostics.

use std::sync::Arc;

use granit_parser::{Parser, ScanError, StrInput};

use super::build::Builder;
use super::{Node, conflict, mend, syntax};
use crate::diagnostic::{Diagnostic, Source};

/// Deepest nesting of lists and maps, those of aliases included. Workspace objects nest about ten deep.
pub(super) const MAX_DEPTH: usize = 128;

/// The documents of a source, in order; empty documents are left out. JSON is read too: it is YAML.
///
/// A byte order mark must have been taken off by the caller. Aliases and merge keys are expanded: their nodes have the
/// spans of the place where the text stands.
///
/// # Errors
/// All diagnostics of the text (codes E00xx), sorted by place. A mistake of syntax ends the reading; before it, all
/// duplicate keys and refused tags are collected, and of what a small change mends each one is named.
pub fn parse(source: &Arc<Source>) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let conflicts = conflict::all(source);
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    let mut builder = Builder::new(source);
    let mut broken = None;
    for event in events(&source.text) {
        match event {
            Ok((event, span)) => {
                builder.event(event, &span);
                if builder.gave_up() {
                    break;
                }
            }
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    let before = builder.place();
    let (documents, mut diagnostics) = builder.finish();
    if let Some(error) = broken {
        let tried = mend::tried(source, offset(&error));
        if tried.is_empty() {
            diagnostics.push(syntax::diagnostic(source, &error, &before));
        } else {
            diagnostics.extend(tried);
        }
    }
    if diagnostics.is_empty() {
        return Ok(documents);
    }
    diagnostics.sort_by_key(start);
    diagnostics.dedup();
    Err(diagnostics)
}

fn start(diagnostic: &Diagnostic) -> u32 {
    diagnostic.labels.first().map_or(0, |label| label.span.start)
}

/// The events of a text.
pub(super) fn events(text: &str) -> Parser<'_, StrInput<'_>> {
    let mut options = granit_parser::options! { flow_nesting_limit: MAX_DEPTH, block_nesting_limit: MAX_DEPTH };
    options.set_emit_comments(false);
    Parser::new_from_str_with_options(text, options)
}

/// Where the parser noticed the mistake, in bytes.
pub(super) fn offset(error: &ScanError) -> usize {
    error.marker().byte_offset().unwrap_or(0)
}
