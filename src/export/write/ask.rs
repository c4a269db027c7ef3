//! What is asked for when drift is written back, and what came of it.

use std::collections::BTreeMap;

use super::meet;
use crate::diff::FieldChange;
use crate::export::edited::Edited;
use crate::model::{Address, Path};
use crate::plan::Step;
use crate::project::{Desired, Project};

/// Where values go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Into {
    /// Into the file that the value comes from.
    #[default]
    Source,
    /// Into the environment's file, as an overlay: other environments keep what they have.
    Overlay,
}

/// Whose side is taken where YAML changed since the last apply what the workspace changed too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Conflicts {
    /// Nobody's: YAML stays as it is, and it is told.
    #[default]
    Told,
    /// The workspace's: YAML's edit goes.
    Theirs,
}

/// What is written back.
pub struct Ask<'a> {
    /// The project, as it was planned from.
    pub project: &'a Project,
    /// What it desires.
    pub desired: &'a Desired,
    /// Steps that drifted, with what was compared ([`Step::seen`]).
    pub steps: &'a [&'a Step],
    /// Ids that the workspace gave to declared objects: written as references.
    pub ids: &'a BTreeMap<String, Address>,
    /// Where values go.
    pub into: Into,
    /// Whether objects that were deleted in the workspace go from the YAML.
    pub deletions: bool,
    /// Whose side is taken where both changed something.
    pub conflicts: Conflicts,
}

/// Something that was not written, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Whose.
    pub address: Address,
    /// Which field; empty: all of it.
    pub path: Path,
    /// Why.
    pub why: String,
    /// What to do instead.
    pub help: String,
}

/// What of it nobody is to write, and why: the project would not load with it, or not say what it is to say. An empty path: all of
/// an address.
pub type Unfit = BTreeMap<(Address, Path), String>;

/// What came of it.
#[derive(Debug, Default)]
pub struct Written {
    /// Files with edits, sorted by name; not written yet.
    pub files: Vec<Edited>,
    /// What goes where: whose, which field (empty: all of it), then for people the file and why there.
    pub places: Vec<(Address, Path, String)>,
    /// What was refused.
    pub refused: Vec<Refused>,
    /// What YAML and the workspace both changed, of each step: not written.
    pub conflicts: Vec<(Address, Vec<FieldChange>)>,
    /// What goes into YAML, of each step: `old` as YAML is to have it.
    pub taken: Vec<(Address, Vec<FieldChange>)>,
    /// What YAML then has of the workspace, of each step: what the state may take for applied, `old` as it is there.
    pub recorded: Vec<(Address, Vec<FieldChange>)>,
    /// What was tried, one by one.
    pub tried: Vec<(Address, Path)>,
}

impl Written {
    /// Whether something of a step was left out: refused, or a conflict.
    #[must_use]
    pub fn is_left(&self, address: &Address) -> bool {
        self.refused.iter().any(|r| r.address == *address) || self.conflicts.iter().any(|(a, _)| a == address)
    }

    /// What the state may take for applied of a step: nothing where something was refused that stands nowhere among it.
    #[must_use]
    pub fn recorded_of(&self, address: &Address) -> Vec<&FieldChange> {
        let all: Vec<&FieldChange> = self.recorded.iter().filter(|(a, _)| a == address).flat_map(|(_, changes)| changes).collect();
        let refused: Vec<&Path> = self.refused.iter().filter(|r| r.address == *address).map(|r| &r.path).collect();
        let meets = |path: &Path, change: &FieldChange| meet(path, &change.path);
        if refused.iter().any(|path| !all.iter().any(|change| meets(path, change))) {
            return vec![];
        }
        all.into_iter().filter(|change| !refused.iter().any(|path| meets(path, change))).collect()
    }
}
