//! How objects of a kind hang together with others: parts, names, what they are in, what comes along with them.

use super::Schema;
use super::kind::{Kind, Op};
use crate::model::Value;

/// A part of an object that is a resource of its own: another kind, whose identity comes from the parent.
/// `permissions: [...]` under a job is `permissions` with `object_type: jobs` and `object_id: ${its id}`.
#[derive(Clone, Copy)]
pub struct Facet {
    /// The field in the parent's YAML, and the part of the address after `/`.
    pub name: &'static str,
    /// The kind it is.
    pub kind: &'static Kind,
    /// Fields of that kind that the parent gives.
    pub bind: &'static [(&'static str, From)],
    /// The field of that kind that takes the YAML below `name`: where that is a list (`entries`), or whatever it is where the
    /// field is a map (`tags`).
    pub body: &'static str,
}

impl Facet {
    /// Whether the YAML below its name is a map of anybody's keys, and never the long form.
    #[must_use]
    pub fn is_map(&self) -> bool {
        Schema::of(self.kind).root().field(self.body).is_some_and(|field| field.map_value().is_some())
    }
}

/// Where a facet's field comes from.
#[derive(Debug, Clone, Copy)]
pub enum From {
    /// A constant.
    Text(&'static str),
    /// The parent's id.
    Id,
    /// A field of the parent, set or computed (a serving endpoint's hex `id`).
    Field(&'static str),
}

/// A field in the items of a list that names an object of another kind as people call it. A name that this project declares
/// is a dependency; what is sent is what the API wants to have there.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    /// The list: `entries`.
    pub list: &'static str,
    /// The field in its items: `service_principal_name`.
    pub field: &'static str,
    /// The kind: `service_principals`.
    pub kind: &'static str,
    /// That kind's field that holds the name: `displayName`.
    pub by: &'static str,
    /// What takes the name's place.
    pub gives: Gives,
}

/// What takes the place of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// The name itself: it is what the API knows the object by.
    Itself,
    /// This field of the object (`applicationId`), unless the name is that already. A name that is not declared is looked up.
    Field(&'static str),
    /// As [`Gives::Field`], where the name may also be that of something else: no match leaves it as it is.
    FieldIfAny(&'static str),
    /// The object's id, under this member in the field's place. A name that is not declared is looked up.
    Id(&'static str),
}

/// A field that names an object which must be there first.
#[derive(Debug, Clone, Copy)]
pub struct Parent {
    /// The field of this kind: `catalog_name`.
    pub field: &'static str,
    /// The other kind: `catalogs`. The literal is compared with that kind's natural key; of a key with several fields
    /// (`catalog_name`, `name`) the first ones are this kind's fields of the same names.
    pub kind: &'static str,
    /// Whether this kind's list takes the field as a parameter; where it takes several, in this order.
    pub listed_by: bool,
}

/// An object that the server makes along with another one: declared, it is taken over and changed, never created. It hangs
/// on the other by its kind's [`Parent`].
#[derive(Debug, Clone, Copy)]
pub struct Born {
    /// The kind that it is: `schemas`.
    pub kind: &'static str,
    /// The fields that tell it from others of its kind: (`name`, `default`).
    pub fields: &'static [(&'static str, &'static str)],
    /// Makes it again, should a deletion that was taken back have got as far as that.
    pub create: Op,
    /// The field that says what it is in: `catalog_name`.
    pub within: &'static str,
}

/// What is in an object, and goes with it: always, or only where the delete says so.
#[derive(Debug, Clone, Copy)]
pub struct Within {
    /// The lists that together show it.
    pub lists: &'static [Contents],
    /// The parameter of the delete, or the member of its body, that takes everything along, without which only what is empty
    /// is deleted; none where a delete always takes everything along.
    pub all: Option<&'static str>,
}

/// A list of some of what is in an object.
#[derive(Debug, Clone, Copy)]
pub struct Contents {
    /// The operation.
    pub list: Op,
    /// Its parameters; a field is one of those that the object's id is made of.
    pub bind: &'static [(&'static str, From)],
    /// The member of its rows that names what is there: a path, a key, a full name.
    pub name: &'static str,
    /// Rows whose `name` is one of these are the server's own: they come and go with the object.
    pub own: &'static [&'static str],
}

/// A list whose items name objects of Unity Catalog by all three parts: what the declared schema or catalog around them makes a
/// dependency, and what `plan --preflight` asks the workspace for.
#[derive(Debug, Clone, Copy)]
pub struct Objects {
    /// The list, from the top of the body: `instructions`, `functions`.
    pub list: &'static [&'static str],
    /// The member of its items that holds the name: `identifier`.
    pub member: &'static str,
    /// What is named.
    pub sort: Sort,
    /// The list of an item, and the member in it, that name columns: (`columns`, `name`).
    pub columns: Option<(&'static str, &'static str)>,
}

/// A sort of object in a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A table or a view of any type.
    Table,
    /// A metric view: a table to the API.
    MetricView,
    /// A function.
    Function,
}

impl Sort {
    /// As messages name one.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Table => "table or view",
            Self::MetricView => "metric view",
            Self::Function => "function",
        }
    }
}

impl Objects {
    /// The items of the list in a body.
    #[must_use]
    pub fn items<'v>(&self, body: &'v Value) -> &'v [Value] {
        self.list.iter().try_fold(body, |value, name| value.get(name)).and_then(Value::as_list).unwrap_or_default()
    }
}
