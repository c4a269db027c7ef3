//! Parts of one step of a plan as text: its heading, its nested facets, what to answer to drift, its requests.

use super::calls;
use super::change::{Row, Style};
use super::style::{Label, Paint, quoted, spread, visible};
use super::value::{brief, inline};
use crate::diff::FieldChange;
use crate::kinds::Call;
use crate::model::Value;
use crate::plan::{Action, Step};

/// Where what stands at the right ends at most.
pub const WIDEST: usize = 120;

/// What symbols mean, in the order of the legend.
/// `+`, `~` and `-` need no word beside "to add, to change, to delete".
pub const LEGEND: &[(Action, &str)] = &[
    (Action::Replace, "replace (delete, then create)"),
    (Action::ReplaceNewFirst, "replace (create, then delete)"),
    (Action::Adopt, "take over as it is"),
    (Action::Move, "rename in the state only"),
    (Action::Forget, "drop from the state, leave the object"),
];

/// The symbol of an action.
#[must_use]
pub fn symbol(action: Action) -> (&'static str, Label) {
    match action {
        Action::None => ("!", Label::Blocked),
        Action::Create => ("+", Label::Add),
        Action::Update => ("~", Label::Change),
        Action::Replace => ("-/+", Label::Remove),
        Action::ReplaceNewFirst => ("+/-", Label::Remove),
        Action::Delete => ("-", Label::Remove),
        Action::Adopt => ("<", Label::Record),
        Action::Move => (">", Label::Record),
        Action::Forget => ("x", Label::Record),
    }
}

/// The line that says what happens to the object, its page at the right. `whose`: whose change it is, where that is known.
#[must_use]
pub fn heading(step: &Step, whose: Option<&str>, paint: Paint, width: usize) -> String {
    let (sign, label) = symbol(step.action);
    let address = match &step.moved_from {
        Some(from) => format!("{from} → {}", step.address),
        None => step.address.to_string(),
    };
    let mut line = format!("  {} {}", paint.label(label, sign), paint.label(Label::Heading, &address));
    let known = step.name == step.address.key || step.name.is_empty() || step.address.is_facet() || step.action == Action::Move;
    if !known {
        line.push_str(&format!("  {}", named(&step.name)));
    }
    if let Some(why) = why(step) {
        line.push_str(&format!("  {}", paint.label(Label::Dim, &why)));
    }
    if let Some(whose) = whose {
        line.push_str(&format!("  {}", paint.label(Label::Record, &format!("[{whose}]"))));
    }
    let link = step.link.as_deref().filter(|l| l.starts_with("http")).map(|l| paint.label(Label::Dim, l)).unwrap_or_default();
    // Further right the eye loses the line.
    format!("{}\n", spread(&line, &link, width.min(WIDEST), 6))
}

/// Names that read as one word stand alone, others in quotes.
fn named(name: &str) -> String {
    if name.contains(char::is_whitespace) || *visible(name) != *name { quoted(name) } else { name.to_owned() }
}

fn why(step: &Step) -> Option<String> {
    if step.because.is_some() {
        return step.because.clone();
    }
    match step.action {
        Action::Adopt => Some(format!("adopted: id {}, no change", step.id.as_deref().unwrap_or("?"))),
        Action::Move => Some("renamed in YAML, nothing is sent".to_owned()),
        Action::Forget => Some("dropped from the state, left as it is".to_owned()),
        Action::Delete => Some("not in YAML".to_owned()),
        Action::None | Action::Create | Action::Update | Action::Replace | Action::ReplaceNewFirst => None,
    }
}

/// A facet of a new parent as one row of the parent.
#[must_use]
pub fn facet_row(facet: &Step, style: &Style) -> Row {
    let mut row = Row { path: facet.address.facet.clone().unwrap_or_default(), value: String::new(), below: vec![], note: String::new() };
    if facet.action == Action::Forget {
        row.note = style.paint.label(Label::Dim, "goes with it");
        return row;
    }
    let mut lines: Vec<String> = facet.changes.iter().filter(|c| !is_bound(c)).flat_map(items).collect();
    lines = lines.into_iter().map(|l| style.paint.label(Label::Add, &format!("+ {l}"))).collect();
    if lines.len() == 1 {
        row.value = lines.remove(0);
    }
    row.below = lines;
    row
}

/// Fields of a facet that its parent gives, and how its list is meant: all but the list, or the map.
fn is_bound(change: &FieldChange) -> bool {
    !matches!(change.path.first_field(), Some("entries" | "tags"))
}

fn items(change: &FieldChange) -> Vec<String> {
    match &change.new {
        Some(Value::List(list)) => list.iter().map(brief).collect(),
        Some(map @ Value::Map(_)) => vec![brief(map)],
        Some(other) => vec![format!("{} {}", change.path, inline(other))],
        None => vec![],
    }
}

/// How many fields of an update stay as they are.
#[must_use]
pub fn unchanged(step: &Step) -> usize {
    // A facet has only its entries, and fields that say whose it is.
    if step.action != Action::Update || step.address.is_facet() {
        return 0;
    }
    let Some(desired) = step.desired.as_ref().and_then(Value::as_map) else { return 0 };
    desired.keys().filter(|k| !step.changes.iter().any(|c| c.path.first_field() == Some(k.as_str()))).count()
}

/// The requests of a step in the order in which they are sent, and what is waited for.
#[must_use]
pub fn requests(step: &Step) -> Vec<String> {
    let calls = step.calls.iter();
    let deletes = step.delete_calls.iter();
    let ordered: Vec<&Call> = match step.action {
        Action::Replace => deletes.chain(calls).collect(),
        _ => calls.chain(deletes).collect(),
    };
    let mut lines: Vec<String> = ordered
        .into_iter()
        .map(|call| {
            let line = calls::line(call);
            format!("{:6} {}  ({})", line.method, line.path, call.why)
        })
        .collect();
    if step.wait {
        lines.push("waits until it is ready".to_owned());
    }
    lines
}
