//! All-purpose clusters: what they are, and the states that they go through.

use std::sync::Arc;

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::visible;
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::cluster_spec::{configured, running, stopped};
use crate::local::services::settling::{promise, settled};
use crate::local::services::{Evidence, Habit, Rival, cluster_lists, habit, libraries, permissions};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.1/clusters/"],
    &[
        (Catalogue("compute.clusters.create"), create),
        (Catalogue("compute.clusters.get"), get),
        (Catalogue("compute.clusters.list"), cluster_lists::list),
        (Catalogue("compute.clusters.edit"), edit),
        (Catalogue("compute.clusters.resize"), resize),
        (Catalogue("compute.clusters.start"), start),
        (Catalogue("compute.clusters.restart"), restart),
        (Catalogue("compute.clusters.delete"), terminate),
        (Catalogue("compute.clusters.permanent_delete"), permanent_delete),
        (Catalogue("compute.clusters.pin"), pin),
        (Catalogue("compute.clusters.unpin"), unpin),
        (Catalogue("compute.clusters.events"), cluster_lists::events),
        (Catalogue("compute.clusters.list_node_types"), cluster_lists::node_types),
        (Catalogue("compute.clusters.spark_versions"), cluster_lists::spark_versions),
        (Catalogue("compute.clusters.list_zones"), cluster_lists::zones),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("clusters", "starts a new cluster: PENDING, then RUNNING", Evidence::Sdk),
    habit("clusters", "fills in driver_node_type_id, the cloud's attributes, data_security_mode, disks, runtime_engine", Evidence::Cli),
    habit("clusters", "an edit restarts a RUNNING cluster, leaves a TERMINATED one, and is refused in other states", Evidence::Sdk),
    habit("clusters", "puts members that an edit leaves out back to their defaults", Evidence::Sdk),
    habit("clusters", "resizes RUNNING clusters only", Evidence::Sdk),
    habit("clusters", "delete terminates in any state and keeps the cluster listed; permanent-delete removes it", Evidence::Sdk),
    habit("clusters", "keeps num_workers beside autoscale in replies", Evidence::Unverified),
    habit("clusters", "adds a legacy switch to spark_conf", Evidence::Issue),
    habit("clusters", "gives a single node its profile, master and ResourceClass tag", Evidence::Docs),
    habit("clusters", "shows policy values that were asked for only in the echo of the request, under spec", Evidence::Cli),
    habit("clusters", "hides the passwords of docker images", Evidence::Unverified),
    habit("clusters", "lets 100 clusters be pinned", Evidence::Docs),
    habit("clusters", "answers 400 INVALID_PARAMETER_VALUE for an absent one", Evidence::Sdk),
    habit("clusters", "refuses runtimes and node types that are of no release and of no cloud", Evidence::Issue),
    habit("clusters", "allows any number of clusters of one name", Evidence::Sdk),
];

/// How many may be pinned.
const PINS: usize = 100;

fn gone(exchange: &Exchange<'_, '_>, id: &str) -> Refusal {
    if exchange.rival(Rival::ClusterPurged) {
        let message = format!("Cannot access cluster {id} that was terminated or unpinned more than 30 days ago.");
        return Refusal::new(400, "INVALID_STATE", message);
    }
    let message = format!("Cluster {id} does not exist");
    if exchange.rival(Rival::ClusterGone404) { Refusal::absent(message) } else { Refusal::invalid(message) }
}

/// The cluster with this id, as it is now.
///
/// # Errors
/// 400 or 404: there is none.
pub fn stored(exchange: &Exchange<'_, '_>, id: &str) -> Result<Map, Refusal> {
    let found: Option<Arc<Value>> = exchange.objects.get("clusters", id);
    found.map(|cluster| settled(&cluster, exchange.now)).ok_or_else(|| gone(exchange, id))
}

/// The cluster that a body names.
fn named(exchange: &Exchange<'_, '_>) -> Result<(String, Map), Refusal> {
    let id = exchange.text("cluster_id").unwrap_or_default().to_owned();
    let cluster = stored(exchange, &id)?;
    Ok((id, cluster))
}

fn state(cluster: &Map) -> &str {
    cluster.get("state").and_then(Value::as_str).unwrap_or_default()
}

fn wrong_state(cluster: &Map, id: &str) -> Refusal {
    let word = state(cluster);
    let mut shown = word.to_lowercase();
    shown.get_mut(..1).map(str::make_ascii_uppercase);
    Refusal::new(400, "INVALID_STATE", format!("Cluster {id} is in unexpected state {shown}."))
}

/// Goes into a state, and into the next one when its time has come.
fn go(exchange: &Exchange<'_, '_>, cluster: &mut Map, now: &str, later: Map) {
    cluster.insert("state".to_owned(), now.into());
    cluster.insert("state_message".to_owned(), "".into());
    promise(cluster, exchange.now + exchange.setting.settle_ms, later);
}

fn note(exchange: &Exchange<'_, '_>, cluster: &mut Map, event: &str) {
    let one = Value::map([("timestamp", Value::Int(exchange.now)), ("type", event.into())]);
    match cluster.get_mut("$events") {
        Some(Value::List(events)) => events.push(one),
        _ => drop(cluster.insert("$events".to_owned(), Value::List(vec![one]))),
    }
}

/// Stored in one order, whatever was sent first.
fn put(exchange: &mut Exchange<'_, '_>, id: &str, mut cluster: Map) -> Handled {
    cluster.sort_unstable_keys();
    exchange.objects.put("clusters", id, Value::Map(cluster));
    Ok(Answer::empty())
}

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    let given = std::mem::take(&mut exchange.body);
    let n = exchange.objects.next("clusters");
    // As ids of clusters look: a date, a time, eight characters.
    let tail: String = crate::local::exchange::digest("clusters", n).chars().take(8).collect();
    let id = format!("1121-{:06}-{tail}", n % 1_000_000);
    let mut cluster = configured(exchange, given, &id)?;
    cluster.insert("cluster_id".to_owned(), Value::text(&id));
    cluster.insert("cluster_source".to_owned(), "API".into());
    cluster.insert("creator_user_name".to_owned(), Value::text(&exchange.caller.name));
    cluster.insert("start_time".to_owned(), Value::Int(exchange.now));
    cluster.insert("$serial".to_owned(), Value::from(n));
    note(exchange, &mut cluster, "CREATING");
    let later = running(&cluster, exchange.now);
    go(exchange, &mut cluster, "PENDING", later);
    put(exchange, &id, cluster)?;
    permissions::born(exchange, "clusters", &id);
    Ok(Answer::ok(Value::map([("cluster_id", Value::Text(id))])))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    let cluster = stored(exchange, exchange.asked("cluster_id").unwrap_or_default())?;
    Ok(Answer::ok(shown(exchange, cluster)))
}

/// As replies have it.
pub fn shown(exchange: &Exchange<'_, '_>, mut cluster: Map) -> Value {
    if exchange.rival(Rival::PinsUntold) {
        cluster.shift_remove("pinned_by_user_name");
    }
    visible(&Value::Map(cluster))
}

/// What an edit leaves alone.
const KEPT: [&str; 9] = [
    "cluster_id",
    "cluster_source",
    "creator_user_name",
    "start_time",
    "terminated_time",
    "pinned_by_user_name",
    "state",
    "state_message",
    "termination_reason",
];

fn edit(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, old) = named(exchange)?;
    if !matches!(state(&old), "RUNNING" | "TERMINATED") {
        return Err(wrong_state(&old, &id));
    }
    let mut given = std::mem::take(&mut exchange.body);
    given.shift_remove("cluster_id");
    let mut new = configured(exchange, given, &id)?;
    let own = old.iter().filter(|(name, _)| KEPT.contains(&name.as_str()) || name.starts_with('$'));
    new.extend(own.map(|(name, value)| (name.clone(), value.clone())));
    note(exchange, &mut new, "EDITED");
    if state(&old) == "RUNNING" {
        libraries::restarted(exchange, &id);
        note(exchange, &mut new, "RESTARTING");
        let later = running(&new, exchange.now);
        go(exchange, &mut new, "RESTARTING", later);
    }
    put(exchange, &id, new)
}

fn resize(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, mut cluster) = named(exchange)?;
    if state(&cluster) != "RUNNING" {
        return Err(wrong_state(&cluster, &id));
    }
    match (exchange.body.get("autoscale").cloned(), exchange.body.get("num_workers").cloned()) {
        (Some(_), Some(_)) | (None, None) => return Err(Refusal::invalid("Exactly one of num_workers and autoscale must be given.")),
        (Some(range), None) => {
            let least = range.get("min_workers").cloned().unwrap_or(Value::Int(0));
            cluster.insert("autoscale".to_owned(), range);
            cluster.insert("num_workers".to_owned(), least);
        }
        (None, Some(workers)) => {
            cluster.shift_remove("autoscale");
            cluster.insert("num_workers".to_owned(), workers);
        }
    }
    note(exchange, &mut cluster, "RESIZING");
    let later = [("state".to_owned(), Value::text("RUNNING"))].into_iter().collect();
    go(exchange, &mut cluster, "RESIZING", later);
    put(exchange, &id, cluster)
}

fn start(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, mut cluster) = named(exchange)?;
    match state(&cluster) {
        "TERMINATED" => {}
        _ => return Err(wrong_state(&cluster, &id)),
    }
    libraries::restarted(exchange, &id);
    note(exchange, &mut cluster, "STARTING");
    cluster.shift_remove("terminated_time");
    cluster.shift_remove("termination_reason");
    let later = running(&cluster, exchange.now);
    go(exchange, &mut cluster, "PENDING", later);
    put(exchange, &id, cluster)
}

fn restart(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, mut cluster) = named(exchange)?;
    if state(&cluster) != "RUNNING" {
        return Err(wrong_state(&cluster, &id));
    }
    libraries::restarted(exchange, &id);
    note(exchange, &mut cluster, "RESTARTING");
    let later = running(&cluster, exchange.now);
    go(exchange, &mut cluster, "RESTARTING", later);
    put(exchange, &id, cluster)
}

fn terminate(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, mut cluster) = named(exchange)?;
    if matches!(state(&cluster), "TERMINATING" | "TERMINATED") {
        return Ok(Answer::empty());
    }
    note(exchange, &mut cluster, "TERMINATING");
    let later = stopped(&exchange.caller.name, exchange.now);
    go(exchange, &mut cluster, "TERMINATING", later);
    put(exchange, &id, cluster)
}

fn permanent_delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, _) = named(exchange)?;
    exchange.objects.remove("clusters", &id);
    libraries::died(exchange, &id);
    permissions::died(exchange, "clusters", &id);
    Ok(Answer::empty())
}

fn pin(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, mut cluster) = named(exchange)?;
    let pinned = exchange.objects.all("clusters").filter(|(_, c)| c.get("pinned_by_user_name").is_some()).count();
    if !cluster.contains_key("pinned_by_user_name") && pinned >= PINS {
        return Err(Refusal::new(400, "RESOURCE_LIMIT_EXCEEDED", format!("The number of pinned clusters is limited to {PINS}.")));
    }
    cluster.insert("pinned_by_user_name".to_owned(), Value::text(&exchange.caller.name));
    note(exchange, &mut cluster, "PINNED");
    put(exchange, &id, cluster)
}

fn unpin(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, mut cluster) = named(exchange)?;
    cluster.shift_remove("pinned_by_user_name");
    note(exchange, &mut cluster, "UNPINNED");
    put(exchange, &id, cluster)
}
