//! Whether a store keeps its word: that it creates once, and replaces only the version that was named. Some that speak S3
//! take any write and say nothing.

use super::objects::{Condition, Locking, ObjectError, Objects, Put, Tag};

/// What a store was tried for, and how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What was tried: `creates an object only once`.
    pub what: &'static str,
    /// What went wrong; none if it went well.
    pub trouble: Option<String>,
}

/// A store that keeps nobody from writing.
const BROKEN: &str = "it was written again although it was there: two runners would not see each other";

impl Probe {
    /// Whether the store does not keep its word. Other trouble may pass.
    pub(super) fn is_broken_word(&self) -> bool {
        self.trouble.as_deref() == Some(BROKEN)
    }
}

/// Tries a store with an object of its own name (`id` tells this try from others), which is gone afterwards.
pub async fn probe(objects: &dyn Objects, id: &str) -> Vec<Probe> {
    let name = format!("probe/{id}.json");
    let mut found = vec![];
    let first = write(objects, &name, "1", Condition::Absent, &mut found, "creates an object", true).await;
    if first.is_none() {
        return found;
    }
    let read = match objects.get(&name).await {
        Ok(Some(object)) if object.bytes == b"1" => Ok(object.tag),
        Ok(Some(_)) => Err("other bytes came back".to_owned()),
        Ok(None) => Err("it is not there after it was written".to_owned()),
        Err(error) => Err(error.why),
    };
    let tag = read.as_ref().ok().cloned();
    found.push(Probe { what: "reads it back", trouble: read.err() });
    let listed = objects.list("probe/").await;
    let trouble = match listed {
        Ok(names) if names.contains(&name) => None,
        Ok(_) => Some("it is not in the list after it was written".to_owned()),
        Err(error) => Some(error.why),
    };
    found.push(Probe { what: "lists it", trouble });
    write(objects, &name, "2", Condition::Absent, &mut found, "creates an object only once", false).await;
    if let (Locking::Tags, Some(tag)) = (objects.locking(), tag) {
        write(objects, &name, "3", Condition::Same(tag.clone()), &mut found, "replaces the version that is named", true).await;
        write(objects, &name, "4", Condition::Same(tag), &mut found, "replaces no other version", false).await;
    }
    let gone = objects.delete(&name).await.err().map(|e| e.why);
    found.push(Probe { what: "deletes it", trouble: gone });
    found
}

async fn write(
    objects: &dyn Objects,
    name: &str,
    text: &str,
    condition: Condition,
    found: &mut Vec<Probe>,
    what: &'static str,
    expected: bool,
) -> Option<Tag> {
    let answer = objects.put(name, text.as_bytes().to_vec(), condition).await;
    let (tag, trouble) = match (answer, expected) {
        (Ok(Put::Done(tag)), true) => (Some(tag), None),
        (Ok(Put::Refused), false) => (None, None),
        (Ok(Put::Done(_)), false) => (None, Some(BROKEN.to_owned())),
        (Ok(Put::Refused), true) => (None, Some("it was refused".to_owned())),
        (Err(ObjectError { why, .. }), _) => (None, Some(why)),
    };
    found.push(Probe { what, trouble });
    tag
}
