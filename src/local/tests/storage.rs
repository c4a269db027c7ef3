use std::time::Instant;

use super::{Bench, Clock, outside, request};
use crate::local::{LocalError, LocalOptions, LocalWorkspace};

fn open(file: &std::path::Path) -> LocalWorkspace {
    LocalWorkspace::open(file, LocalOptions { outside: Some(outside(&std::sync::Arc::new(Clock::default()))), ..LocalOptions::default() })
        .unwrap()
}

#[test]
fn everything_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/local.db");
    let (id, job, dump) = {
        let bench = Bench::around(open(&file), std::sync::Arc::default());
        let job = bench.good("POST /api/2.2/jobs/create", r#"{"name": "n"}"#).text("job_id");
        bench.good("POST /api/2.0/sql/warehouses", r#"{"name": "w"}"#);
        bench.good("DELETE /api/2.1/unity-catalog/schemas/main.default", "");
        (bench.workspace.workspace_id(), job, bench.workspace.dump())
    };
    let bench = Bench::around(open(&file), std::sync::Arc::default());
    assert_eq!((bench.workspace.workspace_id(), bench.workspace.dump()), (id, dump));
    assert_eq!(bench.good(&format!("GET /api/2.2/jobs/get?job_id={job}"), "").at("settings.name"), "\"n\"");
    assert_ne!(bench.good("POST /api/2.2/jobs/create", "{}").text("job_id"), job);
}

#[test]
fn a_reset_keeps_the_id_and_never_gives_an_id_twice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("local.db");
    let bench = Bench::around(open(&file), std::sync::Arc::default());
    let (id, fresh) = (bench.workspace.workspace_id(), bench.workspace.dump());
    let job = bench.good("POST /api/2.2/jobs/create", "{}").text("job_id");
    bench.good("DELETE /api/2.1/unity-catalog/schemas/main.default", "");
    bench.workspace.reset().unwrap();
    assert_eq!((bench.workspace.workspace_id(), bench.workspace.dump()), (id, fresh.clone()));
    assert_ne!(bench.good("POST /api/2.2/jobs/create", "{}").text("job_id"), job);
    bench.workspace.reset().unwrap();
    drop(bench);
    let again = open(&file);
    assert_eq!((again.workspace_id(), again.dump()), (id, fresh));
}

#[test]
fn one_process_at_a_time_with_patience() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("local.db");
    let held = open(&file);
    let start = Instant::now();
    let Err(error) = LocalWorkspace::open(&file, LocalOptions::default()) else { panic!("opened twice") };
    assert!(matches!(error, LocalError::InUse { seconds: 5, .. }), "{error}");
    assert!((5..8).contains(&start.elapsed().as_secs()));
    let waiting = std::thread::spawn({
        let file = file.clone();
        move || LocalWorkspace::open(&file, LocalOptions::default()).map(|w| w.workspace_id())
    });
    std::thread::sleep(std::time::Duration::from_millis(100));
    let id = held.workspace_id();
    drop(held);
    assert_eq!(waiting.join().unwrap().unwrap(), id);
}

#[test]
fn what_is_no_database_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("local.db");
    std::fs::write(&file, "this is no database, and long enough to be looked at").unwrap();
    let Err(error) = LocalWorkspace::open(&file, LocalOptions::default()) else { panic!("opened") };
    assert!(matches!(error, LocalError::Open { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "this is no database, and long enough to be looked at");
}

#[test]
fn writes_are_fast() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::around(open(&folder.path().join("local.db")), std::sync::Arc::default());
    let start = Instant::now();
    for _ in 0..200 {
        bench.good("POST /api/2.2/jobs/create", r#"{"tasks": [{"task_key": "a"}]}"#);
    }
    let rate = 200.0 / start.elapsed().as_secs_f64();
    println!("{rate:.0} durable writes a second, one at a time");
    assert!(rate > 20.0, "{rate}");
    let start = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut together = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let workspace = bench.workspace.clone();
            together.spawn(async move {
                for _ in 0..20 {
                    workspace.handle(request("POST /api/2.2/jobs/create", "{}")).await.unwrap();
                }
            });
        }
        while together.join_next().await.is_some() {}
    });
    println!("{:.0} durable writes a second, 32 at a time", 640.0 / start.elapsed().as_secs_f64());
    assert_eq!(bench.workspace.dump().keys().filter(|k| k.starts_with("jobs/")).count(), 840);
}
