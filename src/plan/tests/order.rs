//! What comes first, what is left out, and that the same world gives the same plan.

use super::{World, at, found, step};
use crate::plan::{Action, Scope};
use crate::refresh::Live;

/// c needs b needs a; d alone. All in the state, b and the others changed as told.
fn chain() -> World {
    let mut world = World::new();
    for (key, needs) in [("a", None), ("b", Some("jobs.a")), ("c", Some("jobs.b")), ("d", None)] {
        let (address, body) = (format!("jobs.{key}"), format!(r#"{{"name":"{key}"}}"#));
        world.steady(&address, key, &body);
        let needs: Vec<_> = needs.iter().map(|n| at(n)).collect();
        world.desired.resources.get_mut(&at(&address)).unwrap().depends_on.clone_from(&needs);
        world.state.resources.get_mut(&at(&address)).unwrap().dependencies = needs;
    }
    world
}

fn change(world: &mut World, key: &str) {
    let needs = world.desired.resources[&at(&format!("jobs.{key}"))].depends_on.clone();
    world.want(&format!("jobs.{key}"), &format!(r#"{{"name":"{key}","timeout_seconds":4}}"#)).depends_on = needs;
}

#[test]
fn users_after_needs_and_only_after_what_is_done() {
    let mut world = chain();
    change(&mut world, "a");
    change(&mut world, "b");
    change(&mut world, "d");
    let plan = world.plan();
    for (address, after) in [("jobs.a", vec![]), ("jobs.b", vec![at("jobs.a")]), ("jobs.c", vec![]), ("jobs.d", vec![])] {
        assert_eq!(step(&plan, address).after, after, "{address}");
    }
}

#[test]
fn deletes_run_backwards() {
    let mut world = chain();
    world.options.destroy = true;
    let plan = world.plan();
    for (address, after) in [("jobs.a", vec![at("jobs.b")]), ("jobs.b", vec![at("jobs.c")]), ("jobs.c", vec![])] {
        assert_eq!((step(&plan, address).action, step(&plan, address).after), (Action::Delete, after), "{address}");
    }
    // What needed it and stays is changed first.
    let mut world = chain();
    world.desired.resources.remove(&at("jobs.a"));
    world.want("jobs.b", r#"{"name":"b","timeout_seconds":4}"#);
    let plan = world.plan();
    assert_eq!(step(&plan, "jobs.a").after, [at("jobs.b")]);
    assert_eq!(step(&plan, "jobs.b").after, vec![]);
}

#[test]
fn a_replacement_waits_for_deletes_and_goes_before_its_users() {
    let mut world = chain();
    world.options.replace = vec![at("jobs.a")];
    world.desired.resources.remove(&at("jobs.c"));
    world.state.resources.get_mut(&at("jobs.c")).unwrap().dependencies = vec![at("jobs.a")];
    change(&mut world, "b");
    let plan = world.plan();
    assert_eq!(step(&plan, "jobs.a").after, [at("jobs.c")]);
    assert_eq!(step(&plan, "jobs.b").after, [at("jobs.a")]);
    assert_eq!(step(&plan, "jobs.c").after, vec![]);
}

#[test]
fn targets_take_along_what_they_need() {
    for (targets, excludes, kept) in [
        (vec!["jobs.b"], vec![], vec!["jobs.a", "jobs.b"]),
        (vec!["jobs.c", "jobs.d"], vec!["jobs.d"], vec!["jobs.a", "jobs.b", "jobs.c"]),
        (vec![], vec!["jobs.b"], vec!["jobs.a", "jobs.d"]),
        (vec![], vec!["jobs.d"], vec!["jobs.a", "jobs.b", "jobs.c"]),
    ] {
        let mut world = chain();
        world.options.targets = targets.iter().map(|a| at(a).into()).collect();
        world.options.excludes = excludes.iter().map(|a| at(a).into()).collect();
        let plan = world.plan();
        assert_eq!(plan.steps.iter().map(|s| s.address.to_string()).collect::<Vec<_>>(), kept);
        assert_eq!(plan.left_out, 4 - kept.len());
        let scope = Scope::of(&world.desired, &world.state, &world.options);
        assert!(kept.iter().all(|a| scope.holds(&at(a))));
    }
}

#[test]
fn a_deleted_target_takes_along_what_goes_before_it() {
    let mut world = chain();
    world.options.destroy = true;
    world.options.targets = vec![at("jobs.b").into()];
    let plan = world.plan();
    assert_eq!(plan.steps.iter().map(|s| s.address.to_string()).collect::<Vec<_>>(), ["jobs.b", "jobs.c"]);
}

#[test]
fn a_target_means_its_instances_and_facets() {
    let mut world = World::new();
    for address in [r#"jobs.i["eu"]"#, r#"jobs.i["us"]"#, "jobs.x"] {
        world.want(address, r#"{"name":"n"}"#);
        world.see(address, Live::Absent);
    }
    world.want(r#"jobs.i["eu"]/permissions"#, r#"{"object_type":"jobs","object_id":"1","entries":[]}"#);
    world.see(r#"jobs.i["eu"]/permissions"#, Live::Waits);
    for (target, count) in [("jobs.i", 3), (r#"jobs.i["eu"]"#, 2), (r#"jobs.i["us"]"#, 1)] {
        world.options.targets = vec![at(target).into()];
        assert_eq!(world.plan().steps.len(), count, "{target}");
    }
}

#[test]
fn a_target_brings_along_what_yaml_asks_for_and_leaves_drift_elsewhere() {
    let mut world = chain();
    world.see("jobs.a", found("1", r#"{"name":"somebody's"}"#));
    world.options.targets = vec![at("jobs.b").into()];
    let plan = world.plan();
    assert_eq!((step(&plan, "jobs.a").action, plan.left_out), (Action::None, 3), "set in the workspace, and nobody asked for it");
    world.options.targets = vec![at("jobs.a").into()];
    assert_eq!(world.step("jobs.a").action, Action::Update);
    change(&mut world, "a");
    world.options.targets = vec![at("jobs.b").into()];
    assert_eq!(world.step("jobs.a").action, Action::Update, "YAML asks for it");
}

#[test]
fn what_a_target_makes_on_the_way_gets_its_parts() {
    let mut world = World::new();
    world.want("jobs.needed", r#"{"name":"n"}"#);
    world.see("jobs.needed", Live::Absent);
    world.want("jobs.needed/permissions", r#"{"object_type":"jobs","object_id":"1","entries":[]}"#);
    world.see("jobs.needed/permissions", Live::Waits);
    world.want("jobs.user", r#"{"name":"u"}"#).depends_on = vec![at("jobs.needed")];
    world.see("jobs.user", Live::Absent);
    world.options.targets = vec![at("jobs.user").into()];
    let addresses: Vec<String> = world.plan().steps.iter().map(|s| s.address.to_string()).collect();
    assert_eq!(addresses, ["jobs.needed", "jobs.needed/permissions", "jobs.user"]);
}

#[test]
fn the_same_world_gives_the_same_plan() {
    let mut world = chain();
    change(&mut world, "b");
    world.want("jobs.z", r#"{"name":"z"}"#);
    world.see("jobs.z", Live::Absent);
    world.desired.resources.remove(&at("jobs.d"));
    let (first, second) = (world.plan(), world.plan());
    assert_eq!(first, second);
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
    let counts = first.counts();
    assert_eq!((counts.add, counts.change, counts.delete, counts.total), (1, 1, 1, 5));
}

#[test]
fn counts_are_of_objects() {
    const ACL: &str = r#"{"object_type":"jobs","object_id":"a","entries":[{"user_name":"u","permission_level":"CAN_VIEW"}]}"#;
    let mut world = chain();
    world.want("jobs.a/permissions", ACL);
    world.see("jobs.a/permissions", found("jobs/a", r#"{"object_type":"jobs","object_id":"a","entries":[]}"#));
    let counts = world.plan().counts();
    assert_eq!((counts.change, counts.total), (1, 4));
    // Its parent changes too: still one.
    change(&mut world, "a");
    assert_eq!(world.plan().counts().change, 1);
    // Drifted.
    world.see("jobs.d", found("d", r#"{"name":"d","timeout_seconds":7}"#));
    assert_eq!((world.plan().counts().unmanaged, world.plan().counts().drifted), (1, 0));
    world.see("jobs.d", found("d", r#"{"name":"x"}"#));
    assert_eq!(world.plan().counts().drifted, 1);
}

/// A chain of ten thousand, each needing the one before: no recursion, no quadratic scan.
#[test]
fn ten_thousand_in_a_chain() {
    let mut world = World::new();
    for i in 0..10_000 {
        let address = format!("jobs.j{i:05}");
        world.steady(&address, &i.to_string(), &format!(r#"{{"name":"n{i}","tags":{{"a":"b"}}}}"#));
        if i > 0 {
            world.desired.resources.get_mut(&at(&address)).unwrap().depends_on = vec![at(&format!("jobs.j{:05}", i - 1))];
        }
    }
    let plan = world.plan();
    assert_eq!((plan.is_empty(), plan.counts().total), (true, 10_000));
}

/// A catalog that is replaced, a schema in it that leaves for good, and a volume that goes from that schema into a new one.
#[test]
fn what_was_in_something_that_leaves_goes_with_that() {
    let mut world = World::new();
    let parts = [
        ("catalogs.c", "lake", r#"{"name":"lake","storage_root":"s3://b/one"}"#, vec![]),
        ("schemas.s", "lake.old", r#"{"name":"old","catalog_name":"lake"}"#, vec![at("catalogs.c")]),
        (
            "volumes.v",
            "lake.old.files",
            r#"{"name":"files","catalog_name":"lake","schema_name":"old","volume_type":"MANAGED"}"#,
            vec![at("catalogs.c"), at("schemas.s")],
        ),
    ];
    for (address, id, body, needs) in parts {
        world.steady(address, id, body);
        world.desired.resources.get_mut(&at(address)).unwrap().depends_on.clone_from(&needs);
        world.state.resources.get_mut(&at(address)).unwrap().dependencies = needs;
    }
    world.options.allow_delete = ["catalogs", "schemas", "volumes"].map(str::to_owned).into();
    world.want("catalogs.c", r#"{"name":"lake","storage_root":"s3://b/two"}"#);
    world.desired.resources.remove(&at("schemas.s"));
    world.want("schemas.new", r#"{"name":"new","catalog_name":"lake"}"#).depends_on = vec![at("catalogs.c")];
    world.see("schemas.new", Live::Absent);
    world.want("volumes.v", r#"{"name":"files","catalog_name":"lake","schema_name":"new","volume_type":"MANAGED"}"#).depends_on =
        vec![at("catalogs.c"), at("schemas.new")];
    let plan = world.plan();
    assert!(plan.steps.iter().all(|s| s.blocks.is_empty()), "{:?}", plan.steps.iter().map(|s| &s.blocks).collect::<Vec<_>>());
    let ops: Vec<&str> = step(&plan, "schemas.s").calls.iter().map(|call| call.op).collect();
    assert_eq!(ops, ["catalog.schemas.delete"]);
    let ops: Vec<&str> = step(&plan, "volumes.v").delete_calls.iter().map(|call| call.op).collect();
    assert_eq!(ops, ["catalog.volumes.delete"]);
    for (address, after, delete_after) in [
        ("schemas.s", vec![at("volumes.v")], vec![]),
        ("catalogs.c", vec![at("schemas.s")], vec![at("volumes.v")]),
        ("schemas.new", vec![at("catalogs.c")], vec![]),
        ("volumes.v", vec![at("catalogs.c"), at("schemas.new")], vec![]),
    ] {
        let step = step(&plan, address);
        assert_eq!((step.after, step.delete_after), (after, delete_after), "{address}");
    }
    assert_eq!(carried_out(&plan), ["volumes.v Delete", "schemas.s", "catalogs.c", "schemas.new", "volumes.v Make"]);
}

/// The acts of a plan in an order in which they can be carried out.
fn carried_out(plan: &crate::plan::Plan) -> Vec<String> {
    use crate::plan::acts::{Part, acts};
    let acts = acts(&plan.steps.iter().collect::<Vec<_>>());
    let (mut done, mut told) = (std::collections::BTreeSet::new(), vec![]);
    while let Some(next) = (0..acts.len()).find(|at| !done.contains(at) && acts[*at].after.iter().all(|first| done.contains(first))) {
        done.insert(next);
        let step = &plan.steps[acts[next].step];
        let part = if acts[next].part == Part::Whole { String::new() } else { format!(" {:?}", acts[next].part) };
        if step.action != Action::None {
            told.push(format!("{}{part}", step.address));
        }
    }
    assert_eq!(done.len(), acts.len(), "nothing waits for itself");
    told
}

/// A folder gets another path: the new one is made, what is in it moves, the old one goes.
#[test]
fn what_is_in_a_folder_moves_before_the_folder_goes() {
    const SPACE: &str = r#"{"title":"Sales","warehouse_id":"w","parent_path":"/Shared/PLACE"}"#;
    let mut world = World::new();
    world.steady("directories.team", "/Shared/old", r#"{"path":"/Shared/old"}"#);
    world.steady("spaces.sales", "s1", &SPACE.replace("PLACE", "old"));
    world.state.resources.get_mut(&at("spaces.sales")).unwrap().dependencies = vec![at("directories.team")];
    world.live.within.insert(at("directories.team"), Ok(vec!["/Shared/old/Sales".to_owned()]));
    world.want("directories.team", r#"{"path":"/Shared/new"}"#);
    world.want("spaces.sales", &SPACE.replace("PLACE", "new")).depends_on = vec![at("directories.team")];
    let plan = world.plan();
    assert!(!plan.is_blocked(), "{:?}", plan.steps.iter().map(|s| &s.blocks).collect::<Vec<_>>());
    assert_eq!((step(&plan, "directories.team").action, step(&plan, "spaces.sales").action), (Action::ReplaceNewFirst, Action::Update));
    assert_eq!(carried_out(&plan), ["directories.team Make", "spaces.sales", "directories.team Delete"]);
    // Cut in between: the rest comes in the same order.
    let entry = world.hold("directories.team", "/Shared/new", r#"{"path":"/Shared/new"}"#);
    (entry.status, entry.deposed) = (crate::state::Status::Incomplete, vec!["/Shared/old".to_owned()]);
    world.see("directories.team", found("/Shared/new", r#"{"path":"/Shared/new"}"#));
    assert_eq!(carried_out(&world.plan()), ["directories.team Make", "spaces.sales", "directories.team Delete"]);
    // And back again: what was left is not deleted after all.
    world.want("directories.team", r#"{"path":"/Shared/old"}"#);
    world.want("spaces.sales", &SPACE.replace("PLACE", "old")).depends_on = vec![at("directories.team")];
    let deleted: Vec<String> = world.step("directories.team").delete_calls.iter().map(|c| format!("{:?}", c.body)).collect();
    assert!(deleted.len() == 1 && deleted[0].contains("/Shared/new"), "{deleted:?}");
    // Into itself: there is no other way than to make it again.
    world.steady("directories.team", "/Shared/old", r#"{"path":"/Shared/old"}"#);
    world.want("directories.team", r#"{"path":"/Shared/old/new"}"#);
    assert_eq!(world.step("directories.team").action, Action::Replace);
}

#[test]
fn a_folder_does_not_move_from_under_what_stays() {
    const SPACE: &str = r#"{"title":"Sales","warehouse_id":"w","parent_path":"/Shared/old"}"#;
    let mut world = World::new();
    world.steady("directories.team", "/Shared/old", r#"{"path":"/Shared/old"}"#);
    world.steady("spaces.sales", "s1", SPACE);
    world.want("directories.team", r#"{"path":"/Shared/new"}"#);
    let step = world.step("directories.team");
    assert_eq!(step.blocks[0].reason, "directories.team would be replaced, but spaces.sales is in it and wanted all the same");
    assert!(step.blocks[0].remedy[0].starts_with("let spaces.sales move too"), "{:?}", step.blocks);
}

#[test]
fn what_would_wait_for_each_other_is_refused() {
    use crate::plan::order::circle;
    let mut steps = std::collections::BTreeMap::new();
    for (address, after) in
        [("jobs.a", vec!["jobs.c", "jobs.d"]), ("jobs.b", vec!["jobs.a"]), ("jobs.c", vec!["jobs.b"]), ("jobs.d", vec![])]
    {
        let step = crate::plan::Step { after: after.into_iter().map(at).collect(), ..crate::plan::Step::bare(at(address), Action::Update) };
        steps.insert(at(address), Box::new(step));
    }
    assert_eq!(circle(&steps), Some(vec![at("jobs.a"), at("jobs.c"), at("jobs.b")]));
    steps.get_mut(&at("jobs.c")).unwrap().after.clear();
    assert_eq!(circle(&steps), None);
}
