//! Unity Catalog's schemas.

use super::catalogs::MANAGED_PROPERTIES;
use super::grants::GRANTS;
use super::{Facet, Fact, From, Identity, Kind, List, Lit, Loss, Natural, Parent, Read, Rename, Request, Rows, Unique, Update};

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
    parents: &[Parent { field: "catalog_name", kind: "catalogs", listed_by: true }],
    link: Some("/explore/data/{catalog_name}/{name}"),
    hooks: super::Hooks { check: Some(super::limits::catalog_object), ..super::Hooks::NONE },
    id_fields: &["full_name"],
    ..Kind::PLAIN
};
