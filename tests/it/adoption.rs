//! Objects that nobody declares, taken over: the YAML is written, the plan that follows is empty. Over every kind, with the
//! documents of the laws.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use brickform::cli::run;
use brickform::kinds::{Lifetime, Registry};
use brickform::local::{LocalOptions, LocalWorkspace};
use brickform::model::{Value, json};

use super::laws::each;
use super::laws_cases::Case;
use super::outside::{Kept, outside, streams};
use super::world::{PLANTED, request};

/// A project with an embedded workspace, and a command line in it.
pub struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("a folder") };
        desk.write("conf/project.yaml", "name: desk\n");
        desk.write("environments/local.yaml", "workspace: local\nstate: { key: { env: LAWS_SECRET } }\n");
        desk
    }

    /// With the API that a case is of.
    pub fn of(case: &Case) -> Self {
        let desk = Self::new();
        if let Some(workspace) = &case.workspace {
            desk.write("environments/local.yaml", &format!("workspace: {workspace}\nstate: {{ key: {{ env: LAWS_SECRET }} }}\n"));
        }
        desk
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// A file of bytes that may be no text.
    pub fn write_bytes(&self, name: &str, bytes: &[u8]) {
        self.write(name, "");
        fs::write(self.folder.path().join(name), bytes).expect("a file");
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(name)).unwrap_or_default()
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// Its workspace, as long as no command is in it.
    pub fn workspace(&self) -> LocalWorkspace {
        let file = self.folder.path().join(".brickform/local/local.redb");
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        let options = LocalOptions { workspace_id: Some(1234), settle_ms: Some(0), ..LocalOptions::default() };
        LocalWorkspace::open(&file, options).expect("it opens")
    }

    /// Requests sent past Brickform.
    pub async fn by_hand(&self, lines: &[String]) {
        let workspace = self.workspace();
        for line in lines {
            let answer = workspace.handle(request(line)).await.expect("an answer");
            assert!(answer.status < 300, "{line}: {}", String::from_utf8_lossy(&answer.body));
        }
    }

    /// Exit code, and everything that was said.
    pub fn run(&self, line: &[&str]) -> (u8, String) {
        let said = Kept::default();
        let outside = outside(self.folder.path(), [("LAWS_SECRET", PLANTED)]);
        let arguments: Vec<OsString> = std::iter::once("brickform").chain(line.iter().copied()).map(OsString::from).collect();
        // A runtime of its own: the checks run inside one already.
        let exit = std::thread::scope(|scope| scope.spawn(|| run(arguments, &outside, streams(&said, &said, None)).code()).join())
            .expect("no panic");
        (exit, said.text())
    }

    pub fn done(&self, line: &[&str], what: &str) -> String {
        let (exit, said) = self.run(line);
        assert_eq!(exit, 0, "{what}: brickform {}\n{said}\n{}", line.join(" "), self.read("conf/taken.yaml"));
        said
    }

    /// Ids of the state's whole objects of a kind.
    fn ids(&self, kind: &str) -> Vec<String> {
        let state = json::parse(self.read(".brickform/state/local.json").as_bytes()).expect("a state");
        let all = state.get("resources").and_then(Value::as_map).cloned().unwrap_or_default();
        let of = |(address, entry): (&String, &Value)| {
            let whole = address.starts_with(&format!("{kind}.")) && !address.contains('/');
            whole.then(|| entry.get("id").map(Value::key_text)).flatten()
        };
        all.iter().filter_map(of).collect()
    }

    fn forget_everything(&self) {
        fs::remove_dir_all(self.folder.path().join(".brickform/state")).expect("it goes");
        fs::remove_file(self.folder.path().join("conf/case.yaml")).expect("it goes");
    }
}

/// Kinds whose values are never handed back, so that nobody can write YAML for them.
const UNREADABLE: &[&str] = &["secrets"];

async fn adopted(case: &Case, document: &str) {
    let kind = &case.kind;
    let desk = Desk::of(case);
    desk.by_hand(&case.before).await;
    desk.write("conf/case.yaml", document);
    desk.done(&["apply", "--yes"], kind);
    let ids = desk.ids(kind);
    assert!(!ids.is_empty(), "{kind}: {}", desk.read(".brickform/state/local.json"));
    desk.forget_everything();
    for id in &ids {
        let said = desk.done(&["adopt", kind, "--id", id, "--to", "conf/taken.yaml", "--yes"], kind);
        assert!(!said.contains(PLANTED), "{kind}: {said}");
    }
    let (exit, said) = desk.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(exit, 0, "{kind}: not empty\n{said}\n{}", desk.read("conf/taken.yaml"));
}

#[test]
fn what_is_adopted_is_written_whole_and_plans_empty() {
    each(|case| async move {
        let kind = Registry::standard().get(&case.kind).expect("it is registered");
        if kind.lifetime == Lifetime::Own && !UNREADABLE.contains(&case.kind.as_str()) {
            for transition in &case.transitions {
                adopted(&case, &transition.document).await;
            }
        }
    });
}

/// It takes overlays alone: what is declared there is an unknown key.
#[test]
fn nothing_is_declared_in_the_file_of_an_environment() {
    for folder in ["environments", "conf/environments"] {
        let desk = Desk::new();
        fs::remove_file(desk.folder.path().join("environments/local.yaml")).expect("it goes");
        let (own, overlay) = (format!("{folder}/local.yaml"), "workspace: local\nresources:\n  jobs:\n    other: { name: other }\n");
        desk.write(&own, "workspace: local\n");
        desk.write(&format!("{folder}/prod.yaml"), "workspace: local\n");
        desk.write("conf/case.yaml", "jobs: { made: { name: made } }\n");
        desk.done(&["apply", "--yes", "--env", "local"], folder);
        let ids = desk.ids("jobs");
        desk.forget_everything();
        desk.write(&own, overlay);
        // What only ends in the folder's name is read by every environment.
        let adopt = ["adopt", "jobs", "--id", &ids[0], "--env", "local"];
        let said = desk.done(&[&adopt[..], &["--to", "conf/my_environments/jobs.yaml", "--dry-run"][..]].concat(), folder);
        assert!(said.contains("`conf/my_environments/jobs.yaml` is shared with prod"), "{folder}: {said}");
        let said = desk.done(&[&adopt[..], &["--yes"][..]].concat(), folder);
        assert!(said.contains("`conf/jobs.yaml` is shared with prod"), "{folder}: {said}");
        assert!(desk.read("conf/jobs.yaml").contains("name: made"), "{folder}: {said}");
        assert_eq!(desk.read(&own), overlay);
    }
}
