use super::{Bench, request};
use crate::local::{Fault, LocalError, LocalOptions, LocalWorkspace};
use crate::model::json;

const CREATE: &str = "POST /api/2.2/jobs/create";
const LIST: &str = "GET /api/2.2/jobs/list";

fn faulty(fault: &str) -> Bench {
    Bench::with(LocalOptions { faults: vec![fault.parse().unwrap()], ..LocalOptions::default() })
}

fn count(bench: &Bench) -> usize {
    bench.good(LIST, "").body.get("jobs").and_then(|j| j.as_list()).unwrap_or_default().len()
}

#[test]
fn what_is_not_there_says_so() {
    let bench = Bench::new();
    bench.refused(
        "GET /api/2.0/lakeview/dashboards",
        "",
        "501 NOT_IMPLEMENTED dashboards.lakeview.list (GET /api/2.0/lakeview/dashboards)",
    );
    bench.refused("GET /api/2.0/dances", "", "404 ENDPOINT_NOT_FOUND No API found for 'GET /api/2.0/dances'");
    bench.refused("PATCH /api/2.2/jobs/create", "", "404 ENDPOINT_NOT_FOUND");
    let reply = bench.ask("GET /api/2.2/jobs/get?job_id=7", "");
    let id = reply.raw.header("x-request-id").unwrap().to_owned();
    assert_eq!(reply.text("details[0].request_id"), id);
    assert_eq!(reply.raw.header("date"), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
    assert_ne!(bench.ask(LIST, "").raw.header("x-request-id"), Some(id.as_str()));
    let head = bench.ask("HEAD /api/2.2/jobs/list", "");
    assert_eq!((head.status, head.raw.body.len()), (200, 0));
}

#[test]
fn everything_served_is_in_the_catalogue_and_unique() {
    let coverage = LocalWorkspace::coverage();
    assert!(coverage.len() > 50, "{}", coverage.len());
    for pair in coverage.windows(2) {
        assert_ne!(pair[0].0, pair[1].0);
    }
    let declared: usize = crate::local::services::rooms().iter().map(|r| r.room.operations.len()).sum();
    assert_eq!(coverage.len(), declared, "an operation is not in the catalogue");
}

#[test]
fn every_habit_and_rival_is_said_once() {
    let mut seen = std::collections::BTreeSet::new();
    for habit in LocalWorkspace::habits() {
        assert!(seen.insert((habit.service, habit.does)), "{habit:?}");
    }
    assert!(seen.len() > 50);
    for (name, _) in LocalWorkspace::rivals() {
        Bench::rival(name).good(LIST, "");
    }
    let options = LocalOptions { rivals: vec!["dance".to_owned()], ..LocalOptions::default() };
    assert!(matches!(LocalWorkspace::in_memory(options), Err(LocalError::Open { .. })));
}

#[test]
fn faults_before_and_after_the_effect() {
    let bench = faulty("before:POST:/api/2.2/jobs/create:times=2:status=500");
    assert_eq!(bench.ask(CREATE, "{}").refusal(), "500 INTERNAL_ERROR Injected: an internal error.");
    assert_eq!(bench.ask(CREATE, "{}").status, 500);
    assert_eq!((count(&bench), bench.ask(CREATE, "{}").status, count(&bench)), (0, 200, 1));
    let bench = faulty("after:POST:*:status=503");
    let reply = bench.ask(CREATE, "{}");
    assert_eq!((reply.status, reply.raw.header("retry-after"), count(&bench)), (503, Some("0"), 1));
    let bench = faulty("after:*:/api/2.2/jobs/create");
    let error = bench.try_ask(CREATE, "{}").unwrap_err();
    assert!(error.may_have_been_sent);
    assert_eq!(count(&bench), 1);
}

#[test]
fn a_killed_client_stays_dead_and_another_goes_on() {
    for (fault, jobs) in [("before:POST:*", 0), ("after:POST:*", 1)] {
        let faults = vec![Fault { kill: true, ..fault.parse().unwrap() }];
        let bench = Bench::with(LocalOptions { faults, ..LocalOptions::default() });
        for line in [CREATE, LIST, LIST] {
            assert_eq!(bench.try_ask(line, "").unwrap_err().message, "simulated crash", "{fault}");
        }
        let other = Bench::around(bench.workspace.with(LocalOptions::default()).unwrap(), bench.clock.clone());
        assert_eq!(count(&other), jobs, "{fault}");
        assert_eq!(other.workspace.workspace_id(), bench.workspace.workspace_id());
        assert_eq!((bench.workspace.requests(), other.workspace.requests()), (3, 1));
    }
}

#[test]
fn stale_reads_lag() {
    let bench = Bench::with(LocalOptions { stale_reads: 2, ..LocalOptions::default() });
    bench.good(CREATE, "{}");
    assert_eq!([count(&bench), count(&bench), count(&bench)], [0, 0, 1]);
}

#[test]
fn rates_are_limited_per_operation() {
    let bench = Bench::with(LocalOptions { rate_limit: Some(2.0), ..LocalOptions::default() });
    assert_eq!([bench.ask(LIST, "").status, bench.ask(LIST, "").status], [200, 200]);
    let limited = bench.ask(LIST, "");
    assert_eq!(
        (limited.status, limited.text("error_code").as_str(), limited.raw.header("retry-after")),
        (429, "REQUEST_LIMIT_EXCEEDED", Some("1"))
    );
    assert_eq!(bench.ask(CREATE, "{}").status, 200);
    bench.clock.pass(1000);
    assert_eq!(bench.ask(LIST, "").status, 200);
}

#[test]
fn latency_is_kept() {
    let bench = Bench::with(LocalOptions { latency_ms: 30, ..LocalOptions::default() });
    let start = std::time::Instant::now();
    bench.good(LIST, "");
    assert!(start.elapsed().as_millis() >= 30);
}

#[test]
fn a_record_has_a_line_a_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.jsonl");
    let bench = Bench::with(LocalOptions {
        record: Some(file.clone()),
        faults: vec!["before:GET:/api/2.2/jobs/list".parse().unwrap()],
        ..LocalOptions::default()
    });
    bench.good(CREATE, r#"{"name": "n", "dance": 1, "tasks": [{"task_key": "a", "sing": true}]}"#);
    bench.try_ask("GET /api/2.2/jobs/list?limit=1", "").unwrap_err();
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = text.lines().map(|l| json::parse(l.as_bytes()).unwrap()).collect();
    let shown = |n: usize, member: &str| lines[n].get(member).map(|v| json::write(v).unwrap()).unwrap_or_default();
    for (n, member, expected) in [
        (0, "method", "\"POST\""),
        (0, "path", "\"/api/2.2/jobs/create\""),
        (0, "content_type", "\"application/json\""),
        (0, "body", r#"{"name":"n","dance":1,"tasks":[{"task_key":"a","sing":true}]}"#),
        (0, "status", "200"),
        (0, "ignored", r#"["dance","tasks[0].sing"]"#),
        (1, "query", r#"{"limit":"1"}"#),
        (1, "status", "0"),
        (1, "body", "null"),
    ] {
        assert_eq!(shown(n, member), expected, "{n} {member}");
    }
}

#[test]
fn unknown_members_are_ignored_and_nulls_absent() {
    let bench = Bench::new();
    let id = bench.good(CREATE, r#"{"name": null, "dance": {"a": 1}}"#).text("job_id");
    let job = bench.good(&format!("GET /api/2.2/jobs/get?job_id={id}"), "");
    assert_eq!((job.at("settings.name"), job.at("settings.dance")), ("\"Untitled\"".into(), "-".into()));
    assert_eq!(request("GET /a?b=c", "").query, [("b".to_owned(), "c".to_owned())]);
}
