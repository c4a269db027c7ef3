//! Outputs: declared ones, and the id and link of everything that was applied; for people, programs and the next step of
//! a pipeline.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::json::value as json_value;
use super::style::{columns, pad};
use super::value::inline;
use crate::model::{Address, Value};

/// The format of the JSON; changes only when a reader of the old one would be misled.
pub const FORMAT: &str = "brickform.outputs/1";

/// A declared output whose value is known as far as it can be.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its value; unknown where nothing was applied yet.
    pub value: Value,
}

/// What was applied under an address.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its id.
    pub id: String,
    /// Its page in the workspace.
    pub link: Option<String>,
    /// What a person calls it.
    pub name: Option<String>,
}

/// Everything that can be handed on.
#[derive(Debug, Clone, Default)]
pub struct Outputs {
    /// Declared ones, in the order of the file.
    pub declared: Vec<Declared>,
    /// Objects; parts are left out.
    pub objects: BTreeMap<Address, Object>,
}

/// For a person.
#[must_use]
pub fn text(outputs: &Outputs) -> String {
    let mut out = String::new();
    let wide = outputs.declared.iter().map(|d| columns(&d.name)).max().unwrap_or(0);
    for declared in &outputs.declared {
        let about = declared.description.as_ref().map(|d| format!("   # {d}")).unwrap_or_default();
        let value = if declared.value.has_unknown() { "(not known in the state)".to_owned() } else { inline(&declared.value) };
        out.push_str(&format!("{} = {value}{about}\n", pad(&declared.name, wide)));
    }
    if !outputs.declared.is_empty() && !outputs.objects.is_empty() {
        out.push('\n');
    }
    let wide = outputs.objects.keys().map(|a| columns(&a.to_string())).max().unwrap_or(0);
    let id_wide = outputs.objects.values().map(|o| columns(&o.id)).max().unwrap_or(0);
    for (address, object) in &outputs.objects {
        let link = object.link.as_deref().unwrap_or_default();
        let line = format!("{}  {}  {link}", pad(&address.to_string(), wide), pad(&object.id, id_wide));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// For a program. Ids are text; what is not known yet is null.
#[must_use]
pub fn json(environment: &str, outputs: &Outputs) -> String {
    let declared: Map<String, Json> = outputs.declared.iter().map(|d| (d.name.clone(), known(&d.value))).collect();
    let objects: Map<String, Json> = outputs
        .objects
        .iter()
        .map(|(a, o)| (a.to_string(), json!({ "kind": a.kind, "id": o.id, "link": o.link, "name": o.name })))
        .collect();
    format!("{:#}\n", json!({ "format": FORMAT, "environment": environment, "outputs": declared, "resources": objects }))
}

/// A value for a program: null while it, or a part of it, is not known.
#[must_use]
pub fn known(value: &Value) -> Json {
    if value.has_unknown() || value.has_secret() { Json::Null } else { json_value(value) }
}

/// One value alone: text as it is, anything else as JSON on one line.
#[must_use]
pub fn raw(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(n) => n.to_string(),
        Value::UInt(n) => n.to_string(),
        other => known(other).to_string(),
    }
}

/// Lines for `$GITHUB_OUTPUT`: `name=value`, or the heredoc form where the value has several lines. Names are letters,
/// digits and `_`; what is not known yet is left out.
#[must_use]
pub fn github(outputs: &Outputs) -> String {
    let mut pairs: Vec<(String, String)> =
        outputs.declared.iter().filter(|d| !d.value.has_unknown()).map(|d| (safe(&d.name), raw(&d.value))).collect();
    for (address, object) in &outputs.objects {
        let name = safe(&address.to_string());
        pairs.push((format!("{name}_id"), object.id.clone()));
        pairs.extend(object.link.clone().map(|link| (format!("{name}_link"), link)));
    }
    pairs.iter().map(|(name, value)| pair(name, value)).collect()
}

/// One output as `$GITHUB_OUTPUT` takes it.
#[must_use]
pub fn pair(name: &str, value: &str) -> String {
    if !value.contains(['\n', '\r']) {
        return format!("{name}={value}\n");
    }
    let mut end = "BRICKFORM_END".to_owned();
    while value.lines().any(|line| line.trim() == end) {
        end.push('_');
    }
    format!("{name}<<{end}\n{value}\n{end}\n")
}

/// A name that shells and pipelines take: letters, digits and `_`.
#[must_use]
pub fn safe(name: &str) -> String {
    let mut out: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    while out.contains("__") {
        out = out.replace("__", "_");
    }
    let out = out.trim_matches('_').to_owned();
    if out.starts_with(|c: char| c.is_ascii_digit()) { format!("_{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::{Declared, Object, Outputs, github, json, pair, safe, text};
    use crate::model::{Deferred, Reference, Value, json as model_json};
    use std::sync::Arc;

    fn outputs() -> Outputs {
        let waits = Deferred::of(Reference { address: "jobs.b".parse().unwrap(), path: "id".parse().unwrap() });
        Outputs {
            declared: vec![
                Declared { name: "warehouse".into(), description: Some("for the app".into()), value: Value::text("abc") },
                Declared { name: "big".into(), description: None, value: Value::Int(9_007_199_254_740_993) },
                Declared { name: "later".into(), description: None, value: Value::Unknown(Arc::new(waits)) },
                Declared { name: "list".into(), description: None, value: model_json::parse(b"[1,{\"a\":null}]").unwrap() },
            ],
            objects: [(r#"jobs.ingest["eu"]"#, "991", Some("https://x.net/jobs/991")), ("warehouses.bi", "8f3c", None)]
                .map(|(a, id, link)| (a.parse().unwrap(), Object { id: id.into(), link: link.map(str::to_owned), name: Some("n".into()) }))
                .into(),
        }
    }

    #[test]
    fn for_people_programs_and_pipelines() {
        let all = outputs();
        insta::assert_snapshot!(format!("{}---\n{}---\n{}", text(&all), json("dev", &all), github(&all)));
    }

    #[test]
    fn names_that_a_pipeline_takes() {
        for (given, want) in
            [("jobs.nightly", "jobs_nightly"), (r#"jobs.ingest["eu-1"]"#, "jobs_ingest_eu_1"), ("1x", "_1x"), ("größe", "gr_e")]
        {
            assert_eq!(safe(given), want);
        }
    }

    #[test]
    fn several_lines_never_end_early() {
        assert_eq!(pair("a", "x"), "a=x\n");
        assert_eq!(pair("a", "x\ny"), "a<<BRICKFORM_END\nx\ny\nBRICKFORM_END\n");
        assert_eq!(pair("a", "x\nBRICKFORM_END\nb=2"), "a<<BRICKFORM_END_\nx\nBRICKFORM_END\nb=2\nBRICKFORM_END_\n");
    }
}
