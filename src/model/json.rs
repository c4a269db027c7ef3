//! Values as JSON: exact 64-bit integers, order kept, nothing unknown or secret.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{Map, Value};

/// Reads JSON. Numbers without a point or exponent stay whole.
///
/// # Errors
/// The text is not JSON; the message has line and column.
pub fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(bytes)
}

/// Reads JSON in which nobody gives a member twice: which of them counts would be a guess.
///
/// # Errors
/// It is no JSON, or a member is there twice ([`serde_json::Error::is_data`]): with line and column.
pub fn parse_strictly(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice::<Once>(bytes)?;
    parse(bytes)
}

/// JSON whose maps have each member once.
struct Once;

impl<'de> serde::Deserialize<'de> for Once {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Self)
    }
}

impl<'de> serde::de::Visitor<'de> for Once {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut names = std::collections::HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if names.contains(&name) {
                return Err(serde::de::Error::custom(format!("`{name}` is given twice in one map, again")));
            }
            members.next_value::<Self>()?;
            names.insert(name);
        }
        Ok(self)
    }
}

/// Writes JSON without spaces.
///
/// # Errors
/// Something inside is unknown or secret: it must never leave.
pub fn write(value: &Value) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Plain(value))
}

/// Writes JSON in lines, two spaces deep.
///
/// # Errors
/// Something inside is unknown or secret.
pub fn write_pretty(value: &Value) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&Plain(value))
}

/// A value known to hold nothing unknown or secret; serialising it fails otherwise.
pub struct Plain<'a>(pub &'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(b) => serializer.serialize_bool(*b),
            Value::Int(n) => serializer.serialize_i64(*n),
            Value::UInt(n) => serializer.serialize_u64(*n),
            Value::Float(x) => serializer.serialize_f64(*x),
            Value::Text(t) => serializer.serialize_str(t),
            Value::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                for item in list {
                    seq.serialize_element(&Plain(item))?;
                }
                seq.end()
            }
            Value::Map(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (k, v) in map {
                    out.serialize_entry(k, &Plain(v))?;
                }
                out.end()
            }
            Value::Unknown(_) => Err(S::Error::custom("a value that is not known yet cannot be written")),
            Value::Secret(_) => Err(S::Error::custom("a secret cannot be written")),
        }
    }
}

/// A value as a person may see it, on one line: unknown reads `(known after apply)`, secret reads `(sensitive)`.
#[must_use]
pub fn display(value: &Value) -> String {
    let mut out = String::new();
    put(value, &mut out);
    out
}

fn put(value: &Value, out: &mut String) {
    match value {
        Value::Unknown(_) => out.push_str("(known after apply)"),
        Value::Secret(_) => out.push_str("(sensitive)"),
        Value::List(list) => {
            out.push('[');
            for (i, item) in list.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                put(item, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (i, (k, v)) in map.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                out.push_str(&serde_json::to_string(k).unwrap_or_default());
                out.push_str(": ");
                put(v, out);
            }
            out.push('}');
        }
        plain => out.push_str(&write(plain).unwrap_or_default()),
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Value;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_none<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
                Ok(Value::Bool(b))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
                Ok(Value::Int(n))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
                Ok(Value::from(n))
            }
            fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
                Ok(Value::Float(x))
            }
            fn visit_str<E>(self, t: &str) -> Result<Value, E> {
                Ok(Value::text(t))
            }
            fn visit_string<E>(self, t: String) -> Result<Value, E> {
                Ok(Value::Text(t))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut list = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(4096));
                while let Some(item) = seq.next_element()? {
                    list.push(item);
                }
                list.shrink_to_fit();
                Ok(Value::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
                // States and snapshots are kept: a map gets the room that it needs, and leaves no holes where it grew.
                let mut entries: Vec<(String, Value)> = Vec::new();
                while let Some(entry) = access.next_entry()? {
                    entries.push(entry);
                }
                let mut map = Map::with_capacity(entries.len());
                map.extend(entries);
                Ok(Value::Map(map))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, write};

    #[test]
    fn numbers_are_exact() {
        for text in
            ["9007199254740993", "18446744073709551615", "-9223372036854775808", "1.5", "10.0", "0", r#"{"b":1,"a":[null,false,0,"",{}]}"#]
        {
            assert_eq!(write(&parse(text.as_bytes()).unwrap()).unwrap(), text);
        }
    }
}
