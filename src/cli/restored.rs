//! What a create does not bring back: of an object that was managed under its address before, the versions of the state that
//! are kept tell who deleted it, when, and under which id it was known. What only left the state was deleted by nobody.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::session::Session;
use crate::kinds::{Identity, Loss};
use crate::model::Address;
use crate::plan::{Action, Plan, Step};
use crate::refresh::{Live, Snapshot};
use crate::state::{Document, Version};

/// How long a list may show what was deleted. A trashed Genie space answers for tens of seconds; whatever still has that id after
/// this was taken out of the trash again.
const LISTED: SignedDuration = SignedDuration::from_mins(5);

/// Takes from the objects that have the name of something new what an apply of our own deleted a moment ago: lists show it a
/// while longer, and it stands in nobody's way. Gives the ids of these.
pub fn let_pass(session: &Session, document: &Document, now: Timestamp, live: &mut Snapshot) -> BTreeSet<String> {
    let mut passed = BTreeSet::new();
    let is_new = |kind: &str| session.registry.get(kind).is_some_and(|kind| matches!(kind.identity, Identity::Assigned(_)));
    let mut open: Vec<_> = live
        .objects
        .iter_mut()
        .filter_map(|(address, seen)| match seen {
            Live::Exists(candidates) if is_new(&address.kind) && !candidates.is_empty() => Some((&address.kind, candidates)),
            _ => None,
        })
        .collect();
    if open.is_empty() || document.serial == 0 {
        return passed;
    }
    let deleted = deleted_since(session, now - LISTED);
    for (kind, candidates) in &mut open {
        candidates.retain(|one| {
            let is_deleted = deleted.contains(&((*kind).clone(), one.id.clone()));
            is_deleted.then(|| passed.insert(one.id.clone()));
            !is_deleted
        });
    }
    passed
}

/// Kinds and ids of what applies deleted since then.
fn deleted_since(session: &Session, then: Timestamp) -> BTreeSet<(String, String)> {
    let mut deleted = BTreeSet::new();
    let history = session.store.history().unwrap_or_default();
    for pair in history.windows(2) {
        let [newer, older] = pair else { continue };
        if newer.at.parse::<Timestamp>().is_ok_and(|at| at < then) {
            break;
        }
        let (Ok(Some(now)), Ok(Some(before))) = (session.store.kept(newer.serial), session.store.kept(older.serial)) else { continue };
        let gone = before.resources.iter().filter(|(address, _)| !address.is_facet() && deletes(newer, address));
        let gone = gone.filter(|(address, entry)| now.resources.get(*address).is_none_or(|still| still.id != entry.id));
        deleted.extend(gone.map(|(_, entry)| (entry.kind.clone(), entry.id.clone())));
    }
    deleted
}

/// Adds a note to each create of an object that was there before, of kinds whose id and contents applying again does not
/// bring back. A rollback says so itself.
pub fn tell(session: &Session, document: &Document, passed: &BTreeSet<String>, plan: &mut Plan) {
    let mut open: Vec<&mut Step> = plan.steps.iter_mut().filter(|step| is_lost(session, step)).collect();
    if open.is_empty() || session.commit.is_some() || document.serial == 0 {
        return;
    }
    let Ok(history) = session.store.history() else { return };
    let mut newer: Option<&Version> = None;
    // The newest first: the version above the one that still holds an address took it away.
    for version in &history {
        if open.is_empty() {
            return;
        }
        if let Ok(Some(then)) = session.store.kept(version.serial) {
            open.retain_mut(|step| {
                let Some(entry) = then.resources.get(&step.address).filter(|entry| !entry.id.is_empty()) else { return true };
                let Some(kind) = session.registry.get(&entry.kind) else { return true };
                if newer.is_some_and(|version| !deletes(version, &step.address)) {
                    return false;
                }
                let what = match kind.loss {
                    Loss::Nothing => String::new(),
                    Loss::History(what) | Loss::Data(what) => format!(", and {what} are lost"),
                };
                step.notes.push(format!(
                    "was managed before as {} and was deleted {}: it gets a new id, links to the old one lead nowhere{what}",
                    entry.id,
                    by_whom(newer)
                ));
                if passed.contains(&entry.id) {
                    step.notes.push(format!(
                        "the workspace lists the old one still, as it does for a while; if somebody brought it back, keep that one: \
                         `brickform adopt {} --id {}`",
                        step.address, entry.id
                    ));
                }
                false
            });
        }
        newer = Some(version);
    }
}

/// Whether what wrote a version deleted this address, as far as its note says so: a plan that deletes and did not only forget it.
/// Commands that mend the state (`state rm`, `forget`, `adopt`) have no such note.
fn deletes(version: &Version, address: &Address) -> bool {
    version.note.as_ref().is_some_and(|note| {
        let count = |what: &str| note.counts.get(what).copied().unwrap_or(0);
        // A version of an earlier release does not say which addresses it forgot.
        let is_told = count("forget") == 0 || !note.forgotten.is_empty();
        count("delete") > 0 && is_told && !note.forgotten.contains(&address.to_string())
    })
}

fn is_lost(session: &Session, step: &Step) -> bool {
    let kind = session.registry.get(&step.kind);
    step.action == Action::Create
        && !step.address.is_facet()
        && kind.is_some_and(|kind| matches!(kind.identity, Identity::Assigned(_)) && matches!(kind.loss, Loss::Data(_)))
}

fn by_whom(version: Option<&Version>) -> String {
    let Some(version) = version else { return "in the workspace".to_owned() };
    let who = version.note.as_ref().map(|note| note.who.as_str()).filter(|who| !who.is_empty());
    let day = version.at.get(..10).unwrap_or(&version.at);
    format!("by {} on {day} (serial {})", who.unwrap_or(&version.by), version.serial)
}
