//! What is looked at again before and after sending: secrets, unanswered creates, changes that turn out to be none.

use super::*;
use crate::diff::FieldChange;
use crate::model::SecretSource;

fn refers(at: &str, path: &str) -> Value {
    let reference = Reference { address: address(at), path: path.parse::<Path>().unwrap() };
    Value::Unknown(Arc::new(Deferred::of(reference)))
}

fn secret(name: &str) -> Value {
    let waits = vec![crate::model::Variable::Secret(SecretSource::environment(name))];
    let pieces = vec![crate::model::Piece::Expression("__0".to_owned())];
    Value::Secret(Arc::new(Deferred { source: format!("${{secret('{name}')}}"), pieces, waits, bound: Map::new() }))
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_stops_the_run_before_anything_is_sent() {
    let mut second = create("jobs.b", &["jobs.a"]);
    let with_secret = Value::map([("name", "b".into()), ("description", secret("BRICKFORM_TEST_NOT_SET"))]);
    second.calls[0].body = Some(with_secret.clone());
    second.desired = Some(with_secret);
    let ran = run(vec![create("jobs.a", &[]), second], document(vec![]), 1).await;
    let error = ran.report.expect_err("a secret is missing").to_string();
    assert_eq!(
        error,
        "jobs.b: `description` cannot be filled: secret `BRICKFORM_TEST_NOT_SET` is not there: \
         the environment variable BRICKFORM_TEST_NOT_SET is not set: nothing was sent"
    );
    assert_eq!(ran.log, Vec::<String>::new());
}

/// A workspace that makes nothing visible and answers creates with these, one after the other.
fn creates(statuses: &'static [u16]) -> Box<Answer> {
    let next = AtomicU64::new(0);
    Box::new(move |request| {
        if !request.path.ends_with("create") && !request.path.ends_with("warehouses") || request.method == "GET" {
            return (200, "{}".to_owned());
        }
        let n = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap();
        match statuses.get(n).copied().unwrap_or(200) {
            200 => (200, r#"{"job_id":1,"id":"1"}"#.to_owned()),
            400 => (400, r#"{"error_code":"ALREADY_EXISTS","message":"there is one of this name"}"#.to_owned()),
            status => (status, r#"{"error_code":"INTERNAL_ERROR","message":"who knows"}"#.to_owned()),
        }
    })
}

#[tokio::test]
async fn an_unanswered_create_is_sent_again_only_where_names_are_unique() {
    let warehouse = || {
        let json = r#"{"name":"w"}"#;
        let made = Some(entry("warehouses", "", body(json)));
        Step { desired: Some(body(json)), ..step("warehouses.w", Action::Create, &[], vec![call("sql.warehouses.create", json)], made) }
    };
    // (the step, what creates are answered with, creates sent, whether it is done, whether the intent stays open)
    for (step, statuses, sent, done, open) in [
        (create("jobs.a", &[]), &[500][..], 1, false, true),
        (create("jobs.a", &[]), &[503], 1, false, true),
        (create("jobs.a", &[]), &[400], 1, false, false),
        (warehouse(), &[500], 2, true, false),
        (warehouse(), &[500, 500], 2, false, true),
        // It took effect, reads do not show it yet, and the server refuses a second one: the next run will find it.
        (warehouse(), &[500, 400], 2, false, true),
        (warehouse(), &[400], 1, false, false),
    ] {
        let what = format!("{} {statuses:?}", step.address);
        let ran = run_with(vec![step], document(vec![]), creates(statuses), Memory::default(), 1, None).await;
        let made = ran.log.iter().filter(|line| line.ends_with('}')).count();
        assert_eq!((made, ran.outcomes()[0].ends_with(": done")), (sent, done), "{what}: {:?}", ran.log);
        assert_eq!(!ran.report().state.open_intents.is_empty(), open, "{what}: {:?}", ran.log);
        if open {
            assert!(ran.outcomes()[0].contains("whether it took effect is not known"), "{:?}", ran.outcomes());
        }
    }
}

#[tokio::test]
async fn intents_carry_the_clock_of_the_latest_reply() {
    let ran = run_with(
        vec![create("jobs.a", &[]), create("jobs.b", &["jobs.a"])],
        document(vec![]),
        creates(&[200, 500]),
        Memory::default(),
        1,
        None,
    )
    .await;
    assert_eq!(ran.report().state.open_intents[&address("jobs.b")].server_seconds, Some(1_795_248_000));
}

fn update(new: Value, old: &str) -> Step {
    let wanted = Value::map([("description", new.clone())]);
    let mut call = call("jobs.jobs.update", "{}");
    call.body = Some(wanted.clone());
    Step {
        id: Some("7".to_owned()),
        desired: Some(wanted.clone()),
        changes: vec![FieldChange {
            path: "description".parse().unwrap(),
            old: Some(old.into()),
            new: Some(new),
            applied: None,
            reason: crate::diff::Reason::Changed,
        }],
        ..step("jobs.b", Action::Update, &["jobs.a"], vec![call], Some(entry("jobs", "7", wanted)))
    }
}

#[tokio::test]
async fn an_update_that_turns_out_to_be_none_sends_nothing() {
    for (old, sent) in [("100", false), ("99", true)] {
        let state = document(vec![("jobs.b", entry("jobs", "7", body(&format!(r#"{{"description":"{old}"}}"#))))]);
        let ran = run(vec![create("jobs.a", &[]), update(refers("jobs.a", "id"), old)], state, 1).await;
        assert_eq!(ran.outcomes(), ["jobs.a: done", "jobs.b: done"]);
        assert_eq!(ran.log.iter().any(|line| line.starts_with("update ")), sent, "{:?}", ran.log);
        assert_eq!(ran.report().state.resources[&address("jobs.b")].applied, body(r#"{"description":"100"}"#));
    }
}

#[tokio::test]
async fn a_replacement_that_turns_out_not_to_be_needed_is_not_carried_out() {
    for (old, refused) in [("100", true), ("99", false)] {
        let mut replace = update(refers("jobs.a", "id"), old);
        replace.action = Action::Replace;
        replace.entry = replace.entry.map(|e| Entry { id: String::new(), ..e });
        replace.forces = vec!["description".parse().unwrap()];
        replace.delete_calls = vec![call("jobs.jobs.delete", r#"{"job_id":7}"#)];
        replace.calls[0] = Call { body: replace.calls[0].body.clone(), ..call("jobs.jobs.create", "{}") };
        let state = document(vec![("jobs.b", entry("jobs", "7", Value::Null))]);
        let ran = run(vec![create("jobs.a", &[]), replace], state, 1).await;
        assert_eq!(ran.outcomes()[1].contains("`description` turned out as it is already"), refused, "{:?}", ran.outcomes());
        assert_eq!(ran.log.iter().any(|line| line.starts_with("delete ")), !refused, "{:?}", ran.log);
        assert_eq!(ran.report().state.resources[&address("jobs.b")].id, if refused { "7" } else { "101" });
    }
}

#[tokio::test]
async fn what_the_server_echoes_of_a_secret_is_not_repeated() {
    // PATH stands in for a secret: it is set everywhere.
    let value = Outside::real().unwrap().variable("PATH").unwrap().to_owned();
    let mut step = create("jobs.a", &[]);
    step.calls[0].body = Some(Value::map([("description", secret("PATH"))]));
    let echo = Box::new(|request: &Request| {
        let RequestBody::Json(sent) = &request.body else { return (200, "{}".to_owned()) };
        (400, format!(r#"{{"error_code":"INVALID_PARAMETER_VALUE","message":{}}}"#, serde_json::to_string(sent).unwrap()))
    });
    let ran = run_with(vec![step], document(vec![]), echo, Memory::default(), 1, None).await;
    assert!(ran.outcomes()[0].contains("(sensitive)") && !ran.outcomes()[0].contains(&value), "{:?}", ran.outcomes());
}

#[tokio::test]
async fn a_part_is_forgotten_only_once_its_object_is_gone() {
    let part = || step("jobs.a/permissions", Action::Forget, &["jobs.a"], vec![], None);
    for (id, left) in [("gone", &[][..]), ("bad", &["jobs.a", "jobs.a/permissions"])] {
        let state =
            document(vec![("jobs.a", entry("jobs", id, Value::Null)), ("jobs.a/permissions", entry("permissions", "jobs/7", Value::Null))]);
        let delete = step("jobs.a", Action::Delete, &[], vec![call("jobs.jobs.delete", &format!(r#"{{"job_id":"{id}"}}"#))], None);
        let ran = run(vec![delete, part()], state, 4).await;
        assert_eq!(ran.report().state.resources.keys().map(ToString::to_string).collect::<Vec<_>>(), left, "{:?}", ran.outcomes());
    }
}
