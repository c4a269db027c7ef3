//! Spaces that could be, as the server gives them: exports of the second version with every member there is and texts of
//! every sort, made from a seed.
//!
//! It stands by itself (the standard library and `serde_json`), since unit tests and the integration binary both take it.

use serde_json::{Map, Value, json};

/// Numbers from a seed (splitmix64), the same on every machine.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of this seed.
    pub fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below another one.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or_default()
    }

    /// So many times of a hundred.
    pub fn sometimes(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn id(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }
}

/// What texts are made of: everything that YAML, expressions, templates or SQL would read as something else.
const PIECES: &[&str] = &[
    "sum(orders.amount)",
    "`order date`",
    "it's",
    "\"quoted\"",
    "${catalog}",
    "$${x}",
    "{{job.parameters.day}}",
    "{% if x %}",
    "# no comment",
    "a # b",
    "key: value",
    "- item",
    "* star",
    "& anchor",
    "! tag",
    "| block",
    "> folded",
    "%directive",
    "@at",
    "yes",
    "null",
    "~",
    "1.10",
    "0x1f",
    "1:30",
    "2024-01-01",
    "\\n is no line",
    "C:\\path\\",
    "tab\there",
    "Größe",
    "日本語",
    "😀",
    "e\u{301}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "--rt=FROM_RELATIONSHIP_TYPE_MANY_TO_ONE-",
    "-- a remark",
    "/* and */",
    ":parameter",
    "---",
    "...",
    "",
];
/// What stands between them.
const BETWEEN: &[&str] = &[" ", "\n", "\n\n", "  ", " \n", "\n  ", "\t", "\r\n", ", ", ": ", " \n\n\t"];

/// Text of any sort, never blank; a few end in newlines.
pub fn text(random: &mut Random) -> String {
    let mut out = String::new();
    if random.sometimes(10) {
        out.push_str(random.one(BETWEEN));
    }
    for _ in 0..=random.below(6) {
        out.push_str(random.one(PIECES));
        out.push_str(random.one(BETWEEN));
    }
    if random.sometimes(1) {
        out.push_str(&"long words and more ".repeat(1000));
    }
    if random.sometimes(80) {
        out.truncate(out.trim_end_matches(char::is_whitespace).len());
    }
    if out.trim().is_empty() { "plain".to_owned() } else { out }
}

/// Text that no other item of the list has.
fn distinct(random: &mut Random, number: usize) -> String {
    format!("{} {number}", text(random))
}

type Members = Map<String, Value>;

fn maybe(random: &mut Random, out: &mut Members, name: &str, value: impl FnOnce(&mut Random) -> Value) {
    if random.sometimes(50) {
        let value = value(random);
        out.insert(name.to_owned(), value);
    }
}

fn fragments(random: &mut Random) -> Value {
    json!([text(random)])
}

/// The same, or one of the ways to say nothing.
fn fragments_or_none(random: &mut Random) -> Value {
    match random.below(12) {
        0 => json!([]),
        1 => json!([""]),
        _ => fragments(random),
    }
}

fn words(random: &mut Random) -> Value {
    (0..=random.below(3)).map(|n| Value::String(distinct(random, n))).collect()
}

fn many(random: &mut Random, most: usize, mut item: impl FnMut(&mut Random, usize) -> Value) -> Vec<Value> {
    (0..random.below(most + 1)).map(|n| item(random, n)).collect()
}

fn sorted(mut items: Vec<Value>, by: &str) -> Value {
    items.sort_by_key(|item| item[by].as_str().unwrap_or_default().to_owned());
    Value::Array(items)
}

fn part(random: &mut Random, n: usize) -> String {
    match random.below(4) {
        0 => format!("`odd name {n}`"),
        1 => format!("`größe-{n}`"),
        _ => format!("t{n}"),
    }
}

fn table(random: &mut Random, schema: &str, n: usize) -> Value {
    let mut out = Members::new();
    out.insert("identifier".to_owned(), json!(format!("lake.{schema}.{}", part(random, n))));
    maybe(random, &mut out, "description", fragments_or_none);
    let columns = many(random, 4, |random, n| {
        let mut out = Members::new();
        let name = if random.sometimes(30) { format!("Odd: column #{n}") } else { format!("column_{n}") };
        out.insert("column_name".to_owned(), json!(name));
        maybe(random, &mut out, "description", fragments_or_none);
        maybe(random, &mut out, "synonyms", |random| if random.sometimes(15) { json!([]) } else { words(random) });
        for flag in ["exclude", "enable_format_assistance", "enable_entity_matching"] {
            maybe(random, &mut out, flag, |random| json!(random.sometimes(70)));
        }
        Value::Object(out)
    });
    if !columns.is_empty() {
        out.insert("column_configs".to_owned(), sorted(columns, "column_name"));
    }
    Value::Object(out)
}

fn example(random: &mut Random, n: usize) -> Value {
    let mut out = Members::new();
    out.insert("id".to_owned(), json!(random.id()));
    out.insert("question".to_owned(), json!([distinct(random, n)]));
    out.insert("sql".to_owned(), fragments(random));
    maybe(random, &mut out, "usage_guidance", fragments);
    let parameters = many(random, 3, |random, n| {
        let mut out = Members::new();
        out.insert("name".to_owned(), json!(format!("p{n}")));
        maybe(random, &mut out, "type_hint", |random| json!(random.one(&["STRING", "INT", "DATE", "DOUBLE"])));
        maybe(random, &mut out, "description", fragments);
        maybe(random, &mut out, "default_value", |random| json!({ "values": words(random) }));
        Value::Object(out)
    });
    if !parameters.is_empty() {
        out.insert("parameters".to_owned(), Value::Array(parameters));
    }
    Value::Object(out)
}

fn join(random: &mut Random, n: usize) -> Value {
    let side = |random: &mut Random, n: usize, letter: &str| {
        let identifier = format!("lake.sales.{}", part(random, n));
        let own = identifier.rsplit('.').next().unwrap_or_default().trim_matches('`').to_owned();
        let alias = if random.sometimes(50) { own } else { format!("{letter}{n}") };
        (json!({ "identifier": identifier, "alias": alias }), alias)
    };
    let (left, right) = (side(random, n, "l"), side(random, n + 100, "r"));
    let equality = |column: &str| format!("`{}`.`{column}` = `{}`.`{column}`", left.1, right.1);
    let condition = match random.below(4) {
        0 => format!("{} AND {}", equality("id"), equality("two words")),
        1 => format!("`{}`.`day` >= `{}`.`day`", left.1, right.1),
        _ => equality("id"),
    };
    let relationship = random.one(&["MANY_TO_ONE", "ONE_TO_MANY", "ONE_TO_ONE", "MANY_TO_MANY"]);
    let mut out = Members::new();
    out.insert("id".to_owned(), json!(random.id()));
    out.insert("left".to_owned(), left.0);
    out.insert("right".to_owned(), right.0);
    out.insert("sql".to_owned(), json!([condition, format!("--rt=FROM_RELATIONSHIP_TYPE_{relationship}--")]));
    maybe(random, &mut out, "comment", fragments);
    maybe(random, &mut out, "instruction", fragments);
    Value::Object(out)
}

fn snippet(random: &mut Random, n: usize) -> Value {
    let mut out = Members::new();
    out.insert("id".to_owned(), json!(random.id()));
    out.insert("sql".to_owned(), fragments(random));
    out.insert("display_name".to_owned(), json!(distinct(random, n)));
    maybe(random, &mut out, "synonyms", words);
    maybe(random, &mut out, "comment", fragments);
    maybe(random, &mut out, "instruction", fragments);
    Value::Object(out)
}

fn named_snippet(random: &mut Random, n: usize) -> Value {
    let mut out = snippet(random, n);
    if random.sometimes(50) {
        out["alias"] = json!(format!("alias_{n}"));
    }
    out
}

fn instructions(random: &mut Random) -> Value {
    let mut out = Members::new();
    maybe(random, &mut out, "text_instructions", |random| json!([{ "id": random.id(), "content": [text(random)] }]));
    let examples = many(random, 4, example);
    let functions = many(random, 3, |random, n| json!({ "id": random.id(), "identifier": format!("lake.tools.f{n}") }));
    let joins = many(random, 4, join);
    for (name, items) in [("example_question_sqls", examples), ("sql_functions", functions), ("join_specs", joins)] {
        if !items.is_empty() {
            out.insert(name.to_owned(), sorted(items, "id"));
        }
    }
    let mut snippets = Members::new();
    let lists = [many(random, 3, named_snippet), many(random, 3, named_snippet), many(random, 3, named_snippet)];
    for (name, items) in ["filters", "expressions", "measures"].into_iter().zip(lists) {
        if !items.is_empty() {
            snippets.insert(name.to_owned(), sorted(items, "id"));
        }
    }
    if !snippets.is_empty() {
        out.insert("sql_snippets".to_owned(), Value::Object(snippets));
    }
    Value::Object(out)
}

/// An export of the second version, in the order that the server wants: what stands in `serialized_space`.
pub fn export(random: &mut Random) -> Value {
    let mut out = Members::new();
    out.insert("version".to_owned(), json!(2));
    let samples = many(random, 4, |random, n| json!({ "id": random.id(), "question": [distinct(random, n)] }));
    if !samples.is_empty() {
        out.insert("config".to_owned(), json!({ "sample_questions": sorted(samples, "id") }));
    }
    let tables = many(random, 5, |random, n| table(random, "sales", n));
    let views = many(random, 3, |random, n| table(random, "metrics", n));
    let mut sources = Members::new();
    for (name, items) in [("tables", tables), ("metric_views", views)] {
        if !items.is_empty() {
            sources.insert(name.to_owned(), sorted(items, "identifier"));
        }
    }
    out.insert("data_sources".to_owned(), Value::Object(sources));
    let instructions = instructions(random);
    if instructions.as_object().is_some_and(|map| !map.is_empty()) {
        out.insert("instructions".to_owned(), instructions);
    }
    let benchmarks = many(random, 4, |random, n| {
        let mut out = Members::new();
        out.insert("id".to_owned(), json!(random.id()));
        out.insert("question".to_owned(), json!([distinct(random, n)]));
        let answers = if random.sometimes(20) { 2 } else { 1 };
        out.insert("answer".to_owned(), (0..answers).map(|_| json!({ "format": "SQL", "content": [text(random)] })).collect());
        maybe(random, &mut out, "evaluation_note", fragments);
        Value::Object(out)
    });
    if !benchmarks.is_empty() {
        out.insert("benchmarks".to_owned(), json!({ "questions": sorted(benchmarks, "id") }));
    }
    Value::Object(out)
}

/// The same in the first version: its columns have flags of other names.
pub fn older(export: &Value) -> Value {
    let mut out = renamed(export);
    out["version"] = json!(1);
    out
}

fn renamed(value: &Value) -> Value {
    let name = |name: &String| match name.as_str() {
        "enable_format_assistance" => "get_example_values".to_owned(),
        "enable_entity_matching" => "build_value_dictionary".to_owned(),
        _ => name.clone(),
    };
    match value {
        Value::Object(map) => Value::Object(map.iter().map(|(n, value)| (name(n), renamed(value))).collect()),
        Value::Array(items) => items.iter().map(renamed).collect(),
        other => other.clone(),
    }
}

/// The same as the agents API has it: what only an export has is left out.
pub fn typed(export: &Value) -> Value {
    let mut out = of_agents(export);
    if let Some(map) = out.as_object_mut() {
        map.remove("version");
    }
    if let Some(sources) = out["data_sources"].as_object_mut()
        && let Some(Value::Array(mut views)) = sources.remove("metric_views")
        && let Value::Array(tables) = sources.entry("tables").or_insert_with(|| json!([]))
    {
        tables.append(&mut views);
    }
    // A filter has no alias there.
    for filter in out.pointer_mut("/instructions/sql_snippets/filters").and_then(Value::as_array_mut).into_iter().flatten() {
        filter.as_object_mut().map(|filter| filter.remove("alias"));
    }
    out
}

/// An agent's definition with what only that form has, in the order that the server wants.
pub fn agent(random: &mut Random) -> Value {
    let mut out = typed(&export(random));
    if let Some(questions) = out.pointer_mut("/benchmarks/questions").and_then(Value::as_array_mut) {
        questions.reverse();
    }
    let volumes = many(random, 3, |random, n| {
        let mut out = Members::new();
        out.insert("path".to_owned(), json!(format!("/Volumes/lake/sales/v{n}")));
        maybe(random, &mut out, "description", |random| json!(text(random)));
        Value::Object(out)
    });
    let connections = many(random, 3, |random, n| json!({ "mcp_connection": distinct(random, n) }));
    for (name, items) in [("volumes", volumes), ("mcp_connections", connections)] {
        if !items.is_empty() {
            out["data_sources"][name] = Value::Array(items);
        }
    }
    for table in out.pointer_mut("/data_sources/tables").and_then(Value::as_array_mut).into_iter().flatten() {
        for column in table["column_configs"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            maybe(random, column, "display_name", |random| json!(text(random)));
        }
    }
    for example in out.pointer_mut("/instructions/example_question_sqls").and_then(Value::as_array_mut).into_iter().flatten() {
        for parameter in example["parameters"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            if random.sometimes(30) {
                parameter.insert("default_value".to_owned(), json!({ "value_range": { "min": "1", "max": distinct(random, 9) } }));
            }
        }
    }
    without_nulls(&mut out);
    out
}

/// Indexing leaves nulls where there was nothing.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

fn of_agents(value: &Value) -> Value {
    let map = match value {
        Value::Array(items) => return items.iter().map(of_agents).collect(),
        Value::Object(map) => map,
        other => return other.clone(),
    };
    let is_snippet = map.contains_key("display_name") && map.contains_key("sql");
    let mut out = Members::new();
    for (name, value) in map {
        match (name.as_str(), value) {
            ("comment", _) if is_snippet => {}
            ("column_name", _) => drop(out.insert("column".to_owned(), value.clone())),
            ("format", Value::String(format)) => {
                out.insert(name.clone(), json!(format!("GENIE_AGENT_BENCHMARK_ANSWER_FORMAT_{format}")));
            }
            ("sql", Value::Array(items)) if map.contains_key("left") => {
                let relationship = items[1].as_str().unwrap_or_default().trim_start_matches("--rt=FROM_").trim_end_matches("--");
                out.insert("sql".to_owned(), items[0].clone());
                out.insert("relationship_type".to_owned(), json!(format!("GENIE_AGENT_JOIN_{relationship}")));
            }
            ("description", Value::Array(items)) if items.is_empty() => drop(out.insert(name.clone(), json!(""))),
            (_, Value::Array(items)) if is_prose(name, items) => {
                out.insert(name.clone(), Value::String(items.iter().filter_map(Value::as_str).collect()));
            }
            (_, value) => drop(out.insert(name.clone(), of_agents(value))),
        }
    }
    Value::Object(out)
}

/// The same with a member more in every object, each called by another name: what servers may add.
pub fn strewn(value: &Value, random: &mut Random) -> Value {
    strew(value, random, &mut 0)
}

fn strew(value: &Value, random: &mut Random, count: &mut usize) -> Value {
    match value {
        Value::Object(map) => {
            let mut out: Members = map.iter().map(|(name, value)| (name.clone(), strew(value, random, count))).collect();
            *count += 1;
            let unknown = match random.below(9) {
                0 => Value::Null,
                1 => json!(false),
                2 => json!(0),
                3 => json!({}),
                4 => json!([]),
                5 => json!(text(random)),
                6 => json!([{ "id": random.id(), "name": "n" }, 1]),
                7 => json!({ "sql": ["s"], "inner": { "flag": true, "off": false } }),
                _ => json!(random.below(100)),
            };
            out.insert(format!("{STREWN}{count}"), unknown);
            Value::Object(out)
        }
        Value::Array(items) => items.iter().map(|item| strew(item, random, count)).collect(),
        other => other.clone(),
    }
}

/// What names of strewn members begin with.
const STREWN: &str = "future_";

/// The same without them.
pub fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let own = map.iter().filter(|(name, _)| !name.starts_with(STREWN));
            Value::Object(own.map(|(name, value)| (name.clone(), plain(value))).collect())
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

/// The members that were strewn, with what is below them.
pub fn markers(value: &Value) -> Members {
    let mut found = Members::new();
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if name.starts_with(STREWN) {
                    assert!(found.insert(name.clone(), value.clone()).is_none(), "{name} is there twice");
                } else {
                    found.extend(markers(value));
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| found.extend(markers(item))),
        _ => {}
    }
    found
}

/// The same with its texts cut in other places, as servers do.
pub fn resplit(value: &Value, random: &mut Random) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(name, value)| match value {
                    Value::Array(items) if is_prose(name, items) => (name.clone(), Value::Array(pieces(items, random))),
                    Value::Array(items) if name == "sql" && items.iter().all(Value::is_string) => match items.split_last() {
                        Some((marker, condition)) => {
                            (name.clone(), pieces(condition, random).into_iter().chain([marker.clone()]).collect())
                        }
                        None => (name.clone(), value.clone()),
                    },
                    other => (name.clone(), resplit(other, random)),
                })
                .collect(),
        ),
        Value::Array(items) => items.iter().map(|item| resplit(item, random)).collect(),
        other => other.clone(),
    }
}

fn pieces(items: &[Value], random: &mut Random) -> Vec<Value> {
    let whole: Vec<char> = items.iter().filter_map(Value::as_str).flat_map(str::chars).collect();
    let mut out: Vec<Value> = Vec::new();
    let mut from = 0;
    while from < whole.len() {
        let to = (from + 1 + random.below(whole.len())).min(whole.len());
        out.push(Value::String(whole[from..to].iter().collect()));
        from = to;
    }
    out
}

/// Whether a list holds the fragments of one text, rather than words or the two texts of a join.
fn is_prose(name: &str, items: &[Value]) -> bool {
    let marked = |item: &Value| item.as_str().is_some_and(|text| text.starts_with("--rt=FROM_") && text.ends_with("--"));
    !matches!(name, "synonyms" | "values") && !items.is_empty() && items.iter().all(Value::is_string) && !items.last().is_some_and(marked)
}

/// What an export says, whatever its ids, the order of its lists, the cuts of its texts, its version, and the list in which
/// its metric views stand.
pub fn content(value: &Value) -> Value {
    let mut out = said(value);
    if let Some(sources) = out.get_mut("data_sources").and_then(Value::as_object_mut) {
        let all = ["tables", "metric_views"].into_iter().filter_map(|name| sources.remove(name)).collect::<Vec<_>>();
        let mut all: Vec<Value> = all.into_iter().filter_map(|list| list.as_array().cloned()).flatten().collect();
        all.sort_by_key(Value::to_string);
        if !all.is_empty() {
            sources.insert("tables".to_owned(), Value::Array(all));
        }
        if sources.is_empty() {
            out.as_object_mut().map(|map| map.remove("data_sources"));
        }
    }
    out
}

fn said(value: &Value) -> Value {
    let name = |name: &str| match name {
        "get_example_values" => "enable_format_assistance".to_owned(),
        "build_value_dictionary" => "enable_entity_matching".to_owned(),
        other => other.to_owned(),
    };
    let is_empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    };
    match value {
        Value::Object(map) => {
            let members =
                map.iter().filter(|(name, _)| name.as_str() != "id" && name.as_str() != "version").map(|(n, value)| match value {
                    Value::Array(items) if is_prose(n, items) => (name(n), Value::String(items.iter().filter_map(Value::as_str).collect())),
                    Value::Array(items) if n == "sql" && items.iter().all(Value::is_string) => match items.split_last() {
                        Some((marker, condition)) => {
                            (name(n), json!([condition.iter().filter_map(Value::as_str).collect::<String>(), marker]))
                        }
                        None => (name(n), value.clone()),
                    },
                    Value::Array(items) if items.iter().all(Value::is_string) => (name(n), value.clone()),
                    Value::Array(items) => {
                        let mut items: Vec<Value> = items.iter().map(said).collect();
                        if n != "parameters" {
                            items.sort_by_key(Value::to_string);
                        }
                        (name(n), Value::Array(items))
                    }
                    other => (name(n), said(other)),
                });
            let mut kept: Vec<(String, Value)> = members.filter(|(_, value)| !is_empty(value)).collect();
            kept.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(kept.into_iter().collect())
        }
        other => other.clone(),
    }
}
