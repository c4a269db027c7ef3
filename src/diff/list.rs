//! Lists: by key, as sets, or in order. Owned whole once written, reported item by item.

use std::collections::HashMap;

use super::compare::{Crumb, Three, Walk};
use super::same::{self, Agreement, Around};
use super::{FieldChange, Reason, secret};
use crate::kinds::Field;
use crate::model::{Known, Path, Step, Value};

static EMPTY: Vec<Value> = Vec::new();

/// What an item is recognised by: its key fields as the backend sees them, and which of several it is.
type Key = (Vec<(&'static str, String)>, u32);

impl<'v> Walk<'v> {
    pub(super) fn list(&mut self, field: Option<Field<'v>>, three: Three<'v>) {
        let desired = three.desired.and_then(Value::as_list);
        if self.creating && desired.is_some_and(<[Value]>::is_empty) {
            return self.push(three, Reason::Changed);
        }
        match field.and_then(|f| f.keyed()) {
            Some(keys) => self.keyed(field, keys, three),
            None => self.unkeyed(field, three),
        }
    }

    /// Items that are compared as wholes: as a set, or in order.
    fn unkeyed(&mut self, field: Option<Field<'v>>, three: Three<'v>) {
        let before = self.found.changes.len();
        if field.is_some_and(|f| f.set()) {
            self.set(field, three);
        } else {
            self.ordered(field, three);
        }
        if self.found.changes.len() == before {
            self.settled_whole(three.desired);
        }
    }

    /// Items by key, whatever their order; inside an item field by field.
    fn keyed(&mut self, field: Option<Field<'v>>, keys: &'static [&'static str], three: Three<'v>) {
        let item_field = field.and_then(|f| f.item());
        let [desired, applied, live] = [three.desired, three.applied, three.live].map(items);
        let [by_applied, by_live] = [applied, live].map(|list| by_key(item_field, keys, list));
        let wanted: Vec<Key> = keys_of(item_field, keys, desired);
        let known: std::collections::HashSet<&Key> = wanted.iter().collect();
        let there = keys_of(item_field, keys, live);
        let again = field.and_then(|f| f.also()).map(|also| reworded(also, (&wanted, desired), (&there, live))).unwrap_or_default();
        let secrets = if three.holds_secret() {
            let again = |i: usize| again.get(&i).map(|j| &live[*j]);
            let ours = wanted.iter().zip(desired).enumerate().map(|(i, (key, item))| (key.clone(), item, again(i)));
            let before = keys_of(item_field, keys, applied).into_iter().zip(applied).map(|(key, item)| (key, item, None));
            let was_there = |key: &Key| three.applied.is_none() || by_applied.contains_key(key);
            Secrets::of(ours.chain(before), &by_live, was_there, self.input.known)
        } else {
            Secrets::default()
        };
        for (i, (key, item)) in wanted.iter().zip(desired).enumerate() {
            let other = again.get(&i).copied();
            let below = Three {
                desired: Some(item),
                applied: by_applied.get(key).or_else(|| by_applied.get(&there[other?])).map(|(_, v)| *v),
                live: by_live.get(key).map(|(_, v)| *v).or_else(|| live.get(other?)),
            };
            let crumb = crumb(item, keys, key, i);
            self.below(crumb, |walk| match below {
                Three { live: Some(_), .. } => walk.node(item_field, below, Around::default()),
                Three { applied: Some(_), .. } => {
                    let reason = walk.lost(item_field, below);
                    walk.added(below, reason);
                }
                Three { .. } => walk.added(below, Reason::Changed),
            });
        }
        for (i, (key, item)) in there.iter().zip(live).enumerate() {
            if known.contains(key) || again.values().any(|other| *other == i) {
                continue;
            }
            let below = Three { desired: None, applied: by_applied.get(key).map(|(_, v)| *v), live: Some(item) };
            let reason = extra(three, below.applied.is_some());
            if below.applied.is_none() && secrets.may_be_in(item) {
                // It may be, or is, the one that holds a secret, under another key: shown by its place, with every secret place hidden.
                self.below(Crumb::Index(i), |walk| {
                    if !walk.ignored() {
                        walk.item(three, None, Some(item), reason);
                    }
                });
                continue;
            }
            self.below(crumb(item, keys, key, i), |walk| walk.added(below, reason));
        }
    }

    /// Items without order.
    fn set(&mut self, field: Option<Field<'v>>, three: Three<'v>) {
        let item_field = field.and_then(|f| f.item());
        let [desired, applied, live] = [three.desired, three.applied, three.live].map(items);
        let agreement = Agreement::live(self.input.secrets).keyed(self.input.key);
        let left = agreement.pair(item_field, desired, live);
        let was_applied = |item: &Value| applied.iter().any(|a| agreement.holds(item_field, item, a));
        for i in left.ours {
            let item = &desired[i];
            let reason = if was_applied(item) { Reason::Drift } else { Reason::Changed };
            self.item(three, Some(item), None, reason);
        }
        for j in left.others {
            let item = &live[j];
            self.item(three, None, Some(item), extra(three, was_applied(item)));
        }
    }

    /// Items in order. If both sides changed, it is one conflict about the whole list.
    fn ordered(&mut self, field: Option<Field<'v>>, three: Three<'v>) {
        let item_field = field.and_then(|f| f.item());
        let [desired, applied, live] = [three.desired, three.applied, three.live].map(items);
        let agreement = Agreement::live(self.input.secrets).keyed(self.input.key);
        let agree = |a: &[Value], b: &[Value]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| agreement.holds(item_field, a, b));
        let secrets_changed = || {
            three.desired.is_some_and(Value::has_secret)
                && !three.applied.is_some_and(|a| Agreement::applied(self.input.secrets).holds(field, three.desired.unwrap_or(a), a))
        };
        if agree(desired, live) {
            if !self.creating && secrets_changed() {
                self.push(three, Reason::Changed);
            }
            return;
        }
        if three.desired.is_none() && same::is_default(field, three.live.unwrap_or(&Value::Null), Around::default()) {
            return;
        }
        let (unchanged, undisturbed) = (agree(desired, applied), agree(applied, live));
        let left = agreement.pair(item_field, desired, live);
        let conflict = three.applied.is_some() && three.desired.is_some() && !unchanged && !undisturbed;
        if left.is_empty() {
            let reason = match (three.applied.is_none() || undisturbed, conflict) {
                (_, true) => Reason::Conflict,
                (true, _) => Reason::Changed,
                (false, _) => Reason::Drift,
            };
            return self.push(three, reason);
        }
        for i in left.ours {
            let reason = if conflict {
                Reason::Conflict
            } else if three.applied.is_some() && unchanged {
                Reason::Drift
            } else {
                Reason::Changed
            };
            self.item(three, Some(&desired[i]), None, reason);
        }
        for j in left.others {
            let reason = if conflict { Reason::Conflict } else { extra(three, undisturbed && three.applied.is_some()) };
            self.item(three, None, Some(&live[j]), reason);
        }
    }

    /// One item of a list without keys: the path is the list's.
    fn item(&mut self, list: Three<'v>, new: Option<&Value>, old: Option<&Value>, reason: Reason) {
        let old = match old {
            // Of secrets that are known it shows whether one is in it; one that is not known may be anywhere.
            Some(item) if list.holds_secret() && !self.is_free_of_secrets(list, item) => {
                secret::veil(&Value::List(vec![item.clone()]), list.desired, list.applied).step(&Step::Index(0)).cloned()
            }
            other => other.cloned(),
        };
        self.found.changes.push(FieldChange { path: self.path(), old, new: new.cloned(), applied: None, reason });
    }
}

impl Walk<'_> {
    /// Whether an item that only live has holds no secret for sure: all those of its list are known, and none is in it.
    fn is_free_of_secrets(&self, list: Three<'_>, item: &Value) -> bool {
        let sides = [list.desired, list.applied];
        self.input
            .known
            .is_some_and(|known| sides.into_iter().flatten().all(|side| are_known(side, list.desired, known)) && !known.is_in(item))
    }
}

/// Whether the values of all secrets inside are known. One that the state recorded is one of those that are wanted under the same
/// source, or was of another value.
fn are_known(value: &Value, wanted: Option<&Value>, known: &Known) -> bool {
    let sources = |value: &Value| {
        let mut found = Vec::new();
        value.each_deferred(&mut Path::root(), &mut |_, deferred| {
            let is_known = deferred.secrets().next().is_some() && deferred.secrets().all(|source| known.knows(source));
            found.push((deferred.source.clone(), is_known));
        });
        found
    };
    let all = wanted.map(sources).unwrap_or_default();
    let is_recorded = |value: &Value| {
        let source = secret::source_of(value);
        source.is_some_and(|source| !all.iter().any(|(wanted, is_known)| wanted == source && *is_known))
    };
    sources(value).iter().all(|(_, is_known)| *is_known) && !value.any(&is_recorded)
}

/// What tells whether an item that only live has holds a secret of another one.
#[derive(Default)]
struct Secrets<'k> {
    /// An item with a secret is not there under its key: it may have been given another one.
    lost: bool,
    /// What stands in live where secrets are.
    texts: Vec<String>,
    /// The values of secrets that were read.
    known: Option<&'k Known>,
}

impl<'k> Secrets<'k> {
    /// From items of ours with their keys, and live's where it is known by something else.
    fn of<'v>(
        ours: impl Iterator<Item = (Key, &'v Value, Option<&'v Value>)>,
        live: &HashMap<Key, (usize, &'v Value)>,
        was_there: impl Fn(&Key) -> bool,
        known: Option<&'k Known>,
    ) -> Self {
        let mut found = Self { known, ..Self::default() };
        let ours: Vec<_> = ours.filter(|(_, item, _)| secret::holds_secret(item)).collect();
        let wanted = Value::List(ours.iter().map(|(_, item, _)| (*item).clone()).collect());
        for (key, item, again) in ours {
            match live.get(&key).map(|(_, live)| *live).or(again) {
                Some(live) => hidden_texts(live, &secret::veil(live, Some(item), None), &mut found.texts),
                None => found.lost |= was_there(&key) && !known.is_some_and(|known| are_known(item, Some(&wanted), known)),
            }
        }
        found
    }

    fn may_be_in(&self, item: &Value) -> bool {
        // A short one stands in many a text by chance.
        let holds = |text: &str, secret: &String| text == secret || (secret.len() > 3 && text.contains(secret.as_str()));
        self.lost
            || self.known.is_some_and(|known| known.is_in(item))
            || item.any(&|v| v.as_str().is_some_and(|text| self.texts.iter().any(|secret| holds(text, secret))))
    }
}

/// The texts of live that are hidden.
fn hidden_texts(live: &Value, veiled: &Value, found: &mut Vec<String>) {
    match (live, veiled) {
        (Value::Map(live), Value::Map(veiled)) => {
            live.iter().filter_map(|(k, v)| Some((v, veiled.get(k)?))).for_each(|(v, veiled)| hidden_texts(v, veiled, found));
        }
        (Value::List(live), Value::List(veiled)) => live.iter().zip(veiled).for_each(|(v, veiled)| hidden_texts(v, veiled, found)),
        (Value::Text(text), Value::Secret(_)) if !text.is_empty() => found.push(text.clone()),
        _ => {}
    }
}

impl Three<'_> {
    /// Whether a secret stands, or stood when it was last applied, somewhere inside.
    fn holds_secret(&self) -> bool {
        [self.desired, self.applied].into_iter().flatten().any(secret::holds_secret)
    }
}

/// Items of ours that live has under another key: which one of live's, by our place.
fn reworded(also: &str, (wanted, desired): (&[Key], &[Value]), (there, live): (&[Key], &[Value])) -> HashMap<usize, usize> {
    let alone = |keys: &[Key], others: &[Key]| (0..keys.len()).filter(|i| !others.contains(&keys[*i])).collect::<Vec<_>>();
    let mut free = alone(there, wanted);
    let mut found = HashMap::new();
    for i in alone(wanted, there) {
        let Some(ours) = desired[i].get(also).filter(|v| !v.is_zero()) else { continue };
        if let Some(at) = free.iter().position(|j| live[*j].get(also) == Some(ours)) {
            found.insert(i, free.remove(at));
        }
    }
    found
}

/// Why an item that only live has goes away.
fn extra(list: Three<'_>, was_applied: bool) -> Reason {
    match (list.desired, list.applied) {
        (None, Some(_)) => Reason::Removed,
        _ if was_applied => Reason::Removed,
        (_, Some(_)) => Reason::Drift,
        (_, None) => Reason::Changed,
    }
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_list).unwrap_or(&EMPTY)
}

fn crumb<'v>(item: &'v Value, fields: &'static [&'static str], key: &Key, place: usize) -> Crumb<'v> {
    if key.0.is_empty() { Crumb::Index(place) } else { Crumb::Key { item, fields, nth: key.1 } }
}

/// The keys of a list's items, in order.
fn keys_of(item_field: Option<Field<'_>>, fields: &'static [&'static str], list: &[Value]) -> Vec<Key> {
    let mut seen: HashMap<Vec<(&'static str, String)>, u32> = HashMap::with_capacity(list.len());
    list.iter()
        .map(|item| {
            let pairs: Vec<(&'static str, String)> = fields
                .iter()
                .filter_map(|name| {
                    let value = item.get(name).filter(|v| !matches!(v, Value::Null))?;
                    let known = item_field.and_then(|f| f.field(name));
                    Some((*name, same::text(known, &value.key_text()).into_owned()))
                })
                .collect();
            let count = seen.entry(pairs.clone()).or_default();
            let nth = *count;
            *count += 1;
            (pairs, nth)
        })
        .collect()
}

fn by_key<'v>(item_field: Option<Field<'_>>, fields: &'static [&'static str], list: &'v [Value]) -> HashMap<Key, (usize, &'v Value)> {
    keys_of(item_field, fields, list).into_iter().zip(list.iter().enumerate()).collect()
}
