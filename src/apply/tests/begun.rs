//! What goes on record before the first request: that a run may end anywhere, and YAML may be another one by the next.

use super::*;
use crate::diff::{FieldChange, Reason};
use crate::state::Intent;

fn intent(kind: &str, natural: &[&str], applied: &str) -> Intent {
    Intent {
        kind: kind.to_owned(),
        natural: natural.iter().map(ToString::to_string).collect(),
        tag: None,
        replaces: vec![],
        server_seconds: None,
        caller: "ada".to_owned(),
        applied: Some(body(applied)),
    }
}

/// Another name.
fn named(old: &str, new: &str) -> FieldChange {
    let (old, new) = (Some(Value::from(old)), Some(new.into()));
    FieldChange { path: Path::field("name"), applied: old.clone(), old, new, reason: Reason::Changed }
}

/// A workspace where everything succeeds with an empty reply.
fn yes() -> Box<Answer> {
    Box::new(|_| (200, "{}".to_owned()))
}

#[tokio::test]
async fn what_an_earlier_apply_began_is_on_record_before_anything_is_sent() {
    // The schema was begun as `lake.raw`; this plan gives it another name, and may end before it has it.
    let (sent, wanted) = (r#"{"name":"raw","catalog_name":"lake"}"#, r#"{"name":"clean","catalog_name":"lake"}"#);
    let mut rename = step("schemas.s", Action::Update, &[], vec![], Some(entry("schemas", "lake.clean", body(wanted))));
    rename.id = Some("lake.raw".to_owned());
    rename.changes = vec![named("raw", "clean")];
    rename.calls = vec![Call {
        path: Map::from_iter([("full_name".to_owned(), Value::from("lake.raw"))]),
        ..call("catalog.schemas.update", r#"{"new_name":"clean"}"#)
    }];
    let mut state = document(vec![("catalogs.c", entry("catalogs", "lake", Value::Null))]);
    state.open_intents.insert(address("schemas.s"), intent("schemas", &["lake", "raw"], sent));
    let full = Memory { full_after: Some(2), ..Memory::default() };
    let ran = run_with(vec![rename], state, yes(), full, 1, None).await;
    assert_eq!(ran.log[..2], ["begin", "put schemas.s lake.raw Incomplete deposed []"], "{:?}", ran.log);
    let entry = &ran.report().state.resources[&address("schemas.s")];
    assert_eq!((entry.id.as_str(), entry.status), ("lake.raw", Status::Incomplete));
    assert_eq!((entry.applied.clone(), entry.made_by.as_deref()), (body(sent), Some("ada")));
    // Where it is, nobody wrote down: it leaves every catalog before that goes.
    assert_eq!(entry.dependencies, [address("catalogs.c")]);
}

#[tokio::test]
async fn a_name_that_an_earlier_apply_gave_is_on_record_before_the_next_one_is_given() {
    // The state has `lake`, an interrupted apply renamed it to `lake_b`, and YAML wants `lake_c` now: this run may end before
    // it is called that, and its own intent takes the place of the one that says `lake_b`.
    let mut rename = step("catalogs.c", Action::Update, &[], vec![], Some(entry("catalogs", "lake_c", body(r#"{"name":"lake_c"}"#))));
    rename.id = Some("lake_b".to_owned());
    rename.changes = vec![named("lake_b", "lake_c")];
    rename.calls = vec![Call {
        path: Map::from_iter([("name".to_owned(), Value::from("lake_b"))]),
        ..call("catalog.catalogs.update", r#"{"new_name":"lake_c"}"#)
    }];
    let mut state = document(vec![("catalogs.c", entry("catalogs", "lake", body(r#"{"name":"lake","comment":"ours"}"#)))]);
    state.open_intents.insert(address("catalogs.c"), intent("catalogs", &["lake_b"], r#"{"name":"lake_b"}"#));
    let full = Memory { full_after: Some(2), ..Memory::default() };
    let ran = run_with(vec![rename], state, yes(), full, 1, None).await;
    assert_eq!(ran.log[..2], ["begin", "put catalogs.c lake_b Incomplete deposed []"], "{:?}", ran.log);
    let entry = &ran.report().state.resources[&address("catalogs.c")];
    assert_eq!(entry.applied, body(r#"{"name":"lake_b","comment":"ours"}"#));
}

#[tokio::test]
async fn what_comes_with_an_object_goes_on_record_before_it_goes() {
    let held = || entry("catalogs", "lake", body(r#"{"name":"lake"}"#));
    let path = |name: &str, value: &str| Map::from_iter([(name.to_owned(), Value::from(value))]);
    let bare = |op, path| Call { op, path, query: Map::new(), body: None, why: "delete", repeat: Repeat::Safe };
    let deletes =
        vec![bare("catalog.schemas.delete", path("full_name", "lake.default")), bare("catalog.catalogs.delete", path("name", "lake"))];
    let mut replace = step("catalogs.c", Action::Replace, &[], vec![], Some(held()));
    (replace.id, replace.delete_calls) = (Some("lake".to_owned()), deletes.clone());
    let mut delete = step("catalogs.c", Action::Delete, &[], deletes, None);
    delete.id = Some("lake".to_owned());
    for step in [replace, delete] {
        let ran = run_with(vec![step], document(vec![("catalogs.c", held())]), yes(), Memory::default(), 1, None).await;
        let expected = ["begin", "put catalogs.c lake Unmade deposed []", "lake.default ", "lake ", "removed catalogs.c"];
        assert_eq!(ran.log[..5], expected, "{:?}", ran.log);
    }
}

#[tokio::test]
async fn what_came_with_an_object_and_is_still_there_is_no_failure() {
    // It is renamed by the same step, which would take the conflict for one about its new name.
    let wanted = entry("catalogs", "lake_b", body(r#"{"name":"lake_b"}"#));
    let mut update = step("catalogs.c", Action::Update, &[], vec![], Some(wanted));
    update.id = Some("lake".to_owned());
    update.changes = vec![named("lake", "lake_b")];
    update.desired = Some(body(r#"{"name":"lake_b"}"#));
    let path = Map::from_iter([("name".to_owned(), Value::from("lake"))]);
    update.calls = vec![
        Call { path, ..call("catalog.catalogs.update", r#"{"new_name":"lake_b"}"#) },
        Call { repeat: Repeat::Safe, ..call("catalog.schemas.create", r#"{"catalog_name":"lake_b","name":"default"}"#) },
    ];
    let answer: Box<Answer> = Box::new(|request| match request.path.rsplit('/').next() {
        Some("schemas") => (400, r#"{"error_code":"SCHEMA_ALREADY_EXISTS","message":"Schema 'lake_b.default' already exists"}"#.to_owned()),
        _ => (200, r#"{"name":"lake_b"}"#.to_owned()),
    });
    let held = Entry { status: Status::Unmade, ..entry("catalogs", "lake", body(r#"{"name":"lake"}"#)) };
    let ran = run_with(vec![update], document(vec![("catalogs.c", held)]), answer, Memory::default(), 1, None).await;
    assert_eq!(ran.outcomes(), ["catalogs.c: done"], "{:?}", ran.log);
    let entry = &ran.report().state.resources[&address("catalogs.c")];
    assert_eq!((entry.id.as_str(), entry.status), ("lake_b", Status::Ok));
}
