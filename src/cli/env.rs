//! `brickform env list`: the environments of the project.

use clap::{Args, Subcommand};

use super::{Exit, Failure, Format, Run};
use crate::kinds::Registry;
use crate::project::{self, Workspace};

/// Arguments of `env`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every environment that can be selected, and where it is
    List,
}

/// Lists environments.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    match arguments.command {
        Command::List => list(run),
    }
}

fn list(run: &Run<'_>) -> Result<Exit, Failure> {
    let registry = Registry::standard();
    let ask = run.options.ask(run.outside)?;
    let names = project::environments(run.outside, &ask).map_err(Failure::Project)?;
    let mut rows = vec![];
    for name in names {
        let one = project::Ask { environment: Some(name.clone()), ..ask.clone() };
        let place = match project::load(run.outside, &one, &registry) {
            Ok(project) => place(&project.environment.workspace),
            Err(_) => "has mistakes (`brickform validate`)".to_owned(),
        };
        rows.push((name, place));
    }
    match run.screen.format {
        Format::Json => {
            let list: Vec<_> = rows.iter().map(|(name, place)| serde_json::json!({ "name": name, "workspace": place })).collect();
            run.screen.result(&format!("{}\n", serde_json::json!({ "environments": list })));
        }
        Format::Text => {
            let wide = rows.iter().map(|(n, _)| n.chars().count()).max().unwrap_or(0);
            for (name, place) in rows {
                run.screen.result(&format!("{name:wide$}  {place}\n"));
            }
        }
    }
    Ok(Exit::Done)
}

/// Where an environment is, in a few words.
fn place(workspace: &Workspace) -> String {
    match workspace {
        Workspace::Local => "local (embedded)".to_owned(),
        Workspace::Remote(attributes) => {
            let of = |name: &str| attributes.get(name).map(|(value, _)| value.clone());
            match (of("host"), of("profile")) {
                (Some(host), _) => host,
                (None, Some(profile)) => format!("profile {profile}"),
                (None, None) => "as `--profile` and the process environment say".to_owned(),
            }
        }
    }
}
