//! Spaces that could be: what is written is what is read back, ids stay, and what the API would refuse is said.

use std::collections::BTreeMap;

use proptest::collection::{btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;

use super::form::KEY;
use super::{check, ids, read, write};
use crate::model::{Address, Map, Value, json};

/// A map of the members that are there.
fn members(all: Vec<(&'static str, Option<Value>)>) -> Value {
    Value::map(all.into_iter().filter_map(|(name, value)| Some((name, value?))))
}

fn words() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["a", "two words", "one\ntwo", "${x}", "'q' \"r\" \\", "ü"]).prop_map(Value::from)
}

fn flag() -> impl Strategy<Value = Value> {
    Just(Value::Bool(true))
}

fn synonyms() -> impl Strategy<Value = Value> {
    vec(words(), 1..3).prop_map(Value::List)
}

/// Items with names that differ, each with the members that a strategy gives.
fn named(field: &'static str, prefix: &'static str, item: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    let item = item.boxed();
    btree_set(0..6_u8, 1..4).prop_flat_map(move |names| (vec(item.clone(), names.len()), Just(names))).prop_map(move |(items, names)| {
        let one = |(name, item): (u8, Value)| {
            let mut out: Map = [(field.to_owned(), Value::Text(format!("{prefix}{name}")))].into_iter().collect();
            out.extend(item.as_map().cloned().into_iter().flatten());
            Value::Map(out)
        };
        Value::List(names.into_iter().zip(items).map(one).collect())
    })
}

fn tables(prefix: &'static str) -> impl Strategy<Value = Value> {
    let column =
        (of(words()), of(synonyms()), of(flag()), of(flag()), of(flag())).prop_map(|(description, synonyms, out, format, entity)| {
            members(vec![
                ("description", description),
                ("synonyms", synonyms),
                ("exclude", out),
                ("enable_format_assistance", format),
                ("enable_entity_matching", entity),
            ])
        });
    let table = (of(words()), of(named("name", "column", column)));
    named("identifier", prefix, table.prop_map(|(description, columns)| members(vec![("description", description), ("columns", columns)])))
}

fn instructions() -> impl Strategy<Value = Value> {
    let initial = words().prop_map(|word| Value::map([("values", Value::List(vec![word]))]));
    let parameter = (of(words()), of(words()), of(initial)).prop_map(|(hint, description, initial)| {
        members(vec![("type_hint", hint), ("description", description), ("default_value", initial)])
    });
    let example = (words(), of(named("name", "p", parameter)), of(words()))
        .prop_map(|(sql, parameters, usage)| members(vec![("sql", Some(sql)), ("parameters", parameters), ("usage_guidance", usage)]));
    let join = (of(words()), of(words())).prop_map(|(comment, instruction)| {
        members(vec![
            ("right", Some(Value::from("c.s.other"))),
            ("condition", Some(Value::from("l.id = other.`two words` AND l.b = other.b"))),
            ("relationship", Some(Value::from("MANY_TO_ONE"))),
            ("left_alias", Some(Value::from("l"))),
            ("comment", comment),
            ("instruction", instruction),
        ])
    });
    let snippet = || {
        (words(), of(words()), of(synonyms()), of(words()), of(words())).prop_map(|(sql, alias, synonyms, comment, instruction)| {
            members(vec![("sql", Some(sql)), ("alias", alias), ("synonyms", synonyms), ("comment", comment), ("instruction", instruction)])
        })
    };
    let snippets = (of(named("name", "f", snippet())), of(named("name", "e", snippet())), of(named("name", "m", snippet())))
        .prop_filter("an empty one is none", |(filters, expressions, measures)| {
            filters.is_some() || expressions.is_some() || measures.is_some()
        })
        .prop_map(|(filters, expressions, measures)| {
            members(vec![("filters", filters), ("expressions", expressions), ("measures", measures)])
        });
    let function = Just(Value::Map(Map::new()));
    (
        words(),
        of(named("question", "How much ", example)),
        of(named("identifier", "c.s.f", function)),
        of(named("left", "c.s.l", join)),
        of(snippets),
    )
        .prop_map(|(text, examples, functions, joins, snippets)| {
            members(vec![
                ("text", Some(text)),
                ("example_sql", examples),
                ("functions", functions),
                ("joins", joins),
                ("snippets", snippets),
            ])
        })
}

fn space() -> impl Strategy<Value = Value> {
    let sample = Just(Value::Map(Map::new()));
    let benchmark = (words(), of(words())).prop_map(|(sql, note)| members(vec![("sql", Some(sql)), ("evaluation_note", note)]));
    (
        of(tables("c.s.t")),
        of(tables("c.s.view")),
        of(instructions()),
        of(named("question", "What is ", sample)),
        of(named("question", "Which are ", benchmark)),
    )
        .prop_map(|(tables, views, instructions, samples, benchmarks)| {
            members(vec![
                ("title", Some(Value::from("Sales"))),
                ("warehouse_id", Some(Value::from("w"))),
                ("tables", tables),
                ("metric_views", views),
                ("instructions", instructions),
                ("sample_questions", samples),
                ("benchmarks", benchmarks),
            ])
        })
}

fn address() -> Address {
    Address::new("spaces", "sales")
}

/// What the API answers after a request with this body.
fn answered(body: &Value) -> Value {
    let Value::Map(mut fields) = write::wire(body) else { return Value::Null };
    let text = json::write(&fields["serialized_space"]).expect("it is known");
    fields.insert("serialized_space".to_owned(), Value::Text(text));
    read::reply(Value::Map(fields))
}

/// Without regard to the order of members and of items.
fn unordered(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let sorted: BTreeMap<&String, Value> = map.iter().map(|(name, value)| (name, unordered(value))).collect();
            Value::Map(sorted.into_iter().map(|(name, value)| (name.clone(), value)).collect())
        }
        Value::List(items) => {
            let mut items: Vec<Value> = items.iter().map(unordered).collect();
            items.sort_by_key(Value::key_text);
            Value::List(items)
        }
        other => other.clone(),
    }
}

/// Backwards, at the top of every list of the space.
fn backwards(body: &Value) -> Value {
    match body {
        Value::Map(map) => Value::Map(map.iter().map(|(name, value)| (name.clone(), backwards(value))).collect()),
        Value::List(items) => Value::List(items.iter().rev().map(backwards).collect()),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_sent_is_read_back_as_it_was(space in space()) {
        let whole = ids::complete(&address(), read::normal(space));
        prop_assert_eq!(check::check(&whole), vec![]);
        prop_assert_eq!(unordered(&answered(&whole)), unordered(&whole));
    }

    #[test]
    fn the_normal_form_is_normal(space in space()) {
        let once = read::normal(space);
        prop_assert_eq!(read::normal(once.clone()), once);
    }

    #[test]
    fn another_order_sends_the_same(space in space()) {
        let one = write::wire(&ids::complete(&address(), read::normal(space.clone())));
        let reversed = read::normal(backwards(&space));
        // The order of parameters and synonyms is the user's.
        let other = write::wire(&ids::complete(&address(), reversed));
        prop_assert_eq!(unordered(&one), unordered(&other));
    }
}

#[test]
fn another_wording_keeps_the_id_of_a_key() {
    for (list, by) in [("sample_questions", "question"), ("benchmarks", "question")] {
        let id = |text: &str| {
            let item = Value::map([(by, text), (KEY, "top")].map(|(n, v)| (n, Value::from(v))));
            let body = ids::complete(&address(), read::normal(Value::map([(list, Value::List(vec![item]))])));
            body.get(list).and_then(|l| l.as_list()?[0].get("id")).map(Value::key_text)
        };
        assert!(id("one").is_some());
        assert_eq!(id("one"), id("two"), "{list}");
    }
}

/// What is refused: the body, the path, a word of the reason.
#[test]
fn what_the_api_would_refuse_is_said_at_its_place() {
    let table = |n: usize| format!("\"c.s.t{n}\"");
    let many = (0..31).map(table).collect::<Vec<_>>().join(",");
    for (body, path, reason) in [
        (r#"{"tables":["sales.orders"]}"#, "tables[0].identifier", "catalog.schema.name"),
        (r#"{"tables":["a..b"]}"#, "tables[0].identifier", "catalog.schema.name"),
        (r#"{"tables":["a.b.c"],"metric_views":["A.b.C"]}"#, "metric_views[0]", "list it once"),
        (r#"{"benchmarks":[{"question":"q"}]}"#, "benchmarks[0]", "`sql`"),
        (r#"{"sample_questions":[{"question":"q","id":"X"}]}"#, "sample_questions[0].id", "32 digits"),
        (r#"{"sample_questions":[" "]}"#, "sample_questions[0].question", "empty"),
        (r#"{"serialized_space":"{"}"#, "serialized_space", "no JSON"),
        (r#"{"serialized_space":"[]"}"#, "serialized_space", "no JSON object"),
        (
            r#"{"instructions":{"joins":[{"left":"a.b.c","right":"a.b.d","condition":"c.x = e.y","relationship":"ONE_TO_ONE"}]}}"#,
            "instructions.joins[0].condition",
            "`e.y`",
        ),
        (r#"{"instructions":{"joins":[{"left":"a.b.c","right":"a.b.d"}]}}"#, "instructions.joins[0]", "`relationship`"),
        (
            r#"{"instructions":{"joins":[{"left":"a.b.c","right":"a.z.c","relationship":"ONE_TO_ONE"}]}}"#,
            "instructions.joins[0]",
            "left_alias",
        ),
        (&format!("{{\"tables\":[{many}]}}"), "tables", "at most 30"),
    ] {
        let found = check::check(&read::normal(json::parse(body.as_bytes()).expect("JSON")));
        let told: Vec<String> = found.iter().map(|refusal| format!("{}: {}", refusal.path, refusal.reason)).collect();
        assert_eq!(told.len(), 1, "{body}: {told:?}");
        assert!(told[0].starts_with(&format!("{path}: ")) && told[0].contains(reason), "{body}: {told:?}");
    }
}
