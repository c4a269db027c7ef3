//! Secrets that were not compared with those in the workspace: said beside a plan, and no part of what it does.
//!
//! Where YAML's value is the one that was applied and the workspace never tells its own, nothing is said: that is how secrets
//! are. What is told is that a changed value would not be seen at all.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::item::said;
use super::text::plural;
use crate::diff::Untold;
use crate::plan::Plan;

/// How many places are named.
const NAMED: usize = 3;

/// `2 secrets not compared`; none where nothing has to be said.
#[must_use]
pub fn counted(plan: &Plan) -> Option<String> {
    let count = plan.unknown_secrets().count();
    (count > 0).then(|| format!("{} not compared", plural(count as u64, "secret", "secrets")))
}

/// One sentence for each reason, without the words `Not compared: `; empty where nothing has to be said.
#[must_use]
pub fn lines(plan: &Plan) -> Vec<String> {
    let mut by_reason: BTreeMap<Untold, Vec<String>> = BTreeMap::new();
    for (address, secret) in plan.unknown_secrets() {
        by_reason.entry(secret.why).or_default().push(format!("{address} {}", said(&secret.path)));
    }
    by_reason.iter().map(|(why, places)| line(*why, places)).collect()
}

fn line(why: Untold, places: &[String]) -> String {
    let count = plural(places.len() as u64, "secret", "secrets");
    let mut named: Vec<&str> = places.iter().take(NAMED).map(String::as_str).collect();
    let more = format!("{} more", places.len().saturating_sub(NAMED));
    if places.len() > NAMED {
        named.push(&more);
    }
    let why = match why {
        Untold::NoStateKey => "the environment has no state key (`state.key`)",
        Untold::NoFingerprint => "the value is known only at apply",
        Untold::NotTold => "the workspace does not tell its value",
    };
    format!("{count} ({}): {why}, so a changed value is not seen.", named.join(", "))
}

/// Every secret that was not compared, those included of which that is no news.
#[must_use]
pub fn json(plan: &Plan) -> Vec<Json> {
    let all = plan.steps.iter().flat_map(|step| step.uncompared.iter().map(move |secret| (&step.address, secret)));
    all.map(|(address, secret)| json!({ "address": address, "path": secret.path, "why": secret.why })).collect()
}
