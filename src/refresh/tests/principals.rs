//! Principals that are named as the API takes them: looked for in one list a kind, unless they were applied before.

use super::*;

#[tokio::test]
async fn principals_are_looked_for_in_one_list_a_kind_and_not_at_all_where_they_were_applied() {
    let local = LocalWorkspace::in_memory(LocalOptions::default()).expect("opens");
    let client = client(Arc::new(local));
    let registry = Registry::standard();
    let lookup = |kind: &str, name: &str| Lookup { kind: kind.to_owned(), name: name.to_owned() };
    let id = "00000000-0000-4000-a000-0000000000ff";
    let all = |groups: &[&str]| -> BTreeSet<Lookup> {
        let users = ["ADA@brickform.local", "grace@brickform.local"].map(|name| lookup("users", name));
        users.into_iter().chain(groups.iter().map(|name| lookup("groups", name))).chain([lookup("service_principals", id)]).collect()
    };
    let create = Call {
        op: "iam.service_principals_v2.create",
        path: Map::new(),
        query: Map::new(),
        body: Some(value(&format!(r#"{{"displayName":"robot","applicationId":"{id}"}}"#))),
        why: "test",
        repeat: Repeat::AfterLookup,
    };
    client.call(&create).await.expect("a service principal");
    for (groups, requests) in [(vec!["analysts", "data-engineers"], 3), (vec!["analysts", "data-enginers"], 4)] {
        let before = client.requests();
        let answers = lookup::lookups(&client, &registry, &[], &all(&groups)).await.expect("answers");
        assert_eq!(client.requests() - before, requests, "{groups:?}");
        let missing = answers.iter().filter(|(_, answer)| matches!(answer, Answer::Missing(_))).count();
        assert_eq!(missing as u64, requests - 3, "{answers:?}");
    }
    let mut world = World::new();
    world.has("jobs.a/permissions", "jobs/1", value(r#"{"entries":[{"user_name":"Ada@x","permission_level":"CAN_VIEW"}]}"#));
    world.has("catalogs.c/grants", "catalog/c", value(r#"{"entries":[{"principal":"team","privileges":["BROWSE"]}]}"#));
    let taken = lookup::taken(&world.state, &registry);
    let wanted = [lookup("users", "ada@x"), lookup("users", "team"), lookup("groups", "team"), lookup("service_principals", "team")];
    assert_eq!(taken, wanted.into());
    world.state.resources.values_mut().for_each(|entry| entry.status = Status::Incomplete);
    assert!(lookup::taken(&world.state, &registry).is_empty());
}

#[tokio::test]
async fn a_project_asks_for_nobody_whom_the_state_names() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("conf/project.yaml", "name: p\n"),
        ("environments/dev.yaml", "workspace: local\n"),
        (
            "conf/a.yaml",
            "catalogs: { c: { name: c, grants: [{ principal: team, privileges: [BROWSE] }, { principal: users, privileges: [BROWSE] }] } }\n",
        ),
    ] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let outside = crate::model::Outside { folder: folder.path().to_owned(), ..testing::outside(&[]) };
    let registry = Registry::standard();
    let project = crate::project::load(&outside, &crate::project::Ask::default(), &registry).map_err(|f| f.diagnostics).expect("it loads");
    let client = client(Arc::new(LocalWorkspace::in_memory(LocalOptions::default()).expect("opens")));
    let mut world = World::new();
    let answers = questions(&client, &registry, &project, &world.state).await.expect("answers");
    assert_eq!((answers.len(), client.requests()), (2, 4), "groups and service principals, by name and then all: {answers:?}");
    assert_eq!(project.resolve(&answers).expect("resolves").warnings.len(), 1);
    world.has("catalogs.c/grants", "catalog/c", value(r#"{"entries":[{"principal":"Team","privileges":["BROWSE"]}]}"#));
    let answers = questions(&client, &registry, &project, &world.state).await.expect("answers");
    assert_eq!((answers.len(), client.requests()), (0, 4), "{answers:?}");
    assert!(project.resolve(&answers).expect("resolves").warnings.is_empty());
}

#[tokio::test]
async fn a_list_that_only_checks_need_may_be_forbidden() {
    let server = Scripted::by(|_| testing::json(403, r#"{"error_code":"PERMISSION_DENIED","message":"no"}"#));
    let (client, registry) = (of(&server), Registry::standard());
    let ana = Lookup { kind: "users".to_owned(), name: "ana@x".to_owned() };
    let checks = BTreeSet::from([ana.clone()]);
    assert!(lookup::lookups(&client, &registry, &[], &checks).await.expect("no answer is no error").is_empty());
    assert!(lookup::lookups(&client, &registry, &[ana], &checks).await.is_err());
}
