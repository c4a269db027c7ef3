//! Plans in files: writing one, reading one, and carrying one out only while nothing that it is bound to has moved.

use std::collections::BTreeSet;
use std::path::Path;

use super::carry::{self, Way};
use super::events::Events;
use super::options::Options;
use super::planning::Showing;
use super::session::{Online, Session, given};
use super::{Exit, Failure, Run, runtime};
use crate::model::{Address, Pattern, bounded};
use crate::plan::saved::{self, Envelope, Saved, Sources};
use crate::plan::{self, Plan};
use crate::report;
use crate::report::answers::{common, shell_word};
use crate::state::Document;

/// The plan with what it is bound to.
///
/// # Errors
/// A secret that has to be compared cannot be read.
pub fn bound(run: &Run<'_>, session: &Session, online: &Online, plan: &Plan, choices: &plan::Options) -> Result<Saved, Failure> {
    let environment = &session.project.environment;
    let secrets = super::secrets::recorded(run, environment.state.key.as_ref(), &online.desired)?;
    let ask = run.options.ask(run.outside)?;
    // Whose entry stays in the lists of what is taken over: whoever carries the plan out takes it over for them.
    let takes_over = plan.steps.iter().any(|step| step.action == plan::Action::Adopt);
    let caller =
        choices.takers.caller.clone().or_else(|| Some(online.connection.caller.clone())).filter(|who| takes_over && !who.is_empty());
    let choices = plan::Options { takers: plan::Takers { caller, ..plan::Takers::default() }, ..choices.clone() };
    Ok(saved::bind(
        plan,
        Sources {
            choices: &choices,
            given: session.project.given(run.outside, &ask),
            environment,
            desired: &online.desired,
            answers: &online.answers,
            secrets: &secrets,
            registry: &session.registry,
            known: &run.outside.known(),
        },
    ))
}

/// From when to when a plan that is written now holds.
fn lifetime(run: &Run<'_>, hours: u32) -> Result<(jiff::Timestamp, jiff::Timestamp), Failure> {
    let created = run.outside.now();
    let expires = created
        .checked_add(jiff::SignedDuration::from_hours(i64::from(hours)))
        .map_err(|error| Failure::usage(format!("`--expires {hours}h` is no time that will come: {error}"), &[]))?;
    Ok((created, expires))
}

/// The same in words.
///
/// # Errors
/// No calendar has that time.
pub fn holds(run: &Run<'_>, hours: u32) -> Result<(String, String), Failure> {
    lifetime(run, hours).map(|(from, to)| (seconds(from), seconds(to)))
}

/// Writes the plan into a file that is whole or not there.
///
/// # Errors
/// The file cannot be written.
pub fn write(run: &Run<'_>, session: &Session, plan: &Plan, saved: Saved, file: &str, hours: u32) -> Result<(), Failure> {
    let (created, expires) = lifetime(run, hours)?;
    let digest = saved.digest();
    let envelope = Envelope { created, expires, commit: session.commit(run), verdicts: saved::verdicts(plan), saved };
    let path = run.outside.path(file);
    put(&path, &saved::write(&envelope)).map_err(|error| Failure::Machine {
        message: format!("the plan cannot be written to {file}: {}", unwritable(&path, &error)),
        help: vec!["check that its folder is there and can be written".to_owned()],
    })?;
    run.screen.note(&format!(
        "The plan is in {file} (digest {}), good for {hours} h. Next: brickform apply {}",
        digest.short(),
        crate::report::answers::shell_word(file)
    ));
    Ok(())
}

/// The name of a file: `{env}` in it is the environment's name.
pub fn named(file: &str, environment: Option<&str>) -> String {
    environment.map_or_else(|| file.to_owned(), |name| file.replace("{env}", name))
}

/// Replaces a file in one go.
pub fn put(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".brickform-").tempfile_in(folder)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Why a file could not be put there, without the name that it had until it was whole.
pub fn unwritable(path: &Path, error: &std::io::Error) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match (error.kind(), folder) {
        (_, Some(folder)) if folder.exists() && !folder.is_dir() => format!("{} is no folder", folder.display()),
        (std::io::ErrorKind::NotFound, Some(folder)) if !folder.exists() => format!("there is no folder {}", folder.display()),
        (std::io::ErrorKind::PermissionDenied, _) => "its folder may not be written (permission denied)".to_owned(),
        _ => match error.get_ref().and_then(std::error::Error::source) {
            Some(bare) => bare.to_string(),
            None => error.to_string(),
        },
    }
}

/// Reads a file.
///
/// # Errors
/// It cannot be read, or is no plan.
pub fn read(run: &Run<'_>, file: &str) -> Result<Envelope, Failure> {
    let bytes = bounded::read(&run.outside.path(file), bounded::RECORD).map_err(|error| Failure::Machine {
        message: format!("{file} cannot be read: {error}"),
        help: vec!["`brickform plan --out FILE` writes a plan".to_owned()],
    })?;
    saved::read(&bytes).map_err(|fault| Failure::Machine {
        help: vec![match &fault {
            saved::Fault::Newer { .. } => "use the Brickform that wrote it, or plan again with this one".to_owned(),
            saved::Fault::Foreign(_) => "`brickform plan --out FILE` writes a plan that can be applied".to_owned(),
            _ => "plan again: brickform plan --out FILE; nothing was sent".to_owned(),
        }],
        message: format!("{file} cannot be used: {fault}"),
    })
}

/// Applies the plan in a file.
///
/// # Errors
/// Whatever stops it before anything is sent.
pub fn apply(run: &Run<'_>, file: &str, loosened: &plan::Options, showing: &Showing) -> Result<Exit, Failure> {
    let envelope = read(run, file)?;
    let then = &envelope.saved;
    Events::new(run, showing.json).started(&then.plan.environment, "apply");
    let again = command(run, then, file);
    fresh(run, file, &envelope, &again)?;
    let options = of_plan(run, then)?;
    let run = &Run { options: &options, outside: run.outside, screen: run.screen };
    let session = Session::open(run).map_err(|failure| without_project(failure, then))?;
    session.lock(run, "apply")?;
    let exit = runtime()?.block_on(carried_out(run, &session, &envelope, file, loosened, showing, &again));
    session.store.unlock();
    exit
}

fn fresh(run: &Run<'_>, file: &str, envelope: &Envelope, again: &str) -> Result<(), Failure> {
    if run.outside.now() < envelope.expires {
        return Ok(());
    }
    let held = format!("it was made at {} and held until {}", seconds(envelope.created), seconds(envelope.expires));
    Err(Failure::Stale { file: file.to_owned(), why: "expired".to_owned(), moved: vec![held], next: next(file, again) })
}

/// The command that plans the same again, into the same file.
fn command(run: &Run<'_>, then: &Saved, file: &str) -> String {
    let mut words = vec![format!("brickform plan {}", common(&then.plan.environment, given(run.options)))];
    words.extend(then.given.iter().map(|(name, value)| format!("--var {}", shell_word(&format!("{name}={value}")))));
    words.extend(choices(&then.choices));
    words.push(format!("--out {}", shell_word(file)));
    words.join(" ")
}

/// The flags that a plan was made with.
fn choices(then: &plan::Options) -> Vec<String> {
    let mut words = vec![];
    for (given, flag) in [
        (then.destroy, "--destroy"),
        (then.include_adopted, "--include-adopted"),
        (then.adopt, "--adopt"),
        (then.no_refresh, "--refresh=false"),
    ] {
        words.extend(given.then(|| flag.to_owned()));
    }
    let patterns = |list: &[Pattern]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let addresses = |list: &[Address]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (flag, values) in [
        ("--target", patterns(&then.targets)),
        ("--exclude", patterns(&then.excludes)),
        ("--replace", addresses(&then.replace)),
        ("--accept-conflict", addresses(&then.accept_conflicts)),
        ("--allow-delete", then.allow_delete.clone()),
        ("--allow-policy", then.allow_policies.clone()),
    ] {
        words.extend(values.iter().map(|value| format!("{flag} {}", shell_word(value))));
    }
    words.extend(then.overrides.iter().map(|guard| match guard.as_str() {
        "pinned" => "--unpin".to_owned(),
        guard => format!("--allow-{}", guard.replace('_', "-")),
    }));
    words
}

fn next(file: &str, again: &str) -> Vec<String> {
    vec![format!("plan again and look at it: {again}"), format!("then: brickform apply {}", shell_word(file))]
}

/// A time without parts of a second.
pub fn seconds(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A plan that no longer fits, and what to do.
fn stale(file: &str, envelope: &Envelope, moved: Vec<String>, next: Vec<String>) -> Failure {
    let why = format!("stale (it was made at {})", seconds(envelope.created));
    Failure::Stale { file: file.to_owned(), why, moved, next }
}

/// What moved of what the plan is bound to; who wrote the state since is told as far as its versions say so.
fn unsettled(run: &Run<'_>, session: &Session, file: &str, envelope: &Envelope, now: &Saved, again: &str) -> Option<Failure> {
    let then = &envelope.saved;
    if saved::unsettled(then, now, None).is_empty() {
        return None;
    }
    let digest = then.digest().0;
    let versions = session.store.history().unwrap_or_default();
    let since = || versions.iter().filter(|version| version.serial > then.plan.serial);
    let told = |version| report::history::last(version, super::history::subject(run, session, Some(version)).as_deref());
    if let Some(version) = since().find(|version| version.note.as_ref().is_some_and(|note| note.plan == digest)) {
        let done = format!("this very plan was carried out already: serial {}, {}", version.serial, told(version));
        let next = vec![format!("whether anything is left to do: brickform plan --env {}", session.environment())];
        return Some(stale(file, envelope, vec![done], next));
    }
    let written = since().max_by_key(|version| version.serial).map(told);
    Some(stale(file, envelope, saved::unsettled(then, now, written.as_deref()), next(file, again)))
}

/// The options of this run, with the environment and the variables that the plan was made with.
fn of_plan(run: &Run<'_>, then: &Saved) -> Result<Options, Failure> {
    let mut options = run.options.clone();
    if let Some(asked) = options.environment.as_deref().filter(|asked| *asked != then.plan.environment) {
        return Err(Failure::Usage {
            message: format!("the plan is of the environment {}, and `--env {asked}` was given: nothing was sent", then.plan.environment),
            help: vec![format!("leave `--env` out, or plan for {asked}: brickform plan --env {asked} --out FILE")],
        });
    }
    options.environment = Some(then.plan.environment.clone());
    let given = then.given.iter().map(|(name, value)| format!("{name}={value}"));
    options.variables = given.chain(run.options.variables.iter().cloned()).collect();
    Ok(options)
}

/// A plan says what is sent; where the workspace and the state are, and who may call, the project's environment says.
fn without_project(failure: Failure, then: &Saved) -> Failure {
    match failure {
        Failure::Project(failed) if failed.diagnostics.iter().any(|d| d.code == "E0301") => Failure::Machine {
            message: format!(
                "there is no project here, and a plan is applied in the checkout it was made from: {}, environment {}. Nothing was sent",
                then.plan.project, then.plan.environment
            ),
            help: vec![
                "the environment's file says where the workspace and the state are, and the plan is compared with the configuration"
                    .to_owned(),
                "check the repository out and run this in it, or name it: --project-dir FOLDER".to_owned(),
            ],
        },
        other => other,
    }
}

async fn carried_out(
    run: &Run<'_>,
    session: &Session,
    envelope: &Envelope,
    file: &str,
    loosened: &plan::Options,
    showing: &Showing,
    again: &str,
) -> Result<Exit, Failure> {
    let then = &envelope.saved;
    session.store.ahead();
    let (online, document) = session.online(run).await?;
    let choices = union(&then.choices, loosened);
    let base = bound(run, session, &online, &standing(&then.plan, session, &online, &document), &choices)?;
    if let Some(failure) = unsettled(run, session, file, envelope, &base, again) {
        return Err(failure);
    }
    let events = Events::new(run, showing.json);
    let way = Way { options: &choices, showing, operation: "apply", again };
    let digest = then.digest();
    let touched: BTreeSet<_> = saved::touched(&then.plan).into_iter().cloned().collect();
    if touched.is_empty() {
        return Ok(carry::shown(run, session, &way, &then.plan, &digest, 0)?.unwrap_or(Exit::Done));
    }
    let options =
        plan::Options { targets: touched.iter().cloned().map(Into::into).collect(), only: Some(touched), ..carry::applying(&choices) };
    let (plan, millis) = session.plan(run, &online, &document, &options).await?;
    let plan = Plan { left_out: then.plan.left_out, ..plan };
    events.refreshed(&plan, millis);
    let moved = saved::moved(then, &bound(run, session, &online, &plan, &choices)?);
    if !moved.is_empty() {
        return Err(stale(file, envelope, moved, next(file, again)));
    }
    if let Some(exit) = carry::shown(run, session, &way, &plan, &digest, millis)? {
        return Ok(exit);
    }
    super::secrets::ready(run, &plan)?;
    carry::out(run, session, &online, &plan, document, &way, &digest).await
}

/// What the plan allowed, and what is allowed now.
fn union(then: &plan::Options, now: &plan::Options) -> plan::Options {
    let both = |a: &[String], b: &[String]| a.iter().chain(b).cloned().collect::<BTreeSet<_>>().into_iter().collect();
    plan::Options {
        allow_delete: both(&then.allow_delete, &now.allow_delete),
        overrides: both(&then.overrides, &now.overrides),
        allow_policies: both(&then.allow_policies, &now.allow_policies),
        accept_conflicts: then.accept_conflicts.iter().chain(&now.accept_conflicts).cloned().collect(),
        preflight: then.preflight || now.preflight,
        ..then.clone()
    }
}

/// The plan's frame as it would be made now, the steps as they were, what they want as it is wanted now.
fn standing(then: &Plan, session: &Session, online: &Online, document: &Document) -> Plan {
    let wanted_now = |step: &plan::Step| {
        let now = || online.desired.resources.get(&step.address).map(|r| r.body.clone());
        plan::Step { desired: step.desired.as_ref().and_then(|_| now()), ..step.clone() }
    };
    Plan {
        environment: session.environment().to_owned(),
        project: session.project.name.clone(),
        workspace: online.connection.identity.clone(),
        lineage: document.lineage.clone(),
        serial: document.serial,
        state_place: session.state_place.clone(),
        steps: then.steps.iter().map(wanted_now).collect(),
        ..then.clone()
    }
}
