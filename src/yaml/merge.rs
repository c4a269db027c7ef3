//! Merge keys: `<<: *base`, `<<: [*a, *b]`.

use super::{Data, Entry, Node};
use crate::diagnostic::{Diagnostic, Span};

/// A `<<` of a map.
pub(super) struct Merge {
    /// How many entries of the map stand before it.
    pub at: usize,
    /// Where the `<<` is.
    pub span: Span,
    /// What is merged.
    pub value: Node,
}

/// The entries with all merges done: explicit keys win, then the earlier map of a list. What is merged stands where the
/// `<<` stood.
pub(super) fn apply(mut entries: Vec<Entry>, merges: Vec<Merge>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Entry> {
    for merge in merges {
        let mut added: Vec<Entry> = Vec::new();
        for map in maps(merge.value, &merge.span, diagnostics) {
            for entry in map {
                if !entries.iter().chain(&added).any(|e| e.key == entry.key) {
                    added.push(entry);
                }
            }
        }
        let tail = entries.split_off(merge.at.min(entries.len()));
        entries.append(&mut added);
        entries.extend(tail);
    }
    entries
}

/// The maps that a `<<` names.
fn maps(value: Node, key: &Span, diagnostics: &mut Vec<Diagnostic>) -> Vec<Vec<Entry>> {
    let mut refuse = |node: &Node| {
        diagnostics.push(
            Diagnostic::error("E0008", format!("`<<` merges maps, and this is {}", node.sort()))
                .at(&node.span, "not a map")
                .at(key, "merged here")
                .help("write `<<: *name` of a map, or `<<: [*a, *b]`"),
        );
    };
    match value.data {
        Data::Map(entries) => vec![entries],
        Data::List(items) => items
            .into_iter()
            .filter_map(|item| {
                if let Data::Map(entries) = item.data {
                    return Some(entries);
                }
                refuse(&item);
                None
            })
            .collect(),
        Data::Scalar(_) => {
            refuse(&value);
            Vec::new()
        }
    }
}
