//! The parts of a live object as YAML: who may use it, who is in it, what is installed on it.

use crate::kinds::{Context, Facet, From, Identity, View};
use crate::model::{Map, Value};

/// Which object's part it is, and how it is asked for.
#[must_use]
pub fn bound(facet: &Facet, id: &str, parent: &Value) -> Value {
    Value::map(facet.bind.iter().filter_map(|(field, from)| {
        let value = match from {
            From::Text(text) => Some(Value::text(*text)),
            From::Id => Some(Value::text(id)),
            From::Field(name) => parent.get(name).cloned(),
        };
        Some((*field, value?))
    }))
}

/// The id of a part; none where the object does not say what it is made of.
#[must_use]
pub fn id_of(facet: &Facet, bound: &Value) -> Option<String> {
    let Identity::Named { parts, join, .. } = facet.kind.identity else { return None };
    let parts: Option<Vec<String>> = parts.iter().map(|part| bound.get(part).map(Value::key_text)).collect();
    Some(parts?.join(join))
}

/// What YAML would say of a part to keep it as it is: without what is inherited, and without what stays whatever YAML says (the
/// owner, the deployer). None where nothing is left to say.
#[must_use]
pub fn entries(facet: &Facet, bound: &Value, live: &Value, parent: &Value, deployer: Option<&str>) -> Option<Value> {
    let mut desired = bound.as_map().cloned().unwrap_or_default();
    desired.insert(facet.body.to_owned(), Value::List(vec![]));
    let context = Context { deployer, parent: Some(parent), maker: None, exclusive: true, called: None };
    let view = View { live, desired: &Value::Map(desired), applied: None, context: &context };
    let seen = facet.kind.hooks.view.map_or_else(|| live.clone(), |hook| hook(&view));
    if facet.is_map() {
        return seen.get(facet.body).filter(|map| map.as_map().is_some_and(|map| !map.is_empty())).cloned();
    }
    let items = seen.get(facet.body)?.as_list()?;
    let items: Vec<Value> = items.iter().map(plain).collect();
    if items.is_empty() { None } else { Some(Value::List(items)) }
}

/// An entry without what it does not set.
fn plain(item: &Value) -> Value {
    match item {
        Value::Map(map) => Value::Map(map.iter().filter(|(_, v)| **v != Value::Null).map(|(k, v)| (k.clone(), v.clone())).collect::<Map>()),
        other => other.clone(),
    }
}
