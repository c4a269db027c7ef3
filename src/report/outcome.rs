//! What an apply did, as text: lines while it runs, the report at its end.

use super::step::symbol;
use super::style::{Label, Paint, columns, pad};
use super::text::plural;
use crate::apply::{Failure, Half, Outcome, Report, StepResult};
use crate::client::ApiErrorKind;
use crate::plan::{Action, Plan};

/// How the report looks.
#[derive(Debug, Clone, Copy)]
pub struct ResultLook<'a> {
    /// With colour.
    pub colour: bool,
    /// Columns.
    pub width: usize,
    /// Whether successes are listed; not where a line was already written for each.
    pub successes: bool,
    /// Whether times are said (terminals only: the same inputs give the same bytes).
    pub times: bool,
    /// The command that goes on from here.
    pub again: &'a str,
    /// Whether it destroyed.
    pub destroy: bool,
}

/// How many steps of an apply came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Done, by [`WORDS`].
    done: [usize; WORDS.len()],
    all: usize,
    failed: usize,
    halfway: usize,
    skipped: usize,
    interrupted: bool,
    destroy: bool,
}

/// What was done, in words that follow a number.
const WORDS: [(&[Action], &str); 7] = [
    (&[Action::Create], "added"),
    (&[Action::Update], "changed"),
    (&[Action::Replace, Action::ReplaceNewFirst], "replaced"),
    (&[Action::Delete], "deleted"),
    (&[Action::Adopt], "adopted"),
    (&[Action::Move], "moved"),
    (&[Action::Forget], "forgotten"),
];

impl Tally {
    /// Of a report; `destroy`: of a destruction.
    #[must_use]
    pub fn of(report: &Report, destroy: bool) -> Self {
        let count = |holds: &dyn Fn(&StepResult) -> bool| report.results.iter().filter(|r| holds(r)).count();
        Self {
            done: WORDS.map(|(actions, _)| count(&|r| r.outcome == Outcome::Done && actions.contains(&r.action))),
            all: report.results.len(),
            failed: count(&|r| matches!(r.outcome, Outcome::Failed(_))),
            halfway: count(&|r| matches!(r.outcome, Outcome::Halfway { .. })),
            skipped: count(&|r| matches!(r.outcome, Outcome::Skipped { .. })),
            interrupted: report.interrupted,
            destroy,
        }
    }

    /// Whether every step was done.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.left() == 0
    }

    /// Whether nothing was done, nor half of it.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.halfway == 0 && self.left() == self.all
    }

    fn left(&self) -> usize {
        self.failed + self.halfway + self.skipped
    }

    /// `1 added, 2 changed`.
    fn done(&self) -> String {
        let words = WORDS.iter().zip(self.done).filter(|(_, n)| *n > 0).map(|((_, word), n)| format!("{n} {word}"));
        words.collect::<Vec<_>>().join(", ")
    }

    /// `1 failed, 2 skipped`.
    fn bad(&self) -> String {
        let all = [(self.failed, "failed"), (self.halfway, "half done"), (self.skipped, "skipped")];
        all.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect::<Vec<_>>().join(", ")
    }

    /// In a line: `applied in part, 1 of 3 steps failed (2 changed)`.
    #[must_use]
    pub fn words(&self) -> String {
        let verb = if self.destroy { "destroyed" } else { "applied" };
        let done = self.done();
        if self.is_whole() {
            return if done.is_empty() { verb.to_owned() } else { format!("{verb}: {done}") };
        }
        let how = match (self.interrupted, self.is_nothing()) {
            (true, _) => "interrupted".to_owned(),
            (false, true) => format!("not {verb}"),
            (false, false) => format!("{verb} in part"),
        };
        let steps = plural(self.all as u64, "step", "steps");
        let bad = self.bad();
        let (first, rest) = bad.split_once(' ').unwrap_or((&bad, ""));
        let done = if done.is_empty() { String::new() } else { format!(" ({done})") };
        format!("{how}, {first} of {steps} {rest}{done}")
    }
}

/// What an apply came to, as it stands in a report of it.
#[derive(Debug, Clone, Copy)]
pub struct Applied<'a> {
    /// How many steps came to what.
    pub tally: Tally,
    /// What was said at its end.
    pub text: &'a str,
}

/// `0.4 s`, `1 min 5 s`.
#[must_use]
pub fn seconds(millis: u64) -> String {
    if millis < 60_000 {
        return format!("{}.{} s", millis / 1000, millis % 1000 / 100);
    }
    format!("{} min {} s", millis / 60_000, millis / 1000 % 60)
}

/// What happened to a step, in a word.
#[must_use]
pub fn done_word(action: Action) -> &'static str {
    match action {
        Action::None => "left",
        Action::Create => "created",
        Action::Update => "changed",
        Action::Replace | Action::ReplaceNewFirst => "replaced",
        Action::Delete => "deleted",
        Action::Adopt => "adopted",
        Action::Move => "moved",
        Action::Forget => "forgotten",
    }
}

fn mark(outcome: &Outcome, paint: Paint) -> String {
    match outcome {
        Outcome::Done => paint.label(Label::Good, "✓"),
        Outcome::Failed(_) => paint.label(Label::Bad, "✗"),
        Outcome::Skipped { .. } => paint.label(Label::Dim, "–"),
        Outcome::Halfway { .. } => paint.label(Label::Bad, "±"),
    }
}

/// What was done of a replacement, and what was not.
fn half_words(done: Half) -> (&'static str, &'static str) {
    match done {
        Half::Deleted => ("deleted", "not made again"),
        Half::Made => ("made", "the old one is still there"),
    }
}

/// A line for one result, while it runs: `[3/6] ✓ schemas.silver  created  0.4 s`.
#[must_use]
pub fn progress(result: &StepResult, nth: usize, all: usize, paint: Paint) -> String {
    let what = match &result.outcome {
        Outcome::Done => done_word(result.action).to_owned(),
        Outcome::Failed(failure) => {
            let said = message(result, failure);
            if said.contains(" failed: ") { said.to_owned() } else { format!("failed: {said}") }
        }
        Outcome::Skipped { because } => format!("skipped: {because}"),
        Outcome::Halfway { done, because } => {
            let (word, left) = half_words(*done);
            format!("{word}, {left}: {because}")
        }
    };
    format!("[{nth}/{all}] {} {}  {what}  {}", mark(&result.outcome, paint), result.address, seconds(result.millis))
}

/// Up to how many steps that were interrupted are listed.
const FEW: usize = 5;

fn is_interrupted(result: &StepResult) -> bool {
    matches!(&result.outcome, Outcome::Skipped { because } if because == "interrupted")
}

/// The report at the end, with the next command.
#[must_use]
pub fn result(plan: &Plan, report: &Report, look: &ResultLook<'_>) -> String {
    let mut out = String::new();
    let mut shown: Vec<&StepResult> = report.results.iter().filter(|r| look.successes || r.outcome != Outcome::Done).collect();
    // Where it was stopped, the steps that did not begin have one reason, and say nothing one by one.
    let waiting = shown.iter().filter(|r| is_interrupted(r)).count();
    if waiting > FEW {
        shown.retain(|r| !is_interrupted(r));
    }
    // What needs somebody stands last, beside the count.
    shown.sort_by_key(|r| match r.outcome {
        Outcome::Done | Outcome::Skipped { .. } => 0,
        Outcome::Halfway { .. } => 1,
        Outcome::Failed(_) => 2,
    });
    let wide = shown.iter().map(|r| columns(&r.address.to_string())).max().unwrap_or(0).clamp(20, 48);
    for result in &shown {
        line(plan, result, wide, look, &mut out);
    }
    if waiting > FEW {
        let sign = Paint { colour: look.colour }.label(Label::Dim, "–");
        out.push_str(&format!("  {sign} {}  skipped   interrupted before they began\n", pad(&format!("{waiting} more"), wide)));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&summary(report, look));
    out.push_str(&next(report, look));
    out
}

fn line(plan: &Plan, result: &StepResult, wide: usize, look: &ResultLook<'_>, out: &mut String) {
    let paint = Paint { colour: look.colour };
    let name = plan.steps.iter().find(|s| s.address == result.address).map(|s| s.name.as_str()).unwrap_or_default();
    let (word, detail) = match &result.outcome {
        Outcome::Done => (done_word(result.action), if name == result.address.key { "" } else { name }.to_owned()),
        Outcome::Failed(failure) => ("failed", tries(failure)),
        Outcome::Skipped { because } => ("skipped", because.clone()),
        Outcome::Halfway { done, because } => {
            let (word, left) = half_words(*done);
            (word, format!("{left}: {because}"))
        }
    };
    let start = format!("  {} {}  {} ", mark(&result.outcome, paint), pad(&result.address.to_string(), wide), pad(word, 9));
    let mut text = format!("{start}{detail}");
    if look.times && result.outcome == Outcome::Done {
        let (time, width) = (seconds(result.millis), look.width.min(100));
        // A long name gives way to the time; the plan above has all of it.
        let room = width.saturating_sub(columns(&start) + columns(&time) + 2);
        text = format!("{start}{}", if room < 5 { String::new() } else { super::style::fit(&detail, room) });
        text = super::style::spread(&text, &paint.label(Label::Dim, &time), width, 6);
    }
    out.push_str(text.trim_end());
    out.push('\n');
    if let Outcome::Failed(failure) = &result.outcome {
        failed(result, failure, paint, out);
    }
}

/// What went wrong, without the address, which stands before it already.
pub(super) fn message<'a>(result: &StepResult, failure: &'a Failure) -> &'a str {
    let address = result.address.to_string();
    let rest = failure.message.strip_prefix(address.as_str()).unwrap_or(&failure.message);
    rest.strip_prefix(':').map_or(failure.message.as_str(), str::trim_start)
}

fn tries(failure: &Failure) -> String {
    match &failure.error {
        Some(error) if error.tries > 1 => format!("after {} tries", error.tries),
        _ => String::new(),
    }
}

fn failed(result: &StepResult, failure: &Failure, paint: Paint, out: &mut String) {
    for line in message(result, failure).lines() {
        out.push_str(&format!("      {}\n", paint.label(Label::Bad, line)));
    }
    if let Some(error) = &failure.error {
        let answer = error.to_string();
        if !failure.message.contains(error.message.as_str()) {
            out.push_str(&format!("      {answer}\n"));
        }
        let id = error.request_id.as_ref().map(|id| format!("  request id {id}")).unwrap_or_default();
        out.push_str(&format!("      {}\n", paint.label(Label::Dim, &format!("{}{id}", error.request))));
    }
    // The request's id stands beside the request.
    let repeats = |help: &str| failure.error.as_ref().and_then(|e| e.request_id.as_deref()).is_some_and(|id| help.ends_with(id));
    for help in failure.help.iter().filter(|h| !repeats(h)) {
        out.push_str(&format!("      {} {help}\n", paint.label(Label::Dim, "=")));
    }
}

fn summary(report: &Report, look: &ResultLook<'_>) -> String {
    let tally = Tally::of(report, look.destroy);
    let Tally { failed, skipped, halfway, all, .. } = tally;
    let groups: Vec<String> = [tally.done(), tally.bad()].into_iter().filter(|words| !words.is_empty()).collect();
    let stopped = match report.interrupted {
        true if failed + halfway + skipped == 0 => " Interrupted when everything was done.",
        true => " Interrupted.",
        false => "",
    };
    let time = if look.times { format!(" in {}", seconds(report.millis)) } else { String::new() };
    let count = all - failed - halfway - skipped;
    let of = match (count == all, look.destroy) {
        (true, false) => format!("Applied {}", plural(all as u64, "step", "steps")),
        (true, true) => format!("Destroyed in {}", plural(all as u64, "step", "steps")),
        (false, false) => format!("Applied {count} of {all}"),
        (false, true) => format!("Destroyed {count} of {all}"),
    };
    let colon = if groups.is_empty() { String::new() } else { format!(": {}", groups.join("; ")) };
    format!("{of}{time}{colon}.{stopped} The state is saved (serial {}).\n", report.state.serial)
}

/// How an apply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every step was done.
    Done,
    /// No step was done, nor half of one.
    Nothing,
    /// Some steps were done.
    Partial,
    /// It was stopped.
    Interrupted,
    /// The workspace did not take the credentials any more, or there were none; what had been done is recorded.
    Unauthenticated,
}

/// How it ended; being stopped beats the rest.
#[must_use]
pub fn ending(report: &Report) -> Ending {
    let done = report.results.iter().filter(|r| r.outcome == Outcome::Done).count();
    let begun = report.results.iter().any(|r| r.half.is_some() || matches!(r.outcome, Outcome::Halfway { .. }));
    match done {
        _ if report.interrupted => Ending::Interrupted,
        _ if report.results.iter().any(|r| is_unauthenticated(&r.outcome)) => Ending::Unauthenticated,
        n if n == report.results.len() => Ending::Done,
        0 if !begun => Ending::Nothing,
        _ => Ending::Partial,
    }
}

/// Whether a step failed because of who we are.
fn is_unauthenticated(outcome: &Outcome) -> bool {
    let Outcome::Failed(failure) = outcome else { return false };
    failure.error.as_ref().is_some_and(|error| error.kind == ApiErrorKind::Unauthenticated)
}

fn next(report: &Report, look: &ResultLook<'_>) -> String {
    let left = report.results.iter().filter(|r| r.outcome != Outcome::Done).count();
    if left == 0 {
        return String::new();
    }
    let exit = match ending(report) {
        Ending::Done => 0,
        Ending::Nothing => 1,
        Ending::Partial => 3,
        Ending::Interrupted => 130,
        Ending::Unauthenticated => 4,
    };
    format!("Next: {}    (does what is left: {})    exit code {exit}\n", look.again, plural(left as u64, "step", "steps"))
}

/// What is happening to a step right now: `+ schemas.silver`.
#[must_use]
pub fn doing(address: &str, action: Action, paint: Paint) -> String {
    let (sign, label) = symbol(action);
    format!("{} {address}", paint.label(label, sign))
}
