//! `${...}` and `{{...}}` without quotes: YAML reads the `{` as the start of a map. Found by looking at the lines around
//! the mistake; [`super::mend`] offers one only after a parse has shown that it helps.

use std::ops::Range;
use std::sync::Arc;

use super::mend::{Candidate, Told};
use crate::diagnostic::{Diagnostic, Source, Span};

/// What needs quotes, or other quotes.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Sort {
    /// No quotes around braces.
    Unquoted,
    /// Double quotes inside double quotes.
    InnerQuotes,
}

pub(super) fn diagnostic(span: &Span, mended: &str, sort: Sort) -> Diagnostic {
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

/// The values of one line that hold braces and lack quotes, or hold quotes inside quotes.
pub(super) fn in_line(line: &str, in_flow: bool) -> Vec<Candidate> {
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
                    found.push(Candidate { range: at..at + length, text: single_quoted(body), told: Told::Quotes(Sort::InnerQuotes) });
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
                    found.push(Candidate { range: at..at + length, text: quoted(&rest[..length]), told: Told::Quotes(Sort::Unquoted) });
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
pub(super) fn quoted(text: &str) -> String {
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
