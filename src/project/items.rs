//! What there is to resolve: an item for each resource, or for each instance of a `for_each`, and where `when` is false.

use std::collections::BTreeSet;

use super::scope::{In, Item, Resolver, is_poison, tree};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Address, Value};
use crate::yaml::Node;

/// Makes the items: one for each resource, or for each instance of a `for_each`.
pub fn expand(resolver: &mut Resolver<'_>) {
    let inner = resolver.inner;
    for (of, prepared) in inner.prepared.iter().enumerate() {
        if prepared.for_each.is_none() {
            let address = Address::new(prepared.kind.name, &prepared.key);
            resolver.places.insert((of, None), resolver.items.len());
            resolver.items.push(Item { of, address, each: None, off: None });
        }
    }
    let plain = resolver.items.len();
    for item in 0..plain {
        resolver.items[item].off = off(resolver, item);
    }
    resolver.expanding.set(true);
    let mut made = Vec::new();
    for (of, prepared) in inner.prepared.iter().enumerate() {
        let Some(node) = &prepared.for_each else { continue };
        for (key, value) in instances(resolver, node) {
            let address = Address { instance: Some(key.clone()), ..Address::new(prepared.kind.name, &prepared.key) };
            let each = Value::map([("key", Value::text(key)), ("value", value)]);
            made.push(Item { of, address, each: Some(each), off: None });
        }
    }
    for item in made {
        resolver.places.insert((item.of, item.address.instance.clone()), resolver.items.len());
        resolver.items.push(item);
    }
    for item in plain..resolver.items.len() {
        resolver.items[item].off = off(resolver, item);
    }
    resolver.expanding.set(false);
}

/// The keys and values of a `for_each`: a map, or a list of distinct strings.
fn instances(resolver: &Resolver<'_>, node: &Node) -> Vec<(String, Value)> {
    let scope = In { resolver, each: None, with_resources: true };
    let wrong = |message: String| {
        resolver
            .report(Diagnostic::error("E0127", message).at(&node.span, "").help("`for_each` takes a map, or a list of distinct strings"));
        Vec::new()
    };
    match tree(node, &scope) {
        value if value.any(&is_poison) => Vec::new(),
        Value::Map(map) => map.into_iter().collect(),
        Value::List(items) => {
            let mut keys = BTreeSet::new();
            let mut made = Vec::new();
            for item in items {
                match item {
                    Value::Text(text) if keys.insert(text.clone()) => made.push((text.clone(), Value::Text(text))),
                    Value::Text(text) => return wrong(format!("`for_each` has `{text}` twice")),
                    other => return wrong(format!("`for_each` has an item that is {}", other.sort())),
                }
            }
            made
        }
        Value::Unknown(_) | Value::Secret(_) => wrong("`for_each` must be known when it is planned".to_owned()),
        other => wrong(format!("`for_each` is {}", other.sort())),
    }
}

/// Where `when` is false; an error counts as true.
fn off(resolver: &Resolver<'_>, item: usize) -> Option<Span> {
    let node = resolver.prepared(item).when.as_ref()?;
    let each = resolver.items[item].each.clone();
    let value = tree(node, &In { resolver, each: each.as_ref(), with_resources: true });
    if value.any(&is_poison) {
        return None;
    }
    match value {
        Value::Bool(on) => (!on).then(|| node.span.clone()),
        other => {
            let message = match &other {
                Value::Unknown(_) | Value::Secret(_) => format!("`when` must be known when it is planned, and this is {}", other.sort()),
                _ => format!("`when` must give true or false, not {}", other.sort()),
            };
            resolver.report(Diagnostic::error("E0118", message).at(&node.span, ""));
            None
        }
    }
}
