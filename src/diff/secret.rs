//! Secrets are compared with what the state recorded of them, never by value, and never shown. Where the environment has a
//! state key and the workspace answers what it was sent, the fingerprint of that is compared, too: drift is seen.
//!
//! A scalar that mixes a secret with a reference is one secret: it is compared by its source text and the fingerprint of the
//! secret, so a change of what the reference gives alone is not seen. Keep the two in fields of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compare::{Three, Walk};
use super::same::Agreement;
use super::{FieldChange, Reason};
use crate::kinds::{Fact, Field};
use crate::model::{Deferred, Map, Path, StateKey, Value};

/// Whether a place is compared as a secret: a secret field, a secret value, or one that was a secret when last applied.
pub(super) fn concerns(field: Option<Field<'_>>, three: Three<'_>) -> bool {
    matches!(three.desired, Some(Value::Secret(_)))
        || (three.desired.is_some() || three.applied.is_some())
            && (field.is_some_and(|f| f.secret()) || three.applied.is_some_and(|a| source_of(a).is_some()))
}

/// The source text of a recorded secret: `{"$secret": "${secret('X')}", "fingerprint": "..."}`.
pub(super) fn source_of(value: &Value) -> Option<&str> {
    value.get("$secret").and_then(Value::as_str)
}

/// Whether a live value at a place of a secret is what was sent: not where the API never answers it or answers a mask, and
/// not where the server may write it in another way than it was sent.
pub(super) fn is_told(field: Option<Field<'_>>, live: &Value) -> bool {
    const MASKS: [&str; 5] = ["***", "REDACTED", "SENSITIVE", "HIDDEN", "{{SECRETS/"];
    let rewrites = |fact: &Fact| matches!(fact, Fact::Same(_) | Fact::JsonText | Fact::CaseBlind | Fact::Slashless | Fact::WorkspacePath);
    let told = field.is_none_or(|f| !f.secret() && !f.input_only() && !f.facts().any(rewrites));
    let is_mask = |text: &str| {
        let upper = text.to_uppercase();
        text.is_empty() || text.chars().all(|c| matches!(c, '*' | '•' | '.' | 'x' | 'X')) || MASKS.iter().any(|mask| upper.contains(mask))
    };
    told && match live {
        Value::Text(text) => !is_mask(text),
        Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => true,
        Value::Null | Value::List(_) | Value::Map(_) | Value::Unknown(_) | Value::Secret(_) => false,
    }
}

/// Whether a live value that is told has this fingerprint. Where ends of lines at the end of a text are no difference, it may
/// have been sent without, or with one.
pub(super) fn has_print(field: Option<Field<'_>>, live: &Value, key: &StateKey, print: &str) -> bool {
    let text = live.key_text();
    let is = |text: &str| key.fingerprint(text.as_bytes()).0 == print;
    let chomped = field.is_some_and(|f| f.facts().any(|fact| matches!(fact, Fact::Chomped)));
    let bare = text.trim_end_matches('\n');
    is(&text) || (chomped && (is(bare) || is(&format!("{bare}\n"))))
}

/// Why a secret was not compared with the one in the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Untold {
    /// The environment has no state key: of YAML's value only its source is compared, of the workspace's nothing.
    NoStateKey,
    /// There is a key, and the value is known only at apply, since it holds what another object gives: compared likewise.
    NoFingerprint,
    /// YAML's value is the one that was applied; the workspace never tells its own, masks it, or writes it in another way.
    NotTold,
}

/// A secret that was not compared with the one in the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncompared {
    /// Where. Inside sets and unkeyed lists the path is the list's.
    pub path: Path,
    /// Why.
    pub why: Untold,
}

/// Whether the state recorded this very secret.
pub(super) fn recorded_as(secret: &Deferred, applied: &Value, secrets: &BTreeMap<String, Value>) -> bool {
    match secrets.get(&secret.source) {
        Some(recorded) => recorded == applied,
        None => source_of(applied) == Some(secret.source.as_str()),
    }
}

impl<'v> Walk<'v> {
    /// Notes a secret that is no change and was not compared with the one in the workspace.
    fn settled_secret(&mut self, field: Option<Field<'v>>, desired: &Value, live: Option<&Value>) {
        let told = live.is_some_and(|live| is_told(field, live));
        let why = match desired {
            Value::Secret(deferred) => self.untold(deferred).or((!told).then_some(Untold::NotTold)),
            _ => Some(Untold::NotTold),
        };
        if let Some(why) = why {
            self.found.uncompared.push(Uncompared { path: self.path(), why });
        }
    }

    /// Notes secrets inside a value that is compared as a whole and is no change.
    pub(super) fn settled_whole(&mut self, desired: Option<&Value>) {
        let mut found = vec![];
        if let Some(desired) = desired.filter(|desired| desired.has_secret()) {
            desired.each_deferred(&mut Path::root(), &mut |_, deferred| {
                found.extend(deferred.secrets().next().and_then(|_| self.untold(deferred)));
            });
        }
        let path = if found.is_empty() { Path::root() } else { self.path() };
        self.found.uncompared.extend(found.into_iter().map(|why| Uncompared { path: path.clone(), why }));
    }

    /// What keeps a secret from being compared wherever it stands.
    fn untold(&self, secret: &Deferred) -> Option<Untold> {
        let printed = || self.input.secrets.get(&secret.source).is_some_and(|record| record.get("fingerprint").is_some());
        match self.input.key {
            None => Some(Untold::NoStateKey),
            Some(_) if !printed() => Some(Untold::NoFingerprint),
            Some(_) => None,
        }
    }

    pub(super) fn secret(&mut self, field: Option<Field<'v>>, three: Three<'v>) {
        let told = Agreement::live(self.input.secrets).keyed(self.input.key);
        // A place that holds no secret any more tells nothing by what is there.
        let disturbed = |ours: &Value| three.live.is_some_and(|live| !told.holds(field, ours, live));
        let is_secret = |v: &Value| matches!(v, Value::Secret(_));
        let reason = match (three.desired, three.applied) {
            (Some(d), Some(a)) if Agreement::applied(self.input.secrets).holds(field, d, a) => {
                if !is_secret(d) || !disturbed(d) {
                    return self.settled_secret(field, d, three.live);
                }
                Reason::Drift
            }
            (Some(d), Some(a)) if is_secret(d) && source_of(a).is_some() && disturbed(a) && disturbed(d) => Reason::Conflict,
            (Some(Value::Null), None) => return,
            (Some(_), _) => Reason::Changed,
            (None, _) => Reason::Removed,
        };
        if reason == Reason::Removed && three.live.is_none() && !field.is_some_and(|f| f.input_only() || f.secret()) {
            return;
        }
        let hide = |v: Option<&Value>| v.map(hidden);
        let change =
            FieldChange { path: self.path(), old: hide(three.live), new: hide(three.desired), applied: hide(three.applied), reason };
        self.found.changes.push(change);
    }
}

/// The value as a change may carry it: its source at most.
fn hidden(value: &Value) -> Value {
    match value {
        Value::Secret(_) | Value::Unknown(_) | Value::Null => value.clone(),
        other => Value::Secret(Arc::new(Deferred {
            source: source_of(other).unwrap_or_default().to_owned(),
            pieces: vec![],
            waits: vec![],
            bound: Map::new(),
        })),
    }
}

/// Live as a change or a plan may carry it: hidden wherever desired or applied says that a secret stands there.
#[must_use]
pub fn veil(live: &Value, desired: Option<&Value>, applied: Option<&Value>) -> Value {
    let sides = [desired, applied];
    let mut both = sides.iter().flatten();
    if both.clone().any(|v| matches!(v, Value::Secret(_)) || source_of(v).is_some()) {
        return hidden(both.find(|v| source_of(v).is_some()).copied().unwrap_or(live));
    }
    match live {
        Value::Map(map) => Value::Map(
            map.iter().map(|(k, v)| (k.clone(), veil(v, desired.and_then(|d| d.get(k)), applied.and_then(|a| a.get(k))))).collect(),
        ),
        Value::List(list) => {
            // Items may have moved: one secret at a place hides that place in all of them.
            let merged = sides.map(|side| side.and_then(Value::as_list).map(merged));
            Value::List(list.iter().map(|v| veil(v, merged[0].as_ref(), merged[1].as_ref())).collect())
        }
        other => other.clone(),
    }
}

/// Whether a value holds a secret or the record of one.
pub(super) fn holds_secret(value: &Value) -> bool {
    value.any(&|v| matches!(v, Value::Secret(_)) || source_of(v).is_some())
}

/// One item that has the secrets of all of them.
fn merged(list: &[Value]) -> Value {
    let mut all = Value::Null;
    for item in list.iter().filter(|v| holds_secret(v)) {
        all = overlay(all, item);
    }
    all
}

fn overlay(under: Value, over: &Value) -> Value {
    match (under, over) {
        (Value::Map(mut map), Value::Map(more)) if source_of(over).is_none() => {
            for (key, value) in more {
                let below = map.shift_remove(key).unwrap_or(Value::Null);
                map.insert(key.clone(), overlay(below, value));
            }
            Value::Map(map)
        }
        (kept @ Value::Secret(_), _) => kept,
        (kept, over) if source_of(&kept).is_some() && !holds_secret(over) => kept,
        (_, over) => over.clone(),
    }
}
