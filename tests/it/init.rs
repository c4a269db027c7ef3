//! `init`: a project that works at once, pipelines for the environments that there are, and nothing written over.

use super::cli::Project;

fn text(project: &Project, name: &str) -> String {
    std::fs::read_to_string(project.folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_new_project_works_at_once() {
    let project = Project::new(&[(".gitignore", "target")]);
    let ran = project.run("init shop");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("+ conf/project.yaml") && ran.err.contains("cd shop && brickform apply --env local"),
        "{}{}",
        ran.out,
        ran.err
    );
    let validated = project.run("validate --project-dir shop --strict");
    assert!(validated.code == 0 && validated.out.contains("3 resources"), "{}{}", validated.out, validated.err);
    let applied = project.run("apply --project-dir shop --env local --yes");
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert_eq!(project.run("plan --project-dir shop --detailed-exitcode").code, 0, "nothing is left to do");
    assert_eq!(project.run("fmt --project-dir shop --check").code, 0, "it is laid out");
    assert_eq!(text(&project, "shop/.gitignore"), ".brickform/\nbrickform-reports/\n");
    // Again: told, and nothing is touched.
    project.write("shop/conf/jobs.yaml", "jobs: {}\n");
    let again = project.run("init shop");
    assert!(again.code == 64 && again.err.contains("shop is a project already; nothing was written"), "{}", again.err);
    assert_eq!(text(&project, "shop/conf/jobs.yaml"), "jobs: {}\n");
}

#[test]
fn what_is_there_stays() {
    let project = Project::new(&[("conf/jobs.yaml", "jobs: {}\n"), (".gitignore", "target")]);
    let ran = project.run("init -o json");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let told: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(told["kept"], serde_json::json!(["conf/jobs.yaml"]));
    assert_eq!(text(&project, "conf/jobs.yaml"), "jobs: {}\n");
    assert_eq!(text(&project, ".gitignore"), "target\n.brickform/\nbrickform-reports/\n");
}

#[test]
fn pipelines_name_the_environments_of_the_project() {
    let project = Project::new(&[]);
    let ran = project.run("init --ci github");
    assert!(ran.code == 64 && ran.err.contains("there is no project"), "{}", ran.err);
    assert_eq!(project.run("init").code, 0);
    let ran = project.run("init --ci github");
    assert!(ran.code == 64 && ran.err.contains("no environment of this project is in a real workspace"), "{}", ran.err);
    for name in ["prod", "dev", "staging-eu"] {
        project.write(&format!("environments/{name}.yaml"), "workspace: { host: https://adb-1.azuredatabricks.net }\n");
    }
    for (provider, file, wants) in [
        (
            "github",
            ".github/workflows/brickform-release.yml",
            &["  dev:\n    uses:", "  staging_eu:\n    needs: dev\n", "  prod:\n    needs: staging_eu\n"][..],
        ),
        (
            "github",
            ".github/workflows/brickform-pull-request.yml",
            &["environment: [dev, staging-eu, prod]", "fetch-depth: 0", "id-token: write"],
        ),
        ("gitlab", "ci/brickform.gitlab-ci.yml", &["\"apply prod\":", "needs: [\"apply staging-eu\"]", "when: manual", "GIT_DEPTH: 0"]),
        ("azure", "azure-pipelines.yml", &["dependsOn: release_staging_eu", "values: [none, dev, staging-eu, prod]", "fetchDepth: \"0\""]),
    ] {
        let ran = project.run(&format!("init --ci {provider}"));
        assert_eq!(ran.code, 0, "{}", ran.err);
        let written = text(&project, file);
        for want in wants {
            assert!(written.contains(want), "{file}: {want}\n{written}");
        }
        assert!(
            !written.contains('@')
                || written.lines().all(|l| !l.contains('@')
                    || l.contains("uses: actions/")
                    || l.contains("uses: github/codeql-action/")
                    || l.contains("@2")),
            "{written}"
        );
        assert!(!written.contains("local,") && !written.contains("[local"), "the embedded workspace is nobody's release");
        if !file.ends_with("release.yml") {
            assert!(written.contains("BRICKFORM_ALLOWED_HOSTS"), "{file} says where the list of hosts belongs");
        }
        let script = text(&project, "ci/brickform.sh");
        assert!(script.contains("note: BRICKFORM_ALLOWED_HOSTS is not set"), "{provider}");
        assert!(script.contains(&format!("init --ci {provider}")), "{provider}");
        std::fs::remove_file(project.folder.path().join("ci/brickform.sh")).expect("it is there");
    }
    // Edited: it stays as it is.
    project.write("azure-pipelines.yml", "mine\n");
    let ran = project.run("init --ci azure");
    assert!(ran.code == 0 && ran.out.contains("azure-pipelines.yml is there already and stays as it is"), "{}", ran.out);
    assert_eq!(text(&project, "azure-pipelines.yml"), "mine\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(project.folder.path().join("ci/brickform.sh")).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "it can be run");
    }
}

#[test]
fn a_runner_has_no_profiles_and_what_it_writes_is_in_no_commit() {
    let project = Project::new(&[
        ("conf/project.yaml", "name: shop\n"),
        ("environments/dev.yaml", "workspace: { host: https://adb-1.azuredatabricks.net }\n"),
        ("environments/prod.yaml", "workspace: { profile: PROD }\n"),
        (".gitignore", "/.brickform\n"),
    ]);
    let ran = project.run("init --ci github").ended(0);
    let flat = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("a runner has no profiles: write `workspace: { host: https://... }` into environments/prod.yaml;"), "{flat}");
    assert_eq!(text(&project, ".gitignore"), "/.brickform\nbrickform-reports/\n");
}
