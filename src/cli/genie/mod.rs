//! `brickform genie`: what is done with Genie spaces besides keeping them.

mod bench;
mod choose;
mod runs;

use clap::{Args, Subcommand};

use super::options::Form;
use super::{Exit, Failure, Run};

/// Arguments of `genie`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the benchmarks of Genie spaces, and say how many questions were answered right
    Bench(Box<bench::Arguments>),
}

/// The forms that they write.
pub const FORMS: &[Form] = &[Form::Text, Form::Json, Form::Markdown, Form::Junit, Form::Csv];

impl Arguments {
    /// The reports that are asked for.
    pub fn reports(&self) -> &[(Form, String)] {
        let Command::Bench(arguments) = &self.command;
        arguments.reports()
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Bench(arguments) => bench::run(arguments, run),
    }
}
