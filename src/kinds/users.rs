//! Users of the workspace.

use super::{Calls, Change, Fact, Hooks, Identity, Kind, List, Lit, Loss, Natural, Read, Request, Rows, Unique, Update, scim};

/// Users: known by a name that the server lowers and that never changes; changed by patches. Deleting takes them out of this
/// workspace; the account keeps them.
pub static USERS: Kind = Kind {
    name: "users",
    singular: "user",
    create: Some(Request::bare("iam.users_v2.create")),
    read: Read::plain("iam.users_v2.get"),
    list: Some(List { op: "iam.users_v2.list", query: &[], rows: Rows::Whole }),
    update: Update::Custom(update),
    delete: Some(Request::bare("iam.users_v2.delete")),
    identity: Identity::Assigned("id"),
    natural: Natural { fields: &["userName"], unique: Unique::Yes },
    spellings: &[("user_name", "userName"), ("display_name", "displayName"), ("external_id", "externalId")],
    facts: &[
        ("id", Fact::Computed),
        ("schemas", Fact::Computed),
        // What they are in is said by the groups.
        ("groups", Fact::Computed),
        ("userName", Fact::Immutable),
        ("userName", Fact::CaseBlind),
        // The user name where none is given; the account's where identities are federated.
        ("displayName", Fact::Default(Lit::Backend)),
        ("name", Fact::Default(Lit::Backend)),
        ("emails", Fact::Default(Lit::Backend)),
        ("active", Fact::Default(Lit::Backend)),
        ("entitlements", Fact::Keyed(&["value"])),
        ("roles", Fact::Keyed(&["value"])),
    ],
    loss: Loss::History("their tokens, memberships of groups and entitlements; what runs as them stops working"),
    hooks: Hooks { normal: Some(scim::normal), view: Some(scim::view), check: Some(scim::check), ..Hooks::NONE },
    ..Kind::PLAIN
};

fn update(change: &Change<'_>) -> Calls {
    scim::patch(change, "iam.users_v2.patch")
}
