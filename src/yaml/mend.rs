//! Mends of a text that is not YAML: changes of the lines around the break, each offered only after a parse has shown that it helps.
//! What may be changed is told by [`super::quoting`] and [`super::slips`].

use std::ops::Range;
use std::sync::Arc;

use super::parse::{events, offset};
use super::slips::Slip;
use super::{quoting, slips};
use crate::diagnostic::{Diagnostic, Source, Span};

/// Most mends tried on one file.
const MAX_MENDS: usize = 20;

/// How many lines above the place where the parser gave up are looked at.
const LINES_ABOVE: usize = 3;

/// What may be put in the place of a part of the text.
pub(super) struct Candidate {
    pub range: Range<usize>,
    pub text: String,
    pub told: Told,
}

/// What is said of it.
pub(super) enum Told {
    /// Quotes are missing.
    Quotes(quoting::Sort),
    /// A slip of the pen.
    Slip(Slip),
}

/// Where a text breaks.
pub(super) struct Broken {
    pub at: usize,
    /// Where the outermost list or map in brackets that is still open begins.
    pub flow: Option<usize>,
}

/// The mistakes that make the text break at `at`, each as a diagnostic with a tried patch; none where nothing that was tried helps.
pub(super) fn tried(source: &Arc<Source>, at: usize) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut text = source.text.clone();
    let mut edits: Vec<(Range<usize>, usize)> = Vec::new();
    let mut broken = Broken { at, ..first_break(&text).unwrap_or(Broken { at, flow: None }) };
    while edits.len() < MAX_MENDS {
        let Some((candidate, mended, next)) = helpful(&text, &broken) else { break };
        let span = |range: &Range<usize>| Span::new(source, original(&edits, range.start), original(&edits, range.end));
        let whole = span(&candidate.range);
        found.push(match &candidate.told {
            Told::Quotes(sort) => quoting::diagnostic(&whole, &candidate.text, *sort),
            Told::Slip(slip) => slip.diagnostic(&span(&slip.at)).patch(&whole, candidate.text.as_str()),
        });
        edits.push((whole.start as usize..whole.end as usize, candidate.text.len()));
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
    let all = candidates(text, broken);
    let together = together(text, &all, line_end(broken.at));
    for candidate in all {
        let mended = format!("{}{}{}", &text[..candidate.range.start], candidate.text, &text[candidate.range.end..]);
        let growth = candidate.text.len() - candidate.range.len().min(candidate.text.len());
        let end = line_end(broken.at.max(candidate.range.end)) + growth;
        match first_break(&mended) {
            None => return Some((candidate, mended, None)),
            Some(next) if next.at > end => return Some((candidate, mended, Some(next))),
            Some(next)
                if second.is_none()
                    && matches!(candidate.told, Told::Quotes(_))
                    && next.at > broken.at + growth
                    && next.at > candidate.range.start + candidate.text.len() =>
            {
                second = Some((candidate, mended, Some(next)));
            }
            Some(_) => {}
        }
    }
    second.or(together)
}

/// The first of several keys whose colons are none: one mend alone helps nothing where YAML reads all of them as one text.
fn together(text: &str, all: &[Candidate], end: usize) -> Option<(Candidate, String, Option<Broken>)> {
    let mut keys: Vec<&Candidate> = all.iter().filter(|candidate| matches!(&candidate.told, Told::Slip(slip) if slip.is_key)).collect();
    keys.sort_by_key(|candidate| candidate.range.start);
    keys.dedup_by_key(|candidate| candidate.range.start);
    let mended = |keys: &[&Candidate]| {
        let apply = |text: String, key: &&Candidate| format!("{}{}{}", &text[..key.range.start], key.text, &text[key.range.end..]);
        keys.iter().rev().fold(text.to_owned(), apply)
    };
    let [first, _, ..] = keys.as_slice() else { return None };
    let whole = mended(&keys);
    let grown = whole.len().saturating_sub(text.len());
    if first_break(&whole).is_some_and(|next| next.at <= end + grown) {
        return None;
    }
    let one = mended(&keys[..1]);
    let Told::Slip(slip) = &first.told else { return None };
    let first = Candidate { range: first.range.clone(), text: first.text.clone(), told: Told::Slip(slip.clone()) };
    let next = first_break(&one);
    Some((first, one, next))
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

/// Values and slips in the lines around the break, nearest line first.
fn candidates(text: &str, broken: &Broken) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut line_start = text.get(..broken.at).and_then(|before| before.rfind('\n')).map_or(0, |n| n + 1);
    for _ in 0..=LINES_ABOVE {
        let line = text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let in_flow = broken.flow.is_some_and(|start| start < line_start);
        for candidate in quoting::in_line(line, in_flow) {
            found.push(Candidate { range: candidate.range.start + line_start..candidate.range.end + line_start, ..candidate });
        }
        if !in_flow {
            found.extend(slips::in_line(text, line_start));
        }
        if line_start == 0 {
            break;
        }
        line_start = text[..line_start - 1].rfind('\n').map_or(0, |n| n + 1);
    }
    found.extend(slips::in_braces(text, broken));
    found.extend(slips::beside_its_key(text, broken.at));
    found
}
