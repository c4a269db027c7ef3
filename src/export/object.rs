//! A live object as YAML that a person would have written.

use std::collections::BTreeMap;

use super::accept::tidy;
use super::spaces;
use crate::kinds::{Kind, Schema};
use crate::model::{Address, Map, Value};
use crate::project::Resource;

/// The body of an object as YAML says it: without what only the workspace fills or chooses, ids of declared objects as
/// references.
#[must_use]
pub fn body(kind: &'static Kind, live: &Value, ids: &BTreeMap<String, Address>) -> Value {
    let tag = kind.tag.map(|crate::kinds::Tag::Map(field)| field);
    let mut body = tidy(Some(Schema::of(kind).root()), live);
    if let Some(map) = body.as_map_mut() {
        let known = |name: &String| Schema::of(kind).root().field(name).is_some();
        map.retain(|name, _| known(name));
        if let Some(Value::Map(tags)) = tag.and_then(|t| map.get_mut(t)) {
            tags.shift_remove(crate::diff::OWNERSHIP_TAG);
        }
        map.retain(|name, value| Some(name.as_str()) != tag || !value.is_zero());
    }
    referred(&body, ids)
}

/// The same, with what the kind misses in it: fields that the server would choose, where it says that one of them must be
/// chosen (a cluster's node type, where it lies that an external volume has its files).
#[must_use]
pub fn whole(kind: &'static Kind, live: &Value, ids: &BTreeMap<String, Address>) -> Value {
    if spaces::is_one(kind) {
        return referred(&Value::Map(spaces::fields(live)), ids);
    }
    let mut found = super::twins::told_apart(kind, body(kind, live, ids));
    let Some(check) = kind.hooks.check else { return found };
    let schema = Schema::of(kind);
    let mut missing = check(&found).len();
    for (name, value) in live.as_map().into_iter().flatten() {
        if missing == 0 {
            break;
        }
        let open = schema.root().field(name).is_some_and(|f| !f.secret() && !matches!(value, Value::Null));
        if !open || found.get(name).is_some() {
            continue;
        }
        let mut more = found.clone();
        if let Some(map) = more.as_map_mut() {
            map.insert(name.clone(), referred(&tidy(schema.root().field(name), value), ids));
        }
        let left = check(&more).len();
        if left < missing {
            (found, missing) = (more, left);
        }
    }
    found
}

/// A value with ids of declared objects as references, and a literal `${` kept from being read as an expression.
#[must_use]
pub fn referred(value: &Value, ids: &BTreeMap<String, Address>) -> Value {
    match value {
        Value::Text(text) => match ids.get(text) {
            Some(address) => Value::Text(format!("${{{address}.id}}")),
            None => Value::Text(text.replace("${", "$${")),
        },
        // Jobs refer to one another by numbers; no count or time is one of these.
        Value::Int(_) | Value::UInt(_) => match ids.get(&value.key_text()) {
            Some(address) => Value::Text(format!("${{{address}.id}}")),
            None => value.clone(),
        },
        Value::List(items) => Value::List(items.iter().map(|v| referred(v, ids)).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), referred(v, ids))).collect::<Map>()),
        other => other.clone(),
    }
}

/// The longest key that a name gives.
const LONGEST: usize = 60;

/// The key that a name gives: its words in small letters, joined by `_`. `singular` (`cluster policy`) stands before what no key
/// begins with, and for what has no letter or digit.
#[must_use]
pub fn key_of(name: &str, singular: &str) -> String {
    let mut key = String::new();
    for c in name.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => key.push(c.to_ascii_lowercase()),
            _ if key.is_empty() || key.ends_with('_') => {}
            _ => key.push('_'),
        }
    }
    key.truncate(LONGEST);
    let key = key.trim_end_matches('_');
    let kind = singular.replace(' ', "_");
    match key.chars().next() {
        None => kind,
        Some(first) if first.is_ascii_digit() => format!("{kind}_{key}"),
        Some(_) => key.to_owned(),
    }
}

/// A key for an object: that of its name, of a path its last part, and none that is taken.
#[must_use]
pub fn key_for(kind: &'static Kind, live: &Value, id: &str, taken: &dyn Fn(&str) -> bool) -> String {
    let name = kind.natural.fields.last().and_then(|f| live.get(f)).map_or_else(|| id.to_owned(), Value::key_text);
    let key = key_of(if name.starts_with('/') { name.rsplit('/').next().unwrap_or_default() } else { &name }, kind.singular);
    let mut free = key.clone();
    let mut n = 2;
    while taken(&free) {
        free = format!("{key}_{n}");
        n += 1;
    }
    free
}

/// Ids that the workspace gave, by which declared objects are known: long enough to be nothing else.
#[must_use]
pub fn ids<'a>(state: &'a crate::state::Document, declared: &BTreeMap<Address, Resource>) -> BTreeMap<String, Address> {
    let given =
        |id: &&'a String| id.len() >= 8 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') && id.bytes().any(|b| b.is_ascii_digit());
    let entries = state.resources.iter().filter(|(a, e)| !a.is_facet() && declared.contains_key(a) && given(&&e.id));
    entries.map(|(a, e)| (e.id.clone(), a.clone())).collect()
}
