//! `brickform run jobs.x`: starts a declared, applied job, and waits for its end where that is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;

use super::planning::address;
use super::session::{Session, same_workspace};
use super::{Exit, Failure, Format, Run, connect, runtime, signals};
use crate::client::Client;
use crate::diagnostic::suggest;
use crate::kinds::{Call, Repeat};
use crate::model::{Address, Fingerprint, Map, Value};
use crate::report::job_run::{self, Report};
use crate::state::Entry;

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The job: `jobs.nightly`
    #[arg(value_name = "ADDRESS")]
    address: String,
    /// Wait for the end, and say what is going on
    #[arg(long)]
    wait: bool,
    /// A value for one of the job's `parameters`; the others keep their defaults
    #[arg(long = "param", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
}

/// Starts a run.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let session = Session::open(run)?;
    let job = address(&arguments.address, &session.registry)?;
    let entry = applied(&session, &job)?;
    let parameters = parameters(&arguments.parameters, &job, &entry)?;
    runtime()?.block_on(started(run, &session, arguments.wait, &job, &entry, parameters))
}

/// The state's entry of a job.
fn applied(session: &Session, job: &Address) -> Result<Entry, Failure> {
    if job.kind != "jobs" || job.facet.is_some() {
        return Err(Failure::usage(
            format!("only jobs are run, and `{job}` is none"),
            &["give the address of a job, such as `brickform run jobs.nightly`; `brickform state list jobs` shows them"],
        ));
    }
    let environment = session.environment();
    let document = session.document()?.unwrap_or_else(|| crate::state::new_document(&session.project.name, environment));
    if let Some(entry) = document.resources.get(job).filter(|entry| !entry.id.is_empty()) {
        return Ok(entry.clone());
    }
    let jobs = |a: &&Address| a.kind == "jobs" && a.facet.is_none();
    let desired = session.project.resolve(&crate::project::Answers::new());
    let declared: Vec<&Address> = desired.iter().flat_map(|d| d.resources.keys()).filter(jobs).collect();
    let names: Vec<String> = document.resources.keys().filter(jobs).chain(declared.iter().copied()).map(ToString::to_string).collect();
    let near = suggest::nearest(&job.to_string(), names.iter().map(String::as_str)).filter(|_| !declared.contains(&job));
    let first = format!("a job is run as it was applied: `brickform apply --env {environment} --target '{job}'` first");
    let help = match near {
        Some(near) => vec![format!("did you mean `{near}`?")],
        None if declared.contains(&job) || desired.is_err() => vec![first],
        None => vec![format!("it is not declared for {environment} either; `brickform state list` shows what was applied")],
    };
    Err(Failure::Usage { message: format!("`{job}` has not been applied to {environment}: there is nothing to run"), help })
}

/// `--param` against what the job declares.
fn parameters(given: &[String], job: &Address, entry: &Entry) -> Result<Map, Failure> {
    let declared = entry.applied.get("parameters").and_then(Value::as_list).unwrap_or_default();
    let names: Vec<String> = declared.iter().filter_map(|p| p.get("name")).map(Value::key_text).collect();
    let mut parameters = Map::new();
    for pair in given {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(Failure::usage(format!("`--param {pair}` has no value"), &["write `--param NAME=VALUE`"]));
        };
        if names.is_empty() {
            return Err(Failure::usage(
                format!("{job} declares no `parameters`, so `--param {name}` has nowhere to go"),
                &["add `parameters: [{ name: ..., default: ... }]` to the job and apply it; tasks read `{{job.parameters.NAME}}`"],
            ));
        }
        if !names.iter().any(|known| known == name) {
            let near = suggest::nearest(name, names.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
            let help = near.into_iter().chain([format!("it declares {}", names.join(", "))]).collect();
            return Err(Failure::Usage { message: format!("{job} has no parameter `{name}`"), help });
        }
        parameters.insert(name.to_owned(), Value::text(value));
    }
    Ok(parameters)
}

async fn started(run: &Run<'_>, session: &Session, wait: bool, job: &Address, entry: &Entry, parameters: Map) -> Result<Exit, Failure> {
    let connection = connect::connect(run, &session.project).await?;
    same_workspace(&session.state()?, &connection.identity, session.environment())?;
    let mut body: Map = [("job_id".to_owned(), Value::text(&entry.id))].into_iter().collect();
    // Made once a command: a request that is sent again after a lost answer starts no second run.
    let once = Fingerprint::of(format!("{job}/{}/{}/{}", entry.id, run.outside.now(), std::process::id()).as_bytes()).0;
    body.insert("idempotency_token".to_owned(), Value::Text(once.chars().take(40).collect()));
    if !parameters.is_empty() {
        body.insert("job_parameters".to_owned(), Value::Map(parameters));
    }
    let reply = connection.client.call(&call("jobs.jobs.run_now", Map::new(), Some(Value::Map(body)), "run")).await;
    let reply = reply.map_err(|error| Failure::api(format!("{job} could not be started"), error))?;
    let id = reply.body.get("run_id").map(Value::key_text).unwrap_or_default();
    let host = connection.link_host.trim_end_matches('/');
    let link = (!host.is_empty()).then(|| format!("{host}/jobs/{}/runs/{id}", entry.id));
    if !wait {
        let report = Report { address: job, job_id: &entry.id, run_id: &id, link: link.as_deref(), ended: None, outputs: &BTreeMap::new() };
        show(run, &report);
        return Ok(Exit::Done);
    }
    run.screen.note(&job_run::begun(job, &id, link.as_deref()));
    let watch = Watch { client: &connection.client, run, job };
    let ended = tokio::select! {
        ended = watch.to_the_end(&id) => ended?,
        () = signals::first() => {
            run.screen.note(&job_run::left(job, &id, link.as_deref()));
            return Ok(Exit::Interrupted);
        }
    };
    let outputs = watch.outputs(&ended).await;
    let report = Report { address: job, job_id: &entry.id, run_id: &id, link: link.as_deref(), ended: Some(&ended), outputs: &outputs };
    show(run, &report);
    Ok(if report.is_good() { Exit::Done } else { Exit::Failed })
}

fn show(run: &Run<'_>, report: &Report<'_>) {
    run.screen.result(&match run.screen.format {
        Format::Json => job_run::json(report),
        Format::Text => job_run::text(report),
    });
}

fn call(op: &'static str, query: Map, body: Option<Value>, why: &'static str) -> Call {
    let mut call = Call { op, path: Map::new(), query, body, why, repeat: Repeat::Safe };
    call.conform();
    call
}

fn read(op: &'static str, run_id: &str) -> Call {
    call(op, [("run_id".to_owned(), Value::text(run_id))].into_iter().collect(), None, "read")
}

/// Failed tasks whose output is asked for.
const OUTPUTS: usize = 10;

struct Watch<'a> {
    client: &'a Client,
    run: &'a Run<'a>,
    job: &'a Address,
}

impl Watch<'_> {
    /// Polls until the run has ended; a line for each change of a state.
    async fn to_the_end(&self, id: &str) -> Result<Value, Failure> {
        let mut seen = BTreeMap::new();
        let mut pause = Duration::from_millis(200);
        loop {
            let reply = self.client.read_pages(&read("jobs.jobs.get_run", id), "page_token", "").await;
            let body = reply.map_err(|error| Failure::api(format!("run {id} of {} cannot be watched; it goes on", self.job), error))?.body;
            for line in job_run::progress(&body, &mut seen) {
                self.run.screen.note(&line);
            }
            if job_run::has_ended(&body) {
                return Ok(body);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 5 / 4).min(Duration::from_secs(10));
        }
    }

    /// What failed tasks say of themselves, by task key. What cannot be read is left out: the run's own words are there.
    async fn outputs(&self, ended: &Value) -> BTreeMap<String, String> {
        let mut outputs = BTreeMap::new();
        for (key, run_id) in job_run::failed_tasks(ended).into_iter().take(OUTPUTS) {
            if let Ok(reply) = self.client.call(&read("jobs.jobs.get_run_output", &run_id)).await
                && let Some(error) = reply.body.get("error").and_then(Value::as_str)
            {
                outputs.insert(key, error.to_owned());
            }
        }
        outputs
    }
}
