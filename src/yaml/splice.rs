//! Edits of a YAML source by byte range: what is not edited keeps every byte, comments and blank lines included.
//!
//! An edit that would not read back as intended is refused, whatever the reason: the text is parsed again after each edit and
//! compared with the tree that was meant. Writes nothing.

use std::ops::Range;
use std::sync::Arc;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::place::{Found, Seat, find};
use super::spell::{self, Dialect};
use super::{Data, Node, Style, parse};
use crate::diagnostic::Source;
use crate::model::{Map, Path, Step, Value};

/// One edit. Paths are of fields and indexes, from the root of the document.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Gives a place this value; a field that is not there is added, maps on the way too.
    Set(Path, Value),
    /// Takes a field or an item away.
    Remove(Path),
    /// Puts an item into the list, before the one at this place.
    Insert(Path, usize, Value),
}

/// Why an edit was refused. The text is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing stands there.
    #[error("`{0}` is not in the file")]
    Missing(Path),
    /// It stands at an anchor that others share, or comes by `<<`.
    #[error("`{0}` is shared: it comes from an anchor, which other places use too")]
    Shared(Path),
    /// It has an anchor of its own, by which others have the same.
    #[error("`{path}` has the anchor `&{name}` (line {line}), and all that is `*{name}` would change with it")]
    Anchored {
        /// Where.
        path: Path,
        /// The anchor's name.
        name: String,
        /// Its line, from 1.
        line: usize,
    },
    /// The file cannot be read.
    #[error("the file cannot be read as YAML")]
    Broken,
    /// What was written would be read as something else.
    #[error("the edit of `{0}` would not read back as it is meant")]
    Misread(Path),
}

impl Edit {
    /// Where.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Insert(path, ..) => path,
        }
    }

    /// The tree after the edit.
    fn apply(&self, tree: &mut Value) -> Option<()> {
        let (parent, last) = match self {
            Self::Insert(path, at, value) => {
                let Value::List(items) = descend(tree, path.steps())? else { return None };
                items.insert((*at).min(items.len()), value.clone());
                return Some(());
            }
            Self::Set(path, value) if path.is_root() => {
                *tree = value.clone();
                return Some(());
            }
            Self::Set(path, _) | Self::Remove(path) => path.steps().split_last().map(|(last, parent)| (parent, last))?,
        };
        let parent = descend(tree, parent)?;
        match (self, parent, last) {
            (Self::Set(_, value), Value::Map(map), Step::Field(name)) => drop(map.insert(name.clone(), value.clone())),
            (Self::Set(_, value), null @ Value::Null, Step::Field(name)) => *null = Value::map([(name.clone(), value.clone())]),
            (Self::Set(_, value), Value::List(items), Step::Index(i)) => *items.get_mut(*i)? = value.clone(),
            (Self::Remove(_), Value::Map(map), Step::Field(name)) => drop(map.shift_remove(name)?),
            (Self::Remove(_), Value::List(items), Step::Index(i)) if *i < items.len() => drop(items.remove(*i)),
            _ => return None,
        }
        Some(())
    }
}

fn descend<'v>(tree: &'v mut Value, steps: &[Step]) -> Option<&'v mut Value> {
    steps.iter().try_fold(tree, |value, step| match (value, step) {
        (Value::Map(map), Step::Field(name)) => map.get_mut(name),
        (Value::List(items), Step::Index(i)) => items.get_mut(*i),
        _ => None,
    })
}

/// The text of the source with the edits made, one after the other, in its document (empty documents do not count).
///
/// # Errors
/// The first edit that is refused.
pub fn splice(source: &Source, document: usize, edits: &[Edit]) -> Result<String, Refusal> {
    let windows = source.text.contains("\r\n");
    let mut now = Arc::new(Source { name: source.name.clone(), text: source.text.clone() });
    for edit in edits {
        now = Arc::new(Source { name: source.name.clone(), text: one(&now, document, edit, windows)? });
    }
    Ok(now.text.clone())
}

/// The smallest edits that make the value at `path` another one.
///
/// # Errors
/// The file cannot be read, or there is no such document.
pub fn edits_to(source: &Arc<Source>, document: usize, path: &Path, value: &Value) -> Result<Vec<Edit>, Refusal> {
    let documents = parse(source).map_err(|_| Refusal::Broken)?;
    let tree = documents.get(document).map_or(Value::Null, Node::value);
    let mut edits = Vec::new();
    match tree.at(path) {
        Some(old) => differences(old, value, path, &mut edits),
        None => edits.push(Edit::Set(path.clone(), value.clone())),
    }
    Ok(edits)
}

/// What leads from one value to the other, field by field and item by item; edits of a list from its end.
pub fn differences(old: &Value, new: &Value, path: &Path, edits: &mut Vec<Edit>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Value::Map(a), Value::Map(b)) if !a.is_empty() && !b.is_empty() && a.keys().any(|k| b.contains_key(k)) => {
            for key in a.keys().filter(|k| !b.contains_key(*k)) {
                edits.push(Edit::Remove(path.join(Step::Field(key.clone()))));
            }
            for (key, value) in b {
                let below = path.join(Step::Field(key.clone()));
                match a.get(key) {
                    Some(old) => differences(old, value, &below, edits),
                    None => edits.push(Edit::Set(below, value.clone())),
                }
            }
        }
        (Value::List(a), Value::List(b)) if !a.is_empty() && !b.is_empty() => items(a, b, path, edits),
        _ => edits.push(Edit::Set(path.clone(), new.clone())),
    }
}

/// Lists: items that are the same thing stay where they are and are edited inside.
fn items(a: &[Value], b: &[Value], path: &Path, edits: &mut Vec<Edit>) {
    let (left, right): (Vec<String>, Vec<String>) = (a.iter().map(identity).collect(), b.iter().map(identity).collect());
    let operations = capture_diff_slices(Algorithm::Myers, &left, &right);
    if !operations.iter().any(|o| matches!(o, DiffOp::Equal { .. })) && a.len() != b.len() {
        return edits.push(Edit::Set(path.clone(), Value::List(b.to_vec())));
    }
    for operation in operations.iter().rev() {
        let (old, new) = (operation.old_range(), operation.new_range());
        let common = old.len().min(new.len());
        for i in (old.start + common..old.end).rev() {
            edits.push(Edit::Remove(path.join(Step::Index(i))));
        }
        for (nth, j) in (new.start + common..new.end).enumerate() {
            edits.push(Edit::Insert(path.clone(), old.start + common + nth, b[j].clone()));
        }
        for nth in (0..common).rev() {
            differences(&a[old.start + nth], &b[new.start + nth], &path.join(Step::Index(old.start + nth)), edits);
        }
    }
}

/// What an item of a list is recognised by. A wrong guess costs a larger edit, never a wrong one.
fn identity(value: &Value) -> String {
    const NAMES: [&str; 12] = [
        "$key",
        "task_key",
        "job_cluster_key",
        "environment_key",
        "principal",
        "group_name",
        "user_name",
        "service_principal_name",
        "key",
        "name",
        "identifier",
        "id",
    ];
    let Value::Map(map) = value else { return format!("{value:?}") };
    let known: Vec<String> = NAMES.iter().filter_map(|n| map.get(*n).map(|v| format!("{n}={}", v.key_text()))).take(1).collect();
    if known.is_empty() { format!("{value:?}") } else { known.concat() }
}

/// The text with one edit made, and read back.
fn one(source: &Arc<Source>, document: usize, edit: &Edit, windows: bool) -> Result<String, Refusal> {
    let documents = parse(source).map_err(|_| Refusal::Broken)?;
    let misread = || anchored(documents.get(document), edit.path()).unwrap_or_else(|| Refusal::Misread(edit.path().clone()));
    let mut trees: Vec<Value> = documents.iter().map(Node::value).collect();
    if trees.is_empty() && document == 0 {
        trees.push(Value::Null);
    }
    let tree = trees.get_mut(document).ok_or_else(|| Refusal::Missing(edit.path().clone()))?;
    let edit = &whole(edit, tree);
    edit.apply(tree).ok_or_else(|| Refusal::Missing(edit.path().clone()))?;
    let intended = tree.clone();
    let root = documents.get(document);
    let (range, with) = match root {
        Some(root) => place(root, edit, &intended, Dialect::of(&source.name))?,
        None => at_the_end(&source.text, &intended),
    };
    let with = if windows { with.replace('\n', "\r\n") } else { with };
    let mut text = source.text.clone();
    text.replace_range(range, &with);
    let read = Arc::new(Source { name: source.name.clone(), text });
    let mut again: Vec<Value> = parse(&read).map_err(|_| misread())?.iter().map(Node::value).collect();
    if again.len() < trees.len() && trees.get(document).is_some_and(is_nothing) {
        again.insert(document, trees[document].clone());
    }
    if again == trees { Ok(read.text.clone()) } else { Err(misread()) }
}

/// Says of a place at or below an anchor that others have the same by it.
fn anchored(root: Option<&Node>, path: &Path) -> Option<Refusal> {
    let root = root?;
    (0..=path.steps().len()).rev().find_map(|depth| {
        let Found::Node(seat) = find(root, &Path::from(path.steps()[..depth].to_vec())) else { return None };
        let (name, line) = seat.anchor()?;
        let is_used = root.span.source.text.contains(&format!("*{name}"));
        is_used.then(|| Refusal::Anchored { path: path.clone(), name: name.to_owned(), line })
    })
}

fn is_nothing(value: &Value) -> bool {
    matches!(value, Value::Null)
}

/// A field below maps that are not there yet is a map in the lowest one that is.
fn whole(edit: &Edit, tree: &Value) -> Edit {
    let Edit::Set(path, value) = edit else { return edit.clone() };
    let mut path = path.clone();
    let mut value = value.clone();
    loop {
        let mut parent = path.clone();
        let Some(Step::Field(name)) = parent.pop() else { return Edit::Set(path, value) };
        match tree.at(&parent) {
            None | Some(Value::Null) => {
                value = Value::map([(name, value)]);
                path = parent;
            }
            Some(_) => return Edit::Set(path, value),
        }
    }
}

/// Into a file that holds nothing but comments.
fn at_the_end(text: &str, value: &Value) -> (Range<usize>, String) {
    let start = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    (text.len()..text.len(), format!("{start}{}\n", spell::block(value, 0)))
}

/// Which bytes become what.
fn place(root: &Node, edit: &Edit, intended: &Value, dialect: Dialect) -> Result<(Range<usize>, String), Refusal> {
    let path = edit.path();
    let missing = || Refusal::Missing(path.clone());
    match find(root, path) {
        Found::Shared(at) => shared(root, edit, &at, intended, dialect),
        Found::Node(seat) => match edit {
            Edit::Set(_, value) => Ok(seat.replaced(value, dialect)),
            Edit::Remove(_) => removed(&seat, root, path, dialect).ok_or_else(|| Refusal::Shared(path.clone())),
            Edit::Insert(_, at, value) => seat.item_at(*at, value, dialect).ok_or_else(missing),
        },
        Found::Inside(seat) => match (edit, path.steps().last()) {
            (Edit::Set(_, value), Some(Step::Field(name))) => seat.entry_added(name, value, dialect).ok_or_else(missing),
            _ => Err(missing()),
        },
        Found::Nothing => Err(missing()),
    }
}

/// What an alias or a `<<` brings is written out here, so that the others who share it keep what they have.
fn shared(root: &Node, edit: &Edit, at: &Path, intended: &Value, dialect: Dialect) -> Result<(Range<usize>, String), Refusal> {
    let refused = || Refusal::Shared(edit.path().clone());
    let value = intended.at(at).ok_or_else(refused)?;
    let mut parent = at.clone();
    let Some(Step::Field(name)) = parent.pop() else { return Err(refused()) };
    match find(root, &parent) {
        Found::Node(seat) => {
            seat.alias_replaced(&name, value, dialect).or_else(|| seat.entry_added(&name, value, dialect)).ok_or_else(refused)
        }
        _ => Err(refused()),
    }
}

/// A field or item taken away; the last one leaves `{}` or `[]`.
fn removed(seat: &Seat<'_>, root: &Node, path: &Path, dialect: Dialect) -> Option<(Range<usize>, String)> {
    let mut parent = path.clone();
    parent.pop();
    let Found::Node(holder) = find(root, &parent) else { return None };
    let (count, empty) = match &holder.node.data {
        Data::Map(entries) => (entries.len(), Value::Map(Map::new())),
        Data::List(items) => (items.len(), Value::List(vec![])),
        Data::Scalar(_) => return None,
    };
    if count == 1 {
        return Some(holder.replaced(&empty, dialect));
    }
    holder.without(path.steps().last()?, seat)
}

/// How the text of a scalar is best written in place of another one.
pub(super) fn is_block(style: Option<Style>) -> bool {
    matches!(style, Some(Style::Literal | Style::Folded))
}
