//! The world outside as one value passed in: environment variables, files, programs, the clock.
//!
//! The only place of the library that asks the operating system for the time, the environment or a program
//! (clippy's `disallowed_methods` holds everyone else to it). Tests pass their own.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{Known, SecretSource};

/// A secret's text, or a sentence that names its source and never its value.
pub type Reading = Result<Zeroizing<String>, String>;

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
    /// Asks Git about the repository that a folder is in, so that nothing else answers and nothing is run ([`super::git`]).
    ///
    /// # Errors
    /// It could not be started.
    fn git(&self, arguments: &[&str], folder: &Path) -> io::Result<CommandOutput> {
        self.run("git", arguments, folder)
    }
    /// Runs a program that a file names and that reads nothing; one that has not ended within the limit is ended.
    ///
    /// # Errors
    /// It could not be started; [`io::ErrorKind::TimedOut`]: it took longer; [`io::ErrorKind::Unsupported`]: commands are refused.
    fn run_within(&self, program: &str, arguments: &[&str], folder: &Path, limit: Duration) -> io::Result<CommandOutput> {
        let _ = limit;
        self.run(program, arguments, folder)
    }
    /// The same for a program that Brickform itself chose (`az`), or whoever runs it: no file of a project names it.
    ///
    /// # Errors
    /// It could not be started; [`io::ErrorKind::TimedOut`]: it took longer.
    fn ask(&self, program: &str, arguments: &[&str], folder: &Path, limit: Duration) -> io::Result<CommandOutput> {
        self.run_within(program, arguments, folder, limit)
    }
    /// How long is waited before a request is sent again the first time where the server names no time, and before an object
    /// that is not to be seen yet is looked for again; it doubles with each try.
    fn first_wait(&self) -> Duration {
        Duration::from_millis(500)
    }
    /// What `read` gives for this source, which a system that remembers asks only once.
    ///
    /// # Errors
    /// Those of `read`.
    fn secret(&self, source: &SecretSource, read: &dyn Fn() -> Reading) -> Reading {
        let _ = source;
        read()
    }
    /// The values of all secrets that were read, to keep them out of what leaves the program; none where nobody remembers.
    fn known(&self) -> Option<Arc<Known>> {
        None
    }
}

/// A system that reads each secret once: a command that asks for a password, or costs a call to a vault, runs once, and
/// what was compared is what is sent. What was read is wiped when the last user lets go.
struct Remembering {
    inner: Arc<dyn System>,
    read: Mutex<BTreeMap<SecretSource, Zeroizing<String>>>,
    known: Arc<Known>,
}

impl System for Remembering {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn run(&self, program: &str, arguments: &[&str], folder: &Path) -> io::Result<CommandOutput> {
        self.inner.run(program, arguments, folder)
    }

    fn git(&self, arguments: &[&str], folder: &Path) -> io::Result<CommandOutput> {
        self.inner.git(arguments, folder)
    }

    fn run_within(&self, program: &str, arguments: &[&str], folder: &Path, limit: Duration) -> io::Result<CommandOutput> {
        self.inner.run_within(program, arguments, folder, limit)
    }

    fn ask(&self, program: &str, arguments: &[&str], folder: &Path, limit: Duration) -> io::Result<CommandOutput> {
        self.inner.ask(program, arguments, folder, limit)
    }

    fn first_wait(&self) -> Duration {
        self.inner.first_wait()
    }

    fn secret(&self, source: &SecretSource, read: &dyn Fn() -> Reading) -> Reading {
        // Held while it is read: two that ask at the same time are answered by one reading.
        let mut all = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = all.get(source) {
            return Ok(text.clone());
        }
        let text = self.inner.secret(source, read)?;
        self.known.learn_from(source, &text);
        all.insert(source.clone(), text.clone());
        Ok(text)
    }

    fn known(&self) -> Option<Arc<Known>> {
        Some(Arc::clone(&self.known))
    }
}

/// A system that runs none of the commands that a project's files name.
struct WithoutCommands {
    inner: Arc<dyn System>,
}

impl System for WithoutCommands {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    // Programs that Brickform itself chose (`git`): no file of a project names them.
    fn run(&self, program: &str, arguments: &[&str], folder: &Path) -> io::Result<CommandOutput> {
        self.inner.run(program, arguments, folder)
    }

    fn git(&self, arguments: &[&str], folder: &Path) -> io::Result<CommandOutput> {
        self.inner.git(arguments, folder)
    }

    fn run_within(&self, _: &str, _: &[&str], _: &Path, _: Duration) -> io::Result<CommandOutput> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "commands are refused (--no-commands)"))
    }

    fn ask(&self, program: &str, arguments: &[&str], folder: &Path, limit: Duration) -> io::Result<CommandOutput> {
        self.inner.ask(program, arguments, folder, limit)
    }

    fn first_wait(&self) -> Duration {
        self.inner.first_wait()
    }

    fn secret(&self, source: &SecretSource, read: &dyn Fn() -> Reading) -> Reading {
        self.inner.secret(source, read)
    }

    fn known(&self) -> Option<Arc<Known>> {
        self.inner.known()
    }
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

    /// The same world for one command: each secret is read once. What it reads is known to the command around it too.
    #[must_use]
    pub fn remembering(&self) -> Self {
        let known = self.system.known().unwrap_or_default();
        let system = Remembering { inner: Arc::clone(&self.system), read: Mutex::default(), known };
        Self { system: Arc::new(system), ..self.clone() }
    }

    /// The same world, in which commands that files name are refused with [`io::ErrorKind::Unsupported`].
    #[must_use]
    pub fn without_commands(&self) -> Self {
        Self { system: Arc::new(WithoutCommands { inner: Arc::clone(&self.system) }), ..self.clone() }
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

    /// The values of all secrets that were read so far; those that are read later are added to it.
    #[must_use]
    pub fn known(&self) -> Arc<Known> {
        self.system.known().unwrap_or_default()
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
    use std::io::{self, Read};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::super::git;
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

        fn git(&self, arguments: &[&str], folder: &Path) -> io::Result<CommandOutput> {
            let mut command = Command::new("git");
            command.args(git::OPTIONS).args(arguments).current_dir(folder).stdin(Stdio::null());
            for name in git::UNSET {
                command.env_remove(name);
            }
            let output = command.envs(git::SET.iter().copied()).output()?;
            Ok(CommandOutput { code: output.status.code(), stdout: output.stdout, stderr: output.stderr })
        }

        fn run_within(&self, program: &str, arguments: &[&str], folder: &Path, limit: Duration) -> io::Result<CommandOutput> {
            let mut child = Command::new(program)
                .args(arguments)
                .current_dir(folder)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()?;
            let (stdout, stderr) = (reading(child.stdout.take()), reading(child.stderr.take()));
            let begun = Instant::now();
            let status = loop {
                if let Some(status) = child.try_wait()? {
                    break status;
                }
                if begun.elapsed() >= limit {
                    child.kill()?;
                    child.wait()?;
                    // What it started may hold its pipes open: they are not waited for.
                    return Err(io::ErrorKind::TimedOut.into());
                }
                thread::sleep(Duration::from_millis(5));
            };
            let all = |reader: thread::JoinHandle<Vec<u8>>| reader.join().unwrap_or_default();
            Ok(CommandOutput { code: status.code(), stdout: all(stdout), stderr: all(stderr) })
        }
    }

    /// Reads a pipe to its end beside everything else, so that a program that prints much does not stand still.
    fn reading(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                let _ = pipe.read_to_end(&mut bytes);
            }
            bytes
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let outside = Outside::real().unwrap();
        let run = |script: &str, millis| outside.system.run_within("sh", &["-c", script], Path::new("/"), Duration::from_millis(millis));
        let done = run("echo out; echo err >&2; exit 3", 60_000).unwrap();
        assert_eq!((done.code, done.stdout.as_slice(), done.stderr.as_slice()), (Some(3), &b"out\n"[..], &b"err\n"[..]));
        assert_eq!(run("exec sleep 600", 50).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
