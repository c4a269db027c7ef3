//! `brickform doctor`: what stands in the way on this machine and in this project, a line each, with what to do.

use std::path::Path;

use clap::Args;

use super::backend::{self, Backend};
use super::{Exit, Failure, Format, Run, connect};
use crate::kinds::Registry;
use crate::model::url::masked_host;
use crate::project::{self, Answers, Project, Workspace};
use crate::report::style::{Label, Paint, columns, pad};

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brickform doctor\n  brickform doctor --online --env prod -o json")]
pub struct Arguments {
    /// Ask the workspaces too: who is there, and whether the clocks agree
    #[arg(long, env = "BRICKFORM_ONLINE", value_parser = clap::builder::BoolishValueParser::new())]
    online: bool,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    fn label(self) -> Label {
        match self {
            Self::Ok => Label::Good,
            Self::Warn => Label::Change,
            Self::Fail => Label::Bad,
        }
    }
}

/// One line.
struct Check {
    what: String,
    verdict: Verdict,
    found: String,
    then: Vec<String>,
}

#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, what: impl Into<String>, verdict: Verdict, found: impl Into<String>, then: &[&str]) {
        let then = then.iter().map(ToString::to_string).collect();
        self.0.push(Check { what: what.into(), verdict, found: found.into(), then });
    }

    fn failed(&mut self, what: &str, failure: &Failure) {
        self.0.push(Check { what: what.to_owned(), verdict: Verdict::Fail, found: failure.to_string(), then: failure.help() });
    }
}

/// The clocks may differ by so many seconds before tokens and intents suffer.
const SKEW: i64 = 60;
/// Less free space than this, in KiB, is too little for states and the embedded workspace.
const LITTLE_SPACE: u64 = 200 * 1024;

/// Checks everything; fails if anything does.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let mut checks = Checks::default();
    checks.add("brickform", Verdict::Ok, env!("CARGO_PKG_VERSION"), &[]);
    machine(run, &mut checks);
    let ask = run.options.ask(run.outside)?;
    match project::environments(run.outside, &ask) {
        Err(failed) => {
            let first = failed.diagnostics.first().map(|d| d.message.clone()).unwrap_or_default();
            checks.add(
                "project",
                Verdict::Fail,
                first,
                &["go into a project's folder, or give `--project-dir`; `brickform validate` says more"],
            );
        }
        Ok(names) => {
            let wanted: Vec<String> = match &ask.environment {
                Some(one) => vec![one.clone()],
                None if names.is_empty() => vec!["default".to_owned()],
                None => names,
            };
            checks.add(
                "project",
                Verdict::Ok,
                format!(
                    "{} to check: {}",
                    crate::report::text::plural(wanted.len() as u64, "environment", "environments"),
                    wanted.join(", ")
                ),
                &[],
            );
            for name in wanted {
                environment(&name, &ask, arguments.online, run, &mut checks);
            }
        }
    }
    let failed = checks.0.iter().any(|c| c.verdict == Verdict::Fail);
    run.screen.result(&match run.screen.format {
        Format::Json => json(&checks.0),
        Format::Text => text(&checks.0, Paint { colour: run.screen.out_colour }),
    });
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn machine(run: &Run<'_>, checks: &mut Checks) {
    match run.outside.system.git(&["--version"], &run.outside.folder) {
        Ok(output) if output.code == Some(0) => {
            checks.add("git", Verdict::Ok, String::from_utf8_lossy(&output.stdout).trim(), &[]);
        }
        _ => checks.add("git", Verdict::Warn, "not found", &["states record no commit, and guards about Git say nothing: install git"]),
    }
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
        if let Some(value) = run.outside.variable(name) {
            // A proxy's address may hold a password.
            let shown = masked_host(value);
            checks.add("proxy", Verdict::Ok, format!("{name}={shown}"), &[]);
        }
    }
    for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"] {
        if let Some(file) = run.outside.variable(name) {
            if run.outside.path(file).is_file() {
                checks.add("certificates", Verdict::Ok, format!("{name}={file}"), &[]);
            } else {
                checks.add(
                    "certificates",
                    Verdict::Fail,
                    format!("{name}={file}: there is no such file"),
                    &["unset it, or point it at a PEM file"],
                );
            }
        }
    }
    if let Some(free) = free_space(run) {
        let verdict = if free < LITTLE_SPACE { Verdict::Warn } else { Verdict::Ok };
        let then: &[&str] = if verdict == Verdict::Warn { &["states and the embedded workspace need room: make some"] } else { &[] };
        checks.add("disk", verdict, format!("{} MiB free", free / 1024), then);
    }
    let screen = run.screen;
    let place = if screen.out_terminal { "a terminal" } else { "not a terminal: lines instead of progress bars" };
    checks.add(
        "terminal",
        Verdict::Ok,
        format!("{place}, {} columns, colour {}", screen.width, if screen.out_colour { "on" } else { "off" }),
        &[],
    );
}

/// Free space where the project is, in KiB, as `df` says it.
fn free_space(run: &Run<'_>) -> Option<u64> {
    let output = run.outside.system.run("df", &["-Pk", "."], &run.outside.folder).ok()?;
    String::from_utf8_lossy(&output.stdout).lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

fn environment(name: &str, ask: &project::Ask, online: bool, run: &Run<'_>, checks: &mut Checks) {
    let registry = Registry::standard();
    let one = project::Ask { environment: Some(name.to_owned()).filter(|n| n != "default" || ask.environment.is_some()), ..ask.clone() };
    let validate = format!("`brickform validate --env {name}` shows each at its place");
    let mistakes = |found: &[crate::diagnostic::Diagnostic]| {
        let errors = found.iter().filter(|d| d.is_error()).count();
        format!(
            "{}, the first: {}",
            crate::report::text::plural(errors as u64, "mistake", "mistakes"),
            found.first().map(|d| d.message.as_str()).unwrap_or_default()
        )
    };
    let project = match project::load(run.outside, &one, &registry) {
        Ok(project) => project,
        Err(failed) => return checks.add(name, Verdict::Fail, mistakes(&failed.diagnostics), &[&validate]),
    };
    match project.resolve(&Answers::new()) {
        Err(found) => checks.add(name, Verdict::Fail, mistakes(&found), &[&validate]),
        Ok(desired) if desired.warnings.is_empty() => {
            checks.add(name, Verdict::Ok, format!("{} resources and parts", desired.resources.len()), &[]);
        }
        Ok(desired) => {
            let warnings = crate::report::text::plural(desired.warnings.len() as u64, "warning", "warnings");
            checks.add(name, Verdict::Warn, format!("{} resources and parts, {warnings}", desired.resources.len()), &[&validate]);
        }
    }
    credentials(name, &project, run, checks);
    state(name, &project, run, checks);
    if online {
        workspace(name, &project, run, checks);
    }
}

fn credentials(name: &str, project: &Project, run: &Run<'_>, checks: &mut Checks) {
    let what = format!("{name} auth");
    if matches!(project.environment.workspace, Workspace::Local) {
        return checks.add(what, Verdict::Ok, "embedded workspace: nothing to authenticate", &[]);
    }
    match connect::resolved(run, project) {
        Ok(resolved) => checks.add(what, Verdict::Ok, format!("{} by {}", resolved.host, resolved.description.auth_type), &[]),
        Err(failure) => checks.failed(&what, &failure),
    }
}

fn state(name: &str, project: &Project, run: &Run<'_>, checks: &mut Checks) {
    let what = format!("{name} state");
    let Backend { store, place, file, .. } = match backend::of(run, project) {
        Ok(backend) => backend,
        Err(failure) => return checks.failed(&what, &failure),
    };
    match store.load() {
        Err(error) => return checks.failed(&what, &error.into()),
        Ok(None) => checks.add(&what, Verdict::Ok, format!("none yet ({place})"), &[]),
        Ok(Some(document)) => {
            let lineage: String = document.lineage.chars().take(8).collect();
            let found = format!("serial {}, lineage {lineage}, {} entries", document.serial, document.resources.len());
            let open = document.open_intents.len();
            if open == 0 {
                checks.add(&what, Verdict::Ok, found, &[]);
            } else {
                checks.add(&what, Verdict::Warn, format!("{found}, {open} interrupted"), &["the next plan settles what was interrupted"]);
            }
        }
    }
    if let Some(holder) = store.holder() {
        checks.add(format!("{name} lock"), Verdict::Warn, format!("held by {holder}"), &["wait for it to end"]);
    }
    if let Some(file) = file.filter(|file| open_to_others(file)) {
        checks.add(
            format!("{name} files"),
            Verdict::Warn,
            format!("{} can be read by everybody", file.display()),
            &["chmod 600 it: states hold names and settings"],
        );
    }
}

#[cfg(unix)]
fn open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|m| m.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> bool {
    false
}

fn workspace(name: &str, project: &Project, run: &Run<'_>, checks: &mut Checks) {
    let what = format!("{name} online");
    let connected = super::runtime().and_then(|runtime| runtime.block_on(connect::connect(run, project)));
    let connection = match connected {
        Ok(connection) => connection,
        Err(failure) => return checks.failed(&what, &failure),
    };
    checks.add(&what, Verdict::Ok, format!("{} as {}", connection.identity.host, connection.caller), &[]);
    let Some(server) = connection.client.server_seconds() else { return };
    let skew = run.outside.now().as_second() - server;
    if skew.abs() <= SKEW {
        checks.add(format!("{name} clock"), Verdict::Ok, format!("{} s apart", skew.abs()), &[]);
    } else {
        let found = format!("this machine is {} s {}", skew.abs(), if skew > 0 { "ahead" } else { "behind" });
        checks.add(format!("{name} clock"), Verdict::Warn, found, &["set the clock: tokens expire by it"]);
    }
}

fn text(checks: &[Check], paint: Paint) -> String {
    let wide = checks.iter().map(|c| columns(&c.what)).max().unwrap_or(0);
    let mut out = String::new();
    for check in checks {
        out.push_str(&format!(
            "{}  {}  {}\n",
            paint.label(check.verdict.label(), &pad(check.verdict.word(), 4)),
            pad(&check.what, wide),
            check.found
        ));
        for line in &check.then {
            out.push_str(&format!("{}= {line}\n", " ".repeat(wide + 8)));
        }
    }
    let count = |verdict| checks.iter().filter(|c| c.verdict == verdict).count();
    out.push_str(&format!("\n{} ok, {} to look at, {} failed\n", count(Verdict::Ok), count(Verdict::Warn), count(Verdict::Fail)));
    out
}

fn json(checks: &[Check]) -> String {
    let list: Vec<_> = checks
        .iter()
        .map(|c| serde_json::json!({ "check": c.what, "verdict": c.verdict.word(), "found": c.found, "help": c.then }))
        .collect();
    format!("{:#}\n", serde_json::json!({ "format": "brickform.doctor/1", "checks": list }))
}
