//! Spaces that could be: what is written is what is read back, ids stay, and what the API would refuse is said.

use std::collections::BTreeMap;

use proptest::collection::{btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;

use super::form::{Form, KEY, SECTIONS, Shape, Wire};
use super::{SPACES, carry, check, ids, read, write};
use crate::kinds::{Call, Change, Context, Fact, Field, Lit, Schema, create_calls, update_calls};
use crate::model::{Address, Map, Step, Value, json};

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
    let column = (of(words()), of(words()), of(synonyms()), of(flag()), of(flag()), of(flag())).prop_map(
        |(shown, description, synonyms, out, format, entity)| {
            members(vec![
                ("display_name", shown),
                ("description", description),
                ("synonyms", synonyms),
                ("exclude", out),
                ("enable_format_assistance", format),
                ("enable_entity_matching", entity),
            ])
        },
    );
    let table = (of(words()), of(named("name", "column", column)));
    named("identifier", prefix, table.prop_map(|(description, columns)| members(vec![("description", description), ("columns", columns)])))
}

fn instructions() -> impl Strategy<Value = Value> {
    let range = (words(), words()).prop_map(|(min, max)| Value::map([("value_range", Value::map([("min", min), ("max", max)]))]));
    let initial = prop_oneof![words().prop_map(|word| Value::map([("values", Value::List(vec![word]))])), range];
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
    let volume = of(words()).prop_map(|description| members(vec![("description", description)]));
    let connection = Just(Value::Map(Map::new()));
    let beside = (of(named("path", "/Volumes/c/s/v", volume)), of(named("mcp_connection", "mcp", connection)));
    (
        beside,
        of(tables("c.s.t")),
        of(tables("c.s.view")),
        of(instructions()),
        of(named("question", "What is ", sample)),
        of(named("question", "Which are ", benchmark)),
    )
        .prop_map(|((volumes, connections), tables, views, instructions, samples, benchmarks)| {
            members(vec![
                ("title", Some(Value::from("Sales"))),
                ("warehouse_id", Some(Value::from("w"))),
                ("tables", tables),
                ("metric_views", views),
                ("volumes", volumes),
                ("mcp_connections", connections),
                ("instructions", instructions),
                ("sample_questions", samples),
                ("benchmarks", benchmarks),
            ])
        })
}

fn address() -> Address {
    Address::new("spaces", "sales")
}

/// The fields of a request in this form.
fn sent(body: &Value, wire: Wire) -> Value {
    match wire {
        Wire::Serialised => write::serialised(body),
        Wire::Typed => write::typed(body),
    }
}

/// What the API of this form answers after a request with this body.
fn answered(body: &Value, wire: Wire) -> Value {
    let Value::Map(mut fields) = sent(body, wire) else { return Value::Null };
    match wire {
        Wire::Serialised => {
            let text = json::write(&fields["serialized_space"]).expect("it is known");
            fields.insert("serialized_space".to_owned(), Value::Text(text));
        }
        Wire::Typed => {
            fields.insert("name".to_owned(), Value::from("agents/01ef"));
        }
    }
    let mut body = read::reply(Value::Map(fields));
    if let Some(id) = body.as_map_mut().and_then(|map| map.shift_remove("space_id")) {
        assert_eq!(id.as_str(), Some("01ef"));
    }
    body
}

/// Without what the form has no place for.
fn carried(body: &Value, wire: Wire) -> Value {
    let refused = match wire {
        Wire::Serialised => carry::serialised(body),
        Wire::Typed => carry::typed(body),
    };
    let mut body = body.clone();
    for refusal in refused.iter().rev() {
        let (last, above) = refusal.path.steps().split_last().expect("a field");
        let place = above.iter().try_fold(&mut body, |value, step| match step {
            Step::Field(name) => value.as_map_mut()?.get_mut(name.as_str()),
            Step::Index(at) => match value {
                Value::List(list) => list.get_mut(*at),
                _ => None,
            },
            Step::Key(..) | Step::Inside => None,
        });
        if let (Some(Value::Map(map)), Step::Field(name)) = (place, last) {
            map.shift_remove(name.as_str());
        }
    }
    body
}

/// As the other form has it: metric views are tables.
fn views_among_tables(mut body: Value) -> Value {
    if let Some(map) = body.as_map_mut()
        && let Some(Value::List(views)) = map.shift_remove("metric_views")
        && let Value::List(tables) = map.entry("tables".to_owned()).or_insert_with(|| Value::List(vec![]))
    {
        tables.extend(views);
    }
    body
}

/// How many texts there are; those of joins have other forms.
fn count_texts(value: &Value, count: &mut usize) {
    match value {
        Value::Text(_) => *count += 1,
        Value::Map(map) => map.values().for_each(|value| count_texts(value, count)),
        Value::List(list) => list.iter().for_each(|value| count_texts(value, count)),
        _ => {}
    }
}

/// How many texts stay here: `$key`.
fn keys(value: &Value) -> usize {
    match value {
        Value::Map(map) => map.iter().map(|(name, value)| if name == KEY { 1 } else { keys(value) }).sum(),
        Value::List(list) => list.iter().map(keys).sum(),
        _ => 0,
    }
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
        let serialised = carried(&whole, Wire::Serialised);
        prop_assert_eq!(carry::serialised(&serialised), vec![]);
        prop_assert_eq!(unordered(&answered(&serialised, Wire::Serialised)), unordered(&serialised));
        let typed = carried(&whole, Wire::Typed);
        prop_assert_eq!(carry::typed(&typed), vec![]);
        prop_assert_eq!(unordered(&answered(&typed, Wire::Typed)), unordered(&views_among_tables(typed.clone())));
    }

    #[test]
    fn either_form_holds_the_same_space(space in space()) {
        let whole = ids::complete(&address(), read::normal(space));
        let both = carried(&carried(&whole, Wire::Serialised), Wire::Typed);
        let one = answered(&both, Wire::Serialised);
        prop_assert_eq!(unordered(&views_among_tables(one.clone())), unordered(&answered(&one, Wire::Typed)));
        // Nothing is lost silently: what is there and has no place is sent for the server to refuse.
        let words = |value: &Value| { let mut count = 0; count_texts(value, &mut count); count };
        for wire in [Wire::Serialised, Wire::Typed] {
            prop_assert!(words(&sent(&whole, wire)) >= words(&whole) - keys(&whole), "{:?}", wire);
        }
    }

    #[test]
    fn the_normal_form_is_normal(space in space()) {
        let once = read::normal(space);
        prop_assert_eq!(read::normal(once.clone()), once);
    }

    #[test]
    fn another_order_sends_the_same(space in space()) {
        let reversed = read::normal(backwards(&space));
        for wire in [Wire::Serialised, Wire::Typed] {
            let one = sent(&ids::complete(&address(), read::normal(space.clone())), wire);
            // The order of parameters and synonyms is the user's.
            let other = sent(&ids::complete(&address(), reversed.clone()), wire);
            prop_assert_eq!(unordered(&one), unordered(&other));
        }
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
        (r#"{"sample_questions":[{"question":"q","id":"0123456789abcdef0123456789ABCDEF"}]}"#, "sample_questions[0].id", "32 digits"),
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
        (r#"{"serialized_space":{"data_source":{"tables":[]}}}"#, "more.data_source", "did you mean `data_sources`?"),
        (
            r#"{"serialized_space":{"data_sources":{"tables":[{"identifier":"a.b.c","desciption":["x"]}]}}}"#,
            "tables[0].more.desciption",
            "in a table: did you mean `description`?",
        ),
        (
            r#"{"serialized_space":{"benchmarks":{"questions":[{"question":["q"],"anwser":[]}]}}}"#,
            "more.benchmarks.questions[0].anwser",
            "in a benchmark: did you mean `answer`?",
        ),
        (&format!("{{\"tables\":[{many}]}}"), "tables", "at most 30"),
    ] {
        let found = check::check(&read::normal(json::parse(body.as_bytes()).expect("JSON")));
        let told: Vec<String> = found.iter().map(|refusal| format!("{}: {}", refusal.path, refusal.reason)).collect();
        assert_eq!(told.len(), 1, "{body}: {told:?}");
        assert!(told[0].starts_with(&format!("{path}: ")) && told[0].contains(reason), "{body}: {told:?}");
    }
}

/// The typed form, member by member, from the API's data.
#[test]
fn the_typed_form_is_that_of_the_agents_api() {
    let yaml = r#"{"title":"Sales","warehouse_id":"w","description":"d",
        "tables":[{"identifier":"c.s.b","description":"two","columns":{"z":"last","a":{"display_name":"A","synonyms":"first","exclude":true}}},"c.s.a"],
        "metric_views":["c.s.m"],"volumes":["/Volumes/c/s/v",{"path":"/Volumes/c/s/w","description":"files"}],"mcp_connections":["github"],
        "instructions":{"text":"Be brief.","text_id":"00000000000000000000000000000001",
          "example_sql":[{"id":"00000000000000000000000000000002","question":"q","sql":"select 1","usage_guidance":"g",
            "parameters":[{"name":"p","type":"INT","default":{"min":1,"max":5}},{"name":"o","default":7}]}],
          "functions":[{"id":"00000000000000000000000000000003","identifier":"c.s.f"}],
          "joins":[{"id":"00000000000000000000000000000004","left":"c.s.a","right":"c.s.b","condition":"a.x = b.y","relationship":"MANY_TO_ONE","comment":"k"}],
          "snippets":{"filters":[{"id":"00000000000000000000000000000005","name":"f","sql":"b.x > 1"}],
            "measures":[{"id":"00000000000000000000000000000006","name":"m","sql":"sum(b.x)","alias":"total","instruction":"i"}]}},
        "sample_questions":[{"id":"00000000000000000000000000000009","question":"b"},{"id":"00000000000000000000000000000008","question":"a"}],
        "benchmarks":[{"id":"0000000000000000000000000000000a","question":"one","sql":"select 1"},{"id":"0000000000000000000000000000000b","question":"two","sql":"select 2","evaluation_note":"n"}]}"#;
    let wire = r#"{"display_name":"Sales","description":"d","warehouse_id":"w","definition":{
        "config":{"sample_questions":[{"id":"00000000000000000000000000000008","question":"a"},{"id":"00000000000000000000000000000009","question":"b"}]},
        "data_sources":{"tables":[
            {"identifier":"c.s.b","description":"two","column_configs":[{"column":"a","display_name":"A","synonyms":["first"],"exclude":true},{"column":"z","description":"last"}]},
            {"identifier":"c.s.a"},{"identifier":"c.s.m"}],
          "volumes":[{"path":"/Volumes/c/s/v"},{"path":"/Volumes/c/s/w","description":"files"}],"mcp_connections":[{"mcp_connection":"github"}]},
        "instructions":{"text_instructions":[{"id":"00000000000000000000000000000001","content":"Be brief."}],
          "example_question_sqls":[{"id":"00000000000000000000000000000002","question":"q","sql":"select 1",
            "parameters":[{"name":"p","type_hint":"INT","default_value":{"value_range":{"min":"1","max":"5"}}},{"name":"o","default_value":{"values":["7"]}}],"usage_guidance":"g"}],
          "sql_functions":[{"id":"00000000000000000000000000000003","identifier":"c.s.f"}],
          "join_specs":[{"id":"00000000000000000000000000000004","left":{"identifier":"c.s.a","alias":"a"},"right":{"identifier":"c.s.b","alias":"b"},
            "sql":"`a`.`x` = `b`.`y`","relationship_type":"GENIE_AGENT_JOIN_RELATIONSHIP_TYPE_MANY_TO_ONE","comment":"k"}],
          "sql_snippets":{"filters":[{"id":"00000000000000000000000000000005","display_name":"f","sql":"b.x > 1"}],
            "measures":[{"id":"00000000000000000000000000000006","display_name":"m","sql":"sum(b.x)","alias":"total","instruction":"i"}]}},
        "benchmarks":{"questions":[
            {"id":"0000000000000000000000000000000b","question":"two","evaluation_note":"n","answer":[{"format":"GENIE_AGENT_BENCHMARK_ANSWER_FORMAT_SQL","content":"select 2"}]},
            {"id":"0000000000000000000000000000000a","question":"one","answer":[{"format":"GENIE_AGENT_BENCHMARK_ANSWER_FORMAT_SQL","content":"select 1"}]}]}}}"#;
    let body = read::normal(json::parse(yaml.as_bytes()).expect("JSON"));
    assert_eq!((check::check(&body), carry::typed(&body)), (vec![], vec![]));
    let (got, want) = (write::typed(&body), json::parse(wire.as_bytes()).expect("JSON"));
    assert_eq!(json::display(&sorted_members(&got)), json::display(&sorted_members(&want)));
    // What is pasted from a reply is the same space.
    let mut pasted = want.as_map().expect("a map").clone();
    let title = pasted.shift_remove("display_name").expect("a name");
    pasted.insert("title".to_owned(), title);
    assert_eq!(unordered(&read::normal(Value::Map(pasted))), unordered(&views_among_tables(body)));
}

/// The order of members is nobody's, that of items is.
fn sorted_members(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let sorted: BTreeMap<&String, Value> = map.iter().map(|(name, value)| (name, sorted_members(value))).collect();
            Value::Map(sorted.into_iter().map(|(name, value)| (name.clone(), value)).collect())
        }
        Value::List(items) => Value::List(items.iter().map(sorted_members).collect()),
        other => other.clone(),
    }
}

/// What has no place: the form, the body, the path, a word of the reason.
#[test]
fn what_a_form_has_no_place_for_is_said_at_its_place() {
    let long = "x".repeat(64);
    for (wire, body, path, reason) in [
        (
            Wire::Serialised,
            r#"{"tables":[{"identifier":"a.b.c","columns":[{"name":"x","display_name":"X"}]}]}"#,
            "tables[0].columns[0].display_name",
            "the agents API has",
        ),
        (Wire::Serialised, r#"{"volumes":["/Volumes/a/b/c"]}"#, "volumes", "the spaces API has no `volumes`"),
        (Wire::Serialised, r#"{"mcp_connections":["x"]}"#, "mcp_connections", "the agents API has"),
        (
            Wire::Serialised,
            r#"{"instructions":{"example_sql":[{"question":"q","sql":"s","parameters":[{"name":"p","default":{"min":1}}]}]}}"#,
            "instructions.example_sql[0].parameters[0].default_value",
            "`value_range`",
        ),
        (
            Wire::Typed,
            r#"{"instructions":{"snippets":{"measures":[{"name":"m","sql":"s","comment":"c"}]}}}"#,
            "instructions.snippets.measures[0].comment",
            "the spaces API has",
        ),
        (
            Wire::Typed,
            r#"{"instructions":{"snippets":{"filters":[{"name":"m","sql":"s","alias":"c"}]}}}"#,
            "instructions.snippets.filters[0].alias",
            "the agents API",
        ),
        (Wire::Typed, &format!(r#"{{"title":"{long}"}}"#), "title", "at most 63"),
        (Wire::Typed, &format!(r#"{{"description":"{}"}}"#, "x".repeat(4097)), "description", "at most 4096"),
    ] {
        let body = read::normal(json::parse(body.as_bytes()).expect("JSON"));
        let (own, other) = (carry::serialised(&body), carry::typed(&body));
        let (found, other) = if wire == Wire::Serialised { (own, other) } else { (other, own) };
        let told: Vec<String> = found.iter().map(|refusal| format!("{}: {}", refusal.path, refusal.reason)).collect();
        assert_eq!((told.len(), other.len()), (1, 0), "{told:?} {other:?}");
        assert!(told[0].starts_with(&format!("{path}: ")) && told[0].contains(reason), "{told:?}");
    }
}

/// A field that this release does not know goes along in the request that makes a space, and in the one that changes it.
#[test]
fn an_unknown_field_is_sent_by_either_api() {
    let address: Address = "spaces.s".parse().expect("an address");
    let with = |zorp: i64| {
        json::parse(
            format!(r#"{{"title":"S","warehouse_id":"w","tables":[{{"identifier":"a.b.c"}}],"zorp":{{"deep":{zorp}}}}}"#).as_bytes(),
        )
    };
    let (desired, live) = (with(2).expect("JSON"), with(1).expect("JSON"));
    let id = Value::from("1d81c10189b0e9384436f2df7bcc53a8");
    for kind in [&super::SPACES, &super::AGENTS] {
        let of =
            |live, paths| Change { address: &address, id: &id, applied: None, live, desired: &desired, paths, context: Context::default() };
        let calls = create_calls(kind, &of(None, &[])).expect("calls");
        let sent = |call: &Call| call.body.as_ref().and_then(|body| body.get("zorp")).map(json::display);
        assert_eq!(calls.iter().map(sent).collect::<Vec<_>>(), [Some(r#"{"deep": 2}"#.to_owned())]);
        let paths = ["zorp.deep".parse().expect("a path")];
        let calls = update_calls(kind, &of(Some(&live), &paths)).expect("calls");
        let body = calls[0].body.as_ref().and_then(Value::as_map).expect("a body");
        assert_eq!((calls.len(), body.keys().map(String::as_str).collect::<Vec<_>>()), (1, vec!["zorp"]));
    }
}

/// What is known of a field (`facts`) is what its form says of it (`form`): one of them is not changed alone.
#[test]
fn facts_agree_with_forms() {
    let root = Schema::of(&SPACES);
    for section in SECTIONS {
        let list = section.at.iter().try_fold(root.root(), |field, name| field.field(name)).expect("the schema has every section");
        let by = section.ids.map_or(section.form.sorted, |ids| ids.by);
        let has = |wanted: &str| list.facts().any(|fact| format!("{fact:?}") == wanted);
        assert!(has(&format!("Keyed({by:?})")), "{:?} is known by {by:?}", section.at);
        assert_eq!(has("Also(\"id\")"), section.ids.is_some(), "{:?}", section.at);
        let item = list.item().expect("it is a list");
        agrees(section.form, &item, section.at);
    }
}

fn agrees(form: &Form, item: &Field<'_>, at: &[&str]) {
    for member in form.members {
        let field = item.field(member.name).unwrap_or_else(|| panic!("{at:?} has no {}", member.name));
        let has = |wanted: &Fact| field.facts().any(|fact| format!("{fact:?}") == format!("{wanted:?}"));
        match member.shape {
            Shape::Prose => assert!(has(&Fact::Chomped), "{at:?} {}", member.name),
            Shape::Words => assert!(has(&Fact::Set), "{at:?} {}", member.name),
            Shape::Local => assert!(has(&Fact::InputOnly), "{at:?} {}", member.name),
            Shape::Parts(below) => agrees(below, &field.item().expect("it is a list"), &[at, &[member.name]].concat()),
            Shape::Same | Shape::Line | Shape::Initial => {}
        }
        assert_eq!(member.name == "id", has(&Fact::Default(Lit::Backend)), "{at:?} {}", member.name);
    }
    let more = item.field("more").expect("what nobody knows has its place");
    assert!(more.facts().any(|fact| matches!(fact, Fact::Carried)), "{at:?}");
}
