//! Exported documents into files: whole or not at all, and never over something else unasked.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What may happen to a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// It stays, and that is an error.
    Never,
    /// It is replaced.
    Allowed,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exported {
    /// It was made.
    Written,
    /// It held another text.
    Replaced,
    /// It held this text already.
    Unchanged,
}

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Something else is in it.
    #[error("{} is there and holds something else", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
    },
    /// The disk.
    #[error("{} cannot be written: {error}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: std::io::Error,
    },
}

/// Writes a text into a file, by a file beside it that then takes its place. Missing folders are made.
///
/// # Errors
/// [`FileError`].
pub fn write(path: &Path, text: &str, overwrite: Overwrite) -> Result<Exported, FileError> {
    let disk = |error| FileError::Disk { path: path.to_owned(), error };
    let before = match std::fs::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(disk(error)),
    };
    match (&before, overwrite) {
        (Some(bytes), _) if bytes == text.as_bytes() => return Ok(Exported::Unchanged),
        (Some(_), Overwrite::Never) => return Err(FileError::Differs { path: path.to_owned() }),
        _ => {}
    }
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(disk)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(disk)?;
    file.write_all(text.as_bytes()).map_err(disk)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(disk)?;
    }
    file.as_file().sync_all().map_err(disk)?;
    file.persist(path).map_err(|error| disk(error.error))?;
    Ok(if before.is_some() { Exported::Replaced } else { Exported::Written })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.yaml");
        assert_eq!(write(&path, "x\n", Overwrite::Never).unwrap(), Exported::Written);
        assert_eq!(write(&path, "x\n", Overwrite::Never).unwrap(), Exported::Unchanged);
        assert!(matches!(write(&path, "y\n", Overwrite::Never), Err(FileError::Differs { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "x\n");
        assert_eq!(write(&path, "y\n", Overwrite::Allowed).unwrap(), Exported::Replaced);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "y\n");
        assert_eq!(std::fs::read_dir(folder.path().join("a")).unwrap().count(), 1, "nothing is left beside it");
    }
}
