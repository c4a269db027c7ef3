//! What holds for a document and its journal wherever they are kept.

use super::store::Version;
use super::{Document, Note, Record, StateError, fold};

/// A document belongs to one project and environment. Whoever only looks at a state without a project names none.
///
/// # Errors
/// [`StateError::Foreign`].
pub(super) fn check_owner(place: &str, document: &Document, project: &str, environment: &str) -> Result<(), StateError> {
    for (what, found, wanted) in [("project", &document.project, project), ("environment", &document.environment, environment)] {
        if found != wanted && !wanted.is_empty() {
            let why = format!("belongs to {what} `{found}`, not `{wanted}`");
            return Err(StateError::Foreign { place: place.to_owned(), why });
        }
    }
    Ok(())
}

/// A document (its journal folded in) older than a version that was kept was put back by hand.
///
/// # Errors
/// [`StateError::Damaged`].
pub(super) fn check_newest(place: &str, document: &Document, kept: Option<u64>) -> Result<(), StateError> {
    match kept {
        Some(last) if last > document.serial => Err(StateError::Damaged {
            place: place.to_owned(),
            why: format!(
                "it has serial {}, but the version of serial {last} was kept after it: an older one was put in its place",
                document.serial
            ),
        }),
        _ => Ok(()),
    }
}

/// Whether the journal continues this document; one that was folded and saved already does no harm.
///
/// # Errors
/// [`StateError::Damaged`], [`StateError::Foreign`].
pub(super) fn check_journal(place: &str, document: &Document, records: &[Record]) -> Result<(), StateError> {
    let damaged = |why| Err(StateError::Damaged { place: place.to_owned(), why });
    let mut next = document.serial;
    let mut before = None;
    for record in records {
        let Record::Begin { lineage, serial, .. } = record else { continue };
        if before.replace(serial) >= Some(serial) {
            return damaged(format!("its journal begins at serial {serial} after a later one"));
        }
        if *lineage != document.lineage {
            let why = format!("has lineage {}, but its journal is of lineage {lineage}", document.lineage);
            return Err(StateError::Foreign { place: place.to_owned(), why });
        }
        if *serial > next {
            return damaged(format!("its journal goes on from serial {serial}, but the document has serial {next}"));
        }
        next = next.max(serial + 1);
    }
    Ok(())
}

/// What each apply in the journal left, oldest first: applies that did not come to their end, as nothing saved them.
pub(super) fn cut_off(document: &Document, records: &[Record]) -> Vec<(Version, Option<Note>, Document)> {
    let begins: Vec<usize> = records.iter().enumerate().filter(|(_, r)| matches!(r, Record::Begin { .. })).map(|(i, _)| i).collect();
    let ends = begins.iter().skip(1).copied().chain([records.len()]);
    let mut out = vec![];
    for (begin, end) in begins.iter().zip(ends) {
        let Record::Begin { serial, commit, note, .. } = &records[*begin] else { continue };
        if *serial < document.serial {
            continue;
        }
        let left = fold(document.clone(), &records[..end]);
        let by = "apply, not finished".to_owned();
        let (commit, resources) = (commit.clone(), left.resources.len());
        out.push((Version { serial: left.serial, at: String::new(), by, commit, resources, note: note.clone() }, note.clone(), left));
    }
    out
}
