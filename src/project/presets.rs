//! `presets:` of an environment: what all its resources get without writing it into each. Every kind says as data what a
//! preset touches ([`Preset`]).
//!
//! They apply to the merged trees, after overlays and before references resolve, so that `${jobs.x.name}` is the name
//! with its prefix. What YAML says about a field wins over a preset; only `standby` wins over the base, since its whole
//! point is an environment that costs less than its YAML says: an overlay of the environment itself wins over that too.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::collect::Raw;
use super::environment::{EnvironmentFile, Evaluate};
use super::findings::{Findings, boolean, map, meant, wrong_sort};
use crate::diagnostic::{Diagnostic, Source, Span};
use crate::kinds::{Kind, Lit, Preset};
use crate::model::{Path, Step, Value};
use crate::yaml::{Data, Entry, Node, Scalar, Style};

/// A field that a preset set or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromPreset {
    /// The field.
    pub path: Path,
    /// The preset: `name_prefix`.
    pub preset: &'static str,
    /// Where the environment sets it.
    pub span: Span,
}

/// The presets of an environment as they are written; expressions in them are evaluated with each resource.
#[derive(Debug, Default)]
pub struct Presets {
    set: BTreeMap<&'static str, Node>,
    /// Files whose word is the environment's own.
    own: Vec<Arc<Source>>,
}

/// Every spelling and the preset it stands for; those of bundles among them.
const NAMES: &[(&str, &str)] = &[
    ("name_prefix", "name_prefix"),
    ("tags", "tags"),
    ("pause_schedules", "pause_schedules"),
    ("trigger_pause_status", "pause_schedules"),
    ("jobs_max_concurrent_runs", "max_concurrent_runs"),
    ("max_concurrent_runs", "max_concurrent_runs"),
    ("run_as", "run_as"),
    ("lock_jobs_ui", "lock_jobs_ui"),
    ("standby", "standby"),
];

/// Presets of bundles that have no meaning here: there is nothing to build or to link.
const MEANINGLESS: &[&str] = &["pipelines_development", "source_linked_deployment", "artifacts_dynamic_version"];

/// Reads `presets:` of the chain; those of a later file win one by one, tags key by key.
pub fn read(chain: &[&EnvironmentFile], findings: &mut Findings) -> Presets {
    let mut presets = Presets { own: chain.iter().map(|f| Arc::clone(&f.node.span.source)).collect(), ..Presets::default() };
    for file in chain {
        let Some(node) = file.node.get("presets").and_then(|n| map(n, "`presets`", findings)) else { continue };
        for entry in node.entries() {
            match NAMES.iter().find(|(name, _)| *name == entry.key) {
                Some((_, preset)) => one(preset, entry, &mut presets.set, findings),
                None if MEANINGLESS.contains(&entry.key.as_str()) => findings
                    .add(Diagnostic::warning("W0316", format!("`presets.{}` has no meaning here", entry.key)).at(&entry.key_span, "")),
                None => {
                    let found = Diagnostic::error("E0309", format!("unknown key `{}` in `presets`", entry.key)).at(&entry.key_span, "");
                    findings.add(meant(found, &entry.key, NAMES.iter().map(|(n, _)| *n), &entry.key_span));
                }
            }
        }
    }
    presets
}

/// One preset. `false` and null take an inherited one away.
fn one(preset: &'static str, entry: &Entry, set: &mut BTreeMap<&'static str, Node>, findings: &mut Findings) {
    let value = &entry.value;
    let what = format!("`presets.{}`", entry.key);
    let on = match preset {
        _ if value.is_null() => false,
        "pause_schedules" if entry.key == "trigger_pause_status" => match value.text() {
            Some("PAUSED") => true,
            Some("UNPAUSED") => false,
            _ => return findings.add(Diagnostic::error("E0303", format!("{what} is `PAUSED` or `UNPAUSED`")).at(&value.span, "")),
        },
        "pause_schedules" | "lock_jobs_ui" | "standby" => match boolean(value, &what, findings) {
            Some(on) => on,
            None => return,
        },
        "name_prefix" if value.scalar().is_none() => return findings.add(wrong_sort(value, &what, "text")),
        "max_concurrent_runs" if value.scalar().is_none() => return findings.add(wrong_sort(value, &what, "a whole number")),
        "tags" | "run_as" if !matches!(value.data, Data::Map(_)) => return findings.add(wrong_sort(value, &what, "a map")),
        _ => true,
    };
    if !on {
        set.remove(preset);
        return;
    }
    let mut node = value.clone();
    if preset == "tags"
        && let (Some(Node { data: Data::Map(before), .. }), Data::Map(more)) = (set.get(preset), &mut node.data)
    {
        let mut all: Vec<Entry> = before.iter().filter(|b| more.iter().all(|m| m.key != b.key)).cloned().collect();
        all.append(more);
        *more = all;
    }
    set.insert(preset, node);
}

impl Presets {
    /// Evaluates the prefix once: a mistake in it is told at the preset, not at every name.
    pub fn settle(&mut self, evaluate: &Evaluate<'_>, findings: &mut Findings) {
        let Some(node) = self.set.remove("name_prefix") else { return };
        let Ok(value) = evaluate(&node) else { return };
        let Some(prefix) = value.as_str().map(str::to_owned).or_else(|| node.text().filter(|_| !waits(&value)).map(str::to_owned)) else {
            let wrong = Diagnostic::error("E0311", "`presets.name_prefix` must be known before a workspace is asked");
            return findings.add(wrong.at(&node.span, "this waits for the workspace or for a secret"));
        };
        // What came out of the evaluation is text, and no expression.
        self.set.insert("name_prefix", text(&prefix.replace("${", "$${"), &node.span));
    }

    /// Applies them to a resource; gives the fields that they set.
    pub fn apply(&self, raw: &mut Raw) -> Vec<FromPreset> {
        if self.set.is_empty() {
            return Vec::new();
        }
        let mut made = Made { own: &self.own, touched: Vec::new() };
        let kind: &'static Kind = raw.kind;
        for preset in kind.presets {
            let name = name_of(preset);
            let Some(value) = self.set.get(name) else { continue };
            made.preset(preset, name, value, &mut raw.node);
        }
        made.touched
    }
}

fn waits(value: &Value) -> bool {
    matches!(value, Value::Unknown(_) | Value::Secret(_))
}

fn name_of(preset: &Preset) -> &'static str {
    match preset {
        Preset::Prefixed(_) => "name_prefix",
        Preset::TagMap(_) | Preset::TagPairs(_) => "tags",
        Preset::Paused(..) => "pause_schedules",
        Preset::ConcurrentRuns(_) => "max_concurrent_runs",
        Preset::RunAs(_) => "run_as",
        Preset::Locked(..) => "lock_jobs_ui",
        Preset::Standby(..) => "standby",
    }
}

struct Made<'a> {
    own: &'a [Arc<Source>],
    touched: Vec<FromPreset>,
}

impl Made<'_> {
    fn preset(&mut self, preset: &Preset, name: &'static str, value: &Node, body: &mut Node) {
        match preset {
            Preset::Prefixed(field) => self.prefix(field, name, value, body),
            Preset::TagMap(field) => {
                for tag in value.entries() {
                    self.set(&[field, &tag.key], name, &tag.value, body, Over::Nothing);
                }
            }
            Preset::TagPairs(field) => self.pairs(field, name, value, body),
            Preset::Paused(parent, field, word) => {
                if body.get(parent).is_some_and(|n| matches!(n.data, Data::Map(_))) {
                    self.set(&[parent, field], name, &scalar(word, &value.span), body, Over::Nothing);
                }
            }
            Preset::ConcurrentRuns(field) | Preset::RunAs(field) => self.set(&[field], name, value, body, Over::Nothing),
            Preset::Locked(field, word) => self.set(&[field], name, &scalar(word, &value.span), body, Over::Nothing),
            Preset::Standby(field, word) => self.set(&[field], name, &scalar(word, &value.span), body, Over::TheBase),
        }
    }

    fn note(&mut self, steps: &[&str], preset: &'static str, span: &Span) {
        let path = steps.iter().fold(Path::root(), |path, step| path.join(Step::Field((*step).to_owned())));
        self.touched.push(FromPreset { path, preset, span: span.clone() });
    }

    /// Text before a name that is written; a name is never made up.
    fn prefix(&mut self, field: &str, preset: &'static str, value: &Node, body: &mut Node) {
        let (Some(prefix), Data::Map(entries)) = (value.text(), &mut body.data) else { return };
        let Some(entry) = entries.iter_mut().find(|e| e.key == field) else { return };
        if entry.value.is_null() {
            return;
        }
        let Data::Scalar(name) = &mut entry.value.data else { return };
        name.text = format!("{prefix}{}", name.text);
        name.style = Style::Double;
        self.note(&[field], preset, &value.span);
    }

    /// A field below maps, made where they are missing.
    fn set(&mut self, steps: &[&str], preset: &'static str, value: &Node, body: &mut Node, over: Over) {
        let Some((first, rest)) = steps.split_first() else { return };
        let mut entries = match &mut body.data {
            Data::Map(entries) => entries,
            Data::Scalar(_) | Data::List(_) => return, // the wrong type of the field is told with the body
        };
        let mut name = *first;
        for next in rest {
            let at = place(entries, name, || Node { span: value.span.clone(), data: Data::Map(Vec::new()) }, &value.span);
            match &mut entries[at].value.data {
                Data::Map(inner) => entries = inner,
                Data::Scalar(_) | Data::List(_) => return,
            }
            name = next;
        }
        match entries.iter_mut().find(|e| e.key == name) {
            Some(written) => {
                let yields = over == Over::TheBase && !self.own.contains(&written.value.span.source);
                if !yields || written.value.value() == value.value() {
                    return;
                }
                written.value = value.clone();
            }
            None => entries.push(Entry { key: name.to_owned(), key_span: value.span.clone(), value: value.clone() }),
        }
        self.note(steps, preset, &value.span);
    }

    /// Tags that are a list of `{key, value}`: `tags.custom_tags`.
    fn pairs(&mut self, field: &str, preset: &'static str, value: &Node, body: &mut Node) {
        let steps: Vec<&str> = field.split('.').collect();
        let empty = Node { span: value.span.clone(), data: Data::List(Vec::new()) };
        let there = self.touched.len();
        self.set(&steps, preset, &empty, body, Over::Nothing);
        self.touched.truncate(there);
        let mut list = &mut *body;
        for step in &steps {
            let Data::Map(entries) = &mut list.data else { return };
            let Some(entry) = entries.iter_mut().find(|e| e.key == *step) else { return };
            list = &mut entry.value;
        }
        let Data::List(items) = &mut list.data else { return };
        for tag in value.entries() {
            if items.iter().any(|item| item.get("key").and_then(Node::text) == Some(&tag.key)) {
                continue;
            }
            let key = Entry { key: "key".to_owned(), key_span: tag.key_span.clone(), value: text(&tag.key, &tag.key_span) };
            let worth = Entry { key: "value".to_owned(), key_span: tag.key_span.clone(), value: tag.value.clone() };
            let span = tag.value.span.clone();
            items.push(Node { span, data: Data::Map(vec![key, worth]) });
            let path = steps.iter().fold(Path::root(), |path, step| path.join(Step::Field((*step).to_owned())));
            let path = path.join(Step::Key(vec![("key".to_owned(), tag.key.clone())], 0));
            self.touched.push(FromPreset { path, preset, span: tag.value.span.clone() });
        }
    }
}

/// What a preset wins over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    /// Whatever is written wins over the preset.
    Nothing,
    /// The preset wins over the base, and overlays of the environment over the preset.
    TheBase,
}

/// The place of an entry, made where it is missing.
fn place(entries: &mut Vec<Entry>, key: &str, make: impl FnOnce() -> Node, span: &Span) -> usize {
    entries.iter().position(|e| e.key == key).unwrap_or_else(|| {
        entries.push(Entry { key: key.to_owned(), key_span: span.clone(), value: make() });
        entries.len() - 1
    })
}

fn scalar(word: &Lit, span: &Span) -> Node {
    let (text, style) = match word {
        Lit::Bool(on) => (on.to_string(), Style::Plain),
        Lit::Int(n) => (n.to_string(), Style::Plain),
        Lit::Text(text) => ((*text).to_owned(), Style::Double),
        Lit::Field(_) | Lit::Backend => (String::new(), Style::Plain),
    };
    Node { span: span.clone(), data: Data::Scalar(Scalar { text, style, forced_text: false }) }
}

fn text(words: &str, span: &Span) -> Node {
    Node { span: span.clone(), data: Data::Scalar(Scalar { text: words.to_owned(), style: Style::Double, forced_text: false }) }
}
