//! Drift of an object whose definition stands in one field as the API has it (`serialized_space` of a Genie space): as a map, as a
//! text of JSON, or in a file that is named there. It goes back into that form: names, order, layout and variables stay. So does what
//! stands in fields of its own under the API's names, or another tool's.

use std::sync::Arc;

use super::json_like;
use super::place::Put;
use super::respell::respelled;
use super::write::{Into, Writer, file_of, meet};
use crate::diagnostic::Source;
use crate::kinds::Refusal;
use crate::model::{Path, Step, Value, json};
use crate::project::Resource;
use crate::yaml::place::key_path;
use crate::yaml::splice::{Edit, edits_to, splice};
use crate::yaml::{Entry, Node, parse};

const FILE: &str = "file";
const MARK: char = '\u{feff}';

/// What the other API of the same objects calls it.
const OTHER: &str = "definition";

/// The member of a resource that holds its definition as the API has it.
pub(super) fn member(resource: &Resource) -> Option<&Entry> {
    let (field, _) = resource.kind.packed?;
    resource.node.entry(field).or_else(|| resource.node.entry(OTHER))
}

/// How such a definition stands in the user's file.
enum Form {
    /// As a map.
    Map,
    /// As a text of JSON.
    Text(String),
    /// In a file, by its name; whether expressions in it are evaluated.
    File(String, bool),
}

/// What YAML is to say, but at these places.
type But<'b> = dyn Fn(&[Path]) -> Value + 'b;

/// What it becomes.
enum Now {
    /// Another value in its place.
    Value(Value),
    /// Another content of a file.
    File(String, String),
}

impl Writer<'_> {
    /// Takes the differences out that are about what stands in the definition, and writes those there.
    pub(super) fn packed<'n>(&mut self, resource: &Resource, found: Vec<Put<'n>>, base: &Value, but: &But<'_>) -> Vec<Put<'n>> {
        let Some((entry, repack)) = member(resource).zip(resource.kind.hooks.repack) else { return found };
        // What requests carry beside the definition stands beside it in YAML, too.
        let plain = resource.kind.hooks.wire.map_or(Value::Null, |wire| wire(&but(&[])));
        let stands = |name: &str| resource.node.get(name).is_some() || plain.get(name).is_some();
        let is_beside = |put: &Put<'_>| put.path.first_field().is_none_or(stands);
        let (beside, inside): (Vec<Put<'n>>, Vec<Put<'n>>) = found.into_iter().partition(is_beside);
        let Some(first) = inside.first() else { return beside };
        let path = if inside.len() == 1 { first.path.clone() } else { Path::field(entry.key.clone()) };
        let address = &resource.address;
        if self.ask.into == Into::Overlay {
            let why = format!("its definition stands in `{}` as the API has it, and an overlay cannot say that in part", entry.key);
            self.refuse(address, &path, why, "leave `--overlay` out, or put it back");
            return beside;
        }
        let source = Arc::clone(&entry.key_span.source);
        let documents = parse(&source).unwrap_or_default();
        let (start, end) = (entry.key_span.start as usize, entry.key_span.end as usize);
        let place = documents.iter().enumerate().find_map(|(i, d)| Some((i, key_path(d, start, end)?)));
        let Some((document, at, node)) = place.and_then(|(i, at)| Some((i, at.clone(), node_at(&documents[i], &at)?))) else {
            let why = format!("`{}` does not stand in `{}` by itself", entry.key, source.name);
            self.refuse(address, &path, why, "change it by hand, or put it back");
            return beside;
        };
        let folder = self.ask.project.folder.clone();
        let becomes = |target: &Value| {
            let edit = |raw: &Value, evaluated: bool| {
                let spell =
                    |written: &str, old: &str, new: &str| if evaluated { respelled(written, old, new) } else { Some(new.to_owned()) };
                repack(raw, base, target, &spell)
            };
            match form(entry, node) {
                Form::Map => edit(&node.value(), true).map(Now::Value),
                Form::Text(text) => text_with(&text, &|raw| edit(raw, true)).map(|text| Now::Value(Value::Text(text))),
                Form::File(file, evaluated) => {
                    let text = std::fs::read_to_string(folder.join(&file)).unwrap_or_default();
                    text_with(&text, &|raw| within(raw, &entry.key, &|raw| edit(raw, evaluated))).map(|text| Now::File(file, text))
                }
            }
        };
        let (now, inside) = self.but_what_cannot(resource, inside, &entry.value.span.source.name, &|left| becomes(&but(left)));
        match now {
            Some(_) if inside.is_empty() => {}
            Some(Now::File(file, text)) => self.fill_file(resource, &path, &file, text.into_bytes()),
            Some(Now::Value(value)) => {
                let edits = edits_to(&source, document, &at, &value).unwrap_or_else(|_| vec![Edit::Set(at, value)]);
                match self.edit(&source.name, document, &edits) {
                    Ok(()) => inside.iter().for_each(|put| self.told(resource, &put.path, &source.name)),
                    Err(refusal) => {
                        self.refuse(address, &path, format!("in `{}` {refusal}", source.name), "change it by hand, or put it back");
                    }
                }
            }
            None => {}
        }
        beside
    }

    /// What these differences make of a definition, and which of them are in it. What cannot be said there is refused by itself
    /// and left out; where one cannot be told from the others, they all are.
    fn but_what_cannot<'n, T>(
        &mut self,
        resource: &Resource,
        mut inside: Vec<Put<'n>>,
        file: &str,
        becomes: &dyn Fn(&[Path]) -> Result<T, Refusal>,
    ) -> (Option<T>, Vec<Put<'n>>) {
        let address = &resource.address;
        for put in &inside {
            self.tried(resource, &put.path);
        }
        let mut left: Vec<Path> = inside.iter().map(|put| put.path.clone()).filter(|path| self.is_unfit(address, path)).collect();
        loop {
            inside.retain(|put| !left.iter().any(|path| meet(path, &put.path)));
            let refusal = match becomes(&left) {
                Ok(now) => return (Some(now), inside),
                Err(refusal) => refusal,
            };
            let why = format!("{} (`{file}`)", refusal.reason);
            let help = "change it there by hand, put it back, or ignore it";
            self.refuse(address, &refusal.path, &*why, help);
            if !inside.iter().any(|put| meet(&refusal.path, &put.path)) {
                for put in &inside {
                    self.refuse(address, &put.path, &*why, help);
                }
                return (None, vec![]);
            }
            left.push(refusal.path);
        }
    }
}

impl Writer<'_> {
    /// Takes the differences out that are about what the file says under other names than YAML's own (`data_sources.tables`), and
    /// writes those under these names.
    pub(super) fn spelt_otherwise<'n>(&mut self, resource: &Resource, found: Vec<Put<'n>>, base: &Value, but: &But<'_>) -> Vec<Put<'n>> {
        let Some(repack) = resource.kind.hooks.repack.filter(|_| self.ask.into == Into::Source && member(resource).is_none()) else {
            return found;
        };
        let Some((document, at)) = Self::locate(&resource.node.span) else { return found };
        let source = Arc::clone(&resource.node.span.source);
        let documents = parse(&source).unwrap_or_default();
        let Some(node) = documents.get(document).and_then(|root| node_at(root, &at)) else { return found };
        let section = |put: &Put<'_>| {
            let fields = put.path.steps().iter().take_while(|step| matches!(step, Step::Field(_))).count();
            let sections = (1..=fields).map(|n| Path::from(put.path.steps()[..n].to_vec()));
            sections.into_iter().find(|path| base.at(path).is_some() && node_at(&resource.node, path).is_none())
        };
        let (inside, others): (Vec<Put<'n>>, Vec<Put<'n>>) = found.into_iter().partition(|put| section(put).is_some());
        if inside.is_empty() {
            return others;
        }
        let sections: Vec<Path> = inside.iter().filter_map(section).collect();
        let spell = |written: &str, old: &str, new: &str| respelled(written, old, new);
        let (now, inside) = self.but_what_cannot(resource, inside, &source.name, &|left| {
            let (mut wanted, target) = (base.clone(), but(left));
            for path in &sections {
                set(&mut wanted, path.steps(), target.at(path));
            }
            repack(&node.value(), base, &wanted, &spell)
        });
        if let Some(value) = now.filter(|_| !inside.is_empty()) {
            let edits = edits_to(&source, document, &at, &value).unwrap_or_else(|_| vec![Edit::Set(at, value)]);
            match self.edit(&source.name, document, &edits) {
                Ok(()) => inside.iter().for_each(|put| self.told(resource, &put.path, &source.name)),
                Err(refusal) => {
                    for put in &inside {
                        let why = format!("in `{}` {refusal}", source.name);
                        self.refuse(&resource.address, &put.path, why, "change it by hand, or put it back");
                    }
                }
            }
        }
        others
    }
}

/// Gives a place of fields another value, or takes it away.
fn set(body: &mut Value, fields: &[Step], value: Option<&Value>) {
    let (Some((Step::Field(name), rest)), Value::Map(map)) = (fields.split_first(), body) else { return };
    match (rest, value) {
        ([], Some(value)) => drop(map.insert(name.clone(), value.clone())),
        ([], None) => drop(map.shift_remove(name)),
        (rest, value) => {
            if let Some(below) = map.get_mut(name) {
                set(below, rest, value);
            }
        }
    }
}

/// The node at a path of fields and indexes.
fn node_at<'n>(root: &'n Node, path: &Path) -> Option<&'n Node> {
    path.steps().iter().try_fold(root, |node, step| match step {
        Step::Field(name) => node.get(name),
        Step::Index(i) => node.items().get(*i),
        Step::Key(..) | Step::Inside => None,
    })
}

fn form(entry: &Entry, node: &Node) -> Form {
    let file = || entry.value.span.source.name.clone();
    if node.get(FILE).is_some() {
        return Form::File(file(), node.get("expressions").is_none_or(|said| said.value() != Value::Bool(false)));
    }
    let Some(text) = node.text() else { return Form::Map };
    let called = text.trim().strip_prefix("${").and_then(|t| t.strip_suffix('}')).and_then(|inner| file_of(inner.trim()));
    match called {
        Some(name) => Form::File(name, false),
        None if entry.value.span.source.name == entry.key_span.source.name => Form::Text(text.to_owned()),
        // Bundles' `file_path`.
        None => Form::File(file(), true),
    }
}

/// A text of JSON with another value, in its own layout; what a person laid out is edited where it differs.
fn text_with(text: &str, edit: &dyn Fn(&Value) -> Result<Value, Refusal>) -> Result<String, Refusal> {
    let body = text.strip_prefix(MARK).unwrap_or(text);
    let old = json::parse(body.as_bytes()).map_err(|_| Refusal { path: Path::root(), reason: "it is no JSON by itself".to_owned() })?;
    let new = edit(&old)?;
    let now = if json_like::is_regular(body, &old) { None } else { by_hand(body, &new) };
    let now = now.unwrap_or_else(|| json_like::like(body, &old, &new));
    Ok(if text.starts_with(MARK) { format!("{MARK}{now}") } else { now })
}

/// Edits of JSON that a person laid out; none where they cannot be made.
fn by_hand(text: &str, new: &Value) -> Option<String> {
    let source = Arc::new(Source { name: "definition.json".to_owned(), text: text.to_owned() });
    let edits = edits_to(&source, 0, &Path::root(), new).ok()?;
    splice(&source, 0, &edits).ok().filter(|text| json::parse(text.as_bytes()).is_ok_and(|read| read == *new))
}

/// A definition, or the reply of the API that holds one, as text or as a map.
fn within(raw: &Value, field: &str, edit: &dyn Fn(&Value) -> Result<Value, Refusal>) -> Result<Value, Refusal> {
    let inner = match raw.get(field) {
        None => return edit(raw),
        Some(Value::Text(text)) => Value::Text(text_with(text, edit)?),
        Some(inner) => edit(inner)?,
    };
    let mut whole = raw.clone();
    if let Some(map) = whole.as_map_mut() {
        map.insert(field.to_owned(), inner);
    }
    Ok(whole)
}
