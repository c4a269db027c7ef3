//! What a reviewer sees: two revisions compared without a workspace, and a plan beside a base.

use std::process::Command;

use super::cli::Project;

const PROJECT: &str = "name: shop\nvariables: { size: { type: string, default: Small } }\n";
const WAREHOUSES: &str = "warehouses:\n  bi: { name: \"bi-${env.name}\", cluster_size: \"${size}\", auto_stop_mins: 10 }\n  etl: { name: etl, cluster_size: Small }\n";
const QUERIES: &str = "queries:\n  top:\n    display_name: top\n    warehouse_id: \"${warehouses.bi.id}\"\n    query_text: |\n      SELECT a\n      FROM t\n      ORDER BY a\n";

/// A project in a repository, one commit deep.
fn project() -> Project {
    let project = Project::new(&[
        ("conf/project.yaml", PROJECT),
        ("conf/warehouses.yaml", WAREHOUSES),
        ("conf/queries.yaml", QUERIES),
        ("environments/_base.yaml", "guards: { max_deletes: 5 }\n"),
        ("environments/dev.yaml", "extends: _base\nworkspace: local\n"),
        ("environments/prod-eu.yaml", "extends: _base\nworkspace: local\nvariables: { size: Large }\n"),
        ("environments/prod-us.yaml", "extends: _base\nworkspace: local\nvariables: { size: Large }\n"),
        (".gitignore", ".brickform/\n*.out\n"),
    ]);
    git(&project, &["init", "-q", "-b", "main"]);
    commit(&project, "first");
    project
}

#[expect(clippy::disallowed_methods, reason = "it is about a real repository")]
fn git(project: &Project, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(project.folder.path())
        .env_remove("GIT_DIR")
        .output()
        .expect("git is there");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn commit(project: &Project, message: &str) -> String {
    git(project, &["add", "-A"]);
    git(project, &["commit", "-q", "-m", message]);
    git(project, &["rev-parse", "HEAD"])
}

#[test]
fn two_revisions_are_compared_in_every_environment() {
    let project = project();
    project.edit("conf/warehouses.yaml", "auto_stop_mins: 10", "auto_stop_mins: 20");
    project.edit("conf/warehouses.yaml", "  etl: {", "  loads: {");
    project.edit("conf/queries.yaml", "SELECT a\n", "SELECT b\n");
    project.edit("environments/dev.yaml", "workspace: local\n", "workspace: local\nvariables: { size: Medium }\n");
    project.write("conf/volumes.yaml", "directories:\n  raw: { path: /Shared/raw }\n");
    commit(&project, "second");
    let ran = project.run("diff HEAD~1..HEAD --detailed-exitcode").ended(2);
    for want in [
        "prod-eu, prod-us: 1 to add, 2 to change, 1 moved",
        "warehouses.etl → warehouses.loads",
        "auto_stop_mins          10 → 20",
        "-  SELECT a",
        "+  SELECT b",
        "cluster_size            \"Small\" → \"Medium\"",
        "directories.raw",
        "3 environments changed, 0 unchanged.",
    ] {
        assert!(ran.out.contains(want), "{want}\n{}", ran.out);
    }
    // The working tree, one environment, nothing to say.
    let clean = project.run("diff HEAD --env dev --detailed-exitcode").ended(0);
    assert!(clean.out.contains("dev: no changes"), "{}", clean.out);
    project.edit("conf/warehouses.yaml", "auto_stop_mins: 20", "auto_stop_mins: 30");
    let dirty = project.run("diff --env prod-* -o json --detailed-exitcode").ended(2);
    let read: serde_json::Value = serde_json::from_str(&dirty.out).expect("JSON");
    assert_eq!(read["format"], "brickform.diff/1");
    assert_eq!(read["environments"].as_array().map(Vec::len), Some(2));
    assert_eq!(read["environments"][1]["same_as"], "prod-eu");
    assert_eq!(read["environments"][0]["steps"][0]["changes"][0]["new"], 30);
    let comment = project.run("diff --env prod-* -o markdown").ended(0);
    assert!(comment.out.starts_with("<!-- brickform:diff:shop -->\n## Brickform · HEAD"), "{}", comment.out);
}

#[test]
fn references_and_lookups_are_shown_as_they_are_written() {
    let project = project();
    project.edit("conf/queries.yaml", "${warehouses.bi.id}", "${warehouses.etl.id}");
    let other = project.run("diff --env dev").ended(0);
    assert!(other.out.contains("${warehouses.bi.id}") && other.out.contains("${warehouses.etl.id}"), "{}", other.out);
    project.edit("conf/queries.yaml", "\"${warehouses.etl.id}\"", "'${lookup(\"warehouses\", \"Shared\").id}'");
    let looked_up = project.run("diff --env dev").ended(0);
    assert!(looked_up.out.contains("(lookup)"), "{}", looked_up.out);
}

#[test]
fn mistakes_are_told_with_their_revision() {
    let project = project();
    project.edit("conf/warehouses.yaml", "cluster_size: Small", "cluster_sise: Small");
    commit(&project, "broken");
    let old = project.run("diff main~1..main").ended(1);
    assert!(old.err.contains("In main (") && old.err.contains("E0107"), "{}", old.err);
    assert!(old.out.contains("main (") && old.out.contains("has 1 mistake"), "{}", old.out);
    assert!(old.out.contains("0 environments changed, 0 unchanged, 3 not compared."), "{}", old.out);
    // The comment is the same one that a pipeline updates, and says what and where.
    let comment = project.run("diff main~1..main -o markdown").ended(1).out;
    assert!(comment.starts_with("<!-- brickform:diff:shop -->\n"), "{comment}");
    assert!(comment.contains("  - `conf/warehouses.yaml:") && comment.contains("cluster\\_sise"), "{comment}");
    project.edit("conf/warehouses.yaml", "cluster_sise: Small", "cluster_size: Small");
    commit(&project, "mended");
    let new = project.run("diff HEAD~1..HEAD").ended(0);
    assert!(new.err.contains("In HEAD~1 (") && new.out.contains("nothing to compare with"), "{}{}", new.err, new.out);
    // Files and environments that go, a project that was not there.
    std::fs::remove_file(project.folder.path().join("conf/queries.yaml")).expect("it is there");
    std::fs::remove_file(project.folder.path().join("environments/prod-us.yaml")).expect("it is there");
    let gone = project.run("diff").ended(0);
    assert!(gone.out.contains("- queries.top") && gone.out.contains("prod-us: not in the working tree"), "{}", gone.out);
    let nothing = project.run("diff nowhere..HEAD").ended(64);
    assert!(nothing.err.contains("there is no revision `nowhere`"), "{}", nothing.err);
    let outside = Project::new(&[("conf/project.yaml", PROJECT)]).run("diff");
    assert_eq!(outside.code, 1, "{}", outside.err);
    assert!(outside.err.contains("is in no Git repository"), "{}", outside.err);
}

#[test]
fn a_bare_repository_and_a_folder_inside_a_repository_will_do() {
    let project = project();
    project.edit("conf/warehouses.yaml", "auto_stop_mins: 10", "auto_stop_mins: 20");
    commit(&project, "second");
    let bare = Project::new(&[]);
    git(&bare, &["clone", "-q", "--bare", &project.folder.path().to_string_lossy(), "."]);
    let ran = bare.run("diff main~1..main --env dev").ended(0);
    assert!(ran.out.contains("10 → 20"), "{}", ran.out);
    let alone = bare.run("diff main").ended(64);
    assert!(alone.err.contains("is bare"), "{}", alone.err);
    // A project that is one folder of many, asked from the top.
    let mono = Project::new(&[
        ("data/conf/project.yaml", PROJECT),
        ("data/conf/w.yaml", WAREHOUSES),
        ("data/environments/dev.yaml", "workspace: local\n"),
    ]);
    git(&mono, &["init", "-q", "-b", "main"]);
    commit(&mono, "first");
    mono.edit("data/conf/w.yaml", "auto_stop_mins: 10", "auto_stop_mins: 20");
    let ran = mono.run("diff --project-dir data").ended(0);
    assert!(ran.out.contains("dev: 1 to change") && ran.out.contains("10 → 20"), "{}", ran.out);
}

#[test]
fn a_reviewer_sees_what_is_not_theirs() {
    let project = project();
    project.run("apply --env dev --yes").ended(0);
    // Merged, and nobody applied it.
    project.edit("conf/warehouses.yaml", "cluster_size: Small", "cluster_size: Medium");
    commit(&project, "merged");
    git(&project, &["checkout", "-q", "-b", "mine"]);
    // This branch.
    project.edit("conf/queries.yaml", "SELECT a\n", "SELECT b\n");
    project.write("conf/more.yaml", "directories:\n  raw: { path: /Shared/raw }\n");
    commit(&project, "mine");
    let ran = project.run("plan --env dev --base main").ended(0);
    assert!(ran.out.contains("warehouses.etl  [merged, not applied]"), "{}", ran.out);
    assert!(ran.out.contains("queries.top  [yours]") && ran.out.contains("directories.raw"), "{}", ran.out);
    assert!(ran.out.contains("2 yours; 1 merged, not applied; 0 drift."), "{}", ran.out);
    let json: serde_json::Value = serde_json::from_str(&project.run("plan --env dev --base main -o json").ended(0).out).expect("JSON");
    assert_eq!(json["base"]["counts"], serde_json::json!({ "yours": 2, "merged": 1, "drift": 0 }));
    let sorts: Vec<(&str, &str)> = json["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|s| (s["address"].as_str().unwrap_or_default(), s["sort"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(sorts, [("directories.raw", "yours"), ("queries.top", "yours"), ("warehouses.etl", "merged")]);
    let comment = project.run("plan --env dev --base main -o markdown").ended(0).out;
    assert!(comment.starts_with("<!-- brickform:plan:shop:dev -->\n"), "{comment}");
    assert!(comment.contains("2 yours · 1 merged, not applied · 0 drift") && comment.contains("<b>Not yours</b>: 1 merged"), "{comment}");
    project.run("plan --env dev --base nowhere").ended(64);
}

#[test]
fn a_reviewer_sees_what_is_not_theirs_in_every_environment() {
    let project = project();
    project.run("apply --env dev,prod-* --yes").ended(0);
    project.edit("conf/warehouses.yaml", "cluster_size: Small", "cluster_size: Medium");
    commit(&project, "merged");
    // It is applied in one environment of three.
    project.run("apply --env prod-us --yes").ended(0);
    git(&project, &["checkout", "-q", "-b", "mine"]);
    project.edit("conf/queries.yaml", "SELECT a\n", "SELECT b\n");
    commit(&project, "mine");
    let comment = project.run("plan --env dev,prod-* --base main -o markdown").ended(0).out;
    for want in [
        ": **3 yours · 2 merged, not applied · 0 drift**.",
        "| **dev** | 2 to change (1 yours; 1 merged, not applied) |",
        "| **prod-us** | 1 to change (1 yours) |",
        "### dev, prod-eu: 2 to change",
        "### prod-us: 1 to change",
        "<b>Not yours</b>: 1 merged, not applied",
        "- `~` `queries.top` _(yours)_",
        "brickform plan --env dev --env 'prod-*' --base main",
    ] {
        assert!(comment.contains(want), "{want}\n{comment}");
    }
    // Where the same happens and is not the same one's doing, it is told apart.
    git(&project, &["checkout", "-q", "main"]);
    project.edit("environments/prod-eu.yaml", "size: Large", "size: Medium");
    project.edit("environments/prod-us.yaml", "size: Large", "size: Small");
    commit(&project, "other");
    let alone = project.run("plan --env dev,prod-eu -o markdown").ended(0).out;
    assert!(!alone.contains("yours") && !alone.contains("Beside"), "nobody asked\n{alone}");
}

#[test]
fn one_command_over_several_environments() {
    let project = project();
    let plans = project.run("plan --env prod-* --detailed-exitcode --report markdown={env}.md.out").ended(2);
    let (eu, us) = (plans.out.find("== prod-eu"), plans.out.find("== prod-us"));
    assert!(eu.is_some() && eu < us, "{}", plans.out);
    assert!(plans.out.ends_with("Environments (2)\n  prod-eu  3 to add  exit code 2\n  prod-us  3 to add  exit code 2\n"), "{}", plans.out);
    let comment = std::fs::read_to_string(project.folder.path().join("prod-us.md.out")).expect("it is written");
    assert!(comment.starts_with("<!-- brickform:plan:shop:prod-us -->"), "{comment}");
    // One name for two files, a command that takes one, names that mean nothing, a base.
    for (line, want) in [
        ("plan --env prod-* --out x.out", "would be written by each environment anew"),
        ("destroy --env * --yes", "names several environments"),
        ("plan --env qa-*", "no environment looks like `qa-*`"),
        ("plan --env dev,_base", "cannot be chosen"),
        ("validate --env dev --env prd", "there is no environment `prd`"),
    ] {
        let ran = project.run(line).ended(64);
        assert!(ran.err.contains(want), "{line}: {}", ran.err);
    }
    let valid = project.run("validate --env prod-*").ended(0);
    assert_eq!(valid.out, "Valid: 3 resources in prod-eu, prod-us.\n");
    // One that fails stops the rest of an apply, each has its own state.
    project.write(
        "environments/prod-mid.yaml",
        "extends: _base\nworkspace: local\npresets: { name_prefix: \"x\" }\nguards: { nonsense: 1 }\n",
    );
    let stopped = project.run("apply --env prod-* --yes").ended(1);
    assert!(stopped.out.contains("prod-eu   applied: 3 to add  exit code 0"), "{}", stopped.out);
    assert!(stopped.out.contains("prod-us   not tried"), "{}", stopped.out);
    std::fs::remove_file(project.folder.path().join("environments/prod-mid.yaml")).expect("it is there");
    let json: serde_json::Value = serde_json::from_str(&project.run("status --env dev,prod-* -o json").ended(0).out).expect("JSON");
    assert_eq!(json["format"], "brickform.environments-run/1");
    let said: Vec<&str> = json["environments"].as_array().expect("a list").iter().filter_map(|e| e["summary"].as_str()).collect();
    assert_eq!(said, ["nothing applied yet", "serial 1, 3 resources", "nothing applied yet"]);
    let drift = project.run("drift --env prod-eu,dev --parallel-environments 1").ended(0);
    assert!(drift.out.contains("  dev      no drift  exit code 0"), "{}", drift.out);
}

#[test]
fn findings_stand_at_their_lines_for_code_scanning_test_results_and_annotations() {
    let project = project();
    project.edit("environments/dev.yaml", "workspace: local\n", "workspace: local\nguards: { max_deletes: 0 }\n");
    project.run("apply --env dev --yes").ended(0);
    project.edit("conf/warehouses.yaml", "  etl: { name: etl, cluster_size: Small }\n", "");
    let blocked = project.run("plan --env dev -o sarif --report junit=plan.out --report json=plan.json.out").ended(6);
    let sarif: serde_json::Value = serde_json::from_str(&blocked.out).expect("JSON");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((sarif["version"].as_str(), result["ruleId"].as_str()), (Some("2.1.0"), Some("guard/max_deletes")));
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "environments/dev.yaml");
    let junit = std::fs::read_to_string(project.folder.path().join("plan.out")).expect("it is written");
    assert!(junit.contains("<testsuite name=\"brickform plan dev\" tests=\"4\" failures=\"1\""), "{junit}");
    let (output, summary) = (project.folder.path().join("o.out"), project.folder.path().join("s.out"));
    let runner = [("GITHUB_OUTPUT", &*output.to_string_lossy()), ("GITHUB_STEP_SUMMARY", &*summary.to_string_lossy())];
    let told = project.with("plan --env dev -o github", &runner, None).ended(6);
    assert!(told.out.starts_with("::error title=guard/max_deletes::"), "{}", told.out);
    let outputs = std::fs::read_to_string(&output).expect("it is written");
    assert!(outputs.starts_with("environment=dev\nchanges=true\nblocked=true\n") && outputs.contains("\ndelete=1\n"), "{outputs}");
    assert!(std::fs::read_to_string(&summary).expect("it is written").starts_with("<!-- brickform:plan:shop:dev -->"));
    // Mistakes, in a project that is a folder of its repository.
    let mono = Project::new(&[
        ("data/conf/project.yaml", PROJECT),
        ("data/conf/w.yaml", WAREHOUSES),
        ("data/environments/dev.yaml", "workspace: local\n"),
    ]);
    git(&mono, &["init", "-q", "-b", "main"]);
    mono.edit("data/conf/w.yaml", "cluster_size: Small", "cluster_sise: Small");
    let ran = mono.run("validate --project-dir data -o github --report sarif=v.out").ended(1);
    assert!(ran.out.starts_with("::error file=data/conf/w.yaml,line=3,col=21,title=E0107::"), "{}", ran.out);
    let sarif: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(mono.folder.path().join("v.out")).expect("it is written")).expect("JSON");
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!((place["artifactLocation"]["uri"].as_str(), place["region"]["startLine"].as_u64()), (Some("data/conf/w.yaml"), Some(3)));
    mono.run("diff --project-dir data --report html=x.out").ended(64);
}

#[test]
fn no_line_that_somebody_wrote_is_a_command_to_a_runner() {
    let job = r#"jobs: { a: { name: a, description: "one\n::set-output name=digest::evil\n  ::warning::x ##[set-output name=y;]z ##vso[task.complete]" } }"#;
    let project =
        Project::new(&[("conf/project.yaml", "name: shop\n"), ("conf/a.yaml", job), ("environments/dev.yaml", "workspace: local\n")]);
    for variable in ["GITHUB_ACTIONS", "TF_BUILD"] {
        for form in ["text", "markdown", "json", "sarif", "junit", "html"] {
            let ran = project.with(&format!("plan --env dev -o {form}"), &[(variable, "true")], None).ended(0);
            for line in ran.out.lines().chain(ran.err.lines()) {
                let heard = line.trim_start().starts_with("::") || ["##[", "##vso["].iter().any(|word| line.contains(word));
                assert!(!heard, "{variable} {form}: {line}");
            }
            if ["json", "sarif"].contains(&form) {
                serde_json::from_str::<serde_json::Value>(&ran.out).expect("still JSON");
            }
        }
    }
    let plain = project.run("plan --env dev").ended(0);
    assert!(plain.out.contains("##vso["), "shown as it is where nobody reads along: {}", plain.out);
}

/// A commit without a project: its place is told, not the folder in which its files were for a moment.
#[test]
fn a_commit_without_a_project_is_named_by_its_commit() {
    let project = project();
    std::fs::remove_dir_all(project.folder.path().join("conf")).expect("it is there");
    std::fs::remove_dir_all(project.folder.path().join("environments")).expect("it is there");
    let commit = commit(&project, "second");
    project.write("conf/project.yaml", PROJECT);
    let ran = project.run("diff HEAD~1..HEAD").ended(64);
    let told = format!("there is no project here: no conf/project.yaml in {} or above it", &commit[..12]);
    assert!(ran.err.contains(&told) && !ran.err.contains("/brickform-"), "{}", ran.err);
}

/// Line ends of a checkout on Windows are no change of a query.
#[test]
fn line_ends_of_windows_are_no_change() {
    let project = project();
    project.write("sql/top.sql", "SELECT a\nFROM t\n");
    project.edit(
        "conf/queries.yaml",
        "    query_text: |\n      SELECT a\n      FROM t\n      ORDER BY a\n",
        "    query_text: '${file(\"sql/top.sql\")}'\n",
    );
    project.run("apply --env dev --yes").ended(0);
    project.write("sql/top.sql", "SELECT a\r\nFROM t\r\n");
    let ran = project.run("plan --env dev --detailed-exitcode").ended(0);
    assert!(ran.out.contains("no changes"), "{}", ran.out);
    project.write("sql/top.sql", "SELECT b\r\nFROM t\r\n");
    project.run("plan --env dev --detailed-exitcode").ended(2);
}

/// What cannot be written says why once, and under the name that was asked for.
#[test]
fn a_report_into_a_missing_folder_says_so_once() {
    let project = project();
    for (line, what) in [
        ("--report html=gone/x.html", "the report cannot be written to gone/x.html"),
        ("--out gone/x.json", "the plan cannot be written to gone/x.json"),
    ] {
        let ran = project.run(&format!("plan --env dev {line}")).ended(1);
        let folder = project.folder.path().join("gone");
        assert!(ran.err.contains(&format!("error: {what}: there is no folder {}\n", folder.display())), "{}", ran.err);
        assert!(!ran.err.contains(".brickform-"), "{}", ran.err);
    }
}

/// What changes something says so before it does.
#[test]
fn a_report_into_a_missing_folder_is_told_before_anything_is_sent() {
    let project = project();
    for line in ["apply --env dev --yes --report html=gone/x.html", "destroy --env dev --yes --report markdown=gone/x.md"] {
        let ran = project.run(line).ended(64);
        assert!(ran.err.contains("there is no folder") && ran.err.contains("nothing was sent"), "{}", ran.err);
        assert_eq!(ran.err.matches("gone").count(), 2, "{}", ran.err);
    }
    assert!(!project.folder.path().join(".brickform/state").exists(), "nothing was applied");
}
