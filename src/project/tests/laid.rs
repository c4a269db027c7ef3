//! Overlays of Genie spaces: whatever may be written in a file of resources may be written in an overlay.

use super::{folder, shown};
use crate::model::{Value, json};

/// One space in the forms that are read.
const BASES: &[&str] = &[
    "tables: [{identifier: a.b.c, description: D, columns: [{name: x, description: X}, {name: y}]}, a.b.d]
    instructions:
      text: T
      example_sql: [{question: Q, sql: 'S :p', parameters: [{name: p, type_hint: DATE, default_value: {values: ['1']}}]}]
      functions: [a.b.f]
      joins: [{left: a.b.c, right: a.b.d, condition: c.x = d.x, relationship: MANY_TO_ONE}]
      snippets: {measures: [{name: m, sql: sum(c.x)}]}
    sample_questions: [Why?, How?]
    benchmarks: [{question: B, sql: S1}]",
    "tables: [{table: a.b.c, description: D, columns: {x: X, y: }}, a.b.d]
    instructions:
      text: [T]
      sql_examples: [{question: Q, sql: 'S :p', parameters: [{name: p, type: DATE, default: 1}]}]
      functions: [{function: a.b.f}]
      joins: [{left_table: a.b.c, right_table: a.b.d, on: c.x = d.x, relationship: many-to-one}]
      snippets: {measures: [{display_name: m, sql: sum(c.x)}]}
    sample_questions: [Why?, {question: How?}]
    benchmarks: {questions: [{question: B, expected_sql: S1}]}",
    "data_sources: {tables: [{identifier: a.b.c, description: [D], column_configs: [{column_name: x, description: [X]}, {column_name: y}]}, {identifier: a.b.d}]}
    config: {sample_questions: [{question: [Why?]}, {question: [How?]}]}
    instructions:
      text_instructions: [{content: [T]}]
      example_question_sqls: [{question: [Q], sql: ['S ', ':p'], parameters: [{name: p, type_hint: DATE, default_value: {values: ['1']}}]}]
      sql_functions: [{identifier: a.b.f}]
      join_specs: [{left: {identifier: a.b.c, alias: c}, right: {identifier: a.b.d, alias: d}, sql: ['`c`.`x` = `d`.`x`', --rt=FROM_RELATIONSHIP_TYPE_MANY_TO_ONE--]}]
      sql_snippets: {measures: [{display_name: m, sql: [sum(c.x)]}]}
    benchmarks: {questions: [{question: [B], answer: [{format: SQL, content: [S1]}]}]}",
    "serialized_space: >
      {\"version\": 2, \"data_sources\": {\"tables\": [{\"identifier\": \"a.b.c\", \"description\": [\"D\"],
      \"column_configs\": [{\"column_name\": \"x\", \"description\": [\"X\"]}, {\"column_name\": \"y\"}]}, {\"identifier\": \"a.b.d\"}]},
      \"config\": {\"sample_questions\": [{\"question\": [\"Why?\"]}, {\"question\": [\"How?\"]}]},
      \"instructions\": {\"text_instructions\": [{\"content\": [\"T\"]}],
      \"example_question_sqls\": [{\"question\": [\"Q\"], \"sql\": [\"S :p\"],
      \"parameters\": [{\"name\": \"p\", \"type_hint\": \"DATE\", \"default_value\": {\"values\": [\"1\"]}}]}],
      \"sql_functions\": [{\"identifier\": \"a.b.f\"}],
      \"join_specs\": [{\"left\": {\"identifier\": \"a.b.c\", \"alias\": \"c\"}, \"right\": {\"identifier\": \"a.b.d\", \"alias\": \"d\"},
      \"sql\": [\"`c`.`x` = `d`.`x`\", \"--rt=FROM_RELATIONSHIP_TYPE_MANY_TO_ONE--\"]}],
      \"sql_snippets\": {\"measures\": [{\"display_name\": \"m\", \"sql\": [\"sum(c.x)\"]}]}},
      \"benchmarks\": {\"questions\": [{\"question\": [\"B\"], \"answer\": [{\"format\": \"SQL\", \"content\": [\"S1\"]}]}]}}",
];

/// One overlay in the forms that are read.
const OVERS: &[&str] = &[
    "tables: [{identifier: a.b.c, columns: [{name: x, synonyms: [w]}]}, {identifier: a.b.e}]
      instructions:
        text: T2
        example_sql: [{question: Q, parameters: [{name: p, default_value: {values: ['2']}}]}]
        functions: [{identifier: a.b.g}]
        joins: [{left: a.b.c, right: a.b.d, relationship: ONE_TO_ONE}]
        snippets: {measures: [{name: m, synonyms: [v]}]}
      sample_questions: [{question: Why?, $delete: true}, {question: Who?}]
      benchmarks: [{question: B, sql: S2}]",
    // Names of Unity Catalog are the same in whatever case.
    "tables: [{name: a.b.c, columns: {x: {synonyms: w}}}, a.b.e]
      instructions:
        text: [T2]
        sql_examples: [{question: Q, parameters: [{name: p, default: 2}]}]
        functions: [a.b.g]
        joins: [{left_table: a.b.c, right_table: a.b.d, relationship: one-to-one}]
        snippets: {measures: [{display_name: m, synonyms: v}]}
      sample_questions: [{question: Why?, $delete: true}, Who?]
      benchmarks: [{question: B, expected_sql: S2}]",
    "data_sources: {tables: [{identifier: a.b.c, column_configs: [{column_name: x, synonyms: [w]}]}, {identifier: a.b.e}]}
      config: {sample_questions: [{question: [Why?], $delete: true}, {question: [Who?]}]}
      instructions:
        text_instructions: [{content: [T2]}]
        example_question_sqls: [{question: [Q], parameters: [{name: p, default_value: {values: ['2']}}]}]
        sql_functions: [{identifier: a.b.g}]
        join_specs: [{left: {identifier: a.b.c, alias: c}, right: {identifier: a.b.d, alias: d}, sql: [--rt=FROM_RELATIONSHIP_TYPE_ONE_TO_ONE--]}]
        sql_snippets: {measures: [{display_name: m, synonyms: [v]}]}
      benchmarks: {questions: [{question: [B], answer: [{format: SQL, content: [S2]}]}]}",
];

const WANTED: &str = r#"{"title":"S","warehouse_id":"w",
    "tables":[{"identifier":"a.b.c","description":"D","columns":[{"name":"x","description":"X","synonyms":["w"]},{"name":"y"}]},
      {"identifier":"a.b.d"},{"identifier":"a.b.e"}],
    "instructions":{"text":"T2",
      "example_sql":[{"question":"Q","sql":"S :p","parameters":[{"name":"p","type_hint":"DATE","default_value":{"values":["2"]}}]}],
      "functions":[{"identifier":"a.b.f"},{"identifier":"a.b.g"}],
      "joins":[{"left":"a.b.c","right":"a.b.d","condition":"c.x = d.x","relationship":"ONE_TO_ONE"}],
      "snippets":{"measures":[{"name":"m","sql":"sum(c.x)","synonyms":["v"]}]}},
    "sample_questions":[{"question":"How?"},{"question":"Who?"}],
    "benchmarks":[{"question":"B","sql":"S2"}]}"#;

fn merged(base: &str, over: &str) -> Result<Value, String> {
    let files = folder(&[
        ("spaces/s.yaml", &format!("spaces:\n  s:\n    title: S\n    warehouse_id: w\n    {base}\n")),
        ("environments/dev.yaml", &format!("workspace: local\nresources:\n  spaces:\n    s:\n      {over}\n")),
    ]);
    files.resolve().map(|desired| desired.resources[&"spaces.s".parse().unwrap()].body.clone()).map_err(|found| shown(&found))
}

#[test]
fn an_overlay_says_the_same_in_every_form_over_every_form() {
    let wanted = json::parse(WANTED.as_bytes()).unwrap();
    for base in BASES {
        for over in OVERS {
            let got = merged(base, over);
            assert_eq!(got.as_ref(), Ok(&wanted), "{base}\n{over}\n{}", got.as_ref().map(json::display).unwrap_or_default());
        }
    }
}

#[test]
fn a_part_is_merged_and_the_rest_stays() {
    for (base, over, wanted) in [
        ("instructions: One", "instructions: { functions: [a.b.f] }", r#"{"text": "One", "functions": [{"identifier": "a.b.f"}]}"#),
        ("instructions: { functions: [a.b.f] }", "instructions: Two", r#"{"text": "Two", "functions": [{"identifier": "a.b.f"}]}"#),
        ("instructions: { text_instructions: [{ content: One }] }", "instructions: { $replace: true, functions: [a.b.f] }", {
            r#"{"functions": [{"identifier": "a.b.f"}]}"#
        }),
    ] {
        let got = merged(base, over).map(|body| json::display(body.get("instructions").unwrap()));
        assert_eq!(got.as_deref(), Ok(wanted), "{base} / {over}");
    }
    for (base, over, wanted) in [
        // By another case, since it is the same table.
        ("tables: [{ identifier: a.b.c, description: D }]", "tables: [{ identifier: A.B.c, columns: { x: X } }]", {
            r#"[{"identifier": "A.B.c", "description": "D", "columns": [{"name": "x", "description": "X"}]}]"#
        }),
        ("data_sources: { tables: [{ identifier: a.b.c }] }", "data_sources: { $delete: true }\n      tables: [a.b.d]", {
            r#"[{"identifier": "a.b.d"}]"#
        }),
        ("tables: [{ identifier: a.b.c, columns: { x: X, y: Y } }]", "tables: [{ name: a.b.c, columns: { x: { $delete: true } } }]", {
            r#"[{"identifier": "a.b.c", "columns": [{"name": "y", "description": "Y"}]}]"#
        }),
        ("tables: [{ identifier: a.b.c, columns: { x: X } }]", "tables: [{ name: a.b.c, columns: { $replace: true, y: Y } }]", {
            r#"[{"identifier": "a.b.c", "columns": [{"name": "y", "description": "Y"}]}]"#
        }),
    ] {
        let got = merged(base, over).map(|body| json::display(body.get("tables").unwrap()));
        assert_eq!(got.as_deref(), Ok(wanted), "{base} / {over}");
    }
}

/// A definition as the API has it is one value: over another one it takes its place.
#[test]
fn a_definition_takes_the_place_of_a_definition() {
    let text = |table: &str| {
        format!("serialized_space: '{{\"version\": 2, \"data_sources\": {{\"tables\": [{{\"identifier\": \"{table}\"}}]}}}}'")
    };
    let tree = |table: &str| format!("serialized_space: {{ data_sources: {{ tables: [{{ identifier: {table} }}] }} }}");
    for base in [text("a.b.c"), tree("a.b.c")] {
        for over in [text("a.b.d"), tree("a.b.d")] {
            let got = merged(&base, &over).map(|body| json::display(body.get("tables").unwrap()));
            assert_eq!(got.as_deref(), Ok(r#"[{"identifier": "a.b.d"}]"#), "{base} / {over}");
        }
    }
    // Beside fields there is nothing whose place it could take.
    let got = merged("tables: [a.b.c]", &text("a.b.d")).unwrap_err();
    assert!(got.contains("write either the serialized space or its fields, not both"), "{got}");
    // Fields go over it, as over fields.
    let got = merged(&tree("a.b.c"), "tables: [a.b.d]").map(|body| json::display(body.get("tables").unwrap()));
    assert_eq!(got.as_deref(), Ok(r#"[{"identifier": "a.b.c"}, {"identifier": "a.b.d"}]"#));
}

#[test]
fn items_are_found_by_a_name_of_their_own() {
    let base = "sample_questions: [{ $key: top, question: Old? }, { question: Same?, $key: a }, { question: Same?, $key: b }, { id: sq_one, question: One? }]";
    for (over, wanted) in [
        ("{ $key: top, question: New? }", r#"{"$key": "top", "question": "New?"}, {"$key": "a", "question": "Same?"}, {"#),
        ("{ $key: top, $delete: true }", r#"[{"$key": "a", "question": "Same?"}, {"$key": "b", "question": "Same?"}, {"#),
        ("{ $key: b, question: Other? }", r#"{"$key": "a", "question": "Same?"}, {"$key": "b", "question": "Other?"}"#),
        ("{ id: sq_one, question: Two? }", r#"{"$key": "sq_one", "question": "Two?"}]"#),
        ("{ question: Same?, $key: c }", r#"{"$key": "c", "question": "Same?"}]"#),
    ] {
        let got = merged(base, &format!("sample_questions: [{over}]")).map(|body| json::display(body.get("sample_questions").unwrap()));
        assert!(got.as_ref().is_ok_and(|got| got.contains(wanted)), "{over}: {got:?}");
    }
    let got = merged(base, "sample_questions: [{ question: Same?, $delete: true }]").unwrap_err();
    assert!(got.starts_with("E0116 spaces/s.yaml:5:85 two items have the key `question: Same?`"), "{got}");
}

#[test]
fn facets_are_merged_in_every_form_too() {
    let base = "tags: [gold]\n    permissions: [{ group_name: eng, level: CAN_VIEW }]";
    let files = folder(&[
        ("spaces/s.yaml", &format!("spaces:\n  s:\n    title: S\n    warehouse_id: w\n    {base}\n")),
        (
            "environments/dev.yaml",
            "workspace: local\nresources: {spaces: {s: {tags: {tier: one}, permissions: [{group_name: eng, permission_level: CAN_MANAGE}]}}}\n",
        ),
    ]);
    assert!(files.body("spaces.s/tags").starts_with(r#"{"tags": {"gold": "", "tier": "one"}"#), "{}", files.body("spaces.s/tags"));
    let permissions = files.body("spaces.s/permissions");
    assert!(permissions.starts_with(r#"{"entries": [{"group_name": "eng", "permission_level": "CAN_MANAGE"}]"#), "{permissions}");
}

#[test]
fn mistakes_stand_where_they_were_written() {
    for (base, over, wanted) in [
        ("data_sources: { tables: [{ identifier: a.b.c }] }", "data_sources: { tables: [{ identifier: a.b }] }", {
            "E0114 environments/dev.yaml:5:46 spaces.s: tables[1].identifier: `a.b` is no whole name"
        }),
        ("data_sources: { tables: [{ identifier: a.b }] }", "data_sources: { tables: [{ identifier: a.b.c }] }", {
            "E0114 spaces/s.yaml:5:44 spaces.s: tables[0].identifier: `a.b` is no whole name"
        }),
        ("tables: [{ table: a.b.c, columns: { x: X } }]", "tables: [{ table: a.b.c, columns: { y: { exclude: maybe } } }]", {
            "E0105 environments/dev.yaml:5:57 `tables[0].columns[1].exclude` must be true or false, not text"
        }),
        ("tables: [{ table: a.b.c, columns: { x: '${nope}' } }]", "tables: [{ table: a.b.c, columns: { y: Y } }]", {
            "E0204 spaces/s.yaml:5:47 `nope` is not defined"
        }),
    ] {
        let got = merged(base, over).unwrap_err();
        assert!(got.starts_with(wanted), "{base} / {over}\n{got}");
    }
}

/// A definition in a file, by either name, is merged as one that is written out.
#[test]
fn an_overlay_goes_over_a_definition_in_a_file() {
    let json = r#"{"version": 2, "data_sources": {"tables": [{"identifier": "${c}.b.c", "description": ["D"]}]},
        "instructions": {"text_instructions": [{"content": ["T"]}]}}"#;
    let over = |said: &str, base: &str| {
        let files = folder(&[
            ("conf/project.yaml", "name: t\nvariables: { c: { default: a } }\n"),
            ("spaces/s.geniespace.json", json),
            ("spaces/s.yaml", &format!("spaces: {{ s: {{ title: S, warehouse_id: w, {base} }} }}\n")),
            ("environments/dev.yaml", &format!("workspace: local\nresources: {{ spaces: {{ s: {{ {said} }} }} }}\n")),
        ]);
        files.resolve().map(|desired| json::display(&desired.resources[&"spaces.s".parse().unwrap()].body)).map_err(|found| shown(&found))
    };
    for base in ["serialized_space: { file: spaces/s.geniespace.json }", "file_path: s.geniespace.json"] {
        for (said, wanted) in [
            (
                "title: T, warehouse_id: v",
                r#"{"title": "T", "warehouse_id": "v", "instructions": {"text": "T"}, "tables": [{"identifier": "a.b.c", "description": "D"}]}"#,
            ),
            (
                "tables: [{ identifier: '${c}.b.c', description: E }, a.b.d]",
                r#""tables": [{"identifier": "a.b.c", "description": "E"}, {"identifier": "a.b.d"}]"#,
            ),
            ("instructions: { functions: [a.b.f] }", r#""instructions": {"text": "T", "functions": [{"identifier": "a.b.f"}]}"#),
            (
                "instructions: { $delete: true }",
                r#"{"title": "S", "warehouse_id": "w", "tables": [{"identifier": "a.b.c", "description": "D"}]}"#,
            ),
            ("data_sources: { tables: [{ identifier: a.b.e }] }, description: X", r#"{"identifier": "a.b.e"}"#),
        ] {
            let got = over(said, base);
            assert!(got.as_ref().is_ok_and(|got| got.contains(wanted)), "{base} / {said}: {got:?}");
        }
        // What is wrong in the file is told there, what is wrong in the overlay there.
        let got = over("tables: [a.b]", base).unwrap_err();
        assert!(got.starts_with("E0114 environments/dev.yaml:2:"), "{got}");
    }
    // Another definition takes its place: a file that nobody wants is not missed.
    let got = over("serialized_space: { data_sources: { tables: [{ identifier: a.b.z }] } }", "serialized_space: { file: none.json }");
    assert!(got.as_ref().is_ok_and(|got| got.contains("a.b.z")), "{got:?}");
    let got = over("title: T", "serialized_space: { file: none.json }").unwrap_err();
    assert!(got.contains("none.json"), "{got}");
}

#[test]
fn what_holds_where_nobody_says_is_in_the_form_of_the_overlay() {
    let base = |default: &str| {
        format!("instructions: {{ example_sql: [{{ question: Q, sql: 'S :p', parameters: [{{ name: p, {default} }}] }}] }}")
    };
    let over = |default: &str| format!("instructions: {{ example_sql: [{{ question: Q, parameters: [{{ name: p, {default} }}] }}] }}");
    for (from, to, wanted) in [
        ("default: 5", "default: { min: 1, max: 2 }", r#"{"value_range": {"min": "1", "max": "2"}}"#),
        ("default: { min: 1, max: 2 }", "default: 5", r#"{"values": ["5"]}"#),
        ("default: { min: 1, max: 2 }", "default: [5, 6]", r#"{"values": ["5", "6"]}"#),
        ("default: [1, 2]", "default: 3", r#"{"values": ["3"]}"#),
        ("default: 3", "default: [1, 2]", r#"{"values": ["1", "2"]}"#),
        ("default_value: { values: ['1'] }", "default_value: { value_range: { min: '2' } }", r#"{"value_range": {"min": "2"}}"#),
        // In one form they are merged.
        ("default: { min: 1, max: 2 }", "default: { max: 9 }", r#"{"value_range": {"min": "1", "max": "9"}}"#),
    ] {
        let got = merged(&base(from), &over(to));
        let parameter =
            |body: &Value| json::display(body.at(&"instructions.example_sql[0].parameters[0].default_value".parse().unwrap()).unwrap());
        assert_eq!(got.as_ref().map(parameter).as_deref(), Ok(wanted), "{from} / {to}");
    }
}

#[test]
fn all_snippets_go_by_either_name() {
    let (short, nested) = ("snippets", "sql_snippets");
    for (base, over) in [(short, short), (short, nested), (nested, short), (nested, nested)] {
        let base = format!("instructions: {{ text: T, {base}: {{ measures: [{{ display_name: m, sql: [sum(c.x)] }}] }} }}");
        let got = merged(&base, &format!("instructions: {{ {over}: {{ $delete: true }} }}"));
        assert_eq!(got.map(|body| json::display(body.get("instructions").unwrap())).as_deref(), Ok(r#"{"text": "T"}"#), "{base} / {over}");
        let other = "filters: [{ display_name: f, sql: [c.x > 1] }]";
        let got = merged(&base, &format!("instructions: {{ {over}: {{ $replace: true, {other} }} }}"));
        let wanted = r#"{"text": "T", "snippets": {"filters": [{"name": "f", "sql": "c.x > 1"}]}}"#;
        assert_eq!(got.map(|body| json::display(body.get("instructions").unwrap())).as_deref(), Ok(wanted), "{base} / {over}");
    }
    let got = merged("instructions: T", "instructions: { sql_snippets: { $delete: true } }").unwrap_err();
    assert!(got.starts_with("E0115 environments/dev.yaml:5:"), "{got}");
}

#[test]
fn a_name_of_several_fields_goes_and_is_replaced() {
    let tables = "tables: [samples.tpch.orders]";
    let views = "metric_views: [main.a.m]";
    for (base, over, wanted) in [
        (
            format!("{tables}\n    description: d"),
            "data_sources: { $delete: true }",
            r#"{"title": "T", "warehouse_id": "w", "description": "d"}"#,
        ),
        (format!("{tables}\n    {views}"), "data_sources: { $delete: true }", r#"{"title": "T", "warehouse_id": "w"}"#),
        (format!("data_sources: {{ {tables} }}"), "data_sources: { $delete: true }", r#"{"title": "T", "warehouse_id": "w"}"#),
        ("sample_questions: [Q]".to_owned(), "config: { $delete: true }", r#"{"title": "T", "warehouse_id": "w"}"#),
    ] {
        let got = merged(&base, over).map(|body| {
            let left = body.as_map().unwrap().iter().filter(|(_, v)| !v.is_zero()).map(|(k, v)| (k.clone(), v.clone()));
            let left: Vec<_> = left.collect();
            left.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
        });
        let has = |name: &str| wanted.contains(&format!("\"{name}\""));
        let got = got.unwrap_or_else(|why| panic!("{base} / {over}: {why}"));
        for name in ["tables", "metric_views", "sample_questions", "description", "data_sources", "config"] {
            assert_eq!(got.split(' ').any(|field| field == name), has(name), "{base} / {over}: {name} in {got}");
        }
    }
    let got = merged(&format!("{tables}\n    {views}"), "data_sources: { $replace: true, tables: [samples.tpch.lineitem] }").unwrap();
    let shown = json::display(&got);
    assert!(shown.contains("lineitem") && !shown.contains("orders") && !shown.contains("main.a.m"), "{shown}");
    let got = merged("description: d", "data_sources: { $delete: true }").unwrap_err();
    assert!(got.starts_with("E0115 environments/dev.yaml:5:"), "{got}");
}
