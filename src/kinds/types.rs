//! What we know of catalogue types in every kind in which they occur. A new kind with clusters, schedules or
//! notifications inside says nothing of them itself.

use super::{At, Fact, Lit};

const BACKEND: Fact = Fact::Default(Lit::Backend);

/// Facts by type. `[terraform]` and `[bundles]` name the public clients whose tables of backend defaults, ignored fields
/// and keys agree with them.
pub static FACTS: &[(At, Fact)] = &[
    // A cluster's specification: the cloud's attributes, disks, mode and node types are filled where nothing is sent
    // [terraform: suppressed when absent; bundles: backend defaults].
    ("@compute.ClusterSpec.aws_attributes", BACKEND),
    ("@compute.ClusterSpec.azure_attributes", BACKEND),
    ("@compute.ClusterSpec.gcp_attributes", BACKEND),
    ("@compute.ClusterSpec.data_security_mode", BACKEND),
    ("@compute.ClusterSpec.data_security_mode", Fact::Same(same_security_mode)),
    ("@compute.ClusterSpec.node_type_id", BACKEND),
    ("@compute.ClusterSpec.driver_node_type_id", Fact::Default(Lit::Field("node_type_id"))),
    ("@compute.ClusterSpec.driver_instance_pool_id", Fact::Default(Lit::Field("instance_pool_id"))),
    ("@compute.ClusterSpec.enable_elastic_disk", BACKEND),
    ("@compute.ClusterSpec.enable_local_disk_encryption", Fact::Default(Lit::Bool(false))),
    ("@compute.ClusterSpec.runtime_engine", BACKEND),
    ("@compute.ClusterSpec.single_user_name", BACKEND),
    ("@compute.ClusterSpec.spark_conf", Fact::ServerKeys(&["spark.databricks."])),
    ("@compute.ClusterSpec.ssh_public_keys", Fact::Set),
    // Read back only in the echo of the request, never in the object [terraform, bundles].
    ("@compute.ClusterSpec.apply_policy_default_values", Fact::InputOnly),
    ("@compute.ClusterSpec.policy_id", Fact::Refers("cluster_policies")),
    ("@compute.ClusterSpec.instance_pool_id", Fact::Refers("instance_pools")),
    ("@compute.ClusterSpec.driver_instance_pool_id", Fact::Refers("instance_pools")),
    // A job's parts: defaults [terraform, bundles], lists by key [bundles].
    ("@jobs.Task.depends_on", Fact::Keyed(&["task_key"])),
    ("@jobs.Task.run_if", Fact::Default(Lit::Text("ALL_SUCCESS"))),
    ("@jobs.Task.timeout_seconds", Fact::Default(Lit::Int(0))),
    ("@jobs.Task.retry_on_timeout", Fact::Default(Lit::Bool(false))),
    ("@jobs.Task.libraries", Fact::Set),
    ("@jobs.Task.existing_cluster_id", Fact::Refers("clusters")),
    ("@jobs.JobsHealthRules.rules", Fact::Keyed(&["metric"])),
    ("@jobs.CronSchedule.pause_status", Fact::Default(Lit::Text("UNPAUSED"))),
    ("@jobs.TriggerSettings.pause_status", Fact::Default(Lit::Text("UNPAUSED"))),
    ("@jobs.Continuous.pause_status", Fact::Default(Lit::Text("UNPAUSED"))),
    // WORKSPACE, or GIT where the job has a git source.
    ("@jobs.NotebookTask.source", BACKEND),
    ("@jobs.NotebookTask.notebook_path", Fact::WorkspacePath),
    ("@jobs.NotebookTask.notebook_path", Fact::PathOf(&["notebooks"])),
    ("@jobs.SparkPythonTask.source", BACKEND),
    ("@jobs.SparkPythonTask.python_file", Fact::PathOf(&["files"])),
    ("@jobs.SqlTaskFile.path", Fact::PathOf(&["files"])),
    ("@jobs.DbtTask.source", BACKEND),
    ("@jobs.DbtTask.schema", Fact::Default(Lit::Text("default"))),
    ("@jobs.SqlTaskFile.source", BACKEND),
    ("@jobs.SqlTask.warehouse_id", Fact::Refers("warehouses")),
    ("@jobs.RunJobTask.job_id", Fact::Refers("jobs")),
    ("@jobs.PipelineTask.pipeline_id", Fact::Refers("pipelines")),
    ("@jobs.WebhookNotifications.*", Fact::Keyed(&["id"])),
    ("@jobs.JobEmailNotifications.*", Fact::Set),
    ("@jobs.TaskEmailNotifications.*", Fact::Set),
    // Who deploys a job is settable; the SDK's text on one of its values reads as if it were not.
    ("@jobs.JobDeployment.kind", Fact::Settable),
    // Pairs of a warehouse's tags.
    ("@sql.EndpointTags.custom_tags", Fact::Keyed(&["key"])),
    ("@sql.CronSchedule.pause_status", Fact::Default(Lit::Text("UNPAUSED"))),
    // Keys of external models in clear: sent, never read back. By suffix, so that the SDK's next one is covered.
    ("@serving.*.*_plaintext", Fact::Secret),
    ("@serving.*.*_plaintext", Fact::InputOnly),
    ("@serving.ServedEntityInput.burst_scaling_enabled", Fact::InputOnly),
    ("@serving.ServedEntityInput.workload_type", Fact::Default(Lit::Text("CPU"))),
    ("@serving.ServedEntityInput.name", BACKEND),
];

/// Data security modes have two spellings each, and AUTO resolves to one of the concrete ones [bundles].
pub(super) fn same_security_mode(a: &crate::model::Value, b: &crate::model::Value) -> bool {
    let plain = |v: &crate::model::Value| match v.as_str().unwrap_or_default() {
        "DATA_SECURITY_MODE_STANDARD" | "USER_ISOLATION" => "standard".to_owned(),
        "DATA_SECURITY_MODE_DEDICATED" | "SINGLE_USER" => "dedicated".to_owned(),
        "DATA_SECURITY_MODE_AUTO" => "auto".to_owned(),
        other => other.to_owned(),
    };
    let (a, b) = (plain(a), plain(b));
    let concrete = |mode: &str| matches!(mode, "standard" | "dedicated");
    a == b || (a == "auto" && concrete(&b)) || (b == "auto" && concrete(&a))
}

#[cfg(test)]
mod tests {
    use super::{FACTS, same_security_mode};
    use crate::catalogue::{TypeDef, services, type_named};
    use crate::model::Value;

    #[test]
    fn every_fact_names_a_member_of_the_catalogue() {
        for (at, _) in FACTS {
            let path = at.strip_prefix('@').expect("only types");
            let (service, rest) = path.split_once('.').unwrap();
            let (ty, member) = rest.split_once('.').unwrap();
            assert!(services().contains(&service), "{at}");
            if ty == "*" {
                continue;
            }
            let Some(TypeDef::Struct(members)) = type_named(&format!("{service}.{ty}")) else { panic!("{at}") };
            assert!(member == "*" || members.contains_key(member), "{at}");
        }
    }

    #[test]
    fn security_modes() {
        for (a, b, same) in [
            ("USER_ISOLATION", "DATA_SECURITY_MODE_STANDARD", true),
            ("SINGLE_USER", "DATA_SECURITY_MODE_DEDICATED", true),
            ("DATA_SECURITY_MODE_AUTO", "SINGLE_USER", true),
            ("SINGLE_USER", "USER_ISOLATION", false),
            ("DATA_SECURITY_MODE_AUTO", "NONE", false),
        ] {
            assert_eq!(same_security_mode(&Value::from(a), &Value::from(b)), same, "{a} {b}");
        }
    }
}
