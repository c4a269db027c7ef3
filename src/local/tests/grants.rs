use super::Bench;

const MAIN: &str = "/api/2.1/unity-catalog/permissions/catalog/main";

fn add(bench: &Bench, principal: &str, privileges: &str) {
    bench.good(&format!("PATCH {MAIN}"), &format!(r#"{{"changes": [{{"principal": "{principal}", "add": {privileges}}}]}}"#));
}

#[test]
fn grants_are_added_and_removed() {
    let bench = Bench::new();
    let before = bench.workspace.dump();
    add(&bench, "analysts", r#"["use schema", "USE_CATALOG", "USE_CATALOG"]"#);
    let got = bench.good(&format!("GET {MAIN}"), "");
    assert_eq!(got.at("privilege_assignments"), r#"[{"principal":"analysts","privileges":["USE_CATALOG","USE_SCHEMA"]}]"#);
    let remove = r#"{"changes": [{"principal": "analysts", "remove": ["USE_CATALOG"]}]}"#;
    assert_eq!(bench.good(&format!("PATCH {MAIN}"), remove).at("privilege_assignments[0].privileges"), r#"["USE_SCHEMA"]"#);
    let quiet = r#"{"changes": [{"principal": "analysts", "remove": ["USE_SCHEMA"]}], "omit_permissions_in_response": true}"#;
    assert_eq!(bench.good(&format!("PATCH {MAIN}"), quiet).at("privilege_assignments"), "-");
    assert_eq!(bench.workspace.dump(), before);
    assert_eq!(bench.good(&format!("GET {MAIN}"), "").at(""), "{}");
}

#[test]
fn order_is_not_stable_and_pages_are() {
    let bench = Bench::rival("grants-of-account");
    for who in ["a", "b", "c"] {
        add(&bench, who, r#"["BROWSE"]"#);
    }
    let order = || {
        let reply = bench.good(&format!("GET {MAIN}"), "");
        reply
            .body
            .get("privilege_assignments")
            .unwrap()
            .as_list()
            .unwrap()
            .iter()
            .map(|a| a.get("principal").unwrap().key_text())
            .collect::<String>()
    };
    let first = order();
    bench.clock.pass(1);
    assert_eq!((first.as_str(), order().as_str()), ("abc", "cba"));
    let page = bench.good(&format!("GET {MAIN}?max_results=2"), "");
    assert_eq!(page.at("privilege_assignments[1].principal"), "\"b\"");
    let hole = bench.good(&format!("GET {MAIN}?max_results=2&page_token={}", page.text("next_page_token")), "");
    assert_eq!(hole.at("privilege_assignments"), "-");
    let last = bench.good(&format!("GET {MAIN}?max_results=2&page_token={}", hole.text("next_page_token")), "");
    assert_eq!((last.at("privilege_assignments[0].principal"), last.at("next_page_token")), ("\"c\"".into(), "-".into()));
    assert_eq!(bench.good(&format!("GET {MAIN}?principal=b"), "").at("privilege_assignments[1]"), "-");
    let list = bench.good("GET /api/2.1/unity-catalog/privilege-assignments/catalog/main?page_size=1", "");
    assert_eq!(list.at("privilege_assignments[0].principal"), "\"a\"");
}

#[test]
fn effective_grants_say_where_they_come_from() {
    let bench = Bench::new();
    add(&bench, "analysts", r#"["USE_CATALOG"]"#);
    let change = r#"{"changes": [{"principal": "analysts", "add": ["SELECT"]}]}"#;
    bench.good("PATCH /api/2.1/unity-catalog/permissions/SCHEMA/main.default", change);
    let got = bench.good("GET /api/2.1/unity-catalog/effective-permissions/schema/main.default", "");
    assert_eq!(
        got.at("privilege_assignments[0].privileges"),
        r#"[{"privilege":"USE_CATALOG","inherited_from_type":"CATALOG","inherited_from_name":"main"},{"privilege":"SELECT"}]"#
    );
    let got = bench.good("GET /api/2.1/unity-catalog/effective-privilege-assignments/schema/main.default", "");
    assert_ne!(got.at("effective_privilege_assignments[0]"), "-");
    let volume = r#"{"catalog_name": "main", "schema_name": "default", "name": "raw", "volume_type": "MANAGED"}"#;
    bench.good("POST /api/2.1/unity-catalog/volumes", volume);
    bench.good(
        "PATCH /api/2.1/unity-catalog/permissions/volume/main.default.raw",
        r#"{"changes": [{"principal": "analysts", "add": ["READ_VOLUME"]}]}"#,
    );
    let got = bench.good("GET /api/2.1/unity-catalog/effective-permissions/volume/main.default.raw", "");
    assert_eq!(
        got.at("privilege_assignments[0].privileges"),
        concat!(
            r#"[{"privilege":"USE_CATALOG","inherited_from_type":"CATALOG","inherited_from_name":"main"},"#,
            r#"{"privilege":"SELECT","inherited_from_type":"SCHEMA","inherited_from_name":"main.default"},{"privilege":"READ_VOLUME"}]"#
        )
    );
}

#[test]
fn refusals() {
    let bench = Bench::new();
    for (path, body, expected) in [
        (
            "catalog/main",
            r#"{"changes": [{"principal": "a", "add": ["BROWSE"], "remove": ["browse"]}]}"#,
            "400 INVALID_PARAMETER_VALUE Privilege BROWSE of principal a cannot be both added and removed.",
        ),
        ("catalog/main", r#"{"changes": [{"principal": "a", "add": ["DANCE"]}]}"#, "400 INVALID_PARAMETER_VALUE PRIVILEGE 'DANCE'"),
        ("catalog/main", r#"{"changes": [{"add": ["BROWSE"]}]}"#, "400 INVALID_PARAMETER_VALUE Missing required field"),
        ("catalog/x", r#"{"changes": []}"#, "404 CATALOG_DOES_NOT_EXIST Catalog 'x' does not exist."),
        ("schema/main.x", r#"{"changes": []}"#, "404 SCHEMA_DOES_NOT_EXIST Schema 'main.x' does not exist."),
        ("table/main.x.y", r#"{"changes": []}"#, "404 TABLE_DOES_NOT_EXIST Table 'main.x.y' does not exist."),
        ("dance/x", r#"{"changes": []}"#, "400 INVALID_PARAMETER_VALUE SECURABLE_TYPE 'dance'"),
    ] {
        bench.refused(&format!("PATCH /api/2.1/unity-catalog/permissions/{path}"), body, expected);
    }
    let change = |who: &str, how: &str| format!(r#"{{"changes": [{{"principal": "{who}", "{how}": ["BROWSE"]}}]}}"#);
    let line = format!("PATCH {MAIN}");
    bench.refused(&line, &change("nobody", "add"), "404 PRINCIPAL_DOES_NOT_EXIST Could not find principal with name nobody");
    // What somebody was granted who is gone can be taken away.
    bench.good(&line, &change("nobody", "remove"));
    for known in ["analysts", "Analysts", "account users", "ada@brickform.local"] {
        bench.good(&line, &change(known, "add"));
    }
    Bench::rival("grants-of-account").good(&line, &change("nobody", "add"));
}
