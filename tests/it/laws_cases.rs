//! The data of the laws: for each kind documents and what they are expected to do, from the API's reference.

use std::path::Path;
use std::sync::Arc;

use brickform::diagnostic::Source;
use brickform::model::{Value, json};
use brickform::yaml;

/// A document and the writes that lead to it.
#[derive(Debug, Clone)]
pub struct Transition {
    /// The resources, as a user writes them.
    pub document: String,
    /// `METHOD PATH BODY`, in order; `*` stands for anything.
    pub requests: Vec<String>,
}

/// One of absent, null, false, zero, empty at one field.
#[derive(Debug, Clone)]
pub struct Distinct {
    /// The document.
    pub document: String,
    /// The field of the body.
    pub field: String,
    /// What is written: YAML, or nothing.
    pub given: Option<String>,
    /// What is sent for it.
    pub sent: Wire,
}

/// What goes over the wire for a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Wire {
    /// The field is not in the body.
    Absent,
    /// This value.
    Value(Value),
    /// Nothing: the document is refused.
    Refused,
}

/// Everything about one kind.
#[derive(Debug, Clone)]
pub struct Case {
    /// The kind.
    pub kind: String,
    /// What the environment says of its workspace.
    pub workspace: Option<String>,
    /// Requests that made the world before Brickform came.
    pub before: Vec<String>,
    /// The first document, then what becomes of it.
    pub transitions: Vec<Transition>,
    /// Whether deleting one destroys data: it must not go because YAML went.
    pub holds_data: bool,
    /// Whether the documents hold the planted secret: it must be sent, and be nowhere else.
    pub secret: bool,
    /// Five different things.
    pub distinct: Vec<Distinct>,
}

/// Cases of kinds that have another API besides.
pub const OTHER_APIS: &[&str] = &["spaces_agents"];

/// The case of a kind; none if there is no file.
pub fn of(kind: &str) -> Option<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/laws").join(format!("{kind}.yaml"));
    let text = std::fs::read_to_string(&path).ok()?;
    let source = Arc::new(Source { name: path.display().to_string(), text });
    let nodes = yaml::parse(&source).unwrap_or_else(|d| panic!("{d:?}"));
    Some(case(kind, &nodes[0].value()))
}

fn case(kind: &str, data: &Value) -> Case {
    let known = ["kind", "workspace", "before", "create", "updates", "holds_data", "secret", "distinct"];
    for key in data.as_map().expect("a map").keys() {
        assert!(known.contains(&key.as_str()), "{kind}: {key}");
    }
    let updates = data.get("updates").and_then(Value::as_list).unwrap_or_default();
    Case {
        kind: data.get("kind").and_then(Value::as_str).unwrap_or(kind).to_owned(),
        workspace: data.get("workspace").and_then(Value::as_str).map(str::to_owned),
        before: texts(data.get("before")),
        transitions: std::iter::once(data.get("create").expect("create")).chain(updates).map(transition).collect(),
        holds_data: data.get("holds_data").is_some_and(|v| *v == Value::Bool(true)),
        secret: data.get("secret").is_some_and(|v| *v == Value::Bool(true)),
        distinct: data.get("distinct").map(distinct).unwrap_or_default(),
    }
}

fn transition(data: &Value) -> Transition {
    Transition { document: text(data, "document"), requests: texts(data.get("requests")) }
}

fn distinct(data: &Value) -> Vec<Distinct> {
    let document = text(data, "document");
    let cases = data.get("cases").and_then(Value::as_list).expect("cases");
    cases
        .iter()
        .map(|case| {
            let given = Some(text(case, "given")).filter(|g| g != "absent");
            let sent = match text(case, "sent").as_str() {
                "absent" => Wire::Absent,
                "error" => Wire::Refused,
                value => Wire::Value(json::parse(value.as_bytes()).expect("JSON")),
            };
            Distinct { document: document.clone(), field: text(case, "of"), given, sent }
        })
        .collect()
}

impl Distinct {
    /// The document with the field as given, and every other open field left out.
    pub fn written(&self) -> String {
        let own = format!("{}: $", self.field);
        let line = |line: &str| match (line.contains('$'), line.trim_start().starts_with(&own), &self.given) {
            (true, true, Some(given)) => Some(format!("{}{given}", &line[..line.find('$').expect("it holds one")])),
            (true, _, _) => None,
            (false, _, _) => Some(line.to_owned()),
        };
        self.document.lines().filter_map(line).collect::<Vec<_>>().join("\n") + "\n"
    }
}

fn text(data: &Value, name: &str) -> String {
    data.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{name} in {data:?}")).to_owned()
}

fn texts(data: Option<&Value>) -> Vec<String> {
    let list = data.and_then(Value::as_list).unwrap_or_default();
    list.iter().map(|v| v.as_str().expect("text").to_owned()).collect()
}
