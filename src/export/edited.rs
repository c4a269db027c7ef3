//! Edited files: what they held, what they will hold, and the writing of them.

use std::io::Write;
use std::path::{Path, PathBuf};

/// One file with its edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// Its name as a user would type it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it held when it was read; none: it is new.
    pub before: Option<Vec<u8>>,
    /// What it is to hold.
    pub after: Vec<u8>,
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Somebody changed it meanwhile.
    #[error("`{0}` changed on disk while this was decided: nothing was written to it")]
    Changed(String),
    /// The system refuses.
    #[error("`{0}` cannot be written: {1}")]
    Io(String, #[source] std::io::Error),
}

impl Edited {
    /// The edit as a patch: three lines around each change.
    #[must_use]
    pub fn diff(&self) -> String {
        let before = self.before.as_deref().unwrap_or_default();
        let (Ok(was), Ok(will)) = (std::str::from_utf8(before), std::str::from_utf8(&self.after)) else {
            return format!("{} is no text: {} bytes become {}\n", self.name, before.len(), self.after.len());
        };
        let diff = similar::TextDiff::from_lines(was, will);
        let old = if self.before.is_some() { self.name.as_str() } else { "/dev/null" };
        diff.unified_diff().context_radius(3).header(old, &self.name).to_string()
    }
}

/// Writes all of them, or none that had changed meanwhile: each by a temporary file beside it that takes its place.
/// Permissions are kept, symbolic links are followed.
///
/// # Errors
/// Which one could not be written; those before it are.
pub fn write(edits: &[Edited]) -> Result<(), WriteError> {
    for edit in edits {
        let now = match std::fs::read(&edit.path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(WriteError::Io(edit.name.clone(), error)),
        };
        if now.as_deref().map(unmarked) != edit.before.as_deref().map(unmarked) {
            return Err(WriteError::Changed(edit.name.clone()));
        }
        if let Ok(known) = std::fs::metadata(&edit.path)
            && known.permissions().readonly()
        {
            let error = std::io::Error::new(std::io::ErrorKind::PermissionDenied, "it is read-only");
            return Err(WriteError::Io(edit.name.clone(), error));
        }
    }
    edits.iter().try_for_each(|edit| replace(&edit.path, &edit.after).map_err(|error| WriteError::Io(edit.name.clone(), error)))
}

/// Bytes without the byte order mark: who read the file may have left it out, or not.
fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

/// What the names of temporary files begin with, and how long the rest is.
const PREFIX: &str = ".brickform-";
const RANDOM: usize = 6;

/// A file's content replaced in one move.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder)?;
    clear(folder);
    let mut file = temporary(folder)?;
    file.write_all(content)?;
    match std::fs::metadata(&target) {
        Ok(known) => file.as_file().set_permissions(known.permissions())?,
        Err(_) => plain_permissions(file.as_file())?,
    }
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

/// A temporary file, locked as long as it is written: who finds one without a lock knows that nobody writes it any more.
fn temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    loop {
        let file = tempfile::Builder::new().prefix(PREFIX).rand_bytes(RANDOM).tempfile_in(folder)?;
        // Where there are no locks, nothing is cleared away either.
        let _ = file.as_file().try_lock();
        // Another process may have cleared it away before it was locked.
        if file.path().exists() {
            return Ok(file);
        }
    }
}

/// Takes away what processes left that ended while they wrote. What cannot be taken away harms nobody.
fn clear(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_ours = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).is_some_and(|rest| {
            rest.len() == RANDOM && rest.bytes().all(|b| b.is_ascii_alphanumeric()) && entry.file_type().is_ok_and(|sort| sort.is_file())
        });
        if !is_ours {
            continue;
        }
        let left = std::fs::OpenOptions::new().write(true).open(entry.path()).ok().filter(|file| file.try_lock().is_ok());
        if left.is_some() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// A new file is readable as files are; temporary ones are not.
#[cfg(unix)]
fn plain_permissions(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn plain_permissions(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Edited, write};

    #[test]
    fn what_a_process_left_that_ended_is_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in [".brickform-abc123", ".brickform-XyZ890", ".brickform-notes", ".brickform-abc12.yaml", "a.yaml"] {
            std::fs::write(at(name), "a\n").unwrap();
        }
        let written = std::fs::File::open(at(".brickform-XyZ890")).unwrap();
        written.try_lock().unwrap();
        let edit = Edited { name: "a.yaml".into(), path: at("a.yaml"), before: Some("a\n".into()), after: "b\n".into() };
        write(&[edit]).unwrap();
        let mut left: Vec<String> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, [".brickform-XyZ890", ".brickform-abc12.yaml", ".brickform-notes", "a.yaml"]);
    }

    #[test]
    fn a_byte_order_mark_is_no_change_of_somebody_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        for (on_disk, before, goes) in [
            ("\u{feff}a: 1\n", "\u{feff}a: 1\n", true),
            ("\u{feff}a: 1\n", "a: 1\n", true),
            ("\u{feff}a: 2\n", "a: 1\n", false),
            ("a: 1\n", "a: 1\n", true),
        ] {
            std::fs::write(&path, on_disk).unwrap();
            let edit = Edited { name: "a.yaml".into(), path: path.clone(), before: Some(before.into()), after: "b\n".into() };
            assert_eq!(write(&[edit]).is_ok(), goes, "{on_disk:?} {before:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), if goes { "b\n" } else { on_disk });
        }
    }
}
