//! Where in a pasted text of JSON a message points: the line of the file at which the offending part of it stands.

use std::sync::Arc;

use crate::diagnostic::{Source, Span};
use crate::model::{Path, Step, json};
use crate::yaml::{self, Node};

/// The place of a path inside the JSON that a field holds, as text or as a map; the place at which the JSON breaks, where it
/// is none. None where that cannot be said: the field holds no JSON text, or expressions that change it.
/// Where the body itself has the names of that JSON, of all or of some of it, the place is there, if it is a nearer one than that of
/// `path`, which has ours.
pub fn place(body: &Node, field: &str, path: &Path, inside: &Path) -> Option<Span> {
    let is_aside = path.steps().contains(&Step::Field(ASIDE.to_owned()));
    let Some(node) = body.get(field) else {
        let (own, found) = (spot(body, path, is_aside), best(body, path, inside, is_aside));
        return (is_aside || found.distance() < own.distance()).then(|| found.span());
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
    let Some(text) = node.text() else { return Some(best(node, path, inside, is_aside).span()) };
    if text.contains("${") {
        return None;
    }
    let (from, to) = if let Err(error) = json::parse(text.as_bytes()) {
        let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let at = (before + error.column().saturating_sub(1)).min(text.trim_end().len().saturating_sub(1));
        (at, at + 1)
    } else {
        let source = Arc::new(Source { name: String::new(), text: text.to_owned() });
        let found = best(yaml::parse(&source).ok()?.first()?, path, inside, is_aside).span();
        (found.start as usize, found.end as usize)
    };
    let raw = node.span.source.text.get(node.span.start as usize..node.span.end as usize)?;
    let start = aligned(raw, text, from)?;
    // A part may go over many lines; its first one is enough.
    let line = raw[start..].find('\n').unwrap_or(raw.len() - start);
    let end = aligned(raw, text, to.saturating_sub(1)).map_or(start + 1, |last| last + 1);
    Some(node.span.within(start, end.clamp(start + 1, start + line.max(1))))
}

/// The member of a body that holds what nobody knows.
const ASIDE: &str = "more";

/// Where a path leads to: a node, or the nearest one above it that exists.
struct Spot<'n> {
    node: &'n Node,
    /// The name of what is unknown: that is what is the matter, whatever it holds.
    name: Option<&'n Span>,
}

impl Spot<'_> {
    /// How far it is from what the path names: the name itself is there, else the smallest node is the nearest.
    fn distance(&self) -> (bool, u32) {
        (self.name.is_none(), self.node.span.end.saturating_sub(self.node.span.start))
    }

    fn span(&self) -> Span {
        self.name.unwrap_or(&self.node.span).clone()
    }
}

/// The nearest place that either path names; each item on the way may have the names of the one or of the other.
fn best<'n>(node: &'n Node, path: &Path, inside: &Path, is_aside: bool) -> Spot<'n> {
    let mut best = spot(node, path, is_aside);
    let items = |path: &Path| -> Vec<usize> {
        let steps = path.steps().iter().enumerate();
        steps.filter(|(_, step)| matches!(step, Step::Index(_))).map(|(at, _)| at + 1).collect()
    };
    let mut cuts = vec![(0, 0)];
    cuts.extend(items(path).into_iter().zip(items(inside)));
    for (ours, theirs) in cuts {
        let (ours, theirs) = (path.steps().split_at(ours), inside.steps().split_at(theirs));
        for (above, below) in [(theirs.0, ours.1), (ours.0, theirs.1)] {
            let other = spot(node, &Path::from([above, below].concat()), is_aside);
            if other.distance() < best.distance() {
                best = other;
            }
        }
    }
    best
}

/// The node at a path, or the nearest one above it that exists.
fn spot<'n>(node: &'n Node, path: &Path, is_aside: bool) -> Spot<'n> {
    let mut found = Spot { node, name: None };
    let steps = path.steps();
    for (at, step) in steps.iter().enumerate() {
        let next = match step {
            Step::Field(name) => found.node.entry(name).map(|entry| (&entry.value, Some(&entry.key_span))),
            Step::Index(i) => item(found.node.items(), *i, steps.get(at + 1).filter(|_| is_aside)).map(|item| (item, None)),
            other => Some((found.node.nearest(&Path::from(vec![other.clone()])), None)),
        };
        let Some((node, name)) = next else { break };
        let is_last = at + 1 == steps.len();
        found = Spot { node, name: name.filter(|_| is_aside && is_last) };
    }
    found
}

/// An item of a list. What is set aside is counted without the items that nothing is the matter with: it is the first one from there
/// on that has the member.
fn item<'n>(items: &'n [Node], at: usize, member: Option<&Step>) -> Option<&'n Node> {
    let own = items.get(at);
    let Some(Step::Field(name)) = member else { return own };
    items.iter().skip(at).find(|item| item.get(name).is_some()).or(own)
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

    /// The place, and what is written there.
    fn found(text: &str, path: &str, inside: &str) -> Option<(usize, usize, String)> {
        let nodes = yaml::parse(&Arc::new(Source { name: "f".to_owned(), text: text.to_owned() })).expect("YAML");
        let read = |path: &str| -> Path { path.parse().expect("a path") };
        place(&nodes[0], "s", &read(path), &read(inside)).map(|span| {
            let (line, column) = span.line_column();
            (line, column, span.source.text[span.start as usize..span.end as usize].to_owned())
        })
    }

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
            assert_eq!(found(text, path, path), wanted.map(|(l, c, t)| (l, c, t.to_owned())), "{text}");
        }
    }

    /// Items of one form in a list of the other.
    #[test]
    fn names_of_either_form_lead_there() {
        let columns = "tables:\n  - identifier: a\n    column_configs:\n      - column_name: c\n        colour: red\n";
        let theirs = "data_sources.tables[0].column_configs[0].colour";
        assert_eq!(found(columns, "tables[0].columns[0].colour", theirs), Some((5, 17, "red".to_owned())));
        let lists = "data_sources:\n  tables:\n    - identifier: a\n      columns:\n        - name: c\n          colour: red\n";
        assert_eq!(found(lists, "tables[0].columns[0].colour", theirs), Some((6, 19, "red".to_owned())));
        let join = "joins:\n  - left: a\n    sql:\n      - x\n      - y\n";
        assert_eq!(found(join, "joins[0].relationship", "join_specs[0].sql[1]"), Some((5, 9, "y".to_owned())));
    }

    /// The name of what is unknown, in whichever item it is.
    #[test]
    fn what_is_set_aside_is_found() {
        let text = "s: |\n  {\n    \"data_source\": [\n      1]\n  }\n";
        assert_eq!(found(text, "more.data_source", "data_source"), Some((3, 5, "\"data_source\"".to_owned())));
        let tree = "s:\n  list:\n    - name: a\n    - name: b\n      colour:\n        hue: a long word\n";
        assert_eq!(found(tree, "ours[0].more.colour", "list[0].colour"), Some((5, 7, "colour".to_owned())));
        let own = "list:\n  - name: a\n    more:\n      colour:\n        hue: red\n";
        assert_eq!(found(own, "list[0].more.colour", "theirs[0].colour"), Some((4, 7, "colour".to_owned())));
    }
}
