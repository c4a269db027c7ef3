//! The types that fields take: what an expression gives when it is finished late is brought to them, as the project floor
//! does with what it knows at once.

use crate::catalogue::Type;
use crate::kinds::Field;
use crate::model::Value;

/// A body whose references have been filled: an id that one API gives as a number another takes as text, and the other way
/// round.
#[must_use]
pub fn typed(value: Value, field: Field<'_>) -> Value {
    match value {
        Value::List(list) => match field.item() {
            Some(item) => Value::List(list.into_iter().map(|v| typed(v, item)).collect()),
            None => Value::List(list),
        },
        Value::Map(map) => {
            let member = |(name, v): (String, Value)| match field.field(&name) {
                Some(field) => (name, typed(v, field)),
                None => (name, v),
            };
            Value::Map(map.into_iter().map(member).collect())
        }
        Value::Int(_) | Value::UInt(_) if matches!(field.ty(), Type::Text) => Value::Text(value.key_text()),
        Value::Text(text) if matches!(field.ty(), Type::Int | Type::Int64) => text.parse().map_or(Value::Text(text), Value::Int),
        scalar => scalar,
    }
}
