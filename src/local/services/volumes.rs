//! Volumes of Unity Catalog.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, files, filling::default, habit, schemas, unity};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.1/unity-catalog/volumes"],
    &[
        (Catalogue("catalog.volumes.create"), create),
        (Catalogue("catalog.volumes.read"), read),
        (Catalogue("catalog.volumes.list"), list),
        (Catalogue("catalog.volumes.update"), update),
        (Catalogue("catalog.volumes.delete"), delete),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("volumes", "keeps names in lower case", Evidence::Sdk),
    habit("volumes", "drops the last slash of storage_location", Evidence::Issue),
    habit("volumes", "refuses storage_location on a managed volume with 400 INVALID_PARAMETER_VALUE", Evidence::Cli),
    habit("volumes", "refuses an external volume without storage_location", Evidence::Docs),
    habit("volumes", "gives a managed volume a place of its own", Evidence::Sdk),
    habit("volumes", "refuses a name that is taken with 400 VOLUME_ALREADY_EXISTS", Evidence::Unverified),
    habit("volumes", "answers 404 \"Volume 'c.s.v' does not exist.\" for an absent one", Evidence::Cli),
    habit("volumes", "new_name renames, with grants", Evidence::Sdk),
];

fn absent(full: &str) -> Refusal {
    Refusal::new(404, "VOLUME_DOES_NOT_EXIST", format!("Volume '{full}' does not exist."))
}

/// The volume of this full name.
///
/// # Errors
/// 404.
pub fn stored(exchange: &Exchange<'_, '_>, full: &str) -> Result<Map, Refusal> {
    exchange.objects.get("volumes", full).and_then(|v| v.as_map().cloned()).ok_or_else(|| absent(full))
}

fn asked_name(exchange: &Exchange<'_, '_>) -> String {
    exchange.parameter("name").to_lowercase()
}

fn named(schema: &str, name: &str) -> Map {
    let (catalog, of) = schema.split_once('.').unwrap_or((schema, ""));
    let full = format!("{schema}.{name}");
    [("name", name), ("catalog_name", catalog), ("schema_name", of), ("full_name", full.as_str())]
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v.into()))
        .collect()
}

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    let mut volume = std::mem::take(&mut exchange.body);
    let text = |volume: &Map, field: &str| volume.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = unity::name(&text(&volume, "name"))?;
    let schema = format!("{}.{}", text(&volume, "catalog_name"), text(&volume, "schema_name")).to_lowercase();
    schemas::stored(exchange, &schema)?;
    let full = format!("{schema}.{name}");
    if exchange.objects.has("volumes", &full) {
        return Err(unity::taken(exchange, "Volume", "VOLUME_ALREADY_EXISTS", &full));
    }
    let id = exchange.uuid("volumes");
    let location = text(&volume, "storage_location").trim_end_matches('/').to_owned();
    let location = match (text(&volume, "volume_type").as_str(), location.is_empty()) {
        ("MANAGED", false) => return Err(Refusal::invalid("storage_location cannot be set for a managed volume.")),
        ("EXTERNAL", true) => return Err(Refusal::invalid("storage_location is required for an external volume.")),
        ("MANAGED", true) => format!("abfss://local@brickform.local/__unitystorage/volumes/{id}"),
        _ => location,
    };
    volume.extend(named(&schema, &name));
    volume.insert("storage_location".to_owned(), Value::Text(location));
    volume.insert("volume_id".to_owned(), Value::Text(id));
    let mut whole = volume.clone();
    unity::created(exchange, &mut whole);
    for member in ["owner", "metastore_id", "created_at", "created_by", "updated_at", "updated_by"] {
        if let Some(value) = whole.get(member) {
            default(&mut volume, member, value.clone());
        }
    }
    exchange.objects.put("volumes", &full, Value::Map(volume.clone()));
    Ok(Answer::ok(volume))
}

fn read(exchange: &mut Exchange<'_, '_>) -> Handled {
    stored(exchange, &asked_name(exchange)).map(Answer::ok)
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let asked = |field: &str| exchange.asked(field).unwrap_or_default().to_lowercase();
    let schema = format!("{}.{}", asked("catalog_name"), asked("schema_name"));
    schemas::stored(exchange, &schema)?;
    let all: Vec<_> = exchange.objects.below("volumes", &format!("{schema}.")).into_iter().map(|(_, v)| v).collect();
    unity::list(exchange, "volumes", "max_results", &all)
}

fn update(exchange: &mut Exchange<'_, '_>) -> Handled {
    let full = asked_name(exchange);
    let mut volume = stored(exchange, &full)?;
    let mut given = std::mem::take(&mut exchange.body);
    let new_name = match given.shift_remove("new_name") {
        Some(Value::Text(new)) => Some(unity::name(&new)?),
        _ => None,
    };
    volume.extend(given);
    unity::touched(exchange, &mut volume);
    let schema = full.rsplit_once('.').map_or("", |(schema, _)| schema);
    let Some(new) = new_name.map(|new| format!("{schema}.{new}")).filter(|new| *new != full) else {
        exchange.objects.put("volumes", &full, Value::Map(volume.clone()));
        return Ok(Answer::ok(volume));
    };
    if exchange.objects.has("volumes", &new) {
        return Err(unity::taken(exchange, "Volume", "VOLUME_ALREADY_EXISTS", &new));
    }
    exchange.objects.put("volumes", &full, Value::Map(volume));
    Ok(Answer::ok(moved(exchange, &full, &new)))
}

/// Moves a volume to another full name, its grants with it.
pub fn moved(exchange: &mut Exchange<'_, '_>, full: &str, new: &str) -> Map {
    let mut volume = exchange.objects.get("volumes", full).and_then(|v| v.as_map().cloned()).unwrap_or_default();
    let (schema, name) = new.rsplit_once('.').unwrap_or(("", new));
    volume.extend(named(schema, name));
    exchange.objects.remove("volumes", full);
    exchange.objects.put("volumes", new, Value::Map(volume.clone()));
    unity::grants_follow(exchange, "volume", full, Some(new));
    files::follow(exchange, full, Some(new));
    volume
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let full = asked_name(exchange);
    stored(exchange, &full)?;
    exchange.objects.remove("volumes", &full);
    unity::grants_follow(exchange, "volume", &full, None);
    files::follow(exchange, &full, None);
    Ok(Answer::empty())
}
