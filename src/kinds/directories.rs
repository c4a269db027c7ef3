//! Folders of the workspace.

use super::permissions::PERMISSIONS;
use super::{Contents, Facet, Fact, From, Identity, Kind, Natural, Parent, Read, Rename, Request, Unique, Within};

/// Folders, known by their path. What is missing above one, or above what else has a path, is declared along with it. A
/// delete takes an empty one only: what somebody else keeps in it blocks the plan, and `recursive` is sent only where
/// the user allows it.
pub static DIRECTORIES: Kind = Kind {
    name: "directories",
    singular: "directory",
    create: Some(Request::bare("workspace.workspace.mkdirs")),
    read: Read::plain("workspace.workspace.get_status"),
    delete: Some(Request::bare("workspace.workspace.delete")),
    identity: Identity::Named { parts: &["path"], join: "/", rename: Rename::Replaces },
    natural: Natural { fields: &["path"], unique: Unique::Yes },
    facts: &[("path", Fact::WorkspacePath), ("path", Fact::Slashless)],
    facets: &[Facet {
        name: "permissions",
        kind: &PERMISSIONS,
        bind: &[("object_type", From::Text("directories")), ("object_id", From::Field("object_id"))],
        body: "entries",
    }],
    parents: &[Parent { field: "path", kind: "directories", listed_by: false }],
    link: Some("/browse/folders/{object_id}"),
    within: Some(Within {
        lists: &[Contents { list: "workspace.workspace.list", bind: &[("path", From::Id)], name: "path", own: &[] }],
        all: Some("recursive"),
    }),
    hooks: super::Hooks { check: Some(super::limits::workspace_path), ..super::Hooks::NONE },
    ..Kind::PLAIN
};
