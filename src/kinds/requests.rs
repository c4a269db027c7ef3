//! How objects of a kind are made, read, listed, changed and waited for: operations of the catalogue, and where a body goes.

use super::kind::{At, Op};
use super::{Calls, Change};

/// How fields become a request. Where the id goes is found in the catalogue: the path parameter, else the query or body
/// member named as the identity's field.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// The operation.
    pub op: Op,
    /// The body member that takes the fields (`new_settings`); empty: the fields are the body.
    pub wrap: &'static str,
    /// The field whose value alone is the body (`config`); empty: all fields.
    pub take: &'static str,
    /// Query parameters that are always sent.
    pub query: &'static [(&'static str, &'static str)],
    /// Path parameters that are fields of the body under other names: (`request_object_type`, `object_type`).
    pub args: &'static [(&'static str, &'static str)],
}

impl Request {
    /// The fields are the body.
    #[must_use]
    pub const fn bare(op: Op) -> Self {
        Self { op, wrap: "", take: "", query: &[], args: &[] }
    }

    /// The fields go under one member.
    #[must_use]
    pub const fn wrapped(op: Op, wrap: &'static str) -> Self {
        Self { op, wrap, take: "", query: &[], args: &[] }
    }

    /// One field's value is the body.
    #[must_use]
    pub const fn inner(op: Op, take: &'static str) -> Self {
        Self { op, wrap: "", take, query: &[], args: &[] }
    }
}

/// How one is read.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// The operation; empty: it is found in the list.
    pub op: Op,
    /// The reply's member that holds the fields (`settings`); its siblings are computed fields. Empty: the reply itself.
    pub reply: &'static str,
    /// The query parameter that takes the names of the managed fields, comma-separated (`keys`). Empty: none.
    pub names: &'static str,
    /// Replies come in pages whose lists are joined (`jobs.get`): the paging token's query parameter. Empty: one reply.
    pub pages: &'static str,
    /// Path parameters that are fields of the body under other names.
    pub args: &'static [(&'static str, &'static str)],
    /// Query parameters that are always sent.
    pub query: &'static [(&'static str, &'static str)],
    /// Fields of the body that are query parameters of the read under the same names (`format`).
    pub asks: &'static [&'static str],
    /// A second operation whose reply's members stand beside those of the first (`get_status` beside `export`). It takes
    /// those of the first one's parameters that it knows. Empty: none.
    pub beside: Op,
    /// What a reply has that tells of the object: one without it would be taken for an empty object.
    pub whole: Whole,
}

/// What a reply has that tells of the object.
#[derive(Debug, Clone, Copy)]
pub enum Whole {
    /// Members at all: an object that is created has at least its name. What is always there may have none.
    Something,
    /// This member (`object_id` of a permission set).
    Has(&'static str),
    /// This member, an object or its text of JSON (`serialized_space`), which those do not get who may only look.
    Definition(&'static str),
}

impl Read {
    /// The reply is the object.
    #[must_use]
    pub const fn plain(op: Op) -> Self {
        Self { op, reply: "", names: "", pages: "", args: &[], query: &[], asks: &[], beside: "", whole: Whole::Something }
    }
}

/// How all are read.
#[derive(Debug, Clone, Copy)]
pub struct List {
    /// The operation.
    pub op: Op,
    /// Parameters that are always sent. One that is named several times is sent several times.
    pub query: &'static [(&'static str, &'static str)],
    /// How far a row can be trusted.
    pub rows: Rows,
}

/// How far a row of a list can be trusted.
#[derive(Debug, Clone, Copy)]
pub enum Rows {
    /// As far as a read.
    Whole,
    /// As far as a read, unless this field is true in the row.
    WholeUnless(At),
    /// Only for identity and natural key.
    Names,
}

/// How one is changed.
#[derive(Debug, Clone, Copy)]
pub enum Update {
    /// Every change replaces.
    Never,
    /// The whole object is sent: live overlaid with desired. Absent means reset.
    Whole(Request),
    /// Only what changed is sent; maps whole.
    Patch(Request),
    /// What changed is sent with a mask in this query parameter.
    Mask(Request, &'static str),
    /// Groups of fields, each with its own call, in this order.
    Routed(&'static [Route]),
    /// By a function.
    Custom(fn(&Change<'_>) -> Calls),
}

/// A group of top-level fields with its own call.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The fields.
    pub fields: &'static [&'static str],
    /// The call, if it is plain: the fields' live values overlaid with desired.
    pub request: Request,
    /// Else a function.
    pub custom: Option<fn(&Change<'_>) -> Calls>,
}

impl Route {
    /// One call for these fields.
    #[must_use]
    pub const fn plain(fields: &'static [&'static str], request: Request) -> Self {
        Self { fields, request, custom: None }
    }
}

/// How "gone" looks, besides a plain 404.
#[derive(Debug, Clone, Copy)]
pub enum Gone {
    /// This status with this text in the message, in any case.
    Text(u16, &'static str),
    /// A reply whose field has this value (`lifecycle_state`, `DELETED`).
    Field(At, &'static str),
}

/// A wait after a call.
#[derive(Debug, Clone, Copy)]
pub struct Wait {
    /// After which call.
    pub after: After,
    /// The operation whose catalogue waiter says what is polled, and which states end it.
    pub waiter: Op,
    /// Who waits.
    pub blocks: Blocks,
}

/// After which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The create.
    Create,
    /// An update.
    Update,
    /// The delete.
    Delete,
}

/// Who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// Always waited for.
    Always,
    /// Only with `lifecycle.wait: running`.
    OnRequest,
}
