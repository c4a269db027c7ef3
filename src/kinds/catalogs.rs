//! Unity Catalog's catalogs.

use super::grants::GRANTS;
use super::schemas::in_schema;
use super::{
    Born, Call, Contents, Facet, Fact, From, Hooks, Identity, Kind, List, Lit, Loss, Natural, Read, Rename, Repeat, Request, Rows, Unique,
    Update, Within,
};
use crate::model::{Map, Value};

/// The schema that a catalog is born with.
const BORN: &str = "default";

/// What managed catalogs and schemas get into `properties` by themselves.
pub(super) const MANAGED_PROPERTIES: &[&str] = &["unity.catalog.managed."];

/// Catalogs: a patch sends what changed, maps whole; `new_name` renames and the id changes with it. `owner`,
/// `isolation_mode` and `enable_predictive_optimization` are taken by the update only, so a create is followed by one.
pub static CATALOGS: Kind = Kind {
    name: "catalogs",
    singular: "catalog",
    create: Some(Request::bare("catalog.catalogs.create")),
    read: Read::plain("catalog.catalogs.get"),
    // Without max_results everything comes in one slow reply; 0 lets the server choose the page.
    list: Some(List { op: "catalog.catalogs.list", query: &[("max_results", "0")], rows: Rows::Whole }),
    update: Update::Patch(Request::bare("catalog.catalogs.update")),
    delete: Some(Request::bare("catalog.catalogs.delete")),
    identity: Identity::Named { parts: &["name"], join: ".", rename: Rename::By("new_name") },
    natural: Natural { fields: &["name"], unique: Unique::Yes },
    facts: &[
        // Names are lower-cased by the server.
        ("name", Fact::CaseBlind),
        ("comment", Fact::Default(Lit::Text(""))),
        ("properties", Fact::ServerKeys(MANAGED_PROPERTIES)),
        ("isolation_mode", Fact::Default(Lit::Text("OPEN"))),
        ("enable_predictive_optimization", Fact::Default(Lit::Text("INHERIT"))),
        ("owner", Fact::Default(Lit::Backend)),
        ("custom_max_retention_hours", Fact::Default(Lit::Backend)),
        ("storage_root", Fact::Slashless),
    ],
    loss: Loss::Data("every schema, table, volume and model in it"),
    facets: &[Facet {
        name: "grants",
        kind: &GRANTS,
        bind: &[("securable_type", From::Text("catalog")), ("full_name", From::Id)],
        body: "entries",
    }],
    link: Some("/explore/data/{name}"),
    id_fields: &["full_name"],
    within: Some(Within {
        // The schema that came with it goes with it; what somebody put there is not the server's own.
        lists: in_schema!(From::Id, From::Text(BORN); Contents {
            list: "catalog.schemas.list",
            bind: &[("catalog_name", From::Id), ("include_browse", From::Text("true")), ("max_results", From::Text("0"))],
            name: "full_name",
            own: &["information_schema", BORN],
        }),
        all: Some("force"),
    }),
    born_with: &[Born { kind: "schemas", fields: &[("name", BORN)], create: "catalog.schemas.create", within: "catalog_name" }],
    hooks: Hooks { check: Some(super::limits::catalog_object), before_delete: Some(own_schema), ..Hooks::NONE },
    ..Kind::PLAIN
};

/// A catalog is born with a schema `default`, which may count against its delete. It goes first, and only if it is empty:
/// nothing is forced.
fn own_schema(id: &Value) -> Vec<Call> {
    let path = [("full_name".to_owned(), Value::Text(format!("{}.{BORN}", id.key_text())))].into_iter().collect();
    let why = "delete its own schema, if empty";
    vec![Call { op: "catalog.schemas.delete", path, query: Map::new(), body: None, why, repeat: Repeat::Safe }]
}
