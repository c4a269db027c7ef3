//! `brickform schema kinds|json`: what is known of every kind, schemas for editors, schemas of what commands write as JSON.

use clap::{Args, Subcommand, ValueEnum};

use super::{Exit, Failure, Format, Run};
use crate::diagnostic::suggest;
use crate::kinds::Registry;
use crate::report::{editor, published, schema};

/// Arguments of `schema`.
#[derive(Debug, Args)]
#[command(
    after_help = "VS Code (with the YAML extension), in .vscode/settings.json:\n  \"yaml.schemas\": { \".brickform/resources.json\": \"conf/**/*.yaml\", \".brickform/environment.json\": \"environments/*.yaml\" }\nafter:\n  brickform schema json > .brickform/resources.json\n  brickform schema json --file environment > .brickform/environment.json\nA program that reads what Brickform writes:\n  brickform schema json plan > plan.schema.json"
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every kind: its id, natural key and parts; as JSON also its fields and requests
    Kinds,
    /// A JSON Schema: of what a command writes as JSON, or of the project's files, for editors
    Json {
        /// Of what this writes: `plan`, `diff`, `drift`, `apply`, `events`, `validate`, ... or a format, `brickform.plan/1`
        #[arg(value_name = "DOCUMENT", conflicts_with_all = ["file", "kind"])]
        document: Option<String>,
        /// Of which file
        #[arg(long, value_name = "FILE", default_value = "resources")]
        file: File,
        /// Only of this kind
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
    },
}

/// A sort of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum File {
    /// `conf/*.yaml`
    Resources,
    /// `environments/*.yaml`
    Environment,
    /// `conf/project.yaml`
    Project,
}

/// Tells what is known.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let registry = Registry::standard();
    match &arguments.command {
        Command::Kinds => run.screen.result(&match run.screen.format {
            Format::Json => schema::kinds_json(&editor::every(&registry)),
            Format::Text => schema::kinds_text(&registry),
        }),
        Command::Json { document: Some(name), .. } => {
            run.screen.result(&published::find(name).ok_or_else(|| no_document(name))?.json());
        }
        Command::Json { document: None, file, kind } => {
            let kinds = match kind {
                None => editor::every(&registry),
                Some(name) => vec![registry.get(name).ok_or_else(|| no_kind(name, &registry))?],
            };
            let file = match file {
                File::Resources => editor::File::Resources,
                File::Environment => editor::File::Environment,
                File::Project => editor::File::Project,
            };
            run.screen.result(&editor::json(file, &kinds));
        }
    }
    Ok(Exit::Done)
}

fn no_document(name: &str) -> Failure {
    let names = || published::ALL.iter().flat_map(|p| p.aliases.iter().copied().chain([p.name]));
    let near = suggest::nearest(name, names()).map(|near| format!("did you mean `{near}`?"));
    let all: Vec<&str> = published::ALL.iter().map(|p| p.name).collect();
    let help = near.into_iter().chain([format!("there are: {}", all.join(", "))]);
    Failure::Usage { message: format!("there is no schema `{name}`"), help: help.collect() }
}

fn no_kind(name: &str, registry: &Registry) -> Failure {
    let near = suggest::nearest(name, registry.iter().map(|k| k.name));
    let help = near.map_or_else(|| "`brickform schema kinds` lists them".to_owned(), |near| format!("did you mean `{near}`?"));
    Failure::Usage { message: format!("there is no kind `{name}`"), help: vec![help] }
}
