//! Properties over bodies that a job could have.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;

use super::tests::SAMPLE;
use super::{Compare, FieldChange, compare};
use crate::kinds::Schema;
use crate::model::{Path, Step, Value, json};

fn word() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["", "a", "b", "c"]).prop_map(Value::from)
}

fn number() -> impl Strategy<Value = Value> {
    (0..3_i64).prop_map(Value::Int)
}

fn free_map() -> impl Strategy<Value = Value> {
    btree_map("[a-c]", word(), 0..3).prop_map(Value::map)
}

/// A map of the members that are there.
fn members(all: Vec<(&'static str, Option<Value>)>) -> Value {
    Value::map(all.into_iter().filter_map(|(name, value)| Some((name, value?))))
}

fn task() -> impl Strategy<Value = Value> {
    let cluster = (of(word()), of(word()), of(free_map()))
        .prop_map(|(node, driver, conf)| members(vec![("node_type_id", node), ("driver_node_type_id", driver), ("spark_conf", conf)]));
    let jar = vec(word(), 0..3).prop_map(|words| members(vec![("parameters", Some(Value::List(words)))]));
    let run_if = prop::sample::select(vec!["ALL_SUCCESS", "ALL_DONE"]).prop_map(Value::from);
    (of(run_if), of(word()), of(number()), of(cluster), of(jar)).prop_map(|(run_if, description, timeout, cluster, jar)| {
        members(vec![
            ("run_if", run_if),
            ("description", description),
            ("timeout_seconds", timeout),
            ("new_cluster", cluster),
            ("spark_jar_task", jar),
        ])
    })
}

fn tasks() -> impl Strategy<Value = Value> {
    btree_map("[a-d]", task(), 0..4).prop_map(|tasks| {
        let keyed = |(key, mut task): (String, Value)| {
            if let Value::Map(map) = &mut task {
                map.insert("task_key".to_owned(), Value::Text(key));
            }
            task
        };
        Value::List(tasks.into_iter().map(keyed).collect())
    })
}

fn schedule() -> impl Strategy<Value = Value> {
    let paused = prop::sample::select(vec!["PAUSED", "UNPAUSED"]).prop_map(Value::from);
    (word(), of(word()), of(paused)).prop_map(|(cron, zone, paused)| {
        members(vec![("quartz_cron_expression", Some(cron)), ("timezone_id", zone), ("pause_status", paused)])
    })
}

fn text() -> impl Strategy<Value = Value> {
    let rules = btree_map("[a-c]", number(), 0..3)
        .prop_map(|rules| Value::List(rules.into_iter().map(|(id, n)| Value::map([("id", Value::Text(id)), ("n", n)])).collect()));
    let inside = (of(number()), of(rules)).prop_map(|(a, rules)| members(vec![("a", a), ("rules", rules)]));
    prop_oneof![word(), inside.prop_map(|v| Value::Text(json::write(&v).unwrap()))]
}

fn body() -> impl Strategy<Value = Value> {
    let emails =
        btree_set("[a-d]", 0..4).prop_map(|set| Value::map([("on_failure", Value::List(set.into_iter().map(Value::Text).collect()))]));
    let queue = any::<bool>().prop_map(|b| Value::map([("enabled", Value::Bool(b))]));
    (of(word()), of(number()), of(number()), of(free_map()), of(tasks()), of(schedule()), of(emails), of(text()), of(queue)).prop_map(
        |(name, timeout, runs, tags, tasks, schedule, emails, description, queue)| {
            members(vec![
                ("name", name),
                ("timeout_seconds", timeout),
                ("max_concurrent_runs", runs),
                ("tags", tags),
                ("tasks", tasks),
                ("schedule", schedule),
                ("email_notifications", emails),
                ("description", description),
                ("queue", queue),
            ])
        },
    )
}

fn changes(desired: &Value, applied: Option<&Value>, live: &Value) -> Vec<FieldChange> {
    compare(&Compare { applied, live: Some(live), ..Compare::of(&SAMPLE, desired) }).changes
}

/// Makes a body what the changes say, taking values from desired.
fn apply(mut live: Value, changes: &[FieldChange], desired: &Value) -> Value {
    for change in changes {
        let inside = change.path.steps().iter().position(|s| *s == Step::Inside);
        let end = inside.unwrap_or(change.path.steps().len());
        let path = Path::from(change.path.steps()[..end].to_vec());
        set(&mut live, path.steps(), desired.at(&path).cloned());
    }
    live
}

fn set(value: &mut Value, steps: &[Step], new: Option<Value>) {
    let (step, rest) = steps.split_first().expect("a path");
    match step {
        Step::Field(name) => {
            if !matches!(value, Value::Map(_)) {
                *value = Value::map([("", Value::Null); 0]);
            }
            let map = value.as_map_mut().unwrap();
            match (rest.is_empty(), new) {
                (true, Some(new)) => _ = map.insert(name.clone(), new),
                (true, None) => _ = map.shift_remove(name),
                (false, new) => {
                    let empty = if matches!(rest[0], Step::Key(..)) { Value::List(vec![]) } else { Value::map([("", Value::Null); 0]) };
                    set(map.entry(name.clone()).or_insert(empty), rest, new);
                }
            }
        }
        Step::Key(pairs, _) => {
            if !matches!(value, Value::List(_)) {
                *value = Value::List(vec![]);
            }
            let Value::List(list) = value else { unreachable!("made a list") };
            let at = list.iter().position(|item| pairs.iter().all(|(k, v)| item.get(k).and_then(Value::as_str) == Some(v)));
            match (at, rest.is_empty(), new) {
                (Some(at), true, None) => _ = list.remove(at),
                (Some(at), true, Some(new)) => list[at] = new,
                (Some(at), false, new) => set(&mut list[at], rest, new),
                (None, true, Some(new)) => list.push(new),
                (None, _, _) => panic!("no item {pairs:?}"),
            }
        }
        Step::Index(_) | Step::Inside => panic!("no such step in these bodies"),
    }
}

/// Keyed lists and sets turned round, maps too.
fn turned(value: &Value, field: Option<crate::kinds::Field<'_>>) -> Value {
    match value {
        Value::Map(map) => Value::Map(map.iter().rev().map(|(k, v)| (k.clone(), turned(v, field.and_then(|f| f.field(k))))).collect()),
        Value::List(list) => {
            let item = field.and_then(|f| f.item());
            let mut list: Vec<Value> = list.iter().map(|v| turned(v, item)).collect();
            if field.is_some_and(|f| f.set() || f.keyed().is_some()) {
                list.reverse();
            }
            Value::List(list)
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_body_is_the_same_as_itself(x in body()) {
        prop_assert_eq!(changes(&x, Some(&x), &x), vec![]);
        prop_assert_eq!(changes(&x, None, &x), vec![]);
    }

    #[test]
    fn applying_the_changes_leaves_none(desired in body(), applied in of(body()), live in body()) {
        let found = changes(&desired, applied.as_ref(), &live);
        let after = apply(live, &found, &desired);
        prop_assert_eq!(changes(&desired, Some(&desired), &after), vec![]);
    }

    #[test]
    fn order_of_keyed_lists_and_sets_is_nothing(desired in body(), applied in body(), live in body()) {
        let root = Schema::of(&SAMPLE).root();
        let turned_live = turned(&live, Some(root));
        prop_assert_eq!(changes(&live, Some(&live), &turned_live), vec![]);
        let sorted = |mut list: Vec<FieldChange>| { list.sort_by_key(|c| (c.path.clone(), format!("{c:?}"))); list };
        let plain = sorted(changes(&desired, Some(&applied), &live));
        let found = sorted(changes(&turned(&desired, Some(root)), Some(&turned(&applied, Some(root))), &turned_live));
        prop_assert_eq!(plain.len(), found.len());
        for (a, b) in plain.iter().zip(&found) {
            prop_assert_eq!((&a.path, a.reason), (&b.path, b.reason));
        }
    }

    #[test]
    fn what_yaml_never_set_is_never_changed(desired in body(), live in body()) {
        for change in changes(&desired, Some(&desired), &live) {
            let owned = change.path.steps().iter().take(1).all(|s| desired.step(s).is_some());
            prop_assert!(owned, "{}", change.path);
        }
    }
}
