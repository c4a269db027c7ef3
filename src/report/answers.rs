//! The three answers to drift: put it back, keep it in YAML, ignore it.

use super::style::columns;
use super::value::inline;
use crate::diff::{FieldChange, Reason};
use crate::model::{Path, Step as Part, Value};
use crate::plan::{DELETED, Step};

/// The answers to what changed in the workspace, each with the exact words to type. `room`: columns.
#[must_use]
pub fn answers(step: &Step, environment: &str, room: usize) -> Vec<String> {
    let back = format!("put back: brickform apply --env {environment} --target {}", shell_word(&step.address.to_string()));
    let resource = step.address.parent();
    if step.because.as_deref() == Some(DELETED) {
        return vec![back, format!("keep:     take {resource} out of the YAML, and what refers to it")];
    }
    let facet = step.address.facet.as_deref();
    let drifted: Vec<&FieldChange> = step.changes.iter().filter(|c| c.reason == Reason::Drift).collect();
    if drifted.is_empty() {
        return vec![];
    }
    // Where YAML changed other fields too, applying does more than putting back.
    let mut lines = if drifted.len() == step.changes.len() { vec![back] } else { vec![] };
    keep(&format!("keep:     in {resource} write"), drifted.iter().map(|c| kept(c, facet)).collect(), room, &mut lines);
    lines.extend(ignore(&drifted, facet));
    lines
}

/// On one line where that fits, else one below the other.
fn keep(start: &str, words: Vec<String>, room: usize, lines: &mut Vec<String>) {
    let one = format!("{start} {}", words.join("; "));
    if columns(&one) <= room {
        lines.push(one);
    } else {
        lines.push(start.to_owned());
        lines.extend(words.into_iter().map(|w| format!("            {w}")));
    }
}

/// What to write so that YAML says what the workspace has.
fn kept(change: &FieldChange, facet: Option<&str>) -> String {
    let path = &change.path;
    let member = path.last_field() == Some("privileges");
    let item = matches!(path.steps().last(), Some(Part::Key(..) | Part::Index(_)));
    let shown = written(path, facet);
    match (&change.old, &change.new) {
        (Some(live), None) if item => format!("one more of {}: {}", list_of(path, facet), inline(live)),
        (Some(live), None) if member => format!("{} also in {shown}", inline(live)),
        (None, Some(gone)) if member => format!("no {} in {shown}", inline(gone)),
        (Some(live), _) => format!("{shown}: {}", inline(live)),
        (None, _) => format!("no {shown}"),
    }
}

/// How drift of these fields is left alone; entries of access lists have no such thing, but a permission list may be additive.
fn ignore(drifted: &[&FieldChange], facet: Option<&str>) -> Option<String> {
    let added = || drifted.iter().all(|c| c.new.is_none());
    match facet {
        Some("permissions") if added() => {
            Some("ignore:   permissions: { mode: additive, entries: [...] } leaves what others add".to_owned())
        }
        Some(_) => None,
        None => {
            let paths: Vec<String> = drifted.iter().map(|c| yaml_word(&c.path.to_string())).collect();
            Some(format!("ignore:   lifecycle: {{ ignore_changes: [{}] }}", paths.join(", ")))
        }
    }
}

/// A path as it stands in the YAML: the entries of a facet are the facet.
fn written(path: &Path, facet: Option<&str>) -> String {
    let text = path.to_string();
    match (facet, text.strip_prefix("entries")) {
        (Some(facet), Some(rest)) => format!("{facet}{rest}"),
        _ => text,
    }
}

fn list_of(path: &Path, facet: Option<&str>) -> String {
    let mut list = path.clone();
    list.pop();
    written(&list, facet)
}

/// An entry of an access list by who it is about: `group "ops"`, `analysts`; none for any other path.
#[must_use]
pub fn principal(path: &Path) -> Option<String> {
    let [Part::Field(entries), Part::Key(pairs, _), Part::Field(_)] = path.steps() else { return None };
    let [(field, name)] = pairs.as_slice() else { return None };
    if entries != "entries" {
        return None;
    }
    let name = inline(&Value::text(name.as_str()));
    match field.as_str() {
        "principal" => Some(name.trim_matches('"').to_owned()),
        "user_name" => Some(format!("user {name}")),
        "group_name" => Some(format!("group {name}")),
        "service_principal_name" => Some(format!("service principal {name}")),
        _ => None,
    }
}

/// An address as it can stand on a command line.
#[must_use]
pub fn shell_word(text: &str) -> String {
    if text.contains(['[', '"', ' ', '\'']) { format!("'{}'", text.replace('\'', r"'\''")) } else { text.to_owned() }
}

/// A path as it can stand in a YAML flow list.
fn yaml_word(text: &str) -> String {
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{change, step};
    use super::{Reason, answers};
    use crate::plan::Action;

    #[test]
    fn each_sort_of_drift_names_what_the_user_writes() {
        let table: [(&str, Vec<_>, &[&str]); 5] = [
            (
                "jobs.a",
                vec![change("timeout_seconds", "60", "7200", Reason::Drift), change("tags.owner", "\"ana\"", "", Reason::Drift)],
                &[
                    "put back: brickform apply --env prod --target jobs.a",
                    "keep:     in jobs.a write timeout_seconds: 60; tags.owner: \"ana\"",
                    "ignore:   lifecycle: { ignore_changes: [timeout_seconds, tags.owner] }",
                ],
            ),
            (
                "jobs.a/permissions",
                vec![change(r#"entries[group_name="x"]"#, r#"{"group_name":"x","permission_level":"CAN_VIEW"}"#, "", Reason::Drift)],
                &[
                    "put back: brickform apply --env prod --target jobs.a/permissions",
                    r#"keep:     in jobs.a write one more of permissions: {group_name: "x", permission_level: "CAN_VIEW"}"#,
                    "ignore:   permissions: { mode: additive, entries: [...] } leaves what others add",
                ],
            ),
            (
                "schemas.a/grants",
                vec![change(r#"entries[principal="x"].privileges"#, "", "\"SELECT\"", Reason::Drift)],
                &[
                    "put back: brickform apply --env prod --target schemas.a/grants",
                    r#"keep:     in schemas.a write no "SELECT" in grants[principal=x].privileges"#,
                ],
            ),
            (
                "jobs.a",
                vec![change("x", "1", "2", Reason::Changed), change("y", "1", "2", Reason::Drift)],
                &["keep:     in jobs.a write y: 1", "ignore:   lifecycle: { ignore_changes: [y] }"],
            ),
            ("jobs.a", vec![change("x", "1", "2", Reason::Changed)], &[]),
        ];
        for (at, changes, want) in table {
            let mut given = step(at, Action::Update, "a");
            given.changes = changes;
            assert_eq!(answers(&given, "prod", 100), want, "{at}");
        }
    }

    #[test]
    fn what_is_too_long_for_a_line_stands_below() {
        let mut given = step("jobs.a", Action::Update, "a");
        given.changes = vec![change("timeout_seconds", "60", "7200", Reason::Drift), change("tags.owner", "\"ana\"", "", Reason::Drift)];
        let lines = answers(&given, "prod", 40);
        assert_eq!(lines[1..4], ["keep:     in jobs.a write", "            timeout_seconds: 60", "            tags.owner: \"ana\""]);
    }

    #[test]
    fn what_was_deleted_can_stay_deleted() {
        let mut given = step("schemas.a", Action::Create, "a");
        given.because = Some("deleted in the workspace".to_owned());
        given.changes = vec![change("name", "", "\"a\"", Reason::Changed)];
        assert_eq!(
            answers(&given, "prod", 100),
            ["put back: brickform apply --env prod --target schemas.a", "keep:     take schemas.a out of the YAML, and what refers to it"]
        );
    }
}
