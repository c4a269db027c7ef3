//! Values as a person reads them: on one line, in a few words, or in lines as YAML would write them.

use crate::model::url::masked;
use crate::model::{Deferred, Map, Value, Variable};

/// On one line. Unknown reads `(known after apply)`, what a lookup will answer `(lookup)`, secrets `(sensitive)`.
#[must_use]
pub fn inline(value: &Value) -> String {
    let mut out = String::new();
    put(value, &mut out);
    out
}

fn put(value: &Value, out: &mut String) {
    match value {
        Value::Unknown(deferred) => out.push_str(unknown(deferred)),
        Value::Secret(_) => out.push_str("(sensitive)"),
        Value::Map(map) if is_recorded_secret(map) => out.push_str("(sensitive)"),
        Value::List(list) => {
            out.push('[');
            for (i, item) in list.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                put(item, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (i, (k, v)) in map.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                out.push_str(&key(k));
                out.push_str(": ");
                put(v, out);
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Text(_) => {
            out.push_str(&super::style::visible(&crate::model::json::display(value)));
        }
    }
}

/// A value whose URLs show no credentials.
#[must_use]
pub fn masked_in(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(masked(text).into_owned()),
        Value::List(items) => Value::List(items.iter().map(masked_in).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(name, value)| (name.clone(), masked_in(value))).collect()),
        other => other.clone(),
    }
}

fn unknown(deferred: &Deferred) -> &'static str {
    let only_lookups = !deferred.waits.is_empty() && deferred.waits.iter().all(|w| matches!(w, Variable::Lookup(_)));
    if only_lookups { "(lookup)" } else { "(known after apply)" }
}

/// The form in which the state records a secret.
#[must_use]
pub fn is_recorded_secret(map: &Map) -> bool {
    map.contains_key("$secret")
}

/// A key of a map: plain where it can be.
fn key(text: &str) -> String {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'));
    if plain { text.to_owned() } else { serde_json::to_string(text).unwrap_or_default() }
}

/// An item of a list in a few words: `CAN_RUN  group "analysts"`, `analysts: SELECT, USE_SCHEMA`, else on one line.
#[must_use]
pub fn brief(item: &Value) -> String {
    entry(item).unwrap_or_else(|| inline(item))
}

/// An entry of an access list in a few words, if it is one.
#[must_use]
pub fn entry(item: &Value) -> Option<String> {
    access(item).or_else(|| privileges(item)).or_else(|| group_member(item)).or_else(|| of_scope(item)).or_else(|| library(item))
}

/// An entry of a secret scope's list: `READ  "analysts"`.
fn of_scope(item: &Value) -> Option<String> {
    let map = item.as_map().filter(|m| m.len() == 2)?;
    let (principal, level) = (map.get("principal")?, map.get("permission")?.as_str()?);
    Some(format!("{level}  {}", inline(principal)))
}

/// A library of a cluster: `pypi "simplejson==3.8.0"`, `maven "g:a:1"  repo "https://.."`.
fn library(item: &Value) -> Option<String> {
    const SORTS: [&str; 7] = ["pypi", "whl", "requirements", "maven", "jar", "cran", "egg"];
    let map = item.as_map().filter(|m| m.len() == 1)?;
    let (sort, of) = map.iter().find(|(name, _)| SORTS.contains(&name.as_str()))?;
    let Some(fields) = of.as_map() else { return Some(format!("{sort} {}", inline(of))) };
    let name = fields.get("package").or_else(|| fields.get("coordinates"))?;
    let rest = fields.iter().filter(|(field, _)| !matches!(field.as_str(), "package" | "coordinates"));
    let rest = rest.map(|(field, value)| format!("{field} {}", inline(value)));
    Some(std::iter::once(format!("{sort} {}", inline(name))).chain(rest).collect::<Vec<_>>().join("  "))
}

/// A member of a group: what it is called, and its id where that is known.
fn group_member(item: &Value) -> Option<String> {
    let map = item.as_map().filter(|m| m.len() == 2)?;
    let (id, name) = (map.get("value")?, map.get("display")?.as_str()?);
    Some(if let Value::Text(id) = id { format!("{name}  (id {id})") } else { name.to_owned() })
}

fn access(item: &Value) -> Option<String> {
    let map = item.as_map().filter(|m| m.len() == 2)?;
    let level = map.get("permission_level")?.as_str()?;
    let (field, principal) = map.iter().find(|(k, _)| *k != "permission_level")?;
    let sort = match field.as_str() {
        "user_name" => "user",
        "group_name" => "group",
        "service_principal_name" => "service principal",
        _ => return None,
    };
    Some(format!("{level}  {sort} {}", inline(principal)))
}

fn privileges(item: &Value) -> Option<String> {
    let map = item.as_map().filter(|m| m.len() == 2)?;
    let list = map.get("privileges")?.as_list()?;
    let principal = map.get("principal")?;
    let names: Vec<String> = list.iter().map(|p| p.as_str().map_or_else(|| inline(p), str::to_owned)).collect();
    let principal = principal.as_str().map_or_else(|| inline(principal), str::to_owned);
    Some(format!("{principal}: {}", names.join(", ")))
}

/// In lines of at most this width where that can be, as YAML would write it.
#[must_use]
pub fn block(value: &Value, width: usize) -> Vec<String> {
    if fits(value, width) { vec![inline(value)] } else { body(value, width) }
}

/// As [`block`], but each field or item of the value on a line of its own, however short.
#[must_use]
pub fn body(value: &Value, width: usize) -> Vec<String> {
    match value {
        Value::Map(map) if !map.is_empty() && !is_recorded_secret(map) => {
            map.iter().flat_map(|(k, v)| member(&format!("{}:", key(k)), v, width)).collect()
        }
        Value::List(list) if !list.is_empty() => list.iter().flat_map(|item| listed(item, width)).collect(),
        Value::Text(text) if text.contains('\n') => text.lines().map(|line| super::style::visible(line).into_owned()).collect(),
        _ => vec![inline(value)],
    }
}

/// Whether a value reads well on one line of this width.
fn fits(value: &Value, width: usize) -> bool {
    !value.any(&|v| matches!(v, Value::Text(t) if t.contains('\n'))) && super::style::columns(&inline(value)) <= width
}

fn member(name: &str, value: &Value, width: usize) -> Vec<String> {
    let parts = match value {
        Value::Map(map) => !map.is_empty() && !is_recorded_secret(map),
        Value::List(list) => !list.is_empty(),
        Value::Text(text) => text.contains('\n'),
        _ => false,
    };
    if !parts || fits(value, width.saturating_sub(super::style::columns(name) + 1)) {
        return vec![format!("{name} {}", inline(value))];
    }
    let first = if matches!(value, Value::Text(_)) { format!("{name} |") } else { name.to_owned() };
    std::iter::once(first).chain(body(value, width.saturating_sub(2)).into_iter().map(|l| format!("  {l}"))).collect()
}

fn listed(item: &Value, width: usize) -> Vec<String> {
    let short = brief(item);
    let lines = if super::style::columns(&short) + 2 <= width { vec![short] } else { block(item, width.saturating_sub(2)) };
    lines.into_iter().enumerate().map(|(i, l)| format!("{}{l}", if i == 0 { "- " } else { "  " })).collect()
}

#[cfg(test)]
mod tests {
    use super::{block, body, brief, inline};
    use crate::model::{Value, json};

    fn value(text: &str) -> Value {
        json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn on_one_line() {
        for (given, want) in [
            (r#"{"a":1,"b c":[null,false,""]}"#, r#"{a: 1, "b c": [null, false, ""]}"#),
            (r#"{"$secret":"${secret('X')}","fingerprint":"ab"}"#, "(sensitive)"),
            (r#"{"token":{"$secret":"x"}}"#, "{token: (sensitive)}"),
            ("[]", "[]"),
        ] {
            assert_eq!(inline(&value(given)), want);
        }
    }

    #[test]
    fn in_a_few_words() {
        for (given, want) in [
            (r#"{"group_name":"ops","permission_level":"CAN_RUN"}"#, r#"CAN_RUN  group "ops""#),
            (r#"{"permission_level":"CAN_RUN","service_principal_name":"x"}"#, r#"CAN_RUN  service principal "x""#),
            (r#"{"principal":"ops","privileges":["SELECT","MODIFY"]}"#, "ops: SELECT, MODIFY"),
            (r#"{"principal":"analysts","permission":"READ"}"#, r#"READ  "analysts""#),
            (r#"{"pypi":{"package":"simplejson==3.8.0"}}"#, r#"pypi "simplejson==3.8.0""#),
            (r#"{"maven":{"coordinates":"g:a:1","repo":"https://r"}}"#, r#"maven "g:a:1"  repo "https://r""#),
            (r#"{"whl":"/Volumes/a/b.whl"}"#, r#"whl "/Volumes/a/b.whl""#),
            (r#"{"permission_level":"CAN_RUN","inherited":true}"#, r#"{permission_level: "CAN_RUN", inherited: true}"#),
            ("\"x\"", "\"x\""),
        ] {
            assert_eq!(brief(&value(given)), want);
        }
    }

    #[test]
    fn in_lines_where_one_is_too_short() {
        let tasks = value(r#"[{"task_key":"load","sql_task":{"warehouse_id":"abc","query":{"query_id":"12345678"}}},{"task_key":"b"}]"#);
        assert_eq!(
            block(&tasks, 40),
            [
                "- task_key: \"load\"",
                "  sql_task:",
                "    warehouse_id: \"abc\"",
                "    query: {query_id: \"12345678\"}",
                "- {task_key: \"b\"}"
            ]
        );
        let nested = value(r#"{"queue":{"enabled":true},"depends_on":[{"task_key":"load"}],"t":{"$secret":"x"}}"#);
        assert_eq!(block(&nested, 0), ["queue:", "  enabled: true", "depends_on:", "  - task_key: \"load\"", "t: (sensitive)"]);
        assert_eq!(body(&nested, 40), ["queue: {enabled: true}", "depends_on: [{task_key: \"load\"}]", "t: (sensitive)"]);
        assert_eq!(block(&value(r#"{"sql":"SELECT 1\nFROM t\n"}"#), 40), ["sql: |", "  SELECT 1", "  FROM t"]);
    }
}
