use super::Bench;

const CATALOGS: &str = "/api/2.1/unity-catalog/catalogs";
const SCHEMAS: &str = "/api/2.1/unity-catalog/schemas";

fn names(bench: &Bench, line: &str, key: &str) -> String {
    let reply = bench.good(line, "");
    let all = reply.body.get(key).and_then(|l| l.as_list()).unwrap_or_default();
    all.iter().map(|o| o.get("full_name").unwrap().key_text()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_catalog_is_lower_cased_and_has_schemas() {
    let bench = Bench::new();
    let made = bench.good(&format!("POST {CATALOGS}"), r#"{"name": "Sales", "storage_root": "abfss://x@y/z/", "properties": {"a": "b"}}"#);
    for (path, expected) in [
        ("name", "\"sales\""),
        ("full_name", "\"sales\""),
        ("owner", "\"admin@brickform.local\""),
        ("isolation_mode", "\"OPEN\""),
        ("catalog_type", "\"MANAGED_CATALOG\""),
        ("enable_predictive_optimization", "\"INHERIT\""),
        ("storage_root", "\"abfss://x@y/z\""),
        ("properties.a", "\"b\""),
        (r#"properties["unity.catalog.managed.delta.defaults.delta.enableDeletionVectors"]"#, "\"true\""),
    ] {
        assert_eq!(made.at(path), expected, "{path}");
    }
    assert_eq!(names(&bench, &format!("GET {SCHEMAS}?catalog_name=SALES"), "schemas"), "sales.default sales.information_schema");
    assert_eq!(names(&bench, &format!("GET {CATALOGS}"), "catalogs"), "main sales samples system");
    assert_eq!(bench.good(&format!("GET {CATALOGS}/SALES"), "").at("name"), "\"sales\"");
}

#[test]
fn a_patch_changes_what_it_names_and_maps_whole() {
    let bench = Bench::new();
    bench.good(&format!("POST {CATALOGS}"), r#"{"name": "c", "comment": "old", "properties": {"a": "b"}}"#);
    let made =
        bench.good(&format!("PATCH {CATALOGS}/c"), r#"{"properties": {"x": "y"}, "isolation_mode": "ISOLATED", "owner": "analysts"}"#);
    assert_eq!((made.at("comment"), made.at("properties.a"), made.at("properties.x")), ("\"old\"".into(), "-".into(), "\"y\"".into()));
    assert_eq!((made.at("isolation_mode"), made.at("owner")), ("\"ISOLATED\"".into(), "\"analysts\"".into()));
    assert_ne!(made.at(r#"properties["unity.catalog.managed.delta.defaults.delta.enableDeletionVectors"]"#), "-");
}

#[test]
fn a_renamed_catalog_takes_schemas_and_grants_along() {
    let bench = Bench::new();
    bench.good(&format!("POST {CATALOGS}"), r#"{"name": "c"}"#);
    bench.good(&format!("POST {SCHEMAS}"), r#"{"name": "S", "catalog_name": "C", "comment": "x"}"#);
    let change = r#"{"changes": [{"principal": "analysts", "add": ["USE_SCHEMA"]}]}"#;
    bench.good("PATCH /api/2.1/unity-catalog/permissions/schema/c.s", change);
    let made = bench.good(&format!("PATCH {CATALOGS}/c"), r#"{"new_name": "D"}"#);
    assert_eq!((made.at("name"), made.at("full_name")), ("\"d\"".into(), "\"d\"".into()));
    assert_eq!(names(&bench, &format!("GET {SCHEMAS}?catalog_name=d"), "schemas"), "d.default d.information_schema d.s");
    let schema = bench.good(&format!("GET {SCHEMAS}/d.s"), "");
    assert_eq!((schema.at("catalog_name"), schema.at("comment")), ("\"d\"".into(), "\"x\"".into()));
    assert_eq!(
        bench.good("GET /api/2.1/unity-catalog/permissions/schema/d.s", "").at("privilege_assignments[0].privileges"),
        "[\"USE_SCHEMA\"]"
    );
    bench.refused(&format!("GET {SCHEMAS}/c.s"), "", "404 SCHEMA_DOES_NOT_EXIST Schema 'c.s' does not exist.");
    let schema = bench.good(&format!("PATCH {SCHEMAS}/d.s"), r#"{"new_name": "t"}"#);
    assert_eq!(schema.at("full_name"), "\"d.t\"");
}

#[test]
fn refusals() {
    let bench = Bench::new();
    bench.good(&format!("POST {CATALOGS}"), r#"{"name": "c"}"#);
    bench.good(&format!("POST {SCHEMAS}"), r#"{"name": "s", "catalog_name": "c"}"#);
    for (line, body, expected) in [
        ("POST C", r#"{"name": "C"}"#, "400 CATALOG_ALREADY_EXISTS Catalog 'c' already exists"),
        ("POST S", r#"{"name": "s", "catalog_name": "c"}"#, "400 SCHEMA_ALREADY_EXISTS Schema 'c.s' already exists"),
        ("POST S", r#"{"name": "s", "catalog_name": "x"}"#, "404 CATALOG_DOES_NOT_EXIST Catalog 'x' does not exist."),
        ("POST S", r#"{"name": "s"}"#, "400 INVALID_PARAMETER_VALUE Missing required field: catalog_name"),
        ("POST C", r#"{"name": "a.b"}"#, "400 INVALID_PARAMETER_VALUE Invalid input"),
        ("POST C", r#"{"name": ""}"#, "400 INVALID_PARAMETER_VALUE Invalid input"),
        ("GET C/x", "", "404 CATALOG_DOES_NOT_EXIST Catalog 'x' does not exist."),
        ("GET S/c.x", "", "404 SCHEMA_DOES_NOT_EXIST Schema 'c.x' does not exist."),
        ("PATCH C/x", "{}", "404 CATALOG_DOES_NOT_EXIST"),
        ("PATCH S/c.s", r#"{"new_name": "default"}"#, "400 SCHEMA_ALREADY_EXISTS Schema 'c.default' already exists"),
        ("PATCH C/c", r#"{"new_name": "main"}"#, "400 CATALOG_ALREADY_EXISTS Catalog 'main' already exists"),
        ("DELETE C/c", "", "400 INVALID_PARAMETER_VALUE Catalog 'c' is not empty."),
        ("DELETE C/system", "", "403 PERMISSION_DENIED"),
        ("DELETE S/c.information_schema", "", "403 PERMISSION_DENIED"),
        ("GET S?catalog_name=x", "", "404 CATALOG_DOES_NOT_EXIST"),
        ("GET S?catalog_name=c&max_results=-1", "", "400 INVALID_PARAMETER_VALUE Invalid max_results"),
    ] {
        let (method, rest) = line.split_once(' ').unwrap();
        let path = if let Some(rest) = rest.strip_prefix('C') { format!("{CATALOGS}{rest}") } else { format!("{SCHEMAS}{}", &rest[1..]) };
        bench.refused(&format!("{method} {path}"), body, expected);
    }
    let rival = Bench::rival("unity-taken-409");
    rival.refused(&format!("POST {CATALOGS}"), r#"{"name": "main"}"#, "409 CATALOG_ALREADY_EXISTS");
}

#[test]
fn deletes_what_is_empty_or_forced() {
    let bench = Bench::new();
    let before = bench.workspace.dump();
    bench.good(&format!("POST {CATALOGS}"), r#"{"name": "c"}"#);
    bench.good(&format!("DELETE {CATALOGS}/c"), "");
    assert_eq!(bench.workspace.dump(), before);
    bench.good(&format!("POST {CATALOGS}"), r#"{"name": "c"}"#);
    bench.good(&format!("POST {SCHEMAS}"), r#"{"name": "s", "catalog_name": "c"}"#);
    bench.good("PATCH /api/2.1/unity-catalog/permissions/catalog/c", r#"{"changes": [{"principal": "users", "add": ["BROWSE"]}]}"#);
    bench.good(&format!("DELETE {CATALOGS}/c?force=true"), "");
    assert_eq!(bench.workspace.dump(), before);
    let rival = Bench::rival("default-schema-counts");
    rival.good(&format!("POST {CATALOGS}"), r#"{"name": "c"}"#);
    rival.refused(&format!("DELETE {CATALOGS}/c"), "", "400 INVALID_PARAMETER_VALUE Catalog 'c' is not empty. The catalog has 1 schema(s)");
    rival.good(&format!("DELETE {SCHEMAS}/c.default"), "");
    rival.good(&format!("DELETE {CATALOGS}/c"), "");
}

#[test]
fn lists_whole_or_in_pages_some_of_them_empty() {
    let bench = Bench::new();
    for n in 0..3 {
        bench.good(&format!("POST {SCHEMAS}"), &format!(r#"{{"name": "s{n}", "catalog_name": "main"}}"#));
    }
    let all = names(&bench, &format!("GET {SCHEMAS}?catalog_name=main"), "schemas");
    assert_eq!(all, "main.default main.information_schema main.s0 main.s1 main.s2");
    let (mut token, mut sizes) = (String::new(), Vec::new());
    loop {
        let page = bench.good(&format!("GET {SCHEMAS}?catalog_name=main&max_results=2&page_token={token}"), "");
        sizes.push(page.body.get("schemas").and_then(|l| l.as_list()).unwrap_or_default().len());
        token = page.text("next_page_token");
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(sizes, [2, 0, 2, 0, 1]);
}

#[test]
fn the_metastore_is_assigned() {
    let bench = Bench::new();
    let assignment = bench.good("GET /api/2.1/unity-catalog/current-metastore-assignment", "");
    assert_eq!(assignment.text("workspace_id"), bench.workspace.workspace_id().to_string());
    assert_eq!(assignment.text("metastore_id").len(), 36);
    let summary = bench.good("GET /api/2.1/unity-catalog/metastore_summary", "");
    assert_eq!(summary.text("metastore_id"), assignment.text("metastore_id"));
}
