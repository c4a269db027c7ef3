//! Plans in files beside what happens in the workspace: carried out where nothing moved, refused where something did.

use std::fs;

use brickform::local::LocalOptions;
use serde_json::{Value as Json, json};

use super::cli::{Project, Ran};
use super::merging::{content_of, spaces};
use super::space_ahead::send;
use super::walk::Served;

const SPACE: &str = "
spaces:
  s:
    title: S
    warehouse_id: '475b94ddc7cd5211'
    tables: [{ identifier: samples.nyctaxi.trips, columns: [{ name: fare_amount, synonyms: [x] }] }]
    sample_questions: [S1]
    instructions: { snippets: { measures: [{ name: rev, sql: sum(trips.fare_amount), synonyms: [p] }] } }
";
const CATALOG: &str = "catalogs: { c: { name: stale, grants: [{ principal: users, privileges: [USE_CATALOG] }] } }\n";

struct Desk {
    served: Served,
    project: Project,
}

impl Desk {
    /// A project that is applied.
    fn new() -> Self {
        let served = Served::with(LocalOptions::default());
        let files = [("environments/dev.yaml", "workspace: {}\n"), ("conf/project.yaml", "name: shop\n"), ("conf/s.yaml", SPACE)];
        let desk = Self { served, project: Project::new(&files) };
        desk.project.write("conf/c.yaml", CATALOG);
        desk.run("apply --env dev --yes").ended(0);
        desk
    }

    fn run(&self, line: &str) -> Ran {
        self.project.with(line, &[("DATABRICKS_HOST", self.served.url.as_str()), ("DATABRICKS_TOKEN", "any")], None)
    }

    /// What somebody does to the space in the UI.
    fn in_the_ui(&self, edit: impl Fn(&mut Json)) {
        let (id, content) = content_of(&self.served.workspace);
        let mut content: Json = serde_json::from_str(&brickform::model::json::write(&content).expect("JSON")).expect("JSON");
        edit(&mut content);
        let body = json!({ "serialized_space": content.to_string() });
        send(&self.served, "PATCH", &format!("/api/2.0/genie/spaces/{id}"), &body.to_string());
    }

    fn asks(&self, question: &str) {
        self.in_the_ui(|content| {
            let id = format!("{:032x}", 0xff00 + question.len());
            let questions = content["config"]["sample_questions"].as_array_mut().expect("questions");
            questions.push(json!({ "id": id, "question": [question] }));
            questions.sort_by_key(|question| question["id"].to_string());
        });
    }

    /// Nothing is sent.
    fn stale(&self, plan: &str) -> String {
        let before = self.served.workspace.dump();
        let ran = self.run(&format!("apply {plan}")).ended(7);
        assert_eq!(self.served.workspace.dump(), before);
        ran.err
    }
}

#[test]
fn several_members_of_one_set_are_carried_out() {
    let desk = Desk::new();
    for (from, to) in [("[x]", "[x, a, b]"), ("[p]", "[p, k, l]"), ("[x, a, b]", "[x, b, c]"), ("[p, k, l]", "[n, m]")] {
        desk.project.edit("conf/s.yaml", &format!("synonyms: {from}"), &format!("synonyms: {to}"));
        desk.run("plan --env dev --out p.json").ended(0);
        desk.run("apply p.json").ended(0);
    }
    for (from, to) in [("[USE_CATALOG]", "[USE_CATALOG, CREATE_SCHEMA, BROWSE]"), ("CREATE_SCHEMA, BROWSE", "USE_SCHEMA, SELECT")] {
        desk.project.edit("conf/c.yaml", from, to);
        desk.run("plan --env dev --out p.json").ended(0);
        desk.run("apply p.json").ended(0);
    }
    desk.run("plan --env dev --detailed-exitcode").ended(0);
    // One more that somebody else gave is a move.
    desk.project.edit("conf/s.yaml", "synonyms: [n, m]", "synonyms: [n, o, q]");
    desk.run("plan --env dev --out p.json").ended(0);
    desk.in_the_ui(|content| {
        let measure = &mut content["instructions"]["sql_snippets"]["measures"][0];
        measure["synonyms"].as_array_mut().expect("synonyms").push(json!("ui"));
    });
    let said = desk.stale("p.json");
    assert!(said.contains("synonyms was not set in the workspace, is \"ui\" there now") && !said.contains("was to become"), "{said}");
}

#[test]
fn a_deleted_space_takes_edits_along_only_where_the_plan_said_so() {
    let desk = Desk::new();
    desk.project.write("conf/s.yaml", "{}\n");
    desk.run("plan --env dev --allow-delete spaces --out early.json").ended(0);
    desk.asks("UI x");
    let told = "what was edited in the workspace since the last apply goes with it: sample_questions[question=\"UI x\"]";
    for line in ["plan --env dev --allow-delete spaces", "plan --env dev --destroy"] {
        let ran = desk.run(line);
        assert!(ran.out.split_whitespace().collect::<Vec<_>>().join(" ").contains(told), "{}", ran.out);
    }
    let comment = desk.run("plan --env dev --allow-delete spaces -o markdown").out;
    assert!(comment.contains("edited in the workspace since the last apply goes with it"), "{comment}");
    let said = desk.stale("early.json");
    assert!(said.contains("was edited in the workspace since the plan was made, and would go with it: sample_questions"), "{said}");
    desk.run("plan --env dev --allow-delete spaces --out p.json").ended(0);
    let file = fs::read_to_string(desk.project.outside(&[]).folder.join("p.json")).expect("a plan");
    assert!(file.contains("goes with it"), "{file}");
    // What YAML never set goes, too.
    desk.in_the_ui(|content| {
        content["instructions"]["text_instructions"] = json!([{ "id": "0".repeat(32), "content": ["words of theirs"] }]);
    });
    let said = desk.stale("p.json");
    assert!(said.contains("would go with it: instructions.text") && !said.contains("words of theirs"), "{said}");
    let out = desk.run("plan --env dev --allow-delete spaces --out p.json").ended(0).out;
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("what YAML does not set is lost with it: instructions.text"), "{out}");
    desk.run("apply p.json").ended(0);
    assert!(spaces(&desk.served.workspace).is_empty());
}

#[test]
fn a_replaced_space_says_what_yaml_does_not_set() {
    let desk = Desk::new();
    desk.in_the_ui(|content| {
        content["instructions"]["text_instructions"] = json!([{ "id": "0".repeat(32), "content": ["theirs"] }]);
        content["data_sources"]["tables"][0]["description"] = json!(["theirs, too"]);
    });
    let staying = desk.run("plan --env dev --unmanaged").ended(0).out;
    assert!(staying.contains("Unmanaged") && staying.contains("instructions.text"), "{staying}");
    desk.asks("UI x");
    let ran = desk.run("plan --env dev --replace spaces.s --allow-delete spaces --unmanaged --out p.json").ended(0);
    let words = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains(
            "what YAML does not set is lost with it: tables[identifier=\"samples.nyctaxi.trips\"].description, instructions.text"
        ),
        "{words}"
    );
    assert!(words.contains("goes with it: sample_questions[question=\"UI x\"]"), "{words}");
    assert!(!words.contains("Unmanaged"), "{words}");
    let table = words.find("lost with it: ").map(|at| &words[at..]).expect("it is said");
    assert!(table.contains("description"), "{words}");
    desk.in_the_ui(|content| content["instructions"]["text_instructions"][0]["content"] = json!(["theirs, again"]));
    assert!(desk.stale("p.json").contains("would go with it: instructions.text"));
}
