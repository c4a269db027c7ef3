//! Every example is a project that works: each of its environments validates without a warning, applies from nothing to an
//! empty workspace, says "no changes" afterwards, and is taken away again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::cli::Project;

/// What examples expect to be set: a secret from the process environment.
const VARIABLES: &[(&str, &str)] = &[("SHOP_API_TOKEN", "planted-token"), ("PAGER_TOKEN", "planted-token")];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn names(of: &Path) -> BTreeSet<String> {
    fs::read_dir(of).expect("it is there").map(|e| e.expect("it can be read").file_name().to_string_lossy().into_owned()).collect()
}

/// A copy of an example; what is remote in it is put on the embedded workspace, so that its overlays, presets and guards apply.
fn copy(example: &str) -> (Project, Vec<String>) {
    let project = Project::new(&[]);
    project.copy(&folder().join(example), ".");
    let mut environments = Vec::new();
    for name in names(&folder().join(example).join("environments")) {
        let file = format!("environments/{name}");
        let text = fs::read_to_string(project.folder.path().join(&file)).expect("text");
        let lines: Vec<&str> = text.lines().map(|line| if line.starts_with("workspace: {") { "workspace: local" } else { line }).collect();
        project.write(&file, &(lines.join("\n") + "\n"));
        let name = name.strip_suffix(".yaml").expect("an environment is YAML");
        if !name.starts_with('_') {
            environments.push(name.to_owned());
        }
    }
    (project, environments)
}

/// A workspace of the environment that holds what somebody else made: what examples look up by name.
fn give_what_is_shared(project: &Project, environment: &str) {
    let others = Project::new(&[
        (&format!("environments/{environment}.yaml"), "workspace: local\n"),
        ("conf/shared.yaml", "warehouses: { shared: { name: Shared BI, cluster_size: Small, auto_stop_mins: 10 } }\n"),
    ]);
    others.run(&format!("apply --env {environment} --yes")).ended(0);
    let kept = format!(".brickform/local/{environment}.redb");
    fs::create_dir_all(project.folder.path().join(".brickform/local")).expect("a folder can be made");
    fs::copy(others.folder.path().join(&kept), project.folder.path().join(&kept)).expect("the workspace is one file");
}

#[test]
fn each_environment_of_each_example_validates_as_it_stands() {
    for example in names(&folder()) {
        if !folder().join(&example).is_dir() {
            continue;
        }
        let project = Project::new(&[]);
        project.copy(&folder().join(&example), ".");
        project.run("fmt --check").ended(0);
        for environment in copy(&example).1 {
            let ran = project.with(&format!("validate --strict --env {environment}"), VARIABLES, None).ended(0);
            assert!(!format!("{}{}", ran.out, ran.err).contains("warning"), "{example} {environment}: {}", ran.err);
        }
    }
}

#[test]
fn each_environment_of_each_example_applies_and_says_no_changes() {
    let mut seen = 0;
    for example in names(&folder()) {
        if !folder().join(&example).is_dir() {
            continue;
        }
        let (project, environments) = copy(&example);
        for environment in environments {
            give_what_is_shared(&project, &environment);
            let applied = project.with(&format!("apply --env {environment} --yes --allow-dirty-tree"), VARIABLES, None);
            assert_eq!(applied.code, 0, "{example} {environment}:\n{}{}", applied.out, applied.err);
            let again = project.with(&format!("plan --env {environment} --detailed-exitcode --allow-dirty-tree"), VARIABLES, None);
            assert_eq!(again.code, 0, "{example} {environment}:\n{}{}", again.out, again.err);
            let everything = format!("{}{}", applied.out, applied.err);
            assert!(!everything.contains("planted-token"), "no secret is shown: {everything}");
            seen += 1;
        }
    }
    assert!(seen >= 7, "{seen} environments were applied");
}

/// The jobs platform's page names a file for each feature; each is there, and each file is named.
#[test]
fn the_index_of_the_jobs_platform_is_whole() {
    let example = folder().join("jobs-platform");
    let page = fs::read_to_string(example.join("README.md")).expect("it has a page");
    for part in ["conf", "environments", "templates", "values"] {
        for name in names(&example.join(part)) {
            assert!(page.contains(&format!("]({part}/{name})")), "README.md names {part}/{name}");
        }
    }
}
