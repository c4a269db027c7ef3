//! Spaces that somebody deletes, by either API: what was managed comes again as another one, however long the workspace goes
//! on showing the old one.

use std::sync::Arc;

use brickform::apply::Outcome;
use brickform::model::Value;
use brickform::plan::Options;

use super::{APIS, Meddler, Meddling, spaces};
use crate::genie_forms::environment;
use crate::laws::done;
use crate::world::{Clock, World};

/// How long the trash takes, in milliseconds.
const SLOW: u64 = 60_000;

const RIVALS: [&[&str]; 3] = [&[], &["genie-slow-trash"], &["genie-trash-listed"]];

fn space(text: &str) -> String {
    format!("spaces: {{ s: {{ title: S, warehouse_id: '475b94ddc7cd5211', instructions: {{ text: \"{text}\" }} }} }}\n")
}

/// The spaces that are not in the trash.
fn there(world: &World) -> Vec<(String, Value)> {
    spaces(&world.workspace).into_iter().filter(|(_, space)| space.get("trashed").is_none()).collect()
}

/// A world with one of the two APIs and one habit of the trash.
struct Scene {
    rivals: &'static [&'static str],
    path: &'static str,
    what: String,
    world: World,
    clock: Arc<Clock>,
}

fn scenes() -> impl Iterator<Item = Scene> {
    RIVALS.into_iter().flat_map(|rivals| APIS.map(|api| (rivals, api))).map(|(rivals, (api, path))| {
        let (world, clock) = World::slow(rivals, SLOW);
        environment(&world, api);
        Scene { rivals, path, what: format!("{api} {rivals:?}"), world, clock }
    })
}

impl Scene {
    /// Makes the space by YAML; gives its id.
    async fn applied(&self) -> String {
        self.world.write("conf/a.yaml", &space("one"));
        done(&self.world.run(&Options::default()).await, &self.what);
        there(&self.world).pop().expect("a space").0
    }
}

#[tokio::test]
async fn what_was_deleted_in_the_ui_comes_again_however_slow_its_trash_is() {
    for scene in scenes() {
        let first = scene.applied().await;
        let Scene { rivals, what, world, clock, .. } = &scene;
        world.by_hand(&format!("DELETE /api/2.0/genie/spaces/{first}")).await;
        let mut text = "one";
        if rivals.contains(&"genie-slow-trash") {
            // As long as it answers nobody can tell; what is changed then goes with it, and is not lost.
            assert!(world.run(&Options::default()).await.is_empty(), "{what}");
            text = "two";
            world.write("conf/a.yaml", &space(text));
            done(&world.run(&Options::default()).await, what);
            assert!(there(world).is_empty(), "{what}");
            clock.pass(61_000);
        }
        let ran = world.run(&Options::default()).await;
        done(&ran, what);
        assert!(ran.told().contains("deleted in the workspace"), "{what}: {}", ran.told());
        let now = there(world);
        assert!(now.len() == 1 && now[0].0 != first && format!("{:?}", now[0].1).contains(text), "{what}: {now:?}");
        for late in [0, 61_000] {
            clock.pass(late);
            let again = world.run(&Options::default()).await;
            assert!(again.is_empty(), "{what}: {}", again.told());
        }
    }
}

/// Between the plan and the update.
#[tokio::test]
async fn what_is_deleted_between_plan_and_update_is_told_and_comes_again() {
    for scene in scenes() {
        let first = scene.applied().await;
        let Scene { rivals, path, what, world, clock } = &scene;
        world.write("conf/a.yaml", &space("two"));
        let line = Meddler::of(world, Meddling::Trash);
        let ran = line.run(world).await;
        let sent = line.writes.lock().expect("no panics").clone();
        assert!(sent.len() == 1 && sent[0].starts_with(*path), "{what}: {sent:?}");
        let report = ran.report.as_ref().expect("a report");
        if rivals.contains(&"genie-slow-trash") {
            assert!(ran.is_done(), "{what}: {}", ran.told());
            clock.pass(61_000);
        } else {
            let failure = report.results.iter().find_map(|r| if let Outcome::Failed(failure) = &r.outcome { Some(failure) } else { None });
            let failure = failure.unwrap_or_else(|| panic!("{what}: {}", ran.told()));
            assert!(failure.message.starts_with("spaces.s: update failed: 404"), "{what}: {}", failure.message);
            assert!(failure.help.iter().any(|h| h == "it may have been deleted since the plan: plan again"), "{what}: {:?}", failure.help);
        }
        let ran = world.run(&Options::default()).await;
        done(&ran, what);
        assert!(ran.told().contains("deleted in the workspace"), "{what}: {}", ran.told());
        let now = there(world);
        assert!(now.len() == 1 && now[0].0 != first && format!("{:?}", now[0].1).contains("two"), "{what}: {now:?}");
        assert!(world.run(&Options::default()).await.is_empty(), "{what}");
    }
}

/// What lies in the trash stands in the way of nothing that has its title, and is not deleted again.
#[tokio::test]
async fn what_lies_in_the_trash_does_not_stand_in_the_way() {
    for scene in scenes() {
        let Scene { what, world, clock, .. } = &scene;
        world
            .by_hand("POST /api/2.0/genie/spaces {\"title\":\"S\",\"warehouse_id\":\"w\",\"serialized_space\":\"{\\\"version\\\":2}\"}")
            .await;
        let (old, _) = there(world).pop().expect("a space");
        world.by_hand(&format!("DELETE /api/2.0/genie/spaces/{old}")).await;
        let own = scene.applied().await;
        assert_ne!(own, old, "{what}");
        // Deleted here and there at once.
        world.by_hand(&format!("DELETE /api/2.0/genie/spaces/{own}")).await;
        world.write("conf/a.yaml", "{}\n");
        let gone = world.run(&Options { allow_delete: vec!["spaces".to_owned()], ..Options::default() }).await;
        done(&gone, what);
        clock.pass(61_000);
        assert!(there(world).is_empty() && world.run(&Options::default()).await.is_empty(), "{what}");
    }
}
