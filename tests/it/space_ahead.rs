//! A look ahead from end to end: what the files name and the workspace lacks is told at its line, blocks what would be sent, and
//! never what this plan makes itself; and the life of a space: a schema that is not seen at first, moves, trash, bringing one back.

use brickform::client::{Request, RequestBody};
use brickform::local::LocalOptions;

use super::cli::{Project, Ran};
use super::walk::Served;

/// A project and the workspace that it is of.
struct Desk {
    project: Project,
    url: String,
}

impl Desk {
    fn run(&self, line: &str) -> Ran {
        self.project.with(line, &[("DATABRICKS_HOST", &self.url), ("DATABRICKS_TOKEN", "any")], None)
    }

    fn write(&self, name: &str, text: &str) {
        self.project.write(name, text);
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        self.project.edit(name, from, to);
    }
}

fn project(served: &Served, files: &[(&str, &str)]) -> Desk {
    let project = Project::new(&[("environments/dev.yaml", "workspace: {}\n"), ("conf/project.yaml", "name: shop\n")]);
    for (name, text) in files {
        project.write(name, text);
    }
    Desk { project, url: served.url.clone() }
}

pub fn send(served: &Served, method: &str, path: &str, body: &str) -> String {
    let body = if body.is_empty() { RequestBody::Empty } else { RequestBody::Json(body.to_owned()) };
    let request = Request { method: method.to_owned(), path: path.to_owned(), query: vec![], headers: vec![], body };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answer = runtime.block_on(served.workspace.handle(request)).expect("an answer");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(answer.status < 300, "{method} {path}: {text}");
    text
}

/// A catalog with a schema, two tables, a metric view and a function.
fn shop(served: &Served) {
    send(served, "POST", "/api/2.1/unity-catalog/catalogs", r#"{"name":"shop"}"#);
    send(served, "POST", "/api/2.1/unity-catalog/schemas", r#"{"name":"sales","catalog_name":"shop"}"#);
    for (name, of) in [("orders", "EXTERNAL"), ("items", "VIEW"), ("revenue", "METRIC_VIEW")] {
        let body = format!(
            r#"{{"name":"{name}","catalog_name":"shop","schema_name":"sales","table_type":"{of}","data_source_format":"DELTA","storage_location":"s3://x/{name}",
            "columns":[{{"name":"id","type_name":"LONG"}},{{"name":"total","type_name":"DOUBLE"}}]}}"#
        );
        send(served, "POST", "/api/2.1/unity-catalog/tables", &body);
    }
    let function = r#"{"function_info":{"name":"tax","catalog_name":"shop","schema_name":"sales","input_params":{},"data_type":"DOUBLE",
        "full_data_type":"DOUBLE","routine_body":"SQL","routine_definition":"1","parameter_style":"S","is_deterministic":true,
        "sql_data_access":"CONTAINS_SQL","is_null_call":false,"security_type":"DEFINER","specific_name":"tax"}}"#;
    send(served, "POST", "/api/2.1/unity-catalog/functions", function);
}

const SPACE: &str = "warehouses:
  bi: { name: bi, cluster_size: Small }
spaces:
  sales:
    title: Sales
    warehouse_id: ${warehouses.bi.id}
    tables:
      - shop.sales.ordrs
      - { identifier: shop.sales.items, columns: [id, totl] }
      - shop.sale.orders
    metric_views: [shop.sales.revenue]
    instructions:
      functions: [shop.sales.tax, shop.sales.taxx]
    permissions:
      - { user_name: nobody@x.example, permission_level: CAN_RUN }
";

#[test]
fn what_is_missing_is_told_at_its_line_and_blocks() {
    let served = Served::with(LocalOptions::default());
    shop(&served);
    let project = project(&served, &[("conf/a.yaml", SPACE)]);
    let without = project.run("plan --env dev");
    assert_eq!(without.code, 0, "{}{}", without.out, without.err);
    assert!(!without.out.contains("looked for"), "{}", without.out);

    let planned = project.run("plan --env dev --preflight --out plan.json");
    assert_eq!(planned.code, 6, "{}{}", planned.out, planned.err);
    let text = planned.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "`tables[0].identifier` of spaces.sales (conf/a.yaml:8:9): the workspace has no table or view `shop.sales.ordrs`, or does not show it to you; did you mean `shop.sales.orders`?",
        "(conf/a.yaml:9:55): `shop.sales.items` has no column `totl`; did you mean `total`?",
        "there is no schema `shop.sale`: did you mean `shop.sales`?",
        "the workspace has no function `shop.sales.taxx`, or does not show it to you; did you mean `shop.sales.tax`?",
        "spaces.sales/permissions (conf/a.yaml:15:22): the workspace knows no user called `nobody@x.example`",
        "6 names looked for",
        "--allow-missing",
    ] {
        assert!(text.contains(words), "{words}\n{}", planned.out);
    }
    assert!(!text.contains("revenue`"), "{}", planned.out);
    // In every form, in a plan in a file, and for the environment that always wants it.
    for form in ["json", "markdown", "html", "junit", "sarif", "github"] {
        let shown = project.run(&format!("plan --env dev --preflight -o {form}"));
        assert!(shown.code == 6 && shown.out.contains("shop.sales.ordrs"), "{form}: {}{}", shown.out, shown.err);
        // What stands beside the code stands at the name.
        let place = if form == "github" { "file=conf/a.yaml,line=9,col=55" } else { "\"startLine\": 9" };
        assert!(!["sarif", "github"].contains(&form) || shown.out.contains(place), "{form}: {}", shown.out);
    }
    let applied = project.run("apply plan.json");
    assert!(applied.code == 6 && applied.out.contains("ordrs"), "{}{}", applied.out, applied.err);
    project.write("environments/dev.yaml", "workspace: {}\nguards: { preflight: true }\n");
    assert_eq!(project.run("plan --env dev").code, 6);
    // Lifted by name: then the workspace itself refuses it.
    let lifted = project.run("plan --env dev --allow-missing");
    assert!(lifted.code == 0 && lifted.out.contains("Guards lifted: --allow-missing"), "{}{}", lifted.out, lifted.err);

    for (from, to) in [("ordrs", "orders"), ("totl", "total"), ("shop.sale.orders", "shop.sales.orders"), (", shop.sales.taxx", "")] {
        project.edit("conf/a.yaml", from, to);
    }
    project.edit("conf/a.yaml", "      - shop.sales.orders\n    metric_views", "    metric_views");
    project.edit("conf/a.yaml", "nobody@x.example", "admin@brickform.local");
    let mended = project.run("apply --env dev --yes");
    assert_eq!(mended.code, 0, "{}{}", mended.out, mended.err);

    // What goes missing below a space that stays as it is is a warning.
    send(&served, "DELETE", "/api/2.1/unity-catalog/functions/shop.sales.tax", "");
    let later = project.run("plan --env dev");
    assert!(later.code == 0 && later.out.contains("no function `shop.sales.tax`"), "{}{}", later.out, later.err);
}

#[test]
fn what_the_plan_makes_is_not_missing_and_comes_first() {
    let served = Served::with(LocalOptions { rivals: vec!["genie-schema-lags".to_owned()], ..LocalOptions::default() });
    let files = "catalogs: { shop: { name: shop } }
schemas: { sales: { name: sales, catalog_name: shop }, tools: { name: tools, catalog_name: shop } }
spaces:
  sales:
    title: Sales
    warehouse_id: '475b94ddc7cd5211'
    tables: [shop.sales.orders]
    instructions: { functions: [shop.tools.tax] }
  views: { title: Views, warehouse_id: '475b94ddc7cd521', metric_views: [shop.sales.revenue] }
";
    let made = send(&served, "POST", "/api/2.0/sql/warehouses", r#"{"name":"Starter","cluster_size":"Small"}"#);
    let made: serde_json::Value = serde_json::from_str(&made).expect("JSON");
    let id = made["id"].as_str().expect("an id");
    let files = files.replace("475b94ddc7cd5211", id).replace("475b94ddc7cd521", &id[..15]);
    let project = project(&served, &[("conf/a.yaml", &files)]);
    let planned = project.run("plan --env dev --preflight");
    let text = planned.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("`shop.sales.orders` cannot be told: schemas.sales is made by this plan"), "{}", planned.out);
    assert!(text.contains("`shop.tools.tax` cannot be told: schemas.tools is made by this plan"), "{}", planned.out);
    // A warehouse that is named by an id of nothing.
    let words = format!("no warehouse `{}`, or does not show it to you; did you mean `{id}`?", &id[..15]);
    assert!(planned.code == 6 && text.contains(&words), "{}", planned.out);
    project.edit("conf/a.yaml", &format!("'{}'", &id[..15]), "Starter");
    let named = project.run("plan --env dev --preflight");
    let text = named.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains(&format!("`Starter` is the name of {id}: write that, or `${{lookup(\"warehouses\", \"Starter\").id}}`")),
        "{}",
        named.out
    );
    project.edit("conf/a.yaml", "Starter", &format!("'{id}'"));
    let shown = project.run("plan --env dev -o json");
    let plan: serde_json::Value = serde_json::from_str(&shown.out).expect("JSON");
    let after = |address: &str| {
        let step = plan["steps"].as_array().expect("steps").iter().find(|s| s["address"] == address).expect("a step");
        step["after"].to_string()
    };
    assert!(
        after("spaces.sales").contains("schemas.sales") && after("spaces.sales").contains("schemas.tools"),
        "{}",
        after("spaces.sales")
    );
    assert!(after("spaces.views").contains("schemas.sales"), "{}", after("spaces.views"));
    // The workspace does not see the new schemas at first: it is asked again.
    let applied = project.run("apply --env dev --yes");
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
    assert!(project.run("plan --env dev").out.contains("no changes"));
}

/// A right that is missing is a matter of 403: nobody can tell, and nothing is blocked.
#[test]
fn what_may_not_be_read_cannot_be_told() {
    let served = Served::with(LocalOptions {
        faults: vec!["before:GET:/api/2.1/unity-catalog/tables/*:times=0:status=403".parse().expect("a fault")],
        ..LocalOptions::default()
    });
    let project = project(
        &served,
        &[(
            "conf/a.yaml",
            "warehouses: { w: { name: w, cluster_size: Small } }\nspaces: { s: { title: S, warehouse_id: '${warehouses.w.id}', tables: [samples.nyctaxi.trips] } }\n",
        )],
    );
    let planned = project.run("plan --env dev --preflight");
    let text = planned.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        planned.code == 0 && text.contains("`samples.nyctaxi.trips` cannot be told: you may not read it"),
        "{}{}",
        planned.out,
        planned.err
    );
}

/// Deleting a space wants its own word; bringing one back says what is new; a new folder is a move.
#[test]
fn a_space_goes_by_name_only_and_comes_back_as_another() {
    for rivals in [&[][..], &["genie-slow-trash"], &["genie-parent-400"], &["genie-slow-trash", "genie-trash-listed"]] {
        // A minute in the trash: what was deleted is still listed when YAML brings it back.
        let settle_ms = (rivals.len() == 2).then_some(60_000);
        let rivals = rivals.iter().map(|name| (*name).to_owned()).collect();
        let served = Served::with(LocalOptions { rivals, settle_ms, ..LocalOptions::default() });
        let space = |folder: &str| {
            format!(
                "spaces: {{ s: {{ title: S, warehouse_id: '475b94ddc7cd5211', parent_path: {folder}, tables: [samples.nyctaxi.trips],\n permissions: {{ mode: additive, entries: [{{ group_name: users, level: CAN_VIEW }}] }} }} }}\n"
            )
        };
        let project = project(&served, &[("conf/a.yaml", &space("/Workspace/Shared/one"))]);
        let planned = project.run("plan --env dev --requests");
        assert!(planned.out.contains("mkdirs"), "{}", planned.out);
        let applied = project.run("apply --env dev --yes");
        assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
        let id = |project: &Desk| {
            let shown = project.run("state show spaces.s --env dev -o json");
            let entry: serde_json::Value = serde_json::from_str(&shown.out).unwrap_or_else(|e| panic!("{e}: {}{}", shown.out, shown.err));
            entry["id"].as_str().or(entry["entry"]["id"].as_str()).unwrap_or_default().to_owned()
        };
        let first = id(&project);

        project.write("conf/a.yaml", &space("/Workspace/Shared/two"));
        let moved = project.run("apply --env dev --yes");
        assert!(moved.code == 0 && moved.out.contains("  ~ spaces.s"), "{}{}", moved.out, moved.err);
        assert_eq!(id(&project), first);

        project.write("conf/a.yaml", "{}\n");
        let blocked = project.run("plan --env dev");
        assert!(
            blocked.code == 6 && blocked.out.contains("--allow-delete spaces") && blocked.out.contains("its conversations"),
            "{}",
            blocked.out
        );
        let gone = project.run("apply --env dev --yes --allow-delete spaces");
        assert_eq!(gone.code, 0, "{}{}", gone.out, gone.err);
        assert!(project.run("plan --env dev").out.contains("no changes"));

        project.write("conf/a.yaml", &space("/Workspace/Shared/two"));
        let back = project.run("plan --env dev");
        let text = back.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&format!("was managed before as {first} and was deleted by admin@brickform.local on ")), "{}", back.out);
        assert!(back.out.lines().all(|line| line.chars().count() <= 100), "{}", back.out);
        assert!(text.contains("it gets a new id, links to the old one lead nowhere, and its conversations are lost"), "{}", back.out);
        assert_eq!(project.run("apply --env dev --yes").code, 0);
        assert_ne!(id(&project), first);
        let destroyed = project.run("destroy --env dev --yes");
        assert!(destroyed.code == 6 && destroyed.out.contains("--allow-delete spaces"), "{}{}", destroyed.out, destroyed.err);
        assert_eq!(project.run("destroy --env dev --yes --allow-delete spaces").code, 0);
    }
}

/// Two spaces of one title: the workspace numbers the second, which is said and no change.
#[test]
fn a_title_that_is_taken_is_told() {
    let served = Served::with(LocalOptions::default());
    let space =
        |key: &str| format!("  {key}: {{ title: Sales, warehouse_id: '475b94ddc7cd5211', lifecycle: {{ allow_duplicate_name: true }} }}\n");
    let project = project(&served, &[("conf/a.yaml", &format!("spaces:\n{}", space("a")))]);
    assert_eq!(project.run("apply --env dev --yes").code, 0);
    project.write("conf/a.yaml", &format!("spaces:\n{}{}", space("a"), space("b")));
    let applied = project.run("apply --env dev --yes");
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
    let planned = project.run("plan --env dev");
    assert!(planned.out.contains("no changes"), "{}", planned.out);
    let told = planned.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("spaces.b: the workspace calls it `Sales (1)`, since another space has the title `Sales`"),
        "{}{}",
        planned.out,
        planned.err
    );
}

/// What only one of the two APIs has a place for: a warning while nobody knows which it is, an error as soon as somebody does.
#[test]
fn what_one_of_two_apis_lacks_is_told_before_and_after_the_workspace_has_answered() {
    let files = |more: &str| format!("spaces:\n  s:\n    title: S\n    warehouse_id: '475b94ddc7cd5211'\n{more}");
    let volumes = "    volumes: [/Volumes/main/shop/rules]\n";
    let comment = "    instructions: { snippets: { measures: [{ name: m, sql: 'count(1)', comment: why }] } }\n";
    let lacks = "the spaces API has no `volumes`, the agents API has";
    let lacks_other = "the agents API has no `comment`, the spaces API has";
    // The workspace has the agents API only, or both.
    for (rivals, more, says, warns, refused) in [
        (vec![], volumes, "", Some(lacks), Some(lacks)),
        (vec![], volumes, "auto", Some(lacks), Some(lacks)),
        (vec!["genie-spaces-absent"], volumes, "", Some(lacks), None),
        (vec!["genie-spaces-absent"], volumes, "agents", None, None),
        // What the API lacks that is used where nobody says a word is told; the rest where an environment leaves it open.
        (vec![], comment, "", None, None),
        (vec![], comment, "auto", Some(lacks_other), None),
        (vec!["genie-spaces-absent"], comment, "auto", Some(lacks_other), Some(lacks_other)),
    ] {
        let what = format!("{rivals:?} {more} {says}");
        let served = Served::with(LocalOptions { rivals: rivals.into_iter().map(str::to_owned).collect(), ..LocalOptions::default() });
        let project = project(&served, &[("conf/a.yaml", &files(more))]);
        if !says.is_empty() {
            project.write("environments/dev.yaml", &format!("workspace: {{ genie_api: {says} }}\n"));
        }
        let checked = project.run("validate --env dev");
        assert_eq!(checked.code, 0, "{what}: {}{}", checked.out, checked.err);
        let line = if more == volumes { "conf/a.yaml:5:14" } else { "conf/a.yaml:5:" };
        match warns {
            Some(warns) => assert!(
                checked.err.contains("warning[W0133]") && checked.err.contains(warns) && checked.err.contains(line),
                "{what}: {}",
                checked.err
            ),
            None => assert!(!checked.err.contains("warning"), "{what}: {}", checked.err),
        }
        let planned = project.run("plan --env dev");
        assert!(!planned.err.contains("W0133"), "{what}: {}", planned.err);
        match refused {
            Some(refused) => assert!(
                planned.code == 1 && planned.err.contains("error[E0114]") && planned.err.contains(refused) && planned.err.contains(line),
                "{what}: {} {}{}",
                planned.code,
                planned.out,
                planned.err
            ),
            None => assert_eq!(planned.code, 0, "{what}: {}{}", planned.out, planned.err),
        }
        // The other one is named where it may be there.
        let hint = planned.err.contains("have the other API used: `workspace: { genie_api: agents }`");
        assert_eq!(hint, refused == Some(lacks), "{what}: {}", planned.err);
        assert!(!planned.err.contains("genie_api: spaces"), "{what}: {}", planned.err);
    }
    let both = format!("{volumes}{comment}");
    for (more, says, hint) in [
        (volumes, "local", "have the other API used: `workspace: { local: true, genie_api: agents }`"),
        (comment, "{ local: true, genie_api: agents }", "have the other API used: `workspace: { local: true, genie_api: spaces }`"),
        (&both, "local", "neither of the two APIs has a place for all that is here"),
    ] {
        let project = project(&Served::new(), &[("conf/a.yaml", &files(more))]);
        project.write("environments/dev.yaml", &format!("workspace: {says}\n"));
        let planned = project.run("plan --env dev");
        assert!(planned.code == 1 && planned.err.contains(hint), "{says}: {}", planned.err);
        assert_eq!(planned.err.matches("genie_api").count(), usize::from(more != both), "{says}: {}", planned.err);
    }
    // Neither has a place for both: no workspace can make that right.
    let served = Served::with(LocalOptions::default());
    let project = project(&served, &[("conf/a.yaml", &files(&format!("{volumes}{comment}")))]);
    let checked = project.run("validate --env dev");
    assert!(checked.code == 1 && checked.err.contains(lacks) && checked.err.contains(lacks_other), "{}{}", checked.out, checked.err);
}

/// Whatever holds a path into a volume: the volume is asked for, once, and not where this project makes it.
#[test]
fn volumes_that_paths_lead_into_are_asked_for() {
    let served = Served::with(LocalOptions::default());
    shop(&served);
    send(
        &served,
        "POST",
        "/api/2.1/unity-catalog/volumes",
        r#"{"name":"libs","catalog_name":"shop","schema_name":"sales","volume_type":"MANAGED"}"#,
    );
    let files = "schemas: { fresh: { name: fresh, catalog_name: shop } }
volumes: { own: { name: own, catalog_name: shop, schema_name: sales, volume_type: MANAGED } }
clusters:
  c:
    cluster_name: c
    spark_version: 15.4.x-scala2.12
    node_type_id: i3.xlarge
    num_workers: 1
    init_scripts: [{ volumes: { destination: /Volumes/shop/sales/scripts/init.sh } }]
    cluster_log_conf: { volumes: { destination: dbfs:/Volumes/shop/sales/libs/logs } }
jobs:
  nightly:
    name: nightly
    environments:
      - environment_key: default
        spec: { client: '3', dependencies: [/Volumes/shop/sales/Own/a.whl, /Volumes/shop/fresh/later/b.whl] }
    tasks:
      - task_key: load
        existing_cluster_id: ${clusters.c.id}
        spark_python_task: { python_file: /Volumes/shop/sales/libs/load.py, parameters: [--out, /Volumes/shop/sails/out/today] }
        libraries: [{ whl: /Volumes/shop/sales/lib/a.whl }, { jar: /Volumes/shop/sales/libs/b.jar }]
spaces:
  files: { title: Files, warehouse_id: '475b94ddc7cd5211', volumes: [/Volumes/shop/sales/rules] }
";
    let project = project(&served, &[("conf/a.yaml", files), ("environments/dev.yaml", "workspace: { genie_api: agents }\n")]);
    let planned = project.run("plan --env dev --preflight");
    assert_eq!(planned.code, 6, "{}{}", planned.out, planned.err);
    let text = planned.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "clusters.c (conf/a.yaml:9:46): the workspace has no volume `shop.sales.scripts` (`/Volumes/shop/sales/scripts/init.sh`), or does not show it to you",
        "the workspace has no volume `shop.sales.lib` (`/Volumes/shop/sales/lib/a.whl`), or does not show it to you; did you mean `shop.sales.libs`?",
        "the workspace has no volume `shop.sails.out` (`/Volumes/shop/sails/out/today`), or does not show it to you; there is no schema `shop.sails`: the catalog `shop` has",
        "the workspace has no volume `shop.sales.rules` (`/Volumes/shop/sales/rules`), or does not show it to you",
        "volume `shop.fresh.later` (`/Volumes/shop/fresh/later/b.whl`) cannot be told: schemas.fresh is made by this plan",
    ] {
        assert!(text.contains(words), "{words}\n{}", planned.out);
    }
    assert!(!text.contains("no volume `shop.sales.libs`") && !text.contains("no volume `shop.sales.own`"), "{}", planned.out);
    assert_eq!(text.matches("volume `shop.sales.lib` ").count(), 1, "{}", planned.out);
}

/// A table under `metric_views` is there, and no metric view.
#[test]
fn what_is_listed_as_something_else_is_told() {
    let served = Served::with(LocalOptions::default());
    shop(&served);
    let project = project(
        &served,
        &[("conf/a.yaml", "spaces: { s: { title: S, warehouse_id: '475b94ddc7cd5211', metric_views: [shop.sales.orders] } }\n")],
    );
    let planned = project.run("plan --env dev --preflight");
    let text = planned.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("`shop.sales.orders` is no metric view, the workspace calls it EXTERNAL: list it under `tables`"),
        "{}{}",
        planned.out,
        planned.err
    );
}

/// A table is no metric view, and one that is listed already is not what was meant.
#[test]
fn metric_views_are_proposed_for_metric_views() {
    let served = Served::with(LocalOptions::default());
    shop(&served);
    let views = |tables: &str, views: &str| {
        format!("spaces: {{ s: {{ title: S, warehouse_id: '475b94ddc7cd5211', tables: [{tables}], metric_views: [{views}] }} }}\n")
    };
    let project = project(&served, &[("conf/a.yaml", "")]);
    for (lists, wanted) in [
        (views("shop.sales.orders", "shop.sales.order"), "of other metric views the schema `shop.sales` has `revenue`"),
        (views("", "shop.sales.revenu"), "did you mean `shop.sales.revenue`?"),
        (views("", "shop.sales.revenue, shop.sales.revenu"), "of other metric views the schema `shop.sales` has none that you may see"),
    ] {
        project.write("conf/a.yaml", &lists);
        let planned = project.run("plan --env dev --preflight");
        let text = planned.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(wanted), "{lists}{}{}", planned.out, planned.err);
    }
}

/// A warehouse's name is no id of one, though this project declares it.
#[test]
fn the_name_of_what_is_declared_is_no_id() {
    let served = Served::with(LocalOptions::default());
    let files = "warehouses: { bi: { name: bi, cluster_size: Small } }
spaces: { s: { title: S, warehouse_id: bi, tables: [samples.nyctaxi.trips] } }
";
    let project = project(&served, &[("conf/a.yaml", files)]);
    let planned = project.run("plan --env dev --preflight");
    let text = planned.out.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = "an id is needed here, and `bi` is the name of warehouses.bi: write `${warehouses.bi.id}`";
    assert!(planned.code == 6 && text.contains(words), "{}{}", planned.out, planned.err);
    project.edit("conf/a.yaml", "warehouse_id: bi", "warehouse_id: '${warehouses.bi.id}'");
    let planned = project.run("plan --env dev --preflight");
    assert!(planned.code == 0 && !planned.out.contains("an id is needed"), "{}{}", planned.out, planned.err);
}

/// Whoever takes a space over stays in its list of permissions, by every way of taking it over; an export leaves them out.
#[test]
fn who_takes_a_space_over_stays_in_its_list() {
    let served = Served::with(LocalOptions::default());
    let ways =
        ["adopt --all --env dev --yes", "adopt spaces.sales --id ID --env dev --yes", "apply --adopt --env dev --yes", "import", "file"];
    for way in ways {
        let body = r#"{"title":"WAY","warehouse_id":"475b94ddc7cd5211","serialized_space":"{\"version\":2}"}"#;
        let made =
            send(&served, "POST", "/api/2.0/genie/spaces", &body.replace("WAY", &format!("Sales {}", way.rsplit(' ').next().unwrap())));
        let id = made.split("\"space_id\"").nth(1).and_then(|rest| rest.split('"').nth(1)).expect("an id").to_owned();
        let list = format!("/api/2.0/permissions/genie/{id}");
        send(&served, "PATCH", &list, r#"{"access_control_list":[{"group_name":"users","permission_level":"CAN_RUN"}]}"#);
        let before = send(&served, "GET", &list, "");
        assert!(before.contains("CAN_MANAGE") && before.contains("admin@brickform.local"), "{before}");

        let project = project(&served, &[]);
        project.run(&format!("space-export --space-id {id} --output-dir spaces")).ended(0);
        let file = std::fs::read_dir(project.project.folder.path().join("spaces")).expect("a folder").next().expect("a file").expect("it");
        let text = std::fs::read_to_string(file.path()).expect("text");
        assert!(text.contains("CAN_RUN") && !text.contains("CAN_MANAGE"), "{text}");
        let key = text.split("space_id: ").nth(1).and_then(|rest| rest.lines().next()).expect("a key").to_owned();
        std::fs::write(file.path(), text.replace(&format!("space_id: {key}"), "space_id: sales")).expect("it is written");
        match way {
            "import" => {
                project.write("conf/import.yaml", &format!("import: [{{ to: spaces.sales, id: \"{id}\" }}]\n"));
                project.run("apply --env dev --yes").ended(0);
            }
            "file" => {
                project.run("plan --adopt --env dev --out plan.json").ended(0);
                project.run("apply plan.json").ended(0);
            }
            way => {
                project.run(&way.replace("ID", &id)).ended(0);
            }
        }
        let after = send(&served, "GET", &list, "");
        assert_eq!(after, before, "{way}");
        project.run("plan --env dev --detailed-exitcode").ended(0);
    }
}

/// Columns that conditions and SQL name are asked for, too: an equality can name nothing else, SQL is only warned about.
#[test]
fn columns_in_joins_and_snippets_are_asked_for() {
    let served = Served::with(LocalOptions::default());
    shop(&served);
    let space = "warehouses: { w: { name: w, cluster_size: Small } }
spaces:
  s:
    title: S
    warehouse_id: ${warehouses.w.id}
    tables: [shop.sales.orders, shop.sales.items]
    instructions:
      joins:
        - { left: shop.sales.orders, right: shop.sales.items, condition: orders.id = items.idd, relationship: ONE_TO_MANY }
      snippets: { filters: [{ name: f, sql: orders.totl > 1 AND items.total > 0 }] }
";
    let project = project(&served, &[("conf/a.yaml", space)]);
    let planned = project.run("plan --env dev --preflight");
    let text = format!("{}{}", planned.out, planned.err).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(planned.code, 6, "{text}");
    for words in [
        "! `instructions.joins[0].condition` of spaces.s (conf/a.yaml:9:74): `shop.sales.items` has no column `idd`; did you mean `id`?",
        "warning: `instructions.snippets.filters[0].sql` of spaces.s (conf/a.yaml:10:45): `shop.sales.orders` has no column `totl`; did you mean `total`?",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    project.edit("conf/a.yaml", "items.idd", "items.id");
    assert_eq!(project.run("plan --env dev --preflight").code, 0);
}
