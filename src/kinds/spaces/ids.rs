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
/// whose id comes from this `$key` or text; else the only one that came since and says all else that this one says, which was
/// applied and is gone. None: there is no such item.
pub(super) fn recognise(address: &Address, desired: &Value, applied: Option<&Value>, live: &Value) -> Option<Value> {
    let mut again: Option<Value> = None;
    for section in SECTIONS {
        let Some(ids) = section.ids else { continue };
        let [ours, before, theirs] = [Some(desired), applied, Some(live)].map(|body| items(body, section.at));
        for (i, id) in (Names { address, ids }).again(ours, before, theirs) {
            let body = again.get_or_insert_with(|| desired.clone()).as_map_mut();
            if let Some(Value::List(list)) = body.and_then(|body| at_mut(body, section.at))
                && let Some(item) = list.get_mut(i).and_then(Value::as_map_mut)
            {
                item.insert("id".to_owned(), id);
            }
        }
    }
    again
}

/// The names of the items of one section.
struct Names<'a> {
    address: &'a Address,
    ids: Ids,
}

impl Names<'_> {
    fn text(&self, item: &Value) -> String {
        item.as_map().map(|item| spelled(item, self.ids)).unwrap_or_default()
    }

    /// The places of our items that live has under another name, and the ids that they have there.
    fn again(&self, ours: &[Value], before: &[Value], theirs: &[Value]) -> Vec<(usize, Value)> {
        let texts = |list: &[Value]| list.iter().map(|item| self.text(item)).collect::<BTreeSet<String>>();
        let (here, was, there) = (texts(ours), texts(before), texts(theirs));
        let mut free: Vec<&Value> = theirs.iter().filter(|item| !here.contains(&self.text(item))).collect();
        let is_open = |item: &Value| item.as_map().is_some_and(|map| !map.contains_key("id")) && !item.has_unknown();
        let mut open: Vec<usize> = (0..ours.len()).filter(|i| !there.contains(&self.text(&ours[*i])) && is_open(&ours[*i])).collect();
        let mut found = Vec::new();
        let mut take = |i: usize, at: Option<usize>, free: &mut Vec<&Value>| {
            let id = at.and_then(|at| free.remove(at).get("id"));
            found.extend(id.map(|id| (i, id.clone())));
            id.is_some()
        };
        open.retain(|i| {
            let at = free.iter().position(|other| self.is_surely(&ours[*i], before, other));
            !take(*i, at, &mut free)
        });
        open.retain(|i| {
            let item = &ours[*i];
            let was_there = was.contains(&self.text(item));
            let is = |other: &&Value| was_there && !was.contains(&self.text(other)) && self.says_the_rest(item, other);
            let mut alike = (0..free.len()).filter(|at| is(&free[*at]));
            let at = alike.next().filter(|_| alike.next().is_none());
            !take(*i, at, &mut free)
        });
        found
    }

    /// Whether a live item is ours by what was applied, or by the id that we would give.
    fn is_surely(&self, item: &Value, before: &[Value], other: &Value) -> bool {
        let Some(map) = item.as_map() else { return false };
        let was = map.get(KEY).and_then(|key| before.iter().find(|applied| applied.get(KEY) == Some(key)));
        let own = |name: &str| digest(&format!("{}\n{}\n{name}", self.address, self.ids.word));
        let id = other.get("id").and_then(Value::as_str);
        // One that got its `$key` later has the id of its text.
        let names = [named(map, self.ids), spelled(map, self.ids)];
        was.is_some_and(|was| self.text(was) == self.text(other)) || names.iter().any(|name| id == Some(own(name).as_str()))
    }

    /// Whether another item says all that this one says, but for its name.
    fn says_the_rest(&self, item: &Value, other: &Value) -> bool {
        let is_name = |name: &str| self.ids.by.contains(&name) || name == KEY || name == "id";
        let mut rest =
            item.as_map().into_iter().flat_map(|map| map.iter()).filter(|(name, value)| !is_name(name) && !value.is_zero()).peekable();
        rest.peek().is_some() && rest.all(|(name, value)| other.get(name) == Some(value))
    }
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
    fn an_item_is_known_again_under_another_name() {
        let sales = Address::new("spaces", "sales");
        let item = |key: &str, question: &str, sql: &str, id: &str| {
            let all = [(KEY, key), ("question", question), ("sql", sql), ("id", id)];
            Value::map(all.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, Value::from(text))))
        };
        let body = |items: Vec<Value>| Value::map([("instructions", Value::map([("example_sql", Value::List(items))]))]);
        let first = digest("spaces.sales\nexample_sql\nTop");
        for (what, desired, applied, live, want) in [
            ("its `$key` came later", item("top", "Top", "1", ""), item("top", "Top", "1", ""), item("", "Best", "9", &first), true),
            // Its id comes from the `$key` that it had: nothing but what it says tells that it is the same.
            ("its `$key` is another one", item("best", "Top", "1", ""), item("best", "Top", "1", ""), item("", "Best", "1", "x"), true),
            ("so is what it says", item("best", "Top", "1", ""), item("best", "Top", "1", ""), item("", "Best", "9", "x"), false),
            ("it was never applied", item("best", "Top", "1", ""), item("old", "Old", "1", ""), item("", "Best", "1", "x"), false),
        ] {
            let found = recognise(&sales, &body(vec![desired]), Some(&body(vec![applied])), &body(vec![live.clone()]));
            let id = found.and_then(|body| items(Some(&body), &["instructions", "example_sql"])[0].get("id").cloned());
            assert_eq!(id, live.get("id").filter(|_| want).cloned(), "{what}");
        }
        // Of two that say the same nobody knows.
        let two = body(vec![item("", "A", "1", "x"), item("", "B", "1", "y")]);
        let ours = body(vec![item("best", "Top", "1", "")]);
        assert_eq!(recognise(&sales, &ours, Some(&ours), &two), None);
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
