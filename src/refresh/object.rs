//! One object: its normal form, its id, its natural key, whether it is gone, how it is read.

use std::str::FromStr as _;

use super::{ApiError, Client, Kind, Value};
use crate::client::ApiErrorKind;
use crate::kinds::{self, Call, Fact, Gone, Identity, Rows, from_reply, natural_text, read_call};
use crate::model::Path;

/// The id of an object in its normal form; none where a part of it is missing, empty or not known yet.
pub fn id_of(kind: &Kind, body: &Value) -> Option<String> {
    text_of(&kinds::id_of(kind, body)?)
}

/// The id as the server compares it: names of some kinds are blind to case.
pub fn same_id(kind: &Kind, id: &str) -> String {
    let Identity::Named { parts, join, .. } = kind.identity else { return id.to_owned() };
    let is_blind = |part: &str| kind.facts.iter().any(|(at, fact)| *at == part && matches!(fact, Fact::CaseBlind));
    let fold = |(at, word): (usize, &str)| if parts.get(at).is_some_and(|p| is_blind(p)) { word.to_lowercase() } else { word.to_owned() };
    // Only the last part may hold what joins them.
    id.splitn(parts.len().max(1), join).enumerate().map(fold).collect::<Vec<_>>().join(join)
}

/// The text of an id or name; none for what is empty, unknown or no scalar.
pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        Value::Int(_) | Value::UInt(_) => Some(value.key_text()),
        _ => None,
    }
}

/// The values of the natural key; a missing one is empty.
pub fn natural_of(kind: &'static Kind, body: &Value) -> Vec<String> {
    kind.natural.fields.iter().map(|field| body.get(field).map_or(String::new(), |value| natural_text(kind, field, value))).collect()
}

/// A natural key as the server compares it: names of some kinds are blind to case.
pub fn folded(kind: &Kind, natural: &[String]) -> Vec<String> {
    let blind = |field: &str| kind.facts.iter().any(|(at, fact)| *at == field && matches!(fact, Fact::CaseBlind));
    kind.natural.fields.iter().zip(natural).map(|(field, name)| if blind(field) { name.to_lowercase() } else { name.clone() }).collect()
}

/// Whether this error means that the object is gone. A path that the server does not know is no object that is gone, and
/// a web page is no answer.
pub fn is_gone(kind: &Kind, error: &ApiError) -> bool {
    if error.kind == ApiErrorKind::NotFound && error.code != "ENDPOINT_NOT_FOUND" {
        return true;
    }
    let says = |status: u16, text: &str| error.status == Some(status) && error.message.to_lowercase().contains(&text.to_lowercase());
    kind.gone.iter().any(|gone| matches!(gone, Gone::Text(status, text) if says(*status, text)))
}

/// Whether this error means that the workspace has not the API which was asked: then another API of the same objects may be.
pub fn has_no_api(error: &ApiError) -> bool {
    error.code == "ENDPOINT_NOT_FOUND" || error.status == Some(501)
}

/// Whether an object that answers is gone all the same: trashed, deleted.
pub fn is_trashed(kind: &Kind, body: &Value) -> bool {
    let has = |at: &str, word: &str| at_text(body, at).is_some_and(|value| value.key_text() == word);
    kind.gone.iter().any(|gone| matches!(gone, Gone::Field(at, word) if has(at, word)))
}

/// Whether a row of the list is the whole object.
pub fn is_whole(kind: &Kind, row: &Value) -> bool {
    match kind.list.map(|list| list.rows) {
        Some(Rows::Whole) => true,
        Some(Rows::WholeUnless(at)) => at_text(row, at).and_then(Value::as_bool) != Some(true),
        Some(Rows::Names) | None => false,
    }
}

/// The object without the mark that says that there is more of it.
pub fn unmarked(kind: &Kind, mut body: Value) -> Value {
    if let (Some(Rows::WholeUnless(mark)), Some(map)) = (kind.list.map(|list| list.rows), body.as_map_mut()) {
        map.shift_remove(mark);
    }
    body
}

fn at_text<'a>(body: &'a Value, at: &str) -> Option<&'a Value> {
    body.at(&Path::from_str(at).ok()?)
}

/// The call that reads one.
pub fn read_of(kind: &'static Kind, id: &str, body: &Value, names: &[&str]) -> Option<Call> {
    if kind.read.op.is_empty() { None } else { read_call(kind, &Value::text(id), body, names) }
}

/// Reads one; none if it is gone.
pub async fn get(client: &Client, kind: &'static Kind, call: &Call) -> Result<Option<Value>, ApiError> {
    let reply = match kind.read.pages {
        "" => client.call(call).await,
        token => client.read_pages(call, token, kind.read.reply).await,
    };
    let reply = match (reply, kinds::second_read(kind, call)) {
        (Ok(reply), Some(second)) => client.call(&second).await.map(|beside| joined(reply.body, beside.body)),
        (reply, _) => reply.map(|reply| reply.body),
    };
    match reply {
        Ok(reply) => match kinds::lacking(kind, &reply) {
            Some(why) => Err(in_part(why, call)),
            None => Ok(Some(unmarked(kind, from_reply(kind, reply))).filter(|body| !is_trashed(kind, body))),
        },
        Err(error) if is_gone(kind, &error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The error of an answer that tells of an object and not of what is in it: taking that for an empty one would delete it.
#[must_use]
pub fn in_part(why: String, call: &Call) -> ApiError {
    ApiError {
        kind: ApiErrorKind::BadReply,
        status: None,
        code: String::new(),
        message: why,
        request: call.op.to_owned(),
        request_id: None,
        tries: 1,
        may_have_happened: false,
    }
}

/// The members of both replies; those of the first win.
fn joined(first: Value, beside: Value) -> Value {
    match (first, beside) {
        (Value::Map(mut first), Value::Map(beside)) => {
            for (name, value) in beside {
                first.entry(name).or_insert(value);
            }
            Value::Map(first)
        }
        (first, _) => first,
    }
}
