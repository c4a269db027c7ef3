//! A scalar of the tree with its expressions evaluated, as far as they can be.

use super::defer::{Builder, value_waits};
use super::jinja;
use super::mention::{Found, Misread, Names, find};
use super::scan::{Part, is_template, scan};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Map, Piece, Value};
use crate::project::findings::Reported;
use crate::yaml::Node;

/// What names stand for.
pub trait Scope: Names {
    /// The value of a mention; what waits is `Unknown` or `Secret`.
    fn value(&self, found: &Found, place: &Place<'_>) -> Result<Value, Reported>;
    /// The value of an expression that is one bare name and means something of its own in this file; none: it does not.
    fn plain(&self, _: &Place<'_>) -> Option<Value> {
        None
    }
    /// Keeps a diagnostic.
    fn report(&self, diagnostic: Diagnostic);
}

/// An expression inside a scalar: turns its bytes into spans.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The scalar.
    pub node: &'a Node,
    /// The expression.
    pub text: &'a str,
    /// Where it begins in the scalar's text.
    pub offset: usize,
}

impl<'a> Place<'a> {
    /// The span of a part.
    pub fn span(&self, from: usize, to: usize) -> Span {
        self.node.span_in(self.offset + from, self.offset + to)
    }

    /// The span of all of it.
    pub fn whole(&self) -> Span {
        let trimmed = self.text.trim_end();
        self.span(trimmed.len() - trimmed.trim_start().len(), trimmed.len())
    }

    /// A part as an expression of its own.
    pub fn part(&self, from: usize, to: usize) -> Place<'a> {
        Place { node: self.node, text: &self.text[from..to], offset: self.offset + from }
    }
}

/// An evaluated or deferred expression.
enum Outcome {
    Known(Value),
    /// With placeholders, in the builder of its scalar.
    Waits(Vec<Piece>),
}

/// The value of a scalar node: typed by the core schema, or its expressions evaluated.
pub fn scalar(node: &Node, scope: &dyn Scope) -> Result<Value, Reported> {
    let Some(scalar) = node.scalar() else { return Ok(node.value()) };
    if !is_template(&scalar.text) {
        return Ok(scalar.value());
    }
    let parts = scan(&scalar.text).map_err(|unclosed| {
        let found = Diagnostic::error("E0202", format!("an expression does not end: {}", unclosed.missing))
            .at(&node.span_in(unclosed.at, scalar.text.len()), "begins here")
            .help("an expression is `${...}`; a literal `${` is written `$${`");
        scope.report(found);
        Reported
    })?;
    let mut builder = Builder::default();
    if let [Part::Expression { from, to }] = parts.as_slice() {
        let place = Place { node, text: &scalar.text[*from..*to], offset: *from };
        return Ok(match evaluate(&place, scope, &mut builder)? {
            Outcome::Known(value) => value,
            Outcome::Waits(pieces) => builder.build(&scalar.text, pieces),
        });
    }
    let mut pieces = Vec::new();
    let mut failed = false;
    for part in &parts {
        match part {
            Part::Text(text) => push_text(&mut pieces, text),
            Part::Expression { from, to } => {
                let place = Place { node, text: &scalar.text[*from..*to], offset: *from };
                match evaluate(&place, scope, &mut builder).and_then(|outcome| in_text(outcome, &place, scope)) {
                    Ok(more) => more.into_iter().for_each(|piece| match piece {
                        Piece::Text(text) => push_text(&mut pieces, &text),
                        waiting @ Piece::Expression(_) => pieces.push(waiting),
                    }),
                    Err(Reported) => failed = true,
                }
            }
        }
    }
    if failed {
        return Err(Reported);
    }
    match pieces.as_slice() {
        [] => Ok(Value::text("")),
        [Piece::Text(text)] => Ok(Value::text(text.as_str())),
        [Piece::Expression(_)] => {
            pieces.push(Piece::Text(String::new())); // text even where the result is a number
            Ok(builder.build(&scalar.text, pieces))
        }
        _ => Ok(builder.build(&scalar.text, pieces)),
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if text.is_empty() {
        return;
    }
    match pieces.last_mut() {
        Some(Piece::Text(before)) => before.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

/// An outcome as pieces of longer text.
fn in_text(outcome: Outcome, place: &Place<'_>, scope: &dyn Scope) -> Result<Vec<Piece>, Reported> {
    match outcome {
        Outcome::Waits(pieces) => Ok(pieces),
        Outcome::Known(value) => jinja::as_text(&value).map(|text| vec![Piece::Text(text)]).map_err(|sort| {
            let found = Diagnostic::error("E0208", format!("`{}` is {sort}, which has no place inside text", place.text.trim()))
                .at(&place.whole(), format!("this is {sort}"))
                .help("let the expression be the whole value, or make text of it (`| join(\",\")`, `| tojson`)");
            scope.report(found);
            Reported
        }),
    }
}

/// An expression on its own, known or deferred, such as an argument of a call.
pub fn argument(place: &Place<'_>, scope: &dyn Scope) -> Result<Value, Reported> {
    let mut builder = Builder::default();
    Ok(match evaluate(place, scope, &mut builder)? {
        Outcome::Known(value) => value,
        Outcome::Waits(pieces) => builder.build(place.text, pieces),
    })
}

/// Text with values in it, some of which may wait.
///
/// # Errors
/// A value has no place in text: what it is.
pub fn joined(source: &str, parts: Vec<Result<String, Value>>) -> Result<Value, &'static str> {
    let mut builder = Builder::default();
    let mut pieces = Vec::new();
    let mut waits = false;
    for part in parts {
        match part {
            Ok(text) => push_text(&mut pieces, &text),
            Err(Value::Unknown(deferred) | Value::Secret(deferred)) => {
                waits = true;
                pieces.extend(builder.pieces(&deferred));
            }
            Err(known) => push_text(&mut pieces, &jinja::as_text(&known)?),
        }
    }
    match pieces.as_slice() {
        [] => Ok(Value::text("")),
        [Piece::Text(text)] if !waits => Ok(Value::text(text.as_str())),
        _ => {
            pieces.push(Piece::Text(String::new())); // text even where the result is a number
            Ok(builder.build(source, pieces))
        }
    }
}

fn evaluate(place: &Place<'_>, scope: &dyn Scope, builder: &mut Builder) -> Result<Outcome, Reported> {
    let text = place.text;
    if let Some(value) = scope.plain(place) {
        return Ok(Outcome::Known(value));
    }
    let (found, misread) = find(text, scope);
    for wrong in &misread {
        scope.report(said(wrong, place));
    }
    let values: Vec<Result<Value, Reported>> = found.iter().map(|one| scope.value(one, place)).collect();
    if !misread.is_empty() {
        return Err(Reported);
    }
    let values: Vec<Value> = values.into_iter().collect::<Result<_, _>>()?;
    if let ([one], [value]) = (found.as_slice(), values.as_slice())
        && text[..one.from].trim().is_empty()
        && text[one.to..].trim().is_empty()
    {
        return Ok(match value {
            Value::Unknown(deferred) | Value::Secret(deferred) => Outcome::Waits(builder.pieces(deferred)),
            known => Outcome::Known(known.clone()),
        });
    }
    if values.iter().any(value_waits) {
        let operands = values.iter().map(|value| builder.operand(value)).collect::<Vec<_>>();
        let rewritten = rewrite(text, &found, operands.iter().map(String::as_str));
        syntax(&rewritten, place, scope)?;
        return Ok(Outcome::Waits(vec![Piece::Expression(rewritten)]));
    }
    let names: Map = values.into_iter().enumerate().map(|(i, value)| (format!("__k{i}"), value)).collect();
    let rewritten = rewrite(text, &found, names.keys().map(String::as_str));
    jinja::evaluate(&rewritten, &names).map(Outcome::Known).map_err(|wrong| {
        if syntax(&rewritten, place, scope).is_err() {
            return Reported;
        }
        let why = format!("`{}` cannot be evaluated: {}", text.trim(), restored(&wrong.why, &found, text));
        let word = wrong.word.as_ref().and_then(|(word, near)| Some((used(text, word)?, *near)));
        let span = word.as_ref().map_or_else(|| place.whole(), |(at, _)| place.span(at.start, at.end));
        let said = Diagnostic::error("E0203", why).at(&span, "");
        let said = wrong.help.iter().fold(said, |said, help| said.help(restored(help, &found, text)));
        scope.report(match word {
            Some((_, Some(near))) => said.patch(&span, near),
            _ => said,
        });
        Reported
    })
}

/// Where a filter or a test is used: behind `|` or `is`.
fn used(text: &str, word: &str) -> Option<std::ops::Range<usize>> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).map(|(at, _)| at..at + word.len()).find(|range| {
        let before = text[..range.start].trim_end();
        let begins = before.ends_with('|') || before.ends_with(" is") || before.ends_with(" not");
        begins && !text[range.end..].starts_with(is_part)
    })
}

/// The expression with every mention replaced by its operand.
fn rewrite<'a>(text: &str, found: &[Found], operands: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (one, operand) in found.iter().zip(operands) {
        out.push_str(&text[at..one.from]);
        out.push_str(operand);
        at = one.to;
    }
    out.push_str(&text[at..]);
    out.trim().to_owned()
}

/// A message of the evaluator with the user's words in place of placeholders.
fn restored(why: &str, found: &[Found], text: &str) -> String {
    found.iter().enumerate().rev().fold(why.to_owned(), |why, (i, one)| why.replace(&format!("__k{i}"), &text[one.from..one.to]))
}

fn syntax(rewritten: &str, place: &Place<'_>, scope: &dyn Scope) -> Result<(), Reported> {
    jinja::check(rewritten).map_err(|(why, _)| {
        let why = if place.text.trim().is_empty() { "it is empty".to_owned() } else { why };
        scope.report(
            Diagnostic::error("E0201", format!("`{}` is not an expression: {why}", place.text.trim()))
                .at(&place.whole(), "")
                .help("expressions are written in Jinja's grammar: `${workers * 2}`, `${\"a\" if env.name == \"prod\" else \"b\"}`"),
        );
        Reported
    })
}

fn said(wrong: &Misread, place: &Place<'_>) -> Diagnostic {
    let found = Diagnostic::error(wrong.code, wrong.message.clone()).at(&place.span(wrong.from, wrong.to), "");
    match &wrong.help {
        Some(help) => found.help(help.clone()),
        None => found,
    }
}
