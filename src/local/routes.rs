//! From method and path to an operation and its handler.
//!
//! A room is the operations of one service file. Its templates come from the catalogue by operation name and are read the
//! first time a path with one of the room's prefixes is asked for, so that a small plan parses only what it uses.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::catalogue::{self, Operation};
use crate::local::answer::Handled;
use crate::local::exchange::Exchange;

/// Answers one operation.
pub type Handler = fn(&mut Exchange<'_, '_>) -> Handled;

/// Where an operation's method and path come from.
#[derive(Clone, Copy)]
pub enum Source {
    /// The catalogue's operation of this name.
    Catalogue(&'static str),
    /// What clients call though the catalogue lacks it: name, method, path.
    Beside(&'static str, &'static str, &'static str),
}

/// The operations of one service file.
pub struct Room {
    /// Paths begin with one of these; versions as the catalogue has them.
    pub prefixes: &'static [&'static str],
    /// Its operations.
    pub operations: &'static [(Source, Handler)],
}

/// A room with its routes, made at first use.
pub struct OpenRoom {
    /// The room.
    pub room: Room,
    routes: OnceLock<Vec<Route>>,
}

/// An operation ready to be matched.
pub struct Route {
    /// `jobs.jobs.create`.
    pub name: &'static str,
    /// The catalogue's data, if it has any.
    pub operation: Option<&'static Operation>,
    /// `POST`.
    pub method: String,
    /// The path.
    pub template: Template,
    /// Answers it.
    pub handler: Handler,
}

/// A path with parameters.
pub struct Template {
    /// As written.
    pub text: String,
    segments: Vec<Segment>,
}

enum Segment {
    Literal(String),
    One(String),
    Many(String),
}

impl Template {
    /// Reads `/a/{x}/b/{y...}` and `/a/b{y...}`, where what follows `b` begins with a slash of its own.
    pub fn new(text: &str) -> Self {
        let mut segments = Vec::new();
        for segment in text.split('/').skip(1) {
            let (literal, name) = match segment.split_once('{') {
                Some((literal, name)) => (literal, name.strip_suffix('}')),
                None => (segment, None),
            };
            if name.is_none() || !literal.is_empty() {
                segments.push(Segment::Literal(if name.is_none() { segment } else { literal }.to_owned()));
            }
            if let Some(name) = name {
                segments.push(name.strip_suffix("...").map_or_else(|| Segment::One(name.to_owned()), |n| Segment::Many(n.to_owned())));
            }
        }
        Self { text: text.to_owned(), segments }
    }

    /// The parameters, if the path fits. A path is percent-decoded segment by segment.
    pub fn fits(&self, path: &str) -> Option<BTreeMap<String, String>> {
        let mut given = path.split('/').skip(1);
        let mut parameters = BTreeMap::new();
        for segment in &self.segments {
            match segment {
                Segment::Many(name) => {
                    let rest: Vec<String> = given.map(decode).collect();
                    parameters.insert(name.clone(), format!("/{}", rest.join("/")));
                    return Some(parameters);
                }
                Segment::Literal(text) => {
                    if given.next()? != text {
                        return None;
                    }
                }
                Segment::One(name) => {
                    let text = decode(given.next()?);
                    if text.is_empty() {
                        return None;
                    }
                    parameters.insert(name.clone(), text);
                }
            }
        }
        given.next().is_none().then_some(parameters)
    }
}

/// Percent-decoding; what is no escape stays.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok())).flatten();
        out.push(escape.unwrap_or(bytes[at]));
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The path as the catalogue writes it: one version of each service, permission types in one segment.
pub fn canonical(path: &str) -> String {
    for old in ["/api/2.0/jobs/", "/api/2.1/jobs/"] {
        if let Some(rest) = path.strip_prefix(old) {
            return format!("/api/2.2/jobs/{rest}");
        }
    }
    // Two-segment permission types (`sql/warehouses`) become one segment, as the templates have it.
    if let Some(rest) = path.strip_prefix("/api/2.0/permissions/sql/") {
        return format!("/api/2.0/permissions/sql%2F{rest}");
    }
    path.to_owned()
}

impl Room {
    /// A room.
    pub const fn new(prefixes: &'static [&'static str], operations: &'static [(Source, Handler)]) -> Self {
        Self { prefixes, operations }
    }
}

impl OpenRoom {
    /// Opens a room.
    pub const fn new(room: Room) -> Self {
        Self { room, routes: OnceLock::new() }
    }

    /// Its routes.
    pub fn routes(&self) -> &[Route] {
        self.routes.get_or_init(|| self.room.operations.iter().filter_map(|(source, handler)| route(*source, *handler)).collect())
    }

    /// Whether a path may be one of its.
    pub fn may_have(&self, path: &str) -> bool {
        self.room.prefixes.iter().any(|p| path.starts_with(p))
    }
}

fn route(source: Source, handler: Handler) -> Option<Route> {
    match source {
        Source::Beside(name, method, path) => {
            Some(Route { name, operation: None, method: method.to_owned(), template: Template::new(path), handler })
        }
        Source::Catalogue(name) => catalogue::operation(name).map(|operation| Route {
            name,
            operation: Some(operation),
            method: operation.method.clone(),
            template: Template::new(&operation.path),
            handler,
        }),
    }
}

/// Finds the route of a request in the rooms.
pub fn find<'r>(rooms: &'r [OpenRoom], method: &str, path: &str) -> Option<(&'r Route, BTreeMap<String, String>)> {
    rooms
        .iter()
        .filter(|room| room.may_have(path))
        .flat_map(OpenRoom::routes)
        .filter(|route| route.method == method)
        .find_map(|route| route.template.fits(path).map(|parameters| (route, parameters)))
}

/// The catalogue's operation that a path would be, though no room serves it. Parses the whole catalogue.
pub fn unserved(method: &str, path: &str) -> Option<&'static Operation> {
    catalogue::operations().find(|operation| operation.method == method && Template::new(&operation.path).fits(path).is_some())
}

#[cfg(test)]
mod tests {
    use super::{Template, canonical, decode};

    #[test]
    fn templates() {
        for (template, path, expected) in [
            ("/a/{x}/b", "/a/1/b", Some("x=1")),
            ("/a/{x}/b", "/a//b", None),
            ("/a/{x}/b", "/a/1/b/c", None),
            ("/a/{x}", "/a/a%2Fb%20c", Some("x=a/b c")),
            ("/a/{x...}", "/a/b/c%20d", Some("x=/b/c d")),
            ("/a/b{x...}", "/a/b/c/d", Some("x=/c/d")),
            ("/a/b{x...}", "/a/c/d", None),
            ("/a", "/a", Some("")),
            ("/a", "/a/", None),
        ] {
            let found = Template::new(template).fits(path).map(|m| m.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" "));
            assert_eq!(found.as_deref(), expected, "{template} {path}");
        }
    }

    #[test]
    fn old_versions_and_two_segment_types() {
        assert_eq!(canonical("/api/2.0/jobs/get"), "/api/2.2/jobs/get");
        assert_eq!(canonical("/api/2.1/jobs/runs/list"), "/api/2.2/jobs/runs/list");
        assert_eq!(decode(&canonical("/api/2.0/permissions/sql/warehouses/x")), "/api/2.0/permissions/sql/warehouses/x");
        assert_eq!(canonical("/api/2.0/permissions/sql/warehouses/x"), "/api/2.0/permissions/sql%2Fwarehouses/x");
    }

    #[test]
    fn a_broken_escape_stays() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%41"), "%zzA");
    }
}
