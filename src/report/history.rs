//! The applies of an environment: who, when, which commit, which plan, what it did, what was waived for it.

use serde_json::{Value as Json, json};

use super::overview::to_seconds;
use super::style::visible;
use super::text::plural;
use crate::plan::short;
use crate::state::{Note, Pin, Version};

/// The format of the JSON; changes only when a reader of the old one would be misled.
pub const FORMAT: &str = "brickform.state-history/1";

/// A version, with the first line of its commit's message where Git knows it.
pub struct Row<'a> {
    /// The version.
    pub version: &'a Version,
    /// The subject of its commit.
    pub subject: Option<String>,
}

/// For a person.
#[must_use]
pub fn text(rows: &[Row<'_>]) -> String {
    let mut out = String::new();
    for Row { version, subject } in rows {
        let commit = named(version, subject.as_deref()).map(|commit| format!("  {commit}")).unwrap_or_default();
        let addresses = plural(version.resources as u64, "address", "addresses");
        let at = to_seconds(&version.at);
        out.push_str(&format!("{:>6}  {at:20}  {:10}  {addresses}{commit}\n", version.serial, version.by));
        if let Some(note) = &version.note {
            out.push_str(&noted(note));
        }
    }
    out
}

/// Who applied, what it did, and which guards were lifted for it.
fn noted(note: &Note) -> String {
    let mut text = format!("        by {}", visible(&note.who));
    // What mends a state carries no plan out.
    if !note.plan.is_empty() {
        let counts: Vec<String> =
            note.counts.iter().filter(|(what, _)| !Note::MISSED.contains(&what.as_str())).map(|(what, n)| format!("{n} {what}")).collect();
        let counts = if counts.is_empty() { "no changes".to_owned() } else { counts.join(", ") };
        let counts = missed(note).map_or(counts.clone(), |missed| format!("{missed}; planned: {counts}"));
        text.push_str(&format!(": {counts}  plan {}", note.plan.get(..12).unwrap_or(&note.plan)));
    }
    text.push('\n');
    if !note.overrides.is_empty() {
        text.push_str(&format!("        guards lifted: {}\n", note.overrides.join(" ")));
    }
    if let Some(link) = &note.link {
        text.push_str(&format!("        {}\n", visible(link)));
    }
    text
}

/// The steps that were not done: `1 step failed, 2 skipped`; none where all were.
fn missed(note: &Note) -> Option<String> {
    let counted = |what: &&str| note.counts.get(*what).filter(|n| **n > 0).map(|n| (*n, (*what).replace('_', " ")));
    let mut words = Note::MISSED.iter().filter_map(counted);
    let (n, what) = words.next()?;
    let first = std::iter::once(format!("{} {what}", plural(n, "step", "steps")));
    Some(first.chain(words.map(|(n, what)| format!("{n} {what}"))).collect::<Vec<_>>().join(", "))
}

/// `commit abc1234 "Nightly at five", with uncommitted changes`.
fn named(version: &Version, subject: Option<&str>) -> Option<String> {
    let commit = short(version.commit.as_deref()?);
    let said = subject.map(|subject| format!(" \"{}\"", visible(subject))).unwrap_or_default();
    let dirty = version.note.as_ref().is_some_and(|note| note.dirty);
    Some(format!("commit {commit}{said}{}", if dirty { ", with uncommitted changes" } else { "" }))
}

/// The last write in a line: `2026-01-02T03:04:05Z by apply (ana), commit abc1234 "Nightly at five"`.
#[must_use]
pub fn last(version: &Version, subject: Option<&str>) -> String {
    let who = version.note.as_ref().map(|note| format!(" ({})", visible(&note.who))).unwrap_or_default();
    let commit = named(version, subject).map(|commit| format!(", {commit}")).unwrap_or_default();
    let link = version.note.as_ref().and_then(|note| note.link.as_deref()).map(|link| format!(", {}", visible(link))).unwrap_or_default();
    let missed = version.note.as_ref().and_then(missed).map(|missed| format!(", {missed}")).unwrap_or_default();
    format!("{} by {}{who}{missed}{commit}{link}", to_seconds(&version.at), version.by)
}

/// A pin in a line.
#[must_use]
pub fn pin(pin: &Pin) -> String {
    let from = pin.from.as_deref().map(|from| format!(" from {}", short(from))).unwrap_or_default();
    let since = to_seconds(&pin.since);
    format!("to commit {}{from} since {since} by {}: until Git takes it back too, or `--unpin`", short(&pin.to), visible(&pin.by))
}

/// For a program.
#[must_use]
pub fn json(version: &Version, subject: Option<&str>) -> Json {
    let Version { serial, at, by, commit, resources, note } = version;
    json!({ "serial": serial, "at": at, "by": by, "commit": commit, "subject": subject, "resources": resources, "apply": note })
}

#[cfg(test)]
mod tests {
    use super::{Row, last, text};
    use crate::state::{Note, Version};

    fn version(note: Option<Note>) -> Version {
        let (at, commit) = ("2026-01-02T03:04:05.678Z".to_owned(), Some("abc1234def5678".to_owned()));
        Version { serial: 7, at, by: "apply".to_owned(), commit, resources: 3, note }
    }

    #[test]
    fn each_apply_says_who_when_which_commit_and_what_was_waived() {
        let note = Note {
            who: "ana".to_owned(),
            overrides: vec!["--allow-older-commit".to_owned()],
            counts: [("add".to_owned(), 1)].into(),
            plan: "0123456789abcdef".to_owned(),
            link: Some("https://ci/7".to_owned()),
            dirty: true,
            files: vec![],
            forgotten: vec![],
        };
        let told = version(Some(note));
        let subject = || Some("Nightly at five".to_owned());
        assert_eq!(
            text(&[Row { version: &told, subject: subject() }]),
            "     7  2026-01-02T03:04:05Z  apply       3 addresses  commit abc1234 \"Nightly at five\", with uncommitted changes\n        \
             by ana: 1 add  plan 0123456789ab\n        guards lifted: --allow-older-commit\n        https://ci/7\n"
        );
        let told_of = |note: Note| text(&[Row { version: &version(Some(note)), subject: None }]);
        let who = || "ana".to_owned();
        let empty = told_of(Note { who: who(), plan: "0123456789abcdef".to_owned(), ..Note::default() });
        assert!(empty.ends_with("\n        by ana: no changes  plan 0123456789ab\n"), "{empty}");
        let mended = told_of(Note { who: who(), ..Note::default() });
        assert!(mended.ends_with("\n        by ana\n"), "{mended}");
        let wanted = "2026-01-02T03:04:05Z by apply (ana), commit abc1234 \"Nightly at five\", with uncommitted changes, https://ci/7";
        assert_eq!(last(&told, subject().as_deref()), wanted);
        // What failed is not told as done.
        let counts = [("change".to_owned(), 4), ("failed".to_owned(), 1), ("skipped".to_owned(), 2)].into();
        let part = Note { who: who(), plan: "0123456789abcdef".to_owned(), counts, ..Note::default() };
        let said = last(&version(Some(part.clone())), None);
        assert_eq!(said, "2026-01-02T03:04:05Z by apply (ana), 1 step failed, 2 skipped, commit abc1234");
        let part = told_of(part);
        assert!(part.ends_with("\n        by ana: 1 step failed, 2 skipped; planned: 4 change  plan 0123456789ab\n"), "{part}");
        let said = super::json(&told, None);
        assert_eq!((&said["resources"], &said["apply"]["dirty"]), (&serde_json::json!(3), &serde_json::json!(true)));
        assert_eq!(last(&version(None), None), "2026-01-02T03:04:05Z by apply, commit abc1234");
    }
}
