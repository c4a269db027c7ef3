//! Types and facts of a kind's body together: what validation, diff, export and the editor schema walk.
//!
//! Compiled once per kind and kept for the life of the process; a step of a walk is a look into a table.

use std::collections::{BTreeMap, HashMap};
use std::sync::{OnceLock, RwLock};

use super::compile::{self, Graph, Node, Shape};
use super::{At, Fact, Kind, Lit};
use crate::catalogue::Type;
use crate::model::{Path, Step, Value};

/// The body of a kind, compiled once.
pub struct Schema {
    kind: &'static Kind,
    graph: Graph,
}

/// A place in a body: its type and what is known of it. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    schema: &'a Schema,
    node: &'a Node,
}

impl Schema {
    /// The schema of a kind, compiled at first use.
    #[must_use]
    pub fn of(kind: &'static Kind) -> &'static Self {
        static ALL: OnceLock<RwLock<HashMap<usize, &'static Schema>>> = OnceLock::new();
        let all = ALL.get_or_init(RwLock::default);
        let key = std::ptr::from_ref(kind) as usize;
        if let Some(schema) = all.read().ok().and_then(|a| a.get(&key).copied()) {
            return schema;
        }
        let schema: &'static Self = Box::leak(Box::new(Self { kind, graph: compile::compile(kind) }));
        match all.write() {
            Ok(mut all) => all.entry(key).or_insert(schema),
            Err(_) => schema,
        }
    }

    /// The body itself. Its members are owned one by one, also where it is a map of anything.
    #[must_use]
    pub fn root(&self) -> Field<'_> {
        self.node(self.graph.root)
    }

    /// The field at a path; none where no such field is known.
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<Field<'_>> {
        path.steps().iter().try_fold(self.root(), |field, step| match step {
            Step::Field(name) => field.field(name),
            Step::Index(_) | Step::Key(..) => field.item(),
            Step::Inside => Some(field.inside()),
        })
    }

    /// What a body says that the API never gives back, with its places.
    #[must_use]
    pub fn input_only<'v>(&self, body: &'v Value) -> BTreeMap<String, &'v Value> {
        fn walk<'v>(field: Field<'_>, value: &'v Value, path: &Path, found: &mut BTreeMap<String, &'v Value>) {
            if field.input_only() {
                found.insert(path.to_string(), value);
                return;
            }
            let inside: Vec<_> = match value {
                Value::Map(map) => map.iter().map(|(name, v)| (field.field(name), Step::Field(name.clone()), v)).collect(),
                Value::List(list) => list.iter().enumerate().map(|(i, v)| (field.item(), Step::Index(i), v)).collect(),
                _ => vec![],
            };
            for (field, step, value) in inside {
                if let Some(field) = field {
                    walk(field, value, &path.join(step), found);
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(self.root(), body, &Path::root(), &mut found);
        found
    }

    /// Whose it is.
    #[must_use]
    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Facts of the kind that attach nowhere: a mistake in the kind, which a test looks for.
    #[must_use]
    pub fn unresolved(&self) -> &[At] {
        &self.graph.unresolved
    }

    fn node(&self, node: usize) -> Field<'_> {
        Field { schema: self, node: &self.graph.nodes[node] }
    }
}

impl<'a> Field<'a> {
    /// A member by name. For a free map: its value type. None: no such field is known.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Field<'a>> {
        let node = match &self.node.shape {
            Shape::Struct(members) => members.get(name).copied(),
            Shape::Open(members, other) => Some(members.get(name).copied().unwrap_or(*other)),
            Shape::Map(value) => Some(*value),
            Shape::List(_) | Shape::Leaf => None,
        };
        node.map(|n| self.schema.node(n))
    }

    /// An item of a list.
    #[must_use]
    pub fn item(&self) -> Option<Field<'a>> {
        match &self.node.shape {
            Shape::List(item) => Some(self.schema.node(*item)),
            Shape::Open(..) if *self.node.ty == Type::Any => Some(self.schema.node(compile::ANY)),
            Shape::Struct(_) | Shape::Open(..) | Shape::Map(_) | Shape::Leaf => None,
        }
    }

    /// The structure inside JSON text.
    #[must_use]
    pub fn inside(&self) -> Field<'a> {
        self.schema.node(self.node.inside)
    }

    /// The known members of a struct, in the catalogue's order; empty for others.
    #[must_use]
    pub fn members(&self) -> Vec<(&'a str, Field<'a>)> {
        match &self.node.shape {
            Shape::Struct(members) => members.iter().map(|(name, node)| (*name, self.schema.node(*node))).collect(),
            Shape::Open(..) | Shape::Map(_) | Shape::List(_) | Shape::Leaf => vec![],
        }
    }

    /// Which place of the schema it is: places recur (a job's task holds a task), and the same place gives the same
    /// number in this process.
    #[must_use]
    pub fn place(&self) -> usize {
        std::ptr::from_ref(self.node) as usize
    }

    /// What the values of a map are, for a free map.
    #[must_use]
    pub fn map_value(&self) -> Option<Field<'a>> {
        if let Shape::Map(value) = &self.node.shape { Some(self.schema.node(*value)) } else { None }
    }

    /// Its type.
    #[must_use]
    pub fn ty(&self) -> &'a Type {
        self.node.ty
    }

    /// The values of its enum, if it is one with closed values.
    #[must_use]
    pub fn values(&self) -> Option<&'a [String]> {
        self.node.values
    }

    /// Whether it is a struct with known members (not a free map, not `any`). A body that is a free map counts as one:
    /// its members are owned one by one.
    #[must_use]
    pub fn is_struct(&self) -> bool {
        match self.node.shape {
            Shape::Struct(_) => true,
            Shape::Open(..) => *self.node.ty != Type::Any,
            Shape::Map(_) | Shape::List(_) | Shape::Leaf => false,
        }
    }

    /// Whether it is a free map (`tags`, `spark_conf`): owned whole once written.
    #[must_use]
    pub fn is_free_map(&self) -> bool {
        matches!(self.node.shape, Shape::Map(_))
    }

    /// All facts that hold here, the kind's own before the catalogue's.
    pub fn facts(&self) -> impl Iterator<Item = &'a Fact> + 'a {
        self.node.facts.iter()
    }

    fn has(&self, test: fn(&Fact) -> bool) -> bool {
        self.node.facts.iter().any(test)
    }

    /// Required when it is created.
    #[must_use]
    pub fn required(&self) -> bool {
        self.node.required
    }

    /// Filled by the backend: never sent.
    #[must_use]
    pub fn computed(&self) -> bool {
        self.has(|f| matches!(f, Fact::Computed))
    }

    /// Never read back.
    #[must_use]
    pub fn input_only(&self) -> bool {
        self.has(|f| matches!(f, Fact::InputOnly))
    }

    /// Never shown.
    #[must_use]
    pub fn secret(&self) -> bool {
        self.has(|f| matches!(f, Fact::Secret))
    }

    /// A change replaces.
    #[must_use]
    pub fn immutable(&self) -> bool {
        self.has(|f| matches!(f, Fact::Immutable))
    }

    /// Null may be sent.
    #[must_use]
    pub fn nullable(&self) -> bool {
        self.has(|f| matches!(f, Fact::Nullable))
    }

    /// A map of what this release does not know, owned member by member.
    #[must_use]
    pub fn carried(&self) -> bool {
        self.has(|f| matches!(f, Fact::Carried))
    }

    /// The key of a keyed list.
    #[must_use]
    pub fn keyed(&self) -> Option<&'static [&'static str]> {
        self.node.facts.iter().find_map(|f| if let Fact::Keyed(keys) = f { Some(*keys) } else { None })
    }

    /// The fields in which items of one key may differ.
    #[must_use]
    pub fn apart(&self) -> &'static [&'static str] {
        self.node.facts.iter().find_map(|f| if let Fact::Apart(fields) = f { Some(*fields) } else { None }).unwrap_or_default()
    }

    /// The field by which an item is known whatever its key, and which of several with one key.
    #[must_use]
    pub fn also(&self) -> Option<&'static str> {
        self.node.facts.iter().find_map(|f| if let Fact::Also(field) = f { Some(*field) } else { None })
    }

    /// A list without order.
    #[must_use]
    pub fn set(&self) -> bool {
        self.has(|f| matches!(f, Fact::Set))
    }

    /// The server's default.
    #[must_use]
    pub fn default(&self) -> Option<Lit> {
        self.node.facts.iter().find_map(|f| if let Fact::Default(lit) = f { Some(*lit) } else { None })
    }

    /// Whether a free map's key is one that the server adds by itself.
    #[must_use]
    pub fn is_servers_key(&self, key: &str) -> bool {
        self.node.facts.iter().any(|f| matches!(f, Fact::ServerKeys(prefixes) if prefixes.iter().any(|p| key.starts_with(p))))
    }
}
