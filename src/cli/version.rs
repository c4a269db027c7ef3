//! `brickform version`: version and build.

use clap::Args;

use super::{Exit, Format, Run};
use crate::catalogue;

/// Arguments of `version`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Prints the version, and which release of the API data it knows.
pub fn run(_: &Arguments, run: &Run<'_>) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    match run.screen.format {
        Format::Json => run.screen.result(&format!(
            "{}\n",
            serde_json::json!({ "format": "brickform.version/1", "version": version, "api_data": catalogue::SDK_VERSION, "state_format": crate::state::FORMAT })
        )),
        Format::Text => run.screen.result(&format!(
            "brickform {version}\nAPI data of the Python SDK {}\nstate format {}\n",
            catalogue::SDK_VERSION,
            crate::state::FORMAT
        )),
    }
    Exit::Done
}
