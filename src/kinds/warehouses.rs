//! SQL warehouses.

use super::permissions::PERMISSIONS;
use super::{After, Blocks, Facet, Fact, From, Identity, Kind, List, Lit, Natural, Preset, Read, Request, Rows, Unique, Update, Wait};

/// SQL warehouses: an edit takes the whole configuration, and what it lacks falls back to defaults. The defaults are the
/// ones that Terraform sends by itself; names are unique (a taken one is answered with 400).
pub static WAREHOUSES: Kind = Kind {
    name: "warehouses",
    singular: "warehouse",
    aliases: &["sql_warehouses", "sql_endpoints"],
    create: Some(Request::bare("sql.warehouses.create")),
    read: Read::plain("sql.warehouses.get"),
    list: Some(List { op: "sql.warehouses.list", query: &[], rows: Rows::Whole }),
    update: Update::Whole(Request::bare("sql.warehouses.edit")),
    delete: Some(Request::bare("sql.warehouses.delete")),
    identity: Identity::Assigned("id"),
    natural: Natural { fields: &["name"], unique: Unique::Yes },
    facts: &[
        // The SDK's page calls it settable; servers fill it with the caller and bundles leave it alone.
        ("creator_name", Fact::Computed),
        ("auto_stop_mins", Fact::Default(Lit::Int(120))),
        ("enable_photon", Fact::Default(Lit::Bool(true))),
        ("min_num_clusters", Fact::Default(Lit::Int(1))),
        ("max_num_clusters", Fact::Default(Lit::Int(1))),
        ("spot_instance_policy", Fact::Default(Lit::Text("COST_OPTIMIZED"))),
        ("channel", Fact::Default(Lit::Backend)),
        ("channel.name", Fact::Default(Lit::Text("CHANNEL_NAME_CURRENT"))),
        // CLASSIC by the reference, PRO or serverless in many workspaces.
        ("warehouse_type", Fact::Default(Lit::Backend)),
        ("enable_serverless_compute", Fact::Default(Lit::Backend)),
        ("cluster_size", Fact::Default(Lit::Backend)),
    ],
    waits: &[
        Wait { after: After::Create, waiter: "sql.warehouses.create", blocks: Blocks::OnRequest },
        Wait { after: After::Update, waiter: "sql.warehouses.edit", blocks: Blocks::OnRequest },
    ],
    used_with: &["CAN_USE", "CAN_MONITOR", "CAN_MANAGE", "IS_OWNER"],
    facets: &[Facet {
        name: "permissions",
        kind: &PERMISSIONS,
        bind: &[("object_type", From::Text("warehouses")), ("object_id", From::Id)],
        body: "entries",
    }],
    presets: &[
        Preset::Prefixed("name"),
        Preset::TagPairs("tags.custom_tags"),
        Preset::Standby("min_num_clusters", Lit::Int(1)),
        // The shortest that the page offers; serverless ones could take 1 by the API.
        Preset::Standby("auto_stop_mins", Lit::Int(10)),
    ],
    link: Some("/sql/warehouses/{id}"),
    hooks: super::Hooks { check: Some(super::limits::warehouse), ..super::Hooks::NONE },
    ..Kind::PLAIN
};
