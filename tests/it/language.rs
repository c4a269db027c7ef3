//! What the language says about an object's life, end to end: presets and `lifecycle`, against the embedded workspace.

use brickform::plan::{Action, Options, Step};
use brickform::state::Store as _;

use super::laws::done;
use super::world::{Ran, World};

const JOB: &str = "tasks: [{ task_key: t, notebook_task: { notebook_path: /a } }]";

fn made(conf: &str) -> World {
    let world = World::new(&[]);
    world.write("conf/a.yaml", conf);
    world
}

/// Sets what the environment says beside its workspace.
fn environment(world: &World, rest: &str) {
    world.write("environments/test.yaml", &format!("workspace: local\nstate: {{ key: {{ env: LAWS_SECRET }} }}\n{rest}"));
}

async fn applied(world: &World) -> Ran {
    let ran = world.run(&Options::default()).await;
    done(&ran, "applied");
    let again = world.run(&Options::default()).await;
    assert!(again.is_empty(), "{}", again.told());
    ran
}

fn step<'r>(ran: &'r Ran, address: &str) -> &'r Step {
    let plan = ran.plan.as_ref().expect("a plan");
    plan.steps.iter().find(|s| s.address.to_string() == address).unwrap_or_else(|| panic!("{address}\n{}", ran.told()))
}

fn guards(ran: &Ran, address: &str) -> Vec<String> {
    step(ran, address).blocks.iter().map(|b| b.guard.to_string()).collect()
}

fn id(world: &World, address: &str) -> String {
    let document = world.store().load().expect("it can be read").expect("it is there");
    document.resources.iter().find(|(a, _)| a.to_string() == address).expect("it is in the state").1.id.clone()
}

/// Everything in the workspace, as text.
fn held(world: &World) -> String {
    format!("{:?}", world.workspace.dump())
}

#[tokio::test]
async fn presets_reach_the_workspace_and_overlays_win() {
    let schedule = "schedule: { quartz_cron_expression: '0 0 * * * ?', timezone_id: UTC }";
    let world = made(&format!("jobs:\n  a: {{ name: nightly, {schedule}, {JOB} }}\n  b: {{ name: other, {schedule}, {JOB} }}\n"));
    let presets = "presets: { name_prefix: \"[dev] \", tags: { cost: \"1\" }, pause_schedules: true, lock_jobs_ui: true }\n";
    let overlay = "resources: { jobs: { b: { edit_mode: EDITABLE, tags: { cost: \"2\" }, schedule: { pause_status: UNPAUSED } } } }\n";
    environment(&world, &format!("{presets}{overlay}"));
    let ran = applied(&world).await;
    let writes = ran.writes();
    let of = |name: &str| writes.iter().find(|w| w.contains(name)).unwrap_or_else(|| panic!("{name}: {writes:#?}"));
    let (a, b) = (of(r#""name":"[dev] nightly""#), of(r#""name":"[dev] other""#));
    assert!(a.contains(r#""pause_status":"PAUSED""#) && a.contains(r#""edit_mode":"UI_LOCKED""#) && a.contains(r#""cost":"1""#), "{a}");
    assert!(b.contains(r#""pause_status":"UNPAUSED""#) && b.contains(r#""edit_mode":"EDITABLE""#) && b.contains(r#""cost":"2""#), "{b}");
    // Without the presets the names are those of the files again, and so is the schedule.
    environment(&world, "");
    let ran = applied(&world).await;
    assert_eq!(step(&ran, "jobs.a").action, Action::Update, "{}", ran.told());
    assert!(!held(&world).contains("[dev]"), "{}", held(&world));
}

#[tokio::test]
async fn what_is_adopted_by_name_has_the_prefix() {
    let text = format!("jobs: {{ a: {{ name: nightly, lifecycle: {{ adopt: by_name }}, {JOB} }} }}\n");
    let world = made(&text);
    environment(&world, "presets: { name_prefix: dev- }\n");
    let there = |name: &str| {
        format!(
            "POST /api/2.2/jobs/create {{\"name\":\"{name}\",\"tasks\":[{{\"task_key\":\"t\",\"notebook_task\":{{\"notebook_path\":\"/a\"}}}}]}}"
        )
    };
    world.by_hand(&there("nightly")).await;
    world.by_hand(&there("dev-nightly")).await;
    let ran = applied(&world).await;
    assert_eq!(step(&ran, "jobs.a").action, Action::Adopt, "{}", ran.told());
    assert!(!ran.writes().iter().any(|w| w.contains("jobs/create")), "{}", ran.told());
    // Two of the name: nobody guesses.
    let world = made(&text);
    environment(&world, "presets: { name_prefix: dev- }\n");
    world.by_hand(&there("dev-nightly")).await;
    world.by_hand(&there("dev-nightly")).await;
    let ran = world.run(&Options::default()).await;
    assert!(ran.plan.as_ref().is_some_and(brickform::plan::Plan::is_blocked), "{}", ran.told());
}

#[tokio::test]
async fn a_standby_costs_nothing_until_it_is_needed() {
    let world = made(
        "instance_pools: { p: { instance_pool_name: p, node_type_id: i3.xlarge, min_idle_instances: 5 } }\n\
         clusters: { c: { cluster_name: c, spark_version: 15.4.x-scala2.12, node_type_id: i3.xlarge, num_workers: 1 } }\n",
    );
    environment(&world, "presets: { standby: true }\n");
    let ran = applied(&world).await;
    assert!(ran.writes().iter().any(|w| w.contains("instance-pools/create") && w.contains("\"min_idle_instances\":0")), "{}", ran.told());
    assert!(!held(&world).contains("RUNNING"), "{}", held(&world));
    environment(&world, "");
    let ran = applied(&world).await;
    assert!(ran.writes().iter().any(|w| w.contains("instance-pools/edit") && w.contains("\"min_idle_instances\":5")), "{}", ran.told());
}

#[tokio::test]
async fn prevent_destroy_outlives_the_file() {
    let protected = |on: bool| format!("jobs: {{ a: {{ name: a, lifecycle: {{ prevent_destroy: {on} }}, {JOB} }} }}\n");
    let world = made(&protected(true));
    applied(&world).await;
    world.write("conf/a.yaml", "{}\n");
    let ran = world.run(&Options::default()).await;
    assert_eq!(guards(&ran, "jobs.a"), ["prevent_destroy"], "{}", ran.told());
    assert!(ran.writes().is_empty());
    // What is applied lifts it, and then it goes; from an overlay too.
    world.write("conf/a.yaml", &protected(true));
    environment(&world, "resources: { jobs: { a: { lifecycle: { prevent_destroy: false } } } }\n");
    applied(&world).await;
    world.write("conf/a.yaml", "{}\n");
    environment(&world, "");
    done(&world.run(&Options::default()).await, "deleted");
    assert!(!held(&world).contains("\"a\""), "{}", held(&world));
}

#[tokio::test]
async fn what_is_ignored_is_left_to_others() {
    let ignored = "lifecycle: { ignore_changes: [max_concurrent_runs, 'tasks[task_key=t].timeout_seconds'] }";
    let job = |seconds: u32, runs: u32| {
        format!(
            "jobs: {{ a: {{ name: a, max_concurrent_runs: {runs}, {ignored}, tasks: [{{ task_key: s, notebook_task: {{ notebook_path: /s }} }}, {{ task_key: t, timeout_seconds: {seconds}, notebook_task: {{ notebook_path: /a }} }}] }} }}\n"
        )
    };
    let world = made(&job(5, 1));
    let ran = applied(&world).await;
    assert!(ran.writes().iter().any(|w| w.contains("\"timeout_seconds\":5")), "a create sends it: {}", ran.told());
    let by_hand = format!(
        "POST /api/2.2/jobs/update {{\"job_id\":{},\"new_settings\":{{\"max_concurrent_runs\":3,\"tasks\":[{{\"task_key\":\"t\",\"timeout_seconds\":99,\"notebook_task\":{{\"notebook_path\":\"/a\"}}}},{{\"task_key\":\"s\",\"notebook_task\":{{\"notebook_path\":\"/s\"}}}}]}}}}",
        id(&world, "jobs.a")
    );
    world.by_hand(&by_hand).await;
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_empty(), "{}", ran.told());
    world.write("conf/a.yaml", &job(7, 2));
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_empty(), "{}", ran.told());
    // A change beside it keeps what is live.
    world.write("conf/a.yaml", &job(7, 2).replace("/s }", "/other }"));
    let ran = applied(&world).await;
    assert!(!ran.writes().iter().any(|w| w.contains("\"timeout_seconds\":7") || w.contains("\"max_concurrent_runs\":2")), "{}", ran.told());
    assert!(held(&world).contains("/other") && held(&world).contains("99"), "{}", held(&world));
}

#[tokio::test]
async fn the_new_one_first_needs_a_name_of_its_own() {
    let pool = |name: &str, node: &str| {
        format!(
            "instance_pools: {{ p: {{ instance_pool_name: {name}, node_type_id: {node}, lifecycle: {{ create_before_destroy: true }} }} }}\n"
        )
    };
    let world = made(&pool("p", "i3.xlarge"));
    applied(&world).await;
    world.write("conf/a.yaml", &pool("p", "i3.2xlarge"));
    let ran = world.run(&Options::default()).await;
    let reason = &step(&ran, "instance_pools.p").blocks[0].reason;
    assert!(reason.contains("create_before_destroy cannot work, because names of instance_pools are unique"), "{reason}");
    world.write("conf/a.yaml", &pool("q", "i3.2xlarge"));
    let ran = applied(&world).await;
    let writes = ran.writes();
    let place = |what: &str| writes.iter().position(|w| w.contains(what)).unwrap_or_else(|| panic!("{what}\n{}", ran.told()));
    assert!(place("instance-pools/create") < place("instance-pools/delete"), "{}", ran.told());
}

#[tokio::test]
async fn a_name_twice_is_on_purpose() {
    let job = |more: &str| format!("jobs: {{ a: {{ name: twin, {more}{JOB} }} }}\n");
    let world = made(&job(""));
    world.by_hand("POST /api/2.2/jobs/create {\"name\":\"twin\"}").await;
    let ran = world.run(&Options::default()).await;
    assert_eq!(guards(&ran, "jobs.a"), ["exists"], "{}", ran.told());
    environment(&world, "resources: { jobs: { a: { lifecycle: { allow_duplicate_name: true } } } }\n");
    let ran = applied(&world).await;
    assert_eq!(step(&ran, "jobs.a").action, Action::Create, "{}", ran.told());
}

#[tokio::test]
async fn who_owns_the_whole_object_removes_what_others_add() {
    let job = |more: &str| format!("jobs: {{ a: {{ name: a, {more}{JOB} }} }}\n");
    let world = made(&job(""));
    applied(&world).await;
    let id = id(&world, "jobs.a");
    world.by_hand(&format!("POST /api/2.2/jobs/update {{\"job_id\":{id},\"new_settings\":{{\"description\":\"by hand\"}}}}")).await;
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_empty(), "an unmanaged field is left alone: {}", ran.told());
    environment(&world, "resources: { jobs: { a: { lifecycle: { exclusive: true } } } }\n");
    let ran = applied(&world).await;
    assert!(ran.told().contains("by hand") && ran.told().contains("description"), "the plan shows it: {}", ran.told());
    assert!(!held(&world).contains("by hand"), "{}", held(&world));
}

#[tokio::test]
async fn waiting_is_asked_for() {
    for (wait, gets) in [("", false), ("lifecycle: { wait: false }, ", false), ("lifecycle: { wait: running }, ", true)] {
        let world = made(&format!("warehouses: {{ w: {{ name: w, {wait}cluster_size: Small, auto_stop_mins: 10 }} }}\n"));
        let ran = world.run(&Options::default()).await;
        done(&ran, wait);
        let made = ran.applying.iter().position(super::world::Sent::is_write).expect("it is created");
        let state = ran.applying[made..].iter().any(|s| !s.is_write() && s.request.path.contains("/warehouses/"));
        assert_eq!(state, gets, "{wait}: {}", ran.told());
    }
}
