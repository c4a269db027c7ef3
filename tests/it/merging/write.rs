//! `adopt --write` of spaces: each edit of the UI goes where a person would have written it.

use brickform::model::json;
use serde_json::Value as Json;

use crate::adoption::Desk;

const CONF: &str = r#"variables: { catalog: { default: main } }
warehouses:
  w: { name: w, cluster_size: Small }
spaces:
  s:
    title: Sales # as the board calls it
    warehouse_id: "${warehouses.w.id}"
    tables: # short and long
      - main.s.plain
      - main.s.gone # not for long
      - identifier: main.s.long
        columns:
          amount: In dollars # net
          id: { description: The key, synonyms: [number] }
    instructions:
      text: |
        Revenue is net. # no comment
        Round to cents.

        Ask back.
      example_sql:
        # the one that everybody asks
        - question: Top customers
          sql: |
            SELECT name
            FROM ${catalog}.s.long
            ORDER BY 1
        - $key: top
          question: Top shops
          sql: "${file('sql/shops.sql')}"
        - question: From a template
          sql: "${template('sql/made.sql.hbs')}"
    sample_questions:
      - Who buys most?
"#;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("sql/shops.sql", "SELECT shop\nFROM main.s.long");
    desk.write("sql/made.sql.hbs", "SELECT 1 FROM {{catalog}}.s.long\n");
    let (variables, conf) = CONF.split_once('\n').expect("two parts");
    desk.write("conf/project.yaml", &format!("name: desk\n{variables}\n"));
    desk.write("conf/a.yaml", conf);
    desk.done(&["apply", "--yes"], "the first apply");
    desk
}

/// The space as the workspace keeps it.
fn stored(desk: &Desk) -> (String, Json) {
    let (id, space) = super::spaces(&desk.workspace()).pop().expect("a space");
    let content = json::write(space.get("serialized_space").expect("its content")).expect("JSON");
    (id, serde_json::from_str(&content).expect("JSON"))
}

/// Sends the content back edited, as the UI does.
fn in_the_ui(desk: &Desk, edit: impl Fn(&mut Json)) {
    let (id, mut content) = stored(desk);
    edit(&mut content);
    for list in ["/data_sources/tables", "/instructions/example_question_sqls", "/config/sample_questions"] {
        if let Some(items) = content.pointer_mut(list).and_then(Json::as_array_mut) {
            items.sort_by_key(|item| ["id", "identifier"].map(|name| item[name].to_string()));
        }
    }
    let body = serde_json::json!({ "serialized_space": content.to_string() });
    let line = format!("PATCH /api/2.0/genie/spaces/{id} {body}");
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(desk.by_hand(&[line]));
}

fn item<'j>(content: &'j mut Json, list: &str, key: &str, name: &str) -> &'j mut Json {
    let items = content.pointer_mut(list).and_then(Json::as_array_mut).expect("a list");
    let is = |item: &Json| item[key] == *name || item[key][0] == *name;
    items.iter_mut().find(|item| is(item)).unwrap_or_else(|| panic!("no {name}"))
}

const TABLES: &str = "/data_sources/tables";
const EXAMPLES: &str = "/instructions/example_question_sqls";
const SAMPLES: &str = "/config/sample_questions";
const OF_THE_UI: &str = "0123456789abcdef0123456789abcdef";

fn written(edit: impl Fn(&mut Json)) -> (Desk, String) {
    let desk = desk();
    in_the_ui(&desk, edit);
    let said = desk.done(&["adopt", "--write", "spaces.s", "--all-fields", "--yes"], "drift of a space");
    desk.done(&["plan", "--detailed-exitcode"], &format!("nothing is left\n{said}\n{}", desk.read("conf/a.yaml")));
    (desk, said)
}

/// What is edited in the UI, and what of the file becomes what.
#[test]
fn edits_of_the_ui_are_written_where_they_belong() {
    type Deed = fn(&mut Json);
    // What it is called, the edit, and what files hold afterwards.
    type Row = (&'static str, Deed, &'static [(&'static str, &'static str)]);
    let table: &[Row] = &[
        (
            "a line of the instruction",
            |c| {
                c["instructions"]["text_instructions"][0]["content"] =
                    serde_json::json!(["Revenue is net. # no comment\nRound to euros.\n\nAsk back."]);
            },
            &[("        Round to cents.\n", "        Round to euros.\n")],
        ),
        (
            "SQL around a variable",
            |c| {
                item(c, EXAMPLES, "question", "Top customers")["sql"] =
                    serde_json::json!(["SELECT name, city\nFROM main.s.long\nORDER BY 1"]);
            },
            &[("            SELECT name\n", "            SELECT name, city\n")],
        ),
        (
            "another wording, and one less",
            |c| {
                item(c, EXAMPLES, "question", "Top customers")["question"] = serde_json::json!(["Best customers"]);
                c.pointer_mut(EXAMPLES).and_then(Json::as_array_mut).expect("a list").retain(|e| e["question"][0] != "From a template");
            },
            &[
                ("        - question: Top customers\n", "        - question: Best customers\n"),
                ("        - question: From a template\n          sql: \"${template('sql/made.sql.hbs')}\"\n", ""),
            ],
        ),
        (
            "another wording, and one more",
            |c| {
                item(c, EXAMPLES, "question", "Top customers")["question"] = serde_json::json!(["Best customers"]);
                let new = serde_json::json!({"id": OF_THE_UI, "question": ["Late ones"], "sql": ["SELECT 2"]});
                c.pointer_mut(EXAMPLES).and_then(Json::as_array_mut).expect("a list").push(new);
            },
            &[
                ("        - question: Top customers\n", "        - question: Best customers\n"),
                (
                    "          sql: \"${template('sql/made.sql.hbs')}\"\n",
                    "          sql: \"${template('sql/made.sql.hbs')}\"\n        - question: Late ones\n          sql: SELECT 2\n",
                ),
            ],
        ),
        (
            "a new question",
            |c| {
                c.pointer_mut(SAMPLES)
                    .and_then(Json::as_array_mut)
                    .expect("a list")
                    .push(serde_json::json!({"id": OF_THE_UI, "question": ["Who pays late?"]}));
            },
            &[("      - Who buys most?\n", "      - Who buys most?\n      - Who pays late?\n")],
        ),
        (
            "a table less",
            |c| c.pointer_mut(TABLES).and_then(Json::as_array_mut).expect("a list").retain(|t| t["identifier"] != "main.s.gone"),
            &[("      - main.s.gone # not for long\n", "")],
        ),
        (
            "a column of a short table",
            |c| {
                item(c, TABLES, "identifier", "main.s.plain")["column_configs"] =
                    serde_json::json!([{"column_name": "a", "description": ["First"]}]);
            },
            &[(
                "      - main.s.plain\n",
                "      - identifier: main.s.plain\n        columns:\n          - name: a\n            description: First\n",
            )],
        ),
        (
            "columns by name",
            |c| {
                let columns = &mut item(c, TABLES, "identifier", "main.s.long")["column_configs"];
                columns[0]["description"] = serde_json::json!(["In euros"]);
                columns[1]["description"] = serde_json::json!(["A key"]);
            },
            &[("amount: In dollars # net", "amount: In euros # net"), ("description: The key", "description: A key")],
        ),
        (
            "an item with a key is reworded",
            |c| item(c, EXAMPLES, "question", "Top shops")["question"] = serde_json::json!(["Best shops"]),
            &[("question: Top shops", "question: Best shops")],
        ),
    ];
    for (what, edit, becomes) in table {
        let (desk, said) = written(edit);
        let mut want = CONF.split_once('\n').expect("two parts").1.to_owned();
        for (from, to) in *becomes {
            assert!(want.contains(from), "{what}: {from}");
            want = want.replacen(from, to, 1);
        }
        assert_eq!(desk.read("conf/a.yaml"), want, "{what}\n{said}");
    }
}

#[test]
fn sql_of_a_file_is_written_into_the_file_and_a_template_is_named() {
    let (desk, _) =
        written(|c| item(c, EXAMPLES, "question", "Top shops")["sql"] = serde_json::json!(["SELECT shop, city\nFROM main.s.long"]));
    assert!(desk.read("sql/shops.sql").starts_with("SELECT shop, city\nFROM main.s.long"), "{}", desk.read("sql/shops.sql"));
    assert_eq!(desk.read("conf/a.yaml"), CONF.split_once('\n').expect("two parts").1);
    let desk = self::desk();
    in_the_ui(&desk, |c| item(c, EXAMPLES, "question", "From a template")["sql"] = serde_json::json!(["SELECT 2 FROM main.s.long"]));
    let (exit, said) = desk.run(&["adopt", "--write", "--all-drift", "--yes"]);
    assert_ne!(exit, 0, "{said}");
    assert!(said.contains("the template `sql/made.sql.hbs` makes it (conf/a.yaml:"), "{said}");
    assert_eq!(desk.read("conf/a.yaml"), CONF.split_once('\n').expect("two parts").1);
}

/// The id that the server gave stays when Brickform updates the space.
#[test]
fn ids_of_what_was_made_in_the_ui_do_not_churn() {
    let (desk, _) = written(|c| {
        c.pointer_mut(SAMPLES)
            .and_then(Json::as_array_mut)
            .expect("a list")
            .push(serde_json::json!({"id": OF_THE_UI, "question": ["Who pays late?"]}));
    });
    let before = stored(&desk).1;
    desk.write("conf/a.yaml", &desk.read("conf/a.yaml").replace("Round to cents.", "Round to euros."));
    desk.done(&["apply", "--yes"], "an update");
    desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
    let (_, mut after) = stored(&desk);
    assert_eq!(item(&mut after, SAMPLES, "question", "Who pays late?")["id"], OF_THE_UI);
    assert_eq!(after["config"], before["config"]);
    assert_eq!(after["instructions"]["example_question_sqls"], before["instructions"]["example_question_sqls"]);
}

/// Another wording of an item with a `$key` is a change of that item: what others added to it stays, its id too.
#[test]
fn a_reworded_item_is_the_same_one() {
    let desk = desk();
    let id = |desk: &Desk, question: &str| item(&mut stored(desk).1, EXAMPLES, "question", question)["id"].clone();
    let first = id(&desk, "Top shops");
    in_the_ui(&desk, |c| item(c, EXAMPLES, "question", "Top shops")["usage_guidance"] = serde_json::json!(["For rankings"]));
    desk.write("conf/a.yaml", &desk.read("conf/a.yaml").replace("Top shops", "Best shops"));
    let (_, said) = desk.run(&["plan"]);
    assert!(said.contains("example question \"Best shops\"") && said.contains("question  \"Top shops\" → \"Best shops\""), "{said}");
    assert!(!said.contains("- example question") && !said.contains("+ example question"), "{said}");
    desk.done(&["apply", "--yes"], "another wording");
    desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
    assert_eq!(id(&desk, "Best shops"), first);
    let mut now = stored(&desk).1;
    assert_eq!(item(&mut now, EXAMPLES, "question", "Best shops")["usage_guidance"][0], "For rankings");
    // Reworded in the UI it is told, and put back, as the same one too.
    in_the_ui(&desk, |c| item(c, EXAMPLES, "question", "Best shops")["question"] = serde_json::json!(["Worst shops"]));
    let (_, said) = desk.run(&["drift"]);
    assert!(said.contains("\"Worst shops\" → \"Best shops\"") && !said.contains("+ example question"), "{said}");
    desk.done(&["apply", "--yes"], "put back");
    assert_eq!(id(&desk, "Best shops"), first);
}

/// A folder that nobody declares has the place of what is in it, and that stays.
#[test]
fn a_folder_that_was_deleted_takes_no_space_out_of_the_file() {
    let desk = Desk::new();
    desk.write("conf/project.yaml", "name: desk\n");
    let conf = "spaces:\n  s:\n    title: S\n    warehouse_id: '475b94ddc7cd5211'\n    parent_path: /Workspace/Shared/x\n    \
                instructions: { text: \"${file('sql/a.sql')}\" }\n";
    desk.write("sql/a.sql", "one\ntwo");
    desk.write("conf/a.yaml", conf);
    desk.done(&["apply", "--yes"], "the space and its folder");
    // What it is made for has the file alone.
    in_the_ui(&desk, |c| c["instructions"]["text_instructions"][0]["content"] = serde_json::json!(["one\n2"]));
    desk.done(&["adopt", "--write", "spaces.s", "--yes"], "a text in a file");
    assert_eq!(desk.read("sql/a.sql"), "one\n2");
    let gone = [r#"POST /api/2.0/workspace/delete {"path":"/Shared/x","recursive":true}"#.to_owned()];
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(desk.by_hand(&gone));
    for line in [["adopt", "--write", "directories[\"/Shared/x\"]"], ["adopt", "--write", "--all-drift"]] {
        let (exit, said) = desk.run(&[&line[..], &["--deletions", "--yes"]].concat());
        assert!(exit == 1 && said.contains("no file declares it"), "{exit} {said}");
        assert_eq!(desk.read("conf/a.yaml"), conf, "{said}");
    }
}

/// An item that was reworded in the UI and is ignored stays as it is there, whatever else is sent.
#[test]
fn an_ignored_wording_stays_as_it_is_there() {
    let desk = Desk::new();
    desk.write("conf/project.yaml", "name: desk\n");
    let conf = |text: &str, ignore: &str| {
        format!(
            "spaces:\n  s:\n    title: S\n    warehouse_id: '475b94ddc7cd5211'\n    instructions: {{ text: {text} }}\n    \
             sample_questions: [One?, Two?]\n{ignore}"
        )
    };
    desk.write("conf/a.yaml", &conf("a", ""));
    desk.done(&["apply", "--yes"], "two questions");
    in_the_ui(&desk, |c| item(c, SAMPLES, "question", "Two?")["question"] = serde_json::json!(["Two, then?"]));
    for (text, path) in [("b", "sample_questions[question=\"Two?\"].question"), ("c", "sample_questions[question=\"Two?\"]")] {
        let before = stored(&desk).1["instructions"]["text_instructions"][0]["content"][0].clone();
        desk.write("conf/a.yaml", &conf(before.as_str().expect("a text"), &format!("    lifecycle: {{ ignore_changes: ['{path}'] }}\n")));
        desk.done(&["plan", "--detailed-exitcode"], path);
        desk.write("conf/a.yaml", &conf(text, &format!("    lifecycle: {{ ignore_changes: ['{path}'] }}\n")));
        desk.done(&["apply", "--yes"], path);
        let (_, mut content) = stored(&desk);
        item(&mut content, SAMPLES, "question", "Two, then?");
        assert_eq!(content.pointer(SAMPLES).and_then(Json::as_array).map(Vec::len), Some(2), "{content}");
        desk.done(&["plan", "--detailed-exitcode"], path);
    }
}

/// What YAML takes away and somebody edits is a conflict, without a merge too.
#[test]
fn an_edit_of_what_is_taken_away_is_a_conflict() {
    let desk = Desk::new();
    desk.write("conf/project.yaml", "name: desk\n");
    desk.write("environments/local.yaml", "workspace: local\nguards: { on_conflict: block }\n");
    let conf = |examples: &str| {
        format!(
            "spaces:\n  s:\n    title: S\n    warehouse_id: '475b94ddc7cd5211'\n    instructions: {{ text: a, example_sql: [{examples}] }}\n"
        )
    };
    let (one, two) = ("{ question: One, sql: SELECT 1 }", "{ question: Two, sql: SELECT 2 }");
    desk.write("conf/a.yaml", &conf(&format!("{one}, {two}")));
    desk.done(&["apply", "--yes"], "two examples");
    desk.write("conf/a.yaml", &conf(one));
    desk.done(&["plan"], "nobody edited anything");
    in_the_ui(&desk, |c| item(c, EXAMPLES, "question", "Two")["sql"] = serde_json::json!(["SELECT 22"]));
    let (exit, said) = desk.run(&["plan"]);
    assert!(exit == 6 && said.contains("conflict"), "{exit} {said}");
    desk.done(&["apply", "--yes", "--accept-conflict", "spaces.s"], "YAML wins where it is said");
}

/// The end of a text that is written as a block is nobody's edit.
#[test]
fn a_question_in_a_block_is_no_drift() {
    let desk = Desk::new();
    desk.write("conf/project.yaml", "name: desk\n");
    let conf = "spaces:\n  s:\n    title: S\n    warehouse_id: '475b94ddc7cd5211'\n    sample_questions:\n      - |\n        Which zip codes?\n      \
                - >\n        Which\n        streets?\n      - \"And\\n\"\n";
    desk.write("conf/a.yaml", conf);
    desk.done(&["apply", "--yes"], "questions in blocks");
    desk.done(&["plan", "--detailed-exitcode"], "they are there");
}

/// What stands under the API's names, or another tool's, is written back under these.
#[test]
fn drift_goes_back_under_the_names_that_the_file_has() {
    type Row = (&'static str, fn(&mut Json), &'static [(&'static str, &'static str)]);
    let desk = Desk::new();
    desk.write("conf/project.yaml", "name: desk\nvariables: { catalog: { default: main } }\n");
    let conf = r#"spaces:
  - space_id: s # of another tool
    title: S
    warehouse_id: "475b94ddc7cd5211"
    sample_questions: [Who?]
    data_sources:
      tables:
        # the one that counts
        - identifier: ${catalog}.s.a
          description: [Orders]
          column_configs:
            - { column_name: amount, description: Net }
        - identifier: ${catalog}.s.b
    instructions:
      text_instructions:
        - content: Be nice. # always
      example_question_sqls:
        - question: Top
          sql: SELECT 1 FROM ${catalog}.s.a # one
      sql_functions:
        - ${catalog}.s.f
      sql_snippets:
        measures:
          - { display_name: sum, sql: sum(a.amount) } # net
"#;
    desk.write("conf/a.yaml", conf);
    desk.done(&["apply", "--yes"], "a space in another spelling");
    let table: &[Row] = &[
        (
            "a table",
            |c| c["data_sources"]["tables"][0]["description"] = serde_json::json!(["Orders, UI"]),
            &[("[Orders]", "[\"Orders, UI\"]")],
        ),
        (
            "a column",
            |c| c["data_sources"]["tables"][0]["column_configs"][0]["description"] = serde_json::json!(["Gross"]),
            &[(": Net", ": Gross")],
        ),
        (
            "a text",
            |c| c["instructions"]["text_instructions"][0]["content"] = serde_json::json!(["Be brief."]),
            &[("Be nice.", "Be brief.")],
        ),
        (
            "SQL",
            |c| item(c, EXAMPLES, "question", "Top")["sql"] = serde_json::json!(["SELECT 2 FROM main.s.a"]),
            &[("SELECT 1 FROM ${catalog}.s.a", "\"SELECT 2 FROM ${catalog}.s.a\"")],
        ),
        (
            "a function more",
            |c| {
                let new = serde_json::json!({"id": OF_THE_UI, "identifier": "main.s.g"});
                let all = c["instructions"]["sql_functions"].as_array_mut().expect("functions");
                all.push(new);
                all.sort_by_key(|f| f["id"].to_string());
            },
            &[],
        ),
        (
            "a measure",
            |c| c["instructions"]["sql_snippets"]["measures"][0]["sql"] = serde_json::json!(["max(a.amount)"]),
            &[("sum(a.amount)", "max(a.amount)")],
        ),
    ];
    for (what, edit, wanted) in table {
        in_the_ui(&desk, edit);
        let (exit, said) = desk.run(&["adopt", "--write", "--all-drift", "--yes"]);
        let after = desk.read("conf/a.yaml");
        assert_eq!(exit, 0, "{what}: {said}\n{after}");
        for (from, to) in *wanted {
            assert_eq!(after, conf.replacen(from, to, 1), "{what}: {said}");
        }
        assert!(
            after.contains("# of another tool") && after.contains("# the one that counts") && after.contains("${catalog}.s.b"),
            "{after}"
        );
        desk.done(&["plan", "--detailed-exitcode"], &format!("{what}\n{said}\n{after}"));
        desk.write("conf/a.yaml", conf);
        desk.done(&["apply", "--yes"], "as it was");
    }
}

/// Of a pasted definition, what an expression gives stays drift; whatever else the UI did is written, and nothing is taken for
/// applied that no file says, whatever else the command is about.
#[test]
fn what_an_expression_gives_holds_up_nothing_else_of_a_pasted_definition() {
    const MAP: &str = "{ version: 2, config: { sample_questions: [{ id: a1b2c3d4e5f60718293a4b5c6d7e8f90, question: [\"In ${catalog}?\"] }] }, \
                       data_sources: { tables: [{ identifier: main.s.a, description: [\"A of main\"] }] } }";
    let pasted = format!("    serialized_space: {MAP}\n");
    let text = format!("    serialized_space: '{}'\n", MAP.replace("version", "\"version\"").replace("config:", "\"config\":"));
    let text = text.replace("sample_questions:", "\"sample_questions\":").replace("id:", "\"id\":").replace("question:", "\"question\":");
    let text = text
        .replace("a1b2c3d4e5f60718293a4b5c6d7e8f90", "\"a1b2c3d4e5f60718293a4b5c6d7e8f90\"")
        .replace("data_sources:", "\"data_sources\":");
    let text = text.replace("tables:", "\"tables\":").replace("identifier:", "\"identifier\":").replace("main.s.a", "\"main.s.a\"");
    let text = text.replace("description:", "\"description\":");
    let forge = "    config: { sample_questions: [{ question: [\"In ${catalog}?\"] }] }\n    data_sources: { tables: [{ identifier: main.s.a, description: [\"A of main\"] }] }\n";
    for (body, rest) in
        [&*pasted, &*text, forge].into_iter().flat_map(|body| ["", "    lifecycle: { merge: true }\n"].map(|rest| (body, rest)))
    {
        let desk = Desk::new();
        desk.write("conf/project.yaml", "name: desk\nvariables: { catalog: { default: main } }\n");
        desk.write("conf/a.yaml", &format!("spaces:\n  s:\n    title: S\n    warehouse_id: w\n{body}{rest}"));
        desk.write("conf/b.yaml", "warehouses: { w: { name: w, cluster_size: Small } }\n");
        desk.done(&["apply", "--yes"], body);
        in_the_ui(&desk, |content| {
            content["config"]["sample_questions"][0]["question"] = serde_json::json!(["Other words?"]);
            content["data_sources"]["tables"][0]["description"] = serde_json::json!(["By hand"]);
            let tables = content["data_sources"]["tables"].as_array_mut().expect("tables");
            tables.push(serde_json::json!({ "identifier": "main.s.b" }));
        });
        let warehouse = desk.workspace().dump().into_keys().find_map(|key| key.strip_prefix("warehouses/").map(str::to_owned));
        let edit =
            format!("POST /api/2.0/sql/warehouses/{}/edit {{\"name\":\"w\",\"cluster_size\":\"Large\"}}", warehouse.expect("a warehouse"));
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(desk.by_hand(&[edit]));
        let (exit, said) = desk.run(&["adopt", "--write", "--all-drift", "--yes"]);
        assert!(exit == 1 && said.contains("an expression gives what changed"), "{body}\n{said}");
        let file = desk.read("conf/a.yaml");
        for part in ["By hand", "main.s.b", "In ${catalog}?"] {
            assert!(file.contains(part), "{part} {rest}\n{file}\n{said}");
        }
        assert!(desk.read("conf/b.yaml").contains("Large"), "{said}");
        // What is left is drift, and all that is left.
        let plan = desk.done(&["plan"], body);
        assert!(!plan.contains("main.s.b") && !plan.contains("By hand") && !plan.contains("Changed in YAML"), "{body}{rest}\n{plan}");
        desk.done(&["apply", "--yes"], body);
        let (_, now) = stored(&desk);
        let now = now.to_string();
        assert!(now.contains("main.s.b") && now.contains("By hand"), "{now}");
        assert_eq!(now.contains("Other words?"), !rest.is_empty(), "{now}");
    }
}
