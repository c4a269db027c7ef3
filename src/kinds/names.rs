//! Names: paths of the workspace as it compares them, and words that the API has two of.

use super::{Fact, Identity, Kind, Value};

/// A path of the workspace as it compares them: without a leading `/Workspace` and without trailing slashes.
#[must_use]
pub fn plain_path(path: &str) -> &str {
    let rest = path.strip_prefix("/Workspace").filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(path);
    match rest.trim_end_matches('/') {
        "" => "/",
        plain => plain,
    }
}

/// The folders that a path is in, nearest first, without the root: plain paths.
pub fn folders(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = plain_path(path);
    std::iter::from_fn(move || {
        rest = rest.rsplit_once('/')?.0;
        Some(rest).filter(|folder| !folder.is_empty())
    })
}

/// Whether a field of this kind holds a path of the workspace.
#[must_use]
pub fn is_path(kind: &'static Kind, field: &str) -> bool {
    kind.facts.iter().any(|(at, fact)| *at == field && matches!(fact, Fact::WorkspacePath))
}

/// A value of a kind's natural key as it is compared with others: two spellings of one path are the same.
#[must_use]
pub fn natural_text(kind: &'static Kind, field: &str, value: &Value) -> String {
    let text = value.key_text();
    if is_path(kind, field) { plain_path(&text).to_owned() } else { text }
}

/// An id as it is compared with others: two spellings of one path are the same.
#[must_use]
pub fn plain_id<'i>(kind: &'static Kind, id: &'i str) -> &'i str {
    match kind.identity {
        Identity::Named { parts: [path], .. } if is_path(kind, path) => plain_path(id),
        Identity::Assigned(_) | Identity::Single(_) | Identity::Named { .. } => id,
    }
}

/// Whether two ids are of one object.
#[must_use]
pub fn same_id(kind: &'static Kind, one: &str, other: &str) -> bool {
    plain_id(kind, one).eq_ignore_ascii_case(plain_id(kind, other))
}

/// The body with members of the first names under the second ones, unless those are there.
pub(super) fn renamed(body: Value, words: &[(&str, &str)]) -> Value {
    let Value::Map(mut map) = body else { return body };
    for (from, to) in words {
        if !map.contains_key(*to)
            && let Some(value) = map.shift_remove(*from)
        {
            map.insert((*to).to_owned(), value);
        }
    }
    Value::Map(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_path_are_the_same() {
        for (path, plain, around) in [
            ("/Workspace/Shared/a/b", "/Shared/a/b", vec!["/Shared/a", "/Shared"]),
            ("/Shared/a/", "/Shared/a", vec!["/Shared"]),
            ("/Workspaces/a", "/Workspaces/a", vec!["/Workspaces"]),
            ("/Workspace", "/", vec![]),
            ("/", "/", vec![]),
        ] {
            assert_eq!(plain_path(path), plain);
            assert_eq!(folders(path).collect::<Vec<_>>(), around, "{path}");
        }
    }

    #[test]
    fn a_word_that_is_there_already_stays() {
        let body = |pairs: &[(&str, &str)]| Value::map(pairs.iter().map(|(k, v)| (*k, Value::from(*v))));
        assert_eq!(renamed(body(&[("name", "a")]), &[("name", "scope")]), body(&[("scope", "a")]));
        assert_eq!(renamed(body(&[("name", "a"), ("scope", "b")]), &[("name", "scope")]), body(&[("name", "a"), ("scope", "b")]));
    }
}
