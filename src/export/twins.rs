//! Items of a list that say the same of themselves: each but the first gets a `$key`, by which it is told from the others.

use std::collections::BTreeSet;

use crate::kinds::{Field, Kind, Schema};
use crate::model::Value;

/// The field that names an item whatever else it says; none where a list has no such field.
pub fn own_name(list: Field<'_>) -> Option<&'static str> {
    list.apart().iter().copied().find(|name| name.starts_with('$'))
}

/// Whether two items cannot be told apart but by a name of their own.
pub fn are_alike(list: Field<'_>, a: &Value, b: &Value) -> bool {
    let apart = list.apart().iter().filter(|name| !name.starts_with('$'));
    let mut fields = list.keyed().unwrap_or_default().iter().chain(apart);
    fields.all(|name| part(a, name) == part(b, name))
}

/// What an item says of itself.
pub fn said(list: Field<'_>, item: &Value) -> String {
    let apart = list.apart().iter().filter(|name| !name.starts_with('$'));
    let fields = list.keyed().unwrap_or_default().iter().chain(apart);
    fields.filter_map(|name| part(item, name)).map(Value::key_text).collect::<Vec<_>>().join("\u{0}")
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
    below(Some(Schema::of(kind).root()), body)
}

fn below(field: Option<Field<'_>>, value: Value) -> Value {
    match (field, value) {
        (Some(field), Value::Map(map)) => {
            Value::Map(map.into_iter().map(|(name, value)| (name.clone(), below(field.field(&name), value))).collect())
        }
        (Some(list), Value::List(items)) => {
            let mut items: Vec<Value> = items.into_iter().map(|item| below(list.item(), item)).collect();
            if let Some(own) = own_name(list) {
                let twins: Vec<usize> =
                    (1..items.len()).filter(|i| items[..*i].iter().any(|other| are_alike(list, other, &items[*i]))).collect();
                for i in twins {
                    let name = free_name(own, &items, &BTreeSet::new());
                    if let Some(map) = items[i].as_map_mut().filter(|map| !map.contains_key(own)) {
                        map.insert(own.to_owned(), Value::Text(name));
                    }
                }
            }
            Value::List(items)
        }
        (_, other) => other,
    }
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
            (
                r#"{"instructions":{"joins":[{"left":"a","right":"b","condition":"1"},{"left":"a","right":"b","condition":"2"}]}}"#,
                r#"{"instructions":{"joins":[{"left":"a","right":"b","condition":"1"},{"left":"a","right":"b","condition":"2"}]}}"#,
            ),
            (r#"{"tables":[{"identifier":"a"},{"identifier":"a"}]}"#, r#"{"tables":[{"identifier":"a"},{"identifier":"a"}]}"#),
        ] {
            let told = told_apart(kind, json::parse(body.as_bytes()).expect("JSON"));
            assert_eq!(json::write(&told).expect("JSON"), want);
        }
    }
}
