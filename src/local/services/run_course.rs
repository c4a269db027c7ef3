//! The course of a run: when each task starts and ends, and how, settled at the moment the run is started; what a read shows
//! follows from the time. Nothing is executed: a task takes as long as every asynchronous state does, and fails where it
//! names a file below `/missing`.

use crate::model::{Map, Value};

/// Everything of a run that follows from its job: the tasks with their times and results, the end and the result of all.
pub fn planned(settings: &Map, run_id: i64, now: i64, step: i64) -> (Vec<Value>, i64, &'static str) {
    let tasks = settings.get("tasks").and_then(Value::as_list).unwrap_or_default();
    let mut done: Vec<(String, i64, &'static str)> = Vec::new();
    let mut shown: Vec<Option<Value>> = tasks.iter().map(|_| None).collect();
    // Dependencies have no circles: the job was refused else. Each round settles at least one task.
    for _ in tasks {
        for (i, task) in tasks.iter().enumerate().filter(|(_, task)| !done.iter().any(|(key, ..)| *key == key_of(task))).collect::<Vec<_>>()
        {
            let needs: Vec<String> = depends_on(task);
            let before: Vec<_> = done.iter().filter(|(key, ..)| needs.contains(key)).collect();
            if before.len() < needs.len() {
                continue;
            }
            let start = before.iter().map(|(_, end, _)| *end).max().unwrap_or(now);
            let result = result_of(task, &before.iter().map(|(.., result)| *result).collect::<Vec<_>>());
            let end = if matches!(result, "UPSTREAM_FAILED" | "EXCLUDED") { start } else { start + step };
            let id = run_id + 1 + i64::try_from(i).unwrap_or(0);
            shown[i] = Some(task_run(task, id, start, end, result));
            done.push((key_of(task), end, result));
        }
    }
    let end = done.iter().map(|(_, end, _)| *end).max().unwrap_or(now);
    let needed = |key: &str| tasks.iter().any(|task| depends_on(task).iter().any(|needed| needed == key));
    let bad = |result: &str| !matches!(result, "SUCCESS" | "EXCLUDED");
    let leaf_failed = done.iter().any(|(key, _, result)| bad(result) && !needed(key));
    let any_failed = done.iter().any(|(.., result)| bad(result));
    let result = match (leaf_failed, any_failed) {
        (true, _) => "FAILED",
        (false, true) => "SUCCESS_WITH_FAILURES",
        (false, false) => "SUCCESS",
    };
    (shown.into_iter().flatten().collect(), end, result)
}

fn key_of(task: &Value) -> String {
    task.get("task_key").map(Value::key_text).unwrap_or_default()
}

fn depends_on(task: &Value) -> Vec<String> {
    task.get("depends_on").and_then(Value::as_list).unwrap_or_default().iter().map(key_of).collect()
}

/// The file that a task names, if it is one that is not there.
fn missing(task: &Value) -> Option<String> {
    let inner = task.get("for_each_task").and_then(|f| f.get("task")).unwrap_or(task);
    let files = [("notebook_task", "notebook_path"), ("spark_python_task", "python_file")];
    let found = files.iter().find_map(|(kind, member)| inner.get(kind)?.get(member)?.as_str());
    found.filter(|path| path.trim_start_matches("/Workspace").starts_with("/missing/")).map(str::to_owned)
}

fn result_of(task: &Value, before: &[&str]) -> &'static str {
    let good = before.iter().filter(|r| **r == "SUCCESS").count();
    let failed = before.iter().filter(|r| !matches!(**r, "SUCCESS" | "EXCLUDED")).count();
    let runs = match task.get("run_if").and_then(Value::as_str).unwrap_or("ALL_SUCCESS") {
        "ALL_DONE" => true,
        "NONE_FAILED" => failed == 0,
        "AT_LEAST_ONE_SUCCESS" => before.is_empty() || good > 0,
        "AT_LEAST_ONE_FAILED" => failed > 0,
        "ALL_FAILED" => failed == before.len() && !before.is_empty(),
        _ => good == before.len(),
    };
    let on_failure = matches!(task.get("run_if").and_then(Value::as_str), Some("AT_LEAST_ONE_FAILED" | "ALL_FAILED"));
    match (runs, missing(task)) {
        (true, None) => "SUCCESS",
        (true, Some(_)) => "FAILED",
        (false, _) if on_failure => "EXCLUDED",
        (false, _) => "UPSTREAM_FAILED",
    }
}

fn task_run(task: &Value, id: i64, start: i64, end: i64, result: &str) -> Value {
    let copied = ["task_key", "description", "depends_on", "run_if", "notebook_task", "spark_python_task", "existing_cluster_id"];
    let mut run: Map = copied.iter().filter_map(|name| Some(((*name).to_owned(), task.get(name)?.clone()))).collect();
    run.insert("run_id".to_owned(), Value::Int(id));
    run.insert("attempt_number".to_owned(), Value::Int(0));
    run.insert("start_time".to_owned(), Value::Int(start));
    run.insert("$end".to_owned(), Value::Int(end));
    run.insert("$result".to_owned(), result.into());
    if let Some(path) = missing(task).filter(|_| result == "FAILED") {
        run.insert("$error".to_owned(), Value::Text(format!("Unable to access the notebook \"{path}\": it does not exist.")));
    }
    Value::Map(run)
}

fn put_state(map: &mut Map, life: &str, result: Option<&str>, message: &str) {
    let mut state: Map =
        [("life_cycle_state", life), ("state_message", message)].map(|(k, v)| (k.to_owned(), v.into())).into_iter().collect();
    state.extend(result.map(|r| ("result_state".to_owned(), r.into())));
    map.insert("state".to_owned(), Value::Map(state));
}

fn number(map: &Map, name: &str) -> i64 {
    map.get(name).and_then(Value::as_i64).unwrap_or(0)
}

/// A run as it is at a time, without what only the server sees.
pub fn shown(run: &Map, now: i64) -> Map {
    let mut shown = run.clone();
    let cancelled = run.get("$cancelled").and_then(Value::as_i64);
    let at = cancelled.map_or(now, |c| c.min(now));
    if let Some(Value::List(tasks)) = shown.get_mut("tasks") {
        for task in tasks.iter_mut().filter_map(Value::as_map_mut) {
            settle_task(task, at, cancelled.is_some());
        }
    }
    let end = number(run, "$end");
    if at >= end {
        let result = run.get("$result").map(Value::key_text).unwrap_or_default();
        let message = if result == "FAILED" { "A task failed: see its output." } else { "" };
        put_state(&mut shown, "TERMINATED", Some(&result), message);
        shown.insert("end_time".to_owned(), Value::Int(end));
        shown.insert("run_duration".to_owned(), Value::Int(end - number(run, "start_time")));
    } else if cancelled.is_some() {
        put_state(&mut shown, "TERMINATED", Some("CANCELED"), "Run cancelled.");
        shown.insert("end_time".to_owned(), Value::Int(at));
    } else {
        put_state(&mut shown, "RUNNING", None, "");
    }
    shown.retain(|name, _| !name.starts_with('$'));
    shown
}

fn settle_task(task: &mut Map, at: i64, cancelled: bool) {
    let (start, end) = (number(task, "start_time"), number(task, "$end"));
    let result = task.get("$result").map(Value::key_text).unwrap_or_default();
    let error = task.get("$error").map(Value::key_text).unwrap_or_default();
    if at >= end && at >= start {
        match result.as_str() {
            "UPSTREAM_FAILED" => put_state(task, "TERMINATED", Some(&result), "A task that it depends on failed."),
            "EXCLUDED" => put_state(task, "SKIPPED", Some(&result), "Its run_if condition does not hold."),
            _ => put_state(task, "TERMINATED", Some(&result), &error),
        }
        task.insert("end_time".to_owned(), Value::Int(end));
    } else if cancelled {
        put_state(task, "TERMINATED", Some("CANCELED"), "Run cancelled.");
    } else if at >= start {
        put_state(task, "RUNNING", None, "");
    } else {
        put_state(task, "BLOCKED", None, "");
    }
    task.retain(|name, _| !name.starts_with('$'));
}
