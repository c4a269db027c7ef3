//! What an environment's overlay must say so that a place of a resource gets a value there.
//!
//! Overlays are merged before anything is evaluated, so that an item of a list is named there as it is written in the base:
//! `identifier: "${catalog}.sales.orders"`.

use crate::kinds::Field;
use crate::model::{Map, Path, Step, Value};
use crate::yaml::{Data, Node};

const DELETE: &str = "$delete";

/// What an overlay says at one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// Where; items by what they are written with.
    pub at: Vec<Step>,
    /// The value; none: what is there goes.
    pub value: Option<Value>,
}

/// A place of a resource.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// As it is written, in the form in which overlays are merged.
    pub node: Option<&'a Node>,
    /// What that gives.
    pub base: Option<&'a Value>,
    /// What it is to be.
    pub target: Option<&'a Value>,
    /// What is known of it.
    pub field: Option<Field<'static>>,
}

/// How a value is spelled in a source.
type Spell<'a> = dyn Fn(&Value) -> Value + 'a;

/// What an overlay must say for the value at a path to become the target's, with the path of what it says.
pub fn words(place: Place<'_>, path: &Path, raw: &Spell<'_>) -> (Path, Vec<Word>) {
    let mut words = Vec::new();
    let depth = below(place, path.steps(), &[], raw, &mut words);
    (Path::from(path.steps()[..depth].to_vec()), words)
}

/// Gives how many steps of the path it went.
fn below(place: Place<'_>, path: &[Step], at: &[Step], raw: &Spell<'_>, words: &mut Vec<Word>) -> usize {
    let mut say = |at: Vec<Step>, value: Option<Value>| {
        let depth = at.len();
        words.push(Word { at, value });
        depth
    };
    let with = |step: Step| at.iter().cloned().chain([step]).collect::<Vec<Step>>();
    let whole = || place.target.map(|target| spelt(place.node, place.base, target, raw));
    match (path.split_first(), place.target) {
        (Some((Step::Field(name), rest)), Some(target)) => {
            let next = Place {
                node: place.node.and_then(|node| node.get(name)),
                base: place.base.and_then(|base| base.get(name)),
                target: target.get(name),
                field: place.field.and_then(|field| field.field(name)),
            };
            below(next, rest, &with(Step::Field(name.clone())), raw, words)
        }
        (Some((Step::Key(pairs, nth), rest)), Some(Value::List(new))) if place.field.is_some_and(|field| field.keyed().is_some()) => {
            let Some(list) = place.field else { return at.len() };
            let ours = place.base.and_then(Value::as_list).unwrap_or_default();
            let nodes = place.node.map(Node::items).filter(|nodes| nodes.len() == ours.len());
            let Some(i) = place_of(ours, pairs, *nth) else {
                let item = place_of(new, pairs, *nth).map(|j| raw(&new[j]));
                return match item {
                    Some(item) => say(with(Step::Key(key_of(list, &item), 0)), Some(item)),
                    None => at.len() + 1,
                };
            };
            let node = nodes.map(|nodes| &nodes[i]);
            let name = with(Step::Key(name_of(list, nodes, ours, i, raw), 0));
            let Some(item) = partner(list, ours, i, new) else { return say(name, None) };
            let next = Place { node, base: Some(&ours[i]), target: Some(item), field: list.item() };
            if fields(list).all(|field| ours[i].get(field) == item.get(field)) {
                return below(next, rest, &name, raw, words);
            }
            // Another wording: of an item that has a name besides, or else the old one goes and the new one comes.
            let mut own = list.apart().iter().copied().filter(|field| field.starts_with('$')).chain(list.also());
            let own = own.find_map(|field| Some((field.to_owned(), node?.get(field)?.text()?.to_owned())));
            if let Some(own) = own {
                return below(next, rest, &with(Step::Key(vec![own], 0)), raw, words);
            }
            say(name, None);
            let item = spelt(node, Some(&ours[i]), item, raw);
            say(with(Step::Key(key_of(list, &item), 0)), Some(item))
        }
        // A list without a key is written whole.
        _ => say(at.to_vec(), whole()),
    }
}

fn fields(list: Field<'_>) -> impl Iterator<Item = &'static str> {
    list.keyed().unwrap_or_default().iter().copied()
}

/// The place of the item that a step of a path means.
fn place_of(items: &[Value], pairs: &[(String, String)], nth: u32) -> Option<usize> {
    let is = |item: &Value| pairs.iter().all(|(name, text)| item.get(name).is_some_and(|v| v.key_text() == *text));
    items.iter().enumerate().filter(|(_, item)| is(item)).nth(nth as usize).map(|(i, _)| i)
}

/// The item of the target that one of ours is.
fn partner<'v>(list: Field<'static>, ours: &[Value], i: usize, new: &'v [Value]) -> Option<&'v Value> {
    let item = &ours[i];
    let own = |name: &str| item.get(name).filter(|v| !v.is_zero());
    let is_same = |a: &Value, b: &Value| fields(list).all(|field| a.get(field) == b.get(field));
    let names: Vec<&str> = list.also().into_iter().chain(list.apart().iter().copied().filter(|field| field.starts_with('$'))).collect();
    let by_name = names.iter().find_map(|name| new.iter().find(|other| own(name).is_some() && other.get(name) == own(name)));
    let turn = ours[..i].iter().filter(|other| is_same(other, item)).count();
    let by_key = || new.iter().filter(|other| is_same(other, item)).nth(turn);
    let is_rest = |other: &&Value| {
        let is_said = |name: &&String| !fields(list).any(|field| field == name.as_str()) && !names.contains(&name.as_str());
        let said: Vec<&String> = item.as_map().into_iter().flat_map(Map::keys).filter(is_said).collect();
        !said.is_empty() && said.iter().all(|name| other.get(name) == item.get(name)) && !ours.iter().any(|own| is_same(own, other))
    };
    by_name.or_else(by_key).or_else(|| new.iter().find(is_rest))
}

/// What an item of ours is called in an overlay: its key as it is written, with what tells it from others of that key.
fn name_of(list: Field<'static>, nodes: Option<&[Node]>, ours: &[Value], i: usize, raw: &Spell<'_>) -> Vec<(String, String)> {
    let Some(nodes) = nodes else { return key_of(list, &raw(&ours[i])) };
    let key = |node: &Node| key_of(list, &node.value());
    let mut name = key(&nodes[i]);
    if nodes.iter().filter(|node| key(node) == name).count() > 1 {
        let also = list.apart().iter().copied().chain(list.also());
        name.extend(also.filter_map(|field| Some((field.to_owned(), nodes[i].get(field)?.text()?.to_owned()))));
    }
    if name.is_empty() { key_of(list, &raw(&ours[i])) } else { name }
}

/// The key of an item as it is spelled; a text alone is its only field.
pub fn key_of(list: Field<'_>, item: &Value) -> Vec<(String, String)> {
    let own = |name: &str| item.get(name).or(Some(item).filter(|item| matches!(item, Value::Text(_))));
    let mut key: Vec<(String, String)> = fields(list).filter_map(|name| Some((name.to_owned(), own(name)?.key_text()))).collect();
    let apart = list.apart().iter().copied().filter(|field| field.starts_with('$'));
    key.extend(apart.filter_map(|name| Some((name.to_owned(), item.get(name)?.key_text()))));
    key
}

/// The member of an item that a text alone stands for: the only one that a person would write.
pub fn alone(item: &Map) -> Option<&String> {
    let mut names = item.iter().filter(|(name, _)| *name != "id" && !name.starts_with('$'));
    names.next().filter(|(_, value)| matches!(value, Value::Text(_)) && names.next().is_none()).map(|(name, _)| name)
}

/// A value as a source spells it that says what is written here wherever that is meant: expressions stay.
pub fn spelt(node: Option<&Node>, base: Option<&Value>, target: &Value, raw: &Spell<'_>) -> Value {
    let Some((node, base)) = node.zip(base) else { return raw(target) };
    if base == target {
        return node.value();
    }
    match (&node.data, base, target) {
        (Data::Map(_), Value::Map(ours), Value::Map(new)) => {
            let members = new.iter().filter_map(|(name, value)| match (node.get(name), ours.get(name)) {
                // What nobody wrote is the same.
                (None, Some(old)) if old == value => None,
                (own, old) => Some((name.clone(), spelt(own, old, value, raw))),
            });
            Value::Map(members.collect())
        }
        // A text alone is one member of an item.
        (Data::Scalar(scalar), Value::Map(ours), Value::Map(new)) => {
            let Some(alone) = alone(ours) else { return raw(target) };
            let members = new.iter().filter_map(|(name, value)| {
                let is_same = ours.get(name) == Some(value);
                if is_same && name == alone {
                    return Some((name.clone(), Value::Text(scalar.text.clone())));
                }
                (!is_same).then(|| (name.clone(), raw(value)))
            });
            let members: Map = members.collect();
            match members.get(alone) {
                Some(text) if members.len() == 1 => text.clone(),
                _ => Value::Map(members),
            }
        }
        _ => raw(target),
    }
}

/// An overlay with what it is to say. None: it says something there that cannot hold it.
pub fn with(overlay: Value, path: &[Step], value: Option<Value>) -> Option<Value> {
    let Some((step, rest)) = path.split_first() else {
        return Some(value.unwrap_or_else(|| Value::map([(DELETE, Value::Bool(true))])));
    };
    match (step, overlay) {
        (Step::Field(name), Value::List(mut items)) => {
            let is_it = |item: &Value| item.get("$key").is_some_and(|key| key.key_text() == *name);
            let at = items.iter().position(is_it)?;
            items[at] = with(items[at].clone(), rest, value)?;
            Some(Value::List(items))
        }
        (Step::Field(name), overlay @ (Value::Map(_) | Value::Null)) => {
            let mut map = if let Value::Map(map) = overlay { map } else { Map::new() };
            let under = map.get(name).cloned().unwrap_or(Value::Null);
            map.insert(name.clone(), with(under, rest, value)?);
            Some(Value::Map(map))
        }
        // A list that is written as a map by name.
        (Step::Key(pairs, 0), Value::Map(mut map)) if !map.is_empty() => {
            let [(field, name)] = pairs.as_slice() else { return None };
            let under = map.get(name).cloned().unwrap_or(Value::Null);
            let mut item = with(under, rest, value)?;
            if let Some(item) = item.as_map_mut() {
                item.shift_remove(field);
            }
            map.insert(name.clone(), item);
            Some(Value::Map(map))
        }
        (Step::Key(pairs, 0), overlay @ (Value::List(_) | Value::Null | Value::Map(_))) => {
            let mut items = if let Value::List(items) = overlay { items } else { vec![] };
            let at = items.iter().position(|item| is_named(item, pairs));
            let named = || Value::map(pairs.iter().map(|(name, text)| (name.clone(), Value::text(text.as_str()))));
            let item = match (rest.is_empty(), value) {
                (true, Some(value)) => value,
                (true, None) => {
                    let mut gone = named();
                    if let Some(map) = gone.as_map_mut() {
                        map.insert(DELETE.to_owned(), Value::Bool(true));
                    }
                    gone
                }
                (false, value) => {
                    let item = at.map(|at| items[at].clone()).filter(|item| matches!(item, Value::Map(_)));
                    with(item.unwrap_or_else(named), rest, value)?
                }
            };
            match at {
                Some(at) => items[at] = item,
                None => items.push(item),
            }
            Some(Value::List(items))
        }
        _ => None,
    }
}

/// Whether an item of an overlay is the one with this name.
fn is_named(item: &Value, pairs: &[(String, String)]) -> bool {
    match (item, pairs) {
        (Value::Text(text), [(_, name)]) => text == name,
        _ => pairs.iter().all(|(name, text)| item.get(name).is_some_and(|v| v.key_text() == *text)),
    }
}

/// An overlay without its `$delete` of an item, which is there after all; none where it has no such word.
pub fn undeleted(overlay: &Value, path: &[Step], value: &Value) -> Option<Value> {
    let (last, above) = path.split_last()?;
    let Step::Key(pairs, 0) = last else { return None };
    let list = above.iter().try_fold(overlay, |overlay, step| match step {
        Step::Field(name) => overlay.get(name),
        _ => None,
    })?;
    let items = list.as_list()?;
    let is_gone = |item: &Value| is_named(item, pairs) && item.get(DELETE) == Some(&Value::Bool(true));
    let at = items.iter().position(is_gone)?;
    let mut items = items.to_vec();
    let is_bare = value.as_map().is_none_or(|map| map.len() <= pairs.len());
    if is_bare {
        items.remove(at);
    } else {
        items[at] = value.clone();
    }
    with(overlay.clone(), above, Some(Value::List(items)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::Source;
    use crate::kinds::{Registry, Schema};
    use crate::model::json;

    fn said(yaml: &str, base: &str, target: &str, path: &str) -> String {
        let source = Arc::new(Source { name: "a.yaml".to_owned(), text: yaml.to_owned() });
        let node = crate::yaml::parse(&source).expect("YAML").remove(0);
        let [base, target] = [base, target].map(|text| json::parse(text.as_bytes()).expect("JSON"));
        let field = Some(Schema::of(Registry::standard().get("spaces").expect("a kind")).root());
        let place = Place { node: Some(&node), base: Some(&base), target: Some(&target), field };
        let raw = |value: &Value| crate::export::object::referred(value, &std::collections::BTreeMap::new());
        let (_, words) = words(place, &path.parse().expect("a path"), &raw);
        let all = words.into_iter().fold(Value::Null, |overlay, word| with(overlay, &word.at, word.value).expect("it takes it"));
        json::write(&all).expect("JSON")
    }

    #[test]
    fn items_are_named_as_they_are_written() {
        let path = r#"tables[identifier="main.x.a"]"#;
        for (what, yaml, base, target, path, want) in [
            (
                "a description",
                "tables: [{ identifier: '${c}.x.a', description: d }]",
                r#"{"tables":[{"identifier":"main.x.a","description":"d"}]}"#,
                r#"{"tables":[{"identifier":"main.x.a","description":"e ${x}"}]}"#,
                &*format!("{path}.description"),
                r#"{"tables":[{"identifier":"${c}.x.a","description":"e $${x}"}]}"#,
            ),
            (
                "a text alone",
                "tables: ['${c}.x.a']",
                r#"{"tables":[{"identifier":"main.x.a"}]}"#,
                r#"{"tables":[{"identifier":"main.x.a","description":"e"}]}"#,
                path,
                r#"{"tables":[{"identifier":"${c}.x.a","description":"e"}]}"#,
            ),
            (
                "a list without a key, whole",
                "tables: [{ identifier: '${c}.x.a', columns: [{ name: c, synonyms: [x] }] }]",
                r#"{"tables":[{"identifier":"main.x.a","columns":[{"name":"c","synonyms":["x"]}]}]}"#,
                r#"{"tables":[{"identifier":"main.x.a","columns":[{"name":"c","synonyms":["x","y"]}]}]}"#,
                &*format!("{path}.columns[name=c].synonyms[1]"),
                r#"{"tables":[{"identifier":"${c}.x.a","columns":[{"name":"c","synonyms":["x","y"]}]}]}"#,
            ),
            (
                "one that goes",
                "sample_questions: ['rev $${x}', b]",
                r#"{"sample_questions":[{"question":"rev ${x}"},{"question":"b"}]}"#,
                r#"{"sample_questions":[{"question":"b"}]}"#,
                r#"sample_questions[question="rev ${x}"]"#,
                r#"{"sample_questions":[{"question":"rev $${x}","$delete":true}]}"#,
            ),
            (
                "another wording",
                "sample_questions: [{ question: a }]",
                r#"{"sample_questions":[{"question":"a","id":"1"}]}"#,
                r#"{"sample_questions":[{"question":"b","id":"1"}]}"#,
                "sample_questions[question=a].question",
                r#"{"sample_questions":[{"question":"a","$delete":true},{"question":"b"}]}"#,
            ),
            (
                "another wording of a text alone",
                "sample_questions: [a]",
                r#"{"sample_questions":[{"question":"a","id":"1"}]}"#,
                r#"{"sample_questions":[{"question":"b","id":"1"}]}"#,
                "sample_questions[question=a]",
                r#"{"sample_questions":[{"question":"a","$delete":true},"b"]}"#,
            ),
            (
                "another wording of one with a name of its own",
                "sample_questions: [{ question: a, $key: k }]",
                r#"{"sample_questions":[{"question":"a","id":"1","$key":"k"}]}"#,
                r#"{"sample_questions":[{"question":"b","id":"1","$key":"k"}]}"#,
                "sample_questions[question=a].question",
                r#"{"sample_questions":[{"$key":"k","question":"b"}]}"#,
            ),
            (
                "one of two that are alike",
                "sample_questions: [a, { question: a, $key: k }]",
                r#"{"sample_questions":[{"question":"a"},{"question":"a","$key":"k"}]}"#,
                r#"{"sample_questions":[{"question":"a"}]}"#,
                "sample_questions[question=a#1]",
                r#"{"sample_questions":[{"question":"a","$key":"k","$delete":true}]}"#,
            ),
        ] {
            assert_eq!(said(yaml, base, target, path), want, "{what}");
        }
    }

    #[test]
    fn what_an_overlay_says_already_stays() {
        let steps = |text: &str| text.parse::<Path>().expect("a path").steps().to_vec();
        for (overlay, path, want) in [
            (r#"{"tables":["a"]}"#, "tables[identifier=a].description", Some(r#"{"tables":[{"identifier":"a","description":"v"}]}"#)),
            (r#"{"columns":{"a":{"x":1}}}"#, "columns[name=a].description", Some(r#"{"columns":{"a":{"x":1,"description":"v"}}}"#)),
            (r#"{"spaces":[{"$key":"s","x":1}]}"#, "spaces.s.title", Some(r#"{"spaces":[{"$key":"s","x":1,"title":"v"}]}"#)),
            (r#"{"instructions":"text"}"#, "instructions.joins", None),
            (r#"{"spaces":[{"$key":"t"}]}"#, "spaces.s.title", None),
        ] {
            let overlay = json::parse(overlay.as_bytes()).expect("JSON");
            let found = with(overlay, &steps(path), Some(Value::text("v")));
            assert_eq!(found.map(|value| json::write(&value).expect("JSON")).as_deref(), want, "{path}");
        }
    }

    #[test]
    fn what_was_taken_away_comes_back() {
        for (value, want) in
            [(r#"{"question":"S"}"#, r#"{"q":["T"]}"#), (r#"{"question":"S","sql":"1"}"#, r#"{"q":[{"question":"S","sql":"1"},"T"]}"#)]
        {
            let overlay = json::parse(br#"{"q":[{"question":"S","$delete":true},"T"]}"#).expect("JSON");
            let value = json::parse(value.as_bytes()).expect("JSON");
            let path: Path = "q[question=S]".parse().expect("a path");
            assert_eq!(json::write(&undeleted(&overlay, path.steps(), &value).expect("it was taken away")).expect("JSON"), want);
            let path: Path = "q[question=T]".parse().expect("a path");
            assert_eq!(undeleted(&overlay, path.steps(), &value), None);
        }
    }
}
