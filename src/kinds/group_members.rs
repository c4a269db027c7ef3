//! Who is in a group.
//!
//! The list is authoritative, or adds to what is there. Where it is not written, members are managed elsewhere (by an identity
//! provider) and never touched. In the normal form an entry is `{value: ID}`, as the API has it, with what YAML called it.

use super::{
    Calls, Change, Fact, Gives, Hooks, Identity, Kind, Lifetime, Name, Natural, Path, Read, Refusal, Rename, Step, Unique, Update, Value,
    Verdict, View, groups, scim,
};
use crate::model::Map;

/// Members of a group: always there, changed by patches of what to add and take away.
pub static GROUP_MEMBERS: Kind = Kind {
    name: "group_members",
    singular: "list of members",
    read: Read::plain("iam.groups_v2.get"),
    update: Update::Custom(update),
    identity: Identity::Named { parts: &["group_id"], join: "/", rename: Rename::Replaces },
    natural: Natural { fields: &["group_id"], unique: Unique::Yes },
    lifetime: Lifetime::Attached,
    fields: &[("group_id", "text!"), ("mode", "text"), ("entries", "[iam.ComplexValue]!")],
    names: &[
        Name { list: "entries", field: "user_name", kind: "users", by: "userName", gives: Gives::Id("value") },
        Name { list: "entries", field: "group_name", kind: "groups", by: "displayName", gives: Gives::Id("value") },
        Name { list: "entries", field: "service_principal_name", kind: "service_principals", by: "displayName", gives: Gives::Id("value") },
    ],
    nests: Some("groups"),
    facts: &[
        ("group_id", Fact::Immutable),
        ("entries", Fact::Keyed(&["value"])),
        // What a member is called is for the reader.
        ("entries[].display", Fact::Same(always)),
        ("entries[].$ref", Fact::Same(always)),
        ("entries[].type", Fact::Same(always)),
        ("entries[].primary", Fact::Same(always)),
    ],
    hooks: Hooks { normal: Some(normal), view: Some(view), check: Some(check), judge: Some(judge), ..Hooks::NONE },
    ..Kind::PLAIN
};

fn always(_: &Value, _: &Value) -> bool {
    true
}

/// Ids as they stand, written out.
fn normal(body: Value) -> Value {
    let Value::Map(mut body) = body else { return body };
    if let Some(Value::List(entries)) = body.get_mut("entries") {
        for entry in entries.iter_mut() {
            match entry {
                Value::Map(map) => {
                    if let Some(id @ (Value::Int(_) | Value::UInt(_))) = map.get_mut("value") {
                        *id = Value::Text(id.key_text());
                    }
                }
                Value::Int(_) | Value::UInt(_) => *entry = Value::map([("value", Value::Text(entry.key_text()))]),
                Value::Text(_) => *entry = Value::map([("value", std::mem::replace(entry, Value::Null))]),
                // Until the id is known the reader is shown where it comes from.
                Value::Unknown(deferred) => {
                    let source = Value::text(deferred.source.as_str());
                    *entry = Value::map([("value", std::mem::replace(entry, Value::Null)), ("display", source)]);
                }
                _ => {}
            }
        }
    }
    Value::Map(body)
}

fn is_additive(body: &Value) -> bool {
    body.get("mode").and_then(Value::as_str) == Some("additive")
}

/// The members of a reply, or of a body in YAML's form.
fn members(body: &Value) -> &[Value] {
    body.get("members").or_else(|| body.get("entries")).and_then(Value::as_list).unwrap_or_default()
}

fn same(a: &Value, b: &Value) -> bool {
    matches!((a.get("value"), b.get("value")), (Some(a), Some(b)) if a.key_text() == b.key_text())
}

/// Those that are listed, as they are listed; with an authoritative list all others too, by name. With an additive one those
/// that the last apply added and YAML lists no more.
fn view(view: &View<'_>) -> Value {
    let (listed, live) = (members(view.desired), members(view.live));
    let before = view.applied.map(members).unwrap_or_default();
    let mut seen: Vec<Value> = listed.iter().filter(|l| live.iter().any(|m| same(m, l))).cloned().collect();
    let mut others: Vec<&Value> = live.iter().filter(|m| !listed.iter().any(|l| same(m, l))).collect();
    others.retain(|m| !is_additive(view.desired) || before.iter().any(|b| same(m, b)));
    others.sort_by_key(|m| m.get("value").map(Value::key_text));
    seen.extend(others.into_iter().map(|m| {
        let fields = ["value", "display"].into_iter().filter_map(|f| Some((f, m.get(f)?.clone())));
        Value::map(fields)
    }));
    let mut body: Map = ["group_id", "mode"].into_iter().filter_map(|f| Some((f.to_owned(), view.desired.get(f)?.clone()))).collect();
    body.insert("entries".to_owned(), Value::List(seen));
    Value::Map(body)
}

/// One patch: who leaves, each by name in the plan, and who comes.
#[expect(clippy::unnecessary_wraps, reason = "the form of an update function")]
fn update(change: &Change<'_>) -> Calls {
    let (wanted, held) = (members(change.desired), change.live.map(members).unwrap_or_default());
    let before = change.applied.map(members).unwrap_or_default();
    let leaves = |m: &&Value| {
        let ours = !is_additive(change.desired) || before.iter().any(|b| same(m, b));
        ours && !wanted.iter().any(|w| same(m, w))
    };
    let mut gone: Vec<&Value> = held.iter().filter(leaves).collect();
    gone.sort_by_key(|m| m.get("value").map(Value::key_text));
    let mut operations: Vec<Value> =
        gone.iter().filter_map(|m| m.get("value")).map(|id| scim::operation("remove", &scim::item("members", id), None)).collect();
    let new = wanted.iter().filter(|w| !held.iter().any(|m| same(m, w)));
    let new: Vec<Value> = new.filter_map(|w| Some(Value::map([("value", w.get("value")?.clone())]))).collect();
    if !new.is_empty() {
        operations.push(scim::operation("add", "members", Some(Value::List(new))));
    }
    let id = change.desired.get("group_id").unwrap_or(change.id);
    Ok(scim::sent("iam.groups_v2.patch", id, operations, "set members").into_iter().collect())
}

/// Entries that name one member each, each once.
fn check(body: &Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    if let Some(mode) = body.get("mode").and_then(Value::as_str)
        && !matches!(mode, "authoritative" | "additive")
    {
        found.push(Refusal { path: Path::field("mode"), reason: format!("`{mode}` is neither `authoritative` nor `additive`") });
    }
    let mut before: Vec<(usize, &Value)> = Vec::new();
    for (i, entry) in members(body).iter().enumerate() {
        let path = Path::field("entries").join(Step::Index(i));
        let Some(id) = entry.get("value") else {
            let reason = "the entry names nobody: write an id, or one of `user_name`, `group_name`, `service_principal_name`".to_owned();
            found.push(Refusal { path, reason });
            continue;
        };
        if let Some(id) = id.as_str().filter(|id| id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit())) {
            let field = if id.contains('@') { "user_name" } else { "group_name" };
            let reason = format!("`{id}` is no id, which has only digits; a name is written `{{ {field}: {id} }}`");
            found.push(Refusal { path, reason });
            continue;
        }
        // What could not be found has been reported.
        if matches!(id, Value::Unknown(deferred) if deferred.pieces.is_empty()) {
            continue;
        }
        if let Some((first, _)) = before.iter().find(|(_, known)| *known == id) {
            let name = entry.get("display").unwrap_or(id).key_text();
            found.push(Refusal { path, reason: format!("{name} is listed twice, first as members[{first}]") });
        }
        before.push((i, id));
    }
    found
}

/// Members of a group of the account are the account's.
fn judge(_: &Path, change: &Change<'_>) -> Option<Verdict> {
    groups::fixed(change.live?).map(Verdict::Block)
}
