//! A plan and a result as documented, versioned JSON (`docs/reference/plan-json.md`).
//!
//! Canonical bytes: no time, nothing about the caller, no secret. Whole numbers beyond 2^53 are text, so that no reader
//! rounds an id.

use serde_json::{Map, Value as Json, json};

use super::answers::{Given, common};
use super::calls;
use super::step::symbol;
use super::untold;
use super::value::is_recorded_secret;
use crate::apply::{Outcome, Report, StepResult};
use crate::diff::FieldChange;
use crate::kinds::{Call, Repeat};
use crate::model::Value;
use crate::plan::between::{Sort, Sorted, Sorts};
use crate::plan::{Action, Block, Pinning, Plan, Step};

/// The format of a plan; changes only when a reader of the old one would be misled.
pub const PLAN_FORMAT: &str = "brickform.plan/1";
/// The format of a result.
pub const RESULT_FORMAT: &str = "brickform.result/1";

/// The largest whole number that every JSON reader keeps exactly.
const EXACT: u64 = 9_007_199_254_740_991;

/// The plan: canonical bytes, no time, nothing about the caller, no secret. `unmanaged`: list unmanaged fields too.
#[must_use]
pub fn plan(plan: &Plan, unmanaged: bool) -> String {
    beside(plan, unmanaged, None, Given::Nothing)
}

/// The same, and whose each change is beside a base. `given`: what chooses project and state, for the commands of the answers.
#[must_use]
pub fn beside(plan: &Plan, unmanaged: bool, sorts: Option<&Sorts>, given: Given<'_>) -> String {
    let mut value = plan_value(plan, unmanaged, given);
    if let Some(sorts) = sorts {
        sort(&mut value, sorts);
    }
    written(&value)
}

/// Adds `base`, and a `sort` to each step and each change.
fn sort(plan: &mut Json, sorts: &Sorts) {
    let counts: Map<String, Json> =
        Sort::ALL.iter().map(|s| (json!(s).as_str().unwrap_or_default().to_owned(), json!(sorts.count(*s)))).collect();
    plan["base"] = json!({ "revision": sorts.base, "commit": sorts.commit, "counts": counts });
    let by_text: std::collections::BTreeMap<String, &Sorted> = sorts.steps.iter().map(|(a, s)| (a.to_string(), s)).collect();
    for step in plan["steps"].as_array_mut().into_iter().flatten() {
        let sorted = step["address"].as_str().and_then(|address| by_text.get(address));
        let Some(sorted) = sorted else { continue };
        step["sort"] = json!(sorted.step);
        for (change, sort) in step["changes"].as_array_mut().into_iter().flatten().zip(&sorted.changes) {
            change["sort"] = json!(sort);
        }
    }
}

/// What an apply did, with the plan that it carried out.
#[must_use]
pub fn result(plan: &Plan, report: &Report, destroy: bool, given: Given<'_>) -> String {
    let results: Vec<Json> = report.results.iter().map(step_result).collect();
    written(&json!({
        "format": RESULT_FORMAT,
        "environment": plan.environment,
        "operation": if destroy { "destroy" } else { "apply" },
        "serial": report.state.serial,
        "interrupted": report.interrupted,
        "counts": outcomes(report),
        "results": results,
        "plan": plan_value(plan, false, given),
    }))
}

pub(super) fn written(value: &Json) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

fn plan_value(plan: &Plan, unmanaged: bool, given: Given<'_>) -> Json {
    let common = common(&plan.environment, given);
    let shown =
        |s: &&Step| s.action != Action::None || !s.blocks.is_empty() || (unmanaged && !s.unmanaged.is_empty()) || !s.kept.is_empty();
    let mut value = json!({
        "format": PLAN_FORMAT,
        "project": plan.project,
        "environment": plan.environment,
        "workspace": { "host": plan.workspace.host, "id": plan.workspace.id },
        "state": { "place": plan.state_place, "lineage": plan.lineage, "serial": plan.serial },
        "destroy": plan.destroy,
        "refreshed": plan.refreshed,
        "empty": plan.is_empty(),
        "blocked": plan.is_blocked(),
        "left_out": plan.left_out,
        "looked_ahead": plan.looked_ahead,
        "counts": plan.counts(),
        "blocks": blocks(&plan.blocks),
        "warnings": blocks(&plan.warnings),
        "lifted": plan.lifted,
        "pinning": pinning(plan),
        "steps": plan.steps.iter().filter(shown).map(|s| step(s, &common, unmanaged)).collect::<Vec<_>>(),
    });
    let uncompared = untold::json(plan);
    if !uncompared.is_empty() {
        value["uncompared"] = Json::Array(uncompared);
    }
    value
}

/// What becomes of the environment's pin; null where it stays.
#[must_use]
pub fn pinning(plan: &Plan) -> Json {
    match &plan.pinning {
        Pinning::Stays => Json::Null,
        Pinning::Set(pin) => json!({ "becomes": "set", "to": pin.to, "from": pin.from }),
        Pinning::Lifted => json!({ "becomes": "lifted" }),
    }
}

pub(super) fn step(step: &Step, common: &str, unmanaged: bool) -> Json {
    let mut out = Map::new();
    let mut put = |name: &str, value: Json| drop(out.insert(name.to_owned(), value));
    put("address", json!(step.address));
    put("kind", json!(step.kind));
    put("action", json!(step.action));
    put("symbol", json!(symbol(step.action).0));
    put("because", json!(step.because));
    put("id", json!(step.id));
    put("name", json!(step.name));
    put("link", json!(step.link));
    put("moved_from", json!(step.moved_from));
    put("changes", step.changes.iter().map(|c| change(c, step.forces.contains(&c.path))).collect());
    if !step.kept.is_empty() {
        put("kept", step.kept.iter().map(kept).collect());
    }
    put("loses", json!(step.loses));
    put("calls", step.calls.iter().map(call).collect());
    put("delete_calls", step.delete_calls.iter().map(call).collect());
    put("waits", json!(step.wait));
    put("after", json!(step.after));
    if !step.delete_after.is_empty() {
        put("delete_after", json!(step.delete_after));
    }
    put("blocks", step.blocks.iter().map(block).collect());
    put("notes", json!(step.told().collect::<Vec<_>>()));
    let answers = super::answers::of(step, common);
    if answers != super::answers::Answers::default() {
        put("answers", json!({ "revert": answers.revert, "accept": answers.accept, "ignore": answers.ignore }));
    }
    if unmanaged {
        put("unmanaged", step.unmanaged.iter().map(|(path, live)| json!({ "path": path, "value": value(live) })).collect());
    }
    Json::Object(out)
}

/// What `lifecycle.merge` keeps; absent sides are left out.
fn kept(change: &FieldChange) -> Json {
    let mut out = Map::from_iter([("path".to_owned(), json!(change.path))]);
    for (name, side) in [("workspace", &change.old), ("yaml", &change.new), ("applied", &change.applied)] {
        if let Some(side) = side {
            out.insert(name.to_owned(), value(side));
        }
    }
    Json::Object(out)
}

/// Absent sides are left out; a null is a null.
fn change(change: &FieldChange, forces: bool) -> Json {
    let mut out = Map::new();
    out.insert("path".to_owned(), json!(change.path));
    for (name, side) in [("old", &change.old), ("new", &change.new), ("applied", &change.applied)] {
        if let Some(side) = side {
            out.insert(name.to_owned(), value(side));
        }
    }
    out.insert("reason".to_owned(), json!(change.reason));
    out.insert("forces_replacement".to_owned(), json!(forces));
    Json::Object(out)
}

fn call(call: &Call) -> Json {
    let line = calls::line(call);
    json!({
        "operation": call.op,
        "method": line.method,
        "path": line.path,
        "body": call.body.as_ref().map(value),
        "why": call.why,
        "repeat": match call.repeat { Repeat::Safe => "safe", Repeat::AfterLookup => "after_lookup", Repeat::Until(_) => "until" },
    })
}

fn block(block: &Block) -> Json {
    json!({ "guard": block.guard, "reason": block.reason, "remedy": block.remedy })
}

/// Blocks or warnings, as plans and events have them.
#[must_use]
pub fn blocks(all: &[Block]) -> Json {
    all.iter().map(block).collect()
}

/// The steps to which something happens, as plans have them.
#[must_use]
pub fn steps(plan: &Plan, given: Given<'_>) -> Vec<Json> {
    let common = common(&plan.environment, given);
    plan.steps.iter().filter(|s| s.action != Action::None || !s.blocks.is_empty()).map(|s| step(s, &common, false)).collect()
}

/// How many steps were done, failed, half done and skipped.
#[must_use]
pub fn outcomes(report: &Report) -> Json {
    let failed = report.results.iter().filter(|r| matches!(r.outcome, Outcome::Failed(_))).count();
    let skipped = report.results.iter().filter(|r| matches!(r.outcome, Outcome::Skipped { .. })).count();
    let halfway = report.results.iter().filter(|r| matches!(r.outcome, Outcome::Halfway { .. })).count();
    let mut out = json!({ "done": report.results.len() - failed - halfway - skipped, "failed": failed, "skipped": skipped });
    if halfway > 0 {
        out["halfway"] = json!(halfway);
    }
    out
}

/// A result of a step, as results and events have it.
#[must_use]
pub fn step_result(result: &StepResult) -> Json {
    let mut out = Map::new();
    out.insert("address".to_owned(), json!(result.address));
    out.insert("action".to_owned(), json!(result.action));
    out.insert("id".to_owned(), json!(result.id));
    match &result.outcome {
        Outcome::Done => drop(out.insert("outcome".to_owned(), json!("done"))),
        Outcome::Skipped { because } => {
            out.insert("outcome".to_owned(), json!("skipped"));
            out.insert("because".to_owned(), json!(because));
        }
        Outcome::Halfway { done, because } => {
            out.insert("outcome".to_owned(), json!("halfway"));
            out.insert("half".to_owned(), json!(done));
            out.insert("because".to_owned(), json!(because));
        }
        Outcome::Failed(failure) => {
            out.insert("outcome".to_owned(), json!("failed"));
            if let Some(half) = result.half {
                out.insert("half".to_owned(), json!(half));
            }
            out.insert("message".to_owned(), json!(failure.message));
            out.insert("help".to_owned(), json!(failure.help));
            if let Some(error) = &failure.error {
                out.insert(
                    "error".to_owned(),
                    json!({
                        "status": error.status, "code": error.code, "message": error.message, "request": error.request,
                        "request_id": error.request_id, "tries": error.tries,
                    }),
                );
            }
        }
    }
    Json::Object(out)
}

/// A value: unknown is `{"$unknown": SOURCE}`, secret `{"$secret": SOURCE}`.
#[must_use]
pub fn value(given: &Value) -> Json {
    match given {
        Value::Null => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(n) if n.unsigned_abs() > EXACT => json!(n.to_string()),
        Value::Int(n) => json!(n),
        Value::UInt(n) => json!(n.to_string()),
        Value::Float(x) => json!(x),
        Value::Text(t) => json!(t),
        Value::List(list) => list.iter().map(value).collect(),
        Value::Map(map) if is_recorded_secret(map) => json!({ "$secret": map.get("$secret").and_then(Value::as_str) }),
        Value::Map(map) => Json::Object(map.iter().map(|(k, v)| (k.clone(), value(v))).collect()),
        Value::Unknown(deferred) => json!({ "$unknown": deferred.source }),
        Value::Secret(deferred) => json!({ "$secret": deferred.source }),
    }
}

#[cfg(test)]
mod tests {
    use super::value;
    use crate::model::json;

    #[test]
    fn no_reader_rounds_an_id() {
        for (given, want) in [
            ("9007199254740991", "9007199254740991"),
            ("9007199254740992", "\"9007199254740992\""),
            ("-9223372036854775808", "\"-9223372036854775808\""),
            ("18446744073709551615", "\"18446744073709551615\""),
            (r#"{"a":[null,1.5]}"#, r#"{"a":[null,1.5]}"#),
            (r#"{"$secret":"${secret('X')}","fingerprint":"ab"}"#, r#"{"$secret":"${secret('X')}"}"#),
        ] {
            assert_eq!(value(&json::parse(given.as_bytes()).unwrap()).to_string(), want);
        }
    }
}
