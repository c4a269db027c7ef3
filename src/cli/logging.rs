//! Log lines of the library, to standard error: `-vv` shows each request; `BRICKFORM_LOG` takes a filter.

use tracing_subscriber::EnvFilter;

use super::options::{Format, Options};
use super::screen::Screen;

/// Starts logging if it was asked for. A second start in one process (tests) keeps the first.
pub fn start(options: &Options, screen: &Screen) {
    let filter = match options.verbose {
        0 => EnvFilter::builder().with_env_var("BRICKFORM_LOG").from_env_lossy(),
        1 => EnvFilter::new("brickform=info"),
        2 => EnvFilter::new("brickform=debug"),
        _ => EnvFilter::new("brickform=trace"),
    };
    let base = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(screen.err_colour);
    let _ = match options.log_format {
        Format::Text => base.with_target(false).try_init().is_ok(),
        Format::Json => base.json().try_init().is_ok(),
    };
}
