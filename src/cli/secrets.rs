//! The recorded form of secrets, for comparing: the source text and, where the environment has a state key, the keyed
//! digest of the value. The value itself goes nowhere.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{Failure, Run};
use crate::model::{Deferred, Path, StateKey, Value, Variable};
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
