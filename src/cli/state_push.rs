//! `brickform state pull|push`: the document out, and a mended or kept one in.

use std::path::PathBuf;

use clap::Args;

use super::carry::{self, Consent};
use super::session::{Session, given, somebody};
use super::{Exit, Failure, Format, Run};
use crate::model::{Address, bounded};
use crate::report::answers::common;
use crate::report::text::plural;
use crate::state::{Document, Entry, Note, Remains, StateError, write_whole};

/// Arguments of `state pull`.
#[derive(Debug, Args)]
pub struct Pull {
    /// A version that was kept, instead of the newest
    #[arg(long, value_name = "N")]
    serial: Option<u64>,
}

/// Arguments of `state push`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brickform state push mended.json\n  brickform state push --serial 41")]
pub struct Push {
    /// The document, as `state pull` wrote it
    #[arg(value_name = "FILE", required_unless_present = "serial", conflicts_with = "serial")]
    file: Option<PathBuf>,
    /// A version that was kept
    #[arg(long, value_name = "N")]
    serial: Option<u64>,
    /// Take it although something was saved since it was pulled, or it is of another lineage: one that was begun anew
    #[arg(long)]
    force: bool,
    /// Do not ask
    #[arg(long, short, env = "BRICKFORM_YES", value_parser = clap::builder::BoolishValueParser::new())]
    yes: bool,
}

/// Writes the document to standard output. Secrets are in none.
pub fn pull(arguments: &Pull, session: &Session, run: &Run<'_>) -> Result<Exit, Failure> {
    let document = match arguments.serial {
        Some(serial) => kept(session, serial)?,
        None => match session.store.load() {
            Ok(Some(document)) => document,
            Ok(None) => return Err(super::state::none(session)),
            Err(error @ (StateError::Edited { .. } | StateError::Damaged { .. })) => {
                // Whoever mends it needs what there is.
                let Some(document) = session.store.remains()?.current() else { return Err(error.into()) };
                run.screen.note(&format!("warning: {error}. This is what can be read of it."));
                document
            }
            Err(error) => return Err(error.into()),
        },
    };
    let bytes = write_whole(&document).map_err(|why| StateError::Unwritable { place: session.state_place.clone(), why })?;
    run.screen.result(&String::from_utf8_lossy(&bytes));
    Ok(Exit::Done)
}

fn kept(session: &Session, serial: u64) -> Result<Document, Failure> {
    match session.store.kept(serial)? {
        Some(document) => Ok(document),
        None => Err(Failure::Usage {
            message: format!("no version of serial {serial} is kept of the state of {}", session.environment()),
            help: vec!["`brickform state history` lists those that are".to_owned()],
        }),
    }
}

/// Makes a document the newest version of the state.
pub fn push(arguments: &Push, session: &Session, run: &Run<'_>) -> Result<Exit, Failure> {
    session.lock(run, "state push")?;
    let done = pushed(arguments, session, run);
    session.store.unlock();
    done
}

fn pushed(arguments: &Push, session: &Session, run: &Run<'_>) -> Result<Exit, Failure> {
    let (brought, from) = match (&arguments.file, arguments.serial) {
        (Some(file), _) => {
            let path = run.outside.folder.join(file);
            let bytes = bounded::read(&path, bounded::RECORD).map_err(|error| Failure::Machine {
                message: format!("{} cannot be read: {error}", file.display()),
                help: vec!["`brickform state pull > FILE` writes the document that is there".to_owned()],
            })?;
            (session.store.brought(&bytes, &file.display().to_string())?, file.display().to_string())
        }
        (None, serial) => {
            let serial = serial.unwrap_or_default();
            (kept(session, serial)?, format!("the version of serial {serial}"))
        }
    };
    let remains = session.store.remains()?;
    if let Some(moved) = remains.moved {
        let (place, to, by, at) = (session.state_place.clone(), moved.to, moved.by, moved.at);
        return Err(StateError::Moved { place, to, by, at }.into());
    }
    of_this_lineage(&brought, &remains, &from, arguments.force)?;
    if arguments.file.is_some() && !arguments.force {
        is_newest(&brought, &remains, &from, session.environment())?;
    }
    for trouble in &remains.troubles {
        run.screen.note(&format!("warning: {trouble}"));
    }
    let document = remains.next(brought);
    let changes = changes(remains.current().as_ref(), &document);
    if run.screen.format == Format::Text {
        run.screen.result(&changes.iter().fold(String::new(), |mut text, (mark, address, what)| {
            text.extend(["  ", &mark.to_string(), " ", &address.to_string(), "    ", what, "\n"]);
            text
        }));
    }
    let question = format!(
        "Make {from} the state of {} (serial {})? {} Only `yes` does it: ",
        session.environment(),
        document.serial,
        match changes.len() {
            0 => "No address changes.".to_owned(),
            n => format!("{} {}.", plural(n as u64, "address", "addresses"), if n == 1 { "changes" } else { "change" }),
        }
    );
    carry::consent(run, &Consent { given: arguments.yes, question: &question, answer: "yes", command: "state push" })?;
    session.store.annotate(Note { who: somebody(run), link: super::pipeline::link(run.outside), ..Note::default() });
    session.store.replace(&document, "state push")?;
    tell(session, run, &document, &from, &changes);
    Ok(Exit::Done)
}

/// A state that was begun anew knows nothing of what the other one made.
fn of_this_lineage(brought: &Document, remains: &Remains, from: &str, force: bool) -> Result<(), Failure> {
    match &remains.document {
        Some(current) if current.lineage != brought.lineage && !current.lineage.is_empty() && !force => Err(Failure::Usage {
            message: format!(
                "{from} has lineage {}, but the state that is there is of lineage {}: one of them was begun anew",
                brought.lineage, current.lineage
            ),
            help: vec![
                "check `--env` and `--state`: most likely it is the document of another place".to_owned(),
                "`--force` takes it all the same; what only the other state knows is then managed by none".to_owned(),
            ],
        }),
        _ => Ok(()),
    }
}

/// What was saved since the document was pulled would be lost: it may hold ids that nobody else knows.
fn is_newest(brought: &Document, remains: &Remains, from: &str, environment: &str) -> Result<(), Failure> {
    let Some(current) = remains.document.as_ref().filter(|current| current.serial > brought.serial) else { return Ok(()) };
    Err(Failure::Guard {
        message: format!(
            "{from} was pulled at serial {}, and the state of {environment} is at serial {} now: what was saved in between would be lost",
            brought.serial, current.serial
        ),
        help: vec![
            "pull again (`brickform state pull > FILE`), make the same change in that document, push it".to_owned(),
            format!("to go back on purpose: `brickform state push --serial {}`, as long as that version is kept", brought.serial),
            "`--force` takes it all the same; what only the newer state knows is then managed by none".to_owned(),
        ],
    })
}

type Change = (char, Address, String);

/// What is another by address: a mark, the address, and what it was and is.
fn changes(before: Option<&Document>, after: &Document) -> Vec<Change> {
    let none = std::collections::BTreeMap::new();
    let before = before.map_or(&none, |document| &document.resources);
    let mut all: Vec<&Address> = before.keys().chain(after.resources.keys()).collect();
    all.sort();
    all.dedup();
    let change = |address: &&Address| {
        let (mark, what) = match (before.get(*address), after.resources.get(*address)) {
            (Some(was), None) => ('-', format!("id {}, not managed any more", was.id)),
            (None, Some(is)) => ('+', format!("id {}", is.id)),
            (Some(was), Some(is)) if was != is => ('~', differs(was, is)),
            _ => return None,
        };
        Some((mark, (*address).clone(), what))
    };
    all.iter().filter_map(change).collect()
}

fn differs(was: &Entry, is: &Entry) -> String {
    if was.id != is.id {
        return format!("id {} instead of {}", is.id, was.id);
    }
    let fields = |entry: &Entry| entry.applied.as_map().cloned().unwrap_or_default();
    let (old, new) = (fields(was), fields(is));
    let mut names: Vec<&str> = old.keys().chain(new.keys()).filter(|name| old.get(*name) != new.get(*name)).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { "status, dependencies or marks differ".to_owned() } else { format!("applied: {} differ", names.join(", ")) }
}

fn tell(session: &Session, run: &Run<'_>, document: &Document, from: &str, changes: &[Change]) {
    let environment = session.environment();
    run.screen.result(&match run.screen.format {
        Format::Json => {
            let list: Vec<_> = changes
                .iter()
                .map(|(mark, address, what)| {
                    let change = match mark {
                        '-' => "removed",
                        '+' => "added",
                        _ => "changed",
                    };
                    serde_json::json!({ "address": address, "change": change, "what": what })
                })
                .collect();
            format!(
                "{:#}\n",
                serde_json::json!({
                    "format": "brickform.state-push/1", "serial": document.serial, "resources": document.resources.len(), "changes": list,
                })
            )
        }
        Format::Text => format!(
            "{from} is the state of {environment} now: serial {}, {}. Nothing was sent.\nNext: brickform plan {}\n",
            document.serial,
            plural(document.resources.len() as u64, "resource", "resources"),
            common(environment, given(run.options))
        ),
    });
}
