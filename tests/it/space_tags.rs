//! Tags of Genie spaces: `tags:` beside the space, owned key by key.

use brickform::local::LocalOptions;

use super::cli::Project;
use super::walk::Served;

fn project(tags: &str) -> Project {
    let project = Project::new(&[("conf/project.yaml", "name: shop\n"), ("environments/dev.yaml", "workspace: local\n")]);
    project.write("spaces/sales.yaml", &space(tags));
    project
}

fn space(tags: &str) -> String {
    format!(
        "spaces:\n  sales:\n    title: Sales\n    warehouse_id: 475b94ddc7cd5211\n    parent_path: /Workspace/Shared\n    tables: [samples.tpch.orders]\n{tags}"
    )
}

#[test]
fn tags_come_with_the_space_change_and_go_key_by_key() {
    let project = project("    tags: { team: sales, tier: gold }\n");
    let plan = project.run("plan --env dev").ended(0);
    assert!(plan.out.contains("team") && plan.out.contains("gold"), "{}", plan.out);
    project.run("apply --env dev --yes").ended(0);
    project.run("plan --env dev --detailed-exitcode").ended(0);

    project.write("spaces/sales.yaml", &space("    tags: { team: ops, certified: '' }\n"));
    let plan = project.run("plan --env dev --requests").ended(0);
    for request in
        ["PATCH  /api/2.0/entity-tag-assignments", "POST   /api/2.0/entity-tag-assignments", "DELETE /api/2.0/entity-tag-assignments"]
    {
        assert!(plan.out.contains(request), "{request}\n{}", plan.out);
    }
    assert!(!plan.out.contains("/genie/spaces"), "nothing of the space itself is sent\n{}", plan.out);
    project.run("apply --env dev --yes").ended(0);
    project.run("plan --env dev --detailed-exitcode").ended(0);

    // A list of words is the same as keys without values.
    project.write("spaces/sales.yaml", &space("    tags: [certified]\n"));
    project.run("apply --env dev --yes").ended(0);
    let shown = project.run("show spaces.sales/tags --env dev --live -o json").ended(0);
    assert!(shown.out.contains("\"certified\": \"\"") && !shown.out.contains("\"team\""), "{}", shown.out);

    // Left out they are left as they are, and `{}` takes away what was set here.
    project.write("spaces/sales.yaml", &space("    tags: {}\n"));
    let plan = project.run("plan --env dev --requests").ended(0);
    assert!(plan.out.contains("DELETE /api/2.0/entity-tag-assignments/geniespaces/"), "{}", plan.out);
    project.run("apply --env dev --yes").ended(0);
    project.run("destroy --env dev --yes --allow-delete spaces").ended(0);
}

#[test]
fn an_overlay_changes_one_tag_and_export_writes_them() {
    let project = project("    tags: { team: sales, tier: gold }\n");
    project.write("environments/dev.yaml", "workspace: local\nresources:\n  spaces: { sales: { tags: { tier: bronze } } }\n");
    project.run("apply --env dev --yes").ended(0);
    let rendered = project.run("render --env dev").ended(0);
    assert!(rendered.out.contains("tier: bronze") && rendered.out.contains("team: sales"), "{}", rendered.out);
    let explained = project.run("explain spaces.sales.tags.tier --env dev").ended(0);
    assert!(explained.out.contains("bronze") && explained.out.contains("environments/dev.yaml"), "{}", explained.out);
}

/// Genie-Forge's files have `tags` and never send them. Here they are sent, and the plan says so.
#[test]
fn tags_of_genie_forges_files_are_on_the_plan() {
    let project = project("");
    project.write(
        "spaces/sales.yaml",
        "version: 1\nspaces:\n  - space_id: sales\n    title: Sales\n    warehouse_id: 475b94ddc7cd5211\n    author: ada\n    tags: { team: sales }\n    data_sources:\n      tables: [{ identifier: samples.tpch.orders }]\n",
    );
    let plan = project.run("plan --env dev --requests").ended(0);
    assert!(plan.out.contains("POST   /api/2.0/entity-tag-assignments"), "{}\n{}", plan.out, plan.err);
    project.run("apply --env dev --yes").ended(0);
    project.run("plan --env dev --detailed-exitcode").ended(0);
}

#[test]
fn mistakes_are_told_at_their_line() {
    for (tags, said) in [
        ("    tags: { cost-center: x }\n", "write `cost_center`"),
        ("    tags: gold\n", "`tags` is a map, or a list of words, not text"),
        ("    tags: [gold, { team: sales }]\n", "spaces/sales.yaml:7"),
        ("    tags: { team: { a: b } }\n", "spaces/sales.yaml:7"),
    ] {
        let ran = project(tags).run("validate --env dev").ended(1);
        assert!(ran.err.contains(said) || ran.out.contains(said), "{tags}\n{}{}", ran.out, ran.err);
    }
}

/// A tag that was set although no answer came is ours: it is neither refused as somebody else's nor forgotten.
#[test]
fn a_tag_whose_answer_was_lost_has_an_owner() {
    for times in [1, 9] {
        let fault = format!("after:POST:/api/2.0/entity-tag-assignments:times={times}").parse().expect("a fault");
        let served = Served::with(LocalOptions { faults: vec![fault], ..LocalOptions::default() });
        let project = Project::new(&[("conf/project.yaml", "name: shop\n"), ("environments/dev.yaml", "workspace: {}\n")]);
        let run = |line: &str| project.with(line, &[("DATABRICKS_HOST", &served.url), ("DATABRICKS_TOKEN", "any")], None);
        let tags = |tags: &str| format!("workspace_tags:\n  w: {{ entity_type: dashboards, entity_id: '1', tags: {tags} }}\n");
        project.write("conf/tags.yaml", &tags("{ a: '1' }"));
        let first = run("apply --env dev --yes");
        if times == 1 {
            assert_eq!(first.code, 0, "{}{}", first.out, first.err);
        }
        project.write("conf/tags.yaml", &tags("{ b: '3' }"));
        let plan = run("plan --env dev --requests");
        assert!(plan.out.contains("DELETE /api/2.0/entity-tag-assignments/dashboards/1"), "{times}: {}{}", plan.out, plan.err);
    }
}

/// A tag that somebody else took away in the meantime is taken away.
#[test]
fn a_tag_that_is_gone_already_is_removed() {
    let fault = "after:DELETE:/api/2.0/entity-tag-assignments/*".parse().expect("a fault");
    let served = Served::with(LocalOptions { faults: vec![fault], ..LocalOptions::default() });
    let project = Project::new(&[("conf/project.yaml", "name: shop\n"), ("environments/dev.yaml", "workspace: {}\n")]);
    let run = |line: &str| project.with(line, &[("DATABRICKS_HOST", &served.url), ("DATABRICKS_TOKEN", "any")], None);
    let tags = |tags: &str| format!("workspace_tags:\n  w: {{ entity_type: dashboards, entity_id: '1', tags: {tags} }}\n");
    project.write("conf/tags.yaml", &tags("{ a: '1', b: '2' }"));
    run("apply --env dev --yes").ended(0);
    project.write("conf/tags.yaml", &tags("{ b: '2' }"));
    run("apply --env dev --yes").ended(0);
    run("plan --env dev --detailed-exitcode").ended(0);
}
