//! Where in the user's files a difference is to be written: the trees of source, of desired and of what is to be, walked
//! side by side.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::kinds::Field;
use crate::model::{Map, Path, Step, Value};
use crate::yaml::{Data, Entry, Node};

/// One difference at the node of the source that it is about.
pub struct Put<'n> {
    /// Where it is in the body, lists by key where they have one.
    pub path: Path,
    /// The node: of the value, or of the map or list that gains something.
    pub node: &'n Node,
    /// What is to be done.
    pub what: What,
}

/// What is done at a node.
pub enum What {
    /// Another value.
    Set(Value),
    /// A new field.
    Add(String, Value),
    /// A new item.
    Insert(usize, Value),
    /// It goes.
    Remove,
    /// The source does not say this as a value of its own.
    Untold,
}

/// Finds all places.
pub fn puts<'n>(node: &'n Node, base: &Value, target: &Value, field: Option<Field<'_>>, path: &Path, found: &mut Vec<Put<'n>>) {
    if base == target {
        return;
    }
    match (&node.data, base, target) {
        (Data::Map(_), Value::Map(ours), Value::Map(new)) => {
            for (key, value) in new {
                let below = path.join(Step::Field(key.clone()));
                match (node.entry(key), ours.get(key)) {
                    (_, Some(old)) if old == value => {}
                    (Some(entry), Some(old)) => puts(&entry.value, old, value, field.and_then(|f| f.field(key)), &below, found),
                    (Some(entry), None) => found.push(Put { path: below, node: &entry.value, what: What::Set(value.clone()) }),
                    (None, _) => found.push(Put { path: below, node, what: What::Add(key.clone(), value.clone()) }),
                }
            }
            // After what is new, so that a map is never empty in between.
            let gone = ours.keys().filter(|k| !new.contains_key(*k));
            for key in gone {
                let path = path.join(Step::Field(key.clone()));
                match node.entry(key) {
                    Some(entry) => found.push(Put { path, node: &entry.value, what: What::Remove }),
                    None => found.push(Put { path, node, what: What::Untold }),
                }
            }
        }
        (Data::List(nodes), Value::List(ours), Value::List(new)) if nodes.len() == ours.len() => {
            let nodes = &aligned(field, nodes, ours);
            items(node, nodes, (ours, new), field, path, found);
        }
        (Data::Map(entries), Value::List(ours), Value::List(new)) if by_name(field, entries, ours).is_some() => {
            let key = by_name(field, entries, ours).unwrap_or_default();
            by_names(node, entries, (ours, new), key, field.and_then(|f| f.item()), path, found);
        }
        (Data::Scalar(_), Value::Map(ours), Value::Map(new)) => match (only(ours), only(new)) {
            // A text alone stands for a map of one member.
            (Some((name, old)), Some((same, value))) if name == same => {
                puts(node, old, value, field.and_then(|f| f.field(name)), &path.join(Step::Field(name.clone())), found);
            }
            _ => found.push(Put { path: path.clone(), node, what: What::Set(target.clone()) }),
        },
        _ => found.push(Put { path: path.clone(), node, what: What::Set(target.clone()) }),
    }
}

/// The only member of a map.
fn only(map: &Map) -> Option<(&String, &Value)> {
    let mut members = map.iter();
    members.next().filter(|_| members.next().is_none())
}

/// The key of a list that the source has as a map by it: `columns: {amount: {description: ...}}`.
fn by_name(field: Option<Field<'_>>, entries: &[Entry], ours: &[Value]) -> Option<&'static str> {
    let [key] = field.and_then(|f| f.keyed())? else { return None };
    let alike = entries.len() == ours.len()
        && entries.iter().zip(ours).all(|(entry, item)| item.get(key).is_some_and(|name| name.key_text() == entry.key));
    alike.then_some(*key)
}

/// A list that the source has as a map by name.
fn by_names<'n>(
    node: &'n Node,
    entries: &'n [Entry],
    (ours, new): (&[Value], &[Value]),
    key: &str,
    field: Option<Field<'_>>,
    path: &Path,
    found: &mut Vec<Put<'n>>,
) {
    let rest = |item: &Value| {
        let members = item.as_map().into_iter().flat_map(|map| map.iter()).filter(|(name, _)| *name != key);
        Value::Map(members.map(|(name, v)| (name.clone(), v.clone())).collect())
    };
    let named = |items: &[Value], name: &Value| items.iter().find(|item| item.get(key) == Some(name)).cloned();
    for item in new {
        let Some(name) = item.get(key) else { continue };
        let below = path.join(Step::Key(vec![(key.to_owned(), name.key_text())], 0));
        match (named(ours, name), entries.iter().find(|entry| entry.key == name.key_text())) {
            (Some(old), _) if old == *item => {}
            (Some(old), Some(entry)) => puts(&entry.value, &rest(&old), &rest(item), field, &below, found),
            _ => found.push(Put { path: below, node, what: What::Add(name.key_text(), rest(item)) }),
        }
    }
    for (item, entry) in ours.iter().zip(entries) {
        if item.get(key).is_some_and(|name| named(new, name).is_none()) {
            let below = path.join(Step::Key(vec![(key.to_owned(), entry.key.clone())], 0));
            found.push(Put { path: below, node: &entry.value, what: What::Remove });
        }
    }
}

fn items<'n>(
    list: &'n Node,
    nodes: &[&'n Node],
    (ours, new): (&[Value], &[Value]),
    list_field: Option<Field<'_>>,
    path: &Path,
    found: &mut Vec<Put<'n>>,
) {
    let (keys, field) = (list_field.and_then(|f| f.keyed()).unwrap_or_default(), list_field.and_then(|f| f.item()));
    let names = |values: &[Value]| values.iter().map(|v| identity(v, keys)).collect::<Vec<_>>();
    let (mut left, mut right) = (names(ours), names(new));
    // Where the key does not tell which item it is, what else tells does.
    let twins: Vec<String> = [&left, &right].into_iter().flat_map(|names| twice(names)).collect();
    let also = list_field.and_then(|f| f.also()).unwrap_or_default();
    for (names, values) in [(&mut left, ours), (&mut right, new)] {
        for (name, id) in names.iter_mut().zip(values.iter().map(|v| v.get(also))).filter(|(name, _)| twins.contains(name)) {
            name.push('\u{0}');
            name.extend(id.map(Value::key_text));
        }
    }
    if !keys.is_empty() {
        called_alike((&left, ours), (&mut right, new), keys);
    }
    let mut operations = capture_diff_slices(Algorithm::Myers, &left, &right);
    // From the end, so that the places of what comes before stay.
    operations.reverse();
    for operation in operations {
        let (old, now) = (operation.old_range(), operation.new_range());
        let common = if matches!(operation, DiffOp::Equal { .. }) || keys.is_empty() { old.len().min(now.len()) } else { 0 };
        for i in (old.start + common..old.end).rev() {
            found.push(Put { path: path.join(step(ours, keys, i)), node: nodes[i], what: What::Remove });
        }
        for (nth, j) in (now.start + common..now.end).enumerate() {
            let at = old.end.min(old.start + common) + nth;
            let item = in_style(&new[j], keys, nodes);
            found.push(Put { path: path.join(step(new, keys, j)), node: list, what: What::Insert(at, item) });
        }
        for nth in (0..common).rev() {
            let (i, j) = (old.start + nth, now.start + nth);
            // What tells items apart is not written where nobody wrote it.
            let bare = |value: &Value| match value {
                Value::Map(map) if map.contains_key(also) && nodes[i].entry(also).is_none() => {
                    Value::Map(map.iter().filter(|(name, _)| *name != also).map(|(name, v)| (name.clone(), v.clone())).collect())
                }
                other => other.clone(),
            };
            puts(nodes[i], &bare(&ours[i]), &bare(&new[j]), field, &path.join(step(ours, keys, i)), found);
        }
    }
}

/// Gives a new item that is an old one but for its key the name of that: it is edited where it stands, whatever else the list
/// gains or loses.
fn called_alike((left, ours): (&[String], &[Value]), (right, new): (&mut [String], &[Value]), keys: &[&str]) {
    let gone: Vec<usize> = (0..left.len()).filter(|i| !right.contains(&left[*i])).collect();
    let mut came: Vec<usize> = (0..right.len()).filter(|j| !left.contains(&right[*j])).collect();
    for i in gone {
        if let Some(at) = came.iter().position(|j| is_reworded(&ours[i], &new[*j], keys)) {
            right[came.remove(at)].clone_from(&left[i]);
        }
    }
}

/// Whether an item is another one by its key alone: it has the same `$key` or id, or the same rest.
fn is_reworded(old: &Value, new: &Value, keys: &[&str]) -> bool {
    let (Value::Map(ours), Value::Map(theirs)) = (old, new) else { return false };
    let same = |name: &str| ours.get(name).is_some_and(|v| !v.is_zero() && theirs.get(name) == Some(v));
    let mut rest = ours.keys().filter(|name| !keys.contains(&name.as_str())).peekable();
    ["$key", "id"].into_iter().any(same) || (rest.peek().is_some() && rest.all(|name| same(name)))
}

/// A new item as the others of its list are written: a name alone where they are names alone.
fn in_style(item: &Value, keys: &[&str], others: &[&Node]) -> Value {
    let scalar = |node: &&Node| matches!(node.data, Data::Scalar(_));
    match (item.as_map().and_then(only), keys) {
        (Some((name, text)), [key]) if name == key && others.iter().any(scalar) => text.clone(),
        _ => item.clone(),
    }
}

fn twice(names: &[String]) -> Vec<String> {
    names.iter().enumerate().filter(|(i, name)| names[..*i].contains(name)).map(|(_, name)| name.clone()).collect()
}

fn identity(value: &Value, keys: &[&str]) -> String {
    if keys.is_empty() || !matches!(value, Value::Map(_)) {
        return format!("{value:?}");
    }
    keys.iter().map(|k| value.get(k).map(Value::key_text).unwrap_or_default()).collect::<Vec<_>>().join("\u{0}")
}

/// How an item is called in a path; of several with one key also which of them it is.
fn step(items: &[Value], keys: &[&str], at: usize) -> Step {
    let pairs = |item: &Value| -> Vec<(String, String)> {
        keys.iter().filter_map(|k| item.get(k).map(|v| ((*k).to_owned(), v.key_text()))).collect()
    };
    let own = pairs(&items[at]);
    if own.is_empty() {
        return Step::Index(at);
    }
    let turn = items[..at].iter().filter(|item| pairs(item) == own).count();
    Step::Key(own, u32::try_from(turn).unwrap_or(u32::MAX))
}

/// The nodes of items in the items' order: those that are recognised by the same are brought into one order among themselves.
fn aligned<'n>(list: Option<Field<'_>>, nodes: &'n [Node], ours: &[Value]) -> Vec<&'n Node> {
    let as_written = || nodes.iter().collect::<Vec<_>>();
    let Some(list) = list.filter(|list| !list.apart().is_empty()) else { return as_written() };
    let fields: Vec<&str> = list.keyed().unwrap_or_default().iter().chain(list.apart()).copied().collect();
    // What an expression gives is not known here.
    let says = |node: &Node, item: &Value| {
        let is_open = |text: &str| text.contains("${");
        let one = |name: &&str| match (node.get(name).and_then(Node::text), item.get(name)) {
            (Some(text), _) if is_open(text) => true,
            (Some(text), Some(value)) => value.key_text() == text,
            (own, value) => own.is_none() && (value.is_none() || !name.starts_with('$')),
        };
        fields.iter().all(one)
    };
    if nodes.iter().zip(ours).all(|(node, item)| says(node, item)) {
        return as_written();
    }
    let mut free = as_written();
    let found: Option<Vec<&Node>> =
        ours.iter().map(|item| free.iter().position(|node| says(node, item)).map(|at| free.remove(at))).collect();
    found.unwrap_or_else(as_written)
}
