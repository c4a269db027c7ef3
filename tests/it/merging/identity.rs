//! Items of a space that have the same text: an edit of one never meets another, by either API.

use brickform::diff::Reason;
use brickform::model::json;
use brickform::plan::Options;
use serde_json::{Value as Json, json};

use super::laws::seeds;
use super::{APIS, content, patch};
use crate::adoption::Desk;
use crate::genie_forms::environment;
use crate::simulation::random::Random;
use crate::world::{Ran, World};

const EXAMPLES: &str = "/instructions/example_question_sqls";
const JOINS: &str = "/instructions/join_specs";
const HEAD: &str = "warehouses: { w: { name: w, cluster_size: Small } }\nspaces:\n  s:\n    title: S\n    warehouse_id: \"${warehouses.w.id}\"\n    \
                    tables: [main.s.orders, main.s.days]\n    instructions:\n";
const MERGE: &str = "    lifecycle: { merge: true }\n";

fn read(world: &World) -> Json {
    serde_json::from_str(&json::write(&content(world).1).expect("JSON")).expect("JSON")
}

/// Sends the space back edited, as the UI does: sorted by id.
async fn in_the_ui(world: &World, edit: impl FnOnce(&mut Json)) {
    let mut now = read(world);
    edit(&mut now);
    for list in [EXAMPLES, JOINS] {
        if let Some(Json::Array(items)) = now.pointer_mut(list) {
            items.sort_by_key(|item| item["id"].to_string());
        }
    }
    let content_now = json::parse(now.to_string().as_bytes()).expect("JSON");
    let answer = world.workspace.handle(patch(&content(world).0, &content_now)).await.expect("an answer");
    assert!(answer.status < 300, "{}", String::from_utf8_lossy(&answer.body));
}

fn items<'c>(content: &'c mut Json, list: &str) -> &'c mut Vec<Json> {
    content.pointer_mut(list).and_then(Json::as_array_mut).expect("a list")
}

fn text(item: &Json, member: &str) -> String {
    item[member].as_array().map(|parts| parts.iter().filter_map(Json::as_str).collect()).unwrap_or_default()
}

fn id_of(item: &Json) -> String {
    item["id"].as_str().unwrap_or_default().to_owned()
}

/// What the items of a list say, with their ids.
fn said(world: &World, list: &str, member: &str) -> Vec<(String, String)> {
    let mut all: Vec<_> = items(&mut read(world), list).iter().map(|item| (text(item, member), id_of(item))).collect();
    all.sort();
    all
}

/// A world of each API with these instructions, applied.
async fn world(api: &str, instructions: &str, merge: &str) -> World {
    let world = World::new(&[]);
    environment(&world, api);
    run(&world, instructions, merge).await;
    world
}

async fn run(world: &World, instructions: &str, merge: &str) -> Ran {
    world.write("conf/a.yaml", &format!("{HEAD}{instructions}{merge}"));
    let ran = world.run(&Options::default()).await;
    assert!(ran.is_done(), "{}", ran.told());
    ran
}

/// Nothing is left to do, and nothing is a conflict.
async fn is_settled(world: &World, ran: &Ran) {
    assert!(!ran.told().contains("conflict"), "{}", ran.told());
    let again = world.run(&Options::default()).await;
    assert!(again.is_empty(), "{}\n{}", ran.told(), again.told());
}

fn example(sql: &str) -> String {
    format!("      example_sql: [{{ question: Top, sql: \"{sql}\" }}]\n")
}

#[tokio::test]
async fn an_item_that_the_ui_adds_with_the_same_text_is_another_one() {
    let other = "e".repeat(32);
    for ((api, _), merge, sql) in APIS.into_iter().flat_map(|api| ["", MERGE].map(|merge| (api, merge))).flat_map(|(api, merge)| {
        // In the order of what they say the stranger is the first, or the last.
        ["A first", "Z last"].map(|sql| (api, merge, sql))
    }) {
        let world = world(api, &example("SELECT 1"), merge).await;
        let ours = said(&world, EXAMPLES, "sql")[0].1.clone();
        in_the_ui(&world, |now| items(now, EXAMPLES).push(json!({ "id": other, "question": ["Top"], "sql": [sql] }))).await;
        let ran = run(&world, &example("SELECT 2"), merge).await;
        let mut want = vec![("SELECT 2".to_owned(), ours)];
        if !merge.is_empty() {
            want.push((sql.to_owned(), other.clone()));
        }
        want.sort();
        assert_eq!(said(&world, EXAMPLES, "sql"), want, "{api} {merge}\n{}", ran.told());
        is_settled(&world, &ran).await;
    }
}

fn join(column: &str, instruction: &str) -> String {
    format!(
        "        - {{ left: main.s.orders, right: main.s.days, condition: orders.{column} = days.day, relationship: MANY_TO_ONE, \
         instruction: {instruction} }}\n"
    )
}

#[tokio::test]
async fn two_joins_of_one_pair_are_edited_each_by_itself() {
    let both = |sent: &str| format!("      joins:\n{}{}", join("ordered", "by order"), join("sent", sent));
    for ((api, _), merge) in APIS.into_iter().flat_map(|api| ["", MERGE].map(|merge| (api, merge))) {
        let world = world(api, &both("by sending"), merge).await;
        let before = said(&world, JOINS, "instruction");
        in_the_ui(&world, |now| items(now, JOINS).retain(|join| text(join, "instruction") != "by order")).await;
        let ran = run(&world, &both("by SENDING"), merge).await;
        let mut want = vec![("by SENDING".to_owned(), before[1].1.clone())];
        if merge.is_empty() {
            want.push(before[0].clone());
        }
        want.sort();
        assert_eq!(said(&world, JOINS, "instruction"), want, "{api} {merge}\n{}", ran.told());
        is_settled(&world, &ran).await;
        // What YAML drops goes.
        run(&world, "      text: none\n", merge).await;
        assert!(read(&world).pointer(JOINS).is_none_or(|list| list.as_array().is_some_and(Vec::is_empty)), "{api} {merge}");
    }
}

#[tokio::test]
async fn a_key_of_its_own_tells_an_item_whatever_others_say() {
    let item = |key: &str, sql: &str| format!("        - {{ question: Top, $key: {key}, sql: \"{sql}\" }}\n");
    for (api, _) in APIS {
        let world = world(api, &format!("      example_sql:\n{}{}", item("a", "SELECT 1"), item("b", "SELECT 2")), MERGE).await;
        let before = said(&world, EXAMPLES, "sql");
        in_the_ui(&world, |now| {
            let edited = items(now, EXAMPLES).iter_mut().find(|item| text(item, "sql") == "SELECT 2").expect("b");
            edited["usage_guidance"] = json!(["by hand"]);
            edited["sql"] = json!(["SELECT 0"]);
        })
        .await;
        let ran = run(&world, &format!("      example_sql:\n{}", item("b", "SELECT 2")), MERGE).await;
        assert_eq!(said(&world, EXAMPLES, "sql"), [("SELECT 0".to_owned(), before[1].1.clone())], "{api}\n{}", ran.told());
        assert_eq!(said(&world, EXAMPLES, "usage_guidance"), [("by hand".to_owned(), before[1].1.clone())], "{api}\n{}", ran.told());
        is_settled(&world, &ran).await;
    }
}

/// Which of two is which stays known when both were edited since.
#[tokio::test]
async fn ids_stay_with_the_items_that_were_edited() {
    let item = |key: &str, sql: &str| format!("        - {{ question: Top, $key: {key}, sql: \"{sql}\" }}\n");
    let both = |a: &str, b: &str| format!("      example_sql:\n{}{}", item("a", a), item("b", b));
    for (api, _) in APIS {
        let world = world(api, &both("SELECT 1", "SELECT 2"), MERGE).await;
        let before = said(&world, EXAMPLES, "sql");
        // The order of what they say turns round.
        run(&world, &both("SELECT 9", "SELECT 2"), MERGE).await;
        assert_eq!(
            said(&world, EXAMPLES, "sql"),
            [("SELECT 2".to_owned(), before[1].1.clone()), ("SELECT 9".to_owned(), before[0].1.clone())]
        );
        in_the_ui(&world, |now| {
            for item in items(now, EXAMPLES) {
                let by_hand = if text(item, "sql") == "SELECT 2" { "SELECT 8" } else { "SELECT 7" };
                item["sql"] = json!([by_hand]);
            }
        })
        .await;
        let ran = run(&world, &both("SELECT 9", "SELECT 2"), "").await;
        assert_eq!(
            said(&world, EXAMPLES, "sql"),
            [("SELECT 2".to_owned(), before[1].1.clone()), ("SELECT 9".to_owned(), before[0].1.clone())]
        );
        is_settled(&world, &ran).await;
    }
}

#[test]
fn what_is_said_beside_a_join_stays_with_it() {
    let desk = Desk::new();
    desk.write("conf/project.yaml", "name: desk\n");
    let remarked = |column: &str, said: &str| join(column, said).replace('\n', &format!(" # why {said}\n"));
    let joins = format!("      joins:\n{}{}", remarked("ordered", "by order"), remarked("sent", "by sending"));
    desk.write("conf/a.yaml", &format!("{HEAD}{joins}"));
    desk.done(&["apply", "--yes"], "the first apply");
    let (id, space) = super::spaces(&desk.workspace()).pop().expect("a space");
    let mut now: Json =
        serde_json::from_str(&json::write(&space.get("serialized_space").expect("content").clone()).expect("JSON")).expect("JSON");
    items(&mut now, JOINS).retain(|join| text(join, "instruction") != "by order");
    let line = format!("PATCH /api/2.0/genie/spaces/{id} {}", json!({ "serialized_space": now.to_string() }));
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(desk.by_hand(&[line]));
    let (exit, told) = desk.run(&["adopt", "--write", "spaces.s", "--yes"]);
    assert_eq!(exit, 0, "{told}");
    let after = desk.read("conf/a.yaml");
    assert!(!after.contains("why by order") && after.contains("# why by sending") && !after.contains(" id:"), "{told}\n{after}");
    desk.done(&["plan", "--detailed-exitcode"], &after);
}

/// An example of the law, with its own key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Example {
    key: u64,
    question: String,
    sql: String,
    guidance: String,
}

impl Example {
    fn new(key: u64, random: &mut Random) -> Self {
        let question = (*random.one(&["Top", "Top", "Best"])).to_owned();
        Self { key, question, sql: word(key, random), guidance: String::new() }
    }

    fn yaml(&self) -> String {
        let guidance = if self.guidance.is_empty() { String::new() } else { format!(", usage_guidance: {}", self.guidance) };
        format!("        - {{ question: {}, $key: k{}, sql: {}{guidance} }}\n", self.question, self.key, self.sql)
    }

    /// The same with this side's edit; none: it is gone.
    fn edited(&self, in_the_ui: bool, random: &mut Random) -> Option<Self> {
        let mut new = self.clone();
        match random.below(if in_the_ui { 8 } else { 7 }) {
            0 | 1 => new.sql = word(self.key, random),
            2 => new.guidance = word(self.key, random),
            3 => return None,
            7 => new.question = word(self.key, random),
            _ => {}
        }
        Some(new)
    }

    fn of(item: &Json) -> Self {
        Self { key: 0, question: text(item, "question"), sql: text(item, "sql"), guidance: text(item, "usage_guidance") }
    }

    fn says(&self) -> [&str; 3] {
        [&self.question, &self.sql, &self.guidance]
    }
}

/// A word that nobody else says, anywhere in the order of words.
fn word(key: u64, random: &mut Random) -> String {
    format!("{}{key}n{}", random.one(&["a", "f", "m", "s", "z"]), random.next() % 100_000)
}

fn examples(all: &[Example]) -> String {
    if all.is_empty() {
        "      text: none\n".to_owned()
    } else {
        format!("      example_sql:\n{}", all.iter().map(Example::yaml).collect::<String>())
    }
}

/// What becomes of an item that both have: each edit stands, YAML's where they meet. With the number of those that meet.
fn both(base: &Example, ours: &Example, theirs: &Example) -> (Example, usize) {
    let mut meets = 0;
    let mut one = |base: &str, ours: &str, theirs: &str| {
        let is_met = ours != base && theirs != base && ours != theirs;
        meets += usize::from(is_met);
        if ours == base { theirs.to_owned() } else { ours.to_owned() }
    };
    let question = one(&base.question, &ours.question, &theirs.question);
    let sql = one(&base.sql, &ours.sql, &theirs.sql);
    let guidance = one(&base.guidance, &ours.guidance, &theirs.guidance);
    (Example { key: base.key, question, sql, guidance }, meets)
}

#[tokio::test]
async fn among_equal_texts_every_edit_meets_its_own_item() {
    for seed in seeds(24) {
        let mut random = Random::of(seed + 40_000);
        let (api, merges) = (APIS[usize::from(random.chance(500))].0, random.chance(700));
        let merge = if merges { MERGE } else { "" };
        let base: Vec<Example> = (0..2 + random.below(4)).map(|key| Example::new(key, &mut random)).collect();
        let world = world(api, &examples(&base), merge).await;
        let first = said(&world, EXAMPLES, "sql");
        let id_of_base = |item: &Example| first.iter().find(|(sql, _)| *sql == item.sql).expect("it is there").1.clone();
        // Now and then one side is idle.
        let idle = random.below(5);
        let mut side = |in_the_ui: bool, is_idle: bool| -> Vec<Option<Example>> {
            base.iter().map(|item| if is_idle { Some(item.clone()) } else { item.edited(in_the_ui, &mut random) }).collect()
        };
        let (ours, theirs) = (side(false, idle == 0), side(true, idle == 1));
        let stranger = (idle != 1 && random.chance(500)).then(|| Example { question: "Top".to_owned(), ..Example::new(90, &mut random) });
        let added = (idle != 0 && random.chance(400)).then(|| Example { question: "Top".to_owned(), ..Example::new(91, &mut random) });
        let strange = "7".repeat(32);
        in_the_ui(&world, |now| {
            let list = items(now, EXAMPLES);
            for (item, edited) in base.iter().zip(&theirs) {
                let id = id_of_base(item);
                let Some(at) = list.iter().position(|other| id_of(other) == id) else { continue };
                match edited {
                    None => drop(list.remove(at)),
                    Some(new) => {
                        list[at]["question"] = json!([new.question]);
                        list[at]["sql"] = json!([new.sql]);
                        if !new.guidance.is_empty() {
                            list[at]["usage_guidance"] = json!([new.guidance]);
                        }
                    }
                }
            }
            list.extend(stranger.iter().map(|new| json!({ "id": strange, "question": [new.question], "sql": [new.sql] })));
        })
        .await;
        let wanted: Vec<Example> = ours.iter().flatten().chain(&added).cloned().collect();
        let ran = run(&world, &examples(&wanted), merge).await;
        let what = format!(
            "seed {seed}, {api}, merge {merges}:\n{base:?}\nours {ours:?} {added:?}\ntheirs {theirs:?} {stranger:?}\n{}",
            ran.told()
        );
        let now = read(&world);
        let there: Vec<(String, Example)> =
            now.pointer(EXAMPLES).and_then(Json::as_array).into_iter().flatten().map(|item| (id_of(item), Example::of(item))).collect();
        let found = |id: &str| there.iter().find(|(own, _)| own == id).map(|(_, item)| item);
        let (mut met, mut count, mut is_open) = (0, added.iter().len(), false);
        for ((item, ours), theirs) in base.iter().zip(&ours).zip(&theirs) {
            let is = found(&id_of_base(item));
            // One that is gone and one that comes with the same text are one with another `$key`.
            if let (None, Some(added), Some(is)) = (ours, &added, is)
                && (&is.question, &is.sql) == (&added.question, &added.sql)
            {
                is_open = true;
                continue;
            }
            let want = match (ours, theirs) {
                // What YAML does not set stays as it is.
                (Some(ours), Some(theirs)) if !merges && ours.guidance.is_empty() && item.guidance.is_empty() => {
                    Some(Example { guidance: theirs.guidance.clone(), ..ours.clone() })
                }
                (Some(ours), Some(_)) if !merges => Some(ours.clone()),
                (Some(ours), Some(theirs)) => {
                    let (want, meets) = both(item, ours, theirs);
                    met += meets;
                    Some(want)
                }
                (Some(ours), None) if merges && ours == item => None,
                (None, Some(theirs)) if !merges || theirs == item => None,
                (None, None) => None,
                // What one takes away and the other edits is a conflict, and without a merge YAML's comes again.
                (Some(_), None) | (None, Some(_)) => {
                    is_open = true;
                    count += usize::from(is.is_some());
                    continue;
                }
            };
            assert_eq!(is.map(Example::says), want.as_ref().map(Example::says), "{item:?} {what}\n{there:?}");
            count += usize::from(want.is_some());
        }
        // One text that both say for the first time is one item, and a conflict.
        let is_one = stranger.is_some() && added.as_ref().is_some_and(|added| found(&strange).is_some_and(|is| is.says() == added.says()));
        is_open |= is_one;
        if let Some(stranger) = stranger.as_ref().filter(|_| merges && !is_one) {
            assert_eq!(found(&strange).map(Example::says), Some(stranger.says()), "{what}\n{there:?}");
            count += 1;
        }
        if let Some(added) = &added {
            assert!(there.iter().any(|(_, item)| (&item.question, &item.sql) == (&added.question, &added.sql)), "{what}\n{there:?}");
        }
        assert_eq!(there.len(), count, "{what}\n{there:?}");
        let told = ran.plan.iter().flat_map(|plan| &plan.steps).flat_map(|step| &step.changes).filter(|c| c.reason == Reason::Conflict);
        let told = told.count();
        assert!(!merges || is_open || told == met, "{met} {what}");
        assert!(!merges || !is_one || told > met, "{met} {what}");
        let again = world.run(&Options::default()).await;
        assert!(again.is_empty(), "{what}\n{}", again.told());
    }
}
