use std::collections::BTreeMap;

use super::*;
use crate::catalogue::{self, TypeDef};
use crate::model::json as model_json;

fn value(text: &str) -> Value {
    model_json::parse(text.as_bytes()).unwrap()
}

fn answer(question: &str, verdict: Verdict, reasons: &[&str]) -> Answer {
    Answer {
        id: format!("id of {question}"),
        question: question.to_owned(),
        expected: "SELECT 1".to_owned(),
        got: if verdict == Verdict::None { String::new() } else { "SELECT\n  2".to_owned() },
        verdict,
        reasons: reasons.iter().map(|r| (*r).to_owned()).collect(),
        by_hand: false,
        status: if verdict == Verdict::None { "EVALUATION_TIMEOUT".to_owned() } else { "DONE".to_owned() },
    }
}

fn run_of(verdicts: &[Verdict], questions: usize) -> BenchmarkRun {
    let answers = verdicts.iter().enumerate().map(|(i, verdict)| answer(&format!("q{i}"), *verdict, &[])).collect();
    BenchmarkRun { id: "r1".to_owned(), status: "DONE".to_owned(), created: Some(1_700_000_000_000), questions, answers }
}

fn space(run: Option<BenchmarkRun>) -> Space {
    Space {
        address: Some("spaces.sales".to_owned()),
        id: "01ab".to_owned(),
        title: "Sales".to_owned(),
        link: Some("https://x.net/genie/rooms/01ab".to_owned()),
        notes: vec![],
        run,
        unasked: vec![],
        before: None,
        problem: None,
    }
}

fn report(spaces: Vec<Space>, mark: Option<f64>, review: Review) -> Report {
    Report { environment: Some("staging".to_owned()), host: "x.net".to_owned(), mark, review, spaces }
}

#[test]
fn every_reason_of_the_api_has_plain_words() {
    let Some(TypeDef::Enum(words)) = catalogue::type_named("dashboards.ScoreReason") else { panic!("it is an enum") };
    assert_eq!(words.len(), REASONS.len());
    for word in words {
        assert!(REASONS.iter().any(|(known, plain)| known == word && !plain.contains('_')), "{word}");
    }
    assert_eq!(reason("LLM_JUDGE_NEW_SORT"), "new sort");
}

#[test]
fn verdicts_and_states_are_those_of_the_api() {
    let words = |name: &str| match catalogue::type_named(name) {
        Some(TypeDef::Enum(words)) => words.clone(),
        _ => panic!("{name} is an enum"),
    };
    let details = |word: &str| {
        run(
            &value("{}"),
            &[value(r#"{"result_id":"a"}"#)],
            &[("a".to_owned(), value(&format!(r#"{{"assessment":"{word}"}}"#)))].into(),
            &BTreeMap::new(),
        )
    };
    for word in words("dashboards.GenieEvalAssessment") {
        assert_ne!(details(&word).answers[0].verdict, Verdict::None, "{word}");
    }
    for word in words("dashboards.EvaluationStatusType") {
        let want = match word.as_str() {
            "DONE" => State::Done,
            "NOT_STARTED" | "RUNNING" => State::Running,
            _ => State::Broken,
        };
        assert_eq!(state(&word), want, "{word}");
    }
}

#[test]
fn what_has_no_verdict_is_not_correct_and_what_needs_review_counts_as_told() {
    use Verdict::{Bad, Good, NeedsReview, None};
    for (verdicts, questions, review, good, of) in [
        (&[Good, Good, Bad][..], 3, Review::Fail, 2, 3),
        (&[Good, NeedsReview], 2, Review::Fail, 1, 2),
        (&[Good, NeedsReview], 2, Review::Pass, 2, 2),
        (&[Good, NeedsReview], 2, Review::Ignore, 1, 1),
        (&[NeedsReview], 1, Review::Ignore, 0, 0),
        // Results that are missing, or without a verdict.
        (&[Good], 4, Review::Fail, 1, 4),
        (&[Good, None], 2, Review::Pass, 1, 2),
        (&[], 0, Review::Fail, 0, 0),
    ] {
        assert_eq!(score(&run_of(verdicts, questions), review), Score { good, of }, "{verdicts:?} {review:?}");
    }
}

#[test]
fn a_mark_is_reached_exactly_and_percent_is_never_rounded_up_to_it() {
    use Verdict::{Bad, Good, NeedsReview};
    let fifth = |good: usize| (0..5).map(|i| if i < good { Good } else { Bad }).collect::<Vec<_>>();
    for (verdicts, mark, want) in [
        (fifth(4), Some(80.0), Standing::Reached),
        (fifth(3), Some(80.0), Standing::Under),
        (fifth(0), Some(0.0), Standing::Reached),
        (fifth(5), None, Standing::Open),
        (vec![Good, Good, Bad], Some(66.67), Standing::Under),
        (vec![Good, Good, Bad], Some(66.6), Standing::Reached),
        (vec![], Some(0.0), Standing::Under),
    ] {
        let report = report(vec![space(Some(run_of(&verdicts, verdicts.len())))], mark, Review::Fail);
        assert_eq!(report.standing(&report.spaces[0]), want, "{verdicts:?} {mark:?}");
    }
    let ignored = report(vec![space(Some(run_of(&[NeedsReview], 1)))], Some(50.0), Review::Ignore);
    assert_eq!(ignored.standing(&ignored.spaces[0]), Standing::Under, "nothing counts");
    for (value, want) in
        [(80.0, "80 %"), (79.99, "79.9 %"), (66.666, "66.6 %"), (100.0, "100 %"), (0.0, "0 %"), (92.5, "92.5 %"), (64.3, "64.3 %")]
    {
        assert_eq!(percent(value), want);
    }
}

#[test]
fn a_run_is_read_from_its_replies() {
    let reply = value(r#"{"eval_run_id":"r","eval_run_status":"DONE","num_questions":3,"created_timestamp":1700000000}"#);
    let rows = [
        value(r#"{"result_id":"b","benchmark_question_id":"2","question":"B?","benchmark_answer":"SELECT 2","status":"DONE"}"#),
        value(r#"{"result_id":"a","benchmark_question_id":"1","status":"EVALUATION_FAILED"}"#),
    ];
    let details = [(
        "b".to_owned(),
        value(
            r#"{"assessment":"BAD","assessment_reasons":["RESULT_MISSING_ROWS"],"manual_assessment":true,"eval_run_status":"DONE",
            "actual_response":[{"response_type":"TEXT","response":"Two"},{"response_type":"SQL","response":"SELECT 3"}]}"#,
        ),
    )];
    let got = run(&reply, &rows, &details.into(), &[("1".to_owned(), "A?".to_owned())].into());
    assert_eq!((got.questions, got.created), (3, Some(1_700_000_000_000)));
    let [first, second] = got.answers.as_slice() else { panic!("two answers") };
    assert_eq!((first.question.as_str(), first.verdict, first.status.as_str()), ("A?", Verdict::None, "EVALUATION_FAILED"));
    assert_eq!((second.expected.as_str(), second.got.as_str(), second.by_hand), ("SELECT 2", "Two\nSELECT 3", true));
}

#[test]
fn an_earlier_report_is_compared_question_by_question() {
    let then = report(vec![space(Some(run_of(&[Verdict::Good, Verdict::Good, Verdict::Bad], 3)))], None, Review::Fail);
    let earlier = value(&json(&then));
    let mut now = space(Some(run_of(&[Verdict::Good, Verdict::NeedsReview, Verdict::Good, Verdict::Bad], 4)));
    now.before = before(&earlier, Some("spaces.sales"), "another id", "main.json");
    let moved: Vec<(&str, Verdict)> = now.worse().into_iter().map(|(answer, then)| (answer.question.as_str(), then)).collect();
    assert_eq!(moved, [("q1", Verdict::Good)]);
    assert_eq!(now.moved().len(), 2, "a question that is new has not moved");
    let text = text(&report(vec![now.clone()], None, Review::Fail), false, 100);
    assert!(text.contains("was 66.6 % (main.json), is 50 %"), "{text}");
    assert!(text.contains("worse: \"q1\"  good -> needs review"), "{text}");
    assert!(before(&earlier, Some("spaces.other"), "none", "x").is_none());
}

#[test]
fn an_earlier_report_is_counted_as_this_one() {
    let then = [Verdict::Good, Verdict::NeedsReview, Verdict::NeedsReview, Verdict::Bad];
    for (made_with, read_with, wanted) in [
        (Review::Ignore, Review::Fail, "was 25 % (main.json, counted here with `--needs-review fail`: it was made with `ignore`), is 50 %"),
        (Review::Fail, Review::Pass, "was 75 % (main.json, counted here with `--needs-review pass`: it was made with `fail`), is 100 %"),
        (Review::Ignore, Review::Ignore, "was 50 % (main.json), is 100 %"),
    ] {
        let earlier = value(&json(&report(vec![space(Some(run_of(&then, 4)))], None, made_with)));
        let mut now = space(Some(run_of(&[Verdict::Good, Verdict::Good, Verdict::NeedsReview, Verdict::NeedsReview], 4)));
        now.before = before(&earlier, Some("spaces.sales"), "another id", "main.json");
        let report = report(vec![now], None, read_with);
        let text = text(&report, false, 200);
        assert!(text.contains(wanted), "{text}");
        let told = value(&json(&report));
        let before = told.get("spaces").and_then(Value::as_list).and_then(|all| all[0].get("before")).expect("what it is compared with");
        assert_eq!(before.get("needs_review").and_then(Value::as_str), Some(made_with.word()));
    }
}

/// Everything that a result can be, in one report.
fn everything() -> Report {
    let mut answers = run_of(&[Verdict::Good], 5);
    answers.answers.push(answer(
        "Which <script> | pipes, and \"quotes\"?",
        Verdict::Bad,
        &["RESULT_MISSING_ROWS", "LLM_JUDGE_WRONG_FILTER"],
    ));
    answers.answers.push(answer("=HYPERLINK(1)", Verdict::NeedsReview, &[]));
    answers.answers.push(answer("Stuck?", Verdict::None, &[]));
    answers.answers[0].by_hand = true;
    let mut first = space(Some(answers));
    first.notes.push("its benchmarks in YAML are not applied yet".to_owned());
    let mut second = space(None);
    second.address = Some("spaces.trips".to_owned());
    second.problem = Some("its benchmarks have never been run".to_owned());
    let mut third = space(Some(run_of(&[Verdict::Good, Verdict::Good, Verdict::Bad], 3)));
    (third.address, third.id) = (None, "02cd".to_owned());
    report(vec![first, second, third], Some(60.0), Review::Fail)
}

#[test]
fn a_result_as_text() {
    insta::assert_snapshot!(text(&everything(), false, 90));
}

#[test]
fn a_result_as_a_comment() {
    insta::assert_snapshot!(markdown(&everything(), "shop"));
}

#[test]
fn a_comment_is_never_too_long() {
    let long = |n: usize| {
        let mut run = run_of(&[], 0);
        run.answers =
            (0..n).map(|i| Answer { got: "x".repeat(500), ..answer(&format!("q{i}"), Verdict::Bad, &["EMPTY_RESULT"]) }).collect();
        run.questions = n;
        markdown(&report(vec![space(Some(run))], None, Review::Fail), "shop")
    };
    for (n, says) in [(20, "<details>"), (400, "SQL is left out"), (5000, "Questions are left out")] {
        let text = long(n);
        assert!(text.len() <= crate::report::markdown::LIMIT && text.contains(says), "{n}: {}", text.len());
    }
}

#[test]
fn test_results_fail_where_the_gate_is_shut_and_only_there() {
    let text = junit(&everything());
    // spaces.sales is under its mark: its score and its three questions fail. The third space reaches it: its one is skipped.
    assert!(text.contains("<testsuites tests=\"10\" failures=\"5\""), "{text}");
    assert_eq!(text.matches("<skipped ").count(), 1, "{text}");
    assert!(text.contains("classname=\"02cd\" name=\"score\""), "{text}");
}

#[test]
fn cells_are_quoted_and_are_no_formulas() {
    let text = csv(&everything());
    assert!(text.contains(",\"Which <script> | pipes, and \"\"quotes\"\"?\","), "{text}");
    assert!(text.contains(",'=HYPERLINK(1),"), "{text}");
    assert_eq!(text.lines().next().unwrap().split(',').count(), 10);
}

#[test]
fn json_says_whether_the_gate_is_open() {
    let passed = |report: &Report| value(&json(report)).get("passed").cloned();
    assert_eq!(passed(&everything()), Some(Value::Bool(false)));
    let good = |mark| report(vec![space(Some(run_of(&[Verdict::Good], 1)))], mark, Review::Fail);
    assert_eq!(passed(&good(Some(100.0))), Some(Value::Bool(true)));
    assert_eq!(passed(&good(None)), Some(Value::Null));
}

#[test]
fn a_run_that_was_not_asked_everything_reaches_no_mark() {
    let all: BTreeMap<String, String> = ["q0", "q1", "q2"].iter().map(|q| (format!("id of {q}"), (*q).to_owned())).collect();
    for (run, want) in [
        (run_of(&[Verdict::Good], 1), vec!["q1", "q2"]),
        (run_of(&[Verdict::Good], 2), vec!["q1", "q2"]),
        (run_of(&[Verdict::Good], 3), vec![]),
        (run_of(&[Verdict::Good, Verdict::Bad, Verdict::None], 3), vec![]),
    ] {
        assert_eq!(run.unasked(&all), want, "{run:?}");
    }
    let run = run_of(&[Verdict::Good], 1);
    let unasked = run.unasked(&all);
    let part = report(vec![Space { unasked, ..space(Some(run)) }], Some(80.0), Review::Fail);
    assert_eq!(part.standing(&part.spaces[0]), Standing::Under);
    assert!(text(&part, false, 100).contains("2 of 3 were not asked by this run"), "{}", text(&part, false, 100));
    assert!(json(&part).contains("\"passed\": false"), "{}", json(&part));
}

#[test]
fn words_of_the_api_make_no_lines_and_no_colours() {
    let mut run = run_of(&[], 1);
    run.answers = vec![answer("q", Verdict::Bad, &["A\n  100 %: reaches the mark\u{1b}[32m"])];
    let page = text(&report(vec![space(Some(run))], None, Review::Fail), false, 100);
    assert!(page.contains("      a 100 %: reaches the mark\\u{1b}[32m\n"), "{page}");
}
