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
fn clusters_follow_their_policy() {
    let bench = Bench::new();
    let rules = r#"{"spark_version": {"type": "fixed", "value": "15.4.x-scala2.12"},
        "node_type_id": {"type": "allowlist", "values": ["Standard_DS3_v2", "Standard_DS4_v2"], "defaultValue": "Standard_DS3_v2"},
        "autotermination_minutes": {"type": "range", "minValue": 10, "maxValue": 60, "defaultValue": 30},
        "spark_conf.spark.master": {"type": "forbidden"},
        "custom_tags.team": {"type": "regex", "pattern": "[a-z]+"}}"#;
    let definition = crate::model::json::display(&crate::model::Value::text(rules));
    let id = create(&bench, &format!(r#"{{"name": "a", "definition": {definition}, "max_clusters_per_user": 1}}"#));
    let spec = |more: &str| format!(r#"{{"policy_id": "{id}", "num_workers": 1{more}}}"#);
    let tags = r#", "custom_tags": {"team": "data"}"#;
    let node = r#", "node_type_id": "Standard_DS4_v2""#;
    for (more, expected) in [
        (String::new(), "Validation failed for custom_tags, team must be present"),
        (tags.to_owned(), "Missing required field: node_type_id"),
        (
            format!("{tags}{node}, \"spark_version\": \"14.3.x-scala2.12\""),
            "Validation failed for spark_version, the value must be 15.4.x-scala2.12 (is",
        ),
        (
            format!(r#"{tags}, "node_type_id": "i3.xlarge""#),
            r#"Validation failed for node_type_id, the value must be one of Standard_DS3_v2, Standard_DS4_v2 (is "i3.xlarge")"#,
        ),
        (
            format!(r#"{tags}{node}, "autotermination_minutes": 90"#),
            "Validation failed for autotermination_minutes, the value must not be greater than 60",
        ),
        (
            format!(r#"{tags}{node}, "spark_conf": {{"spark.master": "x"}}"#),
            "Validation failed for spark_conf, spark.master must not be present",
        ),
        (format!(r#"{node}, "custom_tags": {{"team": "D1"}}"#), "Validation failed for custom_tags, team must match the pattern [a-z]+"),
    ] {
        bench.refused("POST /api/2.1/clusters/create", &spec(&more), &format!("400 INVALID_PARAMETER_VALUE {expected}"));
    }
    bench.refused("POST /api/2.1/clusters/create", r#"{"policy_id": "none"}"#, "400 INVALID_PARAMETER_VALUE Can't find a cluster policy");
    let filled = spec(&format!("{tags}, \"apply_policy_default_values\": true"));
    let cluster = bench.good("POST /api/2.1/clusters/create", &filled).text("cluster_id");
    let got = bench.good(&format!("GET /api/2.1/clusters/get?cluster_id={cluster}"), "");
    for (path, expected) in [
        ("spark_version", "\"15.4.x-scala2.12\""),
        ("node_type_id", "\"Standard_DS3_v2\""),
        ("autotermination_minutes", "30"),
        ("spec.policy_id", &format!("\"{id}\"")),
    ] {
        assert_eq!(got.at(path), expected, "{path}");
    }
    bench.refused("POST /api/2.1/clusters/create", &filled, "400 QUOTA_EXCEEDED The number of active clusters");
}

#[test]
fn a_definition_that_is_no_map_is_found_out_when_it_is_used() {
    let bench = Bench::new();
    let id = create(&bench, r#"{"name": "a", "definition": "[]"}"#);
    let body = format!(r#"{{"policy_id": "{id}", "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}}"#);
    let expected = "cannot be satisfied due to the malformed policy definition.";
    bench.refused("POST /api/2.1/clusters/create", &body, &format!("400 INVALID_PARAMETER_VALUE Requests for the policy {id} {expected}"));
}

#[test]
fn a_definition_may_be_written_anew() {
    let bench = Bench::rival("policy-rewritten");
    let id = create(&bench, r#"{"name": "a", "definition": "{ \"b\":1, \"a\":2}"}"#);
    let got = bench.good(&format!("GET {POLICIES}/get?policy_id={id}"), "");
    assert_eq!(got.at("definition"), r#""{\"a\": 2,\"b\": 1}""#);
}
