//! What an apply did not get to the end of, or YAML changed in two ways at once.

use super::{World, at, found, ops, step, value};
use crate::model::Value;
use crate::plan::Action;
use crate::refresh::Live;
use crate::state::{Intent, Status};

#[test]
fn a_new_key_in_something_that_is_renamed_is_a_move() {
    let mut world = World::new();
    world.want("catalogs.c", r#"{"name":"lake_b"}"#);
    world.hold("catalogs.c", "lake", r#"{"name":"lake"}"#);
    world.see("catalogs.c", found("lake", r#"{"name":"lake"}"#));
    let (schema, renamed) = (r#"{"name":"raw","catalog_name":"lake"}"#, r#"{"name":"raw","catalog_name":"lake_b"}"#);
    world.want("schemas.new", renamed).depends_on = vec![at("catalogs.c")];
    world.hold("schemas.old", "lake.raw", schema).dependencies = vec![at("catalogs.c")];
    world.see("schemas.old", found("lake.raw", schema));
    world.see("schemas.new", Live::Absent);
    // What is in the schema follows it.
    let volume = |catalog: &str| format!(r#"{{"name":"files","catalog_name":"{catalog}","schema_name":"raw","volume_type":"MANAGED"}}"#);
    world.want("volumes.new", &volume("lake_b")).depends_on = vec![at("catalogs.c"), at("schemas.new")];
    world.hold("volumes.old", "lake.raw.files", &volume("lake")).dependencies = vec![at("catalogs.c"), at("schemas.old")];
    world.see("volumes.old", found("lake.raw.files", &volume("lake")));
    world.see("volumes.new", Live::Absent);
    let plan = world.plan();
    let told: Vec<(String, Action, Option<String>)> =
        plan.steps.iter().map(|s| (s.address.to_string(), s.action, s.moved_from.as_ref().map(ToString::to_string))).collect();
    assert_eq!(
        told,
        [
            ("catalogs.c".to_owned(), Action::Update, None),
            ("schemas.new".to_owned(), Action::Move, Some("schemas.old".to_owned())),
            ("volumes.new".to_owned(), Action::Move, Some("volumes.old".to_owned())),
        ]
    );
}

#[test]
fn what_we_deleted_ourselves_is_not_called_drift() {
    use crate::plan::{DELETED, NOT_MADE_AGAIN};
    for (status, because, drifted) in [(Status::Unmade, NOT_MADE_AGAIN, 0), (Status::Ok, DELETED, 1)] {
        let mut world = World::new();
        world.steady("jobs.a", "7", r#"{"name":"a"}"#);
        world.see("jobs.a", Live::Gone);
        world.state.resources.get_mut(&at("jobs.a")).unwrap().status = status;
        let plan = world.plan();
        assert_eq!((step(&plan, "jobs.a").action, step(&plan, "jobs.a").because.as_deref()), (Action::Create, Some(because)));
        assert_eq!(plan.counts().drifted, drifted);
    }
}

#[test]
fn what_was_begun_in_a_folder_leaves_it_before_the_folder_goes() {
    let mut world = World::new();
    world.hold("directories.old", "/Shared/old", r#"{"path":"/Shared/old"}"#);
    world.see("directories.old", found("/Shared/old", r#"{"path":"/Shared/old"}"#));
    world.want("directories.new", r#"{"path":"/Shared/new"}"#);
    world.see("directories.new", Live::Absent);
    let notebook = |folder: &str| format!(r#"{{"path":"/Shared/{folder}/n","language":"SQL","format":"SOURCE","content":"select 1"}}"#);
    world.want("notebooks.n", &notebook("new")).depends_on = vec![at("directories.new")];
    world.see("notebooks.n", Live::Settled { id: "/Shared/old/n".to_owned(), body: value(&notebook("old")) });
    let intent = Intent {
        kind: "notebooks".to_owned(),
        natural: vec!["/Shared/old/n".to_owned()],
        tag: None,
        replaces: vec![],
        server_seconds: None,
        caller: "ada".to_owned(),
        applied: Some(value(&notebook("old"))),
    };
    world.state.open_intents.insert(at("notebooks.n"), intent);
    let plan = world.plan();
    assert_eq!((step(&plan, "directories.old").action, step(&plan, "notebooks.n").action), (Action::Delete, Action::Replace));
    assert_eq!(step(&plan, "directories.old").after, [at("notebooks.n")]);
}

#[test]
fn a_schema_of_that_name_in_another_catalog_is_another_one() {
    let mut world = World::new();
    for (address, name) in [("catalogs.a", "a"), ("catalogs.b", "b")] {
        world.steady(address, name, &format!(r#"{{"name":"{name}"}}"#));
    }
    let (old, new) = (r#"{"name":"raw","catalog_name":"a"}"#, r#"{"name":"raw","catalog_name":"b"}"#);
    world.want("schemas.new", new).depends_on = vec![at("catalogs.b")];
    world.hold("schemas.old", "a.raw", old).dependencies = vec![at("catalogs.a")];
    world.see("schemas.old", found("a.raw", old));
    world.see("schemas.new", Live::Absent);
    let plan = world.plan();
    assert_eq!((step(&plan, "schemas.old").action, step(&plan, "schemas.new").action), (Action::Delete, Action::Create));
}

#[test]
fn what_came_with_an_object_is_made_again_when_its_deletion_is_taken_back() {
    for (status, declared, expected) in [
        (Status::Ok, false, (Action::None, vec![])),
        (Status::Unmade, false, (Action::Update, vec!["catalog.schemas.create"])),
        // What is declared has a step of its own.
        (Status::Unmade, true, (Action::Update, vec![])),
    ] {
        let mut world = World::new();
        world.steady("catalogs.c", "lake", r#"{"name":"lake"}"#);
        world.state.resources.get_mut(&at("catalogs.c")).expect("it is held").status = status;
        if declared {
            world.want("schemas.d", r#"{"name":"default","catalog_name":"lake"}"#).depends_on = vec![at("catalogs.c")];
            world.see("schemas.d", Live::Absent);
        }
        let step = world.step("catalogs.c");
        assert_eq!((step.action, ops(&step)), expected, "{status:?} {declared}");
        if let [call] = step.calls.as_slice() {
            assert_eq!(call.body, Some(value(r#"{"catalog_name":"lake","name":"default"}"#)));
            assert_eq!(step.entry.map(|entry| entry.status), Some(Status::Ok));
        }
    }
    // Under the name that it has by then.
    let mut world = World::new();
    world.want("catalogs.c", r#"{"name":"lake_b"}"#);
    world.hold("catalogs.c", "lake", r#"{"name":"lake"}"#).status = Status::Unmade;
    world.see("catalogs.c", found("lake", r#"{"name":"lake"}"#));
    let step = world.step("catalogs.c");
    assert_eq!(ops(&step), ["catalog.catalogs.update", "catalog.schemas.create"]);
    let within = step.calls.last().and_then(|call| call.body.as_ref()?.get("catalog_name").and_then(Value::as_str));
    assert_eq!(within, Some("lake_b"));
}

#[test]
fn what_an_interrupted_apply_left_under_another_id_is_deleted_there() {
    for (address, old, new, expected) in [
        // A name that was left is nothing's.
        ("notebooks.n", "/Shared/old", "/Shared/new", vec!["/Shared/new"]),
        ("jobs.j", "1", "2", vec!["2", "1"]),
    ] {
        let mut world = World::new();
        world.hold(address, old, r#"{"name":"x"}"#);
        world.see(address, Live::Settled { id: new.to_owned(), body: value(r#"{"name":"x"}"#) });
        let plan = world.plan();
        let step = step(&plan, address);
        let ids = step.calls.iter().map(|call| {
            let body = call.body.as_ref().expect("a body");
            body.get("path").or(body.get("job_id")).map(Value::key_text).unwrap_or_default()
        });
        assert_eq!((step.action, ids.collect::<Vec<_>>()), (Action::Delete, expected.into_iter().map(str::to_owned).collect()));
        assert_eq!(step.id.as_deref(), Some(new));
    }
}

#[test]
fn a_setting_whose_former_value_nobody_saw_holds_up_no_destroy() {
    for (former, action, requests) in [(r#"{"a":"false"}"#, Action::Update, 1), (r#"{"a":"true"}"#, Action::Forget, 0)] {
        let mut world = World::new();
        world.options.destroy = true;
        let held = r#"{"a":"true","b":"true"}"#;
        world.hold("workspace_conf.w", "workspace_conf", held).former = Some(value(former));
        world.see("workspace_conf.w", found("workspace_conf", held));
        let plan = world.plan();
        let step = step(&plan, "workspace_conf.w");
        assert_eq!((step.action, step.blocks.len(), step.calls.len()), (action, 0, requests));
        let told: Vec<&str> = step.notes.iter().chain(&step.because).map(String::as_str).collect();
        assert!(told.contains(&"what b held before is not known; left as it is"), "{told:?}");
    }
}
