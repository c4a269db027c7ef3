//! `brickform show FILE`: a plan in a file, as `plan` showed it. Asks no workspace and needs no project.

use super::events::Events;
use super::planning::{self, Showing, Shown};
use super::{Exit, Failure, Run, saving};
use crate::kinds::Registry;
use crate::plan::COMMIT_GUARDS;
use crate::report::about::About;
use crate::report::answers::shell_word;
use crate::report::text::Look;

/// Whether what is to be shown is a file rather than an address.
pub fn is_file(run: &Run<'_>, what: &str) -> bool {
    let of_kind = what.split_once('.').is_some_and(|(kind, _)| Registry::standard().get(kind).is_some());
    run.outside.path(what).is_file()
        || (!of_kind && (what.contains('/') || std::path::Path::new(what).extension().is_some_and(|end| end.eq_ignore_ascii_case("json"))))
}

/// Shows a plan in a file.
pub fn show(run: &Run<'_>, file: &str, showing: &Showing) -> Result<Exit, Failure> {
    let envelope = saving::read(run, file)?;
    let (from, to) = (saving::seconds(envelope.created), saving::seconds(envelope.expires));
    let past = if run.outside.now() < envelope.expires { "good until" } else { "EXPIRED at" };
    let digest = envelope.saved.digest();
    run.screen.note(&format!("{file}: planned {from}, {past} {to}, digest {}", digest.short()));
    let mut plan = envelope.saved.plan;
    // A branch that is reviewed may be behind: only an apply is blocked by that.
    let (behind, blocks): (Vec<_>, Vec<_>) = envelope.verdicts.into_iter().partition(|verdict| COMMIT_GUARDS.contains(&verdict.guard));
    plan.blocks.extend(blocks);
    plan.warnings.extend(behind);
    let look = planning::look(run, showing, 0);
    // The commands under drift say of project and state what this one says.
    let words: Vec<String> = std::iter::once(format!("brickform show {}", shell_word(file))).chain(look.given.words()).collect();
    let command = words.join(" ");
    let about = About { command: &command, digest: &digest.0, commit: envelope.commit.as_deref(), result: None, ..About::default() };
    let events = Events::new(run, showing.json);
    events.started(&plan.environment, "show");
    let around = planning::Around { held: Some((from, to)), ..planning::Around::default() };
    planning::show(run, showing, &Shown { plan: &plan, look: Look { saved: true, ..look }, about, around })?;
    events.planned(&plan, &digest.0);
    Ok(if plan.is_blocked() { Exit::Guarded } else { Exit::Done })
}
