//! `brickform validate`: every mistake of every file, without asking a workspace.

use std::collections::BTreeMap;

use clap::Args;

use super::{Exit, Failure, Format, Run};
use crate::kinds::Registry;
use crate::project;
use crate::report;

/// Arguments of `validate`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without `--env`, every environment of the project is checked.\n\nExamples:\n  brickform validate\n  brickform validate --env prod --strict -o json\n  brickform validate --env 'prod-*'"
)]
pub struct Arguments {}

/// Checks one environment, or all of them.
pub fn run(_: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
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
        return Err(Failure::Project(project::Failed { diagnostics: mistakes, usage }));
    }
    run.screen.diagnostics(&warnings);
    match run.screen.format {
        Format::Json => run.screen.result(&report::diagnostics::json(&warnings)),
        Format::Text => {
            run.screen.result(&format!("Valid: {resources} resource{} in {}.\n", if resources == 1 { "" } else { "s" }, names.join(", ")));
        }
    }
    Ok(Exit::Done)
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
