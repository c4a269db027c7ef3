//! Three-way merge of texts, line by line.

use std::ops::Range;

use similar::{Algorithm, DiffTag, capture_diff_slices};

/// Lines of the base that one side replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit<'t> {
    at: Range<usize>,
    lines: Vec<&'t str>,
}

/// Both edits of a text, made one: none where they touch the same lines, or lines beside one another, differently. How lines end is
/// no edit of them: they end as ours do.
#[must_use]
pub fn merge_lines(base: &str, ours: &str, theirs: &str) -> Option<String> {
    let end = if ours.contains("\r\n") { "\r\n" } else { "\n" };
    let [old, ours, theirs] = [base, ours, theirs].map(lines);
    let mut edits = edits(&old, &ours);
    for other in self::edits(&old, &theirs) {
        if edits.contains(&other) {
            continue;
        }
        if edits.iter().any(|edit| edit.at.start <= other.at.end && other.at.start <= edit.at.end) {
            return None;
        }
        edits.push(other);
    }
    edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
    let (mut merged, mut next) = (Vec::new(), 0);
    for edit in edits {
        merged.extend_from_slice(&old[next..edit.at.start]);
        merged.extend_from_slice(&edit.lines);
        next = edit.at.end;
    }
    merged.extend_from_slice(&old[next..]);
    Some(merged.join(end))
}

/// The lines that both texts have, in their order.
#[must_use]
pub fn common_lines(one: &str, other: &str) -> String {
    let [old, new] = [one, other].map(lines);
    let operations = capture_diff_slices(Algorithm::Myers, &old, &new);
    let same = operations.into_iter().filter(|op| op.tag() == DiffTag::Equal);
    same.flat_map(|op| old[op.old_range()].to_vec()).collect::<Vec<_>>().join("\n")
}

/// The lines of a text, without what ends them; behind the last line end there is one more.
fn lines(text: &str) -> Vec<&str> {
    let count = text.matches('\n').count();
    text.split('\n').enumerate().map(|(i, line)| if i < count { line.strip_suffix('\r').unwrap_or(line) } else { line }).collect()
}

fn edits<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Edit<'t>> {
    let operations = capture_diff_slices(Algorithm::Myers, old, new);
    let changed = operations.into_iter().filter(|op| op.tag() != DiffTag::Equal);
    let mut edits: Vec<Edit<'t>> = Vec::new();
    for op in changed {
        let lines = new[op.new_range()].to_vec();
        match edits.last_mut().filter(|last| last.at.end == op.old_range().start) {
            Some(last) => {
                last.at.end = op.old_range().end;
                last.lines.extend(lines);
            }
            None => edits.push(Edit { at: op.old_range(), lines }),
        }
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::merge_lines;

    #[test]
    fn lines_that_do_not_touch_are_both_there() {
        for (base, ours, theirs, want) in [
            ("a\nb\nc", "A\nb\nc", "a\nb\nC", Some("A\nb\nC")),
            ("a\nb\nc", "a\nc", "a\nb\nc\nd", Some("a\nc\nd")),
            ("a\nb\nc", "x\na\nb\nc", "a\nb\nc\ny", Some("x\na\nb\nc\ny")),
            // The same edit twice is one.
            ("a\nb\nc", "A\nb\nc", "A\nb\nC", Some("A\nb\nC")),
            ("a\nb", "a\nb", "b", Some("b")),
            // The end of the last line is no line.
            ("a\nb\nc\n", "A\nb\nc\n", "a\nb\nc\nd\n", Some("A\nb\nc\nd\n")),
            ("a\r\nb\r\nc", "A\r\nb\r\nc", "a\r\nb\r\nC", Some("A\r\nb\r\nC")),
            ("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", Some("A\nb\nC\n")),
            // Touching, or the same lines: nobody knows what is meant.
            ("a\nb", "A\nb", "a\nB", None),
            ("a", "b", "c", None),
            ("a\nb\nc", "a\nc", "a\nB\nc", None),
            ("a", "a\nb", "a\nc", None),
            ("", "a", "b", None),
        ] {
            assert_eq!(merge_lines(base, ours, theirs).as_deref(), want, "{base:?} {ours:?} {theirs:?}");
            assert_eq!(merge_lines(base, theirs, ours).as_deref(), want, "the other way: {base:?} {ours:?} {theirs:?}");
        }
    }

    #[test]
    fn lines_end_as_ours_do() {
        for (base, ours, theirs, want) in [
            // An editor of the workspace knows no other line ends than its own.
            ("a\r\nb\r\nc", "A\r\nb\r\nc", "a\nb\nC", "A\r\nb\r\nC"),
            ("a\r\nb\r\nc", "a\nb\nc", "a\r\nb\r\nC", "a\nb\nC"),
            ("a\nb\nc", "A\nb\nc", "a\r\nb\r\nC", "A\nb\nC"),
            ("a\r\nb\r\n", "A\r\nb\r\n", "a\nb\n", "A\r\nb\r\n"),
            // At the end of all it is a character like others.
            ("a\nb\r", "A\nb\r", "a\nb\r", "A\nb\r"),
        ] {
            assert_eq!(merge_lines(base, ours, theirs).as_deref(), Some(want), "{base:?} {ours:?} {theirs:?}");
        }
    }
}
