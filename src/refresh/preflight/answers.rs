//! What the workspace answers to each question, all at once.

use std::collections::{BTreeMap, BTreeSet};

use tokio::task::JoinSet;

use super::asked::Question;
use crate::client::{ApiError, ApiErrorKind, Client, Me};
use crate::kinds::{Call, From, Kind, Registry, Repeat};
use crate::model::{Map, Value};
use crate::refresh::read;

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is there.
    There {
        /// The object.
        body: Value,
        /// What keeps the caller from using it.
        right: Option<String>,
    },
    /// It is not.
    Missing,
    /// Nobody can tell, because ...
    Untold(String),
}

/// A read with path parameters and a query.
pub fn read_call(op: &'static str, path: &[(&str, &str)], query: &[(&str, &str)]) -> Call {
    let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), Value::text(*value))).collect::<Map>();
    Call { op, path: map(path), query: map(query), body: None, why: "look ahead", repeat: Repeat::Safe }
}

/// Asks each question once.
pub async fn answers(client: &Client, registry: &Registry, questions: Vec<Question>, me: Option<&Me>) -> BTreeMap<Question, Answer> {
    let mut tasks = JoinSet::new();
    for question in questions.into_iter().collect::<BTreeSet<_>>() {
        let (client, me) = (client.clone(), me.cloned());
        let kind = if let Question::Object(kind, _) = &question { registry.get(kind) } else { None };
        tasks.spawn(async move {
            let answer = one(&client, &question, kind, me.as_ref()).await;
            (question, answer)
        });
    }
    tasks.join_all().await.into_iter().collect()
}

async fn one(client: &Client, question: &Question, kind: Option<&'static Kind>, me: Option<&Me>) -> Answer {
    let found = match (question, kind) {
        (Question::Table(name), _) => plainly(client, &read_call("catalog.tables.get", &[("full_name", name)], &[])).await,
        (Question::Function(name), _) => plainly(client, &read_call("catalog.functions.get", &[("name", name)], &[])).await,
        (Question::Volume(name), _) => plainly(client, &read_call("catalog.volumes.read", &[("name", name)], &[])).await,
        (Question::Object(_, id), Some(kind)) => read::object(client, kind, id, &Value::Null).await,
        (Question::Object(..), None) => return Answer::Untold("this Brickform does not know the kind".to_owned()),
    };
    let right = match (&found, question, kind, me) {
        (Ok(Some(_)), Question::Object(_, id), Some(kind), Some(me)) => right(client, kind, id, me).await,
        _ => None,
    };
    match found {
        Ok(Some(body)) => Answer::There { body, right },
        Ok(None) => Answer::Missing,
        Err(error) if error.kind == ApiErrorKind::Forbidden => Answer::Untold(format!("you may not read it ({error})")),
        Err(error) => Answer::Untold(error.to_string()),
    }
}

async fn plainly(client: &Client, call: &Call) -> Result<Option<Value>, ApiError> {
    match client.call(call).await {
        Ok(reply) => Ok(Some(reply.body)),
        Err(error) if error.kind == ApiErrorKind::NotFound && error.code != "ENDPOINT_NOT_FOUND" => Ok(None),
        Err(error) => Err(error),
    }
}

/// What keeps the caller from using an object, where its access list says so. A list that cannot be read says nothing.
async fn right(client: &Client, kind: &'static Kind, id: &str, me: &Me) -> Option<String> {
    let facet = kind.facets.iter().find(|facet| facet.name == "permissions").filter(|_| !kind.used_with.is_empty())?;
    let object_type = facet.bind.iter().find_map(|(field, from)| match (*field, from) {
        ("object_type", From::Text(text)) => Some(*text),
        _ => None,
    })?;
    let call = read_call("iam.permissions.get", &[("request_object_type", object_type), ("request_object_id", id)], &[]);
    let list = client.call(&call).await.ok()?.body;
    let entries = list.get("access_control_list").and_then(Value::as_list)?;
    let is_caller = |entry: &Value| {
        let named = |field: &str| entry.get(field).and_then(Value::as_str);
        let group = named("group_name");
        named(me.field()).is_some_and(|name| name.eq_ignore_ascii_case(&me.name))
            || group.is_some_and(|group| ["users", "account users"].contains(&group) || me.groups.iter().any(|g| g.name == group))
    };
    let may = |entry: &Value| {
        let levels = entry.get("all_permissions").and_then(Value::as_list).unwrap_or_default();
        levels.iter().filter_map(|level| level.get("permission_level")?.as_str()).any(|level| kind.used_with.contains(&level))
    };
    if entries.iter().any(|entry| is_caller(entry) && may(entry)) {
        return None;
    }
    Some(format!("{} is not among those who may use the {} `{id}` ({})", me.name, kind.singular, kind.used_with.join(", ")))
}
