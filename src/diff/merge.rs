//! Three-way merge: what was changed in the workspace since the last apply, and not in YAML, stays as it is there.
//!
//! Owns what is kept, and what is a conflict that a plain comparison does not tell: a field that both set for the first time,
//! something that YAML takes away and the workspace has changed. Refuses to decide conflicts: that is the plan's.

use super::lines::{common_lines, merge_lines};
use super::take::{Form, as_named_there, is_of_items, taken};
use super::{Compare, FieldChange, NO_SECRETS, Reason, compare, is_left_out, same, secret};
use crate::kinds::{Fact, Field, Kind, Schema};
use crate::model::{Map, Path, Step, Value};

/// The three bodies.
#[derive(Clone, Copy)]
pub struct Sides<'v> {
    /// What YAML wants.
    pub desired: &'v Value,
    /// What the last apply sent.
    pub applied: &'v Value,
    /// What the workspace answers, as it is compared.
    pub live: &'v Value,
}

/// What a merge makes of what differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// What is still to be done.
    pub changes: Vec<FieldChange>,
    /// What is kept: `old` as the workspace will have it, `new` as YAML has it, `applied` as it was sent.
    pub kept: Vec<FieldChange>,
    /// Desired with what is kept.
    pub wanted: Value,
}

/// Sorts what differs into what is kept and what is done.
#[must_use]
pub fn merge(kind: &'static Kind, changes: Vec<FieldChange>, sides: &Sides<'_>) -> Merged {
    let mut changes: Vec<FieldChange> = changes.into_iter().map(|c| told(kind, c, sides)).collect();
    stand_together(kind, &mut changes, sides);
    let split: Vec<Path> = changes.iter().filter(|c| c.reason != Reason::Drift || holds_secret(c)).map(|c| c.path.clone()).collect();
    let (mut rest, mut kept) = (Vec::new(), Vec::new());
    for change in changes {
        match change.reason {
            Reason::Drift if can_be_kept(kind, &change, &split, sides) => kept.push(change),
            Reason::Conflict => match lines(kind, &change) {
                Some(text) => by_lines(kind, change, text, &mut rest, &mut kept),
                None => rest.push(change),
            },
            Reason::Drift | Reason::Changed | Reason::Removed => rest.push(change),
        }
    }
    let kept = whole_lists(kind, kept, sides);
    let wanted = taken(kind, sides.desired, &kept.iter().collect::<Vec<_>>(), sides.live, Form::AsIs);
    Merged { changes: rest, kept, wanted }
}

/// The body that the workspace has been sent, after an update of which nobody knows whether it arrived: `desired` is what that sent,
/// `applied` what was sent before. Where live has the update's side, that is what was sent; elsewhere it is what was there before.
#[must_use]
pub fn arrived(kind: &'static Kind, sides: &Sides<'_>) -> Value {
    let found = compare(&Compare { applied: Some(sides.applied), live: Some(sides.live), ..Compare::of(kind, sides.desired) });
    let mut back: Vec<FieldChange> = Vec::new();
    for change in merge(kind, found.changes, sides).changes {
        if back.last().is_none_or(|last| last.path != change.path) {
            let [old, new] = [sides.applied, sides.desired].map(|side| side.at(&change.path).cloned());
            back.push(FieldChange { old, new, ..change });
        }
    }
    taken(kind, sides.desired, &back.iter().collect::<Vec<_>>(), sides.applied, Form::AsIs)
}

/// What the workspace has gained, of an update of which nobody knows whether it arrived, nor what was there before it: items that
/// only the workspace has, and a text with lines of which that update says nothing. None: it may be what the update did not get to.
#[must_use]
pub fn added(kind: &'static Kind, change: &FieldChange) -> Option<FieldChange> {
    if change.old.is_some() && change.new.is_none() && change.applied.is_none() {
        return Some(change.clone());
    }
    let (Some(Value::Text(sent)), Some(Value::Text(live))) = (&change.applied, &change.old) else { return None };
    let both = FieldChange { applied: Some(Value::Text(common_lines(sent, live))), reason: Reason::Conflict, ..change.clone() };
    lines(kind, &both).map(|_| both)
}

/// What `adopt --write` does with what differs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Adopted {
    /// What goes into YAML: `old` as YAML is to have it (of a text that both changed: both edits), `new` as it has it.
    pub taken: Vec<FieldChange>,
    /// What YAML then has of the workspace: `old` as it is there.
    pub recorded: Vec<FieldChange>,
    /// What cannot go into YAML without taking an edit away that was never applied.
    pub conflicts: Vec<FieldChange>,
}

impl Adopted {
    /// With the workspace's side of every conflict.
    #[must_use]
    pub fn theirs(mut self) -> Self {
        self.taken.extend(self.conflicts.iter().cloned());
        self.recorded.append(&mut self.conflicts);
        self
    }
}

/// Sorts all that differs into what YAML takes from the workspace, and what both changed differently. What only YAML changed is in
/// neither.
#[must_use]
pub fn adopted(kind: &'static Kind, changes: &[FieldChange], sides: &Sides<'_>) -> Adopted {
    let mut changes: Vec<FieldChange> = changes.iter().cloned().map(|c| told(kind, c, sides)).collect();
    stand_together(kind, &mut changes, sides);
    let ours: Vec<Path> = changes.iter().filter(|c| c.reason != Reason::Drift).map(|c| c.path.clone()).collect();
    let mut found = Adopted::default();
    for change in changes {
        let is_both = change.reason == Reason::Conflict || (is_in_order(kind, &change, sides) && ours.contains(&change.path));
        match change.reason {
            Reason::Changed | Reason::Removed => {}
            Reason::Drift if !is_both => {
                found.taken.push(change.clone());
                found.recorded.push(change);
            }
            Reason::Drift | Reason::Conflict => match lines(kind, &change) {
                Some(text) => {
                    if change.new.as_ref().and_then(Value::as_str) != Some(&text) {
                        found.taken.push(FieldChange { old: Some(Value::Text(text)), ..change.clone() });
                    }
                    found.recorded.push(change);
                }
                None => found.conflicts.push(FieldChange { reason: Reason::Conflict, ..change }),
            },
        }
    }
    found.conflicts = whole_lists(kind, found.conflicts, sides);
    found
}

/// Whether a change is of an item of a list in order.
fn is_in_order(kind: &'static Kind, change: &FieldChange, sides: &Sides<'_>) -> bool {
    let field = Schema::of(kind).at(&change.path);
    is_of_items(field, &[change], sides.live) && !field.is_some_and(|f| f.set())
}

/// A list in order is kept as a whole: one change of it, not one an item.
fn whole_lists(kind: &'static Kind, kept: Vec<FieldChange>, sides: &Sides<'_>) -> Vec<FieldChange> {
    let mut all: Vec<FieldChange> = Vec::with_capacity(kept.len());
    for change in kept {
        if !is_in_order(kind, &change, sides) {
            all.push(change);
        } else if all.last().is_none_or(|last| last.path != change.path) {
            let [old, new, applied] = [sides.live, sides.desired, sides.applied].map(|side| side.at(&change.path).cloned());
            all.push(FieldChange { old, new, applied, ..change });
        }
    }
    all
}

/// A body as it would be if nothing were kept: what a plan asks for, whatever the workspace says where it keeps its own.
#[must_use]
pub fn as_in_yaml(kind: &'static Kind, body: &Value, kept: &[FieldChange]) -> Value {
    let kept = as_named_there(kind, kept);
    let back: Vec<FieldChange> = kept.iter().map(|c| FieldChange { old: c.new.clone(), new: c.old.clone(), ..c.clone() }).collect();
    taken(kind, body, &back.iter().collect::<Vec<_>>(), &Value::Null, Form::AsIs)
}

fn holds_secret(change: &FieldChange) -> bool {
    [&change.old, &change.new, &change.applied].into_iter().flatten().any(secret::holds_secret)
}

/// The change with the reason that it has where both sides count.
fn told(kind: &'static Kind, change: FieldChange, sides: &Sides<'_>) -> FieldChange {
    if holds_secret(&change) {
        return change;
    }
    let field = Schema::of(kind).at(&change.path);
    let reason = match (change.reason, &change.applied, &change.old, &change.new) {
        (Reason::Removed, Some(applied), Some(old), None) if has_moved(field, applied, old) => Reason::Conflict,
        (Reason::Removed, None, Some(old), None) => removed_beside(kind, &change, old, sides),
        // Of a list that was never applied, too.
        (Reason::Changed, None, Some(old), None) => match removed_beside(kind, &change, old, sides) {
            Reason::Removed => Reason::Changed,
            from_the_workspace => from_the_workspace,
        },
        (Reason::Changed, None, Some(old), Some(_)) if !is_servers_choice(field, &change.path, old, sides) => Reason::Conflict,
        (reason, ..) => reason,
    };
    FieldChange { reason, ..change }
}

/// Something that YAML takes away, and that the workspace has changed since the last apply: a conflict.
#[must_use]
pub fn taken_away(kind: &'static Kind, change: FieldChange) -> FieldChange {
    let is_edited = match (change.reason, &change.applied, &change.old, &change.new) {
        (Reason::Removed, Some(applied), Some(old), None) if !holds_secret(&change) => {
            let (edited, _) = moved(Schema::of(kind).at(&change.path), applied, old);
            edited
        }
        _ => false,
    };
    if is_edited { FieldChange { reason: Reason::Conflict, ..change } } else { change }
}

/// Whether the workspace has something else than what was applied, or more.
fn has_moved(field: Option<Field<'_>>, applied: &Value, live: &Value) -> bool {
    let (edited, more) = moved(field, applied, live);
    edited || more
}

/// Whether the workspace has something else than what was applied; whether it has more.
fn moved(field: Option<Field<'_>>, applied: &Value, live: &Value) -> (bool, bool) {
    let Some(field) = field else { return (applied != live, false) };
    let found = compare(&Compare {
        field,
        applied: Some(applied),
        live: Some(live),
        desired: applied,
        ignore: &[],
        exclusive: false,
        tag: None,
        secrets: &NO_SECRETS,
        key: None,
        known: None,
    });
    (!found.changes.is_empty(), !found.unmanaged.is_empty())
}

/// What only live has, of something that YAML takes away: what was never applied came from the workspace.
fn removed_beside(kind: &'static Kind, change: &FieldChange, old: &Value, sides: &Sides<'_>) -> Reason {
    let field = Schema::of(kind).at(&change.path);
    if is_of_items(field, &[change], sides.live) {
        let applied = sides.applied.at(&change.path);
        if let Some(set) = field.filter(Field::set) {
            let was = |item: &Value| set.item().map_or(item == old, |field| same(Some(field), item, old));
            let applied = applied.and_then(Value::as_list).unwrap_or_default().iter().any(was);
            return if applied { Reason::Removed } else { Reason::Drift };
        }
        let alike = applied.zip(sides.live.at(&change.path)).is_some_and(|(a, l)| same(field, a, l));
        return if alike { Reason::Removed } else { Reason::Conflict };
    }
    let mut above = change.path.clone();
    let is_item = match above.pop() {
        Some(Step::Key(..)) => true,
        Some(Step::Field(_)) => Schema::of(kind).at(&above).is_some_and(|f| f.is_free_map()),
        _ => false,
    };
    if is_item { Reason::Drift } else { Reason::Removed }
}

/// Whether a live value is what the server chose: nobody's edit.
fn is_servers_choice(field: Option<Field<'_>>, path: &Path, old: &Value, sides: &Sides<'_>) -> bool {
    let mut above = path.clone();
    above.pop();
    let none = Map::new();
    let around = sides.live.at(&above).and_then(Value::as_map).unwrap_or(&none);
    field.is_some_and(|f| is_left_out(f, old, around)) || old.is_zero()
}

/// What the workspace took away as a whole and YAML changed in part would be left in halves: where its other fields are
/// required, all of it is one conflict.
fn stand_together(kind: &'static Kind, changes: &mut [FieldChange], sides: &Sides<'_>) {
    let schema = Schema::of(kind);
    let whole = |path: &Path| {
        let mut above = Path::root();
        for step in path.steps() {
            above.push(step.clone());
            if sides.live.at(&above).is_none() {
                let halves = schema.at(&above).is_some_and(|f| f.is_struct() && f.members().iter().any(|(_, m)| m.required()));
                return (halves && above != *path).then_some(above);
            }
        }
        None
    };
    let gone: Vec<Option<Path>> =
        changes.iter().map(|c| if c.reason == Reason::Drift && c.old.is_none() { whole(&c.path) } else { None }).collect();
    for (i, gone) in gone.iter().enumerate() {
        let Some(gone) = gone else { continue };
        if changes.iter().any(|c| matches!(c.reason, Reason::Changed | Reason::Conflict) && gone.contains(&c.path)) {
            changes[i].reason = Reason::Conflict;
        }
    }
}

/// Whether the workspace's side can be sent back as it is: no secret, and a list without keys only as a whole.
fn can_be_kept(kind: &'static Kind, change: &FieldChange, others: &[Path], sides: &Sides<'_>) -> bool {
    if holds_secret(change) || matches!(change.path.steps().last(), Some(Step::Index(_))) {
        return false;
    }
    let in_order = is_in_order(kind, change, sides);
    let may_be_whole = || [sides.desired, sides.applied].iter().all(|side| !side.at(&change.path).is_some_and(secret::holds_secret));
    !in_order || (!others.contains(&change.path) && sides.live.at(&change.path).is_some() && may_be_whole())
}

/// The text that holds both edits of one text.
fn lines(kind: &'static Kind, change: &FieldChange) -> Option<String> {
    let (Some(Value::Text(base)), Some(Value::Text(ours)), Some(Value::Text(theirs))) = (&change.applied, &change.new, &change.old) else {
        return None;
    };
    let field = Schema::of(kind).at(&change.path);
    let whole = field.is_some_and(|f| f.secret() || f.facts().any(|fact| matches!(fact, Fact::Same(_) | Fact::JsonText)));
    if whole {
        return None;
    }
    if !field.is_some_and(|f| f.facts().any(|fact| matches!(fact, Fact::Chomped))) {
        return merge_lines(base, ours, theirs);
    }
    // The end is nobody's edit: it is YAML's.
    let is_end = ['\r', '\n'];
    let end = &ours[ours.trim_end_matches(is_end).len()..];
    let [base, theirs] = [base, theirs].map(|text| format!("{}{end}", text.trim_end_matches(is_end)));
    merge_lines(&base, ours, &theirs)
}

/// A text of which the workspace changed some lines and YAML others.
fn by_lines(kind: &'static Kind, change: FieldChange, text: String, rest: &mut Vec<FieldChange>, kept: &mut Vec<FieldChange>) {
    let text = Some(Value::Text(text));
    let field = Schema::of(kind).at(&change.path);
    let is = |side: &Option<Value>| side.iter().zip(&text).any(|(side, text)| same(field, side, text));
    if !is(&change.new) {
        kept.push(FieldChange { old: text.clone(), reason: Reason::Drift, ..change.clone() });
    }
    if !is(&change.old) {
        rest.push(FieldChange { new: text, reason: Reason::Changed, ..change });
    }
}
