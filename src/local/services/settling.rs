//! Asynchronous states: what an object will be, and when. The promise is stored with it under `$next`; reads show whatever
//! holds at their time and write nothing.

use crate::model::{Map, Value};

/// Promises that at this time the members take these values (null: they go).
pub fn promise(object: &mut Map, at: i64, members: Map) {
    object.insert("$next".to_owned(), Value::map([("at", Value::Int(at)), ("members", Value::Map(members))]));
}

/// The object as it is now.
pub fn settled(object: &Value, now: i64) -> Map {
    let mut map = object.as_map().cloned().unwrap_or_default();
    let due = map.get("$next").and_then(|n| n.get("at")).and_then(Value::as_i64).is_some_and(|at| at <= now);
    if due && let Some(next) = map.shift_remove("$next") {
        for (name, value) in next.get("members").and_then(Value::as_map).into_iter().flatten() {
            if *value == Value::Null {
                map.shift_remove(name);
            } else {
                map.insert(name.clone(), value.clone());
            }
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::{promise, settled};
    use crate::model::{Map, Value};

    #[test]
    fn a_promise_is_kept_in_time() {
        let mut object = Map::new();
        object.insert("state".to_owned(), "STARTING".into());
        object.insert("pending".to_owned(), Value::Bool(true));
        promise(&mut object, 10, [("state".to_owned(), "RUNNING".into()), ("pending".to_owned(), Value::Null)].into_iter().collect());
        let object = Value::Map(object);
        assert_eq!(settled(&object, 9).get("state"), Some(&"STARTING".into()));
        let later = settled(&object, 10);
        assert_eq!((later.get("state"), later.get("pending"), later.len()), (Some(&"RUNNING".into()), None, 1));
    }
}
