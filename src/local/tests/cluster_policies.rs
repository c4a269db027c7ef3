use super::Bench;

const POLICIES: &str = "/api/2.0/policies/clusters";

fn create(bench: &Bench, body: &str) -> String {
    bench.good(&format!("POST {POLICIES}/create"), body).text("policy_id")
}

#[test]
fn a_policy_is_filled_in_and_edited_as_a_whole() {
    let bench = Bench::new();
    let before = bench.workspace.dump();
    let id = create(&bench, r#"{"name": "a", "definition": "{ \"b\":1, \"a\":2}", "max_clusters_per_user": 2}"#);
    let read = format!("GET {POLICIES}/get?policy_id={id}");
    let got = bench.good(&read, "");
    for (path, expected) in [
        ("definition", r#""{ \"b\":1, \"a\":2}""#),
        ("is_default", "false"),
        ("creator_user_name", "\"admin@brickform.local\""),
        ("max_clusters_per_user", "2"),
    ] {
        assert_eq!(got.at(path), expected, "{path}");
    }
    let overrides = r#"{\"cluster_type\":{\"type\":\"unlimited\"},\"x\":{\"type\":\"forbidden\"}}"#;
    let edit = format!(
        r#"{{"policy_id": "{id}", "name": "b", "policy_family_id": "job-cluster", "policy_family_definition_overrides": "{overrides}"}}"#
    );
    bench.good(&format!("POST {POLICIES}/edit"), &edit);
    let got = bench.good(&read, "");
    for (path, expected) in [
        ("name", "\"b\""),
        ("max_clusters_per_user", "-"),
        ("definition", r#""{\"cluster_type\": {\"type\": \"unlimited\"},\"x\": {\"type\": \"forbidden\"}}""#),
        ("creator_user_name", "\"admin@brickform.local\""),
    ] {
        assert_eq!(got.at(path), expected, "{path}");
    }
    assert_eq!(bench.good(&format!("GET {POLICIES}/list"), "").at("policies[0].name"), "\"b\"");
    bench.good(&format!("POST {POLICIES}/delete"), &format!(r#"{{"policy_id": "{id}"}}"#));
    bench.refused(&read, "", "404 RESOURCE_DOES_NOT_EXIST Can't find a cluster policy");
    assert_eq!(bench.workspace.dump(), before);
}

#[test]
fn refusals() {
    let bench = Bench::new();
    create(&bench, r#"{"name": "a"}"#);
    let invalid = "400 INVALID_PARAMETER_VALUE ";
    for (body, expected) in [
        (r#"{"name": "a"}"#, "Policy with name 'a' already exists."),
        (r#"{"name": ""}"#, "Policy name must be between"),
        (r#"{"name": "b", "definition": "["}"#, "Invalid policy: definition must be a JSON object."),
        (r#"{"name": "b", "definition": "[]"}"#, "Invalid policy: definition must be a JSON object."),
        (r#"{"name": "b", "max_clusters_per_user": 0}"#, "max_clusters_per_user must be"),
        (r#"{"name": "b", "definition": "{}", "policy_family_id": "personal-vm"}"#, "Only one of"),
        (r#"{"name": "b", "policy_family_definition_overrides": "{}"}"#, "policy_family_definition_overrides needs"),
    ] {
        bench.refused(&format!("POST {POLICIES}/create"), body, &format!("{invalid}{expected}"));
    }
    bench.refused(&format!("POST {POLICIES}/create"), r#"{"name": "b", "policy_family_id": "x"}"#, "404 RESOURCE_DOES_NOT_EXIST");
    bench.refused(&format!("POST {POLICIES}/delete"), r#"{"policy_id": "x"}"#, "404 RESOURCE_DOES_NOT_EXIST");
}

#[test]
fn a_definition_may_be_written_anew() {
    let bench = Bench::rival("policy-rewritten");
    let id = create(&bench, r#"{"name": "a", "definition": "{ \"b\":1, \"a\":2}"}"#);
    let got = bench.good(&format!("GET {POLICIES}/get?policy_id={id}"), "");
    assert_eq!(got.at("definition"), r#""{\"a\": 2,\"b\": 1}""#);
}
