//! What users, groups and service principals have in common: the operations of a SCIM patch.
//!
//! The normal form of a body is the API's own (`userName`, `entitlements: [{value: ..}]`): JSON copied from the API works as it
//! is, and what is compared, kept and sent is one form. The words that other tools use (`user_name`) are spellings of it.

use super::call::{Call, Repeat};
use super::{Calls, Change, Op, Path, Refusal, Step, Value, View};
use crate::model::Map;

/// The schema that every patch names.
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Lists of `{value: ..}` that YAML may also write as a list of names.
const NAMES: &[&str] = &["entitlements", "roles"];

/// Entitlements and roles as lists of names, written out.
pub(super) fn normal(body: Value) -> Value {
    let Value::Map(mut body) = body else { return body };
    for name in NAMES {
        if let Some(Value::List(items)) = body.get_mut(*name) {
            for item in items.iter_mut().filter(|item| !matches!(item, Value::Map(_))) {
                *item = Value::map([("value", std::mem::replace(item, Value::Null))]);
            }
        }
    }
    Value::Map(body)
}

/// Live without what groups lend: only an object's own entitlements and roles are compared, and of each its name.
pub(super) fn view(view: &View<'_>) -> Value {
    let Value::Map(mut body) = view.live.clone() else { return view.live.clone() };
    for name in NAMES {
        if let Some(list) = body.get(*name).map(own) {
            body.insert((*name).to_owned(), Value::List(list));
        }
    }
    Value::Map(body)
}

/// The items of a list that are not lent by a group, each as its value alone.
fn own(list: &Value) -> Vec<Value> {
    let items = list.as_list().unwrap_or_default().iter();
    let direct = items.filter(|item| item.get("type").and_then(Value::as_str) != Some("indirect"));
    direct.filter_map(|item| Some(Value::map([("value", item.get("value")?.clone())]))).collect()
}

/// Each name of a list once, and each item with one.
pub(super) fn check(body: &Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    for name in NAMES {
        let mut before: Vec<&Value> = Vec::new();
        for (i, item) in body.get(name).and_then(Value::as_list).unwrap_or_default().iter().enumerate() {
            let path = Path::field(*name).join(Step::Index(i));
            match item.get("value") {
                None => found.push(Refusal { path, reason: "an item is a name, or `{value: NAME}`".to_owned() }),
                Some(value) if before.contains(&value) => {
                    found.push(Refusal { path, reason: format!("`{}` is listed twice", value.key_text()) });
                }
                Some(value) => before.push(value),
            }
        }
    }
    found
}

/// The operations that bring the changed fields to what is wanted, as one patch.
pub(super) fn patch(change: &Change<'_>, op: Op) -> Calls {
    let mut names: Vec<&str> = Vec::new();
    for name in change.paths.iter().filter_map(Path::first_field) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut operations = Vec::new();
    for name in names {
        match change.desired.get(name).filter(|v| **v != Value::Null) {
            wanted if NAMES.contains(&name) => operations.extend(listed(name, change, wanted)),
            Some(wanted) => operations.push(operation("replace", name, Some(wanted.clone()))),
            None if name == "externalId" => operations.push(operation("remove", name, None)),
            None if name == "active" => operations.push(operation("replace", name, Some(Value::Bool(true)))),
            None => {
                let reason = format!("`{name}` cannot be unset, because the API has no way to clear it: write the value you want");
                return Err(Refusal { path: Path::field(name), reason });
            }
        }
    }
    let only_name = matches!(operations.as_slice(), [one] if one.get("path").and_then(Value::as_str) == Some("displayName"));
    Ok(sent(op, change.id, operations, if only_name { "rename" } else { "update" }).into_iter().collect())
}

/// Names to add and names to take away. Inherited ones are nobody's here.
fn listed(name: &str, change: &Change<'_>, wanted: Option<&Value>) -> Vec<Value> {
    let values = |list: Vec<Value>| list.into_iter().filter_map(|i| i.get("value").cloned()).collect::<Vec<_>>();
    let wanted = values(wanted.map(own).unwrap_or_default());
    let held = values(change.live.or(change.applied).and_then(|l| l.get(name)).map(own).unwrap_or_default());
    let added: Vec<Value> = wanted.iter().filter(|w| !held.contains(w)).map(|w| Value::map([("value", w.clone())])).collect();
    let removed = held.iter().filter(|h| !wanted.contains(h)).map(|h| operation("remove", &item(name, h), None));
    let add = (!added.is_empty()).then(|| operation("add", name, Some(Value::List(added))));
    removed.chain(add).collect()
}

/// The path of one item of a list.
pub(super) fn item(list: &str, value: &Value) -> String {
    let text = value.key_text().replace('\\', "\\\\").replace('"', "\\\"");
    format!("{list}[value eq \"{text}\"]")
}

/// One operation.
pub(super) fn operation(op: &str, path: &str, value: Option<Value>) -> Value {
    let mut operation = Map::new();
    operation.insert("op".to_owned(), Value::text(op));
    operation.insert("path".to_owned(), Value::text(path));
    operation.extend(value.map(|v| ("value".to_owned(), v)));
    Value::Map(operation)
}

/// The patch of the object with this id; none without operations.
pub(super) fn sent(op: Op, id: &Value, operations: Vec<Value>, why: &'static str) -> Option<Call> {
    if operations.is_empty() {
        return None;
    }
    let body = Value::map([("schemas", Value::List(vec![PATCH.into()])), ("Operations", Value::List(operations))]);
    let path = Map::from_iter([("id".to_owned(), id.clone())]);
    Some(Call { op, path, query: Map::new(), body: Some(body), why, repeat: Repeat::Safe })
}
