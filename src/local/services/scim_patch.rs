//! SCIM's PATCH: `add`, `remove` and `replace`, with paths such as `members[value eq "ID"]`.

use crate::local::answer::Refusal;
use crate::local::services::scim::{Filter, refuse};
use crate::model::{Map, Value};

/// Attributes that are lists of `{value: ..}`; an item is known by its value.
const LISTS: &[&str] = &["members", "entitlements", "roles", "emails"];

/// Carries out operations, one after the other.
///
/// # Errors
/// 400: an operation is not understood.
pub fn patch(resource: &mut Map, operations: &[Value]) -> Result<(), Refusal> {
    if operations.is_empty() {
        return Err(refuse(400, "Operations must not be empty."));
    }
    operations.iter().try_for_each(|operation| one(resource, operation))
}

fn one(resource: &mut Map, operation: &Value) -> Result<(), Refusal> {
    let op = operation.get("op").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let path = operation.get("path").and_then(Value::as_str).unwrap_or_default();
    let value = operation.get("value");
    let target = Target::read(path)?;
    match (op.as_str(), target, value) {
        ("add" | "replace", None, Some(Value::Map(members))) => {
            for (name, value) in members {
                put(resource, name, value, op == "replace");
            }
            Ok(())
        }
        ("add" | "replace", Some(Target { attribute, filter: None }), Some(value)) => {
            put(resource, &attribute, value, op == "replace");
            Ok(())
        }
        ("remove", Some(target), value) => {
            remove(resource, &target, value);
            Ok(())
        }
        ("add" | "replace", _, None) => Err(refuse(400, format!("Operation {op} needs a value."))),
        ("remove", None, _) => Err(refuse(400, "Operation remove needs a path.")),
        _ => Err(refuse(400, format!("Operation '{op}' with path '{path}' is not supported."))),
    }
}

/// Where an operation acts.
struct Target {
    attribute: String,
    filter: Option<Filter>,
}

impl Target {
    /// None: the resource itself.
    fn read(path: &str) -> Result<Option<Self>, Refusal> {
        let wrong = || refuse(400, format!("Invalid path: {path}"));
        let path = path.trim();
        if path.is_empty() {
            return Ok(None);
        }
        let (attribute, filter) = match path.split_once('[') {
            None => (path, None),
            Some((attribute, rest)) => (attribute, Some(Filter::read(rest.strip_suffix(']').ok_or_else(wrong)?)?)),
        };
        // Clients may write an attribute with the name of its schema before it.
        let attribute = attribute.rsplit(':').next().unwrap_or(attribute);
        Ok(Some(Self { attribute: attribute.to_owned(), filter }))
    }
}

fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.clone(),
        other => vec![other.clone()],
    }
}

/// `active` as a flag where it comes as text: the SDK's patch leaves out a false value, so its callers send `"false"`.
fn truth(name: &str, value: &Value) -> Option<Value> {
    let text = value.as_str().filter(|_| name == "active")?.to_ascii_lowercase();
    text.parse().ok().map(Value::Bool)
}

fn put(resource: &mut Map, name: &str, value: &Value, replaces: bool) {
    if !LISTS.contains(&name) {
        resource.insert(name.to_owned(), truth(name, value).unwrap_or_else(|| value.clone()));
        return;
    }
    let mut list = match resource.get(name) {
        Some(Value::List(list)) if !replaces => list.clone(),
        _ => Vec::new(),
    };
    for item in items(value) {
        if !list.iter().any(|known| known.get("value") == item.get("value")) {
            list.push(item);
        }
    }
    resource.insert(name.to_owned(), Value::List(list));
}

/// Takes away what the filter or the given values name; without either, the whole attribute. What is not there is no error.
fn remove(resource: &mut Map, target: &Target, value: Option<&Value>) {
    match resource.get_mut(&target.attribute) {
        Some(Value::List(list)) if target.filter.is_some() || value.is_some() => {
            let named: Vec<Value> = value.map(items).unwrap_or_default();
            list.retain(|item| {
                let filtered = target.filter.as_ref().is_some_and(|filter| filter.fits(item));
                !filtered && !named.iter().any(|n| n.get("value") == item.get("value"))
            });
        }
        _ => drop(resource.shift_remove(&target.attribute)),
    }
}

#[cfg(test)]
mod tests {
    use super::patch;
    use crate::model::{Value, json};

    #[test]
    fn operations() {
        for (operation, then) in [
            (
                r#"{"op":"add","path":"members","value":[{"value":"3"},{"value":"1"}]}"#,
                r#"{"n":"a","members":[{"value":"1"},{"value":"2"},{"value":"3"}]}"#,
            ),
            (r#"{"op":"Add","value":{"members":[{"value":"3"}]}}"#, r#"{"n":"a","members":[{"value":"1"},{"value":"2"},{"value":"3"}]}"#),
            (r#"{"op":"remove","path":"members[value eq \"1\"]"}"#, r#"{"n":"a","members":[{"value":"2"}]}"#),
            (r#"{"op":"remove","path":"members","value":[{"value":"2"}]}"#, r#"{"n":"a","members":[{"value":"1"}]}"#),
            (r#"{"op":"remove","path":"members"}"#, r#"{"n":"a"}"#),
            (r#"{"op":"remove","path":"members[value eq \"9\"]"}"#, r#"{"n":"a","members":[{"value":"1"},{"value":"2"}]}"#),
            (r#"{"op":"replace","path":"members","value":[{"value":"9"}]}"#, r#"{"n":"a","members":[{"value":"9"}]}"#),
            (r#"{"op":"replace","path":"n","value":"b"}"#, r#"{"n":"b","members":[{"value":"1"},{"value":"2"}]}"#),
            (r#"{"op":"replace","path":"active","value":"False"}"#, r#"{"n":"a","members":[{"value":"1"},{"value":"2"}],"active":false}"#),
            (r#"{"op":"replace","value":{"n":"b"}}"#, r#"{"n":"b","members":[{"value":"1"},{"value":"2"}]}"#),
        ] {
            let Ok(Value::Map(mut resource)) = json::parse(br#"{"n":"a","members":[{"value":"1"},{"value":"2"}]}"#) else { panic!() };
            patch(&mut resource, &[json::parse(operation.as_bytes()).unwrap()]).unwrap();
            assert_eq!(json::write(&Value::Map(resource)).unwrap(), then, "{operation}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for operation in [
            r#"{"op":"move","path":"n","value":1}"#,
            r#"{"op":"add","path":"n"}"#,
            r#"{"op":"remove"}"#,
            r#"{"op":"remove","path":"members[value"}"#,
            r#"{"op":"add","path":"members[value eq \"1\"]","value":[]}"#,
        ] {
            let refusal = patch(&mut crate::model::Map::new(), &[json::parse(operation.as_bytes()).unwrap()]).unwrap_err();
            assert_eq!(refusal.status, 400, "{operation}");
        }
        assert!(patch(&mut crate::model::Map::new(), &[]).is_err());
    }
}
