use super::{Bench, request};
use crate::client::RequestBody;

const FILES: &str = "/api/2.0/fs/files/Volumes/main/default/state";
const FOLDERS: &str = "/api/2.0/fs/directories/Volumes/main/default/state";

fn bench(rival: Option<&str>) -> Bench {
    let bench = rival.map_or_else(Bench::new, Bench::rival);
    let body = r#"{"catalog_name": "main", "schema_name": "default", "name": "state", "volume_type": "MANAGED"}"#;
    bench.good("POST /api/2.1/unity-catalog/volumes", body);
    bench
}

impl Bench {
    /// Uploads bytes; gives status and code.
    fn upload(&self, line: &str, bytes: &[u8]) -> String {
        let sent = super::Request { body: RequestBody::Bytes(bytes.to_vec()), ..request(&format!("PUT {line}"), "") };
        let raw = self.runtime.block_on(self.workspace.handle(sent)).unwrap();
        let body = crate::model::json::parse(&raw.body).unwrap_or(crate::model::Value::Null);
        let code = body.get("error_code").map(crate::model::Value::key_text).unwrap_or_default();
        format!("{} {code}", raw.status).trim().to_owned()
    }
}

#[test]
fn a_file_is_made_once_in_a_folder_that_is_there() {
    let bench = bench(None);
    assert_eq!(bench.upload(&format!("{FILES}/bf/a.json"), b"1"), "404 NOT_FOUND");
    bench.good(&format!("PUT {FOLDERS}/bf/deep"), "");
    bench.good(&format!("PUT {FOLDERS}/bf"), "");
    assert_eq!(bench.upload(&format!("{FILES}/bf/a.json"), &[0, 159, 146, 150]), "204");
    assert_eq!(bench.upload(&format!("{FILES}/bf/a.json?overwrite=false"), b"2"), "409 ALREADY_EXISTS");
    assert_eq!(bench.good(&format!("GET {FILES}/bf/a.json"), "").raw.body, [0, 159, 146, 150], "bytes come back as they went");
    assert_eq!(bench.upload(&format!("{FILES}/bf/a.json?overwrite=true"), b"2"), "204");
    assert_eq!(bench.good(&format!("GET {FILES}/bf/a.json"), "").raw.body, b"2");
    assert_eq!(bench.upload("/api/2.0/fs/files/Volumes/main/default/nothing/a", b"1"), "404 VOLUME_DOES_NOT_EXIST");
    assert_eq!(bench.upload("/api/2.0/fs/files/dbfs/a", b"1"), "400 BAD_REQUEST");
    assert_eq!(bench.upload(&format!("{FILES}/bf/deep"), b"1"), "409 ALREADY_EXISTS");
    bench.refused(&format!("PUT {FOLDERS}/bf/a.json/x"), "", "409 ALREADY_EXISTS");
    let rival = self::bench(Some("files-parents-made"));
    assert_eq!(rival.upload(&format!("{FILES}/bf/deep/a.json"), b"1"), "204");
    assert_eq!(rival.good(&format!("GET {FOLDERS}/bf"), "").text("contents[0].name"), "deep");
}

#[test]
fn a_list_shows_one_level_in_pages_and_what_is_gone_is_gone() {
    let bench = bench(None);
    bench.good(&format!("PUT {FOLDERS}/bf/deep"), "");
    for name in ["b", "a", "deep/c"] {
        assert_eq!(bench.upload(&format!("{FILES}/bf/{name}"), b"1"), "204");
    }
    let page = bench.good(&format!("GET {FOLDERS}/bf?page_size=2"), "");
    assert_eq!(
        (page.text("contents[0].name"), page.text("contents[1].name"), page.at("contents[2]")),
        ("a".into(), "b".into(), "-".into())
    );
    let token = page.text("next_page_token");
    let rest = bench.good(&format!("GET {FOLDERS}/bf?page_size=2&page_token={token}"), "");
    assert_eq!(
        (rest.text("contents[0].path"), rest.at("contents[0].is_directory")),
        ("/Volumes/main/default/state/bf/deep".into(), "true".into())
    );
    bench.refused(&format!("DELETE {FOLDERS}/bf/deep"), "", "400 BAD_REQUEST");
    bench.good(&format!("DELETE {FILES}/bf/deep/c"), "");
    bench.refused(&format!("DELETE {FILES}/bf/deep/c"), "", "404 NOT_FOUND");
    bench.good(&format!("DELETE {FOLDERS}/bf/deep"), "");
    bench.refused(&format!("GET {FOLDERS}/bf/deep"), "", "404 NOT_FOUND");
    let volume = "/api/2.1/unity-catalog/volumes/main.default.state";
    bench.good(&format!("PATCH {volume}"), r#"{"new_name": "other"}"#);
    assert_eq!(bench.good("GET /api/2.0/fs/files/Volumes/main/default/other/bf/a", "").raw.body, b"1");
    bench.good("DELETE /api/2.1/unity-catalog/volumes/main.default.other", "");
    assert!(!bench.workspace.dump().keys().any(|key| key.starts_with("volume_")), "files go with their volume");
}
