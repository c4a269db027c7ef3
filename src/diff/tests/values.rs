//! Single values, structs, what is not ours.

use super::{CASE, Case, check};

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
                what: "a zero that the reply leaves out, where the default is no zero: it was sent",
                desired: r#"{"max_concurrent_runs":0}"#,
                applied: r#"{"max_concurrent_runs":0}"#,
                live: "{}",
                ..CASE
            },
            Case {
                what: "a zero that was never sent, where the default is no zero",
                desired: r#"{"max_concurrent_runs":0}"#,
                applied: r#"{"max_concurrent_runs":1}"#,
                live: "{}",
                changes: &["max_concurrent_runs changed - → 0"],
                ..CASE
            },
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
