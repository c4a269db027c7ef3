//! What live becomes in YAML: values at the places that drifted, overlays, keys, references, parts; tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::accept::{accepted, can_be_read, is_secret, tidy};
use super::facets;
use super::object::{body, ids, key_for, referred, whole};
use super::overlay;
use super::place::{What, puts};
use crate::diagnostic::Source;
use crate::diff::{FieldChange, Reason};
use crate::kinds::{Kind, Registry, Schema};
use crate::model::{Address, Deferred, Path, Reference, Value, json};
use crate::state::Document;
use crate::yaml::parse;

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn kind(name: &str) -> &'static Kind {
    Registry::standard().get(name).unwrap_or_else(|| panic!("no kind {name}"))
}

fn change(path: &str, old: Option<Value>, new: Option<Value>) -> FieldChange {
    FieldChange { path: path.parse().expect("a path"), old, new, applied: None, reason: Reason::Drift }
}

#[test]
fn live_is_taken_at_the_places_that_drifted_and_nowhere_else() {
    const OURS: &str =
        r#"{"name":"a","timeout_seconds":5,"tags":{"t":"x"},"tasks":[{"task_key":"l","timeout_seconds":1},{"task_key":"m"}]}"#;
    const LIVE: &str = r#"{"name":"b","timeout_seconds":9,"tags":{"t":"y"},"tasks":[{"task_key":"m"},{"task_key":"l","timeout_seconds":2},{"task_key":"n"}]}"#;
    for (paths, want) in [
        (&[][..], OURS),
        (&["name"], &OURS.replace("\"a\"", "\"b\"")),
        (&["timeout_seconds", "timeout_seconds"], &OURS.replace(":5", ":9")),
        (&["tags.t"], &OURS.replace("\"x\"", "\"y\"")),
        // By key, wherever the item stands in live.
        (&["tasks[task_key=l].timeout_seconds"], &OURS.replace(":1}", ":2}")),
        (&["tasks[task_key=n]"], &OURS.replace("{\"task_key\":\"m\"}]", "{\"task_key\":\"m\"},{\"task_key\":\"n\"}]")),
        // What live does not have goes.
        (&["description"], OURS),
        (&["tasks[task_key=x]"], OURS),
    ] {
        let changes: Vec<FieldChange> = paths.iter().map(|path| change(path, None, None)).collect();
        let got = accepted(kind("jobs"), &value(OURS), &changes.iter().collect::<Vec<_>>(), &value(LIVE));
        assert_eq!(got, value(want), "{paths:?}");
    }
}

#[test]
fn what_live_lost_goes_and_secrets_stay() {
    let base = value(r#"{"name":"a","description":"d","tasks":[{"task_key":"l"},{"task_key":"m"}]}"#);
    let live = value(r#"{"name":"b","tasks":[{"task_key":"m"}]}"#);
    let secret = Value::Secret(Arc::new(Deferred::of(Reference { address: Address::new("jobs", "a"), path: Path::field("id") })));
    let changes = [
        change("description", None, Some(Value::text("d"))),
        change("tasks[task_key=l]", None, None),
        change("name", Some(secret.clone()), Some(secret)),
    ];
    assert!(is_secret(&changes[2]) && !is_secret(&changes[0]));
    let got = accepted(kind("jobs"), &base, &changes.iter().collect::<Vec<_>>(), &live);
    assert_eq!(got, value(r#"{"name":"a","tasks":[{"task_key":"m"}]}"#));
}

#[test]
fn what_no_read_gives_back_is_not_taken() {
    let never = change("initial_manage_principal", None, None);
    assert!(!can_be_read(kind("secret_scopes"), &never));
    assert!(can_be_read(kind("secret_scopes"), &change("scope", None, None)));
    let base = value(r#"{"scope":"s","initial_manage_principal":"users"}"#);
    assert_eq!(accepted(kind("secret_scopes"), &base, &[&never], &value(r#"{"scope":"s"}"#)), base);
}

#[test]
fn a_person_writes_no_defaults_and_nothing_that_the_server_fills() {
    for (name, live, want) in [
        ("secret_scopes", r#"{"scope":"s","scope_backend_type":"DATABRICKS"}"#, r#"{"scope":"s"}"#),
        ("warehouses", r#"{"id":"1","name":"w","cluster_size":"Medium","state":"RUNNING"}"#, r#"{"name":"w"}"#),
    ] {
        assert_eq!(tidy(Some(Schema::of(kind(name)).root()), &value(live)), value(want), "{name}");
    }
    assert_eq!(tidy(None, &value(r#"{"id":"1"}"#)), value(r#"{"id":"1"}"#), "what nobody knows is kept");
}

#[test]
fn an_object_as_yaml_says_it() {
    let known =
        BTreeMap::from([("0123456789abcdef".to_owned(), Address::new("warehouses", "bi")), ("77".to_owned(), Address::new("jobs", "x"))]);
    let live = value(
        r#"{"job_id":5,"creator_user_name":"c","name":"n ${x}","tags":{"brickform":"t","team":"a"},
            "tasks":[{"task_key":"s","sql_task":{"warehouse_id":"0123456789abcdef","query":{"query_id":"q"}}},{"task_key":"r","run_job_task":{"job_id":77}}]}"#,
    );
    let want = value(
        r#"{"name":"n $${x}","tags":{"team":"a"},
            "tasks":[{"task_key":"s","sql_task":{"warehouse_id":"${warehouses.bi.id}","query":{"query_id":"q"}}},{"task_key":"r","run_job_task":{"job_id":"${jobs.x.id}"}}]}"#,
    );
    assert_eq!(body(kind("jobs"), &live, &known), want);
    assert_eq!(body(kind("jobs"), &value(r#"{"name":"n","tags":{"brickform":"t"}}"#), &known), value(r#"{"name":"n"}"#));
    assert_eq!(whole(kind("jobs"), &live, &known), want, "nothing is missing");
    assert_eq!(referred(&value(r#"[77, 78, "77", true]"#), &known), value(r#"["${jobs.x.id}", 78, "${jobs.x.id}", true]"#));
}

#[test]
fn keys_are_made_of_names_and_none_twice() {
    let taken = |key: &str| matches!(key, "taken" | "taken_2");
    for (name, live, want) in [
        ("jobs", r#"{"name":"Nightly Load (EU)"}"#, "nightly_load_eu"),
        ("jobs", r#"{"name":"a--b"}"#, "a_b"),
        ("jobs", r#"{"name":"_-x-_"}"#, "x"),
        ("jobs", r#"{"name":"2 fast"}"#, "job_2_fast"),
        ("jobs", r#"{"name":"größe"}"#, "gr_e"),
        ("jobs", r#"{"name":"taken"}"#, "taken_3"),
        ("jobs", "{}", "job_77"),
        ("directories", r#"{"path":"/Shared/My Folder"}"#, "my_folder"),
        ("secret_scopes", r#"{"scope":"CON"}"#, "con"),
    ] {
        assert_eq!(key_for(kind(name), &value(live), "77", &taken), want, "{live}");
    }
}

#[test]
fn only_ids_that_can_be_nothing_else_are_references() {
    let mut state: Document = crate::state::new_document("p", "e");
    let mut declared = BTreeMap::new();
    let source = Arc::new(Source { name: "a.yaml".to_owned(), text: "a: 1\n".to_owned() });
    for (key, id, is_declared) in [
        ("a", "0123456789abcdef", true),
        ("b", "1234567", true),
        ("c", "deadbeef", true),
        ("d", "0a1b2c3d-4e5f", false),
        ("e", "main.x1234567", true),
    ] {
        let address = Address::new("jobs", key);
        let entry = crate::state::Entry {
            kind: "jobs".to_owned(),
            id: id.to_owned(),
            status: crate::state::Status::Ok,
            applied: value("{}"),
            former: None,
            etag: None,
            protected: false,
            adopted: false,
            dependencies: vec![],
            tag: None,
            deposed: vec![],
            made_by: None,
            called: None,
            before: None,
        };
        state.resources.insert(address.clone(), entry);
        if is_declared {
            let node = parse(&source).expect("YAML").remove(0);
            let span = node.span.clone();
            let resource = crate::project::Resource {
                address: address.clone(),
                kind: kind("jobs"),
                body: value("{}"),
                node: Arc::new(node),
                span,
                presets: vec![],
                lifecycle: crate::project::Lifecycle::default(),
                depends_on: vec![],
                natural: vec![],
            };
            declared.insert(address, resource);
        }
    }
    let found: Vec<String> = ids(&state, &declared).into_iter().map(|(id, address)| format!("{address}={id}")).collect();
    assert_eq!(found, ["jobs.a=0123456789abcdef"]);
}

#[test]
fn overlays_say_one_place() {
    for (before, path, set, want) in [
        ("null", "name", Some(r#""b""#), Some(r#"{"name":"b"}"#)),
        (r#"{"tags":{"a":1}}"#, "tags.b", Some("2"), Some(r#"{"tags":{"a":1,"b":2}}"#)),
        ("null", "tags.b", None, Some(r#"{"tags":{"b":{"$delete":true}}}"#)),
        ("null", "tasks[task_key=l].timeout_seconds", Some("3"), Some(r#"{"tasks":[{"task_key":"l","timeout_seconds":3}]}"#)),
        (
            r#"{"tasks":[{"task_key":"l","timeout_seconds":1}]}"#,
            "tasks[task_key=l].timeout_seconds",
            Some("3"),
            Some(r#"{"tasks":[{"task_key":"l","timeout_seconds":3}]}"#),
        ),
        ("null", "tasks[task_key=l]", None, Some(r#"{"tasks":[{"task_key":"l","$delete":true}]}"#)),
        ("null", "tasks[task_key=l]", Some(r#"{"task_key":"l"}"#), Some(r#"{"tasks":[{"task_key":"l"}]}"#)),
        ("null", "parameters[0]", Some("1"), None),
    ] {
        let steps = path.parse::<Path>().expect("a path");
        let got = overlay::with(value(before), steps.steps(), set.map(value));
        assert_eq!(got, want.map(value), "{before} {path}");
    }
}

#[test]
fn differences_are_put_where_the_source_says_them() {
    let text = "name: a\ntags: { t: x }\ntasks:\n  - { task_key: l, timeout_seconds: 1 }\n  - { task_key: m }\nparameters: [p, q]\n";
    let source = Arc::new(Source { name: "a.yaml".to_owned(), text: text.to_owned() });
    let node = parse(&source).expect("YAML").remove(0);
    let base = node.value();
    for (from, to, want) in [
        ("\"a\"", "\"b\"", "name set at 1"),
        ("\"x\"", "\"y\"", "tags.t set at 2"),
        ("{\"t\":\"x\"}", "{\"t\":\"x\",\"u\":\"z\"}", "tags.u add at 2"),
        ("{\"t\":\"x\"}", "{}", "tags.t remove at 2"),
        ("\"timeout_seconds\":1", "\"timeout_seconds\":2", "tasks[task_key=l].timeout_seconds set at 4"),
        (",{\"task_key\":\"m\"}", "", "tasks[task_key=m] remove at 5"),
        ("[{\"task_key\":\"l\"", "[{\"task_key\":\"n\"},{\"task_key\":\"l\"", "tasks[task_key=n] insert 0 at 4"),
        ("\"q\"", "\"r\"", "parameters[1] remove at 6; parameters[1] insert 1 at 6"),
    ] {
        let target = value(&json::write(&base).expect("JSON").replace(from, to));
        assert_ne!(target, base, "{from}");
        let mut found = vec![];
        puts(&node, &base, &target, Some(Schema::of(kind("jobs")).root()), &Path::root(), &mut found);
        let told: Vec<String> = found
            .iter()
            .map(|put| {
                let what = match &put.what {
                    What::Set(_) => "set".to_owned(),
                    What::Add(..) => "add".to_owned(),
                    What::Insert(at, _) => format!("insert {at}"),
                    What::Remove => "remove".to_owned(),
                    What::Untold => "untold".to_owned(),
                };
                format!("{} {what} at {}", put.path, put.node.span.line_column().0)
            })
            .collect();
        assert_eq!(told.join("; "), want, "{from} {to}");
    }
    let mut found = vec![];
    puts(&node, &base, &base, None, &Path::root(), &mut found);
    assert!(found.is_empty());
}

#[test]
fn parts_without_what_is_inherited_or_stays() {
    let jobs = kind("jobs");
    let facet = jobs.facets.iter().find(|f| f.name == "permissions").expect("jobs have access lists");
    let bound = facets::bound(facet, "9", &value(r#"{"job_id":9}"#));
    assert_eq!(bound, value(r#"{"object_type":"jobs","object_id":"9"}"#));
    assert_eq!(facets::id_of(facet, &bound).as_deref(), Some("jobs/9"));
    assert_eq!(facets::id_of(facet, &value("{}")), None);
    let live = |lists: &str| value(&format!(r#"{{"object_id":"/jobs/9","object_type":"job","access_control_list":[{lists}]}}"#));
    let entry = |who: &str, level: &str, inherited: bool| {
        format!(r#"{{{who},"all_permissions":[{{"permission_level":"{level}","inherited":{inherited}}}]}}"#)
    };
    let owner = entry(r#""user_name":"o@x""#, "IS_OWNER", false);
    for (lists, want) in [
        (owner.clone(), None),
        (format!("{owner},{}", entry(r#""group_name":"admins""#, "CAN_MANAGE", true)), None),
        (
            format!("{owner},{}", entry(r#""group_name":"eng""#, "CAN_VIEW", false)),
            Some(r#"[{"group_name":"eng","permission_level":"CAN_VIEW"}]"#),
        ),
        (format!("{owner},{}", entry(r#""service_principal_name":"sp""#, "CAN_MANAGE", false)), None),
    ] {
        let got = facets::entries(facet, &bound, &live(&lists), &value(r#"{"job_id":9}"#), Some("sp"));
        assert_eq!(got, want.map(value), "{lists}");
    }
}
