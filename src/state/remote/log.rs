//! The journal of a remote state: a row of numbered objects, each created once. Two that write into the same row cannot
//! both get the next number, so whoever lost the lease finds out with the first record and writes nothing more.

use std::time::Duration;

use super::objects::{Condition, ObjectError, Objects, Put};
use crate::model::bounded;
use crate::state::Record;
use crate::state::journal::{read_lines, salvage_lines, write_lines};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long a segment that the store does not take is tried again.
#[derive(Clone, Copy)]
pub(super) struct Stamina<'a> {
    /// At most so long.
    pub(super) limit: Duration,
    /// Whether another try makes sense: not after the lease is lost.
    pub(super) goes_on: &'a (dyn Fn() -> bool + Send + Sync),
}

/// Where the next segment goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Log {
    /// The serial of the document that it continues.
    pub(super) serial: u64,
    /// The number of the next segment.
    next: u64,
    /// The number of the next line.
    sequence: u64,
    /// Bytes of segment `next` that were sent, or are about to be, and whose answer did not come; and how many lines they
    /// are. Also where whoever wrote them was stopped meanwhile.
    doubt: Option<(Vec<u8>, u64)>,
}

/// A segment was not written.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Somebody else has written where this one would go.
    Fenced,
    /// The store.
    Store(ObjectError),
    /// The records cannot be written: why.
    Records(String),
}

/// The row as it was read.
pub(super) struct Reading {
    /// Its records.
    pub(super) records: Vec<Record>,
    /// Where the next segment goes.
    pub(super) log: Log,
}

/// Why a row is no journal: a sentence.
pub(super) enum Fault {
    Store(ObjectError),
    Damaged(String),
}

impl From<ObjectError> for Fault {
    fn from(error: ObjectError) -> Self {
        Self::Store(error)
    }
}

/// The records of a row up to where it is damaged, and what is wrong with it.
///
/// # Errors
/// The store.
pub(super) async fn salvage(objects: &std::sync::Arc<dyn Objects>, serial: u64) -> Result<(Vec<Record>, Option<String>), ObjectError> {
    let (lines, broken, _) = lines(objects, serial).await?;
    let (journal, damage) = salvage_lines(&lines);
    Ok((journal.records, damage.or(broken)))
}

/// The lines of a row's segments, as far as nothing is missing; what is; and the number after the last.
async fn lines(objects: &std::sync::Arc<dyn Objects>, serial: u64) -> Result<(Vec<u8>, Option<String>, u64), ObjectError> {
    let names = objects.list(&folder(serial)).await?;
    let mut lines = Vec::new();
    let mut next = 1;
    for (name, bytes) in super::reading::fetch(objects, names, bounded::RECORD).await? {
        let trouble = match (name == segment(serial, next), &bytes) {
            (false, _) => Some(format!("its journal lacks {}: the next that is there is {name}", segment(serial, next))),
            (true, None) => Some(format!("{name} of its journal went away while it was read")),
            (true, Some(bytes)) if body(bytes).is_none() => Some(format!("{name} is no segment of a journal")),
            (true, Some(_)) => None,
        };
        if trouble.is_some() {
            return Ok((lines, trouble, next));
        }
        lines.extend_from_slice(bytes.as_deref().and_then(body).unwrap_or_default());
        next += 1;
    }
    Ok((lines, None, next))
}

impl Log {
    /// The row of a document that has none yet.
    pub(super) fn begun(serial: u64) -> Self {
        Self { serial, next: 1, sequence: 1, doubt: None }
    }

    /// The row that continues the document of this serial.
    pub(super) async fn read(objects: &std::sync::Arc<dyn Objects>, serial: u64) -> Result<Reading, Fault> {
        let (lines, broken, next) = lines(objects, serial).await?;
        if let Some(why) = broken {
            return Err(Fault::Damaged(why));
        }
        let journal = read_lines(&lines).map_err(Fault::Damaged)?;
        if journal.whole != lines.len() {
            // A store keeps an object whole or not at all: nothing of ours ends in the middle of a line.
            return Err(Fault::Damaged(format!("the last line of its journal in {} is cut short", segment(serial, next - 1))));
        }
        let sequence = journal.records.len() as u64 + 1;
        Ok(Reading { records: journal.records, log: Self { serial, next, sequence, doubt: None } })
    }

    /// Whether something was sent of which nobody knows whether it arrived.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    /// Writes records as the next segment; none of them still makes one, which keeps everybody else from that number. They
    /// are taken once what is in doubt has arrived, and from then on they are in doubt themselves: whoever stops this in
    /// the middle loses none.
    pub(super) async fn write(
        &mut self,
        objects: &dyn Objects,
        lease: &str,
        take: impl FnOnce() -> Vec<Record> + Send,
        stamina: Stamina<'_>,
    ) -> Result<(), Trouble> {
        self.settle(objects, stamina).await?;
        let records = take();
        let mut bytes = format!("lease {lease}\n").into_bytes();
        bytes.extend(write_lines(&records, self.sequence).map_err(Trouble::Records)?);
        self.doubt = Some((bytes, records.len() as u64));
        self.settle(objects, stamina).await
    }

    /// Sends what is in doubt until it is there.
    async fn settle(&mut self, objects: &dyn Objects, stamina: Stamina<'_>) -> Result<(), Trouble> {
        let Some((bytes, lines)) = &self.doubt else { return Ok(()) };
        let name = segment(self.serial, self.next);
        let begun = tokio::time::Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match once(objects, &name, bytes).await {
                Ok(true) => break,
                Ok(false) => {
                    self.doubt = None;
                    return Err(Trouble::Fenced);
                }
                Err(error) if begun.elapsed() + pause >= stamina.limit || !(stamina.goes_on)() => {
                    return Err(Trouble::Store(error));
                }
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.next += 1;
        self.sequence += lines;
        self.doubt = None;
        Ok(())
    }
}

/// Whether the segment is there and ours.
async fn once(objects: &dyn Objects, name: &str, bytes: &[u8]) -> Result<bool, ObjectError> {
    if let Put::Done(_) = objects.put(name, bytes.to_vec(), Condition::Absent).await? {
        return Ok(true);
    }
    // Ours whose answer was lost, or another's: its first line names whose lease it was written under.
    Ok(objects.get(name).await?.is_some_and(|there| there.bytes == bytes))
}

/// The folder of the journal that continues the document of this serial.
pub(super) fn folder(serial: u64) -> String {
    format!("journal/{serial:08}/")
}

fn segment(serial: u64, number: u64) -> String {
    format!("{}{number:08}.log", folder(serial))
}

/// What follows the line that names the lease.
fn body(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|b| *b == b'\n')?;
    bytes.starts_with(b"lease ").then(|| &bytes[end + 1..])
}
