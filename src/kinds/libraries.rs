//! Libraries of a cluster: a part of it, always there.

use super::{
    Call, Calls, Change, Fact, Gone, Hooks, Identity, Kind, Lifetime, Natural, Path, Read, Refusal, Rename, Repeat, Step, Unique, Update,
    Value, View,
};
use crate::model::Map;

/// What is installed on a cluster. The list is authoritative, as permissions are: a library that somebody else installed is
/// shown as a removal once the list is written. Installing happens in the background, on a cluster that does not run when it
/// starts; uninstalling takes effect at the next restart [SDK].
pub static LIBRARIES: Kind = Kind {
    name: "libraries",
    singular: "library set",
    read: Read::plain("compute.libraries.cluster_status"),
    update: Update::Custom(update),
    identity: Identity::Named { parts: &["cluster_id"], join: "/", rename: Rename::Replaces },
    natural: Natural { fields: &["cluster_id"], unique: Unique::Yes },
    lifetime: Lifetime::Attached,
    // Asked for a cluster that is gone, the server says so in the words of clusters.
    gone: &[Gone::Text(400, "does not exist"), Gone::Text(400, "cannot access cluster")],
    fields: &[("cluster_id", "text!"), ("entries", "[compute.Library]!")],
    facts: &[
        ("cluster_id", Fact::Immutable),
        ("cluster_id", Fact::Refers("clusters")),
        ("entries", Fact::Set),
        ("entries[].maven.exclusions", Fact::Set),
    ],
    hooks: Hooks { normal: Some(normal), view: Some(view), check: Some(check), notes: Some(notes), warn: Some(warn), ..Hooks::NONE },
    ..Kind::PLAIN
};

/// The ways to name a library.
const SORTS: [&str; 7] = ["pypi", "whl", "requirements", "maven", "jar", "cran", "egg"];

/// `pypi: x` for `pypi: {package: x}`, `maven: g:a:v` for `maven: {coordinates: g:a:v}`.
fn normal(body: Value) -> Value {
    let Value::Map(mut body) = body else { return body };
    if let Some(Value::List(entries)) = body.get_mut("entries") {
        for entry in entries.iter_mut().filter_map(Value::as_map_mut) {
            for (sort, member) in [("pypi", "package"), ("cran", "package"), ("maven", "coordinates")] {
                if let Some(short @ Value::Text(_)) = entry.get_mut(sort) {
                    *short = Value::map([(member, short.clone())]);
                }
            }
        }
    }
    Value::Map(body)
}

/// Every library of a reply with its status.
fn statuses(live: &Value) -> impl Iterator<Item = (&Value, &str, &Value)> {
    let all = live.get("library_statuses").and_then(Value::as_list).unwrap_or_default();
    all.iter().filter_map(|one| Some((one.get("library")?, one.get("status").and_then(Value::as_str).unwrap_or_default(), one)))
}

/// Libraries that are there: neither on their way out nor put on every cluster of the workspace by an administrator.
fn present(live: &Value) -> Vec<Value> {
    let everywhere = |one: &Value| one.get("is_library_for_all_clusters").and_then(Value::as_bool) == Some(true);
    let there = statuses(live).filter(|(_, status, one)| *status != "UNINSTALL_ON_RESTART" && !everywhere(one));
    there.map(|(library, ..)| library.clone()).collect()
}

fn view(view: &View<'_>) -> Value {
    let mut body = Map::new();
    body.extend(view.desired.get("cluster_id").or_else(|| view.live.get("cluster_id")).map(|id| ("cluster_id".to_owned(), id.clone())));
    body.insert("entries".to_owned(), Value::List(present(view.live)));
    Value::Map(body)
}

fn listed(body: &Value) -> &[Value] {
    body.get("entries").and_then(Value::as_list).unwrap_or_default()
}

fn missing(change: &Change<'_>) -> Vec<Value> {
    let there = change.live.map(present).unwrap_or_default();
    listed(change.desired).iter().filter(|wanted| !there.iter().any(|l| alike(l, wanted))).cloned().collect()
}

fn surplus(change: &Change<'_>) -> Vec<Value> {
    let there = change.live.map(present).unwrap_or_default();
    there.into_iter().filter(|l| !listed(change.desired).iter().any(|wanted| alike(l, wanted))).collect()
}

/// Whether two entries name the same library: exclusions have no order, and replies leave out what is empty.
fn alike(a: &Value, b: &Value) -> bool {
    fn flat(value: &Value) -> String {
        match value {
            Value::Map(map) => {
                let mut parts: Vec<String> =
                    map.iter().map(|(k, v)| (k, flat(v))).filter(|(_, v)| !v.is_empty()).map(|(k, v)| format!("{k}={v}")).collect();
                parts.sort();
                parts.join(";")
            }
            Value::List(list) => {
                let mut parts: Vec<String> = list.iter().map(flat).collect();
                parts.sort();
                parts.join(",")
            }
            Value::Null => String::new(),
            other => other.key_text(),
        }
    }
    if a.has_unknown() || b.has_unknown() { a == b } else { flat(a) == flat(b) }
}

/// What is missing is installed, what is too much uninstalled: that one first, so that another version of one package is
/// not taken for the one that goes.
#[expect(clippy::unnecessary_wraps, reason = "the form of an update function")]
fn update(change: &Change<'_>) -> Calls {
    let id = change.desired.get("cluster_id").cloned().unwrap_or_else(|| change.id.clone());
    let call = |op, why, libraries: Vec<Value>| Call {
        op,
        path: Map::new(),
        query: Map::new(),
        body: Some(Value::map([("cluster_id", id.clone()), ("libraries", Value::List(libraries))])),
        why,
        repeat: Repeat::Safe,
    };
    let (out, new) = (surplus(change), missing(change));
    let mut calls = Vec::new();
    if !out.is_empty() {
        calls.push(call("compute.libraries.uninstall", "uninstall", out));
    }
    if !new.is_empty() {
        calls.push(call("compute.libraries.install", "install", new));
    }
    Ok(calls)
}

/// What a library is called in one line: `pypi pandas==2.2.0`.
fn name(library: &Value) -> String {
    SORTS
        .iter()
        .find_map(|sort| {
            let value = library.get(sort)?;
            let text = ["package", "coordinates"].iter().find_map(|m| value.get(m)).unwrap_or(value);
            Some(format!("{sort} {}", text.key_text()))
        })
        .unwrap_or_default()
}

fn notes(change: &Change<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if !surplus(change).is_empty() {
        notes.push("what is uninstalled stays loaded until the cluster restarts".to_owned());
    }
    notes
}

/// Libraries that did not get onto the cluster: the API takes them all the same, so no plan would ever say it.
fn warn(live: &Value, desired: &Value, _: Option<&str>) -> Vec<String> {
    let wanted = |library: &Value| listed(desired).iter().any(|l| alike(l, library));
    let mut notes = Vec::new();
    for (library, status, one) in statuses(live).filter(|(library, status, _)| *status == "FAILED" && wanted(library)) {
        let why: Vec<String> = one.get("messages").and_then(Value::as_list).unwrap_or_default().iter().map(Value::key_text).collect();
        let why = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
        notes.push(format!("{} is {status} on the cluster{why}", name(library)));
    }
    notes
}

/// One sort an entry, each library once.
fn check(body: &Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    let mut before: Vec<&Value> = Vec::new();
    for (i, entry) in listed(body).iter().enumerate() {
        let path = Path::field("entries").join(Step::Index(i));
        let named: Vec<&str> = SORTS.into_iter().filter(|sort| entry.get(sort).is_some()).collect();
        match named.as_slice() {
            [_] if before.iter().any(|b| alike(b, entry)) => {
                found.push(Refusal { path, reason: format!("{} is listed twice", name(entry)) });
            }
            [_] => before.push(entry),
            [] => found.push(Refusal { path, reason: format!("the entry names no library: write one of {}", SORTS.join(", ")) }),
            _ => found
                .push(Refusal { path, reason: format!("the entry names {}: each library is an entry of its own", named.join(" and ")) }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Context;
    use crate::model::json;

    fn value(text: &str) -> Value {
        json::parse(text.as_bytes()).unwrap()
    }

    const LIVE: &str = r#"{"cluster_id":"c","library_statuses":[
        {"library":{"pypi":{"package":"a"}},"status":"INSTALLED"},
        {"library":{"whl":"/b.whl"},"status":"FAILED","messages":["no such file"]},
        {"library":{"jar":"/c.jar"},"status":"UNINSTALL_ON_RESTART"},
        {"library":{"pypi":{"package":"everywhere"}},"status":"INSTALLED","is_library_for_all_clusters":true},
        {"library":{"maven":{"coordinates":"g:a:1","exclusions":["x","y"]}},"status":"PENDING"}]}"#;

    #[test]
    fn what_is_missing_is_installed_and_what_is_too_much_uninstalled() {
        let (address, id, live) = ("clusters.x/libraries".parse().unwrap(), Value::from("c"), value(LIVE));
        for (entries, want) in [
            (r#"[{"pypi":{"package":"a"}},{"whl":"/b.whl"},{"maven":{"coordinates":"g:a:1","exclusions":["y","x"]}}]"#, vec![]),
            (
                r#"[{"pypi":{"package":"a"}},{"jar":"/c.jar"},{"maven":{"coordinates":"g:a:1","exclusions":["y","x"]}}]"#,
                vec![r#"uninstall [{"whl":"/b.whl"}]"#, r#"install [{"jar":"/c.jar"}]"#],
            ),
        ] {
            let desired = value(&format!(r#"{{"cluster_id":"c","entries":{entries}}}"#));
            let change = Change {
                address: &address,
                id: &id,
                applied: None,
                live: Some(&live),
                desired: &desired,
                paths: &[],
                context: Context::default(),
            };
            let libraries = |c: &Call| json::write(c.body.as_ref().and_then(|b| b.get("libraries")).unwrap()).unwrap();
            let got: Vec<String> = update(&change).unwrap().iter().map(|c| format!("{} {}", c.why, libraries(c))).collect();
            assert_eq!(got, want, "{entries}");
            let warned = warn(&live, &desired, None).iter().any(|n| n == "whl /b.whl is FAILED on the cluster: no such file");
            assert_eq!(warned, entries.contains("/b.whl"), "{entries}");
        }
    }

    #[test]
    fn short_forms_and_mistakes() {
        let body = normal(value(r#"{"entries":[{"pypi":"a"},{"maven":"g:a:1"},{"whl":"/b.whl"}]}"#));
        let long = r#"{"entries":[{"pypi":{"package":"a"}},{"maven":{"coordinates":"g:a:1"}},{"whl":"/b.whl"}]}"#;
        assert_eq!(body, value(long));
        assert!(check(&body).is_empty());
        for (entries, want) in [
            ("[{}]", "names no library"),
            (r#"[{"whl":"a","jar":"b"}]"#, "names whl and jar"),
            (r#"[{"whl":"a"},{"whl":"a"}]"#, "whl a is listed twice"),
        ] {
            let found = check(&value(&format!(r#"{{"entries":{entries}}}"#)));
            assert!(found.len() == 1 && found[0].reason.contains(want), "{entries}: {found:?}");
        }
    }
}
