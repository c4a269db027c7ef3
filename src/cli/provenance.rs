//! Where a plan comes from, asked once a plan: the commit that is checked out, how it stands to the applied one, what of the
//! project is not committed, whether a pin keeps it out.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::Run;
use super::git::Git;
use super::pin;
use super::session::Session;
use crate::plan::{Provenance, Standing, Undecidable};
use crate::project::Desired;
use crate::state::Document;

/// What a plan of this session comes from. `applies`: whether it is to be carried out.
pub fn of(run: &Run<'_>, session: &Session, desired: &Desired, document: &Document, applies: bool) -> Provenance {
    let guards = &session.project.environment.guards;
    let (dirty, unseen) = match guards.require_clean_git.then(|| dirty(run, session, desired)) {
        Some(Ok(dirty)) => (dirty, None),
        Some(Err(why)) => (vec![], Some(why)),
        None => (vec![], None),
    };
    let is_on = guards.ancestry.unwrap_or(session.remote.is_some());
    let compared = document.commit.as_deref().or(document.known_commit.as_deref()).filter(|_| is_on);
    if compared.is_none() && document.pinned.is_none() {
        return Provenance { applies, dirty, unseen, ..Provenance::default() };
    }
    let git = Git::at(run.outside, &session.project.folder);
    let here = git.head();
    let standing = match (compared, &here) {
        (None, _) => Standing::Follows,
        (Some(applied), Ok(here)) => git.standing(here, applied),
        // What only looks like a repository may hide the real one: nothing is concluded from it.
        (Some(applied), Err(why)) if guards.ancestry == Some(true) || git.is_disguised() => Standing::Unknown {
            here: None,
            applied: crate::plan::short(applied).to_owned(),
            commit: applied.to_owned(),
            why: Undecidable::NoGit(why.clone()),
        },
        (Some(applied), Err(why)) => {
            if !session.told.swap(true, Ordering::Relaxed) {
                run.screen.note(&format!(
                    "note: whether this is older than what is applied (commit {}) is not checked: {why}",
                    crate::plan::short(applied)
                ));
            }
            Standing::Follows
        }
    };
    let hold = document.pinned.as_ref().map(|pinned| pin::hold(&git, pinned, &here)).unwrap_or_default();
    Provenance { applies, dirty, unseen, standing, hold }
}

/// The files of the project that differ from the commit, or are in none.
///
/// # Errors
/// Git cannot tell: a clause.
pub fn dirty(run: &Run<'_>, session: &Session, desired: &Desired) -> Result<Vec<String>, String> {
    let folder = &session.project.folder;
    let changed = Git::at(run.outside, folder).changed()?;
    if changed.is_empty() {
        return Ok(vec![]);
    }
    let read: BTreeSet<&str> = {
        let declared = desired.resources.values().map(|resource| resource.span.source.name.as_str());
        declared.chain(desired.files.keys().map(String::as_str)).collect()
    };
    let config = run.options.config.as_deref().map(|given| run.outside.path(given));
    let own = |path: &Path| {
        let whole = folder.join(path);
        let places = [folder.join("conf"), folder.join("spaces"), folder.join("environments")];
        let inside = places.iter().chain(&config).any(|place| whole.starts_with(place));
        let kind = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
        inside && ["yaml", "yml", "json", "hbs"].contains(&kind)
    };
    let names = changed.iter().map(|path| (path, path.display().to_string()));
    Ok(names.filter(|(path, name)| own(path) || read.contains(name.as_str())).map(|(_, name)| name).collect())
}
