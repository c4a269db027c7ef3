//! `adopt --write` as a user meets it: what it writes where, and what it says when it does not.

use base64::Engine as _;

use super::adoption::Desk;

fn import(path: &str, content: &[u8], rest: &str) -> String {
    let content = base64::engine::general_purpose::STANDARD.encode(content);
    format!(r#"POST /api/2.0/workspace/import {{"path":"{path}","content":"{content}","overwrite":true,{rest}}}"#)
}

fn applied(conf: &str, files: &[(&str, &[u8])]) -> Desk {
    let desk = Desk::new();
    for (name, bytes) in files {
        desk.write_bytes(name, bytes);
    }
    desk.write("conf/a.yaml", conf);
    desk.done(&["apply", "--yes"], "the first apply");
    desk
}

fn by_hand(desk: &Desk, lines: &[String]) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(desk.by_hand(lines));
}

const NOTEBOOK: &str = r#""format":"SOURCE","language":"PYTHON""#;
const HEADER: &str = "# Databricks notebook source\n";

#[test]
fn what_a_source_file_holds_goes_back_into_it() {
    let conf = "notebooks:\n  a: { path: /Shared/a, source: nb/a.py } # ours\nfiles:\n  b: { path: /Shared/b.bin, source: nb/b.bin }\n  \
                c: { path: /Shared/c.txt, source: nb/c.txt }\n";
    let (binary, new) = (b"\x00\xffone".as_slice(), b"\xfe\x00two\r\n".as_slice());
    let desk = applied(conf, &[("nb/a.py", b"x = 1\r\ny = 1\r\n"), ("nb/b.bin", binary), ("nb/c.txt", b"one\r\n")]);
    by_hand(
        &desk,
        &[
            import("/Shared/a", format!("{HEADER}x = '${{no}}'\ny = 1\n").as_bytes(), NOTEBOOK),
            import("/Shared/b.bin", new, r#""format":"RAW""#),
            import("/Shared/c.txt", b"\xef\xbb\xbftwo\nthree", r#""format":"RAW""#),
        ],
    );
    let said = desk.done(&["adopt", "--write", "--all-drift", "--yes"], "drift of contents");
    assert!(said.contains("nb/a.py") && said.contains("3 addresses accepted"), "{said}");
    assert!(said.contains("nb/b.bin is no text: 5 bytes become 7"), "{said}");
    assert_eq!(desk.read("nb/a.py"), "x = '${no}'\r\ny = 1\r\n");
    assert_eq!(desk.bytes("nb/b.bin"), new);
    assert_eq!(desk.bytes("nb/c.txt"), b"\xef\xbb\xbftwo\nthree");
    assert_eq!(desk.read("conf/a.yaml"), conf);
    // A rollback to it says which files its commit does not hold.
    let history = desk.done(&["state", "history", "-o", "json"], "history");
    let history: serde_json::Value = serde_json::from_str(&history[history.find('{').expect("JSON")..]).expect("JSON");
    let newest = &history["versions"][0];
    assert_eq!((&newest["by"], &newest["apply"]["dirty"]), (&"adopt --write".into(), &true.into()));
    assert_eq!(newest["apply"]["files"], serde_json::json!(["nb/a.py", "nb/b.bin", "nb/c.txt"]));
    desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
}

#[test]
fn a_file_that_several_have_their_content_from_is_left_alone() {
    let conf = "notebooks:\n  a: { path: /Shared/a, source: nb/a.py }\n  b: { path: /Shared/b, source: ./nb/a.py }\n";
    let desk = applied(conf, &[("nb/a.py", b"x = 1\n")]);
    by_hand(&desk, &[import("/Shared/a", format!("{HEADER}x = 2\n").as_bytes(), NOTEBOOK)]);
    let (exit, said) = desk.run(&["adopt", "--write", "notebooks.a", "--yes"]);
    assert_ne!(exit, 0, "{said}");
    assert!(said.contains("`nb/a.py` is the content of several: notebooks.a, notebooks.b"), "{said}");
    assert_eq!(desk.read("nb/a.py"), "x = 1\n");
}

#[test]
fn instances_write_into_files_of_their_own() {
    let conf = "notebooks:\n  n: { for_each: [a, b], path: \"/Shared/${each.key}\", source: \"nb/${each.key}.py\" }\n";
    let desk = applied(conf, &[("nb/a.py", b"x = 1\n"), ("nb/b.py", b"x = 1\n")]);
    by_hand(&desk, &[import("/Shared/b", format!("{HEADER}x = 2\n").as_bytes(), NOTEBOOK)]);
    desk.done(&["adopt", "--write", "--all-drift", "--yes"], "drift of an instance");
    assert_eq!((desk.read("nb/a.py").as_str(), desk.read("nb/b.py").as_str()), ("x = 1\n", "x = 2\n"));
    desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
}

#[test]
fn an_overlay_does_not_hold_what_a_file_holds() {
    let desk = applied("notebooks:\n  a: { path: /Shared/a, source: nb/a.py }\n", &[("nb/a.py", b"x = 1\n")]);
    by_hand(&desk, &[import("/Shared/a", format!("{HEADER}x = 2\n").as_bytes(), NOTEBOOK)]);
    let (exit, said) = desk.run(&["adopt", "--write", "--overlay", "notebooks.a", "--yes"]);
    assert_ne!(exit, 0, "{said}");
    assert!(said.contains("notebooks.a source is not written") && said.contains("leave `--overlay` out"), "{said}");
    assert_eq!(desk.read("nb/a.py"), "x = 1\n");
}

/// Drift of a warehouse and a query, made by somebody who asked the workspace for their ids.
fn by_name(desk: &Desk, kind: &str) -> String {
    let state = brickform::model::json::parse(desk.read(".brickform/state/local.json").as_bytes()).expect("a state");
    let all = state.get("resources").and_then(brickform::model::Value::as_map).cloned().unwrap_or_default();
    all.iter().find(|(a, _)| a.starts_with(kind)).and_then(|(_, e)| e.get("id")).expect("an id").key_text()
}

const QUERY: &str = "queries:\n  q:\n    display_name: q\n    warehouse_id: \"${warehouses.w.id}\"\n    query_text: |  # ours\n      SELECT 1\n      \
                     FROM a\n\n    # what it is for\n    description: d\nwarehouses:\n  w: { name: w, cluster_size: Small }\n";

fn query_becomes(desk: &Desk, text: &str) {
    let (id, text) = (by_name(desk, "queries."), serde_json::to_string(text).expect("JSON"));
    let body = format!(r#"{{"update_mask":"query_text","query":{{"query_text":{text}}}}}"#);
    by_hand(desk, &[format!("PATCH /api/2.0/sql/queries/{id} {body}")]);
}

#[test]
fn blocks_of_text_are_edited_where_they_stand() {
    let environment = Desk::new().read("environments/local.yaml");
    for (live, want) in [
        ("SELECT 2\nFROM b\n", "query_text: |  # ours\n      SELECT 2\n      FROM b\n\n    # what it is for\n"),
        // How a text ends is no edit: the block keeps its sign.
        ("SELECT 2\nFROM b", "query_text: |  # ours\n      SELECT 2\n      FROM b\n\n    # what it is for\n"),
        ("SELECT '\u{1}'\nFROM b\n", "\"SELECT '\\u0001'\\nFROM b\\n\""),
        ("SELECT 2", "query_text: |  # ours\n      SELECT 2\n\n    # what it is for\n"),
    ] {
        let desk = applied(QUERY, &[]);
        query_becomes(&desk, live);
        desk.done(&["adopt", "--write", "--all-drift", "--yes"], live);
        let now = desk.read("conf/a.yaml");
        assert!(now.contains(want), "{live:?}\n{now}");
        assert_eq!(desk.read("environments/local.yaml"), environment, "{live:?}");
        desk.done(&["plan", "--detailed-exitcode"], live);
    }
}

#[test]
fn a_map_in_lines_stays_one() {
    let conf =
        "jobs:\n  j:\n    name: j\n    tags:\n      x: y\n    tasks: [{ task_key: t, notebook_task: { notebook_path: /Shared/x } }]\n";
    let desk = applied(conf, &[]);
    let id = by_name(&desk, "jobs.");
    by_hand(&desk, &[format!(r#"POST /api/2.2/jobs/update {{"job_id":{id},"new_settings":{{"tags":{{"z":"w"}}}}}}"#)]);
    desk.done(&["adopt", "--write", "--all-drift", "--yes"], "tags");
    assert!(desk.read("conf/a.yaml").contains("    tags:\n      z: w\n"), "{}", desk.read("conf/a.yaml"));
}

#[test]
fn a_deletion_that_leaves_mistakes_is_not_written() {
    let desk = applied(QUERY, &[]);
    let before = desk.read("conf/a.yaml");
    let id = by_name(&desk, "warehouses.");
    by_hand(&desk, &[format!("DELETE /api/2.0/sql/warehouses/{id}")]);
    let (exit, said) = desk.run(&["adopt", "--write", "--all-drift", "--deletions", "--yes"]);
    assert_eq!(exit, 1, "{said}");
    assert!(said.contains("error: warehouses.w is not written: with it the project would not load: "), "{said}");
    assert!(said.contains("nothing could be written") && !said.contains("-->"), "{said}");
    assert_eq!(desk.read("conf/a.yaml"), before);
}

#[test]
fn what_nothing_declares_goes_into_a_list_by_keys() {
    let desk = applied("warehouses:\n  - $key: w\n    name: w\n    cluster_size: Small\n", &[]);
    by_hand(&desk, &[r#"POST /api/2.0/sql/warehouses {"name":"other","cluster_size":"Small"}"#.to_owned()]);
    desk.done(&["adopt", "warehouses", "--name", "other", "--key", "o", "--yes"], "into a list");
    let now = desk.read("conf/a.yaml");
    assert!(now.starts_with("warehouses:\n  - $key: w\n") && now.contains("  - $key: o\n    name: other\n"), "{now}");
    desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
}

#[test]
fn drift_is_counted_by_address_everywhere() {
    let conf =
        "warehouses:\n  w:\n    name: w\n    cluster_size: Small\n    permissions: [{ group_name: users, permission_level: CAN_USE }]\n";
    let desk = applied(conf, &[]);
    let id = by_name(&desk, "warehouses.w");
    by_hand(
        &desk,
        &[
            format!(r#"POST /api/2.0/sql/warehouses/{id}/edit {{"name":"w","cluster_size":"Large"}}"#),
            format!(
                r#"PUT /api/2.0/permissions/warehouses/{id} {{"access_control_list":[{{"group_name":"users","permission_level":"CAN_MONITOR"}}]}}"#
            ),
        ],
    );
    let said = desk.done(&["drift"], "drift");
    assert!(said.contains("(2)\n") && said.contains("Drift: 2 of 2 addresses differ"), "{said}");
    let said = desk.done(&["status"], "status");
    assert!(said.contains("1, with 1 part (permissions, grants): 2 addresses"), "{said}");
    let said = desk.done(&["adopt", "--write", "--all-drift", "--yes"], "adopt");
    assert!(said.contains("2 addresses accepted"), "{said}");
}

const TWO: &str = "jobs:\n  j:\n    name: j\n    max_concurrent_runs: 2\n    tags: { a: one }\n    tasks:\n      - task_key: a\n        \
                   notebook_task: { notebook_path: /Shared/a }\nwarehouses:\n  w: { name: w, cluster_size: Small }\n  v: { name: v, cluster_size: Small }\n";

/// A desk with a second environment, so that what is in `conf/` is shared.
fn shared(overlay: &str) -> Desk {
    let desk = Desk::new();
    let own = desk.read("environments/local.yaml");
    desk.write("environments/local.yaml", &format!("{own}{overlay}"));
    desk.write("environments/other.yaml", "workspace: local\n");
    desk.write("conf/a.yaml", TWO);
    desk.done(&["apply", "--yes", "--env", "local"], "the first apply");
    desk
}

#[test]
fn what_was_not_asked_for_takes_nothing_from_what_was_accepted() {
    let desk = shared("");
    let state = brickform::model::json::parse(desk.read(".brickform/state/local.json").as_bytes()).expect("a state");
    for key in ["w", "v"] {
        let id = state.get("resources").and_then(|r| r.get(&format!("warehouses.{key}"))?.get("id")).expect("an id").key_text();
        by_hand(&desk, &[format!(r#"POST /api/2.0/sql/warehouses/{id}/edit {{"name":"{key}","cluster_size":"Large"}}"#)]);
    }
    let said = desk.done(&["adopt", "--write", "--overlay", "warehouses.w", "--yes", "--env", "local"], "one of two");
    assert!(said.contains("Written: 1 file; 1 address accepted into the state."), "{said}");
    assert_eq!(desk.read("conf/a.yaml"), TWO);
    assert!(desk.read("environments/local.yaml").contains("warehouses:\n    w:\n      cluster_size: Large\n"));
}

#[test]
fn drift_of_what_file_and_overlay_say_together_goes_to_each_its_part() {
    let overlay = "resources:\n  jobs:\n    j:\n      timeout_seconds: 60\n      tags: { b: two }\n      tasks:\n        - task_key: a\n          \
                   max_retries: 1\n        - task_key: c\n          notebook_task: { notebook_path: /Shared/c }\n";
    let desk = shared(overlay);
    let id = by_name(&desk, "jobs.");
    let task = |key: &str, path: &str, retries: u8| {
        format!(r#"{{"task_key":"{key}","notebook_task":{{"notebook_path":"{path}"}},"max_retries":{retries}}}"#)
    };
    let tasks = [task("a", "/Shared/a2", 3), task("c", "/Shared/c3", 0)].join(",");
    let settings = format!(r#"{{"max_concurrent_runs":4,"timeout_seconds":90,"tags":{{"a":"1","b":"2"}},"tasks":[{tasks}]}}"#);
    by_hand(&desk, &[format!(r#"POST /api/2.2/jobs/update {{"job_id":{id},"new_settings":{settings}}}"#)]);
    let said = desk.done(&["adopt", "--write", "jobs.j", "--yes", "--env", "local"], "both files");
    assert!(said.contains("Written: 2 files; 1 address accepted"), "{said}");
    assert!(said.contains("note: `conf/a.yaml` is shared with other; `--overlay`"), "{said}");
    let (file, own) = (desk.read("conf/a.yaml"), desk.read("environments/local.yaml"));
    for part in ["max_concurrent_runs: 4", "tags: { a: \"1\" }", "/Shared/a2"] {
        assert!(file.contains(part) && !own.contains(part), "{part}\n{file}\n{own}");
    }
    for part in ["timeout_seconds: 90", "tags: { b: \"2\" }", "max_retries: 3", "/Shared/c3"] {
        assert!(own.contains(part) && !file.contains(part), "{part}\n{file}\n{own}");
    }
    desk.done(&["plan", "--detailed-exitcode", "--env", "local"], "nothing is left");
}

#[test]
fn what_is_adopted_into_a_shared_file_says_so_and_can_go_into_the_environments_own() {
    let desk = shared("");
    let made = |name: &str| format!(r#"POST /api/2.0/sql/warehouses {{"name":"{name}","cluster_size":"Small"}}"#);
    by_hand(&desk, &[made("first"), made("second")]);
    let adopt = |name: &str, rest: &[&str]| {
        let line: Vec<&str> = ["adopt", "warehouses", "--name", name, "--key", name, "--yes", "--env", "local"]
            .into_iter()
            .chain(rest.iter().copied())
            .collect();
        desk.done(&line, name)
    };
    let said = adopt("first", &[]);
    assert!(said.contains("note: `conf/a.yaml` is shared with other; `--overlay` writes into this environment's file instead"), "{said}");
    let before = desk.read("conf/a.yaml");
    let said = adopt("second", &["--overlay"]);
    assert!(!said.contains("is shared with"), "{said}");
    assert_eq!(desk.read("conf/a.yaml"), before);
    let own = desk.read("environments/local.yaml");
    assert!(own.contains("resources:\n  warehouses:\n    second:\n      name: second\n"), "{own}");
    desk.done(&["plan", "--detailed-exitcode", "--env", "local"], "nothing is left");
    let (exit, said) = desk.run(&["adopt", "warehouses.w", "--overlay", "--yes", "--env", "local"]);
    assert!(exit == 64 && said.contains("`--overlay` says where YAML is written, and warehouses.w is declared already"), "{said}");
}

#[test]
fn what_was_deleted_in_one_workspace_is_left_out_of_that_environment_alone() {
    let desk = shared("");
    let state = brickform::model::json::parse(desk.read(".brickform/state/local.json").as_bytes()).expect("a state");
    let id = state.get("resources").and_then(|r| r.get("warehouses.v")?.get("id")).expect("an id").key_text();
    by_hand(&desk, &[format!("DELETE /api/2.0/sql/warehouses/{id}")]);
    let said = desk.done(&["adopt", "--write", "warehouses.v", "--deletions", "--overlay", "--yes", "--env", "local"], "one is gone");
    assert!(said.contains("environments/local.yaml: left out of this environment"), "{said}");
    assert_eq!(desk.read("conf/a.yaml"), TWO, "the file of all environments is as it was");
    let own = desk.read("environments/local.yaml");
    assert!(own.contains("warehouses:\n    v:\n      $delete: true\n"), "{own}");
    desk.done(&["plan", "--detailed-exitcode", "--env", "local"], "nothing is left");
}

#[test]
fn a_new_file_is_read_or_named_and_never_half_written() {
    let desk = applied("warehouses: { w: { name: w, cluster_size: Small } }\n", &[]);
    by_hand(&desk, &[r#"POST /api/2.0/sql/warehouses {"name":"other","cluster_size":"Small"}"#.to_owned()]);
    for file in ["more/w.yaml", "conf/w.txt"] {
        let (exit, said) = desk.run(&["adopt", "warehouses", "--name", "other", "--key", "o", "--to", file, "--yes"]);
        assert!(
            exit == 64 && said.contains(&format!("the project would not read warehouses.o from `{file}`, and nothing was written")),
            "{said}"
        );
        assert!(desk.bytes(file).is_empty());
    }
    desk.done(&["adopt", "warehouses", "--name", "other", "--key", "o", "--to", "spaces/w.yaml", "--yes"], "a folder that is read");
    desk.done(&["plan", "--detailed-exitcode"], "nothing is left");
}

#[test]
fn an_object_is_taken_for_one_address_or_for_none() {
    let twins =
        |key: &str| format!("  {key}: {{ title: Same, warehouse_id: '475b94ddc7cd5211', lifecycle: {{ allow_duplicate_name: true }} }}\n");
    let desk = Desk::new();
    desk.write("conf/a.yaml", &format!("spaces:\n{}{}", twins("a"), twins("b")));
    let made = r#"POST /api/2.0/genie/spaces {"title":"Same","warehouse_id":"475b94ddc7cd5211","serialized_space":"{\"version\":2}"}"#;
    by_hand(&desk, &[made.to_owned()]);
    let (exit, said) = desk.run(&["adopt", "--all", "--yes"]);
    assert!(exit == 1 && said.contains("has its name, and that of spaces.b too: nothing says whose it is"), "{said}");
    assert!(said.contains("say which one: `brickform adopt spaces.a") && said.contains("Nothing to adopt."), "{said}");
    let (exit, said) = desk.run(&["state", "rebuild", "--dry-run"]);
    assert!(said.contains("! spaces.a") && said.contains("! spaces.b"), "{exit}: {said}");
}

/// What a template makes has no line to write into: the plan says where it is kept instead of a command that refuses.
#[test]
fn drift_of_what_a_template_makes_is_kept_by_hand() {
    let conf = "jobs:\n  a:\n    name: a\n    description: '${template(\"text.hbs\")}'\n";
    let desk = applied(conf, &[("text.hbs", b"It is one")]);
    let id = by_name(&desk, "jobs.");
    by_hand(&desk, &[format!(r#"POST /api/2.2/jobs/update {{"job_id":{id},"new_settings":{{"description":"other"}}}}"#)]);
    let said = desk.done(&["drift"], "drift");
    assert!(said.contains("keep:     by hand, in the template that makes description") && !said.contains("adopt"), "{said}");
    let (exit, said) = desk.run(&["adopt", "--write", "jobs.a", "--yes"]);
    assert!(exit != 0 && said.contains("the template `text.hbs` makes it"), "{said}");
}
