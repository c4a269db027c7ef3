//! SQL queries.

use super::permissions::PERMISSIONS;
use super::{Facet, Fact, From, Gone, Identity, Kind, List, Lit, Natural, Parent, Preset, Read, Request, Rows, Unique, Update};

/// Queries: made and changed under `query`, read bare; an update names what changes in a mask beside it. Deleting moves
/// to the trash for thirty days. A name is unique only in its folder, which the server chooses where none is given, so it
/// settles no crash.
pub static QUERIES: Kind = Kind {
    name: "queries",
    singular: "query",
    create: Some(Request::wrapped("sql.queries.create", "query")),
    read: Read::plain("sql.queries.get"),
    // Rows do not say in which folder a query is.
    list: Some(List { op: "sql.queries.list", query: &[], rows: Rows::Names }),
    update: Update::Mask(Request::wrapped("sql.queries.update", "query"), "update_mask"),
    delete: Some(Request::bare("sql.queries.delete")),
    identity: Identity::Assigned("id"),
    natural: Natural { fields: &["display_name"], unique: Unique::No },
    facts: &[
        ("create_time", Fact::Computed),
        ("update_time", Fact::Computed),
        ("lifecycle_state", Fact::Computed),
        ("owner_user_name", Fact::Computed),
        ("last_modifier_user_name", Fact::Computed),
        // The update has no member for it.
        ("parent_path", Fact::Immutable),
        // The caller's home.
        ("parent_path", Fact::Default(Lit::Backend)),
        ("parent_path", Fact::WorkspacePath),
        ("description", Fact::Default(Lit::Text(""))),
        ("run_as_mode", Fact::Default(Lit::Text("OWNER"))),
        ("apply_auto_limit", Fact::Default(Lit::Bool(false))),
        ("query_text", Fact::Chomped),
        ("warehouse_id", Fact::Refers("warehouses")),
        ("parameters", Fact::Keyed(&["name"])),
        ("tags", Fact::Set),
    ],
    gone: &[Gone::Field("lifecycle_state", "TRASHED")],
    facets: &[Facet {
        name: "permissions",
        kind: &PERMISSIONS,
        bind: &[("object_type", From::Text("queries")), ("object_id", From::Id)],
        body: "entries",
    }],
    parents: &[Parent { field: "parent_path", kind: "directories", listed_by: false }],
    presets: &[Preset::Prefixed("display_name")],
    link: Some("/sql/editor/{id}"),
    ..Kind::PLAIN
};
