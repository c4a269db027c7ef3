//! The way of a Genie space from one workspace to another, as a user goes it: two workspaces over HTTP, profiles, files edited
//! by a script, an environment that holds variables alone.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use brickform::cli::run;
use brickform::local::{LocalOptions, LocalWorkspace};
use brickform::model::{Value, json};

use super::outside::{Kept, outside, streams};

/// A workspace that is served until this is dropped.
pub(super) struct Served {
    pub(super) workspace: LocalWorkspace,
    pub(super) url: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    pub(super) fn new() -> Self {
        Self::with(LocalOptions::default())
    }

    pub(super) fn with(options: LocalOptions) -> Self {
        let workspace = LocalWorkspace::in_memory(options).expect("a workspace in memory");
        let (tell, told) = std::sync::mpsc::channel();
        let (stop, until) = tokio::sync::oneshot::channel::<()>();
        let served = workspace.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let ready = Box::new(move |address| tell.send(address).expect("somebody waits"));
            let until = Box::pin(async move {
                let _ = until.await;
            });
            runtime.block_on(served.serve("127.0.0.1:0", ready, until)).expect("it is served");
        });
        let address: std::net::SocketAddr = told.recv().expect("it is ready");
        Self { workspace, url: format!("http://{address}"), stop: Some(stop), thread: Some(thread) }
    }

    /// How many objects of a sort it holds: `warehouses`.
    pub(super) fn count(&self, sort: &str) -> usize {
        self.workspace.dump().keys().filter(|key| key.starts_with(&format!("{sort}/"))).count()
    }

    /// The spaces in it.
    pub(super) fn spaces(&self) -> Vec<Value> {
        self.workspace.dump().into_iter().filter(|(key, _)| key.starts_with("genie_spaces/")).map(|(_, space)| space).collect()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A folder and a command line in it.
pub(super) struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    pub(super) fn new(source: &Served, target: &Served) -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("a folder") };
        let profile = |name: &str, served: &Served| format!("[{name}]\nhost = {}\ntoken = secret\n\n", served.url);
        desk.write("databrickscfg", &format!("{}{}", profile("SOURCE_WORKSPACE", source), profile("TARGET_WORKSPACE", target)));
        desk
    }

    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Exit code, results, everything else.
    pub(super) fn run(&self, line: &[&str]) -> (u8, String, String) {
        let (out, err) = (Kept::default(), Kept::default());
        let file = self.path("databrickscfg").display().to_string();
        let outside = outside(self.folder.path(), [("DATABRICKS_CONFIG_FILE", file.as_str())]);
        let exit = run(std::iter::once("brickform").chain(line.iter().copied()).map(OsString::from), &outside, streams(&out, &err, None));
        (exit.code(), out.text(), err.text())
    }

    /// The results of a command that does what it is asked to.
    pub(super) fn done(&self, line: &str) -> String {
        let (code, out, err) = self.run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(code, 0, "{line}\n{out}{err}");
        out
    }
}

/// The documents that the source workspace holds: one with plain tables, one with everything.
const SOURCE: &str = r#"
spaces:
  sales:
    title: Sales Analytics
    description: Everything that was sold
    warehouse_id: source-warehouse
    tables: [source_catalog.sales.customers, source_catalog.sales.orders]
    instructions:
      text: |
        Money is in euros.
        A literal $${brace} stays.
      example_sql:
        - question: Top customers
          sql: |
            SELECT name, sum(total)
            FROM source_catalog.sales.orders
            GROUP BY 1
          parameters: [{ name: n, type_hint: INT, default: 10 }]
      functions: [source_catalog.sales.rank]
      joins:
        - left: source_catalog.sales.orders
          right: source_catalog.sales.customers
          condition: orders.customer_id = customers.id
          relationship: MANY_TO_ONE
      snippets:
        measures: [{ name: revenue, sql: sum(orders.total), synonyms: [income] }]
    sample_questions: ["Who buys most?", "yes"]
    benchmarks: [{ question: "How many orders?", sql: "SELECT count(*) FROM source_catalog.sales.orders" }]
  trips:
    title: Trips
    warehouse_id: source-warehouse
    tables: [{ identifier: samples.nyctaxi.trips, description: One row a trip }]
"#;

#[test]
fn spaces_go_from_one_workspace_to_another() {
    go(&Served::new(), &Served::new());
}

/// Either of them, or both, may have the spaces by the typed API alone.
#[test]
fn spaces_go_between_workspaces_of_either_api() {
    let agents_only = || Served::with(LocalOptions { rivals: vec!["genie-spaces-absent".to_owned()], ..LocalOptions::default() });
    go(&agents_only(), &agents_only());
    go(&Served::new(), &agents_only());
    go(&agents_only(), &Served::new());
}

fn go(source: &Served, target: &Served) {
    let desk = Desk::new(source, target);
    // What somebody had made in the source workspace.
    desk.write("made/spaces.yaml", SOURCE);
    desk.write("made/environments/made.yaml", "{}\n");
    desk.done("apply --yes --env made --config made --state made.json --profile SOURCE_WORKSPACE");

    // Step 1: look, export one, export all by the list's JSON.
    let table = desk.done("space-list --profile SOURCE_WORKSPACE");
    assert!(table.contains("Sales Analytics") && table.contains("Trips"), "{table}");
    let listed = json::parse(desk.done("space-list --profile SOURCE_WORKSPACE --output json").as_bytes()).expect("nothing but JSON");
    let listed = listed.as_list().expect("a list").to_vec();
    let ids: Vec<&str> = listed.iter().filter_map(|space| space.get("space_id")?.as_str()).collect();
    assert_eq!(listed.iter().filter_map(|s| s.get("title")?.as_str()).collect::<Vec<_>>(), ["Sales Analytics", "Trips"]);
    desk.done(&format!("space-export --space-id {} --output-dir exports --profile SOURCE_WORKSPACE", ids[0]));
    let once = desk.read("exports/sales_analytics.yaml");
    for id in &ids {
        desk.done(&format!("space-export --space-id {id} --output-dir exports --profile SOURCE_WORKSPACE"));
    }
    assert_eq!(desk.read("exports/sales_analytics.yaml"), once, "the same bytes again");

    // Step 2: the edit; tables are plain texts.
    let document =
        brickform::yaml::parse(&Arc::new(brickform::diagnostic::Source { name: "e".to_owned(), text: once.clone() })).expect("YAML");
    let space = document[0].get("spaces").expect("spaces").items()[0].value();
    let tables: Vec<&str> = space.get("tables").and_then(Value::as_list).expect("tables").iter().filter_map(Value::as_str).collect();
    assert_eq!(tables, ["source_catalog.sales.customers", "source_catalog.sales.orders"]);
    let edited = once.replace("source-warehouse", "\"${TARGET_WAREHOUSE_ID}\"").replace("source_catalog", "target_catalog");
    desk.write("conf/spaces/sales_analytics.yaml", &edited);

    // Step 3: an environment of variables alone.
    desk.write("conf/environments/target.yaml", "\nvariables:\n  TARGET_WAREHOUSE_ID: \"target-warehouse-id-here\"\n");

    // Steps 4 to 6.
    let options = "--env target --config conf/spaces --state .brickform-state.json --profile TARGET_WORKSPACE";
    let plan = desk.done(&format!("plan {options}"));
    assert!(plan.contains("+ spaces.sales_analytics") && plan.contains("target-warehouse-id-here"), "{plan}");
    assert!(target.spaces().is_empty(), "a plan makes nothing");
    desk.done(&format!("apply --yes {options}"));
    assert!(desk.done("space-list --profile TARGET_WORKSPACE").contains("Sales Analytics"));
    assert!(desk.done("space-find Sales* --profile TARGET_WORKSPACE").contains("Sales Analytics"));
    let (_, got, _) = desk.run(&["space-get", "--name", "Sales Analytics", "--profile", "TARGET_WORKSPACE"]);
    assert!(got.contains("target_catalog.sales.orders"), "{got}");
    assert!(desk.done(&format!("plan --target genie_agents.sales_analytics {options}")).contains("no changes"));
    let status = desk.done("status --env target --state .brickform-state.json --profile TARGET_WORKSPACE");
    assert!(status.contains("spaces") && status.contains('1'), "{status}");
    assert!(desk.done(&format!("plan {options}")).contains("no changes"));
    // From another folder, every path in full, as a notebook has it.
    let root = desk.folder.path().display().to_string();
    let elsewhere = Desk { folder: tempfile::tempdir().expect("a folder") };
    elsewhere.write("databrickscfg", &desk.read("databrickscfg"));
    let full = format!("--env target --config {root}/conf/spaces --state {root}/.brickform-state.json --profile TARGET_WORKSPACE");
    assert!(elsewhere.done(&format!("plan {full}")).contains("no changes"));
    let full = format!("status --env target --state {root}/.brickform-state.json --profile TARGET_WORKSPACE");
    assert!(elsewhere.done(&full).contains("spaces"));

    // What arrived is what left, but for the names that were changed.
    let [made] = &target.spaces()[..] else { panic!("one space") };
    let of = |space: &Value| json::display(space.get("serialized_space").expect("it is kept")).replace("source_catalog", "target_catalog");
    let left = source.spaces().into_iter().find(|s| s.get("title") == made.get("title")).expect("it is there still");
    let without_ids = |text: String| {
        let mut out = String::new();
        for part in text.split("\"id\": \"") {
            out.push_str(if out.is_empty() { part } else { part.get(32..).unwrap_or(part) });
        }
        out
    };
    let sorted = |text: String| {
        let mut parts: Vec<String> = text.split(['{', '}']).map(str::to_owned).collect();
        parts.sort();
        parts
    };
    assert_eq!(sorted(without_ids(of(made))), sorted(without_ids(of(&left))));
    desk.done("space-clone Trips --name Rides --to-profile TARGET_WORKSPACE --warehouse-id other --yes --profile SOURCE_WORKSPACE");
    assert!(target.spaces().iter().any(|space| space.get("title").and_then(Value::as_str) == Some("Rides")));
}

/// A saved plan is of one API: by the other, what would be sent is not what was shown.
#[test]
fn a_saved_plan_is_carried_out_by_the_api_that_it_was_made_for() {
    let agents_only = Served::with(LocalOptions { rivals: vec!["genie-spaces-absent".to_owned()], ..LocalOptions::default() });
    let (source, options) = (Served::new(), "--env test --profile TARGET_WORKSPACE");
    let desk = Desk::new(&source, &agents_only);
    desk.write("conf/project.yaml", "name: saved\n");
    desk.write("environments/test.yaml", "{}\n");
    for sql in ["SELECT 1", "SELECT 2"] {
        let space = "title: A, warehouse_id: w, tables: [samples.nyctaxi.trips], benchmarks: [{ question: q, sql: SQL }]";
        desk.write("conf/a.yaml", &format!("spaces: {{ a: {{ {} }} }}\n", space.replace("SQL", sql)));
        let shown = desk.done(&format!("plan {options} --out p.json --requests"));
        assert!(shown.contains("/api/2.0/genie/agents"), "{shown}");
        let (code, _, err) = {
            desk.write("environments/test.yaml", "workspace: { profile: TARGET_WORKSPACE, genie_api: spaces }\n");
            desk.run(&["apply", "p.json", "--profile", "TARGET_WORKSPACE"])
        };
        assert!(code != 0 && agents_only.spaces().len() == usize::from(sql != "SELECT 1"), "{err}");
        desk.write("environments/test.yaml", "{}\n");
        desk.done("apply p.json --profile TARGET_WORKSPACE");
        assert!(desk.done(&format!("plan {options}")).contains("no changes"));
    }
    // Where both are there, an environment that names the other one makes it stale.
    desk.write("environments/both.yaml", "workspace: { local: true, genie_api: spaces }\n");
    desk.done("plan --env both --out p.json");
    desk.write("environments/both.yaml", "workspace: { local: true, genie_api: agents }\n");
    let (code, _, err) = desk.run(&["apply", "p.json"]);
    let said = "spaces.a: it was planned by the API `spaces`, and is asked by `agents` now (workspace.genie_api): what would be sent is not what was shown";
    assert!(code == 7 && err.split_whitespace().collect::<Vec<_>>().join(" ").contains(said), "{code} {err}");
    assert_eq!(err.matches("spaces.a").count(), 1, "{err}");
}

#[test]
fn commands_of_spaces_say_what_is_wrong_and_overwrite_nothing() {
    let (source, target) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &target);
    desk.write("made/spaces.yaml", SOURCE);
    desk.write("made/environments/made.yaml", "{}\n");
    desk.done("apply --yes --env made --config made --state made.json --profile SOURCE_WORKSPACE");

    let (code, _, err) = desk.run(&["space-get", "--name", "Trip", "--profile", "SOURCE_WORKSPACE"]);
    assert!(code == 1 && err.contains("did you mean `Trips`?"), "{err}");
    let yaml = desk.done("space-get --name Trips -o yaml --profile SOURCE_WORKSPACE");
    assert!(yaml.starts_with("spaces:\n  - space_id: trips\n    title: Trips\n"), "{yaml}");
    assert!(desk.done("space-get --name Trips --raw --profile SOURCE_WORKSPACE").contains("\"serialized_space\": \"{\\\"version\\\":2"));
    assert_eq!(desk.done("space-find t* --format csv --profile SOURCE_WORKSPACE").lines().count(), 2);

    desk.write("out/trips.yaml", "mine: true\n");
    let (code, _, err) = desk.run(&["space-export", "--pattern", "Trip*", "--output-dir", "out", "--profile", "SOURCE_WORKSPACE"]);
    assert!(code == 1 && err.contains("out/trips.yaml") && err.contains("--overwrite"), "{err}");
    assert_eq!(desk.read("out/trips.yaml"), "mine: true\n");
    assert!(
        desk.done("space-export --exclude Trip* --output-dir out --dry-run --profile SOURCE_WORKSPACE").contains("sales_analytics.yaml")
    );
    assert!(!desk.path("out/sales_analytics.yaml").exists());

    desk.done("space-clone Trips --name Rides --to-profile TARGET_WORKSPACE --warehouse-id other --yes --profile SOURCE_WORKSPACE");
    let [made] = &target.spaces()[..] else { panic!("one space") };
    assert_eq!(made.get("title"), Some(&Value::from("Rides")));
    let (code, _, err) =
        desk.run(&["space-clone", "Trips", "--name", "Rides", "--to-profile", "TARGET_WORKSPACE", "--profile", "SOURCE_WORKSPACE"]);
    assert!(code == 1 && err.contains("is there already"), "{err}");
    desk.done("space-clone Trips --name Rides --to-file out/rides.yaml --profile SOURCE_WORKSPACE");
    assert!(desk.read("out/rides.yaml").contains("title: Rides"));
    // The copy that a clone makes at once is the one that its file makes when it is applied, to the last id.
    let (applied, empty) = (Served::new(), Served::new());
    let other = Desk::new(&applied, &empty);
    let file = desk.read("out/rides.yaml").replace("source-warehouse", "other");
    other.write("conf/spaces/rides.yaml", &file);
    other.write("conf/environments/made.yaml", "{}\n");
    other.done("apply --yes --env made --config conf/spaces --state s.json --profile SOURCE_WORKSPACE");
    for name in ["title", "warehouse_id", "serialized_space", "parent_path", "description"] {
        assert_eq!(applied.spaces()[0].get(name), made.get(name), "{name}");
    }
}

/// An export of the second version with all that the first programs of others lost, benchmarks last one first.
const WHOLE: &str = r#"{"version":2,"config":{"sample_questions":[{"id":"10000000000000000000000000000002","question":["b"]},{"id":"10000000000000000000000000000001","question":["a"]}]},"data_sources":{"tables":[{"identifier":"c.s.orders","description":["One row an order"],"column_configs":[{"column_name":"amount","description":["In euros"],"synonyms":["money"],"exclude":true},{"column_name":"name","enable_format_assistance":true,"enable_entity_matching":true}]}],"metric_views":[{"identifier":"c.s.sales","description":["Measures"],"column_configs":[{"column_name":"region","synonyms":["area"]}]}]},"instructions":{"text_instructions":[{"id":"20000000000000000000000000000001","content":["Be brief."]}],"example_question_sqls":[{"id":"20000000000000000000000000000002","question":["Top n"],"sql":["SELECT :n"],"usage_guidance":["For tops"],"parameters":[{"name":"n","type_hint":"INT","description":["How many"],"default_value":{"values":["5"]}}]}],"sql_functions":[{"id":"20000000000000000000000000000003","identifier":"c.s.rank"}],"join_specs":[{"id":"20000000000000000000000000000004","left":{"identifier":"c.s.orders","alias":"o"},"right":{"identifier":"c.s.people","alias":"p"},"sql":["`o`.`person` = `p`.`id`","--rt=FROM_RELATIONSHIP_TYPE_MANY_TO_ONE--"],"comment":["Buyers"],"instruction":["For names"]}],"sql_snippets":{"filters":[{"id":"20000000000000000000000000000005","sql":["orders.amount > 100"],"display_name":"large","synonyms":["big"],"comment":["c"],"instruction":["i"]}],"expressions":[{"id":"20000000000000000000000000000006","sql":["year(orders.day)"],"display_name":"year","alias":"y","comment":["c"]}],"measures":[{"id":"20000000000000000000000000000007","sql":["sum(orders.amount)"],"display_name":"revenue","alias":"r","instruction":["i"]}]}},"benchmarks":{"questions":[{"id":"30000000000000000000000000000002","question":["How many?"],"answer":[{"format":"SQL","content":["SELECT 2"]}],"evaluation_note":["exact"]},{"id":"30000000000000000000000000000001","question":["How much?"],"answer":[{"format":"SQL","content":["SELECT 1"]}]}]}}"#;
/// One of the first version, whose columns have flags of other names.
const OLDER: &str = r#"{"version":1,"data_sources":{"tables":[{"identifier":"c.s.orders","column_configs":[{"column_name":"name","get_example_values":true,"build_value_dictionary":true}]}]}}"#;

/// Without ids and orders, flags by their newer names.
fn content(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let name = |name: &str| match name {
                "get_example_values" => "enable_format_assistance".to_owned(),
                "build_value_dictionary" => "enable_entity_matching".to_owned(),
                other => other.to_owned(),
            };
            let kept = map.iter().filter(|(name, value)| !["id", "version"].contains(&name.as_str()) && !value.is_zero());
            let kept: BTreeMap<String, Value> = kept.map(|(n, value)| (name(n), content(value))).collect();
            Value::map(kept)
        }
        Value::List(items) => {
            let mut items: Vec<Value> = items.iter().map(content).collect();
            items.sort_by_key(json::display);
            Value::List(items)
        }
        other => other.clone(),
    }
}

#[test]
fn exports_lose_nothing_on_the_way() {
    for export in [WHOLE, OLDER] {
        let (source, target) = (Served::new(), Served::new());
        let desk = Desk::new(&source, &target);
        desk.write("made/environments/made.yaml", "{}\n");
        let quoted = export.replace('\'', "''");
        desk.write("made/a.yaml", &format!("spaces: {{a: {{title: A, warehouse_id: w, serialized_space: '{quoted}'}}}}\n"));
        desk.done("apply --yes --env made --config made --state made.json --profile SOURCE_WORKSPACE");
        desk.done("space-export --output-dir conf/spaces --profile SOURCE_WORKSPACE");
        desk.write("conf/environments/target.yaml", "{}\n");
        desk.done("apply --yes --env target --config conf/spaces --state target.json --profile TARGET_WORKSPACE");
        let wanted = content(&json::parse(export.as_bytes()).expect("JSON"));
        for served in [&source, &target] {
            let kept = served.spaces()[0].get("serialized_space").cloned().expect("it is kept");
            assert_eq!(json::display(&content(&kept)), json::display(&wanted));
        }
    }
}
