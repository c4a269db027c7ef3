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

#[tokio::test]
async fn what_others_keep_in_a_catalog_is_told_before_anything_is_sent() {
    const UC: &str = "/api/2.1/unity-catalog";
    let world = lake().await;
    world.by_hand(&format!(r#"POST {UC}/schemas {{"name":"theirs","catalog_name":"lake"}}"#)).await;
    world.by_hand(&format!(r#"POST {UC}/models {{"name":"churn","catalog_name":"lake","schema_name":"bronze"}}"#)).await;
    let function = r#"{"function_info":{"name":"f","catalog_name":"lake","schema_name":"silver","input_params":{},"data_type":"DOUBLE",
        "full_data_type":"DOUBLE","routine_body":"SQL","routine_definition":"1","parameter_style":"S","is_deterministic":true,
        "sql_data_access":"CONTAINS_SQL","is_null_call":false,"security_type":"DEFINER","specific_name":"f"}}"#;
    world.by_hand(&format!("POST {UC}/functions {function}")).await;
    world.write("conf/tree.yaml", &TREE.replace("ROOT", "new"));
    let ran = world.run(&Options::default()).await;
    let reason = |address: &str| step(&ran, address).blocks.iter().map(|b| b.reason.clone()).collect::<Vec<_>>();
    assert_eq!(reason("catalogs.lake"), ["catalogs.lake would be replaced with what is left in lake: lake.theirs"], "{}", ran.told());
    assert_eq!(reason("schemas.bronze"), ["schemas.bronze would be replaced with what is left in lake.bronze: lake.bronze.churn"]);
    assert_eq!(reason("schemas.silver"), ["schemas.silver would be replaced with what is left in lake.silver: lake.silver.f"]);
    assert!(ran.writes().is_empty());
    let ran = world.run(&allowing(&["catalogs", "schemas"])).await;
    done(&ran, "taken along");
    let forced: Vec<String> = ran.writes().into_iter().filter(|w| w.contains("force=true")).collect();
    let kept = ["schemas/lake.bronze", "schemas/lake.silver", "catalogs/lake"];
    assert!(forced.len() == 3 && kept.iter().all(|part| forced.iter().any(|w| w.contains(part))), "{}", ran.told());
    assert!(world.run(&Options::default()).await.is_empty());
    // What comes with every catalog is nobody else's.
    world.write("conf/tree.yaml", "{}\n");
    let ran = world.run(&allowing(&["catalogs", "schemas"])).await;
    done(&ran, "deleted");
    assert!(!ran.writes().iter().any(|w| w.contains("force")), "{}", ran.told());
}

/// What a run that ended in the middle of a replacement had deleted is not called somebody else's doing.
#[tokio::test]
async fn the_next_plan_knows_what_was_deleted_and_not_made_again() {
    let options = allowing(&["catalogs", "schemas"]);
    let world = lake().await;
    world.write("conf/tree.yaml", &TREE.replace("ROOT", "new"));
    let whole = world.run(&options).await;
    let at = whole.applying.iter().position(|s| s.line().starts_with("POST /api/2.1/unity-catalog/catalogs")).expect("it is made again");
    let world = lake().await;
    world.write("conf/tree.yaml", &TREE.replace("ROOT", "new"));
    world.run_struck(&options, Some(((whole.planning.len() + at) as u64, Strike::CrashBefore))).await;
    let ran = world.run(&options).await;
    for address in ["schemas.bronze", "schemas.silver"] {
        let step = step(&ran, address);
        let because = step.because.as_deref();
        assert_eq!((step.action, because), (Action::Create, Some(brickform::plan::NOT_MADE_AGAIN)), "{}", ran.told());
    }
    assert_eq!(ran.plan.as_ref().map(|plan| plan.counts().drifted), Some(0), "{}", ran.told());
    done(&ran, "made again");
}

const FOLDER: &str = "directories: { team: { path: /Shared/PLACE } }
spaces: { sales: { title: Sales, warehouse_id: 475b94ddc7cd5211, parent_path: 'WHERE', tables: [samples.tpch.orders] } }
notebooks: { n: { path: '/Shared/PLACE/n', language: SQL, content: 'select 1' } }
";

#[tokio::test]
async fn what_is_in_a_folder_moves_out_before_the_folder_goes() {
    for place in ["${directories.team.path}", "/Shared/PLACE"] {
        let written = |at: &str| FOLDER.replace("WHERE", place).replace("PLACE", at);
        let made = || async {
            let world = World::new(&[]);
            world.write("conf/folder.yaml", &written("old"));
            done(&world.run(&Options::default()).await, "made");
            world.write("conf/folder.yaml", &written("new"));
            world
        };
        let world = made().await;
        let ran = world.run(&Options::default()).await;
        done(&ran, place);
        assert_eq!(step(&ran, "directories.team").action, Action::ReplaceNewFirst);
        assert_eq!(step(&ran, "spaces.sales").action, Action::Update, "it moves: its conversations stay");
        let writes = ran.writes();
        let find = |start: &str| writes.iter().position(|w| w.starts_with(start)).unwrap_or_else(|| panic!("{start}\n{}", ran.told()));
        let deleted =
            writes.iter().position(|w| w.contains("/workspace/delete") && w.contains("\"/Shared/old\"")).expect("the folder goes");
        assert!(find("POST /api/2.0/workspace/mkdirs") < find("PATCH /api/2.0/genie/spaces/"), "{}", ran.told());
        assert!(find("PATCH /api/2.0/genie/spaces/") < deleted && !writes[deleted].contains("true"), "{}", ran.told());
        assert!(world.run(&Options::default()).await.is_empty());
        assert!(!world.workspace.dump().keys().any(|k| k.contains("/Shared/old")));
        // Cut at any point, the rest comes in the same order.
        let first = ran.planning.len() as u64;
        for at in first..first + ran.applying.len() as u64 {
            for strike in [Strike::CutAfter, Strike::CrashBefore, Strike::CrashAfter] {
                let world = made().await;
                world.run_struck(&Options::default(), Some((at, strike))).await;
                done(&world.run(&Options::default()).await, &format!("{place} {at} {strike:?}"));
                let ran = world.run(&Options::default()).await;
                assert!(ran.is_empty(), "{at} {strike:?}\n{}", ran.told());
                assert!(!world.workspace.dump().keys().any(|k| k.contains("/Shared/old")), "{at} {strike:?}");
            }
        }
    }
}
