//! The ownership tag: which project, environment and address an object belongs to.

use super::Inputs;
use crate::diff::OWNERSHIP_TAG;
use crate::kinds::{Kind, Tag};
use crate::model::{Address, Fingerprint, Map, Path, Step, Value};

/// The field that carries the tag, if the kind and the environment have one.
pub(super) fn field(kind: &Kind, inputs: &Inputs<'_>) -> Option<&'static str> {
    kind.tag.filter(|_| inputs.environment.ownership_tag).map(|Tag::Map(field)| field)
}

/// The part of the tag that says whose it is: the same for every object ever made under this address.
pub(super) fn owner(inputs: &Inputs<'_>, address: &Address) -> String {
    owner_of(inputs.project, &inputs.environment.name, address)
}

/// The same for an address of any project and environment; what follows it in a tag, after `-`, is of one create.
#[must_use]
pub fn owner_of(project: &str, environment: &str, address: &Address) -> String {
    digits(&format!("{project}/{environment}/{address}"), 16)
}

/// A tag for an object that this plan makes.
pub(super) fn make(inputs: &Inputs<'_>, address: &Address) -> String {
    let nonce = digits(&format!("{}/{}/{address}", inputs.state.lineage, inputs.state.serial), 8);
    format!("{}-{nonce}", owner(inputs, address))
}

fn digits(text: &str, length: usize) -> String {
    let mut digest = Fingerprint::of(text.as_bytes()).0;
    digest.truncate(length);
    digest
}

/// The tag that an object carries.
pub(super) fn read<'v>(kind: &Kind, live: &'v Value) -> Option<&'v str> {
    let Tag::Map(field) = kind.tag?;
    live.get(field)?.get(OWNERSHIP_TAG)?.as_str()
}

/// The path of the tag.
pub(super) fn path(field: &str) -> Path {
    Path::from(vec![Step::Field(field.to_owned()), Step::Field(OWNERSHIP_TAG.to_owned())])
}

/// Puts the tag into a body that is to be sent. Where YAML owns no tags, those that are live stay.
pub(super) fn put(body: &mut Value, field: &str, tag: &str, live: Option<&Value>, owned: bool) {
    let Some(map) = body.as_map_mut() else { return };
    let start = || if owned { Map::new() } else { live.and_then(|l| l.get(field)).and_then(Value::as_map).cloned().unwrap_or_default() };
    let tags = map.entry(field.to_owned()).or_insert_with(|| Value::Map(start()));
    if !matches!(tags, Value::Map(_) | Value::Unknown(_)) {
        *tags = Value::Map(Map::new());
    }
    if let Some(tags) = tags.as_map_mut() {
        tags.insert(OWNERSHIP_TAG.to_owned(), Value::text(tag));
    }
}
