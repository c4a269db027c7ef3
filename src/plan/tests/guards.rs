//! Every guard: what trips it, what lifts it.

use super::{World, at, failed, found, value, verdict};
use crate::client::{ApiError, ApiErrorKind};
use crate::kinds::{Kind, Loss, Registry};
use crate::plan::{Action, Plan, unopened};
use crate::refresh::Live;
use crate::state::Status;

const JOB: &str = r#"{"name":"a"}"#;
const CATALOG: &str = r#"{"name":"main"}"#;

pub(super) fn deleting(address: &str, id: &str, body: &str) -> World {
    let mut world = World::new();
    world.hold(address, id, body);
    world.see(address, found(id, body));
    world
}

#[test]
fn prevent_destroy_outlives_its_yaml() {
    let mut world = deleting("jobs.a", "9", JOB);
    world.state.resources.get_mut(&at("jobs.a")).unwrap().protected = true;
    assert_eq!(verdict(&world.step("jobs.a")), (Action::Delete, vec!["prevent_destroy"]));
    // Not even without YAML for it, or at a destroy with YAML that says no more than nothing.
    world.options.destroy = true;
    world.want("jobs.a", JOB);
    assert_eq!(verdict(&world.step("jobs.a")), (Action::Delete, vec!["prevent_destroy"]));
    // YAML's change to false is a change of its own; until it is applied, the state protects.
    world.want("jobs.a", JOB).lifecycle.prevent_destroy = Some(false);
    assert_eq!(verdict(&world.step("jobs.a")), (Action::Delete, vec!["prevent_destroy"]));
    world.options.destroy = false;
    let step = world.step("jobs.a");
    assert_eq!(
        (step.action, step.calls.len(), step.changes[0].path.to_string().as_str()),
        (Action::Update, 0, "lifecycle.prevent_destroy")
    );
    assert!(!step.entry.unwrap().protected);
    // Forgetting is no destruction.
    world.desired.resources.clear();
    world.desired.forgets = vec![at("jobs.a")];
    assert_eq!(verdict(&world.step("jobs.a")), (Action::Forget, vec![]));
}

#[test]
fn prevent_destroy_holds_against_replacing() {
    for (state, yaml, blocked) in [(true, None, true), (false, Some(true), true), (true, Some(false), true), (false, None, false)] {
        let mut world = World::new();
        world.steady("jobs.a", "9", JOB);
        world.want("jobs.a", JOB).lifecycle.prevent_destroy = yaml;
        world.state.resources.get_mut(&at("jobs.a")).unwrap().protected = state;
        world.options.replace = vec![at("jobs.a")];
        assert_eq!(verdict(&world.step("jobs.a")).1.contains(&"prevent_destroy"), blocked, "{state} {yaml:?}");
        // What is tainted is replaced by every plan: YAML's word lifts the protection.
        world.options.replace.clear();
        world.state.resources.get_mut(&at("jobs.a")).unwrap().status = Status::Tainted;
        let tainted = blocked && yaml != Some(false);
        assert_eq!(verdict(&world.step("jobs.a")), (Action::Replace, if tainted { vec!["prevent_destroy"] } else { vec![] }), "{yaml:?}");
    }
}

const OTHER_ROOT: &str = r#"{"name":"main","storage_root":"s3://b/other"}"#;

/// Every way in which an object comes to be replaced, or deleted.
fn causes() -> Vec<(&'static str, World, Action)> {
    const ROOT: &str = r#"{"name":"main","storage_root":"s3://b/a"}"#;
    let steady = || {
        let mut world = World::new();
        world.steady("catalogs.m", "main", ROOT);
        world
    };
    let mut all = vec![];
    let mut add = |cause, action, change: &dyn Fn(&mut World)| {
        let mut world = steady();
        change(&mut world);
        all.push((cause, world, action));
    };
    add("YAML", Action::Replace, &|w| _ = w.want("catalogs.m", OTHER_ROOT));
    add("drift", Action::Replace, &|w| w.see("catalogs.m", found("main", OTHER_ROOT)));
    add("conflict", Action::Replace, &|w| {
        w.want("catalogs.m", r#"{"name":"main","storage_root":"s3://b/third"}"#);
        w.see("catalogs.m", found("main", OTHER_ROOT));
    });
    add("--replace", Action::Replace, &|w| w.options.replace = vec![at("catalogs.m")]);
    add("tainted", Action::Replace, &|w| w.state.resources.get_mut(&at("catalogs.m")).unwrap().status = Status::Tainted);
    add("moved and changed", Action::Replace, &|w| {
        let entry = w.state.resources.remove(&at("catalogs.m")).unwrap();
        w.state.resources.insert(at("catalogs.old"), entry);
        w.live.objects.remove(&at("catalogs.m"));
        w.see("catalogs.old", found("main", ROOT));
        w.desired.moves.insert(at("catalogs.old"), at("catalogs.m"));
        w.want("catalogs.m", OTHER_ROOT);
    });
    add("a new one first", Action::ReplaceNewFirst, &|w| {
        w.want("catalogs.m", OTHER_ROOT).lifecycle.create_before_destroy = true;
    });
    add("gone from YAML", Action::Delete, &|w| w.desired.resources.clear());
    add("destroy", Action::Delete, &|w| w.options.destroy = true);
    all
}

pub(super) fn no_answer() -> ApiError {
    ApiError {
        kind: ApiErrorKind::Server,
        status: Some(503),
        code: "TEMPORARILY_UNAVAILABLE".to_owned(),
        message: "later".to_owned(),
        request: "GET /api/2.0/secrets/list".to_owned(),
        request_id: None,
        tries: 4,
        may_have_happened: false,
    }
}

#[test]
fn guards_look_at_what_happens_and_not_at_why() {
    for (cause, mut world, action) in causes() {
        world.environment.guards.protect = vec!["catalogs".to_owned()];
        world.environment.guards.max_deletes = Some(0);
        world.state.resources.values_mut().for_each(|e| e.protected = true);
        let plan = world.plan();
        let step = super::step(&plan, "catalogs.m");
        assert_eq!(step.action, action, "{cause}");
        for guard in ["prevent_destroy", "protected_kind", "data_loss"] {
            assert!(verdict(&step).1.contains(&guard), "{cause}: {guard} is silent: {:?}", step.blocks);
        }
        assert!(step.loses.is_some(), "{cause}");
        assert_eq!(plan_guards(&plan), ["max_deletes"], "{cause}");
    }
}

#[test]
fn protection_against_drift_says_how_it_is_lifted() {
    let mut world = World::new();
    world.steady("catalogs.m", "main", r#"{"name":"main","storage_root":"s3://b/a"}"#);
    world.see("catalogs.m", found("main", OTHER_ROOT));
    world.state.resources.get_mut(&at("catalogs.m")).unwrap().protected = true;
    let step = world.step("catalogs.m");
    let block = step.blocks.iter().find(|b| b.guard == "prevent_destroy").expect("it is protected");
    assert!(block.remedy[0].contains("ignore_changes: [storage_root]"), "{:?}", block.remedy);
    // And that works.
    let lifecycle = &mut world.want("catalogs.m", r#"{"name":"main","storage_root":"s3://b/a"}"#).lifecycle;
    lifecycle.prevent_destroy = Some(false);
    lifecycle.ignore_changes = vec!["storage_root".parse().unwrap()];
    assert_eq!(verdict(&world.step("catalogs.m")), (Action::Update, vec![]));
}

#[test]
fn what_goes_unforeseen_is_looked_into() {
    const SCOPE: &str = r#"{"scope":"s","scope_backend_type":"DATABRICKS"}"#;
    for (cause, replace, tainted, drifted, unforeseen) in [
        ("nothing", false, false, false, false),
        ("--replace", true, false, false, true),
        ("tainted", false, true, false, true),
        ("drift", false, false, true, true),
    ] {
        let mut world = World::new();
        world.options.allow_delete = vec!["secret_scopes".to_owned()];
        world.steady("secret_scopes.s", "s", SCOPE);
        if replace {
            world.options.replace = vec![at("secret_scopes.s")];
        }
        if tainted {
            world.state.resources.get_mut(&at("secret_scopes.s")).unwrap().status = Status::Tainted;
        }
        if drifted {
            world.see("secret_scopes.s", found("s", r#"{"scope":"s","scope_backend_type":"AZURE_KEYVAULT"}"#));
        }
        let asked = unopened(&world.plan(), &world.registry, &world.live);
        let names: Vec<(String, &str)> = asked.iter().map(|(a, _, id)| (a.to_string(), id.as_str())).collect();
        assert_eq!(names, if unforeseen { vec![("secret_scopes.s".to_owned(), "s")] } else { vec![] }, "{cause}");
        world.live.within.insert(at("secret_scopes.s"), Ok(vec!["by-hand".to_owned()]));
        let plan = world.plan();
        assert_eq!(unopened(&plan, &world.registry, &world.live), [], "{cause}");
        let told = super::step(&plan, "secret_scopes.s").takes.iter().any(|n| n == "takes along what is in it: by-hand");
        assert_eq!(told, unforeseen, "{cause}");
        world.live.within.insert(at("secret_scopes.s"), Err(no_answer()));
        let blocks = super::step(&world.plan(), "secret_scopes.s").blocks;
        assert_eq!(blocks.iter().any(|b| b.guard == "unreadable" && b.reason.contains("could not be listed")), unforeseen, "{cause}");
    }
}

#[test]
fn protected_kinds() {
    let mut world = deleting("jobs.a", "9", JOB);
    world.environment.guards.protect = vec!["jobs".to_owned()];
    let step = world.step("jobs.a");
    assert_eq!(verdict(&step), (Action::Delete, vec!["protected_kind"]));
    assert_eq!(step.blocks[0].remedy, ["--allow-protected-kind"]);
    world.options.overrides = vec!["protected_kind".to_owned()];
    assert_eq!(verdict(&world.step("jobs.a")), (Action::Delete, vec![]));
}

#[test]
fn data_is_deleted_only_by_name() {
    let mut world = deleting("catalogs.m", "main", CATALOG);
    let step = world.step("catalogs.m");
    assert_eq!(verdict(&step), (Action::Delete, vec!["data_loss"]));
    assert_eq!(step.blocks[0].remedy, ["--allow-delete catalogs"]);
    assert!(step.loses.is_some());
    world.options.allow_delete = vec!["catalogs".to_owned()];
    assert_eq!(verdict(&world.step("catalogs.m")), (Action::Delete, vec![]));
    // Tainted kinds that hold data wait, too.
    world.options.allow_delete = vec![];
    world.want("catalogs.m", CATALOG);
    world.state.resources.get_mut(&at("catalogs.m")).unwrap().status = crate::state::Status::Tainted;
    assert_eq!(verdict(&world.step("catalogs.m")), (Action::Replace, vec!["data_loss"]));
}

fn plan_guards(plan: &Plan) -> Vec<&'static str> {
    plan.blocks.iter().map(|b| b.guard).collect()
}

/// Twelve managed jobs of which some are deleted, changed, and some new.
fn crowd(deleted: usize, changed: usize, created: usize) -> World {
    let mut world = World::new();
    for i in 0..12 {
        let (address, name) = (format!("jobs.j{i:02}"), format!(r#"{{"name":"n{i}"}}"#));
        world.steady(&address, &i.to_string(), &name);
        if i < deleted {
            world.desired.resources.remove(&at(&address));
        } else if i < deleted + changed {
            world.want(&address, &format!(r#"{{"name":"n{i}","timeout_seconds":9}}"#));
        }
    }
    for i in 0..created {
        let address = format!("jobs.new{i}");
        world.want(&address, &format!(r#"{{"name":"new{i}"}}"#));
        world.see(&address, Live::Absent);
    }
    world
}

#[test]
fn max_deletes() {
    for (deleted, most, guards) in [(2, 2, vec![]), (3, 2, vec!["max_deletes"])] {
        let mut world = crowd(deleted, 4, 4);
        world.environment.guards.max_deletes = Some(most);
        assert_eq!(plan_guards(&world.plan()), guards);
        world.options.overrides = vec!["max_deletes".to_owned()];
        assert_eq!(plan_guards(&world.plan()), Vec::<&str>::new());
    }
    // A replace counts as a delete.
    let mut world = crowd(0, 0, 0);
    world.environment.guards.max_deletes = Some(0);
    world.options.replace = vec![at("jobs.j01")];
    assert_eq!(plan_guards(&world.plan()), ["max_deletes"]);
}

#[test]
fn max_change_percent() {
    for (deleted, changed, created, guards) in [(1, 2, 9, vec![]), (1, 3, 0, vec!["max_change_percent"]), (0, 0, 9, vec![])] {
        let mut world = crowd(deleted, changed, created);
        world.environment.guards.max_change_percent = Some(25);
        assert_eq!(plan_guards(&world.plan()), guards, "{deleted} {changed} {created}");
        world.options.overrides = vec!["max_change_percent".to_owned()];
        assert_eq!(plan_guards(&world.plan()), Vec::<&str>::new());
    }
    // A few objects say nothing of percents.
    let mut world = deleting("jobs.a", "9", JOB);
    world.environment.guards.max_change_percent = Some(1);
    assert_eq!(plan_guards(&world.plan()), Vec::<&str>::new());
}

#[test]
fn another_workspace() {
    for (host, id, guards) in [
        ("w.example", "7", vec![]),
        ("W.example", "7", vec![]),
        ("w.example", "8", vec!["workspace"]),
        ("v.example", "7", vec!["workspace"]),
        ("w.example", "", vec![]),
    ] {
        let mut world = World::new();
        world.steady("jobs.a", "9", JOB);
        let known = world.state.workspace.as_mut().unwrap();
        (known.host, known.id) = (host.to_owned(), id.to_owned());
        let plan = world.plan();
        assert_eq!(plan_guards(&plan), guards, "{host} {id}");
        assert_eq!(plan.is_blocked(), !guards.is_empty());
    }
}

#[test]
fn conflicts_wait_if_the_environment_says_so() {
    let mut world = World::new();
    world.want("jobs.a", r#"{"name":"new"}"#);
    world.hold("jobs.a", "9", JOB);
    world.see("jobs.a", found("9", r#"{"name":"other"}"#));
    assert_eq!(verdict(&world.step("jobs.a")), (Action::Update, vec![]));
    world.environment.guards.block_conflicts = true;
    let step = world.step("jobs.a");
    assert_eq!(verdict(&step), (Action::Update, vec!["conflict"]));
    assert_eq!(step.blocks[0].remedy, ["--accept-conflict 'jobs.a'"]);
    world.options.accept_conflicts = vec![at("jobs.a")];
    assert_eq!(verdict(&world.step("jobs.a")), (Action::Update, vec![]));
}

#[test]
fn what_cannot_be_unset_and_what_the_kind_refuses() {
    let mut world = World::new();
    world.want("warehouses.w", r#"{"name":"w","cluster_size":"Small"}"#);
    world.hold("warehouses.w", "1", r#"{"name":"w","cluster_size":"Small","instance_profile_arn":"arn:x"}"#);
    world.see("warehouses.w", found("1", r#"{"id":"1","name":"w","cluster_size":"Small","instance_profile_arn":"arn:x"}"#));
    let step = world.step("warehouses.w");
    assert_eq!(step.changes.len(), 1);
    // Edit replaces the whole warehouse, so leaving the field out unsets it.
    assert_eq!(verdict(&step), (Action::Update, vec![]));
    let mut world = World::new();
    world.want("catalogs.m", CATALOG);
    world.hold("catalogs.m", "main", r#"{"name":"main","owner":"o"}"#);
    world.see("catalogs.m", found("main", r#"{"name":"main","owner":"o"}"#));
    let step = world.step("catalogs.m");
    assert_eq!(verdict(&step), (Action::Update, vec!["cannot_unset"]));
    assert!(step.blocks[0].reason.contains("owner"), "{}", step.blocks[0].reason);
}

static NOTHING: Kind = Kind { name: "nothings", singular: "nothing", loss: Loss::Nothing, ..Kind::PLAIN };

#[test]
fn an_unknown_kind_in_the_state_blocks() {
    let mut world = World::new();
    world.registry = Registry::standard().with(&NOTHING);
    world.hold("nothings.a", "1", "{}").kind = "somethings".to_owned();
    assert_eq!(verdict(&world.step("nothings.a")), (Action::None, vec!["refused"]));
}

#[test]
fn two_addresses_of_one_object_block() {
    let mut world = World::new();
    world.steady("jobs.a", "9", JOB);
    world.steady("jobs.b", "9", JOB);
    assert_eq!(verdict(&world.step("jobs.a")), (Action::None, vec![]));
    assert_eq!(verdict(&world.step("jobs.b")), (Action::None, vec!["refused"]));
    let remedy = world.step("jobs.b").blocks[0].remedy.join("\n");
    assert!(remedy.contains("out of the YAML: jobs.b") && remedy.contains("brickform state rm 'jobs.b'"), "{remedy}");

    // What the state does not hold cannot be taken out of it.
    let tags = r#"{"entity_type":"dashboards","entity_id":"1","tags":{"a":"1"}}"#;
    world.steady("workspace_tags.v", "dashboards/1", tags);
    world.want("workspace_tags.w", tags);
    world.see("workspace_tags.w", found("dashboards/1", tags));
    let remedy = world.step("workspace_tags.w").blocks[0].remedy.join("\n");
    assert!(remedy.contains("out of the YAML: workspace_tags.w") && !remedy.contains("state rm"), "{remedy}");
}

#[test]
fn groups_of_the_account_are_not_deleted() {
    let group = |sort: &str| format!(r#"{{"id":"5","displayName":"team","meta":{{"resourceType":"{sort}"}}}}"#);
    for (sort, destroy, expected) in [
        ("Group", false, (Action::Delete, vec!["refused"])),
        ("Group", true, (Action::Forget, vec![])),
        ("WorkspaceGroup", false, (Action::Delete, vec![])),
        ("WorkspaceGroup", true, (Action::Delete, vec![])),
    ] {
        let mut world = deleting("groups.g", "5", &group(sort));
        world.state.resources.get_mut(&at("groups.g")).unwrap().adopted = true;
        (world.options.destroy, world.options.include_adopted) = (destroy, destroy);
        let step = world.step("groups.g");
        assert_eq!(verdict(&step), expected, "{sort} {destroy}");
        if let Some(block) = step.blocks.first() {
            assert!(block.reason.contains("only the account deletes") && block.remedy[0].starts_with("forget: ['groups.g']"), "{block:?}");
        }
    }
}

#[test]
fn what_was_not_read_is_not_put_back() {
    let list = |who: &str| {
        format!(r#"{{"object_type":"jobs","object_id":"9","entries":[{{"user_name":"{who}","permission_level":"CAN_VIEW"}}]}}"#)
    };
    for (unread, expected) in [(false, (Action::Update, vec![])), (true, (Action::Update, vec!["refused"]))] {
        let mut world = World::new();
        world.hold("permissions.p", "jobs/9", &list("ana@x")).former = Some(value(&list("bo@x")));
        let live = r#"{"access_control_list":[{"user_name":"o@x","all_permissions":[{"permission_level":"IS_OWNER","inherited":false}]},
            {"user_name":"ana@x","all_permissions":[{"permission_level":"CAN_VIEW","inherited":false}]}]}"#;
        world.see("permissions.p", found("jobs/9", live));
        (world.options.destroy, world.options.no_refresh) = (true, unread);
        assert_eq!(verdict(&world.step("permissions.p")), expected, "{unread}");
    }
}

#[test]
fn what_cannot_be_read_is_never_deleted() {
    let mut world = deleting("jobs.a", "9", JOB);
    world.see("jobs.a", failed());
    assert_eq!(verdict(&world.step("jobs.a")), (Action::None, vec!["unreadable"]));
    assert_eq!(world.state.resources[&at("jobs.a")].applied, value(JOB));
}

#[test]
fn uncommitted_changes_block_where_the_environment_says_so() {
    for (asks, dirty, lifted, blocked) in
        [(true, true, false, true), (true, true, true, false), (true, false, false, false), (false, true, false, false)]
    {
        let mut world = World::new();
        world.environment.guards.require_clean_git = asks;
        world.options.provenance.dirty.extend(dirty.then(|| "conf/a.yaml".to_owned()));
        world.options.overrides.extend(lifted.then(|| "dirty_tree".to_owned()));
        let guards: Vec<&str> = world.plan().blocks.iter().map(|b| b.guard).collect();
        assert_eq!(guards, if blocked { vec!["dirty_tree"] } else { vec![] }, "{asks} {dirty} {lifted}");
    }
}

#[test]
fn what_holds_the_state_of_the_plan_does_not_go() {
    let volume = r#"{"catalog_name":"lake","schema_name":"ops","name":"st","volume_type":"MANAGED"}"#;
    let schema = r#"{"catalog_name":"lake","name":"ops"}"#;
    let catalog = r#"{"name":"lake"}"#;
    let folder = r#"{"path":"/Shared/x"}"#;
    for (address, id, body, place, blocked) in [
        ("volumes.st", "lake.ops.st", volume, "volume:/Volumes/lake/ops/st/x", true),
        ("volumes.st", "lake.ops.st", volume, "volume:/LAKE/ops/st", true),
        ("volumes.st", "lake.ops.st", volume, "volume:/lake/ops/st2/x", false),
        ("volumes.st", "lake.ops.st", volume, "workspace:/lake/ops/st", false),
        ("schemas.ops", "lake.ops", schema, "volume:/lake/ops/st/x", true),
        ("schemas.ops", "lake.ops", schema, "volume:/lake/opsy/st/x", false),
        ("catalogs.lake", "lake", catalog, "volume:/lake/ops/st/x", true),
        ("catalogs.lake", "lake", catalog, ".brickform/state/dev.json", false),
        ("directories.x", "/Shared/x", folder, "workspace:/Shared/x", true),
        ("directories.x", "/Shared/x", folder, "workspace:/Workspace/Shared/x/y", true),
        ("directories.x", "/Shared/x", folder, "workspace:/Shared/xy", false),
        ("directories.x", "/Shared/x", folder, "s3://Shared/x", false),
    ] {
        let told = |world: &World| {
            let step = world.step(address);
            let blocks: Vec<_> = step.blocks.into_iter().filter(|block| block.reason.contains("the state of")).collect();
            assert!(blocks.iter().all(|block| block.guard == "refused" && block.remedy[0].contains("state migrate --env dev --to")));
            blocks.len() == 1
        };
        let mut world = deleting(address, id, body);
        place.clone_into(&mut world.state_place);
        world.options.allow_delete = ["volumes", "schemas", "catalogs"].map(str::to_owned).to_vec();
        assert_eq!(told(&world), blocked, "{address} {place}");
        world.want(address, body);
        assert!(!told(&world), "what stays: {address} {place}");
        world.options.replace = vec![at(address)];
        assert_eq!(told(&world), blocked, "replaced: {address} {place}");
        world.options.replace.clear();
        world.options.destroy = true;
        assert_eq!(told(&world), blocked, "destroyed: {address} {place}");
    }
    let mut world = deleting("volumes.st", "lake.ops.st", volume);
    "volume:/lake/ops/st/x".clone_into(&mut world.state_place);
    world.want("volumes.st", &volume.replace(r#""name":"st""#, r#""name":"other""#));
    let step = world.step("volumes.st");
    assert!(step.blocks.iter().any(|block| block.reason.contains("the state of dev is kept in it")), "{step:?}");
}
