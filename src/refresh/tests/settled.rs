//! Creates whose outcome nobody knows: looked up, found, or not there.

use super::*;

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
        ("one that it replaces, and itself", Intent { replaces: vec!["6".into()], ..intent("c", None, 8, "me") }, vec!["7"]),
        (
            "one that it replaces, which a list that lags shows still",
            Intent { replaces: vec!["5".into()], ..intent("b", None, 8, "me") },
            vec![],
        ),
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
