//! Genie spaces on their ways: from a workspace to files and to another workspace, from other programs' files and states.

mod carried;
mod commands;
mod forge;
mod names;
#[path = "../../../src/kinds/spaces/random.rs"]
#[allow(dead_code, reason = "unit tests take the same file, and use other parts of it")]
mod random;
mod round;
mod told;

use brickform::client::{Request, RequestBody};
use brickform::model::json;
use serde_json::Value;

use super::walk::Served;

/// Sends a request past everything that is tried here. Gives what is answered.
fn send(served: &Served, method: &str, path: &str, body: &Value) -> Value {
    let body = if body.is_null() { RequestBody::Empty } else { RequestBody::Json(body.to_string()) };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let request = Request { method: method.to_owned(), path: path.to_owned(), query, headers: vec![], body };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answer = runtime.block_on(served.workspace.handle(request)).expect("it answers");
    let text = String::from_utf8(answer.body).expect("UTF-8");
    assert_eq!(answer.status, 200, "{method} {path} {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// Makes a space as somebody makes it in the UI. Gives its id.
fn made(served: &Served, title: &str, export: &Value) -> String {
    let body = serde_json::json!({ "title": title, "warehouse_id": "w", "serialized_space": export.to_string() });
    send(served, "POST", "/api/2.0/genie/spaces", &body)["space_id"].as_str().expect("an id").to_owned()
}

/// What a workspace keeps of its spaces, by title.
fn kept(served: &Served) -> std::collections::BTreeMap<String, Value> {
    let read =
        |space: brickform::model::Value| -> Value { serde_json::from_str(&json::write(&space).expect("it is known")).expect("JSON") };
    let spaces = served.spaces().into_iter().map(read);
    spaces.map(|space| (space["title"].as_str().unwrap_or_default().to_owned(), space)).collect()
}
