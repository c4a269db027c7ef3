//! Tables: desired, applied, live, and what must come out.

mod collections;
mod secrets;
mod values;

use super::{Compare, Differences, Reason, compare};
use crate::kinds::{Fact, Identity, Kind, Lit, Natural, Read, Request, Tag, Unique, Update};
use crate::model::{Path, Value, json};

/// A kind over the fields of jobs, with a fact of every sort.
pub static SAMPLE: Kind = Kind {
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
        ("duration_target", Fact::Chomped),
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

pub fn value(text: &str) -> Value {
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
