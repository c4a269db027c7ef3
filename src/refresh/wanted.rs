//! Which addresses are read, and what is known of each.

use std::collections::{BTreeMap, BTreeSet};

use super::group::{Group, Identified, Known, Want};
use super::object::{id_of, read_of, same_id, text_of};
use super::{Address, ApiError, Ask, Intent, Kind, Live, Value};
use crate::client::ApiErrorKind;
use crate::kinds::{Identity, Lifetime};
use crate::project::Resource;
use crate::state::{Entry, Status};

/// One address and all that is said of it.
pub struct Target<'a> {
    pub address: Address,
    pub kind: &'static Kind,
    pub desired: Option<&'a Resource>,
    pub entry: Option<&'a Entry>,
    pub import: Option<&'a str>,
    pub intent: Option<&'a Intent>,
}

/// Everything desired, in the state, or begun by an unfinished apply; addresses whose kind nobody knows failed already.
pub fn targets<'a>(ask: &Ask<'a>) -> (Vec<Target<'a>>, BTreeMap<Address, Live>) {
    let mut addresses: BTreeSet<&Address> = ask.desired.resources.keys().collect();
    addresses.extend(ask.state.resources.keys());
    addresses.extend(ask.state.open_intents.keys());
    let old: BTreeMap<&Address, &Address> = ask.desired.moves.iter().map(|(from, to)| (to, from)).collect();
    let (mut targets, mut failed) = (Vec::with_capacity(addresses.len()), BTreeMap::new());
    for address in addresses {
        if !ask.only.is_none_or(|only| only(address)) {
            continue;
        }
        let desired = ask.desired.resources.get(address);
        let entry = ask.state.resources.get(address).or_else(|| ask.state.resources.get(&moved_from(&old, address)?));
        let intent = ask.state.open_intents.get(address);
        let name = entry.map(|entry| entry.kind.as_str()).or(intent.map(|intent| intent.kind.as_str()));
        let kind = desired.map(|resource| resource.kind).or_else(|| ask.registry.get(name?));
        match kind {
            Some(kind) => {
                let kind = ask.registry.current(kind);
                let import = ask.desired.imports.get(address).map(|(id, _)| id.as_str());
                targets.push(Target { address: address.clone(), kind, desired, entry, import, intent });
            }
            None => drop(failed.insert(address.clone(), Live::Failed(unknown_kind(name.unwrap_or(&address.kind))))),
        }
    }
    (targets, failed)
}

/// The address that a resource or its facet had before a declared move.
fn moved_from(old: &BTreeMap<&Address, &Address>, address: &Address) -> Option<Address> {
    if let Some(from) = old.get(address) {
        return Some((*from).clone());
    }
    let from = old.get(&address.parent())?;
    address.facet.as_deref().map(|facet| from.facet(facet))
}

fn unknown_kind(name: &str) -> ApiError {
    ApiError {
        kind: ApiErrorKind::Invalid,
        status: None,
        code: String::new(),
        message: format!("the state holds an object of kind `{name}`, which this Brickform does not know"),
        request: "nothing was sent".to_owned(),
        request_id: None,
        tries: 0,
        may_have_happened: false,
    }
}

impl Target<'_> {
    /// Whether it is read by itself, not through a parent or with other settings.
    pub fn stands_alone(&self) -> bool {
        self.kind.lifetime == Lifetime::Own
    }

    /// The body that says most of what is in the workspace: the applied one, else the desired one, else what an unfinished
    /// apply was about to send.
    pub fn body(&self) -> &Value {
        const NOTHING: &Value = &Value::Null;
        let begun = || self.intent.and_then(|intent| intent.applied.as_ref());
        self.entry.map(|entry| &entry.applied).or(self.desired.map(|resource| &resource.body)).or_else(begun).unwrap_or(NOTHING)
    }

    /// The top-level fields that are or were managed.
    pub fn names(&self) -> BTreeSet<&str> {
        let bodies = [self.desired.map(|resource| &resource.body), self.entry.map(|entry| &entry.applied)];
        bodies.into_iter().flatten().filter_map(Value::as_map).flat_map(|map| map.keys().map(String::as_str)).collect()
    }

    fn want(&self, recent: bool) -> Want {
        let body = self.body();
        let identified = |id: String| Identified { call: read_of(self.kind, &id, body, &[]), id };
        let known = match (self.entry, self.import) {
            (Some(entry), _) => Known::State(identified(entry.id.clone())),
            (None, Some(id)) => Known::Import(identified(id.to_owned())),
            (None, None) if matches!(self.kind.identity, Identity::Assigned(_)) => Known::Not,
            (None, None) => id_of(self.kind, body).map_or(Known::Not, |id| Known::Name(identified(id))),
        };
        let natural = self.desired.map(|resource| &resource.natural).or(self.intent.map(|intent| &intent.natural));
        let followed = self.followed().into_iter().map(identified).collect();
        let begun = self.begun().filter(|_| matches!(known, Known::Name(_) | Known::State(_))).map(identified);
        Want {
            address: self.address.clone(),
            known,
            followed,
            begun,
            natural: natural.cloned().unwrap_or_default(),
            is_desired: self.desired.is_some(),
            intent: self.intent.cloned(),
            left: self.entry.filter(|entry| recent && entry.status == Status::Ok).map(|entry| entry.applied.clone()),
        }
    }

    /// The ids that it may have if some of what its name hangs on was renamed and the state does not know that yet: the last
    /// part is as it was, of those that name a parent each as the parent was or is called.
    fn followed(&self) -> Vec<String> {
        let (Identity::Named { parts, .. }, Some(entry), Some(resource)) = (self.kind.identity, self.entry, self.desired) else {
            return vec![];
        };
        let same = |part: &str| entry.applied.get(part) == resource.body.get(part);
        let around = parts.split_last().map_or(&[][..], |(_, around)| around);
        let hangs = |part: &str| self.kind.parents.iter().any(|parent| parent.field == part);
        let moved: Vec<&str> = around.iter().copied().filter(|part| !same(part)).collect();
        let parent = |kind: &str| entry.dependencies.iter().any(|d| d.kind == kind && resource.depends_on.contains(d));
        let kept = self.kind.parents.iter().all(|p| !parts.contains(&p.field) || same(p.field) || parent(p.kind));
        if !kept || !moved.iter().all(|part| hangs(part)) {
            return vec![];
        }
        let mut bodies = vec![entry.applied.clone()];
        for part in moved {
            let Some(wanted) = resource.body.get(part) else { return vec![] };
            let renamed = bodies.clone().into_iter().filter_map(|mut body| {
                body.as_map_mut()?.insert(part.to_owned(), wanted.clone());
                Some(body)
            });
            bodies.extend(renamed.collect::<Vec<_>>());
        }
        bodies.iter().skip(1).filter_map(|body| id_of(self.kind, body)).collect()
    }

    /// The id of what an unfinished apply began to make, where that is a name and YAML gives another one now.
    fn begun(&self) -> Option<String> {
        let natural = &self.intent?.natural;
        let fields = self.kind.natural.fields.iter().zip(natural);
        let id = id_of(self.kind, &Value::map(fields.map(|(field, value)| (*field, Value::text(value.as_str())))))?;
        (Some(same_id(self.kind, &id)) != id_of(self.kind, self.body()).map(|id| same_id(self.kind, &id))).then_some(id)
    }

    /// The value that the kind's list asks for.
    fn list_parent(&self) -> Option<String> {
        let word = |field: &str| {
            let of_body = self.body().get(field).and_then(text_of);
            of_body.or_else(|| {
                let at = self.kind.natural.fields.iter().position(|known| *known == field)?;
                self.intent?.natural.get(at).cloned()
            })
        };
        let words: Vec<Option<String>> = self.kind.parents.iter().filter(|parent| parent.listed_by).map(|p| word(p.field)).collect();
        if words.is_empty() { None } else { words.into_iter().collect::<Option<Vec<_>>>().map(|words| words.join(".")) }
    }
}

/// The groups of those that stand alone: by kind, and by parent where the list asks for one.
pub fn groups(targets: &[Target<'_>], ask: &Ask<'_>) -> Vec<Group> {
    let mut managed: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (address, entry) in &ask.state.resources {
        if let Some(kind) = ask.registry.get(&entry.kind).filter(|_| !address.is_facet()) {
            managed.entry(kind.name).or_default().insert(entry.id.clone());
        }
    }
    let mut groups: BTreeMap<(&str, Option<String>), Group> = BTreeMap::new();
    for target in targets.iter().filter(|target| target.stands_alone()) {
        let kind = target.kind;
        let parent = target.list_parent();
        let group = groups.entry((kind.name, parent.clone())).or_insert_with(|| Group {
            kind,
            parent,
            managed: managed.get(kind.name).cloned().unwrap_or_default(),
            wants: vec![],
            recent: ask.recent,
        });
        group.wants.push(target.want(ask.recent));
    }
    groups.into_values().collect()
}
