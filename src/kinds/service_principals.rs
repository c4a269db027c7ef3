//! Service principals of the workspace.

use super::{Calls, Change, Fact, Hooks, Identity, Kind, List, Lit, Loss, Natural, Read, Request, Rows, Unique, Update, scim};

/// Service principals: people know them by a display name that may stand twice, access lists by the application id, which the
/// server makes up where none is given. Deleting takes them out of this workspace.
pub static SERVICE_PRINCIPALS: Kind = Kind {
    name: "service_principals",
    singular: "service principal",
    create: Some(Request::bare("iam.service_principals_v2.create")),
    read: Read::plain("iam.service_principals_v2.get"),
    list: Some(List { op: "iam.service_principals_v2.list", query: &[], rows: Rows::Whole }),
    update: Update::Custom(update),
    delete: Some(Request::bare("iam.service_principals_v2.delete")),
    identity: Identity::Assigned("id"),
    natural: Natural { fields: &["displayName"], unique: Unique::No },
    numbered: Some(("applicationId", is_application_id)),
    spellings: &[("application_id", "applicationId"), ("display_name", "displayName"), ("external_id", "externalId")],
    facts: &[
        ("id", Fact::Computed),
        ("schemas", Fact::Computed),
        ("groups", Fact::Computed),
        ("applicationId", Fact::Immutable),
        ("applicationId", Fact::CaseBlind),
        ("applicationId", Fact::Default(Lit::Backend)),
        ("active", Fact::Default(Lit::Backend)),
        ("entitlements", Fact::Keyed(&["value"])),
        ("roles", Fact::Keyed(&["value"])),
    ],
    loss: Loss::History("its secrets, tokens, memberships of groups and entitlements; what runs as it stops working"),
    hooks: Hooks { normal: Some(scim::normal), view: Some(scim::view), check: Some(scim::check), ..Hooks::NONE },
    ..Kind::PLAIN
};

/// Whether a name is an application id: a UUID.
#[must_use]
pub fn is_application_id(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    parts.len() == 5
        && [8, 4, 4, 4, 12].iter().zip(&parts).all(|(length, part)| part.len() == *length && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn update(change: &Change<'_>) -> Calls {
    scim::patch(change, "iam.service_principals_v2.patch")
}
