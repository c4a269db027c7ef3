//! Folders that nobody declares and something declared is in: they are declared along with it, under their path as the key.
//!
//! One that is there already is left alone and never ours. One that is missing is made, is in the state, and goes when
//! nothing is in it any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Lifecycle, Resource};
use crate::kinds::{Registry, folders, is_path, plain_path};
use crate::model::{Address, Value};

/// The kind that folders are.
const FOLDERS: &str = "directories";

/// Folders that every workspace has.
const ROOTS: [&str; 4] = ["/Shared", "/Users", "/Repos", "/Volumes"];

/// Whether the workspace keeps this folder itself: a root, or somebody's home.
fn stands(folder: &str) -> bool {
    let is_home = ["/Users/", "/Repos/"].iter().any(|root| folder.strip_prefix(root).is_some_and(|rest| !rest.contains('/')));
    is_home || ROOTS.contains(&folder)
}

/// Adds the folders above everything that is known by its path, and those that something names as its own.
pub fn folders_above(resources: &mut BTreeMap<Address, Resource>, registry: &Registry) {
    let Some(kind) = registry.get(FOLDERS) else { return };
    let mut declared: BTreeSet<String> =
        resources.values().filter(|r| r.kind.name == FOLDERS).filter_map(|r| r.natural.last().cloned()).collect();
    let mut missing: Vec<Resource> = Vec::new();
    for resource in resources.values() {
        let Some(field) = resource.kind.parents.iter().find(|p| p.kind == FOLDERS).map(|p| p.field) else { continue };
        let Some(path) = resource.body.get(field).and_then(Value::as_str).filter(|_| is_path(resource.kind, field)) else { continue };
        // Some are known by their path, others name the folder that they are in.
        let itself = (resource.kind.natural.fields != [field]).then(|| plain_path(path).trim_end_matches('/'));
        let around = itself.filter(|path| !path.is_empty()).into_iter().chain(folders(path));
        for folder in around.filter(|folder| !stands(folder)) {
            if declared.insert(folder.to_owned()) {
                missing.push(Resource {
                    address: Address::new(FOLDERS, folder),
                    kind,
                    body: Value::map([("path", Value::from(folder))]),
                    node: Arc::clone(&resource.node),
                    span: resource.span.clone(),
                    lifecycle: Lifecycle::default(),
                    depends_on: Vec::new(),
                    presets: Vec::new(),
                    natural: vec![folder.to_owned()],
                });
            }
        }
    }
    resources.extend(missing.into_iter().map(|resource| (resource.address.clone(), resource)));
}

/// Whether this is the address of a folder that is declared along with what is in it.
pub fn is_implied(address: &Address, path: &str) -> bool {
    address.kind == FOLDERS && address.key.starts_with('/') && address.key == plain_path(path) && !address.is_facet()
}
