//! `brickform space-clone`: a space again, under another title: as a file, in its workspace, or in another one.

use std::path::Path;

use clap::Args;

use super::{Who, id_of, kind, map, rows, rows_of, text, whole, workspace};
use crate::catalogue;
use crate::cli::{Exit, Failure, Form, Run, connect, runtime};
use crate::client::{ApiError, ApiErrorKind};
use crate::export::{self, Overwrite};
use crate::kinds::{Call, Change, Context, Repeat, Schema, create_calls, from_reply};
use crate::model::{Address, Map, Value};
use crate::report::style::quoted;
use crate::report::text::plural;

/// Arguments of `space-clone`.
#[derive(Debug, Args)]
#[command(
    after_help = "Everything in the space is copied, its benchmarks too. Its permissions and tags are not: the copy belongs to whoever makes it.\n\nExamples:\n  brickform space-clone 01abc123def456 --name 'Sales copy' --to-file spaces/sales_copy.yaml\n  brickform space-clone 'Sales Analytics' --to-profile TARGET_WORKSPACE --warehouse-id 475b94ddc7cd5211 --yes\n  brickform space-clone 'Sales Analytics' --to-profile PROD --map dev_catalog=prod_catalog --dry-run"
)]
pub struct Arguments {
    /// The id of the space, or its title
    #[arg(value_name = "SOURCE")]
    source: String,
    /// The title of the copy
    #[arg(long, short, value_name = "TITLE")]
    name: Option<String>,
    /// Write the copy into this file, to be applied from there
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to_profile", "to_workspace"])]
    to_file: Option<String>,
    /// Make the copy in the workspace of this profile
    #[arg(long, alias = "target-profile", value_name = "NAME")]
    to_profile: Option<String>,
    /// The same; without a name: in the space's own workspace, as it is where nothing is said
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", conflicts_with = "overwrite")]
    to_workspace: Option<String>,
    /// The warehouse of the copy
    #[arg(long, short, value_name = "ID")]
    warehouse_id: Option<String>,
    /// The folder of the copy, made where it is not there; otherwise that of the space
    #[arg(long, value_name = "PATH")]
    parent_path: Option<String>,
    /// Another catalog, wherever tables, functions, joins and SQL name it (any number of times; also `A.B=C.D`)
    #[arg(long = "map", value_name = "OLD=NEW")]
    maps: Vec<String>,
    /// Replace the file if it holds something else
    #[arg(long)]
    overwrite: bool,
    /// Make it without asking
    #[arg(long, short)]
    yes: bool,
    /// Say what would be made, and make nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    who: Who,
}

impl Arguments {
    /// The profile of the target; none: the space's own workspace.
    fn target(&self) -> Result<Option<&str>, Failure> {
        let named = self.to_workspace.as_deref().filter(|name| !name.is_empty());
        match (&self.to_profile, named) {
            (Some(one), Some(other)) if one != other => {
                Err(Failure::usage(format!("`--to-profile {one}` and `--to-workspace {other}` are two workspaces"), &["name one of them"]))
            }
            (Some(one), _) => Ok(Some(one)),
            (None, other) => Ok(other),
        }
    }
}

/// Copies a space.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    runtime()?.block_on(async {
        let target = arguments.target()?;
        let renamed = arguments.maps.iter().map(|map| map::parse(map)).collect::<Result<Vec<_>, _>>()?;
        let source = workspace(run, &arguments.who).await?;
        let id = id_of(&source, &arguments.source).await?;
        let mut body = whole(&source, &id).await?;
        let before = map::named(&body);
        fit(arguments, &renamed, &body)?;
        let count = map::apply(&renamed, &mut body);
        map::apart(&before, &map::named(&body))?;
        if !renamed.is_empty() {
            run.screen.note(&format!("{} changed by `--map`.", plural(count as u64, "name", "names")));
        }
        let left: Vec<String> = map::left(&renamed, &body).iter().map(|(at, n)| format!("{at} ({n})")).collect();
        if !left.is_empty() {
            run.screen.note(&format!("Texts that still name what `--map` replaces, and are copied as they are: {}.", left.join(", ")));
        }
        let target = match target {
            Some(profile) => Some(connect::by_profile(run, Some(profile)).await?),
            None => None,
        };
        // In the same workspace the title is taken.
        let here = arguments.to_file.is_none() && target.as_ref().is_none_or(|target| target.identity == source.identity);
        let title = arguments.name.clone().or_else(|| here.then(|| format!("Copy of {}", text(&body, "title"))));
        if let Some(fields) = body.as_map_mut() {
            let given = [("title", &title), ("warehouse_id", &arguments.warehouse_id), ("parent_path", &arguments.parent_path)];
            fields.extend(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::text(value.clone()?)))));
        }
        match &arguments.to_file {
            Some(file) => to_file(arguments, run, file, &body, &renamed),
            None => to_workspace(arguments, run, target.as_ref().unwrap_or(&source), &body).await,
        }
    })
}

/// What a row of the result shows.
const COLUMNS: [rows::Column; 4] = [("result", "RESULT"), ("title", "TITLE"), ("space_id", "ID"), ("place", "PLACE")];

/// One row, for programs; people have read it already.
fn told(run: &Run<'_>, result: &str, title: &str, id: &str, place: &str) {
    rows::show(run, run.screen.form, &COLUMNS, &[row(result, title, id, place)], "");
}

fn row(result: &str, title: &str, id: &str, place: &str) -> Value {
    let row = [("result", result), ("title", title), ("space_id", id), ("place", place)];
    Value::map(row.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, Value::text(text))))
}

/// Whether each `--map` says something of this space, and can be said where the copy goes.
fn fit(arguments: &Arguments, renamed: &[map::Renamed], body: &Value) -> Result<(), Failure> {
    for (one, given) in renamed.iter().zip(&arguments.maps) {
        if let Some(expression) = one.expressions().next().filter(|_| arguments.to_file.is_none()) {
            return Err(Failure::usage(
                format!("`--map {given}`: `{expression}` stands only in a file, and a workspace knows nothing of it"),
                &["write the copy into a file (`--to-file FILE`) and apply it, or name the catalog itself"],
            ));
        }
        if map::apply(std::slice::from_ref(one), &mut body.clone()) == 0 {
            return Err(Failure::usage(
                format!(
                    "`--map {given}` changes nothing: no table, function, join or SQL of the space names `{}`; nothing was made",
                    one.old()
                ),
                &["`brickform space-get` shows what it names"],
            ));
        }
    }
    Ok(())
}

fn to_file(arguments: &Arguments, run: &Run<'_>, file: &str, body: &Value, renamed: &[map::Renamed]) -> Result<Exit, Failure> {
    // A file is read by its name: YAML in one of JSON would be a mistake.
    let is_json = Path::new(file).extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
    let form = if is_json { export::Form::Json } else { export::Form::Yaml };
    let written = export::text(&export::document(&export::key_of(&text(body, "title")), body), form);
    let written = map::evaluated_later(renamed, &written, form);
    if arguments.dry_run {
        run.screen.result(&written);
        run.screen.note(&format!("Only shown (--dry-run): {file} was not written."));
        return Ok(Exit::Done);
    }
    let overwrite = if arguments.overwrite { Overwrite::Allowed } else { Overwrite::Never };
    let done = export::write(&run.outside.path(file), &written, overwrite)
        .map_err(|error| Failure::Machine { message: error.to_string(), help: vec!["`--overwrite` replaces what is there".to_owned()] })?;
    let (title, result) = (text(body, "title"), if done == export::Exported::Unchanged { "unchanged" } else { "wrote" });
    if run.screen.form == Form::Text {
        run.screen.result(&format!("{result} {file}  {}\n", quoted(&title)));
    } else {
        told(run, result, &title, "", file);
    }
    Ok(Exit::Done)
}

async fn to_workspace(arguments: &Arguments, run: &Run<'_>, target: &connect::Connection, body: &Value) -> Result<Exit, Failure> {
    let title = text(body, "title");
    let (there, _) = rows_of(target, 0).await?;
    if let Some(taken) = there.iter().find(|row| text(row, "title") == title) {
        return Err(Failure::Machine {
            message: format!("a space called `{title}` is there already: {}", text(taken, "space_id")),
            help: vec!["give the copy another title: `--name TITLE`".to_owned()],
        });
    }
    // The document of an export has no ids: the copy gets its own. What a person writes is read back as such.
    let document = export::document(&export::key_of(&title), body);
    let space = document.get("spaces").and_then(Value::as_list).and_then(<[Value]>::first).cloned().unwrap_or(Value::Null);
    let mut space = kind()?.hooks.normal.map_or(space.clone(), |normal| normal(space));
    if let Some(map) = space.as_map_mut() {
        map.shift_remove("space_id");
        // What the workspace says of this space besides is no wish for the copy.
        let root = Schema::of(kind()?).root();
        map.retain(|name, _| root.field(name).is_some());
    }
    let address = Address::new("spaces", export::key_of(&title));
    let change =
        Change { address: &address, id: &Value::Null, applied: None, live: None, desired: &space, paths: &[], context: Context::default() };
    let refused = |why: String| Failure::machine(format!("`{title}` cannot be copied: {why}"));
    // By the API that answered the list.
    let kind = target.registry.current(kind()?);
    if let Some(refusal) = kind.hooks.carries.and_then(|carries| carries(&space).into_iter().next()) {
        return Err(refused(format!("{}: {}", refusal.path, refusal.reason)));
    }
    // As `validate` would of a file.
    if let Some(refusal) = kind.hooks.check.and_then(|check| check(&space).into_iter().next()) {
        let at = if refusal.path.is_root() { String::new() } else { format!("{}: ", refusal.path) };
        return Err(refused(format!("{at}{}", refusal.reason)));
    }
    let calls = create_calls(kind, &change).map_err(|refusal| refused(refusal.reason))?;
    let folder = text(&space, "parent_path");
    let make_folder = if folder.is_empty() || !is_absent(target, &folder).await { None } else { Some(mkdirs(&folder)) };
    let calls: Vec<Call> = make_folder.into_iter().chain(calls).collect();
    let lines = planned(&space, &target.identity.host, &calls);
    if arguments.dry_run {
        if run.screen.form == Form::Text {
            run.screen.result(&lines);
        } else {
            let makes_folder = calls.iter().any(|call| call.op == MKDIRS);
            let rows: Vec<Value> = makes_folder
                .then(|| row("would make the folder", "", "", &folder))
                .into_iter()
                .chain([row("would make", &title, "", &target.identity.host)])
                .collect();
            rows::show(run, run.screen.form, &COLUMNS, &rows, "");
        }
        run.screen.note("Only shown (--dry-run): nothing was made.");
        return Ok(Exit::Done);
    }
    run.screen.note(lines.trim_end());
    if !arguments.yes {
        let answer = if run.screen.can_ask() { run.screen.ask("Make it? [y/N] ") } else { None };
        match answer.as_deref().map(str::trim) {
            Some("y" | "yes") => {}
            Some(_) => return Err(Failure::machine("nothing was made")),
            None => return Err(Failure::usage("nobody can be asked whether to make it", &["`--yes` makes it; `--dry-run` only looks"])),
        }
    }
    let mut made = Value::Map(Map::new());
    for call in calls {
        let call = call.encoded(kind).map_err(refused)?;
        let answer = target.client.call(&call).await.map_err(|error| match call.op {
            MKDIRS => Failure::api(format!("the folder {folder} cannot be made, and the copy was not"), error),
            _ => refusal(&title, &folder, error),
        })?;
        made = from_reply(kind, answer.body);
    }
    let (id, title) = (text(&made, "space_id"), text(&made, "title"));
    if run.screen.form == Form::Text {
        run.screen.result(&format!("{id}  {}\n", quoted(&title)));
    } else {
        told(run, "made", &title, &id, &target.identity.host);
    }
    run.screen.note("Its permissions are not copied: the copy belongs to whoever made it.");
    Ok(Exit::Done)
}

/// The request that makes folders.
const MKDIRS: &str = "workspace.workspace.mkdirs";

fn mkdirs(folder: &str) -> Call {
    let body = Some(Value::map([("path", Value::text(folder))]));
    Call { op: MKDIRS, path: Map::new(), query: Map::new(), body, why: "make the folder", repeat: Repeat::Safe }
}

/// Whether the workspace says that it has no such folder. What it does not say is left to the request that needs it.
async fn is_absent(target: &connect::Connection, folder: &str) -> bool {
    let query: Map = [("path".to_owned(), Value::text(folder))].into_iter().collect();
    let op = "workspace.workspace.get_status";
    let call = Call { op, path: Map::new(), query, body: None, why: "look for the folder", repeat: Repeat::Safe };
    target.client.call(&call).await.is_err_and(|error| error.kind == ApiErrorKind::NotFound)
}

/// What will be made, a line each.
fn planned(space: &Value, host: &str, calls: &[Call]) -> String {
    let tables = space.get("tables").and_then(Value::as_list).map_or(0, <[Value]>::len);
    let (title, folder) = (quoted(&text(space, "title")), text(space, "parent_path"));
    let place = if folder.is_empty() { String::new() } else { format!(", in {folder}") };
    let mut out = String::new();
    if calls.iter().any(|call| call.op == MKDIRS) {
        out.push_str(&format!("+ folder {folder} in {host}\n"));
    }
    let tables = plural(tables as u64, "table", "tables");
    out.push_str(&format!("+ {title} in {host}, with {tables}, warehouse {}{place}\n", text(space, "warehouse_id")));
    for call in calls {
        if let Some(operation) = catalogue::operation(call.op) {
            out.push_str(&format!("  {:<6} {}  ({})\n", operation.method, operation.path, call.why));
        }
    }
    out
}

/// Why the copy was not made; of a folder that is not there, what to do.
fn refusal(title: &str, folder: &str, error: ApiError) -> Failure {
    let absent = matches!(error.kind, ApiErrorKind::NotFound) || error.message.contains("Tree node");
    if absent && !folder.is_empty() && error.message.contains(folder.trim_start_matches("/Workspace")) {
        return Failure::Machine {
            message: format!("`{title}` cannot be made: {}", error.message),
            help: vec![format!("the workspace has no folder {folder}: make it, or name another one by `--parent-path PATH`")],
        };
    }
    Failure::api(format!("`{title}` cannot be made"), error)
}
