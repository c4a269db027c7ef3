//! Genie spaces, by the spaces API.

use std::sync::Arc;

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::visible;
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{
    Evidence, Habit, Rival,
    filling::{default, timestamp},
    genie_export, genie_limits, habit, kept_objects, paging, permissions, tree, workspace_tags,
};
use crate::model::{Map, Value, json};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/genie/spaces"],
    &[
        (Catalogue("dashboards.genie.create_space"), create),
        (Catalogue("dashboards.genie.get_space"), get),
        (Catalogue("dashboards.genie.list_spaces"), list),
        (Catalogue("dashboards.genie.update_space"), update),
        (Catalogue("dashboards.genie.trash_space"), trash),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("genie", "gives serialized_space and etag only where they are asked for; rows of lists have neither", Evidence::Cli),
    habit("genie", "the etag changes only with the serialized space; a stale one is refused with 409", Evidence::Cli),
    habit("genie", "keeps a space of version 1 as version 2 with an empty data_sources", Evidence::Cli),
    habit("genie", "takes either version, sorted lists, ids of 32 hexadecimal digits, and no unknown members", Evidence::Issue),
    habit("genie", "fills in the caller's home as parent_path and drops the prefix /Workspace", Evidence::Cli),
    habit("genie", "refuses a parent_path that is no folder: 404 RESOURCE_DOES_NOT_EXIST", Evidence::Cli),
    habit("genie", "gives a title that is taken the next free number: \"Sales (1)\"", Evidence::Issue),
    habit("genie", "a trashed space is in no list, and answers 404; its access list still answers", Evidence::Cli),
    habit(
        "genie",
        "refuses more than 30 tables and views, 100 texts, examples and functions, 25,000 characters of a text, 10,000 items of a list",
        Evidence::Docs,
    ),
    habit(
        "genie",
        "shows a list only what the caller may see; the serialized space and changes want CAN_EDIT, the trash CAN_MANAGE",
        Evidence::Issue,
    ),
    habit("genie", "gives benchmarks by id, the last one first", Evidence::Issue),
    habit(
        "genie",
        "tables and functions of the catalog samples must exist, and in a schema where any is kept; others are taken as they are",
        Evidence::Cli,
    ),
];

/// Where they are kept, by id.
pub(super) const SPACES: &str = "genie_spaces";

/// Whether the server has migrated a space since it was written.
const MIGRATED: &str = "$migrated";

fn absent(id: &str) -> Refusal {
    Refusal::absent(format!("Unable to get space [{id}]. Space does not exist."))
}

/// Whether this workspace has the API.
pub(super) fn served(exchange: &Exchange<'_, '_>) -> Result<(), Refusal> {
    if exchange.rival(Rival::GenieSpacesAbsent) {
        return Err(Refusal::new(404, "ENDPOINT_NOT_FOUND", "No API found for '/api/2.0/genie/spaces'"));
    }
    Ok(())
}

/// The space of this id that is not in the trash. With the rival of the slow trash a space still answers for a while.
pub fn stored(exchange: &Exchange<'_, '_>, id: &str) -> Result<Map, Refusal> {
    let space = exchange.objects.get(SPACES, id).and_then(|s| s.as_map().cloned()).ok_or_else(|| absent(id))?;
    match space.get("trashed").and_then(Value::as_i64) {
        Some(at) if !exchange.rival(Rival::GenieSlowTrash) || exchange.now - at > exchange.setting.settle_ms => Err(absent(id)),
        _ => Ok(space),
    }
}

/// The spaces that lists show: none in the trash but, with its rival, those that came there lately.
pub(super) fn listed(exchange: &Exchange<'_, '_>) -> Vec<Arc<Value>> {
    let lately = |at: i64| exchange.rival(Rival::GenieTrashListed) && exchange.now - at <= exchange.setting.settle_ms;
    let shows = |space: &Value| space.get("trashed").and_then(Value::as_i64).is_none_or(lately);
    exchange.objects.all(SPACES).filter(|(_, space)| shows(space)).map(|(_, space)| Arc::clone(space)).collect()
}

/// Those of them that the caller may see.
pub(super) fn visible_to_caller(exchange: &Exchange<'_, '_>) -> Vec<Arc<Value>> {
    let may_see = |space: &Arc<Value>| {
        let id = space.get("space_id").map(Value::key_text).unwrap_or_default();
        permissions::may(exchange, "genie", &id, "CAN_READ")
    };
    listed(exchange).into_iter().filter(may_see).collect()
}

/// A space as replies show it.
fn shown(exchange: &Exchange<'_, '_>, mut space: Map, whole: bool) -> Map {
    space.shift_remove("trashed");
    space.shift_remove(MIGRATED);
    if !whole {
        space.shift_remove("serialized_space");
        space.shift_remove("etag");
    } else if let Some(Value::Map(export)) = space.get_mut("serialized_space") {
        genie_export::read(exchange, export);
        let text = json::write(&Value::Map(export.clone())).unwrap_or_default();
        space.insert("serialized_space".to_owned(), Value::Text(text));
    }
    space
}

/// The serialized space of a request, checked and as it is kept.
fn given(exchange: &mut Exchange<'_, '_>) -> Result<Option<Value>, Refusal> {
    let Some(text) = exchange.body.shift_remove("serialized_space") else { return Ok(None) };
    let parsed = text.as_str().and_then(|text| json::parse(text.as_bytes()).ok());
    let Some(Value::Map(mut export)) = parsed else { return Err(Refusal::invalid("Invalid JSON in field 'serialized_space'")) };
    let unknown = if exchange.rival(Rival::GenieKnowsMore) { genie_export::Unknown::Kept } else { genie_export::Unknown::Refused };
    let joins = if exchange.rival(Rival::GenieStrict) { genie_export::Joins::Equalities } else { genie_export::Joins::Any };
    let much = genie_limits::too_long(exchange, text.as_str().unwrap_or_default()).or_else(|| genie_limits::exceeded(exchange, &export));
    if let Some(much) = much {
        return Err(genie_export::refused(much));
    }
    genie_export::check(&export, unknown, joins)?;
    genie_export::migrate(&mut export);
    if exchange.rival(Rival::GenieFiftyAnswers) && genie_export::answers(&export).is_some_and(|most| most > 50) {
        return Err(Refusal::invalid("Exceeded maximum number (50) of certified answer inputs"));
    }
    all_there(exchange, &export)?;
    Ok(Some(Value::Map(export)))
}

/// Everything that an export names in Unity Catalog must be there.
pub(super) fn all_there(exchange: &Exchange<'_, '_>, export: &Map) -> Result<(), Refusal> {
    for (collection, word, names) in
        [("tables", "Table", genie_export::tables(export)), ("functions", "Function", genie_export::functions(export))]
    {
        for name in names {
            if is_fresh(exchange, &name) {
                return Err(Refusal::invalid("Failed to retrieve schema from unity catalog"));
            }
            if !kept_objects::may_exist(exchange, collection, &name) {
                return Err(Refusal::invalid(format!("Failed to retrieve schema from unity catalog. {word} '{name}' does not exist.")));
            }
        }
    }
    Ok(())
}

/// Whether the rival does not see the schema of this table yet: it is asked about for the first time.
fn is_fresh(exchange: &Exchange<'_, '_>, name: &str) -> bool {
    let name = name.to_lowercase().replace('`', "");
    let Some((schema, _)) = name.rsplit_once('.').filter(|(schema, _)| exchange.objects.has("schemas", schema)) else { return false };
    if schema.starts_with("samples.") || !exchange.rival(Rival::GenieSchemaLags) {
        return false;
    }
    exchange.setting.seen.lock().is_ok_and(|mut seen| seen.insert(schema.to_owned()))
}

/// The caller must have this level of a space.
pub(super) fn allowed(exchange: &Exchange<'_, '_>, id: &str, level: &str, word: &str) -> Result<(), Refusal> {
    if permissions::may(exchange, "genie", id, level) {
        return Ok(());
    }
    Err(Refusal::new(403, "PERMISSION_DENIED", format!("You need \"{word}\" permission to perform this action")))
}

fn place(exchange: &mut Exchange<'_, '_>) {
    default(&mut exchange.body, "parent_path", format!("/Users/{}", exchange.caller.name));
    if let Some(Value::Text(path)) = exchange.body.get_mut("parent_path") {
        let plain = path.strip_prefix("/Workspace/").map(|rest| format!("/{rest}"));
        let plain = plain.unwrap_or_else(|| path.clone());
        plain.trim_end_matches('/').clone_into(path);
    }
}

/// The folder must be there.
pub(super) fn placed(exchange: &mut Exchange<'_, '_>) -> Result<(), Refusal> {
    place(exchange);
    let path = exchange.text("parent_path").unwrap_or_default().to_owned();
    let always = path.is_empty() || ["/Shared", "/Users", "/Repos"].contains(&path.as_str());
    let is_home = path.strip_prefix("/Users/").is_some_and(|rest| !rest.contains('/'));
    if always || is_home || exchange.objects.get(tree::TREE, &path).is_some() {
        return Ok(());
    }
    let message = format!("Tree node with path {path} does not exist");
    let is_400 = exchange.rival(Rival::GenieParent400);
    Err(if is_400 { Refusal::invalid(message) } else { Refusal::new(404, "RESOURCE_DOES_NOT_EXIST", message) })
}

/// A title that is taken gets the next free number.
fn name_it(exchange: &mut Exchange<'_, '_>) {
    default(&mut exchange.body, "title", "New Space");
    let plain = exchange.text("title").unwrap_or_default().to_owned();
    let taken = |title: &str| {
        let live = |space: &Value| space.get("trashed").is_none() && space.get("title").and_then(Value::as_str) == Some(title);
        exchange.objects.all(SPACES).any(|(_, space)| live(space))
    };
    let title = if taken(&plain) { (1..10_000).map(|n| format!("{plain} ({n})")).find(|t| !taken(t)).unwrap_or(plain) } else { plain };
    exchange.body.insert("title".to_owned(), Value::Text(title));
}

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    served(exchange)?;
    let export = given(exchange)?.ok_or_else(|| Refusal::invalid("Missing required field: serialized_space"))?;
    placed(exchange)?;
    name_it(exchange);
    let id = exchange.hex_id(SPACES, 32);
    let mut space = std::mem::take(&mut exchange.body);
    space.shift_remove("etag");
    space.shift_insert(0, "space_id".to_owned(), Value::text(&id));
    space.insert("serialized_space".to_owned(), export);
    space.insert("create_time".to_owned(), timestamp(exchange.now));
    let space = store(exchange, &id, space, true);
    permissions::born(exchange, "genie", &id);
    Ok(Answer::ok(shown(exchange, space, false)))
}

pub(super) fn store(exchange: &mut Exchange<'_, '_>, id: &str, mut space: Map, new_etag: bool) -> Map {
    if new_etag {
        let etag = exchange.hex_id("genie_etags", 16);
        space.insert("etag".to_owned(), Value::Text(etag));
        space.shift_remove(MIGRATED);
    }
    space.insert("update_time".to_owned(), timestamp(exchange.now));
    exchange.objects.put(SPACES, id, Value::Map(space.clone()));
    space
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    served(exchange)?;
    let id = exchange.parameter("space_id");
    let space = stored(exchange, &id)?;
    let whole = exchange.flag("include_serialized_space");
    let (level, word) = if whole { ("CAN_EDIT", "Can Edit") } else { ("CAN_READ", "Can View") };
    allowed(exchange, &id, level, word)?;
    if whole && exchange.rival(Rival::GenieEtagMoves) && !space.contains_key(MIGRATED) {
        let mut migrated = space.clone();
        migrated.insert("etag".to_owned(), Value::Text(exchange.hex_id("genie_etags", 16)));
        migrated.insert(MIGRATED.to_owned(), Value::Bool(true));
        exchange.objects.put(SPACES, &id, Value::Map(migrated));
    }
    Ok(Answer::ok(shown(exchange, space, whole)))
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    served(exchange)?;
    let all = visible_to_caller(exchange);
    let size = paging::size(exchange, "page_size", 100, 1000)?;
    let page = paging::page(all, size, exchange.asked("page_token"))?;
    let row = |space: Arc<Value>| match visible(&space) {
        Value::Map(map) => Value::Map(shown(exchange, map, false)),
        other => other,
    };
    Ok(Answer::ok(paging::reply("spaces", page.shown(row))))
}

fn update(exchange: &mut Exchange<'_, '_>) -> Handled {
    served(exchange)?;
    let id = exchange.parameter("space_id");
    let mut space = stored(exchange, &id)?;
    allowed(exchange, &id, "CAN_EDIT", "Can Edit")?;
    if let Some(etag) = exchange.body.shift_remove("etag")
        && space.get("etag") != Some(&etag)
    {
        let message = format!("The space [{id}] was changed since it was read: the etag {} is not current.", etag.key_text());
        return Err(Refusal::new(409, "ABORTED", message));
    }
    let export = given(exchange)?;
    if exchange.body.contains_key("parent_path") {
        placed(exchange)?;
    }
    let changed = export.as_ref().is_some_and(|export| space.get("serialized_space") != Some(export));
    space.extend(std::mem::take(&mut *exchange.body));
    if let Some(export) = export {
        space.insert("serialized_space".to_owned(), export);
        // What the typed API was given is no more what is there.
        space.shift_remove("$definition");
    }
    let space = store(exchange, &id, space, changed);
    Ok(Answer::ok(shown(exchange, space, false)))
}

fn trash(exchange: &mut Exchange<'_, '_>) -> Handled {
    served(exchange)?;
    let id = exchange.parameter("space_id");
    let space = stored(exchange, &id)?;
    allowed(exchange, &id, "CAN_MANAGE", "Can Manage")?;
    trashed(exchange, &id, space);
    Ok(Answer::empty())
}

/// Puts a space into the trash.
pub(super) fn trashed(exchange: &mut Exchange<'_, '_>, id: &str, mut space: Map) {
    workspace_tags::died(exchange, "geniespaces", id);
    if exchange.rival(Rival::GenieSlowTrash) || exchange.rival(Rival::GenieTrashListed) {
        space.insert("trashed".to_owned(), Value::Int(exchange.now));
        exchange.objects.put(SPACES, id, Value::Map(space));
    } else {
        exchange.objects.remove(SPACES, id);
    }
}
