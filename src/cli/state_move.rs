//! `brickform state migrate`: a state goes to another place, whole, and the old place says where it is.

use clap::Args;

use super::backend::{self, Backend};
use super::carry::{self, Consent};
use super::session::{Session, lock, somebody};
use super::{Exit, Failure, Format, Run};
use crate::model::url::masked;
use crate::report::text::plural;
use crate::state::{Document, Moved, Note, StateError, Version};

/// Arguments of `state migrate`.
#[derive(Debug, Args)]
#[command(
    after_help = "The environment's file names the old place until the state is moved, and the new one from then on. A state is sealed\n\
or opened on its way: it goes as the environment's `encrypt:` says.\n\nExample:\n  \
brickform state migrate --env prod --to s3://acme-state/brickform"
)]
pub struct Arguments {
    /// The new place: a file, `s3://`, `az://`, `abfss://`, `gs://`, `workspace:/` or `volume:/`
    #[arg(long, value_name = "URL")]
    to: String,
    /// Do not ask
    #[arg(long, short, env = "BRICKFORM_YES", value_parser = clap::builder::BoolishValueParser::new())]
    yes: bool,
}

/// Moves the state.
pub fn migrate(arguments: &Arguments, session: &Session, run: &Run<'_>) -> Result<Exit, Failure> {
    let source = backend::found(run, &session.project)?;
    let target = backend::at(run, &session.project, &arguments.to)?;
    nested(session, &source, &target, &arguments.to)?;
    if source.place == target.place {
        return Err(Failure::usage(
            format!("the state of {} is at {} already", session.environment(), source.place),
            &["to seal or open it, move it into another folder: `--to URL`, then name that one in the environment's file"],
        ));
    }
    lock(run, session.commit(run), &*source.store, "state migrate")?;
    let done = lock(run, session.commit(run), &*target.store, "state migrate").and_then(|()| {
        let done = moved(arguments, session, run, &source, &target);
        target.store.unlock();
        done
    });
    source.store.unlock();
    done
}

/// The environment's own folder is added to a place: one that names the folder in which the state lies would nest them.
fn nested(session: &Session, source: &Backend, target: &Backend, to: &str) -> Result<(), Failure> {
    let environment = session.environment();
    let is_nested = source.remote.is_some() && target.place == format!("{}/{environment}", source.place);
    if !is_nested {
        return Ok(());
    }
    let (path, settings) = to.split_once('?').map_or((to, String::new()), |(path, settings)| (path, format!("?{settings}")));
    let path = path.trim_end_matches('/');
    let base = path.strip_suffix(environment).map_or(path, |base| base.trim_end_matches('/'));
    Err(Failure::Usage {
        message: format!("the state of {environment} is at {} already: `--to` is without the environment's own folder", source.place),
        help: vec![format!("that place is called `{}` here: the environment's name is added to it", masked(&format!("{base}{settings}")))],
    })
}

fn moved(arguments: &Arguments, session: &Session, run: &Run<'_>, source: &Backend, target: &Backend) -> Result<Exit, Failure> {
    let document = source.store.load()?.ok_or_else(|| Failure::Machine {
        message: format!("{} has no state yet: there is nothing to move", session.environment()),
        help: vec![format!("name the place in the environment's file: `state: {{ backend: \"{}\" }}`", arguments.to)],
    })?;
    let there = target.store.remains()?;
    free(&document, there.current().as_ref(), there.moved.is_some(), &target.place)?;
    if there.document.is_none() && there.serial > 0 {
        let why = "versions or a journal are there, but no document: another state was deleted here".to_owned();
        return Err(StateError::Damaged { place: target.place.clone(), why }.into());
    }
    let versions = source.store.history()?;
    let question = format!(
        "Move the state of {} (serial {}, {}, {}) from {} to {}? Only `yes` does it: ",
        session.environment(),
        document.serial,
        plural(document.resources.len() as u64, "resource", "resources"),
        plural(versions.len() as u64, "version", "versions"),
        source.place,
        target.place
    );
    carry::consent(run, &Consent { given: arguments.yes, question: &question, answer: "yes", command: "state migrate" })?;
    let document = Document { serial: document.serial.max(there.serial) + 1, ..document };
    target.store.annotate(Note { who: somebody(run), link: super::pipeline::link(run.outside), ..Note::default() });
    target.store.replace(&document, "state migrate")?;
    let kept = keep(run, source, target, &versions, document.serial)?;
    target.store.mark(None)?;
    // Only what can be read back has been moved.
    if target.store.load()?.as_ref() != Some(&document) {
        return Err(Failure::Machine {
            message: format!(
                "what was written to {} does not read back as it was written: the state stays at {}",
                target.place, source.place
            ),
            help: vec!["`brickform state init` tries the new place".to_owned()],
        });
    }
    let at = run.outside.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    source.store.mark(Some(&Moved { to: arguments.to.clone(), by: somebody(run), at }))?;
    tell(session, run, &document, kept, source, target, &arguments.to);
    Ok(Exit::Done)
}

/// Another state is never written over; this one, of an earlier try or from when it was here before, is.
fn free(document: &Document, there: Option<&Document>, moved: bool, place: &str) -> Result<(), Failure> {
    match there {
        Some(other) if other.lineage != document.lineage => Err(Failure::Machine {
            message: format!(
                "{place} holds another state (lineage {}, {})",
                other.lineage,
                plural(other.resources.len() as u64, "resource", "resources")
            ),
            help: vec!["choose an empty folder".to_owned()],
        }),
        Some(other) if !moved && other.serial > document.serial && other.resources != document.resources => Err(Failure::Machine {
            message: format!("{place} holds a later version of this state (serial {}, here {})", other.serial, document.serial),
            help: vec![format!("name that place in the environment's file: it is the one that was used last ({place})")],
        }),
        _ => Ok(()),
    }
}

/// Takes the versions along; one that cannot be read stays behind, with a warning.
fn keep(run: &Run<'_>, source: &Backend, target: &Backend, versions: &[Version], before: u64) -> Result<usize, Failure> {
    let mut kept = 0;
    for version in versions.iter().filter(|version| version.serial < before) {
        match source.store.kept(version.serial) {
            Ok(Some(document)) => {
                target.store.keep(&document, version)?;
                kept += 1;
            }
            Ok(None) => {}
            Err(error) => run.screen.note(&format!("warning: the version of serial {} stays behind: {error}", version.serial)),
        }
    }
    Ok(kept)
}

fn tell(session: &Session, run: &Run<'_>, document: &Document, kept: usize, source: &Backend, target: &Backend, to: &str) {
    let environment = session.environment();
    run.screen.result(&match run.screen.format {
        Format::Json => {
            let (from, resources) = (&source.place, document.resources.len());
            format!("{:#}\n", serde_json::json!({
                "format": "brickform.state-migrate/1", "from": from, "to": target.place, "serial": document.serial, "resources": resources, "versions": kept,
            }))
        }
        Format::Text => format!(
            "The state of {environment} is at {} now: serial {}, {}, {}. It was read back and compared.\nNext: set `state: {{ backend: \"{to}\" }}` in \
             the environment's file; until then commands are refused, and say where it is.\n",
            target.place,
            document.serial,
            plural(document.resources.len() as u64, "resource", "resources"),
            plural(kept as u64, "earlier version", "earlier versions"),
        ),
    });
}
