//! Tables: desired, applied, live, and what must come out.

use std::sync::Arc;

use super::{Compare, Differences, Reason, compare};
use crate::kinds::{Fact, Identity, Kind, Lit, Natural, Read, Request, Tag, Unique, Update};
use crate::model::{Address, Deferred, Path, Reference, Value, Variable, json};

/// A kind over the fields of jobs, with a fact of every sort.
pub(super) static SAMPLE: Kind = Kind {
    name: "samples",
    singular: "sample",
    create: Some(Request::bare("jobs.jobs.create")),
    read: Read { op: "jobs.jobs.get", reply: "settings", ..Kind::PLAIN.read },
    update: Update::Whole(Request::wrapped("jobs.jobs.reset", "new_settings")),
    identity: Identity::Assigned("job_id"),
    natural: Natural { fields: &["name"], unique: Unique::No },
    tag: Some(Tag::Map("tags")),
    facts: &[
        ("tasks", Fact::Keyed(&["task_key"])),
        ("@jobs.Task.run_if", Fact::Default(Lit::Text("ALL_SUCCESS"))),
        ("@jobs.Task.depends_on", Fact::Keyed(&["task_key"])),
        ("max_concurrent_runs", Fact::Default(Lit::Int(1))),
        ("schedule.pause_status", Fact::Default(Lit::Text("UNPAUSED"))),
        ("queue", Fact::Default(Lit::Backend)),
        ("parent_path", Fact::WorkspacePath),
        ("parent_path", Fact::Slashless),
        ("budget_policy_id", Fact::CaseBlind),
        ("usage_policy_id", Fact::Same(first_letter)),
        ("description", Fact::JsonText),
        ("description!rules", Fact::Keyed(&["id"])),
        ("email_notifications.on_failure", Fact::Set),
        ("@compute.ClusterSpec.driver_node_type_id", Fact::Default(Lit::Field("node_type_id"))),
        ("@compute.ClusterSpec.spark_conf", Fact::ServerKeys(&["spark.databricks."])),
        ("git_source.git_commit", Fact::InputOnly),
        ("git_source.git_tag", Fact::Secret),
        ("format", Fact::Computed),
    ],
    ..Kind::PLAIN
};

fn first_letter(a: &Value, b: &Value) -> bool {
    a.key_text().chars().next() == b.key_text().chars().next()
}

pub(super) fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// `path reason old → new`, one a line.
fn lines(found: &Differences) -> Vec<String> {
    let side = |v: &Option<Value>| v.as_ref().map_or("-".to_owned(), json::display);
    let reason = |r: Reason| serde_json::to_value(r).unwrap().as_str().unwrap().to_owned();
    found.changes.iter().map(|c| format!("{} {} {} → {}", c.path, reason(c.reason), side(&c.old), side(&c.new))).collect()
}

fn unmanaged(found: &Differences) -> Vec<String> {
    found.unmanaged.iter().map(|(p, v)| format!("{p}={}", json::display(v))).collect()
}

/// What is compared, as JSON; empty text is none.
struct Case {
    what: &'static str,
    desired: &'static str,
    applied: &'static str,
    live: &'static str,
    changes: &'static [&'static str],
    unmanaged: &'static [&'static str],
}

const CASE: Case = Case { what: "", desired: "{}", applied: "", live: "", changes: &[], unmanaged: &[] };

fn run(case: &Case, exclusive: bool, ignore: &[Path]) -> Differences {
    let optional = |text: &str| (!text.is_empty()).then(|| value(text));
    let (desired, applied, live) = (value(case.desired), optional(case.applied), optional(case.live));
    compare(&Compare { applied: applied.as_ref(), live: live.as_ref(), exclusive, ignore, ..Compare::of(&SAMPLE, &desired) })
}

fn check(cases: &[Case], exclusive: bool, ignore: &[&str]) {
    let ignore: Vec<Path> = ignore.iter().map(|p| p.parse().unwrap()).collect();
    for case in cases {
        let found = run(case, exclusive, &ignore);
        assert_eq!(lines(&found), case.changes, "{}", case.what);
        assert_eq!(unmanaged(&found), case.unmanaged, "{}: unmanaged", case.what);
    }
}

#[test]
fn reasons_of_single_values() {
    check(
        &[
            Case { what: "agrees", desired: r#"{"name":"a"}"#, applied: r#"{"name":"a"}"#, live: r#"{"name":"a"}"#, ..CASE },
            Case {
                what: "live came round by itself",
                desired: r#"{"name":"b"}"#,
                applied: r#"{"name":"a"}"#,
                live: r#"{"name":"b"}"#,
                ..CASE
            },
            Case {
                what: "changed in YAML",
                desired: r#"{"name":"b"}"#,
                applied: r#"{"name":"a"}"#,
                live: r#"{"name":"a"}"#,
                changes: &[r#"name changed "a" → "b""#],
                ..CASE
            },
            Case {
                what: "first apply",
                desired: r#"{"name":"b"}"#,
                live: r#"{"name":"a"}"#,
                changes: &[r#"name changed "a" → "b""#],
                ..CASE
            },
            Case {
                what: "drift",
                desired: r#"{"name":"a"}"#,
                applied: r#"{"name":"a"}"#,
                live: r#"{"name":"x"}"#,
                changes: &[r#"name drift "x" → "a""#],
                ..CASE
            },
            Case {
                what: "drift: gone from live",
                desired: r#"{"name":"a"}"#,
                applied: r#"{"name":"a"}"#,
                live: "{}",
                changes: &[r#"name drift - → "a""#],
                ..CASE
            },
            Case {
                what: "conflict",
                desired: r#"{"name":"b"}"#,
                applied: r#"{"name":"a"}"#,
                live: r#"{"name":"x"}"#,
                changes: &[r#"name conflict "x" → "b""#],
                ..CASE
            },
            Case { what: "removed", applied: r#"{"name":"a"}"#, live: r#"{"name":"a"}"#, changes: &[r#"name removed "a" → -"#], ..CASE },
            Case { what: "removed, and gone already", applied: r#"{"name":"a"}"#, live: "{}", ..CASE },
            Case {
                what: "removed, and the default already",
                applied: r#"{"max_concurrent_runs":1}"#,
                live: r#"{"max_concurrent_runs":1}"#,
                ..CASE
            },
            Case {
                what: "removed where the backend picks",
                applied: r#"{"queue":{"enabled":true}}"#,
                live: r#"{"queue":{"enabled":true}}"#,
                changes: &[r#"queue removed {"enabled": true} → -"#],
                ..CASE
            },
            Case {
                what: "without live: desired against applied",
                desired: r#"{"name":"b","timeout_seconds":5}"#,
                applied: r#"{"name":"a","timeout_seconds":5}"#,
                changes: &[r#"name changed "a" → "b""#],
                ..CASE
            },
            Case {
                what: "nothing there: every field that is set, zeros too",
                desired: r#"{"name":"b","timeout_seconds":0,"schedule":{"timezone_id":"UTC"},"tags":{},"tasks":[{"task_key":"a"}]}"#,
                changes: &[
                    r#"name changed - → "b""#,
                    "timeout_seconds changed - → 0",
                    r#"schedule.timezone_id changed - → "UTC""#,
                    "tags changed - → {}",
                    r#"tasks[task_key=a] changed - → {"task_key": "a"}"#,
                ],
                ..CASE
            },
        ],
        false,
        &[],
    );
}

#[test]
fn absent_null_zero_and_defaults() {
    check(
        &[
            Case {
                what: "the server leaves zeros out",
                desired: r#"{"timeout_seconds":0,"description":"","tags":{},"tasks":[],"git_source":{"git_url":""}}"#,
                applied: "{}",
                live: "{}",
                ..CASE
            },
            Case {
                what: "zero is not the default",
                desired: r#"{"max_concurrent_runs":0}"#,
                applied: "{}",
                live: "{}",
                changes: &["max_concurrent_runs changed - → 0"],
                ..CASE
            },
            Case { what: "the default is left out", desired: r#"{"max_concurrent_runs":1}"#, applied: "{}", live: "{}", ..CASE },
            Case { what: "null, absent", desired: r#"{"name":null,"schedule":null}"#, applied: "{}", live: "{}", ..CASE },
            Case {
                what: "null, default",
                desired: r#"{"max_concurrent_runs":null}"#,
                applied: "{}",
                live: r#"{"max_concurrent_runs":1}"#,
                ..CASE
            },
            Case {
                what: "null, set",
                desired: r#"{"max_concurrent_runs":null}"#,
                applied: r#"{"max_concurrent_runs":4}"#,
                live: r#"{"max_concurrent_runs":4}"#,
                changes: &["max_concurrent_runs changed 4 → null"],
                ..CASE
            },
            Case {
                what: "set, live has null",
                desired: r#"{"name":"a"}"#,
                applied: r#"{"name":"a"}"#,
                live: r#"{"name":null}"#,
                changes: &[r#"name drift - → "a""#],
                ..CASE
            },
            Case {
                what: "set where the backend picks, and absent",
                desired: r#"{"queue":{"enabled":true}}"#,
                applied: "{}",
                live: "{}",
                changes: &["queue.enabled changed - → true"],
                ..CASE
            },
            Case {
                what: "as the sibling",
                desired: r#"{"job_clusters":[{"job_cluster_key":"c","new_cluster":{"node_type_id":"m","driver_node_type_id":"m"}}]}"#,
                applied: r#"{"job_clusters":[{"job_cluster_key":"c","new_cluster":{"node_type_id":"m"}}]}"#,
                live: r#"{"job_clusters":[{"job_cluster_key":"c","new_cluster":{"node_type_id":"m"}}]}"#,
                ..CASE
            },
        ],
        false,
        &[],
    );
}

#[test]
fn what_the_backend_takes_as_the_same() {
    check(
        &[
            Case {
                what: "paths, case, numbers, a kind's own word",
                desired: r#"{"parent_path":"/Users/a/","budget_policy_id":"AB-C","timeout_seconds":10,"usage_policy_id":"x1"}"#,
                applied: r#"{"parent_path":"/Users/a/","budget_policy_id":"AB-C","timeout_seconds":10,"usage_policy_id":"x1"}"#,
                live: r#"{"parent_path":"/Workspace/Users/a","budget_policy_id":"ab-c","timeout_seconds":10.0,"usage_policy_id":"x9"}"#,
                ..CASE
            },
            Case {
                what: "64-bit numbers as text",
                desired: r#"{"timeout_seconds":9007199254740993}"#,
                applied: "{}",
                live: r#"{"timeout_seconds":"9007199254740993"}"#,
                ..CASE
            },
            Case {
                what: "numbers are exact",
                desired: r#"{"timeout_seconds":9007199254740993}"#,
                applied: "{}",
                live: r#"{"timeout_seconds":9007199254740992}"#,
                changes: &["timeout_seconds changed 9007199254740992 → 9007199254740993"],
                ..CASE
            },
            Case {
                what: "not every prefix is the workspace's",
                desired: r#"{"parent_path":"/WorkspaceX/a"}"#,
                applied: "{}",
                live: r#"{"parent_path":"X/a"}"#,
                changes: &[r#"parent_path changed "X/a" → "/WorkspaceX/a""#],
                ..CASE
            },
            Case { what: "computed", desired: r#"{"format":"A"}"#, applied: "{}", live: r#"{"format":"B"}"#, ..CASE },
            Case {
                what: "input only: against applied",
                desired: r#"{"git_source":{"git_commit":"b"}}"#,
                applied: r#"{"git_source":{"git_commit":"a"}}"#,
                live: r#"{"git_source":{"git_commit":"zzz"}}"#,
                changes: &[r#"git_source.git_commit changed "a" → "b""#],
                ..CASE
            },
            Case {
                what: "input only: never read back",
                desired: r#"{"git_source":{"git_commit":"a"}}"#,
                applied: r#"{"git_source":{"git_commit":"a"}}"#,
                live: "{}",
                ..CASE
            },
        ],
        false,
        &[],
    );
}

#[test]
fn free_maps_are_owned_whole() {
    check(
        &[
            Case {
                what: "items by key, the ownership tag never",
                desired: r#"{"tags":{"a":"1","b":"2","d":"4"}}"#,
                applied: r#"{"tags":{"a":"1","c":"3","d":"4"}}"#,
                live: r#"{"tags":{"a":"9","c":"3","x":"y","brickform":"tag"}}"#,
                changes: &[
                    r#"tags.a drift "9" → "1""#,
                    r#"tags.b changed - → "2""#,
                    r#"tags.d drift - → "4""#,
                    r#"tags.c removed "3" → -"#,
                    r#"tags.x drift "y" → -"#,
                ],
                ..CASE
            },
            Case { what: "the tag alone does not make tags anything", applied: "{}", live: r#"{"tags":{"brickform":"tag"}}"#, ..CASE },
            Case {
                what: "never written: unmanaged",
                applied: "{}",
                live: r#"{"tags":{"brickform":"tag","x":"y"}}"#,
                unmanaged: &[r#"tags={"x": "y"}"#],
                ..CASE
            },
            Case {
                what: "written for the first time: others go",
                desired: r#"{"tags":{"a":"1"}}"#,
                applied: "{}",
                live: r#"{"tags":{"a":"1","x":"y"}}"#,
                changes: &[r#"tags.x changed "y" → -"#],
                ..CASE
            },
            Case {
                what: "the whole map removed",
                applied: r#"{"tags":{"a":"1"}}"#,
                live: r#"{"tags":{"a":"1","x":"y","brickform":"tag"}}"#,
                changes: &[r#"tags.a removed "1" → -"#, r#"tags.x removed "y" → -"#],
                ..CASE
            },
            Case {
                what: "keys of the server",
                desired: r#"{"tasks":[{"task_key":"t","new_cluster":{"spark_conf":{"a":"1"}}}]}"#,
                applied: r#"{"tasks":[{"task_key":"t","new_cluster":{"spark_conf":{"a":"1"}}}]}"#,
                live: r#"{"tasks":[{"task_key":"t","new_cluster":{"spark_conf":{"a":"1","b":"2","spark.databricks.x":"y"}}}]}"#,
                changes: &[r#"tasks[task_key=t].new_cluster.spark_conf.b drift "2" → -"#],
                ..CASE
            },
        ],
        false,
        &[],
    );
}

#[test]
fn keyed_lists_and_their_items() {
    check(
        &[
            Case {
                what: "order is nothing, items field by field",
                desired: r#"{"tasks":[{"task_key":"a","run_if":"ALL_DONE"},{"task_key":"b"}]}"#,
                applied: r#"{"tasks":[{"task_key":"a","run_if":"AT_LEAST_ONE_SUCCESS"},{"task_key":"b"}]}"#,
                live: r#"{"tasks":[{"task_key":"b","run_if":"ALL_SUCCESS","timeout_seconds":0,"description":"by hand"},{"task_key":"a","run_if":"AT_LEAST_ONE_SUCCESS"}]}"#,
                changes: &[r#"tasks[task_key=a].run_if changed "AT_LEAST_ONE_SUCCESS" → "ALL_DONE""#],
                unmanaged: &[r#"tasks[task_key=b].description="by hand""#],
            },
            Case {
                what: "items come and go",
                desired: r#"{"tasks":[{"task_key":"new"},{"task_key":"lost"},{"task_key":"kept"}]}"#,
                applied: r#"{"tasks":[{"task_key":"old"},{"task_key":"lost"},{"task_key":"kept"}]}"#,
                live: r#"{"tasks":[{"task_key":"old"},{"task_key":"extra"},{"task_key":"kept"}]}"#,
                changes: &[
                    r#"tasks[task_key=new] changed - → {"task_key": "new"}"#,
                    r#"tasks[task_key=lost] drift - → {"task_key": "lost"}"#,
                    r#"tasks[task_key=old] removed {"task_key": "old"} → -"#,
                    r#"tasks[task_key=extra] drift {"task_key": "extra"} → -"#,
                ],
                ..CASE
            },
            Case {
                what: "twins by place",
                desired: r#"{"tasks":[{"task_key":"a"},{"task_key":"a","run_if":"ALL_DONE"}]}"#,
                applied: r#"{"tasks":[{"task_key":"a"},{"task_key":"a"}]}"#,
                live: r#"{"tasks":[{"task_key":"a"},{"task_key":"a"}]}"#,
                changes: &[r#"tasks[task_key=a#1].run_if changed - → "ALL_DONE""#],
                ..CASE
            },
            Case {
                what: "the whole list removed",
                applied: r#"{"tasks":[{"task_key":"a"}]}"#,
                live: r#"{"tasks":[{"task_key":"a"},{"task_key":"b"}]}"#,
                changes: &[r#"tasks[task_key=a] removed {"task_key": "a"} → -"#, r#"tasks[task_key=b] removed {"task_key": "b"} → -"#],
                ..CASE
            },
            Case {
                what: "deleted behind our back and changed in YAML",
                desired: r#"{"tasks":[{"task_key":"a","run_if":"ALL_DONE"}]}"#,
                applied: r#"{"tasks":[{"task_key":"a"}]}"#,
                live: r#"{"tasks":[]}"#,
                changes: &[r#"tasks[task_key=a] conflict - → {"task_key": "a", "run_if": "ALL_DONE"}"#],
                ..CASE
            },
        ],
        false,
        &[],
    );
}

#[test]
fn sets_and_plain_lists() {
    check(
        &[
            Case {
                what: "a set has no order",
                desired: r#"{"email_notifications":{"on_failure":["a","b"]}}"#,
                applied: r#"{"email_notifications":{"on_failure":["a","b"]}}"#,
                live: r#"{"email_notifications":{"on_failure":["b","a"]}}"#,
                ..CASE
            },
            Case {
                what: "a set names its items",
                desired: r#"{"email_notifications":{"on_failure":["a","b","n"]}}"#,
                applied: r#"{"email_notifications":{"on_failure":["a","b","o"]}}"#,
                live: r#"{"email_notifications":{"on_failure":["x","a","o"]}}"#,
                changes: &[
                    r#"email_notifications.on_failure drift - → "b""#,
                    r#"email_notifications.on_failure changed - → "n""#,
                    r#"email_notifications.on_failure drift "x" → -"#,
                    r#"email_notifications.on_failure removed "o" → -"#,
                ],
                ..CASE
            },
            Case {
                what: "a plain list has order",
                desired: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["a","b"]}}]}"#,
                applied: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["a","b"]}}]}"#,
                live: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["b","a"]}}]}"#,
                changes: &[r#"tasks[task_key=t].spark_jar_task.parameters drift ["b", "a"] → ["a", "b"]"#],
                ..CASE
            },
            Case {
                what: "a plain list names its items",
                desired: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["a","c"]}}]}"#,
                applied: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["a","b"]}}]}"#,
                live: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["a","b"]}}]}"#,
                changes: &[
                    r#"tasks[task_key=t].spark_jar_task.parameters changed - → "c""#,
                    r#"tasks[task_key=t].spark_jar_task.parameters removed "b" → -"#,
                ],
                ..CASE
            },
            Case {
                what: "both changed a plain list",
                desired: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["c"]}}]}"#,
                applied: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["b"]}}]}"#,
                live: r#"{"tasks":[{"task_key":"t","spark_jar_task":{"parameters":["x"]}}]}"#,
                changes: &[
                    r#"tasks[task_key=t].spark_jar_task.parameters conflict - → "c""#,
                    r#"tasks[task_key=t].spark_jar_task.parameters conflict "x" → -"#,
                ],
                ..CASE
            },
        ],
        false,
        &[],
    );
}

#[test]
fn json_inside_text() {
    check(
        &[
            Case {
                what: "spelling is nothing",
                desired: r#"{"description":"{\"a\": 1, \"rules\": [{\"id\": 1}, {\"id\": 2}]}"}"#,
                applied: r#"{"description":{"a":1,"rules":[{"id":1},{"id":2}]}}"#,
                live: r#"{"description":"{\"rules\":[{\"id\":2},{\"id\":1,\"x\":null}],\"a\":1.0}"}"#,
                ..CASE
            },
            Case {
                what: "paths inside, owned whole",
                desired: r#"{"description":"{\"a\":2,\"rules\":[{\"id\":1,\"v\":\"n\"}]}"}"#,
                applied: r#"{"description":"{\"a\":1,\"rules\":[{\"id\":1,\"v\":\"o\"}]}"}"#,
                live: r#"{"description":"{\"a\":1,\"rules\":[{\"id\":1,\"v\":\"o\",\"w\":1}],\"b\":3}"}"#,
                changes: &[
                    "description!a changed 1 → 2",
                    r#"description!rules[id=1].v changed "o" → "n""#,
                    "description!rules[id=1].w drift 1 → -",
                    "description!b drift 3 → -",
                ],
                ..CASE
            },
            Case {
                what: "not JSON: plain text",
                desired: r#"{"description":"now {x"}"#,
                applied: r#"{"description":"was {x"}"#,
                live: r#"{"description":"was {x"}"#,
                changes: &[r#"description changed "was {x" → "now {x""#],
                ..CASE
            },
        ],
        false,
        &[],
    );
}

#[test]
fn structs_that_are_removed() {
    check(
        &[
            Case {
                what: "as a whole, defaults and all",
                applied: r#"{"schedule":{"quartz_cron_expression":"0","timezone_id":"UTC"}}"#,
                live: r#"{"schedule":{"quartz_cron_expression":"0","timezone_id":"UTC","pause_status":"UNPAUSED"}}"#,
                changes: &[r#"schedule removed {"quartz_cron_expression": "0", "timezone_id": "UTC", "pause_status": "UNPAUSED"} → -"#],
                ..CASE
            },
            Case {
                what: "what others set stays, if the rest can stand alone",
                applied: r#"{"email_notifications":{"on_start":["a"]}}"#,
                live: r#"{"email_notifications":{"on_start":["a"],"on_success":["b"]}}"#,
                changes: &[r#"email_notifications.on_start removed "a" → -"#],
                unmanaged: &[r#"email_notifications.on_success=["b"]"#],
                ..CASE
            },
            Case {
                what: "what others set goes, if it could not",
                applied: r#"{"schedule":{"quartz_cron_expression":"0","timezone_id":"UTC"}}"#,
                live: r#"{"schedule":{"quartz_cron_expression":"0","timezone_id":"UTC","pause_status":"PAUSED"}}"#,
                changes: &[r#"schedule removed {"quartz_cron_expression": "0", "timezone_id": "UTC", "pause_status": "PAUSED"} → -"#],
                ..CASE
            },
        ],
        false,
        &[],
    );
}

#[test]
fn unmanaged_and_exclusive() {
    const LIVE: &str = r#"{"job_id":7,"name":"a","timeout_seconds":60,"max_concurrent_runs":1,"queue":{"enabled":true},
        "schedule":{"timezone_id":"UTC","pause_status":"UNPAUSED"},"email_notifications":{},"format":"X","from_the_future":1,
        "email_notifications":{"no_alert_for_skipped_runs":false}}"#;
    check(
        &[Case {
            what: "fields nobody set, without defaults, zeros, computed and unknown ones",
            desired: r#"{"name":"a"}"#,
            applied: r#"{"name":"a"}"#,
            live: LIVE,
            unmanaged: &["timeout_seconds=60", r#"schedule.timezone_id="UTC""#],
            ..CASE
        }],
        false,
        &[],
    );
    check(
        &[Case {
            what: "exclusive takes them away",
            desired: r#"{"name":"a"}"#,
            applied: r#"{"name":"a"}"#,
            live: LIVE,
            changes: &["timeout_seconds drift 60 → -", r#"schedule.timezone_id drift "UTC" → -"#],
            ..CASE
        }],
        true,
        &[],
    );
}

#[test]
fn ignored_paths() {
    check(
        &[Case {
            what: "fields and everything below",
            desired: r#"{"name":"b","schedule":{"timezone_id":"UTC","pause_status":"UNPAUSED"},"tags":{"a":"1","b":"1"},"tasks":[{"task_key":"a","run_if":"ALL_DONE"}]}"#,
            applied: r#"{"name":"a","schedule":{"timezone_id":"UTC"},"tags":{"a":"1","b":"1"},"tasks":[{"task_key":"a"}]}"#,
            live: r#"{"name":"x","schedule":{"timezone_id":"CET","pause_status":"PAUSED"},"tags":{"a":"2","b":"2","c":"2"},"tasks":[{"task_key":"a"}]}"#,
            changes: &[r#"name conflict "x" → "b""#, r#"tags.b drift "2" → "1""#],
            ..CASE
        }],
        false,
        &["schedule", "tags.a", "tags.c", "tasks[task_key=a].run_if"],
    );
}

fn deferred(source: &str, variable: Variable) -> Arc<Deferred> {
    Arc::new(Deferred { source: source.to_owned(), waits: vec![variable], ..Deferred::of(reference()) })
}

fn reference() -> Reference {
    Reference { address: Address::new("jobs", "a"), path: Path::field("id") }
}

fn secret(name: &str) -> Value {
    Value::Secret(deferred(&format!("${{secret('{name}')}}"), Variable::Secret(crate::model::SecretSource::environment(name))))
}

fn record(name: &str, print: &str) -> Value {
    Value::map([("$secret", Value::text(format!("${{secret('{name}')}}"))), ("fingerprint", Value::text(print))])
}

#[test]
fn unknown_is_a_change() {
    let unknown = Value::Unknown(Arc::new(Deferred::of(reference())));
    let desired = Value::map([("name", unknown)]);
    for applied in [None, Some(value(r#"{"name":"a"}"#))] {
        let live = value(r#"{"name":"a"}"#);
        let found = compare(&Compare { applied: applied.as_ref(), live: Some(&live), ..Compare::of(&SAMPLE, &desired) });
        assert_eq!(lines(&found), [r#"name changed "a" → (known after apply)"#]);
    }
}

#[test]
fn secrets_are_compared_with_their_record_and_never_shown() {
    let secrets = [("${secret('A')}".to_owned(), record("A", "f1"))].into();
    let live = value(r#"{"name":"plain","git_source":{"git_tag":"plain"},"tags":{"k":"plain"}}"#);
    let with = |v: Value| {
        Value::map([("name", v.clone()), ("git_source", Value::map([("git_tag", v.clone())])), ("tags", Value::map([("k", v)]))])
    };
    let places = ["name", "git_source.git_tag", "tags.k"];
    for (what, desired, applied, reason) in [
        ("the same", with(secret("A")), Some(with(record("A", "f1"))), None),
        ("rotated", with(secret("A")), Some(with(record("A", "f0"))), Some("changed")),
        ("another source", with(secret("A")), Some(with(record("B", "f1"))), Some("changed")),
        ("first", with(secret("A")), None, Some("changed")),
        ("a secret no more", with(Value::text("x")), Some(with(record("A", "f1"))), Some("changed")),
        ("removed", value(r#"{"git_source":{},"tags":{}}"#), Some(with(record("A", "f1"))), Some("removed")),
    ] {
        let found = compare(&Compare { applied: applied.as_ref(), live: Some(&live), secrets: &secrets, ..Compare::of(&SAMPLE, &desired) });
        let got: Vec<String> =
            found.changes.iter().map(|c| format!("{} {}", c.path, serde_json::to_value(c.reason).unwrap().as_str().unwrap())).collect();
        let mut want: Vec<String> = reason.iter().flat_map(|r| places.iter().map(move |p| format!("{p} {r}"))).collect();
        if what == "removed" {
            want.rotate_left(1); // what YAML still mentions comes first
        }
        assert_eq!(got, want, "{what}");
        assert!(!format!("{:?}", found.changes).contains("plain"), "{what}: {:?}", found.changes);
    }
}
