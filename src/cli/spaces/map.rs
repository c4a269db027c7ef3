//! `--map OLD=NEW`: another catalog, or another schema of one, wherever a space names it: tables, functions, joins, SQL.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::cli::Failure;
use crate::export::Form;
use crate::model::{Value, json};

/// A name of one or more parts, and what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Renamed {
    old: Vec<String>,
    new: Vec<String>,
}

impl Renamed {
    /// The name that is replaced.
    pub(super) fn old(&self) -> String {
        self.old.join(".")
    }

    /// The expressions in what stands in its place (`${catalog}`), which only a file can hold.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &str> {
        self.new.iter().map(String::as_str).filter(|part| is_expression(part))
    }
}

fn is_expression(part: &str) -> bool {
    part.starts_with("${") && part.ends_with('}')
}

/// What stands for an expression until the file is written: a name that no writer quotes.
fn stand_in(expression: &str) -> String {
    let hex = expression.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("brickform_expression_{hex}_")
}

/// A text that was written, with the expressions in their places.
pub(super) fn evaluated_later(all: &[Renamed], text: &str, form: Form) -> String {
    let spelt = |expression: &str| match form {
        Form::Yaml => expression.to_owned(),
        // It stands inside a text there, whose quotes are those of JSON.
        Form::Json => {
            let quoted = json::write(&Value::from(expression)).unwrap_or_default();
            quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(expression).to_owned()
        }
    };
    all.iter()
        .flat_map(Renamed::expressions)
        .fold(text.to_owned(), |text, expression| text.replace(&stand_in(expression), &spelt(expression)))
}

/// Reads `catalog=other` and `catalog.schema=other.schema`.
pub(super) fn parse(given: &str) -> Result<Renamed, Failure> {
    let parts = |text: &str| -> Option<Vec<String>> {
        // The dots of an expression divide nothing.
        let mut depth = 0_usize;
        let divides = |c: char| {
            depth = match c {
                '{' => depth + 1,
                '}' => depth.saturating_sub(1),
                _ => depth,
            };
            c == '.' && depth == 0
        };
        let parts: Vec<String> = text.split(divides).map(|part| part.trim_matches('`').to_owned()).collect();
        (!parts.iter().any(String::is_empty)).then_some(parts)
    };
    let read = given.split_once('=').and_then(|(old, new)| Some(Renamed { old: parts(old.trim())?, new: parts(new.trim())? }));
    let fits = |one: &Renamed| one.old.len() == one.new.len() && one.old.len() <= 2 && !one.old.iter().any(|part| part.contains('$'));
    read.filter(fits).ok_or_else(|| {
        Failure::usage(
            format!("`--map {given}` is no pair of names"),
            &["write `--map CATALOG=CATALOG`, or `--map CATALOG.SCHEMA=CATALOG.SCHEMA`"],
        )
    })
}

/// What a text of a space is: which names in it are those of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The whole name of an object.
    Name,
    /// A query: names of three parts are those of objects.
    Query,
    /// A condition or a snippet: names begin with a table or its alias, and only what the space names in three parts is an object.
    Beside,
}

/// Gives a space other names, in all members that are names or SQL. Gives how many were changed.
pub(super) fn apply(all: &[Renamed], value: &mut Value) -> usize {
    let known = identifiers(value);
    inside(all, &known, Place::Query, value)
}

fn inside(all: &[Renamed], known: &BTreeSet<String>, sql: Place, value: &mut Value) -> usize {
    let mut count = 0;
    match value {
        Value::Map(map) => {
            for (name, value) in map.iter_mut() {
                let place = match name.as_str() {
                    "identifier" | "left" | "right" => Some(Place::Name),
                    "condition" => Some(Place::Beside),
                    "sql" => Some(sql),
                    _ => None,
                };
                match (place, &*value) {
                    (Some(place), Value::Text(text)) => {
                        let (changed, more) = renamed(all, known, place, text);
                        count += more;
                        *value = Value::Text(changed);
                    }
                    _ => count += inside(all, known, if name == "snippets" { Place::Beside } else { sql }, value),
                }
            }
        }
        Value::List(items) => count += items.iter_mut().map(|item| inside(all, known, sql, item)).sum::<usize>(),
        _ => {}
    }
    count
}

/// The lists of a space whose items are objects of Unity Catalog, each with what messages call one.
const OBJECTS: &[(&[&str], &str)] =
    &[(&["tables"], "table"), (&["metric_views"], "metric view"), (&["instructions", "functions"], "function")];

/// The objects that a space names, in its order, each with its sort.
pub(super) fn named(space: &Value) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for (list, sort) in OBJECTS {
        let items = list.iter().try_fold(space, |value, name| value.get(name)).and_then(Value::as_list).unwrap_or_default();
        found.extend(items.iter().map(|item| (*sort, super::text(item, "identifier"))));
    }
    found
}

/// Refuses names that make one object of several: a space has each once, and what was said of the others would be lost.
///
/// # Errors
/// Names both, and what both would be.
pub(super) fn apart(before: &[(&'static str, String)], after: &[(&'static str, String)]) -> Result<(), Failure> {
    let alike = |all: &[(&str, String)], i: usize, j: usize| all[i].0 == all[j].0 && all[i].1.eq_ignore_ascii_case(&all[j].1);
    for j in 0..after.len().min(before.len()) {
        if let Some(i) = (0..j).find(|i| alike(after, *i, j) && !alike(before, *i, j)) {
            let ((sort, one), (_, other)) = (&before[i], &before[j]);
            return Err(Failure::usage(
                format!("`--map` makes one {sort} of two: `{one}` and `{other}` would both be `{}`; nothing was made", after[j].1),
                &["give each a name of its own (`--map A.B=C.D` says it for one schema), or take one of them out of the space"],
            ));
        }
    }
    Ok(())
}

/// A whole name as it is compared.
fn folded(name: &str) -> String {
    words(name).into_iter().map(|word| word.name.to_lowercase()).collect()
}

/// The objects that a space names.
fn identifiers(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Map(map) => map
            .iter()
            .flat_map(|(name, value)| match value {
                Value::Text(text) if name == "identifier" => [folded(text)].into(),
                other => identifiers(other),
            })
            .collect(),
        Value::List(items) => items.iter().flat_map(identifiers).collect(),
        _ => BTreeSet::new(),
    }
}

/// Where texts that are no names (instructions, descriptions, questions, strings and comments of SQL) still name what is
/// replaced: the member and how often.
pub(super) fn left(all: &[Renamed], value: &Value) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let gone: Vec<String> = all.iter().filter(|one| one.new != one.old).map(|one| one.old().to_lowercase()).collect();
    look(&gone, value, "", &mut found);
    found
}

fn look(gone: &[String], value: &Value, at: &str, found: &mut BTreeMap<String, usize>) {
    match value {
        Value::Map(map) => {
            for (name, value) in map {
                look(gone, value, &if at.is_empty() { name.clone() } else { format!("{at}.{name}") }, found);
            }
        }
        Value::List(items) => items.iter().for_each(|item| look(gone, item, at, found)),
        Value::Text(text) => {
            let member = at.rsplit('.').next().unwrap_or_default();
            let count = match member {
                "identifier" | "left" | "right" => 0,
                "sql" | "condition" => {
                    let others = words(text).into_iter().filter(|word| word.sort == Sort::Other);
                    others.map(|word| mentions(gone, &word.text)).sum()
                }
                _ => mentions(gone, text),
            };
            if count > 0 {
                *found.entry(at.to_owned()).or_default() += count;
            }
        }
        _ => {}
    }
}

/// How often prose names one of these as a catalog or schema: before a dot and a name, or behind `/Volumes/`.
fn mentions(gone: &[String], text: &str) -> usize {
    let text = text.to_lowercase().replace('`', "");
    let is_word = |c: char| c == '_' || c.is_alphanumeric();
    let of = |name: &String| {
        let in_path = name.replace('.', "/");
        let named = text.match_indices(name.as_str()).filter(|(at, _)| {
            let mut behind = text[at + name.len()..].chars();
            !text[..*at].ends_with(|c| is_word(c) || c == '.') && behind.next() == Some('.') && behind.next().is_some_and(is_word)
        });
        named.count() + text.matches(&format!("/volumes/{in_path}/")).count()
    };
    gone.iter().map(of).sum()
}

/// What stands in a text of SQL: names, and everything else.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Sort {
    Name,
    Other,
}

#[derive(Debug)]
struct Word {
    sort: Sort,
    /// As it is written.
    text: String,
    /// Without backticks.
    name: String,
}

fn words(sql: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let starts = |mark: &str| rest.starts_with(mark);
        let (sort, length) = if first == '`' {
            (Sort::Name, closed(rest, '`'))
        } else if first == '\'' || first == '"' {
            (Sort::Other, closed(rest, first))
        } else if starts("--") {
            (Sort::Other, rest.find('\n').unwrap_or(rest.len()))
        } else if starts("/*") {
            (Sort::Other, rest.find("*/").map_or(rest.len(), |at| at + 2))
        } else if first.is_alphanumeric() || first == '_' {
            (Sort::Name, rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()))
        } else {
            (Sort::Other, first.len_utf8())
        };
        let (text, after) = rest.split_at(length);
        let name = text.trim_matches('`').replace("``", "`");
        found.push(Word { sort, text: text.to_owned(), name });
        rest = after;
    }
    found
}

/// The length of what begins with a quote, up to the one that ends it.
fn closed(text: &str, quote: char) -> usize {
    text.char_indices().skip(1).find(|(_, c)| *c == quote).map_or(text.len(), |(at, c)| at + c.len_utf8())
}

/// A dotted name of an object that begins with the old one, and goes on behind it, begins with the new one.
fn renamed(all: &[Renamed], known: &BTreeSet<String>, place: Place, sql: &str) -> (String, usize) {
    let words = words(sql);
    let is_dot = |at: usize| words.get(at).is_some_and(|w| w.text == ".");
    let mut out = String::with_capacity(sql.len());
    let (mut at, mut count) = (0, 0);
    while at < words.len() {
        let begins = words[at].sort == Sort::Name && !(at > 0 && is_dot(at - 1));
        let fits = |one: &&Renamed| {
            let named = |(i, part): (usize, &String)| {
                words.get(at + 2 * i).is_some_and(|w| w.sort == Sort::Name && w.name.eq_ignore_ascii_case(part)) && is_dot(at + 2 * i + 1)
            };
            begins && one.old.iter().enumerate().all(named) && is_object(&words[at..], known, place)
        };
        // The longest one that fits says the most.
        if let Some(one) = all.iter().filter(fits).max_by_key(|one| one.old.len()) {
            let new: Vec<String> = one.new.iter().map(|part| spelt(part)).collect();
            out.push_str(&new.join("."));
            at += 2 * one.old.len() - 1;
            count += 1;
        } else {
            out.push_str(&words[at].text);
            at += 1;
        }
    }
    (out, count)
}

/// Whether the dotted name that begins here is that of an object, or of something in it.
fn is_object(words: &[Word], known: &BTreeSet<String>, place: Place) -> bool {
    let mut parts: Vec<String> = Vec::new();
    for pair in words.chunks(2) {
        let [name, rest @ ..] = pair else { break };
        if name.sort != Sort::Name {
            break;
        }
        parts.push(name.name.to_lowercase());
        if rest.first().is_none_or(|dot| dot.text != ".") {
            break;
        }
    }
    let is_known = parts.len() >= 3 && known.contains(&parts[..3].join("."));
    match place {
        Place::Name => true,
        Place::Query => parts.len() == 3 || is_known,
        Place::Beside => is_known,
    }
}

fn spelt(part: &str) -> String {
    if is_expression(part) {
        return stand_in(part);
    }
    let simple = part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if simple { part.to_owned() } else { format!("`{}`", part.replace('`', "``")) }
}

#[cfg(test)]
mod tests {
    use super::{Place, apart, apply, evaluated_later, left, named, parse, renamed};
    use crate::export::Form;
    use crate::model::json;

    #[test]
    fn two_objects_are_not_made_one() {
        let space = |tables: [&str; 2], function: &str| {
            let tables = tables.map(|name| format!(r#"{{"identifier":"{name}"}}"#)).join(",");
            let text = format!(r#"{{"tables":[{tables}],"instructions":{{"functions":[{{"identifier":"{function}"}}]}}}}"#);
            json::parse(text.as_bytes()).unwrap()
        };
        for (maps, tables, wrong) in [
            (&["dev=prod"][..], ["dev.s.a", "prod.s.a"], true),
            (&["dev=prod"], ["dev.s.a", "PROD.s.A"], true),
            (&["dev=prod"], ["dev.s.a", "prod.s.b"], false),
            (&["dev.s=prod.s", "dev.t=prod.s"], ["dev.s.a", "dev.t.a"], true),
            // They change places, and a function is no table.
            (&["dev=prod", "prod=dev"], ["dev.s.a", "prod.s.a"], false),
            // It is so already.
            (&["x=y"], ["dev.s.a", "dev.s.a"], false),
        ] {
            let mut body = space(tables, "prod.s.a");
            let before = named(&body);
            let maps: Vec<_> = maps.iter().map(|map| parse(map).unwrap()).collect();
            apply(&maps, &mut body);
            let told = apart(&before, &named(&body)).map_err(|failure| failure.to_string());
            assert_eq!(told.is_err(), wrong, "{tables:?} {told:?}");
            if let Err(told) = told {
                assert!(tables.iter().all(|name| told.contains(&format!("`{name}`"))), "{told}");
            }
        }
    }

    /// A catalog, a table and its alias may have one name: where a table or an alias stands, no catalog is meant.
    #[test]
    fn what_is_called_as_the_catalog_stays() {
        let mut body = json::parse(
            br#"{"tables":[{"identifier":"sales.gold.sales"}],
                "instructions":{"text":"from sales.gold.sales; see `sales`.gold.x, the sales. Of all","joins":[
                    {"left":"sales.gold.sales","right":"sales.gold.c","condition":"sales.cid = c.id AND sales.address.city = c.city"}],
                "snippets":{"filters":[{"sql":"sales.address.city = 'x' AND sales.gold.sales.amount > 1"}]},
                "example_sql":[{"sql":"SELECT sales.cid FROM sales.gold.sales WHERE f = '/Volumes/sales/gold/v' -- sales.gold.z"}]}}"#,
        )
        .unwrap();
        let maps = [parse("sales=prod_sales").unwrap()];
        assert_eq!(apply(&maps, &mut body), 5);
        let text = json::write(&body).unwrap();
        for want in [
            "\"identifier\":\"prod_sales.gold.sales\"",
            "\"left\":\"prod_sales.gold.sales\"",
            "\"right\":\"prod_sales.gold.c\"",
            "sales.cid = c.id AND sales.address.city = c.city",
            "sales.address.city = 'x' AND prod_sales.gold.sales.amount > 1",
            "SELECT sales.cid FROM prod_sales.gold.sales WHERE",
        ] {
            assert!(text.contains(want), "{want}\n{text}");
        }
        let told: Vec<(String, usize)> = left(&maps, &body).into_iter().collect();
        assert_eq!(told, [("instructions.example_sql.sql".to_owned(), 2), ("instructions.text".to_owned(), 2)]);
        assert_eq!(apply(&[parse("nowhere=x").unwrap()], &mut body), 0);
    }

    #[test]
    fn an_expression_is_written_as_one() {
        let maps = [parse("dev=${var.catalog}").unwrap()];
        let (text, count) = renamed(&maps, &std::collections::BTreeSet::new(), Place::Query, "FROM `dev`.s.t");
        assert_eq!((evaluated_later(&maps, &text, Form::Yaml).as_str(), count), ("FROM ${var.catalog}.s.t", 1));
        let maps = [parse("dev=${secret(\"c\")}").unwrap()];
        let (text, _) = renamed(&maps, &std::collections::BTreeSet::new(), Place::Name, "dev.s.t");
        assert_eq!(evaluated_later(&maps, &text, Form::Json), r#"${secret(\"c\")}.s.t"#);
        assert!(parse("${a}=b").is_err());
    }

    #[test]
    fn names_are_renamed_where_they_are_names() {
        for (maps, text, want, count) in [
            (&["dev=prod"][..], "dev.s.t", "prod.s.t", 1),
            (
                &["dev=prod"],
                "select dev from dev.s.t d join `DEV`.s.u on d.dev = u.dev -- dev.s.t",
                "select dev from prod.s.t d join prod.s.u on d.dev = u.dev -- dev.s.t",
                2,
            ),
            (&["dev=prod"], "x = 'dev.s.t' or y in (dev.s.f(1))", "x = 'dev.s.t' or y in (prod.s.f(1))", 1),
            (&["dev=prod"], "mydev.s.t, dev2.s.t, a.dev.t", "mydev.s.t, dev2.s.t, a.dev.t", 0),
            (&["dev=my-prod"], "dev.s.t", "`my-prod`.s.t", 1),
            (&["dev.s=prod.r", "dev=test"], "dev.s.t join dev.q.t", "prod.r.t join test.q.t", 2),
        ] {
            let maps: Vec<_> = maps.iter().map(|map| parse(map).unwrap()).collect();
            assert_eq!(renamed(&maps, &std::collections::BTreeSet::new(), Place::Query, text), (want.to_owned(), count), "{text}");
        }
        for wrong in ["dev", "=prod", "dev=", "a=b.c", "a.b.c=d.e.f"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
