//! What is owned while nobody knows which of two bodies the workspace has: everything that either sets.

use crate::kinds::Field;
use crate::model::Value;

/// Everything that either body sets; where both do, the new one wins. Items of keyed lists are told by their keys, items of
/// sets by their values; other lists are the new one's.
pub fn either(field: Option<Field<'_>>, old: &Value, new: Value) -> Value {
    match (old, new) {
        (Value::Map(old), Value::Map(mut new)) => {
            for (key, before) in old {
                let below = field.and_then(|f| f.field(key));
                let value = match new.shift_remove(key) {
                    Some(after) => either(below, before, after),
                    None => before.clone(),
                };
                new.insert(key.clone(), value);
            }
            Value::Map(new)
        }
        (Value::List(old), Value::List(mut new)) => {
            if let Some(keys) = field.and_then(|f| f.keyed()) {
                let item = field.and_then(|f| f.item());
                let same = |a: &Value, b: &Value| keys.iter().all(|key| a.get(key).map(Value::key_text) == b.get(key).map(Value::key_text));
                for before in old {
                    match new.iter_mut().find(|after| same(before, after)) {
                        Some(after) => *after = either(item, before, std::mem::replace(after, Value::Null)),
                        None => new.push(before.clone()),
                    }
                }
            } else if field.is_some_and(|f| f.set()) {
                new.extend(old.iter().filter(|before| !new.contains(before)).cloned().collect::<Vec<_>>());
            }
            Value::List(new)
        }
        (_, new) => new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{Registry, Schema};
    use crate::model::json;

    #[test]
    fn what_either_sets_is_owned() {
        let registry = Registry::standard();
        for (kind, old, new, both) in [
            ("jobs", r#"{"name":"a","tags":{"x":"1"}}"#, r#"{"name":"b","tags":{"y":"2"}}"#, r#"{"name":"b","tags":{"x":"1","y":"2"}}"#),
            (
                "jobs",
                r#"{"tasks":[{"task_key":"a","timeout_seconds":1},{"task_key":"b"}]}"#,
                r#"{"tasks":[{"task_key":"c"},{"task_key":"a","max_retries":2}]}"#,
                r#"{"tasks":[{"task_key":"c"},{"max_retries":2,"task_key":"a","timeout_seconds":1},{"task_key":"b"}]}"#,
            ),
            (
                "grants",
                r#"{"entries":[{"principal":"a","privileges":["SELECT"]}]}"#,
                r#"{"entries":[{"principal":"b","privileges":["SELECT"]},{"principal":"a","privileges":["MODIFY"]}]}"#,
                r#"{"entries":[{"principal":"b","privileges":["SELECT"]},{"principal":"a","privileges":["MODIFY","SELECT"]}]}"#,
            ),
            ("queries", r#"{"query_text":"a"}"#, r#"{"query_text":{}}"#, r#"{"query_text":{}}"#),
        ] {
            let root = Schema::of(registry.get(kind).unwrap()).root();
            let value = |text: &str| json::parse(text.as_bytes()).unwrap();
            assert_eq!(either(Some(root), &value(old), value(new)), value(both), "{kind} {old} {new}");
        }
    }
}
