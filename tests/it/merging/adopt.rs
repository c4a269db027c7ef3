//! `adopt --write` beside edits of YAML that were not applied yet, and of definitions that were pasted as the API gives them.

use brickform::model::json;
use serde_json::{Value as Json, json};

use crate::adoption::Desk;

const HEAD: &str =
    "warehouses: { w: { name: w, cluster_size: Small } }\nspaces:\n  s:\n    title: Sales\n    warehouse_id: \"${warehouses.w.id}\"\n";

fn desk(body: &str, files: &[(&str, &str)]) -> Desk {
    let desk = Desk::new();
    for (name, text) in files {
        desk.write(name, text);
    }
    desk.write("conf/project.yaml", "name: desk\nvariables: { catalog: { default: main } }\n");
    desk.write("conf/a.yaml", body);
    desk.done(&["apply", "--yes"], "the first apply");
    desk
}

/// Sends the space back edited, as the UI does: its content, and what stands beside it.
pub fn in_the_ui(desk: &Desk, beside: &Json, edit: impl Fn(&mut Json)) {
    let (id, space) = super::spaces(&desk.workspace()).pop().expect("a space");
    let content = json::write(space.get("serialized_space").expect("its content")).expect("JSON");
    let mut content: Json = serde_json::from_str(&content).expect("JSON");
    edit(&mut content);
    let mut body = beside.clone();
    body["serialized_space"] = Json::String(content.to_string());
    let line = format!("PATCH /api/2.0/genie/spaces/{id} {body}");
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(desk.by_hand(&[line]));
}

fn text(content: &mut Json) -> &mut Json {
    &mut content["instructions"]["text_instructions"][0]["content"]
}

fn example(content: &mut Json) -> &mut Json {
    &mut content["instructions"]["example_question_sqls"][0]
}

/// The second time there is nothing to do, and nothing is done.
fn adopted(desk: &Desk, files: &[&str]) -> (u8, String) {
    let (exit, said) = desk.run(&["adopt", "--write", "spaces.s", "--yes"]);
    let before: Vec<String> = files.iter().map(|name| desk.read(name)).collect();
    let (again, told) = desk.run(&["adopt", "--write", "spaces.s", "--yes"]);
    assert_eq!(files.iter().map(|name| desk.read(name)).collect::<Vec<_>>(), before, "{told}");
    assert_eq!(again, exit, "{said}\n{told}");
    assert!(exit != 0 || told.contains("nothing drifted"), "{told}");
    (exit, said)
}

const LONG: &str = "    description: first # ours
    instructions:
      text: |
        one
        two
        three
        four
        five
      example_sql:
        - $key: top # the board's
          question: Top
          sql: \"${file('sql/top.sql')}\"
";
const TOP: &str = "SELECT a\nFROM ${x}\nWHERE b\n";

#[test]
fn edits_of_yaml_that_were_not_applied_stay() {
    for merge in ["", "    lifecycle: { merge: true }\n"] {
        let first = format!("{HEAD}{LONG}{merge}");
        let desk = desk(&first, &[("sql/top.sql", TOP)]);
        let ours = first.replace("        one\n", "        ONE\n").replace("title: Sales", "title: Sales of ours");
        desk.write("conf/a.yaml", &ours);
        desk.write("sql/top.sql", &TOP.replace("SELECT a", "SELECT a, c"));
        in_the_ui(&desk, &json!({"description": "by hand"}), |c| {
            *text(c) = json!(["one\ntwo\nthree\nfour\nFIVE"]);
            example(c)["sql"] = json!(["SELECT a\nFROM ${x}\nWHERE b\nLIMIT 5"]);
        });
        let (exit, said) = adopted(&desk, &["conf/a.yaml", "sql/top.sql"]);
        assert_eq!(exit, 0, "{said}");
        let want = ours.replace("        five\n", "        FIVE\n").replace("description: first", "description: by hand");
        assert_eq!(desk.read("conf/a.yaml"), want, "{said}");
        assert_eq!(desk.read("sql/top.sql"), "SELECT a, c\nFROM ${x}\nWHERE b\nLIMIT 5\n", "{said}");
        // What is left is what YAML changed.
        let said = desk.done(&["plan"], "what is left");
        assert!(said.contains("1 to change") && !said.contains("drift") && !said.contains("conflict"), "{said}");
        desk.done(&["apply", "--yes"], "what is left");
        desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
    }
}

#[test]
fn what_both_changed_is_told_and_left_alone() {
    for merge in ["", "    lifecycle: { merge: true }\n"] {
        let first = format!("{HEAD}{LONG}{merge}");
        let desk = desk(&first, &[("sql/top.sql", TOP)]);
        let ours = first.replace("three", "OURS").replace("description: first", "description: ours");
        desk.write("conf/a.yaml", &ours);
        in_the_ui(&desk, &json!({"description": "theirs"}), |c| {
            *text(c) = json!(["one\ntwo\nTHEIRS\nfour\nfive"]);
            example(c)["usage_guidance"] = json!(["unmanaged"]);
            example(c)["sql"] = json!(["SELECT 2"]);
        });
        let (exit, said) = adopted(&desk, &["conf/a.yaml", "sql/top.sql"]);
        assert_eq!(exit, 1, "{said}");
        for part in [
            "error: 2 conflicts: YAML and the workspace both changed this since the last apply",
            "\"theirs\" → \"ours\"",
            "last applied \"first\"",
            "-  THEIRS\n",
            "+  OURS\n",
            "brickform adopt --env local --write spaces.s --theirs\n",
            "brickform apply --env local --target spaces.s\n",
            "Written: 1 file; 1 address accepted",
        ] {
            assert!(said.contains(part), "{part}\n{said}");
        }
        // What only the workspace changed is written all the same.
        assert_eq!((desk.read("conf/a.yaml"), desk.read("sql/top.sql")), (ours.clone(), "SELECT 2\n".to_owned()), "{said}");
        let (_, said) = desk.run(&["plan"]);
        assert!(said.contains("conflict") && !said.contains("drift: set"), "{said}");
        desk.done(&["adopt", "--write", "spaces.s", "--theirs", "--yes"], "the workspace's");
        let want = first.replace("three", "THEIRS").replace("description: first", "description: theirs");
        assert_eq!(desk.read("conf/a.yaml"), want);
        desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
    }
}

#[test]
fn items_that_one_took_away_and_the_other_changed_are_told() {
    let body = format!(
        "{HEAD}    instructions:\n      example_sql:\n        - {{ question: A, sql: SELECT 1 }}\n        - {{ question: B, sql: SELECT 2 }}\n"
    );
    // YAML takes it away, the UI changes it.
    let desk = desk(&body, &[]);
    let ours = body.replace("        - { question: A, sql: SELECT 1 }\n", "");
    desk.write("conf/a.yaml", &ours);
    let first = |c: &mut Json, deed: &dyn Fn(&mut Vec<Json>, usize)| {
        let list = c["instructions"]["example_question_sqls"].as_array_mut().expect("a list");
        let at = list.iter().position(|item| item["question"][0] == "A").expect("it is there");
        deed(list, at);
    };
    in_the_ui(&desk, &json!({}), |c| first(c, &|list, at| list[at]["sql"] = json!(["SELECT 9"])));
    let (exit, said) = adopted(&desk, &["conf/a.yaml"]);
    assert!(exit == 1 && said.contains("error: 1 conflict") && said.contains("SELECT 9"), "{said}");
    assert_eq!(desk.read("conf/a.yaml"), ours);
    desk.done(&["adopt", "--write", "spaces.s", "--theirs", "--yes"], "the workspace's");
    assert!(desk.read("conf/a.yaml").contains("{ question: A, sql: SELECT 9 }"), "{}", desk.read("conf/a.yaml"));
    desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
    // The other way round.
    let desk = self::desk(&body, &[]);
    let ours = body.replace("SELECT 1", "SELECT 7");
    desk.write("conf/a.yaml", &ours);
    in_the_ui(&desk, &json!({}), |c| first(c, &|list, at| drop(list.remove(at))));
    let (exit, said) = adopted(&desk, &["conf/a.yaml"]);
    assert!(exit == 1 && said.contains("error: 1 conflict"), "{said}");
    assert_eq!(desk.read("conf/a.yaml"), ours);
    desk.done(&["adopt", "--write", "spaces.s", "--theirs", "--yes"], "the workspace's");
    assert!(!desk.read("conf/a.yaml").contains("question: A"), "{}", desk.read("conf/a.yaml"));
    desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
}

/// An item that is reworded and changed keeps what YAML alone says of it: its `$key`, its remarks, where its SQL stands.
#[test]
fn an_item_that_became_another_wording_keeps_its_key() {
    let body = format!("{HEAD}{LONG}");
    for (key, want) in [("top", "top"), ("best", "best")] {
        let desk = desk(&body, &[("sql/top.sql", TOP)]);
        if key != "top" {
            // Its id comes from the key that it had.
            desk.write("conf/a.yaml", &body.replace("$key: top", "$key: best"));
            desk.done(&["apply", "--yes"], "another key");
        }
        in_the_ui(&desk, &json!({}), |c| {
            example(c)["question"] = json!(["Best"]);
            if key == "top" {
                example(c)["sql"] = json!(["SELECT 2"]);
            }
            example(c)["usage_guidance"] = json!(["For the board"]);
        });
        let said = desk.done(&["drift"], "drift");
        assert!(said.contains("\"Best\" → \"Top\"") && !said.contains("removed in the workspace"), "{said}");
        let (exit, said) = adopted(&desk, &["conf/a.yaml", "sql/top.sql"]);
        assert_eq!(exit, 0, "{said}");
        let now = desk.read("conf/a.yaml");
        assert_eq!(now, body.replace("question: Top", "question: Best").replace("$key: top", &format!("$key: {want}")), "{said}");
        if key == "top" {
            assert_eq!(desk.read("sql/top.sql"), "SELECT 2\n");
        }
        desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
        // What others added to it is still there, and stays when it is put back.
        desk.write("conf/a.yaml", &body.replace("$key: top", &format!("$key: {want}")));
        desk.done(&["apply", "--yes"], "put back");
        let (_, space) = super::spaces(&desk.workspace()).pop().expect("a space");
        let content = json::write(space.get("serialized_space").expect("its content")).expect("JSON");
        assert!(content.contains("For the board") && content.contains("\"Top\""), "{content}");
    }
}

#[test]
fn files_of_windows_stay_what_they_are() {
    let body = format!("{HEAD}{LONG}").replace('\n', "\r\n");
    let sql = TOP.replace('\n', "\r\n");
    let desk = desk(&body, &[("sql/top.sql", &sql)]);
    in_the_ui(&desk, &json!({"description": "by hand"}), |c| {
        *text(c) = json!(["one\ntwo\nthree\nfour\nFIVE"]);
        example(c)["sql"] = json!(["SELECT a\nFROM ${x}\nWHERE c"]);
    });
    let said = desk.done(&["drift"], "drift");
    assert!(said.contains("-  WHERE c") && said.contains("+  WHERE b") && !said.contains("-  SELECT a"), "{said}");
    let (exit, said) = adopted(&desk, &["conf/a.yaml", "sql/top.sql"]);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(desk.read("conf/a.yaml"), body.replace("five", "FIVE").replace("description: first", "description: by hand"), "{said}");
    assert_eq!(desk.read("sql/top.sql"), sql.replace("WHERE b", "WHERE c"), "{said}");
    // The same file as another system checks it out is the same.
    desk.write("sql/top.sql", &desk.read("sql/top.sql").replace("\r\n", "\n"));
    desk.write("conf/a.yaml", &desk.read("conf/a.yaml").replace("\r\n", "\n"));
    desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
}

#[test]
fn blocks_stay_blocks() {
    let body = format!(
        "{HEAD}    description: |\n      One line # no remark\n    instructions:\n      text: | # ours\n        one\n        two\n      example_sql:\n        \
         - question: A\n          sql: |-\n            SELECT 1\n            FROM a\n        - question: B\n          sql: >-\n            SELECT 1\n            \
         FROM b\n\n            WHERE c\n"
    );
    let desk = desk(&body, &[]);
    in_the_ui(&desk, &json!({"description": "Another line"}), |c| {
        *text(c) = json!(["one"]);
        for item in c["instructions"]["example_question_sqls"].as_array_mut().expect("a list") {
            let sql = if item["question"][0] == "A" { "SELECT 2\nFROM a" } else { "SELECT 1 FROM b\nWHERE d" };
            item["sql"] = json!([sql]);
        }
    });
    let (exit, said) = adopted(&desk, &["conf/a.yaml"]);
    assert_eq!(exit, 0, "{said}");
    let want = body
        .replace("One line # no remark", "Another line")
        .replace("        one\n        two\n", "        one\n")
        .replace("SELECT 1\n            FROM a", "SELECT 2\n            FROM a")
        .replace("WHERE c", "WHERE d");
    assert_eq!(desk.read("conf/a.yaml"), want, "{said}");
}

const PASTED: &str = r#"{
 "version": 2,
 "data_sources": {
  "tables": [
   {
    "identifier": "${catalog}.s.a",
    "column_configs": [{"column_name": "x", "get_example_values": true}]
   }
  ]
 },
 "instructions": {
  "text_instructions": [
   {
    "id": "a0000000000000000000000000000001",
    "content": ["one\n", "of ${catalog}\n", "three"]
   }
  ],
  "example_question_sqls": [
   {
    "id": "a0000000000000000000000000000003",
    "question": ["Top"],
    "sql": ["SELECT 1\n", "FROM ${catalog}.s.a"]
   }
  ]
 }
}
"#;

/// What a person laid out by hand, and what a program wrote.
fn definitions() -> [String; 3] {
    let read: Json = serde_json::from_str(PASTED).expect("JSON");
    [PASTED.to_owned(), read.to_string(), format!("{}\n", serde_json::to_string_pretty(&read).expect("JSON"))]
}

#[test]
fn a_definition_that_was_pasted_is_edited_in_its_own_form() {
    for definition in definitions() {
        let indented =
            |by: usize| definition.trim_end().lines().map(|line| format!("\n{}{line}", " ".repeat(by))).collect::<Vec<_>>().concat();
        let file = ("spaces/s.geniespace.json", definition.as_str());
        for (field, files) in [
            ("    serialized_space: { file: spaces/s.geniespace.json } # ours\n".to_owned(), vec![file]),
            ("    file_path: ../spaces/s.geniespace.json # ours\n".to_owned(), vec![file]),
            (format!("    serialized_space: | # ours{}\n", indented(6)), vec![]),
            (format!("    serialized_space: # ours{}\n", indented(6)), vec![]),
        ] {
            let body = format!("{HEAD}{field}    description: first\n");
            let desk = desk(&body, &files);
            // YAML's own edit, which was not applied.
            let ours = |text: &str| text.replacen("one\\n", "ONE\\n", 1);
            desk.write("conf/a.yaml", &ours(&body));
            for (name, text) in &files {
                desk.write(name, &ours(text));
            }
            in_the_ui(&desk, &json!({"description": "by hand"}), |c| {
                *text(c) = json!(["one\nof main\nTHREE"]);
                example(c)["sql"] = json!(["SELECT 2\nFROM main.s.a"]);
                c["data_sources"]["tables"][0]["column_configs"][0]["enable_format_assistance"] = json!(false);
            });
            let (exit, said) = adopted(&desk, &["conf/a.yaml", "spaces/s.geniespace.json"]);
            assert_eq!(exit, 0, "{body}\n{said}");
            let all = format!("{}{}", desk.read("conf/a.yaml"), desk.read("spaces/s.geniespace.json"));
            for part in [
                "ONE\\n",
                "of ${catalog}\\n",
                "THREE",
                "SELECT 2\\n",
                "FROM ${catalog}.s.a",
                "\"${catalog}.s.a\"",
                "# ours",
                "description: by hand",
            ] {
                assert!(all.contains(part), "{part}\n{all}\n{said}");
            }
            // Whatever did not change stays as it is laid out.
            let lines = |text: &str| text.lines().filter(|line| line.contains("question") || line.contains("version")).count();
            assert_eq!(lines(&all), lines(&format!("{body}{}", if files.is_empty() { "" } else { &definition })), "{all}");
            desk.done(&["apply", "--yes"], "YAML's own edit");
            desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
        }
    }
}

#[test]
fn items_come_and_go_in_a_definition_that_was_pasted() {
    let body = format!("{HEAD}    serialized_space: {{ file: spaces/s.geniespace.json }}\n");
    for definition in definitions() {
        let desk = desk(&body, &[("spaces/s.geniespace.json", &definition)]);
        in_the_ui(&desk, &json!({}), |c| {
            let new = json!({"id": "a0000000000000000000000000000002", "question": ["Why?"], "sql": ["SELECT '${no}'"]});
            c["instructions"]["example_question_sqls"].as_array_mut().expect("a list").insert(0, new);
            c["data_sources"]["tables"][0].as_object_mut().expect("a table").remove("column_configs");
            c["config"] = json!({"sample_questions": [{"id": "b0000000000000000000000000000001", "question": ["Who?"]}]});
        });
        desk.done(&["adopt", "--write", "spaces.s", "--all-fields", "--yes"], "all of it");
        let now: Json = serde_json::from_str(&desk.read("spaces/s.geniespace.json")).expect("JSON");
        let examples = &now["instructions"]["example_question_sqls"];
        assert_eq!((&examples[0]["question"][0], &examples[0]["sql"][0]), (&json!("Why?"), &json!("SELECT '$${no}'")));
        assert_eq!(examples[0]["id"], "a0000000000000000000000000000002", "the UI's own id");
        assert_eq!(examples[1]["sql"], json!(["SELECT 1\n", "FROM ${catalog}.s.a"]));
        assert_eq!(now["data_sources"]["tables"][0], json!({"identifier": "${catalog}.s.a"}));
        assert_eq!(now["config"]["sample_questions"][0]["question"][0], "Who?");
        desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
    }
}

#[test]
fn what_an_expression_gives_in_a_definition_is_told() {
    let body = format!("{HEAD}    serialized_space: {{ file: spaces/s.geniespace.json }}\n");
    let desk = desk(&body, &[("spaces/s.geniespace.json", PASTED)]);
    in_the_ui(&desk, &json!({}), |c| example(c)["sql"] = json!(["SELECT 1\nFROM other.s.a"]));
    let (exit, said) = adopted(&desk, &["spaces/s.geniespace.json"]);
    assert_eq!(exit, 1, "{said}");
    assert!(said.contains("an expression gives what changed (`spaces/s.geniespace.json`)"), "{said}");
    assert_eq!(desk.read("spaces/s.geniespace.json"), PASTED);
    let (exit, said) = desk.run(&["adopt", "--write", "--overlay", "spaces.s", "--yes"]);
    assert!(exit == 1 && said.contains("an overlay cannot say that in part"), "{said}");
}

/// A `$key` that an item gets with nothing else changed is on record, though nothing is sent: the next wording is the same item's.
#[test]
fn a_key_given_later_outlives_the_next_wording() {
    let conf = |item: &str| format!("{HEAD}    instructions:\n      example_sql: [{{ {item}, sql: SELECT 1 }}]\n");
    let desk = desk(&conf("question: Top"), &[]);
    let id = || {
        let (_, space) = super::spaces(&desk.workspace()).pop().expect("a space");
        let content = json::write(space.get("serialized_space").expect("its content")).expect("JSON");
        let content: Json = serde_json::from_str(&content).expect("JSON");
        content["instructions"]["example_question_sqls"][0]["id"].to_string()
    };
    let first = id();
    desk.write("conf/a.yaml", &conf("$key: top, question: Top"));
    let said = desk.done(&["apply", "--yes"], "a key alone");
    assert!(said.contains("no changes"), "{said}");
    desk.write("conf/a.yaml", &conf("$key: top, question: Best"));
    let said = desk.done(&["plan"], "another wording");
    assert!(said.contains("\"Top\" → \"Best\"") && !said.contains("(removed)"), "{said}");
    desk.done(&["apply", "--yes"], "another wording");
    assert_eq!(id(), first);
    let serial = |desk: &Desk| desk.done(&["state", "history", "-o", "json"], "history");
    let before = serial(&desk);
    desk.done(&["apply", "--yes"], "nothing at all");
    assert_eq!(serial(&desk), before, "nothing is written where nothing is new");
    // Another key, or none, is for the record alone.
    for item in ["$key: best, question: Best", "question: Best"] {
        desk.write("conf/a.yaml", &conf(item));
        let said = desk.done(&["apply", "--yes"], item);
        assert!(said.contains("no changes"), "{item}\n{said}");
        assert_eq!(id(), first);
    }
}

/// Items go by their `$key`, though each has the text of the other.
#[test]
fn items_that_swap_their_texts_are_known_by_their_keys() {
    let conf = |a: &str, b: &str| {
        let items = format!("{{ $key: a, question: {a}, sql: SELECT 1 }}, {{ $key: b, question: {b}, sql: SELECT 2 }}");
        format!("{HEAD}    instructions:\n      example_sql: [{items}]\n")
    };
    let desk = desk(&conf("P", "Q"), &[]);
    let ids = || {
        let (_, space) = super::spaces(&desk.workspace()).pop().expect("a space");
        let content = json::write(space.get("serialized_space").expect("its content")).expect("JSON");
        let content: Json = serde_json::from_str(&content).expect("JSON");
        let examples = content["instructions"]["example_question_sqls"].as_array().expect("examples").clone();
        let mut all: Vec<(String, String)> = examples.iter().map(|e| (e["sql"].to_string(), e["id"].to_string())).collect();
        all.sort();
        all
    };
    let before = ids();
    desk.write("conf/a.yaml", &conf("Q", "P"));
    let said = desk.done(&["plan"], "swapped");
    assert!(said.contains("\"P\" → \"Q\"") && said.contains("\"Q\" → \"P\"") && !said.contains("$key"), "{said}");
    desk.done(&["apply", "--yes"], "swapped");
    assert_eq!(ids(), before);
    desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
    desk.write("conf/a.yaml", &conf("Q", "R"));
    desk.done(&["apply", "--yes"], "another wording");
    assert_eq!(ids(), before);
}
