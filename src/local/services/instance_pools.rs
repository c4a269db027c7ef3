//! Instance pools.

use std::sync::Arc;

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::visible;
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::filling::default;
use crate::local::services::{Evidence, Habit, Rival, habit, permissions};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/instance-pools"],
    &[
        (Catalogue("compute.instance_pools.create"), create),
        (Catalogue("compute.instance_pools.get"), get),
        (Catalogue("compute.instance_pools.list"), list),
        (Catalogue("compute.instance_pools.edit"), edit),
        (Catalogue("compute.instance_pools.delete"), delete),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("instance_pools", "fills in 60 idle minutes, elastic disk, the cloud's attributes and default_tags", Evidence::Sdk),
    habit(
        "instance_pools",
        "an edit takes name, sizes, idle minutes, custom_tags and remote disks, and leaves the rest as it is",
        Evidence::Sdk,
    ),
    habit("instance_pools", "puts what an edit may say and leaves out back to its default", Evidence::Unverified),
    habit("instance_pools", "refuses an edit to another node_type_id", Evidence::Docs),
    habit("instance_pools", "refuses a name that is taken with 400", Evidence::Unverified),
    habit("instance_pools", "refuses names that are empty or longer than 100 characters", Evidence::Docs),
    habit("instance_pools", "hides the passwords of docker images", Evidence::Unverified),
    habit("instance_pools", "answers 404 RESOURCE_DOES_NOT_EXIST for an absent one", Evidence::Unverified),
];

/// What an edit sets; what it leaves out is reset.
const EDITABLE: [&str; 7] = [
    "instance_pool_name",
    "min_idle_instances",
    "max_capacity",
    "idle_instance_autotermination_minutes",
    "custom_tags",
    "remote_disk_throughput",
    "total_initial_remote_disk_size",
];

fn name_of(pool: &Map) -> String {
    pool.get("instance_pool_name").map(Value::key_text).unwrap_or_default()
}

/// Checks a pool and fills in what was left out.
fn configured(exchange: &Exchange<'_, '_>, pool: &mut Map, but: Option<&str>) -> Result<(), Refusal> {
    let name = name_of(pool);
    if name.is_empty() || name.chars().count() > 100 {
        return Err(Refusal::invalid("Instance pool name must be between 1 and 100 characters."));
    }
    let holds = |pool: &Value| pool.get("instance_pool_name").and_then(Value::as_str) == Some(&name) && !is_deleted(pool);
    if exchange.objects.all("instance_pools").any(|(id, other)| Some(id) != but && holds(other)) {
        return Err(Refusal::invalid(format!("Instance pool with name '{name}' already exists.")));
    }
    let number = |field: &str| pool.get(field).and_then(Value::as_i64);
    if let (Some(least), Some(most)) = (number("min_idle_instances"), number("max_capacity"))
        && most < least
    {
        return Err(Refusal::invalid(format!("max_capacity ({most}) must be at least min_idle_instances ({least}).")));
    }
    default(pool, "idle_instance_autotermination_minutes", 60_i64);
    Ok(())
}

/// What only a create says: the cloud's attributes are those of a workspace on Azure unless others were sent.
fn born_with(pool: &mut Map, id: &str) {
    default(pool, "enable_elastic_disk", true);
    if !["aws_attributes", "gcp_attributes"].iter().any(|cloud| pool.contains_key(*cloud)) {
        default(pool, "azure_attributes", Map::new());
        if let Some(azure) = pool.get_mut("azure_attributes").and_then(Value::as_map_mut) {
            default(azure, "availability", "ON_DEMAND_AZURE");
        }
    }
    if let Some(aws) = pool.get_mut("aws_attributes").and_then(Value::as_map_mut) {
        default(aws, "availability", "SPOT");
        default(aws, "zone_id", "us-west-2a");
        default(aws, "spot_bid_price_percent", 100_i64);
    }
    let tags = [("Vendor", Value::text("Databricks")), ("DatabricksInstancePoolId", Value::text(id))];
    pool.insert("default_tags".to_owned(), Value::map(tags));
    pool.insert("state".to_owned(), "ACTIVE".into());
    let counts = ["used_count", "idle_count", "pending_used_count", "pending_idle_count"];
    pool.insert("stats".to_owned(), Value::map(counts.map(|name| (name, Value::Int(0)))));
    pool.insert("status".to_owned(), Value::Map(Map::new()));
}

fn without_passwords(pool: &mut Map) {
    let Some(Value::List(images)) = pool.get_mut("preloaded_docker_images") else { return };
    for auth in images.iter_mut().filter_map(|image| image.as_map_mut()?.get_mut("basic_auth")?.as_map_mut()) {
        auth.shift_remove("password");
    }
}

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    let mut pool = std::mem::take(&mut exchange.body);
    configured(exchange, &mut pool, None)?;
    let id = exchange.hex_id("instance_pools", 16);
    pool.insert("instance_pool_id".to_owned(), Value::text(&id));
    born_with(&mut pool, &id);
    without_passwords(&mut pool);
    exchange.objects.put("instance_pools", &id, Value::Map(pool));
    permissions::born(exchange, "instance-pools", &id);
    Ok(Answer::ok(Value::map([("instance_pool_id", Value::Text(id))])))
}

fn is_deleted(pool: &Value) -> bool {
    pool.get("state").and_then(Value::as_str) == Some("DELETED")
}

fn absent(id: &str) -> Refusal {
    Refusal::absent(format!("Can't find an instance pool with id: {id}."))
}

fn stored(exchange: &Exchange<'_, '_>, id: &str) -> Result<Map, Refusal> {
    let found: Option<Arc<Value>> = exchange.objects.get("instance_pools", id);
    found.and_then(|pool| pool.as_map().cloned()).ok_or_else(|| absent(id))
}

/// The pool that a body names.
fn named(exchange: &Exchange<'_, '_>) -> Result<(String, Map), Refusal> {
    let id = exchange.text("instance_pool_id").unwrap_or_default().to_owned();
    let pool = stored(exchange, &id)?;
    if pool.get("state").and_then(Value::as_str) == Some("DELETED") { Err(absent(&id)) } else { Ok((id, pool)) }
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    stored(exchange, exchange.asked("instance_pool_id").unwrap_or_default()).map(Answer::ok)
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let all: Vec<Value> = exchange.objects.all("instance_pools").filter(|(_, p)| !is_deleted(p)).map(|(_, p)| visible(p)).collect();
    Ok(Answer::ok(Value::map([("instance_pools", Value::List(all))])))
}

fn edit(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, mut pool) = named(exchange)?;
    if exchange.body.get("node_type_id") != pool.get("node_type_id") {
        return Err(Refusal::invalid("The node type of an instance pool cannot be changed."));
    }
    for name in EDITABLE {
        match exchange.body.shift_remove(name) {
            Some(value) => pool.insert(name.to_owned(), value),
            None => pool.shift_remove(name),
        };
    }
    configured(exchange, &mut pool, Some(&id))?;
    exchange.objects.put("instance_pools", &id, Value::Map(pool));
    Ok(Answer::empty())
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, mut pool) = named(exchange)?;
    if exchange.rival(Rival::PoolRemembered) {
        pool.insert("state".to_owned(), "DELETED".into());
        exchange.objects.put("instance_pools", &id, Value::Map(pool));
        return Ok(Answer::empty());
    }
    exchange.objects.remove("instance_pools", &id);
    permissions::died(exchange, "instance-pools", &id);
    Ok(Answer::empty())
}
