//! `brickform space-export`: spaces as files, one each.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Who, fits, kind, nearest, rows, rows_of, text, together, whole, workspace};
use crate::cli::connect::Connection;
use crate::cli::{Exit, Failure, Form, Run, runtime};
use crate::export::{self, Exported, FileError, Overwrite, facets};
use crate::model::Value;
use crate::refresh;
use crate::report::style::quoted;

/// Arguments of `space-export`.
#[derive(Debug, Args)]
#[command(
    after_help = "A file has the tags of a space, and the permissions of its own (not what its folder gives, and not your own); what may not be\nread of them is left out with a warning.\n\nExamples:\n  brickform space-export --space-id 01abc123def456 --output-dir exports --profile SOURCE_WORKSPACE\n  brickform space-export --pattern 'Sales*' --exclude '*draft*' --output-dir exports"
)]
pub struct Arguments {
    /// Only the space of this id (any number of times)
    #[arg(long = "space-id", value_name = "ID", conflicts_with_all = ["pattern", "exclude"])]
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
    /// How the files are written
    #[arg(long, short, value_name = "FORMAT", default_value = "yaml")]
    format: FileForm,
    /// Replace files that hold something else
    #[arg(long)]
    overwrite: bool,
    /// Leave the tags and the permissions of the spaces out
    #[arg(long)]
    definition_only: bool,
    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FileForm {
    Yaml,
    Json,
}

/// What a row of the result shows.
const COLUMNS: [rows::Column; 4] = [("result", "RESULT"), ("file", "FILE"), ("title", "TITLE"), ("space_id", "ID")];

/// Exports spaces.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    runtime()?.block_on(async {
        let connection = workspace(run, &arguments.who).await?;
        let (wanted, all) = if arguments.ids.is_empty() {
            let all = rows_of(&connection, 0).await?.0;
            (chosen(arguments, &all), all)
        } else {
            (arguments.ids.iter().map(|id| (id.clone(), String::new())).collect(), vec![])
        };
        let (mut bodies, mut failed) = (Vec::new(), Vec::new());
        let read = together(wanted.iter().map(|(id, _)| whole(&connection, id))).await;
        for ((id, title), body) in wanted.into_iter().zip(read) {
            match body {
                Ok(body) => bodies.push(body),
                Err(failure @ (Failure::Credentials(_) | Failure::Usage { .. })) => return Err(failure),
                Err(failure) => failed.push((id, title, failure)),
            }
        }
        if bodies.is_empty() && failed.is_empty() {
            return none(arguments, run, &all);
        }
        if !arguments.definition_only {
            let all = together(bodies.iter().map(|body| parts(&connection, body))).await;
            for (body, parts) in bodies.iter_mut().zip(all) {
                for part in parts? {
                    match (part, body.as_map_mut()) {
                        (Part::Is(name, value), Some(fields)) => drop(fields.insert(name.to_owned(), value)),
                        (Part::Unread(why), _) => run.screen.raw(&format!("warning: {why}\n")),
                        _ => {}
                    }
                }
            }
        }
        write(arguments, run, bodies, failed, &connection.link_host)
    })
}

/// There is no space to export: a mistake where titles were said that none has.
fn none(arguments: &Arguments, run: &Run<'_>, all: &[Value]) -> Result<Exit, Failure> {
    if let Some(pattern) = arguments.pattern.as_deref().filter(|pattern| !all.iter().any(|row| fits(pattern, &text(row, "title")))) {
        let near = nearest(pattern, all).map(|near| format!("did you mean {}?", quoted(&near)));
        return Err(Failure::Usage {
            message: format!("no space's title looks like {}: nothing was written", quoted(pattern)),
            help: vec![near.unwrap_or_else(|| "`brickform space-list` shows the spaces that the caller may see".to_owned())],
        });
    }
    if run.screen.form != Form::Text {
        rows::show(run, run.screen.form, &COLUMNS, &[], "");
    }
    let told = if all.is_empty() { "There are no spaces that the caller may see." } else { "`--exclude` leaves no space." };
    run.screen.note(&format!("{told} Nothing was written."));
    Ok(Exit::Done)
}

/// What stands beside the definition of a space.
enum Part {
    /// The name of a part, and what YAML says of it.
    Is(&'static str, Value),
    /// Why a part is left out.
    Unread(String),
}

/// The parts of a space as YAML would say them: without what its folder gives, without what the caller has as its maker.
async fn parts(connection: &Connection, body: &Value) -> Result<Vec<Part>, Failure> {
    let (id, mut found) = (text(body, "space_id"), vec![]);
    for facet in kind()?.facets {
        let bound = facets::bound(facet, &id, body);
        let Some(part) = facets::id_of(facet, &bound) else { continue };
        match refresh::object(&connection.client, facet.kind, &part, &bound).await {
            Ok(Some(seen)) => {
                let told = facets::entries(facet, &bound, &seen, body, Some(&connection.caller));
                found.extend(told.map(|told| Part::Is(facet.name, told)));
            }
            Err(error) if !refresh::has_no_api(&error) => {
                let title = quoted(&text(body, "title"));
                found.push(Part::Unread(format!("the {} of {title} cannot be read and are not written: {error}", facet.name)));
            }
            Ok(None) | Err(_) => {}
        }
    }
    Ok(found)
}

/// The spaces whose titles fit: id and title.
fn chosen(arguments: &Arguments, rows: &[Value]) -> Vec<(String, String)> {
    let wanted = |row: &&Value| {
        let title = text(row, "title");
        arguments.pattern.as_deref().is_none_or(|p| fits(p, &title)) && !arguments.exclude.iter().any(|p| fits(p, &title))
    };
    rows.iter().filter(wanted).map(|row| (text(row, "space_id"), text(row, "title"))).collect()
}

/// What came of one space.
struct Row {
    result: &'static str,
    file: String,
    title: String,
    id: String,
    /// Why there is no file of it, and what to do.
    why: String,
    help: Vec<String>,
}

impl Row {
    fn value(&self) -> Value {
        let all = [("result", self.result), ("file", &self.file), ("title", &self.title), ("space_id", &self.id), ("why", &self.why)];
        Value::map(all.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, Value::text(text))))
    }
}

fn write(
    arguments: &Arguments,
    run: &Run<'_>,
    mut bodies: Vec<Value>,
    failed: Vec<(String, String, Failure)>,
    host: &str,
) -> Result<Exit, Failure> {
    bodies.sort_by_cached_key(|body| (text(body, "title"), text(body, "space_id")));
    let (mut keys, mut names) = (export::Keys::default(), export::Names::default());
    let mut results = Vec::new();
    for body in &bodies {
        results.push(one(arguments, run, body, host, &mut keys, &mut names)?);
    }
    results.extend(failed.into_iter().map(|(id, title, failure)| Row {
        result: "failed",
        file: String::new(),
        title,
        id,
        why: failure.to_string(),
        help: failure.help(),
    }));
    let done = results.iter().filter(|row| row.why.is_empty()).count();
    if run.screen.form == Form::Text {
        for row in results.iter().filter(|row| row.why.is_empty()) {
            run.screen.result(&format!("{} {}  {}\n", row.result, row.file, quoted(&row.title)));
        }
    } else {
        let rows: Vec<Value> = results.iter().map(Row::value).collect();
        rows::show(run, run.screen.form, &COLUMNS, &rows, "");
    }
    for row in results.iter().filter(|row| !row.why.is_empty()) {
        run.screen.raw(&format!("error: {}\n", row.why));
        row.help.iter().for_each(|line| run.screen.raw(&format!("  = {line}\n")));
    }
    match results.len() - done {
        0 => Ok(Exit::Done),
        _ if done > 0 => Ok(Exit::Partial),
        _ => Ok(Exit::Failed),
    }
}

/// The document of a space with its parts.
fn document(key: &str, body: &Value) -> Result<Value, Failure> {
    let mut document = export::document(key, body);
    let space = document.as_map_mut().and_then(|map| map.get_mut("spaces"));
    if let Some(Value::List(spaces)) = space
        && let Some(Value::Map(space)) = spaces.first_mut()
    {
        let parts = kind()?.facets.iter().filter_map(|facet| Some((facet.name.to_owned(), body.get(facet.name)?.clone())));
        space.extend(parts);
    }
    Ok(document)
}

/// Writes one space into its file.
fn one(
    arguments: &Arguments,
    run: &Run<'_>,
    body: &Value,
    host: &str,
    keys: &mut export::Keys,
    names: &mut export::Names,
) -> Result<Row, Failure> {
    let (form, end) = match arguments.format {
        FileForm::Yaml => (export::Form::Yaml, "yaml"),
        FileForm::Json => (export::Form::Json, "json"),
    };
    let (title, id) = (text(body, "title"), text(body, "space_id"));
    let short: String = id.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    let key = keys.give(&export::key_of(&title), &short);
    let name = names.give(&key, &short);
    let mut written = export::text(&document(&key, body)?, form);
    if form == export::Form::Yaml {
        let from = if host.is_empty() { String::new() } else { format!(" of {host}") };
        written = format!("# The Genie space {id}{from}.\n{written}");
    }
    let file = format!("{}/{name}.{end}", arguments.output_dir.trim_end_matches('/'));
    let folder: PathBuf = run.outside.path(&arguments.output_dir);
    let path = folder.join(format!("{name}.{end}"));
    let row =
        |result: &'static str| Row { result, file: file.clone(), title: title.clone(), id: id.clone(), why: String::new(), help: vec![] };
    if arguments.dry_run {
        return Ok(row("would write"));
    }
    let overwrite = if arguments.overwrite { Overwrite::Allowed } else { Overwrite::Never };
    match export::write(&path, &written, overwrite) {
        Ok(Exported::Written) => Ok(row("wrote")),
        Ok(Exported::Replaced) => Ok(row("replaced")),
        Ok(Exported::Unchanged) => Ok(row("unchanged")),
        Err(FileError::Differs { .. }) => Ok(Row {
            why: format!("{file} is there already and holds something else; {} was not written", quoted(&title)),
            help: vec!["`--overwrite` replaces what is there; `--output-dir` names another folder".to_owned()],
            ..row("kept")
        }),
        Err(error) => Err(Failure::machine(error.to_string())),
    }
}
