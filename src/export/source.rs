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

    /// Gives a file of the project another content, if it is this resource's alone.
    pub(super) fn fill_file(&mut self, resource: &Resource, path: &Path, file: &str, content: Vec<u8>) {
        let address = &resource.address;
        if self.ask.into == Into::Overlay {
            let why = format!("it is what `{file}` holds, and an overlay cannot say that in part");
            return self.refuse(address, path, why, "leave `--overlay` out, or name another file in the overlay");
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
    let all = desired.resources.iter().filter(|(a, r)| by_source(a) || reads(&r.node, &is_it));
    all.map(|(a, _)| a.clone()).collect()
}

/// Whether an expression of a tree reads a file.
fn reads(node: &Node, is_it: &dyn Fn(&str) -> bool) -> bool {
    match &node.data {
        Data::Scalar(scalar) => {
            let calls = scalar.text.split("file(").skip(1);
            scalar.text.contains("${") && calls.filter_map(first_text).any(is_it)
        }
        Data::List(items) => items.iter().any(|n| reads(n, is_it)),
        Data::Map(entries) => entries.iter().any(|e| reads(&e.value, is_it)),
    }
}

/// The quoted text that something begins with.
fn first_text(rest: &str) -> Option<&str> {
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split(quote).next()
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
    use super::{first_text, normal, spelled};
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
    fn the_file_that_a_call_names() {
        for (rest, want) in
            [("\"a.sql\") }", Some("a.sql")), ("'a.sql')", Some("a.sql")), (" \"b\" )", Some("b")), ("name)", None), ("", None)]
        {
            assert_eq!(first_text(rest), want, "{rest}");
        }
    }
}
