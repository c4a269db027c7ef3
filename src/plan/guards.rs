//! Guards: what a plan may not do without being told so by name.
//!
//! Overrides by name (in `Options::overrides`): `protected_kind`, `self_lockout`, `max_deletes`, `max_change_percent`, and
//! those of [`super::provenance`]. Data is lifted by `Options::allow_delete`, a conflict by `Options::accept_conflicts`; `prevent_destroy` and `workspace` by nothing but a change.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use super::step::block;
use super::{Action, Block, Inputs, Plan, Step, change};
use crate::diff::Reason;
use crate::kinds::{Kind, Lifetime, Loss};
use crate::model::{Address, Path};
use crate::state::Status;

/// From how many managed objects on a share of them says anything.
const ENOUGH_FOR_PERCENT: usize = 10;

/// Guards that an override lifted, by the flag that did it.
pub(super) type Lifted = BTreeSet<String>;

pub(super) fn check(plan: &mut Plan, inputs: &Inputs<'_>) {
    let mut lifted = Lifted::new();
    plan.blocks.extend(workspace(inputs));
    super::provenance::check(plan, inputs, &mut lifted);
    for step in &mut plan.steps {
        if let Some(kind) = inputs.registry.get(&step.kind) {
            guard(step, kind, inputs, &mut lifted);
        }
    }
    super::own_state::check(&mut plan.steps, inputs);
    one_address_each(&mut plan.steps, inputs);
    super::lockout::check(plan, inputs, &mut lifted);
    plan.blocks.extend(max_deletes(plan, inputs, &mut lifted));
    plan.blocks.extend(max_change_percent(plan, inputs, &mut lifted));
    lifted.extend(plan.steps.iter().any(|s| taken_by_flag(s, inputs)).then(|| "--adopt".to_owned()));
    plan.lifted.extend(lifted);
}

/// Whether the step takes an object over that would be in the way (`exists`) without `--adopt`.
fn taken_by_flag(step: &Step, inputs: &Inputs<'_>) -> bool {
    let known = inputs.state.resources.contains_key(step.moved_from.as_ref().unwrap_or(&step.address));
    let taken = !known && !step.address.is_facet() && step.entry.as_ref().is_some_and(|e| e.adopted);
    let by_yaml = inputs.desired.imports.contains_key(&step.address)
        || inputs.desired.resources.get(&step.address).is_some_and(|r| r.lifecycle.adopt_by_name);
    inputs.options.adopt && taken && !by_yaml
}

/// The block, unless it was lifted: then what lifted it (its first remedy) is remembered.
pub(super) fn unless(allowed: bool, found: Block, lifted: &mut Lifted) -> Option<Block> {
    if allowed {
        lifted.extend(found.remedy.into_iter().next());
        return None;
    }
    Some(found)
}

pub(super) fn overridden(guard: &str, inputs: &Inputs<'_>) -> bool {
    inputs.options.overrides.iter().any(|o| o == guard)
}

/// The state belongs to another workspace.
pub(super) fn workspace(inputs: &Inputs<'_>) -> Option<Block> {
    let (known, here) = (inputs.state.workspace.as_ref()?, &inputs.workspace);
    let differs = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && !a.eq_ignore_ascii_case(b);
    (differs(&known.host, &here.host) || differs(&known.id, &here.id)).then(|| {
        block(
            "workspace",
            format!(
                "the state of {} is of the workspace {} (id {}), but {} (id {}) answered",
                inputs.environment.name, known.host, known.id, here.host, here.id
            ),
            vec![
                format!("set `workspace:` of the environment {} back to {}", inputs.environment.name, known.host),
                "or give the other workspace an environment, and so a state, of its own".to_owned(),
            ],
        )
    })
}

/// An object that two addresses hold would be pulled to and fro, or deleted under one of them.
fn one_address_each(steps: &mut [Step], inputs: &Inputs<'_>) {
    let mut holders: HashMap<(String, String), Address> = HashMap::new();
    for step in steps.iter_mut() {
        let holds = !matches!(step.action, Action::Create | Action::Forget);
        let Some(id) = step.id.as_ref().filter(|_| holds) else { continue };
        // Several settings of one thing share its id, each with fields of its own.
        if inputs.registry.get(&step.kind).is_none_or(|k| k.lifetime == Lifetime::Setting) {
            continue;
        }
        match holders.entry((step.kind.clone(), id.clone())) {
            Entry::Vacant(free) => _ = free.insert(step.address.clone()),
            Entry::Occupied(held) => {
                let reason = format!("{} and {} are the same object (id {id})", held.get(), step.address);
                let kept = inputs.state.resources.contains_key(&step.address);
                let declared = inputs.desired.resources.contains_key(&step.address);
                let mut remedy = Vec::new();
                if declared {
                    remedy.push(format!("keep one of them; take the other out of the YAML: {}", step.address));
                }
                if kept {
                    let first = if declared { "and out of" } else { "keep one of them; take the other out of" };
                    remedy.push(format!("{first} the state: brickform state rm '{}'", step.address));
                }
                step.blocks.push(block("refused", reason, remedy));
            }
        }
    }
}

fn deletes(step: &Step) -> bool {
    matches!(step.action, Action::Delete | Action::Replace | Action::ReplaceNewFirst)
}

fn guard(step: &mut Step, kind: &'static Kind, inputs: &Inputs<'_>, lifted: &mut Lifted) {
    if deletes(step) && kind.lifetime == Lifetime::Own {
        let loss = match kind.loss {
            Loss::Nothing => None,
            Loss::History(what) | Loss::Data(what) => Some(what.to_owned()),
        };
        let blocks: Vec<Block> =
            [prevent_destroy(step, inputs), protected_kind(step, kind, inputs, lifted), data_loss(step, kind, inputs, lifted)]
                .into_iter()
                .flatten()
                .collect();
        step.loses = loss;
        step.blocks.extend(blocks);
    }
    let conflicts = step.changes.iter().any(|c| c.reason == Reason::Conflict);
    if conflicts && inputs.environment.guards.block_conflicts {
        let accepted = change::named(&inputs.options.accept_conflicts, &step.address);
        let fields: Vec<String> = step
            .changes
            .iter()
            .filter(|c| c.reason == Reason::Conflict)
            .map(|c| c.path.to_string())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let found = block(
            "conflict",
            format!("{} was changed in YAML and in the workspace, differently: {}", step.address, fields.join(", ")),
            vec![format!("--accept-conflict '{}'", step.address)],
        );
        step.blocks.extend(unless(accepted, found, lifted));
    }
}

fn verb(step: &Step) -> &'static str {
    if step.action == Action::Delete { "deleted" } else { "replaced" }
}

fn prevent_destroy(step: &Step, inputs: &Inputs<'_>) -> Option<Block> {
    let entry = inputs.state.resources.get(step.moved_from.as_ref().unwrap_or(&step.address));
    let in_yaml = inputs.desired.resources.get(&step.address).and_then(|r| r.lifecycle.prevent_destroy);
    let protected = match in_yaml {
        Some(true) => true,
        // Every plan replaces what is tainted: none could lift the protection first.
        Some(false) if step.action != Action::Delete && entry.is_some_and(|e| e.status == Status::Tainted) => false,
        Some(false) | None => entry.is_some_and(|e| e.protected),
    };
    protected.then(|| {
        let reason = format!("{} would be {}, but prevent_destroy protects it", step.address, verb(step));
        let forced = step.forces.iter().map(top).collect::<BTreeSet<_>>();
        let by_drift = !forced.is_empty() && step.changes.iter().filter(|c| step.forces.contains(&c.path)).all(|c| c.reason == Reason::Drift);
        let unlock = if by_drift {
            let fields = forced.into_iter().collect::<Vec<_>>().join(", ");
            format!(
                "lifecycle: {{ prevent_destroy: false, ignore_changes: [{fields}] }}    # in its YAML; apply that, then take ignore_changes out"
            )
        } else if inputs.desired.resources.contains_key(&step.address) {
            "lifecycle: { prevent_destroy: false }    # in its YAML, and nothing else for now; apply that first".to_owned()
        } else {
            "bring its YAML back with lifecycle: { prevent_destroy: false }, apply that, then take it out again".to_owned()
        };
        let remedy = vec![unlock, format!("or leave it alone: forget: ['{}']", step.address)];
        block("prevent_destroy", reason, remedy)
    })
}

/// The field at the top that a path is in.
fn top(path: &Path) -> String {
    path.first_field().map_or_else(|| path.to_string(), str::to_owned)
}

fn protected_kind(step: &Step, kind: &Kind, inputs: &Inputs<'_>, lifted: &mut Lifted) -> Option<Block> {
    let listed = |name: &String| name == kind.name || kind.aliases.contains(&name.as_str());
    if !inputs.environment.guards.protect.iter().any(listed) {
        return None;
    }
    let reason = format!(
        "{} would be {}, but the environment {} protects all {} (guards.protect)",
        step.address,
        verb(step),
        inputs.environment.name,
        kind.many()
    );
    unless(overridden("protected_kind", inputs), block("protected_kind", reason, vec!["--allow-protected-kind".to_owned()]), lifted)
}

fn data_loss(step: &Step, kind: &Kind, inputs: &Inputs<'_>, lifted: &mut Lifted) -> Option<Block> {
    // What exactly would be lost is said already.
    let Loss::Data(what) = kind.loss else { return None };
    if step.blocks.iter().any(|block| block.guard == "data_loss") {
        return None;
    }
    let allowed = inputs.options.allow_delete.iter().any(|k| k == kind.name || kind.aliases.contains(&k.as_str()));
    let reason = format!("{} would be {}, and {what} with it", step.address, verb(step));
    unless(allowed, block("data_loss", reason, vec![format!("--allow-delete {}", kind.name)]), lifted)
}

fn max_deletes(plan: &Plan, inputs: &Inputs<'_>, lifted: &mut Lifted) -> Option<Block> {
    let most = inputs.environment.guards.max_deletes?;
    let count = plan.steps.iter().filter(|s| deletes(s) && !s.address.is_facet()).count() as u64;
    if count <= most {
        return None;
    }
    let objects = if count == 1 { "object" } else { "objects" };
    let reason = format!("the plan deletes or replaces {count} {objects}; guards.max_deletes allows {most}");
    unless(overridden("max_deletes", inputs), block("max_deletes", reason, vec!["--allow-max-deletes".to_owned()]), lifted)
}

fn max_change_percent(plan: &Plan, inputs: &Inputs<'_>, lifted: &mut Lifted) -> Option<Block> {
    let most = inputs.environment.guards.max_change_percent?;
    let managed = inputs.state.resources.keys().filter(|a| !a.is_facet()).count();
    let changes = |s: &&Step| {
        deletes(s) || (s.action == Action::Update && inputs.state.resources.contains_key(s.moved_from.as_ref().unwrap_or(&s.address)))
    };
    let changed: BTreeSet<Address> = plan.steps.iter().filter(changes).map(|s| s.address.parent()).collect();
    // In whole numbers: more than `most` of a hundred.
    let over = changed.len() as u64 * 100 > most * managed as u64;
    if managed < ENOUGH_FOR_PERCENT || !over {
        return None;
    }
    let percent = changed.len() * 100 / managed;
    let reason =
        format!("the plan changes {} of {managed} managed objects ({percent} %); guards.max_change_percent allows {most} %", changed.len());
    let found = block("max_change_percent", reason, vec!["--allow-max-change-percent".to_owned()]);
    unless(overridden("max_change_percent", inputs), found, lifted)
}
