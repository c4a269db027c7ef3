//! The reads.
use super::{Answers, ApiError, Ask, Client, Kind, Lookup, Registry, Snapshot};

pub async fn read(client: &Client, ask: &Ask<'_>) -> Snapshot {
    let _ = (client, ask);
    todo!()
}

pub async fn lookups(client: &Client, registry: &Registry, lookups: &[Lookup]) -> Result<Answers, ApiError> {
    let _ = (client, registry, lookups);
    todo!()
}

pub fn is_gone(kind: &'static Kind, error: &ApiError) -> bool {
    let _ = (kind, error);
    todo!()
}
