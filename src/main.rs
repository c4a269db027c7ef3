//! The binary: arguments in, exit code out.

use std::process::ExitCode;

use brickform::cli::{self, Streams};
use brickform::model::Outside;

fn main() -> ExitCode {
    let mut streams = Streams::real();
    match Outside::real() {
        Ok(outside) => ExitCode::from(cli::run(std::env::args_os(), &outside, streams).code()),
        Err(error) => {
            streams.complain(&format!("error: the current folder cannot be read: {error}\n"));
            ExitCode::from(cli::Exit::Failed.code())
        }
    }
}
