//! Steps of each sort: what they send, what goes on record after each call, and what a failure stops.

use super::*;

#[tokio::test]
async fn a_failure_stops_only_what_needs_it_and_says_what_happened() {
    let ran = run(
        vec![create("jobs.bad", &[]), create("jobs.c", &["jobs.bad"]), create("jobs.d", &["jobs.c"]), create("jobs.e", &[])],
        document(vec![]),
        4,
    )
    .await;
    assert_eq!(
        ran.outcomes(),
        [
            "jobs.bad: failed: jobs.bad: create failed: 400 INVALID_PARAMETER_VALUE: bad is bad",
            "jobs.c: skipped: needs jobs.bad",
            "jobs.d: skipped: needs jobs.bad",
            "jobs.e: done"
        ]
    );
    assert!(ran.log.contains(&"withdrawn jobs.bad".to_owned()));
    let Outcome::Failed(failure) = &ran.report().results[0].outcome else { panic!() };
    assert!(failure.help[0].contains("r-1") && failure.help.iter().any(|h| h.starts_with("apply again")), "{:?}", failure.help);
    let state = &ran.report().state;
    assert_eq!((state.resources.len(), state.open_intents.len()), (1, 0));
}

#[tokio::test]
async fn an_update_cut_in_the_middle_keeps_what_was_owned_before() {
    let old = entry("jobs", "7", body(r#"{"name":"a","tags":{"x":"1"},"max_concurrent_runs":2}"#));
    let new = entry("jobs", "7", body(r#"{"name":"b"}"#));
    let calls = vec![call("jobs.jobs.update", r#"{"job_id":7}"#), call("jobs.jobs.update", r#"{"job_id":7,"why":"bad"}"#)];
    let update = Step { id: Some("7".to_owned()), ..step("jobs.a", Action::Update, &[], calls, Some(new)) };
    let ran = run(vec![update], document(vec![("jobs.a", old)]), 4).await;
    let left = &ran.report().state.resources[&address("jobs.a")];
    assert_eq!(left.status, Status::Incomplete);
    assert_eq!(left.applied, body(r#"{"name":"b","tags":{"x":"1"},"max_concurrent_runs":2}"#));
}

#[tokio::test]
async fn what_is_gone_already_is_deleted() {
    let delete = |at, id: &str| step(at, Action::Delete, &[], vec![call("jobs.jobs.delete", &format!(r#"{{"job_id":"{id}"}}"#))], None);
    let state = document(vec![("jobs.a", entry("jobs", "gone", Value::Null)), ("jobs.b", entry("jobs", "bad", Value::Null))]);
    let ran = run(vec![delete("jobs.a", "gone"), delete("jobs.b", "bad")], state, 1).await;
    assert_eq!(ran.outcomes(), ["jobs.a: done", "jobs.b: failed: jobs.b: delete failed: 400 INVALID_PARAMETER_VALUE: bad is bad"]);
    assert_eq!(ran.report().state.resources.keys().map(ToString::to_string).collect::<Vec<_>>(), ["jobs.b"]);
}

#[tokio::test]
async fn a_replacement_puts_its_intent_on_record_once_the_old_object_is_gone() {
    let mut replace = create("jobs.a", &[]);
    replace.action = Action::Replace;
    replace.id = Some("7".to_owned());
    replace.delete_calls = vec![call("jobs.jobs.delete", r#"{"job_id":7}"#)];
    let ran = run(vec![replace], document(vec![("jobs.a", entry("jobs", "7", Value::Null))]), 4).await;
    assert_eq!(
        ran.log[1..7],
        [
            "put jobs.a 7 Unmade deposed []",
            r#"delete {"job_id":7}"#,
            "removed jobs.a",
            "intent jobs.a",
            r#"create {"name":"jobs.a"}"#,
            "put jobs.a 100 Ok deposed []"
        ]
    );
}

/// What is in `jobs.out` is deleted before that is, and made again after it.
fn within(out: &str, old: &str) -> (Vec<Step>, Document) {
    let delete = |id: &str| vec![call("jobs.jobs.delete", &format!(r#"{{"job_id":"{id}"}}"#))];
    let mut inner = create("jobs.in", &[out]);
    (inner.action, inner.halves, inner.id) = (Action::Replace, crate::plan::Halves::Apart, Some("8".to_owned()));
    inner.delete_calls = delete("8");
    let mut outer = create(out, &[]);
    (outer.action, outer.id, outer.delete_calls) = (Action::Replace, Some(old.to_owned()), delete(old));
    outer.delete_after = vec![address("jobs.in")];
    let state = document(vec![("jobs.in", entry("jobs", "8", Value::Null)), (out, entry("jobs", old, Value::Null))]);
    (vec![inner, outer], state)
}

#[tokio::test]
async fn what_is_in_something_is_deleted_before_it_and_made_again_after_it() {
    let (steps, state) = within("jobs.out", "7");
    let ran = run(steps, state, 4).await;
    assert_eq!(ran.outcomes(), ["jobs.in: done", "jobs.out: done"]);
    let sent = ran.log.iter().filter(|line| line.starts_with("delete") || line.starts_with("create"));
    let sent: Vec<String> = sent.map(|line| line.replace('"', "")).collect();
    assert_eq!(sent, ["delete {job_id:8}", "delete {job_id:7}", "create {name:jobs.out}", "create {name:jobs.in}"]);
    let report = ran.report();
    assert_eq!((report.results.len(), report.results[0].requests), (2, 2), "one step, both its halves");
    assert!(report.state.resources.values().all(|entry| entry.status == Status::Ok));
}

#[tokio::test]
async fn a_step_that_has_deleted_something_is_not_called_skipped() {
    // What is around it is not made again, or cannot be deleted.
    for (out, old, outer) in [
        ("jobs.bad", "7", "jobs.bad: failed: jobs.bad: create failed: 400 INVALID_PARAMETER_VALUE: bad is bad"),
        ("jobs.out", "bad", "jobs.out: failed: jobs.out: delete failed: 400 INVALID_PARAMETER_VALUE: bad is bad"),
    ] {
        let (steps, state) = within(out, old);
        let ran = run(steps, state, 4).await;
        let mut told = ran.outcomes();
        told.sort();
        let mut expected = vec![outer.to_owned(), format!("jobs.in: Deleted only: needs {out}")];
        expected.sort();
        assert_eq!(told, expected);
        let report = ran.report();
        let left = |at: &str| report.state.resources.get(&address(at)).map(|entry| entry.status);
        assert_eq!(left("jobs.in"), Some(Status::Unmade), "our own doing");
        // A delete that was refused has done nothing; after one that was not, the next plan knows whose doing it was.
        assert_eq!(left(out), Some(if old == "bad" { Status::Ok } else { Status::Unmade }));
        let begun = report.results.iter().filter(|r| r.half == Some(crate::apply::Half::Deleted)).count();
        assert_eq!(begun, usize::from(old != "bad"));
    }
}

#[tokio::test]
async fn what_waits_for_what_is_in_it_keeps_the_old_id_until_that_has_left() {
    let old = |at: &str| entry("jobs", at, Value::Null);
    let mut folder = create("jobs.a", &[]);
    (folder.action, folder.halves, folder.id) = (Action::ReplaceNewFirst, crate::plan::Halves::Apart, Some("7".to_owned()));
    folder.delete_calls = vec![call("jobs.jobs.delete", r#"{"job_id":7}"#)];
    folder.delete_after = vec![address("jobs.in")];
    let moves = |bad: &str| {
        let calls = vec![call("jobs.jobs.update", &format!(r#"{{"job_id":8{bad}}}"#))];
        Step { id: Some("8".to_owned()), ..step("jobs.in", Action::Update, &["jobs.a"], calls, Some(old("8"))) }
    };
    let state = document(vec![("jobs.a", old("7")), ("jobs.in", old("8"))]);
    let ran = run(vec![folder.clone(), moves("")], state.clone(), 4).await;
    assert_eq!(ran.outcomes(), ["jobs.a: done", "jobs.in: done"]);
    let at = |start: &str| ran.log.iter().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {:?}", ran.log));
    let order = [
        at("intent jobs.a"),
        at("create "),
        at("put jobs.a 100 Incomplete deposed [\"7\"]"),
        at("update "),
        at("delete "),
        at("put jobs.a 100 Ok deposed []"),
    ];
    assert!(order.is_sorted(), "{:?}", ran.log);
    // It does not leave: the old one stays, and stays on record.
    let ran = run(vec![folder, moves(r#","why":"bad""#)], state, 4).await;
    assert_eq!(ran.outcomes()[0], "jobs.a: Made only: needs jobs.in");
    let left = &ran.report().state.resources[&address("jobs.a")];
    assert_eq!((left.id.as_str(), left.status, left.deposed.as_slice()), ("100", Status::Incomplete, &["7".to_owned()][..]));
}

#[tokio::test]
async fn the_new_one_first_keeps_the_old_id_until_it_is_deleted() {
    let replace = |old: &str| {
        let mut replace = create("jobs.a", &[]);
        replace.action = Action::ReplaceNewFirst;
        replace.id = Some(old.to_owned());
        replace.delete_calls = vec![call("jobs.jobs.delete", &format!(r#"{{"job_id":"{old}"}}"#))];
        replace
    };
    let ran = run(vec![replace("7")], document(vec![("jobs.a", entry("jobs", "7", Value::Null))]), 4).await;
    assert_eq!(
        ran.log[1..6],
        [
            "intent jobs.a",
            r#"create {"name":"jobs.a"}"#,
            "put jobs.a 100 Incomplete deposed [\"7\"]",
            r#"delete {"job_id":7}"#,
            "put jobs.a 100 Ok deposed []"
        ]
    );
    let ran = run(vec![replace("bad")], document(vec![("jobs.a", entry("jobs", "bad", Value::Null))]), 4).await;
    let left = &ran.report().state.resources[&address("jobs.a")];
    assert_eq!((left.id.as_str(), left.status, left.deposed.as_slice()), ("100", Status::Incomplete, &["bad".to_owned()][..]));
}

#[tokio::test]
async fn what_a_setting_held_is_on_record_before_it_is_touched() {
    let mut first = entry("conf", "workspace", body(r#"{"x":"true"}"#));
    first.former = Some(body(r#"{"x":"false"}"#));
    let update = step("conf.main", Action::Update, &[], vec![call("settings.workspace_conf.set_status", r#"{"x":"true"}"#)], Some(first));
    let ran = run(vec![update], document(vec![]), 4).await;
    assert_eq!(
        ran.log[1..4],
        ["put conf.main workspace Incomplete deposed []", r#"workspace-conf {"x":"true"}"#, "put conf.main workspace Ok deposed []"]
    );
    assert_eq!(ran.store.flushes.load(Ordering::Relaxed), 1);
    // Put back and forgotten: an update without an entry.
    let back = step("conf.main", Action::Update, &[], vec![call("settings.workspace_conf.set_status", r#"{"x":"false"}"#)], None);
    let ran = run(vec![back], ran.report().state.clone(), 4).await;
    assert!(ran.report().state.resources.is_empty());
}

#[tokio::test]
async fn moves_adoptions_and_forgetting_send_nothing() {
    let state = document(vec![
        ("jobs.a", entry("jobs", "1", Value::Null)),
        ("jobs.b", entry("jobs", "2", Value::Null)),
        ("jobs.c", entry("jobs", "3", Value::Null)),
    ]);
    let moved = |from: &str, to: &str, id: &str| Step {
        moved_from: Some(address(from)),
        id: Some(id.to_owned()),
        ..step(to, Action::Move, &[], vec![], Some(entry("jobs", id, Value::Null)))
    };
    let adopt = Step {
        id: Some("9".to_owned()),
        ..step("jobs.d", Action::Adopt, &[], vec![], Some(Entry { adopted: true, ..entry("jobs", "9", Value::Null) }))
    };
    let ran = run(
        vec![moved("jobs.a", "jobs.b", "1"), moved("jobs.b", "jobs.a", "2"), step("jobs.c", Action::Forget, &[], vec![], None), adopt],
        state,
        2,
    )
    .await;
    assert_eq!(ran.report().requests, 0);
    let ids: Vec<String> = ran.report().state.resources.iter().map(|(a, e)| format!("{a}={}", e.id)).collect();
    assert_eq!(ids, ["jobs.a=2", "jobs.b=1", "jobs.d=9"]);
    assert_eq!(ran.log[1], "moved jobs.b jobs.a moved jobs.a jobs.b");
}
