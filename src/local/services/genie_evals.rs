//! Runs of a Genie space's benchmarks. There is no model here: a question is answered by the space's example with the same
//! words, or not at all; what a read shows follows from the time.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, Rival, genie, habit, paging};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/genie/spaces"],
    &[
        (Catalogue("dashboards.genie.genie_create_eval_run"), create),
        (Catalogue("dashboards.genie.genie_get_eval_run"), get),
        (Catalogue("dashboards.genie.genie_list_eval_runs"), list),
        (Catalogue("dashboards.genie.genie_list_eval_results"), results),
        (Catalogue("dashboards.genie.genie_get_eval_result_details"), details),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("genie", "runs a space's benchmarks one after the other: NOT_STARTED, RUNNING, DONE", Evidence::Sdk),
    habit(
        "genie",
        "has no model: a benchmark is GOOD where an example asks the same and has the same SQL, NEEDS_REVIEW with other SQL or without an \
         expected answer, BAD (EMPTY_RESULT) without such an example",
        Evidence::Unverified,
    ),
    habit(
        "genie",
        "for tests: an evaluation_note \"local: BAD LLM_JUDGE_WRONG_FILTER\" gives that verdict and those reasons, \"local: \
         EVALUATION_TIMEOUT\" ends the run in that state, known or not, before its last answer, with \" ALL\" behind it after that",
        Evidence::Unverified,
    ),
    habit("genie", "refuses to run a space without benchmarks, and ids of questions that it does not have", Evidence::Unverified),
];

/// Where runs are kept, by id.
const RUNS: &str = "genie_eval_runs";

fn list_at<'a>(map: &'a Map, path: [&str; 2]) -> &'a [Value] {
    map.get(path[0]).and_then(|value| value.get(path[1])).and_then(Value::as_list).unwrap_or_default()
}

/// A list of fragments as one text.
fn joined(of: &Value, name: &str) -> String {
    match of.get(name) {
        Some(Value::List(parts)) => parts.iter().map(Value::key_text).collect(),
        Some(other) => other.key_text(),
        None => String::new(),
    }
}

/// Words alone, in lower case: how two questions or statements are compared.
fn plain(text: &str) -> String {
    text.trim().trim_end_matches([';', '?']).split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

fn id_of(of: &Value) -> String {
    joined(of, "id")
}

/// What is expected of a benchmark.
fn expected(benchmark: &Value) -> String {
    let answers = benchmark.get("answer").and_then(Value::as_list).unwrap_or_default();
    answers.first().map(|answer| joined(answer, "content")).unwrap_or_default()
}

/// What the note of a benchmark asks for: a word of the API, and reasons.
fn told(benchmark: &Value) -> Option<(String, Vec<String>)> {
    let note = joined(benchmark, "evaluation_note");
    let mut words = note.trim().strip_prefix("local:")?.split_whitespace().map(str::to_owned);
    Some((words.next()?, words.collect()))
}

/// The verdict on one benchmark, as the run keeps it.
fn judged(space: &Map, benchmark: &Value) -> Map {
    let (question, expected) = (joined(benchmark, "question"), expected(benchmark));
    let export = space.get("serialized_space").and_then(Value::as_map).cloned().unwrap_or_default();
    let asks_the_same = |example: &&Value| plain(&joined(example, "question")) == plain(&question);
    let found = list_at(&export, ["instructions", "example_question_sqls"]).iter().find(asks_the_same).map(|e| joined(e, "sql"));
    let (mut verdict, mut reasons) = match &found {
        None => ("BAD".to_owned(), vec!["EMPTY_RESULT".to_owned()]),
        Some(sql) if !expected.is_empty() && plain(sql) == plain(&expected) => ("GOOD".to_owned(), vec![]),
        Some(_) => ("NEEDS_REVIEW".to_owned(), vec![]),
    };
    if let Some((word, why)) = told(benchmark).filter(|(word, _)| ["GOOD", "BAD", "NEEDS_REVIEW"].contains(&word.as_str())) {
        (verdict, reasons) = (word, why);
    }
    let texts = |texts: Vec<String>| Value::List(texts.into_iter().map(Value::Text).collect());
    let responses = |sql: &str| {
        let response = Value::map([("response", Value::text(sql)), ("response_type", Value::text("SQL"))]);
        Value::List(if sql.is_empty() { vec![] } else { vec![response] })
    };
    let mut one = Map::new();
    one.insert("benchmark_question_id".to_owned(), Value::Text(id_of(benchmark)));
    one.insert("question".to_owned(), Value::Text(question));
    one.insert("benchmark_answer".to_owned(), Value::text(&expected));
    one.insert("expected_response".to_owned(), responses(&expected));
    one.insert("actual_response".to_owned(), responses(&found.unwrap_or_default()));
    one.insert("assessment".to_owned(), Value::Text(verdict));
    one.insert("assessment_reasons".to_owned(), texts(reasons));
    one.insert("manual_assessment".to_owned(), Value::Bool(false));
    one
}

/// The benchmarks that a request means.
fn chosen(exchange: &Exchange<'_, '_>, space: &Map) -> Result<Vec<Value>, Refusal> {
    let export = space.get("serialized_space").and_then(Value::as_map).cloned().unwrap_or_default();
    let all = list_at(&export, ["benchmarks", "questions"]).to_vec();
    let asked = exchange.body.get("benchmark_question_ids").and_then(Value::as_list).unwrap_or_default();
    let asked: Vec<String> = asked.iter().map(Value::key_text).collect();
    let id = exchange.parameter("space_id");
    if let Some(unknown) = asked.iter().find(|id| !all.iter().any(|benchmark| id_of(benchmark) == **id)) {
        return Err(Refusal::invalid(format!("Benchmark question {unknown} does not exist in space {id}.")));
    }
    if all.is_empty() {
        return Err(Refusal::invalid(format!("Space {id} has no benchmark questions to evaluate.")));
    }
    Ok(all.into_iter().filter(|benchmark| asked.is_empty() || asked.contains(&id_of(benchmark))).collect())
}

/// The space that is meant; where a workspace has no runs of benchmarks, their paths are not there.
fn space(exchange: &Exchange<'_, '_>) -> Result<Map, Refusal> {
    if exchange.rival(Rival::GenieNoEvalRuns) {
        let message = format!("No API found for '/genie/spaces/{}/eval-runs'", exchange.parameter("space_id"));
        return Err(Refusal::new(404, "ENDPOINT_NOT_FOUND", message));
    }
    genie::served(exchange)?;
    genie::stored(exchange, &exchange.parameter("space_id"))
}

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    let space = space(exchange)?;
    let benchmarks = chosen(exchange, &space)?;
    let broken = benchmarks.iter().filter_map(told).find(|(word, _)| word.starts_with("EVALUATION_"));
    let id = exchange.hex_id(RUNS, 32);
    let mut answers = Vec::new();
    for benchmark in &benchmarks {
        let mut answer = judged(&space, benchmark);
        answer.insert("result_id".to_owned(), Value::Text(exchange.hex_id("genie_eval_results", 32)));
        answers.push(Value::Map(answer));
    }
    let mut run = Map::new();
    run.insert("eval_run_id".to_owned(), Value::text(&id));
    run.insert("$space".to_owned(), Value::Text(exchange.parameter("space_id")));
    run.insert("$start".to_owned(), Value::Int(exchange.now));
    run.insert("$step".to_owned(), Value::Int(exchange.setting.settle_ms));
    run.insert("$serial".to_owned(), Value::from(exchange.objects.next("genie_eval_serials")));
    run.insert("$answers".to_owned(), Value::List(answers));
    if let Some((word, how)) = broken {
        run.insert("$broken".to_owned(), Value::Text(word));
        run.insert("$whole".to_owned(), Value::Bool(how.iter().any(|word| word == "ALL")));
    }
    let reply = shown(&run, exchange.now);
    exchange.objects.put(RUNS, &id, Value::Map(run));
    Ok(Answer::ok(reply))
}

fn number(run: &Map, name: &str) -> i64 {
    run.get(name).and_then(Value::as_i64).unwrap_or(0)
}

fn answers(run: &Map) -> &[Value] {
    run.get("$answers").and_then(Value::as_list).unwrap_or_default()
}

/// How many questions are answered by now: the first takes two steps, each further one a step.
fn done(run: &Map, now: i64) -> usize {
    let (passed, step) = (now - number(run, "$start"), number(run, "$step"));
    let all = answers(run).len();
    // A run that breaks off does so at its last question.
    let whole = !run.contains_key("$broken") || run.get("$whole") == Some(&Value::Bool(true));
    let most = if whole { all } else { all - 1 };
    if step <= 0 { most } else { usize::try_from(passed / step - 1).unwrap_or(0).min(most) }
}

fn has_ended(run: &Map, now: i64) -> bool {
    let questions = i64::try_from(answers(run).len()).unwrap_or(i64::MAX - 1);
    now - number(run, "$start") >= number(run, "$step") * (questions + 1)
}

fn state(run: &Map, now: i64) -> String {
    if has_ended(run, now) {
        return run.get("$broken").map_or_else(|| "DONE".to_owned(), Value::key_text);
    }
    if now - number(run, "$start") < number(run, "$step") { "NOT_STARTED".to_owned() } else { "RUNNING".to_owned() }
}

/// A run as it is at a time.
fn shown(run: &Map, now: i64) -> Map {
    let done = &answers(run)[..done(run, now)];
    let of = |verdict: &str| done.iter().filter(|a| joined(a, "assessment") == verdict).count();
    let updated = number(run, "$start") + number(run, "$step") * i64::try_from(done.len()).unwrap_or(0);
    let count = |n: usize| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let members = [
        ("eval_run_id", run.get("eval_run_id").cloned().unwrap_or(Value::Null)),
        ("eval_run_status", Value::Text(state(run, now))),
        ("created_timestamp", Value::Int(number(run, "$start"))),
        ("last_updated_timestamp", Value::Int(updated)),
        ("num_questions", count(answers(run).len())),
        ("num_done", count(done.len())),
        ("num_correct", count(of("GOOD"))),
        ("num_needs_review", count(of("NEEDS_REVIEW"))),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The run that a path names, of the space that it names.
fn stored(exchange: &Exchange<'_, '_>) -> Result<Map, Refusal> {
    space(exchange)?;
    let (space, id) = (exchange.parameter("space_id"), exchange.parameter("eval_run_id"));
    let found = exchange.objects.get(RUNS, &id).and_then(|run| run.as_map().cloned());
    let found = found.filter(|run| run.get("$space").and_then(Value::as_str) == Some(&space));
    found.ok_or_else(|| Refusal::absent(format!("Eval run {id} does not exist in space {space}.")))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    Ok(Answer::ok(shown(&stored(exchange)?, exchange.now)))
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    space(exchange)?;
    let id = exchange.parameter("space_id");
    let ours = exchange.objects.all(RUNS).filter_map(|(_, run)| run.as_map().cloned());
    let mut runs: Vec<Map> = ours.filter(|run| run.get("$space").and_then(Value::as_str) == Some(&id)).collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.get("$serial").and_then(Value::as_i64)));
    let size = paging::size(exchange, "page_size", 20, 100)?;
    let page = paging::page(runs, size, exchange.asked("page_token"))?;
    Ok(Answer::ok(paging::reply("eval_runs", page.shown(|run| Value::Map(shown(&run, exchange.now))))))
}

/// Members of an answer, with where it belongs and how far it is.
fn answer(exchange: &Exchange<'_, '_>, run: &Map, at: usize, members: &[&str], status: &str) -> Value {
    let kept = &answers(run)[at];
    let mut shown: Map = members.iter().filter_map(|name| Some(((*name).to_owned(), kept.get(name)?.clone()))).collect();
    shown.insert("space_id".to_owned(), Value::Text(exchange.parameter("space_id")));
    let word = match state(run, exchange.now) {
        _ if at < done(run, exchange.now) => "DONE".to_owned(),
        running if running == "RUNNING" && at > done(run, exchange.now) => "NOT_STARTED".to_owned(),
        other => other,
    };
    shown.insert(status.to_owned(), Value::Text(word));
    Value::Map(shown)
}

fn results(exchange: &mut Exchange<'_, '_>) -> Handled {
    let run = stored(exchange)?;
    let size = paging::size(exchange, "page_size", 20, 100)?;
    let page = paging::page((0..answers(&run).len()).collect(), size, exchange.asked("page_token"))?;
    let members = ["result_id", "benchmark_question_id", "question", "benchmark_answer"];
    Ok(Answer::ok(paging::reply("eval_results", page.shown(|at| answer(exchange, &run, at, &members, "status")))))
}

fn details(exchange: &mut Exchange<'_, '_>) -> Handled {
    let run = stored(exchange)?;
    let id = exchange.parameter("result_id");
    let Some(at) = answers(&run).iter().position(|kept| joined(kept, "result_id") == id) else {
        return Err(Refusal::absent(format!("Eval result {id} does not exist in eval run {}.", exchange.parameter("eval_run_id"))));
    };
    let early = ["result_id", "benchmark_question_id", "expected_response"];
    let late = [&early[..], &["actual_response", "assessment", "assessment_reasons", "manual_assessment"]].concat();
    let members = if at < done(&run, exchange.now) { &late[..] } else { &early[..] };
    Ok(Answer::ok(answer(exchange, &run, at, members, "eval_run_status")))
}
