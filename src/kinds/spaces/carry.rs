//! What one of the two APIs has no place for: said at its line, since it would be lost or refused.

use super::check::{items, place};
use super::form::{Form, SECTIONS, Shape, Wire};
use super::read::{self, prose};
use super::write;
use crate::kinds::Refusal;
use crate::model::{Path, Step, Value};

/// The longest title that the agents API takes, in characters.
const TITLE: usize = 63;
/// The longest description.
const DESCRIPTION: usize = 4096;

/// What the spaces API has no place for.
pub(super) fn serialised(body: &Value) -> Vec<Refusal> {
    let mut found = homeless(body, Wire::Serialised);
    // The agents API has benchmarks without an answer, and they are none that YAML's list could name.
    let list = ["more", "benchmarks", "questions"];
    for (i, item) in items(body, &list).iter().enumerate().filter(|(_, item)| !read::is_answered(item)) {
        let called = prose(item.get("question").cloned().unwrap_or(Value::Null));
        let called = called.as_str().map(|text| format!(" (`{text}`)")).unwrap_or_default();
        let reason =
            format!("{} takes no benchmark without an answer{called}: write it below `benchmarks`, with its `sql`", Wire::Serialised.api());
        found.push(Refusal { path: place(&list).join(Step::Index(i)), reason });
    }
    found
}

/// What the agents API has no place for, and what is too long for it.
pub(super) fn typed(body: &Value) -> Vec<Refusal> {
    let mut found = homeless(body, Wire::Typed);
    for (name, most) in [("title", TITLE), ("description", DESCRIPTION)] {
        let length = body.get(name).and_then(Value::as_str).map_or(0, |text| text.chars().count());
        if length > most {
            let reason = format!("{} takes at most {most} characters, and this has {length}", Wire::Typed.api());
            found.push(Refusal { path: Path::field(name), reason });
        }
    }
    found
}

/// What the agents API refuses of what the workspace has and nobody here wants: where it stands, and what an update that leaves it
/// out should say. Its types are published and have no such member; the schema of the serialised space is not, and what it gave it
/// gets back.
pub(super) fn beyond(whole: &Value, desired: &Value) -> Vec<(Path, String)> {
    let found = homeless(whole, Wire::Typed).into_iter().filter(|refusal| desired.at(&refusal.path).is_none());
    found.map(|refusal| (refusal.path.clone(), said(whole, &refusal.path))).collect()
}

fn said(whole: &Value, path: &Path) -> String {
    let (name, item) = match path.steps().split_last() {
        Some((Step::Field(name), above)) => (name.as_str(), whole.at(&Path::from(above.to_vec()))),
        _ => ("", None),
    };
    let called = item.and_then(|item| item.get("name")).and_then(Value::as_str).map(|name| format!(" ({name})")).unwrap_or_default();
    format!(
        "{} takes no `{name}`: this update takes `{path}`{called} from the space; where the workspace has the spaces API, \
         `workspace: {{ genie_api: spaces }}` keeps it",
        Wire::Typed.api()
    )
}

fn homeless(body: &Value, wire: Wire) -> Vec<Refusal> {
    let mut found = Vec::new();
    for section in SECTIONS {
        let Some(Value::List(parts)) = write::at(body, section.at) else { continue };
        let place = section.at.iter().fold(Path::root(), |path, name| path.join(Step::Field((*name).to_owned())));
        if section.wire(wire).is_empty() {
            if !parts.is_empty() {
                found.push(none(place, section.at.last().copied().unwrap_or_default(), wire));
            }
            continue;
        }
        for (i, part) in parts.iter().enumerate() {
            of_part(section.form, part, &place.join(Step::Index(i)), wire, &mut found);
        }
    }
    found
}

fn of_part(form: &Form, part: &Value, place: &Path, wire: Wire, found: &mut Vec<Refusal>) {
    for member in form.members {
        let Some(value) = part.get(member.name).filter(|value| !value.is_zero()) else { continue };
        let path = place.join(Step::Field(member.name.to_owned()));
        match (member.shape, value) {
            (Shape::Local, _) => {}
            _ if member.wire(wire).is_empty() => found.push(none(path, member.name, wire)),
            (Shape::Parts(below), Value::List(parts)) => {
                for (i, part) in parts.iter().enumerate() {
                    of_part(below, part, &path.join(Step::Index(i)), wire, found);
                }
            }
            (Shape::Initial, initial) if wire == Wire::Serialised && initial.get("value_range").is_some_and(|range| !range.is_zero()) => {
                found.push(none(path, "value_range", wire));
            }
            _ => {}
        }
    }
}

fn none(path: Path, name: &str, wire: Wire) -> Refusal {
    // Whether the other one may be asked instead is the environment's affair: whoever tells it says so.
    Refusal { path, reason: format!("{} has no `{name}`, {} has", wire.api(), wire.other().api()) }
}
