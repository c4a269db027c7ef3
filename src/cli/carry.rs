//! Asking for consent and carrying a plan out: what `apply` and `destroy` share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use super::planning::{self, Showing};
use super::progress::Progress;
use super::session::{Online, Session, commit};
use super::{Exit, Failure, Format, Run, connect, signals};
use crate::apply::{self, Event};
use crate::plan::{Action, Options, Plan, Step};
use crate::report::json;
use crate::report::outcome::{Ending, ResultLook, ending, result};

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
            format!("`{}` asks before it sends anything, and nobody can answer here: nothing was sent", consent.command),
            &["add `--yes` (it waives no guard)"],
        ));
    }
    match run.screen.ask(consent.question).as_deref() {
        Some(answer) if answer == consent.answer => Ok(Consented::Asked),
        _ => Err(Failure::machine("not confirmed: nothing was sent")),
    }
}

/// Whether the plan that was shown is still the plan: what was consented to is what is sent.
///
/// # Errors
/// [`Failure::Moved`] with the addresses whose steps would be others now.
fn unmoved(shown: &Plan, now: &Plan) -> Result<(), Failure> {
    // What the workspace does by itself (a warehouse that starts) is in `live` and changes no step.
    let sent = |s: &Step| (s.action, s.changes.clone(), s.calls.clone(), s.delete_calls.clone(), s.blocks.clone());
    let of = |plan: &Plan| plan.steps.iter().map(|s| (s.address.to_string(), sent(s))).collect::<BTreeMap<_, _>>();
    let (before, after) = (of(shown), of(now));
    let addresses: BTreeSet<String> = before.keys().chain(after.keys()).filter(|a| before.get(*a) != after.get(*a)).cloned().collect();
    if addresses.is_empty() && shown.blocks == now.blocks {
        return Ok(());
    }
    Err(Failure::Moved { addresses: addresses.into_iter().collect() })
}

/// Plans, shows the plan, asks, looks again if somebody took their time, and carries it out.
///
/// # Errors
/// Whatever stops it before anything is sent.
pub async fn through(
    run: &Run<'_>,
    session: &Session,
    options: &Options,
    showing: &Showing,
    asked: &Consent<'_>,
    again: &str,
) -> Result<Exit, Failure> {
    let online = session.online(run).await?;
    let document = session.state()?;
    let (plan, millis) = session.plan(run, &online, &document, options).await?;
    if run.screen.format == Format::Text || plan.is_empty() || plan.is_blocked() {
        planning::show(run, &plan, &planning::look(run, showing, millis));
    }
    if plan.is_blocked() {
        return Ok(Exit::Guarded);
    }
    if plan.is_empty() {
        return Ok(Exit::Done);
    }
    super::secrets::ready(run, &plan)?;
    if consent(run, asked)? == Consented::Asked {
        unmoved(&plan, &session.plan(run, &online, &document, options).await?.0)?;
    }
    out(run, session, &online, &plan, document, again).await
}

/// Carries the plan out and reports. `again`: the command that does what is left.
pub async fn out(
    run: &Run<'_>,
    session: &Session,
    online: &Online,
    plan: &Plan,
    document: crate::state::Document,
    again: &str,
) -> Result<Exit, Failure> {
    let steps = plan.steps.iter().filter(|s| s.action != Action::None).count();
    let progress = Progress::new(run.screen, steps);
    run.screen.note(&format!(
        "{} {} to {} as {}. Ctrl-C finishes what is in flight.",
        if plan.destroy { "Destroying:" } else { "Applying" },
        crate::report::text::plural(steps as u64, "step", "steps"),
        plan.environment,
        online.connection.caller
    ));
    let stop = Arc::new(AtomicU8::new(0));
    let events = |event: &Event| progress.event(event);
    let applying = apply::apply(
        plan,
        apply::Session {
            client: &online.connection.client,
            store: &session.store,
            state: document,
            registry: &session.registry,
            outside: run.outside,
            parallelism: connect::parallelism(run),
            caller: online.connection.caller.clone(),
            commit: commit(run, &session.project),
            stop: Arc::clone(&stop),
            events: &events,
        },
    );
    let told = |level: u8| {
        run.screen.raw(if level < 2 {
            "\nStopping: what is in flight is finished and saved. Ctrl-C again stops now.\n"
        } else {
            "\nStopping now.\n"
        });
    };
    let report = tokio::select! {
        report = applying => report,
        never = signals::raise(stop, told) => match never {},
    };
    progress.end();
    let report = report?;
    match run.screen.format {
        Format::Json => run.screen.result(&json::result(plan, &report, plan.destroy)),
        Format::Text => run.screen.result(&result(
            plan,
            &report,
            &ResultLook {
                colour: run.screen.out_colour,
                width: run.screen.width,
                successes: !progress.lists(),
                times: run.screen.out_terminal,
                again,
                destroy: plan.destroy,
            },
        )),
    }
    Ok(exit(&report))
}

fn exit(report: &apply::Report) -> Exit {
    match ending(report) {
        Ending::Done => Exit::Done,
        Ending::Nothing => Exit::Failed,
        Ending::Partial => Exit::Partial,
        Ending::Interrupted => Exit::Interrupted,
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
        let mut moved = shown.clone();
        let gone = moved.steps.remove(0);
        let failure = unmoved(&shown, &moved).expect_err("a step is gone");
        assert!(matches!(&failure, Failure::Moved { addresses } if *addresses == [gone.address.to_string()]));
        assert_eq!(failure.exit(), Exit::Stale);
    }
}
