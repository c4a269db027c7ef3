//! `brickform space-list` and `space-find`.

use clap::Args;

use super::{Who, Written, fits, rows, rows_of, text, workspace};
use crate::cli::{Exit, Failure, Form, Run, runtime};
use crate::model::Value;
use crate::report::style::quoted;
use crate::report::text::plural;

/// Arguments of `space-list`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brickform space-list --profile SOURCE_WORKSPACE\n  brickform space-list --profile SOURCE_WORKSPACE --output json > spaces.json"
)]
pub struct Arguments {
    /// At most so many; 0 is all of them. If it is not said: 100 in a table, all of them in every other form
    #[arg(long, short, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    written: Written,
}

/// Arguments of `space-find`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brickform space-find 'Sales*' --profile SOURCE_WORKSPACE")]
pub struct FindArguments {
    /// What is in the title, or what it looks like: `*` is anything, `?` one character; case makes no difference
    #[arg(value_name = "PATTERN", required_unless_present = "name")]
    pattern: Option<String>,
    /// The same, as an option
    #[arg(long, short, value_name = "PATTERN")]
    name: Option<String>,
    /// In the workspace: as it is always
    #[arg(long, short, hide = true)]
    workspace: bool,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    written: Written,
}

impl FindArguments {
    fn one_pattern(&self) -> Result<&str, Failure> {
        let (Some(pattern), Some(name)) = (&self.pattern, &self.name) else {
            return Ok(self.pattern.as_deref().or(self.name.as_deref()).unwrap_or("*"));
        };
        let message = if self.workspace {
            format!(
                "`--workspace` takes no value: it says that the workspace is looked through, as it is always, and not which one `{pattern}` is"
            )
        } else {
            format!("both `{pattern}` and `--name {name}` say what to look for")
        };
        let profile = format!("`--profile {pattern}` says which workspace");
        Err(Failure::usage(message, &[if self.workspace { profile.as_str() } else { "take one of them" }]))
    }
}

/// How many a table shows; programs get all of them.
const SHOWN: usize = 100;

/// What a row shows, with its heading.
const COLUMNS: [(&str, &str); 4] = [("space_id", "ID"), ("title", "TITLE"), ("warehouse_id", "WAREHOUSE"), ("parent_path", "FOLDER")];

/// Lists the spaces.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let form = arguments.written.form(run)?;
    runtime()?.block_on(async {
        let connection = workspace(run, &arguments.who).await?;
        let limit = arguments.limit.unwrap_or(if matches!(form, Form::Text | Form::Table) { SHOWN } else { 0 });
        let (rows, more) = rows_of(&connection, limit).await?;
        show(run, form, &rows, "There are no spaces that the caller may see.");
        if more {
            run.screen.note(&format!("These are the first {limit}; `--limit 0` shows all."));
        }
        Ok(Exit::Done)
    })
}

/// Lists the spaces whose titles fit.
pub fn find(arguments: &FindArguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let form = arguments.written.form(run)?;
    let pattern = arguments.one_pattern()?;
    // A word alone is looked for anywhere in titles.
    let is_word = !pattern.contains(['*', '?']);
    let wanted = if is_word { format!("*{pattern}*") } else { pattern.to_owned() };
    runtime()?.block_on(async {
        let connection = workspace(run, &arguments.who).await?;
        let (all, _) = rows_of(&connection, 0).await?;
        let found: Vec<Value> = all.iter().filter(|row| fits(&wanted, &text(row, "title"))).cloned().collect();
        let how = if is_word { "has" } else { "looks like" };
        show(run, form, &found, &super::none_fits(&format!("{how} {}", quoted(pattern)), pattern, &all));
        if !found.is_empty() && form == Form::Text {
            run.screen.note(&format!("{} of {}.", found.len(), plural(all.len() as u64, "space", "spaces")));
        }
        Ok(Exit::Done)
    })
}

/// What a row has for programs.
const MEMBERS: [&str; 7] = ["space_id", "title", "description", "warehouse_id", "parent_path", "create_time", "update_time"];

fn show(run: &Run<'_>, form: Form, rows: &[Value], empty: &str) {
    let rows: Vec<Value> = rows.iter().map(|row| rows::only(row, &MEMBERS)).collect();
    rows::show(run, form, &COLUMNS, &rows, empty);
}
