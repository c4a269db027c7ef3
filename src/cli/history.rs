//! `brickform state history`: the versions that were kept, with the applies that made them.

use super::git::Git;
use super::session::Session;
use super::{Failure, Format, Run};
use crate::report::history::{self, Row};
use crate::state::Version;

/// Prints them, newest first.
pub fn run(session: &Session, run: &Run<'_>) -> Result<(), Failure> {
    let mut versions = session.store.history()?;
    // What a first apply begins from: an empty document, under which nothing was written.
    versions.retain(|version| version.serial > 0 || version.resources > 0);
    let rows: Vec<Row<'_>> = versions.iter().map(|version| Row { version, subject: subject(run, session, Some(version)) }).collect();
    run.screen.result(&match run.screen.format {
        Format::Json => {
            let list: Vec<_> = rows.iter().map(|row| history::json(row.version, row.subject.as_deref())).collect();
            format!("{:#}\n", serde_json::json!({ "format": history::FORMAT, "environment": session.environment(), "versions": list }))
        }
        Format::Text => history::text(&rows),
    });
    Ok(())
}

/// The first line of the message of a version's commit, where Git knows it.
pub fn subject(run: &Run<'_>, session: &Session, version: Option<&Version>) -> Option<String> {
    Git::at(run.outside, &session.project.folder).subject(version?.commit.as_deref()?)
}
