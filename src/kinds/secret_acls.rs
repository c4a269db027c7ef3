//! Who may do what with one secret scope.
//!
//! The list is authoritative, as permissions are elsewhere. The API says of nobody that they made a scope, and whoever makes
//! one may manage it: MANAGE of somebody who is not listed, and never was, is left alone, unless the environment names a
//! deployer and it is another one. So nobody is locked out of a scope by listing others.

use super::acl;
use super::call::{Call, Repeat};
use super::{
    Calls, Change, Context, Fact, Hooks, Identity, Kind, Lifetime, Natural, Path, Read, Refusal, Rename, Step, Unique, Update, Value, View,
};
use crate::model::Map;

/// A scope's entries: read in one list, put and deleted one by one.
pub static SECRET_ACLS: Kind = Kind {
    name: "secret_acls",
    singular: "secret access list",
    read: Read::plain("workspace.secrets.list_acls"),
    update: Update::Custom(update),
    identity: Identity::Named { parts: &["scope"], join: "/", rename: Rename::Replaces },
    natural: Natural { fields: &["scope"], unique: Unique::Yes },
    lifetime: Lifetime::Attached,
    fields: &[("scope", "text!"), ("entries", "[workspace.AclItem]!")],
    // Whatever YAML calls the field, `normal` makes it the API's.
    names: &[acl::USER, acl::GROUP, acl::SERVICE_PRINCIPAL, acl::ANY_USER, acl::ANY_GROUP, acl::ANY_SERVICE_PRINCIPAL],
    facts: &[("scope", Fact::Immutable), ("entries", Fact::Keyed(&["principal"])), ("entries[].principal", Fact::CaseBlind)],
    parents: &[super::Parent { field: "scope", kind: "secret_scopes", listed_by: false }],
    hooks: Hooks { normal: Some(normal), reply: Some(reply), view: Some(view), check: Some(check), ..Hooks::NONE },
    ..Kind::PLAIN
};

/// `{group_name: x, permission_level: READ}` and bundles' `level`, in the API's words for secrets.
fn normal(body: Value) -> Value {
    const WORDS: &[(&str, &str)] = &[
        ("group_name", "principal"),
        ("user_name", "principal"),
        ("service_principal_name", "principal"),
        ("permission_level", "permission"),
        ("level", "permission"),
    ];
    let Value::Map(mut body) = body else { return body };
    if let Some(Value::List(entries)) = body.get_mut("entries") {
        for entry in entries.iter_mut() {
            *entry = super::names::renamed(std::mem::replace(entry, Value::Null), WORDS);
        }
    }
    Value::Map(body)
}

fn reply(body: Value) -> Value {
    super::names::renamed(body, &[("items", "entries")])
}

fn entries(body: &Value) -> &[Value] {
    body.get("entries").and_then(Value::as_list).unwrap_or_default()
}

fn is_same(a: &Value, b: &Value) -> bool {
    match (a.get("principal"), b.get("principal")) {
        (Some(Value::Text(a)), Some(Value::Text(b))) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    }
}

/// Whether a live entry that is not listed stays: whoever made the scope manages it.
fn stays(entry: &Value, applied: Option<&Value>, context: &Context<'_>) -> bool {
    let manages = entry.get("permission").and_then(Value::as_str) == Some("MANAGE");
    let was_listed = applied.is_some_and(|a| entries(a).iter().any(|e| is_same(e, entry)));
    let is = |name: &str| entry.get("principal").and_then(Value::as_str).is_some_and(|p| p.eq_ignore_ascii_case(name));
    manages && context.deployer.map_or(!was_listed, is)
}

/// The entries that are compared, in the order of those listed.
fn view(view: &View<'_>) -> Value {
    let listed = entries(view.desired);
    let mut seen: Vec<(usize, Value)> = Vec::new();
    for entry in entries(view.live) {
        match listed.iter().position(|l| is_same(l, entry)) {
            Some(at) => seen.push((at, entry.clone())),
            None if stays(entry, view.applied, view.context) => {}
            None => seen.push((listed.len(), entry.clone())),
        }
    }
    seen.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.key_text().cmp(&y.key_text())));
    let mut body: Map = view.desired.get("scope").map(|s| ("scope".to_owned(), s.clone())).into_iter().collect();
    body.insert("entries".to_owned(), Value::List(seen.into_iter().map(|(_, e)| e).collect()));
    Value::Map(body)
}

/// A put for each entry that differs, a delete for each that is not listed, in this order.
#[expect(clippy::unnecessary_wraps, reason = "the form of an update function")]
fn update(change: &Change<'_>) -> Calls {
    let (listed, live) = (entries(change.desired), change.live.map_or(&[][..], entries));
    let call = |op, why, members: Vec<(&str, Option<Value>)>| {
        let scope = change.desired.get("scope").cloned();
        let members = std::iter::once(("scope", scope)).chain(members).filter_map(|(name, value)| Some((name, value?)));
        Call { op, path: Map::new(), query: Map::new(), body: Some(Value::map(members)), why, repeat: Repeat::Safe }
    };
    let of = |entry: &Value, field: &str| entry.get(field).cloned();
    let held = |entry: &Value| live.iter().find(|l| is_same(l, entry)).and_then(|l| of(l, "permission"));
    let mut calls: Vec<Call> = listed
        .iter()
        .filter(|e| held(e) != of(e, "permission"))
        .map(|e| {
            let members = vec![("principal", of(e, "principal")), ("permission", of(e, "permission"))];
            call("workspace.secrets.put_acl", "set permission", members)
        })
        .collect();
    let mut gone: Vec<&Value> = live.iter().filter(|l| !listed.iter().any(|e| is_same(e, l))).collect();
    gone.retain(|l| !stays(l, change.applied, &change.context));
    gone.sort_by_key(|l| l.get("principal").map(Value::key_text));
    calls.extend(
        gone.into_iter().map(|l| call("workspace.secrets.delete_acl", "remove permission", vec![("principal", of(l, "principal"))])),
    );
    Ok(calls)
}

/// One principal an entry, each once, with one of the levels.
fn check(body: &Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    let list = entries(body);
    for (i, entry) in list.iter().enumerate() {
        let path = Path::field("entries").join(Step::Index(i));
        if entry.get("principal").is_none() {
            let reason = "the entry names nobody: add `principal` (a user, a group, or a service principal's application id)".to_owned();
            found.push(Refusal { path, reason });
        } else if list[..i].iter().any(|before| is_same(before, entry)) {
            let name = entry.get("principal").map(Value::key_text).unwrap_or_default();
            found.push(Refusal { path, reason: format!("{name} has several permissions; list the highest alone") });
        }
    }
    found
}
