//! `brickform state init|unlock`: what only a state that many reach has.

use super::session::Session;
use super::{Exit, Failure, Format, Run};
use crate::state::{Store as _, new_lineage};

/// Tries each thing that the store has to be able to do, and says how it went.
pub fn init(session: &Session, run: &Run<'_>) -> Result<Exit, Failure> {
    let Some(remote) = &session.remote else {
        run.screen.result(&format!("{}: a file of this machine; there is nothing to try.\n", session.state_place));
        return Ok(Exit::Done);
    };
    let id = new_lineage(run.outside)[..8].to_owned();
    let tried = remote.try_out(&id);
    let credentials = remote.credentials();
    if let Some(credentials) = &credentials
        && run.options.verbose > 0
    {
        run.screen.note(&format!("credentials: {credentials}"));
    }
    let fit = tried.iter().all(|probe| probe.trouble.is_none());
    run.screen.result(&match run.screen.format {
        Format::Json => {
            let list: Vec<_> = tried.iter().map(|p| serde_json::json!({ "tried": p.what, "trouble": p.trouble })).collect();
            format!("{:#}\n", serde_json::json!({ "format": "brickform.state-init/1", "place": remote.place(), "fit": fit, "credentials": credentials, "tries": list }))
        }
        Format::Text => tried.iter().fold(String::new(), |mut text, probe| {
            let (mark, trouble) = probe.trouble.as_ref().map_or(("✓", String::new()), |why| ("✗", format!(": {why}")));
            text.extend([mark, " ", probe.what, &trouble, "\n"]);
            text
        }),
    });
    if !fit {
        return Err(Failure::Machine {
            message: format!("{} cannot keep a state that is shared", remote.place()),
            help: vec![
                "two runners could write at the same time without seeing each other, or nothing could be written at all".to_owned(),
                "mend what is marked above, or take another place: `state: { backend: ... }`".to_owned(),
            ],
        });
    }
    match remote.load()? {
        Some(document) => run.screen.note(&format!("{} holds a state already (serial {}).", remote.place(), document.serial)),
        None => run.screen.note(&format!("{} can keep the state of {}; the first apply makes it.", remote.place(), session.environment())),
    }
    Ok(Exit::Done)
}

/// Takes the lease from a holder that is surely gone. Its id is the proof that it was looked at.
pub fn unlock(session: &Session, run: &Run<'_>, id: &str) -> Result<Exit, Failure> {
    let Some(remote) = &session.remote else {
        return Err(Failure::usage(
            format!("{} is a file of this machine: the operating system lets go of its lock", session.state_place),
            &["the lock is free as soon as the process that holds it has ended"],
        ));
    };
    let holder = remote.held()?;
    if let Some(before) = remote.free(id, &format!("{} (state unlock)", super::session::somebody(run)))? {
        run.screen.result(&format!("Unlocked: {before} has the lease no longer.\n"));
        run.screen
            .note("If it still runs, it stops at the next thing that it puts on record. The next apply looks up first what it had begun.");
        return Ok(Exit::Done);
    }
    Err(match holder {
        None => Failure::usage(format!("nobody holds {}", remote.place()), &[]),
        Some(holder) => Failure::usage(
            format!("the lease of {} has not the id `{id}`: it is held by {holder}", remote.place()),
            &[&format!("look at that run first; if it is surely gone: `brickform state unlock {}`", holder.id.clone().unwrap_or_default())],
        ),
    })
}
