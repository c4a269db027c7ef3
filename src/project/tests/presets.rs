//! Presets of environments.

use super::{field, folder};
use crate::model::json;

const JOB: &str = "jobs:\n  a:\n    name: nightly\n    schedule: { quartz_cron_expression: '0 0 * * * ?', timezone_id: UTC }\n    tags: { team: own }\n    tasks: [{ task_key: t, notebook_task: { notebook_path: /a } }]\n";
const POOL: &str = "instance_pools:\n  p: { instance_pool_name: p, node_type_id: i3.xlarge, min_idle_instances: 5 }\nwarehouses:\n  w: { name: w, cluster_size: Small, min_num_clusters: 2, max_num_clusters: 3, tags: { custom_tags: [{ key: team, value: own }] } }\n";

#[test]
fn a_job_gets_what_it_does_not_say_itself() {
    let environment = "workspace: local\nvariables: { who: ana }\npresets:\n  name_prefix: \"[dev ${who}] \"\n  tags: { team: x, cost: \"1\" }\n  pause_schedules: true\n  run_as: { service_principal_name: sp }\n  lock_jobs_ui: true\n";
    let files = folder(&[("conf/a.yaml", JOB), ("environments/dev.yaml", environment)]);
    let desired = files.resolve().unwrap();
    for (name, want) in [
        ("name", r#""[dev ana] nightly""#),
        ("tags", r#"{"team": "own", "cost": "1"}"#),
        ("schedule", r#"{"quartz_cron_expression": "0 0 * * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"}"#),
        ("run_as", r#"{"service_principal_name": "sp"}"#),
        ("edit_mode", r#""UI_LOCKED""#),
    ] {
        assert_eq!(json::display(field(&desired, "jobs.a", name)), want);
    }
    let touched: Vec<String> = desired.resources[&"jobs.a".parse().unwrap()]
        .presets
        .iter()
        .map(|p| format!("{} {} {}", p.path, p.preset, p.span.cite()))
        .collect();
    assert_eq!(
        touched,
        [
            "name name_prefix environments/dev.yaml:4",
            "tags.cost tags environments/dev.yaml:5",
            "schedule.pause_status pause_schedules environments/dev.yaml:6",
            "run_as run_as environments/dev.yaml:7",
            "edit_mode lock_jobs_ui environments/dev.yaml:8",
        ]
    );
}

#[test]
fn references_see_the_prefix_and_named_kinds_have_none() {
    let more = "catalogs:\n  c: { name: c, comment: \"of ${jobs.a.name}\" }\n";
    let files = folder(&[
        ("conf/a.yaml", JOB),
        ("conf/b.yaml", more),
        ("environments/dev.yaml", "workspace: local\npresets: { name_prefix: dev- }\n"),
    ]);
    assert_eq!(files.body("catalogs.c"), r#"{"name": "c", "comment": "of dev-nightly"}"#);
}

#[test]
fn what_is_written_wins_but_for_a_standby() {
    let environment = "workspace: local\npresets: { trigger_pause_status: PAUSED, jobs_max_concurrent_runs: 4 }\n";
    let job = JOB.replace("timezone_id: UTC", "timezone_id: UTC, pause_status: UNPAUSED");
    let files = folder(&[("conf/a.yaml", &job), ("environments/dev.yaml", environment)]);
    let body = files.body("jobs.a");
    assert!(body.contains(r#""pause_status": "UNPAUSED""#) && body.contains(r#""max_concurrent_runs": 4"#), "{body}");

    let standby = "extends: _base\npresets: { standby: true }\n";
    let base = "workspace: local\npresets: { tags: { cost: \"1\" }, lock_jobs_ui: true }\n";
    let files = folder(&[("conf/a.yaml", POOL), ("environments/dr.yaml", standby), ("environments/_base.yaml", base)]);
    let pool = files.body("instance_pools.p");
    assert!(pool.contains(r#""min_idle_instances": 0"#) && pool.contains(r#""cost": "1""#), "{pool}");
    let warehouse = files.body("warehouses.w");
    assert!(warehouse.contains(r#""min_num_clusters": 1"#) && warehouse.contains(r#""auto_stop_mins": 10"#), "{warehouse}");
    assert!(warehouse.contains(r#"[{"key": "team", "value": "own"}, {"key": "cost", "value": "1"}]"#), "{warehouse}");

    files.write("environments/dr.yaml", &format!("{standby}resources: {{ instance_pools: {{ p: {{ min_idle_instances: 1 }} }} }}\n"));
    let pool = files.body("instance_pools.p");
    assert!(pool.contains(r#""min_idle_instances": 1"#), "{pool}");
}

#[test]
fn mistakes_are_told_at_their_place() {
    for (presets, want) in [
        ("nam_prefix: x", "E0309 environments/dev.yaml:2:12 unknown key `nam_prefix` in `presets` [did you mean `name_prefix`?]"),
        ("trigger_pause_status: OFF", "E0303 environments/dev.yaml:2:34 `presets.trigger_pause_status` is `PAUSED` or `UNPAUSED`"),
        ("standby: yes", "E0303 environments/dev.yaml:2:21 `presets.standby` must be true or false, not text"),
        ("tags: [a]", "E0303 environments/dev.yaml:2:18 `presets.tags` must be a map, not a list"),
        ("source_linked_deployment: true", "W0316 environments/dev.yaml:2:12 `presets.source_linked_deployment` has no meaning here"),
        ("name_prefix: \"${nobody}\"", "E0204 environments/dev.yaml:2:"),
    ] {
        let environment = format!("workspace: local\npresets: {{ {presets} }}\n");
        let found = folder(&[("conf/a.yaml", JOB), ("environments/dev.yaml", &environment)]).found();
        assert!(found.contains(want), "{presets}: {found}");
    }
}
