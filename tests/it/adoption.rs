//! Objects that nobody declares, taken over: the YAML is written, the plan that follows is empty. Over every kind, with the
//! documents of the laws.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use brickform::cli::{Streams, run};
use brickform::client::{Request, RequestBody};
use brickform::kinds::{Lifetime, Registry};
use brickform::local::{LocalOptions, LocalWorkspace};
use brickform::model::{Outside, Value, json};

use super::laws::each;
use super::laws_cases::Case;
use super::world::PLANTED;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no writer panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

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
            let mut parts = line.splitn(3, ' ');
            let (method, path) = (parts.next().expect("a method"), parts.next().expect("a path"));
            let body = parts.next().map_or(RequestBody::Empty, |b| RequestBody::Json(b.to_owned()));
            let request = Request { method: method.to_owned(), path: path.to_owned(), query: vec![], headers: vec![], body };
            let answer = workspace.handle(request).await.expect("an answer");
            assert!(answer.status < 300, "{line}: {}", String::from_utf8_lossy(&answer.body));
        }
    }

    /// Exit code, and everything that was said.
    pub fn run(&self, line: &[&str]) -> (u8, String) {
        let said = Kept::default();
        let streams = Streams {
            out: Box::new(said.clone()),
            err: Box::new(said.clone()),
            input: Box::new(Cursor::new(Vec::new())),
            out_terminal: false,
            err_terminal: false,
            in_terminal: false,
            columns: None,
        };
        let variables = BTreeMap::from([("LAWS_SECRET".to_owned(), PLANTED.to_owned())]);
        let real = Outside::real().expect("a current folder");
        let outside = Outside { variables: Arc::new(variables), folder: self.folder.path().to_owned(), system: real.system };
        let arguments: Vec<OsString> = std::iter::once("brickform").chain(line.iter().copied()).map(OsString::from).collect();
        // A runtime of its own: the checks run inside one already.
        let exit = std::thread::scope(|scope| scope.spawn(|| run(arguments, &outside, streams).code()).join()).expect("no panic");
        (exit, String::from_utf8(said.0.lock().expect("no writer panics").clone()).expect("UTF-8"))
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
