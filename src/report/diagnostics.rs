//! Diagnostics as rustc prints them, and as JSON.

use crate::diagnostic::Diagnostic;

/// Rendered for a terminal of this width, errors first within a file, sorted by place; ends with the count.
#[must_use]
pub fn text(diagnostics: &[Diagnostic], colour: bool, width: usize) -> String {
    let _ = (diagnostics, colour, width);
    todo!()
}

/// `{"diagnostics": [{code, severity, message, file, line, column, help, patches}]}`.
#[must_use]
pub fn json(diagnostics: &[Diagnostic]) -> String {
    let _ = diagnostics;
    todo!()
}
