//! What the jobs service makes of a job's settings: defaults, order, cloud attributes, refusals.

use crate::local::answer::Refusal;
use crate::local::exchange::Exchange;
use crate::local::services::{Rival, filling::default, schedule};
use crate::model::{Map, Value};

/// Settings as the server keeps them.
///
/// # Errors
/// 400 for what it refuses.
pub fn normalised(exchange: &Exchange<'_, '_>, mut settings: Map) -> Result<Map, Refusal> {
    refuse(&settings)?;
    // Defaults [Sdk: field notes].
    default(&mut settings, "name", "Untitled");
    default(&mut settings, "email_notifications", Map::new());
    default(&mut settings, "webhook_notifications", Map::new());
    default(&mut settings, "timeout_seconds", 0_i64);
    default(&mut settings, "max_concurrent_runs", 1_i64);
    settings.insert("format".to_owned(), "MULTI_TASK".into());
    for name in ["schedule", "trigger", "continuous"] {
        if let Some(map) = settings.get_mut(name).and_then(Value::as_map_mut) {
            default(map, "pause_status", "UNPAUSED");
        }
    }
    if exchange.rival(Rival::QueueEnabled) {
        default(&mut settings, "queue", Value::map([("enabled", Value::Bool(true))]));
    }
    let source = if settings.contains_key("git_source") { "GIT" } else { "WORKSPACE" };
    for task in items(&mut settings, "tasks") {
        normalise_task(task, source);
    }
    for cluster in items(&mut settings, "job_clusters") {
        if let Some(spec) = cluster.get_mut("new_cluster").and_then(Value::as_map_mut) {
            normalise_cluster(spec);
        }
    }
    // Job clusters come back by key [Unverified].
    if let Some(Value::List(list)) = settings.get_mut("job_clusters") {
        list.sort_by_key(|c| c.get("job_cluster_key").map(Value::key_text));
    }
    Ok(settings)
}

/// The maps of a list member.
fn items<'a>(settings: &'a mut Map, name: &str) -> impl Iterator<Item = &'a mut Map> {
    let list = match settings.get_mut(name) {
        Some(Value::List(list)) => list.as_mut_slice(),
        _ => &mut [],
    };
    list.iter_mut().filter_map(Value::as_map_mut)
}

fn normalise_task(task: &mut Map, source: &str) {
    default(task, "run_if", "ALL_SUCCESS");
    default(task, "timeout_seconds", 0_i64);
    default(task, "email_notifications", Map::new());
    if let Some(notebook) = task.get_mut("notebook_task").and_then(Value::as_map_mut) {
        default(notebook, "source", source);
    }
    if let Some(Value::List(depends_on)) = task.get_mut("depends_on") {
        // [Cli] returned sorted.
        depends_on.sort_by_key(|d| d.get("task_key").map(Value::key_text));
    }
    if let Some(spec) = task.get_mut("new_cluster").and_then(Value::as_map_mut) {
        normalise_cluster(spec);
    }
    if let Some(inner) = task.get_mut("for_each_task").and_then(|f| f.as_map_mut()?.get_mut("task")?.as_map_mut()) {
        normalise_task(inner, source);
    }
}

/// [Cli] A new cluster gets the attributes of the workspace's cloud and an access mode.
fn normalise_cluster(spec: &mut Map) {
    let cloud = ["aws_attributes", "azure_attributes", "gcp_attributes"].into_iter().find(|name| spec.contains_key(*name));
    let cloud = cloud.unwrap_or("azure_attributes");
    default(spec, cloud, Map::new());
    if let Some(attributes) = spec.get_mut(cloud).and_then(Value::as_map_mut) {
        match cloud {
            "aws_attributes" => {
                default(attributes, "availability", "SPOT_WITH_FALLBACK");
                default(attributes, "zone_id", "auto");
                default(attributes, "first_on_demand", 1_i64);
            }
            "gcp_attributes" => default(attributes, "availability", "ON_DEMAND_GCP"),
            _ => {
                default(attributes, "availability", "ON_DEMAND_AZURE");
                default(attributes, "first_on_demand", 1_i64);
                default(attributes, "spot_bid_max_price", Value::Float(-1.0));
            }
        }
    }
    default(spec, "data_security_mode", "SINGLE_USER");
}

fn refuse(settings: &Map) -> Result<(), Refusal> {
    schedule::check(settings)?;
    // [Cli] a repository without its provider.
    if let Some(git) = settings.get("git_source")
        && git.get("git_provider").is_none()
    {
        return Err(Refusal::invalid("git_source.git_provider must be specified when git_source is set."));
    }
    // Field caps [Sdk].
    if settings.get("name").and_then(Value::as_str).is_some_and(|n| n.len() > 4096) {
        return Err(Refusal::invalid("The job name must be at most 4096 bytes in UTF-8 encoding."));
    }
    if settings.get("tags").and_then(Value::as_map).is_some_and(|t| t.len() > 25) {
        return Err(Refusal::invalid("A maximum of 25 tags can be added to a job."));
    }
    let tasks = settings.get("tasks").and_then(Value::as_list).unwrap_or_default();
    if tasks.len() > 1000 {
        return Err(Refusal::invalid("A job can have at most 1000 tasks."));
    }
    let keys: Vec<&str> = tasks.iter().filter_map(|t| t.get("task_key").and_then(Value::as_str)).collect();
    for (i, key) in keys.iter().enumerate() {
        if keys[..i].contains(key) {
            return Err(Refusal::invalid(format!("Duplicate task key '{key}'. Task keys must be unique within a job.")));
        }
    }
    for task in tasks {
        for on in task.get("depends_on").and_then(Value::as_list).unwrap_or_default() {
            let on = on.get("task_key").and_then(Value::as_str).unwrap_or_default();
            if !keys.contains(&on) {
                let key = task.get("task_key").map(Value::key_text).unwrap_or_default();
                return Err(Refusal::invalid(format!("Task '{key}' depends on task '{on}', which does not exist.")));
            }
        }
    }
    let clusters: Vec<&str> = settings
        .get("job_clusters")
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(|c| c.get("job_cluster_key").and_then(Value::as_str))
        .collect();
    for task in tasks {
        if let Some(key) = task.get("job_cluster_key").and_then(Value::as_str)
            && !clusters.contains(&key)
        {
            return Err(Refusal::invalid(format!("Job cluster '{key}' is not defined in field 'job_clusters'.")));
        }
    }
    Ok(())
}

/// `jobs/update`: top-level members replace, tasks and job clusters are merged by key, then members are removed
/// (`schedule`, `tasks/load`).
pub fn merged(mut settings: Map, new: Map, remove: &[String]) -> Map {
    for (name, value) in new {
        match (name.as_str(), settings.get_mut(&name), value) {
            ("tasks", Some(Value::List(old)), Value::List(new)) => merge_list(old, new, "task_key"),
            ("job_clusters", Some(Value::List(old)), Value::List(new)) => merge_list(old, new, "job_cluster_key"),
            (_, _, value) => {
                settings.insert(name, value);
            }
        }
    }
    for path in remove {
        match path.split_once('/') {
            None => {
                settings.shift_remove(path);
            }
            Some((list, key)) => {
                let member = if list == "job_clusters" { "job_cluster_key" } else { "task_key" };
                if let Some(Value::List(items)) = settings.get_mut(list) {
                    items.retain(|item| item.get(member).and_then(Value::as_str) != Some(key));
                }
            }
        }
    }
    settings
}

fn merge_list(old: &mut Vec<Value>, new: Vec<Value>, key: &str) {
    for item in new {
        match old.iter_mut().find(|o| o.get(key) == item.get(key)) {
            Some(place) => *place = item,
            None => old.push(item),
        }
    }
}
