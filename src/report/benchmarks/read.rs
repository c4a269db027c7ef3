//! From replies of the eval-runs API, and from reports of earlier runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Before, BenchmarkRun, Review, Verdict, word};
use crate::model::Value;

/// Where a run is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It goes on.
    Running,
    /// A word that this release does not know: it may go on, it may have ended.
    Unknown,
    /// It has ended with all its answers.
    Done,
    /// It has ended without them.
    Broken,
}

/// Where a run is. A reply without a word is one that goes on.
#[must_use]
pub fn state(status: &str) -> State {
    match status {
        "DONE" => State::Done,
        "EVALUATION_FAILED" | "EVALUATION_CANCELLED" | "EVALUATION_TIMEOUT" => State::Broken,
        "NOT_STARTED" | "RUNNING" | "" => State::Running,
        _ => State::Unknown,
    }
}

/// When a run was started, in milliseconds since 1970; none where it is not told. The API does not name the unit: what would be
/// before 1973 as milliseconds is taken for seconds.
#[must_use]
pub fn created(run: &Value) -> Option<i64> {
    let at = run.get("created_timestamp").and_then(Value::as_i64).filter(|at| *at > 0)?;
    Some(if at < 100_000_000_000 { at * 1000 } else { at })
}

fn number(of: &Value, name: &str) -> usize {
    of.get(name).and_then(Value::as_i64).and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
}

/// What responses say, one below the other.
fn said(of: &Value, name: &str) -> String {
    let all = of.get(name).and_then(Value::as_list).unwrap_or_default();
    all.iter().map(|one| word(one, "response")).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

/// A run from its reply, the rows of its results, and their details by the result's id. `asked`: questions by their ids, for
/// rows that do not say what was asked.
#[must_use]
pub fn run(reply: &Value, rows: &[Value], details: &BTreeMap<String, Value>, asked: &BTreeMap<String, String>) -> BenchmarkRun {
    let mut answers: Vec<Answer> = rows.iter().map(|row| answer(row, details.get(&word(row, "result_id")), asked)).collect();
    // A benchmark that is told of twice counts once, by the worse of the two.
    answers.sort_by_key(|answer| answer.verdict.rank());
    let mut seen = BTreeSet::new();
    answers.retain(|answer| answer.id.is_empty() || seen.insert(answer.id.clone()));
    answers.sort_by(|a, b| a.question.cmp(&b.question).then_with(|| a.id.cmp(&b.id)));
    BenchmarkRun {
        id: word(reply, "eval_run_id"),
        status: word(reply, "eval_run_status"),
        created: created(reply),
        questions: number(reply, "num_questions").max(answers.len()),
        answers,
    }
}

fn answer(row: &Value, details: Option<&Value>, asked: &BTreeMap<String, String>) -> Answer {
    let nothing = Value::Null;
    let details = details.unwrap_or(&nothing);
    let id = word(row, "benchmark_question_id");
    let either = |first: String, second: String| if first.is_empty() { second } else { first };
    let verdict = match word(details, "assessment").as_str() {
        "GOOD" => Verdict::Good,
        "BAD" => Verdict::Bad,
        "NEEDS_REVIEW" => Verdict::NeedsReview,
        _ => Verdict::None,
    };
    let reasons = details.get("assessment_reasons").and_then(Value::as_list).unwrap_or_default();
    Answer {
        question: either(word(row, "question"), asked.get(&id).cloned().unwrap_or_else(|| id.clone())),
        expected: either(said(details, "expected_response"), word(row, "benchmark_answer")),
        got: said(details, "actual_response"),
        verdict,
        reasons: reasons.iter().map(super::printable).collect(),
        by_hand: details.get("manual_assessment").and_then(Value::as_bool).unwrap_or(false),
        status: either(word(details, "eval_run_status"), word(row, "status")),
        id,
    }
}

/// A space's part of an earlier report; none where it does not tell of the space. `from`: what the report is called.
#[must_use]
pub fn before(report: &Value, address: Option<&str>, id: &str, from: &str) -> Option<Before> {
    let spaces = report.get("spaces").and_then(Value::as_list).unwrap_or_default();
    let by = |name: &str, value: &str| spaces.iter().find(|space| word(space, name) == value);
    let space = address.and_then(|address| by("address", address)).or_else(|| by("space_id", id))?;
    let results = space.get("results").and_then(Value::as_list).unwrap_or_default();
    let verdicts = results.iter().map(|one| (word(one, "id"), word(one, "question"), Verdict::of_code(&word(one, "verdict"))));
    Some(Before {
        from: from.to_owned(),
        questions: number(space, "questions"),
        review: Review::of_word(&word(report, "needs_review")),
        verdicts: verdicts.collect(),
    })
}
