//! Steps of desired addresses: the table from what the state knows and the workspace answers to an action.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::known::Object;
use super::make::Maker;
use super::{Action, Block, Step, body, former, tag};
use crate::client::ApiErrorKind;
use crate::diagnostic::Span;
use crate::diff::{Compare, FieldChange, OWNERSHIP_TAG, Reason, compare, veil};
use crate::kinds::{self, Change, Context, Kind, Lifetime, Unique};
use crate::model::{Address, Path, Value};
use crate::project::Resource;
use crate::refresh::{Candidate, Live};
use crate::state::{Entry, Status};

/// Why something in the state is created again.
pub const DELETED: &str = "deleted in the workspace";

/// Why something is created again whose deletion an apply of our own began, and nobody else.
pub const NOT_MADE_AGAIN: &str = "its replacement was not finished: the old one is deleted";

/// One desired address with all that is known of it.
pub(super) struct Subject<'a> {
    pub address: &'a Address,
    pub resource: &'a Resource,
    pub kind: &'static Kind,
    /// Desired, references to existing objects filled in.
    pub body: Cow<'a, Value>,
    pub entry: Option<&'a Entry>,
    pub moved_from: Option<&'a Address>,
    pub live: Option<&'a Live>,
    pub context: Context<'a>,
}

/// How an object came to be compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It is in the state.
    Managed,
    /// Declared by `import:`.
    Imported,
    /// Taken because it has the natural key.
    ByName,
    /// Made by an apply that did not get to the end.
    Settled,
    /// The server makes it along with an object that we made.
    Born,
    /// An attached part or a setting, always there, touched for the first time.
    Touched,
}

pub(super) fn block(guard: &'static str, reason: impl Into<String>, remedy: Vec<String>) -> Block {
    Block { guard, reason: reason.into(), remedy, place: None }
}

/// Calls that delete the old objects of replacements that were cut.
pub(super) fn deposed_calls(kind: &'static Kind, entry: &Entry) -> Vec<kinds::Call> {
    entry.deposed.iter().flat_map(|id| kinds::delete_calls(kind, &Value::text(id.as_str()))).collect()
}

impl<'a> Maker<'a> {
    /// An address of the state that is desired too.
    pub fn managed(&self, subject: &Subject<'a>, entry: &'a Entry) -> (Step, Option<Object<'a>>) {
        match subject.live {
            None if self.inputs.live.is_none() => self.compared(subject, &entry.id, None, Way::Managed),
            None => (unread(subject), None),
            Some(Live::Found { id, body }) => self.compared(subject, id, Some(body), Way::Managed),
            Some(Live::Settled { id, body }) => self.compared(subject, id, Some(body), Way::Settled),
            Some(Live::Gone | Live::Absent | Live::Waits) => {
                if let Some(with) = self.born_with(subject).filter(|with| self.is_made(with)) {
                    return (self.born(subject, with), None);
                }
                let why = if entry.status == Status::Unmade { NOT_MADE_AGAIN } else { DELETED };
                let mut step = self.create(subject, Some(why.to_owned()));
                // What it came in the place of was to be deleted, and is there still.
                step.delete_calls = deposed_calls(subject.kind, entry);
                (step, None)
            }
            Some(Live::Exists(candidates)) => self.exists(subject, candidates),
            Some(Live::Failed(error)) => (failed(subject, error), None),
        }
    }

    /// An address that the state does not know.
    pub fn first(&self, subject: &Subject<'a>) -> (Step, Option<Object<'a>>) {
        let import = self.inputs.desired.imports.get(subject.address);
        let there = match subject.live {
            Some(Live::Exists(_) | Live::Found { .. }) => true,
            Some(Live::Failed(error)) => error.kind == ApiErrorKind::Forbidden,
            _ => false,
        };
        if subject.resource.is_implied() && there {
            // Somebody else's, or nothing that the caller may look at: it is only lived in.
            return (start(subject, Action::None), None);
        }
        match subject.live {
            None if self.inputs.live.is_some() => (unread(subject), None),
            Some(Live::Failed(error)) if error.kind == ApiErrorKind::NotFound && import.is_some() => {
                let mut step = start(subject, Action::None);
                step.blocks.extend(import.map(|(id, span)| not_there(subject, id, span)));
                (step, None)
            }
            Some(Live::Failed(error)) => (failed(subject, error), None),
            Some(Live::Settled { id, body }) => self.compared(subject, id, Some(body), Way::Settled),
            Some(Live::Found { id, body }) if import.is_some() => self.compared(subject, id, Some(body), Way::Imported),
            Some(Live::Found { id, body }) if subject.kind.lifetime != Lifetime::Own => {
                self.compared(subject, id, Some(body), Way::Touched)
            }
            Some(Live::Found { id, body }) => self.one_exists(subject, id, body),
            Some(Live::Exists(candidates)) if !candidates.is_empty() => self.exists(subject, candidates),
            _ => {
                if let Some(with) = self.born_with(subject).filter(|with| self.is_made(with)) {
                    return (self.born(subject, with), None);
                }
                let mut step = self.create(subject, None);
                if subject.resource.is_implied() {
                    step.because = Some("something declared is in it".to_owned());
                }
                if stands(subject) && self.inputs.live.is_some() {
                    let name = subject.resource.natural.join(".");
                    let reason = format!(
                        "{}: every workspace has the {} \"{name}\", which nobody can create, but this caller is not shown it",
                        subject.address, subject.kind.singular
                    );
                    step.blocks.push(block("refused", reason, vec!["ask as somebody who may read it".to_owned()]));
                }
                if let Some((id, span)) = import.filter(|_| self.inputs.live.is_some()) {
                    step.blocks.push(not_there(subject, id, span));
                }
                (step, None)
            }
        }
    }

    /// Objects have the natural key of what would be created.
    fn exists(&self, subject: &Subject<'a>, candidates: &'a [Candidate]) -> (Step, Option<Object<'a>>) {
        if let [one] = candidates
            && self.claims.contains_key(subject.address)
        {
            return self.compared(subject, &one.id, Some(&one.body), Way::Settled);
        }
        let takes = self.inputs.options.adopt || subject.resource.lifecycle.adopt_by_name || stands(subject);
        if let [one] = candidates
            && self.born_with(subject).is_some()
        {
            return self.compared(subject, &one.id, Some(&one.body), Way::Born);
        }
        if let ([one], true) = (candidates, takes) {
            return self.compared(subject, &one.id, Some(&one.body), Way::ByName);
        }
        let mut step = self.create(subject, None);
        if !(subject.resource.lifecycle.allow_duplicate_name && subject.kind.natural.unique == Unique::No) {
            let ids: Vec<&str> = candidates.iter().map(|c| c.id.as_str()).collect();
            step.blocks.push(exists_block(subject, &ids, &self.inputs.environment.name));
        }
        (step, None)
    }

    fn one_exists(&self, subject: &Subject<'a>, id: &'a str, live: &'a Value) -> (Step, Option<Object<'a>>) {
        if self.inputs.options.adopt || subject.resource.lifecycle.adopt_by_name {
            return self.compared(subject, id, Some(live), Way::ByName);
        }
        let mut step = self.create(subject, None);
        step.blocks.push(exists_block(subject, &[id], &self.inputs.environment.name));
        (step, None)
    }

    /// A step that makes the object.
    pub fn create(&self, subject: &Subject<'a>, because: Option<String>) -> Step {
        let mut step = start(subject, Action::Create);
        (step.because, step.id) = (because, None);
        step.changes = compare(&Compare { secrets: self.inputs.secrets, ..Compare::of(subject.kind, &subject.body) }).changes;
        self.put_create(subject, &subject.body, &mut step);
        step
    }

    /// The calls that make the object with this body, and its entry.
    pub fn put_create(&self, subject: &Subject<'a>, body: &Value, step: &mut Step) {
        let mut desired = body.clone();
        let mut entry = self.entry_for(subject, &subject.body, &body::named_id(subject.kind, &desired).unwrap_or_default(), None);
        if let Some(field) = tag::field(subject.kind, self.inputs) {
            let tag = tag::make(self.inputs, subject.address);
            tag::put(&mut desired, field, &tag, None, true);
            step.notes.push(tag_note(&tag));
            entry.tag = Some(tag);
        }
        let unknown = body::unknown_id(subject.address);
        let paths: Vec<Path> = paths_of(&step.changes);
        let change = Change {
            address: subject.address,
            id: &unknown,
            applied: None,
            live: None,
            desired: &desired,
            paths: &paths,
            context: subject.context,
        };
        if let Some(hook) = subject.kind.hooks.notes.filter(|_| subject.address.is_facet()) {
            step.notes.extend(hook(&change));
        }
        match kinds::create_calls(subject.kind, &change) {
            Ok(calls) => step.calls = calls,
            Err(refusal) => step.blocks.push(refused(subject.address, &refusal, "refused")),
        }
        step.entry = Some(entry);
        step.desired = Some(desired);
    }

    /// The calls that bring an object of which only the name is known to what is wanted.
    pub fn put_first_update(subject: &Subject<'_>, id: &str, step: &mut Step) {
        let (id, paths) = (Value::text(id), paths_of(&step.changes));
        let change = Change {
            address: subject.address,
            id: &id,
            applied: None,
            live: None,
            desired: &subject.body,
            paths: &paths,
            context: subject.context,
        };
        match kinds::update_calls(subject.kind, &change) {
            Ok(calls) => step.calls = calls,
            Err(refusal) => step.blocks.push(refused(subject.address, &refusal, "refused")),
        }
    }

    /// Who made the object, as far as that is on record: who applied the create, or began one that was interrupted.
    fn made_by(&self, subject: &Subject<'a>) -> Option<String> {
        if let Some(entry) = subject.entry {
            return entry.made_by.clone();
        }
        let settled = matches!(subject.live, Some(Live::Settled { .. }));
        let begun = self.inputs.state.open_intents.get(subject.address).filter(|_| settled);
        let begun = begun.map(|intent| intent.caller.clone()).filter(|caller| !caller.is_empty());
        begun.or_else(|| self.taker(subject.address).filter(|_| !subject.address.is_facet()).map(str::to_owned))
    }

    /// The entry after success, without a tag.
    pub fn entry_for(&self, subject: &Subject<'a>, sent: &Value, id: &str, former: Option<Value>) -> Entry {
        let mut dependencies = subject.resource.depends_on.clone();
        dependencies.sort();
        dependencies.dedup();
        let protected = subject.resource.lifecycle.prevent_destroy;
        Entry {
            kind: subject.kind.name.to_owned(),
            id: id.to_owned(),
            status: Status::Ok,
            applied: body::recorded(sent, self.inputs.secrets),
            former,
            etag: None,
            protected: protected.unwrap_or_else(|| subject.entry.is_some_and(|e| e.protected)),
            adopted: false,
            dependencies,
            tag: None,
            deposed: vec![],
            made_by: self.made_by(subject),
            called: subject.entry.and_then(|entry| entry.called.clone()),
            before: None,
        }
    }
}

/// A step with everything that does not depend on its action.
pub(super) fn start(subject: &Subject<'_>, action: Action) -> Step {
    let entry = subject.entry;
    let live = match subject.live {
        Some(Live::Found { body, .. } | Live::Settled { body, .. }) => Some(body),
        _ => None,
    };
    let natural = &subject.resource.natural;
    let name = if natural.is_empty() {
        let bodies: Vec<&Value> = [Some(&*subject.body), live].into_iter().flatten().collect();
        body::name_of(subject.kind, &bodies).unwrap_or_else(|| subject.address.key.clone())
    } else {
        natural.join(".")
    };
    Step {
        kind: subject.kind.name.to_owned(),
        name,
        id: entry.map(|e| e.id.clone()).filter(|id| !id.is_empty()),
        moved_from: subject.moved_from.cloned(),
        wait: subject.resource.lifecycle.wait,
        ..Step::bare(subject.address.clone(), action)
    }
}

/// What the object held before first touch, grown by what is touched now.
pub(super) fn former_for(subject: &Subject<'_>, view: Option<&Value>) -> Option<Value> {
    let kind = subject.kind;
    match (kind.lifetime, subject.entry, view) {
        (Lifetime::Own, _, _) => None,
        (lifetime, None, Some(view)) => Some(former::first(lifetime, view, &subject.body)),
        (_, Some(entry), Some(view)) => {
            let root = kinds::Schema::of(kind).root();
            entry.former.as_ref().map(|held| former::extend(root, held, &entry.applied, &subject.body, view))
        }
        (_, entry, None) => entry.and_then(|e| e.former.clone()),
    }
}

/// There is nothing to import.
/// What is said where an object that is to be imported does not exist, rather than that it cannot be read.
pub const NOT_THERE: &str = "the workspace has no such";

fn not_there(subject: &Subject<'_>, id: &str, span: &Span) -> Block {
    let Subject { address, kind, .. } = subject;
    let reason = format!("{} asks to import {id} as {address}, but {NOT_THERE} {}", span.cite(), kind.singular);
    let remedy = vec!["correct the id, or remove the import to create a new one".to_owned()];
    Block { place: Some(span.clone()), ..block("unreadable", reason, remedy) }
}

/// Whether every workspace has this object, so that it is taken over and never made.
fn stands(subject: &Subject<'_>) -> bool {
    subject.kind.hooks.standing.is_some_and(|standing| standing(&subject.body))
}

/// It was not read: nothing can be said.
fn unread(subject: &Subject<'_>) -> Step {
    let mut step = start(subject, Action::None);
    step.blocks.push(block("unreadable", format!("{} was not read from the workspace", subject.address), vec![]));
    step
}

/// It could not be read: nothing can be said.
fn failed(subject: &Subject<'_>, error: &crate::client::ApiError) -> Step {
    let mut step = start(subject, Action::None);
    step.blocks.push(unreadable(subject.address, error));
    step
}

impl Step {
    /// The field that it is blocked for: what forces a replacement, a conflict, or the first that changes.
    #[must_use]
    pub fn cause(&self) -> Option<&Path> {
        let conflict = || self.changes.iter().find(|c| c.reason == Reason::Conflict).map(|c| &c.path);
        let first = || self.changes.first().map(|c| &c.path).filter(|_| self.action == Action::Update);
        self.forces.first().or_else(conflict).or_else(first)
    }

    /// A step that does nothing yet.
    pub(crate) fn bare(address: Address, action: Action) -> Self {
        Self {
            address,
            kind: String::new(),
            action,
            because: None,
            id: None,
            name: String::new(),
            link: None,
            moved_from: None,
            changes: vec![],
            kept: vec![],
            forces: vec![],
            loses: None,
            unmanaged: vec![],
            uncompared: vec![],
            calls: vec![],
            delete_calls: vec![],
            after: vec![],
            delete_after: vec![],
            halves: super::Halves::Together,
            blocks: vec![],
            templated: vec![],
            notes: vec![],
            takes: vec![],
            goes: BTreeMap::new(),
            entry: None,
            desired: None,
            live: None,
            wait: false,
            seen: None,
        }
    }
}

/// The paths of changes, each once, in order.
pub(super) fn paths_of(changes: &[FieldChange]) -> Vec<Path> {
    let mut paths: Vec<Path> = Vec::with_capacity(changes.len());
    for change in changes {
        if paths.last() != Some(&change.path) {
            paths.push(change.path.clone());
        }
    }
    paths
}

pub(super) fn tag_note(tag: &str) -> String {
    format!("carries the ownership tag {OWNERSHIP_TAG}={tag}")
}

/// A refusal of the kind as a block.
pub(super) fn refused(address: &Address, refusal: &kinds::Refusal, guard: &'static str) -> Block {
    let place = if refusal.path.is_root() { address.to_string() } else { format!("{address} {}", refusal.path) };
    block(guard, format!("{place}: {}", refusal.reason), vec![])
}

/// Which guard a refused update is: something that cannot be unset, or anything else.
pub(super) fn guard_of(refusal: &kinds::Refusal, changes: &[FieldChange]) -> &'static str {
    let unset = |c: &FieldChange| c.new.is_none() || c.new == Some(Value::Null) || c.reason == Reason::Removed;
    let at = |c: &&FieldChange| c.path.contains(&refusal.path) || refusal.path.contains(&c.path);
    if changes.iter().find(at).is_some_and(unset) { "cannot_unset" } else { "refused" }
}

pub(super) fn unreadable(address: &Address, error: &crate::client::ApiError) -> Block {
    let id = error.request_id.as_ref().map(|id| format!(" (request id {id})")).unwrap_or_default();
    block(
        "unreadable",
        format!("{address} could not be read: {} answered {error}{id}", error.request),
        vec![format!("grant the caller the right to read it, or leave it out: --exclude '{address}'")],
    )
}

fn exists_block(subject: &Subject<'_>, ids: &[&str], environment: &str) -> Block {
    let Subject { address, kind, .. } = subject;
    let name = subject.resource.natural.join(".");
    let reason = match ids {
        [id] => {
            format!("{} named \"{name}\" already exists (id {id}); creating {address} would make a second one or fail", kind.one())
        }
        _ => format!(
            "{} named \"{name}\" already exist (ids {}); creating {address} would add another",
            kind.count(ids.len()),
            ids.join(", ")
        ),
    };
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let to = if address.instance.is_some() || !crate::model::Address::new("k", &*address.key).to_string().starts_with("k.") {
        quoted(&address.to_string())
    } else {
        address.to_string()
    };
    let mut remedy = Vec::new();
    if let Some(entry) = subject.entry {
        remedy.push(format!("brickform state rm --env {environment} '{address}'    # its own, {}, is not there any more; then", entry.id));
    }
    if let ([_], None) = (ids, subject.entry) {
        let quoted = if address.to_string().contains('[') { format!("'{address}'") } else { address.to_string() };
        remedy.push(format!("brickform adopt --env {environment} {quoted}    # takes it over as it is; or in YAML"));
    }
    remedy.push("import:".to_owned());
    remedy.extend(ids.iter().map(|id| format!("  - {{ to: {to}, id: {} }}", quoted(id))));
    block("exists", reason, remedy)
}

/// Live as the plan keeps it: secrets hidden.
pub(super) fn kept_live(live: &Value, desired: &Value, applied: Option<&Value>) -> Value {
    veil(live, Some(desired), applied)
}
