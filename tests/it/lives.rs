//! What objects go through that is seldom tried: adopted and drifted before the first change, killed in the middle, left
//! with a field that nothing clears, with a life that only an overlay says.

use brickform::local::{Fault, LocalOptions};
use brickform::model::{CommandOutput, Value, json};
use brickform::plan::{Action, Options};
use brickform::state::Store as _;

use super::cli::Project;
use super::laws::done;
use super::merging::content_of;
use super::space_ahead::send;
use super::walk::Served;
use super::world::{Sent, World};

fn made(conf: &str) -> World {
    let world = World::new(&[]);
    world.write("conf/a.yaml", conf);
    world
}

fn overlay(world: &World, resources: &str) {
    world.write(
        "environments/test.yaml",
        &format!("workspace: local\nstate: {{ key: {{ env: LAWS_SECRET }} }}\nresources: {{ {resources} }}\n"),
    );
}

async fn run(world: &World) -> super::world::Ran {
    let ran = world.run(&Options::default()).await;
    done(&ran, "applied");
    ran
}

fn id(world: &World, address: &str) -> String {
    let document = world.store().load().expect("it can be read").expect("it is there");
    document.resources.iter().find(|(a, _)| a.to_string() == address).expect("it is in the state").1.id.clone()
}

/// What the workspace holds of access and settings, as one text.
fn access(world: &World) -> String {
    let lines = world.workspace.dump().into_iter().filter(|(key, _)| !key.starts_with("jobs/") && !key.starts_with("catalogs/"));
    lines.flat_map(|(key, value)| [key, " ".to_owned(), json::display(&value), "\n".to_owned()]).collect()
}

/// Law 3: what stood before the first touch comes back, not what somebody made of it between adoption and change.
#[tokio::test]
async fn former_is_what_stood_at_adoption_whatever_drifted_since() {
    const CONF: &str = "jobs:
  j: { name: j, lifecycle: { adopt: by_name }, permissions: [{ group_name: users, permission_level: JOB_LEVEL }] }
catalogs:
  lake: { name: lake, lifecycle: { adopt: by_name }, grants: [{ principal: users, privileges: [PRIVILEGE] }] }
workspace_conf:
  w: { enableExportNotebook: \"SETTING\" }
";
    let conf = |level: &str, privilege: &str, setting: &str| {
        CONF.replace("JOB_LEVEL", level).replace("PRIVILEGE", privilege).replace("SETTING", setting)
    };
    let world = made(&conf("CAN_VIEW", "USE_CATALOG", "true"));
    for line in [
        "POST /api/2.2/jobs/create {\"name\":\"j\"}",
        "POST /api/2.1/unity-catalog/catalogs {\"name\":\"lake\"}",
        "PATCH /api/2.1/unity-catalog/permissions/catalog/lake {\"changes\":[{\"principal\":\"users\",\"add\":[\"USE_CATALOG\"]}]}",
        "PATCH /api/2.0/workspace-conf {\"enableExportNotebook\":\"true\"}",
    ] {
        world.by_hand(line).await;
    }
    let job = {
        let dump = world.workspace.dump();
        dump.keys().find_map(|key| key.strip_prefix("jobs/").map(str::to_owned)).expect("the job")
    };
    let level = |level: &str| {
        format!(
            "PATCH /api/2.0/permissions/jobs/{job} {{\"access_control_list\":[{{\"group_name\":\"users\",\"permission_level\":\"{level}\"}}]}}"
        )
    };
    world.by_hand(&level("CAN_VIEW")).await;
    let before = access(&world);

    // Adopted as it is: nothing is sent.
    let ran = run(&world).await;
    assert!(ran.writes().is_empty(), "{}", ran.told());
    // Somebody changes all three, and then the YAML does.
    world.by_hand(&level("CAN_MANAGE")).await;
    world
        .by_hand("PATCH /api/2.1/unity-catalog/permissions/catalog/lake {\"changes\":[{\"principal\":\"users\",\"add\":[\"USE_SCHEMA\"]}]}")
        .await;
    world.by_hand("PATCH /api/2.0/workspace-conf {\"enableExportNotebook\":\"\"}").await;
    world.write("conf/a.yaml", &conf("CAN_MANAGE_RUN", "SELECT", "false"));
    let ran = run(&world).await;
    assert_eq!(ran.writes().len(), 3, "{}", ran.told());
    assert_ne!(access(&world), before);

    done(&world.run(&Options { destroy: true, ..Options::default() }).await, "destroyed");
    assert_eq!(access(&world), before);
    assert!(world.workspace.dump().contains_key(&format!("jobs/{job}")), "what was adopted stays");
}

fn terminal(project: &Project, script: &str) -> CommandOutput {
    let folder = project.folder.path();
    let script = format!(
        "export HOME='{}' NO_COLOR=1 KEY=0123456789abcdef0123456789abcdef B='{}'\n{script}",
        folder.display(),
        env!("CARGO_BIN_EXE_brickform")
    );
    project.outside(&[]).system.run("sh", &["-c", &script], folder).expect("there is a shell")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_killed_apply_is_told_by_status_and_plan_and_settled_by_the_next() {
    let kill = Fault::killing("POST:/api/2.0/sql/warehouses:skip=1").expect("a fault");
    let served = Served::with(LocalOptions { faults: vec![kill], ..LocalOptions::default() });
    let project = Project::new(&[
        (".databrickscfg", &format!("[DEV]\nhost = {}\ntoken = secret\n", served.url)),
        ("environments/dev.yaml", "workspace: { profile: DEV }\n"),
        ("conf/project.yaml", "name: demo\n"),
        ("conf/a.yaml", "warehouses: { w: { name: w, cluster_size: Small }, x: { name: x, cluster_size: Small } }\n"),
    ]);
    let killed = terminal(&project, "\"$B\" apply --yes --parallelism 1; echo \"ended with $?\"");
    assert!(text(&killed.stdout).contains("ended with 137"), "{}{}", text(&killed.stdout), text(&killed.stderr));

    let status = text(&terminal(&project, "\"$B\" status").stdout);
    assert!(status.contains("by apply, not finished"), "{status}");
    assert!(status.contains("open: the create of warehouses.x (x) was interrupted; the next plan settles it"), "{status}");
    let plan = text(&terminal(&project, "\"$B\" plan").stdout);
    assert!(plan.contains("< warehouses.x  created by an interrupted apply"), "{plan}");
    assert!(plan.contains("Plan: 0 to add, 0 to change, 0 to delete; 1 adopted."), "{plan}");

    let doctor = text(&terminal(&project, "\"$B\" doctor").stdout);
    let plain: Vec<String> = doctor.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let has = |start: &str| plain.iter().any(|line| line.starts_with(start));
    assert!(has(&format!("ok brickform {}", env!("CARGO_PKG_VERSION"))) && has("ok git git version "), "{doctor}");
    assert!(plain.iter().any(|line| line.split_once(" disk ").is_some_and(|(_, found)| found.ends_with(" MiB free"))), "{doctor}");
    assert!(has("ok dev auth http") && has("warn dev state serial ") && doctor.contains("1 interrupted"), "{doctor}");
    assert!(doctor.contains("= the next plan settles what was interrupted"), "{doctor}");
    assert!(!doctor.contains("secret"), "{doctor}");

    let settled = terminal(&project, "\"$B\" apply --yes && \"$B\" plan --detailed-exitcode && \"$B\" status");
    assert_eq!(settled.code, Some(0), "{}{}", text(&settled.stdout), text(&settled.stderr));
    assert!(!text(&settled.stdout).contains("open:"), "{}", text(&settled.stdout));
}

/// The workspace of a killed update, edited after it: what `adopt --write` takes over is nobody's open question any more.
#[test]
fn what_was_taken_over_after_a_killed_update_is_known() {
    let kill = Fault::killing("PATCH:/api/2.0/genie/*").expect("a fault");
    let served = Served::with(LocalOptions { faults: vec![kill], ..LocalOptions::default() });
    let space = |sql: &str, title: &str| {
        format!(
            "spaces:\n  s:\n    title: {title}\n    warehouse_id: '475b94ddc7cd5211'\n    lifecycle: {{ merge: true }}\n    tables: [samples.nyctaxi.trips]\n    \
             instructions:\n      example_sql:\n        - {{ question: Top, sql: \"{sql}\", usage_guidance: first }}\n"
        )
    };
    let project = Project::new(&[
        (".databrickscfg", &format!("[DEV]\nhost = {}\ntoken = secret\n", served.url)),
        ("environments/dev.yaml", "workspace: { profile: DEV }\n"),
        ("conf/project.yaml", "name: demo\n"),
        ("conf/a.yaml", &space("SELECT 1", "S")),
    ]);
    let done = |script: &str| {
        let ran = terminal(&project, script);
        let said = format!("{}{}", text(&ran.stdout), text(&ran.stderr));
        assert_eq!(ran.code, Some(0), "{script}\n{said}");
        said
    };
    let edit = |member: &str, value: &str| {
        let (id, content) = content_of(&served.workspace);
        let mut content: serde_json::Value = serde_json::from_str(&json::write(&content).expect("JSON")).expect("JSON");
        content["instructions"]["example_question_sqls"][0][member] = serde_json::json!([value]);
        let body = serde_json::json!({ "serialized_space": content.to_string() });
        send(&served, "PATCH", &format!("/api/2.0/genie/spaces/{id}"), &body.to_string());
    };
    done("\"$B\" apply --yes");
    project.write("conf/a.yaml", &space("SELECT 2", "S"));
    let killed = terminal(&project, "\"$B\" apply --yes; echo \"ended with $?\"");
    assert!(text(&killed.stdout).contains("ended with 137"), "{}{}", text(&killed.stdout), text(&killed.stderr));
    edit("question", "Top ten");
    done("\"$B\" adopt --write spaces.s --yes");
    assert!(std::fs::read_to_string(project.folder.path().join("conf/a.yaml")).expect("a file").contains("question: Top ten"));
    // One more edit of the UI, and one of YAML's elsewhere.
    edit("sql", "SELECT 3");
    project.edit("conf/a.yaml", "title: S", "title: Sales");
    let plan = done("\"$B\" plan");
    assert!(!plan.contains("onflict") && plan.contains("SELECT 3"), "{plan}");
    done("\"$B\" apply --yes");
    let now = json::write(&content_of(&served.workspace).1).expect("JSON");
    assert!(now.contains("SELECT 3") && now.contains("Top ten"), "{now}");
    let plan = done("\"$B\" plan --detailed-exitcode");
    assert!(plan.contains("no changes"), "{plan}");
}

#[test]
fn serving_takes_the_environment_that_every_command_takes() {
    let project = Project::new(&[
        ("environments/dev.yaml", "workspace: local\n"),
        ("environments/test.yaml", "workspace: local\n"),
        ("conf/project.yaml", "name: demo\ndefault_environment: test\n"),
        ("conf/a.yaml", "jobs: { j: { name: j } }\n"),
    ]);
    let script = "\"$B\" local serve --port 0 >said & p=$!
for i in $(seq 200); do [ -s said ] && break; sleep 0.05; done
\"$B\" apply --yes; code=$?
kill $p; wait $p
cat said; exit $code";
    let ran = terminal(&project, script);
    let said = text(&ran.stdout);
    assert_eq!(ran.code, Some(0), "{said}{}", text(&ran.stderr));
    assert!(said.contains("(.brickform/local/test.redb) at http://127.0.0.1:"), "{said}");
    assert!(said.contains("test · local ·"), "the command talked to it: {said}");
    // Two environments, and nothing says which.
    project.write("conf/project.yaml", "name: demo\n");
    let refused = terminal(&project, "\"$B\" local serve --port 0");
    assert_eq!(refused.code, Some(64), "{}", text(&refused.stderr));
}

#[test]
fn what_cannot_be_unset_waits_for_a_value() {
    let project = Project::new(&[
        ("environments/dev.yaml", "workspace: local\n"),
        ("conf/a.yaml", "catalogs: { c: { name: c, owner: users } }\njobs: { j: { name: j } }\n"),
    ]);
    project.run("apply --env dev --yes").ended(0);
    project.write("conf/a.yaml", "catalogs: { c: { name: c } }\njobs: { j: { name: k } }\n");
    let plan = project.run("plan --env dev -o json").ended(6);
    let parsed: serde_json::Value = serde_json::from_str(&plan.out).expect("JSON");
    assert!(plan.out.contains("\"cannot_unset\""), "{parsed:#}");
    let told = project.run("plan --env dev").ended(6).out;
    assert!(told.contains("`owner` cannot be unset") && told.contains("write the value you want"), "{told}");
    // No flag lifts it, and nothing else of the plan is sent; left out, the rest goes.
    project.run("apply --env dev --yes --allow-protected-kind --allow-max-deletes").ended(6);
    project.run("apply --env dev --yes --exclude catalogs.c").ended(0);
    project.write("conf/a.yaml", "catalogs: { c: { name: c, owner: admins } }\njobs: { j: { name: k } }\n");
    project.run("apply --env dev --yes").ended(0);
    project.run("plan --env dev --detailed-exitcode").ended(0);
}

#[tokio::test]
async fn an_overlay_says_how_objects_live() {
    let conf = |runs: u32, node: &str| {
        format!(
            "warehouses: {{ w: {{ name: w, cluster_size: Small, lifecycle: {{ prevent_destroy: true }} }} }}
jobs: {{ a: {{ name: a, max_concurrent_runs: {runs}, description: d{runs} }} }}
instance_pools: {{ p: {{ instance_pool_name: p, node_type_id: {node} }} }}
"
        )
    };
    let world = made(&conf(1, "i3.xlarge"));
    overlay(
        &world,
        "warehouses: { w: { lifecycle: { wait: running } } }, jobs: { a: { lifecycle: { ignore_changes: [max_concurrent_runs] } } }, \
         instance_pools: { p: { lifecycle: { create_before_destroy: true } } }",
    );
    // It waits, and what the file says of its life besides stays.
    let ran = run(&world).await;
    let created = ran.applying.iter().position(|s: &Sent| s.is_write() && s.request.path.ends_with("/warehouses")).expect("it is created");
    assert!(ran.applying[created..].iter().any(|s| !s.is_write() && s.request.path.contains("/warehouses/")), "{}", ran.told());
    let document = world.store().load().expect("it can be read").expect("it is there");
    assert!(document.resources.iter().any(|(a, e)| a.to_string() == "warehouses.w" && e.protected));
    // What the overlay leaves to others is left, what is beside it is not.
    world.write("conf/a.yaml", &conf(4, "i3.xlarge"));
    let ran = run(&world).await;
    let writes = ran.writes();
    assert_eq!(writes.len(), 1, "{}", ran.told());
    assert!(writes[0].contains("\"description\":\"d4\"") && !writes[0].contains("\"max_concurrent_runs\":4"), "{writes:?}");
    // The new one first: its name is taken until the old one goes, which the plan says.
    world.write("conf/a.yaml", &conf(4, "i3.2xlarge"));
    let ran = world.run(&Options::default()).await;
    let plan = ran.plan.as_ref().expect("a plan");
    let pool = plan.steps.iter().find(|s| s.address.to_string() == "instance_pools.p").expect("it is in the plan");
    assert!(pool.blocks.iter().any(|b| b.reason.contains("create_before_destroy cannot work")), "{}", ran.told());
    world.write("conf/a.yaml", &conf(4, "i3.2xlarge").replace("instance_pool_name: p", "instance_pool_name: q"));
    let ran = run(&world).await;
    let plan = ran.plan.as_ref().expect("a plan");
    assert!(plan.steps.iter().any(|s| s.action == Action::ReplaceNewFirst), "{}", ran.told());
}

/// The API takes functions of a space only in the order of their ids, then names.
#[tokio::test]
async fn functions_of_a_space_are_sent_in_order() {
    let names = ["zeta", "alpha", "mid", "beta", "omega"];
    let functions: Vec<String> = names.iter().map(|name| format!("{{ identifier: main.tools.{name} }}")).collect();
    let space = |order: &[String]| {
        format!(
            "warehouses: {{ w: {{ name: w, cluster_size: Small }} }}\nspaces: {{ s: {{ title: S, warehouse_id: \"${{warehouses.w.id}}\", \
             tables: [samples.nyctaxi.trips], instructions: {{ functions: [{}] }} }} }}\n",
            order.join(", ")
        )
    };
    let world = made(&space(&functions));
    let ran = run(&world).await;
    let sent = ran.applying.iter().find(|s| s.is_write() && s.request.path.ends_with("/genie/spaces")).expect("it is created");
    let packed = sent.body.as_ref().and_then(|b| b.get("serialized_space")).and_then(Value::as_str).expect("its content");
    let content = json::parse(packed.as_bytes()).expect("JSON");
    let list = content.get("instructions").and_then(|i| i.get("sql_functions")).and_then(Value::as_list).expect("functions");
    let keys: Vec<(String, String)> = list
        .iter()
        .map(|f| ["id", "identifier"].map(|name| f.get(name).map(Value::key_text).unwrap_or_default()))
        .map(|[a, b]| (a, b))
        .collect();
    let mut sorted = keys.clone();
    sorted.sort();
    assert_eq!(keys, sorted);
    assert_eq!(keys.len(), names.len());
    // Another order in YAML is no change.
    let turned: Vec<String> = functions.iter().rev().cloned().collect();
    world.write("conf/a.yaml", &space(&turned));
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_empty(), "{}", ran.told());
    assert!(!id(&world, "spaces.s").is_empty());
}

/// A plan in a file that deletes a scope is consent to delete just the secrets that were in it.
#[test]
fn a_saved_deletion_of_a_scope_holds_for_the_secrets_that_it_named() {
    let served = Served::with(LocalOptions::default());
    let project = Project::new(&[
        (".databrickscfg", &format!("[DEV]\nhost = {}\ntoken = secret\n", served.url)),
        ("databrickscfg", &format!("[DEV]\nhost = {}\ntoken = secret\n", served.url)),
        ("environments/dev.yaml", "workspace: { profile: DEV }\n"),
        ("conf/scope.yaml", "secret_scopes: { s: { scope: s } }\n"),
        ("conf/b.yaml", "jobs: { j: { name: j } }\n"),
    ]);
    let put = |key: &str| {
        let script = format!(
            "curl -s -H 'Authorization: Bearer secret' -X POST {}/api/2.0/secrets/put -d '{{\"scope\":\"s\",\"key\":\"{key}\",\"string_value\":\"v\"}}'",
            served.url
        );
        assert_eq!(terminal(&project, &script).code, Some(0));
    };
    let run = |line: &str| {
        let ran = terminal(&project, &format!("\"$B\" {line} --env dev"));
        (ran.code, text(&ran.stdout) + &text(&ran.stderr))
    };
    assert_eq!(run("apply --yes").0, Some(0));
    put("by-hand");
    project.write("conf/scope.yaml", "{}\n");
    let (code, planned) = run("plan --allow-delete secret_scopes --out .brickform/plan.json");
    assert!(code == Some(0) && planned.contains("takes along what is in it: by-hand"), "{planned}");
    put("another");
    let (code, stale) = run("apply .brickform/plan.json");
    assert!(code == Some(7) && stale.contains("takes along what is in it: another, by-hand"), "{stale}");
    let (code, planned) = run("plan --allow-delete secret_scopes --out .brickform/plan.json");
    assert_eq!(code, Some(0), "{planned}");
    let (code, applied) = run("apply .brickform/plan.json");
    assert_eq!(code, Some(0), "{applied}");
}

#[test]
fn a_secret_that_is_gone_is_no_edit_of_the_yaml() {
    let served = Served::with(LocalOptions::default());
    let project = Project::new(&[
        (".databrickscfg", &format!("[DEV]\nhost = {}\ntoken = secret\n", served.url)),
        ("environments/dev.yaml", "workspace: { profile: DEV }\nstate: { key: { env: KEY } }\n"),
        ("conf/a.yaml", "secret_scopes: { s: { scope: s } }\nsecrets: { a: { scope: s, key: a, value: \"${secret('KEY')}\" } }\n"),
    ]);
    let delete = format!(
        "\"$B\" apply --env dev --yes && curl -s -H 'Authorization: Bearer secret' -X POST {}/api/2.0/secrets/delete -d '{{\"scope\":\"s\",\"key\":\"a\"}}'",
        served.url
    );
    let ran = terminal(&project, &delete);
    assert_eq!(ran.code, Some(0), "{}", text(&ran.stderr));
    let ran = terminal(&project, "\"$B\" adopt --write secrets.a --env dev --yes");
    let told = text(&ran.stderr);
    assert_eq!(ran.code, Some(1), "{told}");
    assert!(told.contains("secrets.a is not written: it was deleted in the workspace") && told.contains("--deletions"), "{told}");
    let yaml = std::fs::read_to_string(project.folder.path().join("conf/a.yaml")).expect("it is there");
    assert!(yaml.contains("secret('KEY')") && !told.contains("0123456789"), "{told}");
}
