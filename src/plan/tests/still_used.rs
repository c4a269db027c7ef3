//! What a narrowed plan takes away and something that it leaves out still names.

use super::{World, at, found, step, verdict};
use crate::plan::{Action, GUARDS};

const JOB: &str = r#"{"name":"a","tasks":[{"task_key":"t","sql_task":{"warehouse_id":"w1"}}]}"#;
const OTHER_JOB: &str = r#"{"name":"a","tasks":[{"task_key":"t","sql_task":{"warehouse_id":"w2"}}]}"#;
const WAREHOUSE: &str = r#"{"name":"w","cluster_size":"Small"}"#;

/// A warehouse and a job that was applied with it, and that YAML gives another one now.
fn used(target: Option<&str>) -> World {
    let mut world = World::new();
    world.hold("warehouses.w", "w1", WAREHOUSE);
    world.see("warehouses.w", found("w1", WAREHOUSE));
    world.want("jobs.a", OTHER_JOB);
    world.hold("jobs.a", "9", JOB).dependencies = vec![at("warehouses.w")];
    world.see("jobs.a", found("9", JOB));
    world.options.targets = target.into_iter().map(|t| at(t).into()).collect();
    world
}

#[test]
fn what_is_left_out_and_names_it_blocks_its_deletion() {
    let mut world = used(Some("warehouses.w"));
    let deleted = world.step("warehouses.w");
    assert_eq!(verdict(&deleted), (Action::Delete, vec!["refused"]));
    assert_eq!(deleted.blocks[0].reason, "warehouses.w would be deleted, but jobs.a was applied with it, and is left out of this plan");
    assert_eq!(deleted.blocks[0].remedy, ["--target 'jobs.a'", "or leave warehouses.w alone: forget: ['warehouses.w']"]);
    // With the job, and without a target, the job changes first.
    world.options.targets.push(at("jobs.a").into());
    assert_eq!(verdict(&world.step("warehouses.w")), (Action::Delete, vec![]));
    assert_eq!(verdict(&used(None).step("warehouses.w")), (Action::Delete, vec![]));
    // Leaving the job out by name is the same as not asking for it.
    let mut world = used(None);
    world.options.excludes = vec![at("jobs.a").into()];
    assert_eq!(verdict(&world.step("warehouses.w")), (Action::Delete, vec!["refused"]));
    assert_eq!(world.step("warehouses.w").blocks[0].remedy[0], "plan without `--exclude` of jobs.a");
    // A plan in a file was asked already.
    let mut world = used(Some("warehouses.w"));
    world.options.only = Some([at("warehouses.w")].into());
    assert_eq!(verdict(&world.step("warehouses.w")), (Action::Delete, vec![]));
}

#[test]
fn a_replaced_object_has_another_id() {
    let mut world = used(Some("warehouses.w"));
    world.want("warehouses.w", WAREHOUSE);
    world.options.replace = vec![at("warehouses.w")];
    assert_eq!(verdict(&world.step("warehouses.w")), (Action::Replace, vec!["refused"]));
    world.options.replace.clear();
    assert_eq!(verdict(&world.step("warehouses.w")), (Action::None, vec![]));
}

#[test]
fn what_only_depends_on_it_is_a_warning() {
    let mut world = used(Some("warehouses.w"));
    world.state.resources.get_mut(&at("jobs.a")).unwrap().applied = super::value(r#"{"name":"a"}"#);
    let plan = world.plan();
    assert_eq!(verdict(&step(&plan, "warehouses.w")), (Action::Delete, vec![]));
    let told: Vec<(&str, &str)> = plan.warnings.iter().map(|w| (w.guard, w.reason.as_str())).collect();
    assert_eq!(told, [("left_out", "warehouses.w would be deleted, but jobs.a depends on it, and is left out of this plan")]);
    assert!(GUARDS.contains(&"left_out") && GUARDS.contains(&"state"), "plans in files name their warnings by these words");
}

#[test]
fn many_users_are_counted() {
    let mut world = used(Some("warehouses.w"));
    for i in 0..7 {
        let address = format!("jobs.j{i}");
        world.want(&address, &OTHER_JOB.replace("\"a\"", &format!("\"j{i}\"")));
        world.hold(&address, &format!("1{i}"), &JOB.replace("\"a\"", &format!("\"j{i}\""))).dependencies = vec![at("warehouses.w")];
    }
    let reason = world.step("warehouses.w").blocks[0].reason.clone();
    assert_eq!(
        reason,
        "warehouses.w would be deleted, but each of jobs.a, jobs.j0, jobs.j1, jobs.j2, jobs.j3 and 3 more was applied with it, \
         and is left out of this plan"
    );
}
