//! Workspace configuration: a map of texts, read and written by key.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, habit};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/workspace-conf"],
    &[(Catalogue("settings.workspace_conf.get_status"), get), (Catalogue("settings.workspace_conf.set_status"), set)],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("workspace_conf", "holds texts only; booleans are \"true\" and \"false\"", Evidence::Sdk),
    habit("workspace_conf", "refuses a whole read for one unknown key with 400", Evidence::Sdk),
    habit("workspace_conf", "answers a write with 204", Evidence::Sdk),
    habit("workspace_conf", "lets an empty text put a key back to its default", Evidence::Unverified),
];

/// Where values that differ from the default are kept, by key.
const CONF: &str = "workspace_conf";

/// The keys this workspace knows, with their defaults; null where a key has no value until it is set.
const KEYS: [(&str, Option<&str>); 20] = [
    ("enableDbfsFileBrowser", Some("false")),
    ("enableDcs", Some("false")),
    ("enableDeprecatedClusterNamedInitScripts", Some("false")),
    ("enableDeprecatedGlobalInitScripts", Some("false")),
    ("enableEnforceImdsV2", Some("false")),
    ("enableExportNotebook", Some("true")),
    ("enableGp3", Some("true")),
    ("enableIpAccessLists", Some("false")),
    ("enableJobViewAcls", Some("true")),
    ("enableNotebookTableClipboard", Some("true")),
    ("enableProjectTypeInWorkspace", Some("true")),
    ("enableResultsDownloading", Some("true")),
    ("enableTokensConfig", Some("true")),
    ("enableUploadDataUis", Some("true")),
    ("enableWebTerminal", Some("true")),
    ("enableWorkspaceFilesystem", Some("true")),
    ("maxTokenLifetimeDays", None),
    ("maxUserInactivityDays", None),
    ("rStudioUserDefaultHomeBase", Some("/Users")),
    ("storeInteractiveNotebookResultsInCustomerAccount", Some("false")),
];

fn default(key: &str) -> Result<Option<&'static str>, Refusal> {
    KEYS.iter().find(|(k, _)| *k == key).map(|(_, d)| *d).ok_or_else(|| Refusal::invalid(format!("Invalid keys: [\"{key}\"]")))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    let mut found = Map::new();
    for key in exchange.asked("keys").unwrap_or_default().split(',').map(str::trim) {
        let default = default(key)?.map_or(Value::Null, Value::from);
        let value = exchange.objects.get(CONF, key).map_or(default, |v| (*v).clone());
        found.insert(key.to_owned(), value);
    }
    Ok(Answer::ok(found))
}

fn set(exchange: &mut Exchange<'_, '_>) -> Handled {
    for (key, value) in std::mem::take(&mut exchange.body) {
        let default = default(&key)?;
        check(&key, &value)?;
        if value.as_str() == default || value.as_str() == Some("") {
            exchange.objects.remove(CONF, &key);
        } else {
            exchange.objects.put(CONF, &key, value);
        }
    }
    Ok(Answer::no_content())
}

/// A switch is "true" or "false", a number of days a whole number.
fn check(key: &str, value: &Value) -> Result<(), Refusal> {
    let text = value.as_str().unwrap_or_default();
    let fits = match key {
        _ if text.is_empty() => true,
        "rStudioUserDefaultHomeBase" => true,
        _ if key.starts_with("max") => text.parse::<u32>().is_ok(),
        _ => matches!(text, "true" | "false"),
    };
    if fits { Ok(()) } else { Err(Refusal::invalid(format!("Invalid value for key {key}: {text}"))) }
}
