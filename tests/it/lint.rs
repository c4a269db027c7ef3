//! A linter of requests over the catalogue: what Brickform sends must be what the API's own description knows. It reads
//! nothing of the kinds, so that a kind cannot be wrong and right at once.
//!
//! `BRICKFORM_LINT_FILE=FILE cargo test --test it lint::` checks a recording too: a line a request,
//! `{"method", "path", "query", "body"}`, as `brickform local serve --record FILE` writes it.

use std::fmt;

use brickform::catalogue::{self, Body, Member, Members, Operation, Type, TypeDef};
use brickform::client::{Request, RequestBody};
use serde_json::Value;

/// The sorts of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    UnknownPath,
    WrongMethod,
    UnknownQuery,
    UnknownField,
    WrongType,
    BadEnum,
    MissingRequired,
    UnexpectedBody,
}

impl Sort {
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::UnknownPath, "unknown-path"),
        (Self::WrongMethod, "wrong-method"),
        (Self::UnknownQuery, "unknown-query"),
        (Self::UnknownField, "unknown-field"),
        (Self::WrongType, "wrong-type"),
        (Self::BadEnum, "bad-enum"),
        (Self::MissingRequired, "missing-required"),
        (Self::UnexpectedBody, "unexpected-body"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(sort, _)| *sort == self).map_or("", |(_, name)| name)
    }
}

/// One thing that the API's description does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub sort: Sort,
    /// `new_settings.tasks[0].task_key`, `?limit`.
    pub place: String,
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.sort.name(), self.place, self.message)
    }
}

/// Services that put a name with slashes into one parameter, unescaped.
const NAMES_WITH_SLASHES: &[&str] = &["/api/2.0/permissions/", "/api/2.0/postgres/"];

/// Operations that take a form of several parts beside JSON.
const TAKE_PARTS: &[&str] = &["/api/2.0/workspace/import", "/api/2.0/dbfs/put"];

/// What the SDK's types demand and the API does not: operation, place.
const NOT_REALLY_REQUIRED: &[(&str, &str)] = &[
    // The type is shared with `update_config`, where the SDK takes the endpoint's name out of it for the path.
    ("serving.serving_endpoints.create", "config.name"),
];

/// What is wrong with a request; nothing where all is well.
pub fn lint(request: &Request) -> Vec<Finding> {
    let operations = match find(&request.method, &request.path) {
        Ok(operations) => operations,
        Err(finding) => return vec![finding],
    };
    // Several operations may share a path: the one that fits best counts.
    operations.into_iter().map(|operation| against(request, operation)).min_by_key(Vec::len).unwrap_or_default()
}

fn against(request: &Request, operation: &Operation) -> Vec<Finding> {
    let mut found = Found::default();
    query(&request.query, operation, &mut found);
    body(&request.body, operation, &mut found);
    let excused = |f: &Finding| f.sort == Sort::MissingRequired && NOT_REALLY_REQUIRED.contains(&(operation.name, f.place.as_str()));
    found.0.retain(|f| !excused(f));
    found.0
}

fn find(method: &str, path: &str) -> Result<Vec<&'static Operation>, Finding> {
    let finding = |sort, message: String| Finding { sort, place: format!("{method} {path}"), message };
    let mut hits: Vec<&Operation> = catalogue::operations().filter(|o| matches(&o.path, path, false)).collect();
    if hits.is_empty() && NAMES_WITH_SLASHES.iter().any(|prefix| path.starts_with(prefix)) {
        hits = catalogue::operations().filter(|o| o.path.contains('{') && matches(&o.path, path, true)).collect();
    }
    if hits.is_empty() {
        return Err(finding(Sort::UnknownPath, "no operation has this path".to_owned()));
    }
    let same: Vec<_> = hits.iter().filter(|o| o.method == method).copied().collect();
    let literal = |o: &Operation| o.path.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest).len()).sum::<usize>();
    if let Some(best) = same.iter().map(|o| literal(o)).max() {
        return Ok(same.into_iter().filter(|o| literal(o) == best).collect());
    }
    let mut methods: Vec<&str> = hits.iter().map(|o| o.method.as_str()).collect();
    methods.sort_unstable();
    methods.dedup();
    Err(finding(Sort::WrongMethod, format!("the path exists with {}", methods.join(", "))))
}

/// Whether a path fits a template: `{x}` is one segment, `{x...}` any number; with `loose` every parameter is.
fn matches(template: &str, path: &str, loose: bool) -> bool {
    let Some((literal, rest)) = template.split_once('{') else { return path == template };
    let (Some(path), Some((name, rest))) = (path.strip_prefix(literal), rest.split_once('}')) else { return false };
    let many = loose || name.ends_with("...");
    let ends = path.char_indices().map(|(i, c)| i + c.len_utf8());
    let reach = if many { path.len() } else { path.find('/').unwrap_or(path.len()) };
    ends.filter(|end| *end <= reach).any(|end| matches(rest, &path[end..], loose))
}

#[derive(Default)]
struct Found(Vec<Finding>);

impl Found {
    fn add(&mut self, sort: Sort, place: impl Into<String>, message: impl Into<String>) {
        self.0.push(Finding { sort, place: place.into(), message: message.into() });
    }

    fn wrong_type(&mut self, place: &str, want: &str, value: &Value) {
        let mut shown = value.to_string();
        if shown.chars().count() > 40 {
            shown = shown.chars().take(37).collect::<String>() + "...";
        }
        self.add(Sort::WrongType, place, format!("want {want}, got {} {shown}", sort_of(value)));
    }
}

fn query(pairs: &[(String, String)], operation: &Operation, found: &mut Found) {
    for (key, value) in pairs {
        let mut parts = key.split('.');
        let first = parts.next().unwrap_or_default();
        let Some(mut ty) = operation.query.get(first).map(|m| &m.ty) else {
            found.add(Sort::UnknownQuery, format!("?{key}"), format!("not a query parameter of {}", operation.name));
            continue;
        };
        let mut known = true;
        for part in parts {
            match struct_of(ty).and_then(|members| members.get(part)) {
                Some(member) => ty = &member.ty,
                None => known = false,
            }
        }
        if known {
            query_value(value, ty, key, found);
        } else {
            found.add(Sort::UnknownQuery, format!("?{key}"), format!("not a member of `{first}` of {}", operation.name));
        }
    }
    for (name, member) in &operation.query {
        let given = pairs.iter().any(|(key, _)| key == name || key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')));
        if member.required && !given {
            found.add(Sort::MissingRequired, format!("?{name}"), format!("a required query parameter of {}", operation.name));
        }
    }
}

fn query_value(text: &str, ty: &Type, key: &str, found: &mut Found) {
    let place = format!("?{key}");
    let fits = match ty {
        Type::List(inner) => return query_value(text, inner, key, found),
        Type::Int | Type::Int64 => text.parse::<i64>().is_ok(),
        Type::Bool => matches!(text, "true" | "false"),
        Type::Number => text.parse::<f64>().is_ok(),
        Type::Named(name) => {
            if let Some(TypeDef::Enum(values)) = catalogue::type_named(name) {
                one_of(text, name, values, &place, found);
            }
            true
        }
        _ => true,
    };
    if !fits {
        found.add(Sort::WrongType, place, format!("want {}, got `{text}`", words(ty)));
    }
}

fn body(body: &RequestBody, operation: &Operation, found: &mut Found) {
    let none = Value::Object(serde_json::Map::new());
    let sent = match body {
        RequestBody::Empty => None,
        RequestBody::Json(text) => match serde_json::from_str(text) {
            Ok(value) => Some(value),
            Err(error) => return found.add(Sort::WrongType, "body", format!("it is not JSON: {error}")),
        },
        RequestBody::Form(pairs) => Some(Value::Object(pairs.iter().map(|(k, v)| (k.clone(), Value::from(v.as_str()))).collect())),
        RequestBody::Bytes(_) if operation.body == Body::Raw => None,
        RequestBody::Bytes(_) if TAKE_PARTS.contains(&operation.path.as_str()) => return,
        RequestBody::Bytes(_) => return found.add(Sort::UnexpectedBody, "body", format!("{} takes no bytes", operation.name)),
    };
    match (&operation.body, sent) {
        (Body::None, Some(value)) if value != none && !value.is_null() => {
            found.add(Sort::UnexpectedBody, "body", format!("{} takes no body", operation.name));
        }
        (Body::None, _) | (Body::Raw, None) => {}
        (Body::Raw, Some(_)) if matches!(body, RequestBody::Form(_)) => {}
        (Body::Raw, Some(_)) => found.add(Sort::UnexpectedBody, "body", format!("{} takes bytes", operation.name)),
        (Body::Members(members), value) => {
            struct_value(&value.unwrap_or(none), members, "", operation.name, Required::Yes, found);
        }
        (Body::Bare(_), None) => found.add(Sort::MissingRequired, "body", format!("{} needs a body", operation.name)),
        (Body::Bare(ty), Some(sent)) => match struct_of(ty) {
            // An update by mask repeats only what it changes.
            Some(members) if operation.method == "PATCH" => struct_value(&sent, members, "", operation.name, Required::Below, found),
            _ => value(&sent, ty, "", found),
        },
    }
}

/// Whether required members must be there.
#[derive(Clone, Copy, PartialEq)]
enum Required {
    Yes,
    /// Only in the structs inside.
    Below,
}

fn struct_value(sent: &Value, members: &Members, place: &str, whose: &str, required: Required, found: &mut Found) {
    let Value::Object(object) = sent else { return found.wrong_type(or_body(place), &format!("an object, {whose}"), sent) };
    let at = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    for (name, inner) in object {
        match members.get(name) {
            Some(Member { ty, .. }) => value(inner, ty, &at(name), found),
            None => found.add(Sort::UnknownField, at(name), format!("not a field of {whose}")),
        }
    }
    for (name, member) in members {
        if required == Required::Yes && member.required && object.get(name).is_none_or(Value::is_null) {
            found.add(Sort::MissingRequired, at(name), format!("required in {whose}"));
        }
    }
}

fn value(sent: &Value, ty: &Type, place: &str, found: &mut Found) {
    let fits = match (ty, sent) {
        (_, Value::Null) | (Type::Any | Type::None | Type::Binary, _) => true,
        (Type::Text | Type::Timestamp | Type::Duration | Type::FieldMask, _) => sent.is_string(),
        (Type::Int64, Value::String(text)) => text.parse::<i64>().is_ok(),
        (Type::Int | Type::Int64, _) => sent.is_i64() || sent.is_u64(),
        (Type::Number, _) => sent.is_number(),
        (Type::Bool, _) => sent.is_boolean(),
        (Type::Object, _) => sent.is_object(),
        (Type::List(inner), Value::Array(items)) => {
            for (i, item) in items.iter().enumerate() {
                value(item, inner, &format!("{place}[{i}]"), found);
            }
            true
        }
        (Type::Map(inner), Value::Object(object)) => {
            for (key, item) in object {
                value(item, inner, &format!("{place}[{key:?}]"), found);
            }
            true
        }
        (Type::List(_) | Type::Map(_), _) => false,
        (Type::Named(name), _) => return named(sent, name, place, found),
    };
    if !fits {
        found.wrong_type(or_body(place), &words(ty), sent);
    }
}

fn named(sent: &Value, name: &str, place: &str, found: &mut Found) {
    match (catalogue::type_named(name), sent) {
        (Some(TypeDef::Struct(members)), _) => struct_value(sent, members, place, name, Required::Yes, found),
        (Some(TypeDef::Enum(values)), Value::String(text)) => one_of(text, name, values, place, found),
        (Some(TypeDef::Enum(_)), _) => found.wrong_type(or_body(place), name, sent),
        (None, _) => {}
    }
}

fn one_of(text: &str, name: &str, values: &[String], place: &str, found: &mut Found) {
    if !values.is_empty() && !values.iter().any(|v| v == text) {
        found.add(Sort::BadEnum, or_body(place), format!("`{text}` is not one of {name}: {}", values.join(", ")));
    }
}

fn struct_of(ty: &Type) -> Option<&'static Members> {
    let Type::Named(name) = ty else { return None };
    if let Some(TypeDef::Struct(members)) = catalogue::type_named(name) { Some(members) } else { None }
}

fn words(ty: &Type) -> String {
    match ty {
        Type::List(inner) => format!("a list of {}", words(inner)),
        Type::Map(inner) => format!("a map to {}", words(inner)),
        Type::Named(name) => name.clone(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn or_body(place: &str) -> &str {
    if place.is_empty() { "body" } else { place }
}

fn sort_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A line of a recording as a request.
pub fn read(line: &str) -> Result<Request, String> {
    let record: Value = serde_json::from_str(line).map_err(|e| format!("not JSON: {e}"))?;
    let text = |name: &str| record[name].as_str().map(str::to_owned).ok_or_else(|| format!("`{name}` is missing"));
    let (method, path) = (text("method")?, text("path")?);
    let (path, tail) = path.split_once('?').map_or((path.as_str(), ""), |(path, tail)| (path, tail));
    let plain = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    let mut query: Vec<(String, String)> = match &record["query"] {
        Value::Object(object) => object
            .iter()
            .flat_map(|(k, v)| {
                let values = v.as_array().cloned().unwrap_or_else(|| vec![v.clone()]);
                values.into_iter().map(move |v| (k.clone(), plain(&v)))
            })
            .collect(),
        Value::Array(pairs) => pairs.iter().map(|p| (plain(&p[0]), plain(&p[1]))).collect(),
        Value::Null => Vec::new(),
        other => return Err(format!("`query` is {}", sort_of(other))),
    };
    query.extend(tail.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())));
    let form = record["content_type"].as_str().is_some_and(|t| t.contains("form-urlencoded"));
    let body = match &record["body"] {
        Value::Null => RequestBody::Empty,
        Value::Object(object) if form => RequestBody::Form(object.iter().map(|(k, v)| (k.clone(), plain(v))).collect()),
        Value::String(text) => RequestBody::Bytes(text.clone().into_bytes()),
        json => RequestBody::Json(json.to_string()),
    };
    Ok(Request { method, path: path.to_owned(), query, headers: Vec::new(), body })
}

/// Every finding of a recording, a line each, with the number of its line; and how many requests there were.
pub fn lint_lines(text: &str) -> (Vec<String>, usize) {
    let mut findings = Vec::new();
    let mut count = 0;
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        count += 1;
        match read(line) {
            Ok(request) => {
                let shown = format!("line {}: {} {}", number + 1, request.method, request.path);
                findings.extend(lint(&request).iter().map(|f| format!("{shown}: {f}")));
            }
            Err(why) => findings.push(format!("line {}: {why}", number + 1)),
        }
    }
    (findings, count)
}

#[test]
fn good_requests_pass() {
    let (findings, count) = lint_lines(include_str!("../data/requests/good.jsonl"));
    assert_eq!(findings, Vec::<String>::new());
    assert!(count >= 20, "{count}");
}

/// Each line says what must be found in it: `"want": ["unknown-field name"]`, all of it and nothing else.
#[test]
fn every_sort_of_mistake_is_found() {
    let mut seen = std::collections::BTreeSet::new();
    for (number, line) in include_str!("../data/requests/bad.jsonl").lines().enumerate() {
        let record: Value = serde_json::from_str(line).expect("JSON");
        let want: Vec<&str> = record["want"].as_array().expect("want").iter().filter_map(Value::as_str).collect();
        let findings = lint(&read(line).expect(line));
        let found: Vec<String> = findings.iter().map(|f| format!("{} {}", f.sort.name(), f.place)).collect();
        assert_eq!(found, want, "line {}: {findings:#?}", number + 1);
        seen.extend(findings.iter().map(|f| f.sort));
    }
    let all: Vec<Sort> = Sort::ALL.iter().map(|(sort, _)| *sort).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all, "a sort of finding has no example");
}

#[test]
fn lines_that_are_no_requests_are_findings() {
    for line in ["{", "[]", r#"{"method":"GET"}"#, r#"{"path":"/x","method":1}"#, r#"{"method":"GET","path":"/x","query":1}"#] {
        assert!(read(line).is_err(), "{line}");
        assert_eq!(lint_lines(line).0.len(), 1, "{line}");
    }
}

#[test]
fn the_recording_that_the_environment_names_passes() {
    let outside = brickform::model::Outside::real().expect("a current folder");
    let Some(file) = outside.variable("BRICKFORM_LINT_FILE") else { return };
    let text = std::fs::read_to_string(outside.path(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    let (findings, count) = lint_lines(&text);
    assert!(count > 0, "{file} holds no requests");
    assert!(findings.is_empty(), "{file}: {count} requests, findings:\n{}", findings.join("\n"));
}
