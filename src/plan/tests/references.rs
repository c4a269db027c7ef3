//! References to other resources: filled from what exists and stays, unknown otherwise; secrets on record.

use std::sync::Arc;

use super::{World, at, found, paths, step, value};
use crate::model::{Deferred, Path, Piece, Reference, SecretSource, Value, Variable};
use crate::plan::Action;
use crate::refresh::Live;

const HOUSE: &str = r#"{"name":"bi","cluster_size":"Small"}"#;

fn reference(address: &str, path: &str) -> Value {
    Value::Unknown(Arc::new(Deferred::of(Reference { address: at(address), path: path.parse().unwrap() })))
}

fn with_job(world: &mut World) {
    let task = |id: Value| Value::map([("task_key", "t".into()), ("run_job_task", Value::map([("job_id", id)]))]);
    let body = Value::map([("name", "b".into()), ("tasks", Value::List(vec![task(reference("jobs.a", "id"))]))]);
    world.want_value("jobs.b", body).depends_on = vec![at("jobs.a")];
    world.hold("jobs.b", "2", r#"{"name":"b","tasks":[{"task_key":"t","run_job_task":{"job_id":9}}]}"#);
    world.see("jobs.b", found("2", r#"{"job_id":2,"name":"b","tasks":[{"task_key":"t","run_job_task":{"job_id":9}}]}"#));
}

#[test]
fn an_existing_object_is_known() {
    let mut world = World::new();
    world.steady("jobs.a", "9", r#"{"name":"a"}"#);
    with_job(&mut world);
    assert!(world.plan().is_empty());
    // An updated one is, too.
    world.want("jobs.a", r#"{"name":"a","timeout_seconds":3}"#);
    let plan = world.plan();
    assert_eq!((step(&plan, "jobs.a").action, step(&plan, "jobs.b").action), (Action::Update, Action::None));
}

#[test]
fn what_is_made_by_this_plan_is_not() {
    for replaced in [false, true] {
        let mut world = World::new();
        world.want("jobs.a", r#"{"name":"a"}"#);
        world.see("jobs.a", Live::Absent);
        if replaced {
            world.steady("jobs.a", "9", r#"{"name":"a"}"#);
            world.options.replace = vec![at("jobs.a")];
        }
        with_job(&mut world);
        let user = world.step("jobs.b");
        assert_eq!(paths(&user), ["tasks[task_key=t].run_job_task.job_id"]);
        assert!(matches!(user.changes[0].new, Some(Value::Unknown(_))));
        assert!(user.calls[0].body.as_ref().is_some_and(Value::has_unknown));
        assert_eq!(user.after, [at("jobs.a")]);
    }
}

#[test]
fn an_unknown_in_an_immutable_field_may_replace() {
    let mut world = World::new();
    world.want("warehouses.w", HOUSE);
    world.see("warehouses.w", Live::Absent);
    let body = Value::map([("name", "main".into()), ("storage_root", reference("warehouses.w", "id"))]);
    world.want_value("catalogs.m", body).depends_on = vec![at("warehouses.w")];
    world.hold("catalogs.m", "main", r#"{"name":"main","storage_root":"s3://a"}"#);
    world.see("catalogs.m", found("main", r#"{"name":"main","storage_root":"s3://a"}"#));
    world.environment.guards.max_deletes = Some(0);
    let plan = world.plan();
    let catalog = step(&plan, "catalogs.m");
    assert_eq!(catalog.action, Action::Replace);
    assert!(catalog.because.as_deref().is_some_and(|b| b.starts_with("may be replaced")), "{:?}", catalog.because);
    assert_eq!(plan.blocks.iter().map(|b| b.guard).collect::<Vec<_>>(), ["max_deletes"]);
}

#[test]
fn without_reading_what_was_applied_stands_in() {
    for (new, action) in [(false, Action::None), (true, Action::Update)] {
        let mut world = World::new();
        world.options.no_refresh = true;
        world.want("jobs.a", r#"{"name":"a"}"#);
        if !new {
            world.hold("jobs.a", "9", r#"{"name":"a"}"#);
        }
        let body = Value::map([("name", "b".into()), ("description", reference("jobs.a", "creator_user_name"))]);
        world.want_value("jobs.b", body).depends_on = vec![at("jobs.a")];
        world.hold("jobs.b", "2", r#"{"name":"b","description":"me@x"}"#).dependencies = vec![at("jobs.a")];
        assert_eq!(world.step("jobs.b").action, action);
    }
}

#[test]
fn types_of_ids_follow_the_field() {
    let mut world = World::new();
    world.steady("jobs.a", "9", r#"{"name":"a"}"#);
    world.see("jobs.a", found("9", r#"{"job_id":9,"name":"a"}"#));
    let entries = value(r#"[{"user_name":"u@x","permission_level":"CAN_VIEW"}]"#);
    let body = Value::map([("object_type", "jobs".into()), ("object_id", reference("jobs.a", "id")), ("entries", entries.clone())]);
    world.want_value("jobs.a/permissions", body);
    world.see("jobs.a/permissions", found("jobs/9", r#"{"access_control_list":[]}"#));
    let entry = world.step("jobs.a/permissions").entry.unwrap();
    assert_eq!((entry.id.as_str(), entry.applied.get("object_id")), ("jobs/9", Some(&"9".into())));
}

#[test]
fn secrets_stay_what_they_are() {
    let source = "${secret('TOKEN')}";
    let secret = Value::Secret(Arc::new(Deferred {
        source: source.to_owned(),
        pieces: vec![Piece::Expression("__0".to_owned())],
        waits: vec![Variable::Secret(SecretSource::environment("TOKEN"))],
        bound: [].into_iter().collect(),
    }));
    let record = value(r#"{"$secret":"${secret('TOKEN')}","fingerprint":"f"}"#);
    let mut world = World::new();
    world.secrets.insert(source.to_owned(), record.clone());
    let body = |v: Value| Value::map([("name", "a".into()), ("tags", Value::map([("k", v)]))]);
    world.want_value("jobs.a", body(secret.clone()));
    world.see("jobs.a", Live::Absent);
    let made = world.step("jobs.a");
    assert_eq!(made.entry.as_ref().map(|e| &e.applied), Some(&body(record.clone())));
    assert_eq!(made.calls[0].body.as_ref().and_then(|b| b.at(&"tags.k".parse::<Path>().unwrap())), Some(&secret));
    // Applied, it is the same; with another fingerprint it changes, and nothing shows it.
    world.hold("jobs.a", "9", "{}").applied = body(record);
    world.see("jobs.a", found("9", r#"{"job_id":9,"name":"a","tags":{"k":"hunter2"}}"#));
    assert_eq!(world.step("jobs.a").action, Action::None);
    world.secrets.insert(source.to_owned(), value(r#"{"$secret":"${secret('TOKEN')}","fingerprint":"g"}"#));
    let plan = world.plan();
    assert_eq!(step(&plan, "jobs.a").action, Action::Update);
    assert!(!format!("{plan:?}").contains("hunter2"), "{plan:?}");
}
