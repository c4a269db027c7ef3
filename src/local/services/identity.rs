//! Users, groups and service principals: who calls, and what is there to be named.
//!
//! Memberships are kept with the group, as ids; what a user is in is worked out when it is shown.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::exchange::{Exchange, Principal, digest, uuid_of};
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::identity_view::{self, BUILTIN, EVERYONE, is_account_group};
use crate::local::services::scim::{self, refuse};
use crate::local::services::scim_patch::patch;
use crate::local::services::{Evidence, Habit, habit, principals};
use crate::model::{Map, Value};

pub use crate::local::services::identity_view::seed;

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/preview/scim/v2/"],
    &[
        (Catalogue("iam.current_user.me"), me),
        (Catalogue("iam.users_v2.create"), |e| create(e, Principal::User)),
        (Catalogue("iam.users_v2.list"), |e| list(e, Principal::User)),
        (Catalogue("iam.users_v2.get"), |e| get(e, Principal::User)),
        (Catalogue("iam.users_v2.patch"), |e| change(e, Principal::User)),
        (Catalogue("iam.users_v2.update"), |e| replace(e, Principal::User)),
        (Catalogue("iam.users_v2.delete"), |e| delete(e, Principal::User)),
        (Catalogue("iam.groups_v2.create"), |e| create(e, Principal::Group)),
        (Catalogue("iam.groups_v2.list"), |e| list(e, Principal::Group)),
        (Catalogue("iam.groups_v2.get"), |e| get(e, Principal::Group)),
        (Catalogue("iam.groups_v2.patch"), |e| change(e, Principal::Group)),
        (Catalogue("iam.groups_v2.update"), |e| replace(e, Principal::Group)),
        (Catalogue("iam.groups_v2.delete"), |e| delete(e, Principal::Group)),
        (Catalogue("iam.service_principals_v2.create"), |e| create(e, Principal::ServicePrincipal)),
        (Catalogue("iam.service_principals_v2.list"), |e| list(e, Principal::ServicePrincipal)),
        (Catalogue("iam.service_principals_v2.get"), |e| get(e, Principal::ServicePrincipal)),
        (Catalogue("iam.service_principals_v2.patch"), |e| change(e, Principal::ServicePrincipal)),
        (Catalogue("iam.service_principals_v2.update"), |e| replace(e, Principal::ServicePrincipal)),
        (Catalogue("iam.service_principals_v2.delete"), |e| delete(e, Principal::ServicePrincipal)),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("scim", "pages by startIndex from 1 and count; gives totalResults, startIndex, itemsPerPage", Evidence::Sdk),
    habit("scim", "answers errors in SCIM's own shape", Evidence::Sdk),
    habit("scim", "names the workspace in a header of Me", Evidence::Sdk),
    habit("scim", "filters by eq, ne, co and sw, joined by and and or", Evidence::Sdk),
    habit("scim", "is blind to case where it filters", Evidence::Unverified),
    habit("scim", "shows what attributes and excludedAttributes ask for", Evidence::Sdk),
    habit("scim", "shows the id whatever attributes were asked for", Evidence::Unverified),
    habit("scim", "gives ids that are decimal texts", Evidence::Sdk),
    habit("scim", "refuses a name that is taken with 409", Evidence::Issue),
    habit("scim", "lowers user names and takes them as the display name where none is given", Evidence::Sdk),
    habit("scim", "makes up the application id of a service principal", Evidence::Sdk),
    habit("scim", "answers PATCH and PUT with 204", Evidence::Sdk),
    habit("scim", "carries out add, remove and replace; a member twice or one that is not there is no error", Evidence::Sdk),
    habit("scim", "shows members with display and $ref, and on users the groups they are in, direct and indirect", Evidence::Docs),
    habit("scim", "has everyone in the group users", Evidence::Docs),
    habit("scim", "lets nobody leave the group users", Evidence::Unverified),
    habit("scim", "keeps the groups admins and users from being deleted", Evidence::Docs),
    habit("scim", "keeps the groups admins and users from being renamed", Evidence::Unverified),
    habit("scim", "changes nothing in groups of the account (resourceType Group)", Evidence::Docs),
    habit("scim", "refuses members that it does not know and groups in a circle with 400", Evidence::Unverified),
    habit("scim", "takes who is deleted out of all groups; access lists keep the name", Evidence::Unverified),
];

/// Whoever calls: a principal that is there, or one made up for a name that is not.
fn me(exchange: &mut Exchange<'_, '_>) -> Handled {
    let caller = exchange.caller.clone();
    let found = principals::find(exchange.objects, caller.sort, &caller.name).and_then(|p| p.as_map().cloned());
    let mut user = match found {
        Some(known) => identity_view::shown(exchange, caller.sort, known),
        None => identity_view::stranger(&caller.name),
    };
    user.insert("userName".to_owned(), Value::text(&caller.name));
    user.insert("active".to_owned(), Value::Bool(true));
    Ok(Answer::ok(scim::projected(exchange, user)))
}

fn list(exchange: &mut Exchange<'_, '_>, sort: Principal) -> Handled {
    let all: Vec<Map> = exchange.objects.all(principals::place(sort).0).filter_map(|(_, p)| p.as_map().cloned()).collect();
    let all = all.into_iter().map(|resource| identity_view::shown(exchange, sort, resource)).collect();
    scim::list(exchange, all)
}

fn get(exchange: &mut Exchange<'_, '_>, sort: Principal) -> Handled {
    let (_, resource) = found(exchange, sort)?;
    let shown = identity_view::shown(exchange, sort, resource);
    Ok(Answer::ok(scim::projected(exchange, shown)))
}

/// The resource that the path names.
fn found(exchange: &Exchange<'_, '_>, sort: Principal) -> Result<(String, Map), Refusal> {
    let id = exchange.parameter("id");
    let found = exchange.objects.get(principals::place(sort).0, &id).and_then(|p| p.as_map().cloned());
    found.map(|resource| (id.clone(), resource)).ok_or_else(|| refuse(404, format!("{} with id {id} not found.", principals::noun(sort))))
}

/// What a body may set; ids, memberships seen from below and what the server says of itself are not among it.
const SETTABLE: &[&str] =
    &["userName", "displayName", "applicationId", "active", "externalId", "name", "emails", "entitlements", "roles", "members"];

fn settable(sort: Principal, body: &Map) -> Map {
    let fits = |name: &str| match name {
        "userName" | "name" | "emails" => sort == Principal::User,
        "applicationId" => sort == Principal::ServicePrincipal,
        "members" => sort == Principal::Group,
        "active" => sort != Principal::Group,
        _ => SETTABLE.contains(&name),
    };
    body.iter().filter(|(name, _)| fits(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn create(exchange: &mut Exchange<'_, '_>, sort: Principal) -> Handled {
    let mut fields = settable(sort, &exchange.body);
    let n = exchange.objects.next("scim");
    let id = (5_000_000_000_000_u64 + n).to_string();
    if sort == Principal::ServicePrincipal && !fields.contains_key("applicationId") {
        fields.insert("applicationId".to_owned(), Value::Text(uuid_of(&digest("scim application", n))));
    }
    fill(sort, &mut fields)?;
    free(exchange, sort, &id, &fields)?;
    let mut resource = identity_view::resource(&id, sort, "");
    resource.shift_remove("displayName");
    resource.extend(fields);
    if sort == Principal::Group {
        resource.insert("meta".to_owned(), Value::map([("resourceType", "WorkspaceGroup".into())]));
    }
    checked(exchange, sort, &id, &mut resource)?;
    exchange.objects.put(principals::place(sort).0, &id, Value::Map(resource.clone()));
    let shown = identity_view::shown(exchange, sort, resource);
    Ok(Answer { status: 201, ..Answer::ok(shown) })
}

/// What the server fills in or wants.
fn fill(sort: Principal, fields: &mut Map) -> Result<(), Refusal> {
    let has = |fields: &Map, name: &str| fields.get(name).and_then(Value::as_str).is_some_and(|t| !t.is_empty());
    if sort == Principal::User {
        if !has(fields, "userName") {
            return Err(refuse(400, "userName is required."));
        }
        let name = fields.get("userName").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        fields.insert("userName".to_owned(), Value::text(&name));
        if !has(fields, "displayName") {
            fields.insert("displayName".to_owned(), Value::text(&name));
        }
        if !fields.contains_key("emails") {
            let email = Value::map([("value", Value::text(&name)), ("type", "work".into()), ("primary", Value::Bool(true))]);
            fields.insert("emails".to_owned(), Value::List(vec![email]));
        }
    } else if !has(fields, "displayName") {
        return Err(refuse(400, "displayName is required."));
    }
    if sort != Principal::Group && !fields.contains_key("active") {
        fields.insert("active".to_owned(), Value::Bool(true));
    }
    Ok(())
}

/// Whether the name is nobody else's.
fn free(exchange: &Exchange<'_, '_>, sort: Principal, id: &str, fields: &Map) -> Result<(), Refusal> {
    let (collection, member) = principals::place(sort);
    let name = fields.get(member).and_then(Value::as_str).unwrap_or_default();
    let taken = exchange.objects.all(collection).any(|(other, value)| {
        other != id && value.get(member).and_then(Value::as_str).is_some_and(|known| known.eq_ignore_ascii_case(name))
    });
    if !taken {
        return Ok(());
    }
    Err(refuse(
        409,
        match sort {
            Principal::User => format!("User with username {name} already exists."),
            Principal::Group => format!("Group with name {name} already exists."),
            Principal::ServicePrincipal => format!("Service principal with application ID {name} already exists."),
        },
    ))
}

/// Lists in their stored form, and members that are there and in no circle.
fn checked(exchange: &Exchange<'_, '_>, sort: Principal, id: &str, resource: &mut Map) -> Result<(), Refusal> {
    for name in ["members", "entitlements", "roles"] {
        let Some(Value::List(list)) = resource.get(name) else { continue };
        let mut values: Vec<String> = Vec::new();
        for item in list {
            let value = item.get("value").map(Value::key_text).unwrap_or_default();
            if value.is_empty() {
                return Err(refuse(400, format!("Each item of {name} needs a value.")));
            }
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let plain: Vec<Value> = values.into_iter().map(|v| Value::map([("value", Value::Text(v))])).collect();
        if plain.is_empty() {
            resource.shift_remove(name);
        } else {
            resource.insert(name.to_owned(), Value::List(plain));
        }
    }
    if sort != Principal::Group {
        return Ok(());
    }
    for member in identity_view::member_ids(resource) {
        let Some(of) = identity_view::sort_of(exchange, &member).or((member == id).then_some(Principal::Group)) else {
            return Err(refuse(400, format!("Member with id {member} does not exist.")));
        };
        if of == Principal::Group && (member == id || identity_view::contains(exchange, &member, id)) {
            return Err(refuse(400, format!("Group with id {member} cannot be a member of group {id}: they would contain each other.")));
        }
    }
    Ok(())
}

fn change(exchange: &mut Exchange<'_, '_>, sort: Principal) -> Handled {
    let (id, mut resource) = found(exchange, sort)?;
    let before = resource.clone();
    let operations = exchange.body.get("Operations").and_then(Value::as_list).unwrap_or_default().to_vec();
    patch(&mut resource, &operations)?;
    resource.insert("id".to_owned(), Value::text(&id));
    keep(exchange, sort, &id, &before, resource)
}

/// PUT: what is left out is taken away.
fn replace(exchange: &mut Exchange<'_, '_>, sort: Principal) -> Handled {
    let (id, before) = found(exchange, sort)?;
    let mut resource: Map = before.iter().filter(|(n, _)| !SETTABLE.contains(&n.as_str())).map(|(n, v)| (n.clone(), v.clone())).collect();
    resource.extend(settable(sort, &exchange.body));
    if sort == Principal::ServicePrincipal {
        resource.extend(before.get("applicationId").map(|v| ("applicationId".to_owned(), v.clone())));
    }
    fill(sort, &mut resource)?;
    keep(exchange, sort, &id, &before, resource)
}

fn keep(exchange: &mut Exchange<'_, '_>, sort: Principal, id: &str, before: &Map, mut resource: Map) -> Handled {
    let name = before.get("displayName").and_then(Value::as_str).unwrap_or_default();
    if sort == Principal::Group {
        if is_account_group(before) {
            return Err(refuse(403, format!("Group {name} is an account group and cannot be changed in a workspace.")));
        }
        if BUILTIN.contains(&name) && resource.get("displayName") != before.get("displayName") {
            return Err(refuse(400, format!("Group {name} is built in and cannot be renamed.")));
        }
        if name == EVERYONE && resource.get("members") != before.get("members") {
            return Err(refuse(400, format!("Members of group {EVERYONE} cannot be changed.")));
        }
    }
    let fixed = if sort == Principal::User { "userName" } else { "applicationId" };
    let same = |a: Option<&Value>, b: Option<&Value>| {
        a.map(Value::key_text).unwrap_or_default().eq_ignore_ascii_case(&b.map(Value::key_text).unwrap_or_default())
    };
    if sort != Principal::Group && !same(before.get(fixed), resource.get(fixed)) {
        return Err(refuse(400, format!("{fixed} cannot be changed.")));
    }
    free(exchange, sort, id, &resource)?;
    checked(exchange, sort, id, &mut resource)?;
    exchange.objects.put(principals::place(sort).0, id, Value::Map(resource));
    Ok(Answer::no_content())
}

fn delete(exchange: &mut Exchange<'_, '_>, sort: Principal) -> Handled {
    let (id, resource) = found(exchange, sort)?;
    let name = resource.get("displayName").and_then(Value::as_str).unwrap_or_default();
    if sort == Principal::Group && BUILTIN.contains(&name) {
        return Err(refuse(400, format!("Group {name} is built in and cannot be deleted.")));
    }
    exchange.objects.remove(principals::place(sort).0, &id);
    let groups: Vec<(String, Map)> =
        exchange.objects.all("groups").filter_map(|(group, value)| Some((group.to_owned(), value.as_map()?.clone()))).collect();
    for (group, mut value) in groups {
        if let Some(Value::List(members)) = value.get_mut("members")
            && members.iter().any(|m| m.get("value").map(Value::key_text).as_deref() == Some(id.as_str()))
        {
            members.retain(|m| m.get("value").map(Value::key_text).as_deref() != Some(id.as_str()));
            exchange.objects.put("groups", &group, Value::Map(value));
        }
    }
    Ok(Answer::no_content())
}
