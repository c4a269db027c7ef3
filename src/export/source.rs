//! Drift of what is in a file of the project: a notebook's source, a file's bytes, a text that `file()` reads. The live content
//! goes back into that file, in the file's own way of writing.

use std::path::Path as FilePath;

use base64::Engine as _;

use super::edited::Edited;
use super::place::{Put, What};
use super::write::{Into, Writer};
use crate::kinds::{BYTES, Kind};
use crate::model::{Address, Path, Value};
use crate::project::{Desired, Resource};
use crate::yaml::{Data, Node};

const MARK: char = '\u{feff}';

impl Writer<'_> {
    /// Takes the differences out that are about what a file of the project holds, and writes those into it.
    pub(super) fn content<'n>(&mut self, resource: &Resource, found: Vec<Put<'n>>, target: &Value) -> Vec<Put<'n>> {
        let Some((from, to)) = resource.kind.content else { return found };
        let Some(file) = self.ask.desired.sources.get(&resource.address).filter(|_| resource.node.get(to).is_none()) else { return found };
        let (ours, others): (Vec<Put<'n>>, Vec<Put<'n>>) = found.into_iter().partition(|p| p.path.first_field() == Some(to));
        if ours.iter().all(|p| matches!(p.what, What::Remove | What::Untold)) {
            return others;
        }
        let path = Path::field(from);
        match target.get(to) {
            Some(Value::Text(text)) => {
                let before = std::fs::read(self.ask.project.folder.join(file)).unwrap_or_default();
                let normal = |text: &str| normal(resource.kind, (from, file), to, target, text);
                self.fill_file(resource, &path, file, spelled(&before, text, &normal));
            }
            Some(value) => match value.get(BYTES).and_then(Value::as_str).map(|b| base64::engine::general_purpose::STANDARD.decode(b)) {
                Some(Ok(bytes)) => self.fill_file(resource, &path, file, bytes),
                _ => self.refuse(&resource.address, &path, "the workspace did not say what is in it", "put it back, or ignore it"),
            },
            None => {}
        }
        others
    }

    /// Gives a file whose text a field has another one, with the line ends of the file, and the last one where only the field leaves
    /// it out. `base` is what the field makes of the text that is there.
    pub(super) fn fill_text(&mut self, resource: &Resource, path: &Path, file: &str, base: &str, text: &str) {
        let before = std::fs::read(self.ask.project.folder.join(file)).unwrap_or_default();
        let content = alike(std::str::from_utf8(&before).unwrap_or_default(), base, text);
        self.fill_file(resource, path, file, content.into_bytes());
    }

    /// Gives a file of the project another content, if it is this resource's alone.
    pub(super) fn fill_file(&mut self, resource: &Resource, path: &Path, file: &str, content: Vec<u8>) {
        let address = &resource.address;
        if self.ask.into == Into::Overlay {
            let why = format!("it is what `{file}` holds, and an overlay cannot say that in part");
            return self.refuse(address, path, why, "leave `--overlay` out, or name another file in the overlay");
        }
        if fields(&self.ask.project.folder, resource, file) > 1 {
            let why = format!("several fields of {address} have their text from `{file}`");
            return self.refuse(address, path, why, "give each a file of its own, put it back, or ignore it");
        }
        let users = users(self.ask.desired, &self.ask.project.folder, file);
        if users.iter().any(|user| user != address) {
            let names: Vec<String> = users.iter().map(ToString::to_string).collect();
            let why = format!("`{file}` is the content of several: {}", names.join(", "));
            return self.refuse(address, path, why, "give it a file of its own, put it back, or ignore it");
        }
        let place = self.ask.project.folder.join(file);
        match std::fs::read(&place) {
            Ok(before) => {
                let edit = Edited { name: file.to_owned(), path: place, before: Some(before), after: content };
                self.sources.insert(file.to_owned(), edit);
                self.told(resource, path, file);
            }
            Err(error) => self.refuse(address, path, format!("`{file}` cannot be read: {error}"), "put the file back, then run it again"),
        }
    }
}

/// The resources that have their content, or a text of theirs, from a file; sorted.
fn users(desired: &Desired, folder: &FilePath, file: &str) -> Vec<Address> {
    let real = |name: &str| folder.join(name).canonicalize().ok();
    let this = real(file);
    let is_it = |name: &str| name == file || (this.is_some() && real(name) == this);
    let by_source = |a: &Address| desired.sources.get(a).is_some_and(|name| is_it(name));
    let by_definition = |r: &Resource| super::packed::member(r).is_some_and(|entry| is_it(&entry.value.span.source.name));
    // A folder that is there for what is in it has the tree of that.
    let declared = desired.resources.iter().filter(|(_, r)| !r.is_implied());
    let all = declared.filter(|(a, r)| by_source(a) || readers(&r.node, &is_it) > 0 || by_definition(r));
    all.map(|(a, _)| a.clone()).collect()
}

/// How many fields of a resource read a file by an expression.
fn fields(folder: &FilePath, resource: &Resource, file: &str) -> usize {
    let this = folder.join(file).canonicalize().ok();
    let is_it = |name: &str| name == file || (this.is_some() && folder.join(name).canonicalize().ok() == this);
    readers(&resource.node, &is_it)
}

/// How many texts of a tree read a file by an expression.
fn readers(node: &Node, is_it: &dyn Fn(&str) -> bool) -> usize {
    match &node.data {
        Data::Scalar(scalar) => {
            let mut calls = scalar.text.split("file(").skip(1).filter_map(first_text);
            usize::from(scalar.text.contains("${") && calls.any(is_it))
        }
        Data::List(items) => items.iter().map(|n| readers(n, is_it)).sum(),
        Data::Map(entries) => entries.iter().map(|e| readers(&e.value, is_it)).sum(),
    }
}

/// The quoted text that something begins with.
fn first_text(rest: &str) -> Option<&str> {
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split(quote).next()
}

/// A text as the file writes it that had this one before, of which the field made `base`.
fn alike(before: &str, base: &str, text: &str) -> String {
    let mut text = text.to_owned();
    if before.ends_with('\n') && !base.ends_with('\n') && !text.ends_with('\n') {
        text.push('\n');
    }
    // Where the field counts how lines end, they are the text's own.
    let counts = base.contains("\r\n");
    if before.contains("\r\n") && !counts && !text.contains("\r\n") {
        text = text.replace('\n', "\r\n");
    }
    if before.starts_with(MARK) && !base.starts_with(MARK) && !text.starts_with(MARK) {
        text.insert(0, MARK);
    }
    text
}

/// What the kind makes of a content.
fn normal(kind: &Kind, (from, file): (&str, &str), to: &str, body: &Value, text: &str) -> Option<String> {
    let Value::Map(mut map) = body.clone() else { return None };
    map.insert(from.to_owned(), Value::text(file));
    map.insert(to.to_owned(), Value::text(text));
    let body = match kind.hooks.normal {
        Some(normal) => normal(Value::Map(map)),
        None => Value::Map(map),
    };
    body.get(to)?.as_str().map(str::to_owned)
}

/// A live text as the file writes it: its line ends, whether it ends in one, its byte order mark, and without a first line
/// that the file leaves to the kind. Each only where the kind means the same by it; else the live bytes are taken as they are.
fn spelled(before: &[u8], live: &str, normal: &dyn Fn(&str) -> Option<String>) -> Vec<u8> {
    let Ok(before) = std::str::from_utf8(before) else { return live.as_bytes().to_vec() };
    let mut text = live.to_owned();
    let take = |candidate: String, text: &mut String| {
        if normal(&candidate).as_deref() == Some(live) {
            *text = candidate;
        }
    };
    let first = |text: &str| text.trim_start_matches(MARK).lines().next().unwrap_or_default().to_owned();
    let given = normal(before).map(|n| first(&n)).filter(|line| *line != first(before) && *line == first(live));
    if given.is_some() {
        let rest = text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        take(rest, &mut text);
    }
    if !before.is_empty() && !before.ends_with('\n') {
        take(text.trim_end_matches(['\r', '\n']).to_owned(), &mut text);
    }
    let ends = before.matches('\n').count();
    if ends > 0 && before.matches("\r\n").count() * 2 > ends && !text.contains("\r\n") {
        take(text.replace('\n', "\r\n"), &mut text);
    }
    if before.starts_with(MARK) && !text.starts_with(MARK) {
        take(format!("{MARK}{text}"), &mut text);
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{alike, first_text, normal, spelled};
    use crate::kinds::Registry;
    use crate::model::Value;

    const HEADER: &str = "# Databricks notebook source\n";

    #[test]
    fn a_live_notebook_is_written_the_way_its_file_writes() {
        let kind = Registry::standard().get("notebooks").expect("a kind");
        let body = Value::map([("path", "/a"), ("format", "SOURCE"), ("language", "PYTHON")].map(|(k, v)| (k, Value::text(v))));
        let live = format!("{HEADER}x = 2\ny = 3\n");
        for (before, want) in [
            ("# Databricks notebook source\nx = 1\n", live.clone()),
            ("x = 1\n", "x = 2\ny = 3\n".to_owned()),
            ("x = 1", "x = 2\ny = 3".to_owned()),
            ("x = 1\r\n", "x = 2\r\ny = 3\r\n".to_owned()),
            ("# Databricks notebook source\r\nx = 1\r\n", live.replace('\n', "\r\n")),
            ("\u{feff}x = 1\n", "\u{feff}x = 2\ny = 3\n".to_owned()),
            ("", "x = 2\ny = 3\n".to_owned()),
        ] {
            let normal = |text: &str| normal(kind, ("source", "a.py"), "content", &body, text);
            assert_eq!(String::from_utf8(spelled(before.as_bytes(), &live, &normal)).unwrap(), want, "{before:?}");
        }
    }

    #[test]
    fn a_live_file_is_written_byte_for_byte() {
        let kind = Registry::standard().get("files").expect("a kind");
        let body = Value::map([("path", Value::text("/a"))]);
        let normal = |text: &str| normal(kind, ("source", "a.sh"), "content", &body, text);
        for (before, live) in [("a\r\n", "b\n"), ("a", "b\n\n"), ("\u{feff}a\n", "b"), ("a\n", "b\r\n")] {
            assert_eq!(spelled(before.as_bytes(), live, &normal), live.as_bytes(), "{before:?}");
        }
    }

    #[test]
    fn a_text_of_a_file_is_written_the_way_the_file_is() {
        for (before, base, text, want) in [
            ("a\nb\n", "a\nb", "a\nc", "a\nc\n"),
            ("a\nb\n", "a\nb\n", "a\nc", "a\nc"),
            ("a\nb", "a\nb", "a\nc", "a\nc"),
            ("a\r\nb\r\n", "a\nb", "a\nc", "a\r\nc\r\n"),
            ("a\r\nb\r\n", "a\r\nb\r\n", "a\nc\n", "a\nc\n"),
            ("a\n", "a", "", "\n"),
            ("", "", "a", "a"),
        ] {
            assert_eq!(alike(before, base, text), want, "{before:?} {base:?}");
        }
    }

    #[test]
    fn the_file_that_a_call_names() {
        for (rest, want) in
            [("\"a.sql\") }", Some("a.sql")), ("'a.sql')", Some("a.sql")), (" \"b\" )", Some("b")), ("name)", None), ("", None)]
        {
            assert_eq!(first_text(rest), want, "{rest}");
        }
    }
}
