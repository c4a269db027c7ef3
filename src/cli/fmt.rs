//! `brickform fmt`: lays out YAML files. Changes blanks and quotes, never what is read; asks no workspace.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::{Exit, Failure, Run};
use crate::diagnostic::{Diagnostic, Source};
use crate::export::edited::{self, Edited};
use crate::model::bounded;
use crate::yaml::layout::layout;

/// Arguments of `fmt`.
#[derive(Debug, Args)]
#[command(
    after_help = "Two columns a level, one blank behind `:` and `,`, no trailing blanks, one blank line at most, quotes around `${...}` and around what\n\
YAML 1.1 takes for something else (`yes`, `on`, dates). Comments stay, and what is read stays the same.\n\nExamples:\n  brickform fmt\n  brickform fmt --check conf"
)]
pub struct Arguments {
    /// Files and folders; the project's `conf`, `spaces` and `environments` if none is given
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Write nothing; exit with 1 and list the files that are not laid out
    #[arg(long)]
    check: bool,
    /// Show what changes, and change it; with `--check` only show
    #[arg(long)]
    diff: bool,
}

/// Lays out.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let mut paths = Vec::new();
    for path in roots(arguments, run)? {
        collect(&path, &mut paths)?;
    }
    paths.sort();
    paths.dedup();
    let mut broken: Vec<Diagnostic> = Vec::new();
    let mut edits = Vec::new();
    for path in paths {
        let name = path.strip_prefix(&run.outside.folder).unwrap_or(&path).display().to_string();
        let text = match bounded::text(&path, bounded::YAML) {
            Ok(text) => text,
            Err(error) => {
                broken.push(Diagnostic::error("E0310", format!("`{name}` cannot be read: {error}")));
                continue;
            }
        };
        match layout(&Arc::new(Source { name: name.clone(), text: text.clone() })) {
            Ok(after) if after != text => edits.push(Edited { name, path, before: Some(text.into_bytes()), after: after.into_bytes() }),
            Ok(_) => {}
            Err(diagnostics) => broken.extend(diagnostics),
        }
    }
    for edit in &edits {
        run.screen.result(&if arguments.diff { edit.diff() } else { format!("{}\n", edit.name) });
    }
    if !arguments.check {
        for edit in &edits {
            edited::write(std::slice::from_ref(edit)).map_err(|error| Failure::machine(error.to_string()))?;
        }
    }
    if !broken.is_empty() {
        return Err(Failure::mistakes(broken));
    }
    Ok(if arguments.check && !edits.is_empty() { Exit::Failed } else { Exit::Done })
}

/// What is laid out: what was given, or the project's own folders.
fn roots(arguments: &Arguments, run: &Run<'_>) -> Result<Vec<PathBuf>, Failure> {
    if !arguments.paths.is_empty() {
        return Ok(arguments.paths.iter().map(|p| run.outside.path(p)).collect());
    }
    let folder = match &run.options.project_dir {
        Some(given) => run.outside.path(given),
        None => run.outside.folder.ancestors().find(|f| f.join("conf").is_dir()).map(Path::to_owned).ok_or_else(|| {
            Failure::usage(
                "there is no project here: no `conf` in this folder or above it",
                &["name files or folders: `brickform fmt FILE`"],
            )
        })?,
    };
    Ok(["conf", "spaces", "environments"].iter().map(|n| folder.join(n)).filter(|p| p.is_dir()).collect())
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if path.is_file() {
        found.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(|error| Failure::usage(format!("`{}` cannot be read: {error}", path.display()), &[]))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let is_yaml = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
        if !hidden && (path.is_dir() || is_yaml) {
            collect(&path, found)?;
        }
    }
    Ok(())
}
