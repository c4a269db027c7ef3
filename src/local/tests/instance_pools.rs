use super::Bench;

const POOLS: &str = "/api/2.0/instance-pools";

fn create(bench: &Bench, more: &str) -> String {
    let body = format!(r#"{{"instance_pool_name": "a", "node_type_id": "n"{more}}}"#);
    bench.good(&format!("POST {POOLS}/create"), &body).text("instance_pool_id")
}

#[test]
fn a_pool_is_filled_in_and_edited() {
    let bench = Bench::new();
    let before = bench.workspace.dump();
    let more = r#", "max_capacity": 5, "custom_tags": {"a": "b"},
        "preloaded_docker_images": [{"url": "u", "basic_auth": {"username": "x", "password": "y"}}]"#;
    let id = create(&bench, more);
    let read = format!("GET {POOLS}/get?instance_pool_id={id}");
    let got = bench.good(&read, "");
    for (path, expected) in [
        ("state", "\"ACTIVE\""),
        ("enable_elastic_disk", "true"),
        ("idle_instance_autotermination_minutes", "60"),
        ("azure_attributes.availability", "\"ON_DEMAND_AZURE\""),
        ("default_tags.Vendor", "\"Databricks\""),
        ("stats.used_count", "0"),
        ("preloaded_docker_images[0].basic_auth.username", "\"x\""),
        ("preloaded_docker_images[0].basic_auth.password", "-"),
    ] {
        assert_eq!(got.at(path), expected, "{path}");
    }
    let edit = format!(r#"{{"instance_pool_id": "{id}", "instance_pool_name": "b", "node_type_id": "n", "min_idle_instances": 1}}"#);
    bench.good(&format!("POST {POOLS}/edit"), &edit);
    let got = bench.good(&read, "");
    for (path, expected) in [
        ("instance_pool_name", "\"b\""),
        ("min_idle_instances", "1"),
        ("max_capacity", "-"),
        ("custom_tags", "-"),
        ("idle_instance_autotermination_minutes", "60"),
        ("enable_elastic_disk", "true"),
    ] {
        assert_eq!(got.at(path), expected, "{path}");
    }
    assert_eq!(bench.good(&format!("GET {POOLS}/list"), "").at("instance_pools[0].instance_pool_name"), "\"b\"");
    bench.good(&format!("POST {POOLS}/delete"), &format!(r#"{{"instance_pool_id": "{id}"}}"#));
    bench.refused(&read, "", "404 RESOURCE_DOES_NOT_EXIST Can't find an instance pool");
    assert_eq!(bench.workspace.dump(), before);
}

#[test]
fn refusals() {
    let bench = Bench::new();
    let id = create(&bench, "");
    let invalid = "400 INVALID_PARAMETER_VALUE ";
    for (body, expected) in [
        (r#"{"instance_pool_name": "a", "node_type_id": "n"}"#, "Instance pool with name 'a' already exists."),
        (r#"{"instance_pool_name": "", "node_type_id": "n"}"#, "Instance pool name must be between"),
        (r#"{"instance_pool_name": "b", "node_type_id": "n", "min_idle_instances": 2, "max_capacity": 1}"#, "max_capacity (1)"),
        (r#"{"instance_pool_name": "b"}"#, "Missing required field: node_type_id"),
    ] {
        bench.refused(&format!("POST {POOLS}/create"), body, &format!("{invalid}{expected}"));
    }
    let other = format!(r#"{{"instance_pool_id": "{id}", "instance_pool_name": "a", "node_type_id": "other"}}"#);
    bench.refused(&format!("POST {POOLS}/edit"), &other, &format!("{invalid}The node type"));
    bench.refused(&format!("POST {POOLS}/delete"), r#"{"instance_pool_id": "x"}"#, "404 RESOURCE_DOES_NOT_EXIST");
}

#[test]
fn a_deleted_pool_may_be_remembered() {
    let bench = Bench::rival("pool-remembered");
    let id = create(&bench, "");
    let delete = format!(r#"{{"instance_pool_id": "{id}"}}"#);
    bench.good(&format!("POST {POOLS}/delete"), &delete);
    assert_eq!(bench.good(&format!("GET {POOLS}/get?instance_pool_id={id}"), "").at("state"), "\"DELETED\"");
    bench.refused(&format!("POST {POOLS}/delete"), &delete, "404 RESOURCE_DOES_NOT_EXIST");
    create(&bench, "");
}
