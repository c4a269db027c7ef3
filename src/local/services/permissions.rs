//! Access lists of workspace objects: `/api/2.0/permissions/{type}/{id}`.
//!
//! Kept beside the object from its birth to its end, direct entries only, sorted: `{"user_name:ada@x": "IS_OWNER"}`.
//! What is inherited is added to replies.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::exchange::{Exchange, Principal};
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::permission_types::{self, ObjectType};
use crate::local::services::{Evidence, Habit, Rival, habit, identity_view, principals};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/permissions/"],
    &[
        (Catalogue("iam.permissions.get_permission_levels"), levels),
        (Catalogue("iam.permissions.get"), get),
        (Catalogue("iam.permissions.set"), set),
        (Catalogue("iam.permissions.update"), update),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("permissions", "gives all levels of each principal, inherited ones too; group admins inherits CAN_MANAGE", Evidence::Sdk),
    habit("permissions", "makes the creator owner of jobs, pipelines and warehouses, manager of other objects", Evidence::Sdk),
    habit("permissions", "refuses a job or pipeline without exactly one owner", Evidence::Issue),
    habit("permissions", "refuses an update that gives the owner of a job or pipeline a lower level", Evidence::Unverified),
    habit("permissions", "keeps the owner of a warehouse when a list names none", Evidence::Unverified),
    habit("permissions", "replaces the owner when an update names another", Evidence::Unverified),
    habit("permissions", "answers 404 for an absent object", Evidence::Sdk),
    // databricks/cli issue 4488, databricks/terraform-provider-databricks issue 2302.
    habit("permissions", "refuses a principal that nobody is with 404 RESOURCE_DOES_NOT_EXIST", Evidence::Issue),
    habit("permissions", "reads two-segment types: sql/warehouses", Evidence::Sdk),
];

/// Where the lists are kept, by `jobs/123`.
const LISTS: &str = "permissions";

/// An object of this type came into being: its creator owns or manages it, if its type knows such levels.
pub fn born(exchange: &mut Exchange<'_, '_>, type_name: &str, id: &str) {
    let mut list = Map::new();
    if let Some(level) = permission_types::find(type_name).and_then(ObjectType::of_maker) {
        list.insert(key(exchange.caller.sort, &exchange.caller.name), level.into());
    }
    exchange.objects.put(LISTS, &format!("{type_name}/{id}"), Value::Map(list));
}

/// An object of this type is gone, its list with it.
pub fn died(exchange: &mut Exchange<'_, '_>, type_name: &str, id: &str) {
    exchange.objects.remove(LISTS, &format!("{type_name}/{id}"));
}

/// Adds entries to an object's list, as a create with `access_control_list` does.
///
/// # Errors
/// 400 as for an update.
pub fn add(exchange: &mut Exchange<'_, '_>, type_name: &str, id: &str, entries: &[Value]) -> Result<(), Refusal> {
    let of = permission_types::find(type_name).ok_or_else(|| unsupported(type_name))?;
    let changed = upserted(exchange, of, id, entries)?;
    exchange.objects.put(LISTS, &format!("{type_name}/{id}"), Value::Map(changed));
    Ok(())
}

/// Whether the caller has this level of an object or a higher one: by name, by a group, or as an admin.
pub fn may(exchange: &Exchange<'_, '_>, type_name: &str, id: &str, level: &str) -> bool {
    let Some(of) = permission_types::find(type_name) else { return true };
    let rank = |level: &str| of.levels.iter().position(|known| *known == level);
    let list = exchange.objects.get(LISTS, &format!("{type_name}/{id}"));
    let is_caller = |principal: &str| match principal.split_once(':') {
        Some((field, name)) if field == Principal::Group.field() => identity_view::is_in(exchange, name),
        Some((field, name)) => field == exchange.caller.sort.field() && name.eq_ignore_ascii_case(&exchange.caller.name),
        None => false,
    };
    let mut listed = list.iter().filter_map(|list| list.as_map()).flatten();
    listed.any(|(principal, has)| rank(has.as_str().unwrap_or_default()) >= rank(level) && is_caller(principal))
        || identity_view::is_in(exchange, "admins")
}

fn key(sort: Principal, name: &str) -> String {
    format!("{}:{name}", sort.field())
}

fn unsupported(type_name: &str) -> Refusal {
    Refusal::invalid(format!("'{type_name}' is not a supported object type."))
}

/// The type and id of a request, and the object's list; none where a rival habit hides that there is no object.
fn target(exchange: &Exchange<'_, '_>) -> Result<(&'static ObjectType, String, Option<Map>), Refusal> {
    let (mut type_name, mut id) = (exchange.parameter("request_object_type"), exchange.parameter("request_object_id"));
    // A type of two segments arrives as one, escaped; an id may have been split off with it.
    if permission_types::find(&type_name).is_none()
        && let Some((head, tail)) = type_name.rsplit_once('/')
        && permission_types::find(head).is_some()
    {
        (type_name, id) = (head.to_owned(), format!("{tail}/{id}"));
    }
    let of = permission_types::find(&type_name).ok_or_else(|| unsupported(&type_name))?;
    let there = of.collection.is_some_and(|collection| exchange.objects.has(collection, &id));
    let list = exchange.objects.get(LISTS, &format!("{}/{id}", of.name)).and_then(|l| l.as_map().cloned());
    // The list of a Genie space stays where the space is in the trash.
    let there = there || (of.name == "genie" && list.is_some());
    match (there, exchange.rival(Rival::PermissionsOfAbsentEmpty)) {
        (true, _) => Ok((of, id, Some(list.unwrap_or_default()))),
        (false, true) => Ok((of, id, None)),
        (false, false) => Err(Refusal::absent(format!("{} {id} does not exist.", of.word))),
    }
}

fn levels(exchange: &mut Exchange<'_, '_>) -> Handled {
    let type_name = exchange.parameter("request_object_type");
    let of = permission_types::find(&type_name).ok_or_else(|| unsupported(&type_name))?;
    let levels = of
        .levels
        .iter()
        .map(|level| Value::map([("permission_level", Value::text(*level)), ("description", Value::Text(described(level, of.word)))]))
        .collect();
    Ok(Answer::ok(Value::map([("permission_levels", Value::List(levels))])))
}

fn described(level: &str, word: &str) -> String {
    format!("{} on this {}", level.to_lowercase().replace('_', " "), word.to_lowercase())
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (of, id, list) = target(exchange)?;
    Ok(Answer::ok(shown(exchange, of, &id, list)))
}

fn set(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (of, id, former) = target(exchange)?;
    let entries = entries(exchange);
    let mut list = Map::new();
    for entry in &entries {
        let (sort, name, level) = read(exchange, of, entry)?;
        list.insert(key(sort, &name), Value::Text(level));
    }
    let former_owner = former.iter().flatten().find(|(_, l)| l.as_str() == Some("IS_OWNER")).map(|(k, _)| k.clone());
    let owners = list.values().filter(|l| l.as_str() == Some("IS_OWNER")).count();
    if of.owned() && owners == 0 {
        let kept = !of.owner_must_be_named() || exchange.rival(Rival::OwnerReadded);
        match former_owner {
            Some(owner) if kept => {
                list.insert(owner, "IS_OWNER".into());
            }
            _ => return Err(one_owner(of)),
        }
    }
    if owners > 1 {
        return Err(one_owner(of));
    }
    let me = key(exchange.caller.sort, &exchange.caller.name);
    if exchange.rival(Rival::CallerReadded) && of.is_managed() && !list.contains_key(&me) {
        list.insert(me, "CAN_MANAGE".into());
    }
    kept(exchange, of, &id, list)
}

fn one_owner(of: &ObjectType) -> Refusal {
    Refusal::invalid(format!("The {} must have exactly one owner.", of.word.to_lowercase()))
}

fn update(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (of, id, former) = target(exchange)?;
    let entries = entries(exchange);
    let mut list = upserted(exchange, of, &id, &entries)?;
    let owner = |list: &Map| list.iter().find(|(_, level)| level.as_str() == Some("IS_OWNER")).map(|(k, _)| k.clone());
    if let (Some(former), None) = (former.as_ref().and_then(owner), owner(&list)) {
        if of.owner_must_be_named() && !exchange.rival(Rival::OwnerReadded) {
            return Err(one_owner(of));
        }
        list.insert(former, "IS_OWNER".into());
    }
    kept(exchange, of, &id, list)
}

fn kept(exchange: &mut Exchange<'_, '_>, of: &ObjectType, id: &str, mut list: Map) -> Handled {
    list.sort_keys();
    exchange.objects.put(LISTS, &format!("{}/{id}", of.name), Value::Map(list.clone()));
    Ok(Answer::ok(shown(exchange, of, id, Some(list))))
}

fn entries(exchange: &Exchange<'_, '_>) -> Vec<Value> {
    exchange.body.get("access_control_list").and_then(Value::as_list).unwrap_or_default().to_vec()
}

/// The object's list with entries added or changed.
fn upserted(exchange: &Exchange<'_, '_>, of: &ObjectType, id: &str, entries: &[Value]) -> Result<Map, Refusal> {
    let place = format!("{}/{id}", of.name);
    let mut list = exchange.objects.get(LISTS, &place).and_then(|l| l.as_map().cloned()).unwrap_or_default();
    let mut owner = None;
    for entry in entries {
        let (sort, name, level) = read(exchange, of, entry)?;
        if level == "IS_OWNER" && owner.replace(key(sort, &name)).is_some() {
            return Err(one_owner(of));
        }
        list.insert(key(sort, &name), Value::Text(level));
    }
    if let Some(owner) = owner {
        list.retain(|k, level| *k == owner || level.as_str() != Some("IS_OWNER"));
    }
    list.sort_keys();
    Ok(list)
}

/// Principal and level of an entry.
fn read(exchange: &Exchange<'_, '_>, of: &ObjectType, entry: &Value) -> Result<(Principal, String, String), Refusal> {
    let mut named = Principal::ALL.into_iter().filter_map(|sort| Some((sort, entry.get(sort.field())?.as_str()?.to_owned())));
    let (Some((sort, name)), None) = (named.next(), named.next()) else {
        return Err(Refusal::invalid("Exactly one of user_name, group_name or service_principal_name must be set in each access control."));
    };
    let level = entry.get("permission_level").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !of.levels.contains(&level.as_str()) {
        let allowed = of.levels.join(", ");
        return Err(Refusal::invalid(format!("Permission level '{level}' is not valid for {}. Valid levels: {allowed}.", of.name)));
    }
    if level == "IS_OWNER" && sort == Principal::Group {
        return Err(Refusal::invalid(format!("Groups cannot be owners: '{name}' cannot own this {}.", of.word.to_lowercase())));
    }
    if !principals::is_one(exchange.objects, sort, &name) {
        let message = format!("Principal: {}({name}) does not exist", principals::word(sort));
        let old = exchange.rival(Rival::UnknownPrincipal400);
        return Err(if old { Refusal::new(400, "BAD_REQUEST", message) } else { Refusal::absent(message) });
    }
    Ok((sort, name, level))
}

/// The list as replies show it: by principal, with what is inherited.
fn shown(exchange: &Exchange<'_, '_>, of: &ObjectType, id: &str, list: Option<Map>) -> Value {
    let path = of.alias.unwrap_or(of.name);
    let mut shown = Map::new();
    shown.insert("object_id".to_owned(), Value::Text(format!("/{path}/{id}")));
    shown.insert("object_type".to_owned(), of.shown.into());
    if let Some(mut list) = list {
        let admins = key(Principal::Group, "admins");
        let manages = of.levels.last().copied().filter(|l| *l != "IS_OWNER").unwrap_or("CAN_MANAGE");
        let direct = list.shift_remove(&admins);
        let mut all: Vec<Value> = list.iter().map(|(k, level)| entry(exchange, k, vec![right(level, None)])).collect();
        let inherited = right(&manages.into(), Some(format!("/{path}/")));
        let rights = direct.iter().map(|level| right(level, None)).chain([inherited]).collect();
        all.push(entry(exchange, &admins, rights));
        shown.insert("access_control_list".to_owned(), Value::List(all));
    }
    Value::Map(shown)
}

fn right(level: &Value, from: Option<String>) -> Value {
    let mut right = Map::new();
    right.insert("permission_level".to_owned(), level.clone());
    right.insert("inherited".to_owned(), Value::Bool(from.is_some()));
    if let Some(from) = from {
        right.insert("inherited_from_object".to_owned(), Value::List(vec![Value::Text(from)]));
    }
    Value::Map(right)
}

fn entry(exchange: &Exchange<'_, '_>, principal: &str, rights: Vec<Value>) -> Value {
    let (field, name) = principal.split_once(':').unwrap_or((principal, ""));
    let mut entry = Map::new();
    entry.insert(field.to_owned(), name.into());
    let sort = Principal::ALL.into_iter().find(|p| p.field() == field).filter(|p| *p != Principal::Group);
    if let Some(sort) = sort {
        let display = principals::find(exchange.objects, sort, name).and_then(|p| p.get("displayName").cloned());
        entry.insert("display_name".to_owned(), display.unwrap_or_else(|| name.into()));
    }
    entry.insert("all_permissions".to_owned(), Value::List(rights));
    Value::Map(entry)
}
