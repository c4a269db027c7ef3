//! Which kinds there are: a value that a test can extend.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::alerts::ALERTS;
use super::catalogs::CATALOGS;
use super::cluster_policies::CLUSTER_POLICIES;
use super::clusters::CLUSTERS;
use super::directories::DIRECTORIES;
use super::files::FILES;
use super::grants::GRANTS;
use super::group_members::GROUP_MEMBERS;
use super::groups::GROUPS;
use super::instance_pools::INSTANCE_POOLS;
use super::jobs::JOBS;
use super::libraries::LIBRARIES;
use super::notebooks::NOTEBOOKS;
use super::permissions::PERMISSIONS;
use super::queries::QUERIES;
use super::schemas::SCHEMAS;
use super::secret_acls::SECRET_ACLS;
use super::secret_scopes::SECRET_SCOPES;
use super::secrets::SECRETS;
use super::service_principals::SERVICE_PRINCIPALS;
use super::serving_endpoints::SERVING_ENDPOINTS;
use super::spaces::SPACES;
use super::users::USERS;
use super::volumes::VOLUMES;
use super::warehouses::WAREHOUSES;
use super::workspace_conf::WORKSPACE_CONF;
use super::workspace_tags::WORKSPACE_TAGS;
use super::{Kind, Refusal};
use crate::model::Value;

/// In the order in which documents and listings name them.
const STANDARD: &[&Kind] = &[
    &JOBS,
    &INSTANCE_POOLS,
    &CLUSTER_POLICIES,
    &CLUSTERS,
    &LIBRARIES,
    &WAREHOUSES,
    &QUERIES,
    &ALERTS,
    &SPACES,
    &CATALOGS,
    &SCHEMAS,
    &VOLUMES,
    &DIRECTORIES,
    &NOTEBOOKS,
    &FILES,
    &SECRET_SCOPES,
    &SECRET_ACLS,
    &SECRETS,
    &GRANTS,
    &PERMISSIONS,
    &SERVING_ENDPOINTS,
    &WORKSPACE_CONF,
    &WORKSPACE_TAGS,
    &GROUPS,
    &GROUP_MEMBERS,
    &USERS,
    &SERVICE_PRINCIPALS,
];

/// Which of two APIs of the same objects is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// That of the kind itself.
    First,
    /// That of its [`Otherwise`](super::Otherwise).
    Other,
}

/// What is known of something that only one of two APIs has a place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Neither has a place for all of it.
    Refused,
    /// It depends on which of them the workspace has: the word of the setting for the one that has a place.
    Open(&'static str),
}

/// The kinds of a run. Clones share what was chosen among APIs: what a workspace turns out to have holds for the whole run.
#[derive(Clone)]
pub struct Registry {
    kinds: Vec<&'static Kind>,
    chosen: Arc<RwLock<BTreeMap<&'static str, Api>>>,
    /// Kinds of which an environment said that the workspace is to choose.
    left_open: Arc<RwLock<BTreeSet<&'static str>>>,
    /// Kinds whose first API the workspace turned out not to have.
    fallen: Arc<RwLock<BTreeSet<&'static str>>>,
}

impl Registry {
    /// All kinds that Brickform knows.
    #[must_use]
    pub fn standard() -> Self {
        Self { kinds: STANDARD.to_vec(), chosen: Arc::default(), left_open: Arc::default(), fallen: Arc::default() }
    }

    /// The same kinds with choices of their own: those of an environment are no other's.
    #[must_use]
    pub fn apart(&self) -> Self {
        let left_open = self.left_open.read().unwrap_or_else(PoisonError::into_inner).clone();
        let fallen = self.fallen.read().unwrap_or_else(PoisonError::into_inner).clone();
        let chosen = self.all_chosen().clone();
        Self {
            kinds: self.kinds.clone(),
            chosen: Arc::new(RwLock::new(chosen)),
            left_open: Arc::new(RwLock::new(left_open)),
            fallen: Arc::new(RwLock::new(fallen)),
        }
    }

    fn all_chosen(&self) -> RwLockReadGuard<'_, BTreeMap<&'static str, Api>> {
        self.chosen.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// These kinds too.
    #[must_use]
    pub fn with(mut self, kind: &'static Kind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// The kind of this name or alias.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'static Kind> {
        self.kinds.iter().copied().find(|k| k.name == name || k.aliases.contains(&name)).map(|kind| self.by_choice(kind))
    }

    /// The kind as it is used in this run: by the API that was chosen.
    #[must_use]
    pub fn current(&self, kind: &'static Kind) -> &'static Kind {
        self.by_choice(self.first(kind))
    }

    /// The kind by the API that it has of itself, whatever was chosen.
    #[must_use]
    pub fn first(&self, kind: &'static Kind) -> &'static Kind {
        self.kinds.iter().copied().find(|own| own.name == kind.name).unwrap_or(kind)
    }

    fn by_choice(&self, kind: &'static Kind) -> &'static Kind {
        match (kind.otherwise, self.chosen(kind)) {
            (Some(otherwise), Some(Api::Other)) => otherwise.kind,
            _ => kind,
        }
    }

    /// What was chosen for a kind; none where the workspace is to say, and has not.
    #[must_use]
    pub fn chosen(&self, kind: &Kind) -> Option<Api> {
        self.all_chosen().get(kind.name).copied()
    }

    /// Chooses for a kind that has two APIs.
    pub fn choose(&self, kind: &'static Kind, api: Api) {
        self.chosen.write().unwrap_or_else(PoisonError::into_inner).insert(kind.name, api);
    }

    /// An environment says that the workspace chooses (`auto`).
    pub fn leave_open(&self, kind: &'static Kind) {
        self.left_open.write().unwrap_or_else(PoisonError::into_inner).insert(kind.name);
    }

    /// What of a body only one of two APIs has a place for, as long as nobody knows which of them it is: surely refused where
    /// either lacks something. Where nobody said a word, the first is taken for the one that will be; where an environment
    /// leaves it open, either may be.
    #[must_use]
    pub fn in_doubt(&self, kind: &'static Kind, body: &Value) -> (Doubt, Vec<Refusal>) {
        let Some(otherwise) = self.first(kind).otherwise.filter(|_| self.chosen(kind).is_none()) else { return (Doubt::Refused, vec![]) };
        let lacks = |kind: &Kind| kind.hooks.carries.map_or_else(Vec::new, |carries| carries(body));
        let (mut first, other) = (lacks(self.first(kind)), lacks(otherwise.kind));
        if !first.is_empty() && !other.is_empty() {
            first.extend(other);
            return (Doubt::Refused, first);
        }
        let left_open = self.left_open.read().unwrap_or_else(PoisonError::into_inner).contains(kind.name);
        let [own, others] = otherwise.words;
        if first.is_empty() && left_open { (Doubt::Open(own), other) } else { (Doubt::Open(others), first) }
    }

    /// The setting and its word with which the other of two APIs is used; none where there is one only, or where the workspace has
    /// not the other.
    #[must_use]
    pub fn instead(&self, kind: &'static Kind) -> Option<(&'static str, &'static str)> {
        let otherwise = self.first(kind).otherwise?;
        let [first, other] = otherwise.words;
        match self.chosen(kind)? {
            Api::First => Some((otherwise.setting, other)),
            Api::Other => {
                let has_fallen = self.fallen.read().unwrap_or_else(PoisonError::into_inner).contains(kind.name);
                (!has_fallen).then_some((otherwise.setting, first))
            }
        }
    }

    /// The workspace has not the API that this kind was asked by: chooses the other, if there is one and nobody chose. Gives
    /// whether it did.
    #[must_use]
    pub fn fall_back(&self, kind: &'static Kind) -> bool {
        let falls = self.first(kind).otherwise.is_some() && self.chosen(kind).is_none();
        if falls {
            self.fallen.write().unwrap_or_else(PoisonError::into_inner).insert(kind.name);
            self.choose(kind, Api::Other);
        }
        falls
    }

    /// Which of two APIs kinds are asked by, where they have two: the setting that says it, and its word.
    #[must_use]
    pub fn apis(&self) -> Vec<(&'static str, &'static str)> {
        let word = |kind: &Kind, [first, other]: [&'static str; 2]| match self.chosen(kind) {
            Some(Api::First) => first,
            Some(Api::Other) => other,
            None => "auto",
        };
        self.kinds.iter().filter_map(|kind| kind.otherwise.map(|otherwise| (otherwise.setting, word(kind, otherwise.words)))).collect()
    }

    /// All, in order of declaration.
    pub fn iter(&self) -> impl Iterator<Item = &'static Kind> + '_ {
        self.kinds.iter().copied().map(|kind| self.by_choice(kind))
    }
}
