//! What a kind is.

use super::{Calls, Change, Encoding, Hooks};
use crate::model::{Path, Value};

/// An operation of the catalogue: `jobs.jobs.reset`. Method, path, types, paging and waiters come from there.
pub type Op = &'static str;

/// Where facts attach: a field's path (`tasks[].run_if`, `definition!rules.*`), or a catalogue type's field wherever the
/// type occurs (`@jobs.Task.run_if`). `[]` is every item of a list, `.*` every value of a map.
pub type At = &'static str;

/// From a path of the normal body to the same place in the JSON that holds it.
pub type Inside = fn(&Path) -> Path;

/// A kind of resource. Start from [`Kind::PLAIN`] and name what differs.
pub struct Kind {
    /// The word in YAML and addresses: `jobs`.
    pub name: &'static str,
    /// One of them, as messages say it: `job`, `instance pool`.
    pub singular: &'static str,
    /// Other spellings read in YAML: `sql_warehouses`.
    pub aliases: &'static [&'static str],
    /// The member that is the key of an item in YAML's list form, besides `$key` (`space_id`, as Genie-Forge has it); empty
    /// where there is none.
    pub list_key: &'static str,
    /// How one is made. None: it always exists (a facet, a singleton), or only adopted.
    pub create: Option<Request>,
    /// How one is read.
    pub read: Read,
    /// How all are read.
    pub list: Option<List>,
    /// How one is changed.
    pub update: Update,
    /// How one is deleted.
    pub delete: Option<Request>,
    /// What the workspace knows it by.
    pub identity: Identity,
    /// What a person knows it by.
    pub natural: Natural,
    /// Whether we make and delete it, or only change what is always there.
    pub lifetime: Lifetime,
    /// Fields of the YAML body where it is no operation's body: (name, type and flags in the catalogue's words, such as
    /// `text!` or `[iam.Permission]`). They replace what the operations would give. Empty: the operations' bodies and
    /// the reply make the schema.
    pub fields: &'static [(&'static str, &'static str)],
    /// Other spellings of top-level fields: (`user_name`, `userName`). Read in YAML, paths and references as the field itself.
    pub spellings: &'static [(&'static str, &'static str)],
    /// Fields of the items of a list that name principals as people call them.
    pub names: &'static [Name],
    /// For a list of members: the kind that it is a part of and whose objects may be members too, never in a circle.
    pub nests: Option<&'static str>,
    /// Fields of the YAML body that no operation's body has, in the same words: a hook or a custom update makes calls of
    /// them (`is_pinned`).
    pub own: &'static [(&'static str, &'static str)],
    /// Facts on fields. What holds for a catalogue type in every kind stands in [`super::types`].
    pub facts: &'static [(At, Fact)],
    /// How "gone" looks besides 404.
    pub gone: &'static [Gone],
    /// What deleting one destroys.
    pub loss: Loss,
    /// Waits after a call.
    pub waits: &'static [Wait],
    /// Parts with their own address and state entry.
    pub facets: &'static [Facet],
    /// Fields that name an object which must be there first: (`catalog_name`, `catalogs`). A literal equal to a declared
    /// resource's natural key is a dependency; for lists, also the parameter that each parent is listed by.
    pub parents: &'static [Parent],
    /// Lists whose items name tables or functions by all three parts (`tables`, `identifier`): the declared schema or catalog
    /// that one lies in is a dependency.
    pub names_objects: &'static [(&'static str, &'static str)],
    /// Where the ownership tag goes; none where names are unique or there are no tags.
    pub tag: Option<Tag>,
    /// The object's page: `/jobs/{id}`, fields in braces.
    pub link: Option<&'static str>,
    /// Computed fields of a named object that always hold its id: known before the object is (`full_name`).
    pub id_fields: &'static [&'static str],
    /// Objects that the server makes along with this one.
    pub born_with: &'static [Born],
    /// What presets of an environment touch.
    pub presets: &'static [Preset],
    /// How what is in one is listed, before it is deleted; none where nothing can be in it.
    pub within: Option<Within>,
    /// Fields that replies may leave out and a filter of the list tells: (`is_pinned`, the parameter, its value).
    pub marks: &'static [(&'static str, &'static str, &'static str)],
    /// The field that names a file of the project, and the field that takes what is in it: text, or a map with
    /// [`super::BYTES`]. The normal form is without the first.
    pub content: Option<(&'static str, &'static str)>,
    /// Members of request bodies that are written as text at the moment of sending: (`serialized_space`, as JSON).
    pub encode: &'static [(&'static str, Encoding)],
    /// Fields that files of other tools have and the API does not (`author`): left out, with one warning a file.
    pub unsent: &'static [&'static str],
    /// The field that may hold others as text of JSON, as the API gives it (`serialized_space`), and where in that JSON a path
    /// of the normal body stands: messages point there.
    pub packed: Option<(&'static str, Inside)>,
    /// Code, all of it pure; a plain kind has none.
    pub hooks: Hooks,
}

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
}

impl Read {
    /// The reply is the object.
    #[must_use]
    pub const fn plain(op: Op) -> Self {
        Self { op, reply: "", names: "", pages: "", args: &[], query: &[], asks: &[], beside: "" }
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
    /// A list without order.
    Set,
    /// Text that holds JSON: compared as structure.
    JsonText,
    /// Text compared without case.
    CaseBlind,
    /// Text compared without a trailing slash.
    Slashless,
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
    /// The field of that kind that takes the YAML below `name` where that is a list (`entries`).
    pub body: &'static str,
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

/// How what is in an object is listed, which goes with it: always, or only where the delete says so.
#[derive(Debug, Clone, Copy)]
pub struct Within {
    /// The operation; the id goes where the read has it.
    pub list: Op,
    /// The member of its rows that names what is there: a path, a key.
    pub name: &'static str,
    /// The member of the delete's body that takes everything along, without which only what is empty is deleted; none where
    /// a delete always takes everything along.
    pub all: Option<&'static str>,
}

/// Where the ownership tag goes.
#[derive(Debug, Clone, Copy)]
pub enum Tag {
    /// A map of text under this field: `tags`.
    Map(&'static str),
}

impl Kind {
    /// A kind that is made, read, listed and deleted plainly.
    pub const PLAIN: Self = Self {
        name: "",
        singular: "",
        aliases: &[],
        list_key: "",
        create: None,
        read: Read::plain(""),
        list: None,
        update: Update::Never,
        delete: None,
        identity: Identity::Assigned("id"),
        natural: Natural { fields: &["name"], unique: Unique::Yes },
        lifetime: Lifetime::Own,
        fields: &[],
        spellings: &[],
        names: &[],
        nests: None,
        own: &[],
        facts: &[],
        gone: &[],
        loss: Loss::Nothing,
        waits: &[],
        facets: &[],
        parents: &[],
        names_objects: &[],
        tag: None,
        link: None,
        id_fields: &[],
        born_with: &[],
        presets: &[],
        within: None,
        marks: &[],
        content: None,
        encode: &[],
        unsent: &[],
        packed: None,
        hooks: Hooks::NONE,
    };
}

impl Kind {
    /// A top-level field by any of its spellings.
    #[must_use]
    pub fn field_named<'n>(&self, name: &'n str) -> &'n str {
        self.spellings.iter().find(|(other, _)| *other == name).map_or(name, |(_, field)| field)
    }

    /// One of them with its article, as messages say it: `a job`, `an instance pool`.
    #[must_use]
    pub fn one(&self) -> String {
        let vowel = self.singular.starts_with(['a', 'e', 'i', 'o', 'u']) && !self.singular.starts_with("use");
        let article = if vowel { "an" } else { "a" };
        format!("{article} {}", self.singular)
    }

    /// Several of them, as messages say it: `service principals`, `sets of grants`.
    #[must_use]
    pub fn many(&self) -> String {
        let (noun, rest) =
            self.singular.split_once(" of ").map_or((self.singular, String::new()), |(noun, rest)| (noun, format!(" of {rest}")));
        let consonant_before_y = noun.ends_with('y') && !noun.trim_end_matches('y').ends_with(['a', 'e', 'i', 'o', 'u']);
        let plural = if consonant_before_y { format!("{}ies", &noun[..noun.len() - 1]) } else { format!("{noun}s") };
        format!("{plural}{rest}")
    }

    /// So many of them: `1 service principal`, `2 service principals`.
    #[must_use]
    pub fn count(&self, count: usize) -> String {
        if count == 1 { format!("1 {}", self.singular) } else { format!("{count} {}", self.many()) }
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kind({})", self.name)
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
