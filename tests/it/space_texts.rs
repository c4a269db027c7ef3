//! Every message that the Genie API is known to refuse with, walked: the raw request makes the embedded workspace say exactly that, and the
//! YAML that would lead there is told at its line before anything is sent, or cannot be written at all.

use brickform::client::{Request, RequestBody};
use brickform::kinds::Registry;
use brickform::local::{LocalOptions, LocalWorkspace};
use brickform::model::{Value, json};
use brickform::project::{self, Answers};

use super::world::World;

/// An id, and another one that comes after it.
const ID: &str = "10000000000000000000000000000001";

/// What the YAML that would lead to a message comes to.
enum Yaml {
    /// Told at this line of the space with this code, in these words. The space's own lines begin with line 5.
    Told(&'static str, usize, &'static str, &'static str),
    /// It cannot be written, because ...
    Cannot(&'static str),
    /// Only the workspace knows: `plan --preflight` asks (the corpus has the cases).
    Ahead,
}

struct Row {
    /// As the public sources give it.
    text: &'static str,
    /// What is sent as `serialized_space`; ID is one.
    sent: &'static str,
    rival: Option<&'static str>,
    yaml: Yaml,
}

const fn row(text: &'static str, sent: &'static str, yaml: Yaml) -> Row {
    Row { text, sent, rival: None, yaml }
}

const SORTED: Yaml = Yaml::Cannot("lists are sorted when they are written");

fn rows() -> Vec<Row> {
    use Yaml::{Ahead, Cannot, Told};
    let functions: &'static str = Box::leak(
        format!(
            r#"{{"version":2,"instructions":{{"sql_functions":[{}]}}}}"#,
            (0..51).map(|i| format!(r#"{{"id":"{i:032x}","identifier":"c.s.f{i:02}"}}"#)).collect::<Vec<_>>().join(",")
        )
        .into_boxed_str(),
    );
    let many: &'static str = Box::leak(
        format!("    instructions:\n      functions: [{}]\n", (0..51).map(|i| format!("c.s.f{i:02}")).collect::<Vec<_>>().join(", "))
            .into_boxed_str(),
    );
    vec![
        row(
            "Invalid export proto: data_sources.tables must be sorted by identifier",
            r#"{"version":2,"data_sources":{"tables":[{"identifier":"c.s.b"},{"identifier":"c.s.a"}]}}"#,
            SORTED,
        ),
        row(
            "Invalid export proto: data_sources.table(c.s.b).column_configs must be sorted by column_name",
            r#"{"version":2,"data_sources":{"tables":[{"identifier":"c.s.b","column_configs":[{"column_name":"b"},{"column_name":"a"}]}]}}"#,
            SORTED,
        ),
        row(
            "Invalid export proto: instructions.example_question_sqls must be sorted by id",
            r#"{"version":2,"instructions":{"example_question_sqls":[{"id":"20000000000000000000000000000001","question":["q"],"sql":["s"]},
                {"id":"ID","question":["q"],"sql":["s"]}]}}"#,
            SORTED,
        ),
        row(
            "Invalid export proto: instructions.sql_functions must be sorted by (id, identifier)",
            r#"{"version":2,"instructions":{"sql_functions":[{"id":"20000000000000000000000000000001","identifier":"c.s.a"},
                {"id":"ID","identifier":"c.s.b"}]}}"#,
            SORTED,
        ),
        row(
            "Invalid export proto: text_instructions must contain at most one item",
            r#"{"version":2,"instructions":{"text_instructions":[{"id":"ID","content":["a"]},{"id":"20000000000000000000000000000001","content":["b"]}]}}"#,
            Cannot("several texts become one, each beginning a line"),
        ),
        row(
            "Invalid export proto: ExportConverter supports versions 1 and 2, but got 0",
            "{}",
            Told("    serialized_space: '{\"version\": 0}'\n", 5, "E0114", "version 0"),
        ),
        row(
            "Invalid export proto: sql_snippets.expressions[0].display_name is required but missing",
            r#"{"version":2,"instructions":{"sql_snippets":{"expressions":[{"id":"ID","sql":["a.b"]}]}}}"#,
            Cannot("what has no name is called by its alias, else by its SQL"),
        ),
        row(
            "Failed to parse export proto: sql_function.id must be provided and non-empty. Expected lowercase 32-hex UUID without hyphens.",
            r#"{"version":2,"instructions":{"sql_functions":[{"identifier":"c.s.f"}]}}"#,
            Told("    instructions:\n      functions:\n        - { identifier: c.s.f, id: '' }\n", 7, "E0114", "is no id"),
        ),
        row(
            "Invalid id for sample_question.id: '1'",
            r#"{"version":2,"config":{"sample_questions":[{"id":"1","question":["q"]}]}}"#,
            Told("    sample_questions:\n      - { question: q, id: '1' }\n", 6, "E0114", "`1` is no id"),
        ),
        row(
            "Failed to parse export proto: `a`.`x` = `b`.`y` (of class java.lang.String)",
            r#"{"version":2,"instructions":{"join_specs":[{"id":"ID","left":{"identifier":"c.s.a","alias":"a"},
                "right":{"identifier":"c.s.b","alias":"b"},"sql":["`a`.`x` = `b`.`y`"]}]}}"#,
            Told(
                "    tables: [c.s.a, c.s.b]\n    instructions:\n      joins:\n        - { left: c.s.a, right: c.s.b, condition: a.x = b.y }\n",
                8,
                "E0114",
                "how many rows meet how many",
            ),
        ),
        row(
            "Expected an array for question but found \"how many?\"",
            r#"{"version":2,"config":{"sample_questions":[{"id":"ID","question":"how many?"}]}}"#,
            Cannot("text is sent as a list of one fragment"),
        ),
        row("Invalid JSON in field 'serialized_space'", "{", Told("    serialized_space: '{'\n", 5, "E0114", "this is no JSON")),
        row(
            "Failed to retrieve schema from unity catalog. Table 'samples.nyctaxi.trip' does not exist.",
            r#"{"version":2,"data_sources":{"tables":[{"identifier":"samples.nyctaxi.trip"}]}}"#,
            Ahead,
        ),
        row(
            "Failed to retrieve schema from unity catalog. Function 'samples.nyctaxi.f' does not exist.",
            r#"{"version":2,"instructions":{"sql_functions":[{"id":"ID","identifier":"samples.nyctaxi.f"}]}}"#,
            Ahead,
        ),
        Row {
            text: "Exceeded maximum number (50) of certified answer inputs",
            sent: functions,
            rival: Some("genie-fifty-answers"),
            yaml: Told(many, 6, "W0132", "some workspaces take at most 50 functions"),
        },
        row(
            "Invalid export proto: benchmark_question must have at least one answer",
            r#"{"version":2,"benchmarks":{"questions":[{"id":"ID","question":["q"]}]}}"#,
            Told("    benchmarks:\n      - How many?\n", 6, "E0114", "needs the answer to compare with"),
        ),
        row(
            "Expected an array for answer but found \"SELECT 1\"",
            r#"{"version":2,"benchmarks":{"questions":[{"id":"ID","question":["q"],"answer":"SELECT 1"}]}}"#,
            Told("    benchmarks:\n      - { question: q, answer: SELECT 1 }\n", 6, "E0114", "write the query as `sql`"),
        ),
        row(
            "Failed to parse export proto: Cannot find field: colour in message sample_question",
            r#"{"version":2,"config":{"sample_questions":[{"id":"ID","question":["q"],"colour":"red"}]}}"#,
            Told("    sample_questions:\n      - { question: q, colour: red }\n", 6, "W0108", "unknown field `colour`"),
        ),
        row(
            "Invalid export proto: ids of questions must be unique, but '10000000000000000000000000000001' is there twice",
            r#"{"version":2,"config":{"sample_questions":[{"id":"ID","question":["q"]}]},
                "benchmarks":{"questions":[{"id":"ID","question":["q"],"answer":[{"format":"SQL","content":["s"]}]}]}}"#,
            Told(
                "    sample_questions:\n      - { question: q, id: '10000000000000000000000000000001' }\n    benchmarks:\n      - { question: q, sql: SELECT 1, id: '10000000000000000000000000000001' }\n",
                8,
                "E0114",
                "has this id already",
            ),
        ),
    ]
}

fn ask(workspace: &LocalWorkspace, method: &str, path: &str, body: &str) -> (u16, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = query.split('&').filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let body = if body.is_empty() { RequestBody::Empty } else { RequestBody::Json(body.to_owned()) };
    let request = Request { method: method.to_owned(), path: path.to_owned(), query, headers: vec![], body };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answer = runtime.block_on(workspace.handle(request)).expect("an answer");
    (answer.status, json::parse(&answer.body).unwrap_or(Value::Null))
}

fn create(workspace: &LocalWorkspace, serialized: &str) -> (u16, Value) {
    let body = Value::map([("warehouse_id", "1"), ("title", "T"), ("serialized_space", serialized)].map(|(k, v)| (k, Value::text(v))));
    ask(workspace, "POST", "/api/2.0/genie/spaces", &json::write(&body).expect("JSON"))
}

fn message(body: &Value) -> String {
    body.get("message").map(Value::key_text).unwrap_or_default()
}

#[test]
fn each_message_is_said_and_its_cause_is_told_before() {
    for Row { text, sent, rival, yaml } in rows() {
        let rivals: Vec<String> = rival.map(str::to_owned).into_iter().collect();
        let workspace = LocalWorkspace::in_memory(LocalOptions { rivals, ..LocalOptions::default() }).expect("a workspace");
        let (status, body) = create(&workspace, &sent.replace("ID", ID));
        assert_eq!((status, message(&body).as_str()), (400, text), "{sent}");
        let Yaml::Told(lines, line, code, words) = yaml else { continue };
        let world = World::new(&[]);
        world.write("conf/a.yaml", &format!("spaces:\n  s:\n    title: T\n    warehouse_id: \"1\"\n{lines}"));
        let loaded = project::load(&world.outside, &world.ask(), &Registry::standard());
        let told = match loaded.map_err(|failed| failed.diagnostics).and_then(|project| project.resolve(&Answers::new())) {
            Ok(desired) => desired.warnings,
            Err(diagnostics) => diagnostics,
        };
        let found = told.iter().find(|d| d.code == code && d.message.contains(words));
        let place = found.and_then(|d| d.labels.first()).map(|label| label.span.line_column().0);
        assert_eq!(place, Some(line), "{text}\n{lines}\n{told:#?}");
    }
}

/// What cannot be written is sent as the API takes it: everything at once, in the wrong order and without ids.
#[tokio::test]
async fn what_cannot_be_written_is_sent_as_the_api_takes_it() {
    for Row { text, yaml, .. } in rows() {
        if let Yaml::Cannot(why) = yaml {
            assert!(!why.is_empty(), "{text}");
        }
    }
    let world = World::new(&[]);
    world.write(
        "conf/a.yaml",
        "spaces:\n  s:\n    title: T\n    warehouse_id: \"1\"\n    tables:\n      - { identifier: c.s.b, columns: [b, a] }\n      - c.s.a\n    \
         instructions:\n      text_instructions: [{ content: [one] }, { content: [two] }]\n      \
         example_sql: [{ question: z, sql: SELECT 1 }, { question: a, sql: SELECT 2 }]\n      functions: [c.s.z, c.s.a]\n      \
         snippets: { expressions: [{ sql: b.a }] }\n    sample_questions: [z, a]\n",
    );
    let ran = world.run(&brickform::plan::Options::default()).await;
    assert!(ran.is_done(), "{}", ran.told());
}

/// Whoever may only look at a space is refused what it holds, and a plan says so and sends nothing.
#[test]
fn who_may_not_edit_a_space_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("w.redb");
    let open = |caller: Option<&str>| {
        LocalWorkspace::open(&file, LocalOptions { caller: caller.map(str::to_owned), ..LocalOptions::default() }).expect("a workspace")
    };
    let admin = open(None);
    let (status, space) = create(&admin, r#"{"version":1}"#);
    assert_eq!(status, 200);
    let id = space.get("space_id").map(Value::key_text).expect("an id");
    let users = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"eve@x.example"}"#;
    assert!(ask(&admin, "POST", "/api/2.0/preview/scim/v2/Users", users).0 < 300);
    drop(admin);
    let as_eve = |may: Option<&str>| {
        let entries = may.map(|level| format!(r#"{{"user_name":"eve@x.example","permission_level":"{level}"}}"#)).unwrap_or_default();
        let admin = open(None);
        let set = ask(&admin, "PUT", &format!("/api/2.0/permissions/genie/{id}"), &format!(r#"{{"access_control_list":[{entries}]}}"#));
        assert_eq!(set.0, 200, "{}", message(&set.1));
        drop(admin);
        open(Some("eve@x.example"))
    };
    let space = format!("/api/2.0/genie/spaces/{id}");
    let whole = format!("{space}?include_serialized_space=true");
    let refused = |answer: (u16, Value), level: &str| {
        assert_eq!((answer.0, message(&answer.1)), (403, format!("You need \"{level}\" permission to perform this action")));
    };
    let listed = |eve: &LocalWorkspace| ask(eve, "GET", "/api/2.0/genie/spaces", "").1.get("spaces").is_some_and(|s| !s.is_zero());

    let eve = as_eve(None);
    assert!(!listed(&eve));
    refused(ask(&eve, "GET", &space, ""), "Can View");
    drop(eve);
    let eve = as_eve(Some("CAN_RUN"));
    assert!(listed(&eve));
    assert_eq!(ask(&eve, "GET", &space, "").0, 200);
    refused(ask(&eve, "GET", &whole, ""), "Can Edit");
    refused(ask(&eve, "PATCH", &space, r#"{"title":"U"}"#), "Can Edit");
    // By the other API it is the same space.
    let agent = format!("/api/2.0/genie/agents/{id}");
    refused(ask(&eve, "GET", &agent, ""), "Can Edit");
    refused(ask(&eve, "PATCH", &format!("{agent}?update_mask=display_name"), r#"{"display_name":"U"}"#), "Can Edit");
    drop(eve);
    let eve = as_eve(Some("CAN_EDIT"));
    assert_eq!(ask(&eve, "GET", &whole, "").0, 200);
    refused(ask(&eve, "DELETE", &space, ""), "Can Manage");
    assert_eq!(ask(&eve, "GET", &agent, "").0, 200);
    refused(ask(&eve, "DELETE", &agent, ""), "Can Manage");
}

/// The guide lists every message with what tells its cause.
#[test]
fn the_guide_has_every_message() {
    let guide =
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides/genie-spaces.md")).expect("the guide");
    for Row { text, .. } in rows() {
        // The part that is the same whatever is named.
        let known = text.trim_start_matches("Invalid export proto: ").trim_start_matches("Failed to parse export proto: ");
        let known: String = known
            .split(['(', '\'', '[', '"', '`', '.'])
            .max_by_key(|part| part.len())
            .unwrap_or_default()
            .trim()
            .chars()
            .take(17)
            .collect();
        assert!(guide.contains(&known), "the guide lacks `{known}` of {text}");
    }
}
