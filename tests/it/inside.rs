//! Objects that are in others: what happens to them when those are replaced or deleted.

use brickform::plan::{Action, Options, Plan, Step};

use super::laws::done;
use super::world::{Ran, Strike, World};

const TREE: &str = "catalogs:
  lake: { name: lake, storage_root: 's3://ROOT', grants: [{ principal: ada@brickform.local, privileges: [USE_CATALOG] }] }
schemas:
  bronze: { catalog_name: '${catalogs.lake.name}', name: bronze, grants: [{ principal: ada@brickform.local, privileges: [SELECT] }] }
  silver: { catalog_name: lake, name: silver, comment: kept, lifecycle: { create_before_destroy: true } }
  default: { catalog_name: lake, name: default, comment: ours }
";

fn step<'p>(ran: &'p Ran, address: &str) -> &'p Step {
    let plan = ran.plan.as_ref().expect("a plan");
    plan.steps.iter().find(|s| s.address.to_string() == address).expect("it is in the plan")
}

fn allowing(kinds: &[&str]) -> Options {
    Options { allow_delete: kinds.iter().map(ToString::to_string).collect(), ..Options::default() }
}

async fn lake() -> World {
    let world = World::new(&[]);
    world.write("conf/tree.yaml", &TREE.replace("ROOT", "old"));
    done(&world.run(&Options::default()).await, "made");
    world
}

#[tokio::test]
async fn what_is_in_a_replaced_catalog_is_replaced_with_it() {
    let world = lake().await;
    world.write("conf/tree.yaml", &TREE.replace("ROOT", "new"));
    // Each kind's data is lost, and each is allowed by its name.
    let ran = world.run(&allowing(&["catalogs"])).await;
    assert!(ran.plan.as_ref().is_some_and(Plan::is_blocked) && ran.writes().is_empty(), "{}", ran.told());
    for address in ["schemas.bronze", "schemas.silver", "schemas.default"] {
        let step = step(&ran, address);
        assert_eq!((step.action, step.because.as_deref()), (Action::Replace, Some("its catalog is replaced")), "{}", ran.told());
        assert_eq!(step.blocks.iter().map(|b| b.guard).collect::<Vec<_>>(), ["data_loss"], "{}", ran.told());
    }
    let ran = world.run(&allowing(&["catalogs", "schemas"])).await;
    done(&ran, "replaced");
    assert_eq!(ran.plan.as_ref().map(|p| p.counts().replace), Some(4));
    let writes = ran.writes();
    let place = |start: &str| writes.iter().position(|w| w.starts_with(start)).unwrap_or_else(|| panic!("{start}\n{}", ran.told()));
    let order = [
        "DELETE /api/2.1/unity-catalog/schemas/lake.silver",
        "DELETE /api/2.1/unity-catalog/catalogs/lake",
        "POST /api/2.1/unity-catalog/catalogs",
        "POST /api/2.1/unity-catalog/schemas {\"catalog_name\":\"lake\",\"name\":\"bronze\"",
        "PATCH /api/2.1/unity-catalog/permissions/schema/lake.bronze",
    ];
    assert!(order.map(place).is_sorted(), "{}", ran.told());
    assert!(place("DELETE /api/2.1/unity-catalog/schemas/lake.bronze") < place("DELETE /api/2.1/unity-catalog/catalogs/lake"));
    assert!(place("PATCH /api/2.1/unity-catalog/schemas/lake.default {\"comment\":\"ours\"}") > place(order[2]));
    assert!(!writes.iter().any(|w| w.contains("force")), "{}", ran.told());
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_empty(), "{}", ran.told());
}

#[tokio::test]
async fn a_replacement_that_is_interrupted_converges() {
    let options = allowing(&["catalogs", "schemas"]);
    let world = lake().await;
    world.write("conf/tree.yaml", &TREE.replace("ROOT", "new"));
    let whole = world.run(&options).await;
    let first = whole.planning.len() as u64;
    for at in first..first + whole.applying.len() as u64 {
        for strike in [Strike::CutAfter, Strike::FailAfter, Strike::CrashBefore, Strike::CrashAfter] {
            let world = lake().await;
            world.write("conf/tree.yaml", &TREE.replace("ROOT", "new"));
            world.run_struck(&options, Some((at, strike))).await;
            done(&world.run(&options).await, &format!("{at} {strike:?}"));
            let ran = world.run(&Options::default()).await;
            assert!(ran.is_empty(), "{at} {strike:?}\n{}", ran.told());
        }
    }
}

#[tokio::test]
async fn a_catalog_is_not_deleted_under_what_stays() {
    let world = lake().await;
    world.write("conf/tree.yaml", "schemas: { silver: { catalog_name: lake, name: silver, comment: kept } }\n");
    let options = allowing(&["catalogs", "schemas"]);
    let ran = world.run(&options).await;
    let blocks = &step(&ran, "catalogs.lake").blocks;
    assert_eq!(blocks.len(), 1, "{}", ran.told());
    assert_eq!(blocks[0].reason, "catalogs.lake would be deleted, but schemas.silver is in it and wanted all the same");
    // With the last of what is in it, it goes.
    world.write("conf/tree.yaml", "{}\n");
    done(&world.run(&options).await, "deleted");
    assert!(!world.workspace.dump().keys().any(|k| k.contains("lake")));
}

#[tokio::test]
async fn a_catalog_is_not_replaced_without_what_is_in_it() {
    let world = lake().await;
    world.write("conf/tree.yaml", &TREE.replace("ROOT", "new"));
    let address = |text: &str| text.parse().expect("an address");
    let ran = world.run(&Options { targets: vec![address("catalogs.lake")], ..allowing(&["catalogs", "schemas"]) }).await;
    let reasons: Vec<&str> = step(&ran, "catalogs.lake").blocks.iter().map(|b| b.reason.as_str()).collect();
    assert_eq!(reasons, ["catalogs.lake would be replaced, but schemas.bronze and 2 more are in it and left out of this plan"]);
}
