//! The rule of a pin: which commits would bring back what an environment was rolled back from
//! (`docs/decisions/rollback.md`).
//!
//! What was rolled back are the commits between the one that was applied and the one that it was rolled back to, as far as
//! they touch the project. A commit that holds none of them is let through; so is one that descends from their revert: from a
//! commit at which the files are again what they were, or from commits that say `This reverts commit ...` of each.

use std::collections::BTreeSet;

use super::git::Git;
use crate::plan::{Hold, is_commit, short};
use crate::state::Pin;

/// How many commits are looked at for one that takes back what was rolled back.
const LOOKED_AT: &str = "--max-count=500";

/// Whether the pin keeps the commit that is checked out. Where a question to Git fails, it cannot be decided: neither is the
/// commit let through, nor the pin lifted.
pub fn hold(git: &Git<'_>, pin: &Pin, here: &Result<String, String>) -> Hold {
    here.clone().and_then(|here| of_commit(git, pin, &here)).unwrap_or_else(|why| Hold::Unknown { why, remedy: None })
}

fn of_commit(git: &Git<'_>, pin: &Pin, here: &str) -> Result<Hold, String> {
    let unknown = |why: String, remedy: Option<String>| Ok(Hold::Unknown { why, remedy });
    if *here == pin.to {
        return Ok(Hold::Free);
    }
    let Some(from) = &pin.from else {
        return unknown("what was applied before came from no commit".to_owned(), None);
    };
    if let Some(wrong) = [&pin.to, from].into_iter().find(|commit| !is_commit(commit)) {
        return unknown(format!("the state's pin names `{wrong}`, which is no commit"), None);
    }
    if let Some(missing) = [&pin.to, from].into_iter().find(|commit| !git.holds(commit)) {
        return if git.is_shallow() {
            unknown("this clone is shallow".to_owned(), Some("or fetch the history first: git fetch --unshallow".to_owned()))
        } else {
            unknown(format!("this clone does not hold commit {}", short(missing)), Some(format!("or fetch it: git fetch origin {missing}")))
        };
    }
    let here_holds = touching(git, &pin.to, here)?;
    let back: BTreeSet<String> = touching(git, &pin.to, from)?.into_iter().filter(|commit| here_holds.contains(commit)).collect();
    if back.is_empty() {
        return Ok(Hold::Free);
    }
    let left: Vec<&String> = {
        let reverted = reverted(git, &pin.to, here)?;
        here_holds.iter().filter(|commit| back.contains(*commit) && !reverted.contains(*commit)).collect()
    };
    if left.is_empty() || is_as_it_was(git, pin, from, here, &back)? {
        return Ok(Hold::Reverted);
    }
    Ok(Hold::BringsBack { here: git.name(here), commits: left.into_iter().map(|commit| git.name(commit)).collect() })
}

/// The commits of a range that touch the project, the newest first; merges bring nothing of their own.
fn touching(git: &Git<'_>, older: &str, newer: &str) -> Result<Vec<String>, String> {
    let range = format!("{older}..{newer}");
    lines(git, &["rev-list", "--topo-order", "--no-merges", "--full-history", &range, "--", "."])
}

fn lines(git: &Git<'_>, arguments: &[&str]) -> Result<Vec<String>, String> {
    Ok(git.told(arguments)?.lines().map(str::to_owned).collect())
}

/// Whether there is a commit that holds all that would be brought back and at which the files are what they were.
fn is_as_it_was(git: &Git<'_>, pin: &Pin, from: &str, here: &str, back: &BTreeSet<String>) -> Result<bool, String> {
    let names = git.told(&["diff", "--no-ext-diff", "--no-renames", "--relative", "--name-only", "-z", &pin.to, from, "--", "."])?;
    let paths: Vec<String> = names.split('\0').filter(|path| !path.is_empty()).map(|path| format!(":(literal){path}")).collect();
    if paths.is_empty() {
        return Ok(true);
    }
    let mut ask = vec!["rev-list", "--topo-order", LOOKED_AT];
    let range = format!("{}..{here}", pin.to);
    ask.extend([range.as_str(), "--", "."]);
    let candidates = lines(git, &ask)?;
    let is_same = |commit: &str| {
        let mut ask = vec!["diff", "--no-ext-diff", "--quiet", &pin.to, commit, "--"];
        ask.extend(paths.iter().map(String::as_str));
        git.decides(&ask)
    };
    // Newest first: once something that was rolled back comes after a commit, so it does after all that are older.
    let holds_all = |commit: &str| {
        let after = format!("{commit}..{here}");
        lines(git, &["rev-list", &after]).map(|all| all.iter().all(|later| !back.contains(later)))
    };
    for commit in &candidates {
        if is_same(commit)? && holds_all(commit)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The commits of a range that need no revert: those that a later one takes back by its own words, unless that one was taken
/// back as well; and reverts of nothing but them, which bring nothing of their own.
fn reverted(git: &Git<'_>, older: &str, newer: &str) -> Result<BTreeSet<String>, String> {
    const SAYS: &str = "This reverts commit ";
    let range = format!("{older}..{newer}");
    let all: BTreeSet<String> = lines(git, &["rev-list", &range])?.into_iter().collect();
    // The newest first: whether a revert counts is known before what it takes back is met.
    let log = git.told(&["log", "--topo-order", "--no-show-signature", "--format=%H %B%x00", &range])?;
    let mut out = BTreeSet::new();
    for message in log.split('\0') {
        let Some((commit, body)) = message.trim_start().split_once(' ') else { continue };
        if out.contains(commit) {
            continue;
        }
        let mut covered = BTreeSet::new();
        for said in body.split(SAYS).skip(1) {
            let named: String = said.chars().take_while(char::is_ascii_hexdigit).collect();
            let Some(named) = git.commit(&named).filter(|_| named.len() >= 7) else { continue };
            // Of a merge, everything that it brought in; the first commit of all has none before it.
            if git.commit(&format!("{named}^1")).is_some() {
                covered.extend(lines(git, &["rev-list", &format!("{named}^1..{named}")])?);
            }
            covered.insert(named);
        }
        if !covered.is_empty() && covered.is_subset(&all) {
            out.insert(commit.to_owned());
        }
        out.extend(covered);
    }
    Ok(out)
}
