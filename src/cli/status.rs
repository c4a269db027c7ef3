//! `brickform status`: what the state says. Makes no calls.

use clap::Args;

use super::session::Session;
use super::{Exit, Failure, Format, Run};
use crate::report::overview;
use crate::state::Store;

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Reads the state and who holds it.
pub fn run(_: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    let document = session.document()?;
    let history = if document.is_some() { session.store.history()? } else { vec![] };
    let overview = overview::Overview {
        environment: session.environment(),
        place: &session.state_place,
        document: document.as_ref(),
        last: history.first(),
        holder: session.store.holder(),
    };
    run.screen.result(&match run.screen.format {
        Format::Json => overview::json(&overview),
        Format::Text => overview::text(&overview),
    });
    Ok(Exit::Done)
}
