//! Where facts attach, as tries: one over the paths of a kind's body, one for each catalogue type. A walk down a body
//! carries the places it is at; a place without children ends.

use std::collections::BTreeMap;

use super::{At, Fact};

/// One step of an [`At`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Pace {
    /// A member.
    Field(&'static str),
    /// A member whose name ends so: `*_plaintext`.
    Suffix(&'static str),
    /// Every item of a list.
    Item,
    /// Every member, or every value of a map.
    Every,
    /// Into JSON text.
    Inside,
}

/// A place in the tries.
pub(super) type Place = usize;

/// Facts by place.
#[derive(Default)]
pub(super) struct Places {
    nodes: Vec<Node>,
    /// Roots for types: `jobs.Task`, or `serving.*` for every type of a service.
    types: BTreeMap<&'static str, Place>,
}

#[derive(Default)]
struct Node {
    at: At,
    facts: Vec<Fact>,
    below: Vec<(Pace, Place)>,
}

impl Places {
    /// The root of paths of the body.
    pub const BODY: Place = 0;

    /// The tries of these facts. An `At` that is no path attaches nowhere: [`Self::unused`] names it.
    pub fn new<'a>(facts: impl IntoIterator<Item = &'a (At, Fact)>) -> Self {
        let mut places = Self { nodes: vec![Node::default()], types: BTreeMap::new() };
        for (at, fact) in facts {
            let end = match at.strip_prefix('@') {
                Some(path) => {
                    let (root, rest) = type_and_path(path);
                    let root = places.root(root);
                    places.insert(root, rest)
                }
                None => places.insert(Self::BODY, at),
            };
            places.nodes[end].at = at;
            places.nodes[end].facts.push(*fact);
        }
        places
    }

    fn root(&mut self, ty: &'static str) -> Place {
        if let Some(root) = self.types.get(ty) {
            return *root;
        }
        self.nodes.push(Node::default());
        self.types.insert(ty, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    fn insert(&mut self, mut from: Place, at: &'static str) -> Place {
        for pace in paces(at) {
            let found = self.nodes[from].below.iter().find(|(p, _)| *p == pace).map(|(_, to)| *to);
            from = found.unwrap_or_else(|| {
                self.nodes.push(Node::default());
                let to = self.nodes.len() - 1;
                self.nodes[from].below.push((pace, to));
                to
            });
        }
        from
    }

    /// The places that a value of this type is at, besides where it stands.
    pub fn of_type<'a>(&'a self, ty: &'a str) -> impl Iterator<Item = Place> + 'a {
        let service = ty.split_once('.').map_or("", |(service, _)| service);
        self.types.iter().filter(move |(t, _)| **t == ty || t.strip_suffix(".*") == Some(service)).map(|(_, place)| *place)
    }

    /// The places below a member.
    pub fn field(&self, from: &[Place], name: &str) -> Vec<Place> {
        self.below(from, |pace| match pace {
            Pace::Field(wanted) => *wanted == name,
            Pace::Suffix(end) => name.ends_with(end),
            Pace::Every => true,
            Pace::Item | Pace::Inside => false,
        })
    }

    /// The places of a list's items.
    pub fn item(&self, from: &[Place]) -> Vec<Place> {
        self.below(from, |pace| *pace == Pace::Item)
    }

    /// The places inside JSON text.
    pub fn inside(&self, from: &[Place]) -> Vec<Place> {
        self.below(from, |pace| *pace == Pace::Inside)
    }

    /// Members that facts name at these places, in the order of the facts.
    pub fn named(&self, from: &[Place]) -> impl Iterator<Item = &'static str> {
        from.iter()
            .flat_map(|p| &self.nodes[*p].below)
            .filter_map(|(pace, _)| if let Pace::Field(name) = pace { Some(*name) } else { None })
    }

    fn below(&self, from: &[Place], test: impl Fn(&Pace) -> bool) -> Vec<Place> {
        let mut found: Vec<Place> =
            from.iter().flat_map(|p| &self.nodes[*p].below).filter(|(pace, _)| test(pace)).map(|(_, to)| *to).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The facts that hold at these places.
    pub fn facts<'a>(&'a self, at: &'a [Place]) -> impl Iterator<Item = Fact> + 'a {
        at.iter().flat_map(|p| self.nodes[*p].facts.iter().copied())
    }

    /// Where facts were attached that no walk has come to.
    pub fn unused(&self, reached: impl Fn(Place) -> bool) -> Vec<At> {
        (0..self.nodes.len()).filter(|p| !self.nodes[*p].facts.is_empty() && !reached(*p)).map(|p| self.nodes[p].at).collect()
    }
}

/// `jobs.Task.run_if` into the type and the path below it.
fn type_and_path(text: &'static str) -> (&'static str, &'static str) {
    let mut dots = text.match_indices('.').map(|(i, _)| i);
    dots.next();
    match dots.next() {
        Some(second) => (&text[..second], &text[second + 1..]),
        None => (text, ""),
    }
}

/// The steps of a path: `a.b[].c`, `a.*`, `a!b`, `*_end`.
fn paces(at: &'static str) -> impl Iterator<Item = Pace> {
    let mut rest = at;
    std::iter::from_fn(move || {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(after) = rest.strip_prefix("[]") {
            rest = after;
            return Some(Pace::Item);
        }
        if let Some(after) = rest.strip_prefix('!') {
            rest = after;
            return Some(Pace::Inside);
        }
        let (name, after) = rest.split_at(rest.find(['.', '[', '!']).unwrap_or(rest.len()));
        rest = after;
        match name {
            "" => None,
            "*" => Some(Pace::Every),
            name => Some(name.strip_prefix('*').map_or(Pace::Field(name), Pace::Suffix)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Pace, paces, type_and_path};

    #[test]
    fn paths_and_types_come_apart() {
        let all = |at| paces(at).collect::<Vec<_>>();
        assert_eq!(all("a.b[].c"), [Pace::Field("a"), Pace::Field("b"), Pace::Item, Pace::Field("c")]);
        assert_eq!(all("a!b.*"), [Pace::Field("a"), Pace::Inside, Pace::Field("b"), Pace::Every]);
        assert_eq!(all("*_plaintext"), [Pace::Suffix("_plaintext")]);
        assert_eq!(all(""), []);
        assert_eq!(type_and_path("jobs.Task.run_if"), ("jobs.Task", "run_if"));
        assert_eq!(type_and_path("serving.*.*_plaintext"), ("serving.*", "*_plaintext"));
        assert_eq!(type_and_path("jobs.Task"), ("jobs.Task", ""));
    }
}
