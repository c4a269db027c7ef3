//! `brickform space-clone`: a space again, under another title: as a file, in its workspace, or in another one.

use clap::Args;

use super::{by_title, kind, read, rows, text, workspace};
use crate::catalogue;
use crate::cli::{Exit, Failure, Run, connect, runtime};
use crate::export::{self, Overwrite};
use crate::kinds::{Change, Context, create_calls, from_reply};
use crate::model::{Address, Map, Value};
use crate::report::style::quoted;
use crate::report::text::plural;

/// Arguments of `space-clone`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brickform space-clone 01abc123def456 --name 'Sales copy' --to-file spaces/sales_copy.yaml\n  brickform space-clone 'Sales Analytics' --to-profile TARGET_WORKSPACE --warehouse-id 475b94ddc7cd5211 --yes"
)]
pub struct Arguments {
    /// The id of the space, or its title
    #[arg(value_name = "SOURCE")]
    source: String,
    /// The title of the copy
    #[arg(long, short, value_name = "TITLE")]
    name: Option<String>,
    /// Write the copy into this file, to be applied from there
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to_profile"])]
    to_file: Option<String>,
    /// Make the copy in the workspace of this profile
    #[arg(long, alias = "target-profile", alias = "to-workspace", value_name = "NAME")]
    to_profile: Option<String>,
    /// The warehouse of the copy
    #[arg(long, short, value_name = "ID")]
    warehouse_id: Option<String>,
    /// Replace the file if it holds something else
    #[arg(long)]
    overwrite: bool,
    /// Make it without asking
    #[arg(long, short)]
    yes: bool,
    /// Say what would be made, and make nothing
    #[arg(long)]
    dry_run: bool,
}

/// Copies a space.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    runtime()?.block_on(async {
        let source = workspace(run).await?;
        let is_id = arguments.source.len() >= 12 && arguments.source.bytes().all(|b| b.is_ascii_hexdigit());
        let id = if is_id { arguments.source.clone() } else { by_title(&source, &arguments.source).await? };
        let mut body = from_reply(kind()?, read(&source, &id).await?);
        if let Some(map) = body.as_map_mut() {
            let given = [("title", &arguments.name), ("warehouse_id", &arguments.warehouse_id)];
            map.extend(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::text(value.clone()?)))));
        }
        if let Some(file) = &arguments.to_file {
            to_file(arguments, run, file, &body)
        } else {
            let target = match &arguments.to_profile {
                Some(profile) => connect::by_profile(run, Some(profile)).await?,
                None => source,
            };
            to_workspace(arguments, run, &target, &body).await
        }
    })
}

fn to_file(arguments: &Arguments, run: &Run<'_>, file: &str, body: &Value) -> Result<Exit, Failure> {
    let written = export::text(&export::document(&export::key_of(&text(body, "title")), body), export::Form::Yaml);
    if arguments.dry_run {
        run.screen.result(&written);
        return Ok(Exit::Done);
    }
    let overwrite = if arguments.overwrite { Overwrite::Allowed } else { Overwrite::Never };
    let done = export::write(&run.outside.path(file), &written, overwrite)
        .map_err(|error| Failure::Machine { message: error.to_string(), help: vec!["`--overwrite` replaces what is there".to_owned()] })?;
    run.screen.result(&format!(
        "{} {file}  {}\n",
        if done == export::Exported::Unchanged { "unchanged" } else { "wrote" },
        quoted(&text(body, "title"))
    ));
    Ok(Exit::Done)
}

async fn to_workspace(arguments: &Arguments, run: &Run<'_>, target: &connect::Connection, body: &Value) -> Result<Exit, Failure> {
    let title = text(body, "title");
    let (there, _) = rows(target, 0).await?;
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
    let calls = create_calls(kind, &change).map_err(|refusal| refused(refusal.reason))?;
    let tables = space.get("tables").and_then(Value::as_list).map_or(0, <[Value]>::len);
    run.screen.note(&format!(
        "+ {} in {}, with {}, warehouse {}",
        quoted(&title),
        target.identity.host,
        plural(tables as u64, "table", "tables"),
        text(&space, "warehouse_id")
    ));
    for call in &calls {
        if let Some(operation) = catalogue::operation(call.op) {
            run.screen.note(&format!("  {:<6} {}  ({})", operation.method, operation.path, call.why));
        }
    }
    if arguments.dry_run {
        return Ok(Exit::Done);
    }
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
        let reply = target.client.call(&call).await.map_err(|error| Failure::api(format!("`{title}` cannot be made"), error))?;
        made = from_reply(kind, reply.body);
    }
    run.screen.result(&format!("{}  {}\n", text(&made, "space_id"), quoted(&text(&made, "title"))));
    Ok(Exit::Done)
}
