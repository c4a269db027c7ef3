//! Options that every command takes; each also as an environment variable.

use clap::{Args, ValueEnum};

use super::Failure;
use crate::model::Outside;
use crate::project;

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Options {
    /// The environment: a file in `environments/`. Some commands take several, with `*` for any text: `--env dev,prod-*`
    #[arg(long = "env", global = true, env = "BRICKFORM_ENV", value_delimiter = ',', value_name = "NAME")]
    pub environments: Vec<String>,
    /// The one that a command works with: what `--env` names, where that is one
    #[arg(skip)]
    pub environment: Option<String>,
    /// Whether this run is one of several, each of an environment
    #[arg(skip)]
    pub one_of_many: bool,
    /// How many environments before this one have a name that gives the same names of outputs (`prod-eu`, `prod_eu`)
    #[arg(skip)]
    pub namesakes: usize,
    /// Most environments that are read at once where `--env` names several; 4 unless given. `apply` goes one by one
    #[arg(long = "parallel-environments", global = true, env = "BRICKFORM_PARALLEL_ENVIRONMENTS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub at_once: Option<u16>,
    /// The project's folder; otherwise found upwards from the current one
    #[arg(long, global = true, env = "BRICKFORM_PROJECT_DIR", value_name = "FOLDER")]
    pub project_dir: Option<String>,
    /// Read resources from this folder instead of `conf/` and `spaces/`; needs no `conf/project.yaml`
    #[arg(long, global = true, env = "BRICKFORM_CONFIG", value_name = "FOLDER")]
    pub config: Option<String>,
    /// Keep the state here: one file an environment (`FILE.prod`)
    #[arg(long, global = true, env = "BRICKFORM_STATE", value_name = "FILE")]
    pub state: Option<String>,
    /// The profile of `~/.databrickscfg` with the credentials, and the workspace where the environment's file names no `host:`
    #[arg(long, global = true, env = "BRICKFORM_PROFILE", value_name = "NAME")]
    pub profile: Option<String>,
    /// Set a variable (also `BRICKFORM_VAR_name=value`)
    #[arg(long = "var", global = true, value_name = "NAME=VALUE")]
    pub variables: Vec<String>,
    /// Read variables from a YAML or JSON file
    #[arg(long = "var-file", global = true, env = "BRICKFORM_VARIABLE_FILES", value_delimiter = ',', value_name = "FILE")]
    pub variable_files: Vec<String>,
    /// Run no command that the project's files name: a secret that comes from one is refused
    #[arg(long, global = true, env = "BRICKFORM_NO_COMMANDS", value_parser = clap::builder::BoolishValueParser::new())]
    pub no_commands: bool,
    /// Warnings are errors
    #[arg(long, global = true, env = "BRICKFORM_STRICT", value_parser = clap::builder::BoolishValueParser::new())]
    pub strict: bool,
    /// How results are written; each command names the forms that it knows
    #[arg(long, short = 'o', global = true, env = "BRICKFORM_OUTPUT", value_name = "FORMAT", default_value = "text")]
    pub output: Form,
    /// Colour; `auto` asks `NO_COLOR`, `CLICOLOR_FORCE` and the terminal, for each stream by itself
    #[arg(long, global = true, env = "BRICKFORM_COLOR", value_name = "WHEN", default_value = "auto")]
    pub color: When,
    /// Only results and errors
    #[arg(long, short, global = true, env = "BRICKFORM_QUIET", value_parser = clap::builder::BoolishValueParser::new())]
    pub quiet: bool,
    /// Say more: `-v` what is done, `-vv` each request
    #[arg(long, short, global = true, action = clap::ArgAction::Count, env = "BRICKFORM_VERBOSE")]
    pub verbose: u8,
    /// How log lines are written
    #[arg(long, global = true, env = "BRICKFORM_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: Format,
    /// Most requests in flight
    #[arg(long, global = true, env = "BRICKFORM_PARALLELISM", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub parallelism: Option<u16>,
    /// How long to wait for somebody else who applies: `90s`, `10m`; fails at once unless given
    #[arg(long, global = true, env = "BRICKFORM_LOCK_TIMEOUT", value_name = "TIME")]
    pub lock_timeout: Option<Seconds>,
}

/// A length of time as people write it: `90s`, `10m`, `1h`, or plain seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl std::str::FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, factor) = match text.as_bytes().last() {
            Some(b's') => (&text[..text.len() - 1], 1),
            Some(b'm') => (&text[..text.len() - 1], 60),
            Some(b'h') => (&text[..text.len() - 1], 3600),
            _ => (text, 1),
        };
        let seconds = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor));
        seconds
            .filter(|s| *s <= 7 * 24 * 3600)
            .map(Self)
            .ok_or_else(|| "a length of time is needed: `90s`, `10m`, `1h` (at most a week)".to_owned())
    }
}

/// A form of results. Every command knows `text` and `json`; what else it knows is said where it is dispatched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people
    #[default]
    Text,
    /// For programs: documented and versioned
    Json,
    /// A table (`space-list`)
    Table,
    /// Comma-separated values (`space-list`)
    Csv,
    /// A comment on a pull request (`plan`, `apply`, `destroy`, `drift`, `show FILE`)
    Markdown,
    /// A page that needs nothing else: a summary, the graph, every field, search (`plan`, `apply`, `destroy`, `drift`, `show FILE`)
    Html,
    /// Test results for a pipeline: a case for each object or check (`validate`, `plan`, `apply`, `destroy`, `drift`, `diff`)
    Junit,
    /// Findings with file and line for code scanning (the same commands)
    Sarif,
    /// YAML (`render`)
    Yaml,
    /// A diagram for pages that draw Mermaid (`graph`)
    Mermaid,
    /// A diagram for Graphviz (`graph`)
    Dot,
    /// GitHub Actions: annotations, outputs and summary of a step (the same commands); outputs (`output`)
    Github,
}

impl Form {
    /// What every command knows.
    pub const COMMON: &'static [Self] = &[Self::Text, Self::Json];

    /// The word on the command line.
    #[must_use]
    pub fn word(self) -> String {
        self.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
    }

    /// For programs or for people.
    #[must_use]
    pub fn format(self) -> Format {
        if self == Self::Json { Format::Json } else { Format::Text }
    }
}

/// For whom something is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: documented and versioned
    Json,
}

/// When something is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// Where it fits
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Options {
    /// What the project floor is asked for.
    ///
    /// # Errors
    /// A `--var` without `=`.
    pub fn ask(&self, outside: &Outside) -> Result<project::Ask, Failure> {
        let mut variables = Vec::new();
        for given in &self.variables {
            let Some((name, value)) = given.split_once('=') else {
                return Err(Failure::usage(
                    format!("`--var {given}` has no value"),
                    &["write `--var NAME=VALUE`; `--var NAME=` gives it an empty text"],
                ));
            };
            variables.push((name.to_owned(), value.to_owned()));
        }
        Ok(project::Ask {
            folder: self.project_dir.as_deref().map(|f| outside.path(f)),
            config: self.config.as_deref().map(|f| outside.path(f)),
            environment: self.environment.clone(),
            variables,
            variable_files: self.variable_files.iter().map(|f| outside.path(f)).collect(),
            strict: self.strict,
            ..project::Ask::default()
        })
    }
}
