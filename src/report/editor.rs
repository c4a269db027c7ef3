//! JSON Schemas for editors: resources from kinds and catalogue, environments, the project's settings.
//!
//! They help while typing and never forbid what `validate` allows: unknown fields are allowed, and wherever a scalar
//! stands an expression may stand.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Json, json};

use super::schema;
use crate::catalogue::Type;
use crate::kinds::{Field, Kind, Registry, Schema};

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// Which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// `conf/*.yaml`.
    Resources,
    /// `environments/*.yaml`.
    Environment,
    /// `conf/project.yaml`.
    Project,
}

/// The schema of a file; for resources perhaps of one kind only.
#[must_use]
pub fn json(file: File, kinds: &[&'static Kind]) -> String {
    let mut made = match file {
        File::Resources => resources(kinds),
        File::Environment => environment(),
        File::Project => project(),
    };
    made["$schema"] = json!(DRAFT);
    format!("{made:#}\n")
}

/// The kinds of a run.
#[must_use]
pub fn every(registry: &Registry) -> Vec<&'static Kind> {
    registry.iter().collect()
}

struct Maker {
    names: HashMap<usize, String>,
    definitions: BTreeMap<String, Json>,
}

fn resources(kinds: &[&'static Kind]) -> Json {
    let mut maker = Maker { names: HashMap::new(), definitions: BTreeMap::new() };
    maker.definitions.insert("expression".to_owned(), json!({ "type": "string", "pattern": "\\$\\{" }));
    let mut properties = Map::new();
    for kind in kinds {
        let one = maker.kind(kind);
        let many = json!({
            "description": format!("{}: key: body, or a list whose items have `$key`", kind.singular),
            "anyOf": [
                { "type": "object", "additionalProperties": one },
                { "type": "array", "items": one },
                { "type": "null" },
            ],
        });
        for name in kind.aliases.iter().copied().chain([kind.name]) {
            properties.insert(name.to_owned(), many.clone());
        }
    }
    for (name, about) in
        [("import", "adopt by id: `{ to, id }`"), ("moved", "renames: `{ from, to }`"), ("forget", "dropped from the state, left alone")]
    {
        properties.insert(name.to_owned(), json!({ "description": about, "type": "array" }));
    }
    json!({ "title": "Brickform resources", "type": "object", "properties": properties, "definitions": maker.definitions })
}

impl Maker {
    fn kind(&mut self, kind: &'static Kind) -> Json {
        let root = Schema::of(kind).root();
        let mut made = self.object(root, kind.name);
        if let Some(properties) = made.get_mut("properties").and_then(Json::as_object_mut) {
            for facet in kind.facets {
                let below = self.object(Schema::of(facet.kind).root(), facet.kind.name);
                let list = Schema::of(facet.kind).root().field(facet.body).map_or(json!({}), |f| self.field(f, facet.kind.name));
                let other = if facet.is_map() { json!({ "type": "array", "items": { "type": "string" } }) } else { optional(below) };
                let part = json!({ "description": format!("part: {}", facet.kind.one()), "anyOf": [list, other] });
                properties.insert(facet.name.to_owned(), part);
            }
            properties.insert("lifecycle".to_owned(), lifecycle());
            properties.insert(
                "depends_on".to_owned(),
                json!({ "type": ["array", "string"], "description": "addresses that must be there first" }),
            );
            properties.insert("when".to_owned(), json!({ "type": ["boolean", "string"], "description": "whether it is there at all" }));
            properties.insert(
                "for_each".to_owned(),
                json!({ "type": ["object", "array", "string"], "description": "an instance for each: a map, or a list of distinct texts" }),
            );
            properties.insert("$key".to_owned(), json!({ "type": "string" }));
        }
        let name = format!("kind.{}", kind.name);
        self.definitions.insert(name.clone(), json!({ "anyOf": [made, { "type": "null" }] }));
        json!({ "$ref": format!("#/definitions/{name}") })
    }

    /// A struct's own schema.
    fn object(&mut self, field: Field<'static>, kind: &str) -> Json {
        let mut properties = Map::new();
        let mut required = vec![];
        for (name, member) in field.members() {
            if member.computed() {
                continue;
            }
            if member.required() {
                required.push(name);
            }
            properties.insert(name.to_owned(), self.field(member, kind));
        }
        let mut out = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            out["required"] = json!(required);
        }
        out
    }

    /// A field: by reference where it is a struct, since structs recur.
    fn field(&mut self, field: Field<'static>, kind: &str) -> Json {
        let facts = schema::facts(&field);
        let mut shape = match field.ty() {
            _ if field.is_struct() => self.named(field, kind),
            _ if field.map_value().is_some() => {
                let value = field.map_value().map_or(json!({}), |v| self.field(v, kind));
                json!({ "type": "object", "additionalProperties": value })
            }
            Type::List(_) => {
                let item = field.item().map_or(json!({}), |i| self.item(i, kind));
                json!({ "type": "array", "items": item })
            }
            Type::Map(_) | Type::Object => json!({ "type": "object" }),
            Type::Any | Type::None => return described(json!({}), &facts),
            Type::Bool => json!({ "type": "boolean" }),
            Type::Int | Type::Int64 => json!({ "type": ["integer", "string"] }),
            Type::Number => json!({ "type": "number" }),
            _ if field.values().is_some_and(|v| !v.is_empty()) => json!({ "enum": field.values() }),
            // Numbers and booleans keep their spelling in a text field, with a warning.
            _ => json!({ "type": ["string", "number", "boolean"] }),
        };
        if field.nullable() {
            shape = json!({ "anyOf": [shape, { "type": "null" }] });
        }
        described(json!({ "anyOf": [shape, { "$ref": "#/definitions/expression" }] }), &facts)
    }

    /// An item of a list; text alone stands for it where the kind brings short forms into the long one.
    fn item(&mut self, field: Field<'static>, kind: &str) -> Json {
        let whole = self.field(field, kind);
        let short = field.is_struct() && Registry::standard().get(kind).is_some_and(|k| k.hooks.normal.is_some());
        if short { json!({ "anyOf": [whole, { "type": "string" }] }) } else { whole }
    }

    fn named(&mut self, field: Field<'static>, kind: &str) -> Json {
        if let Some(name) = self.names.get(&field.place()) {
            return json!({ "$ref": format!("#/definitions/{name}") });
        }
        let base = match field.ty() {
            Type::Named(name) => format!("{kind}.{}", name.replace('.', "_")),
            _ => format!("{kind}.object"),
        };
        let mut name = base.clone();
        let mut nth = 1;
        while self.definitions.contains_key(&name) {
            nth += 1;
            name = format!("{base}_{nth}");
        }
        self.names.insert(field.place(), name.clone());
        self.definitions.insert(name.clone(), Json::Null);
        let made = self.object(field, kind);
        self.definitions.insert(name.clone(), made);
        json!({ "$ref": format!("#/definitions/{name}") })
    }
}

fn described(mut schema: Json, facts: &[String]) -> Json {
    if !facts.is_empty() {
        schema["description"] = json!(facts.join("; "));
    }
    schema
}

/// What is required of a whole is given by the object that a part belongs to.
fn optional(mut schema: Json) -> Json {
    if let Some(map) = schema.as_object_mut() {
        map.remove("required");
    }
    schema
}

fn lifecycle() -> Json {
    let flag = json!({ "type": ["boolean", "string"] });
    json!({
        "type": "object",
        "properties": {
            "prevent_destroy": flag, "create_before_destroy": flag, "allow_duplicate_name": flag, "exclusive": flag,
            "merge": flag,
            "ignore_changes": { "type": ["array", "string"] },
            "adopt": { "enum": ["by_name", "never", false] },
            "wait": { "enum": ["running", "accepted", false] },
        },
    })
}

/// Attributes, and by which of their APIs kinds are asked that have two.
fn workspace(text: &Json) -> Json {
    let mut properties = json!({ "local": { "type": "boolean" }, "host": text, "profile": text, "deployer": text });
    let registry = Registry::standard();
    for (kind, otherwise) in registry.iter().filter_map(|kind| Some((kind, registry.first(kind).otherwise?))) {
        let [first, other] = otherwise.words;
        let said = format!("by which API {} are asked; `auto`: the first of them that the workspace has", kind.many());
        properties[otherwise.setting] = json!({ "enum": [first, other, "auto"], "description": said });
    }
    properties
}

fn environment() -> Json {
    let text = json!({ "type": "string" });
    json!({
        "title": "A Brickform environment",
        "type": ["object", "null"],
        "properties": {
            "extends": { "type": ["string", "array"], "description": "environments whose settings this one begins with" },
            "description": text,
            "workspace": { "anyOf": [{ "const": "local" }, { "type": "object", "properties": workspace(&text) }] },
            "variables": { "type": ["object", "null"] },
            "state": { "type": "object", "properties": { "backend": text, "key": { "type": "object", "properties": { "env": text } } } },
            "guards": {
                "type": "object",
                "properties": {
                    "max_deletes": { "type": "integer", "minimum": 0 },
                    "max_change_percent": { "type": "integer", "minimum": 0, "maximum": 100 },
                    "protect": { "type": ["array", "string"] },
                    "on_conflict": { "enum": ["block", "overwrite"] },
                    "require_clean_git": { "type": "boolean" },
                    "ancestry": { "type": "boolean" },
                    "preflight": { "type": "boolean" },
                },
            },
            "presets": { "type": "object" },
            "resources": { "type": "object", "description": "overlays: merged by natural key; `$delete: true`, `$replace: true`" },
        },
    })
}

fn project() -> Json {
    let text = json!({ "type": "string" });
    json!({
        "title": "The settings of a Brickform project",
        "type": ["object", "null"],
        "properties": {
            "name": text,
            "description": text,
            "includes": { "type": ["array", "string"] },
            "default_environment": text,
            "state": { "type": "object" },
            "defaults": { "type": "object", "properties": { "ownership_tag": { "type": "boolean" } } },
            "policies": { "type": ["array", "object"] },
            "secrets": { "type": "object" },
            "outputs": { "type": "object", "description": "name: value, or { value, description }" },
            "variables": {
                "type": "object",
                "additionalProperties": {
                    "type": ["object", "null"],
                    "properties": {
                        "type": { "enum": ["string", "number", "integer", "boolean", "list", "map", "any"] },
                        "description": text, "enum": { "type": "array" }, "pattern": text, "sensitive": { "type": "boolean" },
                    },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use serde_json::{Value as Json, json};

    use super::{File, every};
    use crate::diagnostic::Source;
    use crate::kinds::Registry;

    /// What of JSON Schema these schemas use.
    fn accepts(schema: &Json, root: &Json, value: &Json) -> bool {
        let Some(map) = schema.as_object() else { return true };
        let is = |ty: &str| match ty {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "number" => value.is_number(),
            "integer" => value.is_i64() || value.is_u64(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            other => panic!("type {other}"),
        };
        map.iter().all(|(word, rule)| match word.as_str() {
            "$ref" => {
                let name = rule.as_str().and_then(|r| r.strip_prefix("#/definitions/")).expect("a reference");
                accepts(&root["definitions"][name], root, value)
            }
            "type" => rule.as_str().map_or_else(|| rule.as_array().unwrap().iter().any(|t| is(t.as_str().unwrap())), is),
            "enum" => rule.as_array().unwrap().contains(value),
            "const" => rule == value,
            "anyOf" => rule.as_array().unwrap().iter().any(|s| accepts(s, root, value)),
            "pattern" => value.as_str().is_none_or(|t| t.contains("${")),
            "required" => value.as_object().is_none_or(|o| rule.as_array().unwrap().iter().all(|r| o.contains_key(r.as_str().unwrap()))),
            "properties" => value.as_object().is_none_or(|o| o.iter().all(|(k, v)| rule.get(k).is_none_or(|s| accepts(s, root, v)))),
            "additionalProperties" => value.as_object().is_none_or(|o| o.values().all(|v| accepts(rule, root, v))),
            "items" => value.as_array().is_none_or(|a| a.iter().all(|v| accepts(rule, root, v))),
            "minimum" => value.as_i64().is_none_or(|n| n >= rule.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|n| n <= rule.as_i64().unwrap()),
            "description" | "title" | "$schema" | "definitions" => true,
            other => panic!("the check does not know `{other}`"),
        })
    }

    fn parsed(file: File) -> Json {
        serde_json::from_str(&super::json(file, &every(&Registry::standard()))).unwrap()
    }

    fn files(folder: &Path, into: &mut Vec<PathBuf>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for path in entries.map(|e| e.unwrap().path()).filter(|p| !p.ends_with(".brickform") && !p.ends_with("mapping")) {
            if path.is_dir() {
                files(&path, into);
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
                into.push(path);
            }
        }
    }

    #[test]
    fn the_repositorys_own_files_fit() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut all = vec![];
        for folder in ["conf", "spaces", "environments", "examples"] {
            files(&top.join(folder), &mut all);
        }
        all.sort();
        let (resources, environment, project) = (parsed(File::Resources), parsed(File::Environment), parsed(File::Project));
        let in_conf = |p: &Path| p.components().any(|c| c.as_os_str() == "conf" || c.as_os_str() == "spaces");
        let mut checked = 0;
        for path in all {
            let schema = match path.parent().and_then(Path::file_name).and_then(|n| n.to_str()) {
                Some("environments") => &environment,
                _ if path.file_stem().is_some_and(|n| n == "project") => &project,
                _ if in_conf(&path) => &resources,
                _ => continue,
            };
            let text = std::fs::read_to_string(&path).unwrap();
            let source = Arc::new(Source { name: path.display().to_string(), text });
            for document in crate::yaml::parse(&source).unwrap() {
                let value = super::super::json::value(&document.value());
                assert!(accepts(schema, schema, &value), "{} does not fit its schema", path.display());
                checked += 1;
            }
        }
        assert!(checked >= 8, "{checked} documents");
    }

    #[test]
    fn mistakes_do_not_fit() {
        let resources = parsed(File::Resources);
        for (value, fits) in [
            (json!({ "jobs": { "a": { "name": "x", "tasks": [{ "task_key": "t" }] } } }), true),
            (json!({ "jobs": { "a": { "name": "x", "some_new_field": 1 } } }), true),
            (json!({ "jobs": { "a": { "max_concurrent_runs": "${n}" } } }), true),
            (json!({ "jobs": { "a": { "max_concurrent_runs": [1] } } }), false),
            (json!({ "jobs": { "a": { "tasks": [{ "task_key": "t", "run_if": "NEVER" }] } } }), false),
            (json!({ "jobs": { "a": { "tasks": [{ "task_key": "t", "run_if": "ALL_DONE" }] } } }), true),
            (json!({ "jobs": { "a": { "tasks": [{ "run_if": "ALL_DONE" }] } } }), false),
            (json!({ "jobs": "x" }), false),
        ] {
            assert_eq!(accepts(&resources, &resources, &value), fits, "{value}");
        }
        let environment = parsed(File::Environment);
        for (value, fits) in [
            (json!({ "workspace": "local", "guards": { "max_change_percent": 30 } }), true),
            (json!({ "guards": { "max_change_percent": 101 } }), false),
            (json!({ "guards": { "on_conflict": "never" } }), false),
        ] {
            assert_eq!(accepts(&environment, &environment, &value), fits, "{value}");
        }
    }
}
