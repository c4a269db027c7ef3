//! Jobs: `/api/2.0`, `/api/2.1` and `/api/2.2`.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::exchange::{Exchange, Principal};
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, Rival, habit, job_settings, paging, permissions};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.2/jobs/"],
    &[
        (Catalogue("jobs.jobs.create"), create),
        (Catalogue("jobs.jobs.get"), get),
        (Catalogue("jobs.jobs.list"), list),
        (Catalogue("jobs.jobs.reset"), reset),
        (Catalogue("jobs.jobs.update"), update),
        (Catalogue("jobs.jobs.delete"), delete),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit(
        "jobs",
        "fills in name, format, timeouts, notifications, max_concurrent_runs, run_if, pause_status, notebook source",
        Evidence::Sdk,
    ),
    habit("jobs", "gives depends_on sorted by task_key", Evidence::Cli),
    habit("jobs", "gives new clusters cloud attributes and data_security_mode", Evidence::Cli),
    habit("jobs", "keeps run_as when reset leaves it out", Evidence::Cli),
    habit("jobs", "refuses schedules that are no Quartz expressions", Evidence::Issue),
    habit("jobs", "refuses time zones that Java does not know", Evidence::Unverified),
    habit("jobs", "refuses git_source without git_provider", Evidence::Cli),
    habit("jobs", "answers 400 INVALID_PARAMETER_VALUE for an absent job", Evidence::Sdk),
    habit("jobs", "gives tasks, job clusters, environments and parameters 100 a page", Evidence::Sdk),
    habit("jobs", "lists newest first, without tasks unless asked, with at most 100 of them", Evidence::Sdk),
    habit("jobs", "gives tasks in another order than they were sent", Evidence::Unverified),
    habit("jobs", "gives job clusters sorted by key", Evidence::Unverified),
];

/// Elements of each long list a page of `jobs/get`.
const ELEMENTS: usize = 100;
/// The long lists.
const LONG: [&str; 4] = ["tasks", "job_clusters", "environments", "parameters"];

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    let mut settings = std::mem::take(&mut exchange.body);
    let entries = settings.shift_remove("access_control_list");
    let settings = job_settings::normalised(exchange, settings)?;
    let n = exchange.objects.next("jobs");
    // Fifteen digits that look random, as job ids do; never given twice, since the factor is prime to the modulus.
    let id = 100_000_000_000_000 + n.wrapping_mul(611_953_000_003) % 899_999_999_999_981;
    let id = i64::try_from(id).expect("fifteen digits fit");
    let mut job = Map::new();
    job.insert("job_id".to_owned(), Value::Int(id));
    job.insert("creator_user_name".to_owned(), Value::text(&exchange.caller.name));
    job.insert("created_time".to_owned(), Value::Int(exchange.now));
    job.insert("$serial".to_owned(), Value::from(n));
    job.insert("settings".to_owned(), Value::Map(settings));
    exchange.objects.put("jobs", &id.to_string(), Value::Map(job));
    permissions::born(exchange, "jobs", &id.to_string());
    if let Some(Value::List(entries)) = entries {
        permissions::add(exchange, "jobs", &id.to_string(), &entries)?;
    }
    Ok(Answer::ok(Value::map([("job_id", Value::Int(id))])))
}

fn gone(exchange: &Exchange<'_, '_>, id: &str) -> Refusal {
    let message = format!("Job {id} does not exist.");
    if exchange.rival(Rival::JobGone404) { Refusal::absent(message) } else { Refusal::invalid(message) }
}

fn stored(exchange: &Exchange<'_, '_>, id: &str) -> Result<Map, Refusal> {
    let job = exchange.objects.get("jobs", id).and_then(|job| job.as_map().cloned());
    job.ok_or_else(|| gone(exchange, id))
}

/// The job id of a body.
pub fn body_id(exchange: &Exchange<'_, '_>) -> String {
    exchange.body.get("job_id").map(Value::key_text).unwrap_or_default()
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = exchange.number("job_id")?.map(|id| id.to_string()).unwrap_or_default();
    let mut job = stored(exchange, &id)?;
    let settings = job.get_mut("settings").and_then(Value::as_map_mut).map(std::mem::take).unwrap_or_default();
    let runs_as = run_as(&settings, &job);
    job.insert("run_as_user_name".to_owned(), Value::Text(runs_as));
    let mut settings = reordered(settings);
    // Pages are new in 2.2; older versions give everything.
    if exchange.version == "2.2"
        && let Some(next) = cut(&mut settings, exchange.asked("page_token"))?
    {
        job.insert("next_page_token".to_owned(), Value::Text(next));
        job.insert("has_more".to_owned(), Value::Bool(true));
    }
    job.insert("settings".to_owned(), Value::Map(settings));
    Ok(Answer::ok(job))
}

fn run_as(settings: &Map, job: &Map) -> String {
    let named = settings.get("run_as").and_then(|r| Principal::ALL.iter().find_map(|p| r.get(p.field())?.as_str()));
    named.or_else(|| job.get("creator_user_name")?.as_str()).unwrap_or_default().to_owned()
}

/// Tasks in another order than they were sent.
fn reordered(mut settings: Map) -> Map {
    if let Some(Value::List(tasks)) = settings.get_mut("tasks")
        && !tasks.is_empty()
    {
        tasks.rotate_left(1);
    }
    settings
}

/// Cuts the long lists to the page asked for; the next page's token if there is one.
fn cut(settings: &mut Map, token: Option<&str>) -> Result<Option<String>, Refusal> {
    let mut next = None;
    for name in LONG {
        if let Some(Value::List(list)) = settings.get_mut(name) {
            let page = paging::page(std::mem::take(list), ELEMENTS, token)?;
            *list = page.items;
            next = next.or(page.next);
        }
    }
    Ok(next)
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let size = match exchange.number("limit")? {
        None => 20,
        Some(n) => usize::try_from(n)
            .ok()
            .filter(|n| (1..=100).contains(n))
            .ok_or_else(|| Refusal::invalid(format!("Invalid limit: {n}. The limit must be between 1 and 100.")))?,
    };
    let wanted = exchange.asked("name").map(str::to_lowercase);
    // The name is compared whatever its case [Sdk].
    let fits = |job: &Value| wanted.as_ref().is_none_or(|w| name_of(job).to_lowercase() == *w);
    let mut jobs: Vec<_> = exchange.objects.all("jobs").map(|(_, job)| job).filter(|job| fits(job)).collect();
    jobs.sort_by_key(|job| std::cmp::Reverse(job.get("$serial").and_then(Value::as_i64)));
    let start = exchange.number("offset")?.map(|n| format!("p{n}"));
    let token = exchange.asked("page_token").map(str::to_owned).or(start);
    let expand = exchange.flag("expand_tasks");
    let page = paging::page(jobs, size, token.as_deref())?.shown(|job| listed(job.as_map().cloned().unwrap_or_default(), expand).into());
    let mut reply = Map::new();
    let more = page.next.is_some();
    reply.extend(paging::reply("jobs", page));
    reply.insert("has_more".to_owned(), Value::Bool(more));
    Ok(Answer::ok(reply))
}

fn name_of(job: &Value) -> String {
    job.get("settings").and_then(|s| s.get("name")).map(Value::key_text).unwrap_or_default()
}

/// A job as a list shows it.
fn listed(mut job: Map, expand: bool) -> Map {
    let settings = job.get_mut("settings").and_then(Value::as_map_mut).map(std::mem::take).unwrap_or_default();
    let mut settings = reordered(settings);
    let mut more = false;
    for name in LONG {
        if !expand && name != "parameters" {
            settings.shift_remove(name);
        } else if let Some(Value::List(list)) = settings.get_mut(name) {
            more |= list.len() > ELEMENTS;
            list.truncate(ELEMENTS);
        }
    }
    if more {
        job.insert("has_more".to_owned(), Value::Bool(true));
    }
    job.shift_remove("$serial");
    job.insert("settings".to_owned(), Value::Map(settings));
    job
}

fn new_settings(exchange: &Exchange<'_, '_>) -> Map {
    exchange.body.get("new_settings").and_then(Value::as_map).cloned().unwrap_or_default()
}

fn reset(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = body_id(exchange);
    let job = stored(exchange, &id)?;
    let mut new = new_settings(exchange);
    if !new.contains_key("run_as")
        && let Some(run_as) = job.get("settings").and_then(|s| s.get("run_as"))
    {
        new.insert("run_as".to_owned(), run_as.clone());
    }
    keep(exchange, &id, job, new)
}

fn update(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = body_id(exchange);
    let job = stored(exchange, &id)?;
    let old = job.get("settings").and_then(Value::as_map).cloned().unwrap_or_default();
    let remove: Vec<String> =
        exchange.body.get("fields_to_remove").and_then(Value::as_list).unwrap_or_default().iter().map(Value::key_text).collect();
    let new = job_settings::merged(old, new_settings(exchange), &remove);
    keep(exchange, &id, job, new)
}

fn keep(exchange: &mut Exchange<'_, '_>, id: &str, mut job: Map, settings: Map) -> Handled {
    let settings = job_settings::normalised(exchange, settings)?;
    job.insert("settings".to_owned(), Value::Map(settings));
    exchange.objects.put("jobs", id, Value::Map(job));
    Ok(Answer::empty())
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let id = body_id(exchange);
    stored(exchange, &id)?;
    exchange.objects.remove("jobs", &id);
    permissions::died(exchange, "jobs", &id);
    Ok(Answer::empty())
}
