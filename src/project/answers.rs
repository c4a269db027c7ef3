//! Values of variables, and objects found by lookups.

use std::sync::Arc;

use super::Answer;
use super::findings::{Reported, meant};
use super::scope::{Frame, In, Resolver, quoted, secret_of, whole_tree};
use super::variables::{Declaration, Defined, Given, Sort, parse_text, words};
use crate::diagnostic::{Diagnostic, Span, suggest};
use crate::kinds::{Identity, Kind};
use crate::model::{Deferred, Held, Lookup, Map, Piece, SecretFrom, SecretSource, Value, Variable};
use crate::yaml::Node;

impl Resolver<'_> {
    /// The value of a variable.
    pub fn variable(&self, name: &str, defined: &Defined, place: &Span) -> Result<Value, Reported> {
        let frame = || Frame { what: format!("var.{name}"), span: place.clone() };
        self.once(&self.variables, &name.to_owned(), frame, || self.make_variable(name, defined))
    }

    fn make_variable(&self, name: &str, defined: &Defined) -> Result<Value, Reported> {
        let declaration = defined.declaration.as_ref();
        let Some(given) = &defined.given else {
            if self.inner.unread_variables.contains(name) {
                return Err(Reported); // the section's own slip of the pen has been told
            }
            let missing = Diagnostic::error("E0223", format!("variable `{name}` has no value in environment {}", self.inner.environment));
            let missing = match &self.inner.environment_place {
                Some(place) => missing.at(place, format!("this file gives no `{name}`")),
                None => missing,
            };
            let missing = match declaration {
                Some(declaration) => missing.at(&declaration.span, "declared here without a default"),
                None => missing,
            };
            return self.refuse(missing.help(format!(
                "give one in the environment's `variables:`, with `--var {name}=..`, or as {}{name}",
                super::variables::PREFIX
            )));
        };
        let sort = declaration.and_then(|d| d.sort);
        let value = match given {
            Given::Node(node) => self.variable_node(node)?,
            Given::Text { source, .. } => {
                let sort =
                    sort.or_else(|| declaration.and_then(|d| d.default.as_ref()).and_then(|n| inferred(&n.value()))).unwrap_or(Sort::Text);
                match parse_text(source, sort) {
                    Ok(node) => node.value(),
                    Err(why) => {
                        let wrong = Diagnostic::error("E0221", format!("variable `{name}` is declared as {}: {why}", sort.name()))
                            .at(&given.span(), "");
                        let hidden = declaration.is_some_and(|d| d.sensitive);
                        return self.refuse(if hidden { wrong.conceal(&given.span()) } else { wrong });
                    }
                }
            }
        };
        if let Some(declaration) = declaration {
            self.check_variable(name, declaration, &value, given)?;
            if declaration.sensitive && !value.any(&|v| matches!(v, Value::Unknown(_) | Value::Secret(_))) {
                let secret = match (given, value) {
                    (_, value @ (Value::Map(_) | Value::List(_))) => concealed(name, &value),
                    (Given::Text { environment: Some(variable), .. }, _) => secret_value(name, SecretFrom::Environment(variable.clone())),
                    (Given::Text { source, .. }, _) => secret_value(name, SecretFrom::Given(Held::new(source.text.as_str()))),
                    (Given::Node(_), Value::Text(text)) => secret_value(name, SecretFrom::Given(Held::new(text))),
                    (Given::Node(_), value) => secret_value(name, SecretFrom::Given(Held::new(value.key_text()))),
                };
                self.inner.learn(&secret);
                return Ok(secret);
            }
        }
        Ok(value)
    }

    /// `{lookup: warehouses, name: Shared BI}`, or any value.
    fn variable_node(&self, node: &Node) -> Result<Value, Reported> {
        let scope = In { resolver: self, each: None, with_resources: true };
        let keys: Vec<&str> = node.entries().iter().map(|e| e.key.as_str()).collect();
        if !matches!(keys.as_slice(), ["lookup", "name"] | ["name", "lookup"]) {
            return whole_tree(node, &scope);
        }
        let part = |key: &str| -> Result<(String, Span), Reported> {
            let Some(node) = node.get(key) else { return Err(Reported) };
            match whole_tree(node, &scope)? {
                Value::Text(text) => Ok((text, node.span.clone())),
                other => {
                    self.refuse(Diagnostic::error("E0221", format!("`{key}` of a lookup is text, not {}", other.sort())).at(&node.span, ""))
                }
            }
        };
        let ((kind, kind_span), (name, _)) = (part("lookup")?, part("name")?);
        let object = self.lookup(&kind, name, &kind_span, &node.span)?;
        Ok(match object {
            Value::Unknown(deferred) => {
                let pieces = vec![Piece::Expression("__0.id".to_owned())];
                let source = format!("${{lookup({}, {}).id}}", quoted(&kind), deferred.waits.first().map(lookup_name).unwrap_or_default());
                Value::Unknown(Arc::new(Deferred { source, pieces, ..Deferred::clone(&deferred) }))
            }
            known => known.get("id").cloned().unwrap_or(known),
        })
    }

    fn check_variable(&self, name: &str, declaration: &Declaration, value: &Value, given: &Given) -> Result<(), Reported> {
        let span = given.span();
        let hidden = declaration.sensitive;
        let masked = |found: Diagnostic| if hidden { found.conceal(&span) } else { found };
        if let Some(sort) = declaration.sort
            && !sort.admits(value)
        {
            let wrong =
                Diagnostic::error("E0221", format!("variable `{name}` is declared as {}, and this is {}", sort.name(), value.sort()))
                    .at(&span, format!("{} is wanted", words(sort)))
                    .at(&declaration.span, "declared here");
            return self.refuse(masked(wrong));
        }
        if value.any(&|v| matches!(v, Value::Unknown(_) | Value::Secret(_))) {
            return Ok(());
        }
        if let Some(choices) = &declaration.choices
            && !choices.contains(value)
        {
            let all: Vec<String> = choices.iter().map(Value::key_text).collect();
            let shown = if hidden { String::new() } else { format!(" `{}`", value.key_text()) };
            let wrong = masked(Diagnostic::error("E0222", format!("variable `{name}` may not be{shown}")).at(&span, ""));
            return self
                .refuse(meant(wrong, &value.key_text(), all.iter().map(String::as_str), &span).at(&declaration.span, "declared here"));
        }
        if let (Some((regex, source)), Value::Text(text)) = (&declaration.pattern, value)
            && !regex.is_match(text)
        {
            let shown = if hidden { String::new() } else { format!(" is `{text}`, which") };
            let wrong = Diagnostic::error("E0222", format!("variable `{name}`{shown} does not match the pattern `{source}`"))
                .at(&span, "")
                .at(&declaration.span, "declared here");
            return self.refuse(masked(wrong));
        }
        Ok(())
    }

    /// The object that a lookup finds; unknown while nobody answered.
    pub fn lookup(&self, kind: &str, name: String, kind_span: &Span, span: &Span) -> Result<Value, Reported> {
        self.lookup_for(kind, name, "id", kind_span, span)
    }

    /// The object of this name, of which `field` is to be written where the name stands.
    pub fn lookup_for(&self, kind: &str, name: String, field: &str, kind_span: &Span, span: &Span) -> Result<Value, Reported> {
        let Some(kind) = self.inner.registry.get(kind) else {
            let wrong = Diagnostic::error("E0210", format!("`{kind}` is not a kind of resource")).at(kind_span, "");
            return self.refuse(meant(wrong, kind, self.inner.registry.iter().map(|k| k.name), kind_span));
        };
        let lookup = Lookup { kind: kind.name.to_owned(), name };
        self.lookups.borrow_mut().push((lookup.clone(), span.clone()));
        match self.answers.get(&lookup) {
            Some(Answer::Found(object)) => Ok(with_id(kind, object.clone())),
            None => {
                let source = format!("${{lookup({}, {})}}", quoted(&lookup.kind), quoted(&lookup.name));
                let pieces = vec![Piece::Expression("__0".to_owned())];
                Ok(Value::Unknown(Arc::new(Deferred { source, pieces, waits: vec![Variable::Lookup(lookup)], bound: Map::new() })))
            }
            Some(Answer::Missing(names)) => {
                let wrong = Diagnostic::error("E0210", format!("the workspace has no {} called `{}`", kind.singular, lookup.name))
                    .at(span, "asked here");
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                self.refuse(match suggest::nearest(&lookup.name, names.iter().copied()).or(names.first().copied()) {
                    Some(near) => wrong.help(format!("did you mean `{near}`?")),
                    None => wrong.help(format!(
                        "none of the {} that the caller may see has a name like it: declare it in this project, or write the name as the workspace shows it",
                        kind.many()
                    )),
                })
            }
            Some(Answer::Several(all)) => {
                let wrong = Diagnostic::error("E0211", format!("the workspace has {} called `{}`", kind.count(all.len()), lookup.name))
                    .at(span, "asked here")
                    .help(which_of(all, field));
                self.refuse(wrong)
            }
        }
    }
}

/// What to write instead of a name that several have: ids, or what else stands for them at this place.
fn which_of(all: &[Value], field: &str) -> String {
    let told: Vec<String> = all.iter().filter_map(|one| one.get(field)).map(Value::key_text).collect();
    let word = match field {
        "applicationId" => "application id",
        "id" => "id",
        other => other,
    };
    format!("their {word}s are {}; write the {word} itself, or give them different names", told.join(", "))
}

/// A found object, its id under `id` too.
fn with_id(kind: &Kind, mut object: Value) -> Value {
    let id = match kind.identity {
        Identity::Assigned(field) => object.get(field).cloned(),
        Identity::Named { parts, join, .. } => {
            let parts: Option<Vec<String>> = parts.iter().map(|p| object.get(p).map(Value::key_text)).collect();
            parts.map(|p| Value::Text(p.join(join)))
        }
        Identity::Single(word) => Some(Value::from(word)),
    };
    if let (Some(id), Some(map)) = (id, object.as_map_mut()) {
        map.insert("id".to_owned(), id);
    }
    object
}

fn inferred(default: &Value) -> Option<Sort> {
    match default {
        Value::Bool(_) => Some(Sort::Boolean),
        Value::Int(_) | Value::UInt(_) => Some(Sort::Integer),
        Value::Float(_) => Some(Sort::Number),
        Value::List(_) => Some(Sort::List),
        Value::Map(_) => Some(Sort::Map),
        Value::Null | Value::Text(_) | Value::Unknown(_) | Value::Secret(_) => None,
    }
}

/// A sensitive map or list: everything in it is a secret of its own, so that expressions can ask for a member.
fn concealed(place: &str, value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let is_word =
                |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !key.starts_with(|c: char| c.is_ascii_digit());
            let below = |key: &str| if is_word(key) { format!("{place}.{key}") } else { format!("{place}[{}]", quoted(key)) };
            Value::Map(map.iter().map(|(key, value)| (key.clone(), concealed(&below(key), value))).collect())
        }
        Value::List(items) => Value::List(items.iter().enumerate().map(|(i, item)| concealed(&format!("{place}[{i}]"), item)).collect()),
        Value::Null => Value::Null,
        single => secret_value(place, SecretFrom::Given(Held::new(single.key_text()))),
    }
}

fn secret_value(variable: &str, from: SecretFrom) -> Value {
    secret_of(SecretSource { name: format!("var.{variable}"), from }, format!("${{var.{variable}}}"))
}

fn lookup_name(variable: &Variable) -> String {
    if let Variable::Lookup(lookup) = variable { quoted(&lookup.name) } else { String::new() }
}
