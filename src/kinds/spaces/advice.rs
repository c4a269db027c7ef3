//! What is told and not refused: rules of which sources disagree, and what nobody is likely to have meant.

mod strays;

use std::collections::BTreeMap;

pub(super) use strays::Strays;

use super::check::{INSTRUCTIONS, instructions, items, place, refusal};
use super::form::{KEY, SECTIONS};
use super::name::Name;
use super::{join, sql};
use crate::diagnostic::suggest;
use crate::kinds::Refusal;
use crate::model::{Path, Step, Value};

/// Functions, and benchmarks, that older workspaces take: `Exceeded maximum number (50) of certified answer inputs`.
const OLDER: usize = 50;
/// Benchmarks that any workspace takes.
const BENCHMARKS: usize = 500;

/// All of it.
pub(super) fn advise(body: &Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    if body.get("title").and_then(Value::as_str).is_some_and(|title| title.trim().is_empty()) {
        found.push(refusal(place(&["title"]), "the title is empty, and people find a space by it"));
    }
    if body.get("warehouse_id").and_then(Value::as_str).is_some_and(|id| id.trim().is_empty()) {
        found.push(refusal(place(&["warehouse_id"]), "it names no warehouse, and without one the space answers nothing"));
    }
    counts(body, &mut found);
    questions(body, &mut found);
    examples(body, &mut found);
    joins(body, &mut found);
    bare(body, &mut found);
    for list in ["filters", "expressions", "measures"] {
        snippets(body, list, &mut found);
        unnamed(body, list, &mut found);
    }
    found.extend(Strays::of(body).told());
    found
}

fn counts(body: &Value, found: &mut Vec<Refusal>) {
    let described = |list: &str| items(body, &[list]).iter().filter(|table| table.get("description").is_some_and(|d| !d.is_zero())).count();
    let (said, tables) = (instructions(body), described("tables") + described("metric_views"));
    // More of them without the tables are refused.
    if said <= INSTRUCTIONS && said + tables > INSTRUCTIONS {
        let reason = format!(
            "some count tables with a description as instructions too: {said} examples, functions and texts with {tables} of those are {}, \
             and a space has at most {INSTRUCTIONS}",
            said + tables
        );
        found.push(refusal(place(&["instructions"]), reason));
    }
    let functions = items(body, &["instructions", "functions"]).len();
    if functions > OLDER {
        let reason = format!("some workspaces take at most {OLDER} functions, and these are {functions}");
        found.push(refusal(place(&["instructions", "functions"]), reason));
    }
    let benchmarks = items(body, &["benchmarks"]).len();
    if benchmarks > BENCHMARKS {
        found.push(refusal(place(&["benchmarks"]), format!("a space has at most {BENCHMARKS} benchmarks, and these are {benchmarks}")));
    } else if benchmarks > OLDER {
        let reason = format!("some workspaces take at most {OLDER} benchmarks, and these are {benchmarks}");
        found.push(refusal(place(&["benchmarks"]), reason));
    }
}

/// Names that begin with an expression that has lost its braces.
fn bare(body: &Value, found: &mut Vec<Refusal>) {
    let lists: [(&[&str], &[&str]); 4] = [
        (&["tables"], &["identifier"]),
        (&["metric_views"], &["identifier"]),
        (&["instructions", "functions"], &["identifier"]),
        (&["instructions", "joins"], &["left", "right"]),
    ];
    for (list, names) in lists {
        for (i, item) in items(body, list).iter().enumerate() {
            for name in names {
                let Some(rest) = item.get(name).and_then(Value::as_str).and_then(|text| text.strip_prefix('$')) else { continue };
                let word: String = rest.chars().take_while(|c| *c == '_' || c.is_alphanumeric()).collect();
                if !word.is_empty() {
                    let path = place(list).join(Step::Index(i)).join(Step::Field((*name).to_owned()));
                    found.push(refusal(path, format!("`${word}` is sent as it is: an expression has braces, `${{{word}}}`")));
                }
            }
        }
    }
}

/// Questions that nobody can tell apart: they differ in nothing but blanks.
fn questions(body: &Value, found: &mut Vec<Refusal>) {
    for section in SECTIONS.iter().filter(|section| section.ids.is_some_and(|ids| ids.by == ["question"])) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (i, item) in items(body, section.at).iter().enumerate() {
            // A key of its own says that it is meant.
            let Some(text) = item.get("question").and_then(Value::as_str).filter(|_| item.get(KEY).is_none()) else { continue };
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            match seen.get(&words) {
                Some(first) if *first != text => {
                    let path = place(section.at).join(Step::Index(i)).join(Step::Field("question".to_owned()));
                    let reason =
                        format!("`{text}` is asked above already, as `{first}`: they differ in nothing but blanks; take one of them away");
                    found.push(refusal(path, reason));
                }
                Some(_) => {}
                None => drop(seen.insert(words, text)),
            }
        }
    }
}

/// The types of SQL that a parameter may have. The API takes any word.
const TYPES: &[&str] = &[
    "STRING",
    "INTEGER",
    "INT",
    "BIGINT",
    "LONG",
    "SMALLINT",
    "SHORT",
    "TINYINT",
    "BYTE",
    "DOUBLE",
    "FLOAT",
    "REAL",
    "DECIMAL",
    "DEC",
    "NUMERIC",
    "BOOLEAN",
    "DATE",
    "TIMESTAMP",
    "TIMESTAMP_NTZ",
    "TIMESTAMP_LTZ",
    "INTERVAL",
    "BINARY",
    "ARRAY",
    "MAP",
    "STRUCT",
    "VARIANT",
];

/// What is the matter with a type, if anything is: `DECIMAL(10, 2)` and `date` are fine.
fn type_hint(hint: &str) -> Option<String> {
    let word = hint.split(['(', '<', ' ']).next().unwrap_or_default().to_uppercase();
    if TYPES.contains(&word.as_str()) {
        return None;
    }
    Some(match suggest::nearest(&word, TYPES.iter().copied()) {
        Some(near) => format!("`{hint}` is no type of SQL: did you mean `{near}`?"),
        None => format!("`{hint}` is no type of SQL, such as STRING, INTEGER, DATE: the API takes any word, but Genie goes by it"),
    })
}

/// Parameters that the SQL has and nobody declares, and the other way round.
fn examples(body: &Value, found: &mut Vec<Refusal>) {
    let at = place(&["instructions", "example_sql"]);
    for (i, example) in items(body, &["instructions", "example_sql"]).iter().enumerate() {
        let Some(text) = example.get("sql").and_then(Value::as_str) else { continue };
        let path = at.join(Step::Index(i));
        if text.trim().is_empty() {
            found.push(refusal(path.join(Step::Field("sql".to_owned())), "the SQL is empty, and an example shows the SQL of its question"));
        }
        let used = sql::parameters(text);
        let declared = example.get("parameters").and_then(Value::as_list).unwrap_or_default();
        let named = |name: &str| declared.iter().any(|p| p.get("name").and_then(Value::as_str) == Some(name));
        for name in used.iter().filter(|name| !named(name)) {
            let reason = format!("the SQL has a parameter `:{name}` that `parameters` does not declare: add `{{ name: {name} }}` there");
            found.push(refusal(path.join(Step::Field("sql".to_owned())), reason));
        }
        for (p, parameter) in declared.iter().enumerate() {
            if let Some(reason) = parameter.get("type_hint").and_then(Value::as_str).and_then(type_hint) {
                let at = path.join(Step::Field("parameters".to_owned())).join(Step::Index(p));
                found.push(refusal(at.join(Step::Field("type_hint".to_owned())), reason));
            }
            let Some(name) = parameter.get("name").and_then(Value::as_str).filter(|name| !used.iter().any(|u| u == name)) else { continue };
            let place = path.join(Step::Field("parameters".to_owned())).join(Step::Index(p)).join(Step::Field("name".to_owned()));
            found.push(refusal(place, format!("the SQL has no parameter `:{name}`: use it there, or take it away here")));
        }
    }
}

/// The tables and views of the space.
fn tables(body: &Value) -> Vec<Name> {
    let all = items(body, &["tables"]).iter().chain(items(body, &["metric_views"]));
    all.filter_map(|item| Name::parse(item.get("identifier")?.as_str()?)).collect()
}

fn joins(body: &Value, found: &mut Vec<Refusal>) {
    let tables = tables(body);
    let at = place(&["instructions", "joins"]);
    for (i, item) in items(body, &["instructions", "joins"]).iter().enumerate() {
        let path = at.join(Step::Index(i));
        for side in ["left", "right"] {
            let named = item.get(side).and_then(Value::as_str);
            // What is no whole name is refused as such.
            let is_elsewhere = |text: &&str| Name::parse(text).is_some_and(|name| !tables.iter().any(|table| table.is(&name.folded())));
            if let Some(name) = named.filter(is_elsewhere) {
                let remedy = match join::near(body, name) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "add it to `tables`, or take the join away".to_owned(),
                };
                let reason = format!("`{name}` is no table of this space: {remedy}");
                found.push(refusal(path.join(Step::Field(side.to_owned())), reason));
            }
        }
        let Some(text) = item.get("condition").and_then(Value::as_str) else { continue };
        let reason = match join::equalities(text) {
            None => "a condition is known to be taken as equalities of columns, `a.x = b.y`, joined by AND; the workspace may refuse this",
            Some(pairs) if pairs.iter().any(|[left, right]| same_side(left, right)) => {
                "this compares columns of one table with each other, and a join has one of each side in every equality"
            }
            Some(_) => continue,
        };
        found.push(refusal(path.join(Step::Field("condition".to_owned())), reason));
    }
}

fn same_side(left: &[String], right: &[String]) -> bool {
    matches!((left, right), ([a, _], [b, _]) if a.eq_ignore_ascii_case(b))
}

/// Columns of filters, expressions and measures are written with their table.
fn snippets(body: &Value, list: &str, found: &mut Vec<Refusal>) {
    let tables = tables(body);
    let aliases = items(body, &["instructions", "joins"]).iter().flat_map(|join| {
        ["left_alias", "right_alias"].into_iter().filter_map(|side| join.get(side)?.as_str()).map(str::to_lowercase).collect::<Vec<_>>()
    });
    let known: Vec<Vec<String>> = tables
        .iter()
        .flat_map(|table| {
            let parts = table.folded();
            (0..parts.len()).map(move |from| parts[from..].to_vec())
        })
        .chain(aliases.map(|alias| vec![alias]))
        .collect();
    let first = tables.first().map_or_else(|| "table".to_owned(), |table| join::word(table.last()));
    let at = place(&["instructions", "snippets", list]);
    for (i, snippet) in items(body, &["instructions", "snippets", list]).iter().enumerate() {
        let Some(columns) = snippet.get("sql").and_then(Value::as_str).and_then(sql::columns) else { continue };
        let qualified = |parts: &&Vec<String>| {
            let lower: Vec<String> = parts.iter().map(|part| part.to_lowercase()).collect();
            known.iter().any(|table| lower.len() > table.len() && lower.starts_with(table))
        };
        let Some(bare) = columns.iter().find(|parts| !qualified(parts)) else { continue };
        let reason = match bare.as_slice() {
            [column] => format!("`{column}` is written without its table: write `{first}.{column}`, or whichever table it is of"),
            several => format!("`{}` names no table of this space: columns are written `{first}.column`", several.join(".")),
        };
        found.push(refusal(at_sql(&at, i), reason));
    }
}

/// Snippets that have no name of their own: they were called by their SQL.
fn unnamed(body: &Value, list: &str, found: &mut Vec<Refusal>) {
    let at = place(&["instructions", "snippets", list]);
    for (i, snippet) in items(body, &["instructions", "snippets", list]).iter().enumerate() {
        let text = |name: &str| snippet.get(name).and_then(Value::as_str);
        if let Some(name) = text("name").filter(|name| Some(*name) == text("sql")) {
            let reason = format!("it is called by its SQL, `{name}`: write the `name` that people know it by");
            found.push(refusal(at.join(Step::Index(i)).join(Step::Field("name".to_owned())), reason));
        }
    }
}

fn at_sql(list: &Path, item: usize) -> Path {
    list.join(Step::Index(item)).join(Step::Field("sql".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::json;

    fn told(body: &str) -> Vec<String> {
        let body = json::parse(body.as_bytes()).expect("JSON");
        advise(&super::super::read::normal(body)).into_iter().map(|found| format!("{}: {}", found.path, found.reason)).collect()
    }

    /// Whether exactly these are told, each by a part of its words.
    fn case(body: &str, wanted: &[&str]) {
        let told = told(body);
        let fits = told.len() == wanted.len() && told.iter().zip(wanted).all(|(told, wanted)| told.contains(wanted));
        assert!(fits, "{body}\n{told:#?}\n{wanted:#?}");
    }

    #[test]
    fn parameters_are_declared_and_used() {
        let example = |sql: &str, parameters: &str| {
            format!(r#"{{"instructions": {{"example_sql": [{{"question": "q", "sql": "{sql}", "parameters": {parameters}}}]}}}}"#)
        };
        case(&example("SELECT :day", r#"["day"]"#), &[]);
        case(&example("SELECT :day", "[]"), &["example_sql[0].sql: the SQL has a parameter `:day` that"]);
        case(&example("", "[]"), &["example_sql[0].sql: the SQL is empty"]);
        case(&example("SELECT 1", r#"["day"]"#), &["parameters[0].name: the SQL has no parameter `:day`"]);
    }

    #[test]
    fn an_empty_title_is_told() {
        case(r#"{"title": " "}"#, &["title: the title is empty"]);
        case(r#"{"title": "t", "warehouse_id": ""}"#, &["warehouse_id: it names no warehouse"]);
    }

    #[test]
    fn an_expression_without_braces_is_told() {
        case(
            r#"{"tables": ["$catalog.gold.stores", "${catalog}.gold.a", "$.x", "a$b.c.d"]}"#,
            &["tables[0].identifier: `$catalog` is sent"],
        );
        case(r#"{"instructions": {"functions": ["$c.s.f"]}}"#, &["an expression has braces, `${c}`"]);
    }

    #[test]
    fn types_of_parameters_are_those_of_sql() {
        let example = |hint: &str| {
            let parameter = format!(r#"{{"name": "p", "type_hint": "{hint}"}}"#);
            format!(r#"{{"instructions": {{"example_sql": [{{"question": "q", "sql": "SELECT :p", "parameters": [{parameter}]}}]}}}}"#)
        };
        for fine in ["STRING", "date", "DECIMAL(10, 2)", "ARRAY<STRING>", "TIMESTAMP"] {
            case(&example(fine), &[]);
        }
        case(&example("DAET"), &["parameters[0].type_hint: `DAET` is no type of SQL: did you mean `DATE`?"]);
        case(&example("money"), &["`money` is no type of SQL, such as STRING"]);
    }

    #[test]
    fn questions_that_differ_in_blanks_alone_are_one() {
        for (at, wanted) in
            [("sample_questions", "sample_questions[1].question: `Q? ` is asked above already, as `Q?`"), ("benchmarks", "benchmarks[1]")]
        {
            case(&format!(r#"{{"{at}": [{{"question": "Q?", "sql": "S"}}, {{"question": "Q? ", "sql": "S"}}]}}"#), &[wanted]);
            case(&format!(r#"{{"{at}": [{{"question": "Q?", "sql": "S"}}, {{"question": "Q? ", "$key": "b", "sql": "S"}}]}}"#), &[]);
            case(&format!(r#"{{"{at}": [{{"question": "Q?", "sql": "S"}}, {{"question": "q?", "sql": "S"}}]}}"#), &[]);
        }
    }

    #[test]
    fn joins_are_of_tables_of_the_space() {
        let join = |right: &str, condition: &str| {
            format!(
                r#"{{"tables": ["c.s.orders", "c.s.items"], "instructions": {{"joins": [{{"left": "c.s.orders", "right": "{right}",
                "condition": "{condition}", "relationship": "ONE_TO_MANY"}}]}}}}"#
            )
        };
        case(&join("c.s.ITEMS", "orders.id = items.order_id"), &[]);
        case(&join("c.s.people", "orders.id = people.id"), &["joins[0].right: `c.s.people` is no table of this space"]);
        case(&join("c.s.items", "orders.id > items.order_id"), &["joins[0].condition: a condition is known"]);
        case(&join("c.s.items", "orders.id = orders.id"), &["joins[0].condition: this compares columns of one table"]);
    }

    #[test]
    fn columns_of_snippets_have_their_table() {
        let measure = |sql: &str| {
            format!(r#"{{"tables": ["c.s.orders"], "instructions": {{"snippets": {{"measures": [{{"name": "m", "sql": "{sql}"}}]}}}}}}"#)
        };
        case(&measure("sum(orders.total)"), &[]);
        case(&measure("sum(c.s.orders.total)"), &[]);
        case(&measure("count(*)"), &[]);
        case(&measure("sum(total)"), &["measures[0].sql: `total` is written without its table: write `orders.total`"]);
        case(&measure("sum(o.total)"), &["`o.total` names no table of this space"]);
    }

    #[test]
    fn what_is_called_by_its_sql_is_told() {
        let measure = |name: &str| {
            format!(r#"{{"tables": ["c.s.orders"], "instructions": {{"snippets": {{"measures": [{{{name}"sql": "count(*)"}}]}}}}}}"#)
        };
        for none in ["", r#""name": "", "#, r#""display_name": "", "#] {
            case(&measure(none), &["measures[0].name: it is called by its SQL, `count(*)`: write the `name`"]);
        }
        case(&measure(r#""name": "orders", "#), &[]);
        case(&measure(r#""alias": "orders", "#), &[]);
    }

    #[test]
    fn tables_with_a_description_may_count_as_instructions() {
        let body = |examples: usize, description: &str| {
            let all: Vec<String> = (0..examples).map(|i| format!(r#"{{"question": "q{i}", "sql": "SELECT 1"}}"#)).collect();
            let table = format!(r#"{{"identifier": "a.b.c", "description": "{description}"}}"#);
            format!(r#"{{"tables": [{table}], "instructions": {{"example_sql": [{}]}}}}"#, all.join(","))
        };
        case(&body(99, "d"), &[]);
        case(&body(100, ""), &[]);
        case(&body(100, "d"), &["instructions: some count tables with a description as instructions too: 100 examples"]);
    }

    #[test]
    fn what_older_workspaces_refuse_is_told() {
        let many = |n: usize| (0..n).map(|i| format!("\"c.s.f{i}\"")).collect::<Vec<_>>().join(",");
        case(&format!(r#"{{"instructions": {{"functions": [{}]}}}}"#, many(50)), &[]);
        case(
            &format!(r#"{{"instructions": {{"functions": [{}]}}}}"#, many(51)),
            &["instructions.functions: some workspaces take at most 50"],
        );
        let questions = |n: usize| {
            let all: Vec<String> = (0..n).map(|i| format!(r#"{{"question": "q{i}", "sql": "SELECT 1"}}"#)).collect();
            format!(r#"{{"benchmarks": [{}]}}"#, all.join(","))
        };
        case(&questions(51), &["benchmarks: some workspaces take at most 50"]);
        case(&questions(501), &["benchmarks: a space has at most 500"]);
    }
}
