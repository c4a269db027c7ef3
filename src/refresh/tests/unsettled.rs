//! What runs before this one left open: reads that lag behind it, creates that it did not see to the end, names that moved.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[tokio::test]
async fn what_is_not_as_it_was_left_moments_ago_is_read_again() {
    let policy = |name: &str, most: &str| format!(r#"{{"policy_id":"P1","name":"{name}","definition":"{{}}"{most}}}"#);
    for (what, recent, status, behind, reads, most) in [
        ("a read that lags behind", true, Status::Ok, 1, 2, None),
        ("changed by somebody", true, Status::Ok, 9, 3, Some(2)),
        ("nothing was written lately", false, Status::Ok, 1, 1, Some(2)),
        ("how it was left is not known", true, Status::Incomplete, 1, 1, Some(2)),
    ] {
        let (count, now, before) = (AtomicUsize::new(0), policy("new", ""), policy("old", r#","max_clusters_per_user":2"#));
        let server = Scripted::by(move |_| {
            let lags = count.fetch_add(1, Ordering::Relaxed) < behind;
            testing::json(200, if lags { &before } else { &now })
        });
        let mut world = World::new();
        let body = value(r#"{"name":"new","definition":"{}","description":"d"}"#);
        world.want("cluster_policies.p", body);
        world.has("cluster_policies.p", "P1", named("new"));
        world.state.resources.get_mut(&address("cluster_policies.p")).unwrap().status = status;
        let ask = Ask { desired: &world.desired, state: &world.state, registry: &world.registry, only: None, recent, destroy: false };
        let snapshot = read(&of(&server), &ask).await;
        let Live::Found { body, .. } = &snapshot.objects[&address("cluster_policies.p")] else { panic!("{what}: {snapshot:?}") };
        assert_eq!(body.get("max_clusters_per_user").and_then(Value::as_i64), most, "{what}");
        assert_eq!(snapshot.requests, reads, "{what}");
    }
}

#[tokio::test]
async fn what_was_begun_under_another_path_in_place_of_something_deleted_is_found() {
    let notebook = |path: &str| value(&format!(r#"{{"path":"{path}","language":"SQL","format":"SOURCE","content":"select 1"}}"#));
    for (there, want) in
        [(vec!["/Shared/new"], "settled /Shared/new"), (vec![], "gone"), (vec!["/Shared/old", "/Shared/new"], "found /Shared/old")]
    {
        let server = Scripted::by(move |request| {
            let path = query(request, "path").unwrap_or_default();
            match there.iter().find(|known| path == **known) {
                Some(path) if request.path.ends_with("/export") => testing::json(200, &format!(r#"{{"path":"{path}","content":""}}"#)),
                Some(path) => {
                    testing::json(200, &format!(r#"{{"object_type":"NOTEBOOK","path":"{path}","language":"SQL","object_id":1}}"#))
                }
                None => testing::json(404, r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"there is none"}"#),
            }
        });
        let mut world = World::new();
        world.want("notebooks.n", notebook("/Shared/new"));
        world.has("notebooks.n", "/Shared/old", notebook("/Shared/old"));
        let begun = Intent { kind: "notebooks".into(), natural: vec!["/Shared/new".into()], ..intent("", None, 5, "me") };
        world.state.open_intents.insert(address("notebooks.n"), begun);
        let live = match &world.read(&of(&server)).await.objects[&address("notebooks.n")] {
            Live::Settled { id, .. } => format!("settled {id}"),
            Live::Found { id, .. } => format!("found {id}"),
            Live::Gone => "gone".to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(live, want);
    }
}

#[tokio::test]
async fn settings_under_a_new_address_are_read_with_what_is_new_among_them() {
    let server = Scripted::by(|_| testing::json(200, r#"{"a":"true","b":"was"}"#));
    let mut world = World::new();
    world.has("workspace_conf.old", "workspace_conf", value(r#"{"a":"true"}"#));
    world.want("workspace_conf.new", value(r#"{"a":"true","b":"wanted"}"#));
    let snapshot = world.read(&of(&server)).await;
    let Live::Found { body, .. } = &snapshot.objects[&address("workspace_conf.old")] else { panic!("{snapshot:?}") };
    assert_eq!(*body, value(r#"{"a":"true","b":"was"}"#));
}
