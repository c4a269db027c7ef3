//! What the API would refuse in a space, said at its line before anything is sent. Numbers: the public set-up page and the
//! rules that published validators cite; where sources disagree the wider limit holds.

use std::collections::BTreeMap;

use super::advice::Strays;
use super::form::Wire;
use super::form::{Group, KEY, SECTIONS, Section};
use super::name::Name;
use super::read::PACKED;
use super::{ids, join, read, write};
use crate::diagnostic::unseen;
use crate::kinds::Refusal;
use crate::model::{Address, Path, Step, Value, json};

/// Tables, views and metric views of one space.
const TABLES: usize = 30;
/// Characters of one text.
const CHARACTERS: usize = 25_000;
/// Examples, functions and the general instruction together.
pub(super) const INSTRUCTIONS: usize = 100;
/// Filters, expressions and measures together.
const SNIPPETS: usize = 200;
/// Items of one list.
const ITEMS: usize = 10_000;
/// Bytes of the whole serialised space.
const BYTES: usize = 3_500_000;

pub(super) fn refusal(path: Path, reason: impl Into<String>) -> Refusal {
    Refusal { path, reason: reason.into() }
}

pub(super) fn place(at: &[&str]) -> Path {
    at.iter().fold(Path::root(), |path, name| path.join(Step::Field((*name).to_owned())))
}

pub(super) fn items<'a>(body: &'a Value, at: &[&str]) -> &'a [Value] {
    write::at(body, at).and_then(Value::as_list).unwrap_or_default()
}

/// All rules.
pub(super) fn check(body: &Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    packed(body, &mut found);
    if let Some(version) = read::later_version(body) {
        let reason = format!("it is of version {version}, and this release knows 1 and 2: a newer Brickform may know it");
        found.push(refusal(place(&["more", "version"]), reason));
    }
    found.extend(Strays::of(body).slips);
    for section in SECTIONS {
        for (i, item) in items(body, section.at).iter().enumerate() {
            each(section, item, &place(section.at).join(Step::Index(i)), &mut found);
        }
    }
    for (i, item) in items(body, &["instructions", "joins"]).iter().enumerate() {
        joined(body, item, &place(&["instructions", "joins"]).join(Step::Index(i)), &mut found);
    }
    folder(body, &mut found);
    for (i, item) in items(body, &["benchmarks"]).iter().enumerate() {
        if !read::is_answered(item) {
            found.push(refusal(
                place(&["benchmarks"]).join(Step::Index(i)),
                "a benchmark needs the answer to compare with: write its `sql`",
            ));
        } else if let Some(answer) = item.get("answer").filter(|answer| !is_answers(answer)) {
            found.push(refusal(
                place(&["benchmarks"]).join(Step::Index(i)).join(Step::Field("answer".to_owned())),
                format!("the API's `answer` is a list of `{{format, content}}`, and this is {}: write the query as `sql`", answer.sort()),
            ));
        }
    }
    twice(body, &mut found);
    given_ids(body, &mut found);
    counts(body, &mut found);
    long(body, &mut Path::root(), &mut found);
    whole(body, &mut found);
    found
}

/// Whether this can be the answers of a benchmark as the API has them.
fn is_answers(answer: &Value) -> bool {
    match answer {
        Value::List(answers) => answers.iter().all(|answer| matches!(answer, Value::Map(_) | Value::Unknown(_))),
        other => matches!(other, Value::Unknown(_)),
    }
}

/// Where it is: a whole path, from the root of the workspace.
fn folder(body: &Value, found: &mut Vec<Refusal>) {
    let Some(path) = body.get("parent_path").and_then(Value::as_str).filter(|path| !path.is_empty() && !path.starts_with('/')) else {
        return;
    };
    let bare = path.trim().trim_start_matches("./").trim_start_matches('/');
    let whole = match bare.strip_prefix('~') {
        Some(rest) => format!("/Workspace/Users/NAME{rest}"),
        None if bare == "Workspace" || bare.starts_with("Workspace/") => format!("/{bare}"),
        None => format!("/Workspace/{bare}"),
    };
    found.push(refusal(
        Path::field("parent_path"),
        format!("`{path}` is no whole path, and folders are named from the root of the workspace: write `{whole}`"),
    ));
}

/// The size of everything together, as it is sent. What is not known yet counts for nothing; ids are of one length, whoever gives them.
fn whole(body: &Value, found: &mut Vec<Refusal>) {
    let body = ids::complete(&Address::new("spaces", "s"), known(body));
    let bytes = json::write(&write::definition(&body, Wire::Serialised)).map_or(0, |text| text.len());
    if bytes > BYTES {
        let reason = format!("a space holds at most 3.5 MB in all, and this one has {bytes} bytes: divide it into several");
        found.push(refusal(Path::root(), reason));
    }
}

/// What is known of a value.
fn known(value: &Value) -> Value {
    match value {
        Value::Unknown(_) | Value::Secret(_) => Value::from(""),
        Value::Map(map) => Value::Map(map.iter().map(|(name, value)| (name.clone(), known(value))).collect()),
        Value::List(items) => Value::List(items.iter().map(known).collect()),
        other => other.clone(),
    }
}

/// A serialised space that could not be read, or that stands beside what it holds.
fn packed(body: &Value, found: &mut Vec<Refusal>) {
    for name in PACKED {
        found.extend(body.get(name).map(|packed| unread(name, packed)));
    }
}

/// Why a space as the API has it was not taken apart.
fn unread(name: &str, packed: &Value) -> Refusal {
    let parsed = match packed {
        Value::Text(text) => json::parse(text.as_bytes()),
        other => Ok(other.clone()),
    };
    let reason = match parsed {
        Err(error) => format!("this is no JSON: {error}"),
        Ok(Value::Map(definition)) => match read::unknown_version(&definition) {
            Some(version) => {
                let reason = format!("it has version {version}, and versions 1 and 2 are known: export it anew");
                return refusal(place(&[name, "version"]), reason);
            }
            None => "what it holds is also written beside it: write either the serialized space or its fields, not both".to_owned(),
        },
        Ok(Value::Unknown(_) | Value::Secret(_)) => format!("it must be known when it is planned, and this is {}", packed.sort()),
        Ok(_) => "this is no JSON object".to_owned(),
    };
    refusal(Path::field(name), reason)
}

/// Rules of one item: what it is known by is known and there, tables and functions have three parts.
fn each(section: &Section, item: &Value, path: &Path, found: &mut Vec<Refusal>) {
    let by: &[&str] = match section.ids {
        Some(ids) => ids.by,
        None => section.form.sorted,
    };
    if matches!(item, Value::Unknown(_) | Value::Secret(_)) {
        found.push(refusal(
            path.clone(),
            format!("an item is recognised by what it says: it must be known when it is planned, and this is {}", item.sort()),
        ));
    }
    for name in by {
        match item.get(name) {
            Some(value @ (Value::Unknown(_) | Value::Secret(_))) => found.push(refusal(
                path.join(Step::Field((*name).to_owned())),
                format!("an item is recognised by its `{name}`: it must be known when it is planned, and this is {}", value.sort()),
            )),
            Some(Value::Text(text)) if text.trim().is_empty() => {
                found.push(refusal(path.join(Step::Field((*name).to_owned())), format!("`{name}` is empty")));
            }
            _ => {}
        }
    }
    if item.get(KEY).and_then(Value::as_str).is_some_and(|key| key.trim().is_empty()) {
        let reason = format!("`{KEY}` is empty: give the item a name of its own, or leave it out");
        found.push(refusal(path.join(Step::Field(KEY.to_owned())), reason));
    }
    for name in ["identifier", "left", "right"] {
        if let Some(text) = item.get(name).and_then(Value::as_str)
            && let Some(reason) = parts(text)
        {
            found.push(refusal(path.join(Step::Field(name.to_owned())), reason));
        }
    }
    if section.at.contains(&"snippets") && item.get("sql").and_then(Value::as_str).is_some_and(|sql| sql.trim().is_empty()) {
        found.push(refusal(path.join(Step::Field("sql".to_owned())), "the SQL is empty"));
    }
}

/// Why a name is no `catalog.schema.object`.
fn parts(identifier: &str) -> Option<String> {
    if let Some((name, _)) = identifier.split_once('(').filter(|(name, _)| identifier.ends_with(')') && !name.contains('`')) {
        return Some(format!("`{identifier}` is a call, and this wants a name: write `{name}`"));
    }
    if let Some(stray) = Name::stray(identifier) {
        let what = match stray {
            ' ' => "a blank".to_owned(),
            '*' => return Some(format!("`{identifier}` names nothing: `*` stands for no names here, write each of them")),
            other => unseen::called(other).map_or_else(|| format!("`{}`", other.escape_default()), str::to_owned),
        };
        return Some(format!("`{identifier}` is no name: {what} has no place in one, but in backticks"));
    }
    let whole = Name::parse(identifier).is_some();
    (!whole).then(|| format!("`{identifier}` is no whole name: it has three parts, `catalog.schema.name`"))
}

fn joined(body: &Value, item: &Value, path: &Path, found: &mut Vec<Refusal>) {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    if item.get("relationship").is_none() {
        let reason = format!("a join says how many rows meet how many: `relationship`, one of {}", join::RELATIONSHIPS.join(", "));
        found.push(refusal(path.clone(), reason));
    }
    let (Some(left), Some(right)) = (text("left"), text("right")) else { return };
    let alias = |side: &str, table: &str| text(&format!("{side}_alias")).map_or_else(|| join::default_alias(table), str::to_owned);
    let aliases = [alias("left", left), alias("right", right)];
    if aliases[0].eq_ignore_ascii_case(&aliases[1]) {
        let reason = format!("both sides are called `{}`: give one of them a `left_alias` or `right_alias`", aliases[0]);
        found.push(refusal(path.clone(), reason));
        return;
    }
    for side in text("condition").and_then(join::equalities).into_iter().flatten().flatten() {
        let known = |word: &String| aliases.iter().any(|alias| alias.eq_ignore_ascii_case(word));
        if !side.first().is_some_and(known) {
            // The alias of a table whose name is misspelt is misspelt with it.
            let misspelt = ["left", "right"].map(|side| Some((side, text(side)?, join::near(body, text(side)?)?)));
            if misspelt.iter().any(Option::is_some) {
                found.extend(misspelt.into_iter().flatten().map(|(side, table, near)| {
                    refusal(path.join(Step::Field(side.to_owned())), format!("`{table}` is no table of this space: did you mean `{near}`?"))
                }));
                return;
            }
            let reason = format!(
                "`{}` is no column of this join: columns are written `{}.column` or `{}.column`",
                side.join("."),
                aliases[0],
                aliases[1]
            );
            found.push(refusal(path.join(Step::Field("condition".to_owned())), reason));
        }
    }
}

/// Lists in which, together, a name stands once.
const NAMED: [&[&[&str]]; 2] = [&[&["tables"], &["metric_views"]], &[&["instructions", "functions"]]];

/// A table or function that is named twice, in whatever spelling; one that is written twice in a list alike is told of any list.
fn twice(body: &Value, found: &mut Vec<Refusal>) {
    for lists in NAMED {
        let mut seen: BTreeMap<Vec<String>, (&[&str], &str)> = BTreeMap::new();
        for list in lists.iter().copied() {
            for (i, item) in items(body, list).iter().enumerate() {
                let Some(text) = item.get("identifier").and_then(Value::as_str) else { continue };
                let Some(name) = Name::parse(text) else { continue };
                let Some((other, first)) = seen.get(&name.folded()).copied() else {
                    seen.insert(name.folded(), (list, text));
                    continue;
                };
                let reason = if other != list {
                    format!("`{text}` is among the tables too: list it once")
                } else if first.to_lowercase() != text.to_lowercase() {
                    format!("`{text}` is listed above already, as `{first}`: list it once")
                } else {
                    continue;
                };
                found.push(refusal(place(list).join(Step::Index(i)), reason));
            }
        }
    }
}

/// Ids that are written: 32 lower-case hexadecimal digits, each given once in its group.
fn given_ids(body: &Value, found: &mut Vec<Refusal>) {
    for group in [Group::Questions, Group::Instructions] {
        let mut seen: BTreeMap<&str, Path> = BTreeMap::new();
        if let (Group::Instructions, Some(id)) = (group, write::at(body, &["instructions", "text_id"]).and_then(Value::as_str)) {
            one_id(id, place(&["instructions", "text_id"]), &mut seen, found);
        }
        for section in SECTIONS.iter().filter(|s| s.ids.is_some_and(|ids| ids.group == group)) {
            for (i, item) in items(body, section.at).iter().enumerate() {
                let Some(id) = item.get("id").and_then(Value::as_str) else { continue };
                let path = place(section.at).join(Step::Index(i)).join(Step::Field("id".to_owned()));
                one_id(id, path, &mut seen, found);
            }
        }
    }
}

fn one_id<'a>(id: &'a str, path: Path, seen: &mut BTreeMap<&'a str, Path>, found: &mut Vec<Refusal>) {
    if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        let reason = format!("`{id}` is no id: it has 32 digits of 0-9 and a-f; leave it out, and it is given by itself");
        found.push(refusal(path, reason));
    } else if let Some(first) = seen.insert(id, path.clone()) {
        found.push(refusal(path, format!("{first} has this id already; leave it out, and it is given by itself")));
    }
}

/// How many examples, functions and texts there are together.
pub(super) fn instructions(body: &Value) -> usize {
    let text = write::at(body, &["instructions", "text"]).is_some_and(|text| !read::is_blank(text));
    usize::from(text) + items(body, &["instructions", "example_sql"]).len() + items(body, &["instructions", "functions"]).len()
}

fn counts(body: &Value, found: &mut Vec<Refusal>) {
    let count = |at: &[&str]| items(body, at).len();
    let tables = count(&["tables"]) + count(&["metric_views"]);
    if tables > TABLES {
        found.push(refusal(Path::field("tables"), format!("a space has at most {TABLES} tables and views, and these are {tables}")));
    }
    let instructions = instructions(body);
    if instructions > INSTRUCTIONS {
        let reason = format!("a space has at most {INSTRUCTIONS} examples, functions and texts together, and these are {instructions}");
        found.push(refusal(Path::field("instructions"), reason));
    }
    let snippets: usize = ["filters", "expressions", "measures"].iter().map(|list| count(&["instructions", "snippets", list])).sum();
    if snippets > SNIPPETS {
        let reason = format!("a space has at most {SNIPPETS} filters, expressions and measures together, and these are {snippets}");
        found.push(refusal(place(&["instructions", "snippets"]), reason));
    }
}

fn long(value: &Value, path: &mut Path, found: &mut Vec<Refusal>) {
    match value {
        Value::Text(text) => {
            let length = text.chars().count();
            if length > CHARACTERS && !path.is_root() {
                found.push(refusal(path.clone(), format!("a text has at most 25,000 characters, and this one has {length}")));
            }
        }
        Value::Map(map) => {
            for (name, value) in map.iter().filter(|(name, _)| !PACKED.contains(&name.as_str())) {
                path.push(Step::Field(name.clone()));
                long(value, path, found);
                path.pop();
            }
        }
        Value::List(list) => {
            if list.len() > ITEMS {
                found.push(refusal(path.clone(), format!("a list has at most 10,000 items, and this one has {}", list.len())));
            }
            for (i, value) in list.iter().enumerate() {
                path.push(Step::Index(i));
                long(value, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}
