//! `brickform status`: what the state says. Makes no calls.

use clap::Args;

use super::session::Session;
use super::{Exit, Failure, Format, Run};
use crate::report::overview;
use crate::report::text::plural;
use crate::state::{Local, Store};

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Reads the state and who holds it.
pub fn run(_: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    if let Some((store, environment, place)) = alone(run) {
        return show(run, &store, environment, &place, None);
    }
    let session = Session::open(run)?;
    show(run, &*session.store, session.environment(), &session.state_place, Some(&session))
}

/// `--state FILE --env NAME` where there is no project: what was applied with `--config` is in the file all the same.
fn alone<'a>(run: &'a Run<'_>) -> Option<(Local, &'a str, String)> {
    let (given, environment) = (run.options.state.as_deref()?, run.options.environment.as_deref()?);
    let asked = run.options.config.is_some() || run.options.project_dir.is_some();
    let found = run.outside.folder.ancestors().any(|folder| folder.join("conf").join("project.yaml").is_file());
    let file = Local::file_beside(&run.outside.path(given), environment);
    let place = file.strip_prefix(&run.outside.folder).unwrap_or(&file).display().to_string();
    (!asked && !found).then(|| (Local::at(&file, "", environment, run.outside), environment, place))
}

fn show(run: &Run<'_>, store: &dyn Store, environment: &str, place: &str, session: Option<&Session>) -> Result<Exit, Failure> {
    let document = store.load()?;
    let history = if document.is_some() { store.history()? } else { vec![] };
    let subject = session.and_then(|session| super::history::subject(run, session, history.first()));
    let overview =
        overview::Overview { environment, place, document: document.as_ref(), last: history.first(), subject, holder: store.holder() };
    run.screen.summarize(match &document {
        None => "nothing applied yet".to_owned(),
        Some(found) => format!(
            "serial {}, {}",
            found.serial,
            plural(found.resources.keys().filter(|a| !a.is_facet()).count() as u64, "resource", "resources")
        ),
    });
    run.screen.result(&match run.screen.format {
        Format::Json => overview::json(&overview),
        Format::Text => overview::text(&overview),
    });
    Ok(Exit::Done)
}
