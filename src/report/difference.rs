//! How two environments differ: resources that only one has, and values of those that both have.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::json::value as json_value;
use super::style::{Label, Paint, columns, pad};
use super::text::plural;
use super::value::{inline, masked_in};
use crate::kinds::{Field, Schema};
use crate::model::url::masked;
use crate::model::{Address, Path, Step, Value};
use crate::project::Resource;

/// The format of the JSON; changes only when a reader of the old one would be misled.
pub const FORMAT: &str = "brickform.env-diff/1";

/// One field that differs; none: that side does not set it.
#[derive(Debug, Clone, PartialEq)]
pub struct Differs {
    /// Which.
    pub path: Path,
    /// In the first environment.
    pub from: Option<Value>,
    /// In the second.
    pub to: Option<Value>,
    /// Where the second says so, else the first.
    pub place: String,
}

/// How two environments differ.
#[derive(Debug, Default)]
pub struct Difference {
    /// Only in the first, with what a person calls it.
    pub removed: Vec<(Address, String)>,
    /// Only in the second.
    pub added: Vec<(Address, String)>,
    /// In both, not alike.
    pub changed: BTreeMap<Address, Vec<Differs>>,
    /// In both, alike.
    pub same: usize,
}

impl Difference {
    /// Whether there is any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty() && self.changed.is_empty()
    }

    /// Compares what two environments resolve to.
    #[must_use]
    pub fn between(from: &BTreeMap<Address, Resource>, to: &BTreeMap<Address, Resource>) -> Self {
        let mut found = Self::default();
        let name = |r: &Resource| if r.address.is_facet() { String::new() } else { r.natural.join(".") };
        for (address, old) in from {
            let Some(new) = to.get(address) else {
                found.removed.push((address.clone(), name(old)));
                continue;
            };
            let fields = fields(old, new);
            if fields.is_empty() {
                found.same += 1;
            } else {
                found.changed.insert(address.clone(), fields);
            }
        }
        found.added = to.iter().filter(|(a, _)| !from.contains_key(a)).map(|(a, r)| (a.clone(), name(r))).collect();
        found
    }
}

fn fields(old: &Resource, new: &Resource) -> Vec<Differs> {
    let (before, after) = (leaves_of(old), leaves_of(new));
    let mut paths: Vec<&Path> = before.keys().collect();
    paths.extend(after.keys().filter(|p| !before.contains_key(*p)));
    let mut found = vec![];
    for path in paths {
        let (from, to) = (before.get(path), after.get(path));
        if from != to {
            let node = if to.is_some() { new.node.nearest(path) } else { old.node.nearest(path) };
            found.push(Differs { path: path.clone(), from: from.cloned(), to: to.cloned(), place: node.span.cite() });
        }
    }
    found
}

fn leaves_of(resource: &Resource) -> indexmap::IndexMap<Path, Value> {
    let mut found = indexmap::IndexMap::new();
    // What a part gets from its object differs as the object does, and is said there.
    let given = |path: &Path| resource.address.is_facet() && path.first_field().is_some_and(|name| resource.node.get(name).is_none());
    leaves(&resource.body, Some(Schema::of(resource.kind).root()), &mut Path::root(), &mut |path, value| {
        if !given(path) {
            found.insert(path.clone(), value.clone());
        }
    });
    found
}

/// Every leaf with its path; items of keyed lists by their key.
pub fn leaves(value: &Value, field: Option<Field<'static>>, path: &mut Path, found: &mut dyn FnMut(&Path, &Value)) {
    match value {
        Value::Map(map) if !map.is_empty() => {
            for (name, member) in map {
                path.push(Step::Field(name.clone()));
                leaves(member, field.and_then(|f| f.field(name)), path, found);
                path.pop();
            }
        }
        Value::List(list) if list.iter().any(|i| matches!(i, Value::Map(_))) => {
            for (i, item) in list.iter().enumerate() {
                path.push(item_step(list, i, field.and_then(|f| f.keyed())));
                leaves(item, field.and_then(|f| f.item()), path, found);
                path.pop();
            }
        }
        leaf => found(path, leaf),
    }
}

/// The step to an item: by its key where it has one.
fn item_step(list: &[Value], at: usize, keys: Option<&'static [&'static str]>) -> Step {
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    let key: Vec<(String, String)> = keys.unwrap_or_default().iter().filter_map(|n| Some(((*n).to_owned(), text(&list[at], n)?))).collect();
    if key.is_empty() {
        return Step::Index(at);
    }
    let same = |other: &&Value| key.iter().all(|(k, v)| text(other, k).as_ref() == Some(v));
    let nth = list.iter().take(at).filter(same).count();
    Step::Key(key.clone(), u32::try_from(nth).unwrap_or(0))
}

/// A value of one side; what waits in both reads as its expression, or the two would look alike.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "(not set)".to_owned(),
        Some(Value::Unknown(deferred)) => {
            let told = inline(&Value::Unknown(std::sync::Arc::clone(deferred)));
            format!("{told} {}", deferred.source)
        }
        Some(Value::Secret(deferred)) => format!("(sensitive) {}", deferred.source),
        Some(other) => masked(&inline(other)).into_owned(),
    }
}

/// For a person.
#[must_use]
pub fn text(from: &str, to: &str, difference: &Difference, paint: Paint, width: usize) -> String {
    if difference.is_empty() {
        return format!(
            "{from} and {to}: no differences in {}.\n",
            plural(difference.same as u64, "resource or part", "resources and parts")
        );
    }
    let mut out = String::new();
    for (title, list, mark, label) in [
        (format!("Only in {to}"), &difference.added, "+", Label::Add),
        (format!("Only in {from}"), &difference.removed, "-", Label::Remove),
    ] {
        if list.is_empty() {
            continue;
        }
        out.push_str(&paint.label(Label::Heading, &format!("{title} ({})\n", list.len())));
        for (address, name) in list {
            let name = if name.is_empty() { String::new() } else { format!("  \"{name}\"") };
            out.push_str(&format!("  {} {address}{name}\n", paint.label(label, mark)));
        }
        out.push('\n');
    }
    if !difference.changed.is_empty() {
        out.push_str(&paint.label(Label::Heading, &format!("Differ ({}): {from} → {to}\n", difference.changed.len())));
        for (address, fields) in &difference.changed {
            out.push_str(&format!("  {} {address}\n", paint.label(Label::Change, "~")));
            let wide = fields.iter().map(|f| columns(&f.path.to_string())).max().unwrap_or(0).min(width / 3);
            for field in fields {
                let left = format!(
                    "      {}  {} → {}",
                    pad(&field.path.to_string(), wide),
                    shortened(&shown(field.from.as_ref()), width / 3),
                    shortened(&shown(field.to.as_ref()), width / 3)
                );
                let line = super::style::spread(&left, &paint.label(Label::Dim, &field.place), width, 8);
                out.push_str(line.trim_end());
                out.push('\n');
            }
        }
        out.push('\n');
    }
    out.push_str(&format!(
        "{} only in {to}, {} only in {from}, {} differ, {} alike.\n",
        difference.added.len(),
        difference.removed.len(),
        difference.changed.len(),
        difference.same
    ));
    out
}

fn shortened(text: &str, most: usize) -> String {
    let line = text.replace('\n', "\\n");
    if columns(&line) <= most { line } else { format!("{}...", line.chars().take(most.saturating_sub(3)).collect::<String>()) }
}

/// For a program.
#[must_use]
pub fn json(from: &str, to: &str, difference: &Difference) -> String {
    let listed = |list: &[(Address, String)]| -> Vec<Json> { list.iter().map(|(a, n)| json!({ "address": a, "name": n })).collect() };
    let changed: Vec<Json> = difference
        .changed
        .iter()
        .map(|(address, fields)| {
            let fields: Vec<Json> = fields
                .iter()
                .map(|f| {
                    let mut out = json!({ "path": f.path, "place": f.place });
                    for (name, side) in [("from", &f.from), ("to", &f.to)] {
                        if let Some(side) = side {
                            out[name] = json_value(&masked_in(side));
                        }
                    }
                    out
                })
                .collect();
            json!({ "address": address, "fields": fields })
        })
        .collect();
    format!(
        "{:#}\n",
        json!({
            "format": FORMAT, "from": from, "to": to, "same": difference.same,
            "added": listed(&difference.added), "removed": listed(&difference.removed), "changed": changed,
        })
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{Source, Span};
    use crate::kinds::Registry;
    use crate::model::{Deferred, Reference, json as parse};
    use crate::project::Lifecycle;
    use crate::yaml;

    fn value(text: &str) -> Value {
        parse::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    fn resources(file: &str, bodies: &[(&str, Value)]) -> BTreeMap<Address, Resource> {
        let resource = |(address, body): &(&str, Value)| {
            let address: Address = address.parse().expect("an address");
            let kind = Registry::standard().get(&address.kind).expect("a kind");
            let natural = body.get("name").map(Value::key_text).into_iter().collect();
            let source = Arc::new(Source { name: file.to_owned(), text: parse::write(body).unwrap_or_else(|_| "{}".to_owned()) });
            let node = Arc::new(yaml::parse(&source).expect("YAML").remove(0));
            let span = Span::new(&source, 0, 1);
            let (body, lifecycle) = (body.clone(), Lifecycle::default());
            (address.clone(), Resource { address, kind, body, node, span, presets: vec![], lifecycle, depends_on: vec![], natural })
        };
        bodies.iter().map(resource).collect()
    }

    fn between() -> Difference {
        let waits = |source: &str| {
            let of = Reference { address: Address::new("warehouses", "w"), path: Path::field("id") };
            Value::Unknown(Arc::new(Deferred { source: source.to_owned(), ..Deferred::of(of) }))
        };
        let from = resources(
            "dev.yaml",
            &[
                ("jobs.a", value(r#"{"name":"a","max_concurrent_runs":1,"tasks":[{"task_key":"l","timeout_seconds":1}]}"#)),
                ("jobs.gone", value(r#"{"name":"was here"}"#)),
                ("jobs.same", value(r#"{"name":"same"}"#)),
                ("jobs.url", value(r#"{"name":"https://ana:hunter2@x.net/?token=hunter2"}"#)),
                ("jobs.waits", Value::map([("name", waits("${warehouses.w.id}"))])),
            ],
        );
        let to = resources(
            "prod.yaml",
            &[
                ("jobs.a", value(r#"{"name":"a","description":"d","tasks":[{"task_key":"l","timeout_seconds":2}]}"#)),
                ("jobs.new", value(r#"{"name":"is new"}"#)),
                ("jobs.same", value(r#"{"name":"same"}"#)),
                ("jobs.url", value(r#"{"name":"https://x.net"}"#)),
                ("jobs.waits", Value::map([("name", waits("${warehouses.other.id}"))])),
            ],
        );
        Difference::between(&from, &to)
    }

    #[test]
    fn resources_and_fields_that_differ() {
        let found = between();
        assert!(!found.is_empty() && found.same == 1);
        let names = |list: &[(Address, String)]| list.iter().map(|(a, n)| format!("{a} {n}")).collect::<Vec<_>>();
        assert_eq!(
            (names(&found.added), names(&found.removed)),
            (vec!["jobs.new is new".to_owned()], vec!["jobs.gone was here".to_owned()])
        );
        let fields: Vec<String> = found.changed[&Address::new("jobs", "a")]
            .iter()
            .map(|f| format!("{} {} → {}", f.path, shown(f.from.as_ref()), shown(f.to.as_ref())))
            .collect();
        assert_eq!(
            fields,
            ["max_concurrent_runs 1 → (not set)", "tasks[task_key=l].timeout_seconds 1 → 2", "description (not set) → \"d\""]
        );
        let nothing = Difference::between(&BTreeMap::new(), &BTreeMap::new());
        assert!(nothing.is_empty());
        assert_eq!(text("dev", "prod", &nothing, Paint { colour: false }, 100), "dev and prod: no differences in 0 resources and parts.\n");
    }

    #[test]
    fn for_people_and_for_programs_without_credentials() {
        let found = between();
        for width in [60, 100, 200] {
            let text = text("dev", "prod", &found, Paint { colour: false }, width);
            assert!(text.starts_with("Only in prod (1)\n  + jobs.new  \"is new\"\n"), "{text}");
            assert!(
                text.contains("Differ (3): dev → prod\n") && text.ends_with("1 only in prod, 1 only in dev, 3 differ, 1 alike.\n"),
                "{text}"
            );
            assert!(text.contains("\"https://(sensiti") && !text.contains("hunter2"), "{text}");
        }
        let wide = text("dev", "prod", &found, Paint { colour: false }, 200);
        assert!(wide.contains("(known after apply) ${warehouses.w.id} → (known after apply) ${warehouses.other.id}"), "{wide}");
        let json: Json = serde_json::from_str(&json("dev", "prod", &found)).expect("JSON");
        assert_eq!((&json["format"], &json["same"]), (&serde_json::json!(FORMAT), &serde_json::json!(1)));
        assert_eq!(json["changed"][0]["fields"][2], serde_json::json!({ "path": "description", "place": "prod.yaml:1", "to": "d" }));
        assert!(!json.to_string().contains("hunter2"), "{json}");
    }
}
