//! Three-way comparison of values by path: desired, applied, live. Pure.
//!
//! Objects are owned field by field: what YAML sets now or set at the last apply. Lists and free maps are owned whole once
//! written; inside an item of a keyed list it is field by field again. Owns sameness (order, case, slashes, numbers, JSON
//! text) and the reasons of a change. Refuses to know what a change costs: that is the plan's.

use std::collections::BTreeMap;

mod alike;
mod compare;
mod lines;
mod list;
mod map;
mod merge;
#[cfg(test)]
mod properties;
mod same;
mod secret;
mod take;
#[cfg(test)]
mod tests;

pub use compare::compare;
pub use merge::{Adopted, Merged, Sides, added, adopted, arrived, as_in_yaml, merge, taken_away};
pub use same::same;
pub use secret::{Uncompared, Untold, veil};
pub use take::{Form, taken, tidy};

use crate::kinds::{Field, Kind, Schema, Tag};
use crate::model::{Known, Path, StateKey, Value};

/// The key of the ownership tag in a kind's tag map.
pub const OWNERSHIP_TAG: &str = "brickform";

/// Why a field changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// YAML changed, live did not (or nothing was applied yet).
    Changed,
    /// Live changed, YAML did not: put back.
    Drift,
    /// Both changed, differently.
    Conflict,
    /// Set before and removed from YAML: unset, or put back to the default.
    Removed,
}

/// One field, or one item of a list or map, that differs. Values of secrets read `Value::Secret`, on all three sides.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// Where. For items of sets and unkeyed lists the path is the list's.
    pub path: Path,
    /// Live; none is absent.
    pub old: Option<Value>,
    /// Desired; none is absent (removed).
    pub new: Option<Value>,
    /// Last applied; none is absent.
    pub applied: Option<Value>,
    /// Why.
    pub reason: Reason,
}

/// What is compared.
pub struct Compare<'a> {
    /// Types and facts.
    pub field: Field<'a>,
    /// What the last apply sent; none at the first.
    pub applied: Option<&'a Value>,
    /// What the workspace answers, computed fields included; none: only desired against applied (`--refresh=false`), and
    /// without applied either every field that is set.
    pub live: Option<&'a Value>,
    /// What is wanted.
    pub desired: &'a Value,
    /// `lifecycle.ignore_changes`.
    pub ignore: &'a [Path],
    /// `lifecycle.exclusive`: unmanaged fields are removed too.
    pub exclusive: bool,
    /// The top-level map that carries the ownership tag, which is nobody's change.
    pub tag: Option<&'static str>,
    /// The recorded form of secrets by source text, as the state holds them.
    pub secrets: &'a BTreeMap<String, Value>,
    /// What fingerprints secrets: with it, a secret that the workspace tells is compared, too.
    pub key: Option<&'a StateKey>,
    /// The values of secrets that were read: with them it shows whether something holds one.
    pub known: Option<&'a Known>,
}

static NO_SECRETS: BTreeMap<String, Value> = BTreeMap::new();

impl<'a> Compare<'a> {
    /// The body of a kind, with nothing applied, nothing live, nothing ignored; name what differs.
    #[must_use]
    pub fn of(kind: &'static Kind, desired: &'a Value) -> Self {
        Self {
            field: Schema::of(kind).root(),
            applied: None,
            live: None,
            desired,
            ignore: &[],
            exclusive: false,
            tag: kind.tag.map(|Tag::Map(field)| field),
            secrets: &NO_SECRETS,
            key: None,
            known: None,
        }
    }
}

/// Whether a field of an object need not be written: only the server fills it, or it is what the server would choose.
#[must_use]
pub fn is_left_out(field: Field<'_>, value: &Value, around: &crate::model::Map) -> bool {
    let around = same::Around { live: Some(around), ..same::Around::default() };
    field.computed() || field.input_only() || field.secret() || matches!(value, Value::Null) || same::is_picked(Some(field), value, around)
}

/// What differs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Differences {
    /// In the order of the body's fields.
    pub changes: Vec<FieldChange>,
    /// Live fields that YAML never set: never a reason to update. With their values.
    pub unmanaged: Vec<(Path, Value)>,
    /// Secrets that are no change as far as that can be told: not compared with those in the workspace.
    pub uncompared: Vec<Uncompared>,
}
