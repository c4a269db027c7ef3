//! Mistakes of syntax in words: what is wrong at which place, and what to do.

use std::sync::Arc;

use granit_parser::{ErrorKind, ScanError};

use super::build::Place;
use super::parse::offset;
use crate::diagnostic::{Diagnostic, Source, Span};

/// Spaces that stand for a tab in a patch, where the lines around say nothing.
const TAB: &str = "  ";

/// The parser's error as a diagnostic. `before`: where the reading stood.
pub(super) fn diagnostic(source: &Arc<Source>, error: &ScanError, before: &Place) -> Diagnostic {
    let at = offset(error);
    if let Some(tab) = tab(source, at) {
        return tab;
    }
    let here = character(source, at);
    match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => {
            Diagnostic::error("E0002", "a tab stands where YAML wants spaces").at(&here, "").help("use spaces")
        }
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent | ErrorKind::DocumentIndicatorInQuotedScalar => {
            unclosed_quote(source, &here, before)
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            Diagnostic::error("E0011", "there is text behind a closing quote")
                .at(&here, "the quotes were closed before this")
                .help("put the whole value into quotes; inside single quotes write `''` for one, inside double quotes `\\\"`")
        }
        ErrorKind::UnknownQuotedScalarEscape => Diagnostic::error("E0011", "there is no such escape in double quotes")
            .at(&escape(source, at), "")
            .help("write `\\\\` for a backslash, or use single quotes, where nothing is escaped"),
        ErrorKind::RecursionLimitExceeded => {
            Diagnostic::error("E0005", format!("lists and maps are nested more than {} deep", super::parse::MAX_DEPTH))
                .at(&here, "")
                .help("nothing in a workspace nests like this; was the file generated?")
        }
        ErrorKind::UnknownAnchor => unknown_anchor(source, at),
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::InvalidFlowScalarIndent
        | ErrorKind::BlockEntryInFlowCollection
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
            if before.open_bracket.is_some() =>
        {
            brackets(source, &here, before)
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            Diagnostic::error("E0013", "a bracket is closed that was never opened").at(&here, "").help("take it away, or quote the value")
        }
        ErrorKind::UnexpectedCharacter { character } => {
            let value = value_from(source, at);
            let text = source.text.get(value.start as usize..value.end as usize).unwrap_or_default();
            let mended = if text.contains(['"', '\\']) { format!("'{}'", text.replace('\'', "''")) } else { format!("\"{text}\"") };
            Diagnostic::error("E0001", format!("a value cannot begin with `{}`", character.escape_debug()))
                .at(&value, "")
                .help("quote this")
                .patch(&value, mended)
        }
        ErrorKind::MappingValueNotAllowed => colon(source, &here, before),
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::InvalidIndentation
        | ErrorKind::SimpleKeyExpected
        | ErrorKind::InvalidSimpleKey => structure(source, at, error),
        _ => Diagnostic::error("E0001", format!("this is not YAML: {}", error.info())).at(&here, ""),
    }
}

/// The line of a place: where it starts, and its text.
fn line(source: &Source, at: usize) -> (usize, &str) {
    let at = at.min(source.text.len());
    let start = source.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |n| n + 1);
    (start, source.text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default())
}

/// The character at a place; at the end of a line or of the text, the last one before it that is no white space.
fn character(source: &Arc<Source>, at: usize) -> Span {
    let rest = source.text.get(at..).unwrap_or_default();
    match rest.chars().next() {
        Some(c) if !matches!(c, '\n' | '\r') => Span::new(source, at, at + c.len_utf8()),
        _ => {
            let before = source.text.get(..at).unwrap_or_default().trim_end();
            let width = before.chars().next_back().map_or(0, char::len_utf8);
            Span::new(source, before.len() - width, before.len())
        }
    }
}

/// From a place to the end of its line, without a comment.
fn value_from(source: &Arc<Source>, at: usize) -> Span {
    let rest = source.text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let value = rest.split(" #").next().unwrap_or(rest).trim_end();
    Span::new(source, at, at + value.len())
}

/// A tab in the indentation of the line, or of the next one: the parser may notice it a line late or early.
fn tab(source: &Arc<Source>, at: usize) -> Option<Diagnostic> {
    let (start, text) = line(source, at);
    let next = start + text.len() + 1;
    let noticed = [(start, text), line(source, next)];
    // Where the first line has one, it is the first to mend: what stands below was indented like it.
    let first = source.text.len() - source.text.trim_start_matches(['\n', '\r']).len();
    let lines = noticed.iter().any(|(_, text)| text.trim_start_matches(' ').starts_with('\t')).then(|| line(source, first)).into_iter();
    lines.chain(noticed).find_map(|(start, text)| {
        let indent = text.len() - text.trim_start_matches([' ', '\t']).len();
        let tab = text[..indent].find('\t')?;
        let span = Span::new(source, start, start + indent);
        let mended = depth(&source.text, start).map_or_else(|| text[..indent].replace('\t', TAB), |spaces| " ".repeat(spaces));
        Some(
            Diagnostic::error("E0002", "a tab stands in the indentation, where YAML wants spaces")
                .at(&Span::new(source, start + tab, start + tab + 1), "a tab")
                .help("indent with spaces")
                .patch(&span, mended),
        )
    })
}

/// How many spaces the line that begins here should be indented by, from the lines around it: as deep as what stands beside it, or
/// one step deeper than the key that it belongs to. None where nothing stands above, or that has tabs too.
fn depth(text: &str, start: usize) -> Option<usize> {
    let told = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let is_item = |line: &str| line.trim_start() == "-" || line.trim_start().starts_with("- ");
    // Where the key of a line stands: behind the dash of an item.
    let key = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let (above, below) = text.split_at_checked(start)?;
    let own = below.lines().next()?.trim();
    let mut lines = above.lines().rev().filter(told).take_while(|line| !line.trim_start_matches(' ').starts_with('\t'));
    let before = lines.next()?;
    let plain = before.split(" #").next().unwrap_or(before).trim_end();
    if plain.ends_with([':', '|', '>']) || plain.ends_with("|-") || plain.ends_with(">-") {
        let step = text.lines().filter(told).map(spaces).filter(|n| *n > 0).min().unwrap_or(TAB.len());
        let beside = below.lines().skip(1).find(told).filter(|line| !line.trim_start_matches(' ').starts_with('\t')).map(spaces);
        return Some(beside.filter(|n| *n > key(before)).unwrap_or(key(before) + step));
    }
    if is_item(own) {
        return std::iter::once(before).chain(lines).find(|line| is_item(line)).map(spaces);
    }
    Some(key(before))
}

/// The quote that was opened last.
fn unclosed_quote(source: &Arc<Source>, here: &Span, before: &Place) -> Diagnostic {
    let from = before.last_end.min(source.text.len());
    let opened = source.text.get(from..).and_then(|rest| rest.find(['"', '\''])).map(|n| from + n);
    let diagnostic = Diagnostic::error("E0011", "a quote is not closed");
    match opened {
        Some(at) if at <= here.start as usize => diagnostic
            .at(&Span::new(source, at, at + 1), "opened here")
            .help("close it on the same line; a text of several lines is written with `|`"),
        _ => diagnostic.at(here, ""),
    }
}

fn escape(source: &Arc<Source>, at: usize) -> Span {
    let rest = source.text.get(at..).unwrap_or_default();
    let mut escaped = false;
    for (i, c) in rest.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            c if escaped => {
                if !"0abt\tnvfre \"/\\N_LPxuU\n".contains(c) {
                    return Span::new(source, at + i - 1, at + i + c.len_utf8());
                }
                escaped = false;
            }
            _ => {}
        }
    }
    character(source, at)
}

fn unknown_anchor(source: &Arc<Source>, at: usize) -> Diagnostic {
    let rest = source.text.get(at..).unwrap_or_default();
    let end = rest.find([' ', '\n', '\r', ',', ']', '}', '\t']).unwrap_or(rest.len());
    let name = &rest[1.min(end)..end];
    let span = Span::new(source, at, at + end);
    let anchors: Vec<&str> = source
        .text
        .match_indices('&')
        .filter_map(|(i, _)| source.text[i + 1..].split([' ', '\n', '\r', ',', ']', '}', '\t']).next())
        .filter(|word| !word.is_empty())
        .collect();
    let diagnostic = Diagnostic::error("E0006", format!("there is no anchor `&{name}` above this"))
        .at(&span, "")
        .help(format!("if it is meant as text, quote it: \"*{name}\""));
    match crate::diagnostic::suggest::nearest(name, anchors) {
        Some(near) if near == name => diagnostic.help("anchors hold within one document of a file, and only below their place"),
        Some(near) => diagnostic.help(format!("did you mean `*{near}`?")).patch(&span, format!("*{near}")),
        None => diagnostic,
    }
}

fn brackets(source: &Arc<Source>, here: &Span, before: &Place) -> Diagnostic {
    let open = before.open_bracket.unwrap_or(0);
    let bracket = if source.text.get(open..).is_some_and(|rest| rest.starts_with('{')) { ("{", "}") } else { ("[", "]") };
    let opened = Span::new(source, open, open + 1);
    if *here == opened {
        return Diagnostic::error("E0013", format!("a `{}` is never closed", bracket.0))
            .at(here, format!("its `{}` is missing", bracket.1));
    }
    Diagnostic::error("E0013", format!("a `,` or `{}` is missing", bracket.1))
        .at(here, "before this")
        .at(&opened, format!("for this `{}`", bracket.0))
        .help("values with `{`, `}`, `[`, `]` or `,` in them need quotes")
}

/// A `:` where no key may stand.
fn colon(source: &Arc<Source>, here: &Span, before: &Place) -> Diagnostic {
    let scalar = Span::new(source, before.last_scalar.start, before.last_scalar.end);
    let lines = source.text.get(before.last_scalar.clone()).map_or(0, |text| text.matches('\n').count());
    if lines > 0 {
        let (start, text) = line(source, here.start as usize);
        let indent = text.len() - text.trim_start().len();
        let above = scalar.line_column().0;
        return Diagnostic::error("E0012", "this key is indented more than the one above it")
            .at(&Span::new(source, start + indent, here.start as usize), format!("YAML reads it as more of the value in line {above}"))
            .help("indent it like its neighbours");
    }
    let (start, text) = line(source, here.start as usize);
    let value = scalar.start as usize;
    let end = start + text.split(" #").next().unwrap_or(text).trim_end().len();
    let diagnostic = Diagnostic::error("E0012", "a value on the line of its key cannot be a key itself").at(here, "a second `:`");
    let span = Span::new(source, value, end);
    let meant = source.text.get(value..end).unwrap_or_default();
    if value < start || meant.is_empty() || meant.contains('"') {
        return diagnostic.help("quote the value, or put the map on a line of its own");
    }
    diagnostic.help("if it is one text, quote it; a map goes on a line of its own").patch(&span, format!("\"{meant}\""))
}

/// A line that fits neither the list nor the map it stands in.
fn structure(source: &Arc<Source>, at: usize, error: &ScanError) -> Diagnostic {
    let (start, text) = line(source, at);
    let indent = text.len() - text.trim_start().len();
    let word = text.trim();
    let span = Span::new(source, start + indent, start + indent + word.split(" #").next().unwrap_or(word).trim_end().len());
    if word.starts_with("- ") || word == "-" {
        return Diagnostic::error("E0012", "a list item stands among the keys of a map")
            .at(&span, "")
            .help("indent it below the key whose list it belongs to");
    }
    if matches!(error.kind(), ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey) || !word.contains(':') {
        return Diagnostic::error("E0012", "a `:` is missing after a key")
            .at(&span, "")
            .help("write `key: value`; more of the text above stands below `key: |`, indented");
    }
    if start + indent < at && text[indent..].starts_with(|c: char| c.is_alphanumeric()) && error.marker().col() > indent {
        return Diagnostic::error("E0012", "there is text behind the end of a value")
            .at(&character(source, at), "")
            .help("quote the whole value");
    }
    Diagnostic::error("E0012", "this line is indented like none of the maps and lists above it")
        .at(&span, "")
        .help("indent it like the keys it stands beside")
}
