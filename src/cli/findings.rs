//! What SARIF, `JUnit` and GitHub Actions are told: where things stand in the files, and the files that the runner reads.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::git::Git;
use super::options::{Form, Options};
use super::parts::Ended;
use super::session::{Session, given};
use super::{Failure, Run, github};
use crate::apply::Report;
use crate::diagnostic::Diagnostic;
use crate::model::Outside;
use crate::plan::Plan;
use crate::project::{Answers, Desired};
use crate::report::answers::Given;
use crate::report::findings::{self, Finding, Level, Places};
use crate::report::junit::{self, Case};
use crate::report::sarif::{self, Frame};

/// GitHub takes a summary of 1 MiB a step, and nothing of one that is larger.
const SUMMARY: u64 = 1_048_576;

/// Where things are declared, and where the project is in its repository.
#[derive(Debug, Clone, Default)]
pub struct Spot {
    places: Places,
    prefix: String,
    fallback: String,
    /// The options that choose project and state, as a command has them.
    given: String,
}

impl Spot {
    /// Of what a plan desires.
    pub fn of(run: &Run<'_>, session: &Session, desired: &Desired) -> Self {
        let fallback = session.project.environment.span.as_ref().map(|span| span.source.name.clone());
        Self {
            places: Places::of(desired),
            prefix: prefix(run.outside, &session.project.folder),
            fallback: fallback.unwrap_or_default(),
            given: given(run.options).words().join(" "),
        }
    }

    /// Where only the session is at hand.
    pub fn offline(run: &Run<'_>, session: &Session) -> Self {
        session.project.resolve(&Answers::new()).map(|desired| Self::of(run, session, &desired)).unwrap_or_default()
    }

    /// The file that is named where no line of the user's says it.
    pub fn fallback(&self) -> &str {
        if self.fallback.is_empty() { "conf/project.yaml" } else { &self.fallback }
    }
}

/// The project's folder from the top of its repository: empty or ends with `/`.
fn prefix(outside: &Outside, folder: &Path) -> String {
    Git::at(outside, folder).text(&["rev-parse", "--show-prefix"]).unwrap_or_default()
}

/// A plan, or what an apply made of it, in one of the forms for machines that show findings.
pub fn of_plan(form: Form, plan: &Plan, drift: bool, report: Option<&Report>, spot: &Spot) -> String {
    let found = found(plan, report, spot);
    let operation = operation(plan, drift, report.is_some());
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

/// What stands in the way, drifted, or failed.
pub fn found(plan: &Plan, report: Option<&Report>, spot: &Spot) -> Vec<Finding> {
    let mut found = findings::of_plan(plan, &spot.places, Given::Command(&spot.given));
    found.extend(report.map(|report| findings::of_report(report, &spot.places)).unwrap_or_default());
    found
}

/// What was done.
pub fn operation(plan: &Plan, drift: bool, done: bool) -> &'static str {
    match (done, plan.destroy, drift) {
        (true, false, _) => "apply",
        (true, true, _) => "destroy",
        (false, _, true) => "drift",
        (false, ..) => "plan",
    }
}

/// One document of several environments: a run or a suite of each.
pub fn together(form: Form, operation: &str, all: &[(&str, Option<&Ended>)], prefix: &str) -> String {
    let told = |name: &str, ended: Option<&Ended>| -> (Vec<Finding>, Vec<Case>, String) {
        let Some(ended) = ended else {
            return (vec![], vec![Case { skipped: true, ..Case::whole("not tried: one before it failed") }], String::new());
        };
        if let Some(part) = &ended.part {
            let cases = junit::of_plan(part.plan(), &part.found, operation == "drift");
            return (part.found.clone(), cases, part.spot.fallback().to_owned());
        }
        let found = failed(ended.why.as_deref().unwrap_or(&ended.words), &ended.mistakes);
        let cases = vec![Case { failures: found.clone(), ..Case::whole("") }];
        (found, cases, format!("environments/{name}.yaml"))
    };
    let told: Vec<_> = all.iter().map(|(name, ended)| (*name, told(name, *ended))).collect();
    match form {
        Form::Github => {
            // The same in several environments is one thing.
            let mut once: Vec<(Vec<&str>, Finding)> = vec![];
            for (environment, (found, ..)) in &told {
                for finding in found {
                    match once.iter_mut().find(|(_, other)| other == finding) {
                        Some((names, _)) => names.push(environment),
                        None => once.push((vec![environment], finding.clone())),
                    }
                }
            }
            let named = once.into_iter().map(|(names, f)| Finding { message: format!("{}: {}", names.join(", "), f.message), ..f });
            github::commands(&named.collect::<Vec<_>>(), prefix)
        }
        Form::Sarif => {
            let runs = told.iter().map(|(environment, (found, _, fallback))| {
                let fallback = if fallback.is_empty() { "conf/project.yaml" } else { fallback };
                sarif::run(found, &Frame { operation, environment, prefix, fallback })
            });
            sarif::document(&runs.collect::<Vec<_>>())
        }
        _ => {
            let suites = told.iter().map(|(environment, (_, cases, _))| (format!("brickform {operation} {environment}"), &cases[..]));
            junit::document(&suites.collect::<Vec<_>>(), prefix)
        }
    }
}

/// A command that could not go on: the mistakes in the files, or what went wrong.
fn failed(why: &str, mistakes: &[Diagnostic]) -> Vec<Finding> {
    if !mistakes.is_empty() {
        return findings::of_diagnostics(mistakes);
    }
    let mut lines = why.lines().map(str::to_owned);
    let message = lines.next().unwrap_or_default();
    vec![Finding { rule: "stopped".to_owned(), level: Level::Error, message, help: lines.collect(), address: None, span: None }]
}

/// The same in one of these forms, where one environment was asked about: what shows findings is told of every end, so that
/// nothing old stays there. None for other forms.
pub fn of_failure(form: Form, operation: &str, run: &Run<'_>, failure: &Failure) -> Option<String> {
    let mistakes: &[Diagnostic] = if let Failure::Project(failed) = failure { &failed.diagnostics } else { &[] };
    let (prefix, found) = (prefix_here(run), failed(&super::parts::why(failure), mistakes));
    let environment = run.options.environment.as_deref().unwrap_or_default();
    Some(match form {
        Form::Sarif => sarif::sarif(&found, &Frame { operation, environment, prefix: &prefix, fallback: "conf/project.yaml" }),
        Form::Junit => {
            let suite = format!("brickform {operation} {environment}");
            junit::junit(suite.trim_end(), &[Case { failures: found, ..Case::whole("") }], &prefix)
        }
        Form::Github => github::commands(&found, &prefix),
        Form::Markdown => {
            let ask = run.options.ask(run.outside).ok()?;
            let project = crate::project::name(run.outside, &ask).unwrap_or_default();
            let environment = run.options.environment.clone().or_else(|| crate::project::chosen(run.outside, &ask).ok());
            let what = if operation == "drift" { "drift" } else { "plan" };
            crate::report::markdown::failed(
                what,
                &[&project, &environment.unwrap_or_default()],
                &places(&found, &prefix),
                super::pipeline::link(run.outside).as_deref(),
            )
        }
        _ => return None,
    })
}

/// Mistakes in the files.
pub fn of_mistakes(mistakes: &[Diagnostic]) -> Vec<Finding> {
    findings::of_diagnostics(mistakes)
}

/// Findings as a comment lists them: `FILE:LINE` (or nothing), and what is wrong, with what helps in the lines below.
pub fn places(found: &[Finding], prefix: &str) -> Vec<(String, String)> {
    let one = |f: &Finding| {
        let place = f.span.as_ref().map(|span| format!("{prefix}{}", span.cite())).unwrap_or_default();
        (place, [&f.message].into_iter().chain(&f.help).cloned().collect::<Vec<_>>().join("\n"))
    };
    found.iter().map(one).collect()
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
    prefix_of(run.options, run.outside)
}

/// The same of a command line.
pub fn prefix_of(options: &Options, outside: &Outside) -> String {
    let given = options.project_dir.as_deref().map(|folder| outside.path(folder));
    let found = || outside.folder.ancestors().find(|f| f.join("conf").is_dir()).map(Path::to_owned);
    prefix(outside, &given.or_else(found).unwrap_or_else(|| outside.folder.clone()))
}

/// Writes the step's outputs and its summary, where the runner says into which files.
///
/// # Errors
/// One of them cannot be written.
pub fn to_runner(run: &Run<'_>, plan: &Plan, digest: &str, summary: &str) -> Result<(), Failure> {
    // Several environments may end at the same time: how long a file is holds only until the next one writes.
    static WRITES: Mutex<()> = Mutex::new(());
    let _alone = WRITES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = run.outside.variable("GITHUB_OUTPUT") {
        append(run, file, &outputs(plan, digest, run.options.one_of_many.then_some(run.options.namesakes)))?;
    }
    if let Some(file) = run.outside.variable("GITHUB_STEP_SUMMARY") {
        let there = std::fs::metadata(run.outside.path(file)).map_or(0, |m| m.len());
        if there + (summary.len() as u64) < SUMMARY {
            append(run, file, &format!("{summary}\n"))?;
        } else {
            let line =
                format!("{}: {}. There is no room for more in this summary.\n\n", plan.environment, crate::report::about::counts(plan));
            if there + line.len() as u64 <= SUMMARY {
                append(run, file, &line)?;
            }
        }
    }
    Ok(())
}

/// The name of an environment as a part of the name of an output.
pub fn output_word(environment: &str) -> String {
    environment.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// `name=value` lines; where there are several environments (then: how many before this one have the same word) each name
/// begins with that of the environment, numbered from the second that has the same.
fn outputs(plan: &Plan, digest: &str, many: Option<usize>) -> String {
    let counts = plan.counts();
    let start = match many {
        None => String::new(),
        Some(0) => format!("{}_", output_word(&plan.environment)),
        Some(before) => format!("{}_{}_", output_word(&plan.environment), before + 1),
    };
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
    let text = run.screen.hidden(text, Form::Markdown);
    opened.and_then(|mut opened| opened.write_all(text.as_bytes())).map_err(|error| Failure::Machine {
        message: format!("{file} cannot be written: {error}"),
        help: vec!["GITHUB_OUTPUT and GITHUB_STEP_SUMMARY name files that the runner made".to_owned()],
    })
}
