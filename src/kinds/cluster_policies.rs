//! Cluster policies.

use super::call::whole;
use super::limits::cluster_policy;
use super::permissions::PERMISSIONS;
use super::{
    Calls, Change, Encoding, Facet, Fact, From, Hooks, Identity, Kind, List, Lit, Natural, Preset, Read, Request, Rows, Unique, Update,
    Value,
};

/// Cluster policies: an edit takes the whole. The rules are JSON in a text, written in YAML as structure or as text: a
/// `definition` of one's own, or a family's with `policy_family_definition_overrides`, never both. Names are unique.
pub static CLUSTER_POLICIES: Kind = Kind {
    name: "cluster_policies",
    singular: "cluster policy",
    create: Some(Request::bare("compute.cluster_policies.create")),
    read: Read::plain("compute.cluster_policies.get"),
    list: Some(List { op: "compute.cluster_policies.list", query: &[], rows: Rows::Whole }),
    update: Update::Custom(edit),
    delete: Some(Request::bare("compute.cluster_policies.delete")),
    identity: Identity::Assigned("policy_id"),
    natural: Natural { fields: &["name"], unique: Unique::Yes },
    facts: &[
        ("created_at_timestamp", Fact::Computed),
        ("creator_user_name", Fact::Computed),
        ("is_default", Fact::Computed),
        ("definition", Fact::JsonText),
        ("definition", Fact::Default(Lit::Backend)),
        ("policy_family_definition_overrides", Fact::JsonText),
        ("description", Fact::Default(Lit::Text(""))),
        ("libraries", Fact::Set),
    ],
    facets: &[Facet {
        name: "permissions",
        kind: &PERMISSIONS,
        bind: &[("object_type", From::Text("cluster-policies")), ("object_id", From::Id)],
        body: "entries",
    }],
    presets: &[Preset::Prefixed("name")],
    encode: &[("definition", Encoding::JsonText), ("policy_family_definition_overrides", Encoding::JsonText)],
    hooks: Hooks { reply: Some(own_rules), check: Some(cluster_policy), ..Hooks::NONE },
    ..Kind::PLAIN
};

const EDIT: Request = Request::bare("compute.cluster_policies.edit");
/// What a policy of a family has in place of a `definition`.
const OF_FAMILY: [&str; 2] = ["policy_family_id", "policy_family_definition_overrides"];

/// A family's policy shows the definition that the server made of family and overrides: nobody wrote it, and no request
/// takes it beside them.
fn own_rules(mut reply: Value) -> Value {
    if let Value::Map(policy) = &mut reply
        && policy.get("policy_family_id").is_some_and(|family| !family.is_zero())
    {
        policy.shift_remove("definition");
    }
    reply
}

/// The whole of live overlaid with desired; where desired changes between rules of its own and a family's, without what
/// live has of the other.
#[expect(clippy::unnecessary_wraps, reason = "the signature of custom updates")]
fn edit(change: &Change<'_>) -> Calls {
    let mut live = change.live.cloned();
    if let Some(Value::Map(live)) = &mut live {
        let given = |name: &str| change.desired.get(name).is_some_and(|value| *value != Value::Null);
        if given("definition") {
            live.retain(|name, _| !OF_FAMILY.contains(&name.as_str()));
        } else if given("policy_family_id") {
            live.shift_remove("definition");
        }
    }
    Ok(vec![whole(&CLUSTER_POLICIES, &EDIT, &Change { live: live.as_ref(), ..*change })])
}
