//! What a change of the YAML does, without asking a workspace: from what one revision desires to what another does.
//!
//! The steps are those of a plan as far as files alone say it: which addresses come, go, change, move, and which fields. What
//! only a workspace knows (drift, ids, whether an object exists) is not in them; they hold no requests and no guards.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::{Naming, naming, protection};
use super::moves::{Moves, is_forgotten};
use super::{Action, Options, Plan, Step, body};
use crate::diff::{Compare, FieldChange, compare};
use crate::kinds::{Field, Kind, Lifetime, Loss, Registry, Schema, Update};
use crate::model::{Address, Deferred, Map, Reference, Value, Variable};
use crate::project::{Desired, Resource};
use crate::state::{Document, Entry, Status, WorkspaceIdentity};

/// Whose change it is.
pub struct Frame<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The environment's name.
    pub environment: &'a str,
    /// Kinds.
    pub registry: &'a Registry,
}

/// The steps from one to the other, in address order; unchanged addresses too. `old`: none where the environment was not there.
#[must_use]
pub fn between(old: Option<&Desired>, new: &Desired, frame: &Frame<'_>) -> Plan {
    let document = as_applied(old, frame);
    let moves = Moves::of(new, &document, &Options::default(), Some(frame.registry));
    let mut steps = BTreeMap::new();
    for (address, resource) in &new.resources {
        let from = moves.old(address);
        let stays = from.is_some() || moves.now(address).is_none();
        let before = old.filter(|_| stays).and_then(|old| old.resources.get(from.unwrap_or(address)));
        let step = match before {
            Some(before) => changed(before, resource, from, &moves, frame),
            None => added(resource, new),
        };
        steps.insert(address.clone(), step);
    }
    for (address, resource) in old.iter().flat_map(|old| &old.resources) {
        if !new.resources.contains_key(address) && moves.now(address).is_none() {
            let parent_goes =
                address.is_facet() && !new.resources.contains_key(&address.parent()) && moves.now(&address.parent()).is_none();
            steps.insert(address.clone(), removed(resource, new, parent_goes));
        }
    }
    Plan {
        environment: frame.environment.to_owned(),
        project: frame.project.to_owned(),
        workspace: WorkspaceIdentity { host: String::new(), id: String::new() },
        lineage: String::new(),
        serial: 0,
        state_place: String::new(),
        destroy: false,
        steps: steps.into_values().collect(),
        blocks: vec![],
        warnings: vec![],
        requests: 0,
        looked_ahead: None,
        refreshed: false,
        left_out: 0,
        lifted: std::collections::BTreeSet::new(),
        pinning: super::Pinning::Stays,
    }
}

/// The old side as a state would hold it, so that moves are found as a plan finds them.
fn as_applied(old: Option<&Desired>, frame: &Frame<'_>) -> Document {
    let mut document = crate::state::new_document(frame.project, frame.environment);
    for (address, resource) in old.iter().flat_map(|old| &old.resources) {
        let entry = Entry {
            kind: resource.kind.name.to_owned(),
            id: old.and_then(|o| o.imports.get(address)).map(|(id, _)| id.clone()).unwrap_or_default(),
            status: Status::Ok,
            applied: resource.body.clone(),
            former: None,
            etag: None,
            protected: false,
            adopted: false,
            dependencies: resource.depends_on.clone(),
            tag: None,
            deposed: vec![],
            made_by: None,
            called: None,
            before: None,
        };
        document.resources.insert(address.clone(), entry);
    }
    document
}

fn start(resource: &Resource, action: Action) -> Step {
    let name = body::name_of(resource.kind, &[&resource.body]).unwrap_or_else(|| resource.address.key.clone());
    Step { kind: resource.kind.name.to_owned(), name, ..Step::bare(resource.address.clone(), action) }
}

fn added(resource: &Resource, new: &Desired) -> Step {
    let mut step = start(resource, Action::Create);
    if let Some((id, _)) = new.imports.get(&resource.address) {
        step.action = Action::Adopt;
        step.id = Some(id.clone());
        return step;
    }
    if resource.is_implied() {
        step.because = Some("something declared is in it".to_owned());
    }
    step.changes = compare(&Compare::of(resource.kind, &resource.body)).changes;
    step
}

fn removed(resource: &Resource, new: &Desired, parent_goes: bool) -> Step {
    let mut step = start(resource, Action::Forget);
    let because = if is_forgotten(new, &resource.address) {
        "asked for by forget:"
    } else if parent_goes {
        "goes with what it is a part of"
    } else {
        match resource.kind.lifetime {
            Lifetime::Own => {
                step.action = Action::Delete;
                step.loses = loss(resource.kind);
                if new.off.contains(&resource.address) { "its `when` is false" } else { "not in YAML" }
            }
            Lifetime::Attached => "not in YAML; left as it is",
            Lifetime::Setting => "not in YAML; put back as it was before",
        }
    };
    step.because = Some(because.to_owned());
    if step.action == Action::Delete && resource.lifecycle.prevent_destroy == Some(true) {
        step.notes.push("it had prevent_destroy: once applied, a plan that deletes it is blocked".to_owned());
    }
    costs(resource.kind, &mut step);
    step
}

fn loss(kind: &Kind) -> Option<String> {
    match kind.loss {
        Loss::Nothing => None,
        Loss::History(what) | Loss::Data(what) => Some(what.to_owned()),
    }
}

/// What holds data goes only where it is allowed to.
fn costs(kind: &Kind, step: &mut Step) {
    if step.loses.is_some() && matches!(kind.loss, Loss::Data(_)) {
        step.notes.push(format!("a plan blocks this without `--allow-delete {}`", kind.name));
    }
}

fn changed(before: &Resource, now: &Resource, from: Option<&Address>, moves: &Moves, frame: &Frame<'_>) -> Step {
    let mut step = start(now, Action::None);
    step.moved_from = from.cloned();
    let old = recorded(&before.body);
    let found = compare(&Compare { applied: Some(&old), ignore: &now.lifecycle.ignore_changes, ..Compare::of(now.kind, &now.body) });
    let given = given_by_parent(&now.address, frame.registry);
    step.changes = found.changes;
    step.changes.retain(|c| !c.path.first_field().is_some_and(|name| given.contains(&name)) && !is_same(c, moves));
    let root = Schema::of(now.kind).root();
    for change in &step.changes {
        let immutable = body::fields_on(root, &change.path).iter().any(Field::immutable);
        match naming(now.kind, &change.path) {
            Naming::Another => step.forces.push(change.path.clone()),
            Naming::None if immutable || matches!(now.kind.update, Update::Never) => step.forces.push(change.path.clone()),
            Naming::None | Naming::InPlace => {}
        }
    }
    step.changes.extend(protection(before.lifecycle.prevent_destroy.unwrap_or(false), &now.lifecycle));
    let replaces = !step.forces.is_empty() && now.kind.lifetime == Lifetime::Own;
    step.action = match (replaces, step.changes.is_empty(), from) {
        (true, ..) if now.lifecycle.create_before_destroy => Action::ReplaceNewFirst,
        (true, ..) => Action::Replace,
        (false, false, _) => Action::Update,
        (false, true, Some(_)) => Action::Move,
        (false, true, None) => Action::None,
    };
    if replaces {
        step.loses = loss(now.kind);
        costs(now.kind, &mut step);
    } else {
        step.forces.clear();
    }
    if step.action == Action::Update {
        step.desired = Some(now.body.clone());
    }
    step
}

/// Fields that a part gets from what it is a part of: they change as that does, and it is said there.
fn given_by_parent(address: &Address, registry: &Registry) -> Vec<&'static str> {
    let facet = address.facet.as_deref().and_then(|name| registry.get(&address.kind)?.facets.iter().find(|f| f.name == name));
    facet.map(|f| f.bind.iter().map(|(field, _)| *field).collect()).unwrap_or_default()
}

/// Secrets as a state records them: compared by their source, never by value.
fn recorded(value: &Value) -> Value {
    match value {
        Value::Secret(deferred) => Value::map([("$secret", Value::text(deferred.source.as_str()))]),
        Value::List(list) => Value::List(list.iter().map(recorded).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), recorded(v))).collect::<Map>()),
        other => other.clone(),
    }
}

/// Whether both sides wait for the same: a reference to what has another address now is no change.
fn is_same(change: &FieldChange, moves: &Moves) -> bool {
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => old.has_unknown() && followed(old, moves) == *new,
        _ => false,
    }
}

/// References as they are written once everything has moved.
fn followed(value: &Value, moves: &Moves) -> Value {
    match value {
        Value::Unknown(deferred) => {
            let waits = deferred.waits.iter().map(|wait| match wait {
                Variable::Reference(reference) => {
                    let address = moves.now(&reference.address).unwrap_or(&reference.address).clone();
                    Variable::Reference(Reference { address, path: reference.path.clone() })
                }
                other => other.clone(),
            });
            let followed = Deferred { waits: waits.collect(), ..(**deferred).clone() };
            let source = if followed.waits == deferred.waits { deferred.source.clone() } else { renamed(deferred, &followed) };
            Value::Unknown(Arc::new(Deferred { source, ..followed }))
        }
        Value::List(list) => Value::List(list.iter().map(|v| followed(v, moves)).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), followed(v, moves))).collect::<Map>()),
        other => other.clone(),
    }
}

/// The source text with the new addresses in the place of the old ones.
fn renamed(old: &Deferred, new: &Deferred) -> String {
    let mut source = old.source.clone();
    for (a, b) in old.references().zip(new.references()) {
        source = source.replace(&a.address.to_string(), &b.address.to_string());
    }
    source
}

/// Whose change a step of a plan is, beside what is in the base already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// This revision says so, and the base does not.
    Yours,
    /// The base says so already, and it was not applied.
    Merged,
    /// The workspace was changed.
    Drift,
}

impl Sort {
    /// All, in the order in which they are told.
    pub const ALL: &'static [Self] = &[Self::Yours, Self::Merged, Self::Drift];

    /// As people read it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Yours => "yours",
            Self::Merged => "merged, not applied",
            Self::Drift => "drift",
        }
    }
}

/// The sorts of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sorted {
    /// Of the step as a whole: the first of [`Sort::ALL`] that one of its changes has.
    pub step: Sort,
    /// Of each change, in their order.
    pub changes: Vec<Sort>,
}

impl Sorted {
    /// The sorts that are in it, in the order of [`Sort::ALL`].
    pub fn all(&self) -> impl Iterator<Item = Sort> {
        Sort::ALL.iter().copied().filter(|sort| self.step == *sort || self.changes.contains(sort))
    }

    /// `yours, drift`.
    #[must_use]
    pub fn words(&self) -> String {
        self.all().map(Sort::words).collect::<Vec<_>>().join(", ")
    }
}

/// A plan's changes by whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sorts {
    /// The base as it was named.
    pub base: String,
    /// Its commit.
    pub commit: String,
    /// By address: the steps that do something.
    pub steps: BTreeMap<Address, Sorted>,
}

impl Sorts {
    /// How many steps have something of a sort; a step whose changes are of several counts for each.
    #[must_use]
    pub fn count(&self, sort: Sort) -> usize {
        self.steps.values().filter(|s| s.all().any(|one| one == sort)).count()
    }

    /// Tells whose each change of a plan is. `since`: what this revision changes beside the base ([`between`]).
    #[must_use]
    pub fn of(plan: &Plan, since: &Plan, base: &str, commit: &str) -> Self {
        let own: BTreeMap<&Address, &Step> = since.steps.iter().filter(|s| s.action != Action::None).map(|s| (&s.address, s)).collect();
        let steps = plan.steps.iter().filter(|s| s.action != Action::None);
        let steps = steps.map(|step| (step.address.clone(), sorted(step, own.get(&step.address).copied())));
        Self { base: base.to_owned(), commit: commit.to_owned(), steps: steps.collect() }
    }
}

fn sorted(step: &Step, own: Option<&Step>) -> Sorted {
    use crate::diff::Reason;
    let whole = match own {
        // What is created, deleted or moved by this revision is its own in every field.
        Some(own) if !matches!(own.action, Action::Update | Action::None) || own.moved_from.is_some() => Sort::Yours,
        _ => Sort::Merged,
    };
    let of = |change: &FieldChange| {
        let touched = own.is_some_and(|own| {
            matches!(own.action, Action::Create | Action::Adopt | Action::Delete | Action::Forget)
                || own.changes.iter().any(|c| c.path.contains(&change.path) || change.path.contains(&c.path))
        });
        match change.reason {
            Reason::Drift => Sort::Drift,
            Reason::Changed | Reason::Conflict | Reason::Removed if touched => Sort::Yours,
            Reason::Changed | Reason::Conflict | Reason::Removed => Sort::Merged,
        }
    };
    let deleted = step.because.as_deref() == Some(super::DELETED);
    let changes: Vec<Sort> = step.changes.iter().map(|c| if deleted { Sort::Drift } else { of(c) }).collect();
    let bare = if deleted { Sort::Drift } else { whole };
    let least = changes.iter().copied().min().unwrap_or(bare);
    let moved = step.moved_from.is_some() || matches!(step.action, Action::Delete | Action::Forget | Action::Adopt);
    Sorted { step: if moved && !deleted { least.min(whole) } else { least }, changes }
}
