//! What a cluster policy makes of a specification: values that it fixes, defaults, and what it forbids.
//!
//! Rules as the reference of policies has them: `fixed`, `forbidden`, `allowlist`, `blocklist`, `regex`, `range`, `unlimited`; a
//! path is a member, `spark_conf.NAME`, `custom_tags.NAME` and the like. Rules over list items (`init_scripts.*`) and of
//! virtual attributes (`dbus_per_hour`, `cluster_type`) are not worked out here.

use crate::local::answer::Refusal;
use crate::local::exchange::Exchange;
use crate::model::{Map, Value, json};

/// Maps whose members may have dots in their names.
const FREE: [&str; 3] = ["spark_conf", "custom_tags", "spark_env_vars"];

/// The specification with what its policy fixes, and with its defaults where they were asked for.
///
/// # Errors
/// 400: there is no such policy, it is malformed, or the specification breaks one of its rules.
pub fn applied(exchange: &Exchange<'_, '_>, mut spec: Map, cluster: &str) -> Result<Map, Refusal> {
    let Some(id) = spec.get("policy_id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned) else { return Ok(spec) };
    let Some(policy) = exchange.objects.get("cluster_policies", &id) else {
        return Err(Refusal::invalid(format!("Can't find a cluster policy with id: {id}.")));
    };
    let text = policy.get("definition").and_then(Value::as_str).unwrap_or("{}");
    let Ok(Value::Map(rules)) = json::parse(text.as_bytes()) else {
        let message = format!("Requests for the policy {id} cannot be satisfied due to the malformed policy definition.");
        return Err(Refusal::invalid(format!("{message} Please contact your administrator to correct the policy definition.")));
    };
    let mut broken = Vec::new();
    let wanted = spec.get("apply_policy_default_values").and_then(Value::as_bool) == Some(true);
    for (path, rule) in &rules {
        let Some(rule) = rule.as_map() else { continue };
        if at(&spec, path).is_none() {
            let fixed = rule.get("value").filter(|_| sort(rule) == "fixed");
            let default = rule.get("defaultValue").filter(|_| wanted);
            if let Some(value) = fixed.or(default) {
                put(&mut spec, path, value.clone());
            } else if sort(rule) != "forbidden" && is_needed(rule) {
                broken.push(format!("{} must be present", named(path)));
            }
        }
        if let Some(value) = at(&spec, path) {
            let given = value.key_text();
            broken.extend(follows(rule, value).err().map(|must| format!("{} {must} (is \"{given}\")", named(path))));
        }
    }
    if !broken.is_empty() {
        return Err(Refusal::invalid(broken.join("; ")));
    }
    if let Some(most) = policy.get("max_clusters_per_user").and_then(Value::as_i64) {
        let mine = |other: &Value| {
            let text = |name: &str| other.get(name).and_then(Value::as_str).unwrap_or_default();
            text("policy_id") == id && text("creator_user_name") == exchange.caller.name && text("state") != "TERMINATED"
        };
        let active = exchange.objects.all("clusters").filter(|(other, value)| *other != cluster && mine(value)).count();
        if i64::try_from(active).is_ok_and(|active| active >= most) {
            let message = format!("The number of active clusters with the policy {id} is limited to {most} for each user.");
            return Err(Refusal::new(400, "QUOTA_EXCEEDED", message));
        }
    }
    Ok(spec)
}

/// A member as refusals name it.
fn named(path: &str) -> String {
    match path.split_once('.') {
        Some((map, member)) if FREE.contains(&map) => format!("Validation failed for {map}, {member}"),
        _ => format!("Validation failed for {path}, the value"),
    }
}

fn sort(rule: &Map) -> &str {
    rule.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// A limiting rule wants a value unless it says that there need be none.
fn is_needed(rule: &Map) -> bool {
    let optional = rule.get("isOptional").and_then(Value::as_bool);
    let limits = matches!(sort(rule), "allowlist" | "range" | "regex");
    // A default that is not taken still says that the value may be left out.
    limits && optional != Some(true) && !rule.contains_key("defaultValue")
}

/// The steps of a path: a member of a free map keeps its dots.
fn steps(path: &str) -> Vec<&str> {
    match path.split_once('.') {
        Some((first, rest)) if FREE.contains(&first) => vec![first, rest],
        _ => path.split('.').collect(),
    }
}

fn at<'a>(spec: &'a Map, path: &str) -> Option<&'a Value> {
    let mut steps = steps(path).into_iter();
    let first = spec.get(steps.next()?)?;
    steps.try_fold(first, |value, step| value.get(step))
}

fn put(spec: &mut Map, path: &str, value: Value) {
    let steps = steps(path);
    let Some((last, before)) = steps.split_last() else { return };
    let mut map = spec;
    for step in before {
        let inner = map.entry((*step).to_owned()).or_insert_with(|| Value::Map(Map::new()));
        let Some(inner) = inner.as_map_mut() else { return };
        map = inner;
    }
    map.insert((*last).to_owned(), value);
}

/// What the value must be, where it is not.
fn follows(rule: &Map, value: &Value) -> Result<(), String> {
    let same = |other: &Value| other.key_text() == value.key_text();
    let values = rule.get("values").and_then(Value::as_list).unwrap_or_default();
    let list = || values.iter().map(Value::key_text).collect::<Vec<_>>().join(", ");
    let refuse = |is_wrong: bool, must: String| if is_wrong { Err(must) } else { Ok(()) };
    match sort(rule) {
        "fixed" => {
            let wanted = rule.get("value").cloned().unwrap_or(Value::Null);
            refuse(!same(&wanted), format!("must be {}", wanted.key_text()))
        }
        "forbidden" => Err("must not be present".to_owned()),
        "allowlist" => refuse(!values.iter().any(same), format!("must be one of {}", list())),
        "blocklist" => refuse(values.iter().any(same), format!("must not be one of {}", list())),
        "range" => {
            let bound = |name: &str| rule.get(name).and_then(Value::as_i64);
            let Some(given) = value.as_i64() else { return Err("must be a number".to_owned()) };
            match (bound("minValue"), bound("maxValue")) {
                (Some(least), _) if given < least => Err(format!("must be at least {least}")),
                (_, Some(most)) if given > most => Err(format!("must not be greater than {most}")),
                _ => Ok(()),
            }
        }
        "regex" => {
            let pattern = rule.get("pattern").map(Value::key_text).unwrap_or_default();
            let matches = regex_lite::Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(&value.key_text()));
            refuse(!matches, format!("must match the pattern {pattern}"))
        }
        _ => Ok(()),
    }
}
