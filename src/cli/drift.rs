//! `brickform drift`: what changed behind its back. Sends only reads and plans nothing else.

use clap::Args;

use super::events::Events;
use super::findings::Spot;
use super::planning::{self, Narrowing, Showing, Shown};
use super::session::Session;
use super::{Exit, Failure, Run, runtime, saving};
use crate::plan;
use crate::report::about::About;
use crate::report::answers::common;
use crate::report::text::Look;

/// Arguments of `drift`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brickform drift --env prod --detailed-exitcode")]
pub struct Arguments {
    #[command(flatten)]
    narrowing: Narrowing,
    #[command(flatten)]
    pub(super) showing: Showing,
    /// Exit with 2 if there is drift
    #[arg(long, env = "BRICKFORM_DETAILED_EXITCODE", value_parser = clap::builder::BoolishValueParser::new())]
    detailed_exitcode: bool,
}

/// Compares live with what was applied.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    let options = plan::Options { drift_only: true, ..arguments.narrowing.options(&session.registry)? };
    let events = Events::new(run, arguments.showing.json);
    events.started(session.environment(), "drift");
    let (plan, millis, digest) = runtime()?.block_on(async {
        let (online, document) = session.online(run).await?;
        let (plan, millis) = session.plan(run, &online, &document, &options).await?;
        let digest = saving::bound(run, &session, &online, &plan, &options)?.digest();
        Ok::<_, Failure>((plan, millis, digest))
    })?;
    events.refreshed(&plan, millis);
    let commit = session.commit(run);
    let look = planning::look(run, &arguments.showing, millis);
    let link = super::pipeline::link(run.outside);
    let command = format!("brickform drift {}", common(session.environment(), look.given));
    let about = About {
        command: &command,
        digest: &digest.0,
        commit: commit.as_deref(),
        result: None,
        run: link.as_deref(),
        drift: true,
        ..About::default()
    };
    planning::show(
        run,
        &arguments.showing,
        &Shown {
            plan: &plan,
            look: Look { drift: true, ..look },
            about,
            around: planning::Around { spot: Spot::offline(run, &session), ..planning::Around::default() },
        },
    )?;
    run.screen.summarize(match plan.counts().drifted {
        0 => "no drift".to_owned(),
        n => format!("{n} drifted"),
    });
    let exit = if plan.is_blocked() {
        Exit::Guarded
    } else if arguments.detailed_exitcode && !plan.is_empty() {
        Exit::Changes
    } else {
        Exit::Done
    };
    events.planned(&plan, &digest.0);
    events.ended(None, exit);
    Ok(exit)
}
