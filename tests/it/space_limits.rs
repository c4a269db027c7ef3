//! How much a Genie space may hold and what must be in it, at the edge of every rule: the last that is taken and the first that is
//! refused, by Brickform's own check and by the workspace's two APIs.

use brickform::client::{Request, RequestBody};
use brickform::kinds::{Change, Context, Kind, Registry, create_calls};
use brickform::local::{LocalOptions, LocalWorkspace};
use brickform::model::{Deferred, Value, json};
use serde_json::{Map, Value as Json, json};

fn ask(workspace: &LocalWorkspace, method: &str, path: &str, query: &[(&str, &str)], body: &Json) -> (u16, String) {
    let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = if body.is_null() { RequestBody::Empty } else { RequestBody::Json(body.to_string()) };
    let request = Request { method: method.to_owned(), path: path.to_owned(), query, headers: vec![], body };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answer = runtime.block_on(workspace.handle(request)).expect("an answer");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let message = serde_json::from_str::<Json>(&text).ok().and_then(|json| Some(json.get("message")?.as_str()?.to_owned()));
    (answer.status, message.unwrap_or_default())
}

fn workspace(rival: Option<&str>) -> LocalWorkspace {
    let rivals = rival.map(str::to_owned).into_iter().collect();
    LocalWorkspace::in_memory(LocalOptions { rivals, ..LocalOptions::default() }).expect("a workspace")
}

/// Makes a space of this knowledge by the spaces API.
fn by_spaces(workspace: &LocalWorkspace, whole: &Json) -> (u16, String) {
    let body = json!({ "title": "T", "warehouse_id": "w", "serialized_space": whole.to_string() });
    ask(workspace, "POST", "/api/2.0/genie/spaces", &[], &body)
}

/// Makes a space of this knowledge by the agents API.
fn by_agents(workspace: &LocalWorkspace, whole: &Json) -> (u16, String) {
    let body = json!({ "display_name": "T", "warehouse_id": "w", "definition": whole });
    ask(workspace, "POST", "/api/2.0/genie/agents", &[("genie_agent_id", "0123456789abcdef0123456789abcdef")], &body)
}

fn spaces() -> &'static Kind {
    Registry::standard().get("spaces").expect("it is a kind")
}

fn agents() -> &'static Kind {
    spaces().otherwise.expect("it has another API").kind
}

/// YAML's form of a body.
fn written(body: &Json) -> Value {
    spaces().hooks.normal.expect("it has a normal form")(json::parse(body.to_string().as_bytes()).expect("JSON"))
}

/// What Brickform itself says of it.
fn refused(body: &Value) -> Vec<String> {
    let found = spaces().hooks.check.expect("it has rules")(body);
    found.into_iter().map(|refusal| format!("{}: {}", refusal.path, refusal.reason)).collect()
}

/// What would be sent of it.
fn sent(kind: &'static Kind, desired: &Value) -> Json {
    let address = "spaces.t".parse().expect("an address");
    let desired = &kind.hooks.complete.expect("it gives ids")(&address, desired.clone());
    let context = Context::default();
    let change = Change { address: &address, id: &Value::Null, applied: None, live: None, desired, paths: &[], context };
    let calls = create_calls(kind, &change).expect("it can be made");
    let body = calls[0].body.as_ref().expect("a body");
    let packed = ["serialized_space", "definition"].iter().find_map(|name| body.get(name)).expect("a definition");
    serde_json::from_str(&json::write(packed).expect("it is known")).expect("JSON")
}

/// A rule about how much there may be.
struct Limit {
    what: &'static str,
    most: usize,
    /// A space with so much.
    of: fn(usize) -> Json,
    /// Where and how Brickform says it.
    told: &'static str,
    /// The workspace's words.
    text: &'static str,
    /// The habit that the workspace must have for it.
    rival: Option<&'static str>,
    by: By,
}

/// Which API has the rule.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Both,
    Spaces,
}

fn many(count: usize, of: impl Fn(usize) -> Json) -> Json {
    (0..count).map(of).collect()
}

fn space(members: &Json) -> Json {
    let mut all: Map<String, Json> = Map::new();
    all.insert("title".to_owned(), json!("T"));
    all.insert("warehouse_id".to_owned(), json!("w"));
    all.extend(members.as_object().cloned().unwrap_or_default());
    Json::Object(all)
}

fn tables(count: usize) -> Json {
    space(&json!({ "tables": many(count, |i| json!(format!("c.s.t{i}"))) }))
}

fn tables_and_views(count: usize) -> Json {
    space(&json!({ "tables": many(count - 10, |i| json!(format!("c.s.t{i}"))), "metric_views": many(10, |i| json!(format!("c.s.v{i}"))) }))
}

fn instructions(count: usize) -> Json {
    let examples = many(count - 11, |i| json!({ "question": format!("q{i}"), "sql": "SELECT 1" }));
    space(&json!({ "instructions": { "text": "t", "example_sql": examples, "functions": many(10, |i| json!(format!("c.s.f{i}"))) } }))
}

fn snippets(count: usize) -> Json {
    let list = |name: &'static str, count: usize| many(count, move |i| json!({ "name": format!("{name}{i}"), "sql": "c.s.t.x" }));
    space(
        &json!({ "tables": ["c.s.t"], "instructions": { "snippets": { "filters": list("f", count - 20), "expressions": list("e", 10), "measures": list("m", 10) } } }),
    )
}

fn text(length: usize) -> Json {
    space(&json!({ "instructions": { "text": "ä".repeat(length) } }))
}

fn described(length: usize) -> Json {
    space(&json!({ "tables": [{ "identifier": "c.s.t", "columns": [{ "name": "x", "description": "d".repeat(length) }] }] }))
}

fn named(length: usize) -> Json {
    space(&json!({ "instructions": { "snippets": { "measures": [{ "name": "n".repeat(length), "sql": "c.s.t.x" }] } } }))
}

fn synonyms(count: usize) -> Json {
    space(
        &json!({ "tables": [{ "identifier": "c.s.t", "columns": [{ "name": "x", "synonyms": many(count, |i| json!(format!("s{i}"))) }] }] }),
    )
}

/// A space whose serialised form has so many bytes.
fn bytes(count: usize) -> Json {
    let of = |last: usize| {
        let filled = |i: usize| json!({ "question": format!("q{i}"), "sql": "s".repeat(24_000), "usage_guidance": "g".repeat(if i == 0 { last } else { 24_000 }) });
        space(&json!({ "instructions": { "example_sql": many(73, filled) } }))
    };
    let empty = sent(spaces(), &written(&of(1))).to_string().len() - 1;
    of(count - empty)
}

const LIMITS: &[Limit] = &[
    Limit {
        what: "tables",
        most: 30,
        of: tables,
        told: "tables: a space has at most 30 tables and views, and these are 31",
        text: "Exceeded maximum number (30) of tables and views: 31",
        rival: None,
        by: By::Both,
    },
    Limit {
        what: "tables and metric views",
        most: 30,
        of: tables_and_views,
        told: "tables: a space has at most 30 tables and views, and these are 31",
        text: "Exceeded maximum number (30) of tables and views: 31",
        rival: None,
        by: By::Both,
    },
    Limit {
        what: "instructions",
        most: 100,
        of: instructions,
        told: "instructions: a space has at most 100 examples, functions and texts together, and these are 101",
        text: "Exceeded maximum number (100) of instructions: 101",
        rival: None,
        by: By::Both,
    },
    Limit {
        what: "snippets",
        most: 200,
        of: snippets,
        told: "instructions.snippets: a space has at most 200 filters, expressions and measures together, and these are 201",
        text: "Exceeded maximum number (200) of snippets: 201",
        rival: Some("genie-strict"),
        by: By::Both,
    },
    Limit {
        what: "characters of the general instruction",
        most: 25_000,
        of: text,
        told: "instructions.text: a text has at most 25,000 characters, and this one has 25001",
        text: "content is longer than 25000 characters: 25001",
        rival: None,
        by: By::Both,
    },
    Limit {
        what: "characters of a description",
        most: 25_000,
        of: described,
        told: "tables[0].columns[0].description: a text has at most 25,000 characters, and this one has 25001",
        text: "description is longer than 25000 characters: 25001",
        rival: None,
        by: By::Both,
    },
    Limit {
        what: "characters of a name",
        most: 25_000,
        of: named,
        told: "instructions.snippets.measures[0].name: a text has at most 25,000 characters, and this one has 25001",
        text: "display_name is longer than 25000 characters: 25001",
        rival: None,
        by: By::Both,
    },
    Limit {
        what: "items of a list",
        most: 10_000,
        of: synonyms,
        told: "tables[0].columns[0].synonyms: a list has at most 10,000 items, and this one has 10001",
        text: "synonyms has more than 10000 items: 10001",
        rival: None,
        by: By::Both,
    },
    Limit {
        what: "bytes",
        most: 3_500_000,
        of: bytes,
        told: "a space holds at most 3.5 MB in all, and this one has 3500001 bytes",
        text: "serialized_space is longer than 3500000 bytes: 3500001",
        rival: Some("genie-strict"),
        by: By::Spaces,
    },
];

#[test]
fn every_limit_holds_on_both_sides_at_its_edge() {
    for Limit { what, most, of, told, text, rival, by } in LIMITS {
        let [last, first] = [*most, *most + 1].map(|count| written(&of(count)));
        assert_eq!(refused(&last), Vec::<String>::new(), "{what}");
        let said = refused(&first);
        assert!(said.len() == 1 && said[0].contains(told), "{what}: {said:?}");
        let [last_there, first_there] = [&last, &first].map(|body| by_spaces(&workspace(*rival), &sent(spaces(), body)));
        assert_eq!(last_there.0, 200, "{what}: {}", last_there.1);
        assert_eq!(first_there, (400, format!("Invalid export proto: {text}")), "{what}");
        let [last_agent, first_agent] = [&last, &first].map(|body| by_agents(&workspace(*rival), &sent(agents(), body)));
        assert_eq!(last_agent.0, 200, "{what}: {}", last_agent.1);
        match by {
            By::Both => assert_eq!(first_agent, (400, format!("Invalid definition: {text}")), "{what}"),
            By::Spaces => assert_eq!(first_agent.0, 200, "{what}: {}", first_agent.1),
        }
        if rival.is_some() {
            let lenient = by_spaces(&workspace(None), &sent(spaces(), &first));
            assert_eq!(lenient.0, 200, "{what}: {}", lenient.1);
        }
    }
}

/// What is not known yet hides nothing of what is.
#[test]
fn what_is_unknown_hides_no_limit() {
    let mut body = written(&bytes(3_500_000));
    let waiting = Deferred { source: "${x}".to_owned(), pieces: vec![], waits: vec![], bound: brickform::model::Map::new() };
    let unknown = Value::Unknown(std::sync::Arc::new(waiting));
    body.as_map_mut().expect("a map").insert("description".to_owned(), unknown.clone());
    let tables = written(&tables(1)).get("tables").and_then(Value::as_list).expect("tables").to_vec();
    let mut table = tables[0].clone();
    table.as_map_mut().expect("a map").insert("description".to_owned(), unknown);
    body.as_map_mut().expect("a map").insert("tables".to_owned(), Value::List(vec![table]));
    let said = refused(&body);
    assert!(said.len() == 1 && said[0].contains("3.5 MB"), "{said:?}");
}

/// A space with two of everything, each pair by rising id or name.
fn pairs() -> Json {
    let snippets = json!([{ "name": "a", "sql": "t.x" }, { "name": "b", "sql": "t.x" }]);
    let table = |name: &str| json!({ "identifier": name, "columns": ["a", "b"] });
    let join = |left: &str| json!({ "left": left, "right": "c.s.z", "condition": format!("{}.x = z.x", left.rsplit('.').next().unwrap_or_default()), "relationship": "ONE_TO_ONE" });
    space(&json!({
        "tables": [table("c.s.a"), table("c.s.b")],
        "metric_views": ["c.s.m", "c.s.n"],
        "instructions": {
            "example_sql": [{ "question": "a", "sql": "SELECT 1" }, { "question": "b", "sql": "SELECT 1" }],
            "functions": ["c.s.f", "c.s.g"],
            "joins": [join("c.s.a"), join("c.s.b")],
            "snippets": { "filters": snippets, "expressions": snippets, "measures": snippets }
        },
        "sample_questions": ["a", "b"],
        "benchmarks": [{ "question": "c", "sql": "SELECT 1" }, { "question": "d", "sql": "SELECT 1" }]
    }))
}

/// The same with the first two of a list in the other order.
fn turned(whole: &Json, list: &str) -> Json {
    let mut whole = whole.clone();
    whole.pointer_mut(list).and_then(Json::as_array_mut).unwrap_or_else(|| panic!("{list}")).swap(0, 1);
    whole
}

#[test]
fn every_list_that_must_be_sorted_is() {
    let body = written(&pairs());
    assert_eq!(refused(&body), Vec::<String>::new());
    let (export, definition) = (sent(spaces(), &body), sent(agents(), &body));
    assert_eq!((by_spaces(&workspace(None), &export).0, by_agents(&workspace(None), &definition).0), (200, 200));
    for (list, text, by_agent) in [
        ("/data_sources/tables", "data_sources.tables must be sorted by identifier", None),
        ("/data_sources/metric_views", "data_sources.metric_views must be sorted by identifier", None),
        (
            "/data_sources/tables/0/column_configs",
            "data_sources.table(c.s.a).column_configs must be sorted by column_name",
            Some("data_sources.table(c.s.a).column_configs must be sorted by column"),
        ),
        ("/config/sample_questions", "config.sample_questions must be sorted by id", Some("config.sample_questions must be sorted by id")),
        ("/instructions/example_question_sqls", "instructions.example_question_sqls must be sorted by id", None),
        ("/instructions/sql_functions", "instructions.sql_functions must be sorted by (id, identifier)", None),
        ("/instructions/join_specs", "instructions.join_specs must be sorted by id", None),
        ("/instructions/sql_snippets/filters", "instructions.sql_snippets.filters must be sorted by id", None),
        ("/instructions/sql_snippets/expressions", "instructions.sql_snippets.expressions must be sorted by id", None),
        ("/instructions/sql_snippets/measures", "instructions.sql_snippets.measures must be sorted by id", None),
        // Of benchmarks exports hold both orders; the agents API wants the last one first.
        ("/benchmarks/questions", "", Some("benchmarks.questions must be sorted by id in descending order")),
    ] {
        let got = by_spaces(&workspace(None), &turned(&export, list));
        let wanted = if text.is_empty() { (200, String::new()) } else { (400, format!("Invalid export proto: {text}")) };
        assert_eq!(got, wanted, "{list}");
        if definition.pointer(list).is_some() {
            let got = by_agents(&workspace(None), &turned(&definition, list));
            let wanted = by_agent.map_or((200, String::new()), |text| (400, format!("Invalid definition: {text}")));
            assert_eq!(got, wanted, "{list}");
        }
    }
}

/// What is no question of how much: each as it is sent, and what either API says.
#[test]
fn every_other_rule_holds_by_both_apis() {
    let body = written(&pairs());
    let (export, definition) = (sent(spaces(), &body), sent(agents(), &body));
    let both = |edit: &dyn Fn(&mut Json), serialised: Option<&str>, typed: Option<&str>, rival: Option<&str>| {
        let (mut export, mut definition) = (export.clone(), definition.clone());
        edit(&mut export);
        edit(&mut definition);
        let wanted = |text: Option<&str>| text.map_or((200, String::new()), |text| (400, text.to_owned()));
        assert_eq!(by_spaces(&workspace(rival), &export), wanted(serialised));
        assert_eq!(by_agents(&workspace(rival), &definition), wanted(typed));
    };
    let missing = "sql_snippets.measures[0].sql is required but missing";
    both(
        &|whole| {
            let sql = &mut whole["instructions"]["sql_snippets"]["measures"][0]["sql"];
            *sql = if sql.is_array() { json!([" "]) } else { json!(" ") };
        },
        Some(&format!("Invalid export proto: {missing}")),
        Some(&format!("Invalid definition: {missing}")),
        None,
    );
    // The agents API's types leave these open.
    both(
        &|whole| drop(whole["instructions"]["sql_snippets"]["measures"][0].as_object_mut().and_then(|it| it.remove("display_name"))),
        Some("Invalid export proto: sql_snippets.measures[0].display_name is required but missing"),
        None,
        None,
    );
    both(
        &|whole| drop(whole["benchmarks"]["questions"][0].as_object_mut().and_then(|it| it.remove("answer"))),
        Some("Invalid export proto: benchmark_question must have at least one answer"),
        None,
        None,
    );
    both(
        &|whole| {
            let join = &mut whole["instructions"]["join_specs"][0];
            if let Some(sql) = join["sql"].as_array_mut() {
                sql[0] = json!("S");
                sql.truncate(1);
            }
            join.as_object_mut().and_then(|it| it.remove("relationship_type"));
        },
        Some("Failed to parse export proto: S (of class java.lang.String)"),
        None,
        None,
    );
    let nonsense = |whole: &mut Json| {
        let join = &mut whole["instructions"]["join_specs"][0];
        match join["sql"].as_array_mut() {
            Some(sql) => sql[0] = json!("nonsense"),
            None => join["sql"] = json!("nonsense"),
        }
    };
    both(&nonsense, None, None, None);
    both(&nonsense, Some("Failed to parse export proto: nonsense (of class java.lang.String)"), None, Some("genie-strict"));
    // One column of one table is configured once, in whichever entry.
    both(
        &|whole| {
            let tables = whole["data_sources"]["tables"].as_array_mut().expect("tables");
            tables[1]["identifier"] = tables[0]["identifier"].clone();
        },
        Some("Invalid export proto: data_sources.table(c.s.a).column_configs has a twice"),
        Some("Invalid definition: data_sources.table(c.s.a).column_configs has a twice"),
        None,
    );
}

/// Brickform says what either API would refuse and YAML can hold.
#[test]
fn what_is_missing_is_told_before() {
    for (body, told) in [
        (
            json!({ "instructions": { "snippets": { "measures": [{ "name": "m", "sql": " " }] } } }),
            "instructions.snippets.measures[0].sql: the SQL is empty",
        ),
        (
            json!({ "instructions": { "snippets": { "filters": [{ "name": "m", "sql": "" }] } } }),
            "instructions.snippets.filters[0].sql: the SQL is empty",
        ),
        (json!({ "benchmarks": ["q"] }), "benchmarks[0]: a benchmark needs the answer"),
    ] {
        let said = refused(&written(&space(&body)));
        assert!(said.len() == 1 && said[0].starts_with(told), "{said:?}");
    }
    // The agents API has benchmarks without an answer: what it gave goes nowhere else.
    let body = written(&space(&json!({ "more": { "benchmarks": { "questions": [{ "id": "1".repeat(32), "question": "q" }] } } })));
    assert_eq!(refused(&body), Vec::<String>::new());
    let carries = |kind: &'static Kind| kind.hooks.carries.expect("it has rules")(&body);
    let said = carries(spaces());
    assert!(said.len() == 1 && said[0].path.to_string() == "more.benchmarks.questions[0]" && said[0].reason.contains("(`q`)"), "{said:?}");
    assert_eq!(carries(agents()), vec![]);
}

/// A folder that is not there is refused in either of the two ways that are known.
#[test]
fn a_folder_that_is_not_there_is_refused() {
    for (rival, status) in [(None, 404), (Some("genie-parent-400"), 400)] {
        let there = workspace(rival);
        let space =
            json!({ "title": "T", "warehouse_id": "w", "parent_path": "/Workspace/Shared/none", "serialized_space": "{\"version\":2}" });
        let wanted = (status, "Tree node with path /Shared/none does not exist".to_owned());
        assert_eq!(ask(&there, "POST", "/api/2.0/genie/spaces", &[], &space), wanted);
        let agent = json!({ "display_name": "T", "warehouse_id": "w", "parent_path": "/Workspace/Shared/none", "definition": {} });
        assert_eq!(ask(&there, "POST", "/api/2.0/genie/agents", &[("genie_agent_id", &"a".repeat(32))], &agent), wanted);
    }
}

/// The access list of a space still answers when the space is in the trash.
#[test]
fn the_access_list_of_a_trashed_space_answers() {
    let there = workspace(None);
    let id = "a".repeat(32);
    let agent = json!({ "display_name": "T", "warehouse_id": "w", "definition": {} });
    assert_eq!(ask(&there, "POST", "/api/2.0/genie/agents", &[("genie_agent_id", &id)], &agent).0, 200);
    assert_eq!(ask(&there, "DELETE", &format!("/api/2.0/genie/spaces/{id}"), &[], &Json::Null).0, 200);
    assert_eq!(ask(&there, "GET", &format!("/api/2.0/genie/spaces/{id}"), &[], &Json::Null).0, 404);
    assert_eq!(ask(&there, "GET", &format!("/api/2.0/permissions/genie/{id}"), &[], &Json::Null).0, 200);
    assert_eq!(ask(&there, "GET", &format!("/api/2.0/permissions/genie/{}", "b".repeat(32)), &[], &Json::Null).0, 404);
}
