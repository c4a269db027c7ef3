//! Which addresses of the state have another name now: declared `moved`, or the same natural key under a new address.

use std::collections::{BTreeMap, HashMap};

use super::Options;
use crate::kinds::{Kind, Lifetime, Registry, natural_text};
use crate::model::Address;
use crate::project::Desired;
use crate::state::{Document, Entry};

/// Old and new addresses of what moves.
#[derive(Debug, Default)]
pub(super) struct Moves {
    to_new: BTreeMap<Address, Address>,
    to_old: BTreeMap<Address, Address>,
}

impl Moves {
    /// The moves of a plan; without kinds only the declared ones. A destroy moves nothing.
    pub fn of(desired: &Desired, state: &Document, options: &Options, registry: Option<&Registry>) -> Self {
        let mut moves = Self::default();
        if options.destroy {
            return moves;
        }
        for from in desired.moves.keys().filter(|from| state.resources.contains_key(*from) && !desired.resources.contains_key(*from)) {
            if let Some(to) = declared(desired, state, from) {
                moves.add(state, from, to);
            }
        }
        for (from, to) in imported(desired, state) {
            if moves.now(&from).is_none() && moves.old(&to).is_none() {
                moves.add(state, &from, &to);
            }
        }
        if let Some(registry) = registry {
            for (from, to) in matching(desired, state, registry, &moves, &|kind, entry, _| natural_of(kind, entry)) {
                moves.add(state, &from, &to);
            }
            // What is in something that is renamed has another whole name by that alone: from the outside to the inside.
            loop {
                let followed = |kind, entry: &Entry, moves: &Self| moves.followed_natural(kind, entry, desired, state);
                let found = matching(desired, state, registry, &moves, &followed);
                if found.is_empty() {
                    break;
                }
                for (from, to) in found {
                    moves.add(state, &from, &to);
                }
            }
        }
        moves
    }

    /// A resource and the facets that the state knows of it.
    fn add(&mut self, state: &Document, from: &Address, to: &Address) {
        self.pair(from, to);
        if from.is_facet() {
            return;
        }
        let facets = state.resources.range(from.clone()..).skip(1).map(|(a, _)| a).take_while(|a| a.parent() == *from);
        for facet in facets {
            self.pair(facet, &Address { facet: facet.facet.clone(), ..to.clone() });
        }
    }

    fn pair(&mut self, from: &Address, to: &Address) {
        self.to_new.insert(from.clone(), to.clone());
        self.to_old.insert(to.clone(), from.clone());
    }

    /// Where an address of the state went.
    pub fn now(&self, old: &Address) -> Option<&Address> {
        self.to_new.get(old)
    }

    /// Where an address came from.
    pub fn old(&self, new: &Address) -> Option<&Address> {
        self.to_old.get(new)
    }

    /// The natural key that an object of the state has once everything that it is in has the name that YAML gives that now.
    fn followed_natural(&self, kind: &'static Kind, entry: &Entry, desired: &Desired, state: &Document) -> Option<Vec<String>> {
        let mut key = natural_of(kind, entry)?;
        for parent in kind.parents {
            let Some(at) = kind.natural.fields.iter().position(|field| *field == parent.field) else { continue };
            let renamed = entry.dependencies.iter().filter(|d| d.kind == parent.kind).find_map(|d| {
                let around = state.resources.get(d)?;
                let now = desired.resources.get(self.now(d).unwrap_or(d))?;
                let field = now.kind.natural.fields.last()?;
                let was = natural_text(now.kind, field, around.applied.get(field)?);
                (was == key[at]).then(|| now.natural.last().cloned()).flatten()
            });
            key[at] = renamed.unwrap_or_else(|| key[at].clone());
        }
        Some(key)
    }

    /// What the state knows of an address, under its present or its old name.
    pub fn entry<'s>(&self, state: &'s Document, address: &Address) -> Option<&'s Entry> {
        match self.old(address) {
            Some(old) => state.resources.get(old),
            None if self.now(address).is_some() => None,
            None => state.resources.get(address),
        }
    }
}

/// Where the declared moves lead from an address, one after another: a state that was not applied for a while has an older name.
fn declared<'d>(desired: &'d Desired, state: &Document, from: &Address) -> Option<&'d Address> {
    let mut at = from;
    // Those of a circle lead nowhere.
    for _ in 0..desired.moves.len() {
        let to = desired.moves.get(at).filter(|to| to.kind == from.kind && !state.resources.contains_key(*to))?;
        if desired.resources.contains_key(to) {
            return Some(to);
        }
        at = to;
    }
    None
}

/// Imports of objects that the state knows under an address that is no more: moves, or the object would be adopted here and
/// deleted there.
fn imported(desired: &Desired, state: &Document) -> Vec<(Address, Address)> {
    if desired.imports.is_empty() {
        return Vec::new();
    }
    let dropped = |a: &Address| !a.is_facet() && !desired.resources.contains_key(a) && !is_forgotten(desired, a);
    let by_id: HashMap<(&str, &str), &Address> =
        state.resources.iter().filter(|(a, _)| dropped(a)).map(|(a, e)| ((e.kind.as_str(), e.id.as_str()), a)).collect();
    let added = desired.imports.iter().filter(|(to, _)| desired.resources.contains_key(*to) && !state.resources.contains_key(*to));
    added.filter_map(|(to, (id, _))| Some(((*by_id.get(&(to.kind.as_str(), id.as_str()))?).clone(), to.clone()))).collect()
}

/// The natural key that an object of the state is looked for by.
type NaturalKey<'f> = dyn Fn(&'static Kind, &Entry, &Moves) -> Option<Vec<String>> + 'f;

/// Removed and added addresses of one kind with the same natural key, where it is unique on both sides.
fn matching(desired: &Desired, state: &Document, registry: &Registry, declared: &Moves, key: &NaturalKey<'_>) -> Vec<(Address, Address)> {
    type Sides<'a> = (Vec<&'a Address>, Vec<&'a Address>);
    let removed =
        |a: &Address| !a.is_facet() && !desired.resources.contains_key(a) && declared.now(a).is_none() && !is_forgotten(desired, a);
    let mut found: HashMap<(&str, Vec<String>), Sides<'_>> = HashMap::new();
    for (address, entry) in state.resources.iter().filter(|(a, _)| removed(a)) {
        let Some(kind) = registry.get(&entry.kind).filter(|k| k.lifetime != Lifetime::Attached) else { continue };
        if let Some(key) = key(kind, entry, declared) {
            found.entry((kind.name, key)).or_default().0.push(address);
        }
    }
    if found.is_empty() {
        return Vec::new();
    }
    let added =
        |a: &Address| !a.is_facet() && !state.resources.contains_key(a) && declared.old(a).is_none() && !desired.imports.contains_key(a);
    for (address, resource) in desired.resources.iter().filter(|(a, _)| added(a)) {
        if let Some(sides) = found.get_mut(&(resource.kind.name, resource.natural.clone())) {
            sides.1.push(address);
        }
    }
    let mut pairs: Vec<(Address, Address)> =
        found.into_values().filter_map(|(from, to)| Some((single(&from)?.clone(), single(&to)?.clone()))).collect();
    pairs.sort();
    pairs
}

/// Whether `forget:` names this address or its parent.
pub(super) fn is_forgotten(desired: &Desired, address: &Address) -> bool {
    desired.forgets.iter().any(|f| super::scope::covers(f, address))
}

fn natural_of(kind: &'static Kind, entry: &Entry) -> Option<Vec<String>> {
    kind.natural.fields.iter().map(|f| entry.applied.get(f).filter(|v| v.as_str().is_some()).map(|v| natural_text(kind, f, v))).collect()
}

fn single<'a>(list: &[&'a Address]) -> Option<&'a Address> {
    if let [one] = list { Some(one) } else { None }
}
