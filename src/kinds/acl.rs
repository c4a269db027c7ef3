//! Entries of permission sets, and which objects have which levels.

use super::{Context, Gives, Name, Value};

/// The fields that name a principal.
pub(super) const PRINCIPALS: &[&str; 3] = &["user_name", "group_name", "service_principal_name"];

/// Who may stand in the entries' `user_name`.
pub(super) const USER: Name = Name { list: "entries", field: "user_name", kind: "users", by: "userName", gives: Gives::Itself };
/// Who may stand in `group_name`.
pub(super) const GROUP: Name = Name { list: "entries", field: "group_name", kind: "groups", by: "displayName", gives: Gives::Itself };
/// Who may stand in `service_principal_name`.
pub(super) const SERVICE_PRINCIPAL: Name = Name {
    list: "entries",
    field: "service_principal_name",
    kind: "service_principals",
    by: "displayName",
    gives: Gives::Field("applicationId"),
};
/// Who may stand in `principal`, which says not of which sort: a user,
pub(super) const ANY_USER: Name = Name { field: "principal", ..USER };
/// a group,
pub(super) const ANY_GROUP: Name = Name { field: "principal", ..GROUP };
/// or a service principal.
pub(super) const ANY_SERVICE_PRINCIPAL: Name = Name { field: "principal", gives: Gives::FieldIfAny("applicationId"), ..SERVICE_PRINCIPAL };

/// One principal's level.
#[derive(Clone)]
pub(super) struct Entry {
    /// Which field names it.
    pub by: &'static str,
    /// Its name; unknown where it comes from a resource that is not there yet.
    pub name: Value,
    /// `CAN_MANAGE`.
    pub level: Value,
}

impl Entry {
    /// An entry of a request.
    pub fn of(item: &Value) -> Option<Self> {
        let (by, name) = principal(item)?;
        Some(Self { by, name: name.clone(), level: item.get("permission_level")?.clone() })
    }

    /// As requests have it.
    pub fn body(&self) -> Value {
        Value::map([(self.by, self.name.clone()), ("permission_level", self.level.clone())])
    }

    pub fn is_owner(&self) -> bool {
        self.level.as_str() == Some("IS_OWNER")
    }

    pub fn same_principal(&self, other: &Self) -> bool {
        self.by == other.by
            && match (&self.name, &other.name) {
                (Value::Text(a), Value::Text(b)) => a.eq_ignore_ascii_case(b),
                (a, b) => a == b,
            }
    }
}

fn principal(item: &Value) -> Option<(&'static str, &Value)> {
    PRINCIPALS.iter().find_map(|by| Some((*by, item.get(by).filter(|v| **v != Value::Null)?)))
}

/// The entries of a YAML body.
pub(super) fn listed(body: &Value) -> Vec<Entry> {
    body.get("entries").and_then(Value::as_list).unwrap_or_default().iter().filter_map(Entry::of).collect()
}

/// The entries of a reply that are the object's own. A body in YAML's form is read, too.
pub(super) fn direct(reply: &Value) -> Vec<Entry> {
    let Some(list) = reply.get("access_control_list").and_then(Value::as_list) else { return listed(reply) };
    let mut entries = Vec::new();
    for item in list {
        let Some((by, name)) = principal(item) else { continue };
        for permission in item.get("all_permissions").and_then(Value::as_list).unwrap_or_default() {
            if permission.get("inherited").and_then(Value::as_bool) != Some(true)
                && let Some(level) = permission.get("permission_level")
            {
                entries.push(Entry { by, name: name.clone(), level: level.clone() });
            }
        }
    }
    entries
}

/// The fields in which replies say who made an object, or owns it.
const MAKERS: &[&str] = &["creator_user_name", "creator_name", "owner_user_name", "creator", "owner"];

/// Whether a reply says who made the object, or owns it.
#[must_use]
pub fn names_maker(body: &Value) -> bool {
    MAKERS.iter().any(|field| body.get(field).is_some_and(|who| who.as_str().is_some()))
}

/// Whether a permission set's reply has an entry of the object's own for this principal, which is no group.
#[must_use]
pub fn is_listed(reply: &Value, who: &str) -> bool {
    direct(reply).iter().any(|e| e.by != "group_name" && e.name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(who)))
}

/// Whether the entry is the deployer's: the one the environment names, else the one who made or owns the parent,
/// as its reply or the state says.
pub(super) fn is_deployer(entry: &Entry, context: &Context<'_>) -> bool {
    let Some(name) = entry.name.as_str().filter(|_| entry.by != "group_name") else { return false };
    let is = |who: &str| who.eq_ignore_ascii_case(name);
    let Some(deployer) = context.deployer else {
        let told = context.parent.into_iter().flat_map(|parent| MAKERS.iter().filter_map(|f| parent.get(f)?.as_str()));
        return told.chain(context.maker).any(is);
    };
    is(deployer)
}

/// A sort of object that has permissions.
pub(super) struct ObjectType {
    /// As it stands in the path of `/api/2.0/permissions`.
    pub name: &'static str,
    aliases: &'static [&'static str],
    /// What may be granted. Clouds and tiers may know fewer.
    pub levels: &'static [&'static str],
}

impl ObjectType {
    /// Whether exactly one principal owns such an object, and has to.
    pub fn owned(&self) -> bool {
        self.levels.contains(&"IS_OWNER")
    }
}

/// The object type of this name or alias.
pub(super) fn object_type(name: &str) -> Option<&'static ObjectType> {
    OBJECT_TYPES.iter().find(|t| t.name == name || t.aliases.contains(&name))
}

/// The level as the API calls it. Bundles, and the page of a space, say `CAN_VIEW` of spaces, which the API refuses.
pub(super) fn level_of(object: &str, level: &str) -> Option<&'static str> {
    (object == "genie" && level == "CAN_VIEW").then_some("CAN_READ")
}

/// The levels that an object of this type (`jobs`, `sql/warehouses`) has, as permissions name it; empty: not known.
#[must_use]
pub fn levels(object: &str) -> &'static [&'static str] {
    object_type(object).map_or(&[], |known| known.levels)
}

/// Levels as a sentence names them.
pub(super) fn told(levels: &[&str]) -> String {
    match levels {
        [only] => format!("the level is {only}"),
        several => format!("levels are {}", several.join(", ")),
    }
}

const fn object(name: &'static str, levels: &'static [&'static str]) -> ObjectType {
    ObjectType { name, aliases: &[], levels }
}

const fn also(name: &'static str, aliases: &'static [&'static str], levels: &'static [&'static str]) -> ObjectType {
    ObjectType { name, aliases, levels }
}

const USE: &[&str] = &["CAN_USE", "CAN_MANAGE"];
const READ_TO_MANAGE: &[&str] = &["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"];

/// The public permissions reference and the SDK's enums agree on these.
static OBJECT_TYPES: &[ObjectType] = &[
    also("alerts", &["sql/alerts"], READ_TO_MANAGE),
    object("alertsv2", READ_TO_MANAGE),
    object("apps", USE),
    object("authorization", USE),
    object("clusters", &["CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"]),
    object("cluster-policies", &["CAN_USE"]),
    object("dashboards", READ_TO_MANAGE),
    object("database-instances", USE),
    object("database-projects", USE),
    object("dbsql-dashboards", &["CAN_READ", "CAN_VIEW", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"]),
    object("directories", READ_TO_MANAGE),
    object("experiments", &["CAN_READ", "CAN_EDIT", "CAN_MANAGE"]),
    object("files", READ_TO_MANAGE),
    also(
        "genie",
        &["spaces", "genie_spaces", "genie-spaces", "genie-space", "genie_agents", "genie-agents", "genie-agent"],
        READ_TO_MANAGE,
    ),
    object("instance-pools", &["CAN_ATTACH_TO", "CAN_MANAGE"]),
    object("jobs", &["CAN_VIEW", "CAN_MANAGE_RUN", "IS_OWNER", "CAN_MANAGE"]),
    object("knowledge-assistants", &["CAN_QUERY", "CAN_MANAGE"]),
    object("notebooks", READ_TO_MANAGE),
    object("pipelines", &["CAN_VIEW", "CAN_RUN", "CAN_MANAGE", "IS_OWNER"]),
    also("queries", &["sql/queries"], READ_TO_MANAGE),
    object("registered-models", &["CAN_READ", "CAN_EDIT", "CAN_MANAGE_STAGING_VERSIONS", "CAN_MANAGE_PRODUCTION_VERSIONS", "CAN_MANAGE"]),
    object("repos", READ_TO_MANAGE),
    object("serving-endpoints", &["CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"]),
    object("supervisor-agents", &["CAN_QUERY", "CAN_MANAGE"]),
    object("vector-search-endpoints", &["CAN_USE", "CAN_CREATE", "CAN_MANAGE"]),
    also("warehouses", &["sql/warehouses"], &["CAN_VIEW", "CAN_MONITOR", "CAN_USE", "CAN_MANAGE", "IS_OWNER"]),
];
