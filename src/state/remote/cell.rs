//! One value that many may read and that nobody overwrites unseen: compare-and-swap on either sort of store.

use super::objects::{Condition, Locking, ObjectError, Objects, Put, Tag};

/// How many generations are left behind the highest: a reader that listed a moment ago still finds what it saw.
const GENERATIONS_KEPT: u64 = 3;
/// How often a reader looks again when the generation it saw was cleared away meanwhile.
const LOOKS: usize = 5;

/// A value with a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell(pub(super) &'static str);

/// Which value was read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    Tag(Tag),
    Generation(u64),
}

impl Cell {
    /// What it holds now; none if nothing was ever written.
    pub(super) async fn read(self, objects: &dyn Objects) -> Result<Option<(Vec<u8>, Mark)>, ObjectError> {
        if objects.locking() == Locking::Tags {
            let object = objects.get(&self.file()).await?;
            return Ok(object.map(|object| (object.bytes, Mark::Tag(object.tag))));
        }
        for _ in 0..LOOKS {
            let Some(highest) = self.highest(objects).await? else { return Ok(None) };
            if let Some(object) = objects.get(&self.generation(highest)).await? {
                return Ok(Some((object.bytes, Mark::Generation(highest))));
            }
        }
        Err(ObjectError::new(format!("`{}` changes faster than it can be read", self.0)))
    }

    /// Writes it if it is still what `expected` says (none: still unwritten). Gives the new mark, or none where somebody
    /// else was first. Its own write whose answer was lost counts as done: `bytes` must be unlike anybody else's.
    pub(super) async fn write(self, objects: &dyn Objects, bytes: &[u8], expected: Option<&Mark>) -> Result<Option<Mark>, ObjectError> {
        match (objects.locking(), expected) {
            (Locking::Tags, None | Some(Mark::Tag(_))) => self.replace(objects, bytes, expected).await,
            (Locking::Generations, None) => self.advance(objects, bytes, 1).await,
            (Locking::Generations, Some(Mark::Generation(last))) => self.advance(objects, bytes, last + 1).await,
            // A mark of the other sort was never read from this store.
            _ => Ok(None),
        }
    }

    async fn replace(self, objects: &dyn Objects, bytes: &[u8], expected: Option<&Mark>) -> Result<Option<Mark>, ObjectError> {
        let condition = match expected {
            Some(Mark::Tag(tag)) => Condition::Same(tag.clone()),
            _ => Condition::Absent,
        };
        if let Put::Done(tag) = objects.put(&self.file(), bytes.to_vec(), condition).await? {
            return Ok(Some(Mark::Tag(tag)));
        }
        let there = objects.get(&self.file()).await?;
        Ok(there.filter(|object| object.bytes == bytes).map(|object| Mark::Tag(object.tag)))
    }

    async fn advance(self, objects: &dyn Objects, bytes: &[u8], next: u64) -> Result<Option<Mark>, ObjectError> {
        let name = self.generation(next);
        if objects.put(&name, bytes.to_vec(), Condition::Absent).await? == Put::Refused
            && objects.get(&name).await?.is_none_or(|there| there.bytes != bytes)
        {
            return Ok(None);
        }
        // Old generations are cleared away, so that a writer which slept through many finds its number free: the highest counts.
        // The one whose turn it is goes while the list comes.
        let due = next.saturating_sub(GENERATIONS_KEPT);
        let clearing = async {
            if due > 0 {
                // What cannot be cleared away now is cleared away by the next writer.
                let _ = objects.delete(&self.generation(due)).await;
            }
        };
        let (all, ()) = tokio::join!(self.generations(objects), clearing);
        let all = all?;
        if all.last().is_some_and(|highest| *highest > next) {
            return Ok(None);
        }
        for old in all.into_iter().filter(|n| *n < due) {
            let _ = objects.delete(&self.generation(old)).await;
        }
        Ok(Some(Mark::Generation(next)))
    }

    async fn highest(self, objects: &dyn Objects) -> Result<Option<u64>, ObjectError> {
        Ok(self.generations(objects).await?.pop())
    }

    /// The numbers that are there, rising.
    async fn generations(self, objects: &dyn Objects) -> Result<Vec<u64>, ObjectError> {
        let prefix = format!("{}/", self.0);
        let names = objects.list(&prefix).await?;
        let number = |name: &String| name.strip_prefix(&prefix)?.strip_suffix(".json")?.parse().ok();
        let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn file(self) -> String {
        format!("{}.json", self.0)
    }

    fn generation(self, number: u64) -> String {
        format!("{}/{number:08}.json", self.0)
    }
}
