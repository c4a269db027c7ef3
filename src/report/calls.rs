//! Requests as a person reads them: method, path with its parameters filled in, query.

use super::value::inline;
use crate::catalogue;
use crate::kinds::Call;
use crate::model::{Map, Value};

/// A request's line: `POST /api/2.2/jobs/create`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `POST`; `?` where the catalogue does not know the operation.
    pub method: String,
    /// The path with its parameters; the operation's name where the catalogue does not know it.
    pub path: String,
}

/// The line of a call.
#[must_use]
pub fn line(call: &Call) -> Line {
    let Some(operation) = catalogue::operation(call.op) else {
        return Line { method: "?".to_owned(), path: call.op.to_owned() };
    };
    Line { method: operation.method.clone(), path: format!("{}{}", filled(&operation.path, &call.path), query(&call.query)) }
}

/// The path with `{name}` and `{name...}` replaced.
fn filled(template: &str, values: &Map) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match values.get(name.trim_end_matches("...")) {
            Some(value) => out.push_str(&bare(value)),
            None => out.push_str(&format!("{{{name}}}")),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn query(values: &Map) -> String {
    let each = |name: &str, value: &Value| format!("{name}={}", bare(value));
    let pairs: Vec<String> = values
        .iter()
        .flat_map(|(name, value)| match value {
            Value::List(list) => list.iter().map(|v| each(name, v)).collect(),
            one => vec![each(name, one)],
        })
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| inline(value), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{filled, query};
    use crate::model::{Map, Value};

    #[test]
    fn parameters_stand_in_the_path() {
        let values: Map = [("id".to_owned(), Value::Int(7)), ("full_name".to_owned(), Value::text("main.silver"))].into_iter().collect();
        assert_eq!(filled("/api/2.0/x/{id}/y/{full_name}", &values), "/api/2.0/x/7/y/main.silver");
        assert_eq!(filled("/api/2.0/x/{path...}/{other}", &Map::new()), "/api/2.0/x/{path...}/{other}");
        assert_eq!(query(&values), "?id=7&full_name=main.silver");
        assert_eq!(query(&Map::new()), "");
    }
}
