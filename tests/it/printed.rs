//! Commands that are printed are about the project and the state that were asked: run as they stand, they do what they say.

use super::cli::Project;

/// A warehouse that is applied from one state; nothing is in the place where a state is by itself.
fn applied() -> Project {
    let project = Project::new(&[
        ("conf/project.yaml", "name: shop\ndefaults: { ownership_tag: false }\n"),
        ("environments/dev.yaml", "workspace: local\n"),
        ("made/a.yaml", "warehouses: { bi: { name: bi, cluster_size: Small } }\n"),
    ]);
    project.run("apply --env dev --yes --config made --state one").ended(0);
    project
}

fn has_own_state(project: &Project) -> bool {
    project.folder.path().join(".brickform/state/dev.json").exists()
}

#[test]
fn what_takes_an_object_over_names_project_and_state() {
    let project = applied();
    let plan = project.run("plan --env dev --config made --state two").ended(6);
    let command = "adopt --env dev --config made --state two warehouses.bi";
    assert!(plan.out.contains(&format!("brickform {command}    # takes it over")), "{}", plan.out);
    // What a program reads has the same.
    let plan = project.run("plan --env dev --config made --state two -o json").ended(6);
    let told: serde_json::Value = serde_json::from_str(&plan.out).expect("JSON");
    let remedy = told["steps"][0]["blocks"][0]["remedy"][0].as_str().expect("a command");
    assert!(remedy.starts_with(&format!("brickform {command} ")), "{remedy}");
    // As it was printed.
    project.run(&format!("{command} --yes")).ended(0);
    let plan = project.run("plan --env dev --config made --state two").ended(0);
    assert!(plan.out.starts_with("dev: no changes"), "{}", plan.out);
    assert!(!has_own_state(&project), "it is not managed from another state");
    // Advice under an error.
    let failed = project.run("state list --env dev --config made --state three").ended(1);
    assert!(failed.err.contains("brickform apply --env dev --config made --state three"), "{}", failed.err);
}

#[test]
fn the_commands_under_drift_name_project_and_state() {
    let project = applied();
    // A colleague, past us.
    project.edit("made/a.yaml", "Small", "Large");
    project.run("apply --env dev --yes --adopt --config made --state colleague").ended(0);
    project.edit("made/a.yaml", "Large", "Small");
    let back = "brickform apply --env dev --config made --state one --target warehouses.bi";
    let keep = "brickform adopt --env dev --config made --state one --write warehouses.bi";
    for command in ["plan", "drift"] {
        for form in ["text", "markdown", "html", "json"] {
            let told = project.run(&format!("{command} --env dev --config made --state one -o {form}")).ended(0).out;
            assert!(told.contains(back) && told.contains(keep), "{command} {form}\n{told}");
            assert!(!told.contains("--env dev --target") && !told.contains("--env dev --write"), "{command} {form}\n{told}");
        }
    }
    for form in ["--json", "-o junit", "-o sarif", "-o github"] {
        let told = project.run(&format!("drift --env dev --config made --state one {form}")).ended(0).out;
        assert!(told.contains(back) && told.contains(keep), "{form}\n{told}");
    }
    let told = project.run("drift --env dev --config made --state one -o json").ended(0).out;
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let answers = &told["steps"][0]["answers"];
    assert_eq!((&answers["revert"], &answers["accept"]), (&serde_json::json!(back), &serde_json::json!(keep)));
    // As they were printed.
    let typed = |command: &str| command.strip_prefix("brickform ").expect("a command").to_owned();
    project.run(&format!("{} --yes", typed(back))).ended(0);
    project.run("drift --env dev --config made --state one --detailed-exitcode").ended(0);
    assert!(!has_own_state(&project), "it is not managed from another state");
}

#[test]
fn an_import_says_what_is_next_of_its_own_state() {
    let project = Project::new(&[
        ("conf/project.yaml", "name: shop\n"),
        ("environments/dev.yaml", "workspace: local\n"),
        ("made/a.yaml", "spaces: { s: { title: S, warehouse_id: w1 } }\n"),
        (
            ".genie-forge.json",
            r#"{"version": "1.0", "environments": {"dev": {"spaces": {"s": {"title": "S"}, "x": {"databricks_space_id": "01ab", "title": "X"}}}}}"#,
        ),
    ]);
    project.run("apply --env dev --yes --config made --state one").ended(0);
    let told = project.run("state import-genie-forge --env dev --yes --config made --state two").ended(0).out;
    assert!(told.ends_with("Next: brickform plan --env dev --config made --state two\n"), "{told}");
    assert!(told.contains("`brickform adopt spaces --id 01ab --key x --env dev --config made --state two`"), "{told}");
    project.run("plan --env dev --config made --state two").ended(0);
}
