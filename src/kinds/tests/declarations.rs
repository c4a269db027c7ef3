//! What every kind must be.

use std::collections::BTreeSet;

use super::{kind, value};
use crate::catalogue::{self, Body, TypeDef};
use crate::kinds::{
    Call, Change, Context, Fact, From, Hooks, Identity, Kind, Lifetime, Lit, Read, Registry, Rename, Request, Route, Rows, Schema, Update,
    create_calls, from_reply, id_of, update_calls,
};
use crate::model::{Address, Path, Value};

fn requests(kind: &Kind) -> Vec<Request> {
    let mut all: Vec<Request> = kind.create.into_iter().chain(kind.delete).collect();
    match kind.update {
        Update::Whole(r) | Update::Patch(r) | Update::Mask(r, _) => all.push(r),
        Update::Routed(routes) => all.extend(routes.iter().map(|r| r.request)),
        Update::Never | Update::Custom(_) => {}
    }
    all
}

/// Every kind, by each of its APIs.
fn by_every_api() -> Vec<&'static Kind> {
    let first: Vec<&Kind> = Registry::standard().iter().collect();
    first.iter().copied().chain(first.iter().filter_map(|kind| Some(kind.otherwise?.kind))).collect()
}

#[test]
fn every_operation_is_in_the_catalogue() {
    for kind in by_every_api() {
        let read = [kind.read.op].into_iter().filter(|op| !op.is_empty());
        let ops: Vec<&str> = requests(kind)
            .iter()
            .map(|r| r.op)
            .chain(read)
            .chain(kind.list.map(|l| l.op))
            .chain(kind.waits.iter().map(|w| w.waiter))
            .collect();
        assert!(!ops.is_empty(), "{}", kind.name);
        for op in ops {
            assert!(catalogue::operation(op).is_some(), "{}: {op}", kind.name);
        }
        for wait in kind.waits {
            assert!(catalogue::operation(wait.waiter).unwrap().waiter.is_some(), "{}: {} has no waiter", kind.name, wait.waiter);
        }
        for request in requests(kind) {
            let operation = catalogue::operation(request.op).unwrap();
            assert!(request.args.iter().all(|(p, _)| operation.path_params.iter().any(|x| x == p)), "{}: {request:?}", kind.name);
            assert!(request.query.iter().all(|(p, _)| operation.query.contains_key(*p)), "{}: {request:?}", kind.name);
            let wrapped = request.wrap.is_empty() || matches!(&operation.body, Body::Members(m) if m.contains_key(request.wrap));
            assert!(wrapped, "{}: {request:?}", kind.name);
        }
        if let Some(list) = kind.list {
            let operation = catalogue::operation(list.op).unwrap();
            // A member of a parameter is sent as `filter_by.cluster_sources`.
            let known = |p: &str| operation.query.contains_key(p.split('.').next().unwrap_or(p));
            assert!(operation.paging.is_some() && list.query.iter().all(|(p, _)| known(p)), "{}", kind.name);
            if let Rows::WholeUnless(field) = list.rows {
                let Some(catalogue::Type::Named(item)) = &operation.item else { panic!("{}", kind.name) };
                let Some(TypeDef::Struct(members)) = catalogue::type_named(item) else { panic!("{item}") };
                assert!(members.contains_key(field), "{}: {field}", kind.name);
            }
        }
        for parameter in [kind.read.names, kind.read.pages].into_iter().filter(|p| !p.is_empty()) {
            assert!(catalogue::operation(kind.read.op).unwrap().query.contains_key(parameter), "{}: {parameter}", kind.name);
        }
    }
}

#[test]
fn every_fact_attaches_somewhere() {
    for kind in by_every_api() {
        assert_eq!(Schema::of(kind).unresolved(), &[] as &[&str], "{}", kind.name);
    }
}

/// Fields that a kind states itself and a change of which would replace the object, although nothing says that it should.
fn replaces_unsaid(kind: &'static Kind) -> Vec<&'static str> {
    let root = Schema::of(kind).root();
    let said = |name: &str| {
        let names = matches!(kind.identity, Identity::Named { parts, .. } if parts.contains(&name));
        names || kind.facts.iter().any(|(at, fact)| *at == name && matches!(fact, Fact::Immutable))
    };
    let stated = kind.fields.iter().chain(kind.own).map(|(name, _)| *name);
    let replaces = |name: &&str| root.field(name).is_some_and(|field| field.immutable());
    stated.filter(|_| !matches!(kind.update, Update::Never)).filter(replaces).filter(|name| !said(name)).collect()
}

#[test]
fn what_a_kind_states_replaces_only_where_it_says_so() {
    for kind in by_every_api() {
        let unsaid = replaces_unsaid(kind);
        assert!(
            unsaid.is_empty(),
            "{}: no update sends {unsaid:?}, so that a change replaces the object: say Fact::Immutable where that is so, else take an \
             update that sends it (CONTRIBUTING.md, step 4)",
            kind.name
        );
    }
}

/// A field of one's own beside each sort of update.
#[test]
fn how_fields_of_ones_own_and_updates_go_together() {
    const PLAIN: Kind = Kind {
        name: "trials",
        create: Some(Request::bare("compute.instance_pools.create")),
        read: Read::plain("compute.instance_pools.get"),
        identity: Identity::Assigned("instance_pool_id"),
        own: &[("version", "text")],
        facts: &[("version", Fact::InputOnly)],
        ..Kind::PLAIN
    };
    const EDIT: Request = Request::bare("compute.instance_pools.edit");
    static WHOLE: Kind = Kind { update: Update::Whole(EDIT), ..PLAIN };
    static SAID: Kind = Kind { facts: &[("version", Fact::InputOnly), ("version", Fact::Immutable)], ..WHOLE };
    static PATCH: Kind = Kind { update: Update::Patch(EDIT), ..PLAIN };
    static MASK: Kind = Kind { update: Update::Mask(EDIT, "update_mask"), ..PLAIN };
    static WIRED: Kind = Kind { hooks: Hooks { wire: Some(Value::clone), ..Hooks::NONE }, ..PATCH };
    static ROUTED: Kind =
        Kind { update: Update::Routed(&[Route { fields: &["min_idle_instances"], request: EDIT, custom: None }]), ..PLAIN };
    static NEVER: Kind = Kind { update: Update::Never, ..PLAIN };
    static STATED: Kind = Kind {
        fields: &[("instance_pool_name", "text!"), ("min_idle_instances", "int"), ("preloaded_spark_versions", "[text]")],
        own: &[],
        facts: &[],
        ..PATCH
    };
    for (what, kind, replaces, unsaid) in [
        ("the whole is sent again", &WHOLE, false, vec![]),
        ("it says so", &SAID, true, vec![]),
        ("nothing sends it", &PATCH, true, vec!["version"]),
        ("no mask names it", &MASK, true, vec!["version"]),
        ("a hook writes requests", &WIRED, false, vec![]),
        ("no route has it", &ROUTED, true, vec!["version"]),
        ("nothing changes in place", &NEVER, true, vec![]),
        ("of what is stated the update takes two", &STATED, false, vec!["preloaded_spark_versions"]),
    ] {
        let field = Schema::of(kind).root().field(if kind.own.is_empty() { "instance_pool_name" } else { "version" }).expect("a field");
        assert_eq!((field.immutable(), replaces_unsaid(kind)), (replaces, unsaid), "{what}");
    }
    // Beside an update of the whole it is never sent: not with the create, and not after it.
    let desired = value(r#"{"instance_pool_name":"p","node_type_id":"n","version":"2"}"#);
    let (address, live) = (Address::new("trials", "a"), value(r#"{"instance_pool_name":"p","node_type_id":"n","instance_pool_id":"1"}"#));
    let paths = [Path::field("version")];
    let context = Context::default();
    let change = Change { address: &address, id: &Value::text("1"), applied: None, live: None, desired: &desired, paths: &paths, context };
    let made = create_calls(&WHOLE, &change).expect("calls");
    let changed = update_calls(&WHOLE, &Change { live: Some(&live), ..change }).expect("calls");
    let sent = |calls: &[Call]| {
        calls.iter().map(|call| (call.op, call.body.as_ref().is_some_and(|b| b.get("version").is_some()))).collect::<Vec<_>>()
    };
    assert_eq!(sent(&made), [("compute.instance_pools.create", false)]);
    assert_eq!(sent(&changed), [("compute.instance_pools.edit", false)]);
}

/// The other API is of the same objects: everything but operations and hooks is alike, and it is the end of the chain.
#[test]
fn two_apis_of_a_kind_are_alike() {
    let mut found = 0;
    for kind in Registry::standard().iter() {
        let Some(otherwise) = kind.otherwise else { continue };
        let other = otherwise.kind;
        found += 1;
        assert!(other.otherwise.is_none() && other.name == kind.name && !otherwise.setting.is_empty(), "{}", kind.name);
        assert_ne!(otherwise.words[0], otherwise.words[1]);
        assert_eq!((kind.fields, kind.natural.fields, kind.aliases), (other.fields, other.natural.fields, other.aliases), "{}", kind.name);
        assert_eq!(format!("{:?} {:?}", kind.identity, kind.facts), format!("{:?} {:?}", other.identity, other.facts), "{}", kind.name);
        if let Some(parameter) = other.chosen_id {
            let create = catalogue::operation(other.create.expect("it is made").op).expect("it is known");
            assert!(create.query.contains_key(parameter), "{}: {parameter}", kind.name);
        }
    }
    assert!(found > 0, "no kind has two APIs");
}

#[test]
fn facts_that_attach_nowhere_are_named() {
    static MISSPELT: Kind = Kind {
        name: "misspelt",
        create: Some(Request::bare("jobs.jobs.create")),
        facts: &[
            ("nmae", Fact::CaseBlind),
            ("tasks[].task_key", Fact::CaseBlind),
            ("tasks.task_key", Fact::CaseBlind),
            ("@jobs.Task.run_fi", Fact::CaseBlind),
        ],
        ..Kind::PLAIN
    };
    assert_eq!(Schema::of(&MISSPELT).unresolved(), ["nmae", "tasks.task_key", "@jobs.Task.run_fi"]);
}

#[test]
fn every_kind_says_what_it_is() {
    let registry = Registry::standard();
    let mut names = BTreeSet::new();
    for kind in registry.iter() {
        assert!(!kind.singular.is_empty() && (!kind.read.op.is_empty() || kind.list.is_some()), "{}", kind.name);
        assert!(kind.aliases.iter().chain([&kind.name]).all(|n| names.insert(*n)), "{}: a name is taken", kind.name);
        assert_eq!(kind.lifetime == Lifetime::Own, kind.create.is_some() && kind.delete.is_some(), "{}", kind.name);
        let named = matches!(kind.identity, Identity::Named { .. }) && !kind.read.op.is_empty();
        assert_eq!(
            kind.lifetime == Lifetime::Own,
            kind.list.is_some() || (named && kind.lifetime == Lifetime::Own),
            "{}: what we make we must be able to find",
            kind.name
        );
        let root = Schema::of(kind).root();
        let known = |field: &str| root.field(field).is_some();
        assert!(kind.natural.fields.iter().all(|f| known(f)), "{}: natural key", kind.name);
        match kind.identity {
            Identity::Assigned(field) => assert!(root.field(field).is_some_and(|f| f.computed()), "{}: {field}", kind.name),
            Identity::Named { parts, .. } => assert!(parts.iter().all(|f| known(f)), "{}", kind.name),
            Identity::Single(word) => assert!(!word.is_empty()),
        }
        for facet in kind.facets {
            let theirs = Schema::of(facet.kind).root();
            assert!(registry.get(facet.kind.name).is_some() && theirs.field(facet.body).is_some(), "{}", kind.name);
            assert!(facet.bind.iter().all(|(f, _)| theirs.field(f).is_some()), "{}: {}", kind.name, facet.name);
            for (_, from) in facet.bind {
                assert!(!matches!(from, From::Field(f) if !known(f)), "{}: {}", kind.name, facet.name);
            }
        }
        assert!(kind.parents.iter().all(|p| known(p.field) && registry.get(p.kind).is_some()), "{}: parents", kind.name);
        for part in kind.link.unwrap_or_default().split('{').skip(1).filter_map(|p| p.split_once('}')) {
            assert!(known(part.0), "{}: link {}", kind.name, part.0);
        }
    }
}

/// A plain kind is a declaration. Those with code of their own are named here, each with its reason in its first lines.
#[test]
fn plain_kinds_are_short() {
    const WITH_CODE: &[&str] = &[
        "permissions",
        "grants",
        "serving_endpoints",
        "groups",
        "group_members",
        "secret_acls",
        "clusters",
        "libraries",
        "notebooks",
        "spaces",
        "workspace_tags",
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kinds");
    for kind in Registry::standard().iter() {
        // A kind that is a room of several files has its declaration in the first.
        let text = std::fs::read_to_string(folder.join(format!("{}.rs", kind.name)))
            .or_else(|_| std::fs::read_to_string(folder.join(kind.name).join("mod.rs")))
            .expect("a kind is a file or a folder of its name");
        let limit = if WITH_CODE.contains(&kind.name) { 250 } else { 80 };
        assert!(text.lines().count() <= limit, "{}: {} lines", kind.name, text.lines().count());
    }
}

/// Facts at places, each by another way: by path, by type, by a type that recurs, from the catalogue, by suffix.
#[test]
fn facts_by_place() {
    for (of, path, what) in [
        ("jobs", "tasks", "keyed task_key"),
        ("jobs", "tasks[0].depends_on", "keyed task_key"),
        ("jobs", "tasks[0].for_each_task.task.depends_on", "keyed task_key"),
        ("jobs", "tasks[0].for_each_task.task.for_each_task.task.run_if", "default ALL_SUCCESS"),
        ("jobs", "tasks[0].webhook_notifications.on_failure", "keyed id"),
        ("jobs", "tasks[0].email_notifications.on_start", "set"),
        ("jobs", "job_clusters[0].new_cluster.driver_node_type_id", "default @node_type_id"),
        ("jobs", "tasks[0].new_cluster.apply_policy_default_values", "input"),
        ("jobs", "tasks[0].task_key", "required"),
        ("jobs", "job_id", "computed"),
        ("jobs", "creator_user_name", "computed"),
        ("jobs", "format", "computed"),
        ("jobs", "tags", "map"),
        ("jobs", "deployment.kind", "required"),
        ("warehouses", "jdbc_url", "computed"),
        ("warehouses", "creator_name", "computed"),
        ("warehouses", "auto_stop_mins", "default 120"),
        ("warehouses", "tags.custom_tags", "keyed key"),
        ("catalogs", "storage_root", "immutable"),
        ("catalogs", "connection_name", "immutable"),
        ("catalogs", "name", "required"),
        ("catalogs", "owner", "default backend"),
        ("catalogs", "full_name", "computed"),
        ("schemas", "catalog_name", "required immutable"),
        ("schemas", "name", "required"),
        ("alerts", "id", "computed"),
        ("alerts", "evaluation.state", "computed"),
        ("alerts", "effective_run_as", "computed"),
        ("alerts", "query_text", "required"),
        ("serving_endpoints", "id", "computed"),
        ("serving_endpoints", "description", "immutable"),
        ("serving_endpoints", "route_optimized", "immutable default false"),
        ("serving_endpoints", "config.served_entities[0].creation_timestamp", "computed"),
        ("serving_endpoints", "config.served_entities[0].external_model.openai_config.openai_api_key_plaintext", "input secret"),
        ("serving_endpoints", "config.name", "computed"),
        ("permissions", "entries", "required keyed user_name,group_name,service_principal_name"),
        ("grants", "entries[0].privileges", "set"),
        ("workspace_conf", "enableTokensConfig", ""),
    ] {
        let field = Schema::of(kind(of)).at(&path.parse().unwrap()).unwrap_or_else(|| panic!("{of}.{path}"));
        let mut found = vec![];
        let flags = [
            (field.required(), "required"),
            (field.computed(), "computed"),
            (field.input_only(), "input"),
            (field.secret(), "secret"),
            (field.immutable(), "immutable"),
            (field.set(), "set"),
            (field.is_free_map(), "map"),
        ];
        found.extend(flags.iter().filter(|(holds, _)| *holds).map(|(_, word)| (*word).to_owned()));
        found.extend(field.keyed().map(|k| format!("keyed {}", k.join(","))));
        found.extend(field.default().map(|d| match d {
            Lit::Bool(b) => format!("default {b}"),
            Lit::Int(n) => format!("default {n}"),
            Lit::Text(t) => format!("default {t}"),
            Lit::Field(f) => format!("default @{f}"),
            Lit::Backend => "default backend".to_owned(),
        }));
        assert_eq!(found.join(" "), what, "{of}.{path}");
    }
}

#[test]
fn what_is_no_field() {
    for (of, path) in [
        ("jobs", "nmae"),
        ("jobs", "new_settings"),
        ("jobs", "tasks[0].for_each_task.task.nonsense"),
        ("catalogs", "new_name"),
        ("alerts", "update_mask"),
        ("permissions", "access_control_list"),
    ] {
        assert!(Schema::of(kind(of)).at(&path.parse().unwrap()).is_none(), "{of}.{path}");
    }
    let root = Schema::of(kind("workspace_conf")).root();
    assert!(root.is_struct() && !root.is_free_map(), "settings are owned one by one");
    let values = Schema::of(kind("jobs")).at(&"tasks[0].run_if".parse::<Path>().unwrap()).unwrap().values().unwrap();
    assert!(values.iter().any(|v| v == "ALL_DONE"));
}

#[test]
fn rename_is_no_replacement() {
    for name in ["catalogs", "schemas"] {
        let kind = kind(name);
        assert!(matches!(kind.identity, Identity::Named { rename: Rename::By("new_name"), .. }));
        assert!(!Schema::of(kind).root().field("name").unwrap().facts().any(|f| matches!(f, Fact::Immutable)));
    }
}

#[test]
fn ids_and_replies() {
    for (of, reply, id) in [
        ("jobs", r#"{"job_id":12,"creator_user_name":"a","settings":{"name":"x"}}"#, Some("12")),
        ("schemas", r#"{"catalog_name":"main","name":"s"}"#, Some("main.s")),
        ("schemas", r#"{"name":"s"}"#, None),
        ("permissions", r#"{"object_type":"jobs","object_id":12}"#, Some("jobs/12")),
        ("workspace_conf", "{}", Some("workspace_conf")),
    ] {
        assert_eq!(id_of(kind(of), &value(reply)).map(|v| v.key_text()).as_deref(), id, "{of} {reply}");
    }
    let job = from_reply(kind("jobs"), value(r#"{"job_id":12,"creator_user_name":"a","settings":{"name":"x"}}"#));
    assert_eq!(job, value(r#"{"name":"x","job_id":12,"creator_user_name":"a"}"#));
    assert_eq!(from_reply(kind("catalogs"), value(r#"{"name":"x"}"#)), value(r#"{"name":"x"}"#));
}

/// The state tells by the address which kind an entry is of.
#[test]
fn facets_of_a_kind_have_distinct_names() {
    for kind in Registry::standard().iter() {
        let names: BTreeSet<&str> = kind.facets.iter().map(|f| f.name).collect();
        assert_eq!(names.len(), kind.facets.len(), "{}", kind.name);
    }
}

#[test]
fn one_of_a_kind_has_its_article() {
    for (name, one) in [("jobs", "a job"), ("alerts", "an alert"), ("instance_pools", "an instance pool"), ("users", "a user")] {
        assert_eq!(kind(name).one(), one);
    }
    // Sounds, not letters, decide; no kind's name begins with a vowel that sounds as a consonant, or the other way round.
    let unlike = |singular: &str| ["uni", "one", "hour", "heir"].iter().any(|w| singular.starts_with(w));
    assert!(Registry::standard().iter().all(|kind| !unlike(kind.singular)));
}
