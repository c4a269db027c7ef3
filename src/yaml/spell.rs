//! How a value is spelled in YAML at a place: quotes where a reader (also one of YAML 1.1) would take the text for
//! something else, block scalars for text of several lines, two columns a level.
//!
//! Owns spelling only; where the text goes is [`super::splice`]'s. What is spelled reads back as the value that was given.

use std::fmt::Write as _;

use super::node::plain;
use super::{Node, Style};
use crate::model::{Map, Value};

/// The dialect of a file: what may be added to it without making it something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// YAML.
    Yaml,
    /// A `.json` file, which stays JSON.
    Json,
}

impl Dialect {
    /// By the name of the file.
    #[must_use]
    pub fn of(name: &str) -> Self {
        if std::path::Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("json")) { Self::Json } else { Self::Yaml }
    }
}

/// Whether a text must be quoted to be read as this text, by YAML 1.2 and by readers of YAML 1.1. `flow`: inside braces.
#[must_use]
pub fn must_quote(text: &str, flow: bool) -> bool {
    let Some(first) = text.chars().next() else { return true };
    !matches!(plain(text), Value::Text(_))
        || misread(text)
        || "-?:,[]{}#&*!|>'\"%@`=~<".contains(first)
        || text.starts_with("...")
        || text.trim() != text
        || text.contains(": ")
        || text.contains(" #")
        || text.ends_with(':')
        || text.contains("${")
        || text.contains("{{")
        || text.chars().any(|c| c.is_control() || is_break(c))
        || flow && text.contains([',', '[', ']', '{', '}'])
        || flow && text.contains(':')
}

/// Whether a reader of YAML 1.1 takes a plain text for a boolean, a date, a number.
#[must_use]
pub fn misread(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if matches!(lower.as_str(), "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null" | "~" | "<<" | "=") {
        return true;
    }
    let unsigned = lower.strip_prefix(['-', '+']).unwrap_or(&lower);
    if matches!(unsigned, ".inf" | ".nan") || unsigned.starts_with("0x") || unsigned.starts_with("0b") || unsigned.starts_with("0o") {
        return true;
    }
    // Numbers with underscores, times in base 60, dates: all begin with a digit and hold little else.
    unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.contains(|c: char| c.is_ascii_digit())
        && unsigned.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'_' | b':' | b'.' | b'-' | b'+' | b'e' | b't' | b'z' | b' '))
        && !is_address(unsigned)
}

/// `10.0.0.1`, `1.2.3`, `15.4.x`: no reader takes these for numbers.
fn is_address(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.bytes().filter(|b| *b == b'.').count() > 1
}

/// Whether a character breaks a line, cannot be seen, or turns the text around.
pub(super) fn is_break(c: char) -> bool {
    // Those that turn the text around read as something else than they are.
    matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text in double quotes.
#[must_use]
pub fn double(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap_or_default();
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_break(c) || (c.is_control() && c != '\n') {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// A scalar on one line. `like`: how the scalar that it replaces was written.
#[must_use]
pub fn scalar(value: &Value, flow: bool, like: Option<Style>, dialect: Dialect) -> String {
    let Value::Text(text) = value else { return literal(value) };
    if dialect == Dialect::Json {
        return double(text);
    }
    let printable = !text.chars().any(|c| c.is_control() || is_break(c));
    match like {
        Some(Style::Single) if printable => format!("'{}'", text.replace('\'', "''")),
        Some(Style::Double) => double(text),
        _ if must_quote(text, flow) => double(text),
        _ => text.clone(),
    }
}

/// What is neither text nor a list nor a map.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::UInt(n) => n.to_string(),
        Value::Float(x) => format!("{x:?}"),
        other => double(&other.key_text()),
    }
}

/// A key with its colon.
#[must_use]
pub fn key(name: &str, dialect: Dialect) -> String {
    let quoted = dialect == Dialect::Json || must_quote(name, true);
    if quoted { format!("{}:", double(name)) } else { format!("{name}:") }
}

/// A value on one line, maps in braces and lists in brackets.
#[must_use]
pub fn flow(value: &Value, dialect: Dialect) -> String {
    match value {
        Value::List(items) if items.is_empty() => "[]".to_owned(),
        Value::Map(map) if map.is_empty() => "{}".to_owned(),
        Value::List(items) => format!("[{}]", items.iter().map(|v| flow(v, dialect)).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let entries: Vec<String> = map.iter().map(|(k, v)| format!("{} {}", key(k, dialect), flow(v, dialect))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => scalar(other, true, None, dialect),
    }
}

/// Whether a value is spelled on one line in any case.
#[must_use]
pub fn is_short(value: &Value) -> bool {
    match value {
        Value::Text(text) => !is_block_text(text),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => true,
    }
}

/// Whether a list or map is small enough to stand in braces: single values only.
#[must_use]
pub fn is_flat(value: &Value) -> bool {
    let single = |v: &Value| is_short(v) && !matches!(v, Value::Text(t) if t.contains('\n'));
    match value {
        Value::List(items) => items.iter().all(single),
        Value::Map(map) => map.values().all(single),
        _ => is_short(value),
    }
}

/// Whether a text is written as a block scalar: several lines, and nothing that one cannot hold.
#[must_use]
pub fn is_block_text(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    text.contains('\n')
        && !body.is_empty()
        && !body.ends_with('\n')
        && !body.trim().is_empty()
        && !body.lines().next_back().unwrap_or_default().trim().is_empty()
        && !body.lines().find(|l| !l.is_empty()).is_some_and(|l| l.starts_with([' ', '\t']))
        && !text.chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || is_break(c))
}

/// The text of a block scalar, from its `|`; its lines at `column`. No line end behind the last one.
#[must_use]
pub fn block_text(text: &str, column: usize) -> String {
    let (mark, body) = match text.strip_suffix('\n') {
        Some(body) => ("|", body),
        None => ("|-", text),
    };
    let mut out = mark.to_owned();
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.push_str(&" ".repeat(column));
            out.push_str(line);
        }
    }
    out
}

/// What stands behind `key:` whose key is at `column`: begins with a blank or a new line.
#[must_use]
pub fn after_key(value: &Value, column: usize) -> String {
    match value {
        Value::Text(text) if is_block_text(text) => format!(" {}", block_text(text, column + 2)),
        Value::Map(map) if !map.is_empty() => format!("\n{}{}", " ".repeat(column + 2), members(map, column + 2)),
        Value::List(items) if !items.is_empty() => format!("\n{}{}", " ".repeat(column + 2), elements(items, column + 2)),
        short => format!(" {}", flow_or_plain(short)),
    }
}

/// The entries of a map whose keys stand at `column`; the first begins where the text begins.
#[must_use]
pub fn members(map: &Map, column: usize) -> String {
    let entries: Vec<String> = map.iter().map(|(k, v)| format!("{}{}", key(k, Dialect::Yaml), after_key(v, column))).collect();
    entries.join(&format!("\n{}", " ".repeat(column)))
}

/// The items of a list whose dashes stand at `column`; the first begins where the text begins.
#[must_use]
pub fn elements(items: &[Value], column: usize) -> String {
    let items: Vec<String> = items.iter().map(|v| element(v, column, false)).collect();
    items.join(&format!("\n{}", " ".repeat(column)))
}

/// One item with its dash, which stands at `column`. `braces`: its neighbours are written in braces.
#[must_use]
pub fn element(value: &Value, column: usize, braces: bool) -> String {
    match value {
        Value::Map(_) if braces && is_flat(value) => format!("- {}", flow(value, Dialect::Yaml)),
        Value::Map(map) if !map.is_empty() => format!("- {}", members(map, column + 2)),
        Value::List(items) if !items.is_empty() => format!("- {}", elements(items, column + 2)),
        Value::Text(text) if is_block_text(text) => format!("- {}", block_text(text, column + 2)),
        short => format!("- {}", flow_or_plain(short)),
    }
}

fn flow_or_plain(value: &Value) -> String {
    match value {
        Value::List(_) | Value::Map(_) => flow(value, Dialect::Yaml),
        single => scalar(single, false, None, Dialect::Yaml),
    }
}

/// A whole value as block YAML at `column`, without the blanks before its first line.
#[must_use]
pub fn block(value: &Value, column: usize) -> String {
    match value {
        Value::Map(map) if !map.is_empty() => members(map, column),
        Value::List(items) if !items.is_empty() => elements(items, column),
        Value::Text(text) if is_block_text(text) => block_text(text, column + 2),
        other => flow_or_plain(other),
    }
}

/// The style of a scalar node.
#[must_use]
pub fn style_of(node: &Node) -> Option<Style> {
    node.scalar().map(|s| s.style)
}

#[cfg(test)]
mod tests {
    use super::{is_block_text, misread, must_quote};

    #[test]
    fn what_a_reader_would_take_for_something_else_is_quoted() {
        for text in [
            "",
            "yes",
            "No",
            "on",
            "1",
            "1.5",
            "1_000",
            "12:30",
            "2024-01-01",
            "0x1f",
            "null",
            "~",
            "- a",
            "a: b",
            "a #b",
            "${x}",
            "a:",
            " a",
        ] {
            assert!(must_quote(text, false), "{text}");
        }
        for text in
            ["a", "main.silver.orders", "10.0.0.1", "15.4.x-scala2.12", "i3.xlarge", "a b", "/Shared/x", "https://x/y", "2X-Small", "a-b"]
        {
            assert!(!must_quote(text, false), "{text}");
            assert!(!misread(text), "{text}");
        }
        assert!(must_quote("a, b", true) && !must_quote("a, b", false));
    }

    #[test]
    fn only_what_a_block_scalar_can_hold_becomes_one() {
        for (text, want) in
            [("a\nb\n", true), ("a\nb", true), ("a", false), (" a\nb", false), ("a\n\n", false), ("\n", false), ("a\r\nb", false)]
        {
            assert_eq!(is_block_text(text), want, "{text:?}");
        }
    }
}
