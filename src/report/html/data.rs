//! What the page's script draws: the plan as compact JSON, every text once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value as Json, json};

use super::REQUESTS;
use crate::diff::{FieldChange, Reason};
use crate::model::{Address, Value};
use crate::plan::between::{Sort, Sorted};
use crate::plan::{Action, Block, Plan, Step};
use crate::report::about::About;
use crate::report::answers::{self, Given};
use crate::report::change::of_bytes;
use crate::report::item::said;
use crate::report::kept;
use crate::report::step::{requests, unchanged};
use crate::report::value;

/// Widest line of a list or map before it is broken into several.
const WIDTH: usize = 72;

/// Texts, each once; a text is told by its place, counted from 1: 0 is none.
#[derive(Default)]
struct Words {
    all: Vec<String>,
    places: HashMap<String, usize>,
    longest: usize,
    /// Whether one was cut.
    cut: bool,
}

impl Words {
    fn put(&mut self, text: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        self.all.push(text.to_owned());
        self.places.insert(text.to_owned(), self.all.len());
        self.all.len()
    }

    fn maybe(&mut self, text: Option<&str>) -> usize {
        text.map_or(0, |text| self.put(text))
    }

    /// A value: cut where it is too long.
    fn value(&mut self, text: &str) -> usize {
        // What says how much is missing takes room too.
        if text.len() <= self.longest + 24 {
            return self.put(text);
        }
        self.cut = true;
        let end = (0..=self.longest).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        self.put(&format!("{}… ({} more bytes)", &text[..end], text.len() - end))
    }
}

/// The whole: steps to which something happens, the objects beside them, and what needs what.
pub fn of(plan: &Plan, about: &About<'_>, longest: usize) -> Json {
    let mut words = Words { longest, ..Words::default() };
    let steps: Vec<&Step> = plan.steps.iter().filter(|s| s.action != Action::None || !s.blocks.is_empty()).collect();
    let sorted = |s: &Step| about.sorts.and_then(|sorts| sorts.steps.get(&s.address));
    let common = answers::common(&plan.environment, Given::Command(about.command));
    let shown: Vec<Json> = steps.iter().map(|s| step(s, &common, sorted(s), &mut words)).collect();
    let blocks = listed(&plan.blocks, &mut words);
    // An object to which nothing else happens has no step: what is kept of it is told beside the warnings.
    let quiet = kept::steps(plan).filter(|s| s.action == Action::None && s.blocks.is_empty());
    let told: Vec<Block> = plan.warnings.iter().cloned().chain(quiet.map(|step| kept_only(step, &common))).collect();
    let warnings = listed(&told, &mut words);
    let (nodes, edges) = graph(&steps, about.needs, &mut words);
    json!({
        "blocks": blocks, "warnings": warnings, "steps": shown, "nodes": nodes, "edges": edges,
        "unmanaged": plan.counts().unmanaged, "sorted": about.sorts.is_some(),
        "cut": if words.cut { Some(longest) } else { None },
        "words": words.all,
    })
}

fn kept_only(step: &Step, common: &str) -> Block {
    let edits: Vec<String> = step.kept.iter().map(kept::line).collect();
    let reason = format!("{} keeps what was changed in the workspace (lifecycle.merge): {}", step.address, edits.join("; "));
    Block { guard: "state", reason, remedy: kept::command(step, common).into_iter().collect(), place: None }
}

/// Where there is no plan.
pub fn nothing() -> Json {
    json!({ "blocks": [], "warnings": [], "steps": [], "nodes": [], "edges": [], "unmanaged": 0, "sorted": false, "cut": null, "words": [], "failed": true })
}

fn step(step: &Step, common: &str, sorted: Option<&Sorted>, words: &mut Words) -> Json {
    let mut out = Map::new();
    out.insert("a".to_owned(), json!(words.put(&step.address.to_string())));
    out.insert("k".to_owned(), json!(words.put(&step.kind)));
    out.insert("d".to_owned(), json!(step.action));
    let link = step.link.as_deref().filter(|l| l.starts_with("https://") || l.starts_with("http://127.0.0.1"));
    let name = Some(step.name.as_str()).filter(|n| !n.is_empty() && *n != step.address.key);
    let from = step.moved_from.as_ref().map(ToString::to_string);
    for (key, text) in [
        ("n", name),
        ("l", link),
        ("b", step.because.as_deref()),
        ("m", from.as_deref()),
        ("x", step.loses.as_deref()),
        ("i", step.id.as_deref()),
    ] {
        let place = words.maybe(text);
        if place > 0 {
            out.insert(key.to_owned(), json!(place));
        }
    }
    let mut put = |key: &str, list: Vec<Json>| {
        if !list.is_empty() {
            out.insert(key.to_owned(), Json::Array(list));
        }
    };
    let sort = |i: usize| sorted.and_then(|s| s.changes.get(i)).map_or(0, |sort| place(*sort));
    put("c", step.changes.iter().enumerate().map(|(i, c)| change(c, step.forces.contains(&c.path), sort(i), words)).collect());
    put("g", step.blocks.iter().map(|b| block(b, words)).collect());
    let kept = step.kept.iter().map(|c| format!("kept from the workspace: {}", kept::line(c)));
    put("t", step.told().cloned().chain(kept).map(|n| json!(words.put(&n))).collect());
    let told = if words.longest < REQUESTS { vec![] } else { requests(step) };
    put("r", told.iter().map(|r| json!(words.put(r))).collect());
    put("y", answers::answers(step, common).iter().map(|a| json!(words.put(a))).collect());
    for (key, count) in [("o", unchanged(step)), ("u", step.unmanaged.len()), ("w", sorted.map_or(0, |s| place(s.step)))] {
        if count > 0 {
            out.insert(key.to_owned(), json!(count));
        }
    }
    Json::Object(out)
}

/// Whose a change is: its place in [`Sort::ALL`], counted from 1.
fn place(sort: Sort) -> usize {
    Sort::ALL.iter().position(|one| *one == sort).map_or(0, |at| at + 1)
}

/// `[path, reason, old, new, form, forces, applied, whose]`, zeros at the end left out. Form: 1 text of several lines, 2 a list
/// or map in lines.
fn change(change: &FieldChange, forces: bool, whose: usize, words: &mut Words) -> Json {
    let reason = match change.reason {
        Reason::Changed => 0,
        Reason::Drift => 1,
        Reason::Conflict => 2,
        Reason::Removed => 3,
    };
    let form = form(change);
    let told = |value: Option<&Value>, words: &mut Words| value.map_or(0, |v| words.value(&told(v, form)));
    let path = words.put(&said(&change.path));
    let (old, new) = (told(change.old.as_ref(), words), told(change.new.as_ref(), words));
    let applied = match change.reason {
        Reason::Conflict => words.put(&change.applied.as_ref().map_or_else(|| "nothing".to_owned(), value::inline)),
        Reason::Changed | Reason::Drift | Reason::Removed => 0,
    };
    let mut all = vec![path, reason, old, new, form, usize::from(forces), applied, whose];
    while all.last() == Some(&0) {
        all.pop();
    }
    json!(all)
}

/// 1: text of several lines; 2: a list or map in lines; 0: anything else.
fn form(change: &FieldChange) -> usize {
    let sides = || [&change.old, &change.new].into_iter().flatten();
    if sides().any(|v| matches!(v, Value::Text(t) if t.contains('\n'))) {
        1
    } else {
        2 * usize::from(sides().any(|v| lines(v).contains('\n')))
    }
}

fn told(value: &Value, form: usize) -> String {
    if form == 2 { lines(value) } else { text(value) }
}

/// How long the values are, uncut.
pub fn lengths(plan: &Plan) -> Vec<usize> {
    let changes = plan.steps.iter().filter(|s| s.action != Action::None || !s.blocks.is_empty()).flat_map(|s| &s.changes);
    changes.flat_map(|change| [&change.old, &change.new].into_iter().flatten().map(|v| told(v, form(change)).len())).collect()
}

/// A text of several lines as it is, anything else on one line.
fn text(given: &Value) -> String {
    match (of_bytes(given), given) {
        (Some(words), _) => words,
        (None, Value::Text(text)) if text.contains('\n') => text.clone(),
        (None, other) => value::inline(other),
    }
}

/// In lines as YAML would write it.
fn lines(given: &Value) -> String {
    match (of_bytes(given), given) {
        (Some(words), _) => words,
        (None, Value::List(_) | Value::Map(_)) => value::block(given, WIDTH).join("\n"),
        (None, other) => text(other),
    }
}

fn block(block: &Block, words: &mut Words) -> Json {
    let remedy: Vec<usize> = block.remedy.iter().map(|r| words.put(r)).collect();
    json!([words.put(block.guard), words.put(&block.reason), remedy])
}

fn listed(blocks: &[Block], words: &mut Words) -> Vec<Json> {
    blocks.iter().map(|b| block(b, words)).collect()
}

/// Objects of the graph by address (parts count for what they belong to), and `[needs, needed]` by place in that list. An
/// object that does not change is there only beside one that does.
fn graph(steps: &[&Step], needs: &[(Address, Address)], words: &mut Words) -> (Vec<usize>, Vec<[usize; 2]>) {
    let changed: BTreeSet<Address> = steps.iter().map(|s| s.address.parent()).collect();
    let deleted: BTreeSet<&Address> = steps.iter().filter(|s| s.action == Action::Delete).map(|s| &s.address).collect();
    let after = steps.iter().flat_map(|s| s.after.iter().map(move |needed| (s.address.parent(), needed.parent(), s)));
    // What is deleted waits for what needs it.
    let ordered = after.map(|(from, to, s)| if deleted.contains(&s.address) { (to, from) } else { (from, to) });
    let declared = needs.iter().map(|(from, to)| (from.parent(), to.parent()));
    let edges: BTreeSet<(Address, Address)> =
        declared.chain(ordered).filter(|(from, to)| from != to && (changed.contains(from) || changed.contains(to))).collect();
    let nodes: BTreeSet<&Address> = edges.iter().flat_map(|(from, to)| [from, to]).collect();
    let places: BTreeMap<&Address, usize> = nodes.iter().enumerate().map(|(place, address)| (*address, place)).collect();
    let named = nodes.iter().map(|address| words.put(&address.to_string())).collect();
    (named, edges.iter().filter_map(|(from, to)| Some([*places.get(from)?, *places.get(to)?])).collect())
}
