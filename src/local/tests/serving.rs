use super::Bench;

const ALL: &str = "/api/2.0/serving-endpoints";
const ENTITY: &str = r#"{"served_entities": [{"entity_name": "main.ml.model", "entity_version": "3", "workload_size": "Small"}]}"#;

fn create(bench: &Bench) -> super::Reply {
    bench.good(&format!("POST {ALL}"), &format!(r#"{{"name": "m", "config": {ENTITY}}}"#))
}

#[test]
fn an_endpoint_rolls_out() {
    let bench = Bench::new();
    let made = create(&bench);
    assert_eq!((made.at("state.config_update"), made.at("state.ready")), ("\"IN_PROGRESS\"".into(), "\"NOT_READY\"".into()));
    assert_eq!((made.at("config"), made.at("pending_config.config_version")), ("-".into(), "1".into()));
    assert!(made.text("id").len() == 32 && made.text("id") != "m");
    bench.refused(&format!("PUT {ALL}/m/config"), ENTITY, "409 RESOURCE_CONFLICT Endpoint m is currently being updated");
    bench.clock.pass(150);
    let got = bench.good(&format!("GET {ALL}/m"), "");
    for (path, expected) in [
        ("state", r#"{"ready":"READY","config_update":"NOT_UPDATING"}"#),
        ("pending_config", "-"),
        ("config.served_entities[0].name", "\"main_ml_model-3\""),
        ("config.served_entities[0].workload_type", "\"CPU\""),
        ("config.traffic_config.routes[0]", r#"{"served_entity_name":"main_ml_model-3","traffic_percentage":100}"#),
        ("route_optimized", "false"),
    ] {
        assert_eq!(got.at(path), expected, "{path}");
    }
    bench.good(&format!("PUT {ALL}/m/config"), &ENTITY.replace("\"3\"", "\"4\""));
    let got = bench.good(&format!("GET {ALL}/m"), "");
    assert_eq!((got.at("config.config_version"), got.at("pending_config.config_version")), ("1".into(), "2".into()));
    bench.clock.pass(150);
    assert_eq!(bench.good(&format!("GET {ALL}/m"), "").at("config.served_entities[0].entity_version"), "\"4\"");
}

#[test]
fn secrets_never_come_back() {
    let bench = Bench::new();
    let body = r#"{"name": "x", "config": {"served_entities": [{"name": "e", "external_model": {"provider": "openai", "name": "gpt", "task": "llm/v1/chat",
        "openai_config": {"openai_api_key_plaintext": "planted", "openai_organization": "o"}}}]}}"#;
    bench.good(&format!("POST {ALL}"), body);
    bench.clock.pass(1000);
    let got = bench.good(&format!("GET {ALL}/x"), "");
    assert_eq!(got.at("config.served_entities[0].external_model.openai_config"), r#"{"openai_organization":"o"}"#);
    assert!(!format!("{:?}", bench.workspace.dump()).contains("planted"));
}

#[test]
fn routed_updates() {
    let bench = Bench::new();
    create(&bench);
    let gateway = bench.good(&format!("PUT {ALL}/m/ai-gateway"), r#"{"usage_tracking_config": {"enabled": true}}"#);
    assert_eq!(gateway.at(""), r#"{"usage_tracking_config":{"enabled":true}}"#);
    bench.good(&format!("PATCH {ALL}/m/tags"), r#"{"add_tags": [{"key": "a", "value": "1"}, {"key": "b"}]}"#);
    let tags = bench.good(&format!("PATCH {ALL}/m/tags"), r#"{"add_tags": [{"key": "a", "value": "2"}], "delete_tags": ["b"]}"#);
    assert_eq!(tags.at("tags"), r#"[{"key":"a","value":"2"}]"#);
    let mail = r#"{"email_notifications": {"on_update_failure": ["a@b"]}}"#;
    assert_eq!(bench.good(&format!("PATCH {ALL}/m/notifications"), mail).at("name"), "\"m\"");
    let got = bench.good(&format!("GET {ALL}/m"), "");
    assert_eq!(got.at("email_notifications.on_update_failure"), r#"["a@b"]"#);
    assert_eq!(got.at("ai_gateway.usage_tracking_config.enabled"), "true");
    bench.clock.pass(150);
    let listed = bench.good(&format!("GET {ALL}"), "");
    assert_eq!((listed.at("endpoints[0].name"), listed.at("endpoints[0].config.traffic_config")), ("\"m\"".into(), "-".into()));
    assert_ne!(listed.at("endpoints[0].config.served_entities[0].name"), "-");
}

#[test]
fn permissions_go_by_id() {
    let bench = Bench::new();
    let before = bench.workspace.dump();
    let id = create(&bench).text("id");
    let got = bench.good(&format!("GET /api/2.0/permissions/serving-endpoints/{id}"), "");
    assert_eq!(got.at("access_control_list[0].all_permissions[0].permission_level"), "\"CAN_MANAGE\"");
    bench.refused("GET /api/2.0/permissions/serving-endpoints/m", "", "404 RESOURCE_DOES_NOT_EXIST");
    bench.good(&format!("DELETE {ALL}/m"), "");
    assert_eq!(bench.workspace.dump(), before);
}

#[test]
fn refusals() {
    let bench = Bench::new();
    create(&bench);
    bench.clock.pass(1000);
    let entities = |routes: &str| {
        format!(
            r#"{{"served_entities": [{{"name": "a", "entity_name": "x"}}, {{"name": "b", "entity_name": "y"}}], "traffic_config": {{"routes": {routes}}}}}"#
        )
    };
    for (line, body, expected) in [
        ("POST ", r#"{"name": "m"}"#.to_owned(), "409 RESOURCE_ALREADY_EXISTS Endpoint with name 'm' already exists."),
        ("POST ", r#"{"name": "a b"}"#.to_owned(), "400 INVALID_PARAMETER_VALUE Endpoint name must be"),
        ("POST ", "{}".to_owned(), "400 INVALID_PARAMETER_VALUE Missing required field: name"),
        ("GET /x", String::new(), "404 RESOURCE_DOES_NOT_EXIST Endpoint with name 'x' does not exist."),
        ("DELETE /x", String::new(), "404 RESOURCE_DOES_NOT_EXIST"),
        ("PUT /x/config", "{}".to_owned(), "404 RESOURCE_DOES_NOT_EXIST"),
        (
            "PUT /m/config",
            entities(r#"[{"served_entity_name": "a", "traffic_percentage": 90}]"#),
            "400 INVALID_PARAMETER_VALUE The sum of traffic percentages must be 100, not 90.",
        ),
        (
            "PUT /m/config",
            entities(r#"[{"served_entity_name": "z", "traffic_percentage": 100}]"#),
            "400 INVALID_PARAMETER_VALUE Traffic goes to 'z'",
        ),
        (
            "PUT /m/config",
            r#"{"served_entities": [{"name": "a", "entity_name": "x"}, {"name": "a", "entity_name": "y"}]}"#.to_owned(),
            "400 INVALID_PARAMETER_VALUE Served entity name 'a' is not unique.",
        ),
    ] {
        let (method, rest) = line.split_once(' ').unwrap();
        bench.refused(&format!("{method} {ALL}{rest}"), &body, expected);
    }
}
