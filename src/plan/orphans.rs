//! What an interrupted apply made and nobody wants any more: it is not in the state yet, but it is ours, and it goes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Inputs;
use crate::model::{Address, Map, Value};
use crate::refresh::Live;
use crate::state::{Document, Entry, Intent, Status};

/// The state with everything that open intents turned out to have made, as far as no desired address takes it.
pub(super) fn known<'s>(inputs: &Inputs<'s>) -> Cow<'s, Document> {
    let wanted = |address: &Address| !inputs.options.destroy && inputs.desired.resources.contains_key(address);
    let mut taken = taken(inputs, &wanted);
    let made: Vec<(&Address, Entry)> = inputs
        .state
        .open_intents
        .iter()
        .filter(|(address, _)| !wanted(address) && !inputs.state.resources.contains_key(address))
        .filter_map(|(address, intent)| Some((address, entry(inputs, intent, inputs.live?.objects.get(address)?)?)))
        .filter(|(_, entry)| taken.insert((entry.kind.clone(), entry.id.clone())))
        .collect();
    if made.is_empty() {
        return Cow::Borrowed(inputs.state);
    }
    let mut document = inputs.state.clone();
    document.resources.extend(made.into_iter().map(|(address, entry)| (address.clone(), entry)));
    Cow::Owned(document)
}

/// The same with what was begun and is wanted: it may be in something that goes, and leaves that first.
pub(super) fn with_begun<'s>(inputs: &Inputs<'s>, known: Cow<'s, Document>) -> Cow<'s, Document> {
    let found = |address: &Address, intent| entry(inputs, intent, inputs.live?.objects.get(address)?);
    let begun = inputs.state.open_intents.iter().filter(|(address, _)| !known.resources.contains_key(*address));
    let begun: Vec<(Address, Entry)> = begun.filter_map(|(address, intent)| Some((address.clone(), found(address, intent)?))).collect();
    if begun.is_empty() {
        return known;
    }
    let mut document = known.into_owned();
    document.resources.extend(begun);
    Cow::Owned(document)
}

/// Desired addresses whose object was begun under an address that YAML has no more (its key was changed before the apply
/// came to its end), each with that address.
pub(super) fn claims<'s>(inputs: &Inputs<'s>) -> BTreeMap<&'s Address, &'s Address> {
    let Some(live) = inputs.live.filter(|_| !inputs.options.destroy) else { return BTreeMap::new() };
    let (desired, state) = (inputs.desired, inputs.state);
    let left = |a: &Address| !desired.resources.contains_key(a) && !state.resources.contains_key(a);
    let begun: BTreeMap<(&str, &str), &Address> = state
        .open_intents
        .keys()
        .filter(|address| left(address))
        .filter_map(|address| match live.objects.get(address)? {
            Live::Settled { id, .. } => Some(((address.kind.as_str(), id.as_str()), address)),
            _ => None,
        })
        .collect();
    let new = |a: &Address| !state.resources.contains_key(a) && !desired.imports.contains_key(a) && !state.open_intents.contains_key(a);
    let claim = |address: &'s Address| match live.objects.get(address)? {
        Live::Exists(candidates) if new(address) => match candidates.as_slice() {
            [one] => Some((address, *begun.get(&(address.kind.as_str(), one.id.as_str()))?)),
            _ => None,
        },
        _ => None,
    };
    desired.resources.keys().filter_map(claim).collect()
}

/// Kind and id of what has an address already: two intents of one name (its key was changed in between) find one object.
fn taken(inputs: &Inputs<'_>, wanted: &dyn Fn(&Address) -> bool) -> BTreeSet<(String, String)> {
    let claims = claims(inputs);
    let known = inputs.state.resources.values().map(|entry| (entry.kind.clone(), entry.id.clone()));
    let live = inputs.live.into_iter().flat_map(|live| &live.objects).filter(|(address, _)| wanted(address));
    let found = live.filter_map(|(address, live)| match live {
        Live::Found { id, .. } | Live::Settled { id, .. } => Some((address.kind.clone(), id.clone())),
        Live::Exists(candidates) if claims.contains_key(address) => Some((address.kind.clone(), candidates.first()?.id.clone())),
        _ => None,
    });
    known.chain(found).collect()
}

fn entry(inputs: &Inputs<'_>, intent: &Intent, live: &Live) -> Option<Entry> {
    let Live::Settled { id, .. } = live else { return None };
    Some(Entry {
        kind: intent.kind.clone(),
        id: id.clone(),
        status: Status::Incomplete,
        applied: Value::Map(Map::new()),
        former: None,
        etag: None,
        protected: false,
        adopted: false,
        dependencies: parents(inputs, &intent.kind),
        tag: intent.tag.clone(),
        deposed: vec![],
        made_by: Some(intent.caller.clone()).filter(|c| !c.is_empty()),
        called: None,
        before: None,
    })
}

/// An intent does not say what its object is part of: everything of a parent's kind may be, and is deleted later.
fn parents(inputs: &Inputs<'_>, kind: &str) -> Vec<Address> {
    let Some(kind) = inputs.registry.get(kind) else { return vec![] };
    let is_parent = |address: &&Address| kind.parents.iter().any(|parent| parent.kind == address.kind);
    inputs.state.resources.keys().chain(inputs.state.open_intents.keys()).filter(is_parent).cloned().collect()
}
