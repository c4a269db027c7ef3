//! Which kinds there are: a value that a test can extend.

use super::Kind;
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

/// The kinds of a run.
#[derive(Clone)]
pub struct Registry {
    kinds: Vec<&'static Kind>,
}

impl Registry {
    /// All kinds that Brickform knows.
    #[must_use]
    pub fn standard() -> Self {
        Self { kinds: STANDARD.to_vec() }
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
        self.kinds.iter().copied().find(|k| k.name == name || k.aliases.contains(&name))
    }

    /// All, in order of declaration.
    pub fn iter(&self) -> impl Iterator<Item = &'static Kind> + '_ {
        self.kinds.iter().copied()
    }
}
