//! What Git says of the project's folder. Git is a program that is asked, never a library; each question is a command that
//! reads, and no answer is taken from words that are translated.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::{CommandOutput, Outside};
use crate::plan::{Standing, Undecidable, short};

/// The longest subject of a commit in a message.
const SUBJECT: usize = 60;

/// How many files are read at a time.
const READERS: usize = 8;

/// A folder, perhaps in a repository.
pub struct Git<'a> {
    outside: &'a Outside,
    folder: &'a Path,
}

impl<'a> Git<'a> {
    /// Of this folder.
    pub fn at(outside: &'a Outside, folder: &'a Path) -> Self {
        Self { outside, folder }
    }

    fn ask(&self, arguments: &[&str]) -> Option<CommandOutput> {
        self.outside.system.run("git", arguments, self.folder).ok()
    }

    /// What it prints where it ends well.
    pub fn bytes(&self, arguments: &[&str]) -> Option<Vec<u8>> {
        self.ask(arguments).filter(|output| output.code == Some(0)).map(|output| output.stdout)
    }

    /// The same as text, without the last line's end; none where it is empty.
    pub fn text(&self, arguments: &[&str]) -> Option<String> {
        let bytes = self.bytes(arguments)?;
        Some(String::from_utf8_lossy(&bytes).trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn is(&self, arguments: &[&str]) -> bool {
        self.ask(arguments).is_some_and(|output| output.code == Some(0))
    }

    /// The commit that is checked out, or why there is none: a clause.
    pub fn head(&self) -> Result<String, String> {
        if let Some(commit) = self.text(&["rev-parse", "--verify", "--quiet", "HEAD"]) {
            return Ok(commit);
        }
        let Ok(output) = self.outside.system.run("git", &["rev-parse", "--is-inside-work-tree"], self.folder) else {
            return Err("there is no `git` program here".to_owned());
        };
        // The name of the setting is in every language the same.
        if String::from_utf8_lossy(&output.stderr).contains("safe.directory") {
            let folder = self.folder.display();
            return Err(format!(
                "Git does not read a repository that belongs to somebody else (git config --global --add safe.directory {folder})"
            ));
        }
        Err(match output.code {
            Some(0) => "nothing is committed here yet".to_owned(),
            _ => "this is no Git repository".to_owned(),
        })
    }

    /// A commit as Git names it in full, from a branch, a tag or a short name.
    pub fn commit(&self, revision: &str) -> Option<String> {
        if revision.starts_with('-') {
            return None;
        }
        self.text(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")])
    }

    /// Whether the clone holds this commit.
    pub fn holds(&self, commit: &str) -> bool {
        is_commit(commit) && self.is(&["cat-file", "-e", &format!("{commit}^{{commit}}")])
    }

    /// Whether the clone lacks older commits.
    pub fn is_shallow(&self) -> bool {
        self.text(&["rev-parse", "--is-shallow-repository"]).as_deref() == Some("true")
    }

    /// Whether one commit is the other, or an ancestor of it.
    pub fn is_ancestor(&self, older: &str, newer: &str) -> bool {
        self.is(&["merge-base", "--is-ancestor", older, newer])
    }

    /// The first line of a commit's message, where the clone holds it.
    pub fn subject(&self, commit: &str) -> Option<String> {
        if !is_commit(commit) {
            return None;
        }
        let subject = self.text(&["log", "-1", "--no-show-signature", "--format=%s", commit])?;
        let plain: String = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let cut: String = plain.chars().take(SUBJECT).collect();
        Some(if cut.len() < plain.len() { format!("{}…", cut.trim_end()) } else { cut })
    }

    /// `abc1234 "Nightly at five"`.
    pub fn name(&self, commit: &str) -> String {
        match self.subject(commit) {
            Some(subject) => format!("{} \"{subject}\"", short(commit)),
            None => short(commit).to_owned(),
        }
    }

    /// How the commit that is checked out stands to the one that is applied.
    pub fn standing(&self, here: &str, applied: &str) -> Standing {
        if here == applied {
            return Standing::Follows;
        }
        let undecidable = |why| Standing::Unknown { here: Some(self.name(here)), applied: self.name(applied), why };
        if !self.holds(applied) {
            return undecidable(if self.is_shallow() { Undecidable::Shallow } else { Undecidable::Missing });
        }
        if self.is_ancestor(applied, here) {
            return Standing::Follows;
        }
        if self.is_ancestor(here, applied) {
            let count = self.text(&["rev-list", "--count", &format!("{here}..{applied}")]);
            let later = count.and_then(|count| count.parse().ok()).unwrap_or(1);
            return Standing::Older { here: self.name(here), applied: self.name(applied), later };
        }
        // What is cut off might be the very path from the one to the other.
        if self.is_shallow() {
            return undecidable(Undecidable::Shallow);
        }
        let base = self.text(&["merge-base", applied, here]).and_then(|all| all.lines().next().map(|base| self.name(base)));
        let rewritten = self.text(&["for-each-ref", "--count=1", "--format=%(refname)", "--contains", applied]).is_none();
        Standing::Beside { here: self.name(here), applied: self.name(applied), base, rewritten }
    }

    /// Files below the folder that differ from the commit, or are in none and not ignored; relative to the folder.
    pub fn changed(&self) -> Vec<PathBuf> {
        let prefix = self.text(&["rev-parse", "--show-prefix"]).unwrap_or_default();
        let status = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--", ".", ":(exclude).brickform"];
        let Some(bytes) = self.bytes(&status) else { return vec![] };
        let text = String::from_utf8_lossy(&bytes);
        let mut parts = text.split('\0').filter(|part| !part.is_empty());
        let mut found = BTreeSet::new();
        while let Some(part) = parts.next() {
            let (Some(letters), Some(path)) = (part.get(..2), part.get(3..)) else { continue };
            found.insert(path.to_owned());
            if letters.contains(['R', 'C']) {
                found.extend(parts.next().map(str::to_owned));
            }
        }
        found.iter().map(|path| PathBuf::from(path.strip_prefix(&prefix).unwrap_or(path))).collect()
    }

    /// Writes the files of the folder, as they are in a commit, below another folder. Links and repositories in it are left
    /// out, and what is hidden. Gives how many there are.
    ///
    /// # Errors
    /// Git cannot give one, or it cannot be written: a sentence.
    pub fn tree(&self, commit: &str, into: &Path) -> Result<usize, String> {
        let unread = |what: &str| format!("Git cannot give {what} of commit {}", short(commit));
        let listing = self.bytes(&["ls-tree", "-r", "-z", commit, "--", "."]).ok_or_else(|| unread("the files"))?;
        let listing = String::from_utf8_lossy(&listing);
        let files: Vec<&str> = listing.split('\0').filter_map(file_of).collect();
        let next = AtomicUsize::new(0);
        let work = || -> Result<(), String> {
            while let Some(name) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let bytes = self.bytes(&["cat-file", "--filters", &format!("{commit}:./{name}")]).ok_or_else(|| unread(name))?;
                let path = into.join(name);
                let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, bytes));
                written.map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..READERS).map(|_| scope.spawn(work)).collect();
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(unread("the files")))).collect::<Result<Vec<()>, _>>()
        })?;
        Ok(files.len())
    }
}

/// The name in a line of `ls-tree`, of a plain file that may belong to a project.
fn file_of(line: &str) -> Option<&str> {
    let (head, name) = line.split_once('\t')?;
    let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    (head.starts_with("100") && plain && !name.starts_with('.')).then_some(name)
}

/// Whether a text is the name of a commit and nothing else: what a state or a plan says is put on a command line.
fn is_commit(text: &str) -> bool {
    (4..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::is_commit;

    #[test]
    fn only_digests_are_put_on_a_command_line() {
        for (text, fits) in [
            ("c0ffee1", true),
            ("0123456789abcdef0123456789abcdef01234567", true),
            ("abc", false),
            ("--output=x", false),
            ("HEAD", false),
            ("c0ffee1^", false),
        ] {
            assert_eq!(is_commit(text), fits, "{text}");
        }
    }
}
