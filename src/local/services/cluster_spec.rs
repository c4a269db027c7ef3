//! What the service makes of a cluster's specification: defaults, what it derives, refusals; and what a cluster has while it
//! runs.

use crate::local::answer::Refusal;
use crate::local::exchange::Exchange;
use crate::local::services::cluster_known;
use crate::local::services::filling::default;
use crate::local::services::policy_rules;
use crate::model::{Map, Value};

/// A specification as the server keeps it: checked, filled in, with the echo of the request under `spec`.
///
/// # Errors
/// 400 for what it refuses.
pub fn configured(exchange: &Exchange<'_, '_>, mut given: Map, id: &str) -> Result<Map, Refusal> {
    given.shift_remove("clone_from");
    without_passwords(&mut given);
    // The echo of the request, of which only what is nowhere else matters.
    let echoed = ["cluster_name", "spark_version", "policy_id", "apply_policy_default_values"];
    let echo: Map = given.iter().filter(|(name, _)| echoed.contains(&name.as_str())).map(|(n, v)| (n.clone(), v.clone())).collect();
    let mut cluster = policy_rules::applied(exchange, given, id)?;
    refuse(exchange, &cluster)?;
    cluster.shift_remove("apply_policy_default_values");
    default(&mut cluster, "cluster_name", "");
    machines(exchange, &mut cluster);
    cloud(&mut cluster);
    default(&mut cluster, "data_security_mode", "SINGLE_USER");
    mode(exchange, &mut cluster);
    default(&mut cluster, "runtime_engine", "STANDARD");
    default(&mut cluster, "autotermination_minutes", 0_i64);
    default(&mut cluster, "enable_local_disk_encryption", false);
    size(&mut cluster);
    added(&mut cluster);
    let name = cluster.get("cluster_name").cloned().unwrap_or_else(|| "".into());
    let creator = Value::text(&exchange.caller.name);
    let tags = [("Vendor", Value::text("Databricks")), ("Creator", creator), ("ClusterName", name), ("ClusterId", Value::text(id))];
    cluster.insert("default_tags".to_owned(), Value::map(tags));
    cluster.insert("spec".to_owned(), Value::Map(echo));
    Ok(cluster)
}

fn refuse(exchange: &Exchange<'_, '_>, given: &Map) -> Result<(), Refusal> {
    let number = |map: &Map, name: &str| map.get(name).and_then(Value::as_i64);
    let text = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("spark_version").is_empty() {
        return Err(Refusal::invalid("Missing required field: spark_version"));
    }
    if given.contains_key("num_workers") && given.contains_key("autoscale") {
        return Err(Refusal::invalid("Cluster size must be specified either by num_workers or by autoscale, not both."));
    }
    if let Some(workers) = number(given, "num_workers").filter(|n| *n < 0) {
        return Err(Refusal::invalid(format!("num_workers must not be negative: {workers}")));
    }
    if let Some(range) = given.get("autoscale").and_then(Value::as_map) {
        let (least, most) = (number(range, "min_workers").unwrap_or(0), number(range, "max_workers").unwrap_or(0));
        if least < 0 || most < least || most == 0 {
            return Err(Refusal::invalid(format!("min_workers ({least}) must not exceed max_workers ({most}), which must be positive.")));
        }
    }
    if let Some(minutes) = number(given, "autotermination_minutes").filter(|n| *n != 0 && !(10..=10_000).contains(n)) {
        return Err(Refusal::invalid(format!("autotermination_minutes must be 0 or between 10 and 10000, not {minutes}.")));
    }
    let pool = text("instance_pool_id");
    if pool.is_empty() && text("node_type_id").is_empty() {
        return Err(Refusal::invalid("Missing required field: node_type_id"));
    }
    cluster_known::check(given)?;
    if !pool.is_empty() {
        if given.contains_key("node_type_id") || given.contains_key("driver_node_type_id") {
            return Err(Refusal::invalid("The field 'node_type_id' cannot be supplied when an instance pool ID is provided."));
        }
        if !exchange.objects.has("instance_pools", pool) {
            return Err(Refusal::invalid(format!("Can't find an instance pool with id: {pool}.")));
        }
    }
    Ok(())
}

/// Node types: those of the pool where there is one; the driver's is the workers' unless it was sent.
fn machines(exchange: &Exchange<'_, '_>, cluster: &mut Map) {
    let of_pool = |id: &Value| exchange.objects.get("instance_pools", &id.key_text())?.get("node_type_id").cloned();
    if let Some(pool) = cluster.get("instance_pool_id").cloned() {
        cluster.extend(of_pool(&pool).map(|node| ("node_type_id".to_owned(), node)));
        default(cluster, "driver_instance_pool_id", pool);
        let driver = cluster.get("driver_instance_pool_id").and_then(of_pool);
        cluster.extend(driver.map(|node| ("driver_node_type_id".to_owned(), node)));
    }
    if let Some(node) = cluster.get("node_type_id").cloned() {
        default(cluster, "driver_node_type_id", node);
    }
    default(cluster, "enable_elastic_disk", true);
}

/// The attributes of the workspace's cloud: Azure, unless those of another one were sent.
fn cloud(cluster: &mut Map) {
    let clouds = ["aws_attributes", "azure_attributes", "gcp_attributes"];
    let name = clouds.into_iter().find(|name| cluster.contains_key(*name)).unwrap_or("azure_attributes");
    default(cluster, name, Map::new());
    let Some(attributes) = cluster.get_mut(name).and_then(Value::as_map_mut) else { return };
    default(attributes, "first_on_demand", 1_i64);
    match name {
        "aws_attributes" => {
            default(attributes, "availability", "SPOT_WITH_FALLBACK");
            default(attributes, "zone_id", "auto");
            default(attributes, "spot_bid_price_percent", 100_i64);
        }
        "gcp_attributes" => {
            default(attributes, "availability", "ON_DEMAND_GCP");
            default(attributes, "zone_id", "auto");
        }
        _ => {
            default(attributes, "availability", "ON_DEMAND_AZURE");
            default(attributes, "spot_bid_max_price", Value::Float(-1.0));
        }
    }
}

/// Aliases of modes become concrete ones; a dedicated cluster has a user: whoever made it.
fn mode(exchange: &Exchange<'_, '_>, cluster: &mut Map) {
    let concrete = match cluster.get("data_security_mode").and_then(Value::as_str) {
        Some("DATA_SECURITY_MODE_STANDARD") => "USER_ISOLATION",
        Some("DATA_SECURITY_MODE_DEDICATED" | "DATA_SECURITY_MODE_AUTO") => "SINGLE_USER",
        Some(_) | None => "",
    };
    if !concrete.is_empty() {
        cluster.insert("data_security_mode".to_owned(), concrete.into());
    }
    if cluster.get("data_security_mode").and_then(Value::as_str) == Some("SINGLE_USER") {
        default(cluster, "single_user_name", Value::text(&exchange.caller.name));
    }
}

fn size(cluster: &mut Map) {
    let least = cluster.get("autoscale").and_then(|range| range.get("min_workers")).cloned();
    default(cluster, "num_workers", least.unwrap_or(Value::Int(0)));
}

/// What the server puts into free maps by itself.
fn added(cluster: &mut Map) {
    let alone = cluster.get("is_single_node").and_then(Value::as_bool) == Some(true);
    default(cluster, "spark_conf", Map::new());
    if let Some(conf) = cluster.get_mut("spark_conf").and_then(Value::as_map_mut) {
        default(conf, "spark.databricks.delta.preview.enabled", "true");
        if alone {
            default(conf, "spark.databricks.cluster.profile", "singleNode");
            default(conf, "spark.master", "local[*, 4]");
        }
    }
    if alone {
        default(cluster, "custom_tags", Map::new());
        if let Some(tags) = cluster.get_mut("custom_tags").and_then(Value::as_map_mut) {
            default(tags, "ResourceClass", "SingleNode");
        }
    }
    default(cluster, "spark_env_vars", Map::new());
    if let Some(variables) = cluster.get_mut("spark_env_vars").and_then(Value::as_map_mut) {
        default(variables, "PYSPARK_PYTHON", "/databricks/python3/bin/python3");
    }
}

fn without_passwords(cluster: &mut Map) {
    let auth = cluster.get_mut("docker_image").and_then(Value::as_map_mut).and_then(|image| image.get_mut("basic_auth"));
    if let Some(auth) = auth.and_then(Value::as_map_mut) {
        auth.shift_remove("password");
    }
}

/// What a cluster has as soon as it runs.
pub fn running(cluster: &Map, now: i64) -> Map {
    let workers = cluster.get("num_workers").and_then(Value::as_i64).unwrap_or(0);
    let node =
        |name: String| Value::map([("node_id", Value::Text(name)), ("private_ip", "10.0.0.4".into()), ("start_timestamp", now.into())]);
    let executors: Vec<Value> = (0..workers.min(100)).map(|n| node(format!("worker-{n}"))).collect();
    let mut later = Map::new();
    later.insert("state".to_owned(), "RUNNING".into());
    later.insert("last_restarted_time".to_owned(), now.into());
    later.insert("spark_context_id".to_owned(), Value::Int(4_128_350_611_953_003));
    later.insert("driver".to_owned(), node("driver".to_owned()));
    if !executors.is_empty() {
        later.insert("executors".to_owned(), Value::List(executors));
    }
    later.insert("jdbc_port".to_owned(), Value::Int(10_000));
    later.insert("cluster_cores".to_owned(), Value::Float(4.0 * f64::from(i32::try_from(workers + 1).unwrap_or(1))));
    later.insert("cluster_memory_mb".to_owned(), Value::Int(14_336 * (workers + 1)));
    later
}

/// What becomes of it when it has stopped: the members that it has while it runs go.
pub fn stopped(by: &str, now: i64) -> Map {
    let gone = ["driver", "executors", "jdbc_port", "cluster_cores", "cluster_memory_mb", "spark_context_id"];
    let mut later: Map = gone.into_iter().map(|name| (name.to_owned(), Value::Null)).collect();
    let reason = [("code", Value::text("USER_REQUEST")), ("type", "SUCCESS".into()), ("parameters", Value::map([("username", by.into())]))];
    later.insert("state".to_owned(), "TERMINATED".into());
    later.insert("terminated_time".to_owned(), now.into());
    later.insert("termination_reason".to_owned(), Value::map(reason));
    later
}
