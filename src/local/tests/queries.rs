use super::Bench;

const ALL: &str = "/api/2.0/sql/queries";

fn create(bench: &Bench, fields: &str) -> String {
    bench.good(&format!("POST {ALL}"), &format!(r#"{{"query": {fields}}}"#)).text("id")
}

#[test]
fn a_query_is_filled_in() {
    let bench = Bench::new();
    let id = create(&bench, r#"{"display_name": "a", "query_text": "select 1"}"#);
    let got = bench.good(&format!("GET {ALL}/{id}"), "");
    for (path, expected) in [
        ("lifecycle_state", "\"ACTIVE\""),
        ("parent_path", "\"/Users/admin@brickform.local\""),
        ("owner_user_name", "\"admin@brickform.local\""),
        ("run_as_mode", "\"OWNER\""),
        ("apply_auto_limit", "false"),
        ("query", "-"),
    ] {
        assert_eq!(got.at(path), expected, "{path}");
    }
    let listed = bench.good(&format!("GET {ALL}"), "");
    assert_eq!((listed.at("results[0].display_name"), listed.at("results[0].parent_path")), ("\"a\"".into(), "-".into()));
}

#[test]
fn an_update_takes_masked_members_whole() {
    let bench = Bench::new();
    let id = create(&bench, r#"{"display_name": "a", "query_text": "select 1", "tags": ["x"], "parent_path": "/Workspace/Shared"}"#);
    let one = format!("PATCH {ALL}/{id}");
    let got = bench.good(&one, r#"{"query": {"query_text": "select 2", "display_name": "ignored"}, "update_mask": "query_text,tags"}"#);
    for (path, expected) in [
        ("query_text", "\"select 2\""),
        ("display_name", "\"a\""),
        ("tags", "-"),
        ("parent_path", "\"/Shared\""),
        ("id", &format!("\"{id}\"")),
    ] {
        assert_eq!(got.at(path), expected, "{path}");
    }
    bench.refused(&one, r#"{"query": {"query_text": "x"}}"#, "400 INVALID_PARAMETER_VALUE Missing required field: update_mask");
    bench.refused(&one, r#"{"query": {}, "update_mask": "parent_path"}"#, "400 INVALID_PARAMETER_VALUE Invalid update_mask: parent_path");
    bench.refused(&one, r#"{"update_mask": "tags"}"#, "400 INVALID_PARAMETER_VALUE Missing required field: query");
}

#[test]
fn the_folder_must_be_there() {
    for (bench, status) in
        [(Bench::new(), "404 RESOURCE_DOES_NOT_EXIST"), (Bench::rival("genie-parent-400"), "400 INVALID_PARAMETER_VALUE")]
    {
        let in_folder = r#"{"query": {"display_name": "a", "parent_path": "/Workspace/Shared/late/"}}"#;
        bench.refused(&format!("POST {ALL}"), in_folder, &format!("{status} Path (/Shared/late) doesn't exist."));
        bench.good("POST /api/2.0/workspace/mkdirs", r#"{"path": "/Shared/late"}"#);
        bench.good(&format!("POST {ALL}"), in_folder);
        create(&bench, r#"{"display_name": "b", "parent_path": "/Users/somebody@else.net"}"#);
    }
}

#[test]
fn names_in_a_folder() {
    let bench = Bench::new();
    create(&bench, r#"{"display_name": "a"}"#);
    create(&bench, r#"{"display_name": "a", "parent_path": "/Shared"}"#);
    let taken = "400 RESOURCE_ALREADY_EXISTS Node named 'a' already exists";
    bench.refused(&format!("POST {ALL}"), r#"{"query": {"display_name": "a", "parent_path": "/Workspace/Shared"}}"#, taken);
    let numbered = bench.good(&format!("POST {ALL}"), r#"{"query": {"display_name": "a"}, "auto_resolve_display_name": true}"#);
    assert_eq!(numbered.at("display_name"), "\"a (1)\"");
}

#[test]
fn the_trash() {
    let bench = Bench::new();
    let id = create(&bench, r#"{"display_name": "a"}"#);
    bench.good(&format!("DELETE {ALL}/{id}"), "");
    assert_eq!(bench.good(&format!("GET {ALL}/{id}"), "").at("lifecycle_state"), "\"TRASHED\"");
    assert_eq!(bench.good(&format!("GET {ALL}"), "").at("results"), "-");
    bench.refused(&format!("PATCH {ALL}/{id}"), r#"{"query": {"tags": []}, "update_mask": "tags"}"#, "400 INVALID_STATE");
    create(&bench, r#"{"display_name": "a"}"#);
    bench.refused(&format!("GET {ALL}/x"), "", "404 RESOURCE_DOES_NOT_EXIST Query x does not exist.");
    let rival = Bench::rival("trash-gone");
    let id = create(&rival, r#"{"display_name": "a"}"#);
    rival.good(&format!("DELETE {ALL}/{id}"), "");
    rival.refused(&format!("GET {ALL}/{id}"), "", "404 RESOURCE_DOES_NOT_EXIST");
}
