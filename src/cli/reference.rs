//! The reference pages of `docs/reference/`, written from the code; a test compares them with the files.

use std::fmt::Write as _;

use clap::ValueEnum;

use super::Exit;
use crate::diagnostic::codes;
use crate::kinds::{Kind, Registry};
use crate::report::kind_page;

/// A page of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Page {
    /// Every command with its options
    Commands,
    /// Every diagnostic code
    Diagnostics,
    /// Every exit code
    ExitCodes,
    /// Every kind of resource
    Kinds,
}

impl Page {
    /// Its file in `docs/reference/`.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Commands => "commands.md",
            Self::Diagnostics => "diagnostics.md",
            Self::ExitCodes => "exit-codes.md",
            Self::Kinds => "kinds.md",
        }
    }
}

/// The text of a page.
#[must_use]
pub fn page(page: Page) -> String {
    let body = match page {
        Page::Commands => commands(),
        Page::Diagnostics => diagnostics(),
        Page::ExitCodes => exit_codes(),
        Page::Kinds => kind_page::index(&Registry::standard()),
    };
    let name = page.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default();
    format!("<!-- Written by `brickform docs {name}`; do not edit. -->\n\n{body}")
}

/// The page of one kind, `docs/reference/kinds/KIND.md`.
#[must_use]
pub fn kind(kind: &'static Kind) -> String {
    format!("<!-- Written by `brickform docs kinds {}`; do not edit. -->\n\n{}", kind.name, kind_page::page(kind))
}

fn commands() -> String {
    let mut root = super::definition().term_width(100);
    root.build();
    let mut out = String::from("# Commands\n\n");
    let _ = writeln!(out, "{}\n", root.get_about().map(ToString::to_string).unwrap_or_default());
    out.push_str("Options marked global stand under [every command](#options-of-every-command). Each has an environment variable, shown beside it.\n\n");
    for command in root.get_subcommands() {
        describe(command, "brickform", &mut out);
    }
    out.push_str("## Options of every command\n\n");
    for argument in root.get_arguments().filter(|a| a.is_global_set()) {
        option(argument, &mut out);
    }
    out
}

fn describe(command: &clap::Command, above: &str, out: &mut String) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let name = format!("{above} {}", command.get_name());
    let _ = writeln!(out, "## {name}\n");
    let _ = writeln!(out, "{}\n", command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default());
    if !command.has_subcommands() {
        let usage = command.clone().render_usage().to_string();
        let _ = writeln!(out, "```text\n{}\n```\n", usage.trim_start_matches("Usage: ").replace("brickform-", "brickform "));
    }
    let mut any = false;
    for argument in command.get_arguments().filter(|a| !a.is_global_set() && a.get_id() != "help" && a.get_id() != "version") {
        option(argument, out);
        any = true;
    }
    if any {
        out.push('\n');
    }
    if let Some(after) = command.get_after_help() {
        let _ = writeln!(out, "```text examples\n{}\n```\n", after.to_string().trim());
    }
    for below in command.get_subcommands() {
        describe(below, &name, out);
    }
}

fn option(argument: &clap::Arg, out: &mut String) {
    let mut name = String::new();
    if let Some(short) = argument.get_short() {
        let _ = write!(name, "-{short}, ");
    }
    let values: Vec<&str> = argument.get_value_names().unwrap_or_default().iter().map(clap::builder::Str::as_str).collect();
    let takes = argument.get_action().takes_values();
    match argument.get_long() {
        Some(long) if takes => {
            let _ = write!(name, "--{long} {}", values.join(" "));
        }
        Some(long) => {
            let _ = write!(name, "--{long}");
        }
        None => name = values.join(" "),
    }
    let _ = write!(out, "- `{name}`: {}", argument.get_help().map(ToString::to_string).unwrap_or_default());
    let choices: Vec<String> =
        if takes { argument.get_possible_values().iter().map(|v| format!("`{}`", v.get_name())).collect() } else { vec![] };
    if !choices.is_empty() {
        let _ = write!(out, " ({})", choices.join(", "));
    }
    if let Some(variable) = argument.get_env().and_then(|v| v.to_str()) {
        let _ = write!(out, "; `{variable}`");
    }
    out.push('\n');
}

fn diagnostics() -> String {
    let mut out = String::from(
        "# Diagnostic codes\n\nErrors (`E`) stop a run before anything is sent; warnings (`W`) do with `--strict`. \
         `brickform explain CODE` prints a row. Codes are never reused.\n",
    );
    for row in codes::ALL {
        let _ = write!(out, "\n## {}: {}\n\n{}\n", row.code, row.title, row.explain);
    }
    out
}

fn exit_codes() -> String {
    let mut out = String::from("# Exit codes\n\n| code | meaning |\n| ---: | --- |\n");
    for (exit, meaning) in Exit::ALL {
        let _ = writeln!(out, "| {} | {meaning} |", exit.code());
    }
    out.push_str("\nA closed pipe is no error.\n");
    out
}
