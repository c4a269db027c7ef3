//! Policies held against a plan: what is in scope, which steps are asked, what cannot be decided yet.
//!
//! A policy that mentions `step` is asked of every step that does something; any other once, of the plan. An expression
//! that mentions a field which is known only after apply, or a secret, is not evaluated: it is undecided.

use super::guards::{Lifted, unless};
use super::step::block;
use super::{Action, Block, Inputs, Plan, Step};
use crate::model::{Map, Path, Step as Part, Value};
use crate::project::{Policy, PolicyLevel, Resource};

/// How many messages of one policy are listed.
const MOST: usize = 50;

/// Adds blocks (deny) and warnings.
pub(super) fn check(plan: &mut Plan, inputs: &Inputs<'_>) {
    let plan_names = of_plan(plan, inputs);
    for policy in inputs.policies {
        let allowed = inputs.options.allow_policies.contains(&policy.name);
        if policy.is_about_plan() {
            if let Some((level, found)) = ask(policy, "", &plan_names, None) {
                place(level, found, allowed, &mut plan.blocks, (&mut plan.warnings, &mut plan.lifted));
            }
            continue;
        }
        let mut said = 0;
        for step in plan.steps.iter_mut().filter(|s| s.action != Action::None) {
            let mut names = plan_names.clone();
            names.insert("step".to_owned(), of_step(step));
            if !leaves_a_body(step) && policy.mentions("body") {
                continue;
            }
            let told = inputs.desired.resources.get(&step.address).map(|resource| place_of(policy, resource));
            let Some((level, found)) = ask(policy, &step.kind, &names, Some((step, told))) else { continue };
            said += 1;
            if said <= MOST || level == PolicyLevel::Deny {
                place(level, found, allowed, &mut step.blocks, (&mut plan.warnings, &mut plan.lifted));
            }
        }
    }
}

fn place(level: PolicyLevel, found: Block, allowed: bool, blocks: &mut Vec<Block>, (warnings, lifted): (&mut Vec<Block>, &mut Lifted)) {
    match level {
        PolicyLevel::Deny => blocks.extend(unless(allowed, found, lifted)),
        PolicyLevel::Warn if allowed => {}
        PolicyLevel::Warn => warnings.push(Block { remedy: vec![], ..found }),
    }
}

/// What a policy says; none where it holds or does not speak of this.
fn ask(policy: &Policy, kind: &str, names: &Map, of: Option<(&Step, Option<String>)>) -> Option<(PolicyLevel, Block)> {
    let (step, place) = of.unzip();
    let place = place.flatten().map(|place| format!(" ({place})")).unwrap_or_default();
    let whom = step.map_or_else(|| "the plan".to_owned(), |s| format!("{}{place}", s.address));
    let said = |what: String| {
        let reason = format!("{whom}: policy `{}` ({}) {what}", policy.name, policy.span.cite());
        block("policy", reason, vec![format!("--allow-policy {}", policy.name)])
    };
    if !policy.kinds.is_empty() && !policy.kinds.contains(&kind) {
        return None;
    }
    let undecided = |path: &Path| said(format!("cannot be decided before apply: `{path}` is not known yet"));
    if let Some(path) = step.and_then(|s| waits(&policy.condition_paths(), s)) {
        return Some((policy.undecided, undecided(&path)));
    }
    match policy.speaks_of(kind, names) {
        Ok(false) => return None,
        Ok(true) => {}
        Err(why) => return Some((policy.level, said(format!("cannot be evaluated: its `where`: {why}")))),
    }
    if let Some(path) = step.and_then(|s| waits(&policy.body_paths(), s)) {
        return Some((policy.undecided, undecided(&path)));
    }
    let verdict = policy.holds(names);
    match verdict {
        Ok(true) => None,
        Ok(false) => {
            let message = policy.message.clone().unwrap_or_else(|| format!("`{}`", policy.expression));
            Some((policy.level, said(format!("does not hold: {message}"))))
        }
        Err(why) => Some((policy.level, said(format!("cannot be evaluated: {why}")))),
    }
}

/// Where the file says what a policy looks at: the field, else the resource.
fn place_of(policy: &Policy, resource: &Resource) -> String {
    let told = |names: &Vec<String>| {
        let node = names.iter().try_fold(&*resource.node, |node, name| node.get(name))?;
        (!names.is_empty()).then(|| node.span.cite())
    };
    policy.body_paths().iter().find_map(told).unwrap_or_else(|| resource.span.cite())
}

/// A field among those mentioned that waits: known only after apply, or secret.
fn waits(mentioned: &[Vec<String>], step: &Step) -> Option<Path> {
    let mut found = None;
    step.desired.as_ref()?.each_deferred(&mut Path::root(), &mut |path, _| {
        let fields = fields(path);
        let touches = |asked: &Vec<String>| asked.iter().zip(&fields).all(|(a, b)| a == b);
        if found.is_none() && mentioned.iter().any(touches) {
            found = Some(path.clone());
        }
    });
    found
}

/// The names of fields down to the first item of a list.
fn fields(path: &Path) -> Vec<String> {
    let names = path.steps().iter().map_while(|part| if let Part::Field(name) = part { Some(name.clone()) } else { None });
    names.collect()
}

fn leaves_a_body(step: &Step) -> bool {
    !matches!(step.action, Action::Delete | Action::Forget) && step.desired.is_some()
}

fn of_plan(plan: &Plan, inputs: &Inputs<'_>) -> Map {
    let counts = plan.counts();
    let number = |n: usize| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let changes = Value::map([
        ("add", number(counts.add)),
        ("change", number(counts.change)),
        ("replace", number(counts.replace)),
        ("delete", number(counts.delete)),
        ("adopt", number(counts.adopt)),
        ("moved", number(counts.moved)),
        ("forget", number(counts.forget)),
        ("drifted", number(counts.drifted)),
        ("total", number(counts.total)),
    ]);
    let environment = [
        ("name", Value::text(plan.environment.as_str())),
        ("host", Value::text(inputs.workspace.host.as_str())),
        ("destroy", Value::Bool(plan.destroy)),
    ];
    [
        ("env".to_owned(), Value::map(environment)),
        ("changes".to_owned(), changes),
        ("project".to_owned(), Value::map([("name", Value::text(plan.project.as_str()))])),
    ]
    .into_iter()
    .collect()
}

fn of_step(step: &Step) -> Value {
    let action = serde_json::to_value(step.action).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    let changed: Vec<Value> = step.changes.iter().map(|c| Value::Text(c.path.to_string())).collect();
    Value::map([
        ("address", Value::Text(step.address.to_string())),
        ("kind", Value::text(step.kind.as_str())),
        ("key", Value::text(step.address.key.as_str())),
        ("action", Value::Text(action)),
        ("name", Value::text(step.name.as_str())),
        ("id", step.id.as_deref().map_or(Value::Null, Value::text)),
        ("changed", Value::List(changed)),
        ("kept", Value::List(step.kept.iter().map(|c| Value::Text(c.path.to_string())).collect())),
        ("body", step.desired.clone().unwrap_or_else(|| Value::Map(Map::new()))),
    ])
}
