//! Runs as a whole: what is flushed when, how they are stopped, and what never begins.

use super::*;

#[tokio::test]
async fn a_ready_set_has_its_intents_on_record_before_any_of_its_creates() {
    let ran = run(vec![create("jobs.a", &[]), create("jobs.b", &[]), create("jobs.c", &["jobs.a"])], document(vec![]), 1).await;
    assert_eq!(ran.outcomes(), ["jobs.a: done", "jobs.b: done", "jobs.c: done"]);
    assert_eq!(
        ran.log,
        [
            "begin",
            "intent jobs.a",
            "intent jobs.b",
            r#"create {"name":"jobs.a"}"#,
            "put jobs.a 100 Ok deposed []",
            "intent jobs.c",
            r#"create {"name":"jobs.b"}"#,
            "put jobs.b 101 Ok deposed []",
            r#"create {"name":"jobs.c"}"#,
            "put jobs.c 102 Ok deposed []",
            "end",
            "saved 5 by apply",
        ]
    );
    assert_eq!(ran.events, ["started jobs.a", "ended jobs.a", "started jobs.b", "ended jobs.b", "started jobs.c", "ended jobs.c"]);
    let state = &ran.report().state;
    assert_eq!((state.serial, state.commit.as_deref(), state.open_intents.len()), (5, Some("c0ffee"), 0));
    assert_eq!(state.workspace, Some(WorkspaceIdentity { host: "test".to_owned(), id: "1".to_owned() }));
    assert_eq!(state.resources[&address("jobs.c")].id, "102");
    assert_eq!(ran.report().requests, 3);
    assert_eq!(ran.report().results[2].id.as_deref(), Some("102"));
}

#[tokio::test]
async fn a_plan_that_changes_nothing_writes_nothing() {
    let there = entry("jobs", "1", Value::Null);
    let none = Step { id: Some("1".to_owned()), ..step("jobs.a", Action::None, &[], vec![], Some(there.clone())) };
    let ran = run(vec![none.clone()], document(vec![("jobs.a", there.clone())]), 2).await;
    assert_eq!((ran.log, ran.report.unwrap().state.serial), (vec![], 4));
    // The same object, but the state does not know yet that it is wanted so.
    let ran = run(vec![none], document(vec![("jobs.a", Entry { applied: Value::Bool(true), ..there })]), 2).await;
    assert_eq!(ran.log, ["begin", "put jobs.a 1 Ok deposed []", "end", "saved 5 by apply"]);
    assert!(ran.report().results.is_empty() && ran.events.is_empty());
}

#[tokio::test]
async fn stopping_once_finishes_what_is_in_flight_and_saves() {
    let steps = vec![create("jobs.a", &[]), create("jobs.b", &[]), create("jobs.c", &["jobs.a"])];
    let ran = run_with(steps, document(vec![]), jobs(), Memory::default(), 1, Some(("started jobs.a", 1))).await;
    assert_eq!(ran.outcomes(), ["jobs.a: done", "jobs.b: skipped: interrupted", "jobs.c: skipped: interrupted"]);
    assert!(ran.report().interrupted);
    assert!(ran.log.contains(&"withdrawn jobs.b".to_owned()) && ran.log.ends_with(&["saved 5 by apply".to_owned()]), "{:?}", ran.log);
    assert!(ran.report().state.open_intents.is_empty());
}

#[tokio::test]
async fn stopping_twice_leaves_the_intent_of_what_was_in_flight_open() {
    let ran = run_with(
        vec![create("jobs.slow", &[]), create("jobs.t", &[])],
        document(vec![]),
        jobs(),
        Memory::default(),
        1,
        Some(("started jobs.slow", 2)),
    )
    .await;
    assert!(ran.outcomes()[0].starts_with("jobs.slow: failed: jobs.slow was stopped"), "{:?}", ran.outcomes());
    assert_eq!(ran.outcomes()[1], "jobs.t: skipped: interrupted");
    assert_eq!(ran.report().state.open_intents.keys().collect::<Vec<_>>(), [&address("jobs.slow")], "{:?}", ran.log);
}

#[tokio::test]
async fn nothing_is_created_when_its_intent_cannot_be_put_on_record() {
    let store = Memory { full_after: Some(1), ..Memory::default() };
    let ran = run_with(vec![create("jobs.a", &[]), create("jobs.b", &["jobs.a"])], document(vec![]), jobs(), store, 4, None).await;
    assert!(ran.outcomes()[0].contains("the journal cannot be written"), "{:?}", ran.outcomes());
    assert_eq!(ran.report().requests, 0);
    // The intent is on record, its result is not: the step fails, but the end of the run saves what is known.
    let store = Memory { full_after: Some(2), ..Memory::default() };
    let ran = run_with(vec![create("jobs.a", &[]), create("jobs.b", &["jobs.a"])], document(vec![]), jobs(), store, 4, None).await;
    assert!(ran.outcomes()[0].contains("could not be put on record"), "{:?}", ran.outcomes());
    assert_eq!(ran.outcomes()[1], "jobs.b: skipped: the journal cannot be written");
    assert_eq!(ran.report().state.resources[&address("jobs.a")].id, "100");
}

#[tokio::test]
async fn a_blocked_or_stale_plan_sends_nothing() {
    let mut blocked = create("jobs.a", &[]);
    blocked.blocks.push(crate::plan::Block { guard: "exists", reason: String::new(), remedy: vec![], place: None });
    let ran = run(vec![blocked], document(vec![]), 1).await;
    assert!(matches!(ran.report, Err(ApplyError::Blocked)) && ran.log.is_empty());
}

#[tokio::test]
async fn ids_of_earlier_steps_are_filled_in_with_the_type_of_the_field() {
    let reference = |path: &str| {
        let reference = Reference { address: address("jobs.a"), path: path.parse::<Path>().unwrap() };
        Value::Unknown(Arc::new(Deferred::of(reference)))
    };
    let task = |value: Value| {
        Value::map([(
            "tasks",
            Value::List(vec![Value::map([("task_key", "t".into()), ("run_job_task", Value::map([("job_id", value)]))])]),
        )])
    };
    let mut second = create("jobs.b", &["jobs.a"]);
    second.calls[0].body =
        Some(Value::map([("description", reference("id")), ("tasks", task(reference("id")).get("tasks").unwrap().clone())]));
    second.entry = Some(entry("jobs", "", task(reference("id"))));
    second.desired = Some(task(reference("id")));
    let ran = run(vec![create("jobs.a", &[]), second], document(vec![]), 4).await;
    assert_eq!(ran.outcomes(), ["jobs.a: done", "jobs.b: done"]);
    let sent = r#"create {"description":"100","tasks":[{"task_key":"t","run_job_task":{"job_id":100}}]}"#;
    assert!(ran.log.contains(&sent.to_owned()), "{:?}", ran.log);
    assert_eq!(ran.report().state.resources[&address("jobs.b")].applied, task(Value::Int(100)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_creates_are_one_flush() {
    let steps: Vec<Step> = (0..2000).map(|n| create(&format!("jobs.j{n:04}"), &[])).collect();
    let ran = run(steps, document(vec![]), 64).await;
    assert_eq!(ran.report().results.iter().filter(|r| r.outcome == Outcome::Done).count(), 2000);
    assert_eq!(ran.report().state.resources.len(), 2000);
    assert_eq!(ran.store.flushes.load(Ordering::Relaxed), 1);
}
