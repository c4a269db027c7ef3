//! `space-list`, `space-get`, `space-find`, `space-export`, `space-clone` as people type them.

use brickform::local::LocalOptions;
use serde_json::{Value, json};

use super::{kept, made, send};
use crate::walk::{Desk, Served};

fn export(table: &str) -> Value {
    json!({
        "version": 2,
        "data_sources": { "tables": [{ "identifier": format!("{table}.s.orders") }] },
        "instructions": {
            "example_question_sqls": [{ "id": "1".repeat(32), "question": ["q"], "sql": [format!("SELECT * FROM {table}.s.orders -- {table}.s.x")] }],
            "text_instructions": [{ "id": "2".repeat(32), "content": [format!("{table}.s.orders is the table")] }]
        },
        "benchmarks": { "questions": [{ "id": "3".repeat(32), "question": ["b"], "answer": [{ "format": "SQL", "content": ["SELECT 1"] }] }] }
    })
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn every_form_is_nothing_but_itself() {
    let (source, target) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &target);
    made(&source, "Sales, \"EU\"", &export("dev"));
    made(&source, "Stock", &export("dev"));
    for (line, rows) in [
        ("space-list", 2),
        ("list-spaces -p SOURCE_WORKSPACE", 2),
        ("space-list --limit 1", 1),
        ("space-find S*k", 1),
        ("space-find toc", 1),
        ("space-find SALES", 1),
        ("space-find --name oc", 1),
        ("space-find S?", 0),
        ("space-find --name nothing* --workspace", 0),
        ("space-export --output-dir out", 2),
        ("space-export --output-dir out --exclude *", 0),
        ("space-clone Stock --to-file copy.yaml --overwrite", 1),
    ] {
        let profile = if line.contains("-p ") { "" } else { " --profile SOURCE_WORKSPACE" };
        let found = json_of(&desk.done(&format!("{line} -o json{profile}")));
        assert_eq!(found.as_array().map(Vec::len), Some(rows), "{line}: {found}");
        let csv = desk.done(&format!("{line} -o csv{profile}"));
        assert_eq!(csv.lines().count(), rows + 1, "{line}: {csv}");
        let yaml = desk.done(&format!("{line} -o yaml{profile}"));
        assert_eq!(yaml.matches("title: ").count(), rows, "{line}: {yaml}");
    }
    assert!(desk.done("space-list -f csv -p SOURCE_WORKSPACE").contains("\"Sales, \"\"EU\"\"\""));
    let found = json_of(&desk.done("space-get Stock --format json --profile SOURCE_WORKSPACE"));
    assert_eq!(found["tables"][0]["identifier"], "dev.s.orders");
    assert!(desk.done("space-get --name Sto* -p SOURCE_WORKSPACE").contains("benchmarks         1"));
    assert!(desk.done("space-get Stock -o csv -p SOURCE_WORKSPACE").starts_with("space_id,title,"));
    let (code, out, err) = desk.run(&["space-find", "Stok*", "--profile", "SOURCE_WORKSPACE"]);
    assert!(code == 0 && out.is_empty() && err.contains("No space's title looks like \"Stok*\". Did you mean \"Stock\"?"), "{err}");
    let (_, _, err) = desk.run(&["space-find", "Stok", "--profile", "SOURCE_WORKSPACE"]);
    assert!(err.contains("No space's title has \"Stok\". Did you mean \"Stock\"?"), "{err}");
    let (code, out, err) = desk.run(&["space-export", "--pattern", "Stok", "--profile", "SOURCE_WORKSPACE"]);
    assert!(code == 64 && out.is_empty() && err.contains("nothing was written") && err.contains("did you mean \"Stock\"?"), "{code} {err}");
    let (code, _, err) = desk.run(&["space-export", "--patern", "x", "--profile", "SOURCE_WORKSPACE"]);
    assert!(code == 64 && err.contains("--pattern"), "{err}");
    let (code, _, err) = desk.run(&["space-list", "-p", "SOURCE", "--env", "dev"]);
    assert!(code == 64 && err.contains("`-p` and `--env`"), "{err}");
    // An id says which space: what else would choose among them is not passed over.
    let id = kept(&source)["Stock"]["space_id"].as_str().expect("an id").to_owned();
    for option in ["--pattern", "--exclude"] {
        let line = ["space-export", "--space-id", &id, option, "S*", "--output-dir", "chosen", "--profile", "SOURCE_WORKSPACE"];
        let (code, _, err) = desk.run(&line);
        assert!(code == 64 && err.contains("--space-id") && err.contains(option) && !desk.path("chosen").exists(), "{code} {err}");
    }
}

/// Each line of what people read is a field of its own, whatever somebody wrote into a text.
#[test]
fn a_text_of_several_lines_is_one_line_of_an_overview() {
    let (source, target) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &target);
    let question = json!({ "id": "1".repeat(32), "question": ["One\n", "warehouse_id       x"] });
    let content = json!({ "version": 2, "config": { "sample_questions": [question] } });
    let description = "All of it\nspace_id           forged";
    let body = json!({ "title": "Sales", "description": description, "warehouse_id": "w", "serialized_space": content.to_string() });
    let id = send(&source, "POST", "/api/2.0/genie/spaces", &body)["space_id"].as_str().expect("an id").to_owned();
    let out = desk.done("space-get Sales -p SOURCE_WORKSPACE");
    let fields = |name: &str| out.lines().filter(|line| line.starts_with(name)).collect::<Vec<_>>();
    assert_eq!(fields("space_id"), [format!("space_id           {id}")], "{out}");
    assert_eq!(fields("description"), ["description        All of it space_id           forged"], "{out}");
    assert_eq!(fields("warehouse_id"), ["warehouse_id       w"], "{out}");
}

/// The definition is for those who may edit: the rest is exported all the same.
#[test]
fn what_may_not_be_read_is_told_and_the_rest_is_written() {
    let fault = |text: &str| text.parse().expect("a fault");
    let faults = vec![fault("before:GET:/api/2.0/genie/spaces/1d81*:status=403:times=0")];
    let (source, target) = (Served::with(LocalOptions { faults, ..LocalOptions::default() }), Served::new());
    let desk = Desk::new(&source, &target);
    let closed = made(&source, "Closed", &export("dev"));
    assert!(closed.starts_with("1d81"), "{closed}");
    made(&source, "Open", &export("dev"));
    let (code, out, err) = desk.run(&["space-export", "--output-dir", "out", "--profile", "SOURCE_WORKSPACE"]);
    assert_eq!(code, 3, "{out}{err}");
    assert_eq!(out, "wrote out/open.yaml  \"Open\"\n");
    assert!(err.contains(&format!("the space {closed} cannot be read")) && err.contains("CAN EDIT"), "{err}");
    let (code, out, _) =
        desk.run(&["space-export", "--space-id", &closed, "--output-dir", "out", "-o", "json", "--profile", "SOURCE_WORKSPACE"]);
    assert_eq!((code, &json_of(&out)[0]["result"]), (1, &json!("failed")), "{out}");
    let (code, _, err) = desk.run(&["space-clone", &closed, "--to-file", "x.yaml", "--profile", "SOURCE_WORKSPACE"]);
    assert!(code == 1 && err.contains("CAN EDIT") && !desk.path("x.yaml").exists(), "{err}");
}

#[test]
fn titles_that_clash_are_files_of_their_own() {
    let (source, target) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &target);
    let ids = ["Sales!", "sales?", "日本"].map(|title| made(&source, title, &export("dev")));
    desk.done("space-export --output-dir out --profile SOURCE_WORKSPACE");
    for name in ["sales", &format!("sales_{}", &ids[1][..8]), "space"] {
        assert!(desk.path(&format!("out/{name}.yaml")).exists(), "{name}");
    }
    // Written again, the same; with something else in it, kept, and the rest is not held up.
    let out = desk.done("space-export --output-dir out --profile SOURCE_WORKSPACE");
    assert_eq!(out.matches("unchanged").count(), 3, "{out}");
    desk.write("out/sales.yaml", "mine: true\n");
    let (code, out, err) = desk.run(&["space-export", "--output-dir", "out", "--profile", "SOURCE_WORKSPACE"]);
    assert!(code == 3 && out.matches("unchanged").count() == 2 && err.contains("--overwrite"), "{out}{err}");
    assert_eq!(desk.read("out/sales.yaml"), "mine: true\n");
    desk.done("space-export --output-dir out --overwrite --profile SOURCE_WORKSPACE");
}

#[test]
fn a_copy_goes_where_it_is_said_under_another_catalog() {
    let (source, target) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &target);
    made(&source, "Sales", &export("dev"));
    // In its own workspace it gets a title of its own.
    desk.done("space-clone Sales --to-workspace --yes -p SOURCE_WORKSPACE");
    assert_eq!(
        kept(&source)["Copy of Sales"]["serialized_space"]["data_sources"],
        kept(&source)["Sales"]["serialized_space"]["data_sources"]
    );
    // In another one, by either spelling.
    for (flag, name) in [("--to-workspace", "one"), ("--target-profile", "two"), ("--to-profile", "three")] {
        desk.done(&format!(
            "space-clone Sales {flag} TARGET_WORKSPACE --name {name} --map dev=prod -w w2 --yes --profile SOURCE_WORKSPACE"
        ));
        let copy = &kept(&target)[name];
        let space = &copy["serialized_space"];
        assert_eq!(copy["warehouse_id"], "w2");
        assert_eq!(space["data_sources"]["tables"][0]["identifier"], "prod.s.orders");
        assert_eq!(space["instructions"]["example_question_sqls"][0]["sql"][0], "SELECT * FROM prod.s.orders -- dev.s.x");
        assert_eq!(space["instructions"]["text_instructions"][0]["content"][0], "dev.s.orders is the table");
        assert_eq!(space["benchmarks"]["questions"][0]["question"][0], "b");
    }
    let before = kept(&target).len();
    let line = "space-clone Sales --to-profile TARGET_WORKSPACE --dry-run --profile SOURCE_WORKSPACE";
    let (code, out, err) = desk.run(&line.split(' ').collect::<Vec<_>>());
    assert!(code == 0 && err.contains("nothing was made") && kept(&target).len() == before, "{err}");
    assert!(out.starts_with("+ \"Sales\" in ") && out.contains("POST   /api/2.0/genie/spaces  (create)"), "{out}");
    let (code, _, err) = desk.run(&["space-clone", "Sales", "--map", "dev", "--dry-run", "--profile", "SOURCE_WORKSPACE"]);
    assert!(code == 64 && err.contains("--map CATALOG=CATALOG"), "{err}");
    // What says nothing of the space makes no copy over the tables of the old catalog.
    let (code, _, err) =
        desk.run(&["space-clone", "Sales", "--map", "dve=prod", "--name", "four", "--yes", "--profile", "SOURCE_WORKSPACE"]);
    assert!(code == 64 && err.contains("`--map dve=prod` changes nothing") && !kept(&source).contains_key("four"), "{err}");
    let line = "space-clone Sales --map dev=${catalog} --to-file copy.yaml --profile SOURCE_WORKSPACE";
    let (code, _, err) = desk.run(&line.split(' ').collect::<Vec<_>>());
    assert!(code == 0 && err.contains("Texts that still name what `--map` replaces") && err.contains("instructions.text (1)"), "{err}");
    let copy = desk.read("copy.yaml");
    assert!(copy.contains("${catalog}.s.orders") && !copy.contains("$${catalog}") && !copy.contains("brickform_"), "{copy}");
    // A file is read by its name.
    desk.done("space-clone Sales --map dev=${catalog} --to-file conf/spaces/copy.json --profile SOURCE_WORKSPACE");
    let copy = json_of(&desk.read("conf/spaces/copy.json"));
    assert_eq!(copy["spaces"][0]["tables"], json!(["${catalog}.s.orders"]));
    desk.write("conf/environments/target.yaml", "variables: { catalog: prod }\n");
    desk.done("validate --env target --config conf/spaces");
    let (code, _, err) = desk.run(&["space-clone", "Sales", "--map", "dev=${catalog}", "--yes", "--profile", "SOURCE_WORKSPACE"]);
    assert!(code == 64 && err.contains("--to-file"), "{err}");
}

/// A copy is checked as a file of it would be.
#[test]
fn what_could_not_be_applied_is_not_copied() {
    let (source, target) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &target);
    let folder = |line: &str| desk.run(&line.split(' ').collect::<Vec<_>>());
    made(&source, "Sales", &export("dev"));
    let (code, _, err) = folder("space-clone Sales --to-profile TARGET_WORKSPACE --parent-path Shared/x --yes --profile SOURCE_WORKSPACE");
    assert!(code == 1 && err.contains("parent_path: ") && err.contains("/Workspace/Shared/x") && kept(&target).is_empty(), "{err}");
}

#[test]
fn the_folder_of_a_copy_is_made_too() {
    let (source, target) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &target);
    made(&source, "Sales", &export("dev"));
    let line = "space-clone Sales --to-profile TARGET_WORKSPACE --parent-path /Workspace/Shared/new/one --profile SOURCE_WORKSPACE";
    let out = desk.done(&format!("{line} --dry-run"));
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("+ folder /Workspace/Shared/new/one in "), "{out}");
    assert!(lines[1].starts_with("+ \"Sales\" in ") && lines[1].ends_with(", in /Workspace/Shared/new/one"), "{out}");
    assert_eq!(lines[2], "  POST   /api/2.0/workspace/mkdirs  (make the folder)");
    assert!(lines[3].contains("/api/2.0/genie/spaces  (create)"), "{out}");
    let rows = json_of(&desk.done(&format!("{line} --dry-run -o json")));
    assert_eq!(rows[0], json!({ "result": "would make the folder", "place": "/Workspace/Shared/new/one" }));
    assert!(kept(&target).is_empty());
    desk.done(&format!("{line} --yes"));
    assert_eq!(kept(&target)["Sales"]["parent_path"].as_str().map(|path| path.trim_start_matches("/Workspace")), Some("/Shared/new/one"));
    // It is there now, and is not made again.
    let out = desk.done(&format!("{line} --name Again --dry-run"));
    assert!(out.starts_with("+ \"Again\" in ") && !out.contains("mkdirs"), "{out}");
}

#[test]
fn an_export_applied_elsewhere_is_the_same() {
    let (source, target) = (Served::new(), Served::new());
    let desk = Desk::new(&source, &target);
    let id = made(&source, "Sales", &export("dev"));
    for (key, value) in [("team", "sales"), ("gold", "")] {
        let tag = json!({ "entity_type": "geniespaces", "entity_id": id, "tag_key": key, "tag_value": value });
        send(&source, "POST", "/api/2.0/entity-tag-assignments", &tag);
    }
    let entry = json!({ "access_control_list": [{ "group_name": "users", "permission_level": "CAN_RUN" }] });
    send(&source, "PATCH", &format!("/api/2.0/permissions/genie/{id}"), &entry);
    desk.done("space-export --output-dir conf/spaces --profile SOURCE_WORKSPACE");
    let text = std::fs::read_to_string(desk.path("conf/spaces/sales.yaml")).expect("a file");
    for line in [
        "    permissions:\n      - group_name: users\n        permission_level: CAN_RUN\n",
        "    tags:\n",
        "      team: sales\n",
        "      gold: \"\"\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("user_name"), "whoever exports it is not listed: {text}");
    desk.write("conf/environments/target.yaml", "{}\n");
    desk.done("apply --yes --env target --config conf/spaces --state target.json --profile TARGET_WORKSPACE");
    desk.done("space-export --output-dir again --profile TARGET_WORKSPACE");
    let again = std::fs::read_to_string(desk.path("again/sales.yaml")).expect("a file");
    let rest = |text: &str| text.split_once('\n').expect("lines").1.to_owned();
    assert_eq!(rest(&again), rest(&text));
    desk.done("space-export --definition-only --output-dir bare --profile SOURCE_WORKSPACE");
    let bare = std::fs::read_to_string(desk.path("bare/sales.yaml")).expect("a file");
    assert!(!bare.contains("permissions") && !bare.contains("tags"), "{bare}");
}
