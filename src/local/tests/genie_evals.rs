use super::Bench;

const SPACES: &str = "/api/2.0/genie/spaces";

fn id(n: u8) -> String {
    format!("{n:032x}")
}

/// A space with these benchmarks (question, note) and two examples; its id.
fn space(bench: &Bench, benchmarks: &[(&str, &str)]) -> String {
    let of = |(i, (question, note)): (usize, &(&str, &str))| {
        let id = id(u8::try_from(i).unwrap() + 16);
        format!(
            r#"{{"id":"{id}","question":["{question}"],"answer":[{{"format":"SQL","content":["SELECT 1\n","FROM t"]}}],"evaluation_note":["{note}"]}}"#
        )
    };
    let all: Vec<String> = benchmarks.iter().enumerate().map(of).collect();
    let (one, two) = (id(1), id(2));
    let export = format!(
        r#"{{"version":2,"instructions":{{"example_question_sqls":[{{"id":"{one}","question":["How  many?"],"sql":["select 1 from t;"]}},
            {{"id":"{two}","question":["How old?"],"sql":["SELECT 2"]}}]}},"benchmarks":{{"questions":[{}]}}}}"#,
        all.join(",")
    );
    let body = serde_json::json!({ "title": "t", "warehouse_id": "w", "serialized_space": export }).to_string();
    bench.good(&format!("POST {SPACES}"), &body).text("space_id")
}

#[test]
fn a_run_takes_its_time_and_judges_by_the_examples() {
    let bench = Bench::new();
    let space = space(
        &bench,
        &[("how many?", ""), ("How old?", ""), ("Why?", ""), ("Who?", "local: GOOD"), ("Where?", "local: BAD EMPTY_GOOD_SQL")],
    );
    let runs = format!("{SPACES}/{space}/eval-runs");
    let begun = bench.good(&format!("POST {runs}"), "{}");
    assert_eq!(
        (begun.at("eval_run_status"), begun.at("num_questions"), begun.at("num_done")),
        ("\"NOT_STARTED\"".into(), "5".into(), "0".into())
    );
    let run = format!("{runs}/{}", begun.text("eval_run_id"));
    let standing = || {
        let run = bench.good(&format!("GET {run}"), "");
        (run.text("eval_run_status"), run.text("num_done"), run.text("num_correct"), run.text("num_needs_review"))
    };
    let want =
        |status: &str, done: &str, correct: &str, review: &str| (status.to_owned(), done.to_owned(), correct.to_owned(), review.to_owned());
    bench.clock.pass(150);
    assert_eq!(standing(), want("RUNNING", "0", "0", "0"));
    // Whoever looks early sees who is not there yet.
    let rows = bench.good(&format!("GET {run}/results?page_size=2"), "");
    assert_eq!((rows.text("eval_results[0].status"), rows.text("next_page_token")), ("RUNNING".to_owned(), "p2".to_owned()));
    let early = bench.good(&format!("GET {run}/results/{}", rows.text("eval_results[1].result_id")), "");
    assert_eq!((early.at("assessment"), early.text("eval_run_status")), ("-".to_owned(), "NOT_STARTED".to_owned()));
    bench.clock.pass(300);
    assert_eq!(standing(), want("RUNNING", "2", "1", "1"));
    bench.clock.pass(450);
    assert_eq!(standing(), want("DONE", "5", "2", "1"));
    let rows = bench.good(&format!("GET {run}/results"), "");
    let verdict = |i: usize| {
        let details = bench.good(&format!("GET {run}/results/{}", rows.text(&format!("eval_results[{i}].result_id"))), "");
        assert_eq!(details.text("expected_response[0].response"), "SELECT 1\nFROM t");
        format!("{} {} {}", details.text("assessment"), details.at("assessment_reasons"), details.at("actual_response[0].response"))
    };
    let got: Vec<String> = (0..5).map(verdict).collect();
    let want = [
        "GOOD [] \"select 1 from t;\"",
        "NEEDS_REVIEW [] \"SELECT 2\"",
        "BAD [\"EMPTY_RESULT\"] -",
        "GOOD [] -",
        "BAD [\"EMPTY_GOOD_SQL\"] -",
    ];
    assert_eq!(got, want);
}

#[test]
fn some_questions_a_run_that_breaks_off_and_the_newest_first() {
    let bench = Bench::new();
    let space = space(&bench, &[("how many?", ""), ("Why?", "local: EVALUATION_TIMEOUT")]);
    let runs = format!("{SPACES}/{space}/eval-runs");
    let some = bench.good(&format!("POST {runs}"), &format!(r#"{{"benchmark_question_ids":["{}"]}}"#, id(16)));
    assert_eq!(some.at("num_questions"), "1");
    bench.clock.pass(10_000);
    let all = bench.good(&format!("POST {runs}"), "{}").text("eval_run_id");
    bench.clock.pass(10_000);
    let listed = bench.good(&format!("GET {runs}?page_size=1"), "");
    assert_eq!(
        (listed.text("eval_runs[0].eval_run_id"), listed.text("eval_runs[0].eval_run_status")),
        (all, "EVALUATION_TIMEOUT".to_owned())
    );
    assert_eq!(listed.text("eval_runs[0].num_done"), "1");
    let next = bench.good(&format!("GET {runs}?page_size=1&page_token={}", listed.text("next_page_token")), "");
    assert_eq!((next.text("eval_runs[0].eval_run_status"), next.at("next_page_token")), ("DONE".to_owned(), "-".to_owned()));
}

#[test]
fn what_is_not_there() {
    let bench = Bench::new();
    let empty = space(&bench, &[]);
    let (with, other) = (space(&bench, &[("Why?", "")]), space(&bench, &[("Why?", "")]));
    let run = bench.good(&format!("POST {SPACES}/{with}/eval-runs"), "{}").text("eval_run_id");
    let none = id(99);
    for (line, body, expected) in [
        (format!("POST {SPACES}/{none}/eval-runs"), "{}".to_owned(), "404 RESOURCE_DOES_NOT_EXIST Unable to get space"),
        (format!("GET {SPACES}/{none}/eval-runs"), String::new(), "404 RESOURCE_DOES_NOT_EXIST Unable to get space"),
        (format!("POST {SPACES}/{empty}/eval-runs"), "{}".to_owned(), "400 INVALID_PARAMETER_VALUE Space"),
        (
            format!("POST {SPACES}/{with}/eval-runs"),
            format!(r#"{{"benchmark_question_ids":["{none}"]}}"#),
            "400 INVALID_PARAMETER_VALUE Benchmark question",
        ),
        (format!("GET {SPACES}/{with}/eval-runs/{none}"), String::new(), "404 RESOURCE_DOES_NOT_EXIST Eval run"),
        (format!("GET {SPACES}/{other}/eval-runs/{run}"), String::new(), "404 RESOURCE_DOES_NOT_EXIST Eval run"),
        (format!("GET {SPACES}/{with}/eval-runs/{run}/results/{none}"), String::new(), "404 RESOURCE_DOES_NOT_EXIST Eval result"),
        (
            format!("GET {SPACES}/{with}/eval-runs/{run}/results?page_size=0"),
            String::new(),
            "400 INVALID_PARAMETER_VALUE Invalid page_size",
        ),
    ] {
        bench.refused(&line, &body, expected);
    }
    let bench = Bench::rival("genie-no-eval-runs");
    let with = space(&bench, &[("Why?", "")]);
    bench.refused(&format!("POST {SPACES}/{with}/eval-runs"), "{}", "404 ENDPOINT_NOT_FOUND No API found");
}
