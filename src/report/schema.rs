//! What is known of kinds and their fields, for people and programs. The editor's schema is in [`super::editor`].

use serde_json::{Map, Value as Json, json};

use super::style::{columns, pad};
use super::text::plural;
use crate::catalogue::{self, Type};
use crate::kinds::{Fact, Field, Identity, Kind, Lifetime, Lit, Loss, Registry, Schema, Unique, Update, told};
use crate::model::Path;

/// The format of the JSON; changes only when a reader of the old one would be misled.
pub const FORMAT: &str = "brickform.kinds/1";

/// Every kind, a line each.
#[must_use]
pub fn kinds_text(registry: &Registry) -> String {
    let rows: Vec<[String; 4]> = registry
        .iter()
        .map(|k| {
            let facets: Vec<&str> = k.facets.iter().map(|f| f.name).collect();
            [k.name.to_owned(), id_of(k), k.natural.fields.join(", "), facets.join(", ")]
        })
        .collect();
    let head = ["KIND", "ID", "NATURAL KEY", "PARTS"].map(str::to_owned);
    let wide = |i: usize| rows.iter().chain([&head]).map(|r| columns(&r[i])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..4).map(wide).collect();
    let mut out = String::new();
    for row in [&head].into_iter().chain(&rows) {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(c, w)| pad(c, *w)).collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out.push_str(&format!("\n{}. Fields of one: `brickform explain KIND`\n", plural(rows.len() as u64, "kind", "kinds")));
    out
}

fn id_of(kind: &Kind) -> String {
    match kind.identity {
        Identity::Assigned(field) => format!("{field} (picked by the workspace)"),
        Identity::Named { parts, join, .. } => parts.join(join),
        Identity::Single(word) => format!("{word} (there is one)"),
    }
}

/// One kind: what it is, and its fields.
#[must_use]
pub fn kind_text(kind: &'static Kind) -> String {
    let mut out = format!("{}: {}\n", kind.name, kind.one());
    if let Some(told) = told(kind.name) {
        out.push_str(&format!("  {}\n", told.about));
    }
    let mut row = |name: &str, text: &str| {
        if !text.is_empty() {
            out.push_str(&format!("  {name:12} {text}\n"));
        }
    };
    row("also read as", &kind.aliases.join(", "));
    row("id", &id_of(kind));
    row("recognised", &natural(kind));
    row("lifetime", lifetime(kind));
    row("changed by", update(kind));
    row(
        "deleting",
        &match kind.loss {
            Loss::Nothing => String::new(),
            Loss::History(what) => format!("loses {what}"),
            Loss::Data(what) => format!("loses {what}: only with `--allow-delete {}`", kind.name),
        },
    );
    row("parts", &kind.facets.iter().map(|f| f.name).collect::<Vec<_>>().join(", "));
    for (name, op) in operations(kind) {
        if let Some(operation) = catalogue::operation(op) {
            row(name, &format!("{} {}", operation.method, operation.path));
        }
    }
    out.push('\n');
    out.push_str(&members_text(Schema::of(kind).root()));
    if let Some(told) = told(kind.name) {
        out.push_str(&format!("\nExample (docs/reference/kinds/{}.md has more):\n", kind.name));
        for line in told.example.lines() {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out
}

fn natural(kind: &Kind) -> String {
    if kind.natural.fields.is_empty() {
        return String::new();
    }
    let unique = if kind.natural.unique == Unique::Yes { "unique" } else { "not unique in a workspace" };
    format!("by {} ({unique})", kind.natural.fields.join(" and "))
}

fn lifetime(kind: &Kind) -> &'static str {
    match kind.lifetime {
        Lifetime::Own => "created and deleted by Brickform",
        Lifetime::Attached => "always there; a removed block is forgotten, destroy puts back what was there before",
        Lifetime::Setting => "always there; removing it and destroy put back what was there before",
    }
}

fn update(kind: &Kind) -> &'static str {
    match kind.update {
        Update::Never => "replacing it",
        Update::Whole(_) => "sending the whole object",
        Update::Patch(_) => "sending what changed",
        Update::Mask(..) => "sending what changed, with a mask",
        Update::Routed(_) => "a call for each group of fields",
        Update::Custom(_) => "calls of its own",
    }
}

/// The operations of a kind, as far as they are declared.
pub(super) fn operations(kind: &Kind) -> Vec<(&'static str, &'static str)> {
    let mut all = vec![];
    all.extend(kind.create.map(|r| ("create", r.op)));
    all.extend((!kind.read.op.is_empty()).then_some(("read", kind.read.op)));
    all.extend(kind.list.map(|l| ("list", l.op)));
    match kind.update {
        Update::Whole(r) | Update::Patch(r) | Update::Mask(r, _) => all.push(("update", r.op)),
        Update::Routed(routes) => all.extend(routes.iter().filter(|r| r.custom.is_none()).map(|r| ("update", r.request.op))),
        Update::Never | Update::Custom(_) => {}
    }
    all.extend(kind.delete.map(|r| ("delete", r.op)));
    all
}

/// Fields that YAML may hold, required ones first.
fn members_text(field: Field<'_>) -> String {
    let mut members = field.members();
    members.sort_by_key(|(name, f)| (f.computed(), !f.required(), *name));
    let wide = members.iter().map(|(n, _)| columns(n)).max().unwrap_or(0);
    let type_wide = members.iter().map(|(_, f)| columns(&type_words(f))).max().unwrap_or(0).min(40);
    let mut out = String::new();
    for (name, member) in members {
        let facts = facts(&member).join(", ");
        let line = format!("  {}  {}  {facts}", pad(name, wide), pad(&type_words(&member), type_wide));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// One field of a kind.
#[must_use]
pub fn field_text(kind: &'static Kind, path: &Path, field: Field<'_>) -> String {
    let mut out = format!("{}.{path}: {}\n", kind.name, type_words(&field));
    for fact in facts(&field) {
        out.push_str(&format!("  {fact}\n"));
    }
    if let Some(values) = field.values() {
        out.push_str(&format!("  one of: {}\n", values.join(", ")));
    }
    let inner = inner(field);
    if !inner.members().is_empty() {
        out.push('\n');
        out.push_str(&members_text(inner));
    }
    out
}

/// The struct that a field holds, through lists and maps.
#[must_use]
pub fn inner(field: Field<'_>) -> Field<'_> {
    match field.item().filter(|_| matches!(field.ty(), Type::List(_))).or_else(|| field.map_value()) {
        Some(below) => inner(below),
        None => field,
    }
}

/// What sort of value a field takes.
#[must_use]
pub fn type_words(field: &Field<'_>) -> String {
    if let Some(value) = field.map_value() {
        return format!("map of {}", type_words(&value));
    }
    match field.ty() {
        Type::Text | Type::Binary | Type::None => "text".to_owned(),
        Type::Int | Type::Int64 => "whole number".to_owned(),
        Type::Number => "number".to_owned(),
        Type::Bool => "boolean".to_owned(),
        Type::Any => "anything".to_owned(),
        Type::Object | Type::Map(_) => "map".to_owned(),
        Type::Timestamp => "time".to_owned(),
        Type::Duration => "duration".to_owned(),
        Type::FieldMask => "names of fields".to_owned(),
        Type::List(_) => field.item().map_or_else(|| "list".to_owned(), |item| format!("list of {}", type_words(&item))),
        Type::Named(name) if field.values().is_some() || !field.is_struct() => format!("enum {}", short(name)),
        Type::Named(name) => short(name).to_owned(),
    }
}

fn short(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, rest)| rest)
}

/// What is known of a field besides its type, in words.
#[must_use]
pub fn facts(field: &Field<'_>) -> Vec<String> {
    let mut out = vec![];
    if field.required() {
        out.push("required".to_owned());
    }
    if field.computed() {
        out.push("filled by the workspace, never sent".to_owned());
    }
    if field.immutable() && !field.computed() {
        out.push("immutable: a change replaces".to_owned());
    }
    if field.secret() {
        out.push("secret: `${secret(\"NAME\")}`".to_owned());
    }
    if field.input_only() {
        out.push("sent, never read back".to_owned());
    }
    if field.nullable() {
        out.push("null unsets it".to_owned());
    }
    if let Some(keys) = field.keyed() {
        out.push(format!("items told apart by {}", keys.join(", ")));
    }
    if field.set() {
        out.push("order does not matter".to_owned());
    }
    out.extend(field.default().map(default));
    for fact in field.facts() {
        match fact {
            Fact::Unless(case) => out.push(format!("required, unless {case}")),
            Fact::Refers(kind) => out.push(format!("refers to {kind}")),
            Fact::JsonText => out.push("JSON inside text, compared as structure".to_owned()),
            Fact::CaseBlind => out.push("case makes no difference".to_owned()),
            Fact::Slashless => out.push("a slash at the end makes no difference".to_owned()),
            Fact::WorkspacePath => out.push("a path in the workspace".to_owned()),
            Fact::ServerKeys(keys) => out.push(format!("the server adds keys that begin with {}", keys.join(", "))),
            _ => {}
        }
    }
    out
}

fn default(lit: Lit) -> String {
    match lit {
        Lit::Bool(b) => format!("default {b}"),
        Lit::Int(n) => format!("default {n}"),
        Lit::Text(t) => format!("default {t:?}"),
        Lit::Field(name) => format!("default: that of {name}"),
        Lit::Backend => "default picked by the workspace".to_owned(),
    }
}

/// Every kind with its fields, parts, identity and requests, for a program.
#[must_use]
pub fn kinds_json(kinds: &[&'static Kind]) -> String {
    let list: Vec<Json> = kinds.iter().map(|k| kind_json(k)).collect();
    format!("{:#}\n", json!({ "format": FORMAT, "kinds": list }))
}

fn kind_json(kind: &'static Kind) -> Json {
    let identity = match kind.identity {
        Identity::Assigned(field) => json!({ "assigned": field }),
        Identity::Named { parts, join, .. } => json!({ "named": parts, "join": join }),
        Identity::Single(word) => json!({ "single": word }),
    };
    let requests: Vec<Json> = operations(kind)
        .into_iter()
        .filter_map(|(name, op)| {
            catalogue::operation(op).map(|o| json!({ "for": name, "operation": op, "method": o.method, "path": o.path }))
        })
        .collect();
    let lifetime = match kind.lifetime {
        Lifetime::Own => "own",
        Lifetime::Attached => "attached",
        Lifetime::Setting => "setting",
    };
    let (loss, loses) = match kind.loss {
        Loss::Nothing => ("nothing", None),
        Loss::History(what) => ("history", Some(what)),
        Loss::Data(what) => ("data", Some(what)),
    };
    json!({
        "kind": kind.name,
        "singular": kind.singular,
        "aliases": kind.aliases,
        "about": told(kind.name).map(|t| t.about),
        "example": told(kind.name).map(|t| t.example),
        "identity": identity,
        "natural_key": { "fields": kind.natural.fields, "unique": kind.natural.unique == Unique::Yes },
        "lifetime": lifetime,
        "deleting_loses": { "what": loss, "words": loses },
        "parts": kind.facets.iter().map(|f| json!({ "name": f.name, "kind": f.kind.name })).collect::<Vec<_>>(),
        "page": kind.link,
        "requests": requests,
        "fields": fields_json(Schema::of(kind).root()),
    })
}

/// Fields by name.
#[must_use]
pub fn fields_json(field: Field<'_>) -> Json {
    let members = field.members().into_iter().map(|(name, f)| (name.to_owned(), field_json(&f)));
    Json::Object(members.collect::<Map<String, Json>>())
}

/// One field, its members left out.
#[must_use]
pub fn field_json(field: &Field<'_>) -> Json {
    let mut out = Map::new();
    out.insert("type".to_owned(), json!(type_words(field)));
    for (name, holds) in [
        ("required", field.required()),
        ("computed", field.computed()),
        ("immutable", field.immutable()),
        ("secret", field.secret()),
        ("input_only", field.input_only()),
        ("nullable", field.nullable()),
        ("set", field.set()),
    ] {
        if holds {
            out.insert(name.to_owned(), json!(true));
        }
    }
    if let Some(keys) = field.keyed() {
        out.insert("keyed_by".to_owned(), json!(keys));
    }
    if let Some(values) = field.values() {
        out.insert("values".to_owned(), json!(values));
    }
    if let Some(lit) = field.default() {
        out.insert(
            "default".to_owned(),
            match lit {
                Lit::Bool(b) => json!(b),
                Lit::Int(n) => json!(n),
                Lit::Text(t) => json!(t),
                Lit::Field(name) => json!({ "$field": name }),
                Lit::Backend => json!({ "$workspace": true }),
            },
        );
    }
    Json::Object(out)
}

#[cfg(test)]
mod tests {
    use super::{facts, field_text, kind_text, kinds_json, kinds_text, type_words};
    use crate::kinds::{Registry, Schema};

    #[test]
    fn every_kind_is_told_in_both_forms() {
        let registry = Registry::standard();
        let text = kinds_text(&registry);
        let kinds: Vec<_> = registry.iter().collect();
        let json: serde_json::Value = serde_json::from_str(&kinds_json(&kinds)).unwrap();
        for (kind, told) in kinds.iter().zip(json["kinds"].as_array().unwrap()) {
            assert!(text.lines().any(|l| l.starts_with(kind.name)), "{}", kind.name);
            assert_eq!(told["kind"], kind.name);
            let fields = told["fields"].as_object().unwrap();
            assert_eq!(fields.len(), Schema::of(kind).root().members().len(), "{}", kind.name);
            for line in kind_text(kind).lines() {
                assert!(!line.ends_with(' '), "{line:?}");
            }
        }
    }

    #[test]
    fn fields_of_a_job() {
        let jobs = Registry::standard().get("jobs").unwrap();
        for (path, ty, wants) in [
            ("name", "text", ""),
            ("max_concurrent_runs", "whole number", ""),
            ("tasks", "list of Task", "items told apart by task_key"),
            ("tasks[0].run_if", "enum RunIf", "default \"ALL_SUCCESS\""),
            ("tags", "map of text", ""),
            ("tasks[0].task_key", "text", "required"),
        ] {
            let path = path.parse().unwrap();
            let field = Schema::of(jobs).at(&path).unwrap();
            assert_eq!(type_words(&field), ty, "{path}");
            assert!(facts(&field).join(", ").contains(wants), "{path}: {:?}", facts(&field));
        }
        let path = "tasks[0].run_if".parse().unwrap();
        assert!(field_text(jobs, &path, Schema::of(jobs).at(&path).unwrap()).contains("ALL_SUCCESS"));
    }
}
