//! The parts of a space: what their members are called in YAML and in the API, and where their lists stand in both.
//!
//! One table that reading, writing and the rules all walk. A wire form is a column of it: the serialised space of the
//! spaces API, the typed definition of the agents API.

use super::join;
use super::read::{Origin, prose};
use crate::model::{Map, Value};

/// A form that the API takes and gives a space in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// The text `serialized_space` of `/api/2.0/genie/spaces`, version 2.
    Serialised,
    /// The object `definition` of `/api/2.0/genie/agents`.
    Typed,
}

impl Wire {
    /// As messages call the API that has it.
    pub fn api(self) -> &'static str {
        match self {
            Self::Serialised => "the spaces API",
            Self::Typed => "the agents API",
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Serialised => Self::Typed,
            Self::Typed => Self::Serialised,
        }
    }
}

/// How a member's value differs between YAML and the API.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Not at all.
    Same,
    /// Text here and in the typed form, a list of fragments in the serialised one.
    Prose,
    /// The same, of text that an item is recognised by: without newlines at its end.
    Line,
    /// A list of words in both; one word alone stands for a list here.
    Words,
    /// A list of parts.
    Parts(&'static Form),
    /// What a parameter holds where nobody gives it: one value or a list here, `{values: [...]}` there.
    Initial,
    /// Never sent: it names the item for its id.
    Local,
}

/// A member of a part.
pub(super) struct Member {
    /// In YAML.
    pub name: &'static str,
    /// In the serialised space; empty: that form has no such member.
    serialised: &'static str,
    /// In the typed definition; empty: that form has no such member.
    typed: &'static str,
    /// Other names that are read: those of Genie-Forge, and what people write.
    pub also: &'static [&'static str],
    /// What the API's first version called it: read, and never sent.
    pub older: &'static [&'static str],
    pub shape: Shape,
}

impl Member {
    /// The name that a request in this form has for it: where the form has no such member, the one that it was given by.
    pub fn sent(&self, wire: Wire) -> &'static str {
        [self.wire(wire), self.wire(wire.other())].into_iter().find(|name| !name.is_empty()).unwrap_or(self.name)
    }

    /// Its name in a wire form; empty where that form has no such member.
    pub fn wire(&self, wire: Wire) -> &'static str {
        match wire {
            Wire::Serialised => self.serialised,
            Wire::Typed => self.typed,
        }
    }

    /// Every name that it is read by: YAML's before the API's in what a person wrote, the other way round in what the API gives.
    pub fn names(&self, origin: Origin) -> impl Iterator<Item = &'static str> {
        let own = match origin {
            Origin::Yaml => [self.name, self.serialised, self.typed],
            Origin::Api => [self.serialised, self.typed, self.name],
        };
        own.into_iter().chain(self.also.iter().chain(self.older).copied()).filter(|name| !name.is_empty())
    }

    const fn older(self, older: &'static [&'static str]) -> Self {
        Self { older, ..self }
    }

    const fn typed(self, typed: &'static str) -> Self {
        Self { typed, ..self }
    }

    /// A member that only the typed form has.
    const fn only_typed(self) -> Self {
        Self { serialised: "", ..self }
    }

    /// A member that only the serialised form has.
    const fn only_serialised(self) -> Self {
        Self { typed: "", ..self }
    }
}

/// In which order the API wants a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// By what [`Form::sorted`] says.
    Rising,
    /// The same, the other way round in the typed form.
    FallingTyped,
    /// The same in the serialised form; as it is written in the typed one.
    AsWrittenTyped,
}

/// A sort of part.
pub(super) struct Form {
    pub members: &'static [Member],
    /// The member that text alone stands for.
    pub short: &'static str,
    /// The members, by their names in YAML, that the API wants lists of these sorted by.
    pub sorted: &'static [&'static str],
    /// In which order.
    pub order: Order,
    /// What else reading does, before members are read. What it takes a value apart for and has no member for goes into the second
    /// map, in the structure that the API has.
    pub lift: Option<fn(&mut Map, &mut Map)>,
    /// What else writing does, after members were written.
    pub lower: Option<fn(&mut Map, Wire)>,
}

/// Where a list of parts stands.
pub(super) struct Section {
    /// In YAML's form.
    pub at: &'static [&'static str],
    /// In the serialised space; empty: there is none.
    serialised: &'static [&'static str],
    /// In the typed definition.
    typed: &'static [&'static str],
    pub form: &'static Form,
    /// The word in digests of ids, and what the parts are recognised by; none where they have no ids.
    pub ids: Option<Ids>,
}

impl Section {
    /// Where it stands in what an API gives, or in a file that was written from that.
    pub fn given(&self) -> &'static [&'static str] {
        if self.serialised.is_empty() { self.typed } else { self.serialised }
    }

    /// Where it stands in a request in this form: where the form has no such list, at the place where it was given.
    pub fn sent(&self, wire: Wire) -> &'static [&'static str] {
        Some(self.wire(wire)).filter(|place| !place.is_empty()).unwrap_or(self.given())
    }

    /// Where it stands in a wire form; empty where that form has no such list.
    pub fn wire(&self, wire: Wire) -> &'static [&'static str] {
        match wire {
            Wire::Serialised => self.serialised,
            Wire::Typed => self.typed,
        }
    }
}

/// How the parts of a section come by their ids.
#[derive(Clone, Copy)]
pub(super) struct Ids {
    /// The section's word in the digest.
    pub word: &'static str,
    /// The members whose text makes the digest where there is no `$key`.
    pub by: &'static [&'static str],
    /// Within which sections ids are unique.
    pub group: Group,
}

/// Where ids are unique together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// Sample questions and benchmarks.
    Questions,
    /// Everything below `instructions`.
    Instructions,
}

const fn member(name: &'static str, wire: &'static str, also: &'static [&'static str], shape: Shape) -> Member {
    Member { name, serialised: wire, typed: wire, also, older: &[], shape }
}

/// The member that names an item for its id.
pub(super) const KEY: &str = "$key";

const OWN_KEY: Member = member(KEY, "", &[], Shape::Local);
const ID: Member = member("id", "id", &[], Shape::Same);
const DESCRIPTION: Member = member("description", "description", &[], Shape::Prose);
const SQL: Member = member("sql", "sql", &[], Shape::Prose);
const SYNONYMS: Member = member("synonyms", "synonyms", &[], Shape::Words);
const COMMENT: Member = member("comment", "comment", &[], Shape::Prose);
const INSTRUCTION: Member = member("instruction", "instruction", &[], Shape::Prose);
const QUESTION: Member = member("question", "question", &[], Shape::Line);

/// A part with the defaults of most.
const PLAIN: Form = Form { members: &[], short: "", sorted: &["id"], order: Order::Rising, lift: None, lower: None };

/// A column. The first version's flags are the second version's under other names (the public command line's notes on
/// the migration that servers do).
pub(super) static COLUMN: Form = Form {
    members: &[
        member("name", "column_name", &[], Shape::Same).typed("column"),
        member("display_name", "display_name", &[], Shape::Same).only_typed(),
        DESCRIPTION,
        SYNONYMS,
        member("exclude", "exclude", &[], Shape::Same),
        member("enable_format_assistance", "enable_format_assistance", &["format_assistance"], Shape::Same).older(&["get_example_values"]),
        member("enable_entity_matching", "enable_entity_matching", &["entity_matching"], Shape::Same).older(&["build_value_dictionary"]),
    ],
    short: "name",
    sorted: &["name"],
    ..PLAIN
};

/// A table, view or metric view.
pub(super) static TABLE: Form = Form {
    members: &[
        member("identifier", "identifier", &["name", "table"], Shape::Same),
        DESCRIPTION,
        member("columns", "column_configs", &[], Shape::Parts(&COLUMN)),
    ],
    short: "identifier",
    sorted: &["identifier"],
    order: Order::AsWrittenTyped,
    lift: Some(columns_by_name),
    ..PLAIN
};

/// A volume whose files the space may read.
static VOLUME: Form = Form {
    members: &[member("path", "path", &[], Shape::Same).only_typed(), DESCRIPTION.only_typed()],
    short: "path",
    sorted: &["path"],
    order: Order::AsWrittenTyped,
    ..PLAIN
};

/// A connection to an MCP server whose tools the space may use.
static MCP_CONNECTION: Form = Form {
    members: &[member("mcp_connection", "mcp_connection", &["name", "connection"], Shape::Same).only_typed()],
    short: "mcp_connection",
    sorted: &["mcp_connection"],
    order: Order::AsWrittenTyped,
    ..PLAIN
};

static PARAMETER: Form = Form {
    members: &[
        member("name", "name", &[], Shape::Same),
        member("type_hint", "type_hint", &["type"], Shape::Same),
        DESCRIPTION,
        member("default_value", "default_value", &["default"], Shape::Initial),
    ],
    short: "name",
    sorted: &[],
    order: Order::AsWrittenTyped,
    ..PLAIN
};

static EXAMPLE: Form = Form {
    members: &[
        OWN_KEY,
        ID,
        QUESTION,
        SQL,
        member("parameters", "parameters", &[], Shape::Parts(&PARAMETER)),
        member("usage_guidance", "usage_guidance", &[], Shape::Prose),
    ],
    ..PLAIN
};

pub(super) static FUNCTION: Form = Form {
    members: &[OWN_KEY, ID, member("identifier", "identifier", &["name", "function"], Shape::Same)],
    short: "identifier",
    sorted: &["id", "identifier"],
    ..PLAIN
};

pub(super) static JOIN: Form = Form {
    members: &[
        OWN_KEY,
        ID,
        member("left", "left", &[], Shape::Same),
        member("left_alias", "left_alias", &[], Shape::Same),
        member("right", "right", &[], Shape::Same),
        member("right_alias", "right_alias", &[], Shape::Same),
        member("condition", "condition", &[], Shape::Same),
        member("relationship", "relationship", &[], Shape::Same),
        COMMENT,
        INSTRUCTION,
    ],
    lift: Some(join::lift),
    lower: Some(join::lower),
    ..PLAIN
};

const SNIPPET_NAME: Member = member("name", "display_name", &[], Shape::Same);
const ALIAS: Member = member("alias", "alias", &[], Shape::Same);

/// An expression or measure.
static SNIPPET: Form = Form {
    members: &[OWN_KEY, ID, SNIPPET_NAME, SQL, ALIAS, SYNONYMS, COMMENT.only_serialised(), INSTRUCTION],
    lift: Some(named_snippet),
    ..PLAIN
};

/// A filter has no alias in the typed form.
static FILTER: Form = Form {
    members: &[OWN_KEY, ID, SNIPPET_NAME, SQL, ALIAS.only_serialised(), SYNONYMS, COMMENT.only_serialised(), INSTRUCTION],
    lift: Some(named_snippet),
    ..PLAIN
};

static SAMPLE: Form = Form { members: &[OWN_KEY, ID, QUESTION], short: "question", ..PLAIN };

static BENCHMARK: Form = Form {
    members: &[
        OWN_KEY,
        ID,
        QUESTION,
        member("sql", "sql", &["expected_sql"], Shape::Same),
        member("evaluation_note", "evaluation_note", &[], Shape::Prose),
    ],
    short: "question",
    order: Order::FallingTyped,
    lift: Some(answered),
    lower: Some(answering),
    ..PLAIN
};

const fn ids(word: &'static str, by: &'static [&'static str], group: Group) -> Ids {
    Ids { word, by, group }
}

/// All lists of parts, in the order in which a person reads a space. The words of ids never change: they are in the ids of
/// every space that was ever made.
pub(super) static SECTIONS: &[Section] = &[
    Section { at: &["tables"], serialised: &["data_sources", "tables"], typed: &["data_sources", "tables"], form: &TABLE, ids: None },
    // One list with the tables in the typed form.
    Section {
        at: &["metric_views"],
        serialised: &["data_sources", "metric_views"],
        typed: &["data_sources", "tables"],
        form: &TABLE,
        ids: None,
    },
    Section { at: &["volumes"], serialised: &[], typed: &["data_sources", "volumes"], form: &VOLUME, ids: None },
    Section { at: &["mcp_connections"], serialised: &[], typed: &["data_sources", "mcp_connections"], form: &MCP_CONNECTION, ids: None },
    Section {
        at: &["instructions", "example_sql"],
        serialised: &["instructions", "example_question_sqls"],
        typed: &["instructions", "example_question_sqls"],
        form: &EXAMPLE,
        ids: Some(ids("example_sql", &["question"], Group::Instructions)),
    },
    Section {
        at: &["instructions", "functions"],
        serialised: &["instructions", "sql_functions"],
        typed: &["instructions", "sql_functions"],
        form: &FUNCTION,
        ids: Some(ids("function", &["identifier"], Group::Instructions)),
    },
    Section {
        at: &["instructions", "joins"],
        serialised: &["instructions", "join_specs"],
        typed: &["instructions", "join_specs"],
        form: &JOIN,
        ids: Some(ids("join", &["left", "left_alias", "right", "right_alias"], Group::Instructions)),
    },
    Section {
        at: &["instructions", "snippets", "filters"],
        serialised: &["instructions", "sql_snippets", "filters"],
        typed: &["instructions", "sql_snippets", "filters"],
        form: &FILTER,
        ids: Some(ids("filter", &["name"], Group::Instructions)),
    },
    Section {
        at: &["instructions", "snippets", "expressions"],
        serialised: &["instructions", "sql_snippets", "expressions"],
        typed: &["instructions", "sql_snippets", "expressions"],
        form: &SNIPPET,
        ids: Some(ids("expression", &["name"], Group::Instructions)),
    },
    Section {
        at: &["instructions", "snippets", "measures"],
        serialised: &["instructions", "sql_snippets", "measures"],
        typed: &["instructions", "sql_snippets", "measures"],
        form: &SNIPPET,
        ids: Some(ids("measure", &["name"], Group::Instructions)),
    },
    Section {
        at: &["sample_questions"],
        serialised: &["config", "sample_questions"],
        typed: &["config", "sample_questions"],
        form: &SAMPLE,
        ids: Some(ids("sample_question", &["question"], Group::Questions)),
    },
    Section {
        at: &["benchmarks"],
        serialised: &["benchmarks", "questions"],
        typed: &["benchmarks", "questions"],
        form: &BENCHMARK,
        ids: Some(ids("benchmark", &["question"], Group::Questions)),
    },
];

/// `columns: {amount: {description: ...}}`, or `{amount: what it is}`, as a list.
fn columns_by_name(table: &mut Map, _: &mut Map) {
    let Some(columns) = table.get_mut("columns") else { return };
    // Markers of overlays are about all of it.
    if let Value::Map(by_name) = columns
        && !by_name.contains_key("$delete")
        && !by_name.contains_key("$replace")
    {
        let list = std::mem::take(by_name).into_iter().map(|(name, column)| match column {
            Value::Map(mut members) => {
                members.shift_insert(0, "name".to_owned(), Value::Text(name));
                Value::Map(members)
            }
            Value::Null => Value::map([("name", Value::Text(name))]),
            described => Value::map([("name", Value::Text(name)), ("description", described)]),
        });
        *columns = Value::List(list.collect());
    }
}

/// Older servers know snippets without a display name: those are called by their alias, else by their text.
fn named_snippet(snippet: &mut Map, _: &mut Map) {
    if ["name", "display_name"].iter().all(|name| snippet.get(*name).is_none_or(Value::is_zero)) {
        snippet.shift_remove("display_name");
        let text = |value: &Value| match value {
            Value::Text(text) => Some(text.clone()),
            Value::List(parts) => parts.iter().map(Value::as_str).collect::<Option<String>>(),
            _ => None,
        };
        let own = ["alias", "sql"].iter().find_map(|name| text(snippet.get(*name)?));
        if let Some(own) = own.filter(|own| !own.is_empty()) {
            snippet.insert("name".to_owned(), Value::Text(own));
        }
    }
}

/// What the agents API calls an answer in SQL.
const TYPED_SQL: &str = "GENIE_AGENT_BENCHMARK_ANSWER_FORMAT_SQL";

/// The one answer that the API takes today, `[{format: SQL, content: [...]}]`, is `sql`. What else such an answer holds, and
/// other answers, are set aside.
fn answered(benchmark: &mut Map, rest: &mut Map) {
    let is_said = ["sql", "expected_sql"].iter().any(|name| benchmark.get(*name).is_some_and(|sql| !sql.is_zero()));
    let Some(Value::List(answers)) = benchmark.get_mut("answer").filter(|_| !is_said) else { return };
    let Some(place) = answers.iter().position(|answer| sql_of(answer).is_some()) else { return };
    let mut others = std::mem::take(answers);
    let sql = sql_of(&others[place]);
    if let Some(answer) = others[place].as_map_mut() {
        answer.shift_remove("format");
        answer.shift_remove("content");
    }
    // It stands before the others by itself.
    let speaks = |answer: &Value| ["format", "content"].iter().any(|name| answer.get(name).is_some());
    if place == 0 && others[0].is_zero() && others[1..].iter().all(speaks) {
        others.remove(0);
    }
    benchmark.shift_remove("answer");
    benchmark.extend(sql.map(|sql| ("sql".to_owned(), sql)));
    if !others.is_empty() {
        rest.insert("answer".to_owned(), Value::List(others));
    }
}

/// The text of an answer in SQL.
fn sql_of(answer: &Value) -> Option<Value> {
    let format = answer.as_map()?.get("format").filter(|format| !format.is_zero());
    let is_sql = format.is_none_or(|format| matches!(format.as_str(), Some("SQL" | TYPED_SQL)));
    let text = prose(answer.get("content").filter(|_| is_sql)?.clone());
    matches!(text, Value::Text(_) | Value::Unknown(_)).then_some(text)
}

fn answering(benchmark: &mut Map, wire: Wire) {
    if let Some(sql) = benchmark.shift_remove("sql") {
        let (format, content) = match wire {
            Wire::Serialised => ("SQL", Value::List(vec![sql])),
            Wire::Typed => (TYPED_SQL, sql),
        };
        let answer = Value::map([("format", Value::from(format)), ("content", content)]);
        benchmark.insert("answer".to_owned(), Value::List(vec![answer]));
    }
}
