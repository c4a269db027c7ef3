//! What is done with bytes from outside, and what must hold whatever they are: a panic is a finding.
//!
//! Two drivers run them: the seeded tests beside this file, and the coverage-guided fuzzer in `fuzz/`, which includes it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use brickform::client::auth;
use brickform::diagnostic::Source;
use brickform::kinds::Registry;
use brickform::model::{Address, CommandOutput, Fingerprint, Outside, Path, Step, System, Value, json};
use brickform::plan::saved;
use brickform::project::{self, Answers, Ask};
use brickform::state::{Document, Entry, Flush, Intent, Local, Pin, Record, StateError, Status, Store as _, WorkspaceIdentity, fold};
use brickform::yaml::{self, Node, layout::layout, splice};

/// A target: the bytes in, nothing out.
pub type Target = fn(&[u8]);

/// All targets, by the names of their folders in `fuzz/seeds/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("yaml", yaml),
    ("splice", splice),
    ("expression", expression),
    ("project", project),
    ("template", template),
    ("state", state),
    ("journal", journal),
    ("plan", plan),
    ("profile", profile),
    ("space", space),
    ("address", address),
];

/// A clock that stands still, and no programs.
struct Still;

impl System for Still {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(1_790_000_000).expect("a time")
    }

    fn run(&self, program: &str, _: &[&str], _: &FilePath) -> std::io::Result<CommandOutput> {
        Err(std::io::Error::new(std::io::ErrorKind::NotFound, program.to_owned()))
    }
}

/// A folder with a project in it, for as long as the thread lives.
struct Place {
    folder: tempfile::TempDir,
    outside: Outside,
    registry: Registry,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().display().to_string();
        let variables = Arc::new(BTreeMap::from([("HOME".to_owned(), home)]));
        let outside = Outside { variables, folder: folder.path().to_owned(), system: Arc::new(Still) };
        let place = Self { folder, outside, registry: Registry::standard() };
        place.write("conf/project.yaml", b"name: fuzz\nvariables:\n  size: { default: 2 }\n  names: { default: [a, b] }\n");
        place.write("environments/test.yaml", b"workspace: local\n");
        place.write("sql/part.hbs", b"{{env.name}}");
        place
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }

    /// The project with this file in it, and only this one: loaded and evaluated, or told what is wrong.
    fn load(&self, file: &str, bytes: &[u8]) {
        self.write(file, bytes);
        let ask = Ask { folder: Some(self.folder.path().to_owned()), environment: Some("test".to_owned()), ..Ask::default() };
        let found = match project::load(&self.outside, &ask, &self.registry) {
            Err(failed) => failed.diagnostics,
            Ok(project) => project.resolve(&Answers::new()).map_or_else(|found| found, |desired| desired.warnings),
        };
        std::fs::remove_file(self.path(file)).expect("it was written");
        let shown = brickform::report::diagnostics::text(&found, false, 100);
        assert_eq!(shown.is_empty(), found.is_empty(), "it failed and said nothing");
    }
}

thread_local! {
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

fn placed<T>(work: impl FnOnce(&Place) -> T) -> T {
    PLACE.with_borrow_mut(|place| work(place.get_or_insert_with(Place::new)))
}

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source { name: "a.yaml".to_owned(), text: text.to_owned() })
}

fn values(documents: &[Node]) -> Vec<Value> {
    documents.iter().map(Node::value).collect()
}

/// What is read is laid out so that it says the same, and laying it out again changes nothing.
pub fn yaml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let given = source(text);
    let Ok(documents) = yaml::parse(&given) else { return };
    let laid = layout(&given).expect("it was read");
    let again = source(&laid);
    let read = yaml::parse(&again).unwrap_or_else(|_| panic!("laid out it cannot be read: {text:?}\n{laid:?}"));
    assert_eq!(values(&read), values(&documents), "{text:?}\n{laid:?}");
    let twice = layout(&again).expect("it was read");
    assert_eq!(twice, laid, "laid out again it changes: {text:?}");
    for value in values(&documents) {
        let emitted = format!("{}\n", yaml::emit(&Value::map([("a", value.clone())]), 0));
        let read = yaml::parse(&source(&emitted)).unwrap_or_else(|_| panic!("emitted it cannot be read: {text:?}\n{emitted:?}"));
        assert_eq!(read[0].value(), Value::map([("a", literal(value))]), "{text:?}\n{emitted:?}");
    }
}

/// What emitted values are read back as: `${` is written so that it is no expression.
fn literal(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.replace("${", "$${")),
        Value::List(items) => Value::List(items.into_iter().map(literal).collect()),
        Value::Map(map) => Value::Map(map.into_iter().map(|(name, value)| (name, literal(value))).collect()),
        plain => plain,
    }
}

/// The places of a tree.
fn places(value: &Value, here: &Path, all: &mut Vec<Path>) {
    all.push(here.clone());
    match value {
        Value::Map(map) => map.iter().for_each(|(name, value)| places(value, &here.join(Step::Field(name.clone())), all)),
        Value::List(items) => items.iter().enumerate().for_each(|(i, value)| places(value, &here.join(Step::Index(i)), all)),
        _ => {}
    }
}

/// A value set into a text, chosen with its place by the first two bytes: it is there afterwards, and nothing else changed.
pub fn splice(bytes: &[u8]) {
    let [at, what, rest @ ..] = bytes else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let given = source(text);
    let Ok(documents) = yaml::parse(&given) else { return };
    let Some(tree) = documents.first().map(Node::value) else { return };
    let mut all = vec![];
    places(&tree, &Path::root(), &mut all);
    let path = all[usize::from(*at) % all.len()].clone();
    let new = [Value::from("new: text"), Value::from("a\nb\n"), Value::Null, Value::map([("a", Value::from("b"))]), Value::List(vec![])];
    let value = new[usize::from(*what) % new.len()].clone();
    let Ok(edited) = splice::splice(&given, 0, &[splice::Edit::Set(path.clone(), value.clone())]) else { return };
    let read = yaml::parse(&source(&edited)).unwrap_or_else(|_| panic!("edited it cannot be read: {path} of {text:?}\n{edited:?}"));
    assert_eq!(read.first().and_then(|d| d.value().at(&path).cloned()), Some(value), "{path} of {text:?}\n{edited:?}");
    assert_eq!(values(&read)[1..], values(&documents)[1..], "{path} of {text:?}\n{edited:?}");
}

/// An expression in a body, on its own and inside text.
pub fn expression(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let quoted = |text: String| json::display(&Value::Text(text));
    let (whole, alone) = (quoted(text.to_owned()), quoted(format!("${{{text}}}")));
    let file = format!("jobs:\n  a: {{ name: {whole} }}\n  b: {{ name: b, description: {alone} }}\n  c: {{ name: c }}\n");
    placed(|place| place.load("conf/a.yaml", file.as_bytes()));
}

/// A file of a project.
pub fn project(bytes: &[u8]) {
    placed(|place| place.load("conf/a.yaml", bytes));
}

/// A template that gives a file of a project.
pub fn template(bytes: &[u8]) {
    placed(|place| place.load("conf/a.yaml.hbs", bytes));
}

/// A serialised space, in the YAML of a project and from the server.
pub fn space(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let quoted = json::display(&Value::Text(text.to_owned()));
    placed(|place| {
        let kind = place.registry.get("spaces").expect("it is a kind");
        let body = Value::map([("title", Value::from("t")), ("serialized_space", Value::Text(text.to_owned()))]);
        for hook in [kind.hooks.reply, kind.hooks.normal].into_iter().flatten() {
            hook(body.clone());
        }
        place.load("conf/a.yaml", format!("spaces:\n  a: {{ title: t, warehouse_id: w, serialized_space: {quoted} }}\n").as_bytes());
    });
}

/// A file of profiles. No message holds what stands behind `token`.
pub fn profile(bytes: &[u8]) {
    placed(|place| {
        place.write(".databrickscfg", bytes);
        // Torn out of its line it is no token any more, but a part of a host.
        let is_token = String::from_utf8_lossy(bytes).lines().all(|line| !line.contains("dapi0") || line.starts_with("token"));
        for profile in [None, Some("PROD")] {
            if let Err(error) = auth::resolve(&place.outside, &auth::Explicit::new(), profile) {
                assert!(!is_token || !error.to_string().contains("dapi0"), "{error}");
            }
        }
    });
}

/// Addresses and paths are read back as they are shown.
pub fn address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string().parse::<Address>().as_ref(), Ok(&address), "{text:?}");
    }
    if let Ok(path) = text.parse::<Path>() {
        assert_eq!(path.to_string().parse::<Path>().as_ref(), Ok(&path), "{text:?}");
    }
}

/// A saved plan, with its digest and seal made right, so that what is behind them is reached.
pub fn plan(bytes: &[u8]) {
    let _ = saved::read(bytes);
    let Ok(mut envelope) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let Some(plan) = envelope.get("plan").map(ToString::to_string) else { return };
    envelope["digest"] = serde_json::json!(Fingerprint::of(plan.as_bytes()));
    let members = ["format", "created", "expires", "commit", "digest", "verdicts"];
    let around: String = members.iter().filter_map(|name| Some(format!("{name} {}\n", envelope.get(*name)?))).collect();
    envelope["seal"] = serde_json::json!(Fingerprint::of(around.as_bytes()));
    let Ok(read) = saved::read(envelope.to_string().as_bytes()) else { return };
    let written = saved::write(&read);
    let again = saved::read(written.as_bytes()).unwrap_or_else(|fault| panic!("written again it cannot be read: {fault}\n{written}"));
    assert_eq!(saved::canonical(&again.saved), saved::canonical(&read.saved));
}

fn store(place: &Place) -> Local {
    Local::at(&place.path("state/test.json"), "fuzz", "test", &place.outside)
}

/// What a state's error must say: the place, and what to do.
fn told(error: &StateError) {
    assert!(!error.help().is_empty() && error.to_string().contains("test.json"), "{error}");
}

/// The document of a state: refused, or the same when it is written and read again.
pub fn state(bytes: &[u8]) {
    placed(|place| {
        let _ = std::fs::remove_dir_all(place.path("state"));
        place.write("state/test.json", bytes);
        match store(place).load() {
            Err(error) => told(&error),
            Ok(None) => panic!("a state that is there is none"),
            Ok(Some(document)) => {
                store(place).save(&document, "fuzz").unwrap_or_else(|error| panic!("what was read cannot be written: {error}"));
                assert_eq!(store(place).load().expect("it was written").as_ref(), Some(&document));
            }
        }
    });
}

fn entry(id: &str) -> Entry {
    Entry {
        kind: "jobs".to_owned(),
        id: id.to_owned(),
        status: Status::Ok,
        applied: Value::map([("name", Value::from(id))]),
        former: None,
        etag: None,
        protected: false,
        adopted: false,
        dependencies: vec![],
        tag: Some("t-1".to_owned()),
        deposed: vec![],
        made_by: None,
        called: None,
        before: None,
    }
}

fn document() -> Document {
    Document {
        lineage: "7d3f6a52-0000-4000-8000-000000000000".to_owned(),
        serial: 4,
        project: "fuzz".to_owned(),
        environment: "test".to_owned(),
        workspace: Some(identity()),
        commit: None,
        known_commit: None,
        pinned: None,
        resources: BTreeMap::from([(named("jobs.a"), entry("1")), (named("jobs.b"), entry("2"))]),
        open_intents: BTreeMap::new(),
    }
}

fn identity() -> WorkspaceIdentity {
    WorkspaceIdentity { host: "local".to_owned(), id: "1".to_owned() }
}

fn named(text: &str) -> Address {
    text.parse().expect("an address")
}

/// A record, chosen by a byte.
fn record(byte: u8, document: &Document) -> Record {
    let address = named(["jobs.a", "jobs.b", "jobs.c"][usize::from(byte / 8) % 3]);
    let intent = Intent {
        kind: "jobs".to_owned(),
        natural: vec!["é".to_owned()],
        tag: None,
        replaces: vec![],
        server_seconds: Some(0),
        caller: "ada".to_owned(),
        applied: Some(Value::Null),
    };
    match byte % 8 {
        0 => Record::Begin {
            lineage: document.lineage.clone(),
            serial: document.serial + u64::from(byte / 8 % 4),
            workspace: identity(),
            commit: Some("c0ffee".to_owned()),
            pinned: (byte > 127).then(|| Pin {
                to: "c0ffee".to_owned(),
                from: None,
                since: "2026-01-01T00:00:00Z".to_owned(),
                by: "ada".to_owned(),
            }),
            note: None,
        },
        1 => Record::Intent { address, intent },
        2 => Record::Withdrawn { address },
        3 => Record::Removed { address },
        4 => Record::Moved { moves: vec![(named("jobs.a"), named("jobs.b")), (named("jobs.b"), named("jobs.a"))] },
        5 => Record::End,
        _ => Record::Put { address, entry: Box::new(entry(&byte.to_string())) },
    }
}

/// A journal: the first byte says what happens to one (any bytes; cut off; a byte changed), the second where, the rest are its
/// records. Never a panic; a torn last line is dropped, anything else is an error with file and line; folded twice is once.
pub fn journal(bytes: &[u8]) {
    let [how, at, rest @ ..] = bytes else { return };
    placed(|place| {
        let _ = std::fs::remove_dir_all(place.path("state"));
        let document = document();
        store(place).save(&document, "fuzz").expect("it can be written");
        if how % 3 == 0 {
            place.write("state/test.json.journal", rest);
            if let Err(error) = store(place).load() {
                told(&error);
            }
            return;
        }
        let mut records = vec![record(0, &document)];
        records.extend(rest.iter().take(12).map(|byte| record(*byte, &document)));
        store(place).append(&records, Flush::Later).expect("it can be written");
        let whole = std::fs::read(place.path("state/test.json.journal")).expect("it was written");
        let intact = store(place).load();
        if let Ok(Some(loaded)) = &intact {
            assert_eq!(*loaded, fold(document.clone(), &records));
            assert_eq!(fold(loaded.clone(), &records), *loaded, "folded twice it is another");
        }
        let at = usize::from(*at) * whole.len() / 256;
        if how % 3 == 1 {
            place.write("state/test.json.journal", &whole[..at]);
            cut(place, &whole[..at], &document, &records);
        } else {
            let mut changed = whole.clone();
            changed[at] ^= (how / 3).max(1);
            place.write("state/test.json.journal", &changed);
            flipped(place, &whole, at, &document, &records);
        }
    });
}

/// Cut off anywhere, what is left are the whole lines before it, and writing goes on behind them.
fn cut(place: &Place, left: &[u8], document: &Document, records: &[Record]) {
    let lines = left.split(|byte| *byte == b'\n').count() - 1;
    match store(place).load() {
        Ok(loaded) => assert_eq!(loaded, Some(fold(document.clone(), &records[..lines]))),
        Err(error) => told(&error), // serials that go back
    }
    store(place).append(&[Record::End], Flush::Later).expect("it goes on");
    let kept = std::fs::read(place.path("state/test.json.journal")).expect("it was written");
    let whole = left.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    assert!(kept.starts_with(&left[..whole]) && kept.ends_with(b"\n"), "what was whole is not there any more");
    assert_eq!(kept.split(|byte| *byte == b'\n').count() - 1, lines + 1);
}

/// A changed byte is never read as something else: an error that names the line, and at the very end at most what a tear is.
fn flipped(place: &Place, whole: &[u8], at: usize, document: &Document, records: &[Record]) {
    let line = whole[..at].split(|byte| *byte == b'\n').count() - 1;
    match store(place).load() {
        Ok(loaded) => {
            assert_eq!(at + 1, whole.len(), "a changed byte in line {} goes unnoticed", line + 1);
            assert_eq!(loaded, Some(fold(document.clone(), &records[..records.len() - 1])));
        }
        Err(error) => {
            told(&error);
            let text = error.to_string();
            assert!(text.contains(&format!("line {}", line + 1)) && text.contains(".journal"), "line {}: {text}", line + 1);
        }
    }
}
