//! Overlays: merged by natural key, before expressions.

use super::folder;

const BASE: &str = "jobs:
  a:
    name: a
    max_concurrent_runs: 1
    tags: {x: '1', y: '2'}
    tasks:
      - {task_key: one, run_if: ALL_SUCCESS, max_retries: 1}
      - {task_key: two}
    parameters: [{name: p, default: base}]
    permissions: [{group_name: eng, permission_level: CAN_VIEW}]
";

fn merged(overlay: &str, address: &str) -> String {
    let environment = format!("workspace: local\nresources:\n{overlay}");
    folder(&[("conf/j.yaml", BASE), ("environments/dev.yaml", &environment)]).body(address)
}

#[test]
fn overlays() {
    let tail = r#""parameters": [{"name": "p", "default": "base"}]}"#;
    let tasks = r#""tasks": [{"task_key": "one", "run_if": "ALL_SUCCESS", "max_retries": 1}, {"task_key": "two"}]"#;
    for (overlay, want) in [
        (
            "  jobs: {a: {max_concurrent_runs: 5, tags: {y: '3', z: \"${env.name}\"}}}\n",
            format!(r#"{{"name": "a", "max_concurrent_runs": 5, "tags": {{"x": "1", "y": "3", "z": "dev"}}, {tasks}, {tail}"#),
        ),
        (
            "  jobs: {a: {tags: {$replace: true, only: me}, max_concurrent_runs: {$delete: true}}}\n",
            format!(r#"{{"name": "a", "tags": {{"only": "me"}}, {tasks}, {tail}"#),
        ),
        (
            "  jobs: {a: {tasks: [{task_key: three}, {task_key: one, max_retries: 2}, {task_key: two, $delete: true}]}}\n",
            format!(
                r#"{{"name": "a", "max_concurrent_runs": 1, "tags": {{"x": "1", "y": "2"}}, "tasks": [{{"task_key": "one", "run_if": "ALL_SUCCESS", "max_retries": 2}}, {{"task_key": "three"}}], {tail}"#
            ),
        ),
        ("  jobs: {a: {$replace: true, name: fresh}}\n", r#"{"name": "fresh"}"#.to_owned()),
    ] {
        assert_eq!(merged(overlay, "jobs.a"), want, "{overlay}");
    }
    assert_eq!(merged("  jobs: {b: {name: new}}\n", "jobs.b"), r#"{"name": "new"}"#);
}

#[test]
fn items_that_are_only_their_key_are_matched_too() {
    let space = "spaces: {s: {title: S, warehouse_id: '1', tables: [a.b.c, {identifier: a.b.d, description: D}], sample_questions: [How?, Why?]}}\n";
    let over = "workspace: local\nresources: {spaces: {s: {tables: [{identifier: a.b.c, description: C}, a.b.d, a.b.e], sample_questions: [{question: How?, $delete: true}]}}}\n";
    let got = folder(&[("conf/s.yaml", space), ("environments/dev.yaml", over)]).body("spaces.s");
    for want in [
        r#"{"identifier": "a.b.c", "description": "C"}, {"identifier": "a.b.d", "description": "D"}, {"identifier": "a.b.e"}"#,
        r#""sample_questions": [{"question": "Why?"}]"#,
    ] {
        assert!(got.contains(want), "{got}");
    }
}

#[test]
fn facets_are_merged_by_principal() {
    let got = merged(
        "  jobs: {a: {permissions: [{group_name: eng, permission_level: CAN_MANAGE}, {user_name: ana, permission_level: CAN_VIEW}]}}\n",
        "jobs.a/permissions",
    );
    assert!(
        got.starts_with(
            r#"{"entries": [{"group_name": "eng", "permission_level": "CAN_MANAGE"}, {"user_name": "ana", "permission_level": "CAN_VIEW"}]"#
        ),
        "{got}"
    );
}

#[test]
fn later_overlays_win() {
    let f = folder(&[
        ("conf/j.yaml", BASE),
        ("environments/_base.yaml", "workspace: local\nresources: {jobs: {a: {$replace: true, name: b, timeout_seconds: 1}}}\n"),
        ("environments/dev.yaml", "extends: _base\nresources: {jobs: {a: {timeout_seconds: 2}}}\n"),
    ]);
    assert_eq!(f.body("jobs.a"), r#"{"name": "b", "timeout_seconds": 2}"#);
}

#[test]
fn what_cannot_be_merged_is_said() {
    for (overlay, want) in [
        ("  jobs: {b: {$delete: true}}\n", "E0115 environments/dev.yaml:3:10 `$delete` of jobs.b, which is not there"),
        (
            "  jobs: {a: {description: {$delete: true}}}\n",
            "E0115 environments/dev.yaml:3:14 `$delete` of `description`, which is not there",
        ),
        (
            "  jobs: {a: {tasks: [{task_key: no, $delete: true}]}}\n",
            "E0115 environments/dev.yaml:3:22 `$delete` of `task_key: no`, which is not there",
        ),
        (
            "  jobs: {a: {tasks: [{run_if: ALL_DONE}]}}\n",
            "E0117 environments/dev.yaml:3:22 an item of an overlay has no key: items here are told apart by `task_key`",
        ),
        ("  jbos: {a: {}}\n", "E0101 environments/dev.yaml:3:3 `jbos` is not a kind of resource [did you mean `jobs`?]"),
    ] {
        assert_eq!(merged(overlay, "jobs.a"), want, "{overlay}");
    }
    let twice = folder(&[
        ("conf/j.yaml", "jobs: {a: {name: a, tasks: [{task_key: t}, {task_key: t}]}}\n"),
        ("environments/dev.yaml", "workspace: local\nresources: {jobs: {a: {tasks: [{task_key: t, max_retries: 1}]}}}\n"),
    ]);
    assert!(twice.found().starts_with("E0116 conf/j.yaml:1:44 two items have the key `task_key: t`"), "{}", twice.found());
}

#[test]
fn a_deleted_resource_cannot_be_referred_to() {
    let f = folder(&[
        ("conf/j.yaml", "jobs: {a: {name: a}, b: {name: b, description: \"${jobs.a.name}\"}}\n"),
        ("environments/dev.yaml", "workspace: local\nresources: {jobs: {a: {$delete: true}}}\n"),
    ]);
    assert_eq!(f.found(), "E0205 conf/j.yaml:1:56 jobs.a is deleted in environment dev");
}

#[test]
fn a_slip_in_a_key_is_told_where_it_may_be_one() {
    let found = |overlay: &str| {
        let base = "jobs: {nightly: {name: n}, etl_1: {name: e}, x: {name: x}}\nwarehouses: {nightlys: {name: w, cluster_size: Small}}\n";
        let environment = format!("workspace: local\nresources: {{jobs: {{{overlay}}}}}\n");
        folder(&[("conf/j.yaml", base), ("environments/dev.yaml", &environment)]).found()
    };
    assert_eq!(
        found("nigthly: {name: n}"),
        "W0134 environments/dev.yaml:2:20 jobs.nigthly is declared in this environment only, and jobs.nightly is nearly called so [did you mean `nightly`?]"
    );
    for own in [
        // Nothing is nearly called so.
        "smoke_test: {name: s}",
        // Keys that count.
        "etl_2: {name: e}",
        // The other one is meant, too.
        "nightly: {timeout_seconds: 1}, nightly_x: {name: n}",
        // It is said to be another one.
        "nigthly: {$replace: true, name: n}",
    ] {
        assert_eq!(found(own), "", "{own}");
    }
}
