//! "No changes" is not said of what nobody compared: secrets without a fingerprint.

use brickform::local::LocalOptions;

use super::cli::{Project, Ran};
use super::space_ahead::send;
use super::walk::Served;

const FILES: &str = "
spaces: { s: { title: S, warehouse_id: '475b94ddc7cd5211', instructions: { text: 'the password is ${pw}' } } }
secret_scopes: { vault: { scope: vault } }
secrets: { api: { scope: '${secret_scopes.vault.scope}', key: api, value: '${secret(\"API\")}' } }
";

/// A project of a workspace of its own, applied; the environment has a state key, or none.
fn applied(key: &str) -> (Served, Project) {
    let served = Served::with(LocalOptions::default());
    let project = Project::new(&[
        ("conf/project.yaml", "name: shop\nvariables: { pw: { sensitive: true } }\n"),
        ("conf/a.yaml", FILES),
        ("environments/dev.yaml", &format!("workspace: {{}}\n{key}")),
    ]);
    run(&served, &project, "apply --env dev --yes").ended(0);
    (served, project)
}

fn run(served: &Served, project: &Project, line: &str) -> Ran {
    let variables = [
        ("DATABRICKS_HOST", served.url.as_str()),
        ("DATABRICKS_TOKEN", "any"),
        ("BRICKFORM_VAR_pw", "hunter2"),
        ("API", "s3cret"),
        ("STATE_KEY", "a key of at least thirty-two characters"),
    ];
    project.with(line, &variables, None)
}

/// Somebody writes another text in the UI.
fn edited(served: &Served) {
    let listed: serde_json::Value = serde_json::from_str(&send(served, "GET", "/api/2.0/genie/spaces", "")).expect("JSON");
    let id = listed["spaces"][0]["space_id"].as_str().expect("an id");
    let text =
        serde_json::json!({ "version": 2, "instructions": { "text_instructions": [{ "id": "0".repeat(32), "content": ["other"] }] } });
    let body = serde_json::json!({ "serialized_space": text.to_string() });
    send(served, "PATCH", &format!("/api/2.0/genie/spaces/{id}"), &body.to_string());
}

/// What was not compared, as JSON lists it: address and why.
fn uncompared(ran: &Ran) -> Vec<(String, String)> {
    let plan: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let listed = plan["uncompared"].as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    listed.iter().map(|one| (text(&one["address"]), text(&one["why"]))).collect()
}

#[test]
fn without_a_state_key_secrets_are_named_beside_no_changes() {
    let (served, project) = applied("");
    edited(&served);
    let run = |line: &str| run(&served, &project, line).ended(0);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = "Not compared: 2 secrets (secrets.api string_value, spaces.s instructions.text): the environment has no state key";
    for command in ["plan", "drift", "apply --yes"] {
        let said = run(&format!("{command} --env dev"));
        let what = if command == "drift" { "no drift" } else { "no changes" };
        assert!(words(&said.out).contains(&format!("dev: {what}. 3 resources match")) && words(&said.out).contains(line), "{}", said.out);
    }
    let why = "no_state_key".to_owned();
    let listed = uncompared(&run("plan --env dev -o json"));
    assert_eq!(listed, [("secrets.api".to_owned(), why.clone()), ("spaces.s".to_owned(), why)]);
    for (form, says) in
        [("markdown", "dev: no changes; 2 secrets not compared"), ("html", "as the configuration says; 2 secrets not compared")]
    {
        let said = run(&format!("plan --env dev -o {form}"));
        assert!(
            said.out.contains(says) && said.out.contains("spaces.s instructions.text): the environment has no state key"),
            "{form}: {}",
            said.out
        );
        assert!(!said.out.contains("hunter2"), "{form}");
    }
    // A plan in a file knows it, too.
    run("plan --env dev --out p.json");
    assert!(words(&run("show p.json").out).contains(line));
}

#[test]
fn with_a_state_key_what_the_workspace_tells_is_compared_and_the_rest_is_no_news() {
    let (served, project) = applied("state: { key: { env: STATE_KEY } }\n");
    let planned = run(&served, &project, "plan --env dev").ended(0);
    assert!(planned.out.contains("no changes") && !planned.out.contains("ompared"), "{}", planned.out);
    let listed = uncompared(&run(&served, &project, "plan --env dev -o json").ended(0));
    assert_eq!(listed, [("secrets.api".to_owned(), "not_told".to_owned())]);
    edited(&served);
    let drifted = run(&served, &project, "drift --env dev");
    assert!(drifted.out.contains("Drift: 1 of") && !drifted.out.contains("hunter2"), "{}{}", drifted.out, drifted.err);
}
