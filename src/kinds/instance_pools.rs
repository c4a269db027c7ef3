//! Instance pools.

use super::permissions::PERMISSIONS;
use super::{Facet, Fact, From, Gone, Identity, Kind, List, Lit, Natural, Preset, Read, Request, Rows, Unique, Update};

/// Instance pools: an edit takes the whole of the few fields that can change; all others are fixed at birth [terraform,
/// bundles]. Names are unique.
pub static INSTANCE_POOLS: Kind = Kind {
    name: "instance_pools",
    singular: "instance pool",
    create: Some(Request::bare("compute.instance_pools.create")),
    read: Read::plain("compute.instance_pools.get"),
    list: Some(List { op: "compute.instance_pools.list", query: &[], rows: Rows::Whole }),
    update: Update::Whole(Request::bare("compute.instance_pools.edit")),
    delete: Some(Request::bare("compute.instance_pools.delete")),
    identity: Identity::Assigned("instance_pool_id"),
    natural: Natural { fields: &["instance_pool_name"], unique: Unique::Yes },
    facts: &[
        ("default_tags", Fact::Computed),
        ("state", Fact::Computed),
        ("stats", Fact::Computed),
        ("status", Fact::Computed),
        // The edit takes it, and refuses another.
        ("node_type_id", Fact::Immutable),
        ("node_type_flexibility", Fact::Immutable),
        ("disk_spec", Fact::Immutable),
        ("preloaded_spark_versions", Fact::Immutable),
        ("preloaded_docker_images", Fact::Immutable),
        ("preloaded_docker_images", Fact::Keyed(&["url"])),
        ("preloaded_docker_images[].basic_auth.password", Fact::Secret),
        ("preloaded_docker_images[].basic_auth.password", Fact::InputOnly),
        ("aws_attributes", Fact::Immutable),
        ("azure_attributes", Fact::Immutable),
        ("gcp_attributes", Fact::Immutable),
        ("aws_attributes", Fact::Default(Lit::Backend)),
        ("azure_attributes", Fact::Default(Lit::Backend)),
        ("gcp_attributes", Fact::Default(Lit::Backend)),
        ("enable_elastic_disk", Fact::Immutable),
        // True; but where zeros are left out of replies, none there must not read as true.
        ("enable_elastic_disk", Fact::Default(Lit::Backend)),
        ("idle_instance_autotermination_minutes", Fact::Default(Lit::Int(60))),
    ],
    gone: &[Gone::Field("state", "DELETED")],
    facets: &[Facet {
        name: "permissions",
        kind: &PERMISSIONS,
        bind: &[("object_type", From::Text("instance-pools")), ("object_id", From::Id)],
        body: "entries",
    }],
    presets: &[Preset::Prefixed("instance_pool_name"), Preset::TagMap("custom_tags"), Preset::Standby("min_idle_instances", Lit::Int(0))],
    link: Some("/compute/instance-pools/{instance_pool_id}"),
    ..Kind::PLAIN
};
