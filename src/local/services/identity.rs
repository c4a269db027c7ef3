//! Users, groups and service principals: who calls, and what is there to be named. Read only.

use crate::local::answer::{Answer, Handled, Refusal, Shape};
use crate::local::credentials::DEFAULT_USER;
use crate::local::exchange::{Exchange, Principal, digest, uuid_of};
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::{Evidence, Habit, habit, principals};
use crate::local::store::Transaction;
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/preview/scim/v2/"],
    &[
        (Catalogue("iam.current_user.me"), me),
        (Catalogue("iam.users_v2.list"), list_users),
        (Catalogue("iam.users_v2.get"), get_user),
        (Catalogue("iam.groups_v2.list"), list_groups),
        (Catalogue("iam.groups_v2.get"), get_group),
        (Catalogue("iam.service_principals_v2.list"), list_service_principals),
        (Catalogue("iam.service_principals_v2.get"), get_service_principal),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("scim", "pages by startIndex from 1 and count; gives totalResults, startIndex, itemsPerPage", Evidence::Sdk),
    habit("scim", "answers errors in SCIM's own shape", Evidence::Sdk),
    habit("scim", "names the workspace in a header of Me", Evidence::Sdk),
];

/// Groups that every workspace here has.
const GROUPS: [&str; 4] = ["admins", "users", "data-engineers", "analysts"];
/// Users besides the administrator.
const USERS: [(&str, &str); 2] = [("ada@brickform.local", "Ada Lovelace"), ("grace@brickform.local", "Grace Hopper")];
/// Service principals, by display name.
const SERVICE_PRINCIPALS: [&str; 2] = ["sp-release", "sp-jobs"];

/// Puts the principals there.
pub fn seed(objects: &mut Transaction<'_>) {
    for (n, name) in (1_u64..).zip(GROUPS) {
        let id = (1_000_000_000_000 + n).to_string();
        let mut group = resource(&id, "Group", name);
        let members = if name == "admins" {
            vec![Value::map([("value", Value::text(user_id(1))), ("display", "Administrator".into())])]
        } else {
            Vec::new()
        };
        group.insert("members".to_owned(), Value::List(members));
        objects.put("groups", &id, Value::Map(group));
    }
    for (n, (name, display)) in (1_u64..).zip([(DEFAULT_USER, "Administrator")].into_iter().chain(USERS)) {
        let mut user = resource(&user_id(n), "User", display);
        user.insert("userName".to_owned(), name.into());
        user.insert("emails".to_owned(), Value::List(vec![Value::map([("value", name.into()), ("primary", Value::Bool(true))])]));
        user.insert("active".to_owned(), Value::Bool(true));
        let groups = if n == 1 { &GROUPS[..2] } else { &GROUPS[1..2] };
        user.insert("groups".to_owned(), Value::List(groups.iter().map(|g| Value::map([("display", Value::text(*g))])).collect()));
        objects.put("users", &user_id(n), Value::Map(user));
    }
    for (n, name) in (1_u64..).zip(SERVICE_PRINCIPALS) {
        let id = (3_000_000_000_000 + n).to_string();
        let mut principal = resource(&id, "ServicePrincipal", name);
        principal.insert("applicationId".to_owned(), Value::Text(uuid_of(&digest("service_principals", n))));
        principal.insert("active".to_owned(), Value::Bool(true));
        objects.put("service_principals", &id, Value::Map(principal));
    }
}

fn user_id(n: u64) -> String {
    (2_000_000_000_000 + n).to_string()
}

fn resource(id: &str, schema: &str, display: &str) -> Map {
    let mut map = Map::new();
    map.insert("schemas".to_owned(), Value::List(vec![Value::Text(format!("urn:ietf:params:scim:schemas:core:2.0:{schema}"))]));
    map.insert("id".to_owned(), id.into());
    map.insert("displayName".to_owned(), display.into());
    map
}

/// Whoever calls: a principal that is there, or one made up for a name that is not.
fn me(exchange: &mut Exchange<'_, '_>) -> Handled {
    let caller = exchange.caller.clone();
    let found = principals::find(exchange.objects, caller.sort, &caller.name).and_then(|p| p.as_map().cloned());
    let mut user = found.unwrap_or_else(|| stranger(&caller.name));
    user.insert("userName".to_owned(), Value::text(&caller.name));
    user.insert("active".to_owned(), Value::Bool(true));
    Ok(Answer::ok(user))
}

/// A caller that nobody registered; it may do everything all the same.
fn stranger(name: &str) -> Map {
    let number = u64::from_str_radix(&digest(name, 0)[..12], 16).unwrap_or_default();
    let mut user = resource(&(4_000_000_000_000_000 + number).to_string(), "User", name);
    user.insert("groups".to_owned(), Value::List(vec![Value::map([("display", Value::text("admins"))])]));
    user
}

fn list_users(exchange: &mut Exchange<'_, '_>) -> Handled {
    list(exchange, Principal::User)
}

fn list_groups(exchange: &mut Exchange<'_, '_>) -> Handled {
    list(exchange, Principal::Group)
}

fn list_service_principals(exchange: &mut Exchange<'_, '_>) -> Handled {
    list(exchange, Principal::ServicePrincipal)
}

fn get_user(exchange: &mut Exchange<'_, '_>) -> Handled {
    get(exchange, Principal::User)
}

fn get_group(exchange: &mut Exchange<'_, '_>) -> Handled {
    get(exchange, Principal::Group)
}

fn get_service_principal(exchange: &mut Exchange<'_, '_>) -> Handled {
    get(exchange, Principal::ServicePrincipal)
}

fn get(exchange: &mut Exchange<'_, '_>, sort: Principal) -> Handled {
    let id = exchange.parameter("id");
    let found = exchange.objects.get(principals::place(sort).0, &id);
    found
        .map(|p| Answer::ok((*p).clone()))
        .ok_or_else(|| Refusal::new(404, "", format!("{} with id {id} not found.", principals::noun(sort))).shaped(Shape::Scim))
}

/// `displayName eq "x"`: the member and the text.
fn filter(text: &str) -> Option<(String, String)> {
    let (member, value) = text.split_once(" eq ")?;
    Some((member.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
}

fn list(exchange: &mut Exchange<'_, '_>, sort: Principal) -> Handled {
    let refuse = |why: &str| Refusal::new(400, "", why.to_owned()).shaped(Shape::Scim);
    let wanted = match exchange.asked("filter") {
        None => None,
        Some(text) => Some(filter(text).ok_or_else(|| refuse("Only filters of the form `member eq \"text\"` are supported."))?),
    };
    let fits = |value: &Value| {
        wanted.as_ref().is_none_or(|(member, text)| {
            let own = value.as_map().and_then(|m| m.iter().find(|(k, _)| k.eq_ignore_ascii_case(member)));
            own.is_some_and(|(_, v)| v.key_text().eq_ignore_ascii_case(text))
        })
    };
    let all: Vec<Value> = exchange.objects.all(principals::place(sort).0).map(|(_, p)| (**p).clone()).filter(fits).collect();
    let total = all.len();
    let start = exchange.number("startIndex")?.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).max(1);
    let count = exchange.number("count")?.and_then(|n| usize::try_from(n).ok()).unwrap_or(100);
    let items: Vec<Value> = all.into_iter().skip(start - 1).take(count).collect();
    let mut reply = Map::new();
    let number = |n: usize| Value::from(u64::try_from(n).unwrap_or(u64::MAX));
    reply.insert("schemas".to_owned(), Value::List(vec!["urn:ietf:params:scim:api:messages:2.0:ListResponse".into()]));
    reply.insert("totalResults".to_owned(), number(total));
    reply.insert("startIndex".to_owned(), number(start));
    reply.insert("itemsPerPage".to_owned(), number(items.len()));
    if !items.is_empty() {
        reply.insert("Resources".to_owned(), Value::List(items));
    }
    Ok(Answer::ok(reply))
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn filters() {
        assert_eq!(filter(r#"displayName eq "a b""#), Some(("displayName".into(), "a b".into())));
        assert_eq!(filter("displayName co \"a\""), None);
    }
}
