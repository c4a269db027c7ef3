//! Tables, views and functions that somebody registered in a schema: what they are made of, never what is in them.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::visible;
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, Rival, filling::default, habit, samples, schemas, unity};
use crate::model::{Map, Value};

/// The operations of functions; those of tables stand with the tables of `samples`.
pub const ROOM: Room = Room::new(
    &["/api/2.1/unity-catalog/functions", "/api/2.1/unity-catalog/models"],
    &[
        (Catalogue("catalog.functions.create"), create_function),
        (Catalogue("catalog.functions.get"), get_function),
        (Catalogue("catalog.functions.list"), list_functions),
        (Catalogue("catalog.functions.delete"), delete_function),
        (Catalogue("catalog.registered_models.create"), create_model),
        (Catalogue("catalog.registered_models.list"), list_models),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("tables", "keeps tables that are registered, of any type, with their columns", Evidence::Docs),
    habit("functions", "answers 404 \"Function 'c.s.f' does not exist.\" for an absent one; the catalog samples has none", Evidence::Docs),
    habit("registered_models", "keeps models that are registered, by name only: no versions, no aliases", Evidence::Docs),
];

/// Whether a Genie space may name this table or function: the catalog `samples` is known whole, and so is a schema where any
/// was registered. Elsewhere every name is taken; the rival wants the schema at least.
pub fn may_exist(exchange: &Exchange<'_, '_>, collection: &str, full: &str) -> bool {
    let name = full.to_lowercase().replace('`', "");
    let schema = name.rsplit_once('.').map_or("", |(schema, _)| schema);
    let is_kept = exchange.objects.has(collection, &name);
    match schema.split('.').next().unwrap_or_default() {
        samples::CATALOG => is_kept || (collection == "tables" && samples::find(&name).is_some()),
        _ if !exchange.objects.below(collection, &format!("{schema}.")).is_empty() => is_kept,
        _ if exchange.rival(Rival::GenieTablesChecked) => exchange.objects.has("schemas", schema),
        _ => true,
    }
}

/// The tables that were registered in a schema, as a list shows them.
pub fn tables(exchange: &Exchange<'_, '_>, schema: &str, with_columns: bool) -> Vec<Value> {
    let shown = |table: &Value| match visible(table) {
        Value::Map(mut table) if !with_columns => {
            table.shift_remove("columns");
            Value::Map(table)
        }
        whole => whole,
    };
    exchange.objects.below("tables", &format!("{schema}.")).iter().map(|(_, table)| shown(table)).collect()
}

/// Registers a table.
pub fn create_table(exchange: &mut Exchange<'_, '_>) -> Handled {
    let body = std::mem::take(&mut exchange.body);
    let mut table = placed(exchange, body, "tables", ("Table", "TABLE_ALREADY_EXISTS"))?;
    if let Some(Value::List(columns)) = table.get_mut("columns") {
        for (at, column) in columns.iter_mut().filter_map(Value::as_map_mut).enumerate() {
            default(column, "position", i64::try_from(at).unwrap_or_default());
            default(column, "nullable", true);
        }
    }
    table.insert("table_id".to_owned(), Value::Text(exchange.uuid("tables")));
    Ok(kept(exchange, "tables", table))
}

fn create_function(exchange: &mut Exchange<'_, '_>) -> Handled {
    let Some(Value::Map(body)) = exchange.body.shift_remove("function_info") else {
        return Err(Refusal::invalid("Missing required field: function_info"));
    };
    let mut function = placed(exchange, body, "functions", ("Function", "FUNCTION_ALREADY_EXISTS"))?;
    function.insert("function_id".to_owned(), Value::Text(exchange.uuid("functions")));
    Ok(kept(exchange, "functions", function))
}

/// The object with its whole name, in a schema that is there and has no such name yet.
fn placed(exchange: &Exchange<'_, '_>, mut object: Map, collection: &str, (word, taken): (&str, &str)) -> Result<Map, Refusal> {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let name = unity::name(&text("name"))?;
    let (catalog, of) = (text("catalog_name"), text("schema_name"));
    let schema = format!("{catalog}.{of}");
    schemas::stored(exchange, &schema)?;
    let full = format!("{schema}.{name}");
    if exchange.objects.has(collection, &full) || (collection == "tables" && samples::find(&full).is_some()) {
        return Err(unity::taken(exchange, word, taken, &full));
    }
    for (field, value) in [("name", name), ("catalog_name", catalog), ("schema_name", of), ("full_name", full)] {
        object.insert(field.to_owned(), Value::Text(value));
    }
    Ok(object)
}

fn kept(exchange: &mut Exchange<'_, '_>, collection: &str, mut object: Map) -> Answer {
    default(&mut object, "owner", exchange.caller.name.as_str());
    object.insert("created_at".to_owned(), Value::Int(exchange.now));
    object.insert("created_by".to_owned(), Value::text(&exchange.caller.name));
    unity::touched(exchange, &mut object);
    let full = object.get("full_name").map(Value::key_text).unwrap_or_default();
    exchange.objects.put(collection, &full, Value::Map(object.clone()));
    Answer::ok(object)
}

fn asked_function(exchange: &Exchange<'_, '_>) -> Result<(String, Value), Refusal> {
    let full = exchange.parameter("name").to_lowercase();
    let absent = || Refusal::new(404, "FUNCTION_DOES_NOT_EXIST", format!("Function '{full}' does not exist."));
    let found = exchange.objects.get("functions", &full).map(|function| visible(&function)).ok_or_else(absent)?;
    Ok((full, found))
}

fn get_function(exchange: &mut Exchange<'_, '_>) -> Handled {
    Ok(Answer::ok(asked_function(exchange)?.1))
}

fn list_functions(exchange: &mut Exchange<'_, '_>) -> Handled {
    let asked = |name: &str| exchange.asked(name).unwrap_or_default().to_lowercase();
    let schema = format!("{}.{}", asked("catalog_name"), asked("schema_name"));
    schemas::stored(exchange, &schema)?;
    let all: Vec<_> = exchange.objects.below("functions", &format!("{schema}.")).into_iter().map(|(_, f)| f).collect();
    unity::list(exchange, "functions", "max_results", &all)
}

fn create_model(exchange: &mut Exchange<'_, '_>) -> Handled {
    let body = std::mem::take(&mut exchange.body);
    let model = placed(exchange, body, "registered_models", ("Registered Model", "RESOURCE_ALREADY_EXISTS"))?;
    Ok(kept(exchange, "registered_models", model))
}

fn list_models(exchange: &mut Exchange<'_, '_>) -> Handled {
    let asked = |name: &str| exchange.asked(name).unwrap_or_default().to_lowercase();
    let schema = format!("{}.{}", asked("catalog_name"), asked("schema_name"));
    schemas::stored(exchange, &schema)?;
    let all: Vec<_> = exchange.objects.below("registered_models", &format!("{schema}.")).into_iter().map(|(_, m)| m).collect();
    unity::list(exchange, "registered_models", "max_results", &all)
}

fn delete_function(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (full, _) = asked_function(exchange)?;
    exchange.objects.remove("functions", &full);
    Ok(Answer::empty())
}
