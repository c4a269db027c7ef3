//! The append-only record of an apply, and its fold into the document.
//!
//! A line is `sequence length checksum json`. A torn last line is dropped (the append that wrote it never returned); a
//! torn middle is an error. Records count only after a `Begin` that names the document's own lineage and serial, so
//! folding a journal twice, or one whose document has been saved already, changes nothing.

use std::collections::BTreeMap;

use super::format::{
    entry_of, entry_value, flag, intent_of, intent_value, member, of_kind, optional_text, pin_of, pin_value, serial, text, whole,
    workspace_of, workspace_value,
};
use super::{Document, Entry, Note, Pin, WorkspaceIdentity};
use crate::model::{Address, Fingerprint, Map, Value, json};

/// A create that is about to be sent, durable before it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// The kind's name.
    pub kind: String,
    /// The natural key's values.
    pub natural: Vec<String>,
    /// The ownership tag it will carry; the id that was chosen for it, where whoever makes it picks one.
    pub tag: Option<String>,
    /// Ids of the objects in whose place it comes: a list that lags behind shows them still, and none is its result.
    pub replaces: Vec<String>,
    /// The server's clock before the call, seconds since 1970.
    pub server_seconds: Option<i64>,
    /// Who creates.
    pub caller: String,
    /// What the create sends, as the state will hold it, as far as it is known: fields that YAML drops before the next run are
    /// ours all the same. None in journals of earlier versions.
    pub applied: Option<Value>,
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// An apply begins on the state of this lineage and serial.
    Begin {
        /// The document's lineage.
        lineage: String,
        /// The serial it started from.
        serial: u64,
        /// Which workspace.
        workspace: WorkspaceIdentity,
        /// The commit that is applied.
        commit: Option<String>,
        /// What the environment is pinned to from now on.
        pinned: Option<Pin>,
        /// Who applies, and what was allowed.
        note: Option<Note>,
    },
    /// A create is about to be sent.
    Intent {
        /// Whose.
        address: Address,
        /// What.
        intent: Intent,
    },
    /// The create certainly did not happen.
    Withdrawn {
        /// Whose.
        address: Address,
    },
    /// The object is as the entry says (after each call that changed something).
    Put {
        /// Whose.
        address: Address,
        /// What is known now.
        entry: Box<Entry>,
    },
    /// It was deleted or forgotten.
    Removed {
        /// Whose.
        address: Address,
    },
    /// These have other addresses now, all at once (two may swap).
    Moved {
        /// Old and new.
        moves: Vec<(Address, Address)>,
    },
    /// The apply came to its end.
    End,
}

/// Folds records into the document they belong to: the same records twice give the same document.
/// The serial grows by one with each `Begin` that names the document's own serial.
#[must_use]
pub fn fold(mut document: Document, records: &[Record]) -> Document {
    let mut counts = false;
    for record in records {
        if let Record::Begin { lineage, serial, workspace, commit, pinned, note: _ } = record {
            counts = *lineage == document.lineage && *serial == document.serial;
            if counts {
                document.serial = document.serial.saturating_add(1);
                document.workspace = Some(workspace.clone());
                let known = document.commit.take().or(document.known_commit.take());
                document.known_commit = known.filter(|_| commit.is_none());
                document.commit.clone_from(commit);
                document.pinned.clone_from(pinned);
            }
        } else if counts {
            apply(&mut document, record);
        }
    }
    document
}

fn apply(document: &mut Document, record: &Record) {
    match record {
        Record::Begin { .. } | Record::End => {}
        Record::Intent { address, intent } => {
            document.open_intents.insert(address.clone(), intent.clone());
        }
        Record::Withdrawn { address } => {
            document.open_intents.remove(address);
        }
        Record::Put { address, entry } => {
            document.open_intents.remove(address);
            document.resources.insert(address.clone(), (**entry).clone());
        }
        Record::Removed { address } => {
            document.open_intents.remove(address);
            document.resources.remove(address);
        }
        Record::Moved { moves } => {
            rename(&mut document.resources, moves);
            rename(&mut document.open_intents, moves);
        }
    }
}

fn rename<T>(map: &mut BTreeMap<Address, T>, moves: &[(Address, Address)]) {
    let taken: Vec<(Address, T)> = moves.iter().filter_map(|(from, to)| Some((to.clone(), map.remove(from)?))).collect();
    map.extend(taken);
}

/// What a journal's bytes hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// The records, in order.
    pub records: Vec<Record>,
    /// How many bytes of whole lines there are; what follows is a torn last line.
    pub whole: usize,
}

/// Writes records as lines; `sequence` is the first one's number.
///
/// # Errors
/// An entry holds something unknown or secret: its place.
pub fn write_lines(records: &[Record], sequence: u64) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    for (sequence, record) in (sequence..).zip(records) {
        let json = json::write(&record_value(record)?).map_err(|e| e.to_string())?;
        out.extend_from_slice(format!("{sequence} {} {} {json}\n", json.len(), checksum(sequence, &json)).as_bytes());
    }
    Ok(out)
}

/// Reads lines, numbered from 1 in sequence.
///
/// # Errors
/// A line is damaged: its number and what is wrong. Only what was cut off counts as torn: a line with its end was written,
/// and promised, and something happened to it since.
pub fn read_lines(bytes: &[u8]) -> Result<Journal, String> {
    match salvage_lines(bytes) {
        (journal, None) => Ok(journal),
        (_, Some(why)) => Err(why),
    }
}

/// Reads lines up to one that is damaged: what comes before it, and what is wrong with it.
pub fn salvage_lines(bytes: &[u8]) -> (Journal, Option<String>) {
    let mut journal = Journal { records: vec![], whole: 0 };
    for (sequence, line) in (1u64..).zip(bytes.split_inclusive(|b| *b == b'\n')) {
        match read_line(line, sequence) {
            Ok(record) => journal.records.push(record),
            Err(_) if !line.ends_with(b"\n") => break,
            Err(why) => return (journal, Some(format!("line {sequence} of the journal is damaged: {why}"))),
        }
        journal.whole += line.len();
    }
    (journal, None)
}

fn read_line(line: &[u8], expected: u64) -> Result<Record, String> {
    let line = std::str::from_utf8(line).map_err(|_| "it is not text".to_owned())?;
    let line = line.strip_suffix('\n').ok_or_else(|| "it is cut short".to_owned())?;
    let mut parts = line.splitn(4, ' ');
    let (Some(sequence), Some(length), Some(sum), Some(json)) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err("it does not have the form `sequence length checksum json`".to_owned());
    };
    if sequence.parse() != Ok(expected) {
        return Err(format!("its sequence number is `{sequence}`, not {expected}"));
    }
    if length.parse() != Ok(json.len()) {
        return Err(format!("it holds {} bytes, not {length}", json.len()));
    }
    if checksum(expected, json) != sum {
        return Err("its checksum does not match".to_owned());
    }
    let value = json::parse(json.as_bytes()).map_err(|e| e.to_string())?;
    record_of(&value)
}

/// The first 16 digits of the SHA-256 of number and text: guards against tearing and mixing up, not against malice.
fn checksum(sequence: u64, json: &str) -> String {
    let mut digest = Fingerprint::of(format!("{sequence} {json}").as_bytes()).0;
    digest.truncate(16);
    digest
}

fn record_value(record: &Record) -> Result<Value, String> {
    let named = |name: &str, address: &Address| vec![("record", Value::from(name)), ("address", Value::Text(address.to_string()))];
    Ok(Value::map(match record {
        Record::Begin { lineage, serial, workspace, commit, pinned, note } => {
            let mut out = vec![
                ("record", Value::from("begin")),
                ("lineage", lineage.as_str().into()),
                ("serial", Value::from(*serial)),
                ("workspace", workspace_value(workspace)),
            ];
            out.extend(commit.iter().map(|c| ("commit", Value::from(c.as_str()))));
            out.extend(pinned.iter().map(|pin| ("pinned", pin_value(pin))));
            out.extend(note.iter().map(|n| ("note", note_value(n))));
            out
        }
        Record::Intent { address, intent } => {
            let mut out = named("intent", address);
            out.push(("intent", intent_value(intent)));
            out
        }
        Record::Withdrawn { address } => named("withdrawn", address),
        Record::Put { address, entry } => {
            let mut out = named("put", address);
            out.push(("entry", entry_value(entry, None).map_err(|why| format!("{address}: {why}"))?));
            out
        }
        Record::Removed { address } => named("removed", address),
        Record::Moved { moves } => {
            let pair = |(from, to): &(Address, Address)| Value::List(vec![from.to_string().into(), to.to_string().into()]);
            vec![("record", "moved".into()), ("moves", Value::List(moves.iter().map(pair).collect()))]
        }
        Record::End => vec![("record", "end".into())],
    }))
}

fn record_of(value: &Value) -> Result<Record, String> {
    let map = value.as_map().ok_or_else(|| "it is not a map".to_owned())?;
    let address = || text(map, "address").and_then(|t| t.parse().map_err(|e| format!("{e}")));
    let placed = |kind: &str| {
        let address: Address = address()?;
        of_kind(&address, kind).map_err(|why| format!("`{address}`: {why}"))?;
        Ok::<Address, String>(address)
    };
    Ok(match text(map, "record")?.as_str() {
        "begin" => Record::Begin {
            lineage: text(map, "lineage")?,
            serial: serial(map)?,
            workspace: workspace_of(member(map, "workspace")?)?,
            commit: optional_text(map, "commit")?,
            pinned: map.get("pinned").map(pin_of).transpose()?,
            note: map.get("note").map(note_of).transpose()?,
        },
        "intent" => {
            let intent = intent_of(member(map, "intent")?)?;
            Record::Intent { address: placed(&intent.kind)?, intent }
        }
        "withdrawn" => Record::Withdrawn { address: address()? },
        "put" => {
            let entry = entry_of(member(map, "entry")?.clone(), None)?;
            Record::Put { address: placed(&entry.kind)?, entry: Box::new(entry) }
        }
        "removed" => Record::Removed { address: address()? },
        "moved" => Record::Moved { moves: moves_of(map)? },
        "end" => Record::End,
        other => return Err(format!("`{other}` is no record that this Brickform knows")),
    })
}

fn moves_of(map: &Map) -> Result<Vec<(Address, Address)>, String> {
    let parse = |v: &Value| v.as_str().and_then(|t| t.parse().ok());
    let pair = |v: &Value| match v.as_list() {
        Some([from, to]) => parse(from).zip(parse(to)),
        _ => None,
    };
    let list = member(map, "moves")?.as_list().unwrap_or_default();
    list.iter().map(|v| pair(v).ok_or_else(|| "`moves` is not a list of pairs of addresses".to_owned())).collect()
}

fn note_value(note: &Note) -> Value {
    let counts = note.counts.iter().map(|(what, n)| (what.clone(), Value::from(*n))).collect();
    let mut out = vec![
        ("who", Value::from(note.who.as_str())),
        ("overrides", Value::List(note.overrides.iter().map(|o| Value::from(o.as_str())).collect())),
        ("counts", Value::Map(counts)),
        ("plan", Value::from(note.plan.as_str())),
    ];
    out.extend(note.link.iter().map(|link| ("link", Value::from(link.as_str()))));
    out.extend(note.dirty.then(|| ("dirty", true.into())));
    for (name, all) in [("files", &note.files), ("forgotten", &note.forgotten)] {
        if !all.is_empty() {
            out.push((name, Value::List(all.iter().map(|one| Value::from(one.as_str())).collect())));
        }
    }
    Value::map(out)
}

fn note_of(value: &Value) -> Result<Note, String> {
    let map = value.as_map().ok_or_else(|| "`note` is not a map".to_owned())?;
    let overrides = member(map, "overrides")?.as_list().unwrap_or_default();
    let counts = member(map, "counts")?.as_map().ok_or_else(|| "`counts` is not a map".to_owned())?;
    let texts = |name: &str| -> Vec<String> {
        let list = map.get(name).and_then(Value::as_list).unwrap_or_default();
        list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    Ok(Note {
        who: text(map, "who")?,
        overrides: overrides.iter().filter_map(|o| o.as_str().map(str::to_owned)).collect(),
        counts: counts.keys().map(|what| Ok((what.clone(), whole(counts, what)?))).collect::<Result<_, String>>()?,
        plan: text(map, "plan")?,
        link: optional_text(map, "link")?,
        dirty: flag(map, "dirty")?,
        files: texts("files"),
        forgotten: texts("forgotten"),
    })
}
