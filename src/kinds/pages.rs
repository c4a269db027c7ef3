//! What people are told of a kind besides its facts: what it is, an example that works, habits worth knowing.
//!
//! One small file a kind, `pages/KIND.md`: a paragraph, a block of YAML, a list. Its page in the reference and
//! `brickform explain KIND` are made of it; the example is applied by a test.

/// What stands in a kind's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// What it is: a sentence or two.
    pub about: &'static str,
    /// YAML that works as a project of its own.
    pub example: &'static str,
    /// Habits, a line of Markdown each, with its dash.
    pub notes: &'static str,
}

/// What is told of a kind; none where it has no file.
#[must_use]
pub fn told(kind: &str) -> Option<Told> {
    let (_, text) = FILES.iter().find(|(name, _)| *name == kind)?;
    let (about, rest) = text.split_once("\n\n```yaml\n")?;
    let (example, notes) = rest.split_once("```\n")?;
    Some(Told { about, example, notes: notes.trim() })
}

macro_rules! files {
    ($($kind:literal)*) => { &[$(($kind, include_str!(concat!("pages/", $kind, ".md")))),*] };
}

/// Where they are named.
#[cfg(test)]
const PLACE: u32 = line!() + 3;

static FILES: &[(&str, &str)] = files!(
    "alerts" "catalogs" "cluster_policies" "clusters" "directories" "files" "grants" "group_members" "groups" "instance_pools" "jobs"
    "libraries" "notebooks" "permissions" "queries" "schemas" "secret_acls" "secret_scopes" "secrets" "service_principals"
    "serving_endpoints" "spaces" "users" "volumes" "warehouses" "workspace_conf" "workspace_tags"
);

#[cfg(test)]
mod tests {
    use super::{FILES, PLACE, told};
    use crate::kinds::Registry;

    #[test]
    fn something_is_told_of_every_kind() {
        for kind in Registry::standard().iter() {
            let told = told(kind.name).unwrap_or_else(|| {
                panic!("src/kinds/pages.rs:{PLACE}: `{}` is not named, whose file is src/kinds/pages/{0}.md", kind.name)
            });
            assert!(told.about.ends_with('.') && !told.example.is_empty(), "{}", kind.name);
            assert!(!told.notes.is_empty() && told.notes.lines().all(|l| l.starts_with("- ") && l.ends_with('.')), "{}", kind.name);
        }
        assert!(FILES.is_sorted());
    }
}
