//! From a call to a request: path, query and body, and the refusal of what must never leave.

use super::{ApiError, ApiErrorKind, Request, RequestBody};
use crate::catalogue::{Body, Operation};
use crate::kinds::Call;
use crate::model::{Map, Value, json};

/// The request of a call, without host and authorization.
///
/// # Errors
/// [`ApiErrorKind::Invalid`] where a value is unknown or secret, or a path parameter is missing, empty or no name:
/// nothing is sent then.
pub fn build(operation: &Operation, call: &Call) -> Result<Request, ApiError> {
    let refuse = |message: String| never_sent(format!("{} {}", operation.method, operation.path), &message);
    let path = fill_path(&operation.path, &call.path).map_err(refuse)?;
    let query = encode_query(&call.query).map_err(refuse)?;
    let body = match &call.body {
        Some(body) => RequestBody::Json(json::write(body).map_err(|_| refuse(unresolved("the body", body)))?),
        None if operation.method != "GET" && matches!(operation.body, Body::Members(_) | Body::Bare(_)) => RequestBody::Json("{}".into()),
        None => RequestBody::Empty,
    };
    Ok(Request { method: operation.method.clone(), path, query, headers: vec![], body })
}

/// The error of a request that was refused before it was sent.
pub fn never_sent(request: String, message: &str) -> ApiError {
    ApiError {
        kind: ApiErrorKind::Invalid,
        status: None,
        code: String::new(),
        message: format!("never sent: {message}"),
        request,
        request_id: None,
        tries: 0,
        may_have_happened: false,
    }
}

/// `/api/2.0/sql/warehouses/{id}` with its parameters. A segment keeps no slash, but for `{x...}` and for the type of an
/// object with permissions, which may have two segments (`sql/warehouses`).
fn fill_path(template: &str, parameters: &Map) -> Result<String, String> {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let close = rest[open..].find('}').map_or(rest.len(), |n| open + n);
        let name = &rest[open + 1..close];
        rest = rest.get(close + 1..).unwrap_or("");
        let (name, many) = name.strip_suffix("...").map_or((name, name.ends_with("object_type")), |n| (n, true));
        let value = parameters.get(name).ok_or_else(|| format!("the path parameter `{name}` is missing"))?;
        let text = scalar(value).ok_or_else(|| unresolved(&format!("the path parameter `{name}`"), value))?;
        put_segments(&text, name, many, &mut out)?;
    }
    out.push_str(rest);
    Ok(out)
}

fn put_segments(text: &str, name: &str, many: bool, out: &mut String) -> Result<(), String> {
    let text = if out.ends_with('/') && many { text.trim_start_matches('/') } else { text };
    let segments: Vec<&str> = if many { text.split('/').collect() } else { vec![text] };
    for (i, segment) in segments.iter().enumerate() {
        if segment.is_empty() && segments.len() == 1 {
            return Err(format!("the path parameter `{name}` is empty"));
        }
        // A URL parser would take these for steps up or nowhere, encoded or not: another object would be hit.
        if matches!(*segment, "." | "..") {
            return Err(format!("the path parameter `{name}` holds `{segment}`, which is no name"));
        }
        if i > 0 {
            out.push('/');
        }
        percent_encode(segment, out);
    }
    Ok(())
}

/// Writes a path segment: letters, digits and `-._~` as they are, every other byte as `%XX`.
fn percent_encode(text: &str, out: &mut String) {
    use std::fmt::Write as _;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Pairs of a query: booleans as `true` and `false`, members of maps dotted, lists as repeated names, null left out.
fn encode_query(query: &Map) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::with_capacity(query.len());
    for (name, value) in query {
        put_query(name, value, &mut pairs)?;
    }
    Ok(pairs)
}

fn put_query(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) -> Result<(), String> {
    match value {
        Value::Null => {}
        Value::Map(map) => {
            for (member, value) in map {
                put_query(&format!("{name}.{member}"), value, pairs)?;
            }
        }
        Value::List(list) => {
            for value in list {
                put_query(name, value, pairs)?;
            }
        }
        value => {
            let text = scalar(value).ok_or_else(|| unresolved(&format!("the parameter `{name}`"), value))?;
            pairs.push((name.to_owned(), text));
        }
    }
    Ok(())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => json::write(value).ok(),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Unknown(_) | Value::Secret(_) => None,
    }
}

/// Why a value cannot be sent, by its source only.
fn unresolved(what: &str, value: &Value) -> String {
    let mut sources = Vec::new();
    value.each_deferred(&mut crate::model::Path::root(), &mut |path, deferred| {
        sources.push(if path.is_root() { format!("`{}`", deferred.source) } else { format!("`{}` at {path}", deferred.source) });
    });
    if sources.is_empty() { format!("{what} is {}", value.sort()) } else { format!("{what} still waits for {}", sources.join(", ")) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalogue::Members;
    use crate::kinds::Repeat;
    use crate::model::{Address, Deferred, Path, Reference};

    pub fn operation(method: &str, path: &str) -> Operation {
        Operation {
            name: "test.test.op",
            service: "test",
            method: method.into(),
            path: path.into(),
            path_params: vec![],
            query: Members::new(),
            body: if method == "GET" { Body::None } else { Body::Members(Members::new()) },
            response: None,
            item: None,
            result: None,
            paging: None,
            waiter: None,
            raw_reply: false,
        }
    }

    fn call(path: Map, query: Map, body: Option<Value>) -> Call {
        Call { op: "test.test.op", path, query, body, why: "test", repeat: Repeat::Safe }
    }

    fn map(entries: &[(&str, Value)]) -> Map {
        entries.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()
    }

    fn unknown() -> Value {
        Value::Unknown(Arc::new(Deferred::of(Reference { address: Address::new("jobs", "a"), path: Path::field("id") })))
    }

    #[test]
    fn fills_paths() {
        for (template, name, value, want) in [
            ("/a/{id}/b", "id", Value::Int(9_007_199_254_740_993), "/a/9007199254740993/b"),
            ("/a/{name}", "name", Value::text("a b/c%ü"), "/a/a%20b%2Fc%25%C3%BC"),
            ("/p/{request_object_type}", "request_object_type", Value::text("sql/warehouses"), "/p/sql/warehouses"),
            ("/files{path...}", "path", Value::text("/Volumes/x y/z"), "/files/Volumes/x%20y/z"),
            ("/files/{path...}", "path", Value::text("/Volumes/x"), "/files/Volumes/x"),
        ] {
            let got = build(&operation("GET", template), &call(map(&[(name, value)]), Map::new(), None)).expect(want);
            assert_eq!(got.path, want);
            assert_eq!(got.body, RequestBody::Empty);
        }
    }

    #[test]
    fn refuses_paths_that_would_hit_something_else() {
        for value in [Value::text(""), Value::text(".."), Value::text("."), Value::Null, Value::List(vec![]), unknown()] {
            let error =
                build(&operation("DELETE", "/a/{id}"), &call(map(&[("id", value.clone())]), Map::new(), None)).expect_err("refused");
            assert_eq!((error.kind, error.tries, error.may_have_happened), (ApiErrorKind::Invalid, 0, false), "{value:?}");
        }
        assert!(build(&operation("DELETE", "/a/{id}"), &call(Map::new(), Map::new(), None)).is_err());
    }

    #[test]
    fn encodes_queries() {
        let query = map(&[
            ("force", Value::Bool(true)),
            ("limit", Value::Int(100)),
            ("filter_by", Value::map([("is_pinned", Value::Bool(false)), ("sources", Value::List(vec!["UI".into(), "JOB".into()]))])),
            ("absent", Value::Null),
        ]);
        let got = build(&operation("GET", "/a"), &call(Map::new(), query, None)).unwrap();
        let want = [
            ("force", "true"),
            ("limit", "100"),
            ("filter_by.is_pinned", "false"),
            ("filter_by.sources", "UI"),
            ("filter_by.sources", "JOB"),
        ];
        assert_eq!(got.query, want.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn nothing_unresolved_leaves() {
        let body = Value::map([("a", Value::map([("b", unknown())]))]);
        let error = build(&operation("POST", "/a"), &call(Map::new(), Map::new(), Some(body))).expect_err("refused");
        assert_eq!(error.message, "never sent: the body still waits for `${jobs.a.id}` at a.b");
        let secret = Value::Secret(Arc::new(Deferred {
            source: "${secret(\"T\")}".into(),
            ..Deferred::of(Reference { address: Address::new("x", "y"), path: Path::root() })
        }));
        assert!(build(&operation("POST", "/a"), &call(Map::new(), map(&[("q", secret)]), None)).is_err());
    }

    #[test]
    fn a_post_without_fields_is_an_empty_object() {
        let got = build(&operation("POST", "/a/{id}/start"), &call(map(&[("id", "x".into())]), Map::new(), None)).unwrap();
        assert_eq!(got.body, RequestBody::Json("{}".into()));
    }
}
