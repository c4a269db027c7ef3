//! One command over several environments in every form: one document, whatever becomes of each.

use super::cli::Project;

const FILES: &[(&str, &str)] = &[
    ("conf/project.yaml", "name: shop\n"),
    ("conf/all.yaml", "directories: { raw: { path: /Shared/raw } }\nwarehouses: { bi: { name: bi, cluster_size: Small } }\n"),
    ("environments/dev.yaml", "workspace: local\n"),
    ("environments/prod-eu.yaml", "workspace: local\n"),
    ("environments/prod-mid.yaml", "workspace: local\nguards: { nonsense: 1 }\n"),
    ("environments/prod-us.yaml", "workspace: local\n"),
];

fn read(project: &Project, name: &str) -> String {
    std::fs::read_to_string(project.folder.path().join(name)).unwrap_or_else(|_| panic!("{name} is written"))
}

#[test]
fn each_form_is_one_document_of_all_environments() {
    let project = Project::new(FILES);
    let run = |form: &str| project.run(&format!("plan --env prod-* -o {form}")).ended(1);
    let sarif: serde_json::Value = serde_json::from_str(&run("sarif").out).expect("one document");
    let ids: Vec<&str> = sarif["runs"].as_array().expect("runs").iter().filter_map(|r| r["automationDetails"]["id"].as_str()).collect();
    assert_eq!(ids, ["brickform/plan/prod-eu/", "brickform/plan/prod-mid/", "brickform/plan/prod-us/"]);
    assert_eq!(sarif["runs"][1]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "environments/prod-mid.yaml");
    let junit = run("junit").out;
    assert_eq!((junit.matches("<?xml").count(), junit.matches("<testsuite ").count()), (1, 3), "{junit}");
    assert!(junit.contains("<testsuite name=\"brickform plan prod-mid\" tests=\"1\" failures=\"1\""), "{junit}");
    let github = run("github");
    assert_eq!(github.out.matches("::error ").count(), 1, "{}", github.out);
    assert!(github.out.contains("::prod-mid: "), "{}", github.out);
    let comment = run("markdown").out;
    assert!(
        comment.starts_with("<!-- brickform:plan:shop:all -->\n## Brickform · 3 environments: 1 failed, 2 with changes\n"),
        "{comment}"
    );
    assert!(comment.contains("### prod-eu, prod-us: 2 to add") && comment.contains("brickform plan --env 'prod-*'"), "{comment}");
    let page = run("html").out;
    assert_eq!((page.matches("<!DOCTYPE html>").count(), page.matches("class=\"plan\" data-env=").count()), (1, 3));
    assert!(page.contains("<a href=\"#@prod-mid\"") && page.contains("No plan: "), "{}", &page[..3000]);
    // The table is for people, beside the document.
    assert!(run("junit").err.contains("Environments (3)"));
}

#[test]
fn reports_without_the_environment_in_their_name_are_of_all() {
    let project = Project::new(FILES);
    let line = "plan --env dev,prod-eu --report markdown=all.md.out --report html=all.html.out --report sarif=all.sarif.out --report junit={env}.junit.out --out {env}.plan.out";
    project.run(line).ended(0);
    assert!(read(&project, "all.md.out").contains("| **prod-eu** | 2 to add |"));
    assert!(read(&project, "all.html.out").contains("2 environments: 2 with changes"));
    assert!(read(&project, "all.sarif.out").contains("brickform/plan/prod-eu/"));
    assert!(read(&project, "dev.junit.out").contains("<testsuite name=\"brickform plan dev\""));
    // Of text and JSON there is one each.
    let refused = project.run("plan --env dev,prod-eu --report json=all.out").ended(64);
    assert!(refused.err.contains("would be written by each environment anew"), "{}", refused.err);
    // The saved plans are carried out one by one.
    let refused = project.run("apply --env dev,prod-eu dev.plan.out --yes").ended(64);
    assert!(refused.err.contains("{env}.plan.json"), "{}", refused.err);
    let applied = project.run("apply --env dev,prod-eu {env}.plan.out --yes -o markdown --report html=done.out").ended(0);
    assert!(applied.out.contains("<summary>prod-eu</summary>") && applied.out.contains("Applied 2 steps"), "{}", applied.out);
    assert!(read(&project, "done.out").contains("aria-label=\"Result in prod-eu\""));
    let again = project.run("apply --env dev,prod-eu {env}.plan.out --yes -o junit").ended(7);
    assert!(again.out.contains("tests=\"1\" failures=\"1\"") && again.out.contains("skipped=\"1\""), "{}", again.out);
}

#[test]
fn where_nothing_can_be_planned_the_comment_and_the_findings_say_why() {
    let project = Project::new(FILES);
    project.edit("conf/all.yaml", "cluster_size", "cluster_sise");
    let reports = "--report markdown=c.out --report sarif=s.out --report junit=j.out --report html=h.out";
    let failed = project.run(&format!("plan --env dev -o sarif {reports}")).ended(1);
    let sarif: serde_json::Value = serde_json::from_str(&failed.out).expect("JSON");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "E0107");
    assert_eq!(failed.out, read(&project, "s.out"));
    let comment = read(&project, "c.out");
    assert!(comment.starts_with("<!-- brickform:plan:shop:dev -->\n## Brickform · dev: no plan\n\n- `conf/all.yaml:2`: "), "{comment}");
    assert!(comment.contains("cluster\\_sise") && comment.contains("  - did you mean"), "{comment}");
    assert!(read(&project, "j.out").contains("failures=\"1\""));
    assert!(!project.folder.path().join("h.out").exists(), "there is no page of nothing");
    // Wrong usage is nobody's finding.
    let usage = project.run("plan --env nowhere -o sarif --report markdown=n.out").ended(64);
    assert!(usage.out.is_empty() && !project.folder.path().join("n.out").exists(), "{}", usage.out);
    // Annotations come once, and stand where the repository has the file.
    let read_along = project.with("validate --env dev -o github", &[("GITHUB_ACTIONS", "true")], None).ended(1);
    assert_eq!((read_along.out.matches("::error ").count(), read_along.err.matches("::error ").count()), (1, 0), "{}", read_along.err);
}

/// The comment of several environments has the mistakes at their lines, as that of one has.
#[test]
fn the_comment_of_several_environments_says_what_is_wrong_and_where() {
    let project = Project::new(FILES);
    project.edit("conf/all.yaml", "cluster_size", "cluster_sise");
    let failed = project.run("plan --env dev,prod-eu -o markdown").ended(1);
    for want in ["### dev, prod-eu: no plan\n\n- `conf/all.yaml:2`: ", "cluster\\_sise", "  - did you mean"] {
        assert!(failed.out.contains(want), "{want}\n{}", failed.out);
    }
}

/// GitHub takes nothing of a summary above 1 MiB.
#[test]
fn a_step_summary_stays_within_what_github_takes() {
    let project = Project::new(FILES);
    let file = project.folder.path().join("summary.out");
    std::fs::write(&file, vec![b'x'; 1_048_576 - 300]).expect("a file");
    let runner = [("GITHUB_STEP_SUMMARY", &*file.to_string_lossy())];
    project.with("plan --env dev,prod-eu,prod-us -o github", &runner, None).ended(0);
    let text = std::fs::read_to_string(&file).expect("it is there");
    assert!(text.len() <= 1_048_576, "{}", text.len());
    assert!(text.ends_with("dev: 2 to add. There is no room for more in this summary.\n\n") || text.contains("There is no room for more"));
}
