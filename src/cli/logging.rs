//! Log lines of the library, to standard error: `-vv` shows each request; `BRICKFORM_LOG` takes a filter.

use std::io::{self, Write};
use std::sync::Arc;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::options::{Format, Options};
use super::screen::Screen;
use crate::model::{Known, Outside, Written};

/// Starts logging if it was asked for. A second start in one process (tests) keeps the first.
pub fn start(options: &Options, screen: &Screen, outside: &Outside) {
    let filter = match options.verbose {
        0 => EnvFilter::builder().with_env_var("BRICKFORM_LOG").from_env_lossy(),
        1 => EnvFilter::new("brickform=info"),
        2 => EnvFilter::new("brickform=debug"),
        _ => EnvFilter::new("brickform=trace"),
    };
    let written = if options.log_format == Format::Json { Written::Json } else { Written::Plain };
    let writer = Discreet { known: outside.known(), written, into: io::stderr };
    let base = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(screen.err_colour);
    let _ = match options.log_format {
        Format::Text => base.with_target(false).try_init().is_ok(),
        Format::Json => base.json().try_init().is_ok(),
    };
}

/// Writes lines without the values of secrets.
struct Discreet<W> {
    known: Arc<Known>,
    written: Written,
    into: fn() -> W,
}

impl<W: Write> MakeWriter<'_> for Discreet<W> {
    type Writer = Line<W>;

    fn make_writer(&self) -> Line<W> {
        Line { known: Arc::clone(&self.known), written: self.written, into: (self.into)() }
    }
}

/// One line of the log: it comes whole.
struct Line<W> {
    known: Arc<Known>,
    written: Written,
    into: W,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.into.write_all(self.known.hide(&text, self.written).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Arc;

    use tracing_subscriber::fmt::MakeWriter as _;

    use super::Discreet;
    use crate::model::{Known, Written};

    #[test]
    fn no_line_of_the_log_holds_a_secret() {
        let known = Arc::new(Known::default());
        let log = Discreet { known: Arc::clone(&known), written: Written::Json, into: Vec::new };
        let mut line = log.make_writer();
        // What is read after the log was started, too.
        known.learn("hunter2hunter2");
        line.write_all(br#"{"path":"/api/2.0/x?name=hunter2hunter2"}"#).unwrap();
        assert_eq!(line.into, br#"{"path":"/api/2.0/x?name=(sensitive)"}"#);
    }
}
