//! `brickform docs PAGE`: the reference pages, written from the code. Hidden: for whoever changes Brickform.

use clap::Args;

use super::reference::{self, Page};
use super::{Exit, Failure, Run};
use crate::kinds::Registry;

/// Arguments of `docs`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Which page
    #[arg(value_name = "PAGE")]
    page: Page,
    /// With `kinds`: the page of this one
    #[arg(value_name = "KIND")]
    kind: Option<String>,
}

/// Prints the page.
///
/// # Errors
/// There is no such kind.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let text = match &arguments.kind {
        None => reference::page(arguments.page),
        Some(name) => {
            let known = Registry::standard().get(name).filter(|_| arguments.page == Page::Kinds);
            reference::kind(known.ok_or_else(|| Failure::usage(format!("there is no page of a kind `{name}`"), &["brickform docs kinds"]))?)
        }
    };
    run.screen.result(&text);
    Ok(Exit::Done)
}
