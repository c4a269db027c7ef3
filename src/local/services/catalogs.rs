//! Catalogs of Unity Catalog.

use std::sync::Arc;

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::Core;
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, Rival, filling::default, habit, samples, schemas, unity};
use crate::local::store::Transaction;
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.1/unity-catalog/catalogs"],
    &[
        (Catalogue("catalog.catalogs.create"), create),
        (Catalogue("catalog.catalogs.get"), get),
        (Catalogue("catalog.catalogs.list"), list),
        (Catalogue("catalog.catalogs.update"), update),
        (Catalogue("catalog.catalogs.delete"), delete),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("catalogs", "keeps names in lower case", Evidence::Sdk),
    habit("catalogs", "makes the schemas default and information_schema with a catalog", Evidence::Docs),
    habit("catalogs", "adds unity.catalog.managed.* keys to properties", Evidence::Issue),
    habit("catalogs", "drops the last slash of storage_root", Evidence::Issue),
    habit("catalogs", "replaces maps whole; new_name renames, with schemas and grants", Evidence::Sdk),
    habit("catalogs", "refuses a name that is taken with 400", Evidence::Issue),
    habit("catalogs", "refuses to delete one with schemas besides its own without force", Evidence::Docs),
    habit("catalogs", "gives everything without max_results; a page may be empty and have a token", Evidence::Sdk),
];

/// The catalogs that every workspace has, with their schemas besides `information_schema`.
const BUILT_IN: [(&str, &str, &[&str]); 3] = [
    ("main", "MANAGED_CATALOG", &["default"]),
    ("samples", "SYSTEM_CATALOG", samples::SCHEMAS),
    ("system", "SYSTEM_CATALOG", &["access", "billing"]),
];

/// Puts the built-in catalogs there.
pub fn seed(objects: &mut Transaction<'_>, workspace_id: u64, now: i64) {
    for (name, catalog_type, of) in BUILT_IN {
        let mut catalog = Map::new();
        for (member, value) in [("name", name), ("full_name", name), ("owner", "System user"), ("catalog_type", catalog_type)] {
            catalog.insert(member.to_owned(), value.into());
        }
        for (member, value) in [("isolation_mode", "OPEN"), ("securable_type", "CATALOG"), ("created_by", "System user")] {
            catalog.insert(member.to_owned(), value.into());
        }
        catalog.insert("metastore_id".to_owned(), Value::Text(Core::metastore_id(workspace_id)));
        catalog.insert("created_at".to_owned(), Value::Int(now));
        objects.put("catalogs", name, Value::Map(catalog));
        for schema in of.iter().copied().chain(["information_schema"]) {
            schemas::seed(objects, name, schema, workspace_id, now);
        }
    }
}

fn absent(name: &str) -> Refusal {
    Refusal::new(404, "CATALOG_DOES_NOT_EXIST", format!("Catalog '{name}' does not exist."))
}

/// The catalog of this name.
///
/// # Errors
/// 404.
pub fn stored(exchange: &Exchange<'_, '_>, name: &str) -> Result<Map, Refusal> {
    exchange.objects.get("catalogs", name).and_then(|c| c.as_map().cloned()).ok_or_else(|| absent(name))
}

fn asked_name(exchange: &Exchange<'_, '_>) -> String {
    exchange.parameter("name").to_lowercase()
}

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    let mut catalog = std::mem::take(&mut exchange.body);
    let name = unity::name(catalog.get("name").and_then(Value::as_str).unwrap_or_default())?;
    if exchange.objects.has("catalogs", &name) {
        return Err(unity::taken(exchange, "Catalog", "CATALOG_ALREADY_EXISTS", &name));
    }
    let catalog_type = match () {
        () if catalog.contains_key("connection_name") => "FOREIGN_CATALOG",
        () if catalog.contains_key("share_name") || catalog.contains_key("provider_name") => "DELTASHARING_CATALOG",
        () => "MANAGED_CATALOG",
    };
    catalog.insert("name".to_owned(), Value::text(&name));
    catalog.insert("full_name".to_owned(), Value::text(&name));
    catalog.insert("catalog_type".to_owned(), catalog_type.into());
    catalog.insert("securable_type".to_owned(), "CATALOG".into());
    catalog.insert("provisioning_info".to_owned(), Value::map([("state", Value::text("ACTIVE"))]));
    default(&mut catalog, "isolation_mode", "OPEN");
    unity::created(exchange, &mut catalog);
    exchange.objects.put("catalogs", &name, Value::Map(catalog.clone()));
    if catalog_type == "MANAGED_CATALOG" {
        schemas::put_new(exchange, &name, "default", Map::new());
    }
    schemas::put_new(exchange, &name, "information_schema", Map::new());
    Ok(Answer::ok(catalog))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    stored(exchange, &asked_name(exchange)).map(Answer::ok)
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let all: Vec<_> = exchange.objects.all("catalogs").map(|(_, c)| Arc::clone(c)).collect();
    unity::list(exchange, "catalogs", "max_results", &all)
}

fn update(exchange: &mut Exchange<'_, '_>) -> Handled {
    let name = asked_name(exchange);
    let mut catalog = stored(exchange, &name)?;
    refuse_built_in(&catalog, &name)?;
    let mut given = std::mem::take(&mut exchange.body);
    let new_name = match given.shift_remove("new_name") {
        Some(Value::Text(new)) => Some(unity::name(&new)?).filter(|new| *new != name),
        _ => None,
    };
    catalog.extend(given);
    unity::manage_properties(&mut catalog);
    unity::touched(exchange, &mut catalog);
    let Some(new) = new_name else {
        exchange.objects.put("catalogs", &name, Value::Map(catalog.clone()));
        return Ok(Answer::ok(catalog));
    };
    if exchange.objects.has("catalogs", &new) {
        return Err(unity::taken(exchange, "Catalog", "CATALOG_ALREADY_EXISTS", &new));
    }
    for member in ["name", "full_name"] {
        catalog.insert(member.to_owned(), Value::text(&new));
    }
    exchange.objects.remove("catalogs", &name);
    exchange.objects.put("catalogs", &new, Value::Map(catalog.clone()));
    unity::grants_follow(exchange, "catalog", &name, Some(&new));
    for (full, _) in exchange.objects.below("schemas", &format!("{name}.")) {
        let schema = full.rsplit('.').next().unwrap_or_default().to_owned();
        schemas::renamed(exchange, &full, &new, &schema);
    }
    Ok(Answer::ok(catalog))
}

fn refuse_built_in(catalog: &Map, name: &str) -> Result<(), Refusal> {
    if catalog.get("catalog_type").and_then(Value::as_str) == Some("SYSTEM_CATALOG") {
        return Err(Refusal::new(403, "PERMISSION_DENIED", format!("Catalog '{name}' is managed by the system and cannot be changed.")));
    }
    Ok(())
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let name = asked_name(exchange);
    let catalog = stored(exchange, &name)?;
    refuse_built_in(&catalog, &name)?;
    let all = exchange.objects.below("schemas", &format!("{name}."));
    let own =
        |full: &str| full.ends_with(".information_schema") || (full.ends_with(".default") && !exchange.rival(Rival::DefaultSchemaCounts));
    let others = all.iter().filter(|(full, _)| !own(full) || schemas::holds_anything(exchange, full)).count();
    if others > 0 && !exchange.flag("force") {
        return Err(Refusal::invalid(format!(
            "Catalog '{name}' is not empty. The catalog has {others} schema(s). Use force to delete it with all it holds."
        )));
    }
    for (full, _) in all {
        schemas::ended(exchange, &full);
    }
    exchange.objects.remove("catalogs", &name);
    unity::grants_follow(exchange, "catalog", &name, None);
    Ok(Answer::empty())
}
