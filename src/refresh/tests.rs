//! Against scripted servers that count, and against the embedded workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;
use crate::client::Live as Host;
use crate::client::auth;
use crate::client::testing::{self, Answer as Reply, Scripted};
use crate::client::{ApiErrorKind, Options, Request, SharedTransport};
use crate::diagnostic::{Source, Span};
use crate::kinds::{Call, Repeat};
use crate::local::{LocalOptions, LocalWorkspace};
use crate::model::{Deferred, Map, Path, Reference, json};
use crate::project::{Answer, Lifecycle, Resource};
use crate::state::{Entry, Status};
use crate::yaml::{Data, Node};

mod unsettled;

fn address(text: &str) -> Address {
    text.parse().expect(text)
}

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).expect(text)
}

fn client(transport: SharedTransport) -> Client {
    let options = Options { first_wait_millis: 1, retry_seconds: 1, ..Options::default() };
    Client::new(transport, None, &testing::outside(&[]), options)
}

fn of(server: &Arc<Scripted>) -> Client {
    client(Arc::<Scripted>::clone(server) as SharedTransport)
}

/// A project and a state in a few lines.
struct World {
    registry: Registry,
    desired: Desired,
    state: Document,
}

impl World {
    fn new() -> Self {
        let desired = Desired {
            resources: BTreeMap::new(),
            imports: BTreeMap::new(),
            moves: BTreeMap::new(),
            forgets: vec![],
            files: BTreeMap::new(),
            sources: BTreeMap::new(),
            deployer: None,
            warnings: vec![],
        };
        let state = Document {
            lineage: "l".into(),
            serial: 1,
            project: "p".into(),
            environment: "e".into(),
            workspace: None,
            commit: None,
            pinned: None,
            resources: BTreeMap::new(),
            open_intents: BTreeMap::new(),
        };
        Self { registry: Registry::standard(), desired, state }
    }

    /// Declares a resource; its kind is the facet's name or the address's kind.
    fn want(&mut self, at: &str, body: Value) {
        let address = address(at);
        let kind = self.registry.get(address.facet.as_deref().unwrap_or(&address.kind)).expect("a kind");
        let source = Arc::new(Source { name: "conf/a.yaml".into(), text: String::new() });
        let span = Span::new(&source, 0, 0);
        let natural = kind.natural.fields.iter().map(|field| body.get(field).map_or(String::new(), Value::key_text)).collect();
        let depends_on = if address.is_facet() { vec![address.parent()] } else { vec![] };
        let node = Arc::new(Node { span: span.clone(), data: Data::Map(vec![]) });
        let resource = Resource {
            address: address.clone(),
            kind,
            body,
            node,
            span,
            lifecycle: Lifecycle::default(),
            presets: vec![],
            depends_on,
            natural,
        };
        self.desired.resources.insert(address, resource);
    }

    /// Puts an object into the state.
    fn has(&mut self, at: &str, id: &str, applied: Value) {
        let address = address(at);
        let kind = self.registry.get(address.facet.as_deref().unwrap_or(&address.kind)).expect("a kind");
        let entry = Entry {
            kind: kind.name.to_owned(),
            id: id.to_owned(),
            status: Status::Ok,
            applied,
            former: None,
            etag: None,
            protected: false,
            adopted: false,
            dependencies: vec![],
            tag: None,
            deposed: vec![],
            made_by: None,
        };
        self.state.resources.insert(address, entry);
    }

    async fn read(&self, client: &Client) -> Snapshot {
        read(
            client,
            &Ask { desired: &self.desired, state: &self.state, registry: &self.registry, only: None, recent: false, destroy: false },
        )
        .await
    }
}

fn named(name: &str) -> Value {
    Value::map([("name", Value::text(name))])
}

fn query<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
}

/// A workspace with `count` jobs named `job-N` with id N, a hundred a page.
fn jobs(count: usize) -> Arc<Scripted> {
    let job =
        |n: usize| format!(r#"{{"job_id":{n},"creator_user_name":"a@b.c","created_time":{},"settings":{{"name":"job-{n}"}}}}"#, n * 1000);
    Scripted::by(move |request| -> Reply {
        match request.path.as_str() {
            "/api/2.2/jobs/list" => {
                let from: usize = query(request, "page_token").map_or(0, |token| token.parse().expect("a token"));
                let to = (from + 100).min(count);
                let rows: Vec<String> = (from..to).map(job).collect();
                let next = if to < count { format!(r#","next_page_token":"{to}""#) } else { String::new() };
                testing::json(200, &format!(r#"{{"jobs":[{}],"has_more":{}{next}}}"#, rows.join(","), to < count))
            }
            "/api/2.2/jobs/get" => match query(request, "job_id").and_then(|id| id.parse::<usize>().ok()) {
                Some(id) if id < count => testing::json(200, &job(id)),
                Some(4003) => testing::json(403, r#"{"error_code":"PERMISSION_DENIED","message":"no"}"#),
                _ => testing::json(400, r#"{"error_code":"INVALID_PARAMETER_VALUE","message":"Job 1 does not exist."}"#),
            },
            _ => testing::json(404, r#"{"error_code":"ENDPOINT_NOT_FOUND","message":"no such path"}"#),
        }
    })
}

#[tokio::test]
async fn a_thousand_jobs_are_ten_lists() {
    let server = jobs(1000);
    let mut world = World::new();
    for n in 0..1000 {
        world.want(&format!("jobs.j{n}"), named(&format!("job-{n}")));
        world.has(&format!("jobs.j{n}"), &n.to_string(), named(&format!("job-{n}")));
    }
    let snapshot = world.read(&of(&server)).await;
    assert_eq!(snapshot.requests, 10);
    assert!(server.lines().iter().all(|line| line.starts_with("GET /api/2.2/jobs/list")));
    let Live::Found { id, body } = &snapshot.objects[&address("jobs.j7")] else { panic!("{snapshot:?}") };
    assert_eq!((id.as_str(), body), ("7", &value(r#"{"name":"job-7","job_id":7,"creator_user_name":"a@b.c","created_time":7000}"#)));
    assert_eq!(snapshot.objects.len(), 1000);
}

#[tokio::test]
async fn few_of_many_are_read_one_by_one() {
    let server = jobs(5000);
    let mut world = World::new();
    for n in [7, 4000, 4001] {
        world.has(&format!("jobs.j{n}"), &n.to_string(), named("x"));
    }
    let snapshot = world.read(&of(&server)).await;
    assert!(snapshot.objects.values().all(|live| matches!(live, Live::Found { .. })), "{snapshot:?}");
    assert!(snapshot.requests <= 5, "{:?}", server.lines());
}

#[tokio::test]
async fn gone_forbidden_and_absent_are_three_things() {
    let server = jobs(3);
    let mut world = World::new();
    for (at, id) in [("jobs.there", "1"), ("jobs.gone", "99"), ("jobs.hidden", "4003")] {
        world.has(at, id, named("x"));
    }
    for (at, name) in [("jobs.there", "x"), ("jobs.new", "nobody has this"), ("jobs.taken", "job-2"), ("jobs.mine", "job-1")] {
        world.want(at, named(name));
    }
    let snapshot = world.read(&of(&server)).await;
    let live = |at: &str| &snapshot.objects[&address(at)];
    assert!(matches!(live("jobs.there"), Live::Found { id, .. } if id == "1"));
    assert_eq!(live("jobs.gone"), &Live::Gone);
    assert!(matches!(live("jobs.hidden"), Live::Failed(error) if error.kind == ApiErrorKind::Forbidden));
    assert_eq!(live("jobs.new"), &Live::Absent);
    assert!(matches!(live("jobs.taken"), Live::Exists(candidates) if candidates.len() == 1 && candidates[0].id == "2"));
    assert_eq!(live("jobs.mine"), &Live::Absent, "what another address manages is no candidate");
}

#[tokio::test]
async fn what_is_gone_may_have_been_made_again_by_somebody_else() {
    for (name, taken, desired) in [("job-2", true, true), ("nobody has this", false, true), ("job-1", false, true), ("job-2", false, false)]
    {
        let mut world = World::new();
        world.has("jobs.gone", "99", named(name));
        world.has("jobs.other", "1", named("job-1"));
        if desired {
            world.want("jobs.gone", named(name));
        }
        let live = &world.read(&of(&jobs(3))).await.objects[&address("jobs.gone")];
        match live {
            Live::Exists(candidates) if taken => assert_eq!(candidates[0].id, "2"),
            _ => assert!(!taken && *live == Live::Gone, "{name}: {live:?}"),
        }
    }
}

#[tokio::test]
async fn imports_and_moves_are_found() {
    let server = jobs(3);
    let mut world = World::new();
    world.want("jobs.a", named("a"));
    world.want("jobs.b", named("b"));
    world.want("jobs.moved", named("job-0"));
    world.has("jobs.old", "0", named("job-0"));
    let span = world.desired.resources[&address("jobs.a")].span.clone();
    world.desired.imports.insert(address("jobs.a"), ("1".into(), span.clone()));
    world.desired.imports.insert(address("jobs.b"), ("77".into(), span));
    world.desired.moves.insert(address("jobs.old"), address("jobs.moved"));
    let snapshot = world.read(&of(&server)).await;
    let live = |at: &str| &snapshot.objects[&address(at)];
    assert!(matches!(live("jobs.a"), Live::Found { id, .. } if id == "1"));
    assert!(matches!(live("jobs.b"), Live::Failed(error) if error.message.contains("`77`")), "{:?}", live("jobs.b"));
    assert!(matches!(live("jobs.moved"), Live::Found { id, .. } if id == "0"));
    assert!(matches!(live("jobs.old"), Live::Found { id, .. } if id == "0"));
}

#[tokio::test]
async fn only_what_is_asked_for() {
    let server = jobs(3);
    let mut world = World::new();
    world.has("jobs.a", "1", named("x"));
    world.has("jobs.b", "2", named("x"));
    let only = |at: &Address| at.key == "a";
    let ask =
        Ask { desired: &world.desired, state: &world.state, registry: &world.registry, only: Some(&only), recent: false, destroy: false };
    let snapshot = read(&of(&server), &ask).await;
    assert_eq!((snapshot.objects.len(), snapshot.requests), (1, 1));
}

fn intent(name: &str, tag: Option<&str>, seconds: i64, caller: &str) -> Intent {
    Intent {
        kind: "jobs".into(),
        natural: vec![name.into()],
        tag: tag.map(str::to_owned),
        server_seconds: Some(seconds),
        caller: caller.into(),
        applied: None,
    }
}

#[tokio::test]
async fn open_intents_are_settled() {
    let rows = r#"{"jobs":[
        {"job_id":1,"creator_user_name":"me","created_time":5000,"settings":{"name":"a","tags":{"brickform":"t1"}}},
        {"job_id":2,"creator_user_name":"me","created_time":6000,"settings":{"name":"a"}},
        {"job_id":3,"creator_user_name":"you","created_time":9000,"settings":{"name":"b"}},
        {"job_id":4,"creator_user_name":"me","created_time":1000,"settings":{"name":"b"}},
        {"job_id":5,"creator_user_name":"me","created_time":9000,"settings":{"name":"b"}},
        {"job_id":6,"creator_user_name":"me","created_time":9000,"settings":{"name":"c"}},
        {"job_id":7,"creator_user_name":"me","created_time":9000,"settings":{"name":"c"}}]}"#;
    let server = || Scripted::by(move |_| testing::json(200, rows));
    for (what, intent, want) in [
        ("its tag", intent("a", Some("t1"), 5, "me"), vec!["1"]),
        ("no tag, so not ours", intent("a", Some("t9"), 5, "me"), vec![]),
        ("name, creator and time", intent("b", None, 8, "me"), vec!["5"]),
        ("its tag, renamed since", intent("z", Some("t1"), 5, "me"), vec!["1"]),
        ("its tag, of another state: older, and of another name", intent("z", Some("t1"), 6, "me"), vec![]),
        ("its tag and name, a clock that is late", intent("a", Some("t1"), 6, "me"), vec!["1"]),
        ("two that may be it", intent("c", None, 8, "me"), vec!["6", "7"]),
        ("too early", intent("c", None, 10, "me"), vec![]),
    ] {
        let kind = Registry::standard().get("jobs").expect("jobs");
        let got = match settle(&of(&server()), kind, &intent, &BTreeSet::new()).await.expect(what) {
            Settlement::Found(candidate) => vec![candidate.id],
            Settlement::Absent => vec![],
            Settlement::Several(candidates) => candidates.into_iter().map(|candidate| candidate.id).collect(),
        };
        assert_eq!(got, want, "{what}");
        let mut world = World::new();
        world.want("jobs.x", named(&intent.natural[0]));
        world.state.open_intents.insert(address("jobs.x"), intent);
        let live = &world.read(&of(&server())).await.objects[&address("jobs.x")];
        let got = match live {
            Live::Settled { id, .. } => vec![id.clone()],
            Live::Exists(candidates) if want.len() > 1 => candidates.iter().map(|candidate| candidate.id.clone()).collect(),
            Live::Exists(_) | Live::Absent => vec![],
            other => panic!("{what}: {other:?}"),
        };
        assert_eq!(got, want, "{what}");
    }
}

#[tokio::test]
async fn an_orphan_of_a_removed_address_is_settled() {
    let server = Scripted::by(|_| testing::json(200, r#"{"jobs":[{"job_id":1,"settings":{"name":"a","tags":{"brickform":"t"}}}]}"#));
    let mut world = World::new();
    world.state.open_intents.insert(address("jobs.x"), intent("a", Some("t"), 5, "me"));
    assert!(matches!(&world.read(&of(&server)).await.objects[&address("jobs.x")], Live::Settled { id, .. } if id == "1"));
}

#[tokio::test]
async fn what_is_gone_and_what_is_not() {
    let kind = Registry::standard().get("jobs").expect("jobs");
    for (status, code, message, want) in [
        (404, "RESOURCE_DOES_NOT_EXIST", "x", true),
        (400, "INVALID_PARAMETER_VALUE", "Job 7 does not exist.", true),
        (400, "INVALID_PARAMETER_VALUE", "something else", false),
        (404, "ENDPOINT_NOT_FOUND", "x", false),
        (403, "PERMISSION_DENIED", "Job 7 does not exist or you have no permission", false),
        (500, "INTERNAL_ERROR", "does not exist", false),
    ] {
        let server = Scripted::by(move |_| testing::json(status, &format!(r#"{{"error_code":"{code}","message":"{message}"}}"#)));
        let result = object(&of(&server), kind, "7", &Value::Null).await;
        assert_eq!(matches!(result, Ok(None)), want, "{status} {code}");
        assert_eq!(result.is_err(), !want, "{status} {code}");
    }
}

#[tokio::test]
async fn one_unknown_setting_does_not_fail_the_others() {
    let server = Scripted::by(|request| {
        let keys = query(request, "keys").expect("keys");
        if keys.split(',').any(|key| key == "nope") {
            return testing::json(400, r#"{"error_code":"BAD_REQUEST","message":"Invalid keys"}"#);
        }
        let pairs: Vec<String> = keys.split(',').map(|key| format!(r#""{key}":"true""#)).collect();
        testing::json(200, &format!("{{{}}}", pairs.join(",")))
    });
    let mut world = World::new();
    world.want("workspace_conf.a", Value::map([("enableX", Value::text("true"))]));
    world.want("workspace_conf.b", Value::map([("nope", Value::text("true"))]));
    world.has("workspace_conf.a", "workspace_conf", Value::map([("enableY", Value::text("true"))]));
    let snapshot = world.read(&of(&server)).await;
    let Live::Found { body, .. } = &snapshot.objects[&address("workspace_conf.a")] else { panic!("{snapshot:?}") };
    assert_eq!(body, &value(r#"{"enableX":"true","enableY":"true"}"#));
    assert!(matches!(&snapshot.objects[&address("workspace_conf.b")], Live::Failed(error) if error.message == "`nope`: Invalid keys"));

    world.desired.resources.remove(&address("workspace_conf.b"));
    assert_eq!(world.read(&of(&server)).await.requests, 1);
}

/// The embedded workspace with a job, a catalog with two schemas, and a warehouse.
async fn embedded() -> (Client, BTreeMap<&'static str, String>) {
    let local = LocalWorkspace::in_memory(LocalOptions::default()).expect("opens");
    let client = client(Arc::new(local));
    let mut ids = BTreeMap::new();
    for (name, op, body, id) in [
        ("job", "jobs.jobs.create", r#"{"name":"nightly"}"#, "job_id"),
        ("warehouse", "sql.warehouses.create", r#"{"name":"bi","cluster_size":"Small"}"#, "id"),
        ("catalog", "catalog.catalogs.create", r#"{"name":"main_x"}"#, "name"),
        ("one", "catalog.schemas.create", r#"{"catalog_name":"main_x","name":"one"}"#, "full_name"),
        ("two", "catalog.schemas.create", r#"{"catalog_name":"main_x","name":"two"}"#, "full_name"),
    ] {
        let call = Call { op, path: Map::new(), query: Map::new(), body: Some(value(body)), why: "test", repeat: Repeat::AfterLookup };
        let reply = client.call(&call).await.unwrap_or_else(|error| panic!("{op}: {error}"));
        ids.insert(name, reply.body.get(id).expect(id).key_text());
    }
    (client, ids)
}

fn schema(catalog: &str, name: &str) -> Value {
    Value::map([("catalog_name", Value::text(catalog)), ("name", Value::text(name))])
}

fn permissions_of(id: Value) -> Value {
    Value::map([("object_type", Value::text("jobs")), ("object_id", id), ("entries", Value::List(vec![]))])
}

fn job_id() -> Value {
    Value::Unknown(Arc::new(Deferred::of(Reference { address: address("jobs.nightly"), path: Path::field("id") })))
}

#[tokio::test]
async fn reads_every_sort_from_the_embedded_workspace() {
    let (client, ids) = embedded().await;
    let mut world = World::new();
    world.want("jobs.nightly", named("nightly"));
    world.has("jobs.nightly", &ids["job"], named("nightly"));
    world.want("jobs.nightly/permissions", permissions_of(job_id()));
    world.want("permissions.top", permissions_of(job_id()));
    world.want("jobs.new", named("new"));
    world.want("jobs.new/permissions", permissions_of(Value::text("to be")));
    world.want("warehouses.bi", named("bi"));
    world.want("catalogs.main", named("main_x"));
    world.has("catalogs.main", "main_x", named("main_x"));
    world.want("schemas.one", schema("main_x", "one"));
    world.has("schemas.one", "main_x.one", schema("main_x", "one"));
    world.want("schemas.two", schema("main_x", "two"));
    world.want("schemas.three", schema("main_x", "three"));
    world.want("schemas.nowhere", schema("not_there", "a"));
    world.want("schemas.nowhere_else", schema("not_there", "b"));
    world.has("schemas.dropped", "main_x.dropped", schema("main_x", "dropped"));
    let snapshot = world.read(&client).await;
    let live = |at: &str| &snapshot.objects[&address(at)];
    let of_job = |live: &Live| matches!(live, Live::Found { id, body } if *id == format!("jobs/{}", ids["job"]) && body.get("access_control_list").is_some());
    assert!(matches!(live("jobs.nightly"), Live::Found { body, .. } if body.get("name") == Some(&Value::text("nightly"))));
    assert!(of_job(live("jobs.nightly/permissions")), "{:?}", live("jobs.nightly/permissions"));
    assert!(of_job(live("permissions.top")), "{:?}", live("permissions.top"));
    assert_eq!(live("jobs.new"), &Live::Absent);
    assert_eq!(live("jobs.new/permissions"), &Live::Waits);
    assert!(matches!(live("warehouses.bi"), Live::Exists(found) if found[0].id == ids["warehouse"]));
    assert!(matches!(live("catalogs.main"), Live::Found { .. }));
    assert!(matches!(live("schemas.one"), Live::Found { .. }));
    assert!(matches!(live("schemas.two"), Live::Exists(found) if found[0].id == "main_x.two"));
    for at in ["schemas.three", "schemas.nowhere", "schemas.nowhere_else"] {
        assert_eq!(live(at), &Live::Absent, "{at}");
    }
    assert_eq!(live("schemas.dropped"), &Live::Gone);
    assert_eq!(snapshot.objects.len(), world.desired.resources.len() + 1);
}

#[tokio::test]
async fn lookups_find_one_several_or_the_nearest() {
    let (client, ids) = embedded().await;
    for _ in 0..2 {
        let body = Some(value(r#"{"name":"twice"}"#));
        let call = Call { op: "jobs.jobs.create", path: Map::new(), query: Map::new(), body, why: "test", repeat: Repeat::AfterLookup };
        client.call(&call).await.expect("a job");
    }
    let before = client.requests();
    let lookup = |kind: &str, name: &str| Lookup { kind: kind.into(), name: name.into() };
    let asked = [
        lookup("jobs", "nightly"),
        lookup("jobs", "twice"),
        lookup("jobs", "nigthly"),
        lookup("warehouses", "bi"),
        lookup("schemas", "main_x.one"),
        lookup("schemas", "main_x.no"),
    ];
    let answers = lookups(&client, &Registry::standard(), &asked).await.expect("answers");
    assert_eq!(client.requests() - before, 4, "a list of jobs, a list of warehouses, two schemas");
    assert!(matches!(&answers[&asked[0]], Answer::Found(body) if body.get("id").map(Value::key_text).as_deref() == Some(&ids["job"])));
    assert!(matches!(&answers[&asked[1]], Answer::Several(ids) if ids.len() == 2));
    assert!(matches!(&answers[&asked[2]], Answer::Missing(near) if near == &["nightly"]));
    assert!(matches!(&answers[&asked[3]], Answer::Found(_)));
    assert!(matches!(&answers[&asked[4]], Answer::Found(body) if body.get("id") == Some(&Value::text("main_x.one"))));
    assert!(matches!(&answers[&asked[5]], Answer::Missing(_)));
}

#[tokio::test]
async fn permissions_of_an_endpoint_go_by_its_other_id() {
    let server = Scripted::by(|request| match request.path.as_str() {
        "/api/2.0/serving-endpoints/ep" => testing::json(200, r#"{"name":"ep","id":"f00d"}"#),
        "/api/2.0/permissions/serving-endpoints/f00d" => {
            testing::json(200, r#"{"object_id":"/serving-endpoints/f00d","access_control_list":[]}"#)
        }
        path => panic!("{path}"),
    });
    let mut world = World::new();
    world.want("serving_endpoints.ep", named("ep"));
    world.has("serving_endpoints.ep", "ep", named("ep"));
    let id = Value::Unknown(Arc::new(Deferred::of(Reference { address: address("serving_endpoints.ep"), path: Path::field("id") })));
    let body = Value::map([("object_type", Value::text("serving-endpoints")), ("object_id", id), ("entries", Value::List(vec![]))]);
    world.want("serving_endpoints.ep/permissions", body);
    let snapshot = world.read(&of(&server)).await;
    let live = &snapshot.objects[&address("serving_endpoints.ep/permissions")];
    assert!(matches!(live, Live::Found { id, .. } if id == "serving-endpoints/f00d"), "{live:?}");
    assert_eq!(snapshot.requests, 2);
}

/// A job that carries a tag, created over a workspace that fails so.
async fn create_with_fault(fault: &str) -> (Client, Result<crate::client::Reply, ApiError>) {
    let faults = vec![fault.parse().expect(fault)];
    let local = LocalWorkspace::in_memory(LocalOptions { faults, ..LocalOptions::default() }).expect("opens");
    let client = client(Arc::new(local));
    let body = Some(value(r#"{"name":"a","tags":{"brickform":"t"}}"#));
    let call = Call { op: "jobs.jobs.create", path: Map::new(), query: Map::new(), body, why: "test", repeat: Repeat::AfterLookup };
    let result = client.call(&call).await;
    (client, result)
}

#[tokio::test]
async fn a_create_is_never_repeated_blindly() {
    for (fault, good, unsure, count) in [
        ("before:POST:/api/2.2/jobs/create:status=429", true, false, 1),
        ("before:POST:/api/2.2/jobs/create:status=500", false, true, 0),
        ("after:POST:/api/2.2/jobs/create:status=500", false, true, 1),
        ("after:POST:/api/2.2/jobs/create", false, true, 1),
    ] {
        let (client, result) = create_with_fault(fault).await;
        assert_eq!(result.is_ok(), good, "{fault}: {result:?}");
        assert_eq!(result.is_err_and(|error| error.may_have_happened), unsure, "{fault}");
        let kind = Registry::standard().get("jobs").expect("jobs");
        let settled = settle(&client, kind, &intent("a", Some("t"), 0, "x"), &BTreeSet::new()).await.expect(fault);
        let found = match settled {
            Settlement::Absent => 0,
            Settlement::Found(_) => 1,
            Settlement::Several(all) => all.len(),
        };
        assert_eq!(found, count, "{fault}");
    }
}

#[tokio::test]
async fn the_same_over_http_with_oauth() {
    let local = LocalWorkspace::in_memory(LocalOptions::default()).expect("opens");
    let id = local.workspace_id().to_string();
    let (ready, bound) = tokio::sync::oneshot::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let tell = Box::new(move |address| ready.send(address).expect("somebody waits"));
        local.serve("127.0.0.1:0", tell, Box::pin(async move { drop(stopped.await) })).await
    });
    let host = format!("http://{}", bound.await.expect("an address"));
    let outside = testing::outside(&[("DATABRICKS_HOST", &host), ("DATABRICKS_CLIENT_ID", "sp"), ("DATABRICKS_CLIENT_SECRET", "s")]);
    let resolved = auth::resolve(&outside, &auth::Explicit::new(), None).expect("credentials");
    let transport = Arc::new(Host::new(&resolved.host, &outside).expect("a host"));
    let client = Client::new(transport, Some(resolved.credentials), &outside, Options::default());
    assert_eq!(client.whoami().await.expect("me").0, id);
    let call = Call {
        op: "jobs.jobs.create",
        path: Map::new(),
        query: Map::new(),
        body: Some(named("über")),
        why: "test",
        repeat: Repeat::AfterLookup,
    };
    assert!(client.call(&call).await.expect("a job").server_seconds.is_some());
    let mut world = World::new();
    world.want("jobs.a", named("über"));
    let live = &world.read(&client).await.objects[&address("jobs.a")];
    assert!(matches!(live, Live::Exists(found) if found.len() == 1), "{live:?}");
    stop.send(()).expect("still serving");
    server.await.expect("no panic").expect("served");
}

#[tokio::test]
async fn what_is_in_something_that_was_renamed_is_found_there_under_the_name_that_it_had() {
    let server = Scripted::by(|request| -> Reply {
        match request.path.as_str() {
            "/api/2.1/unity-catalog/catalogs/lake_b" => testing::json(200, r#"{"name":"lake_b"}"#),
            "/api/2.1/unity-catalog/schemas/lake_b.raw" => testing::json(200, r#"{"name":"raw","catalog_name":"lake_b"}"#),
            _ => testing::json(404, r#"{"error_code":"SCHEMA_DOES_NOT_EXIST","message":"there is none"}"#),
        }
    });
    let schema = |name: &str, catalog: &str| Value::map([("name", Value::text(name)), ("catalog_name", Value::text(catalog))]);
    for wanted in ["raw", "clean"] {
        let mut world = World::new();
        world.want("catalogs.c", named("lake_b"));
        world.has("catalogs.c", "lake_b", named("lake_b"));
        // The state knows the rename of the catalog, and not yet what that means for the schema, whose name changes too.
        world.want("schemas.s", schema(wanted, "lake_b"));
        world.has("schemas.s", "lake.raw", schema("raw", "lake"));
        world.desired.resources.get_mut(&address("schemas.s")).unwrap().depends_on = vec![address("catalogs.c")];
        world.state.resources.get_mut(&address("schemas.s")).unwrap().dependencies = vec![address("catalogs.c")];
        let snapshot = world.read(&of(&server)).await;
        let Live::Found { id, .. } = &snapshot.objects[&address("schemas.s")] else { panic!("{wanted}: {:?}", snapshot.objects) };
        assert_eq!(id, "lake_b.raw", "{wanted}");
    }
}
