//! What an apply needs of the workspace's rights for what a project manages, and whether the caller has it. Reads only.
//!
//! What each change needs is in the references: privileges of Unity Catalog (the owner, or MANAGE, changes; CREATE_* and USE_*
//! of the parents make), object permissions (`CAN_MANAGE`), entitlements, workspace admins. What the workspace does not tell is
//! said to be unknown, never to be there.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::{ApiError, ApiErrorKind, Client, Me};
use crate::kinds::{Call, Kind, Lifetime, Registry, Repeat};
use crate::model::{Address, Map, Value};
use crate::project::Desired;
use crate::refresh::{self, Live, Snapshot};
use crate::state::Document;

/// Something that a change needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// To be a workspace admin.
    Admin,
    /// An entitlement.
    Entitlement(&'static str),
    /// To own a securable of Unity Catalog, or to have all of these privileges on it: type, full name, privileges.
    Privilege(&'static str, String, Vec<&'static str>),
    /// To manage an object: its type and id as object permissions name them.
    Manage(&'static str, String),
}

/// Whether the caller has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Yes: because of what.
    Has(String),
    /// No: what is there instead.
    Lacks(String),
    /// The workspace does not tell: why.
    Unknown(String),
}

/// Who calls, with what is known of them.
pub struct Caller {
    /// Names that stand for them in grants and access lists, lower-case: their own, their groups'.
    names: BTreeSet<String>,
    admin: bool,
    entitlements: BTreeSet<String>,
    /// Why a group's entitlements are not known.
    unknown: Option<String>,
}

impl Caller {
    /// Asks for the entitlements of the caller and of their groups.
    pub async fn ask(client: &Client, me: &Me) -> Self {
        let names = std::iter::once(&me.name).chain(me.groups.iter().map(|group| &group.name)).map(|name| name.to_lowercase());
        let mut caller = Self {
            names: names.chain(["account users".to_owned(), "users".to_owned()]).collect(),
            admin: me.groups.iter().any(|group| group.name == "admins"),
            entitlements: BTreeSet::new(),
            unknown: None,
        };
        let mut calls = vec![get("iam.current_user.me", &[])];
        calls.extend(me.groups.iter().filter(|group| !group.id.is_empty()).map(|group| get("iam.groups.get", &[("id", &group.id)])));
        for call in calls {
            match client.call(&call).await {
                Ok(reply) => {
                    let listed = reply.body.get("entitlements").and_then(Value::as_list).unwrap_or_default();
                    caller.entitlements.extend(listed.iter().filter_map(|e| e.get("value")?.as_str().map(str::to_owned)));
                }
                Err(error) => caller.unknown = Some(short(&error)),
            }
        }
        caller
    }

    /// Whether they are a workspace admin.
    pub const fn is_admin(&self) -> bool {
        self.admin
    }

    fn is(&self, name: &str) -> bool {
        self.names.contains(&name.to_lowercase())
    }
}

impl Need {
    /// `MANAGE on catalog shop`.
    pub fn told(&self) -> String {
        match self {
            Self::Admin => "workspace admin".to_owned(),
            Self::Entitlement(name) => format!("entitlement {name}"),
            Self::Privilege(securable, name, privileges) => {
                let all = privileges.join(" and ");
                if name.is_empty() { format!("{all} on the {securable}") } else { format!("{all} on {securable} {name}") }
            }
            Self::Manage(object, id) => format!("CAN_MANAGE on {object}/{id}"),
        }
    }

    /// What gives it.
    pub fn remedy(&self, caller: &str) -> String {
        match self {
            Self::Admin => format!("add {caller} to the group `admins`, or leave these to somebody who is in it"),
            Self::Entitlement(name) => format!("give {caller} the entitlement `{name}`, or a group that it is in"),
            Self::Privilege("metastore", _, privileges) => {
                format!("a metastore admin: GRANT {} ON METASTORE TO `{caller}`", privileges.join(", ").replace('_', " "))
            }
            Self::Privilege(securable, name, privileges) => {
                let sort = securable.to_uppercase();
                format!("its owner: GRANT {} ON {sort} {name} TO `{caller}`", privileges.join(", ").replace('_', " "))
            }
            Self::Manage(object, id) => format!("whoever manages it gives {caller} CAN_MANAGE on {object}/{id}"),
        }
    }

    /// Whether the caller has it.
    pub async fn check(&self, client: &Client, registry: &Registry, caller: &Caller) -> Verdict {
        match self {
            Self::Admin if caller.admin => Verdict::Has("in the group `admins`".to_owned()),
            Self::Admin => Verdict::Lacks("not in the group `admins`".to_owned()),
            Self::Entitlement(_) | Self::Manage(..) if caller.admin => Verdict::Has("a workspace admin".to_owned()),
            Self::Entitlement(name) => match &caller.unknown {
                _ if caller.entitlements.contains(*name) => Verdict::Has("entitled".to_owned()),
                Some(why) => Verdict::Unknown(format!("the entitlements of a group cannot be read: {why}")),
                None => Verdict::Lacks("neither the caller nor a group of theirs has it".to_owned()),
            },
            Self::Manage(object, id) => manages(client, caller, object, id).await,
            Self::Privilege(securable, name, privileges) => privileged(client, registry, caller, securable, name, privileges).await,
        }
    }
}

async fn manages(client: &Client, caller: &Caller, object: &str, id: &str) -> Verdict {
    let call = get("iam.permissions.get", &[("request_object_type", object), ("request_object_id", id)]);
    let reply = match client.call(&call).await {
        Ok(reply) => reply,
        Err(error) => return unread(&error),
    };
    let entries = reply.body.get("access_control_list").and_then(Value::as_list).unwrap_or_default();
    let mut found = vec![];
    for entry in entries {
        let who = ["user_name", "group_name", "service_principal_name"].iter().find_map(|name| entry.get(name)?.as_str());
        let Some(who) = who.filter(|who| caller.is(who)) else { continue };
        let levels = entry.get("all_permissions").and_then(Value::as_list).unwrap_or_default();
        for level in levels.iter().filter_map(|level| level.get("permission_level")?.as_str()) {
            if matches!(level, "CAN_MANAGE" | "IS_OWNER") {
                return Verdict::Has(format!("{level} of {who}"));
            }
            found.push(format!("{level} of {who}"));
        }
    }
    Verdict::Lacks(if found.is_empty() { "nothing on it".to_owned() } else { found.join(", ") })
}

async fn privileged(client: &Client, registry: &Registry, caller: &Caller, securable: &str, name: &str, wanted: &[&str]) -> Verdict {
    let (name, owner) = match owner(client, registry, securable, name).await {
        Ok(found) => found,
        Err(error) => return unread(&error),
    };
    if let Some(owner) = owner.filter(|owner| caller.is(owner)) {
        return Verdict::Has(format!("owned by {owner}"));
    }
    let call = get("catalog.grants.get_effective", &[("securable_type", securable), ("full_name", &name)]);
    let reply = match client.call(&call).await {
        Ok(reply) => reply,
        Err(error) => return unread(&error),
    };
    let assigned = reply.body.get("privilege_assignments").and_then(Value::as_list).unwrap_or_default();
    let ours = assigned.iter().filter(|one| one.get("principal").and_then(Value::as_str).is_some_and(|who| caller.is(who)));
    let privileges = ours.flat_map(|one| one.get("privileges").and_then(Value::as_list).unwrap_or_default());
    let has: BTreeSet<String> = privileges.filter_map(|p| p.get("privilege")?.as_str().map(|p| p.replace(' ', "_"))).collect();
    // MANAGE lets grant the rest, and ALL_PRIVILEGES is all but MANAGE.
    let covers = |wanted: &str| has.contains(wanted) || (wanted != "MANAGE" && has.contains("ALL_PRIVILEGES"));
    let lacking: Vec<&str> = wanted.iter().copied().filter(|wanted| !covers(wanted)).collect();
    if lacking.is_empty() {
        return Verdict::Has("granted".to_owned());
    }
    let has = if has.is_empty() { "nothing on it".to_owned() } else { has.into_iter().collect::<Vec<_>>().join(", ") };
    Verdict::Lacks(format!("{has}; {} is missing", lacking.join(", ")))
}

/// The full name of a securable and its owner.
async fn owner(client: &Client, registry: &Registry, securable: &str, name: &str) -> Result<(String, Option<String>), ApiError> {
    let text = |body: &Value, field: &str| body.get(field).and_then(Value::as_str).map(str::to_owned);
    if securable == "metastore" {
        let body = client.call(&get("catalog.metastores.summary", &[])).await?.body;
        return Ok((text(&body, "metastore_id").unwrap_or_default(), text(&body, "owner")));
    }
    let kind = registry.get(&format!("{securable}s")).expect("a kind of Unity Catalog");
    let body = refresh::object(client, kind, name, &Value::Map(Map::new())).await?;
    Ok((name.to_owned(), body.and_then(|body| text(&body, "owner"))))
}

/// Whoever may not even look has not the right to change.
fn unread(error: &ApiError) -> Verdict {
    match error.kind {
        ApiErrorKind::Forbidden => Verdict::Lacks(short(error)),
        _ => Verdict::Unknown(short(error)),
    }
}

/// An error in one line.
pub fn short(error: &ApiError) -> String {
    error.to_string().lines().next().unwrap_or_default().chars().take(160).collect()
}

fn get(op: &'static str, path: &[(&str, &str)]) -> Call {
    let path = path.iter().map(|(name, value)| ((*name).to_owned(), Value::text(*value))).collect();
    Call { op, path, query: Map::new(), body: None, why: "check", repeat: Repeat::Safe }
}

/// What the project needs, with the addresses that need it: what is declared, and what is managed and would go.
pub fn needs(desired: &Desired, document: &Document, registry: &Registry, snapshot: &Snapshot) -> BTreeMap<Need, Vec<Address>> {
    let mut all: BTreeMap<Need, Vec<Address>> = BTreeMap::new();
    for (address, resource) in desired.resources.iter().filter(|(address, _)| !address.is_facet()) {
        let live = match snapshot.objects.get(address) {
            Some(Live::Found { id, .. } | Live::Settled { id, .. }) => Some(id.as_str()),
            _ => None,
        };
        for need in of_one(resource.kind, live, &resource.body, desired, snapshot) {
            all.entry(need).or_default().push(address.clone());
        }
    }
    for (address, entry) in document.resources.iter().filter(|(address, _)| !address.is_facet() && !desired.resources.contains_key(address))
    {
        let Some(kind) = registry.get(&entry.kind).filter(|_| !desired.forgets.contains(address)) else { continue };
        for need in of_one(kind, Some(&entry.id), &entry.applied, desired, snapshot) {
            all.entry(need).or_default().push(address.clone());
        }
    }
    all
}

/// What one object needs: `live` is its id where it is there.
fn of_one(kind: &Kind, live: Option<&str>, body: &Value, desired: &Desired, snapshot: &Snapshot) -> Vec<Need> {
    let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    // A parent that is made by the same apply is the caller's own.
    let is_there = |kind: &str, id: &str| {
        let declared = desired.resources.iter().find(|(_, r)| r.kind.name == kind && r.natural.join(".").eq_ignore_ascii_case(id));
        declared.is_none_or(|(address, _)| matches!(snapshot.objects.get(address), Some(Live::Found { .. } | Live::Settled { .. })))
    };
    match (kind.name, live) {
        ("users" | "groups" | "service_principals" | "workspace_conf", _) | ("cluster_policies", None) => vec![Need::Admin],
        ("grants", _) => {
            let securable = ["catalog", "schema", "volume"].into_iter().find(|sort| *sort == text("securable_type"));
            securable.map(|sort| Need::Privilege(sort, text("full_name"), vec!["MANAGE"])).into_iter().collect()
        }
        ("catalogs", None) => vec![Need::Privilege("metastore", String::new(), vec!["CREATE_CATALOG"])],
        ("catalogs", Some(id)) => vec![Need::Privilege("catalog", id.to_owned(), vec!["MANAGE"])],
        ("schemas", Some(id)) => vec![Need::Privilege("schema", id.to_owned(), vec!["MANAGE"])],
        ("volumes", Some(id)) => vec![Need::Privilege("volume", id.to_owned(), vec!["MANAGE"])],
        ("schemas", None) => {
            let catalog = text("catalog_name");
            let need = is_there("catalogs", &catalog).then(|| Need::Privilege("catalog", catalog, vec!["USE_CATALOG", "CREATE_SCHEMA"]));
            need.into_iter().collect()
        }
        ("volumes", None) => {
            let (catalog, schema) = (text("catalog_name"), format!("{}.{}", text("catalog_name"), text("schema_name")));
            let of_catalog = is_there("catalogs", &catalog).then(|| Need::Privilege("catalog", catalog, vec!["USE_CATALOG"]));
            let of_schema = is_there("schemas", &schema).then(|| Need::Privilege("schema", schema, vec!["USE_SCHEMA", "CREATE_VOLUME"]));
            of_catalog.into_iter().chain(of_schema).collect()
        }
        ("clusters", None) if body.get("policy_id").is_some() => vec![],
        ("clusters" | "instance_pools" | "warehouses", None) => vec![Need::Entitlement("allow-cluster-create")],
        (_, Some(id)) if kind.lifetime == Lifetime::Own => {
            permitted(kind).map(|object| Need::Manage(object, id.to_owned())).into_iter().collect()
        }
        _ => vec![],
    }
}

/// What object permissions call a kind whose objects are known there by their own id.
fn permitted(kind: &Kind) -> Option<&'static str> {
    use crate::kinds::From;
    let facet = kind.facets.iter().find(|facet| facet.name == "permissions" && facet.kind.name == "permissions")?;
    let by_id = facet.bind.iter().any(|(field, from)| *field == "object_id" && matches!(from, From::Id));
    facet.bind.iter().find_map(|(field, from)| match from {
        From::Text(object) if *field == "object_type" && by_id => Some(*object),
        _ => None,
    })
}
