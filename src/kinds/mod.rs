//! What we believe and want of each kind of resource: constant data with plain, pure functions beside it.
//!
//! A kind is one file and one word in the registry. A kind never sends anything: it describes requests ([`Call`]) from
//! a change. The engine (validation, diff, plan, refresh, apply, export, documentation) reads kinds and never asks which
//! one it has. The local workspace never reads them.

mod acl;
mod alerts;
mod build;
mod call;
mod catalogs;
mod change;
mod cluster_policies;
mod cluster_rules;
mod cluster_update;
mod clusters;
mod compile;
mod content;
mod directories;
mod encode;
mod facts;
mod files;
mod grants;
mod group_members;
mod groups;
mod instance_pools;
mod jobs;
mod kind;
mod libraries;
mod limits;
mod names;
mod notebooks;
mod overlay;
mod pages;
mod permissions;
mod place;
mod queries;
mod registry;
mod relations;
mod requests;
mod schema;
mod schemas;
mod scim;
mod secret_acls;
mod secret_scopes;
mod secrets;
mod service_principals;
mod serving_endpoints;
mod spaces;
#[cfg(test)]
mod tests;
pub mod types;
mod users;
mod volumes;
mod warehouses;
mod workspace_conf;
mod workspace_tags;

pub use acl::{is_listed, levels, names_maker};
pub use call::{
    Call, Repeat, Until, create_calls, delete_calls, from_reply, from_row, id_of, lacking, list_call, list_parent, marks_call, read_call,
    second_read, update_calls, within_calls,
};
pub use change::{Calls, Change, Context, Hooks, NamedColumn, Recognise, Recognised, Refusal, Repack, Spell, Verdict, View};
pub use encode::{BYTES, Encoding, from_base64};
pub use facts::{Etag, Fact, Identity, Lifetime, Lit, Loss, Natural, Preset, Rename, Tag, Unique};
pub use kind::{At, Kind, Op, Otherwise, Unsent};
pub use limits::roundabout;
pub use names::{folders, is_path, natural_text, plain_id, plain_path, same_id};
pub use pages::{Told, told};
pub use registry::{Api, Doubt, Registry};
pub use relations::{Born, Contents, Facet, From, Gives, Name, Objects, Parent, Sort, Within};
pub use requests::{After, Blocks, Gone, List, Read, Request, Route, Rows, Update, Wait, Whole};
pub use schema::{Field, Schema};
pub use service_principals::is_application_id;
pub use spaces::{SpaceList, space_lists};

// The words that most kinds' functions need.
use crate::model::{Path, Step, Value};
