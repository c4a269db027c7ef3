//! Genie-Forge's files as they are.

use super::folder;

const LIST: &str = "version: 1\nspaces:\n  - space_id: sales\n    title: Sales ${REGION} ${env}\n    warehouse_id: ${warehouse_id}\n    data_sources: { tables: [{ identifier: samples.nyctaxi.trips }] }\n";
const BARE: &str = "space_id: sales\ntitle: Sales ${REGION} ${env}\nwarehouse_id: ${warehouse_id}\ndata_sources: { tables: [{ identifier: samples.nyctaxi.trips }] }\n";
const DEV: &str = "workspace: local\nvariables: { warehouse_id: w1 }\n";

#[test]
fn a_list_and_a_bare_space_are_the_same() {
    for text in [LIST, BARE] {
        let files = folder(&[("spaces/sales.yaml", text), ("environments/dev.yaml", DEV)]).variable("REGION", "EU");
        let body = files.body("spaces.sales");
        assert!(body.contains(r#""title": "Sales EU dev""#) && body.contains(r#""warehouse_id": "w1""#), "{text}: {body}");
        assert!(!body.contains("space_id") && !body.contains("version"), "{text}: {body}");
    }
    // Many files, many documents.
    let two = format!("{BARE}---\nspace_id: more\ntitle: More\nwarehouse_id: w\n");
    let files = folder(&[("spaces/sales.yaml", &two), ("environments/dev.yaml", DEV)]).variable("REGION", "EU");
    assert_eq!(files.resolve().unwrap().resources.len(), 2);
}

#[test]
fn the_environment_of_the_process_is_the_last_that_is_asked() {
    let files = folder(&[
        ("spaces/sales.yaml", LIST),
        ("environments/dev.yaml", "workspace: local\nvariables: { warehouse_id: w1, REGION: US, env: x }\n"),
    ]);
    // `env` can be no variable of ours.
    assert!(files.variable("REGION", "EU").found().starts_with("E0227 environments/dev.yaml:2:"));
    let files = folder(&[
        ("spaces/sales.yaml", LIST),
        ("environments/dev.yaml", "workspace: local\nvariables: { warehouse_id: w1, REGION: US }\n"),
    ]);
    assert!(files.variable("REGION", "EU").body("spaces.sales").contains("Sales US dev"));
}

#[test]
fn nothing_undefined_is_sent() {
    let files = |title: &str| {
        let text = format!("spaces:\n  - {{ space_id: s, title: \"{title}\", warehouse_id: w }}\n");
        folder(&[("spaces/s.yaml", &text)]).variable("REGION", "EU").found()
    };
    assert_eq!(files("${REGIO}"), "E0204 spaces/s.yaml:2:30 `REGIO` is not defined [the process environment has `REGION`]");
    assert!(files("${NOTHING_LIKE_IT}").starts_with("E0204 spaces/s.yaml:2:30 `NOTHING_LIKE_IT` is not defined [it is no variable"));
    assert!(files("${env.nmae}").contains("`env.nmae` is not defined"));
}

#[test]
fn other_files_do_not_read_the_environment_of_the_process() {
    for body in ["{ title: '${REGION}', warehouse_id: w }", "{ title: '${env}', warehouse_id: w }"] {
        let found = folder(&[("conf/s.yaml", &format!("spaces:\n  s: {body}\n"))]).variable("REGION", "EU").found();
        assert!(found.starts_with("E0204") || found.starts_with("E0201"), "{found}");
    }
    // The form is a matter of the file: the one beside it changes nothing.
    let files = folder(&[("spaces/a.yaml", LIST), ("conf/j.yaml", "jobs: { j: { name: '${REGION}' } }\n"), ("environments/dev.yaml", DEV)]);
    assert_eq!(files.variable("REGION", "EU").found(), "E0204 conf/j.yaml:1:23 `REGION` is not defined [variables here: `warehouse_id`]");
}
