//! What goes into the environment's own file: its word on a place, on an item that it took away, on an object that it has not.

use std::sync::Arc;

use super::{Sides, Writer, above, environment_file};
use crate::diagnostic::{Source, Span};
use crate::export::overlay::{self, Word};
use crate::export::place::What;
use crate::kinds::Schema;
use crate::model::{Path, Step as Part, Value};
use crate::project::Resource;
use crate::yaml::splice::edits_to;
use crate::yaml::{Node, parse};

impl Writer<'_> {
    /// The environment's own word that it has none of an object.
    pub(super) fn deleted_here(&mut self, resource: &Resource) {
        let address = &resource.address;
        let Some(file) = self.environment_file().filter(|_| address.instance.is_none() && !address.is_facet()) else {
            return self.refuse(
                address,
                &Path::root(),
                "no overlay of this environment can leave it out",
                "leave it out by `when:`, or leave `--overlay` out to take it from the file that declares it",
            );
        };
        let steps: Vec<Part> = ["resources", &address.kind, &address.key].into_iter().map(|s| Part::Field(s.to_owned())).collect();
        let done = (|| {
            let tree = self.tree(&file)?;
            let gone = Value::map([("$delete", Value::Bool(true))]);
            self.make(&file, &overlay::with(tree, &steps, Some(gone))?)
        })();
        match done {
            Some(()) => self.written.places.push((address.clone(), Path::root(), format!("{file}: left out of this environment"))),
            None => self.refuse(address, &Path::root(), format!("`{file}` cannot take an overlay for it"), "change it by hand"),
        }
    }

    /// An item that the environment's overlay takes away, and that is there now: that word goes. Whether it was so.
    pub(super) fn undeleted(&mut self, resource: &Resource, path: &Path, what: &What) -> bool {
        let What::Insert(_, value) = what else { return false };
        let Some((file, value)) = self.environment_file().map(|file| (file, self.raw(value, &resource.address))) else { return false };
        let Some(Part::Key(pairs, 0)) = path.steps().last() else { return false };
        let pairs = pairs.iter().map(|(name, text)| (name.clone(), text.replace("${", "$${"))).collect();
        let steps = self.in_overlay(resource, above(path).join(Part::Key(pairs, 0)).steps().to_vec());
        let done = (|| {
            let tree = self.tree(&file)?;
            self.make(&file, &overlay::undeleted(&tree, &steps, &value)?)
        })();
        if done.is_some() {
            self.told(resource, path, &format!("{file}, where this environment took it away"));
        }
        done.is_some()
    }

    /// Whether what is there stands in the environment's file itself, and in no file below it.
    pub(super) fn stands_in_overlay(&self, resource: &Resource, path: &Path, node: &Node, what: &What) -> bool {
        if !self.is_own_file(&node.span) {
            return false;
        }
        let (What::Remove, Some(Part::Field(name))) = (what, path.steps().last()) else { return true };
        let Some(holder) = holder(&resource.node, node) else { return false };
        if self.is_own_file(&holder.span) {
            return true;
        }
        // It was merged into what another file has: does that say it, too?
        let documents = parse(&holder.span.source).unwrap_or_default();
        let below = Self::locate(&holder.span).and_then(|(document, at)| documents.get(document)?.value().at(&at).cloned());
        below.is_some_and(|below| below.get(name).is_none())
    }

    pub(super) fn is_own_file(&self, span: &Span) -> bool {
        self.environment_file().is_some_and(|name| name == span.source.name)
    }

    fn environment_file(&self) -> Option<String> {
        environment_file(self.ask.project)
    }

    /// The environment's own word on a place.
    pub(super) fn overlay(&mut self, resource: &Resource, path: &Path, sides: Sides<'_>, what: &What, because: &str) {
        let address = &resource.address;
        let Some(file) = self.environment_file() else {
            let why = format!("{because}, and there is no environment file that could say otherwise");
            return self.refuse(
                address,
                path,
                why,
                format!("write `environments/{}.yaml`, or change it by hand", self.ask.project.environment.name),
            );
        };
        let node = resource.laid();
        let field = Some(Schema::of(resource.kind).root());
        let place = overlay::Place { node: Some(&node), base: Some(sides.desired), target: Some(sides.target), field };
        let (cut, mut words) = overlay::words(place, path, &|value| self.raw(value, address));
        if let (What::Insert(_, item), [Word { at, value }]) = (what, words.as_mut_slice())
            && cut == *path
            && let Some((Part::Key(name, _), list)) = at.last_mut().zip(Schema::of(resource.kind).at(&above(path)))
        {
            let item = self.raw(item, address);
            *name = overlay::key_of(list, &item);
            *value = Some(item);
        }
        if cut.is_root() || words.iter().filter_map(|word| word.value.as_ref()).any(|v| v.has_secret() || v.has_unknown()) {
            return self.refuse(address, path, because.to_owned(), "change it by hand, put it back, or ignore it");
        }
        let short = matches!(resource.node.entries(), [only] if address.is_facet() && only.value.span == resource.node.span);
        let done = (|| {
            let mut tree = self.tree(&file)?;
            for word in words {
                let steps = self.in_overlay(resource, word.at.into_iter().skip(usize::from(short)).collect());
                tree = overlay::with(tree, &steps, word.value)?;
            }
            self.make(&file, &tree)
        })();
        match done {
            Some(()) => self.told(resource, &cut, &format!("{file}, as an overlay of this environment: {because}")),
            None => self.refuse(address, path, format!("{because}, and `{file}` cannot take an overlay for it"), "change it by hand"),
        }
    }

    /// Where a place of a resource is in the environment's file, its kind as it is called there.
    fn in_overlay(&mut self, resource: &Resource, steps: Vec<Part>) -> Vec<Part> {
        let address = &resource.address;
        let registry = self.ask.project.registry();
        let is_it = |key: &str| registry.get(key).is_some_and(|kind| kind.name == address.kind);
        let tree = self.environment_file().and_then(|file| {
            let source = self.source(&file)?;
            parse(&source).ok()?.into_iter().next()
        });
        let kinds = tree.as_ref().and_then(|tree| tree.get("resources")).map(Node::entries).unwrap_or_default();
        let kind = kinds.iter().map(|entry| entry.key.as_str()).find(|key| is_it(key)).unwrap_or(&address.kind);
        let head = ["resources", kind, &address.key].into_iter().chain(address.facet.as_deref());
        head.map(|name| Part::Field(name.to_owned())).chain(steps).collect()
    }

    /// What the file says by now.
    fn tree(&mut self, file: &str) -> Option<Value> {
        let source = self.source(file)?;
        Some(parse(&source).ok()?.first().map_or(Value::Null, Node::value))
    }

    /// Edits the file so that it says this.
    fn make(&mut self, file: &str, tree: &Value) -> Option<()> {
        let edits = edits_to(&self.source(file)?, 0, &Path::root(), tree).ok()?;
        self.edit(file, 0, &edits).ok()
    }

    fn source(&mut self, file: &str) -> Option<Arc<Source>> {
        Some(Arc::new(Source { name: file.to_owned(), text: self.text(file)?.now.clone() }))
    }
}

/// The map in a tree that has a node as a member.
fn holder<'n>(tree: &'n Node, node: &Node) -> Option<&'n Node> {
    let below = match &tree.data {
        crate::yaml::Data::Map(entries) if entries.iter().any(|entry| std::ptr::eq(&raw const entry.value, node)) => return Some(tree),
        crate::yaml::Data::Map(entries) => entries.iter().map(|entry| &entry.value).collect::<Vec<&Node>>(),
        crate::yaml::Data::List(items) => items.iter().collect(),
        crate::yaml::Data::Scalar(_) => vec![],
    };
    below.into_iter().find_map(|tree| holder(tree, node))
}
