//! Tags of objects of the workspace: assignments of a key and a value to a Genie space, a dashboard, a notebook, an app.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, Rival, genie, habit, paging};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/entity-tag-assignments"],
    &[
        (Catalogue("tags.workspace_entity_tag_assignments.create_tag_assignment"), create),
        (Catalogue("tags.workspace_entity_tag_assignments.get_tag_assignment"), get),
        (Catalogue("tags.workspace_entity_tag_assignments.list_tag_assignments"), list),
        (Catalogue("tags.workspace_entity_tag_assignments.update_tag_assignment"), update),
        (Catalogue("tags.workspace_entity_tag_assignments.delete_tag_assignment"), delete),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("tags", "takes tags of apps, dashboards, geniespaces and notebooks", Evidence::Sdk),
    habit("tags", "refuses keys with , . : / - = or with spaces at their ends", Evidence::Sdk),
    habit("tags", "refuses a key that is set already: 409 ALREADY_EXISTS", Evidence::Unverified),
    habit("tags", "a tag without a value has no tag_value in replies", Evidence::Unverified),
    habit("tags", "a space that is not there answers 404; its tags go with it", Evidence::Unverified),
];

/// Where they are kept, by type, object and key.
const TAGS: &str = "workspace_tags";

const TYPES: [&str; 4] = ["apps", "dashboards", "geniespaces", "notebooks"];

/// The id under which an object's tags begin.
fn prefix(entity_type: &str, entity_id: &str) -> String {
    format!("{entity_type}/{entity_id}/")
}

/// The object must be of a type that has tags, and be there. Of the other types than spaces the workspace knows no object.
fn entity(exchange: &Exchange<'_, '_>, entity_type: &str, entity_id: &str) -> Result<(), Refusal> {
    match entity_type {
        "geniespaces" => genie::stored(exchange, entity_id).map(|_| ()),
        other if TYPES.contains(&other) => Ok(()),
        other => Err(Refusal::invalid(format!("Invalid entity_type: '{other}'. Allowed values are {}.", TYPES.join(", ")))),
    }
}

/// The object that a path names.
fn named(exchange: &Exchange<'_, '_>) -> Result<String, Refusal> {
    let (entity_type, entity_id) = (exchange.parameter("entity_type"), exchange.parameter("entity_id"));
    entity(exchange, &entity_type, &entity_id)?;
    Ok(prefix(&entity_type, &entity_id))
}

fn absent(key: &str) -> Refusal {
    Refusal::absent(format!("Tag assignment with key '{key}' does not exist."))
}

fn stored(exchange: &Exchange<'_, '_>) -> Result<(String, Map), Refusal> {
    let key = exchange.parameter("tag_key");
    let id = format!("{}{key}", named(exchange)?);
    let found = exchange.objects.get(TAGS, &id).and_then(|tag| tag.as_map().cloned());
    found.map(|tag| (id, tag)).ok_or_else(|| absent(&key))
}

/// As replies show it: without an empty value.
fn shown(mut tag: Map) -> Map {
    if tag.get("tag_value").is_some_and(Value::is_zero) {
        tag.shift_remove("tag_value");
    }
    tag
}

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    let text = |name: &str| exchange.text(name).unwrap_or_default().to_owned();
    let (entity_type, entity_id, key) = (text("entity_type"), text("entity_id"), text("tag_key"));
    entity(exchange, &entity_type, &entity_id)?;
    if key.is_empty() || key.trim() != key || key.contains([',', '.', ':', '/', '-', '=']) {
        let message = format!("Invalid tag key '{key}'. The characters , . : / - = and leading/trailing spaces are not allowed.");
        return Err(Refusal::invalid(message));
    }
    let id = format!("{}{key}", prefix(&entity_type, &entity_id));
    if exchange.objects.get(TAGS, &id).is_some() {
        return Err(Refusal::new(409, "ALREADY_EXISTS", format!("Tag assignment with key '{key}' already exists.")));
    }
    let tag = std::mem::take(&mut exchange.body);
    exchange.objects.put(TAGS, &id, Value::Map(tag.clone()));
    Ok(Answer::ok(shown(tag)))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    Ok(Answer::ok(shown(stored(exchange)?.1)))
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let prefix = match named(exchange) {
        Err(refusal) if refusal.status == 404 && exchange.rival(Rival::TagsOfAbsentEmpty) => return Ok(Answer::empty()),
        named => named?,
    };
    let all: Vec<Map> = exchange.objects.below(TAGS, &prefix).iter().filter_map(|(_, tag)| tag.as_map().cloned()).collect();
    // The size of a page is not told: several pages are met soon.
    let size = paging::size(exchange, "page_size", 3, 1000)?;
    let page = paging::page(all, size, exchange.asked("page_token"))?;
    Ok(Answer::ok(paging::reply("tag_assignments", page.shown(|tag| Value::Map(shown(tag))))))
}

fn update(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, mut tag) = stored(exchange)?;
    let names: Vec<String> = exchange.asked("update_mask").unwrap_or_default().split(',').map(str::to_owned).collect();
    if let Some(other) = names.iter().find(|name| !["tag_value", "*"].contains(&name.as_str())) {
        return Err(Refusal::invalid(format!("Invalid update_mask: '{other}' cannot be updated.")));
    }
    let value = exchange.text("tag_value").unwrap_or_default().to_owned();
    tag.insert("tag_value".to_owned(), Value::Text(value));
    exchange.objects.put(TAGS, &id, Value::Map(tag.clone()));
    Ok(Answer::ok(shown(tag)))
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, _) = stored(exchange)?;
    exchange.objects.remove(TAGS, &id);
    Ok(Answer::empty())
}

/// An object is gone for good: so are its tags.
pub fn died(exchange: &mut Exchange<'_, '_>, entity_type: &str, entity_id: &str) {
    let prefix = prefix(entity_type, entity_id);
    for (id, _) in exchange.objects.below(TAGS, &prefix) {
        exchange.objects.remove(TAGS, &id);
    }
}
