//! Unity Catalog's schemas.

use super::catalogs::MANAGED_PROPERTIES;
use super::grants::GRANTS;
use super::{
    Contents, Facet, Fact, From, Identity, Kind, List, Lit, Loss, Natural, Parent, Read, Rename, Request, Rows, Unique, Update, Within,
};

/// The lists of what is in a schema: this many, each asked for the catalog and the schema.
macro_rules! in_schema {
    ($catalog:expr, $schema:expr) => {
        in_schema!($catalog, $schema;)
    };
    ($catalog:expr, $schema:expr; $($first:expr),*) => {
        &[
            $($first,)*
            in_schema!(@ "catalog.tables.list", $catalog, $schema, ("omit_columns", From::Text("true")), ("omit_properties", From::Text("true"))),
            in_schema!(@ "catalog.volumes.list", $catalog, $schema,),
            in_schema!(@ "catalog.functions.list", $catalog, $schema,),
            in_schema!(@ "catalog.registered_models.list", $catalog, $schema,),
        ]
    };
    (@ $list:expr, $catalog:expr, $schema:expr, $($more:expr),*) => {
        Contents {
            list: $list,
            bind: &[("catalog_name", $catalog), ("schema_name", $schema), ("include_browse", From::Text("true")), $($more),*],
            name: "full_name",
            own: &[],
        }
    };
}
pub(super) use in_schema;

/// Schemas: like catalogs. A changed name goes through `new_name`: replacing one would drop its tables.
pub static SCHEMAS: Kind = Kind {
    name: "schemas",
    singular: "schema",
    create: Some(Request::bare("catalog.schemas.create")),
    read: Read::plain("catalog.schemas.get"),
    list: Some(List { op: "catalog.schemas.list", query: &[("max_results", "0")], rows: Rows::Whole }),
    update: Update::Patch(Request::bare("catalog.schemas.update")),
    delete: Some(Request::bare("catalog.schemas.delete")),
    identity: Identity::Named { parts: &["catalog_name", "name"], join: ".", rename: Rename::By("new_name") },
    natural: Natural { fields: &["catalog_name", "name"], unique: Unique::Yes },
    facts: &[
        ("name", Fact::CaseBlind),
        ("catalog_name", Fact::CaseBlind),
        ("catalog_name", Fact::Refers("catalogs")),
        ("comment", Fact::Default(Lit::Text(""))),
        ("properties", Fact::ServerKeys(MANAGED_PROPERTIES)),
        ("enable_predictive_optimization", Fact::Default(Lit::Text("INHERIT"))),
        ("owner", Fact::Default(Lit::Backend)),
        ("custom_max_retention_hours", Fact::Default(Lit::Backend)),
        ("storage_root", Fact::Slashless),
    ],
    loss: Loss::Data("every table, volume and model in it"),
    facets: &[Facet {
        name: "grants",
        kind: &GRANTS,
        bind: &[("securable_type", From::Text("schema")), ("full_name", From::Id)],
        body: "entries",
    }],
    within: Some(Within { lists: in_schema!(From::Field("catalog_name"), From::Field("name")), all: Some("force") }),
    parents: &[Parent { field: "catalog_name", kind: "catalogs", listed_by: true }],
    link: Some("/explore/data/{catalog_name}/{name}"),
    hooks: super::Hooks { check: Some(super::limits::catalog_object), ..super::Hooks::NONE },
    id_fields: &["full_name"],
    ..Kind::PLAIN
};
