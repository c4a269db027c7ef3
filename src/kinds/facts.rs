//! What is known of a kind's objects and fields: names, lifetimes, defaults, what a deletion loses.

use crate::model::Value;

/// What the workspace knows it by.
#[derive(Debug, Clone, Copy)]
pub enum Identity {
    /// An id that the server picks, in this field of the reply.
    Assigned(&'static str),
    /// Fields of the body joined.
    Named {
        /// `catalog_name`, `name`.
        parts: &'static [&'static str],
        /// What joins them: `.`; only the last part may hold it.
        join: &'static str,
        /// What a changed name means.
        rename: Rename,
    },
    /// There is one; the id is this word.
    Single(&'static str),
}

/// What a changed name means.
#[derive(Debug, Clone, Copy)]
pub enum Rename {
    /// Another object.
    Replaces,
    /// The update takes the last part under this member (`new_name`) and the id changes.
    By(&'static str),
}

/// What a person knows it by.
#[derive(Debug, Clone, Copy)]
pub struct Natural {
    /// The fields: `name`, or `catalog_name` and `name`.
    pub fields: &'static [&'static str],
    /// Whether the server keeps it unique.
    pub unique: Unique,
}

/// Whether the server keeps a natural key unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    /// Yes: the name itself settles a crash.
    Yes,
    /// No: an intent is made durable before the create, and the ownership tag settles a crash.
    No,
}

/// How the server keeps an object from being overwritten unseen: a request that names an etag which is not current is refused
/// (409). It may move although nothing that anybody wrote has changed.
#[derive(Debug, Clone, Copy)]
pub struct Etag {
    /// The member of replies and requests that holds it.
    pub member: &'static str,
    /// The member of replies that says when the object was changed last; empty: none does.
    pub time: &'static str,
    /// The member of replies that says by whom; empty: none does.
    pub by: &'static str,
}

/// Whether we make and delete it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// We create and delete it.
    Own,
    /// It is always there. What it held before first touch is kept in the state; destroy puts that back. When the block
    /// is removed from YAML it is forgotten and left as it is (permissions, grants).
    Attached,
    /// It is always there. Removing a field, the block, or destroy puts back what it held before first touch.
    Setting,
}

/// What we know of a field.
#[derive(Debug, Clone, Copy)]
pub enum Fact {
    /// Filled by the backend, never sent.
    Computed,
    /// What the server takes where nothing is sent.
    Default(Lit),
    /// Sent, never read back: compared with applied only.
    InputOnly,
    /// Never shown, stored or compared by value.
    Secret,
    /// A change replaces the object.
    Immutable,
    /// A list recognised by these fields of its items.
    Keyed(&'static [&'static str]),
    /// Several items of a keyed list may have one key, where they differ in these fields.
    Apart(&'static [&'static str]),
    /// Items of a keyed list are one and the same where both sides hold this field, alike: what was reworded, and which of several with
    /// one key it is.
    Also(&'static str),
    /// A list without order.
    Set,
    /// Text that holds JSON: compared as structure.
    JsonText,
    /// Text compared without case.
    CaseBlind,
    /// Text compared without a trailing slash.
    Slashless,
    /// Text compared without newlines at its end (blocks of YAML bring one along, servers may not keep it) and whatever its lines end
    /// in (files of Windows).
    Chomped,
    /// A map of what this release does not know: its members are owned one by one, at any depth, and the others are carried over.
    Carried,
    /// A map that only holds parts: one that goes is told part by part, as one that comes is.
    Parts,
    /// A map that is written by one of these members: an overlay that writes it by another takes the place of the first.
    Forms(&'static [&'static str]),
    /// A path: a leading `/Workspace` makes no difference.
    WorkspacePath,
    /// The id of an object of this kind.
    Refers(&'static str),
    /// The path of an object of one of these kinds: one that this project declares there must be there first.
    PathOf(&'static [&'static str]),
    /// Keys of a free map that the server adds by itself, by prefix (`unity.catalog.managed.`); never drift.
    ServerKeys(&'static [&'static str]),
    /// The API has an explicit unset: null may be sent.
    Nullable,
    /// Which of its values are good depends on other fields: the kind's check says it, not the catalogue's list.
    Checked,
    /// Not required, whatever the catalogue says.
    Optional,
    /// The kind's check requires it, but for the cases that these words name.
    Unless(&'static str),
    /// May be set and changed: what the catalogue says of it being filled by the backend or immutable does not hold.
    Settable,
    /// The last word on whether two values are the same.
    Same(fn(&Value, &Value) -> bool),
}

/// A literal in a fact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lit {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(&'static str),
    /// The value of a sibling field.
    Field(&'static str),
    /// Whatever the backend picks: a live value where nothing was set is never drift, and it cannot be put back.
    Backend,
}

/// What deleting one destroys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Nothing that applying again does not bring back.
    Nothing,
    /// History: said in the plan (`its run history`).
    History(&'static str),
    /// Data: deletes and replaces are blocked unless allowed by name (`every schema and table in it`).
    Data(&'static str),
}

/// What a preset of an environment touches in a kind; the words are fields at the top of the body.
#[derive(Debug, Clone, Copy)]
pub enum Preset {
    /// `name_prefix` goes before this field. Kinds that others know by their name (catalogs, endpoints) have none: what
    /// uses such a name is often not in the project.
    Prefixed(&'static str),
    /// `tags` go into this map.
    TagMap(&'static str),
    /// `tags` go into this list of `{key, value}`, a path of fields: `tags.custom_tags`.
    TagPairs(&'static str),
    /// `pause_schedules` sets a field below this one, where this one is written: (`schedule`, `pause_status`, `PAUSED`).
    Paused(&'static str, &'static str, Lit),
    /// `max_concurrent_runs` goes into this field.
    ConcurrentRuns(&'static str),
    /// `run_as` goes into this field.
    RunAs(&'static str),
    /// `lock_jobs_ui` sets this field.
    Locked(&'static str, Lit),
    /// `standby` sets this field, whatever the base says.
    Standby(&'static str, Lit),
}

/// Where the ownership tag goes.
#[derive(Debug, Clone, Copy)]
pub enum Tag {
    /// A map of text under this field: `tags`.
    Map(&'static str),
}
