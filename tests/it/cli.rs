//! The command line from end to end, in process: arguments in; exit code, standard output and standard error out.

use std::ffi::OsString;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use brickform::cli::{Streams, run};
use brickform::model::Outside;

use super::outside::{Kept, outside, streams};

/// A project in a folder of its own, with nothing of the machine's environment.
pub(super) struct Project {
    pub(super) folder: tempfile::TempDir,
}

/// What a command did.
pub(super) struct Ran {
    pub(super) code: u8,
    pub(super) out: String,
    pub(super) err: String,
}

/// A stream that nobody reads any more.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Project {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let project = Self { folder: tempfile::tempdir().expect("a folder can be made") };
        for (name, text) in files {
            project.write(name, text);
        }
        project
    }

    /// The repository's own project.
    pub(super) fn own() -> Self {
        let project = Self::new(&[]);
        for folder in ["conf", "environments", "notebooks", "spaces", "sql"] {
            project.copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), folder);
        }
        project
    }

    /// Copies a folder with all that is in it.
    pub(super) fn copy(&self, from: &Path, to: &str) {
        for entry in fs::read_dir(from).expect("the repository has it") {
            let path = entry.expect("it can be read").path();
            let name = format!("{to}/{}", path.file_name().expect("a name").to_string_lossy());
            if path.is_dir() {
                self.copy(&path, &name);
            } else {
                self.write(&name, &fs::read_to_string(&path).expect("text"));
            }
        }
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    pub(super) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.folder.path().join(name)).expect("the file is there");
        assert!(text.contains(from), "{name} holds {from}");
        self.write(name, &text.replace(from, to));
    }

    pub fn outside(&self, variables: &[(&str, &str)]) -> Outside {
        outside(self.folder.path(), variables.iter().copied())
    }

    pub(super) fn run(&self, line: &str) -> Ran {
        self.with(line, &[], None)
    }

    /// `answer`: both ends are a terminal, and this is typed.
    pub(super) fn with(&self, line: &str, variables: &[(&str, &str)], answer: Option<&str>) -> Ran {
        let (out, err) = (Kept::default(), Kept::default());
        let streams = Streams { columns: Some(100), ..streams(&out, &err, answer) };
        let arguments = std::iter::once("brickform").chain(line.split_whitespace()).map(OsString::from);
        let exit = run(arguments, &self.outside(variables), streams);
        let ran = Ran { code: exit.code(), out: out.text(), err: err.text() };
        super::schemas::hold(line, &ran.out);
        ran
    }
}

impl Ran {
    #[track_caller]
    pub(super) fn ended(self, code: u8) -> Self {
        assert_eq!(self.code, code, "\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }
}

#[test]
fn the_repository_applies_says_no_changes_and_comes_back() {
    let project = Project::own();
    let first = project.run("apply --env local --yes").ended(0);
    assert!(first.out.contains("Applied 46 steps"), "{}", first.out);
    let second = project.run("apply --env local --yes").ended(0);
    assert_eq!(second.out.lines().count(), 1, "{}", second.out);
    assert!(second.out.starts_with("local: no changes. 28 resources match ("), "{}", second.out);
    project.run("plan --env local --detailed-exitcode").ended(0);

    // A change, and its revert.
    project.edit("conf/warehouses.yaml", "max_num_clusters: 2", "max_num_clusters: 4");
    let changed = project.run("plan --env local --detailed-exitcode").ended(2);
    assert!(changed.out.contains("max_num_clusters        2 → 4"), "{}", changed.out);
    project.run("apply --env local --yes").ended(0);
    project.edit("conf/warehouses.yaml", "max_num_clusters: 4", "max_num_clusters: 2");
    let reverted = project.run("apply --env local --yes").ended(0);
    assert!(reverted.out.contains("max_num_clusters        4 → 2"), "{}", reverted.out);
    project.run("plan --env local --detailed-exitcode").ended(0);
}

/// Folders are known by paths of two spellings, and replies of folders and spaces do not say who made them.
#[test]
fn the_repository_plans_empty_after_it_was_rebuilt_or_taken_over() {
    let project = Project::own();
    project.run("apply --env local --yes").ended(0);
    let as_it_is = |what: &str| {
        let plan = project.run("plan --env local --detailed-exitcode");
        assert_eq!(plan.code, 0, "{what}\n{}", plan.out);
    };
    project.run("state rebuild --env local --yes").ended(0);
    as_it_is("rebuilt from a state that was there");
    fs::remove_dir_all(project.folder.path().join(".brickform/state")).expect("it goes");
    project.run("state rebuild --env local --yes").ended(0);
    as_it_is("rebuilt from nothing");
    fs::remove_dir_all(project.folder.path().join(".brickform/state")).expect("it goes");
    project.run("adopt --all --env local --yes").ended(0);
    // A setting is always there: the first apply takes note of it.
    let plan = project.run("plan --env local");
    assert!(plan.out.ends_with("Plan: 0 to add, 0 to change, 0 to delete; 1 adopted.\n"), "{}", plan.out);
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    let project = Project::own();
    project.run("apply --env local --yes").ended(0);
    project.edit("conf/jobs.yaml", "timeout_seconds: 7200", "timeout_seconds: 60");
    for line in ["plan --env local", "plan --env local -o json", "plan --env local --requests --unmanaged"] {
        assert_eq!(project.run(line).ended(0).out, project.run(line).ended(0).out, "{line}");
    }
    let json: serde_json::Value = serde_json::from_str(&project.run("plan --env local -o json").out).expect("JSON");
    assert_eq!(json["format"], "brickform.plan/1");
    assert_eq!(json["steps"][0]["address"], "jobs.medallion");
    assert_eq!(json["steps"][0]["changes"][0]["old"], 7200);
    assert_eq!(json["steps"][0]["calls"][0]["path"], "/api/2.2/jobs/reset");
}

#[test]
fn apply_asks_on_a_terminal_and_names_the_flag_elsewhere() {
    let project = Project::own();
    let silent = project.run("apply --env local").ended(64);
    assert!(silent.err.contains("--yes"), "{}", silent.err);
    project.run("status --env local").ended(0);
    let no = project.with("apply --env local", &[], Some("no\n")).ended(1);
    assert!(no.err.contains("nothing was sent"), "{}", no.err);
    assert!(project.run("status --env local").out.contains("nothing was applied yet"));
    project.with("apply --env local", &[], Some("yes\n")).ended(0);
    // Destroying asks for the environment's name; data needs to be named besides.
    project.with("destroy --env local", &[], Some("local\n")).ended(6);
    project.with("destroy --env local --allow-delete catalogs,schemas,volumes,secret_scopes,spaces", &[], Some("yes\n")).ended(1);
    project.with("destroy --env local --allow-delete catalogs,schemas,volumes,secret_scopes,spaces", &[], Some("local\n")).ended(0);
    assert!(project.run("plan --env local").ended(0).out.contains("Plan: 27 to add"));
}

#[test]
fn the_state_can_be_looked_at_and_mended() {
    let project = Project::own();
    project.run("state list --env local").ended(1);
    project.run("apply --env local --yes").ended(0);
    let list = project.run("state list jobs --env local").ended(0).out;
    assert!(list.contains("\njobs.medallion ") && list.contains("jobs.medallion/permissions"), "{list}");
    assert!(project.run("state show schemas.gold --env local").ended(0).out.contains("What reports are made from"));
    let near = project.run("state show schemas.gol --env local").ended(64);
    assert!(near.err.contains("did you mean `schemas.gold`?"), "{}", near.err);

    // Renamed in the state and in YAML: nothing to do.
    project.run("state mv warehouses.bi warehouses.people --env local").ended(0);
    project.edit("conf/warehouses.yaml", "\n  bi:", "\n  people:");
    for file in ["conf/alerts.yaml", "conf/project.yaml", "spaces/taxi.yaml", "spaces/bakehouse.yaml"] {
        project.edit(file, "warehouses.bi.id", "warehouses.people.id");
    }
    project.run("plan --env local --detailed-exitcode").ended(0);

    // Forgotten: the next plan finds it live and says how to take it back.
    project.run("state rm jobs.medallion --env local").ended(0);
    let exists = project.run("plan --env local").ended(6).out;
    assert!(exists.contains("already exists") && exists.contains("import:"), "{exists}");
    project.run("apply --env local --yes --adopt").ended(0);
    project.run("plan --env local --detailed-exitcode").ended(0);
    let history = project.run("state history --env local").ended(0).out;
    assert!(history.contains("state mv") && history.contains("state rm"), "{history}");
}

#[test]
fn wrong_command_lines_exit_with_64_and_help() {
    let project = Project::own();
    for (line, says) in [
        ("", "Usage"),
        ("aply", "apply"),
        ("plan --env prdo", "did you mean `prod`?"),
        ("plan --env local --var keep_day=5", "did you mean `keep_days`?"),
        ("plan --env local --var keep_days", "has no value"),
        ("plan --env local --target jobs.medalion", "did you mean `jobs.medallion`?"),
        ("plan --env local --target job.medallion", "did you mean `jobs`?"),
        ("plan --env local --target medallion", "is not an address"),
        ("plan --env local --allow-delete catalog", "did you mean `catalogs`?"),
        ("explain E9999", "there is no diagnostic code"),
        ("local serve --fault sometimes:GET:/x", "neither with `before` nor with `after`"),
        ("local serve --rival nobody", "there is no rival habit"),
        ("local reset", "--yes"),
    ] {
        let ran = project.run(line);
        assert_eq!(ran.code, 64, "{line}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(says) && ran.out.is_empty(), "{line}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn without_credentials_the_exit_code_is_4() {
    let project = Project::own();
    let ran = project.with("plan --env dev", &[("HOME", "/nonexistent")], None).ended(4);
    // What `auth describe` would say is said here already.
    assert!(ran.err.contains("DEV") && ran.err.contains("DATABRICKS_TOKEN") && !ran.err.contains("auth describe"), "{}", ran.err);
}

#[test]
fn mistakes_are_annotations_where_github_reads_along() {
    let project = Project::own();
    project.edit("conf/warehouses.yaml", "cluster_size: 2X-Small", "cluster_sise: 2X-Small");
    let ran = project.with("validate --env local", &[("GITHUB_ACTIONS", "true")], None).ended(1);
    assert!(ran.err.contains("did you mean `cluster_size`?"), "{}", ran.err);
    let annotation = ran.err.lines().find(|l| l.starts_with("::error file=conf/warehouses.yaml,line="));
    assert!(annotation.is_some_and(|l| l.contains("cluster_sise")), "{}", ran.err);
    let json = project.run("validate --env local -o json").ended(1).out;
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok_and(|v| v["diagnostics"][0]["code"].is_string()), "{json}");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let project = Project::own();
    let streams = Streams {
        out: Box::new(Closed),
        err: Box::new(Closed),
        input: Box::new(Cursor::new("")),
        out_terminal: false,
        err_terminal: false,
        in_terminal: false,
        columns: None,
    };
    let arguments = ["brickform", "plan", "--env", "local"].map(OsString::from);
    assert_eq!(run(arguments, &project.outside(&[]), streams).code(), 0);
}

#[test]
fn a_locked_environment_exits_with_5_and_says_who() {
    use brickform::state::{Local, LockInfo, Store as _, Waiting};
    let project = Project::own();
    project.run("apply --env local --yes").ended(0);
    let outside = project.outside(&[]);
    let store = Local::at(&Local::default_file(project.folder.path(), "local"), "lakehouse", "local", &outside);
    let info = LockInfo {
        holder: "ada@ci-7 (process 1)".to_owned(),
        operation: "apply".to_owned(),
        since: "2026-01-01T00:00:00Z".to_owned(),
        ..LockInfo::default()
    };
    store.lock(&info, Waiting::NOT).expect("nobody holds it");
    let ran = project.run("apply --env local --yes").ended(5);
    assert!(ran.err.contains("ada@ci-7"), "{}", ran.err);
    assert!(project.run("status --env local").ended(0).out.contains("ada@ci-7"));
    store.unlock();
    project.run("apply --env local --yes").ended(0);
}

#[test]
fn an_apply_without_a_secret_it_needs_sends_nothing() {
    let project = Project::new(&[
        ("environments/local.yaml", "workspace: local\n"),
        (
            "conf/a.yaml",
            "warehouses: {w: {name: w, cluster_size: Small, auto_stop_mins: 10}}
serving_endpoints:
  chat:
    name: chat
    config:
      served_entities:
        - name: gpt
          external_model: {name: gpt-4, provider: openai, task: llm/v1/chat, openai_config: {openai_api_key_plaintext: \"${secret('KEY')}\"}}
",
        ),
    ]);
    let ran = project.run("apply --env local --yes");
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("`KEY`; nothing was sent") && ran.err.contains("environment variable KEY"), "{}", ran.err);
    assert!(project.run("state list --env local").err.contains("no state yet"), "nothing was applied");
    assert_eq!(project.with("apply --env local --yes", &[("KEY", "k")], None).code, 0);
    assert_eq!(project.run("plan --env local --detailed-exitcode").code, 0, "planning needs no secret");
}

/// A warehouse whose size is a variable, and a job.
fn sized() -> Project {
    Project::new(&[
        ("environments/dev.yaml", "workspace: local\nstate: { key: {env: STATE_KEY} }\nguards: { max_deletes: 0 }\n"),
        ("conf/project.yaml", "name: demo\nvariables: { size: { type: string, default: Small } }\n"),
        (
            "conf/a.yaml",
            "warehouses: {bi: {name: bi, cluster_size: \"${size}\", auto_stop_mins: 10}}\njobs: {a: {name: a}, b: {name: b}}
serving_endpoints:
  chat:
    name: chat
    config:
      served_entities:
        - name: gpt
          external_model: {name: gpt-4, provider: openai, task: llm/v1/chat, openai_config: {openai_api_key_plaintext: \"${secret('KEY')}\"}}
",
        ),
    ])
}

const PLANTED: &[(&str, &str)] = &[("KEY", "planted-secret-of-the-plan"), ("STATE_KEY", "k")];

#[test]
fn a_saved_plan_is_the_same_bytes_twice_holds_no_secret_and_is_carried_out() {
    let project = sized();
    let canonical = |file: &str| {
        let text = fs::read_to_string(project.folder.path().join(file)).expect("it was written");
        assert!(!text.contains(PLANTED[0].1) && text.contains("secret('KEY')"), "{text}");
        text.lines().find(|l| l.starts_with("  \"plan\": ")).expect("the canonical part").to_owned()
    };
    project.with("plan --env dev --var size=Medium --out one.json", PLANTED, None).ended(0);
    project.with("plan --env dev --var size=Medium --out two.json --expires 2d", PLANTED, None).ended(0);
    assert_eq!(canonical("one.json"), canonical("two.json"));
    for form in ["text", "json", "markdown"] {
        let planned = project.with(&format!("plan --env dev --var size=Medium -o {form}"), PLANTED, None).ended(0).out;
        let shown = project.run(&format!("show one.json -o {form}")).ended(0).out;
        assert!(!shown.contains(PLANTED[0].1));
        assert!(
            planned.contains("warehouses.bi") && shown.contains("warehouses.bi") && shown.contains("serving_endpoints.chat"),
            "{shown}"
        );
        if form == "json" {
            assert_eq!(planned, shown, "a plan in a file is shown as it was");
        }
    }
    // Neither the variable nor the environment has to be given again; nobody is asked.
    let applied = project.with("apply one.json", PLANTED, None).ended(0);
    assert!(applied.out.contains("\"Medium\"") && applied.out.contains("Applied 4 steps"), "{}", applied.out);
    project.with("plan --env dev --var size=Medium --detailed-exitcode", PLANTED, None).ended(0);
    let again = project.with("apply two.json", PLANTED, None).ended(7);
    assert!(again.err.contains("this very plan was carried out already: serial 1"), "{}", again.err);
    assert!(again.err.contains("= whether anything is left to do: brickform plan --env dev"), "{}", again.err);
}

#[test]
fn a_saved_plan_says_what_moved_and_leaves_alone_what_it_does_not_touch() {
    let project = sized();
    project.with("apply --env dev --yes", PLANTED, None).ended(0);
    project.with("plan --env dev --var size=Large --target warehouses.bi --out plan.json", PLANTED, None).ended(0);
    // Somebody else's state over the same workspace: what the plan does not touch may change.
    project.edit("conf/a.yaml", "jobs: {a: {name: a}", "jobs: {a: {name: a, max_concurrent_runs: 3}");
    project.with("apply --env dev --yes --adopt --state other --target jobs.a", PLANTED, None).ended(0);
    project.edit("conf/a.yaml", "jobs: {a: {name: a, max_concurrent_runs: 3}", "jobs: {a: {name: a}");
    project.with("apply plan.json", PLANTED, None).ended(0);

    project.with("plan --env dev --var size=X-Large --out plan.json", PLANTED, None).ended(0);
    project.with("apply --env dev --yes --adopt --state other --target warehouses.bi --var size=Medium", PLANTED, None).ended(0);
    let stale = project.with("apply plan.json", PLANTED, None).ended(7);
    assert!(stale.err.contains("warehouses.bi: cluster_size was \"Large\" in the workspace, is \"Medium\" there now"), "{}", stale.err);
    // Another value of the secret: said by its keyed fingerprint.
    project.with("plan --env dev --out plan.json", PLANTED, None).ended(0);
    let rotated = project.with("apply plan.json", &[("KEY", "another-planted-secret"), ("STATE_KEY", "k")], None).ended(7);
    assert!(rotated.err.contains("secret('KEY')}: its keyed fingerprint was"), "{}", rotated.err);
    assert!(!rotated.err.contains("planted"), "{}", rotated.err);
}

#[test]
fn guards_are_asked_again_and_who_lifted_them_is_recorded() {
    let project = sized();
    project.with("apply --env dev --yes", PLANTED, None).ended(0);
    project.edit("conf/a.yaml", ", b: {name: b}", "");
    let blocked = project.with("plan --env dev --out plan.json --report markdown=plan.md", PLANTED, None).ended(6);
    assert!(blocked.out.contains("--allow-max-deletes"), "a blocked plan is still shown: {}", blocked.out);
    let report = fs::read_to_string(project.folder.path().join("plan.md")).expect("a blocked plan is still written");
    assert!(report.contains("Blocked by 1 guard") && report.contains("### Deleted or replaced (1)"), "{report}");
    project.run("show plan.json").ended(6);
    project.with("apply plan.json", PLANTED, None).ended(6);
    project.with("apply plan.json --allow-max-deletes", PLANTED, None).ended(0);
    let history: serde_json::Value =
        serde_json::from_str(&project.with("state history --env dev -o json", PLANTED, None).ended(0).out).expect("JSON");
    let apply = &history["versions"][0]["apply"];
    assert_eq!(apply["overrides"], serde_json::json!(["--allow-max-deletes"]), "{history}");
    assert_eq!(apply["counts"], serde_json::json!({ "delete": 1 }), "{history}");
    assert!(apply["who"].as_str().is_some_and(|w| w.contains('@')) && apply["plan"].as_str().is_some_and(|p| p.len() == 64), "{history}");
    assert!(project.with("state history --env dev", PLANTED, None).ended(0).out.contains("guards lifted: --allow-max-deletes"));
}

#[test]
fn events_are_a_line_each_and_nothing_else_is_on_standard_output() {
    let project = sized();
    let ran = project.with("apply --env dev --yes --json", PLANTED, None).ended(0);
    let events: Vec<serde_json::Value> = ran.out.lines().map(|l| serde_json::from_str(l).expect("a line is JSON")).collect();
    let names: Vec<&str> = events.iter().map(|e| e["event"].as_str().expect("a name")).collect();
    assert_eq!(names.iter().filter(|n| **n == "step_ended").count(), 4, "{names:?}");
    assert_eq!((names[0], names[1], names[names.len() - 1]), ("started", "refreshed", "summary"));
    assert_eq!(events[0]["format"], "brickform.events/1");
    assert_eq!(events[names.len() - 1]["counts"], serde_json::json!({ "done": 4, "failed": 0, "skipped": 0 }));
    assert!(!ran.out.contains(PLANTED[0].1));
}

#[test]
fn a_command_that_gives_a_secret_runs_once_in_each_command() {
    let project = sized();
    project.edit(
        "conf/project.yaml",
        "name: demo\n",
        "name: demo\nsecrets: { KEY: { command: [sh, -c, \"echo asked >> asked; echo planted\"] } }\n",
    );
    let asked = || fs::read_to_string(project.folder.path().join("asked")).unwrap_or_default().lines().count();
    let key = &[("STATE_KEY", "k")];
    for (line, code, times) in [
        ("plan --env dev --out plan.json", 0, 1),
        ("apply plan.json", 0, 2),
        ("drift --env dev", 0, 3),
        ("apply --env dev --yes --var size=Medium", 0, 4),
    ] {
        project.with(line, key, None).ended(code);
        assert_eq!(asked(), times, "{line}");
    }
}

#[test]
fn a_report_in_a_file_has_no_colours_and_events_begin_before_anything_is_checked() {
    let project = sized();
    let ran = project.with("plan --env dev --color always --out plan.json --report text=plan.txt", PLANTED, Some("")).ended(0);
    assert!(ran.out.contains('\u{1b}'), "colours were asked for: {}", ran.out);
    let report = fs::read_to_string(project.folder.path().join("plan.txt")).expect("it was written");
    assert!(report.contains("warehouses.bi") && !report.contains('\u{1b}'), "{report}");
    project.with("apply --env dev --yes --report text=applied.txt --color always", PLANTED, Some("")).ended(0);
    let report = fs::read_to_string(project.folder.path().join("applied.txt")).expect("it was written");
    assert!(report.contains("Applied 4 steps") && !report.contains('\u{1b}'), "{report}");

    let stale = project.with("apply plan.json --json", PLANTED, None).ended(7);
    let events: Vec<serde_json::Value> = stale.out.lines().map(|l| serde_json::from_str(l).expect("a line is JSON")).collect();
    let names: Vec<&str> = events.iter().map(|e| e["event"].as_str().expect("a name")).collect();
    assert_eq!(names, ["started", "failed"], "{}", stale.out);
    assert_eq!(events[1]["exit_code"], 7);
    let drift = project.with("drift --env dev --json", PLANTED, None).ended(0);
    let planned: serde_json::Value = drift
        .out
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .find(|e: &serde_json::Value| e["event"] == "planned")
        .expect("it was planned");
    assert!(planned["digest"].as_str().is_some_and(|d| d.len() == 64), "{}", drift.out);
}

#[test]
fn a_state_file_is_one_for_each_environment() {
    let bare = "space_id: sales\ntitle: Sales ${REGION} (${env})\nwarehouse_id: w1\n";
    let project = Project::new(&[
        ("spaces/sales.yaml", bare),
        ("environments/dev.yaml", "workspace: local\n"),
        ("environments/prod.yaml", "workspace: local\n"),
    ]);
    let region = [("REGION", "EU")];
    for environment in ["dev", "prod"] {
        let line = format!("apply --yes --env {environment} --config spaces --state forge.json");
        let ran = project.with(&line, &region, None).ended(0);
        assert!(ran.out.contains(&format!("Sales EU ({environment})")), "{}", ran.out);
        assert!(project.folder.path().join(format!("forge.json.{environment}")).is_file());
    }
    let file = |environment: &str| project.folder.path().join(format!("forge.json.{environment}"));
    fs::copy(file("dev"), file("prod")).expect("it can be copied");
    let ran = project.with("plan --env prod --config spaces --state forge.json", &region, None).ended(1);
    assert!(ran.err.contains("belongs to environment `dev`, not `prod`"), "{}", ran.err);
    // A name that is nowhere is never sent.
    let ran = project.run("plan --env dev --config spaces --state forge.json").ended(1);
    assert!(ran.err.contains("error[E0204]: `REGION` is not defined"), "{}", ran.err);
}
