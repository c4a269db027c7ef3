//! One environment: where it is, what it extends, its variables with their origins, its guards.

use serde_json::{Value as Json, json};

use super::json::value as json_value;
use super::style::{Label, Paint, columns, pad};
use super::value::{inline, masked_in};
use crate::model::Value;
use crate::model::url::{masked, masked_host};
use crate::project::{Environment, Guards, Workspace};

/// The format of the JSON; changes only when a reader of the old one would be misled.
pub const FORMAT: &str = "brickform.environment/1";

/// What `env show` shows.
pub struct Shown<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// What it extends, the furthest ancestor first and itself last: name and file.
    pub chain: Vec<(String, String)>,
    /// Variables: name, value, where it comes from.
    pub variables: Vec<(String, Value, String)>,
    /// By which of two APIs kinds are asked that have two: `genie_api`, `agents`.
    pub apis: Vec<(&'static str, &'static str)>,
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
    all.extend(guards.preflight.then(|| ("preflight", json!(true))));
    all.extend(guards.ancestry.map(|on| ("ancestry", json!(on))));
    all
}

/// Attributes of the workspace: name, value, place.
fn attributes(environment: &Environment) -> Vec<(String, String, Option<String>)> {
    match &environment.workspace {
        Workspace::Local => vec![],
        Workspace::Remote(attributes) => attributes
            .iter()
            .map(|(name, (value, span))| {
                (name.clone(), masked_host(value).into_owned(), span.as_ref().map(super::super::diagnostic::Span::cite))
            })
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
    // That the workspace is to say is what holds where nothing is said.
    for (setting, word) in shown.apis.iter().filter(|(_, word)| *word != "auto") {
        rows.push((setting, (*word).to_owned(), String::new()));
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
    let values: Vec<String> = shown.variables.iter().map(|(_, v, _)| masked(&inline(v)).into_owned()).collect();
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
        .map(|(name, value, origin)| (name.clone(), json!({ "value": json_value(&masked_in(value)), "origin": origin })))
        .collect();
    let presets: serde_json::Map<String, Json> =
        shown.presets.iter().map(|(name, value, place)| (name.clone(), json!({ "value": json_value(value), "place": place }))).collect();
    format!(
        "{:#}\n",
        json!({
            "format": FORMAT,
            "environment": environment.name,
            "workspace": workspace,
            "apis": shown.apis.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::StateKey;
    use crate::project::StateSettings;

    fn environment(attributes: Option<&[(&str, &str)]>) -> Environment {
        let remote = |list: &[(&str, &str)]| list.iter().map(|(k, v)| ((*k).to_owned(), ((*v).to_owned(), None))).collect();
        Environment {
            name: "prod".to_owned(),
            workspace: attributes.map_or(Workspace::Local, |list| Workspace::Remote(remote(list))),
            deployer: Some("sp-release".to_owned()),
            state: StateSettings { key: Some(StateKey::new(b"k")), ..StateSettings::default() },
            guards: Guards { max_deletes: Some(5), protect: vec!["catalogs".to_owned()], require_clean_git: true, ..Guards::default() },
            ownership_tag: true,
            span: None,
            added: BTreeMap::new(),
        }
    }

    fn shown<'a>(environment: &'a Environment, state_place: &'a str) -> Shown<'a> {
        let of = |name: &str, value: &str, place: &str| (name.to_owned(), Value::text(value), place.to_owned());
        Shown {
            environment,
            chain: vec![
                ("_base".to_owned(), "environments/_base.yaml".to_owned()),
                ("prod".to_owned(), "environments/prod.yaml".to_owned()),
            ],
            variables: vec![
                of("catalog", "main", "environments/prod.yaml:4"),
                of("hook", "https://u:hunter2@h.net/x?sig=hunter2", "--var"),
            ],
            apis: vec![("genie_api", "agents"), ("other_api", "auto")],
            state_place,
            lookups: 2,
            presets: vec![of("name_prefix", "p-", "environments/prod.yaml:9")],
        }
    }

    #[test]
    fn where_it_is_in_a_few_words() {
        for (attributes, first) in [
            (None, "  workspace   local: the embedded one"),
            (Some(&[][..]), "  workspace   as `--profile` and the process environment say"),
            (Some(&[("profile", "PROD")]), "  workspace   profile PROD"),
            (Some(&[("host", "https://x.net")]), "  workspace   host https://x.net"),
            (Some(&[("host", "https://ana:hunter2@x.net")]), "  workspace   host https://(sensitive)@x.net"),
            (Some(&[("host", "ana:hunter2@x.net")]), "  workspace   host (sensitive)@x.net"),
        ] {
            let environment = environment(attributes);
            let text = text(&shown(&environment, "s3://acme/bf"), Paint { colour: false });
            assert_eq!(text.lines().nth(1).map(str::trim_end), Some(first), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn everything_that_is_said() {
        let environment = environment(None);
        let told = text(&shown(&environment, ".brickform/state/prod.json"), Paint { colour: false });
        for line in [
            "genie_api   agents",
            "deployer    sp-release",
            "files       prod",
            "extends _base",
            "state       .brickform/state/prod.json, fingerprints of secrets keyed",
            "guards      max_deletes: 5",
            "protect: [\"catalogs\"]",
            "require_clean_git: true",
            "presets     name_prefix: \"p-\"",
            "lookups     2, answered by the workspace",
            "catalog = \"main\"",
            "https://(sensitive)@h.net/x?sig=(sensitive)",
        ] {
            assert!(told.contains(line), "{line}:\n{told}");
        }
        let program: Json = serde_json::from_str(&json(&shown(&environment, "p"))).expect("JSON");
        assert_eq!((&program["workspace"], &program["state"]), (&json!("local"), &json!({ "place": "p", "keyed": true })));
        assert!(!told.contains("other_api"), "{told}");
        assert_eq!(program["apis"], json!({ "genie_api": "agents", "other_api": "auto" }));
        assert_eq!(program["guards"], json!({ "max_deletes": 5, "protect": ["catalogs"], "require_clean_git": true }));
        assert_eq!(program["variables"]["catalog"], json!({ "value": "main", "origin": "environments/prod.yaml:4" }));
        assert!(!program.to_string().contains("hunter2"));
    }
}
