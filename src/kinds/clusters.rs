//! All-purpose clusters.

use super::libraries::LIBRARIES;
use super::permissions::PERMISSIONS;
use super::{
    After, Blocks, Change, Facet, Fact, From, Gone, Hooks, Identity, Kind, List, Lit, Natural, Path, Preset, Read, Request, Rows, Tag,
    Unique, Update, Value, Verdict, Wait, cluster_rules, cluster_update,
};

const BACKEND: Fact = Fact::Default(Lit::Backend);

/// Clusters that people made (by the UI or the API): those of jobs and pipelines live and die with them and are not seen
/// here. Names are not unique. Deleting one is for good; terminating it would leave it in every list [terraform, bundles].
pub static CLUSTERS: Kind = Kind {
    name: "clusters",
    singular: "cluster",
    create: Some(Request::bare("compute.clusters.create")),
    read: Read::plain("compute.clusters.get"),
    list: Some(List {
        op: "compute.clusters.list",
        query: &[("filter_by.cluster_sources", "UI"), ("filter_by.cluster_sources", "API"), ("page_size", "100")],
        rows: Rows::Whole,
    }),
    update: Update::Custom(cluster_update::update),
    delete: Some(Request::bare("compute.clusters.permanent_delete")),
    identity: Identity::Assigned("cluster_id"),
    natural: Natural { fields: &["cluster_name"], unique: Unique::No },
    own: &[("is_pinned", "bool"), ("start", "bool")],
    facts: &[
        // Required unless a policy's values are applied.
        ("spark_version", Fact::Optional),
        ("num_workers", BACKEND),
        ("autotermination_minutes", Fact::Default(Lit::Int(0))),
        ("aws_attributes", BACKEND),
        ("azure_attributes", BACKEND),
        ("gcp_attributes", BACKEND),
        ("data_security_mode", BACKEND),
        ("data_security_mode", Fact::Same(super::types::same_security_mode)),
        ("node_type_id", BACKEND),
        ("driver_node_type_id", Fact::Default(Lit::Field("node_type_id"))),
        ("driver_instance_pool_id", Fact::Default(Lit::Field("instance_pool_id"))),
        ("enable_elastic_disk", BACKEND),
        ("enable_local_disk_encryption", Fact::Default(Lit::Bool(false))),
        ("runtime_engine", BACKEND),
        ("single_user_name", BACKEND),
        ("kind", BACKEND),
        ("dependency_mode", BACKEND),
        ("is_single_node", Fact::Default(Lit::Bool(false))),
        ("use_ml_runtime", Fact::Default(Lit::Bool(false))),
        ("workload_type", BACKEND),
        ("worker_node_type_flexibility", BACKEND),
        ("driver_node_type_flexibility", BACKEND),
        // Servers add these to what was sent: the profile and master of a single node, legacy switches, the interpreter.
        ("spark_conf", Fact::ServerKeys(&["spark.databricks.", "spark.master"])),
        ("spark_env_vars", Fact::ServerKeys(&["PYSPARK_PYTHON"])),
        ("custom_tags", Fact::ServerKeys(&["ResourceClass"])),
        ("ssh_public_keys", Fact::Set),
        ("apply_policy_default_values", Fact::InputOnly),
        ("clone_from", Fact::InputOnly),
        ("clone_from", Fact::Immutable),
        ("docker_image.basic_auth.password", Fact::Secret),
        ("docker_image.basic_auth.password", Fact::InputOnly),
        ("policy_id", Fact::Refers("cluster_policies")),
        ("instance_pool_id", Fact::Refers("instance_pools")),
        ("driver_instance_pool_id", Fact::Refers("instance_pools")),
        ("is_pinned", Fact::Default(Lit::Bool(false))),
        // An order, not a property: what it asked for is in the state, and a cluster that people start is no drift.
        ("start", Fact::InputOnly),
    ],
    gone: &[
        // Older servers answer 400 with these words, newer ones 404; one that was purged long ago is an invalid state.
        Gone::Text(400, "does not exist"),
        Gone::Text(400, "cannot access cluster"),
        Gone::Field("cluster_source", "JOB"),
        Gone::Field("cluster_source", "MODELS"),
        Gone::Field("cluster_source", "PIPELINE"),
        Gone::Field("cluster_source", "PIPELINE_MAINTENANCE"),
        Gone::Field("cluster_source", "SQL"),
    ],
    waits: &[Wait { after: After::Create, waiter: "compute.clusters.create", blocks: Blocks::OnRequest }],
    facets: &[
        Facet {
            name: "permissions",
            kind: &PERMISSIONS,
            bind: &[("object_type", From::Text("clusters")), ("object_id", From::Id)],
            body: "entries",
        },
        Facet { name: "libraries", kind: &LIBRARIES, bind: &[("cluster_id", From::Id)], body: "entries" },
    ],
    presets: &[Preset::Prefixed("cluster_name"), Preset::TagMap("custom_tags"), Preset::Standby("start", Lit::Bool(false))],
    tag: Some(Tag::Map("custom_tags")),
    link: Some("/compute/clusters/{cluster_id}"),
    marks: &[("is_pinned", "filter_by.is_pinned", "true")],
    hooks: Hooks {
        reply: Some(reply),
        check: Some(cluster_rules::check),
        judge: Some(judge),
        notes: Some(cluster_update::notes),
        ..Hooks::NONE
    },
    ..Kind::PLAIN
};

/// Replies say who pinned it, YAML whether.
pub(super) fn reply(mut body: Value) -> Value {
    if let Some(map) = body.as_map_mut()
        && map.get("pinned_by_user_name").and_then(Value::as_str).is_some_and(|name| !name.is_empty())
    {
        map.insert("is_pinned".to_owned(), Value::Bool(true));
    }
    body
}

/// An order that is withdrawn changes nothing.
fn judge(path: &Path, change: &Change<'_>) -> Option<Verdict> {
    (path.first_field() == Some("start") && change.desired.get("start").is_none()).then_some(Verdict::Same)
}
