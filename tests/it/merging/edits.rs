//! Random spaces, and random edits of them in YAML and in the UI.

use brickform::client::{Request, RequestBody};
use brickform::local::LocalWorkspace;
use brickform::model::{Map, Value, json};

use super::{content_of, patch};
use crate::simulation::random::Random;

/// How a member stands in the API.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Plain,
    Texts,
    Answer,
}

/// A list of a space in YAML and in the API.
struct List {
    yaml: &'static [&'static str],
    wire: &'static [&'static str],
    /// What items are known by, in both, and how it stands there.
    key: (&'static str, &'static str, Wire),
    /// Members that may be edited; the first is there in every item.
    fields: &'static [(&'static str, &'static str, Wire)],
    ids: bool,
}

const LISTS: &[List] = &[
    List {
        yaml: &["tables"],
        wire: &["data_sources", "tables"],
        key: ("identifier", "identifier", Wire::Plain),
        fields: &[("description", "description", Wire::Texts)],
        ids: false,
    },
    List {
        yaml: &["instructions", "example_sql"],
        wire: &["instructions", "example_question_sqls"],
        key: ("question", "question", Wire::Texts),
        fields: &[("sql", "sql", Wire::Texts), ("usage_guidance", "usage_guidance", Wire::Texts)],
        ids: true,
    },
    List {
        yaml: &["instructions", "functions"],
        wire: &["instructions", "sql_functions"],
        key: ("identifier", "identifier", Wire::Plain),
        fields: &[],
        ids: true,
    },
    List {
        yaml: &["instructions", "snippets", "filters"],
        wire: &["instructions", "sql_snippets", "filters"],
        key: ("name", "display_name", Wire::Plain),
        fields: &[("sql", "sql", Wire::Texts), ("comment", "comment", Wire::Texts), ("instruction", "instruction", Wire::Texts)],
        ids: true,
    },
    List {
        yaml: &["instructions", "snippets", "measures"],
        wire: &["instructions", "sql_snippets", "measures"],
        key: ("name", "display_name", Wire::Plain),
        fields: &[("sql", "sql", Wire::Texts), ("instruction", "instruction", Wire::Texts)],
        ids: true,
    },
    List {
        yaml: &["sample_questions"],
        wire: &["config", "sample_questions"],
        key: ("question", "question", Wire::Texts),
        fields: &[],
        ids: true,
    },
    List {
        yaml: &["benchmarks"],
        wire: &["benchmarks", "questions"],
        key: ("question", "question", Wire::Texts),
        fields: &[("sql", "answer", Wire::Answer), ("evaluation_note", "evaluation_note", Wire::Texts)],
        ids: true,
    },
    List {
        yaml: &["instructions", "snippets", "expressions"],
        wire: &["instructions", "sql_snippets", "expressions"],
        key: ("name", "display_name", Wire::Plain),
        fields: &[("sql", "sql", Wire::Texts), ("comment", "comment", Wire::Texts), ("instruction", "instruction", Wire::Texts)],
        ids: true,
    },
    List {
        yaml: &["metric_views"],
        wire: &["data_sources", "metric_views"],
        key: ("identifier", "identifier", Wire::Plain),
        fields: &[("description", "description", Wire::Texts)],
        ids: false,
    },
];

/// An edit that can be made in YAML and in the UI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A field beside the definition: `title`, `description`.
    Beside(&'static str, String),
    /// A line of the general instruction.
    Line(usize, String),
    /// A member of an item.
    Set(usize, String, usize, String),
    /// A new item, with its first member.
    Add(usize, String, String),
    Remove(usize, String),
    /// A member of a column of a table.
    Column(String, String, Part, String),
    /// The columns that the join compares.
    Join(String),
}

/// A member of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Description,
    Synonyms,
    Excluded,
}

impl Part {
    fn member(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::Synonyms => "synonyms",
            Self::Excluded => "exclude",
        }
    }

    fn value(self, text: &str, form: Form) -> Value {
        match self {
            Self::Description if form == Form::Yaml => Value::from(text),
            Self::Description | Self::Synonyms => Value::List(vec![Value::from(text)]),
            Self::Excluded => Value::Bool(true),
        }
    }
}

const LINES: usize = 9;

fn name(list: &List, n: u64) -> String {
    match list.yaml {
        ["metric_views"] => format!("main.m.x{n}"),
        _ if list.key.0 == "identifier" => format!("main.s.x{n}"),
        _ => format!("What is {n}?"),
    }
}

fn at<'v>(body: &'v mut Value, path: &[&str]) -> &'v mut Vec<Value> {
    let mut here = body;
    for (i, step) in path.iter().enumerate() {
        let empty = if i + 1 == path.len() { Value::List(vec![]) } else { Value::Map(Map::new()) };
        here = here.as_map_mut().expect("a map").entry((*step).to_owned()).or_insert(empty);
    }
    let Value::List(list) = here else { panic!("a list") };
    list
}

fn as_wire(text: &str, wire: Wire) -> Value {
    let texts = Value::List(vec![Value::from(text)]);
    match wire {
        Wire::Plain => Value::from(text),
        Wire::Texts => texts,
        Wire::Answer => Value::List(vec![Value::map([("format", Value::from("SQL")), ("content", texts)])]),
    }
}

fn from_wire(value: &Value) -> String {
    match value {
        Value::List(parts) => parts.iter().map(from_wire).collect(),
        Value::Map(map) => map.get("content").map(from_wire).unwrap_or_default(),
        other => other.key_text(),
    }
}

/// The places of both forms: YAML's, or the API's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Yaml,
    Api,
}

impl Edit {
    /// Makes the edit in a body of this form.
    pub fn make(&self, body: &mut Value, form: Form, random: &mut Random) {
        let place = |list: &List| if form == Form::Yaml { list.yaml } else { list.wire };
        let pick = |pair: &(&'static str, &'static str, Wire)| if form == Form::Yaml { (pair.0, Wire::Plain) } else { (pair.1, pair.2) };
        let is = |item: &Value, list: &List, key: &str| item.get(pick(&list.key).0).is_some_and(|v| from_wire(v) == *key);
        match self {
            Self::Beside(field, text) => drop(body.as_map_mut().expect("a map").insert((*field).to_owned(), Value::from(text.as_str()))),
            Self::Join(column) => {
                let list: &[&str] = if form == Form::Yaml { &["instructions", "joins"] } else { &["instructions", "join_specs"] };
                let join = at(body, list)[0].as_map_mut().expect("a map");
                if form == Form::Yaml {
                    join.insert("condition".to_owned(), Value::Text(format!("x0.{column} = x1.{column}")));
                } else {
                    let Some(Value::List(sql)) = join.get_mut("sql") else { panic!("a join has SQL") };
                    sql[0] = Value::Text(format!("`x0`.`{column}` = `x1`.`{column}`"));
                }
            }
            Self::Line(n, text) => {
                let edited = |old: &Value| {
                    let old = from_wire(old);
                    let mut lines: Vec<&str> = old.split('\n').collect();
                    lines[*n] = text;
                    lines.join("\n")
                };
                if form == Form::Yaml {
                    let said = body.as_map_mut().and_then(|b| b.get_mut("instructions")?.as_map_mut()).expect("instructions");
                    let new = edited(&said["text"]);
                    said.insert("text".to_owned(), Value::Text(new));
                } else {
                    let said = at(body, &["instructions", "text_instructions"])[0].as_map_mut().expect("a map");
                    let new = edited(&said["content"]);
                    said.insert("content".to_owned(), as_wire(&new, Wire::Texts));
                }
            }
            Self::Set(l, key, field, text) => {
                let list = &LISTS[*l];
                let (member, wire) = pick(&list.fields[*field]);
                let item = at(body, place(list)).iter_mut().find(|item| is(item, list, key)).and_then(Value::as_map_mut);
                item.expect("the item").insert(member.to_owned(), as_wire(text, wire));
            }
            Self::Add(l, key, text) => {
                let list = &LISTS[*l];
                let (member, wire) = pick(&list.key);
                let mut item = Map::new();
                if form == Form::Api && list.ids {
                    item.insert("id".to_owned(), Value::Text(format!("{:016x}{:016x}", random.next(), random.next())));
                }
                item.insert(member.to_owned(), as_wire(key, wire));
                if let Some((member, wire)) = list.fields.first().map(pick) {
                    item.insert(member.to_owned(), as_wire(text, wire));
                }
                at(body, place(list)).push(Value::Map(item));
            }
            Self::Remove(l, key) => at(body, place(&LISTS[*l])).retain(|item| !is(item, &LISTS[*l], key)),
            Self::Column(table, column, part, text) => {
                let tables = at(body, place(&LISTS[0]));
                let item = tables.iter_mut().find(|item| is(item, &LISTS[0], table)).expect("the table");
                let (columns, name) = if form == Form::Yaml { ("columns", "name") } else { ("column_configs", "column_name") };
                let column = at(item, &[columns]).iter_mut().find(|c| c.get(name).is_some_and(|v| v.key_text() == *column));
                column.and_then(Value::as_map_mut).expect("the column").insert(part.member().to_owned(), part.value(text, form));
            }
        }
    }

    /// Whether the API's form holds it. `beside`: title and description.
    pub fn holds(&self, content: &Value, beside: &[String; 2]) -> bool {
        let mut body = content.clone();
        let mut find = |list: &List, key: &str| {
            let items = at(&mut body, list.wire).clone();
            items.into_iter().find(|item| item.get(list.key.1).is_some_and(|v| from_wire(v) == key))
        };
        let has = |item: Option<Value>, member: &str, text: &str| item.is_some_and(|i| i.get(member).is_some_and(|v| from_wire(v) == text));
        match self {
            Self::Beside(field, text) => *text == beside[usize::from(*field == "description")],
            Self::Join(column) => json::write(content).expect("JSON").contains(&format!("`x0`.`{column}` = `x1`.`{column}`")),
            Self::Line(_, text) => json::write(content).expect("JSON").contains(text.as_str()),
            Self::Set(l, key, field, text) => has(find(&LISTS[*l], key), LISTS[*l].fields[*field].1, text),
            Self::Add(l, key, text) => match LISTS[*l].fields.first() {
                Some((_, member, _)) => has(find(&LISTS[*l], key), member, text),
                None => find(&LISTS[*l], key).is_some(),
            },
            Self::Remove(l, key) => find(&LISTS[*l], key).is_none(),
            Self::Column(table, column, part, text) => {
                let mut table = find(&LISTS[0], table).unwrap_or(Value::Map(Map::new()));
                let columns = at(&mut table, &["column_configs"]).clone();
                let column = columns.into_iter().find(|c| c.get("column_name").is_some_and(|v| v.key_text() == *column));
                column.is_some_and(|column| match (part, column.get(part.member())) {
                    // The other side's may stand beside it.
                    (Part::Synonyms, Some(Value::List(words))) => words.contains(&Value::from(text.as_str())),
                    (_, there) => there == Some(&part.value(text, Form::Api)),
                })
            }
        }
    }

    /// A word of the path at which a plan tells it.
    pub fn word(&self) -> &str {
        match self {
            Self::Beside(field, _) => field,
            Self::Join(_) => "join",
            Self::Line(..) => "instructions.text",
            Self::Set(_, key, ..) | Self::Add(_, key, _) | Self::Remove(_, key) | Self::Column(key, ..) => key,
        }
    }

    /// Whether both may be made without regard to one another.
    fn is_apart(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Line(a, _), Self::Line(b, _)) => a.abs_diff(*b) > 1,
            (Self::Set(l, key, a, _), Self::Set(m, also, b, _)) => (l, key, a) != (m, also, b),
            (Self::Column(table, name, part, _), Self::Column(other, also, of, _)) => (table, name, part) != (other, also, of),
            (Self::Column(..), Self::Set(0, ..)) | (Self::Set(0, ..), Self::Column(..)) => true,
            _ => self.word() != other.word() || std::mem::discriminant(self) != std::mem::discriminant(other) && self.is_elsewhere(other),
        }
    }

    /// Whether both come to the same.
    pub fn is_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Add(l, a, _), Self::Add(m, b, _)) if LISTS[*l].fields.is_empty() => (l, a) == (m, b),
            _ => self == other,
        }
    }

    /// Whether it adds to a list of which this YAML says nothing.
    pub fn is_of_a_list_without(&self, yaml: &Value) -> bool {
        matches!(self, Self::Add(l, ..) if at(&mut yaml.clone(), LISTS[*l].yaml).is_empty())
    }

    /// Whether they are about items of different lists.
    fn is_elsewhere(&self, other: &Self) -> bool {
        let list = |edit: &Self| match edit {
            Self::Set(l, ..) | Self::Add(l, ..) | Self::Remove(l, _) => Some(*l),
            Self::Column(..) => Some(0),
            Self::Beside(..) | Self::Line(..) | Self::Join(_) => None,
        };
        list(self) != list(other)
    }
}

/// A space with everything, in YAML's form.
pub fn space(random: &mut Random) -> Value {
    let text = (0..LINES).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
    let mut body = Value::map([
        ("title", Value::from("S")),
        ("description", Value::from("first")),
        ("warehouse_id", Value::from("${warehouses.w.id}")),
        ("instructions", Value::map([("text", Value::Text(text))])),
    ]);
    for (l, list) in LISTS.iter().enumerate() {
        // Now and then a list is never said anything of.
        if l > 0 && random.chance(200) {
            continue;
        }
        for n in 0..=random.below(4) {
            Edit::Add(l, name(list, n), format!("SELECT {n}\nFROM x")).make(&mut body, Form::Yaml, random);
        }
    }
    let tables = at(&mut body, &["tables"]);
    let columns = |n: usize| {
        let column = |c: usize| Value::map([("name", Value::Text(format!("c{c}"))), ("description", Value::Text(format!("{n} {c}")))]);
        Value::List((0..2).map(column).collect())
    };
    for (n, table) in tables.iter_mut().enumerate() {
        table.as_map_mut().expect("a table").insert("columns".to_owned(), columns(n));
    }
    if tables.len() > 1 {
        let join = [("left", "main.s.x0"), ("right", "main.s.x1"), ("condition", "x0.a = x1.a"), ("relationship", "ONE_TO_ONE")];
        let join = Value::map(join.map(|(name, text)| (name, Value::from(text))));
        at(&mut body, &["instructions", "joins"]).push(join);
    }
    body
}

/// A random edit of a space, by a side; `tight`: of a few places only, so that both sides meet.
fn edit(body: &Value, side: &str, tight: bool, random: &mut Random) -> Edit {
    let mut body = body.clone();
    let text = format!("SELECT '{side} {}'", random.below(1_000_000));
    let l = usize::try_from(random.below(if tight { 3 } else { LISTS.len() as u64 })).expect("small");
    let list = &LISTS[l];
    let keys: Vec<String> = at(&mut body, list.yaml).iter().filter_map(|i| i.get(list.key.0)).map(Value::key_text).collect();
    let new = |random: &mut Random| 100 + random.below(if tight { 2 } else { 1_000_000 });
    let has_joins = !at(&mut body, &["instructions", "joins"]).is_empty();
    let column = |random: &mut Random, text: String| {
        let part = *random.one(&[Part::Description, Part::Description, Part::Synonyms, Part::Excluded]);
        let text = if part == Part::Excluded { "true".to_owned() } else { text };
        Edit::Column("main.s.x0".to_owned(), format!("c{}", random.below(2)), part, text)
    };
    match random.below(9) {
        0 => Edit::Beside(if random.chance(500) { "title" } else { "description" }, text),
        1 | 2 => Edit::Line(usize::try_from(random.below(LINES as u64)).expect("small"), format!("{text} ")),
        3 => Edit::Add(l, name(list, new(random)), text),
        4 if !keys.is_empty() && l != 0 => Edit::Remove(l, random.one(&keys).clone()),
        5 => column(random, text),
        8 if has_joins => Edit::Join(format!("{side}{}", random.below(1_000_000))),
        _ if !keys.is_empty() && !list.fields.is_empty() => {
            Edit::Set(l, random.one(&keys).clone(), usize::try_from(random.below(list.fields.len() as u64)).expect("small"), text)
        }
        _ => column(random, text),
    }
}

/// Edits of one side that do not meet one another, nor any of these.
pub fn edits(body: &Value, side: &str, others: &[Edit], tight: bool, random: &mut Random) -> Vec<Edit> {
    let mut all: Vec<Edit> = Vec::new();
    for _ in 0..=random.below(5) {
        let one = edit(body, side, tight, random);
        if others.iter().chain(&all).all(|other| one.is_apart(other) && other.is_apart(&one)) {
            all.push(one);
        }
    }
    all
}

pub fn made(body: &Value, edits: &[Edit], random: &mut Random) -> Value {
    let mut body = body.clone();
    for edit in edits {
        edit.make(&mut body, Form::Yaml, random);
    }
    body
}

/// Makes the edits as the UI does: the whole content is sent back, sorted.
pub async fn by_hand(workspace: &LocalWorkspace, edits: &[Edit], random: &mut Random) {
    let (id, mut body) = content_of(workspace);
    for edit in edits {
        if let Edit::Beside(field, text) = edit {
            let path = format!("/api/2.0/genie/spaces/{id}");
            let json = format!(r#"{{"{field}":"{text}"}}"#);
            let request = Request { method: "PATCH".to_owned(), path, query: vec![], headers: vec![], body: RequestBody::Json(json) };
            assert!(workspace.handle(request).await.expect("an answer").status < 300);
        } else {
            edit.make(&mut body, Form::Api, random);
        }
    }
    for list in LISTS {
        let key = |item: &Value| ["id", "identifier"].map(|name| item.get(name).map(Value::key_text));
        at(&mut body, list.wire).sort_by_key(key);
    }
    let answer = workspace.handle(patch(&id, &body)).await.expect("an answer");
    assert!(answer.status < 300, "{}", String::from_utf8_lossy(&answer.body));
}

/// Title and description of the only space.
pub fn beside(workspace: &LocalWorkspace) -> [String; 2] {
    let all = workspace.dump();
    let space = all.iter().find(|(place, _)| place.starts_with("genie_spaces/")).expect("a space").1;
    ["title", "description"].map(|field| space.get(field).map(Value::key_text).unwrap_or_default())
}
