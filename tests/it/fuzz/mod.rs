//! Whatever is read from outside, broken in every way: an answer or an error, never a panic, and never less than was there.
//!
//! Cases come from seeds, so a failure can be had again. `FUZZ_CASES=5000` for more of them. What must hold stands in
//! `targets`, which the coverage-guided fuzzer in `fuzz/` runs too; what it found is kept in `fuzz/seeds/` and tried here.

use std::path::Path as FilePath;
use std::time::{Duration, Instant};

use brickform::client::{Request, RequestBody};
use brickform::local::LocalWorkspace;
use brickform::model::{Value, json};
use brickform::plan::{Options, saved};
use brickform::state::{Document, StateError, Store as _};

mod targets;

use self::targets::TARGETS;
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

#[test]
fn everything_that_was_ever_found_is_tried_again() {
    for (name, target) in TARGETS {
        let folder = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
        let mut files: Vec<_> =
            std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{name}: {e}")).map(|e| e.expect("an entry").path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no seeds");
        for file in files {
            let bytes = std::fs::read(&file).expect("a file");
            bounded(&file.display().to_string(), || target(&bytes));
        }
    }
}

#[test]
fn yaml_is_read_laid_out_and_edited_or_refused() {
    for mut random in cases() {
        let good = *random.one(YAML);
        let text = broken_text(good, YAML_WORDS, &mut random);
        bounded(&text, || targets::yaml(text.as_bytes()));
        let choice = [random.below(256), random.below(256)].map(|n| u8::try_from(n).expect("a byte"));
        bounded(&text, || targets::splice(&[&choice, text.as_bytes()].concat()));
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
        targets::address(text.as_bytes());
        let text = {
            let good = *random.one(&paths);
            broken_text(good, &words, &mut random)
        };
        targets::address(text.as_bytes());
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
    for mut random in cases() {
        let good = *random.one(&good);
        let text = broken_text(good, &words, &mut random);
        bounded(&text, || targets::expression(text.as_bytes()));
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
    for mut random in cases() {
        let text = broken_text(good, &words, &mut random);
        bounded(&text, || targets::template(text.as_bytes()));
    }
}

#[test]
fn profile_files_are_read_or_refused() {
    let good = "[DEFAULT]\nhost = https://a.cloud.databricks.com\ntoken: dapi0 # why\n\n[__settings__]\ndefault_profile = PROD\n[PROD]\nhost=\"https://b\"\nclient_id = x\nclient_secret = 'y;z' ; end\n";
    let words = ["[", "]", "=", ":", "#", ";", "\"", "'", "\r", "[PROD]\n", "host", "__settings__", "default_profile = "];
    for mut random in cases() {
        let bytes = broken(good.as_bytes(), &words, &mut random);
        bounded(&String::from_utf8_lossy(&bytes), || targets::profile(&bytes));
    }
}

const SPACE: &str = r#"{"version":2,"config":{"sample_questions":[{"id":"01","question":["How many?"]}]},"data_sources":{"tables":[{"identifier":"a.b.c","column_configs":[{"column_name":"x","synonyms":["y"]}]}]},"instructions":{"text_instructions":[{"id":"02","content":["Be short."]}],"example_question_sqls":[{"id":"03","question":["q"],"sql":["select 1"]}],"join_specs":[{"id":"04","left":{"identifier":"a.b.c"},"right":{"identifier":"a.b.d"},"sql":["x = y"]}]},"benchmarks":{"questions":[{"id":"05","question":["b"],"answer":[{"format":"SQL","content":["select 2"]}]}]}}"#;

#[test]
fn serialised_spaces_are_read_or_refused() {
    let words = ["null", "[]", "{}", "\"\"", "7", "[[", "{\"id\":", "\"version\":1,", "true,", "\"content\":{}"];
    for mut random in cases() {
        let text = if random.chance(500) { json::display(&tree(&mut random, 5)) } else { broken_text(SPACE, &words, &mut random) };
        bounded(&text, || targets::space(text.as_bytes()));
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
        targets::plan(&bytes);
    }
}

#[test]
fn journals_are_folded_cut_or_refused() {
    for mut random in cases() {
        let bytes: Vec<u8> = (0..2 + random.below(12)).map(|_| u8::try_from(random.below(256)).expect("a byte")).collect();
        bounded("a journal", || targets::journal(&bytes));
    }
}
