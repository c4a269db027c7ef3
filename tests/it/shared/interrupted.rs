//! Ctrl-C while one command works on several environments: each is named with what became of it, what is in flight is
//! finished, no lease is left behind, and the exit code is 130.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use brickform::local::LocalOptions;

use super::bucket::Bucket;
use crate::cli::Project;
use crate::walk::Served;

const WAREHOUSES: &str = "warehouses:
  one: { name: \"one-${env.name}\", cluster_size: Small }
  two: { name: \"two-${env.name}\", cluster_size: Small }
  three: { name: \"three-${env.name}\", cluster_size: Small }
  four: { name: \"four-${env.name}\", cluster_size: Small }
";

/// Three environments in one slow workspace, their states in a bucket.
struct Three {
    project: Project,
    bucket: Bucket,
    served: Served,
}

/// A command that runs; what it said so far.
struct Running {
    process: std::process::Child,
    out: Heard,
    err: Heard,
}

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    fn listen(&self, mut from: impl Read + Send + 'static) {
        let kept = Arc::clone(&self.0);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Some(count) = from.read(&mut buffer).ok().filter(|count| *count > 0) {
                kept.lock().expect("nobody panics").extend_from_slice(&buffer[..count]);
            }
        });
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panics")).into_owned()
    }

    fn wait_for(&self, words: &str) {
        until(&format!("`{words}` is said"), || self.text().contains(words));
    }
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it never comes: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Three {
    fn new(latency_ms: u64) -> Self {
        let served = Served::with(LocalOptions { latency_ms, ..LocalOptions::default() });
        let bucket = Bucket::new();
        let project = Project::new(&[
            ("conf/project.yaml", "name: shop\n"),
            ("conf/a.yaml", WAREHOUSES),
            (".databrickscfg", &format!("[DEV]\nhost = {}\ntoken = t\n", served.url)),
        ]);
        for name in ["a", "b", "c"] {
            let text = "workspace: { profile: DEV }\nstate: { backend: \"gs://acme/bf\", lease_seconds: 60 }\n";
            project.write(&format!("environments/{name}.yaml"), text);
        }
        Self { project, bucket, served }
    }

    #[expect(clippy::disallowed_methods, reason = "it is about a process and a signal")]
    fn start(&self, line: &str) -> Running {
        let mut process = Command::new(env!("CARGO_BIN_EXE_brickform"))
            .args(line.split(' '))
            .current_dir(self.project.folder.path())
            .env_clear()
            .envs([("STORAGE_EMULATOR_HOST", self.bucket.host.as_str()), ("USER", "ada")])
            .env("HOME", self.project.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let (out, err) = (Heard::default(), Heard::default());
        out.listen(process.stdout.take().expect("it is piped"));
        err.listen(process.stderr.take().expect("it is piped"));
        Running { process, out, err }
    }

    /// Nobody holds anything, and another run ends what was begun, without a duplicate.
    fn goes_on(&self) {
        let variables = [("STORAGE_EMULATOR_HOST", self.bucket.host.as_str()), ("USER", "bob")];
        let home = self.project.folder.path().display().to_string();
        let variables = [&variables[..], &[("HOME", home.as_str())]].concat();
        let again = self.project.with("apply --env a,b,c --yes", &variables, None).ended(0);
        assert!(!again.err.contains("taken over") && !again.err.contains("waiting"), "{}", again.err);
        assert_eq!(self.served.count("warehouses"), 12);
        self.project.with("plan --env a,b,c --detailed-exitcode", &variables, None).ended(0);
    }
}

impl Running {
    #[expect(clippy::disallowed_methods, reason = "it is about a process and a signal")]
    fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status().expect("there is kill");
        assert!(sent.success());
    }

    /// Waits until it ends with 130; what it said on each stream.
    fn ended(mut self) -> (String, String) {
        let mut status = None;
        until("it ends", || {
            status = self.process.try_wait().expect("it is ours");
            status.is_some()
        });
        let said = || format!("--- out\n{}\n--- err\n{}", self.out.text(), self.err.text());
        assert_eq!(status.and_then(|status| status.code()), Some(130), "{}", said());
        // What it said last may still be on its way.
        until(&format!("the last words\n{}", said()), || Arc::strong_count(&self.out.0) + Arc::strong_count(&self.err.0) == 2);
        (self.out.text(), self.err.text())
    }
}

#[track_caller]
fn holds(text: &str, words: &[&str]) {
    for words in words {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn in_the_middle_of_an_apply_what_is_in_flight_is_finished_and_the_rest_is_not_tried() {
    let three = Three::new(300);
    let running = three.start("apply --env a,b,c --yes --parallelism 1");
    running.err.wait_for("Applying 4 steps to b");
    running.interrupt();
    let (out, err) = running.ended();
    holds(&err, &["Stopping: what is in flight is finished and saved."]);
    holds(
        &out,
        &[
            "Environments (3)\n",
            "  a  applied: 4 to add  exit code 0\n",
            "  b  interrupted: ",
            " of 4 steps done  exit code 130\n",
            "  c  not tried\n",
        ],
    );
    three.goes_on();
}

#[test]
fn between_two_applies_what_was_done_is_told_in_the_document() {
    let three = Three::new(150);
    let running = three.start("apply --env a,b,c --yes -o json");
    running.err.wait_for("Applying 4 steps to a");
    running.err.wait_for("== a");
    running.interrupt();
    let (out, err) = running.ended();
    let told: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("JSON\n{out}\n{err}"));
    let all: Vec<(&str, Option<u64>)> = told["environments"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["summary"].as_str().unwrap_or_default(), one["exit_code"].as_u64()))
        .collect();
    let before = ("interrupted before anything was changed", Some(130));
    assert_eq!(all, [("applied: 4 to add", Some(0)), before, ("not tried", None)]);
    assert_eq!((told["exit_code"].as_u64(), told["environments"][2]["tried"].as_bool()), (Some(130), Some(false)));
    assert_eq!(told["environments"][0]["result"]["results"].as_array().map(Vec::len), Some(4), "{told:#}");
    three.goes_on();
}

#[test]
fn of_plans_that_are_made_at_the_same_time_each_is_named() {
    let three = Three::new(3_000);
    let running = three.start("plan --env a,b,c --parallel-environments 2 -o markdown --report junit=found.xml");
    until("it reads a state", || three.bucket.held().asked > 0);
    std::thread::sleep(Duration::from_millis(500));
    running.interrupt();
    let (out, err) = running.ended();
    holds(
        &out,
        &[
            "<!-- brickform:plan:shop:all -->",
            "3 environments: 2 failed, 1 not tried",
            "| **a** | interrupted: nothing was changed | **failed** |",
        ],
    );
    let told = ["  a  interrupted: nothing was changed  exit code 130\n", "  b  interrupted: nothing was changed", "  c  not tried\n"];
    holds(&err, &told);
    let found = std::fs::read_to_string(three.project.folder.path().join("found.xml")).expect("it is written");
    holds(&found, &["interrupted: nothing was changed"]);
}
