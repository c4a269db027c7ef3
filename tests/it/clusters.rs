//! What becomes of a cluster depends on the state that it is in: one that runs is resized, one that is terminated is edited.

use brickform::plan::Options;

use super::world::World;

fn of(workers: u32) -> String {
    format!(
        "clusters:\n  shared: {{ cluster_name: shared, spark_version: 15.4.x-scala2.12, node_type_id: Standard_DS3_v2, \
         num_workers: {workers}, is_pinned: true }}\n"
    )
}

/// Applies this many workers; the writes that it took.
async fn workers(world: &World, count: u32) -> Vec<String> {
    world.write("conf/case.yaml", &of(count));
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_done(), "{}", ran.told());
    let again = world.run(&Options::default()).await;
    assert!(again.is_empty(), "{}", again.told());
    ran.writes()
}

#[tokio::test]
async fn a_cluster_that_runs_is_resized_and_a_terminated_one_is_edited() {
    for rivals in [&[][..], &["pins-untold"]] {
        let world = World::new(rivals);
        let made = workers(&world, 2).await;
        assert!(made.len() == 2 && made[1].starts_with("POST /api/2.1/clusters/pin "), "{made:?}");
        let id = world.workspace.dump().keys().find_map(|key| key.strip_prefix("clusters/").map(str::to_owned)).expect("a cluster");
        assert_eq!(workers(&world, 3).await, [format!(r#"POST /api/2.1/clusters/resize {{"cluster_id":"{id}","num_workers":3}}"#)]);
        world.by_hand(&format!(r#"POST /api/2.1/clusters/delete {{"cluster_id":"{id}"}}"#)).await;
        let edited = workers(&world, 4).await;
        assert!(edited.len() == 1 && edited[0].starts_with("POST /api/2.1/clusters/edit "), "{edited:?}");
        assert!(edited[0].contains(r#""num_workers":4"#), "{edited:?}");
    }
}

#[tokio::test]
async fn what_a_job_names_by_its_path_is_there_before_it() {
    let world = World::new(&[]);
    world.write(
        "conf/case.yaml",
        "jobs:\n  a: { name: a, tasks: [{ task_key: t, notebook_task: { notebook_path: /Workspace/Shared/laws/z } }] }\n\
         notebooks:\n  z: { path: /Shared/laws/z, language: SQL, content: select 1 }\n",
    );
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_done(), "{}", ran.told());
    let writes: Vec<String> = ran.writes().iter().filter_map(|w| w.split(' ').nth(1).map(str::to_owned)).collect();
    assert_eq!(writes, ["/api/2.0/workspace/mkdirs", "/api/2.0/workspace/import", "/api/2.2/jobs/create"]);
}
