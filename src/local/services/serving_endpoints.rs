//! Model serving endpoints.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::filling::default;
use crate::local::services::settling::{promise, settled};
use crate::local::services::{Evidence, Habit, habit, permissions, serving_config};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/serving-endpoints"],
    &[
        (Catalogue("serving.serving_endpoints.create"), create),
        (Catalogue("serving.serving_endpoints.get"), get),
        (Catalogue("serving.serving_endpoints.list"), list),
        (Catalogue("serving.serving_endpoints.update_config"), update_config),
        (Catalogue("serving.serving_endpoints.put_ai_gateway"), put_ai_gateway),
        (Catalogue("serving.serving_endpoints.patch"), patch_tags),
        (Catalogue("serving.serving_endpoints.update_notifications"), update_notifications),
        (Catalogue("serving.serving_endpoints.patch_telemetry_config"), patch_telemetry),
        (Catalogue("serving.serving_endpoints.delete"), delete),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("serving_endpoints", "refuses a name that is taken with 409 RESOURCE_ALREADY_EXISTS", Evidence::Cli),
    habit("serving_endpoints", "has a hexadecimal id beside the name; permissions go by the id", Evidence::Sdk),
    habit("serving_endpoints", "updates asynchronously: IN_PROGRESS with pending_config, then NOT_UPDATING", Evidence::Sdk),
    habit("serving_endpoints", "refuses a configuration while one is being rolled out", Evidence::Cli),
    habit("serving_endpoints", "names entities NAME-VERSION, sends all traffic to a single one, fills in workload_type CPU", Evidence::Sdk),
    habit("serving_endpoints", "never gives back a secret in plain text", Evidence::Sdk),
    habit("serving_endpoints", "lists without traffic, sizes and states", Evidence::Sdk),
    habit("serving_endpoints", "answers 404 RESOURCE_DOES_NOT_EXIST for an absent one", Evidence::Unverified),
];

const ENDPOINTS: &str = "serving_endpoints";
/// From id to name, for permissions.
const IDS: &str = "serving_endpoint_ids";

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    let mut endpoint = std::mem::take(&mut exchange.body);
    let name = endpoint.get("name").map(Value::key_text).unwrap_or_default();
    let fits = !name.is_empty() && name.len() <= 63 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !fits {
        return Err(Refusal::invalid(
            "Endpoint name must be 1 to 63 characters long and hold only letters, digits, dashes and underscores.",
        ));
    }
    if exchange.objects.has(ENDPOINTS, &name) {
        return Err(Refusal::new(409, "RESOURCE_ALREADY_EXISTS", format!("Endpoint with name '{name}' already exists.")));
    }
    let id = exchange.hex_id(ENDPOINTS, 32);
    let config = endpoint.shift_remove("config").and_then(|c| c.as_map().cloned());
    endpoint.insert("id".to_owned(), Value::text(&id));
    endpoint.insert("creator".to_owned(), Value::text(&exchange.caller.name));
    endpoint.insert("creation_timestamp".to_owned(), Value::Int(exchange.now));
    endpoint.insert("permission_level".to_owned(), "CAN_MANAGE".into());
    default(&mut endpoint, "route_optimized", false);
    default(&mut endpoint, "tags", Vec::new());
    if let Some(config) = config {
        roll_out(exchange, &mut endpoint, config)?;
    } else {
        endpoint.insert("state".to_owned(), state("NOT_READY", "NOT_UPDATING"));
        endpoint.insert("last_updated_timestamp".to_owned(), Value::Int(exchange.now));
    }
    exchange.objects.put(ENDPOINTS, &name, Value::Map(endpoint.clone()));
    exchange.objects.put(IDS, &id, Value::text(&name));
    permissions::born(exchange, "serving-endpoints", &id);
    Ok(Answer::ok(endpoint))
}

fn state(ready: &str, update: &str) -> Value {
    Value::map([("ready", Value::text(ready)), ("config_update", Value::text(update))])
}

/// Begins to serve a configuration: pending now, in force once it has settled.
fn roll_out(exchange: &Exchange<'_, '_>, endpoint: &mut Map, config: Map) -> Result<(), Refusal> {
    let version = endpoint.get("config").and_then(|c| c.get("config_version")).and_then(Value::as_i64).unwrap_or(0) + 1;
    let config = serving_config::shown(config, &exchange.caller.name, exchange.now, version)?;
    let ready = if endpoint.contains_key("config") { "READY" } else { "NOT_READY" };
    let mut pending = config.clone();
    pending.insert("start_time".to_owned(), Value::Int(exchange.now));
    endpoint.insert("pending_config".to_owned(), Value::Map(pending));
    endpoint.insert("state".to_owned(), state(ready, "IN_PROGRESS"));
    endpoint.insert("last_updated_timestamp".to_owned(), Value::Int(exchange.now));
    let later = [("config", Value::Map(config)), ("pending_config", Value::Null), ("state", state("READY", "NOT_UPDATING"))];
    promise(endpoint, exchange.now + exchange.setting.settle_ms, later.into_iter().map(|(k, v)| (k.to_owned(), v)).collect());
    Ok(())
}

fn stored(exchange: &Exchange<'_, '_>, name: &str) -> Result<Map, Refusal> {
    let found = exchange.objects.get(ENDPOINTS, name).map(|e| settled(&e, exchange.now));
    found.ok_or_else(|| Refusal::absent(format!("Endpoint with name '{name}' does not exist.")))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    stored(exchange, &exchange.parameter("name")).map(Answer::ok)
}

/// What a list leaves out.
const DETAILS: [&str; 7] =
    ["pending_config", "permission_level", "route_optimized", "email_notifications", "data_plane_info", "endpoint_url", "$next"];

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let all: Vec<Value> = exchange
        .objects
        .all(ENDPOINTS)
        .map(|(_, endpoint)| {
            let mut endpoint = settled(endpoint, exchange.now);
            for name in DETAILS {
                endpoint.shift_remove(name);
            }
            if let Some(config) = endpoint.get("config").map(serving_config::summary) {
                endpoint.insert("config".to_owned(), config);
            }
            Value::Map(endpoint)
        })
        .collect();
    Ok(Answer::ok(if all.is_empty() { Map::new() } else { [("endpoints".to_owned(), Value::List(all))].into_iter().collect() }))
}

/// Takes the endpoint of the request, changes it, and keeps it.
fn changed(
    exchange: &mut Exchange<'_, '_>,
    change: impl FnOnce(&Exchange<'_, '_>, &mut Map, Map) -> Result<(), Refusal>,
) -> Result<Map, Refusal> {
    let name = exchange.parameter("name");
    let mut endpoint = stored(exchange, &name)?;
    let given = std::mem::take(&mut exchange.body);
    change(exchange, &mut endpoint, given)?;
    endpoint.insert("last_updated_timestamp".to_owned(), Value::Int(exchange.now));
    exchange.objects.put(ENDPOINTS, &name, Value::Map(endpoint.clone()));
    Ok(endpoint)
}

fn update_config(exchange: &mut Exchange<'_, '_>) -> Handled {
    let endpoint = changed(exchange, |exchange, endpoint, config| {
        let updating = endpoint.get("state").and_then(|s| s.get("config_update")).and_then(Value::as_str) == Some("IN_PROGRESS");
        if updating {
            let name = endpoint.get("name").map(Value::key_text).unwrap_or_default();
            let message = format!("Endpoint {name} is currently being updated. Please try again after the update has finished.");
            return Err(Refusal::new(409, "RESOURCE_CONFLICT", message));
        }
        roll_out(exchange, endpoint, config)
    })?;
    Ok(Answer::ok(endpoint))
}

fn put_ai_gateway(exchange: &mut Exchange<'_, '_>) -> Handled {
    let endpoint = changed(exchange, |_, endpoint, given| {
        endpoint.insert("ai_gateway".to_owned(), Value::Map(given));
        Ok(())
    })?;
    Ok(Answer::ok(endpoint.get("ai_gateway").cloned().unwrap_or(Value::Null)))
}

fn patch_tags(exchange: &mut Exchange<'_, '_>) -> Handled {
    let endpoint = changed(exchange, |_, endpoint, given| {
        let mut tags = endpoint.get("tags").and_then(Value::as_list).unwrap_or_default().to_vec();
        let remove = given.get("delete_tags").and_then(Value::as_list).unwrap_or_default();
        tags.retain(|tag| !remove.iter().any(|key| tag.get("key") == Some(key)));
        for new in given.get("add_tags").and_then(Value::as_list).unwrap_or_default() {
            tags.retain(|tag| tag.get("key") != new.get("key"));
            tags.push(new.clone());
        }
        endpoint.insert("tags".to_owned(), Value::List(tags));
        Ok(())
    })?;
    Ok(Answer::ok(Value::map([("tags", endpoint.get("tags").cloned().unwrap_or(Value::Null))])))
}

fn update_notifications(exchange: &mut Exchange<'_, '_>) -> Handled {
    let endpoint = changed(exchange, |_, endpoint, given| {
        put_or_clear(endpoint, &given, "email_notifications");
        Ok(())
    })?;
    let members = ["name", "email_notifications"].into_iter();
    Ok(Answer::ok(members.filter_map(|m| Some((m.to_owned(), endpoint.get(m)?.clone()))).collect::<Map>()))
}

fn patch_telemetry(exchange: &mut Exchange<'_, '_>) -> Handled {
    let endpoint = changed(exchange, |_, endpoint, given| {
        put_or_clear(endpoint, &given, "telemetry_config");
        Ok(())
    })?;
    Ok(Answer::ok(endpoint))
}

fn put_or_clear(endpoint: &mut Map, given: &Map, member: &str) {
    match given.get(member) {
        Some(value) => endpoint.insert(member.to_owned(), value.clone()),
        None => endpoint.shift_remove(member),
    };
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let name = exchange.parameter("name");
    let endpoint = stored(exchange, &name)?;
    let id = endpoint.get("id").map(Value::key_text).unwrap_or_default();
    exchange.objects.remove(ENDPOINTS, &name);
    exchange.objects.remove(IDS, &id);
    permissions::died(exchange, "serving-endpoints", &id);
    Ok(Answer::empty())
}
