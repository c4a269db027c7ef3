//! What SARIF, `JUnit` and GitHub Actions are told: where things stand in the files, and the files that the runner reads.

use std::io::Write as _;
use std::path::Path;

use super::git::Git;
use super::options::Form;
use super::session::Session;
use super::{Failure, Run, github};
use crate::apply::Report;
use crate::diagnostic::Diagnostic;
use crate::plan::Plan;
use crate::project::{Answers, Desired};
use crate::report::findings::{self, Finding, Places};
use crate::report::junit::{self, Case};
use crate::report::sarif::{self, Frame};

/// Where things are declared, and where the project is in its repository.
#[derive(Debug, Clone, Default)]
pub struct Spot {
    places: Places,
    prefix: String,
    fallback: String,
}

impl Spot {
    /// Of what a plan desires.
    pub fn of(run: &Run<'_>, session: &Session, desired: &Desired) -> Self {
        let fallback = session.project.environment.span.as_ref().map(|span| span.source.name.clone());
        Self { places: Places::of(desired), prefix: prefix(run, &session.project.folder), fallback: fallback.unwrap_or_default() }
    }

    /// Where only the session is at hand.
    pub fn offline(run: &Run<'_>, session: &Session) -> Self {
        session.project.resolve(&Answers::new()).map(|desired| Self::of(run, session, &desired)).unwrap_or_default()
    }

    fn fallback(&self) -> &str {
        if self.fallback.is_empty() { "conf/project.yaml" } else { &self.fallback }
    }
}

/// The project's folder from the top of its repository: empty or ends with `/`.
fn prefix(run: &Run<'_>, folder: &Path) -> String {
    Git::at(run.outside, folder).text(&["rev-parse", "--show-prefix"]).unwrap_or_default()
}

/// A plan, or what an apply made of it, in one of the forms for machines that show findings.
pub fn of_plan(form: Form, plan: &Plan, drift: bool, report: Option<&Report>, spot: &Spot) -> String {
    let mut found = findings::of_plan(plan, &spot.places);
    found.extend(report.map(|report| findings::of_report(report, &spot.places)).unwrap_or_default());
    let operation = match (report.is_some(), plan.destroy, drift) {
        (true, false, _) => "apply",
        (true, true, _) => "destroy",
        (false, _, true) => "drift",
        (false, ..) => "plan",
    };
    match form {
        Form::Sarif => {
            let frame = Frame { operation, environment: &plan.environment, prefix: &spot.prefix, fallback: spot.fallback() };
            sarif::sarif(&found, &frame)
        }
        Form::Junit => {
            let suite = format!("brickform {operation} {}", plan.environment);
            junit::junit(&suite, &junit::of_plan(plan, &found, drift), &spot.prefix)
        }
        _ => github::commands(&found, &spot.prefix),
    }
}

/// Mistakes and warnings in one of these forms; `checked`: what was found to be valid.
pub fn of_diagnostics(form: Form, operation: &str, checked: &[String], diagnostics: &[Diagnostic], prefix: &str) -> String {
    let found: Vec<Finding> = findings::of_diagnostics(diagnostics);
    match form {
        Form::Sarif => sarif::sarif(&found, &Frame { operation, environment: "", prefix, fallback: "conf/project.yaml" }),
        Form::Junit => {
            let cases: Vec<Case> = junit::of_checks(checked, &found);
            junit::junit(&format!("brickform {operation}"), &cases, prefix)
        }
        _ => github::commands(&found, prefix),
    }
}

/// The project's folder from the top of the repository, where no project could be loaded.
pub fn prefix_here(run: &Run<'_>) -> String {
    let given = run.options.project_dir.as_deref().map(|folder| run.outside.path(folder));
    let found = || run.outside.folder.ancestors().find(|f| f.join("conf").is_dir()).map(Path::to_owned);
    prefix(run, &given.or_else(found).unwrap_or_else(|| run.outside.folder.clone()))
}

/// Writes the step's outputs and its summary, where the runner says into which files.
///
/// # Errors
/// One of them cannot be written.
pub fn to_runner(run: &Run<'_>, plan: &Plan, digest: &str, summary: &str) -> Result<(), Failure> {
    if let Some(file) = run.outside.variable("GITHUB_OUTPUT") {
        append(run, file, &outputs(plan, digest, run.options.one_of_many))?;
    }
    if let Some(file) = run.outside.variable("GITHUB_STEP_SUMMARY") {
        append(run, file, &format!("{summary}\n"))?;
    }
    Ok(())
}

/// `name=value` lines; where there are several environments each name begins with that of the environment.
fn outputs(plan: &Plan, digest: &str, many: bool) -> String {
    let counts = plan.counts();
    let word = |text: &str| text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect::<String>();
    let start = if many { format!("{}_", word(&plan.environment)) } else { String::new() };
    let mut out = String::new();
    for (name, value) in [
        ("environment", plan.environment.replace(['\n', '\r'], " ")),
        ("changes", (!plan.is_empty()).to_string()),
        ("blocked", plan.is_blocked().to_string()),
        ("digest", digest.to_owned()),
        ("add", counts.add.to_string()),
        ("change", counts.change.to_string()),
        ("replace", counts.replace.to_string()),
        ("delete", counts.delete.to_string()),
        ("drifted", counts.drifted.to_string()),
    ] {
        out.push_str(&format!("{start}{name}={value}\n"));
    }
    out
}

fn append(run: &Run<'_>, file: &str, text: &str) -> Result<(), Failure> {
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(run.outside.path(file));
    opened.and_then(|mut opened| opened.write_all(text.as_bytes())).map_err(|error| Failure::Machine {
        message: format!("{file} cannot be written: {error}"),
        help: vec!["GITHUB_OUTPUT and GITHUB_STEP_SUMMARY name files that the runner made".to_owned()],
    })
}
