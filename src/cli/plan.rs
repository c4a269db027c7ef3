//! `brickform plan`: what an apply would do. Sends only reads.

use clap::Args;

use super::apply::again;
use super::base::Base;
use super::events::Events;
use super::findings::Spot;
use super::planning::{self, Planning, Showing, Shown};
use super::session::Session;
use super::{Exit, Failure, Run, runtime, saving};
use crate::report::about::About;
use crate::report::answers::shell_word;
use crate::report::text::Look;

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brickform plan --env prod\n  brickform plan --env prod --target jobs.nightly --requests\n  \
brickform plan --env prod --detailed-exitcode -o json")]
pub struct Arguments {
    #[command(flatten)]
    planning: Planning,
    #[command(flatten)]
    pub(super) showing: Showing,
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
    /// Write the plan into this file, for `brickform apply FILE`
    #[arg(long, value_name = "FILE", conflicts_with = "drift", env = "BRICKFORM_OUT")]
    pub(super) out: Option<String>,
    /// Also tell whose each change is: of this revision (`yours`), of this one already (`merged, not applied`), or drift
    #[arg(long, value_name = "REVISION", env = "BRICKFORM_BASE")]
    base: Option<String>,
    /// How many hours the file holds: `24h`
    #[arg(long, value_name = "HOURS", requires = "out", default_value = "24h", value_parser = hours, env = "BRICKFORM_EXPIRES")]
    expires: u32,
}

/// Plans and prints.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    session.store.ahead();
    let mut options = arguments.planning.options(&session.registry)?;
    options.destroy = arguments.destroy;
    options.include_adopted = arguments.include_adopted;
    options.drift_only = arguments.drift;
    let events = Events::new(run, arguments.showing.json);
    events.started(session.environment(), "plan");
    let base = arguments.base.as_deref().map(|base| Base::of(base, run, &session)).transpose()?;
    let (plan, millis, online) = runtime()?.block_on(async {
        let (online, document) = session.online(run).await?;
        let (plan, millis) = session.plan(run, &online, &document, &options).await?;
        Ok::<_, Failure>((plan, millis, online))
    })?;
    events.refreshed(&plan, millis);
    if let Some(holder) = session.store.holder() {
        run.screen.note(&format!("note: the environment is locked by {holder}; this plan may be out of date soon"));
    }
    let saved = saving::bound(run, &session, &online, &plan, &options)?;
    let digest = saved.digest();
    let commit = session.commit(run);
    let mut command = again("plan", run, &session, &arguments.planning);
    for (given, flag) in
        [(arguments.destroy, " --destroy"), (arguments.include_adopted, " --include-adopted"), (arguments.drift, " --drift")]
    {
        command.push_str(if given { flag } else { "" });
    }
    if let Some(base) = &arguments.base {
        command.push_str(&format!(" --base {}", shell_word(base)));
    }
    let sorts = base.as_ref().and_then(|base| base.sorts(run, &plan, &session, &online));
    let look = Look { drift: arguments.drift, sorts: sorts.as_ref(), ..planning::look(run, &arguments.showing, millis) };
    let link = super::pipeline::link(run.outside);
    let about = About {
        command: &command,
        digest: &digest.0,
        commit: commit.as_deref(),
        run: link.as_deref(),
        sorts: sorts.as_ref(),
        drift: arguments.drift,
        ..About::default()
    };
    let held = arguments.out.as_ref().map(|_| saving::holds(run, arguments.expires)).transpose()?;
    let spot = Spot::of(run, &session, &online.desired);
    let around = planning::Around { held, spot, ..planning::Around::of(&online.desired) };
    run.screen.summarize(crate::report::about::counts(&plan));
    planning::show(run, &arguments.showing, &Shown { plan: &plan, look, about, around })?;
    events.planned(&plan, &digest.0);
    if let Some(file) = &arguments.out {
        let file = &saving::named(file, Some(session.environment()));
        saving::write(run, &session, &plan, saved, file, arguments.expires)?;
    }
    let exit = if plan.is_blocked() {
        Exit::Guarded
    } else if arguments.detailed_exitcode && !plan.is_empty() {
        Exit::Changes
    } else {
        Exit::Done
    };
    events.ended(None, exit);
    Ok(exit)
}

/// `24h`, `24`, `7d`.
fn hours(text: &str) -> Result<u32, String> {
    let (number, unit) = text.strip_suffix('d').map_or((text.strip_suffix('h').unwrap_or(text), 1), |days| (days, 24));
    match number.parse::<u32>().ok().and_then(|n| n.checked_mul(unit)) {
        Some(hours) if (1..=24 * 90).contains(&hours) => Ok(hours),
        _ => Err("give hours or days, from `1h` to `90d`".to_owned()),
    }
}
