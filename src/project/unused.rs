//! One look at every expression of the project without evaluating it: which variables are used, and whether the
//! workspace has to be asked.

use std::collections::BTreeSet;

use super::expression::{Function, Mention, Names, Part, find, is_template, scan};
use crate::yaml::{Data, Node};

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Variables mentioned anywhere.
    pub variables: BTreeSet<String>,
    /// Templates that are named outright.
    pub templates: BTreeSet<String>,
    /// Whether `lookup` is asked anywhere.
    pub lookups: bool,
}

impl Seen {
    /// Looks through a tree.
    pub fn look(&mut self, node: &Node, names: &dyn Names) {
        match &node.data {
            Data::Scalar(scalar) if is_template(&scalar.text) => {
                for part in scan(&scalar.text).unwrap_or_default() {
                    if let Part::Expression { from, to } = part {
                        self.expression(&scalar.text[from..to], names);
                    }
                }
            }
            Data::Scalar(_) => {}
            Data::List(items) => items.iter().for_each(|item| self.look(item, names)),
            Data::Map(entries) => {
                self.lookups |= entries.len() == 2 && entries.iter().any(|e| e.key == "lookup");
                for entry in entries {
                    self.look(&entry.value, names);
                }
            }
        }
    }

    /// Looks through the tags of a template: every word of them may be a variable.
    pub fn text(&mut self, text: &str) {
        for tag in text.split("{{").skip(1) {
            let inner = tag.split("}}").next().unwrap_or_default();
            self.variables.extend(inner.split(|c: char| c != '_' && !c.is_alphanumeric()).map(str::to_owned));
        }
    }

    fn expression(&mut self, text: &str, names: &dyn Names) {
        for found in find(text, names).0 {
            match found.mention {
                Mention::Variable(name) => {
                    self.variables.insert(name);
                }
                Mention::Call(function, arguments) => {
                    self.lookups |= function == Function::Lookup;
                    for (from, to) in arguments {
                        if function == Function::Template {
                            self.templates.insert(text[from..to].trim().trim_matches(['"', '\'']).to_owned());
                        }
                        self.expression(&text[from..to], names);
                    }
                }
                Mention::Environment(_) | Mention::Project | Mention::Each | Mention::Resource { .. } => {}
            }
        }
    }
}
