//! JSON written the way a text of JSON is written: its indentation or none, its escapes, its line ends, its last line.

use std::fmt::Write as _;

use serde::Serialize as _;
use serde_json::ser::{CompactFormatter, PrettyFormatter};

use crate::model::{Value, json};

/// How a text of JSON is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Layout {
    /// `{"a":1}`
    Tight,
    /// `{"a": 1}`, as Python writes it.
    Spaced,
    /// In lines, each level as much deeper.
    Lines(String),
}

/// A value as JSON the way a text is written; `old` is what that text holds. What is laid out by hand becomes lines, as deep as its
/// first one.
#[must_use]
pub fn like(text: &str, old: &Value, new: &Value) -> String {
    let plain = text.replace("\r\n", "\n");
    let ascii = plain.is_ascii() && plain.contains("\\u");
    let body = plain.trim();
    let layouts = [Layout::Tight, Layout::Spaced, Layout::Lines(depth(body))];
    let layout = layouts.into_iter().find(|layout| written(old, layout, ascii) == body);
    let layout = layout.unwrap_or_else(|| if body.contains('\n') { Layout::Lines(depth(body)) } else { Layout::Tight });
    let (before, after) = (plain.len() - plain.trim_start().len(), plain.trim_end().len());
    let all = format!("{}{}{}", &plain[..before], written(new, &layout, ascii), &plain[after.max(before)..]);
    if text.contains("\r\n") { all.replace('\n', "\r\n") } else { all }
}

/// Whether a text is what [`like`] would write for what it holds: nobody laid it out by hand.
#[must_use]
pub fn is_regular(text: &str, value: &Value) -> bool {
    like(text, value, value) == text
}

/// The blanks before the first line that is deeper than none.
fn depth(body: &str) -> String {
    let blanks = body.lines().skip(1).map(|line| &line[..line.len() - line.trim_start().len()]).find(|blanks| !blanks.is_empty());
    blanks.unwrap_or("  ").to_owned()
}

fn written(value: &Value, layout: &Layout, ascii: bool) -> String {
    let mut bytes = Vec::new();
    let plain = json::Plain(value);
    let done = match layout {
        Layout::Tight => plain.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, CompactFormatter)),
        Layout::Spaced => plain.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Spaced)),
        Layout::Lines(indent) => {
            plain.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(indent.as_bytes())))
        }
    };
    let text = done.ok().and_then(|()| String::from_utf8(bytes).ok()).unwrap_or_default();
    if ascii { escaped(&text) } else { text }
}

/// With escapes for what is not ASCII.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// One blank behind `:` and `,`.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::{is_regular, like};
    use crate::model::{Value, json};

    fn value(text: &str) -> Value {
        json::parse(text.as_bytes()).expect("JSON")
    }

    #[test]
    fn what_a_text_holds_is_replaced_in_its_own_layout() {
        let new = value(r#"{"b":"ü","a":[1,{}]}"#);
        for (text, want) in [
            (r#"{"b":"x","a":[]}"#, r#"{"b":"ü","a":[1,{}]}"#),
            ("{\"b\": \"x\", \"a\": []}\n", "{\"b\": \"ü\", \"a\": [1, {}]}\n"),
            ("{\n  \"b\": \"x\"\n}", "{\n  \"b\": \"ü\",\n  \"a\": [\n    1,\n    {}\n  ]\n}"),
            ("{\n \"b\": \"x\"\n}\n", "{\n \"b\": \"ü\",\n \"a\": [\n  1,\n  {}\n ]\n}\n"),
            ("{\n\t\"b\": \"x\"\n}\n", "{\n\t\"b\": \"ü\",\n\t\"a\": [\n\t\t1,\n\t\t{}\n\t]\n}\n"),
            ("{\r\n  \"b\": \"x\"\r\n}\r\n", "{\r\n  \"b\": \"ü\",\r\n  \"a\": [\r\n    1,\r\n    {}\r\n  ]\r\n}\r\n"),
            (r#"{"b":"\u00e4"}"#, r#"{"b":"\u00fc","a":[1,{}]}"#),
        ] {
            assert!(is_regular(text, &value(text)), "{text}");
            assert_eq!(like(text, &value(text), &new), want, "{text}");
        }
        // Laid out by hand.
        assert!(!is_regular("{\n  \"a\": [1, 2]\n}", &value("{\"a\": [1, 2]}")));
    }
}
