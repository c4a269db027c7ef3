//! `brickform init`: a small project that works, and the pipelines of a team. Writes only what is not there.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Exit, Failure, Format, Run};
use crate::kinds::Registry;
use crate::project::{self, Workspace};
use crate::report::answers::shell_word;

mod pipelines;

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brickform init shop\n  brickform init --ci github      # in a project: its pipelines")]
pub struct Arguments {
    /// Where; otherwise the current folder, or the project's where there is one
    #[arg(value_name = "FOLDER")]
    folder: Option<String>,
    /// Write pipelines: plan on pull requests, apply on the main branch, drift every night, rollback by hand
    #[arg(long, value_name = "WHERE")]
    ci: Option<Provider>,
}

/// Where pipelines run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Provider {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
    /// Azure Pipelines
    Azure,
}

/// The files of a new project. It applies to the embedded workspace as it is.
const PROJECT: &[(&str, &str)] = &[
    ("conf/project.yaml", include_str!("templates/project.yaml")),
    ("conf/warehouses.yaml", include_str!("templates/warehouses.yaml")),
    ("conf/jobs.yaml", include_str!("templates/jobs.yaml")),
    ("environments/local.yaml", include_str!("templates/local.yaml")),
];

/// A file to write, and whether it is a program.
struct File {
    name: String,
    text: String,
    program: bool,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    Written,
    Kept,
}

/// Writes.
pub fn run(arguments: &Arguments, run: &Run<'_>) -> Result<Exit, Failure> {
    let top = top(arguments, run);
    let has_project = top.join("conf/project.yaml").is_file();
    if has_project && arguments.ci.is_none() {
        return Err(Failure::usage(
            format!("{} is a project already; nothing was written", shown(run, &top)),
            &[
                "`brickform init --ci github` writes its pipelines (also `gitlab`, `azure`)",
                "`brickform init FOLDER` begins another project",
            ],
        ));
    }
    let mut files = if has_project { vec![] } else { starter(&top) };
    let mut next = vec![];
    if let Some(provider) = arguments.ci {
        let Found { environments, by_profile } = environments(run, &top, has_project)?;
        files.extend(pipelines::files(provider, &environments));
        next.push(pipelines::next(provider));
        if !by_profile.is_empty() {
            next.push(format!(
                "a runner has no profiles: write `workspace: {{ host: https://... }}` into {}; people still choose theirs with --profile",
                by_profile.join(", ")
            ));
        }
    } else {
        let change = if top == run.outside.folder { String::new() } else { format!("cd {} && ", shell_word(&shown(run, &top))) };
        next.push(format!("{change}brickform apply --env local     # to the embedded workspace: no account, no network"));
        next.push("then environments/prod.yaml with `workspace: { host: https://... }`, and `brickform plan --env prod`".to_owned());
    }
    let mut made = vec![];
    for file in files {
        let what = put(&top, &file).map_err(|error| Failure::Machine {
            message: format!("{} cannot be written: {error}", top.join(&file.name).display()),
            help: vec!["check that the folder can be written".to_owned()],
        })?;
        made.push((file.name, what));
    }
    made.extend(ignored(&top)?);
    tell(run, &made, &next);
    Ok(Exit::Done)
}

fn tell(run: &Run<'_>, made: &[(String, Made)], next: &[String]) {
    let named = |which: Made| made.iter().filter(move |(_, what)| *what == which).map(|(name, _)| name.as_str());
    if run.screen.format == Format::Json {
        let (written, kept): (Vec<_>, Vec<_>) = (named(Made::Written).collect(), named(Made::Kept).collect());
        run.screen.result(&format!("{:#}\n", serde_json::json!({ "format": "brickform.init/1", "written": written, "kept": kept })));
        return;
    }
    for (name, what) in made {
        run.screen.result(&match what {
            Made::Written => format!("  + {name}\n"),
            Made::Kept => format!("    {name} is there already and stays as it is\n"),
        });
    }
    for (i, line) in next.iter().enumerate() {
        run.screen.note(&if i == 0 { format!("Next: {line}") } else { format!("      {line}") });
    }
}

/// The folder: the one that is named, else the project that one stands in, else the current one.
fn top(arguments: &Arguments, run: &Run<'_>) -> PathBuf {
    if let Some(folder) = arguments.folder.as_deref().or(run.options.project_dir.as_deref()) {
        return run.outside.path(folder);
    }
    let here = &run.outside.folder;
    let above = here.ancestors().find(|folder| folder.join("conf/project.yaml").is_file());
    above.filter(|_| arguments.ci.is_some()).unwrap_or(here).to_owned()
}

fn shown(run: &Run<'_>, top: &Path) -> String {
    match top.strip_prefix(&run.outside.folder) {
        Ok(below) if below.as_os_str().is_empty() => ".".to_owned(),
        Ok(below) => below.display().to_string(),
        Err(_) => top.display().to_string(),
    }
}

fn starter(top: &Path) -> Vec<File> {
    let name = project_name(top);
    PROJECT.iter().map(|(file, text)| File { name: (*file).to_owned(), text: text.replace("@NAME@", &name), program: false }).collect()
}

/// A name from that of the folder: letters, digits, dashes.
fn project_name(top: &Path) -> String {
    let folder = top.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let plain: String = folder.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name = plain.trim_matches('-');
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name.to_owned() } else { "lakehouse".to_owned() }
}

/// What pipelines are about.
struct Found {
    /// The environments of real workspaces, in the order of a release.
    environments: Vec<String>,
    /// The files of those that a profile leads to.
    by_profile: Vec<String>,
}

fn environments(run: &Run<'_>, top: &Path, has_project: bool) -> Result<Found, Failure> {
    let none = |message: String| Failure::Usage {
        message,
        help: vec![
            "pipelines plan and apply real workspaces: write environments/prod.yaml with `workspace: { host: https://... }` first"
                .to_owned(),
        ],
    };
    if !has_project {
        return Err(none(format!("there is no project in {}: conf/project.yaml is not there", shown(run, top))));
    }
    let registry = Registry::standard();
    let ask = project::Ask { folder: Some(top.to_owned()), environment: None, ..run.options.ask(run.outside)? };
    let (mut found, mut by_profile) = (vec![], vec![]);
    for name in project::environments(run.outside, &ask).map_err(Failure::Project)? {
        let one = project::Ask { environment: Some(name.clone()), ..ask.clone() };
        // One that has mistakes by now is still one of a release.
        let workspace = project::load(run.outside, &one, &registry).map(|project| project.environment.workspace);
        match workspace {
            Ok(Workspace::Local) => continue,
            Ok(Workspace::Remote(said)) if said.contains_key("profile") => by_profile.push(format!("environments/{name}.yaml")),
            Ok(Workspace::Remote(_)) | Err(_) => {}
        }
        found.push(name);
    }
    if found.is_empty() {
        return Err(none("no environment of this project is in a real workspace".to_owned()));
    }
    found.sort_by_key(|name| (rank(name), name.clone()));
    Ok(Found { environments: found, by_profile })
}

/// Where an environment comes in a release, by its name.
fn rank(name: &str) -> usize {
    const ORDER: &[&[&str]] =
        &[&["dev", "sandbox"], &["test", "qa", "int"], &["stag", "stg", "uat", "pre", "acc"], &[], &["prod", "prd", "live"]];
    let name = name.to_lowercase();
    ORDER.iter().position(|words| words.iter().any(|word| name.starts_with(word))).unwrap_or(3)
}

/// Writes a file that is not there.
fn put(top: &Path, file: &File) -> std::io::Result<Made> {
    let path = top.join(&file.name);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if file.program { 0o755 } else { 0o644 });
    match options.open(&path) {
        Ok(mut open) => std::io::Write::write_all(&mut open, file.text.as_bytes()).map(|()| Made::Written),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(Made::Kept),
        Err(error) => Err(error),
    }
}

/// `.gitignore` names the folder of states and the embedded workspace, and what pipelines write: no commit should hold them.
fn ignored(top: &Path) -> Result<Option<(String, Made)>, Failure> {
    const FOLDERS: [&str; 2] = [".brickform", "brickform-reports"];
    let path = top.join(".gitignore");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let is_there = |folder: &&str| before.lines().any(|line| line.trim().trim_matches('/') == *folder);
    let missing: Vec<&str> = FOLDERS.into_iter().filter(|folder| !is_there(folder)).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let lines = missing.join("/\n");
    let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    super::saving::put(&path, &format!("{before}{gap}{lines}/\n"))
        .map_err(|error| Failure::machine(format!("{} cannot be written: {error}", path.display())))?;
    let name = if before.is_empty() { ".gitignore".to_owned() } else { format!(".gitignore (ignored now: {}/)", missing.join("/, ")) };
    Ok(Some((name, Made::Written)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{project_name, rank};

    #[test]
    fn a_release_goes_from_the_harmless_to_the_important() {
        let mut names = ["prod-us", "uat", "dev", "analytics", "live", "qa", "prod", "staging", "Dev2"];
        names.sort_by_key(|name| (rank(name), *name));
        assert_eq!(names, ["Dev2", "dev", "qa", "staging", "uat", "analytics", "live", "prod", "prod-us"]);
    }

    #[test]
    fn a_project_is_called_like_its_folder() {
        for (folder, want) in [("/a/My Shop", "my-shop"), ("/a/2024", "lakehouse"), ("/", "lakehouse"), ("/a/.x_y.", "x-y")] {
            assert_eq!(project_name(Path::new(folder)), want);
        }
    }
}
