//! The words that schemas are written in: each gives a piece of JSON Schema.

use serde_json::{Map, Value as Json, json};

/// A member of an object: its name (`?` at its end: it may be missing), its shape, what it is.
pub type Member = (&'static str, Json, &'static str);

fn put(mut to: Json, name: &str, shape: Json) -> Json {
    to[name] = shape;
    to
}

/// Text.
pub fn text() -> Json {
    json!({ "type": "string" })
}

/// A whole number, not below 0.
pub fn count() -> Json {
    json!({ "type": "integer", "minimum": 0 })
}

/// A whole number.
pub fn whole() -> Json {
    json!({ "type": "integer" })
}

/// Any number.
pub fn number() -> Json {
    json!({ "type": "number" })
}

/// `true` or `false`.
pub fn flag() -> Json {
    json!({ "type": "boolean" })
}

/// Any JSON: a value of the user's or of the workspace.
pub fn any() -> Json {
    json!({})
}

/// A time: RFC 3339.
pub fn time() -> Json {
    json!({ "type": "string", "format": "date-time" })
}

/// One of these words, and of no others while the format keeps its number.
pub fn word(words: &[&str]) -> Json {
    json!({ "type": "string", "enum": words })
}

/// One of these words; others may come at any time.
pub fn open_word(words: &[&str]) -> Json {
    json!({ "type": "string", "examples": words })
}

/// This and nothing else.
pub fn only(what: impl Into<Json>) -> Json {
    put(json!({}), "const", what.into())
}

/// Null, or this.
pub fn maybe(mut shape: Json) -> Json {
    if let Some(Json::String(one)) = shape.get("type").cloned()
        && shape.get("enum").is_none()
    {
        shape["type"] = json!([one, "null"]);
        return shape;
    }
    either(vec![shape, json!({ "type": "null" })])
}

/// A list of these.
pub fn list(shape: Json) -> Json {
    put(json!({ "type": "array" }), "items", shape)
}

/// A map from names to these.
pub fn map(shape: Json) -> Json {
    put(json!({ "type": "object" }), "additionalProperties", shape)
}

/// One of these.
pub fn either(shapes: Vec<Json>) -> Json {
    put(json!({}), "anyOf", Json::Array(shapes))
}

/// What `$defs` has under this name.
pub fn of(name: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// An object with these members; others may come at any time.
pub fn object(members: Vec<Member>) -> Json {
    let mut properties = Map::new();
    let mut required = vec![];
    for (name, mut shape, about) in members {
        let name = name.strip_suffix('?').unwrap_or_else(|| {
            required.push(name);
            name
        });
        if !about.is_empty() {
            shape["description"] = json!(about);
        }
        properties.insert(name.to_owned(), shape);
    }
    json!({ "type": "object", "required": required, "properties": properties })
}

/// Members of two lists in one.
pub fn with(mut members: Vec<Member>, more: Vec<Member>) -> Vec<Member> {
    members.extend(more);
    members
}
