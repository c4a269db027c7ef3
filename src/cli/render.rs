//! `brickform render [ADDRESS...]`: everything resolved, as YAML that reads back, or as JSON. Makes no calls.

use clap::Args;

use super::naming;
use super::planning::address;
use super::session::Session;
use super::{Exit, Failure, Format, Run};
use crate::project::Answers;
use crate::report::render;

/// Arguments of `render`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brickform render --env prod\n  brickform render --env prod jobs.nightly\n  brickform render --env prod -o json"
)]
pub struct Arguments {
    /// Only these resources, with their parts
    #[arg(value_name = "ADDRESS")]
    addresses: Vec<String>,
}

/// Prints what the environment resolves to.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    let desired = session.project.resolve(&Answers::new()).map_err(Failure::mistakes)?;
    run.screen.diagnostics(&desired.warnings);
    let mut only = vec![];
    for text in &arguments.addresses {
        let address = address(text, &session.registry)?;
        let there = desired.resources.keys().any(|a| {
            *a == address || (address.instance.is_none() && a.kind == address.kind && a.key == address.key && a.facet == address.facet)
        });
        if !there {
            let place = format!("the YAML of {}", session.environment());
            return Err(naming::unknown(&address, &place, desired.resources.keys()));
        }
        only.push(address);
    }
    run.screen.result(&match run.screen.format {
        Format::Json => render::json(session.environment(), &desired.resources, &only),
        Format::Text => {
            let unsaid = session.project.unsaid(&desired);
            render::yaml(session.environment(), &desired.resources, &only, &unsaid, &session.project.folder)
        }
    });
    Ok(Exit::Done)
}
