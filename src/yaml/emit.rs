//! Values as YAML that a person would write: block style, text in blocks where it has lines, quotes only where YAML 1.1 or
//! 1.2 would read something else, the order of the maps.
//!
//! What is written reads back as the same value, also by readers that still speak YAML 1.1 (`yes`, `1:30`, dates). A literal
//! `${` becomes `$${`; a deferred value ([`Value::Unknown`]) is written as the expression it stands for.

use super::spell;
use crate::model::{Map, Value};

/// A value in block style, each line indented by so many spaces, with a newline at the end.
#[must_use]
pub fn emit(value: &Value, indent: usize) -> String {
    let mut out = String::new();
    match value {
        Value::Map(map) if !map.is_empty() => entries(map, indent, &mut out),
        Value::List(items) if !items.is_empty() => list(items, indent, &mut out),
        other => {
            pad(indent, &mut out);
            out.push_str(scalar(other, indent).trim_start_matches(' '));
            out.push('\n');
        }
    }
    out
}

/// One entry of a map in block style, with a newline at the end.
#[must_use]
pub fn emit_entry(key: &str, value: &Value, indent: usize) -> String {
    let mut out = String::new();
    pad(indent, &mut out);
    entry(key, value, indent, &mut out);
    out
}

/// The same for programs that know no expressions: `${` stays as it is.
#[must_use]
pub fn emit_literal(value: &Value) -> String {
    emit(value, 0).replace("$${", "${")
}

/// A value on one line, in flow style.
#[must_use]
pub fn emit_inline(value: &Value) -> String {
    match value {
        Value::Map(map) if !map.is_empty() => {
            let entries: Vec<String> = map.iter().map(|(k, v)| format!("{}: {}", word(k, Place::Flow), emit_inline(v))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::List(items) => format!("[{}]", items.iter().map(emit_inline).collect::<Vec<_>>().join(", ")),
        Value::Text(text) => word(&escaped(text), Place::Flow),
        other => plain_scalar(other),
    }
}

/// Text as it stands in a map or list of a block, without a newline at the end: plain, in quotes, or as a literal block whose
/// lines are two spaces deeper than `indent`.
#[must_use]
pub fn emit_text(text: &str, indent: usize) -> String {
    let text = escaped(text);
    if text.contains('\n') && fits_block(&text) { block(&text, indent) } else { word(&text, Place::Block) }
}

/// A literal `${` is written `$${`.
fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn entries(map: &Map, indent: usize, out: &mut String) {
    for (key, value) in map {
        pad(indent, out);
        entry(key, value, indent, out);
    }
}

/// An entry; its first line is padded already.
fn entry(key: &str, value: &Value, indent: usize, out: &mut String) {
    out.push_str(&word(key, Place::Block));
    out.push(':');
    match value {
        Value::Map(map) if !map.is_empty() => {
            out.push('\n');
            entries(map, indent + 2, out);
        }
        Value::List(items) if !items.is_empty() => {
            out.push('\n');
            list(items, indent + 2, out);
        }
        other => {
            out.push(' ');
            out.push_str(&scalar(other, indent));
            out.push('\n');
        }
    }
}

fn list(items: &[Value], indent: usize, out: &mut String) {
    for item in items {
        pad(indent, out);
        out.push('-');
        match item {
            Value::Map(map) if !map.is_empty() => {
                for (i, (key, value)) in map.iter().enumerate() {
                    if i == 0 {
                        out.push(' ');
                    } else {
                        pad(indent + 2, out);
                    }
                    entry(key, value, indent + 2, out);
                }
            }
            Value::List(items) if !items.is_empty() => {
                out.push('\n');
                list(items, indent + 2, out);
            }
            other => {
                out.push(' ');
                out.push_str(&scalar(other, indent));
                out.push('\n');
            }
        }
    }
}

/// What has no entries or items; blocks of text are two spaces deeper than `indent`.
fn scalar(value: &Value, indent: usize) -> String {
    if let Value::Text(text) = value { emit_text(text, indent) } else { plain_scalar(value) }
}

fn plain_scalar(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::UInt(n) => n.to_string(),
        Value::Float(x) => format!("{x:?}"),
        Value::Text(text) => word(text, Place::Block),
        Value::List(_) => "[]".to_owned(),
        Value::Map(_) => "{}".to_owned(),
        Value::Unknown(deferred) | Value::Secret(deferred) => {
            let source = &deferred.source;
            let expression = if source.contains("${") { source.clone() } else { format!("${{{source}}}") };
            spell::double(&expression)
        }
    }
}

/// Where a text stands: among lines, or in braces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Block,
    Flow,
}

/// Text on one line: the same quotes as in an edit of a file.
fn word(text: &str, place: Place) -> String {
    if spell::must_quote(text, place == Place::Flow) { spell::double(text) } else { text.to_owned() }
}

/// Whether lines of text can stand as they are, indented.
fn fits_block(text: &str) -> bool {
    let starts = text.starts_with([' ', '\n', '\t']);
    let odd = text.chars().any(|c| (c.is_control() && !matches!(c, '\n' | '\t')) || spell::is_break(c));
    // A line of spaces alone is lost on editors, and on readers at the end of a block.
    let blank = text.split('\n').any(|line| !line.is_empty() && line.trim().is_empty());
    !starts && !odd && !blank && !text.trim_end_matches('\n').is_empty()
}

fn block(text: &str, indent: usize) -> String {
    let body = text.trim_end_matches('\n');
    let mut out = String::from(match text.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(indent + 2, &mut out);
            out.push_str(line);
        }
    }
    // Empty lines that are kept: one newline comes with the end of the entry.
    for _ in 1..text.len() - body.len() {
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use std::sync::Arc;

    fn read(text: &str) -> Value {
        let source = Arc::new(Source { name: "t.yaml".to_owned(), text: text.to_owned() });
        let nodes = super::super::parse(&source).unwrap_or_else(|d| panic!("{text}\n{d:?}"));
        nodes.first().map_or(Value::Null, super::super::Node::value)
    }

    #[test]
    fn texts_keep_what_they_are() {
        for (text, want) in [
            ("plain words", "plain words"),
            ("samples.nyctaxi.trips", "samples.nyctaxi.trips"),
            ("", "\"\""),
            ("yes", "\"yes\""),
            ("No", "\"No\""),
            ("1.10", "\"1.10\""),
            ("010", "\"010\""),
            ("1:30", "\"1:30\""),
            ("1_000", "\"1_000\""),
            ("2024-01-01", "\"2024-01-01\""),
            ("0x1f", "\"0x1f\""),
            ("null", "\"null\""),
            ("a: b", "\"a: b\""),
            ("a # b", "\"a # b\""),
            ("a:", "\"a:\""),
            ("- a", "\"- a\""),
            ("*star", "\"*star\""),
            ("say \"hi\"", "say \"hi\""),
            ("\"hi\"", "\"\\\"hi\\\"\""),
            (" a", "\" a\""),
            ("tab\there", "\"tab\\there\""),
            ("${x}", "\"$${x}\""),
            ("$${x}", "\"$$${x}\""),
            ("{{job.parameters.x}}", "\"{{job.parameters.x}}\""),
            ("one\ntwo", "|-\n  one\n  two"),
            ("one\n\ntwo\n", "|\n  one\n\n  two"),
            ("one\ntwo\n\n", "|+\n  one\n  two\n"),
            ("  one\ntwo", "\"  one\\ntwo\""),
        ] {
            assert_eq!(emit_text(text, 0), want, "{text:?}");
        }
    }

    #[test]
    fn a_document() {
        let value = Value::map([
            ("jobs", Value::map([("a", Value::map([("name", Value::from("x")), ("tags", Value::Map(Map::new()))]))])),
            (
                "list",
                Value::List(vec![
                    Value::map([("q", Value::from("a\nb\n")), ("m", Value::Int(1))]),
                    Value::from("t"),
                    Value::List(vec![Value::Null]),
                ]),
            ),
        ]);
        let want = "jobs:\n  a:\n    name: x\n    tags: {}\nlist:\n  - q: |\n      a\n      b\n    m: 1\n  - t\n  -\n    - null\n";
        assert_eq!(emit(&value, 0), want);
        assert_eq!(read(want), value);
        assert_eq!(emit_inline(value.get("jobs").unwrap()), "{ a: { name: x, tags: {} } }");
    }

    /// A small generator: the same numbers every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, n: u64) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((self.0 >> 33) % n).unwrap()
        }

        fn text(&mut self) -> String {
            const PARTS: [&str; 26] = [
                "a", "B", " ", "\n", "- ", ": ", "#", "'", "\"", "\\", "1", ".", "yes", "é", "\t", "|", ">", "{", "}", "[", ",", "%", "&",
                "*", "\u{2028}", "😀",
            ];
            (0..self.below(7)).map(|_| PARTS[self.below(26)]).collect()
        }

        fn value(&mut self, depth: usize) -> Value {
            match self.below(if depth == 0 { 6 } else { 9 }) {
                0 => Value::Null,
                1 => Value::Bool(self.below(2) == 0),
                2 => Value::Int(i64::try_from(self.below(2000)).unwrap() - 1000),
                3 => Value::Float(f64::from(u32::try_from(self.below(1000)).unwrap()) / 8.0),
                4 | 5 => Value::Text(self.text()),
                6 | 7 => Value::Map((0..self.below(4)).map(|_| (self.text(), self.value(depth - 1))).collect()),
                _ => Value::List((0..self.below(4)).map(|_| self.value(depth - 1)).collect()),
            }
        }
    }

    #[test]
    fn a_document_and_an_edit_of_one_are_read_as_the_same() {
        let mut numbers = Numbers(11);
        for _ in 0..4000 {
            let value = numbers.value(3);
            let edit = format!("{}\n", spell::block(&value, 0));
            assert_eq!(read(&edit), read(&emit(&value, 0)), "{edit}");
            let inline = spell::flow(&value, spell::Dialect::Yaml);
            assert_eq!(read(&inline), read(&emit_inline(&value)), "{inline}");
        }
        for text in ["plain", "yes", "1.10", "- a", "a: b", "{{x}}", " a", "\u{2028}", "10.0.0.1", "15.4.x", "-flag", "a,b"] {
            assert_eq!(word(text, Place::Block), spell::scalar(&Value::from(text), false, None, spell::Dialect::Yaml));
            assert_eq!(word(text, Place::Flow), spell::scalar(&Value::from(text), true, None, spell::Dialect::Yaml));
        }
    }

    #[test]
    fn whatever_is_written_is_read_again() {
        let mut numbers = Numbers(7);
        for _ in 0..4000 {
            let value = numbers.value(3);
            let text = emit(&value, 0);
            assert_eq!(read(&text), value, "{text}");
            let inline = emit_inline(&value);
            assert_eq!(read(&inline), value, "{inline}");
        }
    }
}
