//! Slips of the pen that are good YAML and cannot be meant: a comma that cuts a text in braces, a colon that makes a text a map, a
//! value alone where a list is wanted. Each with the text that was meant.

use super::expression::is_template;
use super::findings::span_text;
use crate::catalogue::Type;
use crate::diagnostic::{Diagnostic, Span, suggest};
use crate::kinds::{Field, Kind};
use crate::model::{Map, Path, Step, Value};
use crate::yaml::{Data, Entry, Node, Style, plain};

/// A text in braces without quotes, which its first comma ends.
pub struct Cut {
    key: String,
    whole: Span,
}

impl Cut {
    /// Whether a key is in truth a part of this text.
    pub fn holds(&self, key: &Span) -> bool {
        self.whole.source == key.source && self.whole.start <= key.start && key.end <= self.whole.end
    }

    /// What is said of it.
    pub fn diagnostic(&self) -> Diagnostic {
        let meant = quoted(span_text(&self.whole));
        Diagnostic::error("E0009", format!("a comma ends the value of `{}` early", self.key))
            .at(&self.whole, "inside braces, a `,` ends what is not in quotes")
            .help(format!("quote it: `{}: {meant}`", self.key))
            .patch(&self.whole, meant)
    }
}

/// What an unknown key turns out to be.
pub enum Slip {
    /// A part of the text before it.
    Cut(Cut),
    /// A key and its value.
    Other(Diagnostic),
}

impl Slip {
    /// What is said of it.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Cut(cut) => cut.diagnostic(),
            Self::Other(found) => found.clone(),
        }
    }

    /// The text that is cut.
    pub fn cut(self) -> Option<Cut> {
        match self {
            Self::Cut(cut) => Some(cut),
            Self::Other(_) => None,
        }
    }
}

/// Texts that a comma has cut, as far as it shows without knowing the fields: what follows has signs that no name has.
pub fn cut_texts(node: &Node) -> Vec<Cut> {
    let mut found = Vec::new();
    walk(node, &mut found);
    found
}

/// Texts that YAML reads as less or more than they are: those that begin with `&`, taken for the name of an anchor that nothing uses,
/// and items that have swallowed the next one.
pub fn misread_texts(node: &Node) -> Vec<Diagnostic> {
    let inner = node.items().iter().chain(node.entries().iter().map(|entry| &entry.value)).flat_map(misread_texts);
    anchored_text(node).into_iter().chain(crate::yaml::slips::swallowed(node)).chain(inner).collect()
}

fn anchored_text(node: &Node) -> Option<Diagnostic> {
    node.scalar().filter(|scalar| scalar.style == Style::Plain && !scalar.text.is_empty())?;
    let source = &node.span.source;
    let before = source.text.get(..node.span.start as usize)?.strip_suffix(' ')?.trim_end_matches(' ');
    let at = before.rfind([' ', '\n', '[', '{', ',']).map_or(0, |at| at + 1);
    let name = before.get(at..)?.strip_prefix('&').filter(|name| !name.is_empty())?;
    let is_used = source.text.match_indices(&format!("*{name}")).any(|(at, word)| {
        let behind = source.text.get(at + word.len()..).and_then(|rest| rest.chars().next());
        behind.is_none_or(|c| c.is_whitespace() || ",]}".contains(c))
    });
    let whole = Span { start: u32::try_from(at).ok()?, ..node.span.clone() };
    let meant = span_text(&whole);
    if is_used || meant.contains('\n') {
        return None;
    }
    let sign = Span { end: whole.start + u32::try_from(name.len() + 1).ok()?, ..whole.clone() };
    let found = Diagnostic::warning("W0132", format!("`&{name}` is no part of the text: YAML reads it as an anchor, and nothing uses it"))
        .at(&sign, "");
    Some(found.help("if it is one text, quote it; else take the anchor away").patch(&whole, quoted(meant)))
}

fn walk(node: &Node, found: &mut Vec<Cut>) {
    for item in node.items() {
        walk(item, found);
    }
    let entries = node.entries();
    for (i, entry) in entries.iter().enumerate() {
        walk(&entry.value, found);
        // The signs of tags, of settings and of addresses are those of names.
        let is_name = |c: char| c.is_alphanumeric() || "_-.$/:@#{} ".contains(c);
        let known = found.iter().any(|cut: &Cut| cut.holds(&entry.key_span));
        if !known && !entry.key.chars().all(is_name) {
            found.extend(cut_before(node, i, &|_| false));
        }
    }
}

/// What an unknown key without a value is, or one with a colon in it, in braces.
pub fn of_key(node: &Node, name: &str, field: &Field<'_>) -> Option<Slip> {
    let at = node.entries().iter().position(|entry| entry.key == name)?;
    let entry = &node.entries()[at];
    if !is_bare(entry) {
        return None;
    }
    let members = field.members();
    let is_field = |word: &str| members.iter().any(|(name, _)| *name == word);
    if let Some((word, value)) = name.split_once(':').filter(|(word, _)| is_field(word)) {
        let found = Diagnostic::error("E0012", format!("a blank is missing behind `{word}:`"))
            .at(&entry.key_span, "")
            .help(format!("write `{word}: {value}`"))
            .patch(&entry.key_span, format!("{word}: {value}"));
        return Some(Slip::Other(found));
    }
    if suggest::nearest(name, members.iter().map(|(name, _)| *name)).is_some() {
        return None;
    }
    cut_before(node, at, &is_field).map(Slip::Cut)
}

/// The text that this key without a value belongs to, and all that is cut off it.
fn cut_before(node: &Node, at: usize, is_field: &dyn Fn(&str) -> bool) -> Option<Cut> {
    let entries = node.entries();
    let is_in_braces = span_text(&node.span).starts_with('{');
    let first = (0..at).rev().find(|i| !is_bare(&entries[*i]))?;
    let owner = &entries[first];
    let is_text = owner.value.scalar().is_some_and(|scalar| scalar.style == Style::Plain) && !owner.value.is_null();
    if !is_in_braces || !is_text || !is_bare(&entries[at]) {
        return None;
    }
    let behind = entries[at..].iter().take_while(|entry| is_bare(entry) && !is_field(&entry.key));
    let last = behind.last()?;
    let whole = Span { end: last.key_span.end, ..owner.value.span.clone() };
    let is_one = owner.value.span.source == last.key_span.source && whole.start < whole.end && !span_text(&whole).contains('\n');
    is_one.then(|| Cut { key: owner.key.clone(), whole })
}

/// Whether a key stands alone, without a colon.
fn is_bare(entry: &Entry) -> bool {
    let is_plain = entry.value.scalar().is_some_and(|scalar| scalar.style == Style::Plain && scalar.text.is_empty());
    let behind = entry.key_span.source.text.get(entry.key_span.end as usize..).unwrap_or_default().trim_start();
    is_plain && behind.starts_with([',', '}']) && !span_text(&entry.key_span).starts_with(['"', '\''])
}

/// A text in quotes, double ones where nothing in it needs escaping.
fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) { format!("'{}'", text.replace('\'', "''")) } else { format!("\"{text}\"") }
}

/// An item that is a text with a colon in it, which without quotes is a map of one key.
pub struct Split {
    required: String,
    key: Span,
    whole: Span,
    meant: String,
}

impl Split {
    /// What is said of it.
    pub fn says(self, code: &'static str, message: impl FnOnce(&str) -> String) -> Diagnostic {
        Diagnostic::error(code, message(&self.required))
            .at(&self.key, "the colon makes this a key")
            .help("if it is one text, quote it")
            .patch(&self.whole, self.meant)
    }
}

/// Whether an item is such a text.
pub fn split_text(node: &Node, map: &Map, field: &Field<'_>) -> Option<Split> {
    let (name, required) = (map.keys().next()?, field.members().into_iter().find(|(_, member)| member.required())?.0.to_owned());
    let entry = node.entry(name).filter(|_| map.len() == 1 && field.field(name).is_none() && name.contains(' '))?;
    let meant = text_with_colon(entry)?;
    let whole = Span { end: entry.value.span.end, ..entry.key_span.clone() };
    Some(Split { required, key: entry.key_span.clone(), whole, meant })
}

/// The text that an entry without quotes would be, in quotes; none where it is no text of one line.
fn text_with_colon(entry: &Entry) -> Option<String> {
    let whole = Span { end: entry.value.span.end, ..entry.key_span.clone() };
    let text = span_text(&whole);
    let is_plain = entry.value.scalar().is_some_and(|scalar| scalar.style == Style::Plain);
    (is_plain && !text.contains(['"', '\\', '\n'])).then(|| format!("\"{text}\""))
}

/// The text that a map of one key was, where a text is wanted.
pub fn as_text(found: Diagnostic, value: &Value, node: &Node) -> Diagnostic {
    match (value, node.entries()) {
        (Value::Map(_), [entry]) => match text_with_colon(entry) {
            Some(meant) => {
                let whole = Span { end: entry.value.span.end, ..entry.key_span.clone() };
                found.help("if it is one text, quote it").patch(&whole, meant)
            }
            None => found,
        },
        _ => found,
    }
}

/// A number or the like where a text would do.
pub fn as_quoted(found: Diagnostic, node: &Node) -> Diagnostic {
    match node.scalar().filter(|scalar| scalar.style == Style::Plain && !matches!(plain(&scalar.text), Value::Text(_))) {
        Some(scalar) => found.help("if it is meant as text, quote it").patch(&node.span, format!("\"{}\"", scalar.text)),
        None => found,
    }
}

/// Whether a text alone may stand at this path: the kind makes a map of it.
pub fn is_short_form(kind: &Kind, path: &Path) -> bool {
    let Some(normal) = kind.hooks.normal else { return false };
    let body = path.steps().iter().rev().fold(Value::from("text"), |inner, step| match step {
        Step::Field(name) => Value::Map(std::iter::once((name.clone(), inner)).collect()),
        Step::Index(_) | Step::Key(..) => Value::List(vec![inner]),
        Step::Inside => inner,
    });
    let made = path.steps().iter().try_fold(normal(body), |value, step| match step {
        Step::Field(name) => value.get(name).cloned(),
        Step::Index(_) | Step::Key(..) => value.as_list().and_then(|items| items.first()).cloned(),
        Step::Inside => Some(value),
    });
    matches!(made, Some(Value::Map(_)))
}

/// How a list is written, where something else stands in its place.
pub fn as_list(found: Diagnostic, node: &Node, field: &Field<'_>) -> Diagnostic {
    debug_assert!(matches!(field.ty(), Type::List(_)), "a list is wanted");
    match &node.data {
        Data::Map(_) => match as_item(node, field.keyed().unwrap_or_default()) {
            Some(item) => found.help(format!("write `- ` before each item, and its other fields below the first: `{item}`")),
            None => found.help("a list without items is written `[]`"),
        },
        Data::Scalar(scalar) if scalar.style == Style::Plain && !is_template(&scalar.text) && !node.is_null() => {
            let list = format!("[{}]", scalar.text);
            found.help(format!("a list of one is written `{list}`")).patch(&node.span, list)
        }
        Data::Scalar(_) | Data::List(_) => found,
    }
}

/// How the text of a node would be written as an item: `- task_key: load`.
fn as_item(node: &Node, keys: &[&str]) -> Option<String> {
    let first = node.entries().first()?;
    // A map by name: each name is what the item's key field says.
    let named = !first.value.entries().is_empty();
    match keys.first().filter(|_| named) {
        Some(key) => Some(format!("- {key}: {}", first.key)),
        None => Some(match first.value.text() {
            Some(text) => format!("- {}: {text}", first.key),
            None => format!("- {}: ..", first.key),
        }),
    }
}
