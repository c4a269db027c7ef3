//! Where secrets come from: the `secrets:` map of `conf/project.yaml`, and reading one at the moment of sending.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use super::files::plain;
use super::findings::{Findings, known_keys, map, text, texts, wrong_sort};
use crate::model::{Outside, SecretFrom, SecretSource, bounded};
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
                bounded::read(path, bounded::CREDENTIALS)
                    .map_err(|e| format!("secret `{name}` cannot be read from {}: {}", path.display(), plain(&e)))?,
            );
            as_text(&bytes).ok_or_else(|| format!("secret `{name}` in {} is not UTF-8 text", path.display()))
        }
        SecretFrom::Command { command, folder } => {
            let (program, arguments) = command.split_first().ok_or_else(|| format!("secret `{name}` has an empty command"))?;
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let output = outside.system.run_within(program, &arguments, folder, LIMIT).map_err(|e| match e.kind() {
                ErrorKind::TimedOut => format!(
                    "secret `{name}`: `{program}` had not ended after {} seconds and was ended; a command that asks for something gets no answer",
                    LIMIT.as_secs()
                ),
                ErrorKind::Unsupported => format!(
                    "secret `{name}` comes from the command `{program}`, which was not run: commands are refused here (--no-commands, BRICKFORM_NO_COMMANDS)"
                ),
                _ => format!("secret `{name}`: `{program}` could not be started: {}", plain(&e)),
            })?;
            let stdout = Zeroizing::new(output.stdout);
            let said = |ended: String| match complaint(outside, &output.stderr, &stdout) {
                Some(complaint) => format!("{ended}: {complaint}"),
                None => ended,
            };
            match output.code {
                Some(0) => as_text(&stdout).ok_or_else(|| format!("secret `{name}`: what `{program}` printed is not UTF-8 text")),
                Some(code) => Err(said(format!("secret `{name}`: `{program}` ended with exit code {code}"))),
                None => Err(said(format!("secret `{name}`: `{program}` was ended by a signal"))),
            }
        }
    }
}

/// How long a command may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How much of what a command complained of is shown, in characters: its end.
const SHOWN: usize = 300;

/// Variables of the process environment whose values are nobody's secret, and would make a message unreadable if they were
/// left out of it. Any other may hold a secret, whatever its name says.
const HARMLESS: &[&str] = &[
    "CI", "EDITOR", "HOME", "HOSTNAME", "LANG", "LC_ALL", "LOGNAME", "OLDPWD", "PATH", "PWD", "SHELL", "SHLVL", "TEMP", "TERM", "TMP",
    "TMPDIR", "TZ", "USER",
];

/// What a failed command wrote to standard error, on one line. Whatever it printed as the secret, and what variables of
/// the process environment hold, is left out.
fn complaint(outside: &Outside, stderr: &[u8], stdout: &[u8]) -> Option<String> {
    let mut text = Zeroizing::new(String::from_utf8_lossy(stderr).into_owned());
    let printed = Zeroizing::new(String::from_utf8_lossy(stdout).into_owned());
    let held = outside.variables.iter().filter(|(name, _)| !HARMLESS.contains(&name.as_str())).map(|(_, value)| value.as_str());
    let mut hidden: Vec<&str> = printed.lines().chain([printed.trim()]).chain(held).map(str::trim).filter(|v| v.len() > 3).collect();
    hidden.sort_by_key(|value| std::cmp::Reverse(value.len())); // a value that holds another one first
    for value in hidden {
        *text = text.replace(value, "(hidden)");
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let count = line.chars().count();
    let end: String = line.chars().skip(count.saturating_sub(SHOWN)).collect();
    match (line.is_empty(), count > SHOWN) {
        (true, _) => None,
        (false, true) => Some(format!("…{end}")),
        (false, false) => Some(end),
    }
}

/// UTF-8 without one line end at the end.
fn as_text(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_suffix('\n').map_or(text, |t| t.strip_suffix('\r').unwrap_or(t));
    Some(Zeroizing::new(text.to_owned()))
}
