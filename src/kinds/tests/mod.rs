//! Tests over all kinds, and tables of changes and calls for each.

mod calls;
mod declarations;
mod views;

use super::{Call, Change, Context, Kind, Registry, create_calls, update_calls};
use crate::model::{Address, Path, Value, json};

/// JSON, or a panic: these are literals.
fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn kind(name: &str) -> &'static Kind {
    Registry::standard().get(name).unwrap_or_else(|| panic!("{name}"))
}

fn paths(texts: &[&str]) -> Vec<Path> {
    texts.iter().map(|t| t.parse().unwrap()).collect()
}

/// A call as a line: `POST /api/2.2/jobs/reset?x=y {...}`; what is unknown reads `(known after apply)`.
fn line(call: &Call) -> String {
    let operation = crate::catalogue::operation(call.op).unwrap();
    let mut path = operation.path.clone();
    for (name, value) in &call.path {
        let before = path.clone();
        path = path.replace(&format!("{{{name}}}"), &value.key_text());
        assert_ne!(before, path, "{} has no {name}", call.op);
    }
    assert!(!path.contains('{'), "{path}: a parameter is missing");
    let each = |(name, value): (&String, &Value)| match value {
        Value::List(list) => list.iter().map(|v| format!("{name}={}", v.key_text())).collect(),
        one => vec![format!("{name}={}", one.key_text())],
    };
    let pairs: Vec<String> = call.query.iter().flat_map(each).collect();
    if !pairs.is_empty() {
        path.push('?');
        path.push_str(&pairs.join("&"));
    }
    let body = call.body.as_ref().map(json::display).map(|b| format!(" {b}")).unwrap_or_default();
    format!("{} {path}{body}", operation.method)
}

fn lines(calls: &[Call]) -> Vec<String> {
    calls.iter().map(line).collect()
}

/// A change of `id` in a kind, from JSON.
struct Case<'a> {
    kind: &'a str,
    id: &'a str,
    live: &'a str,
    desired: &'a str,
    applied: &'a str,
    paths: &'a [&'a str],
    context: Context<'a>,
}

const CASE: Case<'static> = Case {
    kind: "",
    id: "",
    live: "",
    desired: "{}",
    applied: "",
    paths: &[],
    context: Context { deployer: None, parent: None, maker: None, exclusive: false, called: None },
};

impl Case<'_> {
    fn run(&self, create: bool) -> Result<Vec<String>, String> {
        let address: Address = format!("{}.x", self.kind).parse().unwrap();
        let some = |text: &str| (!text.is_empty()).then(|| value(text));
        let (live, applied, desired, paths) = (some(self.live), some(self.applied), value(self.desired), paths(self.paths));
        let id = Value::from(self.id);
        let change = Change {
            address: &address,
            id: &id,
            applied: applied.as_ref(),
            live: live.as_ref(),
            desired: &desired,
            paths: &paths,
            context: self.context,
        };
        let kind = kind(self.kind);
        let calls = if create { create_calls(kind, &change) } else { update_calls(kind, &change) };
        calls.map(|c| lines(&c)).map_err(|r| format!("{}: {}", r.path, r.reason))
    }

    fn updates(&self) -> Vec<String> {
        self.run(false).unwrap()
    }

    fn creates(&self) -> Vec<String> {
        self.run(true).unwrap()
    }
}
