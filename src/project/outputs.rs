//! `outputs:` of `conf/project.yaml`: values for people and for the next step of a pipeline.

use super::Answers;
use super::findings::{Findings, known_keys, map, meant, text};
use super::load::Inner;
use super::resolve::ready;
use super::scope::{In, Resolver, is_poison, tree};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Value, is_key};
use crate::yaml::{Data, Entry, Node};

/// A declared output.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its value; what only the state or the workspace knows is unknown.
    pub value: Value,
    /// Where its value stands.
    pub span: Span,
}

/// Evaluates all outputs; names that are none and secrets are mistakes.
pub fn read(inner: &Inner, answers: &Answers) -> Result<Vec<Output>, Vec<Diagnostic>> {
    let mut findings = Findings::default();
    let outputs = all(&ready(inner, answers), &mut findings);
    if findings.any_error() { Err(findings.sorted(inner.strict)) } else { Ok(outputs) }
}

/// Evaluates all outputs with a resolver whose items are there.
pub fn all(resolver: &Resolver<'_>, findings: &mut Findings) -> Vec<Output> {
    let Some(node) = &resolver.inner.outputs else { return Vec::new() };
    let Some(node) = map(node, "`outputs`", findings) else { return Vec::new() };
    let made = node.entries().iter().filter_map(|entry| output(entry, resolver, findings)).collect();
    findings.extend(std::mem::take(&mut *resolver.findings.borrow_mut()).sorted(false));
    made
}

fn output(entry: &Entry, resolver: &Resolver<'_>, findings: &mut Findings) -> Option<Output> {
    if !is_key(&entry.key) {
        findings.add(
            Diagnostic::error("E0320", format!("an output cannot be called `{}`", entry.key))
                .at(&entry.key_span, "")
                .help("names of outputs are letters, digits, `_` and `-`, beginning with a letter or `_`"),
        );
        return None;
    }
    let (value, description) = parts(entry, findings)?;
    let made = tree(value, &In { resolver, each: None, with_resources: true });
    if made.any(&is_poison) {
        return None;
    }
    if made.has_secret() {
        findings.add(
            Diagnostic::error("E0320", format!("output `{}` holds a secret", entry.key))
                .at(&value.span, "outputs are printed and handed on")
                .help("take the secret out; whoever needs it reads it where you do"),
        );
        return None;
    }
    Some(Output { name: entry.key.clone(), description, value: made, span: value.span.clone() })
}

/// The value and the description: a map with `value:` is the long form.
fn parts<'n>(entry: &'n Entry, findings: &mut Findings) -> Option<(&'n Node, Option<String>)> {
    let node = &entry.value;
    let near = |e: &&Entry| matches!(e.key.as_str(), "value" | "description" | "sensitive");
    let Data::Map(entries) = &node.data else { return Some((node, None)) };
    if entries.is_empty() || !entries.iter().any(|e| near(&e)) {
        return Some((node, None));
    }
    if let Some(sensitive) = node.entry("sensitive") {
        findings.add(
            Diagnostic::error("E0320", format!("output `{}` cannot be sensitive", entry.key))
                .at(&sensitive.key_span, "outputs are printed and handed on")
                .help("take it away; an output never holds a secret"),
        );
        return None;
    }
    known_keys(node, &["value", "description"], &format!("output `{}`", entry.key), "E0302", findings);
    let description = node.get("description").and_then(|d| text(d, "`description`", findings));
    let Some(value) = node.get("value") else {
        let found = Diagnostic::error("E0320", format!("output `{}` has no `value`", entry.key)).at(&entry.key_span, "");
        findings.add(meant(found, "value", ["value", "description"], &entry.key_span));
        return None;
    };
    Some((value, description))
}
