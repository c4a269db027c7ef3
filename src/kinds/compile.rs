//! From declarations and the catalogue to a graph of fields, once per kind.
//!
//! A body's root is the union of what creates, updates and replies have; a field that only replies have is computed, one
//! that creates take and no update takes is immutable. Types recur (a job's task holds a task), so the graph does too: a
//! field is the members of the catalogue it stands for, and the places of facts it is at.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;

use super::place::{Place, Places};
use super::{Fact, Identity, Kind, Lit, Rename, Request, Update, types};
use crate::catalogue::{self, Body, Member, Members, Type, TypeDef};
use crate::model::Value;

/// Where a field's member comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Role {
    Create,
    Update,
    Reply,
}

/// What a field is made of: a type, or members that have no type of their own.
#[derive(Clone, Copy)]
enum Stuff {
    Ty(&'static Type),
    Members(&'static Members),
}

#[derive(Clone, Copy)]
struct Source {
    stuff: Stuff,
    member: Option<&'static Member>,
    role: Role,
}

impl Source {
    fn identity(&self) -> (usize, usize, Role) {
        let stuff = match self.stuff {
            Stuff::Ty(ty) => std::ptr::from_ref(ty) as usize,
            Stuff::Members(members) => std::ptr::from_ref(members) as usize,
        };
        (stuff, self.member.map_or(0, |m| std::ptr::from_ref(m) as usize), self.role)
    }

    fn of(member: &'static Member, role: Role) -> Self {
        Self { stuff: Stuff::Ty(&member.ty), member: Some(member), role }
    }

    /// The members, if it is a struct.
    fn members(&self) -> Option<&'static Members> {
        match self.stuff {
            Stuff::Members(members) => Some(members),
            Stuff::Ty(Type::Named(name)) => match catalogue::type_named(name)? {
                TypeDef::Struct(members) => Some(members),
                TypeDef::Enum(_) => None,
            },
            Stuff::Ty(_) => None,
        }
    }

    fn ty(&self) -> &'static Type {
        match self.stuff {
            Stuff::Ty(ty) => ty,
            Stuff::Members(_) => &Type::Object,
        }
    }
}

/// A field: its type, what it holds, what is known of it.
pub(super) struct Node {
    pub ty: &'static Type,
    pub shape: Shape,
    pub inside: usize,
    pub values: Option<&'static [String]>,
    pub required: bool,
    pub facts: Vec<Fact>,
}

/// What a field holds; numbers are nodes.
pub(super) enum Shape {
    Leaf,
    List(usize),
    Map(usize),
    Struct(IndexMap<&'static str, usize>),
    /// Members by any name: the named ones have facts.
    Open(IndexMap<&'static str, usize>, usize),
}

impl Node {
    fn anything() -> Self {
        Self { ty: &Type::Any, shape: Shape::Open(IndexMap::new(), ANY), inside: ANY, values: None, required: false, facts: vec![] }
    }
}

/// The node of what nobody knows.
pub(super) const ANY: usize = 0;

/// What compiling gives.
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    pub root: usize,
    pub unresolved: Vec<super::At>,
}

type Seen = (Vec<(usize, usize, Role)>, Vec<Place>);

struct Compiler {
    places: Places,
    nodes: Vec<Node>,
    seen: HashMap<Seen, usize>,
    reached: BTreeSet<Place>,
}

/// Compiles a kind's body.
pub(super) fn compile(kind: &'static Kind) -> Graph {
    // A kind's own facts come first: the first default that is found holds.
    let places = Places::new(kind.facts.iter().chain(types::FACTS));
    let mut compiler = Compiler { places, nodes: vec![Node::anything()], seen: HashMap::new(), reached: BTreeSet::new() };
    let root = compiler.root(kind);
    let Compiler { places, nodes, reached, .. } = compiler;
    let mut unresolved = places.unused(|p| reached.contains(&p));
    unresolved.retain(|at| kind.facts.iter().any(|(own, _)| own == at));
    Graph { nodes, root, unresolved }
}

impl Compiler {
    fn root(&mut self, kind: &'static Kind) -> usize {
        let sources = root_sources(kind);
        let below = vec![Places::BODY];
        if let Some(Stuff::Ty(ty @ Type::Map(inner))) = sources.first().map(|s| s.stuff) {
            // A body that is a free map is still owned field by field.
            let value = self.node(&[Source { stuff: Stuff::Ty(inner), member: None, role: Role::Create }], self.places.field(&below, ""));
            self.nodes.push(Node { ty, shape: Shape::Open(IndexMap::new(), value), ..Node::anything() });
            return self.nodes.len() - 1;
        }
        let immutable = immutable_fields(kind, &sources);
        let members = fields_of(&sources);
        let shape = members
            .into_iter()
            .map(|(name, sources)| {
                let places = self.places.field(&below, name);
                let node = self.node(&sources, places);
                if immutable.contains(name) && !self.nodes[node].facts.iter().any(|f| matches!(f, Fact::Settable | Fact::Computed)) {
                    self.nodes[node].facts.push(Fact::Immutable);
                }
                (name, node)
            })
            .collect();
        self.nodes.push(Node { ty: &Type::Object, shape: Shape::Struct(shape), ..Node::anything() });
        self.nodes.len() - 1
    }

    /// The node of these sources at these places, made once.
    fn node(&mut self, sources: &[Source], places: Vec<Place>) -> usize {
        if sources.is_empty() && places.is_empty() {
            return ANY;
        }
        let key = (sources.iter().map(Source::identity).collect(), places.clone());
        if let Some(node) = self.seen.get(&key) {
            return *node;
        }
        let id = self.nodes.len();
        self.nodes.push(Node::anything());
        self.seen.insert(key, id);
        let mut at = places;
        for source in sources {
            if let Stuff::Ty(Type::Named(name)) = source.stuff {
                at.extend(self.places.of_type(name));
            }
        }
        at.sort_unstable();
        at.dedup();
        self.reached.extend(&at);
        let ty = sources.first().map_or(&Type::Any, Source::ty);
        let facts = facts_of(sources, self.places.facts(&at).collect());
        let values = sources.iter().find_map(|s| match s.stuff {
            Stuff::Ty(Type::Named(name)) => match catalogue::type_named(name)? {
                TypeDef::Enum(values) if !values.is_empty() => Some(values.as_slice()),
                _ => None,
            },
            _ => None,
        });
        let required = sources.iter().any(|s| s.role == Role::Create && s.member.is_some_and(|m| m.required))
            && !facts.iter().any(|f| matches!(f, Fact::Optional | Fact::Computed));
        let shape = self.shape(ty, sources, &at);
        let inside = self.places.inside(&at);
        let inside = self.node(&[], inside);
        self.nodes[id] = Node { ty, shape, inside, values, required, facts };
        id
    }

    fn shape(&mut self, ty: &'static Type, sources: &[Source], at: &[Place]) -> Shape {
        let same = |test: fn(&'static Type) -> Option<&'static Type>| -> Vec<Source> {
            sources.iter().filter_map(|s| Some(Source { stuff: Stuff::Ty(test(s.ty())?), member: None, role: s.role })).collect()
        };
        match ty {
            Type::List(_) => {
                let items = same(|t| if let Type::List(inner) = t { Some(inner) } else { None });
                Shape::List(self.node(&items, self.places.item(at)))
            }
            Type::Map(_) => {
                let values = same(|t| if let Type::Map(inner) = t { Some(inner) } else { None });
                Shape::Map(self.node(&values, self.places.field(at, "")))
            }
            Type::Any => {
                let named: Vec<&'static str> = self.places.named(at).collect();
                let members = named.into_iter().map(|name| (name, self.node(&[], self.places.field(at, name)))).collect();
                Shape::Open(members, ANY)
            }
            Type::Object if sources.iter().all(|s| s.members().is_none()) => Shape::Map(ANY),
            _ if sources.iter().any(|s| s.members().is_some()) => Shape::Struct(
                fields_of(sources).into_iter().map(|(name, from)| (name, self.node(&from, self.places.field(at, name)))).collect(),
            ),
            _ => Shape::Leaf,
        }
    }
}

/// The union of the sources' members.
fn fields_of(sources: &[Source]) -> IndexMap<&'static str, Vec<Source>> {
    let mut fields: IndexMap<&'static str, Vec<Source>> = IndexMap::new();
    for source in sources {
        for (name, member) in source.members().into_iter().flatten() {
            fields.entry(name).or_default().push(Source::of(member, source.role));
        }
    }
    fields
}

/// The kind's facts, and those of the catalogue's that it does not overrule.
fn facts_of(sources: &[Source], mut facts: Vec<Fact>) -> Vec<Fact> {
    let sent = sources.iter().filter(|s| s.role != Role::Reply);
    let member = |test: fn(&Member) -> bool| sent.clone().filter_map(|s| s.member).any(test);
    let has = |facts: &[Fact], test: fn(&Fact) -> bool| facts.iter().any(test);
    let settable = has(&facts, |f| matches!(f, Fact::Settable));
    let replied = !sources.is_empty() && sent.clone().next().is_none();
    if (replied || member(|m| m.output)) && !settable && !has(&facts, |f| matches!(f, Fact::Computed)) {
        facts.push(Fact::Computed);
    }
    if member(|m| m.immutable) && !settable && !has(&facts, |f| matches!(f, Fact::Immutable)) {
        facts.push(Fact::Immutable);
    }
    if member(|m| m.input) && !has(&facts, |f| matches!(f, Fact::InputOnly)) {
        facts.push(Fact::InputOnly);
    }
    if !has(&facts, |f| matches!(f, Fact::Default(_)))
        && let Some(literal) = sources.iter().filter_map(|s| s.member).find_map(|m| literal(m.default.as_ref()?))
    {
        facts.push(Fact::Default(literal));
    }
    facts
}

fn literal(value: &'static Value) -> Option<Lit> {
    match value {
        Value::Bool(b) => Some(Lit::Bool(*b)),
        Value::Int(n) => Some(Lit::Int(*n)),
        Value::Text(t) => Some(Lit::Text(t)),
        _ => None,
    }
}

/// What the root is made of.
fn root_sources(kind: &'static Kind) -> Vec<Source> {
    if !kind.fields.is_empty() {
        return vec![members_source(kind, kind.fields)];
    }
    let mut sources = Vec::new();
    if let Some(request) = &kind.create {
        sources.extend(request_source(request, Role::Create));
        sources.extend(parameters(request));
    }
    let mut hidden = vec![];
    let mut changes: Vec<&Request> = vec![];
    match &kind.update {
        Update::Whole(request) | Update::Patch(request) => changes.push(request),
        Update::Mask(request, mask) => {
            changes.push(request);
            hidden.push(*mask);
        }
        Update::Routed(routes) => changes.extend(routes.iter().filter(|r| r.custom.is_none()).map(|r| &r.request)),
        Update::Never | Update::Custom(_) => {}
    }
    sources.extend(changes.into_iter().filter_map(|r| request_source(r, Role::Update)));
    if !kind.own.is_empty() {
        sources.push(members_source(kind, kind.own));
    }
    match kind.identity {
        Identity::Assigned(field) | Identity::Named { rename: Rename::By(field), .. } => hidden.push(field),
        Identity::Named { .. } | Identity::Single(_) => {}
    }
    let mut sources: Vec<Source> = sources.into_iter().map(|s| without(s, &hidden)).collect();
    sources.extend(reply_sources(kind));
    sources
}

/// Fields that a kind states itself.
fn members_source(kind: &Kind, fields: &[(&'static str, &'static str)]) -> Source {
    let member = |facts| catalogue::member(kind.name, facts).expect("a kind's fields are in the catalogue's words");
    let members: Members = fields.iter().map(|(name, facts)| ((*name).to_owned(), member(facts))).collect();
    Source { stuff: Stuff::Members(Box::leak(Box::new(members))), member: None, role: Role::Create }
}

/// The members that a request's fields become.
fn request_source(request: &Request, role: Role) -> Option<Source> {
    let operation = catalogue::operation(request.op)?;
    let bare = |stuff| Some(Source { stuff, member: None, role });
    let body = match &operation.body {
        Body::Members(members) if request.wrap.is_empty() => bare(Stuff::Members(members)),
        Body::Members(members) => members.get(request.wrap).and_then(|m| bare(Stuff::Ty(&m.ty))),
        Body::Bare(ty) => bare(Stuff::Ty(ty)),
        Body::None | Body::Raw => None,
    }?;
    if request.take.is_empty() {
        return Some(body);
    }
    // The body is one field's value: its members stand below that field.
    let ty: &'static Type = match body.stuff {
        Stuff::Ty(ty) => ty,
        Stuff::Members(_) => return None, // the create names the same members below the field
    };
    let member =
        Member { ty: ty.clone(), required: false, output: false, input: false, immutable: false, deprecated: false, default: None };
    let members: Members = [(request.take.to_owned(), member)].into_iter().collect();
    bare(Stuff::Members(Box::leak(Box::new(members))))
}

/// Fields of the body that a create takes in its path or query.
fn parameters(request: &Request) -> Option<Source> {
    let operation = catalogue::operation(request.op)?;
    let text =
        || Member { ty: Type::Text, required: true, output: false, input: false, immutable: false, deprecated: false, default: None };
    let mut members: Members = operation.path_params.iter().map(|name| (name.clone(), text())).collect();
    let fixed = |name: &str| request.query.iter().any(|(n, _)| *n == name);
    members.extend(operation.query.iter().filter(|(n, _)| !fixed(n)).map(|(n, m)| (n.clone(), m.clone())));
    (!members.is_empty()).then(|| Source { stuff: Stuff::Members(Box::leak(Box::new(members))), member: None, role: Role::Create })
}

/// A source without some of its members: ids, masks and new names are no fields of the body.
fn without(source: Source, hidden: &[&str]) -> Source {
    match source.members() {
        Some(members) if hidden.iter().any(|h| members.contains_key(*h)) => {
            let kept: Members =
                members.iter().filter(|(n, _)| !hidden.contains(&n.as_str())).map(|(n, m)| (n.clone(), m.clone())).collect();
            Source { stuff: Stuff::Members(Box::leak(Box::new(kept))), ..source }
        }
        _ => source,
    }
}

/// The reply's members; where it wraps the fields, those and their siblings.
fn reply_sources(kind: &'static Kind) -> Vec<Source> {
    let op = if kind.read.op.is_empty() { kind.list.map_or("", |l| l.op) } else { kind.read.op };
    let Some(operation) = catalogue::operation(op) else { return vec![] };
    let whole = if kind.read.op.is_empty() { &operation.item } else { &operation.response };
    let Some(ty) = whole else { return vec![] };
    let reply = Source { stuff: Stuff::Ty(ty), member: None, role: Role::Reply };
    let inner = reply.members().and_then(|m| m.get(kind.read.reply)).map(|m| Source::of(m, Role::Reply));
    inner.into_iter().chain([without(reply, &[kind.read.reply])]).collect()
}

/// The top-level fields that a create takes and no update does, and the names that identify. What a kind states itself
/// ([`Kind::fields`], [`Kind::own`]) stands in no request: an update of the whole sends the object again for it, a hook that
/// writes requests has a place for it, else the update's own members say.
fn immutable_fields(kind: &'static Kind, sources: &[Source]) -> BTreeSet<&'static str> {
    let taken = |role: Role| sources.iter().filter(move |s| s.role == role).filter_map(Source::members).flat_map(|m| m.keys());
    let mut updated: BTreeSet<&str> = taken(Role::Update).map(String::as_str).collect();
    let stated = kind.fields.iter().chain(kind.own).map(|(name, _)| *name);
    match kind.update {
        Update::Routed(routes) => updated.extend(routes.iter().flat_map(|r| r.fields)),
        Update::Custom(_) => updated.extend(taken(Role::Create).map(String::as_str)),
        Update::Whole(_) => updated.extend(stated),
        Update::Patch(_) | Update::Mask(..) if kind.hooks.wire.is_some() => updated.extend(stated),
        Update::Patch(request) | Update::Mask(request, _) => {
            let members = request_source(&request, Role::Update).and_then(|source| source.members());
            updated.extend(members.into_iter().flat_map(|m| m.keys()).map(String::as_str));
        }
        Update::Never => {}
    }
    let mut immutable: BTreeSet<&'static str> = taken(Role::Create).map(String::as_str).filter(|n| !updated.contains(n)).collect();
    if let Identity::Named { parts, rename, .. } = kind.identity {
        immutable.extend(parts);
        if let (Rename::By(_), Some(last)) = (rename, parts.last()) {
            immutable.remove(last);
        }
    }
    immutable
}
