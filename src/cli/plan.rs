//! `brickform plan`: what an apply would do. Sends only reads.

use clap::Args;

use super::planning::{self, Planning, Showing};
use super::session::Session;
use super::{Exit, Failure, Run, runtime};

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brickform plan --env prod\n  brickform plan --env prod --target jobs.nightly --requests\n  \
brickform plan --env prod --detailed-exitcode -o json")]
pub struct Arguments {
    #[command(flatten)]
    planning: Planning,
    #[command(flatten)]
    showing: Showing,
    /// Exit with 2 if there are changes
    #[arg(long, env = "BRICKFORM_DETAILED_EXITCODE", value_parser = clap::builder::BoolishValueParser::new())]
    detailed_exitcode: bool,
    /// Plan to destroy everything that is managed
    #[arg(long)]
    destroy: bool,
    /// With `--destroy`: also what was adopted
    #[arg(long, requires = "destroy")]
    include_adopted: bool,
    /// Only what changed behind its back
    #[arg(long)]
    drift: bool,
}

/// Plans and prints.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    let mut options = arguments.planning.options(&session.registry)?;
    options.destroy = arguments.destroy;
    options.include_adopted = arguments.include_adopted;
    options.drift_only = arguments.drift;
    let (plan, millis) = runtime()?.block_on(async {
        let online = session.online(run).await?;
        let document = session.state()?;
        session.plan(run, &online, &document, &options).await
    })?;
    if let Some(holder) = crate::state::Store::holder(&session.store) {
        run.screen.note(&format!("note: the environment is locked by {holder}; this plan may be out of date soon"));
    }
    let look = planning::look(run, &arguments.showing, millis);
    planning::show(run, &plan, &crate::report::text::Look { drift: arguments.drift, ..look });
    Ok(if plan.is_blocked() {
        Exit::Guarded
    } else if arguments.detailed_exitcode && !plan.is_empty() {
        Exit::Changes
    } else {
        Exit::Done
    })
}
