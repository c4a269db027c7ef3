//! Resolving: every resource evaluated, checked and tied to what it depends on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;

use super::body::{self, Computed, Subject};
use super::findings::{Findings, sorted};
use super::load::Inner;
use super::references::sole_reference;
use super::scope::{In, Item, Resolver, is_poison, poison, tree, whole_tree};
use super::{Answers, Desired, FromPreset, Lifecycle, Resource, facets, files, graph, implied, meta, names, targets};
use crate::diagnostic::{Diagnostic, Span, suggest};
use crate::kinds::{BYTES, Identity, Kind, Lifetime, Unique, natural_text};
use crate::model::{Address, Fingerprint, Lookup, Map, Path, Value};
use crate::yaml::{Data, Node};

/// See [`super::Project::resolve`].
pub fn resolve(inner: &Inner, answers: &Answers, earlier: &[Diagnostic]) -> Result<Desired, Vec<Diagnostic>> {
    let (mut resources, mut findings, Beside { files, sources, deployer }) = everything(inner, answers, None);
    implied::folders_above(&mut resources, &inner.registry);
    graph::literals(&mut resources, &inner.registry);
    explicit(inner, &mut resources, &mut findings);
    same_object(&resources, &mut findings);
    graph::nesting(&resources, &mut findings);
    if !findings.any_error() {
        graph::cycles(&resources, &mut findings);
    }
    if inner.incomplete {
        // What an overlay seems to lack may stand in the file that could not be read.
        let in_overlay = |d: &Diagnostic| d.labels.first().is_some_and(|l| inner.environment_files.contains(&l.span.source.name));
        findings.retain(|d| d.code != "E0106" || !in_overlay(d));
    }
    let targets = targets::read(inner, answers, &resources, &mut findings);
    let failed = findings.any_error() || inner.strict && findings.any();
    let mut all = findings.sorted(inner.strict);
    all.extend(earlier.iter().cloned());
    let all = sorted(all, inner.strict);
    if failed {
        return Err(all);
    }
    Ok(Desired {
        resources,
        imports: targets.imports,
        moves: targets.moves,
        forgets: targets.forgets,
        files,
        sources,
        deployer,
        warnings: all,
    })
}

/// Every question that resolving asks; what is wrong is said later.
pub fn lookups(inner: &Inner) -> Vec<Lookup> {
    let answers = Answers::new();
    let mut asked = Vec::new();
    everything(inner, &answers, Some(&mut asked));
    asked
}

/// The values of all variables with the places they come from; those that fail are left out.
pub fn variables(inner: &Inner) -> IndexMap<String, (Value, String)> {
    let answers = Answers::new();
    let mut resolver = Resolver::new(inner, &answers);
    resolver.before_resources = false;
    expand(&mut resolver);
    let mut all = IndexMap::new();
    for (name, defined) in &inner.variables {
        let Some(given) = &defined.given else { continue };
        if let Ok(value) = resolver.variable(name, defined, &given.span()) {
            all.insert(name.clone(), (value, given.origin()));
        }
    }
    all
}

/// A resolver whose variables are evaluated and whose items are there.
pub fn ready<'a>(inner: &'a Inner, answers: &'a Answers) -> Resolver<'a> {
    let mut resolver = Resolver::new(inner, answers);
    resolver.before_resources = false;
    expand(&mut resolver);
    for (name, defined) in &inner.variables {
        let span =
            defined.given.as_ref().map(super::variables::Given::span).or_else(|| defined.declaration.as_ref().map(|d| d.span.clone()));
        if let Some(span) = span {
            let _ = resolver.variable(name, defined, &span); // an error has been reported
        }
    }
    resolver
}

/// What resolving finds beside resources.
struct Beside {
    files: super::scope::Files,
    sources: BTreeMap<Address, String>,
    deployer: Option<Value>,
}

/// Evaluates and checks everything, each by itself.
fn everything(inner: &Inner, answers: &Answers, asked: Option<&mut Vec<Lookup>>) -> (BTreeMap<Address, Resource>, Findings, Beside) {
    let resolver = ready(inner, answers);
    let mut resources = BTreeMap::new();
    let mut computed = Computed::new();
    for item in 0..resolver.items.len() {
        if resolver.items[item].off.is_none() {
            resource(&resolver, item, &mut resources, &mut computed);
        }
    }
    let mut of_outputs = Findings::default();
    super::outputs::all(&resolver, &mut of_outputs);
    let deployer = names::deployer(&resolver);
    let lookups = std::mem::take(&mut *resolver.lookups.borrow_mut());
    let mut findings = resolver.findings.take();
    findings.absorb(of_outputs);
    managed_lookups(&lookups, &resources, &mut findings);
    for ((code, _), (span, names)) in computed {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let what = if code == "W0129" { "fields that the API does not have" } else { "fields that only the workspace fills" };
        let message = format!("{what} are left out: {}", super::findings::list_of(&names));
        findings.add(Diagnostic::warning(code, message).at(&span, "the first of this file"));
    }
    if let Some(asked) = asked {
        asked.extend(lookups.into_iter().map(|(lookup, _)| lookup));
    }
    let (files, sources) = (resolver.files.take(), resolver.sources.take());
    // Made at once, its nodes are full.
    (resources.into_iter().collect(), findings, Beside { files, sources, deployer })
}

/// Makes the items: one for each resource, or for each instance of a `for_each`.
fn expand(resolver: &mut Resolver<'_>) {
    let inner = resolver.inner;
    for (of, prepared) in inner.prepared.iter().enumerate() {
        if prepared.for_each.is_none() {
            let address = Address::new(prepared.kind.name, &prepared.key);
            resolver.places.insert((of, None), resolver.items.len());
            resolver.items.push(Item { of, address, each: None, off: None });
        }
    }
    let plain = resolver.items.len();
    for item in 0..plain {
        resolver.items[item].off = off(resolver, item);
    }
    resolver.expanding.set(true);
    let mut made = Vec::new();
    for (of, prepared) in inner.prepared.iter().enumerate() {
        let Some(node) = &prepared.for_each else { continue };
        for (key, value) in instances(resolver, node) {
            let address = Address { instance: Some(key.clone()), ..Address::new(prepared.kind.name, &prepared.key) };
            let each = Value::map([("key", Value::text(key)), ("value", value)]);
            made.push(Item { of, address, each: Some(each), off: None });
        }
    }
    for item in made {
        resolver.places.insert((item.of, item.address.instance.clone()), resolver.items.len());
        resolver.items.push(item);
    }
    for item in plain..resolver.items.len() {
        resolver.items[item].off = off(resolver, item);
    }
    resolver.expanding.set(false);
}

/// The keys and values of a `for_each`: a map, or a list of distinct strings.
fn instances(resolver: &Resolver<'_>, node: &Node) -> Vec<(String, Value)> {
    let scope = In { resolver, each: None, with_resources: true };
    let wrong = |message: String| {
        resolver
            .report(Diagnostic::error("E0127", message).at(&node.span, "").help("`for_each` takes a map, or a list of distinct strings"));
        Vec::new()
    };
    match tree(node, &scope) {
        value if value.any(&is_poison) => Vec::new(),
        Value::Map(map) => map.into_iter().collect(),
        Value::List(items) => {
            let mut keys = BTreeSet::new();
            let mut made = Vec::new();
            for item in items {
                match item {
                    Value::Text(text) if keys.insert(text.clone()) => made.push((text.clone(), Value::Text(text))),
                    Value::Text(text) => return wrong(format!("`for_each` has `{text}` twice")),
                    other => return wrong(format!("`for_each` has an item that is {}", other.sort())),
                }
            }
            made
        }
        Value::Unknown(_) | Value::Secret(_) => wrong("`for_each` must be known when it is planned".to_owned()),
        other => wrong(format!("`for_each` is {}", other.sort())),
    }
}

/// Where `when` is false; an error counts as true.
fn off(resolver: &Resolver<'_>, item: usize) -> Option<Span> {
    let node = resolver.prepared(item).when.as_ref()?;
    let each = resolver.items[item].each.clone();
    let value = tree(node, &In { resolver, each: each.as_ref(), with_resources: true });
    if value.any(&is_poison) {
        return None;
    }
    match value {
        Value::Bool(on) => (!on).then(|| node.span.clone()),
        other => {
            let message = match &other {
                Value::Unknown(_) | Value::Secret(_) => format!("`when` must be known when it is planned, and this is {}", other.sort()),
                _ => format!("`when` must give true or false, not {}", other.sort()),
            };
            resolver.report(Diagnostic::error("E0118", message).at(&node.span, ""));
            None
        }
    }
}

/// One item and its facets.
fn resource(resolver: &Resolver<'_>, item: usize, resources: &mut BTreeMap<Address, Resource>, computed: &mut Computed) {
    let prepared = resolver.prepared(item);
    let Item { address, each, .. } = &resolver.items[item];
    let scope = In { resolver, each: each.as_ref(), with_resources: true };
    let lifecycle = prepared.lifecycle.as_ref().map(|node| {
        let mut findings = Findings::default();
        let mut read = meta::lifecycle(node, &|n| whole_tree(n, &scope), &mut findings);
        for path in &mut read.ignore_changes {
            *path = respelt(prepared.kind, path);
        }
        facets::ignored_in_vain(prepared.kind, &read, node, &mut findings);
        resolver.findings.borrow_mut().absorb(findings);
        read
    });
    let made = Making {
        kind: prepared.kind,
        address: address.clone(),
        node: Arc::clone(&prepared.body),
        span: &prepared.span,
        bound: Map::new(),
        lifecycle: lifecycle.unwrap_or_default(),
        presets: prepared.presets.clone(),
        parent: None,
    };
    let lifecycle = made.lifecycle.clone();
    made.make(resolver, &scope, resources, computed);
    for (facet, span, node) in &prepared.facets {
        let mut findings = Findings::default();
        let tree = facets::tree(facet.0, span, node, &mut findings);
        resolver.findings.borrow_mut().absorb(findings);
        let Some(node) = tree else { continue };
        let made = Making {
            kind: facet.0.kind,
            address: address.facet(facet.0.name),
            node,
            span,
            bound: resolver.bound(facet.0, item, span),
            lifecycle: Lifecycle { prevent_destroy: None, ignore_changes: Vec::new(), ..lifecycle.clone() },
            presets: Vec::new(),
            parent: Some(item),
        };
        made.make(resolver, &scope, resources, computed);
    }
}

/// A path whose first field may be spelt in another way.
pub fn respelt(kind: &Kind, path: &Path) -> Path {
    let Some(first) = path.first_field().filter(|_| !kind.spellings.is_empty()) else { return path.clone() };
    path.steps().iter().skip(1).fold(Path::field(kind.field_named(first)), |path, step| path.join(step.clone()))
}

/// A resource or facet in the making.
struct Making<'a> {
    kind: &'static Kind,
    address: Address,
    node: Arc<Node>,
    span: &'a Span,
    bound: Map,
    lifecycle: Lifecycle,
    presets: Vec<FromPreset>,
    parent: Option<usize>,
}

impl Making<'_> {
    fn make(self, resolver: &Resolver<'_>, scope: &In<'_, '_>, resources: &mut BTreeMap<Address, Resource>, computed: &mut Computed) {
        resolver.refers.borrow_mut().push(BTreeSet::new());
        let mut value = tree(&self.node, scope);
        names::resolve(resolver, self.kind, &self.node, &mut value);
        let refers = resolver.refers.borrow_mut().pop().unwrap_or_default();
        if let Some(map) = value.as_map_mut() {
            self.bind(map, resolver);
            self.read_source(map, resolver);
        }
        if let Some(normal) = self.kind.hooks.normal {
            value = normal(value);
        }
        for (name, span) in self.kind.unsent.iter().filter_map(|name| Some((*name, self.node.entry(name)?.key_span.clone()))) {
            let of_file = computed.entry(("W0129", span.source.name.clone())).or_insert_with(|| (span, BTreeSet::new()));
            of_file.1.insert(name.to_owned());
        }
        let mut findings = Findings::default();
        let names: Vec<&'static str> =
            ["lifecycle", "depends_on", "when", "for_each"].into_iter().chain(self.kind.facets.iter().map(|f| f.name)).collect();
        let subject = Subject { kind: self.kind, address: &self.address, node: &self.node, span: self.span, meta: &names };
        let body = body::check(&subject, value, &mut findings, computed);
        let natural = natural(&self, &body, &mut findings);
        if let Some(check) = self.kind.hooks.check
            && !findings.any_error()
        {
            for mut refusal in check(&body) {
                // What is refused is not sent: no word of that beside it.
                if let Some(field) = refusal.path.first_field() {
                    let sent = format!("unknown field `{field}` in {}", self.address);
                    findings.retain(|d| d.code != "W0108" || d.message != sent);
                }
                // What is in a file is told where the file is named.
                if let Some((from, to)) = self.kind.content
                    && refusal.path.first_field() == Some(to)
                    && self.node.get(to).is_none()
                    && self.node.get(from).is_some()
                {
                    refusal.path = Path::field(from);
                }
                let place = &self.node.nearest(&refusal.path).span;
                let place = if refusal.path.is_root() { self.span } else { place };
                let packed = self.kind.packed.and_then(|(field, inside)| super::packed::place(&self.node, field, &inside(&refusal.path)));
                let place = packed.as_ref().unwrap_or(place);
                let (owner, path) = written(&self.address, &self.node, &refusal.path);
                let what = if path.is_root() { String::new() } else { format!("{path}: ") };
                findings.add(Diagnostic::error("E0114", format!("{owner}: {what}{}", refusal.reason)).at(place, ""));
            }
        }
        resolver.findings.borrow_mut().absorb(findings);
        let mut depends_on: BTreeSet<Address> = refers.iter().map(|i| resolver.items[*i].address.clone()).collect();
        depends_on.extend(self.parent.map(|p| resolver.items[p].address.clone()));
        depends_on.remove(&self.address);
        let resource = Resource {
            address: self.address.clone(),
            kind: self.kind,
            body,
            node: self.node,
            span: self.span.clone(),
            lifecycle: self.lifecycle,
            depends_on: depends_on.into_iter().collect(),
            presets: self.presets,
            natural,
        };
        resources.insert(self.address, resource);
    }

    /// Reads the file of the project that a field names into the field for what is in it.
    fn read_source(&self, map: &mut Map, resolver: &Resolver<'_>) {
        let Some((from, to)) = self.kind.content else { return };
        let Some(given) = map.get(from).filter(|v| **v != Value::Null && !is_poison(v)) else { return };
        let place = self.node.get(from).map_or(self.span, |n| &n.span);
        let refuse = |message: String| Diagnostic::error("E0213", format!("`{from}` of {}: {message}", self.address)).at(place, "");
        let read = match given {
            _ if map.contains_key(to) => Err(refuse(format!("there is `{to}`, too, and only one of them can be what is in it"))),
            Value::Text(path) => {
                let root = &resolver.inner.folder;
                resolver.sources.borrow_mut().insert(self.address.clone(), path.clone());
                let edited = resolver.inner.contents.get(&root.join(path)).map(|bytes| Ok(bytes.clone()));
                edited.unwrap_or_else(|| files::bytes_of(root, path)).map(|bytes| (path.clone(), bytes)).map_err(|why| {
                    let unreadable = matches!(why, files::FileRefused::Unreadable(..));
                    match files::near(root, path).filter(|_| unreadable) {
                        Some(near) if near != *path => refuse(why.to_string()).help(format!("did you mean `{near}`?")),
                        None if unreadable => refuse(why.to_string()).help(files::there(root, path)),
                        _ => refuse(why.to_string()).help("name a file below the project's folder, such as `notebooks/load.py`"),
                    }
                })
            }
            other => Err(refuse(format!("it names a file of the project, and this is {}", other.sort()))),
        };
        match read {
            Ok((path, bytes)) => {
                resolver.files.borrow_mut().insert(path, Fingerprint::of(&bytes));
                map.insert(to.to_owned(), content_of(bytes));
            }
            Err(diagnostic) => {
                resolver.report(diagnostic);
                map.entry(to.to_owned()).or_insert_with(poison);
            }
        }
    }

    /// Adds the fields that the parent gives; writing them is an error.
    fn bind(&self, map: &mut Map, resolver: &Resolver<'_>) {
        for (field, value) in &self.bound {
            if let Some(entry) = self.node.entry(field) {
                resolver.report(
                    Diagnostic::error("E0126", format!("`{field}` of {} is given by what it belongs to", self.address))
                        .at(&entry.key_span, "take it away"),
                );
            }
            map.insert(field.clone(), value.clone());
        }
    }
}

/// Text, or bytes that are none.
fn content_of(bytes: Vec<u8>) -> Value {
    use base64::Engine as _;
    match String::from_utf8(bytes) {
        Ok(text) => Value::Text(text),
        Err(error) => Value::map([(BYTES, Value::Text(base64::engine::general_purpose::STANDARD.encode(error.as_bytes())))]),
    }
}

/// The values of the natural key. Those of a facet may wait for its parent.
fn natural(making: &Making<'_>, body: &Value, findings: &mut Findings) -> Vec<String> {
    let kind = making.kind;
    if matches!(kind.identity, Identity::Single(_)) {
        return Vec::new();
    }
    let mut parts = Vec::new();
    for field in kind.natural.fields {
        let value = body.get(field);
        match value {
            Some(value) if is_poison(value) => parts.push(String::new()),
            Some(Value::Unknown(_) | Value::Secret(_)) if kind.lifetime != Lifetime::Own => {
                let shown = value
                    .and_then(sole_reference)
                    .map_or_else(|| "(known after apply)".to_owned(), |r| format!("{}.{}", r.address, r.path));
                parts.push(shown);
            }
            Some(value @ (Value::Unknown(_) | Value::Secret(_))) => {
                let place = making.node.get(field).map_or(making.span, |n| &n.span);
                findings.add(
                    Diagnostic::error("E0124", format!("`{field}` of {} must be known when it is planned", making.address))
                        .at(place, format!("this is {}", value.sort()))
                        .help(format!("{} is recognised by it", kind.one())),
                );
            }
            Some(value) => parts.push(natural_text(kind, field, value)),
            None => {
                let required = crate::kinds::Schema::of(kind).root().field(field).is_some_and(|f| f.required());
                let told = making.node.entries().iter().any(|e| e.key == *field || suggest::nearest(&e.key, [*field]).is_some());
                if !required && !told {
                    findings.add(
                        Diagnostic::error("E0106", format!("{} has no `{field}`", making.address))
                            .at(making.span, format!("{} is recognised by it", kind.one())),
                    );
                }
            }
        }
    }
    parts
}

/// `depends_on`, once all addresses are known.
fn explicit(inner: &Inner, resources: &mut BTreeMap<Address, Resource>, findings: &mut Findings) {
    if inner.prepared.iter().all(|p| p.depends_on.is_empty()) {
        return;
    }
    let mut instances: HashMap<Address, Vec<Address>> = HashMap::new();
    for address in resources.keys() {
        instances.entry(Address { instance: None, ..address.clone() }).or_default().push(address.clone());
    }
    for prepared in &inner.prepared {
        let mut needed = BTreeSet::new();
        for (on, span) in &prepared.depends_on {
            let all = if on.instance.is_some() { None } else { instances.get(on) };
            match all {
                Some(all) => needed.extend(all.iter().cloned()),
                None if resources.contains_key(on) => {
                    needed.insert(on.clone());
                }
                None if inner.find(&on.kind, &on.key).is_none() && !inner.incomplete => findings.add(no_such(on, span, inner)),
                None => {} // its `when` is false
            }
        }
        let own = Address::new(prepared.kind.name, &prepared.key);
        for address in instances.get(&own).into_iter().flatten().filter(|_| !needed.is_empty()) {
            if let Some(resource) = resources.get_mut(address) {
                let before: BTreeSet<Address> = resource.depends_on.drain(..).collect();
                resource.depends_on = before.union(&needed).cloned().collect();
            }
        }
    }
}

fn no_such(on: &Address, span: &Span, inner: &Inner) -> Diagnostic {
    let keys = inner.prepared.iter().filter(|p| p.kind.name == on.kind).map(|p| p.key.as_str());
    let found = Diagnostic::error("E0119", format!("there is no {on} to depend on")).at(span, "");
    match crate::diagnostic::suggest::nearest(&on.key, keys) {
        Some(near) => found.help(format!("did you mean `{}`?", Address::new(&on.kind, near))),
        None => found,
    }
}

/// One object declared twice, or one setting of a singleton in two resources.
fn same_object(resources: &BTreeMap<Address, Resource>, findings: &mut Findings) {
    let mut seen: HashMap<(&str, String), &Resource> = HashMap::new();
    for resource in resources.values() {
        let keys: Vec<(String, Span)> = match resource.kind.identity {
            Identity::Single(_) => {
                let Data::Map(entries) = &resource.node.data else { continue };
                entries.iter().map(|e| (e.key.clone(), e.key_span.clone())).collect()
            }
            _ if resource.kind.natural.unique == Unique::No && resource.kind.lifetime == Lifetime::Own => continue,
            _ if resource.natural.is_empty() || resource.natural.iter().any(|n| n.is_empty() || n == "(known after apply)") => continue,
            _ => vec![(resource.natural.join(joint(resource.kind)), resource.span.clone())],
        };
        for (key, span) in keys {
            let Some(first) = seen.insert((resource.kind.name, key.clone()), resource) else { continue };
            let single = matches!(resource.kind.identity, Identity::Single(_));
            let message = if single {
                format!("`{key}` is set by {} and by {}", first.address, resource.address)
            } else {
                format!("{} and {} are the same object: {key}", first.address, resource.address)
            };
            let first_span = if single { first.node.entry(&key).map_or(&first.span, |e| &e.key_span) } else { &first.span };
            findings.add(Diagnostic::error("E0121", message).at(&span, "declared here").at(first_span, "and here"));
        }
    }
}

/// What joins the parts of a kind's names.
fn joint(kind: &Kind) -> &'static str {
    if let Identity::Named { join, .. } = kind.identity { join } else { "." }
}

/// A lookup of something that this project manages would find it only after it was created.
fn managed_lookups(lookups: &[(Lookup, Span)], resources: &BTreeMap<Address, Resource>, findings: &mut Findings) {
    if lookups.is_empty() {
        return;
    }
    let mut managed: HashMap<(&str, String), &Address> = HashMap::new();
    for resource in resources.values().filter(|r| !r.address.is_facet()) {
        managed.insert((resource.kind.name, resource.natural.join(".")), &resource.address);
    }
    for (lookup, span) in lookups {
        if let Some(address) = managed.get(&(lookup.kind.as_str(), lookup.name.clone())) {
            findings.add(
                Diagnostic::error("E0212", format!("`{}` is managed by this project as {address}", lookup.name))
                    .at(span, "looked up here")
                    .help(format!("use `${{{address}.id}}`")),
            );
        }
    }
}

impl Findings {
    /// Takes over the diagnostics of another.
    fn absorb(&mut self, other: Self) {
        self.usage |= other.usage;
        self.extend(other.sorted(false));
    }
}

/// Whose field it is, and its path, as they stand in the file: the entries of a part are the items of the list under its
/// name.
pub fn written(address: &Address, node: &Node, path: &Path) -> (Address, Path) {
    let Some(facet) = &address.facet else { return (address.clone(), path.clone()) };
    let short = matches!(node.entries(), [only] if only.value.span == node.span);
    let rest = path.steps().iter().skip(usize::from(short));
    (address.parent(), rest.fold(Path::field(facet.as_str()), |path, step| path.join(step.clone())))
}
