//! The API as generated data: operations, types, enums, paging and waiters of the official SDK's services, embedded and
//! parsed lazily, one service at a time.
//!
//! `scripts/catalogue.py` makes `data/*.json` from a pinned wheel of the official Python SDK. Everyone may read it. It
//! states what the SDK states; what we believe beyond that is said by a kind, what a server does by a habit.

mod load;
mod parse;

pub use load::{Service, operation, operations, service, services, type_named};
pub use parse::member;

/// The SDK release that the data was generated from.
pub const SDK_VERSION: &str = "0.162.0";

/// The type of a field, a parameter or a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// A whole number (64 bits).
    Int,
    /// A whole number that may also be sent as decimal text.
    Int64,
    /// Any number.
    Number,
    /// A boolean.
    Bool,
    /// Anything.
    Any,
    /// A map of anything.
    Object,
    /// RFC 3339 text.
    Timestamp,
    /// `60s`.
    Duration,
    /// Comma-separated field names.
    FieldMask,
    /// Bytes.
    Binary,
    /// Nothing.
    None,
    /// A list.
    List(Box<Type>),
    /// A map from text.
    Map(Box<Type>),
    /// A struct or enum: `jobs.Task`, always with its service.
    Named(String),
}

/// A field of a struct or a member of a body or query.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its type.
    pub ty: Type,
    /// Required.
    pub required: bool,
    /// Documented as filled by the backend.
    pub output: bool,
    /// Documented as never read back.
    pub input: bool,
    /// Documented as immutable.
    pub immutable: bool,
    /// Deprecated.
    pub deprecated: bool,
    /// The documented default.
    pub default: Option<crate::model::Value>,
}

/// Members by wire name, in the SDK's order.
pub type Members = indexmap::IndexMap<String, Member>;

/// A named type.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeDef {
    /// A struct.
    Struct(Members),
    /// An enum; empty where the values are open.
    Enum(Vec<String>),
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// None.
    None,
    /// The members listed.
    Members(Members),
    /// A bare object of this type.
    Bare(Type),
    /// Not JSON.
    Raw,
}

/// How a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// Send what the reply's `from` said with the next request.
    Token {
        /// Whether the token goes into the body; else into the query.
        in_body: bool,
        /// The member or parameter that takes it: `page_token`.
        param: String,
        /// The reply's member that has it: `next_page_token`; absent or empty ends.
        from: String,
        /// The reply's member that has the items.
        items: String,
    },
    /// SCIM: `startIndex`, `count`; items under `Resources`.
    Scim,
    /// `page` from 1.
    Page {
        /// The reply's member that has the items.
        items: String,
    },
    /// The reply's member is the next request's body.
    Body {
        /// That member; absent ends.
        from: String,
        /// The reply's member that has the items.
        items: String,
    },
    /// One reply.
    Single {
        /// The reply's member that has the items.
        items: String,
    },
}

/// How a long-running operation is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiter {
    /// The operation that is polled: `sql.warehouses.get`.
    pub poll: String,
    /// The field of its reply: `state`, `state.config_update`.
    pub field: String,
    /// States that end it well.
    pub target: Vec<String>,
    /// States that end it badly.
    pub failure: Vec<String>,
    /// The SDK's default timeout in minutes.
    pub timeout_minutes: u64,
}

/// An operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// `jobs.jobs.reset`.
    pub name: &'static str,
    /// The service whose types it uses: `jobs`.
    pub service: &'static str,
    /// `POST`.
    pub method: String,
    /// `/api/2.0/sql/warehouses/{id}`; `{x...}` takes many segments.
    pub path: String,
    /// Parameters in the path, in order of appearance.
    pub path_params: Vec<String>,
    /// Parameters in the query.
    pub query: Members,
    /// Body.
    pub body: Body,
    /// Type of the reply, if it is JSON.
    pub response: Option<Type>,
    /// Type of an item of a list.
    pub item: Option<Type>,
    /// What a long-running operation gives in the end (`Type::None`: nothing); the reply is then its handle
    /// (`name`, `done`, `error`, `response`). None: the reply is the result.
    pub result: Option<Type>,
    /// How the list goes on; none where it is no list.
    pub paging: Option<Paging>,
    /// The SDK's waiter.
    pub waiter: Option<Waiter>,
    /// Reply is not JSON.
    pub raw_reply: bool,
}
