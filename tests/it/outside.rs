//! The world outside for commands that run in this process: the real one, in which nobody is waited for.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use brickform::cli::Streams;
use brickform::model::{CommandOutput, Outside, System};
use jiff::Timestamp;

/// The real clock and real programs. What is sent again is sent soon: servers of tests do not recover.
struct Brisk(Arc<dyn System>);

impl System for Brisk {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn run(&self, program: &str, arguments: &[&str], folder: &Path) -> io::Result<CommandOutput> {
        self.0.run(program, arguments, folder)
    }

    fn git(&self, arguments: &[&str], folder: &Path) -> io::Result<CommandOutput> {
        self.0.git(arguments, folder)
    }

    fn run_within(&self, program: &str, arguments: &[&str], folder: &Path, limit: Duration) -> io::Result<CommandOutput> {
        self.0.run_within(program, arguments, folder, limit)
    }

    fn ask(&self, program: &str, arguments: &[&str], folder: &Path, limit: Duration) -> io::Result<CommandOutput> {
        self.0.ask(program, arguments, folder, limit)
    }

    fn first_wait(&self) -> Duration {
        Duration::from_millis(5)
    }
}

/// A world with these environment variables alone, whose current folder this is.
pub fn outside<'a>(folder: &Path, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Outside {
    let real = Outside::real().expect("there is a current folder");
    let variables: BTreeMap<String, String> = variables.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    Outside { variables: Arc::new(variables), folder: folder.to_owned(), system: Arc::new(Brisk(real.system)) }
}

/// A stream that is kept.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    /// What was written so far.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no writer panics").clone()).expect("output is UTF-8")
    }
}

/// Standard streams. `answer`: all three are a terminal, and this is typed.
pub fn streams(out: &Kept, err: &Kept, answer: Option<&str>) -> Streams {
    Streams {
        out: Box::new(out.clone()),
        err: Box::new(err.clone()),
        input: Box::new(Cursor::new(answer.unwrap_or_default().to_owned())),
        out_terminal: answer.is_some(),
        err_terminal: answer.is_some(),
        in_terminal: answer.is_some(),
        columns: None,
    }
}
