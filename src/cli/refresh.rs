//! `brickform refresh`: what is live is accepted into the state, the YAML stays: the next plan shows the difference as a
//! change of the YAML. Sends only reads.

use clap::Args;

use super::carry::{self, Consent};
use super::events::Events;
use super::planning::{self, Showing};
use super::session::{Session, given};
use super::{Exit, Failure, Run, runtime, saving};
use crate::diff::FieldChange;
use crate::export::accept::accepted;
use crate::export::write::is_drift;
use crate::plan::{self, DELETED, Step};
use crate::report::answers::common;
use crate::report::text::Look;
use crate::state::Document;

/// Arguments of `refresh`.
#[derive(Debug, Args)]
#[command(
    after_help = "What was deleted in the workspace is dropped from the state. To change the YAML instead: `brickform adopt --write`.\n\n\
Example:\n  brickform refresh jobs.nightly --env prod --yes"
)]
pub struct Arguments {
    /// `jobs.nightly`, `'jobs.*'`; all that drifted if none is given
    #[arg(value_name = "ADDRESS")]
    addresses: Vec<String>,
    /// Do not ask
    #[arg(long, short, env = "BRICKFORM_YES", value_parser = clap::builder::BoolishValueParser::new())]
    yes: bool,
    #[command(flatten)]
    showing: Showing,
}

/// Accepts drift into the state.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    session.lock(run, "refresh")?;
    let done = runtime().and_then(|runtime| runtime.block_on(refresh(&session, arguments, run)));
    session.store.unlock();
    done
}

async fn refresh(session: &Session, arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let targets = planning::patterns(&arguments.addresses, &session.registry)?;
    let options = plan::Options { drift_only: true, keep_seen: true, targets, ..plan::Options::default() };
    let (online, mut document) = session.online(run).await?;
    let (plan, millis) = session.plan(run, &online, &document, &options).await?;
    let look = Look { drift: true, ..planning::look(run, &arguments.showing, millis) };
    let about = crate::report::about::About::default();
    planning::show(run, &arguments.showing, &planning::Shown { plan: &plan, look, about, around: planning::Around::default() })?;
    let events = Events::new(run, arguments.showing.json);
    events.started(session.environment(), "refresh");
    events.refreshed(&plan, millis);
    if events.wanted() {
        events.planned(&plan, &saving::bound(run, session, &online, &plan, &options)?.digest().0);
    }
    if plan.is_blocked() {
        events.ended(None, Exit::Guarded);
        return Ok(Exit::Guarded);
    }
    let drifted: Vec<&Step> = plan.steps.iter().filter(|s| has_drifted(s)).collect();
    if drifted.is_empty() {
        events.ended(None, Exit::Done);
        return Ok(Exit::Done);
    }
    let question = format!("Accept this into the state of {}? Only `yes` does it: ", session.environment());
    carry::consent(run, &Consent { given: arguments.yes, question: &question, answer: "yes", command: "refresh" })?;
    for step in &drifted {
        accept(run, &mut document, step);
    }
    session.record(run, &online, document, "refresh")?;
    events.ended(None, Exit::Done);
    if arguments.showing.json {
        return Ok(Exit::Done);
    }
    run.screen.result(&format!(
        "Accepted into the state: {}. Nothing was sent; `brickform plan {}` shows what the YAML says otherwise.\n",
        drifted.len(),
        common(session.environment(), given(run.options))
    ));
    Ok(Exit::Done)
}

/// Whether the workspace changed something of it, or deleted it.
pub fn has_drifted(step: &Step) -> bool {
    step.because.as_deref() == Some(DELETED) || step.changes.iter().any(is_drift)
}

/// The state's entry takes what is live where it drifted; one whose object is gone goes, its parts too.
pub fn accept(run: &Run<'_>, document: &mut Document, step: &Step) {
    if step.because.as_deref() == Some(DELETED) {
        document.resources.retain(|a, _| *a != step.address && a.parent() != step.address);
        return;
    }
    let changes: Vec<_> = step.changes.iter().filter(|c| is_drift(c)).collect();
    accept_only(run, document, step, &changes);
}

/// The state's entry takes what is live at the places of these changes; the value of a secret that stands there is hidden.
pub fn accept_only(run: &Run<'_>, document: &mut Document, step: &Step, changes: &[&FieldChange]) {
    let (Some(seen), Some(entry)) = (&step.seen, document.resources.get_mut(&step.address)) else { return };
    let Some(kind) = crate::kinds::Registry::standard().get(&step.kind) else { return };
    // What was compared says which item is which.
    let applied = seen.applied.as_ref().unwrap_or(&entry.applied);
    let known = run.outside.known();
    let hidden: Vec<FieldChange> =
        changes.iter().map(|c| FieldChange { old: c.old.as_ref().map(|old| known.hide_in(old)), ..(*c).clone() }).collect();
    entry.applied = accepted(kind, applied, &hidden.iter().collect::<Vec<_>>(), &known.hide_in(&seen.live));
    // Of an update that was cut, what arrived was looked at for this: nothing is open about it any more.
    if let Some(before) = entry.before.as_mut().filter(|before| !before.has_secret() && !entry.applied.has_secret()) {
        before.clone_from(&entry.applied);
    }
}
