//! Steps of objects that are there: compared, judged, updated, replaced, adopted, or left alone.

use std::borrow::Cow;

use super::follow::Followed;
use super::known::Object;
use super::make::Maker;
use super::step::{Subject, Way, block, deposed_calls, former_for, guard_of, kept_live, paths_of, refused, start, tag_note};
use super::{Action, Block, Seen, Step, beyond, body, goes, scope, tag};
use crate::diff::{Compare, FieldChange, Merged, Reason, Sides, added, arrived, compare, merge, same, taken_away};
use crate::kinds::{self, Change, Field, Identity, Lifetime, Recognised, Rename, Schema, Unique, Update, Verdict, View};
use crate::model::{Path, Step as PathStep, Value};
use crate::project::{Lifecycle, Resource};
use crate::state::{Entry, Status};

/// What is left of the differences once the kind has had its word.
#[derive(Default)]
struct Judged {
    changes: Vec<FieldChange>,
    forces: Vec<Path>,
    because: Option<String>,
    blocks: Vec<Block>,
    /// The name, which is the id, changes in place.
    renamed: bool,
    /// What it is in is replaced: it goes first and comes last, whatever its own lifecycle says.
    surrounded: bool,
}

/// An object beside what is wanted of it.
struct Pair<'p> {
    id: &'p str,
    id_value: Value,
    live: Option<&'p Value>,
    applied: Option<&'p Value>,
    /// What is compared and sent: desired, ignored fields as they are live, removed settings as they were.
    wanted: Cow<'p, Value>,
}

impl<'a> Maker<'a> {
    /// A step for an object with this id; `live` is none with `--refresh=false`.
    pub(super) fn compared(&self, subject: &Subject<'a>, id: &'a str, live: Option<&'a Value>, way: Way) -> (Step, Option<Object<'a>>) {
        let followed = self.renamings.followed(subject, id, live, subject.entry.map(|e| &e.applied));
        let (id, live, applied) = (&*followed.id, followed.live.as_deref(), followed.applied.as_deref());
        let lesser = applied.and_then(|applied| beyond::without(subject.kind, applied, &subject.body));
        let applied = lesser.as_ref().or(applied);
        // What an interrupted create sent was sent by us, whatever YAML says since.
        let at = self.claims.get(subject.address).copied().unwrap_or(subject.address);
        let begun = self.inputs.state.open_intents.get(at).filter(|_| way == Way::Settled);
        let applied = begun.map_or(applied, |intent| intent.applied.as_ref());
        let view = live.map(|live| view(subject.kind, &View { live, desired: &subject.body, applied, context: &subject.context }, live));
        let lifecycle = &subject.resource.lifecycle;
        // Of an update that was cut, what is there of it.
        let cut = subject.entry.filter(|entry| begun.is_none() && way == Way::Managed && entry.status != Status::Ok);
        let before = cut.and_then(|entry| entry.before.as_ref());
        let arrived = before.zip(applied).zip(view.as_deref()).map(|((before, sent), live)| {
            let again = subject.kind.hooks.recognise.and_then(|hook| hook(subject.address, sent, Some(before), live));
            let (sent, before) = again.as_ref().map_or((sent, before), |a| (&a.desired, a.applied.as_ref().unwrap_or(before)));
            arrived(subject.kind, &Sides { desired: sent, applied: before, live })
        });
        let applied = arrived.as_ref().or(applied);
        let (wanted, again) = wanted(subject, applied, view.as_deref());
        let applied = again.as_ref().or(applied);
        let mut pair = Pair { id, id_value: Value::text(id), live, applied, wanted };
        let found = compare(&Compare {
            applied,
            live: view.as_deref(),
            ignore: &lifecycle.ignore_changes,
            exclusive: lifecycle.exclusive,
            secrets: self.inputs.secrets,
            key: self.inputs.environment.state.key.as_ref(),
            known: self.inputs.known,
            ..Compare::of(subject.kind, &pair.wanted)
        });
        let mut judged = judge(subject, &pair, found.changes);
        if arrived.is_none() && (begun.is_some() || subject.entry.is_some_and(|entry| entry.status != Status::Ok)) {
            // How far the last apply got is not known: what differs is what it did not get to, not somebody else's doing.
            let merges = lifecycle.merge && begun.is_none() && way == Way::Managed;
            for change in judged.changes.iter_mut().filter(|c| matches!(c.reason, Reason::Drift | Reason::Conflict)) {
                // Nor what was there before it; but what was added since is nothing that it did.
                match added(subject.kind, change).filter(|_| merges) {
                    Some(theirs) => *change = theirs,
                    None => change.reason = Reason::Changed,
                }
            }
        }
        mark_restored(subject, &mut judged.changes);
        if way == Way::Managed && subject.entry.is_some_and(|entry| entry.status == Status::Ok) {
            judged.changes = judged.changes.into_iter().map(|change| taken_away(subject.kind, change)).collect();
        }
        let seen = self.seen(&pair, view.as_deref(), &judged.changes);
        let kept = self.merged(subject, &mut pair, view.as_deref(), &mut judged, way);
        let around = self.replaced_around(subject, live.or(applied));
        if let Some(around) = around {
            judged.because = Some(format!("its {} is replaced", self.singular(around)));
            judged.forces.clear();
            judged.surrounded = true;
        }
        let replaces = around.is_some() || !judged.forces.is_empty() || self.is_asked_to_replace(subject);
        if replaces && subject.kind.lifetime != Lifetime::Own {
            // Another object's part: that one is touched for the first time.
            return (self.create(subject, Some("its object is another one now".to_owned())), None);
        }
        let renamed = judged.renamed;
        let mut step = start(subject, Action::None);
        step.id = Some(id.to_owned());
        step.unmanaged = found.unmanaged;
        step.uncompared = if replaces { vec![] } else { found.uncompared };
        step.kept = kept;
        let bodies: Vec<&Value> = [live, applied, Some(&*subject.body)].into_iter().flatten().collect();
        step.link = body::link(subject.kind, self.inputs.host, id, &bodies);
        step.seen = seen;
        if replaces {
            self.replace(subject, &pair, judged, way, &mut step);
            if around.is_some() {
                self.come_again(subject, &mut step);
            }
            return (step, None);
        }
        step.blocks = judged.blocks;
        self.settle(subject, &pair, view.as_deref(), judged.changes, way, &mut step);
        step.templated = templated(subject.resource, &step.changes);
        drop(view);
        let Followed { id, live, applied } = followed;
        (step, (!renamed).then_some(Object { kind: subject.kind, id, live, applied }))
    }

    /// What was compared, for those who write it down.
    fn seen(&self, pair: &Pair<'_>, view: Option<&Value>, changes: &[FieldChange]) -> Option<Box<Seen>> {
        let view = view.filter(|_| self.inputs.options.keep_seen)?;
        let live = kept_live(view, &pair.wanted, pair.applied);
        let (desired, applied) = (pair.wanted.clone().into_owned(), pair.applied.cloned());
        Some(Box::new(Seen { live, desired, applied, changes: changes.to_vec() }))
    }

    /// What is kept as the workspace has it, where `lifecycle.merge` asks for it: taken out of what is done, and put into what
    /// is wanted.
    fn merged(&self, subject: &Subject<'a>, pair: &mut Pair<'_>, view: Option<&Value>, judged: &mut Judged, way: Way) -> Vec<FieldChange> {
        let (true, Way::Managed, Some(live), Some(applied)) = (subject.resource.lifecycle.merge, way, view, pair.applied) else {
            return vec![];
        };
        let changes = std::mem::take(&mut judged.changes);
        let Merged { changes: rest, kept, wanted } = merge(subject.kind, changes.clone(), &Sides { desired: &pair.wanted, applied, live });
        if self.inputs.options.drift_only {
            judged.changes = changes;
            return kept;
        }
        pair.wanted = Cow::Owned(wanted);
        *judged = judge(subject, pair, rest);
        kept
    }

    fn is_asked_to_replace(&self, subject: &Subject<'a>) -> bool {
        let tainted = subject.entry.is_some_and(|e| e.status == Status::Tainted);
        tainted || self.inputs.options.replace.iter().any(|r| r == subject.address)
    }

    /// An object that stays: updated, adopted, moved, or nothing.
    fn settle(
        &self,
        subject: &Subject<'a>,
        pair: &Pair<'_>,
        view: Option<&Value>,
        mut changes: Vec<FieldChange>,
        way: Way,
        step: &mut Step,
    ) {
        let sends = !changes.is_empty();
        let mut entry = None;
        if sends || way != Way::Managed || !self.is_recorded(subject, pair, view) {
            entry = Some(self.entry_of(subject, pair, view, way));
        }
        if let Some(entry) = entry.as_mut().filter(|_| sends) {
            // Until it is known to have arrived, what is sent now alone does not tell what others edited.
            entry.before = pair.applied.filter(|_| way == Way::Managed).cloned();
            self.put_update(subject, pair, &changes, entry, step);
        }
        // What is renamed by this very step follows nothing.
        let renamed = changes.iter().any(|c| matches!(naming(subject.kind, &c.path), Naming::InPlace));
        let follows = self.follows(subject).filter(|_| way == Way::Managed && !renamed);
        let sends = sends && !step.calls.is_empty();
        step.because = because(subject, way, sends).or_else(|| follows.clone());
        let old = subject.entry.filter(|_| way == Way::Managed);
        let protection = old.and_then(|old| protection(old.protected, &subject.resource.lifecycle));
        changes.extend(protection);
        let leftover = old.is_some_and(|old| old.status != Status::Ok || !old.deposed.is_empty());
        if let Some(old) = old {
            step.delete_calls = deposed_calls(subject.kind, old);
        }
        step.action = match way {
            _ if !changes.is_empty() || leftover => Action::Update,
            Way::Managed if subject.moved_from.is_some() || follows.is_some() => Action::Move,
            Way::Managed => Action::None,
            Way::Imported | Way::ByName | Way::Settled | Way::Touched | Way::Born => Action::Adopt,
        };
        if leftover && changes.is_empty() {
            step.because = Some("left unfinished by an interrupted apply".to_owned());
        }
        if old.is_some_and(|old| old.status == Status::Unmade) && !subject.kind.born_with.is_empty() {
            step.calls.extend(self.born_again(subject));
            step.because = Some("an interrupted apply began to delete it: what came with it is made again".to_owned());
        }
        if step.action == Action::Move && entry.is_none() {
            entry = Some(self.entry_of(subject, pair, view, way));
        }
        step.changes = changes;
        step.entry = entry;
        if step.action != Action::Update {
            (step.desired, step.live) = (None, None);
        }
    }

    /// The calls of an update, with the ownership tag kept or, where there is none yet, given.
    fn put_update(&self, subject: &Subject<'a>, pair: &Pair<'_>, changes: &[FieldChange], entry: &mut Entry, step: &mut Step) {
        let mut desired = pair.wanted.clone().into_owned();
        let mut paths = paths_of(changes);
        if let Some(kinds::Tag::Map(field)) = subject.kind.tag {
            let given = || tag::field(subject.kind, self.inputs).map(|_| tag::make(self.inputs, subject.address));
            if let Some(tag) = entry.tag.clone().or_else(given) {
                let owned = subject.body.get(field).is_some() || pair.applied.is_some_and(|a| a.get(field).is_some());
                tag::put(&mut desired, field, &tag, pair.live, owned);
                if pair.live.and_then(|l| tag::read(subject.kind, l)) != Some(&tag) {
                    paths.push(tag::path(field));
                    step.notes.push(tag_note(&tag));
                }
                entry.tag = Some(tag);
            }
        }
        let change = Change {
            address: subject.address,
            id: &pair.id_value,
            applied: pair.applied,
            live: pair.live.or(pair.applied),
            desired: &desired,
            paths: &paths,
            context: subject.context,
        };
        step.notes.extend(subject.kind.hooks.notes.map(|hook| hook(&change)).unwrap_or_default());
        match kinds::update_calls(subject.kind, &change) {
            Ok(calls) => step.calls = calls,
            Err(refusal) => step.blocks.push(refused(subject.address, &refusal, guard_of(&refusal, changes))),
        }
        let merges = subject.resource.lifecycle.merge;
        if pair.live.is_none() && (merges || subject.kind.lifetime == Lifetime::Attached) {
            let what = if merges { "what lifecycle.merge would keep of it" } else { "what else it holds" };
            let reason = format!("{} changes, but {what} was not read", subject.address);
            step.blocks.push(block("refused", reason, vec!["plan it without --refresh=false".to_owned()]));
        } else if pair.live.is_none() {
            step.notes.push("planned without reading the workspace: fields that YAML does not set may be reset".to_owned());
        }
        step.live = pair.live.map(|live| kept_live(live, &desired, pair.applied));
        step.desired = Some(desired);
    }

    fn replace(&self, subject: &Subject<'a>, pair: &Pair<'_>, judged: Judged, way: Way, step: &mut Step) {
        let new_first = (subject.resource.lifecycle.create_before_destroy || is_moved_into(subject, pair)) && !judged.surrounded;
        step.action = if new_first { Action::ReplaceNewFirst } else { Action::Replace };
        step.because = judged.because.clone().or_else(|| match subject.entry {
            Some(entry) if entry.status == Status::Tainted => Some("tainted by an earlier apply".to_owned()),
            _ if judged.forces.is_empty() => Some("asked for by --replace".to_owned()),
            _ if only_unknown(&judged) => Some("may be replaced: what forces it is known after apply".to_owned()),
            _ => None,
        });
        (step.changes, step.forces, step.blocks) = (judged.changes, judged.forces, judged.blocks);
        // What is kept comes along into the new object.
        self.put_create(subject, if step.kept.is_empty() { &subject.body } else { &pair.wanted }, step);
        let old = subject.entry.map(|e| e.deposed.as_slice()).unwrap_or_default();
        // A place that was left may be the one to go back to.
        let again = body::named_id(subject.kind, &subject.body).filter(|_| new_first);
        let left = old.iter().filter(|id| !again.as_ref().is_some_and(|again| kinds::same_id(subject.kind, id, again)));
        let ids = std::iter::once(pair.id).chain(left.map(String::as_str));
        step.delete_calls = ids.flat_map(|id| kinds::delete_calls(subject.kind, &Value::text(id))).collect();
        step.live = pair.live.map(|live| kept_live(live, &subject.body, pair.applied));
        goes::of_replaced(step);
        // What an interrupted create made is ours already.
        if !matches!(way, Way::Managed | Way::Settled) {
            let fields: Vec<String> = step.forces.iter().map(ToString::to_string).collect();
            let why = match &step.because {
                Some(because) if fields.is_empty() => because.clone(),
                _ => format!("{} cannot be changed in place", fields.join(", ")),
            };
            let reason = format!("{} would adopt {} and replace it at once: {why}", subject.address, pair.id);
            step.blocks.push(block("refused", reason, vec!["write the live value into the YAML, adopt it, then change it".to_owned()]));
        }
        if new_first && subject.kind.natural.unique == Unique::Yes && !names_differ(subject, pair) {
            let reason = format!(
                "{}: create_before_destroy cannot work, because names of {} are unique and this one keeps its name",
                subject.address, subject.kind.name
            );
            step.blocks.push(block("refused", reason, vec!["remove lifecycle.create_before_destroy, or change the name too".to_owned()]));
        }
    }

    fn entry_of(&self, subject: &Subject<'a>, pair: &Pair<'_>, view: Option<&Value>, way: Way) -> Entry {
        let ignore = &subject.resource.lifecycle.ignore_changes;
        let sent = match pair.live {
            // A secret that stands there is not ours to keep.
            Some(live) if !ignore.is_empty() => {
                let live = self.inputs.known.map_or(Cow::Borrowed(live), |known| Cow::Owned(known.hide_in(live)));
                Cow::Owned(body::with_ignored(subject.body.clone().into_owned(), ignore, &live))
            }
            _ => Cow::Borrowed(&*subject.body),
        };
        // Which item is which is known as long as it is on record.
        let sent = recognised(subject, &sent, pair.applied, view).map_or(sent, |again| Cow::Owned(again.desired));
        let old = subject.entry;
        let live_tag = || pair.live.and_then(|l| tag::read(subject.kind, l)).map(str::to_owned);
        // A name that is the id may change in place.
        let id = body::named_id(subject.kind, &sent).unwrap_or_else(|| pair.id.to_owned());
        let ours = |tag: &String| tag.starts_with(&tag::owner(self.inputs, subject.address));
        let made = self.entry_for(subject, &sent, &id, former_for(subject, view));
        Entry {
            applied: beyond::kept(subject.kind, old.map(|e| &e.applied), made.applied),
            etag: old.and_then(|e| e.etag.clone()),
            adopted: old.is_some_and(|e| e.adopted) || matches!(way, Way::Imported | Way::ByName),
            tag: old.and_then(|e| e.tag.clone()).or_else(|| live_tag().filter(ours)),
            ..made
        }
    }

    /// Whether the state already says all that it would say after this step.
    fn is_recorded(&self, subject: &Subject<'a>, pair: &Pair<'_>, view: Option<&Value>) -> bool {
        let Some(entry) = subject.entry else { return false };
        let wanted = &subject.resource.depends_on;
        let protected = subject.resource.lifecycle.prevent_destroy.unwrap_or(entry.protected);
        entry.id == pair.id
            && entry.status == Status::Ok
            && entry.deposed.is_empty()
            && entry.protected == protected
            && subject.resource.lifecycle.ignore_changes.is_empty()
            && wanted.iter().all(|d| entry.dependencies.contains(d))
            && entry.dependencies.iter().all(|d| wanted.contains(d))
            && {
                let carried = beyond::without(subject.kind, &entry.applied, &subject.body);
                let record = carried.as_ref().unwrap_or(&entry.applied);
                body::is_record_of(record, &subject.body, self.inputs.secrets)
                    || recognised(subject, &subject.body, pair.applied, view)
                        .is_some_and(|again| body::is_record_of(record, &again.desired, self.inputs.secrets))
            }
    }
}

/// What of live is compared, by the kind's hook.
pub(super) fn view<'v>(kind: &kinds::Kind, view: &View<'_>, live: &'v Value) -> Cow<'v, Value> {
    kind.hooks.view.map_or(Cow::Borrowed(live), |hook| Cow::Owned(hook(view)))
}

/// Desired, with ignored fields as they are live, and with settings that YAML no longer sets as they were before; and the last
/// applied body, where its items had to be told apart.
fn wanted<'s>(subject: &'s Subject<'_>, applied: Option<&Value>, view: Option<&Value>) -> (Cow<'s, Value>, Option<Value>) {
    let mut wanted = Cow::Borrowed(&*subject.body);
    let mut again = None;
    if let Some(recognised) = recognised(subject, &wanted, applied, view) {
        wanted = Cow::Owned(recognised.desired);
        again = recognised.applied;
    }
    let ignore = &subject.resource.lifecycle.ignore_changes;
    if let Some(live) = view.filter(|_| !ignore.is_empty()) {
        wanted = Cow::Owned(body::with_ignored(wanted.into_owned(), ignore, live));
    }
    for (name, value) in restored(subject) {
        if let Some(map) = wanted.to_mut().as_map_mut() {
            map.insert(name.clone(), value.clone());
        }
    }
    (wanted, again)
}

/// A body and the last applied one with what tells their items apart, by the kind's hook.
fn recognised(subject: &Subject<'_>, body: &Value, applied: Option<&Value>, view: Option<&Value>) -> Option<Recognised> {
    let hook = subject.kind.hooks.recognise?;
    hook(subject.address, body, applied, view.or(applied)?)
}

/// Fields of a setting that were applied, are in YAML no more, and held something before.
fn restored<'s>(subject: &'s Subject<'_>) -> Vec<(&'s String, &'s Value)> {
    let (Lifetime::Setting, Some(entry)) = (subject.kind.lifetime, subject.entry) else { return vec![] };
    let held = |name: &String| entry.former.as_ref().and_then(|f| f.get(name));
    let applied = entry.applied.as_map().into_iter().flat_map(|m| m.keys());
    applied.filter(|name| subject.body.get(name).is_none()).filter_map(|name| Some((name, held(name)?))).collect()
}

fn mark_restored(subject: &Subject<'_>, changes: &mut [FieldChange]) {
    for (name, _) in restored(subject) {
        for change in changes.iter_mut().filter(|c| c.path.first_field() == Some(name)) {
            change.reason = Reason::Removed;
        }
    }
}

fn judge(subject: &Subject<'_>, pair: &Pair<'_>, changes: Vec<FieldChange>) -> Judged {
    let mut judged = Judged::default();
    let root = Schema::of(subject.kind).root();
    for change in changes {
        let fields = body::fields_on(root, &change.path);
        let immutable = fields.iter().any(Field::immutable);
        if immutable && pair.applied.is_none() && (fields.iter().any(Field::input_only) || only_secrets(subject.kind, &change)) {
            // It cannot be seen in an object that is taken over. An interrupted create carried it; to replace the object
            // over it would lose more than it could mend. Where it can change in place, it is sent again.
            continue;
        }
        let verdict = match subject.kind.hooks.judge {
            Some(hook) if pair.live.is_some() => hook(
                &change.path,
                &Change {
                    address: subject.address,
                    id: &pair.id_value,
                    applied: pair.applied,
                    live: pair.live,
                    desired: &pair.wanted,
                    paths: std::slice::from_ref(&change.path),
                    context: subject.context,
                },
            ),
            _ => None,
        };
        match verdict {
            Some(Verdict::Same) => continue,
            Some(Verdict::Update) => {}
            Some(Verdict::Replace(why)) => {
                judged.because.get_or_insert_with(|| why.to_owned());
                judged.forces.push(change.path.clone());
            }
            Some(Verdict::Block(why)) => {
                let reason = format!("{} {}: {why}", subject.address, change.path);
                judged.blocks.push(block("refused", reason, vec![]));
            }
            None => match naming(subject.kind, &change.path) {
                Naming::InPlace => judged.renamed = true,
                Naming::Another => judged.forces.push(change.path.clone()),
                Naming::None if immutable || matches!(subject.kind.update, Update::Never) => judged.forces.push(change.path.clone()),
                Naming::None => {}
            },
        }
        judged.changes.push(change);
    }
    judged
}

/// Whether nothing differs but what no reply shows.
fn only_secrets(kind: &'static kinds::Kind, change: &FieldChange) -> bool {
    let Some(new) = change.new.as_ref().filter(|new| new.has_secret()) else { return false };
    let alike = |old: &Value| same(Schema::of(kind).at(&change.path), new, old);
    matches!(new, Value::Secret(_)) || change.old.as_ref().is_some_and(alike)
}

/// What a changed path means for the name that is the id.
pub(super) enum Naming {
    None,
    InPlace,
    Another,
}

pub(super) fn naming(kind: &kinds::Kind, path: &Path) -> Naming {
    let Identity::Named { parts, rename, .. } = kind.identity else { return Naming::None };
    let [PathStep::Field(name)] = path.steps() else { return Naming::None };
    let Some(place) = parts.iter().position(|p| p == name) else { return Naming::None };
    match rename {
        Rename::By(_) if place + 1 == parts.len() => Naming::InPlace,
        Rename::By(_) | Rename::Replaces => Naming::Another,
    }
}

fn only_unknown(judged: &Judged) -> bool {
    let forced = judged.changes.iter().filter(|c| judged.forces.contains(&c.path));
    forced.into_iter().all(|c| c.new.as_ref().is_some_and(Value::has_unknown))
}

/// Whether what is in this object can move into the one that takes its place, before the old one goes: a folder with another
/// path, unless the new one lies in the old one.
fn is_moved_into(subject: &Subject<'_>, pair: &Pair<'_>) -> bool {
    let Some(field) = subject.kind.natural.fields.iter().find(|field| kinds::is_path(subject.kind, field)) else { return false };
    let path = |body: &Value| body.get(field).and_then(Value::as_str).map(|path| kinds::plain_path(path).to_owned());
    let (Some(old), Some(new)) = (pair.live.or(pair.applied).and_then(path), path(&subject.body)) else { return false };
    let is_in_old = kinds::folders(&new).any(|folder| folder == old);
    subject.kind.within.is_some() && old != new && !is_in_old
}

fn names_differ(subject: &Subject<'_>, pair: &Pair<'_>) -> bool {
    let Some(old) = pair.live.or(pair.applied) else { return false };
    subject.kind.natural.fields.iter().any(|f| old.get(f) != subject.body.get(f))
}

fn because(subject: &Subject<'_>, way: Way, sends: bool) -> Option<String> {
    match way {
        Way::Settled if subject.entry.is_some() && matches!(subject.kind.identity, Identity::Named { rename: Rename::By(_), .. }) => {
            Some("renamed by an interrupted apply".to_owned())
        }
        Way::Settled => Some("created by an interrupted apply".to_owned()),
        Way::Imported if sends => Some("adopted by import, then changed".to_owned()),
        Way::Born if sends => Some("made along with what it is in, then changed".to_owned()),
        Way::Born => Some("made along with what it is in".to_owned()),
        Way::ByName if sends => Some("adopted by name, then changed".to_owned()),
        Way::Imported => Some("imported".to_owned()),
        Way::ByName => Some("has the same name".to_owned()),
        Way::Touched if !sends => Some("already as wanted".to_owned()),
        Way::Managed if subject.moved_from.is_some() => Some("renamed in YAML".to_owned()),
        Way::Managed | Way::Touched => None,
    }
}

/// A change of `lifecycle.prevent_destroy` is a change of the state, shown and applied like any other.
pub(super) fn protection(old: bool, lifecycle: &Lifecycle) -> Option<FieldChange> {
    let wanted = lifecycle.prevent_destroy?;
    let path = Path::from(vec![PathStep::Field("lifecycle".to_owned()), PathStep::Field("prevent_destroy".to_owned())]);
    let (old, new) = (Value::Bool(old), Value::Bool(wanted));
    (old != new).then(|| FieldChange { path, old: Some(old.clone()), new: Some(new), applied: Some(old), reason: Reason::Changed })
}

/// Whether an option names this address.
pub(super) fn named(list: &[crate::model::Address], address: &crate::model::Address) -> bool {
    list.iter().any(|given| scope::covers(given, address))
}

/// The fields among these that a template alone makes (`${template("a.sql.hbs")}`). What is given to one may be given otherwise by an
/// overlay. Of a resource that a template of YAML makes it is all of them.
fn templated(resource: &Resource, changes: &[FieldChange]) -> Vec<Path> {
    if std::path::Path::new(&resource.span.source.name).extension().is_some_and(|end| end == "hbs") {
        return changes.iter().map(|change| change.path.clone()).collect();
    }
    let is_made = |change: &&FieldChange| {
        let text = resource.node.nearest(&change.path).text().unwrap_or_default().trim();
        text.strip_prefix("${").is_some_and(|inner| inner.trim_start().starts_with("template(") && !inner.contains(','))
    };
    changes.iter().filter(is_made).map(|change| change.path.clone()).collect()
}
