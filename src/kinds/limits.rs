//! Limits that the API sets on values and says in words only: reported at their line before anything is sent.

use super::{Fact, Kind, Path, Refusal, Step, Value};
use crate::model::json;

fn refusal(path: Path, reason: impl Into<String>) -> Refusal {
    Refusal { path, reason: reason.into() }
}

/// The text of a field, where it is known.
fn text<'a>(body: &'a Value, field: &str) -> Option<&'a str> {
    body.get(field)?.as_str()
}

/// Names of Unity Catalog's objects: at most 255 characters, no period, slash, space or control character (the
/// reference's page on names).
pub(super) fn catalog_object(body: &Value) -> Vec<Refusal> {
    let Some(name) = text(body, "name") else { return vec![] };
    let bad = name.chars().find(|c| matches!(c, '.' | '/' | ' ') || c.is_ascii_control());
    let reason = match bad {
        Some('.') => "a name holds no period: it separates catalog, schema and object".to_owned(),
        Some(' ') => "a name holds no space".to_owned(),
        Some(c) => format!("a name holds no `{}`", c.escape_default()),
        None if name.chars().count() > 255 => format!("a name has at most 255 characters, and this one has {}", name.chars().count()),
        None => return vec![],
    };
    vec![refusal(Path::field("name"), reason)]
}

/// Paths of the workspace begin at its root, and nothing can be made of the root itself.
pub(super) fn workspace_path(body: &Value) -> Vec<Refusal> {
    let Some(path) = text(body, "path") else { return vec![] };
    let reason = if !path.starts_with('/') {
        format!("a path of the workspace begins with a slash: `/Workspace/Shared/{path}`")
    } else if super::plain_path(path) == "/" {
        "this is the root of the workspace".to_owned()
    } else {
        return vec![];
    };
    vec![refusal(Path::field("path"), reason)]
}

/// Paths of the workspace that lead through `.` or `..`, with the plain path.
#[must_use]
pub fn roundabout(kind: &Kind, body: &Value) -> Vec<Refusal> {
    let fields = kind.facts.iter().filter(|(at, fact)| matches!(fact, Fact::WorkspacePath) && !at.starts_with('@')).map(|(at, _)| *at);
    let told = |field: &str| {
        let path = text(body, field)?;
        if !path.starts_with('/') || !path.split('/').any(|part| matches!(part, "." | "..")) {
            return None;
        }
        let mut parts = Some(Vec::new());
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => parts = parts.and_then(|mut parts| parts.pop().map(|_| parts)),
                part => parts.iter_mut().for_each(|parts| parts.push(part)),
            }
        }
        let plain = parts.filter(|parts| !parts.is_empty()).map(|parts| format!("/{}", parts.join("/")));
        let remedy = plain.map(|plain| format!(": write `{plain}`")).unwrap_or_default();
        Some(refusal(Path::field(field), format!("a path of the workspace is written out, without `.` and `..`{remedy}")))
    };
    fields.filter_map(told).collect()
}

/// Names of secrets and their scopes: at most 128 letters, digits, dashes, underscores, `@` and periods (the reference).
pub(super) fn secret_name(body: &Value, field: &str) -> Option<Refusal> {
    let name = text(body, field)?;
    let bad = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@')));
    let reason = match bad {
        Some(c) => format!("a name here holds letters, digits, dashes, underscores, `@` and periods, and no `{}`", c.escape_default()),
        None if name.is_empty() => "the name is empty".to_owned(),
        None if name.len() > 128 => format!("a name has at most 128 characters, and this one has {}", name.len()),
        None => return None,
    };
    Some(refusal(Path::field(field), reason))
}

/// The sizes of SQL warehouses, as the API spells them (the SDK's text of `cluster_size`).
const WAREHOUSE_SIZES: [&str; 10] =
    ["2X-Small", "X-Small", "Small", "Medium", "Large", "X-Large", "2X-Large", "3X-Large", "4X-Large", "5X-Large"];

/// SQL warehouses (the SDK's texts): names below 100 characters; a size that there is; no stop, or one after ten minutes at
/// the earliest. Serverless ones may stop earlier.
pub(super) fn warehouse(body: &Value) -> Vec<Refusal> {
    let mut found = vec![];
    if let Some(length) = text(body, "name").map(|name| name.chars().count()).filter(|length| *length > 100) {
        found.push(refusal(Path::field("name"), format!("a warehouse's name has at most 100 characters, and this one has {length}")));
    }
    if let Some(size) = text(body, "cluster_size").filter(|size| !WAREHOUSE_SIZES.contains(size)) {
        let near = crate::diagnostic::suggest::nearest(size, WAREHOUSE_SIZES);
        let meant = near.map_or_else(|| format!("there are {}", WAREHOUSE_SIZES.join(", ")), |near| format!("did you mean `{near}`?"));
        found.push(refusal(Path::field("cluster_size"), format!("there is no size `{size}`: {meant}")));
    }
    let serverless = body.get("enable_serverless_compute").is_some_and(|v| v.as_bool() != Some(false));
    if let Some(minutes) = body.get("auto_stop_mins").and_then(Value::as_i64)
        && !(minutes == 0 || minutes >= if serverless { 1 } else { 10 })
    {
        let reason = format!("{minutes} is too few: 0 (never stops), or at least 10; serverless warehouses may stop earlier");
        found.push(refusal(Path::field("auto_stop_mins"), reason));
    }
    found
}

/// Cluster policies (the SDK's texts): names of 1 to 100 characters, a limit above zero; the rules are a JSON object, either
/// one's own or a family's with overrides.
pub(super) fn cluster_policy(body: &Value) -> Vec<Refusal> {
    let given = |field: &str| body.get(field).is_some_and(|value| *value != Value::Null);
    let mut found = Vec::new();
    if let Some(length) = text(body, "name").map(|name| name.chars().count()).filter(|n| !(1..=100).contains(n)) {
        found.push(refusal(Path::field("name"), format!("a policy's name has 1 to 100 characters, and this one has {length}")));
    }
    if body.get("max_clusters_per_user").and_then(Value::as_i64).is_some_and(|most| most < 1) {
        let reason = "the limit must be at least 1; for a policy without a limit leave `max_clusters_per_user` out";
        found.push(refusal(Path::field("max_clusters_per_user"), reason));
    }
    for field in ["definition", "policy_family_definition_overrides"] {
        found.extend(body.get(field).and_then(no_rules).map(|reason| refusal(Path::field(field), reason)));
    }
    if given("definition") && given("policy_family_id") {
        let reason = "a policy of a family takes its rules from there: write what differs under \
                      `policy_family_definition_overrides`, or take `policy_family_id` away";
        found.push(refusal(Path::field("definition"), reason));
    } else if given("policy_family_definition_overrides") && !given("policy_family_id") {
        let reason = "there is nothing to override without `policy_family_id`: name the family, or write the rules under `definition`";
        found.push(refusal(Path::field("policy_family_definition_overrides"), reason));
    }
    found
}

/// Why a value is no policy's rules; none where it is, or is not known yet.
fn no_rules(value: &Value) -> Option<String> {
    match value {
        Value::List(_) => Some("the rules must be a map, not a list".to_owned()),
        Value::Text(rules) => match json::parse(rules.as_bytes()) {
            Ok(Value::Map(_)) => None,
            Ok(other) => Some(format!("the rules must be a JSON object, and this text holds {}", other.sort())),
            Err(error) => Some(format!("the rules must be JSON, and this text is not: {error}; they may also be written as a YAML map")),
        },
        _ => None,
    }
}

/// Jobs (the SDK's texts): a name of 4096 bytes, 1000 tasks, 25 tags of which one is the ownership tag; and tasks depend on
/// tasks that there are.
pub(super) fn job(body: &Value) -> Vec<Refusal> {
    let mut found = vec![];
    if let Some(length) = text(body, "name").map(str::len).filter(|length| *length > 4096) {
        found.push(refusal(Path::field("name"), format!("a job's name has at most 4096 bytes, and this one has {length}")));
    }
    if let Some(count) = body.get("tags").and_then(Value::as_map).map(|tags| tags.len()).filter(|count| *count > 24) {
        let reason = format!("a job has at most 25 tags, and one of them is Brickform's own: 24 may be written, these are {count}");
        found.push(refusal(Path::field("tags"), reason));
    }
    let tasks = body.get("tasks").and_then(Value::as_list).unwrap_or_default();
    if tasks.len() > 1000 {
        found.push(refusal(Path::field("tasks"), format!("a job has at most 1000 tasks, and these are {}", tasks.len())));
    }
    found.extend(unknown_tasks(tasks));
    found
}

fn unknown_tasks(tasks: &[Value]) -> Vec<Refusal> {
    let keys: Option<Vec<&str>> = tasks.iter().map(|task| text(task, "task_key")).collect();
    // Where a key is known later, so is what depends on it.
    let Some(keys) = keys else { return vec![] };
    let mut found = vec![];
    for (i, task) in tasks.iter().enumerate() {
        for (j, needed) in task.get("depends_on").and_then(Value::as_list).unwrap_or_default().iter().enumerate() {
            let Some(key) = text(needed, "task_key").filter(|key| !keys.contains(key)) else { continue };
            let path = Path::field("tasks").join(Step::Index(i)).join(Step::Field("depends_on".to_owned())).join(Step::Index(j));
            let near = crate::diagnostic::suggest::nearest(key, keys.iter().copied());
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            found.push(refusal(path.join(Step::Field("task_key".to_owned())), format!("the job has no task `{key}`{near}")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    type Check = fn(&Value) -> Vec<Refusal>;

    type Case = (Check, String, &'static [(&'static str, &'static str)]);

    #[test]
    fn what_the_api_would_refuse_is_refused() {
        let long = "x".repeat(5000);
        let tags = (0..25).map(|n| format!(r#""t{n}":"""#)).collect::<Vec<_>>().join(",");
        let cases: Vec<Case> = vec![
            (catalog_object, r#"{"name":"main"}"#.to_owned(), &[]),
            (catalog_object, r#"{"name":"a.b"}"#.to_owned(), &[("name", "no period")]),
            (catalog_object, r#"{"name":"a b"}"#.to_owned(), &[("name", "no space")]),
            (catalog_object, r#"{"name":"a/b"}"#.to_owned(), &[("name", "no `/`")]),
            (catalog_object, format!(r#"{{"name":"{long}"}}"#), &[("name", "at most 255")]),
            (warehouse, r#"{"name":"w","auto_stop_mins":0}"#.to_owned(), &[]),
            (warehouse, r#"{"name":"w","auto_stop_mins":10,"cluster_size":"5X-Large"}"#.to_owned(), &[]),
            (
                warehouse,
                r#"{"name":"w","cluster_size":"Huge"}"#.to_owned(),
                &[("cluster_size", "there is no size `Huge`: there are 2X-Small,")],
            ),
            (warehouse, r#"{"name":"w","cluster_size":"x-small"}"#.to_owned(), &[("cluster_size", "did you mean `X-Small`?")]),
            (warehouse, r#"{"name":"w","auto_stop_mins":5}"#.to_owned(), &[("auto_stop_mins", "5 is too few")]),
            (warehouse, r#"{"name":"w","auto_stop_mins":5,"enable_serverless_compute":true}"#.to_owned(), &[]),
            (warehouse, format!(r#"{{"name":"{long}"}}"#), &[("name", "at most 100")]),
            (cluster_policy, r#"{"name":"p","definition":{"a":{"type":"fixed"}},"max_clusters_per_user":1}"#.to_owned(), &[]),
            (cluster_policy, r#"{"name":"p","definition":" {} "}"#.to_owned(), &[]),
            (
                cluster_policy,
                r#"{"name":"","max_clusters_per_user":0}"#.to_owned(),
                &[("name", "has 0"), ("max_clusters_per_user", "at least 1")],
            ),
            (cluster_policy, r#"{"name":"p","definition":"{"}"#.to_owned(), &[("definition", "must be JSON")]),
            (cluster_policy, r#"{"name":"p","definition":"[]"}"#.to_owned(), &[("definition", "must be a JSON object")]),
            (cluster_policy, r#"{"name":"p","definition":[]}"#.to_owned(), &[("definition", "not a list")]),
            (cluster_policy, r#"{"definition":{},"policy_family_id":"f"}"#.to_owned(), &[("definition", "a policy of a family")]),
            (
                cluster_policy,
                r#"{"policy_family_definition_overrides":{}}"#.to_owned(),
                &[("policy_family_definition_overrides", "nothing to override")],
            ),
            (job, r#"{"name":"j","tasks":[{"task_key":"a"},{"task_key":"b","depends_on":[{"task_key":"a"}]}]}"#.to_owned(), &[]),
            (
                job,
                r#"{"tasks":[{"task_key":"load"},{"task_key":"b","depends_on":[{"task_key":"laod"}]}]}"#.to_owned(),
                &[("tasks[1].depends_on[0].task_key", "no task `laod`; did you mean `load`?")],
            ),
            (job, format!(r#"{{"name":"{long}"}}"#), &[("name", "at most 4096")]),
            (job, format!(r#"{{"tags":{{{tags}}}}}"#), &[("tags", "24 may be written")]),
        ];
        for (check, body, want) in cases {
            let found = check(&json::parse(body.as_bytes()).unwrap());
            assert_eq!(found.len(), want.len(), "{body}: {:?}", found.iter().map(|r| &r.reason).collect::<Vec<_>>());
            for (refusal, (path, reason)) in found.iter().zip(want) {
                assert!(refusal.path.to_string() == *path && refusal.reason.contains(reason), "{} {}", refusal.path, refusal.reason);
            }
        }
    }
}
