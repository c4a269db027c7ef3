//! `brickform drift`: what changed behind its back. Sends only reads and plans nothing else.

use clap::Args;

use super::planning::{self, Planning, Showing};
use super::session::Session;
use super::{Exit, Failure, Run, runtime};
use crate::report::text::Look;

/// Arguments of `drift`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brickform drift --env prod --detailed-exitcode")]
pub struct Arguments {
    #[command(flatten)]
    planning: Planning,
    #[command(flatten)]
    showing: Showing,
    /// Exit with 2 if there is drift
    #[arg(long, env = "BRICKFORM_DETAILED_EXITCODE", value_parser = clap::builder::BoolishValueParser::new())]
    detailed_exitcode: bool,
}

/// Compares live with what was applied.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    let mut options = arguments.planning.options(&session.registry)?;
    options.drift_only = true;
    let (plan, millis) = runtime()?.block_on(async {
        let online = session.online(run).await?;
        let document = session.state()?;
        session.plan(run, &online, &document, &options).await
    })?;
    let look = planning::look(run, &arguments.showing, millis);
    planning::show(run, &plan, &Look { drift: true, ..look });
    Ok(if plan.is_blocked() {
        Exit::Guarded
    } else if arguments.detailed_exitcode && !plan.is_empty() {
        Exit::Changes
    } else {
        Exit::Done
    })
}
