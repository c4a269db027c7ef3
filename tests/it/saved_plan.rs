//! Plans in files beside what happens in the workspace: carried out where nothing moved, refused where something did.

use brickform::local::LocalOptions;
use serde_json::{Value as Json, json};

use super::cli::{Project, Ran};
use super::merging::content_of;
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
