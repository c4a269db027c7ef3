//! `brickform apply`: shows the plan, asks, and carries it out.

use clap::Args;

use super::carry::{self, Consent, Way};
use super::planning::{Planning, Showing};
use super::session::{Session, given};
use super::{Exit, Failure, Run, runtime, saving};
use crate::kinds::Registry;
use crate::report::answers::{common, shell_word};

/// Arguments of `apply`.
#[derive(Debug, Args)]
#[command(
    after_help = "Ctrl-C once finishes what is in flight, saves and exits with 130; twice stops now. Running it again does what is left.\n\n\
Examples:\n  brickform apply --env dev\n  brickform apply --env prod --yes --allow-delete schemas\n  brickform plan --env prod --out plan.json && brickform apply plan.json"
)]
pub struct Arguments {
    /// A plan that `plan --out` wrote: it is carried out without asking, or refused (7) where anything moved since
    #[arg(value_name = "PLAN")]
    pub(super) plan: Option<String>,
    #[command(flatten)]
    planning: Planning,
    #[command(flatten)]
    pub(super) showing: Showing,
    /// Do not ask. Waives no guard
    #[arg(long, short, env = "BRICKFORM_YES", value_parser = clap::builder::BoolishValueParser::new())]
    yes: bool,
}

/// Plans, asks, applies.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    if let Some(file) = &arguments.plan {
        let registry = Registry::standard();
        let loosened = arguments.planning.loosening(&registry)?;
        let file = saving::named(file, run.options.environment.as_deref());
        return saving::apply(run, &file, &loosened, &arguments.showing);
    }
    let session = Session::open(run)?;
    let options = arguments.planning.options(&session.registry)?;
    session.lock(run, "apply")?;
    let question = format!("Apply this to {}? Only `yes` does it: ", session.environment());
    let consent = Consent { given: arguments.yes, question: &question, answer: "yes", command: "apply" };
    let again = again("apply", run, &session, &arguments.planning);
    let way = Way { options: &options, showing: &arguments.showing, operation: "apply", again: &again };
    let exit = runtime()?.block_on(carry::through(run, &session, &way, &consent));
    session.store.unlock();
    exit
}

/// The command that goes on from here.
pub fn again(command: &str, run: &Run<'_>, session: &Session, planning: &Planning) -> String {
    let mut text = format!("brickform {command} {}", common(session.environment(), given(run.options)));
    for given in &run.options.variables {
        // What is sensitive is not repeated.
        let name = given.split_once('=').map_or(given.as_str(), |(name, _)| name);
        let shown = if session.project.is_sensitive(name) { format!("{name}=...") } else { given.clone() };
        text.push_str(&format!(" --var {}", shell_word(&shown)));
    }
    for word in planning.words() {
        text.push(' ');
        text.push_str(&word);
    }
    text
}
