//! Runs of benchmarks for people on a terminal.

use super::{Answer, BenchmarkRun, Report, Review, Score, Space, Standing, Verdict, percent, reason};
use crate::report::style::{Label, Paint, columns, fit, pad, quoted, visible};
use crate::report::text::plural;

/// A line on a run that goes on: how far it is.
#[must_use]
pub fn progress(name: &str, done: usize, of: usize) -> String {
    format!("  {name}  {done} of {of} answered")
}

/// The result: a table a space, its score below it, and all of them in a line. `width`: columns of the screen.
#[must_use]
pub fn text(report: &Report, colour: bool, width: usize) -> String {
    let paint = Paint { colour };
    let mut out = String::new();
    for space in &report.spaces {
        one(report, space, paint, width, &mut out);
        out.push('\n');
    }
    if report.spaces.len() > 1 {
        out.push_str(&format!("{}\n", report.summary()));
    } else {
        out.pop();
    }
    out
}

fn one(report: &Report, space: &Space, paint: Paint, width: usize, out: &mut String) {
    let run = space.run.as_ref();
    let id = run.map(|run| format!("  run {}", flat(&run.id))).unwrap_or_default();
    let when = run.and_then(|run| run.created).and_then(day).map(|day| format!(" of {day}")).unwrap_or_default();
    out.push_str(&format!("{}\n", paint.label(Label::Heading, &format!("{}  {}{id}{when}", flat(space.name()), quoted(&space.title)))));
    if let Some(link) = &space.link {
        out.push_str(&format!("  {}\n", paint.label(Label::Dim, link)));
    }
    if let Some(run) = run.filter(|run| !run.answers.is_empty()) {
        table(run, paint, width, out);
    }
    for note in &space.notes {
        out.push_str(&format!("  note: {}\n", flat(note)));
    }
    out.push_str(&format!("  {}\n", verdict(report, space, paint)));
    for line in compared(report, space) {
        out.push_str(&format!("  {line}\n"));
    }
}

/// A day and time without a zone's name: `2026-01-02 03:04 UTC`.
pub(super) fn day(created: i64) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(created).ok()?;
    Some(at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

const HEADINGS: [&str; 4] = ["QUESTION", "EXPECTED", "GOT", "VERDICT"];

/// A text in one line.
fn flat(text: &str) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

fn cells(answer: &Answer) -> [String; 4] {
    let expected = if answer.expected.is_empty() { "(nothing is expected)".to_owned() } else { flat(&answer.expected) };
    let got = if answer.got.is_empty() { "(no answer)".to_owned() } else { flat(&answer.got) };
    [flat(&answer.question), expected, got, answer.verdict.word().to_owned()]
}

/// Why, in plain words: also who says so, and where a question got stuck.
pub(super) fn why(answer: &Answer) -> Vec<String> {
    let mut why: Vec<String> = answer.reasons.iter().map(|word| flat(&reason(word))).collect();
    if answer.by_hand {
        why.push("said by a person".to_owned());
    }
    if answer.verdict == Verdict::None && !answer.status.is_empty() {
        why.push(flat(&answer.status));
    }
    why
}

fn table(run: &BenchmarkRun, paint: Paint, width: usize, out: &mut String) {
    let rows: Vec<[String; 4]> = run.answers.iter().map(cells).collect();
    let widest = |i: usize| rows.iter().map(|row| columns(&row[i])).chain([columns(HEADINGS[i])]).max().unwrap_or(0);
    let mut wide: [usize; 4] = std::array::from_fn(widest);
    // The first three share what the verdict leaves.
    let mut room = width.saturating_sub(2 + 3 * 2 + wide[3]).max(30);
    let mut order = [0, 1, 2];
    order.sort_by_key(|i| wide[*i]);
    for (taken, i) in order.into_iter().enumerate() {
        wide[i] = wide[i].min(room / (3 - taken));
        room -= wide[i];
    }
    let line = |row: &[String; 4]| {
        let cells: Vec<String> = row.iter().zip(wide).map(|(cell, wide)| pad(&fit(cell, wide), wide)).collect();
        format!("  {}", cells.join("  ").trim_end())
    };
    out.push_str(&format!("{}\n", paint.label(Label::Dim, &line(&HEADINGS.map(str::to_owned)))));
    for (answer, row) in run.answers.iter().zip(&rows) {
        let label = match answer.verdict {
            Verdict::Good => None,
            Verdict::NeedsReview => Some(Label::Change),
            Verdict::Bad | Verdict::None => Some(Label::Bad),
        };
        let text = line(row);
        out.push_str(&format!("{}\n", label.map_or_else(|| text.clone(), |label| paint.label(label, &text))));
        let why = why(answer);
        if !why.is_empty() {
            out.push_str(&format!("      {}\n", why.join("; ")));
        }
    }
}

/// `7 of 10 correct`, and what became of the others.
pub(super) fn counted(run: &BenchmarkRun, review: Review) -> String {
    let count = |verdict: Verdict| run.answers.iter().filter(|answer| answer.verdict == verdict).count();
    let Score { good, of } = super::score(run, review);
    let mut parts = vec![format!("{good} of {of} correct")];
    let open = count(Verdict::NeedsReview);
    if open > 0 {
        let counts = match review {
            Review::Fail => "counted as not correct",
            Review::Pass => "counted as correct",
            Review::Ignore => "left out",
        };
        parts.push(format!("{open} {} review: {counts}", if open == 1 { "needs" } else { "need" }));
    }
    let without = run.questions.saturating_sub(run.answers.len()) + count(Verdict::None);
    if without > 0 {
        parts.push(format!("{without} without a verdict"));
    }
    parts.join(", ")
}

/// The line of a space: its score, and how it stands beside the mark.
pub(super) fn standing(report: &Report, space: &Space) -> String {
    let scored = space.run.as_ref().map(|run| {
        let percent = super::score(run, report.review).percent().map_or_else(|| "no score".to_owned(), percent);
        let (unasked, all) = (space.unasked.len(), space.unasked.len() + run.answers.len());
        let left_out = match (unasked, report.mark) {
            (0, _) => String::new(),
            (_, None) => format!(", {unasked} of {all} were not asked by this run"),
            (_, Some(_)) => format!(", {unasked} of {all} were not asked by this run, which so reaches no mark"),
        };
        format!("{percent} ({}{left_out})", counted(run, report.review))
    });
    let mark = report.mark.map(percent).unwrap_or_default();
    match (report.standing(space), scored) {
        (Standing::Broken, scored) => {
            let so_far = scored.map(|scored| format!("; so far {scored}")).unwrap_or_default();
            format!("no result: {}{so_far}", space.problem.as_deref().unwrap_or_default())
        }
        (Standing::Under, Some(scored)) => format!("{scored}: under the mark of {mark}"),
        (Standing::Reached, Some(scored)) => format!("{scored}: reaches the mark of {mark}"),
        (_, scored) => scored.unwrap_or_default(),
    }
}

fn verdict(report: &Report, space: &Space, paint: Paint) -> String {
    let label = match report.standing(space) {
        Standing::Open => Label::Heading,
        Standing::Reached => Label::Good,
        Standing::Under | Standing::Broken => Label::Bad,
    };
    paint.label(label, &standing(report, space))
}

/// The most questions that are named one by one.
const NAMED: usize = 10;

/// What differs from the earlier run.
pub(super) fn compared(report: &Report, space: &Space) -> Vec<String> {
    let Some(before) = &space.before else { return vec![] };
    let share = |score: Option<Score>| score.and_then(Score::percent).map_or_else(|| "without a score".to_owned(), percent);
    // A share that was counted otherwise says nothing beside this one.
    let other = before.review.filter(|review| *review != report.review);
    let how = other.map(|review| {
        let (then, now) = (review.word(), report.review.word());
        format!(", counted here with `--needs-review {now}`: it was made with `{then}`")
    });
    let (was, is) = (share(before.score(report.review)), share(report.score(space)));
    let mut lines = vec![format!("was {was} ({}{}), is {is}", before.from, how.unwrap_or_default())];
    let moved = space.moved();
    let worse = space.worse();
    if moved.is_empty() {
        lines[0].push_str(": no verdict changed");
    }
    let (new, left_out) = space.differently_asked();
    if !new.is_empty() || !left_out.is_empty() {
        let parts = [(left_out.len(), "only then"), (new.len(), "only now")];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts.map(|(count, when)| format!("{} {when}", plural(count as u64, "question", "questions"))).collect();
        lines.push(format!("  the two were not asked the same, so their scores do not compare: {}", parts.join(", ")));
    }
    for (answer, then) in worse.iter().take(NAMED) {
        lines.push(format!("  worse: {}  {} -> {}", quoted(&flat(&answer.question)), then.word(), answer.verdict.word()));
    }
    if worse.len() > NAMED {
        lines.push(format!("  and {} more got worse", worse.len() - NAMED));
    }
    let better = moved.len() - worse.len();
    if better > 0 {
        lines.push(format!("  {} better", plural(better as u64, "question is", "questions are")));
    }
    lines
}
