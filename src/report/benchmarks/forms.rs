//! Runs of benchmarks for programs.

use serde_json::{Value as Json, json as object};

use super::text::{standing, why};
use super::{Answer, FORMAT, Report, Review, Score, Space, Standing, Verdict, reason};
use crate::report::findings::{Finding, Level};
use crate::report::junit::{self, Case};

/// The result for programs.
#[must_use]
pub fn json(report: &Report) -> String {
    let spaces: Vec<Json> = report.spaces.iter().map(|space| space_json(report, space)).collect();
    let passed = match report.mark {
        _ if report.count(Standing::Broken) > 0 => Json::Bool(false),
        None => Json::Null,
        Some(_) => Json::Bool(report.count(Standing::Under) == 0),
    };
    let out = object!({
        "format": FORMAT, "environment": report.environment, "host": report.host, "min_score": report.mark,
        "needs_review": report.review.word(), "passed": passed, "spaces": spaces,
    });
    format!("{out:#}\n")
}

fn score_json(score: Option<Score>) -> Json {
    score.map_or(Json::Null, |score| object!({ "correct": score.good, "of": score.of, "percent": score.percent() }))
}

fn space_json(report: &Report, space: &Space) -> Json {
    let run = space.run.as_ref();
    let time = |at: i64| jiff::Timestamp::from_millisecond(at).ok().map(|at| at.to_string());
    let answers = run.map(|run| run.answers.as_slice()).unwrap_or_default();
    let results: Vec<Json> = answers.iter().map(|answer| answer_json(space, answer)).collect();
    let (only_now, only_before) = space.differently_asked();
    let moved = space.before.as_ref().map(|before| {
        let questions = |worse: bool| -> Vec<&str> {
            let is_worse = |answer: &Answer| space.worse().iter().any(|(other, _)| *other == answer);
            space.moved().into_iter().filter(|(answer, _)| is_worse(answer) == worse).map(|(answer, _)| answer.question.as_str()).collect()
        };
        object!({
            "from": before.from, "needs_review": before.review.map(Review::word), "score": score_json(before.score(report.review)),
            "worse": questions(true), "better": questions(false), "only_now": only_now, "only_before": only_before,
        })
    });
    object!({
        "address": space.address, "space_id": space.id, "title": space.title, "link": space.link, "notes": space.notes,
        "problem": space.problem, "run_id": run.map(|run| &run.id), "status": run.map(|run| &run.status),
        "created": run.and_then(|run| run.created).and_then(time), "questions": run.map_or(0, |run| run.questions),
        "score": score_json(report.score(space)), "reached": match report.standing(space) {
            Standing::Open => Json::Null,
            other => Json::Bool(other == Standing::Reached),
        },
        "before": moved, "unasked": space.unasked, "results": results,
    })
}

fn answer_json(space: &Space, answer: &Answer) -> Json {
    let words: Vec<String> = answer.reasons.iter().map(|word| reason(word)).collect();
    object!({
        "id": answer.id, "question": answer.question, "expected": answer.expected, "got": answer.got,
        "verdict": answer.verdict.code(), "reasons": answer.reasons, "why": words, "by_hand": answer.by_hand, "status": answer.status,
        "before": space.before.as_ref().and_then(|before| before.of(answer)).map(Verdict::code),
    })
}

/// Comma-separated values (RFC 4180): a line for each question.
#[must_use]
pub fn csv(report: &Report) -> String {
    let mut out = String::from("environment,space,space_id,run_id,question_id,question,expected,got,verdict,reasons\n");
    for space in &report.spaces {
        let run = space.run.as_ref().map(|run| run.id.as_str()).unwrap_or_default();
        for answer in space.run.iter().flat_map(|run| &run.answers) {
            let reasons = answer.reasons.join(" ");
            let environment = report.environment.as_deref().unwrap_or_default();
            let cells = [environment, space.name(), &space.id, run, &answer.id, &answer.question];
            let more = [answer.expected.as_str(), &answer.got, answer.verdict.code(), &reasons];
            let line: Vec<String> = cells.into_iter().chain(more).map(cell).collect();
            out.push_str(&format!("{}\n", line.join(",")));
        }
    }
    out
}

/// A cell. One that a spreadsheet would take for a formula begins with an apostrophe: questions are anybody's words.
fn cell(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Test results: a case for the score of each space, and one for each question. A question that was not answered right fails
/// where its space does; in a space that reaches its mark it is shown as skipped, so that a gate that is open stays open.
#[must_use]
pub fn junit(report: &Report) -> String {
    let mut cases = Vec::new();
    for space in &report.spaces {
        let stands = report.standing(space);
        let failed = |rule: &str, message: String, help: Vec<String>| Finding {
            rule: rule.to_owned(),
            level: Level::Error,
            message,
            help,
            address: space.address.clone(),
            span: None,
        };
        let said = standing(report, space);
        let failures = match stands {
            Standing::Open | Standing::Reached => vec![],
            Standing::Under => vec![failed("benchmarks/score", said.clone(), vec![])],
            Standing::Broken => vec![failed("benchmarks/run", said.clone(), vec![])],
        };
        cases.push(Case { group: space.name().to_owned(), name: "score".to_owned(), said, failures, skipped: false });
        for answer in space.run.iter().flat_map(|run| &run.answers) {
            let mut case = Case { group: space.name().to_owned(), name: answer.question.clone(), ..Case::default() };
            let wrong = answer.verdict != Verdict::Good;
            case.said = std::iter::once(answer.verdict.word().to_owned()).chain(why(answer)).collect::<Vec<_>>().join("; ");
            if wrong && stands == Standing::Reached {
                case.skipped = true;
            } else if wrong {
                let help = vec![format!("expected: {}", answer.expected), format!("got: {}", answer.got)];
                case.failures = vec![failed("benchmarks/answer", case.said.clone(), help)];
            }
            cases.push(case);
        }
    }
    let suite = format!("genie bench {}", report.environment.as_deref().unwrap_or(&report.host));
    junit::junit(suite.trim_end(), &cases, "")
}
