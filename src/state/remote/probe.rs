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

/// Tries a store with an object of its own name (`id` tells this try from others), which is gone afterwards. What does not
/// need the answer before it is asked at the same time: the first save of a state waits for this.
pub async fn probe(objects: &dyn Objects, id: &str) -> Vec<Probe> {
    let name = format!("probe/{id}.json");
    let (created, first) = write(objects, &name, "1", Condition::Absent, "creates an object", Wanted::Done).await;
    let mut found = vec![first];
    if created.is_none() {
        return found;
    }
    let again = write(objects, &name, "2", Condition::Absent, "creates an object only once", Wanted::Refused);
    let (read, listed, (_, again)) = tokio::join!(objects.get(&name), objects.list("probe/"), again);
    let read = match read {
        // A store that takes any write may have the second one by now, which is told below.
        Ok(Some(object)) if object.bytes == b"1" || object.bytes == b"2" => Ok(object.tag),
        Ok(Some(_)) => Err("other bytes came back".to_owned()),
        Ok(None) => Err("it is not there after it was written".to_owned()),
        Err(error) => Err(error.why),
    };
    let tag = read.as_ref().ok().cloned();
    found.push(Probe { what: "reads it back", trouble: read.err() });
    let trouble = match listed {
        Ok(names) if names.contains(&name) => None,
        Ok(_) => Some("it is not in the list after it was written".to_owned()),
        Err(error) => Some(error.why),
    };
    found.push(Probe { what: "lists it", trouble });
    found.push(again);
    if let (Locking::Tags, Some(tag)) = (objects.locking(), tag) {
        let named = Condition::Same(tag.clone());
        found.push(write(objects, &name, "3", named, "replaces the version that is named", Wanted::Done).await.1);
        found.push(write(objects, &name, "4", Condition::Same(tag), "replaces no other version", Wanted::Refused).await.1);
    }
    let gone = objects.delete(&name).await.err().map(|e| e.why);
    found.push(Probe { what: "deletes it", trouble: gone });
    found
}

/// What a store that keeps its word does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Done,
    Refused,
}

async fn write(
    objects: &dyn Objects,
    name: &str,
    text: &str,
    condition: Condition,
    what: &'static str,
    wanted: Wanted,
) -> (Option<Tag>, Probe) {
    let answer = objects.put(name, text.as_bytes().to_vec(), condition).await;
    let (tag, trouble) = match (answer, wanted) {
        (Ok(Put::Done(tag)), Wanted::Done) => (Some(tag), None),
        (Ok(Put::Refused), Wanted::Refused) => (None, None),
        (Ok(Put::Done(_)), Wanted::Refused) => (None, Some(BROKEN.to_owned())),
        (Ok(Put::Refused), Wanted::Done) => (None, Some("it was refused".to_owned())),
        (Err(ObjectError { why, .. }), _) => (None, Some(why)),
    };
    (tag, Probe { what, trouble })
}
