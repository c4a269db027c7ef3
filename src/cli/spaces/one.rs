//! `brickform space-get`: one space with everything in it.

use clap::Args;

use super::{MAY_EDIT, Who, Written, by_title, id_of, is_bare, kind, read, rows, text, workspace};
use crate::cli::{Exit, Failure, Form, Run, runtime};
use crate::export;
use crate::kinds::from_reply;
use crate::model::{Value, json};

/// Arguments of `space-get`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brickform space-get 01abc123def456 --profile SOURCE_WORKSPACE\n  brickform space-get --name 'Sales Analytics' -o yaml --profile SOURCE_WORKSPACE"
)]
pub struct Arguments {
    /// Its id, or its title
    #[arg(value_name = "ID", required_unless_present = "name")]
    id: Option<String>,
    /// Its title, or what only its title looks like: `*` is anything, `?` one character
    #[arg(long, short, value_name = "TITLE", conflicts_with = "id")]
    name: Option<String>,
    /// The API's own reply, as JSON
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    written: Written,
}

/// Shows a space.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let form = arguments.written.form(run)?;
    runtime()?.block_on(async {
        let connection = workspace(run, &arguments.who).await?;
        let id = match (&arguments.id, &arguments.name) {
            (Some(id), _) => id_of(&connection, id).await?,
            (None, name) => by_title(&connection, name.as_deref().unwrap_or_default()).await?,
        };
        let reply = read(&connection, &id).await?;
        if arguments.raw {
            run.screen.result(&format!("{}\n", json::write_pretty(&reply).unwrap_or_default()));
            return Ok(Exit::Done);
        }
        if is_bare(&reply) {
            run.screen.note(&format!("What is in it was not given: {MAY_EDIT}."));
        }
        let body = from_reply(kind()?, reply);
        let key = export::key_of(&text(&body, "title"));
        run.screen.result(&match form {
            Form::Json => format!("{}\n", json::write_pretty(&body).unwrap_or_default()),
            Form::Yaml => export::text(&export::document(&key, &body), export::Form::Yaml),
            Form::Csv => {
                rows::show(run, form, &FIELDS, std::slice::from_ref(&body), "");
                return Ok(Exit::Done);
            }
            _ => overview(&body),
        });
        Ok(Exit::Done)
    })
}

/// What CSV has of it: what is one value each.
const FIELDS: [rows::Column; 7] = [
    ("space_id", ""),
    ("title", ""),
    ("description", ""),
    ("warehouse_id", ""),
    ("parent_path", ""),
    ("create_time", ""),
    ("update_time", ""),
];

/// What is in it, a line each.
fn overview(body: &Value) -> String {
    let mut out = String::new();
    for name in ["title", "space_id", "description", "warehouse_id", "parent_path", "create_time", "update_time"] {
        if let Some(value) = body.get(name).filter(|v| !v.is_zero()) {
            out.push_str(&format!("{name:18} {}\n", rows::in_a_line(&value.key_text())));
        }
    }
    let lists: [&[&str]; 9] = [
        &["tables"],
        &["metric_views"],
        &["instructions", "example_sql"],
        &["instructions", "functions"],
        &["instructions", "joins"],
        &["instructions", "snippets", "filters"],
        &["instructions", "snippets", "expressions"],
        &["instructions", "snippets", "measures"],
        &["sample_questions"],
    ];
    for path in lists.into_iter().chain([&["benchmarks"][..]]) {
        let items = path.iter().try_fold(body, |value, name| value.get(name)).and_then(Value::as_list).unwrap_or_default();
        if items.is_empty() {
            continue;
        }
        out.push_str(&format!("{:18} {}\n", path.last().copied().unwrap_or_default(), items.len()));
        for item in items {
            let name = ["identifier", "question", "name", "condition"].iter().find_map(|name| item.get(name));
            out.push_str(&format!("  {}\n", rows::in_a_line(&name.map(Value::key_text).unwrap_or_default())));
        }
    }
    out
}
