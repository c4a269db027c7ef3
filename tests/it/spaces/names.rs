//! Names, titles and texts as people write them, and as the workspace gives them back.

use brickform::local::LocalOptions;
use serde_json::json;

use super::send;
use crate::cli::{Project, Ran};
use crate::walk::Served;

struct Desk {
    project: Project,
    served: Served,
}

impl Desk {
    fn new(files: &[(&str, &str)]) -> Self {
        let project = Project::new(&[("environments/dev.yaml", "workspace: {}\n"), ("conf/project.yaml", "name: shop\n")]);
        for (name, text) in files {
            project.write(name, text);
        }
        Self { project, served: Served::with(LocalOptions::default()) }
    }

    fn run(&self, line: &str) -> Ran {
        self.project.with(line, &[("DATABRICKS_HOST", &self.served.url), ("DATABRICKS_TOKEN", "any")], None)
    }

    /// What a command that does what it is asked to prints.
    fn done(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, 0, "{line}\n{}{}", ran.out, ran.err);
        ran.out
    }
}

fn space(more: &str) -> String {
    format!("spaces:\n  s:\n    title: Sales\n    warehouse_id: '475b94ddc7cd5211'\n{more}")
}

/// A title that somebody gave in the UI looks like one that the workspace numbered: only the latter is no change.
#[test]
fn a_title_that_somebody_changes_is_seen_whatever_it_is() {
    let desk = Desk::new(&[("conf/a.yaml", &space(""))]);
    desk.done("apply --env dev --yes");
    let id = desk.served.spaces()[0].get("space_id").map(brickform::model::Value::key_text).expect("an id");
    let rename = |title: &str| send(&desk.served, "PATCH", &format!("/api/2.0/genie/spaces/{id}"), &json!({ "title": title }));
    rename("Sales (2024)");
    let planned = desk.run("plan --env dev");
    assert!(planned.out.contains("Sales (2024)") && !planned.out.contains("no changes"), "{}{}", planned.out, planned.err);
    assert!(!planned.out.contains("another space has the title"), "{}", planned.out);
    let drift = desk.run("drift --env dev");
    assert!(drift.out.contains("Sales (2024)"), "{}{}", drift.out, drift.err);
    desk.done("apply --env dev --yes");
    assert!(desk.done("plan --env dev").contains("no changes"));
    // The same of a space that the workspace did number.
    desk.project.write(
        "conf/a.yaml",
        &format!(
            "{}  t: {{ title: Sales, warehouse_id: w, lifecycle: {{ allow_duplicate_name: true }} }}\n",
            space("    lifecycle: { allow_duplicate_name: true }\n")
        ),
    );
    desk.done("apply --env dev --yes");
    assert!(desk.done("plan --env dev").contains("no changes"));
    let of = |title: &str| {
        let spaces = desk.served.spaces();
        let found = spaces.iter().find(|space| space.get("title").and_then(|title| title.as_str()) == Some(title));
        found.and_then(|space| space.get("space_id")).map(brickform::model::Value::key_text).expect("an id")
    };
    send(&desk.served, "PATCH", &format!("/api/2.0/genie/spaces/{}", of("Sales (1)")), &json!({ "title": "Sales (2)" }));
    let planned = desk.run("plan --env dev");
    assert!(planned.out.contains("Sales (2)") && !planned.out.contains("no changes"), "{}{}", planned.out, planned.err);
}

/// A text that is nothing but the end of a line is none: it is neither sent nor missed.
#[test]
fn an_instruction_of_a_newline_is_none() {
    let desk = Desk::new(&[("conf/a.yaml", &space("    instructions: { text: \"${template('t.hbs')}\" }\n")), ("t.hbs", "\n")]);
    desk.done("apply --env dev --yes");
    let planned = desk.done("plan --env dev");
    assert!(planned.contains("no changes"), "{planned}");
    desk.project.write("conf/a.yaml", &space("    instructions: { text: \"\\n\" }\n"));
    let planned = desk.done("plan --env dev");
    assert!(planned.contains("no changes"), "{planned}");
}

/// Names of tables and functions are the same in whatever case and with or without backticks.
#[test]
fn names_are_compared_as_the_catalog_does() {
    let body = |table: &str, function: &str| {
        space(&format!(
            "    tables: [\"{table}\", main.s.items]\n    instructions:\n      functions: [\"{function}\"]\n      joins:\n        - left: \"{table}\"\n          right: main.s.items\n          condition: orders.id = items.id\n          relationship: ONE_TO_MANY\n"
        ))
    };
    let desk = Desk::new(&[("conf/a.yaml", &body("main.s.orders", "main.s.F"))]);
    desk.done("apply --env dev --yes");
    desk.project.write("conf/a.yaml", &body("Main.s.orders", "main.s.f"));
    let planned = desk.done("plan --env dev");
    assert!(planned.contains("no changes"), "{planned}");
    for (lists, wanted) in [
        ("    instructions: { functions: [main.s.f, main.s.F] }\n", "main.s.F"),
        ("    instructions: { functions: [main.s.f, main.s.`f`] }\n", "is listed above already, as `main.s.f`"),
        ("    tables: [main.s.b, \"`main`.s.b\"]\n", "is listed above already, as `main.s.b`"),
        ("    tables: [main.s.b]\n    metric_views: [\"main.S.`b`\"]\n", "is among the tables too"),
        ("    tables: [\"main.s.orders \"]\n", "a blank has no place in one"),
        ("    tables: [\" main. .b\"]\n", "a blank has no place in one"),
        ("    tables: [s.b]\n", "is no whole name"),
    ] {
        desk.project.write("conf/a.yaml", &space(lists));
        let ran = desk.run("validate --env dev");
        assert!(ran.code == 1 && ran.err.contains("error[") && ran.err.contains(wanted), "{lists}\n{}{}", ran.out, ran.err);
    }
    // A dot within backticks divides nothing.
    desk.project.write(
        "conf/a.yaml",
        &space(
            "    tables: [\"main.s.`a.b`\", main.s.b]\n    instructions:\n      joins:\n        - { left: \"main.s.`a.b`\", right: main.s.b, condition: \"`a.b`.id = b.id\", relationship: ONE_TO_ONE }\n      snippets:\n        filters: [{ name: f, sql: \"`a.b`.x > 1\" }]\n",
        ),
    );
    let ran = desk.run("validate --env dev");
    assert!(ran.code == 0 && !ran.err.contains("warning"), "{}{}", ran.out, ran.err);
    desk.done("apply --env dev --yes");
    assert!(desk.done("plan --env dev").contains("no changes"));
}

/// The folder that `--config` names may be the project's own, in whatever words.
#[test]
fn environments_of_one_folder_are_read_once() {
    let desk = Desk::new(&[]);
    for config in [".", "conf/..", "./conf"] {
        let ran = desk.run(&format!("validate --env dev --config {config}"));
        assert!(!ran.err.contains("E0312"), "{config}\n{}{}", ran.out, ran.err);
    }
}
