//! Secrets in scopes.

use super::call::{Call, Repeat};
use super::{Calls, Change};
use super::{Fact, Hooks, Identity, Kind, List, Natural, Parent, Path, Read, Refusal, Rename, Request, Rows, Unique, Update, Value};
use crate::model::Map;

/// Secrets: a put makes or overwrites one, and nothing gives its value back. That there is one, and since when, only the
/// list of its scope says. Changes are seen by the keyed fingerprint of the value, or by `version`, which is never sent.
pub static SECRETS: Kind = Kind {
    name: "secrets",
    singular: "secret",
    create: Some(Request::bare("workspace.secrets.put_secret")),
    read: Read::plain(""),
    list: Some(List { op: "workspace.secrets.list_secrets", query: &[], rows: Rows::Whole }),
    update: Update::Custom(put),
    delete: Some(Request::bare("workspace.secrets.delete_secret")),
    identity: Identity::Named { parts: &["scope", "key"], join: "/", rename: Rename::Replaces },
    natural: Natural { fields: &["scope", "key"], unique: Unique::Yes },
    fields: &[
        ("scope", "text!"),
        ("key", "text!"),
        ("string_value", "text"),
        ("bytes_value", "text"),
        ("version", "text"),
        ("last_updated_timestamp", "int64"),
    ],
    facts: &[
        ("scope", Fact::CaseBlind),
        ("scope", Fact::Immutable),
        ("key", Fact::Immutable),
        ("string_value", Fact::Secret),
        ("bytes_value", Fact::Secret),
        ("version", Fact::InputOnly),
        ("last_updated_timestamp", Fact::Computed),
    ],
    parents: &[Parent { field: "scope", kind: "secret_scopes", listed_by: true }],
    spellings: &[("value", "string_value")],
    hooks: Hooks { wire: Some(wire), check: Some(check), ..Hooks::NONE },
    ..Kind::PLAIN
};

fn wire(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(map) = body.as_map_mut() {
        map.shift_remove("version");
    }
    body
}

/// The whole secret over what is there.
#[expect(clippy::unnecessary_wraps, reason = "the form of an update function")]
fn put(change: &Change<'_>) -> Calls {
    let fields = ["scope", "key", "string_value", "bytes_value"].into_iter();
    let body = Some(Value::map(fields.filter_map(|f| Some((f, change.desired.get(f)?.clone())))));
    let op = "workspace.secrets.put_secret";
    Ok(vec![Call { op, path: Map::new(), query: Map::new(), body, why: "update", repeat: Repeat::Safe }])
}

/// One value, and names that the API takes.
fn check(body: &Value) -> Vec<Refusal> {
    let mut found: Vec<Refusal> = ["scope", "key"].iter().filter_map(|field| super::limits::secret_name(body, field)).collect();
    match ["string_value", "bytes_value"].iter().filter(|field| body.get(field).is_some()).count() {
        1 => {}
        0 => found.push(Refusal {
            path: Path::default(),
            reason: "a secret needs a value: `value: ${secret('NAME')}`, which is read when it is sent".to_owned(),
        }),
        _ => found.push(Refusal { path: Path::field("bytes_value"), reason: "a secret has one value, as text or as bytes".to_owned() }),
    }
    found
}
