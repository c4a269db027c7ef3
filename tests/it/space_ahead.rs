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

fn send(served: &Served, method: &str, path: &str, body: &str) -> String {
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
    for rivals in [vec![], vec!["genie-slow-trash".to_owned()], vec!["genie-parent-400".to_owned()]] {
        let served = Served::with(LocalOptions { rivals, ..LocalOptions::default() });
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
