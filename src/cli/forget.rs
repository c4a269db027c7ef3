//! `brickform forget`: drops objects from the state and leaves them alone. Sends nothing.

use clap::Args;

use super::carry::{self, Consent};
use super::planning::address;
use super::session::Session;
use super::{Exit, Failure, Run, naming};
use crate::model::Address;
use crate::report::answers::shell_word;

/// Arguments of `forget`.
#[derive(Debug, Args)]
#[command(
    after_help = "What is still in YAML would be created again by the next apply, or be blocked because it exists: to forget for good,\n\
write `forget: [jobs.nightly]` at the top of a file and take the resource away.\n\nExample:\n  brickform forget jobs.nightly --yes"
)]
pub struct Arguments {
    /// `jobs.nightly`; its parts go with it
    #[arg(value_name = "ADDRESS", required = true)]
    addresses: Vec<String>,
    /// Do not ask
    #[arg(long, short, env = "BRICKFORM_YES", value_parser = clap::builder::BoolishValueParser::new())]
    yes: bool,
}

/// Drops them.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    let addresses = arguments.addresses.iter().map(|a| address(a, &session.registry)).collect::<Result<Vec<_>, _>>()?;
    session.lock(run, "forget")?;
    let done = forget(&session, &addresses, arguments.yes, run);
    session.store.unlock();
    done
}

fn forget(session: &Session, addresses: &[Address], yes: bool, run: &Run<'_>) -> Result<Exit, Failure> {
    let mut document = session.state()?;
    let mut gone = vec![];
    for address in addresses {
        let before = gone.len();
        let goes = |known: &&Address| *known == address || (!address.is_facet() && known.parent() == *address);
        gone.extend(document.resources.keys().filter(goes).cloned());
        if gone.len() == before {
            return Err(naming::unknown(address, &format!("the state of {}", session.environment()), document.resources.keys()));
        }
    }
    gone.sort();
    gone.dedup();
    for address in &gone {
        let id = document.resources.get(address).map(|e| e.id.clone()).unwrap_or_default();
        run.screen.result(&format!("  x {address}    id {id}, left as it is\n"));
    }
    if let Ok(desired) = session.project.resolve(&crate::project::Answers::new()) {
        for address in gone.iter().filter(|a| !a.is_facet() && desired.resources.contains_key(a)) {
            run.screen.note(&format!(
                "warning: {address} is still in YAML: the next apply would create it again, or is blocked because it exists.\n  \
                 = take it out and write `forget: [{address}]`, or take it back with `brickform adopt {}`",
                shell_word(&address.to_string())
            ));
        }
    }
    let question = format!(
        "Forget {} in {}? Only `yes` does it: ",
        crate::report::text::plural(gone.len() as u64, "address", "addresses"),
        session.environment()
    );
    carry::consent(run, &Consent { given: yes, question: &question, answer: "yes", command: "forget" })?;
    document.resources.retain(|a, _| !gone.contains(a));
    document.serial += 1;
    session.store.save(&document, "forget")?;
    run.screen.result(&format!("Forgotten: {}. Nothing was sent.\n", gone.len()));
    Ok(Exit::Done)
}
