//! Answers to `lookup()`: one list a kind; a kind that is known by name is asked for the name. Principals that are named as
//! the API takes them are looked for in the same list, for a warning: where it cannot be read, nobody is told anything.

use std::collections::{BTreeMap, BTreeSet};

use tokio::task::JoinSet;

use super::object::{folded, get, has_no_api, id_of, is_trashed, is_whole, natural_of, read_of};
use super::{Answers, ApiError, Client, Kind, Lookup, Registry, Value};
use crate::catalogue::{self, Paging};
use crate::client::ApiErrorKind;
use crate::kinds::{Call, Identity, from_reply, list_call};
use crate::project::Answer;
use crate::state::{Document, Status};

/// The most names that are offered instead of one that is missing.
const NEAREST: usize = 3;

/// Answers lookups, and checks as far as their lists can be read.
pub async fn lookups(client: &Client, registry: &Registry, lookups: &[Lookup], checks: &BTreeSet<Lookup>) -> Result<Answers, ApiError> {
    let needed: BTreeSet<&Lookup> = lookups.iter().collect();
    let mut kinds: BTreeMap<&str, (&'static Kind, Vec<Lookup>)> = BTreeMap::new();
    let mut answers = Answers::new();
    for lookup in needed.iter().copied().chain(checks).collect::<BTreeSet<_>>() {
        match registry.get(&lookup.kind) {
            Some(kind) => kinds.entry(kind.name).or_insert_with(|| (kind, vec![])).1.push(lookup.clone()),
            None => drop(answers.insert(lookup.clone(), Answer::Missing(vec![]))),
        }
    }
    let mut tasks = JoinSet::new();
    for (kind, lookups) in kinds.into_values() {
        let only_checks = !lookups.iter().any(|lookup| needed.contains(lookup));
        let (client, registry) = (client.clone(), registry.clone());
        tasks.spawn(async move {
            let (name, mut result) = of_kind(client.clone(), kind, lookups.clone()).await;
            if matches!(&result, Err(error) if has_no_api(error)) && registry.fall_back(kind) {
                result = of_kind(client, registry.current(kind), lookups).await.1;
            }
            (name, if only_checks { Ok(result.unwrap_or_default()) } else { result })
        });
    }
    // The first failure in the order of kinds, whichever came first.
    let mut results = tasks.join_all().await;
    results.sort_by(|a, b| a.0.cmp(b.0));
    for (_, result) in results {
        answers.extend(result?);
    }
    Ok(answers)
}

async fn of_kind(client: Client, kind: &'static Kind, lookups: Vec<Lookup>) -> (&'static str, Result<Answers, ApiError>) {
    let is_listed_by_parent = kind.parents.iter().any(|parent| parent.listed_by);
    let readable = !kind.read.op.is_empty();
    let by_id =
        readable && matches!(kind.identity, Identity::Named { .. }) && (is_listed_by_parent || lookups.len() == 1 || kind.list.is_none());
    let result = if by_id { by_name(&client, kind, &lookups).await } else { by_list(&client, kind, lookups).await };
    (kind.name, result)
}

async fn by_name(client: &Client, kind: &'static Kind, lookups: &[Lookup]) -> Result<Answers, ApiError> {
    let mut answers = Answers::new();
    let mut missing = Vec::new();
    for lookup in lookups {
        let Some(call) = read_of(kind, &lookup.name, &parts_of(kind, &lookup.name), &[]) else { continue };
        match get(client, kind, &call).await? {
            Some(body) => drop(answers.insert(lookup.clone(), Answer::Found(with_id(kind, &lookup.name, body)))),
            None => missing.push(lookup.clone()),
        }
    }
    // The list is only asked for what to suggest; a kind that is listed under a parent has none to ask for.
    if !missing.is_empty() && !kind.parents.iter().any(|parent| parent.listed_by) && kind.list.is_some() {
        answers.extend(by_list(client, kind, missing).await?);
    } else {
        answers.extend(missing.into_iter().map(|lookup| (lookup, Answer::Missing(vec![]))));
    }
    Ok(answers)
}

async fn by_list(client: &Client, kind: &'static Kind, lookups: Vec<Lookup>) -> Result<Answers, ApiError> {
    let mut call = list_call(kind, None).ok_or_else(|| no_list(kind))?;
    let filter = filter(kind, &lookups);
    if let Some(filter) = &filter {
        call.query.insert("filter".to_owned(), Value::text(filter));
    }
    let answers = by_rows(client, kind, lookups, &call).await?;
    if filter.is_none() || answers.values().all(|answer| !matches!(answer, Answer::Missing(_))) {
        return Ok(answers);
    }
    // What is near to a name that is missing is not among what the filter let through.
    call.query.shift_remove("filter");
    let (missing, mut found): (Answers, Answers) = answers.into_iter().partition(|(_, answer)| matches!(answer, Answer::Missing(_)));
    found.extend(by_rows(client, kind, missing.into_keys().collect(), &call).await?);
    Ok(found)
}

/// The most names of one filter: a request's address is not endless.
const MOST_NAMES: usize = 40;

/// The filter that lets only the names through that are asked for, where the list takes one.
fn filter(kind: &Kind, lookups: &[Lookup]) -> Option<String> {
    let [natural] = kind.natural.fields else { return None };
    let takes = catalogue::operation(kind.list?.op).is_some_and(|o| matches!(o.paging, Some(Paging::Scim)));
    let quoted = |name: &str| name.replace('\\', "\\\\").replace('"', "\\\"");
    let part = |name: &str| format!("{} eq \"{}\"", numbered(kind, name).unwrap_or(natural), quoted(name));
    let parts = || lookups.iter().map(|l| part(&l.name)).collect::<Vec<_>>();
    (takes && lookups.len() <= MOST_NAMES).then(|| parts().join(" or "))
}

/// The field that a name is looked up by where it has the form of a number that singles one out.
fn numbered(kind: &Kind, name: &str) -> Option<&'static str> {
    kind.numbered.filter(|(_, is)| is(name)).map(|(field, _)| field)
}

async fn by_rows(client: &Client, kind: &'static Kind, lookups: Vec<Lookup>, call: &Call) -> Result<Answers, ApiError> {
    let rows = client.list(call).await?.into_iter().map(|row| from_reply(kind, row)).filter(|row| !is_trashed(kind, row));
    let rows: Vec<(String, Value)> = rows.map(|row| (natural_of(kind, &row).join("."), row)).collect();
    let same = |a: &str, b: &str| folded(kind, &[a.to_owned()]) == folded(kind, &[b.to_owned()]) || a == b;
    let mut answers = Answers::new();
    for lookup in lookups {
        let is_it = |name: &str, row: &Value| match numbered(kind, &lookup.name) {
            Some(field) => row.get(field).and_then(Value::as_str).is_some_and(|number| number.eq_ignore_ascii_case(&lookup.name)),
            None => same(name, &lookup.name),
        };
        let found: Vec<(String, &Value)> =
            rows.iter().filter(|(name, row)| is_it(name, row)).filter_map(|(_, row)| Some((id_of(kind, row)?, row))).collect();
        let answer = match found.as_slice() {
            [] => Answer::Missing(nearest(&lookup.name, rows.iter().map(|(name, _)| name.as_str()))),
            [(id, row)] => whole(client, kind, id, row).await?,
            several => Answer::Several(several.iter().map(|(id, row)| with_id(kind, id, (*row).clone())).collect()),
        };
        answers.insert(lookup, answer);
    }
    Ok(answers)
}

async fn whole(client: &Client, kind: &'static Kind, id: &str, row: &Value) -> Result<Answer, ApiError> {
    let call = read_of(kind, id, row, &[]).filter(|_| !is_whole(kind, row));
    let body = match call {
        Some(call) => get(client, kind, &call).await?,
        None => Some(row.clone()),
    };
    Ok(body.map_or(Answer::Missing(vec![]), |body| Answer::Found(with_id(kind, id, body))))
}

/// The object with `id`: what the kind's read takes, as the server spells it.
fn with_id(kind: &Kind, id: &str, mut body: Value) -> Value {
    let value = match kind.identity {
        Identity::Assigned(field) => body.get(field).cloned(),
        Identity::Named { .. } | Identity::Single(_) => None,
    };
    if let Some(map) = body.as_map_mut() {
        map.insert("id".to_owned(), value.unwrap_or_else(|| Value::text(id)));
    }
    body
}

/// The fields of a name that is an id: `main.sales` of a schema. Only the last part may hold what joins them.
fn parts_of(kind: &Kind, name: &str) -> Value {
    let Identity::Named { parts, join, .. } = kind.identity else { return Value::Null };
    Value::map(parts.iter().zip(name.splitn(parts.len().max(1), join)).map(|(part, text)| (*part, Value::text(text))))
}

fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let lower = name.to_lowercase();
    let limit = (name.chars().count() / 3).max(2);
    let mut near: Vec<(usize, &str)> = names
        .filter_map(|known| {
            let known_lower = known.to_lowercase();
            let distance = strsim::damerau_levenshtein(&lower, &known_lower);
            (distance <= limit || known_lower.contains(&lower)).then_some((distance, known))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(NEAREST).map(|(_, known)| known.to_owned()).collect()
}

/// Principals that the state's lists name: the server took them, so nobody asks whether they are there. Names in lower case.
pub fn taken(state: &Document, registry: &Registry) -> BTreeSet<Lookup> {
    let mut taken = BTreeSet::new();
    for entry in state.resources.values().filter(|entry| entry.status == Status::Ok) {
        let rules = registry.get(&entry.kind).map_or(&[][..], |kind| kind.names);
        for rule in rules {
            let items = entry.applied.get(rule.list).and_then(Value::as_list).unwrap_or_default();
            let names = items.iter().filter_map(|item| item.get(rule.field)?.as_str());
            taken.extend(names.map(|name| Lookup { kind: rule.kind.to_owned(), name: name.to_lowercase() }));
        }
    }
    taken
}

fn no_list(kind: &Kind) -> ApiError {
    ApiError {
        kind: ApiErrorKind::Invalid,
        status: None,
        code: String::new(),
        message: format!("{} cannot be looked up: the API has no list of them", kind.many()),
        request: "nothing was sent".to_owned(),
        request_id: None,
        tries: 0,
        may_have_happened: false,
    }
}
