//! `brickform adopt --write`: drift goes into the user's files, and is accepted into the state.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::adopt::Arguments;
use super::carry::{self, Consent};
use super::planning::address;
use super::refresh::{accept, accept_only};
use super::session::{Online, Session};
use super::{Exit, Failure, Run};
use crate::diff::{FieldChange, Reason};
use crate::export::edited::{self, Edited};
use crate::export::object;
use crate::export::write::{Ask, Conflicts, Into, Refused, Written, concerns, is_drift, write_back};
use crate::model::Address;
use crate::plan::{self, DELETED, Plan, Step};
use crate::report::conflict::{self, Conflict};
use crate::report::style::Paint;
use crate::state::{Document, Note};

/// What the state's history calls it.
pub(super) const BY: &str = "adopt --write";

/// Writes drift back.
pub async fn write(session: &Session, arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    if arguments.json() {
        return Err(Failure::usage(
            "`adopt --write` has no events: `--json` is for what goes into the state",
            &["leave `--json` out: the edits are printed as a patch"],
        ));
    }
    let targets = arguments.what.iter().map(|a| address(a, &session.registry)).collect::<Result<Vec<_>, _>>()?;
    if targets.is_empty() && !arguments.all_drift {
        return Err(Failure::usage(
            "`adopt --write` wants addresses",
            &["`brickform adopt --write jobs.nightly`, or `--all-drift` for all that drifted"],
        ));
    }
    let options = plan::Options {
        drift_only: true,
        keep_seen: true,
        targets: targets.iter().cloned().map(crate::model::Pattern::from).collect(),
        ..plan::Options::default()
    };
    let (online, mut document) = session.online(run).await?;
    let (mut plan, _) = session.plan(run, &online, &document, &options).await?;
    unread(&plan)?;
    if arguments.all_fields {
        plan.steps.iter_mut().for_each(with_unmanaged);
    }
    let steps = drifted(&plan, &targets);
    if steps.is_empty() {
        let what = if targets.is_empty() { session.environment().to_owned() } else { arguments.what.join(", ") };
        run.screen.result(&format!("{what}: nothing drifted, there is nothing to write.\n"));
        return Ok(Exit::Done);
    }
    let ids = object::ids(&document, &online.desired.resources);
    let into = if arguments.overlay { Into::Overlay } else { Into::Source };
    let conflicts = if arguments.theirs { Conflicts::Theirs } else { Conflicts::Told };
    let deletions = arguments.deletions;
    let ask = Ask { project: &session.project, desired: &online.desired, steps: &steps, ids: &ids, into, deletions, conflicts };
    let written = write_back(&ask);
    tell(session, run, &written, &plan);
    if written.files.is_empty() {
        return Err(nothing_written(&steps, &written));
    }
    let done = recorded(&mut document, &steps, &written);
    let online = verified(session, online, (&document, &written, &steps), &options, run).await?;
    show(run, &written.files);
    if arguments.dry_run {
        run.screen.note("Only shown (--dry-run): no file was written.");
        return Ok(Exit::Done);
    }
    let question = "Write this? Only `yes` does it: ";
    carry::consent(run, &Consent { given: arguments.yes, question, answer: "yes", command: "adopt --write" })?;
    edited::write(&written.files)
        .map_err(|error| Failure::Machine { message: error.to_string(), help: vec!["run it again: it reads the files anew".to_owned()] })?;
    // No commit holds what was just written.
    session.store.annotate(Note {
        who: online.connection.caller.clone(),
        link: super::pipeline::link(run.outside),
        dirty: true,
        files: written.files.iter().map(|file| file.name.clone()).collect(),
        ..Note::default()
    });
    session.record(run, &online, document, BY)?;
    run.screen.result(&format!(
        "Written: {}; {} accepted into the state. Nothing was sent.\n",
        crate::report::text::plural(written.files.len() as u64, "file", "files"),
        crate::report::text::plural(done, "address", "addresses")
    ));
    Ok(if written.refused.is_empty() && written.conflicts.is_empty() { Exit::Done } else { Exit::Failed })
}

/// The state takes for applied what YAML has of the workspace now; of how many addresses.
fn recorded(document: &mut Document, steps: &[&Step], written: &Written) -> u64 {
    let mut done = 0;
    for step in steps {
        if step.because.as_deref() == Some(DELETED) {
            if written.is_left(&step.address) {
                continue;
            }
            accept(document, step);
        } else {
            let changes = written.recorded_of(&step.address);
            if changes.is_empty() {
                continue;
            }
            accept_only(document, step, &changes);
        }
        done += 1;
    }
    done
}

/// What could not be read says nothing about drift.
fn unread(plan: &Plan) -> Result<(), Failure> {
    let blocks: Vec<String> = plan.blocks.iter().chain(plan.steps.iter().flat_map(|s| &s.blocks)).map(|b| b.reason.clone()).collect();
    if blocks.is_empty() { Ok(()) } else { Err(Failure::Guard { message: blocks.join("; "), help: vec![] }) }
}

/// The steps that drifted: of these addresses, their parts and their instances, or all.
fn drifted<'p>(plan: &'p Plan, targets: &[Address]) -> Vec<&'p Step> {
    let asked = |a: &Address| {
        targets.is_empty()
            || targets.iter().any(|t| {
                t.kind == a.kind
                    && t.key == a.key
                    && (t.instance.is_none() || t.instance == a.instance)
                    && (t.facet.is_none() || t.facet == a.facet)
            })
    };
    plan.steps.iter().filter(|s| concerns(s) && asked(&s.address)).collect()
}

/// What YAML never set counts as drift, too.
fn with_unmanaged(step: &mut Step) {
    let unmanaged = step.unmanaged.iter().map(|(path, live)| FieldChange {
        path: path.clone(),
        old: Some(live.clone()),
        new: None,
        applied: None,
        reason: Reason::Drift,
    });
    let unmanaged: Vec<FieldChange> = unmanaged.collect();
    if let Some(seen) = &mut step.seen {
        seen.changes.extend(unmanaged.iter().cloned());
    }
    step.changes.extend(unmanaged);
}

fn tell(session: &Session, run: &Run<'_>, written: &Written, plan: &Plan) {
    for (what, place) in &written.places {
        run.screen.note(&format!("  {what}: {place}"));
    }
    shared(session, run, &written.files);
    for refused in &written.refused {
        let what = if refused.path.is_root() { refused.address.to_string() } else { format!("{} {}", refused.address, refused.path) };
        run.screen.raw(&format!("error: {what} is not written: {}\n  = {}\n", refused.why, refused.help));
    }
    let name = |address: &Address| plan.steps.iter().find(|s| s.address == *address).map(|s| s.name.as_str()).unwrap_or_default();
    let conflicts: Vec<Conflict<'_>> =
        written.conflicts.iter().map(|(address, changes)| Conflict { address, name: name(address), changes }).collect();
    let paint = Paint { colour: run.screen.err_colour };
    run.screen.raw(&conflict::section(&conflicts, session.environment(), paint, run.screen.width));
}

/// Says which of the files other environments read too, and how they keep what they have.
pub fn shared(session: &Session, run: &Run<'_>, files: &[Edited]) {
    let others: Vec<&str> = session.project.environments.iter().map(String::as_str).filter(|e| *e != session.environment()).collect();
    for edit in files.iter().filter(|f| !f.name.contains("environments/") && !others.is_empty() && f.name.contains('.')) {
        run.screen.note(&format!(
            "note: `{}` is shared with {}; `--overlay` writes into this environment's file instead",
            edit.name,
            others.join(", ")
        ));
    }
}

/// Why no file gets an edit: each refusal stands above by itself, what nobody can write is told here.
fn nothing_written(steps: &[&Step], written: &Written) -> Failure {
    let mut help: Vec<String> = written.refused.iter().map(|r: &Refused| format!("{}: {}", r.address, r.help)).collect();
    let both = written.conflicts.iter().map(|(address, _)| address);
    help.extend(
        both.map(|address| format!("{address}: YAML and the workspace changed the same; `--theirs` writes what the workspace has")),
    );
    for step in steps.iter().filter(|s| !written.is_left(&s.address)) {
        let fields: Vec<String> = step.changes.iter().filter(|c| is_drift(c)).map(|c| c.path.to_string()).collect();
        let address = &step.address;
        help.push(format!("{address}: the YAML says {} already; `brickform refresh {address}` takes it into the state", fields.join(", ")));
    }
    help.dedup();
    Failure::Machine { message: "nothing could be written".to_owned(), help }
}

/// The project as it would be: it must load, and beside what YAML changed by itself nothing may differ in what was written.
async fn verified(
    session: &Session,
    online: Online,
    (document, written, steps): (&Document, &Written, &[&Step]),
    options: &plan::Options,
    run: &Run<'_>,
) -> Result<Online, Failure> {
    let unfit = |failure: Failure| unfit(failure, written, run);
    let edited = Session::with(run, contents(&written.files)).map_err(unfit)?;
    let online = edited.again(online).map_err(unfit)?;
    let options = plan::Options { targets: vec![], ..options.clone() };
    let (plan, _) = edited.plan(run, &online, document, &options).await?;
    let told = |a: &Address| written.places.iter().any(|(what, _)| what.split(' ').next() == Some(&a.to_string()));
    for step in plan.steps.iter().filter(|s| told(&s.address)) {
        let before = steps.iter().find(|s| s.address == step.address).and_then(|s| s.seen.as_ref());
        let ours: &[FieldChange] = before.map_or(&[], |seen| &seen.changes);
        let taken: Vec<&FieldChange> = written.taken.iter().filter(|(a, _)| *a == step.address).flat_map(|(_, all)| all).collect();
        let is_told = |c: &FieldChange| written.is_left(&step.address) && is_drift(c);
        let differs = |c: &&FieldChange| !is_told(c) && !is_of_yaml(c, ours, &taken);
        let gone = step.because.as_deref() == Some(DELETED) && !written.is_left(&step.address);
        let field = step.seen.iter().flat_map(|seen| &seen.changes).find(differs).map(|c| format!(" ({})", c.path));
        if gone || field.is_some() {
            return Err(Failure::Machine {
                message: format!(
                    "{} would still differ from the workspace{}: nothing was written",
                    step.address,
                    field.unwrap_or_default()
                ),
                help: vec![format!("`brickform drift --env {}` shows it; write it by hand", session.environment())],
            });
        }
    }
    Ok(online)
}

/// Whether something differs because YAML changed it: it did before, or its edit is in a text with the workspace's. An item may
/// have another name now.
fn is_of_yaml(change: &FieldChange, ours: &[FieldChange], taken: &[&FieldChange]) -> bool {
    let same = |c: &FieldChange| c.path.steps().last() == change.path.steps().last() && c.old == change.old && c.new == change.new;
    let is_merged = taken.iter().any(|c| c.path.steps().last() == change.path.steps().last() && c.old == change.new);
    is_merged || (ours.iter().any(same) && !taken.iter().any(|c| same(c)))
}

/// Mistakes of files that exist nowhere yet: said before they are shown.
fn unfit(failure: Failure, written: &Written, run: &Run<'_>) -> Failure {
    let names: Vec<String> = written.files.iter().map(|f| format!("`{}`", f.name)).collect();
    run.screen
        .raw(&format!("error: nothing was written: with these edits {} would not load; what would be wrong in them:\n", names.join(", ")));
    failure
}

/// Edited files by path, as the project reads them.
pub fn contents(edits: &[Edited]) -> BTreeMap<PathBuf, Vec<u8>> {
    edits.iter().map(|e| (e.path.clone(), e.after.clone())).collect()
}

/// Shows the edits as a patch.
pub fn show(run: &Run<'_>, edits: &[Edited]) {
    for edit in edits {
        run.screen.result(&edit.diff());
    }
}
