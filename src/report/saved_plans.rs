//! Plans in files: the same bytes each time, everything back, and no bytes that bring the program down.

use std::collections::BTreeMap;

use super::samples;
use crate::diff::Reason;
use crate::model::{Address, Fingerprint, Value};
use crate::plan::saved::{Bound, Envelope, FORMAT, Fault, Saved, canonical, moved, read, unsettled, write};
use crate::plan::{Action, Options};

fn envelope() -> Envelope {
    let mut plan = samples::everything();
    plan.requests = 0;
    for step in &mut plan.steps {
        if step.action == Action::None {
            step.name = step.address.key.clone();
        }
        step.unmanaged.iter_mut().for_each(|(_, value)| *value = Value::Null);
    }
    let print = |text: &str| Fingerprint::of(text.as_bytes());
    let bound = Bound {
        configuration: plan.steps.iter().map(|s| (s.address.clone(), print("x"))).collect(),
        environment: BTreeMap::from([("name".to_owned(), "prod".to_owned())]),
        files: BTreeMap::from([("sql/a.sql".to_owned(), print("SELECT 1"))]),
        lookups: BTreeMap::from([("lookup(\"warehouses\", \"Shared BI\")".to_owned(), "8f3c".to_owned())]),
        secrets: BTreeMap::from([("${secret('A')}".to_owned(), Some(print("a").0)), ("${secret('B')}".to_owned(), None)]),
        kinds: BTreeMap::from([("jobs".to_owned(), print("jobs"))]),
    };
    Envelope {
        created: "2026-03-01T10:00:00Z".parse().unwrap(),
        expires: "2026-03-02T10:00:00Z".parse().unwrap(),
        commit: Some("abc".to_owned()),
        verdicts: vec![],
        saved: Saved {
            plan,
            program: "0.1.0".to_owned(),
            choices: Options { allow_delete: vec!["schemas".to_owned()], ..Options::default() },
            given: BTreeMap::from([("catalog".to_owned(), "main".to_owned())]),
            bound,
        },
    }
}

#[test]
fn what_is_written_is_read_back() {
    let written = envelope();
    let text = write(&written);
    let back = read(text.as_bytes()).unwrap();
    assert_eq!(canonical(&back.saved), canonical(&written.saved));
    assert_eq!(write(&back), text);
    assert_eq!(back.created, written.created);
    assert_eq!(back.saved.plan.counts(), written.saved.plan.counts());
}

#[test]
fn another_layout_of_the_same_content_is_no_edit() {
    let text = write(&envelope());
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(read(format!("{json:#}").as_bytes()).is_ok());
}

#[test]
fn the_moment_is_not_in_the_canonical_part() {
    let one = envelope();
    let later = Envelope { created: "2027-01-01T00:00:00Z".parse().unwrap(), commit: None, ..one.clone() };
    assert_eq!(canonical(&one.saved), canonical(&later.saved));
    assert!(!canonical(&one.saved).contains("2026-03"));
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let text = write(&envelope());
    for (bytes, want) in [
        (String::new(), "it is not whole JSON"),
        (text[..text.len() / 2].to_owned(), "it is not whole JSON"),
        ("[]".to_owned(), "it is a list, not a plan"),
        ("{}".to_owned(), "JSON without a `format`"),
        (r#"{"format":"brickform.plan/1"}"#.to_owned(), "of the format `brickform.plan/1`"),
        (text.replace(FORMAT, "brickform.saved-plan/2"), "this Brickform reads `brickform.saved-plan/1`"),
        (text.replace("main.silver", "main.golden"), "it was changed after it was written"),
        (text.replace("2026-03-02", "2036-03-02"), "it was changed after it was written"),
        (text.replace("\"seal\"", "\"sael\""), "`seal` is missing"),
    ] {
        let fault = read(bytes.as_bytes()).unwrap_err();
        assert!(fault.to_string().contains(want), "{fault}");
    }
}

/// With a digest and a seal that fit.
fn mended(json: &mut serde_json::Value) {
    json["digest"] = serde_json::json!(Fingerprint::of(json["plan"].to_string().as_bytes()));
    let around = ["format", "created", "expires", "commit", "digest", "verdicts"];
    let text: Vec<String> = around.iter().map(|name| format!("{name} {}\n", json[*name])).collect();
    json["seal"] = serde_json::json!(Fingerprint::of(text.concat().as_bytes()));
}

/// Whoever edits a file may mend its digest, too: then members are looked at one by one.
#[test]
fn a_mended_digest_does_not_let_anything_through() {
    let json: serde_json::Value = serde_json::from_str(&write(&envelope())).unwrap();
    for (place, with, want) in [
        ("/plan/steps/0/calls", serde_json::json!(7), "`plan.steps[0].calls` is a number, not a list"),
        ("/plan/steps/0/address", serde_json::json!("nonsense"), "`plan.steps[0].address` cannot be used"),
        ("/plan/steps/0/action", serde_json::json!("explode"), "`plan.steps[0].action` cannot be used"),
        ("/plan/state/serial", serde_json::json!(-1), "`plan.state.serial` cannot be used"),
        ("/plan/quiet", serde_json::json!({"jobs.a": {"kind": "jobs", "unmanaged": 4_000_000_000_u32}}), "more unmanaged fields"),
        ("/plan/bound/files", serde_json::json!(null), "`plan.bound.files` cannot be used"),
    ] {
        let mut json = json.clone();
        *json.pointer_mut(place).unwrap() = with;
        mended(&mut json);
        let fault = read(json.to_string().as_bytes()).unwrap_err();
        assert!(matches!(fault, Fault::Broken { .. }) && fault.to_string().contains(want), "{fault}");
    }
}

proptest::proptest! {
    /// Any bytes changed, cut or put in: a plan with the same content, or a fault; never a panic.
    #[test]
    fn no_bytes_bring_it_down(edits in proptest::collection::vec((0usize..40_000, 0u8..=255, 0u8..3), 1..6), mend in proptest::bool::ANY) {
        let whole = write(&envelope());
        let mut bytes = whole.clone().into_bytes();
        for (at, byte, what) in edits {
            let at = at % bytes.len().max(1);
            match what {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => bytes.truncate(at.max(1)),
            }
        }
        if mend && let Ok(mut json) = serde_json::from_slice::<serde_json::Value>(&bytes) && json.get("plan").is_some() {
            mended(&mut json);
            bytes = json.to_string().into_bytes();
        }
        if let Ok(read) = read(&bytes) && !mend {
            proptest::prop_assert_eq!(canonical(&read.saved), canonical(&envelope().saved));
        }
    }
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// How something moves, and what is said of it.
type Moved = (&'static str, Box<dyn Fn(&mut Saved)>);

#[test]
fn everything_that_it_is_bound_to_is_named_when_it_moves() {
    let then = envelope().saved;
    let other = Fingerprint::of(b"other");
    let table: Vec<Moved> = vec![
        ("serial was 41, is 42", Box::new(|s| s.plan.serial = 42)),
        ("lineage was 0f0e, is aaaa", Box::new(|s| "aaaa".clone_into(&mut s.plan.lineage))),
        ("made by Brickform 0.1.0, this is 0.2.0", Box::new(|s| "0.2.0".clone_into(&mut s.program))),
        ("environment: name was `prod`, is `dev`", Box::new(|s| drop(s.bound.environment.insert("name".to_owned(), "dev".to_owned())))),
        ("jobs.nightly: its configuration changed", {
            let other = other.clone();
            Box::new(move |s| drop(s.bound.configuration.insert(address("jobs.nightly"), other.clone())))
        }),
        ("jobs.nightly: was in the configuration, is not", Box::new(|s| drop(s.bound.configuration.remove(&address("jobs.nightly"))))),
        ("jobs.new: is new in the configuration", {
            let other = other.clone();
            Box::new(move |s| drop(s.bound.configuration.insert(address("jobs.new"), other.clone())))
        }),
        ("file sql/a.sql: what is in it changed", {
            let other = other.clone();
            Box::new(move |s| drop(s.bound.files.insert("sql/a.sql".to_owned(), other.clone())))
        }),
        ("lookup(\"warehouses\", \"Shared BI\"): was id 8f3c, is id 77", {
            Box::new(|s| s.bound.lookups.values_mut().for_each(|id| "77".clone_into(id)))
        }),
        ("the secret ${secret('A')}: its keyed fingerprint was", {
            Box::new(|s| drop(s.bound.secrets.insert("${secret('A')}".to_owned(), Some("00ff00ff00ff00".to_owned()))))
        }),
        ("the secret ${secret('B')}: is no longer used", Box::new(|s| drop(s.bound.secrets.remove("${secret('B')}")))),
        ("kind jobs: this Brickform knows it differently", {
            Box::new(move |s| drop(s.bound.kinds.insert("jobs".to_owned(), other.clone())))
        }),
    ];
    assert_eq!(unsettled(&then, &then, None), Vec::<String>::new());
    for (want, change) in table {
        let mut now = then.clone();
        change(&mut now);
        let said = unsettled(&then, &now, None);
        assert!(said.len() == 1 && said[0].contains(want), "{want}: {said:?}");
    }
}

#[test]
fn what_moved_in_the_workspace_is_named_by_field() {
    let then = envelope().saved;
    let edit = |at: &str, change: &dyn Fn(&mut crate::plan::Step)| {
        let mut now = then.clone();
        change(now.plan.steps.iter_mut().find(|s| s.address == address(at)).unwrap());
        moved(&then, &now)
    };
    assert_eq!(moved(&then, &then), Vec::<String>::new());
    let old = edit("jobs.nightly", &|s| s.changes[0].old = Some(Value::text("ODD")));
    assert_eq!(old, ["jobs.nightly: schedule.pause_status was \"PAUSED\" in the workspace, is \"ODD\" there now"]);
    let back = edit("jobs.nightly", &|s| drop(s.changes.remove(0)));
    assert_eq!(back, ["jobs.nightly: schedule.pause_status was \"PAUSED\" in the workspace, is as it is wanted now"]);
    let more = edit("jobs.nightly", &|s| s.changes.push(samples::change("timeout_seconds", "7", "60", Reason::Drift)));
    assert_eq!(more, ["jobs.nightly: timeout_seconds was 60 in the workspace, is 7 there now"]);
    let gone = edit("jobs.nightly", &|s| (s.action, s.because) = (Action::Create, Some("deleted in the workspace".to_owned())));
    assert_eq!(gone, ["jobs.nightly: was to be changed, would be created now (deleted in the workspace)"]);
    let sent = edit("schemas.silver", &|s| s.calls[0].body = Some(samples::value(r#"{"name":"silver","extra":1}"#)));
    assert_eq!(sent, ["schemas.silver: what is sent with `catalog.schemas.create` differs: extra was not set, is 1"]);
    let mut now = then.clone();
    now.plan.steps.retain(|s| s.address != address("jobs.old"));
    assert_eq!(moved(&then, &now), ["jobs.old: was to be deleted, there is nothing to do any more"]);
    // What the plan does not touch may move.
    assert_eq!(edit("jobs.kept", &|s| s.action = Action::Update), Vec::<String>::new());
}
