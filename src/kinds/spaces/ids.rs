//! Ids of the items inside a space.
//!
//! **The rule, which never changes**: the id of an item is the first 16 bytes, in lower-case hexadecimal, of the SHA-256 of
//! three lines of UTF-8 joined by `\n`: the address of the space (`spaces.sales`, `spaces.sales["eu"]`), the word of the
//! item's section (`example_sql`, `function`, `join`, `filter`, `expression`, `measure`, `sample_question`, `benchmark`,
//! `text`), and the item's `$key`, else its text: the question, the identifier, the name, for a join both tables with their
//! aliases joined by a space; `text` for the general instruction, of which there is one. An id that another item already
//! has takes the next one, with a fourth line `2`, `3`, ...
//!
//! An id that is written in YAML, or that the workspace has given an item with the same text, is kept.

use std::collections::BTreeSet;

use super::form::{Group, Ids, KEY, SECTIONS};
use super::read::at_mut;
use crate::model::{Address, Fingerprint, Map, Value};

/// The body with an id on every item that needs one.
pub(super) fn complete(address: &Address, mut body: Value) -> Value {
    let Some(map) = body.as_map_mut() else { return body };
    for group in [Group::Questions, Group::Instructions] {
        let mut taken = taken(map, group);
        if group == Group::Instructions
            && let Some(Value::Map(instructions)) = map.get_mut("instructions")
            && instructions.contains_key("text")
            && !instructions.contains_key("text_id")
        {
            instructions.insert("text_id".to_owned(), free(address, "text", "text", &mut taken));
        }
        for section in SECTIONS {
            let Some(ids) = section.ids.filter(|ids| ids.group == group) else { continue };
            let Some(Value::List(items)) = at_mut(map, section.at) else { continue };
            for item in items.iter_mut().filter_map(Value::as_map_mut).filter(|item| !item.contains_key("id")) {
                let id = free(address, ids.word, &named(item, ids), &mut taken);
                item.insert("id".to_owned(), id);
            }
        }
    }
    body
}

/// Desired with the id on each item that live has under another name: the item of the same `$key` in what was applied, or the one
/// whose id comes from this `$key` or text. None: there is no such item.
pub(super) fn recognise(address: &Address, desired: &Value, applied: Option<&Value>, live: &Value) -> Option<Value> {
    let mut again: Option<Value> = None;
    for section in SECTIONS {
        let Some(ids) = section.ids else { continue };
        let [ours, before, theirs] = [Some(desired), applied, Some(live)].map(|body| items(body, section.at));
        let text = |item: &Value| item.as_map().map(|item| spelled(item, ids)).unwrap_or_default();
        let (here, there): (BTreeSet<String>, BTreeSet<String>) = (ours.iter().map(text).collect(), theirs.iter().map(text).collect());
        let mut free: Vec<&Value> = theirs.iter().filter(|item| !here.contains(&text(item))).collect();
        for (i, item) in ours.iter().enumerate().filter(|(_, item)| !there.contains(&text(item))) {
            let Some(map) = item.as_map().filter(|map| !map.contains_key("id") && !item.has_unknown()) else { continue };
            let was = map.get(KEY).and_then(|key| before.iter().find(|other| other.get(KEY) == Some(key))).map(text);
            let own = digest(&format!("{address}\n{}\n{}", ids.word, named(map, ids)));
            let is = |other: &&Value| was.as_ref() == Some(&text(other)) || other.get("id").and_then(Value::as_str) == Some(own.as_str());
            let Some(at) = free.iter().position(is) else { continue };
            let Some(id) = free.remove(at).get("id") else { continue };
            let body = again.get_or_insert_with(|| desired.clone()).as_map_mut();
            if let Some(Value::List(list)) = body.and_then(|body| at_mut(body, section.at))
                && let Some(item) = list.get_mut(i).and_then(Value::as_map_mut)
            {
                item.insert("id".to_owned(), id.clone());
            }
        }
    }
    again
}

/// Live with the items that desired has under another name, by their id, under that name.
pub(super) fn renamed(mut live: Value, desired: &Value) -> Value {
    let Some(map) = live.as_map_mut() else { return live };
    for section in SECTIONS {
        let Some(ids) = section.ids else { continue };
        let Some(Value::List(theirs)) = at_mut(map, section.at) else { continue };
        for item in items(Some(desired), section.at) {
            let Some(id) = item.get("id").filter(|id| !id.is_zero()) else { continue };
            let Some(other) = theirs.iter_mut().find(|other| other.get("id") == Some(id)).and_then(Value::as_map_mut) else { continue };
            for name in ids.by {
                match item.get(name) {
                    Some(word) => drop(other.insert((*name).to_owned(), word.clone())),
                    None => drop(other.shift_remove(*name)),
                }
            }
        }
    }
    live
}

fn items<'v>(body: Option<&'v Value>, at: &[&str]) -> &'v [Value] {
    body.and_then(|body| super::write::at(body, at)).and_then(Value::as_list).unwrap_or_default()
}

/// What an item says of itself that tells it apart.
fn spelled(item: &Map, ids: Ids) -> String {
    ids.by.iter().filter_map(|name| item.get(*name)).map(Value::key_text).collect::<Vec<_>>().join(" ")
}

/// What an item is known by in its digest.
fn named(item: &Map, ids: Ids) -> String {
    match item.get(KEY) {
        Some(key) => key.key_text(),
        None => spelled(item, ids),
    }
}

/// The ids that items of the group have already.
fn taken(body: &mut Map, group: Group) -> BTreeSet<String> {
    let mut taken = BTreeSet::new();
    for section in SECTIONS.iter().filter(|s| s.ids.is_some_and(|ids| ids.group == group)) {
        let items = at_mut(body, section.at).and_then(|list| list.as_list()).unwrap_or_default();
        taken.extend(items.iter().filter_map(|item| item.get("id")).map(Value::key_text));
    }
    if group == Group::Instructions {
        taken.extend(at_mut(body, &["instructions", "text_id"]).map(|id| id.key_text()));
    }
    taken
}

/// The first id of this item that nothing else has.
fn free(address: &Address, word: &str, text: &str, taken: &mut BTreeSet<String>) -> Value {
    let plain = format!("{address}\n{word}\n{text}");
    let mut id = digest(&plain);
    let mut turn = 2;
    while !taken.insert(id.clone()) {
        id = digest(&format!("{plain}\n{turn}"));
        turn += 1;
    }
    Value::Text(id)
}

fn digest(text: &str) -> String {
    let mut digest = Fingerprint::of(text.as_bytes()).0;
    digest.truncate(32);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_never_changes() {
        // `printf 'spaces.sales\nexample_sql\nTop customers' | sha256sum | cut -c1-32`
        let mut none = BTreeSet::new();
        let sales = Address::new("spaces", "sales");
        let first = free(&sales, "example_sql", "Top customers", &mut none);
        assert_eq!(first, Value::from("363d26ef0c3022ac85ef46d01ea63f25"));
        assert_eq!(free(&sales, "example_sql", "Top customers", &mut none), Value::from("8f252b4a13f0bc27fb16de457c728b53"));
        let eu = Address { instance: Some("eu".to_owned()), ..sales };
        assert_eq!(free(&eu, "text", "text", &mut BTreeSet::new()), Value::from("dff0376cb8788f88bc58d8cdfafa299c"));
    }

    #[test]
    fn ids_that_are_there_are_kept_and_none_is_given_twice() {
        let question = |text: &str| Value::map([("question", Value::from(text))]);
        let sales = Address::new("spaces", "sales");
        let body = |samples: Vec<Value>, benchmarks: Vec<Value>| {
            Value::map([("sample_questions", Value::List(samples)), ("benchmarks", Value::List(benchmarks))])
        };
        let made = complete(&sales, body(vec![question("a"), question("b")], vec![question("a")]));
        let id = |body: &Value, list: &str, at: usize| body.get(list).unwrap().as_list().unwrap()[at].get("id").unwrap().key_text();
        let all: BTreeSet<String> = [id(&made, "sample_questions", 0), id(&made, "sample_questions", 1), id(&made, "benchmarks", 0)].into();
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))));
        // The id of `a` is on another question now: `a` takes the next one.
        let moved = Value::map([("question", Value::from("c")), ("id", Value::Text(id(&made, "sample_questions", 0)))]);
        let again = complete(&sales, body(vec![moved, question("a")], vec![]));
        assert_eq!(id(&again, "sample_questions", 0), id(&made, "sample_questions", 0));
        assert_ne!(id(&again, "sample_questions", 1), id(&made, "sample_questions", 0));
        // A `$key` outlives another wording.
        let keyed = |text: &str| Value::map([("question", Value::from(text)), (KEY, Value::from("top"))]);
        let ids = ["one", "two"].map(|text| id(&complete(&sales, body(vec![keyed(text)], vec![])), "sample_questions", 0));
        assert_eq!(ids[0], ids[1]);
    }
}
