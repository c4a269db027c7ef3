//! What a state says, without asking a workspace: `status`, `state list|show|history`.

use std::collections::BTreeMap;

use serde_json::json;

use super::history;
use super::json::value;
use super::text::plural;
use super::value::body;
use crate::model::Address;
use crate::state::{Document, Entry, LockInfo, Status, Version};

/// The format of `status`; changes only when a reader of the old one would be misled.
pub const STATUS_FORMAT: &str = "brickform.status/1";
/// The format of `state list`.
pub const LIST_FORMAT: &str = "brickform.state-list/1";
/// The format of `state show`.
pub const ENTRY_FORMAT: &str = "brickform.state-entry/1";

/// What `status` shows.
pub struct Overview<'a> {
    /// The environment.
    pub environment: &'a str,
    /// Where its state is.
    pub place: &'a str,
    /// The state; none before the first apply.
    pub document: Option<&'a Document>,
    /// What wrote it last.
    pub last: Option<&'a Version>,
    /// The first line of that commit's message, where Git knows it.
    pub subject: Option<String>,
    /// Who holds the lock.
    pub holder: Option<LockInfo>,
}

/// How many entries there are of each kind.
fn kinds(document: &Document) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for entry in document.resources.values() {
        *counts.entry(entry.kind.as_str()).or_default() += 1;
    }
    counts
}

/// A time without parts of a second.
#[must_use]
pub fn to_seconds(at: &str) -> String {
    at.split_once('.').map_or_else(|| at.to_owned(), |(whole, _)| format!("{whole}Z"))
}

/// Entries that need something: unfinished, tainted.
fn unfinished(document: &Document) -> Vec<(&Address, &'static str)> {
    document.resources.iter().filter(|(_, e)| e.status != Status::Ok).map(|(a, e)| (a, word(e.status))).collect()
}

pub(super) fn word(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Incomplete => "incomplete",
        Status::Tainted => "tainted",
        Status::Unmade => "its deletion was begun",
    }
}

/// For a person.
#[must_use]
pub fn text(overview: &Overview<'_>) -> String {
    let locked = overview.holder.as_ref().map(|holder| format!("locked by    {holder}\n")).unwrap_or_default();
    let Some(document) = overview.document else {
        return format!("{}: nothing was applied yet (state: {}).\n{locked}", overview.environment, overview.place);
    };
    let mut out = format!("{} · state serial {} · {}\n", overview.environment, document.serial, overview.place);
    if let Some(workspace) = &document.workspace {
        out.push_str(&format!("workspace    {} ({})\n", workspace.host, workspace.id));
    }
    if let Some(last) = overview.last {
        out.push_str(&format!("last write   {}\n", history::last(last, overview.subject.as_deref())));
    }
    if let Some(pin) = &document.pinned {
        out.push_str(&format!("pinned       {}\n", history::pin(pin)));
    }
    out.push_str(&locked);
    let parts = document.resources.keys().filter(|a| a.is_facet()).count();
    let with = if parts == 0 {
        String::new()
    } else {
        format!(", with {} (permissions, grants): {} addresses", plural(parts as u64, "part", "parts"), document.resources.len())
    };
    out.push_str(&format!("resources    {}{with}\n", document.resources.len() - parts));
    for (kind, count) in kinds(document) {
        out.push_str(&format!("  {kind:22} {count}\n"));
    }
    for (address, what) in unfinished(document) {
        out.push_str(&format!("{what}: {address}\n"));
    }
    for (address, intent) in &document.open_intents {
        out.push_str(&format!("open: the create of {address} ({}) was interrupted; the next plan settles it\n", intent.natural.join(".")));
    }
    out
}

/// For a program.
#[must_use]
pub fn json(overview: &Overview<'_>) -> String {
    let document = overview.document.map(|d| {
        json!({
            "serial": d.serial,
            "lineage": d.lineage,
            "workspace": d.workspace,
            "commit": d.commit,
            "pinned": d.pinned,
            "resources": d.resources.len(),
            "kinds": kinds(d),
            "unfinished": unfinished(d).iter().map(|(a, what)| json!({ "address": a, "status": what })).collect::<Vec<_>>(),
            "open_intents": d.open_intents.keys().collect::<Vec<_>>(),
        })
    });
    let last = overview.last.map(|v| history::json(v, overview.subject.as_deref()));
    format!(
        "{:#}\n",
        json!({
            "format": STATUS_FORMAT,
            "environment": overview.environment,
            "place": overview.place,
            "state": document,
            "last_write": last,
            "locked_by": overview.holder,
        })
    )
}

/// One entry for a person.
#[must_use]
pub fn entry(address: &Address, entry: &Entry, width: usize) -> String {
    let mut out = format!("{address}\n");
    let mut row = |name: &str, text: &str| {
        if !text.is_empty() {
            out.push_str(&format!("  {name:13} {text}\n"));
        }
    };
    row("kind", &entry.kind);
    row("id", &entry.id);
    row("status", word(entry.status));
    row("tag", entry.tag.as_deref().unwrap_or_default());
    row("etag", entry.etag.as_deref().unwrap_or_default());
    row("protected", if entry.protected { "prevent_destroy" } else { "" });
    row("adopted", if entry.adopted { "taken over, not made here" } else { "" });
    row("deposed", &entry.deposed.join(", "));
    row("depends on", &entry.dependencies.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    for (name, held) in [("applied", Some(&entry.applied)), ("former", entry.former.as_ref())] {
        let Some(held) = held else { continue };
        out.push_str(&format!("  {name}\n"));
        for line in body(held, width.saturating_sub(4)) {
            out.push_str(&format!("    {line}\n"));
        }
    }
    out
}

/// One entry for a program.
#[must_use]
pub fn entry_json(address: &Address, entry: &Entry) -> serde_json::Value {
    json!({
        "address": address,
        "kind": entry.kind,
        "id": entry.id,
        "status": entry.status,
        "applied": value(&entry.applied),
        "former": entry.former.as_ref().map(value),
        "etag": entry.etag,
        "protected": entry.protected,
        "adopted": entry.adopted,
        "dependencies": entry.dependencies,
        "tag": entry.tag,
        "deposed": entry.deposed,
    })
}
