//! A secret's value that somebody copied to another place of the workspace: no output and no file tells it.

use std::fs;
use std::path::Path;

use brickform::local::LocalOptions;
use serde_json::{Value as Json, json};

use super::cli::{Project, Ran};
use super::space_ahead::send;
use super::walk::Served;

/// With everything in it that a form writes in another way.
const LONG: &str = "Zq7_copied/<value>&\"more\"|x";
/// One that is found as a word only.
const SHORT: &str = "hunt3r2";

fn conf() -> String {
    "spaces:\n  s:\n    title: S\n    description: about\n    warehouse_id: '475b94ddc7cd5211'\n    instructions: { text: 'the password is ${pw}' }\n    \
     sample_questions: [{ question: How many? }]\n\
         secret_scopes: { vault: { scope: vault } }\nsecrets: { api: { scope: '${secret_scopes.vault.scope}', key: api, value: '${secret(\"API\")}' } }\n"
    .to_owned()
}

fn run(served: &Served, project: &Project, line: &str) -> Ran {
    let variables = [
        ("DATABRICKS_HOST", served.url.as_str()),
        ("DATABRICKS_TOKEN", "any"),
        ("BRICKFORM_VAR_pw", LONG),
        ("API", SHORT),
        ("STATE_KEY", "a key of at least thirty-two characters"),
    ];
    project.with(line, &variables, None)
}

fn id(served: &Served) -> String {
    let listed: Json = serde_json::from_str(&send(served, "GET", "/api/2.0/genie/spaces", "")).expect("JSON");
    listed["spaces"][0]["space_id"].as_str().expect("an id").to_owned()
}

/// Somebody copies both secrets in the UI: into the description, and into questions.
fn copied(served: &Served, questions: &[String]) {
    let questions: Vec<Json> =
        questions.iter().enumerate().map(|(i, text)| json!({ "id": format!("{i:032x}"), "question": [text] })).collect();
    let space = json!({
        "version": 2,
        "config": { "sample_questions": questions },
        "instructions": { "text_instructions": [{ "id": "f".repeat(32), "content": [format!("the password is {LONG}")] }] },
    });
    let body = json!({ "description": format!("ask with {LONG} or {SHORT}, please"), "serialized_space": space.to_string() });
    send(served, "PATCH", &format!("/api/2.0/genie/spaces/{}", id(served)), &body.to_string());
}

fn applied(key: &str) -> (Served, Project) {
    let served = Served::with(LocalOptions::default());
    let project = Project::new(&[
        ("conf/project.yaml", "name: shop\nvariables: { pw: { sensitive: true } }\n"),
        ("conf/a.yaml", &conf()),
        ("environments/dev.yaml", &format!("workspace: {{}}\n{key}")),
    ]);
    run(&served, &project, "apply --env dev --yes").ended(0);
    (served, project)
}

/// Parts of both that nothing else holds.
#[track_caller]
fn holds_none(what: &str, text: &str) {
    for part in ["Zq7", "copied/", "hunt3r2"] {
        assert!(!text.contains(part), "{what}: {part}\n{text}");
    }
}

/// Every file that is there, but for those that somebody wrote.
#[track_caller]
fn nothing_kept(folder: &Path) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            nothing_kept(&path);
        } else {
            holds_none(&path.display().to_string(), &String::from_utf8_lossy(&fs::read(&path).expect("a file")));
        }
    }
}

#[test]
fn what_was_copied_is_hidden_in_every_output_and_every_file() {
    for key in ["", "state: { key: { env: STATE_KEY } }\n"] {
        let (served, project) = applied(key);
        copied(&served, &[format!("Is it {SHORT}?"), format!("How many of {LONG}?")]);
        for (line, code) in [
            ("plan", 0),
            ("plan -o json", 0),
            ("plan --json", 0),
            ("plan -o html", 0),
            ("plan -o markdown", 0),
            ("plan -o junit", 0),
            ("plan --requests --unmanaged", 0),
            ("drift", 0),
            ("drift -o json", 0),
            ("drift -o sarif", 0),
            ("drift -o github", 0),
            ("show spaces.s --live", 0),
            ("show spaces.s --live -o json", 0),
            ("plan --out saved.json --report html=page.html --report markdown=plan.md --report sarif=found.sarif", 0),
            ("show saved.json", 0),
            ("show saved.json -o json --requests", 0),
            ("adopt --write --all-drift --yes", 1),
            ("refresh --yes", 0),
            ("state show spaces.s", 0),
        ] {
            let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
            let env = if rest.starts_with("saved.json") || command == "show" && rest.contains("saved") { "" } else { " --env dev" };
            let ran = run(&served, &project, &format!("{command} {rest}{env}")).ended(code);
            holds_none(line, &format!("{}{}", ran.out, ran.err));
            if line.contains("json") && ran.out.starts_with('{') && !line.contains("--json") {
                serde_json::from_str::<Json>(&ran.out).unwrap_or_else(|error| panic!("{line}: {error}\n{}", ran.out));
            }
            if ["plan", "drift", "show spaces.s --live", "show saved.json"].contains(&line) {
                assert!(ran.out.contains("ask with (sensitive) or (sensitive), please"), "{line}: {}", ran.out);
            }
            nothing_kept(project.folder.path());
            if line.starts_with("adopt") {
                assert!(ran.err.contains("holds the value of a secret"), "{}", ran.err);
            }
        }
        nothing_kept(project.folder.path());
    }
}

/// A plan that was stored without it is applied all the same: what is sent is never taken from the file.
#[test]
fn a_stored_plan_that_hides_something_is_no_stale_one() {
    let (served, project) = applied("");
    copied(&served, &["How many?".to_owned()]);
    let run = |line: &str| run(&served, &project, line);
    run("plan --env dev --out saved.json").ended(0);
    let done = run("apply saved.json --yes").ended(0);
    holds_none("apply", &format!("{}{}", done.out, done.err));
    run("plan --env dev --detailed-exitcode").ended(0);
    // Another edit after the plan makes it stale, and that is told without the value.
    copied(&served, &["How many?".to_owned()]);
    run("plan --env dev --out saved.json").ended(0);
    let body = json!({ "description": format!("now {LONG}") });
    send(&served, "PATCH", &format!("/api/2.0/genie/spaces/{}", id(&served)), &body.to_string());
    let stale = run("apply saved.json --yes").ended(7);
    assert!(stale.err.contains("now (sensitive)"), "{}", stale.err);
    holds_none("stale", &stale.err);
}

/// An item that holds a secret is gone: it comes back, and what others added beside it stays, by its name.
#[test]
fn one_secret_that_is_missing_takes_no_addition_along() {
    let served = Served::with(LocalOptions::default());
    let conf = "spaces:
  s:
    title: S
    warehouse_id: '475b94ddc7cd5211'
    lifecycle: { merge: true }
    instructions:
      example_sql:
        - { question: How many?, sql: 'select 1' }
        - { question: Which?, sql: \"select '${secret('API')}'\" }
";
    let project =
        Project::new(&[("conf/project.yaml", "name: shop\n"), ("conf/a.yaml", conf), ("environments/dev.yaml", "workspace: {}\n")]);
    run(&served, &project, "apply --env dev --yes").ended(0);
    // The one with the secret is taken away, and another one is added.
    let examples = |names: &[&str]| -> Json {
        let one = |(i, name): (usize, &&str)| json!({ "id": format!("{i:032x}"), "question": [name], "sql": ["select 1"] });
        names.iter().enumerate().map(one).collect()
    };
    let space = json!({ "version": 2, "instructions": { "example_question_sqls": examples(&["How many?", "Since when?"]) } });
    let body = json!({ "serialized_space": space.to_string() });
    send(&served, "PATCH", &format!("/api/2.0/genie/spaces/{}", id(&served)), &body.to_string());
    let plan = run(&served, &project, "plan --env dev").ended(0);
    let text = plan.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("example question \"Since when?\"") && !text.contains("example_sql[1]"), "{}", plan.out);
    run(&served, &project, "apply --env dev --yes").ended(0);
    let live = format!("{:?}", served.spaces());
    assert!(live.contains("Since when?") && live.contains("Which?") && live.contains(SHORT), "{live}");
}

/// Space as the agents API has it, then planned by the other one.
#[test]
fn what_the_other_api_holds_is_not_passed_over() {
    let served = Served::with(LocalOptions::default());
    let space = |more: &str| format!("spaces:\n  s:\n    title: S\n    warehouse_id: '475b94ddc7cd5211'\n{more}");
    let volumes = "    volumes: [/Volumes/main/shop/rules]\n";
    let project = Project::new(&[
        ("conf/project.yaml", "name: shop\n"),
        ("conf/a.yaml", &space(volumes)),
        ("environments/dev.yaml", "workspace: { genie_api: agents }\n"),
    ]);
    let plan = |line: &str| run(&served, &project, line);
    plan("apply --env dev --yes").ended(0);
    project.write("environments/dev.yaml", "workspace: { genie_api: spaces }\n");
    // Still in YAML: a mistake at its line.
    let named = plan("plan --env dev").ended(1);
    assert!(named.err.contains("conf/a.yaml:5") && named.err.contains("the spaces API has no `volumes`"), "{}", named.err);
    // Not any more: it is told, and stays told, also after an apply that changes something else.
    project.write("conf/a.yaml", &space(""));
    for line in ["plan --env dev", "apply --env dev --yes", "plan --env dev --refresh=false"] {
        let ran = plan(line).ended(0);
        let text = format!("{} {}", ran.out, ran.err).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("spaces.s: `volumes` was applied by the agents API and is not in YAML any more"), "{line}: {text}");
        assert!(text.contains("`workspace: { genie_api: agents }` takes it away"), "{line}: {text}");
        if line.starts_with("apply") {
            project.write("conf/a.yaml", &space("").replace("title: S", "title: T"));
            plan("apply --env dev --yes").ended(0);
        }
    }
    project.write("environments/dev.yaml", "workspace: { genie_api: agents }\n");
    let back = plan("plan --env dev").ended(0);
    assert!(back.out.contains("/Volumes/main/shop/rules") && !back.out.contains("was applied by the agents API"), "{}", back.out);
    plan("apply --env dev --yes").ended(0);
    plan("plan --env dev --detailed-exitcode").ended(0);
}

/// What only left the state was deleted by nobody.
#[test]
fn what_was_forgotten_is_not_called_deleted() {
    let served = Served::with(LocalOptions::default());
    let space = "spaces: { s: { title: S, warehouse_id: '475b94ddc7cd5211' } }\njobs: { j: { name: j } }\n";
    let project =
        Project::new(&[("conf/project.yaml", "name: shop\n"), ("conf/a.yaml", space), ("environments/dev.yaml", "workspace: {}\n")]);
    let run = |line: &str| run(&served, &project, line);
    let told = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").contains("was managed before as");
    run("apply --env dev --yes").ended(0);
    run("state rm spaces.s --env dev").ended(0);
    assert!(!told(&run("plan --env dev").out), "state rm");
    // By an apply that deletes something else.
    run(&format!("adopt spaces.s --id {} --env dev --yes", id(&served))).ended(0);
    project.write("conf/a.yaml", "forget: [spaces.s]\n");
    run("apply --env dev --yes").ended(0);
    project.write("conf/a.yaml", space);
    assert!(!told(&run("plan --env dev").out), "forget:");
    // Deleted.
    run(&format!("adopt spaces.s --id {} --env dev --yes", id(&served))).ended(0);
    run("destroy --env dev --yes --include-adopted --allow-delete spaces").ended(0);
    let plan = run("plan --env dev");
    assert!(told(&plan.out), "{}", plan.out);
}

#[test]
fn a_state_of_another_tool_with_a_member_twice_is_refused_at_its_line() {
    let served = Served::with(LocalOptions::default());
    let project = Project::new(&[
        ("conf/project.yaml", "name: shop\n"),
        ("conf/a.yaml", "spaces: { s: { title: S, warehouse_id: '475b94ddc7cd5211' } }\n"),
        ("environments/dev.yaml", "workspace: {}\n"),
        (
            ".genie-forge.json",
            "{\"version\": \"1.0\", \"environments\": {\"dev\": {\"spaces\": {\n  \"s\": {\"databricks_space_id\": \"01ab\"},\n  \"s\": {\"databricks_space_id\": \"02cd\"}\n}}}}\n",
        ),
    ]);
    let ran = run(&served, &project, "state import-genie-forge --env dev --yes").ended(1);
    assert!(ran.err.contains("`.genie-forge.json:3`") && ran.err.contains("`s` is given twice"), "{}", ran.err);
}

/// As others write it in a link: nobody's business either.
#[test]
fn what_was_copied_into_a_link_is_hidden() {
    let served = Served::with(LocalOptions::default());
    let conf =
        "spaces: { s: { title: S, warehouse_id: '475b94ddc7cd5211', instructions: { text: 'it is ${pw}' }, sample_questions: [a] } }\n";
    let project = Project::new(&[
        ("conf/project.yaml", "name: shop\nvariables: { pw: { sensitive: true } }\n"),
        ("conf/a.yaml", conf),
        ("environments/dev.yaml", "workspace: {}\n"),
    ]);
    run(&served, &project, "apply --env dev --yes").ended(0);
    for link in ["jdbc://u:Zq7_copied%2F%3Cvalue%3E%26%22more%22%7Cx@host", "https://host/Zq7_copied/%3Cvalue%3E%26%22more%22%7Cx"] {
        copied(&served, &[link.to_owned()]);
        for line in ["plan --env dev", "plan --env dev -o json", "drift --env dev -o sarif", "plan --env dev --out saved.json"] {
            let ran = run(&served, &project, line).ended(0);
            assert!(!format!("{}{}", ran.out, ran.err).contains("more%22"), "{line}: {}", ran.out);
        }
    }
}

/// A description that holds a secret is changed as any other.
#[test]
fn a_description_with_a_secret_is_changed() {
    let served = Served::with(LocalOptions::default());
    let conf = |more: &str| {
        format!("spaces: {{ s: {{ title: S, warehouse_id: '475b94ddc7cd5211', description: \"see ${{secret('API')}} {more}\" }} }}\n")
    };
    let project =
        Project::new(&[("conf/project.yaml", "name: shop\n"), ("conf/a.yaml", &conf("a")), ("environments/dev.yaml", "workspace: {}\n")]);
    run(&served, &project, "apply --env dev --yes").ended(0);
    project.write("conf/a.yaml", &conf("b"));
    run(&served, &project, "apply --env dev --yes").ended(0);
    let there: String = format!("{:?}", served.spaces());
    assert!(there.contains(&format!("see {SHORT} b")), "{there}");
}
