//! Groups of the workspace.

use super::group_members::GROUP_MEMBERS;
use super::{
    Calls, Change, Facet, Fact, From, Hooks, Identity, Kind, List, Loss, Natural, Path, Read, Request, Rows, Unique, Update, Value,
    Verdict, scim,
};

/// Groups: changed by patches; a new name keeps the id. Members are a part of their own, so that a group whose members come
/// from an identity provider can be declared without them.
pub static GROUPS: Kind = Kind {
    name: "groups",
    singular: "group",
    create: Some(Request::bare("iam.groups_v2.create")),
    read: Read::plain("iam.groups_v2.get"),
    // Members make rows long, and long ones are cut short: they are left out, and never read from here.
    list: Some(List { op: "iam.groups_v2.list", query: &[("excludedAttributes", "members")], rows: Rows::Whole }),
    update: Update::Custom(update),
    delete: Some(Request::bare("iam.groups_v2.delete")),
    identity: Identity::Assigned("id"),
    natural: Natural { fields: &["displayName"], unique: Unique::Yes },
    spellings: &[("display_name", "displayName"), ("external_id", "externalId")],
    facts: &[
        ("id", Fact::Computed),
        ("schemas", Fact::Computed),
        ("meta", Fact::Computed),
        ("groups", Fact::Computed),
        ("members", Fact::Computed),
        ("entitlements", Fact::Keyed(&["value"])),
        ("roles", Fact::Keyed(&["value"])),
    ],
    loss: Loss::History("its members, and what it was granted"),
    facets: &[Facet { name: "members", kind: &GROUP_MEMBERS, bind: &[("group_id", From::Id)], body: "entries" }],
    hooks: Hooks {
        normal: Some(scim::normal),
        view: Some(scim::view),
        check: Some(scim::check),
        judge: Some(judge),
        standing: Some(standing),
        lasting: Some(lasting),
        ..Hooks::NONE
    },
    ..Kind::PLAIN
};

/// Groups that every workspace has.
const BUILTIN: [&str; 2] = ["admins", "users"];

fn standing(body: &Value) -> bool {
    body.get("displayName").and_then(Value::as_str).is_some_and(|name| BUILTIN.contains(&name))
}

/// Why a live group cannot be changed here.
pub(super) fn fixed(live: &Value) -> Option<&'static str> {
    let ty = live.get("meta").and_then(|m| m.get("resourceType")).and_then(Value::as_str);
    (ty == Some("Group")).then_some(
        "it is a group of the account, which a workspace cannot change: change it in the account or its identity provider, and declare only its name here",
    )
}

fn lasting(live: &Value) -> Option<&'static str> {
    fixed(live).map(|_| "it is a group of the account, which only the account deletes")
}

fn judge(path: &Path, change: &Change<'_>) -> Option<Verdict> {
    let live = change.live?;
    if let Some(why) = fixed(live) {
        return Some(Verdict::Block(why));
    }
    let renames = path.first_field() == Some("displayName");
    (renames && standing(live)).then_some(Verdict::Block("every workspace has this group under this name: it cannot be renamed"))
}

fn update(change: &Change<'_>) -> Calls {
    scim::patch(change, "iam.groups_v2.patch")
}
