//! What Git leaves in a file where it could not merge.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Source, Span};

/// How the lines begin that part the two sides.
const OURS: &str = "<<<<<<<";
const BETWEEN: &str = "=======";
const THEIRS: &str = ">>>>>>>";

/// Each conflict of a text, whatever it is written in, at its first marker. Whatever else is wrong with such a file is wrong because
/// of them.
#[must_use]
pub fn all(source: &Arc<Source>) -> Vec<Diagnostic> {
    if !source.text.contains(OURS) {
        return vec![];
    }
    let mut found = vec![];
    // The first marker of a conflict, and whether its middle was seen.
    let mut open: Option<(Span, bool)> = None;
    let mut at = 0;
    for line in source.text.split_inclusive('\n') {
        let text = line.trim_end_matches(['\n', '\r']);
        if is(text, OURS) {
            open = Some((Span::new(source, at, at + text.len()), false));
        } else if is(text, BETWEEN) {
            open = open.map(|(span, _)| (span, true));
        } else if is(text, THEIRS)
            && let Some((span, true)) = open.take()
        {
            found.push(
                Diagnostic::error("E0014", "this is a merge conflict")
                    .at(&span, "one side begins here, the other one behind `=======`")
                    .help("keep one side, or what both mean together, and delete the lines `<<<<<<<`, `=======` and `>>>>>>>`"),
            );
        }
        at += line.len();
    }
    found
}

/// Whether a line is this marker: alone, or with what it names behind a space.
fn is(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}
