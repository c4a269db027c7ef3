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

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use super::form::{Group, Ids, KEY, SECTIONS, Section};
use super::read::at_mut;
use crate::kinds::Recognised;
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

/// Desired and applied with the ids of the items that their text alone does not tell apart: several have it on one side, or the
/// workspace has the item under another one. What is the same item has the same id on all three sides, whatever it says. None:
/// there is nothing to add.
pub(super) fn recognise(address: &Address, desired: &Value, applied: Option<&Value>, live: &Value) -> Option<Recognised> {
    let lists = |section: &Section| [Some(desired), applied, Some(live)].map(|body| items(body, section.at));
    let derived = LazyCell::new(|| applied.map(|applied| complete(address, applied.clone())));
    let unclear: Vec<(&Section, Ids)> = SECTIONS
        .iter()
        .filter_map(|section| Some((section, section.ids?)))
        .filter(|(section, ids)| {
            let [ours, before, theirs] = lists(section);
            is_unclear(*ids, ours, before, theirs) || is_crossed(*ids, before, theirs, || items(derived.as_ref(), section.at))
        })
        .collect();
    if unclear.is_empty() {
        return None;
    }
    let derived = LazyCell::force(&derived).as_ref();
    let mut taken: BTreeSet<String> = [Some(desired), derived, Some(live)].into_iter().flatten().flat_map(ids_of).collect();
    let mut found = Recognised { desired: desired.clone(), applied: applied.cloned() };
    for (section, ids) in unclear {
        let [ours, before, theirs] = lists(section).map(|list| Said::all(ids, list));
        let names = Names { address, ids, derived: items(derived, section.at) };
        let (wanted, was) = names.given([&ours, &before, &theirs], &mut taken);
        give(&mut found.desired, section, wanted);
        found.applied.iter_mut().for_each(|body| give(body, section, was.clone()));
    }
    (found.desired != *desired || found.applied.as_ref() != applied).then_some(found)
}

/// Whether the texts of a section's items do not tell which is which.
fn is_unclear(ids: Ids, ours: &[Value], before: &[Value], theirs: &[Value]) -> bool {
    let [here, was, there] = [ours, before, theirs].map(|list| list.iter().map(|item| text(ids, item)).collect::<BTreeSet<String>>());
    let is_twice = here.len() < ours.len() || was.len() < before.len() || there.len() < theirs.len();
    let is_moved = !here.is_subset(&there) && !there.is_subset(&here);
    is_twice || is_moved || is_rekeyed(ids, ours, before) || before.iter().any(|item| item.get("id").is_some())
}

/// Whether an item of YAML has the `$key` that was applied with another text, which some item may have still.
fn is_rekeyed(ids: Ids, ours: &[Value], before: &[Value]) -> bool {
    let had = |key: &Value| before.iter().find(|item| item.get(KEY) == Some(key)).map(|item| text(ids, item));
    ours.iter().any(|item| item.get(KEY).and_then(had).is_some_and(|had| had != text(ids, item)))
}

/// Whether the workspace has an item that was applied, by the id that it was given then, under another text.
fn is_crossed<'v>(ids: Ids, before: &[Value], theirs: &[Value], derived: impl Fn() -> &'v [Value]) -> bool {
    let [was, there] = [before, theirs].map(|list| list.iter().map(|item| text(ids, item)).collect::<BTreeSet<String>>());
    let is =
        |given: &Value, item: &Value| given.get("id").is_some() && given.get("id") == item.get("id") && text(ids, given) != text(ids, item);
    was != there && derived().iter().any(|given| theirs.iter().any(|item| is(given, item)))
}

/// Puts ids on the items of a section, or takes them off.
fn give(body: &mut Value, section: &Section, ids: Vec<Option<Value>>) {
    let Some(Value::List(list)) = body.as_map_mut().and_then(|body| at_mut(body, section.at)) else { return };
    for (item, id) in list.iter_mut().filter_map(Value::as_map_mut).zip(ids) {
        match id {
            Some(id) => drop(item.insert("id".to_owned(), id)),
            None => drop(item.shift_remove("id")),
        }
    }
}

/// An item, and what is compared of it.
struct Said<'v> {
    item: &'v Value,
    name: String,
    id: Option<&'v Value>,
    key: Option<&'v Value>,
    /// What it says but for its name, without what says nothing.
    rest: BTreeMap<&'v str, Value>,
}

impl<'v> Said<'v> {
    fn all(ids: Ids, list: &'v [Value]) -> Vec<Self> {
        list.iter().map(|item| Self::of(ids, item)).collect()
    }

    fn of(ids: Ids, item: &'v Value) -> Self {
        let is_own = |name: &str| ids.by.contains(&name) || name == KEY || name == "id";
        let members = item.as_map().into_iter().flatten().filter(|(name, value)| !is_own(name) && !value.is_zero());
        let of = |name: &str| item.get(name).filter(|value| !value.is_zero());
        Self { item, name: text(ids, item), id: of("id"), key: of(KEY), rest: members.map(|(n, v)| (n.as_str(), plain(v))).collect() }
    }

    /// How much both say alike.
    fn likeness(&self, other: &Self) -> usize {
        self.rest.iter().filter(|(name, value)| other.rest.get(*name) == Some(value)).count()
    }
}

/// A value without what is nobody's edit: how lines end, and what says nothing.
fn plain(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.replace("\r\n", "\n").trim_end_matches('\n').to_owned()),
        Value::List(items) => Value::List(items.iter().map(plain).collect()),
        Value::Map(map) => Value::Map(map.iter().filter(|(_, v)| !v.is_zero()).map(|(name, v)| (name.clone(), plain(v))).collect()),
        other => other.clone(),
    }
}

/// Which item of one list is which of another.
struct Pairs {
    found: Vec<Option<usize>>,
    free: Vec<bool>,
}

impl Pairs {
    fn of(ours: usize, others: usize) -> Self {
        Self { found: vec![None; ours], free: vec![true; others] }
    }

    fn put(&mut self, i: usize, j: usize) {
        self.found[i] = Some(j);
        self.free[j] = false;
    }

    /// Pairs what is left, the most alike first. None: they are not the same.
    fn meet(&mut self, likeness: impl Fn(usize, usize) -> Option<usize>) {
        let left = |found: &[Option<usize>]| (0..found.len()).filter(|i| found[*i].is_none()).collect::<Vec<_>>();
        let free: Vec<usize> = (0..self.free.len()).filter(|j| self.free[*j]).collect();
        let all = left(&self.found).into_iter().flat_map(|i| free.iter().map(move |j| (i, *j)));
        let mut all: Vec<(usize, usize, usize)> = all.filter_map(|(i, j)| Some((likeness(i, j)?, i, j))).collect();
        all.sort_by_key(|(likeness, i, j)| (std::cmp::Reverse(*likeness), *i, *j));
        for (_, i, j) in all {
            if self.found[i].is_none() && self.free[j] {
                self.put(i, j);
            }
        }
    }
}

/// More alike than any number of members.
const SURELY: usize = 1000;

/// The names of the items of one section.
struct Names<'a> {
    address: &'a Address,
    ids: Ids,
    /// What was applied, with the ids that it was given.
    derived: &'a [Value],
}

impl Names<'_> {
    /// The ids of desired's and applied's items, where these need any.
    fn given(&self, [ours, before, theirs]: [&[Said<'_>]; 3], taken: &mut BTreeSet<String>) -> (Vec<Option<Value>>, Vec<Option<Value>>) {
        let count = |list: &[Said<'_>], name: &str| list.iter().filter(|said| said.name == name).count();
        let is_twin = |name: &str| [ours, before, theirs].iter().any(|list| count(list, name) > 1);
        let derived = |b: usize| self.derived.get(b).and_then(|item| item.get("id"));
        let was = self.there(before, ours, theirs);
        // What YAML has now and what it had.
        let mut since = Pairs::of(ours.len(), before.len());
        since.meet(|i, b| (ours[i].id.is_some() && ours[i].id == before[b].id).then_some(0));
        since.meet(|i, b| (ours[i].key.is_some() && ours[i].key == before[b].key).then_some(0));
        since.meet(|i, b| {
            let (said, other) = (&ours[i], &before[b]);
            let is_alike = said.rest == other.rest;
            // With a key of its own it is another one, unless it says the same, or no other has its text.
            let is_other = !is_alike && is_twin(&said.name) && said.key.zip(other.key).is_some_and(|(key, other)| key != other);
            (said.name == other.name && !is_other).then(|| if is_alike { SURELY } else { said.likeness(other) })
        });
        let mut here = Pairs::of(ours.len(), theirs.len());
        for (i, said) in ours.iter().enumerate() {
            let written = said.id.and_then(|id| theirs.iter().position(|other| other.id == Some(id)));
            let at = if said.id.is_some() { written } else { since.found[i].and_then(|b| was.found[b]) };
            at.filter(|j| here.free[*j]).into_iter().for_each(|j| here.put(i, j));
        }
        let is_open = |i: usize| ours[i].id.is_none();
        here.meet(|i, j| (is_open(i) && ours[i].name == theirs[j].name && ours[i].rest == theirs[j].rest).then_some(0));
        here.meet(|i, j| (is_open(i) && self.is_derived(&ours[i], &theirs[j])).then_some(0));
        here.meet(|i, j| {
            let is_first = since.found[i].is_none() && (before.is_empty() || !is_twin(&ours[i].name));
            (is_open(i) && is_first && ours[i].name == theirs[j].name).then(|| ours[i].likeness(&theirs[j]))
        });
        let live: BTreeSet<String> = theirs.iter().filter_map(|other| other.id).map(Value::key_text).collect();
        let mut wanted = Vec::with_capacity(ours.len());
        for (i, said) in ours.iter().enumerate() {
            let other = here.found[i].map(|j| &theirs[j]);
            let is_needed = is_twin(&said.name) || other.is_some_and(|other| other.name != said.name);
            let gone = || since.found[i].and_then(|b| before[b].id.or_else(|| derived(b))).filter(|id| !live.contains(&id.key_text()));
            wanted.push(match said.id {
                Some(id) => Some(id.clone()),
                None if !is_needed => None,
                None => other.and_then(|other| other.id).or_else(gone).cloned().or_else(|| {
                    let map = said.item.as_map()?;
                    Some(free(self.address, self.ids.word, &named(map, self.ids), taken))
                }),
            });
        }
        let had = before.iter().enumerate().map(|(b, said)| {
            let ours = since.found.iter().position(|at| *at == Some(b));
            let is_written = ours.is_some_and(|i| !is_open(i));
            let there = was.found[b].map(|j| &theirs[j]);
            let is_needed = is_twin(&said.name) || there.is_some_and(|there| there.name != said.name);
            let own = || said.id.or_else(|| there.and_then(|there| there.id)).or_else(|| derived(b)).cloned();
            match ours.and_then(|i| wanted[i].clone()) {
                _ if is_written => said.id.cloned(),
                Some(id) => Some(id),
                None if is_needed => own(),
                None => None,
            }
        });
        let had = had.collect();
        (wanted, had)
    }

    /// What was applied as the workspace has it: by its id, by all that it says, by the id that it was given, by what else it says.
    fn there(&self, before: &[Said<'_>], ours: &[Said<'_>], theirs: &[Said<'_>]) -> Pairs {
        let mut was = Pairs::of(before.len(), theirs.len());
        let count = |list: &[Said<'_>], name: &str| list.iter().filter(|said| said.name == name).count();
        let derived = |b: usize| self.derived.get(b).and_then(|item| item.get("id"));
        let is_given = |b: usize, j: usize| derived(b).is_some() && derived(b) == theirs[j].id;
        was.meet(|b, j| (before[b].id.is_some() && before[b].id == theirs[j].id).then_some(0));
        was.meet(|b, j| {
            let is = before[b].name == theirs[j].name && before[b].rest == theirs[j].rest;
            is.then(|| usize::from(is_given(b, j)))
        });
        was.meet(|b, j| (is_given(b, j) || self.is_derived(&before[b], &theirs[j])).then_some(0));
        was.meet(|b, j| {
            let name = &before[b].name;
            let is_one = count(before, name) == 1 && count(theirs, name) == 1;
            let likeness = before[b].likeness(&theirs[j]);
            (*name == theirs[j].name && (is_one || (likeness > 0 && before[b].id.is_none()))).then_some(likeness)
        });
        // Under another name: the only one that came since and says all else that this one says, which is gone.
        let came = |j: usize| was.free[j] && [before, ours].iter().all(|list| count(list, &theirs[j].name) == 0);
        let came: Vec<usize> = (0..theirs.len()).filter(|j| came(*j)).collect();
        for (b, said) in before.iter().enumerate().filter(|(_, said)| said.id.is_none() && !said.rest.is_empty()) {
            let is = |j: &usize| said.rest.iter().all(|(name, value)| theirs[*j].rest.get(name) == Some(value));
            let mut alike = came.iter().copied().filter(|j| was.free[*j] && is(j));
            let only = alike.next().filter(|_| alike.next().is_none());
            if let Some(j) = only.filter(|_| was.found[b].is_none() && !said.item.has_unknown()) {
                was.put(b, j);
            }
        }
        was
    }

    /// Whether a live item has the id that we would give this one. One that got its `$key` later has the id of its text.
    fn is_derived(&self, said: &Said<'_>, other: &Said<'_>) -> bool {
        let Some(map) = said.item.as_map() else { return false };
        let own = |name: &str| digest(&format!("{}\n{}\n{name}", self.address, self.ids.word));
        let Some(id) = other.id.and_then(Value::as_str) else { return false };
        id == own(&named(map, self.ids)) || (said.key.is_some() && id == own(&said.name))
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

fn text(ids: Ids, item: &Value) -> String {
    item.as_map().map(|item| spelled(item, ids)).unwrap_or_default()
}

/// Every id of a body.
fn ids_of(body: &Value) -> Vec<String> {
    let items = SECTIONS.iter().flat_map(|section| items(Some(body), section.at));
    items.filter_map(|item| item.get("id")).map(Value::key_text).collect()
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
        let id_of = |body: &Value| items(Some(body), &["instructions", "example_sql"])[0].get("id").cloned();
        for (what, desired, applied, live, want) in [
            ("its `$key` came later", item("top", "Top", "1", ""), item("top", "Top", "1", ""), item("", "Best", "9", &first), true),
            // Its id comes from the `$key` that it had: nothing but what it says tells that it is the same.
            ("its `$key` is another one", item("best", "Top", "1", ""), item("best", "Top", "1", ""), item("", "Best", "1", "x"), true),
            ("so is what it says", item("best", "Top", "1", ""), item("best", "Top", "1", ""), item("", "Best", "9", "x"), false),
            ("it was never applied", item("best", "Top", "1", ""), item("old", "Old", "1", ""), item("", "Best", "1", "x"), false),
        ] {
            let found = recognise(&sales, &body(vec![desired]), Some(&body(vec![applied])), &body(vec![live.clone()]));
            let id = found.and_then(|found| id_of(&found.desired));
            assert_eq!(id, live.get("id").filter(|_| want).cloned(), "{what}");
        }
        // Of two that say the same nobody knows.
        let two = body(vec![item("", "A", "1", "x"), item("", "B", "1", "y")]);
        let ours = body(vec![item("best", "Top", "1", "")]);
        assert!(recognise(&sales, &ours, Some(&ours), &two).is_none());
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
