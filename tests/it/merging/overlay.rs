//! `adopt --write` of items that are named by expressions, reworded, or like others; and of several spaces of which one cannot
//! be written.

use serde_json::{Value as Json, json};

use super::adopt::in_the_ui;
use crate::adoption::Desk;

const HEAD: &str =
    "warehouses: { w: { name: w, cluster_size: Small } }\nspaces:\n  s:\n    title: Sales\n    warehouse_id: \"${warehouses.w.id}\"\n";

fn desk(body: &str, files: &[(&str, &str)]) -> Desk {
    let desk = Desk::new();
    desk.write("conf/project.yaml", "name: desk\nvariables: { catalog: { default: main }, cur: { default: euros } }\n");
    for (name, text) in files {
        desk.write(name, text);
    }
    desk.write("conf/a.yaml", &format!("{HEAD}{body}"));
    desk.done(&["apply", "--yes"], "the first apply");
    desk
}

fn settled(desk: &Desk, line: &[&str]) -> String {
    let said = desk.done(line, &desk.read("conf/a.yaml"));
    let now = [desk.read("conf/a.yaml"), desk.read("environments/local.yaml")].join("---\n");
    desk.done(&["plan", "--detailed-exitcode"], &format!("{said}\n{now}"));
    said
}

const NAMED: &str = r#"    tables:
      - identifier: ${catalog}.x.t3
        description: T3
        columns: [{ name: c1, description: C one }]
      - ${catalog}.x.t4
    instructions:
      joins:
        - { left: "${catalog}.x.t3", right: "${catalog}.x.t4", condition: t3.a = t4.a, relationship: MANY_TO_ONE }
      example_sql:
        - { question: "In ${catalog}?", sql: "SELECT 1 FROM ${catalog}.x.t3" }
"#;

fn edited(content: &mut Json) {
    let tables = content["data_sources"]["tables"].as_array_mut().expect("tables");
    for table in tables {
        if table["identifier"] == "main.x.t3" {
            table["description"] = json!(["by hand"]);
            table["column_configs"][0]["description"] = json!(["C by hand"]);
        } else {
            table["description"] = json!(["T4"]);
        }
    }
    content["instructions"]["join_specs"][0]["instruction"] = json!(["always"]);
    content["instructions"]["example_question_sqls"][0]["sql"] = json!(["SELECT 2"]);
}

#[test]
fn an_overlay_names_items_as_they_are_written() {
    let desk = desk(NAMED, &[]);
    let before = desk.read("conf/a.yaml");
    in_the_ui(&desk, &json!({}), edited);
    settled(&desk, &["adopt", "--write", "--overlay", "--all-fields", "spaces.s", "--yes"]);
    assert_eq!(desk.read("conf/a.yaml"), before);
    let overlay = desk.read("environments/local.yaml");
    for part in ["${catalog}.x.t3", "${catalog}.x.t4", "In ${catalog}?", "by hand", "C by hand", "T4", "always", "SELECT 2"] {
        assert!(overlay.contains(part), "{part}\n{overlay}");
    }
    assert!(!overlay.contains("main."), "{overlay}");
    // And again: what the overlay says is edited there.
    in_the_ui(&desk, &json!({}), |content| {
        edited(content);
        content["instructions"]["example_question_sqls"][0]["sql"] = json!(["SELECT 3"]);
    });
    settled(&desk, &["adopt", "--write", "--overlay", "spaces.s", "--yes"]);
    assert_eq!(desk.read("environments/local.yaml"), overlay.replace("SELECT 2", "SELECT 3"));
}

#[test]
fn a_text_alone_that_gets_a_description_keeps_its_expression() {
    let desk = desk(NAMED, &[]);
    in_the_ui(&desk, &json!({}), edited);
    settled(&desk, &["adopt", "--write", "--all-fields", "spaces.s", "--yes"]);
    let now = desk.read("conf/a.yaml");
    assert!(now.replace('"', "").contains("- identifier: ${catalog}.x.t4\n        description: T4\n"), "{now}");
}

fn questions(content: &mut Json) -> &mut Vec<Json> {
    content["config"]["sample_questions"].as_array_mut().expect("questions")
}

#[test]
fn reworded_items_go_into_an_overlay() {
    for (first, items) in
        [("s1", "[s1, s2]"), ("s1", "[{ question: s1 }, s2]"), ("s1 ${x}", "[\"s1 $${x}\", s2]"), ("s1", "[{ question: s1, $key: k }, s2]")]
    {
        let desk = desk(&format!("    description: d\n    sample_questions: {items}\n"), &[]);
        let before = desk.read("conf/a.yaml");
        in_the_ui(&desk, &json!({ "description": "by hand" }), |content| {
            let one = questions(content).iter_mut().find(|item| item["question"][0] == first).expect("it is there");
            one["question"] = json!(["reworded ${y}"]);
        });
        settled(&desk, &["adopt", "--write", "--overlay", "--all-drift", "--deletions", "--yes"]);
        let overlay = desk.read("environments/local.yaml");
        assert!(overlay.contains("reworded $${y}") && overlay.contains("by hand"), "{items}\n{overlay}");
        assert_eq!(desk.read("conf/a.yaml"), before);
    }
}

#[test]
fn literal_expressions_are_taken_away_by_an_overlay() {
    let desk = desk("    sample_questions: [\"rev $${x}\", \"rev main\"]\n", &[]);
    in_the_ui(&desk, &json!({}), |content| questions(content).retain(|item| item["question"][0] != "rev ${x}"));
    settled(&desk, &["adopt", "--write", "--overlay", "--all-drift", "--deletions", "--yes"]);
    let overlay = desk.read("environments/local.yaml");
    assert!(overlay.contains("rev $${x}") && overlay.contains("$delete: true"), "{overlay}");
}

#[test]
fn what_the_ui_adds_with_a_text_that_is_there_gets_a_key() {
    let more = "    sample_questions: [S1]\n    instructions:\n      example_sql: [{ question: Q, sql: SELECT 1 }]\n";
    for into in [&["--overlay"][..], &[]] {
        let desk = desk(more, &[]);
        in_the_ui(&desk, &json!({}), |content| {
            questions(content).push(json!({ "id": "f".repeat(32), "question": ["S1"] }));
            let examples = content["instructions"]["example_question_sqls"].as_array_mut().expect("examples");
            examples.push(json!({ "id": "e".repeat(32), "question": ["Q"], "sql": ["SELECT 2"] }));
            examples.push(json!({ "id": "f".repeat(32), "question": ["Q"], "sql": ["SELECT 3"] }));
        });
        settled(&desk, &[&["adopt", "--write", "spaces.s", "--yes"], into].concat());
        let file = if into.is_empty() { "conf/a.yaml" } else { "environments/local.yaml" };
        let now = desk.read(file);
        assert_eq!((now.matches("$key: \"2\"").count(), now.matches("$key: \"3\"").count()), (2, 1), "{now}");
    }
}

#[test]
fn a_space_with_items_of_one_text_is_adopted() {
    let desk = desk("    sample_questions: [S1]\n", &[]);
    in_the_ui(&desk, &json!({}), |content| questions(content).push(json!({ "id": "f".repeat(32), "question": ["S1"] })));
    let (id, _) = super::spaces(&desk.workspace()).pop().expect("a space");
    desk.done(&["forget", "spaces.s", "--yes"], "it is nobody's");
    desk.write("conf/a.yaml", "warehouses: { w: { name: w, cluster_size: Small } }\n");
    settled(&desk, &["adopt", "spaces", "--id", &id, "--key", "twice", "--to", "conf/twice.yaml", "--yes"]);
    assert!(desk.read("conf/twice.yaml").contains("$key: \"2\""), "{}", desk.read("conf/twice.yaml"));
}

#[test]
fn what_an_overlay_took_away_comes_back() {
    let local = format!(
        "{}resources:\n  spaces:\n    s:\n      sample_questions: [{{ question: S1, $delete: true }}]\n",
        Desk::new().read("environments/local.yaml")
    );
    let desk = desk("    sample_questions: [S1, S2]\n", &[("environments/local.yaml", &local)]);
    let before = desk.read("conf/a.yaml");
    in_the_ui(&desk, &json!({}), |content| questions(content).push(json!({ "id": "f".repeat(32), "question": ["S1"] })));
    let said = settled(&desk, &["adopt", "--write", "spaces.s", "--yes"]);
    assert!(said.contains("where this environment took it away"), "{said}");
    assert_eq!(desk.read("conf/a.yaml"), before);
    assert!(!desk.read("environments/local.yaml").contains("$delete"));
}

#[test]
fn an_anchor_is_named_for_what_it_is() {
    let more = "    description: &said first\n  t: { title: Other, warehouse_id: \"${warehouses.w.id}\", description: *said }\n";
    let desk = desk(more, &[]);
    let all = super::spaces(&desk.workspace());
    let of = |space: &brickform::model::Value| space.get("title").and_then(|v| v.as_str()) == Some("Sales");
    let (id, _) = all.iter().find(|(_, space)| of(space)).expect("it is there");
    let line = format!("PATCH /api/2.0/genie/spaces/{id} {}", json!({ "description": "by hand" }));
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(desk.by_hand(&[line]));
    let said = settled(&desk, &["adopt", "--write", "spaces.s", "--yes"]);
    assert!(
        said.contains("as an overlay of this environment: in `conf/a.yaml` `spaces.s.description` has the anchor `&said` (line 6)"),
        "{said}"
    );
}

/// What another environment's overlay takes away must be there to be taken away.
#[test]
fn an_edit_with_which_another_environment_would_not_load_is_refused() {
    let questions = "    sample_questions: [{ question: One? }, { question: Two? }]\n";
    let other = "workspace: local\nresources: { spaces: { s: { sample_questions: [{ question: One?, $delete: true }] } } }\n";
    let desk = desk(questions, &[]);
    desk.write("environments/other.yaml", other);
    in_the_ui(&desk, &json!({}), |content| {
        let all = content["config"]["sample_questions"].as_array_mut().expect("questions");
        all.retain(|question| question["question"][0] != "One?");
    });
    let before = desk.read("conf/a.yaml");
    let (exit, said) = desk.run(&["adopt", "--env", "local", "--write", "spaces.s", "--yes"]);
    assert_eq!(exit, 1, "{said}");
    assert!(said.contains("with it other would not load, and nothing was written") && said.contains("--overlay"), "{said}");
    assert_eq!(desk.read("conf/a.yaml"), before);
    // What the message says is a way.
    desk.done(&["adopt", "--env", "local", "--write", "spaces.s", "--overlay", "--yes"], "into the environment's file");
    desk.done(&["plan", "--env", "local", "--detailed-exitcode"], "nothing is left");
    desk.done(&["validate"], "every environment loads");
}
