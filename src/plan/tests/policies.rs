//! Policies: whom they are asked of, what is said, what lifts them.

use super::{World, at, found, verdict};
use crate::diagnostic::{Source, Span};
use crate::model::{Deferred, Path, Reference, Value};
use crate::plan::Action;
use crate::project::{Policy, PolicyLevel};

fn policy(name: &str, expression: &str) -> Policy {
    let source = std::sync::Arc::new(Source { name: "conf/project.yaml".to_owned(), text: expression.to_owned() });
    Policy {
        name: name.to_owned(),
        expression: expression.to_owned(),
        condition: None,
        kinds: vec![],
        level: PolicyLevel::Deny,
        undecided: PolicyLevel::Deny,
        message: None,
        span: Span::new(&source, 0, 1),
    }
}

#[test]
fn three_policies_of_a_real_project() {
    let owner = Policy { kinds: vec!["jobs"], ..policy("owner", "'owner' in (step.body.tags | default({}))") };
    let autostop =
        Policy { condition: Some("env.name == 'prod'".to_owned()), ..policy("stop", "step.body.auto_stop_mins | default(0) > 0") };
    let size = policy("size", "step.kind != 'warehouses' or step.body.cluster_size in ['Small', 'Medium']");
    for (address, body, environment, want) in [
        ("jobs.a", r#"{"name":"a"}"#, "dev", vec!["owner"]),
        ("jobs.a", r#"{"name":"a","tags":{"owner":"x"}}"#, "dev", vec![]),
        ("warehouses.w", r#"{"name":"w","cluster_size":"Large","auto_stop_mins":0}"#, "dev", vec!["size"]),
        ("warehouses.w", r#"{"name":"w","cluster_size":"Large","auto_stop_mins":0}"#, "prod", vec!["stop", "size"]),
        ("warehouses.w", r#"{"name":"w","cluster_size":"Small","auto_stop_mins":5}"#, "prod", vec![]),
    ] {
        let mut world = World::new();
        world.environment.name = environment.to_owned();
        world.want(address, body);
        world.see(address, crate::refresh::Live::Absent);
        world.policies = vec![owner.clone(), autostop.clone(), size.clone()];
        let step = world.step(address);
        let names: Vec<&str> =
            ["owner", "stop", "size"].into_iter().filter(|n| step.blocks.iter().any(|b| b.reason.contains(&format!("`{n}`")))).collect();
        assert_eq!(names, want, "{address} {environment}: {:?}", step.blocks);
        assert!(step.blocks.iter().all(|b| b.guard == "policy" && b.reason.contains("(conf/project.yaml:1)") && b.remedy.len() == 1));
    }
}

#[test]
fn what_breaks_a_policy_is_cited_where_the_file_says_it() {
    let text = "name: a\ntags:\n  owner: ana\n".to_owned();
    let source = std::sync::Arc::new(Source { name: "conf/a.yaml".to_owned(), text });
    let node = std::sync::Arc::new(crate::yaml::parse(&source).unwrap().remove(0));
    for (expression, want) in [
        ("step.body.tags.owner == 'bo'", "jobs.a (conf/a.yaml:3): policy `p` (conf/project.yaml:1) does not hold"),
        ("step.body.comment | default('') != ''", "jobs.a (conf/x.yaml:1): policy `p`"),
        ("step.action != 'create'", "jobs.a (conf/x.yaml:1): policy `p`"),
    ] {
        let mut world = World::new();
        world.want("jobs.a", r#"{"name":"a","tags":{"owner":"ana"}}"#).node = std::sync::Arc::clone(&node);
        world.see("jobs.a", crate::refresh::Live::Absent);
        world.policies = vec![policy("p", expression)];
        let reason = world.step("jobs.a").blocks[0].reason.clone();
        assert!(reason.starts_with(want), "{expression}: {reason}");
    }
}

#[test]
fn levels_and_overrides() {
    let mut world = World::new();
    world.want("jobs.a", r#"{"name":"a"}"#);
    world.see("jobs.a", crate::refresh::Live::Absent);
    world.policies = vec![policy("no", "step.action != 'create'")];
    assert_eq!(verdict(&world.step("jobs.a")), (Action::Create, vec!["policy"]));
    world.options.allow_policies = vec!["no".to_owned()];
    assert_eq!(verdict(&world.step("jobs.a")), (Action::Create, vec![]));
    world.options.allow_policies = vec![];
    world.policies[0].level = PolicyLevel::Warn;
    let plan = world.plan();
    assert!(!plan.is_blocked() && plan.warnings.len() == 1, "{:?}", plan.warnings);
}

#[test]
fn a_policy_about_the_plan_is_asked_once_and_of_deletes_too() {
    let mut world = World::new();
    for job in ["a", "b"] {
        world.hold(&format!("jobs.{job}"), job, r#"{"name":"a"}"#);
        world.see(&format!("jobs.{job}"), found(job, r#"{"name":"a"}"#));
    }
    world.policies = vec![policy("few", "changes.delete < 2"), policy("body", "step.body.name == 'never asked of what goes away'")];
    let plan = world.plan();
    assert_eq!(plan.blocks.len(), 1, "{:?}", plan.blocks);
    assert!(plan.blocks[0].reason.starts_with("the plan: policy `few`"), "{:?}", plan.blocks);
    assert!(plan.steps.iter().all(|s| s.action == Action::Delete && s.blocks.is_empty()));
}

#[test]
fn what_is_not_known_yet_leaves_a_policy_undecided() {
    let mut world = World::new();
    world.want("warehouses.w", r#"{"name":"w"}"#);
    world.see("warehouses.w", crate::refresh::Live::Absent);
    let unknown = Value::Unknown(Deferred::of(Reference { address: at("warehouses.w"), path: Path::field("id") }).into());
    world.want_value("queries.q", Value::map([("display_name", Value::from("q")), ("warehouse_id", unknown)]));
    world.see("queries.q", crate::refresh::Live::Absent);
    for (expression, undecided, blocked, warned) in [
        ("step.body.warehouse_id != 'x'", PolicyLevel::Deny, true, false),
        ("step.body.warehouse_id != 'x'", PolicyLevel::Warn, false, true),
        ("step.body | length > 0", PolicyLevel::Deny, true, false),
        ("step.body.display_name == 'q'", PolicyLevel::Deny, false, false),
    ] {
        world.policies = vec![Policy { kinds: vec!["queries"], undecided, ..policy("p", expression) }];
        let plan = world.plan();
        assert_eq!((plan.is_blocked(), !plan.warnings.is_empty()), (blocked, warned), "{expression} {undecided:?}");
        let said = plan.steps.iter().flat_map(|s| &s.blocks).chain(&plan.warnings).next();
        assert!(said.is_none_or(|b| b.reason.contains("cannot be decided before apply: `warehouse_id` is not known yet")), "{said:?}");
    }
}
