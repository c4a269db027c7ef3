//! The types that fields take: what an expression gives when it is finished late is brought to them, as the project floor
//! does with what it knows at once.

use crate::catalogue::Type;
use crate::kinds::Field;
use crate::model::Value;

/// A body of a kind.
#[must_use]
pub fn body(value: Value, field: Field<'_>) -> Value {
    match value {
        Value::List(list) => match field.item() {
            Some(item) => Value::List(list.into_iter().map(|v| body(v, item)).collect()),
            None => Value::List(list),
        },
        Value::Map(map) => {
            let member = |k: String, v: Value| match field.field(&k) {
                Some(field) => (k, body(v, field)),
                None => (k, v),
            };
            Value::Map(map.into_iter().map(|(k, v)| member(k, v)).collect())
        }
        scalar => brought(scalar, field.ty()),
    }
}

/// An id that one API gives as a number another takes as text, and the other way round.
fn brought(value: Value, ty: &Type) -> Value {
    match (value, ty) {
        (Value::Int(n), Type::Text) => Value::Text(n.to_string()),
        (Value::UInt(n), Type::Text) => Value::Text(n.to_string()),
        (Value::Text(t), Type::Int | Type::Int64) => t.parse().map_or(Value::Text(t), Value::Int),
        (value, _) => value,
    }
}
