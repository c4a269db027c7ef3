//! The walk over three values: structs field by field, single values, JSON inside text.

use super::same::{self, Agreement, Around};
use super::{Compare, Differences, FieldChange, Reason, secret};
use crate::kinds::{Fact, Field};
use crate::model::{Map, Path, Step, Value, json};

/// Compares desired, applied and live field by field.
#[must_use]
pub fn compare(input: &Compare<'_>) -> Differences {
    let live = input.live.or(input.applied);
    let mut walk = Walk {
        input,
        prefix: Path::root(),
        crumbs: Vec::new(),
        found: Differences::default(),
        creating: live.is_none(),
        owns: if input.exclusive { Owns::Known } else { Owns::Fields },
    };
    walk.node(Some(input.field), Three { desired: Some(input.desired), applied: input.applied, live }, Around::default());
    walk.found
}

/// How much of what YAML does not mention is ours.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owns {
    /// Nothing: unmanaged.
    Fields,
    /// Every field that the catalogue knows (`lifecycle.exclusive`).
    Known,
    /// Everything: the inside of JSON text.
    All,
}

/// The three values of one place; none is absent.
#[derive(Clone, Copy)]
pub(super) struct Three<'v> {
    pub desired: Option<&'v Value>,
    pub applied: Option<&'v Value>,
    pub live: Option<&'v Value>,
}

/// One step of the path, borrowed; made into a [`Step`] only where something differs.
#[derive(Clone, Copy)]
pub(super) enum Crumb<'v> {
    Field(&'v str),
    /// What an item is known by, and what else tells it from others of that name: a field, or which of them it is.
    Key {
        item: &'v Value,
        fields: &'static [&'static str],
        also: Option<&'static str>,
        nth: usize,
    },
    Index(usize),
}

impl Crumb<'_> {
    fn step(&self) -> Step {
        match self {
            Self::Field(name) => Step::Field((*name).to_owned()),
            Self::Index(i) => Step::Index(*i),
            Self::Key { item, fields, also, nth } => {
                let pairs = fields.iter().chain(also).filter_map(|f| item.get(f).map(|v| ((*f).to_owned(), v.key_text())));
                Step::Key(pairs.collect(), u32::try_from(*nth).unwrap_or(u32::MAX))
            }
        }
    }
}

pub(super) struct Walk<'v> {
    pub input: &'v Compare<'v>,
    prefix: Path,
    crumbs: Vec<Crumb<'v>>,
    pub found: Differences,
    /// Neither applied nor live: every field that is set is a change.
    pub creating: bool,
    pub owns: Owns,
}

/// How a place is compared.
enum Shape<'v> {
    Struct,
    Entries,
    List,
    Inside,
    Leaf,
    /// Not ours: only in live.
    Unmanaged(&'v Value),
}

impl<'v> Walk<'v> {
    /// Goes one step down for the length of the work.
    pub fn below(&mut self, crumb: Crumb<'v>, work: impl FnOnce(&mut Self)) {
        self.crumbs.push(crumb);
        work(self);
        self.crumbs.pop();
    }

    pub fn path(&self) -> Path {
        let mut path = self.prefix.clone();
        for crumb in &self.crumbs {
            path.push(crumb.step());
        }
        path
    }

    /// Whether this place is the map that carries the ownership tag.
    pub fn is_tag_map(&self) -> bool {
        let at = match self.crumbs.as_slice() {
            [Crumb::Field(name)] if self.prefix.is_root() => Some(*name),
            _ => None,
        };
        at.is_some() && at == self.input.tag
    }

    pub fn ignored(&self) -> bool {
        if self.input.ignore.is_empty() || (self.crumbs.is_empty() && self.prefix.is_root()) {
            return false;
        }
        let path = self.path();
        self.input.ignore.iter().any(|i| i.contains(&path))
    }

    /// Compares one place.
    pub fn node(&mut self, field: Option<Field<'v>>, three: Three<'v>, around: Around<'v>) {
        if self.ignored() || field.is_some_and(|f| f.computed()) {
            return;
        }
        // A null that a server answers says no more than a missing field.
        let mut three = Three { live: three.live.filter(|l| !matches!(l, Value::Null)), ..three };
        if secret::concerns(field, three) {
            return self.secret(field, three);
        }
        if field.is_some_and(|f| f.input_only()) {
            three.live = three.applied;
            // What names an item and is never sent: one that is there and gets a name stays what it is.
            let is_name = matches!(self.crumbs.last(), Some(Crumb::Field(name)) if name.starts_with('$'));
            if is_name && three.applied.is_none() && around.live.is_some() {
                return;
            }
        }
        match self.shape(field, three) {
            Shape::Struct => self.members(field, three, around),
            Shape::Entries => self.entries(field, three),
            Shape::List => self.list(field, three),
            Shape::Inside => self.inside(field, three),
            Shape::Leaf => self.leaf(field, three, around),
            Shape::Unmanaged(live) => self.unmanaged(field, live, around),
        }
    }

    fn shape(&self, field: Option<Field<'v>>, three: Three<'v>) -> Shape<'v> {
        let Three { desired, applied, live } = three;
        let Some(ours) = desired.or(applied) else { return live.map_or(Shape::Leaf, Shape::Unmanaged) };
        let facts = |test: fn(&Fact) -> bool| field.is_some_and(|f| f.facts().any(test));
        if facts(|f| matches!(f, Fact::Same(_))) {
            return Shape::Leaf;
        }
        if facts(|f| matches!(f, Fact::JsonText)) {
            return if desired.is_none() || live.is_none() { Shape::Leaf } else { Shape::Inside };
        }
        match (ours, live) {
            (Value::Map(_), None | Some(Value::Map(_))) if self.by_field(field) => Shape::Struct,
            (Value::Map(_), None | Some(Value::Map(_))) => Shape::Entries,
            (Value::List(_), None | Some(Value::List(_))) => Shape::List,
            _ => Shape::Leaf,
        }
    }

    /// Whether a map here is a struct: known as one, or unknown to the catalogue. Inside JSON text, everything but what is
    /// known as a free map.
    fn by_field(&self, field: Option<Field<'v>>) -> bool {
        field.is_none_or(|f| f.is_struct() || f.carried() || (self.owns == Owns::All && !f.is_free_map()))
    }

    /// A struct, field by field: desired's order, then what was applied, then what only live has.
    fn members(&mut self, field: Option<Field<'v>>, three: Three<'v>, around: Around<'v>) {
        let [desired, applied, live] = [three.desired, three.applied, three.live].map(|v| v.and_then(Value::as_map));
        if desired.is_none() && !self.crumbs.is_empty() && three.applied.is_some() {
            return self.removed_struct(field, three);
        }
        if self.creating && desired.is_some_and(Map::is_empty) && !self.crumbs.is_empty() {
            return self.leaf(field, three, around);
        }
        let inner = Around { desired, applied, live };
        let [first, second, third] = [desired, applied, live].map(|m| m.into_iter().flat_map(Map::keys));
        let second = second.filter(|k| !desired.is_some_and(|d| d.contains_key(*k)));
        let third = third.filter(|k| ![desired, applied].into_iter().flatten().any(|m| m.contains_key(*k)));
        for name in first.chain(second).chain(third) {
            let of = |m: Option<&'v Map>| m.and_then(|m| m.get(name));
            let mut below = Three { desired: of(desired), applied: of(applied), live: of(live) };
            let known = field.filter(|f| !f.carried()).and_then(|f| f.field(name));
            if known.is_none() && below.live.is_none() && field.is_some_and(|f| f.is_struct()) {
                // A field that nobody knows and the workspace does not tell: it was sent, and more cannot be seen.
                below.live = below.applied;
            }
            self.below(Crumb::Field(name), |walk| walk.node(known, below, inner));
        }
    }

    /// A struct that YAML held and holds no more. It goes as a whole, unless it only holds parts, or that would take unmanaged
    /// fields along and the rest could stand alone (nothing required is taken from it).
    fn removed_struct(&mut self, field: Option<Field<'v>>, three: Three<'v>) {
        let Some(live) = three.live else { return };
        let Some(applied) = three.applied.and_then(Value::as_map) else { return };
        let before = (self.found.changes.len(), self.found.unmanaged.len());
        let inner = Around { desired: None, applied: Some(applied), live: live.as_map() };
        let others = inner.live.into_iter().flat_map(Map::keys).filter(|k| !applied.contains_key(*k));
        for name in applied.keys().chain(others) {
            let below = Three { desired: None, applied: applied.get(name), live: live.get(name) };
            let known = field.filter(|f| !f.carried()).and_then(|f| f.field(name));
            self.below(Crumb::Field(name), |walk| walk.node(known, below, inner));
        }
        if self.found.changes.len() == before.0 || field.is_some_and(|f| f.parts()) {
            return;
        }
        let required = |name: &String| field.and_then(|f| f.field(name)).is_some_and(|f| f.required());
        if self.found.unmanaged.len() == before.1 || applied.keys().any(required) {
            self.found.changes.truncate(before.0);
            self.found.unmanaged.truncate(before.1);
            self.push(three, Reason::Removed);
        }
    }

    /// One value.
    pub fn leaf(&mut self, field: Option<Field<'v>>, three: Three<'v>, around: Around<'v>) {
        let Three { desired, applied, live } = three;
        let agreement = Agreement::live(self.input.secrets).keyed(self.input.key);
        let settled = match (desired, live) {
            (None, None) => true,
            (Some(d), Some(l)) => agreement.holds(field, d, l) || (matches!(d, Value::Null) && same::is_picked(field, l, around)),
            (Some(d), None) => !self.creating && (same::will_be_default(field, d, around) || self.left_out(field, d, applied)),
            (None, Some(l)) if applied.is_none() => same::is_picked(field, l, around),
            // What was set is unset, unless it is what the server would give anyway.
            (None, Some(l)) => same::is_default(field, l, around),
        };
        if settled {
            return self.settled_whole(desired);
        }
        let reason = self.reason(field, three, around);
        self.push(three, reason);
    }

    /// Whether an absent value is a zero that the server leaves out of its reply, although its default is no zero: it was
    /// sent as it is wanted now. (Defaults that are no zeros are written out.)
    fn left_out(&self, field: Option<Field<'v>>, desired: &Value, applied: Option<&Value>) -> bool {
        desired.is_zero() && applied.is_some_and(|a| Agreement::applied(self.input.secrets).holds(field, desired, a))
    }

    fn reason(&self, field: Option<Field<'v>>, three: Three<'v>, around: Around<'v>) -> Reason {
        let Some(applied) = three.applied else {
            // An extra in something owned whole: somebody added it, if there was an apply before.
            return if three.desired.is_none() && around.applied.is_some() { Reason::Drift } else { Reason::Changed };
        };
        let Some(desired) = three.desired else { return Reason::Removed };
        let unchanged = Agreement::applied(self.input.secrets).holds(field, desired, applied);
        let undisturbed = match three.live {
            Some(live) => Agreement::live(self.input.secrets).keyed(self.input.key).holds(field, applied, live),
            None => same::is_default(field, applied, around),
        };
        match (unchanged, undisturbed) {
            (true, _) => Reason::Drift,
            (false, true) => Reason::Changed,
            (false, false) if matches!(desired, Value::Unknown(_)) => Reason::Changed,
            (false, false) => Reason::Conflict,
        }
    }

    /// JSON inside text, compared as structure and owned whole.
    fn inside(&mut self, field: Option<Field<'v>>, three: Three<'v>) {
        let (desired, live) = (three.desired.and_then(parsed), three.live.and_then(parsed));
        let applied = three.applied.and_then(parsed);
        let (Some(desired), Some(live)) = (desired, live) else { return self.leaf(field, three, Around::default()) };
        let found = {
            let mut prefix = self.path();
            prefix.push(Step::Inside);
            let three = Three { desired: Some(&desired), applied: applied.as_ref(), live: Some(&live) };
            let input = Compare { field: self.input.field, ..*self.input };
            let mut walk =
                Walk { input: &input, prefix, crumbs: Vec::new(), found: Differences::default(), creating: false, owns: Owns::All };
            walk.node(field.map(|f| f.inside()), three, Around::default());
            walk.found
        };
        self.found.changes.extend(found.changes);
        self.found.uncompared.extend(found.uncompared);
    }

    /// What YAML never set.
    fn unmanaged(&mut self, field: Option<Field<'v>>, live: &'v Value, around: Around<'v>) {
        if self.owns != Owns::Fields {
            return self.extra(field, live, around);
        }
        let Some(known) = field else { return };
        if known.input_only() || known.secret() || same::is_picked(field, live, around) {
            return;
        }
        match live {
            Value::Map(map) if known.is_struct() => {
                let inner = Around { live: Some(map), ..Around::default() };
                for (name, value) in map {
                    let three = Three { desired: None, applied: None, live: Some(value) };
                    self.below(Crumb::Field(name), |walk| walk.node(known.field(name), three, inner));
                }
            }
            Value::Map(map) => {
                let kept: Map = map.iter().filter(|(k, _)| !self.is_servers(known, k)).map(|(k, v)| (k.clone(), v.clone())).collect();
                if !kept.is_empty() {
                    self.found.unmanaged.push((self.path(), Value::Map(kept)));
                }
            }
            other => self.found.unmanaged.push((self.path(), other.clone())),
        }
    }

    /// A field that is only in live, of something that is owned whole.
    fn extra(&mut self, field: Option<Field<'v>>, live: &'v Value, around: Around<'v>) {
        if (field.is_none() && self.owns == Owns::Known) || field.is_some_and(|f| f.input_only() || f.secret()) {
            return;
        }
        if same::is_picked(field, live, around) {
            return;
        }
        let three = Three { desired: None, applied: None, live: Some(live) };
        match live {
            Value::Map(_) if field.is_some_and(|f| f.is_free_map()) => self.entries(field, three),
            Value::Map(map) if field.is_some_and(|f| f.is_struct()) => {
                let inner = Around { live: Some(map), applied: around.applied, desired: None };
                for (name, value) in map {
                    let three = Three { desired: None, applied: None, live: Some(value) };
                    self.below(Crumb::Field(name), |walk| walk.node(field.and_then(|f| f.field(name)), three, inner));
                }
            }
            _ => self.leaf(field, three, around),
        }
    }

    pub fn push(&mut self, three: Three<'v>, reason: Reason) {
        let Three { desired, applied, live } = three;
        let secret = [desired, applied].into_iter().flatten().any(secret::holds_secret);
        let shown = |v: Option<&Value>| v.map(|v| if secret { secret::veil(v, desired, applied) } else { v.clone() });
        let change = FieldChange { path: self.path(), old: shown(live), new: desired.cloned(), applied: shown(applied), reason };
        self.found.changes.push(change);
    }
}

/// JSON text as structure; the state holds it parsed already.
pub(super) fn parsed(value: &Value) -> Option<Value> {
    match value {
        Value::Text(text) => json::parse(text.as_bytes()).ok(),
        Value::Map(_) | Value::List(_) => Some(value.clone()),
        _ => None,
    }
}
