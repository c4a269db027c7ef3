//! The workspace's own settings.

use super::{Calls, Change, Hooks, Identity, Kind, Lifetime, Natural, Path, Read, Refusal, Request, Unique, Update, Value, call};
use crate::model::Map;

/// Settings of the workspace: always there, read by name, patched as a map of text (replies are text, too).
pub static WORKSPACE_CONF: Kind = Kind {
    name: "workspace_conf",
    singular: "workspace setting",
    read: Read { names: "keys", ..Read::plain("settings.workspace_conf.get_status") },
    update: Update::Custom(update),
    identity: Identity::Single("workspace_conf"),
    natural: Natural { fields: &[], unique: Unique::Yes },
    lifetime: Lifetime::Setting,
    link: Some("/settings/workspace"),
    hooks: Hooks { normal: Some(as_text), ..Hooks::NONE },
    ..Kind::PLAIN
};

/// Booleans and numbers as the API spells them.
fn as_text(body: Value) -> Value {
    match body {
        Value::Map(settings) => Value::Map(settings.into_iter().map(|(name, value)| (name, as_text(value))).collect()),
        Value::Bool(_) | Value::Int(_) | Value::UInt(_) => Value::Text(body.key_text()),
        other => other,
    }
}

/// What changed. A setting has no unset: a null, which is what a setting held that nobody had set, becomes `false` for a
/// switch and empty text for others, as Terraform does it.
fn update(change: &Change<'_>) -> Calls {
    let is_switch = |name: &str| {
        let values = [change.live, change.applied].map(|b| b.and_then(|b| b.get(name)).and_then(Value::as_str));
        values.iter().flatten().any(|v| matches!(*v, "true" | "false"))
    };
    let mut settings = Map::new();
    for name in change.paths.iter().filter_map(Path::first_field) {
        let value = match change.desired.get(name) {
            Some(Value::Null) if is_switch(name) => Value::from("false"),
            Some(Value::Null) => Value::from(""),
            Some(value) => value.clone(),
            None => {
                let reason = format!("`{name}` cannot be unset, because nobody knows what it held before: write the value you want");
                return Err(Refusal { path: Path::field(name), reason });
            }
        };
        settings.insert(name.to_owned(), value);
    }
    let request = Request::bare("settings.workspace_conf.set_status");
    Ok(vec![call::with_id(&WORKSPACE_CONF, &request, change, Value::Map(settings), "update")])
}
