//! `brickform state list|show|mv|rm|history`, and the way to its other commands: looking at and mending what was recorded. Sends nothing.

use clap::{Args, Subcommand};

use super::planning::address;
use super::session::Session;
use super::{Exit, Failure, Format, Run};
use super::{state_import, state_move, state_push, state_rebuild, state_shared};
use crate::model::Address;
use crate::report::overview;
use crate::state::Document;

/// Arguments of `state`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every address with its id
    List {
        /// Only addresses that begin so: `jobs`, `jobs.nightly`
        #[arg(value_name = "PREFIX")]
        prefix: Option<String>,
    },
    /// What is recorded of one address
    Show {
        /// `jobs.nightly`
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// Give an object another address, its parts with it; the workspace is not touched
    Mv {
        /// The old address
        #[arg(value_name = "FROM")]
        from: String,
        /// The new address
        #[arg(value_name = "TO")]
        to: String,
    },
    /// Forget objects, their parts with them; the workspace is not touched
    Rm {
        /// `jobs.nightly`
        #[arg(value_name = "ADDRESS", required = true)]
        addresses: Vec<String>,
    },
    /// The versions that were kept, newest first
    History,
    /// Write the document to standard output; secrets are never in it
    Pull(state_push::Pull),
    /// Make a mended document, or a version that was kept, the newest; shows first what changes, sends nothing
    Push(state_push::Push),
    /// Move the state to another place, versions and all; the old place then says where it is
    Migrate(state_move::Arguments),
    /// Make a state of what the workspace holds, where the state is lost; sends only reads
    Rebuild(state_rebuild::Arguments),
    /// Take over the spaces that a state of Genie-Forge names (`.genie-forge.json`); sends only reads
    ImportGenieForge(state_import::Arguments),
    /// Try whether the environment's store can keep a state that many share
    Init,
    /// Take the lease from a runner that is surely gone
    Unlock {
        /// The lease's id, as the message that names its holder says it
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// Looks at or mends the state.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    match &arguments.command {
        Command::List { prefix } => list(&document(&session)?, prefix.as_deref().unwrap_or_default(), run),
        Command::Show { address: given } => show(&document(&session)?, &address(given, &session.registry)?, run)?,
        Command::Mv { from, to } => {
            let (from, to) = (address(from, &session.registry)?, address(to, &session.registry)?);
            change(&session, run, "state mv", |document| moved(document, &from, &to))?;
            run.screen.result(&format!("{from} is now {to}. Rename it in YAML too, or the next plan creates and deletes.\n"));
        }
        Command::Rm { addresses } => {
            let addresses = addresses.iter().map(|a| address(a, &session.registry)).collect::<Result<Vec<_>, _>>()?;
            change(&session, run, "state rm", |document| addresses.iter().try_for_each(|a| removed(document, a)))?;
            for address in addresses {
                run.screen.result(&format!("{address} is forgotten; the object is left as it is.\n"));
            }
        }
        Command::History => super::history::run(&session, run)?,
        Command::Pull(arguments) => return state_push::pull(arguments, &session, run),
        Command::Push(arguments) => return state_push::push(arguments, &session, run),
        Command::Migrate(arguments) => return state_move::migrate(arguments, &session, run),
        Command::Rebuild(arguments) => return state_rebuild::rebuild(arguments, &session, run),
        Command::ImportGenieForge(arguments) => return state_import::import(arguments, &session, run),
        Command::Init => return state_shared::init(&session, run),
        Command::Unlock { id } => return state_shared::unlock(&session, run, id),
    }
    Ok(Exit::Done)
}

fn document(session: &Session) -> Result<Document, Failure> {
    session.document()?.ok_or_else(|| none(session))
}

/// There is no state yet.
pub fn none(session: &Session) -> Failure {
    Failure::Machine {
        message: format!("{} has no state yet ({})", session.environment(), session.state_place),
        help: vec![format!("the first `brickform apply --env {}` makes one", session.environment())],
    }
}

fn list(document: &Document, prefix: &str, run: &Run<'_>) {
    let rows: Vec<_> = document.resources.iter().filter(|(a, _)| a.to_string().starts_with(prefix)).collect();
    match run.screen.format {
        Format::Json => {
            let list: Vec<_> =
                rows.iter().map(|(a, e)| serde_json::json!({ "address": a, "kind": e.kind, "id": e.id, "status": e.status })).collect();
            let format = overview::LIST_FORMAT;
            let all =
                serde_json::json!({ "format": format, "environment": document.environment, "serial": document.serial, "resources": list });
            run.screen.result(&format!("{all:#}\n"));
        }
        Format::Text => {
            let wide = rows.iter().map(|(a, _)| a.to_string().chars().count()).max().unwrap_or(0);
            for (address, entry) in rows {
                run.screen.result(&format!("{:wide$}  {}\n", address.to_string(), entry.id));
            }
        }
    }
}

fn show(document: &Document, address: &Address, run: &Run<'_>) -> Result<(), Failure> {
    let entry = document.resources.get(address).ok_or_else(|| unknown(document, address))?;
    run.screen.result(&match run.screen.format {
        Format::Json => {
            let mut told = overview::entry_json(address, entry);
            told["format"] = overview::ENTRY_FORMAT.into();
            format!("{told:#}\n")
        }
        Format::Text => overview::entry(address, entry, run.screen.width),
    });
    Ok(())
}

fn unknown(document: &Document, address: &Address) -> Failure {
    let names: Vec<String> = document.resources.keys().map(ToString::to_string).collect();
    let near = crate::diagnostic::suggest::nearest(&address.to_string(), names.iter().map(String::as_str));
    Failure::Usage {
        message: format!("`{address}` is not in the state"),
        help: near.map(|n| format!("did you mean `{n}`?")).into_iter().chain(["`brickform state list` shows all".to_owned()]).collect(),
    }
}

/// Under the lock: loads, changes, saves with the next serial.
fn change(session: &Session, run: &Run<'_>, by: &str, edit: impl FnOnce(&mut Document) -> Result<(), Failure>) -> Result<(), Failure> {
    session.lock(run, by)?;
    let changed = document(session).and_then(|mut document| {
        edit(&mut document)?;
        document.serial += 1;
        Ok(session.store.save(&document, by)?)
    });
    session.store.unlock();
    changed
}

/// Moves an address and its parts; what depended on it depends on the new one.
fn moved(document: &mut Document, from: &Address, to: &Address) -> Result<(), Failure> {
    if from.kind != to.kind || from.facet != to.facet {
        return Err(Failure::usage(format!("`{from}` cannot become `{to}`: kind and part must be the same"), &[]));
    }
    if document.resources.contains_key(to) {
        return Err(Failure::usage(
            format!("`{to}` is in the state already"),
            &["`brickform state rm` it first, if it is to be forgotten"],
        ));
    }
    if !document.resources.contains_key(from) {
        return Err(unknown(document, from));
    }
    let renamed = |address: &Address| {
        let whole = address == from;
        let part = from.facet.is_none() && address.parent() == *from;
        (whole || part).then(|| Address { facet: address.facet.clone(), ..to.clone() })
    };
    document.resources = std::mem::take(&mut document.resources)
        .into_iter()
        .map(|(address, mut entry)| {
            for needed in &mut entry.dependencies {
                if let Some(new) = renamed(needed) {
                    *needed = new;
                }
            }
            (renamed(&address).unwrap_or(address), entry)
        })
        .collect();
    Ok(())
}

/// Drops an address and its parts.
fn removed(document: &mut Document, address: &Address) -> Result<(), Failure> {
    if !document.resources.contains_key(address) {
        return Err(unknown(document, address));
    }
    document.resources.retain(|known, _| known != address && (address.is_facet() || known.parent() != *address));
    Ok(())
}
