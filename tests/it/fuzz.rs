//! Whatever is read from outside, broken in every way: an answer or an error, never a panic, and never less than was there.
//!
//! Cases come from seeds, so a failure can be had again. `FUZZ_CASES=5000` for more of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use brickform::client::{Request, RequestBody, auth};
use brickform::diagnostic::Source;
use brickform::kinds::Registry;
use brickform::local::LocalWorkspace;
use brickform::model::{Address, Path, Step, Value, json};
use brickform::plan::{Options, saved};
use brickform::project;
use brickform::state::{Document, StateError, Store as _};
use brickform::yaml::{self, Node, layout::layout, splice};

use super::laws::done;
use super::simulation::random::Random;
use super::world::World;

/// How many cases of each sort are tried unless something else is said.
const CASES: u64 = 60;

/// What one input may take at the very most: more is not slow, it is endless.
const BOUND: Duration = Duration::from_secs(10);

#[expect(clippy::disallowed_methods, reason = "the test's own settings come from its environment")]
fn cases() -> impl Iterator<Item = Random> {
    let count = std::env::var("FUZZ_CASES").map_or(CASES, |text| text.parse().expect("a number"));
    (0..count).map(Random::of)
}

fn at(random: &mut Random, end: usize) -> usize {
    usize::try_from(random.below(end.max(1) as u64)).expect("it is below a length")
}

/// Bytes with some of them changed, cut, doubled, or replaced by what means something in the format.
fn broken(whole: &[u8], words: &[&str], random: &mut Random) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=random.below(4) {
        let (from, to) = (at(random, bytes.len() + 1), at(random, bytes.len() + 1));
        let (from, to) = (from.min(to), from.max(to));
        match random.below(6) {
            0 if from < bytes.len() => bytes[from] = u8::try_from(random.below(256)).expect("a byte"),
            1 => bytes.truncate(from),
            2 => {
                let part = bytes[from..to.min(from + 200)].to_vec();
                bytes.splice(to..to, part);
            }
            3 => drop(bytes.splice(from..to.min(from + 20), [])),
            4 => drop(bytes.splice(from..from, "é\u{feff}\u{2028}😀\0".bytes())),
            _ => drop(bytes.splice(from..from, random.one(words).bytes())),
        }
    }
    bytes
}

fn broken_text(whole: &str, words: &[&str], random: &mut Random) -> String {
    String::from_utf8_lossy(&broken(whole.as_bytes(), words, random)).into_owned()
}

/// Runs it, and tells the input where it takes for ever.
fn bounded<T>(input: &str, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let made = work();
    assert!(began.elapsed() < BOUND, "{:?}: {input:?}", began.elapsed());
    made
}

const YAML: &[&str] = &[
    "# a comment\njobs:\n  a: &x { name: nightly, tags: {a: b,c: d} } # after\n  b:\n    <<: *x\n    tasks:\n    - task_key: 'one'\n      sql: |\n        select 1\n\n    - task_key: \"two\\n\"\n",
    "a: [1,2.5, -3e7, 0x1f, yes, ~, 2026-01-01, 'it''s']\n---\nb:   >-\n   folded\n   text\n\n\nc: {x: , \"y\":z}\n",
    "? complex\n: value\nlist:\n- - nested\n  - - deeper\n- {a: [b, {c: d}]}\r\nwindows: true\r\n",
];
const YAML_WORDS: &[&str] = &[
    "---\n",
    "&a ",
    "*a",
    "<<: ",
    "|\n  ",
    ">-\n",
    "? ",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "#",
    "\t",
    "\r\n",
    "!!str ",
    "%YAML 1.2\n",
];

fn values(documents: &[Node]) -> Vec<Value> {
    documents.iter().map(Node::value).collect()
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

#[test]
fn yaml_is_read_laid_out_and_edited_or_refused() {
    let new = [Value::from("new: text"), Value::Null, Value::Bool(true), Value::map([("a", Value::from("b"))]), Value::List(vec![])];
    for mut random in cases() {
        let text = {
            let good = *random.one(YAML);
            broken_text(good, YAML_WORDS, &mut random)
        };
        let source = Arc::new(Source { name: "a.yaml".to_owned(), text: text.clone() });
        let Ok(documents) = bounded(&text, || yaml::parse(&source)) else { continue };
        let laid = bounded(&text, || layout(&source)).expect("it was read");
        let again = Arc::new(Source { name: "a.yaml".to_owned(), text: laid });
        let read = yaml::parse(&again).unwrap_or_else(|_| panic!("laid out it cannot be read: {text:?}\n{:?}", again.text));
        assert_eq!(values(&read), values(&documents), "{text:?}");
        let Some(tree) = documents.first().map(Node::value) else { continue };
        let mut all = vec![];
        places(&tree, &Path::root(), &mut all);
        let (path, value) = (random.one(&all).clone(), random.one(&new).clone());
        let edited = bounded(&text, || splice::splice(&source, 0, &[splice::Edit::Set(path.clone(), value.clone())]));
        let Ok(edited) = edited else { continue };
        let edited = Arc::new(Source { name: "a.yaml".to_owned(), text: edited });
        let read = yaml::parse(&edited).unwrap_or_else(|_| panic!("edited it cannot be read: {text:?}\n{:?}", edited.text));
        assert_eq!(read.first().and_then(|d| d.value().at(&path).cloned()), Some(value), "{path} of {text:?}");
    }
}

#[test]
fn addresses_and_paths_are_read_back_as_they_are_shown() {
    let addresses = ["jobs.nightly", "jobs.a[\"x\"]/permissions", "schemas.b[\"a.b/c\"]", "grants.c"];
    let paths = ["tasks[task_key=load].run_if", "a.b[0].c", "entries[\"a b\"]", "tags[\"x.y\"]", "a[key=\"x]y\"]"];
    let words = ["[", "]", "\"", "\\", ".", "/", "=", "0", "99999999999999999999", " "];
    for mut random in cases().flat_map(|random| (0..20).map(move |n| Random::of(random.clone().next().wrapping_add(n)))) {
        let text = {
            let good = *random.one(&addresses);
            broken_text(good, &words, &mut random)
        };
        if let Ok(address) = text.parse::<Address>() {
            assert_eq!(address.to_string().parse::<Address>().as_ref(), Ok(&address), "{text:?}");
        }
        let text = {
            let good = *random.one(&paths);
            broken_text(good, &words, &mut random)
        };
        if let Ok(path) = text.parse::<Path>() {
            assert_eq!(path.to_string().parse::<Path>().as_ref(), Ok(&path), "{text:?}");
        }
    }
}

/// Loads a project with this file in it; what is wrong is said, whatever it is.
fn loaded(world: &World, file: &str, text: &str) {
    world.write(file, text);
    let said = bounded(text, || project::load(&world.outside, &world.ask(), &Registry::standard()));
    if let Err(failed) = said {
        assert!(!failed.diagnostics.is_empty(), "it failed and said nothing: {text:?}");
    }
}

#[test]
fn expressions_are_evaluated_or_refused() {
    let good = [
        "${env.name ~ '_' ~ (1 + 2) | upper}",
        "a ${jobs.b.id} ${lookup('warehouses', \"x\").id} c",
        "${'x' if env.name == 'test' else [1, {'a': 2}][0]}",
        "${range(10) | map('string') | join(',')} $${not}",
    ];
    let words =
        ["${", "}", "'", "\"", "(", "[", "{", "|", " if ", " for x in range(100000) ", "~", "**", "9999999999", "range(99999999)", "\\"];
    let world = World::new(&[]);
    for mut random in cases() {
        let text = {
            let good = *random.one(&good);
            broken_text(good, &words, &mut random)
        };
        let quoted = json::display(&Value::Text(text));
        loaded(&world, "conf/a.yaml", &format!("jobs:\n  a: {{ name: {quoted} }}\n  b: {{ name: b }}\n"));
    }
}

#[test]
fn templates_are_rendered_or_refused() {
    let good = "jobs:\n{{#each list as |item i|}}\n  j{{i}}: { name: \"{{item.name}}\" }\n{{else}}\n  {{! none }}\n{{/each}}\n{{#if env.name}}  z: { name: {{json env.name}} }\n{{/if}}{{{raw}}} \\{{not}} {{> sql/part.hbs}}\n";
    let words = [
        "{{",
        "}}",
        "{{{",
        "}}}",
        "{{{{",
        "{{#",
        "{{/",
        "{{/each}}",
        "{{else}}",
        "{{~",
        "~}}",
        "{{!--",
        "--}}",
        "|",
        "../",
        "@root",
        "\\",
        "(",
        ")",
        "[",
        "{{>",
        "{{#>",
        "{{^",
        "{{&",
        "{{*",
    ];
    let world = World::new(&[]);
    world.write("sql/part.hbs", "{{env.name}}");
    for mut random in cases() {
        loaded(&world, "conf/a.yaml.hbs", &broken_text(good, &words, &mut random));
    }
}

#[test]
fn profile_files_are_read_or_refused() {
    let good = "[DEFAULT]\nhost = https://a.cloud.databricks.com\ntoken: dapi0 # why\n\n[__settings__]\ndefault_profile = PROD\n[PROD]\nhost=\"https://b\"\nclient_id = x\nclient_secret = 'y;z' ; end\n";
    let words = ["[", "]", "=", ":", "#", ";", "\"", "'", "\r", "[PROD]\n", "host", "__settings__", "default_profile = "];
    let world = World::new(&[]);
    let mut outside = world.outside.clone();
    let home = outside.folder.display().to_string();
    outside.variables = Arc::new([("HOME".to_owned(), home)].into());
    for mut random in cases() {
        let bytes = broken(good.as_bytes(), &words, &mut random);
        std::fs::write(outside.folder.join(".databrickscfg"), &bytes).expect("a file");
        // Torn out of its line it is no token any more, but a part of a host.
        let is_token = String::from_utf8_lossy(&bytes).lines().all(|line| !line.contains("dapi0") || line.starts_with("token"));
        for profile in [None, Some("PROD")] {
            if let Err(error) = auth::resolve(&outside, &auth::Explicit::new(), profile) {
                assert!(!is_token || !error.to_string().contains("dapi0"), "{error}");
            }
        }
    }
}

const SPACE: &str = r#"{"version":2,"config":{"sample_questions":[{"id":"01","question":["How many?"]}]},"data_sources":{"tables":[{"identifier":"a.b.c","column_configs":[{"column_name":"x","synonyms":["y"]}]}]},"instructions":{"text_instructions":[{"id":"02","content":["Be short."]}],"example_question_sqls":[{"id":"03","question":["q"],"sql":["select 1"]}],"join_specs":[{"id":"04","left":{"identifier":"a.b.c"},"right":{"identifier":"a.b.d"},"sql":["x = y"]}]},"benchmarks":{"questions":[{"id":"05","question":["b"],"answer":[{"format":"SQL","content":["select 2"]}]}]}}"#;

#[test]
fn serialised_spaces_are_read_or_refused() {
    let words = ["null", "[]", "{}", "\"\"", "7", "[[", "{\"id\":", "\"version\":1,", "true,", "\"content\":{}"];
    let registry = Registry::standard();
    let kind = registry.get("spaces").expect("it is a kind");
    let world = World::new(&[]);
    for mut random in cases() {
        let text = if random.chance(500) { json::display(&tree(&mut random, 5)) } else { broken_text(SPACE, &words, &mut random) };
        let body = Value::map([("title", Value::from("t")), ("serialized_space", Value::Text(text.clone()))]);
        for hook in [kind.hooks.reply, kind.hooks.normal].into_iter().flatten() {
            bounded(&text, || hook(body.clone()));
        }
        let quoted = json::display(&Value::Text(text));
        loaded(&world, "conf/a.yaml", &format!("spaces:\n  a: {{ title: t, warehouse_id: w, serialized_space: {quoted} }}\n"));
    }
}

/// Names that mean something to services, so that what is made up gets past the first look.
const FIELDS: &[&str] = &[
    "name",
    "id",
    "path",
    "scope",
    "key",
    "principal",
    "permission",
    "entries",
    "serialized_space",
    "query",
    "alert",
    "config",
    "members",
    "Operations",
    "op",
    "value",
    "tags",
    "custom_tags",
    "tasks",
    "job_id",
    "new_settings",
    "cluster_id",
    "libraries",
    "displayName",
    "language",
    "content",
    "changes",
    "access_control_list",
    "version",
    "filter",
    "page_token",
    "max_results",
    "etag",
    "string_value",
];

fn tree(random: &mut Random, depth: u64) -> Value {
    let few = random.below(4);
    match random.below(if depth == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => Value::Bool(random.chance(500)),
        2 => Value::Int(*random.one(&[0, 1, -1, i64::MAX, i64::MIN, 42])),
        3 => Value::Float(*random.one(&[0.5, -1e300])),
        4 | 5 => Value::from(*random.one(&[
            "",
            "a",
            "a.b.c",
            "/Shared/x",
            "../..",
            "é😀",
            "members[value eq \"1\"]",
            "AAAA=",
            "{",
            "\0",
            "remove",
        ])),
        6 => Value::List((0..few).map(|_| tree(random, depth - 1)).collect()),
        _ => Value::map((0..=few).map(|_| (*random.one(FIELDS), tree(random, depth - 1))).collect::<Vec<_>>()),
    }
}

#[tokio::test]
async fn the_local_workspace_answers_whatever_it_is_asked() {
    let world = World::new(&[]);
    let routes = LocalWorkspace::coverage();
    for mut random in cases() {
        for (operation, method, path) in &routes {
            let path: Vec<String> = path
                .split('/')
                .map(|part| if part.starts_with('{') { (*random.one(&["1", "a.b", "x%2Fy", "", "é"])).to_owned() } else { part.to_owned() })
                .collect();
            let query = (0..random.below(3)).map(|_| ((*random.one(FIELDS)).to_owned(), tree(&mut random, 0).key_text())).collect();
            let body = match random.below(5) {
                0 => RequestBody::Empty,
                1 => RequestBody::Json(broken_text("{\"name\":[1,{\"a\":null}]}", &["[", "{", "\"", ","], &mut random)),
                2 => RequestBody::Bytes(broken(b"content", &["PK\x03\x04"], &mut random)),
                _ => RequestBody::Json(json::display(&tree(&mut random, 4))),
            };
            let request = Request { method: method.clone(), path: path.join("/"), query, headers: vec![], body };
            let shown = format!("{operation}: {request:?}");
            let answer = world.workspace.handle(request).await.unwrap_or_else(|error| panic!("{shown}: {error}"));
            assert!((200..600).contains(&answer.status) && answer.status != 500, "{shown}: {}", String::from_utf8_lossy(&answer.body));
        }
    }
}

/// A world with a state of several kinds, its document and its journal's place.
async fn stated() -> (World, Document) {
    let world = World::new(&[]);
    world.write(
        "conf/a.yaml",
        "jobs:\n  a: { name: a, tags: { x: y }, tasks: [{ task_key: t, notebook_task: { notebook_path: /a } }] }\nwarehouses:\n  b: { name: b, cluster_size: Small }\nsecret_scopes:\n  c: { scope: c }\n",
    );
    done(&world.run(&Options::default()).await, "stated");
    let document = world.store().load().expect("it can be read").expect("it is there");
    (world, document)
}

/// Only text inside the document may differ after a byte in it was changed: what it is, and of what, is not lost.
#[tokio::test]
async fn a_broken_state_is_an_error_and_never_empty() {
    let (world, whole) = stated().await;
    let file = world.outside.folder.join(".brickform/state/test.json");
    let bytes = std::fs::read(&file).expect("a state");
    for mut random in cases() {
        let cut = at(&mut random, bytes.len());
        let twice = [bytes.as_slice(), bytes.as_slice()].concat();
        for torn in [&bytes[..cut], &twice] {
            std::fs::write(&file, torn).expect("a file");
            match world.store().load() {
                Ok(read) => assert_eq!(read.as_ref(), Some(&whole), "cut at {cut}"),
                Err(error) => assert!(!error.help().is_empty(), "{error}"),
            }
        }
        std::fs::write(&file, broken(&bytes, &["{}", "null", "[]", "\"resources\":{},"], &mut random)).expect("a file");
        match world.store().load() {
            Ok(read) => assert!(read.is_some_and(|read| !read.lineage.is_empty()), "an empty state"),
            Err(error) => assert!(!matches!(error, StateError::Io { .. }) || error.to_string().contains("UTF-8"), "{error}"),
        }
    }
}

#[test]
fn saved_plans_are_read_or_refused() {
    let good = r#"{"format":"brickform.saved-plan/1","created":"2026-03-01T10:00:00Z","expires":"2026-03-02T10:00:00Z","commit":null,"digest":"0","verdicts":[],"plan":{"steps":[{"address":"jobs.a","calls":[]}]},"seal":"0"}"#;
    for mut random in cases() {
        let bytes = broken(good.as_bytes(), &["null", "[]", "{}", "\"plan\":"], &mut random);
        assert!(saved::read(&bytes).is_err(), "no seal fits this");
    }
}
