//! `resources:` of environments, merged on raw trees by natural key, before any expression is evaluated.

use super::collect::{Collected, Raw, members, no_kind};
use super::definitions::{BESIDE, Opener};
use super::environment::EnvironmentFile;
use super::findings::{Findings, list_of, map};
use super::laid::{self, Packed};
use crate::diagnostic::{Diagnostic, Span, suggest};
use crate::kinds::{Fact, Field, Kind, Registry, Schema};
use crate::model::{Address, Value};
use crate::yaml::{Data, Entry, Node, Scalar};

mod slips;

const DELETE: &str = "$delete";
const REPLACE: &str = "$replace";

/// Merges the overlays of an environment's chain, the furthest ancestor first. `opener` reads what a resource has in a file, where
/// an overlay says something of it.
pub fn apply(
    chain: &[&EnvironmentFile],
    registry: &Registry,
    collected: &mut Collected,
    opener: &mut Opener<'_, '_, '_>,
    findings: &mut Findings,
) {
    let base: Vec<(&'static str, String)> = collected.raws.iter().map(|raw| (raw.kind.name, raw.key.clone())).collect();
    let mut touched = Vec::new();
    for file in chain {
        let Some(node) = file.node.get("resources").and_then(|n| map(n, "`resources`", findings)) else { continue };
        for entry in node.entries() {
            let Some(kind) = registry.get(&entry.key) else {
                findings.add(no_kind(&entry.key, &entry.key_span, &[], registry, collected));
                continue;
            };
            let mut over = Collected::default();
            members(kind, entry.value.clone(), &mut over, findings);
            for raw in over.raws {
                touched.push((raw.kind.name, raw.key.clone()));
                resource(raw, collected, opener, findings);
            }
        }
    }
    collected.added.iter().for_each(|(address, span)| findings.extend(slips::resource(address, span, &base, &touched)));
}

fn resource(over: Raw, collected: &mut Collected, opener: &mut Opener<'_, '_, '_>, findings: &mut Findings) {
    let address = Address::new(over.kind.name, &over.key);
    let over = Raw { node: slips::with_markers(over.kind, &address, over.node, findings), ..over };
    let at = collected.find(over.kind.name, &over.key);
    if marked(&over.node, DELETE, findings) {
        if at.is_none() {
            let keys = collected.raws.iter().filter(|raw| raw.kind.name == over.kind.name).map(|raw| raw.key.as_str());
            findings.add(absent(&address.to_string(), &over.span, suggest::nearest(&over.key, keys)));
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
    // What is in a file is merged as what is written here, unless the overlay has another definition.
    if !over.node.entries().iter().any(|entry| is_packed(over.kind, entry)) && !is_marked(&over.node) {
        opener.open(&mut collected.raws[at], findings);
    }
    let mut merge = Merge { kind: over.kind, findings };
    let base = collected.raws[at].node.clone();
    collected.raws[at].node = merge.resource(&base, &over.node);
}

fn absent(what: &str, span: &Span, near: Option<&str>) -> Diagnostic {
    let found =
        Diagnostic::error("E0115", format!("`$delete` of {what}, which is not there")).at(span, "nothing of this name is declared below");
    // A name of one letter is near to every other.
    match near.filter(|near| near.chars().count() > 1) {
        Some(near) => found.help(format!("did you mean `{near}`?")),
        None => found,
    }
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

/// Whether a map carries a marker, whatever else is the matter with it.
fn is_marked(node: &Node) -> bool {
    [DELETE, REPLACE].into_iter().any(|marker| node.get(marker).is_some_and(|on| on.value().as_bool() == Some(true)))
}

/// Whether a member holds the whole definition of an object, or names the file that does.
fn is_packed(kind: &Kind, entry: &Entry) -> bool {
    kind.packed.is_some_and(|(field, _)| field == entry.key || entry.key == BESIDE)
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
        let (base, over) = self.alike(base, over);
        self.map(&base, &over, &|name| Shape::of(kind, name))
    }

    /// Both in the form in which they are merged. What of the base the overlay does not touch stays as it is written.
    fn alike(&mut self, base: &Node, over: &Node) -> (Node, Node) {
        let (mut base, mut over) = (base.clone(), over.clone());
        if self.kind.hooks.laid.is_some() {
            // What goes, or is replaced, goes by the name that it has in the base.
            let named = |entry: &Entry| base.get(&entry.key).is_some() && is_marked(&entry.value);
            let (named, rest): (Vec<Entry>, Vec<Entry>) = over.entries().iter().cloned().partition(named);
            let marked = Node { span: over.span.clone(), data: Data::Map(named) };
            base = self.map(&base, &marked, &|_| Shape::Free);
            let rest = rest.into_iter().filter_map(|entry| self.emptied(&mut base, entry)).collect();
            over = laid::body(self.kind, &Node { span: over.span.clone(), data: Data::Map(rest) }, Packed::Kept);
            // A definition that is one value takes the place of one.
            let is_packed = |entry: &Entry| is_packed(self.kind, entry);
            let packed = if over.entries().iter().any(is_packed) { Packed::Kept } else { Packed::Opened };
            if let (Data::Map(entries), Packed::Kept) = (&mut base.data, packed) {
                entries.retain(|entry| !is_packed(entry));
            }
            let whole = laid::body(self.kind, &base, packed);
            if over.entries().iter().any(|entry| base.get(&entry.key) != whole.get(&entry.key)) {
                base = whole;
            }
        }
        for facet in self.kind.facets {
            for side in [&mut base, &mut over] {
                let Data::Map(entries) = &mut side.data else { continue };
                for entry in entries.iter_mut().filter(|entry| entry.key == facet.name && !is_marked(&entry.value)) {
                    entry.value = laid::facet(facet, &entry.value);
                }
            }
        }
        (base, over)
    }

    /// A name that stands for several fields (`data_sources`) and goes, or is replaced: those that the base has go. What is left
    /// to be merged; as it is where it is no such name, or nothing of it is there.
    fn emptied(&self, base: &mut Node, entry: Entry) -> Option<Entry> {
        if !is_marked(&entry.value) || Schema::of(self.kind).root().field(&entry.key).is_some() {
            return Some(entry);
        }
        let mut whole = laid::body(self.kind, base, Packed::Opened);
        let Data::Map(entries) = &mut whole.data else { return Some(entry) };
        let before = entries.len();
        entries.retain(|field| field.key == entry.key || !laid::stands_in(self.kind, &entry.key, &field.key));
        if entries.len() == before {
            return Some(entry);
        }
        *base = whole;
        let is_deleted = entry.value.get(DELETE).is_some_and(|on| on.value().as_bool() == Some(true));
        (!is_deleted).then(|| Entry { value: stripped(entry.value.clone()), ..entry })
    }

    fn map(&mut self, base: &Node, over: &Node, shape: &dyn Fn(&str) -> Shape) -> Node {
        let mut entries: Vec<Entry> = base.entries().to_vec();
        for entry in over.entries() {
            if entry.key == DELETE || entry.key == REPLACE {
                continue;
            }
            let at = entries.iter().position(|e| e.key == entry.key);
            if marked(&entry.value, DELETE, self.findings) {
                if let Some(at) = at {
                    entries.remove(at);
                } else {
                    let near = suggest::nearest(&entry.key, base.entries().iter().map(|other| other.key.as_str()));
                    self.findings.add(absent(&format!("`{}`", entry.key), &entry.key_span, near));
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
            (Data::Map(_), Data::Map(_)) => self.map(&shape.without_other_form(base, over), over, &|name| shape.member(name)),
            (Data::List(_), Data::List(_)) => match shape.keyed() {
                Some(fields) => self.list(base, over, fields, shape),
                None => stripped(over.clone()),
            },
            _ => stripped(over.clone()),
        }
    }

    /// A keyed list: the base's order is kept, new items go last.
    fn list(&mut self, base: &Node, over: &Node, fields: &[&str], of: &Shape) -> Node {
        let shape = &of.item();
        let (names, apart) = of.names();
        let mut items = Items { list: base.items().iter().cloned().map(Some).collect(), keys: Vec::new(), fields, names, apart, shape };
        items.keys = base.items().iter().map(|item| items.key(item)).collect();
        for item in over.items() {
            let at = match items.place(item) {
                Place::At(at) => Some(at),
                Place::New => None,
                Place::Either(first, second) => {
                    let key = key_of(item, fields).unwrap_or_default();
                    let message = format!("two items have the key {}: an overlay cannot tell them apart", shown(&key, fields));
                    let place = |at: usize| items.list[at].as_ref().map_or(&base.span, |item| &item.span);
                    let found = Diagnostic::error("E0116", message).at(place(second), "the second one").at(place(first), "the first one");
                    self.findings.add(found);
                    // Told once.
                    items.list[second] = None;
                    Some(first)
                }
                Place::Nameless => {
                    let message = format!("an item of an overlay has no key: items here are told apart by {}", list_of(fields));
                    self.findings.add(Diagnostic::error("E0117", message).at(&item.span, ""));
                    continue;
                }
            };
            if marked(item, DELETE, self.findings) {
                if let Some(at) = at {
                    items.list[at] = None;
                } else {
                    let near = slips::near_key(item, base.items(), over.items(), fields);
                    self.findings.add(absent(&items.shown(item), &item.span, near.as_ref().map(|(_, near)| near.as_str())));
                }
            } else if let Some(at) = at {
                if item.scalar().is_some() {
                    continue; // Its key alone changes nothing.
                }
                let merged = items.list[at].as_ref().map(|base| self.node(base, item, shape));
                items.list[at] = merged;
            } else {
                self.findings.extend(slips::item(item, base.items(), over.items(), fields));
                items.keys.push(items.key(item));
                items.list.push(Some(stripped(item.clone())));
            }
        }
        Node { span: base.span.clone(), data: Data::List(items.list.into_iter().flatten().collect()) }
    }
}

/// The items of a keyed list while an overlay goes over it; none where one was taken away.
struct Items<'a> {
    list: Vec<Option<Node>>,
    /// What each is known by; folded where case makes no difference.
    keys: Vec<Option<Vec<Option<String>>>>,
    /// The fields that tell items apart.
    fields: &'a [&'a str],
    /// Those by which an item is known whatever the others say.
    names: Vec<&'static str>,
    /// Those in which items that are alike may differ.
    apart: Vec<&'static str>,
    shape: &'a Shape,
}

/// Where an item of an overlay belongs.
enum Place {
    At(usize),
    /// Two items are as good as each other.
    Either(usize, usize),
    New,
    /// It does not say.
    Nameless,
}

impl Items<'_> {
    fn key(&self, item: &Node) -> Option<Vec<Option<String>>> {
        let mut key = key_of(item, self.fields)?;
        for (field, word) in self.fields.iter().zip(&mut key) {
            // What an expression gives is not known here.
            if let Some(word) = word.as_mut().filter(|word| self.shape.is_case_blind(field) && !word.contains("${")) {
                *word = word.to_lowercase();
            }
        }
        Some(key)
    }

    fn place(&self, item: &Node) -> Place {
        let there = || self.list.iter().enumerate().filter_map(|(at, item)| Some((at, item.as_ref()?)));
        let said = |node: &Node, name: &str| node.get(name).and_then(Node::text).map(str::to_owned);
        let names = || self.names.iter().filter_map(|name| Some((*name, said(item, name)?)));
        if let Some((at, _)) = there().find(|(_, other)| names().any(|(name, text)| said(other, name) == Some(text))) {
            return Place::At(at);
        }
        let Some(key) = self.key(item) else { return if names().next().is_some() { Place::New } else { Place::Nameless } };
        // What has another name of its own is another item, and so is what has one where the other has none.
        let other = |node: &Node| names().any(|(name, text)| said(node, name).map_or(name.starts_with('$'), |own| own != text));
        let alike: Vec<usize> =
            there().filter(|(at, node)| self.keys[*at].as_ref() == Some(&key) && !other(node)).map(|(at, _)| at).collect();
        let same = |at: &&usize| {
            let of = self.list[**at].as_ref();
            self.apart.iter().all(|name| said(item, name) == of.and_then(|of| said(of, name)))
        };
        match alike.as_slice() {
            [] => Place::New,
            [at] => Place::At(*at),
            [first, second, ..] => match alike.iter().filter(same).collect::<Vec<_>>().as_slice() {
                [at] => Place::At(**at),
                _ => Place::Either(*first, *second),
            },
        }
    }

    fn shown(&self, item: &Node) -> String {
        match key_of(item, self.fields) {
            Some(key) => shown(&key, self.fields),
            None => self
                .names
                .iter()
                .find_map(|name| Some(format!("`{name}: {}`", item.get(name)?.text()?)))
                .unwrap_or_else(|| "an item".to_owned()),
        }
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
    /// Of a field or part of a kind.
    fn of(kind: &'static Kind, name: &str) -> Self {
        match kind.facets.iter().find(|facet| facet.name == name) {
            Some(facet) => Self::Facet(facet.kind, facet.body),
            None => Schema::of(kind).root().field(name).map_or(Self::Free, Self::Field),
        }
    }

    fn member(&self, name: &str) -> Self {
        match self {
            Self::Field(field) => field.field(name).map_or(Self::Free, Self::Field),
            Self::Facet(kind, _) => Schema::of(kind).root().field(name).map_or(Self::Free, Self::Field),
            Self::Free => Self::Free,
        }
    }

    /// What a map that is written in one of several forms has of the base: not the form in which the overlay does not write it.
    fn without_other_form(&self, base: &Node, over: &Node) -> Node {
        let mut base = base.clone();
        let Self::Field(field) = self else { return base };
        let forms = field.facts().find_map(|fact| if let Fact::Forms(forms) = fact { Some(*forms) } else { None }).unwrap_or_default();
        if let (Data::Map(entries), true) = (&mut base.data, forms.iter().any(|form| over.get(form).is_some())) {
            entries.retain(|entry| !forms.contains(&entry.key.as_str()) || over.get(&entry.key).is_some());
        }
        base
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

    /// The fields by which an item of the list is known whatever its key, and those in which items of one key may differ.
    fn names(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let Some(list) = self.list() else { return (vec![], vec![]) };
        let (own, apart): (Vec<&str>, Vec<&str>) = list.apart().iter().partition(|name| name.starts_with('$'));
        (own.into_iter().chain(list.also()).collect(), apart)
    }

    /// Whether case makes no difference in this field of an item.
    fn is_case_blind(&self, name: &str) -> bool {
        matches!(self.member(name), Self::Field(field) if field.facts().any(|fact| matches!(fact, Fact::CaseBlind)))
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
