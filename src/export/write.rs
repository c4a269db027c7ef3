//! Drift written back: each value into the file that it comes from, or, where an expression that others share gives it, into
//! the environment's overlay.

mod ask;
mod overlaid;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use super::accept::{accepted, can_be_read, is_secret, whole};
use super::edited::Edited;
use super::overlay;
use super::place::{Put, What, puts};
use super::respell::respelled;
use super::twins;
use crate::diagnostic::{Source, Span};
use crate::diff::{Adopted, FieldChange, Reason, adopted};
use crate::kinds::{Kind, Schema};
use crate::model::{Address, Path, Step as Part, Value};
use crate::plan::{DELETED, Seen, Step};
use crate::project::{Project, Resource};
use crate::yaml::place::{key_path, path_to};
use crate::yaml::splice::{Edit, Refusal, edits_to, splice};
use crate::yaml::{Node, parse};
pub use ask::{Ask, Conflicts, Into, Refused, Unfit, Written};

/// Makes the edits. Writes nothing.
#[must_use]
pub fn write_back(ask: &Ask<'_>) -> Written {
    write_but(ask, &Unfit::new())
}

/// Makes the edits but for these, which are refused. Writes nothing.
#[must_use]
pub fn write_but(ask: &Ask<'_>, unfit: &Unfit) -> Written {
    let texts = BTreeMap::new();
    let mut writer = Writer { ask, unfit, texts, sources: BTreeMap::new(), named: BTreeSet::new(), written: Written::default() };
    for step in ask.steps {
        writer.step(step);
    }
    let Writer { texts, sources, mut written, .. } = writer;
    written.files = texts
        .into_iter()
        .filter(|(_, text)| text.before.as_deref() != Some(&text.now))
        .map(|(name, text)| Edited { name, path: text.path, before: text.before.map(String::into_bytes), after: text.now.into_bytes() })
        .chain(sources.into_values().filter(|edit| edit.before.as_ref() != Some(&edit.after)))
        .collect();
    written.files.sort_by(|a, b| a.name.cmp(&b.name));
    written
}

/// A file while it is edited.
struct Text {
    path: PathBuf,
    before: Option<String>,
    now: String,
}

/// What YAML gives, and what it is to give.
#[derive(Clone, Copy)]
struct Sides<'v> {
    desired: &'v Value,
    target: &'v Value,
}

pub(super) struct Writer<'a> {
    pub(super) ask: &'a Ask<'a>,
    unfit: &'a Unfit,
    texts: BTreeMap<String, Text>,
    /// The names that new items were given, by their lists.
    named: BTreeSet<(Address, Path, String)>,
    /// Files that are the content of a resource, by name.
    pub(super) sources: BTreeMap<String, Edited>,
    written: Written,
}

/// Whether a change is drift: what the workspace did, not what YAML asks for.
#[must_use]
pub fn is_drift(change: &FieldChange) -> bool {
    matches!(change.reason, Reason::Drift | Reason::Conflict)
}

/// Whether `adopt --write` has something to say of a step: the workspace changed something, or it has something else where YAML
/// changed something too.
#[must_use]
pub fn concerns(step: &Step) -> bool {
    let has_more = |seen: &Seen| {
        let Some(kind) = crate::kinds::Registry::standard().get(&step.kind) else { return false };
        let Adopted { taken, conflicts, .. } = both(kind, seen, Conflicts::Told);
        taken.iter().chain(&conflicts).any(|c| !is_secret(c) && can_be_read(kind, c))
    };
    step.because.as_deref() == Some(DELETED) || step.changes.iter().any(is_drift) || step.seen.as_deref().is_some_and(has_more)
}

/// What both did since the last apply. Where nothing was applied, there is no third side.
fn both(kind: &'static Kind, seen: &Seen, conflicts: Conflicts) -> Adopted {
    let Some(applied) = &seen.applied else {
        let taken: Vec<FieldChange> = seen.changes.iter().filter(|c| is_drift(c)).cloned().collect();
        return Adopted { recorded: taken.clone(), taken, conflicts: vec![] };
    };
    let found = adopted(kind, &seen.changes, &crate::diff::Sides { desired: &seen.desired, applied, live: &seen.live });
    match conflicts {
        Conflicts::Told => found,
        Conflicts::Theirs => found.theirs(),
    }
}

impl Writer<'_> {
    pub(super) fn refuse(
        &mut self,
        address: &Address,
        path: &Path,
        why: impl std::convert::Into<String>,
        help: impl std::convert::Into<String>,
    ) {
        self.written.refused.push(Refused { address: address.clone(), path: path.clone(), why: why.into(), help: help.into() });
    }

    fn step(&mut self, step: &Step) {
        let Some(resource) = self.ask.desired.resources.get(&step.address) else { return };
        if self.is_unfit(&step.address, &Path::root()) {
            return;
        }
        let is_gone = step.because.as_deref() == Some(DELETED);
        let seen = step.seen.as_ref().filter(|_| !is_gone);
        let taken = seen.map(|seen| self.taken(step, resource, seen)).unwrap_or_default();
        let but = |seen: &Seen, left: &[Path]| target(resource, seen, &taken, left);
        let target = seen.map(|seen| (but(seen, &[]), &seen.desired));
        let mut found = Vec::new();
        if let (Some((target, desired)), Some(seen)) = (&target, seen) {
            puts(&resource.node, desired, target, Some(Schema::of(resource.kind).root()), &Path::root(), &mut found);
            found = self.content(resource, found, target);
            found = self.packed(resource, found, desired, &|left| but(seen, left));
            self.secrets(step);
            if found.is_empty() {
                return;
            }
        }
        if step.address.instance.is_some() {
            let template = Address { instance: None, facet: None, ..step.address.clone() };
            let why = format!("it is one of several that `for_each` of {template} makes");
            return self.refuse(&step.address, &Path::root(), why, "give `each.value` a field for what differs, put it back, or ignore it");
        }
        if FilePath::new(&resource.span.source.name).extension().is_some_and(|end| end == "hbs") {
            let why = format!("it is made by the template `{}`", resource.span.source.name);
            return self.refuse(&step.address, &Path::root(), why, "change the template, put it back, or ignore it");
        }
        if is_gone {
            return self.deleted(resource);
        }
        let Some((target, _)) = target else { return };
        let Some(seen) = seen else { return };
        for put in self.spelt_otherwise(resource, found, &seen.desired, &|left| but(seen, left)) {
            self.put(resource, put, Sides { desired: &seen.desired, target: &target });
        }
    }

    /// Takes note that it was tried.
    pub(super) fn tried(&mut self, resource: &Resource, path: &Path) {
        self.written.tried.push((resource.address.clone(), path.clone()));
    }

    /// Whether this is not to be written; then it is told.
    pub(super) fn is_unfit(&mut self, address: &Address, path: &Path) -> bool {
        let Some(why) = self.unfit.get(&(address.clone(), path.clone())) else { return false };
        self.refuse(address, path, why.clone(), "write it by hand, put it back, or ignore it");
        true
    }

    /// What YAML takes from the workspace: where both changed the same nothing, which is set aside.
    fn taken(&mut self, step: &Step, resource: &Resource, seen: &Seen) -> Vec<FieldChange> {
        let Adopted { taken, recorded, mut conflicts } = both(resource.kind, seen, self.ask.conflicts);
        conflicts.retain(|change| !is_secret(change) && can_be_read(resource.kind, change));
        if !conflicts.is_empty() {
            self.written.conflicts.push((step.address.clone(), conflicts));
        }
        self.written.taken.push((step.address.clone(), taken.clone()));
        self.written.recorded.push((step.address.clone(), recorded));
        taken
    }

    /// Drift of secrets is never written: neither the file nor the state may hold the value.
    fn secrets(&mut self, step: &Step) {
        for change in step.changes.iter().filter(|c| is_drift(c) && is_secret(c)) {
            let help = format!("change the secret where it is kept, or put it back: `brickform apply --target {}`", step.address);
            self.refuse(&step.address, &change.path, "its value is a secret, and secrets are never written", help);
        }
    }

    /// An object that is gone from the workspace goes from the YAML.
    fn deleted(&mut self, resource: &Resource) {
        let address = &resource.address;
        if resource.is_implied() {
            let why = "no file declares it: it is there because something that is declared is in it";
            return self.refuse(
                address,
                &Path::root(),
                why,
                "put it back: the next apply makes it, or move what is declared in it elsewhere",
            );
        }
        if !self.ask.deletions {
            return self.refuse(address, &Path::root(), "it was deleted in the workspace", "add `--deletions` to take it out of the YAML");
        }
        if self.ask.into == Into::Overlay {
            return self.deleted_here(resource);
        }
        let done = (|| {
            let span = &resource.span;
            let source = Arc::clone(&span.source);
            let documents = parse(&source).ok()?;
            let (document, mut path) =
                documents.iter().enumerate().find_map(|(i, d)| Some((i, key_path(d, span.start as usize, span.end as usize)?)))?;
            let mut above = path.clone();
            above.pop();
            let alone = |p: &Path| documents[document].value().at(p).is_some_and(|v| v.as_map().is_some_and(|m| m.len() == 1));
            if !above.is_root() && alone(&above) {
                path = above;
            }
            self.edit(&span.source.name, document, &[Edit::Remove(path)]).ok()
        })();
        match done {
            Some(()) => {
                let place = format!("{}: taken away", resource.span.source.name);
                self.written.places.push((address.clone(), Path::root(), place));
            }
            None => self.refuse(
                address,
                &Path::root(),
                format!("its lines in `{}` cannot be taken away by themselves", resource.span.source.name),
                "take it out by hand",
            ),
        }
    }

    fn put(&mut self, resource: &Resource, put: Put<'_>, sides: Sides<'_>) {
        let Put { path, node, what } = put;
        self.written.tried.push((resource.address.clone(), path.clone()));
        if self.is_unfit(&resource.address, &path) {
            return;
        }
        let value = match &what {
            What::Set(v) | What::Add(_, v) | What::Insert(_, v) => Some(v),
            What::Remove | What::Untold => None,
        };
        if value.is_some_and(|v| v.has_secret() || v.has_unknown()) {
            return self.refuse(
                &resource.address,
                &path,
                "a secret stands in it",
                "secrets are never written: change the secret where it is kept",
            );
        }
        if matches!(what, What::Untold) {
            return self.refuse(&resource.address, &path, "the YAML does not say this in a field of its own", "change it by hand");
        }
        let what = match what {
            What::Insert(nth, value) => What::Insert(nth, self.told_apart(resource, &path, value, sides)),
            other => other,
        };
        if matches!(what, What::Insert(..)) && self.undeleted(resource, &path, &what) {
            return;
        }
        if self.ask.into == Into::Overlay && !self.stands_in_overlay(resource, &path, node, &what) {
            return self.overlay(resource, &path, sides, &what, "asked for");
        }
        let base = resource.body.at(&path).and_then(Value::as_str);
        let value = match &what {
            What::Set(v) | What::Add(_, v) | What::Insert(_, v) => Some(v),
            What::Remove | What::Untold => None,
        };
        let raw = value.map(|v| with_last_line(node, base, self.raw(v, &resource.address)));
        // A text alone that gets more members stays what it is among them.
        let grown = match (&what, node.scalar(), sides.desired.at(&path)) {
            (What::Set(new @ Value::Map(_)), Some(_), Some(old @ Value::Map(ours))) if overlay::alone(ours).is_some() => {
                Some(overlay::spelt(Some(node), Some(old), new, &|v| self.raw(v, &resource.address)))
            }
            _ => None,
        };
        if let (What::Set(new), None, true) = (&what, &grown, has_expression(node)) {
            return self.expression(resource, &path, node, new, sides, &what);
        }
        let name = node.span.source.name.clone();
        let edit = Self::locate(&node.span).map(|(document, at)| {
            let edits = match (&what, grown.or(raw)) {
                (What::Set(_), Some(raw)) => {
                    edits_to(&node.span.source, document, &at, &raw).unwrap_or_else(|_| vec![Edit::Set(at.clone(), raw)])
                }
                (What::Add(field, _), Some(raw)) => vec![Edit::Set(at.join(Part::Field(field.clone())), raw)],
                (What::Insert(nth, _), Some(raw)) => vec![Edit::Insert(at, *nth, raw)],
                _ => vec![Edit::Remove(at)],
            };
            (document, edits)
        });
        let edited = edit.ok_or(Refusal::Shared(path.clone())).and_then(|(document, edits)| self.edit(&name, document, &edits));
        match edited {
            Ok(()) => self.told(resource, &path, &name),
            Err(refusal) => self.overlay(resource, &path, sides, &what, &format!("in `{name}` {refusal}")),
        }
    }

    /// A new item with a name of its own, where the list has one that says the same of itself.
    fn told_apart(&mut self, resource: &Resource, path: &Path, value: Value, sides: Sides<'_>) -> Value {
        let above = above(path);
        let list = Schema::of(resource.kind).at(&above);
        let Some((list, own)) = list.and_then(|list| Some((list, twins::own_name(list)?))) else { return value };
        let ours = sides.desired.at(&above).and_then(Value::as_list).unwrap_or_default();
        let said = format!(":{}", twins::said(list, &value));
        let is_first = !ours.iter().any(|item| twins::are_alike(list, item, &value))
            && self.named.insert((resource.address.clone(), above.clone(), said));
        if is_first || value.get(own).is_some() {
            return value;
        }
        let is_of =
            |(address, path, name): &&(Address, Path, String)| *address == resource.address && *path == above && name.starts_with('=');
        let taken: BTreeSet<String> = self.named.iter().filter(is_of).map(|(.., name)| name[1..].to_owned()).collect();
        let name = twins::free_name(own, ours, &taken);
        self.named.insert((resource.address.clone(), above, format!("={name}")));
        let mut map = match value {
            Value::Map(map) => map,
            text => list.keyed().into_iter().flatten().take(1).map(|field| ((*field).to_owned(), text.clone())).collect(),
        };
        map.insert(own.to_owned(), Value::Text(name));
        Value::Map(map)
    }

    pub(super) fn told(&mut self, resource: &Resource, path: &Path, place: &str) {
        self.written.places.push((resource.address.clone(), path.clone(), place.to_owned()));
    }

    /// A value that an expression gives.
    fn expression(&mut self, resource: &Resource, path: &Path, node: &Node, new: &Value, sides: Sides<'_>, what: &What) {
        let text = node.text().unwrap_or_default().trim();
        let inner = text.strip_prefix("${").and_then(|t| t.strip_suffix('}')).map(str::trim).filter(|t| !t.contains("${"));
        let raw = self.raw(new, &resource.address);
        if let Some(template) = inner.and_then(|i| called(i, "template(")) {
            let why = format!("the template `{template}` makes it ({})", node.span.cite());
            return self.refuse(&resource.address, path, why, "change the template, put it back, or ignore it");
        }
        if self.respelled(resource, path, node, new) {
            return self.told(resource, path, &node.span.source.name);
        }
        if let Some(file) = inner.and_then(file_of)
            && let Value::Text(content) = new
        {
            let base = resource.body.at(path).and_then(Value::as_str).unwrap_or_default();
            return self.fill_text(resource, path, &file, base, content);
        }
        if inner.is_some_and(|i| i.rsplit('.').next() == Some("id"))
            && raw != *new
            && let Some((document, at)) = Self::locate(&node.span)
            && self.edit(&node.span.source.name, document, &[Edit::Set(at, raw.clone())]).is_ok()
        {
            return self.told(resource, path, &node.span.source.name);
        }
        let variable = inner.map(|i| i.strip_prefix("var.").unwrap_or(i)).filter(|v| self.ask.project.given_by(v).is_some());
        if let Some(name) = variable {
            let uses = self.ask.project.mentions(name);
            let given = self.ask.project.given_by(name).cloned();
            if let Some(given) = given.filter(|g| uses == 1 && !has_expression(g) && self.is_own_file(&g.span))
                && let Some((document, at)) = Self::locate(&given.span)
                && self.edit(&given.span.source.name, document, &[Edit::Set(at, raw)]).is_ok()
            {
                let place = format!("{}, variable `{name}`, which nothing else uses", given.span.source.name);
                return self.told(resource, path, &place);
            }
            return self.overlay(
                resource,
                path,
                sides,
                what,
                &format!("`{text}` stands in `{}`, and the variable is not this field's alone", node.span.source.name),
            );
        }
        self.overlay(resource, path, sides, what, &format!("`{}` stands in `{}`", shortened(text), node.span.source.name));
    }

    /// A text with expressions inside: they stay where what they give is still there. Whether it was written.
    fn respelled(&mut self, resource: &Resource, path: &Path, node: &Node, new: &Value) -> bool {
        let (Some(source), Some(old), Value::Text(new)) = (node.text(), resource.body.at(path).and_then(Value::as_str), new) else {
            return false;
        };
        let cut = if old.ends_with('\n') { source } else { source.trim_end_matches('\n') };
        let Some(spelt) = respelled(cut, old, new) else { return false };
        let value = Value::Text(spelt + &source[cut.len()..]);
        let Some((document, at)) = Self::locate(&node.span) else { return false };
        let edits = edits_to(&node.span.source, document, &at, &value).unwrap_or_else(|_| vec![Edit::Set(at.clone(), value)]);
        self.edit(&node.span.source.name, document, &edits).is_ok()
    }

    /// Whether a place is in the file of the chosen environment.
    /// A value as the source spells it: text that looks like an expression is none, ids of declared objects are references.
    fn raw(&self, value: &Value, own: &Address) -> Value {
        match value {
            Value::Text(text) => match self.ask.ids.get(text).filter(|a| *a != own && !own.is_facet()) {
                Some(address) => Value::Text(format!("${{{address}.id}}")),
                None => Value::Text(text.replace("${", "$${")),
            },
            Value::List(items) => Value::List(items.iter().map(|v| self.raw(v, own)).collect()),
            Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), self.raw(v, own))).collect()),
            other => other.clone(),
        }
    }

    /// Document and path of a node in its file.
    pub(super) fn locate(span: &Span) -> Option<(usize, Path)> {
        let documents = parse(&span.source).ok()?;
        documents.iter().enumerate().find_map(|(i, d)| Some((i, path_to(d, span.start as usize, span.end as usize)?)))
    }

    fn text(&mut self, name: &str) -> Option<&mut Text> {
        if !self.texts.contains_key(name) {
            let path = self.ask.project.folder.join(FilePath::new(name));
            let before = std::fs::read_to_string(&path).ok()?;
            self.texts.insert(name.to_owned(), Text { path, now: before.clone(), before: Some(before) });
        }
        self.texts.get_mut(name)
    }

    pub(super) fn edit(&mut self, name: &str, document: usize, edits: &[Edit]) -> Result<(), Refusal> {
        let text = self.text(name).ok_or(Refusal::Broken)?;
        let source = Source { name: name.to_owned(), text: text.now.clone() };
        text.now = splice(&source, document, edits)?;
        Ok(())
    }
}

/// What YAML is to say: its own edits, and what it takes from the workspace, but at these places.
fn target(resource: &Resource, seen: &Seen, taken: &[FieldChange], left: &[Path]) -> Value {
    let changes: Vec<&FieldChange> = taken.iter().filter(|change| !left.iter().any(|path| meet(path, &change.path))).collect();
    match super::packed::member(resource) {
        // As the API has it: so it stands there.
        Some(_) => whole(resource.kind, &seen.desired, &changes, &seen.live),
        None => accepted(resource.kind, &seen.desired, &changes, &seen.live),
    }
}

/// Whether one of two places is in the other.
pub(super) fn meet(one: &Path, other: &Path) -> bool {
    one.contains(other) || other.contains(one)
}

/// The file of the project's chosen environment, which takes its overlays; none where it has no file.
#[must_use]
pub fn environment_file(project: &Project) -> Option<String> {
    let environment = &project.environment;
    let named = environment.span.as_ref().map(|s| s.source.name.clone());
    let folders = ["environments", "conf/environments"];
    let there = |name: &String| project.folder.join(name).is_file();
    named.or_else(|| folders.iter().flat_map(|f| ["yaml", "yml"].map(|e| format!("{f}/{}.{e}", environment.name))).find(there))
}

fn shortened(text: &str) -> String {
    if text.is_empty() {
        return "an expression".to_owned();
    }
    if text.chars().count() > 60 { text.chars().take(57).collect::<String>() + "..." } else { text.to_owned() }
}

/// A text whose last line end the normal form leaves out keeps it in the source: a block stays the block that it is.
fn with_last_line(node: &Node, base: Option<&str>, raw: Value) -> Value {
    let ends = |source: &str, base: &str| source.len() == base.len() + 1 && source.ends_with('\n') && !base.ends_with('\n');
    match (raw, node.text().zip(base)) {
        (Value::Text(text), Some((source, base))) if ends(source, base) => Value::Text(text + "\n"),
        (other, _) => other,
    }
}

/// The path of `file("...")`.
pub(super) fn file_of(expression: &str) -> Option<String> {
    called(expression, "file(")
}

/// The only argument, a text, of a call.
fn called(expression: &str, function: &str) -> Option<String> {
    let inner = expression.strip_prefix(function)?.strip_suffix(')')?.trim();
    let quote = inner.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let path = inner.strip_prefix(quote)?.strip_suffix(quote)?;
    (!path.contains(['"', '\'', '\\'])).then(|| path.to_owned())
}

/// The path without its last step.
fn above(path: &Path) -> Path {
    let mut above = path.clone();
    above.pop();
    above
}

/// Whether an expression stands in a node.
fn has_expression(node: &Node) -> bool {
    match &node.data {
        crate::yaml::Data::Scalar(s) => s.text.replace("$${", "").contains("${"),
        crate::yaml::Data::List(items) => items.iter().any(has_expression),
        crate::yaml::Data::Map(entries) => entries.iter().any(|e| has_expression(&e.value)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{file_of, has_expression, is_drift, shortened};
    use crate::diagnostic::Source;
    use crate::diff::{FieldChange, Reason};
    use crate::model::Path;
    use crate::yaml::parse;

    #[test]
    fn files_that_expressions_read() {
        for (expression, want) in [
            (r#"file("sql/x.sql")"#, Some("sql/x.sql")),
            ("file('sql/x.sql')", Some("sql/x.sql")),
            (r#"file( "sql/x.sql" )"#, Some("sql/x.sql")),
            (r#"file("a") ~ "b""#, None),
            (r#"file("a" ~ "b")"#, None),
            ("file(name)", None),
            (r#"template("a.hbs")"#, None),
        ] {
            assert_eq!(file_of(expression).as_deref(), want, "{expression}");
        }
    }

    #[test]
    fn expressions_anywhere_in_a_node() {
        for (text, want) in
            [("a: b", false), ("a: ${b}", true), ("a: [x, { y: 'n-${b}' }]", true), ("a: $${b}", false), ("a: $${b}${c}", true)]
        {
            let source = Arc::new(Source { name: "a.yaml".to_owned(), text: text.to_owned() });
            assert_eq!(has_expression(&parse(&source).expect("YAML")[0]), want, "{text}");
        }
    }

    #[test]
    fn what_is_written_back_and_how_it_is_named() {
        for (reason, want) in [(Reason::Drift, true), (Reason::Conflict, true), (Reason::Changed, false), (Reason::Removed, false)] {
            assert_eq!(is_drift(&FieldChange { path: Path::root(), old: None, new: None, applied: None, reason }), want);
        }
        assert_eq!(shortened(""), "an expression");
        assert_eq!(shortened("${a}"), "${a}");
        assert_eq!(shortened(&"ü".repeat(61)), "ü".repeat(57) + "...");
    }
}
