//! Laws of the merge: random spaces, random edits in the UI, random edits in YAML.
//!
//! `FUZZ_CASES=500` for more of them, `MERGE_SEED=17` for one alone.

use brickform::diff::Reason;
use brickform::model::{Value, json};
use brickform::plan::{Options, Plan};

use super::content;
use super::edits::{Edit, beside, by_hand, edits, made, space};
use crate::simulation::random::Random;
use crate::world::World;

/// How many seeds are tried unless something else is said.
const SEEDS: u64 = 24;

fn conf(space: &Value, merge: bool) -> String {
    let mut space = space.clone();
    if merge {
        space.as_map_mut().expect("a map").insert("lifecycle".to_owned(), Value::map([("merge", Value::Bool(true))]));
    }
    let warehouse = Value::map([("name", Value::from("w")), ("cluster_size", Value::from("Small"))]);
    let body = Value::map([("warehouses", Value::map([("w", warehouse)])), ("spaces", Value::map([("s", space)]))]);
    json::write(&body).expect("JSON")
}

fn conflicts(plan: &Plan) -> Vec<String> {
    let all = plan.steps.iter().flat_map(|s| &s.changes);
    all.filter(|c| c.reason == Reason::Conflict).map(|c| c.path.to_string()).collect()
}

fn kept(plan: &Plan) -> Vec<String> {
    let mut all: Vec<String> = plan.steps.iter().flat_map(|s| &s.kept).map(|c| c.path.to_string()).collect();
    all.sort();
    all
}

fn reversed(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(map.iter().map(|(name, v)| (name.clone(), reversed(v))).collect()),
        Value::List(items) => Value::List(items.iter().rev().map(reversed).collect()),
        other => other.clone(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a setting of the test run")]
pub fn seeds(count: u64) -> Vec<u64> {
    let read = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match (read("MERGE_SEED"), read("FUZZ_CASES")) {
        (Some(seed), _) => vec![seed],
        (None, cases) => (0..cases.unwrap_or(count)).collect(),
    }
}

/// A world with the space as it was applied, and edited by hand.
async fn edited(seed: u64, base: &Value, merge: bool, by_others: &[Edit]) -> World {
    let mut random = Random::of(seed ^ 0xabcd);
    let all = ["genie-splits-lines", "genie-etag-moves"];
    let rivals: Vec<&str> = all.into_iter().filter(|_| random.chance(400)).collect();
    let world = World::new(&rivals);
    world.write("conf/a.yaml", &conf(base, merge));
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_done(), "seed {seed}: {}", ran.told());
    by_hand(&world.workspace, by_others, &mut random).await;
    world
}

#[tokio::test]
async fn edits_of_different_places_are_all_there() {
    for seed in seeds(SEEDS) {
        let mut random = Random::of(seed);
        let base = space(&mut random);
        let ours = edits(&base, "yaml", &[], false, &mut random);
        let theirs = edits(&base, "ui", &ours, false, &mut random);
        let yaml = made(&base, &ours, &mut random);
        let mut contents = Vec::new();
        for turned in [false, true] {
            let world = edited(seed, &base, true, &theirs).await;
            world.write("conf/a.yaml", &conf(&if turned { reversed(&yaml) } else { yaml.clone() }, true));
            let ran = world.run(&Options::default()).await;
            assert!(ran.is_done(), "seed {seed}: {ours:?} {theirs:?}\n{}", ran.told());
            let plan = ran.plan.as_ref().expect("a plan");
            assert_eq!(conflicts(plan), Vec::<String>::new(), "seed {seed}: {ours:?} {theirs:?}\n{}", ran.told());
            let (_, now) = content(&world);
            for edit in ours.iter().chain(&theirs) {
                assert!(edit.holds(&now, &beside(&world.workspace)), "seed {seed}: {edit:?} is lost\n{}", ran.told());
            }
            // What is kept is told again, and nothing else.
            let again = world.run(&Options::default()).await;
            assert!(again.is_empty(), "seed {seed}: {ours:?} {theirs:?}\n{}", again.told());
            let told = kept(again.plan.as_ref().expect("a plan"));
            // A member that YAML never had is another's without that.
            let unmanaged = again.plan.iter().flat_map(|p| &p.steps).map(|s| s.unmanaged.len()).sum::<usize>();
            assert!(told.len() + unmanaged >= usize::from(!theirs.is_empty()), "seed {seed}: {theirs:?}\n{}", again.told());
            contents.push((now, told));
            // With the edits of others in YAML too, there is nothing to do and nothing kept.
            let both = made(&yaml, &theirs, &mut random);
            world.write("conf/a.yaml", &conf(&both, true));
            let whole = world.run(&Options::default()).await;
            assert!(whole.is_empty(), "seed {seed}: {ours:?} {theirs:?}\n{}", whole.told());
            assert_eq!(kept(whole.plan.as_ref().expect("a plan")), Vec::<String>::new(), "seed {seed}");
        }
        assert_eq!(contents[0], contents[1], "seed {seed}: another order, another result: {ours:?} {theirs:?}");
    }
}

#[tokio::test]
async fn no_edit_is_lost_without_a_word() {
    for seed in seeds(SEEDS) {
        let mut random = Random::of(seed + 10_000);
        let base = space(&mut random);
        let ours = edits(&base, "yaml", &[], true, &mut random);
        let theirs = edits(&base, "ui", &[], true, &mut random);
        let world = edited(seed, &base, true, &theirs).await;
        world.write("conf/a.yaml", &conf(&made(&base, &ours, &mut random), true));
        let ran = world.run(&Options::default()).await;
        assert!(ran.is_done(), "seed {seed}: {ours:?} {theirs:?}\n{}", ran.told());
        let told = conflicts(ran.plan.as_ref().expect("a plan"));
        let (_, now) = content(&world);
        for edit in &ours {
            assert!(edit.holds(&now, &beside(&world.workspace)), "seed {seed}: {edit:?} of YAML is lost: {theirs:?}\n{}", ran.told());
        }
        for edit in &theirs {
            let there = edit.holds(&now, &beside(&world.workspace));
            assert!(there || told.iter().any(|path| path.contains(edit.word())), "seed {seed}: {edit:?} is lost: {ours:?}\n{}", ran.told());
        }
        let again = world.run(&Options::default()).await;
        assert!(again.is_empty(), "seed {seed}: {ours:?} {theirs:?}\n{}", again.told());
    }
}

#[tokio::test]
async fn without_merge_the_result_is_yaml() {
    for seed in seeds(SEEDS) {
        let mut random = Random::of(seed + 20_000);
        let base = space(&mut random);
        let ours = edits(&base, "yaml", &[], true, &mut random);
        let theirs = edits(&base, "ui", &[], true, &mut random);
        let yaml = made(&base, &ours, &mut random);
        let world = edited(seed, &base, false, &theirs).await;
        world.write("conf/a.yaml", &conf(&yaml, false));
        let ran = world.run(&Options::default()).await;
        assert!(ran.is_done() && ran.plan.as_ref().is_some_and(|p| p.counts().kept == 0), "seed {seed}\n{}", ran.told());
        let (_, now) = content(&world);
        for edit in &ours {
            assert!(edit.holds(&now, &beside(&world.workspace)), "seed {seed}: {edit:?} of YAML is lost: {theirs:?}\n{}", ran.told());
        }
        for edit in theirs.iter().filter(|edit| matches!(edit, Edit::Beside(..) | Edit::Line(..) | Edit::Add(..))) {
            // Nor is a list that YAML never sets YAML's.
            let ours_too = ours.iter().any(|our| our.is_of(edit)) || edit.is_of_a_list_without(&yaml);
            assert!(ours_too || !edit.holds(&now, &beside(&world.workspace)), "seed {seed}: {edit:?} stays\n{}", ran.told());
        }
        assert!(world.run(&Options::default()).await.is_empty(), "seed {seed}");
    }
}
