//! What somebody may try who can edit a file: plans, states, links, names. Nothing is lost and nothing is told.

use std::fs;

use brickform::model::Fingerprint;

use super::cli::Project;

fn demo() -> Project {
    let project = Project::new(&[
        ("environments/dev.yaml", "workspace: local\n"),
        ("environments/prod.yaml", "workspace: local\n"),
        ("conf/project.yaml", "name: demo\n"),
        ("conf/a.yaml", "jobs: { a: { name: a, max_concurrent_runs: 2 }, b: { name: b } }\n"),
    ]);
    project.run("apply --env dev --yes").ended(0);
    project.edit("conf/a.yaml", "max_concurrent_runs: 2", "max_concurrent_runs: 3");
    project.run("plan --env dev --out plan.json").ended(0);
    project
}

fn plan_of(project: &Project) -> String {
    fs::read_to_string(project.folder.path().join("plan.json")).expect("it was written")
}

/// The file with its canonical part changed, and a digest that fits again.
fn forged(file: &str, from: &str, to: &str) -> String {
    let start = file.find("  \"plan\": ").expect("the canonical part") + "  \"plan\": ".len();
    let body = file[start..].lines().next().expect("a line");
    let digest = |body: &str| Fingerprint::of(body.as_bytes()).0;
    let changed = body.replace(from, to);
    assert_ne!(body, changed, "{from}");
    file.replace(body, &changed).replace(&digest(body), &digest(&changed))
}

#[test]
fn a_plan_in_a_file_that_somebody_edited_sends_nothing() {
    let project = demo();
    let plan = plan_of(&project);
    let lineage = plan.split("\"lineage\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a lineage").to_owned();
    let workspace = plan.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a workspace").to_owned();
    for (what, edited) in [
        ("the body", plan.replace("\"max_concurrent_runs\":3", "\"max_concurrent_runs\":9")),
        ("the digest", plan.replacen("\"digest\": \"", "\"digest\": \"0", 1)),
        ("the body, with a digest that fits", forged(&plan, "\"max_concurrent_runs\":3", "\"max_concurrent_runs\":9")),
        ("the environment", forged(&plan, "\"environment\":\"dev\"", "\"environment\":\"prod\"")),
        ("the workspace", forged(&plan, &workspace, "1234567890123456")),
        ("the lineage", forged(&plan, &lineage, "00000000-0000-4000-8000-000000000000")),
        ("the serial", forged(&plan, "\"serial\":1", "\"serial\":2")),
        ("the program", forged(&plan, "\"program\":\"", "\"program\":\"9")),
        ("the overrides", forged(&plan, "\"overrides\":[]", "\"overrides\":[\"max_deletes\"]")),
        ("the format", plan.replace("brickform.saved-plan/1", "brickform.saved-plan/2")),
        ("its time", plan.replace("\"expires\": \"2", "\"expires\": \"1")),
        ("its end", plan[..plan.len() / 2].to_owned()),
    ] {
        assert_ne!(plan, edited, "{what}");
        project.write("plan.json", &edited);
        let ran = project.run("apply plan.json --yes");
        assert!(ran.code == 7 || ran.code == 1, "{what}: {} {}{}", ran.code, ran.out, ran.err);
        let history = project.run("state list --env dev -o json").ended(0).out;
        assert!(!history.contains("\"serial\": 2"), "{what}: {history}");
    }
    // Another environment by hand, then the plan as it was, once and not twice.
    project.write("plan.json", &plan);
    assert_ne!(project.run("apply plan.json --env prod").code, 0);
    project.run("apply plan.json").ended(0);
    project.run("apply plan.json").ended(7);
}

#[test]
fn a_state_of_yesterday_makes_nothing_twice_and_deletes_nothing() {
    let project = demo();
    let state = project.folder.path().join(".brickform/state/dev.json");
    let yesterday = fs::read(&state).expect("a state");
    project.edit("conf/a.yaml", "b: { name: b }", "b: { name: b }, c: { name: c }");
    project.run("apply --env dev --yes").ended(0);
    fs::write(&state, &yesterday).expect("restored");
    let plan = project.run("plan --env dev").ended(1);
    assert!(plan.err.contains("an older one was put in its place"), "{}", plan.err);
    fs::remove_file(&state).expect("deleted");
    project.run("apply --env dev --yes").ended(1);
    // Without the versions that were kept nobody can know; nothing is made twice all the same.
    fs::remove_dir_all(project.folder.path().join(".brickform/state/dev.json.versions")).expect("deleted");
    fs::write(&state, &yesterday).expect("restored");
    let plan = project.run("plan --env dev").ended(6);
    assert!(plan.out.contains("a job named \"c\" already exists"), "{}", plan.out);
    fs::remove_file(&state).expect("deleted");
    let plan = project.run("apply --env dev --yes").ended(6);
    assert!(plan.out.contains("3 blocked") && !plan.out.contains(" deleted"), "{}", plan.out);
    // Another workspace under the same state: refused, also to destroy.
    fs::write(&state, &yesterday).expect("restored");
    fs::remove_dir_all(project.folder.path().join(".brickform/local")).expect("another workspace");
    for line in ["destroy --env dev --yes", "apply --env dev --yes", "apply plan.json"] {
        let ran = project.run(line);
        assert!(ran.code != 0 && format!("{}{}", ran.out, ran.err).contains("workspace"), "{line}: {}{}", ran.out, ran.err);
    }
}

#[cfg(unix)]
#[test]
fn links_out_of_the_project_are_not_read() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().expect("a folder");
    let credentials = outside.path().join("credentials");
    fs::write(&credentials, "token = dapi-of-somebody-else\n").expect("written");
    fs::create_dir(outside.path().join("more")).expect("made");
    fs::write(outside.path().join("more/x.yaml"), "token = dapi-of-somebody-else\n").expect("written");
    for place in ["conf/x.yaml", "environments/prod.yaml", "spaces/x.yaml", "conf/x.yaml.hbs", "conf/more", "conf/project.yaml"] {
        let project = Project::new(&[("environments/dev.yaml", "workspace: local\n"), ("conf/a.yaml", "jobs: { a: { name: a } }\n")]);
        let link = project.folder.path().join(place);
        fs::create_dir_all(link.parent().expect("a folder")).expect("made");
        symlink(if place == "conf/more" { outside.path().join("more") } else { credentials.clone() }, link).expect("linked");
        let environment = if place.starts_with("environments") { "prod" } else { "dev" };
        let ran = project.run(&format!("validate --env {environment}"));
        assert!(ran.err.contains("leads out of the project's folder"), "{place}: {}{}", ran.out, ran.err);
        assert!(ran.code != 0 && !format!("{}{}", ran.out, ran.err).contains("dapi"), "{place}: {}", ran.err);
    }
    // Inside the project a link is as good as a file; what lies elsewhere can be named.
    let project = Project::new(&[("environments/dev.yaml", "workspace: local\n"), ("kept/a.yaml", "jobs: { a: { name: a } }\n")]);
    fs::create_dir_all(project.folder.path().join("conf")).expect("made");
    symlink("../kept/a.yaml", project.folder.path().join("conf/a.yaml")).expect("linked");
    assert!(project.run("validate --env dev").ended(0).out.contains("1 resource"), "the link is read");
}

#[test]
fn names_do_not_steer_the_terminal() {
    let names = ["a\\u001b[31mred", "line\\nfake", "\\u202Ertl", "cr\\rfake", "bell\\u0007", "\\u2066x", "../../../etc/passwd"];
    let jobs: Vec<String> =
        names.iter().enumerate().map(|(i, name)| format!("\"j{i}\": {{\"name\": \"{name}\", \"description\": \"{name}\"}}")).collect();
    let project =
        Project::new(&[("environments/dev.yaml", "workspace: local\n"), ("conf/a.json", &format!("{{\"jobs\": {{{}}}}}", jobs.join(",")))]);
    for line in [
        "plan --env dev",
        "apply --env dev --yes",
        "show --env dev",
        "show jobs.j0 --env dev",
        "show jobs.j2 --env dev --live",
        "state list --env dev",
        "status --env dev",
        "graph --env dev",
        "output --env dev",
        "plan --env dev -o markdown",
        "destroy --env dev --yes",
    ] {
        let ran = project.run(line);
        let told = format!("{}{}", ran.out, ran.err);
        let bad = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!told.contains(bad) && !told.lines().any(|l| l.starts_with("fake")), "{line}: {told:?}");
    }
}
