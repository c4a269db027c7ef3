//! Where in a pasted text of JSON a message points: the line of the file at which the offending part of it stands.

use std::sync::Arc;

use crate::diagnostic::{Source, Span};
use crate::model::{Path, json};
use crate::yaml::{self, Node};

/// The place of a path inside the JSON that a field holds, as text or as a map; the place at which the JSON breaks, where it
/// is none. None where that cannot be said: the field holds no JSON text, or expressions that change it.
/// Where the body itself has the names of that JSON, the place is there, if it is a nearer one than that of `path`, which has ours.
pub fn place(body: &Node, field: &str, path: &Path, inside: &Path) -> Option<Span> {
    let Some(node) = body.get(field) else {
        let (own, other) = (&body.nearest(path).span, &body.nearest(inside).span);
        return (other.end - other.start < own.end - own.start).then(|| other.clone());
    };
    match (path.first_field(), node.text()) {
        (Some(name), None) if name == field && path.steps().len() > 1 => return Some(body.nearest(path).span.clone()),
        // What is the matter with the whole of a tree is told where it is named.
        (Some(name), None) if name == field => return body.entry(field).map(|entry| entry.key_span.clone()),
        (Some(name), Some(_)) if name == field => {}
        // What stands beside it is told there.
        (Some(name), _) if body.get(name).is_some() => return None,
        _ => {}
    }
    let Some(text) = node.text() else { return Some(node.nearest(inside).span.clone()) };
    if text.contains("${") {
        return None;
    }
    let (from, to) = if let Err(error) = json::parse(text.as_bytes()) {
        let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let at = (before + error.column().saturating_sub(1)).min(text.trim_end().len().saturating_sub(1));
        (at, at + 1)
    } else {
        let source = Arc::new(Source { name: String::new(), text: text.to_owned() });
        let found = yaml::parse(&source).ok()?.first()?.nearest(inside).span.clone();
        (found.start as usize, found.end as usize)
    };
    let raw = node.span.source.text.get(node.span.start as usize..node.span.end as usize)?;
    let start = aligned(raw, text, from)?;
    // A part may go over many lines; its first one is enough.
    let line = raw[start..].find('\n').unwrap_or(raw.len() - start);
    let end = aligned(raw, text, to.saturating_sub(1)).map_or(start + 1, |last| last + 1);
    Some(node.span.within(start, end.clamp(start + 1, start + line.max(1))))
}

/// Where a byte of a scalar's text stands in the scalar as it is written: indentation, quotes and backslashes are passed over.
/// None where escapes make other characters of what is written.
fn aligned(raw: &str, text: &str, wanted: usize) -> Option<usize> {
    let mut written = raw.char_indices();
    for (at, letter) in text.char_indices() {
        let (place, _) = written.by_ref().find(|(_, c)| *c == letter)?;
        if at >= wanted {
            return Some(place);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::place;
    use crate::diagnostic::Source;
    use crate::model::Path;
    use crate::yaml;

    #[test]
    fn the_place_in_the_file_is_found() {
        for (text, path, wanted) in [
            ("s: |\n  {\n    \"a\": [\n      {\"b\": \"x\"},\n      {\"b\": \"yy\"}\n    ]\n  }\n", "a[1].b", Some((5, 13, "\"yy\""))),
            ("s: '{\"a\": {\"b\": \"it''s\"}, \"c\": 1}'\n", "c", Some((1, 32, "1"))),
            ("s: \"{\\\"a\\\": {\\\"b\\\": 1}}\"\n", "a.b", Some((1, 21, "1"))),
            ("s: |\n  {\n    \"a\": }\n", "a", Some((3, 10, "}"))),
            ("s: '{\"a\": \"${x}\"}'\n", "a", None),
            ("s: {a: {b: 1}}\n", "a.b", Some((1, 12, "1"))),
            ("other: 1\n", "a", None),
        ] {
            let nodes = yaml::parse(&Arc::new(Source { name: "f".to_owned(), text: text.to_owned() })).expect("YAML");
            let path: Path = path.parse().expect("a path");
            let found = place(&nodes[0], "s", &path, &path).map(|span| {
                let (line, column) = span.line_column();
                (line, column, span.source.text[span.start as usize..span.end as usize].to_owned())
            });
            assert_eq!(found, wanted.map(|(l, c, t)| (l, c, t.to_owned())), "{text}");
        }
    }
}
