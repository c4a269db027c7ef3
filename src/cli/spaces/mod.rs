//! `brickform space-list`, `space-get`, `space-find`, `space-export`, `space-clone`: Genie spaces of one workspace, in the
//! spellings of Genie-Forge.
//!
//! They need no project: `--profile` says which workspace, else `--env`, else the process environment.

mod clone;
mod export;
mod list;
mod map;
mod one;
mod rows;

pub use clone::Arguments as CloneArguments;
pub use export::Arguments as ExportArguments;
pub use list::{Arguments as ListArguments, FindArguments};
pub use one::Arguments as GetArguments;

pub use clone::run as clone;
pub use export::run as export;
pub use list::{find, run as list};
pub use one::run as get;

use std::task::Poll;

use super::connect::{self, Connection};
use super::session::Session;
use super::{Failure, Form, Run};
use crate::client::{ApiError, ApiErrorKind};
use crate::kinds::{Kind, Registry, from_reply, lacking, list_call, read_call};
use crate::model::Value;
use crate::refresh;
use crate::report::style::quoted;
use crate::report::text::plural;

/// The forms that these commands know.
pub const FORMS: &[Form] = &[Form::Text, Form::Table, Form::Json, Form::Csv, Form::Yaml];

/// `--format` is another word for `-o`.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Written {
    /// Another word for `-o`
    #[arg(long, short, value_name = "FORMAT")]
    format: Option<Form>,
}

/// `-p` is another word for `--profile`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Who {
    /// Another word for `--profile`
    #[arg(short = 'p', value_name = "NAME", id = "short_profile")]
    profile: Option<String>,
}

impl Written {
    fn form(self, run: &Run<'_>) -> Result<Form, Failure> {
        let form = self.format.unwrap_or(run.options.output);
        if FORMS.contains(&form) {
            return Ok(form);
        }
        let known: Vec<String> = FORMS.iter().map(|f| format!("`{}`", f.word())).collect();
        Err(Failure::usage(format!("this command does not write `{}`; it knows {}", form.word(), known.join(", ")), &[]))
    }
}

fn kind() -> Result<&'static Kind, Failure> {
    Registry::standard().get("spaces").ok_or_else(|| Failure::machine("the kind `spaces` is not registered"))
}

/// The workspace that is asked: of `--profile`, else of `--env` or the project's own environment, else of the process
/// environment.
async fn workspace(run: &Run<'_>, who: &Who) -> Result<Connection, Failure> {
    if who.profile.is_some() && run.options.environment.is_some() {
        return Err(Failure::usage("`-p` and `--env` both say which workspace", &["take one of them"]));
    }
    let profile = who.profile.as_deref().or(run.options.profile.as_deref());
    if profile.is_some() && run.options.environment.is_none() {
        return connect::by_profile(run, profile).await;
    }
    let in_project = run.options.environment.is_some() || run.options.config.is_some() || run.options.project_dir.is_some();
    let found = run.outside.folder.ancestors().any(|folder| folder.join("conf").join("project.yaml").is_file());
    if in_project || found {
        let session = Session::open(run)?;
        return connect::connect(run, &session.project).await;
    }
    connect::by_profile(run, None).await
}

/// The answer by whichever API of spaces the workspace has.
async fn by_either<T>(
    connection: &Connection,
    kind: &'static Kind,
    ask: impl AsyncFn(&'static Kind) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let kind = connection.registry.current(kind);
    match ask(kind).await {
        Err(error) if refresh::has_no_api(&error) && connection.registry.fall_back(kind) => ask(connection.registry.current(kind)).await,
        answer => answer,
    }
}

/// Rows of all spaces, at most so many (0: all), and whether there are more.
async fn rows_of(connection: &Connection, limit: usize) -> Result<(Vec<Value>, bool), Failure> {
    let listed = async |kind: &'static Kind| {
        let mut rows: Vec<Value> = Vec::new();
        let Some(call) = list_call(kind, None) else { return Ok(rows) };
        let mut pages = connection.client.pages(&call)?;
        while let Some(page) = pages.next().await? {
            rows.extend(page.into_iter().map(|row| from_reply(kind, row)));
        }
        Ok(rows)
    };
    let rows = by_either(connection, kind()?, listed).await;
    let mut rows = rows.map_err(|error| Failure::api("the spaces cannot be listed", error))?;
    // The first are the first of the order in which all are shown, which is not that of the workspace.
    rows.sort_by_cached_key(|row| (text(row, "title"), text(row, "space_id")));
    let more = limit != 0 && rows.len() > limit;
    if limit != 0 {
        rows.truncate(limit);
    }
    Ok((rows, more))
}

/// A space as the API answers it.
async fn read(connection: &Connection, id: &str) -> Result<Value, Failure> {
    let value = Value::from(id);
    let asked = async |kind: &'static Kind| match read_call(kind, &value, &Value::Null, &[]) {
        Some(call) => connection.client.call(&call).await.map(|reply| reply.body),
        None => Ok(Value::Null),
    };
    let reply = by_either(connection, kind()?, asked).await;
    reply.map_err(|error| match error.kind {
        ApiErrorKind::Forbidden => {
            Failure::Machine { message: format!("the space {id} cannot be read: {}", error.message), help: vec![MAY_EDIT.to_owned()] }
        }
        _ => Failure::api(format!("the space {id} cannot be read"), error),
    })
}

/// Who may see what is in a space.
const MAY_EDIT: &str = "what is in a space is shown to those who may edit it: the caller needs CAN EDIT on it";

/// A space with everything in it, in YAML's form.
///
/// # Errors
/// It cannot be read, or it came without its definition: a file of it would say that there is nothing in it.
async fn whole(connection: &Connection, id: &str) -> Result<Value, Failure> {
    if id.is_empty() {
        return Err(Failure::machine("a space came without an id in the list, so that it cannot be read"));
    }
    let reply = read(connection, id).await?;
    if is_bare(&reply) {
        return Err(Failure::Machine {
            message: format!("the space {id} ({}) came without its definition", text(&reply, "title")),
            help: vec![MAY_EDIT.to_owned()],
        });
    }
    let body = from_reply(kind()?, reply);
    if let Some(version) = body.get("more").and_then(|more| more.get("version")) {
        return Err(Failure::Machine {
            message: format!(
                "the space {id} ({}) has its definition in version {}, and this release knows 1 and 2",
                text(&body, "title"),
                version.key_text()
            ),
            help: vec!["a newer Brickform may know it; what it wrote of this one would lack what that version has gained".to_owned()],
        });
    }
    Ok(body)
}

/// The answers of all of these, asked at once, in their order. What they borrow keeps them from being tasks of their own; how
/// many requests are in flight is the client's affair.
async fn together<T>(asked: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = asked.map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|context| {
        for (one, answer) in waiting.iter_mut().filter(|(_, answer)| answer.is_none()) {
            if let Poll::Ready(value) = one.as_mut().poll(context) {
                *answer = Some(value);
            }
        }
        if waiting.iter().all(|(_, answer)| answer.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, answer)| answer).collect()
}

/// Whether a reply holds nothing of what is in the space, as those get it who may not edit.
fn is_bare(reply: &Value) -> bool {
    ["serialized_space", "definition"].iter().all(|name| reply.get(name).is_none_or(Value::is_zero))
        || kind().is_ok_and(|kind| lacking(kind, reply).is_some() && reply.get("definition").is_none())
}

/// Whether a title looks so, in whatever case.
fn fits(pattern: &str, title: &str) -> bool {
    crate::export::fits(&pattern.to_lowercase(), &title.to_lowercase())
}

/// What is said where no title fits: the nearest one, else how many there are.
fn none_fits(how: &str, pattern: &str, all: &[Value]) -> String {
    match nearest(pattern, all) {
        Some(near) => format!("No space's title {how}. Did you mean {}?", quoted(&near)),
        None => format!("No space's title {how}; the caller may see {}.", plural(all.len() as u64, "space", "spaces")),
    }
}

/// The title that a pattern nearly is.
fn nearest(pattern: &str, all: &[Value]) -> Option<String> {
    let titles: Vec<String> = all.iter().map(|row| text(row, "title")).collect();
    let plain = pattern.replace(['*', '?'], "");
    crate::diagnostic::suggest::nearest(&plain, titles.iter().map(String::as_str)).map(str::to_owned)
}

/// The id of a space that is named by its id or by its title.
async fn id_of(connection: &Connection, named: &str) -> Result<String, Failure> {
    let is_id = named.len() >= 12 && named.bytes().all(|b| b.is_ascii_hexdigit());
    if is_id { Ok(named.to_owned()) } else { by_title(connection, named).await }
}

/// The id of the only space of this title.
async fn by_title(connection: &Connection, title: &str) -> Result<String, Failure> {
    let (rows, _) = rows_of(connection, 0).await?;
    let exact = |row: &&Value| text(row, "title") == title;
    let found: Vec<&Value> = match rows.iter().filter(exact).collect::<Vec<_>>() {
        none if none.is_empty() && title.contains(['*', '?']) => rows.iter().filter(|row| fits(title, &text(row, "title"))).collect(),
        found => found,
    };
    match found.as_slice() {
        [only] => Ok(text(only, "space_id")),
        [] => {
            let titles: Vec<String> = rows.iter().map(|row| text(row, "title")).collect();
            let near = crate::diagnostic::suggest::nearest(title, titles.iter().map(String::as_str));
            let help = near.map_or_else(|| "`brickform space-list` shows them all".to_owned(), |near| format!("did you mean `{near}`?"));
            Err(Failure::Machine { message: format!("there is no space called `{title}`"), help: vec![help] })
        }
        several => {
            let ids: Vec<String> = several.iter().map(|row| text(row, "space_id")).collect();
            Err(Failure::Machine {
                message: format!("{} spaces are called `{title}`: {}", ids.len(), ids.join(", ")),
                help: vec!["name one of them by its id".to_owned()],
            })
        }
    }
}

fn text(body: &Value, name: &str) -> String {
    body.get(name).map(Value::key_text).unwrap_or_default()
}
