//! What became of a create whose outcome is unknown.
//!
//! What is guaranteed where reads lag behind writes: kinds known by a name, and kinds whose names are unique, never come
//! to stand twice, because the server refuses the second one whatever its reads show. For the others (jobs, alerts) a
//! create is sent again only by a later run, after a list without the object; two of them are possible only if that list
//! still lags behind a create of the run before.

use std::collections::BTreeSet;

use super::object::{folded, get, id_of, is_trashed, natural_of, read_of};
use super::{ApiError, Candidate, Client, Intent, Kind, Settlement, Value};
use crate::kinds::{Identity, Tag, Unique, from_row, list_call};

/// The key of the ownership tag.
const TAG: &str = "brickform";
/// Fields that say who made an object, whichever it has.
const CREATORS: &[&str] = &["creator_user_name", "creator_name", "creator", "created_by", "owner_user_name", "owner"];
/// Fields that say when, in milliseconds since 1970 or as RFC 3339.
const TIMES: &[&str] = &["created_time", "create_time", "created_at", "creation_time", "creation_timestamp", "created_timestamp"];

/// Which of these objects are the result of the create: those with its tag (of its name, or not made before it); else those with its natural key, and where
/// that is not unique, made by its caller and not before it.
pub fn among(kind: &'static Kind, intent: &Intent, known: &BTreeSet<String>, objects: Vec<Candidate>) -> Settlement {
    let new = objects.into_iter().filter(|object| !known.contains(&object.id) && !is_old(kind, intent, &object.id));
    let natural = folded(kind, &intent.natural);
    let named = |body: &Value| folded(kind, &natural_of(kind, body)) == natural;
    let fits = |object: &Candidate| match (&intent.tag, &object.body) {
        (Some(id), _) if kind.chosen_id.is_some() => object.id == *id,
        // Before the first apply a tag says no more than project, environment and address: another state's object, made
        // earlier and under another name, may carry the same.
        (Some(tag), body) if kind.tag.is_some() => tag_of(kind, body) == Some(tag) && (named(body) || not_before(intent, body)),
        (_, body) => named(body) && (kind.natural.unique == Unique::Yes || made_then(intent, body)),
    };
    let mut results: Vec<Candidate> = new.filter(fits).collect();
    match results.len() {
        0 => Settlement::Absent,
        1 => results.pop().map_or(Settlement::Absent, Settlement::Found),
        _ => Settlement::Several(results),
    }
}

/// Whether it is an object in whose place the new one comes: a name may be made again, an id that the server gave is never
/// given twice.
pub fn is_old(kind: &Kind, intent: &Intent, id: &String) -> bool {
    matches!(kind.identity, Identity::Assigned(_)) && intent.replaces.contains(id)
}

/// What a create marked its object with: the id that it chose for it, or the ownership tag.
pub fn mark_of<'a>(kind: &Kind, id: &'a str, body: &'a Value) -> Option<&'a str> {
    if kind.chosen_id.is_some() { Some(id) } else { tag_of(kind, body) }
}

/// The ownership tag that an object carries.
pub fn tag_of<'a>(kind: &Kind, body: &'a Value) -> Option<&'a str> {
    let Tag::Map(field) = kind.tag?;
    body.get(field)?.get(TAG)?.as_str()
}

/// Whether the object was made by the intent's caller, not before the intent. What the object does not say excludes
/// nothing; its clock is the server's, as the intent's is.
fn made_then(intent: &Intent, body: &Value) -> bool {
    let creator = CREATORS.iter().find_map(|field| body.get(field)?.as_str());
    let by_caller = creator.is_none_or(|creator| intent.caller.is_empty() || creator == intent.caller);
    by_caller && not_before(intent, body)
}

fn not_before(intent: &Intent, body: &Value) -> bool {
    let time = TIMES.iter().find_map(|field| milliseconds(body.get(field)?));
    // A `Date` header is cut to the second.
    match (time, intent.server_seconds) {
        (Some(time), Some(seconds)) => time >= seconds.saturating_mul(1000),
        _ => true,
    }
}

fn milliseconds(value: &Value) -> Option<i64> {
    match value {
        Value::Int(n) => Some(*n),
        Value::Text(text) => text.parse().ok().or_else(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)),
        _ => None,
    }
}

/// Looks what became of a create.
pub async fn settle(client: &Client, kind: &'static Kind, intent: &Intent, known: &BTreeSet<String>) -> Result<Settlement, ApiError> {
    if let (Some(id), Some(_)) = (&intent.tag, kind.chosen_id)
        && let Some(call) = read_of(kind, id, &Value::Null, &[])
    {
        let found = get(client, kind, &call).await?;
        return Ok(found.map_or(Settlement::Absent, |body| Settlement::Found(Candidate { id: id.clone(), body })));
    }
    if let Identity::Named { parts, .. } = kind.identity {
        // The natural key of a kind that is known by name holds the parts of the name.
        let body = Value::map(kind.natural.fields.iter().zip(&intent.natural).map(|(field, value)| (*field, Value::text(value.as_str()))));
        if parts.iter().all(|part| body.get(part).is_some())
            && let Some(id) = id_of(kind, &body)
            && let Some(call) = read_of(kind, &id, &body, &[])
        {
            let found = get(client, kind, &call).await?;
            return Ok(found.map_or(Settlement::Absent, |body| Settlement::Found(Candidate { id, body })));
        }
    }
    let word = |field: &str| kind.natural.fields.iter().position(|known| *known == field).and_then(|i| intent.natural.get(i)).cloned();
    let parent: Option<Vec<String>> = kind.parents.iter().filter(|parent| parent.listed_by).map(|parent| word(parent.field)).collect();
    let parent = parent.map(|words| words.join("."));
    let Some(call) = list_call(kind, parent.as_deref()) else { return Ok(Settlement::Absent) };
    let rows = client.list(&call).await?.into_iter().map(|row| from_row(kind, parent.as_deref(), row));
    let objects = rows.filter(|body| !is_trashed(kind, body)).filter_map(|body| Some(Candidate { id: id_of(kind, &body)?, body }));
    complete(client, kind, among(kind, intent, known, objects.collect())).await
}

/// Objects of a kind that carry an ownership tag: id and tag.
pub async fn tagged(client: &Client, kind: &'static Kind) -> Result<Vec<(String, String)>, ApiError> {
    let Some(call) = list_call(kind, None).filter(|_| kind.tag.is_some()) else { return Ok(vec![]) };
    let rows = client.list(&call).await?.into_iter().map(|row| from_row(kind, None, row));
    let objects = rows.filter(|body| !is_trashed(kind, body));
    Ok(objects.filter_map(|body| Some((id_of(kind, &body)?, tag_of(kind, &body)?.to_owned()))).collect())
}

/// Reads the results whole where the list gives less.
async fn complete(client: &Client, kind: &'static Kind, settlement: Settlement) -> Result<Settlement, ApiError> {
    let whole = |candidate: Candidate| async move {
        match (super::object::is_whole(kind, &candidate.body), read_of(kind, &candidate.id, &candidate.body, &[])) {
            (false, Some(call)) => Ok(get(client, kind, &call).await?.map(|body| Candidate { id: candidate.id, body })),
            _ => Ok(Some(candidate)),
        }
    };
    match settlement {
        Settlement::Absent => Ok(Settlement::Absent),
        Settlement::Found(candidate) => Ok(whole(candidate).await?.map_or(Settlement::Absent, Settlement::Found)),
        Settlement::Several(candidates) => {
            let mut all = Vec::with_capacity(candidates.len());
            for candidate in candidates {
                all.extend(whole(candidate).await?);
            }
            Ok(Settlement::Several(all))
        }
    }
}
