//! Values as JSON that says everything: unknown and secret by the text that names them, fractions as text (so that no
//! reader's rounding changes the digest).

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::model::{Deferred, Map, Value};

const UNKNOWN: &str = "$unknown";
const SECRET: &str = "$secret";
const FLOAT: &str = "$float";
/// A user's own map that looks like one of the above is wrapped in this.
const MAP: &str = "$map";
/// What was known when an expression was put off.
const BOUND: &str = "bound";

/// How deep values may lie in each other.
const DEEPEST: usize = 100;

/// A value.
pub fn value(given: &Value) -> Json {
    match given {
        Value::Null => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(n) => json!(n),
        Value::UInt(n) => json!(n),
        Value::Float(x) => json!({ FLOAT: x.to_string() }),
        Value::Text(t) => json!(t),
        Value::List(list) => list.iter().map(value).collect(),
        Value::Map(map) if looks_special(map) => json!({ MAP: members(map) }),
        Value::Map(map) => members(map),
        Value::Unknown(waits) => deferred(UNKNOWN, waits),
        Value::Secret(waits) => deferred(SECRET, waits),
    }
}

/// A value as compact text.
pub fn text(given: &Value) -> String {
    value(given).to_string()
}

fn members(map: &Map) -> Json {
    Json::Object(map.iter().map(|(name, v)| (name.clone(), value(v))).collect())
}

fn looks_special(map: &Map) -> bool {
    map.keys().any(|name| [UNKNOWN, SECRET, FLOAT, MAP].contains(&name.as_str()))
}

fn deferred(word: &str, waits: &Deferred) -> Json {
    let mut out = JsonMap::from_iter([(word.to_owned(), json!(waits.source))]);
    if !waits.bound.is_empty() {
        out.insert(BOUND.to_owned(), members(&waits.bound));
    }
    Json::Object(out)
}

/// Reads one back. What waits can be shown again, and not evaluated.
///
/// # Errors
/// A sentence.
pub fn read(given: &Json) -> Result<Value, String> {
    read_at(given, 0)
}

fn read_at(given: &Json, depth: usize) -> Result<Value, String> {
    if depth > DEEPEST {
        return Err(format!("values lie in each other more than {DEEPEST} deep"));
    }
    Ok(match given {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(n), _) => Value::Int(n),
            (None, Some(n)) => Value::UInt(n),
            (None, None) => return Err(format!("{n} is no whole number")),
        },
        Json::String(t) => Value::text(t.as_str()),
        Json::Array(list) => Value::List(list.iter().map(|v| read_at(v, depth + 1)).collect::<Result<_, _>>()?),
        Json::Object(map) => object(map, depth)?,
    })
}

fn object(map: &JsonMap<String, Json>, depth: usize) -> Result<Value, String> {
    let plain = |map: &JsonMap<String, Json>| {
        map.iter().map(|(name, v)| Ok((name.clone(), read_at(v, depth + 1)?))).collect::<Result<Map, String>>()
    };
    let waits = |source: &Json| -> Result<Arc<Deferred>, String> {
        let source = source.as_str().ok_or("what waits is not named by text")?.to_owned();
        let bound = match map.get(BOUND) {
            Some(Json::Object(bound)) => plain(bound)?,
            Some(_) => return Err(format!("`{BOUND}` is no map")),
            None => Map::new(),
        };
        Ok(Arc::new(Deferred { source, pieces: vec![], waits: vec![], bound }))
    };
    match map.iter().next() {
        Some((name, source)) if name == UNKNOWN => Ok(Value::Unknown(waits(source)?)),
        Some((name, source)) if name == SECRET => Ok(Value::Secret(waits(source)?)),
        Some((name, Json::String(text))) if name == FLOAT => text.parse().map(Value::Float).map_err(|_| format!("`{text}` is no number")),
        Some((name, Json::Object(inner))) if name == MAP => Ok(Value::Map(plain(inner)?)),
        _ => Ok(Value::Map(plain(map)?)),
    }
}
