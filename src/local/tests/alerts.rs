use super::Bench;

const ALL: &str = "/api/2.0/alerts";

fn body(name: &str) -> String {
    format!(
        r#"{{"display_name": "{name}", "query_text": "SELECT 1", "warehouse_id": "w", "custom_summary": "s", "lifecycle_state": "DELETED",
            "evaluation": {{"source": {{"name": "a"}}, "comparison_operator": "GREATER_THAN", "threshold": {{"value": {{"double_value": 1}}}}}},
            "schedule": {{"quartz_cron_schedule": "0 0 0 * * ?", "timezone_id": "UTC"}}}}"#
    )
}

fn create(bench: &Bench, name: &str) -> String {
    bench.good(&format!("POST {ALL}"), &body(name)).text("id")
}

#[test]
fn the_folder_must_be_there() {
    for (bench, status) in
        [(Bench::new(), "404 RESOURCE_DOES_NOT_EXIST"), (Bench::rival("genie-parent-400"), "400 INVALID_PARAMETER_VALUE")]
    {
        let in_folder = body("a").replacen('{', r#"{"parent_path": "/Workspace/Shared/alarms", "#, 1);
        bench.refused(&format!("POST {ALL}"), &in_folder, &format!("{status} Path (/Shared/alarms) doesn't exist."));
        bench.good("POST /api/2.0/workspace/mkdirs", r#"{"path": "/Shared/alarms"}"#);
        bench.good(&format!("POST {ALL}"), &in_folder);
    }
}

#[test]
fn an_alert_is_filled_in() {
    let bench = Bench::new();
    let id = create(&bench, "a");
    let got = bench.good(&format!("GET {ALL}/{id}"), "");
    for (path, expected) in [
        ("lifecycle_state", "\"ACTIVE\""),
        ("schedule.pause_status", "\"UNPAUSED\""),
        ("parent_path", "\"/Workspace/Users/admin@brickform.local\""),
        ("owner_user_name", "\"admin@brickform.local\""),
        ("effective_run_as.user_name", "\"admin@brickform.local\""),
        ("evaluation.state", "\"UNKNOWN\""),
        ("create_time", "\"2023-11-14T22:13:20.001Z\""),
    ] {
        assert_eq!(got.at(path), expected, "{path}");
    }
}

#[test]
fn an_update_takes_masked_members_whole() {
    let bench = Bench::new();
    let id = create(&bench, "a");
    let patch = |mask: &str, body: &str| bench.good(&format!("PATCH {ALL}/{id}?update_mask={mask}"), body);
    let got = patch("query_text", r#"{"query_text": "SELECT 2", "display_name": "ignored"}"#);
    assert_eq!((got.at("query_text"), got.at("display_name")), ("\"SELECT 2\"".into(), "\"a\"".into()));
    assert_eq!(patch("custom_summary", "{}").at("custom_summary"), "-");
    let evaluation = r#"{"evaluation": {"source": {"name": "b"}, "comparison_operator": "LESS_THAN"}}"#;
    let got = patch("evaluation", evaluation);
    assert_eq!((got.at("evaluation.threshold"), got.at("evaluation.source.name")), ("-".into(), "\"b\"".into()));
    let all = patch("*", &body("whole"));
    assert_eq!((all.at("display_name"), all.at("lifecycle_state")), ("\"whole\"".into(), "\"ACTIVE\"".into()));
}

#[test]
fn trash_and_purge() {
    let bench = Bench::new();
    let before = bench.workspace.dump();
    let id = create(&bench, "a");
    bench.good(&format!("DELETE {ALL}/{id}"), "");
    assert_eq!(bench.good(&format!("GET {ALL}/{id}"), "").at("lifecycle_state"), "\"DELETED\"");
    assert_eq!(bench.good(&format!("GET {ALL}"), "").at("alerts"), "-");
    bench.refused(&format!("DELETE {ALL}/{id}"), "", "404 RESOURCE_DOES_NOT_EXIST");
    bench.refused(&format!("PATCH {ALL}/{id}?update_mask=query_text"), r#"{"query_text": "x"}"#, "400 INVALID_STATE");
    create(&bench, "a");
    bench.good(&format!("DELETE {ALL}/{id}?purge=true"), "");
    bench.refused(&format!("GET {ALL}/{id}"), "", "404 RESOURCE_DOES_NOT_EXIST");
    let other = bench.good(&format!("GET {ALL}"), "").text("alerts[0].id");
    bench.good(&format!("DELETE {ALL}/{other}?purge=true"), "");
    assert_eq!(bench.workspace.dump(), before);
    let rival = Bench::rival("trash-gone");
    let id = create(&rival, "a");
    rival.good(&format!("DELETE {ALL}/{id}"), "");
    rival.refused(&format!("GET {ALL}/{id}"), "", "404 RESOURCE_DOES_NOT_EXIST");
}

#[test]
fn refusals() {
    let bench = Bench::new();
    let id = create(&bench, "a");
    create(&bench, "b");
    let taken = "400 RESOURCE_ALREADY_EXISTS Node named 'b' already exists";
    bench.refused(&format!("POST {ALL}"), &body("b"), taken);
    bench.refused(&format!("PATCH {ALL}/{id}?update_mask=display_name"), r#"{"display_name": "b"}"#, taken);
    bench.refused(&format!("PATCH {ALL}/{id}"), "{}", "400 INVALID_PARAMETER_VALUE Missing required field: update_mask");
    bench.refused(
        &format!("PATCH {ALL}/{id}?update_mask=query_text"),
        "{}",
        "400 INVALID_PARAMETER_VALUE Missing required field: query_text",
    );
    bench.refused(&format!("PATCH {ALL}/{id}?update_mask=id"), "{}", "400 INVALID_PARAMETER_VALUE Invalid update_mask: id");
    bench.refused(&format!("POST {ALL}"), r#"{"display_name": "x"}"#, "400 INVALID_PARAMETER_VALUE Missing required field: query_text");
    bench.refused(&format!("GET {ALL}/x"), "", "404 RESOURCE_DOES_NOT_EXIST Alert x does not exist.");
}

#[test]
fn lists_in_pages() {
    let bench = Bench::new();
    for n in 0..3 {
        create(&bench, &format!("a{n}"));
    }
    let page = bench.good(&format!("GET {ALL}?page_size=2"), "");
    let rest = bench.good(&format!("GET {ALL}?page_size=2&page_token={}", page.text("next_page_token")), "");
    assert_eq!((rest.at("alerts[1]"), rest.at("next_page_token")), ("-".into(), "-".into()));
    assert_ne!(rest.at("alerts[0].id"), "-");
}
