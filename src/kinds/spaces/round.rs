//! What the API gives is what it is given back, whatever was in it: spaces made from seeds (`random`), with members that
//! nobody knows yet.

use serde_json::{Value as Json, json};

use super::form::Wire;
use super::random::{self, Random};
use super::{AGENTS, SPACES, check, ids, read, update, write};
use crate::kinds::{Change, Context, Kind, update_calls};
use crate::model::{Address, Path, Value, json as text};

fn address() -> Address {
    Address::new("spaces", "t")
}

/// What is read of a space that the API of this form gives.
fn taken(given: &Json, wire: Wire) -> Value {
    let reply = match wire {
        Wire::Serialised => json!({ "title": "T", "serialized_space": given.to_string() }),
        Wire::Typed => json!({ "name": "agents/01ef", "display_name": "T", "definition": given }),
    };
    read::reply(text::parse(reply.to_string().as_bytes()).expect("JSON"))
}

fn as_json(value: &Value) -> Json {
    serde_json::from_str(&text::write(value).expect("it is known")).expect("JSON")
}

/// The definition that would be sent in this form for one that was read from it.
fn through(given: &Json, wire: Wire) -> Json {
    as_json(&write::definition(&ids::complete(&address(), taken(given, wire)), wire))
}

fn sent_back(export: &Json) -> Json {
    through(export, Wire::Serialised)
}

#[test]
fn what_is_read_is_what_is_sent() {
    for seed in 0..300 {
        let mut random = Random::of(seed);
        let export = random::export(&mut random);
        let wanted = format!("{:#}", random::content(&export));
        for form in [export.clone(), random::older(&export), random::resplit(&export, &mut random)] {
            assert_eq!(format!("{:#}", random::content(&sent_back(&form))), wanted, "seed {seed}");
        }
        // The order is the server's, and ids are those that it gave.
        let mut unsplit = sent_back(&export);
        unsplit["data_sources"] = export["data_sources"].clone();
        for (name, part) in export.as_object().expect("a map") {
            if name != "data_sources" && name != "version" && part["join_specs"].is_null() {
                assert_eq!(&unsplit[name], part, "seed {seed}: {name}");
            }
        }
    }
}

#[test]
fn members_that_nobody_knows_yet_come_back() {
    let id = |n: u8| format!("{n:032x}");
    let export = json!({
        "version": 2,
        "future": { "flag": true, "list": [1, "two"] },
        "config": { "sample_questions": [{ "id": id(1), "question": ["q"], "pinned": true }], "greeting": "Hello" },
        "data_sources": { "tables": [{ "identifier": "a.b.c", "row_filter": ["x > 1"], "column_configs": [{ "column_name": "x", "unit": "EUR" }] }], "files": [{ "path": "/Volumes/a/b/c" }] },
        "instructions": {
            "tone": "brief",
            "example_question_sqls": [{ "id": id(2), "question": ["q"], "sql": ["s"], "verified_by": "ana", "parameters": [{ "name": "p", "format": "f" }] }],
            "join_specs": [{ "id": id(3), "left": { "identifier": "a.b.c", "alias": "c" }, "right": { "identifier": "a.b.d", "alias": "d" }, "sql": ["`c`.`x` = `d`.`x`", "--rt=FROM_RELATIONSHIP_TYPE_ONE_TO_ONE--"], "weight": 3 }],
            "sql_snippets": { "filters": [{ "id": id(4), "sql": ["s"], "display_name": "d", "hidden": true }], "dimensions": [{ "id": id(5), "sql": ["t"] }] }
        },
        "benchmarks": { "questions": [{ "id": id(6), "question": ["q"], "answer": [{ "format": "TEXT", "content": ["c"] }] }], "threshold": 80 }
    });
    assert_eq!(format!("{:#}", random::content(&sent_back(&export))), format!("{:#}", random::content(&export)));
}

/// Two joins of one pair of tables are two: a calendar by the day of the order, and by the day on which it was sent.
#[test]
fn joins_of_one_pair_stay_apart() {
    let join = |n: u8, column: &str| {
        json!({
            "id": format!("{n:032x}"),
            "left": { "identifier": "a.b.orders", "alias": "orders" },
            "right": { "identifier": "a.b.days", "alias": "days" },
            "sql": [format!("`orders`.`{column}` = `days`.`day`"), "--rt=FROM_RELATIONSHIP_TYPE_MANY_TO_ONE--"],
            "instruction": [format!("by {column}")]
        })
    };
    let export = json!({ "version": 2, "instructions": { "join_specs": [join(1, "sent"), join(2, "ordered")] } });
    assert_eq!(sent_back(&export)["instructions"], export["instructions"]);
}

/// The forms in which the APIs give one space: the first version, the second, the typed one.
fn forms(export: &Json) -> [(Wire, Json); 3] {
    [(Wire::Serialised, export.clone()), (Wire::Serialised, random::older(export)), (Wire::Typed, random::typed(export))]
}

#[test]
fn the_typed_form_is_sent_back_as_it_is() {
    for seed in 0..200 {
        let typed = random::agent(&mut Random::of(seed));
        assert_eq!(
            format!("{:#}", random::content(&through(&typed, Wire::Typed))),
            format!("{:#}", random::content(&typed)),
            "seed {seed}"
        );
    }
}

/// Every object of a definition may gain members: there is no level at which one is lost, whatever it holds.
#[test]
fn what_nobody_knows_comes_back_at_every_level() {
    for seed in 0..200 {
        let mut random = Random::of(seed);
        let export = random::export(&mut random);
        for (wire, given) in forms(&export) {
            let plain = given;
            let given = random::strewn(&plain, &mut random);
            assert_eq!(random::plain(&given), plain);
            let back = through(&given, wire);
            assert_eq!(random::markers(&back), random::markers(&given), "seed {seed} {wire:?}");
            assert_eq!(format!("{:#}", random::content(&back)), format!("{:#}", random::content(&given)), "seed {seed} {wire:?}");
        }
    }
}

/// What a person who never saw the unknown writes of a space: no ids, nothing of what a release does not know.
fn plainly(body: &Value) -> Value {
    match body {
        Value::Map(map) => {
            let said = map.iter().filter(|(name, _)| !matches!(name.as_str(), "id" | "text_id" | "more"));
            Value::Map(said.map(|(name, value)| (name.clone(), plainly(value))).collect())
        }
        Value::List(items) => Value::List(items.iter().map(plainly).collect()),
        other => other.clone(),
    }
}

/// The definition that an update sends.
fn updated(live: &Value, desired: &Value, wire: Wire, path: &str) -> Result<Json, String> {
    let kind: &'static Kind = if wire == Wire::Serialised { &SPACES } else { &AGENTS };
    let (address, id, paths) = (address(), Value::from("01ef"), [path.parse::<Path>().expect("a path")]);
    let change =
        Change { address: &address, id: &id, applied: None, live: Some(live), desired, paths: &paths, context: Context::default() };
    let calls = update_calls(kind, &change).map_err(|refusal| refusal.reason)?;
    Ok(as_json(calls[0].body.as_ref().and_then(|body| body.get(write::packed(wire))).expect("a definition")))
}

#[test]
fn an_update_leaves_what_nobody_knows_where_it_is() {
    for seed in 0..150 {
        let mut random = Random::of(seed);
        let export = random::export(&mut random);
        for (wire, given) in forms(&export) {
            let mut given = random::strewn(&given, &mut random);
            let live = taken(&given, wire);
            let mut desired = plainly(&live);
            let said = |word: &str| if wire == Wire::Typed { json!(word) } else { json!([word]) };
            let path = if given["instructions"]["text_instructions"][0].is_object() {
                given["instructions"]["text_instructions"][0]["content"] = said("Another text");
                let instructions = desired.as_map_mut().and_then(|map| map.get_mut("instructions")?.as_map_mut());
                instructions.expect("there is a text").insert("text".to_owned(), Value::from("Another text"));
                "instructions.text"
            } else if let Some(Value::List(tables)) = desired.as_map_mut().and_then(|map| map.get_mut("tables")) {
                let first = tables[0].as_map_mut().expect("a table");
                first.insert("description".to_owned(), Value::from("Another text"));
                let tables = given["data_sources"]["tables"].as_array_mut().expect("tables");
                let same = |table: &&mut Json| table["identifier"].as_str() == first["identifier"].as_str();
                tables.iter_mut().find(same).expect("the table")["description"] = said("Another text");
                "tables"
            } else {
                continue;
            };
            let sent = updated(&live, &desired, wire, path).expect("it is sent");
            assert_eq!(random::markers(&sent), random::markers(&given), "seed {seed} {wire:?}");
            assert_eq!(format!("{:#}", random::content(&sent)), format!("{:#}", random::content(&given)), "seed {seed} {wire:?}");
        }
    }
}

/// YAML may name some of what the server has gained: the rest stays, and what it names no more goes.
#[test]
fn what_yaml_names_of_the_unknown_is_its_own() {
    let given = json!({ "version": 2, "future": { "a": 1, "b": 2 }, "data_sources": { "tables": [{ "identifier": "a.b.c", "owner": "ana", "age": 3 }] } });
    let live = taken(&given, Wire::Serialised);
    let desired =
        text::parse(br#"{"tables": [{"identifier": "a.b.c", "more": {"owner": "bob"}}], "more": {"future": {"a": 5}}}"#).expect("JSON");
    let sent = updated(&live, &desired, Wire::Serialised, "more.future.a").expect("it is sent");
    assert_eq!((&sent["future"], &sent["data_sources"]["tables"][0]["owner"]), (&json!({ "a": 5, "b": 2 }), &json!("bob")));
    assert_eq!(sent["data_sources"]["tables"][0]["age"], 3);
    let sent = updated(&live, &desired, Wire::Serialised, "more.future.b").expect("it is sent");
    assert_eq!(sent["future"], json!({ "a": 5 }));
}

/// The first version's flags are sent as those of the second, and only as those, also where a server gives both.
#[test]
fn older_flags_are_sent_by_their_newer_names() {
    let column =
        |column: Json| json!({ "version": 1, "data_sources": { "tables": [{ "identifier": "a.b.c", "column_configs": [column] }] } });
    for (given, wanted) in [
        (
            json!({ "column_name": "x", "get_example_values": true, "build_value_dictionary": false }),
            json!({ "column_name": "x", "enable_format_assistance": true, "enable_entity_matching": false }),
        ),
        (
            json!({ "column_name": "x", "get_example_values": true, "enable_format_assistance": false }),
            json!({ "column_name": "x", "enable_format_assistance": false }),
        ),
    ] {
        let live = taken(&column(given), Wire::Serialised);
        let desired = text::parse(br#"{"tables": [{"identifier": "a.b.c", "description": "d"}]}"#).expect("JSON");
        let sent = updated(&live, &desired, Wire::Serialised, "tables").expect("it is sent");
        assert_eq!((&sent["version"], &sent["data_sources"]["tables"][0]["column_configs"]), (&json!(2), &json!([wanted])));
    }
}

/// Several texts of an old space become the one that the API takes: nothing of what they say is lost.
#[test]
fn several_texts_come_together() {
    let item = |n: u8, content: &str, more: Json| {
        let mut item = json!({ "id": format!("{n:032x}"), "content": [content] });
        item.as_object_mut().expect("a map").extend(more.as_object().cloned().expect("a map"));
        item
    };
    let given = json!({ "version": 2, "instructions": { "text_instructions": [
        item(1, "first\n", json!({ "tone": "brief" })), item(2, "second\n\n", json!({ "tone": "long", "scope": "all" })),
    ] } });
    let wanted = json!([item(1, "first\nsecond\n\n", json!({ "tone": "brief", "scope": "all" }))]);
    assert_eq!(through(&given, Wire::Serialised)["instructions"]["text_instructions"], wanted);
    // What they say otherwise than the first is told; a file that was written from them says what can be sent.
    let live = taken(&given, Wire::Serialised);
    let (address, id, paths) = (address(), Value::from("01ef"), ["tables".parse::<Path>().expect("a path")]);
    let change =
        Change { address: &address, id: &id, applied: None, live: Some(&live), desired: &live, paths: &paths, context: Context::default() };
    assert!(matches!(update::lost(&change).as_slice(), [told] if told.contains("first one's `tone`")), "{:?}", update::lost(&change));
    assert_eq!(
        read::normal(live.clone()).get("more"),
        taken(&json!({ "version": 2, "instructions": { "text_instructions": wanted } }), Wire::Serialised).get("more")
    );
    // A text that is taken away takes what belonged to it along; one that says nothing stays as it is.
    let desired = text::parse(br#"{"tables": ["a.b.c"]}"#).map(read::normal).expect("JSON");
    assert_eq!(updated(&live, &desired, Wire::Serialised, "instructions.text").expect("it is sent")["instructions"], json!(null));
    let empty = json!({ "version": 2, "instructions": { "text_instructions": [item(1, "", json!({ "tone": "brief" }))] } });
    assert_eq!(through(&empty, Wire::Serialised), empty);
}

/// An answer may gain members, and a question answers: the SQL is the one that counts, the others come along.
#[test]
fn answers_come_along_with_the_sql() {
    let sql = |text: &str| json!({ "format": "SQL", "content": [text] });
    let question = |answer: Json| json!({ "version": 2, "benchmarks": { "questions": [{ "id": "1".repeat(32), "question": ["q"], "answer": answer }] } });
    let mut scored = sql("SELECT 1");
    scored["score"] = json!(0.5);
    for answer in [
        json!([scored]),
        json!([sql("SELECT 1"), sql("SELECT 2")]),
        json!([scored, sql("SELECT 2")]),
        json!([{ "format": "TEXT", "content": ["one"] }, sql("SELECT 1")]),
    ] {
        let live = taken(&question(answer.clone()), Wire::Serialised);
        let benchmark = &live.get("benchmarks").and_then(Value::as_list).expect("benchmarks")[0];
        assert_eq!(benchmark.get("sql").and_then(Value::as_str), Some("SELECT 1"), "{answer}");
        assert_eq!(through(&question(answer.clone()), Wire::Serialised), question(answer.clone()));
        let desired = text::parse(br#"{"benchmarks": [{"question": "q", "sql": "SELECT 9"}]}"#).expect("JSON");
        let sent = updated(&live, &desired, Wire::Serialised, "benchmarks").expect("it is sent");
        let wanted: Json = serde_json::from_str(&question(answer).to_string().replace("SELECT 1", "SELECT 9")).expect("JSON");
        assert_eq!(sent, wanted);
    }
    let other = question(json!([{ "format": "TEXT", "content": ["one"] }]));
    assert_eq!(through(&other, Wire::Serialised), other);
}

#[test]
fn a_later_version_is_not_sent_back_as_an_older_one() {
    let live = taken(&json!({ "version": 3, "data_sources": { "tables": [{ "identifier": "a.b.c" }] } }), Wire::Serialised);
    let desired = text::parse(br#"{"title": "T", "tables": [{"identifier": "a.b.c", "description": "d"}]}"#).expect("JSON");
    let refused = updated(&live, &desired, Wire::Serialised, "tables").expect_err("it would lose what that version has gained");
    assert!(refused.contains("version 3") && refused.contains("knows 1 and 2"), "{refused}");
    // Nor is it written into files as if it were known.
    let found = check::check(&live);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].path.to_string().as_str(), found[0].reason.contains("version 3")), ("more.version", true));
    for known in [json!(1), json!(2), json!("2"), json!(null)] {
        assert_eq!(taken(&json!({ "version": known }), Wire::Serialised).get("more"), None);
    }
}

/// What another one set by the other API and this one has no member for: the update goes out without it, and says so.
#[test]
fn what_the_agents_api_cannot_take_blocks_nothing() {
    let measure = |more: Json| {
        let mut measure = json!({ "id": "1".repeat(32), "display_name": "revenue", "sql": "sum(c.x)", "future": 1 });
        measure.as_object_mut().expect("a map").extend(more.as_object().cloned().expect("a map"));
        json!({ "data_sources": { "tables": [{ "identifier": "a.b.c" }] }, "instructions": { "sql_snippets": { "measures": [measure] } } })
    };
    let live = taken(&measure(json!({ "comment": "by hand" })), Wire::Typed);
    for desired in [
        r#"{"tables": [{"identifier": "a.b.c", "description": "d"}]}"#,
        r#"{"tables": [{"identifier": "a.b.c", "description": "d"}], "instructions": {"snippets": {"measures": [{"name": "revenue", "sql": "sum(c.x)"}]}}}"#,
    ] {
        let desired = text::parse(desired.as_bytes()).expect("JSON");
        let sent = updated(&live, &desired, Wire::Typed, "tables").expect("it is sent");
        assert_eq!(sent["instructions"], measure(json!({}))["instructions"]);
        let (address, id, paths) = (address(), Value::from("01ef"), ["tables".parse::<Path>().expect("a path")]);
        let change = Change {
            address: &address,
            id: &id,
            applied: None,
            live: Some(&live),
            desired: &desired,
            paths: &paths,
            context: Context::default(),
        };
        let told = update::left_out(&change);
        assert!(told.len() == 1 && told[0].contains("`comment`") && told[0].contains("(revenue)"), "{told:?}");
        let title = ["title".parse::<Path>().expect("a path")];
        assert_eq!(update::left_out(&Change { paths: &title, ..change }), Vec::<String>::new());
    }
    // The other API gets back what it gave, at the place where it gave it, whether or not its reference has it.
    let given = json!({ "version": 2, "data_sources": { "tables": [{ "identifier": "a.b.c", "column_configs": [{ "column_name": "x", "display_name": "X" }] }], "volumes": [{ "path": "/Volumes/a/b/c" }] } });
    assert_eq!(sent_back(&given), given);
}

/// Nulls of a reply say nothing.
#[test]
fn nulls_hide_nothing() {
    let reply = json!({
        "name": "agents/01ef", "display_name": "T", "description": null, "parent_path": "/Users/a", "effective_parent_path": null,
        "definition": { "config": null, "data_sources": { "tables": null }, "future": null, "instructions": { "example_question_sqls": [
            { "id": "1".repeat(32), "question": "q", "sql": "s", "usage_guidance": null, "parameters": [
                { "name": "p", "default_value": { "values": null, "value_range": { "min": "1", "max": null } } },
                { "name": "o", "default_value": { "values": ["1"], "value_range": null } },
            ] },
        ] } }
    });
    let body = read::reply(text::parse(reply.to_string().as_bytes()).expect("JSON"));
    assert_eq!((body.get("title"), body.get("parent_path")), (Some(&Value::from("T")), Some(&Value::from("/Users/a"))));
    assert_eq!(as_json(body.get("more").expect("what is unknown")), json!({ "future": null }));
    let example = as_json(&body)["instructions"]["example_sql"][0].clone();
    assert_eq!(example["parameters"][0]["default_value"]["value_range"]["min"], "1");
    assert_eq!(example["parameters"][1]["default_value"], json!({ "values": ["1"] }));
    assert!(example.get("usage_guidance").is_none());
}

/// What a person writes where the API has another level is sent, as its warning says.
#[test]
fn unknown_fields_of_yaml_are_sent_at_their_level() {
    let yaml = br#"{"tables": ["a.b.c"], "config": {"greeting": "Hi"}, "data_sources": {"refresh": "daily"},
        "instructions": {"tone": "brief", "more": {"length": 3}, "snippets": {"dimensions": [1], "more": {"order": "name"}}},
        "benchmarks": {"questions": [], "threshold": 80}}"#;
    let body = read::normal(text::parse(yaml).expect("JSON"));
    let sent = as_json(&write::definition(&body, Wire::Serialised));
    assert_eq!(sent["config"], json!({ "greeting": "Hi" }));
    assert_eq!(sent["data_sources"], json!({ "tables": [{ "identifier": "a.b.c" }], "refresh": "daily" }));
    let instructions = json!({ "tone": "brief", "length": 3, "sql_snippets": { "dimensions": [1], "order": "name" } });
    assert_eq!((&sent["instructions"], &sent["benchmarks"]), (&instructions, &json!({ "questions": [], "threshold": 80 })));
}

/// What lacks what it would be recognised by is none of YAML's items: it comes back all the same, in its place.
#[test]
fn items_that_cannot_be_named_come_back() {
    let id = |n: u8| format!("{n:032x}");
    let given = json!({
        "version": 2,
        "config": { "sample_questions": [{ "id": id(1), "question": ["q"] }, { "id": id(2), "asked": true }, { "id": id(3), "question": ["r"] }] },
        "data_sources": { "tables": [{ "description": ["nameless"] }, { "identifier": "a.b.c" }] },
        "instructions": { "join_specs": [{ "id": id(4), "left": { "alias": "x" }, "right": { "identifier": "a.b.c", "alias": "c" } }] },
        "benchmarks": { "questions": [{ "id": id(5), "question": ["b"] }, { "id": id(6), "question": ["c"], "answer": [{ "format": "TEXT", "content": ["t"] }] }] }
    });
    assert_eq!(sent_back(&given), given);
    let live = taken(&given, Wire::Serialised);
    assert_eq!(check::check(&live), vec![]);
    let count = |list: &str| live.get(list).and_then(Value::as_list).map(<[Value]>::len);
    assert_eq!((count("sample_questions"), count("tables"), count("benchmarks")), (Some(2), Some(1), Some(1)));
    let desired = text::parse(br#"{"tables": [{"identifier": "a.b.c", "description": "d"}]}"#).expect("JSON");
    let sent = updated(&live, &desired, Wire::Serialised, "tables").expect("it is sent");
    assert_eq!(sent["data_sources"]["tables"], json!([{ "description": ["nameless"] }, { "identifier": "a.b.c", "description": ["d"] }]));
    assert_eq!((&sent["config"], &sent["benchmarks"]), (&given["config"], &given["benchmarks"]));
    let falling = json!({ "benchmarks": { "questions": [{ "id": id(9), "question": "b" }, { "id": id(8), "question": "a", "answer": [{ "content": "s" }] }, { "id": id(7) }] } });
    let mut wanted = falling.clone();
    wanted["benchmarks"]["questions"][1]["answer"][0]["format"] = json!("GENIE_AGENT_BENCHMARK_ANSWER_FORMAT_SQL");
    assert_eq!(through(&falling, Wire::Typed), wanted);
}
