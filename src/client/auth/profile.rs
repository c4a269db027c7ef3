//! Profiles of `~/.databrickscfg`: an INI file, read by a parser of our own because messages need the line of each key.
//!
//! Read as the SDKs do: `[DEFAULT]` is a profile and passes nothing on to others; `[__settings__]` is none; a comment
//! begins with `#` or `;`, behind a value only after a blank.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::AuthError;
use crate::model::{Outside, bounded};

/// The section that holds settings of the tools.
const SETTINGS: &str = "__settings__";

/// A configuration file.
pub struct ProfileFile {
    /// Its name, as messages cite it.
    pub name: String,
    sections: BTreeMap<String, Section>,
}

/// The keys of a profile with their values and lines.
pub type Section = BTreeMap<String, (Zeroizing<String>, usize)>;

impl ProfileFile {
    /// Reads the file; none where there is none.
    ///
    /// # Errors
    /// It is there but cannot be read, or a line means nothing.
    pub fn read(path: &Path, outside: &Outside) -> Result<Option<Self>, AuthError> {
        let name = shown(path, outside);
        match bounded::text(path, bounded::CREDENTIALS) {
            Ok(text) => Self::parse(name, &Zeroizing::new(text)).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(AuthError::File { file: name, line: None, why: error.to_string() }),
        }
    }

    fn parse(name: String, text: &str) -> Result<Self, AuthError> {
        let mut sections: BTreeMap<String, Section> = BTreeMap::new();
        let mut current = "DEFAULT".to_owned();
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let number = index + 1;
            let fail = |why: &str| AuthError::File { file: name.clone(), line: Some(number), why: why.to_owned() };
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let (section, after) = rest.split_once(']').ok_or_else(|| fail("the `]` of the profile's name is missing"))?;
                if !without_comment(after).is_empty() {
                    return Err(fail("something follows the `]` of the profile's name"));
                }
                section.trim().clone_into(&mut current);
                sections.entry(current.clone()).or_default();
                continue;
            }
            let at = line.find(['=', ':']).ok_or_else(|| fail("neither `[profile]` nor `key = value`"))?;
            let key = line[..at].trim().to_owned();
            if key.is_empty() {
                return Err(fail("the key before `=` is missing"));
            }
            let value = unquoted(without_comment(&line[at + 1..]));
            sections.entry(current.clone()).or_default().insert(key, (Zeroizing::new(value.to_owned()), number));
        }
        Ok(Self { name, sections })
    }

    /// The profile of this name.
    pub fn profile(&self, name: &str) -> Option<&Section> {
        self.sections.get(name).filter(|_| name != SETTINGS)
    }

    /// The profile that is meant where none is named: `default_profile` of the settings (with its line), else `DEFAULT`.
    pub fn default_name(&self) -> Option<(String, usize)> {
        match self.sections.get(SETTINGS).and_then(|settings| settings.get("default_profile")) {
            Some((name, line)) if !name.is_empty() => Some((name.to_string(), *line)),
            _ => self.sections.contains_key("DEFAULT").then(|| ("DEFAULT".to_owned(), 1)),
        }
    }

    /// The profiles' names, sorted.
    pub fn names(&self) -> Vec<String> {
        self.sections.keys().filter(|name| *name != SETTINGS).cloned().collect()
    }
}

/// The file that counts: the one named, else `~/.databrickscfg`.
pub fn file_path(named: Option<&str>, outside: &Outside) -> Option<PathBuf> {
    match named {
        Some(named) => Some(outside.path(named)),
        None => outside.home().map(|home| home.join(".databrickscfg")),
    }
}

fn shown(path: &Path, outside: &Outside) -> String {
    match outside.home().and_then(|home| path.strip_prefix(home).ok().map(Path::to_path_buf)) {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

fn without_comment(text: &str) -> &str {
    let end = text.char_indices().zip(text.chars().skip(1)).find(|((_, blank), mark)| blank.is_whitespace() && matches!(mark, '#' | ';'));
    text[..end.map_or(text.len(), |((at, _), _)| at)].trim()
}

fn unquoted(text: &str) -> &str {
    ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "host = https://a\ntoken: t0\n\n[__settings__]\ndefault_profile = PROD\n# comment\n[PROD] ; here\nhost=https://b # c\nclient_id = \"x y\"\nclient_secret = s#1;2\n";

    #[test]
    fn reads_profiles_with_lines() {
        let file = ProfileFile::parse("f".into(), FILE).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(file.names(), ["DEFAULT", "PROD"]);
        assert_eq!(file.default_name(), Some(("PROD".into(), 5)));
        let got: Vec<_> = file.profile("PROD").unwrap().iter().map(|(k, (v, line))| (k.as_str(), v.as_str(), *line)).collect();
        assert_eq!(got, [("client_id", "x y", 9), ("client_secret", "s#1;2", 10), ("host", "https://b", 8)]);
        assert_eq!(file.profile("DEFAULT").unwrap()["token"].0.as_str(), "t0");
        assert!(file.profile(SETTINGS).is_none());
    }

    #[test]
    fn mistakes_have_lines() {
        for (text, line) in [("[a\n", 1), ("[a]\nhost\n", 2), ("[a] b\n", 1), ("\n= x\n", 2)] {
            match ProfileFile::parse("f".into(), text) {
                Err(AuthError::File { line: Some(got), .. }) => assert_eq!(got, line, "{text:?}"),
                _ => panic!("{text:?} was read"),
            }
        }
    }
}
