//! What an attached part or a setting held before first touch, and how it grows as more of it is managed.

use crate::kinds::{Field, Lifetime};
use crate::model::{Map, Value};

/// What was there at the first touch, of what is managed from now on.
pub(super) fn first(lifetime: Lifetime, view: &Value, desired: &Value) -> Value {
    match (lifetime, view, desired) {
        (Lifetime::Setting, Value::Map(view), Value::Map(desired)) => {
            Value::Map(desired.keys().filter_map(|k| Some((k.clone(), view.get(k)?.clone()))).collect())
        }
        _ => view.clone(),
    }
}

/// Adds what is touched for the first time now: fields and items of keyed lists that neither `former` nor the last apply had.
pub(super) fn extend(root: Field<'_>, former: &Value, applied: &Value, desired: &Value, view: &Value) -> Value {
    let (Some(former), Some(desired)) = (former.as_map(), desired.as_map()) else { return former.clone() };
    let mut grown: Map = former.clone();
    for (name, wanted) in desired {
        let Some(live) = view.get(name) else { continue };
        let before = applied.get(name);
        match root.field(name).and_then(|f| f.keyed()) {
            Some(keys) if matches!(wanted, Value::List(_)) => {
                let list = with_new_items(keys, former.get(name), before, live);
                grown.insert(name.clone(), list);
            }
            _ if root.field(name).is_some_and(|f| f.map_value().is_some()) => {
                grown.insert(name.clone(), with_new_keys(former.get(name), before, live));
            }
            _ if before.is_none() && !former.contains_key(name) => {
                grown.insert(name.clone(), live.clone());
            }
            _ => {}
        }
    }
    Value::Map(grown)
}

/// The same for a map that is owned key by key.
fn with_new_keys(former: Option<&Value>, applied: Option<&Value>, live: &Value) -> Value {
    let keys = |value: Option<&Value>| value.and_then(Value::as_map).cloned().unwrap_or_default();
    let (mut map, applied) = (keys(former), keys(applied));
    for (key, value) in keys(Some(live)) {
        if !applied.contains_key(&key) {
            map.entry(key).or_insert(value);
        }
    }
    Value::Map(map)
}

fn with_new_items(keys: &[&str], former: Option<&Value>, applied: Option<&Value>, live: &Value) -> Value {
    let items = |v: Option<&Value>| v.and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default();
    let key = |item: &Value| keys.iter().map(|k| item.get(k).map(Value::key_text)).collect::<Vec<_>>();
    let mut list = items(former);
    let known: Vec<_> = list.iter().chain(items(applied).iter()).map(key).collect();
    list.extend(items(Some(live)).into_iter().filter(|item| !known.contains(&key(item))));
    Value::List(list)
}
