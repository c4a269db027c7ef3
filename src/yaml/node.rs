//! A node of a YAML tree.

use crate::diagnostic::Span;
use crate::model::{Map, Path, Step, Value};

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: typed by the core schema.
    Plain,
    /// `'...'`
    Single,
    /// `"..."`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// A scalar: its text after unescaping, and how it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// The text.
    pub text: String,
    /// How it was written.
    pub style: Style,
    /// `!!str` and the like force text; other tags are errors at parse.
    pub forced_text: bool,
}

/// A member of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// Its value.
    pub value: Node,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// A scalar.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map, in source order, keys unique.
    Map(Vec<Entry>),
}

/// A node: what it holds and where it stands. Nodes of one tree may come from several files (overlays).
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where.
    pub span: Span,
    /// What.
    pub data: Data,
}

impl Node {
    /// The member of a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }

    /// The member of a map, with its key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|e| e.key == key)
    }

    /// The members of a map; empty for other nodes.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        if let Data::Map(entries) = &self.data { entries } else { &[] }
    }

    /// The items of a list; empty for other nodes.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        if let Data::List(items) = &self.data { items } else { &[] }
    }

    /// The scalar, if it is one.
    #[must_use]
    pub fn scalar(&self) -> Option<&Scalar> {
        if let Data::Scalar(scalar) = &self.data { Some(scalar) } else { None }
    }

    /// The text of a scalar, whatever its type.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.scalar().map(|s| s.text.as_str())
    }

    /// Whether it is a null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.scalar().is_some_and(|s| matches!(s.value(), Value::Null))
    }

    /// The whole tree as a value; plain scalars typed by the core schema, `${...}` untouched.
    #[must_use]
    pub fn value(&self) -> Value {
        match &self.data {
            Data::Scalar(scalar) => scalar.value(),
            Data::List(items) => Value::List(items.iter().map(Node::value).collect()),
            Data::Map(entries) => Value::Map(entries.iter().map(|e| (e.key.clone(), e.value.value())).collect::<Map>()),
        }
    }

    /// The sort of node, as messages name it.
    #[must_use]
    pub fn sort(&self) -> &'static str {
        match &self.data {
            Data::Scalar(s) => s.value().sort(),
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    /// The node at a path, or the nearest one above it that exists: where a message about the path points.
    #[must_use]
    pub fn nearest(&self, path: &Path) -> &Node {
        let mut node = self;
        for step in path.steps() {
            let next = match step {
                Step::Field(name) => node.get(name),
                Step::Index(i) => node.items().get(*i),
                Step::Key(pairs, nth) => node
                    .items()
                    .iter()
                    .filter(|item| pairs.iter().all(|(k, v)| item.get(k).and_then(Node::text) == Some(v)))
                    .nth(*nth as usize),
                Step::Inside => Some(node),
            };
            match next {
                Some(found) => node = found,
                None => break,
            }
        }
        node
    }

    /// The span of a part of a scalar's text, `from..to` in bytes of [`Scalar::text`]. Exact where the source spells the
    /// text as it is; the whole scalar otherwise.
    #[must_use]
    pub fn span_in(&self, from: usize, to: usize) -> Span {
        let Some(text) = self.text() else { return self.span.clone() };
        let (Some(part), Some(raw)) = (text.get(from..to), self.span.source.text.get(self.span.start as usize..self.span.end as usize))
        else {
            return self.span.clone();
        };
        if part.is_empty() {
            return self.span.clone();
        }
        let nth = text.get(..from).map_or(0, |before| before.matches(part).count());
        raw.match_indices(part).nth(nth).map_or_else(|| self.span.clone(), |(at, _)| self.span.within(at, at + part.len()))
    }
}

impl Scalar {
    /// Its value by the YAML 1.2 core schema.
    #[must_use]
    pub fn value(&self) -> Value {
        if self.style != Style::Plain || self.forced_text {
            return Value::text(self.text.as_str());
        }
        plain(&self.text)
    }
}

/// A plain scalar by the YAML 1.2 core schema: `yes` and `on` are text, `0o17` and `0x1f` are numbers.
#[must_use]
pub fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "-.inf" | ".nan" | ".NaN" | ".NAN" => return Value::text(text),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hex) = text.strip_prefix("0x").and_then(|h| u64::from_str_radix(h, 16).ok()) {
        return Value::from(hex);
    }
    if let Some(octal) = text.strip_prefix("0o").and_then(|o| u64::from_str_radix(o, 8).ok()) {
        return Value::from(octal);
    }
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let signless = text.strip_prefix('+').unwrap_or(text);
        if let Ok(n) = signless.parse::<i64>() {
            return Value::Int(n);
        }
        if let Ok(n) = signless.parse::<u64>() {
            return Value::from(n);
        }
        return Value::text(text); // beyond 64 bits: never rounded
    }
    if digits.bytes().next().is_some_and(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().any(|b| b.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        && let Ok(x) = text.parse::<f64>()
        && x.is_finite()
    {
        return Value::Float(x);
    }
    Value::text(text)
}
