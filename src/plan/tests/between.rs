//! Whose each change of a plan is, beside a base.

use super::{World, at};
use crate::diff::{FieldChange, Reason};
use crate::model::{Path, Value};
use crate::plan::between::{Sort, Sorts};
use crate::plan::{Action, Plan, Step};

type Changes<'a> = &'a [(&'a str, Reason)];

fn plan(steps: &[(&str, Changes<'_>)]) -> Plan {
    let change = |(field, reason): &(&str, Reason)| FieldChange {
        path: Path::field(*field),
        old: Some(Value::from("old")),
        new: Some(Value::from("new")),
        applied: None,
        reason: *reason,
    };
    let step = |(address, changes): &(&str, Changes<'_>)| Step {
        changes: changes.iter().map(change).collect(),
        ..Step::bare(at(address), Action::Update)
    };
    Plan { steps: steps.iter().map(step).collect(), ..World::new().plan() }
}

#[test]
fn each_field_is_counted_by_its_own_reason() {
    let planned = plan(&[
        ("jobs.a", &[("name", Reason::Changed), ("max_concurrent_runs", Reason::Drift)]),
        ("jobs.b", &[("name", Reason::Changed), ("max_concurrent_runs", Reason::Drift)]),
        ("jobs.c", &[("name", Reason::Drift)]),
    ]);
    let sorts = Sorts::of(&planned, &plan(&[("jobs.a", &[("name", Reason::Changed)])]), "main", "abc");
    let of = |address: &str| &sorts.steps[&at(address)];
    assert_eq!((of("jobs.a").words().as_str(), &of("jobs.a").changes), ("yours, drift", &vec![Sort::Yours, Sort::Drift]));
    assert_eq!((of("jobs.b").words().as_str(), of("jobs.c").words().as_str()), ("merged, not applied, drift", "drift"));
    // As many as the plan says that drifted.
    assert_eq!(Sort::ALL.iter().map(|sort| sorts.count(*sort)).collect::<Vec<_>>(), [1, 1, 3]);
    assert_eq!(planned.counts().drifted, 3);
}
