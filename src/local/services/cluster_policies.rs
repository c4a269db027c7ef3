//! Cluster policies.

use crate::local::answer::{Answer, Handled, Refusal};
use crate::local::core::visible;
use crate::local::exchange::Exchange;
use crate::local::routes::{Room, Source::Catalogue};
use crate::local::services::filling::default;
use crate::local::services::{Evidence, Habit, Rival, habit, permissions};
use crate::model::{Map, Value, json};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/api/2.0/policies/clusters"],
    &[
        (Catalogue("compute.cluster_policies.create"), create),
        (Catalogue("compute.cluster_policies.get"), get),
        (Catalogue("compute.cluster_policies.list"), list),
        (Catalogue("compute.cluster_policies.edit"), edit),
        (Catalogue("compute.cluster_policies.delete"), delete),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("cluster_policies", "an edit replaces the whole: what it leaves out is gone", Evidence::Sdk),
    habit("cluster_policies", "fills in creator_user_name, created_at_timestamp and is_default", Evidence::Sdk),
    habit("cluster_policies", "makes the definition of a policy from its family and the overrides", Evidence::Sdk),
    habit("cluster_policies", "refuses a definition beside a family", Evidence::Sdk),
    habit("cluster_policies", "refuses overrides without a family", Evidence::Unverified),
    habit("cluster_policies", "refuses names that are empty or longer than 100 characters, or taken, with 400", Evidence::Sdk),
    habit("cluster_policies", "keeps a definition that is JSON but no object; clusters of the policy are refused then", Evidence::Cli),
    habit("cluster_policies", "refuses a definition that is no JSON, and a limit below 1", Evidence::Unverified),
    habit("cluster_policies", "refuses clusters that break a rule: each broken one is told", Evidence::Issue),
    habit("cluster_policies", "puts fixed values into clusters, and defaults where apply_policy_default_values says so", Evidence::Sdk),
    habit("cluster_policies", "refuses clusters beyond max_clusters_per_user that are not terminated", Evidence::Sdk),
    habit("cluster_policies", "the one rule that each family is known by here", Evidence::Unverified),
    habit("cluster_policies", "shows a definition as it was sent", Evidence::Unverified),
    habit("cluster_policies", "a policy with neither rules nor a family gets empty ones", Evidence::Unverified),
    habit("cluster_policies", "gives nobody an entry of their own in a new policy's permissions", Evidence::Unverified),
    habit("cluster_policies", "answers 404 RESOURCE_DOES_NOT_EXIST for an absent one", Evidence::Unverified),
];

const POLICIES: &str = "cluster_policies";

/// Families, with the one rule by which each can be told from the others; the service's have many more.
const FAMILIES: [(&str, &str, &str); 4] = [
    ("job-cluster", "cluster_type", "job"),
    ("personal-vm", "cluster_type", "all-purpose"),
    ("power-user", "cluster_type", "all-purpose"),
    ("shared-compute", "cluster_type", "all-purpose"),
];

/// Rules out of a text.
fn rules(policy: &Map, field: &str) -> Result<Option<Map>, Refusal> {
    let Some(text) = policy.get(field).and_then(Value::as_str) else { return Ok(None) };
    match json::parse(text.as_bytes()) {
        Ok(Value::Map(rules)) => Ok(Some(rules)),
        // Accepted at this point; what uses the policy is refused.
        Ok(_) if field == "definition" => Ok(Some(Map::new())),
        _ => Err(Refusal::invalid(format!("Invalid policy: {field} must be a JSON object."))),
    }
}

fn written(mut rules: Map) -> Result<Value, Refusal> {
    rules.sort_keys();
    let text = json::write(&Value::Map(rules)).map_err(|error| Refusal::invalid(error.to_string()))?;
    Ok(Value::Text(text.replace("\":", "\": ")))
}

/// The definition, as it is kept.
fn defined(exchange: &Exchange<'_, '_>, policy: &Map) -> Result<Value, Refusal> {
    let (own, overrides) = (rules(policy, "definition")?, rules(policy, "policy_family_definition_overrides")?);
    match (policy.get("policy_family_id").and_then(Value::as_str), own, overrides) {
        (Some(_), Some(_), _) => Err(Refusal::invalid("Only one of definition and policy_family_id may be specified.")),
        (None, _, Some(_)) => Err(Refusal::invalid("policy_family_definition_overrides needs policy_family_id.")),
        (Some(family), None, overrides) => {
            let (_, rule, value) = FAMILIES
                .iter()
                .find(|(id, ..)| *id == family)
                .ok_or_else(|| Refusal::absent(format!("Can't find a policy family with id: {family}.")))?;
            let mut all = Map::new();
            all.insert((*rule).to_owned(), Value::map([("type", Value::from("fixed")), ("value", Value::from(*value))]));
            all.extend(overrides.unwrap_or_default());
            written(all)
        }
        (None, Some(own), None) if exchange.rival(Rival::PolicyRewritten) => written(own),
        (None, own, None) => Ok(policy.get("definition").filter(|_| own.is_some()).cloned().unwrap_or_else(|| "{}".into())),
    }
}

/// Checks a policy and makes its definition.
fn configured(exchange: &Exchange<'_, '_>, policy: &mut Map, but: Option<&str>) -> Result<(), Refusal> {
    let name = policy.get("name").map(Value::key_text).unwrap_or_default();
    if name.is_empty() || name.chars().count() > 100 {
        return Err(Refusal::invalid("Policy name must be between 1 and 100 characters."));
    }
    let holds = |other: &Value| other.get("name").and_then(Value::as_str) == Some(&name);
    if exchange.objects.all(POLICIES).any(|(id, other)| Some(id) != but && holds(other)) {
        return Err(Refusal::invalid(format!("Policy with name '{name}' already exists.")));
    }
    if policy.get("max_clusters_per_user").and_then(Value::as_i64).is_some_and(|most| most < 1) {
        return Err(Refusal::invalid("max_clusters_per_user must be greater than 0."));
    }
    let definition = defined(exchange, policy)?;
    policy.insert("definition".to_owned(), definition);
    default(policy, "is_default", false);
    Ok(())
}

fn create(exchange: &mut Exchange<'_, '_>) -> Handled {
    let mut policy = std::mem::take(&mut exchange.body);
    configured(exchange, &mut policy, None)?;
    let id = exchange.hex_id(POLICIES, 16).to_uppercase();
    policy.insert("policy_id".to_owned(), Value::text(&id));
    policy.insert("creator_user_name".to_owned(), Value::text(&exchange.caller.name));
    policy.insert("created_at_timestamp".to_owned(), Value::Int(exchange.now));
    exchange.objects.put(POLICIES, &id, Value::Map(policy));
    Ok(Answer::ok(Value::map([("policy_id", Value::Text(id))])))
}

fn stored(exchange: &Exchange<'_, '_>, id: &str) -> Result<Map, Refusal> {
    let found = exchange.objects.get(POLICIES, id);
    found.and_then(|policy| policy.as_map().cloned()).ok_or_else(|| Refusal::absent(format!("Can't find a cluster policy with id: {id}.")))
}

/// The policy that a body names.
fn named(exchange: &Exchange<'_, '_>) -> Result<(String, Map), Refusal> {
    let id = exchange.text("policy_id").unwrap_or_default().to_owned();
    stored(exchange, &id).map(|policy| (id, policy))
}

fn get(exchange: &mut Exchange<'_, '_>) -> Handled {
    stored(exchange, exchange.asked("policy_id").unwrap_or_default()).map(Answer::ok)
}

fn list(exchange: &mut Exchange<'_, '_>) -> Handled {
    let all: Vec<Value> = exchange.objects.all(POLICIES).map(|(_, policy)| visible(policy)).collect();
    Ok(Answer::ok(Value::map([("policies", Value::List(all))])))
}

fn edit(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, former) = named(exchange)?;
    let mut policy = std::mem::take(&mut exchange.body);
    configured(exchange, &mut policy, Some(&id))?;
    for name in ["policy_id", "creator_user_name", "created_at_timestamp"] {
        policy.extend(former.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    exchange.objects.put(POLICIES, &id, Value::Map(policy));
    Ok(Answer::empty())
}

fn delete(exchange: &mut Exchange<'_, '_>) -> Handled {
    let (id, _) = named(exchange)?;
    exchange.objects.remove(POLICIES, &id);
    permissions::died(exchange, "cluster-policies", &id);
    Ok(Answer::empty())
}
