//! Waiting for an object after a call, as the catalogue's waiter of the operation says: what is polled, and which states
//! end it.

use std::time::Duration;

use crate::catalogue::{self, Waiter};
use crate::client::{ApiError, Client};
use crate::kinds::{After, Blocks, Call, Kind, Repeat, Until, read_call};
use crate::model::{Map, Outside, Path, Value};
use crate::refresh;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How a wait ended badly.
#[derive(Debug)]
pub enum WaitError {
    /// The object got into a state that it does not leave by itself.
    Failed {
        /// The state.
        state: String,
    },
    /// It took too long.
    Timeout {
        /// The last state seen.
        state: String,
        /// How long was waited.
        minutes: u64,
    },
    /// It could not be polled.
    Api(ApiError),
}

/// Reads until the object is in a state that the next call needs, and gives what the last read answered.
///
/// # Errors
/// [`WaitError`]: it took too long, or could not be read.
pub async fn until(
    client: &Client,
    call: &Call,
    until: &Until,
    outside: &Outside,
    polls: &mut u32,
    seen: &(dyn Fn(&str) + Send + Sync),
) -> Result<Value, WaitError> {
    let began = outside.now();
    let mut pause = FIRST_PAUSE;
    let mut last = String::new();
    loop {
        *polls += 1;
        let body = client.call(call).await.map_err(WaitError::Api)?.body;
        let state = body.get(until.field).map(Value::key_text).unwrap_or_default();
        if until.values.contains(&state.as_str()) {
            return Ok(body);
        }
        if state != last {
            seen(&state);
            last = state;
        }
        if waited_out(outside, began, until.minutes) {
            return Err(WaitError::Timeout { state: last, minutes: until.minutes });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

fn waited_out(outside: &Outside, began: jiff::Timestamp, minutes: u64) -> bool {
    outside.now().duration_since(began).as_secs() >= i64::try_from(minutes.saturating_mul(60)).unwrap_or(i64::MAX)
}

/// What a poll says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sight {
    Ready,
    Failed(String),
    NotYet(String),
}

/// The waiter for this kind after these calls, if it is waited for: that of the last call that has one (a cluster that is
/// terminated again does not get to run), else the kind's.
#[must_use]
pub fn waiter(kind: &Kind, after: After, on_request: bool, calls: &[Call]) -> Option<&'static Waiter> {
    let wait = kind.waits.iter().find(|w| w.after == after && (on_request || matches!(w.blocks, Blocks::Always)))?;
    let of = |op| catalogue::operation(op)?.waiter.as_ref();
    calls.iter().rev().find_map(|call| of(call.op)).or_else(|| of(wait.waiter))
}

/// Polls until the object is ready. Gives what the last poll answered (none: it is gone, as after a delete) and counts
/// polls.
///
/// # Errors
/// [`WaitError`].
pub async fn wait(
    client: &Client,
    kind: &'static Kind,
    waiter: &Waiter,
    id: &Value,
    outside: &Outside,
    polls: &mut u32,
    seen: &(dyn Fn(&str) + Send + Sync),
) -> Result<Option<Value>, WaitError> {
    let call = poll_call(kind, waiter, id);
    let began = outside.now();
    let mut pause = FIRST_PAUSE;
    let mut last = String::new();
    loop {
        *polls += 1;
        let body = match client.call(&call).await {
            Ok(reply) => reply.body,
            Err(error) if refresh::is_gone(kind, &error) => return Ok(None),
            Err(error) => return Err(WaitError::Api(error)),
        };
        match sight(waiter, &body) {
            Sight::Ready => return Ok(Some(body)),
            Sight::Failed(state) => return Err(WaitError::Failed { state: said(&body, state) }),
            Sight::NotYet(state) if state != last => {
                seen(&state);
                last = state;
            }
            Sight::NotYet(_) => {}
        }
        if waited_out(outside, began, waiter.timeout_minutes) {
            return Err(WaitError::Timeout { state: last, minutes: waiter.timeout_minutes });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// The call that is polled: the kind's own read where that is it, else the waiter's with the id where the operation takes
/// one.
fn poll_call(kind: &'static Kind, waiter: &Waiter, id: &Value) -> Call {
    let own = read_call(kind, id, &Value::Map(Map::new()), &[]).filter(|call| call.op == waiter.poll);
    own.unwrap_or_else(|| {
        let operation = catalogue::operation(&waiter.poll);
        let mut call = Call {
            op: operation.map_or("", |o| o.name),
            path: Map::new(),
            query: Map::new(),
            body: None,
            why: "wait",
            repeat: Repeat::Safe,
        };
        if let Some(operation) = operation {
            match (operation.path_params.last(), operation.query.iter().find(|(_, m)| m.required)) {
                (Some(name), _) => call.path.insert(name.clone(), id.clone()),
                (None, Some((name, _))) => call.query.insert(name.clone(), id.clone()),
                (None, None) => None,
            };
        }
        call
    })
}

/// The state with the words that some replies have about it.
fn said(body: &Value, state: String) -> String {
    match body.get("state_message").and_then(Value::as_str).filter(|words| !words.is_empty()) {
        Some(words) => format!("{state} ({words})"),
        None => state,
    }
}

fn sight(waiter: &Waiter, body: &Value) -> Sight {
    let Some(state) = waiter.field.parse::<Path>().ok().and_then(|path| body.at(&path).map(Value::key_text)) else {
        return Sight::NotYet(String::new());
    };
    if waiter.target.contains(&state) {
        Sight::Ready
    } else if waiter.failure.contains(&state) {
        Sight::Failed(state)
    } else {
        Sight::NotYet(state)
    }
}

#[cfg(test)]
mod tests {
    use super::{Sight, sight};
    use crate::catalogue::Waiter;
    use crate::model::json;

    #[test]
    fn states_end_a_wait_as_the_waiter_says() {
        let waiter = Waiter {
            poll: "serving.serving_endpoints.get".to_owned(),
            field: "state.config_update".to_owned(),
            target: vec!["NOT_UPDATING".to_owned()],
            failure: vec!["UPDATE_FAILED".to_owned()],
            timeout_minutes: 20,
        };
        for (body, want) in [
            (r#"{"state":{"config_update":"NOT_UPDATING"}}"#, Sight::Ready),
            (r#"{"state":{"config_update":"UPDATE_FAILED"}}"#, Sight::Failed("UPDATE_FAILED".to_owned())),
            (r#"{"state":{"config_update":"IN_PROGRESS"}}"#, Sight::NotYet("IN_PROGRESS".to_owned())),
            (r#"{"state":{}}"#, Sight::NotYet(String::new())),
            ("{}", Sight::NotYet(String::new())),
        ] {
            assert_eq!(sight(&waiter, &json::parse(body.as_bytes()).unwrap()), want, "{body}");
        }
    }
}
