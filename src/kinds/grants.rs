//! Who holds which privileges on one securable of Unity Catalog.
//!
//! Exact for each principal named; others are left alone, unless `lifecycle.exclusive` is set. Owners are no grants.

use super::acl;
use super::call::{Call, Repeat};
use super::{
    Calls, Change, Fact, Hooks, Identity, Kind, Lifetime, Natural, Path, Read, Refusal, Rename, Step, Unique, Update, Value, View,
};
use crate::model::Map;

/// Grants on a securable: always there, changed by lists of what to add and remove.
pub static GRANTS: Kind = Kind {
    name: "grants",
    singular: "set of grants",
    read: Read { pages: "page_token", ..Read::plain("catalog.grants.get") },
    update: Update::Custom(update),
    identity: Identity::Named { parts: &["securable_type", "full_name"], join: "/", rename: Rename::Replaces },
    natural: Natural { fields: &["securable_type", "full_name"], unique: Unique::Yes },
    lifetime: Lifetime::Attached,
    fields: &[("securable_type", "text!"), ("full_name", "text!"), ("entries", "[catalog.PrivilegeAssignment]!")],
    names: &[acl::ANY_USER, acl::ANY_GROUP, acl::ANY_SERVICE_PRINCIPAL],
    facts: &[
        ("securable_type", Fact::Immutable),
        ("full_name", Fact::Immutable),
        ("full_name", Fact::CaseBlind),
        ("entries", Fact::Keyed(&["principal"])),
        ("entries[].principal", Fact::CaseBlind),
        ("entries[].privileges", Fact::Set),
    ],
    hooks: Hooks { normal: Some(normal), view: Some(view), check: Some(check), ..Hooks::NONE },
    ..Kind::PLAIN
};

/// All privileges, as one.
const ALL: &str = "ALL_PRIVILEGES";

/// What `ALL_PRIVILEGES` does not imply (the privilege reference of Unity Catalog).
const BESIDE_ALL: &[&str] = &["MANAGE", "EXTERNAL_USE_SCHEMA", "EXTERNAL_USE_LOCATION"];

/// `use catalog` is `USE_CATALOG`, and what `ALL_PRIVILEGES` implies is left out.
fn normal(body: Value) -> Value {
    let Value::Map(mut body) = body else { return body };
    if let Some(Value::Text(ty)) = body.get_mut("securable_type") {
        *ty = ty.to_lowercase().replace([' ', '-'], "_");
    }
    if let Some(Value::List(entries)) = body.get_mut("entries") {
        for privileges in entries.iter_mut().filter_map(|e| e.as_map_mut()?.get_mut("privileges")) {
            if let Value::List(list) = privileges {
                let plain = list.iter().map(spelt).collect();
                *list = without_implied(plain);
            }
        }
    }
    Value::Map(body)
}

fn spelt(privilege: &Value) -> Value {
    privilege.as_str().map_or_else(|| privilege.clone(), |p| Value::Text(p.trim().to_uppercase().replace([' ', '-'], "_")))
}

fn without_implied(mut privileges: Vec<Value>) -> Vec<Value> {
    if privileges.iter().any(|p| p.as_str() == Some(ALL)) {
        privileges.retain(|p| p.as_str().is_none_or(|p| p == ALL || BESIDE_ALL.contains(&p)));
    }
    privileges
}

/// One principal's privileges.
struct Assignment<'a> {
    principal: &'a Value,
    privileges: Vec<Value>,
}

impl Assignment<'_> {
    fn is(&self, other: &Assignment<'_>) -> bool {
        match (self.principal.as_str(), other.principal.as_str()) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            _ => self.principal == other.principal,
        }
    }
}

/// The assignments of a YAML body (`entries`) or a reply (`privilege_assignments`).
fn assignments(body: &Value) -> Vec<Assignment<'_>> {
    let list = body.get("privilege_assignments").or_else(|| body.get("entries")).and_then(Value::as_list).unwrap_or_default();
    list.iter()
        .filter_map(|item| {
            let privileges = item.get("privileges").and_then(Value::as_list).unwrap_or_default().iter().map(spelt).collect();
            Some(Assignment { principal: item.get("principal")?, privileges })
        })
        .collect()
}

/// The principals that are named now or were at the last apply, in the order and spelling of those named.
fn view(view: &View<'_>) -> Value {
    let (named, before) = (assignments(view.desired), view.applied.map(assignments).unwrap_or_default());
    let mut seen: Vec<(usize, String, Value)> = Vec::new();
    for live in assignments(view.live) {
        let at = named.iter().position(|n| n.is(&live));
        if live.privileges.is_empty() || (at.is_none() && !view.context.exclusive && !before.iter().any(|b| b.is(&live))) {
            continue;
        }
        let principal = at.map_or(live.principal, |i| named[i].principal).clone();
        let mut privileges = without_implied(live.privileges);
        privileges.sort_by_key(Value::key_text);
        let name = principal.key_text();
        let entry = Value::map([("principal", principal), ("privileges", Value::List(privileges))]);
        seen.push((at.unwrap_or(named.len()), name, entry));
    }
    seen.sort_by(|(a, x, _), (b, y, _)| a.cmp(b).then_with(|| x.cmp(y)));
    let mut body: Map =
        ["securable_type", "full_name"].into_iter().filter_map(|f| Some((f.to_owned(), view.desired.get(f)?.clone()))).collect();
    body.insert("entries".to_owned(), Value::List(seen.into_iter().map(|(.., e)| e).collect()));
    Value::Map(body)
}

/// One patch with what to add and remove for each principal that differs.
#[expect(clippy::unnecessary_wraps, reason = "the form of an update function")]
fn update(change: &Change<'_>) -> Calls {
    let nobody = Value::Null;
    let (wanted, live) = (assignments(change.desired), assignments(change.live.unwrap_or(&nobody)));
    let before = change.applied.map(assignments).unwrap_or_default();
    let mut changes = Vec::new();
    for want in &wanted {
        let held = live.iter().find(|l| l.is(want)).map_or(&[][..], |l| &l.privileges);
        changes.extend(difference(want.principal, held, &want.privileges));
    }
    let mut others: Vec<&Assignment<'_>> = live.iter().filter(|l| !wanted.iter().any(|w| w.is(l))).collect();
    others.retain(|l| change.context.exclusive || before.iter().any(|b| b.is(l)));
    others.sort_by_key(|l| l.principal.key_text());
    changes.extend(others.iter().filter_map(|l| difference(l.principal, &l.privileges, &[])));
    if changes.is_empty() {
        return Ok(vec![]);
    }
    let path = ["securable_type", "full_name"].into_iter().filter_map(|f| Some((f.to_owned(), change.desired.get(f)?.clone()))).collect();
    let body = Some(Value::map([("changes", Value::List(changes))]));
    Ok(vec![Call { op: "catalog.grants.update", path, query: Map::new(), body, why: "change grants", repeat: Repeat::Safe }])
}

/// The change from held to wanted; none where nothing differs. Taking `ALL_PRIVILEGES` away takes everything, so what
/// stays is granted again in the same change; what it implies is not taken away while it is wanted.
fn difference(principal: &Value, held: &[Value], wanted: &[Value]) -> Option<Value> {
    let all = Value::from(ALL);
    let resets = held.contains(&all) && !wanted.contains(&all);
    let implied = |p: &Value| wanted.contains(&all) && p.as_str().is_none_or(|p| !BESIDE_ALL.contains(&p));
    let mut add: Vec<Value> = wanted.iter().filter(|p| resets || !held.contains(p)).cloned().collect();
    let mut remove: Vec<Value> = held.iter().filter(|p| !wanted.contains(p) && !implied(p)).cloned().collect();
    if add.is_empty() && remove.is_empty() {
        return None;
    }
    add.sort_by_key(Value::key_text);
    add.dedup();
    remove.sort_by_key(Value::key_text);
    let mut change = Map::new();
    change.insert("principal".to_owned(), principal.clone());
    for (name, privileges) in [("add", add), ("remove", remove)] {
        if !privileges.is_empty() {
            change.insert(name.to_owned(), Value::List(privileges));
        }
    }
    Some(Value::Map(change))
}

/// Each principal once.
fn check(body: &Value) -> Vec<Refusal> {
    let (mut found, mut before) = (Vec::new(), Vec::new());
    for (i, item) in body.get("entries").and_then(Value::as_list).unwrap_or_default().iter().enumerate() {
        let path = Path::field("entries").join(Step::Index(i));
        let Some(principal) = item.get("principal") else {
            found.push(Refusal { path, reason: "an entry names a `principal` and its `privileges`".to_owned() });
            continue;
        };
        let name = principal.as_str().map(str::to_lowercase);
        if name.is_some() && before.contains(&name) {
            let reason = format!("{} is listed twice; put its privileges into one entry", principal.key_text());
            found.push(Refusal { path, reason });
        }
        before.push(name);
    }
    found
}
