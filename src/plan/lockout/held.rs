//! Who may manage an object: before a step, and after the requests that it sends.

use crate::client::Me;
use crate::kinds::Call;
use crate::model::Value;
use crate::plan::{Action, Step};

/// The fields that name a principal in a permission set.
const PRINCIPALS: [&str; 3] = ["user_name", "group_name", "service_principal_name"];

/// Kinds of access lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Of objects of the workspace.
    Permissions,
    /// Of secret scopes.
    Scope,
    /// Of securables of Unity Catalog.
    Grants,
}

impl Sort {
    pub fn of(kind: &str) -> Option<Self> {
        match kind {
            "permissions" => Some(Self::Permissions),
            "secret_acls" => Some(Self::Scope),
            "grants" => Some(Self::Grants),
            _ => None,
        }
    }

    /// What lets somebody manage the object, in words.
    pub fn level(self) -> &'static str {
        match self {
            Self::Permissions => "CAN_MANAGE or IS_OWNER",
            Self::Scope => "MANAGE",
            Self::Grants => "MANAGE or ownership",
        }
    }

    /// The entry that keeps the caller, ready to paste.
    pub fn entry(self, me: &Me) -> String {
        let name = &me.name;
        match self {
            Self::Permissions => format!("- {{ {}: {name}, permission_level: CAN_MANAGE }}", me.field()),
            Self::Scope => format!("- {{ principal: {name}, permission: MANAGE }}"),
            Self::Grants => format!("- {{ principal: {name}, privileges: [MANAGE] }}"),
        }
    }
}

/// An entry that lets its principal manage the object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    /// Which field names it; empty where there is one field for all sorts of principals.
    pub by: &'static str,
    /// The principal.
    pub name: String,
    level: String,
    inherited: bool,
}

impl Held {
    pub fn owner(name: &str) -> Self {
        Self { by: "", name: name.to_owned(), level: "owner".to_owned(), inherited: false }
    }

    pub fn shown(&self) -> String {
        format!("{} of {}", self.level, self.name)
    }

    fn is(&self, by: &str, name: &str) -> bool {
        self.by == by && self.name.eq_ignore_ascii_case(name)
    }
}

/// Whether a step deletes its object.
pub(super) fn goes(step: &Step) -> bool {
    matches!(step.action, Action::Delete | Action::Replace | Action::ReplaceNewFirst)
}

fn list<'a>(body: &'a Value, field: &str) -> &'a [Value] {
    body.get(field).and_then(Value::as_list).unwrap_or_default()
}

fn text(body: &Value, field: &str) -> Option<String> {
    body.get(field)?.as_str().map(str::to_owned)
}

/// Who may manage it now, by what the workspace answered.
pub(super) fn now(sort: Sort, reply: &Value) -> Vec<Held> {
    match sort {
        Sort::Permissions => list(reply, "access_control_list").iter().flat_map(shown).collect(),
        // The reply's own form, and YAML's.
        Sort::Scope => list(reply, "items").iter().chain(list(reply, "entries")).filter_map(scoped).collect(),
        Sort::Grants => list(reply, "privilege_assignments").iter().chain(list(reply, "entries")).filter_map(granted).collect(),
    }
}

fn named(item: &Value) -> Option<(&'static str, String)> {
    PRINCIPALS.into_iter().find_map(|by| Some((by, text(item, by)?)))
}

fn manages(level: &str) -> bool {
    matches!(level, "CAN_MANAGE" | "IS_OWNER")
}

/// Levels of one principal of a reply.
fn shown(item: &Value) -> Vec<Held> {
    let Some((by, name)) = named(item) else { return vec![] };
    let levels = list(item, "all_permissions").iter().filter_map(|permission| {
        let level = text(permission, "permission_level").filter(|l| manages(l))?;
        let inherited = permission.get("inherited").and_then(Value::as_bool) == Some(true);
        Some(Held { by, name: name.clone(), level, inherited })
    });
    levels.collect()
}

fn scoped(item: &Value) -> Option<Held> {
    let level = text(item, "permission").filter(|p| p == "MANAGE")?;
    Some(Held { by: "", name: text(item, "principal")?, level, inherited: false })
}

fn granted(item: &Value) -> Option<Held> {
    let is_manage = |p: &Value| p.as_str().is_some_and(|p| p.eq_ignore_ascii_case("MANAGE"));
    list(item, "privileges").iter().any(is_manage).then_some(())?;
    Some(Held { by: "", name: text(item, "principal")?, level: "MANAGE".to_owned(), inherited: false })
}

/// Who may manage it after these requests.
pub(super) fn later<'c>(sort: Sort, reply: &Value, calls: impl Iterator<Item = &'c Call>) -> Vec<Held> {
    let mut held = now(sort, reply);
    for call in calls {
        let Some(body) = &call.body else { continue };
        match call.op {
            "iam.permissions.set" => {
                held.retain(|h| h.inherited);
                listed(&mut held, body);
            }
            "iam.permissions.update" => listed(&mut held, body),
            "workspace.secrets.put_acl" | "workspace.secrets.delete_acl" => {
                let name = text(body, "principal").unwrap_or_default();
                held.retain(|h| !h.is("", &name));
                held.extend(scoped(body));
            }
            "catalog.grants.update" => list(body, "changes").iter().for_each(|change| grant(&mut held, change)),
            _ => {}
        }
    }
    held
}

/// Entries that a request lists: one level a principal, one owner an object.
fn listed(held: &mut Vec<Held>, body: &Value) {
    for item in list(body, "access_control_list") {
        let (Some((by, name)), Some(level)) = (named(item), text(item, "permission_level")) else { continue };
        held.retain(|h| h.inherited || !(h.is(by, &name) || level == "IS_OWNER" && h.level == "IS_OWNER"));
        if manages(&level) {
            held.push(Held { by, name, level, inherited: false });
        }
    }
}

/// One principal's change: what is taken away goes first, and `ALL_PRIVILEGES` takes everything with it.
fn grant(held: &mut Vec<Held>, change: &Value) {
    let Some(name) = text(change, "principal") else { return };
    let has = |field: &str, words: &[&str]| list(change, field).iter().filter_map(Value::as_str).any(|p| words.contains(&p));
    if has("remove", &["MANAGE", "ALL_PRIVILEGES"]) {
        held.retain(|h| h.level == "owner" || !h.is("", &name));
    }
    if has("add", &["MANAGE"]) {
        held.push(Held { by: "", name, level: "MANAGE".to_owned(), inherited: false });
    }
}

/// Ids of a group's members after these requests.
pub(super) fn members_after(reply: Option<&Value>, calls: &[Call]) -> Vec<String> {
    let ids = |items: &[Value]| items.iter().filter_map(|m| text(m, "value")).collect::<Vec<_>>();
    let mut members = reply.map(|r| ids(list(r, "members"))).unwrap_or_default();
    for operation in calls.iter().filter_map(|c| c.body.as_ref()).flat_map(|b| list(b, "Operations")) {
        let path = text(operation, "path").unwrap_or_default();
        match text(operation, "op").as_deref() {
            Some("remove") => members.retain(|m| !path.contains(&format!("\"{m}\""))),
            Some("add") => members.extend(ids(list(operation, "value"))),
            _ => {}
        }
    }
    members
}
