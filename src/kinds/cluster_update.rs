//! From a change of a cluster to requests: the least that does it.

use super::build::Build;
use super::clusters::CLUSTERS;
use super::{Call, Calls, Change, Op, Path, Repeat, Request, Until, Value, call};
use crate::model::Map;

fn state<'a>(change: &Change<'a>) -> Option<&'a str> {
    change.live?.get("state")?.as_str()
}

/// What the user should know before saying yes.
pub(super) fn notes(change: &Change<'_>) -> Vec<String> {
    let Some(state) = state(change) else { return vec![] };
    let (resizes, edits) = (resizes(change), edits(change));
    match state {
        "RUNNING" if edits && !resizes => vec!["the cluster is RUNNING: editing it restarts it".to_owned()],
        "RUNNING" if resizes => vec!["the cluster is RUNNING: it is resized without a restart".to_owned()],
        "PENDING" | "RESTARTING" | "RESIZING" | "TERMINATING" if edits => {
            vec![format!("the cluster is {state}: waits until it is RUNNING (then editing it restarts it) or TERMINATED")]
        }
        _ => vec![],
    }
}

/// Fields that calls of their own change.
fn is_order(path: &Path) -> bool {
    matches!(path.first_field(), Some("is_pinned" | "start"))
}

fn edits(change: &Change<'_>) -> bool {
    change.paths.iter().any(|path| !is_order(path))
}

/// Whether nothing but the number of workers changes, of a cluster that runs.
fn resizes(change: &Change<'_>) -> bool {
    let size = |path: &&Path| matches!(path.first_field(), Some("num_workers" | "autoscale"));
    let given = change.desired.get("num_workers").is_some() || change.desired.get("autoscale").is_some();
    let mut paths = change.paths.iter().filter(|path| !is_order(path)).peekable();
    matches!(state(change), Some("RUNNING" | "RESIZING")) && given && paths.peek().is_some() && paths.all(|path| size(&path))
}

/// Resize where that is enough, else edit; then pin, then start or terminate.
#[expect(clippy::unnecessary_wraps, reason = "the form of an update function")]
pub(super) fn update(change: &Change<'_>) -> Calls {
    let mut calls = Vec::new();
    if edits(change) && change.live.is_some() {
        calls.push(settled(change));
        calls.push(if resizes(change) { resize(change) } else { edit(change) });
    }
    let differs = |name: &str| change.paths.iter().any(|path| path.is_root() || path.first_field() == Some(name));
    let is = |name: &str| change.desired.get(name).and_then(Value::as_bool);
    if differs("is_pinned") {
        match (is("is_pinned"), change.live) {
            (Some(true), _) => calls.push(bare(change, "compute.clusters.pin", "pin")),
            (_, Some(_)) => calls.push(bare(change, "compute.clusters.unpin", "unpin")),
            (_, None) => {}
        }
    }
    match (is("start").filter(|_| differs("start")), state(change)) {
        (Some(false), Some("TERMINATED" | "TERMINATING")) | (None, _) => {}
        (Some(false), _) => calls.push(bare(change, "compute.clusters.delete", "terminate")),
        (Some(true), Some("TERMINATED" | "TERMINATING")) => {
            calls.push(settled(change));
            calls.push(bare(change, "compute.clusters.start", "start"));
        }
        (Some(true), _) => {}
    }
    Ok(calls)
}

fn bare(change: &Change<'_>, op: Op, why: &'static str) -> Call {
    call::with_id(&CLUSTERS, &Request::bare(op), change, Value::Map(Map::new()), why)
}

/// In between its states a cluster takes no edit (400 `INVALID_STATE`), and it may have left the one of the plan.
pub(super) static SETTLED: Until = Until { field: "state", values: &["RUNNING", "TERMINATED", "ERROR"], minutes: 20 };

fn settled(change: &Change<'_>) -> Call {
    let mut call = Build::of(&CLUSTERS, &Request::bare("compute.clusters.get"), change).call(Value::Null, "wait for RUNNING or TERMINATED");
    call.repeat = Repeat::Until(&SETTLED);
    call
}

fn resize(change: &Change<'_>) -> Call {
    let size = ["autoscale", "num_workers"].into_iter().find_map(|name| Some((name, change.desired.get(name)?.clone())));
    call::with_id(&CLUSTERS, &Request::bare("compute.clusters.resize"), change, Value::map(size), "resize")
}

/// Everything: live without computed fields, overlaid with desired, without what the server derived from other fields or
/// would refuse beside what is wanted.
fn edit(change: &Change<'_>) -> Call {
    let mut call = call::whole(&CLUSTERS, &Request::bare("compute.clusters.edit"), change);
    call.why = "edit";
    let Some(Value::Map(body)) = &mut call.body else { return call };
    let wanted = |name: &str| change.desired.get(name).is_some_and(|v| *v != Value::Null);
    let live = |name: &str| change.live.and_then(|l| l.get(name));
    // A size is one or the other. Zero workers is a size.
    let drop_size = if wanted("num_workers") { "autoscale" } else { "num_workers" };
    if body.contains_key("autoscale") {
        body.shift_remove(drop_size);
    }
    if body.get("is_single_node").and_then(Value::as_bool) == Some(true) && !wanted("num_workers") {
        body.shift_remove("num_workers");
    }
    // The driver's type follows the workers' where nothing else was said.
    if !wanted("driver_node_type_id") && live("driver_node_type_id") == live("node_type_id") {
        body.shift_remove("driver_node_type_id");
    }
    if !wanted("driver_instance_pool_id") && live("driver_instance_pool_id") == live("instance_pool_id") {
        body.shift_remove("driver_instance_pool_id");
    }
    if wanted("node_type_id") && !wanted("instance_pool_id") {
        body.shift_remove("instance_pool_id");
        body.shift_remove("driver_instance_pool_id");
    }
    if body.contains_key("instance_pool_id") {
        of_pool(body, &wanted);
    }
    // A user belongs to the dedicated mode alone.
    if change.paths.iter().any(|p| p.first_field() == Some("data_security_mode")) && !wanted("single_user_name") {
        body.shift_remove("single_user_name");
    }
    call
}

/// Instances come from a pool: the pool says what they are, and beside it the server refuses what it had filled in.
fn of_pool(body: &mut Map, wanted: &impl Fn(&str) -> bool) {
    for name in ["node_type_id", "driver_node_type_id", "enable_elastic_disk"] {
        if !wanted(name) {
            body.shift_remove(name);
        }
    }
    for (name, kept) in [("aws_attributes", "instance_profile_arn"), ("azure_attributes", ""), ("gcp_attributes", "google_service_account")]
    {
        if let Some(Value::Map(attributes)) = body.get_mut(name).filter(|_| !wanted(name)) {
            attributes.retain(|attribute, _| attribute == kept);
            if attributes.is_empty() {
                body.shift_remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::{Change, Context, Registry, update_calls};
    use crate::model::json;

    /// Operations and bodies of an update.
    fn calls(state: &str, live: &str, desired: &str, paths: &[&str]) -> Vec<String> {
        let kind = Registry::standard().get("clusters").unwrap();
        let live = json::parse(format!(r#"{{"cluster_id":"c","state":"{state}","spark_version":"15",{live}}}"#).as_bytes()).unwrap();
        let live = crate::kinds::clusters::reply(live);
        let desired = json::parse(desired.as_bytes()).unwrap();
        let (address, id) = ("clusters.x".parse().unwrap(), "c".into());
        let paths: Vec<_> = paths.iter().map(|p| p.parse().unwrap()).collect();
        let change = Change {
            address: &address,
            id: &id,
            applied: None,
            live: Some(&live),
            desired: &desired,
            paths: &paths,
            context: Context::default(),
        };
        let body = |call: &crate::kinds::Call| call.body.as_ref().map(|b| json::write(b).unwrap()).unwrap_or_default();
        let calls = update_calls(kind, &change).unwrap();
        calls.iter().map(|call| format!("{} {}", call.op.trim_start_matches("compute.clusters."), body(call))).collect()
    }

    #[test]
    fn the_least_that_does_it() {
        let workers = r#""num_workers":2,"node_type_id":"n","driver_node_type_id":"n""#;
        for (state, live, desired, paths, want) in [
            (
                "RUNNING",
                workers,
                r#"{"num_workers":0}"#,
                &["num_workers"][..],
                vec!["get ", r#"resize {"cluster_id":"c","num_workers":0}"#],
            ),
            (
                "TERMINATED",
                workers,
                r#"{"num_workers":0}"#,
                &["num_workers"],
                vec!["get ", r#"edit {"cluster_id":"c","num_workers":0,"spark_version":"15","node_type_id":"n"}"#],
            ),
            (
                "RUNNING",
                r#""num_workers":2"#,
                r#"{"autoscale":{"min_workers":0,"max_workers":4}}"#,
                &["autoscale", "num_workers"],
                vec!["get ", r#"resize {"cluster_id":"c","autoscale":{"min_workers":0,"max_workers":4}}"#],
            ),
            (
                "RUNNING",
                r#""num_workers":2,"autoscale":{"min_workers":1,"max_workers":4}"#,
                r#"{"cluster_name":"b"}"#,
                &["cluster_name"],
                vec![
                    "get ",
                    r#"edit {"cluster_id":"c","cluster_name":"b","spark_version":"15","autoscale":{"min_workers":1,"max_workers":4}}"#,
                ],
            ),
            (
                // The driver follows.
                "RUNNING",
                workers,
                r#"{"node_type_id":"m"}"#,
                &["node_type_id"],
                vec!["get ", r#"edit {"cluster_id":"c","node_type_id":"m","spark_version":"15","num_workers":2}"#],
            ),
            (
                // The pool supersedes what it says.
                "TERMINATED",
                r#""num_workers":1,"node_type_id":"n","driver_node_type_id":"n","enable_elastic_disk":true,
                   "aws_attributes":{"zone_id":"auto","instance_profile_arn":"arn"},"azure_attributes":{"availability":"x"}"#,
                r#"{"instance_pool_id":"p"}"#,
                &["instance_pool_id"],
                vec![
                    "get ",
                    r#"edit {"cluster_id":"c","instance_pool_id":"p","spark_version":"15","num_workers":1,"aws_attributes":{"instance_profile_arn":"arn"}}"#,
                ],
            ),
            ("RUNNING", workers, r#"{"is_pinned":true}"#, &["is_pinned"], vec![r#"pin {"cluster_id":"c"}"#]),
            ("RUNNING", r#""pinned_by_user_name":"me""#, "{}", &["is_pinned"], vec![r#"unpin {"cluster_id":"c"}"#]),
            ("RUNNING", workers, r#"{"start":false}"#, &["start"], vec![r#"delete {"cluster_id":"c"}"#]),
            ("TERMINATED", workers, r#"{"start":false}"#, &["start"], vec![]),
            ("TERMINATED", workers, r#"{"start":true}"#, &["start"], vec!["get ", r#"start {"cluster_id":"c"}"#]),
            ("RUNNING", workers, r#"{"start":true}"#, &["start"], vec![]),
        ] {
            assert_eq!(calls(state, live, desired, paths), want, "{state} {desired}");
        }
    }
}
