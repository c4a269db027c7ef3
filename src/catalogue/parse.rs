//! The format that `scripts/catalogue.py` writes (its head describes it) into the types of the catalogue.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde::Deserialize;

use super::{Body, Member, Members, Operation, Paging, Type, TypeDef, Waiter};
use crate::model::json;

#[derive(Deserialize)]
struct RawService {
    operations: IndexMap<String, RawOperation>,
    types: IndexMap<String, RawType>,
}

#[derive(Deserialize)]
struct RawOperation {
    http: String,
    #[serde(default)]
    query: IndexMap<String, String>,
    body: Option<IndexMap<String, String>>,
    bare: Option<String>,
    raw: Option<String>,
    reply: Option<String>,
    item: Option<String>,
    page: Option<String>,
    wait: Option<String>,
    long: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawType {
    Struct(IndexMap<String, String>),
    Enum(Vec<String>),
}

/// Reads one file. None where it breaks the format.
pub(super) fn service(name: &'static str, text: &str) -> Option<(Vec<Operation>, HashMap<String, TypeDef>)> {
    let raw: RawService = serde_json::from_str(text).ok()?;
    let operations = raw.operations.into_iter().map(|(op, facts)| operation(name, &op, facts)).collect::<Option<_>>()?;
    let types = raw.types.into_iter().map(|(key, facts)| Some((key, type_def(name, facts)?))).collect::<Option<_>>()?;
    Some((operations, types))
}

fn type_def(service: &str, facts: RawType) -> Option<TypeDef> {
    Some(match facts {
        RawType::Struct(fields) => TypeDef::Struct(members(service, fields)?),
        RawType::Enum(values) => TypeDef::Enum(values),
    })
}

/// Names live as long as the process, like the data itself.
fn operation(service: &'static str, name: &str, raw: RawOperation) -> Option<Operation> {
    let (method, path) = raw.http.split_once(' ')?;
    let path_params =
        path.split('{').skip(1).filter_map(|p| p.split_once('}')).map(|(p, _)| p.trim_end_matches("...").to_owned()).collect();
    let sends_bytes = matches!(raw.raw.as_deref(), Some("request" | "both"));
    let body = match (raw.body, raw.bare) {
        _ if sends_bytes => Body::Raw,
        (Some(listed), _) => Body::Members(members(service, listed)?),
        (None, Some(whole)) => Body::Bare(ty(service, &whole)?),
        (None, None) => Body::None,
    };
    let typed = |text: Option<String>| text.map_or(Some(None), |t| ty(service, &t).map(Some));
    Some(Operation {
        name: Box::leak(format!("{service}.{name}").into_boxed_str()),
        service,
        method: method.to_owned(),
        path: path.to_owned(),
        path_params,
        query: members(service, raw.query)?,
        body,
        response: typed(raw.reply)?,
        item: typed(raw.item)?,
        result: typed(raw.long)?,
        paging: raw.page.map_or(Some(None), |p| paging(&p).map(Some))?,
        waiter: raw.wait.map_or(Some(None), |w| waiter(&w).map(Some))?,
        raw_reply: matches!(raw.raw.as_deref(), Some("reply" | "both")),
    })
}

fn members(service: &str, raw: IndexMap<String, String>) -> Option<Members> {
    raw.into_iter().map(|(name, facts)| Some((name, member(service, &facts)?))).collect()
}

/// A field in the catalogue's words, `text! out =5`: a type, `!` if required, flags. Plain type names are the service's.
/// None where the text breaks the format (described in the head of `scripts/catalogue.py`).
#[must_use]
pub fn member(service: &str, facts: &str) -> Option<Member> {
    let mut words = facts.split(' ');
    let first = words.next()?;
    let plain = first.strip_suffix('!');
    let mut member = Member {
        ty: ty(service, plain.unwrap_or(first))?,
        required: plain.is_some(),
        output: false,
        input: false,
        immutable: false,
        deprecated: false,
        default: None,
    };
    for word in words {
        match word {
            "out" => member.output = true,
            "in" => member.input = true,
            "fixed" => member.immutable = true,
            "old" => member.deprecated = true,
            stated => member.default = Some(json::parse(stated.strip_prefix('=')?.as_bytes()).ok()?),
        }
    }
    Some(member)
}

fn ty(service: &str, text: &str) -> Option<Type> {
    if let Some(inner) = text.strip_prefix('[') {
        return Some(Type::List(Box::new(ty(service, inner.strip_suffix(']')?)?)));
    }
    if let Some(inner) = text.strip_prefix('{') {
        return Some(Type::Map(Box::new(ty(service, inner.strip_suffix('}')?)?)));
    }
    Some(match text {
        "text" => Type::Text,
        "int" => Type::Int,
        "int64" => Type::Int64,
        "number" => Type::Number,
        "bool" => Type::Bool,
        "any" => Type::Any,
        "object" => Type::Object,
        "time" => Type::Timestamp,
        "duration" => Type::Duration,
        "mask" => Type::FieldMask,
        "bytes" => Type::Binary,
        "none" => Type::None,
        foreign if foreign.contains('.') => Type::Named(foreign.to_owned()),
        own if own.starts_with(char::is_uppercase) => Type::Named(format!("{service}.{own}")),
        _ => return None,
    })
}

fn paging(text: &str) -> Option<Paging> {
    let words: Vec<&str> = text.split(' ').collect();
    Some(match words[..] {
        ["token", place, param, from, items] => {
            Paging::Token { in_body: place == "body", param: param.to_owned(), from: from.to_owned(), items: items.to_owned() }
        }
        ["scim"] => Paging::Scim,
        ["page", items] => Paging::Page { items: items.to_owned() },
        ["body", from, items] => Paging::Body { from: from.to_owned(), items: items.to_owned() },
        ["single", items] => Paging::Single { items: items.to_owned() },
        _ => return None,
    })
}

fn waiter(text: &str) -> Option<Waiter> {
    let mut words = text.split(' ');
    let mut next = || words.next();
    let (poll, field, target, failure, minutes) = (next()?, next()?, next()?, next()?, next()?);
    let states = |text: &str| if text == "-" { vec![] } else { text.split(',').map(str::to_owned).collect() };
    Some(Waiter {
        poll: poll.to_owned(),
        field: field.to_owned(),
        target: states(target),
        failure: states(failure),
        timeout_minutes: minutes.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::{member, paging, ty, waiter};
    use crate::catalogue::Type;

    #[test]
    fn refuses_what_breaks_the_format() {
        for text in ["", "string", "[text", "{text", "[text}"] {
            assert!(ty("s", text).is_none(), "{text}");
        }
        for text in ["text nonsense", "text =", "text =BARE", "!"] {
            assert!(member("s", text).is_none(), "{text}");
        }
        assert!(paging("token query x").is_none() && waiter("a b c").is_none() && waiter("a b c d soon").is_none());
    }

    #[test]
    fn reads_types_and_flags() {
        assert_eq!(ty("s", "[{other.T}]"), Some(Type::List(Box::new(Type::Map(Box::new(Type::Named("other.T".into())))))));
        let read = member("s", "T! out fixed =\"X\"").unwrap();
        assert_eq!((read.ty, read.required, read.output, read.immutable, read.input), (Type::Named("s.T".into()), true, true, true, false));
        assert_eq!(read.default.unwrap().as_str(), Some("X"));
    }
}
