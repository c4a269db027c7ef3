//! `brickform env list|show|diff`: the environments of the project. Makes no calls.

use clap::{Args, Subcommand};

use super::{Exit, Failure, Format, Run};
use crate::kinds::Registry;
use crate::model::url::{masked, masked_host};
use crate::project::{self, Answers, Desired, Workspace};
use crate::report::difference::{self, Difference};
use crate::report::environment;
use crate::report::style::Paint;

/// Arguments of `env`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brickform env list\n  brickform env show prod\n  brickform env diff dev prod --detailed-exitcode")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every environment that can be selected, and where it is
    List,
    /// One environment: workspace, what it extends, variables with their origins, guards, state
    Show {
        /// Which; otherwise that of `--env`
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// What differs between two environments, lookups unanswered
    Diff {
        /// The first
        #[arg(value_name = "FROM")]
        from: String,
        /// The second
        #[arg(value_name = "TO")]
        to: String,
        /// Exit with 2 if there are differences
        #[arg(long, env = "BRICKFORM_DETAILED_EXITCODE", value_parser = clap::builder::BoolishValueParser::new())]
        detailed_exitcode: bool,
    },
}

/// Lists environments.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::List => list(run),
        Command::Show { name } => show(name.as_deref(), run),
        Command::Diff { from, to, detailed_exitcode } => diff(from, to, *detailed_exitcode, run),
    }
}

fn show(name: Option<&str>, run: &Run<'_>) -> Result<Exit, Failure> {
    let registry = Registry::standard();
    let ask = asked(name, run)?;
    let project = project::load(run.outside, &ask, &registry).map_err(Failure::Project)?;
    run.screen.diagnostics(&project.warnings);
    let layers = project::layers(run.outside, &ask, &project, &registry).map_err(Failure::Project)?;
    let state_place = super::backend::of(run, &project).map(|backend| backend.place);
    let backend = masked(project.environment.state.backend.as_deref().unwrap_or_default()).into_owned();
    let shown = environment::Shown {
        environment: &project.environment,
        chain: layers.chain.clone(),
        variables: project.variables().into_iter().map(|(name, (value, origin))| (name, value, origin)).collect(),
        apis: project.registry().apis(),
        state_place: state_place.as_deref().unwrap_or(&backend),
        lookups: project.lookups.len(),
        presets: layers.presets.clone(),
    };
    run.screen.result(&match run.screen.format {
        Format::Json => environment::json(&shown),
        Format::Text => environment::text(&shown, Paint { colour: run.screen.out_colour }),
    });
    Ok(Exit::Done)
}

/// The command line's questions, about this environment.
fn asked(name: Option<&str>, run: &Run<'_>) -> Result<project::Ask, Failure> {
    let ask = run.options.ask(run.outside)?;
    Ok(match name {
        Some(name) => project::Ask { environment: Some(name.to_owned()), ..ask },
        None => ask,
    })
}

fn diff(from: &str, to: &str, detailed_exitcode: bool, run: &Run<'_>) -> Result<Exit, Failure> {
    let registry = Registry::standard();
    let resolved = |name: &str| -> Result<Desired, Failure> {
        let project = project::load(run.outside, &asked(Some(name), run)?, &registry).map_err(Failure::Project)?;
        project.resolve(&Answers::new()).map_err(Failure::mistakes)
    };
    let (first, second) = (resolved(from)?, resolved(to)?);
    let difference = Difference::between(&first.resources, &second.resources);
    run.screen.result(&match run.screen.format {
        Format::Json => difference::json(from, to, &difference),
        Format::Text => difference::text(from, to, &difference, Paint { colour: run.screen.out_colour }, run.screen.width),
    });
    Ok(if detailed_exitcode && !difference.is_empty() { Exit::Changes } else { Exit::Done })
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
            run.screen.result(&format!("{}\n", serde_json::json!({ "format": "brickform.environments/1", "environments": list })));
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
            let of = |name: &str| attributes.get(name).map(|(value, _)| masked_host(value).into_owned());
            match (of("host"), of("profile")) {
                (Some(host), _) => host,
                (None, Some(profile)) => format!("profile {profile}"),
                (None, None) => "as `--profile` and the process environment say".to_owned(),
            }
        }
    }
}
