//! Every guard from end to end: it blocks at plan, where the plan is shown and written all the same; it blocks again at apply;
//! its own override lifts it, another one does not; and the history says what lifted it.

use brickform::local::LocalOptions;

use super::cli::Project;
use super::walk::Served;

struct Guard {
    word: &'static str,
    /// `guards:` of the environment, after the first apply.
    guards: &'static str,
    /// What is edited then: text in `conf/a.yaml`, and what takes its place.
    edit: (&'static str, &'static str),
    /// What lifts it.
    lifts: &'static str,
}

const JOBS: &str = "jobs:
  j0: { name: j0 }
  j1: { name: j1 }
  j2: { name: j2 }
  j3: { name: j3 }
  j4: { name: j4 }
  j5: { name: j5 }
  j6: { name: j6 }
  j7: { name: j7 }
";

const GUARDS: &[Guard] = &[
    Guard { word: "protects all jobs", guards: "protect: [jobs]", edit: ("  j1: { name: j1 }\n", ""), lifts: "--allow-protected-kind" },
    Guard { word: "with it", guards: "", edit: ("schemas: { s: { name: s, catalog_name: shop } }\n", ""), lifts: "--allow-delete schemas" },
    Guard {
        word: "guards.max_deletes allows 0",
        guards: "max_deletes: 0",
        edit: ("  j1: { name: j1 }\n", ""),
        lifts: "--allow-max-deletes",
    },
    Guard {
        word: "the plan changes 1 of 10 managed objects (10 %)",
        guards: "max_change_percent: 9",
        edit: ("{ name: j1 }", "{ name: j1, max_concurrent_runs: 3 }"),
        lifts: "--allow-max-change-percent",
    },
    Guard {
        word: "takes only what is committed",
        guards: "require_clean_git: true",
        edit: ("{ name: j1 }", "{ name: j1, max_concurrent_runs: 3 }"),
        lifts: "--allow-dirty-tree",
    },
    Guard {
        word: "policy `two_runs`",
        guards: "",
        edit: ("{ name: j1 }", "{ name: j1, max_concurrent_runs: 3 }"),
        lifts: "--allow-policy two_runs",
    },
];

const POLICY: &str = "name: demo
policies:
  two_runs:
    kinds: [jobs]
    expression: step.body.max_concurrent_runs | default(1) < 3
";

fn applied(policy: &str) -> Project {
    let project = Project::new(&[
        ("environments/dev.yaml", "workspace: local\n"),
        ("conf/project.yaml", policy),
        ("conf/a.yaml", &format!("catalogs: {{ shop: {{ name: shop }} }}\nschemas: {{ s: {{ name: s, catalog_name: shop }} }}\n{JOBS}")),
    ]);
    project.run("apply --env dev --yes").ended(0);
    project
}

fn lifted(project: &Project) -> serde_json::Value {
    let history: serde_json::Value = serde_json::from_str(&project.run("state history --env dev -o json").ended(0).out).expect("JSON");
    history["versions"][0]["apply"]["overrides"].clone()
}

fn git(project: &Project, arguments: &[&str]) {
    let outside = project.outside(&[]);
    let ran = outside.system.run("git", arguments, project.folder.path()).expect("git is there");
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn each_guard_blocks_twice_and_only_its_own_override_lifts_it() {
    for guard in GUARDS {
        let project = applied(if guard.word.starts_with("policy") { POLICY } else { "name: demo\n" });
        project.write("environments/dev.yaml", &format!("workspace: local\nguards: {{ {} }}\n", guard.guards));
        git(&project, &["init", "-q"]);
        git(&project, &["add", "-A"]);
        git(&project, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "first"]);
        project.edit("conf/a.yaml", guard.edit.0, guard.edit.1);

        let plan = project.run("plan --env dev --out .brickform/plan.json").ended(6);
        assert!(plan.out.contains(guard.word) && plan.out.contains(guard.lifts), "{}: {}", guard.lifts, plan.out);
        assert!(plan.out.contains("Blocked by 1 guard"), "{}: {}", guard.lifts, plan.out);
        let shown = project.run("show .brickform/plan.json").ended(6);
        assert!(shown.out.contains(guard.word), "{}", shown.out);
        project.run("apply .brickform/plan.json").ended(6);
        let others = "--allow-delete catalogs --allow-policy another --accept-conflict jobs.j1";
        let flags = ["--allow-protected-kind", "--allow-max-deletes", "--allow-max-change-percent", "--allow-dirty-tree"];
        let wrong: Vec<&str> = flags.into_iter().filter(|flag| *flag != guard.lifts).collect();
        let blocked = project.run(&format!("apply .brickform/plan.json {others} {}", wrong.join(" "))).ended(6);
        assert!(blocked.out.contains(guard.word), "{}", blocked.out);
        // What was given and lifted nothing is not in the history.
        project.run(&format!("apply .brickform/plan.json {others} {} {}", wrong.join(" "), guard.lifts)).ended(0);
        assert_eq!(lifted(&project), serde_json::json!([guard.lifts]), "{}", guard.lifts);
    }
}

#[test]
fn a_share_counts_from_ten_objects_on() {
    let project = applied("name: demo\n");
    project.edit("conf/a.yaml", "  j0: { name: j0 }\n", "");
    project.run("apply --env dev --yes").ended(0);
    project.write("environments/dev.yaml", "workspace: local\nguards: { max_change_percent: 1 }\n");
    project.edit("conf/a.yaml", "{ name: j1 }", "{ name: j1, max_concurrent_runs: 3 }");
    project.run("plan --env dev").ended(0);
    // Creates do not count; with them the tenth object is there at the next apply.
    project.edit("conf/a.yaml", "jobs:\n", "jobs:\n  j8: { name: j8 }\n  j9: { name: j9 }\n");
    project.run("apply --env dev --yes").ended(0);
    project.edit("conf/a.yaml", "max_concurrent_runs: 3", "max_concurrent_runs: 4");
    project.run("plan --env dev").ended(6);
}

#[test]
fn prevent_destroy_is_lifted_by_an_applied_false_and_nothing_else() {
    let project = applied("name: demo\n");
    project.edit("conf/a.yaml", "{ name: j1 }", "{ name: j1, lifecycle: { prevent_destroy: true } }");
    project.run("apply --env dev --yes").ended(0);
    project.edit("conf/a.yaml", "  j1: { name: j1, lifecycle: { prevent_destroy: true } }\n", "");
    let all = "--allow-delete jobs --allow-protected-kind --allow-max-deletes --allow-max-change-percent --allow-dirty-tree";
    let blocked = project.run(&format!("apply --env dev --yes {all}")).ended(6);
    assert!(blocked.out.contains("prevent_destroy protects it"), "{}", blocked.out);
    project.edit("conf/a.yaml", "jobs:\n", "jobs:\n  j1: { name: j1, lifecycle: { prevent_destroy: false } }\n");
    project.run("apply --env dev --yes").ended(0);
    project.edit("conf/a.yaml", "  j1: { name: j1, lifecycle: { prevent_destroy: false } }\n", "");
    project.run("apply --env dev --yes").ended(0);
}

#[test]
fn what_exists_and_what_both_changed_wait_for_their_flags() {
    let project = applied("name: demo\n");
    project.run("state rm jobs.j1 --env dev").ended(0);
    let plan = project.run("plan --env dev --out plan.json").ended(6);
    assert!(plan.out.contains("already exists"), "{}", plan.out);
    project.run("apply plan.json").ended(6);
    project.run("apply plan.json --adopt").ended(64);
    project.run("apply --env dev --yes --adopt").ended(0);
    assert_eq!(lifted(&project), serde_json::json!(["--adopt"]));

    // Somebody else's state over the same workspace changes the same field.
    project.write("environments/dev.yaml", "workspace: local\nguards: { on_conflict: block }\n");
    project.edit("conf/a.yaml", "{ name: j2 }", "{ name: j2, max_concurrent_runs: 3 }");
    project.run("apply --env dev --yes").ended(0);
    project.edit("conf/a.yaml", "max_concurrent_runs: 3", "max_concurrent_runs: 7");
    project.run("apply --env dev --yes --adopt --state other --target jobs.j2").ended(0);
    project.edit("conf/a.yaml", "max_concurrent_runs: 7", "max_concurrent_runs: 5");
    let plan = project.run("plan --env dev --out plan.json").ended(6);
    assert!(plan.out.contains("--accept-conflict 'jobs.j2'"), "{}", plan.out);
    project.run("apply plan.json --allow-dirty-tree").ended(6);
    project.run("apply plan.json --accept-conflict jobs.j2").ended(0);
    assert_eq!(lifted(&project), serde_json::json!(["--accept-conflict 'jobs.j2'"]));
}

/// Who calls is an admin only until they are registered: the workspace makes up an account for a name that it does not know.
#[test]
fn nobody_locks_themselves_out_unawares() {
    let served = Served::with(LocalOptions { caller: Some("ada@example.com".to_owned()), ..LocalOptions::default() });
    let project = Project::new(&[
        ("databrickscfg", &format!("[DEV]\nhost = {}\ntoken = secret\n", served.url)),
        ("environments/dev.yaml", "workspace: { profile: DEV, deployer: robot@example.com }\n"),
        (
            "conf/a.yaml",
            "users: { ada: { userName: ada@example.com }, robot: { userName: robot@example.com } }
jobs:
  nightly:
    name: nightly
    permissions:
      - { user_name: robot@example.com, permission_level: IS_OWNER }
      - { user_name: ada@example.com, permission_level: CAN_MANAGE }
",
        ),
    ]);
    let file = project.folder.path().join("databrickscfg").display().to_string();
    let run = |line: &str| project.with(line, &[("DATABRICKS_CONFIG_FILE", &file)], None);
    run("apply --env dev --yes").ended(0);
    run("plan --env dev --detailed-exitcode").ended(0);

    project.edit(
        "conf/a.yaml",
        "{ user_name: ada@example.com, permission_level: CAN_MANAGE }",
        "{ group_name: users, permission_level: CAN_VIEW }",
    );
    let plan = run("plan --env dev --out plan.json").ended(6);
    for words in ["would leave ada@example.com, who calls, without CAN_MANAGE", "--allow-self-lockout"] {
        assert!(plan.out.contains(words), "{words}: {}", plan.out);
    }
    run("apply plan.json").ended(6);
    run("apply plan.json --allow-max-deletes --allow-dirty-tree").ended(6);
    run("apply plan.json --allow-self-lockout").ended(0);
    let history: serde_json::Value = serde_json::from_str(&run("state history --env dev -o json").ended(0).out).expect("JSON");
    assert_eq!(history["versions"][0]["apply"]["overrides"], serde_json::json!(["--allow-self-lockout"]));
    run("plan --env dev --detailed-exitcode").ended(0);
}

#[test]
fn whoever_applies_may_list_themselves_below_the_owner_that_they_become() {
    let project = Project::new(&[
        ("environments/dev.yaml", "workspace: local\n"),
        (
            "conf/a.yaml",
            "jobs:
  both: { name: both, permissions: [{ user_name: admin@brickform.local, permission_level: CAN_MANAGE }, { group_name: users, permission_level: CAN_VIEW }] }
  alone: { name: alone, permissions: [{ user_name: admin@brickform.local, permission_level: CAN_MANAGE }] }
warehouses:
  w: { name: w, cluster_size: Small, permissions: [{ user_name: admin@brickform.local, permission_level: CAN_MANAGE }] }
",
        ),
    ]);
    let plan = project.run("plan --env dev --requests").ended(0);
    assert!(plan.out.contains("who applies this owns the object"), "{}", plan.out);
    project.run("apply --env dev --yes").ended(0);
    project.run("plan --env dev --detailed-exitcode").ended(0);
}
