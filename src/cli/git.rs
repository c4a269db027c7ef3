//! What Git says of the project's folder. Git is a program that is asked, never a library; each question is a command that
//! reads, and no answer is taken from words that are translated.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::model::git::BARE_SETTING;
use crate::model::{CommandOutput, Outside};
use crate::plan::{Standing, Undecidable, is_commit, short};

/// The longest subject of a commit in a message.
const SUBJECT: usize = 60;

/// Why nothing can be asked.
const NO_PROGRAM: &str = "there is no `git` program here";

/// The same where files of the project look like a repository.
const DISGUISED: &str = "the folder looks like a bare repository (`HEAD`, `objects` and `refs` lie in it): Git is not asked about it";

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
        self.outside.system.git(arguments, self.folder).ok()
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

    /// The same where an answer that is empty and none at all are two things.
    ///
    /// # Errors
    /// Git cannot be asked, or it says no: a clause.
    pub fn told(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.ask(arguments).ok_or_else(|| NO_PROGRAM.to_owned())?;
        if output.code == Some(0) {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(refused(arguments, &output))
    }

    /// The answer of a question that Git answers with its exit code: 0 is yes, 1 is no.
    ///
    /// # Errors
    /// It is neither: a clause.
    pub fn decides(&self, arguments: &[&str]) -> Result<bool, String> {
        let output = self.ask(arguments).ok_or_else(|| NO_PROGRAM.to_owned())?;
        match output.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(refused(arguments, &output)),
        }
    }

    fn is(&self, arguments: &[&str]) -> bool {
        self.ask(arguments).is_some_and(|output| output.code == Some(0))
    }

    /// The commit that is checked out, or why there is none: a clause.
    pub fn head(&self) -> Result<String, String> {
        if let Some(commit) = self.text(&["rev-parse", "--verify", "--quiet", "HEAD"]) {
            return Ok(commit);
        }
        self.is_repository()?;
        Err("nothing is committed here yet".to_owned())
    }

    /// Whether the folder is in a repository that Git reads.
    ///
    /// # Errors
    /// It is in none: a clause.
    fn is_repository(&self) -> Result<(), String> {
        let output = self.ask(&["rev-parse", "--is-inside-work-tree"]).ok_or_else(|| NO_PROGRAM.to_owned())?;
        // The name of the setting is in every language the same.
        if String::from_utf8_lossy(&output.stderr).contains("safe.directory") {
            let folder = self.folder.display();
            return Err(format!(
                "Git does not read a repository that belongs to somebody else (git config --global --add safe.directory {folder})"
            ));
        }
        if String::from_utf8_lossy(&output.stderr).contains(BARE_SETTING) {
            return Err(DISGUISED.to_owned());
        }
        if output.code == Some(0) { Ok(()) } else { Err("this is no Git repository".to_owned()) }
    }

    /// Whether the folder looks like a bare repository: it may hide that it is in another one.
    pub fn is_disguised(&self) -> bool {
        self.is_repository().is_err_and(|why| why == DISGUISED)
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

    /// Whether one commit is the other, or an ancestor of it; both are held ([`Git::holds`]).
    ///
    /// # Errors
    /// Git cannot tell: a clause.
    pub fn is_ancestor(&self, older: &str, newer: &str) -> Result<bool, String> {
        self.decides(&["merge-base", "--is-ancestor", older, newer])
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
        let undecidable =
            |why| Standing::Unknown { here: Some(self.name(here)), applied: self.name(applied), commit: applied.to_owned(), why };
        if !self.holds(applied) {
            return undecidable(if self.is_shallow() { Undecidable::Shallow } else { Undecidable::Missing });
        }
        let (follows, precedes) = match (self.is_ancestor(applied, here), self.is_ancestor(here, applied)) {
            (Ok(follows), Ok(precedes)) => (follows, precedes),
            (Err(why), _) | (_, Err(why)) => return undecidable(Undecidable::NoGit(why)),
        };
        if follows {
            return Standing::Follows;
        }
        if precedes {
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
    ///
    /// # Errors
    /// Git cannot tell: a clause.
    pub fn changed(&self) -> Result<Vec<PathBuf>, String> {
        self.is_repository()?;
        let prefix = self.told(&["rev-parse", "--show-prefix"])?;
        let prefix = prefix.trim_end_matches(['\r', '\n']);
        let status = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--", ".", ":(exclude).brickform"];
        let text = self.told(&status)?;
        let mut parts = text.split('\0').filter(|part| !part.is_empty());
        let mut found = BTreeSet::new();
        while let Some(part) = parts.next() {
            let (Some(letters), Some(path)) = (part.get(..2), part.get(3..)) else { continue };
            found.insert(path.to_owned());
            if letters.contains(['R', 'C']) {
                found.extend(parts.next().map(str::to_owned));
            }
        }
        Ok(found.iter().map(|path| PathBuf::from(path.strip_prefix(prefix).unwrap_or(path))).collect())
    }
}

/// What Git complains of, as a clause of one line.
fn refused(arguments: &[&str], output: &CommandOutput) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let plain: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let command = arguments.first().copied().unwrap_or_default();
    if plain.is_empty() { format!("`git {command}` failed") } else { format!("`git {command}` failed: {plain}") }
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
