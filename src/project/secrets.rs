//! Where secrets come from: the `secrets:` map of `conf/project.yaml`, and reading one at the moment of sending.

use std::collections::BTreeMap;
use std::path::Path;

use zeroize::Zeroizing;

use super::files::plain;
use super::findings::{Findings, known_keys, map, text, texts, wrong_sort};
use crate::model::{Outside, SecretFrom, SecretSource};
use crate::yaml::Node;

/// The declared sources by name: `secrets: {NAME: {env: X} | {file: path} | {command: [program, argument]}}`.
pub fn declared(node: &Node, folder: &Path, findings: &mut Findings) -> BTreeMap<String, SecretFrom> {
    let Some(node) = map(node, "`secrets`", findings) else { return BTreeMap::new() };
    let mut sources = BTreeMap::new();
    for entry in node.entries() {
        let what = format!("secret `{}`", entry.key);
        known_keys(&entry.value, &["env", "file", "command"], &what, "E0302", findings);
        let source = match entry.value.entries() {
            [one] if one.key == "env" => text(&one.value, &what, findings).map(SecretFrom::Environment),
            [one] if one.key == "file" => text(&one.value, &what, findings).map(|path| SecretFrom::File(folder.join(path))),
            [one] if one.key == "command" => {
                let command: Vec<String> = texts(&one.value, &what, findings).into_iter().map(|(t, _)| t).collect();
                (!command.is_empty()).then(|| SecretFrom::Command { command, folder: folder.to_owned() })
            }
            _ => {
                findings.add(wrong_sort(&entry.value, &what, "one of `{env: NAME}`, `{file: PATH}` and `{command: [PROGRAM, ..]}`"));
                None
            }
        };
        if let Some(source) = source {
            sources.insert(entry.key.clone(), source);
        }
    }
    sources
}

/// Reads the secret of this name: from the process environment, or the file or command declared for it.
///
/// # Errors
/// A sentence that names the source and never the value.
pub fn read_secret(outside: &Outside, source: &SecretSource) -> Result<Zeroizing<String>, String> {
    outside.system.secret(source, &|| read(outside, source))
}

fn read(outside: &Outside, source: &SecretSource) -> Result<Zeroizing<String>, String> {
    let name = &source.name;
    match &source.from {
        SecretFrom::Given(held) => Ok(Zeroizing::new(held.expose().to_owned())),
        SecretFrom::Environment(variable) => outside
            .variable(variable)
            .map(|value| Zeroizing::new(value.to_owned()))
            .ok_or_else(|| format!("secret `{name}` is not there: the environment variable {variable} is not set")),
        SecretFrom::File(path) => {
            let bytes = Zeroizing::new(
                std::fs::read(path).map_err(|e| format!("secret `{name}` cannot be read from {}: {}", path.display(), plain(&e)))?,
            );
            as_text(&bytes).ok_or_else(|| format!("secret `{name}` in {} is not UTF-8 text", path.display()))
        }
        SecretFrom::Command { command, folder } => {
            let (program, arguments) = command.split_first().ok_or_else(|| format!("secret `{name}` has an empty command"))?;
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let output = outside
                .system
                .run(program, &arguments, folder)
                .map_err(|e| format!("secret `{name}`: `{program}` could not be started: {}", plain(&e)))?;
            let stdout = Zeroizing::new(output.stdout);
            match output.code {
                Some(0) => as_text(&stdout).ok_or_else(|| format!("secret `{name}`: what `{program}` printed is not UTF-8 text")),
                Some(code) => Err(format!("secret `{name}`: `{program}` ended with exit code {code}")),
                None => Err(format!("secret `{name}`: `{program}` was ended by a signal")),
            }
        }
    }
}

/// UTF-8 without one line end at the end.
fn as_text(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_suffix('\n').map_or(text, |t| t.strip_suffix('\r').unwrap_or(t));
    Some(Zeroizing::new(text.to_owned()))
}
