//! One file a command: arguments in, one call down, result out. The only place that prints, prompts and wires things
//! together.

#![expect(clippy::format_push_string, reason = "`write!` to text cannot fail but gives a result that would have to be thrown away")]

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand};

use crate::model::Outside;

mod apply;
mod auth;
mod carry;
mod connect;
mod destroy;
mod docs;
mod drift;
mod env;
mod exit;
mod explain;
mod github;
mod local;
mod local_place;
mod logging;
mod options;
mod plan;
mod planning;
mod progress;
pub mod reference;
mod screen;
mod secrets;
mod session;
mod signals;
mod state;
mod status;
mod validate;
mod version;

pub use exit::{Exit, Failure};
pub use options::{Format, Options, When};
pub use screen::{Screen, Streams};

/// Keeps Databricks workspaces the way Git says: YAML, plan, apply, no changes.
#[derive(Debug, Parser)]
#[command(name = "brickform", version, about, max_term_width = 120, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 failure, 2 changes (--detailed-exitcode), 3 applied in part, 4 authentication, 5 locked, 6 guard, 64 usage, 130 interrupted."
)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the project: every mistake of every file, without asking a workspace
    Validate(validate::Arguments),
    /// What an apply would do; sends only reads
    Plan(Box<plan::Arguments>),
    /// Show the plan, ask, and carry it out
    Apply(Box<apply::Arguments>),
    /// Take away what was made, put back what was touched, forget what was adopted
    Destroy(Box<destroy::Arguments>),
    /// What the state says; makes no calls
    Status(status::Arguments),
    /// What changed behind its back; sends only reads
    Drift(Box<drift::Arguments>),
    /// Look at and mend what was recorded
    State(state::Arguments),
    /// Environments of the project
    Env(env::Arguments),
    /// The embedded workspace: serve it, empty it, what it can do
    Local(local::Arguments),
    /// Authentication: what is used, and where it came from
    Auth(auth::Arguments),
    /// What a diagnostic code means
    Explain(explain::Arguments),
    /// Version and build
    Version(version::Arguments),
    /// Reference pages, written from the code
    #[command(hide = true)]
    Docs(docs::Arguments),
}

/// The command line as clap knows it, for completions and the reference.
#[must_use]
pub fn definition() -> clap::Command {
    Cli::command()
}

/// What a command gets.
pub struct Run<'a> {
    /// Options of every command.
    pub options: &'a Options,
    /// The world outside.
    pub outside: &'a Outside,
    /// What the user sees.
    pub screen: &'a Screen,
}

/// Runs one command line to its end.
pub fn run(arguments: impl IntoIterator<Item = OsString>, outside: &Outside, mut streams: Streams) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return refused(&error, &mut streams),
    };
    let screen = Screen::new(streams, &cli.options, outside);
    logging::start(&cli.options, &screen);
    let run = Run { options: &cli.options, outside, screen: &screen };
    match dispatch(&cli.command, &run) {
        Ok(exit) => exit,
        Err(failure) => {
            screen.failure(&failure);
            failure.exit()
        }
    }
}

/// Help and version are results; anything else that the parser says is wrong usage.
fn refused(error: &clap::Error, streams: &mut Streams) -> Exit {
    use clap::error::ErrorKind;
    let text = error.render();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            streams.say(&if streams.out_terminal { text.ansi().to_string() } else { text.to_string() });
            Exit::Done
        }
        _ => {
            streams.complain(&if streams.err_terminal { text.ansi().to_string() } else { text.to_string() });
            Exit::Usage
        }
    }
}

fn dispatch(command: &Command, run: &Run<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Validate(arguments) => validate::run(arguments, run),
        Command::Plan(arguments) => plan::run(arguments, run),
        Command::Apply(arguments) => apply::run(arguments, run),
        Command::Destroy(arguments) => destroy::run(arguments, run),
        Command::Status(arguments) => status::run(arguments, run),
        Command::Drift(arguments) => drift::run(arguments, run),
        Command::State(arguments) => state::run(arguments, run),
        Command::Auth(arguments) => auth::run(arguments, run),
        Command::Env(arguments) => env::run(arguments, run),
        Command::Local(arguments) => local::run(arguments, run),
        Command::Explain(arguments) => explain::run(arguments, run),
        Command::Version(arguments) => Ok(version::run(arguments, run)),
        Command::Docs(arguments) => Ok(docs::run(arguments, run)),
    }
}

/// A runtime for the commands that talk to a workspace.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::machine(format!("the asynchronous runtime cannot be started: {error}")))
}

/// Loads the project.
pub(crate) fn load(
    run: &Run<'_>,
    ask: &crate::project::Ask,
    registry: &crate::kinds::Registry,
) -> Result<crate::project::Project, Failure> {
    crate::project::load(run.outside, ask, registry).map_err(Failure::Project)
}
