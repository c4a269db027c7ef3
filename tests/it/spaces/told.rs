//! What is said of spaces, and how their files are written, whichever command does it.

use brickform::local::LocalOptions;
use serde_json::json;

use super::{kept, made};
use crate::walk::{Desk, Served};

fn desk(source: &Served) -> Desk {
    let desk = Desk::new(source, source);
    desk.write("conf/project.yaml", "name: told\n");
    desk.write("environments/dev.yaml", "workspace: { profile: SOURCE_WORKSPACE }\n");
    desk
}

const SPACE: &str = "spaces:\n  a:\n    title: A\n    warehouse_id: w\n    tables: [c.s.t]\n";

#[test]
fn instructions_that_go_as_a_whole_are_told_one_by_one() {
    let source = Served::new();
    let desk = desk(&source);
    let instructions = "    instructions:\n      text: |\n        Round money.\n        Leave out drafts.\n      example_sql: [{ question: Top?, sql: SELECT 1 }]\n      snippets: { measures: [{ name: rows, sql: count(*) }] }\n";
    desk.write("spaces/a.yaml", &format!("{SPACE}{instructions}"));
    desk.done("apply --yes --env dev");
    desk.write("spaces/a.yaml", SPACE);
    let plan = desk.done("plan --env dev");
    for words in ["instructions.text ", "Leave out drafts.", "- example question \"Top?\"", "- measure \"rows\""] {
        assert!(plan.contains(words), "{words}\n{plan}");
    }
    assert!(!plan.contains("text_id") && !plan.contains("{text"), "{plan}");
    desk.done("apply --yes --env dev");
    assert!(desk.done("plan --env dev").contains("no changes"));
    let left = kept(&source)["A"]["serialized_space"].to_string();
    assert!(["Round", "SELECT", "count"].iter().all(|gone| !left.contains(gone)), "{left}");
}

/// A text of a definition as the API has it, with the reply around it.
#[test]
fn a_pasted_reply_of_the_agents_api_is_a_space() {
    let source = Served::new();
    let desk = desk(&source);
    let reply = r#"{"name": "agents/01efabcd", "display_name": "A", "warehouse_id": "w", "definition": {"data_sources": {"tables": [{"identifier": "c.s.t"}]}}, "effective_parent_path": "/Users/eve@x.example", "etag": "1", "create_time": "2026-01-01T00:00:00Z", "update_time": "2026-01-01T00:00:00Z"}"#;
    desk.write("spaces/a.yaml", &format!("genie_agents:\n  p: {reply}\n"));
    let (code, out, err) = desk.run(&["plan", "--env", "dev", "--requests"]);
    let said = out + &err;
    let told = "left out: `create_time`, `effective_parent_path`, `etag`, `name` and `update_time`";
    assert!(code == 0 && said.contains(told) && !said.contains("W0108") && !said.contains("unknown field"), "{said}");
    desk.done("apply --yes --env dev");
    assert!(kept(&source)["A"].get("effective_parent_path").is_none() && desk.done("plan --env dev").contains("no changes"));
}

#[test]
fn programs_get_all_spaces_and_people_the_first_hundred() {
    let source = Served::new();
    let desk = desk(&source);
    for i in 0..101 {
        made(&source, &format!("Number {i}"), &json!({ "version": 2 }));
    }
    let rows = |line: &str| desk.done(&format!("space-list {line} --profile SOURCE_WORKSPACE")).matches("Number ").count();
    assert_eq!(["-o table", "--limit 0", "--limit 7 -o json"].map(rows), [100, 101, 7]);
    assert_eq!(["--output json", "-o csv", "-f yaml"].map(rows), [101; 3]);
    let (_, _, err) = desk.run(&["space-list", "--profile", "SOURCE_WORKSPACE"]);
    assert!(err.contains("These are the first 100; `--limit 0` shows all."), "{err}");
}

#[test]
fn an_option_without_a_value_says_so() {
    let source = Served::new();
    let desk = desk(&source);
    let (code, _, err) = desk.run(&["space-find", "--name", "S*", "--workspace", "SOURCE_WORKSPACE"]);
    assert!(code == 64 && err.contains("`--workspace` takes no value") && err.contains("`--profile SOURCE_WORKSPACE`"), "{err}");
    let (code, _, err) = desk.run(&["space-find", "--name", "S*", "T*"]);
    assert!(code == 64 && err.contains("both `T*` and `--name S*` say what to look for"), "{err}");
}

#[test]
fn adopting_writes_what_exporting_writes() {
    let source = Served::new();
    let desk = desk(&source);
    let definition = json!({
        "version": 2,
        "config": { "sample_questions": [{ "id": "4".repeat(32), "question": ["Who?"] }] },
        "data_sources": { "tables": [
            { "identifier": "c.s.a" },
            { "identifier": "c.s.b", "column_configs": [{ "column_name": "x", "exclude": false }] },
        ] },
        "instructions": {
            "text_instructions": [{ "id": "2".repeat(32), "content": ["Cost: ${x}"] }],
            "example_question_sqls": [{
                "id": "1".repeat(32), "question": ["q"], "sql": ["SELECT :n"],
                "parameters": [{ "name": "n", "default_value": { "values": ["10"] } }],
            }],
            "sql_functions": [{ "id": "5".repeat(32), "identifier": "c.s.f" }],
        },
    });
    let id = made(&source, "Sales", &definition);
    desk.done("space-export --output-dir out --profile SOURCE_WORKSPACE");
    desk.done(&format!("adopt spaces --id {id} --to conf/taken.yaml --yes --env dev"));
    let exported = desk.read("out/sales.yaml").replace("  - space_id: sales\n", "  sales:\n");
    let exported = exported.split_once('\n').expect("a comment stands first").1;
    assert_eq!(desk.read("conf/taken.yaml"), exported);
    assert!(desk.done("plan --env dev").contains("no changes"));
}

#[test]
fn what_may_not_be_read_is_told_at_its_line() {
    let fault = |text: &str| text.parse().expect("a fault");
    let faults = vec![fault("before:GET:/api/2.0/genie/spaces/1d81*:status=403:times=0")];
    let source = Served::with(LocalOptions { faults, ..LocalOptions::default() });
    let desk = desk(&source);
    let id = made(&source, "A", &json!({ "version": 2 }));
    desk.write("spaces/a.yaml", &format!("{SPACE}import: [{{ to: spaces.a, id: {id} }}]\n"));
    let (code, out, err) = desk.run(&["plan", "--env", "dev"]);
    assert!(code == 6 && out.contains("spaces.a could not be read") && out.contains("--> spaces/a.yaml:2"), "{out}{err}");
}
