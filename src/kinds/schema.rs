//! Types and facts of a kind's body together: what validation, diff, export and the editor schema walk.

use super::{Fact, Kind, Lit};
use crate::catalogue::Type;

/// The body of a kind, compiled once.
pub struct Schema {
    _kind: &'static Kind,
}

/// A place in a body: its type and what is known of it. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    _schema: &'a Schema,
}

impl Schema {
    /// The schema of a kind, compiled at first use.
    #[must_use]
    pub fn of(kind: &'static Kind) -> &'static Self {
        let _ = kind;
        todo!()
    }

    /// The body itself.
    #[must_use]
    pub fn root(&self) -> Field<'_> {
        todo!()
    }
}

impl<'a> Field<'a> {
    /// A member by name. For a free map: its value type. None: no such field is known.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Field<'a>> {
        let _ = name;
        todo!()
    }

    /// An item of a list.
    #[must_use]
    pub fn item(&self) -> Option<Field<'a>> {
        todo!()
    }

    /// The structure inside JSON text.
    #[must_use]
    pub fn inside(&self) -> Field<'a> {
        todo!()
    }

    /// The known members of a struct, in the catalogue's order; empty for others.
    #[must_use]
    pub fn members(&self) -> Vec<(&'a str, Field<'a>)> {
        todo!()
    }

    /// Its type.
    #[must_use]
    pub fn ty(&self) -> &'a Type {
        todo!()
    }

    /// The values of its enum, if it is one with closed values.
    #[must_use]
    pub fn values(&self) -> Option<&'a [String]> {
        todo!()
    }

    /// Whether it is a struct with known members (not a free map, not `any`).
    #[must_use]
    pub fn is_struct(&self) -> bool {
        todo!()
    }

    /// Whether it is a free map (`tags`, `spark_conf`): owned whole once written.
    #[must_use]
    pub fn is_free_map(&self) -> bool {
        todo!()
    }

    /// All facts that hold here.
    pub fn facts(&self) -> impl Iterator<Item = &'a Fact> + 'a {
        std::iter::empty()
    }

    /// Required when it is created.
    #[must_use]
    pub fn required(&self) -> bool {
        todo!()
    }

    /// Filled by the backend: never sent.
    #[must_use]
    pub fn computed(&self) -> bool {
        todo!()
    }

    /// Never read back.
    #[must_use]
    pub fn input_only(&self) -> bool {
        todo!()
    }

    /// Never shown.
    #[must_use]
    pub fn secret(&self) -> bool {
        todo!()
    }

    /// A change replaces.
    #[must_use]
    pub fn immutable(&self) -> bool {
        todo!()
    }

    /// The key of a keyed list.
    #[must_use]
    pub fn keyed(&self) -> Option<&'static [&'static str]> {
        todo!()
    }

    /// A list without order.
    #[must_use]
    pub fn set(&self) -> bool {
        todo!()
    }

    /// The server's default.
    #[must_use]
    pub fn default(&self) -> Option<Lit> {
        todo!()
    }
}
