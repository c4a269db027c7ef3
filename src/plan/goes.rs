//! What goes with an object that is deleted or replaced although no YAML says it: what was edited in the workspace since the
//! last apply, and what YAML never set.
//!
//! Owns that it is told, and that a plan in a file is bound to it. Refuses to hold anything up: that is the guards'.

use std::collections::BTreeMap;

use super::Step;
use super::change::view;
use super::make::Maker;
use crate::diff::{Compare, FieldChange, Reason, Sides, arrived, compare};
use crate::kinds::{Kind, View};
use crate::model::{Fingerprint, Path, Value, json};
use crate::state::{Entry, Status};

/// How many places a note tells.
const TOLD: usize = 5;

/// The longest value in a note.
const LONGEST: usize = 60;

const EDITED: &str = "what was edited in the workspace since the last apply goes with it";
const UNSET: &str = "what YAML does not set is lost with it";

impl Maker<'_> {
    /// Of an object that is deleted. `sent`: what the last apply, or what it did not finish, sent.
    pub(super) fn goes_with(&self, kind: &'static Kind, entry: &Entry, sent: &Value, live: &Value, step: &mut Step) {
        let context = self.context(&step.address, false);
        let seen = view(kind, &View { live, desired: sent, applied: Some(sent), context: &context }, live);
        let before = entry.before.as_ref().filter(|_| entry.status != Status::Ok);
        let there = before.map(|before| arrived(kind, &Sides { desired: sent, applied: before, live: &seen }));
        let applied = there.as_ref().unwrap_or(sent);
        let found = compare(&Compare {
            applied: Some(applied),
            live: Some(&seen),
            secrets: self.inputs.secrets,
            known: self.inputs.known,
            key: self.inputs.environment.state.key.as_ref(),
            ..Compare::of(kind, applied)
        });
        // What an apply of our own did not get to is nobody's edit.
        let is_whole = entry.status == Status::Ok || there.is_some();
        let edited: Vec<FieldChange> = found.changes.into_iter().filter(|c| is_whole || (c.old.is_some() && c.new.is_none())).collect();
        note(step, EDITED, edited.iter().map(named));
        if kind.etag.is_some() {
            // People write there what no YAML says.
            note(step, UNSET, found.unmanaged.iter().map(|(path, _)| path.to_string()));
        }
        bind(step, &edited, &found.unmanaged);
    }
}

/// Of an object that is replaced: what is drift goes with the old one, and so does what YAML does not set.
pub(super) fn of_replaced(step: &mut Step) {
    let lost = |change: &&FieldChange| matches!(change.reason, Reason::Drift | Reason::Conflict);
    let edited: Vec<FieldChange> = step.changes.iter().filter(lost).cloned().collect();
    let unset = std::mem::take(&mut step.unmanaged);
    note(step, EDITED, edited.iter().map(named));
    note(step, UNSET, unset.iter().map(|(path, _)| path.to_string()));
    bind(step, &edited, &unset);
}

fn note(step: &mut Step, what: &str, names: impl Iterator<Item = String>) {
    let mut names: Vec<String> = names.collect();
    names.dedup();
    if !names.is_empty() {
        step.takes.push(format!("{what}: {}", listed(&names)));
    }
}

/// Some of them, and how many more.
pub(super) fn listed(names: &[String]) -> String {
    let more = names.len().saturating_sub(TOLD);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names[..names.len().min(TOLD)].join(", "))
}

/// The place, and of an item of a list without keys the item.
fn named(change: &FieldChange) -> String {
    let path = &change.path;
    let short = |value: &Value| {
        let text = json::display(value);
        let is_short = !matches!(value, Value::Map(_) | Value::List(_)) && text.chars().count() <= LONGEST;
        is_short.then_some(text)
    };
    match (&change.old, &change.new) {
        (Some(item), None) => short(item).map_or_else(|| path.to_string(), |item| format!("{path} {item}")),
        (None, Some(item)) => short(item).map_or_else(|| format!("{path} (removed)"), |item| format!("{path} {item} (removed)")),
        _ => path.to_string(),
    }
}

/// Each place with a fingerprint of what it holds.
fn bind(step: &mut Step, edited: &[FieldChange], unset: &[(Path, Value)]) {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let changed = edited.iter().flat_map(|c| [(&c.path, c.old.as_ref()), (&c.path, c.new.as_ref())]);
    for (path, value) in changed.chain(unset.iter().map(|(path, value)| (path, Some(value)))) {
        let print = value.map(|value| Fingerprint::of_value(value).0).unwrap_or_default();
        let prints = all.entry(path.to_string()).or_default();
        prints.push_str(&print);
        prints.push('\n');
    }
    step.goes = all.into_iter().map(|(place, prints)| (place, Fingerprint::of(prints.as_bytes()).short().to_owned())).collect();
}
