//! The catalog `samples` that every workspace has: tables and their columns, read only; and tables of other catalogs, as far as
//! they were registered ([`super::kept_objects`]).

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::{Core, visible};
use crate::local::exchange::{Exchange, digest, uuid_of};
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, habit, kept_objects, schemas, unity};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.1/unity-catalog/tables"],
    &[
        (Catalogue("catalog.tables.list"), list),
        (Catalogue("catalog.tables.get"), get),
        (Catalogue("catalog.tables.exists"), exists),
        (Catalogue("catalog.tables.create"), kept_objects::create_table),
        (Catalogue("catalog.tables.delete"), delete),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("tables", "has the catalog samples with its tables and columns, which nobody can change", Evidence::Docs),
    habit("tables", "answers 404 \"Table 'c.s.t' does not exist.\" for an absent one", Evidence::Cli),
];

/// A column: its name and type.
type Column = (&'static str, &'static str);

/// The tables of `samples`: schema, name, columns.
const TABLES: &[(&str, &str, &[Column])] = &[
    (
        "bakehouse",
        "media_customer_reviews",
        &[("review", "string"), ("franchiseID", "bigint"), ("review_date", "timestamp"), ("new_id", "int")],
    ),
    (
        "bakehouse",
        "sales_customers",
        &[
            ("customerID", "bigint"),
            ("first_name", "string"),
            ("last_name", "string"),
            ("email_address", "string"),
            ("phone_number", "string"),
            ("address", "string"),
            ("city", "string"),
            ("state", "string"),
            ("country", "string"),
            ("continent", "string"),
            ("postal_zip_code", "bigint"),
            ("gender", "string"),
        ],
    ),
    (
        "bakehouse",
        "sales_franchises",
        &[
            ("franchiseID", "bigint"),
            ("name", "string"),
            ("city", "string"),
            ("district", "string"),
            ("zipcode", "string"),
            ("country", "string"),
            ("size", "string"),
            ("longitude", "double"),
            ("latitude", "double"),
            ("supplierID", "bigint"),
        ],
    ),
    (
        "bakehouse",
        "sales_suppliers",
        &[
            ("supplierID", "bigint"),
            ("name", "string"),
            ("ingredient", "string"),
            ("continent", "string"),
            ("city", "string"),
            ("district", "string"),
            ("size", "string"),
            ("longitude", "double"),
            ("latitude", "double"),
            ("approved", "string"),
        ],
    ),
    (
        "bakehouse",
        "sales_transactions",
        &[
            ("transactionID", "bigint"),
            ("customerID", "bigint"),
            ("franchiseID", "bigint"),
            ("dateTime", "timestamp"),
            ("product", "string"),
            ("quantity", "bigint"),
            ("unitPrice", "bigint"),
            ("totalPrice", "bigint"),
            ("paymentMethod", "string"),
            ("cardNumber", "bigint"),
        ],
    ),
    (
        "nyctaxi",
        "trips",
        &[
            ("tpep_pickup_datetime", "timestamp"),
            ("tpep_dropoff_datetime", "timestamp"),
            ("trip_distance", "double"),
            ("fare_amount", "double"),
            ("pickup_zip", "int"),
            ("dropoff_zip", "int"),
        ],
    ),
    (
        "tpch",
        "customer",
        &[
            ("c_custkey", "bigint"),
            ("c_name", "string"),
            ("c_address", "string"),
            ("c_nationkey", "bigint"),
            ("c_phone", "string"),
            ("c_acctbal", "decimal(18,2)"),
            ("c_mktsegment", "string"),
            ("c_comment", "string"),
        ],
    ),
    (
        "tpch",
        "lineitem",
        &[
            ("l_orderkey", "bigint"),
            ("l_partkey", "bigint"),
            ("l_suppkey", "bigint"),
            ("l_linenumber", "int"),
            ("l_quantity", "decimal(18,2)"),
            ("l_extendedprice", "decimal(18,2)"),
            ("l_discount", "decimal(18,2)"),
            ("l_tax", "decimal(18,2)"),
            ("l_returnflag", "string"),
            ("l_linestatus", "string"),
            ("l_shipdate", "date"),
            ("l_commitdate", "date"),
            ("l_receiptdate", "date"),
            ("l_shipinstruct", "string"),
            ("l_shipmode", "string"),
            ("l_comment", "string"),
        ],
    ),
    ("tpch", "nation", &[("n_nationkey", "bigint"), ("n_name", "string"), ("n_regionkey", "bigint"), ("n_comment", "string")]),
    (
        "tpch",
        "orders",
        &[
            ("o_orderkey", "bigint"),
            ("o_custkey", "bigint"),
            ("o_orderstatus", "string"),
            ("o_totalprice", "decimal(18,2)"),
            ("o_orderdate", "date"),
            ("o_orderpriority", "string"),
            ("o_clerk", "string"),
            ("o_shippriority", "int"),
            ("o_comment", "string"),
        ],
    ),
    (
        "tpch",
        "part",
        &[
            ("p_partkey", "bigint"),
            ("p_name", "string"),
            ("p_mfgr", "string"),
            ("p_brand", "string"),
            ("p_type", "string"),
            ("p_size", "int"),
            ("p_container", "string"),
            ("p_retailprice", "decimal(18,2)"),
            ("p_comment", "string"),
        ],
    ),
    (
        "tpch",
        "partsupp",
        &[
            ("ps_partkey", "bigint"),
            ("ps_suppkey", "bigint"),
            ("ps_availqty", "int"),
            ("ps_supplycost", "decimal(18,2)"),
            ("ps_comment", "string"),
        ],
    ),
    ("tpch", "region", &[("r_regionkey", "bigint"), ("r_name", "string"), ("r_comment", "string")]),
    (
        "tpch",
        "supplier",
        &[
            ("s_suppkey", "bigint"),
            ("s_name", "string"),
            ("s_address", "string"),
            ("s_nationkey", "bigint"),
            ("s_phone", "string"),
            ("s_acctbal", "decimal(18,2)"),
            ("s_comment", "string"),
        ],
    ),
];

/// The catalog.
pub const CATALOG: &str = "samples";

/// Its schemas.
pub const SCHEMAS: &[&str] = &["bakehouse", "nyctaxi", "tpch"];

/// The table of this full name, in lower case.
pub fn find(full: &str) -> Option<(&'static str, &'static str, &'static [Column])> {
    TABLES.iter().copied().find(|(schema, table, _)| full == format!("{CATALOG}.{schema}.{table}"))
}

fn shown(exchange: &Exchange<'_, '_>, (schema, name, columns): (&str, &str, &[Column]), with_columns: bool) -> Map {
    let full = format!("{CATALOG}.{schema}.{name}");
    let texts = [
        ("name", name),
        ("catalog_name", CATALOG),
        ("schema_name", schema),
        ("full_name", full.as_str()),
        ("table_type", "MANAGED"),
        ("data_source_format", "DELTASHARING"),
        ("owner", "System user"),
        ("created_by", "System user"),
        ("securable_type", "TABLE"),
    ];
    let mut table: Map = texts.into_iter().map(|(k, v)| (k.to_owned(), Value::from(v))).collect();
    if with_columns {
        let column = |(i, (name, of)): (usize, &Column)| {
            let plain = of.split('(').next().unwrap_or(of);
            let type_name = match plain {
                "bigint" => "LONG".to_owned(),
                other => other.to_uppercase(),
            };
            Value::map([
                ("name", Value::from(*name)),
                ("type_text", Value::from(*of)),
                ("type_name", Value::Text(type_name)),
                ("position", Value::Int(i64::try_from(i).unwrap_or_default())),
                ("nullable", Value::Bool(true)),
            ])
        };
        table.insert("columns".to_owned(), Value::List(columns.iter().enumerate().map(column).collect()));
    }
    let id = uuid_of(&digest(&full, exchange.setting.workspace_id));
    table.insert("table_id".to_owned(), Value::Text(id));
    table.insert("metastore_id".to_owned(), Value::Text(Core::metastore_id(exchange.setting.workspace_id)));
    table
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let asked = |name: &str| exchange.asked(name).unwrap_or_default().to_lowercase();
    let (catalog, schema) = (asked("catalog_name"), asked("schema_name"));
    schemas::stored(exchange, &format!("{catalog}.{schema}"))?;
    let columns = !exchange.flag("omit_columns");
    let of = TABLES.iter().filter(|(s, ..)| catalog == CATALOG && *s == schema);
    let all: Vec<Value> = of.map(|table| Value::Map(shown(exchange, *table, columns))).collect();
    let all: Vec<Value> = all.into_iter().chain(kept_objects::tables(exchange, &format!("{catalog}.{schema}"), columns)).collect();
    unity::list(exchange, "tables", "max_results", &all)
}

fn absent(full: &str) -> Refusal {
    Refusal::new(404, "TABLE_DOES_NOT_EXIST", format!("Table '{full}' does not exist."))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    let full = exchange.parameter("full_name").to_lowercase();
    match (exchange.objects.get("tables", &full), find(&full)) {
        (Some(kept), _) => Ok(Answer::ok(visible(&kept))),
        (None, Some(table)) => Ok(Answer::ok(shown(exchange, table, true))),
        (None, None) => Err(absent(&full)),
    }
}

fn exists(exchange: &mut Exchange<'_, '_>) -> Handled {
    let full = exchange.parameter("full_name").to_lowercase();
    let found = find(&full).is_some() || exchange.objects.has("tables", &full);
    Ok(Answer::ok(Value::map([("table_exists", Value::Bool(found))])))
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let full = exchange.parameter("full_name").to_lowercase();
    if exchange.objects.has("tables", &full) {
        exchange.objects.remove("tables", &full);
        return Ok(Answer::empty());
    }
    find(&full).ok_or_else(|| absent(&full))?;
    Err(Refusal::new(403, "PERMISSION_DENIED", format!("Table '{full}' is shared with this workspace and cannot be changed.")))
}
