//! One environment: where it is, what it extends, its variables with their origins, its guards.

use serde_json::{Value as Json, json};

use super::json::value as json_value;
use super::style::{Label, Paint, columns, pad};
use super::value::inline;
use crate::model::Value;
use crate::project::{Environment, Guards, Workspace};

/// What `env show` shows.
pub struct Shown<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// What it extends, the furthest ancestor first and itself last: name and file.
    pub chain: Vec<(String, String)>,
    /// Variables: name, value, where it comes from.
    pub variables: Vec<(String, Value, String)>,
    /// Where its state is.
    pub state_place: &'a str,
    /// Questions to the workspace.
    pub lookups: usize,
    /// `presets:` as they are written, merged over the chain: name, value, place.
    pub presets: Vec<(String, Value, String)>,
}

/// Its guards, those that are set.
fn guards(guards: &Guards) -> Vec<(&'static str, Json)> {
    let mut all = vec![];
    all.extend(guards.max_deletes.map(|n| ("max_deletes", json!(n))));
    all.extend(guards.max_change_percent.map(|n| ("max_change_percent", json!(n))));
    all.extend((!guards.protect.is_empty()).then(|| ("protect", json!(guards.protect))));
    all.extend(guards.block_conflicts.then(|| ("on_conflict", json!("block"))));
    all.extend(guards.require_clean_git.then(|| ("require_clean_git", json!(true))));
    all.extend(guards.ancestry.map(|on| ("ancestry", json!(on))));
    all
}

/// Attributes of the workspace: name, value, place.
fn attributes(environment: &Environment) -> Vec<(String, String, Option<String>)> {
    match &environment.workspace {
        Workspace::Local => vec![],
        Workspace::Remote(attributes) => attributes
            .iter()
            .map(|(name, (value, span))| (name.clone(), value.clone(), span.as_ref().map(super::super::diagnostic::Span::cite)))
            .collect(),
    }
}

/// For a person.
#[must_use]
pub fn text(shown: &Shown<'_>, paint: Paint) -> String {
    let environment = shown.environment;
    let mut out = paint.label(Label::Heading, &environment.name);
    out.push('\n');
    let attributes = attributes(environment);
    let place = match &environment.workspace {
        Workspace::Local => "local: the embedded one",
        Workspace::Remote(_) if attributes.is_empty() => "as `--profile` and the process environment say",
        Workspace::Remote(_) => "",
    };
    let mut rows: Vec<(&str, String, String)> = vec![];
    if !place.is_empty() {
        rows.push(("workspace", place.to_owned(), String::new()));
    }
    for (i, (name, value, place)) in attributes.iter().enumerate() {
        rows.push((if i == 0 { "workspace" } else { "" }, format!("{name} {value}"), place.clone().unwrap_or_default()));
    }
    rows.extend(environment.deployer.clone().map(|d| ("deployer", d, String::new())));
    for (i, (name, file)) in shown.chain.iter().rev().enumerate() {
        rows.push((if i == 0 { "files" } else { "" }, if i == 0 { name.clone() } else { format!("extends {name}") }, file.clone()));
    }
    let key = if environment.state.key.is_some() { ", fingerprints of secrets keyed" } else { "" };
    rows.push(("state", format!("{}{key}", shown.state_place), String::new()));
    for (i, (name, value)) in guards(&environment.guards).into_iter().enumerate() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        rows.push((if i == 0 { "guards" } else { "" }, format!("{name}: {value}"), String::new()));
    }
    for (i, (name, value, place)) in shown.presets.iter().enumerate() {
        rows.push((if i == 0 { "presets" } else { "" }, format!("{name}: {}", inline(value)), place.clone()));
    }
    if shown.lookups > 0 {
        rows.push(("lookups", format!("{}, answered by the workspace", shown.lookups), String::new()));
    }
    let wide = rows.iter().map(|(_, v, _)| columns(v)).max().unwrap_or(0);
    for (what, value, place) in rows {
        let line = format!("  {}  {}  {}", pad(what, 10), pad(&value, wide), paint.label(Label::Dim, &place));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if shown.variables.is_empty() {
        return out;
    }
    out.push_str("\nvariables:\n");
    let wide = shown.variables.iter().map(|(n, _, _)| columns(n)).max().unwrap_or(0);
    let values: Vec<String> = shown.variables.iter().map(|(_, v, _)| inline(v)).collect();
    let value_wide = values.iter().map(|v| columns(v)).max().unwrap_or(0).min(48);
    for ((name, _, origin), value) in shown.variables.iter().zip(&values) {
        let line = format!("  {} = {}  {}", pad(name, wide), pad(value, value_wide), paint.label(Label::Dim, origin));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// For a program.
#[must_use]
pub fn json(shown: &Shown<'_>) -> String {
    let environment = shown.environment;
    let workspace = match &environment.workspace {
        Workspace::Local => json!("local"),
        Workspace::Remote(_) => {
            let all = attributes(environment).into_iter().map(|(name, value, place)| (name, json!({ "value": value, "place": place })));
            Json::Object(all.collect())
        }
    };
    let variables: serde_json::Map<String, Json> = shown
        .variables
        .iter()
        .map(|(name, value, origin)| (name.clone(), json!({ "value": json_value(value), "origin": origin })))
        .collect();
    let presets: serde_json::Map<String, Json> =
        shown.presets.iter().map(|(name, value, place)| (name.clone(), json!({ "value": json_value(value), "place": place }))).collect();
    format!(
        "{:#}\n",
        json!({
            "environment": environment.name,
            "workspace": workspace,
            "deployer": environment.deployer,
            "files": shown.chain.iter().map(|(name, file)| json!({ "environment": name, "file": file })).collect::<Vec<_>>(),
            "state": { "place": shown.state_place, "keyed": environment.state.key.is_some() },
            "guards": guards(&environment.guards).into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            "presets": presets,
            "variables": variables,
            "lookups": shown.lookups,
        })
    )
}
