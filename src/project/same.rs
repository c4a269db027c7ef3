//! Resources held against one another: `depends_on`, one object declared twice, a lookup of what this project manages.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Resource;
use super::findings::Findings;
use super::load::Inner;
use crate::diagnostic::{Diagnostic, Span};
use crate::kinds::{Identity, Kind, Lifetime, Unique, plain_path};
use crate::model::{Address, Lookup, Value};
use crate::yaml::Data;

/// `depends_on`, once all addresses are known.
pub fn explicit(inner: &Inner, resources: &mut BTreeMap<Address, Resource>, findings: &mut Findings) {
    if inner.prepared.iter().all(|p| p.depends_on.is_empty()) {
        return;
    }
    let mut instances: HashMap<Address, Vec<Address>> = HashMap::new();
    for address in resources.keys() {
        instances.entry(Address { instance: None, ..address.clone() }).or_default().push(address.clone());
    }
    for prepared in &inner.prepared {
        let mut needed = BTreeSet::new();
        for (on, span) in &prepared.depends_on {
            let all = if on.instance.is_some() { None } else { instances.get(on) };
            match all {
                Some(all) => needed.extend(all.iter().cloned()),
                None if resources.contains_key(on) => {
                    needed.insert(on.clone());
                }
                None if inner.find(&on.kind, &on.key).is_none() && !inner.incomplete => findings.add(no_such(on, span, inner)),
                None => {} // its `when` is false
            }
        }
        let own = Address::new(prepared.kind.name, &prepared.key);
        for address in instances.get(&own).into_iter().flatten().filter(|_| !needed.is_empty()) {
            if let Some(resource) = resources.get_mut(address) {
                let before: BTreeSet<Address> = resource.depends_on.drain(..).collect();
                resource.depends_on = before.union(&needed).cloned().collect();
            }
        }
    }
}

fn no_such(on: &Address, span: &Span, inner: &Inner) -> Diagnostic {
    let keys = inner.prepared.iter().filter(|p| p.kind.name == on.kind).map(|p| p.key.as_str());
    let found = Diagnostic::error("E0119", format!("there is no {on} to depend on")).at(span, "");
    match crate::diagnostic::suggest::nearest(&on.key, keys) {
        Some(near) => found.help(format!("did you mean `{}`?", Address::new(&on.kind, near))),
        None => found,
    }
}

/// One object declared twice, or one setting of a singleton in two resources.
pub fn same_object(resources: &BTreeMap<Address, Resource>, findings: &mut Findings) {
    let mut seen: HashMap<(&str, String), &Resource> = HashMap::new();
    for resource in resources.values() {
        let keys: Vec<(String, Span)> = match resource.kind.identity {
            Identity::Single(_) => {
                let Data::Map(entries) = &resource.node.data else { continue };
                entries.iter().map(|e| (e.key.clone(), e.key_span.clone())).collect()
            }
            _ if resource.kind.unique_in.is_some() => named_within(resource).into_iter().map(|key| (key, resource.span.clone())).collect(),
            _ if resource.kind.natural.unique == Unique::No && resource.kind.lifetime == Lifetime::Own => continue,
            _ if resource.natural.is_empty() || resource.natural.iter().any(|n| n.is_empty() || n == "(known after apply)") => continue,
            _ => vec![(resource.natural.join(joint(resource.kind)), resource.span.clone())],
        };
        for (key, span) in keys {
            let Some(first) = seen.insert((resource.kind.name, key.clone()), resource) else { continue };
            let single = matches!(resource.kind.identity, Identity::Single(_));
            let message = if single {
                format!("`{key}` is set by {} and by {}", first.address, resource.address)
            } else if resource.kind.unique_in.is_some() {
                format!("{} and {} would both be called {key}, which only one can be", first.address, resource.address)
            } else {
                format!("{} and {} are the same object: {key}", first.address, resource.address)
            };
            let first_span = if single { first.node.entry(&key).map_or(&first.span, |e| &e.key_span) } else { &first.span };
            findings.add(Diagnostic::error("E0121", message).at(&span, "declared here").at(first_span, "and here"));
        }
    }
}

/// The name of an object together with what it is unique in; none where that is not known yet.
fn named_within(resource: &Resource) -> Option<String> {
    let name = resource.natural.join(".");
    if name.is_empty() || resource.natural.iter().any(|n| n == "(known after apply)") {
        return None;
    }
    match resource.body.get(resource.kind.unique_in?) {
        None => Some(format!("`{name}` in the home of whoever applies")),
        Some(Value::Text(path)) => Some(format!("`{name}` in {}", plain_path(path))),
        Some(_) => None,
    }
}

/// What joins the parts of a kind's names.
fn joint(kind: &Kind) -> &'static str {
    if let Identity::Named { join, .. } = kind.identity { join } else { "." }
}

/// A lookup of something that this project manages would find it only after it was created.
pub fn managed_lookups(lookups: &[(Lookup, Span)], resources: &BTreeMap<Address, Resource>, findings: &mut Findings) {
    if lookups.is_empty() {
        return;
    }
    let mut managed: HashMap<(&str, String), &Address> = HashMap::new();
    for resource in resources.values().filter(|r| !r.address.is_facet()) {
        managed.insert((resource.kind.name, resource.natural.join(".")), &resource.address);
    }
    for (lookup, span) in lookups {
        if let Some(address) = managed.get(&(lookup.kind.as_str(), lookup.name.clone())) {
            findings.add(
                Diagnostic::error("E0212", format!("`{}` is managed by this project as {address}", lookup.name))
                    .at(span, "looked up here")
                    .help(format!("use `${{{address}.id}}`")),
            );
        }
    }
}
