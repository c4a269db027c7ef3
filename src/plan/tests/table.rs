//! The action table, row by row.

use super::{World, at, candidate, failed, found, ops, paths, span, value, verdict};
use crate::diff::Reason;
use crate::model::{Path, Value};
use crate::plan::Action;
use crate::refresh::Live;
use crate::state::Status;

const JOB: &str = r#"{"name":"a","tags":{"team":"x"}}"#;
const LIVE_JOB: &str = r#"{"job_id":9,"name":"a","tags":{"team":"x"},"creator_user_name":"c@x","format":"MULTI_TASK"}"#;
const CATALOG: &str = r#"{"name":"main","comment":"c"}"#;

#[test]
fn a_create_has_its_call_its_fields_and_its_entry() {
    for live in [Live::Absent, Live::Waits] {
        let mut world = World::new();
        world.want("jobs.a", JOB).depends_on = vec![at("warehouses.w"), at("jobs.b"), at("jobs.b")];
        world.see("jobs.a", live);
        let step = world.step("jobs.a");
        assert_eq!(verdict(&step), (Action::Create, vec![]));
        assert_eq!(ops(&step), ["jobs.jobs.create"]);
        assert_eq!(paths(&step), ["name", "tags.team"]);
        let entry = step.entry.expect("an entry");
        assert_eq!((entry.id.as_str(), entry.applied), ("", value(JOB)));
        assert_eq!(entry.dependencies, [at("jobs.b"), at("warehouses.w")]);
        let tag = entry.tag.expect("a tag");
        assert_eq!((tag.len(), tag.as_bytes()[16]), (25, b'-'));
        assert_eq!(
            step.calls[0].body.as_ref().and_then(|b| b.get("tags")),
            Some(&Value::map([("team", "x".into()), ("brickform", tag.as_str().into())]))
        );
        assert_eq!(step.notes, [format!("carries the ownership tag brickform={tag}")]);
        assert_eq!(step.name, "a");
    }
}

#[test]
fn a_tag_is_written_only_where_the_environment_says_so() {
    let mut world = World::new();
    world.environment.ownership_tag = false;
    world.want("jobs.a", JOB);
    world.see("jobs.a", Live::Absent);
    let step = world.step("jobs.a");
    assert_eq!(step.entry.and_then(|e| e.tag), None);
    assert_eq!(step.notes, Vec::<String>::new());
}

#[test]
fn a_named_kind_knows_its_id_at_plan() {
    let mut world = World::new();
    world.want("catalogs.m", CATALOG);
    world.see("catalogs.m", Live::Absent);
    assert_eq!(world.step("catalogs.m").entry.map(|e| e.id).as_deref(), Some("main"));
}

#[test]
fn what_exists_is_blocked_with_the_lines_that_import_it() {
    let mut world = World::new();
    world.want("jobs.a", JOB);
    world.see("jobs.a", Live::Exists(vec![candidate("9", LIVE_JOB), candidate("10", LIVE_JOB)]));
    let step = world.step("jobs.a");
    assert_eq!(verdict(&step), (Action::Create, vec!["exists"]));
    assert_eq!(step.blocks[0].remedy, ["import:", r#"  - { to: jobs.a, id: "9" }"#, r#"  - { to: jobs.a, id: "10" }"#]);
    // A name that is the id, found under it.
    world.want("catalogs.m", CATALOG);
    world.see("catalogs.m", found("main", r#"{"name":"main"}"#));
    assert_eq!(verdict(&world.step("catalogs.m")), (Action::Create, vec!["exists"]));
    world.want(r#"jobs["my job"]"#, JOB);
    world.see(r#"jobs["my job"]"#, Live::Exists(vec![candidate("9", LIVE_JOB)]));
    assert_eq!(world.step(r#"jobs["my job"]"#).blocks[0].remedy[2], r#"  - { to: "jobs[\"my job\"]", id: "9" }"#);
}

#[test]
fn a_state_that_may_be_lost_is_told_how_it_is_found_again() {
    let mut world = World::new();
    let told = |world: &World| world.plan().warnings.into_iter().map(|w| w.reason).collect::<Vec<_>>();
    for (address, id) in [("jobs.a", "9"), ("jobs.b", "10")] {
        assert_eq!(told(&world), Vec::<String>::new());
        world.want(address, JOB);
        world.see(address, Live::Exists(vec![candidate(id, LIVE_JOB)]));
    }
    let said = told(&world).join("");
    assert!(said.starts_with("the state of dev is empty, and 2 objects that are to be created exist already"), "{said}");
    assert!(said.contains("`brickform adopt --env dev --all`") && said.contains("`brickform state rebuild --env dev`"), "{said}");
    world.hold("jobs.c", "11", JOB);
    assert_eq!(told(&world), Vec::<String>::new());
}

#[test]
fn what_exists_is_adopted_or_doubled_if_asked_for() {
    let one = || vec![candidate("9", LIVE_JOB)];
    let two = || vec![candidate("9", LIVE_JOB), candidate("10", LIVE_JOB)];
    for (option, by_name, double, candidates, want) in [
        (true, false, false, one(), (Action::Adopt, vec![])),
        (false, true, false, one(), (Action::Adopt, vec![])),
        (true, false, false, two(), (Action::Create, vec!["exists"])),
        (false, false, true, two(), (Action::Create, vec![])),
    ] {
        let mut world = World::new();
        world.options.adopt = option;
        let lifecycle = &mut world.want("jobs.a", JOB).lifecycle;
        (lifecycle.adopt_by_name, lifecycle.allow_duplicate_name) = (by_name, double);
        world.see("jobs.a", Live::Exists(candidates));
        assert_eq!(verdict(&world.step("jobs.a")), want);
    }
}

#[test]
fn adopting_changes_nothing_or_is_an_update() {
    for (live, action, adopted) in [(LIVE_JOB, Action::Adopt, true), (r#"{"job_id":9,"name":"a"}"#, Action::Update, true)] {
        let mut world = World::new();
        world.want("jobs.a", JOB);
        world.desired.imports.insert(at("jobs.a"), ("9".to_owned(), span()));
        world.see("jobs.a", found("9", live));
        let step = world.step("jobs.a");
        assert_eq!(verdict(&step), (action, vec![]));
        let entry = step.entry.expect("an entry");
        assert_eq!((entry.adopted, entry.id.as_str()), (adopted, "9"));
        assert_eq!(step.calls.is_empty(), action == Action::Adopt);
        // Adopting writes no tag, an update does.
        assert_eq!(entry.tag.is_some(), action == Action::Update);
    }
    let mut world = World::new();
    world.want("jobs.a", JOB);
    world.desired.imports.insert(at("jobs.a"), ("9".to_owned(), span()));
    world.see("jobs.a", Live::Gone);
    assert_eq!(verdict(&world.step("jobs.a")), (Action::Create, vec!["unreadable"]));
}

#[test]
fn adopting_never_replaces() {
    let mut world = World::new();
    world.want("catalogs.m", r#"{"name":"main","storage_root":"s3://b/new"}"#);
    world.desired.imports.insert(at("catalogs.m"), ("main".to_owned(), span()));
    world.see("catalogs.m", found("main", r#"{"name":"main","storage_root":"s3://b/old"}"#));
    let step = world.step("catalogs.m");
    assert_eq!(step.action, Action::Replace);
    assert!(step.blocks.iter().any(|b| b.guard == "refused" && b.reason.contains("storage_root")), "{:?}", step.blocks);
}

#[test]
fn an_interrupted_create_is_taken_up() {
    let mut world = World::new();
    world.want("jobs.a", JOB);
    let tag = {
        world.see("jobs.a", Live::Absent);
        world.step("jobs.a").entry.and_then(|e| e.tag).unwrap()
    };
    let live = format!(r#"{{"job_id":9,"name":"a","tags":{{"team":"x","brickform":"{tag}"}}}}"#);
    world.see("jobs.a", Live::Settled { id: "9".to_owned(), body: value(&live) });
    let step = world.step("jobs.a");
    assert_eq!(verdict(&step), (Action::Adopt, vec![]));
    assert_eq!(step.because.as_deref(), Some("created by an interrupted apply"));
    let entry = step.entry.unwrap();
    assert_eq!((entry.adopted, entry.tag), (false, Some(tag)));
}

#[test]
fn nothing_to_do_is_lean() {
    let mut world = World::new();
    world.steady("jobs.a", "9", JOB);
    let plan = world.plan();
    assert!(plan.is_empty() && !plan.is_blocked());
    let step = world.step("jobs.a");
    assert_eq!((step.entry, step.desired, step.live, step.calls.len()), (None, None, None, 0));
}

#[test]
fn what_the_state_does_not_say_yet_is_put_on_record() {
    let mut world = World::new();
    world.steady("jobs.a", "9", JOB);
    world.hold("jobs.a", "9", r#"{"name":"old","tags":{"team":"x"}}"#);
    let step = world.step("jobs.a");
    assert_eq!(step.action, Action::None);
    assert_eq!(step.entry.map(|e| e.applied), Some(value(JOB)));
}

#[test]
fn an_update_keeps_tag_and_says_why() {
    let mut world = World::new();
    world.want("jobs.a", r#"{"name":"b","tags":{"team":"x"}}"#);
    world.hold("jobs.a", "9", JOB).tag = Some("t-1".to_owned());
    world.see("jobs.a", found("9", r#"{"job_id":9,"name":"a","timeout_seconds":5,"tags":{"team":"y","brickform":"t-1"}}"#));
    let step = world.step("jobs.a");
    assert_eq!(verdict(&step), (Action::Update, vec![]));
    assert_eq!(ops(&step), ["jobs.jobs.reset"]);
    let reasons: Vec<(String, Reason)> = step.changes.iter().map(|c| (c.path.to_string(), c.reason)).collect();
    assert_eq!(reasons, [("name".to_owned(), Reason::Changed), ("tags.team".to_owned(), Reason::Drift)]);
    assert_eq!(step.unmanaged.len(), 1);
    let sent = step.calls[0].body.as_ref().and_then(|b| b.get("new_settings")).expect("settings");
    assert_eq!(sent.get("tags"), Some(&value(r#"{"team":"x","brickform":"t-1"}"#)));
    assert_eq!(sent.get("timeout_seconds"), Some(&Value::Int(5)));
    let entry = step.entry.unwrap();
    assert_eq!((entry.tag.as_deref(), entry.applied), (Some("t-1"), value(r#"{"name":"b","tags":{"team":"x"}}"#)));
    assert_eq!((step.link.as_deref(), step.notes.len()), (Some("https://w.example/jobs/9"), 0));
}

#[test]
fn a_tag_that_yaml_does_not_own_leaves_other_tags() {
    let mut world = World::new();
    world.want("jobs.a", r#"{"name":"b"}"#);
    world.hold("jobs.a", "9", r#"{"name":"a"}"#);
    world.see("jobs.a", found("9", LIVE_JOB));
    let step = world.step("jobs.a");
    let sent = step.calls[0].body.as_ref().and_then(|b| b.get("new_settings")).expect("settings");
    assert_eq!(sent.get("tags").and_then(|t| t.get("team")), Some(&"x".into()));
    assert!(sent.get("tags").and_then(|t| t.get("brickform")).is_some());
    assert_eq!(step.notes.len(), 1);
    assert_eq!(paths(&step), ["name"]);
}

#[test]
fn ignored_fields_keep_what_is_live() {
    let mut world = World::new();
    world.want("jobs.a", r#"{"name":"b","max_concurrent_runs":3}"#).lifecycle.ignore_changes = vec![Path::field("max_concurrent_runs")];
    world.hold("jobs.a", "9", r#"{"name":"a","max_concurrent_runs":3}"#);
    world.see("jobs.a", found("9", r#"{"job_id":9,"name":"a","max_concurrent_runs":8}"#));
    let step = world.step("jobs.a");
    assert_eq!(paths(&step), ["name"]);
    let sent = step.calls[0].body.as_ref().and_then(|b| b.get("new_settings")).expect("settings");
    assert_eq!(sent.get("max_concurrent_runs"), Some(&Value::Int(8)));
}

#[test]
fn what_forces_a_replacement() {
    for (what, prepare, want, forces) in [
        (
            "an immutable field",
            (|w: &mut World| _ = w.want("catalogs.m", r#"{"name":"main","comment":"c","storage_root":"s3://x"}"#)) as fn(&mut World),
            Action::Replace,
            vec!["storage_root"],
        ),
        ("asked for", |w| w.options.replace = vec![at("catalogs.m")], Action::Replace, vec![]),
        ("tainted", |w| w.state.resources.get_mut(&at("catalogs.m")).unwrap().status = Status::Tainted, Action::Replace, vec![]),
        ("a name that can change in place", |w| _ = w.want("catalogs.m", r#"{"name":"next","comment":"c"}"#), Action::Update, vec![]),
    ] {
        let mut world = World::new();
        world.options.allow_delete = vec!["catalogs".to_owned()];
        world.steady("catalogs.m", "main", CATALOG);
        prepare(&mut world);
        let step = world.step("catalogs.m");
        assert_eq!(verdict(&step), (want, vec![]), "{what}");
        assert_eq!(step.forces.iter().map(ToString::to_string).collect::<Vec<_>>(), forces, "{what}");
        assert_eq!(!step.delete_calls.is_empty(), want == Action::Replace, "{what}");
        let id = step.entry.unwrap().id;
        assert_eq!(id, if want == Action::Update { "next" } else { "main" }, "{what}");
    }
}

#[test]
fn the_new_one_first_only_where_names_allow_it() {
    for (address, live, body, blocks) in [("jobs.a", LIVE_JOB, JOB, vec![]), ("catalogs.m", CATALOG, CATALOG, vec!["refused"])] {
        let mut world = World::new();
        world.options.allow_delete = vec!["catalogs".to_owned()];
        world.options.replace = vec![at(address)];
        world.want(address, body).lifecycle.create_before_destroy = true;
        world.hold(address, "9", body);
        world.see(address, found("9", live));
        assert_eq!(verdict(&world.step(address)), (Action::ReplaceNewFirst, blocks), "{address}");
    }
}

#[test]
fn an_unfinished_object_is_finished() {
    let mut world = World::new();
    world.steady("jobs.a", "9", JOB);
    world.state.resources.get_mut(&at("jobs.a")).unwrap().status = Status::Incomplete;
    let step = world.step("jobs.a");
    assert_eq!((step.action, step.calls.len()), (Action::Update, 0));
    assert_eq!(step.entry.unwrap().status, Status::Ok);
    let mut world = World::new();
    world.steady("jobs.a", "9", JOB);
    world.state.resources.get_mut(&at("jobs.a")).unwrap().deposed = vec!["8".to_owned()];
    let step = world.step("jobs.a");
    assert_eq!((step.action, step.delete_calls.len()), (Action::Update, 1));
    assert_eq!(step.entry.unwrap().deposed, Vec::<String>::new());
}

#[test]
fn gone_is_made_again_and_unreadable_blocks() {
    let mut world = World::new();
    world.steady("jobs.a", "9", JOB);
    world.see("jobs.a", Live::Gone);
    let step = world.step("jobs.a");
    assert_eq!((verdict(&step), step.because.as_deref()), ((Action::Create, vec![]), Some("deleted in the workspace")));
    world.see("jobs.a", failed());
    let step = world.step("jobs.a");
    assert_eq!(verdict(&step), (Action::None, vec!["unreadable"]));
    assert!(step.blocks[0].reason.contains("403") && step.blocks[0].reason.contains("r1"), "{}", step.blocks[0].reason);
    assert!(world.plan().is_blocked());
}

#[test]
fn what_yaml_drops_is_deleted_or_forgotten() {
    for (what, prepare, want) in [
        ("not in YAML", (|_| ()) as fn(&mut World), (Action::Delete, "not in YAML", 1)),
        ("forget:", |w| w.desired.forgets = vec![at("jobs.a")], (Action::Forget, "asked for by forget:", 0)),
        ("gone", |w| w.see("jobs.a", Live::Gone), (Action::Forget, "already gone", 0)),
        ("destroy", |w| w.options.destroy = true, (Action::Delete, "destroy", 1)),
        (
            "destroy, adopted",
            |w| {
                w.options.destroy = true;
                w.state.resources.get_mut(&at("jobs.a")).unwrap().adopted = true;
            },
            (
                Action::Forget,
                "adopted, not made here: it stays, with every value that an apply changed in it; --include-adopted deletes it",
                0,
            ),
        ),
        (
            "destroy, adopted too",
            |w| {
                (w.options.destroy, w.options.include_adopted) = (true, true);
                w.state.resources.get_mut(&at("jobs.a")).unwrap().adopted = true;
            },
            (Action::Delete, "destroy", 1),
        ),
    ] {
        let mut world = World::new();
        world.hold("jobs.a", "9", JOB);
        world.see("jobs.a", found("9", LIVE_JOB));
        prepare(&mut world);
        let step = world.step("jobs.a");
        assert_eq!((step.action, step.because.as_deref().unwrap_or_default(), step.calls.len()), want, "{what}");
        assert_eq!(step.entry, None, "{what}");
        assert_eq!(step.loses.as_deref(), (want.0 == Action::Delete).then_some("its run history"), "{what}");
    }
}

#[test]
fn moves_declared_and_by_name() {
    for declared in [true, false] {
        let mut world = World::new();
        world.want("jobs.new", JOB);
        world.hold("jobs.old", "9", JOB);
        world.see("jobs.old", found("9", LIVE_JOB));
        world.see("jobs.new", Live::Exists(vec![candidate("9", LIVE_JOB)]));
        let permissions = r#"{"object_type":"jobs","object_id":"9","entries":[{"user_name":"a@x","permission_level":"CAN_VIEW"}]}"#;
        world.want("jobs.new/permissions", permissions);
        world.hold("jobs.old/permissions", "jobs/9", permissions);
        world.see("jobs.old/permissions", found("jobs/9", permissions));
        if declared {
            world.desired.moves.insert(at("jobs.old"), at("jobs.new"));
        }
        let plan = world.plan();
        assert_eq!(plan.steps.iter().map(|s| s.address.to_string()).collect::<Vec<_>>(), ["jobs.new", "jobs.new/permissions"]);
        for step in &plan.steps {
            assert_eq!((step.action, step.calls.len(), step.blocks.len()), (Action::Move, 0, 0), "{}", step.address);
            assert!(step.moved_from.is_some() && step.entry.is_some(), "{}", step.address);
        }
        assert_eq!((plan.counts().moved, plan.counts().total), (1, 1));
        // A move may come with a change.
        world.want("jobs.new", r#"{"name":"a","tags":{"team":"z"}}"#);
        let step = world.step("jobs.new");
        assert_eq!((step.action, step.moved_from), (Action::Update, Some(at("jobs.old"))));
    }
}

#[test]
fn an_import_of_what_another_address_held_is_a_move() {
    let mut world = World::new();
    world.want("jobs.new", r#"{"name":"another"}"#);
    world.desired.imports.insert(at("jobs.new"), ("9".to_owned(), span()));
    world.hold("jobs.old", "9", JOB);
    world.see("jobs.old", found("9", LIVE_JOB));
    world.see("jobs.new", found("9", LIVE_JOB));
    let plan = world.plan();
    assert_eq!(plan.steps.iter().map(|s| (s.action, s.moved_from.clone())).collect::<Vec<_>>(), [(Action::Update, Some(at("jobs.old")))]);
}

#[test]
fn names_that_are_not_unique_do_not_move() {
    let mut world = World::new();
    world.want("jobs.new", JOB);
    world.see("jobs.new", Live::Absent);
    for old in ["jobs.old", "jobs.older"] {
        world.hold(old, "9", JOB);
        world.see(old, found("9", LIVE_JOB));
    }
    let plan = world.plan();
    assert_eq!(plan.steps.iter().map(|s| s.action).collect::<Vec<_>>(), [Action::Create, Action::Delete, Action::Delete]);
}

#[test]
fn settings_remember_what_they_held() {
    // First touch.
    let mut world = World::new();
    world.want("workspace_conf.w", r#"{"a":"true","b":"x"}"#);
    world.see("workspace_conf.w", found("workspace_conf", r#"{"a":"false","b":"x"}"#));
    let step = world.step("workspace_conf.w");
    assert_eq!((verdict(&step), paths(&step)), ((Action::Update, vec![]), vec!["a".to_owned()]));
    assert_eq!(step.entry.as_ref().and_then(|e| e.former.clone()), Some(value(r#"{"a":"false","b":"x"}"#)));
    // As wanted already: taken over.
    world.see("workspace_conf.w", found("workspace_conf", r#"{"a":"true","b":"x"}"#));
    let step = world.step("workspace_conf.w");
    assert_eq!((step.action, step.entry.map(|e| e.adopted)), (Action::Adopt, Some(false)));
    // One more field later, one less.
    world.want("workspace_conf.w", r#"{"b":"x","c":"new"}"#);
    world.hold("workspace_conf.w", "workspace_conf", r#"{"a":"true","b":"x"}"#).former = Some(value(r#"{"a":"false","b":"x"}"#));
    world.see("workspace_conf.w", found("workspace_conf", r#"{"a":"true","b":"x","c":"was"}"#));
    let step = world.step("workspace_conf.w");
    let shown: Vec<_> = step.changes.iter().map(|c| (c.path.to_string(), c.new.clone(), c.reason)).collect();
    assert_eq!(shown, [("c".to_owned(), Some("new".into()), Reason::Changed), ("a".to_owned(), Some("false".into()), Reason::Removed)]);
    let entry = step.entry.unwrap();
    assert_eq!((entry.former, entry.applied), (Some(value(r#"{"a":"false","b":"x","c":"was"}"#)), value(r#"{"b":"x","c":"new"}"#)));
    // The block removed, or destroyed: put back.
    for destroy in [false, true] {
        world.options.destroy = destroy;
        world.desired.resources.clear();
        let step = world.step("workspace_conf.w");
        assert_eq!((verdict(&step), paths(&step)), ((Action::Update, vec![]), vec!["a".to_owned()]));
        assert_eq!((step.entry, step.calls.len()), (None, 1));
    }
}

const ACL: &str = r#"{"object_type":"jobs","object_id":"9","entries":[{"user_name":"a@x","permission_level":"CAN_VIEW"}]}"#;
const LIVE_ACL: &str = r#"{"object_id":"/jobs/9","access_control_list":[
    {"user_name":"o@x","all_permissions":[{"permission_level":"IS_OWNER","inherited":false}]},
    {"user_name":"b@x","all_permissions":[{"permission_level":"CAN_MANAGE","inherited":false}]}]}"#;

#[test]
fn attached_parts_are_touched_forgotten_and_put_back() {
    let mut world = World::new();
    world.steady("jobs.a", "9", JOB);
    world.want("jobs.a/permissions", ACL);
    world.see("jobs.a/permissions", found("jobs/9", LIVE_ACL));
    let step = world.step("jobs.a/permissions");
    assert_eq!(verdict(&step), (Action::Update, vec![]));
    assert_eq!(paths(&step), ["entries[user_name=\"a@x\"]", "entries[user_name=\"b@x\"]"]);
    let entry = step.entry.expect("an entry");
    assert_eq!(
        entry.former.as_ref().and_then(|f| f.get("entries")),
        Some(&value(r#"[{"user_name":"b@x","permission_level":"CAN_MANAGE"}]"#))
    );
    assert_eq!(world.plan().counts().change, 1);
    // The block is removed: forgotten, nothing sent.
    world.state.resources.insert(at("jobs.a/permissions"), entry);
    world.desired.resources.remove(&at("jobs.a/permissions"));
    let owned = ACL.replace(r#""entries":["#, r#""entries":[{"user_name":"o@x","permission_level":"IS_OWNER"},"#);
    world.see("jobs.a/permissions", found("jobs/9", &owned));
    let step = world.step("jobs.a/permissions");
    assert_eq!((step.action, step.calls.len()), (Action::Forget, 0));
    // Destroy: with the job, or back as it was where the job stays.
    world.options.destroy = true;
    let step = world.step("jobs.a/permissions");
    assert_eq!((step.action, step.because.as_deref()), (Action::Forget, Some("goes with jobs.a")));
    // Not before the job is gone: should its delete fail, what the part held before is still known.
    assert_eq!(step.after, [at("jobs.a")]);
    world.state.resources.get_mut(&at("jobs.a")).unwrap().adopted = true;
    let step = world.step("jobs.a/permissions");
    assert_eq!((step.action, step.entry.is_none(), step.calls.len()), (Action::Update, true, 1));
}

#[test]
fn a_part_of_a_new_object_is_new() {
    for replaced in [false, true] {
        let mut world = World::new();
        if replaced {
            world.steady("jobs.a", "9", JOB);
            world.options.replace = vec![at("jobs.a")];
            world.hold("jobs.a/permissions", "jobs/9", ACL);
            world.see("jobs.a/permissions", found("jobs/9", LIVE_ACL));
        } else {
            world.want("jobs.a", JOB);
            world.see("jobs.a", Live::Absent);
            world.see("jobs.a/permissions", Live::Waits);
        }
        world.want("jobs.a/permissions", ACL);
        let step = world.step("jobs.a/permissions");
        assert_eq!((verdict(&step), step.calls.len()), ((Action::Create, vec![]), 1));
        assert_eq!((step.name.as_str(), step.after), ("a", vec![at("jobs.a")]));
        let counts = world.plan().counts();
        assert_eq!((counts.add, counts.replace, counts.change, counts.total), (usize::from(!replaced), usize::from(replaced), 0, 1));
    }
}

#[test]
fn without_reading_desired_is_held_against_applied() {
    let mut world = World::new();
    world.options.no_refresh = true;
    world.want("jobs.a", r#"{"name":"b"}"#);
    world.hold("jobs.a", "9", r#"{"name":"a"}"#);
    world.want("jobs.new", JOB);
    let plan = world.plan();
    assert!(!plan.refreshed);
    assert_eq!(plan.steps.iter().map(|s| (s.action, paths(s).len())).collect::<Vec<_>>(), [(Action::Update, 1), (Action::Create, 2)]);
}

#[test]
fn drift_alone() {
    let mut world = World::new();
    world.options.drift_only = true;
    world.want("jobs.a", r#"{"name":"b","max_concurrent_runs":2}"#);
    world.hold("jobs.a", "9", r#"{"name":"a","max_concurrent_runs":2}"#);
    world.see("jobs.a", found("9", r#"{"name":"a","max_concurrent_runs":7}"#));
    world.want("jobs.new", JOB);
    world.see("jobs.new", Live::Absent);
    world.steady("jobs.lost", "8", JOB);
    world.see("jobs.lost", Live::Gone);
    let plan = world.plan();
    let shown: Vec<_> = plan.steps.iter().map(|s| (s.address.key.as_str(), s.action, paths(s), s.calls.len())).collect();
    assert_eq!(
        shown,
        [
            ("a", Action::Update, vec!["max_concurrent_runs".to_owned()], 0),
            ("lost", Action::Create, vec!["name".to_owned(), "tags.team".to_owned()], 0),
            ("new", Action::None, vec![], 0),
        ]
    );
}
