//! Resolved resources as YAML that reads back, and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as FilePath;
use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json, json};

use super::json::value as json_value;
use super::outputs::safe;
use crate::kinds::Lifetime;
use crate::model::{Address, Deferred, Map, Value};
use crate::project::expression::spelled;
use crate::project::{Lifecycle, Resource};
use crate::yaml::emit_entry;

/// The format of the JSON; changes only when a reader of the old one would be misled.
pub const FORMAT: &str = "brickform.render/1";

/// YAML: kinds and keys in order, parts at their object. What waits is written as the expression that it waits for, with
/// a comment; instances of a `for_each` become resources of their own.
///
/// `unsaid` are the dependencies that the values do not show, `folder` is the project's. Folders that nobody declares are left
/// out: they are declared along with what is in them.
#[must_use]
pub fn yaml(
    environment: &str,
    resources: &BTreeMap<Address, Resource>,
    only: &[Address],
    unsaid: &BTreeMap<Address, Vec<Address>>,
    folder: &FilePath,
) -> String {
    let mut out = format!("# environment {environment}, everything resolved that is known before a workspace is asked\n");
    let renamed = renamed(resources);
    let mut kind = "";
    let told = |a: &Address| only.is_empty() || only.iter().any(|o| covers(o, a));
    let said = resources.iter().filter(|(a, r)| !r.is_implied() && (told(a) || told(&a.parent())));
    out.push_str(&super::needed::told(said.map(|(_, r)| &r.body), folder));
    let wanted = |address: &Address| only.is_empty() || only.iter().any(|o| covers(o, address));
    for (address, resource) in resources.iter().filter(|(a, r)| !a.is_facet() && !r.is_implied()) {
        let mut body = if wanted(address) { resource.body.as_map().cloned().unwrap_or_default() } else { Map::new() };
        let parts = resources.iter().filter(|(a, _)| a.is_facet() && a.parent() == *address);
        for (part, held) in parts.filter(|(a, _)| wanted(a) || wanted(address)) {
            body.insert(part.facet.clone().unwrap_or_default(), part_body(resource, held));
        }
        if !wanted(address) && body.iter().next().is_none() {
            continue;
        }
        meta(&resource.lifecycle, &mut body);
        let needs = unsaid.get(address).into_iter().flatten().filter(|on| wanted(address) && !is_left_out(resources, on));
        let needs: Vec<Value> = needs.map(|on| Value::text(called(&renamed, &on.parent()).to_string())).collect();
        if !needs.is_empty() {
            body.insert("depends_on".to_owned(), Value::List(needs));
        }
        if kind != address.kind {
            out.push_str(&format!("{}{}:\n", if kind.is_empty() { "" } else { "\n" }, address.kind));
            kind = &address.kind;
        }
        out.push_str(&format!("  # {address}, {}\n", resource.span.cite()));
        out.push_str(&commented(&emit_entry(&called(&renamed, address).key, &respelled(&Value::Map(body), &renamed), 2)));
    }
    out
}

fn covers(given: &Address, address: &Address) -> bool {
    given == address
        || (given.facet.is_none() && *given == address.parent())
        || (given.instance.is_none()
            && given.kind == address.kind
            && given.key == address.key
            && (given.facet.is_none() || given.facet == address.facet))
}

/// What instances of a `for_each` are called as resources of their own: by a key that nothing else of the kind has.
fn renamed(resources: &BTreeMap<Address, Resource>) -> BTreeMap<Address, Address> {
    let whole = || resources.keys().filter(|a| !a.is_facet());
    let mut taken: BTreeSet<Address> = whole().filter(|a| a.instance.is_none()).cloned().collect();
    let mut names = BTreeMap::new();
    for (address, instance) in whole().filter_map(|a| Some((a, a.instance.as_ref()?))) {
        let plain = safe(&format!("{}_{instance}", address.key));
        let keys = std::iter::once(plain.clone()).chain((2_u32..).map(|n| format!("{plain}_{n}")));
        let mut free = keys.map(|key| Address::new(&address.kind, &key)).filter(|name| !taken.contains(name));
        if let Some(name) = free.next() {
            taken.insert(name.clone());
            names.insert(address.clone(), name);
        }
    }
    names
}

/// What an address is called, parts by their object.
fn called(renamed: &BTreeMap<Address, Address>, address: &Address) -> Address {
    match renamed.get(&address.parent()) {
        Some(name) => Address { facet: address.facet.clone(), ..name.clone() },
        None => address.clone(),
    }
}

fn is_left_out(resources: &BTreeMap<Address, Resource>, address: &Address) -> bool {
    resources.get(address).is_some_and(Resource::is_implied)
}

/// The same value with its expressions as they read among resources that are called so.
fn respelled(value: &Value, renamed: &BTreeMap<Address, Address>) -> Value {
    match value {
        Value::Unknown(deferred) | Value::Secret(deferred) => {
            let source = spelled(deferred, &|address| called(renamed, address));
            Value::Unknown(Arc::new(Deferred { source, ..Deferred::clone(deferred) }))
        }
        Value::List(items) => Value::List(items.iter().map(|item| respelled(item, renamed)).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), respelled(v, renamed))).collect()),
        known => known.clone(),
    }
}

/// A part as it is written at its object: its list where that is all, without what the object gives.
fn part_body(parent: &Resource, part: &Resource) -> Value {
    let Some(facet) = parent.kind.facets.iter().find(|f| Some(f.name) == part.address.facet.as_deref()) else { return part.body.clone() };
    let bound = |name: &String| facet.bind.iter().any(|(field, _)| field == name);
    let own: Map =
        part.body.as_map().map(|m| m.iter().filter(|(k, _)| !bound(k)).map(|(k, v)| (k.clone(), v.clone())).collect()).unwrap_or_default();
    match own.iter().next() {
        Some((name, list)) if name == facet.body && own.iter().count() == 1 => list.clone(),
        None => Value::List(vec![]),
        _ => Value::Map(own),
    }
}

/// `lifecycle:` where it says something.
fn meta(lifecycle: &Lifecycle, body: &mut Map) {
    let mut held = Map::new();
    held.extend(lifecycle.prevent_destroy.map(|on| ("prevent_destroy".to_owned(), Value::Bool(on))));
    for (name, on) in [
        ("create_before_destroy", lifecycle.create_before_destroy),
        ("allow_duplicate_name", lifecycle.allow_duplicate_name),
        ("exclusive", lifecycle.exclusive),
        ("merge", lifecycle.merge),
    ] {
        if on {
            held.insert(name.to_owned(), Value::Bool(true));
        }
    }
    if lifecycle.adopt_by_name {
        held.insert("adopt".to_owned(), Value::text("by_name"));
    }
    if lifecycle.wait {
        held.insert("wait".to_owned(), Value::text("running"));
    }
    if !lifecycle.ignore_changes.is_empty() {
        let paths = lifecycle.ignore_changes.iter().map(|p| Value::text(p.to_string())).collect();
        held.insert("ignore_changes".to_owned(), Value::List(paths));
    }
    if held.iter().next().is_some() {
        body.insert("lifecycle".to_owned(), Value::Map(held));
    }
}

/// Says beside each expression that is left why it is.
fn commented(yaml: &str) -> String {
    let mut out = String::with_capacity(yaml.len());
    for line in yaml.lines() {
        out.push_str(line);
        let left = line.match_indices("${").any(|(at, _)| !line[..at].ends_with('$'));
        if left && line.trim_end().ends_with('"') {
            let why = if line.contains("secret(") || line.contains("${var.") {
                "a secret"
            } else if line.contains("lookup(") {
                "(lookup)"
            } else {
                "(known after apply)"
            };
            out.push_str(&format!("  # {why}"));
        }
        out.push('\n');
    }
    out
}

/// JSON: by address, parts too.
#[must_use]
pub fn json(environment: &str, resources: &BTreeMap<Address, Resource>, only: &[Address]) -> String {
    let wanted = resources.iter().filter(|(a, _)| only.is_empty() || only.iter().any(|o| covers(o, a)));
    let list: JsonMap<String, Json> = wanted
        .map(|(address, r)| {
            let lifetime = match r.kind.lifetime {
                Lifetime::Own => "own",
                Lifetime::Attached => "attached",
                Lifetime::Setting => "setting",
            };
            let told = json!({
                "kind": r.kind.name, "name": r.natural, "lifetime": lifetime, "declared": r.span.cite(),
                "depends_on": r.depends_on, "body": json_value(&r.body),
            });
            (address.to_string(), told)
        })
        .collect();
    format!("{:#}\n", json!({ "format": FORMAT, "environment": environment, "resources": list }))
}

#[cfg(test)]
mod tests {
    use super::commented;

    #[test]
    fn what_is_left_says_why() {
        for (line, want) in [
            ("  id: \"${jobs.a.id}\"", "  id: \"${jobs.a.id}\"  # (known after apply)"),
            ("  t: \"${secret(\\\"T\\\")}\"", "  t: \"${secret(\\\"T\\\")}\"  # a secret"),
            ("  w: \"${lookup(\\\"warehouses\\\", \\\"x\\\").id}\"", "  w: \"${lookup(\\\"warehouses\\\", \\\"x\\\").id}\"  # (lookup)"),
            ("  l: \"$${HOME}\"", "  l: \"$${HOME}\""),
            ("  n: plain", "  n: plain"),
        ] {
            assert_eq!(commented(line), format!("{want}\n"));
        }
    }
}
