//! The secret values that a run has read, kept out of all that leaves it: somebody may have copied one to where nothing says
//! that it is one.
//!
//! Owns what is looked for, and where it is no find. Values of fewer than [`LEAST`] bytes are not looked for: hiding them would
//! take everything else along. Those of fewer than [`LINE`] are found where they stand as a word of their own; longer ones
//! anywhere, also as encodings write them, and cut short where `…` or `...` says so.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use super::scrub::{Bare, LINE, Lines, MASK, forms};
use super::{SecretSource, Value};

/// The fewest bytes of a value that is looked for.
const LEAST: usize = 4;

/// What says that a text was cut.
const CUTS: [&str; 2] = ["…", "..."];

/// How a text is written: a name that is part of the form is no secret, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Words for people.
    Plain,
    /// JSON, one document or one a line: what stands outside of quotes stays, and short values are no names of members.
    Json,
    /// HTML or XML: scripts and styles stay, and short values are no part of a tag.
    Markup,
}

/// One form of one value.
struct Form {
    text: Zeroizing<String>,
    /// Whether it is found only as a word of its own.
    alone: bool,
}

/// The values.
#[derive(Default)]
pub struct Known(Mutex<All>);

#[derive(Default)]
struct All {
    forms: Vec<Form>,
    /// What is left of them without what programs put between their letters.
    bare: Vec<Zeroizing<String>>,
    /// Where those came from that are looked for.
    sources: BTreeSet<SecretSource>,
}

impl Known {
    /// The value of a secret.
    pub fn learn_from(&self, source: &SecretSource, value: &str) {
        self.learn(value);
        if value.trim().len() >= LEAST {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).sources.insert(source.clone());
        }
    }

    /// Whether the value of this secret is looked for.
    #[must_use]
    pub fn knows(&self, source: &SecretSource) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).sources.contains(source)
    }

    /// One more value.
    pub fn learn(&self, value: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let All { forms: all, bare, .. } = &mut *known;
        let whole = value.trim();
        let lines = value.lines().map(str::trim).filter(|line| line.len() >= LINE && line.len() < whole.len());
        for part in std::iter::once(whole).chain(lines).filter(|part| part.len() >= LEAST) {
            if all.iter().any(|form| *form.text == part) {
                continue;
            }
            let alone = part.len() < LINE;
            if !alone {
                for left in forms(part).iter().map(|form| Bare::of(form, Lines::AtBlanks).text).filter(|left| left.len() >= LINE) {
                    if !bare.contains(&left) {
                        bare.push(left);
                    }
                }
            }
            all.extend(forms(part).into_iter().map(|text| Form { text, alone }));
        }
    }

    /// The text without them, however it was laid out: wrapped, quoted, escaped, whatever of these around another.
    #[must_use]
    pub fn hide<'t>(&self, text: &'t str, written: Written) -> Cow<'t, str> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<(Range<usize>, bool)> = Vec::new();
        for form in &all.forms {
            found.extend(whole(text, form).map(|range| (range, form.alone)));
        }
        if !all.forms.is_empty() {
            cut_short(text, &all.forms, &mut found);
        }
        if !all.bare.is_empty() {
            for lines in [Lines::AtBlanks, Lines::InWords] {
                let bare = Bare::of(text, lines);
                found.extend(all.bare.iter().flat_map(|form| bare.places(form)).map(|range| (range, false)));
            }
        }
        drop(all);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let kept = match written {
            Written::Plain => vec![],
            Written::Json => outside_of_quotes(text),
            Written::Markup => tags(text),
        };
        let is_kept = |range: &Range<usize>, alone: bool| {
            let from = kept.partition_point(|(part, _)| part.end <= range.start);
            kept[from..].iter().take_while(|(part, _)| part.start < range.end).any(|(_, always)| *always || alone)
        };
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (range, alone) in found {
            if is_kept(&range, alone) || range.end <= at {
                continue;
            }
            if range.start >= at {
                out.push_str(&text[at..range.start]);
                // Two that touch are one.
                if range.start > at || !out.ends_with(MASK) {
                    out.push_str(MASK);
                }
            }
            at = range.end;
        }
        out.push_str(&text[at..]);
        Cow::Owned(out)
    }

    /// The value with no text that holds one of them.
    #[must_use]
    pub fn hide_in(&self, value: &Value) -> Value {
        match value {
            Value::Text(text) => Value::Text(self.hide(text, Written::Plain).into_owned()),
            Value::List(items) => Value::List(items.iter().map(|item| self.hide_in(item)).collect()),
            Value::Map(map) => Value::Map(map.iter().map(|(name, value)| (name.clone(), self.hide_in(value))).collect()),
            other => other.clone(),
        }
    }

    /// How many of them a text holds.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        match self.hide(text, Written::Plain) {
            Cow::Owned(hidden) => hidden.matches(MASK).count() - text.matches(MASK).count(),
            Cow::Borrowed(_) => 0,
        }
    }

    /// Whether a text of the value holds one of them.
    #[must_use]
    pub fn is_in(&self, value: &Value) -> bool {
        value.any(&|value| matches!(value, Value::Text(text) if matches!(self.hide(text, Written::Plain), Cow::Owned(_))))
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Known(..)")
    }
}

fn whole<'f>(text: &'f str, form: &'f Form) -> impl Iterator<Item = Range<usize>> + 'f {
    let ranges = text.match_indices(form.text.as_str()).map(|(at, found)| at..at + found.len());
    ranges.filter(move |range| !form.alone || is_alone(text, range))
}

/// Whether neither a letter, nor what joins words to a name, stands beside it.
fn is_alone(text: &str, range: &Range<usize>) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let joins = |c: char| matches!(c, '-' | '.' | '/');
    let beside =
        |first: Option<char>, second: Option<char>| first.is_some_and(|c| is_letter(c) || (joins(c) && second.is_some_and(is_letter)));
    let (mut before, mut after) = (text[..range.start].chars().rev(), text[range.end..].chars());
    !beside(before.next(), before.next()) && !beside(after.next(), after.next())
}

/// Beginnings and ends that tell too much, where the text says that something was left out.
fn cut_short(text: &str, all: &[Form], found: &mut Vec<(Range<usize>, bool)>) {
    for cut in CUTS {
        for (at, mark) in text.match_indices(cut) {
            let (before, after) = (&text[..at], &text[at + mark.len()..]);
            for form in all.iter().filter(|form| !form.alone) {
                let lengths = || (LINE..form.text.len()).rev();
                let ends = |n: &usize| form.text.get(..*n).is_some_and(|part| before.ends_with(part));
                let begins = |n: &usize| form.text.get(form.text.len() - n..).is_some_and(|part| after.starts_with(part));
                found.extend(lengths().find(ends).map(|n| (at - n..at, false)));
                found.extend(lengths().find(begins).map(|n| (text.len() - after.len()..text.len() - after.len() + n, false)));
            }
        }
    }
}

/// What is never hidden (`true`), and what is not hidden where a value is short.
type Kept = Vec<(Range<usize>, bool)>;

/// Of JSON: what stands outside of quotes, and the names of members.
fn outside_of_quotes(text: &str) -> Kept {
    let mut kept = Vec::new();
    let bytes = text.as_bytes();
    let (mut at, mut from) = (0, 0);
    while at < bytes.len() {
        if bytes[at] != b'"' {
            at += 1;
            continue;
        }
        kept.push((from..at + 1, true));
        let start = at + 1;
        at = start;
        while at < bytes.len() && bytes[at] != b'"' {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        let end = at.min(bytes.len());
        if text.get(end + 1..).is_some_and(|rest| rest.trim_start().starts_with(':')) {
            kept.push((start..end, false));
        }
        (from, at) = (end, end + 1);
    }
    kept.push((from..bytes.len(), true));
    kept
}

/// Of HTML and XML: tags, and all of what is run or lays out.
fn tags(text: &str) -> Kept {
    let mut kept = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('<').map(|open| at + open) {
        let Some(close) = text[open..].find('>').map(|close| open + close + 1) else { break };
        kept.push((open..close, false));
        at = close;
        for (begins, ends) in [("<style", "</style"), ("<script", "</script")] {
            let tag = &text[open..close];
            if tag.starts_with(begins) && !tag.contains("json") {
                let end = text[close..].find(ends).map_or(text.len(), |end| close + end);
                kept.push((open..end, true));
                at = end;
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{Known, Written};
    use crate::model::{Value, json};

    fn known(values: &[&str]) -> Known {
        let known = Known::default();
        for value in values {
            known.learn(value);
        }
        known
    }

    #[test]
    fn what_is_known_is_hidden_wherever_it_stands() {
        const PASSWORD: &str = "s3cret-<pass>_word";
        for (value, written, text, want) in [
            (PASSWORD, Written::Plain, "ask with s3cret-<pass>_word, please", "ask with (sensitive), please"),
            (PASSWORD, Written::Plain, "xs3cret-<pass>_wordy", "x(sensitive)y"),
            (PASSWORD, Written::Plain, "S3CRET-<pass>_word", "S3CRET-<pass>_word"),
            (PASSWORD, Written::Plain, r"s3cret-&lt;pass&gt;\_word", "(sensitive)"),
            (PASSWORD, Written::Plain, "s3cret-<pa… and s3cret-<pa", "(sensitive)… and s3cret-<pa"),
            (PASSWORD, Written::Plain, "s3cret-<pa... (sha256 12)", "(sensitive)... (sha256 12)"),
            (PASSWORD, Written::Plain, "…ss>_word", "…(sensitive)"),
            (PASSWORD, Written::Markup, "<a title=\"s3cret-&lt;pass&gt;_word\">x</a>", "<a title=\"(sensitive)\">x</a>"),
            ("a\"b\\c\nd-e-f", Written::Json, r#"{"x":"1 a\"b\\c\nd-e-f 2"}"#, r#"{"x":"1 (sensitive) 2"}"#),
            ("a\"b\\c\nd-e-f", Written::Json, r#"{"x":"{\"y\":\"a\\\"b\\\\c\\nd-e-f\"}"}"#, r#"{"x":"{\"y\":\"(sensitive)\"}"}"#),
            ("a key of\nseveral lines", Written::Plain, "  | a key of\n  | several lines\n", "  | (sensitive)\n  | (sensitive)\n"),
            ("hunter2", Written::Plain, "hunter2, 'hunter2' x=hunter2.", "(sensitive), '(sensitive)' x=(sensitive)."),
            (
                "hunter2",
                Written::Plain,
                "hunter22 my-hunter2 jobs.hunter2 hunter2.sql a/hunter2",
                "hunter22 my-hunter2 jobs.hunter2 hunter2.sql a/hunter2",
            ),
            ("1234", Written::Json, r#"{"serial": 1234, "pin": "1234"}"#, r#"{"serial": 1234, "pin": "(sensitive)"}"#),
            ("12345678", Written::Json, r#"[12345678, "12345678"]"#, r#"[12345678, "(sensitive)"]"#),
            ("title", Written::Json, r#"{"title" : "the title"}"#, r#"{"title" : "the (sensitive)"}"#),
            ("long-title", Written::Json, r#"{"long-title":"x"}"#, r#"{"(sensitive)":"x"}"#),
            (
                "table",
                Written::Markup,
                "<style>table {}</style><table class=\"table\">a table</table>",
                "<style>table {}</style><table class=\"table\">a (sensitive)</table>",
            ),
            (
                "long-word",
                Written::Markup,
                "<script>'long-word'</script><script type=\"application/json\">{\"a\":\"long-word\"}</script>",
                "<script>'long-word'</script><script type=\"application/json\">{\"a\":\"(sensitive)\"}</script>",
            ),
            // Wrapped, with a colour; in YAML, and what YAML holds in that; a literal `${` as YAML writes it.
            ("a pass of words", Written::Plain, "is a pass \u{1b}[2m\n      of  words.", "is (sensitive)."),
            ("of-one-long-word", Written::Plain, "is of-one-\n    long-word.", "is (sensitive)."),
            ("it's\"a\\b-key", Written::Plain, r#"['q="it''s\"a\\b-key"']"#, r#"['q="(sensitive)"']"#),
            (
                "it's\"a\\b-key",
                Written::Markup,
                r"[&apos;q=&quot;it&apos;&apos;s\&quot;a\\b-key&quot;]",
                "[&apos;q=&quot;(sensitive)&quot;]",
            ),
            ("a\"b'c-key-12", Written::Markup, "k=a&amp;quot;b&amp;#x27;c-key-12", "k=(sensitive)"),
            ("a\"b'c-key-12", Written::Json, r#"{"k":"a\u0026quot;b\u0026#x27;c-key-12"}"#, r#"{"k":"(sensitive)"}"#),
            ("a\"b'c-key-12", Written::Plain, "a&amp;quot;b&amp;#\u{200b}x27;c-key-12", "(sensitive)"),
            ("a b-key/12", Written::Plain, "k=a%2520b-key%252F12", "k=(sensitive)"),
            ("production1", Written::Plain, "production 1, production\t1", "production 1, production\t1"),
            ("horse$${b}${c}", Written::Plain, "see horse$$${b}$${c}!", "see (sensitive)!"),
            ("a-key\u{7f}\u{2028}b-c", Written::Plain, r"a-key\u{7f}\u{2028}b-c a-key\u007f\u2028b-c", "(sensitive) (sensitive)"),
            ("key:value-12", Written::Json, r#"{"key": "value-12"}"#, r#"{"key": "value-12"}"#),
            ("abc", Written::Plain, "abc", "abc"),
            ("   \n", Written::Plain, "   \n", "   \n"),
            ("abcdefgh", Written::Plain, "abcdefghabcdefgh", "(sensitive)"),
            ("grüße-aus-köln", Written::Plain, "nein: grüße-aus-köln! gr… grüße-au…", "nein: (sensitive)! gr… (sensitive)…"),
        ] {
            assert_eq!(known(&[value]).hide(text, written), want, "{value}");
        }
    }

    #[test]
    fn one_inside_another_leaves_nothing_and_values_are_looked_through() {
        let known = known(&["abcdefgh", "xx-abcdefgh-yy"]);
        assert_eq!(known.hide("it is xx-abcdefgh-yy, abcdefgh", Written::Plain), "it is (sensitive), (sensitive)");
        let value = json::parse(br#"{"a":["is abcdefgh",1],"b":{"c":"x"}}"#).unwrap();
        assert_eq!(known.hide_in(&value), json::parse(br#"{"a":["is (sensitive)",1],"b":{"c":"x"}}"#).unwrap());
        assert!(known.is_in(&value) && !known.is_in(&Value::from("abcdefg")));
        assert_eq!(format!("{known:?}"), "Known(..)");
    }
}
