//! Runs of jobs: they are accepted and end at once, successfully; nothing is executed.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{jobs, paging};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.2/jobs/"],
    &[
        (Catalogue("jobs.jobs.run_now"), run_now),
        (Catalogue("jobs.jobs.get_run"), get),
        (Catalogue("jobs.jobs.list_runs"), list),
        (Catalogue("jobs.jobs.delete_run"), delete),
    ],
);

fn run_now(exchange: &mut Exchange<'_, '_>) -> Handled {
    let job_id = jobs::body_id(exchange);
    if !exchange.objects.has("jobs", &job_id) {
        return Err(Refusal::invalid(format!("Job {job_id} does not exist.")));
    }
    let token = exchange.text("idempotency_token").map(str::to_owned);
    // The same token gives the run it gave before [Sdk].
    if let Some(token) = &token
        && let Some((_, run)) = exchange.objects.all("runs").find(|(_, r)| r.get("$token").and_then(Value::as_str) == Some(token))
    {
        let run_id = run.get("run_id").cloned().unwrap_or(Value::Null);
        return Ok(Answer::ok(Value::map([("run_id", run_id.clone()), ("number_in_job", run_id)])));
    }
    let n = exchange.objects.next("runs");
    let id = i64::try_from(500_000_000_000_000 + n.wrapping_mul(611_953_000_003) % 399_999_999_999_983).expect("fifteen digits fit");
    let mut run = Map::new();
    run.insert("run_id".to_owned(), Value::Int(id));
    run.insert("job_id".to_owned(), exchange.body.get("job_id").cloned().unwrap_or(Value::Null));
    run.insert("number_in_job".to_owned(), Value::Int(id));
    run.insert("creator_user_name".to_owned(), Value::text(&exchange.caller.name));
    run.insert(
        "state".to_owned(),
        Value::map([("life_cycle_state", "TERMINATED"), ("result_state", "SUCCESS"), ("state_message", "")].map(|(k, v)| (k, v.into()))),
    );
    run.insert("start_time".to_owned(), Value::Int(exchange.now));
    run.insert("end_time".to_owned(), Value::Int(exchange.now));
    run.insert("run_type".to_owned(), "JOB_RUN".into());
    run.insert("$serial".to_owned(), Value::from(n));
    if let Some(token) = token {
        run.insert("$token".to_owned(), Value::Text(token));
    }
    exchange.objects.put("runs", &id.to_string(), Value::Map(run));
    Ok(Answer::ok(Value::map([("run_id", Value::Int(id)), ("number_in_job", Value::Int(id))])))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = exchange.number("run_id")?.map(|id| id.to_string()).unwrap_or_default();
    let run = exchange.objects.get("runs", &id).ok_or_else(|| Refusal::invalid(format!("Run {id} does not exist.")))?;
    Ok(Answer::ok((*run).clone()))
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let job = exchange.number("job_id")?;
    let size = paging::size(exchange, "limit", 20, 25)?;
    let mut runs: Vec<Value> = exchange
        .objects
        .all("runs")
        .filter(|(_, run)| job.is_none() || run.get("job_id").and_then(Value::as_i64) == job)
        .map(|(_, run)| (**run).clone())
        .collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.get("$serial").and_then(Value::as_i64)));
    for run in runs.iter_mut().filter_map(Value::as_map_mut) {
        run.retain(|name, _| !name.starts_with('$'));
    }
    let page = paging::page(runs, size, exchange.asked("page_token"))?;
    let more = page.next.is_some();
    let mut reply = paging::reply("runs", page);
    reply.insert("has_more".to_owned(), Value::Bool(more));
    Ok(Answer::ok(reply))
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = exchange.body.get("run_id").map(Value::key_text).unwrap_or_default();
    if !exchange.objects.has("runs", &id) {
        return Err(Refusal::invalid(format!("Run {id} does not exist.")));
    }
    exchange.objects.remove("runs", &id);
    Ok(Answer::empty())
}
