//! What goes over the wire when one object of every kind is made, changed and taken away: every request is one that the
//! API's description knows.

use std::collections::BTreeSet;
use std::path::Path;

use crate::corpus::Stage;
use crate::lint::{lint_lines, read};

#[test]
fn every_request_of_a_whole_life_is_known_to_the_api() {
    let mut stage = Stage::new(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("traffic"));
    for line in [
        "serve --record traffic.jsonl",
        "env DATABRICKS_HOST=$HOST",
        "env DATABRICKS_TOKEN=any",
        "given brickform plan",
        "given brickform apply --yes",
        "given brickform plan --detailed-exitcode",
        "given brickform apply --yes --var size=Medium --var text=second",
        "given brickform drift --detailed-exitcode --var size=Medium --var text=second",
        "given brickform destroy --yes --allow-delete catalogs --allow-delete schemas",
    ] {
        stage.step(line).unwrap_or_else(|why| panic!("{line}: {why}"));
    }
    let recorded = std::fs::read_to_string(stage.work.join("traffic.jsonl")).expect("a recording");
    let (findings, count) = lint_lines(&recorded);
    assert!(findings.is_empty(), "{count} requests, findings:\n{}", findings.join("\n"));

    let sent: BTreeSet<String> =
        recorded.lines().filter_map(|line| read(line).ok()).map(|r| format!("{} {}", r.method, shape(&r.path))).collect();
    for want in [
        "POST /api/2.2/jobs/create",
        "POST /api/2.2/jobs/reset",
        "POST /api/2.2/jobs/delete",
        "POST /api/2.0/sql/warehouses",
        "POST /api/2.0/sql/warehouses/*/edit",
        "DELETE /api/2.0/sql/warehouses/*",
        "POST /api/2.1/unity-catalog/catalogs",
        "PATCH /api/2.1/unity-catalog/catalogs/*",
        "DELETE /api/2.1/unity-catalog/catalogs/*",
        "POST /api/2.1/unity-catalog/schemas",
        "PATCH /api/2.1/unity-catalog/permissions/schema/*",
        "PATCH /api/2.0/alerts/*",
        "POST /api/2.0/serving-endpoints",
        "PUT /api/2.0/serving-endpoints/*/config",
        "PATCH /api/2.0/workspace-conf",
        "PUT /api/2.0/permissions/jobs/*",
    ] {
        assert!(sent.contains(want), "{want} was never sent: {sent:#?}");
    }
}

/// A path with the names and ids of this run as `*`.
fn shape(path: &str) -> String {
    let part = |part: &str| {
        let ours = ["bi", "shop", "shop.raw", "nightly", "chat"].contains(&part);
        let id = part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') && part.bytes().any(|b| b.is_ascii_digit());
        if ours || id { "*".to_owned() } else { part.to_owned() }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
