//! What a kind is.

use super::facts::{Etag, Fact, Identity, Lifetime, Loss, Natural, Preset, Tag, Unique};
use super::relations::{Born, Facet, Name, Objects, Parent, Within};
use super::requests::{Gone, List, Read, Request, Update, Wait};
use super::{Encoding, Hooks};
use crate::model::Path;

/// An operation of the catalogue: `jobs.jobs.reset`. Method, path, types, paging and waiters come from there.
pub type Op = &'static str;

/// Where facts attach: a field's path (`tasks[].run_if`, `definition!rules.*`), or a catalogue type's field wherever the
/// type occurs (`@jobs.Task.run_if`). `[]` is every item of a list, `.*` every value of a map.
pub type At = &'static str;

/// From a path of the normal body to the same place in the JSON that holds it.
pub type Inside = fn(&Path) -> Path;

/// Whether a name has a form.
pub type IsOf = fn(&str) -> bool;

/// A field that is read and never sent.
#[derive(Debug, Clone, Copy)]
pub struct Unsent {
    /// Its name, or with dots that of a member of the items of a list.
    pub at: &'static str,
    /// The warning that tells of it.
    pub code: &'static str,
    /// Whether this text of it is meant; a map or list is the empty text.
    pub is: fn(&str) -> bool,
}

impl Unsent {
    /// What the API does not have.
    #[must_use]
    pub const fn absent(at: &'static str) -> Self {
        Self { at, code: "W0129", is: |_| true }
    }

    /// What only the workspace fills.
    #[must_use]
    pub const fn computed(at: &'static str) -> Self {
        Self { at, code: "W0112", is: |_| true }
    }
}

/// A kind of resource. Start from [`Kind::PLAIN`] and name what differs.
pub struct Kind {
    /// The word in YAML and addresses: `jobs`.
    pub name: &'static str,
    /// One of them, as messages say it: `job`, `instance pool`.
    pub singular: &'static str,
    /// Other spellings read in YAML: `sql_warehouses`.
    pub aliases: &'static [&'static str],
    /// The members that are the key of an item in YAML's list form, besides `$key` (`space_id`, as Genie-Forge has it).
    pub list_keys: &'static [&'static str],
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
    /// Lists whose items name tables or functions by all three parts: the declared schema or catalog that one lies in is a
    /// dependency, and a look ahead (`plan --preflight`) asks whether they are there.
    pub names_objects: &'static [Objects],
    /// The levels of its access list with which others may use one (a space its warehouse); empty where nobody needs any.
    pub used_with: &'static [&'static str],
    /// Parts of messages with which the workspace refuses what it takes a moment later: nothing was made, and it is sent again.
    pub passing: &'static [&'static str],
    /// Where the ownership tag goes; none where names are unique or there are no tags.
    pub tag: Option<Tag>,
    /// Another field that singles one out, and whether a name has its form: (`applicationId`, a UUID). Names of this form
    /// are looked up by it.
    pub numbered: Option<(At, IsOf)>,
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
    /// How the server keeps an object from being overwritten unseen; none where it does not.
    pub etag: Option<Etag>,
    /// Members of request bodies that are written as text at the moment of sending: (`serialized_space`, as JSON).
    pub encode: &'static [(&'static str, Encoding)],
    /// Fields whose updates the API does not guard, though people edit them while a plan is carried out: right before they are
    /// sent the object is read again, and what somebody made of them since the plan is left as it is.
    pub unguarded: Option<fn(&str) -> bool>,
    /// Fields that files of other tools and pasted replies have and requests do not: left out, with one warning a file.
    pub unsent: &'static [Unsent],
    /// The field that may hold others as text of JSON, as the API gives it (`serialized_space`), and where in that JSON a path
    /// of the normal body stands: messages point there.
    pub packed: Option<(&'static str, Inside)>,
    /// The field that names what a name is unique in, where names are not unique else: a folder. Absent, it is the same for all
    /// who leave it out.
    pub unique_in: Option<At>,
    /// The query parameter of the create that takes an id which whoever makes the object picks. Such a create is settled by
    /// that id. None: the server picks ids.
    pub chosen_id: Option<&'static str>,
    /// The same objects by another API.
    pub otherwise: Option<Otherwise>,
    /// Code, all of it pure; a plain kind has none.
    pub hooks: Hooks,
}

/// The same objects by another API: operations and hooks are others, everything else is alike.
#[derive(Clone, Copy)]
pub struct Otherwise {
    /// The kind, under the same name.
    pub kind: &'static Kind,
    /// The member of an environment's `workspace:` that says which of the two is used: `genie_api`.
    pub setting: &'static str,
    /// What it says for this one and for the other; `auto` is this one, and the other where the workspace has not this one.
    pub words: [&'static str; 2],
}

impl Kind {
    /// A kind that is made, read, listed and deleted plainly.
    pub const PLAIN: Self = Self {
        name: "",
        singular: "",
        aliases: &[],
        list_keys: &[],
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
        used_with: &[],
        passing: &[],
        tag: None,
        numbered: None,
        link: None,
        id_fields: &[],
        born_with: &[],
        presets: &[],
        within: None,
        marks: &[],
        content: None,
        etag: None,
        encode: &[],
        unguarded: None,
        unsent: &[],
        packed: None,
        unique_in: None,
        chosen_id: None,
        otherwise: None,
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
