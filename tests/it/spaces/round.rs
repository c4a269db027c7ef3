//! Real workspaces hold what no document foresees: spaces of every sort are exported, applied elsewhere and exported again,
//! and say the same there, to the last byte of the file. `FUZZ_CASES=2000` for more of them.

use std::collections::BTreeMap;
use std::fs;

use brickform::export::document;
use brickform::kinds::{Change, Context, Registry, create_calls, from_reply};
use brickform::local::LocalOptions;
use brickform::model::{Value, json};

use super::random::{self, Random};
use super::{kept, made, send};
use crate::walk::{Desk, Served};

/// How many spaces are tried unless something else is said, and how many stand in one workspace.
const CASES: usize = 48;
const TOGETHER: usize = 16;

#[expect(clippy::disallowed_methods, reason = "the test's own settings come from its environment")]
fn cases() -> usize {
    std::env::var("FUZZ_CASES").map_or(CASES, |text| text.parse().expect("a number"))
}

/// The files of a folder without their first line, which names the workspace.
fn files(desk: &Desk, folder: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(desk.path(folder)).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a file");
            let (first, rest) = text.split_once('\n').expect("lines");
            assert!(first.starts_with("# The Genie space "), "{first}");
            (path.file_name().expect("a name").to_string_lossy().into_owned(), rest.to_owned())
        })
        .collect()
}

/// The way of [`every_space_survives_the_way_to_yaml_and_back`], by the agents API between workspaces that have no other.
#[test]
fn every_agent_survives_the_way_to_yaml_and_back() {
    let seeds: Vec<usize> = (0..cases()).collect();
    for (round, seeds) in seeds.chunks(TOGETHER).enumerate() {
        let served = || Served::with(LocalOptions { rivals: vec!["genie-spaces-absent".to_owned()], ..LocalOptions::default() });
        let (source, target) = (served(), served());
        let desk = Desk::new(&source, &target);
        let mut wanted = BTreeMap::new();
        for seed in seeds {
            let mut random = Random::of(*seed as u64);
            let definition = random::agent(&mut random);
            let text: String = random::text(&mut random).replace(['\n', '\r', '\t'], " ").chars().take(40).collect();
            let title = format!("Space {seed}: {}", text.trim_end());
            let description: String = random::text(&mut random).chars().take(2000).collect();
            let body = serde_json::json!({
                "display_name": title, "description": description, "warehouse_id": "w", "parent_path": "/Workspace/Shared", "definition": definition
            });
            send(&source, "POST", &format!("/api/2.0/genie/agents?genie_agent_id={:032x}", seed + 1), &body);
            wanted.insert(title, (random::content(&definition), description));
        }
        desk.done("space-export --output-dir conf/spaces --profile SOURCE_WORKSPACE");
        desk.write("conf/environments/target.yaml", "{}\n");
        let options = "--env target --config conf/spaces --state target.json --profile TARGET_WORKSPACE";
        desk.done(&format!("apply --yes {options}"));
        let arrived = agents(&target);
        assert_eq!(arrived.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "round {round}");
        for (title, (wanted, description)) in &wanted {
            let found = &arrived[title];
            assert_eq!(format!("{:#}", random::content(&found["definition"])), format!("{wanted:#}"), "{title}");
            let (told, folder) = (found["description"].as_str(), found["effective_parent_path"].as_str());
            assert_eq!((told.unwrap_or_default(), folder), (&**description, Some("/Shared")), "{title}");
        }
        desk.done("space-export --output-dir again --profile TARGET_WORKSPACE");
        let (first, again) = (files(&desk, "conf/spaces"), files(&desk, "again"));
        for (name, text) in &first {
            assert_eq!(again.get(name), Some(text), "{name}, round {round}");
        }
        assert!(desk.done(&format!("plan {options}")).contains("no changes"), "round {round}");
    }
}

/// A join is two texts, and nobody takes three.
fn without_cut_joins(mut split: serde_json::Value, whole: &serde_json::Value) -> serde_json::Value {
    let at = "/instructions/join_specs";
    for (split, whole) in split.pointer_mut(at).into_iter().zip(whole.pointer(at)) {
        *split = whole.clone();
    }
    split
}

/// The agents of a workspace, whole, by name.
fn agents(served: &Served) -> BTreeMap<String, serde_json::Value> {
    let listed = send(served, "GET", "/api/2.0/genie/agents?view=GENIE_AGENT_VIEW_FULL&page_size=100", &serde_json::Value::Null);
    let all = listed["genie_agents"].as_array().cloned().unwrap_or_default();
    all.into_iter().map(|agent| (agent["display_name"].as_str().unwrap_or_default().to_owned(), agent)).collect()
}

/// With members that no reference names: the local workspace takes none there, so that this is tried without one.
#[test]
fn what_nobody_knows_of_an_agent_survives_the_way_to_a_document_and_back() {
    let spaces = Registry::standard().get("spaces").expect("it is a kind");
    let agents = spaces.otherwise.expect("it has another API").kind;
    let address = "spaces.t".parse().expect("an address");
    for seed in 0..cases() {
        let mut random = Random::of(seed as u64);
        let given = random::strewn(&random::agent(&mut random), &mut random);
        let reply = serde_json::json!({ "name": "agents/01ef", "display_name": "T", "warehouse_id": "w", "definition": given });
        let body = from_reply(agents, json::parse(reply.to_string().as_bytes()).expect("JSON"));
        let document = document("t", &body);
        let written = document.get("spaces").and_then(|spaces| Some(spaces.as_list()?[0].clone())).expect("a space");
        let desired = spaces.hooks.normal.expect("it has a normal form")(written);
        let change = Change {
            address: &address,
            id: &Value::Null,
            applied: None,
            live: None,
            desired: &desired,
            paths: &[],
            context: Context::default(),
        };
        let calls = create_calls(agents, &change).expect("it can be made");
        let sent = calls[0].body.as_ref().and_then(|body| body.get("definition")).expect("a definition");
        let sent: serde_json::Value = serde_json::from_str(&json::write(sent).expect("it is known")).expect("JSON");
        assert_eq!(random::markers(&sent), random::markers(&given), "seed {seed}");
        assert_eq!(format!("{:#}", random::content(&sent)), format!("{:#}", random::content(&given)), "seed {seed}");
    }
}

/// Somebody gives others rights on a space, and tags it, or not.
fn shared(served: &Served, id: &str, random: &mut Random) {
    let levels = ["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"];
    let entry = |principal: &str, random: &mut Random| {
        let (sort, name) = principal.split_once(' ').expect("a sort and a name");
        serde_json::json!({ sort: name, "permission_level": levels[random.below(levels.len())] })
    };
    let principals = ["group_name users", "group_name analysts", "user_name ada@brickform.local"];
    let mut entries: Vec<serde_json::Value> = vec![];
    for principal in principals {
        if random.sometimes(40) {
            entries.push(entry(principal, random));
        }
    }
    if !entries.is_empty() {
        send(served, "PATCH", &format!("/api/2.0/permissions/genie/{id}"), &serde_json::json!({ "access_control_list": entries }));
    }
    for key in ["team", "cost center", "größe"] {
        if random.sometimes(30) {
            let value = if random.sometimes(20) { String::new() } else { random::text(random).chars().take(60).collect() };
            let value = value.trim().replace(['\n', '\r', '\t'], " ");
            let tag = serde_json::json!({ "entity_type": "geniespaces", "entity_id": id, "tag_key": key, "tag_value": value });
            send(served, "POST", "/api/2.0/entity-tag-assignments", &tag);
        }
    }
}

/// Who may do what with a space, and its tags.
fn beside(served: &Served, id: &str) -> Vec<String> {
    let list = send(served, "GET", &format!("/api/2.0/permissions/genie/{id}"), &serde_json::Value::Null);
    let tags = send(served, "GET", &format!("/api/2.0/entity-tag-assignments/geniespaces/{id}/tags"), &serde_json::Value::Null);
    let who = |entry: &serde_json::Value| {
        let name = ["user_name", "group_name", "service_principal_name"].iter().find_map(|sort| entry[sort].as_str());
        format!("{} {}", name.unwrap_or_default(), entry["all_permissions"])
    };
    let entries = list["access_control_list"].as_array().cloned().unwrap_or_default();
    let tags = tags["tag_assignments"].as_array().cloned().unwrap_or_default();
    let told = tags.iter().map(|tag| format!("{} = {}", tag["tag_key"], tag["tag_value"].as_str().unwrap_or_default()));
    let mut all: Vec<String> = entries.iter().map(who).chain(told).collect();
    all.sort();
    all
}

/// What is done in a workspace as it comes, in one that cuts texts and mixes views with tables, with exports of the first
/// version, with members in every object that no reference names.
#[test]
fn every_space_survives_the_way_to_yaml_and_back() {
    let seeds: Vec<usize> = (0..cases()).collect();
    for (round, seeds) in seeds.chunks(TOGETHER).enumerate() {
        let rivals: &[&str] = match round % 3 {
            0 => &["genie-knows-more"],
            1 => &["genie-splits-lines", "genie-views-as-tables"],
            _ => &["genie-knows-more", "genie-splits-lines"],
        };
        let served = || {
            let rivals = rivals.iter().map(|name| (*name).to_owned()).collect();
            Served::with(LocalOptions { rivals, ..LocalOptions::default() })
        };
        let (source, target) = (served(), served());
        let desk = Desk::new(&source, &target);
        let mut wanted = BTreeMap::new();
        for seed in seeds {
            let mut random = Random::of(*seed as u64);
            let export = random::export(&mut random);
            let export = if random.sometimes(30) { random::older(&export) } else { export };
            let export = if random.sometimes(30) { without_cut_joins(random::resplit(&export, &mut random), &export) } else { export };
            let is_strewn = rivals.contains(&"genie-knows-more") && random.sometimes(60);
            let export = if is_strewn { random::strewn(&export, &mut random) } else { export };
            let title = format!("Space {seed}: {}", random::text(&mut random).replace(['\n', '\r', '\t'], " "));
            let id = made(&source, &title, &export);
            shared(&source, &id, &mut random);
            wanted.insert(title, (random::content(&export), random::markers(&export), beside(&source, &id)));
        }
        desk.done("space-export --output-dir conf/spaces --profile SOURCE_WORKSPACE");
        desk.write("conf/environments/target.yaml", "{}\n");
        let options = "--env target --config conf/spaces --state target.json --profile TARGET_WORKSPACE";
        desk.done(&format!("apply --yes {options}"));
        let arrived = kept(&target);
        assert_eq!(arrived.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "round {round}");
        for (title, (wanted, unknown, around)) in &wanted {
            let id = arrived[title]["space_id"].as_str().expect("an id");
            assert_eq!(&beside(&target, id), around, "{title}");
            let found = &arrived[title]["serialized_space"];
            assert_eq!(&random::markers(found), unknown, "{title}");
            assert_eq!(format!("{:#}", random::content(found)), format!("{wanted:#}"), "{title}");
        }
        desk.done("space-export --output-dir again --profile TARGET_WORKSPACE");
        let (first, again) = (files(&desk, "conf/spaces"), files(&desk, "again"));
        for (name, text) in &first {
            assert_eq!(again.get(name), Some(text), "{name}, round {round}");
        }
        assert!(desk.done(&format!("plan {options}")).contains("no changes"), "round {round}");
    }
}
