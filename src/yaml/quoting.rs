//! `${...}` and `{{...}}` without quotes: YAML reads the `{` as the start of a map. Found by looking at the lines around
//! the mistake; a mend is offered only after a parse has shown that it helps.

use std::ops::Range;
use std::sync::Arc;

use super::parse::{events, offset};
use crate::diagnostic::{Diagnostic, Source, Span};

/// Most mends tried on one file.
const MAX_MENDS: usize = 20;

/// How many lines above the place where the parser gave up are looked at.
const LINES_ABOVE: usize = 3;

/// A value that ought to be in quotes, or in other quotes.
struct Candidate {
    range: Range<usize>,
    text: String,
    sort: Sort,
}

#[derive(Clone, Copy, PartialEq)]
enum Sort {
    /// No quotes around braces.
    Unquoted,
    /// Double quotes inside double quotes.
    InnerQuotes,
}

/// Where a text breaks.
struct Broken {
    at: usize,
    /// Where the outermost list or map in brackets that is still open begins.
    flow: Option<usize>,
}

/// The values without quotes that make the text break at `at`, each as a diagnostic with a tried patch; none where the
/// mistake is another one.
pub(super) fn unquoted(source: &Arc<Source>, at: usize) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut text = source.text.clone();
    let mut edits: Vec<(Range<usize>, usize)> = Vec::new();
    let mut broken = Broken { at, ..first_break(&text).unwrap_or(Broken { at, flow: None }) };
    while edits.len() < MAX_MENDS {
        let Some((candidate, mended, next)) = helpful(&text, &broken) else { break };
        let range = original(&edits, candidate.range.start)..original(&edits, candidate.range.end);
        found.push(diagnostic(&Span::new(source, range.start, range.end), &candidate.text, candidate.sort));
        edits.push((range, candidate.text.len()));
        edits.sort_by_key(|(range, _)| range.start);
        text = mended;
        match next {
            Some(next) => broken = next,
            None => break,
        }
    }
    found
}

/// The first candidate whose patch mends the text, or moves the break to a later line, or at least further on.
fn helpful(text: &str, broken: &Broken) -> Option<(Candidate, String, Option<Broken>)> {
    let line_end = |at: usize| text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |n| at + n);
    let mut second = None;
    for candidate in candidates(text, broken) {
        let mended = format!("{}{}{}", &text[..candidate.range.start], candidate.text, &text[candidate.range.end..]);
        let growth = candidate.text.len() - candidate.range.len().min(candidate.text.len());
        match first_break(&mended) {
            None => return Some((candidate, mended, None)),
            Some(next) if next.at > line_end(broken.at) + growth => return Some((candidate, mended, Some(next))),
            Some(next) if second.is_none() && next.at > broken.at + growth && next.at > candidate.range.start + candidate.text.len() => {
                second = Some((candidate, mended, Some(next)));
            }
            Some(_) => {}
        }
    }
    second
}

/// A place in the mended text as a place in the source.
fn original(edits: &[(Range<usize>, usize)], at: usize) -> usize {
    let mut grown = 0usize;
    let mut shrunk = 0usize;
    for (range, length) in edits {
        if range.start + grown - shrunk + length <= at {
            grown += length;
            shrunk += range.len();
        }
    }
    at + shrunk - grown
}

fn first_break(text: &str) -> Option<Broken> {
    let mut open: Vec<(usize, bool)> = Vec::new();
    for event in events(text) {
        match event {
            Err(error) => {
                return Some(Broken { at: offset(&error), flow: open.iter().find_map(|(start, flow)| (*flow).then_some(*start)) });
            }
            Ok((event, span)) => {
                use granit_parser::{Event, StructureStyle};
                match event {
                    Event::MappingStart(style, ..) | Event::SequenceStart(style, ..) => {
                        open.push((span.byte_range().map_or(0, |r| r.start), style == StructureStyle::Flow));
                    }
                    Event::MappingEnd | Event::SequenceEnd => {
                        open.pop();
                    }
                    _ => {}
                }
            }
        }
    }
    None
}

fn diagnostic(span: &Span, mended: &str, sort: Sort) -> Diagnostic {
    let found = span.source.text.get(span.start as usize..span.end as usize).unwrap_or_default();
    match sort {
        Sort::Unquoted => {
            let what = if found.contains("${") { "`${...}`" } else { "`{{...}}`" };
            Diagnostic::error("E0009", format!("{what} needs quotes here"))
                .at(span, "YAML reads a `{` or a `#` in this as its own")
                .help("quote this")
        }
        Sort::InnerQuotes => Diagnostic::error("E0009", "double quotes inside double quotes end the text early")
            .at(span, "single quotes outside leave the double quotes of the expression alone")
            .help("quote this with single quotes"),
    }
    .patch(span, mended)
}

/// Values in the lines around the break that may need quotes, nearest line first.
fn candidates(text: &str, broken: &Broken) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut line_start = text.get(..broken.at).and_then(|before| before.rfind('\n')).map_or(0, |n| n + 1);
    for _ in 0..=LINES_ABOVE {
        let line = text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let in_flow = broken.flow.is_some_and(|start| start < line_start);
        for candidate in in_line(line, in_flow) {
            found.push(Candidate { range: candidate.range.start + line_start..candidate.range.end + line_start, ..candidate });
        }
        if line_start == 0 {
            break;
        }
        line_start = text[..line_start - 1].rfind('\n').map_or(0, |n| n + 1);
    }
    found
}

/// The values of one line that hold braces and lack quotes, or hold quotes inside quotes.
fn in_line(line: &str, in_flow: bool) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut depth = usize::from(in_flow);
    let mut at = 0;
    while at < line.len() {
        let rest = &line[at..];
        let Some(first) = rest.chars().next() else { break };
        match first {
            ' ' | '\t' | ',' | ']' | '}' => {
                depth = depth.saturating_sub(usize::from(first == ']' || first == '}'));
                at += 1;
            }
            '#' => break,
            '-' | ':' | '?' if rest[1..].is_empty() || rest[1..].starts_with(' ') => at += 1,
            '"' | '\'' => {
                let Some((length, inner)) = quoted_length(rest) else { break };
                if inner {
                    let body = &rest[1..length - 1];
                    found.push(Candidate { range: at..at + length, text: single_quoted(body), sort: Sort::InnerQuotes });
                }
                at += length;
            }
            '&' | '!' | '*' => at += rest.find(' ').unwrap_or(rest.len()),
            '[' => {
                depth += 1;
                at += 1;
            }
            '{' if !rest.starts_with("{{") => {
                depth += 1;
                at += 1;
            }
            _ => {
                let Some((length, braces)) = plain_length(rest, depth > 0) else { break };
                let length = length.max(first.len_utf8());
                if braces {
                    found.push(Candidate { range: at..at + length, text: quoted(&rest[..length]), sort: Sort::Unquoted });
                }
                at += length;
            }
        }
    }
    found
}

/// The length of a plain value as it was meant, and whether it holds `${` or `{{`. None: an expression does not end in
/// this line.
fn plain_length(rest: &str, flow: bool) -> Option<(usize, bool)> {
    let mut braces = false;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("${") || here.starts_with("{{") {
            braces = true;
            at += expression_length(here)?;
            continue;
        }
        let ends = (flow && here.starts_with([',', ']', '}']))
            || here.starts_with(": ")
            || here == ":"
            || (here.starts_with('#') && rest[..at].ends_with([' ', '\t']));
        if ends {
            break;
        }
        at += here.chars().next().map_or(1, char::len_utf8);
    }
    Some((rest[..at].trim_end().len(), braces))
}

/// The length of `${...}` or `{{...}}`, found by counting braces outside of quotes.
fn expression_length(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut quote = None;
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(i + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// The length of a quoted value as it was meant, and whether its expressions hold double quotes that end it early.
fn quoted_length(rest: &str) -> Option<(usize, bool)> {
    let quote = rest.chars().next()?;
    let mut inner = false;
    let mut at = 1;
    while at < rest.len() {
        let here = &rest[at..];
        if quote == '"'
            && here.starts_with("${")
            && let Some(length) = expression_length(here)
        {
            inner |= here[..length].contains('"') && !here[..length].contains('\\');
            at += length;
        } else if quote == '"' && here.starts_with('\\') {
            at += 1 + here[1..].chars().next().map_or(0, char::len_utf8);
        } else if quote == '\'' && here.starts_with("''") {
            at += 2;
        } else if here.starts_with(quote) {
            return Some((at + 1, inner));
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    None
}

/// The text in quotes, double ones where nothing in it needs escaping.
fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) { single_quoted(text) } else { format!("\"{text}\"") }
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `key: {{job.id}}`: valid YAML for a map whose key is a map, never what was meant.
pub(super) fn braces_as_key(source: &Arc<Source>, parent: usize, key: &Span) -> Option<Diagnostic> {
    let text = &source.text;
    if key.start as usize != parent + 1 || !text.get(parent..)?.starts_with("{{") {
        return None;
    }
    let line_start = text[..parent].rfind('\n').map_or(0, |n| n + 1);
    let line = text[line_start..].lines().next()?;
    let candidate = in_line(line, false).into_iter().find(|c| c.range.start + line_start == parent)?;
    let span = Span::new(source, parent, line_start + candidate.range.end);
    Some(diagnostic(&span, &candidate.text, Sort::Unquoted))
}

/// `key: ${a # b}`: the rest of the expression is a comment to YAML.
pub(super) fn cut_by_comment(source: &Arc<Source>, range: &Range<usize>) -> Option<Diagnostic> {
    let text = source.text.get(range.clone())?;
    let open = text.rfind("${")?;
    if expression_length(&text[open..]).is_some() {
        return None;
    }
    let rest = source.text.get(range.end..)?.lines().next()?;
    if !rest.trim_start().starts_with('#') || !rest.contains('}') {
        return None;
    }
    let span = Span::new(source, range.start, range.end + rest.trim_end().len());
    let meant = source.text.get(span.start as usize..span.end as usize)?;
    Some(diagnostic(&span, &quoted(meant), Sort::Unquoted))
}
