//! A run of a job: its progress, its end, what failed in it.

use std::collections::BTreeMap;

use crate::model::{Address, Value};

/// The format of the JSON; changes only when a reader of the old one would be misled.
pub const FORMAT: &str = "brickform.job-run/1";

/// A run that was started; ended where it was waited for.
pub struct Report<'a> {
    /// The job's address.
    pub address: &'a Address,
    /// The job's id.
    pub job_id: &'a str,
    /// The run's id.
    pub run_id: &'a str,
    /// Its page.
    pub link: Option<&'a str>,
    /// The last reply, of a run that has ended.
    pub ended: Option<&'a Value>,
    /// What failed tasks say of themselves, by task key.
    pub outputs: &'a BTreeMap<String, String>,
}

impl Report<'_> {
    /// Whether it ended well; also where it was not waited for.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.ended.is_none_or(|run| matches!(state(run).as_str(), "SUCCESS" | "SUCCESS_WITH_FAILURES"))
    }
}

fn word(of: &Value, name: &str) -> String {
    of.get("state").and_then(|s| s.get(name)).map(Value::key_text).unwrap_or_default()
}

/// The result of a run or task, or where it is in its life.
fn state(of: &Value) -> String {
    let result = word(of, "result_state");
    if result.is_empty() { word(of, "life_cycle_state") } else { result }
}

fn tasks(run: &Value) -> &[Value] {
    run.get("tasks").and_then(Value::as_list).unwrap_or_default()
}

fn key(task: &Value) -> String {
    task.get("task_key").map(Value::key_text).unwrap_or_default()
}

/// Whether the run is in a state that it does not leave.
#[must_use]
pub fn has_ended(run: &Value) -> bool {
    matches!(word(run, "life_cycle_state").as_str(), "TERMINATED" | "SKIPPED" | "INTERNAL_ERROR")
}

fn is_bad(state: &str) -> bool {
    matches!(state, "FAILED" | "TIMEDOUT" | "CANCELED" | "MAXIMUM_CONCURRENT_RUNS_REACHED" | "UPSTREAM_FAILED" | "UPSTREAM_CANCELED")
        || state == "INTERNAL_ERROR"
}

/// Tasks that failed by themselves (not because of another one), with the ids of their runs.
#[must_use]
pub fn failed_tasks(run: &Value) -> Vec<(String, String)> {
    let own = |task: &&Value| matches!(state(task).as_str(), "FAILED" | "TIMEDOUT" | "INTERNAL_ERROR");
    tasks(run).iter().filter(own).map(|task| (key(task), task.get("run_id").map(Value::key_text).unwrap_or_default())).collect()
}

/// Lines about what has changed since the last look. `seen`: states by task key, the run's own under the empty one.
pub fn progress(run: &Value, seen: &mut BTreeMap<String, String>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut all: Vec<(String, &Value)> =
        std::iter::once((String::new(), run)).chain(tasks(run).iter().map(|task| (key(task), task))).collect();
    // As it happened: an end comes before what waited for it.
    all[1..].sort_by_key(|(_, of)| {
        let time = |name: &str| of.get(name).and_then(Value::as_i64).filter(|at| *at > 0);
        let ended = time("end_time");
        (ended.or_else(|| time("start_time")).unwrap_or(i64::MAX), ended.is_none())
    });
    // A run ends when its last task has: its own word is the last.
    if has_ended(run) {
        all.rotate_left(1);
    }
    for (name, of) in all {
        let now = state(of);
        if now.is_empty() || seen.get(&name) == Some(&now) {
            continue;
        }
        // Waiting for others is how every task begins.
        let quiet = matches!(now.as_str(), "BLOCKED" | "PENDING") && !name.is_empty() && !seen.contains_key(&name);
        if !quiet && name.is_empty() {
            lines.push(format!("  the run is {now}"));
        } else if !quiet {
            lines.push(format!("    {name}  {now}"));
        }
        seen.insert(name, now);
    }
    lines
}

/// The line of a run that has just begun.
#[must_use]
pub fn begun(job: &Address, run_id: &str, link: Option<&str>) -> String {
    format!("{job}: run {run_id} has started{}; Ctrl-C stops waiting, not the run", link.map(|l| format!("  {l}")).unwrap_or_default())
}

/// What to know of a run that is no longer waited for.
#[must_use]
pub fn left(job: &Address, run_id: &str, link: Option<&str>) -> String {
    let page = link.map(|l| format!("on its page ({l}), or ")).unwrap_or_default();
    format!("{job}: not waited for any longer; run {run_id} goes on. Cancel it {page}with `databricks jobs cancel-run {run_id}`.")
}

/// The result for people.
#[must_use]
pub fn text(report: &Report<'_>) -> String {
    let Report { address, run_id, link, .. } = report;
    let page = link.map(|l| format!("  {l}\n")).unwrap_or_default();
    let Some(run) = report.ended else { return format!("{address}: run {run_id} has started\n{page}") };
    let millis = |name: &str| run.get(name).and_then(Value::as_i64);
    let took = match (millis("start_time"), millis("end_time")) {
        (Some(start), Some(end)) if end >= start => format!(" after {}.{} s", (end - start) / 1000, (end - start) % 1000 / 100),
        _ => String::new(),
    };
    let result = state(run);
    let mut out = format!("{address}: run {run_id} ended{took}: {result}\n");
    let message = word(run, "state_message");
    if !report.is_good() && !message.is_empty() {
        out.push_str(&format!("  {message}\n"));
    }
    for task in tasks(run).iter().filter(|task| is_bad(&state(task))) {
        out.push_str(&format!("  {}  {}\n", key(task), state(task)));
        let said = report.outputs.get(&key(task)).cloned().unwrap_or_else(|| word(task, "state_message"));
        out.extend(said.lines().map(|line| format!("      {line}\n")));
    }
    out + &page
}

/// The result for programs.
#[must_use]
pub fn json(report: &Report<'_>) -> String {
    let task = |task: &Value| {
        let name = key(task);
        serde_json::json!({
            "task_key": name, "run_id": task.get("run_id").map(Value::key_text), "state": state(task),
            "message": word(task, "state_message"), "error": report.outputs.get(&name),
        })
    };
    let mut out = serde_json::json!({
        "format": FORMAT, "address": report.address, "job_id": report.job_id, "run_id": report.run_id, "link": report.link,
    });
    if let (Some(run), Some(map)) = (report.ended, out.as_object_mut()) {
        map.insert("state".to_owned(), state(run).into());
        map.insert("message".to_owned(), word(run, "state_message").into());
        map.insert("tasks".to_owned(), tasks(run).iter().map(task).collect());
    }
    format!("{out:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::json;

    fn run(life: &str, result: &str, a: &str, b: &str) -> Value {
        let text = format!(
            r#"{{"start_time":1000,"end_time":4250,"state":{{"life_cycle_state":"{life}",{result}"state_message":"it says so"}},
                "tasks":[{{"task_key":"a","run_id":5,"state":{{"life_cycle_state":"TERMINATED","result_state":"{a}"}}}},
                         {{"task_key":"b","run_id":6,"state":{{"life_cycle_state":"{b}","state_message":"upstream"}}}}]}}"#
        );
        json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn lines_for_what_changes() {
        let mut seen = BTreeMap::new();
        assert_eq!(progress(&run("RUNNING", "", "SUCCESS", "BLOCKED"), &mut seen), ["  the run is RUNNING", "    a  SUCCESS"]);
        assert_eq!(progress(&run("RUNNING", "", "SUCCESS", "BLOCKED"), &mut seen), [""; 0]);
        assert_eq!(progress(&run("RUNNING", "", "SUCCESS", "RUNNING"), &mut seen), ["    b  RUNNING"]);
    }

    #[test]
    fn what_ended_stands_before_what_it_let_begin() {
        let text = r#"{"state":{"life_cycle_state":"RUNNING"},"tasks":[
            {"task_key":"b","start_time":20,"state":{"life_cycle_state":"RUNNING"}},
            {"task_key":"c","state":{"life_cycle_state":"BLOCKED"}},
            {"task_key":"a","start_time":10,"end_time":20,"state":{"life_cycle_state":"TERMINATED","result_state":"SUCCESS"}}]}"#;
        let run = json::parse(text.as_bytes()).unwrap();
        assert_eq!(progress(&run, &mut BTreeMap::new()), ["  the run is RUNNING", "    a  SUCCESS", "    b  RUNNING"]);
    }

    #[test]
    fn ends_good_and_bad() {
        let address = "jobs.x".parse().unwrap();
        let outputs = [("a".to_owned(), "boom\nline two".to_owned())].into_iter().collect();
        let bad = run("TERMINATED", r#""result_state":"FAILED","#, "FAILED", "TERMINATED");
        assert_eq!(failed_tasks(&bad), [("a".to_owned(), "5".to_owned())]);
        let report = Report {
            address: &address,
            job_id: "1",
            run_id: "9",
            link: Some("https://h/jobs/1/runs/9"),
            ended: Some(&bad),
            outputs: &outputs,
        };
        assert!(!report.is_good() && has_ended(&bad));
        assert_eq!(
            text(&report),
            "jobs.x: run 9 ended after 3.2 s: FAILED\n  it says so\n  a  FAILED\n      boom\n      line two\n  https://h/jobs/1/runs/9\n"
        );
        let value: serde_json::Value = serde_json::from_str(&json(&report)).unwrap();
        assert_eq!((&value["state"], &value["tasks"][0]["error"]), (&"FAILED".into(), &"boom\nline two".into()));
        let good = run("TERMINATED", r#""result_state":"SUCCESS","#, "SUCCESS", "TERMINATED");
        let report = Report { ended: Some(&good), link: None, ..report };
        assert!(report.is_good());
        assert_eq!(text(&report), "jobs.x: run 9 ended after 3.2 s: SUCCESS\n");
    }
}
