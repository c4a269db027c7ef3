//! Variables that somebody gave by hand, as text: what a plan in a file brings along, so that it need not be typed again.

use std::collections::BTreeMap;

use super::variables::Given;
use super::{Ask, Project, files};
use crate::model::{Outside, Value, json};

impl Project {
    /// Variables from the command line, the process environment and `--var-file`, in the form that `--var` takes. What
    /// is sensitive is left out: it has to be given again.
    #[must_use]
    pub fn given(&self, outside: &Outside, ask: &Ask) -> BTreeMap<String, String> {
        let by_hand: Vec<String> =
            ask.variable_files.iter().map(|file| files::name_of(&outside.folder, &outside.path(&file.to_string_lossy()))).collect();
        let values = self.variables();
        let mut all = BTreeMap::new();
        for (name, defined) in &self.inner.variables {
            if defined.declaration.as_ref().is_some_and(|d| d.sensitive) {
                continue;
            }
            let text = match &defined.given {
                Some(Given::Text { source, .. }) => Some(source.text.clone()),
                Some(Given::Node(node)) if by_hand.contains(&node.span.source.name) => values.get(name).and_then(|(value, _)| plain(value)),
                _ => None,
            };
            all.extend(text.map(|text| (name.clone(), text)));
        }
        all
    }

    /// Whether a variable is declared `sensitive`.
    #[must_use]
    pub fn is_sensitive(&self, name: &str) -> bool {
        self.inner.variables.get(name).and_then(|defined| defined.declaration.as_ref()).is_some_and(|declared| declared.sensitive)
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        waits if waits.has_unknown() || waits.has_secret() => None,
        other => json::write(other).ok(),
    }
}
