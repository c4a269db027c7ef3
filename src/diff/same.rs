//! Whether two values are the same as the backend sees them, and what a missing value stands for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::alike::Alike;
use super::compare::parsed;
use super::{NO_SECRETS, secret};
use crate::catalogue::Type;
use crate::kinds::{Fact, Field, Lit};
use crate::model::{Map, StateKey, Value};

/// Whether two values are the same as the backend sees them. A missing field is the same as its default, or as zero.
/// Secrets and what is never read back count as the same; unknown is the same as nothing.
#[must_use]
pub fn same(field: Option<Field<'_>>, a: &Value, b: &Value) -> bool {
    Agreement::live(&NO_SECRETS).holds(field, a, b)
}

/// The maps that a field stands in: where the default "as the sibling" looks.
#[derive(Clone, Copy, Default)]
pub(super) struct Around<'v> {
    pub desired: Option<&'v Map>,
    pub applied: Option<&'v Map>,
    pub live: Option<&'v Map>,
}

/// Whether a live value says no more than a missing one: a default, or whatever the backend picks.
pub(super) fn is_picked(field: Option<Field<'_>>, value: &Value, around: Around<'_>) -> bool {
    matches!(field.and_then(|f| f.default()), Some(Lit::Backend)) || is_default(field, value, around)
}

/// Whether a value says no more than a missing one: the documented default, or else a zero.
pub(super) fn is_default(field: Option<Field<'_>>, value: &Value, around: Around<'_>) -> bool {
    if matches!(value, Value::Null) {
        return true;
    }
    match field.and_then(|f| f.default()) {
        None | Some(Lit::Backend) => value.is_zero(),
        Some(Lit::Bool(b)) => *value == Value::Bool(b),
        Some(Lit::Int(n)) => scalars(field, &Value::Int(n), value),
        Some(Lit::Text(t)) => scalars(field, &Value::text(t), value),
        Some(Lit::Field(sibling)) => {
            let siblings = [around.desired, around.live].into_iter().flatten().filter_map(|m| m.get(sibling));
            let mut siblings = siblings.peekable();
            if siblings.peek().is_none() { value.is_zero() } else { siblings.any(|s| scalars(field, s, value)) }
        }
    }
}

/// Whether a wanted value is what the server will take if nothing is sent: a default that follows a sibling follows the
/// wanted sibling, not the one that is there now (and nothing where the sibling is taken away).
pub(super) fn will_be_default(field: Option<Field<'_>>, value: &Value, around: Around<'_>) -> bool {
    let follows = match field.and_then(|f| f.default()) {
        Some(Lit::Field(sibling)) => [around.desired, around.applied].into_iter().flatten().any(|m| m.contains_key(sibling)),
        _ => false,
    };
    is_default(field, value, if follows { Around { live: None, ..around } } else { around })
}

/// What the second value is: live says nothing of secrets, the state records them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Against {
    Live,
    Applied,
}

/// Sameness of two whole values.
#[derive(Clone, Copy)]
pub(super) struct Agreement<'s> {
    against: Against,
    secrets: &'s BTreeMap<String, Value>,
    key: Option<&'s StateKey>,
}

impl<'s> Agreement<'s> {
    pub fn live(secrets: &'s BTreeMap<String, Value>) -> Self {
        Self { against: Against::Live, secrets, key: None }
    }

    pub fn applied(secrets: &'s BTreeMap<String, Value>) -> Self {
        Self { against: Against::Applied, secrets, key: None }
    }

    /// The same, which also compares secrets that live tells with their fingerprints.
    pub fn keyed(self, key: Option<&'s StateKey>) -> Self {
        Self { key, ..self }
    }

    /// Whether live is the recorded secret, as far as that can be told.
    fn is_recorded(&self, field: Option<Field<'_>>, record: Option<&Value>, live: &Value) -> bool {
        let print = record.and_then(|r| r.get("fingerprint")).and_then(Value::as_str);
        match (self.key, print) {
            (Some(key), Some(print)) if secret::is_told(field, live) => secret::has_print(field, live, key, print),
            _ => true,
        }
    }

    /// Whether they are the same.
    pub fn holds(&self, field: Option<Field<'_>>, ours: &Value, other: &Value) -> bool {
        if let Value::Secret(d) = ours {
            return match self.against {
                Against::Live => self.is_recorded(field, self.secrets.get(&d.source), other),
                Against::Applied => secret::recorded_as(d, other, self.secrets),
            };
        }
        if self.against == Against::Live && secret::source_of(ours).is_some() {
            return self.is_recorded(field, Some(ours), other);
        }
        for fact in field.iter().flat_map(Field::facts) {
            match fact {
                Fact::Same(same) => return same(ours, other),
                Fact::JsonText => return json_texts(ours, other),
                _ => {}
            }
        }
        match (ours, other) {
            (Value::Unknown(_), _) | (_, Value::Unknown(_)) => false,
            (Value::Map(a), Value::Map(b)) => self.maps(field, a, b),
            (Value::List(a), Value::List(b)) => self.lists(field, a, b),
            _ => scalars(field, ours, other),
        }
    }

    fn maps(&self, field: Option<Field<'_>>, ours: &Map, other: &Map) -> bool {
        let field = field.filter(|f| !f.carried());
        let free = field.is_some_and(|f| !f.is_struct());
        let around = Around { desired: Some(ours), live: Some(other), applied: None };
        let below = |name: &str| field.and_then(|f| f.field(name));
        let here = ours.iter().all(|(name, a)| {
            let field = below(name);
            if self.skips(field) {
                return true;
            }
            match other.get(name) {
                Some(b) => self.holds(field, a, b) || (matches!(a, Value::Null) && is_picked(field, b, around)),
                None => !free && (is_default(field, a, around) || self.is_hollow(field, a)),
            }
        });
        here && other.iter().filter(|(name, _)| !ours.contains_key(*name)).all(|(name, b)| {
            let field = below(name);
            // What the catalogue does not know and YAML does not say is the server's.
            self.skips(field) || (!free && (is_picked(field, b, around) || (field.is_none() && self.against == Against::Live)))
        })
    }

    /// Whether a struct holds nothing that the other side could show: servers leave out what would be empty there.
    fn is_hollow(&self, field: Option<Field<'_>>, value: &Value) -> bool {
        let Value::Map(map) = value else { return false };
        let around = Around { desired: Some(map), ..Around::default() };
        let shows_nothing = |name: &String, v: &Value| {
            let field = field.and_then(|f| f.field(name));
            let secret = matches!(v, Value::Secret(_)) || secret::source_of(v).is_some();
            self.skips(field) || secret || is_default(field, v, around) || self.is_hollow(field, v)
        };
        self.against == Against::Live && field.is_some_and(|f| f.is_struct()) && map.iter().all(|(name, v)| shows_nothing(name, v))
    }

    fn skips(&self, field: Option<Field<'_>>) -> bool {
        field.is_some_and(|f| f.computed() || (self.against == Against::Live && (f.input_only() || f.secret())))
    }

    fn lists(&self, field: Option<Field<'_>>, ours: &[Value], other: &[Value]) -> bool {
        if ours.len() != other.len() {
            return false;
        }
        let item = field.and_then(|f| f.item());
        let in_order = ours.iter().zip(other).all(|(a, b)| self.holds(item, a, b));
        let unordered = field.is_some_and(|f| f.set() || f.keyed().is_some());
        in_order || (unordered && self.pair(item, ours, other).is_empty())
    }

    /// What is left of both lists once equal items have been paired, in their order: indexes into ours and theirs.
    pub fn pair(&self, item: Option<Field<'_>>, ours: &[Value], other: &[Value]) -> Unpaired {
        let mut taken = vec![false; other.len()];
        let mut left = Unpaired::default();
        let mut alike = Alike::of(item, ours, other);
        // Equal values first look at the same place, then where something alike is, then anywhere from the first free one.
        let mut free = 0;
        for (i, a) in ours.iter().enumerate() {
            let same_place = other.get(i).filter(|b| !taken[i] && self.holds(item, a, b)).map(|_| i);
            let alike = || alike.find(item, a, &taken).filter(|j| self.holds(item, a, &other[*j]));
            let found = same_place.or_else(alike).or_else(|| (free..other.len()).find(|j| !taken[*j] && self.holds(item, a, &other[*j])));
            match found {
                Some(j) => taken[j] = true,
                None => left.ours.push(i),
            }
            while taken.get(free) == Some(&true) {
                free += 1;
            }
        }
        left.others = (0..other.len()).filter(|j| !taken[*j]).collect();
        left
    }
}

/// Items without a partner.
#[derive(Default)]
pub(super) struct Unpaired {
    pub ours: Vec<usize>,
    pub others: Vec<usize>,
}

impl Unpaired {
    pub fn is_empty(&self) -> bool {
        self.ours.is_empty() && self.others.is_empty()
    }
}

fn json_texts(a: &Value, b: &Value) -> bool {
    match (parsed(a), parsed(b)) {
        (Some(a), Some(b)) => Agreement::live(&NO_SECRETS).holds(None, &a, &b) && Agreement::live(&NO_SECRETS).holds(None, &b, &a),
        _ => a == b,
    }
}

fn scalars(field: Option<Field<'_>>, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a == b || text(field, a) == text(field, b),
        (Value::Int(_) | Value::UInt(_) | Value::Float(_), Value::Int(_) | Value::UInt(_) | Value::Float(_)) => numbers(a, b),
        (Value::Text(t), Value::Int(_) | Value::UInt(_) | Value::Float(_)) => number_as_text(field, t, b),
        (Value::Int(_) | Value::UInt(_) | Value::Float(_), Value::Text(t)) => number_as_text(field, t, a),
        _ => a == b,
    }
}

/// A text as the backend sees it.
pub(super) fn text<'t>(field: Option<Field<'_>>, text: &'t str) -> Cow<'t, str> {
    let mut seen = Cow::Borrowed(text);
    for fact in field.iter().flat_map(Field::facts) {
        match fact {
            Fact::CaseBlind => seen = Cow::Owned(seen.to_lowercase()),
            Fact::Slashless => seen = Cow::Owned(seen.trim_end_matches('/').to_owned()),
            Fact::Chomped => seen = Cow::Owned(seen.replace("\r\n", "\n").trim_end_matches('\n').to_owned()),
            Fact::WorkspacePath => {
                if let Some(rest) = seen.strip_prefix("/Workspace").filter(|rest| rest.starts_with('/')) {
                    seen = Cow::Owned(rest.to_owned());
                }
            }
            _ => {}
        }
    }
    seen
}

/// `10` is `10.0`; whole numbers are compared exactly.
fn numbers(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(x), whole) | (whole, Value::Float(x)) if !matches!(whole, Value::Float(_)) => {
            // A float prints a whole number without an exponent below 2^53, beyond which it is none.
            x.fract() == 0.0 && x.abs() < 9_007_199_254_740_992.0 && format!("{x:.0}") == whole.key_text()
        }
        _ => a == b,
    }
}

/// 64-bit numbers travel as decimal text, and a number that a text field was given is that text.
fn number_as_text(field: Option<Field<'_>>, text: &str, number: &Value) -> bool {
    let typed = field.is_some_and(|f| matches!(f.ty(), Type::Int | Type::Int64 | Type::Number | Type::Text));
    typed && text == number.key_text()
}
