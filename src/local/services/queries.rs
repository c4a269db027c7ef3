//! SQL queries.

use std::sync::Arc;

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::visible;
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::filling::{default, timestamp};
use crate::local::services::{Evidence, Habit, Rival, habit, mask, paging, permissions, tree};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/sql/queries"],
    &[
        (Catalogue("sql.queries.create"), create),
        (Catalogue("sql.queries.get"), get),
        (Catalogue("sql.queries.list"), list),
        (Catalogue("sql.queries.update"), update),
        (Catalogue("sql.queries.delete"), trash),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("queries", "takes the query under `query` and answers it bare", Evidence::Sdk),
    habit("queries", "needs update_mask in the body; takes the masked members only, maps and lists whole", Evidence::Sdk),
    habit("queries", "keeps a trashed query: get answers with lifecycle_state TRASHED, lists leave it out", Evidence::Docs),
    habit("queries", "rows of lists lack parent_path", Evidence::Sdk),
    habit("queries", "refuses a name that is taken in its folder, unless auto_resolve_display_name: then it gets a number", Evidence::Sdk),
    habit("queries", "fills in the caller's home as parent_path and drops the prefix /Workspace", Evidence::Issue),
    habit("queries", "refuses a parent_path that is no folder: 404 RESOURCE_DOES_NOT_EXIST", Evidence::Unverified),
    habit("queries", "fills in run_as_mode OWNER and apply_auto_limit false", Evidence::Unverified),
    habit("queries", "a trashed query does not hold its name", Evidence::Unverified),
    habit("queries", "answers 404 RESOURCE_DOES_NOT_EXIST for an absent one", Evidence::Unverified),
];

/// What a mask may name.
const UPDATABLE: [&str; 11] = [
    "display_name",
    "description",
    "query_text",
    "warehouse_id",
    "catalog",
    "schema",
    "parameters",
    "run_as_mode",
    "apply_auto_limit",
    "tags",
    "owner_user_name",
];
/// What only the server fills in.
const OUTPUT: [&str; 6] = ["id", "create_time", "update_time", "lifecycle_state", "owner_user_name", "last_modifier_user_name"];

fn is_active(query: &Value) -> bool {
    query.get("lifecycle_state").and_then(Value::as_str) == Some("ACTIVE")
}

fn given(exchange: &mut Exchange<'_, '_>) -> Result<Map, Refusal> {
    match exchange.body.shift_remove("query") {
        Some(Value::Map(query)) => Ok(query),
        _ => Err(Refusal::invalid("Missing required field: query")),
    }
}

/// Refuses a name that is taken in the folder, or gives it a number.
fn name_it(exchange: &Exchange<'_, '_>, query: &mut Map, but: Option<&str>) -> Result<(), Refusal> {
    let taken = |name: &Value| {
        let same = |other: &Value| other.get("display_name") == Some(name) && other.get("parent_path") == query.get("parent_path");
        exchange.objects.all("queries").any(|(id, other)| Some(id) != but && is_active(other) && same(other))
    };
    let name = query.get("display_name").cloned().unwrap_or(Value::Null);
    if !taken(&name) {
        return Ok(());
    }
    let plain = name.key_text();
    if exchange.body.get("auto_resolve_display_name") != Some(&Value::Bool(true)) {
        return Err(Refusal::new(400, "RESOURCE_ALREADY_EXISTS", format!("Node named '{plain}' already exists")));
    }
    // One more than there are queries is free for certain.
    let free = (1..=exchange.objects.all("queries").count() + 1).map(|n| Value::Text(format!("{plain} ({n})"))).find(|name| !taken(name));
    query.insert("display_name".to_owned(), free.unwrap_or(name));
    Ok(())
}

fn store(exchange: &mut Exchange<'_, '_>, id: &str, mut query: Map) -> Map {
    query.insert("update_time".to_owned(), timestamp(exchange.now));
    query.insert("last_modifier_user_name".to_owned(), Value::text(&exchange.caller.name));
    exchange.objects.put("queries", id, Value::Map(query.clone()));
    query
}

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    let mut query = given(exchange)?;
    for name in OUTPUT {
        query.shift_remove(name);
    }
    default(&mut query, "display_name", "New query");
    default(&mut query, "parent_path", format!("/Users/{}", exchange.caller.name));
    if let Some(Value::Text(path)) = query.get_mut("parent_path")
        && let Some(rest) = path.strip_prefix("/Workspace/")
    {
        *path = format!("/{rest}");
    }
    tree::needs_folder(exchange, query.get("parent_path").and_then(Value::as_str).unwrap_or_default())?;
    default(&mut query, "run_as_mode", "OWNER");
    default(&mut query, "apply_auto_limit", false);
    name_it(exchange, &mut query, None)?;
    let id = exchange.uuid("queries");
    query.insert("id".to_owned(), Value::text(&id));
    query.insert("owner_user_name".to_owned(), Value::text(&exchange.caller.name));
    query.insert("lifecycle_state".to_owned(), "ACTIVE".into());
    query.insert("create_time".to_owned(), timestamp(exchange.now));
    let query = store(exchange, &id, query);
    permissions::born(exchange, "queries", &id);
    Ok(Answer::ok(query))
}

fn stored(exchange: &Exchange<'_, '_>, id: &str) -> Result<Map, Refusal> {
    let found = exchange.objects.get("queries", id).filter(|q| is_active(q) || !exchange.rival(Rival::TrashGone));
    found.and_then(|q| q.as_map().cloned()).ok_or_else(|| Refusal::absent(format!("Query {id} does not exist.")))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    stored(exchange, &exchange.parameter("id")).map(Answer::ok)
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let all = exchange.objects.all("queries").filter(|(_, q)| is_active(q)).map(|(_, q)| q).collect();
    let size = paging::size(exchange, "page_size", 20, 100)?;
    let row = |query: &Arc<Value>| {
        let mut row = visible(query);
        row.as_map_mut().map(|r| r.shift_remove("parent_path"));
        row
    };
    Ok(Answer::ok(paging::reply("results", paging::page(all, size, exchange.asked("page_token"))?.shown(row))))
}

fn update(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = exchange.parameter("id");
    let mut query = stored(exchange, &id)?;
    if query.get("lifecycle_state").and_then(Value::as_str) == Some("TRASHED") {
        return Err(Refusal::new(400, "INVALID_STATE", format!("Query {id} is in the trash and cannot be updated.")));
    }
    let from = given(exchange)?;
    let update_mask = exchange.text("update_mask").unwrap_or_default().to_owned();
    mask::apply(&mut query, &from, &update_mask, &UPDATABLE)?;
    default(&mut query, "run_as_mode", "OWNER");
    default(&mut query, "apply_auto_limit", false);
    name_it(exchange, &mut query, Some(&id))?;
    Ok(Answer::ok(store(exchange, &id, query)))
}

fn trash(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = exchange.parameter("id");
    let mut query = stored(exchange, &id)?;
    query.insert("lifecycle_state".to_owned(), "TRASHED".into());
    store(exchange, &id, query);
    Ok(Answer::empty())
}
