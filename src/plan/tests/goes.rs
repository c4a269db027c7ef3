//! What goes with an object that is deleted or replaced, although no YAML says it.

use super::{World, at, found, value};
use crate::plan::Action;
use crate::state::Status;

const POOL: &str = r#"{"instance_pool_name":"p","node_type_id":"n1","min_idle_instances":1}"#;

fn told(world: &World, address: &str) -> Vec<String> {
    world.step(address).takes
}

#[test]
fn a_delete_says_what_was_edited_since_the_last_apply() {
    let applied = r#"{"name":"a","timeout_seconds":1,"tasks":[{"task_key":"t"}],"tags":{"x":"1"}}"#;
    let table: &[(&str, &str)] = &[
        (applied, ""),
        // What YAML never set is nobody's edit as far as that can be told.
        (r#"{"name":"a","timeout_seconds":1,"tasks":[{"task_key":"t"}],"tags":{"x":"1"},"description":"d"}"#, ""),
        (
            r#"{"name":"b","timeout_seconds":1,"tasks":[{"task_key":"t"},{"task_key":"ui"}],"tags":{"x":"1","ui":"2"}}"#,
            "name, tasks[task_key=ui], tags.ui \"2\"",
        ),
        (r#"{"name":"a","timeout_seconds":9,"tags":{"x":"1"}}"#, "timeout_seconds, tasks[task_key=t] (removed)"),
    ];
    for destroy in [false, true] {
        for (live, wanted) in table {
            let mut world = World::new();
            if destroy {
                world.want("jobs.a", applied);
                world.options.destroy = true;
            }
            world.hold("jobs.a", "9", applied);
            world.see("jobs.a", found("9", live));
            let wanted: Vec<String> = Some(*wanted)
                .filter(|w| !w.is_empty())
                .map(|w| format!("what was edited in the workspace since the last apply goes with it: {w}"))
                .into_iter()
                .collect();
            assert_eq!(world.step("jobs.a").action, Action::Delete);
            assert_eq!(told(&world, "jobs.a"), wanted, "{live}");
        }
    }
}

#[test]
fn what_an_apply_of_our_own_did_not_get_to_is_nobodys_edit() {
    let (before, sent) = (r#"{"name":"a","timeout_seconds":1}"#, r#"{"name":"a","timeout_seconds":2}"#);
    for (known, live, wanted) in [
        (Some(before), before, None),
        (Some(before), sent, None),
        (Some(before), r#"{"name":"ui","timeout_seconds":1}"#, Some("name")),
        (None, before, None),
    ] {
        let mut world = World::new();
        let entry = world.hold("jobs.a", "9", sent);
        (entry.status, entry.before) = (Status::Incomplete, known.map(value));
        world.see("jobs.a", found("9", live));
        let wanted: Vec<String> =
            wanted.map(|w| format!("what was edited in the workspace since the last apply goes with it: {w}")).into_iter().collect();
        assert_eq!(told(&world, "jobs.a"), wanted, "{live}");
    }
}

#[test]
fn a_replacement_says_what_yaml_does_not_set_and_calls_it_unmanaged_no_more() {
    let mut world = World::new();
    world.environment.ownership_tag = false;
    world.want("instance_pools.p", POOL);
    world.hold("instance_pools.p", "9", POOL);
    let live = r#"{"instance_pool_name":"p","node_type_id":"n1","min_idle_instances":3,"max_capacity":7}"#;
    world.see("instance_pools.p", found("9", live));
    assert_eq!(world.step("instance_pools.p").unmanaged.len(), 1, "as long as it stays");
    world.options.replace = vec![at("instance_pools.p")];
    let step = world.step("instance_pools.p");
    assert_eq!((step.action, step.unmanaged.len()), (Action::Replace, 0));
    let edited = "what was edited in the workspace since the last apply goes with it: min_idle_instances";
    assert_eq!(told(&world, "instance_pools.p"), [edited, "what YAML does not set is lost with it: max_capacity"]);
    // What is kept comes along.
    world.desired.resources.get_mut(&at("instance_pools.p")).expect("it").lifecycle.merge = true;
    assert_eq!(told(&world, "instance_pools.p"), ["what YAML does not set is lost with it: max_capacity"]);
}

/// A plan in a file is bound to all of it, also to what it does not name.
#[test]
fn a_step_is_bound_to_what_goes() {
    let goes = |live: &str| {
        let mut world = World::new();
        world.hold("jobs.a", "9", r#"{"name":"a"}"#);
        world.see("jobs.a", found("9", live));
        world.step("jobs.a").goes
    };
    let places = |live: &str| goes(live).into_keys().collect::<Vec<_>>();
    assert!(places(r#"{"name":"a"}"#).is_empty());
    assert_eq!(places(r#"{"name":"b","description":"d"}"#), ["description", "name"]);
    assert_ne!(goes(r#"{"name":"a","description":"d"}"#), goes(r#"{"name":"a","description":"e"}"#));
    assert!(!format!("{:?}", goes(r#"{"name":"a","description":"words"}"#)).contains("words"));
}
