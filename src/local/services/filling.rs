//! What several services fill in.

use crate::model::{Map, Value};

/// Puts a member that is absent.
pub fn default(map: &mut Map, name: &str, value: impl Into<Value>) {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), value.into());
    }
}

/// Milliseconds since 1970 as the API writes times of SQL objects.
pub fn timestamp(milliseconds: i64) -> Value {
    jiff::Timestamp::from_millisecond(milliseconds).map_or(Value::Null, |t| Value::Text(t.to_string()))
}
