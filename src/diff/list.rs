//! Lists: by key, as sets, or in order. Owned whole once written, reported item by item.

use std::collections::{HashMap, HashSet};

use super::compare::{Crumb, Three, Walk};
use super::same::{self, Agreement, Around};
use super::{FieldChange, Reason, secret};
use crate::kinds::Field;
use crate::model::{Known, Path, Step, Value};

static EMPTY: Vec<Value> = Vec::new();

/// The key fields of an item as the backend sees them.
type Name = Vec<(&'static str, String)>;

/// Which items of the three lists are one: desired's, applied's, live's.
type Row = [Option<usize>; 3];

const DESIRED: usize = 0;
const APPLIED: usize = 1;
const LIVE: usize = 2;

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
        let lists @ [desired, applied, live] = [three.desired, three.applied, three.live].map(items);
        let rows = Rows::of(item_field, keys, field.and_then(|f| f.also()), lists);
        let secrets = if three.holds_secret() { Secrets::of(&rows, three.applied.is_none(), self.input.known) } else { Secrets::default() };
        for row in &rows.all {
            let below = Three {
                desired: row[DESIRED].map(|i| &desired[i]),
                applied: row[APPLIED].map(|i| &applied[i]),
                live: row[LIVE].map(|i| &live[i]),
            };
            match below {
                Three { desired: None, live: None, .. } => {}
                Three { desired: None, live: Some(item), .. } => {
                    let reason = extra(three, below.applied.is_some());
                    if below.applied.is_none() && secrets.may_be_in(item) {
                        // It may be, or is, the one that holds a secret, under another key: shown by its place, with every secret place hidden.
                        self.below(Crumb::Index(row[LIVE].unwrap_or_default()), |walk| {
                            if !walk.ignored() {
                                walk.item(three, None, Some(item), reason);
                            }
                        });
                        continue;
                    }
                    self.below(rows.crumb(row), |walk| walk.added(below, reason));
                }
                Three { .. } => self.below(rows.crumb(row), |walk| match below {
                    Three { live: Some(_), .. } => walk.node(item_field, below, Around::default()),
                    Three { applied: Some(_), .. } => {
                        let reason = walk.lost(item_field, below);
                        walk.added(below, reason);
                    }
                    Three { .. } => walk.added(below, Reason::Changed),
                }),
            }
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
    fn of(rows: &Rows<'_>, is_first: bool, known: Option<&'k Known>) -> Self {
        let mut found = Self { known, ..Self::default() };
        let holding = |row, side| rows.item(row, side).filter(|item| secret::holds_secret(item));
        let ours = rows.all.iter().flat_map(|row| [DESIRED, APPLIED].map(|side| holding(row, side)));
        let wanted = Value::List(ours.flatten().cloned().collect());
        for row in &rows.all {
            let live = rows.item(row, LIVE);
            for item in [DESIRED, APPLIED].into_iter().filter_map(|side| holding(row, side)) {
                match live {
                    Some(live) => hidden_texts(live, &secret::veil(live, Some(item), None), &mut found.texts),
                    None => {
                        found.lost |=
                            (is_first || row[APPLIED].is_some()) && !known.is_some_and(|known| are_known(item, Some(&wanted), known));
                    }
                }
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

/// The items of three keyed lists, those that are one in one row: desired's order, then what only live has, then what is gone.
struct Rows<'v> {
    all: Vec<Row>,
    lists: [&'v [Value]; 3],
    names: [Vec<Name>; 3],
    keys: &'static [&'static str],
    also: Option<&'static str>,
    /// The names that do not tell which item it is.
    shared: HashSet<Name>,
}

impl<'v> Rows<'v> {
    /// Pairs items first by the field that tells them whatever their names, then by name, several of one name in their order.
    fn of(item: Option<Field<'_>>, keys: &'static [&'static str], also: Option<&'static str>, lists: [&'v [Value]; 3]) -> Self {
        let names = lists.map(|list| list.iter().map(|v| name_of(item, keys, v)).collect::<Vec<Name>>());
        let shared: HashSet<Name> = names.iter().flat_map(|names| twice(names.iter())).collect();
        let mut rows = Self { all: Vec::with_capacity(lists[DESIRED].len()), lists, names, keys, also, shared };
        for side in [DESIRED, LIVE, APPLIED] {
            rows.join(side);
        }
        let told = rows.all.iter().filter(|row| row[DESIRED].is_some() || row[LIVE].is_some()).filter_map(|row| rows.name(row));
        let twice: Vec<Name> = twice(told);
        rows.shared.extend(twice);
        rows
    }

    /// Finds the rows of one list's items among those that are there.
    fn join(&mut self, side: usize) {
        let (mut by_id, mut by_name): (HashMap<String, usize>, HashMap<Name, Vec<usize>>) = (HashMap::new(), HashMap::new());
        for (at, row) in self.all.iter().enumerate() {
            for (other, i) in row.iter().enumerate() {
                let Some(i) = *i else { continue };
                by_id.extend(self.id(other, i).map(|id| (id, at)));
                let same = by_name.entry(self.names[other][i].clone()).or_default();
                if same.last() != Some(&at) {
                    same.push(at);
                }
            }
        }
        let count = self.lists[side].len();
        let mut place: Vec<Option<usize>> = (0..count).map(|i| self.id(side, i).and_then(|id| by_id.remove(&id))).collect();
        let mut taken: HashSet<usize> = place.iter().flatten().copied().collect();
        for i in (0..count).filter(|i| place[*i].is_none()).collect::<Vec<_>>() {
            let name = &self.names[side][i];
            let rows = by_name.get(name).map(Vec::as_slice).unwrap_or_default();
            // Of several with one name each says which it is, or none does.
            let is_other = |row: &Row| self.shared.contains(name) && self.id(side, i).is_some() && self.has_id(row);
            place[i] = rows.iter().copied().find(|at| !taken.contains(at) && !is_other(&self.all[*at]));
            taken.extend(place[i]);
        }
        for (i, place) in place.into_iter().enumerate() {
            if let Some(at) = place {
                self.all[at][side] = Some(i);
            } else {
                let mut row: Row = [None; 3];
                row[side] = Some(i);
                self.all.push(row);
            }
        }
    }

    fn id(&self, side: usize, i: usize) -> Option<String> {
        self.lists[side][i].get(self.also?).filter(|id| !id.is_zero()).map(Value::key_text)
    }

    fn has_id(&self, row: &Row) -> bool {
        (0..3).any(|side| row[side].is_some_and(|i| self.id(side, i).is_some()))
    }

    fn item(&self, row: &Row, side: usize) -> Option<&'v Value> {
        row[side].map(|i| &self.lists[side][i])
    }

    /// The list whose item a row is called after, and the item's place there.
    fn told(row: &Row) -> Option<(usize, usize)> {
        [DESIRED, LIVE, APPLIED].into_iter().find_map(|side| Some((side, row[side]?)))
    }

    fn name(&self, row: &Row) -> Option<&Name> {
        Self::told(row).map(|(side, i)| &self.names[side][i])
    }

    fn crumb(&self, row: &Row) -> Crumb<'v> {
        let (side, i) = Self::told(row).unwrap_or_default();
        let (name, item) = (&self.names[side][i], &self.lists[side][i]);
        let also = self.also.filter(|_| self.shared.contains(name) && self.id(side, i).is_some());
        let nth = || self.names[side][..i].iter().filter(|other| *other == name).count();
        if name.is_empty() {
            return Crumb::Index(i);
        }
        Crumb::Key { item, fields: self.keys, also, nth: if also.is_some() { 0 } else { nth() } }
    }
}

/// What occurs more than once.
fn twice<'n>(names: impl Iterator<Item = &'n Name>) -> Vec<Name> {
    let mut seen: HashSet<&Name> = HashSet::new();
    names.filter(|name| !seen.insert(name)).cloned().collect()
}

fn name_of(item_field: Option<Field<'_>>, fields: &'static [&'static str], item: &Value) -> Name {
    let told = |name: &'static str| {
        let value = item.get(name).filter(|v| !matches!(v, Value::Null))?;
        let known = item_field.and_then(|f| f.field(name));
        Some((name, same::text(known, &value.key_text()).into_owned()))
    };
    fields.iter().filter_map(|name| told(name)).collect()
}
