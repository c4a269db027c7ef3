//! Where the embedded workspace of an environment is: one database file, opened by one process at a time. A process
//! that serves it says so in a small file beside it, held under a lock for as long as it lives.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Failure, Run};
use crate::local::{Faint, LocalOptions, LocalWorkspace};
use crate::model::Outside;

/// The files of one embedded workspace.
pub struct Place {
    database: PathBuf,
}

impl Place {
    /// Of an environment of a project in this folder.
    pub fn in_project(folder: &Path, environment: &str) -> Self {
        Self { database: folder.join(".brickform").join("local").join(format!("{environment}.redb")) }
    }

    /// As the command line says: a file; else the environment of the project around here that every command would take:
    /// `--env`, `default_environment`, the only one. Without a project, and where a mistake in its files stands in the way of
    /// choosing, it is `local`: mistakes in resources do not stop the workspace.
    ///
    /// # Errors
    /// There are several environments, and nothing says which.
    pub fn of(run: &Run<'_>, file: Option<&str>) -> Result<Self, Failure> {
        if let Some(file) = file {
            return Ok(Self { database: run.outside.path(file) });
        }
        let start = run.options.project_dir.as_deref().map_or_else(|| run.outside.folder.clone(), |f| run.outside.path(f));
        let folder = start.ancestors().find(|f| f.join("conf").join("project.yaml").is_file()).unwrap_or(&start);
        if let Some(named) = run.options.environment.as_deref() {
            return Ok(Self::in_project(folder, named));
        }
        match crate::project::chosen(run.outside, &run.options.ask(run.outside)?) {
            Ok(name) => Ok(Self::in_project(folder, &name)),
            Err(failed) if failed.diagnostics.iter().any(|d| d.code == "E0305") => Err(Failure::Project(failed)),
            Err(_) => Ok(Self::in_project(folder, "local")),
        }
    }

    /// The file as messages name it: relative to the current folder where it is below it.
    pub fn shown(&self, outside: &Outside) -> String {
        self.database.strip_prefix(&outside.folder).unwrap_or(&self.database).display().to_string()
    }

    /// Opens the database; makes its folder first.
    pub fn open(&self, options: LocalOptions) -> Result<LocalWorkspace, Failure> {
        if let Some(folder) = self.database.parent() {
            fs::create_dir_all(folder).map_err(|error| Failure::machine(format!("{} cannot be made: {error}", folder.display())))?;
        }
        Ok(LocalWorkspace::open(&self.database, options)?)
    }

    /// The same, for commands: where this process has it open already, for a state that is kept in it, it is that one.
    pub fn shared(&self, outside: &Outside) -> Result<LocalWorkspace, Failure> {
        static OPEN: Mutex<BTreeMap<PathBuf, Faint>> = Mutex::new(BTreeMap::new());
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(workspace) = open.get(&self.database).and_then(Faint::workspace) {
            return Ok(workspace);
        }
        let workspace = self.open(LocalOptions { outside: Some(outside.clone()), ..LocalOptions::default() })?;
        open.insert(self.database.clone(), workspace.faint());
        Ok(workspace)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.database.with_extension(ending)
    }

    /// The address of the process that serves it, if one does.
    pub fn served_at(&self) -> Option<String> {
        let lock = File::open(self.beside("serve.lock")).ok()?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {}
            Ok(()) | Err(TryLockError::Error(_)) => return None,
        }
        let text = fs::read_to_string(self.beside("serve")).ok()?;
        Some(text.trim().to_owned()).filter(|t| !t.is_empty())
    }
}

/// Says that this process serves a workspace; goes out when it is dropped, or with the process.
pub struct Beacon {
    _lock: File,
    file: PathBuf,
}

impl Beacon {
    /// Takes the lock.
    pub fn light(place: &Place) -> Result<Self, Failure> {
        let path = place.beside("serve.lock");
        let failed = |error: &dyn std::fmt::Display| Failure::machine(format!("{} cannot be locked: {error}", path.display()));
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(|e| failed(&e))?;
        lock.try_lock().map_err(|e| failed(&e))?;
        let file = place.beside("serve");
        let _ = fs::remove_file(&file);
        Ok(Self { _lock: lock, file })
    }

    /// Writes the address.
    pub fn show(&self, address: &str) -> Result<(), Failure> {
        fs::write(&self.file, format!("{address}\n"))
            .map_err(|error| Failure::machine(format!("{} cannot be written: {error}", self.file.display())))
    }
}

impl Drop for Beacon {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use super::{Beacon, Place};

    #[test]
    fn an_address_holds_only_while_somebody_serves() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { database: folder.path().join("local.redb") };
        assert_eq!(place.served_at(), None);
        let beacon = Beacon::light(&place).unwrap();
        assert_eq!(place.served_at(), None, "not before it is ready");
        beacon.show("http://127.0.0.1:1").unwrap();
        assert_eq!(place.served_at().as_deref(), Some("http://127.0.0.1:1"));
        assert!(Beacon::light(&place).is_err(), "one at a time");
        drop(beacon);
        assert_eq!(place.served_at(), None);
        std::fs::write(place.beside("serve"), "http://127.0.0.1:2").unwrap();
        assert_eq!(place.served_at(), None, "what a dead process left is not believed");
    }
}
