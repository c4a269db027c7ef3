//! What is not known yet, and what is never shown.

use std::sync::Arc;

use super::{SAMPLE, lines, value};
use crate::diff::{Compare, compare};
use crate::model::{Address, Deferred, Path, Reference, StateKey, Value, Variable};

fn deferred(source: &str, variable: Variable) -> Arc<Deferred> {
    Arc::new(Deferred { source: source.to_owned(), waits: vec![variable], ..Deferred::of(reference()) })
}

fn reference() -> Reference {
    Reference { address: Address::new("jobs", "a"), path: Path::field("id") }
}

fn secret(name: &str) -> Value {
    Value::Secret(deferred(&format!("${{secret('{name}')}}"), Variable::Secret(crate::model::SecretSource::environment(name))))
}

fn record(name: &str, print: &str) -> Value {
    Value::map([("$secret", Value::text(format!("${{secret('{name}')}}"))), ("fingerprint", Value::text(print))])
}

#[test]
fn unknown_is_a_change() {
    let unknown = Value::Unknown(Arc::new(Deferred::of(reference())));
    let desired = Value::map([("name", unknown)]);
    for applied in [None, Some(value(r#"{"name":"a"}"#))] {
        let live = value(r#"{"name":"a"}"#);
        let found = compare(&Compare { applied: applied.as_ref(), live: Some(&live), ..Compare::of(&SAMPLE, &desired) });
        assert_eq!(lines(&found), [r#"name changed "a" → (known after apply)"#]);
    }
}

#[test]
fn secrets_are_compared_with_their_record_and_never_shown() {
    let secrets = [("${secret('A')}".to_owned(), record("A", "f1"))].into();
    let live = value(r#"{"name":"plain","git_source":{"git_tag":"plain"},"tags":{"k":"plain"}}"#);
    let with = |v: Value| {
        Value::map([("name", v.clone()), ("git_source", Value::map([("git_tag", v.clone())])), ("tags", Value::map([("k", v)]))])
    };
    let places = ["name", "git_source.git_tag", "tags.k"];
    for (what, desired, applied, reason) in [
        ("the same", with(secret("A")), Some(with(record("A", "f1"))), None),
        ("rotated", with(secret("A")), Some(with(record("A", "f0"))), Some("changed")),
        ("another source", with(secret("A")), Some(with(record("B", "f1"))), Some("changed")),
        ("first", with(secret("A")), None, Some("changed")),
        ("a secret no more", with(Value::text("x")), Some(with(record("A", "f1"))), Some("changed")),
        ("removed", value(r#"{"git_source":{},"tags":{}}"#), Some(with(record("A", "f1"))), Some("removed")),
    ] {
        let found = compare(&Compare { applied: applied.as_ref(), live: Some(&live), secrets: &secrets, ..Compare::of(&SAMPLE, &desired) });
        let got: Vec<String> =
            found.changes.iter().map(|c| format!("{} {}", c.path, serde_json::to_value(c.reason).unwrap().as_str().unwrap())).collect();
        let mut want: Vec<String> = reason.iter().flat_map(|r| places.iter().map(move |p| format!("{p} {r}"))).collect();
        if what == "removed" {
            want.rotate_left(1); // what YAML still mentions comes first
        }
        assert_eq!(got, want, "{what}");
        assert!(!format!("{:?}", found.changes).contains("plain"), "{what}: {:?}", found.changes);
    }
}

#[test]
fn a_secret_that_the_workspace_tells_is_compared_by_its_fingerprint() {
    let key = StateKey::new(b"key");
    let print = |text: &str| key.fingerprint(text.as_bytes()).0;
    let with = |v: Value| {
        Value::map([
            ("name", v.clone()),
            ("tags", Value::map([("k", v.clone())])),
            ("tasks", Value::List(vec![Value::map([("task_key", Value::text("t")), ("description", v)])])),
        ])
    };
    let places = ["name", "tags.k", "tasks[task_key=t].description"];
    for (what, applied, live, keyed, reason) in [
        ("as it was sent", "s3cret", "s3cret", true, None),
        ("changed in the workspace", "s3cret", "other-value", true, Some("drift")),
        ("without a key", "s3cret", "other-value", false, None),
        ("masked", "s3cret", "********", true, None),
        ("masked in words", "s3cret", "[REDACTED]", true, None),
        ("not told", "s3cret", "", true, None),
        ("changed in YAML", "old", "old", true, Some("changed")),
        ("changed in both", "old", "other-value", true, Some("conflict")),
        ("changed in both alike", "old", "s3cret", true, Some("changed")),
    ] {
        let secrets = [("${secret('A')}".to_owned(), record("A", &print("s3cret")))].into();
        let (desired, applied, live) = (with(secret("A")), with(record("A", &print(applied))), with(Value::text(live)));
        let found = compare(&Compare {
            applied: Some(&applied),
            live: Some(&live),
            secrets: &secrets,
            key: keyed.then_some(&key),
            ..Compare::of(&SAMPLE, &desired)
        });
        let got: Vec<String> =
            found.changes.iter().map(|c| format!("{} {}", c.path, serde_json::to_value(c.reason).unwrap().as_str().unwrap())).collect();
        let want: Vec<String> = reason.iter().flat_map(|r| places.iter().map(move |p| format!("{p} {r}"))).collect();
        assert_eq!(got, want, "{what}");
        assert!(!format!("{:?}", found.changes).contains("other-value"), "{what}: {:?}", found.changes);
    }
}

/// Where the end of a text is no difference, a secret there is compared all the same.
#[test]
fn a_secret_whose_last_line_may_end_or_not_is_compared() {
    let key = StateKey::new(b"key");
    let with = |v: Value| Value::map([("duration_target", v)]);
    for (sent, live, drifts) in [
        ("s3cret", "s3cret", false),
        ("s3cret\n", "s3cret", false),
        ("s3cret", "s3cret\n", false),
        ("s3cret", "s3cret\n\n", false),
        ("s3cret", "another", true),
        ("s3cret\n", "another\n", true),
    ] {
        let record = record("A", &key.fingerprint(sent.as_bytes()).0);
        let secrets = [("${secret('A')}".to_owned(), record.clone())].into();
        let (desired, applied, live) = (with(secret("A")), with(record), with(Value::text(live)));
        let compared =
            Compare { applied: Some(&applied), live: Some(&live), secrets: &secrets, key: Some(&key), ..Compare::of(&SAMPLE, &desired) };
        let found = compare(&compared);
        assert_eq!((found.changes.len(), found.uncompared), (usize::from(drifts), vec![]), "{sent:?} {live:?}");
    }
}

/// "No change" of a secret says how far it was compared, wherever it stands.
#[test]
fn what_is_not_compared_is_told() {
    let key = StateKey::new(b"key");
    let print = key.fingerprint(b"s3cret").0;
    let unprinted = Value::map([("$secret", Value::text("${secret('A')}"))]);
    let with = |v: Value| {
        Value::map([
            ("name", v.clone()),
            ("tags", Value::map([("k", v.clone())])),
            (
                "tasks",
                Value::List(vec![Value::map([
                    ("task_key", Value::text("t")),
                    ("spark_python_task", Value::map([("parameters", Value::List(vec![Value::text("--pw"), v]))])),
                ])]),
            ),
        ])
    };
    let places = ["name", "tags.k", "tasks[task_key=t].spark_python_task.parameters"];
    for (what, record, live, keyed, want) in [
        ("compared", record("A", &print), "s3cret", true, vec![]),
        ("masked", record("A", &print), "********", true, vec!["not_told", "not_told"]),
        ("no key", unprinted.clone(), "another", false, vec!["no_state_key"; 3]),
        ("no fingerprint", unprinted, "another", true, vec!["no_fingerprint"; 3]),
    ] {
        let secrets = [("${secret('A')}".to_owned(), record.clone())].into();
        let (desired, applied, live) = (with(secret("A")), with(record), with(Value::text(live)));
        let find = |ignore: &[Path]| {
            let found = compare(&Compare {
                applied: Some(&applied),
                live: Some(&live),
                secrets: &secrets,
                key: keyed.then_some(&key),
                ignore,
                ..Compare::of(&SAMPLE, &desired)
            });
            assert!(found.changes.is_empty(), "{what}: {:?}", found.changes);
            let word = |why| serde_json::to_value(why).unwrap().as_str().unwrap().to_owned();
            found.uncompared.iter().map(|u| format!("{} {}", u.path, word(u.why))).collect::<Vec<String>>()
        };
        let want: Vec<String> = places.iter().zip(&want).map(|(place, why)| format!("{place} {why}")).collect();
        assert_eq!(find(&[]), want, "{what}");
        assert_eq!(find(&[Path::field("name")]), want.get(1..).unwrap_or_default(), "{what}: what is ignored is no claim");
    }
}

/// What is a change is sent: nothing is claimed of it.
#[test]
fn a_secret_that_changes_is_not_among_those_that_were_not_compared() {
    let unprinted = |name: &str| Value::map([("$secret", Value::text(format!("${{secret('{name}')}}")))]);
    let secrets = [("${secret('A')}".to_owned(), unprinted("A"))].into();
    let with = |v: Value| Value::map([("tags", Value::map([("k", v)]))]);
    let (desired, applied, live) = (with(secret("A")), with(unprinted("B")), with(Value::text("x")));
    let found = compare(&Compare { applied: Some(&applied), live: Some(&live), secrets: &secrets, ..Compare::of(&SAMPLE, &desired) });
    assert_eq!((found.changes.len(), found.uncompared), (1, vec![]));
}

#[test]
fn an_item_whose_key_was_a_secret_shows_none_when_only_live_has_it() {
    let task = |key: Value| Value::map([("task_key", key), ("description", Value::text("open"))]);
    let tasks = |key: Value| Value::map([("tasks", Value::List(vec![task(key)]))]);
    let live = tasks(Value::text("s3cret"));
    let secrets = [("${secret('A')}".to_owned(), record("A", "f1"))].into();
    for (what, desired, applied) in [
        ("another key now", tasks(Value::text("b")), Some(tasks(record("A", "f1")))),
        ("still a secret", tasks(secret("A")), Some(tasks(record("A", "f1")))),
        ("gone from YAML", Value::map::<&str>([]), Some(tasks(record("A", "f1")))),
        ("a secret from now on", tasks(secret("A")), None),
    ] {
        let found = compare(&Compare { applied: applied.as_ref(), live: Some(&live), secrets: &secrets, ..Compare::of(&SAMPLE, &desired) });
        assert!(!format!("{found:?}").contains("s3cret"), "{what}: {found:?}");
    }
}

#[test]
fn an_item_that_only_live_has_is_shown_unless_it_may_hold_the_secret() {
    let item = |key: &str, text: Value| Value::map([("task_key", Value::text(key)), ("description", text)]);
    let body = |items: Vec<Value>| Value::map([("tasks", Value::List(items))]);
    let desired = body(vec![item("t", secret("A"))]);
    let applied = body(vec![item("t", record("A", "f1"))]);
    let secrets = [("${secret('A')}".to_owned(), record("A", "f1"))].into();
    let sent = || item("t", "s3cret-value".into());
    for (what, live, shown) in [
        ("added", vec![item("u", "select 7".into()), sent()], true),
        ("a copy", vec![sent(), item("u", "s3cret-value".into())], false),
        ("a copy that was edited", vec![sent(), item("u", "-- s3cret-value".into())], false),
        ("given another key", vec![item("u", "s3cret-valu".into())], false),
    ] {
        let live = body(live);
        let found = compare(&Compare { applied: Some(&applied), live: Some(&live), secrets: &secrets, ..Compare::of(&SAMPLE, &desired) });
        let change = found.changes.iter().find(|c| c.new.is_none()).expect("the item");
        assert_eq!(change.path.to_string() == "tasks[task_key=u]", shown, "{what}: {}", change.path);
        assert_eq!(change.old == Some(item("u", "select 7".into())), shown, "{what}");
        assert!(!format!("{:?}", found.changes).contains("s3cret-val"), "{what}: {:?}", found.changes);
    }
    // One that YAML adds only now is nowhere yet.
    let desired = body(vec![item("t", secret("A")), item("n", secret("A"))]);
    let live = body(vec![sent(), item("u", "select 7".into())]);
    let found = compare(&Compare { applied: Some(&applied), live: Some(&live), secrets: &secrets, ..Compare::of(&SAMPLE, &desired) });
    assert!(found.changes.iter().any(|c| c.path.to_string() == "tasks[task_key=u]"), "{:?}", found.changes);
}
