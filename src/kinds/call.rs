//! From a change to a list of requests: pure.
//!
//! Where the id goes is found in the catalogue: the path parameter, else the query or body member of the identity's name.

use super::build::{Build, Taker};
use super::overlay::{self, strip};
use super::{Calls, Change, Field, Identity, Kind, Lifetime, Lit, Op, Read, Refusal, Rename, Request, Route, Schema, Update, Whole};
use crate::catalogue::{self, Body, Members, Type, TypeDef};
use crate::model::{Deferred, Map, Path, Reference, Step, Value, json};

pub(super) use super::overlay::overlay;

/// One request of a step: in the plan, in the journal, in `--json`. Only apply's driver and refresh send it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The operation.
    pub op: Op,
    /// Path parameters by name.
    pub path: Map,
    /// Query parameters.
    pub query: Map,
    /// The body.
    pub body: Option<Value>,
    /// What it is for, in a few words: `create`, `set permissions`.
    pub why: &'static str,
    /// Whether it may be sent twice.
    pub repeat: Repeat,
}

/// Whether a request may be sent twice when nobody knows if it took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Reads, full replacements, deletes: yes.
    Safe,
    /// A create: only after looking whether the first one took effect.
    AfterLookup,
    /// A read, until the object is in a state that the next call needs.
    Until(&'static Until),
}

/// What a read is repeated for.
#[derive(Debug, PartialEq, Eq)]
pub struct Until {
    /// The field of the reply, at its top.
    pub field: &'static str,
    /// The values that end it.
    pub values: &'static [&'static str],
    /// How long it may take.
    pub minutes: u64,
}

impl Until {
    /// What this read is repeated for, where it is one that plans may hold: a saved plan names the read alone.
    #[must_use]
    pub fn of(op: &str) -> Option<&'static Self> {
        (op == "compute.clusters.get").then_some(&super::cluster_update::SETTLED)
    }
}

impl Call {
    /// Gives scalars the types that the operation takes: an id is text in the state and in paths, and a number in a body
    /// that wants one. Called by whoever fills in what was unknown; done already for what was known.
    pub fn conform(&mut self) {
        let Some(operation) = catalogue::operation(self.op) else { return };
        conform_members(&mut self.query, &operation.query);
        match (&operation.body, &mut self.body) {
            (Body::Members(members), Some(Value::Map(map))) => conform_members(map, members),
            (Body::Bare(ty), Some(value)) => conform(value, ty),
            _ => {}
        }
    }
}

fn conform_members(map: &mut Map, members: &Members) {
    for (name, value) in map {
        if let Some(member) = members.get(name) {
            conform(value, &member.ty);
        }
    }
}

fn conform(value: &mut Value, ty: &Type) {
    match (ty, &mut *value) {
        (Type::Int | Type::Int64, Value::Text(text)) => {
            if let Ok(n) = text.parse() {
                *value = Value::Int(n);
            }
        }
        (Type::Text, Value::Int(_) | Value::UInt(_)) => *value = Value::Text(value.key_text()),
        (Type::List(item), Value::List(list)) => list.iter_mut().for_each(|v| conform(v, item)),
        (Type::Map(of), Value::Map(map)) => map.values_mut().for_each(|v| conform(v, of)),
        (Type::Named(name), Value::Map(map)) => {
            if let Some(TypeDef::Struct(members)) = catalogue::type_named(name) {
                conform_members(map, members);
            }
        }
        _ => {}
    }
}

/// The id of an object with this body or reply: text in most kinds, a number in a reply of jobs. None where a part is
/// absent or not known yet.
#[must_use]
pub fn id_of(kind: &Kind, body: &Value) -> Option<Value> {
    match kind.identity {
        Identity::Assigned(field) => body.get(field).filter(|v| !matches!(v, Value::Null | Value::Unknown(_))).cloned(),
        Identity::Single(word) => Some(Value::from(word)),
        Identity::Named { parts, join, .. } => {
            let words: Option<Vec<String>> = parts
                .iter()
                .map(|part| body.get(part).filter(|v| matches!(v, Value::Text(_) | Value::Int(_) | Value::UInt(_))).map(Value::key_text))
                .collect();
            Some(Value::Text(words?.join(join)))
        }
    }
}

/// A reply of the kind's read as a body: what [`Read::reply`] holds on top, its siblings beside it, in YAML's form.
#[must_use]
pub fn from_reply(kind: &Kind, reply: Value) -> Value {
    let body = lifted(kind, reply);
    match kind.hooks.reply {
        Some(hook) => hook(body),
        None => body,
    }
}

/// Why a reply of the kind's read is not taken for the object, a sentence; none where it is whole. What is missing from a list of
/// grants or in a definition would be taken for removed.
#[must_use]
pub fn lacking(kind: &Kind, reply: &Value) -> Option<String> {
    let has = |name: &str| reply.get(name).is_some_and(|value| *value != Value::Null);
    match kind.read.whole {
        _ if matches!(reply, Value::List(_) | Value::Null) => Some(format!("the answer is {}, not an object", reply.sort())),
        Whole::Something => {
            let nothing = kind.lifetime == Lifetime::Own && matches!(reply, Value::Map(map) if map.is_empty());
            nothing.then(|| format!("the answer holds nothing of {}", kind.one()))
        }
        Whole::Has(name) => (!has(name)).then(|| format!("the answer lacks `{name}`: it is not that of {}", kind.one())),
        Whole::Definition(name) => {
            let is_there = match reply.get(name) {
                Some(Value::Map(_)) => true,
                Some(Value::Text(text)) => matches!(json::parse(text.as_bytes()), Ok(Value::Map(_))),
                _ => false,
            };
            let who = || format!("the answer lacks a readable `{name}`: whoever reads {} needs the right to edit it", kind.one());
            (!is_there).then(who)
        }
    }
}

fn lifted(kind: &Kind, reply: Value) -> Value {
    match reply {
        Value::Map(mut map) if !kind.read.reply.is_empty() => match map.shift_remove(kind.read.reply) {
            Some(Value::Map(mut fields)) => {
                for (name, value) in map {
                    fields.entry(name).or_insert(value);
                }
                Value::Map(fields)
            }
            _ => Value::Map(map),
        },
        other => other,
    }
}

/// Whether a field is in no request at all: what a kind has of its own beside an update of the whole says only that the object
/// is to be sent again.
fn is_told_only(kind: &Kind, name: &str) -> bool {
    matches!(kind.update, Update::Whole(request) if !Taker::of(&request).takes(name)) && kind.own.iter().any(|(own, _)| *own == name)
}

/// The calls that create the object: the create, and an update for fields that only the update takes.
///
/// # Errors
/// The kind cannot express it.
pub fn create_calls(kind: &'static Kind, change: &Change<'_>) -> Calls {
    let Some(request) = &kind.create else { return update_calls(kind, change) };
    let taker = Taker::of(request);
    let root = Schema::of(kind).root();
    let (mut fields, mut later, mut arguments) = (Map::new(), Vec::new(), Map::new());
    let wire = kind.hooks.wire.map(|wire| wire(&completed(kind, change, strip(Some(root), change.desired))));
    for (name, value) in wire.as_ref().unwrap_or(change.desired).as_map().into_iter().flatten() {
        let field = if wire.is_some() { None } else { root.field(name) };
        if field.is_some_and(|f| f.computed()) || *value == Value::Null {
            continue;
        }
        if taker.as_argument(name) {
            arguments.insert(name.clone(), value.clone());
        } else if taker.takes(name) || (field.is_none() && wire.is_none()) {
            fields.insert(name.clone(), strip(field, value));
        } else if !is_told_only(kind, name) {
            later.push(Path::field(name.clone()));
        }
    }
    let mut create = Build { kind, request, id: None, desired: change.desired }.call(Value::Map(fields), "create");
    create.query.extend(arguments);
    create.repeat = Repeat::AfterLookup;
    create.conform();
    let mut calls = vec![create];
    if !later.is_empty() {
        let id = id_of(kind, change.desired)
            .unwrap_or_else(|| Value::Unknown(Deferred::of(Reference { address: change.address.clone(), path: Path::field("id") }).into()));
        calls.extend(update_calls(kind, &Change { id: &id, live: None, paths: &later, ..*change })?);
    }
    Ok(calls)
}

/// The calls that change the object at `change.paths`.
///
/// # Errors
/// The kind cannot express it: the path and the reason, for a blocked step.
pub fn update_calls(kind: &'static Kind, change: &Change<'_>) -> Calls {
    let mut calls = match &kind.update {
        Update::Never => return Err(fixed(&change.paths.first().cloned().unwrap_or_default())),
        Update::Whole(request) | Update::Patch(request) | Update::Mask(request, _) if kind.hooks.wire.is_some() => {
            wired(kind, request, change).into_iter().collect()
        }
        Update::Whole(request) => vec![whole(kind, request, change)],
        Update::Patch(request) => {
            let fields = changed_fields(kind, change, request, &changed_names(change))?;
            vec![Build::of(kind, request, change).call(Value::Map(fields), "update")]
        }
        Update::Mask(request, mask) => {
            let names = changed_names(change);
            let fields = changed_fields(kind, change, request, &names)?;
            let mut call = Build::of(kind, request, change).call(Value::Map(fields), "update");
            set_mask(&mut call, mask, names.join(","));
            vec![call]
        }
        Update::Routed(routes) => routed(kind, routes, change)?,
        Update::Custom(function) => function(change)?,
    };
    calls.iter_mut().for_each(Call::conform);
    Ok(calls)
}

/// The calls that delete the object with this id. `Lifetime::Attached` and `Setting` have none: what they held is put
/// back by [`update_calls`].
#[must_use]
pub fn delete_calls(kind: &'static Kind, id: &Value) -> Vec<Call> {
    let Some(request) = kind.delete.as_ref().filter(|_| kind.lifetime == Lifetime::Own) else { return vec![] };
    let mut calls = kind.hooks.before_delete.map(|hook| hook(id)).unwrap_or_default();
    calls.push(Build { kind, request, id: Some(id), desired: &Value::Null }.call(Value::Map(Map::new()), "delete"));
    calls.iter_mut().for_each(Call::conform);
    calls
}

/// The call that reads the object with this id. `names`: the managed top-level fields, for kinds that ask by name.
/// None: it is found in the list, or there is nothing to ask for.
#[must_use]
pub fn read_call(kind: &'static Kind, id: &Value, body: &Value, names: &[&str]) -> Option<Call> {
    let Read { op, names: parameter, args, query, asks, .. } = kind.read;
    if op.is_empty() || (!parameter.is_empty() && names.is_empty()) {
        return None;
    }
    let request = Request { query, args, ..Request::bare(op) };
    let mut call = Build { kind, request: &request, id: Some(id), desired: body }.call(Value::Map(Map::new()), "read");
    if !parameter.is_empty() {
        call.query.insert(parameter.to_owned(), Value::Text(names.join(",")));
    }
    call.query.extend(asks.iter().filter_map(|field| Some(((*field).to_owned(), Value::from(body.get(field)?.as_str()?)))));
    call.conform();
    Some(call)
}

/// The read that stands beside a [`read_call`]; none where one is enough.
#[must_use]
pub fn second_read(kind: &'static Kind, first: &Call) -> Option<Call> {
    let operation = catalogue::operation(kind.read.beside)?;
    let query = first.query.iter().filter(|(name, _)| operation.query.contains_key(*name)).map(|(n, v)| (n.clone(), v.clone())).collect();
    Some(Call { op: kind.read.beside, query, ..first.clone() })
}

/// What a list that was asked under a parent is asked for, from a body.
#[must_use]
pub fn list_parent(kind: &Kind, body: &Value) -> Option<String> {
    let by = kind.parents.iter().filter(|p| p.listed_by);
    let words: Option<Vec<String>> = by.map(|p| body.get(p.field).and_then(Value::as_str).map(str::to_owned)).collect();
    words.filter(|words| !words.is_empty()).map(|words| words.join("."))
}

/// A row of a list in YAML's form, with what the list was asked for where rows do not repeat it.
#[must_use]
pub fn from_row(kind: &Kind, parent: Option<&str>, row: Value) -> Value {
    let mut body = from_reply(kind, row);
    let by: Vec<&str> = kind.parents.iter().filter(|p| p.listed_by).map(|p| p.field).collect();
    if let (Some(map), Some(parent)) = (body.as_map_mut(), parent) {
        for (field, word) in by.iter().zip(parent.splitn(by.len().max(1), '.')) {
            map.entry((*field).to_owned()).or_insert_with(|| Value::from(word));
        }
    }
    body
}

/// The call that lists objects; `parent` is the value of the parameter that a parent gives (a catalog's name), several
/// joined by a period (`main.raw`). None: the kind has no list, or its list needs a parent and none is given.
#[must_use]
pub fn list_call(kind: &'static Kind, parent: Option<&str>) -> Option<Call> {
    let list = kind.list?;
    let mut call = Call { op: list.op, path: Map::new(), query: parameters(list.query), body: None, why: "list", repeat: Repeat::Safe };
    let by: Vec<&str> = kind.parents.iter().filter(|p| p.listed_by).map(|p| p.field).collect();
    if !by.is_empty() {
        let words: Vec<&str> = parent?.splitn(by.len(), '.').collect();
        for (at, field) in by.iter().enumerate() {
            let in_path = catalogue::operation(list.op)?.path_params.iter().any(|p| p == field);
            let place = if in_path { &mut call.path } else { &mut call.query };
            place.insert((*field).to_owned(), Value::from(*words.get(at)?));
        }
    }
    Some(call)
}

/// The call that lists what is in the object with this id.
#[must_use]
pub fn within_call(kind: &'static Kind, id: &Value) -> Option<Call> {
    let request = Request::bare(kind.within?.list);
    Some(Build { kind, request: &request, id: Some(id), desired: &Value::Null }.call(Value::Map(Map::new()), "list what is in it"))
}

/// The call that lists the objects of which this field is true, where replies may not say it.
#[must_use]
pub fn marks_call(kind: &'static Kind, parent: Option<&str>, field: &str) -> Option<Call> {
    let (_, parameter, value) = kind.marks.iter().find(|(name, ..)| *name == field)?;
    let mut call = list_call(kind, parent)?;
    call.query.insert((*parameter).to_owned(), Value::from(*value));
    Some(call)
}

/// Parameters as a map; a name that comes several times holds a list.
fn parameters(pairs: &[(&str, &str)]) -> Map {
    let mut map = Map::new();
    for (name, value) in pairs {
        match map.get_mut(*name) {
            None => drop(map.insert((*name).to_owned(), Value::from(*value))),
            Some(Value::List(list)) => list.push(Value::from(*value)),
            Some(one) => *one = Value::List(vec![one.clone(), Value::from(*value)]),
        }
    }
    map
}

/// A call of a kind's own function: the request, with the id at its place and this body.
pub(super) fn with_id(kind: &'static Kind, request: &Request, change: &Change<'_>, body: Value, why: &'static str) -> Call {
    Build::of(kind, request, change).call(body, why)
}

/// A body with what the kind itself chooses.
fn completed(kind: &Kind, change: &Change<'_>, body: Value) -> Value {
    match kind.hooks.complete {
        Some(hook) => hook(change.address, body),
        None => body,
    }
}

/// The whole body in YAML's form: live overlaid with desired, without what was removed.
pub(super) fn merged(kind: &'static Kind, change: &Change<'_>) -> Value {
    let live = change.live.map(|l| overlay::without_removed(l, change.desired, change.paths));
    overlay(Some(Schema::of(kind).root()), live.as_ref(), change.desired)
}

/// The whole object.
pub(super) fn whole(kind: &'static Kind, request: &Request, change: &Change<'_>) -> Call {
    let root = Schema::of(kind).root();
    let mut fields = merged(kind, change);
    let taker = Taker::of(request);
    if let Some(map) = fields.as_map_mut() {
        map.retain(|name, _| taker.takes(name) || root.field(name).is_none());
    }
    Build::of(kind, request, change).call(fields, "update")
}

/// One call with the members of the wire form that differ: all of them where the update takes the whole object. None: the
/// wire form is the same.
fn wired(kind: &'static Kind, request: &Request, change: &Change<'_>) -> Option<Call> {
    let (wire, root) = (kind.hooks.wire?, Schema::of(kind).root());
    let left = change.live.map(|l| overlay::without_removed(l, change.desired, change.paths));
    let old = change.live.map(|live| wire(&strip(Some(root), live)));
    let whole = completed(kind, change, overlay(Some(root), left.as_ref(), change.desired));
    let Value::Map(mut fields) = wire(&whole) else { return None };
    let taker = Taker::of(request);
    // A member that a create has no place for comes by its own name.
    let asked = |name: &str| old.is_some() || change.paths.iter().any(|p| p.is_root() || p.first_field() == Some(name));
    let differs = |name: &str, value: &Value| old.as_ref().is_none_or(|old| old.get(name) != Some(value));
    let all = matches!(kind.update, Update::Whole(_));
    fields.retain(|name, value| taker.takes(name) && (all || (asked(name) && differs(name, value))));
    if fields.is_empty() {
        return None;
    }
    let names: Vec<String> = fields.keys().cloned().collect();
    let mut call = Build::of(kind, request, change).call(Value::Map(fields), "update");
    if let Update::Mask(_, mask) = kind.update {
        set_mask(&mut call, mask, names.join(","));
    }
    Some(call)
}

/// The top-level fields that differ, each once, in order.
fn changed_names(change: &Change<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let all = change.paths.iter().any(Path::is_root).then(|| change.desired.as_map()).flatten();
    let everything = all.into_iter().flat_map(|m| m.keys().map(String::as_str));
    for name in everything.chain(change.paths.iter().filter_map(Path::first_field)) {
        if !names.iter().any(|n| n == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The new values of these fields, as an update that sends only what changed has them.
pub(super) fn changed_fields(kind: &'static Kind, change: &Change<'_>, request: &Request, names: &[String]) -> Result<Map, Refusal> {
    let (root, taker) = (Schema::of(kind).root(), Taker::of(request));
    let mut fields = Map::new();
    for name in names {
        if let Identity::Named { parts, rename: Rename::By(member), .. } = kind.identity
            && parts.last().is_some_and(|last| last == name)
        {
            fields.extend(change.desired.get(name).map(|v| (member.to_owned(), v.clone())));
            continue;
        }
        let field = root.field(name);
        if field.is_some() && !taker.takes(name) {
            return Err(fixed(&Path::field(name.clone())));
        }
        fields.insert(name.clone(), new_value(field, change, name)?);
    }
    Ok(fields)
}

/// The field's new value: overlaid, or what unsets it.
fn new_value(field: Option<Field<'_>>, change: &Change<'_>, name: &str) -> Result<Value, Refusal> {
    let Some(desired) = change.desired.get(name).filter(|v| **v != Value::Null) else { return unset(field, change, name) };
    let live = change.live.map(|l| overlay::without_removed(l, change.desired, change.paths));
    Ok(overlay(field, live.as_ref().and_then(|l| l.get(name)), desired))
}

/// What puts a removed field back: its default, null, or the empty list or map.
fn unset(field: Option<Field<'_>>, change: &Change<'_>, name: &str) -> Result<Value, Refusal> {
    let refuse = |why: &str| Err(Refusal { path: Path::field(name), reason: format!("`{name}` cannot be unset, because {why}") });
    let Some(field) = field else { return Ok(Value::Null) };
    if field.nullable() {
        return Ok(Value::Null);
    }
    match field.default() {
        Some(Lit::Bool(b)) => Ok(Value::Bool(b)),
        Some(Lit::Int(n)) => Ok(Value::Int(n)),
        Some(Lit::Text(t)) => Ok(Value::from(t)),
        Some(Lit::Field(sibling)) => {
            change.desired.get(sibling).map_or_else(|| refuse("its default is a field that is not set"), |v| Ok(v.clone()))
        }
        Some(Lit::Backend) => refuse("the workspace chooses its default only when the object is created: write the value you want"),
        None if field.is_free_map() => Ok(Value::Map(Map::new())),
        None if matches!(field.ty(), Type::List(_)) => Ok(Value::List(vec![])),
        None => refuse("the API has no way to clear it: write the value you want, or `lifecycle.ignore_changes` to keep what is there"),
    }
}

fn fixed(path: &Path) -> Refusal {
    Refusal { path: path.clone(), reason: format!("`{path}` cannot be changed once the object is there") }
}

/// The mask goes into the query, or into the body of operations that have it there.
fn set_mask(call: &mut Call, mask: &str, names: String) {
    let in_body = catalogue::operation(call.op).is_some_and(|o| matches!(&o.body, Body::Members(m) if m.contains_key(mask)));
    match &mut call.body {
        Some(Value::Map(body)) if in_body => body.insert(mask.to_owned(), Value::Text(names)),
        _ => call.query.insert(mask.to_owned(), Value::Text(names)),
    };
}

/// Each group of fields that differs by its own call, in the kind's order.
fn routed(kind: &'static Kind, routes: &'static [Route], change: &Change<'_>) -> Calls {
    let names = changed_names(change);
    let root = Schema::of(kind).root();
    let routeless = |n: &&String| root.field(n).is_none_or(|f| !f.computed()) && !routes.iter().any(|r| r.fields.contains(&n.as_str()));
    if let Some(name) = names.iter().find(routeless) {
        return Err(fixed(&Path::from(vec![Step::Field(name.clone())])));
    }
    let mut calls = Vec::new();
    for route in routes {
        let own: Vec<String> = names.iter().filter(|n| route.fields.contains(&n.as_str())).cloned().collect();
        if own.is_empty() {
            continue;
        }
        if let Some(function) = route.custom {
            calls.extend(function(change)?);
            continue;
        }
        let body = if route.request.take.is_empty() {
            Value::Map(changed_fields(kind, change, &route.request, &own)?)
        } else {
            match new_value(root.field(route.request.take), change, route.request.take)? {
                Value::Null => Value::Map(Map::new()),
                value => value,
            }
        };
        calls.push(Build::of(kind, &route.request, change).call(body, "update"));
    }
    Ok(calls)
}
