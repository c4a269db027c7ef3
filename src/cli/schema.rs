//! `brickform schema kinds`: what is known of every kind.

use clap::{Args, Subcommand};

use super::{Exit, Failure, Format, Run};
use crate::kinds::Registry;
use crate::report::schema;

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every kind: its id, natural key and parts; as JSON also its fields and requests
    Kinds,
}

/// Tells what is known.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let registry = Registry::standard();
    match &arguments.command {
        Command::Kinds => run.screen.result(&match run.screen.format {
            Format::Json => schema::kinds_json(&registry.iter().collect::<Vec<_>>()),
            Format::Text => schema::kinds_text(&registry),
        }),
    }
    Ok(Exit::Done)
}
