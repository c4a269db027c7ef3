//! What a kind's own code is given, and what it answers: pure data both ways.

use super::Call;
use crate::model::{Address, Path, Value};

/// The requests of a change, or why it cannot be.
pub type Calls = Result<Vec<Call>, Refusal>;

/// From whose it is, desired, the last applied body and live to the first two with what tells their items apart.
pub type Recognise = fn(&Address, &Value, Option<&Value>, &Value) -> Option<Recognised>;

/// Two bodies whose items say which of live's they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognised {
    /// Desired.
    pub desired: Value,
    /// The last applied body.
    pub applied: Option<Value>,
}

/// A text with its expressions: how it is written, what that gives, and what it is to give. None: an expression gives what differs.
pub type Spell<'s> = dyn Fn(&str, &str, &str) -> Option<String> + 's;

/// From a definition as somebody wrote it in the API's form, and two normal bodies: what it says and what it is to say.
pub type Repack = fn(&Value, &Value, &Value, &Spell<'_>) -> Result<Value, Refusal>;

/// Warnings of an object as it is: from live, desired, and what the workspace called it.
pub type Warn = fn(&Value, &Value, Option<&str>) -> Vec<String>;

/// Code of a kind, all of it pure.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// The YAML body in its normal form (short forms written out), before anything else reads it.
    pub normal: Option<fn(Value) -> Value>,
    /// The form in which overlays are merged, of a body whose expressions are not evaluated yet (they are texts): short forms and
    /// other spellings written out. None: overlays are merged as they are written.
    pub laid: Option<fn(Value) -> Value>,
    /// A reply (also part of one) as YAML has it, where the API's form is another one. Applied to every read, list row and reply
    /// of a step's calls, whatever they answer (`{}` too): the rest of the program sees the YAML form only.
    pub reply: Option<fn(Value) -> Value>,
    /// The other way: the fields of a body in YAML's form as requests carry them. What must be known to be written as text
    /// stays structure and stands in [`Kind::encode`](super::Kind::encode).
    pub wire: Option<fn(&Value) -> Value>,
    /// The body with what we choose and YAML does not say (ids of items), before it is written into a request. Takes whose
    /// it is, and the body in YAML's form, for an update over what live holds.
    pub complete: Option<fn(&Address, Value) -> Value>,
    /// Desired and applied with what tells an item from another one of the same name, and that an item is one which live has under
    /// another name: so that a rewording is a change of it. None: there is nothing to add. Live as it is compared.
    pub recognise: Option<Recognise>,
    /// A definition in the API's form ([`Kind::packed`](super::Kind::packed)) that says something else, written as it was.
    pub repack: Option<Repack>,
    /// What of live is compared: takes away what nobody here manages (inherited permissions, other people's grants).
    pub view: Option<fn(&View<'_>) -> Value>,
    /// Rules beyond types, on the normal body: limits, exclusions. Paths are of the YAML body.
    pub check: Option<fn(&Value) -> Vec<Refusal>>,
    /// What of the normal body the API of this kind has no place for, where another API of the same objects may have one
    /// ([`Kind::otherwise`](super::Kind::otherwise)).
    pub carries: Option<fn(&Value) -> Vec<Refusal>>,
    /// What the workspace may refuse, or nobody is likely to have meant: warnings. On the normal body, as `check`, and only where
    /// that finds nothing.
    pub advise: Option<fn(&Value) -> Vec<Refusal>>,
    /// Columns that texts of the normal body name, of the objects in [`Kind::names_objects`](super::Kind::names_objects): a look ahead
    /// asks whether they are there.
    pub columns: Option<fn(&Value) -> Vec<NamedColumn>>,
    /// The last word on one changed path.
    pub judge: Option<fn(&Path, &Change<'_>) -> Option<Verdict>>,
    /// Whether the object of this body is one that every workspace has (the group `admins`): declared, it is taken over by its
    /// name; it is never created and never deleted.
    pub standing: Option<fn(&Value) -> bool>,
    /// Why the workspace will not delete this live object, where it will not: a group of the account.
    pub lasting: Option<fn(&Value) -> Option<&'static str>>,
    /// A facet's request for an object that this caller (by name) made in the same run, as they can send it: never more than
    /// what was planned. None: there is nothing to send.
    pub of_maker: Option<fn(Call, &str) -> Option<Call>>,
    /// Whether the object (in YAML's form) holds what this request would give it: then one that was refused after an earlier try
    /// had no answer is done.
    pub holds: Option<fn(&Call, &Value) -> bool>,
    /// What the user should know of a change before it is made: what restarts, what is waited for.
    pub notes: Option<fn(&Change<'_>) -> Vec<String>>,
    /// What the user should know of the object as it is, whether or not anything changes: warnings of every plan. Takes live,
    /// desired, and what the workspace called it ([`Context::called`]).
    pub warn: Option<Warn>,
    /// Requests before the delete of the object with this id: what the server made along with it and would count against
    /// the delete.
    pub before_delete: Option<fn(&Value) -> Vec<Call>>,
}

impl Hooks {
    /// No code.
    pub const NONE: Self = Self {
        normal: None,
        laid: None,
        reply: None,
        wire: None,
        complete: None,
        recognise: None,
        repack: None,
        view: None,
        check: None,
        carries: None,
        advise: None,
        columns: None,
        judge: None,
        notes: None,
        warn: None,
        before_delete: None,
        standing: None,
        lasting: None,
        of_maker: None,
        holds: None,
    };
}

/// A column that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedColumn {
    /// The text.
    pub path: Path,
    /// The whole name of the table, as it is written in its list.
    pub table: String,
    /// The column.
    pub column: String,
    /// Whether it can be nothing else: in SQL a name may be of something that nobody here understands.
    pub is_sure: bool,
}

/// What a view is made from.
pub struct View<'a> {
    /// The reply, as [`Read`](super::Read) gives it.
    pub live: &'a Value,
    /// The normal body.
    pub desired: &'a Value,
    /// The last applied body.
    pub applied: Option<&'a Value>,
    /// Who and whose.
    pub context: &'a Context<'a>,
}

/// Who applies, and what the object is part of.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    /// The environment's deployer, as ACLs carry it. Never the caller.
    pub deployer: Option<&'a str>,
    /// A facet's parent, live (its creator or owner counts as a deployer where none is named).
    pub parent: Option<&'a Value>,
    /// Who made a facet's parent, as the state recorded it at its create. Replies of some kinds name nobody.
    pub maker: Option<&'a str>,
    /// `lifecycle.exclusive`.
    pub exclusive: bool,
    /// What the workspace called the object when it was last written, where that is not what it was asked for.
    pub called: Option<&'a str>,
}

/// The last word on one changed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No change after all.
    Same,
    /// An update does it.
    Update,
    /// Only a new object does it, because ...
    Replace(&'static str),
    /// It cannot be done, because ...
    Block(&'static str),
}

/// A change of one object, as update functions see it.
pub struct Change<'a> {
    /// Whose.
    pub address: &'a Address,
    /// Its id; unknown where it is created by the same step.
    pub id: &'a Value,
    /// What the last apply sent; none at the first.
    pub applied: Option<&'a Value>,
    /// What the workspace answers, before any view; none where it (or what it is a part of) is created by the same plan.
    pub live: Option<&'a Value>,
    /// What is wanted. Where changes are ignored it holds what live holds.
    pub desired: &'a Value,
    /// What differs.
    pub paths: &'a [Path],
    /// Who and whose.
    pub context: Context<'a>,
}

/// A change or a body that cannot be, at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The field.
    pub path: Path,
    /// Why, and what to do.
    pub reason: String,
}
