//! The driver.
use super::{ApplyError, Plan, Report, Session};

pub async fn apply(plan: &Plan, session: Session<'_>) -> Result<Report, ApplyError> {
    let _ = (plan, session);
    todo!()
}
