//! `brickform space-export`: spaces as files, one each.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{kind, read, rows, text, workspace};
use crate::cli::{Exit, Failure, Run, runtime};
use crate::export::{self, Exported, FileError, Overwrite};
use crate::kinds::from_reply;
use crate::model::Value;
use crate::report::style::quoted;

/// Arguments of `space-export`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brickform space-export --space-id 01abc123def456 --output-dir exports --profile SOURCE_WORKSPACE\n  brickform space-export --pattern 'Sales*' --exclude '*draft*' --output-dir exports"
)]
pub struct Arguments {
    /// Only the space of this id (any number of times)
    #[arg(long = "space-id", value_name = "ID")]
    ids: Vec<String>,
    /// Only spaces whose title looks so: `*` is anything, `?` one character
    #[arg(long, value_name = "PATTERN")]
    pattern: Option<String>,
    /// Not the spaces whose title looks so (any number of times)
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Where the files go; missing folders are made
    #[arg(long, value_name = "FOLDER", default_value = "spaces")]
    output_dir: String,
    /// How they are written
    #[arg(long, value_name = "FORMAT", default_value = "yaml")]
    format: FileForm,
    /// Replace files that hold something else
    #[arg(long)]
    overwrite: bool,
    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FileForm {
    Yaml,
    Json,
}

/// Exports spaces.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    runtime()?.block_on(async {
        let connection = workspace(run).await?;
        let wanted = if arguments.ids.is_empty() { chosen(arguments, &rows(&connection, 0).await?.0) } else { arguments.ids.clone() };
        let mut bodies = Vec::new();
        for id in wanted {
            bodies.push(from_reply(kind()?, read(&connection, &id).await?));
        }
        if bodies.is_empty() {
            run.screen.note("No space fits; nothing was written.");
            return Ok(Exit::Done);
        }
        write(arguments, run, bodies, &connection.link_host)
    })
}

/// The ids of the spaces whose titles fit.
fn chosen(arguments: &Arguments, rows: &[Value]) -> Vec<String> {
    let fits = |pattern: &str, title: &str| export::fits(&pattern.to_lowercase(), &title.to_lowercase());
    let wanted = |row: &&Value| {
        let title = text(row, "title");
        arguments.pattern.as_deref().is_none_or(|p| fits(p, &title)) && !arguments.exclude.iter().any(|p| fits(p, &title))
    };
    rows.iter().filter(wanted).map(|row| text(row, "space_id")).collect()
}

fn write(arguments: &Arguments, run: &Run<'_>, mut bodies: Vec<Value>, host: &str) -> Result<Exit, Failure> {
    bodies.sort_by_cached_key(|body| (text(body, "title"), text(body, "space_id")));
    let (form, end) = match arguments.format {
        FileForm::Yaml => (export::Form::Yaml, "yaml"),
        FileForm::Json => (export::Form::Json, "json"),
    };
    let folder: PathBuf = run.outside.path(&arguments.output_dir);
    let (mut keys, mut names) = (export::Keys::default(), export::Names::default());
    let mut refused: Vec<String> = Vec::new();
    for body in &bodies {
        let (title, id) = (text(body, "title"), text(body, "space_id"));
        let short: String = id.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
        let key = keys.give(&export::key_of(&title), &short);
        let name = names.give(&key, &short);
        let mut written = export::text(&export::document(&key, body), form);
        if form == export::Form::Yaml {
            let from = if host.is_empty() { String::new() } else { format!(" of {host}") };
            written = format!("# The Genie space {id}{from}.\n{written}");
        }
        let shown = format!("{}/{name}.{end}", arguments.output_dir.trim_end_matches('/'));
        if arguments.dry_run {
            run.screen.result(&format!("would write {shown}  {}\n", quoted(&title)));
            continue;
        }
        let overwrite = if arguments.overwrite { Overwrite::Allowed } else { Overwrite::Never };
        match export::write(&folder.join(format!("{name}.{end}")), &written, overwrite) {
            Ok(done) => {
                let word = match done {
                    Exported::Written => "wrote",
                    Exported::Replaced => "replaced",
                    Exported::Unchanged => "unchanged",
                };
                run.screen.result(&format!("{word} {shown}  {}\n", quoted(&title)));
            }
            Err(FileError::Differs { .. }) => refused.push(shown),
            Err(error) => return Err(Failure::machine(error.to_string())),
        }
    }
    if refused.is_empty() {
        return Ok(Exit::Done);
    }
    Err(Failure::Machine {
        message: format!("{} there already and {} something else: {}", are(refused.len()), holds(refused.len()), refused.join(", ")),
        help: vec!["`--overwrite` replaces what is there; `--output-dir` names another folder".to_owned()],
    })
}

fn are(count: usize) -> String {
    if count == 1 { "one file is".to_owned() } else { format!("{count} files are") }
}

fn holds(count: usize) -> &'static str {
    if count == 1 { "holds" } else { "hold" }
}
