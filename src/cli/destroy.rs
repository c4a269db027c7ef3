//! `brickform destroy`: takes away what Brickform made, puts back what it touched, forgets what it adopted.

use clap::Args;

use super::apply::again;
use super::carry::{self, Consent, Way};
use super::planning::{Planning, Showing};
use super::session::Session;
use super::{Exit, Failure, Run, runtime};

/// Arguments of `destroy`.
#[derive(Debug, Args)]
#[command(
    after_help = "What was adopted is forgotten and left as it is, with every value that an apply changed in it, unless `--include-adopted`. Settings, permissions and grants hold again what they held before the first apply.\n\n\
Example:\n  brickform destroy --env dev"
)]
pub struct Arguments {
    #[command(flatten)]
    planning: Planning,
    #[command(flatten)]
    pub(super) showing: Showing,
    /// Also delete what was adopted
    #[arg(long)]
    include_adopted: bool,
    /// Do not ask. Waives no guard
    #[arg(long, short, env = "BRICKFORM_YES", value_parser = clap::builder::BoolishValueParser::new())]
    yes: bool,
}

/// Plans, asks for the environment's name, destroys.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    let mut options = arguments.planning.options(&session.registry)?;
    options.destroy = true;
    options.include_adopted = arguments.include_adopted;
    session.lock(run, "destroy")?;
    let name = session.environment();
    let question = format!("Destroy all this in {name}? Only the environment's name does it: ");
    let consent = Consent { given: arguments.yes, question: &question, answer: name, command: "destroy" };
    let again = again("destroy", run, &session, &arguments.planning);
    let way = Way { options: &options, showing: &arguments.showing, operation: "destroy", again: &again };
    let exit = runtime()?.block_on(carry::through(run, &session, &way, &consent));
    session.store.unlock();
    exit
}
