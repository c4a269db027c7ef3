//! Dependencies between resources: literals equal to natural keys, and cycles.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Resource;
use super::findings::Findings;
use super::references::sole_reference;
use crate::diagnostic::{Diagnostic, Span};
use crate::kinds::{Fact, Field, Registry, Schema, folders, is_path, natural_text, plain_path};
use crate::model::{Address, Value};
use crate::yaml::Node;

/// Adds dependencies on resources that a field names by their natural key (`catalog_name: main`).
pub fn literals(resources: &mut BTreeMap<Address, Resource>, registry: &Registry) {
    let mut named: HashMap<(&'static str, String), Address> = HashMap::new();
    for (address, resource) in resources.iter() {
        if !address.is_facet() {
            named.entry((resource.kind.name, resource.natural.join("."))).or_insert_with(|| address.clone());
        }
    }
    let mut more: Vec<(Address, Address)> = Vec::new();
    for (address, resource) in resources.iter() {
        for parent in resource.kind.parents {
            let Some(kind) = registry.get(parent.kind) else { continue };
            let around = kind.natural.fields.split_last().map_or(&[][..], |(_, around)| around);
            let around: Vec<String> = around.iter().filter_map(|field| resource.body.get(field)).map(Value::key_text).collect();
            let mut find = |text: &str| {
                let last = kind.natural.fields.last().copied().unwrap_or_default();
                let name = natural_text(kind, last, &Value::from(text));
                // What lies in a folder hangs on it, however deep.
                let folders = is_path(kind, last).then(|| folders(text).map(str::to_owned));
                let names = std::iter::once(name).chain(folders.into_iter().flatten());
                let full = |name: String| (kind.name, around.iter().cloned().chain([name]).collect::<Vec<_>>().join("."));
                if let Some(found) = names.filter_map(|name| named.get(&full(name))).find(|found| *found != address) {
                    more.push((address.clone(), found.clone()));
                }
            };
            match resource.body.get(parent.field) {
                Some(Value::Text(text)) => find(text),
                Some(Value::List(items)) => items.iter().filter_map(Value::as_str).for_each(find),
                _ => {}
            }
        }
    }
    for (address, resource) in resources.iter() {
        let mut paths = Vec::new();
        paths_named(Some(Schema::of(resource.kind).root()), &resource.body, &mut paths);
        let found = paths.iter().flat_map(|(kinds, path)| kinds.iter().filter_map(|kind| named.get(&(*kind, path.clone()))));
        more.extend(found.filter(|found| *found != address).map(|found| (address.clone(), found.clone())));
        more.extend(around_objects(resource, &named).into_iter().map(|on| (address.clone(), on)));
    }
    for (address, on) in more {
        if let Some(resource) = resources.get_mut(&address)
            && !resource.depends_on.contains(&on)
        {
            resource.depends_on.push(on);
            resource.depends_on.sort();
        }
    }
}

/// Paths of objects that a body names anywhere, with the kinds that they may be of.
fn paths_named(field: Option<Field<'_>>, value: &Value, found: &mut Vec<(&'static [&'static str], String)>) {
    let Some(field) = field else { return };
    match value {
        Value::Text(text) => {
            let kinds = field.facts().filter_map(|fact| if let Fact::PathOf(kinds) = fact { Some(*kinds) } else { None });
            found.extend(kinds.map(|kinds| (kinds, plain_path(text).to_owned())));
        }
        Value::List(items) => items.iter().for_each(|item| paths_named(field.item(), item, found)),
        Value::Map(map) => map.iter().for_each(|(name, value)| paths_named(field.field(name), value, found)),
        _ => {}
    }
}

/// The declared schemas, else catalogs, that named tables and functions lie in.
fn around_objects(resource: &Resource, named: &HashMap<(&'static str, String), Address>) -> Vec<Address> {
    let mut found = Vec::new();
    for objects in resource.kind.names_objects {
        for name in objects.items(&resource.body).iter().filter_map(|item| item.get(objects.member)?.as_str()) {
            let name = name.replace('`', "").to_lowercase();
            let [catalog, schema, _] = name.split('.').collect::<Vec<_>>()[..] else { continue };
            let schema = named.get(&("schemas", format!("{catalog}.{schema}")));
            found.extend(schema.or_else(|| named.get(&("catalogs", catalog.to_owned()))).cloned());
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Reports groups that contain one another, each circle once. An edge is a member that is a reference to another group's id.
pub fn nesting(resources: &BTreeMap<Address, Resource>, findings: &mut Findings) {
    let mut inside: BTreeMap<Address, Vec<(Address, Span)>> = BTreeMap::new();
    for resource in resources.values().filter(|r| r.kind.nests.is_some()) {
        let whole = if resource.address.is_facet() {
            Some(resource.address.parent())
        } else {
            resource.body.get(resource.kind.natural.fields[0]).and_then(sole_reference).map(|r| r.address.clone())
        };
        let Some(whole) = whole else { continue };
        let nodes = resource.node.get("entries").map(Node::items).unwrap_or_default();
        for (i, entry) in resource.body.get("entries").and_then(Value::as_list).unwrap_or_default().iter().enumerate() {
            let Some(member) = entry.get("value").and_then(sole_reference).filter(|r| Some(r.address.kind.as_str()) == resource.kind.nests)
            else {
                continue;
            };
            let span = nodes.get(i).map_or(&resource.span, |n| &n.span);
            inside.entry(whole.clone()).or_default().push((member.address.clone(), span.clone()));
        }
    }
    let mut done: BTreeSet<&Address> = BTreeSet::new();
    for start in inside.keys() {
        let mut way: Vec<(&Address, usize)> = vec![(start, 0)];
        while let Some((address, next)) = way.last_mut() {
            let edge = inside.get(*address).filter(|_| !done.contains(*address)).and_then(|e| e.get(*next));
            *next += 1;
            let Some((member, _)) = edge else {
                done.insert(*address);
                way.pop();
                continue;
            };
            match way.iter().position(|(a, _)| *a == member) {
                Some(begin) => findings.add(circle(&way[begin..], &inside)),
                None => way.push((member, 0)),
            }
        }
    }
}

fn circle(way: &[(&Address, usize)], inside: &BTreeMap<Address, Vec<(Address, Span)>>) -> Diagnostic {
    let names: Vec<String> = way.iter().chain(way.first()).map(|(a, _)| a.to_string()).collect();
    let found = Diagnostic::error("E0120", format!("groups are members of one another in a circle: {}", names.join(" → ")));
    let edges = way.iter().filter_map(|(a, next)| inside.get(*a)?.get(next.checked_sub(1)?));
    let found = edges.fold(found, |found, (member, span)| found.at(span, format!("{member} is a member here")));
    found.help("take one of them away: a group cannot contain itself, also not through others")
}

/// Where a walk stands with an address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Open,
    Done,
}

/// Reports every cycle once, as its path with places.
pub fn cycles(resources: &BTreeMap<Address, Resource>, findings: &mut Findings) {
    let mut marks: HashMap<&Address, Mark> = HashMap::new();
    for start in resources.keys() {
        if marks.contains_key(start) {
            continue;
        }
        // The way from the start, each with the number of its next dependency.
        let mut way: Vec<(&Address, usize)> = vec![(start, 0)];
        marks.insert(start, Mark::Open);
        while let Some((address, next)) = way.last_mut() {
            let dependency = resources.get(*address).and_then(|r| r.depends_on.get(*next));
            *next += 1;
            let Some(dependency) = dependency else {
                marks.insert(*address, Mark::Done);
                way.pop();
                continue;
            };
            let Some((dependency, _)) = resources.get_key_value(dependency) else { continue };
            match marks.get(dependency) {
                Some(Mark::Done) => {}
                Some(Mark::Open) => findings.add(cycle(&way, dependency, resources)),
                None => {
                    marks.insert(dependency, Mark::Open);
                    way.push((dependency, 0));
                }
            }
        }
    }
}

fn cycle(way: &[(&Address, usize)], again: &Address, resources: &BTreeMap<Address, Resource>) -> Diagnostic {
    let begin = way.iter().position(|(a, _)| *a == again).unwrap_or_default();
    let members: Vec<&Address> = way[begin..].iter().map(|(a, _)| *a).collect();
    let names: Vec<String> = members.iter().chain([&again]).map(ToString::to_string).collect();
    let mut found = Diagnostic::error("E0120", format!("resources depend on one another in a circle: {}", names.join(" → ")));
    for (i, member) in members.iter().enumerate() {
        if let Some(resource) = resources.get(*member) {
            found = found.at(&resource.span, format!("depends on {}", names[i + 1]));
        }
    }
    found.help("take one of the references or `depends_on` away")
}
