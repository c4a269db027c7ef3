//! What stands in the way or needs a look, each with its place in the files: what SARIF, `JUnit` and annotations are written from.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answers::{Given, answers, common};
use super::item::said;
use super::value::inline;
use crate::apply::{Outcome, Report};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::diff::{FieldChange, Reason};
use crate::model::url::masked;
use crate::model::{Address, Path};
use crate::plan::{Block, DELETED, Plan, Step};
use crate::project::Desired;
use crate::yaml::Node;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing is applied while it stands.
    Error,
    /// Worth a look.
    Warning,
}

impl Level {
    /// The word of annotations and of SARIF.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// A code of diagnostics, `guard/data_loss`, `drift`, `conflict`, `failed`, `stopped`.
    pub rule: String,
    /// How bad.
    pub level: Level,
    /// What is the matter.
    pub message: String,
    /// What to do, each a line.
    pub help: Vec<String>,
    /// Whose.
    pub address: Option<String>,
    /// Where in the files; none where no file says it (any more).
    pub span: Option<Span>,
}

/// Where addresses and their fields are declared.
#[derive(Debug, Clone, Default)]
pub struct Places(BTreeMap<Address, (Span, Arc<Node>)>);

impl Places {
    /// Of everything desired.
    #[must_use]
    pub fn of(desired: &Desired) -> Self {
        Self(desired.resources.iter().map(|(a, r)| (a.clone(), (r.span.clone(), Arc::clone(&r.node)))).collect())
    }

    /// Where a field is set, else where the address is declared, else where what it is a part of is.
    #[must_use]
    pub fn at(&self, address: &Address, path: Option<&Path>) -> Option<Span> {
        let (span, node) = self.0.get(address).or_else(|| self.0.get(&address.parent()))?;
        Some(path.map_or_else(|| span.clone(), |path| node.nearest(path).span.clone()))
    }
}

/// Mistakes in the files.
#[must_use]
pub fn of_diagnostics(diagnostics: &[Diagnostic]) -> Vec<Finding> {
    let one = |d: &Diagnostic| Finding {
        rule: d.code.to_owned(),
        level: match d.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        },
        message: masked(&d.message).into_owned(),
        help: d.help.iter().map(|help| masked(help).into_owned()).collect(),
        address: None,
        span: d.labels.first().map(|label| label.span.clone()),
    };
    diagnostics.iter().map(one).collect()
}

/// Guards, conflicts, drift and warnings of a plan, in the order of the plan.
#[must_use]
pub fn of_plan(plan: &Plan, places: &Places, given: Given<'_>) -> Vec<Finding> {
    let common = common(&plan.environment, given);
    let guard = |block: &Block, level: Level, step: Option<&Step>| Finding {
        rule: format!("guard/{}", block.guard),
        level,
        message: block.reason.clone(),
        help: block.remedy.clone(),
        address: step.map(|s| s.address.to_string()),
        span: block.place.clone().or_else(|| step.and_then(|s| places.at(&s.address, s.cause()))),
    };
    let mut found: Vec<Finding> = plan.blocks.iter().map(|b| guard(b, Level::Error, None)).collect();
    for step in &plan.steps {
        found.extend(step.blocks.iter().map(|b| guard(b, Level::Error, Some(step))));
        found.extend(drift(step, &common, places));
    }
    found.extend(plan.warnings.iter().map(|b| guard(b, Level::Warning, None)));
    found
}

fn drift(step: &Step, common: &str, places: &Places) -> Vec<Finding> {
    let one = |rule: &str, message: String, path: Option<&Path>| Finding {
        rule: rule.to_owned(),
        level: Level::Warning,
        message,
        help: answers(step, common),
        address: Some(step.address.to_string()),
        span: places.at(&step.address, path),
    };
    if step.because.as_deref() == Some(DELETED) {
        return vec![one("drift", format!("{} was deleted in the workspace", step.address), None)];
    }
    let told = |c: &FieldChange| {
        let side = |value: &Option<crate::model::Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), inline);
        let rule = match c.reason {
            Reason::Drift => "drift",
            Reason::Conflict => "conflict",
            Reason::Changed | Reason::Removed => return None,
        };
        let words = format!("{} {}: the workspace has {}, the files say {}", step.address, said(&c.path), side(&c.old), side(&c.new));
        Some(one(rule, words, Some(&c.path)))
    };
    step.changes.iter().filter_map(told).collect()
}

/// Steps that an apply could not do.
#[must_use]
pub fn of_report(report: &Report, places: &Places) -> Vec<Finding> {
    let one = |result: &crate::apply::StepResult| {
        let Outcome::Failed(failure) = &result.outcome else { return None };
        let words = super::outcome::message(result, failure);
        let answer = failure.error.as_ref().filter(|error| !words.contains(error.message.as_str()));
        let said = answer.map(|e| format!(": {} {}", e.code, e.message)).unwrap_or_default();
        Some(Finding {
            rule: "failed".to_owned(),
            level: Level::Error,
            message: format!("{}: {words}{said}", result.address),
            help: failure.help.clone(),
            address: Some(result.address.to_string()),
            span: places.at(&result.address, None),
        })
    };
    report.results.iter().filter_map(one).collect()
}

/// What a rule is about, in a sentence.
#[must_use]
pub fn about(rule: &str) -> String {
    let words = match rule {
        "drift" => "The workspace was changed behind the project's back.",
        "conflict" => "A field was changed in the files and in the workspace, differently.",
        "failed" => "A step of an apply could not be done.",
        "stopped" => "The command could not go on.",
        "guard/exists" => "What would be created is in the workspace already.",
        "guard/prevent_destroy" => "It is protected by `lifecycle.prevent_destroy`.",
        "guard/protected_kind" => "Its kind is protected by `guards.protect`.",
        "guard/data_loss" => "It holds data, which would be lost.",
        "guard/cannot_unset" => "The workspace cannot unset what the files no longer set.",
        "guard/unreadable" => "It cannot be read, so nothing can be planned for it.",
        "guard/max_deletes" => "The plan deletes more than `guards.max_deletes`.",
        "guard/max_change_percent" => "The plan changes more than `guards.max_change_percent`.",
        "guard/dirty_tree" => "The working tree has changes that are not committed.",
        "guard/policy" => "A policy of the project is not satisfied.",
        "guard/self_lockout" => "The caller would lose the right to manage it.",
        other => {
            let row = crate::diagnostic::codes::ALL.iter().find(|row| row.code == other);
            return row.map_or_else(|| other.replace(['/', '_'], " "), |row| row.title.to_owned());
        }
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Given, Places, of_plan, of_report};
    use crate::apply::Outcome;
    use crate::diagnostic::{Source, Span};
    use crate::report::samples;

    /// What a message says already is not said again.
    #[test]
    fn a_failure_is_told_once() {
        let mut report = samples::half();
        let Outcome::Failed(failure) = &mut report.results[0].outcome else { return assert!(report.results.is_empty()) };
        failure.message = "alerts.orders: update failed: 400 INVALID: Table 'main.silver.returns' does not exist.".to_owned();
        let found = of_report(&report, &Places::default());
        assert_eq!(found[0].message, "alerts.orders: update failed: 400 INVALID: Table 'main.silver.returns' does not exist.");
        let found = of_report(&samples::half(), &Places::default());
        let want = "alerts.orders: the alert was not changed: INVALID_PARAMETER_VALUE Table 'main.silver.returns' does not exist.";
        assert_eq!(found[0].message, want);
    }

    /// A block that knows its line stands there, and so does a warning, whose step nobody knows.
    #[test]
    fn what_knows_its_place_stands_there() {
        let source = Arc::new(Source { name: "spaces/p.yaml".to_owned(), text: "a\nb\n".to_owned() });
        let mut plan = samples::everything();
        let blocked = plan.steps.iter_mut().find(|step| !step.blocks.is_empty()).unwrap();
        blocked.blocks[0].place = Some(Span::new(&source, 2, 3));
        plan.warnings = vec![blocked.blocks[0].clone()];
        let found = of_plan(&plan, &Places::default(), Given::Nothing);
        let cited: Vec<String> = found.iter().filter_map(|found| Some(found.span.as_ref()?.cite())).collect();
        assert_eq!(cited.len(), 2);
        assert!(cited.iter().all(|place| place.starts_with("spaces/p.yaml:2")), "{cited:?}");
    }
}
