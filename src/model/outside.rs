//! The world outside as one value passed in: environment variables, files, programs, the clock.
//!
//! The only place of the library that asks the operating system for the time, the environment or a program
//! (clippy's `disallowed_methods` holds everyone else to it). Tests pass their own.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

/// What a program answered.
#[derive(Debug, Clone)]
pub struct CommandOutput {
    /// Exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// Where the time comes from and which programs can be asked.
pub trait System: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Runs a program to its end.
    ///
    /// # Errors
    /// It could not be started.
    fn run(&self, program: &str, arguments: &[&str], folder: &Path) -> io::Result<CommandOutput>;
}

/// The world outside.
#[derive(Clone)]
pub struct Outside {
    /// Environment variables.
    pub variables: Arc<BTreeMap<String, String>>,
    /// The folder relative paths start from.
    pub folder: PathBuf,
    /// Clock and programs.
    pub system: Arc<dyn System>,
}

impl Outside {
    /// The real world: this process's environment and current folder.
    ///
    /// # Errors
    /// The current folder is gone.
    pub fn real() -> io::Result<Self> {
        Ok(Self { variables: Arc::new(real::variables()), folder: std::env::current_dir()?, system: Arc::new(real::Real) })
    }

    /// An environment variable; an empty one counts as unset.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// The home folder.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").or_else(|| self.variable("USERPROFILE")).map(PathBuf::from)
    }

    /// A path as the user gave it, made absolute; a leading `~/` is the home folder.
    #[must_use]
    pub fn path(&self, given: &str) -> PathBuf {
        match (given.strip_prefix("~/"), self.home()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.folder.join(given),
        }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.system.now()
    }
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").field("folder", &self.folder).finish_non_exhaustive()
    }
}

mod real {
    #![expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]

    use std::collections::BTreeMap;
    use std::io;
    use std::path::Path;
    use std::process::Command;

    use super::{CommandOutput, System, Timestamp};

    pub fn variables() -> BTreeMap<String, String> {
        std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect()
    }

    pub struct Real;

    impl System for Real {
        fn now(&self) -> Timestamp {
            Timestamp::now()
        }

        fn run(&self, program: &str, arguments: &[&str], folder: &Path) -> io::Result<CommandOutput> {
            let output = Command::new(program).args(arguments).current_dir(folder).output()?;
            Ok(CommandOutput { code: output.status.code(), stdout: output.stdout, stderr: output.stderr })
        }
    }
}
