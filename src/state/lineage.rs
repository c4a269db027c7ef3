//! The first document of an environment, and the lineage that it gets when something is first applied.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use super::Document;
use crate::model::{Fingerprint, Outside};

/// An empty document of serial 0 for an environment that has no state yet. It has no lineage either: plans of the same
/// inputs are the same bytes, and a state is born only by an apply ([`new_lineage`]).
#[must_use]
pub fn new_document(project: &str, environment: &str) -> Document {
    Document {
        lineage: String::new(),
        serial: 0,
        project: project.to_owned(),
        environment: environment.to_owned(),
        workspace: None,
        commit: None,
        known_commit: None,
        pinned: None,
        resources: BTreeMap::new(),
        open_intents: BTreeMap::new(),
    }
}

/// A random id in the form of a version 4 UUID. `RandomState` is keyed by the operating system's random source; the
/// clock and the process are mixed in.
#[must_use]
pub fn new_lineage(outside: &Outside) -> String {
    let random: Vec<String> = (0..4u8).map(|n| format!("{:016x}", RandomState::new().hash_one(n))).collect();
    let seed = format!("{} {} {}", random.join(" "), outside.now().as_nanosecond(), std::process::id());
    let digest = Fingerprint::of(seed.as_bytes()).0;
    let variant = ['8', '9', 'a', 'b'][usize::from(digest.as_bytes()[16] % 4)];
    format!("{}-{}-4{}-{variant}{}-{}", &digest[..8], &digest[8..12], &digest[13..16], &digest[17..20], &digest[20..32])
}
