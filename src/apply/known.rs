//! What earlier steps left behind, and how it fills what was unknown at plan.
//!
//! Owns ids and replies of this run. A field that no reply held yet is read once. Secrets are read at the moment of
//! sending, wiped after it, and cut out of what the workspace says (`scrub`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use zeroize::{Zeroize as _, Zeroizing};

use super::identity;
use crate::client::{ApiError, Client};
use crate::diff::FieldChange;
use crate::kinds::{Call, Identity, Kind, Registry, Schema};
use crate::model::{Address, Map, Outside, Path, Reference, Value, Variable};
use crate::plan::{Plan, Step, typed};
use crate::project::expression;
use crate::refresh;
use crate::state::Document;

/// An object of the workspace, as far as this run knows it.
#[derive(Debug, Clone)]
struct Object {
    kind: &'static Kind,
    id: Value,
    /// The body that was wanted.
    desired: Value,
    /// What the workspace answered about it.
    live: Value,
    /// Whether `live` is a whole read.
    whole: bool,
}

/// What is known of objects.
#[derive(Default)]
pub struct Known {
    objects: Mutex<BTreeMap<Address, Object>>,
    /// Natural keys by kind: of the state and of the plan.
    names: BTreeMap<&'static str, Vec<String>>,
}

fn named(plan: &Plan, state: &Document, registry: &Registry) -> BTreeMap<&'static str, Vec<String>> {
    let applied = state.resources.values().map(|entry| (&entry.kind, &entry.applied));
    let planned = plan.steps.iter().filter_map(|step| Some((&step.kind, step.desired.as_ref()?)));
    let mut names: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (kind, body) in applied.chain(planned) {
        let Some(kind) = registry.get(kind) else { continue };
        let parts: Option<Vec<&str>> = kind.natural.fields.iter().map(|field| body.get(field)?.as_str()).collect();
        names.entry(kind.name).or_default().extend(parts.map(|parts| parts.join(".")));
    }
    names
}

/// Values by what waits for them.
pub type Values = BTreeMap<Variable, Value>;

impl Known {
    /// Everything that the plan read, and what the state holds of addresses that the plan left out.
    #[must_use]
    pub fn of(plan: &Plan, state: &Document, registry: &Registry) -> Self {
        let mut objects = BTreeMap::new();
        for (address, entry) in &state.resources {
            let Some(kind) = registry.get(&entry.kind) else { continue };
            let object =
                Object { kind, id: entry.id.as_str().into(), desired: entry.applied.clone(), live: Value::Map(Map::new()), whole: false };
            objects.insert(address.clone(), object);
        }
        for step in &plan.steps {
            let Some(kind) = registry.get(&step.kind) else { continue };
            let Some(id) = &step.id else {
                objects.remove(&step.address);
                continue;
            };
            let live = step.live.clone().unwrap_or_else(|| Value::Map(Map::new()));
            let id = identity::assigned(kind, &live).unwrap_or_else(|| id.as_str().into());
            let desired = step.desired.clone().unwrap_or(Value::Null);
            objects.insert(step.address.clone(), Object { kind, id, desired, live, whole: false });
        }
        Self { objects: Mutex::new(objects), names: named(plan, state, registry) }
    }

    /// A step made or changed this object.
    pub fn put(&self, address: &Address, kind: &'static Kind, id: Value, desired: Value, reply: Value) {
        self.lock().insert(address.clone(), Object { kind, id, desired, live: reply, whole: false });
    }

    /// It is gone.
    pub fn remove(&self, address: &Address) {
        self.lock().remove(address);
    }

    /// Its id.
    #[must_use]
    pub fn id(&self, address: &Address) -> Option<Value> {
        self.lock().get(address).map(|o| o.id.clone())
    }

    /// The ids of all objects of a kind: none of them is the result of a create whose outcome is unknown.
    #[must_use]
    pub fn ids(&self, kind: &Kind) -> BTreeSet<String> {
        self.lock().values().filter(|o| o.kind == kind).map(|o| identity::text(&o.id)).collect()
    }

    /// What people call the objects of a kind that are managed, or will be: `main.sales` of a schema.
    #[must_use]
    pub fn names(&self, kind: &Kind) -> &[String] {
        self.names.get(kind.name).map_or(&[], Vec::as_slice)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Address, Object>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, reference: &Reference) -> Option<Value> {
        let objects = self.lock();
        let object = objects.get(&reference.address)?;
        let Reference { path, .. } = reference;
        let is_id = *path == Path::field("id");
        if is_id && matches!(object.kind.identity, Identity::Assigned(_)) {
            return Some(object.id.clone());
        }
        // `.id` is what the read takes, but a named kind's own field of that name is another thing and wins.
        let own_id = is_id && !object.whole && Schema::of(object.kind).root().field("id").is_some();
        let plain = |v: &&Value| !v.has_unknown() && !v.has_secret() && !matches!(v, Value::Null);
        let found = object.live.at(path).or_else(|| object.desired.at(path)).filter(plain).cloned();
        found.or_else(|| (is_id && !own_id).then(|| object.id.clone()))
    }

    /// Reads the object once, if that was not done yet. Gives whether it was.
    async fn read(&self, address: &Address, client: &Client) -> Result<bool, ApiError> {
        let Some(object) = self.lock().get(address).filter(|o| !o.whole).cloned() else { return Ok(false) };
        let live = refresh::object(client, object.kind, &identity::text(&object.id), &object.desired).await?;
        if let Some(object) = self.lock().get_mut(address) {
            object.whole = true;
            if let Some(live) = live {
                object.live = live;
            }
        }
        Ok(true)
    }

    /// The values of all references inside these.
    ///
    /// # Errors
    /// A sentence: what is not known, and why.
    pub async fn values(&self, inside: &[&Value], client: &Client, reads: &mut u32) -> Result<Values, String> {
        let mut wanted = Vec::new();
        for value in inside {
            value.each_deferred(&mut Path::root(), &mut |_, deferred| wanted.extend(deferred.references().cloned()));
        }
        let mut values = Values::new();
        for reference in wanted {
            let variable = Variable::Reference(reference.clone());
            if values.contains_key(&variable) {
                continue;
            }
            let mut found = self.find(&reference);
            if found.is_none() {
                let read = self.read(&reference.address, client).await;
                *reads += u32::from(!matches!(read, Ok(false)));
                read.map_err(|e| format!("{} could not be read: {e}", reference.address))?;
                found = self.find(&reference);
            }
            let missing = || format!("`{}.{}` is not in what the workspace answers", reference.address, reference.path);
            values.insert(variable, found.ok_or_else(missing)?);
        }
        Ok(values)
    }
}

/// Fills what is unknown inside a value; what is secret stays.
///
/// # Errors
/// An expression fails on what it got.
pub fn fill(value: &Value, values: &Values) -> Result<Value, String> {
    if !value.has_unknown() {
        return Ok(value.clone());
    }
    let filled = expression::fill(value, &|variable| values.get(variable).cloned())?;
    if filled.has_unknown() { Err(format!("`{}` is still not known", first_unknown(&filled))) } else { Ok(filled) }
}

/// Fills a body of a kind, with the types that its fields take.
///
/// # Errors
/// As [`fill`].
pub fn fill_body(kind: &'static Kind, value: &Value, values: &Values) -> Result<Value, String> {
    if !value.has_unknown() {
        return Ok(value.clone());
    }
    fill(value, values).map(|filled| typed(filled, Schema::of(kind).root()))
}

fn first_unknown(value: &Value) -> String {
    let mut source = String::new();
    value.each_deferred(&mut Path::root(), &mut |_, deferred| {
        if source.is_empty() {
            source.clone_from(&deferred.source);
        }
    });
    source
}

/// The values of the secrets of one call, wiped when it has been sent.
#[derive(Default)]
pub struct Secrets {
    values: BTreeMap<Variable, Zeroizing<String>>,
    /// What expressions made of them.
    made: Vec<Zeroizing<String>>,
}

impl Secrets {
    /// Reads every secret inside these.
    ///
    /// # Errors
    /// A sentence that names the source, never the value.
    pub fn read(inside: &[&Value], outside: &Outside) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        let mut sources = Vec::new();
        for value in inside {
            value.each_deferred(&mut Path::root(), &mut |_, deferred| sources.extend(deferred.secrets().cloned()));
        }
        for source in sources {
            let text = crate::project::read_secret(outside, &source)?;
            values.insert(Variable::Secret(source), text);
        }
        Ok(Self { values, made: vec![] })
    }

    fn get(&self, variable: &Variable) -> Option<Value> {
        self.values.get(variable).map(|text| Value::text(text.as_str()))
    }

    /// Keeps what expressions with secrets came to, to be cut out too.
    fn learn(&mut self, planned: &Value, filled: &Value) {
        planned.each_deferred(&mut Path::root(), &mut |path, deferred| {
            if deferred.secrets().next().is_some()
                && let Some(Value::Text(text)) = filled.at(path)
                && !self.values.values().any(|known| known.as_str() == text)
            {
                self.made.push(Zeroizing::new(text.clone()));
            }
        });
    }

    /// The values, and what was made of them.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.values.values().chain(&self.made).map(|text| text.as_str())
    }
}

/// A call with everything in it known, to be sent and then wiped.
pub struct Ready {
    /// The call.
    pub call: Call,
    /// What is secret in it.
    pub secrets: Secrets,
}

impl Ready {
    /// Fills a planned call and writes out what the kind encodes.
    ///
    /// # Errors
    /// A sentence: what stays unknown, or which secret cannot be read.
    pub fn of(kind: &Kind, call: &Call, values: &Values, outside: &Outside) -> Result<Self, String> {
        let parts: Vec<&Value> = call.path.values().chain(call.query.values()).chain(&call.body).collect();
        let mut secrets = Secrets::read(&parts, outside)?;
        let known = |variable: &Variable| values.get(variable).cloned().or_else(|| secrets.get(variable));
        let waits = |v: &Value| v.has_unknown() || v.has_secret();
        let finish = |value: &Value| {
            if !waits(value) {
                return Ok(value.clone());
            }
            let filled = expression::fill(value, &known)?;
            if filled.has_unknown() || filled.has_secret() {
                Err(format!("`{}` is still not known", first_unknown(&filled)))
            } else {
                Ok(filled)
            }
        };
        let finish_all = |map: &Map| map.iter().map(|(k, v)| Ok((k.clone(), finish(v)?))).collect::<Result<Map, String>>();
        let body = call.body.as_ref().map(finish).transpose()?;
        let mut filled = Call { path: finish_all(&call.path)?, query: finish_all(&call.query)?, body, ..call.clone() };
        if let (Some(planned), Some(filled)) = (&call.body, &filled.body) {
            secrets.learn(planned, filled);
        }
        filled.conform();
        Ok(Self { call: filled.encoded(kind)?, secrets })
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        if !self.secrets.values.is_empty() {
            self.call.path.values_mut().chain(self.call.query.values_mut()).chain(&mut self.call.body).for_each(wipe);
        }
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::Text(text) => text.zeroize(),
        Value::List(list) => list.iter_mut().for_each(wipe),
        Value::Map(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Unknown(_) | Value::Secret(_) => {}
    }
}

/// What became of a step now that its unknowns are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Still {
    /// It is carried out.
    Wanted,
    /// Everything is as it is wanted already: nothing has to be sent.
    Nothing,
}

/// Whether a replacement is still called for (a field that forces it differs), and whether an update still changes anything.
///
/// # Errors
/// A sentence: the step would be another one now.
pub fn check_again(kind: &'static Kind, step: &Step, values: &Values) -> Result<Still, String> {
    use crate::plan::Action;
    let unknown = |change: &&FieldChange| change.new.as_ref().is_some_and(Value::has_unknown);
    match step.action {
        Action::Update if step.changes.iter().any(|change| unknown(&change)) => {
            let settled = step.changes.iter().map(|change| turned_out_same(kind, change, values)).collect::<Result<Vec<_>, _>>()?;
            Ok(if settled.into_iter().all(|same| same) { Still::Nothing } else { Still::Wanted })
        }
        Action::Replace | Action::ReplaceNewFirst if !step.forces.is_empty() => {
            for change in step.changes.iter().filter(|c| step.forces.iter().any(|f| f.contains(&c.path) || c.path.contains(f))) {
                if !turned_out_same(kind, change, values)? {
                    return Ok(Still::Wanted);
                }
            }
            let fields: Vec<String> = step.forces.iter().map(|p| format!("`{p}`")).collect();
            Err(format!("{} turned out as it is already: the replacement is not needed", fields.join(", ")))
        }
        _ => Ok(Still::Wanted),
    }
}

/// Whether a change is none, once what it waited for is known.
fn turned_out_same(kind: &'static Kind, change: &FieldChange, values: &Values) -> Result<bool, String> {
    let (Some(old), Some(new)) = (&change.old, &change.new) else { return Ok(false) };
    let (new, field) = (fill(new, values)?, Schema::of(kind).at(&change.path));
    let new = match field {
        Some(field) => typed(new, field),
        None => new,
    };
    Ok(!new.has_secret() && crate::diff::same(field, old, &new))
}
