//! Git, asked through its own program: where a repository is, what a revision is called, and its files in a folder of their own.
//!
//! Reads only: no branch, index or work tree is touched, and nothing is fetched.

use std::path::{Component, Path, PathBuf};

use super::tar;
use super::{Failure, Run};
use crate::model::CommandOutput;
use crate::model::git::{BARE, BARE_SETTING};

/// A repository as the current folder sees it.
pub struct Repository<'a> {
    run: &'a Run<'a>,
    /// Where Git is asked: the top of the work tree, or a bare repository.
    top: PathBuf,
    /// The current folder, from the top: empty or ends with `/`.
    pub prefix: String,
    /// Whether there is a work tree.
    pub has_tree: bool,
}

/// Whether the filters that a repository asks for (large files that are kept elsewhere) turn what Git holds into what a work
/// tree holds. They may ask a network.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Filters {
    /// What Git itself holds is enough: it is compared.
    Off,
    /// It is applied.
    On,
}

/// The files of a commit, in a folder that goes away with this value.
pub struct Checkout {
    /// Goes away with everything in it.
    folder: tempfile::TempDir,
    name: String,
}

impl Checkout {
    /// Where the top of the repository would be.
    pub fn top(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }
}

/// The first twelve characters of a commit, as people quote it.
pub fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

impl<'a> Repository<'a> {
    /// The repository that the current folder is in.
    ///
    /// # Errors
    /// There is none, or no `git`.
    pub fn here(run: &'a Run<'a>) -> Result<Self, Failure> {
        Self::around(run, &run.outside.folder)
    }

    /// The repository that a folder is in; the folder is then the current one.
    ///
    /// # Errors
    /// There is none, or no `git`.
    pub fn around(run: &'a Run<'a>, folder: &Path) -> Result<Self, Failure> {
        let asked = ask(run, folder, &["rev-parse", "--is-bare-repository", "--is-inside-work-tree", "--show-prefix"])?;
        let text = text(&asked);
        let mut lines = text.lines();
        let (bare, inside) = (lines.next() == Some("true"), lines.next() == Some("true"));
        if asked.code == Some(0) && inside {
            let prefix = lines.next().unwrap_or_default().to_owned();
            let top = said(run, folder, &["rev-parse", "--show-toplevel"])?;
            return Ok(Self { run, top: PathBuf::from(top), prefix, has_tree: true });
        }
        if bare || complaint(&asked).contains(BARE_SETTING) {
            if let Some(around) = work_tree_around(run, folder) {
                return Err(disguised(folder, &around));
            }
            return Ok(Self { run, top: folder.to_owned(), prefix: String::new(), has_tree: false });
        }
        Err(Failure::Machine {
            message: format!("{} is in no Git repository{}", folder.display(), complaint(&asked)),
            help: vec!["revisions are compared inside a repository: go into its checkout, or into a bare repository".to_owned()],
        })
    }

    fn ask(&self, arguments: &[&str]) -> Result<CommandOutput, Failure> {
        self.ask_in(&self.top, arguments)
    }

    fn ask_in(&self, folder: &Path, arguments: &[&str]) -> Result<CommandOutput, Failure> {
        if self.has_tree { ask(self.run, folder, arguments) } else { ask(self.run, folder, &[&BARE, arguments].concat()) }
    }

    fn said(&self, arguments: &[&str]) -> Result<String, Failure> {
        self.said_in(&self.top, arguments)
    }

    fn said_in(&self, folder: &Path, arguments: &[&str]) -> Result<String, Failure> {
        line(arguments, &self.ask_in(folder, arguments)?)
    }

    /// The commit that a revision names.
    ///
    /// # Errors
    /// It names none.
    pub fn commit(&self, revision: &str) -> Result<String, Failure> {
        let asked = match revision {
            _ if revision.starts_with('-') || revision.is_empty() => None,
            _ => Some(self.ask(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")])?),
        };
        let found = asked.filter(|asked| asked.code == Some(0)).map(|asked| text(&asked).trim().to_owned());
        found.filter(|commit| !commit.is_empty()).ok_or_else(|| self.unknown(revision))
    }

    fn unknown(&self, revision: &str) -> Failure {
        let shallow = self.said(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|answer| answer == "true");
        let remote = self.said(&["rev-parse", "--verify", "--quiet", &format!("origin/{revision}^{{commit}}")]);
        let mut help = vec![];
        if remote.is_ok_and(|commit| !commit.is_empty()) {
            help.push(format!("there is `origin/{revision}`"));
        }
        if shallow {
            help.push(format!("this is a shallow clone: `git fetch origin {revision}`, or let the pipeline fetch everything (depth 0)"));
        } else {
            help.push(
                "`git log --oneline --all` shows what there is; a branch that only the remote has is fetched by `git fetch`".to_owned(),
            );
        }
        Failure::Usage { message: format!("there is no revision `{revision}` in this repository"), help }
    }

    /// The commit where two part.
    ///
    /// # Errors
    /// They have no common ancestor here.
    pub fn parting(&self, one: &str, other: &str) -> Result<String, Failure> {
        self.said(&["merge-base", one, other]).map_err(|_| Failure::Usage {
            message: format!("{} and {} have no commit in common here", short(one), short(other)),
            help: vec!["in a shallow clone fetch more: `git fetch --unshallow`; or compare the two themselves with `..`".to_owned()],
        })
    }

    /// The files of a commit, below `within` (a folder from the top; empty: all).
    ///
    /// # Errors
    /// Git cannot read the commit, or the files cannot be written.
    pub fn checkout(&self, commit: &str, within: &str, filters: Filters) -> Result<Checkout, Failure> {
        let name = self.top.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned());
        let name = name.strip_suffix(".git").filter(|n| !n.is_empty()).unwrap_or(&name).to_owned();
        let folder = tempfile::Builder::new().prefix("brickform-").tempdir().map_err(|error| failed(commit, &error.to_string()))?;
        let checkout = Checkout { folder, name };
        let top = checkout.top();
        std::fs::create_dir_all(&top).map_err(|error| failed(commit, &error.to_string()))?;
        let files = self.files(commit, within)?;
        if files.is_empty() {
            return Ok(checkout);
        }
        let quiet = ["-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false"];
        let mut arguments: Vec<&str> = if filters == Filters::Off { quiet.to_vec() } else { vec![] };
        arguments.extend(["archive", "--format=tar", commit]);
        arguments.extend((!within.is_empty()).then_some(["--", within]).into_iter().flatten());
        let archive = self.ask(&arguments)?;
        if archive.code != Some(0) {
            return Err(failed(commit, complaint(&archive).trim_start_matches(": ")));
        }
        let entries = tar::entries(&archive.stdout).map_err(|why| failed(commit, why))?;
        let mut archived: std::collections::BTreeMap<String, tar::Entry<'_>> = entries.into_iter().map(|e| (e.path.clone(), e)).collect();
        let mut links = vec![];
        for File { path, sort, blob } in files {
            let entry = archived.remove(&path);
            match (sort, entry) {
                (Sort::Plain, Some(entry)) => put(&top, &path, entry.content).map_err(|why| failed(commit, &why))?,
                // `export-ignore` keeps it out of archives; it is in the checkout all the same.
                (Sort::Plain, None) => {
                    let asked = self.ask(&["cat-file", "blob", &blob])?;
                    put(&top, &path, &asked.stdout).map_err(|why| failed(commit, &why))?;
                }
                (Sort::Link, Some(entry)) => links.push((path, entry.link)),
                (Sort::Link, None) => {}
            }
        }
        // Last, so that no file is written through one.
        for (path, target) in links {
            link(&top, &path, &target);
        }
        Ok(checkout)
    }

    /// Every file of a commit with its blob.
    fn files(&self, commit: &str, within: &str) -> Result<Vec<File>, Failure> {
        let mut arguments = vec!["ls-tree", "-r", "-z", "--full-tree", commit];
        arguments.extend((!within.is_empty()).then_some(["--", within]).into_iter().flatten());
        let listed = self.ask(&arguments)?;
        if listed.code != Some(0) {
            return Err(failed(commit, complaint(&listed).trim_start_matches(": ")));
        }
        let text = String::from_utf8_lossy(&listed.stdout);
        Ok(text.split('\0').filter_map(File::of).collect())
    }

    /// What a checkout of a commit lacks of these folders, which are relative to the current one: other repositories in it,
    /// and files of today that Git ignores.
    ///
    /// # Errors
    /// Git cannot say.
    pub fn lacking(&self, commit: &str, folders: &[&str]) -> Result<Vec<String>, Failure> {
        let here = self.top.join(&self.prefix);
        let held = self.said_in(&here, &[&["ls-tree", "-r", "-z", commit, "--"], folders].concat())?;
        let inner = held.split('\0').filter(|line| line.starts_with("160000 ")).filter_map(|line| line.split_once('\t'));
        let ignored = self.said_in(&here, &[&["ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--"], folders].concat())?;
        let is_read = |name: &&str| [".yaml", ".yml", ".json", ".hbs"].iter().any(|end| name.ends_with(end));
        let ignored = ignored.split('\0').filter(is_read).map(|name| format!("{name}, which Git ignores"));
        Ok(inner.map(|(_, name)| format!("{name}, a repository of its own")).chain(ignored).collect())
    }

    /// A path of this machine as one of a checkout, where it is below the top of the repository.
    pub fn inside(&self, checkout: &Checkout, path: &Path) -> PathBuf {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match real(path).strip_prefix(real(&self.top)).or_else(|_| path.strip_prefix(&self.top)) {
            Ok(rest) => checkout.top().join(rest),
            Err(_) => path.to_owned(),
        }
    }

    /// The current folder in a checkout.
    pub fn current(&self, checkout: &Checkout) -> PathBuf {
        checkout.top().join(self.prefix.trim_end_matches('/'))
    }
}

enum Sort {
    Plain,
    Link,
}

struct File {
    path: String,
    sort: Sort,
    blob: String,
}

impl File {
    /// `100644 blob 3b18e5...<tab>conf/jobs.yaml`; none for what is no file (submodules).
    fn of(line: &str) -> Option<Self> {
        let (about, path) = line.split_once('\t')?;
        let mut words = about.split(' ');
        let (mode, blob) = (words.next()?, words.nth(1)?);
        let sort = match mode {
            "120000" => Sort::Link,
            "160000" => return None,
            _ => Sort::Plain,
        };
        is_inside(path).then(|| Self { path: path.to_owned(), sort, blob: blob.to_owned() })
    }
}

/// Whether a path stays below the folder that it is relative to.
fn is_inside(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|c| matches!(c, Component::Normal(_)))
}

fn put(top: &Path, path: &str, content: &[u8]) -> Result<(), String> {
    let file = top.join(path);
    let written = file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&file, content));
    written.map_err(|error| format!("{path} cannot be written: {error}"))
}

#[cfg(unix)]
fn link(top: &Path, path: &str, target: &str) {
    let file = top.join(path);
    // One that cannot be made is a file that is missing: what needs it says so.
    let _ = file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::os::unix::fs::symlink(target, &file));
}

#[cfg(not(unix))]
fn link(top: &Path, path: &str, target: &str) {
    let _ = put(top, path, target.as_bytes());
}

/// The top of the work tree that a bare repository lies in, if it lies in one: then it came with its files.
fn work_tree_around(run: &Run<'_>, folder: &Path) -> Option<PathBuf> {
    // The repository may be any of the folders above, up to the first that Git takes for none.
    let above = folder.ancestors().skip(1).find(|above| {
        let asked = ask(run, above, &["rev-parse", "--is-inside-work-tree"]).ok();
        asked.is_some_and(|asked| !complaint(&asked).contains(BARE_SETTING) && text(&asked).trim() != "false")
    })?;
    let top = said(run, above, &["rev-parse", "--show-toplevel"]).ok()?;
    Some(PathBuf::from(top))
}

fn disguised(folder: &Path, around: &Path) -> Failure {
    Failure::Machine {
        message: format!("{} looks like a bare repository, but it lies in the work tree of {}", folder.display(), around.display()),
        help: vec![
            "whoever can change files there decides what such a repository says, and which programs it runs: Git is not asked about it"
                .to_owned(),
            "remove its `HEAD`, `objects` and `refs`, or move a repository that is meant out of the work tree".to_owned(),
        ],
    }
}

fn failed(commit: &str, why: &str) -> Failure {
    Failure::Machine {
        message: format!("the files of {} cannot be read: {why}", short(commit)),
        help: vec!["`git fsck` checks the repository; in a partial clone, fetch its objects first".to_owned()],
    }
}

fn ask(run: &Run<'_>, folder: &Path, arguments: &[&str]) -> Result<CommandOutput, Failure> {
    run.outside.system.git(arguments, folder).map_err(|error| Failure::Machine {
        message: format!("`git` cannot be started: {error}"),
        help: vec!["revisions are read through the `git` program: install it, or put it on PATH".to_owned()],
    })
}

/// The answer's one line; an error where Git says no.
fn said(run: &Run<'_>, folder: &Path, arguments: &[&str]) -> Result<String, Failure> {
    line(arguments, &ask(run, folder, arguments)?)
}

fn line(arguments: &[&str], asked: &CommandOutput) -> Result<String, Failure> {
    if asked.code == Some(0) {
        return Ok(text(asked).trim_end_matches(['\r', '\n']).to_owned());
    }
    Err(Failure::machine(format!("git {}{}", arguments.join(" "), complaint(asked))))
}

fn text(asked: &CommandOutput) -> String {
    String::from_utf8_lossy(&asked.stdout).into_owned()
}

/// What Git complains of, on one line.
fn complaint(asked: &CommandOutput) -> String {
    let text = String::from_utf8_lossy(&asked.stderr);
    let line = text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or_default();
    if line.is_empty() { String::new() } else { format!(": {line}") }
}

#[cfg(test)]
mod tests {
    use super::is_inside;

    #[test]
    fn no_path_leaves_its_folder() {
        for (path, inside) in
            [("conf/jobs.yaml", true), ("a b/ü.yaml", true), ("../x", false), ("/etc/passwd", false), ("a/../../x", false), ("", false)]
        {
            assert_eq!(is_inside(path), inside, "{path}");
        }
    }
}
