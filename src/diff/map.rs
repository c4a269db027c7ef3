//! Free maps (tags, `spark_conf`): owned whole once written, reported key by key.

use super::compare::{Crumb, Three, Walk};
use super::same::Around;
use super::{OWNERSHIP_TAG, Reason};
use crate::kinds::{Fact, Field};
use crate::model::{Map, Value};

impl<'v> Walk<'v> {
    /// Whether this key of the map here is put there by the server, or by us as the ownership tag.
    pub(super) fn is_servers(&self, field: Field<'v>, key: &str) -> bool {
        let by_prefix = |fact: &Fact| matches!(fact, Fact::ServerKeys(prefixes) if prefixes.iter().any(|p| key.starts_with(p)));
        (key == OWNERSHIP_TAG && self.is_tag_map()) || field.facts().any(by_prefix)
    }

    /// A free map: desired's keys, then those that only live has.
    pub(super) fn entries(&mut self, field: Option<Field<'v>>, three: Three<'v>) {
        let [desired, applied, live] = [three.desired, three.applied, three.live].map(|v| v.and_then(Value::as_map));
        if self.creating && desired.is_some_and(Map::is_empty) {
            return self.push(three, Reason::Changed);
        }
        let around = Around { desired, applied, live };
        let ours = desired.into_iter().flat_map(Map::keys);
        let extra = live.into_iter().flat_map(Map::keys).filter(|k| !desired.is_some_and(|d| d.contains_key(*k)));
        for key in ours.chain(extra) {
            let of = |m: Option<&'v Map>| m.and_then(|m| m.get(key));
            let below = Three { desired: of(desired), applied: of(applied), live: of(live) };
            if key == OWNERSHIP_TAG && self.is_tag_map() {
                continue;
            }
            if below.desired.is_none() && below.applied.is_none() && field.is_some_and(|f| self.is_servers(f, key)) {
                continue;
            }
            self.below(Crumb::Field(key), |walk| walk.entry(field.and_then(|f| f.field(key)), below, around));
        }
    }

    /// One entry. Presence counts: an entry with an empty value is not the same as none.
    fn entry(&mut self, field: Option<Field<'v>>, three: Three<'v>, around: Around<'v>) {
        match three {
            Three { desired: None | Some(Value::Null), live: None, .. } => {}
            Three { desired: Some(_), live: Some(_), .. } => self.node(field, three, around),
            Three { desired: Some(_), applied: None, live: None } => self.added(three, Reason::Changed),
            Three { desired: Some(_), applied: Some(_), live: None } => {
                let reason = self.lost(field, three);
                self.added(three, reason);
            }
            Three { desired: None, applied, live: Some(_) } => {
                let reason = match (around.desired, around.applied, applied) {
                    (None, Some(_), _) | (_, _, Some(_)) => Reason::Removed,
                    (_, Some(_), None) => Reason::Drift,
                    (_, None, None) => Reason::Changed,
                };
                self.added(three, reason);
            }
        }
    }

    /// Why something wanted, that was applied, is not live.
    pub(super) fn lost(&self, field: Option<Field<'v>>, three: Three<'v>) -> Reason {
        let unchanged = match (three.desired, three.applied) {
            (Some(d), Some(a)) => super::same::Agreement::applied(self.input.secrets).holds(field, d, a),
            _ => false,
        };
        if unchanged { Reason::Drift } else { Reason::Conflict }
    }

    /// An item that is only on one side, unless it is ignored.
    pub(super) fn added(&mut self, three: Three<'v>, reason: Reason) {
        if !self.ignored() {
            self.push(three, reason);
        }
    }
}
