//! What the API refuses of a cluster and says in words only: reported at its line before anything is sent.

use super::{Path, Refusal, Step, Value};

fn refusal(field: &str, reason: impl Into<String>) -> Refusal {
    Refusal { path: Path::field(field), reason: reason.into() }
}

fn is_set(body: &Value, field: &str) -> bool {
    body.get(field).is_some_and(|v| *v != Value::Null)
}

fn text<'a>(body: &'a Value, field: &str) -> Option<&'a str> {
    body.get(field)?.as_str()
}

/// The rules of the reference's page on clusters.
pub(super) fn check(body: &Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    found.extend(sizes(body));
    found.extend(machines(body));
    found.extend(runtime(body));
    found.extend(mode(body));
    let tags = body.get("custom_tags").and_then(Value::as_map).map_or(0, |tags| tags.len());
    if tags > 44 {
        found.push(refusal(
            "custom_tags",
            format!("a cluster has at most 45 custom tags, and one of them is Brickform's own: 44 may be written, these are {tags}"),
        ));
    }
    if body.get("init_scripts").and_then(Value::as_list).is_some_and(|scripts| scripts.len() > 10) {
        found.push(refusal("init_scripts", "a cluster has at most 10 init scripts"));
    }
    for (i, script) in body.get("init_scripts").and_then(Value::as_list).unwrap_or_default().iter().enumerate() {
        let places = script.as_map().map_or(1, |map| map.len());
        if places != 1 {
            let path = Path::field("init_scripts").join(Step::Index(i));
            found.push(Refusal { path, reason: format!("a script is in one place, and this one names {places}") });
        }
    }
    found
}

/// One size; a range that is one; a single node that is alone.
fn sizes(body: &Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    if is_set(body, "num_workers") && is_set(body, "autoscale") {
        found.push(refusal("autoscale", "a cluster has either `num_workers` or `autoscale`, not both: remove one"));
    }
    if let Some(workers) = body.get("num_workers").and_then(Value::as_i64).filter(|n| *n < 0) {
        found.push(refusal("num_workers", format!("{workers} is below 0")));
    }
    let bound = |name: &str| body.get("autoscale").and_then(|a| a.get(name)).and_then(Value::as_i64);
    if let (Some(least), Some(most)) = (bound("min_workers"), bound("max_workers"))
        && (least > most || least < 0)
    {
        found.push(refusal("autoscale", format!("min_workers ({least}) must be from 0 to max_workers ({most})")));
    }
    let profile = body.get("spark_conf").and_then(|conf| text(conf, "spark.databricks.cluster.profile"));
    let workers = body.get("num_workers").and_then(Value::as_i64).unwrap_or(0);
    let alone = body.get("is_single_node").and_then(Value::as_bool) == Some(true) || profile == Some("singleNode");
    if alone && is_set(body, "autoscale") {
        found.push(refusal("autoscale", "a single-node cluster does not scale: remove it, or the single-node settings"));
    } else if alone && workers > 0 {
        found.push(refusal("num_workers", format!("a single-node cluster has 0 workers, not {workers}")));
    }
    if let Some(minutes) = body.get("autotermination_minutes").and_then(Value::as_i64)
        && minutes != 0
        && !(10..=10_000).contains(&minutes)
    {
        let reason = format!("{minutes} is out of range: 0 (never stops by itself), or from 10 to 10000");
        found.push(refusal("autotermination_minutes", reason));
    }
    found
}

/// Instances of a type or of a pool.
fn machines(body: &Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    if is_set(body, "instance_pool_id") {
        for field in ["node_type_id", "driver_node_type_id"] {
            if is_set(body, field) {
                found.push(refusal(field, "the instance pool says which node type it is: remove this, or `instance_pool_id`"));
            }
        }
    } else if is_set(body, "driver_instance_pool_id") {
        found.push(refusal("driver_instance_pool_id", "a pool for the driver needs one for the workers: add `instance_pool_id`"));
    } else if !is_set(body, "node_type_id") && !is_set(body, "policy_id") && !is_set(body, "clone_from") && text(body, "kind").is_none() {
        found.push(Refusal {
            path: Path::default(),
            reason: "nothing says which machines it runs on: add `node_type_id`, `instance_pool_id` or a `policy_id` that fixes it"
                .to_owned(),
        });
    }
    let clouds: Vec<&str> = ["aws_attributes", "azure_attributes", "gcp_attributes"].into_iter().filter(|c| is_set(body, c)).collect();
    if let [first, second, ..] = clouds.as_slice() {
        found.push(refusal(second, format!("a workspace is in one cloud, and `{first}` is set too")));
    }
    found
}

fn runtime(body: &Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    if !is_set(body, "spark_version") && !is_set(body, "policy_id") && !is_set(body, "clone_from") {
        let reason = "a cluster needs a `spark_version` (such as 15.4.x-scala2.12), or a `policy_id` whose policy fixes it";
        found.push(Refusal { path: Path::default(), reason: reason.to_owned() });
    }
    if body.get("apply_policy_default_values").and_then(Value::as_bool) == Some(true) && !is_set(body, "policy_id") {
        found.push(refusal("apply_policy_default_values", "there is no policy to take values from: add `policy_id`"));
    }
    found
}

/// A user of a dedicated cluster.
fn mode(body: &Value) -> Vec<Refusal> {
    let Some(mode) = text(body, "data_security_mode") else { return vec![] };
    let shared = matches!(mode, "USER_ISOLATION" | "DATA_SECURITY_MODE_STANDARD" | "NONE");
    if shared && is_set(body, "single_user_name") {
        return vec![refusal(
            "single_user_name",
            format!("only a dedicated cluster (SINGLE_USER) has a single user, and this one is {mode}"),
        )];
    }
    vec![]
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::model::json;

    #[test]
    fn what_the_api_would_refuse_is_refused() {
        let base = r#""spark_version":"15","node_type_id":"n""#;
        for (body, want) in [
            (format!("{base},\"num_workers\":0"), &[][..]),
            (format!("{base},\"num_workers\":1,\"autoscale\":{{\"min_workers\":1,\"max_workers\":2}}"), &[("autoscale", "not both")]),
            (format!("{base},\"autoscale\":{{\"min_workers\":3,\"max_workers\":2}}"), &[("autoscale", "min_workers (3)")]),
            (format!("{base},\"num_workers\":-1"), &[("num_workers", "below 0")]),
            (format!("{base},\"is_single_node\":true,\"num_workers\":2"), &[("num_workers", "0 workers, not 2")]),
            (
                format!("{base},\"spark_conf\":{{\"spark.databricks.cluster.profile\":\"singleNode\"}},\"autoscale\":{{}}"),
                &[("autoscale", "does not scale")],
            ),
            (format!("{base},\"autotermination_minutes\":5"), &[("autotermination_minutes", "5 is out of range")]),
            (format!("{base},\"autotermination_minutes\":0"), &[]),
            (format!("{base},\"instance_pool_id\":\"p\""), &[("node_type_id", "instance pool says")]),
            (r#""spark_version":"15","instance_pool_id":"p""#.to_owned(), &[]),
            (r#""spark_version":"15""#.to_owned(), &[("", "which machines")]),
            (r#""node_type_id":"n""#.to_owned(), &[("", "needs a `spark_version`")]),
            (r#""policy_id":"p""#.to_owned(), &[]),
            (format!("{base},\"apply_policy_default_values\":true"), &[("apply_policy_default_values", "no policy")]),
            (format!("{base},\"aws_attributes\":{{}},\"gcp_attributes\":{{}}"), &[("gcp_attributes", "one cloud")]),
            (format!("{base},\"data_security_mode\":\"USER_ISOLATION\",\"single_user_name\":\"a\""), &[("single_user_name", "dedicated")]),
            (format!("{base},\"init_scripts\":[{{\"dbfs\":{{}},\"s3\":{{}}}}]"), &[("init_scripts[0]", "names 2")]),
        ] {
            let found = check(&json::parse(format!("{{{body}}}").as_bytes()).unwrap());
            assert_eq!(found.len(), want.len(), "{body}: {found:?}");
            for (refusal, (path, reason)) in found.iter().zip(want) {
                assert!(refusal.path.to_string() == *path && refusal.reason.contains(reason), "{} {}", refusal.path, refusal.reason);
            }
        }
    }
}
