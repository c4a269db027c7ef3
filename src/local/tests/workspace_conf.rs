use super::Bench;

const CONF: &str = "/api/2.0/workspace-conf";

#[test]
fn reads_and_writes_texts() {
    let bench = Bench::new();
    let before = bench.workspace.dump();
    let get = || bench.good(&format!("GET {CONF}?keys=enableIpAccessLists,maxTokenLifetimeDays"), "").at("");
    assert_eq!(get(), r#"{"enableIpAccessLists":"false","maxTokenLifetimeDays":null}"#);
    let set = bench.good(&format!("PATCH {CONF}"), r#"{"enableIpAccessLists": "true", "maxTokenLifetimeDays": "90"}"#);
    assert_eq!((set.status, set.raw.body.len()), (204, 0));
    assert_eq!(get(), r#"{"enableIpAccessLists":"true","maxTokenLifetimeDays":"90"}"#);
    bench.good(&format!("PATCH {CONF}"), r#"{"enableIpAccessLists": "false", "maxTokenLifetimeDays": ""}"#);
    assert_eq!(bench.workspace.dump(), before);
}

#[test]
fn refusals() {
    let bench = Bench::new();
    for (line, body, expected) in [
        ("GET ?keys=enableIpAccessLists,enableDancing", "", "400 INVALID_PARAMETER_VALUE Invalid keys: [\"enableDancing\"]"),
        ("GET ", "", "400 INVALID_PARAMETER_VALUE Missing required field: keys"),
        ("PATCH ", r#"{"enableTokensConfig": "false", "enableDancing": "true"}"#, "400 INVALID_PARAMETER_VALUE Invalid keys"),
        ("PATCH ", r#"{"enableIpAccessLists": true}"#, "400 MALFORMED_REQUEST"),
        ("PATCH ", r#"{"enableIpAccessLists": "yes"}"#, "400 INVALID_PARAMETER_VALUE Invalid value for key enableIpAccessLists: yes"),
        ("PATCH ", r#"{"maxTokenLifetimeDays": "soon"}"#, "400 INVALID_PARAMETER_VALUE Invalid value for key maxTokenLifetimeDays"),
    ] {
        let (method, rest) = line.split_once(' ').unwrap();
        bench.refused(&format!("{method} {CONF}{rest}"), body, expected);
    }
}
