//! The reads.
use std::collections::BTreeSet;

use super::{Answers, ApiError, Ask, Client, Intent, Kind, Lookup, Registry, Settlement, Snapshot, Value};

pub async fn read(client: &Client, ask: &Ask<'_>) -> Snapshot {
    let _ = (client, ask);
    todo!()
}

pub async fn lookups(client: &Client, registry: &Registry, lookups: &[Lookup]) -> Result<Answers, ApiError> {
    let _ = (client, registry, lookups);
    todo!()
}

pub async fn settle(client: &Client, kind: &'static Kind, intent: &Intent, known: &BTreeSet<String>) -> Result<Settlement, ApiError> {
    let _ = (client, kind, intent, known);
    todo!()
}

pub async fn object(client: &Client, kind: &'static Kind, id: &str, body: &Value) -> Result<Option<Value>, ApiError> {
    let _ = (client, kind, id, body);
    todo!()
}

pub fn is_gone(kind: &'static Kind, error: &ApiError) -> bool {
    let _ = (kind, error);
    todo!()
}
