//! `brickform docs PAGE`: the reference pages, written from the code. Hidden: for whoever changes Brickform.

use clap::Args;

use super::reference::{self, Page};
use super::{Exit, Run};

/// Arguments of `docs`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Which page
    #[arg(value_name = "PAGE")]
    page: Page,
}

/// Prints the page.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Exit {
    run.screen.result(&reference::page(arguments.page));
    Exit::Done
}
