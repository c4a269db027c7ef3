//! A journal that takes its time: nobody waits for it but those whose records it writes.

use super::*;

fn update(at: &str, after: &[&str]) -> Step {
    let known = entry("jobs", "7", body(r#"{"name":"x"}"#));
    let calls = vec![call("jobs.jobs.reset", &format!(r#"{{"job_id":7,"new_settings":{{"name":"{at}"}}}}"#))];
    Step { id: Some("7".to_owned()), ..step(at, Action::Update, after, calls, Some(known)) }
}

fn far(failing: bool) -> Memory {
    Memory { far: Some(if failing { Far::Fails } else { Far::Writes }), ..Memory::default() }
}

#[tokio::test]
async fn while_intents_are_written_everything_else_goes_on() {
    let steps = vec![create("jobs.a", &[]), update("jobs.b", &[]), create("jobs.c", &["jobs.b"])];
    let state = document(vec![("jobs.b", entry("jobs", "7", body(r#"{"name":"x"}"#)))]);
    let ran = run_with(steps, state, jobs(), far(false), 4, None).await;
    assert_eq!(ran.outcomes(), ["jobs.a: done", "jobs.b: done", "jobs.c: done"]);
    let at = |wanted: &str| ran.log.iter().position(|line| line.starts_with(wanted)).unwrap_or_else(|| panic!("{wanted}: {:#?}", ran.log));
    assert!(at("reset") < at("durable intent jobs.a"), "it needs no intent: {:#?}", ran.log);
    assert!(at("intent jobs.c") < at("durable intent jobs.a"), "what becomes ready is written at once: {:#?}", ran.log);
    for name in ["a", "c"] {
        let (durable, sent) = (format!("durable intent jobs.{name}"), format!(r#"create {{"name":"jobs.{name}"#));
        assert!(at(&durable) < at(&sent), "its intent comes first: {:#?}", ran.log);
    }
}

#[tokio::test]
async fn an_intent_that_cannot_be_written_is_a_create_that_is_not_sent() {
    let ran = run_with(vec![create("jobs.a", &[]), create("jobs.b", &["jobs.a"])], document(vec![]), jobs(), far(true), 4, None).await;
    assert_eq!(
        ran.outcomes(),
        ["jobs.a: failed: jobs.a was not carried out: the lease of the state is lost", "jobs.b: skipped: needs jobs.a"]
    );
    assert!(!ran.log.iter().any(|line| line.starts_with("create")), "{:#?}", ran.log);
}
