//! What others keep in a folder, a schema, a catalog that goes: the plan names it and is blocked, or takes it along where the
//! user says so. A folder that was made only because something was in it simply stays while it is not empty.

use std::collections::{BTreeMap, BTreeSet};

use super::step::block;
use super::{Action, Inputs, Plan, Step};
use crate::catalogue;
use crate::client::ApiError;
use crate::kinds::{self, Kind, Registry, plain_path};
use crate::model::{Address, Fingerprint, Value};
use crate::project;
use crate::refresh::Snapshot;
use crate::state::Document;

/// How many names a message tells.
const TOLD: usize = 5;

fn goes(step: &Step) -> bool {
    matches!(step.action, Action::Delete | Action::Replace | Action::ReplaceNewFirst)
        || (step.action == Action::Forget && step.because.as_deref() == Some("already gone"))
}

/// What a plan takes away and nobody has looked into yet, with its id: that drift, `--replace` or a taint makes it go, no
/// read can know beforehand. What is in it has to be read, and the plan made again.
#[must_use]
pub fn unopened(plan: &Plan, registry: &Registry, live: &Snapshot) -> Vec<(Address, &'static Kind, String)> {
    let found = plan.steps.iter().filter(|step| matches!(step.action, Action::Delete | Action::Replace | Action::ReplaceNewFirst));
    let found = found.filter_map(|step| {
        let kind = registry.get(&step.kind).filter(|kind| kind.within.is_some())?;
        let address = step.moved_from.as_ref().unwrap_or(&step.address);
        (!live.within.contains_key(address)).then(|| Some((address.clone(), kind, step.id.clone()?)))?
    });
    found.collect()
}

/// Looks into everything that goes and may hold something, the deepest first: what stays in one keeps those around it, too. Gives the flags that
/// lifted a block.
pub(super) fn check(
    steps: &mut BTreeMap<Address, Box<Step>>,
    inputs: &Inputs<'_>,
    known: &Document,
    old: &dyn Fn(&Address) -> Address,
) -> BTreeSet<String> {
    let mut lifted = BTreeSet::new();
    let Some(live) = inputs.live else { return lifted };
    along(steps, inputs, known, old);
    let applied = |address: &Address| known.resources.get(&old(address)).map(|e| &e.applied);
    let before = |step: &Step, address: &Address, field: &str| {
        let body = step.live.as_ref().or_else(|| applied(address))?;
        body.get(field).and_then(Value::as_str).map(str::to_owned)
    };
    let path_of = |step: &Step, address: &Address, field: &str| before(step, address, field).map(|path| plain_path(&path).to_owned());
    // Folders are called by their path, everything else by its id.
    let called = |step: &Step, address: &Address| path_of(step, address, "path").or_else(|| step.id.clone());
    let mut around: Vec<(String, Address, &'static Kind)> = steps
        .iter()
        .filter(|(address, step)| goes(step) && live.within.contains_key(&old(address)))
        .filter_map(|(address, step)| Some((called(step, address)?, address.clone(), inputs.registry.get(&step.kind)?)))
        .filter(|(.., kind)| kind.within.is_some_and(|within| within.all.is_some()))
        .collect();
    around.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
    for (place, address, kind) in around {
        let going: Vec<(&'static Kind, String, Option<String>)> = steps
            .iter()
            .filter(|(_, step)| goes(step))
            .filter_map(|(a, step)| Some((inputs.registry.get(&step.kind)?, step.id.clone().unwrap_or_default(), path_of(step, a, "path"))))
            .collect();
        // Queries and the like are known by the folder that they are in, and called there by their name.
        let named: Vec<String> = steps
            .iter()
            .filter(|(a, step)| path_of(step, a, "parent_path").as_deref() == Some(place.as_str()))
            .filter(|(_, step)| goes(step) || moves_out(step, &place))
            .flat_map(|(a, step)| {
                let natural = inputs.registry.get(&step.kind).and_then(|kind| kind.natural.fields.last());
                std::iter::once(step.name.clone()).chain(natural.and_then(|field| before(step, a, field)))
            })
            .collect();
        let inside = match live.within.get(&old(&address)) {
            Some(Ok(inside)) => inside.as_slice(),
            Some(Err(error)) => {
                if let Some(step) = steps.get_mut(&address) {
                    unlisted(step, &address, &place, error);
                }
                continue;
            }
            None => &[],
        };
        let leaves = |name: &str| {
            let is = |(kind, id, path): &(&'static Kind, String, Option<String>)| {
                path.as_deref() == Some(plain_path(name)) || (!id.is_empty() && kinds::same_id(kind, id, name))
            };
            going.iter().any(is) || named.iter().any(|called| is_called(last(name), called))
        };
        let left: Vec<String> = inside.iter().filter(|name| !leaves(name)).map(|name| last(name).to_owned()).collect();
        let allowed = inputs.options.allow_delete.iter().any(|k| k == kind.name || kind.aliases.contains(&k.as_str()));
        if let Some(step) = steps.get_mut(&address).filter(|_| !left.is_empty()) {
            if project::is_implied(&address, &place) {
                stay(step, format!("not empty, it stays: {}", listed(&left)));
            } else if allowed {
                take_along(step, kind, &left);
                lifted.insert(format!("--allow-delete {}", kind.name));
            } else {
                let verb = if step.action == Action::Delete { "deleted" } else { "replaced" };
                let reason = format!("{address} would be {verb} with what is left in {place}: {}", listed(&left));
                let remedy = vec![
                    format!("--allow-delete {}", kind.name),
                    format!("or move what is in it elsewhere first, or leave it alone: forget: ['{address}']"),
                ];
                step.blocks.push(block("data_loss", reason, remedy));
            }
        }
    }
    lifted
}

/// What something in a folder is called there; anything else has one name.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// Whether an object that stays is in another folder afterwards.
fn moves_out(step: &Step, place: &str) -> bool {
    let wanted = step.desired.as_ref().and_then(|desired| desired.get("parent_path"));
    step.action == Action::Update && wanted.is_some_and(|path| path.as_str().is_none_or(|path| plain_path(path) != place))
}

/// Whether this is the file of an object of this name: as it is, or with an ending by which the workspace shows its sort.
fn is_called(file: &str, name: &str) -> bool {
    const ENDINGS: [&str; 4] = ["", ".dbquery.ipynb", ".dbalert.json", ".lvdash.json"];
    file.strip_prefix(name).is_some_and(|ending| ENDINGS.contains(&ending))
}

/// What nobody could look into is not taken away. A folder that was only made along the way stays where nobody may look into
/// it; after a passing failure the next plan looks again.
fn unlisted(step: &mut Step, address: &Address, folder: &str, error: &ApiError) {
    if project::is_implied(address, folder) && error.status == Some(403) {
        stay(step, "what is in it cannot be listed, it stays".to_owned());
        return;
    }
    let id = error.request_id.as_ref().map(|id| format!(" (request id {id})")).unwrap_or_default();
    let reason = format!("what is in {address} could not be listed: {} answered {error}{id}", error.request);
    let remedy =
        vec!["plan again, or grant the caller the right to list it".to_owned(), format!("or leave it alone: forget: ['{address}']")];
    step.blocks.push(block("unreadable", reason, remedy));
}

/// `a, b, c, d, e and 3 more`.
fn listed(names: &[String]) -> String {
    let told = names.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(TOLD) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

fn stay(step: &mut Step, because: String) {
    step.action = Action::Forget;
    step.because = Some(because);
    step.calls.clear();
    step.delete_calls.clear();
    step.live = None;
}

fn take_along(step: &mut Step, kind: &Kind, left: &[String]) {
    let (Some(all), Some(delete)) = (kind.within.and_then(|within| within.all), kind.delete) else { return };
    let is_parameter = catalogue::operation(delete.op).is_some_and(|operation| operation.query.contains_key(all));
    let calls = if step.action == Action::Delete { &mut step.calls } else { &mut step.delete_calls };
    // What else is deleted before it would be in the way of what goes along.
    calls.retain(|call| call.op == delete.op);
    for call in calls {
        if is_parameter {
            call.query.insert(all.to_owned(), Value::Bool(true));
        } else if let Some(Value::Map(body)) = &mut call.body {
            body.insert(all.to_owned(), Value::Bool(true));
        }
    }
    step.takes.push(note(left));
}

/// What goes with an object whose delete always takes everything along: the guard that asks for it is the kind's own, and
/// this says what it is that goes besides what the plan deletes by itself.
fn along(steps: &mut BTreeMap<Address, Box<Step>>, inputs: &Inputs<'_>, known: &Document, old: &dyn Fn(&Address) -> Address) {
    let Some(live) = inputs.live else { return };
    let (mut notes, mut unknown) = (Vec::new(), Vec::new());
    for (address, step) in
        steps.iter().filter(|(_, step)| matches!(step.action, Action::Delete | Action::Replace | Action::ReplaceNewFirst))
    {
        let Some(kind) = inputs.registry.get(&step.kind) else { continue };
        let (Some(within), Some(names)) = (kind.within.filter(|w| w.all.is_none()), live.within.get(&old(address))) else { continue };
        let names = match names {
            Ok(names) => names,
            Err(error) => {
                unknown.push((address.clone(), error.clone()));
                continue;
            }
        };
        let planned = |name: &String| {
            steps.iter().any(|(address, inner)| {
                let parent = inputs.registry.get(&inner.kind).and_then(|k| k.parents.iter().find(|p| p.kind == kind.name));
                let body = inner.live.as_ref().or_else(|| known.resources.get(&old(address)).map(|e| &e.applied));
                let (Some(parent), Some(body)) = (parent.filter(|_| matches!(inner.action, Action::Delete | Action::Forget)), body) else {
                    return false;
                };
                let text = |field: &str| body.get(field).map(Value::key_text);
                text(parent.field) == step.id && within.lists.iter().any(|list| text(list.name).as_ref() == Some(name))
            })
        };
        let left: Vec<String> = names.iter().filter(|name| !planned(name)).cloned().collect();
        if !left.is_empty() {
            notes.push((address.clone(), note(&left)));
        }
    }
    for (address, error) in unknown {
        if let Some(step) = steps.get_mut(&address) {
            unlisted(step, &address, "", &error);
        }
    }
    for (address, note) in notes {
        if let Some(step) = steps.get_mut(&address) {
            step.takes.push(note);
        }
    }
}

fn note(left: &[String]) -> String {
    let digest = Fingerprint::of(left.join("\n").as_bytes());
    let rest = if left.len() > TOLD { format!(" (sha256 {})", digest.short()) } else { String::new() };
    format!("{TAKES_ALONG}: {}{rest}", listed(left))
}

/// How a note begins that says what goes with an object: a saved plan is bound to it.
pub(super) const TAKES_ALONG: &str = "takes along what is in it";

#[cfg(test)]
mod tests {
    use super::is_called;

    #[test]
    fn a_file_is_known_by_its_whole_name() {
        for (file, name, is_it) in [
            ("load", "load", true),
            ("load.dbquery.ipynb", "load", true),
            ("stock low.dbalert.json", "stock low", true),
            ("load_history", "load", false),
            ("load_history.dbquery.ipynb", "load", false),
            ("load.csv", "load", false),
            ("loa", "load", false),
        ] {
            assert_eq!(is_called(file, name), is_it, "{file} {name}");
        }
    }
}
