//! Where in the user's files a difference is to be written: the trees of source, of desired and of what is to be, walked
//! side by side.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::kinds::Field;
use crate::model::{Path, Step, Value};
use crate::yaml::{Data, Node};

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
            let keys = field.and_then(|f| f.keyed()).unwrap_or_default();
            items(node, nodes, (ours, new), keys, field.and_then(|f| f.item()), path, found);
        }
        _ => found.push(Put { path: path.clone(), node, what: What::Set(target.clone()) }),
    }
}

fn items<'n>(
    list: &'n Node,
    nodes: &'n [Node],
    (ours, new): (&[Value], &[Value]),
    keys: &[&str],
    field: Option<Field<'_>>,
    path: &Path,
    found: &mut Vec<Put<'n>>,
) {
    let names = |values: &[Value]| values.iter().map(|v| identity(v, keys)).collect::<Vec<_>>();
    let (left, right) = (names(ours), names(new));
    let mut operations = capture_diff_slices(Algorithm::Myers, &left, &right);
    // From the end, so that the places of what comes before stay.
    operations.reverse();
    for operation in operations {
        let (old, now) = (operation.old_range(), operation.new_range());
        let common = if matches!(operation, DiffOp::Equal { .. }) || keys.is_empty() { old.len().min(now.len()) } else { 0 };
        for i in (old.start + common..old.end).rev() {
            found.push(Put { path: path.join(step(&ours[i], keys, i)), node: &nodes[i], what: What::Remove });
        }
        for (nth, j) in (now.start + common..now.end).enumerate() {
            let at = old.end.min(old.start + common) + nth;
            found.push(Put { path: path.join(step(&new[j], keys, j)), node: list, what: What::Insert(at, new[j].clone()) });
        }
        for nth in (0..common).rev() {
            let (i, j) = (old.start + nth, now.start + nth);
            puts(&nodes[i], &ours[i], &new[j], field, &path.join(step(&ours[i], keys, i)), found);
        }
    }
}

fn identity(value: &Value, keys: &[&str]) -> String {
    if keys.is_empty() || !matches!(value, Value::Map(_)) {
        return format!("{value:?}");
    }
    keys.iter().map(|k| value.get(k).map(Value::key_text).unwrap_or_default()).collect::<Vec<_>>().join("\u{0}")
}

fn step(item: &Value, keys: &[&str], at: usize) -> Step {
    let pairs: Vec<(String, String)> = keys.iter().filter_map(|k| item.get(k).map(|v| ((*k).to_owned(), v.key_text()))).collect();
    if pairs.is_empty() { Step::Index(at) } else { Step::Key(pairs, 0) }
}
