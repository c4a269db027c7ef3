//! `--map OLD=NEW`: another catalog, or another schema of one, wherever a space names it: tables, functions, joins, SQL.

use crate::cli::Failure;
use crate::model::Value;

/// A name of one or more parts, and what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Renamed {
    old: Vec<String>,
    new: Vec<String>,
}

/// Reads `catalog=other` and `catalog.schema=other.schema`.
pub(super) fn parse(given: &str) -> Result<Renamed, Failure> {
    let parts = |text: &str| -> Option<Vec<String>> {
        let parts: Vec<String> = text.split('.').map(|part| part.trim_matches('`').to_owned()).collect();
        (!parts.iter().any(String::is_empty)).then_some(parts)
    };
    let read = given.split_once('=').and_then(|(old, new)| Some(Renamed { old: parts(old.trim())?, new: parts(new.trim())? }));
    read.filter(|one| one.old.len() == one.new.len() && one.old.len() <= 2).ok_or_else(|| {
        Failure::usage(
            format!("`--map {given}` is no pair of names"),
            &["write `--map CATALOG=CATALOG`, or `--map CATALOG.SCHEMA=CATALOG.SCHEMA`"],
        )
    })
}

/// Gives a space other names, in all members that are names or SQL. Gives how many were changed.
pub(super) fn apply(all: &[Renamed], value: &mut Value) -> usize {
    let mut count = 0;
    match value {
        Value::Map(map) => {
            for (name, value) in map.iter_mut() {
                match (name.as_str(), &*value) {
                    ("identifier" | "left" | "right" | "sql" | "condition", Value::Text(text)) => {
                        let (changed, more) = renamed(all, text);
                        count += more;
                        *value = Value::Text(changed);
                    }
                    _ => count += apply(all, value),
                }
            }
        }
        Value::List(items) => count += items.iter_mut().map(|item| apply(all, item)).sum::<usize>(),
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

/// A dotted name that begins with the old one, and goes on behind it, begins with the new one.
fn renamed(all: &[Renamed], sql: &str) -> (String, usize) {
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
            begins && one.old.iter().enumerate().all(named)
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

fn spelt(part: &str) -> String {
    let simple = part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if simple { part.to_owned() } else { format!("`{}`", part.replace('`', "``")) }
}

#[cfg(test)]
mod tests {
    use super::{apart, apply, named, parse, renamed};
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
            assert_eq!(renamed(&maps, text), (want.to_owned(), count), "{text}");
        }
        for wrong in ["dev", "=prod", "dev=", "a=b.c", "a.b.c=d.e.f"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
