//! `lifecycle.merge`: what others changed in the workspace stays, what YAML changed is done, and where both did it is told.

use super::{World, at, found, ops, paths, value, verdict};
use crate::diff::Reason;
use crate::model::Value;
use crate::plan::{Action, Step};
use crate::state::Status;

/// A world in which YAML, the last apply and the workspace have these bodies of one object.
fn world(address: &str, yaml: &str, applied: &str, live: &str) -> World {
    let mut world = World::new();
    world.environment.ownership_tag = false;
    world.want(address, yaml).lifecycle.merge = true;
    world.hold(address, "9", applied);
    world.see(address, found("9", live));
    world
}

fn kept(step: &Step) -> Vec<String> {
    step.kept.iter().map(|c| c.path.to_string()).collect()
}

fn conflicts(step: &Step) -> Vec<String> {
    step.changes.iter().filter(|c| c.reason == Reason::Conflict).map(|c| c.path.to_string()).collect()
}

/// YAML, applied, live; what changes, what is kept, what is a conflict.
type Row<'r> = (&'r str, &'r str, &'r str, &'r [&'r str], &'r [&'r str], &'r [&'r str]);

#[test]
fn each_place_is_kept_done_or_a_conflict() {
    let table: &[Row<'_>] = &[
        // Fields of their own.
        (
            r#"{"name":"a","timeout_seconds":2}"#,
            r#"{"name":"a","timeout_seconds":1}"#,
            r#"{"name":"b","timeout_seconds":1}"#,
            &["timeout_seconds"],
            &["name"],
            &[],
        ),
        (
            r#"{"name":"a","timeout_seconds":2}"#,
            r#"{"name":"a","timeout_seconds":1}"#,
            r#"{"name":"a","timeout_seconds":3}"#,
            &["timeout_seconds"],
            &[],
            &["timeout_seconds"],
        ),
        // Both alike is nothing.
        (r#"{"name":"b"}"#, r#"{"name":"a"}"#, r#"{"name":"b"}"#, &[], &[], &[]),
        // Free maps, key by key: added, removed, set.
        (
            r#"{"name":"a","tags":{"a":"1","b":"1","c":"2"}}"#,
            r#"{"name":"a","tags":{"a":"1","b":"1","c":"1"}}"#,
            r#"{"name":"a","tags":{"a":"9","c":"1","d":"1"}}"#,
            &["tags.c"],
            &["tags.a", "tags.b", "tags.d"],
            &[],
        ),
        // Items of a keyed list: added, removed, changed inside.
        (
            r#"{"name":"a","tasks":[{"task_key":"a","timeout_seconds":2},{"task_key":"b"},{"task_key":"n"}]}"#,
            r#"{"name":"a","tasks":[{"task_key":"a","timeout_seconds":1},{"task_key":"b"}]}"#,
            r#"{"name":"a","tasks":[{"task_key":"u"},{"task_key":"a","timeout_seconds":1}]}"#,
            &["tasks[task_key=a].timeout_seconds", "tasks[task_key=n]"],
            &["tasks[task_key=b]", "tasks[task_key=u]"],
            &[],
        ),
        // Taken out of YAML, and changed in the workspace.
        (
            r#"{"name":"a","tasks":[{"task_key":"a"}]}"#,
            r#"{"name":"a","tasks":[{"task_key":"a"},{"task_key":"b","timeout_seconds":1}]}"#,
            r#"{"name":"a","tasks":[{"task_key":"a"},{"task_key":"b","timeout_seconds":2}]}"#,
            &["tasks[task_key=b]"],
            &[],
            &["tasks[task_key=b]"],
        ),
        // Taken out of YAML, and as it was.
        (
            r#"{"name":"a","tasks":[{"task_key":"a"}]}"#,
            r#"{"name":"a","tasks":[{"task_key":"a"},{"task_key":"b","timeout_seconds":1}]}"#,
            r#"{"name":"a","tasks":[{"task_key":"b","timeout_seconds":1},{"task_key":"a"}]}"#,
            &["tasks[task_key=b]"],
            &[],
            &[],
        ),
        // Changed in YAML, and taken away in the workspace.
        (
            r#"{"name":"a","tasks":[{"task_key":"a","timeout_seconds":2}]}"#,
            r#"{"name":"a","tasks":[{"task_key":"a","timeout_seconds":1}]}"#,
            r#"{"name":"a"}"#,
            &["tasks[task_key=a]"],
            &[],
            &["tasks[task_key=a]"],
        ),
        // Both set it for the first time, differently.
        (
            r#"{"name":"a","description":"yaml"}"#,
            r#"{"name":"a"}"#,
            r#"{"name":"a","description":"ui"}"#,
            &["description"],
            &[],
            &["description"],
        ),
        // What the server chose is nobody's edit.
        (r#"{"name":"a","timeout_seconds":5}"#, r#"{"name":"a"}"#, r#"{"name":"a","timeout_seconds":0}"#, &["timeout_seconds"], &[], &[]),
        // Lines of one text.
        (
            r#"{"name":"a","description":"A\nb\nc"}"#,
            r#"{"name":"a","description":"a\nb\nc"}"#,
            r#"{"name":"a","description":"a\nb\nC"}"#,
            &["description"],
            &["description"],
            &[],
        ),
        (
            r#"{"name":"a","description":"A\nb"}"#,
            r#"{"name":"a","description":"a\nb"}"#,
            r#"{"name":"a","description":"X\nb"}"#,
            &["description"],
            &[],
            &["description"],
        ),
        // A list in order is one thing.
        (
            r#"{"name":"a","trigger":{"table_update":{"table_names":["x"]}}}"#,
            r#"{"name":"a","trigger":{"table_update":{"table_names":["x"]}}}"#,
            r#"{"name":"a","trigger":{"table_update":{"table_names":["y","x"]}}}"#,
            &[],
            &["trigger.table_update.table_names"],
            &[],
        ),
    ];
    for (yaml, applied, live, changes, keeps, conflict) in table {
        let step = world("jobs.a", yaml, applied, live).step("jobs.a");
        assert_eq!(paths(&step), *changes, "{yaml} {live}");
        assert_eq!(kept(&step), *keeps, "{yaml} {live}");
        assert_eq!(conflicts(&step), *conflict, "{yaml} {live}");
        assert_eq!(step.action, if changes.is_empty() { Action::None } else { Action::Update }, "{yaml} {live}");
    }
}

#[test]
fn what_is_kept_is_sent_back_where_everything_is_sent_and_recorded_as_yaml_has_it() {
    let (yaml, applied) =
        (r#"{"name":"w","cluster_size":"Medium","auto_stop_mins":10}"#, r#"{"name":"w","cluster_size":"Small","auto_stop_mins":10}"#);
    let world = world("warehouses.w", yaml, applied, r#"{"id":"9","name":"w","cluster_size":"Small","auto_stop_mins":45}"#);
    let step = world.step("warehouses.w");
    assert_eq!((paths(&step), kept(&step)), (vec!["cluster_size".to_owned()], vec!["auto_stop_mins".to_owned()]));
    let body = step.calls[0].body.as_ref().expect("a body");
    assert_eq!((body.get("auto_stop_mins"), body.get("cluster_size")), (Some(&Value::Int(45)), Some(&Value::from("Medium"))));
    let entry = step.entry.expect("an entry");
    assert_eq!(entry.applied, value(yaml), "the next plan tells it again");
    assert_eq!(entry.before, Some(value(applied)), "until it is known to have arrived");
}

#[test]
fn nothing_but_what_is_kept_is_an_empty_plan_that_tells_it() {
    let world = world("jobs.a", r#"{"name":"a"}"#, r#"{"name":"a"}"#, r#"{"name":"b"}"#);
    let plan = world.plan();
    assert!(plan.is_empty());
    assert_eq!((plan.counts().kept, plan.counts().drifted), (1, 0));
    assert_eq!(kept(&plan.steps[0]), ["name"]);
    // Asked for drift alone, it is drift.
    let mut world = world;
    world.options.drift_only = true;
    let step = world.step("jobs.a");
    assert_eq!((paths(&step), kept(&step)), (vec!["name".to_owned()], vec!["name".to_owned()]));
    assert_eq!(world.plan().counts().drifted, 1);
    // Without merge it is put back.
    world.options.drift_only = false;
    world.desired.resources.get_mut(&at("jobs.a")).expect("it").lifecycle.merge = false;
    let step = world.step("jobs.a");
    assert_eq!((step.action, paths(&step), kept(&step)), (Action::Update, vec!["name".to_owned()], vec![]));
}

#[test]
fn conflicts_wait_as_the_environment_says() {
    let mut world = world("jobs.a", r#"{"name":"yaml"}"#, r#"{"name":"a"}"#, r#"{"name":"ui"}"#);
    assert_eq!(verdict(&world.step("jobs.a")), (Action::Update, vec![]));
    world.environment.guards.block_conflicts = true;
    let step = world.step("jobs.a");
    assert_eq!(verdict(&step), (Action::Update, vec!["conflict"]));
    let told = &step.changes[0];
    assert_eq!([&told.applied, &told.new, &told.old].map(|v| v.as_ref().and_then(Value::as_str)), [Some("a"), Some("yaml"), Some("ui")]);
    world.options.accept_conflicts = vec![at("jobs.a")];
    assert_eq!(verdict(&world.step("jobs.a")), (Action::Update, vec![]));
}

#[test]
fn after_an_apply_that_was_cut_a_merge_goes_on_from_what_arrived() {
    let a = |rest: &str| format!(r#"{{"name":"a",{rest}}}"#);
    let text = |lines: &str| a(&format!(r#""description":"{lines}""#));
    let fields = |name: &str, seconds: u8| format!(r#"{{"name":"{name}","timeout_seconds":{seconds}}}"#);
    let tasks = |items: &str| a(&format!(r#""tasks":[{items}]"#));
    let task = |name: &str, seconds: u8| format!(r#"{{"task_key":"{name}","timeout_seconds":{seconds}}}"#);
    let (one, two, ui) = (task("t", 1), task("t", 2), task("u", 1));
    // Before, what the cut update sent, YAML now, live.
    let table: &[[String; 4]] = &[
        [fields("a", 1), fields("a", 2), fields("a", 2), fields("ui", 1)],
        [fields("a", 1), fields("a", 2), fields("a", 2), fields("ui", 2)],
        [fields("a", 1), fields("a", 2), fields("a", 3), fields("ui", 2)],
        [fields("a", 1), fields("a", 2), fields("a", 1), fields("ui", 2)],
        [fields("a", 1), fields("a", 2), fields("a", 2), fields("a", 9)],
        [text("a\\nb\\nc"), text("a\\nb\\nY"), text("a\\nb\\nY"), text("ui\\na\\nb\\nc")],
        [text("a\\nb\\nc"), text("a\\nb\\nY"), text("a\\nb\\nY"), text("ui\\na\\nb\\nY")],
        [text("a\\nb\\nc"), text("a\\nb\\nY"), text("a\\nb\\nc"), text("ui\\na\\nb\\nY")],
        [tasks(&one), tasks(&two), tasks(&two), tasks(&format!("{ui},{one}"))],
        [tasks(&one), tasks(&two), tasks(&two), tasks(&format!("{ui},{two}"))],
        [tasks(&one), tasks(&format!("{one},{}", task("n", 1))), tasks(&one), tasks(&format!("{one},{}", task("n", 1)))],
        [tasks(&one), tasks(&format!("{one},{}", task("n", 1))), tasks(&one), tasks(&format!("{ui},{one}"))],
        [tasks(&format!("{one},{ui}")), tasks(&format!("{one},{ui}")), tasks(&one), tasks(&format!("{one},{ui}"))],
    ];
    // What changes, what is kept, what is a conflict.
    let wants: &[(&[&str], &[&str], &[&str])] = &[
        (&["timeout_seconds"], &["name"], &[]),
        (&[], &["name"], &[]),
        (&["timeout_seconds"], &["name"], &[]),
        (&["timeout_seconds"], &["name"], &[]),
        (&["timeout_seconds"], &[], &["timeout_seconds"]),
        (&["description"], &["description"], &[]),
        (&[], &["description"], &[]),
        (&["description"], &["description"], &[]),
        (&["tasks[task_key=t].timeout_seconds"], &["tasks[task_key=u]"], &[]),
        (&[], &["tasks[task_key=u]"], &[]),
        (&["tasks[task_key=n]"], &[], &[]),
        (&[], &["tasks[task_key=u]"], &[]),
        (&["tasks[task_key=u]"], &[], &[]),
    ];
    for ([before, sent, yaml, live], (changes, keeps, conflict)) in table.iter().zip(wants) {
        let mut world = world("jobs.a", yaml, sent, live);
        let entry = world.state.resources.get_mut(&at("jobs.a")).expect("it");
        (entry.status, entry.before) = (Status::Incomplete, Some(value(before)));
        let step = world.step("jobs.a");
        let found = (paths(&step), kept(&step), conflicts(&step));
        let words = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found, (words(changes), words(keeps), words(conflict)), "{before} {sent} {yaml} {live}");
    }
}

#[test]
fn of_a_cut_update_of_which_nobody_knows_what_it_met_additions_stay() {
    let task = |name: &str| format!(r#"{{"task_key":"{name}"}}"#);
    let tasks = |names: &[&str]| format!(r#"{{"name":"a","tasks":[{}]}}"#, names.iter().map(|n| task(n)).collect::<Vec<_>>().join(","));
    let text = |lines: &str| format!(r#"{{"name":"a","description":"{lines}"}}"#);
    let tables = |names: &str| format!(r#"{{"name":"a","trigger":{{"table_update":{{"table_names":[{names}]}}}}}}"#);
    let list = "trigger.table_update.table_names";
    // What the cut update sent, and YAML has; live; what changes, what is kept.
    let table: &[(String, String, &[&str], &[&str])] = &[
        (tasks(&["t"]), tasks(&["u", "t"]), &[], &["tasks[task_key=u]"]),
        (tasks(&["t", "n"]), tasks(&["u", "t"]), &["tasks[task_key=n]"], &["tasks[task_key=u]"]),
        (tables("\"x\""), tables("\"x\",\"y\""), &[], &[list]),
        (text("a\\nb"), text("a\\nb\\nui"), &[], &["description"]),
        (text("new\\na\\nb"), text("a\\nb\\nui"), &["description"], &["description"]),
        // Nobody added this: it may be what was there before.
        (text("A"), text("a"), &["description"], &[]),
        (r#"{"name":"a","timeout_seconds":2}"#.to_owned(), r#"{"name":"a","timeout_seconds":1}"#.to_owned(), &["timeout_seconds"], &[]),
    ];
    for (sent, live, changes, keeps) in table {
        let mut world = world("jobs.a", sent, sent, live);
        world.state.resources.get_mut(&at("jobs.a")).expect("it").status = Status::Incomplete;
        let step = world.step("jobs.a");
        let words = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!((paths(&step), kept(&step), conflicts(&step)), (words(changes), words(keeps), vec![]), "{sent} {live}");
        // Without merge everything is as YAML has it.
        world.desired.resources.get_mut(&at("jobs.a")).expect("it").lifecycle.merge = false;
        assert_eq!(kept(&world.step("jobs.a")), Vec::<String>::new());
    }
}

#[test]
fn the_retry_of_a_cut_update_sends_both_edits_of_a_text() {
    let text = |lines: &str| format!(r#"{{"name":"a","description":"{lines}"}}"#);
    let (yaml, before) = (text("a\\nb\\nY"), text("a\\nb\\nc"));
    let mut world = world("jobs.a", &yaml, &before, &text("ui\\na\\nb\\nc"));
    for _ in 0..3 {
        let step = world.step("jobs.a");
        let wanted = step.desired.as_ref().and_then(|d| d.get("description")).and_then(Value::as_str);
        assert_eq!(wanted, Some("ui\na\nb\nY"));
        let entry = step.entry.expect("an entry");
        assert_eq!(entry.before, Some(value(&before)), "as long as nothing arrived");
        world.state.resources.insert(at("jobs.a"), crate::state::Entry { status: Status::Incomplete, ..entry });
    }
}

#[test]
fn what_was_not_read_is_not_overwritten() {
    let mut world = world("jobs.a", r#"{"name":"b"}"#, r#"{"name":"a"}"#, r#"{"name":"a"}"#);
    world.options.no_refresh = true;
    let step = world.step("jobs.a");
    assert_eq!(verdict(&step), (Action::Update, vec!["refused"]));
    assert!(step.blocks[0].reason.contains("lifecycle.merge"), "{}", step.blocks[0].reason);
}

#[test]
fn a_replacement_takes_along_what_is_kept() {
    let pool = |name: &str, node: &str, idle: u8| {
        format!(r#"{{"instance_pool_name":"{name}","node_type_id":"{node}","min_idle_instances":{idle}}}"#)
    };
    let world = world("instance_pools.p", &pool("p", "n2", 1), &pool("p", "n1", 1), &pool("p", "n1", 3));
    let step = world.step("instance_pools.p");
    assert_eq!((step.action, kept(&step)), (Action::Replace, vec!["min_idle_instances".to_owned()]));
    assert_eq!(ops(&step).len(), 1);
    assert_eq!(step.calls[0].body.as_ref().and_then(|b| b.get("min_idle_instances")), Some(&Value::Int(3)));
    assert_eq!(step.entry.expect("an entry").applied, value(&pool("p", "n2", 1)));
}
