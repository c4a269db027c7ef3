//! What an environment's overlay must say so that a place of a resource gets a value there.

use crate::model::{Map, Path, Step, Value};

/// The overlay of a resource with a value at a path; `None` takes what is there away. Lists without a key cannot be reached
/// into: none.
pub fn with(overlay: Value, path: &[Step], value: Option<Value>) -> Option<Value> {
    let Some((step, rest)) = path.split_first() else {
        return Some(value.unwrap_or_else(|| Value::map([("$delete", Value::Bool(true))])));
    };
    match step {
        Step::Field(name) => {
            let mut map = match overlay {
                Value::Map(map) => map,
                _ => Map::new(),
            };
            let below = map.get(name).cloned().unwrap_or(Value::Null);
            map.insert(name.clone(), with(below, rest, value)?);
            Some(Value::Map(map))
        }
        Step::Key(pairs, 0) => {
            let mut items = match overlay {
                Value::List(items) => items,
                _ => vec![],
            };
            let is_it = |item: &Value| pairs.iter().all(|(k, v)| item.get(k).map(Value::key_text).as_deref() == Some(v));
            let at = items.iter().position(is_it);
            let item = at.map_or_else(|| Value::map(pairs.iter().map(|(k, v)| (k.clone(), Value::text(v.as_str())))), |i| items[i].clone());
            let item = match (rest.is_empty(), value) {
                (true, Some(value)) => value,
                (true, None) => {
                    let mut gone = Value::map(pairs.iter().map(|(k, v)| (k.clone(), Value::text(v.as_str()))));
                    if let Some(map) = gone.as_map_mut() {
                        map.insert("$delete".to_owned(), Value::Bool(true));
                    }
                    gone
                }
                (false, value) => with(item, rest, value)?,
            };
            match at {
                Some(i) => items[i] = item,
                None => items.push(item),
            }
            Some(Value::List(items))
        }
        Step::Key(..) | Step::Index(_) | Step::Inside => None,
    }
}

/// A path cut before the first step that an overlay cannot go: the list that has to be written whole.
pub fn reachable(path: &Path) -> Path {
    let steps = path.steps().iter().take_while(|s| matches!(s, Step::Field(_) | Step::Key(_, 0)));
    Path::from(steps.cloned().collect::<Vec<_>>())
}
