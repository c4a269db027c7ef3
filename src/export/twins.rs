//! Items of a list that say the same of themselves: each but the first gets a `$key`, by which it is told from the others. Where a
//! list has no such field, what says the same in everything is one item.

use std::collections::BTreeSet;

use crate::kinds::{Fact, Field, Kind, Schema};
use crate::model::{Value, json};

/// The field that names an item whatever else it says; none where a list has no such field.
pub fn own_name(list: Field<'_>) -> Option<&'static str> {
    list.apart().iter().copied().find(|name| name.starts_with('$'))
}

/// Whether two items cannot be told apart but by a name of their own.
pub fn are_alike(list: Field<'_>, a: &Value, b: &Value) -> bool {
    parts(list, a) == parts(list, b)
}

/// What an item says of itself.
pub fn said(list: Field<'_>, item: &Value) -> String {
    parts(list, item).into_iter().flatten().collect::<Vec<_>>().join("\u{0}")
}

/// The members by which a list tells its items apart, as they are compared: where case makes no difference, in small letters.
fn parts(list: Field<'_>, item: &Value) -> Vec<Option<String>> {
    let apart = list.apart().iter().filter(|name| !name.starts_with('$'));
    let fields = list.keyed().unwrap_or_default().iter().chain(apart);
    let folded = |name: &&'static str| {
        let text = part(item, name)?.key_text();
        let field = list.item().and_then(|of| of.field(name));
        let is_blind = field.is_some_and(|field| field.facts().any(|fact| matches!(fact, Fact::CaseBlind)));
        Some(if is_blind { text.to_lowercase() } else { text })
    };
    fields.map(folded).collect()
}

/// A member; a text alone is whichever the list's items are known by.
fn part<'v>(item: &'v Value, name: &str) -> Option<&'v Value> {
    if matches!(item, Value::Text(_)) { Some(item) } else { item.get(name) }
}

/// A name that none of these items has.
pub fn free_name(field: &str, items: &[Value], taken: &BTreeSet<String>) -> String {
    let is_free = |name: &String| !taken.contains(name) && !items.iter().any(|item| item.get(field).is_some_and(|v| v.key_text() == *name));
    // Each name in the way takes one number at most.
    (2..=items.len() + taken.len() + 2).map(|n| n.to_string()).find(is_free).unwrap_or_default()
}

/// The body of a new declaration with names for items that nothing else tells apart.
pub fn told_apart(kind: &'static Kind, body: Value) -> Value {
    told_apart_at(Some(Schema::of(kind).root()), body)
}

/// The same of what stands at one place of a body.
pub fn told_apart_at(field: Option<Field<'_>>, value: Value) -> Value {
    match (field, value) {
        (Some(field), Value::Map(map)) => {
            Value::Map(map.into_iter().map(|(name, value)| (name.clone(), told_apart_at(field.field(&name), value))).collect())
        }
        (Some(list), Value::List(items)) => {
            let items: Vec<Value> = items.into_iter().map(|item| told_apart_at(list.item(), item)).collect();
            Value::List(match own_name(list) {
                Some(own) => named(list, own, items),
                None if list.keyed().is_some() => once(list, items),
                None => items,
            })
        }
        (_, other) => other,
    }
}

/// Items with names of their own, where others say the same.
fn named(list: Field<'_>, own: &str, mut items: Vec<Value>) -> Vec<Value> {
    let mut open: Vec<usize> = (0..items.len()).filter(|i| items[*i].get(own).is_none()).collect();
    // In one order, whichever the server has them in: an item has the same name in every file that is written of it.
    open.sort_by_cached_key(|i| (parts(list, &items[*i]), beside(list, &[], &items[*i])));
    let mut taken: BTreeSet<String> = items.iter().filter_map(|item| item.get(own)).map(Value::key_text).collect();
    let (mut seen, mut number) = (BTreeSet::new(), 2_usize);
    for i in open {
        if seen.insert(parts(list, &items[i])) {
            continue;
        }
        let Some(map) = items[i].as_map_mut() else { continue };
        // No other item of the list may have it, whatever that one says of itself.
        while !taken.insert(number.to_string()) {
            number += 1;
        }
        map.insert(own.to_owned(), Value::Text(number.to_string()));
    }
    items
}

/// Items each once: nothing could tell apart what says the same, and said twice it means no more. Items of one key that say
/// different things stay, for `validate` to refuse.
fn once(list: Field<'_>, items: Vec<Value>) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let mut is_new = |item: &Value| {
        let parts = parts(list, item);
        let is_nameless = parts.iter().all(Option::is_none);
        is_nameless || seen.insert((parts, beside(list, list.keyed().unwrap_or_default(), item)))
    };
    items.into_iter().filter(|item| is_new(item)).collect()
}

/// What an item says beside these members and the id that the workspace gave it.
fn beside(list: Field<'_>, members: &[&str], item: &Value) -> String {
    let is_other = |name: &str| list.also() != Some(name) && !members.contains(&name);
    let said = item.as_map().into_iter().flatten().filter(|(name, _)| is_other(name));
    json::display(&Value::map(said.map(|(name, value)| (name.clone(), value.clone()))))
}

#[cfg(test)]
mod tests {
    use super::told_apart;
    use crate::kinds::Registry;
    use crate::model::json;

    #[test]
    fn items_of_one_text_get_names() {
        let kind = Registry::standard().get("spaces").expect("a kind");
        for (body, want) in [
            (
                r#"{"sample_questions":[{"question":"a"},{"question":"b"},{"question":"a"},{"question":"a"}]}"#,
                r#"{"sample_questions":[{"question":"a"},{"question":"b"},{"question":"a","$key":"2"},{"question":"a","$key":"3"}]}"#,
            ),
            // A name is given once in a list, and the same whichever order the server has.
            (
                r#"{"benchmarks":[{"question":"b","sql":"2"},{"question":"b","sql":"1"},{"question":"a","sql":"4"},{"question":"a","sql":"3"}]}"#,
                r#"{"benchmarks":[{"question":"b","sql":"2","$key":"3"},{"question":"b","sql":"1"},{"question":"a","sql":"4","$key":"2"},{"question":"a","sql":"3"}]}"#,
            ),
            (
                r#"{"instructions":{"joins":[{"left":"a","right":"b","condition":"1"},{"left":"a","right":"b","condition":"2"}]}}"#,
                r#"{"instructions":{"joins":[{"left":"a","right":"b","condition":"1"},{"left":"a","right":"b","condition":"2"}]}}"#,
            ),
            (
                r#"{"instructions":{"joins":[{"left":"a","right":"b","condition":"1"},{"left":"A","right":"b","condition":"1","instruction":"x"}]}}"#,
                r#"{"instructions":{"joins":[{"left":"a","right":"b","condition":"1","$key":"2"},{"left":"A","right":"b","condition":"1","instruction":"x"}]}}"#,
            ),
            // What has no name of its own and says nothing else is one.
            (
                r#"{"instructions":{"functions":[{"identifier":"c.s.f"},{"identifier":"c.s.g"},{"identifier":"C.S.F"}]}}"#,
                r#"{"instructions":{"functions":[{"identifier":"c.s.f"},{"identifier":"c.s.g"}]}}"#,
            ),
            (r#"{"tables":[{"identifier":"a"},{"identifier":"a"}]}"#, r#"{"tables":[{"identifier":"a"}]}"#),
            (
                r#"{"tables":[{"identifier":"a"},{"identifier":"a","description":"x"}]}"#,
                r#"{"tables":[{"identifier":"a"},{"identifier":"a","description":"x"}]}"#,
            ),
        ] {
            let told = told_apart(kind, json::parse(body.as_bytes()).expect("JSON"));
            assert_eq!(json::write(&told).expect("JSON"), want);
        }
    }
}
