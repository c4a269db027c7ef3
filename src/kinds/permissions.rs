//! Who may do what with one object of the workspace.
//!
//! The list is authoritative for direct entries. Three sorts of entries are never compared: inherited ones; the owner's,
//! where none is listed; and the deployer's, where it is not listed and does not lose the ownership to one who is. The
//! latter two are sent back, so that a plan does not depend on who makes it and nobody loses an object by listing others.
//!
//! Where the environment names no deployer, the one who made or owns the object counts as such, as its reply says or the
//! state recorded at its create: replies of some kinds (directories, spaces, `instance_pools`) name nobody. Of an object of
//! such a kind that is taken over, an earlier state may still know it; else whoever takes it over is recorded as the one,
//! where its list names them. Anybody else who is in its list and not in YAML's is drift, until the environment's
//! `workspace.deployer` or the list names them.

use super::acl::{self, Entry};
use super::call::{Call, Repeat};
use super::{
    Calls, Change, Fact, Hooks, Identity, Kind, Lifetime, Natural, Path, Read, Refusal, Rename, Step, Unique, Update, Value, View, Whole,
};
use crate::diagnostic::suggest;
use crate::model::Map;

const ARGS: &[(&str, &str)] = &[("request_object_type", "object_type"), ("request_object_id", "object_id")];

/// Permission sets: always there, replaced whole. In YAML a part of their object, or by `object_type` and `object_id`.
pub static PERMISSIONS: Kind = Kind {
    name: "permissions",
    singular: "permission set",
    read: Read { args: ARGS, whole: Whole::Has("object_id"), ..Read::plain("iam.permissions.get") },
    update: Update::Custom(update),
    identity: Identity::Named { parts: &["object_type", "object_id"], join: "/", rename: Rename::Replaces },
    natural: Natural { fields: &["object_type", "object_id"], unique: Unique::Yes },
    lifetime: Lifetime::Attached,
    fields: &[("object_type", "text!"), ("object_id", "text!"), ("mode", "text"), ("entries", "[iam.AccessControlRequest]!")],
    names: &[acl::USER, acl::GROUP, acl::SERVICE_PRINCIPAL],
    facts: &[
        ("object_type", Fact::Immutable),
        ("object_id", Fact::Immutable),
        ("entries", Fact::Keyed(acl::PRINCIPALS)),
        ("entries[].permission_level", Fact::Checked),
        ("entries[].user_name", Fact::CaseBlind),
        ("entries[].group_name", Fact::CaseBlind),
        ("entries[].service_principal_name", Fact::CaseBlind),
    ],
    hooks: Hooks {
        normal: Some(normal),
        laid: Some(normal),
        view: Some(view),
        check: Some(check),
        notes: Some(notes),
        of_maker: Some(of_maker),
        ..Hooks::NONE
    },
    ..Kind::PLAIN
};

/// Other spellings of object types, and bundles' `level`.
fn normal(body: Value) -> Value {
    let Value::Map(mut body) = body else { return body };
    if let Some(Value::Text(ty)) = body.get_mut("object_type")
        && let Some(known) = acl::object_type(ty)
    {
        known.name.clone_into(ty);
    }
    let object = body.get("object_type").map(Value::key_text).unwrap_or_default();
    if let Some(Value::List(entries)) = body.get_mut("entries") {
        for entry in entries.iter_mut().filter_map(Value::as_map_mut) {
            if !entry.contains_key("permission_level")
                && let Some(level) = entry.shift_remove("level")
            {
                entry.insert("permission_level".to_owned(), level);
            }
            if let Some(Value::Text(level)) = entry.get_mut("permission_level")
                && let Some(own) = acl::level_of(&object, level)
            {
                own.clone_into(level);
            }
        }
    }
    Value::Map(body)
}

fn is_additive(body: &Value) -> bool {
    body.get("mode").and_then(Value::as_str) == Some("additive")
}

/// The direct entries that are compared, in the order and spelling of those that are listed.
fn view(view: &View<'_>) -> Value {
    let listed = acl::listed(view.desired);
    let owned = listed.iter().any(Entry::is_owner);
    let mut seen: Vec<(usize, Value)> = Vec::new();
    for entry in acl::direct(view.live) {
        let at = listed.iter().position(|l| l.same_principal(&entry));
        let keeps_ownership = entry.is_owner() && !owned;
        match at {
            // An owner who is listed with a lower level already has it.
            Some(i) if keeps_ownership => seen.push((i, listed[i].body())),
            Some(i) => seen.push((i, Entry { level: entry.level, ..listed[i].clone() }.body())),
            // There is one owner: who is it now loses it to the one who is listed, whoever that is and whatever the mode.
            None if entry.is_owner() && owned => seen.push((listed.len(), entry.body())),
            None if keeps_ownership || is_additive(view.desired) || acl::is_deployer(&entry, view.context) => {}
            None => seen.push((listed.len(), entry.body())),
        }
    }
    seen.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.key_text().cmp(&y.key_text())));
    let mut body: Map =
        ["object_type", "object_id", "mode"].into_iter().filter_map(|f| Some((f.to_owned(), view.desired.get(f)?.clone()))).collect();
    body.insert("entries".to_owned(), Value::List(seen.into_iter().map(|(_, e)| e).collect()));
    Value::Map(body)
}

fn type_of(body: &Value) -> Option<&'static acl::ObjectType> {
    body.get("object_type").and_then(Value::as_str).and_then(acl::object_type)
}

/// One call. What is not compared goes back with the rest. A new object has nobody's direct entries but its creator's, so
/// adding to it is enough and nobody has to know who owns it.
fn update(change: &Change<'_>) -> Calls {
    let listed = acl::listed(change.desired);
    let is_owned = type_of(change.desired).is_some_and(acl::ObjectType::owned);
    let (op, why, entries) = match change.live {
        Some(live) if !is_additive(change.desired) => {
            let owned = listed.iter().any(Entry::is_owner);
            let kept: Vec<Entry> = acl::direct(live)
                .into_iter()
                .filter(|e| {
                    let is_deployer = || acl::is_deployer(e, &change.context) && !listed.iter().any(|l| l.same_principal(e));
                    if e.is_owner() { !owned } else { is_deployer() }
                })
                .collect();
            let sent = listed.into_iter().filter(|l| !kept.iter().any(|k| k.same_principal(l)));
            let entries = sent.chain(kept.clone()).collect::<Vec<_>>();
            if is_owned && !entries.iter().any(Entry::is_owner) {
                let reason =
                    "nobody is shown to own the object, and it must have one owner: list who is to own it, as `permission_level: IS_OWNER`";
                return Err(Refusal { path: Path::field("entries"), reason: reason.to_owned() });
            }
            ("iam.permissions.set", "set permissions", entries)
        }
        live => {
            // A lower level for who owns it would leave it without an owner. The owner can do all that, and more.
            let owner = live.into_iter().flat_map(acl::direct).find(|e| is_owned && e.is_owner());
            let is_lower = |e: &Entry| !e.is_owner() && owner.as_ref().is_some_and(|o| o.same_principal(e));
            ("iam.permissions.update", "add permissions", listed.into_iter().filter(|e| !is_lower(e)).collect())
        }
    };
    if entries.is_empty() && op == "iam.permissions.update" {
        return Ok(vec![]);
    }
    let path = ARGS.iter().filter_map(|(name, field)| Some(((*name).to_owned(), change.desired.get(field)?.clone()))).collect();
    let list = Value::List(entries.iter().map(Entry::body).collect());
    let body = Some(Value::map([("access_control_list", list)]));
    Ok(vec![Call { op, path, query: Map::new(), body, why, repeat: Repeat::Safe }])
}

/// Whoever makes an object of a sort that has an owner owns it; the workspace refuses to give them less.
fn notes(change: &Change<'_>) -> Vec<String> {
    let lower = |e: &Entry| !e.is_owner() && e.by != "group_name";
    let listed = acl::listed(change.desired);
    let owned = type_of(change.desired).is_some_and(acl::ObjectType::owned);
    let told = change.live.is_none() && owned && !listed.iter().any(Entry::is_owner) && listed.iter().any(lower);
    told.then(|| "who applies this owns the object, and their own entry, if listed, is left out of the request".to_owned())
        .into_iter()
        .collect()
}

/// The request as whoever just made the object can send it: without a lower level for themselves.
fn of_maker(mut call: Call, caller: &str) -> Option<Call> {
    let ty = call.path.get("request_object_type").and_then(Value::as_str).and_then(acl::object_type);
    let list = call.body.as_mut().and_then(Value::as_map_mut).and_then(|body| body.get_mut("access_control_list"));
    if let (true, Some(Value::List(list))) = (ty.is_some_and(acl::ObjectType::owned), list) {
        let is_owned_by_other = list.iter().filter_map(Entry::of).any(|e| e.is_owner());
        let mine = |e: &Entry| e.by != "group_name" && e.name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(caller));
        list.retain(|item| is_owned_by_other || Entry::of(item).is_none_or(|e| e.is_owner() || !mine(&e)));
        if list.is_empty() {
            return None;
        }
    }
    Some(call)
}

/// One principal an entry, one level a principal, levels that the object has, one owner who is no group.
fn check(body: &Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    let known = body.get("object_type").and_then(Value::as_str).and_then(acl::object_type);
    if let Some(mode) = body.get("mode").and_then(Value::as_str)
        && !matches!(mode, "authoritative" | "additive")
    {
        found.push(Refusal { path: Path::field("mode"), reason: format!("`{mode}` is neither `authoritative` nor `additive`") });
    }
    let mut before: Vec<Entry> = Vec::new();
    for (i, item) in body.get("entries").and_then(Value::as_list).unwrap_or_default().iter().enumerate() {
        let path = Path::field("entries").join(Step::Index(i));
        let mut refuse = |field: &str, reason: String| {
            let path = if field.is_empty() { path.clone() } else { path.join(Step::Field(field.to_owned())) };
            found.push(Refusal { path, reason });
        };
        let named = acl::PRINCIPALS.iter().filter(|p| item.get(p).is_some()).count();
        let Some(entry) = Entry::of(item).filter(|_| named == 1) else {
            let which = acl::PRINCIPALS.map(|p| format!("`{p}`")).join(", ");
            refuse(
                "",
                match named {
                    1 => "the entry has no level: add `permission_level`".to_owned(),
                    0 => format!("the entry names nobody: add one of {which}"),
                    _ => format!("the entry names {named} principals: each needs an entry of its own ({which})"),
                },
            );
            continue;
        };
        let level = entry.level.as_str().unwrap_or_default();
        if let Some(known) = known
            && !level.is_empty()
            && !known.levels.contains(&level)
        {
            let meant = suggest::nearest(level, known.levels.iter().copied()).map(|near| format!("did you mean `{near}`? "));
            let reason = format!("there is no level `{level}` here: {}{}", meant.unwrap_or_default(), acl::told(known.levels));
            refuse("permission_level", reason);
        }
        if before.iter().any(|b| b.same_principal(&entry)) {
            refuse("", format!("{} has several levels; list the highest alone", entry.name.key_text()));
        } else if !entry.is_owner() || known.is_some_and(|known| !known.owned()) {
            // Where nobody owns anything, that has been said.
        } else if before.iter().any(Entry::is_owner) {
            refuse("permission_level", "there is only one owner".to_owned());
        } else if entry.by == "group_name" {
            refuse("permission_level", "a group cannot own it; name a user or a service principal".to_owned());
        }
        before.push(entry);
    }
    found
}
