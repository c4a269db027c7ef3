//! Objects that are inside others: they go with what they are in, and come again with it.

use std::collections::{BTreeMap, BTreeSet};

use super::make::Maker;
use super::step::{Subject, block};
use super::still_used::as_well;
use super::{Action, Halves, Inputs, Step};
use crate::kinds::{Fact, Kind, Lifetime, Registry, folders, is_path, plain_path};
use crate::model::{Address, Value};
use crate::state::Document;

fn is_replaced(step: &Step) -> bool {
    matches!(step.action, Action::Replace | Action::ReplaceNewFirst)
}

/// Whether an object with this body is in the one that a step takes away.
pub(super) fn is_in(kind: &Kind, body: &Value, around: &Step, applied: Option<&Value>, registry: &Registry) -> bool {
    let natural = registry.get(&around.kind).and_then(|k| k.natural.fields.last());
    let name = natural.and_then(|field| around.live.as_ref().or(applied)?.get(field)).map(Value::key_text);
    let outer = registry.get(&around.kind).map_or(&[][..], |k| k.natural.fields);
    let outer = outer.split_last().map_or(&[][..], |(_, outer)| outer);
    // A schema of that name in another catalog is another one.
    let elsewhere = outer.iter().any(|field| {
        let theirs = around.live.as_ref().or(applied).and_then(|b| b.get(field)).map(Value::key_text);
        let held = body.get(field).filter(|v| !matches!(v, Value::Unknown(_))).map(Value::key_text);
        held.zip(theirs).is_some_and(|(a, b)| !a.eq_ignore_ascii_case(&b))
    });
    !elsewhere
        && kind.parents.iter().filter(|p| p.kind == around.kind).any(|p| {
            let held = body.get(p.field).filter(|v| !matches!(v, Value::Null | Value::Unknown(_))).map(Value::key_text);
            let folder = natural.is_some_and(|field| registry.get(&around.kind).is_some_and(|k| is_path(k, field)));
            let holds = |name: &str, held: &str| {
                if folder { folders(held).any(|folder| folder == plain_path(name)) } else { name.eq_ignore_ascii_case(held) }
            };
            held.is_some_and(|held| [&around.id, &name].into_iter().flatten().any(|n| holds(n, &held)))
        })
}

/// Whether an object with this body says by name that it is in the folder that a step takes away: some are known by their
/// path, others name the folder.
fn names_folder(kind: &Kind, body: &Value, around: &Step) -> bool {
    let old = around.id.as_deref().map(plain_path);
    let is_it = |field: &str| body.get(field).and_then(Value::as_str).map(|path| plain_path(path).trim_end_matches('/')) == old;
    let mut named = kind
        .parents
        .iter()
        .filter(|p| p.kind == around.kind && kind.facts.iter().any(|(at, fact)| *at == p.field && matches!(fact, Fact::WorkspacePath)));
    old.is_some() && named.any(|p| kind.natural.fields != [p.field] && is_it(p.field))
}

impl<'a> Maker<'a> {
    /// What the object is in, if this plan deletes that and makes it anew.
    pub(super) fn replaced_around(&self, subject: &Subject<'a>, body: Option<&Value>) -> Option<&'a Address> {
        let body = body.filter(|_| subject.kind.lifetime == Lifetime::Own && !subject.kind.parents.is_empty())?;
        let applied = |a: &Address| self.moves.entry(self.inputs.state, a).map(|e| &e.applied);
        subject.resource.depends_on.iter().find(|a| {
            // Where the new one is made first, what is in the old one moves.
            let step = self.steps.get(*a).filter(|s| s.action == Action::Replace);
            step.is_some_and(|s| is_in(subject.kind, body, s, applied(a), self.inputs.registry))
        })
    }

    /// One of its kind, in words.
    pub(super) fn singular(&self, address: &Address) -> &'static str {
        self.inputs.desired.resources.get(address).map_or("parent", |r| r.kind.singular)
    }

    /// The replacement of an object whose surroundings are replaced: what the server makes along with them is only changed.
    pub(super) fn come_again(&self, subject: &Subject<'a>, step: &mut Step) {
        if let Some(with) = self.born_with(subject).filter(|with| self.is_made(with)) {
            let born = self.born(subject, with);
            (step.calls, step.entry, step.desired) = (born.calls, born.entry, born.desired);
        }
    }
}

/// A replacement whose surroundings go has two halves: the old object is deleted before what is around it is, the new one made
/// after that is there again. Gives each such address with what is around its old object and goes.
pub(super) fn apart(
    steps: &mut BTreeMap<Address, Box<Step>>,
    inputs: &Inputs<'_>,
    old: &dyn Fn(&Address) -> Address,
    now: &dyn Fn(&Address) -> Address,
) -> Vec<(Address, Address)> {
    let mut pairs = Vec::new();
    let applied = |a: &Address| inputs.state.resources.get(&old(a)).map(|e| &e.applied);
    for (address, step) in steps.iter().filter(|(_, s)| s.action == Action::Replace) {
        let Some(resource) = inputs.desired.resources.get(address).filter(|r| !r.kind.parents.is_empty()) else { continue };
        let Some(body) = step.live.as_ref().or_else(|| applied(address)) else { continue };
        let around = |a: &&Address| steps.get(*a).is_some_and(|s| is_in(resource.kind, body, s, applied(a), inputs.registry));
        let replaced = |a: &&Address| steps.get(*a).is_some_and(|s| s.action == Action::Replace);
        let again: Vec<&Address> = resource.depends_on.iter().filter(replaced).filter(around).collect();
        if again.is_empty() {
            continue;
        }
        // What was between the two may leave for good.
        let was: Vec<Address> =
            inputs.state.resources.get(&old(address)).into_iter().flat_map(|e| e.dependencies.iter().map(now)).collect();
        let leaves = |a: &&Address| steps.get(*a).is_some_and(|s| s.action == Action::Delete);
        pairs.extend(again.into_iter().chain(was.iter().filter(leaves).filter(around)).map(|a| (address.clone(), a.clone())));
    }
    for (address, _) in &pairs {
        if let Some(step) = steps.get_mut(address) {
            step.halves = Halves::Apart;
        }
    }
    pairs
}

/// Blocks what cannot be deleted because something in it stays: the server would refuse it halfway.
pub(super) fn check(steps: &mut BTreeMap<Address, Box<Step>>, inputs: &Inputs<'_>, known: &Document, old: &dyn Fn(&Address) -> Address) {
    let kinds = inputs.desired.resources.values().map(|r| r.kind);
    let kinds = kinds.chain(known.resources.values().filter_map(|e| inputs.registry.get(&e.kind)));
    let surround: BTreeSet<&str> = kinds.flat_map(|k| k.parents).map(|p| p.kind).collect();
    let mut blocks = Vec::new();
    let leaves = |s: &Step| is_replaced(s) || s.action == Action::Delete;
    for (address, step) in steps.iter().filter(|(_, s)| leaves(s) && surround.contains(s.kind.as_str())) {
        let applied = known.resources.get(&old(address)).map(|e| &e.applied);
        let holds = |kind: &Kind, body: &Value| is_in(kind, body, step, applied, inputs.registry) || names_folder(kind, body, step);
        let goes = matches!(step.action, Action::Delete | Action::ReplaceNewFirst) && !inputs.options.destroy;
        let stays = |a: &&Address| goes && steps.contains_key(*a);
        let wanted = inputs.desired.resources.iter().filter(|(a, r)| holds(r.kind, &r.body) && stays(a)).map(|(a, _)| a);
        let verb = if step.action == Action::Delete { "deleted" } else { "replaced" };
        if let Some(staying) = wanted.clone().next() {
            let reason = format!("{address} would be {verb}, but {}", inside(staying, wanted.count(), "wanted all the same"));
            let first = match step.action {
                Action::Delete => format!("remove {staying} from the YAML too"),
                _ => format!("let {staying} move too: say where it is to be by `${{{address}.path}}`"),
            };
            let remedy = vec![first, format!("or leave {address} alone: forget: ['{address}']")];
            blocks.push((address.clone(), block("refused", reason, remedy)));
        }
        let gone = |a: &Address| steps.contains_key(a) || steps.values().any(|s| s.moved_from.as_ref() == Some(a));
        let out = known.resources.iter().filter(|(_, e)| inputs.registry.get(&e.kind).is_some_and(|k| holds(k, &e.applied)));
        let out = out.map(|(a, _)| a).filter(|a| !gone(a));
        if let Some(left) = out.clone().next() {
            let reason = format!("{address} would be {verb}, but {}", inside(left, out.count(), "left out of this plan"));
            blocks.push((address.clone(), block("refused", reason, vec![as_well(inputs, &BTreeSet::from([left.clone()]))])));
        }
    }
    for (address, block) in blocks {
        if let Some(step) = steps.get_mut(&address) {
            step.blocks.push(block);
        }
    }
}

fn inside(first: &Address, count: usize, how: &str) -> String {
    match count {
        0 | 1 => format!("{first} is in it and {how}"),
        _ => format!("{first} and {} more are in it and {how}", count - 1),
    }
}
