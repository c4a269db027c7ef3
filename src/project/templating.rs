//! Templates with the names of a project: `template()` in expressions, and sources that give YAML.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::expression::{self, Place};
use super::files;
use super::findings::Reported;
use super::load::Inner;
use super::scope::{In, Resolver};
use super::templates::{Piece, Text, pieces};
use super::unrendered::Reader;
use crate::diagnostic::{Diagnostic, Source, Span, suggest};
use crate::model::{Map, Value};
use crate::yaml::Node;

impl Resolver<'_> {
    /// `template("sql/x.sql.hbs", table="t")`.
    pub fn template(&self, arguments: &[(usize, usize)], place: &Place<'_>, whole: &Span, scope: &In<'_, '_>) -> Result<Value, Reported> {
        let Some(((from, to), named)) = arguments.split_first() else {
            return self.refuse(
                Diagnostic::error("E0203", "template() takes a path, and may take names: `template(\"x.hbs\", table=\"t\")`").at(whole, ""),
            );
        };
        let part = place.part(*from, *to);
        let path = match expression::argument(&part, scope)? {
            Value::Text(path) => path,
            other => {
                let message = format!("the path of a template must be text that is known, not {}", other.sort());
                return self.refuse(Diagnostic::error("E0203", message).at(&part.whole(), ""));
            }
        };
        let mut given = Map::new();
        for (from, to) in named {
            let part = place.part(*from, *to);
            let Some((name, _)) = part.text.split_once('=').filter(|(name, _)| is_name(name.trim())) else {
                let wrong = Diagnostic::error("E0203", "behind its path, template() takes names: `table=\"t\"`");
                return self.refuse(wrong.at(&part.whole(), ""));
            };
            let begins = from + name.len() + 1;
            given.insert(name.trim().to_owned(), expression::argument(&place.part(begins, *to), scope)?);
        }
        let source = match files::text_of(&self.inner.folder, &path) {
            Ok(text) => Arc::new(Source { name: path.clone(), text: self.merged(&path, text)? }),
            Err(why) => return self.refuse(no_file("template()", &self.inner.folder, &path, &why, &part.whole())),
        };
        self.left_in(&source, Reader::Template, &given.keys().map(String::as_str).collect::<Vec<_>>());
        let read = Text::read(&self.inner.folder, source).map_err(|wrong| self.all(wrong))?;
        let names = names(&read, given, scope)?;
        let (rendered, waiting) = read.render(&names).map_err(|wrong| self.all(wrong))?;
        let parts = pieces(&rendered.text, &waiting)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => Ok(text),
                Piece::Value(value) => Err(value),
            })
            .collect();
        expression::joined(&format!("${{{}}}", place.text.trim()), parts)
            .or_else(|sort| self.refuse(Diagnostic::error("E0208", format!("a value of the template is {sort}")).at(whole, "")))
    }

    fn all(&self, wrong: Vec<Diagnostic>) -> Reported {
        self.findings.borrow_mut().extend(wrong);
        Reported
    }
}

/// The documents of a source that is a template, with places in the template.
///
/// # Errors
/// What is wrong with the template, or with the YAML that it gives; what was wrong with variables has been reported.
pub fn source(scope: &In<'_, '_>, source: Arc<Source>) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let folder = &scope.resolver.inner.folder;
    let read = Text::read(folder, source)?;
    let names = names(&read, Map::new(), scope).map_err(|Reported| Vec::new())?;
    let mut wrong = Vec::new();
    for word in read.words() {
        let Some(name) = word.steps().first().map(|first| (*first).to_owned()) else { continue };
        if let Some(value @ (Value::Unknown(_) | Value::Secret(_))) = names.get(&name) {
            wrong.push(
                Diagnostic::error("E0231", format!("`{name}` is {} when the YAML is read", value.sort()))
                    .at(&word.span, "")
                    .help(format!("write `${{{name}}}`: expressions are evaluated after the template, and may wait")),
            );
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let (rendered, _) = read.render(&names)?;
    let text = Arc::new(Source { name: String::new(), text: rendered.text.clone() });
    match crate::yaml::parse(&text) {
        Ok(documents) => Ok(documents.into_iter().map(|node| rendered.node(node)).collect()),
        Err(found) => Err(found.into_iter().map(|one| rendered.diagnostic(one)).collect()),
    }
}

/// What the names of a template stand for: only those that it mentions are evaluated.
fn names(text: &Text, given: Map, scope: &In<'_, '_>) -> Result<Map, Reported> {
    let resolver = scope.resolver;
    let inner: &Inner = resolver.inner;
    let known: Vec<&str> = inner.variables.keys().map(String::as_str).chain(given.keys().map(String::as_str)).collect();
    let declared = |word: &str| known.contains(&word) || matches!(word, "env" | "var") || word == "each" && scope.each.is_some();
    let undefined = text.undefined(&declared, &known);
    if !undefined.is_empty() {
        return Err(resolver.all(undefined));
    }
    let mut variables: BTreeSet<(&str, Span)> = BTreeSet::new();
    let mut names = Map::new();
    let mut failed = false;
    let mut environment = Map::new();
    let mut all = Map::new();
    for word in text.words() {
        let steps = word.steps();
        match steps.as_slice() {
            [name, ..] if given.contains_key(*name) => {}
            ["env", member, ..] => match *member {
                "name" | "host" => match resolver.environment(member, &word.span) {
                    Ok(value) => drop(environment.insert((*member).to_owned(), value)),
                    Err(Reported) => failed = true,
                },
                other => {
                    let wrong = Diagnostic::error("E0230", format!("`env.{other}` is not defined")).at(&word.span, "");
                    resolver.report(wrong.help("there is `env.name` and `env.host`"));
                    failed = true;
                }
            },
            ["var", name, ..] => {
                if let Some((name, _)) = inner.variables.get_key_value(*name) {
                    {
                        variables.insert((name.as_str(), word.span.clone()));
                    }
                } else {
                    let wrong = Diagnostic::error("E0230", format!("`{name}` is not defined in this template")).at(&word.span, "");
                    let near = suggest::nearest(name, inner.variables.keys().map(String::as_str));
                    resolver.report(near.map_or(wrong.clone(), |near| wrong.help(format!("did you mean `var.{near}`?"))));
                    failed = true;
                }
            }
            [name, ..] => {
                if let Some((name, _)) = inner.variables.get_key_value(*name) {
                    variables.insert((name.as_str(), word.span.clone()));
                }
            }
            [] => {}
        }
    }
    for (name, span) in variables {
        if all.contains_key(name) {
            continue;
        }
        let Some(defined) = inner.variables.get(name) else { continue };
        match resolver.variable(name, defined, &span) {
            Ok(value) => {
                names.insert(name.to_owned(), value.clone());
                all.insert(name.to_owned(), value);
            }
            Err(Reported) => failed = true,
        }
    }
    if failed {
        return Err(Reported);
    }
    names.insert("env".to_owned(), Value::Map(environment));
    names.insert("var".to_owned(), Value::Map(all));
    if let Some(each) = scope.each {
        names.insert("each".to_owned(), each.clone());
    }
    names.extend(given);
    Ok(names)
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c == '_' || c.is_alphanumeric()) && !word.starts_with(|c: char| c.is_ascii_digit())
}

/// A file that cannot be read, with the one that was probably meant.
pub fn no_file(function: &str, folder: &std::path::Path, path: &str, why: &files::FileRefused, span: &Span) -> Diagnostic {
    let found = Diagnostic::error("E0213", format!("{function}: {why}")).at(span, "");
    if !matches!(why, files::FileRefused::Unreadable(..)) {
        return found;
    }
    match files::near(folder, path) {
        // A file that is there and cannot be read is its own nearest.
        Some(near) if near == path => found,
        Some(near) => {
            let quoted = super::findings::span_text(span);
            let found = found.help(format!("did you mean `{near}`?"));
            match quoted.find(path) {
                Some(at) => found.patch(&span.within(at, at + path.len()), near),
                None => found,
            }
        }
        None => found.help(files::there(folder, path)),
    }
}
