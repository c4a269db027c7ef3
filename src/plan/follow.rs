//! What follows another object: its name holds the name of an object that this plan renames, or the server makes it along
//! with an object that this plan makes.

use std::borrow::Cow;
use std::collections::HashMap;

use super::body;
use super::make::Maker;
use super::step::Subject;
use super::{Action, Step};
use crate::kinds::{self, Born, Call, Identity, Kind, Lifetime, Repeat};
use crate::model::{Address, Map, Value};
use crate::project::Resource;
use crate::refresh::Live;

/// How the reason of what follows one rename begins.
const FOLLOWS: &str = "follows the rename of";

/// An object whose id changes in this plan.
struct Renaming {
    kind: &'static Kind,
    /// What it was called: the whole id, and the last part.
    old: [String; 2],
    /// What it will be called.
    new: [String; 2],
}

/// The objects whose ids change in this plan.
#[derive(Default)]
pub(super) struct Renamings<'a> {
    by_address: HashMap<&'a Address, Renaming>,
}

/// An object as it will be once everything that its name hangs on is renamed.
pub(super) struct Followed<'v> {
    pub id: Cow<'v, str>,
    pub live: Option<Cow<'v, Value>>,
    pub applied: Option<Cow<'v, Value>>,
}

impl<'a> Renamings<'a> {
    /// Takes note of an object that had this body and will have that one.
    pub fn note(&mut self, address: &'a Address, kind: &'static Kind, old: &Value, new: &Value) {
        let Identity::Named { parts, .. } = kind.identity else { return };
        let Some(last) = parts.last() else { return };
        let called = |body: &Value| Some([body::named_id(kind, body)?, body.get(last)?.key_text()]);
        if let (Some(old), Some(new)) = (called(old), called(new))
            && !kinds::same_id(kind, &old[0], &new[0])
        {
            self.by_address.insert(address, Renaming { kind, old, new });
        }
    }

    /// The objects around one of this kind and id whose names are in its id, and change in this plan.
    pub fn around(&self, kind: &Kind, id: &str) -> Vec<&'a Address> {
        let Identity::Named { join, .. } = kind.identity else { return vec![] };
        let is_around = |r: &Renaming| {
            let inner = id.get(..r.old[0].len()).filter(|start| start.eq_ignore_ascii_case(&r.old[0]));
            kind.parents.iter().any(|p| p.kind == r.kind.name) && inner.is_some() && id[r.old[0].len()..].starts_with(join)
        };
        let mut found: Vec<&Address> = self.by_address.iter().filter(|(_, r)| is_around(r)).map(|(a, _)| *a).collect();
        found.sort();
        found
    }

    /// Whether an object of this kind is renamed from one name to the other.
    fn renames(&self, kind: &str, from: &Value, to: &Value) -> bool {
        let (from, to) = (from.key_text(), to.key_text());
        let same = |a: &[String; 2], b: &str, i: usize| a[i].eq_ignore_ascii_case(b);
        self.by_address.values().any(|r| r.kind.name == kind && (0..2).any(|i| same(&r.old, &from, i) && same(&r.new, &to, i)))
    }

    /// The object with the parents' new names where its own name holds the old ones. Nothing is said of others.
    pub fn followed<'v>(&self, subject: &Subject<'_>, id: &'v str, live: Option<&'v Value>, applied: Option<&'v Value>) -> Followed<'v> {
        let kind = subject.kind;
        let mut followed = Followed { id: Cow::Borrowed(id), live: live.map(Cow::Borrowed), applied: applied.map(Cow::Borrowed) };
        let Identity::Named { parts, .. } = kind.identity else { return followed };
        if self.by_address.is_empty() {
            return followed;
        }
        let mut moved = false;
        for parent in kind.parents.iter().filter(|p| parts.contains(&p.field)) {
            let held = live.or(applied).and_then(|b| b.get(parent.field));
            let (Some(held), Some(wanted)) = (held, subject.body.get(parent.field)) else { continue };
            if !self.renames(parent.kind, held, wanted) {
                continue;
            }
            moved = true;
            for body in [&mut followed.live, &mut followed.applied].into_iter().flatten() {
                if let Some(map) = body.to_mut().as_map_mut() {
                    map.insert(parent.field.to_owned(), wanted.clone());
                }
            }
        }
        if !moved {
            return followed;
        }
        if let Some(id) = followed.live.as_ref().or(followed.applied.as_ref()).and_then(|body| body::named_id(kind, body)) {
            if let Some(Value::Map(live)) = followed.live.as_mut().map(Cow::to_mut) {
                for field in kind.id_fields {
                    live.entry((*field).to_owned()).and_modify(|held| *held = Value::text(id.as_str()));
                }
            }
            followed.id = Cow::Owned(id);
        }
        followed
    }
}

impl<'a> Maker<'a> {
    /// What is deleted, each with an object around it that is renamed: after the rename its id would be of nothing, and the
    /// object would stay.
    pub(super) fn before_renames(&self) -> Vec<(Address, Address)> {
        let deleted = self.steps.values().filter(|s| s.action == Action::Delete);
        let pairs = deleted.flat_map(|step| {
            let kind = self.inputs.registry.get(&step.kind);
            let around = kind.zip(step.id.as_deref()).map(|(kind, id)| self.renamings.around(kind, id)).unwrap_or_default();
            around.into_iter().map(|outer| (step.address.clone(), outer.clone()))
        });
        pairs.collect()
    }

    /// Why the id of an object changes although nothing is sent for it: what its name hangs on and is renamed by this plan.
    pub(super) fn follows(&self, subject: &Subject<'_>) -> Option<String> {
        let entry = subject.entry?;
        let id = body::named_id(subject.kind, &subject.body)?;
        if entry.id.is_empty() || kinds::same_id(subject.kind, &entry.id, &id) {
            return None;
        }
        let leads = |a: &&Address| subject.kind.parents.iter().any(|p| p.kind == a.kind);
        let needs = subject.resource.depends_on.iter();
        let mut leaders: Vec<Address> = match subject.kind.lifetime {
            Lifetime::Own => needs.filter(leads).cloned().collect(),
            Lifetime::Attached | Lifetime::Setting if subject.address.is_facet() => vec![subject.address.parent()],
            Lifetime::Attached | Lifetime::Setting => needs.cloned().collect(),
        };
        leaders.sort();
        leaders.dedup();
        leaders.retain(|leader| self.renamings.by_address.contains_key(leader));
        // What is around it may follow as well, one of the others: then that one is the cause.
        let follows_other = |leader: &Address| {
            let because = self.steps.get(leader).and_then(|step| step.because.as_deref()).unwrap_or_default();
            leaders.iter().any(|other| other != leader && because == format!("{FOLLOWS} {other}"))
        };
        let causes: Vec<String> = leaders.iter().filter(|leader| !follows_other(leader)).map(ToString::to_string).collect();
        // None: an interrupted apply got as far as the rename, and not to the record of this one.
        Some(if causes.is_empty() { "follows a rename".to_owned() } else { format!("{FOLLOWS} {}", causes.join(" and ")) })
    }

    /// The object that the server makes this one along with, if that is made by this plan, or was made by us.
    pub(super) fn born_with(&self, subject: &Subject<'a>) -> Option<&'a Address> {
        let depends_on = &subject.resource.depends_on;
        let address = depends_on.iter().find_map(|a| {
            let (address, resource) = self.inputs.desired.resources.get_key_value(a)?;
            let is =
                |field: &str, word: &str| subject.body.get(field).and_then(Value::as_str).is_some_and(|v| v.eq_ignore_ascii_case(word));
            let born = resource.kind.born_with.iter().any(|b| b.kind == subject.kind.name && b.fields.iter().all(|(f, w)| is(f, w)));
            let hangs = subject.kind.parents.iter().any(|p| {
                let held = subject.body.get(p.field).and_then(Value::as_str);
                p.kind == resource.kind.name && resource.natural.last().zip(held).is_some_and(|(n, h)| n.eq_ignore_ascii_case(h))
            });
            (born && hangs).then_some(address)
        })?;
        let made = self.is_made(address)
            || matches!(self.live(address), Some(Live::Settled { .. }))
            || self.moves.entry(self.inputs.state, address).is_some_and(|e| !e.adopted);
        made.then_some(address)
    }

    /// Calls that make again what the server made along with an object whose deletion was begun. What YAML declares itself
    /// has a step of its own.
    pub(super) fn born_again(&self, subject: &Subject<'a>) -> Vec<Call> {
        let Some(id) = body::named_id(subject.kind, &subject.body) else { return vec![] };
        let declared = |born: &Born| {
            let is = |r: &Resource| born.fields.iter().all(|(f, w)| r.body.get(f).and_then(Value::as_str).is_some_and(|v| v == *w));
            let all = &self.inputs.desired.resources;
            all.values().any(|r| r.kind.name == born.kind && r.depends_on.contains(subject.address) && is(r))
        };
        let calls = subject.kind.born_with.iter().filter(|born| !declared(born)).map(|born| {
            let within = std::iter::once((born.within, Value::text(id.as_str())));
            let body = Value::map(within.chain(born.fields.iter().map(|(field, word)| (*field, Value::text(*word)))));
            let why = "make again what came with it";
            Call { op: born.create, path: Map::new(), query: Map::new(), body: Some(body), why, repeat: Repeat::Safe }
        });
        calls.collect()
    }

    /// Whether this plan makes it.
    pub(super) fn is_made(&self, address: &Address) -> bool {
        self.steps.get(address).is_some_and(|s| matches!(s.action, Action::Create | Action::Replace | Action::ReplaceNewFirst))
    }

    /// A step that takes over what the server makes along with another object, and brings it to what is wanted.
    pub(super) fn born(&self, subject: &Subject<'a>, with: &Address) -> Step {
        let mut step = self.create(subject, None);
        let Some(id) = body::named_id(subject.kind, &subject.body) else { return step };
        let Identity::Named { parts, .. } = subject.kind.identity else { return step };
        step.changes.retain(|c| !c.path.first_field().is_some_and(|f| parts.contains(&f)));
        step.action = if step.changes.is_empty() { Action::Adopt } else { Action::Update };
        step.because = Some(format!("made along with {with}, taken over"));
        step.calls.clear();
        if !step.changes.is_empty() {
            Self::put_first_update(subject, &id, &mut step);
        }
        step.id = Some(id);
        step
    }
}
