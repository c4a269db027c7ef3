//! What a change of the files does in each environment, as text, JSON and a comment on a pull request.

use serde_json::{Value as Json, json};

use super::about::counts;
use super::answers::{Given, common};
use super::findings::Level;
use super::json::{step as step_json, written};
use super::markdown;
use super::style::{Label, Paint};
use super::text::{self, Look, plural};
use crate::diagnostic::Diagnostic;
use crate::diff::FieldChange;
use crate::model::{Map, Value, Variable};
use crate::plan::{Action, Plan, Step};

/// The format of the JSON; changes only when a reader of the old one would be misled.
pub const FORMAT: &str = "brickform.diff/1";

/// One side of the comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// As it was asked for: `main`, `HEAD`; `working tree`.
    pub name: String,
    /// Its commit; none: the working tree.
    pub commit: Option<String>,
}

impl Side {
    /// `main (1a2b3c4d5e6f)`.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.commit {
            Some(commit) => format!("{} ({})", self.name, commit.get(..12).unwrap_or(commit)),
            None => self.name.clone(),
        }
    }
}

/// What became of an environment.
#[derive(Debug, Clone)]
pub enum Found {
    /// It is on both sides.
    Changed(Plan),
    /// Only on the new side: everything in it is added.
    Added(Plan),
    /// Only on the old side.
    Removed,
    /// The old side has mistakes: there is nothing to compare with. How many resources the new side has.
    OldBroken(Vec<Diagnostic>, usize),
    /// The new side has mistakes.
    NewBroken(Vec<Diagnostic>),
}

/// Everything that was compared.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The project's name.
    pub project: String,
    /// What is compared.
    pub from: Side,
    /// With what.
    pub to: Side,
    /// Environments in the order of their names.
    pub environments: Vec<(String, Found)>,
    /// The command that tells it again.
    pub command: String,
}

impl Compared {
    /// Whether nothing changes anywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.environments.iter().all(|(_, found)| matches!(found, Found::Changed(plan) if plan.is_empty()))
    }

    /// Whether the new side has mistakes somewhere.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.environments.iter().any(|(_, found)| matches!(found, Found::NewBroken(_)))
    }

    /// Environments in which the same happens, together: the names, and what happens in all of them.
    fn groups(&self) -> Vec<(Vec<&str>, Found)> {
        let mut groups: Vec<(Vec<&str>, Found)> = vec![];
        for (name, found) in &self.environments {
            match groups.iter_mut().find(|(_, other)| is_same(other, found)) {
                Some((names, other)) => {
                    names.push(name);
                    share(other, found);
                }
                None => groups.push((vec![name], found.clone())),
            }
        }
        groups
    }
}

/// What objects are called in one environment only is not said of several.
fn share(all: &mut Found, one: &Found) {
    let (Found::Changed(all) | Found::Added(all), Found::Changed(one) | Found::Added(one)) = (all, one) else { return };
    for step in &mut all.steps {
        let other = one.steps.binary_search_by(|s| s.address.cmp(&step.address)).ok().map(|at| &one.steps[at].name);
        if other.is_none_or(|name| *name != step.name) {
            step.name.clear();
        }
    }
}

/// What happens to an address, but for what its object is called.
fn happens(step: &Step) -> impl PartialEq + use<'_> {
    (
        &step.address,
        step.action,
        &step.changes,
        &step.forces,
        &step.loses,
        &step.moved_from,
        &step.notes,
        &step.takes,
        &step.because,
        &step.id,
    )
}

fn done(plan: &Plan) -> Vec<&Step> {
    plan.steps.iter().filter(|s| s.action != Action::None).collect()
}

fn is_same(one: &Found, other: &Found) -> bool {
    let same = |a: &Plan, b: &Plan| {
        let (a, b) = (done(a), done(b));
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| happens(a) == happens(b))
    };
    match (one, other) {
        (Found::Changed(a), Found::Changed(b)) | (Found::Added(a), Found::Added(b)) => same(a, b),
        (Found::Removed, Found::Removed) => true,
        (Found::OldBroken(a, _), Found::OldBroken(b, _)) | (Found::NewBroken(a), Found::NewBroken(b)) => a == b,
        _ => false,
    }
}

/// References read as they are written; what a lookup answers reads `(lookup)`.
fn readable(plan: &Plan) -> Plan {
    let side = |value: &Option<Value>| value.as_ref().map(spelt);
    let change = |c: &FieldChange| FieldChange { old: side(&c.old), new: side(&c.new), applied: side(&c.applied), ..c.clone() };
    let step = |s: &Step| Step { changes: s.changes.iter().map(change).collect(), ..s.clone() };
    Plan { steps: plan.steps.iter().map(step).collect(), ..plan.clone() }
}

fn spelt(value: &Value) -> Value {
    match value {
        Value::Unknown(deferred) if !deferred.waits.iter().all(|w| matches!(w, Variable::Lookup(_))) => {
            Value::text(deferred.source.as_str())
        }
        Value::List(list) => Value::List(list.iter().map(spelt).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), spelt(v))).collect::<Map>()),
        other => other.clone(),
    }
}

/// What is said of a group in one line.
fn said(found: &Found, from: &Side, to: &Side) -> String {
    match found {
        Found::Changed(plan) => counts(plan),
        Found::Added(plan) => format!("a new environment: {}", counts(plan)),
        Found::Removed => format!("not in {}: what it manages stays in the workspace until somebody destroys it", to.words()),
        Found::OldBroken(all, resources) => format!(
            "{} has {}, so there is nothing to compare with; {} is valid ({})",
            from.words(),
            plural(errors(all), "mistake", "mistakes"),
            to.words(),
            plural(*resources as u64, "resource", "resources")
        ),
        Found::NewBroken(all) => format!("{} has {}", to.words(), plural(errors(all), "mistake", "mistakes")),
    }
}

fn errors(all: &[Diagnostic]) -> u64 {
    all.iter().filter(|d| d.is_error()).count() as u64
}

/// For a person.
#[must_use]
pub fn text(compared: &Compared, colour: bool, width: usize) -> String {
    let paint = Paint { colour };
    let mut out = format!("{} → {}\n\n", compared.from.words(), compared.to.words());
    for (names, found) in compared.groups() {
        let same = if names.len() > 1 { " (the same in each)" } else { "" };
        out.push_str(&format!(
            "{}: {}{same}\n",
            paint.label(Label::Heading, &names.join(", ")),
            said(&found, &compared.from, &compared.to)
        ));
        if let Found::Changed(plan) | Found::Added(plan) = &found {
            let look = Look {
                colour,
                width,
                unmanaged: false,
                requests: false,
                drift: false,
                saved: false,
                millis: None,
                sorts: None,
                given: Given::Nothing,
            };
            out.push_str(&text::steps(&readable(plan), &look));
        }
        out.push('\n');
    }
    let (mut changed, mut same, mut broken) = (0, 0, 0);
    for (_, found) in &compared.environments {
        match found {
            Found::Changed(plan) if plan.is_empty() => same += 1,
            Found::OldBroken(..) | Found::NewBroken(_) => broken += 1,
            Found::Changed(_) | Found::Added(_) | Found::Removed => changed += 1,
        }
    }
    let broken = if broken == 0 { String::new() } else { format!(", {broken} not compared") };
    out.push_str(&format!(
        "{} changed, {same} unchanged{broken}. Files alone say this: `brickform plan` compares with the workspace.\n",
        plural(changed, "environment", "environments")
    ));
    out
}

/// For a program.
#[must_use]
pub fn json(compared: &Compared) -> String {
    let side = |side: &Side| json!({ "revision": side.name, "commit": side.commit });
    let mut first: std::collections::BTreeMap<&str, &str> = std::collections::BTreeMap::new();
    for (names, _) in compared.groups() {
        for name in &names {
            first.insert(name, names[0]);
        }
    }
    let environments: Vec<Json> = compared
        .environments
        .iter()
        .map(|(name, found)| {
            let same = first.get(name.as_str()).filter(|other| *other != name);
            let (status, plan, diagnostics) = match found {
                Found::Changed(plan) if plan.is_empty() => ("unchanged", Some(plan), None),
                Found::Changed(plan) => ("changed", Some(plan), None),
                Found::Added(plan) => ("added", Some(plan), None),
                Found::Removed => ("removed", None, None),
                Found::OldBroken(all, _) => ("old_broken", None, Some(all)),
                Found::NewBroken(all) => ("new_broken", None, Some(all)),
            };
            json!({
                "environment": name,
                "status": status,
                "same_as": same,
                "counts": plan.map(Plan::counts),
                "steps": plan.map(steps).unwrap_or_default(),
                "diagnostics": diagnostics.map_or_else(|| json!([]), |all| super::diagnostics::list(all)),
            })
        })
        .collect();
    written(&json!({
        "format": FORMAT, "project": compared.project, "from": side(&compared.from), "to": side(&compared.to),
        "empty": compared.is_empty(), "environments": environments,
    }))
}

/// Steps without what only a workspace gives them.
fn steps(plan: &Plan) -> Vec<Json> {
    let shown = plan.steps.iter().filter(|s| s.action != Action::None);
    shown
        .map(|step| {
            let mut value = step_json(step, &common(&plan.environment, Given::Nothing), false);
            if let Some(members) = value.as_object_mut() {
                for name in ["link", "calls", "delete_calls", "waits", "after", "delete_after", "blocks"] {
                    members.remove(name);
                }
            }
            value
        })
        .collect()
}

/// Where a mistake is (`FILE:LINE:COLUMN`, or nothing), and what it is.
type Mistake = (String, String);

/// Environments in which the same happens, in words, with the steps or what stands in their way.
type Told<'a> = (Vec<&'a str>, String, Option<Plan>, Vec<Mistake>);

fn mistakes(all: &[Diagnostic]) -> Vec<Mistake> {
    let found = super::findings::of_diagnostics(all).into_iter().filter(|f| f.level == Level::Error);
    found.map(|f| (f.span.as_ref().map(crate::diagnostic::Span::cite).unwrap_or_default(), f.message)).collect()
}

/// A comment on a pull request.
#[must_use]
pub fn markdown(compared: &Compared) -> String {
    let readable: Vec<Told<'_>> = compared
        .groups()
        .into_iter()
        .map(|(names, found)| {
            let (plan, wrong) = match &found {
                Found::Changed(plan) | Found::Added(plan) => (Some(readable(plan)), vec![]),
                Found::OldBroken(all, _) | Found::NewBroken(all) => (None, mistakes(all)),
                Found::Removed => (None, vec![]),
            };
            (names, said(&found, &compared.from, &compared.to), plan, wrong)
        })
        .collect();
    let sections: Vec<markdown::Section<'_>> = readable
        .iter()
        .map(|(names, said, plan, wrong)| markdown::Section { title: names.join(", "), said: said.clone(), plan: plan.as_ref(), wrong })
        .collect();
    let title = format!("{} → {}", compared.from.words(), compared.to.words());
    markdown::sections(&compared.project, &title, &sections, &compared.command)
}
