//! What the API gives is what it is given back, whatever was in it: spaces made from seeds (`random`), with members that
//! nobody knows yet.

use serde_json::{Value as Json, json};

use super::random::{self, Random};
use super::{ids, read, write};
use crate::model::{Address, Value, json as text};

/// The serialised space that would be sent for one that was read.
fn sent_back(export: &Json) -> Json {
    let reply = Value::map([("title", Value::from("T")), ("serialized_space", Value::Text(export.to_string()))]);
    let body = ids::complete(&Address::new("spaces", "t"), read::reply(reply));
    let Value::Map(fields) = write::serialised(&body) else { panic!("a map of fields") };
    serde_json::from_str(&text::write(&fields["serialized_space"]).expect("it is known")).expect("JSON")
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
