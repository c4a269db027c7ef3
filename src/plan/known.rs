//! What references are worth at plan: fields of objects that exist and stay.

use std::borrow::Cow;
use std::collections::HashMap;

use super::order::sends;
use super::step::Subject;
use super::{Step, body};
use crate::catalogue::Type;
use crate::kinds::{Fact, Identity, Kind, Schema};
use crate::model::{Address, Path, Reference, Step as PathStep, Value, Variable};

/// An object that exists and is not replaced.
pub(super) struct Object<'a> {
    pub kind: &'static Kind,
    pub id: Cow<'a, str>,
    /// As read; none with `--refresh=false`, where what was applied stands in, and for what this plan makes or renames,
    /// of which only the name is known.
    pub live: Option<Cow<'a, Value>>,
    pub applied: Option<Cow<'a, Value>>,
}

impl Object<'_> {
    /// What is known of a named object that this plan makes or renames: what it will be called.
    pub fn made(subject: &Subject<'_>, step: &Step) -> Option<Self> {
        let named = matches!(subject.kind.identity, Identity::Named { .. }) && sends(step);
        let id = named.then(|| body::named_id(subject.kind, &subject.body)).flatten()?;
        Some(Self { kind: subject.kind, id: Cow::Owned(id), live: None, applied: None })
    }
}

/// The objects whose fields are known.
#[derive(Default)]
pub(super) struct Known<'a> {
    objects: HashMap<&'a Address, Object<'a>>,
}

impl<'a> Known<'a> {
    pub fn insert(&mut self, address: &'a Address, object: Object<'a>) {
        self.objects.insert(address, object);
    }

    /// Where nothing was read: what is unknown only for that is as it was applied.
    pub fn keep(&self, body: &mut Value, applied: &Value) {
        match (body, applied) {
            (unknown @ Value::Unknown(_), applied) => {
                let Value::Unknown(deferred) = &*unknown else { return };
                if deferred.waits.iter().all(|w| matches!(w, Variable::Reference(r) if self.objects.contains_key(&r.address))) {
                    *unknown = applied.clone();
                }
            }
            (Value::Map(map), Value::Map(before)) => {
                for (name, value) in map {
                    if let Some(before) = before.get(name) {
                        self.keep(value, before);
                    }
                }
            }
            (Value::List(list), Value::List(before)) => list.iter_mut().zip(before).for_each(|(value, before)| self.keep(value, before)),
            _ => {}
        }
    }

    /// The value of what an expression waits for.
    pub fn value(&self, variable: &Variable) -> Option<Value> {
        let Variable::Reference(Reference { address, path }) = variable else { return None };
        let object = self.objects.get(address)?;
        object.field(path)
    }
}

/// A field of an object that exists, as the state (or the workspace) has it; none where neither knows it.
#[must_use]
pub fn recorded(kind: &'static Kind, id: &str, applied: &Value, live: Option<&Value>, path: &Path) -> Option<Value> {
    Object { kind, id: Cow::Borrowed(id), live: live.map(Cow::Borrowed), applied: Some(Cow::Borrowed(applied)) }.field(path)
}

impl Object<'_> {
    fn field(&self, path: &Path) -> Option<Value> {
        let is_id = path.steps().len() == 1 && path.first_field() == Some("id");
        let (live, applied) = (self.live.as_deref(), self.applied.as_deref());
        // `.id` is what the read takes; a named kind's own field `id` is another thing and wins.
        if is_id && let Identity::Assigned(field) = self.kind.identity {
            let read = live.and_then(|l| l.get(field)).filter(|v| !v.is_zero()).cloned();
            return Some(read.unwrap_or_else(|| identity(self.kind, field, &self.id)));
        }
        if let (None, [PathStep::Field(name)]) = (live, path.steps())
            && self.kind.id_fields.contains(&name.as_str())
        {
            return keeps_spelling(self.kind, &self.id).then(|| Value::text(&*self.id));
        }
        let here = live.or(applied).and_then(|v| v.at(path)).filter(|v| !matches!(v, Value::Null));
        let is_id = is_id && (live.or(applied).is_some() || Schema::of(self.kind).root().field("id").is_none());
        here.cloned().or_else(|| is_id.then(|| Value::text(&*self.id)))
    }
}

/// An id in the type that the field has.
fn identity(kind: &'static Kind, field: &str, id: &str) -> Value {
    let whole = Schema::of(kind).root().field(field).is_some_and(|f| matches!(f.ty(), Type::Int | Type::Int64));
    let number = || id.parse::<i64>().ok().map(Value::Int);
    whole.then(number).flatten().unwrap_or_else(|| Value::text(id))
}

/// Whether the server keeps a name as it is written: one that is blind to case may come back in small letters.
fn keeps_spelling(kind: &Kind, id: &str) -> bool {
    let Identity::Named { parts, .. } = kind.identity else { return true };
    let blind = |(at, fact): &(&str, Fact)| matches!(fact, Fact::CaseBlind) && parts.contains(at);
    !id.contains(char::is_uppercase) || !kind.facts.iter().any(blind)
}
