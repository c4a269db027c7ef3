//! What moved between the plan in the file and now: each a sentence that names the thing, what was planned from and what
//! is there now; never the value of a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::{Saved, encode, touched, write};
use crate::catalogue;
use crate::diff::{FieldChange, as_in_yaml};
use crate::kinds::{Call, Registry};
use crate::model::{Address, Fingerprint, Value, json};
use crate::plan::{Action, Step};

/// The longest text of a value in a message.
const LONGEST: usize = 80;

/// What moved of what the plan is bound to, before anything of the workspace's objects is read. `written`: who wrote the state
/// last, and when, where that is known.
#[must_use]
pub fn unsettled(then: &Saved, now: &Saved, written: Option<&str>) -> Vec<String> {
    let written = written.unwrap_or("somebody applied in between");
    let mut out = vec![];
    let (a, b) = (&then.bound, &now.bound);
    for (name, was) in &a.environment {
        let is = b.environment.get(name).map_or("", String::as_str);
        if was != is {
            out.push(format!("environment: {name} was {}, is {}", quoted(was), quoted(is)));
        }
    }
    if then.program != now.program {
        out.push(format!("it was made by Brickform {}, this is {}", then.program, now.program));
    }
    let (p, q) = (&then.plan, &now.plan);
    if p.lineage.is_empty() && !q.lineage.is_empty() {
        out.push(format!("state {}: there was none, and it has serial {} now: {written}", q.state_place, q.serial));
    } else if q.lineage.is_empty() && !p.lineage.is_empty() {
        out.push(format!("state {}: serial was {}, and there is none here", q.state_place, p.serial));
    } else if p.lineage != q.lineage {
        out.push(format!("state {}: lineage was {}, is {}: it is another state", q.state_place, p.lineage, q.lineage));
    } else if p.serial != q.serial {
        out.push(format!("state {}: serial was {}, is {}: {written}", q.state_place, p.serial, q.serial));
    }
    configuration(then, now, &mut out);
    files(&a.files, &b.files, &mut out);
    pairs("", &a.lookups, &b.lookups, "id ", "is no longer asked", &mut out, String::as_str);
    secrets(&a.secrets, &b.secrets, &mut out);
    for (kind, was) in &a.kinds {
        if b.kinds.get(kind).is_some_and(|is| is != was) {
            out.push(format!("kind {kind}: this Brickform knows it differently"));
        }
    }
    out
}

fn quoted(text: &str) -> String {
    if text.is_empty() { "not set".to_owned() } else { format!("`{text}`") }
}

/// The fields that moved of what the plan was about to change; of anything else only that it moved.
fn configuration(then: &Saved, now: &Saved, out: &mut Vec<String>) {
    let (a, b) = (&then.bound.configuration, &now.bound.configuration);
    let wanted = |saved: &Saved, address: &Address| {
        saved.plan.steps.iter().find(|s| s.address == *address).and_then(|s| s.desired.clone()).filter(|d| !d.has_secret())
    };
    let all: BTreeSet<&Address> = a.keys().chain(b.keys()).collect();
    for address in all {
        match (a.get(address), b.get(address)) {
            (Some(was), Some(is)) if was != is => {
                let mut fields = vec![];
                if let (Some(was), Some(is)) = (wanted(then, address), wanted(now, address)) {
                    rewritten("", &was, &is, &mut fields);
                }
                if fields.is_empty() {
                    out.push(format!("{address}: its configuration changed (its YAML, a variable, or what it refers to)"));
                }
                out.extend(fields.into_iter().map(|field| format!("{address}: in YAML, {field}")));
            }
            (Some(_), None) => out.push(format!("{address}: was in the configuration, is not any more")),
            (None, Some(_)) => out.push(format!("{address}: is new in the configuration")),
            _ => {}
        }
    }
}

fn files(then: &BTreeMap<String, Fingerprint>, now: &BTreeMap<String, Fingerprint>, out: &mut Vec<String>) {
    let all: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    for name in all {
        match (then.get(name), now.get(name)) {
            (Some(a), Some(b)) if a != b => out.push(format!("file {name}: what is in it changed")),
            (Some(_), None) => out.push(format!("file {name}: is no longer read")),
            (None, Some(_)) => out.push(format!("file {name}: is read now, and was not then")),
            _ => {}
        }
    }
}

fn pairs<T: PartialEq, S: Display + ?Sized>(
    what: &str,
    then: &BTreeMap<String, T>,
    now: &BTreeMap<String, T>,
    unit: &str,
    gone: &str,
    out: &mut Vec<String>,
    show: impl Fn(&T) -> &S,
) {
    let what = if what.is_empty() { String::new() } else { format!("{what} ") };
    let all: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    for name in all {
        match (then.get(name), now.get(name)) {
            (Some(a), Some(b)) if a != b => out.push(format!("{what}{name}: was {unit}{}, is {unit}{}", show(a), show(b))),
            (Some(_), None) => out.push(format!("{what}{name}: {gone}")),
            (None, Some(b)) => out.push(format!("{what}{name}: is new, {unit}{}", show(b))),
            _ => {}
        }
    }
}

fn secrets(then: &BTreeMap<String, Option<String>>, now: &BTreeMap<String, Option<String>>, out: &mut Vec<String>) {
    let all: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    for source in all {
        let short = |print: &String| print.get(..12).unwrap_or(print).to_owned();
        match (then.get(source), now.get(source)) {
            (Some(Some(a)), Some(Some(b))) if a != b => {
                out.push(format!("the secret {source}: its keyed fingerprint was {}, is {}", short(a), short(b)));
            }
            (Some(a), Some(b)) if a.is_some() != b.is_some() => {
                out.push(format!("the secret {source}: the environment's state key was {}, is {}", given(a.as_ref()), given(b.as_ref())));
            }
            (Some(_), None) => out.push(format!("the secret {source}: is no longer used")),
            (None, Some(_)) => out.push(format!("the secret {source}: is new")),
            _ => {}
        }
    }
}

fn given(print: Option<&String>) -> &'static str {
    if print.is_some() { "given" } else { "not given" }
}

/// What moved in the workspace: what the steps of the file's plan would be now.
#[must_use]
pub fn moved(then: &Saved, now: &Saved) -> Vec<String> {
    let mut out = vec![];
    for address in touched(&then.plan) {
        let find = |saved: &Saved| saved.plan.steps.iter().find(|s| s.address == *address).cloned();
        match (find(then), find(now)) {
            (Some(was), Some(is)) => step(&was, &is, &mut out),
            (Some(was), None) => out.push(format!("{address}: was to be {}, there is nothing to do any more", word(was.action))),
            (None, _) => {}
        }
    }
    out
}

fn word(action: Action) -> &'static str {
    match action {
        Action::None => "left as it is",
        Action::Create => "created",
        Action::Update => "changed",
        Action::Replace | Action::ReplaceNewFirst => "replaced",
        Action::Delete => "deleted",
        Action::Adopt => "adopted",
        Action::Move => "moved",
        Action::Forget => "forgotten",
    }
}

fn step(was: &Step, is: &Step, out: &mut Vec<String>) {
    let before = out.len();
    let at = &was.address;
    if let Some(other) = by_another_api(was, is) {
        out.push(other);
        return;
    }
    if was.action != is.action {
        let why = is.because.as_ref().map(|b| format!(" ({b})")).unwrap_or_default();
        out.push(format!("{at}: was to be {}, would be {} now{why}", word(was.action), word(is.action)));
    }
    if was.id != is.id {
        let name = |id: &Option<String>| id.clone().unwrap_or_else(|| "none".to_owned());
        out.push(format!("{at}: its id was {}, is {}", name(&was.id), name(&is.id)));
    }
    if was.action == is.action {
        changes(at, &was.changes, &is.changes, out);
    }
    // The request is the same, what it deletes is not.
    let taken = |step: &Step| step.takes.iter().find(|note| note.starts_with(crate::plan::leftover::TAKES_ALONG)).cloned();
    if taken(was) != taken(is) {
        let told = |note: Option<String>| note.unwrap_or_else(|| "takes nothing along".to_owned());
        out.push(format!("{at}: what is in it changed: it {}, it was to be: {}", told(taken(is)), told(taken(was))));
    }
    // Neither is what was edited in it, or set beside YAML: all of that goes.
    if out.len() == before {
        gone_along(was, is, out);
    }
    if out.len() == before && asks_the_same(was, is) {
        return;
    }
    if out.len() == before {
        requests(at, "", &was.calls, &is.calls, out);
        requests(at, " to delete it", &was.delete_calls, &is.delete_calls, out);
    }
}

fn gone_along(was: &Step, is: &Step, out: &mut Vec<String>) {
    let all: BTreeSet<&String> = was.goes.keys().chain(is.goes.keys()).collect();
    let places: Vec<String> = all.into_iter().filter(|place| was.goes.get(*place) != is.goes.get(*place)).cloned().collect();
    if !places.is_empty() {
        let places = crate::plan::goes::listed(&places);
        out.push(format!("{}: was edited in the workspace since the plan was made, and would go with it: {places}", was.address));
    }
}

/// What both would send goes to two APIs of the same objects: that alone is said, since every request differs by it.
fn by_another_api(was: &Step, is: &Step) -> Option<String> {
    let kind = Registry::standard().get(&was.kind)?;
    let otherwise = kind.otherwise?;
    let paths = [kind, otherwise.kind].map(|kind| kind.list.and_then(|list| catalogue::operation(list.op)).map(|list| list.path.as_str()));
    let api = |step: &Step| {
        let sent = step.calls.iter().chain(&step.delete_calls).find_map(|call| {
            let path = &catalogue::operation(call.op)?.path;
            paths.iter().position(|of| of.is_some_and(|of| path.starts_with(of)))
        });
        sent.map(|at| otherwise.words[at])
    };
    let (a, b) = (api(was)?, api(is)?);
    (a != b).then(|| {
        format!(
            "{}: it was planned by the API `{a}`, and is asked by `{b}` now (workspace.{}): what would be sent is not what was shown",
            was.address, otherwise.setting
        )
    })
}

/// Whether both do the same but for what is kept as the workspace has it: that may go on moving, and is sent back, where it
/// has to be, as it is then.
fn asks_the_same(was: &Step, is: &Step) -> bool {
    if was.kept.is_empty() && is.kept.is_empty() {
        return false;
    }
    let Some(kind) = Registry::standard().get(&was.kind) else { return false };
    let asked = |step: &Step| step.desired.as_ref().map(|desired| encode::text(&as_in_yaml(kind, desired, &step.kept)));
    let ops = |step: &Step| step.calls.iter().chain(&step.delete_calls).map(|call| call.op).collect::<Vec<_>>();
    asked(was) == asked(is) && ops(was) == ops(is)
}

fn changes(at: &Address, was: &[FieldChange], is: &[FieldChange], out: &mut Vec<String>) {
    // Several members of one set stand at one path: what is planned alike has not moved, and only the rest is paired by its path.
    let mut now: Vec<&FieldChange> = is.iter().collect();
    let mut take = |test: &dyn Fn(&FieldChange) -> bool| now.iter().position(|change| test(change)).map(|place| now.remove(place));
    let moved = was.iter().filter(|change| take(&|c| write::change(c) == write::change(change)).is_none()).collect::<Vec<_>>();
    for change in moved {
        match take(&|c| c.path == change.path) {
            None => out.push(format!("{at}: {} was {} in the workspace, is as it is wanted now", change.path, shown(change.old.as_ref()))),
            Some(now) if now.old != change.old => {
                out.push(in_workspace(at, change, &shown(change.old.as_ref()), &shown(now.old.as_ref())));
            }
            Some(now) => {
                let (a, b) = (shown(change.new.as_ref()), shown(now.new.as_ref()));
                out.push(format!("{at}: {} was to become {a}, would become {b}", change.path));
            }
        }
    }
    for change in now {
        out.push(in_workspace(at, change, &shown(change.new.as_ref()), &shown(change.old.as_ref())));
    }
}

fn in_workspace(at: &Address, change: &FieldChange, was: &str, is: &str) -> String {
    format!("{at}: {} was {was} in the workspace, is {is} there now", change.path)
}

fn shown(value: Option<&Value>) -> String {
    let text = value.map_or_else(|| "not set".to_owned(), json::display);
    if text.chars().count() <= LONGEST {
        return text;
    }
    let start: String = text.chars().take(LONGEST - 20).collect();
    format!("{start}... (sha256 {})", Fingerprint::of(text.as_bytes()).short())
}

/// The requests differ although no field does: what the server wants sent back changed, or how it is sent.
fn requests(at: &Address, what: &str, was: &[Call], is: &[Call], out: &mut Vec<String>) {
    let text = |calls: &[Call]| calls.iter().map(|c| write::call(c).to_string()).collect::<Vec<_>>();
    let (a, b) = (text(was), text(is));
    if a == b {
        return;
    }
    if a.len() != b.len() {
        out.push(format!("{at}: {} requests{what} were planned, {} would be sent now", a.len(), b.len()));
        return;
    }
    for (was, is) in was.iter().zip(is) {
        let (empty, mut found) = (Value::Null, vec![]);
        walk("", was.body.as_ref().unwrap_or(&empty), is.body.as_ref().unwrap_or(&empty), &mut found, &|_, _| Leaf::Compared);
        if found.is_empty() && write::call(was) != write::call(is) {
            found.push("its address".to_owned());
        }
        out.extend(found.into_iter().map(|place| format!("{at}: what is sent with `{}`{what} differs: {place}", was.op)));
    }
}

/// What YAML says otherwise. What is known on one side only is no move of YAML: the same reference is a value where it was
/// answered, and one to be known later where it was not yet.
fn rewritten(place: &str, was: &Value, is: &Value, out: &mut Vec<String>) {
    walk(place, was, is, out, &|was, is| match (was, is) {
        _ if was.has_unknown() == is.has_unknown() => Leaf::Compared,
        (Value::List(a), Value::List(b)) if a.len() == b.len() => Leaf::Entered,
        (Value::List(_), Value::List(_)) => Leaf::Compared,
        _ => Leaf::Alike,
    });
}

/// What is done with two values that are not both maps.
enum Leaf {
    /// They are told where they differ.
    Compared,
    /// Lists of one length, item by item.
    Entered,
    /// Nothing can be told of them.
    Alike,
}

/// Walks two values side by side; what is done where their maps end, `leaf` says.
fn walk(place: &str, was: &Value, is: &Value, out: &mut Vec<String>, leaf: &dyn Fn(&Value, &Value) -> Leaf) {
    if let (Value::Map(a), Value::Map(b)) = (was, is) {
        let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for name in names {
            let inner = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
            match (a.get(name), b.get(name)) {
                (Some(x), Some(y)) => walk(&inner, x, y, out, leaf),
                (x, y) => out.push(format!("{inner} was {}, is {}", shown(x), shown(y))),
            }
        }
        return;
    }
    match (leaf(was, is), was, is) {
        (Leaf::Entered, Value::List(a), Value::List(b)) => {
            for (i, (x, y)) in a.iter().zip(b.iter()).enumerate() {
                walk(&format!("{place}[{i}]"), x, y, out, leaf);
            }
        }
        (Leaf::Alike, ..) => {}
        _ if encode::text(was) == encode::text(is) => {}
        _ => out.push(format!("{place} was {}, is {}", shown(Some(was)), shown(Some(is)))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{changes, rewritten};
    use crate::diff::{FieldChange, Reason};
    use crate::model::{Address, Deferred, Path, Reference, Value};

    #[test]
    fn members_of_a_set_move_each_for_itself() {
        let address: Address = "spaces.s".parse().expect("an address");
        let change = |old: &str, new: &str| {
            let side = |text: &str| (!text.is_empty()).then(|| Value::from(text));
            FieldChange {
                path: "synonyms".parse().expect("a path"),
                old: side(old),
                new: side(new),
                applied: None,
                reason: Reason::Changed,
            }
        };
        let told = |was: &[(&str, &str)], is: &[(&str, &str)]| {
            let [was, is] = [was, is].map(|all| all.iter().map(|(old, new)| change(old, new)).collect::<Vec<_>>());
            let mut out = vec![];
            changes(&address, &was, &is, &mut out);
            out
        };
        let none: [&str; 0] = [];
        // Several come, some come and some go: nothing moved, in whatever order.
        for same in [&[("", "a"), ("", "b")][..], &[("", "y"), ("x", "")], &[("x", ""), ("y", ""), ("", "a"), ("", "b")]] {
            assert_eq!(told(same, same), none);
            assert_eq!(told(same, &same.iter().rev().copied().collect::<Vec<_>>()), none);
        }
        assert_eq!(
            told(&[("", "a"), ("", "b")], &[("", "a")]),
            ["spaces.s: synonyms was not set in the workspace, is as it is wanted now"]
        );
        let another = r#"spaces.s: synonyms was not set in the workspace, is "z" there now"#;
        assert_eq!(told(&[("", "a"), ("", "b")], &[("", "a"), ("", "b"), ("z", "")]), [another]);
        assert_eq!(told(&[("u", "v")], &[("w", "v")]), [r#"spaces.s: synonyms was "u" in the workspace, is "w" there now"#]);
        assert_eq!(told(&[("u", "v")], &[("u", "w")]), [r#"spaces.s: synonyms was to become "v", would become "w""#]);
    }

    #[test]
    fn what_is_known_on_one_side_only_is_no_move_of_yaml() {
        let address: Address = "warehouses.w".parse().expect("an address");
        let path: Path = "id".parse().expect("a path");
        let later = || Value::Unknown(Arc::new(Deferred::of(Reference { address: address.clone(), path: path.clone() })));
        let body = |id: Value, text: &str| {
            let item = Value::map([("id", id.clone()), ("text", Value::from(text))]);
            Value::map([("warehouse_id", id), ("text", Value::from(text)), ("list", Value::List(vec![item]))])
        };
        for (was, is, wanted) in [
            (body(Value::from("ba9b"), "a"), body(later(), "a"), vec![]),
            (
                body(Value::from("ba9b"), "a"),
                body(later(), "b"),
                vec![r#"list[0].text was "a", is "b""#.to_owned(), r#"text was "a", is "b""#.to_owned()],
            ),
            (
                body(Value::from("1"), "a"),
                body(Value::from("2"), "a"),
                vec![
                    r#"list was [{"id": "1", "text": "a"}], is [{"id": "2", "text": "a"}]"#.to_owned(),
                    r#"warehouse_id was "1", is "2""#.to_owned(),
                ],
            ),
        ] {
            let mut out = vec![];
            rewritten("", &was, &is, &mut out);
            assert_eq!(out, wanted);
            out.clear();
            rewritten("", &is, &was, &mut out);
            assert_eq!(out.len(), wanted.len());
        }
    }
}
