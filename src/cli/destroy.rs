//! `brickform destroy`: takes away what Brickform made, puts back what it touched, forgets what it adopted.

use clap::Args;

use super::apply::again;
use super::carry::{self, Consent};
use super::planning::{self, Planning, Showing};
use super::session::Session;
use super::{Exit, Failure, Format, Run, runtime};

/// Arguments of `destroy`.
#[derive(Debug, Args)]
#[command(
    after_help = "What was adopted is forgotten and left as it is, unless `--include-adopted`. Settings, permissions and grants hold again what they held before the first apply.\n\n\
Example:\n  brickform destroy --env dev"
)]
pub struct Arguments {
    #[command(flatten)]
    planning: Planning,
    #[command(flatten)]
    showing: Showing,
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
    let exit = runtime()?.block_on(async {
        let online = session.online(run).await?;
        let document = session.state()?;
        let (plan, millis) = session.plan(run, &online, &document, &options).await?;
        if run.screen.format == Format::Text || plan.is_empty() || plan.is_blocked() {
            planning::show(run, &plan, &planning::look(run, &arguments.showing, millis));
        }
        if plan.is_blocked() {
            return Ok(Exit::Guarded);
        }
        if plan.is_empty() {
            return Ok(Exit::Done);
        }
        let name = session.environment();
        let question = format!("Destroy all this in {name}? Only the environment's name does it: ");
        let consented = carry::consent(run, &Consent { given: arguments.yes, question: &question, answer: name, command: "destroy" })?;
        if consented == carry::Consented::Asked {
            carry::unmoved(&plan, &session.plan(run, &online, &document, &options).await?.0)?;
        }
        carry::out(run, &session, &online, &plan, document, &again("destroy", run, &session, &arguments.planning)).await
    });
    crate::state::Store::unlock(&session.store);
    exit
}
