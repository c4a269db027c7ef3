//! Spaces by either of their two APIs: which one is used, and that everything stays as it is when it is the other.

use brickform::plan::Options;
use brickform::state::Store as _;

use super::laws::done;
use super::world::{Ran, Sent, World};

const SPACE: &str = "
spaces:
  sales:
    title: Sales
    warehouse_id: \"475b94ddc7cd5211\"
    tables: [samples.nyctaxi.trips, { identifier: samples.tpch.orders, columns: [o_orderkey] }]
    metric_views: [samples.tpch.customer]
    instructions:
      text: Round money to cents.
      example_sql: [{ question: How many?, sql: SELECT 1 }]
      joins: [{ left: samples.tpch.orders, right: samples.tpch.customer, condition: orders.o_custkey = customer.c_custkey, relationship: MANY_TO_ONE }]
    sample_questions: [b, a]
    benchmarks: [{ question: one, sql: SELECT 1 }, { question: two, sql: SELECT 2 }]
    permissions: { mode: additive, entries: [{ group_name: users, permission_level: CAN_RUN }] }
";

pub fn environment(world: &World, api: &str) {
    world.write(
        "environments/test.yaml",
        &format!("workspace: {{ local: true, genie_api: {api} }}\nstate: {{ key: {{ env: LAWS_SECRET }} }}\n"),
    );
}

fn made(rivals: &[&str], conf: &str) -> World {
    let world = World::new(rivals);
    world.write("conf/a.yaml", conf);
    world
}

fn asked<'r>(ran: &'r Ran, path: &str) -> Vec<&'r Sent> {
    ran.planning.iter().chain(&ran.applying).filter(|sent| sent.request.path.starts_with(path)).collect()
}

const SPACES: &str = "/api/2.0/genie/spaces";
const AGENTS: &str = "/api/2.0/genie/agents";

#[tokio::test]
async fn nobody_says_which_and_the_workspace_has_both() {
    let world = made(&[], SPACE);
    let ran = world.run(&Options::default()).await;
    done(&ran, "applied");
    assert!(asked(&ran, AGENTS).is_empty(), "{}", ran.told());
    // No request more than where only one API is known: the list, before the create.
    assert_eq!(ran.planning.iter().filter(|sent| sent.request.path.starts_with(SPACES)).count(), 1, "{}", ran.told());
}

#[tokio::test]
async fn a_workspace_without_the_spaces_api_is_asked_by_the_other() {
    let world = made(&["genie-spaces-absent"], SPACE);
    let ran = world.run(&Options::default()).await;
    done(&ran, "applied");
    assert_eq!(asked(&ran, SPACES).len(), 1, "{}", ran.told());
    assert!(ran.writes().iter().any(|line| line.starts_with("POST /api/2.0/genie/agents?genie_agent_id=")), "{}", ran.told());
    let again = world.run(&Options::default()).await;
    assert!(again.is_empty(), "{}", again.told());
    assert_eq!((asked(&again, SPACES).len(), asked(&again, AGENTS).len()), (1, 1), "{}", again.told());
    world.write("conf/a.yaml", "{}\n");
    let gone = world.run(&Options { allow_delete: vec!["spaces".to_owned()], ..Options::default() }).await;
    done(&gone, "deleted");
    assert!(gone.writes().iter().any(|line| line.starts_with("DELETE /api/2.0/genie/agents/")), "{}", gone.told());
}

#[tokio::test]
async fn an_environment_that_names_an_api_is_not_second_guessed() {
    for (rival, api, absent) in [("genie-spaces-absent", "spaces", SPACES), ("genie-agents-absent", "agents", AGENTS)] {
        let world = made(&[rival], SPACE);
        environment(&world, api);
        let ran = world.run(&Options::default()).await;
        assert!(ran.writes().is_empty() && ran.plan.as_ref().is_some_and(brickform::plan::Plan::is_blocked), "{}", ran.told());
        assert!(!asked(&ran, absent).is_empty() && ran.told().contains("ENDPOINT_NOT_FOUND"), "{}", ran.told());
    }
}

#[tokio::test]
async fn an_environment_that_changes_its_mind_changes_nothing() {
    let world = made(&[], SPACE);
    for api in ["spaces", "agents", "auto", "agents"] {
        environment(&world, api);
        let ran = world.run(&Options::default()).await;
        if api == "spaces" {
            done(&ran, "applied");
            continue;
        }
        assert!(ran.is_empty(), "{api}\n{}", ran.told());
        let unasked = if api == "agents" { SPACES } else { AGENTS };
        assert!(asked(&ran, unasked).is_empty(), "{api}\n{}", ran.told());
    }
    // Nor where it was made by the other one.
    let world = made(&[], SPACE);
    for api in ["agents", "spaces"] {
        environment(&world, api);
        let ran = world.run(&Options::default()).await;
        assert_eq!(ran.is_empty(), api == "spaces", "{api}\n{}", ran.told());
    }
    // An edit goes by the one that is used now.
    world.write("conf/a.yaml", &SPACE.replace("SELECT 2", "SELECT 3"));
    environment(&world, "agents");
    let ran = world.run(&Options::default()).await;
    done(&ran, "changed");
    assert!(ran.writes().iter().all(|line| line.starts_with("PATCH /api/2.0/genie/agents/")), "{}", ran.told());
}

/// "Genie agents" is a word for spaces wherever a kind is named.
#[tokio::test]
async fn genie_agents_are_spaces() {
    let world = made(&[], "");
    world
        .by_hand("POST /api/2.0/genie/spaces {\"title\":\"Old\",\"warehouse_id\":\"w\",\"serialized_space\":\"{\\\"version\\\":2}\"}")
        .await;
    world
        .by_hand("POST /api/2.0/genie/spaces {\"title\":\"Other\",\"warehouse_id\":\"w\",\"serialized_space\":\"{\\\"version\\\":2}\"}")
        .await;
    let id = |world: &World, title: &str| {
        let dump = world.workspace.dump();
        let found = dump.iter().find(|(key, v)| key.starts_with("genie_spaces/") && v.get("title").and_then(|t| t.as_str()) == Some(title));
        found.expect("it is there").0.trim_start_matches("genie_spaces/").to_owned()
    };
    let old = id(&world, "Old");
    world.write(
        "conf/a.yaml",
        &format!(
            "genie_agents:
  - {{ genie_agent_id: listed, title: Listed, warehouse_id: w, description: \"after ${{genie_agents.kept.id}} and ${{lookup('genie_agents', 'Other').id}}\" }}
  - {{ genie_agent_id: kept, display_name: Old, warehouse_id: w }}
import: [{{ to: genie_agents.kept, id: \"{old}\" }}]
permissions:
  of_kept: {{ object_type: genie_agents, object_id: \"${{genie_agents.kept.id}}\", mode: additive, entries: [{{ group_name: users, permission_level: CAN_RUN }}] }}
"
        ),
    );
    let ran = world.run(&Options::default()).await;
    done(&ran, "applied");
    let state = world.store().load().expect("it can be read").expect("it is there");
    let addresses: Vec<String> = state.resources.keys().map(ToString::to_string).collect();
    assert_eq!(addresses, ["permissions.of_kept", "spaces.kept", "spaces.listed"]);
    let listed = state.resources.iter().find(|(a, _)| a.to_string() == "spaces.listed").expect("it is there").1;
    assert_eq!(
        listed.applied.get("description").and_then(|d| d.as_str()),
        Some(format!("after {old} and {}", id(&world, "Other")).as_str())
    );
    assert!(ran.writes().iter().any(|line| line.starts_with(&format!("PATCH /api/2.0/permissions/genie/{old} "))), "{}", ran.told());
    // A rename, said with either word.
    world.write(
        "conf/a.yaml",
        "genie_agents:
  kept: { title: Old, warehouse_id: w, depends_on: [genie_agents.renamed] }
  renamed: { title: Listed, warehouse_id: w }
moved: [{ from: genie_agents.listed, to: spaces.renamed }]
forget: [permissions.of_kept]
",
    );
    let ran = world.run(&Options::default()).await;
    done(&ran, "moved");
    assert!(ran.writes().iter().all(|line| line.starts_with("PATCH ")), "{}", ran.told());
}
