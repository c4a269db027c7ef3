//! `brickform state import-genie-forge`: the spaces that Genie-Forge's state names go into ours, each as it is in the workspace.
//! Sends only reads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;

use super::adopt;
use super::carry::{self, Consent};
use super::session::{Online, Session, given};
use super::{Exit, Failure, Format, Run, runtime};
use crate::model::{Address, Lookup, Map, Value, bounded, json};
use crate::plan::{self, Step};
use crate::project::Answer;
use crate::refresh;
use crate::report::answers::{common, in_place, shell_word};
use crate::report::style::{quoted, visible};
use crate::report::text::plural;
use crate::state::{Document, Entry};

/// How the result calls itself.
pub const FORMAT: &str = "brickform.state-import/1";

/// Arguments of `state import-genie-forge`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brickform state import-genie-forge --env dev --dry-run\n  brickform state import-genie-forge ../old/.genie-forge.json --env prod --from production --yes"
)]
pub struct Arguments {
    /// The state of Genie-Forge; in the project's folder unless it is named
    #[arg(value_name = "FILE")]
    file: Option<String>,
    /// The environment in that file, where it is called otherwise than `--env`
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
    /// Show, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short, env = "BRICKFORM_YES", value_parser = clap::builder::BoolishValueParser::new())]
    yes: bool,
}

/// What one file says about one environment.
struct Kept {
    /// As messages name the file.
    file: String,
    /// The environment there.
    environment: String,
    /// Where its spaces are; empty: it does not say.
    workspace_url: String,
    rows: Vec<Row>,
    /// The other environments in the file.
    others: Vec<String>,
}

/// A space that it keeps.
struct Row {
    /// `space_id` of its files: our key.
    name: String,
    /// The workspace's id; often none, since its import reads another name than the API's.
    id: Option<String>,
    title: String,
}

/// What came of a row.
enum Outcome {
    /// It is taken over, and by what it was known.
    Taken { address: Address, id: String, by: &'static str, notes: Vec<String> },
    /// The state has it already.
    Managed { address: Address, id: String },
    /// The workspace has it no more, or nothing of its title.
    Missing { address: Address, id: Option<String>, title: String },
    /// No file of the project declares it.
    Undeclared { name: String, id: Option<String> },
    /// Which one it is cannot be said, or it may not be looked at.
    Unclear { address: Address, why: String, help: Vec<String> },
}

/// Imports.
pub fn import(arguments: &Arguments, session: &Session, run: &Run<'_>) -> Result<Exit, Failure> {
    // What is wrong with the file is said before anything is locked or asked.
    let kept = kept(arguments, session, run)?;
    session.lock(run, "state import-genie-forge")?;
    let done = runtime().and_then(|runtime| runtime.block_on(imported(arguments, &kept, session, run)));
    session.store.unlock();
    done
}

async fn imported(arguments: &Arguments, kept: &Kept, session: &Session, run: &Run<'_>) -> Result<Exit, Failure> {
    let (mut online, document) = session.online(run).await?;
    same_host(kept, &online, session)?;
    let mut outcomes = Vec::new();
    let mut wanted: Vec<(Address, String, &'static str)> = Vec::new();
    let titles = by_title(kept, session, &online).await?;
    for row in &kept.rows {
        match found(row, &online, &document, &titles) {
            Ok(one) => wanted.push(one),
            Err(outcome) => outcomes.push(*outcome),
        }
    }
    once_each(&mut wanted, &mut outcomes);
    let entries = taken(&wanted, session, &mut online, &document, run, &mut outcomes).await?;
    for outcome in &mut outcomes {
        outcome.placed(session, run);
    }
    outcomes.sort_by_key(|outcome| (outcome.rank(), outcome.name()));
    let unclear = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Unclear { .. }));
    let exit = if unclear { Exit::Failed } else { Exit::Done };
    let writes = !entries.is_empty() && !arguments.dry_run;
    if run.screen.format == Format::Text {
        run.screen.result(&text(kept, &outcomes, session.environment(), &common(session.environment(), given(run.options))));
    }
    if writes {
        let count = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Taken { .. })).count();
        let question = format!("Take {} over in {}? Only `yes` does it: ", plural(count as u64, "space", "spaces"), session.environment());
        carry::consent(run, &Consent { given: arguments.yes, question: &question, answer: "yes", command: "state import-genie-forge" })?;
        let mut document = document;
        document.resources.extend(entries);
        session.record(run, &online, document, "state import-genie-forge")?;
    }
    if run.screen.format == Format::Json {
        run.screen.result(&format!("{:#}\n", told(kept, &outcomes, session.environment(), writes)));
    } else if writes {
        let next = common(session.environment(), given(run.options));
        run.screen.result(&format!("Taken over. Nothing was sent.\nNext: brickform plan {next}\n"));
    } else if arguments.dry_run {
        run.screen.note("Only shown (--dry-run): nothing was written.");
    } else {
        run.screen.note("Nothing to take over: nothing was written.");
    }
    Ok(exit)
}

/// The rows of the environment, read strictly: a file that is taken for empty makes every space a second time.
fn kept(arguments: &Arguments, session: &Session, run: &Run<'_>) -> Result<Kept, Failure> {
    let (file, path): (String, PathBuf) = match &arguments.file {
        Some(file) => (file.clone(), run.outside.path(file)),
        None => (".genie-forge.json".to_owned(), session.project.folder.join(".genie-forge.json")),
    };
    let bytes = bounded::own(&path, bounded::RECORD).map_err(|error| unread(&file, &path, &error))?;
    let unfit = |why: String| Failure::Machine {
        message: format!("`{file}` is no state of Genie-Forge: {}", visible(&why)),
        help: vec![
            "nothing was taken over; take the file back from Git or a backup, or take spaces over by `brickform adopt spaces.KEY --id ID`"
                .to_owned(),
        ],
    };
    let whole = json::parse_strictly(&bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Failure::Machine {
            message: format!("`{file}:{}`: {}", error.line(), visible(&error.to_string())),
            help: vec!["nothing was taken over: which of the two is meant, nobody knows; leave one of them in the file".to_owned()],
        },
        _ => unfit(format!("it is no JSON: {error}")),
    })?;
    let version = whole.get("version").map(Value::key_text).unwrap_or_default();
    if !version.is_empty() && version != "1" && !version.starts_with("1.") {
        return Err(unfit(format!("its version is {version}, and 1 is known")));
    }
    let Some(environments) = whole.get("environments").and_then(Value::as_map) else {
        return Err(unfit("it has no `environments`".to_owned()));
    };
    let name = arguments.from.as_deref().unwrap_or(session.environment());
    let names: Vec<String> = environments.keys().cloned().collect();
    let Some(environment) = environments.get(name) else {
        if names.is_empty() {
            return Ok(Kept { file, environment: name.to_owned(), workspace_url: String::new(), rows: vec![], others: vec![] });
        }
        let known: Vec<String> = names.iter().map(|n| format!("`{}`", visible(n))).collect();
        let near = crate::diagnostic::suggest::nearest(name, names.iter().map(String::as_str));
        let help = near.map_or_else(
            || format!("it has {}: `--from NAME` says which", known.join(", ")),
            |near| format!("did you mean `--from {near}`?"),
        );
        return Err(Failure::Usage { message: format!("`{file}` has no environment `{name}`"), help: vec![help] });
    };
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let empty = Map::new();
    let spaces = match environment.get("spaces") {
        None | Some(Value::Null) => &empty,
        Some(spaces) => spaces.as_map().ok_or_else(|| unfit(format!("`spaces` of `{name}` is no map")))?,
    };
    let row = |(name, row): (&String, &Value)| match (row.as_map(), row.get("databricks_space_id")) {
        (Some(_), None | Some(Value::Null)) => Ok(Row { name: name.clone(), id: None, title: text(row, "title") }),
        (Some(_), Some(Value::Text(id))) => {
            Ok(Row { name: name.clone(), id: Some(id.clone()).filter(|id| !id.is_empty()), title: text(row, "title") })
        }
        (Some(_), Some(other)) => Err(unfit(format!("the id of `{name}` is {}", other.sort()))),
        (None, _) => Err(unfit(format!("`{name}` is no map"))),
    };
    Ok(Kept {
        rows: spaces.iter().map(row).collect::<Result<_, _>>()?,
        environment: name.to_owned(),
        workspace_url: text(environment, "workspace_url"),
        others: names.into_iter().filter(|other| other != name).collect(),
        file,
    })
}

fn unread(file: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage {
        message: match error.kind() {
            std::io::ErrorKind::NotFound => format!("`{file}` cannot be read: there is no such file"),
            _ => format!("`{file}` cannot be read: {error}"),
        },
        help: vec![format!("looked for {}; name another one: `brickform state import-genie-forge FILE`", path.display())],
    }
}

/// Ids mean something in one workspace only.
fn same_host(kept: &Kept, online: &Online, session: &Session) -> Result<(), Failure> {
    let plain = |url: &str| {
        let url = url.trim().to_lowercase();
        let bare = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest).to_owned();
        bare.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
    };
    let host = &online.connection.identity.host;
    if kept.workspace_url.is_empty() || plain(&kept.workspace_url) == plain(host) {
        return Ok(());
    }
    Err(Failure::Guard {
        message: format!(
            "the spaces of `{}` in `{}` are in {}, but {} answered for {}: nothing was taken over",
            kept.environment,
            kept.file,
            visible(&kept.workspace_url),
            host,
            session.environment()
        ),
        help: vec![
            "check `--env`, the environment's `workspace:` and `--profile`; `--from NAME` takes another environment of the file".to_owned(),
            "if it is one workspace under two names, write the one that answered into `workspace_url` of the file".to_owned(),
        ],
    })
}

/// What the workspace has under the titles of rows without an id, by title.
async fn by_title(kept: &Kept, session: &Session, online: &Online) -> Result<BTreeMap<String, Answer>, Failure> {
    let mut titles: BTreeSet<String> = BTreeSet::new();
    for row in kept.rows.iter().filter(|row| row.id.is_none()) {
        titles.extend(titles_of(row, online));
    }
    let lookups: Vec<Lookup> = titles.into_iter().map(|name| Lookup { kind: "spaces".to_owned(), name }).collect();
    if lookups.is_empty() {
        return Ok(BTreeMap::new());
    }
    let answers = refresh::lookups(&online.connection.client, &session.registry, &lookups)
        .await
        .map_err(|error| Failure::api("spaces without an id cannot be looked for by their titles", error))?;
    Ok(answers.into_iter().map(|(lookup, answer)| (lookup.name, answer)).collect())
}

/// The titles that a declared row may have in the workspace: what its files say now, what its state says.
fn titles_of(row: &Row, online: &Online) -> Vec<String> {
    let Some(resource) = online.desired.resources.get(&Address::new("spaces", &row.name)) else { return vec![] };
    let declared = resource.body.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut titles = vec![declared, row.title.clone()];
    titles.dedup();
    titles.retain(|title| !title.is_empty());
    titles
}

/// Which object a row is, or why it is none that can be taken.
fn found(
    row: &Row,
    online: &Online,
    document: &Document,
    titles: &BTreeMap<String, Answer>,
) -> Result<(Address, String, &'static str), Box<Outcome>> {
    let address = Address::new("spaces", &row.name);
    if !online.desired.resources.contains_key(&address) {
        return Err(Box::new(Outcome::Undeclared { name: row.name.clone(), id: row.id.clone() }));
    }
    let held = document.resources.get(&address).map(|entry| entry.id.clone());
    let (id, by) = match (&row.id, &held) {
        (Some(id), _) => (id.clone(), "id"),
        (None, Some(held)) => return Err(Box::new(Outcome::Managed { address, id: held.clone() })),
        (None, None) => (titled(row, &address, online, titles)?, "title"),
    };
    match held {
        Some(held) if held == id => return Err(Box::new(Outcome::Managed { address, id })),
        Some(held) => {
            let help = vec![format!("forget that one first: `brickform forget {address}`; or leave it, and take the row out of the file")];
            return Err(Box::new(Outcome::Unclear {
                address,
                why: format!("it is managed already, as id {held}, and the file says {id}"),
                help,
            }));
        }
        None => {}
    }
    let other = document.resources.iter().find(|(other, entry)| !other.is_facet() && entry.kind == "spaces" && entry.id == id);
    if let Some((other, _)) = other {
        let help = vec![format!("rename it by `moved:` or `brickform state mv {other} {address}`")];
        return Err(Box::new(Outcome::Unclear { address, why: format!("the space {id} is managed already, as {other}"), help }));
    }
    Ok((address, id, by))
}

/// The only space that has the title of a row.
fn titled(row: &Row, address: &Address, online: &Online, titles: &BTreeMap<String, Answer>) -> Result<String, Box<Outcome>> {
    let id_of = |object: &Value| object.get("space_id").or_else(|| object.get("id")).map(Value::key_text).unwrap_or_default();
    for title in titles_of(row, online) {
        match titles.get(&title) {
            Some(Answer::Found(object)) => return Ok(id_of(object)),
            Some(Answer::Several(all)) => {
                let why = format!("the file has no id for it, and {} spaces are called {}", all.len(), quoted(&title));
                let mut help = vec!["say which one, in a file of the project:".to_owned()];
                help.extend(all.iter().map(|one| format!("    import: [{{ to: {address}, id: {} }}]", id_of(one))));
                return Err(Box::new(Outcome::Unclear { address: address.clone(), why, help }));
            }
            Some(Answer::Missing(_)) | None => {}
        }
    }
    Err(Box::new(Outcome::Missing { address: address.clone(), id: None, title: row.title.clone() }))
}

/// One object cannot be two addresses.
fn once_each(wanted: &mut Vec<(Address, String, &'static str)>, outcomes: &mut Vec<Outcome>) {
    let all = std::mem::take(wanted);
    for (address, id, by) in &all {
        let others: Vec<String> = all.iter().filter(|(other, of, _)| other != address && of == id).map(|(a, ..)| a.to_string()).collect();
        if others.is_empty() {
            wanted.push((address.clone(), id.clone(), by));
            continue;
        }
        let why = format!("the space {id} would be {} too", others.join(" and "));
        let help = vec!["say which one it is: `brickform adopt ADDRESS --id ID`".to_owned()];
        outcomes.push(Outcome::Unclear { address: address.clone(), why, help });
    }
}

/// Reads each from the workspace. Gives the entries of those that are there, with their parts.
async fn taken(
    wanted: &[(Address, String, &'static str)],
    session: &Session,
    online: &mut Online,
    document: &Document,
    run: &Run<'_>,
    outcomes: &mut Vec<Outcome>,
) -> Result<BTreeMap<Address, Entry>, Failure> {
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    for (address, id, _) in wanted {
        let span = online.desired.resources[address].span.clone();
        online.desired.imports.insert(address.clone(), (id.clone(), span));
    }
    let takers = plan::Takers::of(&online.connection.caller, None, &session.registry);
    let targets = wanted.iter().map(|(address, ..)| address.clone().into()).collect();
    let options = plan::Options { keep_seen: true, targets, takers, ..plan::Options::default() };
    let (plan, _) = session.plan(run, online, document, &options).await?;
    let mut steps: BTreeMap<Address, Step> = plan.steps.into_iter().map(|step| (step.address.clone(), step)).collect();
    let mut entries = BTreeMap::new();
    for (address, id, by) in wanted {
        let step = steps.remove(address);
        let title = step.as_ref().and_then(|s| s.seen.as_ref()?.desired.get("title").map(Value::key_text)).unwrap_or_default();
        let unreadable = step.as_ref().and_then(|s| s.blocks.iter().find(|b| b.guard == "unreadable" && s.seen.is_none()));
        if let Some(block) = unreadable.filter(|block| !block.reason.contains(plan::NOT_THERE)) {
            outcomes.push(Outcome::Unclear { address: address.clone(), why: block.reason.clone(), help: block.remedy.clone() });
            continue;
        }
        let Some((mut step, entry)) = step.and_then(|mut step| adopt::taken(&mut step).map(|entry| (step, entry))) else {
            outcomes.push(Outcome::Missing { address: address.clone(), id: Some(id.clone()), title });
            continue;
        };
        outcomes.push(Outcome::Taken { address: address.clone(), id: id.clone(), by, notes: std::mem::take(&mut step.notes) });
        entries.insert(address.clone(), entry);
        for (part, step) in steps.iter_mut().filter(|(part, _)| part.is_facet() && part.parent() == *address) {
            entries.extend(adopt::taken(step).map(|entry| (part.clone(), entry)));
        }
    }
    Ok(entries)
}

impl Outcome {
    fn rank(&self) -> u8 {
        match self {
            Self::Taken { .. } => 0,
            Self::Managed { .. } => 1,
            Self::Missing { .. } => 2,
            Self::Undeclared { .. } => 3,
            Self::Unclear { .. } => 4,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Undeclared { name, .. } => name.clone(),
            Self::Taken { address, .. } | Self::Managed { address, .. } | Self::Missing { address, .. } | Self::Unclear { address, .. } => {
                address.key.clone()
            }
        }
    }

    /// Lets the commands that it advises be about the state that it is taken into.
    fn placed(&mut self, session: &Session, run: &Run<'_>) {
        if let Self::Unclear { help, .. } = self {
            for line in help {
                *line = in_place(line, Some(session.environment()), given(run.options));
            }
        }
    }

    /// Its lines. Keys, ids and titles are whatever stands in the file: they make no line of their own. `common`: what each
    /// command says of environment, project and state.
    fn line(&self, common: &str) -> String {
        let shown = |address: &Address| visible(&address.to_string()).into_owned();
        let below =
            |sign: &str, lines: &[String]| lines.iter().map(|line| format!("      {sign}{}\n", visible(line))).collect::<Vec<_>>().concat();
        match self {
            Self::Taken { address, id, by, notes } => {
                format!("  + {}    id {}, by its {by}\n{}", shown(address), visible(id), below("", notes))
            }
            Self::Managed { address, id } => format!("  = {}    managed already, as id {}\n", shown(address), visible(id)),
            Self::Missing { address, id: Some(id), .. } => {
                format!("  . {}    the workspace has no space {} any more: the next plan creates it\n", shown(address), visible(id))
            }
            Self::Missing { address, id: None, title } => {
                let (address, title) = (shown(address), quoted(title));
                format!("  . {address}    the file has no id for it, and no space is called {title}: the next plan creates it\n")
            }
            Self::Undeclared { name, id } => {
                let how = id.as_ref().map(|id| {
                    let command = format!("brickform adopt spaces --id {} --key {} {common}", shell_word(id), shell_word(name));
                    format!("\n      = to manage it: `{}`", visible(&command))
                });
                format!("  x {}    no file of the project declares it; it is left as it is{}\n", visible(name), how.unwrap_or_default())
            }
            Self::Unclear { address, why, help } => {
                format!("  ! {}    {}\n{}", shown(address), visible(why), below("= ", help))
            }
        }
    }
}

fn text(kept: &Kept, outcomes: &[Outcome], environment: &str, common: &str) -> String {
    let rows = plural(kept.rows.len() as u64, "space", "spaces");
    let place = if kept.workspace_url.is_empty() { String::new() } else { format!(" ({})", visible(&kept.workspace_url)) };
    let mut out = format!("{}, environment {}{place}: {rows}\n", visible(&kept.file), visible(&kept.environment));
    out.extend(outcomes.iter().map(|outcome| outcome.line(common)));
    if !kept.others.is_empty() {
        let names = kept.others.join(", ");
        let names = visible(&names);
        out.push_str(&format!("Also in the file, not for {environment}: {names}. Each is taken over by its own `--env`.\n"));
    }
    out
}

fn told(kept: &Kept, outcomes: &[Outcome], environment: &str, written: bool) -> serde_json::Value {
    let of = |rank: u8| outcomes.iter().filter(move |outcome| outcome.rank() == rank);
    let rows = |rank: u8| -> Vec<serde_json::Value> {
        of(rank)
            .map(|outcome| match outcome {
                Outcome::Taken { address, id, by, notes } => serde_json::json!({ "address": address, "id": id, "by": by, "notes": notes }),
                Outcome::Managed { address, id } => serde_json::json!({ "address": address, "id": id }),
                Outcome::Missing { address, id, title } => serde_json::json!({ "address": address, "id": id, "title": title }),
                Outcome::Undeclared { name, id } => serde_json::json!({ "name": name, "id": id }),
                Outcome::Unclear { address, why, help } => serde_json::json!({ "address": address, "why": why, "help": help }),
            })
            .collect()
    };
    serde_json::json!({
        "format": FORMAT,
        "environment": environment,
        "file": kept.file,
        "from": kept.environment,
        "written": written,
        "taken": rows(0),
        "managed": rows(1),
        "missing": rows(2),
        "undeclared": rows(3),
        "unclear": rows(4),
        "other_environments": kept.others,
    })
}
