//! `self_lockout`: whoever calls keeps what they manage, unless they say otherwise.

use super::{World, at, found, verdict};
use crate::client::{Me, Membership};
use crate::plan::Plan;

const JOB: &str = "jobs.a/permissions";
const BOUND: &str = r#""object_type":"jobs","object_id":"9""#;
const FLAG: &str = "--allow-self-lockout";

fn me(groups: &[(&str, &str)]) -> Me {
    let groups = groups.iter().map(|(id, name)| Membership { id: (*id).to_owned(), name: (*name).to_owned() }).collect();
    Me { workspace: "7".to_owned(), id: "1".to_owned(), name: "ada@x".to_owned(), groups }
}

/// `user ada@x CAN_MANAGE` as an entry of a reply.
fn shown(entries: &[(&str, &str, &str)]) -> String {
    let list: Vec<String> = entries
        .iter()
        .map(|(by, name, level)| format!(r#"{{"{by}":"{name}","all_permissions":[{{"permission_level":"{level}","inherited":false}}]}}"#))
        .collect();
    format!(r#"{{"object_id":"/jobs/9","object_type":"job","access_control_list":[{}]}}"#, list.join(","))
}

fn wanted(entries: &[(&str, &str, &str)]) -> String {
    let list: Vec<String> =
        entries.iter().map(|(by, name, level)| format!(r#"{{"{by}":"{name}","permission_level":"{level}"}}"#)).collect();
    format!(r#"{{{BOUND},"entries":[{}]}}"#, list.join(","))
}

fn job(live: &[(&str, &str, &str)], want: &[(&str, &str, &str)], caller: Me) -> World {
    let mut world = World::new();
    world.caller = Some(caller);
    world.environment.deployer = Some("robot@x".to_owned());
    world.desired.deployer = Some("robot@x".into());
    world.steady("jobs.a", "9", r#"{"name":"a"}"#);
    world.want(JOB, &wanted(want));
    world.hold(JOB, "jobs/9", &wanted(live));
    world.see(JOB, found("jobs/9", &shown(live)));
    world
}

fn locked(plan: &Plan) -> Vec<String> {
    let blocked = plan.steps.iter().filter(|s| s.blocks.iter().any(|b| b.guard == "self_lockout"));
    blocked.map(|s| s.address.to_string()).collect()
}

const OWNER: (&str, &str, &str) = ("user_name", "robot@x", "IS_OWNER");
const ADA: (&str, &str, &str) = ("user_name", "Ada@x", "CAN_MANAGE");
const ADA_VIEWS: (&str, &str, &str) = ("user_name", "ada@x", "CAN_VIEW");
const TEAM: (&str, &str, &str) = ("group_name", "team", "CAN_MANAGE");
const EVERYONE: (&str, &str, &str) = ("group_name", "users", "CAN_MANAGE");

#[test]
fn lists_of_objects_keep_who_calls() {
    let (alone, in_team, admin) = (me(&[]), me(&[("5", "Team")]), me(&[("2", "admins")]));
    for (name, live, want, caller, blocked) in [
        ("taken out", vec![OWNER, ADA], vec![OWNER, TEAM], &alone, true),
        ("kept", vec![OWNER, ADA], vec![OWNER, TEAM, ADA], &alone, false),
        ("kept through a group", vec![OWNER, ADA], vec![OWNER, TEAM], &in_team, false),
        ("kept as everyone", vec![OWNER, ADA], vec![OWNER, EVERYONE], &alone, false),
        ("the group is taken out", vec![OWNER, TEAM], vec![OWNER], &in_team, true),
        ("lowered", vec![OWNER, ADA], vec![OWNER, ADA_VIEWS], &alone, true),
        ("did not manage it", vec![OWNER, TEAM], vec![OWNER], &alone, false),
        ("an admin manages everything", vec![OWNER, ADA], vec![OWNER, TEAM], &admin, false),
        ("nothing changes", vec![OWNER, ADA], vec![OWNER, ADA], &alone, false),
    ] {
        let mut world = job(&live, &want, caller.clone());
        let plan = world.plan();
        assert_eq!(locked(&plan), if blocked { vec![JOB] } else { vec![] }, "{name}");
        world.options.overrides = vec!["self_lockout".to_owned()];
        let plan = world.plan();
        assert_eq!((plan.is_blocked(), plan.lifted.contains(FLAG)), (false, blocked), "{name}");
        world.options.overrides = vec![];
        world.caller = None;
        assert!(!world.plan().is_blocked(), "{name}: nobody knows who calls");
    }
}

#[test]
fn the_message_says_what_is_lost_and_what_keeps_it() {
    let block = job(&[OWNER, TEAM], &[OWNER], me(&[("5", "team")])).step(JOB).blocks.remove(0);
    assert_eq!(
        block.reason,
        "jobs.a/permissions would leave ada@x, who calls, without CAN_MANAGE or IS_OWNER on jobs.a (now: CAN_MANAGE of team)"
    );
    assert_eq!(block.remedy[..2], [FLAG, "or list who calls: - { user_name: ada@x, permission_level: CAN_MANAGE }"]);
    assert!(block.remedy[2].contains("deployer: ada@x"), "{:?}", block.remedy);
}

#[test]
fn an_owner_gives_an_object_away() {
    const MINE: (&str, &str, &str) = ("user_name", "ada@x", "IS_OWNER");
    for (want, blocked) in [(vec![OWNER], true), (vec![OWNER, ADA], false), (vec![MINE], false)] {
        assert_eq!(!locked(&job(&[MINE], &want, me(&[])).plan()).is_empty(), blocked, "{want:?}");
    }
}

#[test]
fn secret_scopes() {
    let list = |who: &str| format!(r#"{{"principal":"{who}","permission":"MANAGE"}}"#);
    for (want, groups, blocked) in [("bob@x", vec![], true), ("ada@x", vec![], false), ("team", vec![("5", "team")], false)] {
        let mut world = World::new();
        world.caller = Some(me(&groups));
        world.steady("secret_scopes.s", "s", r#"{"scope":"s"}"#);
        world.want("secret_scopes.s/secret_acls", &format!(r#"{{"scope":"s","entries":[{}]}}"#, list(want)));
        let held = format!(r#"{{"scope":"s","entries":[{}]}}"#, list("ada@x"));
        world.hold("secret_scopes.s/secret_acls", "s", &held);
        world.see("secret_scopes.s/secret_acls", found("s", &held));
        assert_eq!(!locked(&world.plan()).is_empty(), blocked, "{want}");
    }
}

#[test]
fn securables_are_kept_by_manage_and_by_ownership_also_from_admins() {
    for (owner, new_owner, want, groups, blocked) in [
        ("bob@x", "bob@x", r#"["USE_CATALOG"]"#, vec![], true),
        ("bob@x", "bob@x", r#"["USE_CATALOG"]"#, vec![("2", "admins")], true),
        ("bob@x", "bob@x", r#"["MANAGE"]"#, vec![], false),
        ("ada@x", "ada@x", r#"["USE_CATALOG"]"#, vec![], false),
        ("ada@x", "bob@x", r#"["USE_CATALOG"]"#, vec![], true),
        ("bob@x", "team", r#"["USE_CATALOG"]"#, vec![("5", "team")], false),
    ] {
        let mut world = World::new();
        world.caller = Some(me(&groups));
        let catalog = |owner: &str| format!(r#"{{"name":"main","owner":"{owner}"}}"#);
        world.want("catalogs.m", &catalog(new_owner));
        world.hold("catalogs.m", "main", &catalog(owner));
        world.see("catalogs.m", found("main", &catalog(owner)));
        let grants = |privileges: &str| {
            format!(r#"{{"securable_type":"catalog","full_name":"main","entries":[{{"principal":"ada@x","privileges":{privileges}}}]}}"#)
        };
        world.want("catalogs.m/grants", &grants(want));
        world.hold("catalogs.m/grants", "catalog/main", &grants(r#"["MANAGE"]"#));
        world.see(
            "catalogs.m/grants",
            found("catalog/main", r#"{"privilege_assignments":[{"principal":"ada@x","privileges":["MANAGE"]}]}"#),
        );
        assert_eq!(!locked(&world.plan()).is_empty(), blocked, "{owner} {new_owner} {want} {groups:?}");
    }
}

/// A group of which the caller is to be no member any more.
fn leaving(id: &str, name: &str, world: &mut World) {
    let (group, list) = (format!(r#"{{"id":"{id}","displayName":"{name}"}}"#), "groups.g/group_members");
    world.steady("groups.g", id, &group);
    world.want(list, &format!(r#"{{"group_id":"{id}","entries":[{{"value":"3"}}]}}"#));
    world.hold(list, id, &format!(r#"{{"group_id":"{id}","entries":[{{"value":"1"}}]}}"#));
    world.see(list, found(id, &format!(r#"{{"id":"{id}","displayName":"{name}","members":[{{"value":"1"}}]}}"#)));
}

#[test]
fn leaving_a_group_counts_where_it_matters() {
    let steady = [OWNER, TEAM];
    for (name, groups, live, blocked) in [
        ("admins", vec![("2", "admins")], &steady[..], true),
        ("team", vec![("5", "team")], &steady[..], true),
        ("team", vec![("5", "team")], &[OWNER, ADA][..], false),
        ("team", vec![("5", "team"), ("3", "others")], &steady[..], false),
        ("team", vec![("5", "team"), ("2", "admins")], &steady[..], false),
    ] {
        let mut world = job(live, live, me(&groups));
        let id = groups.iter().find(|(_, n)| *n == name).expect("one of them").0;
        leaving(id, name, &mut world);
        let plan = world.plan();
        assert_eq!(locked(&plan), if blocked { vec!["groups.g/group_members"] } else { vec![] }, "{name} {groups:?} {live:?}");
        // Where nothing that is managed hangs on it, a group can be left.
        world.desired.resources.remove(&at(JOB));
        world.state.resources.remove(&at(JOB));
        assert_eq!(!locked(&world.plan()).is_empty(), name == "admins", "{name} {groups:?}");
    }
}

#[test]
fn nobody_deletes_themselves_unawares() {
    for (id, blocked) in [("1", true), ("4", false)] {
        let mut world = World::new();
        world.caller = Some(me(&[]));
        world.hold("users.u", id, r#"{"userName":"ada@x"}"#);
        world.see("users.u", found(id, r#"{"userName":"ada@x"}"#));
        assert_eq!(verdict(&world.step("users.u")).1.contains(&"self_lockout"), blocked);
    }
}

#[test]
fn who_owns_or_manages_what_a_securable_is_in_keeps_it() {
    for (name, catalog_owner, catalog_next, privileges, groups, blocked) in [
        ("owns the catalog", "ada@x", "ada@x", r#"["USE_SCHEMA"]"#, vec![], vec![]),
        ("a group of theirs owns the catalog", "team", "team", r#"["USE_SCHEMA"]"#, vec![("5", "team")], vec![]),
        ("owns nothing", "bob@x", "bob@x", r#"["USE_SCHEMA"]"#, vec![], vec!["schemas.s/grants"]),
        ("is an admin of the workspace", "bob@x", "bob@x", r#"["USE_SCHEMA"]"#, vec![("2", "admins")], vec!["schemas.s/grants"]),
        ("gives the catalog away", "ada@x", "bob@x", r#"["MANAGE"]"#, vec![], vec!["catalogs.m"]),
        ("to a group of theirs", "ada@x", "team", r#"["USE_SCHEMA"]"#, vec![("5", "team")], vec![]),
        ("gives everything away", "ada@x", "bob@x", r#"["USE_SCHEMA"]"#, vec![], vec!["catalogs.m", "schemas.s/grants"]),
    ] {
        let mut world = World::new();
        world.caller = Some(me(&groups));
        let catalog = |owner: &str| format!(r#"{{"name":"main","owner":"{owner}"}}"#);
        world.want("catalogs.m", &catalog(catalog_next));
        world.hold("catalogs.m", "main", &catalog(catalog_owner));
        world.see("catalogs.m", found("main", &catalog(catalog_owner)));
        world.steady("schemas.s", "main.s", r#"{"catalog_name":"main","name":"s","owner":"bob@x"}"#);
        let grants = |privileges: &str| {
            format!(r#"{{"securable_type":"schema","full_name":"main.s","entries":[{{"principal":"ada@x","privileges":{privileges}}}]}}"#)
        };
        world.want("schemas.s/grants", &grants(privileges));
        world.hold("schemas.s/grants", "schema/main.s", &grants(r#"["MANAGE"]"#));
        let listed = r#"{"privilege_assignments":[{"principal":"ada@x","privileges":["MANAGE"]}]}"#;
        world.see("schemas.s/grants", found("schema/main.s", listed));
        assert_eq!(locked(&world.plan()), blocked, "{name}");
        // What is not read is taken from the state: who owned the catalog.
        world.options.no_refresh = true;
        let given_away = catalog_owner == "ada@x" && catalog_next == "bob@x";
        assert_eq!(locked(&world.plan()), if given_away { vec!["catalogs.m"] } else { vec![] }, "{name}, nothing read");
    }
}

#[test]
fn a_group_that_was_not_read_counts_by_its_recorded_name() {
    // The state alone: who calls is in `admins`, under a name of its own here.
    for (recorded, blocked) in [("Admins", true), ("others", false)] {
        let mut world = World::new();
        world.caller = Some(me(&[("2", "admins")]));
        world.hold("groups.g", "2", &format!(r#"{{"displayName":"{recorded}"}}"#));
        world.options.no_refresh = true;
        assert_eq!(!locked(&world.plan()).is_empty(), blocked, "{recorded}");
    }
    let mut world = job(&[OWNER, TEAM], &[OWNER, TEAM], me(&[("5", "team")]));
    world.hold("groups.g", "5", r#"{"displayName":"team"}"#);
    world.see("groups.g", found("5", r#"{"id":"5","displayName":"team","members":[{"value":"1"}]}"#));
    assert_eq!(locked(&world.plan()), ["groups.g"]);
}
