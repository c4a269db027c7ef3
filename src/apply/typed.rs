//! The types that fields take: what an expression gives when it is finished late is brought to them, as the project floor
//! does with what it knows at once.

use crate::catalogue::{self, Body, Members, Type, TypeDef};
use crate::kinds::Field;
use crate::model::{Map, Value};

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

/// A body of a request.
#[must_use]
pub fn request(value: Value, body: &Body) -> Value {
    match (value, body) {
        (Value::Map(map), Body::Members(members)) => Value::Map(in_members(map, members)),
        (value, Body::Bare(ty)) => of(value, ty),
        (value, Body::Members(_) | Body::None | Body::Raw) => value,
    }
}

fn of(value: Value, ty: &Type) -> Value {
    match (value, ty) {
        (Value::List(list), Type::List(item)) => Value::List(list.into_iter().map(|v| of(v, item)).collect()),
        (Value::Map(map), Type::Map(item)) => Value::Map(map.into_iter().map(|(k, v)| (k, of(v, item))).collect()),
        (Value::Map(map), Type::Named(name)) => match catalogue::type_named(name) {
            Some(TypeDef::Struct(members)) => Value::Map(in_members(map, members)),
            _ => Value::Map(map),
        },
        (scalar, ty) => brought(scalar, ty),
    }
}

fn in_members(map: Map, members: &Members) -> Map {
    let member = |k: String, v: Value| match members.get(&k) {
        Some(member) => {
            let v = of(v, &member.ty);
            (k, v)
        }
        None => (k, v),
    };
    map.into_iter().map(|(k, v)| member(k, v)).collect()
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

#[cfg(test)]
mod tests {
    use super::request;
    use crate::catalogue::operation;
    use crate::model::json;

    #[test]
    fn ids_take_the_type_of_the_field() {
        for (op, body, want) in [
            (
                "jobs.jobs.create",
                r#"{"tasks":[{"task_key":"a","run_job_task":{"job_id":"12"},"sql_task":{"warehouse_id":7}}],"tags":{"n":5}}"#,
                r#"{"tasks":[{"task_key":"a","run_job_task":{"job_id":12},"sql_task":{"warehouse_id":"7"}}],"tags":{"n":"5"}}"#,
            ),
            (
                "jobs.jobs.create",
                r#"{"name":"x","unheard_of":1,"max_concurrent_runs":"many"}"#,
                r#"{"name":"x","unheard_of":1,"max_concurrent_runs":"many"}"#,
            ),
        ] {
            let got = request(json::parse(body.as_bytes()).unwrap(), &operation(op).unwrap().body);
            assert_eq!(json::write(&got).unwrap(), want);
        }
    }
}
