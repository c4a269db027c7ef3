//! The workspace's own settings.

use super::{Hooks, Identity, Kind, Lifetime, Natural, Read, Request, Unique, Update, Value};

/// Settings of the workspace: always there, read by name, patched as a map of text (replies are text, too).
pub static WORKSPACE_CONF: Kind = Kind {
    name: "workspace_conf",
    singular: "workspace setting",
    read: Read { names: "keys", ..Read::plain("settings.workspace_conf.get_status") },
    update: Update::Patch(Request::bare("settings.workspace_conf.set_status")),
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
