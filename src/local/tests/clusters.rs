use super::Bench;

const CLUSTERS: &str = "/api/2.1/clusters";
const LIBRARIES: &str = "/api/2.0/libraries";

fn create(bench: &Bench, more: &str) -> String {
    let body = format!(r#"{{"cluster_name": "a", "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"{more}}}"#);
    bench.good(&format!("POST {CLUSTERS}/create"), &body).text("cluster_id")
}

fn state(bench: &Bench, id: &str) -> String {
    bench.good(&format!("GET {CLUSTERS}/get?cluster_id={id}"), "").text("state")
}

fn order(bench: &Bench, what: &str, id: &str) {
    bench.good(&format!("POST {CLUSTERS}/{what}"), &format!(r#"{{"cluster_id": "{id}"}}"#));
}

#[test]
fn a_cluster_is_filled_in_and_starts() {
    let bench = Bench::new();
    let before = bench.workspace.dump();
    let id = create(&bench, r#", "autoscale": {"min_workers": 1, "max_workers": 3}, "apply_policy_default_values": true"#);
    let read = format!("GET {CLUSTERS}/get?cluster_id={id}");
    assert_eq!(bench.good(&read, "").at("state"), "\"PENDING\"");
    bench.clock.pass(1000);
    let got = bench.good(&read, "");
    for (path, expected) in [
        ("state", "\"RUNNING\""),
        ("driver_node_type_id", "\"Standard_DS3_v2\""),
        ("num_workers", "1"),
        ("data_security_mode", "\"SINGLE_USER\""),
        ("single_user_name", "\"admin@brickform.local\""),
        ("azure_attributes.availability", "\"ON_DEMAND_AZURE\""),
        ("autotermination_minutes", "0"),
        ("cluster_source", "\"API\""),
        ("default_tags.ClusterName", "\"a\""),
        ("apply_policy_default_values", "-"),
        ("spec.apply_policy_default_values", "true"),
        ("driver.node_id", "\"driver\""),
        ("jdbc_port", "10000"),
        ("$events", "-"),
        ("$next", "-"),
    ] {
        assert_eq!(got.at(path), expected, "{path}");
    }
    order(&bench, "permanent-delete", &id);
    bench.refused(&read, "", &format!("400 INVALID_PARAMETER_VALUE Cluster {id} does not exist"));
    assert_eq!(bench.workspace.dump(), before);
}

#[test]
fn states_and_what_they_refuse() {
    let bench = Bench::new();
    let id = create(&bench, "");
    let edit = format!(
        r#"{{"cluster_id": "{id}", "cluster_name": "b", "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS4_v2", "num_workers": 0}}"#
    );
    let size = format!(r#"{{"cluster_id": "{id}", "num_workers": 3}}"#);
    let (edits, resizes) = (format!("POST {CLUSTERS}/edit"), format!("POST {CLUSTERS}/resize"));
    let pending = format!("400 INVALID_STATE Cluster {id} is in unexpected state Pending.");
    bench.refused(&edits, &edit, &pending);
    bench.refused(&resizes, &size, &pending);
    bench.clock.pass(1000);
    bench.good(&resizes, &size);
    assert_eq!(state(&bench, &id), "RESIZING");
    bench.refused(&edits, &edit, "400 INVALID_STATE");
    bench.clock.pass(1000);
    assert_eq!(bench.good(&format!("GET {CLUSTERS}/get?cluster_id={id}"), "").at("num_workers"), "3");
    bench.good(&edits, &edit);
    assert_eq!(state(&bench, &id), "RESTARTING");
    bench.clock.pass(1000);
    assert_eq!(state(&bench, &id), "RUNNING");
    order(&bench, "delete", &id);
    assert_eq!(state(&bench, &id), "TERMINATING");
    bench.clock.pass(1000);
    assert_eq!(state(&bench, &id), "TERMINATED");
    order(&bench, "delete", &id);
    bench.refused(&resizes, &size, "400 INVALID_STATE");
    bench.good(&edits, &edit);
    assert_eq!(state(&bench, &id), "TERMINATED");
    order(&bench, "start", &id);
    assert_eq!(state(&bench, &id), "PENDING");
    // Terminating is allowed at any time.
    order(&bench, "delete", &id);
    bench.clock.pass(1000);
    assert_eq!(state(&bench, &id), "TERMINATED");
    let events = bench.good(&format!("POST {CLUSTERS}/events"), &format!(r#"{{"cluster_id": "{id}", "limit": 2}}"#));
    assert_eq!((events.at("events[0].type"), events.at("total_count")), ("\"TERMINATING\"".to_owned(), "8".to_owned()));
    assert_eq!(events.at("next_page.offset"), "2");
}

#[test]
fn refusals() {
    let bench = Bench::new();
    let invalid = "400 INVALID_PARAMETER_VALUE ";
    for (body, expected) in [
        (r#"{"node_type_id": "Standard_DS3_v2"}"#, "Missing required field: spark_version"),
        (r#"{"spark_version": "15.4.x-scala2.12"}"#, "Missing required field: node_type_id"),
        (
            r#"{"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1, "autoscale": {"max_workers": 2}}"#,
            "Cluster size",
        ),
        (
            r#"{"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "autotermination_minutes": 5}"#,
            "autotermination_minutes must be",
        ),
        (r#"{"spark_version": "13.0.x-scala2.11", "node_type_id": "Standard_DS3_v2"}"#, "Invalid spark version 13.0.x-scala2.11."),
        (
            r#"{"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3"}"#,
            "Node type Standard_DS3 is not supported. Supported node types: Standard_DS3_v2, Standard_DS4_v2,",
        ),
        (r#"{"spark_version": "15.4.x-scala2.12", "instance_pool_id": "none"}"#, "Can't find an instance pool"),
        (
            r#"{"spark_version": "15.4.x-scala2.12", "instance_pool_id": "none", "node_type_id": "Standard_DS3_v2"}"#,
            "The field 'node_type_id' cannot",
        ),
    ] {
        bench.refused(&format!("POST {CLUSTERS}/create"), body, &format!("{invalid}{expected}"));
    }
    for (rival, expected) in
        [("cluster-gone-404", "404 RESOURCE_DOES_NOT_EXIST"), ("cluster-purged", "400 INVALID_STATE Cannot access cluster x")]
    {
        Bench::rival(rival).refused(&format!("GET {CLUSTERS}/get?cluster_id=x"), "", expected);
    }
}

#[test]
fn lists_by_filter_and_page() {
    let bench = Bench::new();
    let ids: Vec<String> = (0..3).map(|_| create(&bench, "")).collect();
    order(&bench, "pin", &ids[1]);
    for (query, count) in [
        ("", 3),
        ("?page_size=2", 2),
        ("?filter_by.cluster_sources=UI", 0),
        ("?filter_by.cluster_sources=UI&filter_by.cluster_sources=API", 3),
        ("?filter_by.is_pinned=True", 1),
        ("?filter_by.is_pinned=false", 2),
        ("?filter_by.cluster_states=TERMINATED", 0),
        ("?filter_by.policy_id=p", 0),
    ] {
        let got = bench.good(&format!("GET {CLUSTERS}/list{query}"), "");
        assert_eq!(got.body.get("clusters").and_then(|c| c.as_list()).map_or(0, <[_]>::len), count, "{query}");
    }
    assert_eq!(bench.good(&format!("GET {CLUSTERS}/list"), "").text("clusters[0].cluster_id"), ids[2]);
    for (what, member) in
        [("list-node-types", "node_types[0].node_type_id"), ("spark-versions", "versions[0].key"), ("list-zones", "zones[0]")]
    {
        assert_ne!(bench.good(&format!("GET {CLUSTERS}/{what}"), "").at(member), "-", "{what}");
    }
}

#[test]
fn pins_are_limited() {
    let bench = Bench::new();
    for _ in 0..100 {
        order(&bench, "pin", &create(&bench, ""));
    }
    let one_more = format!(r#"{{"cluster_id": "{}"}}"#, create(&bench, ""));
    bench.refused(&format!("POST {CLUSTERS}/pin"), &one_more, "400 RESOURCE_LIMIT_EXCEEDED");
}

#[test]
fn libraries_come_in_the_background_and_go_at_a_restart() {
    let bench = Bench::new();
    let before = bench.workspace.dump();
    let id = create(&bench, "");
    let send = |what: &str, libraries: &str| {
        bench.good(&format!("POST {LIBRARIES}/{what}"), &format!(r#"{{"cluster_id": "{id}", "libraries": [{libraries}]}}"#));
    };
    let status = || {
        let got = bench.good(&format!("GET {LIBRARIES}/cluster-status?cluster_id={id}"), "");
        [0, 1].map(|n| got.text(&format!("library_statuses[{n}].status"))).join(" ")
    };
    let (pandas, wheel) = (r#"{"pypi": {"package": "pandas"}}"#, r#"{"whl": "/missing/x.whl"}"#);
    send("install", &format!("{pandas}, {wheel}"));
    assert_eq!(status(), "PENDING PENDING");
    bench.clock.pass(100);
    assert_eq!(status(), "PENDING PENDING");
    bench.clock.pass(1000);
    assert_eq!(status(), "INSTALLED FAILED");
    send("uninstall", wheel);
    send("uninstall", r#"{"jar": "/not/there.jar"}"#);
    assert_eq!(status(), "INSTALLED UNINSTALL_ON_RESTART");
    order(&bench, "restart", &id);
    assert_eq!(status(), "PENDING ");
    let two = format!(r#"{{"cluster_id": "{id}", "libraries": [{{"jar": "a", "whl": "b"}}]}}"#);
    bench.refused(&format!("POST {LIBRARIES}/install"), &two, "400 INVALID_PARAMETER_VALUE Exactly one type");
    order(&bench, "permanent-delete", &id);
    assert_eq!(bench.workspace.dump(), before);
}
