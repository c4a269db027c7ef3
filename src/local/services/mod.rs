//! What the server does, a file a service, each habit with its evidence.
//!
//! To add a service: one file with its operations as a [`super::routes::Room`], its habits, a `mod` and a word in `services!` below.
//! What every service needs is beside it: paging in `paging`, access lists in `permissions`, masks in `mask`.

mod alerts;
mod catalogs;
mod cluster_known;
mod cluster_lists;
mod cluster_policies;
mod cluster_spec;
mod clusters;
mod files;
mod filling;
mod genie;
mod genie_agents;
mod genie_evals;
mod genie_export;
mod genie_limits;
mod genie_typed;
mod grants;
mod identity;
mod identity_view;
mod instance_pools;
mod job_settings;
mod jobs;
mod kept_objects;
mod libraries;
mod login;
mod mask;
mod notebook_text;
mod paging;
mod permission_types;
mod permissions;
mod policy_rules;
mod principals;
mod queries;
mod run_course;
mod runs;
mod samples;
mod schedule;
mod schemas;
mod scim;
mod scim_patch;
mod secrets;
mod serving_config;
mod serving_endpoints;
mod settling;
mod tree;
mod unity;
mod volumes;
mod warehouses;
mod workspace_conf;
mod workspace_tags;

use super::routes::OpenRoom;
use super::store::Transaction;

/// Why a habit is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The official SDKs' source or field notes.
    Sdk,
    /// Behaviour measured or reproduced by the public command line's tests.
    Cli,
    /// The public documentation.
    Docs,
    /// A public issue thread, or a provider's workaround.
    Issue,
    /// Experience; nothing that could be cited.
    Unverified,
}

/// Something the server does.
#[derive(Debug, Clone, Copy)]
pub struct Habit {
    /// The operations it shows in: `jobs`.
    pub service: &'static str,
    /// What it does.
    pub does: &'static str,
    /// Why it is believed.
    pub evidence: Evidence,
}

/// A habit of a service.
const fn habit(service: &'static str, does: &'static str, evidence: Evidence) -> Habit {
    Habit { service, does, evidence }
}

macro_rules! rivals {
    ($($variant:ident $name:literal $does:literal)*) => {
        #[expect(clippy::doc_markdown, reason = "the same words are printed on a terminal")]
        /// What else the server may do, where evidence is weak; off unless named.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rival {
            $(#[doc = $does] $variant,)*
        }

        /// Rival habits: name, and what the server does instead.
        static RIVALS: &[(&str, &str)] = &[$(($name, $does)),*];
        const VARIANTS: &[Rival] = &[$(Rival::$variant),*];
    };
}

rivals! {
    JobGone404 "job-gone-404" "an absent job answers 404 RESOURCE_DOES_NOT_EXIST instead of 400"
    OmitZeros "omit-zeros" "replies leave out false, zero and empty members"
    DefaultSchemaCounts "default-schema-counts" "a catalog that holds only its own default schema is not empty: deleting it needs force"
    OwnerReadded "owner-readded" "permissions of a job or pipeline set without an owner keep the former one instead of 400"
    CallerReadded "caller-readded" "whoever sets permissions without naming themselves is added with CAN_MANAGE"
    PermissionsOfAbsentEmpty "permissions-of-absent-empty" "permissions of an absent object answer an empty list instead of 404"
    UnknownPrincipal400 "unknown-principal-400" "a principal that the workspace does not know is refused in access lists with 400 BAD_REQUEST instead of 404"
    GrantsOfAccount "grants-of-account" "grants take a principal that the workspace does not know, as one of the account, instead of 404"
    UnityTaken409 "unity-taken-409" "a catalog or schema whose name is taken answers 409 instead of 400"
    WarehousePro "warehouse-pro" "a warehouse without a type becomes PRO instead of CLASSIC"
    QueueEnabled "queue-enabled" "a job without a queue gets one that is enabled"
    TrashGone "trash-gone" "a trashed alert or query answers 404 instead of itself with the lifecycle_state of the trash"
    EntitlementsInherited "entitlements-inherited" "users and service principals show what their groups may do among their own entitlements, as indirect"
    GenieSlowTrash "genie-slow-trash" "a trashed Genie space still answers for a while before 404"
    GenieTrashListed "genie-trash-listed" "a trashed Genie space still stands in lists for a while, although it answers 404"
    GenieSplitsLines "genie-splits-lines" "texts of a Genie space come back as lists of lines"
    GenieViewsAsTables "genie-views-as-tables" "metric views of a Genie space come back among its tables"
    GenieParent400 "genie-parent-400" "a Genie space, a query or an alert in a folder that is not there is refused with 400 INVALID_PARAMETER_VALUE instead of 404"
    GenieEtagMoves "genie-etag-moves" "a Genie space is migrated by the server once it was read: its etag moves, what is in it does not"
    GenieSplitsAnywhere "genie-splits-anywhere" "texts of a Genie space come back cut at other places than they were sent"
    GenieFiftyAnswers "genie-fifty-answers" "a Genie space with more than 50 functions or benchmarks is refused"
    GenieSchemaLags "genie-schema-lags" "the first Genie space that names a table of a schema is refused, as if that were not there yet"
    GenieTablesChecked "genie-tables-checked" "a Genie space that names a table in a schema which is not there is refused"
    GenieKnowsMore "genie-knows-more" "a serialized space may hold members that no reference names: they are taken, kept and given back"
    GenieStrict "genie-strict" "a Genie space with more than 200 snippets, of more than 3.5 MB, or with a join that is no equality of its sides is refused"
    GenieNoEvalRuns "genie-no-eval-runs" "a workspace without runs of benchmarks answers 404 ENDPOINT_NOT_FOUND to them"
    TagsOfAbsentEmpty "tags-of-absent-empty" "tags of a Genie space that is not there are an empty list instead of 404"
    GenieSpacesAbsent "genie-spaces-absent" "the workspace has no /api/2.0/genie/spaces: 404 ENDPOINT_NOT_FOUND"
    GenieAgentsAbsent "genie-agents-absent" "the workspace has no /api/2.0/genie/agents: 404 ENDPOINT_NOT_FOUND"
    PathsAsAsked "paths-as-asked" "the workspace tree answers with the path that was asked for, with /Workspace where that had it"
    NotebooksAsSent "notebooks-as-sent" "an export as SOURCE gives back the very text that was imported"
    ClusterGone404 "cluster-gone-404" "an absent cluster answers 404 RESOURCE_DOES_NOT_EXIST instead of 400"
    ClusterPurged "cluster-purged" "an absent cluster answers 400 INVALID_STATE: it cannot be accessed any more"
    PinsUntold "pins-untold" "a cluster does not say who pinned it: only the filter of the list tells pinned ones"
    PolicyRewritten "policy-rewritten" "a cluster policy shows its definition written anew: other spaces, keys in order"
    FilesParentsMade "files-parents-made" "an upload into a folder of a volume that is not there makes it instead of answering 404"
    PoolRemembered "pool-remembered" "a deleted instance pool answers with state DELETED instead of 404"
}

impl Rival {
    /// The rival of this name.
    pub fn named(name: &str) -> Option<Self> {
        RIVALS.iter().position(|(n, _)| *n == name).map(|at| VARIANTS[at])
    }

    /// All names, with what each does.
    pub fn names() -> &'static [(&'static str, &'static str)] {
        RIVALS
    }
}

/// The services: the room and the habits of each, in this order.
macro_rules! services {
    ($($service:ident)*) => {
        static ROOMS: [OpenRoom; [$(stringify!($service)),*].len()] = [$(OpenRoom::new($service::ROOM)),*];
        static HABITS: &[&[Habit]] = &[$($service::HABITS),*];
    };
}

services! {
    login jobs warehouses queries genie genie_evals genie_agents samples
    kept_objects instance_pools cluster_policies clusters libraries permissions catalogs schemas
    volumes files tree secrets grants unity workspace_conf workspace_tags
    alerts serving_endpoints identity runs
}

/// All rooms.
pub fn rooms() -> &'static [OpenRoom] {
    &ROOMS
}

/// All habits, by service.
pub fn habits() -> impl Iterator<Item = &'static Habit> {
    HABITS.iter().copied().flatten()
}

/// Whether an operation is open to callers without a token.
pub fn needs_no_credentials(operation: &str) -> bool {
    operation.starts_with("extra.discovery.") || operation == "extra.oauth.token"
}

/// What every workspace has from the start.
pub fn seed(objects: &mut Transaction<'_>, workspace_id: u64, now: i64) {
    identity::seed(objects);
    catalogs::seed(objects, workspace_id, now);
    tree::seed(objects, workspace_id, now);
}
