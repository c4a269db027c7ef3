//! Dependencies between resources: literals equal to natural keys, and cycles.

use std::collections::{BTreeMap, HashMap};

use super::Resource;
use super::findings::Findings;
use crate::diagnostic::Diagnostic;
use crate::kinds::Registry;
use crate::model::{Address, Value};

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
            let mut find = |text: &str| {
                if let Some(found) = named.get(&(kind.name, text.to_owned()))
                    && found != address
                {
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
    for (address, on) in more {
        if let Some(resource) = resources.get_mut(&address)
            && !resource.depends_on.contains(&on)
        {
            resource.depends_on.push(on);
            resource.depends_on.sort();
        }
    }
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
