//! Definitions in files and texts of JSON.

use super::folder;

const SPACE: &str =
    "spaces:\n  sales:\n    title: Sales\n    warehouse_id: w\n    serialized_space: { file: spaces/sales.geniespace.json }\n";
const DEV: &str = "workspace: local\nvariables: { catalog: lake, env: dev }\n";

fn files(json: &str) -> super::Folder {
    folder(&[("spaces/sales.yaml", SPACE), ("spaces/sales.geniespace.json", json), ("environments/dev.yaml", DEV)])
}

#[test]
fn a_file_is_read_with_its_variables() {
    let json = "\u{feff}{\n\t\"version\": 1,\n\t\"data_sources\": {\"tables\": [{\"identifier\": \"${catalog}.s.t\", \"description\": [\"a\\n\", \"\\u00fc \\ud83d\\ude00 $${x}\"]}]}\n}\n";
    let body = files(json).body("spaces.sales");
    for part in [r#""identifier": "lake.s.t""#, "ü 😀 ${x}", r#""title": "Sales""#] {
        assert!(body.contains(part), "{body}");
    }
    // As the API answers it, its definition a text in it.
    let reply = r#"{"space_id": "01", "title": "Other", "serialized_space": "{\"version\": 2, \"data_sources\": {\"tables\": [{\"identifier\": \"${catalog}.s.t\"}]}}"}"#;
    assert!(files(reply).body("spaces.sales").contains(r#""identifier": "lake.s.t""#));
    // Its text as it is.
    let plain = SPACE.replace("geniespace.json }", "geniespace.json, expressions: false }");
    let json = r#"{"version": 2, "instructions": {"text_instructions": [{"id": "0123456789abcdef0123456789abcdef", "content": ["${not} a name"]}]}}"#;
    let made = folder(&[("spaces/sales.yaml", &plain), ("spaces/sales.geniespace.json", json), ("environments/dev.yaml", DEV)]);
    assert!(made.body("spaces.sales").contains("${not} a name"));
}

#[test]
fn bundles_name_files_from_where_they_stand() {
    let bundle = "resources:\n  genie_spaces:\n    sales:\n      title: Sales\n      warehouse_id: w\n      file_path: ../src/sales.geniespace.json\n      permissions: [{ level: CAN_VIEW, group_name: users }]\n";
    let json = r#"{"version": 2, "data_sources": {"tables": [{"identifier": "${var.catalog}.s.t"}]}}"#;
    for (yaml, file) in [("conf/sales.yaml", "src/sales.geniespace.json"), ("conf/deep/sales.yaml", "conf/src/sales.geniespace.json")] {
        let made = folder(&[(yaml, bundle), (file, json), ("environments/dev.yaml", DEV)]);
        assert!(made.body("spaces.sales").contains(r#""identifier": "lake.s.t""#), "{yaml}");
    }
    let both = bundle.replace("      title: Sales\n", "      title: Sales\n      serialized_space: '{}'\n");
    let made = folder(&[("conf/sales.yaml", &both), ("environments/dev.yaml", DEV)]);
    assert!(made.found().starts_with("E0122 conf/sales.yaml:7:7 `file_path` and `serialized_space` of spaces.sales are the same thing"));
}

/// The file, and what is said.
#[test]
fn mistakes_are_told_in_the_file() {
    for (json, told) in [
        ("{\n  \"version\": }\n", "E0114 spaces/sales.geniespace.json:2:14 `spaces/sales.geniespace.json` is no JSON: expected value"),
        ("[1]", "E0114 spaces/sales.geniespace.json:1:1 `spaces/sales.geniespace.json` is no definition"),
        (
            "{\"version\": 2,\n\t\"data_sources\": {\"tables\": [\n\t\t{\"identifier\": \"trips\"}]}}",
            "E0114 spaces/sales.geniespace.json:3:18 spaces.sales: tables[0].identifier: `trips` is no whole name",
        ),
        (
            "{\"version\": 2, \"data_sources\": {\"tables\": [{\"identifier\": \"${catalgo}.s.t\"}]}}",
            "E0204 spaces/sales.geniespace.json:1:62 `catalgo` is not defined",
        ),
        (
            "{\"version\": 2, \"data_sources\": {\"tables\": [\n  {\"identifier\": \"a.b.c\"},\n  {\"identifier\": \"a.b.c\"}]}}",
            "E0122 spaces/sales.geniespace.json:3:3 `tables` of spaces.sales has `identifier: a.b.c` twice",
        ),
        ("{\"version\": 2, \"version\": 2}", "E0003 spaces/sales.geniespace.json:1:16"),
    ] {
        let found = files(json).found();
        assert!(found.starts_with(told), "{json}\n{found}");
    }
    let missing = SPACE.replace("sales.geniespace", "sale.geniespace");
    let made = folder(&[("spaces/sales.yaml", &missing), ("spaces/sales.geniespace.json", "{}"), ("environments/dev.yaml", DEV)]);
    let found = made.found();
    assert!(found.starts_with("E0213 spaces/sales.yaml:5:31 `serialized_space` of spaces.sales: `spaces/sale.geniespace.json`"), "{found}");
    assert!(found.contains("did you mean `spaces/sales.geniespace.json`?"), "{found}");
    let outside = SPACE.replace("spaces/sales", "../../sales");
    assert!(folder(&[("spaces/sales.yaml", &outside), ("environments/dev.yaml", DEV)]).found().contains("leads out of the project"));
    let other = SPACE.replace("file:", "flie: 1, file:");
    let made = folder(&[("spaces/sales.yaml", &other), ("spaces/sales.geniespace.json", "{}"), ("environments/dev.yaml", DEV)]);
    assert!(made.found().starts_with("E0107 spaces/sales.yaml:5:25 unknown key `flie`"), "{}", made.found());
}

#[test]
fn expressions_in_a_text_of_json_are_evaluated_in_its_strings() {
    let text = "spaces:\n  sales:\n    title: Sales\n    warehouse_id: w\n    serialized_space: |\n      {\"version\": 2, \"data_sources\": {\"tables\": [\n        {\"identifier\": \"${catalog}.s.t\"},\n        {\"identifier\": \"${nothing}.s.t\"}]}}\n";
    let made = |text: &str, catalog: &str| {
        let dev = format!("workspace: local\nvariables: {{ catalog: {catalog} }}\n");
        folder(&[("spaces/sales.yaml", text), ("environments/dev.yaml", &dev)])
    };
    let found = made(text, "lake").found();
    assert!(found.starts_with("E0204 spaces/sales.yaml:8:27 `nothing` is not defined"), "{found}");
    // A quote in a value is no end of a string.
    let body = made(&text.replace("${nothing}", "x"), "'a\"b'").body("spaces.sales");
    assert!(body.contains(r#"a\"b.s.t"#), "{body}");
}

#[test]
fn a_definition_that_nothing_names_is_said_to_be_one() {
    let json = r#"{"version": 2, "data_sources": {"tables": []}}"#;
    let named = SPACE.replace("sales.geniespace.json", "sales.json");
    let made = folder(&[("spaces/sales.yaml", &named), ("spaces/sales.json", json), ("environments/dev.yaml", DEV)]);
    assert!(made.body("spaces.sales").contains("Sales"));
    let made = folder(&[("spaces/sales.json", json), ("environments/dev.yaml", DEV)]);
    let found = made.found();
    assert!(
        found.starts_with("E0104 spaces/sales.json:1:1 `spaces/sales.json` is the definition of a Genie space, and nothing names it"),
        "{found}"
    );
}
