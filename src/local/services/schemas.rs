//! Schemas of Unity Catalog.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::Core;
use crate::local::exchange::{Exchange, digest, uuid_of};
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, catalogs, files, habit, unity, volumes};
use crate::local::store::Transaction;
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.1/unity-catalog/schemas"],
    &[
        (Catalogue("catalog.schemas.create"), create),
        (Catalogue("catalog.schemas.get"), get),
        (Catalogue("catalog.schemas.list"), list),
        (Catalogue("catalog.schemas.update"), update),
        (Catalogue("catalog.schemas.delete"), delete),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("schemas", "keeps names in lower case", Evidence::Sdk),
    habit("schemas", "drops the last slash of storage_root", Evidence::Issue),
    habit("schemas", "adds unity.catalog.managed.* keys to properties", Evidence::Issue),
    habit("schemas", "refuses a name that is taken with 400 SCHEMA_ALREADY_EXISTS", Evidence::Issue),
    habit("schemas", "answers 404 \"Schema 'c.s' does not exist.\" for an absent one", Evidence::Cli),
    habit("schemas", "new_name renames, with grants", Evidence::Sdk),
    habit("schemas", "refuses to delete one that is not empty without force", Evidence::Docs),
];

/// Collections whose objects live in schemas, by full name.
const CONTENT: [&str; 4] = ["tables", "volumes", "functions", "registered_models"];

/// Puts a built-in schema there.
pub fn seed(objects: &mut Transaction<'_>, catalog: &str, name: &str, workspace_id: u64, now: i64) {
    let mut schema = named(catalog, name);
    schema.insert("owner".to_owned(), "System user".into());
    schema.insert("created_by".to_owned(), "System user".into());
    schema.insert("created_at".to_owned(), Value::Int(now));
    schema.insert("metastore_id".to_owned(), Value::Text(Core::metastore_id(workspace_id)));
    let id = uuid_of(&digest(&format!("{catalog}.{name}"), workspace_id));
    schema.insert("schema_id".to_owned(), Value::Text(id));
    objects.put("schemas", &format!("{catalog}.{name}"), Value::Map(schema));
}

fn named(catalog: &str, name: &str) -> Map {
    let full = format!("{catalog}.{name}");
    [("name", name), ("catalog_name", catalog), ("full_name", full.as_str())].into_iter().map(|(k, v)| (k.to_owned(), v.into())).collect()
}

/// Stores a new schema; gives it as replies show it.
pub fn put_new(exchange: &mut Exchange<'_, '_>, catalog: &str, name: &str, mut schema: Map) -> Map {
    schema.extend(named(catalog, name));
    schema.insert("catalog_type".to_owned(), "MANAGED_CATALOG".into());
    if name == "information_schema" {
        schema.insert("owner".to_owned(), "System user".into());
    }
    unity::created(exchange, &mut schema);
    schema.insert("schema_id".to_owned(), Value::Text(exchange.uuid("schemas")));
    exchange.objects.put("schemas", &format!("{catalog}.{name}"), Value::Map(schema.clone()));
    schema
}

fn absent(full: &str) -> Refusal {
    Refusal::new(404, "SCHEMA_DOES_NOT_EXIST", format!("Schema '{full}' does not exist."))
}

/// The schema of this full name.
///
/// # Errors
/// 404.
pub fn stored(exchange: &Exchange<'_, '_>, full: &str) -> Result<Map, Refusal> {
    exchange.objects.get("schemas", full).and_then(|s| s.as_map().cloned()).ok_or_else(|| absent(full))
}

fn asked_name(exchange: &Exchange<'_, '_>) -> String {
    exchange.parameter("full_name").to_lowercase()
}

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    let schema = std::mem::take(&mut exchange.body);
    let name = unity::name(schema.get("name").and_then(Value::as_str).unwrap_or_default())?;
    let catalog = schema.get("catalog_name").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let parent = catalogs::stored(exchange, &catalog)?;
    if parent.get("catalog_type").and_then(Value::as_str) != Some("MANAGED_CATALOG") {
        return Err(Refusal::invalid(format!("Cannot create a schema in catalog '{catalog}': it is not a managed catalog.")));
    }
    let full = format!("{catalog}.{name}");
    if exchange.objects.has("schemas", &full) {
        return Err(unity::taken(exchange, "Schema", "SCHEMA_ALREADY_EXISTS", &full));
    }
    Ok(Answer::ok(put_new(exchange, &catalog, &name, schema)))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    stored(exchange, &asked_name(exchange)).map(Answer::ok)
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let catalog = exchange.asked("catalog_name").unwrap_or_default().to_lowercase();
    catalogs::stored(exchange, &catalog)?;
    let all: Vec<_> = exchange.objects.below("schemas", &format!("{catalog}.")).into_iter().map(|(_, s)| s).collect();
    unity::list(exchange, "schemas", "max_results", &all)
}

fn update(exchange: &mut Exchange<'_, '_>) -> Handled {
    let full = asked_name(exchange);
    let mut schema = stored(exchange, &full)?;
    refuse_built_in(&schema, &full)?;
    let mut given = std::mem::take(&mut exchange.body);
    let new_name = match given.shift_remove("new_name") {
        Some(Value::Text(new)) => Some(unity::name(&new)?),
        _ => None,
    };
    schema.extend(given);
    unity::manage_properties(&mut schema);
    unity::touched(exchange, &mut schema);
    exchange.objects.put("schemas", &full, Value::Map(schema.clone()));
    let catalog = schema.get("catalog_name").map(Value::key_text).unwrap_or_default();
    match new_name.filter(|new| format!("{catalog}.{new}") != full) {
        None => Ok(Answer::ok(schema)),
        Some(new) if exchange.objects.has("schemas", &format!("{catalog}.{new}")) => {
            Err(unity::taken(exchange, "Schema", "SCHEMA_ALREADY_EXISTS", &format!("{catalog}.{new}")))
        }
        Some(new) => Ok(Answer::ok(renamed(exchange, &full, &catalog, &new))),
    }
}

/// Moves a schema to another catalog name or name, its grants with it.
pub fn renamed(exchange: &mut Exchange<'_, '_>, full: &str, catalog: &str, name: &str) -> Map {
    let mut schema = exchange.objects.get("schemas", full).and_then(|s| s.as_map().cloned()).unwrap_or_default();
    schema.extend(named(catalog, name));
    let new = format!("{catalog}.{name}");
    exchange.objects.remove("schemas", full);
    exchange.objects.put("schemas", &new, Value::Map(schema.clone()));
    unity::grants_follow(exchange, "schema", full, Some(&new));
    for (volume, _) in exchange.objects.below("volumes", &format!("{full}.")) {
        let name = volume.rsplit('.').next().unwrap_or_default();
        volumes::moved(exchange, &volume, &format!("{new}.{name}"));
    }
    schema
}

fn refuse_built_in(schema: &Map, full: &str) -> Result<(), Refusal> {
    let of_the_system = ["samples.", "system."].iter().any(|catalog| full.starts_with(catalog));
    if of_the_system || schema.get("name").and_then(Value::as_str) == Some("information_schema") {
        return Err(Refusal::new(403, "PERMISSION_DENIED", format!("Schema '{full}' is managed by the system and cannot be changed.")));
    }
    Ok(())
}

/// Whether there is anything in a schema.
pub fn holds_anything(exchange: &Exchange<'_, '_>, full: &str) -> bool {
    CONTENT.iter().any(|collection| !exchange.objects.below(collection, &format!("{full}.")).is_empty())
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let full = asked_name(exchange);
    let schema = stored(exchange, &full)?;
    refuse_built_in(&schema, &full)?;
    if holds_anything(exchange, &full) && !exchange.flag("force") {
        return Err(Refusal::invalid(format!("Schema '{full}' is not empty. Use force to delete it with all it holds.")));
    }
    ended(exchange, &full);
    Ok(Answer::empty())
}

/// Removes a schema with what it holds and its grants.
pub fn ended(exchange: &mut Exchange<'_, '_>, full: &str) {
    for collection in CONTENT {
        for (id, _) in exchange.objects.below(collection, &format!("{full}.")) {
            exchange.objects.remove(collection, &id);
            if collection == "volumes" {
                unity::grants_follow(exchange, "volume", &id, None);
                files::follow(exchange, &id, None);
            }
        }
    }
    exchange.objects.remove("schemas", full);
    unity::grants_follow(exchange, "schema", full, None);
}
