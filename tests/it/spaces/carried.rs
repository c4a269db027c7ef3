//! Nothing of a space is lost because somebody else, or a newer server, put it there: not by an update of something else, not on
//! the way through a file; and none of it is drift.

use brickform::local::LocalOptions;
use serde_json::{Value, json};

use super::random::{self, Random};
use super::{kept, made, send};
use crate::walk::{Desk, Served};

fn served(rivals: &[&str]) -> Served {
    Served::with(LocalOptions { rivals: rivals.iter().map(|name| (*name).to_owned()).collect(), ..LocalOptions::default() })
}

/// Changes a space as its page does.
fn edited(served: &Served, title: &str, edit: impl FnOnce(&mut Value)) {
    let space = kept(served)[title].clone();
    let mut export = space["serialized_space"].clone();
    edit(&mut export);
    let path = format!("/api/2.0/genie/spaces/{}", space["space_id"].as_str().expect("an id"));
    send(served, "PATCH", &path, &json!({ "serialized_space": export.to_string() }));
}

const SALES: &str = r#"
spaces:
  sales:
    title: Sales
    warehouse_id: w
    tables:
      - { identifier: lake.s.orders, description: Orders, columns: [{ name: id, synonyms: [key] }] }
      - lake.s.items
    instructions:
      text: |
        Round money.
        Leave out what was cancelled.
      example_sql: [{ question: How many?, sql: "SELECT :n", parameters: [{ name: n, default: 1 }], usage_guidance: Always }]
      functions: [lake.s.quarter]
      joins: [{ left: lake.s.orders, right: lake.s.items, condition: orders.id = items.order_id, relationship: ONE_TO_MANY }]
      snippets:
        filters: [{ name: done, sql: orders.done }]
        measures: [{ name: revenue, sql: sum(items.price) }]
    sample_questions: [What is sold?]
    benchmarks: [{ question: How much?, sql: SELECT 1 }]
"#;

fn project(desk: &Desk, environment: &str) {
    desk.write("conf/project.yaml", "name: shop\n");
    desk.write("spaces/sales.yaml", SALES);
    desk.write("environments/dev.yaml", environment);
}

#[test]
fn what_a_newer_server_adds_is_neither_drift_nor_lost() {
    let (source, other) = (served(&["genie-knows-more"]), Served::new());
    let desk = Desk::new(&source, &other);
    project(&desk, "workspace: { profile: SOURCE_WORKSPACE }\n");
    desk.done("apply --yes");
    for seed in 0..4 {
        edited(&source, "Sales", |export| {
            *export = random::strewn(export, &mut Random::of(seed));
            // A second answer, an end that the server cut or added: neither says anything else.
            let answers = export["benchmarks"]["questions"][0]["answer"].as_array_mut().expect("answers");
            answers.push(json!({ "format": "SQL", "content": ["SELECT 2"] }));
            let text = &mut export["instructions"]["text_instructions"][0]["content"][0];
            *text = json!(text.as_str().expect("text").trim_end());
            let sql = &mut export["instructions"]["example_question_sqls"][0]["sql"][0];
            *sql = json!(format!("{}\n\n", sql.as_str().expect("text")));
        });
        let before = random::markers(&kept(&source)["Sales"]["serialized_space"]);
        assert!(before.len() > 20, "{before:?}");
        let plan = desk.done("plan");
        assert!(plan.contains("no changes"), "{plan}");
        assert_eq!(desk.run(&["drift"]).0, 0);
        desk.write("spaces/sales.yaml", &SALES.replace("description: Orders", &format!("description: Orders {seed}")));
        desk.done("apply --yes");
        let after = kept(&source)["Sales"]["serialized_space"].clone();
        assert_eq!(random::markers(&after), before);
        assert_eq!(after["data_sources"]["tables"][1]["description"], json!([format!("Orders {seed}")]));
        assert_eq!(after["benchmarks"]["questions"][0]["answer"][1]["content"], json!(["SELECT 2"]));
        assert!(desk.done("plan").contains("no changes"));
        // The next one begins without them.
        edited(&source, "Sales", |export| *export = random::plain(export));
        assert!(desk.done("plan").contains("no changes"));
    }
}

#[test]
fn what_the_other_api_alone_has_blocks_no_update() {
    let (source, other) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &other);
    project(&desk, "workspace: { profile: SOURCE_WORKSPACE, genie_api: agents }\n");
    desk.done("apply --yes");
    edited(&source, "Sales", |export| export["instructions"]["sql_snippets"]["measures"][0]["comment"] = json!(["by hand"]));
    assert!(desk.done("plan").contains("no changes"));
    desk.write("spaces/sales.yaml", &SALES.replace("description: Orders", "description: All orders"));
    let plan = desk.done("plan");
    assert!(plan.contains("the agents API takes no `comment`") && plan.contains("genie_api: spaces"), "{plan}");
    desk.done("apply --yes");
    assert_eq!(kept(&source)["Sales"]["serialized_space"]["data_sources"]["tables"][1]["description"], json!(["All orders"]));
    assert!(desk.done("plan").contains("no changes"));
    // By the API that has it, it stays.
    edited(&source, "Sales", |export| export["instructions"]["sql_snippets"]["measures"][0]["comment"] = json!(["by hand"]));
    desk.write("environments/dev.yaml", "workspace: { profile: SOURCE_WORKSPACE }\n");
    desk.write("spaces/sales.yaml", SALES);
    desk.done("apply --yes");
    assert_eq!(kept(&source)["Sales"]["serialized_space"]["instructions"]["sql_snippets"]["measures"][0]["comment"], json!(["by hand"]));
}

/// An item that is reworded is the same one still, also for what nobody here knows of it; a `more` in YAML is not all that there is.
#[test]
fn what_is_reworded_keeps_what_was_added() {
    for lifecycle in ["", "    lifecycle: { merge: true }\n"] {
        let (source, other) = (served(&["genie-knows-more"]), Served::new());
        let desk = Desk::new(&source, &other);
        project(&desk, "workspace: { profile: SOURCE_WORKSPACE }\n");
        let keyed = SALES
            .replace("[{ question: How many?,", "[{ question: How many?, $key: many,")
            .replace("[What is sold?]", "[{ $key: sold, question: What is sold? }]")
            .replace("{ name: done, sql", "{ name: done, more: { shade: grey }, sql")
            + lifecycle;
        desk.write("spaces/sales.yaml", &keyed);
        desk.done("apply --yes");
        edited(&source, "Sales", |export| {
            export["config"]["sample_questions"][0]["pin"] = json!(true);
            export["instructions"]["example_question_sqls"][0]["rating"] = json!(5);
            export["instructions"]["example_question_sqls"][0]["parameters"][0]["unit"] = json!("days");
            export["instructions"]["sql_snippets"]["filters"][0]["hidden"] = json!(false);
        });
        assert!(desk.done("plan").contains("no changes"));
        desk.write("spaces/sales.yaml", &keyed.replace("How many?", "How many are there?").replace("What is sold?", "What was sold?"));
        desk.done("apply --yes");
        let space = kept(&source)["Sales"]["serialized_space"].clone();
        assert_eq!(space["config"]["sample_questions"][0]["question"], json!(["What was sold?"]));
        assert_eq!(space["config"]["sample_questions"][0]["pin"], true, "{lifecycle}");
        let example = &space["instructions"]["example_question_sqls"][0];
        assert_eq!((&example["question"], &example["rating"]), (&json!(["How many are there?"]), &json!(5)));
        assert_eq!(example["parameters"][0]["unit"], "days");
        let filter = &space["instructions"]["sql_snippets"]["filters"][0];
        assert_eq!((&filter["shade"], &filter["hidden"]), (&json!("grey"), &json!(false)));
    }
}

/// What is exported is a project that is valid, whatever is missing in the space.
#[test]
fn an_export_of_a_space_that_lacks_something_is_valid() {
    let (source, other) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &other);
    let tables = json!([{ "description": ["nameless"] }, { "identifier": "lake.s.orders" }]);
    made(&source, "", &json!({ "version": 2, "data_sources": { "tables": tables } }));
    desk.done("space-export --output-dir conf/spaces --profile SOURCE_WORKSPACE");
    assert!(desk.read("conf/spaces/space.yaml").contains("title: \"\""), "{}", desk.read("conf/spaces/space.yaml"));
    desk.write("conf/environments/dev.yaml", "{}\n");
    desk.done("validate --env dev --config conf/spaces");
    desk.done("apply --yes --env dev --config conf/spaces --profile TARGET_WORKSPACE");
    assert_eq!(kept(&other)[""]["serialized_space"]["data_sources"]["tables"], tables);
}

/// An export, a copy and what is adopted tell items apart by one rule, which is the one that reads them.
#[test]
fn items_that_are_alike_are_written_as_they_are_read() {
    let (source, other) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &other);
    let id = |n: u32| format!("{n:032x}");
    let question = |n: u32, text: &str| json!({ "id": id(n), "question": [text] });
    let join = |n: u32, instruction: &str| {
        let side = |name: &str| json!({ "identifier": format!("lake.s.{name}"), "alias": name });
        let sql = ["`a`.`x` = `b`.`y`", "--rt=FROM_RELATIONSHIP_TYPE_ONE_TO_ONE--"];
        json!({ "id": id(n), "left": side("a"), "right": side("b"), "sql": sql, "instruction": [instruction] })
    };
    let function = |n: u32| json!({ "id": id(n), "identifier": "lake.s.f" });
    let export = json!({
        "version": 2,
        "config": { "sample_questions": [question(11, "b"), question(12, "b"), question(13, "a"), question(14, "a")] },
        "data_sources": { "tables": [{ "identifier": "lake.s.a" }, { "identifier": "lake.s.b" }] },
        "instructions": { "sql_functions": [function(5), function(6)], "join_specs": [join(1, "two"), join(2, "one")] }
    });
    let space = made(&source, "Twins", &export);
    let keys = |text: &str| ["2", "3"].map(|key| text.matches(&format!("$key: \"{key}\"")).count());

    desk.done("space-export --definition-only --output-dir conf/spaces --profile SOURCE_WORKSPACE");
    let text = desk.read("conf/spaces/twins.yaml");
    // One of the joins and one of each question; of a function there is one, which said twice means no more.
    assert_eq!((keys(&text), text.matches("lake.s.f").count()), ([2, 1], 1), "{text}");
    desk.write("conf/environments/dev.yaml", "{}\n");
    desk.done("validate --env dev --config conf/spaces");
    desk.done("space-clone Twins --to-file copy.yaml --profile SOURCE_WORKSPACE");
    let rest = |text: &str| text.split_once('\n').expect("lines").1.to_owned();
    assert_eq!(desk.read("copy.yaml"), rest(&text));
    let options = "--env dev --config conf/spaces --profile TARGET_WORKSPACE";
    desk.done(&format!("apply --yes {options}"));
    let arrived = kept(&other)["Twins"]["serialized_space"].clone();
    let count = |list: &str| arrived.pointer(list).and_then(Value::as_array).map(Vec::len);
    let lists = ["/instructions/join_specs", "/config/sample_questions", "/instructions/sql_functions"];
    assert_eq!(lists.map(count), [Some(2), Some(4), Some(1)]);
    assert!(desk.done(&format!("plan {options}")).contains("no changes"));
    // Whatever order the other workspace has them in.
    desk.done("space-export --definition-only --output-dir again --profile TARGET_WORKSPACE");
    assert_eq!(rest(&desk.read("again/twins.yaml")), rest(&text));

    let own = Desk::new(&source, &other);
    own.write("conf/project.yaml", "name: shop\n");
    own.write("environments/dev.yaml", "workspace: { profile: SOURCE_WORKSPACE }\n");
    own.done(&format!("adopt spaces --id {space} --yes"));
    let adopted = own.read("conf/spaces.yaml");
    assert_eq!((keys(&adopted), adopted.matches("lake.s.f").count()), ([2, 1], 1), "{adopted}");
    // Nothing but the function that YAML cannot say twice.
    let plan = own.done("plan");
    assert!(plan.contains("functions") && !plan.contains("joins") && !plan.contains("sample_questions"), "{plan}");
    own.done("apply --yes");
    assert!(own.done("plan").contains("no changes"));
}
