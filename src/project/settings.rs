//! `conf/project.yaml`.

use std::collections::BTreeMap;
use std::path::Path;

use indexmap::IndexMap;

use super::findings::{Findings, boolean, known_keys, map, text, texts};
use super::secrets;
use super::variables::{Declaration, declarations};
use crate::diagnostic::Span;
use crate::model::SecretFrom;
use crate::yaml::Node;

/// What `conf/project.yaml` says; all of it may be absent.
#[derive(Debug, Default)]
pub struct Settings {
    /// `name`.
    pub name: Option<String>,
    /// `includes`: files, folders or patterns of further resources.
    pub includes: Vec<(String, Span)>,
    /// `state`: for environments that say nothing of their own.
    pub state: Option<Node>,
    /// `defaults.ownership_tag`.
    pub ownership_tag: Option<bool>,
    /// `default_environment`.
    pub default_environment: Option<(String, Span)>,
    /// `variables`; none: environment files declare.
    pub variables: Option<IndexMap<String, Declaration>>,
    /// `secrets`.
    pub secrets: BTreeMap<String, SecretFrom>,
    /// `outputs`.
    pub outputs: Option<Node>,
    /// `policies`, read once the kinds are at hand.
    pub policies: Option<Node>,
}

const KEYS: &[&str] =
    &["name", "description", "includes", "state", "defaults", "policies", "variables", "secrets", "outputs", "default_environment"];

/// Reads the document.
pub fn read(node: &Node, folder: &Path, findings: &mut Findings) -> Settings {
    let mut settings = Settings::default();
    let Some(node) = map(node, "`conf/project.yaml`", findings) else { return settings };
    known_keys(node, KEYS, "the project's settings", "E0302", findings);
    for entry in node.entries() {
        let value = &entry.value;
        if value.is_null() {
            continue;
        }
        match entry.key.as_str() {
            "name" => settings.name = text(value, "`name`", findings),
            "includes" => settings.includes = texts(value, "`includes`", findings),
            "state" => settings.state = map(value, "`state`", findings).cloned(),
            "defaults" => settings.ownership_tag = defaults(value, findings),
            "outputs" => settings.outputs = Some(value.clone()),
            "policies" => settings.policies = Some(value.clone()),
            "variables" => settings.variables = Some(declarations(value, findings)),
            "secrets" => settings.secrets = secrets::declared(value, folder, findings),
            "default_environment" => {
                settings.default_environment = text(value, "`default_environment`", findings).map(|name| (name, value.span.clone()));
            }
            _ => {}
        }
    }
    settings
}

fn defaults(node: &Node, findings: &mut Findings) -> Option<bool> {
    let node = map(node, "`defaults`", findings)?;
    known_keys(node, &["ownership_tag"], "`defaults`", "E0302", findings);
    boolean(node.get("ownership_tag")?, "`defaults.ownership_tag`", findings)
}
