//! The recorded form of secrets, for comparing: the source text and, where the environment has a state key, the keyed
//! digest of the value. The value itself goes nowhere.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{Failure, Run};
use crate::model::{Deferred, Path, SecretFrom, SecretSource, StateKey, Value, Variable};
use crate::plan::Plan;
use crate::project::{self, Desired, expression};

/// The recorded form of every secret in what is desired, by source text.
///
/// # Errors
/// With a key: a secret cannot be read.
pub fn recorded(run: &Run<'_>, key: Option<&StateKey>, desired: &Desired) -> Result<BTreeMap<String, Value>, Failure> {
    let mut all = BTreeMap::new();
    for resource in desired.resources.values() {
        let mut found = vec![];
        resource.body.each_deferred(&mut Path::root(), &mut |path, deferred| {
            if deferred.secrets().next().is_some() {
                found.push((path.clone(), deferred));
            }
        });
        for (path, deferred) in found {
            if all.contains_key(&deferred.source) {
                continue;
            }
            let form = form(run, key, deferred).map_err(|why| Failure::Machine {
                message: format!("{}: the secret at `{path}` cannot be read: {why}", resource.address),
                help: vec!["it is needed to see whether it changed, because the environment has a state key".to_owned()],
            })?;
            all.insert(deferred.source.clone(), form);
        }
    }
    Ok(all)
}

fn form(run: &Run<'_>, key: Option<&StateKey>, deferred: &Deferred) -> Result<Value, String> {
    let mut entries = vec![("$secret", Value::text(deferred.source.as_str()))];
    if let Some(key) = key {
        let wrong = RefCell::new(None);
        let known = |variable: &Variable| match variable {
            Variable::Secret(source) => match project::read_secret(run.outside, source) {
                Ok(text) => Some(Value::text(text.as_str())),
                Err(why) => {
                    wrong.borrow_mut().get_or_insert(why);
                    None
                }
            },
            Variable::Reference(_) | Variable::Lookup(_) => None,
        };
        let value = expression::finish(deferred, &known)?;
        if let Some(why) = wrong.into_inner() {
            return Err(why);
        }
        if let Some(value) = value {
            entries.push(("fingerprint", Value::text(key.fingerprint(value.key_text().as_bytes()).0)));
        }
    }
    Ok(Value::map(entries))
}

/// Whether every secret that the plan sends can be read, as far as that shows without reading it: better said before
/// anything is sent than in the middle of an apply. Commands are not run for this.
///
/// # Errors
/// All that are missing, with who needs them.
pub fn ready(run: &Run<'_>, plan: &Plan) -> Result<(), Failure> {
    let mut missing = BTreeMap::new();
    for step in &plan.steps {
        for body in step.calls.iter().filter_map(|call| call.body.as_ref()) {
            body.each_deferred(&mut Path::root(), &mut |_, deferred| {
                for source in deferred.secrets() {
                    if let Some(want) = absent(run, source) {
                        missing.entry(source.name.clone()).or_insert_with(|| format!("{want} ({} needs it)", step.address));
                    }
                }
            });
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = missing.keys().map(|n| format!("`{n}`")).collect();
    let plural = if names.len() == 1 { "secret is" } else { "secrets are" };
    Err(Failure::Machine {
        message: format!("{} {plural} missing: {}; nothing was sent", names.len(), names.join(", ")),
        help: missing.into_values().collect(),
    })
}

/// What to do about a secret that is not there.
fn absent(run: &Run<'_>, source: &SecretSource) -> Option<String> {
    match &source.from {
        SecretFrom::Environment(name) if run.outside.variable(name).is_none() => Some(format!("set the environment variable {name}")),
        SecretFrom::File(path) if !path.is_file() => Some(format!("write it into {}", path.display())),
        SecretFrom::Environment(_) | SecretFrom::File(_) | SecretFrom::Command { .. } | SecretFrom::Given(_) => None,
    }
}
