//! Tags of one object of a workspace: a Genie space, a dashboard, a notebook, an app.
//!
//! Exact for each key that is named, and for those that the last apply named: a key that was never set here is somebody else's
//! and left alone, unless `lifecycle.exclusive` is set.

use super::call::{Call, Repeat};
use super::{
    Calls, Change, Fact, Hooks, Identity, Kind, Lifetime, Natural, Path, Read, Refusal, Rename, Step, Unique, Update, Value, View,
};
use crate::model::Map;

/// Tag assignments of an object: read in one list, each key made, changed and deleted by itself.
pub static WORKSPACE_TAGS: Kind = Kind {
    name: "workspace_tags",
    singular: "set of workspace tags",
    read: Read { pages: "page_token", ..Read::plain("tags.workspace_entity_tag_assignments.list_tag_assignments") },
    update: Update::Custom(update),
    identity: Identity::Named { parts: &["entity_type", "entity_id"], join: "/", rename: Rename::Replaces },
    natural: Natural { fields: &["entity_type", "entity_id"], unique: Unique::Yes },
    lifetime: Lifetime::Attached,
    unguarded: Some(|_| true),
    fields: &[("entity_type", "text!"), ("entity_id", "text!"), ("tags", "{text}!")],
    facts: &[("entity_type", Fact::Immutable), ("entity_id", Fact::Immutable)],
    hooks: Hooks {
        normal: Some(normal),
        laid: Some(normal),
        reply: Some(reply),
        view: Some(view),
        check: Some(check),
        holds: Some(holds),
        ..Hooks::NONE
    },
    ..Kind::PLAIN
};

/// A list of words: keys without values.
fn normal(body: Value) -> Value {
    let Value::Map(mut body) = body else { return body };
    if let Some(list @ Value::List(_)) = body.get_mut("tags")
        && list.as_list().is_some_and(|words| words.iter().all(|word| word.as_str().is_some()))
    {
        let words = list.as_list().unwrap_or_default().iter().map(|word| (word.key_text(), Value::from("")));
        *list = Value::Map(words.collect());
    }
    Value::Map(body)
}

/// The list of assignments as a map. A tag without a value has none in replies.
fn reply(body: Value) -> Value {
    let Value::Map(mut body) = body else { return body };
    let mut tags = Map::new();
    for one in body.shift_remove("tag_assignments").as_ref().and_then(Value::as_list).unwrap_or_default() {
        for bound in ["entity_type", "entity_id"] {
            if let Some(value) = one.get(bound) {
                body.entry(bound.to_owned()).or_insert_with(|| value.clone());
            }
        }
        let value = one.get("tag_value").filter(|value| **value != Value::Null).cloned().unwrap_or_else(|| Value::from(""));
        tags.extend(one.get("tag_key").map(|key| (key.key_text(), value)));
    }
    tags.sort_keys();
    body.insert("tags".to_owned(), Value::Map(tags));
    Value::Map(body)
}

fn tags(body: Option<&Value>) -> Option<&Map> {
    body.and_then(|body| body.get("tags")).and_then(Value::as_map)
}

fn has(tags: Option<&Map>, key: &str) -> bool {
    tags.is_some_and(|tags| tags.contains_key(key))
}

/// The keys that are named now or were at the last apply: those named first, in their order.
fn view(view: &View<'_>) -> Value {
    let (named, before, live) = (tags(Some(view.desired)), tags(view.applied), tags(Some(view.live)));
    let held = |key: &String| Some((key.clone(), live?.get(key)?.clone()));
    let mut seen: Map = named.iter().flat_map(|named| named.keys()).filter_map(held).collect();
    let ours = |key: &&String| !has(named, key) && (view.context.exclusive || has(before, key));
    seen.extend(live.iter().flat_map(|live| live.keys()).filter(ours).filter_map(held));
    let mut body: Map =
        ["entity_type", "entity_id"].into_iter().filter_map(|f| Some((f.to_owned(), view.desired.get(f)?.clone()))).collect();
    body.insert("tags".to_owned(), Value::Map(seen));
    Value::Map(body)
}

const CREATE: &str = "tags.workspace_entity_tag_assignments.create_tag_assignment";
const UPDATE: &str = "tags.workspace_entity_tag_assignments.update_tag_assignment";
const DELETE: &str = "tags.workspace_entity_tag_assignments.delete_tag_assignment";

/// A request for each key that differs: those that are new or have another value in the order of YAML, then those that go.
#[expect(clippy::unnecessary_wraps, reason = "the form of an update function")]
fn update(change: &Change<'_>) -> Calls {
    let (wanted, before, live) = (tags(Some(change.desired)), tags(change.applied), tags(change.live));
    let object: Map =
        ["entity_type", "entity_id"].into_iter().filter_map(|f| Some((f.to_owned(), change.desired.get(f)?.clone()))).collect();
    let with = |more: &[(&str, &Value)]| -> Map {
        object.clone().into_iter().chain(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).clone()))).collect()
    };
    let mut calls = Vec::new();
    for (key, value) in wanted.iter().flat_map(|wanted| wanted.iter()) {
        let named = Value::text(key);
        let body = Some(Value::Map(with(&[("tag_key", &named), ("tag_value", value)])));
        match live.and_then(|live| live.get(key)) {
            Some(held) if held == value => {}
            Some(_) => calls.push(Call {
                op: UPDATE,
                path: with(&[("tag_key", &named)]),
                query: [("update_mask".to_owned(), Value::from("tag_value"))].into_iter().collect(),
                body,
                why: "change tag",
                repeat: Repeat::Safe,
            }),
            None => calls.push(Call { op: CREATE, path: Map::new(), query: Map::new(), body, why: "set tag", repeat: Repeat::Safe }),
        }
    }
    let goes = |key: &&String| !has(wanted, key) && (change.context.exclusive || has(before, key));
    for key in live.iter().flat_map(|live| live.keys()).filter(goes) {
        let path = with(&[("tag_key", &Value::text(key))]);
        calls.push(Call { op: DELETE, path, query: Map::new(), body: None, why: "remove tag", repeat: Repeat::Safe });
    }
    Ok(calls)
}

/// Whether the object has the tag that this request sets, with its value.
fn holds(call: &Call, live: &Value) -> bool {
    let said = |name: &str| call.body.as_ref().and_then(|body| body.get(name));
    let held = said("tag_key").and_then(|key| tags(Some(live))?.get(&key.key_text()));
    call.op == CREATE && held.is_some() && held == said("tag_value")
}

/// Keys that the API takes: without `, . : / - =`, and without spaces at their ends (the API's page of the operation).
fn check(body: &Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    for key in tags(Some(body)).iter().flat_map(|tags| tags.keys()) {
        let path = Path::field("tags").join(Step::Field(key.clone()));
        if key.is_empty() {
            found.push(Refusal { path, reason: "a tag has no key".to_owned() });
        } else if key.trim() != key {
            found.push(Refusal { path, reason: format!("the key of the tag `{key}` begins or ends with a space, which the API refuses") });
        } else if let Some(bad) = key.chars().find(|c| ",.:/-=".contains(*c)) {
            let better: String = key.chars().map(|c| if ",.:/-=".contains(c) { '_' } else { c }).collect();
            let reason =
                format!("the key of the tag `{key}` holds `{bad}`, which the API refuses (as it does `, . : / - =`): write `{better}`");
            found.push(Refusal { path, reason });
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

    /// A body with these tags.
    fn body(tags: &str) -> Value {
        value(&format!(r#"{{"entity_type":"geniespaces","entity_id":"1","tags":{tags}}}"#))
    }

    #[test]
    fn a_list_of_words_is_keys_without_values() {
        assert_eq!(normal(body(r#"["gold","certified"]"#)), body(r#"{"gold":"","certified":""}"#));
        assert_eq!(normal(body(r#"{"team":"sales"}"#)), body(r#"{"team":"sales"}"#));
        assert_eq!(normal(body(r#"["gold",{"team":"sales"}]"#)), body(r#"["gold",{"team":"sales"}]"#), "left to the check of types");
    }

    #[test]
    fn a_reply_is_a_map() {
        let got = reply(value(
            r#"{"tag_assignments":[{"entity_type":"geniespaces","entity_id":"1","tag_key":"z","tag_value":"1"},
                {"entity_type":"geniespaces","entity_id":"1","tag_key":"a"}]}"#,
        ));
        assert_eq!(got, body(r#"{"a":"","z":"1"}"#));
        assert_eq!(reply(value("{}")), value(r#"{"tags":{}}"#));
    }

    #[test]
    fn keys_are_owned_one_by_one() {
        let (address, id) = ("spaces.x/tags".parse().unwrap(), Value::from("geniespaces/1"));
        let live = body(r#"{"theirs":"1","team":"old","ours":"1"}"#);
        for (applied, desired, exclusive, want, seen) in [
            (None, r#"{"team":"sales"}"#, false, vec!["change tag team=sales"], r#"{"team":"old"}"#),
            (None, r#"{"team":"old","new":""}"#, false, vec!["set tag new="], r#"{"team":"old"}"#),
            (Some(r#"{"ours":"1"}"#), r#"{"team":"old"}"#, false, vec!["remove tag ours"], r#"{"team":"old","ours":"1"}"#),
            (Some(r#"{"gone":"1"}"#), r#"{"team":"old"}"#, false, vec![], r#"{"team":"old"}"#),
            (
                None,
                "{}",
                true,
                vec!["remove tag theirs", "remove tag team", "remove tag ours"],
                r#"{"theirs":"1","team":"old","ours":"1"}"#,
            ),
        ] {
            let (applied, desired) = (applied.map(body), body(desired));
            let context = Context { exclusive, ..Context::default() };
            let shown = view(&View { live: &live, desired: &desired, applied: applied.as_ref(), context: &context });
            assert_eq!(shown, body(seen), "{desired:?}");
            let change =
                Change { address: &address, id: &id, applied: applied.as_ref(), live: Some(&live), desired: &desired, paths: &[], context };
            let text = |call: &Call| {
                let said =
                    call.body.as_ref().map(|body| (body.get("tag_key").unwrap().key_text(), body.get("tag_value").unwrap().key_text()));
                let said = said.map_or_else(|| call.path["tag_key"].key_text(), |(key, value)| format!("{key}={value}"));
                format!("{} {said}", call.why)
            };
            let got: Vec<String> = update(&change).unwrap().iter().map(text).collect();
            assert_eq!(got, want, "{desired:?}");
        }
    }

    #[test]
    fn keys_that_the_api_refuses() {
        for (key, want) in
            [("cost-center", Some("write `cost_center`")), (" a", Some("a space")), ("", Some("no key")), ("a b", None), ("ü", None)]
        {
            let found = check(&body(&format!(r#"{{"{key}":"1"}}"#)));
            assert_eq!(found.len(), usize::from(want.is_some()), "{key}");
            assert!(want.is_none_or(|want| found[0].reason.contains(want)), "{key}: {found:?}");
        }
    }
}
