//! What is always there: permissions and grants of an object (read through it), settings (read by name).

use std::collections::{BTreeMap, BTreeSet};

use tokio::task::JoinSet;

use super::group::get_all;
use super::object::{get, id_of, read_of, same_id};
use super::wanted::Target;
use super::{Address, ApiError, Ask, Client, Kind, Live, Value};
use crate::client::ApiErrorKind;
use crate::kinds::{Call, From, Identity, Lifetime};
use crate::model::{Path, Variable};
use crate::project::expression;

/// Reads attached parts. `objects`: what is known of those that stand alone.
pub async fn attached(
    client: &Client,
    ask: &Ask<'_>,
    targets: &[Target<'_>],
    objects: &BTreeMap<Address, Live>,
) -> BTreeMap<Address, Live> {
    let mut results = BTreeMap::new();
    let mut waiting: Vec<(&Target<'_>, String)> = vec![];
    let mut calls: BTreeMap<&str, (&'static Kind, BTreeMap<String, Call>)> = BTreeMap::new();
    for target in targets.iter().filter(|target| target.kind.lifetime == Lifetime::Attached) {
        match place(ask, target, objects) {
            Place::Known(live) => drop(results.insert(target.address.clone(), live)),
            Place::Read(id, call) => {
                calls.entry(target.kind.name).or_insert_with(|| (target.kind, BTreeMap::new())).1.insert(id.clone(), call);
                waiting.push((target, id));
            }
        }
    }
    let mut tasks = JoinSet::new();
    for (name, (kind, calls)) in calls {
        let (client, name) = (client.clone(), name.to_owned());
        tasks.spawn(async move { (name, get_all(&client, kind, calls.into_iter().collect()).await) });
    }
    let answers: BTreeMap<String, _> = tasks.join_all().await.into_iter().collect();
    for (target, id) in waiting {
        let answer = answers.get(target.kind.name).and_then(|answers| answers.get(&id));
        let live = match answer {
            Some(Ok(Some(body))) => Live::Found { id, body: body.clone() },
            Some(Err(error)) => Live::Failed(error.clone()),
            Some(Ok(None)) | None => missing(ask, target, objects, &id),
        };
        results.insert(target.address.clone(), live);
    }
    results
}

/// Where an attached part is.
enum Place {
    /// Nothing has to be read.
    Known(Live),
    /// Under this id, by this call.
    Read(String, Call),
}

fn place(ask: &Ask<'_>, target: &Target<'_>, objects: &BTreeMap<Address, Live>) -> Place {
    let parent = target.address.is_facet().then(|| objects.get(&target.address.parent())).flatten();
    match parent {
        Some(Live::Gone) if target.entry.is_some() => return Place::Known(Live::Gone),
        Some(Live::Gone | Live::Absent | Live::Waits) => return Place::Known(Live::Waits),
        Some(Live::Exists(candidates)) if candidates.len() != 1 => return Place::Known(Live::Waits),
        Some(Live::Failed(error)) => return Place::Known(Live::Failed(error.clone())),
        Some(Live::Found { .. } | Live::Settled { .. } | Live::Exists(_)) | None => {}
    }
    let body = target.desired.map(|resource| bound(ask, target, &resource.body, objects));
    let of_desired = body.as_ref().and_then(|body| Some((id_of(target.kind, body)?, body)));
    let of_state = target.entry.map(|entry| (entry.id.clone(), &entry.applied));
    let Some((id, body)) = of_desired.or(of_state) else { return Place::Known(Live::Waits) };
    read_of(target.kind, &id, body, &[]).map_or(Place::Known(Live::Waits), |call| Place::Read(id, call))
}

/// The desired body with the fields that its identity is made of, as far as live and state know them.
fn bound(ask: &Ask<'_>, target: &Target<'_>, body: &Value, objects: &BTreeMap<Address, Live>) -> Value {
    let Identity::Named { parts, .. } = target.kind.identity else { return body.clone() };
    let mut fields: Vec<(&str, Value)> = parts.iter().filter_map(|part| Some((*part, body.get(part)?.clone()))).collect();
    if let Some(facet) = &target.address.facet {
        let parent = target.address.parent();
        let kind = ask.desired.resources.get(&parent).map(|resource| resource.kind);
        let facet = kind.and_then(|kind| kind.facets.iter().find(|known| known.name == facet));
        for (field, from) in facet.map_or(&[][..], |facet| facet.bind) {
            let value = match from {
                From::Text(text) => Some(Value::text(*text)),
                From::Id => live_id(ask, &parent, objects).map(Value::Text),
                From::Field(name) => live_body(&parent, objects).and_then(|body| body.get(name)).cloned(),
            };
            if let Some(value) = value {
                fields.retain(|(known, _)| known != field);
                fields.push((field, value));
            }
        }
    }
    let body = Value::map(fields);
    if !body.has_unknown() {
        return body;
    }
    // A part declared at the top that refers to an object: `object_id: ${jobs.nightly.id}`.
    let known = |variable: &Variable| match variable {
        Variable::Reference(reference) if reference.path == Path::field("id") => live_id(ask, &reference.address, objects).map(Value::Text),
        Variable::Reference(reference) => live_body(&reference.address, objects)?.at(&reference.path).cloned(),
        Variable::Lookup(_) | Variable::Secret(_) => None,
    };
    expression::fill(&body, &known).unwrap_or(body)
}

fn live_id(ask: &Ask<'_>, address: &Address, objects: &BTreeMap<Address, Live>) -> Option<String> {
    match objects.get(address) {
        Some(Live::Found { id, .. } | Live::Settled { id, .. }) => Some(id.clone()),
        Some(Live::Exists(candidates)) if candidates.len() == 1 => candidates.first().map(|candidate| candidate.id.clone()),
        Some(_) => None,
        // Left out by `--target`: the state knows.
        None => ask.state.resources.get(address).map(|entry| entry.id.clone()),
    }
}

fn live_body<'a>(address: &Address, objects: &'a BTreeMap<Address, Live>) -> Option<&'a Value> {
    match objects.get(address)? {
        Live::Found { body, .. } | Live::Settled { body, .. } => Some(body),
        Live::Exists(candidates) if candidates.len() == 1 => candidates.first().map(|candidate| &candidate.body),
        _ => None,
    }
}

/// What it means that the object of a part is not there: it will be, it was, or nobody makes it.
fn missing(ask: &Ask<'_>, target: &Target<'_>, objects: &BTreeMap<Address, Live>, id: &str) -> Live {
    let named = |address: &Address| {
        let resource = ask.desired.resources.get(address)?;
        Some(same_id(resource.kind, &id_of(resource.kind, &resource.body)?))
    };
    let to_come = |address: &Address| match objects.get(address) {
        Some(Live::Absent | Live::Gone | Live::Waits) => true,
        // It is there under the name that it had: the one in YAML is still to come.
        Some(Live::Found { id, .. } | Live::Settled { id, .. }) => {
            let kind = ask.desired.resources.get(address).map(|resource| resource.kind);
            named(address).is_some_and(|named| kind.map(|kind| same_id(kind, id)) != Some(named))
        }
        _ => false,
    };
    if target.desired.is_some_and(|resource| resource.depends_on.iter().any(to_come)) {
        return Live::Waits;
    }
    if target.entry.is_some() {
        return Live::Gone;
    }
    Live::Failed(ApiError {
        kind: ApiErrorKind::NotFound,
        status: Some(404),
        code: String::new(),
        message: format!("`{id}` does not exist, so it has no {}", target.kind.name),
        request: target.kind.read.op.to_owned(),
        request_id: None,
        tries: 1,
        may_have_happened: false,
    })
}

/// Reads settings: one call for all names of a kind; where the server refuses that, each name by itself, so that one
/// unknown setting is reported at its address and does not fail the others.
pub async fn settings(client: &Client, targets: &[Target<'_>]) -> BTreeMap<Address, Live> {
    let mut kinds: BTreeMap<&str, Vec<&Target<'_>>> = BTreeMap::new();
    for target in targets.iter().filter(|target| target.kind.lifetime == Lifetime::Setting) {
        kinds.entry(target.kind.name).or_default().push(target);
    }
    let mut results = BTreeMap::new();
    for targets in kinds.into_values() {
        let Some(kind) = targets.first().map(|target| target.kind) else { continue };
        if kind.read.names.is_empty() {
            results.extend(one_by_one(client, kind, &targets).await);
        } else {
            results.extend(by_name(client, kind, &targets).await);
        }
    }
    results
}

async fn one_by_one(client: &Client, kind: &'static Kind, targets: &[&Target<'_>]) -> BTreeMap<Address, Live> {
    let id_of_target = |target: &Target<'_>| target.entry.map(|entry| entry.id.clone()).or_else(|| id_of(kind, target.body()));
    let calls = targets.iter().filter_map(|target| {
        let id = id_of_target(target)?;
        Some((id.clone(), read_of(kind, &id, target.body(), &[])?))
    });
    let calls: BTreeMap<String, Call> = calls.collect();
    let answers = get_all(client, kind, calls.into_iter().collect()).await;
    let live = |target: &&Target<'_>| {
        let id = id_of_target(target).unwrap_or_default();
        let live = match answers.get(&id) {
            Some(Ok(Some(body))) => Live::Found { id, body: body.clone() },
            Some(Err(error)) => Live::Failed(error.clone()),
            Some(Ok(None)) | None => Live::Absent,
        };
        (target.address.clone(), live)
    };
    targets.iter().map(live).collect()
}

async fn by_name(client: &Client, kind: &'static Kind, targets: &[&Target<'_>]) -> BTreeMap<Address, Live> {
    let id = id_of(kind, &Value::Null).unwrap_or_default();
    let names: BTreeSet<&str> = targets.iter().flat_map(|target| target.names()).collect();
    let all: Vec<&str> = names.iter().copied().collect();
    let answers = match read_names(client, kind, &id, &all).await {
        Err(error) if error.kind == ApiErrorKind::Invalid || error.kind == ApiErrorKind::NotFound => {
            if all.len() == 1 {
                all.iter().map(|name| ((*name).to_owned(), Err(error.clone()))).collect()
            } else {
                each_name(client, kind, &id, &all).await
            }
        }
        Err(error) => all.iter().map(|name| ((*name).to_owned(), Err(error.clone()))).collect(),
        Ok(body) => all.iter().map(|name| ((*name).to_owned(), Ok(body.get(name).cloned()))).collect::<BTreeMap<_, _>>(),
    };
    // An address of the state that YAML has no more may be there under another one, with more names: what those hold now
    // is what they held before.
    let arriving: BTreeSet<&str> =
        targets.iter().filter(|target| target.entry.is_none() && target.desired.is_some()).flat_map(|target| target.names()).collect();
    let live = |target: &&Target<'_>| {
        let mut fields = crate::model::Map::new();
        if target.desired.is_none() {
            let read = |name: &&str| Some(((*name).to_owned(), answers.get(*name)?.as_ref().ok()?.clone()?));
            fields.extend(arriving.iter().filter_map(read));
        }
        for name in target.names() {
            match answers.get(name) {
                Some(Ok(Some(value))) => drop(fields.insert(name.to_owned(), value.clone())),
                Some(Err(error)) => return (target.address.clone(), Live::Failed(named(error, name))),
                Some(Ok(None)) | None => {}
            }
        }
        (target.address.clone(), Live::Found { id: id.clone(), body: Value::Map(fields) })
    };
    targets.iter().map(live).collect()
}

async fn read_names(client: &Client, kind: &'static Kind, id: &str, names: &[&str]) -> Result<Value, ApiError> {
    let nothing = || Value::Map(crate::model::Map::new());
    if names.is_empty() {
        return Ok(nothing());
    }
    let Some(call) = read_of(kind, id, &Value::Null, names) else { return Ok(nothing()) };
    Ok(get(client, kind, &call).await?.unwrap_or_else(nothing))
}

async fn each_name(client: &Client, kind: &'static Kind, id: &str, names: &[&str]) -> BTreeMap<String, Result<Option<Value>, ApiError>> {
    let mut tasks = JoinSet::new();
    for name in names {
        let (client, id, name) = (client.clone(), id.to_owned(), (*name).to_owned());
        tasks.spawn(async move {
            let answer = read_names(&client, kind, &id, &[&name]).await.map(|body| body.get(&name).cloned());
            (name, answer)
        });
    }
    tasks.join_all().await.into_iter().collect()
}

/// The error of a setting with its name in the message.
fn named(error: &ApiError, name: &str) -> ApiError {
    let message = if error.message.contains(name) { error.message.clone() } else { format!("`{name}`: {}", error.message) };
    ApiError { message, ..error.clone() }
}
