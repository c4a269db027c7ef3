//! SQL alerts, the second version.

use super::permissions::PERMISSIONS;
use super::{Facet, Fact, From, Gone, Identity, Kind, List, Lit, Natural, Parent, Preset, Read, Request, Rows, Unique, Update};

/// Alerts: a patch with a mask in the query; deleting moves to the trash, where a read still answers, with a state of
/// its own. A name is unique only in its folder, which the server chooses where none is given, so it settles no crash.
pub static ALERTS: Kind = Kind {
    name: "alerts",
    singular: "alert",
    create: Some(Request::bare("sql.alerts_v2.create_alert")),
    read: Read::plain("sql.alerts_v2.get_alert"),
    list: Some(List { op: "sql.alerts_v2.list_alerts", query: &[], rows: Rows::Whole }),
    update: Update::Mask(Request::bare("sql.alerts_v2.update_alert"), "update_mask"),
    delete: Some(Request::bare("sql.alerts_v2.trash_alert")),
    identity: Identity::Assigned("id"),
    natural: Natural { fields: &["display_name"], unique: Unique::No },
    facts: &[
        ("create_time", Fact::Computed),
        ("update_time", Fact::Computed),
        ("lifecycle_state", Fact::Computed),
        ("owner_user_name", Fact::Computed),
        ("run_as_user_name", Fact::Computed),
        ("evaluation.state", Fact::Computed),
        ("evaluation.last_evaluated_at", Fact::Computed),
        ("evaluation.notification.subscriptions", Fact::Set),
        ("custom_description", Fact::Default(Lit::Text(""))),
        ("custom_summary", Fact::Default(Lit::Text(""))),
        ("run_as", Fact::Default(Lit::Backend)),
        // The caller's home.
        ("parent_path", Fact::Default(Lit::Backend)),
        ("parent_path", Fact::WorkspacePath),
        ("query_text", Fact::Chomped),
        ("warehouse_id", Fact::Refers("warehouses")),
        ("parameters", Fact::Keyed(&["name"])),
    ],
    gone: &[Gone::Field("lifecycle_state", "DELETED")],
    facets: &[Facet {
        name: "permissions",
        kind: &PERMISSIONS,
        bind: &[("object_type", From::Text("alertsv2")), ("object_id", From::Id)],
        body: "entries",
    }],
    parents: &[Parent { field: "parent_path", kind: "directories", listed_by: false }],
    presets: &[Preset::Prefixed("display_name"), Preset::Paused("schedule", "pause_status", Lit::Text("PAUSED"))],
    link: Some("/sql/alerts-v2/{id}"),
    ..Kind::PLAIN
};
