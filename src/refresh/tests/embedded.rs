//! Reads and lookups of the embedded workspace, with its faults, over HTTP too.

use super::*;

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

#[tokio::test]
async fn what_is_in_two_of_which_one_is_renamed_already_is_found_there() {
    let files = |catalog: &str, schema: &str| {
        Value::map([("name", Value::text("f")), ("catalog_name", Value::text(catalog)), ("schema_name", Value::text(schema))])
    };
    for now in ["lake_b.raw", "lake.raw_b", "lake_b.raw_b"] {
        let (catalog, schema) = now.split_once('.').unwrap();
        let path = format!("/api/2.1/unity-catalog/volumes/{now}.f");
        let body = format!(r#"{{"name":"f","catalog_name":"{catalog}","schema_name":"{schema}","full_name":"{now}.f"}}"#);
        let server = Scripted::by(move |request| -> Reply {
            if request.path == path {
                return testing::json(200, &body);
            }
            testing::json(404, r#"{"error_code":"VOLUME_DOES_NOT_EXIST","message":"there is none"}"#)
        });
        let mut world = World::new();
        world.want("volumes.v", files("lake_b", "raw_b"));
        world.has("volumes.v", "lake.raw.f", files("lake", "raw"));
        let around = || vec![address("catalogs.c"), address("schemas.s")];
        world.desired.resources.get_mut(&address("volumes.v")).unwrap().depends_on = around();
        world.state.resources.get_mut(&address("volumes.v")).unwrap().dependencies = around();
        let snapshot = world.read(&of(&server)).await;
        let Live::Found { id, .. } = &snapshot.objects[&address("volumes.v")] else { panic!("{now}: {:?}", snapshot.objects) };
        assert_eq!(*id, format!("{now}.f"));
    }
}
