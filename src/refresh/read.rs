//! The reads of a plan: first what stands alone, all at once; then what is part of it.

use tokio::task::JoinSet;

use std::collections::{BTreeMap, BTreeSet};

use super::wanted::{Target, groups, targets};
use super::{Address, ApiError, Ask, Client, Kind, Live, Snapshot, Value, attached, beside, group, object as one, wanted};
use crate::kinds;

/// Reads everything that a plan needs.
pub async fn read(client: &Client, ask: &Ask<'_>) -> Snapshot {
    let before = client.requests();
    let (mut targets, mut objects) = targets(ask);
    read_groups(client, ask, &targets, &|_| true, &mut objects).await;
    let elsewhere = elsewhere(ask, &targets, &objects);
    if !elsewhere.is_empty() {
        // The same by the other API that has been chosen now.
        targets = wanted::targets(ask).0;
        read_groups(client, ask, &targets, &|kind| elsewhere.contains(kind.name), &mut objects).await;
    }
    beside::marks(client, &targets, &mut objects).await;
    let (attached, settings, within) = tokio::join!(
        attached::attached(client, ask, &targets, &objects),
        attached::settings(client, &targets),
        beside::within(client, ask, &targets, &objects),
    );
    objects.extend(attached);
    objects.extend(settings);
    for target in &targets {
        objects.entry(target.address.clone()).or_insert(Live::Absent);
    }
    Snapshot { objects, within, parts: BTreeMap::new(), requests: client.requests() - before }
}

/// Reads what stands alone, of these kinds.
async fn read_groups(
    client: &Client,
    ask: &Ask<'_>,
    targets: &[Target<'_>],
    wanted: &dyn Fn(&Kind) -> bool,
    objects: &mut BTreeMap<Address, Live>,
) {
    let mut tasks = JoinSet::new();
    for group in groups(targets, ask).into_iter().filter(|group| wanted(group.kind)) {
        tasks.spawn(group::read(client.clone(), group));
    }
    for found in tasks.join_all().await {
        objects.extend(found);
    }
}

/// Kinds that the workspace has only by another API than was asked: the other is chosen.
fn elsewhere(ask: &Ask<'_>, targets: &[Target<'_>], objects: &BTreeMap<Address, Live>) -> BTreeSet<&'static str> {
    let is_absent = |target: &&Target<'_>| matches!(objects.get(&target.address), Some(Live::Failed(error)) if one::has_no_api(error));
    let mut fallen = BTreeSet::new();
    for target in targets.iter().filter(is_absent) {
        if ask.registry.fall_back(target.kind) {
            fallen.insert(target.kind.name);
        }
    }
    fallen
}

/// Reads one object by id, by another API of it where the workspace has not the kind's own; none if it is gone.
pub async fn object(client: &Client, kind: &'static Kind, id: &str, body: &Value) -> Result<Option<Value>, ApiError> {
    match (by_api(client, kind, id, body).await, kind.otherwise) {
        (Err(error), Some(otherwise)) if one::has_no_api(&error) => by_api(client, otherwise.kind, id, body).await,
        (answer, _) => answer,
    }
}

async fn by_api(client: &Client, kind: &'static Kind, id: &str, body: &Value) -> Result<Option<Value>, ApiError> {
    let names: Vec<&str> = body.as_map().map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default();
    if let Some(call) = one::read_of(kind, id, body, &names) {
        return one::get(client, kind, &call).await;
    }
    let parent = kinds::list_parent(kind, body);
    let Some(call) = kinds::list_call(kind, parent.as_deref()) else { return Ok(None) };
    let rows = client.list(&call).await?.into_iter().map(|row| kinds::from_row(kind, parent.as_deref(), row));
    Ok(rows.filter(|row| !one::is_trashed(kind, row)).find(|row| one::id_of(kind, row).as_deref() == Some(id)))
}
