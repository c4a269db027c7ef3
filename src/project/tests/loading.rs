//! Discovery, environments, facets, meta fields, and the order of a large project.

use super::{folder, shown};
use crate::model::json;
use crate::project::{Guards, Workspace};

const JOB: (&str, &str) = ("conf/deep/er/j.yml", "jobs: {a: {name: a}}\n");

#[test]
fn files_are_found_where_they_are_read() {
    let mut f = folder(&[
        JOB,
        ("conf/project.yaml", "name: shop\nincludes: [more]\n"),
        ("conf/mapping/m.yaml", "nonsense: 1\n"),
        ("conf/environments/prod.yaml", "workspace: {host: \"https://x.example\"}\n"),
        ("environments/dev.yaml", "workspace: local\n"),
        ("environments/_base.yaml", ""),
        ("spaces/README.md", "text"),
        ("more/b.json", "{\"jobs\": {\"b\": {\"name\": \"b\"}}}"),
    ])
    .env("prod");
    let project = f.load().map_err(|e| shown(&e.diagnostics)).unwrap();
    assert_eq!((project.name.as_str(), project.environments.as_slice()), ("shop", ["dev".to_owned(), "prod".to_owned()].as_slice()));
    assert_eq!(f.resolve().unwrap().resources.keys().map(ToString::to_string).collect::<Vec<_>>(), ["jobs.a", "jobs.b"]);
    f.ask.folder = Some(f.path());
    assert!(f.load().is_ok());
}

#[test]
fn the_project_is_found_upwards_and_config_needs_none() {
    let f = folder(&[JOB]);
    let inner = crate::model::Outside { folder: f.path().join("conf/deep"), ..f.outside() };
    let registry = crate::kinds::Registry::standard();
    assert_eq!(crate::project::load(&inner, &f.ask, &registry).map_err(|e| shown(&e.diagnostics)).unwrap().folder, f.path());
    let bare = tempfile::tempdir().unwrap();
    std::fs::create_dir(bare.path().join("res")).unwrap();
    std::fs::write(bare.path().join("res/j.yaml"), "jobs: {a: {name: a}}\n").unwrap();
    let outside = crate::model::Outside { folder: bare.path().to_owned(), ..f.outside() };
    let failed = crate::project::load(&outside, &f.ask, &registry).err().unwrap();
    assert!(failed.usage && failed.diagnostics[0].code == "E0301");
    let ask = crate::project::Ask { config: Some("res".into()), ..f.ask.clone() };
    let project = crate::project::load(&outside, &ask, &registry).map_err(|e| shown(&e.diagnostics)).unwrap();
    assert_eq!(project.environment.name, "default");
    assert_eq!(project.resolve(&crate::project::Answers::new()).unwrap().resources.len(), 1);
}

#[test]
fn the_environment_is_chosen_or_it_is_said_why_not() {
    let two = [("environments/dev.yaml", ""), ("environments/prod.yaml", ""), ("environments/_base.yaml", "")];
    for (settings, asked, want) in [
        (
            "name: x",
            None,
            "usage E0305 - no environment is chosen [choose with `--env`: there is `dev` and `prod`; or set `default_environment` in conf/project.yaml]",
        ),
        ("default_environment: dev", None, "dev"),
        ("default_environment: dve", None, "E0304 conf/project.yaml:1:22 there is no environment `dve` [did you mean `dev`?]"),
        ("name: x", Some("prod"), "prod"),
        ("name: x", Some("prdo"), "usage E0304 - there is no environment `prdo` [did you mean `prod`?]"),
        (
            "name: x",
            Some("_base"),
            "usage E0306 - environment `_base` cannot be chosen: its name begins with `_` [such environments are only for `extends:`]",
        ),
    ] {
        let mut f = folder(&[two[0], two[1], two[2], ("conf/project.yaml", settings)]);
        f.ask.environment = asked.map(str::to_owned);
        let got = match f.load() {
            Ok(project) => project.environment.name,
            Err(failed) => format!("{}{}", if failed.usage { "usage " } else { "" }, shown(&failed.diagnostics)),
        };
        assert_eq!(got, want, "{settings} {asked:?}");
    }
}

#[test]
fn settings_of_a_chain_are_merged() {
    let f = folder(&[
        ("conf/project.yaml", "defaults: {ownership_tag: false}\nstate: {backend: base}\n"),
        ("environments/_a.yaml", "workspace: {host: \"https://${region}.example\", deployer: sp-a}\nguards: {max_deletes: 5, protect: [catalogs]}\nvariables: {region: eu}\n"),
        ("environments/prod.yaml", "extends: _a\nworkspace: {deployer: \"sp-${env.name}\"}\nguards: {max_deletes: 7, on_conflict: block}\nstate: {key: {env: KEY}}\nvariables: {region: us}\n"),
    ])
    .variable("KEY", "k");
    let environment = f.load().map_err(|e| shown(&e.diagnostics)).unwrap().environment;
    let Workspace::Remote(attributes) = &environment.workspace else { panic!("local") };
    assert_eq!(attributes["host"].0, "https://us.example");
    assert_eq!(environment.deployer.as_deref(), Some("sp-prod"));
    let guards = Guards { max_deletes: Some(7), protect: vec!["catalogs".to_owned()], block_conflicts: true, ..Guards::default() };
    assert_eq!(environment.guards, guards);
    assert_eq!(environment.state.backend.as_deref(), Some("base"));
    assert!(environment.state.key.is_some() && !environment.ownership_tag);
}

#[test]
fn facets_are_resources_of_their_own() {
    let f = folder(&[(
        "conf/all.yaml",
        "catalogs:
  main:
    name: main
    grants: [{principal: analysts, privileges: [use catalog]}]
jobs:
  a:
    name: a
    permissions:
      mode: additive
      entries: [{group_name: eng, level: CAN_VIEW}]
",
    )]);
    let desired = f.resolve().map_err(|d| shown(&d)).unwrap();
    let grants = &desired.resources[&"catalogs.main/grants".parse().unwrap()];
    assert_eq!(
        json::display(&grants.body),
        r#"{"entries": [{"principal": "analysts", "privileges": ["USE_CATALOG"]}], "securable_type": "catalog", "full_name": "main"}"#
    );
    assert_eq!(grants.depends_on, ["catalogs.main".parse().unwrap()]);
    let permissions = &desired.resources[&"jobs.a/permissions".parse().unwrap()];
    assert_eq!(
        json::display(&permissions.body),
        r#"{"mode": "additive", "entries": [{"group_name": "eng", "permission_level": "CAN_VIEW"}], "object_type": "jobs", "object_id": (known after apply)}"#
    );
    assert_eq!(permissions.natural, ["jobs", "jobs.a.id"]);
    assert!(!desired.resources[&"jobs.a".parse().unwrap()].body.as_map().unwrap().contains_key("permissions"));
}

#[test]
fn meta_fields_are_read_and_not_sent() {
    let f = folder(&[(
        "conf/all.yaml",
        "warehouses: {w: {name: w, cluster_size: Small}}
jobs:
  a:
    name: a
    depends_on: [sql_warehouses.w]
    lifecycle: {prevent_destroy: \"${env.name == 'dev'}\", ignore_changes: [schedule.pause_status], adopt: by_name}
  off: {name: off, when: \"${env.name == 'prod'}\"}
  renamed: {name: b}
import: [{to: jobs.a, id: 12345678901234567890}]
moved: [{from: jobs.old, to: jobs.renamed}]
forget: [jobs.gone]
",
    )]);
    let desired = f.resolve().map_err(|d| shown(&d)).unwrap();
    let a = &desired.resources[&"jobs.a".parse().unwrap()];
    assert_eq!(json::display(&a.body), r#"{"name": "a"}"#);
    assert_eq!(a.depends_on, ["warehouses.w".parse().unwrap()]);
    assert_eq!((a.lifecycle.prevent_destroy, a.lifecycle.adopt_by_name, a.lifecycle.ignore_changes.len()), (Some(true), true, 1));
    assert!(!desired.resources.contains_key(&"jobs.off".parse().unwrap()));
    assert_eq!(desired.imports[&"jobs.a".parse().unwrap()].0, "12345678901234567890");
    assert_eq!(desired.moves[&"jobs.old".parse().unwrap()].to_string(), "jobs.renamed");
    assert_eq!(desired.forgets, ["jobs.gone".parse().unwrap()]);
}

#[test]
fn literals_order_too() {
    let f = folder(&[(
        "conf/all.yaml",
        "catalogs: {c: {name: main}}
schemas: {s: {name: silver, catalog_name: main}, other: {name: x, catalog_name: elsewhere}}
",
    )]);
    let desired = f.resolve().map_err(|d| shown(&d)).unwrap();
    assert_eq!(desired.resources[&"schemas.s".parse().unwrap()].depends_on, ["catalogs.c".parse().unwrap()]);
    assert!(desired.resources[&"schemas.other".parse().unwrap()].depends_on.is_empty());
}

#[test]
fn a_pasted_reply_is_unwrapped() {
    let f = folder(&[(
        "conf/j.yaml",
        "jobs:\n  a:\n    job_id: 12\n    creator_user_name: ana\n    settings: {name: a, format: MULTI_TASK, tasks: [{task_key: t}]}\n    lifecycle: {prevent_destroy: true}\n",
    )]);
    assert_eq!(f.body("jobs.a"), r#"{"name": "a", "tasks": [{"task_key": "t"}]}"#);
    assert!(f.found().contains("W0112"), "{}", f.found());
}

#[test]
fn list_form_takes_its_keys_from_the_items() {
    let f = folder(&[("conf/j.yaml", "jobs:\n  - {$key: a, name: x}\n  - {$key: b, name: y}\n")]);
    assert_eq!(f.body("jobs.b"), r#"{"name": "y"}"#);
}

#[test]
fn the_same_files_give_the_same_order() {
    let mut text = String::from("jobs:\n");
    for i in 0..200 {
        text.extend([format!("  j{i}: {{name: \"n-{i}-${{env.name}}\", description: \"${{jobs.j{}.name}}\"}}\n", (i + 1) % 200)]);
    }
    let f = folder(&[("conf/j.yaml", &text)]);
    let all: Vec<String> = (0..3)
        .map(|_| {
            format!("{:?}", f.resolve().map(|d| d.resources.keys().map(ToString::to_string).collect::<Vec<_>>()).map_err(|d| shown(&d)))
        })
        .collect();
    assert!(all[0] == all[1] && all[1] == all[2]);
    assert!(all[0].contains("E0120"), "every job depends on the next: {}", &all[0][..200]);
}

#[test]
fn environments_of_genie_forge_are_read() {
    let environment = "workspace_url: https://a.example.com\nwarehouse_id: abc\nauth: { profile: PROD }\nvariables: { catalog: main, env: prod }\nnaming: { prefix: x }\n";
    let resources = "catalogs:\n  c: { name: \"${catalog}\", comment: \"${warehouse_id} ${workspace_url}\" }\n";
    let mut made = folder(&[("project/environments/prod.yaml", environment), ("project/spaces/a.yaml", resources)]);
    made.ask.config = Some("project/spaces".into());
    let project = made.env("prod").load().map_err(|f| super::shown(&f.diagnostics)).unwrap();
    let crate::project::Workspace::Remote(attributes) = &project.environment.workspace else { panic!("a remote one") };
    assert_eq!(attributes["host"].0, "https://a.example.com");
    assert_eq!(attributes["profile"].0, "PROD");
    assert!(super::shown(&project.warnings).contains("W0317 project/environments/prod.yaml:5:1"), "{}", super::shown(&project.warnings));
}

#[test]
fn environments_of_genie_forge_read_the_process_environment() {
    let environment = "workspace_url: ${PROD_URL}\nauth: { profile: \"${PROD_PROFILE}\" }\nvariables: { wid: \"${WID}\" }\n";
    let resources = "catalogs:\n  c: { name: c, comment: \"${wid}\" }\n";
    let made = folder(&[("environments/prod.yaml", environment), ("conf/a.yaml", resources)]);
    let made = made.variable("PROD_URL", "https://b.example.com").variable("PROD_PROFILE", "P").variable("WID", "abc");
    let project = made.env("prod").load().map_err(|f| super::shown(&f.diagnostics)).unwrap();
    let crate::project::Workspace::Remote(attributes) = &project.environment.workspace else { panic!("a remote one") };
    assert_eq!(attributes["host"].0, "https://b.example.com");
    assert_eq!(attributes["profile"].0, "P");
    let desired = project.resolve(&crate::project::Answers::new()).unwrap();
    assert_eq!(desired.resources[&"catalogs.c".parse().unwrap()].body.get("comment").and_then(crate::model::Value::as_str), Some("abc"));
}
