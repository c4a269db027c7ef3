//! `brickform local serve|reset|coverage`: the embedded workspace.

use clap::{Args, Subcommand};

use super::local_place::{Beacon, Place};
use super::{Exit, Failure, Format, Run, runtime};
use crate::local::{Fault, FaultError, FederationPolicy, LocalOptions, LocalWorkspace};

/// What a file of policies looks like.
const POLICIES: &str = "write a list: [{\"service_principal\": \"APPLICATION ID\", \"oidc_policy\": {\"issuer\": \"https://...\", \"audiences\": [\"...\"], \"subject\": \"...\"}}]";

/// Arguments of `local`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve it over HTTP on loopback until Ctrl-C
    Serve(Box<Serve>),
    /// Empty it; its workspace id stays
    Reset(Reset),
    /// The operations that it answers; anything else is 501
    Coverage,
}

/// Arguments of `local serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Any non-empty bearer token is accepted. While it runs, commands of an environment with `workspace: local` talk to it.\n\n\
Faults and --kill-client are written METHOD:PATH[:skip=N]; a path may hold `*`, a method may be `*`.\n\n\
Examples:\n  brickform local serve --port 8765\n  \
brickform local serve --latency 20 --fault after:POST:/api/2.2/jobs/create:times=2 --record traffic.jsonl\n  \
brickform local serve --kill-client POST:/api/2.1/unity-catalog/schemas:skip=1"
)]
struct Serve {
    /// The port; 0 takes any free one
    #[arg(long, env = "BRICKFORM_LOCAL_PORT", value_name = "PORT", default_value_t = 8765)]
    port: u16,
    /// The database file; otherwise `.brickform/local/ENV.redb` of the project
    #[arg(long, env = "BRICKFORM_LOCAL_FILE", value_name = "FILE")]
    file: Option<String>,
    /// Delay of each answer, in milliseconds: `200`, `200ms`
    #[arg(long, env = "BRICKFORM_LOCAL_LATENCY", value_name = "MS", default_value_t = 0, value_parser = millis)]
    latency: u64,
    /// Requests a second for each endpoint; above it 429 with Retry-After
    #[arg(long, env = "BRICKFORM_LOCAL_RATE_LIMIT", value_name = "N")]
    rate_limit: Option<f64>,
    /// Fail on purpose: `before|after:METHOD:PATH[:skip=N][:times=N][:status=S]`; without a status the connection is cut, without times it happens once, times=0 always
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<String>,
    /// Reads lag behind writes by this many requests
    #[arg(long, env = "BRICKFORM_LOCAL_STALE_READS", value_name = "N", default_value_t = 0)]
    stale_reads: u32,
    /// End the caller's process at this request: `METHOD:PATH[:skip=N]`
    #[arg(long = "kill-client", value_name = "REQUEST")]
    kill_client: Vec<String>,
    /// Write every request and answer into this file, a line of JSON each
    #[arg(long, env = "BRICKFORM_LOCAL_RECORD", value_name = "FILE")]
    record: Option<String>,
    /// Switch a rival habit on: what the server may also do, where evidence is weak (`local coverage` lists them)
    #[arg(long = "rival", value_name = "NAME")]
    rivals: Vec<String>,
    /// Accept only these bearer tokens
    #[arg(long = "token", value_name = "TOKEN")]
    tokens: Vec<String>,
    /// Exchange only ID tokens that fit a federation policy of this file, a list in JSON; otherwise anybody's
    #[arg(long, env = "BRICKFORM_LOCAL_FEDERATION", value_name = "FILE")]
    federation: Option<String>,
    /// How many seconds an OAuth token holds
    #[arg(long, env = "BRICKFORM_LOCAL_TOKEN_LIFE", value_name = "SECONDS", default_value_t = 3600)]
    token_life: u64,
}

/// Arguments of `local reset`.
#[derive(Debug, Args)]
struct Reset {
    /// The database file; otherwise `.brickform/local/ENV.redb` of the project
    #[arg(long, env = "BRICKFORM_LOCAL_FILE", value_name = "FILE")]
    file: Option<String>,
    /// Do not ask
    #[arg(long, env = "BRICKFORM_YES", value_parser = clap::builder::BoolishValueParser::new())]
    yes: bool,
}

/// `200`, `200ms`, `1s`.
fn millis(text: &str) -> Result<u64, String> {
    let (number, factor) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 1000),
        (None, None) => (text, 1),
    };
    let found = number.trim().parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).filter(|n| *n <= 600_000);
    found.ok_or_else(|| "give milliseconds, at most ten minutes: `200`, `200ms`, `1s`".to_owned())
}

/// Serves, empties or describes.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Serve(given) => serve(given, run),
        Command::Reset(given) => reset(given, run),
        Command::Coverage => Ok(coverage(run)),
    }
}

fn serve(given: &Serve, run: &Run<'_>) -> Result<Exit, Failure> {
    let place = Place::of(run, given.file.as_deref())?;
    let options = behaviour(given, run)?;
    let workspace = place.open(options)?;
    let beacon = Beacon::light(&place)?;
    let id = workspace.workspace_id();
    let shown = place.shown(run.outside);
    let screen = run.screen;
    runtime()?.block_on(async {
        let (told, bound) = tokio::sync::oneshot::channel();
        let ready = Box::new(move |address| {
            let _ = told.send(address);
        });
        let address = format!("127.0.0.1:{}", given.port);
        let serving = workspace.serve(&address, ready, Box::pin(super::signals::first()));
        let announcing = async {
            if let Ok(address) = bound.await {
                let url = format!("http://{address}");
                if let Err(failure) = beacon.show(&url) {
                    screen.failure(&failure);
                }
                match screen.format {
                    Format::Json => {
                        screen.result(&format!("{}\n", serde_json::json!({ "format": "brickform.local-serve/1", "host": url, "workspace_id": id.to_string(), "file": shown })));
                    }
                    Format::Text => screen.result(&format!("Serving workspace {id} ({shown}) at {url}\nCtrl-C ends it.\n")),
                }
            }
        };
        let (served, ()) = tokio::join!(serving, announcing);
        served.map_err(Failure::from)
    })?;
    Ok(Exit::Done)
}

/// The options of the workspace; every mistake in them is wrong usage.
fn behaviour(given: &Serve, run: &Run<'_>) -> Result<LocalOptions, Failure> {
    let mut list = vec![];
    for text in &given.faults {
        list.push(text.parse().map_err(|wrong: FaultError| Failure::usage(format!("--fault: {wrong}"), &[]))?);
    }
    for text in &given.kill_client {
        let shape = "write METHOD:PATH[:skip=N], as in POST:/api/2.2/jobs/create:skip=1";
        list.push(Fault::killing(text).map_err(|why| Failure::usage(format!("--kill-client {text}: {why}"), &[shape]))?);
    }
    for name in &given.rivals {
        if !LocalWorkspace::rivals().iter().any(|(known, _)| known == name) {
            let names: Vec<&str> = LocalWorkspace::rivals().iter().map(|(n, _)| *n).collect();
            return Err(Failure::usage(format!("there is no rival habit `{name}`"), &[&format!("there are: {}", names.join(", "))]));
        }
    }
    if given.rate_limit.is_some_and(|r| r <= 0.0 || !r.is_finite()) {
        return Err(Failure::usage("`--rate-limit` must be above 0", &[]));
    }
    let mut federation = vec![];
    if let Some(file) = &given.federation {
        let wrong = |why: String| Failure::usage(format!("--federation {file}: {why}"), &[POLICIES]);
        let text = std::fs::read_to_string(run.outside.path(file)).map_err(|error| wrong(error.to_string()))?;
        federation = FederationPolicy::list(&text).map_err(wrong)?;
    }
    Ok(LocalOptions {
        federation,
        token_seconds: Some(given.token_life),
        latency_ms: given.latency,
        rate_limit: given.rate_limit,
        faults: list,
        stale_reads: given.stale_reads,
        record: given.record.as_deref().map(|f| run.outside.path(f)),
        rivals: given.rivals.clone(),
        tokens: given.tokens.clone(),
        outside: Some(run.outside.clone()),
        ..LocalOptions::default()
    })
}

fn reset(given: &Reset, run: &Run<'_>) -> Result<Exit, Failure> {
    let place = Place::of(run, given.file.as_deref())?;
    let shown = place.shown(run.outside);
    if !given.yes {
        if !run.screen.can_ask() {
            return Err(Failure::usage(format!("{shown} would be emptied"), &["add `--yes`"]));
        }
        let answer = run.screen.ask(&format!("Empty {shown}? Only `yes` does it: "));
        if answer.as_deref() != Some("yes") {
            return Err(Failure::machine("not confirmed: nothing was changed"));
        }
    }
    place.open(LocalOptions::default())?.reset()?;
    run.screen
        .result(&format!("{shown} is empty. The state of the environment is not touched: its objects are gone from the workspace.\n"));
    Ok(Exit::Done)
}

fn coverage(run: &Run<'_>) -> Exit {
    let operations = LocalWorkspace::coverage();
    let rivals = LocalWorkspace::rivals();
    let text = match run.screen.format {
        Format::Json => {
            let rows: Vec<_> = operations
                .iter()
                .map(|(name, method, path)| serde_json::json!({ "operation": name, "method": method, "path": path }))
                .collect();
            let habits: Vec<_> = rivals.iter().map(|(name, what)| serde_json::json!({ "name": name, "what": what })).collect();
            format!("{}\n", serde_json::json!({ "format": "brickform.local-coverage/1", "operations": rows, "rivals": habits }))
        }
        Format::Text => {
            let mut out = String::new();
            let wide = operations.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
            for (name, method, path) in &operations {
                out.push_str(&format!("{name:wide$}  {method:6} {path}\n"));
            }
            out.push_str(&format!("\n{} operations; anything else answers 501.\n", operations.len()));
            if !rivals.is_empty() {
                out.push_str("\nRival habits (`local serve --rival NAME`):\n");
                let wide = rivals.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
                for (name, what) in rivals {
                    out.push_str(&format!("  {name:wide$}  {what}\n"));
                }
            }
            out
        }
    };
    run.screen.result(&text);
    Exit::Done
}
