//! `brickform adopt --write`: drift goes into the user's files, and is accepted into the state.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::adopt::Arguments;
use super::carry::{self, Consent};
use super::planning::patterns;
use super::refresh::{accept, accept_only};
use super::session::{Online, Session, given};
use super::{Exit, Failure, Run};
use crate::diagnostic::{Diagnostic, Severity};
use crate::diff::{FieldChange, Reason};
use crate::export::edited::{self, Edited};
use crate::export::object;
use crate::export::write::{Ask, Conflicts, Into, Refused, Unfit, Written, concerns, is_drift, write_but};
use crate::model::{Address, Path, Pattern};
use crate::plan::{self, DELETED, Plan, Step};
use crate::project;
use crate::report::answers::common;
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
    let targets = patterns(&arguments.what, &session.registry)?;
    if targets.is_empty() && !arguments.all_drift {
        return Err(Failure::usage(
            "`adopt --write` wants addresses",
            &["`brickform adopt --write jobs.nightly`, or `--all-drift` for all that drifted"],
        ));
    }
    let options = plan::Options { drift_only: true, keep_seen: true, targets: targets.clone(), ..plan::Options::default() };
    let (mut online, document) = session.online(run).await?;
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
    let desired = online.desired.clone();
    let ask = Ask { project: &session.project, desired: &desired, steps: &steps, ids: &ids, into, deletions, conflicts };
    let trial = Trial { session, document: &document, options: &options, run };
    let written = trial.settled(&mut online, &ask).await?;
    tell(session, run, &written, &plan);
    if written.files.is_empty() {
        return Err(nothing_written(&steps, &written));
    }
    without_secrets(run, &written.files)?;
    loads_elsewhere(session, run, &written.files)?;
    let (document, done) = recorded(run, &document, &steps, &written);
    show(run, &written.files);
    let exit = if written.refused.is_empty() && written.conflicts.is_empty() { Exit::Done } else { Exit::Failed };
    if arguments.dry_run {
        run.screen.note("Only shown (--dry-run): no file was written.");
        return Ok(exit);
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
    Ok(exit)
}

/// The state takes for applied what YAML has of the workspace now; of how many addresses.
fn recorded(run: &Run<'_>, before: &Document, steps: &[&Step], written: &Written) -> (Document, u64) {
    let (mut document, mut done) = (before.clone(), 0);
    for step in steps {
        if step.because.as_deref() == Some(DELETED) {
            if written.is_left(&step.address) {
                continue;
            }
            accept(run, &mut document, step);
        } else {
            let changes = written.recorded_of(&step.address);
            if changes.is_empty() {
                continue;
            }
            accept_only(run, &mut document, step, &changes);
        }
        done += 1;
    }
    (document, done)
}

/// Refuses edits that would write the value of a secret into a file: somebody put it where anybody reads it.
///
/// # Errors
/// One would.
pub fn without_secrets(run: &Run<'_>, edits: &[Edited]) -> Result<(), Failure> {
    let known = run.outside.known();
    let count = |bytes: &[u8]| known.count(&String::from_utf8_lossy(bytes));
    let holds = |edit: &&Edited| count(&edit.after) > edit.before.as_deref().map_or(0, count);
    let names: Vec<String> = edits.iter().filter(holds).map(|edit| format!("`{}`", edit.name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Failure::Machine {
        message: format!("the workspace holds the value of a secret where {} would get it: nothing was written", names.join(", ")),
        help: vec![
            "`brickform drift` shows where, as (sensitive): take it away in the workspace, or write `${secret(\"NAME\")}` there by hand"
                .to_owned(),
            "whatever else drifted can be written by its address".to_owned(),
        ],
    })
}

/// Refuses edits of shared files with which an environment that loads now would load no more: what its overlay says of an item
/// may be about one that goes.
///
/// # Errors
/// One would not.
fn loads_elsewhere(session: &Session, run: &Run<'_>, edits: &[Edited]) -> Result<(), Failure> {
    if edits.iter().all(|edit| session.project.is_environment_file(&edit.name)) {
        return Ok(());
    }
    let ask = run.options.ask(run.outside)?;
    let mistakes = |environment: &str, edits: &[Edited]| {
        let ask = project::Ask { environment: Some(environment.to_owned()), contents: contents(edits), ..ask.clone() };
        let loaded = project::load(run.outside, &ask, &session.registry).map_err(|failed| failed.diagnostics);
        loaded.and_then(|project| project.resolve(&BTreeMap::new())).err().unwrap_or_default()
    };
    for environment in session.project.environments.iter().filter(|name| *name != session.environment()) {
        let found = mistakes(environment, edits);
        if !found.is_empty() && mistakes(environment, &[]).is_empty() {
            return Err(Failure::Machine {
                message: format!("with it {environment} would not load, and nothing was written: {}", told(&found).join("; ")),
                help: vec![format!(
                    "`--overlay` writes into the file of {} instead; or mend what {environment} says of it",
                    session.environment()
                )],
            });
        }
    }
    Ok(())
}

/// Each error once. Where they stand is in no file that anybody has.
fn told(found: &[Diagnostic]) -> Vec<String> {
    let errors = found.iter().filter(|found| found.severity == Severity::Error);
    let mut told: Vec<String> = errors.map(|found| format!("{} ({})", found.message, found.code)).collect();
    told.dedup();
    told
}

/// What could not be read says nothing about drift.
fn unread(plan: &Plan) -> Result<(), Failure> {
    let blocks: Vec<String> = plan.blocks.iter().chain(plan.steps.iter().flat_map(|s| &s.blocks)).map(|b| b.reason.clone()).collect();
    if blocks.is_empty() { Ok(()) } else { Err(Failure::Guard { message: blocks.join("; "), help: vec![] }) }
}

/// The steps that drifted: of these addresses, their parts and their instances, or all.
fn drifted<'p>(plan: &'p Plan, targets: &[Pattern]) -> Vec<&'p Step> {
    let asked = |address: &Address| targets.is_empty() || targets.iter().any(|target| target.covers(address));
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
    let what = |address: &Address, path: &Path| if path.is_root() { address.to_string() } else { format!("{address} {path}") };
    for (address, path, place) in &written.places {
        run.screen.note(&format!("  {}: {place}", what(address, path)));
    }
    shared(session, run, &written.files);
    for refused in &written.refused {
        let what = what(&refused.address, &refused.path);
        run.screen.raw(&format!("error: {what} is not written: {}\n  = {}\n", refused.why, refused.help));
    }
    let name = |address: &Address| plan.steps.iter().find(|s| s.address == *address).map(|s| s.name.as_str()).unwrap_or_default();
    let conflicts: Vec<Conflict<'_>> =
        written.conflicts.iter().map(|(address, changes)| Conflict { address, name: name(address), changes }).collect();
    let paint = Paint { colour: run.screen.err_colour };
    run.screen.raw(&conflict::section(&conflicts, &common(session.environment(), given(run.options)), paint, run.screen.width));
}

/// Says which of the files other environments read too, and how they keep what they have.
pub fn shared(session: &Session, run: &Run<'_>, files: &[Edited]) {
    let others: Vec<&str> = session.project.environments.iter().map(String::as_str).filter(|e| *e != session.environment()).collect();
    let is_shared = |name: &str| !session.project.is_environment_file(name) && name.contains('.');
    for edit in files.iter().filter(|f| !others.is_empty() && is_shared(&f.name)) {
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

/// Edits are tried on a project that is nowhere yet.
struct Trial<'a> {
    session: &'a Session,
    document: &'a Document,
    options: &'a plan::Options,
    run: &'a Run<'a>,
}

/// Why edits are not written.
enum Wrong {
    /// The project would not load: each mistake.
    Mistakes(Vec<String>),
    /// The workspace would still have something else there.
    Differs(Address, Path),
    /// It cannot be found out.
    Unknown(Failure),
}

impl Wrong {
    fn why(&self) -> String {
        match self {
            Self::Mistakes(mistakes) => format!("with it the project would not load: {}", mistakes.join("; ")),
            Self::Differs(address, path) if path.is_root() => format!("{address} would still differ from the workspace"),
            Self::Differs(address, path) => format!("{address} {path} would still differ from the workspace"),
            Self::Unknown(failure) => failure.to_string(),
        }
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        let Failure::Project(failed) = failure else { return Self::Unknown(failure) };
        Self::Mistakes(told(&failed.diagnostics))
    }
}

impl Trial<'_> {
    /// What can be written. What cannot is found by itself, so that it stops nothing else.
    async fn settled(&self, online: &mut Online, ask: &Ask<'_>) -> Result<Written, Failure> {
        let mut unfit = Unfit::new();
        let all = write_but(ask, &unfit);
        match self.verified(online, &all, ask.steps, Strict::No).await {
            Ok(()) => return Ok(all),
            Err(Wrong::Unknown(failure)) => return Err(failure),
            Err(Wrong::Mistakes(_) | Wrong::Differs(..)) => {}
        }
        for step in ask.steps {
            let steps = [*step];
            let alone = Ask { steps: &steps, ..*ask };
            let whole = write_but(&alone, &unfit);
            let Err(wrong) = self.verified(online, &whole, &steps, Strict::No).await else { continue };
            if whole.tried.len() > 1 {
                for one in &whole.tried {
                    let others = whole.tried.iter().filter(|other| *other != one).map(|other| (other.clone(), String::new())).collect();
                    let only = write_but(&alone, &others);
                    if let Err(wrong) = self.verified(online, &only, &steps, Strict::Yes(&one.1)).await {
                        unfit.insert(one.clone(), wrong.why());
                    }
                }
                // Each may be right by itself, and some of them not together: then all of what they are in stays as it is.
                let mut rest = self.verified(online, &write_but(&alone, &unfit), &steps, Strict::No).await;
                while let Err(Wrong::Differs(_, path)) = &rest {
                    let list = list_of(path);
                    let left = |one: &&(Address, Path)| list_of(&one.1) == list && !unfit.contains_key(*one);
                    let beside: Vec<(Address, Path)> = whole.tried.iter().filter(left).cloned().collect();
                    if beside.is_empty() {
                        break;
                    }
                    unfit.extend(beside.into_iter().map(|one| (one, wrong.why())));
                    rest = self.verified(online, &write_but(&alone, &unfit), &steps, Strict::No).await;
                }
                if rest.is_ok() {
                    continue;
                }
            }
            let path = if let [(_, only)] = whole.tried.as_slice() { only.clone() } else { Path::root() };
            unfit.insert((step.address.clone(), path), wrong.why());
        }
        let written = write_but(ask, &unfit);
        match self.verified(online, &written, ask.steps, Strict::No).await {
            Ok(()) => Ok(written),
            Err(Wrong::Unknown(failure)) => Err(failure),
            Err(wrong) => Err(Failure::Machine {
                message: format!("nothing was written: {}", wrong.why()),
                help: vec![format!("`brickform drift --env {}` shows what drifted; write it by hand", self.session.environment())],
            }),
        }
    }

    /// The project as it would be: it must load, and beside what YAML changed by itself nothing may differ in what was written.
    /// What is desired then stays in `online`.
    async fn verified(&self, online: &mut Online, written: &Written, steps: &[&Step], strict: Strict<'_>) -> Result<(), Wrong> {
        if written.files.is_empty() {
            return Ok(());
        }
        let edited = Session::with(self.run, contents(&written.files))?;
        online.desired = edited.project.resolve(&online.answers).map_err(Failure::mistakes)?;
        let (document, _) = recorded(self.run, self.document, steps, written);
        let targets = match steps {
            [one] if online.desired.resources.contains_key(&one.address) => vec![one.address.parent().into()],
            _ => vec![],
        };
        let options = plan::Options { targets, ..self.options.clone() };
        let (plan, _) = edited.plan(self.run, online, &document, &options).await?;
        let told = |a: &Address| written.places.iter().any(|(address, ..)| address == a);
        for step in plan.steps.iter().filter(|s| told(&s.address)) {
            let before = steps.iter().find(|s| s.address == step.address).and_then(|s| s.seen.as_ref());
            let ours: &[FieldChange] = before.map_or(&[], |seen| &seen.changes);
            let taken: Vec<&FieldChange> = written.taken.iter().filter(|(a, _)| *a == step.address).flat_map(|(_, all)| all).collect();
            let is_told = |c: &FieldChange| written.is_left(&step.address) && is_drift(c) && !strict.is_about(&c.path);
            let differs = |c: &&FieldChange| !is_told(c) && !is_of_yaml(c, ours, &taken);
            if step.because.as_deref() == Some(DELETED) && !written.is_left(&step.address) {
                return Err(Wrong::Differs(step.address.clone(), Path::root()));
            }
            if let Some(change) = step.seen.iter().flat_map(|seen| &seen.changes).find(differs) {
                return Err(Wrong::Differs(step.address.clone(), change.path.clone()));
            }
        }
        Ok(())
    }
}

/// The list that a place is in; the field where it is in none.
fn list_of(path: &Path) -> Path {
    Path::from(path.steps().iter().take_while(|step| matches!(step, crate::model::Step::Field(_))).cloned().collect::<Vec<_>>())
}

/// Whether something that differs at a place is a mistake although other edits were left out.
#[derive(Clone, Copy)]
enum Strict<'p> {
    No,
    Yes(&'p Path),
}

impl Strict<'_> {
    fn is_about(self, path: &Path) -> bool {
        matches!(self, Self::Yes(one) if one.contains(path) || path.contains(one))
    }
}

/// Whether something differs because YAML changed it: it did before, or its edit is in a text with the workspace's. An item may
/// have another name now.
fn is_of_yaml(change: &FieldChange, ours: &[FieldChange], taken: &[&FieldChange]) -> bool {
    let same = |c: &FieldChange| c.path.steps().last() == change.path.steps().last() && c.old == change.old && c.new == change.new;
    let is_merged = taken.iter().any(|c| c.path.steps().last() == change.path.steps().last() && c.old == change.new);
    is_merged || (ours.iter().any(same) && !taken.iter().any(|c| same(c)))
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
