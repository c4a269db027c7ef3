//! `brickform space-list` and `space-find`.

use clap::Args;

use super::{Written, rows, text, workspace};
use crate::cli::{Exit, Failure, Form, Run, runtime};
use crate::export;
use crate::model::{Map, Value, json};
use crate::report::style::visible;
use crate::yaml;

/// Arguments of `space-list`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brickform space-list --profile SOURCE_WORKSPACE\n  brickform space-list --profile SOURCE_WORKSPACE --output json > spaces.json"
)]
pub struct Arguments {
    /// At most so many; 0 is all of them
    #[arg(long, short, default_value_t = 100, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    written: Written,
}

/// Arguments of `space-find`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brickform space-find 'Sales*' --profile SOURCE_WORKSPACE")]
pub struct FindArguments {
    /// What the title looks like: `*` is anything, `?` one character; case makes no difference
    #[arg(value_name = "PATTERN", required_unless_present = "name")]
    pattern: Option<String>,
    /// The same, as an option
    #[arg(long, short, value_name = "PATTERN", conflicts_with = "pattern")]
    name: Option<String>,
    #[command(flatten)]
    written: Written,
}

/// What a row shows, with its heading.
const COLUMNS: [(&str, &str); 4] = [("space_id", "ID"), ("title", "TITLE"), ("warehouse_id", "WAREHOUSE"), ("parent_path", "FOLDER")];

/// Lists the spaces.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let form = arguments.written.form(run)?;
    runtime()?.block_on(async {
        let connection = workspace(run).await?;
        let (rows, more) = rows(&connection, arguments.limit).await?;
        show(run, form, &rows);
        if more {
            run.screen.note(&format!("These are the first {}; `--limit 0` shows all.", arguments.limit));
        }
        Ok(Exit::Done)
    })
}

/// Lists the spaces whose titles fit.
pub fn find(arguments: &FindArguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let form = arguments.written.form(run)?;
    let pattern = arguments.pattern.as_deref().or(arguments.name.as_deref()).unwrap_or("*").to_lowercase();
    runtime()?.block_on(async {
        let connection = workspace(run).await?;
        let (mut rows, _) = rows(&connection, 0).await?;
        rows.retain(|row| export::fits(&pattern, &text(row, "title").to_lowercase()));
        show(run, form, &rows);
        Ok(Exit::Done)
    })
}

fn show(run: &Run<'_>, form: Form, rows: &[Value]) {
    let plain = |row: &Value| -> Value {
        let names = ["space_id", "title", "description", "warehouse_id", "parent_path", "create_time", "update_time"];
        Value::Map(names.iter().filter_map(|name| Some(((*name).to_owned(), row.get(name)?.clone()))).collect::<Map>())
    };
    match form {
        Form::Json => {
            let all = Value::List(rows.iter().map(plain).collect());
            run.screen.result(&format!("{}\n", json::write_pretty(&all).unwrap_or_default()));
        }
        Form::Yaml => run.screen.result(&yaml::emit(&Value::List(rows.iter().map(plain).collect()), 0)),
        Form::Csv => {
            run.screen.result(&format!("{}\n", COLUMNS.map(|(name, _)| name).join(",")));
            for row in rows {
                run.screen.result(&format!("{}\n", COLUMNS.map(|(name, _)| quoted(&text(row, name))).join(",")));
            }
        }
        _ if rows.is_empty() => run.screen.note("There are no spaces that the caller may see."),
        _ => table(run, rows),
    }
}

/// A cell of CSV (RFC 4180).
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

fn table(run: &Run<'_>, rows: &[Value]) {
    let cells: Vec<[String; 4]> = std::iter::once(COLUMNS.map(|(_, heading)| heading.to_owned()))
        .chain(rows.iter().map(|row| COLUMNS.map(|(name, _)| visible(&text(row, name).replace('\n', " ")).into_owned())))
        .collect();
    let wide: [usize; 4] = std::array::from_fn(|i| cells.iter().map(|row| row[i].chars().count()).max().unwrap_or(0));
    for row in &cells {
        let line: Vec<String> = row.iter().zip(wide).map(|(cell, wide)| format!("{cell:wide$}")).collect();
        run.screen.result(&format!("{}\n", line.join("  ").trim_end()));
    }
}
