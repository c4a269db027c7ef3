//! `brickform validate`: every mistake of every file, without asking a workspace.

use std::collections::BTreeMap;

use clap::Args;

use super::options::Form;
use super::{Exit, Failure, Run, findings, planning};
use crate::kinds::Registry;
use crate::project;
use crate::report;

/// Arguments of `validate`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without `--env`, every environment of the project is checked.\n\nExamples:\n  brickform validate\n  brickform validate --env prod --strict -o json\n  brickform validate --env 'prod-*'"
)]
pub struct Arguments {
    /// Also write a report: `json`, `junit` or `sarif`, any number of times
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = planning::report)]
    reports: Vec<(Form, String)>,
}

/// Checks one environment, or all of them.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let registry = Registry::standard();
    let mut ask = run.options.ask(run.outside)?;
    let mut names = vec![];
    let mut warnings = vec![];
    let mut resources = 0;
    let every = match &ask.environment {
        Some(one) => vec![one.clone()],
        None => super::many::names(run)?,
    };
    // A project without environment files has one that says nothing.
    let pending: Vec<Option<String>> = if every.is_empty() { vec![None] } else { every.into_iter().map(Some).collect() };
    let mut mistakes = vec![];
    let mut usage = false;
    for environment in pending {
        ask.environment = environment;
        match check(run, &ask, &registry) {
            Ok((name, count, found)) => {
                names.push(name);
                resources = resources.max(count);
                merge(&mut warnings, found);
            }
            Err(failed) => {
                usage |= failed.usage;
                merge(&mut mistakes, failed.diagnostics);
            }
        }
    }
    if !mistakes.is_empty() {
        merge(&mut mistakes, warnings);
        tell(arguments, run, &names, &mistakes)?;
        return Err(Failure::Project(project::Failed { diagnostics: mistakes, usage }));
    }
    tell(arguments, run, &names, &warnings)?;
    run.screen.diagnostics(&warnings);
    match run.screen.form {
        Form::Json => run.screen.result(&report::diagnostics::json(&warnings)),
        Form::Junit | Form::Sarif | Form::Github => {}
        _ => {
            run.screen.result(&format!("Valid: {resources} resource{} in {}.\n", if resources == 1 { "" } else { "s" }, names.join(", ")));
        }
    }
    Ok(Exit::Done)
}

/// Writes reports, and the result where it is for machines that show findings.
fn tell(arguments: &Arguments, run: &Run<'_>, names: &[String], found: &Found) -> Result<(), Failure> {
    let form = run.screen.form;
    let findings = matches!(form, Form::Junit | Form::Sarif | Form::Github);
    if !findings && arguments.reports.is_empty() {
        return Ok(());
    }
    if let Some((form, _)) = arguments.reports.iter().find(|(form, _)| !matches!(form, Form::Json | Form::Junit | Form::Sarif)) {
        return Err(Failure::usage(format!("`validate` writes no report `{}`", form.word()), &["it knows `json`, `junit` and `sarif`"]));
    }
    let prefix = findings::prefix_here(run);
    let written = |form: Form| match form {
        Form::Json => report::diagnostics::json(found),
        form => findings::of_diagnostics(form, "validate", names, found, &prefix),
    };
    if findings {
        run.screen.result(&written(form));
    }
    planning::put(run, &arguments.reports, &written)
}

type Found = Vec<crate::diagnostic::Diagnostic>;

fn check(run: &Run<'_>, ask: &project::Ask, registry: &Registry) -> Result<(String, usize, Found), project::Failed> {
    let project = project::load(run.outside, ask, registry)?;
    let desired = project.resolve(&BTreeMap::new()).map_err(|diagnostics| project::Failed { diagnostics, usage: false })?;
    Ok((project.environment.name.clone(), desired.resources.keys().filter(|a| !a.is_facet()).count(), desired.warnings))
}

/// Adds what is not there yet: most mistakes are the same in every environment.
fn merge(all: &mut Found, found: Found) {
    for diagnostic in found {
        if !all.contains(&diagnostic) {
            all.push(diagnostic);
        }
    }
}
