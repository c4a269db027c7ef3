//! Libraries of clusters: installed in the background, uninstalled at the next restart.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, clusters, habit};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/libraries/"],
    &[
        (Catalogue("compute.libraries.install"), install),
        (Catalogue("compute.libraries.uninstall"), uninstall),
        (Catalogue("compute.libraries.cluster_status"), status),
        (Catalogue("compute.libraries.all_cluster_statuses"), all),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("libraries", "installs in the background: PENDING, then INSTALLED on a cluster that runs", Evidence::Sdk),
    habit("libraries", "accepts libraries for a cluster that does not run; they stay PENDING until it does", Evidence::Unverified),
    habit("libraries", "uninstalls at the next restart: UNINSTALL_ON_RESTART until then", Evidence::Sdk),
    habit("libraries", "forgets at once what is uninstalled from a cluster that does not run", Evidence::Unverified),
    habit("libraries", "accepts to uninstall what is not there", Evidence::Sdk),
    habit("libraries", "installing what waits to be uninstalled keeps it", Evidence::Unverified),
    habit("libraries", "a file that is a path below /missing cannot be installed: FAILED", Evidence::Unverified),
];

const COLLECTION: &str = "cluster_libraries";

fn stored(exchange: &Exchange<'_, '_>, id: &str) -> Vec<Value> {
    let found = exchange.objects.get(COLLECTION, id);
    found.and_then(|v| v.get("library_statuses").and_then(Value::as_list).map(<[Value]>::to_vec)).unwrap_or_default()
}

fn put(exchange: &mut Exchange<'_, '_>, id: &str, statuses: Vec<Value>) {
    if statuses.is_empty() {
        exchange.objects.remove(COLLECTION, id);
    } else {
        exchange.objects.put(COLLECTION, id, Value::map([("library_statuses", Value::List(statuses))]));
    }
}

fn is(status: &Value, word: &str) -> bool {
    status.get("status").and_then(Value::as_str) == Some(word)
}

fn of(status: &Value) -> &Value {
    status.get("library").unwrap_or(&Value::Null)
}

/// The cluster and the libraries that a body names.
fn named(exchange: &Exchange<'_, '_>) -> Result<(String, Map, Vec<Value>), Refusal> {
    let id = exchange.text("cluster_id").unwrap_or_default().to_owned();
    let cluster = clusters::stored(exchange, &id)?;
    let libraries = exchange.body.get("libraries").and_then(Value::as_list).unwrap_or_default().to_vec();
    if libraries.iter().any(|library| library.as_map().map_or(0, |map| map.len()) != 1) {
        return Err(Refusal::invalid("Exactly one type of library must be specified."));
    }
    Ok((id, cluster, libraries))
}

fn runs(cluster: &Map) -> bool {
    matches!(cluster.get("state").and_then(Value::as_str), Some("RUNNING" | "RESIZING"))
}

fn install(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, _, libraries) = named(exchange)?;
    let mut statuses = stored(exchange, &id);
    for library in libraries {
        let since = Value::Int(exchange.now);
        match statuses.iter_mut().find(|s| *of(s) == library) {
            Some(old) if is(old, "UNINSTALL_ON_RESTART") => {
                old.as_map_mut().map(|s| s.insert("status".to_owned(), "INSTALLED".into()));
            }
            Some(_) => {}
            None => statuses.push(Value::map([("library", library), ("status", "PENDING".into()), ("$since", since)])),
        }
    }
    put(exchange, &id, statuses);
    Ok(Answer::empty())
}

fn uninstall(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, cluster, libraries) = named(exchange)?;
    let mut statuses = stored(exchange, &id);
    if runs(&cluster) {
        for status in statuses.iter_mut().filter(|s| libraries.contains(of(s))).filter_map(Value::as_map_mut) {
            status.insert("status".to_owned(), "UNINSTALL_ON_RESTART".into());
        }
    } else {
        statuses.retain(|s| !libraries.contains(of(s)));
    }
    put(exchange, &id, statuses);
    Ok(Answer::empty())
}

/// Statuses as they are now: what is pending on a cluster that runs is installed after a while.
fn shown(exchange: &Exchange<'_, '_>, id: &str, cluster: &Map) -> Value {
    let settle = exchange.setting.settle_ms;
    let show = |status: Value| {
        let Value::Map(mut status) = status else { return status };
        let since = status.shift_remove("$since").and_then(|s| s.as_i64()).unwrap_or(0);
        let missing = ["whl", "jar", "requirements"]
            .iter()
            .find_map(|sort| status.get("library")?.get(sort)?.as_str().filter(|path| path.starts_with("/missing/")).map(str::to_owned));
        if status.get("status").and_then(Value::as_str) == Some("PENDING") && runs(cluster) {
            let (word, messages) = match missing {
                _ if exchange.now < since + settle => ("INSTALLING", None),
                Some(path) => ("FAILED", Some(format!("Library installation failed: {path} was not found."))),
                None => ("INSTALLED", None),
            };
            status.insert("status".to_owned(), word.into());
            status.extend(messages.map(|m| ("messages".to_owned(), Value::List(vec![Value::Text(m)]))));
        }
        status.insert("is_library_for_all_clusters".to_owned(), Value::Bool(false));
        Value::Map(status)
    };
    let statuses: Vec<Value> = stored(exchange, id).into_iter().map(show).collect();
    let mut reply = Map::new();
    reply.insert("cluster_id".to_owned(), Value::text(id));
    if !statuses.is_empty() {
        reply.insert("library_statuses".to_owned(), Value::List(statuses));
    }
    Value::Map(reply)
}

fn status(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = exchange.asked("cluster_id").unwrap_or_default().to_owned();
    let cluster = clusters::stored(exchange, &id)?;
    Ok(Answer::ok(shown(exchange, &id, &cluster)))
}

fn all(exchange: &mut Exchange<'_, '_>) -> Handled {
    let ids: Vec<String> = exchange.objects.all("clusters").map(|(id, _)| id.to_owned()).collect();
    let mut statuses = Vec::new();
    for id in ids {
        let cluster = clusters::stored(exchange, &id)?;
        statuses.push(shown(exchange, &id, &cluster));
    }
    Ok(Answer::ok(Value::map([("statuses", Value::List(statuses))])))
}

/// The cluster starts anew: what was to go is gone, what is left is installed again.
pub fn restarted(exchange: &mut Exchange<'_, '_>, id: &str) {
    let mut statuses = stored(exchange, id);
    statuses.retain(|s| !is(s, "UNINSTALL_ON_RESTART"));
    for status in statuses.iter_mut().filter_map(Value::as_map_mut) {
        status.insert("status".to_owned(), "PENDING".into());
        status.insert("$since".to_owned(), Value::Int(exchange.now));
    }
    put(exchange, id, statuses);
}

/// The cluster is gone for good.
pub fn died(exchange: &mut Exchange<'_, '_>, id: &str) {
    exchange.objects.remove(COLLECTION, id);
}
