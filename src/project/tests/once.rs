//! One mistake is told once.

use super::folder;
use crate::kinds::Api;
use crate::project::{Answer, Answers};

#[test]
fn a_mistake_in_a_loop_is_one() {
    let job = "jobs:\n  a:\n    for_each: [x, y, z]\n    nmae: a\n    name: 'a-${each.key}'\n";
    assert_eq!(
        folder(&[("conf/a.yaml", job)]).found(),
        "E0107 conf/a.yaml:4:5 unknown field `nmae` in jobs.a[\"x\"] [did you mean `name`?]"
    );
    let template = "jobs:\n{{#each names}}\n  j_{{this}}:\n    nmae: j\n    name: j_{{this}}\n{{/each}}\n";
    let settings = "name: t\nvariables: { names: { default: [a, b] } }\n";
    let files = folder(&[("conf/j.yaml.hbs", template), ("conf/project.yaml", settings)]);
    assert_eq!(files.found(), "E0107 conf/j.yaml.hbs:4:5 unknown field `nmae` in jobs.j_a [did you mean `name`?]");
    let found = files.resolve().unwrap_err();
    assert_eq!(found[0].help.last().map(String::as_str), Some("the same mistake reaches 1 more resource made from this place"));
    // Two mistakes at one place stay two.
    let two = folder(&[("conf/a.yaml", "instance_pools: { p: {} }\nclusters: { c: {} }\n")]).found();
    assert!(two.lines().filter(|l| l.contains("instance_pools.p")).count() >= 2, "{two}");
}

#[test]
fn a_declaration_that_is_a_value_is_told_once() {
    let files = folder(&[("conf/project.yaml", "name: t\nvariables: { q: 3 }\n"), ("conf/a.yaml", "jobs: { a: { name: 'a-${q}' } }\n")]);
    assert!(files.found().starts_with("E0220 conf/project.yaml:2:17"), "{}", files.found());
    assert_eq!(files.found().lines().count(), 1, "{}", files.found());
}

#[test]
fn a_key_that_stands_twice_in_a_base_is_told_once() {
    let files = folder(&[
        ("conf/a.yaml", "jobs: { a: { name: a, tasks: [{ task_key: t }, { task_key: t }] } }\n"),
        ("environments/dev.yaml", "workspace: local\nresources: { jobs: { a: { tasks: [{ task_key: t, timeout_seconds: 1 }] } } }\n"),
    ]);
    assert!(files.found().starts_with("E0116"), "{}", files.found());
    assert!(!files.found().contains("E0122"), "{}", files.found());
}

#[test]
fn templates_cannot_ask_resources_through_a_variable() {
    let files = folder(&[
        ("conf/project.yaml", "name: t\nvariables: { r: { default: '${jobs.a.name}' } }\n"),
        ("conf/a.yaml", "jobs: { a: { name: a } }\n"),
        ("conf/b.yaml.hbs", "jobs:\n  b: { name: \"{{r}}\" }\n"),
    ]);
    let found = files.found();
    assert!(found.contains("E0206 conf/project.yaml:2:31 settings, presets and templates are read before resources are"), "{found}");
    assert!(!found.contains("E0205"), "{found}");
}

#[test]
fn a_variable_may_stand_for_a_field_of_a_resource() {
    let files = folder(&[
        ("conf/project.yaml", "name: t\nvariables: { r: { default: '${jobs.a.name}' }, i: { default: '${jobs.m[\"x\"].name}' } }\n"),
        ("conf/a.yaml", "jobs: { a: { name: a }, b: { name: 'b-${r}-${i}' }, m: { for_each: [x], name: 'm-${each.key}' } }\n"),
    ]);
    assert_eq!(files.body("jobs.b"), r#"{"name": "b-a-m-x"}"#);
    files.write("environments/dev.yaml", "workspace: { host: 'https://${r}' }\n");
    assert!(files.found().contains("E0206 conf/project.yaml:2:31 settings"), "{}", files.found());
}

#[test]
fn an_overlay_lacks_nothing_that_an_unreadable_file_may_have() {
    let overlay = "workspace: local\nresources: { jobs: { a: { description: x } } }\n";
    let files = folder(&[("conf/a.yaml", "jobs: { a: { name: a, tags: *nothing } }\n"), ("environments/dev.yaml", overlay)]);
    assert!(files.found().starts_with("E0006") && files.found().lines().count() == 1, "{}", files.found());
    files.write("conf/a.yaml", "{}\n");
    assert!(files.found().starts_with("E0106"), "{}", files.found());
    // Null is no delete.
    files.write("conf/a.yaml", "jobs: { a: { name: a, description: y } }\n");
    files.write("environments/dev.yaml", &overlay.replace("x }", "null }"));
    assert!(files.found().contains("[to take away what the resource itself says, write `{ $delete: true }`"), "{}", files.found());
    files.write("environments/dev.yaml", &overlay.replace("x }", "{ $delete: true } }"));
    assert_eq!(files.body("jobs.a"), r#"{"name": "a"}"#);
}

#[test]
fn places_and_patches() {
    let files = folder(&[("conf/a.yaml", "jobs: { a: { name: a }, b: { name: '${jobs.a}' } }\n")]);
    let found = files.resolve().unwrap_err();
    assert_eq!(found[0].code, "E0206");
    assert_eq!(found[0].patches.first().map(|p| p.text.as_str()), Some("jobs.a.id"));

    let files = folder(&[]);
    std::fs::write(files.path().join("conf/a.yaml"), b"jobs:\n  a: { name: gr\xc3\xbc\xdf }\n").unwrap();
    assert!(files.found().contains("`conf/a.yaml` cannot be read: it is not UTF-8 at 2:17"), "{}", files.found());

    let moved = |to: &str| {
        let text = format!("jobs: {{ a: {{ name: a }} }}\nmoved: [{{ from: jobs.old, to: {to} }}]\n");
        folder(&[("conf/a.yaml", &text)]).found()
    };
    assert_eq!(moved("jobs.a"), "");
    assert!(
        moved("jobs.gone").starts_with("W0128 conf/a.yaml:2:31 there is no jobs.gone to move to: this moves nothing"),
        "{}",
        moved("jobs.gone")
    );

    let host = folder(&[("conf/a.yaml", "jobs: { a: { name: '${env.host}' } }\n"), ("environments/p.yaml", "workspace: { profile: X }\n")])
        .found();
    assert!(host.starts_with("E0204 conf/a.yaml:1:23 `env.host` is not known in environment p: its files name no host"), "{host}");
}

#[cfg(unix)]
#[test]
fn what_a_command_complains_of_is_shown_without_secrets() {
    use crate::model::{SecretFrom, SecretSource};
    let read = |script: &str| {
        let files = folder(&[]).variable("MY_TOKEN", "tok-12345");
        let command = ["sh", "-c", script].map(str::to_owned).to_vec();
        let source = SecretSource { name: "S".to_owned(), from: SecretFrom::Command { command, folder: files.path() } };
        crate::project::read_secret(&files.outside(), &source).map(|v| v.to_string())
    };
    assert_eq!(read("echo noise >&2; echo value"), Ok("value".to_owned()));
    let wrong = read("echo hunter22; echo 'no vault for hunter22 and tok-12345' >&2; exit 3").unwrap_err();
    assert_eq!(wrong, "secret `S`: `sh` ended with exit code 3: no vault for (hidden) and (hidden)");
    assert_eq!(read("exit 4").unwrap_err(), "secret `S`: `sh` ended with exit code 4");
}

/// What was evaluated while questions were looked for is not evaluated again, unless an answer or an API changes it.
#[test]
fn without_an_answer_everything_is_evaluated_once() {
    let access = "permissions: [{ user_name: a@example.com, permission_level: CAN_VIEW }]";
    let files = folder(&[("conf/a.yaml", &format!("jobs: {{ a: {{ name: \"${{file('name')}}\", {access} }} }}\n")), ("name", "first")]);
    let loaded = || files.load().map_err(|failed| super::shown(&failed.diagnostics)).unwrap();
    let name = |project: &crate::project::Project, answers: &Answers| {
        let desired = project.resolve(answers).map_err(|found| super::shown(&found)).unwrap();
        let job = &desired.resources[&"jobs.a".parse().unwrap()];
        job.body.get("name").and_then(|name| name.as_str()).unwrap().to_owned()
    };
    let none = Answers::new();
    let some: Answers = loaded().checks.keys().map(|asked| (asked.clone(), Answer::Missing(vec![]))).collect();
    assert!(!some.is_empty());
    let (plain, answered, chosen) = (loaded(), loaded(), loaded());
    files.write("name", "second");
    assert_eq!((name(&plain, &none), name(&plain, &none)), ("first".to_owned(), "second".to_owned()), "it is taken once");
    assert_eq!(name(&answered, &some), "second");
    let spaces = chosen.registry().get("spaces").unwrap();
    chosen.registry().choose(spaces, Api::Other);
    assert_eq!(name(&chosen, &none), "second");
}
