//! Updates by mask: the members named are taken from the body, whole; a named member that the body lacks is cleared.

use crate::local::answer::Refusal;
use crate::model::{Map, Value};

/// Puts the masked members of `from` into `into`. `*` is every member of `known`.
///
/// # Errors
/// 400: a member that is not known.
pub fn apply(into: &mut Map, from: &Map, mask: &str, known: &[&str]) -> Result<(), Refusal> {
    if mask.trim() == "*" {
        for name in known {
            put(into, from, &[name]);
        }
        return Ok(());
    }
    for path in mask.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let steps: Vec<&str> = path.split('.').collect();
        if !known.contains(&steps[0]) {
            return Err(Refusal::invalid(format!("Invalid update_mask: {path} is not a field that can be updated.")));
        }
        put(into, from, &steps);
    }
    Ok(())
}

fn put(into: &mut Map, from: &Map, steps: &[&str]) {
    let [first, rest @ ..] = steps else { return };
    let given = from.get(*first);
    if rest.is_empty() {
        match given {
            Some(value) => into.insert((*first).to_owned(), value.clone()),
            None => into.shift_remove(*first),
        };
        return;
    }
    let empty = Map::new();
    let inner = into.entry((*first).to_owned()).or_insert_with(|| Value::Map(Map::new()));
    if let Some(inner) = inner.as_map_mut() {
        put(inner, given.and_then(Value::as_map).unwrap_or(&empty), rest);
    }
}

#[cfg(test)]
mod tests {
    use super::apply;
    use crate::model::{Value, json};

    #[test]
    fn masks() {
        for (mask, expected) in [
            ("a", r#"{"a":9,"b":{"x":1,"y":2}}"#),
            ("b", r#"{"a":1,"b":{"x":5}}"#),
            ("b.x", r#"{"a":1,"b":{"x":5,"y":2}}"#),
            ("b.y", r#"{"a":1,"b":{"x":1}}"#),
            ("c, a", r#"{"a":9,"b":{"x":1,"y":2}}"#),
            ("*", r#"{"a":9,"b":{"x":5}}"#),
        ] {
            let Value::Map(mut into) = json::parse(br#"{"a":1,"b":{"x":1,"y":2}}"#).unwrap() else { unreachable!() };
            let Value::Map(from) = json::parse(br#"{"a":9,"b":{"x":5}}"#).unwrap() else { unreachable!() };
            apply(&mut into, &from, mask, &["a", "b", "c"]).unwrap();
            assert_eq!(json::write(&Value::Map(into)).unwrap(), expected, "{mask}");
        }
        assert!(apply(&mut crate::model::Map::new(), &crate::model::Map::new(), "id", &["a"]).is_err());
    }
}
