//! Runs of jobs: they go through their tasks in the order of dependencies; nothing is executed.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, habit, jobs, paging, run_course};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.2/jobs/"],
    &[
        (Catalogue("jobs.jobs.run_now"), run_now),
        (Catalogue("jobs.jobs.get_run"), get),
        (Catalogue("jobs.jobs.get_run_output"), output),
        (Catalogue("jobs.jobs.list_runs"), list),
        (Catalogue("jobs.jobs.cancel_run"), cancel),
        (Catalogue("jobs.jobs.delete_run"), delete),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("runs", "runs tasks in the order of their dependencies, by their run_if", Evidence::Docs),
    habit("runs", "the result of a run is that of its last tasks; others that failed make it SUCCESS_WITH_FAILURES", Evidence::Docs),
    habit("runs", "the same idempotency_token gives the run it gave before", Evidence::Sdk),
    habit("runs", "refuses parameters that the job does not declare", Evidence::Unverified),
    habit("runs", "a notebook or file below /missing does not exist: its task fails", Evidence::Unverified),
];

fn absent(id: &str) -> Refusal {
    Refusal::invalid(format!("Run {id} does not exist."))
}

fn started(run: &Map) -> Handled {
    let run_id = run.get("run_id").cloned().unwrap_or(Value::Null);
    Ok(Answer::ok(Value::map([("run_id", run_id.clone()), ("number_in_job", run_id)])))
}

/// The job's parameters with the values of this run.
fn parameters(exchange: &Exchange<'_, '_>, settings: &Map) -> Result<Vec<Value>, Refusal> {
    let declared = settings.get("parameters").and_then(Value::as_list).unwrap_or_default();
    let given = exchange.body.get("job_parameters").and_then(Value::as_map).cloned().unwrap_or_default();
    let is_declared = |name: &str| declared.iter().any(|p| p.get("name").and_then(Value::as_str) == Some(name));
    if let Some(name) = given.keys().find(|name| !is_declared(name)) {
        return Err(Refusal::invalid(format!("Job parameter '{name}' is not defined in the job.")));
    }
    let value = |p: &Value| given.get(&p.get("name").map(Value::key_text).unwrap_or_default()).or_else(|| p.get("default")).cloned();
    let one = |p: &Value| {
        let mut one = p.as_map().cloned().unwrap_or_default();
        one.extend(value(p).map(|v| ("value".to_owned(), v)));
        Value::Map(one)
    };
    Ok(declared.iter().map(one).collect())
}

fn run_now(exchange: &mut Exchange<'_, '_>) -> Handled {
    let job_id = jobs::body_id(exchange);
    let Some(job) = exchange.objects.get("jobs", &job_id) else {
        return Err(Refusal::invalid(format!("Job {job_id} does not exist.")));
    };
    let token = exchange.text("idempotency_token").map(str::to_owned);
    if token.as_ref().is_some_and(|token| token.len() > 64) {
        return Err(Refusal::invalid("idempotency_token must be at most 64 characters long."));
    }
    if let Some(token) = &token
        && let Some((_, run)) = exchange.objects.all("runs").find(|(_, r)| r.get("$token").and_then(Value::as_str) == Some(token))
    {
        return started(run.as_map().unwrap_or(&Map::new()));
    }
    let settings = job.get("settings").and_then(Value::as_map).cloned().unwrap_or_default();
    let parameters = parameters(exchange, &settings)?;
    let n = exchange.objects.next("runs");
    let id = 500_000_000_000_000 + n.wrapping_mul(611_953_000_003) % 399_999_999_999_983;
    let id = i64::try_from(id).expect("fifteen digits fit");
    let (tasks, end, result) = run_course::planned(&settings, id, exchange.now, exchange.setting.settle_ms);
    let host = format!("local-{}.brickform.local", exchange.setting.workspace_id);
    let mut run: Map = [
        ("run_id", Value::Int(id)),
        ("job_id", exchange.body.get("job_id").cloned().unwrap_or(Value::Null)),
        ("number_in_job", Value::Int(id)),
        ("run_name", settings.get("name").cloned().unwrap_or_else(|| "Untitled".into())),
        ("run_page_url", Value::Text(format!("https://{host}/jobs/{job_id}/runs/{id}"))),
        ("run_type", "JOB_RUN".into()),
        ("creator_user_name", Value::text(&exchange.caller.name)),
        ("start_time", Value::Int(exchange.now)),
        ("tasks", Value::List(tasks)),
        ("$end", Value::Int(end)),
        ("$result", result.into()),
        ("$serial", Value::from(n)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect();
    if !parameters.is_empty() {
        run.insert("job_parameters".to_owned(), Value::List(parameters));
    }
    run.extend(token.map(|token| ("$token".to_owned(), Value::Text(token))));
    let reply = started(&run);
    exchange.objects.put("runs", &id.to_string(), Value::Map(run));
    reply
}

fn stored(exchange: &Exchange<'_, '_>, id: &str) -> Result<Map, Refusal> {
    exchange.objects.get("runs", id).and_then(|run| run.as_map().cloned()).ok_or_else(|| absent(id))
}

fn asked(exchange: &Exchange<'_, '_>) -> Result<String, Refusal> {
    Ok(exchange.number("run_id")?.map(|id| id.to_string()).unwrap_or_default())
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    let run = stored(exchange, &asked(exchange)?)?;
    Ok(Answer::ok(run_course::shown(&run, exchange.now)))
}

/// The output of one task's run.
fn output(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = asked(exchange)?;
    let is_it = |task: &Value| task.get("run_id").map(Value::key_text).as_deref() == Some(&id);
    let tasks = |run: &Map| run.get("tasks").and_then(Value::as_list).unwrap_or_default().to_vec();
    let found = exchange.objects.all("runs").find_map(|(_, run)| {
        let run = run_course::shown(run.as_map()?, exchange.now);
        tasks(&run).into_iter().find(is_it)
    });
    let Some(Value::Map(task)) = found else { return Err(absent(&id)) };
    let state = task.get("state").cloned().unwrap_or(Value::Null);
    let message = state.get("state_message").map(Value::key_text).unwrap_or_default();
    let metadata: Map = task.into_iter().filter(|(n, _)| matches!(n.as_str(), "run_id" | "state" | "start_time" | "end_time")).collect();
    let mut reply = Map::new();
    reply.insert("metadata".to_owned(), Value::Map(metadata));
    if state.get("result_state").and_then(Value::as_str) == Some("FAILED") {
        reply.insert("error".to_owned(), Value::Text(message));
    } else {
        reply.insert("notebook_output".to_owned(), Value::Map(Map::new()));
    }
    Ok(Answer::ok(reply))
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let job = exchange.number("job_id")?;
    let (active, completed, expand) = (exchange.flag("active_only"), exchange.flag("completed_only"), exchange.flag("expand_tasks"));
    if active && completed {
        return Err(Refusal::invalid("active_only and completed_only cannot both be true."));
    }
    let size = paging::size(exchange, "limit", 20, 25)?;
    let of_job = |run: &Value| job.is_none() || run.get("job_id").and_then(Value::as_i64) == job;
    let mut runs: Vec<Map> =
        exchange.objects.all("runs").filter(|(_, run)| of_job(run)).filter_map(|(_, run)| run.as_map().cloned()).collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.get("$serial").and_then(Value::as_i64)));
    let mut runs: Vec<Map> = runs.iter().map(|run| run_course::shown(run, exchange.now)).collect();
    runs.retain(|run| (!active || !run.contains_key("end_time")) && (!completed || run.contains_key("end_time")));
    let page = paging::page(runs, size, exchange.asked("page_token"))?.shown(|mut run| {
        if !expand {
            run.shift_remove("tasks");
        }
        Value::Map(run)
    });
    let more = page.next.is_some();
    let mut reply = paging::reply("runs", page);
    reply.insert("has_more".to_owned(), Value::Bool(more));
    Ok(Answer::ok(reply))
}

fn body_id(exchange: &Exchange<'_, '_>) -> String {
    exchange.body.get("run_id").map(Value::key_text).unwrap_or_default()
}

fn cancel(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = body_id(exchange);
    let mut run = stored(exchange, &id)?;
    if !run.contains_key("$cancelled") {
        run.insert("$cancelled".to_owned(), Value::Int(exchange.now));
        exchange.objects.put("runs", &id, Value::Map(run));
    }
    Ok(Answer::empty())
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = body_id(exchange);
    let run = stored(exchange, &id)?;
    if !run_course::shown(&run, exchange.now).contains_key("end_time") {
        return Err(Refusal::new(400, "INVALID_STATE", format!("Run {id} is active: cancel it first.")));
    }
    exchange.objects.remove("runs", &id);
    Ok(Answer::empty())
}
