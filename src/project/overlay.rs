//! `resources:` of environments, merged on raw trees by natural key, before any expression is evaluated.

use std::collections::HashMap;

use super::collect::{Collected, Raw, members};
use super::environment::EnvironmentFile;
use super::findings::{Findings, map, meant};
use crate::diagnostic::{Diagnostic, Span};
use crate::kinds::{Field, Kind, Registry, Schema};
use crate::model::{Address, Value};
use crate::yaml::{Data, Entry, Node, Scalar};

const DELETE: &str = "$delete";
const REPLACE: &str = "$replace";

/// Merges the overlays of an environment's chain, the furthest ancestor first.
pub fn apply(chain: &[&EnvironmentFile], registry: &Registry, collected: &mut Collected, findings: &mut Findings) {
    for file in chain {
        let Some(node) = file.node.get("resources").and_then(|n| map(n, "`resources`", findings)) else { continue };
        for entry in node.entries() {
            let Some(kind) = registry.get(&entry.key) else {
                let found = Diagnostic::error("E0101", format!("`{}` is not a kind of resource", entry.key)).at(&entry.key_span, "");
                findings.add(meant(found, &entry.key, registry.iter().map(|k| k.name), &entry.key_span));
                continue;
            };
            let mut over = Collected::default();
            members(kind, entry.value.clone(), &mut over, findings);
            for raw in over.raws {
                resource(raw, collected, findings);
            }
        }
    }
}

fn resource(over: Raw, collected: &mut Collected, findings: &mut Findings) {
    let address = Address::new(over.kind.name, &over.key);
    let at = collected.find(over.kind.name, &over.key);
    if marked(&over.node, DELETE, findings) {
        if at.is_none() {
            findings.add(absent(&address.to_string(), &over.span));
        } else {
            if let Some(keys) = collected.index.get_mut(over.kind.name) {
                keys.remove(&over.key);
            }
            collected.deleted.push((address, over.span));
        }
        return;
    }
    let Some(at) = at else {
        if !marked(&over.node, REPLACE, findings) {
            collected.added.push((address, over.span.clone()));
        }
        let node = stripped(over.node.clone());
        collected.add(Raw { node, ..over }, findings);
        return;
    };
    let mut merge = Merge { kind: over.kind, findings };
    let base = collected.raws[at].node.clone();
    collected.raws[at].node = merge.resource(&base, &over.node);
}

fn absent(what: &str, span: &Span) -> Diagnostic {
    Diagnostic::error("E0115", format!("`$delete` of {what}, which is not there")).at(span, "nothing of this name is declared below")
}

/// Whether a map carries this marker.
fn marked(node: &Node, marker: &str, findings: &mut Findings) -> bool {
    let Some(entry) = node.entry(marker) else { return false };
    let on = entry.value.value().as_bool();
    if on.is_none() {
        findings.add(Diagnostic::error("E0117", format!("`{marker}` is `true`, or is left out")).at(&entry.value.span, ""));
    }
    on.unwrap_or_default()
}

/// A tree without markers.
fn stripped(mut node: Node) -> Node {
    match &mut node.data {
        Data::Map(entries) => {
            entries.retain(|e| e.key != DELETE && e.key != REPLACE);
            for entry in entries {
                entry.value = stripped(std::mem::replace(&mut entry.value, blank(&entry.key_span)));
            }
        }
        Data::List(items) => {
            for item in items {
                let span = item.span.clone();
                *item = stripped(std::mem::replace(item, blank(&span)));
            }
        }
        Data::Scalar(_) => {}
    }
    node
}

fn blank(span: &Span) -> Node {
    Node { span: span.clone(), data: Data::Map(Vec::new()) }
}

struct Merge<'a> {
    kind: &'static Kind,
    findings: &'a mut Findings,
}

impl Merge<'_> {
    /// The body of a resource; facets are merged by the keys of their own kinds.
    fn resource(&mut self, base: &Node, over: &Node) -> Node {
        if marked(over, REPLACE, self.findings) {
            return stripped(over.clone());
        }
        let kind = self.kind;
        let root = Schema::of(kind).root();
        self.map(base, over, &|name| {
            if let Some(facet) = kind.facets.iter().find(|f| f.name == name) {
                return Shape::Facet(facet.kind, facet.body);
            }
            root.field(name).map_or(Shape::Free, Shape::Field)
        })
    }

    fn map(&mut self, base: &Node, over: &Node, shape: &dyn Fn(&str) -> Shape) -> Node {
        let mut entries: Vec<Entry> = base.entries().to_vec();
        for entry in over.entries() {
            if entry.key == DELETE || entry.key == REPLACE {
                continue;
            }
            let at = entries.iter().position(|e| e.key == entry.key);
            if marked(&entry.value, DELETE, self.findings) {
                match at {
                    Some(at) => drop(entries.remove(at)),
                    None => self.findings.add(absent(&format!("`{}`", entry.key), &entry.key_span)),
                }
                continue;
            }
            match at {
                Some(at) => {
                    let merged = self.node(&entries[at].value, &entry.value, &shape(&entry.key));
                    entries[at].value = merged;
                }
                None => entries.push(Entry { value: stripped(entry.value.clone()), ..entry.clone() }),
            }
        }
        Node { span: base.span.clone(), data: Data::Map(entries) }
    }

    fn node(&mut self, base: &Node, over: &Node, shape: &Shape) -> Node {
        if marked(over, REPLACE, self.findings) {
            return stripped(over.clone());
        }
        match (&base.data, &over.data) {
            (Data::Map(_), Data::Map(_)) => self.map(base, over, &|name| shape.member(name)),
            (Data::List(_), Data::List(_)) => match shape.keyed() {
                Some(fields) => self.list(base, over, fields, &shape.item()),
                None => stripped(over.clone()),
            },
            _ => stripped(over.clone()),
        }
    }

    /// A keyed list: the base's order is kept, new items go last.
    fn list(&mut self, base: &Node, over: &Node, fields: &[&str], shape: &Shape) -> Node {
        let mut items: Vec<Option<Node>> = base.items().iter().cloned().map(Some).collect();
        let mut places: HashMap<Vec<Option<String>>, usize> = HashMap::new();
        for (i, item) in base.items().iter().enumerate() {
            let Some(key) = key_of(item, fields) else { continue };
            if let Some(first) = places.insert(key.clone(), i) {
                self.findings.add(
                    Diagnostic::error(
                        "E0116",
                        format!("two items have the key {}: an overlay cannot tell them apart", shown(&key, fields)),
                    )
                    .at(&item.span, "the second one")
                    .at(&base.items()[first].span, "the first one"),
                );
                items[i] = None; // told once
            }
        }
        for item in over.items() {
            let Some(key) = key_of(item, fields) else {
                self.findings.add(
                    Diagnostic::error(
                        "E0117",
                        format!("an item of an overlay has no key: items here are told apart by {}", super::findings::list_of(fields)),
                    )
                    .at(&item.span, ""),
                );
                continue;
            };
            let at = places.get(&key).copied();
            if marked(item, DELETE, self.findings) {
                match at {
                    Some(at) => items[at] = None,
                    None => self.findings.add(absent(&shown(&key, fields), &item.span)),
                }
            } else if let Some(at) = at {
                if item.scalar().is_some() {
                    continue; // Its key alone changes nothing.
                }
                let merged = items[at].as_ref().map(|base| self.node(base, item, shape));
                items[at] = merged;
            } else {
                places.insert(key, items.len());
                items.push(Some(stripped(item.clone())));
            }
        }
        Node { span: base.span.clone(), data: Data::List(items.into_iter().flatten().collect()) }
    }
}

/// What is known of the shape at a place.
enum Shape {
    Field(Field<'static>),
    /// A facet's list or long form; the field that holds its list.
    Facet(&'static Kind, &'static str),
    Free,
}

impl Shape {
    fn member(&self, name: &str) -> Self {
        match self {
            Self::Field(field) => field.field(name).map_or(Self::Free, Self::Field),
            Self::Facet(kind, _) => Schema::of(kind).root().field(name).map_or(Self::Free, Self::Field),
            Self::Free => Self::Free,
        }
    }

    fn list(&self) -> Option<Field<'static>> {
        match self {
            Self::Field(field) => Some(*field),
            Self::Facet(kind, body) => Schema::of(kind).root().field(body),
            Self::Free => None,
        }
    }

    fn keyed(&self) -> Option<&'static [&'static str]> {
        self.list()?.keyed()
    }

    fn item(&self) -> Self {
        self.list().and_then(|field| field.item()).map_or(Self::Free, Self::Field)
    }
}

/// The key of an item as source text; none where no key field is there. Where one field tells items apart, a text alone is
/// that field (a table's identifier, a question).
pub fn key_of(item: &Node, fields: &[&str]) -> Option<Vec<Option<String>>> {
    if let ([_], Some(Value::Text(text))) = (fields, item.scalar().map(Scalar::value)) {
        return Some(vec![Some(text)]);
    }
    let key: Vec<Option<String>> = fields.iter().map(|f| item.get(f).and_then(Node::text).map(str::to_owned)).collect();
    key.iter().any(Option::is_some).then_some(key)
}

fn shown(key: &[Option<String>], fields: &[&str]) -> String {
    let parts: Vec<String> = fields.iter().zip(key).filter_map(|(f, k)| k.as_ref().map(|k| format!("`{f}: {k}`"))).collect();
    parts.join(", ")
}
