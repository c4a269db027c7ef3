//! Files under the project's folder: finding them, reading them as sources, and the `file()` of expressions.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Source, suggest};
use crate::model::bounded;

/// The name of a file as a user would type it: relative to the folder, with `/`.
pub fn name_of(folder: &Path, path: &Path) -> String {
    let shown = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<String> = shown
        .components()
        .filter_map(|c| match c {
            Component::CurDir => None,
            Component::RootDir => Some(String::new()),
            other => Some(other.as_os_str().to_string_lossy().into_owned()),
        })
        .collect();
    parts.join("/")
}

/// Reads a file as a source.
pub fn read(folder: &Path, path: &Path) -> Result<Arc<Source>, Box<Diagnostic>> {
    let name = name_of(folder, path);
    let fail = |why: String| Diagnostic::error("E0310", format!("`{name}` cannot be read: {why}"));
    let bytes = bounded::own(path, bounded::YAML).map_err(|e| {
        let found = fail(plain(&e));
        let large = e.kind() == io::ErrorKind::InvalidData;
        Box::new(if large {
            found.help("divide it: all YAML files below conf/ are read; data belongs in files that `source:` names")
        } else {
            found
        })
    })?;
    source_of(name, bytes)
}

/// The same for a file that was found in the project: a link to somewhere else is not followed, so that nobody's project can
/// have lines of other files of this machine shown in messages.
pub fn read_own(folder: &Path, path: &Path) -> Result<Arc<Source>, Box<Diagnostic>> {
    let leads_out = || {
        let written = path.strip_prefix(folder).ok().filter(|p| p.components().all(|c| matches!(c, Component::Normal(_))))?;
        let (base, real) = (folder.canonicalize().ok()?, path.canonicalize().ok()?);
        (!real.starts_with(&base)).then(|| written.display().to_string())
    };
    match leads_out() {
        Some(name) => Err(Box::new(
            Diagnostic::error("E0310", format!("`{name}` is a link that leads out of the project's folder, and is not read"))
                .help("copy the file, or name where it is: `includes: [../shared/*.yaml]` in conf/project.yaml"),
        )),
        None => read(folder, path),
    }
}

/// The folder that an entry of `includes:` may not leave: the repository's (the nearest above with a `.git`), else the project's.
pub fn top(folder: &Path) -> PathBuf {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let found = real.ancestors().find(|above| above.join(".git").exists()).map(Path::to_path_buf);
    found.unwrap_or(real)
}

/// Whether a path, its links followed, stays below a folder that is given without links.
pub fn stays_in(top: &Path, path: &Path) -> bool {
    path.canonicalize().is_ok_and(|real| real.starts_with(top))
}

/// Why an entry of `includes:` is not followed: its path, up to its first `*`, is no part of the repository.
pub fn leads_out(folder: &Path, top: &Path, pattern: &str) -> Option<&'static str> {
    let given = Path::new(pattern);
    if given.has_root() || given.is_absolute() {
        return Some("is absolute");
    }
    // Behind a `*` nobody can see where `..` leads.
    let mut parts = given.components().skip_while(|part| !part.as_os_str().to_string_lossy().contains('*'));
    if parts.any(|part| part == Component::ParentDir) {
        return Some("has `..` behind a `*`");
    }
    let fixed: PathBuf = given.components().take_while(|part| !part.as_os_str().to_string_lossy().contains('*')).collect();
    let mut here = folder.canonicalize().ok()?;
    for part in fixed.components() {
        match part {
            Component::ParentDir => here = here.parent()?.to_path_buf(),
            Component::Normal(name) => here = here.join(name).canonicalize().unwrap_or_else(|_| here.join(name)),
            _ => {}
        }
        if !here.starts_with(top) {
            return Some("leads out of the repository");
        }
    }
    None
}

/// Bytes as a source: UTF-8 without NULs, and nothing else.
pub fn source_of(name: String, bytes: Vec<u8>) -> Result<Arc<Source>, Box<Diagnostic>> {
    if let Some(why) = bounded::binary(&bytes) {
        let found = Diagnostic::error("E0310", format!("`{name}` cannot be read: {why}"));
        return Err(Box::new(found.help("save it as UTF-8; a file of another sort does not belong where YAML is read")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Arc::new(Source { name, text })),
        Err(error) => {
            let (line, column) = whereabouts(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
            let why = format!("it is not UTF-8 at {line}:{column}");
            let found = Diagnostic::error("E0310", format!("`{name}` cannot be read: {why}"));
            Err(Box::new(found.help("save it as UTF-8: YAML of other encodings is not read")))
        }
    }
}

/// Line and column behind these bytes, counted from 1 in characters.
fn whereabouts(before: &[u8]) -> (usize, usize) {
    let text = String::from_utf8_lossy(before);
    let last = text.rsplit('\n').next().unwrap_or_default();
    (text.matches('\n').count() + 1, last.chars().count() + 1)
}

/// The words for an I/O error that do not depend on the system.
pub fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be read (permission denied)".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// Whether a file is read as YAML.
pub fn is_yaml(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
    // What bundles call a definition that a resource names.
    let apart = name.starts_with('.') || name.ends_with(".geniespace.json");
    !apart && path.extension().and_then(|e| e.to_str()).is_some_and(|e| matches!(e, "yaml" | "yml" | "json"))
}

/// Whether a file is a template that gives YAML.
pub fn is_yaml_template(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "hbs") && path.file_stem().is_some_and(|stem| is_yaml(Path::new(stem)))
}

/// All YAML files and templates of such below a folder, sorted; `skip` leaves out files and folders. A missing folder holds none.
pub fn walk(folder: &Path, skip: &dyn Fn(&Path) -> bool, into: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<PathBuf> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.map(|e| e.map(|e| e.path())).collect::<io::Result<_>>()?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if hidden || skip(&path) {
            continue;
        }
        if path.is_dir() {
            walk(&path, skip, into)?;
        } else if is_yaml(&path) || is_yaml_template(&path) {
            into.push(path);
        }
    }
    Ok(())
}

/// The files that an entry of `includes:` names: a file, a folder (recursive), or a pattern with `*` and `**`.
pub fn include(root: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !pattern.contains('*') {
        let path = root.join(pattern);
        if path.is_dir() {
            walk(&path, &|_| false, &mut found)?;
        } else if path.is_file() {
            found.push(path);
        }
        return Ok(found);
    }
    let fixed: PathBuf = Path::new(pattern).components().take_while(|c| !c.as_os_str().to_string_lossy().contains('*')).collect();
    let start = root.join(&fixed);
    walk(&start, &|_| false, &mut found)?;
    let wanted: Vec<String> =
        Path::new(pattern).components().skip(fixed.components().count()).map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    found.retain(|path| {
        let parts: Vec<String> =
            path.strip_prefix(&start).unwrap_or(path).components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
        segments_match(&wanted, &parts)
    });
    Ok(found)
}

fn segments_match(pattern: &[String], path: &[String]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            segments_match(rest, path) || path.split_first().is_some_and(|(_, below)| segments_match(pattern, below))
        }
        (Some((first, rest)), Some((name, below))) => word_matches(first, name) && segments_match(rest, below),
        _ => false,
    }
}

/// `*` is any run of characters.
fn word_matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    name.strip_prefix(before)
        .is_some_and(|rest| (0..=rest.len()).filter(|i| rest.is_char_boundary(*i)).any(|i| word_matches(after, &rest[i..])))
}

/// The names of the files in a folder, sorted; none where it cannot be read.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Why `file()` refused.
#[derive(Debug, thiserror::Error)]
pub enum FileRefused {
    /// An absolute path.
    #[error("`{0}` is absolute; files of a project are named relative to its folder")]
    Absolute(String),
    /// It leads out of the project, perhaps through a symbolic link.
    #[error("`{0}` leads out of the project's folder")]
    Outside(String),
    /// It cannot be read.
    #[error("`{0}` cannot be read: {1}")]
    Unreadable(String, String),
}

/// The text of a file of the project, for `file("sql/x.sql")`: UTF-8, as it is.
pub fn text_of(root: &Path, given: &str) -> Result<String, FileRefused> {
    let bytes = bytes_of(root, given)?;
    String::from_utf8(bytes).map_err(|_| FileRefused::Unreadable(given.to_owned(), "it is not UTF-8 text".to_owned()))
}

/// A file that was probably meant by a name that is missing, as it would be written: one of the same folder with nearly that
/// name, else the only one of that name anywhere in the project.
pub fn near(root: &Path, given: &str) -> Option<String> {
    let (folder, name) = given.rsplit_once('/').unwrap_or(("", given));
    let names = names_in(&root.join(folder));
    let stem = |name: &str| name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
    let near = suggest::nearest(name, names.iter().map(String::as_str));
    if let Some(near) = near.map(str::to_owned).or_else(|| names.iter().find(|n| stem(n) == stem(name)).cloned()) {
        return Some(if folder.is_empty() { near } else { format!("{folder}/{near}") });
    }
    let mut all = Vec::new();
    below(root, "", &mut all);
    let mut same = all.into_iter().filter(|path| path.rsplit('/').next() == Some(name));
    same.next().filter(|_| same.next().is_none())
}

/// What to say about a file that is missing where no other one was probably meant: what its folder holds.
pub fn there(root: &Path, given: &str) -> String {
    let folder = given.rsplit_once('/').map_or("", |(folder, _)| folder);
    let place = if folder.is_empty() { "the project's folder".to_owned() } else { format!("`{folder}/`") };
    if !root.join(folder).is_dir() {
        return format!("there is no folder {place}: names of files begin at the project's folder");
    }
    let names: Vec<String> = names_in(&root.join(folder)).into_iter().filter(|n| !n.starts_with('.')).collect();
    match names.len() {
        0 => format!("{place} is empty; names of files begin at the project's folder"),
        count => {
            let told = names.iter().take(TOLD).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
            let more = if count > TOLD { format!(" and {} more", count - TOLD) } else { String::new() };
            format!("{place} holds {told}{more}")
        }
    }
}

/// How many names a message tells.
const TOLD: usize = 5;

/// How many files are looked at for one of a name.
const LOOKED_AT: usize = 10_000;

/// All files below a folder by their names, sorted within each folder; hidden ones and what build tools make are left out.
fn below(root: &Path, folder: &str, into: &mut Vec<String>) {
    for name in names_in(&root.join(folder)) {
        if name.starts_with('.') || matches!(name.as_str(), "target" | "node_modules" | "__pycache__") || into.len() >= LOOKED_AT {
            continue;
        }
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let full = root.join(&path);
        // A link to a folder may lead round in a circle.
        if full.is_dir() && !full.is_symlink() {
            below(root, &path, into);
        } else if full.is_file() {
            into.push(path);
        }
    }
}

/// The bytes of a file of the project, which may not leave it.
pub fn bytes_of(root: &Path, given: &str) -> Result<Vec<u8>, FileRefused> {
    if Path::new(given).is_absolute() {
        return Err(FileRefused::Absolute(given.to_owned()));
    }
    let unreadable = |e: &io::Error| FileRefused::Unreadable(given.to_owned(), plain(e));
    let base = root.canonicalize().map_err(|e| unreadable(&e))?;
    let depth = Path::new(given).components().try_fold(0_i32, |depth, part| match part {
        Component::ParentDir if depth == 0 => None,
        Component::ParentDir => Some(depth - 1),
        Component::Normal(_) => Some(depth + 1),
        _ => Some(depth),
    });
    if depth.is_none() {
        return Err(FileRefused::Outside(given.to_owned()));
    }
    let path = base.join(given).canonicalize().map_err(|e| unreadable(&e))?;
    if !path.starts_with(&base) {
        return Err(FileRefused::Outside(given.to_owned()));
    }
    bounded::own(&path, bounded::CONTENT).map_err(|e| unreadable(&e))
}

#[cfg(test)]
mod tests {
    use super::{FileRefused, include, leads_out, name_of, text_of, top, word_matches};
    use std::path::Path;

    #[test]
    fn patterns() {
        for (pattern, name, want) in
            [("*.yaml", "a.yaml", true), ("*.yaml", "a.yml", false), ("a*b*c", "aXbYc", true), ("a*b", "ab", true), ("*", "", true)]
        {
            assert_eq!(word_matches(pattern, name), want, "{pattern} {name}");
        }
    }

    #[test]
    fn includes_name_files_folders_and_patterns() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["more/a.yaml", "more/deep/b.yml", "more/deep/c.txt"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        for (pattern, want) in [
            ("more/a.yaml", vec!["more/a.yaml"]),
            ("more", vec!["more/a.yaml", "more/deep/b.yml"]),
            ("more/*.yaml", vec!["more/a.yaml"]),
            ("more/**/*.yml", vec!["more/deep/b.yml"]),
            ("more/**", vec!["more/a.yaml", "more/deep/b.yml"]),
            ("none/*", vec![]),
        ] {
            let found: Vec<String> = include(folder.path(), pattern).unwrap().iter().map(|p| name_of(folder.path(), p)).collect();
            assert_eq!(found, want, "{pattern}");
        }
    }

    #[test]
    fn includes_stay_in_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let project = base.join("repository/project");
        for name in ["repository/.git", "repository/shared", "repository/project/more", "elsewhere"] {
            std::fs::create_dir_all(base.join(name)).unwrap();
        }
        let top = top(&project);
        assert_eq!(top, base.join("repository"));
        #[cfg(unix)]
        std::os::unix::fs::symlink(base.join("elsewhere"), project.join("link")).unwrap();
        for (pattern, want) in [
            ("more/*.yaml", None),
            ("../shared/**", None),
            ("../../elsewhere", Some("leads out of the repository")),
            ("/etc/passwd", Some("is absolute")),
            ("more/*/../../../x", Some("has `..` behind a `*`")),
            #[cfg(unix)]
            ("link/creds", Some("leads out of the repository")),
        ] {
            assert_eq!(leads_out(&project, &top, pattern), want, "{pattern}");
        }
        assert_eq!(super::top(&base.join("elsewhere")), base.join("elsewhere"));
    }

    #[test]
    fn file_never_leaves_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        std::fs::create_dir_all(root.join("sql")).unwrap();
        std::fs::write(root.join("sql/x.sql"), "SELECT 1\n").unwrap();
        std::fs::write(folder.path().join("secret.txt"), "no").unwrap();
        assert_eq!(text_of(&root, "sql/../sql/x.sql").unwrap(), "SELECT 1\n");
        assert!(matches!(text_of(&root, "../secret.txt"), Err(FileRefused::Outside(_))));
        assert!(matches!(text_of(&root, "/etc/passwd"), Err(FileRefused::Absolute(_))));
        assert!(matches!(text_of(&root, "sql/none.sql"), Err(FileRefused::Unreadable(..))));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path().join("secret.txt"), root.join("link")).unwrap();
            assert!(matches!(text_of(&root, "link"), Err(FileRefused::Outside(_))));
        }
        assert!(text_of(Path::new("/nonexistent"), "x").is_err());
    }
}
