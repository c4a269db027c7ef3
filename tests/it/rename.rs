//! Objects whose names hang on each other: renames, what the server makes along, names known before the object is.

use brickform::plan::{Action, Options, Plan, Step};

use super::laws::done;
use super::world::{Ran, Strike, World};

const TREE: &str = "catalogs:
  lake: { name: HOME, grants: [{ principal: ada@brickform.local, privileges: [USE_CATALOG] }] }
schemas:
  bronze: { catalog_name: '${catalogs.lake.name}', name: SCHEMA, grants: [{ principal: ada@brickform.local, privileges: [SELECT] }] }
  silver: { catalog_name: HOME, name: silver, comment: kept }
";

fn put(world: &World, catalog: &str, schema: &str) {
    world.write("conf/tree.yaml", &TREE.replace("HOME", catalog).replace("SCHEMA", schema));
}

fn step<'p>(plan: &'p Plan, address: &str) -> &'p Step {
    plan.steps.iter().find(|s| s.address.to_string() == address).expect("it is in the plan")
}

async fn lake() -> World {
    let world = World::new(&[]);
    put(&world, "lake", "bronze");
    done(&world.run(&Options::default()).await, "made");
    world
}

fn planned(ran: &Ran) -> &Plan {
    ran.plan.as_ref().expect("a plan")
}

async fn converged(world: &World) {
    let ran = world.run(&Options::default()).await;
    done(&ran, "again");
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_empty(), "{}", ran.told());
    let state = world.store().load_entries();
    assert_eq!(
        state,
        [
            "catalogs.lake=sea",
            "catalogs.lake/grants=catalog/sea",
            "schemas.bronze=sea.bronze",
            "schemas.bronze/grants=schema/sea.bronze",
            "schemas.silver=sea.silver",
        ]
    );
    let dump = world.workspace.dump();
    assert!(!dump.keys().any(|k| k.contains("lake")), "{:?}", dump.keys().collect::<Vec<_>>());
}

/// Ids of the state, by address.
trait Entries {
    fn load_entries(&self) -> Vec<String>;
}

impl<S: brickform::state::Store> Entries for S {
    fn load_entries(&self) -> Vec<String> {
        let document = self.load().expect("it can be read").expect("it is there");
        document.resources.iter().map(|(a, e)| format!("{a}={}", e.id)).collect()
    }
}

#[tokio::test]
async fn what_is_in_a_renamed_catalog_follows() {
    let world = lake().await;
    put(&world, "sea", "bronze");
    let ran = world.run(&Options::default()).await;
    done(&ran, "renamed");
    let plan = planned(&ran);
    assert_eq!(step(plan, "catalogs.lake").action, Action::Update, "{}", ran.told());
    for (address, leader) in [
        ("catalogs.lake/grants", "catalogs.lake"),
        ("schemas.bronze", "catalogs.lake"),
        ("schemas.silver", "catalogs.lake"),
        ("schemas.bronze/grants", "schemas.bronze"),
    ] {
        let step = step(plan, address);
        assert_eq!((step.action, step.because.clone()), (Action::Move, Some(format!("follows the rename of {leader}"))), "{}", ran.told());
        assert!(step.calls.is_empty() && step.changes.is_empty());
    }
    assert_eq!(ran.writes().len(), 1, "{}", ran.told());
    converged(&world).await;
}

#[tokio::test]
async fn what_follows_may_change_at_the_same_time() {
    let world = lake().await;
    let text = TREE.replace("HOME", "sea").replace("SCHEMA", "raw").replace("[SELECT]", "[SELECT, MODIFY]").replace("kept", "new");
    world.write("conf/tree.yaml", &text);
    let ran = world.run(&Options::default()).await;
    done(&ran, "renamed");
    let writes = ran.writes();
    let starts = [
        r#"PATCH /api/2.1/unity-catalog/catalogs/lake {"new_name":"sea"}"#,
        r#"PATCH /api/2.1/unity-catalog/schemas/sea.bronze {"new_name":"raw"}"#,
        "PATCH /api/2.1/unity-catalog/permissions/schema/sea.raw",
        r#"PATCH /api/2.1/unity-catalog/schemas/sea.silver {"comment":"new"}"#,
    ];
    for start in starts {
        assert!(writes.iter().any(|w| w.starts_with(start)), "{start}\n{}", ran.told());
    }
    assert_eq!(writes.len(), 4, "{}", ran.told());
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_empty(), "{}", ran.told());
}

#[tokio::test]
async fn a_schema_is_renamed_with_its_grants() {
    let world = lake().await;
    put(&world, "lake", "raw");
    let ran = world.run(&Options::default()).await;
    done(&ran, "renamed");
    assert_eq!(ran.writes(), [r#"PATCH /api/2.1/unity-catalog/schemas/lake.bronze {"new_name":"raw"}"#], "{}", ran.told());
    assert_eq!(step(planned(&ran), "schemas.bronze/grants").action, Action::Move);
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_empty(), "{}", ran.told());
    assert!(world.store().load_entries().contains(&"schemas.bronze/grants=schema/lake.raw".to_owned()));
}

const VOLUME: &str = "catalogs: { lake: { name: CATALOG } }
schemas: { bronze: { catalog_name: '${catalogs.lake.name}', name: SCHEMA } }
volumes: { raw: { catalog_name: '${catalogs.lake.name}', schema_name: '${schemas.bronze.name}', name: raw, volume_type: MANAGED } }
";

#[tokio::test]
async fn what_follows_names_what_is_renamed() {
    for (catalog, schema, because) in [
        ("lake", "silver", "follows the rename of schemas.bronze"),
        ("sea", "bronze", "follows the rename of catalogs.lake"),
        ("sea", "silver", "follows the rename of catalogs.lake and schemas.bronze"),
    ] {
        let world = World::new(&[]);
        world.write("conf/tree.yaml", &VOLUME.replace("CATALOG", "lake").replace("SCHEMA", "bronze"));
        done(&world.run(&Options::default()).await, "made");
        world.write("conf/tree.yaml", &VOLUME.replace("CATALOG", catalog).replace("SCHEMA", schema));
        let ran = world.run(&Options::default()).await;
        done(&ran, "renamed");
        assert_eq!(step(planned(&ran), "volumes.raw").because.as_deref(), Some(because), "{catalog}.{schema}");
        assert!(world.run(&Options::default()).await.is_empty(), "{catalog}.{schema}");
    }
}

#[tokio::test]
async fn a_rename_that_is_interrupted_converges() {
    let world = lake().await;
    put(&world, "sea", "bronze");
    let whole = world.run(&Options::default()).await;
    let requests = (whole.planning.len() + whole.applying.len()) as u64;
    for at in whole.planning.len() as u64..requests {
        for strike in [Strike::CutBefore, Strike::CutAfter, Strike::FailAfter, Strike::CrashBefore, Strike::CrashAfter] {
            let world = lake().await;
            put(&world, "sea", "bronze");
            world.run_struck(&Options::default(), Some((at, strike))).await;
            converged(&world).await;
        }
    }
}

/// The catalog is on record under its new name, what is in it is not.
#[tokio::test]
async fn what_did_not_get_to_follow_follows_later() {
    let world = lake().await;
    put(&world, "sea", "bronze");
    let before = world.store();
    let mut old = brickform::state::Store::load(&before).expect("it can be read").expect("it is there");
    done(&world.run(&Options::default()).await, "renamed");
    let new = brickform::state::Store::load(&before).expect("it can be read").expect("it is there");
    let lake = "catalogs.lake".parse().expect("an address");
    old.resources.insert(std::clone::Clone::clone(&lake), new.resources[&lake].clone());
    old.serial = new.serial + 1;
    brickform::state::Store::save(&before, &old, "test").expect("it is written");
    let ran = world.run(&Options::default()).await;
    done(&ran, "followed");
    assert!(ran.writes().is_empty(), "{}", ran.told());
    converged(&world).await;
}

const BORN: &str = "catalogs:
  lake: { name: lake }
schemas:
  default: { catalog_name: '${catalogs.lake.name}', name: default, comment: ours, grants: [{ principal: ada@brickform.local, privileges: [SELECT] }] }
";

#[tokio::test]
async fn a_catalogs_own_schema_is_taken_over() {
    let world = World::new(&[]);
    world.write("conf/tree.yaml", BORN);
    let ran = world.run(&Options::default()).await;
    done(&ran, "made");
    let born = step(planned(&ran), "schemas.default");
    assert_eq!(born.action, Action::Update, "{}", ran.told());
    assert_eq!(born.calls.len(), 1);
    assert!(ran.writes().iter().any(|w| w == r#"PATCH /api/2.1/unity-catalog/schemas/lake.default {"comment":"ours"}"#), "{}", ran.told());
    assert!(!ran.writes().iter().any(|w| w.starts_with("POST /api/2.1/unity-catalog/schemas")), "{}", ran.told());
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_empty(), "{}", ran.told());
    let allow_delete = ["catalogs", "schemas"].map(str::to_owned).to_vec();
    let ran = world.run(&Options { destroy: true, allow_delete, ..Options::default() }).await;
    done(&ran, "destroyed");
    assert!(!ran.writes().iter().any(|w| w.contains("force")), "{}", ran.told());
    let left: Vec<String> = world.workspace.dump().into_keys().filter(|k| k.contains("lake")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_catalogs_own_schema_is_taken_over_after_an_interruption_too() {
    for strike in [Strike::CutBefore, Strike::CutAfter, Strike::FailAfter, Strike::CrashBefore, Strike::CrashAfter] {
        for at in 0..6 {
            let world = World::new(&[]);
            world.write("conf/tree.yaml", BORN);
            let whole = 0;
            world.run_struck(&Options::default(), Some((whole + at, strike))).await;
            let ran = world.run(&Options::default()).await;
            done(&ran, &format!("{at} {strike:?}"));
            let ran = world.run(&Options::default()).await;
            assert!(ran.is_empty(), "{at} {strike:?}\n{}", ran.told());
        }
    }
}

#[tokio::test]
async fn the_name_of_what_is_to_be_made_is_known() {
    let world = World::new(&[]);
    world.write(
        "conf/tree.yaml",
        "catalogs: { lake: { name: lake } }
schemas:
  raw: { catalog_name: lake, name: raw, comment: 'in ${catalogs.lake.full_name}' }
  next: { catalog_name: lake, name: next, comment: 'after ${schemas.raw.full_name}' }
",
    );
    let ran = world.run(&Options::default()).await;
    done(&ran, "made");
    assert!(!ran.told().contains("known after apply"), "{}", ran.told());
    let comment = |address: &str| step(planned(&ran), address).desired.as_ref().and_then(|d| d.get("comment")?.as_str().map(str::to_owned));
    assert_eq!((comment("schemas.raw"), comment("schemas.next")), (Some("in lake".to_owned()), Some("after lake.raw".to_owned())));
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_empty(), "{}", ran.told());
}
