//! The first document of an environment, with a lineage that no other state has.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use super::Document;
use crate::model::{Fingerprint, Outside};

/// An empty document of serial 0 and a fresh lineage, for an environment that has no state yet.
#[must_use]
pub fn new_document(project: &str, environment: &str, outside: &Outside) -> Document {
    Document {
        lineage: lineage(outside),
        serial: 0,
        project: project.to_owned(),
        environment: environment.to_owned(),
        workspace: None,
        commit: None,
        resources: BTreeMap::new(),
        open_intents: BTreeMap::new(),
    }
}

/// A random id in the form of a version 4 UUID. `RandomState` is keyed by the operating system's random source; the
/// clock and the process are mixed in.
fn lineage(outside: &Outside) -> String {
    let random: Vec<String> = (0..4u8).map(|n| format!("{:016x}", RandomState::new().hash_one(n))).collect();
    let seed = format!("{} {} {}", random.join(" "), outside.now().as_nanosecond(), std::process::id());
    let digest = Fingerprint::of(seed.as_bytes()).0;
    let variant = ['8', '9', 'a', 'b'][usize::from(digest.as_bytes()[16] % 4)];
    format!("{}-{}-4{}-{variant}{}-{}", &digest[..8], &digest[8..12], &digest[13..16], &digest[17..20], &digest[20..32])
}
