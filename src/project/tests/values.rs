//! Expressions, variables and references.

use super::{field, folder, shown};
use crate::model::{Lookup, Path, Reference, SecretFrom, Value, Variable, json};
use crate::project::expression::{fill, finish};
use crate::project::{Answer, Answers, read_secret};

const DECLARED: &str = "name: test\nvariables:\n  catalog: {type: string, default: main}\n  workers: {type: integer, default: 4}\n  tags: {type: map, default: {team: data}}\n  places: {type: list, default: [a, b]}\n  none: {type: any, default: null}\n";

#[test]
fn expressions_keep_types_and_text() {
    for (value, want) in [
        ("${workers * 2}", "8"),
        ("\"${workers}\"", "4"),
        ("x-${workers}-${catalog}", "\"x-4-main\""),
        ("${var.catalog}", "\"main\""),
        ("${tags}", "{\"team\": \"data\"}"),
        ("'${ {\"a\": workers}[\"a\"] }'", "4"),
        ("$${catalog}", "\"${catalog}\""),
        ("\"{{job.parameters.x}} ${env.name}\"", "\"{{job.parameters.x}} dev\""),
        ("${'big' if workers > 3 else 'small'}", "\"big\""),
        ("${bundle.target}", "\"dev\""),
        ("${places[1]}", "\"b\""),
        ("${places | join('+')}", "\"a+b\""),
        ("${env.name == 'dev'}", "true"),
        ("${10 / 4}", "2.5"),
        ("${file('sql/x.sql')}", "\"SELECT 1\\n\""),
    ] {
        // Tags of a catalog's `options` are free: any type passes where the field is not known.
        let text = format!("probe: {value}\n");
        let f = folder(&[
            ("conf/project.yaml", &format!("{DECLARED}  probe: {{type: any}}\n")),
            ("environments/dev.yaml", &format!("workspace: local\nvariables:\n  {text}")),
            ("sql/x.sql", "SELECT 1\n"),
        ]);
        let project = f.load().unwrap_or_else(|e| panic!("{value}: {}", shown(&e.diagnostics)));
        assert_eq!(json::display(&project.variables()["probe"].0), want, "{value}");
    }
}

#[test]
fn the_highest_source_of_a_variable_wins() {
    let files = [
        ("conf/project.yaml", "variables:\n  x: {default: 1, type: integer}\n"),
        ("environments/_base.yaml", "workspace: local\nvariables: {x: 2}\n"),
        ("environments/dev.yaml", "extends: _base\nvariables: {x: 3}\n"),
        ("environments/bare.yaml", "workspace: local\n"),
        ("environments/child.yaml", "extends: _base\n"),
        ("more.yaml", "x: 5\n"),
        ("conf/j.yaml", "jobs: {a: {name: \"n${x}\"}}\n"),
    ];
    let got = |f: super::Folder| json::display(&f.load().map_err(|e| shown(&e.diagnostics)).unwrap().variables()["x"].0);
    assert_eq!(got(folder(&files).env("bare")), "1");
    assert_eq!(got(folder(&files).env("child")), "2");
    assert_eq!(got(folder(&files).env("dev")), "3");
    assert_eq!(got(folder(&files).env("dev").variable("BRICKFORM_VAR_x", "4")), "4");
    let mut f = folder(&files).env("dev").variable("BRICKFORM_VAR_x", "4");
    f.ask.variable_files.push("more.yaml".into());
    assert_eq!(got(f), "5");
    let mut f = folder(&files).env("dev").var("x", "6");
    f.ask.variable_files.push("more.yaml".into());
    assert_eq!(got(f), "6");
}

#[test]
fn environments_declare_where_the_project_does_not() {
    let f = folder(&[
        ("environments/dev.yaml", "workspace: local\nvariables: {size: 3}\n"),
        ("conf/j.yaml", "jobs: {a: {name: x, max_concurrent_runs: \"${size}\"}}\n"),
    ]);
    assert_eq!(f.body("jobs.a"), r#"{"name": "x", "max_concurrent_runs": 3}"#);
    assert_eq!(
        folder(&[("conf/j.yaml", "jobs: {a: {name: x}}\n")]).var("size", "1").found(),
        "E0224 - `--var size` sets a variable that nobody declares [no variable is declared: see `variables:` in conf/project.yaml]"
    );
}

#[test]
fn references_resolve_what_yaml_sets_and_leave_the_rest() {
    let f = folder(&[(
        "conf/all.yaml",
        "catalogs: {main: {name: \"cat-${env.name}\"}}
schemas: {silver: {name: silver, catalog_name: \"${catalogs.main.name}\"}}
warehouses: {my-wh: {name: wh, cluster_size: Small}}
jobs:
  a: {name: a, description: \"${schemas.silver.id} ${warehouses.my-wh.name}\", tags: {x: \"${resources.jobs.b.tags.y}\"}}
  b: {name: b, tags: {y: \"${jobs.c.name}!\"}}
  c: {name: c, description: \"on ${warehouses.my-wh.id} of ${catalogs.main.name}\", max_concurrent_runs: \"${warehouses.my-wh.id | int}\"}
",
    )]);
    let desired = f.resolve().map_err(|d| shown(&d)).unwrap();
    assert_eq!(
        json::display(&desired.resources[&"jobs.a".parse().unwrap()].body),
        r#"{"name": "a", "description": "cat-dev.silver wh", "tags": {"x": "c!"}}"#
    );
    let needs = |a: &str| desired.resources[&a.parse().unwrap()].depends_on.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(needs("jobs.a"), "jobs.b schemas.silver warehouses.my-wh");
    assert_eq!(needs("schemas.silver"), "catalogs.main");
    assert_eq!(needs("jobs.c"), "catalogs.main warehouses.my-wh");
    let Value::Unknown(waiting) = field(&desired, "jobs.c", "description") else { panic!("known") };
    assert_eq!(waiting.source, "on ${warehouses.my-wh.id} of ${catalogs.main.name}");
    let reference = Reference { address: "warehouses.my-wh".parse().unwrap(), path: Path::field("id") };
    assert_eq!(waiting.waits, [Variable::Reference(reference)]);
    let known = |_: &Variable| Some(Value::from("77"));
    assert_eq!(finish(waiting, &known), Ok(Some(Value::from("on 77 of cat-dev"))));
    assert_eq!(fill(field(&desired, "jobs.c", "max_concurrent_runs"), &known), Ok(Value::Int(77)));
}

#[test]
fn what_uses_an_unknown_is_unknown_down_to_its_source() {
    let f = folder(&[(
        "conf/all.yaml",
        "warehouses: {w: {name: w, cluster_size: Small}}
jobs:
  a: {name: a, description: \"id ${warehouses.w.id}\", tags: {plain: p, id: \"${warehouses.w.id}\"}}
  b: {name: b, description: \"<${jobs.a.description}>\", tags: \"${jobs.a.tags}\"}
  c: {name: c, description: \"${jobs.a.description | upper}\", timeout_seconds: \"${jobs.a.tags.id | int + 1}\"}
",
    )]);
    let desired = f.resolve().map_err(|d| shown(&d)).unwrap();
    let known = |v: &Variable| match v {
        Variable::Reference(r) if r.address.to_string() == "warehouses.w" => Some(Value::from("9")),
        _ => None,
    };
    for (address, name, want) in [
        ("jobs.b", "description", r#""<id 9>""#),
        ("jobs.b", "tags", r#"{"plain": "p", "id": "9"}"#),
        ("jobs.c", "description", r#""ID 9""#),
        ("jobs.c", "timeout_seconds", "10"),
    ] {
        assert_eq!(fill(field(&desired, address, name), &known).map(|v| json::display(&v)).as_deref(), Ok(want), "{address}.{name}");
    }
}

#[test]
fn secrets_are_never_values() {
    let f = folder(&[
        ("conf/project.yaml", "secrets: {FROM_FILE: {file: key.txt}}\nvariables: {pw: {sensitive: true}}\n"),
        ("key.txt", "filed\n"),
        (
            "conf/j.yaml",
            "jobs: {a: {name: a, description: \"${secret('TOKEN')}\", tags: {x: \"a${secret('FROM_FILE')}\", y: \"${pw}\"}}}\n",
        ),
    ])
    .variable("TOKEN", "hunter2")
    .var("pw", "hunter3");
    let desired = f.resolve().map_err(|d| shown(&d)).unwrap();
    let Value::Secret(secret) = field(&desired, "jobs.a", "description") else { panic!("no secret") };
    let source = secret.secrets().next().unwrap();
    assert_eq!(source.from, SecretFrom::Environment("TOKEN".to_owned()));
    assert_eq!(read_secret(&f.outside(), source).unwrap().as_str(), "hunter2");
    let tags = field(&desired, "jobs.a", "tags");
    let values: Vec<String> = ["x", "y"]
        .iter()
        .map(|t| {
            let Some(Value::Secret(secret)) = tags.get(t) else { panic!("no secret") };
            let read = |v: &Variable| match v {
                Variable::Secret(source) => Some(Value::text(read_secret(&f.outside(), source).unwrap().as_str())),
                _ => None,
            };
            finish(secret, &read).unwrap().unwrap().key_text()
        })
        .collect();
    assert_eq!(values, ["afiled", "hunter3"]);
    let project = f.load().map_err(|e| shown(&e.diagnostics)).unwrap();
    assert!(!format!("{:?} {:?} {source:?}", desired.resources, project.variables()).contains("hunter"), "a secret is shown");
    assert!(f.outside().variable("NONE").is_none());
}

#[test]
fn lookups_are_asked_and_answered() {
    let f = folder(&[
        ("conf/project.yaml", "variables: {w: {default: {lookup: warehouses, name: Shared BI}}}\n"),
        ("conf/j.yaml", "jobs: {a: {name: a, description: \"${lookup('warehouses', 'Other ' ~ env.name).id}\", tags: {w: \"${w}\"}}}\n"),
    ]);
    let project = f.load().map_err(|e| shown(&e.diagnostics)).unwrap();
    let names: Vec<&str> = project.lookups.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["Other dev", "Shared BI"]);
    let offline = project.resolve(&Answers::new()).unwrap();
    assert!(offline.resources.values().all(|r| r.body.has_unknown()));
    let answer = |id: &str| Answer::Found(Value::map([("id", Value::from(id))]));
    let ask = |name: &str| Lookup { kind: "warehouses".to_owned(), name: name.to_owned() };
    let mut answers: Answers = [(ask("Other dev"), answer("1")), (ask("Shared BI"), answer("2"))].into_iter().collect();
    let desired = project.resolve(&answers).unwrap();
    assert_eq!(
        json::display(&desired.resources[&"jobs.a".parse().unwrap()].body),
        r#"{"name": "a", "description": "1", "tags": {"w": "2"}}"#
    );
    answers.insert(ask("Other dev"), Answer::Missing(vec!["Other dev".to_owned()]));
    answers.insert(ask("Shared BI"), Answer::Several(["7", "8"].map(|id| Value::map([("id", Value::from(id))])).to_vec()));
    let wrong = shown(&project.resolve(&answers).unwrap_err());
    assert_eq!(
        wrong,
        "E0210 conf/j.yaml:1:37 the workspace has no warehouse called `Other dev` [did you mean `Other dev`?]\n\
         E0211 conf/project.yaml:1:26 the workspace has 2 warehouses called `Shared BI` [their ids are 7, 8; write the id itself, or give them different names]"
    );
}

#[test]
fn for_each_makes_instances() {
    let f = folder(&[
        ("conf/project.yaml", "variables: {regions: {default: {eu: {size: 1}, us: {size: 2}}}}\n"),
        (
            "conf/j.yaml",
            "jobs:
  ingest: {for_each: \"${regions}\", name: \"in-${each.key}\", max_concurrent_runs: \"${each.value.size}\", when: \"${each.key != 'xx'}\"}
  after: {name: after, description: '${jobs.ingest[\"us\"].name}'}
",
        ),
    ]);
    assert_eq!(f.body(r#"jobs.ingest["us"]"#), r#"{"name": "in-us", "max_concurrent_runs": 2}"#);
    assert_eq!(f.body("jobs.after"), r#"{"name": "after", "description": "in-us"}"#);
    assert_eq!(f.resolve().unwrap().resources.len(), 3);
}
