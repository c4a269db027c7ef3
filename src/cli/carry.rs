//! Asking for consent and carrying a plan out: what `apply` and `destroy` share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use super::events::Events;
use super::findings::{self, Spot};
use super::options::Form;
use super::parts::{self, Part};
use super::planning::{self, Showing, Shown};
use super::progress::Progress;
use super::session::{Online, Session, given};
use super::{Exit, Failure, Run, connect, pipeline, saving, signals};
use crate::apply::{self, Event};
use crate::kinds::Schema;
use crate::model::Fingerprint;
use crate::plan::{Action, Options, Plan, Provenance, Step};
use crate::report::about::About;
use crate::report::markdown;
use crate::report::outcome::{Applied, Ending, ResultLook, Tally, ending, result};
use crate::report::{json, text};
use crate::state::{Document, Note};

/// How often what is in flight is drawn anew.
const REDRAW: std::time::Duration = std::time::Duration::from_millis(120);

/// What is asked before anything is sent.
pub struct Consent<'a> {
    /// `--yes`.
    pub given: bool,
    /// The question.
    pub question: &'a str,
    /// The only answer that consents.
    pub answer: &'a str,
    /// The command, for the message where nobody can be asked.
    pub command: &'a str,
}

/// How consent was had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consented {
    /// By a flag, beforehand: the plan is a moment old.
    Beforehand,
    /// By a person, who took their time.
    Asked,
}

/// Asks, where both ends are a terminal; elsewhere names the flag.
pub fn consent(run: &Run<'_>, consent: &Consent<'_>) -> Result<Consented, Failure> {
    if consent.given {
        return Ok(Consented::Beforehand);
    }
    if !run.screen.can_ask() {
        return Err(Failure::usage(
            match consent.command {
                "apply" | "destroy" | "rollback" => {
                    format!("`{}` asks before it sends anything, and nobody can answer here: nothing was sent", consent.command)
                }
                other => format!("`{other}` asks before it writes anything, and nobody can answer here: nothing was written"),
            },
            &["add `--yes` (it waives no guard)"],
        ));
    }
    match run.screen.ask(consent.question).as_deref() {
        Some(answer) if answer == consent.answer => Ok(Consented::Asked),
        _ => Err(Failure::machine("not confirmed: nothing was sent, nothing was written")),
    }
}

/// Whether the plan that was shown is still the plan: what was consented to is what is sent.
///
/// # Errors
/// [`Failure::Moved`] with the addresses whose steps would be others now.
pub fn unmoved(shown: &Plan, now: &Plan) -> Result<(), Failure> {
    // What the workspace does by itself (a warehouse that starts) is in `live` and changes no step.
    let sent = |s: &Step| (s.action, s.changes.clone(), s.calls.clone(), s.delete_calls.clone(), s.blocks.clone());
    // What goes with it is in no request.
    let goes = |s: &Step| (s.goes.clone(), s.takes.clone());
    let sent = |s: &Step| (sent(s), goes(s));
    let of = |plan: &Plan| plan.steps.iter().map(|s| (s.address.to_string(), sent(s))).collect::<BTreeMap<_, _>>();
    let (before, after) = (of(shown), of(now));
    let addresses: BTreeSet<String> = before.keys().chain(after.keys()).filter(|a| before.get(*a) != after.get(*a)).cloned().collect();
    if addresses.is_empty() && shown.blocks == now.blocks {
        return Ok(());
    }
    Err(Failure::Moved { addresses: addresses.into_iter().collect() })
}

/// How a plan is carried out and shown.
pub struct Way<'a> {
    /// What was allowed, and what else the plan was made with.
    pub options: &'a Options,
    /// How it is shown.
    pub showing: &'a Showing,
    /// `apply`, `destroy`.
    pub operation: &'static str,
    /// The command that does what is left.
    pub again: &'a str,
}

/// Plans, shows the plan, asks, looks again if somebody took their time, and carries it out.
///
/// # Errors
/// Whatever stops it before anything is sent.
pub async fn through(run: &Run<'_>, session: &Session, way: &Way<'_>, asked: &Consent<'_>) -> Result<Exit, Failure> {
    let events = Events::new(run, way.showing.json);
    events.started(session.environment(), way.operation);
    session.store.ahead();
    let (online, document) = session.online(run).await?;
    let options = &applying(way.options);
    let (plan, millis) = session.plan(run, &online, &document, options).await?;
    events.refreshed(&plan, millis);
    let digest = saving::bound(run, session, &online, &plan, way.options)?.digest();
    if let Some(exit) = shown(run, session, way, &plan, &digest, millis)? {
        if exit == Exit::Done && !plan.destroy {
            noted(run, session, &online, &plan, document)?;
        }
        return Ok(exit);
    }
    super::secrets::ready(run, &plan)?;
    if consent(run, asked)? == Consented::Asked {
        unmoved(&plan, &session.plan(run, &online, &document, options).await?.0)?;
    }
    out(run, session, &online, &plan, document, way, &digest).await
}

/// The same for a plan that is to be carried out, which a commit may block.
pub fn applying(options: &Options) -> Options {
    Options { provenance: Provenance { applies: true, ..Provenance::default() }, ..options.clone() }
}

/// Shows the plan before it is carried out; the exit where there is nothing to do, or a guard stands in the way.
///
/// # Errors
/// A report cannot be written.
pub fn shown(
    run: &Run<'_>,
    session: &Session,
    way: &Way<'_>,
    plan: &Plan,
    digest: &Fingerprint,
    millis: u64,
) -> Result<Option<Exit>, Failure> {
    let events = Events::new(run, way.showing.json);
    let ends = plan.is_empty() || plan.is_blocked();
    let look = planning::look(run, way.showing, millis);
    if ends {
        let commit = session.commit(run);
        let link = super::pipeline::link(run.outside);
        let around = planning::Around { spot: Spot::offline(run, session), ..planning::Around::default() };
        let about = About { command: way.again, digest: &digest.0, commit: commit.as_deref(), run: link.as_deref(), ..About::default() };
        planning::show(run, way.showing, &Shown { plan, look, about, around })?;
    } else if run.screen.form == Form::Text && !way.showing.json {
        run.screen.result(&run.screen.folded(&text::plan(plan, &look)));
    }
    events.planned(plan, &digest.0);
    run.screen.summarize(crate::report::about::counts(plan));
    let exit = match (plan.is_blocked(), plan.is_empty()) {
        (true, _) => Exit::Guarded,
        (false, true) => Exit::Done,
        (false, false) => return Ok(None),
    };
    events.ended(None, exit);
    Ok(Some(exit))
}

/// Where there is nothing to send, what YAML alone knows goes on record all the same: the `$key` that an item got tells later
/// which one it is.
///
/// # Errors
/// The state cannot be written.
fn noted(run: &Run<'_>, session: &Session, online: &Online, plan: &Plan, mut document: Document) -> Result<(), Failure> {
    let mut is_new = false;
    for (step, entry) in plan.steps.iter().filter_map(|step| Some((step, step.entry.as_ref()?))) {
        let (Some(kind), Some(before)) = (session.registry.get(&step.kind), document.resources.get_mut(&step.address)) else { continue };
        let schema = Schema::of(kind);
        let is_other = schema.input_only(&before.applied) != schema.input_only(&entry.applied);
        if is_other && !entry.applied.has_unknown() && !entry.applied.has_secret() {
            before.clone_from(entry);
            is_new = true;
        }
    }
    if is_new { session.record(run, online, document, "apply") } else { Ok(()) }
}

/// Carries the plan out and reports.
///
/// # Errors
/// The record cannot be kept, or a report cannot be written.
pub async fn out(
    run: &Run<'_>,
    session: &Session,
    online: &Online,
    plan: &Plan,
    document: Document,
    way: &Way<'_>,
    digest: &Fingerprint,
) -> Result<Exit, Failure> {
    let events = Events::new(run, way.showing.json);
    let steps = plan.steps.iter().filter(|s| s.action != Action::None).count();
    let client = &online.connection.client;
    let progress = Progress::new(run.screen, run.outside, client, steps, events.wanted());
    let carrying = run.screen.stopping.carrying();
    run.screen.note(&format!(
        "{} {} {} as {}. Ctrl-C finishes what is in flight.",
        if plan.destroy { "Destroying:" } else { "Applying" },
        crate::report::text::plural(
            steps as u64,
            if plan.destroy { "step in" } else { "step to" },
            if plan.destroy { "steps in" } else { "steps to" }
        ),
        plan.environment,
        online.connection.caller
    ));
    // Where there is no Git to ask, nothing says that it was.
    let dirty = super::provenance::dirty(run, session, &online.desired).is_ok_and(|files| !files.is_empty());
    session.store.annotate(Note { link: pipeline::link(run.outside), dirty, ..note(plan, &online.connection.caller, digest) });
    let stop = Arc::new(AtomicU8::new(0));
    let happened = |event: &Event| {
        progress.event(event);
        events.step(event);
    };
    let commit = session.commit(run);
    let applying = apply::apply(
        plan,
        apply::Session {
            client,
            store: &*session.store,
            state: document,
            registry: &session.registry,
            outside: run.outside,
            parallelism: connect::parallelism(run),
            caller: online.connection.caller.clone(),
            commit: commit.clone(),
            operation: way.operation,
            stop: Arc::clone(&stop),
            events: &happened,
        },
    );
    let told = |level: u8| {
        run.screen.raw(if level < 2 {
            "\nStopping: what is in flight is finished and saved. Ctrl-C again stops now.\n"
        } else {
            "\nStopping now.\n"
        });
    };
    let ticking = async {
        let mut tick = tokio::time::interval(REDRAW);
        loop {
            tick.tick().await;
            progress.tick();
        }
    };
    let report = tokio::select! {
        report = applying => report,
        never = signals::raise(stop, &run.screen.stopping, told) => match never {},
        () = ticking => return Err(Failure::machine("the clock stopped")),
    };
    drop(carrying);
    progress.end();
    let report = report?;
    let exit = exit(&report);
    let done = report.results.iter().filter(|result| matches!(result.outcome, apply::Outcome::Done)).count();
    run.screen.summarize(match exit {
        Exit::Done => format!("applied: {}", crate::report::about::counts(plan)),
        Exit::Partial => format!("applied in part: {done} of {steps} steps"),
        Exit::Interrupted => format!("interrupted: {done} of {steps} steps done"),
        Exit::Credentials => "stopped: no token any more".to_owned(),
        _ => "failed".to_owned(),
    });
    let tally = Tally::of(&report, plan.destroy);
    let link = super::pipeline::link(run.outside);
    let said = |colour: bool, successes: bool| {
        let times = colour || run.screen.out_terminal;
        let look = ResultLook { colour, width: run.screen.width, successes, times, again: way.again, destroy: plan.destroy };
        result(plan, &report, &look)
    };
    let written = |form: Form| {
        let told = said(false, true);
        match form {
            Form::Json => json::result(plan, &report, plan.destroy, given(run.options)),
            Form::Markdown => {
                let about = About {
                    command: way.again,
                    digest: &digest.0,
                    commit: commit.as_deref(),
                    result: Some(Applied { tally, text: &told }),
                    run: link.as_deref(),
                    ..About::default()
                };
                markdown::plan(plan, &about)
            }
            Form::Html => {
                let about = About {
                    command: way.again,
                    digest: &digest.0,
                    commit: commit.as_deref(),
                    result: Some(Applied { tally, text: &told }),
                    ..About::default()
                };
                planning::page(run, plan, &about, &planning::Around::of(&online.desired))
            }
            Form::Junit | Form::Sarif | Form::Github => {
                findings::of_plan(form, plan, false, Some(&report), &Spot::of(run, session, &online.desired))
            }
            _ => told,
        }
    };
    if run.screen.form == Form::Github {
        findings::to_runner(run, plan, &digest.0, &written(Form::Markdown))?;
    }
    if run.options.one_of_many {
        let told = said(false, true);
        let (command, spot) = (way.again, Spot::of(run, session, &online.desired));
        let about = About {
            command,
            digest: &digest.0,
            commit: commit.as_deref(),
            result: Some(Applied { tally, text: &told }),
            run: link.as_deref(),
            ..About::default()
        };
        let operation = findings::operation(plan, false, true);
        run.screen.keep(Part::with(plan, &about, &spot, findings::found(plan, Some(&report), &spot), operation));
    }
    let together = run.options.one_of_many && parts::is_together(run.screen.form);
    if !events.wanted() && !together {
        let text = if run.screen.form == Form::Text {
            run.screen.folded(&said(run.screen.out_colour, !progress.lists()))
        } else {
            written(run.screen.form)
        };
        run.screen.result(&text);
    }
    planning::write(run, way.showing, &written)?;
    events.ended(Some(&report), exit);
    Ok(exit)
}

/// What is kept beside the versions of the state that this apply writes.
fn note(plan: &Plan, who: &str, digest: &Fingerprint) -> Note {
    let counts: BTreeMap<String, u64> = serde_json::to_value(plan.counts()).and_then(serde_json::from_value).unwrap_or_default();
    let counts = counts.into_iter().filter(|(what, n)| *n > 0 && what != "total" && what != "unmanaged").collect();
    let forgotten = plan
        .steps
        .iter()
        .filter(|step| step.action == Action::Forget && !step.address.is_facet())
        .map(|step| step.address.to_string())
        .collect();
    Note {
        who: who.to_owned(),
        overrides: plan.lifted.iter().cloned().collect(),
        counts,
        plan: digest.0.clone(),
        forgotten,
        ..Note::default()
    }
}

fn exit(report: &apply::Report) -> Exit {
    match ending(report) {
        Ending::Done => Exit::Done,
        Ending::Nothing => Exit::Failed,
        Ending::Partial => Exit::Partial,
        Ending::Interrupted => Exit::Interrupted,
        Ending::Unauthenticated => Exit::Credentials,
    }
}

#[cfg(test)]
mod tests {
    use super::unmoved;
    use crate::cli::{Exit, Failure};
    use crate::model::Value;
    use crate::report::samples;

    #[test]
    fn a_plan_that_changed_while_somebody_thought_is_not_carried_out() {
        let shown = samples::everything();
        assert!(unmoved(&shown, &shown).is_ok());
        let mut started = shown.clone();
        started.steps[0].live = Some(Value::map([("state", Value::text("RUNNING"))]));
        started.requests += 1;
        assert!(unmoved(&shown, &started).is_ok(), "what the workspace does by itself is no change of the plan");
        let mut edited = shown.clone();
        edited.steps[0].goes.insert("description".to_owned(), "a fingerprint".to_owned());
        assert!(unmoved(&shown, &edited).is_err(), "what goes with an object is in no request");
        let mut moved = shown.clone();
        let gone = moved.steps.remove(0);
        let failure = unmoved(&shown, &moved).expect_err("a step is gone");
        assert!(matches!(&failure, Failure::Moved { addresses } if *addresses == [gone.address.to_string()]));
        assert_eq!(failure.exit(), Exit::Stale);
    }
}
