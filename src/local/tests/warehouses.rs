use super::Bench;

const ALL: &str = "/api/2.0/sql/warehouses";

fn create(bench: &Bench, body: &str) -> String {
    bench.good(&format!("POST {ALL}"), body).text("id")
}

#[test]
fn a_warehouse_is_filled_in_and_starts() {
    let bench = Bench::new();
    let id = create(&bench, r#"{"name": "bi", "cluster_size": "Small"}"#);
    assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    let got = bench.good(&format!("GET {ALL}/{id}"), "");
    for (path, expected) in [
        ("state", "\"STARTING\""),
        ("num_clusters", "0"),
        ("auto_stop_mins", "120"),
        ("min_num_clusters", "1"),
        ("max_num_clusters", "1"),
        ("enable_photon", "true"),
        ("spot_instance_policy", "\"COST_OPTIMIZED\""),
        ("warehouse_type", "\"CLASSIC\""),
        ("channel.name", "\"CHANNEL_NAME_CURRENT\""),
        ("creator_name", "\"admin@brickform.local\""),
        ("odbc_params.port", "443"),
        ("$next", "-"),
    ] {
        assert_eq!(got.at(path), expected, "{path}");
    }
    bench.clock.pass(150);
    let got = bench.good(&format!("GET {ALL}/{id}"), "");
    assert_eq!(
        (got.at("state"), got.at("num_clusters"), got.at("health.status")),
        ("\"RUNNING\"".into(), "1".into(), "\"HEALTHY\"".into())
    );
    assert_eq!(bench.good(&format!("GET {ALL}"), "").at("warehouses[0].state"), "\"RUNNING\"");
}

#[test]
fn stops_and_starts() {
    let bench = Bench::new();
    let id = create(&bench, r#"{"name": "bi"}"#);
    bench.clock.pass(1000);
    let state = || bench.good(&format!("GET {ALL}/{id}"), "").text("state");
    bench.good(&format!("POST {ALL}/{id}/stop"), "{}");
    assert_eq!(state(), "STOPPING");
    bench.clock.pass(1000);
    assert_eq!(state(), "STOPPED");
    bench.good(&format!("POST {ALL}/{id}/start"), "");
    assert_eq!(state(), "STARTING");
    bench.clock.pass(1000);
    assert_eq!(state(), "RUNNING");
}

#[test]
fn an_edit_puts_what_it_leaves_out_back_to_defaults() {
    let bench = Bench::new();
    let id = create(&bench, r#"{"name": "bi", "auto_stop_mins": 10, "enable_photon": false, "max_num_clusters": 3}"#);
    bench.good(&format!("POST {ALL}/{id}/edit"), r#"{"cluster_size": "Large"}"#);
    let got = bench.good(&format!("GET {ALL}/{id}"), "");
    for (path, expected) in [
        ("name", "\"bi\""),
        ("cluster_size", "\"Large\""),
        ("auto_stop_mins", "120"),
        ("enable_photon", "true"),
        ("max_num_clusters", "1"),
        ("creator_name", "\"admin@brickform.local\""),
        ("state", "\"STARTING\""),
    ] {
        assert_eq!(got.at(path), expected, "{path}");
    }
}

#[test]
fn refusals() {
    let bench = Bench::new();
    let id = create(&bench, r#"{"name": "bi"}"#);
    create(&bench, r#"{"name": "other"}"#);
    let taken = "400 INVALID_PARAMETER_VALUE SQL warehouse with name `other` already exists";
    bench.refused(&format!("POST {ALL}"), r#"{"name": "other"}"#, taken);
    bench.refused(&format!("POST {ALL}/{id}/edit"), r#"{"name": "other"}"#, taken);
    for (body, expected) in [
        ("{}", "400 INVALID_PARAMETER_VALUE Warehouse name must be"),
        (r#"{"name": "x", "auto_stop_mins": 5}"#, "400 INVALID_PARAMETER_VALUE auto_stop_mins must be 0 or at least 10."),
        (r#"{"name": "x", "cluster_size": "Huge"}"#, "400 INVALID_PARAMETER_VALUE Invalid cluster size: Huge."),
        (r#"{"name": "x", "min_num_clusters": 3, "max_num_clusters": 2}"#, "400 INVALID_PARAMETER_VALUE min_num_clusters (3)"),
    ] {
        bench.refused(&format!("POST {ALL}"), body, expected);
    }
    let gone = "404 RESOURCE_DOES_NOT_EXIST SQL warehouse feed does not exist.";
    for line in ["GET /feed", "DELETE /feed", "POST /feed/edit", "POST /feed/start", "POST /feed/stop"] {
        let (method, path) = line.split_once(' ').unwrap();
        bench.refused(&format!("{method} {ALL}{path}"), "", gone);
    }
}

#[test]
fn lists_whole_or_in_pages_and_deletes() {
    let bench = Bench::new();
    let before = bench.workspace.dump();
    let ids: Vec<String> = (0..3).map(|n| create(&bench, &format!(r#"{{"name": "w{n}"}}"#))).collect();
    assert_eq!(bench.good(&format!("GET {ALL}"), "").body.get("warehouses").unwrap().as_list().unwrap().len(), 3);
    let page = bench.good(&format!("GET {ALL}?page_size=2"), "");
    let rest = bench.good(&format!("GET {ALL}?page_size=2&page_token={}", page.text("next_page_token")), "");
    assert_eq!(rest.body.get("warehouses").unwrap().as_list().unwrap().len(), 1);
    for id in ids {
        bench.good(&format!("DELETE {ALL}/{id}"), "");
    }
    assert_eq!(bench.workspace.dump(), before);
    let rival = Bench::rival("warehouse-pro");
    let id = create(&rival, r#"{"name": "bi"}"#);
    assert_eq!(rival.good(&format!("GET {ALL}/{id}"), "").at("warehouse_type"), "\"PRO\"");
}
