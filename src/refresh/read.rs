//! The reads of a plan: first what stands alone, all at once; then what is part of it.

use tokio::task::JoinSet;

use super::wanted::{groups, targets};
use super::{ApiError, Ask, Client, Kind, Live, Snapshot, Value, attached, beside, group, object as one};
use crate::kinds;

/// Reads everything that a plan needs.
pub async fn read(client: &Client, ask: &Ask<'_>) -> Snapshot {
    let before = client.requests();
    let (targets, mut objects) = targets(ask);
    let mut tasks = JoinSet::new();
    for group in groups(&targets, ask) {
        tasks.spawn(group::read(client.clone(), group));
    }
    for found in tasks.join_all().await {
        objects.extend(found);
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
    Snapshot { objects, within, requests: client.requests() - before }
}

/// Reads one object by id; none if it is gone.
pub async fn object(client: &Client, kind: &'static Kind, id: &str, body: &Value) -> Result<Option<Value>, ApiError> {
    let names: Vec<&str> = body.as_map().map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default();
    if let Some(call) = one::read_of(kind, id, body, &names) {
        return one::get(client, kind, &call).await;
    }
    let parent = kinds::list_parent(kind, body);
    let Some(call) = kinds::list_call(kind, parent.as_deref()) else { return Ok(None) };
    let rows = client.list(&call).await?.into_iter().map(|row| kinds::from_row(kind, parent.as_deref(), row));
    Ok(rows.filter(|row| !one::is_trashed(kind, row)).find(|row| one::id_of(kind, row).as_deref() == Some(id)))
}
