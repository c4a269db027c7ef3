//! Every request and its answer as a line of JSON.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use crate::client::{Request, RequestBody, Response};
use crate::model::{Map, Value, json};

/// Fields of a form and of a token reply that are credentials.
const CREDENTIALS: [&str; 8] =
    ["client_secret", "assertion", "subject_token", "access_token", "refresh_token", "password", "string_value", "bytes_value"];

/// A file being recorded into.
pub struct Record(Mutex<File>);

impl Record {
    /// Opens the file, to go on where it ends.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(file: &Path) -> std::io::Result<Self> {
        Ok(Self(Mutex::new(File::options().create(true).append(true).open(file)?)))
    }

    /// Writes one line: `method`, `path`, `query`, `body`, `content_type`, `status` (0: cut), `response`, and `ignored`,
    /// the members of the body that the server did not know. Form credentials are left out.
    pub fn line(&self, request: &Request, response: Option<&Response>, ignored: &[String]) {
        let (content_type, body) = match &request.body {
            RequestBody::Empty => (Value::Null, Value::Null),
            RequestBody::Json(text) => ("application/json".into(), json::parse(text.as_bytes()).unwrap_or_else(|_| text.as_str().into())),
            RequestBody::Form(pairs) => ("application/x-www-form-urlencoded".into(), without_credentials(pairs_map(pairs))),
            RequestBody::Bytes(bytes) => ("application/octet-stream".into(), String::from_utf8_lossy(bytes).into_owned().into()),
        };
        let reply = response.map_or(Value::Null, |r| match json::parse(&r.body) {
            Ok(Value::Map(map)) => without_credentials(map),
            Ok(other) => other,
            Err(_) => Value::Null,
        });
        let mut line = Map::new();
        line.insert("method".to_owned(), request.method.as_str().into());
        line.insert("path".to_owned(), request.path.as_str().into());
        line.insert("query".to_owned(), Value::Map(pairs_map(&request.query)));
        line.insert("body".to_owned(), body);
        line.insert("content_type".to_owned(), content_type);
        line.insert("status".to_owned(), Value::Int(response.map_or(0, |r| i64::from(r.status))));
        line.insert("response".to_owned(), reply);
        if !ignored.is_empty() {
            line.insert("ignored".to_owned(), Value::List(ignored.iter().map(|i| i.as_str().into()).collect()));
        }
        let Ok(mut text) = json::write(&Value::Map(line)) else { return };
        text.push('\n');
        if let Ok(mut file) = self.0.lock() {
            // A full disk must not fail the request that is recorded.
            let _unwritten = file.write_all(text.as_bytes());
        }
    }
}

/// Pairs as a map; a repeated key is a list.
fn pairs_map(pairs: &[(String, String)]) -> Map {
    let mut map = Map::new();
    for (key, value) in pairs {
        match map.get_mut(key) {
            None => {
                map.insert(key.clone(), value.as_str().into());
            }
            Some(Value::List(list)) => list.push(value.as_str().into()),
            Some(other) => *other = Value::List(vec![other.clone(), value.as_str().into()]),
        }
    }
    map
}

fn without_credentials(mut map: Map) -> Value {
    for (key, value) in &mut map {
        if CREDENTIALS.contains(&key.as_str()) {
            *value = "(left out)".into();
        }
    }
    Value::Map(map)
}
