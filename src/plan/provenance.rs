//! Where a plan comes from: which commit, how it stands to the commit that is applied, what of the project is in no commit.
//!
//! Git is asked by the caller; here its answers are judged. Overrides by name: `dirty_tree`, `older_commit`,
//! `diverged_commit`, `unknown_ancestry`, `pinned`. A plan that is only looked at warns of commits, since a branch that is
//! reviewed may well be behind; one that is to be carried out is blocked.

use super::guards::{Lifted, overridden, unless};
use super::step::block;
use super::{Action, Block, Inputs, Pinning, Plan};
use crate::state::Pin;

/// What Git says of the tree that is planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Whether the plan is to be carried out.
    pub applies: bool,
    /// Files of the project that differ from the commit, or are in none.
    pub dirty: Vec<String>,
    /// Why nobody can tell which files those are, a clause.
    pub unseen: Option<String>,
    /// How the commit stands to the one that is applied.
    pub standing: Standing,
    /// Whether it may be applied where the environment is pinned.
    pub hold: Hold,
}

/// How the commit that would be applied stands to the one that is applied. Names are short digests with their subjects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Standing {
    /// It is the same or descends from it; or nothing is compared: the guard is off, nothing was applied from a commit.
    #[default]
    Follows,
    /// It is an ancestor of what is applied.
    Older {
        /// What would be applied.
        here: String,
        /// What is applied.
        applied: String,
        /// How many commits there are from the one to the other.
        later: u64,
    },
    /// Neither descends from the other.
    Beside {
        /// What would be applied.
        here: String,
        /// What is applied.
        applied: String,
        /// Where their histories part; none: they have nothing in common.
        base: Option<String>,
        /// Whether no branch and no tag holds what is applied any more.
        rewritten: bool,
    },
    /// It cannot be decided.
    Unknown {
        /// What would be applied; none where nobody can tell.
        here: Option<String>,
        /// What is applied.
        applied: String,
        /// The same in full: a server gives no commit by a short name.
        commit: String,
        /// Why not.
        why: Undecidable,
    },
}

/// Why it cannot be decided how two commits stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecidable {
    /// The clone holds only the newest commits.
    Shallow,
    /// The clone is whole and does not hold the commit that is applied.
    Missing,
    /// There is no Git to ask, or it does not say: why.
    NoGit(String),
}

/// Whether a pin keeps a commit out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Hold {
    /// There is no pin, or the commit holds nothing of what was rolled back: the pin stays as it is.
    #[default]
    Free,
    /// The commit descends from one that takes back what was rolled back: applying it lifts the pin.
    Reverted,
    /// It would bring back what was rolled back.
    BringsBack {
        /// What would be applied.
        here: String,
        /// What it brings back, the newest first.
        commits: Vec<String>,
    },
    /// It cannot be decided.
    Unknown {
        /// Why, a clause.
        why: String,
        /// What makes it decidable.
        remedy: Option<String>,
    },
}

/// The guards that these are: verdicts beside a plan, since they depend on who plans and where.
pub const COMMIT_GUARDS: &[&str] = &["older_commit", "diverged_commit", "unknown_ancestry", "pinned"];

pub(super) fn check(plan: &mut Plan, inputs: &Inputs<'_>, lifted: &mut Lifted) {
    plan.blocks.extend(dirty_tree(inputs, lifted));
    let asked = &inputs.options.provenance;
    // Destroying needs no tree: what is recorded is taken away.
    if inputs.options.destroy {
        return;
    }
    let pin = inputs.state.pinned.as_ref();
    let unpinned = pin.is_some() && overridden("pinned", inputs);
    if unpinned || (pin.is_some() && asked.hold == Hold::Reverted) {
        plan.pinning = Pinning::Lifted;
        lifted.extend(unpinned.then(|| "--unpin".to_owned()));
    }
    // Where nothing happens, no commit does any harm.
    if plan.steps.iter().all(|step| step.action == Action::None) {
        return;
    }
    let held = pin.and_then(|pin| pinned(pin, inputs));
    for found in standing(inputs).into_iter().chain(held) {
        let allowed = overridden(found.guard, inputs);
        if asked.applies || allowed {
            plan.blocks.extend(unless(allowed, found, lifted));
        } else {
            plan.warnings.push(looked_at(found));
        }
    }
}

/// What an apply would be blocked by, as a warning.
fn looked_at(found: Block) -> Block {
    Block { reason: format!("an apply from here would be blocked: {}", found.reason), ..found }
}

/// What is applied should be what was committed.
fn dirty_tree(inputs: &Inputs<'_>, lifted: &mut Lifted) -> Option<Block> {
    let Provenance { dirty, unseen, .. } = &inputs.options.provenance;
    if !inputs.environment.guards.require_clean_git {
        return None;
    }
    let (what, second) = match unseen {
        Some(why) => (
            format!("whether the project has uncommitted changes is undecidable: {why}"),
            "or apply from a clone that `git status` can read",
        ),
        None if dirty.is_empty() => return None,
        None => (format!("the project has uncommitted changes: {}", some(dirty)), "or commit first"),
    };
    let reason = format!("{} takes only what is committed (guards.require_clean_git), and {what}", inputs.environment.name);
    let found = block("dirty_tree", reason, vec!["--allow-dirty-tree".to_owned(), second.to_owned()]);
    unless(overridden("dirty_tree", inputs), found, lifted)
}

/// The first of many, and how many more.
fn some(all: &[String]) -> String {
    const TOLD: usize = 3;
    let more = if all.len() > TOLD { format!(" and {} more", all.len() - TOLD) } else { String::new() };
    format!("{}{more}", all[..all.len().min(TOLD)].join(", "))
}

fn standing(inputs: &Inputs<'_>) -> Option<Block> {
    let environment = &inputs.environment.name;
    match &inputs.options.provenance.standing {
        Standing::Follows => None,
        Standing::Older { here, applied, later } => {
            let commits = if *later == 1 { "1 commit later".to_owned() } else { format!("{later} commits later") };
            let remedy = vec![
                "--allow-older-commit".to_owned(),
                "or apply the newest commit; to go back on purpose: `git revert`, or".to_owned(),
                format!("brickform rollback --to {} --env {environment}", first_word(here)),
            ];
            let reason = format!("commit {here} is older than what is applied ({applied}, {commits}): an old pipeline re-run?");
            Some(block("older_commit", reason, remedy))
        }
        Standing::Beside { here, applied, base, rewritten } => {
            let parting = base.as_ref().map_or_else(|| "they have no commit in common".to_owned(), |base| format!("they part at {base}"));
            let reason = if *rewritten {
                format!(
                    "history was rewritten (a force push?): no branch holds the commit that is applied ({applied}) any more; of {here} and it, {parting}"
                )
            } else {
                format!("commit {here} is beside what is applied ({applied}): {parting}, and what only the other holds would be taken back")
            };
            let second = if *rewritten { "or look first at what differs: git diff" } else { "or merge first: git merge" };
            let what = if *rewritten { format!("{} {}", first_word(applied), first_word(here)) } else { first_word(applied).to_owned() };
            Some(block("diverged_commit", reason, vec!["--allow-diverged-commit".to_owned(), format!("{second} {what}")]))
        }
        Standing::Unknown { here, applied, commit, why } => Some(undecidable(here.as_deref(), applied, commit, why)),
    }
}

fn undecidable(here: Option<&str>, applied: &str, commit: &str, why: &Undecidable) -> Block {
    let what = match here {
        Some(here) => format!("whether commit {here} is newer than what is applied ({applied}) is undecidable"),
        None => format!("whether this is newer than what is applied ({applied}) is undecidable"),
    };
    let (because, remedy) = match why {
        Undecidable::Shallow => (
            "this clone is shallow".to_owned(),
            Some("or fetch the history first: git fetch --unshallow (GitHub: `fetch-depth: 0`; GitLab: `GIT_DEPTH: 0`)".to_owned()),
        ),
        Undecidable::Missing => (
            "this clone does not hold that commit, though it is not shallow: it was never pushed, or history was rewritten (a force push?)"
                .to_owned(),
            // What the state says is put on no command line unless it is a commit.
            is_commit(commit).then(|| format!("or fetch it first: git fetch origin {commit}")),
        ),
        Undecidable::NoGit(why) => (why.clone(), None),
    };
    let remedy = std::iter::once("--allow-unknown-ancestry".to_owned()).chain(remedy).collect();
    block("unknown_ancestry", format!("{what}: {because}"), remedy)
}

/// What is to be reverted, the newest first. Each by itself and never a range: a range may hold merges, which `git revert`
/// refuses, and what is taken back already.
fn names(commits: &[String]) -> String {
    const MOST: usize = 10;
    if commits.len() > MOST {
        return format!("each of these {} commits, the newest first", commits.len());
    }
    commits.iter().filter_map(|name| name.split(' ').next()).collect::<Vec<_>>().join(" ")
}

fn pinned(pin: &Pin, inputs: &Inputs<'_>) -> Option<Block> {
    let to = short(&pin.to);
    let what = format!("{} was rolled back to {to} by {} ({}) and is pinned", inputs.environment.name, pin.by, pin.since);
    let (reason, second) = match &inputs.options.provenance.hold {
        Hold::Free | Hold::Reverted => return None,
        Hold::BringsBack { here, commits } => (
            format!("{what}: commit {here} brings back what was rolled back, and takes none of it back: {}", some(commits)),
            Some(format!("or take it back in Git too: git revert {}", names(commits))),
        ),
        Hold::Unknown { why, remedy } => (format!("{what}: whether this brings it back is undecidable: {why}"), remedy.clone()),
    };
    Some(block("pinned", reason, std::iter::once("--unpin".to_owned()).chain(second).collect()))
}

/// Whether a text is the name of a commit and nothing else: what a state or a plan says is put on a command line.
#[must_use]
pub fn is_commit(text: &str) -> bool {
    (4..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A commit as people name it.
#[must_use]
pub fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

fn first_word(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}
