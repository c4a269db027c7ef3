//! Slips of the pen that YAML reads as something else: a blank that is missing behind `key:` or `-`, a sign that only looks like one of
//! YAML's, a text that begins with a bracket, a text beside its key. What is found here is a guess until `mend` has tried it,
//! or until somebody wanted a list or a map where a text stands.

use std::ops::Range;

use super::mend::{Broken, Candidate, Told};
use super::{Node, Style, quoting};
use crate::diagnostic::{Diagnostic, Span, unseen};

/// How far above a line the key is looked for that its text belongs to.
const TEXT_ABOVE: usize = 40;

/// Where values in braces may end, at most.
const ENDS: usize = 8;

/// What is said of a slip.
#[derive(Clone)]
pub(super) struct Slip {
    /// Where it is.
    pub at: Range<usize>,
    /// Whether it is a key whose colon is none.
    pub is_key: bool,
    code: &'static str,
    message: String,
    under: &'static str,
    help: String,
}

impl Slip {
    fn new(at: Range<usize>, message: impl Into<String>, under: &'static str, help: impl Into<String>) -> Self {
        Self { at, is_key: false, code: "E0012", message: message.into(), under, help: help.into() }
    }

    pub fn diagnostic(&self, at: &Span) -> Diagnostic {
        let found = Diagnostic::error(self.code, self.message.as_str()).at(at, self.under);
        if self.help.is_empty() { found } else { found.help(self.help.as_str()) }
    }
}

fn candidate(range: Range<usize>, text: impl Into<String>, slip: Slip) -> Candidate {
    Candidate { range, text: text.into(), told: Told::Slip(slip) }
}

/// The same, so much further on.
fn moved(mut candidate: Candidate, by: usize) -> Candidate {
    candidate.range = candidate.range.start + by..candidate.range.end + by;
    if let Told::Slip(slip) = &mut candidate.told {
        slip.at = slip.at.start + by..slip.at.end + by;
    }
    candidate
}

/// Slips in the line that begins here.
pub(super) fn in_line(text: &str, start: usize) -> Vec<Candidate> {
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let content = line.trim_start_matches(' ');
    let by = start + line.len() - content.len();
    let slips = [unseen_sign(content), dash(content), colon(content), bracket(content)];
    slips.into_iter().flatten().map(|found| moved(found, by)).collect()
}

/// Items whose dash is none, in a text that stands where a list is wanted.
#[must_use]
pub fn dashes(node: &Node) -> Vec<Diagnostic> {
    told(node, dash)
}

/// Keys whose colon is none, in a text that stands where a map is wanted.
#[must_use]
pub fn colons(node: &Node) -> Vec<Diagnostic> {
    told(node, |content| unseen_sign(content).or_else(|| colon(content)))
}

/// Items of a list that are more of the text of the item above to YAML, since they stand further in: `- One?`, and below it ` - Two?`.
#[must_use]
pub fn swallowed(node: &Node) -> Vec<Diagnostic> {
    node.items().iter().filter_map(swallowed_by).collect()
}

fn swallowed_by(item: &Node) -> Option<Diagnostic> {
    item.scalar().filter(|scalar| scalar.style == Style::Plain)?;
    let source = &item.span.source;
    let (from, to) = (item.span.start as usize, item.span.end as usize);
    let text = source.text.get(from..to)?;
    let line = source.text.get(..from)?.rfind('\n').map_or(0, |at| at + 1);
    let indent = source.text.get(line..from)?.strip_suffix("- ").filter(|indent| indent.trim_matches(' ').is_empty())?;
    let mut at = from;
    for line in text.split_inclusive('\n') {
        let content = line.trim_start_matches(' ');
        let found = if at == from { None } else { content.strip_prefix("- ").map(|_| 2).or_else(|| Some(dash(content)?.range.end)) };
        if let Some(length) = found {
            let start = at + line.len() - content.len();
            let span = Span::new(source, start, start + content.trim_end().len());
            let message = "this stands further in than the item above, so that YAML reads it as more of its text";
            let found = Diagnostic::warning("W0132", message)
                .at(&span, "no item of its own")
                .help("indent it like the item above; what is one text is quoted");
            return Some(found.patch(&Span::new(source, at, start + length), format!("{indent}- ")));
        }
        at += line.len();
    }
    None
}

fn told(node: &Node, slip: impl Fn(&str) -> Option<Candidate>) -> Vec<Diagnostic> {
    let is_plain = node.scalar().is_some_and(|scalar| scalar.style == Style::Plain);
    let source = &node.span.source;
    let (from, to) = (node.span.start as usize, node.span.end as usize);
    let Some(text) = source.text.get(from..to).filter(|_| is_plain) else { return Vec::new() };
    let mut found = Vec::new();
    let mut at = from;
    for line in text.split_inclusive('\n') {
        let content = line.trim_start_matches(' ').trim_end();
        let by = at + line.len() - line.trim_start_matches(' ').len();
        if let Some(candidate) = slip(content).map(|found| moved(found, by))
            && let Told::Slip(slip) = &candidate.told
        {
            let span = |range: &Range<usize>| Span::new(source, range.start, range.end);
            found.push(slip.diagnostic(&span(&slip.at)).patch(&span(&candidate.range), candidate.text));
        }
        at += line.len();
    }
    found
}

/// Where the text of an item begins, behind its dashes.
fn behind_dashes(content: &str) -> usize {
    let mut at = 0;
    while let Some(rest) = content.get(at..).and_then(|rest| rest.strip_prefix("- ")) {
        at = content.len() - rest.trim_start_matches(' ').len();
    }
    at
}

/// How long the name is that a text begins with; none where it begins with no name.
fn name(text: &str) -> Option<usize> {
    let length = text.find(|c: char| !(c.is_ascii_alphanumeric() || "_-.$".contains(c))).unwrap_or(text.len());
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$').then_some(length)
}

/// The key of a line (behind its dashes) and its value: where the one begins, where the other.
fn entry(content: &str) -> Option<(usize, usize)> {
    let key = behind_dashes(content);
    let colon = key + name(&content[key..])?;
    let value = content[colon..].strip_prefix(':').filter(|value| value.is_empty() || value.starts_with(' '))?;
    Some((key, content.len() - value.trim_start_matches(' ').len()))
}

/// Whether a line begins an item, or has a key.
fn is_structure(content: &str) -> bool {
    content == "-" || content.starts_with("- ") || content.starts_with(['"', '\'']) && content.contains(": ") || entry(content).is_some()
}

/// A sign that looks like a blank, in the indentation, behind a dash or beside a colon.
fn unseen_sign(content: &str) -> Option<Candidate> {
    let is_blank = |c: char| c == ' ' || unseen::called(c).is_some();
    let run = |from: usize| content[from..].find(|c| !is_blank(c)).map_or(content.len(), |n| from + n);
    let behind = behind_dashes(content);
    let start = run(0);
    let (from, to, mended) = if start > 0 {
        // As wide as it looks.
        (0, start, content[..start].chars().filter(|c| *c == ' ' || unseen::is_wide(*c)).map(|_| ' ').collect())
    } else if content[behind..].starts_with('-') && run(behind + 1) > behind + 1 {
        (behind + 1, run(behind + 1), " ".to_owned())
    } else {
        let end = behind + name(&content[behind..])?;
        let colon = run(end);
        let value = run(colon + content[colon..].starts_with(':').then_some(1)?);
        (end, value, if value == content.len() { ":".to_owned() } else { ": ".to_owned() })
    };
    let (at, sign) = content[from..to].char_indices().find(|(_, c)| unseen::called(*c).is_some())?;
    let called = unseen::called(sign)?.split(" (").next()?;
    let at = from + at..from + at + sign.len_utf8();
    Some(candidate(from..to, mended, Slip::new(at, format!("{called} stands where YAML wants a blank"), "", "")))
}

/// What stands for the dash of an item and is none.
fn dash(content: &str) -> Option<Candidate> {
    let sign = content.chars().next()?;
    let rest = &content[sign.len_utf8()..];
    let text = rest.trim_start_matches(' ');
    let message = match sign {
        '-' if rest == text && !text.starts_with(['-', '\u{a0}']) => "a blank is missing behind `-`".to_owned(),
        '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2013}' | '\u{2014}' | '\u{2015}' | '\u{2212}' | '•' | '·' => {
            format!("`{sign}` is no `-`, with which an item of a list begins")
        }
        '*' if rest != text => "`*` is no `-`, with which an item of a list begins".to_owned(),
        _ => return None,
    };
    if text.is_empty() {
        return None;
    }
    let length = content.len() - text.len();
    let help = format!("write `- {}`", text.trim_end());
    Some(candidate(0..length, "- ", Slip::new(0..sign.len_utf8(), message, "", help)))
}

/// A key without a blank behind its colon, or with something else in the place of the colon.
fn colon(content: &str) -> Option<Candidate> {
    let key = behind_dashes(content);
    let end = key + name(&content[key..])?;
    let word = &content[key..end];
    let behind = &content[end..];
    let sign = behind.trim_start_matches(' ').chars().next()?;
    let before = behind.len() - behind.trim_start_matches(' ').len();
    let rest = &behind[before + sign.len_utf8()..];
    let value = rest.trim_start_matches(' ');
    let range = end..content.len() - value.len();
    let message = match sign {
        ':' if before == 0 && rest == value && !value.is_empty() && !value.starts_with([':', '/', '\\']) => {
            let slip = Slip::new(key..end + 1, format!("a blank is missing behind `{word}:`"), "", format!("write `{word}: {value}`"));
            return Some(candidate(range, ": ", Slip { is_key: true, ..slip }));
        }
        '\u{ff1a}' | '\u{fe55}' | '\u{a789}' | '\u{2236}' => format!("`{sign}` is no `:`, with which a key ends"),
        '=' if !rest.starts_with(['=', '>']) => "`=` is no `:`, with which a key ends".to_owned(),
        _ => return None,
    };
    let mended = if value.is_empty() { ":" } else { ": " };
    let at = end + before..end + before + sign.len_utf8();
    let slip = Slip::new(at, message, "", format!("write `{}`", format!("{word}: {value}").trim_end()));
    Some(candidate(range, mended, Slip { is_key: true, ..slip }))
}

/// A text that begins with a bracket: to YAML it ends where the bracket is closed.
fn bracket(content: &str) -> Option<Candidate> {
    let value = entry(content).map_or_else(|| behind_dashes(content), |(_, value)| value);
    let text = content[value..].split(" #").next()?.trim_end();
    if !text.starts_with(['[', '{']) {
        return None;
    }
    let mut depth = 0usize;
    let closed = text.char_indices().find_map(|(at, c)| {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (depth == 0).then_some(at + 1)
    })?;
    let rest = text[closed..].trim_start();
    if rest.is_empty() || rest.starts_with([',', ':']) {
        return None;
    }
    let at = value + text.len() - rest.len();
    let width = rest.chars().next().map_or(1, char::len_utf8);
    let slip = Slip::new(at..at + width, "there is text behind the end of a value", "", "quote the whole value");
    Some(candidate(value..value + text.len(), quoting::quoted(text), slip))
}

/// The value in braces around the break, in quotes, up to each place where it may end.
pub(super) fn in_braces(text: &str, broken: &Broken) -> Vec<Candidate> {
    let start = text.get(..broken.at).and_then(|before| before.rfind('\n')).map_or(0, |n| n + 1);
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let at = (broken.at - start).min(line.len());
    let Some((_, value)) = line[..at].match_indices(['{', ',']).filter_map(|(sign, _)| value_behind(line, sign + 1)).next_back() else {
        return Vec::new();
    };
    if line[value..].starts_with(['"', '\'', '[', '{', '&', '*', '!', '|', '>', '#']) || value > at {
        return Vec::new();
    }
    let ends = line
        .char_indices()
        .filter(|(end, c)| *end >= at && *end > value && (matches!(c, '}' | ']') || *c == ',' && value_behind(line, end + 1).is_some()));
    let quote = |end: usize| {
        let meant = line[value..end].trim_end();
        let range = value..value + meant.len();
        let message = "this text needs quotes: it stands in braces, and has signs of YAML's own in it";
        let mut slip = Slip::new(range.clone(), message, "YAML reads `,`, `[`, `]`, `{`, `}` and `: ` in this as its own", "quote this");
        slip.code = "E0009";
        moved(candidate(range, quoting::quoted(meant), slip), start)
    };
    ends.map(|(end, _)| quote(end)).take(ENDS).collect()
}

/// The key behind a bracket or a comma, and where its value begins.
fn value_behind(line: &str, at: usize) -> Option<(usize, usize)> {
    let rest = line.get(at..)?.trim_start_matches(' ');
    let key = line.len() - rest.len();
    let colon = key + name(rest)?;
    let value = line[colon..].strip_prefix(": ")?;
    Some((key, line.len() - value.trim_start_matches(' ').len()))
}

/// A line of a text and where it begins.
#[derive(Clone, Copy)]
struct Line<'a> {
    start: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn content(&self) -> &'a str {
        self.text.trim_start_matches(' ').trim_end()
    }

    fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    fn is_text(&self) -> bool {
        !self.content().is_empty() && !self.content().starts_with('#')
    }
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut at = 0;
    let step = |line: &'_ str| -> usize {
        let start = at;
        at += line.len();
        start
    };
    let starts: Vec<usize> = text.split_inclusive('\n').map(step).collect();
    text.split_inclusive('\n').zip(starts).map(|(text, start)| Line { start, text: text.trim_end_matches(['\n', '\r']) }).collect()
}

/// Text that stands at the column of the key that it belongs to: below `key: |`, or as the second line of a value.
pub(super) fn beside_its_key(text: &str, at: usize) -> Option<Candidate> {
    let lines = lines(text);
    let broken = lines.iter().rposition(|line| line.start <= at)?;
    // The break is told at the text, or at the key behind it.
    let last = (0..=broken).rev().find(|i| lines[*i].is_text() && entry(lines[*i].content()).is_none())?;
    if broken - last > TEXT_ABOVE {
        return None;
    }
    let above = (last.saturating_sub(TEXT_ABOVE)..last).rev().find(|i| entry(lines[*i].content()).is_some())?;
    let first = (above + 1..=last).find(|i| !lines[*i].content().is_empty())?;
    let owner = lines[above];
    let (key, value) = entry(owner.content())?;
    let column = owner.indent() + key;
    let beside = lines[first].indent();
    if beside > column {
        return None;
    }
    let name = owner.content()[key..].split(':').next()?;
    let head = &owner.content()[value..];
    let is_header = head.starts_with(['|', '>']) && head[1..].chars().all(|c| matches!(c, '-' | '+' | '1'..='9'));
    let is_lines = beside == column && !is_header && is_first_of_several(head, lines[first].content());
    if !is_header && !is_lines {
        return None;
    }
    let is_list = lines[first].content().starts_with("- ");
    let is_more = |line: &str| is_list && line.starts_with("- ") || !is_structure(line);
    let ends = |line: &Line<'_>| line.indent() < beside || line.indent() <= column && !is_more(line.content());
    let end = lines[first + 1..].iter().position(|line| line.is_text() && ends(line)).map_or(lines.len(), |n| first + 1 + n);
    let end = (first + 1..=end).rev().find(|end| lines[end - 1].is_text())?;
    let mut mended = String::new();
    if is_lines {
        mended = format!("|\n{}{head}\n", " ".repeat(column + 2));
    }
    let body = lines[first..end].iter().map(|line| match line.content() {
        "" => String::new(),
        content => " ".repeat(column + 2 + line.indent() - beside.min(line.indent())) + content,
    });
    mended += &body.collect::<Vec<_>>().join("\n");
    let from = if is_lines { owner.start + owner.indent() + value } else { lines[first].start };
    let to = lines[end - 1].start + lines[end - 1].text.trim_end().len();
    let label = lines[first].start + beside..lines[first].start + beside + lines[first].content().len();
    let slip = if is_header {
        let mark = head.chars().next()?;
        Slip::new(
            label,
            format!("this belongs below `{name}: {mark}`, indented"),
            "it stands beside the key",
            "indent the text below its key",
        )
    } else {
        let message = format!("a second line of `{name}` stands beside its key");
        Slip::new(label, message, "YAML wants a key here", format!("a text of several lines stands below `{name}: |`, indented"))
    };
    Some(candidate(from..to, mended, slip))
}

/// Whether a value goes on in the next line, as far as one can tell: it has several words, and the line does not look like a key and
/// its value without the colon.
fn is_first_of_several(value: &str, next: &str) -> bool {
    let is_plain = !value.starts_with(['"', '\'', '[', '{', '&', '*', '!', '|', '>', '#', '@', '`', '%']) && !value.contains(" #");
    let words: Vec<&str> = next.split_whitespace().collect();
    let is_key = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_entry = words.len() <= 2 && words.first().is_some_and(is_key);
    is_plain && value.split_whitespace().count() > 1 && !is_entry && !is_structure(next)
}
