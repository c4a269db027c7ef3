//! What references are worth at plan: fields of objects that exist and stay.

use std::collections::HashMap;

use crate::catalogue::Type;
use crate::kinds::{Identity, Kind, Schema};
use crate::model::{Address, Path, Reference, Value, Variable};

/// An object that exists and is not replaced.
pub(super) struct Object<'a> {
    pub kind: &'static Kind,
    pub id: &'a str,
    /// As read; none with `--refresh=false`, where what was applied stands in.
    pub live: Option<&'a Value>,
    pub applied: Option<&'a Value>,
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

impl Object<'_> {
    fn field(&self, path: &Path) -> Option<Value> {
        let is_id = path.steps().len() == 1 && path.first_field() == Some("id");
        // `.id` is what the read takes; a named kind's own field `id` is another thing and wins.
        if is_id && let Identity::Assigned(field) = self.kind.identity {
            let read = self.live.and_then(|l| l.get(field)).filter(|v| !v.is_zero()).cloned();
            return Some(read.unwrap_or_else(|| identity(self.kind, field, self.id)));
        }
        let here = self.live.or(self.applied).and_then(|v| v.at(path)).filter(|v| !matches!(v, Value::Null));
        here.cloned().or_else(|| is_id.then(|| Value::text(self.id)))
    }
}

/// An id in the type that the field has.
fn identity(kind: &'static Kind, field: &str, id: &str) -> Value {
    let whole = Schema::of(kind).root().field(field).is_some_and(|f| matches!(f.ty(), Type::Int | Type::Int64));
    let number = || id.parse::<i64>().ok().map(Value::Int);
    whole.then(number).flatten().unwrap_or_else(|| Value::text(id))
}
