//! A request against the catalogue, as the server reads it: unknown members are ignored (and noted), known ones must have
//! their type, required ones must be there. Nulls count as absent.

use crate::catalogue::{self, Body, Members, Operation, Type, TypeDef};
use crate::local::answer::Refusal;
use crate::model::{Map, Value};

/// Members that the data calls required and the server does not: the documented calls leave them out.
const NOT_REQUIRED: [(&str, &str); 3] = [
    ("serving.EndpointCoreConfigInput", "name"),
    // A policy may fix it.
    ("compute.clusters.create", "spark_version"),
    ("compute.clusters.edit", "spark_version"),
];

/// Members that were ignored, by path.
pub type Ignored = Vec<String>;

/// Takes the members an operation knows from a body.
///
/// # Errors
/// 400: a wrong type, an unknown enum value, a missing required member.
pub fn body(operation: &Operation, given: Value) -> Result<(Map, Ignored), Refusal> {
    let mut ignored = Ignored::new();
    let given = match given {
        Value::Null => Map::new(),
        Value::Map(map) => map,
        other => return Err(malformed("", &format!("the body must be an object, not {}", other.sort()))),
    };
    let map = match &operation.body {
        Body::None | Body::Raw => Map::new(),
        Body::Members(members) => structure(members, given, "", operation.name, Required::Here, &mut ignored)?,
        Body::Bare(ty) => {
            // A PATCH carries only what changes.
            let required = if operation.method == "PATCH" { Required::Below } else { Required::Here };
            bare(ty, given, required, &mut ignored)?
        }
    };
    Ok((map, ignored))
}

/// Checks the query parameters that must be there.
///
/// # Errors
/// 400: one is missing.
pub fn query(operation: &Operation, given: &[(String, String)]) -> Result<(), Refusal> {
    for (name, member) in &operation.query {
        if member.required && !given.iter().any(|(k, v)| k == name && !v.is_empty()) {
            return Err(missing(name));
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Required {
    /// This struct's required members must be there.
    Here,
    /// Only those of structs below.
    Below,
}

fn bare(ty: &Type, given: Map, required: Required, ignored: &mut Ignored) -> Result<Map, Refusal> {
    if let Type::Named(name) = ty
        && let Some(TypeDef::Struct(members)) = catalogue::type_named(name)
    {
        return structure(members, given, "", name, required, ignored);
    }
    match value(ty, Value::Map(given), "", ignored)? {
        Value::Map(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

fn structure(members: &Members, given: Map, at: &str, of: &str, required: Required, ignored: &mut Ignored) -> Result<Map, Refusal> {
    let mut out = Map::with_capacity(given.len());
    for (name, item) in given {
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        match members.get(&name) {
            None => ignored.push(path),
            Some(_) if item == Value::Null => {}
            Some(member) => {
                let item = value(&member.ty, item, &path, ignored)?;
                out.insert(name, item);
            }
        }
    }
    if required == Required::Here
        && let Some(name) = members.iter().find_map(|(name, m)| {
            (m.required && !m.output && !out.contains_key(name) && !NOT_REQUIRED.contains(&(of, name))).then_some(name)
        })
    {
        return Err(missing(&if at.is_empty() { name.clone() } else { format!("{at}.{name}") }));
    }
    Ok(out)
}

fn value(ty: &Type, given: Value, at: &str, ignored: &mut Ignored) -> Result<Value, Refusal> {
    let wrong = |given: &Value, wanted: &str| Err(malformed(at, &format!("expected {wanted}, found {}", given.sort())));
    match ty {
        Type::Any | Type::Object | Type::Binary | Type::None => Ok(given),
        Type::Text | Type::Timestamp | Type::Duration | Type::FieldMask => match given {
            Value::Text(_) => Ok(given),
            other => wrong(&other, "text"),
        },
        // The server reads numbers from decimal text too.
        Type::Int | Type::Int64 => match &given {
            Value::Int(_) | Value::UInt(_) => Ok(given),
            Value::Text(t) => t.parse::<i64>().map(Value::Int).or_else(|_| wrong(&given, "a whole number")),
            _ => wrong(&given, "a whole number"),
        },
        Type::Number => match &given {
            Value::Int(_) | Value::UInt(_) | Value::Float(_) => Ok(given),
            _ => wrong(&given, "a number"),
        },
        Type::Bool => match &given {
            Value::Bool(_) => Ok(given),
            _ => wrong(&given, "a boolean"),
        },
        Type::List(item) => match given {
            Value::List(list) => list
                .into_iter()
                .enumerate()
                .map(|(i, v)| value(item, v, &format!("{at}[{i}]"), ignored))
                .collect::<Result<_, _>>()
                .map(Value::List),
            other => wrong(&other, "a list"),
        },
        Type::Map(item) => match given {
            Value::Map(map) => {
                let mut out = Map::with_capacity(map.len());
                for (k, v) in map {
                    let v = value(item, v, &format!("{at}.{k}"), ignored)?;
                    out.insert(k, v);
                }
                Ok(Value::Map(out))
            }
            other => wrong(&other, "a map"),
        },
        Type::Named(name) => named(name, given, at, ignored),
    }
}

fn named(name: &str, given: Value, at: &str, ignored: &mut Ignored) -> Result<Value, Refusal> {
    match catalogue::type_named(name) {
        None => Ok(given),
        Some(TypeDef::Struct(members)) => match given {
            Value::Map(map) => structure(members, map, at, name, Required::Here, ignored).map(Value::Map),
            other => Err(malformed(at, &format!("expected a map, found {}", other.sort()))),
        },
        Some(TypeDef::Enum(values)) => match &given {
            // Privileges are also written with spaces and in lower case; the grants service reads them itself.
            Value::Text(_) if name == "catalog.Privilege" || values.is_empty() => Ok(given),
            Value::Text(text) if values.iter().any(|v| v == text) => Ok(given),
            Value::Text(text) => {
                Err(Refusal::invalid(format!("Invalid value '{text}' for {at}. Valid values are: {}.", values.join(", "))))
            }
            other => Err(malformed(at, &format!("expected text, found {}", other.sort()))),
        },
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::invalid(format!("Missing required field: {name}"))
}

fn malformed(at: &str, what: &str) -> Refusal {
    let place = if at.is_empty() { String::new() } else { format!(" at {at}") };
    Refusal::new(400, "MALFORMED_REQUEST", format!("Could not parse request object: {what}{place}"))
}

/// The reply without false, zero and empty members, as many services leave them out. Free maps keep their entries.
pub fn without_zeros(reply: Value, operation: &Operation) -> Value {
    let Value::Map(map) = reply else { return reply };
    if let (Some(item), Some(paging)) = (&operation.item, &operation.paging) {
        let key = match paging {
            catalogue::Paging::Token { items, .. }
            | catalogue::Paging::Page { items }
            | catalogue::Paging::Body { items, .. }
            | catalogue::Paging::Single { items } => items.as_str(),
            catalogue::Paging::Scim => "Resources",
        };
        let list = Type::List(Box::new(item.clone()));
        return Value::Map(
            map.into_iter().map(|(k, v)| if k == key { (k, slim(v, &list)) } else { (k, v) }).filter(|(_, v)| !v.is_zero()).collect(),
        );
    }
    match &operation.response {
        Some(ty) => slim(Value::Map(map), ty),
        None => Value::Map(map),
    }
}

fn slim(given: Value, ty: &Type) -> Value {
    match (given, ty) {
        (Value::List(list), Type::List(item)) => Value::List(list.into_iter().map(|v| slim(v, item)).collect()),
        (Value::Map(map), Type::Map(item)) => Value::Map(map.into_iter().map(|(k, v)| (k, slim(v, item))).collect()),
        (Value::Map(map), Type::Named(name)) => match catalogue::type_named(name) {
            Some(TypeDef::Struct(members)) => Value::Map(
                map.into_iter()
                    .map(|(k, v)| {
                        let v = members.get(&k).map_or(v.clone(), |m| slim(v, &m.ty));
                        (k, v)
                    })
                    .filter(|(_, v)| !v.is_zero())
                    .collect(),
            ),
            _ => Value::Map(map),
        },
        (other, _) => other,
    }
}

/// What in a reply is not as the catalogue has it: unknown members, wrong types, unknown enum values.
#[cfg(test)]
pub fn unlike(reply: &Value, operation: &Operation) -> Vec<String> {
    let mut ignored = Ignored::new();
    let checked = match (&operation.item, &operation.paging, &operation.response) {
        (Some(item), Some(catalogue::Paging::Token { items, .. } | catalogue::Paging::Single { items }), _) => {
            reply.get(items).map_or(Ok(Value::Null), |list| value(&Type::List(Box::new(item.clone())), list.clone(), "", &mut ignored))
        }
        (None, None, Some(Type::Named(name))) if name != "settings.WorkspaceConf" => named(name, reply.clone(), "", &mut ignored),
        _ => return Vec::new(),
    };
    ignored.extend(checked.err().map(|refusal| refusal.message));
    ignored
}
