//! Principals as replies show them, and those that every workspace here has from the start.

use crate::local::credentials::DEFAULT_USER;
use crate::local::exchange::{Exchange, Principal, digest, uuid_of};
use crate::local::services::{Rival, principals};
use crate::local::store::Transaction;
use crate::model::{Map, Value};

/// The group that everyone is in.
pub const EVERYONE: &str = "users";
/// Groups that cannot be deleted or renamed.
pub const BUILTIN: [&str; 2] = ["admins", EVERYONE];
/// Groups that every workspace here has.
const GROUPS: [&str; 5] = ["admins", EVERYONE, "data-engineers", "analysts", "account-readers"];
/// The one of them that belongs to the account.
const ACCOUNT_GROUP: &str = "account-readers";
/// What everyone may do: the entitlements that new workspaces give to the group of everyone.
const ENTITLEMENTS: [&str; 2] = ["workspace-access", "databricks-sql-access"];
/// Users besides the administrator.
const USERS: [(&str, &str); 2] = [("ada@brickform.local", "Ada Lovelace"), ("grace@brickform.local", "Grace Hopper")];
/// Service principals, by display name.
const SERVICE_PRINCIPALS: [&str; 2] = ["sp-release", "sp-jobs"];

/// Puts the principals there.
pub fn seed(objects: &mut Transaction<'_>) {
    for (n, name) in (1_u64..).zip(GROUPS) {
        let id = (1_000_000_000_000 + n).to_string();
        let mut group = resource(&id, Principal::Group, name);
        if name == "admins" {
            group.insert("members".to_owned(), Value::List(vec![Value::map([("value", Value::Text(user_id(1)))])]));
        }
        if name == EVERYONE {
            let entitlements = ENTITLEMENTS.iter().map(|e| Value::map([("value", Value::from(*e))])).collect();
            group.insert("entitlements".to_owned(), Value::List(entitlements));
        }
        let ty = if name == ACCOUNT_GROUP { "Group" } else { "WorkspaceGroup" };
        group.insert("meta".to_owned(), Value::map([("resourceType", ty.into())]));
        objects.put("groups", &id, Value::Map(group));
    }
    for (n, (name, display)) in (1_u64..).zip([(DEFAULT_USER, "Administrator")].into_iter().chain(USERS)) {
        let mut user = resource(&user_id(n), Principal::User, display);
        user.insert("userName".to_owned(), name.into());
        user.insert("emails".to_owned(), Value::List(vec![Value::map([("value", name.into()), ("primary", Value::Bool(true))])]));
        user.insert("active".to_owned(), Value::Bool(true));
        objects.put("users", &user_id(n), Value::Map(user));
    }
    for (n, name) in (1_u64..).zip(SERVICE_PRINCIPALS) {
        let id = (3_000_000_000_000 + n).to_string();
        let mut principal = resource(&id, Principal::ServicePrincipal, name);
        principal.insert("applicationId".to_owned(), Value::Text(uuid_of(&digest("service_principals", n))));
        principal.insert("active".to_owned(), Value::Bool(true));
        objects.put("service_principals", &id, Value::Map(principal));
    }
}

fn user_id(n: u64) -> String {
    (2_000_000_000_000 + n).to_string()
}

/// A resource with what all of them have.
pub fn resource(id: &str, sort: Principal, display: &str) -> Map {
    let schema = match sort {
        Principal::User => "User",
        Principal::Group => "Group",
        Principal::ServicePrincipal => "ServicePrincipal",
    };
    let mut map = Map::new();
    map.insert("schemas".to_owned(), Value::List(vec![Value::Text(format!("urn:ietf:params:scim:schemas:core:2.0:{schema}"))]));
    map.insert("id".to_owned(), id.into());
    map.insert("displayName".to_owned(), display.into());
    map
}

/// A caller that nobody registered; it may do everything all the same.
pub fn stranger(name: &str) -> Map {
    let number = u64::from_str_radix(&digest(name, 0)[..12], 16).unwrap_or_default();
    let mut user = resource(&(4_000_000_000_000_000 + number).to_string(), Principal::User, name);
    user.insert("groups".to_owned(), Value::List(vec![Value::map([("display", Value::text("admins"))])]));
    user
}

/// Whether a group is the account's, not the workspace's.
pub fn is_account_group(group: &Map) -> bool {
    group.get("meta").and_then(|m| m.get("resourceType")).and_then(Value::as_str) == Some("Group")
}

/// The ids of a group's direct members.
pub fn member_ids(group: &Map) -> Vec<String> {
    let members = group.get("members").and_then(Value::as_list).unwrap_or_default();
    members.iter().filter_map(|m| Some(m.get("value")?.key_text())).collect()
}

/// What a principal of this id is.
pub fn sort_of(exchange: &Exchange<'_, '_>, id: &str) -> Option<Principal> {
    Principal::ALL.into_iter().find(|sort| exchange.objects.has(principals::place(*sort).0, id))
}

/// Whether a group has this member, also through other groups.
pub fn contains(exchange: &Exchange<'_, '_>, group: &str, member: &str) -> bool {
    let mut open = vec![group.to_owned()];
    let mut seen: Vec<String> = Vec::new();
    while let Some(id) = open.pop() {
        let Some(found) = exchange.objects.get("groups", &id) else { continue };
        for below in found.as_map().map(member_ids).unwrap_or_default() {
            if below == member {
                return true;
            }
            if !seen.contains(&below) {
                seen.push(below.clone());
                open.push(below);
            }
        }
    }
    false
}

/// Whether the caller is in the group of this name, also through other groups.
pub fn is_in(exchange: &Exchange<'_, '_>, group: &str) -> bool {
    if ["users", "account users"].contains(&group) {
        return true;
    }
    let caller = principals::find(exchange.objects, exchange.caller.sort, &exchange.caller.name);
    let found = principals::find(exchange.objects, Principal::Group, group);
    let id = |resource: &Value| resource.get("id").map(Value::key_text).unwrap_or_default();
    caller.zip(found).is_some_and(|(caller, group)| contains(exchange, &id(&group), &id(&caller)))
}

/// A principal as replies show it.
pub fn shown(exchange: &Exchange<'_, '_>, sort: Principal, mut resource: Map) -> Map {
    let id = resource.get("id").map(Value::key_text).unwrap_or_default();
    if sort == Principal::Group {
        let everyone = resource.get("displayName").and_then(Value::as_str) == Some(EVERYONE);
        let ids = if everyone { everybody(exchange) } else { member_ids(&resource) };
        let members: Vec<Value> = ids.iter().filter_map(|id| member(exchange, id)).collect();
        resource.shift_remove("members");
        if !members.is_empty() {
            resource.insert("members".to_owned(), Value::List(members));
        }
    }
    let groups = groups_of(exchange, sort, &id);
    if exchange.rival(Rival::EntitlementsInherited) && sort != Principal::Group {
        add_inherited(&mut resource, &groups);
    }
    let groups: Vec<Value> = groups.into_iter().map(|group| group.shown()).collect();
    if !groups.is_empty() {
        resource.insert("groups".to_owned(), Value::List(groups));
    }
    resource
}

fn everybody(exchange: &Exchange<'_, '_>) -> Vec<String> {
    let of = |collection| exchange.objects.all(collection).map(|(id, _)| id.to_owned());
    of("users").chain(of("service_principals")).collect()
}

fn member(exchange: &Exchange<'_, '_>, id: &str) -> Option<Value> {
    let sort = sort_of(exchange, id)?;
    let found = exchange.objects.get(principals::place(sort).0, id)?;
    let place = match sort {
        Principal::User => "Users",
        Principal::Group => "Groups",
        Principal::ServicePrincipal => "ServicePrincipals",
    };
    let display = found.get("displayName").cloned().unwrap_or_else(|| Value::text(id));
    Some(Value::map([("display", display), ("value", Value::text(id)), ("$ref", Value::Text(format!("{place}/{id}")))]))
}

/// A group that a principal is in.
struct Membership {
    id: String,
    direct: bool,
    group: std::sync::Arc<Value>,
}

impl Membership {
    fn shown(&self) -> Value {
        Value::map([
            ("display", self.group.get("displayName").cloned().unwrap_or(Value::Null)),
            ("type", Value::from(if self.direct { "direct" } else { "indirect" })),
            ("value", Value::text(&self.id)),
            ("$ref", Value::Text(format!("Groups/{}", self.id))),
        ])
    }
}

fn groups_of(exchange: &Exchange<'_, '_>, sort: Principal, id: &str) -> Vec<Membership> {
    let mut found = Vec::new();
    for (group, value) in exchange.objects.all("groups") {
        let Some(map) = value.as_map() else { continue };
        let everyone = sort != Principal::Group && map.get("displayName").and_then(Value::as_str) == Some(EVERYONE);
        let direct = everyone || member_ids(map).iter().any(|m| m == id);
        if direct || contains(exchange, group, id) {
            found.push(Membership { id: group.to_owned(), direct, group: std::sync::Arc::clone(value) });
        }
    }
    found
}

fn add_inherited(resource: &mut Map, groups: &[Membership]) {
    let mut list = resource.get("entitlements").and_then(Value::as_list).unwrap_or_default().to_vec();
    for group in groups {
        for entitlement in group.group.get("entitlements").and_then(Value::as_list).unwrap_or_default() {
            if !list.iter().any(|known| known.get("value") == entitlement.get("value")) {
                let value = entitlement.get("value").cloned().unwrap_or(Value::Null);
                list.push(Value::map([("value", value), ("type", Value::from("indirect"))]));
            }
        }
    }
    if !list.is_empty() {
        resource.insert("entitlements".to_owned(), Value::List(list));
    }
}
