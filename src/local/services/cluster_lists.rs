//! Lists of the clusters service: clusters in pages, events, and what clusters can be made of.

use std::cmp::Reverse;

use crate::local::answer::{Answer, Handled};
use crate::local::exchange::Exchange;
use crate::local::services::settling::settled;
use crate::local::services::{clusters, paging};
use crate::model::{Map, Value};

/// Every value of a query parameter that may come several times, or with commas.
fn asked_all(exchange: &Exchange<'_, '_>, name: &str) -> Vec<String> {
    let given = exchange.query.iter().filter(|(k, v)| k == name && !v.is_empty());
    given.flat_map(|(_, v)| v.split(',').map(str::to_owned)).collect()
}

/// Clusters, filtered and newest first unless asked otherwise.
pub fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (sources, states) = (asked_all(exchange, "filter_by.cluster_sources"), asked_all(exchange, "filter_by.cluster_states"));
    let pinned = exchange.asked("filter_by.is_pinned").map(|v| v.eq_ignore_ascii_case("true"));
    let policy = exchange.asked("filter_by.policy_id").map(str::to_owned);
    let text = |cluster: &Map, name: &str| cluster.get(name).map(Value::key_text).unwrap_or_default();
    let fits = |cluster: &Map| {
        (sources.is_empty() || sources.contains(&text(cluster, "cluster_source")))
            && (states.is_empty() || states.contains(&text(cluster, "state")))
            && pinned.is_none_or(|p| p == cluster.contains_key("pinned_by_user_name"))
            && policy.as_ref().is_none_or(|p| *p == text(cluster, "policy_id"))
    };
    let mut all: Vec<Map> = exchange.objects.all("clusters").map(|(_, c)| settled(c, exchange.now)).filter(|c| fits(c)).collect();
    if exchange.asked("sort_by.field") == Some("CLUSTER_NAME") {
        all.sort_by_key(|cluster| text(cluster, "cluster_name"));
        if exchange.asked("sort_by.direction") == Some("DESC") {
            all.reverse();
        }
    } else {
        all.sort_by_key(|cluster| Reverse(cluster.get("$serial").and_then(Value::as_i64)));
    }
    let size = paging::size(exchange, "page_size", 100, 100)?;
    let page = paging::page(all, size, exchange.asked("page_token"))?;
    Ok(Answer::ok(paging::reply("clusters", page.shown(|cluster| clusters::shown(exchange, cluster)))))
}

/// What happened to a cluster, newest first.
pub fn events(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = exchange.text("cluster_id").unwrap_or_default().to_owned();
    let cluster = clusters::stored(exchange, &id)?;
    let mut all = cluster.get("$events").and_then(Value::as_list).unwrap_or_default().to_vec();
    if exchange.text("order") != Some("ASC") {
        all.reverse();
    }
    let wanted = exchange.body.get("event_types").and_then(Value::as_list).unwrap_or_default().to_vec();
    all.retain(|event| wanted.is_empty() || event.get("type").is_some_and(|t| wanted.contains(t)));
    let total = all.len();
    let number = |name: &str| exchange.body.get(name).and_then(Value::as_i64).and_then(|n| usize::try_from(n).ok());
    let (offset, limit) = (number("offset").unwrap_or(0), number("limit").unwrap_or(50).clamp(1, 500));
    let page: Vec<Value> = all
        .into_iter()
        .skip(offset)
        .take(limit)
        .map(|mut event| {
            event.as_map_mut().map(|e| e.insert("cluster_id".to_owned(), Value::text(&id)));
            event
        })
        .collect();
    let mut reply = Map::new();
    if offset + page.len() < total {
        let mut next: Map = exchange.body.clone();
        next.insert("offset".to_owned(), Value::from(offset as u64 + page.len() as u64));
        reply.insert("next_page".to_owned(), Value::Map(next));
    }
    reply.insert("events".to_owned(), Value::List(page));
    reply.insert("total_count".to_owned(), Value::from(total as u64));
    Ok(Answer::ok(reply))
}

/// Id, cores, memory in MB, category, GPUs, GB of the local disk.
pub const NODES: [(&str, f64, i64, &str, i64, i64); 6] = [
    ("Standard_DS3_v2", 4.0, 14_336, "General Purpose", 0, 28),
    ("Standard_DS4_v2", 8.0, 28_672, "General Purpose", 0, 56),
    ("Standard_D4ds_v5", 4.0, 16_384, "General Purpose", 0, 150),
    ("Standard_E8ds_v5", 8.0, 65_536, "Memory Optimized", 0, 300),
    ("Standard_L8s_v3", 8.0, 65_536, "Storage Optimized", 0, 80),
    ("Standard_NC4as_T4_v3", 4.0, 28_672, "GPU Accelerated", 1, 176),
];

/// Machines that clusters can be made of.
#[expect(clippy::unnecessary_wraps, reason = "the form of a handler")]
pub fn node_types(_: &mut Exchange<'_, '_>) -> Handled {
    let node = |(id, cores, memory, category, gpus, disk): (&str, f64, i64, &str, i64, i64)| {
        Value::map([
            ("node_type_id", Value::text(id)),
            ("instance_type_id", Value::text(id)),
            ("description", Value::text(id)),
            ("category", Value::text(category)),
            ("num_cores", Value::Float(cores)),
            ("memory_mb", Value::Int(memory)),
            ("num_gpus", Value::Int(gpus)),
            ("is_deprecated", Value::Bool(false)),
            ("is_hidden", Value::Bool(false)),
            ("support_cluster_tags", Value::Bool(true)),
            ("photon_driver_capable", Value::Bool(gpus == 0)),
            ("photon_worker_capable", Value::Bool(gpus == 0)),
            (
                "node_instance_type",
                Value::map([
                    ("instance_type_id", Value::text(id)),
                    ("local_disks", Value::Int(1)),
                    ("local_disk_size_gb", Value::Int(disk)),
                ]),
            ),
        ])
    };
    Ok(Answer::ok(Value::map([("node_types", Value::List(NODES.into_iter().map(node).collect()))])))
}

const VERSIONS: [(&str, &str); 5] = [
    ("17.3.x-scala2.13", "17.3 LTS (includes Apache Spark 4.0.0, Scala 2.13)"),
    ("16.4.x-scala2.12", "16.4 LTS (includes Apache Spark 3.5.2, Scala 2.12)"),
    ("15.4.x-scala2.12", "15.4 LTS (includes Apache Spark 3.5.0, Scala 2.12)"),
    ("15.4.x-cpu-ml-scala2.12", "15.4 LTS ML (includes Apache Spark 3.5.0, Scala 2.12)"),
    ("14.3.x-scala2.12", "14.3 LTS (includes Apache Spark 3.5.0, Scala 2.12)"),
];

/// Runtimes.
#[expect(clippy::unnecessary_wraps, reason = "the form of a handler")]
pub fn spark_versions(_: &mut Exchange<'_, '_>) -> Handled {
    let version = |(key, name): (&str, &str)| Value::map([("key", Value::text(key)), ("name", Value::text(name))]);
    Ok(Answer::ok(Value::map([("versions", Value::List(VERSIONS.into_iter().map(version).collect()))])))
}

/// Zones.
#[expect(clippy::unnecessary_wraps, reason = "the form of a handler")]
pub fn zones(_: &mut Exchange<'_, '_>) -> Handled {
    let zones = ["1", "2", "3"].map(Value::from).to_vec();
    Ok(Answer::ok(Value::map([("zones", Value::List(zones)), ("default_zone", "1".into())])))
}
