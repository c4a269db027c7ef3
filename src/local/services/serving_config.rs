//! What the serving service makes of an endpoint's configuration: names, defaults, traffic, hidden secrets.

use crate::local::answer::Refusal;
use crate::local::services::filling::default;
use crate::model::{Map, Value};

/// A configuration as replies show it while it is served: entities named and completed, traffic routed, no secret.
///
/// # Errors
/// 400: two entities of one name, traffic that does not sum up to 100 or goes nowhere.
pub fn shown(mut config: Map, creator: &str, now: i64, version: i64) -> Result<Map, Refusal> {
    config.shift_remove("name");
    let mut names = Vec::new();
    for (list, entity, release) in [("served_entities", "entity_name", "entity_version"), ("served_models", "model_name", "model_version")]
    {
        if let Some(Value::List(items)) = config.get_mut(list) {
            for item in items.iter_mut().filter_map(Value::as_map_mut) {
                names.push(complete(item, entity, release, creator, now));
            }
        }
    }
    for (i, name) in names.iter().enumerate() {
        if names[..i].contains(name) {
            return Err(Refusal::invalid(format!("Served entity name '{name}' is not unique.")));
        }
    }
    route(&mut config, &names)?;
    config.insert("config_version".to_owned(), Value::Int(version));
    Ok(without_plaintext(Value::Map(config)).as_map().cloned().unwrap_or_default())
}

/// Completes a served entity; gives its name.
fn complete(item: &mut Map, entity: &str, release: &str, creator: &str, now: i64) -> String {
    let external = item.get("external_model").and_then(|m| m.get("name")).map(Value::key_text);
    let own = |member: &str| item.get(member).map(Value::key_text);
    let made = external.or_else(|| own(entity).map(|name| name.replace('.', "_"))).unwrap_or_default();
    let named = own(release).map_or(made.clone(), |version| format!("{made}-{version}"));
    default(item, "name", named);
    if !item.contains_key("external_model") {
        default(item, "workload_type", "CPU");
        default(item, "scale_to_zero_enabled", false);
    }
    item.shift_remove("burst_scaling_enabled");
    item.insert("creator".to_owned(), creator.into());
    item.insert("creation_timestamp".to_owned(), Value::Int(now));
    item.insert("state".to_owned(), Value::map([("deployment", "DEPLOYMENT_READY".into()), ("deployment_state_message", Value::text(""))]));
    item.get("name").map(Value::key_text).unwrap_or_default()
}

/// All traffic goes to a single entity unless routes say otherwise.
fn route(config: &mut Map, names: &[String]) -> Result<(), Refusal> {
    let Some(routes) = config.get("traffic_config").and_then(|t| t.get("routes")).and_then(Value::as_list) else {
        if let [only] = names {
            let member = if config.contains_key("served_models") { "served_model_name" } else { "served_entity_name" };
            let route = Value::map([(member, Value::text(only)), ("traffic_percentage", Value::Int(100))]);
            config.insert("traffic_config".to_owned(), Value::map([("routes", Value::List(vec![route]))]));
        }
        return Ok(());
    };
    let sum: i64 = routes.iter().filter_map(|r| r.get("traffic_percentage").and_then(Value::as_i64)).sum();
    if sum != 100 {
        return Err(Refusal::invalid(format!("The sum of traffic percentages must be 100, not {sum}.")));
    }
    for route in routes {
        let to = route.get("served_entity_name").or_else(|| route.get("served_model_name")).map(Value::key_text).unwrap_or_default();
        if !names.contains(&to) {
            return Err(Refusal::invalid(format!("Traffic goes to '{to}', which is not a served entity of the endpoint.")));
        }
    }
    Ok(())
}

/// The value without members that hold a secret in plain text.
fn without_plaintext(value: Value) -> Value {
    match value {
        Value::Map(map) => {
            Value::Map(map.into_iter().filter(|(k, _)| !k.ends_with("_plaintext")).map(|(k, v)| (k, without_plaintext(v))).collect())
        }
        Value::List(list) => Value::List(list.into_iter().map(without_plaintext).collect()),
        other => other,
    }
}

/// A configuration as a list of endpoints shows it: which entities, no more.
pub fn summary(config: &Value) -> Value {
    let members = ["name", "entity_name", "entity_version", "model_name", "model_version", "external_model", "foundation_model"];
    let mut shown = Map::new();
    for list in ["served_entities", "served_models"] {
        if let Some(items) = config.get(list).and_then(Value::as_list) {
            let items = items.iter().map(|item| {
                let of = members.iter().filter_map(|m| Some(((*m).to_owned(), item.get(m)?.clone())));
                Value::Map(of.collect())
            });
            shown.insert(list.to_owned(), Value::List(items.collect()));
        }
    }
    Value::Map(shown)
}
