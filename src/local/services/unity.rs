//! What the services of Unity Catalog share: names, paging, owners, the metastore.

use std::borrow::Borrow;

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::{Core, visible};
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::paging;
use crate::local::services::{Habit, Rival, filling::default};
use crate::model::{Map, Value};

/// The operations of the metastore.
pub const ROOM: Room = Room::new(
    &["/api/2.1/unity-catalog/current-metastore-assignment", "/api/2.1/unity-catalog/metastore_summary"],
    &[(Catalogue("catalog.metastores.current"), assignment), (Catalogue("catalog.metastores.summary"), summary)],
);

/// The habits: those of catalogs, schemas and volumes stand with them.
pub const HABITS: &[Habit] = &[];

/// Items of a page where the server decides.
const SERVER_SIZE: usize = 50;
/// Where direct grants are kept, by `catalog/main`.
pub const GRANTS: &str = "grants";

fn metastore(exchange: &Exchange<'_, '_>) -> Value {
    Value::Text(Core::metastore_id(exchange.setting.workspace_id))
}

fn assignment(exchange: &mut Exchange<'_, '_>) -> Handled {
    Ok(Answer::ok(Value::map([
        ("workspace_id", Value::from(exchange.setting.workspace_id)),
        ("metastore_id", metastore(exchange)),
        ("default_catalog_name", "main".into()),
    ])))
}

fn summary(exchange: &mut Exchange<'_, '_>) -> Handled {
    Ok(Answer::ok(Value::map([
        ("metastore_id", metastore(exchange)),
        ("name", "local".into()),
        ("cloud", "azure".into()),
        ("region", "local".into()),
        ("owner", "admins".into()),
        ("global_metastore_id", Value::Text(format!("azure:local:{}", Core::metastore_id(exchange.setting.workspace_id)))),
        ("privilege_model_version", "1.0".into()),
    ])))
}

/// A name as Unity Catalog keeps it: in lower case, without what it refuses.
///
/// # Errors
/// 400 for an empty name or one with a point, a space, a slash or a control character.
pub fn name(given: &str) -> Result<String, Refusal> {
    let bad = given.is_empty() || given.len() > 255 || given.chars().any(|c| matches!(c, '.' | ' ' | '/') || c.is_control());
    if bad {
        return Err(Refusal::invalid(format!(
            "Invalid input: name '{given}' is not a valid name: it must not be empty nor hold periods, spaces, slashes or control characters."
        )));
    }
    Ok(given.to_lowercase())
}

/// What a taken name answers.
pub fn taken(exchange: &Exchange<'_, '_>, word: &str, code: &str, name: &str) -> Refusal {
    let status = if exchange.rival(Rival::UnityTaken409) { 409 } else { 400 };
    Refusal::new(status, code, format!("{word} '{name}' already exists"))
}

/// A list as Unity Catalog pages it: without `max_results` everything at once; 0 is the server's own size; negative is
/// refused; between two pages there may be an empty one that has a token all the same.
///
/// # Errors
/// 400: a bad size or token.
pub fn list(exchange: &Exchange<'_, '_>, key: &str, size_parameter: &str, items: &[impl Borrow<Value>]) -> Handled {
    let token = exchange.asked("page_token");
    let size = match (exchange.number(size_parameter)?, token) {
        (None, None) => items.len().max(1),
        (None | Some(0), _) => SERVER_SIZE,
        (Some(n), _) => {
            usize::try_from(n).map_err(|_| Refusal::invalid(format!("Invalid {size_parameter}: {n}. It must not be negative.")))?
        }
    };
    if let Some(rest) = token.and_then(|t| t.strip_prefix('e')) {
        return Ok(Answer::ok(Value::map([("next_page_token", Value::text(rest))])));
    }
    let mut page = paging::page(items.iter().collect(), size, token)?.shown(|item| visible(item.borrow()));
    page.next = page.next.map(|next| format!("e{next}"));
    Ok(Answer::ok(paging::reply(key, page)))
}

/// Fills in what every new securable has.
pub fn created(exchange: &Exchange<'_, '_>, object: &mut Map) {
    default(object, "owner", exchange.caller.name.as_str());
    object.insert("metastore_id".to_owned(), metastore(exchange));
    object.insert("created_at".to_owned(), Value::Int(exchange.now));
    object.insert("created_by".to_owned(), Value::text(&exchange.caller.name));
    touched(exchange, object);
    manage_properties(object);
    if let Some(root) = object.get("storage_root").and_then(Value::as_str).map(|r| r.trim_end_matches('/').to_owned()) {
        object.insert("storage_root".to_owned(), Value::text(&root));
        object.insert("storage_location".to_owned(), Value::Text(format!("{root}/__unitystorage")));
    }
    default(object, "enable_predictive_optimization", "INHERIT");
    object.insert("effective_predictive_optimization_flag".to_owned(), Value::map([("value", Value::text("ENABLE"))]));
    object.insert("browse_only".to_owned(), Value::Bool(false));
}

/// Notes who changed it, and when.
pub fn touched(exchange: &Exchange<'_, '_>, object: &mut Map) {
    object.insert("updated_at".to_owned(), Value::Int(exchange.now));
    object.insert("updated_by".to_owned(), Value::text(&exchange.caller.name));
}

/// Properties gain keys of the server's own.
pub fn manage_properties(object: &mut Map) {
    default(object, "properties", Map::new());
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_map_mut) {
        default(properties, "unity.catalog.managed.delta.defaults.delta.enableDeletionVectors", "true");
    }
}

/// Grants follow a securable to its new name, or end with it (no new name).
pub fn grants_follow(exchange: &mut Exchange<'_, '_>, securable_type: &str, name: &str, new_name: Option<&str>) {
    let place = format!("{securable_type}/{name}");
    if let Some(grants) = exchange.objects.get(GRANTS, &place) {
        exchange.objects.remove(GRANTS, &place);
        if let Some(new_name) = new_name {
            exchange.objects.put(GRANTS, &format!("{securable_type}/{new_name}"), (*grants).clone());
        }
    }
}
