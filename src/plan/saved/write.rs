//! Writing: the canonical part, and the envelope around it.

use serde_json::{Map as JsonMap, Value as Json, json};

use super::{Envelope, FORMAT, Saved, encode};
use crate::diff::{FieldChange, Untold};
use crate::kinds::{Call, Repeat};
use crate::model::{Address, Fingerprint, Map};
use crate::plan::{Action, Block, Halves, Options, Plan, Step};

/// The canonical part as one line of JSON: the same inputs give the same bytes.
#[must_use]
pub fn canonical(saved: &Saved) -> String {
    body(saved).to_string()
}

/// The digest that names a plan.
fn digest(body: &str) -> Fingerprint {
    Fingerprint::of(body.as_bytes())
}

impl Saved {
    /// The digest of the canonical part: names this plan in reports, histories and comments.
    #[must_use]
    pub fn digest(&self) -> Fingerprint {
        digest(&canonical(self))
    }
}

/// The whole file: the envelope a member a line, the canonical part on one.
#[must_use]
pub fn write(envelope: &Envelope) -> String {
    let Envelope { created, expires, commit, verdicts, saved } = envelope;
    let time = |at: &jiff::Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let plan = canonical(saved);
    let members = [
        ("format", json!(FORMAT)),
        ("created", json!(time(created))),
        ("expires", json!(time(expires))),
        ("commit", json!(commit)),
        ("digest", json!(digest(&plan))),
        ("verdicts", verdicts.iter().map(block).collect()),
    ];
    let mut members = members.to_vec();
    members.push(("seal", json!(seal(&members))));
    let lines: Vec<String> = members.iter().map(|(name, value)| format!("  \"{name}\": {value},\n")).collect();
    format!("{{\n{}  \"plan\": {plan}\n}}\n", lines.concat())
}

/// The digest of the members around the plan: an edited time does not go unnoticed.
pub(super) fn seal(members: &[(&str, Json)]) -> Fingerprint {
    let text: Vec<String> = members.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
    Fingerprint::of(text.concat().as_bytes())
}

pub(super) fn body(saved: &Saved) -> Json {
    let Saved { plan, program, choices, given, bound } = saved;
    json!({
        "project": plan.project,
        "environment": plan.environment,
        "workspace": { "host": plan.workspace.host, "id": plan.workspace.id },
        "state": { "place": plan.state_place, "lineage": plan.lineage, "serial": plan.serial },
        "program": program,
        "choices": choices_of(choices),
        "given": given,
        "bound": {
            "configuration": bound.configuration,
            "environment": bound.environment,
            "files": bound.files,
            "lookups": bound.lookups,
            "secrets": bound.secrets,
            "kinds": bound.kinds,
        },
        "destroy": plan.destroy,
        "refreshed": plan.refreshed,
        "left_out": plan.left_out,
        "warnings": plan.warnings.iter().map(block).collect::<Vec<_>>(),
        "blocks": plan.blocks.iter().map(block).collect::<Vec<_>>(),
        "steps": plan.steps.iter().filter(|s| !is_quiet(s)).map(step).collect::<Vec<_>>(),
        "quiet": quiet(plan),
    })
}

/// Nothing happens to it.
fn is_quiet(step: &Step) -> bool {
    step.action == Action::None && step.blocks.is_empty() && step.kept.is_empty()
}

/// Addresses to which nothing happens, with how many fields of each YAML never set.
fn quiet(plan: &Plan) -> Json {
    let all = plan.steps.iter().filter(|s| is_quiet(s));
    let one = |step: &Step| {
        let mut out = json!({ "kind": step.kind, "unmanaged": step.unmanaged.len() });
        uncompared(step, &mut out);
        (step.address.to_string(), out)
    };
    Json::Object(all.map(one).collect())
}

/// Secrets that nothing is known of; no member where there are none. What the workspace answers has no part in it: a plan does
/// not go stale by a mask.
fn uncompared(step: &Step, out: &mut Json) {
    let all: Vec<Json> =
        step.uncompared.iter().filter(|s| s.why != Untold::NotTold).map(|s| json!({ "path": s.path, "why": s.why })).collect();
    if let (false, Some(map)) = (all.is_empty(), out.as_object_mut()) {
        map.insert("uncompared".to_owned(), Json::Array(all));
    }
}

fn choices_of(choices: &Options) -> Json {
    let Options {
        destroy,
        include_adopted,
        targets,
        excludes,
        replace,
        adopt,
        no_refresh,
        drift_only,
        allow_delete,
        accept_conflicts,
        provenance: _,
        preflight,
        keep_seen: _,
        overrides,
        allow_policies,
        only: _,
        takers,
    } = choices;
    let mut told = json!({
        "destroy": destroy,
        "include_adopted": include_adopted,
        "targets": targets,
        "excludes": excludes,
        "replace": replace,
        "adopt": adopt,
        "no_refresh": no_refresh,
        "drift_only": drift_only,
        "allow_delete": allow_delete,
        "accept_conflicts": accept_conflicts,
        "overrides": overrides,
        "allow_policies": allow_policies,
        "preflight": preflight,
    });
    if let (Some(taker), Some(told)) = (&takers.caller, told.as_object_mut()) {
        told.insert("taker".to_owned(), json!(taker));
    }
    told
}

pub(super) fn step(step: &Step) -> Json {
    let Step {
        address,
        kind,
        action,
        because,
        id,
        name,
        link,
        moved_from,
        changes,
        kept,
        forces,
        loses,
        unmanaged,
        uncompared: _,
        calls,
        delete_calls,
        after,
        delete_after,
        halves,
        blocks,
        templated,
        notes,
        takes,
        goes,
        entry: _,
        desired,
        live: _,
        wait,
        seen: _,
    } = step;
    let mut out = json!({
        "address": address,
        "kind": kind,
        "action": action,
        "because": because,
        "id": id,
        "name": name,
        "link": link,
        "moved_from": moved_from,
        "changes": changes.iter().map(change).collect::<Vec<_>>(),
        "forces": forces,
        "loses": loses,
        "unmanaged": unmanaged.iter().map(|(path, _)| path).collect::<Vec<_>>(),
        "calls": calls.iter().map(call).collect::<Vec<_>>(),
        "delete_calls": delete_calls.iter().map(call).collect::<Vec<_>>(),
        "after": after.iter().map(Address::to_string).collect::<Vec<_>>(),
        "blocks": blocks.iter().map(block).collect::<Vec<_>>(),
        "notes": notes,
        "desired": desired.as_ref().map(encode::value),
        "wait": wait,
    });
    if let (false, Some(map)) = (kept.is_empty(), out.as_object_mut()) {
        map.insert("kept".to_owned(), kept.iter().map(change).collect());
    }
    if let (false, Some(map)) = (templated.is_empty(), out.as_object_mut()) {
        map.insert("templated".to_owned(), json!(templated));
    }
    if let (true, Some(map)) = (*halves == Halves::Apart, out.as_object_mut()) {
        map.insert("halves".to_owned(), json!(halves));
    }
    if let (false, Some(map)) = (delete_after.is_empty(), out.as_object_mut()) {
        map.insert("delete_after".to_owned(), delete_after.iter().map(Address::to_string).collect());
    }
    if let (false, Some(map)) = (takes.is_empty(), out.as_object_mut()) {
        map.insert("takes".to_owned(), json!(takes));
    }
    if let (false, Some(map)) = (goes.is_empty(), out.as_object_mut()) {
        map.insert("goes".to_owned(), json!(goes));
    }
    self::uncompared(step, &mut out);
    out
}

pub(super) fn change(change: &FieldChange) -> Json {
    let FieldChange { path, old, new, applied, reason } = change;
    let mut out = JsonMap::from_iter([("path".to_owned(), json!(path)), ("reason".to_owned(), json!(reason))]);
    for (side, value) in [("old", old), ("new", new), ("applied", applied)] {
        if let Some(value) = value {
            out.insert(side.to_owned(), encode::value(value));
        }
    }
    Json::Object(out)
}

pub(super) fn call(call: &Call) -> Json {
    let Call { op, path, query, body, why, repeat } = call;
    let members = |map: &Map| Json::Object(map.iter().map(|(name, v)| (name.clone(), encode::value(v))).collect());
    let mut out = json!({
        "op": op,
        "path": members(path),
        "query": members(query),
        "why": why,
        "repeat": match repeat { Repeat::Safe => "safe", Repeat::AfterLookup => "after_lookup", Repeat::Until(_) => "until" },
    });
    if let (Some(body), Some(map)) = (body, out.as_object_mut()) {
        map.insert("body".to_owned(), encode::value(body));
    }
    out
}

fn block(block: &Block) -> Json {
    let Block { guard, reason, remedy, place: _ } = block;
    json!({ "guard": guard, "reason": reason, "remedy": remedy })
}
