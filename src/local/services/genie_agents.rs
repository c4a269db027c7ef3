//! Genie spaces, by the typed API: the same spaces as the spaces API's, called agents.

use std::sync::Arc;

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::visible;
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{
    Evidence, Habit, Rival, filling::timestamp, genie, genie_export, genie_limits, genie_typed, habit, mask, paging, permissions,
};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/genie/agents"],
    &[
        (Catalogue("genieagents.genie_agents.create_genie_agent"), create),
        (Catalogue("genieagents.genie_agents.list_genie_agents"), list),
        (Catalogue("extra.genie_agents.get"), get),
        (Catalogue("extra.genie_agents.update"), update),
        (Catalogue("extra.genie_agents.delete"), delete),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("genie_agents", "takes the id of a new agent from whoever makes it: 32 hexadecimal digits, 409 where it is taken", Evidence::Sdk),
    habit("genie_agents", "gives definitions only in the FULL view of a list; 20 rows a page, 100 at most", Evidence::Sdk),
    habit("genie_agents", "changes what update_mask names, which must be there", Evidence::Sdk),
    habit("genie_agents", "the etag changes with the definition only; a stale one is refused with 409 ABORTED", Evidence::Sdk),
    habit("genie_agents", "refuses a display_name that the folder has already: 409 ALREADY_EXISTS", Evidence::Sdk),
    habit("genie_agents", "refuses a display_name above 63 and a description above 4096 characters", Evidence::Sdk),
    habit("genie_agents", "gives parent_path as it was sent, and where the agent is as effective_parent_path", Evidence::Sdk),
    habit("genie_agents", "gives a definition back as it was sent, or refuses it: unknown members, another order, ids", Evidence::Sdk),
    habit("genie_agents", "wants CAN_EDIT for a definition and for changes, CAN_MANAGE for the trash", Evidence::Unverified),
    habit("genie_agents", "shows the spaces of the spaces API, and is shown there", Evidence::Sdk),
];

/// What a space keeps for this API alone: the definition as it was sent, and the folder.
const DEFINITION: &str = "$definition";
const SUBMITTED: &str = "$parent_path";
/// What names of agents begin with.
const RESOURCE: &str = "agents/";
/// What an update may change.
const FIELDS: &[&str] = &["display_name", "description", "warehouse_id", "definition", "parent_path"];

fn aborted(id: &str) -> Refusal {
    Refusal::new(409, "ABORTED", format!("The etag is not the current one of agents/{id}: it was changed since it was read."))
}

fn exists(message: String) -> Refusal {
    Refusal::new(409, "ALREADY_EXISTS", message)
}

/// Whether this workspace has the API.
fn served(exchange: &Exchange<'_, '_>) -> Result<(), Refusal> {
    if exchange.rival(Rival::GenieAgentsAbsent) {
        return Err(Refusal::new(404, "ENDPOINT_NOT_FOUND", "No API found for '/api/2.0/genie/agents'"));
    }
    Ok(())
}

/// An agent as replies show it.
fn shown(space: &Map, whole: bool) -> Value {
    let of = |name: &str| space.get(name).cloned().filter(|value| *value != Value::Null);
    let id = of("space_id").map(|id| id.key_text()).unwrap_or_default();
    let mut agent = Map::new();
    agent.insert("name".to_owned(), Value::Text(format!("{RESOURCE}{id}")));
    let plain = [
        ("display_name", "title"),
        ("description", "description"),
        ("warehouse_id", "warehouse_id"),
        ("parent_path", SUBMITTED),
        ("effective_parent_path", "parent_path"),
        ("create_time", "create_time"),
        ("update_time", "update_time"),
    ];
    agent.extend(plain.into_iter().filter_map(|(theirs, ours)| Some((theirs.to_owned(), of(ours)?))));
    if whole {
        let of_export = || Some(Value::Map(genie_typed::definition(of("serialized_space")?.as_map()?)));
        agent.extend(of(DEFINITION).or_else(of_export).map(|definition| ("definition".to_owned(), definition)));
        agent.extend(of("etag").map(|etag| ("etag".to_owned(), etag)));
    }
    Value::Map(agent)
}

/// The definition of a request, checked.
fn given(exchange: &mut Exchange<'_, '_>) -> Result<Option<Map>, Refusal> {
    if let Some(unknown) = exchange.unknown.first() {
        return Err(Refusal::invalid(format!("Cannot find field: {unknown} in message GenieAgent")));
    }
    let Some(Value::Map(definition)) = exchange.body.get("definition").cloned() else { return Ok(None) };
    if let Some(much) = genie_limits::exceeded(exchange, &definition) {
        return Err(genie_typed::refused(much));
    }
    genie_typed::check(&definition)?;
    genie::all_there(exchange, &genie_typed::export(&definition))?;
    Ok(Some(definition))
}

/// Checks name and description, and that nothing else in the folder has the name.
fn named(exchange: &Exchange<'_, '_>, space: &Map, id: &str) -> Result<(), Refusal> {
    let text = |name: &str| space.get(name).and_then(Value::as_str).unwrap_or_default();
    for (name, theirs, most) in [("title", "display_name", 63), ("description", "description", 4096)] {
        let length = text(name).chars().count();
        if length > most {
            return Err(Refusal::invalid(format!("{theirs} must have at most {most} characters, but has {length}.")));
        }
    }
    let taken = |other: &Value| {
        let same = |name: &str| other.get(name).and_then(Value::as_str).unwrap_or_default() == text(name);
        other.get("trashed").is_none() && same("title") && same("parent_path")
    };
    if exchange.objects.all(genie::SPACES).any(|(other, space)| other != id && taken(space)) {
        return Err(exists(format!("An agent with display_name '{}' already exists in {}.", text("title"), text("parent_path"))));
    }
    Ok(())
}

/// Puts the members of a request into a space, as it is kept.
fn put(space: &mut Map, body: &mut Map, definition: Option<Map>) {
    if let Some(definition) = definition {
        space.insert("serialized_space".to_owned(), Value::Map(genie_typed::export(&definition)));
        space.insert(DEFINITION.to_owned(), Value::Map(definition));
    }
    for (theirs, ours) in [("display_name", "title"), ("description", "description"), ("warehouse_id", "warehouse_id")] {
        if let Some(value) = body.shift_remove(theirs) {
            space.insert(ours.to_owned(), value);
        }
    }
}

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    served(exchange)?;
    let id = match exchange.asked("genie_agent_id").map(str::to_owned) {
        None => exchange.hex_id(genie::SPACES, 32),
        Some(id) if genie_export::is_id(&id) => id,
        Some(id) => {
            return Err(Refusal::invalid(format!("Invalid genie_agent_id: '{id}'. Expected lowercase 32-hex UUID without hyphens.")));
        }
    };
    // A space in the trash has its id still.
    if exchange.objects.get(genie::SPACES, &id).is_some() {
        return Err(exists(format!("agents/{id} already exists.")));
    }
    let definition = given(exchange)?.ok_or_else(|| Refusal::invalid("Missing required field: definition"))?;
    let submitted = exchange.body.get("parent_path").cloned();
    genie::placed(exchange)?;
    let mut space = Map::new();
    space.insert("space_id".to_owned(), Value::text(&id));
    space.extend(exchange.body.get("parent_path").cloned().map(|path| ("parent_path".to_owned(), path)));
    space.extend(submitted.map(|path| (SUBMITTED.to_owned(), path)));
    space.insert("create_time".to_owned(), timestamp(exchange.now));
    let mut body = std::mem::take(&mut exchange.body);
    put(&mut space, &mut body, Some(definition));
    named(exchange, &space, &id)?;
    let space = genie::store(exchange, &id, space, true);
    permissions::born(exchange, "genie", &id);
    Ok(Answer::ok(shown(&space, true)))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    served(exchange)?;
    let id = exchange.parameter("genie_agent_id");
    let space = genie::stored(exchange, &id)?;
    genie::allowed(exchange, &id, "CAN_EDIT", "Can Edit")?;
    Ok(Answer::ok(shown(&space, true)))
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    served(exchange)?;
    let all = genie::visible_to_caller(exchange);
    let size = paging::size(exchange, "page_size", 20, 100)?;
    let page = paging::page(all, size, exchange.asked("page_token"))?;
    let whole = exchange.asked("view") == Some("GENIE_AGENT_VIEW_FULL");
    let row = |space: Arc<Value>| match space.as_map() {
        Some(map) => shown(map, whole),
        None => visible(&space),
    };
    Ok(Answer::ok(paging::reply("genie_agents", page.shown(row))))
}

fn update(exchange: &mut Exchange<'_, '_>) -> Handled {
    served(exchange)?;
    let id = exchange.parameter("genie_agent_id");
    let mut space = genie::stored(exchange, &id)?;
    genie::allowed(exchange, &id, "CAN_EDIT", "Can Edit")?;
    same_etag(exchange, &space, &id)?;
    let given = given(exchange)?;
    let mut masked = Map::new();
    let asked = exchange.asked("update_mask").unwrap_or_default().to_owned();
    mask::apply(&mut masked, &exchange.body, &asked, FIELDS)?;
    let is_named = |name: &str| asked.trim() == "*" || asked.split(',').any(|path| path.trim().split('.').next() == Some(name));
    let definition = if is_named("definition") { given } else { None };
    if is_named("definition") && definition.is_none() {
        return Err(Refusal::invalid("Missing required field: definition"));
    }
    if is_named("parent_path") {
        let submitted = exchange.body.get("parent_path").cloned();
        genie::placed(exchange)?;
        space.extend(exchange.body.get("parent_path").cloned().map(|path| ("parent_path".to_owned(), path)));
        space.extend(submitted.map(|path| (SUBMITTED.to_owned(), path)));
    }
    for (theirs, ours) in [("display_name", "title"), ("description", "description"), ("warehouse_id", "warehouse_id")] {
        if is_named(theirs) && !masked.contains_key(theirs) {
            space.shift_remove(ours);
        }
    }
    let whole = shown(&space, true);
    let changed = definition.as_ref().is_some_and(|new| whole.get("definition").and_then(Value::as_map) != Some(new));
    put(&mut space, &mut masked, definition);
    named(exchange, &space, &id)?;
    let space = genie::store(exchange, &id, space, changed);
    Ok(Answer::ok(shown(&space, true)))
}

fn same_etag(exchange: &Exchange<'_, '_>, space: &Map, id: &str) -> Result<(), Refusal> {
    let current = space.get("etag").and_then(Value::as_str);
    match exchange.asked("etag") {
        Some(etag) if current != Some(etag) => Err(aborted(id)),
        _ => Ok(()),
    }
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    served(exchange)?;
    let id = exchange.parameter("genie_agent_id");
    let space = genie::stored(exchange, &id)?;
    genie::allowed(exchange, &id, "CAN_MANAGE", "Can Manage")?;
    same_etag(exchange, &space, &id)?;
    genie::trashed(exchange, &id, space);
    Ok(Answer::empty())
}
