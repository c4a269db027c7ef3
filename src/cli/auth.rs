//! `brickform auth describe`: each value of the authentication and where it came from. Makes no calls.

use clap::{Args, Subcommand};

use super::session::Session;
use super::{Exit, Failure, Format, Run, connect};
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
    let description = connect::resolved(run, &session.project)?.description;
    match run.screen.format {
        Format::Json => {
            let list: Vec<_> = description
                .attributes
                .iter()
                .map(|a| serde_json::json!({ "name": a.name, "value": a.shown, "source": a.source, "used": a.used }))
                .collect();
            let all = serde_json::json!({ "host": description.host, "auth_type": description.auth_type, "attributes": list });
            run.screen.result(&format!("{all:#}\n"));
        }
        Format::Text => {
            run.screen.result(&format!("{} by {}\n", description.host, description.auth_type));
            for attribute in &description.attributes {
                let unused = if attribute.used { "" } else { "  (not used)" };
                run.screen.result(&format!("  {:22} {}  from {}{unused}\n", attribute.name, attribute.shown, attribute.source));
            }
        }
    }
    Ok(Exit::Done)
}
