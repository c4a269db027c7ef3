//! One call from fields: what its operation takes, and where the id goes.

use super::{Call, Change, Identity, Kind, Repeat, Request};
use crate::catalogue::{self, Body, Members, Operation, Type, TypeDef};
use crate::model::{Map, Value};

/// What an operation takes.
pub(super) struct Taker {
    operation: Option<&'static Operation>,
    /// The members that fields become; none: all fields.
    members: Option<&'static Members>,
}

impl Taker {
    pub fn of(request: &Request) -> Self {
        let operation = catalogue::operation(request.op);
        let ty_members = |ty: &'static Type| match ty {
            Type::Named(name) => catalogue::type_named(name).and_then(|t| if let TypeDef::Struct(m) = t { Some(m) } else { None }),
            _ => None,
        };
        let members = match operation.map(|o| &o.body) {
            Some(Body::Members(members)) if request.wrap.is_empty() => Some(members),
            Some(Body::Members(members)) => members.get(request.wrap).and_then(|m| ty_members(&m.ty)),
            Some(Body::Bare(ty)) => ty_members(ty),
            _ => None,
        };
        Self { operation, members }
    }

    pub fn takes(&self, name: &str) -> bool {
        self.members.is_none_or(|m| m.contains_key(name))
    }

    /// Whether the field is a query parameter and no member of the body.
    pub fn as_argument(&self, name: &str) -> bool {
        self.members.is_some_and(|m| !m.contains_key(name)) && self.operation.is_some_and(|o| o.query.contains_key(name))
    }
}

/// What a call is built from.
pub(super) struct Build<'a> {
    pub kind: &'static Kind,
    pub request: &'a Request,
    /// None: it has none yet.
    pub id: Option<&'a Value>,
    pub desired: &'a Value,
}

impl<'a> Build<'a> {
    pub fn of(kind: &'static Kind, request: &'a Request, change: &Change<'a>) -> Self {
        Self { kind, request, id: Some(change.id), desired: change.desired }
    }

    /// The call with these fields as (or in) its body.
    pub fn call(&self, fields: Value, why: &'static str) -> Call {
        let operation = catalogue::operation(self.request.op);
        let query = self.request.query.iter().map(|(n, v)| ((*n).to_owned(), Value::from(*v))).collect();
        let mut call = Call { op: self.request.op, path: Map::new(), query, body: None, why, repeat: Repeat::Safe };
        let Some(operation) = operation else { return call };
        let fields = if self.request.wrap.is_empty() { fields } else { Value::map([(self.request.wrap, fields)]) };
        call.body = match operation.body {
            Body::None | Body::Raw => None,
            Body::Members(_) | Body::Bare(_) => Some(fields),
        };
        self.place_id(&mut call, operation);
        call
    }

    fn place_id(&self, call: &mut Call, operation: &Operation) {
        for name in &operation.path_params {
            let renamed = self.request.args.iter().find(|(p, _)| p == name).map(|(_, field)| *field);
            let value = match renamed {
                Some(field) => self.part(field),
                None if operation.path_params.len() == 1 && self.id.is_some() => self.id.cloned(),
                None => self.part(name),
            };
            call.path.extend(value.map(|v| (name.clone(), v)));
        }
        let Some(id) = self.id.filter(|_| operation.path_params.is_empty()) else { return };
        let parts: Vec<(&str, Value)> = match self.kind.identity {
            Identity::Assigned(field) => vec![(field, id.clone())],
            Identity::Named { parts, .. } => parts.iter().filter_map(|p| Some((*p, self.part(p)?))).collect(),
            Identity::Single(_) => vec![],
        };
        for (name, value) in parts {
            if operation.query.contains_key(name) {
                call.query.insert(name.to_owned(), value);
            } else if let (Body::Members(members), Some(Value::Map(body))) = (&operation.body, &mut call.body)
                && members.contains_key(name)
            {
                body.shift_insert(0, name.to_owned(), value);
            }
        }
    }

    /// A part of the name: from the id where it is text (the object is still called that), else from the body.
    fn part(&self, field: &str) -> Option<Value> {
        if let (Identity::Named { parts, join, .. }, Some(Value::Text(id))) = (self.kind.identity, self.id)
            && let Some(at) = parts.iter().position(|p| *p == field)
            && let Some(word) = id.splitn(parts.len(), join).nth(at)
        {
            return Some(Value::from(word));
        }
        self.desired.get(field).cloned()
    }
}
