//! Whether every secret that a plan sends can be read: asked before anything is sent, so that a run does not stop half way.

use std::collections::BTreeMap;

use crate::model::{Outside, Path, SecretSource, Value};
use crate::plan::{Plan, Step};
use crate::project::read_secret;

/// Reads each source once and wipes what it gave.
///
/// # Errors
/// A sentence for each field that needs a secret which cannot be read: whose, where, which source and why.
pub fn check(plan: &Plan, outside: &Outside) -> Result<(), Vec<String>> {
    let mut asked: BTreeMap<SecretSource, Option<String>> = BTreeMap::new();
    let mut problems = vec![];
    for step in &plan.steps {
        for (source, path) in needed(step) {
            let why = asked.entry(source).or_insert_with_key(|source| read_secret(outside, source).err());
            problems.extend(why.as_ref().map(|why| format!("{}: `{path}` cannot be filled: {why}", step.address)));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The secrets that the step's calls send, each with the field that it is for: as the user wrote it where the body that is
/// wanted has it, else as it is sent.
fn needed(step: &Step) -> BTreeMap<SecretSource, Path> {
    let mut sent = BTreeMap::new();
    for call in step.calls.iter().chain(&step.delete_calls) {
        for value in call.path.values().chain(call.query.values()).chain(&call.body) {
            collect(value, &mut sent);
        }
    }
    let mut written = BTreeMap::new();
    step.desired.iter().for_each(|desired| collect(desired, &mut written));
    for (source, path) in &mut sent {
        if let Some(better) = written.remove(source) {
            *path = better;
        }
    }
    sent
}

/// Every secret inside with the first field that holds it.
fn collect(value: &Value, into: &mut BTreeMap<SecretSource, Path>) {
    value.each_deferred(&mut Path::root(), &mut |path, deferred| {
        for source in deferred.secrets() {
            into.entry(source.clone()).or_insert_with(|| path.clone());
        }
    });
}
