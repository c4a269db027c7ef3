//! The document as JSON: sorted, two spaces, a newline at the end; the same document gives the same bytes.
//!
//! Owns the names of members and the digest form of long text. Nothing unknown or secret passes: writing one is an
//! error that names its place.

use std::collections::BTreeMap;

use super::{Document, Entry, FORMAT, Intent, Pin, StateError, Status, WorkspaceIdentity};
use crate::kinds::Registry;
use crate::model::{Address, Fingerprint, Map, Value, json};

/// Text longer than this (bytes) is kept as a blob beside the state.
pub const BLOB_ABOVE: usize = 4096;

/// A member with this name alone in a map stands for long text, by digest.
const BLOB: &str = "$blob";
/// The digest of everything else in the document.
const CHECKSUM: &str = "checksum";
/// A user's own map that looks like a blob is wrapped in this.
const MAP: &str = "$map";

/// Gives the text of a digest, or says why not.
pub type Blobs<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// A document as it goes to disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The document.
    pub bytes: Vec<u8>,
    /// Long text, by digest.
    pub blobs: BTreeMap<String, String>,
}

/// Why bytes are no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// They are damaged: what and where.
    Damaged(String),
    /// Their format is newer.
    Newer(u64),
    /// They do not have the checksum that they carry.
    Edited,
}

impl Fault {
    /// As an error of the document at this place.
    pub fn of(self, place: &str) -> StateError {
        let place = place.to_owned();
        match self {
            Self::Damaged(why) => StateError::Damaged { place, why },
            Self::Newer(found) => StateError::Newer { place, found, known: FORMAT },
            Self::Edited => StateError::Edited { place },
        }
    }
}

/// Whether a document must have the checksum that it carries. One without, as earlier versions wrote them, is read either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It must.
    AsWritten,
    /// Somebody edited it on purpose.
    Edited,
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Damaged(why)
    }
}

/// Writes a document, long text beside it.
///
/// # Errors
/// Something in it is unknown, secret or not finite: a sentence with its place.
pub fn write(document: &Document) -> Result<Written, String> {
    let mut blobs = BTreeMap::new();
    let bytes = put(document, Some(&mut blobs))?;
    Ok(Written { bytes, blobs })
}

/// Writes a document that is whole by itself, long text within it: for people, and to be taken over elsewhere.
///
/// # Errors
/// As [`write`].
pub fn write_whole(document: &Document) -> Result<Vec<u8>, String> {
    put(document, None)
}

fn put(document: &Document, mut blobs: Option<&mut BTreeMap<String, String>>) -> Result<Vec<u8>, String> {
    let Document { lineage, serial, project, environment, workspace, commit, known_commit, pinned, resources, open_intents } = document;
    let mut entries = Map::new();
    for (address, entry) in resources {
        let written = entry_value(entry, blobs.as_deref_mut()).map_err(|why| format!("{address}: {why}"))?;
        entries.insert(address.to_string(), written);
    }
    let mut out = BTreeMap::from([
        ("format", Value::from(u64::from(FORMAT))),
        ("lineage", lineage.as_str().into()),
        ("serial", Value::from(*serial)),
        ("project", project.as_str().into()),
        ("environment", environment.as_str().into()),
        ("resources", Value::Map(entries)),
    ]);
    if let Some(workspace) = workspace {
        out.insert("workspace", workspace_value(workspace));
    }
    if let Some(commit) = commit {
        out.insert("commit", commit.as_str().into());
    }
    if let Some(commit) = known_commit {
        out.insert("known_commit", commit.as_str().into());
    }
    if let Some(pin) = pinned {
        out.insert("pinned", pin_value(pin));
    }
    if !open_intents.is_empty() {
        out.insert("intents", Value::map(open_intents.iter().map(|(a, i)| (a.to_string(), intent_value(i)))));
    }
    let mut value = Value::map(out);
    let checksum = Fingerprint::of_value(&value).0;
    if let Some(map) = value.as_map_mut() {
        map.insert(CHECKSUM.to_owned(), checksum.into());
        map.sort_keys();
    }
    let mut text = json::write_pretty(&value).map_err(|e| e.to_string())?;
    text.push('\n');
    Ok(text.into_bytes())
}

/// Reads a document, trusted so far. `blob` gives the text of a digest.
///
/// # Errors
/// [`Fault`].
pub fn read(bytes: &[u8], blob: Blobs<'_>, trust: Trust) -> Result<Document, Fault> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::Damaged("the file is empty".to_owned()));
    }
    let mut value = json::parse(bytes).map_err(|e| Fault::Damaged(not_json(&e)))?;
    let sort = value.sort();
    let map = value.as_map_mut().ok_or_else(|| format!("it holds {sort}, not a map"))?;
    match map.get("format") {
        Some(Value::Int(n)) if *n == i64::from(FORMAT) => {}
        Some(Value::Int(n)) if *n > i64::from(FORMAT) => return Err(Fault::Newer(n.unsigned_abs())),
        Some(other) => return Err(Fault::Damaged(format!("its `format` is {}, which no Brickform ever wrote", json::display(other)))),
        None => return Err(Fault::Damaged("its `format` is missing: this is no state of Brickform".to_owned())),
    }
    let checksum = map.shift_remove(CHECKSUM);
    if let (Some(checksum), Trust::AsWritten) = (checksum, trust)
        && checksum.as_str() != Some(Fingerprint::of_value(&value).0.as_str())
    {
        return Err(Fault::Edited);
    }
    let Value::Map(mut map) = value else { return Err(Fault::Damaged("it holds no map".to_owned())) };
    let map = &mut map;
    let mut resources = Vec::new();
    // Entries are moved out one by one: a large state is never in memory twice.
    let Some(entries) = map.get_mut("resources") else { return Err(Fault::Damaged("`resources` is missing".to_owned())) };
    let entries = std::mem::take(entries.as_map_mut().ok_or_else(|| "`resources` is not a map".to_owned())?);
    for (address, entry) in entries {
        let key: Address = address.parse().map_err(|e| format!("`resources`: {e}"))?;
        let entry = entry_of(entry, Some(blob)).and_then(|entry| of_kind(&key, &entry.kind).map(|()| entry));
        resources.push((key, entry.map_err(|why| format!("`{address}`: {why}"))?));
    }
    // Made at once, its nodes are full; entry by entry, in order, they would be half empty.
    let resources = resources.into_iter().collect();
    let mut open_intents = BTreeMap::new();
    if let Some(intents) = map.get("intents") {
        for (address, intent) in intents.as_map().ok_or_else(|| "`intents` is not a map".to_owned())? {
            let key: Address = address.parse().map_err(|e| format!("`intents`: {e}"))?;
            let intent = intent_of(intent).and_then(|intent| of_kind(&key, &intent.kind).map(|()| intent));
            open_intents.insert(key, intent.map_err(|why| format!("`intents`, `{address}`: {why}"))?);
        }
    }
    Ok(Document {
        lineage: text(map, "lineage")?,
        serial: serial(map)?,
        project: text(map, "project")?,
        environment: text(map, "environment")?,
        workspace: map.get("workspace").map(workspace_of).transpose()?,
        commit: optional_text(map, "commit")?,
        known_commit: optional_text(map, "known_commit")?,
        pinned: map.get("pinned").map(pin_of).transpose()?,
        resources,
        open_intents,
    })
}

/// The digests of the long texts that a document names, each once: what has to be fetched before it is read. Bytes that are
/// no document name none.
#[must_use]
pub fn blobs_of(bytes: &[u8]) -> Vec<String> {
    fn walk(value: &serde_json::Value, found: &mut std::collections::BTreeSet<String>) {
        match value {
            serde_json::Value::Object(map) => match map.get(BLOB) {
                Some(serde_json::Value::String(digest)) if map.len() == 1 => drop(found.insert(digest.clone())),
                _ => map.values().for_each(|value| walk(value, found)),
            },
            serde_json::Value::Array(list) => list.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let mut found = std::collections::BTreeSet::new();
    if let Ok(value) = serde_json::from_slice(bytes) {
        walk(&value, &mut found);
    }
    found.into_iter().collect()
}

/// The serial that these bytes say, without a look at the rest; none where they are no document.
pub fn serial_of(bytes: &[u8]) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Head {
        serial: u64,
    }
    serde_json::from_slice::<Head>(bytes).ok().map(|head| head.serial)
}

fn not_json(error: &serde_json::Error) -> String {
    if error.is_eof() {
        format!("it is cut short: it ends at line {}, column {}", error.line(), error.column())
    } else {
        format!("it is not JSON: {error}")
    }
}

/// An entry as JSON. Without `blobs` long text stays where it is (in the journal).
///
/// # Errors
/// Something in it cannot be written: its place.
pub fn entry_value(entry: &Entry, mut blobs: Option<&mut BTreeMap<String, String>>) -> Result<Value, String> {
    let Entry { kind, id, status, applied, former, etag, protected, adopted, dependencies, tag, deposed, made_by, called, before } = entry;
    let mut out = BTreeMap::from([
        ("kind", Value::from(kind.as_str())),
        ("id", id.as_str().into()),
        ("status", status_text(*status).into()),
        ("applied", encode(applied, "applied", &mut blobs)?),
    ]);
    if let Some(former) = former {
        out.insert("former", encode(former, "former", &mut blobs)?);
    }
    if let Some(etag) = etag {
        out.insert("etag", etag.as_str().into());
    }
    if let Some(tag) = tag {
        out.insert("tag", tag.as_str().into());
    }
    if let Some(who) = made_by {
        out.insert("made_by", who.as_str().into());
    }
    if let Some(called) = called {
        out.insert("called", called.as_str().into());
    }
    for (name, set) in [("protected", *protected), ("adopted", *adopted)] {
        if set {
            out.insert(name, true.into());
        }
    }
    if !dependencies.is_empty() {
        out.insert("dependencies", Value::List(dependencies.iter().map(|a| Value::Text(a.to_string())).collect()));
    }
    if !deposed.is_empty() {
        out.insert("deposed", Value::List(deposed.iter().map(|id| Value::text(id.as_str())).collect()));
    }
    if let Some(before) = before {
        out.insert("before", encode(before, "before", &mut blobs)?);
    }
    Ok(Value::map(out))
}

/// The entry that [`entry_value`] wrote.
///
/// # Errors
/// What is missing or of the wrong sort.
pub fn entry_of(mut value: Value, blob: Option<Blobs<'_>>) -> Result<Entry, String> {
    let sort = value.sort();
    let map = value.as_map_mut().ok_or_else(|| format!("is {sort}, not a map"))?;
    let applied = map.get_mut("applied").map(take).ok_or_else(|| "`applied` is missing".to_owned())?;
    let former = map.get_mut("former").map(take);
    let before = map.get_mut("before").map(take);
    Ok(Entry {
        kind: text(map, "kind")?,
        id: text(map, "id")?,
        status: status_of(&text(map, "status")?)?,
        applied: decode(applied, blob)?,
        former: former.map(|v| decode(v, blob)).transpose()?,
        etag: optional_text(map, "etag")?,
        protected: flag(map, "protected")?,
        adopted: flag(map, "adopted")?,
        dependencies: texts(map, "dependencies")?
            .iter()
            .map(|t| t.parse().map_err(|e| format!("`dependencies`: {e}")))
            .collect::<Result<_, _>>()?,
        tag: optional_text(map, "tag")?,
        deposed: texts(map, "deposed")?,
        made_by: optional_text(map, "made_by")?,
        called: optional_text(map, "called")?,
        before: before.map(|v| decode(v, blob)).transpose()?,
    })
}

/// An intent as JSON.
pub fn intent_value(intent: &Intent) -> Value {
    let Intent { kind, natural, tag, replaces, server_seconds, caller, applied } = intent;
    let mut out = BTreeMap::from([
        ("kind", Value::from(kind.as_str())),
        ("natural", Value::List(natural.iter().map(|n| Value::text(n.as_str())).collect())),
        ("caller", caller.as_str().into()),
    ]);
    if let Some(tag) = tag {
        out.insert("tag", tag.as_str().into());
    }
    if !replaces.is_empty() {
        out.insert("replaces", Value::List(replaces.iter().map(|id| Value::text(id.as_str())).collect()));
    }
    if let Some(seconds) = server_seconds {
        out.insert("server_seconds", (*seconds).into());
    }
    if let Some(applied) = applied {
        out.insert("applied", applied.clone());
    }
    Value::map(out)
}

/// The intent that [`intent_value`] wrote.
///
/// # Errors
/// What is missing or of the wrong sort.
pub fn intent_of(value: &Value) -> Result<Intent, String> {
    let map = value.as_map().ok_or_else(|| format!("is {}, not a map", value.sort()))?;
    Ok(Intent {
        kind: text(map, "kind")?,
        natural: texts(map, "natural")?,
        tag: optional_text(map, "tag")?,
        replaces: if map.contains_key("replaces") { texts(map, "replaces")? } else { vec![] },
        server_seconds: match map.get("server_seconds") {
            None => None,
            Some(v) => Some(v.as_i64().ok_or_else(|| wrong("server_seconds", v, "a whole number"))?),
        },
        caller: text(map, "caller")?,
        applied: map.get("applied").cloned(),
    })
}

/// A workspace as JSON.
pub fn workspace_value(workspace: &WorkspaceIdentity) -> Value {
    Value::map([("host", Value::from(workspace.host.as_str())), ("id", workspace.id.as_str().into())])
}

/// The workspace that [`workspace_value`] wrote.
///
/// # Errors
/// What is missing or of the wrong sort.
pub fn workspace_of(value: &Value) -> Result<WorkspaceIdentity, String> {
    let map = value.as_map().ok_or_else(|| wrong("workspace", value, "a map"))?;
    Ok(WorkspaceIdentity { host: text(map, "host")?, id: text(map, "id")? })
}

/// A pin as JSON.
pub fn pin_value(pin: &Pin) -> Value {
    let Pin { to, from, since, by } = pin;
    let mut out = BTreeMap::from([("to", Value::from(to.as_str())), ("since", since.as_str().into()), ("by", by.as_str().into())]);
    if let Some(from) = from {
        out.insert("from", from.as_str().into());
    }
    Value::map(out)
}

/// The pin that [`pin_value`] wrote.
///
/// # Errors
/// What is missing or of the wrong sort.
pub fn pin_of(value: &Value) -> Result<Pin, String> {
    let map = value.as_map().ok_or_else(|| wrong("pinned", value, "a map"))?;
    Ok(Pin { to: text(map, "to")?, from: optional_text(map, "from")?, since: text(map, "since")?, by: text(map, "by")? })
}

fn status_text(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Incomplete => "incomplete",
        Status::Tainted => "tainted",
        Status::Unmade => "unmade",
    }
}

fn status_of(text: &str) -> Result<Status, String> {
    match text {
        "ok" => Ok(Status::Ok),
        "incomplete" => Ok(Status::Incomplete),
        "tainted" => Ok(Status::Tainted),
        "unmade" => Ok(Status::Unmade),
        other => Err(format!("`status` is `{other}`; it can be ok, incomplete, tainted or unmade")),
    }
}

/// A value with sorted keys and long text by digest.
fn encode(value: &Value, place: &str, blobs: &mut Option<&mut BTreeMap<String, String>>) -> Result<Value, String> {
    match value {
        Value::Unknown(d) => Err(format!("`{place}` is not known yet (`{}`): it cannot be written to the state", d.source)),
        Value::Secret(d) => Err(format!("`{place}` is a secret (`{}`): it cannot be written to the state", d.source)),
        Value::Float(x) if !x.is_finite() => Err(format!("`{place}` is {x}, which JSON cannot hold")),
        Value::Text(t) if t.len() > BLOB_ABOVE => Ok(match blobs {
            None => value.clone(),
            Some(blobs) => {
                let digest = Fingerprint::of(t.as_bytes()).0;
                blobs.insert(digest.clone(), t.clone());
                Value::map([(BLOB, Value::Text(digest))])
            }
        }),
        Value::List(list) => {
            list.iter().enumerate().map(|(i, v)| encode(v, &format!("{place}[{i}]"), blobs)).collect::<Result<_, _>>().map(Value::List)
        }
        Value::Map(map) => {
            let mut sorted = BTreeMap::new();
            for (k, v) in map {
                sorted.insert(k.as_str(), encode(v, &format!("{place}.{k}"), blobs)?);
            }
            let plain = Value::map(sorted);
            Ok(if is_marked(map) { Value::map([(MAP, plain)]) } else { plain })
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Text(_) => Ok(value.clone()),
    }
}

/// Whether a map, written as it is, would be read as something else.
fn is_marked(map: &Map) -> bool {
    map.len() == 1 && (map.contains_key(BLOB) || map.contains_key(MAP))
}

fn take(value: &mut Value) -> Value {
    std::mem::replace(value, Value::Null)
}

fn decode(value: Value, blob: Option<Blobs<'_>>) -> Result<Value, String> {
    match value {
        Value::List(mut list) => {
            for item in &mut list {
                *item = decode(take(item), blob)?;
            }
            Ok(Value::List(list))
        }
        Value::Map(mut map) if is_marked(&map) => match (map.get_mut(BLOB).map(take), map.get_mut(MAP).map(take), blob) {
            (Some(Value::Text(digest)), _, Some(blob)) => blob(&digest).map(Value::Text),
            (None, Some(Value::Map(inner)), _) => decode_members(inner, blob),
            _ => Err("a `$blob` or `$map` in it is not of the form that Brickform writes".to_owned()),
        },
        Value::Map(map) => decode_members(map, blob),
        plain => Ok(plain),
    }
}

fn decode_members(mut map: Map, blob: Option<Blobs<'_>>) -> Result<Value, String> {
    for value in map.values_mut() {
        *value = decode(take(value), blob)?;
    }
    Ok(Value::Map(map))
}

/// Whether an entry of this kind may stand under this address: the kind that the address says, or the kind of its facet.
///
/// # Errors
/// A sentence that names both.
pub fn of_kind(address: &Address, kind: &str) -> Result<(), String> {
    let of_facet = |facet: &str| {
        let known = Registry::standard().get(&address.kind).and_then(|kind| kind.facets.iter().find(|f| f.name == facet));
        known.map(|known| known.kind.name)
    };
    let said = address.facet.as_deref().map_or(address.kind.as_str(), |facet| of_facet(facet).unwrap_or(facet));
    if said == kind { Ok(()) } else { Err(format!("its `kind` is `{kind}`, but its address says `{said}`")) }
}

/// A member that must be there.
pub fn member<'a>(map: &'a Map, name: &str) -> Result<&'a Value, String> {
    map.get(name).ok_or_else(|| format!("`{name}` is missing"))
}

/// A text that must be there.
pub fn text(map: &Map, name: &str) -> Result<String, String> {
    let value = member(map, name)?;
    value.as_str().map(str::to_owned).ok_or_else(|| wrong(name, value, "text"))
}

/// A whole number that must be there, not negative.
pub fn whole(map: &Map, name: &str) -> Result<u64, String> {
    match member(map, name)? {
        Value::Int(n) if *n >= 0 => Ok(n.unsigned_abs()),
        Value::UInt(n) => Ok(*n),
        other => Err(format!("`{name}` is {}, not a whole number from 0", json::display(other))),
    }
}

/// The serial, which grows by one with each write: there is room for the next ones.
pub fn serial(map: &Map) -> Result<u64, String> {
    whole(map, "serial").and_then(|n| match i64::try_from(n) {
        Ok(_) => Ok(n),
        Err(_) => Err(format!("`serial` is {n}, which no Brickform ever counted up to")),
    })
}

/// A text that may be absent.
pub fn optional_text(map: &Map, name: &str) -> Result<Option<String>, String> {
    map.get(name).map(|v| v.as_str().map(str::to_owned).ok_or_else(|| wrong(name, v, "text"))).transpose()
}

pub(super) fn flag(map: &Map, name: &str) -> Result<bool, String> {
    map.get(name).map_or(Ok(false), |v| v.as_bool().ok_or_else(|| wrong(name, v, "a boolean")))
}

fn texts(map: &Map, name: &str) -> Result<Vec<String>, String> {
    let Some(value) = map.get(name) else { return Ok(vec![]) };
    let list = value.as_list().ok_or_else(|| wrong(name, value, "a list"))?;
    list.iter().map(|v| v.as_str().map(str::to_owned).ok_or_else(|| wrong(name, v, "text"))).collect()
}

fn wrong(name: &str, value: &Value, wanted: &str) -> String {
    format!("`{name}` is {}, not {wanted}", value.sort())
}
