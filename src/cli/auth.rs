//! `brickform auth describe`: each value of the authentication and where it came from, without a call. `auth check`: whether
//! that is enough.

use clap::{Args, Subcommand};

use super::session::Session;
use super::{Exit, Failure, Format, Run, connect};
use crate::client::auth::Described;
use crate::project::Workspace;
use crate::report::style::{columns, pad};

/// The format of the JSON; changes only when a reader of the old one would be misled.
const FORMAT: &str = "brickform.auth/1";

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
    /// Who we are, which interfaces answer, which rights are missing for what the project manages; reads only
    #[command(
        after_help = "Exit codes: 0 nothing is missing, 4 nobody is let in, 1 a right is missing.\n\nExamples:\n  brickform auth check --env prod\n  brickform auth check --env prod -o json"
    )]
    Check,
}

/// Describes how a command of this environment would authenticate.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    match arguments.command {
        Command::Describe => describe(run),
        Command::Check => super::auth_check::run(run),
    }
}

fn describe(run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    if matches!(session.project.environment.workspace, Workspace::Local) {
        run.screen.result(&match run.screen.format {
            Format::Json => {
                format!("{:#}\n", serde_json::json!({ "format": FORMAT, "host": "local", "auth_type": null, "attributes": [] }))
            }
            Format::Text => format!("{} is the embedded workspace: nothing to authenticate.\n", session.environment()),
        });
        return Ok(Exit::Done);
    }
    let description = match connect::resolved(run, &session.project) {
        Ok(resolved) => resolved.description,
        Err(failure) => return Err(unresolved(&session, failure, run)),
    };
    match run.screen.format {
        Format::Json => {
            let all = serde_json::json!({
            "format": FORMAT, "host": description.host, "auth_type": description.auth_type,
                "otherwise": description.otherwise, "attributes": listed(&description.attributes),
            });
            run.screen.result(&format!("{all:#}\n"));
        }
        Format::Text => {
            let otherwise =
                description.otherwise.as_ref().map_or(String::new(), |other| format!(", or by {other} where that gives no token"));
            run.screen.result(&format!("{} by {}{otherwise}\n", description.host, description.auth_type));
            run.screen.result(&table(&description.attributes));
        }
    }
    Ok(Exit::Done)
}

/// What there is, and then what is wrong with it. The failure does not name this command as the next thing to type.
fn unresolved(session: &Session, failure: Failure, run: &Run<'_>) -> Failure {
    let Failure::Credentials(error) = failure else { return failure };
    let found = connect::configured(run, &session.project);
    match run.screen.format {
        Format::Json => {
            let all = serde_json::json!({ "format": FORMAT, "host": null, "auth_type": null, "error": error.to_string(), "attributes": listed(&found) });
            run.screen.result(&format!("{all:#}\n"));
        }
        Format::Text if found.is_empty() => {}
        Format::Text => run.screen.result(&format!("found for {}:\n{}", session.environment(), table(&found))),
    }
    Failure::Undescribed { message: error.to_string(), help: error.help() }
}

fn listed(attributes: &[Described]) -> Vec<serde_json::Value> {
    let row = |a: &Described| serde_json::json!({ "name": a.name, "value": a.shown, "source": a.source, "used": a.used });
    attributes.iter().map(row).collect()
}

fn table(attributes: &[Described]) -> String {
    let wide = attributes.iter().map(|a| columns(&a.shown)).max().unwrap_or(0).min(60);
    let line = |a: &Described| {
        let unused = if a.used { "" } else { "  (not used by this method)" };
        format!("  {:22} {}  from {}{unused}\n", a.name, pad(&a.shown, wide), a.source)
    };
    attributes.iter().map(line).collect()
}
