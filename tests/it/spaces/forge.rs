//! A project of Genie-Forge as it is: its files, its environments, its state.

use super::kept;
use crate::walk::{Desk, Served};

/// One file with a list, variables in names and in SQL, ids that are names, everything that its own examples have.
const SALES: &str = r#"# Sales
version: 2
author: "data_platform"
description: |
  What sales wants to know
spaces:
  - space_id: "sales_analytics"
    title: "Sales (${env})"
    description: "Sales of ${region}"
    warehouse_id: "${warehouse_id}"
    parent_path: "${parent_path}"
    author: "ana"
    tags: ["sales"]
    sample_questions:
      - "What are the total sales?"
      - id: sq_revenue
        question:
          - "What is our revenue this quarter?"
    data_sources:
      tables:
        - identifier: "${catalog}.${schema}.orders"
          description:
            - "One row an order. "
            - "Updated nightly."
          column_configs:
            - column_name: amount
              description: "In euros"
              synonyms: ["total", "price"]
              get_example_values: true
            - column_name: status
              enable_format_assistance: true
              enable_entity_matching: false
        - identifier: "${catalog}.${schema}.customers"
    instructions:
      text_instructions:
        - id: ti1
          content:
            - "Round money to cents."
        - text: "Leave out cancelled orders."
      example_question_sqls:
        - id: ex1
          question: ["Top customers"]
          sql:
            - "SELECT customer_id, sum(amount)\n"
            - "FROM ${catalog}.${schema}.orders GROUP BY 1 LIMIT :n"
          parameters:
            - name: n
              type_hint: INT
              description: "How many"
              default_value: { type: LITERAL, value: 10 }
            - name: day
              default_value: ["2024-01-01"]
          usage_guidance:
            - "For rankings"
      sql_functions:
        - identifier: "${catalog}.${schema}.fiscal_quarter"
          description: "Which quarter"
        - "${catalog}.${schema}.percent"
      join_specs:
        - left_table: "${catalog}.${schema}.orders"
          right_table: "${catalog}.${schema}.customers"
          join_condition: "orders.customer_id = customers.id"
          join_type: many_to_one
          description: "Who bought"
      sql_snippets:
        filters:
          - id: f1
            sql: ["orders.status = 'done'"]
            display_name: "done"
            synonyms: ["finished"]
    benchmarks:
      questions:
        - question: "How many orders?"
          expected_sql: "SELECT count(*) FROM ${catalog}.${schema}.orders"
"#;
/// One bare space in JSON, and one with the flat list that its documentation shows.
const STOCK: &str =
    r#"{"space_id": "stock", "title": "Stock", "warehouse_id": "${warehouse_id}", "tables": ["${catalog}.${schema}.stock"]}"#;
const FLAT: &str =
    "spaces:\n  - space_id: flat\n    title: Flat\n    warehouse_id: ${warehouse_id}\n    tables: [\"${catalog}.${schema}.orders\"]\n";

fn project(desk: &Desk, url: &str) {
    desk.write("conf/spaces/sales.yaml", SALES);
    desk.write("conf/spaces/stock.json", STOCK);
    desk.write("conf/spaces/flat.yml", FLAT);
    let dev = format!(
        "workspace_url: \"{url}\"\nauth:\n  profile: \"SOURCE_WORKSPACE\"\nvariables:\n  env: \"dev\"\n  warehouse_id: \"w1\"\n  catalog: \"lake\"\n  schema: \"sales\"\n  region: \"EU\"\n  parent_path: \"/Workspace/Users/admin@brickform.local\"\nnaming:\n  prefix: \"\"\nsettings:\n  auto_approve: false\n"
    );
    desk.write("conf/environments/dev.yaml", &dev);
}

#[test]
fn its_files_are_taken_as_they_are() {
    let (source, other) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &other);
    project(&desk, &source.url);
    let (code, out, err) = desk.run(&["validate", "--env", "dev"]);
    assert!(code == 0 && !err.contains("error"), "{out}{err}");
    for word in ["`naming` of an environment is not used", "left out: `author`"] {
        assert!(err.contains(word), "{err}");
    }
    let plan = desk.done("plan --env dev");
    assert!(plan.contains("Plan: 3 to add") && plan.contains("\"Sales (dev)\""), "{plan}");
    desk.done("apply --yes --env dev");
    assert!(desk.done("plan --env dev").contains("no changes"));
    let kept = kept(&source);
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["Flat", "Sales (dev)", "Stock"]);
    let sales = &kept["Sales (dev)"];
    assert_eq!(sales["description"], "Sales of EU");
    let export = &sales["serialized_space"];
    let tables = &export["data_sources"]["tables"];
    assert_eq!(tables[1]["identifier"], "lake.sales.orders");
    assert_eq!(tables[1]["description"], serde_json::json!(["One row an order. Updated nightly."]));
    assert_eq!(tables[1]["column_configs"][0]["enable_format_assistance"], true);
    let instructions = &export["instructions"];
    assert_eq!(instructions["text_instructions"][0]["content"], serde_json::json!(["Round money to cents.\nLeave out cancelled orders."]));
    let example = &instructions["example_question_sqls"][0];
    assert_eq!(example["sql"], serde_json::json!(["SELECT customer_id, sum(amount)\nFROM lake.sales.orders GROUP BY 1 LIMIT :n"]));
    assert_eq!(example["parameters"][0]["default_value"]["values"], serde_json::json!(["10"]));
    let join = &instructions["join_specs"][0];
    assert_eq!(join["sql"], serde_json::json!(["`orders`.`customer_id` = `customers`.`id`", "--rt=FROM_RELATIONSHIP_TYPE_MANY_TO_ONE--"]));
    assert_eq!(join["instruction"], serde_json::json!(["Who bought"]));
    assert_eq!(join.get("comment"), None);
    assert_eq!(instructions["sql_functions"].as_array().map(Vec::len), Some(2));
    assert_eq!(export["benchmarks"]["questions"][0]["answer"][0]["content"], serde_json::json!(["SELECT count(*) FROM lake.sales.orders"]));
    assert_eq!(kept["Flat"]["serialized_space"]["data_sources"]["tables"][0]["identifier"], "lake.sales.orders");

    // A name in the place of an id names the item: another wording keeps what it was given.
    let id = example["id"].clone();
    desk.write("conf/spaces/sales.yaml", &SALES.replace("Top customers", "Best customers"));
    desk.done("apply --yes --env dev");
    assert_eq!(super::kept(&source)["Sales (dev)"]["serialized_space"]["instructions"]["example_question_sqls"][0]["id"], id);
}

/// Joins with the type that SQL has: the relationship is asked for, and nothing is sent that the API has no place for.
#[test]
fn its_older_joins_are_read_as_it_reads_them() {
    let (source, other) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &other);
    desk.write("conf/environments/dev.yaml", &format!("workspace_url: \"{}\"\nauth: {{ profile: SOURCE_WORKSPACE }}\n", source.url));
    let join = |more: &str| {
        format!(
            "spaces:\n  - space_id: lj\n    title: LJ\n    warehouse_id: w1\n    tables: [c.s.orders, c.s.people]\n    instructions:\n      join_specs:\n        - left_table: c.s.orders\n          right_table: c.s.people\n          join_condition: orders.p = people.id\n          join_type: LEFT\n          description: Who bought\n{more}"
        )
    };
    desk.write("conf/spaces/lj.yaml", &join(""));
    let (code, _, err) = desk.run(&["validate", "--env", "dev"]);
    assert!(code == 1 && err.contains("a join says how many rows meet how many") && err.contains("lj.yaml:8:"), "{err}");
    assert!(err.contains("fields that the API does not have are left out: `instructions.join_specs.join_type`"), "{err}");
    desk.write("conf/spaces/lj.yaml", &join("          relationship: MANY_TO_ONE\n"));
    desk.done("apply --yes --env dev");
    let join = kept(&source)["LJ"]["serialized_space"]["instructions"]["join_specs"][0].clone();
    assert_eq!(join["instruction"], serde_json::json!(["Who bought"]));
    assert_eq!([join.get("join_type"), join.get("comment")], [None, None]);
    assert!(desk.done("plan --env dev").contains("no changes"));
}

/// The folder that its `init` makes: variables of all environments in one file.
#[test]
fn its_new_project_is_one() {
    let (source, other) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &other);
    desk.write(
        "conf/variables/env.yaml",
        "dev:\n  warehouse_id: w-dev\n  catalog: dev_lake\nprod:\n  warehouse_id: w-prod\n  catalog: lake\n",
    );
    desk.write(
        "conf/spaces/example.yaml",
        "space_id: example\ntitle: Example\nwarehouse_id: ${warehouse_id}\ndata_sources:\n  tables:\n    - identifier: ${catalog}.s.t\ninstructions:\n  text_instructions:\n    - text: Round money\n  sql_examples:\n    - { sql: SELECT 1, question: One }\nsample_questions:\n  - question: How many?\n",
    );
    desk.done("apply --yes --env prod --profile SOURCE_WORKSPACE");
    let space = &kept(&source)["Example"];
    assert_eq!(space["warehouse_id"], "w-prod");
    assert_eq!(space["serialized_space"]["data_sources"]["tables"][0]["identifier"], "lake.s.t");
    assert_eq!(space["serialized_space"]["instructions"]["text_instructions"][0]["content"][0], "Round money");
    assert_eq!(space["serialized_space"]["instructions"]["example_question_sqls"][0]["question"][0], "One");
    // A body that nothing names is said to be that.
    desk.write("conf/spaces/nameless.yaml", "title: T\nwarehouse_id: w\n");
    let (code, _, err) = desk.run(&["validate", "--env", "dev"]);
    assert!(code == 1 && err.contains("the body of a Genie space without a key") && err.contains("`space_id: NAME`"), "{err}");
}

/// A state of it: rows with and without ids, of spaces that are gone, of spaces that nothing declares, of another environment.
fn state(url: &str, rows: &[(&str, Option<&str>, &str)]) -> String {
    let rows: serde_json::Map<String, serde_json::Value> = rows
        .iter()
        .map(|(name, id, title)| {
            let row = serde_json::json!({ "logical_id": name, "databricks_space_id": id, "title": title, "config_hash": "9b", "applied_hash": "9b", "status": "APPLIED", "last_applied": "2026-01-30T12:05:22.550643+00:00", "error": null });
            ((*name).to_owned(), row)
        })
        .collect();
    let dev = serde_json::json!({ "workspace_url": url, "last_applied": null, "spaces": rows });
    let all = serde_json::json!({ "version": "1.0", "project_id": "p", "project_name": null, "environments": { "dev": dev, "prod": { "workspace_url": "https://prod.example.com", "spaces": {} } } });
    format!("{all:#}")
}

#[test]
fn its_state_is_taken_over() {
    let (source, other) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &other);
    project(&desk, &source.url);
    desk.write(
        "conf/spaces/more.yaml",
        "spaces:\n  - { space_id: gone, title: Gone, warehouse_id: w1 }\n  - { space_id: never, title: Never made, warehouse_id: w1 }\n",
    );
    let export = serde_json::json!({ "version": 2, "data_sources": { "tables": [{ "identifier": "lake.sales.orders" }] } });
    let sales = super::made(&source, "Sales (dev)", &export);
    let stock = super::made(&source, "Stock", &export);
    let flat = [super::made(&source, "Flat", &export), super::made(&source, "Other", &export)];
    super::send(&source, "PATCH", &format!("/api/2.0/genie/spaces/{}", flat[1]), &serde_json::json!({ "title": "Flat" }));
    let left = super::made(&source, "Left", &export);
    let gone = "01f0fdd06daf166b8ad42b816ef3a99c";
    let rows = [
        ("sales_analytics", Some(sales.as_str()), "Sales of old"),
        ("stock", None, "Stock"),
        ("flat", None, "Flat"),
        ("gone", Some(gone), "Gone"),
        ("never", None, "Never made"),
        ("left", Some(left.as_str()), "Left"),
    ];
    desk.write(".genie-forge.json", &state(&source.url, &rows));

    // Two spaces of one title: which one it is has to be said.
    let line = ["state", "import-genie-forge", "--env", "dev", "--dry-run"];
    let (code, out, err) = desk.run(&line);
    assert_eq!(code, 1, "{out}{err}");
    for told in [
        &format!("+ spaces.sales_analytics    id {sales}, by its id"),
        &format!("+ spaces.stock    id {stock}, by its title"),
        &format!(". spaces.gone    the workspace has no space {gone} any more: the next plan creates it"),
        ". spaces.never    the file has no id for it, and no space is called \"Never made\": the next plan creates it",
        "x left    no file of the project declares it; it is left as it is",
        &format!("brickform adopt spaces --id {left} --key left"),
        "! spaces.flat    the file has no id for it, and 2 spaces are called \"Flat\"",
        &format!("import: [{{ to: spaces.flat, id: {} }}]", flat[0]),
        "Also in the file, not for dev: prod.",
    ] {
        assert!(out.contains(told), "{told}\n{out}");
    }
    let (code, _, err) = desk.run(&["state", "list", "--env", "dev"]);
    assert!(code == 1 && err.contains("no state yet"), "a dry run writes nothing: {err}");

    // Said by a file, it is taken with the rest.
    desk.write("conf/import.yaml", &format!("import: [{{ to: spaces.flat, id: {} }}]\n", flat[0]));
    let rows: Vec<_> = rows.into_iter().map(|row| if row.0 == "flat" { (row.0, Some(flat[0].as_str()), row.2) } else { row }).collect();
    desk.write(".genie-forge.json", &state(&source.url, &rows));
    let before = source.workspace.dump();
    let out = desk.done("state import-genie-forge --env dev --yes -o json");
    let told: serde_json::Value = serde_json::from_str(&out).expect("nothing but JSON");
    assert_eq!(told["format"], "brickform.state-import/1");
    assert_eq!(told["taken"].as_array().map(Vec::len), Some(3), "{out}");
    assert_eq!(told["undeclared"][0]["id"], left, "{out}");
    assert_eq!(source.workspace.dump(), before, "nothing was sent");
    let plan = desk.done("plan --env dev");
    assert!(plan.contains("2 to add") && plan.contains("+ spaces.gone") && plan.contains("~ spaces.sales_analytics"), "{plan}");

    // Again: nothing.
    let serial = || serde_json::from_str::<serde_json::Value>(&desk.done("state list --env dev -o json")).expect("JSON")["serial"].clone();
    let first = serial();
    let out = desk.done("state import-genie-forge --env dev");
    assert!(out.contains(&format!("= spaces.sales_analytics    managed already, as id {sales}")), "{out}");
    assert_eq!(serial(), first);
    desk.done("apply --yes --env dev");
    assert!(desk.done("plan --env dev").contains("no changes"));
    assert_eq!(kept(&source)["Sales (dev)"]["space_id"], sales.as_str());
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    let (source, other) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &other);
    project(&desk, &source.url);
    let whole = state("https://adb-1.2.azuredatabricks.net", &[("stock", None, "Stock")]);
    for (text, line, code, told) in [
        (whole.as_str(), "--env dev", 6, "are in https://adb-1.2.azuredatabricks.net, but 127.0.0.1"),
        (&whole[..whole.len() - 9], "--env dev", 1, "`.genie-forge.json` is no state of Genie-Forge: it is no JSON"),
        ("{\"version\": \"1.0\"}", "--env dev", 1, "it has no `environments`"),
        ("{\"version\": \"2.0\", \"environments\": {}}", "--env dev", 1, "its version is 2.0, and 1 is known"),
        (
            "{\"environments\": {\"dev\": {\"spaces\": {\"a\": {\"databricks_space_id\": 7}}}}}",
            "--env dev",
            1,
            "the id of `a` is a whole number",
        ),
        (whole.as_str(), "--env dev --from pord", 64, "did you mean `--from prod`?"),
        (whole.as_str(), "--env dev nowhere.json", 64, "`nowhere.json` cannot be read"),
    ] {
        desk.write(".genie-forge.json", text);
        let all: Vec<&str> = "state import-genie-forge --yes".split(' ').chain(line.split(' ')).collect();
        let (found, out, err) = desk.run(&all);
        assert!(found == code && err.contains(told), "{told}\n{found} {out}{err}");
    }
    // Its `init` writes one without anything in it.
    desk.write(".genie-forge.json", &state("", &[("x\n  + spaces.ok    id 7, by its id", Some("\u{1b}[31mid"), "")]));
    let shown = desk.done("state import-genie-forge --env dev");
    assert!(shown.contains("  x x\\u{a}  + spaces.ok    id 7") && shown.contains("\\u{1b}[31mid") && !shown.contains('\u{1b}'), "{shown}");
    desk.write(".genie-forge.json", "{\n  \"version\": \"1.0.0\",\n  \"environments\": {}\n}\n");
    desk.done("state import-genie-forge --env dev");
}

/// Drift of what stands in a file of JSON is told, and goes back into that file.
#[test]
fn a_definition_in_a_file_is_planned_and_edited_there() {
    let (source, other) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &other);
    let file = "{\"version\": 2, \"data_sources\": {\"tables\": [{\"identifier\": \"${catalog}.s.t\", \"description\": [\"One\"]}]}}\n";
    desk.write("spaces/sales.geniespace.json", file);
    let yaml = "spaces: { sales: { title: Sales, warehouse_id: w, serialized_space: { file: spaces/sales.geniespace.json } } }\n";
    desk.write("spaces/sales.yaml", yaml);
    desk.write("conf/project.yaml", "name: shop\nvariables: { catalog: { default: lake } }\n");
    desk.write("environments/dev.yaml", "workspace: { profile: SOURCE_WORKSPACE }\n");
    desk.done("apply --yes");
    assert!(desk.done("plan").contains("no changes"));
    let space = kept(&source)["Sales"].clone();
    let mut export = space["serialized_space"].clone();
    assert_eq!(export["data_sources"]["tables"][0]["identifier"], "lake.s.t");
    export["data_sources"]["tables"][0]["description"] = serde_json::json!(["Edited"]);
    let path = format!("/api/2.0/genie/spaces/{}", space["space_id"].as_str().unwrap_or_default());
    super::send(&source, "PATCH", &path, &serde_json::json!({ "serialized_space": export.to_string() }));
    assert!(desk.done("plan").contains("Edited"));
    desk.done("adopt --write spaces.sales --yes");
    assert_eq!(
        (desk.read("spaces/sales.yaml"), desk.read("spaces/sales.geniespace.json")),
        (yaml.to_owned(), file.replace("One", "Edited"))
    );
    assert!(desk.done("plan").contains("no changes"));
    // The file is part of what a plan was made from.
    desk.done("plan --out saved.plan");
    desk.write("spaces/sales.geniespace.json", &file.replace(".t", ".u"));
    let (code, _, err) = desk.run(&["apply", "saved.plan"]);
    assert!(code == 7 && err.contains("sales.geniespace.json"), "{code} {err}");
}
