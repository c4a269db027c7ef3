//! `brickform auth describe`: each value of the authentication and where it came from. Makes no calls.

use clap::{Args, Subcommand};

use super::session::Session;
use super::{Exit, Failure, Run, connect};
use crate::project::Workspace;

/// Arguments of `auth`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Each value and where it came from; secrets are never shown
    Describe,
}

/// Describes how a command of this environment would authenticate.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    match arguments.command {
        Command::Describe => describe(run),
    }
}

fn describe(run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    if matches!(session.project.environment.workspace, Workspace::Local) {
        run.screen.result(&format!("{} is the embedded workspace: nothing to authenticate.\n", session.environment()));
        return Ok(Exit::Done);
    }
    let _ = connect::explicit(run, &session.project);
    Ok(Exit::Done)
}
