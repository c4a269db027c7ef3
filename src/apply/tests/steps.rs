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
        ran.log[1..6],
        [r#"delete {"job_id":7}"#, "removed jobs.a", "intent jobs.a", r#"create {"name":"jobs.a"}"#, "put jobs.a 100 Ok deposed []"]
    );
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
