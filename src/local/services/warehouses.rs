//! SQL warehouses.

use std::sync::Arc;

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::visible;
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::filling::default;
use crate::local::services::settling::{promise, settled};
use crate::local::services::{Evidence, Habit, Rival, habit, paging, permissions};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/sql/warehouses"],
    &[
        (Catalogue("sql.warehouses.create"), create),
        (Catalogue("sql.warehouses.get"), get),
        (Catalogue("sql.warehouses.list"), list),
        (Catalogue("sql.warehouses.edit"), edit),
        (Catalogue("sql.warehouses.delete"), delete),
        (Catalogue("sql.warehouses.start"), start),
        (Catalogue("sql.warehouses.stop"), stop),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("warehouses", "starts a new warehouse: STARTING, then RUNNING", Evidence::Sdk),
    habit("warehouses", "fills in auto_stop_mins 120, one cluster, photon, COST_OPTIMIZED, CHANNEL_NAME_CURRENT", Evidence::Sdk),
    habit("warehouses", "makes a warehouse without a type CLASSIC", Evidence::Docs),
    habit("warehouses", "puts members that an edit leaves out back to their defaults", Evidence::Sdk),
    habit("warehouses", "keeps name and size when an edit leaves them out", Evidence::Unverified),
    habit("warehouses", "refuses a name that is taken with 400", Evidence::Issue),
    habit("warehouses", "refuses auto_stop_mins from 1 to 9", Evidence::Sdk),
    habit("warehouses", "gives ids of 16 hexadecimal digits, odbc_params, jdbc_url, creator_name", Evidence::Sdk),
    habit("warehouses", "answers 404 RESOURCE_DOES_NOT_EXIST for an absent one", Evidence::Unverified),
];

const SIZES: [&str; 10] = ["2X-Small", "X-Small", "Small", "Medium", "Large", "X-Large", "2X-Large", "3X-Large", "4X-Large", "5X-Large"];

fn configured(exchange: &Exchange<'_, '_>, mut config: Map) -> Result<Map, Refusal> {
    // Who made it is not for the caller to say.
    config.shift_remove("creator_name");
    config.shift_remove("customer_version_label");
    let name = config.get("name").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() || name.chars().count() > 100 {
        return Err(Refusal::invalid("Warehouse name must be between 1 and 100 characters."));
    }
    default(&mut config, "cluster_size", "X-Small");
    if let Some(size) = config.get("cluster_size").and_then(Value::as_str)
        && !SIZES.contains(&size)
    {
        return Err(Refusal::invalid(format!("Invalid cluster size: {size}. Valid sizes are: {}.", SIZES.join(", "))));
    }
    default(&mut config, "min_num_clusters", 1_i64);
    let least = config.get("min_num_clusters").and_then(Value::as_i64).unwrap_or(1);
    default(&mut config, "max_num_clusters", least);
    let most = config.get("max_num_clusters").and_then(Value::as_i64).unwrap_or(1);
    if least < 1 || most < least {
        return Err(Refusal::invalid(format!("min_num_clusters ({least}) must be at least 1 and at most max_num_clusters ({most}).")));
    }
    default(&mut config, "auto_stop_mins", 120_i64);
    if matches!(config.get("auto_stop_mins").and_then(Value::as_i64), Some(n) if n < 0 || (1..10).contains(&n)) {
        return Err(Refusal::invalid("auto_stop_mins must be 0 or at least 10."));
    }
    default(&mut config, "enable_photon", true);
    default(&mut config, "enable_serverless_compute", false);
    default(&mut config, "spot_instance_policy", "COST_OPTIMIZED");
    default(&mut config, "warehouse_type", if exchange.rival(Rival::WarehousePro) { "PRO" } else { "CLASSIC" });
    default(&mut config, "channel", Map::new());
    if let Some(channel) = config.get_mut("channel").and_then(Value::as_map_mut) {
        default(channel, "name", "CHANNEL_NAME_CURRENT");
    }
    Ok(config)
}

fn free(exchange: &Exchange<'_, '_>, name: &str, but: Option<&str>) -> Result<(), Refusal> {
    let taken = exchange.objects.all("warehouses").any(|(id, w)| Some(id) != but && w.get("name").and_then(Value::as_str) == Some(name));
    if taken { Err(Refusal::invalid(format!("SQL warehouse with name `{name}` already exists"))) } else { Ok(()) }
}

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    let given = std::mem::take(&mut exchange.body);
    let mut warehouse = configured(exchange, given)?;
    let name = warehouse.get("name").map(Value::key_text).unwrap_or_default();
    free(exchange, &name, None)?;
    let id = exchange.hex_id("warehouses", 16);
    warehouse.insert("id".to_owned(), Value::text(&id));
    warehouse.insert("creator_name".to_owned(), Value::text(&exchange.caller.name));
    let host = format!("local-{}.brickform.local", exchange.setting.workspace_id);
    let path = format!("/sql/1.0/warehouses/{id}");
    warehouse.insert(
        "odbc_params".to_owned(),
        Value::map([
            ("hostname", Value::text(&host)),
            ("path", Value::text(&path)),
            ("protocol", "https".into()),
            ("port", Value::Int(443)),
        ]),
    );
    let url = format!("jdbc:spark://{host}:443/default;transportMode=http;ssl=1;AuthMech=3;httpPath={path};");
    warehouse.insert("jdbc_url".to_owned(), Value::Text(url));
    run(exchange, &mut warehouse);
    exchange.objects.put("warehouses", &id, Value::Map(warehouse));
    permissions::born(exchange, "warehouses", &id);
    Ok(Answer::ok(Value::map([("id", Value::Text(id))])))
}

fn become_state(warehouse: &mut Map, state: &str, clusters: i64) {
    warehouse.insert("state".to_owned(), state.into());
    warehouse.insert("num_clusters".to_owned(), Value::Int(clusters));
    warehouse.insert("num_active_sessions".to_owned(), Value::Int(0));
}

fn run(exchange: &Exchange<'_, '_>, warehouse: &mut Map) {
    become_state(warehouse, "STARTING", 0);
    let clusters = warehouse.get("min_num_clusters").cloned().unwrap_or(Value::Int(1));
    let later =
        [("state", Value::text("RUNNING")), ("num_clusters", clusters), ("health", Value::map([("status", Value::text("HEALTHY"))]))];
    promise(warehouse, exchange.now + exchange.setting.settle_ms, later.into_iter().map(|(k, v)| (k.to_owned(), v)).collect());
}

fn stored(exchange: &Exchange<'_, '_>, id: &str) -> Result<Map, Refusal> {
    let found: Option<Arc<Value>> = exchange.objects.get("warehouses", id);
    found.map(|w| settled(&w, exchange.now)).ok_or_else(|| Refusal::absent(format!("SQL warehouse {id} does not exist.")))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    stored(exchange, &exchange.parameter("id")).map(Answer::ok)
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let all = exchange.objects.all("warehouses").map(|(_, w)| w).collect::<Vec<_>>();
    let size = paging::size(exchange, "page_size", all.len().max(1), usize::MAX)?;
    let page = paging::page(all, size, exchange.asked("page_token"))?;
    Ok(Answer::ok(paging::reply("warehouses", page.shown(|w| visible(&Value::Map(settled(w, exchange.now)))))))
}

fn edit(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = exchange.parameter("id");
    let old = stored(exchange, &id)?;
    let mut given = std::mem::take(&mut exchange.body);
    for name in ["name", "cluster_size"] {
        if let Some(value) = old.get(name) {
            default(&mut given, name, value.clone());
        }
    }
    let mut new = configured(exchange, given)?;
    free(exchange, &new.get("name").map(Value::key_text).unwrap_or_default(), Some(&id))?;
    let kept = ["id", "creator_name", "odbc_params", "jdbc_url", "state", "num_clusters", "num_active_sessions", "health", "$next"];
    for name in kept {
        if let Some(value) = old.get(name) {
            new.insert(name.to_owned(), value.clone());
        }
    }
    exchange.objects.put("warehouses", &id, Value::Map(new));
    Ok(Answer::empty())
}

fn start(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = exchange.parameter("id");
    let mut warehouse = stored(exchange, &id)?;
    if !matches!(warehouse.get("state").and_then(Value::as_str), Some("RUNNING" | "STARTING")) {
        run(exchange, &mut warehouse);
        exchange.objects.put("warehouses", &id, Value::Map(warehouse));
    }
    Ok(Answer::empty())
}

fn stop(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = exchange.parameter("id");
    let mut warehouse = stored(exchange, &id)?;
    if !matches!(warehouse.get("state").and_then(Value::as_str), Some("STOPPED" | "STOPPING")) {
        become_state(&mut warehouse, "STOPPING", 0);
        let later = [("state".to_owned(), Value::text("STOPPED")), ("health".to_owned(), Value::Null)];
        promise(&mut warehouse, exchange.now + exchange.setting.settle_ms, later.into_iter().collect());
        exchange.objects.put("warehouses", &id, Value::Map(warehouse));
    }
    Ok(Answer::empty())
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = exchange.parameter("id");
    stored(exchange, &id)?;
    exchange.objects.remove("warehouses", &id);
    permissions::died(exchange, "warehouses", &id);
    Ok(Answer::empty())
}
