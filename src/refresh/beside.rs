//! What a read of the object does not say and another list does: what is in it, and marks that replies may leave out.

use std::collections::{BTreeMap, BTreeSet};

use tokio::task::JoinSet;

use super::object::{id_of, natural_of};
use super::wanted::Target;
use super::{Address, ApiError, Ask, Client, Kind, Live, Value};
use crate::client::ApiErrorKind;
use crate::kinds::{Identity, Rename, from_row, list_parent, marks_call, within_calls};

/// What is in objects that a plan is likely to delete: those that nobody wants any more, and those whose name is another
/// one. What else a plan turns out to take away is looked into by [`contents`].
pub async fn within(
    client: &Client,
    ask: &Ask<'_>,
    targets: &[Target<'_>],
    objects: &BTreeMap<Address, Live>,
) -> BTreeMap<Address, Result<Vec<String>, ApiError>> {
    let goes = |target: &Target<'_>| {
        let Some(Live::Found { id, body }) = objects.get(&target.address) else { return None };
        // A name that changes in place takes nothing away.
        let renamed = matches!(target.kind.identity, Identity::Named { rename: Rename::By(_), .. });
        let stays = !ask.destroy && target.desired.is_some_and(|r| renamed || r.natural == natural_of(target.kind, body));
        (target.entry.is_some() && !stays).then(|| (target.address.clone(), target.kind, id.clone()))
    };
    let wanted: Vec<(Address, &'static Kind, String)> = targets.iter().filter_map(goes).collect();
    contents(client, &wanted).await
}

/// What is in these objects: paths or names, sorted. In one that is not there is nothing; why one cannot be listed is kept.
/// What the server itself keeps in each is not told.
pub async fn contents(client: &Client, objects: &[(Address, &'static Kind, String)]) -> BTreeMap<Address, Result<Vec<String>, ApiError>> {
    let mut tasks = JoinSet::new();
    let mut found: BTreeMap<Address, Result<Vec<String>, ApiError>> = BTreeMap::new();
    for (address, kind, id) in objects {
        for (contents, call) in within_calls(kind, &Value::text(id.as_str())) {
            let (client, address) = (client.clone(), address.clone());
            tasks.spawn(async move {
                let rows = match client.list(&call).await {
                    Err(error) if error.kind == ApiErrorKind::NotFound => Ok(vec![]),
                    listed => listed,
                };
                let is_own = |row: &Value| row.get("name").and_then(Value::as_str).is_some_and(|name| contents.own.contains(&name));
                let named = |row: &Value| row.get(contents.name)?.as_str().filter(|_| !is_own(row)).map(str::to_owned);
                (address, rows.map(|rows| rows.iter().filter_map(named).collect::<Vec<_>>()))
            });
        }
    }
    let mut answers = tasks.join_all().await;
    // Which of several failures is told does not depend on who was the fastest.
    answers
        .sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.as_ref().err().map(|e| &e.request).cmp(&y.as_ref().err().map(|e| &e.request))));
    for (address, listed) in answers {
        match (found.entry(address).or_insert(Ok(vec![])), listed) {
            (Ok(all), Ok(names)) => all.extend(names),
            (all @ Ok(_), Err(error)) => *all = Err(error),
            (Err(_), _) => {}
        }
    }
    for names in found.values_mut().flatten() {
        names.sort();
    }
    found
}

/// Gives marks that YAML sets and replies leave out, from one list of those that have the mark.
pub async fn marks(client: &Client, targets: &[Target<'_>], objects: &mut BTreeMap<Address, Live>) {
    let mut asked: BTreeMap<(&str, &str), (&'static Kind, Vec<&Target<'_>>)> = BTreeMap::new();
    for target in targets {
        for (field, ..) in target.kind.marks {
            let wanted = target.desired.is_some_and(|r| r.body.get(field).is_some());
            let untold = body_of(objects.get(&target.address)).is_some_and(|body| body.get(field).is_none());
            if wanted && untold {
                asked.entry((target.kind.name, field)).or_insert_with(|| (target.kind, vec![])).1.push(target);
            }
        }
    }
    for ((_, field), (kind, targets)) in asked {
        let parent = targets.first().and_then(|target| list_parent(kind, target.body()));
        let Some(call) = marks_call(kind, parent.as_deref(), field) else { continue };
        // Without this list the reply is all that is known.
        let Ok(rows) = client.list(&call).await else { continue };
        let ids: BTreeSet<String> = rows.into_iter().filter_map(|row| id_of(kind, &from_row(kind, parent.as_deref(), row))).collect();
        for target in targets {
            if let Some(live) = objects.get_mut(&target.address) {
                mark(live, field, &ids);
            }
        }
    }
}

fn body_of(live: Option<&Live>) -> Option<&Value> {
    match live? {
        Live::Found { body, .. } | Live::Settled { body, .. } => Some(body),
        Live::Exists(candidates) => candidates.first().map(|candidate| &candidate.body),
        Live::Gone | Live::Absent | Live::Waits | Live::Failed(_) => None,
    }
}

fn mark(live: &mut Live, field: &str, ids: &BTreeSet<String>) {
    let bodies: Vec<(&String, &mut Value)> = match live {
        Live::Found { id, body } | Live::Settled { id, body } => vec![(&*id, body)],
        Live::Exists(candidates) => candidates.iter_mut().map(|c| (&c.id, &mut c.body)).collect(),
        Live::Gone | Live::Absent | Live::Waits | Live::Failed(_) => vec![],
    };
    for (id, body) in bodies {
        if let Some(map) = body.as_map_mut().filter(|_| ids.contains(id)) {
            map.insert(field.to_owned(), Value::Bool(true));
        }
    }
}
